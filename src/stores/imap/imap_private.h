/*
 * The insides of the IMAP store.
 *
 *   store.c     operations and events: the table that the engine sees
 *   conn.c      one connection: its commands in flight, its bytes
 *   events.c    what its session has to tell, to whom it concerns
 *   lose.c      its end: what becomes of each thing that was asked for
 *   auth.c      greeting, STARTTLS, sign-in, what is asked once
 *   issue.c     from queued operations to commands
 *   folders.c   NAMESPACE, LIST, LSUB, STATUS
 *   found.c     what their answers add up to
 *   names.c     between paths and the server's names
 *   list.c      SELECT/EXAMINE and the listing of a folder
 *   rows.c      the rows of a listing, put together
 *   get.c       bodies
 *   second.c    a message part by part, when its body does not come
 *   put.c       APPEND
 *   squeeze.c   COMPRESS, where the link is slow
 *   small.c     flags, removal, making and subscribing
 *   patience.c  servers that want to be left alone, and connections that are let go
 *   quirks.c    servers that need to be treated otherwise
 */
#ifndef PF_STORES_IMAP_IMAP_PRIVATE_H
#define PF_STORES_IMAP_IMAP_PRIVATE_H

#include "net/conn.h"
#include "proto/imap/session.h"
#include "proto/sasl/sasl.h"
#include "stores/op.h"

#define FLAT_DELIMITER '/' /* between segments where the server has none: a part of the name */

enum {
	CONNECTIONS_DEFAULT = 2, /* more pays only where a server is slow on its own */
	CONNECTIONS_MAX = 16,
	OPS_MAX = 4096,     /* submitted and not ended: then submit says AGAIN */
	COMMANDS_MAX = 24,  /* in flight on a connection */
	FETCH_ITEMS = 1024, /* asked for by one UID FETCH */
	FETCH_BYTES = 8 << 20,
	GROUP_ITEMS = 100, /* stored by one APPEND */
	GROUP_BYTES = 4 << 20,
	LISTING_BYTES = 1 << 19, /* what a whole listing counts for: most likely more follows */
	BUSY_BYTES = 4 << 20, /* a connection with so much to move is worth another one beside it */
	COMMAND_BYTES = 6000, /* of a UID set: some servers take no line over 8,000 octets */
	TRIES = 3,            /* of an operation over lost connections */
	BREAKS_MAX = 64,      /* of connections at bodies of a folder, with none between: then it
				 is not the bodies */
	OPENS_MAX = 5,        /* of a folder at which the connection breaks; under LOSSES_MAX */
	BROKEN_FOLDERS_MAX = 4, /* such folders in a row: then it is not the folders */
	LOSSES_MAX = 8,         /* in a row, without any command done between them */
	ERRORS_MAX = 8,         /* BADs on a connection: servers hang up at ten or so */
	DROPS_MAX = 2,          /* times that a command the store can do without may end a link */
	SPANS = 32,
};

struct irows;
struct isecond;

/* An operation's end. */
struct iend {
	struct pf_err why;
	bool failed, in_doubt, missing, refused, grouped, recalled;
};

/* A folder that operations were submitted for. */
struct ifolder {
	struct ifolder *next; /* in its bucket */
	struct pf_buf id;
	struct iop *first, *last; /* queued, in order */
	struct iconn *conn;       /* that serves it */
	struct iconn *home;       /* that has all its commands in flight, ... */
	size_t cmds;              /* so many */
	struct ifolder *next_ready;
	bool ready;           /* in the list of those that wait for a connection */
	uint64_t validity;    /* as of the last SELECT; 0 = the server told none */
	bool opened;          /* there was a SELECT */
	bool stale;           /* the validity changed: ids mean nothing until it is listed again */
	unsigned int hangups; /* connections that broke when it was opened, in a row */
	unsigned int breaks;  /* connections that broke at its bodies, since one came */
};

