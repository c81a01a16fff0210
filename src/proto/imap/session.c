/*
 * What comes in: responses, handed out with the command that they answer.
 */
#include "proto/imap/session_private.h"

#include "base/utf8.h"
#include "proto/imap/lex.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	INLINE_MAX = 16 * 1024,
	TEXT_MAX = 64 << 20,
	IDLE_MS = 60 * 1000,
	IDLE_LEAST_MS = 15 * 1000,
	BUSY_MOST_MS = 10 * 60 * 1000,
	BYTES_A_MS = 20, /* of an APPEND: what even a slow line and a slow disk take */
};

static const struct {
	const char *name;
	bool writes;
} COMMANDS[] = {
	[PF_IMAP_CMD_CAPABILITY] = {"CAPABILITY", false},
	[PF_IMAP_CMD_STARTTLS] = {"STARTTLS", false},
	[PF_IMAP_CMD_AUTHENTICATE] = {"AUTHENTICATE", false},
	[PF_IMAP_CMD_LOGIN] = {"LOGIN", false},
	[PF_IMAP_CMD_PROXYAUTH] = {"PROXYAUTH", false},
	[PF_IMAP_CMD_ID] = {"ID", false},
	[PF_IMAP_CMD_ENABLE] = {"ENABLE", false},
	[PF_IMAP_CMD_COMPRESS] = {"COMPRESS", false},
	[PF_IMAP_CMD_NAMESPACE] = {"NAMESPACE", false},
	[PF_IMAP_CMD_LIST] = {"LIST", false},
	[PF_IMAP_CMD_LSUB] = {"LSUB", false},
	[PF_IMAP_CMD_XLIST] = {"XLIST", false},
	[PF_IMAP_CMD_STATUS] = {"STATUS", false},
	[PF_IMAP_CMD_QUOTA] = {"GETQUOTAROOT", false},
	[PF_IMAP_CMD_SELECT] = {"SELECT", true},
	[PF_IMAP_CMD_EXAMINE] = {"EXAMINE", false},
	[PF_IMAP_CMD_CREATE] = {"CREATE", true},
	[PF_IMAP_CMD_SUBSCRIBE] = {"SUBSCRIBE", true},
	[PF_IMAP_CMD_APPEND] = {"APPEND", true},
	[PF_IMAP_CMD_FETCH] = {"UID FETCH", false},
	[PF_IMAP_CMD_SEARCH] = {"UID SEARCH", false},
	[PF_IMAP_CMD_STORE] = {"UID STORE", true},
	[PF_IMAP_CMD_EXPUNGE] = {"UID EXPUNGE", true},
	[PF_IMAP_CMD_COPY] = {"UID COPY", true},
	[PF_IMAP_CMD_LOGOUT] = {"LOGOUT", false},
};

bool pf_imap_cmd_writes(enum pf_imap_cmd_kind kind)
{
	return COMMANDS[kind].writes;
}

const char *pf_imap_cmd_name(enum pf_imap_cmd_kind kind)
{
	return COMMANDS[kind].name;
}

struct pf_imap_session *pf_imap_session_new(const struct pf_imap_session_cfg *cfg, int64_t now_ms)
{
	struct pf_imap_session *s = calloc(1, sizeof(*s));
	struct pf_imap_frame_cfg frame = {
		.inline_max = cfg->inline_max ? cfg->inline_max : INLINE_MAX,
		.text_max = cfg->text_max ? cfg->text_max : TEXT_MAX,
	};

	if (!s) {
		return NULL;
	}
	pf_arena_init(&s->arena);
	s->idle_ms = cfg->idle_ms ? cfg->idle_ms : IDLE_MS;
	s->idle_ms = s->idle_ms < IDLE_LEAST_MS ? IDLE_LEAST_MS : s->idle_ms;
	s->now_ms = now_ms;
	s->last_rx_ms = now_ms;
	s->busy_since_ms = now_ms;
	s->frame = pf_imap_frame_new(&frame);
	if (!s->frame) {
		pf_imap_session_free(&s);
	}
	return s;
}

void pf_imap_session_free(struct pf_imap_session **s)
{
	if (!*s) {
		return;
	}
	while ((*s)->first) {
		session_drop_cmd(*s, (*s)->first);
	}
	pf_imap_frame_free(&(*s)->frame);
	pf_arena_deinit(&(*s)->arena);
	free(*s);
	*s = NULL;
}

int pf_imap_session_space(struct pf_imap_session *s, uint8_t **p, size_t *n, struct pf_err *err)
{
	return pf_imap_frame_space(s->frame, p, n, err);
}

void pf_imap_session_filled(struct pf_imap_session *s, size_t n)
{
	s->got_bytes = s->got_bytes || n > 0;
	pf_imap_frame_filled(s->frame, n);
}

uint64_t pf_imap_session_awaits(const struct pf_imap_session *s)
{
	return s->bye ? 0 : pf_imap_frame_awaits(s->frame);
}

void pf_imap_session_took(struct pf_imap_session *s, size_t n)
{
	s->got_bytes = s->got_bytes || n > 0;
	s->busy_since_ms = s->now_ms; /* it gets on */
	pf_imap_frame_took(s->frame, n);
}

