/*
 * Exchange 2007 SP1 and later over Exchange Web Services: mail. Ids are the server's own, which
 * differ in nothing but case at times.
 *
 *   store.c     the table that the engine sees; which operation is done by what
 *   op.c        operations: their order, what they keep
 *   call.c      requests in flight; lost links
 *   answer.c    what all answers have in common: refusals, whole and of single items
 *   page.c      pages for people in place of an answer
 *   sign_in.c   who we are, which version is spoken, the folders that each mailbox has
 *   locate.c    where the service is, when not at the URL's host
 *   folders.c   FindFolder; what folders are for
 *   make.c      CreateFolder
 *   list.c      SyncFolderItems
 *   beside.c    folders of a target that are to hold several kinds
 *   kinds.c     which kinds a folder holds
 *   get.c       GetItem with what it says as MIME, several in one request
 *   whole.c     items property by property, with all that is within
 *   stream.c    ExportItems: items as Exchange itself moves them
 *   put.c       CreateItem of mail, several in one request
 *   upload.c    UploadItems: items as another Exchange gave them
 *   keyed*.c    items other than mail, in steps; keys.c names that they are known again by; made.c
 *               what Exchange has for them
 *   marks.c     UpdateItem, DeleteItem; flags and what Exchange has for them
 *
 * The queue, the events and patience are those of stores/http_store.h.
 */
#ifndef PF_STORES_EWS_EWS_PRIVATE_H
#define PF_STORES_EWS_EWS_PRIVATE_H

#include "base/arena.h"
#include "convert/mapi_make.h"
#include "net/dns.h"
#include "proto/ews/answer.h"
#include "proto/ews/item_make.h"
#include "proto/ews/request.h"
#include "proto/ews/transfer.h"
#include "stores/http_store.h"

enum {
	EWS_CALLS = 64,
	EWS_BATCH = 100, /* operations in a request, whatever its kind */
	EWS_GETS = 10,
	EWS_PUTS = 20,
	EWS_KEYED = 10,             /* of items other than mail */
	EWS_KEPT_TEXT = 1 << 20,    /* that is stored beside an item */
	EWS_BATCH_BYTES = 8 << 20,  /* of the items in one request */
	EWS_STREAM_BYTES = 4 << 20, /* the same of their streams: 2010 SP1 takes 25 MB in base64 */
	EWS_READS = 4,              /* requests for bodies in flight */
	EWS_ROWS = 100,             /* items that are looked at again in one request */
	EWS_PASSES = 6,             /* of what may pass: the pauses between them grow to 8 s */
	EWS_TRIES = 3,        /* of an operation over lost links and a server's own mistakes */
	EWS_LOSSES = 8,       /* in a row, with no answer between them */
	EWS_LOSSES_FIRST = 1, /* the same before the server ever answered: it may be a wrong
				 address */
	EWS_PAUSES = 10,      /* in a row, with nothing done between them */
	EWS_ID_MAX = 65536,
	EWS_TEXT_MAX = 1 << 20,
	EWS_STATE_MAX = 16 << 20, /* of a listing: grows with the folder */
	EWS_ITEM_MAX = 150 << 20, /* as large as any Exchange takes */
	EWS_ANSWER_MAX = 256 << 20,
	EWS_PAGES = 100000, /* of a listing */
	EWS_CLASSES = 32,   /* of items, for all kinds together */
	EWS_KIND_NAME = 32, /* and a blank before it */
	EWS_CONNECTIONS = 4,
};

/* The ways to an item, from the one that loses least to the one that asks least of the server. */
enum eroad {
	EROAD_UNKNOWN,
	EROAD_MIME,   /* mail, as it was sent */
	EROAD_WHOLE,  /* its properties */
	EROAD_STORED, /* the same, with the body as it is stored: nothing is converted there */
};

struct ewhole;
struct ekeys;

/* An exception of a series: its number among the occurrences, and its own id when it has one. */
struct emoved {
	const struct pf_mapi_item *item;
	size_t number;
	struct pf_span id;
};