struct iop {
	struct iop *next;
	uint64_t seq; /* in the order of submission */
	struct pf_op op;
	struct ifolder *folder;
	struct ifolder *to;       /* COPY */
	struct pf_buf item, text; /* copies of what op points to */
	struct pf_path path;
	struct pf_buf kw[2];
	unsigned int tries;
	bool alone;             /* not together with others */
	bool again;             /* SMALL: a command before the last one is to be asked again */
	bool sole;              /* GET: with no other body on its connection at the same time */
	bool got;               /* GET: the body came; LIST: rows were given out */
	uint64_t given;         /* GET: bytes given out as chunks */
	uint32_t uid;           /* GET */
	bool refused;           /* a command before the last one was: `end.why` */
	bool empty;             /* GET: the server gave an empty body */
	bool stub;              /* GET: it gave a text in place of the message */
	struct isecond *second; /* GET: it is asked for part by part */
	bool delta;             /* LIST: by what changed since the cursor */
	bool vanished;          /* LIST: some are gone */
	struct {
		uint64_t validity, next, count, modseq;
	} cursor;
	uint64_t exists, rows, from; /* LIST: said, listed; ids from here on */
	bool selected;               /* LIST: what comes now is of its folder */
	bool odd;                    /* LIST: a row could not be read */
	bool apart;                  /* LIST: the second look, each data item by itself */
	bool searched;               /* LIST: SEARCH named what is there */
	struct irows *seen;          /* LIST */
	struct iend end;             /* once it has ended */
	bool has_id;
	bool existed; /* MKFOLDER: the server says that it was there */
};

enum icmd_kind {
	ICMD_SETUP,
	ICMD_FOLDERS,
	ICMD_SELECT,
	ICMD_LIST,
	ICMD_GET,
	ICMD_PUT,
	ICMD_SMALL,
	ICMD_COMPRESS,
	ICMD_CLOSE
};

/* A command in flight and the operations that it is for. */
struct icmd {
	struct icmd *next;
	enum icmd_kind kind;
	struct ifolder *folder;
	struct iop **ops;
	size_t n, cap;
	size_t hint;             /* GET: where the next row is expected; STATUS: the folder + 1 */
	uint64_t bytes;          /* to be moved for it, as far as is known */
	struct pf_imap_cmd *cmd; /* PUT: the open one, or one that is fed; SMALL */
	bool subscribed;         /* FOLDERS: LIST of what is subscribed to */
	bool last;               /* SMALL: the one whose answer ends the operation */
	bool unselected;         /* the SELECT before it failed: `why`. Its answer means nothing */
	struct pf_err why;
	/* SELECT */
	uint64_t uidvalidity, uidnext, exists, modseq;
	bool has_permanent, nomodseq;
	struct pf_buf permanent; /* flags, as sent */
	bool mismatch;           /* another UIDVALIDITY than the ids of the queued operations */
};

enum iconn_state { ICONN_CONNECTING, ICONN_GREETING, ICONN_TLS, ICONN_AUTH, ICONN_READY };

enum auth_step { AUTH_CAPABILITY, AUTH_STARTTLS, AUTH_SIGN_IN, AUTH_AFTER, AUTH_ASKING, AUTH_DONE };

/* How long a connection waits for its link. */
struct ipace {
	uint64_t block; /* moved since the link was judged last */
	int64_t waited_ms, since_ms;
	bool waits; /* since then */
};

