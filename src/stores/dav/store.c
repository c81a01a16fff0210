#include "stores/dav/dav_private.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct pf_store_ops pf_dav_store_ops;

static struct dstore *store_of(struct pf_store *base)
{
	return pf_container_of(base, struct dstore, base);
}

/* ---- operations ---- */

static void recall(struct dstore *s)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NOW, "recalled before it was sent");
	for (struct dop *o = s->first; o; o = o->next) {
		if (o->op.kind == PF_OP_PUT && o->state == DOP_WAITING && !o->begun) {
			o->end.recalled = true;
			dop_failed(s, o, &why);
		}
	}
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct dstore *s = store_of(base);

	if (s->cfg->source && pf_op_writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (op->kind == PF_OP_FLUSH) {
		return PF_OK; /* nothing is held back */
	}
	if (op->kind == PF_OP_RECALL) {
		recall(s);
		return PF_OK;
	}
	if (s->ops >= DAV_OPS_MAX && op->kind != PF_OP_CLOSE) {
		return PF_AGAIN;
	}
	return dop_new(s, op, err);
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	(void)base;
	(void)id;
	(void)part;
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "items of this store come whole");
}

static int start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	switch (o->op.kind) {
	case PF_OP_FOLDERS:
		return dav_folders_start(s, o, err);
	case PF_OP_LIST:
		return dav_list_start(s, o, err);
	case PF_OP_GET:
		return dav_get_start(s, o, err);
	case PF_OP_PUT:
		return dav_put_start(s, o, err);
	case PF_OP_REMOVE:
		return dav_remove_start(s, o, err);
	case PF_OP_MKFOLDER:
		return dav_make_start(s, o, err);
	default: /* flags and subscriptions are unknown here */
		dop_done(s, o);
		return PF_OK;
	}
}

