#include "world.h"

#include <string.h>
#include <unistd.h>

enum { STEPS_MAX = 200000, PATIENT_STEPS = 2000 };

uint64_t chance(struct world *w, uint64_t n)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (w->seed >> 33) % n;
}

/* ---- what happens to operations ---- */

static const enum pf_mem_fault OF_ANY[] = {PF_MEM_LATER, PF_MEM_LOST_UNSENT, PF_MEM_LOST_BEFORE,
	PF_MEM_LOST_AFTER, PF_MEM_LOST_WITHIN, PF_MEM_HANGS, PF_MEM_THROTTLED, PF_MEM_STORE_LOST,
	PF_MEM_REFUSED, PF_MEM_REFUSED_FOLDER, PF_MEM_FULL, PF_MEM_OMITTED, PF_MEM_VANISHES,
	PF_MEM_RENUMBERED};

/* Some are as rare as they are in life, and some are of certain operations only. */
static enum pf_mem_fault likely(struct whims *w, const struct pf_op *op, enum pf_mem_fault f)
{
	bool list = op->kind == PF_OP_LIST, get = op->kind == PF_OP_GET;
	bool rare = f == PF_MEM_STORE_LOST || f == PF_MEM_REFUSED_FOLDER ||
		    f == PF_MEM_RENUMBERED || f == PF_MEM_FULL;

	if ((rare && chance(w->world, 8) != 0) || (f == PF_MEM_FULL && op->kind != PF_OP_PUT) ||
		(f == PF_MEM_REFUSED && op->kind == PF_OP_FLAGS) || /* it may cost the flag */
		(f == PF_MEM_VANISHES && !(get && w->source)) ||
		(f == PF_MEM_OMITTED && !list && !get)) {
		return PF_MEM_LATER;
	}
	w->world->forgot = w->world->forgot || f == PF_MEM_RENUMBERED;
	return f;
}

static bool writes(enum pf_op_kind kind)
{
	return kind == PF_OP_PUT || kind == PF_OP_FLAGS || kind == PF_OP_MKFOLDER ||
	       kind == PF_OP_SUBSCRIBE || kind == PF_OP_REMOVE;
}

static enum pf_mem_fault fault(struct pf_mem_whims *base, const struct pf_op *op)
{
	struct whims *w = pf_container_of(base, struct whims, base);
	enum pf_mem_fault once = w->once.fault;
	enum pf_mem_fault f;

	w->writes += writes(op->kind);
	assert_int_not_equal(op->kind, PF_OP_REMOVE); /* nothing is ever removed unasked */
	assert_false(w->source && writes(op->kind));
	if (once != PF_MEM_FINE && w->once.kind == op->kind && w->once.after-- == 0) {
		w->once.fault = PF_MEM_FINE;
		return once;
	}
	if (chance(w->world, 1000) >= w->trouble) {
		return PF_MEM_FINE;
	}
	f = OF_ANY[chance(w->world, PF_COUNT(OF_ANY))];
	return likely(w, op, f);
}

static size_t turn(struct pf_mem_whims *base, size_t n)
{
	struct whims *w = pf_container_of(base, struct whims, base);

	return (size_t)chance(w->world, n + 1);
}

/* ---- the world ---- */

/* Less than all, in combinations that real servers show. */
static uint32_t some_caps(struct world *w, uint32_t all, bool source)
{
	static const uint32_t SOURCE[] = {PF_CAP_EXACT_SIZE, PF_CAP_LIST_DELTA,
		PF_CAP_LIST_DELTA | PF_CAP_CURSOR_FLAGS,
		PF_CAP_LIST_DELTA | PF_CAP_CURSOR_FLAGS | PF_CAP_CURSOR};
	static const uint32_t TARGET[] = {PF_CAP_PUT_RETURNS_ID, PF_CAP_EXACT_SIZE,
		PF_CAP_EXACT_BYTES, PF_CAP_PUT_GROUPS, PF_CAP_SUBSCRIBE, PF_CAP_KEEPS_DATE};
	const uint32_t *lacks = source ? SOURCE : TARGET;
	size_t n = source ? PF_COUNT(SOURCE) : PF_COUNT(TARGET);

	for (size_t i = 0; i < n; i++) {
		all &= chance(w, 3) == 0 ? ~lacks[i] : UINT32_MAX;
	}
	return !source && chance(w, 2) == 0 ? all | PF_CAP_STORES_LATE : all;
}

