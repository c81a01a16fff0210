#include "suite.h"

#include <string.h>

static const char PLAIN[] = "From: a@x\r\nSubject: s\r\n\r\nbody\r\n";

/* Bytes with their length: some have NULs. `must`: any store takes it. */
struct bytes_case {
	const char *name, *bytes;
	size_t n;
	bool must;
};
#define BYTES(name, text, must)                                                                    \
	{                                                                                          \
		name, text, sizeof(text) - 1, must                                                 \
	}

static const struct bytes_case BYTE_CASES[] = {
	BYTES("plain", "From: a@x\r\nSubject: s\r\n\r\nbody\r\n", true),
	BYTES("empty", "", false),
	BYTES("one byte", "x", false),
	BYTES("header only", "From: a@x\r\nSubject: s\r\n\r\n", true),
	BYTES("header without a blank line", "From: a@x\r\n", false),
	BYTES("no header", "\r\nonly a body\r\n", false),
	BYTES("no line end at the end", "From: a@x\r\n\r\nbody", true),
	BYTES("NUL in the body", "From: a@x\r\n\r\na\0b\r\n", false),
	BYTES("8-bit in the body", "From: a@x\r\n\r\ncaf\xe9 \xff\xfe\r\n", true),
	BYTES("8-bit in a header", "From: a@x\r\nSubject: caf\xe9\r\n\r\nbody\r\n", false),
	BYTES("UTF-8 in a header", "From: a@x\r\nSubject: caf\xc3\xa9\r\n\r\nbody\r\n", false),
	BYTES("bare LF", "From: a@x\nSubject: s\n\nbody\nmore\n", false),
	BYTES("one bare LF", "From: a@x\r\n\r\nbody\nmore\r\n", false),
	BYTES("bare CR", "From: a@x\r\n\r\nbo\rdy\r\n", false),
	BYTES("CR CR LF", "From: a@x\r\n\r\nbody\r\r\n", false),
	BYTES("dots", "From: a@x\r\n\r\n.\r\n..\r\n.x\r\n", true),
	BYTES("mbox From line", "From a@x Sat Nov 14 10:00:00 2026\r\nFrom: a@x\r\n\r\nb\r\n",
		false),
	BYTES("literal's look", "From: a@x\r\n\r\n{5}\r\na OK {3+}\r\n", true),
	BYTES("folded header", "From: a@x\r\nSubject: one\r\n two\r\n\tthree\r\n\r\nb\r\n", true),
	BYTES("blanks at line ends", "From: a@x \r\n\r\nbody \t\r\n \r\n", true),
};

static void one_round_trip(struct suite *s, const struct bytes_case *c)
{
	struct pf_op op = op_put(s, pf_span(c->bytes, c->n));
	struct task *t = begin(s, &op), *l;
	size_t before;
	struct pf_span back;

	settle(s, t);
	drop(&op);
	l = list(s);
	before = l->n;
	if (t->failed) {
		print_message("# %s is refused: %s\n", c->name, t->why.text);
		if (c->must || !t->refused || t->in_doubt || before > 0) {
			fail_msg("%s: %s", c->name, t->why.text);
		}
		return;
	}
	assert_int_equal(before, 1);
	back = get(s, l->rows[0].id, l->rows[0].size);
	if (has_cap(s, PF_CAP_EXACT_SIZE) && l->rows[0].size != back.n) {
		fail_msg("%s: listed with %llu bytes, given with %zu", c->name,
			(unsigned long long)l->rows[0].size, back.n);
	}
	if (memchr(c->bytes, '\0', c->n)) {
		return; /* IMAP has no octet 0 outside of BINARY: servers put others in its place */
	}
	/* Servers that store lines make odd line ends CRLF; that shows in the size. */
	if (c->must ? !came_back(s, back, pf_span(c->bytes, c->n))
		    : !same_but_line_ends(back, pf_span(c->bytes, c->n))) {
		fail_msg("%s: other bytes came back", c->name);
	}
}

