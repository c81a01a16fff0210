/*
 * One account at work: two stores and a job, with the settings that plan and command line come to.
 */
#include "base/civil.h"
#include "cli/wire_private.h"
#include "convert/ical_codec.h"
#include "convert/vcard_codec.h"
#include "stores/registry.h"
#include "stores/wrap/disguise.h"
#include "stores/wrap/singles.h"

#include <stdlib.h>

/* What is no mail, and who understands it. */
static const struct pf_codec *const CODECS[] = {&pf_ical_codec, &pf_vcard_codec, NULL};

void pf_wire_schemes(struct pf_scheme out[PF_SCHEMES_MAX])
{
	size_t n = 0;

	for (const struct pf_store_ops *const *o = pf_stores(); *o; o++) {
		for (const struct pf_scheme *s = (*o)->schemes; s->name && n + 1 < PF_SCHEMES_MAX;
			s++) {
			out[n++] = *s;
		}
	}
	out[n] = (struct pf_scheme){.name = NULL};
}

static const struct pf_plan_server *server_of(const struct pf_wire *w, size_t row, size_t side)
{
	size_t i = w->plan->rows[row].side[side].server;

	return i == PF_PLAN_NO_SERVER ? NULL : &w->plan->servers[i];
}

size_t wire_connections(const struct pf_wire *w, size_t row, size_t side)
{
	const struct pf_plan_server *s = server_of(w, row, side);

	return s && s->connections_per_account ? s->connections_per_account : w->set->connections;
}

/* What a server's rate comes to for one of the accounts that are at work on it together. */
static int rate_of(
	const struct pf_wire *w, size_t row, size_t side, uint64_t *out, struct pf_err *err)
{
	const struct pf_plan_server *s = server_of(w, row, side);
	size_t server = w->batch_server[row][side], together;

	*out = w->set->rate;
	if (!s || !s->rate || server == PF_BATCH_NONE) {
		return PF_OK;
	}
	if (pf_parse_size("rate", s->rate, out, err) != PF_OK) {
		return pf_wrap(err, "%s line %zu", w->plan->path, s->line);
	}
	together = w->server_accounts[server] < w->server_limit[server] ? w->server_accounts[server]
									: w->server_limit[server];
	*out = *out / together > 0 ? *out / together : 1;
	return PF_OK;
}

/* What an account may move in a day on that side: the server's word goes before that for all. */
static int daily_of(
	const struct pf_wire *w, size_t row, size_t side, uint64_t *out, struct pf_err *err)
{
	const struct pf_plan_server *s = server_of(w, row, side);
	const char *text = !s ? NULL : side == 0 ? s->daily_down : s->daily_up;

	*out = w->set->daily[side];
	if (text &&
		pf_parse_daily(side == 0 ? "daily_down" : "daily_up", text, out, err) != PF_OK) {
		return pf_wrap(err, "%s line %zu", w->plan->path, s->line);
	}
	return PF_OK;
}

int wire_secret(const struct pf_wire *w, size_t row, size_t side, struct pf_cli_secret *out,
	struct pf_err *err)
{
	const struct pf_plan_side *p = &w->plan->rows[row].side[side];
	const struct pf_settings *set = w->set;
	const struct pf_cli_secret *asked = wire_asked(w, row, side);
	const char *all = side == 0 ? set->from_secret : set->to_secret;

	*out = (struct pf_cli_secret){
		.spec = p->secret ? p->secret : all,
		.password = asked && pf_secret_is_set(&asked->entered)
				    ? pf_span(asked->entered.p, asked->entered.n)
				    : p->password,
		.default_env = side == 0 ? "POSTFERRY_FROM_PASSWORD" : "POSTFERRY_TO_PASSWORD",
		.option = side == 0 ? "--from-secret" : "--to-secret",
		.who = p->identity,
	};
	return pf_cli_secret_init(out, err);
}

uint32_t wire_kinds(const struct pf_wire *w, size_t row)
{
	uint32_t asked = w->set->rules.kinds, kinds = w->plan->rows[row].kinds;

	return asked && kinds ? asked & kinds : asked | kinds;
}

/* Of a server's connections, so that all of its accounts can be at work; 0 = nobody counts them. */
static size_t share_of(const struct pf_wire *w, size_t row, size_t side)
{
	size_t server = w->batch_server[row][side], share;

	if (server == PF_BATCH_NONE) {
		return 0;
	}
	share = w->server_limit[server] / w->server_accounts[server];
	return share > 0 ? share : 1;
}

/* Whether a source's mail may hold items of Exchange in mail's disguise. */
static bool may_disguise(const char *scheme)
{
	const struct pf_scheme *s = pf_store_for(scheme)->schemes;

	while (s->name && strcmp(s->name, scheme) != 0) {
		s++;
	}
	return s->name && s->disguised != 0;
}

static int disguise(struct wire_account *a, struct pf_err *err)
{
	const struct pf_plan_row *row = &a->wire->plan->rows[a->row];
	uint32_t asked = a->wire->set->rules.kinds;
	struct wire_side *s = &a->side[0];

	s->cfg.disguised.here = row->disguised & (asked ? asked : row->disguised);
	s->cfg.disguised.elsewhere = row->apart & ~row->disguised & (asked ? asked : row->apart);
	s->cfg.disguised.mail = (row->kinds & PF_KIND_MAIL) != 0;
	s->cfg.unwrap_tnef = a->wire->set->unwrap_tnef;
	return pf_disguise_open(s->store, &s->cfg, &s->store, err);
}

