#include "plan/plan_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 50, FILE_MAX = 256 << 20 };

#define bad(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

/* ---- problems ---- */

static void add_problem(struct pf_plan *p, const struct pf_plan_problem *q)
{
	p->errors += !q->is_warning;
	p->warnings += q->is_warning;
	if (p->problem_n < PROBLEMS_MAX) {
		p->problems[p->problem_n++] = *q;
	}
}

void plan_problem_line(struct pf_plan *p, size_t line, const char *key, const char *fmt, ...)
{
	struct pf_plan_problem q = {.file = p->path, .row = line, .is_line = true};
	va_list ap;

	(void)snprintf(q.name, sizeof(q.name), "%s", key);
	va_start(ap, fmt);
	(void)vsnprintf(q.text, sizeof(q.text), fmt, ap);
	va_end(ap);
	add_problem(p, &q);
}

void plan_problem_at(
	struct pf_plan *p, size_t row, size_t column, const char *name, const char *fmt, ...)
{
	struct pf_plan_problem q = {.file = p->accounts, .row = row, .column = column};
	va_list ap;

	(void)snprintf(q.name, sizeof(q.name), "%s", name);
	va_start(ap, fmt);
	(void)vsnprintf(q.text, sizeof(q.text), fmt, ap);
	va_end(ap);
	add_problem(p, &q);
}

void plan_warning(struct pf_plan *p, size_t row, const char *fmt, ...)
{
	struct pf_plan_problem q = {.file = p->accounts, .row = row, .is_warning = true};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(q.text, sizeof(q.text), fmt, ap);
	va_end(ap);
	add_problem(p, &q);
}

void pf_plan_problem(struct pf_plan *p, size_t row, const char *column, const char *fmt, ...)
{
	struct pf_plan_problem q = {.file = p->accounts, .row = row};
	va_list ap;

	(void)snprintf(q.name, sizeof(q.name), "%s", column);
	va_start(ap, fmt);
	(void)vsnprintf(q.text, sizeof(q.text), fmt, ap);
	va_end(ap);
	add_problem(p, &q);
}

const char *pf_plan_problem_show(const struct pf_plan_problem *q, char *out, size_t size)
{
	char place[64] = "", column[32] = "";

	if (!q->file) {
		(void)snprintf(out, size, "%s%s%s", q->name, q->name[0] ? ": " : "", q->text);
		return out;
	}
	if (q->row > 0) {
		(void)snprintf(
			place, sizeof(place), " %s %zu", q->is_line ? "line" : "row", q->row);
	}
	if (q->column > 0) {
		(void)snprintf(column, sizeof(column), ", column %zu", q->column);
	}
	(void)snprintf(out, size, "%s%s%s%s%s%s: %s", q->file, place, column,
		q->name[0] ? " (" : "", q->name, q->name[0] ? ")" : "", q->text);
	return out;
}

/* ---- files ---- */

char *plan_str(struct pf_plan *p, struct pf_span s, struct pf_err *err)
{
	struct pf_span copy = pf_arena_span(&p->arena, s.p ? s : pf_span("", 0));

	if (!copy.p) {
		(void)pf_fail_memory(err, "a plan");
	}
	return (char *)(uintptr_t)copy.p;
}

static int read_fd(int fd, size_t size, char **out, size_t *n, struct pf_err *err)
{
	char *text = malloc(size + 1);
	ssize_t got = 1;

	if (!text) {
		return pf_fail_memory(err, "a plan");
	}
	*out = text;
	*n = 0;
	while (*n < size && got != 0) {
		got = read(fd, text + *n, size - *n);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "reading");
		}
		*n += (size_t)got;
	}
	text[*n] = '\0';
	return PF_OK;
}

int plan_slurp(const char *path, bool *is_private, char **out, size_t *n, struct pf_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	*out = NULL;
	*n = 0;
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "%s", path);
	} else if (!S_ISREG(st.st_mode)) {
		rc = bad(err, "%s: this is no file", path);
	} else if (st.st_size > FILE_MAX) {
		rc = bad(err, "%s: more than %d bytes are no plan", path, FILE_MAX);
	} else {
		*is_private = (st.st_mode & 077) == 0;
		rc = read_fd(fd, (size_t)st.st_size, out, n, err);
		rc = rc == PF_OK ? PF_OK : pf_wrap(err, "%s", path);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return rc;
}

static bool is_yaml(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcasecmp(dot, ".yaml") == 0 || strcasecmp(dot, ".yml") == 0);
}

static int read_yaml(struct reader *r, struct pf_err *err)
{
	char *text = NULL;
	size_t n = 0;
	bool is_private;
	int rc = plan_slurp(r->plan->path, &is_private, &text, &n, err);

	if (rc == PF_OK) {
		rc = plan_yaml(r, text, n, err);
	}
	free(text);
	return rc;
}

