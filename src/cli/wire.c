#include "cli/wire.h"

#include "base/utf8.h"
#include "cli/secret.h"
#include "convert/ical_codec.h"
#include "convert/vcard_codec.h"
#include "net/loop.h"
#include "net/tls.h"
#include "stores/registry.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STOP_GRACE_MS = 6000 }; /* with the signing out, less than DESIGN's ten seconds */

/* What is no mail, and who understands it. */
static const struct pf_codec *const CODECS[] = {&pf_ical_codec, &pf_vcard_codec, NULL};

#define usage(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

struct side {
	struct pf_url url;
	char *identity;
	struct pf_cli_secret secret;
	struct pf_tls *tls; /* of its own, with its certificate of ours; NULL: the common one */
	struct pf_store_cfg cfg;
	struct pf_store *store;
};

struct file_trace {
	struct pf_trace base;
	FILE *file;
	char side;
};

struct pf_wire {
	struct pf_loop *loop;
	struct pf_tls *tls;
	struct side side[2];
	struct file_trace trace[2];
	FILE *trace_file;
	char *ledger_path, *quarantine, *jsonl;
	struct pf_ledger *ledger;
	int64_t account;
	struct pf_evlog *log;
	struct pf_job_cfg job_cfg;
	struct pf_job *job;
};

static int read_url(struct side *s, const char *option, const char *text, struct pf_err *err)
{
	char schemes[200] = "";

	if (!text) {
		return usage(err, "%s URL is missing; see --help", option);
	}
	if (pf_url_parse(&s->url, text, err) != PF_OK) {
		return pf_wrap(err, "%s", option);
	}
	if (!pf_store_for(s->url.scheme)) {
		for (const struct pf_store_ops *const *o = pf_stores(); *o; o++) {
			for (const char *const *name = (*o)->schemes; *name; name++) {
				size_t n = strlen(schemes);

				(void)snprintf(schemes + n, sizeof(schemes) - n, "%s%s",
					n ? ", " : "", *name);
			}
		}
		return usage(err, "%s: this version knows no scheme \"%s\"; it knows %s", option,
			s->url.scheme, schemes);
	}
	return pf_url_identity(&s->url, &s->identity, err);
}

static int read_urls(struct side side[2], const struct pf_settings *set, struct pf_err *err)
{
	if (read_url(&side[0], "--from", set->from, err) != PF_OK ||
		read_url(&side[1], "--to", set->to, err) != PF_OK) {
		return PF_FAIL;
	}
	if (strcmp(side[0].identity, side[1].identity) == 0) {
		return usage(err,
			"the target is the source (%s): nothing to do, and nothing was touched",
			side[0].identity);
	}
	return PF_OK;
}

static void free_side(struct side *s)
{
	pf_store_close(&s->store);
	pf_tls_free(&s->tls);
	pf_cli_secret_deinit(&s->secret);
	pf_url_deinit(&s->url);
	free(s->identity);
}

/* ---- trace ---- */

static void on_bytes(struct pf_trace *base, size_t connection, char direction, struct pf_span bytes)
{
	struct file_trace *t = pf_container_of(base, struct file_trace, base);

	/* A trace that can't be written costs nothing but itself. */
	(void)fprintf(t->file, "%c%zu %c %zu\n", t->side, connection, direction, bytes.n);
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
	for (int i = 0; i < 2; i++) {
		w->trace[i] = (struct file_trace){{on_bytes}, w->trace_file, i == 0 ? 'S' : 'T'};
	}
	return PF_OK;
}

/* ---- stores ---- */

/* Our certificate for one side is shown to that side alone. */
static int own_tls(
	struct side *s, const char *cert, const struct pf_settings *set, struct pf_err *err)
{
	const struct pf_tls_cfg cfg = {
		.ca_file = set->ca_file,
		.fingerprint = set->fingerprint,
		.client_cert = cert,
	};

	return cert ? pf_tls_new(&cfg, &s->tls, err) : PF_OK;
}

