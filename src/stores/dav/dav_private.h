/*
 * CalDAV (RFC 4791) and CardDAV (RFC 6352) servers. A folder's id is its path, an item's id is its
 * path as well (both in the one form of proto/dav/href.h), an item's version is its ETag.
 *
 *   store.c     the table that the engine sees; which operation is done by what
 *   op.c        operations: their order, what they keep
 *   call.c      requests in flight, what all answers have in common; lost links
 *   locate.c    which server it is
 *   discover.c  from the URL to the account's home sets
 *   folders.c   collections
 *   make.c      making them
 *   list.c      sync-collection, PROPFIND
 *   get.c       multiget, GET
 *   attach.c    attachments that an item only refers to
 *   managed.c   attachments that are added by themselves
 *   put.c       PUT, DELETE
 *   quirks.c    servers that differ
 *
 * The queue, the events and patience are those of stores/http_store.h.
 */
#ifndef PF_STORES_DAV_DAV_PRIVATE_H
#define PF_STORES_DAV_DAV_PRIVATE_H

#include "net/dns.h"
#include "proto/dav/href.h"
#include "proto/dav/multi.h"
#include "proto/dav/request.h"
#include "proto/dav/said.h"
#include "stores/http_store.h"

enum {
	DAV_CALLS = 64,
	DAV_WITHIN = 100, /* plain collections that are looked into */
	DAV_BATCH = 50,   /* items asked for by one multiget */
	DAV_BATCHES = 4,  /* multigets in flight */
	DAV_TRIES = 3,    /* of an operation over lost connections and a server's own mistakes */
	DAV_LOSSES = 8,   /* in a row, with no answer between them */
	DAV_LOSSES_FIRST = 1, /* the same before the server ever answered: it may be a wrong
				 address */
	DAV_PAUSES = 10,      /* in a row, with nothing done between them */
	DAV_REDIRECTS = 5,
	DAV_PAGES = 100000, /* of a truncated listing */
	DAV_PATH_MAX = 65536,
	DAV_TEXT_MAX = 1 << 20,
	DAV_ITEM_MAX = 80 << 20,    /* a larger item is none */
	DAV_ANSWER_MAX = 256 << 20, /* the listing of a folder */
	DAV_CONNECTIONS = 4,
};

enum dmake { DMAKE_NEW, DMAKE_LOOK, DMAKE_CHECK, DMAKE_PATCH };

struct dop {
	struct pf_hs_op h;
	/* LIST */
	struct pf_blob *answer;
	struct pf_dav_multi *multi;
	struct pf_buf token;
	struct pf_buf
		sent_on; /* where the listing is from, when that is not the folder's own path */
	bool stated, synced, truncated;
	bool strange, ours; /* rows came of other places; of what is in the folder */
	unsigned int pages;
	/* GET */
	struct pf_blob *body;
	uint64_t given;
	bool alone, got;
	bool adding, undoing; /* PUT: its attachments, or that it was put */
	bool linking;         /* one of its attachments is fetched */
	size_t links_left;    /* attachments that stay references */
	char left[300];       /* why; "": none does */
	/* PUT */
	struct pf_blob *bare; /* the item without its attachments, which are added by themselves */
	size_t to_add, added; /* of them */
	bool several;         /* parts, so that each attachment is of one of them */
	bool nowhere; /* 404: of the collection, or of a server that did not understand the item? */
	/* FOLDERS: the home, then the folder, that is next */
	size_t at;
	bool listed;
	/* MKFOLDER */
	enum dmake making;
	unsigned int variant, plainer; /* of the name; how little is said at once */
	bool by_mkcol;
	bool opaque;        /* the colour is told as #rrggbbaa */
	struct pf_buf said; /* the server's last no, with a NUL */
};

static inline const struct pf_op *dop_op(const struct dop *o)
{
	return pf_hs_op_of(&o->h);
}

static inline struct dop *dop_of(struct pf_hs_op *h)
{
	return h ? pf_container_of(h, struct dop, h) : NULL;
}

/* In the order of submission. */
static inline struct dop *dop_next(const struct dop *o)
{
	return dop_of(o->h.next);
}