struct pf_span pf_imap_session_rest(const struct pf_imap_session *s)
{
	return pf_imap_frame_rest(s->frame);
}

void pf_imap_session_forget_input(struct pf_imap_session *s)
{
	pf_imap_frame_forget(s->frame);
}

bool pf_imap_session_at_rest(const struct pf_imap_session *s)
{
	return pf_imap_frame_at_rest(s->frame);
}

size_t pf_imap_session_busy(const struct pf_imap_session *s)
{
	size_t n = 0;

	for (const struct pf_imap_cmd *c = s->first; c; c = c->next) {
		n += !c->answered;
	}
	return n;
}

bool pf_imap_session_oldest(const struct pf_imap_session *s, enum pf_imap_cmd_kind *kind)
{
	for (const struct pf_imap_cmd *c = s->first; c; c = c->next) {
		if (!c->answered) {
			*kind = c->kind;
			return c->written > 0;
		}
	}
	return false;
}

/* ---- whose is it? ---- */

static bool answers(enum pf_imap_cmd_kind cmd, const struct pf_imap_resp *r)
{
	bool selects = cmd == PF_IMAP_CMD_SELECT || cmd == PF_IMAP_CMD_EXAMINE;

	switch (r->kind) {
	case PF_IMAP_LIST:
		return cmd == PF_IMAP_CMD_LIST || cmd == PF_IMAP_CMD_LSUB ||
		       cmd == PF_IMAP_CMD_XLIST;
	case PF_IMAP_NAMESPACE:
		return cmd == PF_IMAP_CMD_NAMESPACE;
	case PF_IMAP_STATUS:
		return cmd == PF_IMAP_CMD_STATUS || cmd == PF_IMAP_CMD_LIST;
	case PF_IMAP_SEARCH:
	case PF_IMAP_ESEARCH:
		return cmd == PF_IMAP_CMD_SEARCH;
	case PF_IMAP_FLAGS:
	case PF_IMAP_EXISTS:
	case PF_IMAP_RECENT:
		return selects || cmd == PF_IMAP_CMD_FETCH;
	case PF_IMAP_EXPUNGE:
	case PF_IMAP_VANISHED:
		return selects || cmd == PF_IMAP_CMD_FETCH || cmd == PF_IMAP_CMD_EXPUNGE;
	case PF_IMAP_FETCH:
		return cmd == PF_IMAP_CMD_FETCH || cmd == PF_IMAP_CMD_STORE;
	case PF_IMAP_ID:
		return cmd == PF_IMAP_CMD_ID;
	case PF_IMAP_QUOTA:
	case PF_IMAP_QUOTAROOT:
		return cmd == PF_IMAP_CMD_QUOTA;
	case PF_IMAP_COND:
		return selects;
	default:
		return false;
	}
}

/* Servers answer in order: it is the oldest command that such data can belong to. */
static const struct pf_imap_cmd *owner_of(
	const struct pf_imap_session *s, const struct pf_imap_resp *r)
{
	for (const struct pf_imap_cmd *c = s->first; c; c = c->next) {
		if (!c->answered && c->written > 0 && answers(c->kind, r)) {
			return c;
		}
	}
	return NULL;
}

static void set_owner(struct pf_imap_session_event *out, const struct pf_imap_cmd *c)
{
	if (c) {
		out->cmd = c->kind;
		out->owner = c->owner;
	}
}

/* ---- responses ---- */

static int greeting(
	struct pf_imap_session *s, struct pf_imap_session_event *out, struct pf_err *err)
{
	char said[80];

	if (s->resp.kind != PF_IMAP_COND || s->resp.tag.p || s->resp.cond == PF_IMAP_NO ||
		s->resp.cond == PF_IMAP_BAD) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO, "no IMAP server: it said \"%s\"",
			pf_print_safe(said, sizeof(said), s->piece.text));
	}
	s->greeted = true;
	s->bye = s->resp.cond == PF_IMAP_BYE;
	out->kind = PF_IMAP_EV_GREETING;
	return PF_OK;
}

static bool same_tag(const struct pf_imap_cmd *c, struct pf_span tag)
{
	return !c->answered && tag.n == strlen(c->tag) && memcmp(tag.p, c->tag, tag.n) == 0;
}

/*
 * A tagged answer. It may come before the command was wholly written: then a literal that waits is
 * never sent, nor what would follow it. What stands before that goes out to its end, as the server
 * reads that much in any case.
 */
static bool tagged(struct pf_imap_session *s, struct pf_imap_session_event *out)
{
	struct pf_imap_cmd *c = s->first;

	while (c && !same_tag(c, s->resp.tag)) {
		c = c->next;
	}
	if (!c) {
		return false;
	}
	out->kind = PF_IMAP_EV_DONE;
	set_owner(out, c);
	s->busy_since_ms = s->now_ms;
	session_cut_waiting(c);
	if ((!c->first && !c->open) || c->written == 0 || c->kind == PF_IMAP_CMD_AUTHENTICATE) {
		session_drop_cmd(s, c);
		return true;
	}
	c->answered = true;
	pf_imap_cmd_close(c);
	return true;
}

