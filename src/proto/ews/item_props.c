/*
 * The properties of items that the converters read (convert/mapi_*), each with its type
 * ([MS-OXPROPS] 2): all that is asked for beside the schema's own elements.
 */
#include "proto/ews/item_make.h"
#include "proto/ews/item_private.h"
#include "proto/ews/request_private.h"

#include "base/utf8.h"
#include "model/mapi_tags.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	MAIL = PF_EWS_FORM_MAIL,
	EVENT = PF_EWS_FORM_EVENT,
	CONTACT = PF_EWS_FORM_CONTACT,
	TASK = PF_EWS_FORM_TASK,
	NOTE = PF_EWS_FORM_NOTE,
	ALL = PF_EWS_FORM_ANY,
	/* short names of types, so that a property is one line */
	I32 = PF_MAPI_I32,
	BOOL = PF_MAPI_BOOL,
	TIME = PF_MAPI_TIME,
	TEXT = PF_MAPI_STRING,
	BYTES = PF_MAPI_BINARY,
	MANY = PF_MAPI_MANY,
};

#define TAG(forms, tag, type)                                                                      \
	{                                                                                          \
		NULL, NULL, forms, type, tag, false                                                \
	}
#define LID(forms, set, number, type)                                                              \
	{                                                                                          \
		&pf_set_##set, NULL, forms, type, number, false                                    \
	}
#define NAMED(forms, name, type)                                                                   \
	{                                                                                          \
		&pf_set_strings, name, forms, type, 0, false                                       \
	}
#define BODY(tag, type)                                                                            \
	{                                                                                          \
		NULL, NULL, ALL, type, tag, true                                                   \
	}

