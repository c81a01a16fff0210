/*
 * What did not arrive, item by item, as a person wants to read it, and what arrived in another form
 * than it had: from the ledger and the quarantine.
 */
#ifndef PF_CLI_MISSED_H
#define PF_CLI_MISSED_H

#include "ledger/ledger.h"

struct pf_missed {
	const char *account; /* identity of the source; borrowed for the call */
	char folder[256];    /* shown path */
	char id[64];         /* the source's id */
	char verdict[16];    /* "quarantined" or "open"; of what arrived: "copied" or "present" */
	char date[32];
	uint64_t size;
	char message_id[200], sender[200], subject[256]; /* "" = not known */
	char reason[512];                                /* or the note, of what arrived */
	const char *hint; /* what can be done about it; "" of what arrived */
	bool is_folder;   /* a whole folder */
};

/* Called for each; false ends the reading. */
struct pf_missed_sink {
	bool (*take)(struct pf_missed_sink *s, const struct pf_missed *m);
};

/* `quarantine`: the directory, or NULL. */
PF_MUST_CHECK int pf_missed_read(struct pf_ledger *led, int64_t account, const char *account_name,
	const char *quarantine, struct pf_missed_sink *sink, struct pf_err *err);
/* The same for items that are at the target and have a note: repaired, rewritten by the target. */
PF_MUST_CHECK int pf_noted_read(struct pf_ledger *led, int64_t account, const char *account_name,
	const char *quarantine, struct pf_missed_sink *sink, struct pf_err *err);

#endif
