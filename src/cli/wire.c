#include "cli/wire_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { MEMO_MOST = 1 << 18 }; /* 16 MiB */

/* ---- trace ---- */

/* "S1.0 > 31": source of the first row, its first connection, to the server, so many bytes after
 * this line. Links of one moment lie between each other. */
static void on_bytes(struct pf_trace *base, size_t connection, char direction, struct pf_span bytes)
{
	struct file_trace *t = pf_container_of(base, struct file_trace, base);

	/* A trace that can't be written costs nothing but itself. */
	(void)fprintf(
		t->file, "%c%zu.%zu %c %zu\n", t->side, t->row + 1, connection, direction, bytes.n);
	(void)fwrite(bytes.p, 1, bytes.n, t->file);
	(void)fputc('\n', t->file);
}

static int open_trace(struct pf_wire *w, const char *path, struct pf_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	w->trace_file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!w->trace_file) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "--trace %s", path);
	}
	return PF_OK;
}

void wire_trace(struct pf_wire *w, size_t row, size_t side, struct file_trace *out)
{
	*out = (struct file_trace){{on_bytes}, w->trace_file, side == 0 ? 'S' : 'T', row};
}

/* ---- TLS ---- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int wire_tls(struct pf_wire *w, const struct pf_plan_server *server, size_t side,
	struct pf_tls **out, struct pf_err *err)
{
	const struct pf_settings *set = w->set;
	const char *cert = side == 0 ? set->from_cert : set->to_cert;
	const struct pf_tls_cfg cfg = {
		.ca_file = server && server->ca_file ? server->ca_file : set->ca_file,
		.fingerprint =
			server && server->fingerprint ? server->fingerprint : set->fingerprint,
		.client_cert = server && server->cert ? server->cert : cert,
	};
	struct wire_tls *t;

	for (t = w->tls; t; t = t->next) {
		if (same(t->ca_file, cfg.ca_file) && same(t->fingerprint, cfg.fingerprint) &&
			same(t->cert, cfg.client_cert)) {
			*out = t->tls;
			return PF_OK;
		}
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		return pf_fail_memory(err, "certificates");
	}
	if (pf_tls_new(&cfg, &t->tls, err) != PF_OK) {
		free(t);
		return PF_FAIL;
	}
	t->ca_file = cfg.ca_file;
	t->fingerprint = cfg.fingerprint;
	t->cert = cfg.client_cert;
	t->next = w->tls;
	w->tls = t;
	*out = t->tls;
	return PF_OK;
}

/* All certificates are read before the first sign-in, so that a missing file ends nothing midway.
 */
static int read_certificates(struct pf_wire *w, struct pf_err *err)
{
	struct pf_tls *tls;

	for (size_t side = 0; side < 2; side++) {
		if (wire_tls(w, NULL, side, &tls, err) != PF_OK) {
			return PF_FAIL;
		}
		for (size_t i = 0; i < w->plan->server_n; i++) {
			const struct pf_plan_server *s = &w->plan->servers[i];

			if (wire_tls(w, s, side, &tls, err) != PF_OK) {
				return pf_wrap(err, "%s line %zu", w->plan->path, s->line);
			}
		}
	}
	return PF_OK;
}

struct pf_cli_secret *wire_asked(const struct pf_wire *w, size_t row, size_t side)
{
	for (size_t i = 0; w->asked && i <= row; i++) {
		if (strcmp(w->plan->rows[i].side[side].identity,
			    w->plan->rows[row].side[side].identity) == 0) {
			return &w->asked[i][side];
		}
	}
	return NULL;
}

/* A person is asked before anything is under way, and once for each store. */
static int ask(struct pf_wire *w, struct pf_err *err)
{
	if (w->plan->path) {
		return PF_OK; /* nobody is asked for the passwords of a batch */
	}
	w->asked = calloc(w->plan->row_n, sizeof(*w->asked));
	if (!w->asked) {
		return pf_fail_memory(err, "the passwords");
	}
	for (size_t row = 0; row < w->plan->row_n; row++) {
		for (size_t side = 0; side < 2; side++) {
			bool signs_in = strstr(w->plan->rows[row].side[side].identity, "://");

			if (wire_asked(w, row, side) != &w->asked[row][side]) {
				continue;
			}
			if (wire_secret(w, row, side, &w->asked[row][side], err) != PF_OK ||
				(signs_in &&
					pf_cli_secret_ask(&w->asked[row][side], err) != PF_OK)) {
				return PF_FAIL;
			}
		}
	}
	return PF_OK;
}

/* ---- life ---- */

static int open_log(struct pf_wire *w, struct pf_evlog_listener *listener, struct pf_err *err)
{
	struct pf_evlog_cfg cfg = {
		.ledger = w->ledger,
		.jsonl_path = w->ledger ? w->jsonl : NULL,
		.journal = w->ledger != NULL,
		.listener = listener,
	};

	return pf_evlog_new(&cfg, &w->log, err);
}