struct dfolder {
	struct pf_buf id, name, colour, description, timezone, cursor;
	struct pf_path path;
	uint32_t kinds;
	bool can_sync, has_order, shared;
	int order;
};

enum dcall_kind {
	DCALL_WHO,
	DCALL_OPTIONS,
	DCALL_FOLDERS,
	DCALL_LIST,
	DCALL_MULTIGET,
	DCALL_GET,
	DCALL_ATTACH,
	DCALL_ADD,
	DCALL_UNDO,
	DCALL_PUT,
	DCALL_HOLDER,
	DCALL_HOME,
	DCALL_REMOVE,
	DCALL_MAKE,
	DCALL_LOOK,
	DCALL_PATCH,
};

/* A request in flight and the operations that it is for. */
struct dcall {
	bool busy;
	enum dcall_kind kind;
	struct dop *ops[DAV_BATCH];
	size_t n;
	struct pf_buf target;
	unsigned int redirects;
	/* to be sent again to another place */
	const char *method;
	struct pf_blob *body;
	char fields[5][400];
	const char *field_list[6];
	size_t field_n;
};

enum dstage { DSTAGE_PLACES, DSTAGE_PRINCIPAL, DSTAGE_OPTIONS, DSTAGE_READY };

struct dstore {
	struct pf_hs h;
	struct pf_origin origin;
	bool contacts;
	/* where it is */
	bool dns_plain, located, moving, begun;
	struct pf_dns *dns;
	size_t dns_at; /* the next of them */
	struct pf_dns_answer dns_found;
	char host[256], dns_says[600];
	/* discovery */
	enum dstage stage;
	bool asking; /* its request is in flight */
	bool given;  /* the first place is where the collections are, or is one */
	size_t place, places;
	struct pf_buf place_path[4], principal, home[PF_DAV_HOMES], only;
	size_t homes;
	bool insisted, has_given, sent_away;
	bool local_rids; /* rid= is as RECURRENCE-ID stands, not in UTC */
	char why_not[400], server[128], dav[512], about[200];
	struct dfolder *folder;
	size_t folder_n, folder_cap;
	struct pf_buf
		within[DAV_WITHIN]; /* plain collections below the homes, to be listed as well */
	size_t within_n;
	struct dcall call[DAV_CALLS];
	size_t batches;
	bool no_multiget;
	unsigned int moves;
	/* what events borrow */
	struct pf_folder folder_out;
	struct pf_buf id_out, version_out;
};

static inline struct dstore *dstore_of(struct pf_hs *h)
{
	return pf_container_of(h, struct dstore, h);
}

static inline const struct dstore *dstore_const(const struct pf_hs *h)
{
	return (const struct dstore *)(const void *)h; /* its first member */
}

/* ---- op.c ---- */
struct pf_hs_op *dop_new(const struct pf_op *op);
void dop_free(struct pf_hs_op *o);
bool dop_may_start(const struct pf_hs *h, const struct pf_hs_op *o);

static inline void dop_give(struct dstore *s, struct dop *o)
{
	pf_hs_give(&s->h, &o->h);
}

static inline void dop_failed(struct dstore *s, struct dop *o, const struct pf_err *why)
{
	pf_hs_failed(&s->h, &o->h, why);
}

/* The server's no to this very item. */
static inline void dop_refused(struct dstore *s, struct dop *o, const struct pf_err *why)
{
	pf_hs_refused(&s->h, &o->h, why);
}

/* Ends as the server's words tell; `scope` of a final no. */
void dop_said(struct dstore *s, struct dop *o, const struct pf_dav_said *said, enum pf_scope scope,
	const char *what);

/* ---- call.c ---- */
/* NULL: none is free. */
struct dcall *dcall_new(struct dstore *s, enum dcall_kind kind, struct dop *o);
int dcall_field(struct dcall *c, struct pf_err *err, const char *fmt, ...) PF_PRINTF(3, 4);
/* Send it. `body` may be NULL; its reference is taken. PF_FAIL: scope RUN. */
int dcall_send(struct dstore *s, struct dcall *c, const char *method, struct pf_span target,
	struct pf_blob *body, struct pf_err *err);
