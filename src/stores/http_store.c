#include "stores/http_store.h"

#include <stdio.h>
#include <stdlib.h>

static struct pf_hs *hs_of(struct pf_store *base)
{
	return pf_container_of(base, struct pf_hs, base);
}

/* ---- operations ---- */

static void free_op(struct pf_hs *s, struct pf_hs_op *o)
{
	pf_op_let_go(&o->kept);
	pf_buf_deinit(&o->end.id);
	pf_buf_deinit(&o->end.version);
	pf_buf_deinit(&o->end.holder);
	pf_blob_unref(&o->fed);
	s->does->op_free(o);
}

static int add_op(struct pf_hs *s, const struct pf_op *op, struct pf_err *err)
{
	struct pf_hs_op *o = s->does->op_new(op);

	if (!o) {
		return pf_fail_memory(err, "an operation");
	}
	pf_buf_init(&o->end.id, s->does->id_max);
	pf_buf_init(&o->end.version, s->does->version_max);
	pf_buf_init(&o->end.holder, s->does->id_max);
	if (pf_op_keep(&o->kept, op, err) != PF_OK) {
		free_op(s, o);
		return PF_FAIL;
	}
	o->prev = s->last;
	*(s->last ? &s->last->next : &s->first) = o;
	s->last = o;
	s->ops++;
	s->of[op->kind]++;
	return PF_OK;
}

static void drop_op(struct pf_hs *s, struct pf_hs_op *o)
{
	*(o->prev ? &o->prev->next : &s->first) = o->next;
	*(o->next ? &o->next->prev : &s->last) = o->prev;
	s->ops--;
	s->of[pf_hs_op_of(o)->kind]--;
	s->feeding = s->feeding == o ? NULL : s->feeding;
	free_op(s, o);
}

size_t pf_hs_writers(const struct pf_hs *s)
{
	size_t n = 0;

	for (size_t kind = 0; kind < PF_COUNT(s->of); kind++) {
		n += pf_op_writes((enum pf_op_kind)kind) ? s->of[kind] : 0;
	}
	return n;
}

void pf_hs_op_runs(struct pf_hs_op *o)
{
	o->state = PF_HS_RUNNING;
	o->begun = true;
}

void pf_hs_give(struct pf_hs *s, struct pf_hs_op *o)
{
	pf_assert(o->state != PF_HS_GIVING);
	o->state = PF_HS_GIVING;
	o->give_next = NULL;
	*(s->give_last ? &s->give_last->give_next : &s->give_first) = o;
	s->give_last = o;
}

void pf_hs_failed(struct pf_hs *s, struct pf_hs_op *o, const struct pf_err *why)
{
	o->end.failed = true;
	o->end.why = *why;
	pf_hs_give(s, o);
}

void pf_hs_refused(struct pf_hs *s, struct pf_hs_op *o, const struct pf_err *why)
{
	o->end.refused = true;
	pf_hs_failed(s, o, why);
}

static void recall(struct pf_hs *s)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NOW, "recalled before it was sent");
	for (struct pf_hs_op *o = s->first; o; o = o->next) {
		if (pf_hs_op_of(o)->kind == PF_OP_PUT && o->state == PF_HS_WAITING && !o->begun) {
			o->end.recalled = true;
			pf_hs_failed(s, o, &why);
		}
	}
}

int pf_hs_submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct pf_hs *s = hs_of(base);

	if (s->cfg->source && pf_op_writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (op->kind == PF_OP_FLUSH) {
		return PF_OK; /* what waits goes out as soon as it may */
	}
	if (op->kind == PF_OP_RECALL) {
		recall(s);
		return PF_OK;
	}
	if (s->ops >= PF_HS_OPS_MAX && op->kind != PF_OP_CLOSE) {
		return PF_AGAIN;
	}
	return add_op(s, op, err);
}

/* ---- items that do not come whole ---- */

static void take_fed(struct pf_hs *s, struct pf_hs_op *o)
{
	o->kept.op.put.body = o->fed;
	o->fed = NULL;
	s->feeding = NULL;
}

int pf_hs_feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct pf_hs *s = hs_of(base);
	struct pf_hs_op *o = s->feeding;

	if (!s->does->fed) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "items of this store come whole");
	}
	if (!o || pf_hs_op_of(o)->id != id) {
		return PF_AGAIN;
	}
	if (!part.p) {
		struct pf_err why;

		s->feeding = NULL;
		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_LATER, "the item broke off");
		pf_hs_failed(s, o, &why);
		return PF_OK;
	}
	if (part.n > pf_hs_op_of(o)->put.size - o->fed_n) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "more bytes than were announced");
	}
	if (part.n > 0) {
		memcpy(o->fed->bytes + o->fed_n, part.p, part.n);
	}
	o->fed_n += part.n;
	if (o->fed_n == pf_hs_op_of(o)->put.size) {
		take_fed(s, o);
	}
	return PF_OK;
}

