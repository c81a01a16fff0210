/*
 * One IMAP connection without I/O (RFC 9051, 3501): commands go in and bytes come out, bytes go in
 * and events come out. Many commands are in flight at once; untagged data is handed out with the
 * command it answers.
 *
 * Who drives it: tick() with the time, pending()/sent() while there is something to write,
 * space()/filled() with what was read, next() until PF_AGAIN. It has no idea of sockets, TLS, SASL
 * or of what the commands are for.
 */
#ifndef PF_PROTO_IMAP_SESSION_H
#define PF_PROTO_IMAP_SESSION_H

#include "base/blob.h"
#include "proto/imap/resp.h"

struct pf_imap_session;
struct pf_imap_cmd;

/* What a server says it can do, as far as anybody here acts on it. */
enum pf_imap_cap {
	PF_IMAP_CAP_STARTTLS = 1u << 0,
	PF_IMAP_CAP_LOGINDISABLED = 1u << 1,
	PF_IMAP_CAP_SASL_IR = 1u << 2,
	PF_IMAP_CAP_LITERAL_PLUS = 1u << 3,
	PF_IMAP_CAP_LITERAL_MINUS = 1u << 4,
	PF_IMAP_CAP_ID = 1u << 5,
	PF_IMAP_CAP_ENABLE = 1u << 6,
	PF_IMAP_CAP_NAMESPACE = 1u << 7,
	PF_IMAP_CAP_LIST_EXTENDED = 1u << 8,
	PF_IMAP_CAP_LIST_STATUS = 1u << 9,
	PF_IMAP_CAP_SPECIAL_USE = 1u << 10,
	PF_IMAP_CAP_CREATE_SPECIAL_USE = 1u << 11,
	PF_IMAP_CAP_XLIST = 1u << 12,
	PF_IMAP_CAP_CHILDREN = 1u << 13,
	PF_IMAP_CAP_UIDPLUS = 1u << 14,
	PF_IMAP_CAP_MULTIAPPEND = 1u << 15,
	PF_IMAP_CAP_BINARY = 1u << 16,
	PF_IMAP_CAP_CONDSTORE = 1u << 17,
	PF_IMAP_CAP_QRESYNC = 1u << 18,
	PF_IMAP_CAP_QUOTA = 1u << 19,
	PF_IMAP_CAP_APPENDLIMIT = 1u << 20,
	PF_IMAP_CAP_REV1 = 1u << 21,
	PF_IMAP_CAP_REV2 = 1u << 22,
	PF_IMAP_CAP_GMAIL = 1u << 23, /* X-GM-EXT-1 */
	PF_IMAP_CAP_UTF8_ONLY = 1u << 24,
	PF_IMAP_CAP_ACL = 1u << 25,
	PF_IMAP_CAP_COMPRESS = 1u << 26, /* COMPRESS=DEFLATE */
};

struct pf_imap_caps {
	uint32_t bits;         /* of enum pf_imap_cap */
	char auth[512];        /* SASL mechanisms, separated by blanks */
	uint64_t append_limit; /* APPENDLIMIT=n; 0 = not said */
};

/* Read a list of capability names; what is unknown is skipped. */
void pf_imap_caps_parse(struct pf_imap_caps *caps, struct pf_span words);

enum pf_imap_cmd_kind {
	PF_IMAP_CMD_CAPABILITY,
	PF_IMAP_CMD_STARTTLS,
	PF_IMAP_CMD_AUTHENTICATE,
	PF_IMAP_CMD_LOGIN,
	PF_IMAP_CMD_PROXYAUTH,
	PF_IMAP_CMD_ID,
	PF_IMAP_CMD_ENABLE,
	PF_IMAP_CMD_COMPRESS,
	PF_IMAP_CMD_NAMESPACE,
	PF_IMAP_CMD_LIST,
	PF_IMAP_CMD_LSUB,
	PF_IMAP_CMD_XLIST,
	PF_IMAP_CMD_STATUS,
	PF_IMAP_CMD_QUOTA, /* GETQUOTAROOT */
	PF_IMAP_CMD_SELECT,
	PF_IMAP_CMD_EXAMINE,
	PF_IMAP_CMD_CREATE,
	PF_IMAP_CMD_SUBSCRIBE,
	PF_IMAP_CMD_APPEND,
	PF_IMAP_CMD_FETCH,   /* UID FETCH */
	PF_IMAP_CMD_SEARCH,  /* UID SEARCH */
	PF_IMAP_CMD_STORE,   /* UID STORE */
	PF_IMAP_CMD_EXPUNGE, /* UID EXPUNGE */
	PF_IMAP_CMD_COPY,    /* UID COPY */
	PF_IMAP_CMD_LOGOUT,
};

