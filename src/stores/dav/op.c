#include "stores/dav/dav_private.h"

#include <stdlib.h>

static bool reads(enum pf_op_kind kind)
{
	return kind == PF_OP_LIST || kind == PF_OP_GET;
}

static void init_bufs(struct dop *o)
{
	struct pf_buf *const all[] = {&o->folder, &o->item, &o->version, &o->name, &o->words[0],
		&o->words[1], &o->words[2], &o->token, &o->end.id, &o->end.version, &o->end.holder};

	for (size_t i = 0; i < PF_COUNT(all); i++) {
		pf_buf_init(all[i], DAV_TEXT_MAX);
	}
}

static void free_parts(struct dop *o)
{
	struct pf_buf *const all[] = {&o->folder, &o->item, &o->version, &o->name, &o->words[0],
		&o->words[1], &o->words[2], &o->token, &o->end.id, &o->end.version, &o->end.holder};

	for (size_t i = 0; i < PF_COUNT(all); i++) {
		pf_buf_deinit(all[i]);
	}
	if (o->op.kind == PF_OP_PUT) {
		pf_blob_unref(&o->op.put.body);
	}
	pf_blob_unref(&o->answer);
	pf_blob_unref(&o->bare);
	pf_blob_unref(&o->body);
	pf_dav_multi_free(&o->multi);
	pf_path_deinit(&o->path);
	free(o);
}

static int copy_looks(struct dop *o, const struct pf_folder_looks *looks, struct pf_err *err)
{
	const struct pf_span from[] = {looks->colour, looks->description, looks->timezone};
	struct pf_span *const to[] = {&o->looks.colour, &o->looks.description, &o->looks.timezone};

	o->looks = *looks;
	for (size_t i = 0; i < PF_COUNT(from); i++) {
		if (pf_buf_add(&o->words[i], from[i], err) != PF_OK) {
			return PF_FAIL;
		}
		*to[i] = from[i].p ? pf_buf_span(&o->words[i]) : from[i];
	}
	return PF_OK;
}

static int copy_op(struct dop *o, const struct pf_op *op, struct pf_err *err)
{
	o->op = *op;
	init_bufs(o);
	if (op->kind == PF_OP_PUT) {
		o->op.put.body = op->put.body ? pf_blob_ref(op->put.body) : NULL;
	}
	if (pf_buf_add(&o->folder, op->folder, err) != PF_OK ||
		pf_buf_add(&o->item, op->item, err) != PF_OK ||
		pf_buf_add(&o->version, op->version, err) != PF_OK ||
		(op->kind == PF_OP_PUT && pf_buf_add(&o->name, op->put.name, err) != PF_OK)) {
		return PF_FAIL;
	}
	if (op->kind != PF_OP_MKFOLDER) {
		return PF_OK;
	}
	if (pf_path_copy(&o->path, op->mkfolder.path, err) != PF_OK) {
		return PF_FAIL;
	}
	return op->mkfolder.looks ? copy_looks(o, op->mkfolder.looks, err) : PF_OK;
}

int dop_new(struct dstore *s, const struct pf_op *op, struct pf_err *err)
{
	struct dop *o = calloc(1, sizeof(*o));

	if (!o) {
		return pf_fail_memory(err, "an operation");
	}
	if (copy_op(o, op, err) != PF_OK) {
		free_parts(o);
		return PF_FAIL;
	}
	o->prev = s->last;
	*(s->last ? &s->last->next : &s->first) = o;
	s->last = o;
	s->ops++;
	s->readers += reads(op->kind);
	s->writers += pf_op_writes(op->kind);
	return PF_OK;
}

void dop_free(struct dstore *s, struct dop *o)
{
	*(o->prev ? &o->prev->next : &s->first) = o->next;
	*(o->next ? &o->next->prev : &s->last) = o->prev;
	s->ops--;
	s->readers -= reads(o->op.kind);
	s->writers -= pf_op_writes(o->op.kind);
	free_parts(o);
}

static bool same_item(const struct dop *a, const struct dop *b)
{
	return a->item.n > 0 && pf_span_eq(pf_buf_span(&a->item), pf_buf_span(&b->item));
}

/* What must not overtake one another. */
static bool clash(const struct dop *a, const struct dop *b)
{
	bool write = pf_op_writes(a->op.kind) || pf_op_writes(b->op.kind);

	if (a->op.kind == PF_OP_MKFOLDER || a->op.kind == PF_OP_FOLDERS) {
		return b->op.kind == PF_OP_MKFOLDER || b->op.kind == PF_OP_FOLDERS;
	}
	if (!write || !pf_span_eq(pf_buf_span(&a->folder), pf_buf_span(&b->folder))) {
		return false;
	}
	return a->op.kind == PF_OP_LIST || b->op.kind == PF_OP_LIST || same_item(a, b);
}

bool dop_may_start(const struct dstore *s, const struct dop *o)
{
	if (o->op.kind == PF_OP_CLOSE) {
		return o == s->first;
	}
	if (reads(o->op.kind) && s->writers == 0) {
		return true;
	}
	/* A new item has a name that nothing else has. */
	if (o->op.kind == PF_OP_PUT && s->readers == 0 && o->op.put.guard == PF_GUARD_NEW) {
		return true;
	}
	for (const struct dop *p = s->first; p != o; p = p->next) {
		if (clash(p, o)) {
			return false;
		}
	}
	return true;
}

/* ---- ends ---- */

void dop_give(struct dstore *s, struct dop *o)
{
	pf_assert(o->state != DOP_GIVING);
	o->state = DOP_GIVING;
	o->give_next = NULL;
	*(s->give_last ? &s->give_last->give_next : &s->give_first) = o;
	s->give_last = o;
}

void dop_done(struct dstore *s, struct dop *o)
{
	dop_give(s, o);
}

void dop_failed(struct dstore *s, struct dop *o, const struct pf_err *why)
{
	o->end.failed = true;
	o->end.why = *why;
	dop_give(s, o);
}

void dop_refused(struct dstore *s, struct dop *o, const struct pf_err *why)
{
	o->end.refused = true;
	dop_failed(s, o, why);
}

void dop_said(struct dstore *s, struct dop *o, const struct pf_dav_said *said, enum pf_scope scope,
	const char *what)
{
	bool later = said->answer == PF_DAV_BUSY || said->answer == PF_DAV_PATIENCE;
	struct pf_err why;

	(void)pf_fail(
		&why, scope, later ? PF_RETRY_LATER : PF_RETRY_NO, "%s: %s", what, said->text);
	if (said->answer == PF_DAV_FULL) {
		why.number = PF_EV_TARGET_FULL;
	}
	o->end.refused = !later && scope == PF_SCOPE_ITEM;
	dop_failed(s, o, &why);
}