static void bytes_come_back(void **state)
{
	struct suite *s = *state;

	if (lacks_mail(s)) {
		return;
	}
	for (size_t i = 0; i < PF_COUNT(BYTE_CASES); i++) {
		const char *const name[] = {BYTE_CASES[i].name, NULL};
		struct pf_path path = {0};
		struct task *made = make_below(s, name, &path);

		assert_false(made->failed);
		(void)snprintf(s->folder, sizeof(s->folder), "%s", made->new_id);
		pf_path_deinit(&path);
		one_round_trip(s, &BYTE_CASES[i]);
	}
}

static void long_lines_come_back(void **state)
{
	static char text[200000];
	struct suite *s = *state;
	struct task *l;
	size_t n = sizeof(PLAIN) - 1;

	if (lacks_mail(s)) {
		return;
	}
	(void)snprintf(text, sizeof(text), "%s", PLAIN);
	memset(text + n, 'x', sizeof(text) - n - 2);
	text[sizeof(text) - 2] = '\r';
	text[sizeof(text) - 1] = '\n';
	put(s, pf_span(text, sizeof(text)), NULL);
	l = list(s);
	assert_true(
		came_back(s, get(s, l->rows[0].id, l->rows[0].size), pf_span(text, sizeof(text))));
}

static void new_id_is_told_if_claimed(void **state)
{
	struct suite *s = *state;

	for (unsigned int i = 0; i < 3; i++) {
		struct pf_op op = op_put(s, message(i));
		struct task *t = run(s, &op), *l = list(s);

		drop(&op);
		assert_int_equal(t->has_new_id, has_cap(s, PF_CAP_PUT_RETURNS_ID));
		if (t->has_new_id) {
			assert_string_equal(t->new_id, l->rows[l->n - 1].id);
		}
	}
}

static void header_only(void **state)
{
	struct suite *s = *state;
	char id[300];
	struct pf_op op;
	struct task *t;

	if (lacks_mail(s)) {
		return;
	}
	put(s, pf_span_str(PLAIN), id);
	op = op_get(s, id, sizeof(PLAIN) - 1);
	op.get.part = PF_PART_HEADER;
	t = run(s, &op);
	assert_true(came_back(
		s, pf_buf_span(&t->body), pf_span_str("From: a@x\r\nSubject: s\r\n\r\n")));
	assert_true(t->body.n >= 4 && memcmp(t->body.p + t->body.n - 4, "\r\n\r\n", 4) == 0);
	assert_false(t->body.n > 0 && memmem(t->body.p, t->body.n, "body", 4));
}

static void item_that_is_not_there(void **state)
{
	struct suite *s = *state;
	char id[300];
	struct pf_op op, remove;
	struct task *t;

	if (lacks(s, PF_CAP_REMOVE_ONE)) {
		return;
	}
	put(s, message(1), NULL);
	put(s, message(2), id);
	remove = (struct pf_op){
		.kind = PF_OP_REMOVE, .folder = pf_span_str(s->folder), .item = pf_span_str(id)};
	(void)run(s, &remove);
	op = op_get(s, id, 100);
	t = begin(s, &op);
	settle(s, t);
	assert_true(t->failed && t->missing);
	assert_int_equal(t->body.n, 0);
	assert_int_equal(t->why.scope, PF_SCOPE_ITEM);
	assert_int_equal(list(s)->n, 1);
}

static void folder_that_is_not_there(void **state)
{
	struct suite *s = *state;
	struct pf_op ops[3] = {op_list(s), op_get(s, "1", 10), op_put(s, message(1))};
	char none[420];
	size_t n = strlen(s->folder);
	bool slash = n > 0 && s->folder[n - 1] == '/';

	(void)snprintf(
		none, sizeof(none), "%.*s-none%s", (int)(n - slash), s->folder, slash ? "/" : "");
	for (size_t i = 0; i < PF_COUNT(ops); i++) {
		struct task *t;

		ops[i].folder = pf_span_str(none);
		t = begin(s, &ops[i]);
		settle(s, t);
		if (!t->failed || t->in_doubt) {
			fail_msg("operation %zu in a folder that is not there: %s", i,
				t->failed ? t->why.text : "done");
		}
		/* Of a PUT some DAV servers say no more than "conflict". */
		if (i == 0 || (i == 2 && suite_kind == PF_KIND_MAIL)) {
			assert_int_equal(t->why.scope, PF_SCOPE_FOLDER);
		}
	}
	drop(&ops[2]);
	put(s, message(1), NULL); /* and nothing else is lost by it */
}

