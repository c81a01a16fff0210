/*
 * What each operation does, one event at a time.
 */
#include "stores/mem/mem_private.h"

#include <stdio.h>

enum { THROTTLED_S = 5 };

/* ---- faults ---- */

bool mem_is_lost(enum pf_mem_fault fault)
{
	return fault == PF_MEM_LOST_UNSENT || fault == PF_MEM_LOST_BEFORE ||
	       fault == PF_MEM_LOST_AFTER || fault == PF_MEM_LOST_WITHIN || fault == PF_MEM_HANGS;
}

void mem_fault_end(enum pf_mem_fault fault, const struct mem_op *op, struct mem_end *end)
{
	bool folder = op->kept.op.kind == PF_OP_LIST || op->kept.op.kind == PF_OP_FOLDERS;
	bool item = op->kept.op.kind == PF_OP_PUT || op->kept.op.kind == PF_OP_GET;
	enum pf_scope scope = folder ? PF_SCOPE_FOLDER : PF_SCOPE_ITEM;

	*end = (struct mem_end){.failed = true};
	switch (fault) {
	case PF_MEM_REFUSED_FOLDER:
		(void)pf_fail(&end->why, PF_SCOPE_FOLDER, PF_RETRY_NO, "the folder is refused");
		break;
	case PF_MEM_LATER:
		(void)pf_fail(&end->why, scope, PF_RETRY_LATER, "not just now");
		break;
	case PF_MEM_THROTTLED:
		(void)pf_fail(&end->why, scope, PF_RETRY_LATER, "too fast");
		end->why.retry_after_s = THROTTLED_S;
		break;
	case PF_MEM_FULL:
		(void)pf_fail(&end->why, scope, PF_RETRY_LATER, "no room");
		end->why.number = PF_EV_TARGET_FULL;
		break;
	case PF_MEM_OMITTED:
	case PF_MEM_VANISHES:
		if (op->kept.op.kind == PF_OP_LIST) {
			(void)pf_fail(&end->why, scope, PF_RETRY_NOW, "the listing is incomplete");
			end->why.number = PF_EV_LISTING_INCOMPLETE;
			break;
		}
		(void)pf_fail(&end->why, scope, PF_RETRY_NO, "it was not in the answer");
		end->missing = op->kept.op.kind == PF_OP_GET;
		end->refused = !end->missing;
		break;
	default:
		if (mem_is_lost(fault)) {
			(void)pf_fail(&end->why, scope, PF_RETRY_LATER, "the connection was lost");
			end->in_doubt = op->kept.op.kind != PF_OP_GET && !folder &&
					fault != PF_MEM_LOST_UNSENT && fault != PF_MEM_LOST_WITHIN;
			break;
		}
		(void)pf_fail(&end->why, scope, PF_RETRY_NO, "refused");
		end->refused = item;
		break;
	}
}

static void fail_by(struct mem_store *s, struct mem_op *op, enum pf_mem_fault fault)
{
	struct mem_end end;

	mem_fault_end(fault, op, &end);
	mem_op_end(s, op, &end);
}

/* The operation did what it should; whether its answer arrives is another question. */
static void done(struct mem_store *s, struct mem_op *op, struct pf_span id)
{
	if (op->fault == PF_MEM_LOST_AFTER && op->kept.op.kind != PF_OP_CLOSE) {
		fail_by(s, op, op->fault);
		return;
	}
	mem_op_done(s, op, id);
}

static void not_there(struct mem_store *s, struct mem_op *op, enum pf_scope scope, const char *what)
{
	struct mem_end end = {.failed = true};

	(void)pf_fail(&end.why, scope, PF_RETRY_NO, "%s is not there", what);
	end.missing = scope == PF_SCOPE_ITEM && op->kept.op.kind == PF_OP_GET;
	end.refused = scope == PF_SCOPE_ITEM && !end.missing;
	mem_op_end(s, op, &end);
}

/* ---- what is given out ---- */

static int give_state(struct mem_store *s, const struct pf_mem_folder *f, struct pf_err *err)
{
	s->folder_out = (struct pf_folder){.id = pf_span_str(f->id),
		.path = f->path,
		.kind = PF_KIND_MAIL,
		.role = f->role,
		.selectable = true,
		.may_have_children =
			f->role != PF_ROLE_INBOX || mem_has(s->account, PF_CAP_INBOX_CHILDREN),
		.subscribed = f->subscribed,
		.has_state = true};
	s->folder_out.state.validity = f->validity;
	s->folder_out.state.next = f->next;
	s->folder_out.state.count = f->n;
	if (mem_cursor(f, &s->cursor_out, err) != PF_OK) {
		return PF_FAIL;
	}
	s->folder_out.state.cursor = pf_buf_span(&s->cursor_out);
	return PF_OK;
}

