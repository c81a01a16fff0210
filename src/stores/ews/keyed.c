/*
 * Putting items other than mail, in steps; what is not whole yet is shown to nobody (keys.c).
 *
 *   ZONE     the zone of the account's whole days is asked for, once
 *   PLACE    a folder for its kind is made, where there is none (beside.c)
 *   NAMES    the names of the folder's items are read, once
 *   UNDO     what an earlier try left is removed
 *   UPLOAD   UploadItems, several together, of what another Exchange gave (upload.c); in another
 *            one's place LOCK is before it, and only NAME behind it
 *   READ     in another one's place: how is that one? Where one request can say all that is to be
 *            other, RENEW is that UpdateItem, and the last step
 *   CREATE   CreateItem, several together; one that has nothing more to come is whole then
 *   FILES    CreateAttachment
 *   CHANGE   UpdateItem of the occurrences that are exceptions, FILES_OF the files of these
 *   TAKE_OUT DeleteItem of the occurrences that are none
 *   LOCK     in another one's place: that one is marked, if nobody changed it since
 *   NAME     now it is whole
 *   DROP     the other one is removed
 *
 * All else is made anew, also where it takes another one's place: so an item that was read is as
 * one request made it or as its steps left it, whenever the run was killed.
 */
#include "stores/ews/keyed_private.h"

#include <stdio.h>

/* ---- from step to step ---- */

/* The next step that has something to do. */
static enum eput_step next_step(const struct eop *o)
{
	const struct emade *m = o->made;

	switch (o->step) {
	case EPUT_CREATE:
		if (m->files > 0) {
			return EPUT_FILES;
		} /* fall through */
	case EPUT_FILES:
		if (m->change_n > 0) {
			return EPUT_CHANGE;
		} /* fall through */
	case EPUT_CHANGE:
	case EPUT_FILES_OF:
		if (m->gone_n > 0) {
			return EPUT_TAKE_OUT;
		} /* fall through */
	case EPUT_TAKE_OUT:
		if (eput_in_place(o) && !o->locked) {
			return EPUT_LOCK;
		} /* fall through */
	case EPUT_LOCK:
		return o->made ? EPUT_NAME : EPUT_UPLOAD;
	case EPUT_UPLOAD:
		return eput_in_place(o) ? EPUT_NAME : EPUT_DONE;
	case EPUT_READ:
		return o->anew ? EPUT_CREATE : EPUT_RENEW;
	case EPUT_NAME:
		return eput_in_place(o) && o->made ? EPUT_DROP : EPUT_DONE;
	default:
		return EPUT_DONE;
	}
}

static int go_on(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (eput_removes(o)) {
		bool locked = o->step == EPUT_LOCK;

		o->step = locked ? EPUT_DROP : EPUT_DONE;
		o->h.state = PF_HS_WAITING;
		if (!locked) {
			eop_give(s, o);
		}
		return PF_OK;
	}
	o->step = next_step(o);
	o->put_at = o->put_file = 0;
	o->h.state = PF_HS_WAITING;
	if (o->step == EPUT_DONE) {
		if (ews_item_id(s, o, pf_buf_span(&o->new_id), eput_op_of(o)->put.kind,
			    &o->h.end.id, err) != PF_OK) {
			return PF_FAIL;
		}
		ews_made_free(&o->made);
		eop_give(s, o);
	}
	return PF_OK;
}

static bool has_files_left(struct eop *o, const struct pf_mapi_item *item)
{
	for (; o->put_file < item->attachments_n; o->put_file++) {
		if (item->attachments[o->put_file].kind == PF_MAPI_ATTACH_DATA) {
			return true;
		}
	}
	return false;
}

/* The next exception that has files; false: there is none. */
static bool next_with_files(struct eop *o)
{
	for (; o->put_at < o->made->change_n; o->put_at++) {
		if (has_files_left(o, o->made->change[o->put_at].item)) {
			return true;
		}
		o->put_file = 0;
	}
	return false;
}

