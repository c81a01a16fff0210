/*
 * Content lines: they lie one behind the other in the input, all that is read lies within the input
 * or its arena, and a line that is written is read again as it was.
 */
#include "base/defs.h"
#include "proto/line/line.h"
#include "sum.h"

static void round_trip(const struct pf_line *l)
{
	struct pf_arena arena;
	struct pf_lines lines;
	struct pf_line again;
	struct pf_buf head, out;
	struct pf_err err;

	pf_arena_init(&arena);
	pf_buf_init(&head, 1 << 24);
	pf_buf_init(&out, 1 << 26);
	pf_assert(pf_buf_add(&head, l->name, &err) == PF_OK);
	pf_assert(pf_buf_add(&head, l->params, &err) == PF_OK);
	pf_assert(pf_line_write(&out, pf_buf_span(&head), l->value, &err) == PF_OK);
	pf_lines_init(&lines, pf_buf_span(&out), &arena);
	pf_assert(pf_lines_next(&lines, &again, &err) == PF_OK);
	pf_assert(pf_span_eq(again.value, l->value) && pf_span_eq(again.params, l->params));
	pf_buf_deinit(&out);
	pf_buf_deinit(&head);
	pf_arena_deinit(&arena);
}

/* No dot (a group), quotes that end, no soft breaks: what the writer takes for granted. */
static bool is_plain(const struct pf_line *l)
{
	size_t quotes = 0;

	for (size_t i = 0; i < l->params.n; i++) {
		struct pf_span rest = pf_span_from(l->params, i + 1);

		quotes += l->params.p[i] == '"';
		if (pf_span_starts(rest, "QUOTED-PRINTABLE")) {
			return false;
		}
	}
	return !l->bad && l->group.n == 0 && l->name.n > 0 && quotes % 2 == 0 &&
	       !memchr(l->name.p, '.', l->name.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_arena arena;
	struct pf_lines lines;
	struct pf_line l;
	struct pf_err err;
	const uint8_t *at = data;
	uint64_t sum = 0;
	int rc;

	pf_arena_init(&arena);
	pf_lines_init(&lines, pf_span(data, size), &arena);
	while ((rc = pf_lines_next(&lines, &l, &err)) == PF_OK) {
		struct pf_span rest = l.params, name, value;
		struct pf_buf text;

		pf_assert(l.raw.p >= at && l.raw.p + l.raw.n <= data + size);
		pf_assert(l.value.n <= l.raw.n);
		at = l.raw.p + l.raw.n;
		pf_buf_init(&text, 1 << 24);
		while (pf_params_next(&rest, &name, &value)) {
			sum_span(&sum, name);
			sum_span(&sum, value);
		}
		pf_assert(pf_text_unescape(l.value, &text, &err) == PF_OK);
		pf_assert(pf_quoted_printable(l.value, &text, &err) == PF_OK);
		pf_buf_deinit(&text);
		if (is_plain(&l)) {
			round_trip(&l);
		}
	}
	pf_assert(rc == PF_END);
	pf_arena_deinit(&arena);
	return 0;
}