/* Every connection is a descriptor; where that is not permitted the batch has fewer at work. */
static void raise_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int make_rows(struct pf_wire *w, struct pf_err *err)
{
	w->rows = calloc(w->plan->row_n, sizeof(*w->rows));
	if (!w->rows) {
		return pf_fail_memory(err, "a batch");
	}
	for (size_t i = 0; i < w->plan->row_n; i++) {
		w->rows[i].from = w->plan->rows[i].side[0].identity;
		w->rows[i].to = w->plan->rows[i].side[1].identity;
		w->rows[i].account = (int64_t)i + 1;
	}
	return PF_OK;
}

static int build(struct pf_wire *w, struct pf_evlog_listener *listener, struct pf_err *err)
{
	if (w->plan->row_n > 1) {
		raise_descriptors();
	}
	w->memo = pf_memo_new(MEMO_MOST); /* without it all is read as often as it is asked for */
	if (w->set->address_map &&
		pf_address_map_read(w->set->address_map, &w->addresses, err) != PF_OK) {
		return PF_FAIL;
	}
	if (make_rows(w, err) != PF_OK || pf_loop_new(&w->loop, err) != PF_OK ||
		pf_loop_catch_signals(w->loop, err) != PF_OK ||
		read_certificates(w, err) != PF_OK || ask(w, err) != PF_OK ||
		(w->set->trace && open_trace(w, w->set->trace, err) != PF_OK) ||
		wire_ledger_open(w, err) != PF_OK || open_log(w, listener, err) != PF_OK) {
		return PF_FAIL;
	}
	return wire_batch_new(w, err);
}

int pf_wire_new(const struct pf_settings *set, const struct pf_plan *plan, enum pf_job_mode mode,
	struct pf_evlog_listener *listener, struct pf_wire **out, struct pf_err *err)
{
	struct pf_wire *w = calloc(1, sizeof(*w));

	if (!w) {
		return pf_fail_memory(err, "a migration");
	}
	w->set = set;
	w->plan = plan;
	w->mode = mode;
	if (build(w, listener, err) != PF_OK) {
		pf_wire_free(&w);
		return PF_FAIL;
	}
	*out = w;
	return PF_OK;
}

static void free_tls(struct pf_wire *w)
{
	while (w->tls) {
		struct wire_tls *next = w->tls->next;

		pf_tls_free(&w->tls->tls);
		free(w->tls);
		w->tls = next;
	}
}

void pf_wire_free(struct pf_wire **wire)
{
	struct pf_wire *w = *wire;

	if (!w) {
		return;
	}
	pf_crew_free(&w->crew);
	for (size_t i = 0; i < w->alive_n; i++) {
		wire_account_free(&w->alive[i]);
	}
	pf_batch_free(&w->batch);
	pf_evlog_free(&w->log);
	pf_ledger_close(&w->ledger);
	for (size_t i = 0; w->asked && i < w->plan->row_n; i++) {
		pf_cli_secret_deinit(&w->asked[i][0]);
		pf_cli_secret_deinit(&w->asked[i][1]);
	}
	free(w->asked);
	free_tls(w);
	pf_memo_free(&w->memo);
	pf_address_map_free(&w->addresses);
	pf_loop_free(&w->loop);
	if (w->trace_file) {
		(void)fclose(w->trace_file);
	}
	for (size_t i = 0; w->rows && i < w->plan->row_n; i++) {
		free(w->rows[i].why);
	}
	free(w->rows);
	free(w->row_of);
	free(w->batch_server);
	free(w->server_accounts);
	free(w->server_limit);
	free((void *)w->alive);
	free(w->ledger_path);
	free(w->quarantine);
	free(w->jsonl);
	free(w);
	*wire = NULL;
}

/* ---- looking ---- */

const struct pf_wire_row *pf_wire_rows(const struct pf_wire *w, size_t *count)
{
	*count = w->plan->row_n;
	return w->rows;
}

size_t pf_wire_alive(const struct pf_wire *w)
{
	return w->alive_n;
}

const struct pf_wire_row *pf_wire_alive_row(const struct pf_wire *w, size_t i)
{
	return &w->rows[w->alive[i]->row];
}

const struct pf_wire_row *pf_wire_find(const struct pf_wire *w, int64_t account)
{
	for (size_t i = 0; i < w->alive_n; i++) {
		if (w->rows[w->alive[i]->row].account == account) {
			return &w->rows[w->alive[i]->row];
		}
	}
	return NULL;
}

const struct pf_outcome *pf_wire_sums(const struct pf_wire *w)
{
	return &w->sums;
}

int pf_wire_status(const struct pf_wire *w)
{
	int status = PF_EXIT_COMPLETE;

	for (size_t i = 0; i < w->plan->row_n; i++) {
		status = w->rows[i].status > status ? w->rows[i].status : status;
	}
	return status;
}

struct pf_ledger *pf_wire_ledger(const struct pf_wire *w)
{
	return w->ledger;
}

const char *pf_wire_ledger_path(const struct pf_wire *w)
{
	return w->ledger_path;
}

const char *pf_wire_quarantine(const struct pf_wire *w)
{
	return w->quarantine;
}