int ews_keyed_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (o->step <= EPUT_NAMES && !ews_upload_wanted(s, o) && eput_needs_zone(s, o)) {
		o->step = EPUT_ZONE;
		return eput_ask_zone(s, o, err);
	}
	if (o->step <= EPUT_NAMES) {
		int rc = eput_find_place(s, o, err);

		o->step = rc == PF_AGAIN ? EPUT_PLACE : EPUT_NAMES;
		if (rc != PF_OK || o->h.state == PF_HS_GIVING) {
			return rc == PF_AGAIN ? eput_make_place(s, o, err) : rc;
		}
		if (!ews_keys_known(s, eput_place_of(o))) {
			return ews_keys_ask(s, o, err);
		}
		if (eput_prepare(s, o, err) != PF_OK || o->h.state == PF_HS_GIVING) {
			return o->h.state == PF_HS_GIVING ? PF_OK : PF_FAIL;
		}
	}
	switch (o->step) {
	case EPUT_UNDO:
		return eput_remove_one(s, o, pf_buf_span(&o->new_id), err);
	case EPUT_UPLOAD:
	case EPUT_CREATE:
		return eput_create(s, o, err);
	case EPUT_READ:
		return eput_read_old(s, o, err);
	case EPUT_RENEW:
		return eput_renew(s, o, err);
	case EPUT_FILES:
		return eput_attach(s, o, pf_buf_span(&o->new_id), o->made->made.item, err);
	case EPUT_CHANGE:
		return eput_change(s, o, err);
	case EPUT_FILES_OF:
		return eput_attach(
			s, o, o->made->change[o->put_at].id, o->made->change[o->put_at].item, err);
	case EPUT_TAKE_OUT:
		return eput_take_out(s, o, err);
	case EPUT_LOCK:
	case EPUT_NAME:
		return eput_set_key(s, o, o->step == EPUT_LOCK, err);
	default:
		return eput_remove_one(s, o, eput_old_of(o), err);
	}
}

int ews_keyed_remove(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (o->step == EPUT_DROP) {
		return eput_remove_one(s, o, eput_old_of(o), err);
	}
	o->step = EPUT_LOCK;
	return eput_set_key(s, o, true, err);
}

/* ---- answers ---- */

int ews_keyed_created(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;

	if (!pf_ews_item_next(a, m, &at, &i) || i.id.n == 0) {
		eput_doubtful(s, o, "CreateItem: the answer does not tell what it made");
		return PF_OK;
	}
	pf_buf_clear(&o->new_id);
	if (pf_buf_add(&o->new_id, i.id, err) != PF_OK) {
		return PF_FAIL;
	}
	if (eput_has_more(o)) {
		return go_on(s, o, err);
	}
	o->step = EPUT_NAME; /* it has its name already */
	return go_on(s, o, err);
}

int ews_keyed_uploaded(struct estore *s, struct eop *o, struct pf_span id, struct pf_err *err)
{
	if (id.n == 0 && !eput_in_place(o)) {
		eput_doubtful(s, o, "UploadItems: the answer does not tell what it made");
		return PF_OK;
	}
	pf_buf_clear(&o->new_id);
	if (pf_buf_add(&o->new_id, eput_in_place(o) ? eput_old_of(o) : id, err) != PF_OK) {
		return PF_FAIL;
	}
	return go_on(s, o, err);
}

/* What there is of it is removed, and then it has failed. */
static void give_up(struct eop *o, const char *text, enum pf_conflict conflict)
{
	(void)snprintf(o->why, sizeof(o->why), "%.380s", text);
	o->h.end.conflict = conflict;
	o->failing = true;
	o->step = EPUT_UNDO;
	o->h.state = PF_HS_WAITING;
}

