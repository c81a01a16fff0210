#include "convert/mapi_contact.h"

#include "base/utf8.h"
#include "convert/form_private.h"
#include "model/mapi_tags.h"

enum {
	CERTIFICATE = 0x3A70,
	V3 = 30,
	ADDRESS_INDEX = 0x8022, /* 1 home, 2 work, 3 other: where mail goes to */
};

static bool is_v3(const struct form *f)
{
	return f->version == V3;
}

static struct pf_span address_text(struct form *f, uint32_t lid)
{
	return form_lid_text(f, &pf_set_address, lid);
}

/* ---- who ---- */

static void begin_card(struct form *f)
{
	struct pf_span uid = form_stored_uid(f);
	char made[PF_UUID_TEXT], urn[PF_UUID_TEXT + 16];

	pf_mapi_linef(&f->o, "BEGIN", "VCARD");
	pf_mapi_linef(&f->o, "VERSION", "%s", is_v3(f) ? "3.0" : "4.0");
	pf_mapi_linef(&f->o, "PRODID", "-//postferry//postferry//EN");
	if (uid.n > 0) {
		pf_mapi_line_text(&f->o, "UID", uid);
	} else {
		pf_mapi_made_uid(f->ways, made);
		(void)snprintf(urn, sizeof(urn), "%s%s", is_v3(f) ? "" : "urn:uuid:", made);
		pf_mapi_linef(&f->o, "UID", "%s", urn);
	}
	form_moment(f, "REV", form_tag(f, PF_TAG_LAST_MODIFICATION_TIME));
}

static struct pf_span first_of(const struct pf_span *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (texts[i].n > 0) {
			return texts[i];
		}
	}
	return pf_span_str("?");
}

static void put_names(struct form *f)
{
	const struct pf_span n[] = {form_tag_text(f, 0x3A11), form_tag_text(f, 0x3A06),
		form_tag_text(f, 0x3A44), form_tag_text(f, 0x3A45), form_tag_text(f, 0x3A05)};
	struct pf_span file_as = address_text(f, 0x8005), company = form_tag_text(f, 0x3A16);
	const struct pf_span shown[] = {form_tag_text(f, PF_TAG_DISPLAY_NAME), file_as,
		form_tag_text(f, PF_TAG_SUBJECT), n[0], n[1], company, address_text(f, 0x8084),
		address_text(f, 0x8083)};
	const struct pf_span org[] = {company, form_tag_text(f, 0x3A18)};

	pf_mapi_line_text(&f->o, "FN", first_of(shown, PF_COUNT(shown)));
	pf_mapi_line_begin(&f->o, "N");
	if (!is_v3(f)) {
		pf_mapi_line_param(&f->o, "SORT-AS", file_as);
	}
	(void)pf_mapi_line_parts(
		&f->o, n, PF_COUNT(n), ';'); /* one that is empty has to be there */
	pf_mapi_line_end(&f->o);
	if (is_v3(f)) {
		pf_mapi_line_text(&f->o, "X-MS-FILEAS", file_as);
	}
	form_list(f, "ORG", org, org[1].n > 0 ? 2 : 1, ';');
}

/* ---- lines from one property ---- */

