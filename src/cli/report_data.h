/*
 * What a report is made of, read from the ledger once.
 */
#ifndef PF_CLI_REPORT_DATA_H
#define PF_CLI_REPORT_DATA_H

#include "base/arena.h"
#include "cli/missed.h"

struct pf_report_folder {
	int64_t id;                   /* the ledger's */
	const char *from, *to, *note; /* shown; to "": nowhere */
	const char *verdict;
	uint64_t items[PF_VERDICT_COUNT], bytes[PF_VERDICT_COUNT];
};

struct pf_report {
	const char *from, *to; /* identities */
	size_t number;         /* of the account within what is written: 0, 1, ... */
	struct pf_report_folder *folders;
	size_t folder_count;
	struct pf_missed *missed;
	size_t missed_count;
	struct pf_missed *noted; /* arrived, with a note; the first NOTED_MAX of `noted_all` */
	size_t noted_count, noted_all;
	uint64_t items[PF_VERDICT_COUNT], bytes[PF_VERDICT_COUNT];
	size_t folders_failed;
	int64_t begun_utc_s, ended_utc_s; /* of the last pass */
	size_t passes;
	const char
		*not_ended; /* why the last pass does not count as one, in words; NULL: it does */
	/* The latest date of what the source listed, and of what is at the target; PF_DATE_NONE: no
	 * date at all */
	int64_t newest_utc_s[2];
	/* Items that the source has in another form, and what became of their properties: what was
	 * lost first. */
	struct pf_ledger_fate_sums fates;
	size_t unresolved; /* addresses in them */
	bool rights_left;  /* rights of others on folders were not carried over */
	char merkle[65];   /* root over the fingerprints, see engine/merkle.h */
	struct pf_arena arena;
};

PF_MUST_CHECK int pf_report_read(struct pf_ledger *led, const struct pf_ledger_account *account,
	const char *quarantine, struct pf_report *out, struct pf_err *err);
void pf_report_free(struct pf_report *r);

/* Whether all of it arrived, and the last pass came to its end to see that. */
bool pf_report_is_complete(const struct pf_report *r);

/* report_text.c, report_json.c, report_csv.c, report_html.c: into `out`. */
PF_MUST_CHECK int pf_report_text(const struct pf_report *r, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_report_json(const struct pf_report *r, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_report_csv(const struct pf_report *r, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_report_html(const struct pf_report *r, struct pf_buf *out, struct pf_err *err);

#endif