static int open_side(struct pf_wire *w, int i, const struct pf_settings *set, struct pf_err *err)
{
	struct side *s = &w->side[i];
	bool from = i == 0;

	s->secret = (struct pf_cli_secret){
		.spec = from ? set->from_secret : set->to_secret,
		.default_env = from ? "POSTFERRY_FROM_PASSWORD" : "POSTFERRY_TO_PASSWORD",
		.option = from ? "--from-secret" : "--to-secret",
		.who = s->identity,
	};
	if (pf_cli_secret_init(&s->secret, err) != PF_OK ||
		own_tls(s, from ? set->from_cert : set->to_cert, set, err) != PF_OK ||
		(s->url.host && pf_cli_secret_ask(&s->secret, err) != PF_OK)) {
		return PF_FAIL;
	}
	s->cfg = (struct pf_store_cfg){
		.url = &s->url,
		.secret = &s->secret.base,
		.admin = from ? set->from_admin : set->to_admin,
		.admin_form = from ? set->from_admin_form : set->to_admin_form,
		.tls = s->tls ? s->tls : w->tls,
		.allow_plaintext = set->allow_plaintext,
		.source = from,
		.connections = set->connections,
		.rate_bytes_s = set->rate,
		.trace = w->trace_file ? &w->trace[i].base : NULL,
	};
	if (pf_store_for(s->url.scheme)->open(w->loop, &s->cfg, &s->store, err) != PF_OK) {
		return pf_wrap(err, from ? "--from" : "--to");
	}
	return PF_OK;
}

/* ---- ledger ---- */

static int only_ledger(char **path, struct pf_err *err)
{
	char pattern[4096], names[300] = "";
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	glob_t found = {0};
	int rc = PF_FAIL;

	(void)snprintf(pattern, sizeof(pattern), "%s%s/postferry/*.ledger",
		state && *state ? state
		: home          ? home
				: "",
		state && *state ? "" : "/.local/state");
	(void)glob(pattern, 0, NULL, &found); /* nothing found is said below */
	if (found.gl_pathc == 1) {
		*path = strdup(found.gl_pathv[0]);
		rc = *path ? PF_OK : pf_fail_memory(err, "a path");
	} else if (found.gl_pathc == 0) {
		(void)usage(err,
			"there is no ledger (%s): name one by --ledger FILE, or by --from and --to",
			pattern);
	} else {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			size_t n = strlen(names);

			(void)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
				found.gl_pathv[i]);
		}
		(void)usage(err,
			"there are %zu ledgers: name one by --ledger, or by --from and --to (%s)",
			(size_t)found.gl_pathc, names);
	}
	globfree(&found);
	return rc;
}

int pf_wire_find_ledger(const struct pf_settings *set, char **path, struct pf_err *err)
{
	struct side side[2] = {{.identity = NULL}, {.identity = NULL}};
	int rc;

	if (set->ledger) {
		*path = strdup(set->ledger);
		return *path ? PF_OK : pf_fail_memory(err, "a path");
	}
	if (!set->from && !set->to) {
		return only_ledger(path, err);
	}
	rc = read_urls(side, set, err);
	if (rc == PF_OK) {
		rc = pf_ledger_default_path(side[0].identity, side[1].identity, path, err);
	}
	free_side(&side[0]);
	free_side(&side[1]);
	return rc;
}

static int beside(const char *path, const char *suffix, char **out, struct pf_err *err)
{
	size_t n = strlen(path) + strlen(suffix) + 1;

	*out = malloc(n);
	if (!*out) {
		return pf_fail_memory(err, "a path");
	}
	(void)snprintf(*out, n, "%s%s", path, suffix);
	return PF_OK;
}

/* CHECK changes nothing, so it makes no ledger either; it uses one that is there. */
static int open_ledger(
	struct pf_wire *w, const struct pf_settings *set, enum pf_job_mode mode, struct pf_err *err)
{
	bool keeps = mode == PF_JOB_COPY || mode == PF_JOB_RETRY || mode == PF_JOB_VERIFY;
	struct stat st;

