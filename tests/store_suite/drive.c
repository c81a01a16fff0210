#include "suite.h"

#include <string.h>

struct account *suite_account;
enum pf_kind suite_kind = PF_KIND_MAIL;

enum { ROOM = 64 << 20 };

/* ---- events ---- */

static void copy_str(char *to, size_t size, struct pf_span from)
{
	assert_true(from.n < size);
	if (from.p && from.n > 0) {
		memcpy(to, from.p, from.n);
	}
	to[from.n] = '\0';
}

static struct task *task_of(struct suite *s, uint64_t id)
{
	for (struct task *t = s->tasks; t; t = t->next) {
		if (t->id == id) {
			return t;
		}
	}
	return NULL;
}

static void on_row(struct task *t, const struct pf_item *item)
{
	struct row *r;

	if ((t->n & (t->n - 1)) == 0) { /* full at powers of two */
		t->rows = realloc(t->rows, (t->n ? 2 * t->n : 1) * sizeof(*t->rows));
		assert_non_null(t->rows);
	}
	r = &t->rows[t->n++];
	*r = (struct row){
		.size = item->size, .date_utc_s = item->date_utc_s, .sys = item->flags.sys};
	copy_str(r->id, sizeof(r->id), item->id);
	copy_str(r->kw, sizeof(r->kw), item->flags.kw);
	copy_str(r->version, sizeof(r->version), item->version);
}

static void on_state(struct task *t, const struct pf_store_event *ev)
{
	assert_int_equal(t->n, 0); /* before the items */
	t->states++;
	t->delta = ev->delta;
	t->permitted_any = ev->permitted_any;
	t->permitted_sys = ev->permitted_sys;
	t->validity = ev->folder->state.validity;
	t->next_id = ev->folder->state.next;
	t->count = ev->folder->state.count;
	copy_str(t->cursor, sizeof(t->cursor), ev->folder->state.cursor);
}

static void on_folder(struct task *t, const struct pf_folder *f)
{
	struct seen_folder *n;
	struct pf_err err;

	t->folders = realloc(t->folders, (t->folders_n + 1) * sizeof(*t->folders));
	assert_non_null(t->folders);
	n = &t->folders[t->folders_n++];
	*n = (struct seen_folder){
		.selectable = f->selectable, .subscribed = f->subscribed, .role = f->role};
	assert_int_equal(pf_path_copy(&n->path, &f->path, &err), PF_OK);
	copy_str(n->id, sizeof(n->id), f->id);
	if (f->has_state) {
		copy_str(n->cursor, sizeof(n->cursor), f->state.cursor);
	}
}

static void on_bytes(struct task *t, struct pf_span bytes)
{
	struct pf_err err;

	assert_int_equal(pf_buf_add(&t->body, bytes, &err), PF_OK);
}

static void on_end(struct task *t, const struct pf_store_event *ev)
{
	t->ended = true;
	t->failed = ev->kind == PF_STORE_FAILED;
	if (t->failed) {
		t->why = ev->failed.why;
		t->in_doubt = ev->failed.in_doubt;
		t->missing = ev->failed.missing;
		t->refused = ev->failed.refused;
		t->grouped = ev->failed.grouped;
		t->recalled = ev->failed.recalled;
		t->conflict = ev->failed.conflict;
		assert_true(t->why.text[0] != '\0'); /* a failure says what failed */
	} else if (t->kind == PF_OP_PUT || t->kind == PF_OP_COPY || t->kind == PF_OP_MKFOLDER) {
		t->has_new_id = ev->id.p != NULL;
		copy_str(t->new_id, sizeof(t->new_id), ev->id);
		if (t->kind == PF_OP_PUT) {
			copy_str(t->new_version, sizeof(t->new_version), ev->version);
		}
	}
}