/* An item as it is put, with what its steps need. */
struct emade {
	struct pf_arena arena;
	struct pf_mapi_made made;
	struct pf_ews_make make;
	const struct pf_mapi_item *old; /* that is to become it; NULL: none is known */
	struct pf_ews_zone start, end;
	struct pf_ews_series series;
	size_t files; /* of the item itself */
	struct emoved *change;
	size_t change_n;
	size_t *gone; /* numbers of occurrences that are none */
	size_t gone_n;
};

/* Of a PUT that is no mail (keyed.c). */
enum eput_step {
	EPUT_BEGIN,
	EPUT_ZONE,
	EPUT_PLACE,
	EPUT_NAMES,
	EPUT_UNDO,
	EPUT_UPLOAD,
	EPUT_READ,
	EPUT_RENEW,
	EPUT_CREATE,
	EPUT_FILES,
	EPUT_CHANGE,
	EPUT_FILES_OF,
	EPUT_TAKE_OUT,
	EPUT_LOCK,
	EPUT_NAME,
	EPUT_DROP,
	EPUT_DONE,
};

/* A row of a listing. */
struct erow {
	struct pf_item item;
	bool gone;
};

struct eop {
	struct pf_hs_op h;
	bool alone; /* not together with others */
	/* LIST */
	struct pf_arena arena;
	struct erow *rows;
	size_t row_n, row_cap, at, given_n;
	struct pf_span *look; /* ids of items that are to be looked at again */
	size_t look_n, look_cap, looked;
	struct pf_buf cursor;
	size_t beside; /* the next kind whose folder beside it is listed */
	bool delta, stated, synced;
	unsigned int pages;
	/* GET */
	struct pf_blob *body;
	uint64_t given;
	enum eroad road;
	enum pf_kind kind;    /* that the folder is listed with; known with the road */
	struct ewhole *whole; /* what of it is there so far; NULL: nothing */
	char said[200];       /* why it had to be another one than the first; "": it is the first */
	struct pf_fates fates;     /* what became of its properties, in `arena` */
	bool stream_over;          /* GET: there is no more to be asked of its stream; PUT: it was
				      refused */
	struct pf_blob *stream;    /* GET: what there is of it as the store has it; NULL: nothing */
	const char *stream_ending; /* ".fts": it is one of ExportItems */
	bool half;                 /* it has a mark of a PUT that is not over: it is not moved so */
	bool uid_made;             /* of what is given: it has no UID there */
	char no_stream[200];       /* why ExportItems gave none; "": it was not asked, or gave it */
	/* PUT of what is no mail */
	struct emade *made;
	struct pf_buf name, key, new_id;
	struct pf_buf place;  /* the folder that it goes to */
	struct pf_buf marked; /* the version of the item in whose place it goes, since it was
				 marked; empty: not known */
	size_t put_at, put_file, asked; /* of the step: what is next; what was asked for */
	enum eput_step step;
	bool locked;  /* the item in whose place it goes is marked already */
	bool anew;    /* that one can't become what it is to be */
	bool sent;    /* by that name, and the answer does not tell that it was not made */
	bool failing; /* UNDO is the last step, then it has failed: */
	char why[400];
	/* FLAGS */
	bool known; /* how it is marked was asked for: */
	int verb;
	struct pf_buf words;
	/* MKFOLDER */
	size_t depth; /* the segment that is next */
	unsigned int looks;
};

static inline const struct pf_op *eop_op(const struct eop *o)
{
	return pf_hs_op_of(&o->h);
}

static inline struct eop *eop_of(struct pf_hs_op *h)
{
	return h ? pf_container_of(h, struct eop, h) : NULL;
}

/* In the order of submission. */
static inline struct eop *eop_next(const struct eop *o)
{
	return eop_of(o->h.next);
}

struct efolder {
	struct pf_buf id, parent, name, folder_class;
	struct pf_path path;
	uint64_t count;
	uint32_t kinds; /* of enum pf_kind: that it holds, as far as is known */
	bool placed;    /* its path is known */
	bool hidden;    /* it is of no use to people */
};

