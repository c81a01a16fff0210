/*
 * Stores that ask a server over HTTP. An operation begins as soon as none before it is in its way;
 * several requests are in flight, each for one operation or more; what became of them is told in
 * the order in which they ended. Here are the queue, the events, items that are fed, and patience:
 * with servers that want to be left alone, and with links that are lost. Such a store gives the
 * functions of pf_hs_does.
 *
 * An operation is WAITING, RUNNING (a request of it is in flight) or GIVING (its events can be
 * taken); an answer that asks for patience puts it back to WAITING.
 */
#ifndef PF_STORES_HTTP_STORE_H
#define PF_STORES_HTTP_STORE_H

#include "base/origin.h"
#include "net/http.h"
#include "stores/op.h"

struct pf_hs;

enum pf_hs_state { PF_HS_WAITING, PF_HS_RUNNING, PF_HS_GIVING };

enum { PF_HS_OPS_MAX = 1024, PF_HS_NOTES = 8 };

/* An operation's end. */
struct pf_hs_end {
	struct pf_err why;
	bool failed, in_doubt, put_off, missing, refused, recalled, existed;
	enum pf_conflict conflict;
	struct pf_buf id, version, holder;
	char native_refused[200]; /* why it was stored as its body; "": it was not refused */
};

/* Such a store's operation embeds this first. */
struct pf_hs_op {
	struct pf_hs_op *prev, *next; /* in the order of submission */
	struct pf_hs_op *give_next;
	struct pf_op_kept kept;
	enum pf_hs_state state;
	bool begun; /* a request was sent for it */
	unsigned int tries;
	struct pf_hs_end end;
	/* PUT without body */
	struct pf_blob *fed;
	uint64_t fed_n;
};

struct pf_hs_does {
	unsigned int losses;       /* of links in a row, with no answer between them */
	unsigned int losses_first; /* the same before the server ever answered: it may be a wrong
				      address */
	unsigned int pauses;       /* in a row, with nothing done between them */
	int64_t pause_max_ms;
	size_t id_max, version_max; /* bytes */
	bool fed;                   /* items may come by feed() */
	bool cookies;               /* as in pf_http_cfg */
	/* A new operation; NULL: no memory. What it embeds is set afterwards, and taken down before
	 * op_free. */
	struct pf_hs_op *(*op_new)(const struct pf_op *op);
	void (*op_free)(struct pf_hs_op *o);
	/* It may begin: no earlier one is in its way. Not asked of CLOSE, which is the last. */
	bool (*may_start)(const struct pf_hs *s, const struct pf_hs_op *o);
	/* A request can be sent. */
	bool (*room)(const struct pf_hs *s);
	/* The next step towards `ready`. PF_AGAIN: an answer is waited for. */
	int (*sign_in)(struct pf_hs *s, struct pf_err *err);
	/* Send for it. PF_AGAIN: later. PF_FAIL (scope ITEM): it is refused. */
	int (*start)(struct pf_hs *s, struct pf_hs_op *o, struct pf_err *err);
	/* Take one answer. PF_AGAIN: none is there. */
	int (*take)(struct pf_hs *s, int64_t *wake_ms, struct pf_err *err);
	/* The next event of an operation that is GIVING, before its end. PF_END: there is none.
	 * PF_AGAIN: it needs another request first. */
	int (*give)(struct pf_hs *s, struct pf_hs_op *o, struct pf_store_event *out,
		struct pf_err *err);
};

struct pf_hs_note {
	int number;
	char text[400];
	int64_t until_ms;
};

/* Such a store embeds this first. */
struct pf_hs {
	struct pf_store base;
	const struct pf_store_cfg *cfg;
	const struct pf_hs_does *does;
	struct pf_loop *loop;
	struct pf_http *http;
	struct pf_store_facts facts;
	bool ready;        /* the store's to set: signed in */
	bool signed_again; /* the store's to clear, by an answer that is no 401 */
	bool ready_told, lost, closed;
	struct pf_err lost_why;
	/* operations */
	struct pf_hs_op *first, *last, *give_first, *give_last, *told;
	size_t ops, of[PF_OP_CLOSE + 1]; /* all of them; by their kind */
	struct pf_hs_op *feeding;
	bool hungry_due;
	/* patience */
	int64_t quiet_until_ms;
	unsigned int pauses; /* in a row; 0 again is the store's to set */
	unsigned int losses; /* in a row; 0 again is the store's to set */
	struct pf_hs_note note[PF_HS_NOTES], note_told;
	size_t note_n;
};