/* In the order of [MS-OXVCARD] 2.1.3; `v4` NULL: as in 3.0. */
static const struct {
	uint16_t tag;
	const char *v3, *v4;
} SIMPLE[] = {
	{0x3A4F, "NICKNAME", NULL},
	{0x3A17, "TITLE", NULL},
	{0x3A46, "ROLE", NULL},
	{0x3A08, "TEL;TYPE=WORK,VOICE", "TEL;TYPE=\"work,voice\""},
	{0x3A1B, "TEL;TYPE=WORK,VOICE", "TEL;TYPE=\"work,voice\""},
	{0x3A09, "TEL;TYPE=HOME,VOICE", "TEL;TYPE=\"home,voice\""},
	{0x3A2F, "TEL;TYPE=HOME,VOICE", "TEL;TYPE=\"home,voice\""},
	{0x3A1C, "TEL;TYPE=CELL", "TEL;TYPE=cell"},
	{0x3A21, "TEL;TYPE=PAGER", "TEL;TYPE=pager"},
	{0x3A24, "TEL;TYPE=WORK,FAX", "TEL;TYPE=\"work,fax\""},
	{0x3A25, "TEL;TYPE=HOME,FAX", "TEL;TYPE=\"home,fax\""},
	{0x3A23, "TEL;TYPE=FAX", "TEL;TYPE=fax"},
	{0x3A1E, "TEL;TYPE=CAR", NULL},
	{0x3A2D, "TEL;TYPE=ISDN", NULL},
	{0x3A1A, "TEL;TYPE=PREF", "TEL;PREF=1"},
	{0x3A1F, "TEL;TYPE=VOICE", "TEL;TYPE=voice"},
	{0x3A2E, "X-MS-TEL;TYPE=ASSISTANT", NULL},
	{0x3A02, "X-MS-TEL;TYPE=CALLBACK", NULL},
	{0x3A57, "X-MS-TEL;TYPE=COMPANY", NULL},
	{0x3A1D, "X-MS-TEL;TYPE=RADIO", NULL},
	{0x3A4B, "X-MS-TEL;TYPE=TTYTDD", NULL},
	{0x3A2C, "X-MS-TEL;TYPE=TELEX", NULL},
	{0x3A51, "URL;TYPE=WORK", NULL},
	{0x3A50, "URL;TYPE=HOME", NULL},
	{0x3A48, "X-MS-SPOUSE", "RELATED;TYPE=spouse;VALUE=text"},
	{0x3A58, "X-MS-CHILD", "RELATED;TYPE=child;VALUE=text"},
	{0x3A4E, "X-MS-MANAGER", NULL},
	{0x3A30, "X-MS-ASSISTANT", NULL},
	{0x3A43, "X-MS-INTERESTS", NULL},
	{0x3A19, "X-MS-OFFICE", NULL},
};

/* Of the set Address ([MS-OXOCNTC] 2.2.1). */
static const struct {
	uint16_t lid;
	const char *head;
} NAMED[] = {
	{0x8062, "X-MS-IMADDRESS"},
	{0x80D8, "FBURL"},
	{0x804F, "X-MS-TEXT"},
	{0x8050, "X-MS-TEXT"},
	{0x8051, "X-MS-TEXT"},
	{0x8052, "X-MS-TEXT"},
	{0x802C, "X-PHONETIC-FIRST-NAME"},
	{0x802D, "X-PHONETIC-LAST-NAME"},
	{0x802E, "X-PHONETIC-ORG"},
};

static void put_simple(struct form *f)
{
	for (size_t i = 0; i < PF_COUNT(SIMPLE); i++) {
		const char *head = !is_v3(f) && SIMPLE[i].v4 ? SIMPLE[i].v4 : SIMPLE[i].v3;

		form_each(f, head, form_tag(f, SIMPLE[i].tag));
	}
	for (size_t i = 0; i < PF_COUNT(NAMED); i++) {
		pf_mapi_line_text(&f->o, NAMED[i].head, address_text(f, NAMED[i].lid));
	}
}

/* ---- addresses ---- */

static bool put_mail(struct form *f, const struct pf_mapi_person *who, bool first)
{
	struct pf_span address;

	if (f->o.rc != PF_OK ||
		pf_mapi_address(f->ways, f->losses, who, &address, f->err) != PF_OK) {
		f->o.rc = PF_FAIL;
		return false;
	}
	if (address.n == 0) {
		return false;
	}
	pf_mapi_line_text(&f->o,
		is_v3(f) ? (first ? "EMAIL;TYPE=INTERNET,PREF" : "EMAIL;TYPE=INTERNET")
			 : (first ? "EMAIL;PREF=1" : "EMAIL"),
		address);
	return true;
}

static void put_mails(struct form *f)
{
	static const uint32_t FIRST[] = {0x8080, 0x8090, 0x80A0};
	bool any = false;

	for (size_t i = 0; i < PF_COUNT(FIRST); i++) {
		uint32_t lid = FIRST[i];
		struct pf_mapi_person who = {.type = address_text(f, lid + 2),
			.address = address_text(f, lid + 3),
			.name = address_text(f, lid)};
		struct pf_span original = address_text(f, lid + 4);

		/* A directory's address stands beside what was shown for it, mostly SMTP. */
		who.smtp =
			pf_span_is(who.type, "SMTP") && who.address.n > 0 ? who.address : original;
		any = put_mail(f, &who, !any) || any;
	}
	if (!any) {
		struct pf_mapi_person who = {.smtp = form_tag_text(f, PF_TAG_SMTP_ADDRESS),
			.type = form_tag_text(f, PF_TAG_ADDRESS_TYPE),
			.address = form_tag_text(f, PF_TAG_EMAIL_ADDRESS)};

		(void)put_mail(f, &who, true);
	}
}

