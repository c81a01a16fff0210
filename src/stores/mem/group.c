/*
 * PUTs that are stored together (PF_CAP_PUT_GROUPS), as by MULTIAPPEND: a group waits for more of
 * its folder until a FLUSH, an operation of another kind, or until it is full; then all of it is
 * stored, or nothing.
 */
#include "stores/mem/mem_private.h"

bool mem_group_takes(const struct mem_store *s, const struct mem_op *op)
{
	return mem_has(s->account, PF_CAP_PUT_GROUPS) && op->kept.op.kind == PF_OP_PUT &&
	       op->kept.op.put.body && !op->kept.op.put.alone && !op->hung;
}

void mem_group_add(struct mem_store *s, struct mem_op *op)
{
	struct mem_queue *q = op->queue;

	(void)s;
	q->first = op->next;
	q->last = q->first ? q->last : NULL;
	op->next = NULL;
	*(q->group ? &q->group_last->next : &q->group) = op;
	q->group_last = op;
	q->group_n++;
}

static bool is_refusal(enum pf_mem_fault fault)
{
	return fault != PF_MEM_FINE && !mem_is_lost(fault);
}

static int store_one(struct mem_store *s, struct mem_op *op, enum pf_mem_fault fault, bool several,
	struct pf_err *err)
{
	struct mem_end end = {.failed = true};

	op->fault = fault;
	if (fault == PF_MEM_FINE || fault == PF_MEM_LOST_AFTER) {
		return mem_put(s, op, err);
	}
	mem_fault_end(fault, op, &end);
	end.grouped = several && end.refused;
	end.refused = end.refused && !several;
	mem_op_end(s, op, &end);
	return PF_OK;
}

/* The first that something happens to decides for all; what is too much for the target is a
 * refusal, too. */
int mem_group_close(struct mem_store *s, struct mem_queue *q, struct pf_err *err)
{
	enum pf_mem_fault fault = PF_MEM_FINE;
	bool several = q->group_n > 1;
	struct mem_op *op = q->group;
	int rc = PF_OK;

	for (struct mem_op *i = q->group; i; i = i->next) {
		enum pf_mem_fault own = mem_is_refused(s->account, i) ? PF_MEM_REFUSED : i->fault;

		fault = fault == PF_MEM_FINE || (is_refusal(own) && !is_refusal(fault)) ? own
											: fault;
	}
	q->group = NULL;
	q->group_n = 0;
	while (op) {
		struct mem_op *after = op->next;

		if (rc == PF_OK) {
			rc = store_one(s, op, fault, several, err);
		} else {
			struct mem_end end = {.failed = true, .why = *err};

			mem_op_end(s, op, &end);
		}
		op = after;
	}
	return rc;
}