static int step_folders(struct mem_store *s, struct mem_op *op, struct pf_store_event *out,
	bool *given, struct pf_err *err)
{
	if (op->fault == PF_MEM_LOST_WITHIN && op->at >= (s->account->n + 1) / 2) {
		fail_by(s, op, op->fault);
		return PF_OK;
	}
	if (op->at == s->account->n) {
		done(s, op, pf_span(NULL, 0));
		return PF_OK;
	}
	if (give_state(s, s->account->folders[op->at++], err) != PF_OK) {
		return PF_FAIL;
	}
	s->folder_out.has_state = op->kept.op.folders.states && mem_has(s->account, PF_CAP_CURSOR);
	*out = (struct pf_store_event){
		.kind = PF_STORE_FOLDER, .op = op->kept.op.id, .folder = &s->folder_out};
	*given = true;
	return PF_OK;
}

static void read_cursor(const struct pf_mem_folder *f, struct mem_op *op)
{
	unsigned long long validity = 0, next = 0, count = 0, change = 0;
	struct pf_span cursor = op->kept.op.list.cursor; /* a NUL is behind it */

	if (cursor.n == 0 || !mem_has(f->account, PF_CAP_LIST_DELTA)) {
		return;
	}
	/* NOLINTNEXTLINE(cert-err34-c): our own text, and all four must be there */
	op->delta = sscanf((const char *)cursor.p, "%llu %llu %llu %llu", &validity, &next, &count,
			    &change) == 4 &&
		    validity == f->validity;
	op->since = change;
}

/* The next that belongs into this listing; NULL: no more. */
static const struct pf_mem_item *next_listed(const struct pf_mem_folder *f, struct mem_op *op)
{
	while (op->at < f->n) {
		const struct pf_mem_item *i = f->items[op->at++];

		if (op->delta ? i->change > op->since : i->uid >= op->kept.op.list.from) {
			return i;
		}
	}
	return NULL;
}

static int give_id(struct mem_store *s, uint64_t uid, struct pf_err *err)
{
	pf_buf_clear(&s->id_out);
	return pf_buf_addf(&s->id_out, err, "%llu", (unsigned long long)uid);
}

