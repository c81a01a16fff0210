/*
 * A session's insides, shared by session.c (what comes in), session_write.c (what goes out) and
 * session_caps.c.
 */
#ifndef PF_PROTO_IMAP_SESSION_PRIVATE_H
#define PF_PROTO_IMAP_SESSION_PRIVATE_H

#include "proto/imap/session.h"

enum {
	TAG_MAX = 16,
	FED_ROOM = 128 * 1024, /* no further part is taken while more of a fed literal waits */
};

/* A run of bytes of a command. */
struct part {
	struct part *next;
	struct pf_buf bytes;  /* own bytes; of a fed literal: those that wait to be written */
	struct pf_blob *blob; /* or a blob's */
	size_t sent;          /* of bytes or blob */
	uint64_t fed_left;    /* of a fed literal: still to be fed */
	bool fed, secret;
	bool waits; /* a literal that the server must ask for first */
};

struct pf_imap_cmd {
	struct pf_imap_cmd *next;
	struct pf_imap_session *s;
	enum pf_imap_cmd_kind kind;
	void *owner;
	char tag[TAG_MAX];
	struct part *first, *last; /* written parts are freed as they go */
	uint64_t length, written;
	bool open;     /* more parts may come */
	bool answered; /* tagged: gone for its owner; what is left of a literal must still be
			  written */
	bool failed;
	struct pf_err why;
};

struct pf_imap_session {
	struct pf_imap_frame *frame;
	struct pf_arena arena;
	struct pf_imap_cmd *first,
		*last; /* in the order of sending; gone when tagged and written */
	struct pf_imap_resp resp;
	struct pf_imap_piece piece;
	struct pf_err why;
	struct pf_imap_caps caps;
	uint32_t mask;
	unsigned int next_tag;
	bool greeted, bye, caps_known,
		asked; /* asked: a "+" is at hand for the literal that waits */
	int64_t now_ms, last_rx_ms, busy_since_ms, idle_ms;
	bool got_bytes;
};

/* The command that is being written; NULL: none. */
struct pf_imap_cmd *session_writing(const struct pf_imap_session *s);
void session_drop_cmd(struct pf_imap_session *s, struct pf_imap_cmd *c);
/* The command has its answer: what waits for a "+", and all behind it, is given up. */
void session_cut_waiting(struct pf_imap_cmd *c);
/* A "+" came that no sign-in waits for. */
void session_asked(struct pf_imap_session *s);
void session_take_caps(struct pf_imap_session *s, struct pf_span words);

#endif
