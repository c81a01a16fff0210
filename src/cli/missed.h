/*
 * What did not arrive, item by item, as a person wants to read it: from the ledger and the
 * quarantine.
 */
#ifndef PF_CLI_MISSED_H
#define PF_CLI_MISSED_H

#include "ledger/ledger.h"

struct pf_missed {
	char folder[256]; /* shown path */
	char id[64];      /* the source's id */
	char verdict[16]; /* "quarantined" or "open" */
	char date[32];
	uint64_t size;
	char message_id[200], subject[256]; /* "" = not known */
	char reason[512];
	bool is_folder; /* a whole folder */
};

/* Called for each; false ends the reading. */
struct pf_missed_sink {
	bool (*take)(struct pf_missed_sink *s, const struct pf_missed *m);
};

/* `quarantine`: the directory, or NULL. */
PF_MUST_CHECK int pf_missed_read(struct pf_ledger *led, int64_t account, const char *account_name,
	const char *quarantine, struct pf_missed_sink *sink, struct pf_err *err);

#endif
