#include "cli/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 16, TRIES_MAX = 100, SERIES_YEARS = 10, SERIES_YEARS_MAX = 100 };

#define bad(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

const struct pf_option pf_account_options[] = {
	{"from", "URL",
		"the account to read: imaps://USER@HOST/, maildir:PATH; several times where an "
		"account has several stores (mail, calendars, contacts)",
		true},
	{"to", "URL",
		"the account to write; several times likewise: an item goes to the first that "
		"takes its kind",
		true},
	{"ledger", "FILE",
		"the durable record of this migration; default: under $XDG_STATE_HOME/postferry/",
		false},
	{.name = NULL},
};

const struct pf_option pf_link_options[] = {
	{"from-secret", "SPEC",
		"password of the source: env:NAME, file:PATH, command:CMD, oauth:NAME (a token), "
		"prompt, none; default: $POSTFERRY_FROM_PASSWORD, else a prompt; once for all, or "
		"once for each --from",
		true},
	{"to-secret", "SPEC",
		"password of the target, likewise; default: $POSTFERRY_TO_PASSWORD, else a prompt",
		true},
	{"from-cert", "FILE", "PEM file with our certificate and key, to show to the source",
		false},
	{"to-cert", "FILE", "the same for the target", false},
	{"from-admin", "USER", "sign in at the source as USER on behalf of the account", false},
	{"to-admin", "USER", "sign in at the target as USER on behalf of the account", false},
	{"from-admin-form", "FORM",
		"how the source is told of both: authzid (default), proxyauth, or the name to "
		"sign in with, as \"{user}*{admin}\"",
		false},
	{"to-admin-form", "FORM", "the same at the target", false},
	{"connections", "N", "connections to each server; default: what pays", false},
	{"rate", "BYTES/S", "press no harder than this on each link (10M: ten mebibytes a second)",
		false},
	{"from-daily", "SIZE",
		"take no more than this from the source in 24 hours, then wait until it may go on "
		"(IMAP; 2000M; none: no limit); default: what is known of the server",
		false},
	{"to-daily", "SIZE", "send no more than this to the target in 24 hours, likewise", false},
	{"no-wait", NULL, "when that is used up, end (status 4) instead of waiting", false},
	{"allow-plaintext", NULL, "permit links that are not encrypted", false},
	{"trust-host", "HOST[:PORT]",
		"a server to which the password may go as well, when the name service or the "
		"server of a URL sends us there (calendars, contacts, Exchange)",
		true},
	{"dns-server", "ADDRESS[:PORT]",
		"ask this name server where a domain's servers are; default: the "
		"system's",
		false},
	{"ca-file", "FILE", "PEM file with further authorities to trust", false},
	{"tls-fingerprint", "SHA256",
		"trust the server that shows the certificate with this fingerprint", false},
	{"quarantine", "DIR", "where items go that have no place; default: beside the ledger",
		false},
	{"trace", "FILE", "write what goes over the links, secrets masked", false},
	{.name = NULL},
};

