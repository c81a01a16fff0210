#include "proto/ews/item_make.h"

#include "base/base64.h"
#include "base/civil.h"
#include "model/mapi_tags.h"
#include "proto/ews/item_private.h"
#include "proto/ews/make_private.h"
#include "proto/ews/request_private.h"

#include <stdio.h>

/* 1601-01-01 to 1970-01-01, in seconds */
#define EPOCH_S INT64_C(11644473600)

/* ---- fields: elements of an item that is created, or each a change of its own ---- */

void ews_field(struct ews_put *p, const char *uri)
{
	if (p->changes) {
		ews_sayf(p->w, "<t:SetItemField><t:FieldURI FieldURI=\"%s\"/><t:%s>", uri,
			p->element);
	}
}

void ews_field_end(struct ews_put *p)
{
	if (p->changes) {
		ews_sayf(p->w, "</t:%s></t:SetItemField>", p->element);
	}
}

static void drop_field(struct ews_put *p, const char *uri)
{
	ews_sayf(p->w, "<t:DeleteItemField><t:FieldURI FieldURI=\"%s\"/></t:DeleteItemField>", uri);
}

void ews_put_text(struct ews_put *p, const char *uri, const char *name, struct pf_span text)
{
	if (text.n > 0) {
		ews_field(p, uri);
		ews_element(p->w, name, text);
		ews_field_end(p);
	} else if (p->old) {
		drop_field(p, uri);
	}
}

void ews_put_word(struct ews_put *p, const char *uri, const char *name, const char *word)
{
	ews_put_text(p, uri, name, pf_span_str(word));
}

void ews_put_number(struct ews_put *p, const char *uri, const char *name, long long n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", n);
	ews_put_word(p, uri, name, text);
}

static void moment(int64_t unix_s, char out[40])
{
	struct pf_civil c;

	pf_civil_from_unix(unix_s, &c);
	(void)snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
		c.minute, c.second);
}

void ews_put_moment(
	struct ews_put *p, const char *uri, const char *name, const struct pf_mapi_value *v)
{
	int64_t unix_s;
	char text[40];

	if (pf_mapi_unix(v, &unix_s)) {
		moment(unix_s, text);
		ews_put_word(p, uri, name, text);
	}
}

/* ---- extended properties ---- */

static void put_value(struct ews_writer *w, const struct pf_mapi_value *v)
{
	char text[64] = "";

	ews_say(w, "<t:Value>");
	switch (v->type) {
	case PF_MAPI_STRING:
		ews_text(w, v->bytes);
		break;
	case PF_MAPI_BINARY:
		w->rc = w->rc == PF_OK ? pf_base64_encode(v->bytes, w->out, w->err) : w->rc;
		break;
	case PF_MAPI_TIME:
		moment((int64_t)(v->filetime / 10000000) - EPOCH_S, text);
		break;
	case PF_MAPI_BOOL:
		(void)snprintf(text, sizeof(text), "%s", v->number ? "true" : "false");
		break;
	case PF_MAPI_DOUBLE:
		(void)snprintf(text, sizeof(text), "%.15g", v->real);
		break;
	default:
		(void)snprintf(text, sizeof(text), "%lld", (long long)v->number);
		break;
	}
	ews_say(w, text);
	ews_say(w, "</t:Value>");
}

void ews_put_value(struct ews_put *p, const struct ews_prop *path, const struct pf_mapi_value *v)
{
	if (p->changes) {
		ews_say(p->w, "<t:SetItemField>");
		ews_path(p->w, path);
		ews_sayf(p->w, "<t:%s>", p->element);
	}
	ews_say(p->w, "<t:ExtendedProperty>");
	ews_path(p->w, path);
	if (path->type & PF_MAPI_MANY) {
		ews_say(p->w, "<t:Values>");
		for (size_t i = 0; i < v->many.n; i++) {
			put_value(p->w, &v->many.v[i]);
		}
		ews_say(p->w, "</t:Values>");
	} else {
		put_value(p->w, v);
	}
	ews_say(p->w, "</t:ExtendedProperty>");
	ews_field_end(p);
}

const struct pf_mapi_value *ews_find(const struct pf_mapi_item *item, const struct ews_prop *p)
{
	return !p->set   ? pf_mapi_tag(&item->props, p->id)
	       : p->text ? pf_mapi_named(&item->props, p->set, p->text)
			 : pf_mapi_lid(&item->props, p->set, p->id);
}