const struct ews_prop ews_props[] = {
	TAG(ALL, PF_TAG_IMPORTANCE, I32), TAG(ALL, PF_TAG_SENSITIVITY, I32),
	TAG(ALL, PF_TAG_CREATION_TIME, TIME), TAG(ALL, PF_TAG_LAST_MODIFICATION_TIME, TIME),
	TAG(ALL, PF_TAG_BODY, TEXT), BODY(PF_TAG_HTML, BYTES), BODY(PF_TAG_RTF_COMPRESSED, BYTES),
	BODY(PF_TAG_INTERNET_CODEPAGE, I32), BODY(PF_TAG_MESSAGE_CODEPAGE, I32),
	/* messages */
	TAG(MAIL, PF_TAG_CLIENT_SUBMIT_TIME, TIME), TAG(MAIL, PF_TAG_MESSAGE_DELIVERY_TIME, TIME),
	TAG(MAIL, PF_TAG_TRANSPORT_HEADERS, TEXT), TAG(MAIL, PF_TAG_INTERNET_MESSAGE_ID, TEXT),
	TAG(MAIL, PF_TAG_INTERNET_REFERENCES, TEXT), TAG(MAIL, PF_TAG_IN_REPLY_TO_ID, TEXT),
	TAG(MAIL, PF_TAG_CONVERSATION_TOPIC, TEXT), TAG(MAIL, PF_TAG_CONVERSATION_INDEX, BYTES),
	TAG(MAIL, PF_TAG_REPLY_RECIPIENT_ENTRIES, BYTES),
	TAG(MAIL, PF_TAG_REPLY_RECIPIENT_NAMES, TEXT),
	/* appointments, and messages about them */
	TAG(EVENT, PF_TAG_START_DATE, TIME), TAG(EVENT, PF_TAG_END_DATE, TIME),
	TAG(EVENT, PF_TAG_OWNER_APPOINTMENT_ID, I32), TAG(EVENT, PF_TAG_RESPONSE_REQUESTED, BOOL),
	LID(EVENT, meeting, 0x0001, TIME),       /* AttendeeCriticalChange */
	LID(EVENT, meeting, 0x0003, BYTES),      /* GlobalObjectId */
	LID(EVENT, meeting, 0x001A, TIME),       /* OwnerCriticalChange */
	LID(EVENT, meeting, 0x0023, BYTES),      /* CleanGlobalObjectId */
	LID(EVENT, appointment, 0x8201, I32),    /* AppointmentSequence */
	LID(EVENT, appointment, 0x8205, I32),    /* BusyStatus */
	LID(EVENT, appointment, 0x8208, TEXT),   /* Location */
	LID(EVENT, appointment, 0x820D, TIME),   /* AppointmentStartWhole */
	LID(EVENT, appointment, 0x820E, TIME),   /* AppointmentEndWhole */
	LID(EVENT, appointment, 0x8213, I32),    /* AppointmentDuration */
	LID(EVENT, appointment, 0x8215, BOOL),   /* AppointmentSubType: all day */
	LID(EVENT, appointment, 0x8216, BYTES),  /* AppointmentRecur */
	LID(EVENT, appointment, 0x8217, I32),    /* AppointmentStateFlags */
	LID(EVENT, appointment, 0x8218, I32),    /* ResponseStatus */
	LID(EVENT, appointment, 0x8224, I32),    /* IntendedBusyStatus */
	LID(EVENT, appointment, 0x8228, TIME),   /* ExceptionReplaceTime */
	LID(EVENT, appointment, 0x8233, BYTES),  /* TimeZoneStruct */
	LID(EVENT, appointment, 0x8234, TEXT),   /* TimeZoneDescription */
	LID(EVENT, appointment, 0x825A, BOOL),   /* AppointmentNotAllowPropose */
	LID(EVENT, appointment, 0x825E, BYTES),  /* AppointmentTimeZoneDefinitionStartDisplay */
	LID(EVENT, appointment, 0x825F, BYTES),  /* the same of its end */
	LID(EVENT, appointment, 0x8260, BYTES),  /* the same of its recurrence */
	LID(EVENT, common, 0x8501, I32),         /* ReminderDelta */
	LID(EVENT | TASK, common, 0x8503, BOOL), /* ReminderSet */
	LID(EVENT, common, 0x8506, BOOL),        /* Private */
	LID(EVENT, common, 0x8516, TIME),        /* CommonStart */
	LID(EVENT, common, 0x8517, TIME),        /* CommonEnd */
	NAMED(EVENT, "urn:schemas:calendar:locationurl", TEXT),
	/* contacts; tags in the order of [MS-OXOCNTC] 2.2.1 */
	TAG(CONTACT, PF_TAG_DISPLAY_NAME, TEXT), TAG(CONTACT, 0x3A05, TEXT), /* Generation */
	TAG(CONTACT, 0x3A06, TEXT),                                          /* GivenName */
	TAG(CONTACT, 0x3A11, TEXT),                                          /* Surname */
	TAG(CONTACT, 0x3A44, TEXT),                                          /* MiddleName */
	TAG(CONTACT, 0x3A45, TEXT),                                          /* DisplayNamePrefix */
	TAG(CONTACT, 0x3A4F, TEXT),                                          /* Nickname */
	TAG(CONTACT, 0x3A16, TEXT),                                          /* CompanyName */
	TAG(CONTACT, 0x3A17, TEXT),                                          /* Title */
	TAG(CONTACT, 0x3A18, TEXT),                                          /* DepartmentName */
	TAG(CONTACT, 0x3A19, TEXT),                                          /* OfficeLocation */
	TAG(CONTACT, 0x3A46, TEXT),                                          /* Profession */
	TAG(CONTACT, 0x3A4E, TEXT),                                          /* ManagerName */
	TAG(CONTACT, 0x3A30, TEXT),                                          /* Assistant */
	TAG(CONTACT, 0x3A48, TEXT),                                          /* SpouseName */
	TAG(CONTACT, 0x3A58, TEXT | MANY),                                   /* ChildrensNames */
	TAG(CONTACT, 0x3A43, TEXT),                                          /* Hobbies */
	TAG(CONTACT, 0x3A02, TEXT), /* numbers: callback, */
	TAG(CONTACT, 0x3A08, TEXT), /* work, */
	TAG(CONTACT, 0x3A1B, TEXT), /* another one at work, */
	TAG(CONTACT, 0x3A09, TEXT), /* home, */
	TAG(CONTACT, 0x3A2F, TEXT), /* another one at home, */
	TAG(CONTACT, 0x3A1A, TEXT), /* the first to try, */
	TAG(CONTACT, 0x3A1C, TEXT), /* mobile, */
	TAG(CONTACT, 0x3A1D, TEXT), /* radio, */
	TAG(CONTACT, 0x3A1E, TEXT), /* car, */
	TAG(CONTACT, 0x3A1F, TEXT), /* other, */
	TAG(CONTACT, 0x3A21, TEXT), /* pager, */
	TAG(CONTACT, 0x3A23, TEXT), /* facsimile, */
	TAG(CONTACT, 0x3A24, TEXT), /* at work, */
	TAG(CONTACT, 0x3A25, TEXT), /* at home, */
	TAG(CONTACT, 0x3A2C, TEXT), /* telex, */
	TAG(CONTACT, 0x3A2D, TEXT), /* ISDN, */
	TAG(CONTACT, 0x3A2E, TEXT), /* assistant, */
	TAG(CONTACT, 0x3A4B, TEXT), /* for the deaf, */
	TAG(CONTACT, 0x3A57, TEXT), /* company */
	TAG(CONTACT, 0x3A50, TEXT), /* PersonalHomePage */
	TAG(CONTACT, 0x3A51, TEXT), /* BusinessHomePage */
	TAG(CONTACT, 0x3A26, TEXT), /* where mail goes to: country, */
	TAG(CONTACT, 0x3A27, TEXT), /* town, */
	TAG(CONTACT, 0x3A28, TEXT), /* region, */
	TAG(CONTACT, 0x3A29, TEXT), /* street, */
	TAG(CONTACT, 0x3A2A, TEXT), /* code, */
	TAG(CONTACT, 0x3A2B, TEXT), /* box */
	TAG(CONTACT, 0x3A59, TEXT), /* the same at home */
	TAG(CONTACT, 0x3A5A, TEXT), TAG(CONTACT, 0x3A5B, TEXT), TAG(CONTACT, 0x3A5C, TEXT),
	TAG(CONTACT, 0x3A5D, TEXT), TAG(CONTACT, 0x3A5E, TEXT),
	TAG(CONTACT, 0x3A5F, TEXT), /* and elsewhere */
	TAG(CONTACT, 0x3A60, TEXT), TAG(CONTACT, 0x3A61, TEXT), TAG(CONTACT, 0x3A62, TEXT),
	TAG(CONTACT, 0x3A63, TEXT), TAG(CONTACT, 0x3A64, TEXT),
	TAG(CONTACT, 0x3A41, TIME),          /* WeddingAnniversary */
	TAG(CONTACT, 0x3A42, TIME),          /* Birthday */
	TAG(CONTACT, 0x3A4D, PF_MAPI_I16),   /* Gender */
	TAG(CONTACT, 0x3A70, BYTES | MANY),  /* UserX509Certificate */
	LID(CONTACT, address, 0x8005, TEXT), /* FileUnder */
	LID(CONTACT, address, 0x8015, BOOL), /* HasPicture */
	LID(CONTACT, address, 0x801A, TEXT), /* addresses as labels: home, */
	LID(CONTACT, address, 0x801B, TEXT), /* work, */
	LID(CONTACT, address, 0x801C, TEXT), /* other */
	LID(CONTACT, address, 0x8022, I32),  /* PostalAddressId */
	LID(CONTACT, address, 0x802C, TEXT), /* as names sound: first, */
	LID(CONTACT, address, 0x802D, TEXT), /* last, */
	LID(CONTACT, address, 0x802E, TEXT), /* company */
	LID(CONTACT, address, 0x8045, TEXT), /* at work: street, */
	LID(CONTACT, address, 0x8046, TEXT), /* town, */
	LID(CONTACT, address, 0x8047, TEXT), /* region, */
	LID(CONTACT, address, 0x8048, TEXT), /* code, */
	LID(CONTACT, address, 0x8049, TEXT), /* country, */
	LID(CONTACT, address, 0x804A, TEXT), /* box */
	LID(CONTACT, address, 0x804F, TEXT), /* four fields of one's own */
	LID(CONTACT, address, 0x8050, TEXT), LID(CONTACT, address, 0x8051, TEXT),
	LID(CONTACT, address, 0x8052, TEXT),
	LID(CONTACT, address, 0x8062, TEXT), /* InstantMessagingAddress */
	LID(CONTACT, address, 0x8080, TEXT), /* the first electronic address: shown, */
	LID(CONTACT, address, 0x8082, TEXT), /* type, */
	LID(CONTACT, address, 0x8083, TEXT), /* address, */
	LID(CONTACT, address, 0x8084, TEXT), /* as it was given */
	LID(CONTACT, address, 0x8090, TEXT), /* the second */
	LID(CONTACT, address, 0x8092, TEXT), LID(CONTACT, address, 0x8093, TEXT),
	LID(CONTACT, address, 0x8094, TEXT), LID(CONTACT, address, 0x80A0, TEXT), /* the third */
	LID(CONTACT, address, 0x80A2, TEXT), LID(CONTACT, address, 0x80A3, TEXT),
	LID(CONTACT, address, 0x80A4, TEXT),
	LID(CONTACT, address, 0x80D8, TEXT), /* FreeBusyLocation */
	LID(CONTACT, address, 0x80DE, TIME), /* BirthdayLocal */
	LID(CONTACT, address, 0x80DF, TIME), /* WeddingAnniversaryLocal */
	NAMED(CONTACT, "vcarduid", TEXT),
	/* distribution lists */
	LID(CONTACT, address, 0x8053, TEXT),         /* DistributionListName */
	LID(CONTACT, address, 0x8054, BYTES | MANY), /* DistributionListOneOffMembers */
	LID(CONTACT, address, 0x8055, BYTES | MANY), /* DistributionListMembers */
	LID(CONTACT, address, 0x8064, BYTES),        /* DistributionListStream */
	/* tasks */
	LID(TASK, task, 0x8101, I32),            /* TaskStatus */
	LID(TASK, task, 0x8102, PF_MAPI_DOUBLE), /* PercentComplete */
	LID(TASK, task, 0x8104, TIME),           /* TaskStartDate */
	LID(TASK, task, 0x8105, TIME),           /* TaskDueDate */
	LID(TASK, task, 0x810F, TIME),           /* TaskDateCompleted */
	LID(TASK, task, 0x8110, I32),            /* TaskActualEffort */
	LID(TASK, task, 0x8111, I32),            /* TaskEstimatedEffort */
	LID(TASK, task, 0x8116, BYTES),          /* TaskRecurrence */
	LID(TASK, task, 0x811C, BOOL),           /* TaskComplete */
	LID(TASK, task, 0x811F, TEXT),           /* TaskOwner */
	LID(TASK, task, 0x8126, BOOL),           /* TaskFRecurring */
	LID(TASK, common, 0x8502, TIME),         /* ReminderTime */
	LID(TASK, common, 0x8534, TEXT),         /* Mileage */
	LID(TASK, common, 0x8535, TEXT),         /* Billing */
	LID(TASK, common, 0x8539, TEXT | MANY),  /* Companies */
	/* tasks, notes and journal: what has no UID of its own there */
	NAMED(TASK | NOTE, "urn:schemas:calendar:uid", TEXT),
	/* of ours: the text that an item was made of */
	NAMED(EVENT | CONTACT | TASK | NOTE, PF_EWS_TEXT, TEXT),
	NAMED(EVENT | CONTACT | TASK | NOTE, PF_EWS_KEY, TEXT),
	/* notes and journal */
	LID(NOTE, note, 0x8B00, I32), /* NoteColor */
	LID(NOTE, log, 0x8700, TEXT), /* LogType */
	LID(NOTE, log, 0x8706, TIME), /* LogStart */
	LID(NOTE, log, 0x8707, I32),  /* LogDuration */
	LID(NOTE, log, 0x8708, TIME), /* LogEnd */
};
const size_t ews_props_n = PF_COUNT(ews_props);

