/*
 * Requests about items.
 */
#include "base/base64.h"
#include "proto/ews/request_private.h"

/* Property tags ([MS-OXPROPS]) and what Outlook writes into them. */
#define TAG_FLAGS "0x0E07"     /* PidTagMessageFlags */
#define TAG_RECEIVED "0x0E06"  /* PidTagMessageDeliveryTime */
#define TAG_SENT "0x0039"      /* PidTagClientSubmitTime */
#define TAG_FLAG "0x1090"      /* PidTagFlagStatus */
#define TAG_FLAG_ICON "0x1095" /* PidTagFollowupIcon */
#define TAG_ICON "0x1080"      /* PidTagIconIndex */
#define TAG_VERB "0x1081"      /* PidTagLastVerbExecuted */

enum {
	FLAGGED = 2, /* PidTagFlagStatus: followupFlagged */
	RED = 6,     /* PidTagFollowupIcon */
	VERB_REPLY = 102,
	ICON_REPLIED = 261,
	ICON_FORWARDED = 262,
	READ = 1,   /* PidTagMessageFlags: mfRead */
	UNSENT = 8, /* mfUnsent */
};

static void add_tag(struct ews_writer *w, const char *tag, const char *type)
{
	ews_sayf(w, "<t:ExtendedFieldURI PropertyTag=\"%s\" PropertyType=\"%s\"/>", tag, type);
}

/* ---- reading ---- */

static void add_row_shape(struct ews_writer *w, enum pf_ews_want want)
{
	ews_say(w, "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
		   "<t:FieldURI FieldURI=\"item:ItemClass\"/>"
		   "<t:FieldURI FieldURI=\"item:DateTimeReceived\"/>"
		   "<t:FieldURI FieldURI=\"item:Size\"/>");
	if (want == PF_EWS_WANT_CLASS) {
		ews_key_path(w);
	}
	if (want == PF_EWS_WANT_ROW) {
		ews_say(w, "<t:FieldURI FieldURI=\"item:Categories\"/>"
			   "<t:FieldURI FieldURI=\"message:IsRead\"/>");
		add_tag(w, TAG_FLAGS, "Integer");
		add_tag(w, TAG_FLAG, "Integer");
		add_tag(w, TAG_VERB, "Integer");
	}
	ews_say(w, "</t:AdditionalProperties></m:ItemShape>");
}

int pf_ews_sync(const struct pf_ews_as *as, enum pf_ews_want want, struct pf_span folder,
	struct pf_span state, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:SyncFolderItems>");
	add_row_shape(w, want);
	ews_say(w, "<m:SyncFolderId>");
	ews_id(w, "FolderId", folder);
	ews_say(w, "</m:SyncFolderId>");
	ews_element(w, "m:SyncState", state.n > 0 ? state : pf_span(NULL, 0));
	ews_sayf(w, "<m:MaxChangesReturned>%d</m:MaxChangesReturned></m:SyncFolderItems>",
		(int)PF_EWS_SYNC_PAGE);
	return ews_end(w);
}

int pf_ews_get_items(const struct pf_ews_as *as, enum pf_ews_want want, const struct pf_span *ids,
	size_t n, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:GetItem>");
	if (want == PF_EWS_WANT_MIME) {
		ews_say(w, "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
			   "<t:IncludeMimeContent>true</t:IncludeMimeContent>"
			   "<t:AdditionalProperties><t:FieldURI FieldURI=\"item:ItemClass\"/>"
			   "</t:AdditionalProperties></m:ItemShape>");
	} else {
		add_row_shape(w, want);
	}
	ews_say(w, "<m:ItemIds>");
	for (size_t i = 0; i < n; i++) {
		ews_id(w, "ItemId", ids[i]);
	}
	ews_say(w, "</m:ItemIds></m:GetItem>");
	return ews_end(w);
}