int pf_hs_whole(struct pf_hs *s, struct pf_hs_op *o, struct pf_err *err)
{
	if (pf_hs_op_of(o)->put.body) {
		return PF_OK;
	}
	if (!s->does->fed) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "items of this store come whole");
	}
	if (s->feeding) {
		return PF_AGAIN;
	}
	o->fed = pf_blob_new((size_t)pf_hs_op_of(o)->put.size);
	if (!o->fed) {
		return pf_fail_memory(err, "an item");
	}
	if (pf_hs_op_of(o)->put.size == 0) {
		take_fed(s, o);
		return PF_OK;
	}
	o->begun = true;
	s->feeding = o;
	s->hungry_due = true;
	return PF_AGAIN;
}

/* ---- what is told, patience ---- */

void pf_hs_note(struct pf_hs *s, int number, const char *fmt, ...)
{
	struct pf_hs_note *n = &s->note[s->note_n];
	va_list ap;

	if (s->note_n == PF_HS_NOTES) {
		return; /* so many at once: the first ones tell the story */
	}
	*n = (struct pf_hs_note){.number = number};
	va_start(ap, fmt);
	(void)vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
	s->note_n++;
}

void pf_hs_lost(struct pf_hs *s, const struct pf_err *why)
{
	if (!s->lost) {
		s->lost = true;
		s->lost_why = *why;
	}
}

bool pf_hs_quiet(const struct pf_hs *s, int64_t *wake_ms)
{
	if (pf_loop_now_ms(s->loop) >= s->quiet_until_ms) {
		return false;
	}
	*wake_ms = s->quiet_until_ms < *wake_ms ? s->quiet_until_ms : *wake_ms;
	return true;
}

/* What was asked for, or longer with each time in a row; never sooner, not all at one moment. */
static int64_t pause_ms(const struct pf_hs *s, unsigned int times, int64_t asked_ms)
{
	static const int64_t FIRST_MS = 1000;
	static const int64_t WISH_MAX_MS = 3600000; /* a longer wish is taken for a mistake */
	int64_t most = s->does->pause_max_ms, pause = FIRST_MS;

	for (unsigned int i = 1; i < times && pause < most; i++) {
		pause *= 2;
	}
	pause = pause > most ? most : pause;
	if (asked_ms > 0) {
		pause = asked_ms > WISH_MAX_MS ? WISH_MAX_MS : asked_ms;
	}
	return pause + pf_loop_now_ms(s->loop) * 7919 % (pause / 8 + 1);
}

void pf_hs_be_patient(struct pf_hs *s, int64_t ms, const char *text)
{
	int64_t now = pf_loop_now_ms(s->loop), until;
	bool again = s->quiet_until_ms > now; /* told by several answers at once */

	if (!again && ++s->pauses > s->does->pauses) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_SESSION, PF_RETRY_LATER,
			"it asked for patience %u times in a row and did nothing in between: %s",
			s->does->pauses, text);
		why.retry_after_s = (int)(ms / 1000);
		pf_hs_lost(s, &why);
		return;
	}
	until = now + pause_ms(s, s->pauses, ms);
	if (!again) {
		pf_http_narrow(s->http);
		pf_hs_note(s, PF_EV_THROTTLED, "asks for patience, waiting %lld s: %s",
			(long long)(until - now) / 1000, text);
		if (s->note_n > 0) {
			s->note[s->note_n - 1].until_ms = until;
		}
	}
	s->quiet_until_ms = until > s->quiet_until_ms ? until : s->quiet_until_ms;
}

void pf_hs_pause(struct pf_hs *s, unsigned int times)
{
	int64_t until = pf_loop_now_ms(s->loop) + pause_ms(s, times, 0);

	s->quiet_until_ms = until > s->quiet_until_ms ? until : s->quiet_until_ms;
}

bool pf_hs_link_lost(struct pf_hs *s, const struct pf_err *why)
{
	int64_t now = pf_loop_now_ms(s->loop);
	bool told = s->quiet_until_ms > now; /* by another answer that was lost with it */

	if (++s->losses > (s->ready ? s->does->losses : s->does->losses_first)) {
		return false;
	}
	pf_hs_pause(s, s->losses);
	if (!told) {
		pf_hs_note(s, PF_EV_CONNECTION_LOST, "asked anew in %lld ms: %s",
			(long long)(s->quiet_until_ms - now), why->text);
	}
	return true;
}