	if (pf_wire_find_ledger(set, &w->ledger_path, err) != PF_OK ||
		beside(w->ledger_path, ".events.jsonl", &w->jsonl, err) != PF_OK) {
		return PF_FAIL;
	}
	if (set->quarantine) {
		w->quarantine = strdup(set->quarantine);
		if (!w->quarantine) {
			return pf_fail_memory(err, "a path");
		}
	} else if (beside(w->ledger_path, ".quarantine", &w->quarantine, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!keeps || set->dry_run) {
		return PF_OK;
	}
	if (mode != PF_JOB_COPY && stat(w->ledger_path, &st) != 0) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s: there is no ledger of this migration (was it copied with other URLs "
			"or --ledger?)",
			w->ledger_path);
	}
	if (pf_ledger_open(w->ledger_path, PF_LEDGER_WRITE, &w->ledger, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_ledger_account(
		w->ledger, w->side[0].identity, w->side[1].identity, &w->account, err);
}

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

/* ---- life ---- */

static int build(struct pf_wire *w, const struct pf_settings *set, enum pf_job_mode mode,
	struct pf_evlog_listener *listener, struct pf_err *err)
{
	const struct pf_tls_cfg tls = {.ca_file = set->ca_file, .fingerprint = set->fingerprint};

	if (read_urls(w->side, set, err) != PF_OK || pf_loop_new(&w->loop, err) != PF_OK ||
		pf_loop_catch_signals(w->loop, err) != PF_OK ||
		pf_tls_new(&tls, &w->tls, err) != PF_OK ||
		(set->trace && open_trace(w, set->trace, err) != PF_OK) ||
		open_side(w, 0, set, err) != PF_OK || open_side(w, 1, set, err) != PF_OK ||
		open_ledger(w, set, mode, err) != PF_OK || open_log(w, listener, err) != PF_OK) {
		return PF_FAIL;
	}
	w->job_cfg = (struct pf_job_cfg){
		.mode = mode,
		.from = w->side[0].store,
		.to = w->side[1].store,
		.ledger = w->ledger,
		.account = w->account,
		.account_name = w->side[0].identity,
		.log = w->log,
		.rules = &set->rules,
		.codecs = CODECS,
		.quarantine = w->quarantine,
		.dry_run = set->dry_run,
		.deep = set->deep,
		.mirror = set->mirror,
		.mirror_all = set->mirror_all,
	};
	return pf_job_new(&w->job_cfg, &w->job, err);
}

int pf_wire_new(const struct pf_settings *set, enum pf_job_mode mode,
	struct pf_evlog_listener *listener, struct pf_wire **out, struct pf_err *err)
{
	struct pf_wire *w = calloc(1, sizeof(*w));

	if (!w) {
		return pf_fail_memory(err, "a migration");
	}
	if (build(w, set, mode, listener, err) != PF_OK) {
		pf_wire_free(&w);
		return PF_FAIL;
	}
	*out = w;
	return PF_OK;
}

void pf_wire_free(struct pf_wire **wire)
{
	struct pf_wire *w = *wire;

	if (!w) {
		return;
	}
	pf_job_free(&w->job);
	free_side(&w->side[0]);
	free_side(&w->side[1]);
	pf_evlog_free(&w->log);
	pf_ledger_close(&w->ledger);
	pf_tls_free(&w->tls);
	pf_loop_free(&w->loop);
	if (w->trace_file) {
		(void)fclose(w->trace_file);
	}
	free(w->ledger_path);
	free(w->quarantine);
	free(w->jsonl);
	free(w);
	*wire = NULL;
}

int pf_wire_run(struct pf_wire *w, struct pf_watch *watch, struct pf_err *err)
{
	enum { LOOK_EVERY_MS = 200 };

	for (;;) {
		struct pf_now now = {pf_loop_now_ms(w->loop), pf_loop_utc_s(w->loop)};
		int64_t wake = now.ms + LOOK_EVERY_MS; /* for the screen */
		int rc;

		if (pf_loop_stop_signal(w->loop) != 0) {
			pf_job_stop(w->job, now, STOP_GRACE_MS);
		}
		rc = pf_job_step(w->job, now, &wake, err);
		watch->look(watch, w->job, now.ms);
		if (rc != PF_AGAIN) {
			return rc == PF_END ? PF_OK : PF_FAIL;
		}
		if (pf_loop_wait(w->loop, wake, err) != PF_OK) {
			return PF_FAIL;
		}
	}
}

struct pf_job *pf_wire_job(const struct pf_wire *w)
{
	return w->job;
}

const struct pf_store_facts *pf_wire_facts(const struct pf_wire *w, bool target)
{
	return pf_store_facts(w->side[target ? 1 : 0].store);
}

struct pf_ledger *pf_wire_ledger(struct pf_wire *w)
{
	return w->ledger;
}

int64_t pf_wire_account(const struct pf_wire *w)
{
	return w->account;
}

const char *pf_wire_ledger_path(const struct pf_wire *w)
{
	return w->ledger_path;
}

const char *pf_wire_quarantine(const struct pf_wire *w)
{
	return w->quarantine;
}
