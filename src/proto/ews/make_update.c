/*
 * UpdateItem of a whole item, so that it stays what it is: each thing that it is to say is set,
 * what it said besides is taken off. Only of items of which one request can say all: an item that
 * has files, a series or a meeting has more to it than its own fields, a server has a mind of its
 * own about groups, and what is done of a task that recurs becomes a task of its own.
 */
#include "model/mapi_tags.h"
#include "proto/ews/make_private.h"

/* What the server sees to by itself. */
static const struct ews_said ITS_OWN[] = {
	{NULL, PF_TAG_OWNER_APPOINTMENT_ID}, {NULL, PF_TAG_RESPONSE_REQUESTED},
	{&pf_set_appointment, 0x8224}, {&pf_set_task, 0x811F}, /* its owner */
};

static bool is_meeting(const struct pf_mapi_item *item)
{
	int64_t state = 0;

	(void)pf_mapi_number(pf_mapi_lid(&item->props, &pf_set_appointment, 0x8217), &state);
	return item->recipients_n > 0 || state != 0;
}

static bool is_part_of_more(const struct pf_mapi_item *item)
{
	return pf_mapi_lid(&item->props, &pf_set_appointment, 0x8216) ||
	       pf_mapi_lid(&item->props, &pf_set_appointment, 0x8228) ||
	       pf_mapi_lid(&item->props, &pf_set_task, 0x8116) || is_meeting(item) ||
	       item->attachments_n > 0;
}

/* How much of a task is done can't be taken off, and goes by itself only with some states. */
static bool keeps_percent(const struct pf_mapi_item *was, const struct pf_mapi_item *is)
{
	enum { NOT_STARTED = 0, COMPLETED = 2 };
	const struct pf_mapi_value *part = pf_mapi_lid(&was->props, &pf_set_task, 0x8102);
	int64_t status = NOT_STARTED;

	(void)pf_mapi_number(pf_mapi_lid(&is->props, &pf_set_task, 0x8101), &status);
	return part && part->real > 0 && !pf_mapi_lid(&is->props, &pf_set_task, 0x8102) &&
	       status != NOT_STARTED && status != COMPLETED;
}

bool pf_ews_can_update(
	const struct pf_ews_as *as, const struct pf_ews_whole *old, const struct pf_ews_make *make)
{
	static const char *const CLASSES[] = {
		"IPM.Appointment", "IPM.Contact", "IPM.StickyNote", "IPM.Task"};
	struct pf_span is = pf_mapi_class(make->item), was = pf_mapi_class(old->item);
	bool same = false;

	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		same = same || (pf_mapi_is_a(is, CLASSES[i]) && pf_mapi_is_a(was, CLASSES[i]));
	}
	return same && as->version >= PF_EWS_2010 && !make->series && !old->series &&
	       old->lack_n == 0 && !keeps_percent(old->item, make->item) &&
	       !is_part_of_more(old->item) && !is_part_of_more(make->item);
}

/* ---- what it said besides ---- */

static bool is_its_own(const struct ews_prop *p)
{
	for (size_t i = 0; i < PF_COUNT(ITS_OWN); i++) {
		if (ITS_OWN[i].set == p->set && ITS_OWN[i].id == p->id && !p->text) {
			return true;
		}
	}
	return false;
}

/* A number or a truth that is 0 says nothing, and a server may insist on it. */
static void take_off(
	struct ews_put *p, const struct ews_prop *path, const struct pf_mapi_value *was)
{
	bool counts =
		was->type == PF_MAPI_I32 || was->type == PF_MAPI_I16 || was->type == PF_MAPI_BOOL;

	if (!counts || was->number != 0) {
		ews_say(p->w, "<t:DeleteItemField>");
		ews_path(p->w, path);
		ews_say(p->w, "</t:DeleteItemField>");
	}
}

static void take_off_rest(struct ews_put *p, uint32_t form)
{
	for (size_t i = 0; i < ews_props_n; i++) {
		const struct ews_prop *path = &ews_props[i];
		const struct pf_mapi_value *was = ews_find(p->old, path);

		if (was && (path->forms & form) && !path->stored && !ews_find(p->item, path) &&
			!ews_is_said(p, path) && !is_its_own(path) &&
			!(path->text && (strcmp(path->text, PF_EWS_KEY) == 0 ||
						strcmp(path->text, PF_EWS_TEXT) == 0))) {
			take_off(p, path, was);
		}
	}
}

static void take_off_text(struct ews_put *p, const struct pf_ews_make *make)
{
	static const struct ews_prop TEXT = {
		.set = &pf_set_strings, .text = PF_EWS_TEXT, .type = PF_MAPI_STRING};
	const struct pf_mapi_value *was = ews_find(p->old, &TEXT);

	if (was && make->text.n == 0) {
		take_off(p, &TEXT, was);
	}
}

/* ---- the request ---- */

int pf_ews_update_item(const struct pf_ews_as *as, const struct pf_ews_renewed *renewed,
	const struct pf_ews_make *make, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;
	struct ews_put put = {
		.w = w, .as = as, .item = make->item, .old = renewed->old, .changes = true};
	struct pf_span item_class = pf_mapi_class(make->item);
	uint32_t form = PF_EWS_FORM_NOTE;

	ews_begin(w, as);
	ews_sayf(w,
		"<m:UpdateItem ConflictResolution=\"NeverOverwrite\" "
		"MessageDisposition=\"SaveOnly\" "
		"SendMeetingInvitationsOrCancellations=\"SendToNone\"%s><m:ItemChanges>"
		"<t:ItemChange>",
		ews_no_receipts(as));
	ews_id_version(w, "ItemId", renewed->id, renewed->version);
	ews_say(w, "<t:Updates>");
	if (pf_mapi_is_a(item_class, "IPM.Appointment")) {
		form = PF_EWS_FORM_EVENT;
		ews_renew_event(&put, make);
	} else if (pf_mapi_is_a(item_class, "IPM.Contact")) {
		form = PF_EWS_FORM_CONTACT;
		ews_put_contact_fields(&put, make);
	} else if (pf_mapi_is_a(item_class, "IPM.Task")) {
		form = PF_EWS_FORM_TASK;
		ews_put_task_fields(&put, make);
	} else {
		ews_put_note_fields(&put, make);
	}
	take_off_rest(&put, form);
	take_off_text(&put, make);
	ews_say(w, "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>");
	return ews_end(w);
}