/* ---- flags ---- */

static bool same_words(const char *list, const char *words)
{
	struct pf_span rest = pf_span_str(words), word;
	size_t n = 0;

	while (pf_keywords_next(&rest, &word)) {
		if (!pf_keywords_has(pf_span_str(list), word)) {
			return false;
		}
		n++;
	}
	for (rest = pf_span_str(list); pf_keywords_next(&rest, &word);) {
		n--;
	}
	return n == 0;
}

static void flags_are_stored_with_the_item(void **state)
{
	static const struct pf_flags FLAGS[] = {
		{0, {NULL, 0}},
		{PF_FLAG_SEEN, {NULL, 0}},
		{PF_FLAG_ANSWERED | PF_FLAG_FLAGGED, {NULL, 0}},
		{PF_FLAG_DELETED, {NULL, 0}},
		{PF_FLAG_DRAFT, {NULL, 0}},
		{PF_FLAGS_ALL, {NULL, 0}},
	};
	struct suite *s = *state;
	struct task *l;

	if (lacks_mail(s)) {
		return;
	}
	for (unsigned int i = 0; i < PF_COUNT(FLAGS); i++) {
		struct pf_op op = op_put(s, message(i));

		op.put.flags = FLAGS[i];
		(void)run(s, &op);
		drop(&op);
	}
	l = list(s);
	assert_int_equal(l->n, PF_COUNT(FLAGS));
	for (size_t i = 0; i < PF_COUNT(FLAGS); i++) {
		assert_int_equal(l->rows[i].sys, FLAGS[i].sys & l->permitted_sys);
	}
}

static void keywords_are_stored_with_the_item(void **state)
{
	static const char *const WORDS[] = {
		"", "$Forwarded", "$Forwarded work", "$MDNSent $Phishing Later work"};
	struct suite *s = *state;
	struct task *l = list(s);

	if (!l->permitted_any) {
		print_message("# not for this store\n");
		return;
	}
	for (unsigned int i = 0; i < PF_COUNT(WORDS); i++) {
		struct pf_op op = op_put(s, message(i));

		op.put.flags = (struct pf_flags){PF_FLAG_SEEN, pf_span_str(WORDS[i])};
		(void)run(s, &op);
		drop(&op);
	}
	l = list(s);
	for (size_t i = 0; i < PF_COUNT(WORDS); i++) {
		if (!same_words(l->rows[i].kw, WORDS[i])) {
			fail_msg("\"%s\" became \"%s\"", WORDS[i], l->rows[i].kw);
		}
	}
}

static void flags_are_changed_as_asked(void **state)
{
	struct suite *s = *state;
	char first[300], second[300];
	struct task *l;
	struct pf_op op;

	if (lacks_mail(s)) {
		return;
	}
	put(s, message(1), first);
	op = op_put(s, message(2));
	op.put.flags = (struct pf_flags){PF_FLAG_SEEN | PF_FLAG_ANSWERED, pf_span_str("kept lost")};
	(void)run(s, &op);
	drop(&op);
	l = list(s);
	(void)snprintf(second, sizeof(second), "%s", l->rows[1].id);
	op = (struct pf_op){
		.kind = PF_OP_FLAGS, .folder = pf_span_str(s->folder), .item = pf_span_str(second)};
	op.flags.add = (struct pf_flags){PF_FLAG_FLAGGED, pf_span_str("gained")};
	op.flags.del = (struct pf_flags){PF_FLAG_ANSWERED, pf_span_str("lost")};
	(void)run(s, &op);
	(void)run(s, &op); /* what is done already is done once more */
	l = list(s);
	assert_int_equal(l->n, 2);
	assert_string_equal(l->rows[0].id, first);
	assert_int_equal(l->rows[0].sys, 0);
	assert_string_equal(l->rows[1].id, second);
	assert_int_equal(l->rows[1].sys, PF_FLAG_SEEN | PF_FLAG_FLAGGED);
	if (l->permitted_any && !same_words(l->rows[1].kw, "gained kept")) {
		fail_msg("keywords are \"%s\"", l->rows[1].kw);
	}
}

