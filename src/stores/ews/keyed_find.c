/*
 * What a PUT of an item other than mail finds before its first request: where it goes to, what it
 * is, and what is there of it already.
 */
#include "stores/ews/keyed_private.h"

#include "base/uuid.h"

enum { KEY_MAX = 1 << 17 };

enum pf_kind eput_kind_of(const struct estore *s, const struct eop *o)
{
	enum pf_kind kind = eput_op_of(o)->put.kind;

	if (eput_removes(o)) {
		(void)ews_folder_meant(s, eput_op_of(o)->folder, &kind);
		(void)ews_item_meant(eput_op_of(o)->item, &kind);
	}
	return kind;
}

/* ---- names ---- */

int eput_add_key(struct eop *o, struct pf_buf *to, const char *mark, struct pf_err *err)
{
	pf_buf_clear(to);
	return pf_buf_addf(to, err, "%s%.*s", mark, (int)o->name.n, (const char *)o->name.p);
}

/* What it was put under before, else what the caller wishes. */
static int find_name(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_span old = ews_keys_of_item(s, eput_place_of(o), eput_old_of(o));
	const struct pf_span names[] = {eput_place_of(o), eput_old_of(o)};
	char made[PF_UUID_TEXT];

	pf_buf_clear(&o->name);
	if (!eput_in_place(o)) {
		return pf_buf_add(&o->name, eput_op_of(o)->put.name, err);
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
	if (eput_add_key(o, &key, mark, &ignored) == PF_OK) {
		id = ews_keys_find(s, eput_place_of(o), pf_buf_span(&key));
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

void eput_doubtful(struct estore *s, struct eop *o, const char *text)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_LATER, "%s", text);
	ews_keys_doubt(s, eput_place_of(o));
	o->h.end.in_doubt = true;
	eop_failed(s, o, &why);
}

void ews_keyed_look_again(struct estore *s, struct eop *o)
{
	ews_keys_doubt(s, eput_place_of(o));
	pf_buf_clear(&o->new_id);
	o->sent = true;
	o->step = EPUT_BEGIN;
	o->h.state = PF_HS_WAITING;
}

bool ews_keyed_put_off(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	if (c->kind == ECALL_KEYED && o->step == EPUT_LOCK && eput_removes(o)) {
		eput_doubtful(s, o, text); /* it may be marked, and then has another version */
		return true;
	}
	if ((c->kind == ECALL_CREATE && o->made) ||
		(c->kind == ECALL_KEYED && (o->step == EPUT_FILES || o->step == EPUT_FILES_OF ||
						   o->step == EPUT_LOCK))) {
		ews_keyed_look_again(s, o);
		return true;
	}
	return false;
}

/* ---- the first steps ---- */

/* The text becomes an item; what Exchange has no words for is refused here. */
static int convert(struct estore *s, struct eop *o, struct pf_err *err)
{
	const char *user = s->h.cfg->url->user;
	const struct pf_mapi_ways ways = {
		.owner = user && strchr(user, '@') ? pf_span_str(user) : pf_span(NULL, 0),
		.zone = s->zone.n > 0 ? pf_buf_span(&s->zone) : pf_span(NULL, 0),
		.key = pf_span("", 0)};
	struct pf_err why;
	int rc = ews_make(eput_op_of(o)->put.kind, pf_blob_span(eput_op_of(o)->put.body), &ways,
		&o->made, &why);

	if (rc != PF_OK && why.scope > PF_SCOPE_ITEM) {
		*err = why;
		return PF_FAIL;
	}
	if (rc == PF_OK && eput_op_of(o)->put.kind == PF_KIND_CONTACTS &&
		s->as.version < PF_EWS_2010 && o->made->make.member_n > 0) {
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

/* Where nothing of it is there yet. An item that somebody began to replace is replaced. */
static enum eput_step first_step(const struct estore *s, const struct eop *o)
{
	bool over = eput_in_place(o) && !o->locked;

	if (ews_upload_wanted(s, o)) {
		return over ? EPUT_LOCK : EPUT_UPLOAD;
	}
	return over && !o->anew && s->as.version >= PF_EWS_2010 && o->made->files == 0 &&
			       !o->made->make.series
		       ? EPUT_READ
		       : EPUT_CREATE;
}

static int made_after_all(struct estore *s, struct eop *o, struct pf_span id, struct pf_err *err)
{
	if (ews_item_id(s, o, id, eput_op_of(o)->put.kind, &o->h.end.id, err) != PF_OK) {
		return PF_FAIL;
	}
	o->step = EPUT_DONE;
	ews_made_free(&o->made);
	eop_give(s, o);
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
	old = eput_in_place(o) ? ews_keys_of_item(s, eput_place_of(o), eput_old_of(o))
			       : pf_span(NULL, 0);
	o->locked = ews_key_is(old, 'r');
	if (whole.p && !eput_in_place(o) && o->sent) { /* there was none before it was sent */
		return made_after_all(s, o, whole, err);
	}
	if (whole.p && !eput_in_place(o)) {
		if (ews_item_id(s, o, whole, eput_op_of(o)->put.kind, &o->h.end.holder, err) !=
			PF_OK) {
			return PF_FAIL;
		}
		end_conflict(s, o, PF_CONFLICT_NAME, "there is an item of this name");
		return PF_OK;
	}
	if (whole.p && o->locked) { /* killed between the last two steps */
		o->step = EPUT_DROP;
		return pf_buf_add(&o->new_id, whole, err);
	}
	o->step = half.p ? EPUT_UNDO : first_step(s, o);
	return half.p ? pf_buf_add(&o->new_id, half, err) : PF_OK;
}

int eput_find_place(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_span folder = eput_op_of(o)->folder, place;
	enum pf_kind holds;

	(void)ews_folder_meant(s, folder, &holds);
	place = holds == PF_KIND_MAIL ? folder : ews_beside(s, folder, eput_op_of(o)->put.kind);
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

int eput_prepare(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (!o->made && !ews_upload_wanted(s, o) && convert(s, o, err) != PF_OK) {
		return PF_FAIL;
	}
	return o->h.state == PF_HS_GIVING ? PF_OK : look_up(s, o, err);
}
