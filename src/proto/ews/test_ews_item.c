/* What is asked for of an item, and the MAPI items that answers are. */
#include "model/mapi_tags.h"
#include "proto/ews/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MESSAGE(inside)                                                                            \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body "               \
	"xmlns:m=\"u:m\" xmlns:t=\"u:t\"><m:XResponse><m:ResponseMessages>"                        \
	"<m:XResponseMessage><m:ResponseCode>NoError</m:ResponseCode>" inside                      \
	"</m:XResponseMessage></m:ResponseMessages></m:XResponse></s:Body></s:Envelope>"
#define ITEM(kind, inside) MESSAGE("<m:Items><t:" kind ">" inside "</t:" kind "></m:Items>")
#define FILE_OF(inside) MESSAGE("<m:Attachments>" inside "</m:Attachments>")
#define PROPERTY(path, type, value)                                                                \
	"<t:ExtendedProperty><t:ExtendedFieldURI " path " PropertyType=\"" type "\"/>" value       \
	"</t:ExtendedProperty>"
#define VALUE(text) "<t:Value>" text "</t:Value>"

struct world {
	struct pf_arena arena;
	struct pf_ews_whole w;
	struct pf_err err;
};

static void begin(struct world *w)
{
	*w = (struct world){0};
	pf_arena_init(&w->arena);
	w->w.arena = &w->arena;
}

static void end(struct world *w)
{
	pf_arena_deinit(&w->arena);
}

/* The item of a message, or (`lack` is none of SIZE_MAX) what was lacking. */
static int take(struct world *w, const char *text, size_t lack)
{
	struct pf_ews_answer *a = NULL;
	struct pf_ews_message m;
	int rc;

	if (pf_ews_answer_new(pf_span_str(text), &a, &w->err) != PF_OK) {
		fail_msg("%s", w->err.text);
	}
	assert_true(pf_ews_answer_next(a, &m));
	rc = lack == SIZE_MAX ? pf_ews_read_whole(&m, &w->w, &w->err)
			      : pf_ews_read_lack(&m, &w->w, lack, &w->err);
	pf_ews_answer_free(&a);
	return rc;
}

static void assert_text(struct pf_span s, const char *want)
{
	if (!pf_span_is(s, want)) {
		fail_msg("%.*s is not %s", (int)s.n, (const char *)s.p, want);
	}
}

static int64_t number_of(const struct pf_mapi_value *v)
{
	int64_t n = -1;

	assert_true(pf_mapi_number(v, &n));
	return n;
}

/* ---- requests ---- */

struct asked {
	struct pf_ews_as as;
	struct pf_ews_ask ask;
	const char *has[4], *lacks[4];
};