/* As its type in the table; numbers may be of any size. */
static bool fits(const struct ews_prop *p, const struct pf_mapi_value *v)
{
	bool number = p->type == PF_MAPI_I32 || p->type == PF_MAPI_I16;
	bool given = v->type == PF_MAPI_I32 || v->type == PF_MAPI_I16;

	return number ? given : (int)v->type == p->type;
}

bool ews_is_said(const struct ews_put *p, const struct ews_prop *prop)
{
	for (size_t i = 0; i < p->said_n; i++) {
		const struct ews_said *s = &p->said[i];

		if (s->id == prop->id && !prop->text &&
			(s->set == prop->set ||
				(s->set && prop->set && pf_guid_eq(s->set, prop->set)))) {
			return true;
		}
	}
	return false;
}

void ews_put_properties(struct ews_put *p, uint32_t form)
{
	for (size_t i = 0; i < ews_props_n; i++) {
		const struct ews_prop *path = &ews_props[i];
		const struct pf_mapi_value *v = ews_find(p->item, path);

		if (v && (path->forms & form) && !path->stored && fits(path, v) &&
			!ews_is_said(p, path)) {
			ews_put_value(p, path, v);
		}
	}
}

void ews_put_property(struct ews_put *p, const struct ews_prop *path)
{
	const struct pf_mapi_value *v = ews_find(p->item, path);

	if (v && fits(path, v)) {
		ews_put_value(p, path, v);
	}
}

static void put_ours(struct ews_put *p, const char *name, struct pf_span text)
{
	const struct ews_prop path = {.set = &pf_set_strings, .text = name, .type = PF_MAPI_STRING};

	if (text.n > 0) {
		ews_put_value(
			p, &path, &(struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = text});
	}
}

void ews_put_marks(struct ews_put *p, const struct pf_ews_make *make)
{
	put_ours(p, PF_EWS_KEY, make->key);
	put_ours(p, PF_EWS_TEXT, make->text);
}

/* ---- what all items have ---- */

const struct pf_mapi_value *ews_lid(
	const struct ews_put *p, const struct pf_guid *set, uint32_t number)
{
	return pf_mapi_lid(&p->item->props, set, number);
}

void ews_put_head(struct ews_put *p)
{
	static const char *const SENSITIVITY[] = {"Normal", "Personal", "Private", "Confidential"};
	const struct pf_mapi_props *props = &p->item->props;
	int64_t n = 0;

	ews_put_text(
		p, "item:Subject", "t:Subject", pf_mapi_text(pf_mapi_tag(props, PF_TAG_SUBJECT)));
	if ((pf_mapi_number(pf_mapi_tag(props, PF_TAG_SENSITIVITY), &n) || p->old) && n >= 0 &&
		n <= 3) {
		ews_put_word(p, "item:Sensitivity", "t:Sensitivity", SENSITIVITY[n]);
	}
}

void ews_put_body(struct ews_put *p)
{
	struct pf_span text = pf_mapi_text(pf_mapi_tag(&p->item->props, PF_TAG_BODY));
	struct pf_span html = pf_mapi_text(pf_mapi_tag(&p->item->props, PF_TAG_HTML));

	if (html.n == 0 && text.n == 0 && !p->old) {
		return;
	}
	ews_field(p, "item:Body");
	ews_sayf(p->w, "<t:Body BodyType=\"%s\">", html.n > 0 ? "HTML" : "Text");
	ews_text(p->w, html.n > 0 ? html : text);
	ews_say(p->w, "</t:Body>");
	ews_field_end(p);
}

static void put_strings(struct ews_put *p, const struct pf_mapi_value *v)
{
	if (!(v->type & PF_MAPI_MANY)) {
		ews_element(p->w, "t:String", pf_mapi_text(v));
		return;
	}
	for (size_t i = 0; i < v->many.n; i++) {
		ews_element(p->w, "t:String", pf_mapi_text(&v->many.v[i]));
	}
}

void ews_put_categories(struct ews_put *p)
{
	static const char *const IMPORTANCE[] = {"Low", "Normal", "High"};
	const struct pf_mapi_value *v = pf_mapi_named(&p->item->props, &pf_set_strings, "Keywords");
	int64_t n = 1;

	if (!v && p->old) {
		drop_field(p, "item:Categories");
	}
	if (v) {
		ews_field(p, "item:Categories");
		ews_say(p->w, "<t:Categories>");
		put_strings(p, v);
		ews_say(p->w, "</t:Categories>");
		ews_field_end(p);
	}
	if ((pf_mapi_number(pf_mapi_tag(&p->item->props, PF_TAG_IMPORTANCE), &n) || p->old) &&
		n >= 0 && n <= 2) {
		ews_put_word(p, "item:Importance", "t:Importance", IMPORTANCE[n]);
	}
}