struct place {
	const char *type; /* NULL: none */
	int64_t index;    /* as ADDRESS_INDEX counts them */
	uint32_t label;   /* of the set Address */
	bool named;       /* so are the parts */
	uint16_t part[6]; /* post office box, street, city, region, code, country */
};

/* "ADR;TYPE=WORK,PREF" and its like, in the arena. */
static const char *place_head(
	struct form *f, const struct place *p, const char *name, bool preferred)
{
	char text[64];
	const char *type = p->type ? p->type : "", *before = p->type ? ";TYPE=" : "";
	const char *pref = "";
	const char *head;

	if (preferred) {
		pref = !is_v3(f) ? ";PREF=1" : p->type ? ",PREF" : ";TYPE=PREF";
	}
	(void)snprintf(text, sizeof(text), "%s%s%s%s", name, before, type, pref);
	head = pf_arena_str(f->arena, text);
	if (!head) {
		f->o.rc = f->o.rc == PF_OK ? pf_fail_memory(f->err, "an address") : f->o.rc;
	}
	return head ? head : name;
}

static bool put_place(struct form *f, const struct place *p, bool preferred)
{
	struct pf_span part[7] = {{0}}, label = address_text(f, p->label);
	bool any;

	for (size_t i = 0; i < PF_COUNT(p->part); i++) {
		/* the second of an ADR is what nobody uses */
		part[i == 0 ? 0 : i + 1] =
			p->named ? address_text(f, p->part[i]) : form_tag_text(f, p->part[i]);
	}
	pf_mapi_line_begin(&f->o, place_head(f, p, "ADR", preferred));
	if (!is_v3(f)) {
		pf_mapi_line_param(&f->o, "LABEL", label);
	}
	any = pf_mapi_line_parts(&f->o, part, PF_COUNT(part), ';');
	if (any || (!is_v3(f) && label.n > 0)) {
		pf_mapi_line_end(&f->o);
	}
	if (is_v3(f)) {
		pf_mapi_line_text(&f->o, place_head(f, p, "LABEL", false), label);
	}
	return any || label.n > 0;
}

static void put_places(struct form *f)
{
	static const struct place PLACES[] = {
		{"HOME", 1, 0x801A, false, {0x3A5E, 0x3A5D, 0x3A59, 0x3A5C, 0x3A5B, 0x3A5A}},
		{"WORK", 2, 0x801B, true, {0x804A, 0x8045, 0x8046, 0x8047, 0x8048, 0x8049}},
		{NULL, 3, 0x801C, false, {0x3A64, 0x3A63, 0x3A5F, 0x3A62, 0x3A61, 0x3A60}},
	};
	/* The address that mail goes to, of items that have only this one. */
	static const struct place MAIL = {
		"WORK", 2, 0, false, {0x3A2B, 0x3A29, 0x3A27, 0x3A28, 0x3A2A, 0x3A26}};
	int64_t index = 0;
	bool any = false;

	(void)pf_mapi_number(form_lid(f, &pf_set_address, ADDRESS_INDEX), &index);
	for (size_t i = 0; i < PF_COUNT(PLACES); i++) {
		any = put_place(f, &PLACES[i], PLACES[i].index == index) || any;
	}
	for (size_t i = 0; any && i < PF_COUNT(MAIL.part); i++) {
		/* it repeats one of those */
		(void)pf_mapi_use(
			f->losses, PF_MAPI_IDLE, pf_mapi_tag(&f->item->props, MAIL.part[i]));
	}
	if (!any) {
		(void)put_place(f, &MAIL, false);
	}
}

/* ---- the rest ---- */

/* A date of the calendar: told as such (set Address), or as the UTC of its midnight somewhere. */
static void put_day(struct form *f, const char *head, uint16_t tag, uint32_t local)
{
	const struct pf_mapi_value *day = form_lid(f, &pf_set_address, local);
	const struct pf_mapi_value *utc = form_tag(f, tag);
	int64_t ignored;

	form_date(f, head, pf_mapi_unix(day, &ignored) ? day : utc, is_v3(f));
}