static void on_event(struct suite *s, const struct pf_store_event *ev)
{
	struct task *t;

	if (ev->kind == PF_STORE_NOTE) {
		return;
	}
	if (ev->kind == PF_STORE_READY) {
		assert_false(s->ready); /* comes once */
		s->ready = true;
		return;
	}
	assert_true(s->ready || ev->kind == PF_STORE_FAILED); /* that: it can't sign in */
	t = task_of(s, ev->op);
	assert_non_null(t); /* of an operation that was submitted */
	if (t->ended) {
		fail_msg("operation %d (%s) has an event %d behind its end", (int)t->kind,
			t->failed ? t->why.text : "done", (int)ev->kind);
	}
	switch (ev->kind) {
	case PF_STORE_FOLDER:
		on_folder(t, ev->folder);
		break;
	case PF_STORE_STATE:
		on_state(t, ev);
		break;
	case PF_STORE_ITEM:
		on_row(t, &ev->item);
		break;
	case PF_STORE_GONE:
		t->gone++;
		break;
	case PF_STORE_BODY:
		t->bodies++;
		on_bytes(t, pf_blob_span(ev->body));
		break;
	case PF_STORE_CHUNK:
		t->chunks++;
		assert_int_equal(ev->chunk.offset, t->body.n); /* in order, without holes */
		on_bytes(t, ev->chunk.bytes);
		break;
	case PF_STORE_HUNGRY:
		t->hungry++;
		break;
	default:
		on_end(t, ev);
		break;
	}
	if (ev->kind == PF_STORE_BODY) {
		struct pf_blob *body = ev->body;

		pf_blob_unref(&body);
	}
}

static int take(struct suite *s, int64_t *wake_ms)
{
	struct pf_store_event ev;
	struct pf_err err;
	int rc = pf_store_next(s->store, &ev, wake_ms, &err);

	if (rc == PF_FAIL) {
		fail_msg("the store is lost: %s", err.text);
	}
	if (rc == PF_OK) {
		on_event(s, &ev);
	}
	s->over = rc == PF_END;
	return rc;
}

bool take_one(struct suite *s)
{
	for (;;) {
		int64_t wake_ms = INT64_MAX;
		int rc = take(s, &wake_ms);

		if (rc != PF_AGAIN) {
			return rc == PF_OK;
		}
		if (!s->account->wait(s->account, wake_ms)) {
			fail_msg("the store does not answer");
		}
	}
}

void take_some(struct suite *s)
{
	int64_t wake_ms = INT64_MAX;

	while (take(s, &wake_ms) == PF_OK) {
	}
}

void settle(struct suite *s, struct task *t)
{
	while (!t->ended) {
		assert_true(take_one(s));
	}
}

void settle_all(struct suite *s)
{
	for (struct task *t = s->tasks; t; t = t->next) {
		if (t->kind != PF_OP_FLUSH && t->kind != PF_OP_RECALL) {
			settle(s, t);
		}
	}
}

/* ---- operations ---- */

struct task *try_begin(struct suite *s, struct pf_op *op)
{
	struct task *t = calloc(1, sizeof(*t));
	struct pf_err err;
	int rc;

	assert_non_null(t);
	op->id = ++s->last_id;
	t->id = op->id;
	t->kind = op->kind;
	pf_buf_init(&t->body, ROOM);
	rc = pf_store_submit(s->store, op, &err);
	if (rc == PF_FAIL) {
		fail_msg("submit: %s", err.text);
	}
	if (rc == PF_AGAIN) {
		free(t);
		return NULL;
	}
	t->next = s->tasks;
	s->tasks = t;
	return t;
}

struct task *begin(struct suite *s, struct pf_op *op)
{
	struct task *t;

	while (!(t = try_begin(s, op))) {
		assert_true(take_one(s));
	}
	return t;
}

struct task *run(struct suite *s, struct pf_op *op)
{
	struct task *t = begin(s, op);

	settle(s, t);
	if (t->failed) {
		fail_msg("operation %d failed: %s", (int)op->kind, t->why.text);
	}
	return t;
}

struct pf_op op_list(const struct suite *s)
{
	return (struct pf_op){.kind = PF_OP_LIST, .folder = pf_span_str(s->folder)};
}

struct pf_op op_get(const struct suite *s, const char *id, uint64_t size)
{
	return (struct pf_op){.kind = PF_OP_GET,
		.folder = pf_span_str(s->folder),
		.item = pf_span_str(id),
		.get = {.size = size, .whole_max = 1 << 20}};
}

struct pf_op op_put(const struct suite *s, struct pf_span bytes)
{
	static unsigned int number;
	static char name[20]; /* until the operation is begun */
	struct pf_blob *body = pf_blob_new(bytes.n);
	struct pf_op op;