enum ecall_kind {
	ECALL_WHERE,
	ECALL_KNOWN,
	ECALL_FOLDERS,
	ECALL_MAKE,
	ECALL_SYNC,
	ECALL_ROWS,
	ECALL_KINDS,
	ECALL_EXPORT,
	ECALL_MIME,
	ECALL_WHOLE,
	ECALL_OCCURRENCES,
	ECALL_ATTACHMENTS,
	ECALL_UPLOAD,
	ECALL_CREATE,
	ECALL_KEYED,
	ECALL_MARKS,
	ECALL_UPDATE,
	ECALL_DELETE,
};

/* A request in flight and the operations that it is for, in the order of its items. */
struct ecall {
	bool busy;
	enum ecall_kind kind;
	struct eop *ops[EWS_BATCH];
	size_t n;
};

/* Where the service is: see locate.c. */
struct ewhere {
	struct pf_origin origin; /* that we are connected to, or are about to be */
	char host[256];          /* of it, when it is not the URL's */
	bool begun, discovers;   /* it is looked for; Autodiscover is asked at the origin */
	bool moving;             /* a client for the origin is to be made */
	bool reached;            /* the URL's host gave an answer */
	unsigned int next, moves;
	char address[320], domain[256];
	struct pf_err why; /* it was looked for */
	char says[600];    /* what to do about it, for the error */
	bool dns_asked;
	struct pf_dns *dns;
	struct pf_dns_answer dns_found;
	size_t dns_at; /* the next of them */
};

/* Which folders hold what else than they are for: asked kind by kind. */
struct eprobe {
	size_t kind, at, next; /* the first folder that was not asked about; that of the request */
	size_t which[EWS_BATCH], n; /* folders, in the order of the request */
};

struct estore {
	struct pf_hs h;
	struct pf_ews_as as;
	char about[200], server[64], anchor[300], target[300];
	/* sign-in */
	bool begun, asking;
	unsigned int begin_tries; /* in vain, for a cause that may pass */
	struct ewhere where;
	/* folders */
	struct pf_buf known[PF_EWS_KNOWN];
	struct efolder *folder;
	size_t folder_n, folder_cap;
	bool folders_known; /* all of them were read */
	size_t folder_offset;
	struct eprobe probe;
	struct ekeys *keys; /* of the folders that were put to */
	struct pf_buf zone; /* of Windows, that its owner lives in; empty: not known */
	bool zone_asked;
	struct ecall call[EWS_CALLS];
	size_t reads;
	/* what events borrow */
	struct pf_folder folder_out;
	struct pf_buf id_out;
};

/* It makes items: whether they were made can't be told when its answer does not come. */
static inline bool ecall_makes(const struct ecall *c)
{
	return c->kind == ECALL_CREATE || c->kind == ECALL_UPLOAD;
}

static inline struct estore *estore_of(struct pf_hs *h)
{
	return pf_container_of(h, struct estore, h);
}

static inline const struct estore *estore_const(const struct pf_hs *h)
{
	return (const struct estore *)(const void *)h; /* its first member */
}

/* ---- op.c ---- */
struct pf_hs_op *eop_new(const struct pf_op *op);
void eop_free(struct pf_hs_op *o);
bool eop_may_start(const struct pf_hs *h, const struct pf_hs_op *o);

static inline void eop_give(struct estore *s, struct eop *o)
{
	pf_hs_give(&s->h, &o->h);
}

static inline void eop_failed(struct estore *s, struct eop *o, const struct pf_err *why)
{
	pf_hs_failed(&s->h, &o->h, why);
}

/* The server's no to this very item. */
static inline void eop_refused(struct estore *s, struct eop *o, const struct pf_err *why)
{
	pf_hs_refused(&s->h, &o->h, why);
}

