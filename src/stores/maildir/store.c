/*
 * Operations and events: what the engine sees of a Maildir. Operations are done in the order they
 * came; none waits for anything but the disk, and one that is fed for its feeder.
 */
#include "stores/maildir/maildir_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { OPS_MAX = 1024, SUBSCRIPTIONS_MAX = 16 << 20 };

extern const struct pf_store_ops pf_maildir_store_ops;

/* ---- operations ---- */

static void free_op(struct md_op *o)
{
	if (o->op.kind == PF_OP_PUT) {
		pf_blob_unref(&o->op.put.body);
	}
	pf_buf_deinit(&o->folder);
	pf_buf_deinit(&o->item);
	pf_buf_deinit(&o->kw[0]);
	pf_buf_deinit(&o->kw[1]);
	pf_path_deinit(&o->path);
	free(o);
}

static bool writes(enum pf_op_kind kind)
{
	return kind == PF_OP_PUT || kind == PF_OP_FLAGS || kind == PF_OP_MKFOLDER ||
	       kind == PF_OP_SUBSCRIBE || kind == PF_OP_REMOVE;
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct md_store *s = pf_container_of(base, struct md_store, base);
	struct md_op *n;
	int rc;

	if (s->cfg->source && writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (s->ops >= OPS_MAX && op->kind != PF_OP_CLOSE && op->kind != PF_OP_FLUSH) {
		return PF_AGAIN;
	}
	if (op->kind == PF_OP_FLUSH) {
		return PF_OK; /* each message is on disk when its PUT is done */
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return pf_fail_memory(err, "an operation");
	}
	n->op = *op;
	pf_buf_init(&n->folder, MD_TEXT_MAX);
	pf_buf_init(&n->item, MD_TEXT_MAX);
	pf_buf_init(&n->kw[0], MD_TEXT_MAX);
	pf_buf_init(&n->kw[1], MD_TEXT_MAX);
	rc = pf_buf_add(&n->folder, op->folder, err);
	rc = rc == PF_OK ? pf_buf_add(&n->item, op->item, err) : rc;
	if (rc == PF_OK && op->kind == PF_OP_PUT) {
		n->op.put.body = op->put.body ? pf_blob_ref(op->put.body) : NULL;
		rc = pf_buf_add(&n->kw[0], op->put.flags.kw, err);
	} else if (rc == PF_OK && op->kind == PF_OP_FLAGS) {
		rc = pf_buf_add(&n->kw[0], op->flags.add.kw, err);
		rc = rc == PF_OK ? pf_buf_add(&n->kw[1], op->flags.del.kw, err) : rc;
	} else if (rc == PF_OK && op->kind == PF_OP_MKFOLDER) {
		rc = pf_path_copy(&n->path, op->mkfolder.path, err);
	}
	if (rc != PF_OK) {
		free_op(n);
		return rc;
	}
	*(s->last ? &s->last->next : &s->first) = n;
	s->last = n;
	s->ops++;
	return PF_OK;
}

/* The directory of a folder's id: "" is INBOX. */
void md_dir_of(const struct md_store *s, struct pf_span id, char path[MD_PATH_MAX])
{
	(void)snprintf(path, MD_PATH_MAX, "%s%s%.*s", s->cfg->url->path, id.n > 0 ? "/" : "",
		(int)id.n, id.n > 0 ? (const char *)id.p : "");
}

/* ---- events ---- */

static void reset(struct md_store *s)
{
	md_names_free(s);
	s->at = 0;
	md_keywords_free(&s->kw);
	md_close(&s->reader);
	md_abort(&s->writer);
	s->begun = false;
	s->body_given = false;
	s->feeding = false;
	s->hungry_told = false;
	s->abandoned = false;
	s->offset = 0;
	s->fed = 0;
}

/* The operation at the front is over. */
void md_end(struct md_store *s, struct pf_store_event *out, const struct pf_err *why)
{
	struct md_op *o = s->first;

	s->first = o->next;
	s->last = s->first ? s->last : NULL;
	s->ops--;
	s->told = o;
	*out = (struct pf_store_event){
		.kind = why ? PF_STORE_FAILED : PF_STORE_DONE, .op = o->op.id};
	if (why) {
		out->failed.why = *why;
		out->failed.refused = why->retry == PF_RETRY_NO && why->scope == PF_SCOPE_ITEM;
	}
	reset(s);
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct md_store *s = pf_container_of(base, struct md_store, base);

	if (!s->feeding || !s->first || s->first->op.id != id) {
		return PF_AGAIN;
	}
	return md_feed(s, part, err);
}

static int step(struct md_store *s, struct pf_store_event *out, struct pf_err *err)
{
	switch (s->first->op.kind) {
	case PF_OP_FOLDERS:
		return md_step_folders(s, out, err);
	case PF_OP_LIST:
		return md_step_list(s, out, err);
	case PF_OP_GET:
		return md_step_get(s, out, err);
	case PF_OP_PUT:
		return md_step_put(s, out, err);
	case PF_OP_FLAGS:
		return md_step_flags(s, out, err);
	case PF_OP_MKFOLDER:
		return md_step_mkfolder(s, out, err);
	case PF_OP_SUBSCRIBE:
		return md_step_subscribe(s, out, err);
	case PF_OP_REMOVE:
		return md_step_remove(s, out, err);
	case PF_OP_CLOSE:
	case PF_OP_FLUSH:
		s->closed = true;
		md_end(s, out, NULL);
		return PF_OK;
	}
	return PF_OK;
}

static int check_account(const struct md_store *s, struct pf_err *err)
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
	return md_make(s->cfg->url->path, err) == PF_OK ? PF_OK
							: (err->scope = PF_SCOPE_STORE, PF_FAIL);
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct md_store *s = pf_container_of(base, struct md_store, base);
	struct pf_err why;
	int rc;

	(void)wake_ms;
	if (s->told) {
		free_op(s->told);
		s->told = NULL;
	}
	if (!s->ready_told) {
		if (check_account(s, err) != PF_OK) {
			return PF_FAIL;
		}
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return PF_OK;
	}
	if (s->closed) {
		return PF_END;
	}
	if (!s->first) {
		return PF_AGAIN;
	}
	pf_err_clear(&why);
	rc = step(s, out, &why);
	if (rc == PF_FAIL) {
		md_end(s, out, &why);
		rc = PF_OK;
	}
	return rc;
}

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	return &((const struct md_store *)(const void *)base)->facts;
}

static void close_store(struct pf_store *base)
{
	struct md_store *s;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct md_store, base);
	reset(s);
	md_list_free(&s->list);
	while (s->first) {
		struct md_op *o = s->first;

		s->first = o->next;
		free_op(o);
	}
	if (s->told) {
		free_op(s->told);
	}
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
	s->base.ops = &pf_maildir_store_ops;
	s->cfg = cfg;
	s->reader.fd = -1;
	s->writer.fd = -1;
	s->facts = (struct pf_store_facts){
		/* Not EXACT_BYTES: what is stored with bare LF is given out with CRLF. */
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_REMOVE_ONE | PF_CAP_SUBSCRIBE |
			PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED | PF_CAP_KEEPS_DATE,
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
	*out = &s->base;
	return PF_OK;
}

static const char *const SCHEMES[] = {"maildir", NULL};

const struct pf_store_ops pf_maildir_store_ops = {
	.schemes = SCHEMES,
	.summary = "a Maildir++ on disk (maildir:PATH)",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