static void put_about(struct form *f)
{
	static const char *const CLASS[] = {"PUBLIC", "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"};
	static const char *const GENDER[] = {NULL, "F", "M"};
	int64_t n;

	put_day(f, "BDAY", 0x3A42, 0x80DE);
	put_day(f, is_v3(f) ? "X-MS-ANNIVERSARY" : "ANNIVERSARY", 0x3A41, 0x80DF);
	if (pf_mapi_number(form_tag(f, 0x3A4D), &n) && (n == 1 || n == 2)) {
		pf_mapi_linef(&f->o, is_v3(f) ? "X-GENDER" : "GENDER", "%s", GENDER[n]);
	}
	if (pf_mapi_number(form_tag(f, PF_TAG_SENSITIVITY), &n) && n > 0 && n <= 3) {
		pf_mapi_linef(&f->o, is_v3(f) ? "CLASS" : "X-CLASS", "%s", CLASS[n]);
	}
	form_categories(f);
}

/* PidTagUserX509Certificate ([MS-OXOABK] 2.2.4.36): u16 tag, u16 length with this head; 3 is the
 * certificate. */
static struct pf_span certificate(struct pf_span blob)
{
	struct pf_span rest = blob;

	while (rest.n >= 4) {
		size_t tag = rest.p[0] | (size_t)rest.p[1] << 8;
		size_t n = rest.p[2] | (size_t)rest.p[3] << 8;

		if (n < 4 || n > rest.n) {
			break;
		}
		if (tag == 3) {
			return pf_span(rest.p + 4, n - 4);
		}
		rest = pf_span_from(rest, n);
	}
	return blob;
}

static void put_keys(struct form *f)
{
	const struct pf_mapi_value *v = form_tag(f, CERTIFICATE);
	size_t n = !v ? 0 : (v->type & PF_MAPI_MANY) ? v->many.n : 1;

	for (size_t i = 0; i < n; i++) {
		struct pf_span key =
			certificate(pf_mapi_bytes((v->type & PF_MAPI_MANY) ? &v->many.v[i] : v));

		if (key.n > 0 && is_v3(f)) {
			form_binary(f, "KEY;ENCODING=b;TYPE=X509", "", key);
		} else if (key.n > 0) {
			form_binary(f, "KEY", "data:application/pkix-cert;base64,", key);
		}
	}
}

static bool is_photo(const struct pf_mapi_attachment *a)
{
	struct pf_span name = pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_LONG_FILENAME));

	if (name.n == 0) {
		name = pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_FILENAME));
	}
	return a->kind == PF_MAPI_ATTACH_DATA && a->data.n > 0 &&
	       (pf_mapi_true(pf_mapi_tag(&a->props, PF_TAG_ATTACHMENT_CONTACT_PHOTO)) ||
		       pf_span_is(name, "ContactPicture.jpg"));
}

static void put_photo(struct form *f, struct pf_span image)
{
	bool png = pf_span_starts(image, "\x89PNG"), gif = pf_span_starts(image, "GIF8");

	if (is_v3(f)) {
		form_binary(f,
			png   ? "PHOTO;ENCODING=b;TYPE=PNG"
			: gif ? "PHOTO;ENCODING=b;TYPE=GIF"
			      : "PHOTO;ENCODING=b;TYPE=JPEG",
			"", image);
	} else {
		form_binary(f, "PHOTO",
			png   ? "data:image/png;base64,"
			: gif ? "data:image/gif;base64,"
			      : "data:image/jpeg;base64,",
			image);
	}
}

static void put_attachments(struct form *f)
{
	bool photo = false;

	(void)form_lid(f, &pf_set_address, 0x8015);
	for (size_t i = 0; i < f->item->attachments_n; i++) {
		const struct pf_mapi_attachment *a = &f->item->attachments[i];

		if (is_photo(a) && !photo) {
			put_photo(f, a->data);
			photo = true;
		} else {
			pf_mapi_odd(f->losses, "a contact's attachment was left out");
		}
	}
}

static void put_note(struct form *f)
{
	struct pf_mapi_bodies b;

	if (f->o.rc == PF_OK) {
		f->o.rc = pf_mapi_body(f->item, f->arena, &b, f->err);
	}
	if (f->o.rc == PF_OK) {
		pf_mapi_line_text(&f->o, "NOTE", b.text);
	}
}

int pf_mapi_contact(const struct pf_mapi_item *item, int version, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err)
{
	struct form f;

	form_begin(&f, item, ways, losses, out, err);
	f.version = version;
	begin_card(&f);
	put_names(&f);
	put_mails(&f);
	put_places(&f);
	put_simple(&f);
	put_about(&f);
	put_note(&f);
	put_keys(&f);
	put_attachments(&f);
	pf_mapi_linef(&f.o, "END", "VCARD");
	return form_end(&f);
}