/* ---- names of the schema ---- */

static const struct {
	int type;
	const char *name;
} TYPES[] = {
	{PF_MAPI_I16, "Short"},
	{PF_MAPI_I32, "Integer"},
	{PF_MAPI_FLOAT, "Float"},
	{PF_MAPI_DOUBLE, "Double"},
	{PF_MAPI_CURRENCY, "Currency"},
	{PF_MAPI_APPTIME, "ApplicationTime"},
	{PF_MAPI_BOOL, "Boolean"},
	{PF_MAPI_I64, "Long"},
	{PF_MAPI_STRING, "String"},
	{PF_MAPI_TIME, "SystemTime"},
	{PF_MAPI_GUID, "CLSID"},
	{PF_MAPI_BINARY, "Binary"},
};

const char *ews_type_name(int type, char out[32])
{
	for (size_t i = 0; i < PF_COUNT(TYPES); i++) {
		if (TYPES[i].type == (type & ~PF_MAPI_MANY)) {
			(void)snprintf(
				out, 32, "%s%s", TYPES[i].name, type & PF_MAPI_MANY ? "Array" : "");
			return out;
		}
	}
	return NULL;
}

int ews_type_of(struct pf_span name)
{
	for (size_t i = 0; i < PF_COUNT(TYPES); i++) {
		size_t n = strlen(TYPES[i].name);

		if (!pf_span_starts(name, TYPES[i].name)) {
			continue;
		}
		if (name.n == n) {
			return TYPES[i].type;
		}
		if (pf_span_is(pf_span_from(name, n), "Array")) {
			return TYPES[i].type | PF_MAPI_MANY;
		}
	}
	return 0;
}