/* Of the class itself, and of those below it. */
static void add_class(struct ews_writer *w, const char *name)
{
	ews_sayf(w,
		"<t:IsEqualTo><t:FieldURI FieldURI=\"item:ItemClass\"/><t:FieldURIOrConstant>"
		"<t:Constant Value=\"%s\"/></t:FieldURIOrConstant></t:IsEqualTo>",
		name);
	ews_sayf(w,
		"<t:Contains ContainmentMode=\"Prefixed\" ContainmentComparison=\"IgnoreCase\">"
		"<t:FieldURI FieldURI=\"item:ItemClass\"/><t:Constant Value=\"%s.\"/>"
		"</t:Contains>",
		name);
}

int pf_ews_find_classes(const struct pf_ews_as *as, const struct pf_ews_classes *classes,
	const struct pf_span *folders, size_t n, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:FindItem Traversal=\"Shallow\"><m:ItemShape>"
		   "<t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:IndexedPageItemView "
		   "MaxEntriesReturned=\"1\" Offset=\"0\" BasePoint=\"Beginning\"/>"
		   "<m:Restriction>");
	ews_say(w, classes->others ? "<t:Not><t:Or>" : "<t:Or>");
	for (const char *const *name = classes->names; *name; name++) {
		add_class(w, *name);
	}
	ews_say(w, classes->others ? "</t:Or></t:Not>" : "</t:Or>");
	ews_say(w, "</m:Restriction><m:ParentFolderIds>");
	for (size_t i = 0; i < n; i++) {
		ews_id(w, "FolderId", folders[i]);
	}
	ews_say(w, "</m:ParentFolderIds></m:FindItem>");
	return ews_end(w);
}

/* ---- writing ---- */

static void add_value(struct ews_writer *w, const char *tag, int value)
{
	ews_say(w, "<t:ExtendedProperty>");
	add_tag(w, tag, "Integer");
	ews_sayf(w, "<t:Value>%d</t:Value></t:ExtendedProperty>", value);
}

static void add_time(struct ews_writer *w, const char *tag, const char *value)
{
	if (!value) {
		return;
	}
	ews_say(w, "<t:ExtendedProperty>");
	add_tag(w, tag, "SystemTime");
	ews_sayf(w, "<t:Value>%s</t:Value></t:ExtendedProperty>", value);
}

static void add_words(struct ews_writer *w, struct pf_span words)
{
	if (words.n == 0) {
		return;
	}
	ews_say(w, "<t:Categories>");
	while (words.n > 0) {
		const uint8_t *nul = memchr(words.p, '\0', words.n);
		size_t n = nul ? (size_t)(nul - words.p) : words.n;

		ews_element(w, "t:String", pf_span(words.p, n));
		words = pf_span_from(words, n + 1);
	}
	ews_say(w, "</t:Categories>");
}

static int icon_of(int verb)
{
	return verb == VERB_REPLY ? ICON_REPLIED : ICON_FORWARDED;
}

int pf_ews_create_begin(
	const struct pf_ews_as *as, struct pf_span folder, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:CreateItem MessageDisposition=\"SaveOnly\" "
		   "SendMeetingInvitations=\"SendToNone\">"
		   "<m:SavedItemFolderId>");
	ews_id(w, "FolderId", folder);
	ews_say(w, "</m:SavedItemFolderId><m:Items>");
	return w->rc;
}

int pf_ews_create_mail(const struct pf_ews_mail *mail, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;
	const struct pf_ews_marks *k = &mail->marks;

	ews_say(w, "<t:Message><t:MimeContent CharacterSet=\"UTF-8\">");
	if (w->rc == PF_OK) {
		w->rc = pf_base64_encode(mail->mime, out, err);
	}
	ews_say(w, "</t:MimeContent>");
	add_words(w, k->words);
	/* Only now: once it is stored as unsent it stays a draft for ever. */
	add_value(w, TAG_FLAGS, (k->read ? READ : 0) | (k->draft ? UNSENT : 0));
	add_time(w, TAG_SENT, mail->sent);
	add_time(w, TAG_RECEIVED, mail->received);
	if (k->flagged) {
		add_value(w, TAG_FLAG, FLAGGED);
		add_value(w, TAG_FLAG_ICON, RED);
	}
	if (k->verb != 0) {
		add_value(w, TAG_ICON, icon_of(k->verb));
		add_value(w, TAG_VERB, k->verb);
	}
	ews_sayf(w, "<t:IsRead>%s</t:IsRead></t:Message>", k->read ? "true" : "false");
	return w->rc;
}