void pf_hs_op_lost(struct pf_hs *s, struct pf_hs_op *o, bool may_be_done, unsigned int tries,
	const struct pf_http_answer *a)
{
	if ((may_be_done && a->in_doubt) || ++o->tries > tries) {
		o->end.in_doubt = pf_op_writes(pf_hs_op_of(o)->kind) && a->in_doubt;
		pf_hs_failed(s, o, &a->why);
	} else {
		o->state = PF_HS_WAITING;
	}
}

/* ---- beginning ---- */

/* Nobody signs in for nothing, and not to sign out again. */
static int sign_in(struct pf_hs *s, bool *moved, struct pf_err *err)
{
	int rc;

	if (!s->first || s->first->state != PF_HS_WAITING) {
		return PF_OK;
	}
	if (pf_hs_op_of(s->first)->kind == PF_OP_CLOSE) {
		pf_hs_give(s, s->first);
		*moved = true;
		return PF_OK;
	}
	rc = s->does->sign_in(s, err);
	*moved = rc == PF_OK;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

static bool may_start(const struct pf_hs *s, const struct pf_hs_op *o)
{
	return o->state == PF_HS_WAITING && o != s->feeding &&
	       (pf_hs_op_of(o)->kind == PF_OP_CLOSE ? o == s->first : s->does->may_start(s, o));
}

/* Begin what may begin. *moved: something was done. */
static int issue(struct pf_hs *s, int64_t *wake_ms, bool *moved, struct pf_err *err)
{
	if (pf_hs_quiet(s, wake_ms)) {
		return PF_OK;
	}
	if (!s->ready) {
		return sign_in(s, moved, err);
	}
	for (struct pf_hs_op *o = s->first; o && s->does->room(s) && !s->lost; o = o->next) {
		int rc;

		if (!may_start(s, o)) {
			continue;
		}
		rc = s->does->start(s, o, err);
		if (rc == PF_FAIL && err->scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
		if (rc == PF_FAIL) {
			struct pf_err why = *err;

			o->state = PF_HS_WAITING;
			pf_hs_refused(s, o, &why);
		}
		*moved = *moved || rc != PF_AGAIN;
	}
	*moved = *moved || (s->hungry_due && s->feeding);
	return PF_OK;
}

/* ---- events ---- */

static struct pf_span said_or_absent(const struct pf_buf *b)
{
	return b->n > 0 ? pf_buf_span(b) : pf_span(NULL, 0);
}

static void give_end(struct pf_hs *s, struct pf_hs_op *o, struct pf_store_event *out)
{
	const struct pf_hs_end *e = &o->end;

	s->told = o;
	*out = (struct pf_store_event){
		.kind = e->failed ? PF_STORE_FAILED : PF_STORE_DONE, .op = pf_hs_op_of(o)->id};
	if (!e->failed) {
		out->id = said_or_absent(&e->id);
		out->version = said_or_absent(&e->version);
		out->refused = e->native_refused[0] ? e->native_refused : NULL;
		out->existed = e->existed;
		s->closed = s->closed || pf_hs_op_of(o)->kind == PF_OP_CLOSE;
		return;
	}
	out->failed.why = e->why;
	out->failed.in_doubt = e->in_doubt;
	out->failed.put_off = e->put_off;
	out->failed.recalled = e->recalled;
	out->failed.missing = e->missing;
	out->failed.refused = e->refused;
	out->failed.conflict = e->conflict;
	out->failed.holder = said_or_absent(&e->holder);
}

/* PF_AGAIN: nothing is to be given. */
static int give(struct pf_hs *s, struct pf_store_event *out, struct pf_err *err)
{
	if (s->hungry_due && s->feeding) {
		s->hungry_due = false;
		*out = (struct pf_store_event){
			.kind = PF_STORE_HUNGRY, .op = pf_hs_op_of(s->feeding)->id};
		return PF_OK;
	}
	while (s->give_first) {
		struct pf_hs_op *o = s->give_first;
		int rc = s->does->give(s, o, out, err);

		if (rc == PF_OK || rc == PF_FAIL) {
			return rc;
		}
		s->give_first = o->give_next;
		s->give_last = s->give_first ? s->give_last : NULL;
		if (rc == PF_END) {
			give_end(s, o, out);
			return PF_OK;
		}
		o->state = PF_HS_WAITING; /* it goes on with another request */
	}
	return PF_AGAIN;
}

static void give_note(struct pf_hs *s, struct pf_store_event *out)
{
	s->note_told = s->note[0];
	s->note_n--;
	memmove(&s->note[0], &s->note[1], s->note_n * sizeof(s->note[0]));
	*out = (struct pf_store_event){.kind = PF_STORE_NOTE};
	out->note.number = s->note_told.number;
	out->note.text = s->note_told.text;
	out->note.pause_until_ms = s->note_told.until_ms;
}

/* What is there to be told without asking the network; PF_AGAIN: nothing. */
static int tell(struct pf_hs *s, struct pf_store_event *out, struct pf_err *err)
{
	if (s->note_n > 0) {
		give_note(s, out);
		return PF_OK;
	}
	if (s->lost) {
		*err = s->lost_why;
		return PF_FAIL;
	}
	if (s->closed) {
		return PF_END;
	}
	if (s->ready && !s->ready_told) {
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return PF_OK;
	}
	return give(s, out, err);
}

int pf_hs_next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct pf_hs *s = hs_of(base);

	if (s->told) {
		drop_op(s, s->told);
		s->told = NULL;
	}
	for (;;) {
		bool moved = false;
		int rc = tell(s, out, err);

		if (rc != PF_AGAIN) {
			return rc;
		}
		rc = s->does->take(s, wake_ms, err);
		if (rc == PF_AGAIN) {
			rc = issue(s, wake_ms, &moved, err);
			if (rc == PF_OK && !moved) {
				return PF_AGAIN;
			}
		}
		if (rc == PF_FAIL) {
			return PF_FAIL;
		}
	}
}

const struct pf_store_facts *pf_hs_facts(const struct pf_store *base)
{
	return &((const struct pf_hs *)(const void *)base)->facts;
}

/* ---- life ---- */

void pf_hs_init(struct pf_hs *s, const struct pf_store_ops *ops, struct pf_loop *loop,
	const struct pf_store_cfg *cfg, const struct pf_hs_does *does)
{
	s->base.ops = ops;
	s->cfg = cfg;
	s->does = does;
	s->loop = loop;
}

void pf_hs_deinit(struct pf_hs *s)
{
	pf_http_free(&s->http);
	while (s->first) {
		drop_op(s, s->first);
	}
}

static void on_trace(void *arg, size_t connection, char direction, struct pf_span bytes)
{
	struct pf_hs *s = arg;

	s->cfg->trace->bytes(s->cfg->trace, connection, direction, bytes);
}

int pf_hs_connect(struct pf_hs *s, const char *host, int port, bool https, const char *scheme,
	struct pf_err *err)
{
	struct pf_http_cfg http = {
		.host = host,
		.port = port,
		.https = https,
		.cookies = s->does->cookies,
		.tls = s->cfg->tls,
		.connections = s->cfg->connections,
		.connections_most = s->cfg->connections_most,
		.idle_timeout_s = s->cfg->idle_timeout_s,
		.rate_bytes_s = s->cfg->rate_bytes_s,
		.stirred = s->cfg->stirred,
		.trace = s->cfg->trace ? on_trace : NULL,
		.trace_arg = s,
	};

	if (!https && !s->cfg->allow_plaintext) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s:// is HTTP without TLS: %s:// is with it; where the server has none, "
			"--allow-plaintext lets the password and the items go over the link "
			"unprotected",
			s->cfg->url->scheme, scheme);
	}
	pf_http_free(&s->http);
	return pf_http_new(s->loop, &http, &s->http, err);
}

bool pf_hs_may_go(const struct pf_hs *s, bool from_https, const struct pf_origin *to)
{
	return (to->https || (!from_https && s->cfg->allow_plaintext)) &&
	       pf_origin_named(s->cfg->trusted, to);
}

int pf_hs_sign_in(struct pf_hs *s, const char *user, bool *given, struct pf_err *err)
{
	struct pf_secret_source *src = s->cfg->secret;
	struct pf_secret secret = {0};
	int rc = src ? src->get(src, &secret, err) : PF_OK;

	if (given) {
		*given = pf_secret_is_set(&secret);
	}
	if (rc == PF_OK) {
		rc = pf_http_sign_in(s->http, user, &secret, src && src->oauth, err);
	}
	pf_secret_clear(&secret);
	return rc;
}

int pf_hs_sign_in_again(
	struct pf_hs *s, const char *user, const struct pf_http_answer *a, struct pf_err *err)
{
	bool oauth = s->cfg->secret && s->cfg->secret->oauth;

	if (a->outdated) {
		return PF_OK; /* it went out before */
	}
	if (s->signed_again || (!oauth && !s->ready)) {
		return PF_END;
	}
	s->signed_again = true;
	return pf_hs_sign_in(s, user, NULL, err);
}
