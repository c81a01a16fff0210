/*
 * Putting items other than mail, in steps; what is not whole yet is shown to nobody (keys.c).
 *
 *   PLACE    a folder for its kind is made, where there is none (beside.c)
 *   NAMES    the names of the folder's items are read, once
 *   UNDO     what an earlier try left is removed
 *   CREATE   CreateItem, several together; one that has nothing more to come is whole then
 *   FILES    CreateAttachment
 *   CHANGE   UpdateItem of the occurrences that are exceptions, FILES_OF the files of these
 *   TAKE_OUT DeleteItem of the occurrences that are none
 *   LOCK     in another one's place: that one is marked, if nobody changed it since
 *   NAME     now it is whole
 *   DROP     the other one is removed
 *
 * An item is always made anew, also where it takes another one's place: so an item that was read
 * is as one request made it or as its steps left it, whenever the run was killed.
 */
#include "stores/ews/ews_private.h"

#include "base/uuid.h"
#include "proto/ews/item.h"

#include <stdio.h>

enum { KEY_MAX = 1 << 17, CHANGES = 20, TAKEN_OUT = 100 };

static const struct pf_op *op_of(const struct eop *o)
{
	return eop_op(o);
}

static struct pf_span place_of(const struct eop *o)
{
	return pf_buf_span(&o->place);
}

/* That it replaces, by the server's id. */
static struct pf_span old_of(const struct eop *o)
{
	enum pf_kind ignored;

	return ews_item_meant(op_of(o)->item, &ignored);
}

static bool removes(const struct eop *o)
{
	return op_of(o)->kind == PF_OP_REMOVE;
}

static enum pf_kind kind_of(const struct estore *s, const struct eop *o)
{
	enum pf_kind kind = op_of(o)->put.kind;

	if (removes(o)) {
		(void)ews_folder_meant(s, op_of(o)->folder, &kind);
		(void)ews_item_meant(op_of(o)->item, &kind);
	}
	return kind;
}

static bool in_place(const struct eop *o)
{
	return op_of(o)->put.guard == PF_GUARD_SAME;
}

/* It takes several requests. */
static bool has_more(const struct eop *o)
{
	return in_place(o) || o->made->files > 0 || o->made->change_n > 0 || o->made->gone_n > 0;
}

uint32_t ews_keyed_form(enum pf_kind kind)
{
	return kind == PF_KIND_CALENDAR   ? PF_EWS_FORM_EVENT
	       : kind == PF_KIND_CONTACTS ? PF_EWS_FORM_CONTACT
	       : kind == PF_KIND_TASKS    ? PF_EWS_FORM_TASK
					  : PF_EWS_FORM_NOTE;
}

/* ---- names ---- */

static int add_key(struct eop *o, struct pf_buf *to, const char *mark, struct pf_err *err)
{
	pf_buf_clear(to);
	return pf_buf_addf(to, err, "%s%.*s", mark, (int)o->name.n, (const char *)o->name.p);
}

/* What it was put under before, else what the caller wishes. */
static int find_name(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_span old = ews_keys_of_item(s, place_of(o), old_of(o));
	const struct pf_span names[] = {place_of(o), old_of(o)};
	char made[PF_UUID_TEXT];

	pf_buf_clear(&o->name);
	if (!in_place(o)) {
		return pf_buf_add(&o->name, op_of(o)->put.name, err);
	}
	if (ews_key_name(old).n > 0) {
		return pf_buf_add(&o->name, ews_key_name(old), err);
	}
	pf_uuid5(names, PF_COUNT(names), made);
	return pf_buf_add_str(&o->name, made, err);
}

static struct pf_span find_marked(struct estore *s, struct eop *o, const char *mark)
{
	struct pf_span id = pf_span(NULL, 0);
	struct pf_buf key;
	struct pf_err ignored; /* no memory: then it is found by the engine, which compares all */

	pf_buf_init(&key, KEY_MAX);
	if (add_key(o, &key, mark, &ignored) == PF_OK) {
		id = ews_keys_find(s, place_of(o), pf_buf_span(&key));
	}
	pf_buf_deinit(&key);
	return id;
}

/* ---- ends ---- */

static void end_conflict(
	struct estore *s, struct eop *o, enum pf_conflict conflict, const char *text)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", text);
	o->h.end.conflict = conflict;
	eop_refused(s, o, &why);
}

/* Something of it may be there: the folder is looked at again before the next try. */
static void end_doubtful(struct estore *s, struct eop *o, const char *text)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_LATER, "%s", text);
	ews_keys_doubt(s, place_of(o));
	o->h.end.in_doubt = true;
	eop_failed(s, o, &why);
}

/* ---- the first steps ---- */

