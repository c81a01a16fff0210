/*
 * What goes out: commands as lists of parts. A literal is announced with "+" where the server takes
 * that (RFC 7888), else its bytes wait until the server asks for them.
 */
#include "base/decimal.h"
#include "base/secret.h"
#include "proto/imap/session_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { PART_MAX = 1 << 30, LITERAL_MINUS_MAX = 4096, QUOTED_MAX = 1024 };

static void free_part(struct part *p)
{
	if (p->secret && p->bytes.p) {
		pf_wipe(p->bytes.p, p->bytes.cap);
	}
	pf_buf_deinit(&p->bytes);
	pf_blob_unref(&p->blob);
	free(p);
}

static void free_parts(struct part *p)
{
	while (p) {
		struct part *next = p->next;

		free_part(p);
		p = next;
	}
}

void session_drop_cmd(struct pf_imap_session *s, struct pf_imap_cmd *c)
{
	struct pf_imap_cmd **at = &s->first, *before = NULL;

	while (*at && *at != c) { /* mostly the first: answers come in the order of commands */
		before = *at;
		at = &(*at)->next;
	}
	if (*at) {
		*at = c->next;
		s->last = s->last == c ? before : s->last;
	}
	free_parts(c->first);
	free(c);
}

void session_cut_waiting(struct pf_imap_cmd *c)
{
	struct part **at = &c->first, *before = NULL;

	while (*at && !(*at)->waits) {
		before = *at;
		at = &before->next;
	}
	if (*at) {
		free_parts(*at);
		*at = NULL;
		c->last = before;
		c->open = false;
	}
}

/* ---- building ---- */

static void fail_cmd(struct pf_imap_cmd *c, const struct pf_err *why)
{
	if (!c->failed) {
		c->failed = true;
		c->why = *why;
	}
}

static struct part *new_part(struct pf_imap_cmd *c)
{
	struct part *p = calloc(1, sizeof(*p));
	struct pf_err err;

	if (!p) {
		(void)pf_fail_memory(&err, "a command");
		fail_cmd(c, &err);
		return NULL;
	}
	pf_buf_init(&p->bytes, PART_MAX);
	*(c->last ? &c->last->next : &c->first) = p;
	c->last = p;
	return p;
}

/* The part that plain bytes go to. */
static struct part *text_part(struct pf_imap_cmd *c, bool secret)
{
	struct part *p = c->last;

	if (p && !p->blob && !p->fed && !p->waits && p->secret == secret) {
		return p;
	}
	p = new_part(c);
	if (p) {
		p->secret = secret;
	}
	return p;
}

static void add(struct pf_imap_cmd *c, struct pf_span bytes, bool secret)
{
	struct part *p = text_part(c, secret);
	struct pf_err err;

	if (p && pf_buf_add(&p->bytes, bytes, &err) != PF_OK) {
		fail_cmd(c, &err);
	}
	c->length += bytes.n;
}

int pf_imap_cmd_new(struct pf_imap_session *s, enum pf_imap_cmd_kind kind, void *owner,
	struct pf_imap_cmd **out, struct pf_err *err)
{
	struct pf_imap_cmd *c = calloc(1, sizeof(*c));

	if (!c) {
		return pf_fail_memory(err, "a command");
	}
	c->s = s;
	c->kind = kind;
	c->owner = owner;
	(void)snprintf(c->tag, sizeof(c->tag), "p%u", ++s->next_tag);
	pf_imap_cmd_text(c, c->tag);
	pf_imap_cmd_text(c, " ");
	pf_imap_cmd_text(c, pf_imap_cmd_name(kind));
	*out = c;
	return PF_OK;
}

void pf_imap_cmd_text(struct pf_imap_cmd *c, const char *text)
{
	add(c, pf_span_str(text), false);
}

void pf_imap_cmd_bytes(struct pf_imap_cmd *c, struct pf_span bytes)
{
	add(c, bytes, false);
}

void pf_imap_cmd_number(struct pf_imap_cmd *c, uint64_t n)
{
	char text[PF_DECIMAL_MAX];

	add(c, pf_span(text, pf_decimal(n, text)), false);
}

/* `before`, "{n}" or "{n+}" and the line end; whether the bytes must wait. */
static bool announce(struct pf_imap_cmd *c, uint64_t size, const char *before)
{
	uint32_t caps = c->s->caps.bits;
	bool at_once = (caps & PF_IMAP_CAP_LITERAL_PLUS) ||
		       ((caps & PF_IMAP_CAP_LITERAL_MINUS) && size <= LITERAL_MINUS_MAX);

	pf_imap_cmd_text(c, before);
	pf_imap_cmd_text(c, "{");
	pf_imap_cmd_number(c, size);
	pf_imap_cmd_text(c, at_once ? "+}\r\n" : "}\r\n");
	return !at_once;
}

