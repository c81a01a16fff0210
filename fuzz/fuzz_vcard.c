/* Contacts: whatever is read can be written anew in each version, and read again. */
#include "base/defs.h"
#include "convert/vcard_codec.h"
#include "sum.h"

static void look_at(const struct pf_doc *d, size_t i)
{
	static const int VERSIONS[] = {0, 30, 40};
	const struct pf_piece piece = {d, i};
	const struct pf_component *p = pf_vcard_codec.part(d, i);
	uint64_t sum = 0;

	sum_span(&sum, p->uid);
	sum_span(&sum, p->summary);
	for (size_t v = 0; v < PF_COUNT(VERSIONS); v++) {
		const struct pf_compose how = {
			.uid = pf_span_str("new"), .repair = true, .card_version = VERSIONS[v]};
		struct pf_composed out = {0};
		struct pf_doc *again = NULL;
		struct pf_err err;

		pf_assert(pf_vcard_codec.compose(&piece, 1, &how, &out, &err) == PF_OK);
		pf_assert(pf_vcard_codec.read(pf_blob_span(out.body), &again, &err) == PF_OK);
		pf_vcard_codec.free(&again);
		pf_blob_unref(&out.body);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_doc *d = NULL;
	struct pf_err err;

	if (pf_vcard_codec.read(pf_span(data, size), &d, &err) != PF_OK) {
		return 0;
	}
	for (size_t i = 0; i < pf_vcard_codec.parts(d) && i < 8; i++) {
		look_at(d, i);
	}
	pf_vcard_codec.free(&d);
	return 0;
}
