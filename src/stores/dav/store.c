#include "stores/dav/dav_private.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct pf_store_ops pf_dav_store_ops;

/* ---- operations ---- */

static int start(struct pf_hs *h, struct pf_hs_op *ho, struct pf_err *err)
{
	struct dstore *s = dstore_of(h);
	struct dop *o = dop_of(ho);

	switch (dop_op(o)->kind) {
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
		dop_give(s, o);
		return PF_OK;
	}
}

/* An HTTP client for where the account is, in the place of another one. */
static int connect_to(struct dstore *s, struct pf_err *err)
{
	return pf_hs_connect(&s->h, s->origin.host, s->origin.port, s->origin.https,
		s->contacts ? "carddavs" : "caldavs", err);
}

static int sign_in(struct pf_hs *h, struct pf_err *err)
{
	struct dstore *s = dstore_of(h);
	int rc = dav_locate_step(s, err);

	if (rc != PF_OK) {
		return rc;
	}
	if (s->moving) { /* what it answered was read */
		s->moving = false;
		s->begun = false;
		rc = connect_to(s, err);
	}
	rc = rc == PF_OK && !s->begun ? dav_discover_begin(s, err) : rc;
	return rc == PF_OK ? dav_discover_step(s, err) : rc;
}

static int give(
	struct pf_hs *h, struct pf_hs_op *ho, struct pf_store_event *out, struct pf_err *err)
{
	struct dstore *s = dstore_of(h);
	struct dop *o = dop_of(ho);

	switch (dop_op(o)->kind) {
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

static const struct pf_hs_does DOES = {
	.losses = DAV_LOSSES,
	.losses_first = DAV_LOSSES_FIRST,
	.pauses = DAV_PAUSES,
	.pause_max_ms = 30000,
	.id_max = DAV_TEXT_MAX,
	.version_max = DAV_TEXT_MAX,
	.op_new = dop_new,
	.op_free = dop_free,
	.may_start = dop_may_start,
	.room = dcall_room,
	.sign_in = sign_in,
	.start = start,
	.take = dcall_take,
	.give = give,
};

/* ---- life ---- */

static void close_store(struct pf_store *base)
{
	struct dstore *s;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct dstore, h.base);
	pf_hs_deinit(&s->h);
	pf_dns_free(&s->dns);
	for (size_t i = 0; i < DAV_CALLS; i++) {
		if (s->call[i].busy) {
			pf_blob_unref(&s->call[i].body);
			pf_buf_deinit(&s->call[i].target);
		}
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

static void init_facts(struct dstore *s)
{
	s->h.facts = (struct pf_store_facts){
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
		.connections = s->h.cfg->connections ? s->h.cfg->connections : DAV_CONNECTIONS,
	};
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct dstore *s = calloc(1, sizeof(*s));
	size_t n = strlen(cfg->url->scheme);

	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	pf_hs_init(&s->h, &pf_dav_store_ops, loop, cfg, &DOES);
	s->contacts = strncmp(cfg->url->scheme, "card", 4) == 0;
	s->origin = (struct pf_origin){
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
	if (connect_to(s, err) != PF_OK) {
		close_store(&s->h.base);
		return PF_FAIL;
	}
	*out = &s->h.base;
	return PF_OK;
}

enum { CALENDARS = PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES };

static const struct pf_scheme SCHEMES[] = {{"caldav", CALENDARS, 0, NULL},
	{"caldavs", CALENDARS, 0, NULL}, {"carddav", PF_KIND_CONTACTS, 0, NULL},
	{"carddavs", PF_KIND_CONTACTS, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_dav_store_ops = {
	.schemes = SCHEMES,
	.summary = "CalDAV (caldavs:) and CardDAV (carddavs:) server",
	.open = open_store,
	.submit = pf_hs_submit,
	.feed = pf_hs_feed,
	.next = pf_hs_next,
	.facts = pf_hs_facts,
	.close = close_store,
};
