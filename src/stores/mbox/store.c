/*
 * What the engine sees of mailboxes in files.
 */
#include "stores/mbox/mbox_private.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct pf_store_ops pf_mbox_store_ops;

static struct mb_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct mb_store, base);
}

static void reset(struct pf_serial *base)
{
	struct mb_store *s = store_of(base);

	mb_names_free(s);
	s->at = 0;
	pf_hash_free(&s->hash);
	s->total = 0;
	mb_file_close(&s->spool);
	s->spooled = 0;
}

static int take(struct pf_serial *base, struct pf_span part, struct pf_err *err)
{
	return mb_take(store_of(base), part, err);
}

static int give(struct pf_serial *base, struct pf_span *part, struct pf_err *err)
{
	return mb_give(store_of(base), part, err);
}

static int step(struct pf_serial *base, const struct pf_op *op, struct pf_store_event *out,
	struct pf_err *err)
{
	struct mb_store *s = store_of(base);

	switch (op->kind) {
	case PF_OP_FOLDERS:
		return mb_step_folders(s, op, out, err);
	case PF_OP_LIST:
		return mb_step_list(s, op, out, err);
	case PF_OP_GET:
		return mb_step_get(s, op, out, err);
	case PF_OP_PUT:
		return mb_step_put(s, op, out, err);
	case PF_OP_FLAGS:
		return mb_step_flags(s, op, out, err);
	case PF_OP_MKFOLDER:
		return mb_step_mkfolder(s, op, out, err);
	case PF_OP_REMOVE:
		return mb_step_remove(s, op, out, err);
	default: /* files have no subscriptions */
		pf_serial_end(base, out, NULL);
		return PF_OK;
	}
}

/* A source must be there; a target's directory is made, with the INBOX that every account has. */
static int check_account(struct pf_serial *base, struct pf_err *err)
{
	static const char *const INBOXES[] = {"INBOX", "Inbox", "inbox"};
	struct mb_store *s = store_of(base);
	char path[MB_PATH_MAX];
	struct stat st;

	if (base->cfg->source) {
		return stat(s->root, &st) == 0 ? PF_OK
					       : pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO,
							 "no mailbox: %s", s->root);
	}
	for (size_t i = 0; i < PF_COUNT(INBOXES); i++) {
		mb_path_of(s, pf_span_str(INBOXES[i]), path);
		if (stat(path, &st) == 0) {
			return PF_OK;
		}
	}
	mb_path_of(s, pf_span_str(INBOXES[0]), path);
	return mb_make(path, err) == PF_OK ? PF_OK : (err->scope = PF_SCOPE_STORE, PF_FAIL);
}

static const struct pf_serial_does DOES = {check_account, step, take, give, reset};

static void close_store(struct pf_store *base)
{
	struct mb_store *s;

	if (!base) {
		return;
	}
	s = store_of(pf_container_of(base, struct pf_serial, base));
	pf_serial_deinit(&s->base);
	for (size_t i = 0; i < MB_BOXES; i++) {
		mb_box_close(&s->box[i]);
	}
	pf_buf_deinit(&s->words);
	pf_path_deinit(&s->path_out);
	free(s);
}

static int take_path(struct mb_store *s, const char *path, bool source, struct pf_err *err)
{
	size_t n = strlen(path);
	struct stat st;

	while (n > 1 && path[n - 1] == '/') {
		n--;
	}
	if (n == 0 || n > 1000) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "the form is mbox:PATH");
	}
	(void)snprintf(s->root, sizeof(s->root), "%.*s", (int)n, path);
	s->single = stat(s->root, &st) == 0 && S_ISREG(st.st_mode);
	if (s->single && !source) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s is a file: a target is a directory, one file a folder", s->root);
	}
	return PF_OK;
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct mb_store *s = calloc(1, sizeof(*s));

	(void)loop;
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	pf_serial_init(&s->base, &pf_mbox_store_ops, cfg, &DOES);
	if (take_path(s, cfg->url->path, cfg->source, err) != PF_OK) {
		free(s);
		return PF_FAIL;
	}
	for (size_t i = 0; i < MB_BOXES; i++) {
		mb_file_init(&s->box[i].file);
	}
	mb_file_init(&s->spool);
	s->base.facts = (struct pf_store_facts){
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_EXACT_SIZE | PF_CAP_EXACT_BYTES |
			PF_CAP_REMOVE_ONE | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED |
			PF_CAP_KEEPS_DATE,
		.kinds = PF_KIND_MAIL,
		.quota_free_bytes = UINT64_MAX,
		.max_segment_bytes = 200, /* with room for what can't stand as it is */
		.max_path_bytes = 2900,
		.segment_bytes = mb_segment_bytes,
		.forbidden = "",
		.server = "mbox",
		.connections = 1,
	};
	pf_buf_init(&s->words, MB_TEXT_MAX);
	*out = &s->base.base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"mbox", PF_KIND_MAIL, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_mbox_store_ops = {
	.schemes = SCHEMES,
	.summary = "mailboxes in files, one or a tree of them (mbox:PATH)",
	.open = open_store,
	.submit = pf_serial_submit,
	.feed = pf_serial_feed,
	.next = pf_serial_next,
	.facts = pf_serial_facts,
	.close = close_store,
};