struct iconn {
	struct istore *store;
	size_t number;
	enum iconn_state state;
	enum auth_step step;
	struct pf_conn *net;
	struct pf_imap_session *session;
	struct pf_sasl_cfg sasl_cfg;
	struct pf_sasl *sasl;
	struct pf_buf binding;
	struct pf_secret secret;
	bool token_renewed; /* after one was refused */
	char tried[256];    /* SASL mechanisms that failed for other reasons than the password */
	struct icmd *cmds;  /* in flight, in order */
	size_t cmd_count;
	uint64_t load;          /* bytes to be moved for all of them */
	struct ifolder *folder; /* selected, or being selected */
	bool selected;          /* the SELECT for it has been sent */
	struct icmd *append;    /* open */
	struct icmd *reading;   /* GET: the last row was one of its */
	struct iop *stream;     /* the large item whose chunks are going by */
	struct iop *suspected;  /* was being read when the connection broke */
	struct iop *fed;        /* the PUT that takes feed() */
	bool fed_hungry;        /* its feeder was turned away: tell it when there is room */
	bool swallow;           /* a literal that nobody takes */
	struct pf_blob *blob;   /* being filled */
	size_t blob_n;
	struct ipace pace;
	bool squeeze_asked; /* COMPRESS was sent */
	bool squeeze_works; /* a command was answered in what is compressed */
	bool nameless;      /* the long body that goes by came before its row named the message */
	bool lost, bye, input_ended;
	bool retire;         /* takes nothing more, and is closed when all is answered */
	unsigned int errors; /* BADs so far */
	struct pf_err why;
};

/* What is told beside the events of operations, in order. */
struct inotes {
	struct inote *first, **last;
	struct inote *told;   /* the last event borrows from it */
	struct pf_buf alerts; /* that were told, a NUL behind each */
};

struct istore {
	struct pf_store base;
	struct pf_loop *loop;
	const struct pf_store_cfg *cfg;
	struct pf_store_facts facts;
	char server[200], forbidden[8];
	struct iconn *conn[CONNECTIONS_MAX];
	size_t conn_max;
	struct ifolder *buckets[1024];
	struct ifolder *ready_first, *ready_last;
	struct iop *ended_first, *ended_last; /* with an outcome to be told */
	struct iop *told;                     /* the last event borrows from it */
	size_t ops, turn;
	struct inotes notes;
	struct pf_buf sign_in_name; /* with a NUL */
	struct pf_err lost;         /* text set: the store is lost */
	int64_t reconnect_ms;
	int64_t quiet_until_ms; /* the server asked for patience */
	uint64_t last_seq;
	unsigned int losses, broken_folders;
	unsigned int pauses;    /* such, in a row */
	enum icmd_kind put_off; /* what the last one was for; SETUP: any */
	bool uid_behind; /* rows name their message behind its body: a long one goes solely */
	struct pf_store_event early; /* what must wait until READY is told */
	bool has_early, ready, ready_told, closing, closed, lost_told;
	bool bads;        /* some commands were */
	bool put_refused; /* and that was not told yet: it may be that all others are recalled */
	bool declined;    /* a connection left a folder to another one */
	bool look_again;  /* a folder is free for another connection than was asked before */
	bool slow_link;   /* bytes come or go so slowly that it pays to compress them */
	bool slowed;      /* the server said that it is slow on purpose */
	bool sign_in_refused; /* a password is tried once, never in a loop */
	/* what was found out */
	uint32_t caps;         /* of enum pf_imap_cap, signed in */
	uint32_t caps_off;     /* said by the server, and not to be used */
	unsigned int drops[8]; /* of the link, at each command that we can do without */
	uint64_t append_limit; /* said before the sign-in; 0 = not */
	uint32_t quirks;
	struct pf_buf prefix;         /* of the personal namespace */
	struct pf_buf other_prefixes; /* NUL-ended each: namespaces that are left out */
	char delimiter;
	bool namespace_known;
	struct iop *left;         /* listings that have ended but for rows that were never whole */
	bool listing_ready;       /* all answers are there */
	struct ilisting *listing; /* folders being listed */
	struct iop *listing_op;
	uint64_t rate_debt; /* bytes moved ahead of --rate */
	int64_t rate_at_ms;
	struct pf_folder folder_out; /* lent to the caller */
	struct pf_buf cursor_out, kw_out, id_out, labels_out;
	struct pf_buf label_folders; /* see labels.c */
	struct pf_path path_out;
};

extern const struct pf_store_ops pf_imap_store_ops;

