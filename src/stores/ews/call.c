/*
 * Requests in flight; servers that want to be left alone, links that are lost.
 */
#include "stores/ews/ews_private.h"

#include <stdio.h>

enum {
	PAUSE_FIRST_MS = 1000,
	PAUSE_MAX_MS = 10 * 60 * 1000,
	WISH_MAX_MS = 3600 * 1000, /* a longer wish is taken for a mistake */
};

/* ---- calls ---- */

bool ecall_room(const struct estore *s)
{
	if (pf_http_room(s->http) == 0) {
		return false;
	}
	for (size_t i = 0; i < EWS_CALLS; i++) {
		if (!s->call[i].busy) {
			return true;
		}
	}
	return false;
}

struct ecall *ecall_new(struct estore *s, enum ecall_kind kind, struct eop *o)
{
	struct ecall *c = s->call;

	while (c->busy) {
		c++;
		pf_assert(c < s->call + EWS_CALLS); /* ecall_room was asked */
	}
	*c = (struct ecall){.kind = kind};
	if (o) {
		c->ops[c->n++] = o;
	}
	return c;
}

static int submit(struct estore *s, struct ecall *c, const char *operation, struct pf_blob *body,
	struct pf_err *err)
{
	char action[160];
	const char *fields[] = {"Content-Type: text/xml; charset=utf-8", action,
		s->anchor[0] ? s->anchor : NULL, NULL};
	struct pf_http_req req = {
		.id = (uint64_t)(c - s->call) + 1,
		.method = "POST",
		.target = pf_span_str(s->target),
		.fields = fields,
		.body = body,
		.answer_max = EWS_ANSWER_MAX,
		.once = c->kind == ECALL_CREATE,
	};

	(void)snprintf(action, sizeof(action),
		"SOAPAction: \"http://schemas.microsoft.com/exchange/services/2006/messages/%s\"",
		operation);
	return pf_http_submit(s->http, &req, err);
}

int ecall_send(struct estore *s, struct ecall *c, const char *operation, struct pf_buf *text,
	struct pf_err *err)
{
	struct pf_blob *body = pf_blob_new(text->n);
	int rc;

	if (body && text->n > 0) {
		memcpy(body->bytes, text->p, text->n);
	}
	pf_buf_deinit(text);
	if (!body) {
		return pf_fail_memory(err, "a request");
	}
	rc = submit(s, c, operation, body, err);
	pf_blob_unref(&body);
	if (rc != PF_OK) {
		pf_assert(rc == PF_FAIL); /* there was room */
		return PF_FAIL;
	}
	c->busy = true;
	s->reads += c->kind == ECALL_MIME;
	for (size_t i = 0; i < c->n; i++) {
		c->ops[i]->state = EOP_RUNNING;
		c->ops[i]->begun = true;
	}
	return PF_OK;
}

void ecall_put_back(struct estore *s, struct ecall *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->ops[i]->state = c->ops[i]->state == EOP_RUNNING ? EOP_WAITING : c->ops[i]->state;
	}
	s->asking = s->asking && c->kind != ECALL_KNOWN;
}

/* ---- notes ---- */

void estore_note(struct estore *s, int number, const char *fmt, ...)
{
	struct enote *n = &s->note[s->note_n];
	va_list ap;

	if (s->note_n == EWS_NOTES) {
		return; /* so many at once: the first ones tell the story */
	}
	*n = (struct enote){.number = number};
	va_start(ap, fmt);
	(void)vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
	s->note_n++;
}

void estore_lost(struct estore *s, const struct pf_err *why)
{
	if (!s->lost) {
		s->lost = true;
		s->lost_why = *why;
	}
}

/* ---- patience ---- */

bool estore_quiet(const struct estore *s, int64_t *wake_ms)
{
	if (pf_loop_now_ms(s->loop) >= s->quiet_until_ms) {
		return false;
	}
	*wake_ms = s->quiet_until_ms < *wake_ms ? s->quiet_until_ms : *wake_ms;
	return true;
}