static const char *words_of(const struct eop *o)
{
	static const char *const WORDS[] = {
		[EPUT_ZONE] = "GetUserConfiguration",
		[EPUT_PLACE] = "CreateFolder of a folder for its kind",
		[EPUT_NAMES] = "FindItem",
		[EPUT_UNDO] = "DeleteItem of what is not whole",
		[EPUT_READ] = "GetItem",
		[EPUT_RENEW] = "UpdateItem",
		[EPUT_FILES] = "CreateAttachment",
		[EPUT_CHANGE] = "UpdateItem of an occurrence",
		[EPUT_FILES_OF] = "CreateAttachment to an occurrence",
		[EPUT_TAKE_OUT] = "DeleteItem of an occurrence",
		[EPUT_LOCK] = "UpdateItem",
		[EPUT_NAME] = "UpdateItem",
		[EPUT_DROP] = "DeleteItem of what it replaces",
		[EPUT_DONE] = "",
	};

	return WORDS[o->step] ? WORDS[o->step] : "";
}

static void refused(struct estore *s, struct eop *o, const struct pf_ews_said *said)
{
	bool changed = said->does == PF_EWS_RACE || said->does == PF_EWS_GONE;
	struct pf_err why;
	char text[400];

	(void)snprintf(text, sizeof(text), "%s: %s", words_of(o), said->text);
	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", text);
	switch (o->step) {
	case EPUT_NAMES:
		why.scope = PF_SCOPE_FOLDER;
		eop_failed(s, o, &why);
		break;
	case EPUT_PLACE:
	case EPUT_UNDO:
	case EPUT_DROP:
		eop_refused(s, o, &why);
		break;
	case EPUT_READ:
	case EPUT_RENEW:
		if (!changed) { /* it is for another item to say */
			o->anew = true;
			o->step = EPUT_CREATE;
			o->h.state = PF_HS_WAITING;
			break;
		}
		o->h.end.conflict = PF_CONFLICT_CHANGED;
		eop_refused(s, o, &why);
		break;
	case EPUT_LOCK:
		if (eput_removes(o)) {
			o->h.end.conflict = changed ? PF_CONFLICT_CHANGED : PF_CONFLICT_NONE;
			eop_refused(s, o, &why);
			break;
		}
		give_up(o, text, changed ? PF_CONFLICT_CHANGED : PF_CONFLICT_NONE);
		break;
	default:
		give_up(o, text,
			said->does == PF_EWS_CONTENT ? PF_CONFLICT_CONTENT : PF_CONFLICT_NONE);
		break;
	}
}

/* Not there: what was to be removed, or what its owner never chose. */
static bool is_gone(const struct eop *o, const struct pf_ews_said *said)
{
	if (o->step == EPUT_ZONE) {
		return said->does != PF_EWS_DONE && said->does != PF_EWS_BUSY &&
		       said->does != PF_EWS_UNTRIED;
	}
	bool removing = o->step == EPUT_UNDO || o->step == EPUT_DROP || o->step == EPUT_TAKE_OUT;

	return removing &&
	       (said->does == PF_EWS_GONE ||
		       pf_span_is(said->code, "ErrorCalendarOccurrenceIsDeletedFromRecurrence"));
}

/* A zone whose name the server does not know, as it came to be later: by its rule. */
static bool name_no_zone(const struct ecall *c, struct eop *o, const struct pf_ews_said *said)
{
	struct emade *m = o->made;

	if (c->kind != ECALL_CREATE || !m || !pf_span_is(said->code, "ErrorTimeZone") ||
		(m->start.name.n == 0 && m->end.name.n == 0)) {
		return false;
	}
	m->start.name = m->end.name = pf_span(NULL, 0);
	o->h.state = PF_HS_WAITING;
	return true;
}

bool ews_keyed_said(
	struct estore *s, const struct ecall *c, struct eop *o, const struct pf_ews_said *said)
{
	if (name_no_zone(c, o, said)) {
		return true;
	}
	if (c->kind != ECALL_KEYED || said->does == PF_EWS_DONE || said->does == PF_EWS_BUSY ||
		said->does == PF_EWS_UNTRIED || is_gone(o, said)) {
		return false;
	}
	if (said->does == PF_EWS_PASSING || said->does == PF_EWS_UNCLEAR) {
		char text[400];

		(void)snprintf(text, sizeof(text), "%s: %s", words_of(o), said->text);
		eput_doubtful(s, o, text);
	} else {
		refused(s, o, said);
	}
	return true;
}