/* The text becomes an item; what Exchange has no words for is refused here. */
static int convert(struct estore *s, struct eop *o, struct pf_err *err)
{
	const char *user = s->h.cfg->url->user;
	const struct pf_mapi_ways ways = {
		.owner = user && strchr(user, '@') ? pf_span_str(user) : pf_span(NULL, 0),
		.key = pf_span("", 0)};
	struct pf_err why;
	int rc = ews_make(
		op_of(o)->put.kind, pf_blob_span(op_of(o)->put.body), &ways, &o->made, &why);

	if (rc != PF_OK && why.scope > PF_SCOPE_ITEM) {
		*err = why;
		return PF_FAIL;
	}
	if (rc == PF_OK && op_of(o)->put.kind == PF_KIND_CONTACTS && s->as.version < PF_EWS_2010 &&
		o->made->make.member_n > 0) {
		rc = pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"Exchange before 2010 makes no groups by Exchange Web Services");
	}
	if (rc != PF_OK) {
		o->h.end.conflict = PF_CONFLICT_CONTENT;
		eop_refused(s, o, &why);
		return PF_OK;
	}
	o->made->make.key = pf_span("", 0);
	return PF_OK;
}

/* What the names of the folder's items say about it. */
static int look_up(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_span half, whole, old;

	if (find_name(s, o, err) != PF_OK) {
		return PF_FAIL;
	}
	half = find_marked(s, o, "u:");
	whole = find_marked(s, o, "n:");
	old = in_place(o) ? ews_keys_of_item(s, place_of(o), old_of(o)) : pf_span(NULL, 0);
	o->locked = ews_key_is(old, 'r');
	if (whole.p && !in_place(o)) {
		if (ews_item_id(s, o, whole, op_of(o)->put.kind, &o->h.end.holder, err) != PF_OK) {
			return PF_FAIL;
		}
		end_conflict(s, o, PF_CONFLICT_NAME, "there is an item of this name");
		return PF_OK;
	}
	if (whole.p && o->locked) { /* killed between the last two steps */
		o->step = EPUT_DROP;
		return pf_buf_add(&o->new_id, whole, err);
	}
	o->step = half.p ? EPUT_UNDO : EPUT_CREATE;
	return half.p ? pf_buf_add(&o->new_id, half, err) : PF_OK;
}

/* Where it goes to. PF_AGAIN: that has to be made first. */
static int find_place(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_span folder = op_of(o)->folder, place;
	enum pf_kind holds;

	(void)ews_folder_meant(s, folder, &holds);
	place = holds == PF_KIND_MAIL ? folder : ews_beside(s, folder, op_of(o)->put.kind);
	if (!place.p) {
		return PF_AGAIN;
	}
	pf_buf_clear(&o->place);
	if (holds == PF_KIND_MAIL) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the folder is one for mail, which holds nothing else");
		eop_refused(s, o, &why);
		return PF_OK;
	}
	return pf_buf_add(&o->place, place, err);
}

/* Up to what is to be sent first. The names are known. */
static int prepare(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (!o->made && convert(s, o, err) != PF_OK) {
		return PF_FAIL;
	}
	return o->h.state == PF_HS_GIVING ? PF_OK : look_up(s, o, err);
}

/* ---- asking ---- */

static int send_one(struct estore *s, struct eop *o, const char *operation, struct pf_buf *text,
	int rc, struct pf_err *err)
{
	if (rc != PF_OK) {
		pf_buf_deinit(text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_KEYED, o), operation, text, err);
}

static void init_text(struct pf_buf *text)
{
	pf_buf_init(text, (size_t)EWS_ITEM_MAX / 3 * 4 + EWS_BATCH_BYTES + EWS_TEXT_MAX);
}

/* The folder beside the one that it was to go to. */
static int make_place(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_buf text;
	int rc = ews_beside_name(s, op_of(o)->folder, op_of(o)->put.kind, &o->key, err);

	init_text(&text);
	rc = rc == PF_OK
		     ? pf_ews_create_folder(&s->as, ews_beside_parent(s, op_of(o)->folder),
			       ews_class_of(op_of(o)->put.kind), pf_buf_span(&o->key), &text, err)
		     : rc;
	o->asked = 1;
	return send_one(s, o, "CreateFolder", &text, rc, err);
}

static int take_place(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_folder made;

	if (!pf_ews_folder_next(a, m, &at, &made) || made.id.n == 0) {
		return PF_OK;
	}
	made.parent = ews_beside_parent(s, op_of(o)->folder);
	made.name = pf_buf_span(&o->key);
	made.folder_class = pf_span_str(ews_class_of(op_of(o)->put.kind));
	return ews_folder_add(s, &made, err);
}