static void only_the_item_is_removed(void **state)
{
	struct suite *s = *state;
	struct pf_op op;
	struct task *l, *t;

	for (unsigned int i = 0; i < 3; i++) {
		op = op_put(s, message(i));
		op.put.flags.sys = PF_FLAG_DELETED; /* others marked as well */
		(void)run(s, &op);
		drop(&op);
	}
	l = list(s);
	op = (struct pf_op){.kind = PF_OP_REMOVE,
		.folder = pf_span_str(s->folder),
		.item = pf_span_str(l->rows[1].id)};
	t = begin(s, &op);
	settle(s, t);
	assert_int_equal(t->failed, !has_cap(s, PF_CAP_REMOVE_ONE));
	assert_int_equal(list(s)->n, t->failed ? 3 : 2);
	if (!t->failed) {
		struct task *after = list(s);

		assert_string_equal(after->rows[0].id, l->rows[0].id);
		assert_string_equal(after->rows[1].id, l->rows[2].id);
	}
}

/* ---- dates ---- */

static void dates_are_kept_if_claimed(void **state)
{
	static const struct {
		int64_t utc_s;
		int zone_min;
	} DATES[] = {
		{1000000000, 0}, {1700000000, 330}, /* +0530 */
		{1700000001, -210},                 /* -0330 */
		{1700000002, 840},                  /* +1400 */
		{1700000003, -720},                 /* -1200 */
		{839400000, 60},                    /* a day of one digit in August 1996 */
		{86400, -600},                      /* 1970; servers take zero for no date */
	};
	struct suite *s = *state;
	struct task *l;

	if (lacks(s, PF_CAP_KEEPS_DATE)) {
		return;
	}
	for (unsigned int i = 0; i < PF_COUNT(DATES); i++) {
		struct pf_op op = op_put(s, message(i));

		op.put.date_utc_s = DATES[i].utc_s;
		op.put.zone_min = DATES[i].zone_min;
		(void)run(s, &op);
		drop(&op);
	}
	l = list(s);
	assert_int_equal(l->n, PF_COUNT(DATES));
	for (size_t i = 0; i < PF_COUNT(DATES); i++) {
		if (l->rows[i].date_utc_s != DATES[i].utc_s) {
			fail_msg("%lld became %lld", (long long)DATES[i].utc_s,
				(long long)l->rows[i].date_utc_s);
		}
	}
}

/* Another one in another folder, with all that the first one has; and of what is not there, none.
 */
static void copies_are_like_the_first(void **state)
{
	static const char *const OTHER[] = {"other", NULL};
	struct suite *s = *state;
	struct pf_path path = {0};
	struct pf_op op = {.kind = PF_OP_COPY, .folder = pf_span_str(s->folder)};
	struct task *made, *t, *l;
	char ids[2][400], other[400];

	if (lacks(s, PF_CAP_COPY) || lacks(s, PF_CAP_PUT_RETURNS_ID) || lacks(s, PF_CAP_MIXED)) {
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct pf_op p = op_put(s, message(i));

		p.put.date_utc_s = 1000000000 + i;
		p.put.flags.sys = i == 1 ? PF_FLAG_SEEN | PF_FLAG_FLAGGED : 0;
		(void)snprintf(ids[i], sizeof(ids[i]), "%s", run(s, &p)->new_id);
		drop(&p);
	}
	made = make_below(s, OTHER, &path);
	pf_path_deinit(&path);
	(void)snprintf(other, sizeof(other), "%s", made->new_id);
	op.copy.to = pf_span_str(other);
	op.item = pf_span_str(ids[1]);
	t = run(s, &op);
	assert_true(t->has_new_id);
	op.item = pf_span_str("4000000000");
	made = begin(s, &op);
	settle(s, made);
	assert_true(made->failed);
	assert_int_equal(list(s)->n, 2); /* the first ones stay */
	(void)snprintf(s->folder, sizeof(s->folder), "%s", other);
	l = list(s);
	assert_int_equal(l->n, 1);
	assert_string_equal(l->rows[0].id, t->new_id);
	assert_true(l->rows[0].date_utc_s == 1000000001 || !has_cap(s, PF_CAP_KEEPS_DATE));
	assert_int_equal(l->rows[0].sys & PF_FLAGS_ALL, PF_FLAG_SEEN | PF_FLAG_FLAGGED);
	assert_true(came_back(s, get(s, t->new_id, l->rows[0].size), message(1)));
}