static bool cond(struct pf_imap_session *s, struct pf_imap_session_event *out)
{
	if (s->resp.code == PF_IMAP_CODE_CAPABILITY) {
		session_take_caps(s, s->resp.code_args);
	}
	if (s->resp.tag.p) {
		return tagged(s, out);
	}
	if (s->resp.cond == PF_IMAP_BYE) {
		s->bye = true;
		out->kind = PF_IMAP_EV_BYE;
		return true;
	}
	out->kind = PF_IMAP_EV_DATA;
	set_owner(out, owner_of(s, &s->resp));
	return true;
}

static bool continuation(struct pf_imap_session *s, struct pf_imap_session_event *out)
{
	struct pf_imap_cmd *c = s->first;

	while (c && (c->kind != PF_IMAP_CMD_AUTHENTICATE || c->answered)) {
		c = c->next;
	}
	if (!c) {
		session_asked(s);
		return false;
	}
	out->kind = PF_IMAP_EV_CHALLENGE;
	set_owner(out, c);
	return true;
}

/* One complete response. *given: there is an event for the caller. */
static int respond(struct pf_imap_session *s, struct pf_imap_session_event *out, bool *given,
	struct pf_err *err)
{
	*given = true;
	pf_arena_deinit(&s->arena);
	out->resp = &s->resp;
	out->piece = &s->piece;
	if (pf_imap_resp_parse(&s->piece, &s->arena, &s->resp, &s->why) != PF_OK) {
		out->kind = PF_IMAP_EV_ODD;
		out->why = &s->why;
		set_owner(out, owner_of(s, &s->resp));
		return PF_OK;
	}
	if (!s->greeted) {
		if (s->resp.code == PF_IMAP_CODE_CAPABILITY) {
			session_take_caps(s, s->resp.code_args);
		}
		return greeting(s, out, err);
	}
	switch (s->resp.kind) {
	case PF_IMAP_COND:
		*given = cond(s, out);
		break;
	case PF_IMAP_CONTINUE:
		*given = continuation(s, out);
		break;
	case PF_IMAP_CAPABILITY:
		session_take_caps(s, s->resp.words);
		*given = false;
		break;
	case PF_IMAP_UNKNOWN:
	case PF_IMAP_ENABLED:
		*given = false;
		break;
	default:
		out->kind = PF_IMAP_EV_DATA;
		set_owner(out, owner_of(s, &s->resp));
		if (out->owner) { /* it gets on; words ("* OK Still here") are no progress */
			s->busy_since_ms = s->now_ms;
		}
	}
	return PF_OK;
}

int pf_imap_session_next(
	struct pf_imap_session *s, struct pf_imap_session_event *out, struct pf_err *err)
{
	for (;;) {
		bool given = true;
		int rc = pf_imap_frame_next(s->frame, &s->piece, err);

		*out = (struct pf_imap_session_event){.piece = &s->piece};
		if (rc != PF_OK) {
			return rc;
		}
		if (s->bye) { /* whatever a server says after its BYE (some say BYE for ever) */
			continue;
		}
		if (s->piece.kind != PF_IMAP_PIECE_RESPONSE) {
			struct pf_imap_resp fetch = {.kind = PF_IMAP_FETCH};

			s->busy_since_ms = s->now_ms; /* it gets on */

			out->kind = s->piece.kind == PF_IMAP_PIECE_HEAD ? PF_IMAP_EV_HEAD
									: PF_IMAP_EV_BODY;
			set_owner(out, owner_of(s, &fetch));
			return PF_OK;
		}
		rc = respond(s, out, &given, err);
		if (rc != PF_OK || given) {
			return rc;
		}
	}
}

/* ---- time ---- */

static int64_t patience(const struct pf_imap_session *s)
{
	int64_t most = s->idle_ms;

	for (const struct pf_imap_cmd *c = s->first; c; c = c->next) {
		if (c->kind == PF_IMAP_CMD_APPEND) {
			int64_t slow = s->idle_ms + (int64_t)(c->length / BYTES_A_MS);

			most = slow > most ? slow : most;
		}
	}
	return most;
}

int pf_imap_session_tick(
	struct pf_imap_session *s, int64_t now_ms, int64_t *wake_ms, struct pf_err *err)
{
	int64_t due;

	s->now_ms = now_ms;
	if (s->got_bytes) {
		s->got_bytes = false;
		s->last_rx_ms = now_ms;
	}
	if (s->greeted && pf_imap_session_busy(s) == 0) {
		s->last_rx_ms = now_ms;
		s->busy_since_ms = now_ms;
		return PF_OK;
	}
	due = s->last_rx_ms + patience(s);
	if (now_ms >= due) {
		return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_LATER,
			"the server was mute for %lld s",
			(long long)(now_ms - s->last_rx_ms) / 1000);
	}
	if (now_ms >= s->busy_since_ms + BUSY_MOST_MS + patience(s)) {
		return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_LATER,
			"the server did not finish any command for ten minutes");
	}
	if (due < *wake_ms) {
		*wake_ms = due;
	}
	return PF_OK;
}
