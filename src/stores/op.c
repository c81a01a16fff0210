#include "stores/op.h"

#include <stdlib.h>

bool pf_op_writes(enum pf_op_kind kind)
{
	return kind == PF_OP_PUT || kind == PF_OP_FLAGS || kind == PF_OP_MKFOLDER ||
	       kind == PF_OP_SUBSCRIBE || kind == PF_OP_REMOVE || kind == PF_OP_COPY;
}

enum { SPANS_MAX = 7, CHUNK = 65536 };

/* The spans of an operation whose path and looks lie in `k` already; returns how many. */
static size_t spans_of(struct pf_op_kept *k, struct pf_span *out[SPANS_MAX])
{
	struct pf_op *op = &k->op;
	size_t n = 0;

	out[n++] = &op->folder;
	out[n++] = &op->item;
	out[n++] = &op->version;
	switch (op->kind) {
	case PF_OP_PUT:
		out[n++] = &op->put.flags.kw;
		out[n++] = &op->put.name;
		break;
	case PF_OP_FLAGS:
		out[n++] = &op->flags.add.kw;
		out[n++] = &op->flags.del.kw;
		break;
	case PF_OP_COPY:
		out[n++] = &op->copy.to;
		break;
	case PF_OP_LIST:
		out[n++] = &op->list.cursor;
		break;
	case PF_OP_MKFOLDER:
		out[n++] = &k->looks.colour;
		out[n++] = &k->looks.description;
		out[n++] = &k->looks.timezone;
		break;
	default:
		break;
	}
	return n;
}

static int keep_mkfolder(struct pf_op_kept *k, struct pf_err *err)
{
	const struct pf_op *op = &k->op;

	if (pf_path_copy(&k->path, op->mkfolder.path, err) != PF_OK) {
		return PF_FAIL;
	}
	k->op.mkfolder.path = &k->path;
	if (op->mkfolder.looks) {
		k->looks = *op->mkfolder.looks;
		k->op.mkfolder.looks = &k->looks;
	}
	return PF_OK;
}

int pf_op_keep(struct pf_op_kept *k, const struct pf_op *op, struct pf_err *err)
{
	struct pf_span *spans[SPANS_MAX];
	size_t n, bytes = 0, at = 0;

	*k = (struct pf_op_kept){.op = *op};
	if (op->kind == PF_OP_PUT && op->put.body) {
		k->op.put.body = pf_blob_ref(op->put.body);
	}
	if (op->kind == PF_OP_PUT && op->put.native) {
		k->op.put.native = pf_blob_ref(op->put.native);
	}
	if (op->kind == PF_OP_MKFOLDER && keep_mkfolder(k, err) != PF_OK) {
		return PF_FAIL;
	}
	n = spans_of(k, spans);
	for (size_t i = 0; i < n; i++) {
		bytes += spans[i]->n + 1;
	}
	k->bytes = calloc(1, bytes);
	if (!k->bytes) {
		return pf_fail_memory(err, "an operation");
	}
	for (size_t i = 0; i < n; i++) {
		if (spans[i]->p) { /* what is absent stays so */
			memcpy(k->bytes + at, spans[i]->p, spans[i]->n);
			spans[i]->p = k->bytes + at;
			at += spans[i]->n + 1;
		}
	}
	return PF_OK;
}

void pf_op_let_go(struct pf_op_kept *k)
{
	if (k->op.kind == PF_OP_PUT) {
		pf_blob_unref(&k->op.put.body);
		pf_blob_unref(&k->op.put.native);
	}
	pf_path_deinit(&k->path);
	free(k->bytes);
	k->bytes = NULL;
}

int pf_op_give(
	const struct pf_op *op, struct pf_blob **body, uint64_t *given, struct pf_store_event *out)
{
	struct pf_span left;

	if (!*body) {
		return PF_END;
	}
	if ((*body)->n <= op->get.whole_max) {
		*out = (struct pf_store_event){.kind = PF_STORE_BODY, .op = op->id, .body = *body};
		*body = NULL;
		return PF_OK;
	}
	left = pf_span_from(pf_blob_span(*body), (size_t)*given);
	if (left.n == 0) {
		return PF_END;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_CHUNK, .op = op->id};
	out->chunk.bytes = pf_span(left.p, left.n < CHUNK ? left.n : CHUNK);
	out->chunk.offset = *given;
	out->chunk.total = (*body)->n;
	*given += out->chunk.bytes.n;
	return PF_OK;
}