struct pf_mem_folder *folder_of(struct world *w, int side, size_t i)
{
	static const char *const NAMES[FOLDERS] = {"INBOX", "Projects", "a/b"};
	struct pf_mem_folder *f = NULL;
	struct pf_path path = {0};
	struct pf_err err;

	assert_int_equal(pf_path_parse(&path, NAMES[i], &err), PF_OK);
	assert_int_equal(pf_mem_folder(w->account[side], &path, PF_ROLE_NONE, &f, &err), PF_OK);
	pf_path_deinit(&path);
	return f;
}

void world_begin(struct world *w, uint64_t seed)
{
	const char *fast = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct pf_err err;

	*w = (struct world){.seed = seed * 2654435761u + 1, .clock_ms = 1000};
	(void)snprintf(w->dir, sizeof(w->dir), "%s/test_engine.XXXXXX", fast);
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(pf_url_parse(&w->url, "mem:x", &err), PF_OK);
	for (int side = 0; side < 2; side++) {
		struct pf_store_facts *facts;

		assert_int_equal(pf_mem_new(&w->account[side], &err), PF_OK);
		facts = &pf_mem_traits(w->account[side])->facts;
		facts->caps = some_caps(w, facts->caps, side == 0);
		if (side == 1 && chance(w, 2) == 0) {
			pf_mem_traits(w->account[side])->oldest_date_utc_s = 0;
		}
		w->whims[side] =
			(struct whims){.base = {fault, turn}, .world = w, .source = side == 0};
		pf_mem_set_whims(w->account[side], &w->whims[side].base);
	}
	for (size_t i = 0; i < FOLDERS; i++) {
		(void)folder_of(w, 0, i);
	}
}

static void remove_files(struct world *w, const char *what)
{
	char command[200];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'%s", w->dir, what);
	(void)!system(command); /* NOLINT(cert-env33-c): our own directory */
}

void world_end(struct world *w)
{
	remove_files(w, "");
	pf_mem_free(&w->account[0]);
	pf_mem_free(&w->account[1]);
	pf_url_deinit(&w->url);
}

void lose_ledger(struct world *w)
{
	remove_files(w, "/ledger*");
	w->forgot = true;
}

void add(struct world *w, int side, size_t folder, unsigned int number)
{
	const struct pf_item like = {
		.flags = {.sys = (uint32_t)chance(w, PF_FLAGS_ALL + 1)},
		.date_utc_s = number % 11 == 7 ? -1000 * (int64_t)number
					       : 1000000000 + (int64_t)number * 100,
	};
	char text[300];
	uint64_t uid;
	struct pf_err err;

	assert_true(number < NUMBERS);
	w->arrived[folder][number]++;
	(void)snprintf(text, sizeof(text),
		"From: a@example.org\r\nSubject: n%u\r\nDate: Sat, 14 Nov 2026 10:00:00 "
		"+0000\r\n\r\n"
		"body of %u\r\n%.*s",
		number, number, (int)(number % 90),
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxx"
		"x"
		"xxxxxxxxxx");
	assert_int_equal(
		pf_mem_add(folder_of(w, side, folder), pf_span_str(text), &like, &uid, &err),
		PF_OK);
}

unsigned int number_of(const struct pf_mem_item *item)
{
	const char *at = memmem(item->body->bytes, item->body->n, "Subject: n", 10);

	assert_non_null(at);
	return (unsigned int)strtoul(at + 10, NULL, 10);
}

void count(struct world *w, int side, size_t folder, unsigned int out[NUMBERS])
{
	const struct pf_mem_folder *f = folder_of(w, side, folder);

	memset(out, 0, NUMBERS * sizeof(*out));
	for (size_t i = 0; i < pf_mem_items(f); i++) {
		out[number_of(pf_mem_item_at(f, i))]++;
	}
}