static int give_gone(struct mem_store *s, const struct pf_mem_folder *f, struct mem_op *op,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	size_t at = (size_t)op->offset;

	for (; op->delta && at < f->gone_n && f->gone[at].change <= op->since; at++) {
	}
	if (!op->delta || at >= f->gone_n) {
		done(s, op, pf_span(NULL, 0));
		return PF_OK;
	}
	op->offset = at + 1;
	if (give_id(s, f->gone[at].uid, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_GONE, .op = op->kept.op.id};
	out->item.id = pf_buf_span(&s->id_out);
	*given = true;
	return PF_OK;
}

static int begin_list(struct mem_store *s, const struct pf_mem_folder *f, struct mem_op *op,
	struct pf_store_event *out, struct pf_err *err)
{
	const struct pf_mem_traits *t = &s->account->traits;

	read_cursor(f, op);
	op->told = true;
	op->queue->validity = f->validity;
	if (give_state(s, f, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = (struct pf_store_event){
		.kind = PF_STORE_STATE, .op = op->kept.op.id, .folder = &s->folder_out};
	out->delta = op->delta;
	out->permitted_sys = t->permitted_sys;
	out->permitted_any = t->permitted_any;
	out->permitted_kw = pf_span_str(t->permitted_kw);
	return PF_OK;
}

static int step_list(struct mem_store *s, struct mem_op *op, struct pf_store_event *out,
	bool *given, struct pf_err *err)
{
	const struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
	const struct pf_mem_item *i;

	if (!op->told) {
		*given = true;
		return begin_list(s, f, op, out, err);
	}
	if ((op->fault == PF_MEM_OMITTED || op->fault == PF_MEM_LOST_WITHIN) &&
		op->at >= (f->n + 1) / 2) {
		fail_by(s, op, op->fault);
		return PF_OK;
	}
	i = next_listed(f, op);
	if (!i) {
		return give_gone(s, f, op, out, given, err);
	}
	if (give_id(s, i->uid, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->kept.op.id};
	out->item = (struct pf_item){
		.id = pf_buf_span(&s->id_out),
		.size = mem_listed_size(f, i),
		.date_utc_s = i->date_utc_s,
		.zone_min = i->zone_min,
		.flags = i->flags,
	};
	*given = true;
	return PF_OK;
}

/* ---- bodies ---- */

/* Up to and with the blank line behind the header; all of it when there is none. */
static size_t header_length(struct pf_span body)
{
	for (size_t i = 0; i + 3 < body.n; i++) {
		if (memcmp(body.p + i, "\r\n\r\n", 4) == 0) {
			return i + 4;
		}
	}
	return body.n;
}

static int begin_get(struct mem_store *s, struct mem_op *op, struct pf_err *err)
{
	const struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
	const struct pf_mem_item *i = mem_item(f, op->kept.op.item);
	size_t n;

	if (!i) {
		not_there(s, op, PF_SCOPE_ITEM, "the item");
		return PF_OK;
	}
	n = op->kept.op.get.part == PF_PART_HEADER ? header_length(pf_blob_span(i->body))
						   : i->body->n;
	if (n == i->body->n) {
		op->body = pf_blob_ref(i->body);
		return PF_OK;
	}
	op->body = pf_blob_new(n);
	if (!op->body) {
		return pf_fail_memory(err, "a message");
	}
	memcpy(op->body->bytes, i->body->bytes, n);
	return PF_OK;
}

static int step_get(struct mem_store *s, struct mem_op *op, struct pf_store_event *out, bool *given,
	struct pf_err *err)
{
	size_t n;

	if (!op->body) {
		return begin_get(s, op, err);
	}
	if (op->told || op->offset == op->body->n) {
		if (op->told || op->body->n > op->kept.op.get.whole_max) {
			done(s, op, pf_span(NULL, 0));
			return PF_OK;
		}
	}
	if (op->fault == PF_MEM_LOST_WITHIN &&
		(op->body->n <= op->kept.op.get.whole_max || op->offset > 0)) {
		fail_by(s, op, op->fault);
		return PF_OK;
	}
	*given = true;
	if (op->body->n <= op->kept.op.get.whole_max) {
		op->told = true;
		*out = (struct pf_store_event){
			.kind = PF_STORE_BODY, .op = op->kept.op.id, .body = pf_blob_ref(op->body)};
		return PF_OK;
	}
	n = op->body->n - (size_t)op->offset;
	n = n > MEM_CHUNK ? MEM_CHUNK : n;
	*out = (struct pf_store_event){.kind = PF_STORE_CHUNK, .op = op->kept.op.id};
	out->chunk.bytes = pf_span(op->body->bytes + op->offset, n);
	out->chunk.offset = op->offset;
	out->chunk.total = op->body->n;
	op->offset += n;
	return PF_OK;
}

bool mem_is_refused(const struct pf_mem *m, const struct mem_op *op)
{
	const struct pf_mem_traits *t = &m->traits;

	return (t->facts.max_item_bytes > 0 && op->kept.op.put.size > t->facts.max_item_bytes) ||
	       (op->kept.op.put.date_utc_s != PF_DATE_NONE &&
		       op->kept.op.put.date_utc_s < t->oldest_date_utc_s);
}

int mem_put(struct mem_store *s, struct mem_op *op, struct pf_err *err)
{
	struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
	struct pf_mem_traits *t = &s->account->traits;
	struct pf_blob *body = op->kept.op.put.body ? op->kept.op.put.body : op->body;
	const struct pf_item like = {
		.flags = {op->kept.op.put.flags.sys & t->permitted_sys, op->kept.op.put.flags.kw},
		.date_utc_s = op->kept.op.put.date_utc_s,
		.zone_min = op->kept.op.put.zone_min,
	};
	uint64_t uid = 0;

	if (mem_is_refused(s->account, op)) {
		fail_by(s, op, PF_MEM_REFUSED);
		return PF_OK;
	}
	if (body->n > t->facts.quota_free_bytes) {
		fail_by(s, op, PF_MEM_FULL);
		return PF_OK;
	}
	if (t->facts.quota_free_bytes != UINT64_MAX) {
		t->facts.quota_free_bytes -= body->n;
	}
	if (mem_add_blob(f, body, &like, &uid, err) != PF_OK || give_id(s, uid, err) != PF_OK) {
		return PF_FAIL;
	}
	done(s, op,
		mem_has(s->account, PF_CAP_PUT_RETURNS_ID) ? pf_buf_span(&s->id_out)
							   : pf_span(NULL, 0));
	return PF_OK;
}

/* A body that is fed: one part at a time, and HUNGRY when there is room for the next. */
static int step_fed(struct mem_store *s, struct mem_op *op, struct pf_store_event *out, bool *given,
	bool *moved, struct pf_err *err)
{
	bool hungry = !op->told || (op->turned_away && op->taken);

	if (!op->body) {
		op->body = pf_blob_new((size_t)op->kept.op.put.size);
		if (!op->body) {
			return pf_fail_memory(err, "a message");
		}
	}
	if (op->abandoned || s->closing || (op->fault == PF_MEM_LOST_WITHIN && op->offset > 0)) {
		fail_by(s, op, PF_MEM_LOST_UNSENT);
		return PF_OK;
	}
	op->taken = false;
	if (op->offset == op->kept.op.put.size) {
		return mem_put(s, op, err);
	}
	*moved = hungry;
	if (hungry) {
		op->told = true;
		op->turned_away = false;
		*out = (struct pf_store_event){.kind = PF_STORE_HUNGRY, .op = op->kept.op.id};
		*given = true;
	}
	return PF_OK;
}

static int step_put(struct mem_store *s, struct mem_op *op, struct pf_store_event *out, bool *given,
	bool *moved, struct pf_err *err)
{
	struct mem_queue *q = op->queue;

	if (!mem_group_takes(s, op)) {
		return op->kept.op.put.body ? mem_put(s, op, err)
					    : step_fed(s, op, out, given, moved, err);
	}
	mem_group_add(s, op);
	return q->group_n == MEM_GROUP_MAX || !op->kept.op.put.more ? mem_group_close(s, q, err)
								    : PF_OK;
}

/* ---- the small ones ---- */

static int step_flags(struct mem_store *s, struct mem_op *op, struct pf_err *err)
{
	struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
	const struct pf_mem_item *i = mem_item(f, op->kept.op.item);
	struct pf_flags flags;
	struct pf_span rest, word;
	struct pf_buf kw;
	int rc = PF_OK;

	if (!i) {
		not_there(s, op, PF_SCOPE_ITEM, "the item");
		return PF_OK;
	}
	pf_buf_init(&kw, MEM_TEXT_MAX);
	for (rest = i->flags.kw; rc == PF_OK && pf_keywords_next(&rest, &word);) {
		if (!pf_keywords_has(op->kept.op.flags.del.kw, word)) {
			rc = pf_keywords_add(&kw, word, err);
		}
	}
	for (rest = op->kept.op.flags.add.kw; rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = pf_keywords_add(&kw, word, err);
	}
	flags.sys = (i->flags.sys | op->kept.op.flags.add.sys) & ~op->kept.op.flags.del.sys;
	flags.kw = pf_buf_span(&kw);
	rc = rc == PF_OK ? pf_mem_set_flags(f, i->uid, flags, err) : rc;
	pf_buf_deinit(&kw);
	if (rc == PF_OK) {
		done(s, op, pf_span(NULL, 0));
	}
	return rc;
}

static bool is_bad_name(const struct pf_mem *m, const struct pf_path *path)
{
	const struct pf_store_facts *f = &m->traits.facts;
	const char *segment;

	if ((f->max_depth > 0 && pf_path_depth(path) > f->max_depth) ||
		(!mem_has(m, PF_CAP_INBOX_CHILDREN) && pf_path_depth(path) > 1 &&
			strcasecmp(pf_path_segment(path, 0), "INBOX") == 0)) {
		return true;
	}
	for (size_t i = 0; (segment = pf_path_segment(path, i)) != NULL; i++) {
		if ((f->max_segment_bytes > 0 && strlen(segment) > f->max_segment_bytes) ||
			strpbrk(segment, f->forbidden)) {
			return true;
		}
	}
	return false;
}

/* Where folders hold either items or folders: whether one above has items. */
static bool is_below_items(const struct pf_mem *m, const struct pf_path *path)
{
	for (size_t i = 0; !mem_has(m, PF_CAP_MIXED) && i < m->n; i++) {
		const struct pf_mem_folder *f = m->folders[i];

		if (f->n > 0 && pf_path_is_under(path, &f->path) && !pf_path_eq(path, &f->path)) {
			return true;
		}
	}
	return false;
}

static int step_mkfolder(struct mem_store *s, struct mem_op *op, struct pf_err *err)
{
	struct pf_mem_folder *f = mem_folder_by_path(s->account, op->kept.op.mkfolder.path);

	if (!f && (is_bad_name(s->account, op->kept.op.mkfolder.path) ||
			  is_below_items(s->account, op->kept.op.mkfolder.path))) {
		fail_by(s, op, PF_MEM_REFUSED);
		return PF_OK;
	}
	if (pf_mem_folder(s->account, op->kept.op.mkfolder.path, op->kept.op.mkfolder.role, &f,
		    err) != PF_OK) {
		return PF_FAIL;
	}
	done(s, op, pf_span_str(f->id));
	return PF_OK;
}

static int step_remove(struct mem_store *s, struct mem_op *op, struct pf_err *err)
{
	struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
	const struct pf_mem_item *i = mem_item(f, op->kept.op.item);

	if (!mem_has(s->account, PF_CAP_REMOVE_ONE)) {
		fail_by(s, op, PF_MEM_REFUSED); /* as any store whose server can't do it */
		return PF_OK;
	}
	if (i && pf_mem_remove(f, i->uid, err) != PF_OK) {
		return PF_FAIL;
	}
	done(s, op, pf_span(NULL, 0));
	return PF_OK;
}

static int step_copy(struct mem_store *s, struct mem_op *op, struct pf_err *err)
{
	struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
	struct pf_mem_folder *to = mem_folder_by_id(s->account, op->kept.op.copy.to);
	const struct pf_mem_item *i = mem_item(f, op->kept.op.item);
	struct pf_item like;
	uint64_t uid = 0;

	if (!mem_has(s->account, PF_CAP_COPY)) {
		fail_by(s, op, PF_MEM_REFUSED);
		return PF_OK;
	}
	if (!i || !to) {
		not_there(s, op, PF_SCOPE_ITEM, i ? "the folder" : "the item");
		return PF_OK;
	}
	like = (struct pf_item){
		.flags = i->flags, .date_utc_s = i->date_utc_s, .zone_min = i->zone_min};
	if (mem_add_blob(to, i->body, &like, &uid, err) != PF_OK || give_id(s, uid, err) != PF_OK) {
		return PF_FAIL;
	}
	done(s, op, pf_buf_span(&s->id_out));
	return PF_OK;
}

static void step_subscribe(struct mem_store *s, struct mem_op *op)
{
	if (!mem_has(s->account, PF_CAP_SUBSCRIBE)) {
		fail_by(s, op, PF_MEM_REFUSED);
		return;
	}
	mem_folder_by_id(s->account, op->kept.op.folder)->subscribed = true;
	done(s, op, pf_span(NULL, 0));
}

/* After all that was submitted before it, in whatever folder. */
static int step_close(struct mem_store *s, struct mem_op *op, bool *moved, struct pf_err *err)
{
	for (struct mem_queue *q = s->queues; q; q = q->next) {
		if (q->first && q->first != op) {
			*moved = false;
			return PF_OK;
		}
		if (q->group && mem_group_close(s, q, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	s->closed = true;
	mem_op_done(s, op, pf_span(NULL, 0));
	return PF_OK;
}

/* ---- one step ---- */

static bool uses_id(enum pf_op_kind kind)
{
	return kind == PF_OP_GET || kind == PF_OP_FLAGS || kind == PF_OP_REMOVE ||
	       kind == PF_OP_COPY;
}

/* What ends an operation before it did anything. *ended: it has. */
static int begin(struct mem_store *s, struct mem_op *op, bool *ended, struct pf_err *err)
{
	struct pf_mem_whims *w = s->account->whims;
	struct pf_mem_folder *f = NULL;

	op->begun = true;
	*ended = true;
	if (op->queue->group && !mem_group_takes(s, op) &&
		mem_group_close(s, op->queue, err) != PF_OK) {
		return PF_FAIL;
	}
	if (op->kept.op.folder.n > 0) {
		f = mem_folder_by_id(s->account, op->kept.op.folder);
		if (!f) {
			not_there(s, op, PF_SCOPE_FOLDER, "the folder");
			return PF_OK;
		}
	}
	op->fault =
		w && w->fault && op->kept.op.kind != PF_OP_CLOSE && op->kept.op.kind != PF_OP_FLUSH
			? w->fault(w, &op->kept.op)
			: PF_MEM_FINE;
	if (op->fault == PF_MEM_RENUMBERED && f) {
		pf_mem_renumber(f);
		op->fault = PF_MEM_FINE;
	}
	if (f && uses_id(op->kept.op.kind) && op->queue->validity != 0 &&
		op->queue->validity != f->validity) {
		struct mem_end end = {.failed = true};

		(void)pf_fail(&end.why, PF_SCOPE_FOLDER, PF_RETRY_NO,
			"the folder's items got other ids while it was worked on");
		end.why.number = PF_EV_VALIDITY_CHANGED;
		mem_op_end(s, op, &end);
		return PF_OK;
	}
	*ended = false;
	return PF_OK;
}

static int begin_fault(struct mem_store *s, struct mem_op *op, bool *ended, struct pf_err *err)
{
	bool list = op->kept.op.kind == PF_OP_LIST, get = op->kept.op.kind == PF_OP_GET;
	bool folders = op->kept.op.kind == PF_OP_FOLDERS;
	bool put = op->kept.op.kind == PF_OP_PUT;
	struct pf_err why;

	*ended = false;
	switch (op->fault) {
	case PF_MEM_FINE:
	case PF_MEM_LOST_AFTER:
	case PF_MEM_RENUMBERED:
		return PF_OK;
	case PF_MEM_STORE_LOST:
		(void)pf_fail(&why, PF_SCOPE_SESSION, PF_RETRY_LATER, "the server is gone");
		mem_store_lose(s, &why);
		*ended = true;
		return PF_OK;
	case PF_MEM_HANGS:
		op->hung = true;
		op->hung_at = s->account->timeouts;
		*ended = true;
		return PF_OK;
	case PF_MEM_LOST_WITHIN:
		*ended = !list && !folders && !get && !(put && !op->kept.op.put.body);
		break;
	case PF_MEM_OMITTED:
		*ended = !list;
		break;
	case PF_MEM_VANISHES:
		if (get) {
			struct pf_mem_folder *f = mem_folder_by_id(s->account, op->kept.op.folder);
			const struct pf_mem_item *i = mem_item(f, op->kept.op.item);

			if (i && pf_mem_remove(f, i->uid, err) != PF_OK) {
				return PF_FAIL;
			}
		}
		*ended = true;
		break;
	default:
		*ended = !mem_group_takes(s, op); /* the group's end tells of it */
		return *ended ? (fail_by(s, op, op->fault), PF_OK) : PF_OK;
	}
	if (*ended) {
		fail_by(s, op, op->fault);
	}
	return PF_OK;
}

int mem_perform(struct mem_store *s, struct mem_op *op, struct pf_store_event *out, bool *given,
	bool *moved, struct pf_err *err)
{
	bool ended = false;

	*moved = true;
	if (op->hung) { /* and the timeout came */
		fail_by(s, op, PF_MEM_LOST_BEFORE);
		return PF_OK;
	}
	if (!op->begun && (begin(s, op, &ended, err) != PF_OK ||
				  (!ended && begin_fault(s, op, &ended, err) != PF_OK))) {
		return PF_FAIL;
	}
	if (ended) {
		return PF_OK;
	}
	switch (op->kept.op.kind) {
	case PF_OP_FOLDERS:
		return step_folders(s, op, out, given, err);
	case PF_OP_LIST:
		return step_list(s, op, out, given, err);
	case PF_OP_GET:
		return step_get(s, op, out, given, err);
	case PF_OP_PUT:
		return step_put(s, op, out, given, moved, err);
	case PF_OP_RECALL: /* never queued */
	case PF_OP_FLUSH:
		mem_op_done(s, op, pf_span(NULL, 0));
		return PF_OK;
	case PF_OP_FLAGS:
		return step_flags(s, op, err);
	case PF_OP_MKFOLDER:
		return step_mkfolder(s, op, err);
	case PF_OP_SUBSCRIBE:
		step_subscribe(s, op);
		return PF_OK;
	case PF_OP_REMOVE:
		return step_remove(s, op, err);
	case PF_OP_COPY:
		return step_copy(s, op, err);
	case PF_OP_CLOSE:
		return step_close(s, op, moved, err);
	}
	return PF_OK;
}