int pf_ews_create_end(struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_say(w, "</m:Items></m:CreateItem>");
	return ews_end(w);
}

/* ---- changing ---- */

/* A property is set to `value`, or goes for 0. */
static void change_value(struct ews_writer *w, const char *tag, int value)
{
	const char *what = value != 0 ? "SetItemField" : "DeleteItemField";

	ews_sayf(w, "<t:%s>", what);
	add_tag(w, tag, "Integer");
	if (value != 0) {
		ews_say(w, "<t:Message>");
		add_value(w, tag, value);
		ews_say(w, "</t:Message>");
	}
	ews_sayf(w, "</t:%s>", what);
}

static void change_words(struct ews_writer *w, struct pf_span words)
{
	const char *what = words.n > 0 ? "SetItemField" : "DeleteItemField";

	ews_sayf(w, "<t:%s><t:FieldURI FieldURI=\"item:Categories\"/>", what);
	if (words.n > 0) {
		ews_say(w, "<t:Message>");
		add_words(w, words);
		ews_say(w, "</t:Message>");
	}
	ews_sayf(w, "</t:%s>", what);
}

static void change_bool(struct ews_writer *w, const char *name, bool value)
{
	ews_sayf(w,
		"<t:SetItemField><t:FieldURI FieldURI=\"message:%s\"/><t:Message><t:%s>%s</t:%s>"
		"</t:Message></t:SetItemField>",
		name, name, value ? "true" : "false", name);
}

static void add_changes(
	struct ews_writer *w, const struct pf_ews_as *as, const struct pf_ews_change_marks *c)
{
	if (c->set_read && c->to.read && as->version < PF_EWS_2013) {
		change_bool(w, "IsReadReceiptRequested", false);
	}
	if (c->set_read) {
		change_bool(w, "IsRead", c->to.read);
	}
	if (c->set_flagged) {
		change_value(w, TAG_FLAG, c->to.flagged ? FLAGGED : 0);
		change_value(w, TAG_FLAG_ICON, c->to.flagged ? RED : 0);
	}
	if (c->set_verb) {
		change_value(w, TAG_ICON, c->to.verb ? icon_of(c->to.verb) : 0);
		change_value(w, TAG_VERB, c->to.verb);
	}
	if (c->set_words) {
		change_words(w, c->to.words);
	}
}

const char *ews_no_receipts(const struct pf_ews_as *as)
{
	return as->version >= PF_EWS_2013 ? " SuppressReadReceipts=\"true\"" : "";
}

int pf_ews_update(const struct pf_ews_as *as, struct pf_span id,
	const struct pf_ews_change_marks *change, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_sayf(w,
		"<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" "
		"MessageDisposition=\"SaveOnly\" "
		"SendMeetingInvitationsOrCancellations=\"SendToNone\"%s>"
		"<m:ItemChanges><t:ItemChange>",
		ews_no_receipts(as));
	ews_id(w, "ItemId", id);
	ews_say(w, "<t:Updates>");
	add_changes(w, as, change);
	ews_say(w, "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>");
	return ews_end(w);
}

int pf_ews_delete(
	const struct pf_ews_as *as, struct pf_span id, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_sayf(w,
		"<m:DeleteItem DeleteType=\"SoftDelete\" SendMeetingCancellations=\"SendToNone\" "
		"AffectedTaskOccurrences=\"SpecifiedOccurrenceOnly\"%s><m:ItemIds>",
		ews_no_receipts(as));
	ews_id(w, "ItemId", id);
	ews_say(w, "</m:ItemIds></m:DeleteItem>");
	return ews_end(w);
}