const struct pf_option pf_rule_options[] = {
	{"kinds", "LIST", "mail, calendar, contacts, tasks, notes; default: all", false},
	{"include", "GLOB", "take only the folders that match (Projects/*)", true},
	{"exclude", "GLOB", "leave out the folders that match", true},
	{"duplicates", "keep|merge",
		"equal calendar items or contacts of one identifier; default: keep", false},
	{"series", "quarantine|expand",
		"what becomes of a series that the target has no words for (Exchange: dates of its "
		"own, several rules, days that some months lack); expand: a single event for each "
		"of its instances; default: quarantine",
		false},
	{"series-years", "N", "up to the end of the N-th year from this one; default: 10", false},
	{"labels", "each|first|views",
		"where folders are labels (Gmail): a message goes to the folder of each of its "
		"labels "
		"(default), or only to the first of them; what has none comes from All Mail; "
		"views: "
		"all folders as they are shown, All Mail, Starred and Important as well",
		false},
	{"shared", NULL, "take the folders of other users and public ones, too", false},
	{"recovered", NULL,
		"take deleted items that an Outlook file (pst:) still holds, too; they come in the "
		"folder \"Recovered items\"",
		false},
	{"map", "OLD=NEW", "the folder OLD and all below it go to NEW", true},
	{"since", "DATE", "take only items dated DATE (YYYY-MM-DD) or later", false},
	{"before", "DATE", "take only items dated before DATE", false},
	{"max-size", "SIZE", "leave out larger items (25M)", false},
	{"skip-subjects", "FILE", "leave out items whose subject is a line of FILE", false},
	{"mirror", NULL,
		"also remove from the target what left the source, of what was copied there",
		false},
	{"mirror-all", NULL, "the same, even when more than a tenth of all would go", false},
	{"no-receipts", NULL,
		"mark what asks for a read receipt as answered ($MDNSent), so that none is sent; "
		"Exchange is always told so",
		false},
	{"address-map", "FILE",
		"whose the addresses of Exchange's directory are (/o=Org/...): CSV "
		"(legacyExchangeDN, "
		"mail) or LDIF, as it was exported",
		false},
	{"keep-raw", "DIR",
		"keep there, as the source has it, each item that is converted (Outlook's files, "
		"winmail.dat) or that Exchange gives: .msg, .tnef or .fts",
		false},
	{"unwrap-tnef", NULL,
		"give a message whose text and files are in a winmail.dat (IMAP) as what it was "
		"made of; recorded as changed",
		false},
	{"dry-run", NULL, "say what would be done, and do nothing", false},
	{.name = NULL},
};

const struct pf_option pf_batch_options[] = {
	{"tries", "N", "of an account that can't be opened or is cut off, in a batch; default: 5",
		false},
	{"memory", "SIZE", "for items in flight of all accounts together; default: 128M", false},
	{.name = NULL},
};

const struct pf_option pf_screen_options[] = {
	{"json", NULL, "one JSON object a line on standard output", false},
	{"quiet", NULL, "only errors and alerts", false},
	{"no-progress", NULL, "no progress bar", false},
	{"verbose", NULL, "every event", false},
	{.name = NULL},
};

/* The power of two that a unit at `*text` stands for; moves behind it. */
static unsigned int take_unit(const char **text)
{
	static const char UNITS[] = "kKmMgG";
	const char *unit = **text ? strchr(UNITS, **text) : NULL;

	if (!unit) {
		return 0;
	}
	*text += (*text)[1] == 'b' || (*text)[1] == 'B' ? 2 : 1;
	return 10 * ((unsigned int)(unit - UNITS) / 2 + 1);
}

int pf_parse_size(const char *option, const char *text, uint64_t *out, struct pf_err *err)
{
	char *digits_end = NULL;
	const char *end;
	unsigned long long n;
	unsigned int shift;

	errno = 0;
	n = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &digits_end, 10) : 0;
	end = digits_end ? digits_end : text;
	shift = take_unit(&end);
	if (errno != 0 || *end != '\0' || n == 0 || n > UINT64_MAX >> shift) {
		return bad(err, "--%s %s: it must be a number of bytes, as 500000, 64K, 25M or 2G",
			option, text);
	}
	*out = (uint64_t)n << shift;
	return PF_OK;
}

int pf_parse_daily(const char *option, const char *text, uint64_t *out, struct pf_err *err)
{
	*out = UINT64_MAX;
	return strcmp(text, "none") == 0 ? PF_OK : pf_parse_size(option, text, out, err);
}

int pf_parse_number(const char *what, const char *text, int *out, struct pf_err *err)
{
	char *end = NULL;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno != 0 || n > INT_MAX) {
		return bad(err, "%s %s: it must be a number", what, text);
	}
	*out = (int)n;
	return PF_OK;
}

int pf_parse_date(const char *option, const char *text, int64_t *out, struct pf_err *err)
{
	struct pf_civil c = {0};
	char end = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the date is checked as a whole below */
	if (sscanf(text, "%4d-%2d-%2d%c", &c.year, &c.month, &c.day, &end) != 3 ||
		!pf_civil_valid(&c)) {
		return bad(err, "--%s %s: it must be a day, as 2024-12-31", option, text);
	}
	*out = pf_civil_to_unix(&c);
	return PF_OK;
}

static int read_labels(const char *text, enum pf_labels_rule *out, struct pf_err *err)
{
	static const char *const NAMES[] = {"each", "first", "views"};

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		if (strcmp(text, NAMES[i]) == 0) {
			*out = (enum pf_labels_rule)i;
			return PF_OK;
		}
	}
	return bad(err, "--labels %s: it is each, first or views", text);
}

