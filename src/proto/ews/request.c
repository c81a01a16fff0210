#include "proto/ews/request_private.h"

#include "proto/xml/xml.h"

#include <stdio.h>

#define TYPES "http://schemas.microsoft.com/exchange/services/2006/types"
#define MESSAGES "http://schemas.microsoft.com/exchange/services/2006/messages"
#define ENVELOPE                                                                                   \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"                                             \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"" TYPES       \
	"\" xmlns:m=\"" MESSAGES "\"><s:Header>"

static const char *const VERSIONS[PF_EWS_VERSIONS] = {"Exchange2007_SP1", "Exchange2010",
	"Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013", "Exchange2013_SP1"};

static const char *const KNOWN[PF_EWS_KNOWN] = {"msgfolderroot", "inbox", "drafts", "sentitems",
	"deleteditems", "outbox", "junkemail", "calendar", "contacts", "tasks", "notes", "journal"};

const char *pf_ews_version_name(enum pf_ews_version v)
{
	return VERSIONS[v];
}

enum pf_ews_version pf_ews_version_of(int major, int minor, int build)
{
	if (major < 14) {
		return PF_EWS_2007_SP1;
	}
	if (major == 14) {
		return minor == 0 ? PF_EWS_2010 : minor == 1 ? PF_EWS_2010_SP1 : PF_EWS_2010_SP2;
	}
	return major == 15 && minor == 0 && build < 847 ? PF_EWS_2013 : PF_EWS_2013_SP1;
}

/* ---- writing ---- */

void ews_say(struct ews_writer *w, const char *text)
{
	if (w->rc == PF_OK) {
		w->rc = pf_buf_add_str(w->out, text, w->err);
	}
}

void ews_sayf(struct ews_writer *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pf_assert(n >= 0 && (size_t)n < sizeof(text)); /* only what is short comes here */
	ews_say(w, text);
}

void ews_text(struct ews_writer *w, struct pf_span text)
{
	if (w->rc == PF_OK) {
		w->rc = xml_add_text(w->out, text, w->err);
	}
}

void ews_element(struct ews_writer *w, const char *name, struct pf_span text)
{
	if (w->rc == PF_OK) {
		w->rc = xml_add_element(w->out, name, text, w->err);
	}
}

/* ---- envelope ---- */

static void add_owner(struct ews_writer *w, const struct pf_ews_as *as)
{
	const char *name = !strchr(as->impersonate, '@')    ? "t:PrincipalName"
			   : as->version == PF_EWS_2007_SP1 ? "t:PrimarySmtpAddress"
							    : "t:SmtpAddress";

	ews_say(w, "<t:ExchangeImpersonation><t:ConnectingSID>");
	ews_element(w, name, pf_span_str(as->impersonate));
	ews_say(w, "</t:ConnectingSID></t:ExchangeImpersonation>");
}

void ews_begin(struct ews_writer *w, const struct pf_ews_as *as)
{
	ews_sayf(w, ENVELOPE "<t:RequestServerVersion Version=\"%s\"/>", VERSIONS[as->version]);
	if (as->impersonate) {
		add_owner(w, as);
	}
	if (as->version >= PF_EWS_2010) { /* all times are UTC then */
		ews_say(w, "<t:TimeZoneContext><t:TimeZoneDefinition "
			   "Id=\"UTC\"/></t:TimeZoneContext>");
	}
	ews_say(w, "</s:Header><s:Body>");
}

int ews_end(struct ews_writer *w)
{
	ews_say(w, "</s:Body></s:Envelope>");
	return w->rc;
}

void ews_id_version(
	struct ews_writer *w, const char *name, struct pf_span id, struct pf_span version)
{
	ews_sayf(w, "<t:%s Id=\"", name);
	ews_text(w, id);
	if (version.n > 0) {
		ews_say(w, "\" ChangeKey=\"");
		ews_text(w, version);
	}
	ews_say(w, "\"/>");
}

void ews_id(struct ews_writer *w, const char *name, struct pf_span id)
{
	ews_id_version(w, name, id, pf_span(NULL, 0));
}

/* ---- folders ---- */

static void add_folder_shape(struct ews_writer *w)
{
	ews_say(w, "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
		   "<t:FieldURI FieldURI=\"folder:DisplayName\"/>"
		   "<t:FieldURI FieldURI=\"folder:FolderClass\"/>"
		   "<t:FieldURI FieldURI=\"folder:ParentFolderId\"/>"
		   "<t:FieldURI FieldURI=\"folder:TotalCount\"/>"
		   "<t:ExtendedFieldURI PropertyTag=\"0x10F4\" PropertyType=\"Boolean\"/>"
		   "</t:AdditionalProperties></m:FolderShape>");
}

int pf_ews_get_known(const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:GetFolder>");
	add_folder_shape(w);
	ews_say(w, "<m:FolderIds>");
	for (size_t i = 0; i < PF_EWS_KNOWN; i++) {
		ews_id(w, "DistinguishedFolderId", pf_span_str(KNOWN[i]));
	}
	ews_say(w, "</m:FolderIds></m:GetFolder>");
	return ews_end(w);
}

int pf_ews_find_folders(
	const struct pf_ews_as *as, size_t offset, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:FindFolder Traversal=\"Deep\">");
	add_folder_shape(w);
	ews_sayf(w,
		"<m:IndexedPageFolderView MaxEntriesReturned=\"%d\" Offset=\"%zu\" "
		"BasePoint=\"Beginning\"/><m:ParentFolderIds>"
		"<t:DistinguishedFolderId Id=\"%s\"/></m:ParentFolderIds></m:FindFolder>",
		(int)PF_EWS_PAGE, offset, KNOWN[PF_EWS_ROOT]);
	return ews_end(w);
}

int pf_ews_get_options(const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:GetUserConfiguration><m:UserConfigurationName Name=\"OWA.UserOptions\">"
		   "<t:DistinguishedFolderId Id=\"root\"/></m:UserConfigurationName>"
		   "<m:UserConfigurationProperties>Dictionary</m:UserConfigurationProperties>"
		   "</m:GetUserConfiguration>");
	return ews_end(w);
}

/* The element must agree with the class. */
static const char *folder_element(const char *folder_class)
{
	static const struct {
		const char *folder_class, *element;
	} ELEMENTS[] = {{"IPF.Appointment", "CalendarFolder"}, {"IPF.Contact", "ContactsFolder"},
		{"IPF.Task", "TasksFolder"}};

	for (size_t i = 0; i < PF_COUNT(ELEMENTS); i++) {
		if (strcmp(folder_class, ELEMENTS[i].folder_class) == 0) {
			return ELEMENTS[i].element;
		}
	}
	return "Folder";
}

int pf_ews_create_folder(const struct pf_ews_as *as, struct pf_span parent,
	const char *folder_class, struct pf_span name, struct pf_buf *out, struct pf_err *err)
{
	const char *element = folder_element(folder_class);
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:CreateFolder><m:ParentFolderId>");
	ews_id(w, "FolderId", parent);
	ews_sayf(w, "</m:ParentFolderId><m:Folders><t:%s><t:FolderClass>%s</t:FolderClass>",
		element, folder_class);
	ews_element(w, "t:DisplayName", name);
	ews_sayf(w, "</t:%s></m:Folders></m:CreateFolder>", element);
	return ews_end(w);
}
