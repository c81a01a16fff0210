/*
 * SELECT or EXAMINE, and the listing of a folder.
 */
#include "base/decimal.h"
#include "base/utf8.h"
#include "stores/imap/imap_private.h"

#include <stdlib.h>

enum { NAMES_MAX = 10000000 }; /* messages in one range of a SEARCH that is believed */

/* ---- SELECT ---- */

int select_issue(struct iconn *c, struct ifolder *f, struct iop *list, struct pf_err *err)
{
	bool source = c->store->cfg->source;
	struct icmd *i = icmd_new(c, ICMD_SELECT, f, err);
	struct pf_imap_cmd *cmd;

	if (!i || (list && icmd_add_op(i, list, err) != PF_OK) ||
		conn_begin(c, source ? PF_IMAP_CMD_EXAMINE : PF_IMAP_CMD_SELECT, i, &cmd, err) !=
			PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_astring(cmd, pf_buf_span(&f->id));
	if (c->store->caps & PF_IMAP_CAP_CONDSTORE) {
		pf_imap_cmd_text(cmd, " (CONDSTORE)");
	}
	c->selected = true;
	return pf_imap_cmd_send(cmd, false, err);
}

int select_data(struct icmd *i, const struct pf_imap_resp *r, struct pf_err *err)
{
	if (r->kind == PF_IMAP_EXISTS) {
		i->exists = r->number;
	} else if (r->kind == PF_IMAP_FLAGS && !i->has_permanent) {
		pf_buf_clear(&i->permanent);
		return pf_buf_add(&i->permanent, r->words, err);
	} else if (r->kind == PF_IMAP_COND) {
		switch (r->code) {
		case PF_IMAP_CODE_UIDVALIDITY:
			i->uidvalidity = r->code_num[0];
			break;
		case PF_IMAP_CODE_UIDNEXT:
			i->uidnext = r->code_num[0];
			break;
		case PF_IMAP_CODE_HIGHESTMODSEQ:
			i->modseq = r->code_num[0];
			break;
		case PF_IMAP_CODE_PERMANENTFLAGS:
			i->has_permanent = true;
			pf_buf_clear(&i->permanent);
			return pf_buf_add(&i->permanent, r->code_args, err);
		default:
			break;
		}
	}
	return PF_OK;
}

int imap_flags(
	struct pf_span words, struct pf_buf *kw, uint32_t *sys, bool *any, struct pf_err *err)
{
	struct pf_span word;

	*sys = 0;
	pf_buf_clear(kw);
	while (pf_imap_words_next(&words, &word)) {
		uint32_t bit = pf_flag_bit(word);

		*sys |= bit;
		if (any && pf_span_is(word, "\\*")) {
			*any = true;
		}
		/* Other words with a backslash are the server's own affair; they can't be given to
		 * another. */
		if (bit == 0 && word.n > 0 && word.p[0] != '\\' &&
			pf_keywords_add(kw, word, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int make_cursor(struct pf_buf *out, const struct icmd *i, struct pf_err *err)
{
	pf_buf_clear(out);
	return pf_buf_addf(out, err, "%llu %llu %llu %llu", (unsigned long long)i->uidvalidity,
		(unsigned long long)i->uidnext, (unsigned long long)i->exists,
		(unsigned long long)i->modseq);
}

static int give_state(struct iconn *c, struct icmd *i, struct iop *op, struct pf_store_event *out,
	struct pf_err *err)
{
	struct istore *s = c->store;
	struct pf_folder *f = &s->folder_out;
	uint32_t sys = 0;
	bool any = false;

	if (make_cursor(&s->cursor_out, i, err) != PF_OK ||
		imap_flags(pf_buf_span(&i->permanent), &s->kw_out, &sys, &any, err) != PF_OK) {
		return PF_FAIL;
	}
	*f = (struct pf_folder){
		.id = pf_buf_span(&i->folder->id), .kind = PF_KIND_MAIL, .has_state = true};
	f->state.validity = i->uidvalidity;
	f->state.next = i->uidnext;
	f->state.count = i->exists;
	f->state.cursor = pf_buf_span(&s->cursor_out);
	*out = (struct pf_store_event){.kind = PF_STORE_STATE, .op = op->op.id, .folder = f};
	out->delta = op->delta && i->uidvalidity == op->cursor.validity;
	out->permitted_sys = i->has_permanent ? sys : PF_FLAGS_ALL;
	out->permitted_any = any || !i->has_permanent;
	out->permitted_kw = pf_buf_span(&s->kw_out);
	return PF_OK;
}

static bool is_of_selection(const struct iop *op)
{
	enum pf_op_kind kind = op ? op->op.kind : PF_OP_CLOSE;

	return kind == PF_OP_LIST || kind == PF_OP_GET || kind == PF_OP_FLAGS ||
	       kind == PF_OP_REMOVE || kind == PF_OP_COPY;
}

/* What went out behind the SELECT speaks of a folder that is not there, or of other messages. */
static bool void_flight(const struct icmd *i, const struct pf_err *why)
{
	bool any = false;

	for (struct icmd *k = i->next; k && k->kind != ICMD_SELECT; k = k->next) {
		if (k->n > 0 && is_of_selection(k->ops[0])) {
			k->unselected = true;
			k->why = *why;
			any = true;
		}
	}
	return any;
}

/*
 * The folder can't be had. What waits for it in this flight means nothing now: by RFC 9051 section
 * 6.3.2 no mailbox is selected, but some servers stay in the one before, and give its messages.
 */
bool select_failed(struct iconn *c, const struct icmd *i, const struct pf_err *why)
{
	if (c->folder == i->folder) {
		c->selected = false;
	}
	return void_flight(i, why);
}

/* What waited for the answer before it goes out (issue.c) has it now. */
static void fail_waiting(struct istore *s, struct ifolder *f, const struct pf_err *why)
{
	struct iend end = {.failed = true, .why = *why};
	struct iop *op = f->first;

	if (is_of_selection(op)) {
		f->first = op->next;
		f->last = f->first ? f->last : NULL;
		op_failed(s, op, &end);
	}
}

void select_broke(struct istore *s, struct ifolder *f, const struct pf_err *why)
{
	struct pf_err all;

	if (++f->hangups < OPENS_MAX || s->broken_folders >= BROKEN_FOLDERS_MAX) {
		return;
	}
	(void)pf_fail(&all, PF_SCOPE_FOLDER, PF_RETRY_NO,
		"the connection broke each of %u times that it was opened: %s", f->hangups,
		why->text);
	f->hangups = 0;
	s->broken_folders++;
	s->losses = 0; /* they were the folder's */
	while (is_of_selection(f->first)) {
		fail_waiting(s, f, &all);
	}
}

void select_stale(struct pf_err *why)
{
	(void)pf_fail(why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
		"the folder's UIDVALIDITY changed while it was worked on");
	why->number = PF_EV_VALIDITY_CHANGED;
}

/* Whether a NO to SELECT says that there is no such folder; few servers send the code. */
static bool is_gone(const struct pf_imap_resp *r)
{
	static const char *const WORDS[] = {"doesn't exist", "does not exist", "no such mailbox",
		"no such folder", "unknown mailbox", "nonexistent", "non-existent", "not found"};
	char text[200];

	if (r->code != PF_IMAP_CODE_NONE && r->code != PF_IMAP_CODE_OTHER) {
		return r->code == PF_IMAP_CODE_NONEXISTENT || r->code == PF_IMAP_CODE_TRYCREATE;
	}
	(void)pf_print_safe(text, sizeof(text), r->text);
	for (size_t i = 0; i < PF_COUNT(WORDS); i++) {
		if (strcasestr(text, WORDS[i])) {
			return true;
		}
	}
	return false;
}

/* The second look at a folder whose state and rows were given before. */
static void look_apart_selected(struct ifolder *f, const struct icmd *i, bool changed)
{
	struct iop *op = i->ops[0];

	f->stale = f->stale || changed;
	op->exists = i->exists;
	op->selected = true;
	if (changed) {
		op->refused = true;
		select_stale(&op->end.why);
	}
}

int select_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct ifolder *f = i->folder;
	bool changed;

	f->hangups = 0;
	if (ev->resp->cond != PF_IMAP_OK) {
		struct pf_err why;

		(void)pf_imap_refusal(&why, PF_SCOPE_FOLDER, ev->cmd, ev->resp);
		if (why.number == 0 && ev->resp->cond == PF_IMAP_NO && is_gone(ev->resp)) {
			why.number = PF_EV_FOLDER_LOST;
		}
		if (!select_failed(c, i, &why)) {
			fail_waiting(c->store, f, &why);
		}
		return PF_OK;
	}
	changed = f->opened && f->validity != i->uidvalidity;
	if (changed) {
		store_note(c->store, PF_EV_VALIDITY_CHANGED, pf_buf_span(&f->id), pf_span(NULL, 0),
			0, "UIDVALIDITY was %llu and is %llu now", (unsigned long long)f->validity,
			(unsigned long long)i->uidvalidity);
	}
	if (changed && i->n == 0) { /* ids of its operations are of another world */
		struct pf_err why;

		f->stale = true;
		select_stale(&why);
		(void)void_flight(i, &why);
		return PF_OK;
	}
	if (i->n > 0 && i->ops[0]->apart) {
		look_apart_selected(f, i, changed);
		return PF_OK;
	}
	if (i->n > 0) {
		struct iop *op = i->ops[0];

		f->opened = true;
		f->stale = false;
		f->validity = i->uidvalidity;
		op->exists = i->exists;
		op->selected = true;
		if (op->delta && i->uidvalidity != op->cursor.validity) {
			op->refused = true; /* what was asked for is of another world */
			(void)pf_fail(&op->end.why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
				"the folder's UIDVALIDITY changed: all of it must be listed");
		}
		*given = true;
		return give_state(c, i, op, out, err);
	}
	f->validity = i->uidvalidity;
	f->opened = true;
	return PF_OK;
}

/* ---- LIST ---- */

static void read_cursor(struct iop *op)
{
	struct pf_span rest = pf_buf_span(&op->text), word;
	uint64_t *const to[] = {
		&op->cursor.validity, &op->cursor.next, &op->cursor.count, &op->cursor.modseq};

	for (size_t i = 0; i < PF_COUNT(to) && pf_imap_words_next(&rest, &word); i++) {
		uint64_t last;

		if (!pf_imap_set_next(&word, to[i], &last)) {
			op->cursor.modseq = 0;
			return;
		}
	}
}

static const char *what_of_items(const struct istore *s)
{
	return labels_are_told(s) ? " (UID FLAGS INTERNALDATE RFC822.SIZE X-GM-MSGID X-GM-LABELS)"
				  : " (UID FLAGS INTERNALDATE RFC822.SIZE)";
}

/* What changed since the cursor: flags of known items, and what vanished (RFC 7162 section 3.2.6).
 */
static int fetch_changes(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_LIST, f, err);
	struct pf_imap_cmd *cmd;

	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_FETCH, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_text(cmd, " 1:");
	pf_imap_cmd_number(cmd, op->cursor.next - 1);
	pf_imap_cmd_text(cmd, what_of_items(c->store));
	pf_imap_cmd_text(cmd, " (CHANGEDSINCE ");
	pf_imap_cmd_number(cmd, op->cursor.modseq);
	pf_imap_cmd_text(cmd, " VANISHED)");
	return pf_imap_cmd_send(cmd, false, err);
}

static int fetch_rows(
	struct iconn *c, struct ifolder *f, struct iop *op, uint64_t from, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_LIST, f, err);
	struct pf_imap_cmd *cmd;

	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_FETCH, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	i->last = true;
	op->from = from;
	icmd_weigh(c, i, from == 1 ? LISTING_BYTES : 0);
	pf_imap_cmd_text(cmd, " ");
	pf_imap_cmd_number(cmd, from);
	pf_imap_cmd_text(cmd, ":*");
	pf_imap_cmd_text(cmd, what_of_items(c->store));
	return pf_imap_cmd_send(cmd, false, err);
}

/* One command of the second look: the FETCH of one data item; NULL: SEARCH, as the last. */
static int ask_apart(struct iconn *c, struct iop *op, const char *item, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_LIST, op->folder, err);
	struct pf_imap_cmd *cmd;

	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, item ? PF_IMAP_CMD_FETCH : PF_IMAP_CMD_SEARCH, i, &cmd, err) !=
			PF_OK) {
		return PF_FAIL;
	}
	i->last = !item;
	pf_imap_cmd_text(cmd, item ? " " : " UID ");
	pf_imap_cmd_number(cmd, op->from);
	pf_imap_cmd_text(cmd, ":*");
	if (item) {
		pf_imap_cmd_text(cmd, " (UID ");
		pf_imap_cmd_text(cmd, item);
		pf_imap_cmd_text(cmd, ")");
	}
	return pf_imap_cmd_send(cmd, false, err);
}

