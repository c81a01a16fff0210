#include "stores/ews/ews_private.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct pf_store_ops pf_ews_store_ops;

static struct estore *store_of(struct pf_store *base)
{
	return pf_container_of(base, struct estore, base);
}

/* ---- operations ---- */

static void recall(struct estore *s)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NOW, "recalled before it was sent");
	for (struct eop *o = s->first; o; o = o->next) {
		if (eop_op(o)->kind == PF_OP_PUT && o->state == EOP_WAITING && !o->begun) {
			o->end.recalled = true;
			eop_failed(s, o, &why);
		}
	}
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct estore *s = store_of(base);

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
	if (s->ops >= EWS_OPS_MAX && op->kind != PF_OP_CLOSE) {
		return PF_AGAIN;
	}
	return eop_new(s, op, err);
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct estore *s = store_of(base);

	if (!s->feeding || eop_op(s->feeding)->id != id) {
		return PF_AGAIN;
	}
	return ews_put_feed(s, s->feeding, part, err);
}

static int start(struct estore *s, struct eop *o, struct pf_err *err)
{
	switch (eop_op(o)->kind) {
	case PF_OP_FOLDERS:
		return ews_folders_start(s, o, err);
	case PF_OP_LIST:
		return ews_list_start(s, o, err);
	case PF_OP_GET:
		return ews_get_start(s, o, err);
	case PF_OP_PUT:
		return ews_put_start(s, o, err);
	case PF_OP_FLAGS:
		return ews_flags_start(s, o, err);
	case PF_OP_REMOVE:
		return ews_remove_start(s, o, err);
	case PF_OP_MKFOLDER:
		return ews_make_start(s, o, err);
	default: /* CLOSE; subscriptions are unknown here */
		eop_give(s, o);
		return PF_OK;
	}
}

