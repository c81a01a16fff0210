/* Whatever an exported directory is: its lines are read to the end, spans lie in the text, and what
 * is said of addresses is found again. */
#include "plan/address_map.h"
#include "plan/ldif.h"

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_address_map *map = NULL;
	struct pf_ldif_line line = {.line = 0};
	struct pf_ldif l;
	struct pf_err err;
	size_t calls = 0, last = 0;
	int rc;

	if (size > MOST) {
		return 0;
	}
	pf_ldif_init(&l, pf_span(data, size));
	while ((rc = pf_ldif_next(&l, &line, &err)) != PF_END) {
		pf_assert(rc == PF_OK || err.scope == PF_SCOPE_ITEM);
		pf_assert(++calls <= 2 * size + 2 && line.line >= last);
		pf_assert(line.ends_record || rc != PF_OK || line.name.n > 0);
		last = line.line;
	}
	pf_ldif_deinit(&l);
	if (pf_address_map_of_text("fuzz", pf_span(data, size), &map, &err) == PF_OK) {
		pf_assert(pf_address_map_count(map) > 0);
	} else {
		pf_assert(!map && err.text[0]);
	}
	pf_address_map_free(&map);
	return 0;
}