	assert_non_null(body);
	if (bytes.n > 0) {
		memcpy(body->bytes, bytes.p, bytes.n);
	}
	op = (struct pf_op){.kind = PF_OP_PUT,
		.folder = pf_span_str(s->folder),
		.put = {.body = body, .size = bytes.n, .date_utc_s = 1000000000}};
	op.put.kind = suite_kind;
	if (suite_kind != PF_KIND_MAIL) { /* in the order of their names */
		(void)snprintf(name, sizeof(name), "item%06u", ++number);
		op.put.guard = PF_GUARD_NEW;
		op.put.name = pf_span_str(name);
	}
	return op;
}

void drop(struct pf_op *op)
{
	pf_blob_unref(&op->put.body);
}

struct pf_op op_mkfolder(const struct pf_path *path)
{
	return (struct pf_op){
		.kind = PF_OP_MKFOLDER, .mkfolder = {.path = path, .kinds = suite_kind}};
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

struct task *list(struct suite *s)
{
	struct pf_op op = op_list(s);
	struct task *t = run(s, &op);

	if (suite_kind != PF_KIND_MAIL && t->n > 1) { /* which are in no order of their own */
		qsort(t->rows, t->n, sizeof(*t->rows), by_id);
	}
	return t;
}

struct task *folders(struct suite *s)
{
	struct pf_op op = {.kind = PF_OP_FOLDERS, .folders = {.states = true}};

	return run(s, &op);
}

const char *cursor_now(struct suite *s)
{
	(void)folders(s);
	return list(s)->cursor;
}

const struct seen_folder *find_folder(const struct task *t, const struct pf_path *path)
{
	for (size_t i = 0; i < t->folders_n; i++) {
		if (pf_path_eq(&t->folders[i].path, path)) {
			return &t->folders[i];
		}
	}
	return NULL;
}

void put(struct suite *s, struct pf_span bytes, char id[300])
{
	struct pf_op op = op_put(s, bytes);
	struct task *new = run(s, &op);

	drop(&op);
	if (id && new->has_new_id && suite_kind != PF_KIND_MAIL) {
		(void)snprintf(id, 300, "%.299s", new->new_id);
	} else if (id) {
		struct task *t = list(s);

		assert_true(t->n > 0);
		(void)snprintf(id, 300, "%s", t->rows[t->n - 1].id);
	}
}

struct pf_span get(struct suite *s, const char *id, uint64_t size)
{
	struct pf_op op = op_get(s, id, size);

	return pf_buf_span(&run(s, &op)->body);
}

struct task *make_below(struct suite *s, const char *const *segments, struct pf_path *path)
{
	struct pf_err err;
	struct pf_op op;
	struct task *t;

	if (pf_store_facts(s->store)->max_depth != 1) { /* else it is beside it */
		assert_int_equal(pf_path_copy(path, &s->path, &err), PF_OK);
	}
	for (; *segments; segments++) {
		assert_int_equal(pf_path_add(path, pf_span_str(*segments), &err), PF_OK);
	}
	op = op_mkfolder(path);
	t = begin(s, &op);
	settle(s, t);
	return t;
}

/* The octets without those that line ends differ by. */
static void add_without_cr(struct pf_buf *out, struct pf_span bytes)
{
	struct pf_err err;

	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] != '\r') {
			assert_int_equal(pf_buf_add(out, pf_span(bytes.p + i, 1), &err), PF_OK);
		}
	}
}

bool same_but_line_ends(struct pf_span back, struct pf_span given)
{
	struct pf_buf a, b;
	bool same;

	pf_buf_init(&a, ROOM);
	pf_buf_init(&b, ROOM);
	add_without_cr(&a, back);
	add_without_cr(&b, given);
	same = a.n >= b.n && pf_span_eq(pf_span_from(pf_buf_span(&a), a.n - b.n), pf_buf_span(&b));
	pf_buf_deinit(&a);
	pf_buf_deinit(&b);
	return same;
}