/* ---- call.c ---- */
bool ecall_room(const struct pf_hs *h);
/* Room was asked for. `o` may be NULL. */
struct ecall *ecall_new(struct estore *s, enum ecall_kind kind, struct eop *o);
/* It is for bodies, of which only so many are in flight. */
bool ecall_is_read(const struct ecall *c);
/* Send what was written; `operation` NULL: it is none of Exchange Web Services. `text` is emptied
 * in any case. PF_FAIL: scope RUN. */
int ecall_send(struct estore *s, struct ecall *c, const char *operation, struct pf_buf *text,
	struct pf_err *err);
/* One answer is taken. PF_AGAIN: none is there. */
int ecall_take(struct pf_hs *h, int64_t *wake_ms, struct pf_err *err);
/* Its operations wait again. */
void ecall_put_back(struct estore *s, struct ecall *c);

/* ---- answer.c ---- */
/* An answer came whole. */
int ews_answer(
	struct estore *s, struct ecall *c, const struct pf_http_answer *a, struct pf_err *err);
/* What was said instead of doing it: true, the operation is dealt with. */
bool ews_said(struct estore *s, struct ecall *c, struct eop *o, const struct pf_ews_said *said);

/* ---- page.c ---- */
bool ews_is_page(const struct pf_http_answer *a);
/* From where, its first words, what to do about it. */
void ews_page_words(const struct estore *s, const struct pf_http_answer *a, char *out, size_t size);

/* ---- sign_in.c ---- */
/* PF_AGAIN: nothing to do just now. */
int ews_sign_in(struct pf_hs *h, struct pf_err *err);
int ews_take_known(struct estore *s, struct pf_ews_answer *a, struct pf_err *err);
/* It does not know the version that we spoke: an older one. false: there is none. */
bool ews_older(struct estore *s, const struct pf_ews_head *head);
/* 401: another token may help. PF_END: nothing does. */
int ews_sign_in_again(struct estore *s, const struct pf_http_answer *a, struct pf_err *err);

/* ---- locate.c ---- */
/*
 * Nothing of Exchange is where we asked, for the reason given; `reached`: something answered. true:
 * it is looked for elsewhere, or was in vain and the store is lost.
 */
bool ews_locate(struct estore *s, const struct pf_err *why, bool reached);
/* An answer that sends us on. true: it is gone to; false: we may not, or it is no place. */
bool ews_sent_on(struct estore *s, struct pf_span location);
/*
 * What answered speaks no TLS. true: it is asked anew without, as ews:// with --allow-plaintext
 * permits; ewss:// never does.
 */
bool ews_unprotected(struct estore *s);
/* PF_OK: we are connected to where it may be. PF_AGAIN: the name service is asked. */
int ews_locate_step(struct estore *s, struct pf_err *err);
/* Ask Autodiscover there. */
int ews_locate_ask(struct estore *s, struct pf_err *err);
int ews_locate_answer(struct estore *s, const struct pf_http_answer *a, struct pf_err *err);

/* ---- folders.c ---- */
int ews_folders_start(struct estore *s, struct eop *o, struct pf_err *err);
int ews_folders_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
/* PF_END: all are given. */
int ews_folders_give(struct estore *s, struct eop *o, struct pf_store_event *out);
/* NULL: there is none, that we know of. */
struct efolder *ews_folder_find(const struct estore *s, struct pf_span id);
int ews_folder_add(struct estore *s, const struct pf_ews_folder *f, struct pf_err *err);
/* The id of `name` in `parent`, case aside; absent: none. */
struct pf_span ews_folder_in(const struct estore *s, struct pf_span parent, const char *name);
void ews_folders_forget(struct estore *s);
void ews_folders_free(struct estore *s);

/* ---- kinds.c ---- */
/* What a folder of this class is for. */
enum pf_kind ews_kind_of(struct pf_span folder_class);
/* The server's id of a folder, and the kind of which it is meant. */
struct pf_span ews_folder_meant(const struct estore *s, struct pf_span id, enum pf_kind *kind);
/* Ask on; when nothing is left to ask, the operation ends. */
int ews_kinds_start(struct estore *s, struct eop *o, struct pf_err *err);
/* The first message was taken. */
int ews_kinds_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err);
/* They can't be asked. true: it goes on without, and what lies in odd places is named one by one.
 */