/* Whether the command changes anything at the server (promise P1); SELECT does: it takes \Recent
 * away. */
bool pf_imap_cmd_writes(enum pf_imap_cmd_kind kind);
/* "UID FETCH" */
const char *pf_imap_cmd_name(enum pf_imap_cmd_kind kind);

struct pf_imap_session_cfg {
	int64_t idle_ms;   /* no byte from the server for so long while it owes one: lost; 0 = 60 s,
			      never under 15 s */
	size_t inline_max; /* see frame.h; 0 = a sensible value */
	size_t text_max;   /* see frame.h; 0 = a sensible value */
};

/* NULL when there is no memory. */
struct pf_imap_session *pf_imap_session_new(const struct pf_imap_session_cfg *cfg, int64_t now_ms);
/* Drops all commands. NULL is fine. */
void pf_imap_session_free(struct pf_imap_session **s);

/* Room to read into, then how many bytes came; as in frame.h. */
PF_MUST_CHECK int pf_imap_session_space(
	struct pf_imap_session *s, uint8_t **p, size_t *n, struct pf_err *err);
void pf_imap_session_filled(struct pf_imap_session *s, size_t n);
/* Bytes of a long literal that may be read to where they belong, past events; as in frame.h. */
uint64_t pf_imap_session_awaits(const struct pf_imap_session *s);
void pf_imap_session_took(struct pf_imap_session *s, size_t n);
/* Whether the server may close here without having cut a response short. */
bool pf_imap_session_at_rest(const struct pf_imap_session *s);

enum pf_imap_session_event_kind {
	PF_IMAP_EV_GREETING,  /* resp: OK, PREAUTH or BYE */
	PF_IMAP_EV_DATA,      /* resp, untagged; owner of the command it answers, or NULL */
	PF_IMAP_EV_HEAD,      /* piece: a long literal begins */
	PF_IMAP_EV_BODY,      /* piece: bytes of it */
	PF_IMAP_EV_CHALLENGE, /* AUTHENTICATE: resp->text, in base64 */
	PF_IMAP_EV_DONE,      /* resp, tagged; the command is gone */
	PF_IMAP_EV_BYE,       /* resp; once. What comes after it is dropped */
	PF_IMAP_EV_ODD, /* `piece` could not be understood, `why` says it; it cost nothing else */
};

struct pf_imap_session_event {
	enum pf_imap_session_event_kind kind;
	enum pf_imap_cmd_kind cmd; /* DONE, CHALLENGE, and where there is an owner */
	void *owner;
	const struct pf_imap_resp *resp;
	const struct pf_imap_piece *piece; /* DATA, too: where in the stream it was */
	const struct pf_err *why;
};

/*
 * PF_OK: `out`, good until the next call of any of these. PF_AGAIN: more bytes are needed. PF_FAIL
 * (scope SESSION): the stream is lost; (scope STORE): no IMAP server is at the other end.
 */
PF_MUST_CHECK int pf_imap_session_next(
	struct pf_imap_session *s, struct pf_imap_session_event *out, struct pf_err *err);

/*
 * What may be written now: up to `max` spans in order, among them the bodies' own bytes. *secret:
 * all of them are a part of a sign-in, and no trace may show them. 0: nothing to write just now.
 */
size_t pf_imap_session_pending(
	struct pf_imap_session *s, struct pf_span *spans, size_t max, bool *secret);
/* So many of them were written. */
void pf_imap_session_sent(struct pf_imap_session *s, size_t n);

/*
 * Tell the time; *wake_ms is lowered to the next deadline. PF_FAIL (scope SESSION): the server owes
 * an answer and was mute for too long, or kept saying other things for ten minutes.
 */
PF_MUST_CHECK int pf_imap_session_tick(
	struct pf_imap_session *s, int64_t now_ms, int64_t *wake_ms, struct pf_err *err);

/* What the server can do, and whether that is known for the state that the session is in (greeting,
 * TLS, signed in). */
const struct pf_imap_caps *pf_imap_session_caps(const struct pf_imap_session *s);
bool pf_imap_session_caps_known(const struct pf_imap_session *s);
/* It does not tell: it has what each IMAP4rev1 server has, and no more (RFC 3501). */
void pf_imap_session_assume_caps(struct pf_imap_session *s);
/* They no longer count: TLS has begun. */
void pf_imap_session_forget_caps(struct pf_imap_session *s);
/* Bytes that came in the clear behind the answer to STARTTLS are thrown away (RFC 9051
 * section 11.1). */