/* ---- a pass ---- */

struct session {
	struct pf_store_cfg store_cfg[2];
	struct pf_store *store[2];
	struct pf_ledger *ledger;
	struct pf_rules rules;
	char where[100], quarantine[100];
	struct pf_job_cfg cfg;
	struct pf_job *job;
};

static void must(int rc, const struct pf_err *err)
{
	if (rc != PF_OK) {
		fail_msg("%s", err->text);
	}
}

static void session_begin(struct world *w, struct session *s, enum pf_job_mode mode)
{
	struct pf_err err;

	*s = (struct session){.rules = {.since_utc_s = PF_DATE_NONE, .before_utc_s = PF_DATE_NONE}};
	(void)snprintf(s->where, sizeof(s->where), "%s/ledger", w->dir);
	(void)snprintf(s->quarantine, sizeof(s->quarantine), "%s/quarantine", w->dir);
	for (int side = 0; side < 2; side++) {
		s->store_cfg[side] = (struct pf_store_cfg){.url = &w->url, .source = side == 0};
		must(pf_mem_open(w->account[side], &s->store_cfg[side], &s->store[side], &err),
			&err);
	}
	must(pf_ledger_open(s->where, PF_LEDGER_WRITE, &s->ledger, &err), &err);
	s->cfg = (struct pf_job_cfg){.mode = mode,
		.from = s->store[0],
		.to = s->store[1],
		.ledger = s->ledger,
		.account_name = "mem:a",
		.rules = &s->rules,
		.quarantine = s->quarantine};
	must(pf_ledger_account(s->ledger, "mem:a", "mem:b", &s->cfg.account, &err), &err);
	must(pf_job_new(&s->cfg, &s->job, &err), &err);
}

static void session_end(struct session *s)
{
	pf_job_free(&s->job);
	pf_store_close(&s->store[0]);
	pf_store_close(&s->store[1]);
	pf_ledger_close(&s->ledger);
}

bool pass(struct world *w, enum pf_job_mode mode)
{
	struct session s;
	struct pf_err err;
	int rc = PF_AGAIN;

	session_begin(w, &s, mode);
	for (size_t step = 1; rc == PF_AGAIN && step < STEPS_MAX; step++) {
		int64_t wake_ms = INT64_MAX;

		rc = pf_job_step(s.job, (struct pf_now){w->clock_ms, 1700000000}, &wake_ms, &err);
		/* Stores that always answer at once, and nothing to wait for. */
		assert_true(!w->prompt || rc != PF_AGAIN || wake_ms != INT64_MAX);
		/* The clock is ours: it goes on to where the job wants to be called. */
		w->clock_ms =
			wake_ms != INT64_MAX && wake_ms > w->clock_ms ? wake_ms : w->clock_ms + 1;
		if (step % PATIENT_STEPS == 0) {
			pf_mem_time_out(w->account[0]);
			pf_mem_time_out(w->account[1]);
		}
	}
	if (rc != PF_END) {
		fail_msg("the pass does not end: %s", rc == PF_FAIL ? err.text : "stuck");
	}
	w->outcome = *pf_job_outcome(s.job);
	w->passes++;
	session_end(&s);
	return !w->outcome.interrupted && !w->outcome.not_opened;
}

/* ---- promise P2 ---- */

void tell(struct world *w)
{
	struct pf_ledger_cursor *c = NULL, *k = NULL;
	struct pf_ledger_folder row;
	struct pf_ledger_item item;
	struct session s;
	struct pf_err err;

	session_begin(w, &s, PF_JOB_COPY);
	must(pf_ledger_folders(s.ledger, s.cfg.account, &c, &err), &err);
	while (pf_ledger_folders_next(c, &row, &err) == PF_OK) {
		print_message("# folder %lld verdict %d: %.*s\n", (long long)row.id,
			(int)row.verdict, (int)row.note.n, (const char *)row.note.p);
		must(pf_ledger_items(s.ledger, s.cfg.account, row.id, PF_ITEMS_ALL, &k, &err),
			&err);
		while (pf_ledger_items_next(k, &item, &err) == PF_OK) {
			print_message("#   %.*s -> %.*s state %d verdict %d attempts %u: %.*s\n",
				(int)item.src_id.n, (const char *)item.src_id.p, (int)item.dst_id.n,
				(const char *)item.dst_id.p, (int)item.state, (int)item.verdict,
				item.attempts, (int)item.note.n, (const char *)item.note.p);
		}
		pf_ledger_cursor_close(&k);
	}
	pf_ledger_cursor_close(&c);
	session_end(&s);
}