/* Decoded into pages that no core dump shows; the copies on the way are wiped. */
static int read_csv(struct reader *r, struct pf_err *err)
{
	struct pf_plan *p = r->plan;
	struct pf_err why;
	struct pf_buf utf8;
	char *raw = NULL;
	size_t n = 0;
	bool is_private = false;
	int rc = plan_slurp(p->accounts, &is_private, &raw, &n, err);

	pf_buf_init(&utf8, (size_t)FILE_MAX * 2);
	/* All the room at once: a buffer that grows leaves copies behind. */
	if (rc == PF_OK && pf_buf_reserve(&utf8, n / 2 * 3 + 4, err) != PF_OK) {
		rc = PF_FAIL;
	}
	if (rc == PF_OK && pf_csv_decode(pf_span(raw, n), &utf8, &why) != PF_OK) {
		plan_problem_at(p, 0, 0, "", "%s", why.text);
	} else if (rc == PF_OK && !pf_secret_set(&p->text,
					  pf_span(utf8.n ? utf8.p : (const uint8_t *)"", utf8.n))) {
		rc = pf_fail_memory(err, "a plan");
	} else if (rc == PF_OK) {
		rc = plan_accounts(r, is_private, err);
	}
	pf_wipe(raw, n);
	pf_wipe(utf8.p, utf8.cap);
	free(raw);
	pf_buf_deinit(&utf8);
	return rc;
}

/* ---- life ---- */

static int begin(
	struct reader *r, const struct pf_plan_cfg *cfg, struct pf_plan **out, struct pf_err *err)
{
	struct pf_plan *p = calloc(1, sizeof(*p));

	*out = p;
	if (!p) {
		return pf_fail_memory(err, "a plan");
	}
	*r = (struct reader){.cfg = cfg, .plan = p};
	pf_arena_init(&p->arena);
	p->path = cfg->path ? plan_str(p, pf_span_str(cfg->path), err) : NULL;
	p->accounts = p->path;
	p->problems = calloc(PROBLEMS_MAX, sizeof(*p->problems));
	if ((cfg->path && !p->path) || !p->problems) {
		return pf_fail_memory(err, "a plan");
	}
	return PF_OK;
}

void pf_plan_free(struct pf_plan **plan)
{
	struct pf_plan *p = *plan;

	if (!p) {
		return;
	}
	pf_arena_deinit(&p->arena);
	pf_secret_clear(&p->text);
	free(p->servers);
	free(p->rows);
	free(p->options);
	free(p->problems);
	free(p);
	*plan = NULL;
}

int plan_add_row(struct reader *r, const struct pf_plan_row *row, struct pf_err *err)
{
	struct pf_plan *p = r->plan;

	if (p->row_n == r->row_cap) {
		size_t cap = r->row_cap ? r->row_cap * 2 : 64;
		struct pf_plan_row *grown = realloc(p->rows, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a plan");
		}
		p->rows = grown;
		r->row_cap = cap;
	}
	p->rows[p->row_n++] = *row;
	return PF_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct pf_plan_problem *x = a, *y = b;

	if (x->is_line != y->is_line) {
		return x->is_line ? -1 : 1;
	}
	return x->row != y->row ? (x->row < y->row ? -1 : 1)
				: (x->column > y->column) - (x->column < y->column);
}

int pf_plan_read(const struct pf_plan_cfg *cfg, struct pf_plan **out, struct pf_err *err)
{
	struct reader r;

	if (begin(&r, cfg, out, err) != PF_OK ||
		(is_yaml(cfg->path) && read_yaml(&r, err) != PF_OK)) {
		return PF_FAIL;
	}
	for (size_t side = 0; side < SIDES; side++) {
		if (cfg->template[side]) {
			r.plan->template[side] = cfg->template[side];
		}
	}
	if (r.plan->errors == 0 && read_csv(&r, err) != PF_OK) {
		return PF_FAIL;
	}
	if (r.plan->errors == 0 && plan_check(r.plan, err) != PF_OK) {
		return PF_FAIL;
	}
	qsort(r.plan->problems, r.plan->problem_n, sizeof(*r.plan->problems), by_place);
	return PF_OK;
}

/* The secret of the n-th URL: its own, or the one for all. NULL: the command's default. */
static const char *secret_of(const struct pf_plan_cfg *cfg, size_t side, size_t n, size_t secrets)
{
	return secrets > 1 && n < secrets ? cfg->secrets[side][n] : NULL;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n]) {
		n++;
	}
	return n;
}

/* The stores that --from or --to names. */
static int take_urls(struct reader *r, size_t side, struct plan_stores *stores, struct pf_err *err)
{
	static const char *const OPTIONS[SIDES] = {"--from", "--to"};
	const struct pf_plan_cfg *cfg = r->cfg;
	const struct plan_place at = {.name = OPTIONS[side]};
	size_t n = count(cfg->urls[side]), secrets = count(cfg->secrets[side]);

	if (n == 0) {
		return bad(err, "%s URL is missing; see --help", OPTIONS[side]);
	}
	if (secrets > 1 && secrets != n) {
		return bad(err,
			"%s-secret is given %zu times for %zu URLs: give it once for all of them, "
			"or once for each",
			OPTIONS[side], secrets, n);
	}
	for (size_t i = 0; i < n; i++) {
		const struct pf_plan_side s = {.url = cfg->urls[side][i],
			.secret = secret_of(cfg, side, i, secrets),
			.server = PF_PLAN_NO_SERVER};

		if (plan_finish_side(r, &s, side, &at, stores, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int pf_plan_of_one(const struct pf_plan_cfg *cfg, struct pf_plan **out, struct pf_err *err)
{
	struct plan_stores stores = {.n = {0}};
	struct reader r;

	if (begin(&r, cfg, out, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t side = 0; side < SIDES; side++) {
		if (take_urls(&r, side, &stores, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (r.plan->errors > 0) {
		return PF_OK;
	}
	return plan_add_account(&r, &stores, err) == PF_OK ? plan_check(r.plan, err) : PF_FAIL;
}
