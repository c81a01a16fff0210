/*
 * The plan's YAML: read by libyaml into a tree whose nodes know their lines, then held against the
 * tables below. A key that they do not know is an error, with the nearest that they do.
 */
#include "plan/plan_private.h"

#include "base/nearest.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { KEYS_MAX = 48 };

enum value_kind {
	VALUE_TEXT,
	VALUE_PATH,   /* relative to the plan's folder */
	VALUE_SECRET, /* a SPEC; file: as a path */
	VALUE_FLAG,
	VALUE_NUMBER,
	VALUE_LIST,   /* given once for each */
	VALUE_JOINED, /* given once, joined by commas */
	VALUE_PAIRS,  /* a mapping, given as OLD=NEW */
	VALUE_TLS,
	VALUE_LEAVE,
	VALUE_SERVERS,
};

struct key {
	const char *name;
	enum value_kind kind;
	const char *option; /* of the command line that it gives; NULL: it goes to `offset` */
	size_t offset;      /* in what holds it */
};

/* What has a place of its own in the plan. */
struct top {
	const char *accounts, *from, *to, *from_secret, *to_secret;
};

static const struct key TOP[] = {
	{"accounts", VALUE_PATH, NULL, offsetof(struct top, accounts)},
	{"from", VALUE_TEXT, NULL, offsetof(struct top, from)},
	{"to", VALUE_TEXT, NULL, offsetof(struct top, to)},
	{"from_secret", VALUE_SECRET, NULL, offsetof(struct top, from_secret)},
	{"to_secret", VALUE_SECRET, NULL, offsetof(struct top, to_secret)},
	{"servers", VALUE_SERVERS, NULL, 0},
	{"from_cert", VALUE_PATH, "from-cert", 0},
	{"to_cert", VALUE_PATH, "to-cert", 0},
	{"from_admin", VALUE_TEXT, "from-admin", 0},
	{"to_admin", VALUE_TEXT, "to-admin", 0},
	{"from_admin_form", VALUE_TEXT, "from-admin-form", 0},
	{"to_admin_form", VALUE_TEXT, "to-admin-form", 0},
	{"shared", VALUE_FLAG, "shared", 0},
	{"duplicates", VALUE_TEXT, "duplicates", 0},
	{"ledger", VALUE_PATH, "ledger", 0},
	{"quarantine", VALUE_PATH, "quarantine", 0},
	{"kinds", VALUE_JOINED, "kinds", 0},
	{"include", VALUE_LIST, "include", 0},
	{"exclude", VALUE_LIST, "exclude", 0},
	{"map", VALUE_PAIRS, "map", 0},
	{"since", VALUE_TEXT, "since", 0},
	{"before", VALUE_TEXT, "before", 0},
	{"max_size", VALUE_TEXT, "max-size", 0},
	{"skip_subjects", VALUE_PATH, "skip-subjects", 0},
	{"labels", VALUE_TEXT, "labels", 0},
	{"series", VALUE_TEXT, "series", 0},
	{"series_years", VALUE_TEXT, "series-years", 0},
	{"mirror", VALUE_FLAG, "mirror", 0},
	{"mirror_all", VALUE_FLAG, "mirror-all", 0},
	{"no_receipts", VALUE_FLAG, "no-receipts", 0},
	{"recovered", VALUE_FLAG, "recovered", 0},
	{"unwrap_tnef", VALUE_FLAG, "unwrap-tnef", 0},
	{"address_map", VALUE_PATH, "address-map", 0},
	{"keep_raw", VALUE_PATH, "keep-raw", 0},
	{"connections", VALUE_TEXT, "connections", 0},
	{"rate", VALUE_TEXT, "rate", 0},
	{"from_daily", VALUE_TEXT, "from-daily", 0},
	{"to_daily", VALUE_TEXT, "to-daily", 0},
	{"no_wait", VALUE_FLAG, "no-wait", 0},
	{"memory", VALUE_TEXT, "memory", 0},
	{"tries", VALUE_TEXT, "tries", 0},
	{"allow_plaintext", VALUE_FLAG, "allow-plaintext", 0},
	{"trust_hosts", VALUE_LIST, "trust-host", 0},
	{"dns_server", VALUE_TEXT, "dns-server", 0},
	{"ca_file", VALUE_PATH, "ca-file", 0},
	{"fingerprint", VALUE_TEXT, "tls-fingerprint", 0},
};