enum form { FORM_ATOM, FORM_QUOTED, FORM_LITERAL };

static enum form form_of(struct pf_span s)
{
	enum form form = s.n == 0 ? FORM_QUOTED : FORM_ATOM;

	if (s.n > QUOTED_MAX) {
		return FORM_LITERAL;
	}
	for (size_t i = 0; i < s.n; i++) {
		uint8_t ch = s.p[i];

		if (ch == 0 || ch == '\r' || ch == '\n' || ch > 126) {
			return FORM_LITERAL;
		}
		if (ch < 33 || strchr("(){%*\"\\]", ch)) {
			form = FORM_QUOTED;
		}
	}
	return pf_span_is(s, "NIL") ? FORM_QUOTED : form;
}

static void put_astring(struct pf_imap_cmd *c, struct pf_span s, enum form form, bool secret)
{
	if (form == FORM_LITERAL) {
		bool waits = announce(c, s.n, " ");
		struct part *p = new_part(c);
		struct pf_err err;

		if (p) {
			p->secret = secret;
			p->waits = waits;
			if (pf_buf_add(&p->bytes, s, &err) != PF_OK) {
				fail_cmd(c, &err);
			}
		}
		c->length += s.n;
		return;
	}
	add(c, pf_span(" ", 1), false);
	if (form == FORM_ATOM) {
		add(c, s, secret);
		return;
	}
	add(c, pf_span("\"", 1), secret);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\') {
			add(c, pf_span("\\", 1), secret);
		}
		add(c, pf_span(s.p + i, 1), secret);
	}
	add(c, pf_span("\"", 1), secret);
}

void pf_imap_cmd_astring(struct pf_imap_cmd *c, struct pf_span s)
{
	put_astring(c, s, form_of(s), false);
}

void pf_imap_cmd_secret(struct pf_imap_cmd *c, struct pf_span s)
{
	put_astring(c, s, form_of(s) == FORM_LITERAL ? FORM_LITERAL : FORM_QUOTED, true);
}

void pf_imap_cmd_secret_text(struct pf_imap_cmd *c, struct pf_span s)
{
	add(c, s, true);
}

static void add_blob(struct pf_imap_cmd *c, struct pf_blob *blob, const char *before)
{
	bool waits = announce(c, blob->n, before);
	struct part *p = new_part(c);

	if (p) {
		p->waits = waits;
		p->blob = pf_blob_ref(blob);
	}
	c->length += blob->n;
}

void pf_imap_cmd_blob(struct pf_imap_cmd *c, struct pf_blob *blob, bool binary)
{
	add_blob(c, blob, binary ? " ~" : " ");
}

void pf_imap_cmd_utf8_blob(struct pf_imap_cmd *c, struct pf_blob *blob)
{
	add_blob(c, blob, " UTF8 (~");
	pf_imap_cmd_text(c, ")");
}

void pf_imap_cmd_fed(struct pf_imap_cmd *c, uint64_t size)
{
	bool waits = announce(c, size, " ");
	struct part *p = new_part(c);

	if (p) {
		p->waits = waits;
		p->fed = true;
		p->fed_left = size;
	}
	c->length += size;
}

static int check(struct pf_imap_cmd *c, struct pf_err *err)
{
	if (c->failed) {
		*err = c->why;
		return PF_FAIL;
	}
	return PF_OK;
}

int pf_imap_cmd_send(struct pf_imap_cmd *c, bool open, struct pf_err *err)
{
	struct pf_imap_session *s = c->s;

	if (!open) {
		pf_imap_cmd_text(c, "\r\n");
	}
	c->open = open;
	if (check(c, err) != PF_OK) {
		session_drop_cmd(s, c);
		return PF_FAIL;
	}
	if (!s->first) {
		s->busy_since_ms = s->now_ms;
		s->last_rx_ms = s->now_ms;
	}
	*(s->last ? &s->last->next : &s->first) = c;
	s->last = c;
	return PF_OK;
}

int pf_imap_cmd_extended(struct pf_imap_cmd *c, struct pf_err *err)
{
	return check(c, err);
}

void pf_imap_cmd_close(struct pf_imap_cmd *c)
{
	if (c->open) {
		c->open = false;
		pf_imap_cmd_text(c, "\r\n");
	}
}

