/* Whatever a file of accounts is: cells are text, lie in the file, and written anew they are the
 * same. */
#include "base/utf8.h"
#include "plan/csv.h"

#include <stdlib.h>

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *copy_of(const struct pf_buf *b)
{
	char *copy = malloc(b->n + 1);

	pf_assert(copy);
	if (b->n > 0) {
		memcpy(copy, b->p, b->n);
	}
	copy[b->n] = '\0';
	return copy;
}

static void must(int rc)
{
	pf_assert(rc == PF_OK);
}

static void put_cell(struct pf_buf *out, const char *cell, bool last)
{
	struct pf_err err;

	must(pf_buf_add_str(out, "\"", &err));
	for (; *cell; cell++) {
		must(pf_buf_add(out, pf_span(cell, 1), &err));
		if (*cell == '"') {
			must(pf_buf_add_str(out, "\"", &err));
		}
	}
	must(pf_buf_add_str(out, last ? "\"\r\n" : "\",", &err));
}

/* All rows, each cell in quotes. */
static int write_anew(const struct pf_buf *text, struct pf_buf *out)
{
	struct pf_csv csv;
	struct pf_csv_row row;
	struct pf_err err;
	char *copy = copy_of(text);
	int rc;

	/* So that one column and any cell find the separator again. */
	must(pf_buf_add_str(out, "sep=,\r\n", &err));
	pf_csv_begin(&csv, copy, text->n);
	while ((rc = pf_csv_next(&csv, &row, &err)) == PF_OK) {
		pf_assert(row.n > 0 && row.n <= PF_CSV_COLUMNS_MAX);
		for (size_t i = 0; i < row.n; i++) {
			pf_assert(row.cell[i] >= copy && row.cell[i] <= copy + text->n);
			pf_assert(row.cell[i] + strlen(row.cell[i]) <= copy + text->n);
			put_cell(out, row.cell[i], i + 1 == row.n);
		}
	}
	free(copy);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_buf text, once, twice;
	struct pf_err err;

	pf_buf_init(&text, MOST * 2);
	pf_buf_init(&once, MOST * 8);
	pf_buf_init(&twice, MOST * 8);
	if (size <= MOST && pf_csv_decode(pf_span(data, size), &text, &err) == PF_OK) {
		pf_assert(pf_utf8_valid(pf_buf_span(&text)));
		if (write_anew(&text, &once) == PF_END) {
			pf_assert(write_anew(&once, &twice) == PF_END);
			pf_assert(pf_span_eq(pf_buf_span(&once), pf_buf_span(&twice)));
		}
	}
	pf_buf_deinit(&text);
	pf_buf_deinit(&once);
	pf_buf_deinit(&twice);
	return 0;
}