/* One of several answers to a step's request. */
static int take_one(struct estore *s, struct eop *o, size_t i, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item item;
	struct emoved *x;

	if (o->step == EPUT_NAMES) {
		return ews_keys_take(s, o, a, m, err);
	}
	if (o->step == EPUT_ZONE) {
		pf_buf_clear(&s->zone);
		return m->said.does == PF_EWS_DONE
			       ? pf_buf_add(&s->zone, pf_ews_option(a, m, "timezone"), err)
			       : PF_OK;
	}
	if (o->step == EPUT_PLACE) {
		return eput_take_place(s, o, a, m, err);
	}
	if (o->step == EPUT_READ) {
		return eput_take_old(s, o, m, err);
	}
	if (o->step == EPUT_RENEW) {
		pf_buf_clear(&o->new_id);
		return pf_buf_add(&o->new_id, eput_old_of(o), err);
	}
	if (o->step == EPUT_LOCK && pf_ews_item_next(a, m, &at, &item)) {
		pf_buf_clear(&o->marked);
		return pf_buf_add(&o->marked, item.change_key, err);
	}
	if (o->step == EPUT_CHANGE && pf_ews_item_next(a, m, &at, &item)) {
		x = &o->made->change[o->put_at + i];
		x->id = pf_arena_span(&o->made->arena, item.id);
		return x->id.p ? PF_OK : pf_fail_memory(err, "an exception");
	}
	return PF_OK;
}

static int step_done(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_err why;

	o->h.state = PF_HS_WAITING;
	switch (o->step) {
	case EPUT_PLACE:
		if (!ews_beside(s, eput_op_of(o)->folder, eput_op_of(o)->put.kind).p) {
			eput_doubtful(s, o, "CreateFolder: there is none to be seen");
		}
		return PF_OK;
	case EPUT_ZONE:
	case EPUT_NAMES:
		return PF_OK;
	case EPUT_UNDO:
		ews_keys_doubt(s, eput_place_of(o));
		pf_buf_clear(&o->new_id);
		if (o->failing) {
			(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", o->why);
			eop_refused(s, o, &why);
		}
		o->step = EPUT_NAMES;
		return PF_OK;
	case EPUT_FILES:
		return has_files_left(o, o->made->made.item) ? PF_OK : go_on(s, o, err);
	case EPUT_CHANGE:
		o->put_at += o->asked;
		if (o->put_at < o->made->change_n) {
			return PF_OK;
		}
		o->put_at = o->put_file = 0;
		if (next_with_files(o)) {
			o->step = EPUT_FILES_OF;
			return PF_OK;
		}
		return go_on(s, o, err);
	case EPUT_FILES_OF:
		return next_with_files(o) ? PF_OK : go_on(s, o, err);
	case EPUT_TAKE_OUT:
		o->put_at += o->asked;
		return o->put_at < o->made->gone_n ? PF_OK : go_on(s, o, err);
	default:
		return go_on(s, o, err);
	}
}

int ews_keyed_answer(struct estore *s, struct ecall *c, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err)
{
	struct eop *o = c->ops[0];
	size_t i = 0;

	do {
		s->h.pauses = m->said.does == PF_EWS_BUSY ? s->h.pauses : 0;
		if (!is_gone(o, &m->said) && ews_said(s, c, o, &m->said)) {
			return PF_OK;
		}
		if (take_one(s, o, i++, a, m, err) != PF_OK) {
			return PF_FAIL;
		}
	} while (pf_ews_answer_next(a, m));
	if (i < o->asked) {
		eput_doubtful(s, o, "the answer does not tell what became of all of it");
		return PF_OK;
	}
	return step_done(s, o, err);
}