static void ask(const struct asked *c)
{
	const struct pf_span ids[] = {pf_span_str("A+/="), pf_span_str("B")};
	const char *text = NULL;
	struct pf_err err;
	struct pf_buf out;

	pf_buf_init(&out, 1 << 20);
	assert_int_equal(pf_ews_get_whole(&c->as, &c->ask, ids, 2, &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
	assert_non_null(strstr(text, "<t:ItemId Id=\"A+/=\"/><t:ItemId Id=\"B\"/>"));
	for (size_t k = 0; c->has[k]; k++) {
		if (!strstr(text, c->has[k])) {
			fail_msg("%s is not in %s", c->has[k], text);
		}
	}
	for (size_t k = 0; c->lacks[k]; k++) {
		assert_null(strstr(text, c->lacks[k]));
	}
	pf_buf_deinit(&out);
}

static void asking(void **state)
{
	static const struct asked CASES[] = {
		{{PF_EWS_2013_SP1, NULL}, {PF_EWS_FORM_EVENT, false},
			{"<t:BodyType>Best</t:BodyType><t:AdditionalProperties>"
			 "<t:FieldURI FieldURI=\"item:Body\"/>",
				"DistinguishedPropertySetId=\"Appointment\" PropertyId=\"33302\" "
				"PropertyType=\"Binary\"/>",
				"calendar:ModifiedOccurrences", NULL},
			{"0x1013", "0x3A06", "distributionlist", NULL}},
		{{PF_EWS_2010, NULL}, {PF_EWS_FORM_CONTACT, false},
			{"distributionlist:Members",
				"PropertyTag=\"0x3A58\" PropertyType=\"StringArray\"/>",
				"DistinguishedPropertySetId=\"PublicStrings\" "
				"PropertyName=\"vcarduid\"",
				NULL},
			{"calendar:", "message:", NULL}},
		{{PF_EWS_2007_SP1, NULL}, {PF_EWS_FORM_ANY, true},
			{"PropertyTag=\"0x1013\" PropertyType=\"Binary\"/>",
				"PropertySetId=\"0006200e-0000-0000-c000-000000000046\" "
				"PropertyId=\"35584\" PropertyType=\"Integer\"/>",
				"PropertyTag=\"0x3A4D\" PropertyType=\"Short\"/>", NULL},
			{"item:Body", "BodyType", "distributionlist", NULL}},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		ask(&CASES[i]);
	}
}

static void searching(void **state)
{
	static const char *const NAMES[] = {"IPM.Task", NULL};
	const struct pf_ews_as as = {PF_EWS_2007_SP1, NULL};
	const struct pf_ews_classes some = {NAMES, false}, others = {NAMES, true};
	const struct pf_span folder = pf_span_str("F");
	const char *text = NULL;
	struct pf_err err;
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 1 << 20);
	assert_int_equal(pf_ews_find_classes(&as, &some, &folder, 1, &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
	assert_non_null(strstr(text, "<m:Restriction><t:Or><t:IsEqualTo>"));
	assert_non_null(strstr(text, "<t:Constant Value=\"IPM.Task\"/>"));
	assert_non_null(strstr(text, "<t:Constant Value=\"IPM.Task.\"/></t:Contains></t:Or>"));
	pf_buf_clear(&out);
	assert_int_equal(pf_ews_find_classes(&as, &others, &folder, 1, &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
	assert_non_null(strstr(text, "<m:Restriction><t:Not><t:Or>"));
	pf_buf_deinit(&out);
}

/* ---- values ---- */

static void moments(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t unix_s;
	} CASES[] = {{"1970-01-01T00:00:01Z", true, 1}, {"2004-05-06T07:08:09Z", true, 1083827289},
		{"2004-05-06T07:08:09.123Z", true, 1083827289},
		{"2004-05-06T09:08:09+02:00", true, 1083827289},
		{"2004-05-06T02:38:09-04:30", true, 1083827289},
		{"2004-05-06T07:08:09", true, 1083827289}, {"", false, 0}, {"2004-05-06", false, 0},
		{"2004-13-06T07:08:09Z", false, 0}, {"2004-05-06T07:08:09+2", false, 0},
		{"2004-05-06T07:08:09Zulu", false, 0}, {"2004-05-06T07:08:", false, 0}};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		int64_t s = 0;

		assert_int_equal(pf_ews_moment(pf_span_str(CASES[i].text), &s), CASES[i].good);
		assert_int_equal(s, CASES[i].unix_s);
	}
}

static void add_property(struct pf_buf *out, const char *path, const char *type, const char *value)
{
	struct pf_err err;

	assert_int_equal(pf_buf_addf(out, &err,
				 "<t:ExtendedProperty><t:ExtendedFieldURI %s PropertyType=\"%s\"/>"
				 "%s</t:ExtendedProperty>",
				 path, type, value),
		PF_OK);
}

static void add_values(struct pf_buf *out)
{
	static const char SET[] = "DistinguishedPropertySetId";
	static const struct {
		const char *set, *path, *type, *value;
	} NAMED[] = {
		{"Meeting", "PropertyId=\"35\"", "Binary", "AQID"},
		{"Appointment", "PropertyId=\"33301\"", "Boolean", "true"},
		{"Appointment", "PropertyId=\"33293\"", "SystemTime", "2004-05-06T07:08:09Z"},
		{"Task", "PropertyId=\"33026\"", "Double", "0.25"},
		{"PublicStrings", "PropertyName=\"vcarduid\"", "String", " x "},
		{"NoSuchSet", "PropertyId=\"1\"", "Integer", "1"},
	};

	for (size_t i = 0; i < PF_COUNT(NAMED); i++) {
		char path[200], value[200];

		(void)snprintf(
			path, sizeof(path), "%s=\"%s\" %s", SET, NAMED[i].set, NAMED[i].path);
		(void)snprintf(value, sizeof(value), VALUE("%s"), NAMED[i].value);
		add_property(out, path, NAMED[i].type, value);
	}
	add_property(out,
		"PropertySetId=\"0006200E-0000-0000-C000-000000000046\" PropertyId=\"35584\"",
		"Integer", VALUE("3"));
	add_property(out, "PropertyTag=\"0x17\"", "Integer", VALUE("2"));
	add_property(out, "PropertyTag=\"0x3a58\"", "StringArray",
		"<t:Values>" VALUE("Tim") VALUE("Tom") "</t:Values>");
	add_property(out, "PropertyTag=\"0x99999\"", "Integer", VALUE("2"));
	add_property(out, "PropertyTag=\"0x18\"", "Odd", VALUE("2"));
}

static void values(void **state)
{
	static const char FORM[] = ITEM("CalendarItem",
		"<t:ItemClass>IPM.Appointment</t:ItemClass><t:Subject>&#xF6;</t:Subject>%s"
		"<t:UID>u</t:UID><t:CalendarItemType>RecurringMaster</t:CalendarItemType>");
	const char *inside = NULL;
	struct world w;
	const struct pf_mapi_props *in;
	const struct pf_mapi_value *v;
	struct pf_buf b;
	char text[8192];
	int64_t s = 0;

	(void)state;
	begin(&w);
	pf_buf_init(&b, sizeof(text) - sizeof(FORM));
	add_values(&b);
	assert_int_equal(pf_buf_cstr(&b, &inside, &w.err), PF_OK);
	(void)snprintf(text, sizeof(text), FORM, inside);
	pf_buf_deinit(&b);
	assert_int_equal(take(&w, text, SIZE_MAX), PF_OK);
	in = &w.w.item->props;
	assert_int_equal(in->n, 10); /* those that are known, class and subject */
	assert_text(pf_mapi_class(w.w.item), "IPM.Appointment");
	assert_text(pf_mapi_text(pf_mapi_tag(in, PF_TAG_SUBJECT)), "\xc3\xb6");
	assert_int_equal(number_of(pf_mapi_tag(in, PF_TAG_IMPORTANCE)), 2);
	assert_text(pf_mapi_bytes(pf_mapi_lid(in, &pf_set_meeting, 35)), "\x01\x02\x03");
	assert_true(pf_mapi_true(pf_mapi_lid(in, &pf_set_appointment, 0x8215)));
	assert_true(pf_mapi_unix(pf_mapi_lid(in, &pf_set_appointment, 0x820D), &s));
	assert_int_equal(s, 1083827289);
	v = pf_mapi_lid(in, &pf_set_task, 0x8102);
	assert_true(v && v->type == PF_MAPI_DOUBLE && v->real > 0.24 && v->real < 0.26);
	assert_int_equal(number_of(pf_mapi_lid(in, &pf_set_note, 0x8B00)), 3);
	assert_text(pf_mapi_text(pf_mapi_named(in, &pf_set_strings, "vcarduid")), " x ");
	v = pf_mapi_tag(in, 0x3A58);
	assert_true(v && v->many.n == 2);
	assert_text(pf_mapi_text(&v->many.v[1]), "Tom");
	assert_text(w.w.uid, "u");
	assert_true(w.w.series && w.w.lack_n == 0);
	end(&w);
}

static void no_values(void **state)
{
	static const char *const BAD[] = {
		ITEM("Message", PROPERTY("PropertyTag=\"0x0FFF\"", "Binary", VALUE("A"))),
		ITEM("Message", PROPERTY("PropertyTag=\"0x0039\"", "SystemTime", VALUE("soon"))),
		ITEM("Message", PROPERTY("PropertyTag=\"0x0039\"", "CLSID", VALUE("{}"))),
		ITEM("Message", "<t:Attachments><t:FileAttachment/></t:Attachments>"),
		ITEM("CalendarItem", "<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id=\"x\"/>"
				     "</t:Occurrence></t:ModifiedOccurrences>"),
		MESSAGE(""),
		MESSAGE("<m:Items/>"),
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(BAD); i++) {
		struct world w;

		begin(&w);
		assert_int_equal(take(&w, BAD[i], SIZE_MAX), PF_FAIL);
		assert_int_equal(w.err.scope, PF_SCOPE_ITEM);
		end(&w);
	}
}

/* ---- what the schema has elements for ---- */

static void people_and_texts(void **state)
{
	static const char TEXT[] = ITEM("CalendarItem",
		"<t:Body BodyType=\"HTML\">&lt;p&gt;Hi</t:Body><t:Categories><t:String>A b"
		"</t:String><t:String>C</t:String></t:Categories><t:Organizer><t:Mailbox>"
		"<t:Name>Ann</t:Name><t:EmailAddress>ann@x.example</t:EmailAddress></t:Mailbox>"
		"</t:Organizer><t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>Ann</t:Name>"
		"<t:EmailAddress>ann@x.example</t:EmailAddress></"
		"t:Mailbox><t:ResponseType>Organizer"
		"</t:ResponseType></t:Attendee></t:RequiredAttendees><t:Resources><t:Attendee>"
		"<t:Mailbox><t:EmailAddress>/o=X/cn=room</t:EmailAddress><t:RoutingType>EX"
		"</t:RoutingType></t:Mailbox><t:ResponseType>Decline</t:ResponseType></t:Attendee>"
		"</t:Resources><t:ToRecipients><t:Mailbox><t:Name>no</t:Name></t:Mailbox>"
		"</t:ToRecipients>");
	struct world w;
	const struct pf_mapi_value *v;
	const struct pf_mapi_props *r;

	(void)state;
	begin(&w);
	assert_int_equal(take(&w, TEXT, SIZE_MAX), PF_OK);
	v = pf_mapi_tag(&w.w.item->props, PF_TAG_HTML);
	assert_text(pf_mapi_text(v), "<p>Hi");
	v = pf_mapi_named(&w.w.item->props, &pf_set_strings, "Keywords");
	assert_true(v && v->many.n == 2);
	assert_text(pf_mapi_text(&v->many.v[0]), "A b");
	assert_text(pf_mapi_text(pf_mapi_tag(&w.w.item->props, PF_TAG_SENT_REPRESENTING_SMTP)),
		"ann@x.example");
	assert_int_equal(w.w.item->recipients_n, 2); /* those of the event, not of the message */
	r = &w.w.item->recipients[0];
	assert_int_equal(number_of(pf_mapi_tag(r, PF_TAG_RECIPIENT_TYPE)), 1);
	assert_int_equal(number_of(pf_mapi_tag(r, PF_TAG_RECIPIENT_FLAGS)), 3);
	r = &w.w.item->recipients[1];
	assert_int_equal(number_of(pf_mapi_tag(r, PF_TAG_RECIPIENT_TYPE)), 3);
	assert_int_equal(number_of(pf_mapi_tag(r, PF_TAG_RECIPIENT_TRACK_STATUS)), 4);
	assert_text(pf_mapi_text(pf_mapi_tag(r, PF_TAG_ADDRESS_TYPE)), "EX");
	assert_null(pf_mapi_tag(r, PF_TAG_SMTP_ADDRESS));
	end(&w);
}

/* Members that elements tell go before those of the blobs, which may be of the directory. */
static void members(void **state)
{
	static const char TEXT[] = ITEM("DistributionList",
		PROPERTY("DistinguishedPropertySetId=\"Address\" PropertyId=\"32852\"",
			"BinaryArray",
			"<t:Values>" VALUE("AQID") VALUE(
				"AQID") "</t:Values>") "<t:Members><t:Member><t:Mailbox><t:Name>"
						       "\xf0\x9f\x99\x82</t:Name><t:EmailAddress>"
						       "a@x</t:EmailAddress></t:Mailbox></"
						       "t:Member></t:Members>");
	static const uint8_t WANT[] = {0, 0, 0, 0, 0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19,
		0x9D, 0x6E, 0, 0xDD, 1, 0x0F, 0x54, 2, 0, 0, 1, 0x80, 0x3D, 0xD8, 0x42, 0xDE, 0, 0,
		'S', 0, 'M', 0, 'T', 0, 'P', 0, 0, 0, 'a', 0, '@', 0, 'x', 0, 0, 0};
	struct world w;
	const struct pf_mapi_value *v;

	(void)state;
	begin(&w);
	assert_int_equal(take(&w, TEXT, SIZE_MAX), PF_OK);
	v = pf_mapi_lid(&w.w.item->props, &pf_set_address, 0x8054);
	assert_non_null(v);
	assert_int_equal(v->many.n, 1);
	assert_true(pf_span_eq(v->many.v[0].bytes, pf_span(WANT, sizeof(WANT))));
	assert_int_equal(w.w.item->props.n, 1);
	end(&w);
}

/* What a large list has beside them does not count either, unless elements told fewer. */
static void members_of_a_large_list(void **state)
{
	static const struct {
		const char *stream; /* version, build, flags, how many, three sums: 28 bytes */
		bool kept;
	} CASES[] = {
		{"AQAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAA==", false},
		{"AQAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAA==", true},
		{"AQAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAA==", true},
		{"AQAA", false},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct world w;
		char text[2000];

		(void)snprintf(text, sizeof(text),
			ITEM("DistributionList",
				PROPERTY("DistinguishedPropertySetId=\"Address\" "
					 "PropertyId=\"32868\"",
					"Binary", VALUE("%s")) "<t:Members><t:Member><t:Mailbox>"
							       "<t:EmailAddress>a@x"
							       "</t:EmailAddress>"
							       "</t:Mailbox></t:Member>"
							       "</t:Members>"),
			CASES[i].stream);
		begin(&w);
		assert_int_equal(take(&w, text, SIZE_MAX), PF_OK);
		assert_int_equal(pf_mapi_lid(&w.w.item->props, &pf_set_address, 0x8064) != NULL,
			CASES[i].kept);
		assert_non_null(pf_mapi_lid(&w.w.item->props, &pf_set_address, 0x8054));
		end(&w);
	}
}

/* ---- what is lacking ---- */

static void attachments(void **state)
{
	static const char TEXT[] = ITEM("Message",
		"<t:Attachments><t:FileAttachment><t:AttachmentId Id=\"F\"/><t:Name>a.txt</t:Name>"
		"<t:ContentType>text/plain</t:ContentType><t:Size>12</t:Size><t:IsInline>true"
		"</t:IsInline></t:FileAttachment><t:ItemAttachment><t:AttachmentId Id=\"I\"/>"
		"</t:ItemAttachment><t:ReferenceAttachment><t:AttachmentId Id=\"R\"/>"
		"<t:AttachLongPathName>https://x</t:AttachLongPathName></t:ReferenceAttachment>"
		"</t:Attachments>");
	static const char CONTENT[] =
		FILE_OF("<t:FileAttachment><t:AttachmentId Id=\"F\"/><t:Content>Zm9v</t:Content>"
			"</t:FileAttachment>");
	static const char INNER[] =
		FILE_OF("<t:ItemAttachment><t:AttachmentId Id=\"I\"/><t:Name>n</t:Name><t:Message>"
			"<t:Subject>Within</t:Subject><t:Attachments><t:FileAttachment>"
			"<t:AttachmentId Id=\"D\"/></t:FileAttachment></t:Attachments></t:Message>"
			"</t:ItemAttachment>");
	static const char EMPTY[] = FILE_OF("<t:ItemAttachment><t:AttachmentId Id=\"I\"/>"
					    "</t:ItemAttachment>");
	struct pf_mapi_attachment *v;
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(take(&w, TEXT, SIZE_MAX), PF_OK);
	v = w.w.item->attachments;
	assert_int_equal(w.w.item->attachments_n, 3);
	assert_int_equal(w.w.lack_n, 2);
	assert_text(w.w.lack[0].id, "F");
	assert_int_equal(w.w.lack[0].size, 12);
	assert_true(pf_mapi_true(pf_mapi_tag(&v[0].props, PF_TAG_ATTACHMENT_HIDDEN)));
	assert_int_equal(v[2].kind, PF_MAPI_ATTACH_REFERENCE);
	assert_text(
		pf_mapi_text(pf_mapi_tag(&v[2].props, PF_TAG_ATTACH_LONG_PATHNAME)), "https://x");
	assert_int_equal(take(&w, CONTENT, 0), PF_OK);
	assert_text(v[0].data, "foo");
	assert_int_equal(take(&w, EMPTY, 1), PF_FAIL);
	assert_int_equal(take(&w, INNER, 1), PF_OK);
	assert_true(v[1].kind == PF_MAPI_ATTACH_ITEM && v[1].item);
	assert_text(pf_mapi_text(pf_mapi_tag(&v[1].item->props, PF_TAG_SUBJECT)), "Within");
	assert_int_equal(w.w.lack_n, 3);
	assert_true(w.w.lack[2].of == v[1].item && w.w.lack[2].depth == 1);
	assert_int_equal(take(&w, CONTENT, 2), PF_OK);
	assert_text(v[1].item->attachments[0].data, "foo");
	end(&w);
}

/* Items within items, as deep as somebody likes. */
static void depth(void **state)
{
	static const char TEXT[] =
		ITEM("Message", "<t:Attachments><t:ItemAttachment><t:AttachmentId Id=\"I\"/>"
				"</t:ItemAttachment></t:Attachments>");
	static const char INNER[] = FILE_OF(
		"<t:ItemAttachment><t:Message><t:Attachments><t:ItemAttachment><t:AttachmentId "
		"Id=\"I\"/></t:ItemAttachment></t:Attachments></t:Message></t:ItemAttachment>");
	struct world w;
	size_t n = 0;

	(void)state;
	begin(&w);
	assert_int_equal(take(&w, TEXT, SIZE_MAX), PF_OK);
	while (n < 100 && take(&w, INNER, n) == PF_OK) {
		n++;
	}
	assert_int_equal(n, 15);
	assert_int_equal(w.err.scope, PF_SCOPE_ITEM);
	end(&w);
}

static void occurrences(void **state)
{
	static const char TEXT[] = ITEM("CalendarItem",
		"<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id=\"O\"/><t:Start>"
		"2024-01-15T09:00:00Z</t:Start><t:OriginalStart>2024-01-15T08:00:00Z"
		"</t:OriginalStart></t:Occurrence></t:ModifiedOccurrences>");
	static const char ONE[] = ITEM("CalendarItem",
		"<t:Subject>Later</t:Subject>" PROPERTY(
			"DistinguishedPropertySetId=\"Appointment\" PropertyId=\"33302\"", "Binary",
			VALUE("AQID"))
			PROPERTY("DistinguishedPropertySetId=\"Appointment\" PropertyId=\"33320\"",
				"SystemTime", VALUE("2001-01-01T00:00:00Z")));
	const struct pf_mapi_attachment *a;
	struct world w;
	int64_t s = 0;

	(void)state;
	begin(&w);
	assert_int_equal(take(&w, TEXT, SIZE_MAX), PF_OK);
	assert_int_equal(w.w.lack_n, 1);
	assert_true(w.w.lack[0].occurrence);
	assert_int_equal(take(&w, ONE, 0), PF_OK);
	a = &w.w.item->attachments[0];
	assert_int_equal(number_of(pf_mapi_tag(&a->props, PF_TAG_ATTACHMENT_FLAGS)), 2);
	assert_text(pf_mapi_text(pf_mapi_tag(&a->item->props, PF_TAG_SUBJECT)), "Later");
	assert_null(pf_mapi_lid(&a->item->props, &pf_set_appointment, 0x8216));
	assert_true(pf_mapi_unix(pf_mapi_lid(&a->item->props, &pf_set_appointment, 0x8228), &s));
	assert_int_equal(s, 1705305600); /* when it would be, as the series tells it */
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asking),
		cmocka_unit_test(searching),
		cmocka_unit_test(moments),
		cmocka_unit_test(values),
		cmocka_unit_test(no_values),
		cmocka_unit_test(people_and_texts),
		cmocka_unit_test(members),
		cmocka_unit_test(members_of_a_large_list),
		cmocka_unit_test(attachments),
		cmocka_unit_test(depth),
		cmocka_unit_test(occurrences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