/* ---- life ---- */

void pf_hs_init(struct pf_hs *s, const struct pf_store_ops *ops, struct pf_loop *loop,
	const struct pf_store_cfg *cfg, const struct pf_hs_does *does);
/* Closes connections, drops what is queued. */
void pf_hs_deinit(struct pf_hs *s);
/*
 * An HTTP client for that server, in the place of another one. PF_FAIL: as pf_http_new; scope RUN
 * when it would be without TLS and nobody allowed that: `scheme` is the one that would be with it.
 */
int pf_hs_connect(struct pf_hs *s, const char *host, int port, bool https, const char *scheme,
	struct pf_err *err);
/*
 * Whether the password may go there, from where it may go already: the administrator named it
 * (--trust-host), and it is not from a link that is protected to one that is not.
 */
bool pf_hs_may_go(const struct pf_hs *s, bool from_https, const struct pf_origin *to);
/* Take what proves who we are and show it from now on. *given, may be NULL: there is something. */
int pf_hs_sign_in(struct pf_hs *s, const char *user, bool *given, struct pf_err *err);
/*
 * 401. PF_OK: the request may be made again, as it went out before we last signed in, or a token
 * may have run out, or a password is refused that was good before: servers say so in passing.
 * PF_END: nothing helps; a refused password is never tried twice in a row.
 */
int pf_hs_sign_in_again(
	struct pf_hs *s, const char *user, const struct pf_http_answer *a, struct pf_err *err);

/* ---- operations ---- */

static inline const struct pf_op *pf_hs_op_of(const struct pf_hs_op *o)
{
	return &o->kept.op;
}

/* How many of the queue change something. */
size_t pf_hs_writers(const struct pf_hs *s);
/* A request was sent for it. */
void pf_hs_op_runs(struct pf_hs_op *o);
/* Its events can be taken; the end is what o->end says. */
void pf_hs_give(struct pf_hs *s, struct pf_hs_op *o);
void pf_hs_failed(struct pf_hs *s, struct pf_hs_op *o, const struct pf_err *why);
/* The server's no to this very item. */
void pf_hs_refused(struct pf_hs *s, struct pf_hs_op *o, const struct pf_err *why);
/*
 * For `start` of a PUT: its body is whole. PF_OK: it is. PF_AGAIN: its bytes are on the way, or
 * another one's are.
 */
int pf_hs_whole(struct pf_hs *s, struct pf_hs_op *o, struct pf_err *err);

/* ---- what is told, patience ---- */

void pf_hs_note(struct pf_hs *s, int number, const char *fmt, ...) PF_PRINTF(3, 4);
void pf_hs_lost(struct pf_hs *s, const struct pf_err *why);
/* Nothing is to be sent now; *wake_ms tells until when. */
bool pf_hs_quiet(const struct pf_hs *s, int64_t *wake_ms);
/* The server asks for `ms` of patience (0: it does not say how long), or needs some. */
void pf_hs_be_patient(struct pf_hs *s, int64_t ms, const char *text);
/* A short one of our own accord, longer after each lost link in a row. */
void pf_hs_pause(struct pf_hs *s, unsigned int times);
/* A link was lost: pauses, and tells. false: for the last time; that it is lost is the caller's to
 * say. */
bool pf_hs_link_lost(struct pf_hs *s, const struct pf_err *why);
/*
 * What becomes of one operation of the request that was lost with its link: one that `may_be_done`
 * ends in doubt, as whether it was done is for the engine to find out; any other waits again, at
 * most `tries` times.
 */
void pf_hs_op_lost(struct pf_hs *s, struct pf_hs_op *o, bool may_be_done, unsigned int tries,
	const struct pf_http_answer *a);

/* ---- for the table of operations ---- */
int pf_hs_submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err);
int pf_hs_feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err);
int pf_hs_next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err);
const struct pf_store_facts *pf_hs_facts(const struct pf_store *base);

#endif