/* Servers write calendar items and contacts anew: that it is the same one is told by its name. */
static bool same_item(struct pf_span back, struct pf_span given)
{
	const uint8_t *title = memmem(given.p, given.n, "number ", 7);
	const uint8_t *end =
		title ? memchr(title, '\r', given.n - (size_t)(title - given.p)) : NULL;

	if (!title || !end) {
		fail_msg("the item has no title");
		return false;
	}
	return back.p && memmem(back.p, back.n, title, (size_t)(end - title) + 1) != NULL;
}

bool came_back(const struct suite *s, struct pf_span back, struct pf_span given)
{
	return has_cap(s, PF_CAP_EXACT_BYTES) ? pf_span_eq(back, given)
	       : suite_kind == PF_KIND_MAIL   ? same_but_line_ends(back, given)
					      : same_item(back, given);
}

struct pf_span message(unsigned int n)
{
	static const char MAIL[] =
		"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: number %u\r\n"
		"Message-ID: <%u@example.org>\r\nDate: Sat, 14 Nov 2026 10:00:00 +0000\r\n\r\n"
		"Body of number %u.\r\n";
	static const char EVENT[] =
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\n"
		"UID:%u@example.org\r\nDTSTAMP:20261114T100000Z\r\nDTSTART:20261114T100000Z\r\n"
		"SUMMARY:number %u\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
	static const char CARD[] = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%u@example.org\r\n"
				   "FN:number %u\r\nN:number;%u;;;\r\nEND:VCARD\r\n";
	static char text[400];

	if (suite_kind == PF_KIND_MAIL) {
		(void)snprintf(text, sizeof(text), MAIL, n, n, n);
	} else if (suite_kind == PF_KIND_CONTACTS) {
		(void)snprintf(text, sizeof(text), CARD, n, n, n);
	} else {
		(void)snprintf(text, sizeof(text), EVENT, n, n);
	}
	return pf_span_str(text);
}

/* ---- life ---- */

static void free_task(struct task *t)
{
	for (size_t i = 0; i < t->folders_n; i++) {
		pf_path_deinit(&t->folders[i].path);
	}
	free(t->folders);
	free(t->rows);
	pf_buf_deinit(&t->body);
	free(t);
}

static void free_tasks(struct suite *s)
{
	while (s->tasks) {
		struct task *t = s->tasks;

		s->tasks = t->next;
		free_task(t);
	}
}

void reopen(struct suite *s, bool source)
{
	struct pf_err err;

	pf_store_close(&s->store);
	free_tasks(s);
	s->ready = false;
	s->over = false;
	if (s->account->open(s->account, source, &s->store, &err) != PF_OK) {
		fail_msg("open: %s", err.text);
	}
}

void suite_end(struct suite *s)
{
	pf_store_close(&s->store);
	free_tasks(s);
	pf_path_deinit(&s->path);
}

bool has_cap(const struct suite *s, uint32_t cap)
{
	return (pf_store_facts(s->store)->caps & cap) != 0;
}

bool lacks(const struct suite *s, uint32_t cap)
{
	if (has_cap(s, cap)) {
		return false;
	}
	print_message("# not claimed by this store\n");
	return true;
}

bool lacks_mail(const struct suite *s)
{
	if (pf_store_facts(s->store)->kinds & PF_KIND_MAIL) {
		return false;
	}
	print_message("# not for this store\n");
	return true;
}

/* A folder of the case's own, as no case may depend on another; facts() are true once it is there.
 */
int suite_setup(void **state)
{
	static unsigned int number;
	struct suite *s = calloc(1, sizeof(*s));
	char name[32];
	struct pf_err err;
	struct pf_op op;
	struct task *t;

	if (!s) {
		return -1;
	}
	*state = s;
	s->account = suite_account;
	reopen(s, false);
	(void)folders(s); /* as every user of a store does: from then on it knows about names */
	(void)snprintf(name, sizeof(name), "case %u", ++number);
	if (pf_path_add(&s->path, pf_span_str(name), &err) != PF_OK) {
		return -1;
	}
	op = op_mkfolder(&s->path);
	t = run(s, &op);
	assert_true(t->has_new_id);
	(void)snprintf(s->folder, sizeof(s->folder), "%s", t->new_id);
	return s->ready ? 0 : -1;
}

int suite_teardown(void **state)
{
	struct suite *s = *state;

	suite_end(s);
	free(s);
	return 0;
}