/* It is to be created with the others that wait for the same. PF_END: it is not, or not now. */
static int goes_along(struct estore *s, const struct eop *o, struct eop *p, struct pf_err *err)
{
	if (op_of(p)->kind != PF_OP_PUT || p->h.state != PF_HS_WAITING || p->alone ||
		!op_of(p)->put.kind || op_of(p)->put.kind == PF_KIND_MAIL || !op_of(p)->put.body ||
		!pf_span_eq(op_of(p)->folder, op_of(o)->folder) || !eop_may_start(&s->h, &p->h)) {
		return PF_END;
	}
	if (p->step <= EPUT_NAMES) {
		int rc = find_place(s, p, err);

		if (rc != PF_OK || p->h.state == PF_HS_GIVING) {
			return rc == PF_FAIL ? PF_FAIL : PF_END;
		}
		if (!pf_span_eq(place_of(p), place_of(o))) {
			return PF_END;
		}
		if (prepare(s, p, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return p->h.state == PF_HS_WAITING && p->step == EPUT_CREATE ? PF_OK : PF_END;
}

static int add_item(struct estore *s, struct eop *o, struct pf_buf *text, struct pf_err *err)
{
	int rc = add_key(o, &o->key, has_more(o) ? "u:" : "n:", err);

	o->made->make.key = pf_buf_span(&o->key);
	return rc == PF_OK ? pf_ews_create_item(&s->as, &o->made->make, text, err) : rc;
}

static int create(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct ecall *c = ecall_new(s, ECALL_CREATE, o);
	uint64_t bytes = op_of(o)->put.size;
	struct pf_buf text;
	int rc = PF_OK;

	for (struct eop *p = eop_next(o); p && c->n < EWS_KEYED && !o->alone && rc != PF_FAIL;
		p = eop_next(p)) {
		if (bytes + op_of(p)->put.size <= EWS_BATCH_BYTES &&
			(rc = goes_along(s, o, p, err)) == PF_OK) {
			bytes += op_of(p)->put.size;
			c->ops[c->n++] = p;
		}
	}
	if (rc == PF_FAIL) {
		return PF_FAIL;
	}
	init_text(&text);
	rc = pf_ews_create_begin(&s->as, place_of(o), &text, err);
	for (size_t i = 0; i < c->n && rc == PF_OK; i++) {
		rc = add_item(s, c->ops[i], &text, err);
	}
	rc = rc == PF_OK ? pf_ews_create_end(&text, err) : rc;
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, c, "CreateItem", &text, err);
}

/* The next files of an item, as long as they are small together. */
static int attach(struct estore *s, struct eop *o, struct pf_span id,
	const struct pf_mapi_item *item, struct pf_err *err)
{
	struct pf_buf text;
	uint64_t bytes = 0;
	int rc;

	o->asked = 0;
	init_text(&text);
	rc = pf_ews_attach_begin(&s->as, id, &text, err);
	for (size_t i = o->put_file; i < item->attachments_n && rc == PF_OK; i++) {
		const struct pf_mapi_attachment *a = &item->attachments[i];

		if (a->kind == PF_MAPI_ATTACH_DATA) {
			if (o->asked > 0 && bytes + a->data.n > EWS_BATCH_BYTES) {
				break;
			}
			bytes += a->data.n;
			o->asked++;
			rc = pf_ews_attach_file(&s->as, a, &text, err);
		}
		o->put_file = i + 1;
	}
	rc = rc == PF_OK ? pf_ews_attach_end(&text, err) : rc;
	return send_one(s, o, "CreateAttachment", &text, rc, err);
}

static int change(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct emade *m = o->made;
	struct pf_buf text;
	int rc;

	init_text(&text);
	rc = pf_ews_change_begin(&s->as, &text, err);
	for (o->asked = 0; o->put_at + o->asked < m->change_n && o->asked < CHANGES && rc == PF_OK;
		o->asked++) {
		const struct emoved *x = &m->change[o->put_at + o->asked];

		rc = pf_ews_change_occurrence(
			&s->as, pf_buf_span(&o->new_id), x->number, x->item, &text, err);
	}
	rc = rc == PF_OK ? pf_ews_change_end(&text, err) : rc;
	return send_one(s, o, "UpdateItem", &text, rc, err);
}

static int take_out(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct emade *m = o->made;
	size_t n = m->gone_n - o->put_at;
	struct pf_buf text;
	int rc;

	o->asked = n > TAKEN_OUT ? TAKEN_OUT : n;
	init_text(&text);
	rc = pf_ews_delete_occurrences(
		&s->as, pf_buf_span(&o->new_id), m->gone + o->put_at, o->asked, &text, err);
	return send_one(s, o, "DeleteItem", &text, rc, err);
}

static int set_key(struct estore *s, struct eop *o, bool lock, struct pf_err *err)
{
	struct pf_span version = op_of(o)->version;
	struct pf_ews_named named = {
		.id = lock ? old_of(o) : pf_buf_span(&o->new_id),
		.version = lock ? version : pf_span(NULL, 0),
		.form = ews_keyed_form(kind_of(s, o)),
	};
	struct pf_buf text;
	int rc = add_key(o, &o->key, lock ? "r:" : "n:", err);

	if (rc == PF_OK && lock) {
		rc = pf_buf_addf(&o->key, err, " %.*s", (int)version.n, (const char *)version.p);
	}
	named.key = pf_buf_span(&o->key);
	init_text(&text);
	rc = rc == PF_OK ? pf_ews_set_key(&s->as, &named, &text, err) : rc;
	o->asked = 1;
	return send_one(s, o, "UpdateItem", &text, rc, err);
}

static int remove_one(struct estore *s, struct eop *o, struct pf_span id, struct pf_err *err)
{
	struct pf_buf text;
	int rc;

	init_text(&text);
	rc = pf_ews_delete(&s->as, id, &text, err);
	o->asked = 1;
	return send_one(s, o, "DeleteItem", &text, rc, err);
}

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
		if (in_place(o) && !o->locked) {
			return EPUT_LOCK;
		} /* fall through */
	case EPUT_LOCK:
		return EPUT_NAME;
	case EPUT_NAME:
		return in_place(o) ? EPUT_DROP : EPUT_DONE;
	default:
		return EPUT_DONE;
	}
}

