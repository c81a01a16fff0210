#include "stores/ews/ews_private.h"

#include <stdlib.h>

static bool changes(enum pf_op_kind kind)
{
	return kind == PF_OP_FLAGS || kind == PF_OP_REMOVE;
}

struct pf_hs_op *eop_new(const struct pf_op *op)
{
	struct eop *o = calloc(1, sizeof(*o));

	if (!o) {
		return NULL;
	}
	pf_arena_init(&o->arena);
	pf_buf_init(&o->cursor, EWS_STATE_MAX);
	pf_buf_init(&o->words, EWS_TEXT_MAX);
	pf_buf_init(&o->name, EWS_TEXT_MAX);
	pf_buf_init(&o->key, EWS_TEXT_MAX);
	pf_buf_init(&o->new_id, EWS_ID_MAX);
	pf_buf_init(&o->place, EWS_ID_MAX);
	pf_buf_init(&o->marked, EWS_ID_MAX);
	o->alone = op->kind == PF_OP_PUT && op->put.alone;
	return &o->h;
}

void eop_free(struct pf_hs_op *h)
{
	struct eop *o = eop_of(h);

	pf_arena_deinit(&o->arena);
	free(o->rows);
	free(o->look);
	pf_buf_deinit(&o->cursor);
	pf_buf_deinit(&o->words);
	pf_blob_unref(&o->body);
	pf_blob_unref(&o->stream);
	ews_whole_free(&o->whole);
	ews_made_free(&o->made);
	pf_buf_deinit(&o->name);
	pf_buf_deinit(&o->key);
	pf_buf_deinit(&o->new_id);
	pf_buf_deinit(&o->place);
	pf_buf_deinit(&o->marked);
	free(o);
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
static bool folder_is_busy(const struct pf_hs *h, struct pf_span folder)
{
	const struct estore *s = estore_const(h);

	for (size_t i = 0; i < EWS_CALLS; i++) {
		const struct ecall *c = &s->call[i];

		if (c->busy && (ecall_makes(c) || c->kind == ECALL_KEYED) &&
			pf_span_eq(eop_op(c->ops[0])->folder, folder)) {
			return true;
		}
	}
	return false;
}

bool eop_may_start(const struct pf_hs *h, const struct pf_hs_op *o)
{
	const struct pf_op *op = pf_hs_op_of(o);
	size_t changers = h->of[PF_OP_FLAGS] + h->of[PF_OP_REMOVE];

	if (op->kind == PF_OP_PUT && folder_is_busy(h, op->folder)) {
		return false;
	}
	if ((op->kind == PF_OP_PUT && h->of[PF_OP_LIST] == 0) ||
		(op->kind == PF_OP_GET && changers == 0)) {
		return true;
	}
	for (const struct pf_hs_op *p = h->first; p != o; p = p->next) {
		if (p->state != PF_HS_GIVING && clash(pf_hs_op_of(p), op)) {
			return false;
		}
	}
	return true;
}