/* Nobody signs in for nothing, and not to sign out again. */
static int sign_in(struct dstore *s, bool *moved, struct pf_err *err)
{
	int rc;

	if (!s->first || s->first->state != DOP_WAITING) {
		return PF_OK;
	}
	if (s->first->op.kind == PF_OP_CLOSE) {
		dop_done(s, s->first);
		*moved = true;
		return PF_OK;
	}
	rc = dav_locate_step(s, err);
	if (rc != PF_OK) {
		return rc == PF_FAIL ? PF_FAIL : PF_OK;
	}
	if (s->moving) { /* what it answered was read */
		s->moving = false;
		s->begun = false;
		rc = dstore_connect(s, err);
	}
	rc = rc == PF_OK && !s->begun ? dav_discover_begin(s, err) : rc;
	rc = rc == PF_OK ? dav_discover_step(s, err) : rc;
	*moved = rc == PF_OK;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Begin what may begin. *moved: something was done. */
static int issue(struct dstore *s, int64_t *wake_ms, bool *moved, struct pf_err *err)
{
	if (dstore_quiet(s, wake_ms)) {
		return PF_OK;
	}
	if (s->stage != DSTAGE_READY) {
		return sign_in(s, moved, err);
	}
	for (struct dop *o = s->first; o && dcall_room(s) && !s->lost; o = o->next) {
		int rc;

		if (o->state != DOP_WAITING || !dop_may_start(s, o)) {
			continue;
		}
		o->begun = true;
		rc = start(s, o, err);
		if (rc == PF_FAIL && err->scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
		if (rc == PF_FAIL) {
			struct pf_err why = *err;

			o->state = DOP_WAITING;
			dop_refused(s, o, &why);
		}
		*moved = *moved || rc != PF_AGAIN;
	}
	return PF_OK;
}

/* ---- events ---- */

static struct pf_span said_or_absent(const struct pf_buf *b)
{
	return b->n > 0 ? pf_buf_span(b) : pf_span(NULL, 0);
}

static void give_end(struct dstore *s, struct dop *o, struct pf_store_event *out)
{
	const struct dend *e = &o->end;

	s->told = o;
	*out = (struct pf_store_event){
		.kind = e->failed ? PF_STORE_FAILED : PF_STORE_DONE, .op = o->op.id};
	if (!e->failed) {
		out->id = said_or_absent(&e->id);
		out->version = said_or_absent(&e->version);
		out->existed = e->existed;
		s->closed = s->closed || o->op.kind == PF_OP_CLOSE;
		return;
	}
	out->failed.why = e->why;
	out->failed.in_doubt = e->in_doubt;
	out->failed.recalled = e->recalled;
	out->failed.missing = e->missing;
	out->failed.refused = e->refused;
	out->failed.conflict = e->conflict;
	out->failed.holder = said_or_absent(&e->holder);
}

static int give_one(struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err)
{
	switch (o->op.kind) {
	case PF_OP_FOLDERS:
		return dav_folders_give(s, o, out, err);
	case PF_OP_LIST:
		return dav_list_give(s, o, out, err);
	case PF_OP_GET:
		return dav_get_give(s, o, out, err);
	default:
		return PF_END;
	}
}

/* PF_AGAIN: nothing is to be given. */
static int give(struct dstore *s, struct pf_store_event *out, struct pf_err *err)
{
	while (s->give_first) {
		struct dop *o = s->give_first;
		int rc = give_one(s, o, out, err);

		if (rc == PF_OK || rc == PF_FAIL) {
			return rc;
		}
		s->give_first = o->give_next;
		s->give_last = s->give_first ? s->give_last : NULL;
		if (rc == PF_END) {
			give_end(s, o, out);
			return PF_OK;
		}
		o->state = DOP_WAITING; /* it goes on with another request */
	}
	return PF_AGAIN;
}

static void give_note(struct dstore *s, struct pf_store_event *out)
{
	static const char NONE[] = "";

	s->note_told = s->note[0];
	s->note_n--;
	memmove(&s->note[0], &s->note[1], s->note_n * sizeof(s->note[0]));
	*out = (struct pf_store_event){.kind = PF_STORE_NOTE};
	out->note.number = s->note_told.number;
	out->note.text = s->note_told.text[0] ? s->note_told.text : NONE;
	out->note.pause_until_ms = s->note_told.until_ms;
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct dstore *s = store_of(base);

	if (s->told) {
		dop_free(s, s->told);
		s->told = NULL;
	}
	for (;;) {
		bool moved = false;
		int rc;

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
		if (s->stage == DSTAGE_READY && !s->ready_told) {
			s->ready_told = true;
			*out = (struct pf_store_event){.kind = PF_STORE_READY};
			return PF_OK;
		}
		rc = give(s, out, err);
		if (rc != PF_AGAIN) {
			return rc;
		}
		rc = dcall_take(s, wake_ms, err);
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
	return &((const struct dstore *)(const void *)base)->facts;
}

/* ---- life ---- */

static void close_store(struct pf_store *base)
{
	struct dstore *s;

	if (!base) {
		return;
	}
	s = store_of(base);
	pf_http_free(&s->http);
	pf_dns_free(&s->dns);
	for (size_t i = 0; i < DAV_CALLS; i++) {
		if (s->call[i].busy) {
			pf_blob_unref(&s->call[i].body);
			pf_buf_deinit(&s->call[i].target);
		}
	}
	while (s->first) {
		dop_free(s, s->first);
	}
	dav_folders_free(s);
	for (size_t i = 0; i < PF_COUNT(s->place_path); i++) {
		pf_buf_deinit(&s->place_path[i]);
	}
	for (size_t i = 0; i < PF_COUNT(s->home); i++) {
		pf_buf_deinit(&s->home[i]);
	}
	pf_buf_deinit(&s->principal);
	pf_buf_deinit(&s->only);
	pf_buf_deinit(&s->id_out);
	pf_buf_deinit(&s->version_out);
	free(s);
}

static void init_bufs(struct dstore *s)
{
	for (size_t i = 0; i < PF_COUNT(s->place_path); i++) {
		pf_buf_init(&s->place_path[i], DAV_PATH_MAX);
	}
	for (size_t i = 0; i < PF_COUNT(s->home); i++) {
		pf_buf_init(&s->home[i], DAV_PATH_MAX);
	}
	pf_buf_init(&s->principal, DAV_PATH_MAX);
	pf_buf_init(&s->only, DAV_PATH_MAX);
	pf_buf_init(&s->id_out, DAV_PATH_MAX);
	pf_buf_init(&s->version_out, DAV_TEXT_MAX);
}

static void on_trace(void *arg, size_t connection, char direction, struct pf_span bytes)
{
	struct dstore *s = arg;

	s->cfg->trace->bytes(s->cfg->trace, connection, direction, bytes);
}

static void init_facts(struct dstore *s)
{
	s->facts = (struct pf_store_facts){
		.caps = PF_CAP_VERSIONS | PF_CAP_GUARDS | PF_CAP_LASTING_IDS |
			PF_CAP_PUT_RETURNS_ID | PF_CAP_REMOVE_ONE | PF_CAP_CURSOR |
			PF_CAP_CURSOR_FLAGS,
		.kinds = s->contacts ? (uint32_t)PF_KIND_CONTACTS
				     : PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES,
		.quota_free_bytes = UINT64_MAX,
		.max_depth = 1,
		.forbidden = "",
		.uid_scope = PF_UID_FOLDER,
		.server = s->server,
		.connections = s->cfg->connections ? s->cfg->connections : DAV_CONNECTIONS,
	};
}

int dstore_connect(struct dstore *s, struct pf_err *err)
{
	const struct pf_url *url = s->cfg->url;
	struct pf_http_cfg http = {
		.host = s->origin.host,
		.port = s->origin.port,
		.https = s->origin.https,
		.tls = s->cfg->tls,
		.connections = s->cfg->connections,
		.connections_most = s->cfg->connections_most,
		.idle_timeout_s = s->cfg->idle_timeout_s,
		.rate_bytes_s = s->cfg->rate_bytes_s,
		.stirred = s->cfg->stirred,
		.trace = s->cfg->trace ? on_trace : NULL,
		.trace_arg = s,
	};

	if (!s->origin.https && !s->cfg->allow_plaintext) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s:// is HTTP without TLS: %ss:// is with it; where the server has none, "
			"--allow-plaintext lets the password and the items go over the link "
			"unprotected",
			url->scheme, url->scheme);
	}
	pf_http_free(&s->http);
	return pf_http_new(s->loop, &http, &s->http, err);
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct dstore *s = calloc(1, sizeof(*s));
	size_t n = strlen(cfg->url->scheme);

	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	s->base.ops = &pf_dav_store_ops;
	s->cfg = cfg;
	s->loop = loop;
	s->contacts = strncmp(cfg->url->scheme, "card", 4) == 0;
	s->origin = (struct pf_dav_origin){
		.host = cfg->url->host,
		.https = cfg->url->scheme[n - 1] == 's',
		.port = cfg->url->port,
	};
	if (s->origin.port == 0) {
		s->origin.port = s->origin.https ? 443 : 80;
	}
	(void)snprintf(
		s->about, sizeof(s->about), "%.150s port %d", cfg->url->host, s->origin.port);
	init_bufs(s);
	init_facts(s);
	if (dstore_connect(s, err) != PF_OK) {
		close_store(&s->base);
		return PF_FAIL;
	}
	*out = &s->base;
	return PF_OK;
}

enum { CALENDARS = PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES };

static const struct pf_scheme SCHEMES[] = {{"caldav", CALENDARS, NULL},
	{"caldavs", CALENDARS, NULL}, {"carddav", PF_KIND_CONTACTS, NULL},
	{"carddavs", PF_KIND_CONTACTS, NULL}, {.name = NULL}};

const struct pf_store_ops pf_dav_store_ops = {
	.schemes = SCHEMES,
	.summary = "CalDAV (caldavs:) and CardDAV (carddavs:) server",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