bool ews_kinds_refused(struct estore *s, struct eop *o, const struct pf_ews_said *said);
/* The folder of that id (as engines have it) is given out for this kind. */
bool ews_kinds_has(const struct estore *s, struct pf_span id, enum pf_kind kind);
/* The next folder and kind, from `*at` on, which is 0 to begin with; false: there is none. */
bool ews_kinds_next(const struct estore *s, size_t *at, enum pf_kind *kind);
size_t ews_kinds_folder(size_t at);

/* ---- beside.c ---- */
/* The folder for a kind: itself, or the one beside it; absent: there is none yet. */
struct pf_span ews_beside(struct estore *s, struct pf_span folder, enum pf_kind kind);
int ews_beside_name(struct estore *s, struct pf_span folder, enum pf_kind kind, struct pf_buf *out,
	struct pf_err *err);
struct pf_span ews_beside_parent(const struct estore *s, struct pf_span folder);
/* The next folder beside the one that is listed; false: there is none. */
bool ews_beside_next(struct estore *s, struct eop *o);
/* The server's id of an item; *kind is set where it is not that of its folder. */
struct pf_span ews_item_meant(struct pf_span id, enum pf_kind *kind);
/* And back. */
int ews_item_id(const struct estore *s, const struct eop *o, struct pf_span id, enum pf_kind kind,
	struct pf_buf *out, struct pf_err *err);

/* ---- make.c ---- */
/* The class of a folder for these kinds: the first of them counts. */
const char *ews_class_of(uint32_t kinds);
extern const char ews_controls[]; /* the characters that no name may have */
int ews_make_start(struct estore *s, struct eop *o, struct pf_err *err);
int ews_make_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);

/* ---- list.c ---- */
int ews_list_start(struct estore *s, struct eop *o, struct pf_err *err);
int ews_list_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
/* Of items that were looked at again; the first message was taken. */
int ews_rows_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err);
int ews_list_give(struct estore *s, struct eop *o, struct pf_store_event *out);

/* ---- get.c ---- */
int ews_get_start(struct estore *s, struct eop *o, struct pf_err *err);
int ews_get_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
int ews_get_give(const struct estore *s, struct eop *o, struct pf_store_event *out);
/* It is there: these are its bytes, or their beginning is what was wanted. */
int ews_get_give_bytes(struct estore *s, struct eop *o, struct pf_span bytes, struct pf_err *err);
/* The server can't convert it: true, it is asked for in another way. */
bool ews_get_otherwise(const struct ecall *c, struct eop *o, const struct pf_ews_said *said);

/* ---- whole.c ---- */
void ews_whole_free(struct ewhole **whole); /* NULL is fine */
/* What items of a kind are asked for as (enum pf_ews_form). */
uint32_t ews_whole_forms(enum pf_kind kind);
/* Ask for what is lacking. */
int ews_whole_start(struct estore *s, struct eop *o, struct pf_err *err);
int ews_whole_answer(
	struct estore *s, struct eop *o, const struct pf_ews_message *m, struct pf_err *err);
/* What was lacking; the first message was taken. */
int ews_lack_answer(struct estore *s, struct ecall *c, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err);

/* ---- stream.c ---- */
/* The stream of what a GET is for is to be asked for first. */
bool ews_stream_wanted(const struct estore *s, const struct eop *o);
int ews_stream_ask(
	struct estore *s, struct ecall *c, const struct pf_span *ids, struct pf_err *err);
int ews_stream_answer(
	struct eop *o, struct pf_ews_answer *a, const struct pf_ews_message *m, struct pf_err *err);
/* Whether that is a no to this form of an item, and nothing that passes, or is another one's. */
bool ews_stream_is_refused(const struct ecall *c, const struct pf_ews_said *said);
/* There is none: true, the item comes without. */
bool ews_stream_said(const struct ecall *c, struct eop *o, const struct pf_ews_said *said);
void ews_stream_give_up(struct eop *o, const char *text);

