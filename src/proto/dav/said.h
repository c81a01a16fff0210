/*
 * What a server says when it does not do what was asked: a status, and mostly a body that is the
 * better witness. The body is looked at first (docs/internals/calendars.md), also that of a 207.
 */
#ifndef PF_PROTO_DAV_SAID_H
#define PF_PROTO_DAV_SAID_H

#include "base/arena.h"
#include "base/err.h"

enum pf_dav_answer {
	PF_DAV_DONE,      /* it was done */
	PF_DAV_UID,       /* another resource has this UID */
	PF_DAV_NAME,      /* If-None-Match: there is a resource of this name */
	PF_DAV_CHANGED,   /* If-Match: it has another version, or is gone */
	PF_DAV_CONTENT,   /* the item is not legal there; may be repaired */
	PF_DAV_TOO_LARGE, /* max-resource-size, 413 */
	PF_DAV_FULL,      /* no room */
	PF_DAV_PATIENCE,  /* 429, 503: later */
	PF_DAV_BUSY,      /* 423, 408, 502, 504: may pass */
	PF_DAV_SIGN_IN,   /* 401, 407 */
	PF_DAV_GONE,      /* 404, 410 */
	PF_DAV_UNKNOWN,   /* 405, 501: it can't do that */
	PF_DAV_TOKEN,     /* the sync token is not good any more */
	PF_DAV_REDIRECT,  /* 3xx */
	PF_DAV_BROKEN,    /* 500 and others of that kind: its own mistake */
	PF_DAV_REFUSED,   /* any other no */
};

/* What a request was sent with. */
enum pf_dav_guard { PF_DAV_NO_GUARD, PF_DAV_IF_NONE, PF_DAV_IF_MATCH };

struct pf_dav_said {
	enum pf_dav_answer answer;
	int status;            /* that counts: of the body of a 207 */
	const char *condition; /* "no-uid-conflict"; NULL: none that we know */
	struct pf_span holder; /* href within the condition; absent. In the arena */
	char text[320];        /* status and the server's words, safe to print */
};

/* `type` is the Content-Type. Never fails: what can't be read says nothing. */
void pf_dav_said(int status, enum pf_dav_guard guard, struct pf_span type, struct pf_span body,
	struct pf_arena *arena, struct pf_dav_said *out);

/* Whether a condition of this name (namespace aside) is one that we know; its own constant. */
const char *pf_dav_condition(const char *name);

#endif