/* ---- store.c ---- */
/* The operation has ended; told by next() in its time. `id`: of PUT and MKFOLDER. */
void op_done(struct istore *s, struct iop *op, struct pf_span id);
void op_failed(struct istore *s, struct iop *op, const struct iend *end);
/* Back to its place in its folder's queue, as if it had not been issued. */
void op_back(struct istore *s, struct iop *op);
/* Behind all others of its folder. */
void op_behind(struct istore *s, struct iop *op);
/* The same, for a time; ends as failed when that happened too often. */
void op_again(struct istore *s, struct iop *op, const struct pf_err *why);
void folder_ready(struct istore *s, struct ifolder *f);
/* STATUS says what ids mean in this folder; what a SELECT of this session said goes before it. */
int folder_seen(struct istore *s, struct pf_span id, uint64_t validity, struct pf_err *err);
void store_lost(struct istore *s, const struct pf_err *why);
void op_free(struct iop *op);

/* ---- notes.c ---- */
void notes_init(struct inotes *l);
void notes_deinit(struct inotes *l);
/* Keep a note to be told by next(); what more is to be said goes into the event that is returned.
 * NULL: no memory, it is not told. */
struct pf_store_event *store_note(struct istore *s, int number, struct pf_span folder,
	struct pf_span raw, uint64_t offset, const char *fmt, ...) PF_PRINTF(6, 7);
/* The first of them, valid until the next call. */
bool notes_give(struct inotes *l, struct pf_store_event *out);
/* A text for the user, told once in a pass. */
void store_alert(struct istore *s, struct pf_span text);

/* ---- conn.c ---- */
int conn_new(struct istore *s, size_t number, struct pf_err *err);
void conn_free(struct iconn **c);
/* Do what can be done; *given: `out` is filled. */
int conn_step(struct iconn *c, struct pf_store_event *out, bool *given, int64_t *wake_ms,
	struct pf_err *err);
struct icmd *icmd_new(struct iconn *c, enum icmd_kind kind, struct ifolder *f, struct pf_err *err);
int icmd_add_op(struct icmd *i, struct iop *op, struct pf_err *err);
void icmd_free(struct iconn *c, struct icmd *i);
/* The command moves so many bytes more. */
void icmd_weigh(struct iconn *c, struct icmd *i, uint64_t bytes);

/* Its folder goes to whoever has room. */
void conn_leave_folder(struct iconn *c);

/* ---- events.c ---- */
int conn_event(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_store_event *out,
	bool *given, struct pf_err *err);

/* ---- lose.c ---- */
/* A lost connection: what can be begun anew is; how soon depends on how often that happens. */
void conn_lose(struct iconn *c, const struct pf_err *why);

/* ---- patience.c ---- */
/* The server throttles (event PF_EV_THROTTLED): nothing is asked of it for a while. */
void patience_begin(struct istore *s, const struct pf_err *why);
/* Whether that while lasts; *wake_ms (may be NULL) is lowered to its end. */
bool patience_lasts(const struct istore *s, int64_t *wake_ms);
void patience_slowed(struct istore *s, const struct pf_imap_resp *r);
/* The server did not do it, and may when asked again. */
void icmd_again(struct iconn *c, struct icmd *i, const struct pf_err *why);
/* It did not do it, and will not. */
void icmd_fail(struct iconn *c, struct icmd *i, const struct pf_err *why);
/* Whether the connection takes nothing more: it has seen too many errors, or is one too many. */
bool conn_retires(struct iconn *c);
/* Whether the loss came from a limit on connections; the limit is kept from now on. */
bool conn_over_cap(struct iconn *c, const struct pf_err *why);
/* Commands that the store can do without: refused, or the link dropped at them. */
void feature_refused(struct istore *s, enum pf_imap_cmd_kind kind, const struct pf_imap_resp *r);
bool feature_drops(struct iconn *c, const struct pf_err *why);

/* ---- squeeze.c ---- */
/* So many bytes came or went; 0: there was nothing to read, or no room to write. Whether the link
 * is slow, which is told once a MiB. */