/* Nobody signs in for nothing, and not to sign out again. */
static int sign_in(struct estore *s, bool *moved, struct pf_err *err)
{
	int rc;

	if (!s->first || s->first->state != EOP_WAITING) {
		return PF_OK;
	}
	if (eop_op(s->first)->kind == PF_OP_CLOSE) {
		eop_give(s, s->first);
		*moved = true;
		return PF_OK;
	}
	rc = ews_sign_in(s, err);
	*moved = rc == PF_OK;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Begin what may begin. *moved: something was done. */
static int issue(struct estore *s, int64_t *wake_ms, bool *moved, struct pf_err *err)
{
	if (estore_quiet(s, wake_ms)) {
		return PF_OK;
	}
	if (!s->ready) {
		return sign_in(s, moved, err);
	}
	for (struct eop *o = s->first; o && ecall_room(s) && !s->lost; o = o->next) {
		int rc;

		if (o->state != EOP_WAITING || !eop_may_start(s, o)) {
			continue;
		}
		rc = start(s, o, err);
		if (rc == PF_FAIL && err->scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
		if (rc == PF_FAIL) {
			struct pf_err why = *err;

			eop_refused(s, o, &why);
		}
		*moved = *moved || rc != PF_AGAIN;
	}
	return PF_OK;
}

/* ---- events ---- */

static void give_end(struct estore *s, struct eop *o, struct pf_store_event *out)
{
	const struct eend *e = &o->end;

	s->told = o;
	*out = (struct pf_store_event){
		.kind = e->failed ? PF_STORE_FAILED : PF_STORE_DONE, .op = eop_op(o)->id};
	if (!e->failed) {
		out->id = e->id.n > 0 ? pf_buf_span(&e->id) : pf_span(NULL, 0);
		out->existed = e->existed;
		s->closed = s->closed || eop_op(o)->kind == PF_OP_CLOSE;
		return;
	}
	out->failed.why = e->why;
	out->failed.in_doubt = e->in_doubt;
	out->failed.recalled = e->recalled;
	out->failed.missing = e->missing;
	out->failed.refused = e->refused;
	out->failed.conflict = e->conflict;
}

static int give_one(struct estore *s, struct eop *o, struct pf_store_event *out)
{
	switch (eop_op(o)->kind) {
	case PF_OP_FOLDERS:
		return ews_folders_give(s, o, out);
	case PF_OP_LIST:
		return ews_list_give(s, o, out);
	case PF_OP_GET:
		return ews_get_give(o, out);
	default:
		return PF_END;
	}
}

/* false: nothing is to be given. */
static bool give(struct estore *s, struct pf_store_event *out)
{
	struct eop *o = s->give_first;

	if (s->hungry_due && s->feeding) {
		s->hungry_due = false;
		*out = (struct pf_store_event){
			.kind = PF_STORE_HUNGRY, .op = eop_op(s->feeding)->id};
		return true;
	}
	if (!o) {
		return false;
	}
	if (give_one(s, o, out) == PF_END) {
		s->give_first = o->give_next;
		s->give_last = s->give_first ? s->give_last : NULL;
		give_end(s, o, out);
	}
	return true;
}

static void give_note(struct estore *s, struct pf_store_event *out)
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
static int tell(struct estore *s, struct pf_store_event *out, struct pf_err *err)
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
	return give(s, out) ? PF_OK : PF_AGAIN;
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct estore *s = store_of(base);

	if (s->told) {
		eop_free(s, s->told);
		s->told = NULL;
	}
	for (;;) {
		bool moved = false;
		int rc = tell(s, out, err);

		if (rc != PF_AGAIN) {
			return rc;
		}
		rc = ecall_take(s, wake_ms, err);
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

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	return &((const struct estore *)(const void *)base)->facts;
}

/* ---- life ---- */

static void close_store(struct pf_store *base)
{
	struct estore *s;

	if (!base) {
		return;
	}
	s = store_of(base);
	pf_http_free(&s->http);
	while (s->first) {
		eop_free(s, s->first);
	}
	ews_folders_free(s);
	for (size_t i = 0; i < PF_EWS_KNOWN; i++) {
		pf_buf_deinit(&s->known[i]);
	}
	free(s);
}

static void on_trace(void *arg, size_t connection, char direction, struct pf_span bytes)
{
	struct estore *s = arg;

	s->cfg->trace->bytes(s->cfg->trace, connection, direction, bytes);
}

static void init_facts(struct estore *s)
{
	s->facts = (struct pf_store_facts){
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_LIST_DELTA | PF_CAP_REMOVE_ONE |
			PF_CAP_FOLD_CASE | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED |
			PF_CAP_KEEPS_DATE | PF_CAP_STORES_LATE,
		.kinds = PF_KIND_MAIL,
		.max_item_bytes = EWS_ITEM_MAX,
		.quota_free_bytes = UINT64_MAX,
		.max_segment_bytes = 250,
		.max_depth = 250,
		.forbidden = ews_controls, /* which XML can't carry */
		.uid_scope = PF_UID_ANYWHERE,
		.server = s->server,
		.connections = s->cfg->connections ? s->cfg->connections : EWS_CONNECTIONS,
	};
}

static int connect_to(struct estore *s, struct pf_err *err)
{
	const struct pf_url *url = s->cfg->url;
	bool https = strcmp(url->scheme, "ews+http") != 0;
	struct pf_http_cfg http = {
		.host = url->host,
		.port = url->port ? url->port
			: https   ? 443
				  : 80,
		.https = https,
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
			"ews+http:// is HTTP without TLS: ews:// is with it; where the server has "
			"none, --allow-plaintext lets the password and the items go over the link "
			"unprotected");
	}
	(void)snprintf(s->about, sizeof(s->about), "%.150s port %d", url->host, http.port);
	return pf_http_new(s->loop, &http, &s->http, err);
}

/* Where the service is at the server, unless the URL says another path. */
static int set_target(struct estore *s, struct pf_err *err)
{
	const char *path = s->cfg->url->path, *user = s->cfg->url->user;
	bool given = strspn(path, "/") != strlen(path);

	if (strlen(path) >= sizeof(s->target) || strpbrk(path, " \r\n?#")) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"the path of the URL is none of Exchange Web Services, which mostly is "
			"/EWS/Exchange.asmx");
	}
	(void)snprintf(s->target, sizeof(s->target), "%s", given ? path : "/EWS/Exchange.asmx");
	if (user && strchr(user, '@') && strlen(user) < 250 && !strpbrk(user, "\r\n")) {
		(void)snprintf(s->anchor, sizeof(s->anchor), "X-AnchorMailbox: %s", user);
	}
	if (s->cfg->admin) {
		s->as.impersonate = user;
	}
	return PF_OK;
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct estore *s = calloc(1, sizeof(*s));

	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	s->base.ops = &pf_ews_store_ops;
	s->cfg = cfg;
	s->loop = loop;
	s->as.version = PF_EWS_VERSIONS - 1;
	for (size_t i = 0; i < PF_EWS_KNOWN; i++) {
		pf_buf_init(&s->known[i], EWS_ID_MAX);
	}
	init_facts(s);
	if (set_target(s, err) != PF_OK || connect_to(s, err) != PF_OK) {
		close_store(&s->base);
		return PF_FAIL;
	}
	*out = &s->base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"ews", PF_KIND_MAIL, NULL},
	{"ewss", PF_KIND_MAIL, NULL}, {"ews+http", PF_KIND_MAIL, NULL}, {.name = NULL}};

const struct pf_store_ops pf_ews_store_ops = {
	.schemes = SCHEMES,
	.summary = "Exchange 2007 SP1 and later (Exchange Web Services), mail",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
