/*
 * What the engine sees of a Maildir.
 */
#include "base/dirs.h"
#include "stores/maildir/maildir_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SUBSCRIPTIONS_MAX = 16 << 20 };

extern const struct pf_store_ops pf_maildir_store_ops;

/* The directory of a folder's id: "" is INBOX. */
void md_dir_of(const struct md_store *s, struct pf_span id, char path[MD_PATH_MAX])
{
	(void)snprintf(path, MD_PATH_MAX, "%s%s%.*s", s->base.cfg->url->path, id.n > 0 ? "/" : "",
		(int)id.n, id.n > 0 ? (const char *)id.p : "");
}

static struct md_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct md_store, base);
}

static void reset(struct pf_serial *base)
{
	struct md_store *s = store_of(base);

	md_names_free(s);
	s->at = 0;
	md_keywords_free(&s->kw);
	md_close(&s->reader);
	pf_file_drop(&s->writing);
}

static int take(struct pf_serial *base, struct pf_span part, struct pf_err *err)
{
	return pf_file_add(&store_of(base)->writing, part, err);
}

static int give(struct pf_serial *base, struct pf_span *part, struct pf_err *err)
{
	return md_give(store_of(base), part, err);
}

static int step(struct pf_serial *base, const struct pf_op *op, struct pf_store_event *out,
	struct pf_err *err)
{
	struct md_store *s = store_of(base);

	switch (op->kind) {
	case PF_OP_FOLDERS:
		return md_step_folders(s, op, out, err);
	case PF_OP_LIST:
		return md_step_list(s, op, out, err);
	case PF_OP_GET:
		return md_step_get(s, op, out, err);
	case PF_OP_PUT:
		return md_step_put(s, op, out, err);
	case PF_OP_FLAGS:
		return md_step_flags(s, op, out, err);
	case PF_OP_MKFOLDER:
		return md_step_mkfolder(s, op, out, err);
	case PF_OP_SUBSCRIBE:
		return md_step_subscribe(s, op, out, err);
	case PF_OP_REMOVE:
		return md_step_remove(s, op, out, err);
	default:
		return PF_AGAIN; /* no others are queued */
	}
}

static int check_account(struct pf_serial *s, struct pf_err *err)
{
	char cur[MD_PATH_MAX];
	struct stat st;

	(void)snprintf(cur, sizeof(cur), "%.4000s/cur", s->cfg->url->path);
	if (stat(cur, &st) == 0) {
		return PF_OK;
	}
	if (s->cfg->source) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "no Maildir: %s", cur);
	}
	return pf_make_parents(s->cfg->url->path, err) == PF_OK &&
			       md_make(s->cfg->url->path, err) == PF_OK
		       ? PF_OK
		       : (err->scope = PF_SCOPE_STORE, PF_FAIL);
}

static const struct pf_serial_does DOES = {
	check_account, step, take, give, reset, md_settle, md_settled};

static void close_store(struct pf_store *base)
{
	struct md_store *s;

	if (!base) {
		return;
	}
	s = store_of(pf_container_of(base, struct pf_serial, base));
	pf_serial_deinit(&s->base);
	pf_files_clear(&s->written);
	md_list_free(&s->list);
	pf_buf_deinit(&s->words);
	pf_buf_deinit(&s->id_out);
	pf_buf_deinit(&s->subscriptions);
	pf_path_deinit(&s->path_out);
	free(s);
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct md_store *s = calloc(1, sizeof(*s));

	(void)loop;
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	pf_serial_init(&s->base, &pf_maildir_store_ops, cfg, &DOES);
	s->reader.fd = -1;
	s->base.facts = (struct pf_store_facts){
		/* Not EXACT_BYTES: what is stored with bare LF is given out with CRLF. */
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_PUT_GROUPS | PF_CAP_REMOVE_ONE |
			PF_CAP_SUBSCRIBE | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED | PF_CAP_KEEPS_DATE,
		.kinds = PF_KIND_MAIL,
		.quota_free_bytes = UINT64_MAX,
		.max_path_bytes = NAME_MAX, /* all of it is the name of one directory */
		.segment_bytes = md_segment_bytes,
		.forbidden = "./",
		.server = "Maildir",
		.connections = 1,
	};
	pf_buf_init(&s->words, MD_TEXT_MAX);
	pf_buf_init(&s->id_out, MD_TEXT_MAX);
	pf_buf_init(&s->subscriptions, SUBSCRIPTIONS_MAX);
	*out = &s->base.base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"maildir", PF_KIND_MAIL, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_maildir_store_ops = {
	.schemes = SCHEMES,
	.summary = "a Maildir++ on disk (maildir:PATH)",
	.open = open_store,
	.submit = pf_serial_submit,
	.feed = pf_serial_feed,
	.next = pf_serial_next,
	.facts = pf_serial_facts,
	.close = close_store,
};