/* A PROPFIND or REPORT. `text` is emptied. */
int dcall_send_xml(struct dstore *s, struct dcall *c, const char *method, struct pf_span target,
	struct pf_buf *text, const char *depth, struct pf_err *err);
int dcall_propfind(struct dstore *s, struct dcall *c, enum pf_dav_ask what, struct pf_span target,
	const char *depth, struct pf_err *err);
/* One answer is taken. PF_AGAIN: none is there. */
int dcall_take(struct pf_hs *h, int64_t *wake_ms, struct pf_err *err);
bool dcall_room(const struct pf_hs *h);
void dstore_lost(struct dstore *s, const struct pf_err *why);
/* A reference in its one form, replacing what `out` has; false: it is not of this origin. */
bool dstore_href(struct dstore *s, struct pf_span href, struct pf_span base, bool folder,
	struct pf_buf *out);
/*
 * The same of an answer to what was asked for at `asked`. A server behind a proxy may give itself
 * another name: its own answer, of what lies there, is of this origin all the same.
 */
bool dstore_answered(struct dstore *s, struct pf_span href, struct pf_span asked, bool folder,
	struct pf_buf *out);
/* A request went to the wrong place: what to do about it, in words. */
int dav_fail_elsewhere(
	const struct dstore *s, enum pf_scope scope, struct pf_span href, struct pf_err *err);

/* ---- locate.c ---- */
/* PF_OK: it is known. PF_AGAIN: the name service is asked. */
int dav_locate_step(struct dstore *s, struct pf_err *err);
/* Go on with the domain's next server; false: there is none, or none that we may go to. */
bool dav_locate_next(struct dstore *s);
/* The server sends us to another one: go there if we may. `home`: there are our collections. */
bool dav_locate_follow(struct dstore *s, struct pf_span href, bool home);

/* ---- discover.c ---- */
int dav_discover_begin(struct dstore *s, struct pf_err *err);
int dav_discover_step(struct dstore *s, struct pf_err *err);
int dav_discover_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);

/* ---- folders.c ---- */
int dav_folders_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_folders_answer(struct dstore *s, struct dop *o, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);
/* PF_END: all are given. */
int dav_folders_give(
	struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err);
struct dfolder *dav_folder_find(const struct dstore *s, struct pf_span id);
void dav_folders_free(struct dstore *s);

/* ---- make.c ---- */
int dav_make_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_make_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);

/* ---- list.c ---- */
int dav_list_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_list_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);
/* PF_AGAIN: it waits for another page. */
int dav_list_give(struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err);

/* ---- get.c ---- */
/* With others behind it that go together. */
int dav_get_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_get_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);
int dav_get_give(struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err);
/* Text as XML leaves it, with its CRLFs again; NULL: no memory. */
struct pf_blob *dav_get_crlf(struct pf_span text);

/* ---- attach.c ---- */
/* Its body is whole: go on with the next attachment on this server, or give it. */
void dav_attach_next(struct dstore *s, struct dop *o);
int dav_attach_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_attach_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);
/* The one that was asked for can't be had. */
void dav_attach_left(struct dstore *s, struct dop *o, const char *why);

/* ---- managed.c ---- */
/* The item is too large for a PUT. *yes: it can be put without its attachments, o->bare. */
int dav_managed_begin(struct dstore *s, struct dop *o, bool *yes, struct pf_err *err);
/* It is there without them. */
void dav_managed_stored(struct dop *o);
int dav_managed_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_managed_undo(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_managed_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);

/* ---- put.c ---- */
int dav_put_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_put_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err);
int dav_remove_start(struct dstore *s, struct dop *o, struct pf_err *err);
int dav_remove_answer(
	struct dstore *s, struct dop *o, const struct pf_dav_said *said, struct pf_err *err);
/* An ETag as it is compared and sent: with its quotes; "W/" stays. */
int dav_put_etag(struct pf_span etag, struct pf_buf *out, struct pf_err *err);

/* ---- quirks.c ---- */
/* What the server's own words say of it. */
void dav_quirks_learn(struct dstore *s);

#endif