static int read_kinds(const char *text, uint32_t *out, struct pf_err *err)
{
	*out = 0;
	for (const char *s = text; *s;) {
		size_t n = strcspn(s, ",");
		enum pf_kind kind = pf_kind_by_name(pf_span(s, n));

		if (!kind) {
			return bad(err,
				"--kinds %s: it is a list of mail, calendar, contacts, tasks, "
				"notes",
				text);
		}
		*out |= (uint32_t)kind;
		s += n + (s[n] == ',');
	}
	return PF_OK;
}

static int add_map(struct pf_settings *s, const char *text, struct pf_err *err)
{
	const char *eq = strchr(text, '=');
	struct pf_map_rule *m = &s->map[s->rules.maps];
	char *old;
	int rc;

	if (!eq || eq == text || !eq[1]) {
		return bad(err, "--map %s: the form is OLD=NEW, as \"Sent Items=Sent\"", text);
	}
	old = strndup(text, (size_t)(eq - text));
	if (!old) {
		return pf_fail_memory(err, "a rule");
	}
	rc = pf_path_parse(&m->from, old, err);
	if (rc == PF_OK) {
		rc = pf_path_parse(&m->to, eq + 1, err);
	}
	free(old);
	s->rules.maps++;
	return rc == PF_OK ? PF_OK : pf_wrap(err, "--map");
}

static int read_subjects(struct pf_settings *s, const char *path, struct pf_err *err)
{
	FILE *f = fopen(path, "re");
	size_t cap = 0, n = 0;

	if (!f) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "--skip-subjects %s", path);
	}
	(void)getdelim(&s->subject_text, &cap, '\0', f); /* -1: an empty file */
	(void)fclose(f);
	for (char *t = s->subject_text; t && *t;) {
		const char **grown = realloc((void *)s->subjects, (n + 1) * sizeof(*grown));
		size_t len = strcspn(t, "\r\n");
		bool last = t[len] == '\0';

		if (!grown) {
			return pf_fail_memory(err, "--skip-subjects");
		}
		s->subjects = grown;
		t[len] = '\0';
		if (len > 0) {
			s->subjects[n++] = t;
		}
		t += len + !last;
	}
	s->rules.skip_subjects = s->subjects;
	s->rules.skip_subject_count = n;
	return PF_OK;
}

static int read_count(
	const char *name, const char *value, size_t most, size_t *out, struct pf_err *err)
{
	size_t n = 0;
	bool ok = value[0] && strlen(value) < 5 && value[strspn(value, "0123456789")] == '\0';

	for (const char *s = value; ok && *s; s++) {
		n = n * 10 + (size_t)(*s - '0');
	}
	if (!ok || n == 0 || n > most) {
		return bad(err, "--%s %s: it must be a number from 1 to %zu", name, value, most);
	}
	*out = n;
	return PF_OK;
}