bool pf_imap_cmd_withdraw(struct pf_imap_cmd *c)
{
	if (c->written > 0) {
		return false;
	}
	session_drop_cmd(c->s, c);
	return true;
}

uint64_t pf_imap_cmd_length(const struct pf_imap_cmd *c)
{
	return c->length;
}

uint64_t pf_imap_cmd_written(const struct pf_imap_cmd *c)
{
	return c->written;
}

static struct part *fed_part(const struct pf_imap_cmd *c)
{
	struct part *p = c->first;

	while (p && !p->fed) {
		p = p->next;
	}
	return p;
}

int pf_imap_cmd_feed(struct pf_imap_cmd *c, struct pf_span bytes, struct pf_err *err)
{
	struct part *p = fed_part(c);

	if (!p || bytes.n > p->fed_left) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "more bytes than were announced");
	}
	if (!pf_imap_cmd_hungry(c)) {
		return PF_AGAIN;
	}
	pf_buf_consume(&p->bytes, p->sent);
	p->sent = 0;
	p->bytes.max = FED_ROOM + bytes.n;
	if (pf_buf_add(&p->bytes, bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	p->fed_left -= bytes.n;
	return PF_OK;
}

bool pf_imap_cmd_hungry(const struct pf_imap_cmd *c)
{
	const struct part *p = fed_part(c);

	return p && !p->waits && p->fed_left > 0 && p->bytes.n - p->sent <= FED_ROOM;
}

/* ---- writing ---- */

struct pf_imap_cmd *session_writing(const struct pf_imap_session *s)
{
	struct pf_imap_cmd *c = s->first;

	while (c && !c->first && !c->open) {
		c = c->next;
	}
	return c;
}

static struct pf_span part_left(const struct part *p)
{
	struct pf_span all = p->blob ? pf_blob_span(p->blob) : pf_buf_span(&p->bytes);

	return pf_span_from(all, p->sent);
}

static bool part_done(const struct part *p)
{
	return part_left(p).n == 0 && p->fed_left == 0;
}

/* Add what can be sent of a part. false: nothing behind it can go in the same flight. */
static bool add_pending(const struct part *p, struct pf_span *spans, size_t *n, bool *secret)
{
	struct pf_span left = part_left(p);

	if (p->waits || (left.n > 0 && *n > 0 && p->secret != *secret)) {
		return false;
	}
	if (left.n > 0) {
		*secret = p->secret;
		spans[(*n)++] = left;
	}
	return p->fed_left == 0;
}

size_t pf_imap_session_pending(
	struct pf_imap_session *s, struct pf_span *spans, size_t max, bool *secret)
{
	bool goes_on = true;
	size_t n = 0;

	*secret = false;
	for (struct pf_imap_cmd *c = session_writing(s); c && goes_on; c = c->next) {
		for (struct part *p = c->first; p && goes_on; p = p->next) {
			goes_on = n < max && add_pending(p, spans, &n, secret);
		}
		goes_on = goes_on && !c->open;
	}
	return n;
}

void pf_imap_session_sent(struct pf_imap_session *s, size_t n)
{
	struct pf_imap_cmd *c = session_writing(s);

	while (c) {
		struct pf_imap_cmd *next = c->next;

		while (c->first && !c->first->waits) {
			struct part *p = c->first;
			size_t left = part_left(p).n;
			size_t take = left < n ? left : n;

			p->sent += take;
			c->written += take;
			n -= take;
			if (!part_done(p) || (c->open && !p->next)) {
				break;
			}
			c->first = p->next;
			c->last = c->first ? c->last : NULL;
			free_part(p);
		}
		if (c->first || c->open) {
			return;
		}
		if (c->answered) {
			session_drop_cmd(s, c);
		}
		c = next;
	}
}

void session_asked(struct pf_imap_session *s)
{
	struct pf_imap_cmd *c = session_writing(s);

	if (!c) {
		return;
	}
	for (struct part *p = c->first; p; p = p->next) {
		if (p->waits) {
			p->waits = false;
			return;
		}
		if (!part_done(p)) {
			return; /* nothing was asked yet: a stray "+" */
		}
	}
}

int pf_imap_session_respond(struct pf_imap_session *s, struct pf_span base64, struct pf_err *err)
{
	struct pf_imap_cmd *c = s->first;

	while (c && (c->kind != PF_IMAP_CMD_AUTHENTICATE || c->answered)) {
		c = c->next;
	}
	if (!c) {
		return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_NO, "no sign-in is under way");
	}
	add(c, base64, true);
	add(c, pf_span("\r\n", 2), true);
	return check(c, err);
}
