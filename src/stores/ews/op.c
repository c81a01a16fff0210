#include "stores/ews/ews_private.h"

#include <stdlib.h>

static bool changes(enum pf_op_kind kind)
{
	return kind == PF_OP_FLAGS || kind == PF_OP_REMOVE;
}

static void free_parts(struct eop *o)
{
	pf_op_let_go(&o->kept);
	pf_arena_deinit(&o->arena);
	free(o->rows);
	free(o->look);
	pf_buf_deinit(&o->cursor);
	pf_buf_deinit(&o->words);
	pf_buf_deinit(&o->end.id);
	pf_blob_unref(&o->body);
	pf_blob_unref(&o->fed);
	free(o);
}

static void count(struct estore *s, enum pf_op_kind kind, size_t by)
{
	s->ops += by;
	s->lists += kind == PF_OP_LIST ? by : 0;
	s->changers += changes(kind) ? by : 0;
}

int eop_new(struct estore *s, const struct pf_op *op, struct pf_err *err)
{
	struct eop *o = calloc(1, sizeof(*o));

	if (!o) {
		return pf_fail_memory(err, "an operation");
	}
	pf_arena_init(&o->arena);
	pf_buf_init(&o->cursor, EWS_STATE_MAX);
	pf_buf_init(&o->words, EWS_TEXT_MAX);
	pf_buf_init(&o->end.id, EWS_ID_MAX);
	if (pf_op_keep(&o->kept, op, err) != PF_OK) {
		free_parts(o);
		return PF_FAIL;
	}
	o->alone = op->kind == PF_OP_PUT && op->put.alone;
	o->prev = s->last;
	*(s->last ? &s->last->next : &s->first) = o;
	s->last = o;
	count(s, op->kind, 1);
	return PF_OK;
}

void eop_free(struct estore *s, struct eop *o)
{
	*(o->prev ? &o->prev->next : &s->first) = o->next;
	*(o->next ? &o->next->prev : &s->last) = o->prev;
	count(s, eop_op(o)->kind, (size_t)-1);
	s->feeding = s->feeding == o ? NULL : s->feeding;
	free_parts(o);
}

static bool is_folder_op(enum pf_op_kind kind)
{
	return kind == PF_OP_MKFOLDER || kind == PF_OP_FOLDERS;
}

/* What must not overtake one another. */
static bool clash(const struct pf_op *a, const struct pf_op *b)
{
	bool list = a->kind == PF_OP_LIST || b->kind == PF_OP_LIST;

	if (is_folder_op(a->kind) || is_folder_op(b->kind)) {
		return is_folder_op(a->kind) && is_folder_op(b->kind);
	}
	if ((!pf_op_writes(a->kind) && !pf_op_writes(b->kind)) ||
		!pf_span_eq(a->folder, b->folder)) {
		return false;
	}
	return list || (changes(a->kind) && pf_span_eq(a->item, b->item)) ||
	       (changes(b->kind) && pf_span_eq(a->item, b->item));
}

/* One write in flight a folder: so its order is kept, and nothing has to be settled by the server.
 */
static bool folder_is_busy(const struct estore *s, const struct eop *o)
{
	for (size_t i = 0; i < EWS_CALLS; i++) {
		const struct ecall *c = &s->call[i];

		if (c->busy && c->kind == ECALL_CREATE &&
			pf_span_eq(eop_op(c->ops[0])->folder, eop_op(o)->folder)) {
			return true;
		}
	}
	return false;
}

bool eop_may_start(const struct estore *s, const struct eop *o)
{
	enum pf_op_kind kind = eop_op(o)->kind;

	if (kind == PF_OP_CLOSE) {
		return o == s->first;
	}
	if (kind == PF_OP_PUT && folder_is_busy(s, o)) {
		return false;
	}
	if ((kind == PF_OP_PUT && s->lists == 0) || (kind == PF_OP_GET && s->changers == 0)) {
		return true;
	}
	for (const struct eop *p = s->first; p != o; p = p->next) {
		if (p->state != EOP_GIVING && clash(eop_op(p), eop_op(o))) {
			return false;
		}
	}
	return true;
}

/* ---- ends ---- */

void eop_give(struct estore *s, struct eop *o)
{
	pf_assert(o->state != EOP_GIVING);
	o->state = EOP_GIVING;
	o->give_next = NULL;
	*(s->give_last ? &s->give_last->give_next : &s->give_first) = o;
	s->give_last = o;
}

void eop_failed(struct estore *s, struct eop *o, const struct pf_err *why)
{
	o->end.failed = true;
	o->end.why = *why;
	eop_give(s, o);
}

void eop_refused(struct estore *s, struct eop *o, const struct pf_err *why)
{
	o->end.refused = true;
	eop_failed(s, o, why);
}