static int read_one(struct pf_settings *s, const struct pf_given *g, struct pf_err *err)
{
	const char *name = g->option->name;

	if (strcmp(name, "kinds") == 0) {
		return read_kinds(g->value, &s->rules.kinds, err);
	}
	if (strcmp(name, "include") == 0) {
		s->include[s->rules.includes++] = g->value;
	} else if (strcmp(name, "exclude") == 0) {
		s->exclude[s->rules.excludes++] = g->value;
	} else if (strcmp(name, "map") == 0) {
		return add_map(s, g->value, err);
	} else if (strcmp(name, "duplicates") == 0) {
		s->rules.merge = strcmp(g->value, "merge") == 0;
		if (!s->rules.merge && strcmp(g->value, "keep") != 0) {
			return bad(err, "--duplicates %s: it is keep or merge", g->value);
		}
	} else if (strcmp(name, "series") == 0) {
		s->rules.singles = strcmp(g->value, "expand") == 0;
		if (!s->rules.singles && strcmp(g->value, "quarantine") != 0) {
			return bad(err, "--series %s: it is quarantine or expand", g->value);
		}
	} else if (strcmp(name, "series-years") == 0) {
		return read_count(name, g->value, SERIES_YEARS_MAX, &s->series_years, err);
	} else if (strcmp(name, "labels") == 0) {
		return read_labels(g->value, &s->rules.labels, err);
	} else if (strcmp(name, "since") == 0) {
		return pf_parse_date(name, g->value, &s->rules.since_utc_s, err);
	} else if (strcmp(name, "before") == 0) {
		return pf_parse_date(name, g->value, &s->rules.before_utc_s, err);
	} else if (strcmp(name, "max-size") == 0) {
		return pf_parse_size(name, g->value, &s->rules.max_size, err);
	} else if (strcmp(name, "rate") == 0) {
		return pf_parse_size(name, g->value, &s->rate, err);
	} else if (strcmp(name, "from-daily") == 0) {
		return pf_parse_daily(name, g->value, &s->daily[0], err);
	} else if (strcmp(name, "to-daily") == 0) {
		return pf_parse_daily(name, g->value, &s->daily[1], err);
	} else if (strcmp(name, "skip-subjects") == 0) {
		return read_subjects(s, g->value, err);
	} else if (strcmp(name, "connections") == 0) {
		return read_count(name, g->value, CONNECTIONS_MAX, &s->connections, err);
	} else if (strcmp(name, "tries") == 0) {
		return read_count(name, g->value, TRIES_MAX, &s->tries, err);
	} else if (strcmp(name, "memory") == 0) {
		return pf_parse_size(name, g->value, &s->memory, err);
	}
	return PF_OK;
}

/* A plan's templates are one on each side, with blanks between its URLs. */
static int read_urls(const struct pf_args *args, struct pf_settings *s, struct pf_err *err)
{
	static const char *const ONCE[] = {"from", "to", "from-secret", "to-secret"};

	s->from = pf_args_list(args, "from");
	s->to = pf_args_list(args, "to");
	if (!s->from || !s->to) {
		return pf_fail_memory(err, "the options");
	}
	for (size_t i = 0; s->plan && i < PF_COUNT(ONCE); i++) {
		size_t n = 0;

		for (size_t k = 0; k < args->given_count; k++) {
			n += strcmp(args->given[k].option->name, ONCE[i]) == 0;
		}
		if (n > 1) {
			return bad(err,
				"--%s is given twice, for a plan: it is one for all accounts, "
				"where several URLs have blanks between them",
				ONCE[i]);
		}
	}
	return PF_OK;
}

static int read_form(const struct pf_args *args, const char *option, const char *admin,
	const char **out, struct pf_err *err)
{
	const char *form = pf_args_get(args, option);

	*out = form && strcmp(form, "authzid") != 0 ? form : NULL;
	if (form && !admin) {
		return bad(err, "--%s: it says how an administrator signs in, and none is named",
			option);
	}
	if (*out && strcmp(form, "proxyauth") != 0 && !strstr(form, "{user}")) {
		return bad(err,
			"--%s %s: it must be authzid, proxyauth, or a name with {user} and {admin} "
			"in it, as \"{user}*{admin}\"",
			option, form);
	}
	return PF_OK;
}

static int read_admin_forms(const struct pf_args *args, struct pf_settings *s, struct pf_err *err)
{
	return read_form(args, "from-admin-form", s->from_admin, &s->from_admin_form, err) == PF_OK
		       ? read_form(args, "to-admin-form", s->to_admin, &s->to_admin_form, err)
		       : PF_FAIL;
}