void pf_imap_session_forget_input(struct pf_imap_session *s);
/* What came behind the last event and was not looked at: after COMPRESS it is compressed. Borrowed
 * until the next call. */
struct pf_span pf_imap_session_rest(const struct pf_imap_session *s);
/* Take away bits that must not be used with this server, now and after each later CAPABILITY. */
void pf_imap_session_mask_caps(struct pf_imap_session *s, uint32_t bits);

/* The command that the server should answer next; false: none is in flight. */
bool pf_imap_session_oldest(const struct pf_imap_session *s, enum pf_imap_cmd_kind *kind);
/* Commands queued or in flight. */
size_t pf_imap_session_busy(const struct pf_imap_session *s);

/*
 * Commands. new() begins one with tag and name; parts are added; send() queues it. A failure on the
 * way is kept and told by send(), which then drops the command. `owner` is the caller's, and comes
 * back in events.
 */
PF_MUST_CHECK int pf_imap_cmd_new(struct pf_imap_session *s, enum pf_imap_cmd_kind kind,
	void *owner, struct pf_imap_cmd **out, struct pf_err *err);
/* Bytes as they are. */
void pf_imap_cmd_text(struct pf_imap_cmd *c, const char *text);
void pf_imap_cmd_bytes(struct pf_imap_cmd *c, struct pf_span bytes);
void pf_imap_cmd_number(struct pf_imap_cmd *c, uint64_t n);
/* A blank and an astring: as atom, quoted string or literal, whichever is the plainest legal one.
 */
void pf_imap_cmd_astring(struct pf_imap_cmd *c, struct pf_span s);
/* The same, kept out of traces and wiped after use; always quoted or a literal. */
void pf_imap_cmd_secret(struct pf_imap_cmd *c, struct pf_span s);
/* Bytes as they are, with the same care. */
void pf_imap_cmd_secret_text(struct pf_imap_cmd *c, struct pf_span s);
/* A blank and a literal whose bytes are the blob's (shared); `binary`: literal8. */
void pf_imap_cmd_blob(struct pf_imap_cmd *c, struct pf_blob *blob, bool binary);
/* The same as UTF8 (literal8), for a message with 8 bits in its header (RFC 6855 section 4). */
void pf_imap_cmd_utf8_blob(struct pf_imap_cmd *c, struct pf_blob *blob);
/* A blank and a literal of `size` bytes that come by feed(). One in a command. */
void pf_imap_cmd_fed(struct pf_imap_cmd *c, uint64_t size);
/* The line end; `open`: not yet, more parts follow until close(). No other command goes out before
 * that. */
PF_MUST_CHECK int pf_imap_cmd_send(struct pf_imap_cmd *c, bool open, struct pf_err *err);
/* Parts were added to an open command. PF_FAIL: one of them could not be (memory); it is left as
 * it was and must be given up with its connection. */
PF_MUST_CHECK int pf_imap_cmd_extended(struct pf_imap_cmd *c, struct pf_err *err);
void pf_imap_cmd_close(struct pf_imap_cmd *c);

/* Take it back, if none of it has been written: then it is gone, and true. Not while it is open. */
bool pf_imap_cmd_withdraw(struct pf_imap_cmd *c);

/* Octets of the command so far, and how many of them have been written. */
uint64_t pf_imap_cmd_length(const struct pf_imap_cmd *c);
uint64_t pf_imap_cmd_written(const struct pf_imap_cmd *c);

/* All or none; PF_AGAIN: not hungry. More than was announced is a fault of ours. */
PF_MUST_CHECK int pf_imap_cmd_feed(struct pf_imap_cmd *c, struct pf_span part, struct pf_err *err);
/* Whether feed() takes a part, of any size: not while the server has not asked for the literal, nor
 * while many bytes wait to be written. */
bool pf_imap_cmd_hungry(const struct pf_imap_cmd *c);

/* AUTHENTICATE: the answer to a challenge, already in base64; "*" cancels. */
PF_MUST_CHECK int pf_imap_session_respond(
	struct pf_imap_session *s, struct pf_span base64, struct pf_err *err);

/*
 * What a NO, BAD or BYE means: fills `err` with the server's words, `scope` unless the code says
 * more, whether and when to try again (RFC 5530 codes and the hints that servers are known to put
 * in the text), and the event number for a throttle, a full account or a connection cap. Returns
 * PF_FAIL.
 */
int pf_imap_refusal(struct pf_err *err, enum pf_scope scope, enum pf_imap_cmd_kind cmd,
	const struct pf_imap_resp *resp);

#endif