/* The item of this id; NULL: there is none. */
static const struct pf_mem_item *by_id(const struct pf_mem_folder *f, struct pf_span id)
{
	for (size_t i = 0; i < pf_mem_items(f); i++) {
		const struct pf_mem_item *item = pf_mem_item_at(f, i);
		char text[24];

		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)item->uid);
		if (id.p && pf_span_is(id, text)) {
			return item;
		}
	}
	return NULL;
}

static size_t copies(const struct pf_mem_folder *f, unsigned int number)
{
	size_t n = 0;

	for (size_t i = 0; i < pf_mem_items(f); i++) {
		n += number_of(pf_mem_item_at(f, i)) == number;
	}
	return n;
}

/* Of identical copies nothing but their flags tells which is which: there it is not checked. */
static void check_flags(struct world *w, const struct pf_mem_item *source,
	const struct pf_mem_folder *f, const struct pf_ledger_item *row)
{
	const struct pf_mem_item *target = by_id(f, row->dst_id);
	unsigned int n = number_of(source);

	if (row->verdict != PF_VERDICT_COPIED || w->marked[n] || copies(f, n) > 1) {
		return;
	}
	if (!target || target->flags.sys != source->flags.sys || number_of(target) != n) {
		fail_msg("message %u: its copy %.*s is %u with flags %u, not %u", n,
			(int)row->dst_id.n, (const char *)row->dst_id.p,
			target ? number_of(target) : 0, target ? target->flags.sys : 0,
			source->flags.sys);
	}
}

/* Each item of the folder has one row with a verdict that says that it is at
 * the target, and it is what is there. */
static void check_rows(struct world *w, struct session *s, const struct pf_ledger_folder *folder,
	const struct pf_mem_folder *f, const struct pf_mem_folder *target)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	struct pf_err err;
	size_t there = 0;

	must(pf_ledger_items(s->ledger, s->cfg.account, folder->id, PF_ITEMS_ALL, &c, &err), &err);
	while (pf_ledger_items_next(c, &row, &err) == PF_OK) {
		const struct pf_mem_item *item = by_id(f, row.src_id);

		if (item &&
			(row.verdict == PF_VERDICT_COPIED || row.verdict == PF_VERDICT_PRESENT)) {
			there++;
			check_flags(w, item, target, &row);
		}
		assert_int_not_equal(row.verdict, PF_VERDICT_NONE);
		assert_int_not_equal(row.verdict, PF_VERDICT_QUARANTINED);
	}
	pf_ledger_cursor_close(&c);
	assert_int_equal(there, pf_mem_items(f));
}

void check_accounts(struct world *w)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_folder row;
	struct session s;
	struct pf_err err;
	size_t found = 0;

	session_begin(w, &s, PF_JOB_COPY);
	must(pf_ledger_folders(s.ledger, s.cfg.account, &c, &err), &err);
	while (pf_ledger_folders_next(c, &row, &err) == PF_OK) {
		for (size_t i = 0; i < FOLDERS; i++) {
			const struct pf_mem_folder *f = folder_of(w, 0, i);

			if (pf_span_eq(row.src_path, pf_path_bytes(pf_mem_folder_path(f)))) {
				check_rows(w, &s, &row, f, folder_of(w, 1, i));
				found++;
			}
		}
	}
	pf_ledger_cursor_close(&c);
	assert_int_equal(found, FOLDERS);
	session_end(&s);
}
