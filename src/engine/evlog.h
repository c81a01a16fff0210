/*
 * The one place where events go: the ledger, the systemd journal when there is one, else a
 * JSON-lines file, and whoever listens (the screen).
 */
#ifndef PF_ENGINE_EVLOG_H
#define PF_ENGINE_EVLOG_H

#include "ledger/ledger.h"

struct pf_evlog;

struct pf_evlog_event {
	int64_t account; /* of the ledger; 0: the run's */
	int64_t at_utc_s;
	int number;          /* of enum pf_event_number */
	const char *folder;  /* shown path, or NULL */
	struct pf_span item; /* the source's id, or absent */
	const char *text;    /* safe to print */
	struct pf_span raw;  /* the bytes it is about, or absent */
};

struct pf_evlog_listener {
	void (*event)(struct pf_evlog_listener *l, const struct pf_evlog_event *ev);
};

struct pf_evlog_cfg {
	struct pf_ledger *ledger; /* NULL: not there (check without a ledger) */
	const char *jsonl_path;   /* NULL: no file */
	bool journal; /* to the systemd journal when its socket is there; then no file */
	const char *journal_socket;         /* NULL: the usual place */
	struct pf_evlog_listener *listener; /* or NULL */
};

/*
 * Bounds. A flood of one number costs the screen PF_EVLOG_SCREEN_MAX lines a folder and one that
 * says so (a server's ALERT is always shown), and all records together PF_EVLOG_KEPT_MAX events and
 * one that says so; what is beyond is only counted. The file is renamed to PATH.1 when it is full,
 * so the two together never hold more than twice PF_EVLOG_FILE_MAX bytes.
 */
enum {
	PF_EVLOG_SCREEN_MAX = 10,
	PF_EVLOG_KEPT_MAX = 100000,
	PF_EVLOG_FILE_MAX = 16 << 20,
};

/* What `cfg` points to must outlive the log. */
PF_MUST_CHECK int pf_evlog_new(
	const struct pf_evlog_cfg *cfg, struct pf_evlog **out, struct pf_err *err);
void pf_evlog_free(struct pf_evlog **log);
/*
 * Never fails the caller: when an event can't be written anywhere the listener is told once, by an
 * event of number 0.
 */
void pf_evlog_add(struct pf_evlog *log, const struct pf_evlog_event *ev);
/* How many of this number came in this process. */
uint64_t pf_evlog_count(const struct pf_evlog *log, int number);

#endif