/* Before 1970, in the future, beyond 31 bits: servers differ. An item is stored, with this date or
 * another one, or it is refused in so many words. */
static void odd_dates_are_stored_or_refused(void **state)
{
	static const int64_t DATES[] = {0, -1, -86400, -2208988800 /* 1900 */, 2147483647,
		2147483648, 32503680000 /* 3000 */, 253402300799 /* the end of 9999 */,
		PF_DATE_NONE};
	struct suite *s = *state;
	size_t stored = 0;

	if (lacks_mail(s)) {
		return;
	}
	for (unsigned int i = 0; i < PF_COUNT(DATES); i++) {
		struct pf_op op = op_put(s, message(i));
		struct task *t;

		op.put.date_utc_s = DATES[i];
		t = begin(s, &op);
		settle(s, t);
		drop(&op);
		if (t->failed) {
			print_message("# dated %lld: %s\n", (long long)DATES[i], t->why.text);
		}
		assert_true(!t->failed || (t->refused && DATES[i] != PF_DATE_NONE));
		stored += !t->failed;
		assert_int_equal(list(s)->n, stored);
	}
}

/* ---- order ---- */

static void order_is_kept(void **state)
{
	enum { N = 60 };
	struct suite *s = *state;
	struct task *l;

	if (lacks_mail(s)) {
		return;
	}
	for (unsigned int i = 0; i < N; i++) {
		struct pf_op op = op_put(s, message(i));

		op.put.more = i + 1 < N;
		(void)begin(s, &op);
		drop(&op);
	}
	settle_all(s);
	l = list(s);
	assert_int_equal(l->n, N);
	for (unsigned int i = 0; i < N; i++) {
		struct pf_span back = get(s, l->rows[i].id, l->rows[i].size);
		char want[32];

		(void)snprintf(want, sizeof(want), "Subject: number %u\r\n", i);
		if (!memmem(back.p, back.n, want, strlen(want))) {
			fail_msg("item %u is not in its place", i);
		}
	}
}

static void identical_copies_stay_as_many(void **state)
{
	struct suite *s = *state;
	struct task *l;

	if (lacks_mail(s)) {
		return;
	}
	for (unsigned int i = 0; i < 4; i++) {
		put(s, message(7), NULL);
	}
	l = list(s);
	assert_int_equal(l->n, 4);
	for (size_t i = 1; i < l->n; i++) {
		assert_string_not_equal(l->rows[i - 1].id, l->rows[i].id);
		assert_int_equal(l->rows[i].size, l->rows[0].size);
	}
}

size_t item_cases(const struct CMUnitTest **out)
{
	static const struct CMUnitTest CASES[] = {
		CASE(copies_are_like_the_first),
		CASE(bytes_come_back),
		CASE(long_lines_come_back),
		CASE(new_id_is_told_if_claimed),
		CASE(header_only),
		CASE(item_that_is_not_there),
		CASE(folder_that_is_not_there),
		CASE(flags_are_stored_with_the_item),
		CASE(keywords_are_stored_with_the_item),
		CASE(flags_are_changed_as_asked),
		CASE(only_the_item_is_removed),
		CASE(dates_are_kept_if_claimed),
		CASE(odd_dates_are_stored_or_refused),
		CASE(order_is_kept),
		CASE(identical_copies_stay_as_many),
	};

	*out = CASES;
	return PF_COUNT(CASES);
}
