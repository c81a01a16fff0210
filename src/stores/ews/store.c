#include "stores/ews/ews_private.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	KINDS = PF_KIND_MAIL | PF_KIND_CALENDAR | PF_KIND_CONTACTS | PF_KIND_TASKS | PF_KIND_NOTES,
};

extern const struct pf_store_ops pf_ews_store_ops;

/* ---- operations ---- */

static int start(struct pf_hs *h, struct pf_hs_op *ho, struct pf_err *err)
{
	struct estore *s = estore_of(h);
	struct eop *o = eop_of(ho);

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

static int give(
	struct pf_hs *h, struct pf_hs_op *ho, struct pf_store_event *out, struct pf_err *err)
{
	struct estore *s = estore_of(h);
	struct eop *o = eop_of(ho);

	(void)err;
	switch (eop_op(o)->kind) {
	case PF_OP_FOLDERS:
		return ews_folders_give(s, o, out);
	case PF_OP_LIST:
		return ews_list_give(s, o, out);
	case PF_OP_GET:
		return ews_get_give(s, o, out);
	default:
		return PF_END;
	}
}

static const struct pf_hs_does DOES = {
	.losses = EWS_LOSSES,
	.losses_first = EWS_LOSSES_FIRST,
	.pauses = EWS_PAUSES,
	.pause_max_ms = 600000,
	.id_max = EWS_ID_MAX,
	.version_max = EWS_ID_MAX,
	.fed = true,
	.cookies = true,
	.op_new = eop_new,
	.op_free = eop_free,
	.may_start = eop_may_start,
	.room = ecall_room,
	.sign_in = ews_sign_in,
	.start = start,
	.take = ecall_take,
	.give = give,
};

/* ---- life ---- */

static void close_store(struct pf_store *base)
{
	struct estore *s;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct estore, h.base);
	pf_hs_deinit(&s->h);
	pf_dns_free(&s->where.dns);
	ews_folders_free(s);
	for (size_t i = 0; i < PF_EWS_KNOWN; i++) {
		pf_buf_deinit(&s->known[i]);
	}
	pf_buf_deinit(&s->id_out);
	ews_keys_free(s);
	pf_buf_deinit(&s->zone);
	free(s);
}

static void init_facts(struct estore *s)
{
	s->h.facts = (struct pf_store_facts){
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_LIST_DELTA | PF_CAP_REMOVE_ONE |
			PF_CAP_FOLD_CASE | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED |
			PF_CAP_KEEPS_DATE | PF_CAP_STORES_LATE | PF_CAP_LASTING_IDS,
		.kinds = KINDS,
		.max_item_bytes = EWS_ITEM_MAX,
		.quota_free_bytes = UINT64_MAX,
		.max_segment_bytes = 250,
		.max_depth = 250,
		.forbidden = ews_controls, /* which XML can't carry */
		.says = ews_says,
		.uid_scope = PF_UID_ANYWHERE,
		.server = s->server,
		.connections = s->h.cfg->connections ? s->h.cfg->connections : EWS_CONNECTIONS,
	};
}

static int connect_to(struct estore *s, struct pf_err *err)
{
	const struct pf_url *url = s->h.cfg->url;
	bool https = strcmp(url->scheme, "ews+http") != 0;
	int port = url->port ? url->port : https ? 443 : 80;

	s->where.origin = (struct pf_origin){url->host, port, https};
	(void)snprintf(s->about, sizeof(s->about), "%.150s port %d", url->host, port);
	return pf_hs_connect(&s->h, url->host, port, https, "ews", err);
}

/* Where the service is at the server, unless the URL says another path. */
static int set_target(struct estore *s, struct pf_err *err)
{
	const char *path = s->h.cfg->url->path, *user = s->h.cfg->url->user;
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
	if (s->h.cfg->admin) {
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
	pf_hs_init(&s->h, &pf_ews_store_ops, loop, cfg, &DOES);
	s->as.version = PF_EWS_VERSIONS - 1;
	for (size_t i = 0; i < PF_EWS_KNOWN; i++) {
		pf_buf_init(&s->known[i], EWS_ID_MAX);
	}
	pf_buf_init(&s->zone, EWS_TEXT_MAX);
	pf_buf_init(&s->id_out, EWS_ID_MAX + EWS_KIND_NAME);
	init_facts(s);
	if (set_target(s, err) != PF_OK || connect_to(s, err) != PF_OK) {
		close_store(&s->h.base);
		return PF_FAIL;
	}
	*out = &s->h.base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"ews", KINDS, 0, NULL}, {"ewss", KINDS, 0, NULL},
	{"ews+http", KINDS, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_ews_store_ops = {
	.schemes = SCHEMES,
	.summary = "Exchange 2007 SP1 and later (Exchange Web Services)",
	.open = open_store,
	.submit = pf_hs_submit,
	.feed = pf_hs_feed,
	.next = pf_hs_next,
	.facts = pf_hs_facts,
	.close = close_store,
};