static const struct key SERVER[] = {
	{"host", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, host)},
	{"port", VALUE_NUMBER, NULL, offsetof(struct pf_plan_server, port)},
	{"tls", VALUE_TLS, NULL, offsetof(struct pf_plan_server, tls)},
	{"admin", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, admin)},
	{"admin_form", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, admin_form)},
	{"secret", VALUE_SECRET, NULL, offsetof(struct pf_plan_server, secret)},
	{"ca_file", VALUE_PATH, NULL, offsetof(struct pf_plan_server, ca_file)},
	{"fingerprint", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, fingerprint)},
	{"cert", VALUE_PATH, NULL, offsetof(struct pf_plan_server, cert)},
	{"connections", VALUE_NUMBER, NULL, offsetof(struct pf_plan_server, connections)},
	{"connections_per_account", VALUE_NUMBER, NULL,
		offsetof(struct pf_plan_server, connections_per_account)},
	{"rate", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, rate)},
	{"daily_down", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, daily_down)},
	{"daily_up", VALUE_TEXT, NULL, offsetof(struct pf_plan_server, daily_up)},
	{"allow_plaintext", VALUE_LEAVE, NULL, offsetof(struct pf_plan_server, plaintext)},
};

/* A mapping under way. */
struct level {
	struct reader *r;
	yaml_document_t *doc;
	const struct key *keys;
	size_t key_n;
	void *into;
};

static size_t line_of(const yaml_node_t *n)
{
	return n->start_mark.line + 1;
}

static struct pf_span scalar(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? pf_span(n->data.scalar.value, n->data.scalar.length)
					   : pf_span(NULL, 0);
}

/* ---- values ---- */

static void wrong(struct level *l, const yaml_node_t *n, const char *key, const char *text)
{
	plan_problem_line(l->r->plan, line_of(n), key, "%s", text);
}

/* NULL without *err filled: no text, which was told. */
static int take_text(struct level *l, const yaml_node_t *n, const struct key *k, const char **out,
	struct pf_err *err)
{
	struct pf_span s = scalar(n);

	*out = NULL;
	if (!s.p || s.n == 0 || memchr(s.p, '\0', s.n)) {
		wrong(l, n, k->name,
			s.p ? "it has no value: give one, or leave the key out"
			    : "it must be a single value");
		return PF_OK;
	}
	*out = plan_str(l->r->plan, s, err);
	return *out ? PF_OK : PF_FAIL;
}

/* A path as it is seen from the plan's folder. */
static int beside_plan(
	struct level *l, const char *prefix, const char *path, const char **out, struct pf_err *err)
{
	const char *plan = l->r->plan->path, *slash = strrchr(plan, '/');
	char *joined;

	if (*path == '/' || !slash) {
		return PF_OK;
	}
	if (asprintf(&joined, "%s%.*s/%s", prefix, (int)(slash - plan), plan, path) < 0) {
		return pf_fail_memory(err, "a plan");
	}
	*out = plan_str(l->r->plan, pf_span_str(joined), err);
	free(joined);
	return *out ? PF_OK : PF_FAIL;
}