/* Those that the schema has a name for; others go by their GUID. */
static const struct {
	const struct pf_guid *set;
	const char *name;
} SETS[] = {
	{&pf_set_appointment, "Appointment"},
	{&pf_set_meeting, "Meeting"},
	{&pf_set_common, "Common"},
	{&pf_set_strings, "PublicStrings"},
	{&pf_set_address, "Address"},
	{&pf_set_headers, "InternetHeaders"},
	{&pf_set_task, "Task"},
};

/* Where the digits of a GUID's text go, by pairs ([MS-DTYP] 2.3.4.3). */
static const uint8_t PLACE[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static int hex(uint8_t c)
{
	c = pf_ascii_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ews_guid_of(struct pf_span text, struct pf_guid *out)
{
	size_t at = 0;

	for (size_t i = 0; i < sizeof(out->b); i++) {
		at += i == 4 || i == 6 || i == 8 || i == 10; /* hyphens */
		if (at + 2 > text.n || hex(text.p[at]) < 0 || hex(text.p[at + 1]) < 0) {
			return false;
		}
		out->b[PLACE[i]] = (uint8_t)(hex(text.p[at]) << 4 | hex(text.p[at + 1]));
		at += 2;
	}
	return at == text.n;
}

bool ews_set_of(struct pf_span distinguished, struct pf_span guid, struct pf_guid *out)
{
	for (size_t i = 0; i < PF_COUNT(SETS); i++) {
		if (pf_span_is(distinguished, SETS[i].name)) {
			*out = *SETS[i].set;
			return true;
		}
	}
	return ews_guid_of(guid, out);
}

/* ---- asking ---- */

static void add_set(struct ews_writer *w, const struct pf_guid *set)
{
	for (size_t i = 0; i < PF_COUNT(SETS); i++) {
		if (pf_guid_eq(SETS[i].set, set)) {
			ews_sayf(w, " DistinguishedPropertySetId=\"%s\"", SETS[i].name);
			return;
		}
	}
	ews_say(w, " PropertySetId=\"");
	for (size_t i = 0; i < sizeof(set->b); i++) {
		ews_sayf(w, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			set->b[PLACE[i]]);
	}
	ews_say(w, "\"");
}

void ews_path(struct ews_writer *w, const struct ews_prop *p)
{
	char type[32];

	ews_say(w, "<t:ExtendedFieldURI");
	if (!p->set) {
		ews_sayf(w, " PropertyTag=\"0x%04X\"", p->id);
	} else {
		add_set(w, p->set);
		if (p->text) {
			ews_sayf(w, " PropertyName=\"%s\"", p->text);
		} else {
			ews_sayf(w, " PropertyId=\"%u\"", p->id);
		}
	}
	ews_sayf(w, " PropertyType=\"%s\"/>", ews_type_name(p->type, type));
}

/* Elements that the schema has of its own, where they mean something. */
static const struct {
	const char *field;
	uint32_t forms;
	enum pf_ews_version since;
} FIELDS[] = {
	{"item:ItemClass", ALL, PF_EWS_2007_SP1},
	{"item:Subject", ALL, PF_EWS_2007_SP1},
	{"item:Attachments", ALL, PF_EWS_2007_SP1},
	{"item:Categories", ALL, PF_EWS_2007_SP1},
	{"message:From", MAIL, PF_EWS_2007_SP1},
	{"message:Sender", MAIL, PF_EWS_2007_SP1},
	{"message:ToRecipients", MAIL, PF_EWS_2007_SP1},
	{"message:CcRecipients", MAIL, PF_EWS_2007_SP1},
	{"message:BccRecipients", MAIL, PF_EWS_2007_SP1},
	{"calendar:UID", EVENT, PF_EWS_2007_SP1},
	{"calendar:CalendarItemType", EVENT, PF_EWS_2007_SP1},
	{"calendar:Organizer", EVENT, PF_EWS_2007_SP1},
	{"calendar:RequiredAttendees", EVENT, PF_EWS_2007_SP1},
	{"calendar:OptionalAttendees", EVENT, PF_EWS_2007_SP1},
	{"calendar:Resources", EVENT, PF_EWS_2007_SP1},
	{"calendar:ModifiedOccurrences", EVENT, PF_EWS_2007_SP1},
	{"distributionlist:Members", CONTACT, PF_EWS_2010},
};

static void add_paths(
	struct ews_writer *w, const struct pf_ews_as *as, const struct pf_ews_ask *ask)
{
	ews_say(w, "<t:AdditionalProperties>");
	if (!ask->stored) {
		ews_say(w, "<t:FieldURI FieldURI=\"item:Body\"/>");
	}
	for (size_t i = 0; i < PF_COUNT(FIELDS); i++) {
		if ((FIELDS[i].forms & ask->forms) && as->version >= FIELDS[i].since) {
			ews_sayf(w, "<t:FieldURI FieldURI=\"%s\"/>", FIELDS[i].field);
		}
	}
	for (size_t i = 0; i < ews_props_n; i++) {
		if ((ews_props[i].forms & ask->forms) && (ask->stored || !ews_props[i].stored)) {
			ews_path(w, &ews_props[i]);
		}
	}
	ews_say(w, "</t:AdditionalProperties>");
}

int pf_ews_get_whole(const struct pf_ews_as *as, const struct pf_ews_ask *ask,
	const struct pf_span *ids, size_t n, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>");
	if (!ask->stored) {
		ews_say(w, "<t:BodyType>Best</t:BodyType>");
	}
	add_paths(w, as, ask);
	ews_say(w, "</m:ItemShape><m:ItemIds>");
	for (size_t i = 0; i < n; i++) {
		ews_id(w, "ItemId", ids[i]);
	}
	ews_say(w, "</m:ItemIds></m:GetItem>");
	return ews_end(w);
}

int pf_ews_get_attachments(const struct pf_ews_as *as, bool stored, const struct pf_span *ids,
	size_t n, struct pf_buf *out, struct pf_err *err)
{
	const struct pf_ews_ask ask = {.forms = PF_EWS_FORM_ANY, .stored = stored};
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:GetAttachment><m:AttachmentShape>");
	if (!stored) {
		ews_say(w, "<t:BodyType>Best</t:BodyType>");
	}
	add_paths(w, as, &ask);
	ews_say(w, "</m:AttachmentShape><m:AttachmentIds>");
	for (size_t i = 0; i < n; i++) {
		ews_id(w, "AttachmentId", ids[i]);
	}
	ews_say(w, "</m:AttachmentIds></m:GetAttachment>");
	return ews_end(w);
}