int pf_settings_read(const struct pf_args *args, struct pf_settings *s, struct pf_err *err)
{
	*s = (struct pf_settings){.series_years = SERIES_YEARS};
	s->rules.since_utc_s = PF_DATE_NONE;
	s->rules.before_utc_s = PF_DATE_NONE;
	s->include = calloc(args->given_count + 1, sizeof(*s->include));
	s->exclude = calloc(args->given_count + 1, sizeof(*s->exclude));
	s->map = calloc(args->given_count + 1, sizeof(*s->map));
	if (!s->include || !s->exclude || !s->map) {
		return pf_fail_memory(err, "the options");
	}
	s->plan = args->word_count > 0 ? args->words[0] : NULL;
	if (read_urls(args, s, err) != PF_OK) {
		return PF_FAIL;
	}
	s->from_secret = pf_args_get(args, "from-secret");
	s->to_secret = pf_args_get(args, "to-secret");
	s->from_admin = pf_args_get(args, "from-admin");
	s->to_admin = pf_args_get(args, "to-admin");
	s->from_cert = pf_args_get(args, "from-cert");
	s->to_cert = pf_args_get(args, "to-cert");
	if (read_admin_forms(args, s, err) != PF_OK) {
		return PF_FAIL;
	}
	s->ledger = pf_args_get(args, "ledger");
	if (s->ledger && strstr(s->ledger, "://")) { /* not repeated: it may have a password */
		return bad(err,
			"--ledger: this version keeps the ledger in a file, not in a database "
			"(postgresql://); give the path of one");
	}
	s->quarantine = pf_args_get(args, "quarantine");
	s->ca_file = pf_args_get(args, "ca-file");
	s->dns_server = pf_args_get(args, "dns-server");
	s->trusted = pf_args_list(args, "trust-host");
	if (!s->trusted) {
		return pf_fail_memory(err, "the options");
	}
	s->fingerprint = pf_args_get(args, "tls-fingerprint");
	s->trace = pf_args_get(args, "trace");
	s->allow_plaintext = pf_args_has(args, "allow-plaintext");
	s->mirror_all = pf_args_has(args, "mirror-all");
	s->mirror = pf_args_has(args, "mirror") || s->mirror_all;
	s->no_receipts = pf_args_has(args, "no-receipts");
	s->recovered = pf_args_has(args, "recovered");
	s->unwrap_tnef = pf_args_has(args, "unwrap-tnef");
	s->address_map = pf_args_get(args, "address-map");
	s->keep_raw = pf_args_get(args, "keep-raw");
	s->no_wait = pf_args_has(args, "no-wait");
	s->rules.shared = pf_args_has(args, "shared");
	s->dry_run = pf_args_has(args, "dry-run");
	s->json = pf_args_has(args, "json");
	s->quiet = pf_args_has(args, "quiet");
	s->no_progress = pf_args_has(args, "no-progress");
	s->verbose = pf_args_has(args, "verbose");
	s->deep = pf_args_has(args, "deep");
	for (size_t i = 0; i < args->given_count; i++) {
		const struct pf_given *g = &args->given[i];

		if (read_one(s, g, err) != PF_OK) {
			return g->line ? pf_wrap(err, "%s line %zu", s->plan, g->line) : PF_FAIL;
		}
	}
	s->rules.include = s->include;
	s->rules.exclude = s->exclude;
	s->rules.map = s->map;
	return PF_OK;
}

static const struct pf_option *find_option(const char *name)
{
	static const struct pf_option *const TABLES[] = {
		pf_account_options, pf_link_options, pf_rule_options, pf_batch_options};

	for (size_t i = 0; i < PF_COUNT(TABLES); i++) {
		for (const struct pf_option *o = TABLES[i]; o->name; o++) {
			if (strcmp(o->name, name) == 0) {
				return o;
			}
		}
	}
	return NULL;
}

int pf_settings_with_plan(const struct pf_args *args, const struct pf_plan *plan,
	struct pf_args *out, struct pf_err *err)
{
	size_t n = args->given_count;

	*out = *args;
	out->given = calloc(n + plan->option_n + 1, sizeof(*out->given));
	if (!out->given) {
		return pf_fail_memory(err, "the options");
	}
	for (size_t i = 0; i < args->given_count; i++) {
		out->given[i] = args->given[i];
	}
	for (size_t i = 0; i < plan->option_n; i++) {
		const struct pf_plan_option *o = &plan->options[i];

		if (!pf_args_has(args, o->name)) {
			out->given[n] = (struct pf_given){find_option(o->name), o->value, o->line};
			pf_assert(out->given[n].option);
			n++;
		}
	}
	out->given_count = n;
	return PF_OK;
}

void pf_settings_free(struct pf_settings *s)
{
	for (size_t i = 0; i < s->rules.maps; i++) {
		pf_path_deinit(&s->map[i].from);
		pf_path_deinit(&s->map[i].to);
	}
	free((void *)s->from);
	free((void *)s->to);
	free((void *)s->include);
	free((void *)s->exclude);
	free((void *)s->subjects);
	free((void *)s->trusted);
	free(s->map);
	free(s->subject_text);
	*s = (struct pf_settings){0};
}