bool pace_is_slow(struct ipace *p, size_t moved, int64_t now_ms);
void squeeze_judge(struct iconn *c, size_t moved);
/* Whether nothing may be asked now but COMPRESS; when all is answered it is. */
bool squeeze_comes(const struct iconn *c);
int squeeze_issue(struct iconn *c, struct pf_err *err);
/* Whether the link was lost because what came was not compressed after all. */
bool squeeze_failed(const struct iconn *c);
int squeeze_done(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err);

/* ---- auth.c ---- */
/* The name to sign in with, by the administrator's form. */
int auth_name(struct istore *s, struct pf_err *err);
int auth_event(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err);
int auth_after_tls(struct iconn *c, struct pf_err *err);

/* ---- issue.c ---- */
int conn_issue(struct iconn *c, struct pf_err *err);
int conn_begin(struct iconn *c, enum pf_imap_cmd_kind kind, struct icmd *owner,
	struct pf_imap_cmd **out, struct pf_err *err);
/* The open APPEND, if there is one, is brought to its end. */
void conn_close_append(struct iconn *c);

/* ---- folders.c ---- */
int folders_issue(struct iconn *c, struct iop *op, struct pf_err *err);
int folders_data(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err);
int folders_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_err *err);
/* A part of the listing is to be asked for again: all of it is, when the rest was answered. */
int folders_again(struct iconn *c, struct icmd *i, struct pf_err *err);
/* Give out the next listed folder; *given false: none is left, the operation has ended. */
int folders_give(struct istore *s, struct pf_store_event *out, bool *given, struct pf_err *err);
void folders_free(struct istore *s);

/* ---- names.c ---- */
/* Whether the folder lies in a namespace of others, or is the root of one. */
bool names_is_others(const struct istore *s, struct pf_span name);
/* Raw name to path, by its name, attributes and delimiter. *doubtful: something had to be guessed.
 */
int names_path(const struct istore *s, const struct pf_imap_list *f, struct pf_path *path,
	bool *doubtful, struct pf_err *err);
int names_native(
	const struct istore *s, const struct pf_path *path, struct pf_buf *out, struct pf_err *err);

/* ---- list.c ---- */
int select_issue(struct iconn *c, struct ifolder *f, struct iop *list, struct pf_err *err);
int select_data(struct icmd *i, const struct pf_imap_resp *r, struct pf_err *err);
int select_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err);
/* What was asked for behind a SELECT that failed is void; returns whether there was such. */
/* A connection broke when the folder was opened: if that is so each time, what waits for it fails.
 */
void select_broke(struct istore *s, struct ifolder *f, const struct pf_err *why);
bool select_failed(struct iconn *c, const struct icmd *i, const struct pf_err *why);
/* Why an operation with an id of a former UIDVALIDITY can't be carried out. */
void select_stale(struct pf_err *why);
int list_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err);
int list_data(struct iconn *c, struct icmd *i, const struct pf_imap_resp *r,
	struct pf_store_event *out, bool *given, struct pf_err *err);
int list_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_err *err);
/* Flags as sent into bits and a canonical list. */
int imap_flags(
	struct pf_span words, struct pf_buf *kw, uint32_t *sys, bool *any, struct pf_err *err);

/* A row could not be read: a listing under way may lack one. */
void list_odd(struct iconn *c);
/* Give out the next message of a listing that never was said whole; *given false: the listing has
 * ended. */
int list_give_left(struct istore *s, struct pf_store_event *out, bool *given, struct pf_err *err);

/* ---- rows.c ---- */
/* One row that names its UID. *given: `whole` is a message that was not given before, with all that
 * was asked for; it borrows from both. `rows` is made when it is needed. */
int rows_take(struct irows **rows, const struct pf_imap_fetch *row, struct pf_imap_fetch *whole,
	bool *given, struct pf_err *err);
/* The message is there, whatever its rows say. */
int rows_name(struct irows **rows, uint32_t uid, struct pf_err *err);
/* What is left when the listing ends: the next message that has some of it, once each. */
bool rows_left(struct irows *r, struct pf_imap_fetch *out);
/* How many they are, from the UID `from` on. */
size_t rows_left_count(const struct irows *r, uint64_t from);
/* NULL is fine. */
void rows_free(struct irows **rows);