void ews_put_reminder(struct ews_put *p)
{
	const struct pf_mapi_value *set = ews_lid(p, &pf_set_common, 0x8503);
	int64_t minutes;

	ews_put_moment(p, "item:ReminderDueBy", "t:ReminderDueBy",
		pf_mapi_true(set) ? ews_lid(p, &pf_set_common, 0x8502) : NULL);
	if (set) {
		ews_put_word(p, "item:ReminderIsSet", "t:ReminderIsSet",
			pf_mapi_true(set) ? "true" : "false");
	}
	if (pf_mapi_number(ews_lid(p, &pf_set_common, 0x8501), &minutes)) {
		ews_put_number(p, "item:ReminderMinutesBeforeStart", "t:ReminderMinutesBeforeStart",
			minutes);
	}
}

/* ---- notes ---- */

void ews_put_note_fields(struct ews_put *p, const struct pf_ews_make *make)
{
	static const struct ews_said SAID[] = {{NULL, PF_TAG_IMPORTANCE},
		{NULL, PF_TAG_SENSITIVITY}, {NULL, PF_TAG_CREATION_TIME},
		{NULL, PF_TAG_LAST_MODIFICATION_TIME}, {NULL, PF_TAG_BODY}};
	static const struct ews_prop FLAGS = {.id = PF_TAG_MESSAGE_FLAGS, .type = PF_MAPI_I32};
	static const struct pf_mapi_value READ = {.type = PF_MAPI_I32, .number = 1};

	p->element = "Message";
	p->said = SAID;
	p->said_n = PF_COUNT(SAID);
	ews_put_head(p);
	ews_put_body(p);
	ews_put_categories(p);
	if (!p->changes) {
		ews_put_value(p, &FLAGS, &READ); /* else it is a draft, for ever */
	}
	ews_put_properties(p, PF_EWS_FORM_NOTE);
	ews_put_marks(p, make);
}

static void put_note(struct ews_put *p, const struct pf_ews_make *make)
{
	ews_say(p->w, "<t:Message>");
	ews_element(p->w, "t:ItemClass", pf_mapi_class(p->item));
	ews_put_note_fields(p, make);
	ews_say(p->w, "</t:Message>");
}

/* ---- all of them ---- */

int pf_ews_create_item(const struct pf_ews_as *as, const struct pf_ews_make *make,
	struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK};
	struct ews_put put = {.w = &writer, .as = as, .item = make->item};
	struct pf_span item_class = pf_mapi_class(make->item);

	if (pf_mapi_is_a(item_class, "IPM.Appointment")) {
		ews_put_event(&put, make);
	} else if (pf_mapi_is_a(item_class, "IPM.Contact")) {
		ews_put_contact(&put, make);
	} else if (pf_mapi_is_a(item_class, "IPM.DistList")) {
		ews_put_group(&put, make);
	} else if (pf_mapi_is_a(item_class, "IPM.Task")) {
		ews_put_task(&put, make);
	} else {
		put_note(&put, make);
	}
	return writer.rc;
}

/* ---- changes ---- */

int pf_ews_change_begin(const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_sayf(w,
		"<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" "
		"MessageDisposition=\"SaveOnly\" "
		"SendMeetingInvitationsOrCancellations=\"SendToNone\"%s><m:ItemChanges>",
		ews_no_receipts(as));
	return w->rc;
}

static void put_occurrence(struct ews_writer *w, struct pf_span master, size_t index)
{
	ews_say(w, "<t:OccurrenceItemId RecurringMasterId=\"");
	ews_text(w, master);
	ews_sayf(w, "\" InstanceIndex=\"%zu\"/>", index);
}

int pf_ews_change_occurrence(const struct pf_ews_as *as, struct pf_span master, size_t index,
	const struct pf_mapi_item *item, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;
	struct ews_put put = {
		.w = w, .as = as, .item = item, .changes = true, .element = "CalendarItem"};

	ews_say(w, "<t:ItemChange>");
	put_occurrence(w, master, index);
	ews_say(w, "<t:Updates>");
	ews_put_exception(&put);
	ews_say(w, "</t:Updates></t:ItemChange>");
	return w->rc;
}

