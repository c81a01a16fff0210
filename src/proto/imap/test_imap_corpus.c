/* What real servers were seen to say, where a corpus of it lies beside the project: all of it is
 * read.
 */
#include "proto/imap/resp.h"

#include <fts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

/* The file with CRLF, which texts lose in source trees; literals are counted with it. */
static void load(const char *path, struct pf_buf *out)
{
	struct pf_err err;
	FILE *f = fopen(path, "rb");
	int c, before = 0;

	assert_non_null(f);
	while ((c = getc(f)) != EOF) {
		char byte = (char)c;

		if (c == '\n' && before != '\r') {
			assert_int_equal(pf_buf_add_str(out, "\r", &err), PF_OK);
		}
		assert_int_equal(pf_buf_add(out, pf_span(&byte, 1), &err), PF_OK);
		before = c;
	}
	assert_int_equal(fclose(f), 0);
}

/* Whether it is a response; each of them must be readable. */
static bool readable(const char *path, const struct pf_imap_piece *piece)
{
	struct pf_arena arena;
	struct pf_imap_resp r;
	struct pf_err err;

	if (piece->kind != PF_IMAP_PIECE_RESPONSE) {
		return false;
	}
	pf_arena_init(&arena);
	if (pf_imap_resp_parse(piece, &arena, &r, &err) != PF_OK) {
		fail_msg("%s at %llu: %s", path, (unsigned long long)piece->stream_at, err.text);
	}
	pf_arena_deinit(&arena);
	return true;
}

static size_t run(const char *path, struct pf_span in, size_t step)
{
	static const struct pf_imap_frame_cfg cfg = {.inline_max = 64, .text_max = 1 << 20};
	struct pf_imap_frame *f = pf_imap_frame_new(&cfg);
	struct pf_imap_piece piece;
	struct pf_err err;
	size_t responses = 0;
	int rc = PF_AGAIN;

	while (in.n > 0 && rc == PF_AGAIN) {
		size_t n = in.n < step ? in.n : step;

		assert_int_equal(pf_imap_frame_push(f, pf_span(in.p, n), &err), PF_OK);
		in = pf_span_from(in, n);
		while ((rc = pf_imap_frame_next(f, &piece, &err)) == PF_OK) {
			responses += readable(path, &piece);
		}
	}
	if (rc != PF_AGAIN || !pf_imap_frame_at_rest(f)) {
		fail_msg("%s ends within a response", path);
	}
	pf_imap_frame_free(&f);
	return responses;
}

static void one_file(const char *path)
{
	static const size_t STEPS[] = {1, 2, 3, 7, 64, 4096};
	struct pf_buf in;
	size_t responses;

	pf_buf_init(&in, 1 << 24);
	load(path, &in);
	responses = run(path, pf_buf_span(&in), in.n);
	assert_true(responses > 0);
	for (size_t i = 0; i < PF_COUNT(STEPS); i++) {
		assert_int_equal(run(path, pf_buf_span(&in), STEPS[i]), responses);
	}
	pf_buf_deinit(&in);
}

static void all_is_read(void **state)
{
	const char *corpus = getenv("PF_CORPUS");
	char path[4096];
	char *const roots[] = {path, NULL};
	size_t files = 0;
	FTSENT *e;
	FTS *tree;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/imap", corpus ? corpus : "");
	tree = fts_open(roots, FTS_LOGICAL, NULL);
	assert_non_null(tree);
	while ((e = fts_read(tree))) {
		if (e->fts_info == FTS_F && e->fts_statp->st_size > 0) {
			one_file(e->fts_path);
			files++;
		}
	}
	assert_int_equal(fts_close(tree), 0);
	if (files == 0) {
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