/* ---- get.c ---- */
/* PF_AGAIN: not now. */
int get_issue(struct iconn *c, struct ifolder *f, struct pf_err *err);
int get_head(struct iconn *c, const struct pf_imap_piece *p, struct pf_err *err);
void get_body(
	struct iconn *c, const struct pf_imap_piece *p, struct pf_store_event *out, bool *given);
/* The body that is going by can be read to where it belongs: there is the room for it. */
bool get_room(struct iconn *c, uint8_t **p, size_t *n);
int get_data(struct iconn *c, const struct pf_imap_resp *r, struct pf_store_event *out, bool *given,
	struct pf_err *err);
/* All that is asked for of the folder fails so; not what goes the second road. */
void get_put_off(struct istore *s, struct ifolder *f, const struct iend *end);
/* A row without body: what it says of a message that is asked for part by part. */
void get_described(struct iconn *c, const struct pf_imap_fetch *f);
int get_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev);

/* ---- labels.c ---- */
/* Whether listed items are to tell in what other folders they are. */
bool labels_are_told(const struct istore *s);
/* A folder that was listed, with its attributes. */
int labels_note(struct istore *s, uint32_t attrs, struct pf_span name, struct pf_err *err);
/* X-GM-LABELS as the ids of folders, each with a NUL behind it; valid until the next call. */
int labels_read(struct istore *s, struct pf_span labels, struct pf_span *out, struct pf_err *err);

/* ---- second.c ---- */
/* The GET goes the second road instead of ending as `end`; false: there is none. */
bool second_begin(struct istore *s, struct iop *op, const struct iend *end);
void second_free(struct isecond **second);
int second_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err);
/* The section that is asked for; false: none. */
bool second_section(const struct iop *op, char *out, size_t size);
/* Bytes that may still be held for it. */
uint64_t second_room(const struct iop *op);
void second_row(struct iop *op, const struct pf_imap_fetch *f);
int second_body(struct iop *op, struct pf_span bytes, struct pf_err *err);
void second_done(struct istore *s, struct iop *op, const struct pf_imap_resp *r);
void second_lost(struct istore *s, struct iop *op);
/* Give out the message that was put together, once. */
bool second_give(struct iop *op, struct pf_store_event *out);
/* What there is of one that could not be. */
struct pf_span second_rest(const struct iop *op);

/* ---- put.c ---- */
/* PF_AGAIN: not now. */
int put_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err);
int put_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev);
void put_lost(struct iconn *c, struct icmd *i, const struct pf_err *why);
/* PUTs of which nothing was written yet end as recalled. */
void put_recall(struct istore *s);
/* The PUT that takes feed() is over. */
void put_end_fed(struct iconn *c, const struct icmd *i);

/* ---- small.c ---- */
int small_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err);
/* The connection is gone: a COPY may have been carried out; then it has ended, and true. */
bool small_lost(struct iconn *c, struct icmd *i, const struct pf_err *why);
int small_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_err *err);

/* ---- quirks.c ---- */
enum iquirk {
	QUIRK_SIZE_ESTIMATED = 1u << 0,
	QUIRK_REWRITES = 1u << 1,
	QUIRK_FOLD_CASE = 1u << 2,
	QUIRK_LABELS = 1u << 3,
	QUIRK_INBOX_FLAT = 1u << 4,
	QUIRK_RECEIPTS = 1u << 5,
	QUIRK_FLAGGED = 1u << 6,
	QUIRK_OTHERS = 1u << 7,
	QUIRK_NO_DELTA = 1u << 8,
	QUIRK_GMAIL_DAILY = 1u << 9,
};
uint32_t quirks_of(struct pf_span greeting_or_id);
/* Whether it is a server's text in place of a message that it could not convert: of another size
 * than that was listed with, as somebody may have been sent such a text. */
bool quirks_is_stand_in(struct pf_span message, uint64_t listed_size);
/* What the quirks that are known by now, and the capabilities, mean for the facts. */
void quirks_apply(struct istore *s);

#endif