int pf_ews_change_end(struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_say(w, "</m:ItemChanges></m:UpdateItem>");
	return ews_end(w);
}

int pf_ews_delete_occurrences(const struct pf_ews_as *as, struct pf_span master,
	const size_t *index, size_t n, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_sayf(w,
		"<m:DeleteItem DeleteType=\"HardDelete\" SendMeetingCancellations=\"SendToNone\" "
		"AffectedTaskOccurrences=\"SpecifiedOccurrenceOnly\"%s><m:ItemIds>",
		ews_no_receipts(as));
	for (size_t i = 0; i < n; i++) {
		put_occurrence(w, master, index[i]);
	}
	ews_say(w, "</m:ItemIds></m:DeleteItem>");
	return ews_end(w);
}

int pf_ews_set_key(const struct pf_ews_as *as, const struct pf_ews_named *named, struct pf_buf *out,
	struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;
	struct ews_put put = {.w = w, .changes = true, .element = "Item"}; /* contact or group */

	put.element = named->form == PF_EWS_FORM_EVENT  ? "CalendarItem"
		      : named->form == PF_EWS_FORM_TASK ? "Task"
		      : named->form == PF_EWS_FORM_NOTE ? "Message"
							: put.element;

	ews_begin(w, as);
	ews_sayf(w,
		"<m:UpdateItem ConflictResolution=\"%s\" MessageDisposition=\"SaveOnly\" "
		"SendMeetingInvitationsOrCancellations=\"SendToNone\"%s><m:ItemChanges>"
		"<t:ItemChange>",
		named->version.n > 0 ? "NeverOverwrite" : "AlwaysOverwrite", ews_no_receipts(as));
	ews_id_version(w, "ItemId", named->id, named->version);
	ews_say(w, "<t:Updates>");
	put_ours(&put, PF_EWS_KEY, named->key);
	ews_say(w, "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>");
	return ews_end(w);
}

/* ---- files ---- */

int pf_ews_attach_begin(
	const struct pf_ews_as *as, struct pf_span item, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:CreateAttachment><m:ParentItemId Id=\"");
	ews_text(w, item);
	ews_say(w, "\"/><m:Attachments>");
	return w->rc;
}

int pf_ews_attach_file(const struct pf_ews_as *as, const struct pf_mapi_attachment *file,
	struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;
	struct pf_span name = pf_mapi_text(pf_mapi_tag(&file->props, PF_TAG_ATTACH_LONG_FILENAME));

	ews_say(w, "<t:FileAttachment>");
	ews_element(w, "t:Name", name.n > 0 ? name : pf_span_str("attachment"));
	ews_element(
		w, "t:ContentType", pf_mapi_text(pf_mapi_tag(&file->props, PF_TAG_ATTACH_MIME)));
	if (as->version >= PF_EWS_2010 &&
		pf_mapi_true(pf_mapi_tag(&file->props, PF_TAG_ATTACHMENT_CONTACT_PHOTO))) {
		ews_say(w, "<t:IsContactPhoto>true</t:IsContactPhoto>");
	}
	ews_say(w, "<t:Content>");
	w->rc = w->rc == PF_OK ? pf_base64_encode(file->data, out, err) : w->rc;
	ews_say(w, "</t:Content></t:FileAttachment>");
	return w->rc;
}

int pf_ews_attach_end(struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_say(w, "</m:Attachments></m:CreateAttachment>");
	return ews_end(w);
}

/* ---- names ---- */

void ews_key_path(struct ews_writer *w)
{
	static const struct ews_prop KEY = {
		.set = &pf_set_strings, .text = PF_EWS_KEY, .type = PF_MAPI_STRING};

	ews_path(w, &KEY);
}

int pf_ews_find_keys(const struct pf_ews_as *as, struct pf_span folder, size_t offset,
	struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:FindItem Traversal=\"Shallow\"><m:ItemShape>"
		   "<t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>");
	ews_key_path(w);
	ews_sayf(w,
		"</t:AdditionalProperties></m:ItemShape><m:IndexedPageItemView "
		"MaxEntriesReturned=\"%d\" Offset=\"%zu\" BasePoint=\"Beginning\"/>"
		"<m:ParentFolderIds>",
		(int)PF_EWS_PAGE, offset);
	ews_id(w, "FolderId", folder);
	ews_say(w, "</m:ParentFolderIds></m:FindItem>");
	return ews_end(w);
}