/*
 * A row that can't be read, or does not come, must cost no more than it says: what is there is
 * asked for by SEARCH, and each data item by itself, so that only the one that can't be read is
 * unknown.
 */
static int look_apart(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	static const char *const ITEMS[] = {"FLAGS", "INTERNALDATE", "RFC822.SIZE", NULL};

	op->selected = false;
	op->refused = false;
	op->searched = false;
	if (select_issue(c, f, op, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < PF_COUNT(ITEMS); i++) {
		if (ask_apart(c, op, ITEMS[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* As Exchange writes messages that are items in disguise: such a field comes with each TNEF part,
 * and where there is nothing else its type is that of the message. */
static int look_for_items(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;
	struct icmd *i;

	op->from = 1;
	op->selected = false;
	op->refused = false;
	rows_free(&op->seen);
	if (select_issue(c, f, op, err) != PF_OK) {
		return PF_FAIL;
	}
	i = icmd_new(c, ICMD_LIST, f, err);
	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_SEARCH, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	i->last = true;
	pf_imap_cmd_text(cmd, " OR HEADER X-MS-TNEF-Correlator \"\" HEADER Content-Type ms-tnef");
	return pf_imap_cmd_send(cmd, false, err);
}

int list_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	uint64_t from = op->op.list.from > 0 ? op->op.list.from : 1;

	if (op->op.list.find) {
		return look_for_items(c, f, op, err);
	}
	if (op->apart) {
		return look_apart(c, f, op, err);
	}
	op->refused = false;
	op->got = false;
	op->rows = 0;
	op->vanished = false;
	op->selected = false;
	op->odd = false;
	rows_free(&op->seen);
	op->cursor.modseq = 0;
	read_cursor(op);
	/* Both fetches go out with the SELECT; should its UIDVALIDITY be another one than STATUS
	 * had, the operation fails, and a full listing follows. */
	op->delta = op->cursor.modseq > 0 && op->cursor.next > 1 &&
		    (c->store->facts.caps & PF_CAP_LIST_DELTA) &&
		    f->validity == op->cursor.validity;
	if (select_issue(c, f, op, err) != PF_OK) {
		return PF_FAIL;
	}
	if (op->delta) {
		from = op->cursor.next;
		if (fetch_changes(c, f, op, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return fetch_rows(c, f, op, from, err);
}

static int give_row(struct istore *s, struct iop *op, const struct pf_imap_fetch *f,
	struct pf_store_event *out, struct pf_err *err)
{
	char uid[PF_DECIMAL_MAX];

	pf_buf_clear(&s->id_out);
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->op.id};
	if (pf_buf_add(&s->id_out, pf_span(uid, pf_decimal(f->uid, uid)), err) != PF_OK ||
		labels_read(s, f->gm_labels, &out->item.elsewhere, err) != PF_OK ||
		imap_flags(f->flags, &s->kw_out, &out->item.flags.sys, NULL, err) != PF_OK) {
		return PF_FAIL;
	}
	out->item.id = pf_buf_span(&s->id_out);
	out->item.same = f->gm_msgid;
	out->item.flags.kw = pf_buf_span(&s->kw_out);
	out->item.size = f->has & PF_IMAP_HAS_SIZE ? f->size : 0;
	out->item.date_utc_s = f->has & PF_IMAP_HAS_DATE ? f->date_utc_s : PF_DATE_NONE;
	out->item.zone_min = f->zone_min;
	return PF_OK;
}

/* The messages that SEARCH names: of a folder that is as large as the rows that were read. */
static int take_names(struct iop *op, struct pf_span set, struct pf_err *err)
{
	uint64_t first, last;

	while (pf_imap_set_next(&set, &first, &last)) {
		for (uint64_t uid = first; uid <= last && uid - first < NAMES_MAX; uid++) {
			if (uid >= op->from && uid <= UINT32_MAX &&
				rows_name(&op->seen, (uint32_t)uid, err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	return PF_OK;
}

int list_data(struct iconn *c, struct icmd *i, const struct pf_imap_resp *r,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct iop *op = i->ops[0];
	const struct pf_imap_fetch *f = &r->fetch;
	struct pf_imap_fetch whole;

	if (!op->selected) {
		return PF_OK; /* of the folder that was selected before */
	}
	if (r->kind == PF_IMAP_EXPUNGE && op->exists > 0) {
		op->exists--;
		return PF_OK;
	}
	if (r->kind == PF_IMAP_VANISHED) {
		op->vanished = true;
		return PF_OK;
	}
	if (r->kind == PF_IMAP_EXISTS && r->number < op->exists) {
		op->exists = r->number;
		return PF_OK;
	}
	if (r->kind == PF_IMAP_SEARCH || r->kind == PF_IMAP_ESEARCH) {
		op->searched = op->apart || op->op.list.find;
		return op->searched ? take_names(op, r->search.numbers, err) : PF_OK;
	}
	/* A row must name its message; others are of changes that somebody makes. */
	if (r->kind != PF_IMAP_FETCH || op->op.list.find || !(f->has & PF_IMAP_HAS_UID)) {
		return PF_OK;
	}
	if (f->uid < op->from && !(op->delta && f->uid < op->cursor.next)) {
		return PF_OK; /* "n:*" gives the last message even when it is before n */
	}
	if (rows_take(&op->seen, f, &whole, given, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!*given) {
		return PF_OK;
	}
	op->rows += whole.uid >= op->from;
	op->got = true;
	return give_row(c->store, op, &whole, out, err);
}

void list_odd(struct iconn *c)
{
	for (struct icmd *i = c->cmds; i; i = i->next) {
		if (i->kind == ICMD_LIST) {
			i->ops[0]->odd = true;
			return;
		}
	}
}

int list_give_left(struct istore *s, struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct iop *op = s->left;
	struct pf_imap_fetch row;

	if (!op) {
		return PF_OK;
	}
	if (rows_left(op->seen, &row)) {
		*given = true;
		return give_row(s, op, &row, out, err);
	}
	s->left = op->next;
	op_done(s, op, pf_span(NULL, 0));
	return PF_OK;
}

/* Whether some messages are there that no row told of, as far as can be said. */
static bool lacks_some(const struct iop *op, struct pf_err *why)
{
	uint64_t rows = op->rows + rows_left_count(op->seen, op->from);
	bool whole = op->from == 1;

	if (!whole && op->odd && !op->searched) { /* without a count that would tell */
		(void)pf_fail(why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
			"a part of the listing could not be read");
	} else if (whole && !op->vanished && rows < op->exists) {
		(void)pf_fail(why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
			"the server says that there are %llu messages, and lists %llu",
			(unsigned long long)op->exists, (unsigned long long)rows);
	} else {
		return false;
	}
	why->number = PF_EV_LISTING_INCOMPLETE;
	return true;
}

/* An answer before the last one. In a second look each may be refused. */
static void list_part_done(struct iop *op, const struct pf_imap_session_event *ev)
{
	if (ev->resp->cond != PF_IMAP_OK && !op->apart) {
		op->refused = true;
		(void)pf_imap_refusal(&op->end.why, PF_SCOPE_FOLDER, ev->cmd, ev->resp);
		op->end.why.retry = PF_RETRY_NOW;
	}
}

/* All rows that come are there. */
static void list_end(struct iconn *c, struct iop *op)
{
	struct iend end = {.failed = true};
	size_t left = rows_left_count(op->seen, 1);
	bool lacks = !op->op.list.find && lacks_some(op, &end.why);

	if ((lacks || (op->odd && left > 0)) && !op->apart && !op->delta && !op->op.list.find) {
		op->apart = true;
		op_back(c->store, op);
		return;
	}
	if (lacks) {
		op_failed(c->store, op, &end);
		return;
	}
	if (left > 0 && op->apart) {
		store_note(c->store, PF_EV_LISTING_INCOMPLETE, pf_buf_span(&op->folder->id),
			pf_span(NULL, 0), 0,
			"of %zu messages no row could be read: they are copied with what is known",
			left);
	}
	if (left > 0) {
		op->next = c->store->left;
		c->store->left = op;
		return;
	}
	op_done(c->store, op, pf_span(NULL, 0));
}

int list_done(
	struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	struct iop *op = i->ops[0];
	struct iend end = {.failed = true};

	(void)err;
	if (!i->last) {
		list_part_done(op, ev);
	} else if (op->refused) {
		end = op->end;
		op_failed(c->store, op, &end);
	} else if (ev->resp->cond != PF_IMAP_OK && op->exists > 0 && !op->apart) {
		(void)pf_imap_refusal(&end.why, PF_SCOPE_FOLDER, ev->cmd, ev->resp);
		op_failed(c->store, op, &end);
	} else if (op->vanished && op->delta) {
		(void)pf_fail(&end.why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
			"some messages are gone: all of the folder must be listed");
		op_failed(c->store, op, &end);
	} else {
		list_end(c, op);
	}
	return PF_OK;
}
