/*
 * The options that copy, check, verify and retry share: tables, values, rules.
 */
#ifndef PF_CLI_SETTINGS_H
#define PF_CLI_SETTINGS_H

#include "cli/command.h"
#include "engine/rules.h"
#include "plan/plan.h"

struct pf_settings {
	const char *plan;        /* a word of the command line; NULL: none */
	const char **from, **to; /* all that are given, ended by NULL; a plan has one at the most */
	const char *from_secret, *to_secret, *from_admin, *to_admin;
	const char *from_cert, *to_cert;
	const char *from_admin_form, *to_admin_form;
	const char *dns_server;
	const char *ledger, *quarantine, *ca_file, *fingerprint, *trace, *address_map, *keep_raw;
	bool no_receipts; /* $MDNSent for what asks for a receipt */
	bool recovered;   /* deleted items as well */
	bool unwrap_tnef; /* a message as what its TNEF part holds */
	bool allow_plaintext, mirror, mirror_all, dry_run, json, quiet, no_progress, verbose, deep;
	size_t connections, tries;
	size_t series_years; /* behind this one, that series are made single events for */
	uint64_t rate, memory;
	uint64_t daily[2]; /* source, target; 0: nothing said, UINT64_MAX: none */
	bool no_wait;      /* for the next day */
	struct pf_rules rules;
	/* owned */
	const char **include, **exclude, **subjects, **trusted;
	struct pf_map_rule *map;
	char *subject_text;
};

extern const struct pf_option pf_account_options[]; /* --from, --to, --ledger */
extern const struct pf_option pf_link_options[];    /* secrets, TLS, speed */
extern const struct pf_option pf_rule_options[];    /* what to take */
extern const struct pf_option pf_screen_options[];  /* --json, --quiet, ... */
extern const struct pf_option pf_batch_options[];   /* for many accounts */

/* PF_FAIL (scope RUN): a value is wrong; says which option, and the right form. */
PF_MUST_CHECK int pf_settings_read(
	const struct pf_args *args, struct pf_settings *out, struct pf_err *err);
/*
 * The command line and what the plan says beside it; where both say something the command line
 * holds. `out->given` is the caller's (free), the rest is shared with `args`.
 */
PF_MUST_CHECK int pf_settings_with_plan(const struct pf_args *args, const struct pf_plan *plan,
	struct pf_args *out, struct pf_err *err);
void pf_settings_free(struct pf_settings *s);

/* "10M" in bytes; K, M, G are powers of 1,024. */
PF_MUST_CHECK int pf_parse_size(
	const char *option, const char *text, uint64_t *out, struct pf_err *err);
/* The same, or "none": UINT64_MAX. */
PF_MUST_CHECK int pf_parse_daily(
	const char *option, const char *text, uint64_t *out, struct pf_err *err);
/* The number of an event, say. `what` is for the message. */
PF_MUST_CHECK int pf_parse_number(const char *what, const char *text, int *out, struct pf_err *err);
/* "2024-02-29" as the first second of that day, UTC. */
PF_MUST_CHECK int pf_parse_date(
	const char *option, const char *text, int64_t *out, struct pf_err *err);

#endif