static int open_side(struct wire_account *a, size_t side, size_t connections, struct pf_err *err)
{
	struct pf_wire *w = a->wire;
	const struct pf_plan_side *p = &w->plan->rows[a->row].side[side];
	const struct pf_plan_server *server = server_of(w, a->row, side);
	const struct pf_settings *set = w->set;
	struct wire_side *s = &a->side[side];
	struct pf_tls *tls = NULL;

	if (pf_url_parse(&s->url, p->url, err) != PF_OK ||
		wire_secret(w, a->row, side, &s->secret, err) != PF_OK ||
		wire_tls(w, server, side, &tls, err) != PF_OK) {
		return PF_FAIL;
	}
	wire_trace(w, a->row, side, &s->trace);
	s->cfg = (struct pf_store_cfg){
		.url = &s->url,
		.secret = &s->secret.base,
		.admin = p->admin    ? p->admin
			 : side == 0 ? set->from_admin
				     : set->to_admin,
		.admin_form = server && server->admin_form ? server->admin_form
			      : side == 0                  ? set->from_admin_form
							   : set->to_admin_form,
		.tls = tls,
		.allow_plaintext = server && server->plaintext != PF_PLAN_AS_ALL
					   ? server->plaintext == PF_PLAN_ALLOWED
					   : set->allow_plaintext,
		.trusted = set->trusted,
		.keep_raw = set->keep_raw != NULL,
		.recovered = set->recovered,
		.memo = w->memo,
		.addresses = pf_address_map_addresses(w->addresses),
		.dns_server = set->dns_server,
		.source = side == 0,
		.connections = connections,
		.connections_most = share_of(w, a->row, side),
		.trace = w->trace_file ? &s->trace.base : NULL,
		.stirred = &a->stirred,
	};
	if (rate_of(w, a->row, side, &s->cfg.rate_bytes_s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_store_for(s->url.scheme)->open(w->loop, &s->cfg, &s->store, err) != PF_OK) {
		return pf_wrap(err, side == 0 ? "--from" : "--to");
	}
	return side == 0 && may_disguise(s->url.scheme) ? disguise(a, err) : PF_OK;
}

/* Series that the target does not say come as single events, where that is wanted: until the end of
 * a year, so that runs of one year make the same ones. */
static int split_series(struct wire_account *a, struct pf_err *err)
{
	const struct pf_settings *set = a->wire->set;
	struct pf_singles_cfg cfg = {.says = pf_store_facts(a->side[1].store)->says};
	struct pf_civil d;

	if (!set->rules.singles || !cfg.says) {
		return PF_OK;
	}
	pf_civil_from_unix(pf_loop_utc_s(a->wire->loop), &d);
	d = (struct pf_civil){.year = d.year + (int)set->series_years + 1, .month = 1, .day = 1};
	cfg.until_utc_s = pf_civil_to_unix(&d);
	return pf_singles_open(a->side[0].store, &cfg, &a->side[0].store, err);
}

/* The bytes in flight that the account begins with; later they are shared out anew. */
static size_t window_of(const struct pf_wire *w)
{
	size_t together = w->plan->row_n < w->alive_max ? w->plan->row_n : w->alive_max;

	return w->plan->row_n == 1 ? 0 : w->memory / together;
}

static int make_job(struct wire_account *a, struct pf_err *err)
{
	struct pf_wire *w = a->wire;
	const struct pf_settings *set = w->set;

	a->rules = set->rules;
	a->rules.kinds = wire_kinds(w, a->row);
	a->job_cfg = (struct pf_job_cfg){
		.mode = w->mode,
		.from = a->side[0].store,
		.to = a->side[1].store,
		.ledger = w->ledger,
		.account = w->rows[a->row].account,
		.kinds = w->plan->rows[a->row].kinds,
		.account_name = w->rows[a->row].from,
		.log = w->log,
		.rules = &a->rules,
		.codecs = CODECS,
		.quarantine = w->quarantine,
		.keep_raw = set->keep_raw,
		.dry_run = set->dry_run,
		.deep = set->deep,
		.mirror = set->mirror,
		.mirror_all = set->mirror_all,
		.no_receipts = set->no_receipts,
		.window_bytes = window_of(w),
		.commits_shared = true,
	};
	for (size_t side = 0; side < 2; side++) {
		a->job_cfg.daily[side].store = w->plan->rows[a->row].side[side].identity;
		if (daily_of(w, a->row, side, &a->job_cfg.daily[side].bytes, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_job_new(&a->job_cfg, &a->job, err);
}

int wire_account_new(struct pf_wire *w, size_t row, const size_t connections[2],
	struct wire_account **out, struct pf_err *err)
{
	struct wire_account *a = calloc(1, sizeof(*a));

	if (!a) {
		return pf_fail_memory(err, "an account");
	}
	a->wire = w;
	a->row = row;
	if (open_side(a, 0, connections[0], err) != PF_OK ||
		open_side(a, 1, connections[1], err) != PF_OK || split_series(a, err) != PF_OK ||
		make_job(a, err) != PF_OK) {
		wire_account_free(&a);
		return PF_FAIL;
	}
	*out = a;
	return PF_OK;
}

void wire_account_free(struct wire_account **account)
{
	struct wire_account *a = *account;

	if (!a) {
		return;
	}
	pf_job_free(&a->job);
	for (size_t side = 0; side < 2; side++) {
		pf_store_close(&a->side[side].store);
		pf_url_deinit(&a->side[side].url);
	}
	free(a);
	*account = NULL;
}