static int take_string(struct level *l, const yaml_node_t *n, const struct key *k, const char **out,
	struct pf_err *err)
{
	if (take_text(l, n, k, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if (*out && k->kind == VALUE_PATH) {
		return beside_plan(l, "", *out, out, err);
	}
	if (*out && k->kind == VALUE_SECRET && strncmp(*out, "file:", 5) == 0) {
		return beside_plan(l, "file:", *out + 5, out, err);
	}
	if (*out && k->kind == VALUE_SECRET && strncmp(*out, "command:", 8) == 0 &&
		strchr(*out, '{')) {
		wrong(l, n, k->name,
			"a command takes no {field}, as a shell would run what is in it: it finds "
			"the "
			"account in $POSTFERRY_ACCOUNT");
	}
	return PF_OK;
}

static bool take_flag(struct level *l, const yaml_node_t *n, const struct key *k)
{
	static const char *const YES[] = {"true", "yes", "on"}, *const NO[] = {
									"false", "no", "off"};
	struct pf_span s = scalar(n);

	for (size_t i = 0; i < PF_COUNT(YES); i++) {
		if (pf_span_is(s, YES[i])) {
			return true;
		}
		if (pf_span_is(s, NO[i])) {
			return false;
		}
	}
	wrong(l, n, k->name, "it must be true or false");
	return false;
}

static size_t take_number(struct level *l, const yaml_node_t *n, const struct key *k)
{
	struct pf_span s = scalar(n);
	size_t value = 0;
	bool ok = s.n > 0 && s.n <= 5;

	for (size_t i = 0; ok && i < s.n; i++) {
		ok = s.p[i] >= '0' && s.p[i] <= '9';
		value = value * 10 + (size_t)(s.p[i] - '0');
	}
	if (!ok || value == 0 || value > 65535) {
		wrong(l, n, k->name, "it must be a number from 1 to 65535");
		return 0;
	}
	return value;
}

static enum pf_plan_tls take_tls(struct level *l, const yaml_node_t *n, const struct key *k)
{
	if (pf_span_is(scalar(n), "implicit")) {
		return PF_PLAN_TLS_IMPLICIT;
	}
	if (!pf_span_is(scalar(n), "starttls")) {
		wrong(l, n, k->name, "it must be implicit (from the first byte) or starttls");
	}
	return PF_PLAN_TLS_STARTTLS;
}

/* ---- options ---- */

static int add_option(
	struct level *l, const struct key *k, const char *value, size_t line, struct pf_err *err)
{
	struct pf_plan *p = l->r->plan;
	struct pf_plan_option *grown = realloc(p->options, (p->option_n + 1) * sizeof(*grown));

	if (!grown) {
		return pf_fail_memory(err, "a plan");
	}
	p->options = grown;
	p->options[p->option_n++] = (struct pf_plan_option){k->option, value, line};
	return PF_OK;
}

static int take_list(struct level *l, const yaml_node_t *n, const struct key *k, struct pf_err *err)
{
	struct key one = *k;
	const char *text;

	one.kind = VALUE_TEXT;
	if (n->type != YAML_SEQUENCE_NODE) {
		return take_text(l, n, &one, &text, err) != PF_OK ? PF_FAIL
		       : text ? add_option(l, k, text, line_of(n), err)
			      : PF_OK;
	}
	for (const yaml_node_item_t *i = n->data.sequence.items.start;
		i < n->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(l->doc, *i);

		if (take_text(l, item, &one, &text, err) != PF_OK ||
			(text && add_option(l, k, text, line_of(item), err) != PF_OK)) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* A list that the command line has joined by commas. */
static int take_joined(
	struct level *l, const yaml_node_t *n, const struct key *k, struct pf_err *err)
{
	size_t from = l->r->plan->option_n;
	struct pf_buf b;
	char *text = NULL;
	int rc = take_list(l, n, k, err);

	if (rc != PF_OK || l->r->plan->option_n == from) {
		return rc;
	}
	pf_buf_init(&b, 65536);
	for (size_t i = from; rc == PF_OK && i < l->r->plan->option_n; i++) {
		rc = pf_buf_addf(
			&b, err, "%s%s", i > from ? "," : "", l->r->plan->options[i].value);
	}
	if (rc == PF_OK) {
		text = plan_str(l->r->plan, pf_buf_span(&b), err);
	}
	pf_buf_deinit(&b);
	l->r->plan->option_n = from;
	return text ? add_option(l, k, text, line_of(n), err) : PF_FAIL;
}

static int take_pairs(
	struct level *l, const yaml_node_t *n, const struct key *k, struct pf_err *err)
{
	if (n->type != YAML_MAPPING_NODE) {
		wrong(l, n, k->name, "it must be a mapping of old names to new ones");
		return PF_OK;
	}
	for (const yaml_node_pair_t *i = n->data.mapping.pairs.start; i < n->data.mapping.pairs.top;
		i++) {
		const yaml_node_t *name = yaml_document_get_node(l->doc, i->key);
		const char *from, *to;
		char *joined;
		int rc;

		if (take_text(l, name, k, &from, err) != PF_OK ||
			take_text(l, yaml_document_get_node(l->doc, i->value), k, &to, err) !=
				PF_OK) {
			return PF_FAIL;
		}
		if (!from || !to) {
			continue;
		}
		if (asprintf(&joined, "%s=%s", from, to) < 0) {
			return pf_fail_memory(err, "a plan");
		}
		to = plan_str(l->r->plan, pf_span_str(joined), err);
		free(joined);
		rc = to ? add_option(l, k, to, line_of(name), err) : PF_FAIL;
		if (rc != PF_OK) {
			return rc;
		}
	}
	return PF_OK;
}

static int take_option(
	struct level *l, const yaml_node_t *n, const struct key *k, struct pf_err *err)
{
	const char *text;

	switch (k->kind) {
	case VALUE_LIST:
		return take_list(l, n, k, err);
	case VALUE_JOINED:
		return take_joined(l, n, k, err);
	case VALUE_PAIRS:
		return take_pairs(l, n, k, err);
	case VALUE_FLAG:
		return take_flag(l, n, k) ? add_option(l, k, "", line_of(n), err) : PF_OK;
	default:
		if (take_string(l, n, k, &text, err) != PF_OK) {
			return PF_FAIL;
		}
		return text ? add_option(l, k, text, line_of(n), err) : PF_OK;
	}
}

/* ---- mappings ---- */

static int take_servers(struct level *l, const yaml_node_t *n, struct pf_err *err);

static int take_value(
	struct level *l, const yaml_node_t *n, const struct key *k, struct pf_err *err)
{
	char *at = (char *)l->into + k->offset;

	if (k->option) {
		return take_option(l, n, k, err);
	}
	switch (k->kind) {
	case VALUE_SERVERS:
		return take_servers(l, n, err);
	case VALUE_LEAVE:
		*(enum pf_plan_leave *)(void *)at =
			take_flag(l, n, k) ? PF_PLAN_ALLOWED : PF_PLAN_FORBIDDEN;
		return PF_OK;
	case VALUE_NUMBER:
		*(size_t *)(void *)at = take_number(l, n, k);
		return PF_OK;
	case VALUE_TLS:
		*(enum pf_plan_tls *)(void *)at = take_tls(l, n, k);
		return PF_OK;
	default:
		return take_string(l, n, k, (const char **)(void *)at, err);
	}
}

static const struct key *find_key(struct level *l, const yaml_node_t *name)
{
	const char *known[KEYS_MAX], *near;
	char word[64];

	for (size_t i = 0; i < l->key_n; i++) {
		struct pf_span s = scalar(name);

		known[i] = l->keys[i].name;
		if (s.p && s.n == strlen(known[i]) && memcmp(s.p, known[i], s.n) == 0) {
			return &l->keys[i];
		}
	}
	(void)snprintf(word, sizeof(word), "%.*s", (int)scalar(name).n,
		scalar(name).p ? (const char *)scalar(name).p : "");
	near = pf_nearest(word, known, l->key_n);
	plan_problem_line(l->r->plan, line_of(name), word, "there is no such key here%s%s%s",
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return NULL;
}

static int take_mapping(struct level *l, const yaml_node_t *n, struct pf_err *err)
{
	bool seen[KEYS_MAX] = {false};

	for (const yaml_node_pair_t *i = n->data.mapping.pairs.start; i < n->data.mapping.pairs.top;
		i++) {
		const yaml_node_t *name = yaml_document_get_node(l->doc, i->key);
		const struct key *k = find_key(l, name);

		if (!k) {
			continue;
		}
		if (seen[k - l->keys]) {
			wrong(l, name, k->name, "this key comes twice");
			continue;
		}
		seen[k - l->keys] = true;
		if (take_value(l, yaml_document_get_node(l->doc, i->value), k, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int take_server(
	struct level *l, const yaml_node_t *name, const yaml_node_t *n, struct pf_err *err)
{
	static const struct key NAME = {"servers", VALUE_TEXT, NULL, 0};
	struct pf_plan *p = l->r->plan;
	struct pf_plan_server *grown = realloc(p->servers, (p->server_n + 1) * sizeof(*grown)), *s;
	struct level inner = {l->r, l->doc, SERVER, PF_COUNT(SERVER), NULL};

	if (!grown) {
		return pf_fail_memory(err, "a plan");
	}
	p->servers = grown;
	s = &p->servers[p->server_n];
	*s = (struct pf_plan_server){.line = line_of(name)};
	if (take_text(l, name, &NAME, &s->name, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; s->name && i < p->server_n; i++) {
		if (strcasecmp(p->servers[i].name, s->name) == 0) {
			wrong(l, name, s->name, "this server comes twice");
		}
	}
	if (!s->name || n->type != YAML_MAPPING_NODE) {
		wrong(l, n, "servers",
			"each is a name with a mapping: old: {host: mail.example.org}");
		return PF_OK;
	}
	p->server_n++;
	inner.into = s;
	return take_mapping(&inner, n, err);
}

static int take_servers(struct level *l, const yaml_node_t *n, struct pf_err *err)
{
	if (n->type != YAML_MAPPING_NODE) {
		wrong(l, n, "servers",
			"it must be a mapping of names to what is said of each: old: {host: "
			"mail.example.org}");
		return PF_OK;
	}
	for (const yaml_node_pair_t *i = n->data.mapping.pairs.start; i < n->data.mapping.pairs.top;
		i++) {
		if (take_server(l, yaml_document_get_node(l->doc, i->key),
			    yaml_document_get_node(l->doc, i->value), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int take_document(struct reader *r, yaml_document_t *doc, struct pf_err *err)
{
	struct pf_plan *p = r->plan;
	struct top top = {.accounts = NULL};
	struct level l = {r, doc, TOP, PF_COUNT(TOP), &top};
	const yaml_node_t *root = yaml_document_get_root_node(doc);

	_Static_assert(PF_COUNT(TOP) <= KEYS_MAX && PF_COUNT(SERVER) <= KEYS_MAX, "KEYS_MAX");
	if (!root || root->type != YAML_MAPPING_NODE) {
		plan_problem_line(p, root ? line_of(root) : 0, "",
			"a plan is a mapping that begins with \"accounts: FILE.csv\"");
		return PF_OK;
	}
	if (take_mapping(&l, root, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!top.accounts && p->errors == 0) {
		plan_problem_line(p, 0, "accounts", "this key is missing: it names the CSV file");
	}
	p->accounts = top.accounts ? top.accounts : p->accounts;
	p->template[0] = top.from;
	p->template[1] = top.to;
	r->secret[0] = top.from_secret;
	r->secret[1] = top.to_secret;
	return PF_OK;
}

int plan_yaml(struct reader *r, char *text, size_t n, struct pf_err *err)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	int rc = PF_OK;

	if (!yaml_parser_initialize(&parser)) {
		return pf_fail_memory(err, "a plan");
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (yaml_parser_load(&parser, &doc)) {
		rc = take_document(r, &doc, err);
		yaml_document_delete(&doc);
	} else if (parser.error == YAML_MEMORY_ERROR) {
		rc = pf_fail_memory(err, "a plan");
	} else {
		plan_problem_line(r->plan, parser.problem_mark.line + 1, "",
			"this is no YAML: %s%s%s", parser.context ? parser.context : "",
			parser.context ? ": " : "", parser.problem ? parser.problem : "?");
	}
	yaml_parser_delete(&parser);
	return rc;
}