/* ---- put.c ---- */
int ews_put_start(struct estore *s, struct eop *o, struct pf_err *err);
int ews_put_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);

/* ---- upload.c ---- */
/* It is to be put in the form in which it came. */
bool ews_upload_wanted(const struct estore *s, const struct eop *o);
/* The items of a call. */
int ews_upload_send(struct estore *s, struct ecall *c, struct pf_err *err);
int ews_upload_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
/* It does not take it so: true, it is dealt with. */
bool ews_upload_said(
	struct estore *s, const struct ecall *c, struct eop *o, const struct pf_ews_said *said);

/* ---- made.c ---- */
/* Whether it can be made an item at all. */
int ews_says(enum pf_kind kind, struct pf_span text, struct pf_err *why);
/* The item of a text. PF_FAIL (item scope): Exchange has no words for it. */
int ews_make(enum pf_kind kind, struct pf_span text, const struct pf_mapi_ways *ways,
	struct emade **out, struct pf_err *err);
void ews_made_free(struct emade **made); /* NULL is fine */
/* Whether what the server shows is what the text was made: then nobody changed it since. */
bool ews_as_written(enum pf_kind kind, struct pf_span text, const struct pf_mapi_ways *ways,
	struct pf_span shown);

/* ---- keys.c ---- */
void ews_keys_free(struct estore *s);
/* They are to be read again. */
void ews_keys_doubt(struct estore *s, struct pf_span folder);
bool ews_keys_known(const struct estore *s, struct pf_span folder);
int ews_keys_ask(struct estore *s, struct eop *o, struct pf_err *err);
int ews_keys_take(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
/* The item that has it; absent: none. */
struct pf_span ews_keys_find(const struct estore *s, struct pf_span folder, struct pf_span key);
struct pf_span ews_keys_of_item(const struct estore *s, struct pf_span folder, struct pf_span id);
/* 'n', 'u', 'r' */
bool ews_key_is(struct pf_span key, char what);
/* Of one that is marked: how it was before. Absent: it is not. */
struct pf_span ews_key_version(struct pf_span key);
struct pf_span ews_key_name(struct pf_span key);

/* ---- keyed*.c ---- */
uint32_t ews_keyed_form(enum pf_kind kind);
int ews_keyed_start(struct estore *s, struct eop *o, struct pf_err *err);
/* REMOVE of one that has a version. */
int ews_keyed_remove(struct estore *s, struct eop *o, struct pf_err *err);
/* By CreateItem. */
int ews_keyed_created(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
/* By UploadItems, absent: the server does not tell which. */
int ews_keyed_uploaded(struct estore *s, struct eop *o, struct pf_span id, struct pf_err *err);
/* The first message was taken. */
int ews_keyed_answer(struct estore *s, struct ecall *c, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err);
/* Its item may be there already: that is looked for by its name before it goes on. */
void ews_keyed_look_again(struct estore *s, struct eop *o);
/* The server wants to be left alone. true: it is dealt with; false: it may just be asked again, or
 * has no name. */
bool ews_keyed_put_off(struct estore *s, const struct ecall *c, struct eop *o, const char *text);
/* What was said instead of doing a step: true, it is dealt with. */
bool ews_keyed_said(
	struct estore *s, const struct ecall *c, struct eop *o, const struct pf_ews_said *said);

/* ---- marks.c ---- */
int ews_flags_start(struct estore *s, struct eop *o, struct pf_err *err);
/* How the item is marked now. */
int ews_marks_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
int ews_remove_start(struct estore *s, struct eop *o, struct pf_err *err);
/* As a listing has it, with keywords in `arena`. */
int ews_flags_of(const struct pf_ews_item *i, struct pf_arena *arena, struct pf_flags *out,
	struct pf_err *err);
/* As a message is to be marked; its words go into `words`. */
int ews_marks_of(const struct pf_flags *flags, struct pf_buf *words, struct pf_ews_marks *out,
	struct pf_err *err);

#endif