static int go_on(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (removes(o)) {
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
		if (ews_item_id(s, o, pf_buf_span(&o->new_id), op_of(o)->put.kind, &o->h.end.id,
			    err) != PF_OK) {
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
	if (o->step <= EPUT_NAMES) {
		int rc = find_place(s, o, err);

		o->step = rc == PF_AGAIN ? EPUT_PLACE : EPUT_NAMES;
		if (rc != PF_OK || o->h.state == PF_HS_GIVING) {
			return rc == PF_AGAIN ? make_place(s, o, err) : rc;
		}
		if (!ews_keys_known(s, place_of(o))) {
			return ews_keys_ask(s, o, err);
		}
		if (prepare(s, o, err) != PF_OK || o->h.state == PF_HS_GIVING) {
			return o->h.state == PF_HS_GIVING ? PF_OK : PF_FAIL;
		}
	}
	switch (o->step) {
	case EPUT_UNDO:
		return remove_one(s, o, pf_buf_span(&o->new_id), err);
	case EPUT_CREATE:
		return create(s, o, err);
	case EPUT_FILES:
		return attach(s, o, pf_buf_span(&o->new_id), o->made->made.item, err);
	case EPUT_CHANGE:
		return change(s, o, err);
	case EPUT_FILES_OF:
		return attach(
			s, o, o->made->change[o->put_at].id, o->made->change[o->put_at].item, err);
	case EPUT_TAKE_OUT:
		return take_out(s, o, err);
	case EPUT_LOCK:
	case EPUT_NAME:
		return set_key(s, o, o->step == EPUT_LOCK, err);
	default:
		return remove_one(s, o, old_of(o), err);
	}
}

int ews_keyed_remove(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (o->step == EPUT_DROP) {
		return remove_one(s, o, old_of(o), err);
	}
	o->step = EPUT_LOCK;
	return set_key(s, o, true, err);
}

/* ---- answers ---- */

int ews_keyed_created(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;

	if (!pf_ews_item_next(a, m, &at, &i) || i.id.n == 0) {
		end_doubtful(s, o, "CreateItem: the answer does not tell what it made");
		return PF_OK;
	}
	pf_buf_clear(&o->new_id);
	if (pf_buf_add(&o->new_id, i.id, err) != PF_OK) {
		return PF_FAIL;
	}
	if (has_more(o)) {
		return go_on(s, o, err);
	}
	o->step = EPUT_NAME; /* it has its name already */
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
		[EPUT_PLACE] = "CreateFolder of a folder for its kind",
		[EPUT_NAMES] = "FindItem",
		[EPUT_UNDO] = "DeleteItem of what is not whole",
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
	case EPUT_LOCK:
		if (removes(o)) {
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

/* Not there: what was to be removed. */
static bool is_gone(const struct eop *o, const struct pf_ews_said *said)
{
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
		end_doubtful(s, o, text);
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
	if (o->step == EPUT_PLACE) {
		return take_place(s, o, a, m, err);
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
		if (!ews_beside(s, op_of(o)->folder, op_of(o)->put.kind).p) {
			end_doubtful(s, o, "CreateFolder: there is none to be seen");
		}
		return PF_OK;
	case EPUT_NAMES:
		return PF_OK;
	case EPUT_UNDO:
		ews_keys_doubt(s, place_of(o));
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
		end_doubtful(s, o, "the answer does not tell what became of all of it");
		return PF_OK;
	}
	return step_done(s, o, err);
}