/* What was asked for, or longer with each time in a row; never sooner, not all at one moment. */
static int64_t pause_ms(const struct estore *s, unsigned int times, int64_t asked_ms)
{
	int64_t pause = PAUSE_FIRST_MS;

	for (unsigned int i = 1; i < times && pause < PAUSE_MAX_MS; i++) {
		pause *= 2;
	}
	pause = pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause;
	if (asked_ms > 0) {
		pause = asked_ms > WISH_MAX_MS ? WISH_MAX_MS : asked_ms;
	}
	return pause + pf_loop_now_ms(s->loop) * 7919 % (pause / 8 + 1);
}

void estore_be_patient(struct estore *s, int64_t ms, const char *text)
{
	int64_t now = pf_loop_now_ms(s->loop), until;
	bool again = s->quiet_until_ms > now; /* told by several answers at once */

	if (!again && ++s->pauses > EWS_PAUSES) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_SESSION, PF_RETRY_LATER,
			"it asked for patience %d times in a row and did nothing in between: %s",
			EWS_PAUSES, text);
		why.retry_after_s = (int)(ms / 1000);
		estore_lost(s, &why);
		return;
	}
	until = now + pause_ms(s, s->pauses, ms);
	if (!again) {
		pf_http_narrow(s->http);
		estore_note(s, PF_EV_THROTTLED, "asks for patience, waiting %lld s: %s",
			(long long)(until - now) / 1000, text);
		if (s->note_n > 0) {
			s->note[s->note_n - 1].until_ms = until;
		}
	}
	s->quiet_until_ms = until > s->quiet_until_ms ? until : s->quiet_until_ms;
}

void estore_pause(struct estore *s)
{
	int64_t until = pf_loop_now_ms(s->loop) + pause_ms(s, s->losses, 0);

	s->quiet_until_ms = until > s->quiet_until_ms ? until : s->quiet_until_ms;
}

/* ---- answers ---- */

/* New items may have been stored: whether they were is for the engine to find out. All else is
 * asked again, as doing it twice is doing it once. */
static void lost_link(struct estore *s, struct ecall *c, const struct pf_http_answer *a)
{
	int64_t now = pf_loop_now_ms(s->loop);
	bool told = s->quiet_until_ms > now; /* by another answer that was lost with it */

	if (++s->losses > (s->ready ? EWS_LOSSES : EWS_LOSSES_FIRST)) {
		estore_lost(s, &a->why);
		return;
	}
	estore_pause(s);
	if (!told) {
		estore_note(s, PF_EV_CONNECTION_LOST, "asked anew in %lld ms: %s",
			(long long)(s->quiet_until_ms - now), a->why.text);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct eop *o = c->ops[i];

		if ((c->kind == ECALL_CREATE && a->in_doubt) || ++o->tries > EWS_TRIES) {
			o->end.in_doubt = pf_op_writes(eop_op(o)->kind) && a->in_doubt;
			eop_failed(s, o, &a->why);
		}
	}
	ecall_put_back(s, c);
}

static void not_had(struct estore *s, struct ecall *c, const struct pf_http_answer *a)
{
	if (a->why.scope >= PF_SCOPE_STORE || (a->why.scope == PF_SCOPE_ITEM && c->n == 0)) {
		estore_lost(s, &a->why);
	} else if (a->why.scope == PF_SCOPE_SESSION) {
		lost_link(s, c, a);
	} else if (c->n > 1) { /* all together are too large */
		for (size_t i = 0; i < c->n; i++) {
			c->ops[i]->alone = true;
		}
		ecall_put_back(s, c);
	} else {
		eop_refused(s, c->ops[0], &a->why);
	}
}

int ecall_take(struct estore *s, int64_t *wake_ms, struct pf_err *err)
{
	struct pf_http_answer a;
	struct ecall *c;
	int rc = pf_http_next(s->http, &a, wake_ms, err);

	if (rc != PF_OK) {
		return rc;
	}
	c = &s->call[a.id - 1];
	s->reads -= c->kind == ECALL_MIME;
	if (a.failed) {
		not_had(s, c, &a);
	} else {
		s->losses = 0;
		rc = ews_answer(s, c, &a, err);
	}
	c->busy = false;
	return rc;
}
