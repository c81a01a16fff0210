/*
 * Contacts and groups of vCard 2.1, 3.0 and 4.0, from the other side of mapi_contact.c.
 */
#include "convert/make_private.h"

#include "base/utf8.h"

#include <stdio.h>

enum { MAILS = 3, PLACES = 3, PARTS = 7, SLOTS = 2 };

static const char UID[] = "vcarduid";

struct card {
	struct make m;
	struct pf_vcards *v;
	const struct pf_line *mail[MAILS];
	size_t mail_n;
	bool place[PLACES];
};

static struct pf_span text_of(struct card *k, const struct pf_line *l)
{
	return make_unescaped(&k->m, pf_vcard_value(k->v, l));
}

static void lost(struct card *k, const struct pf_line *l, const char *why)
{
	make_lost(&k->m, "%.40s%s", (const char *)make_keep(&k->m, l->name).p, why);
}

/* ---- types ---- */

/* Whether any of the line's types is this one: "HOME", "TYPE=HOME,FAX", "TYPE=\"home,fax\"". */
static bool has_type(const struct pf_line *l, const char *type)
{
	struct pf_span rest = l->params, name, value, list, word;

	while (pf_params_next(&rest, &name, &value)) {
		if (name.n > 0 && !pf_span_is(name, "TYPE")) {
			continue;
		}
		for (list = value; pf_list_next(&list, &word);) {
			if (pf_span_is(word, type)) {
				return true;
			}
		}
	}
	return false;
}

static bool is_preferred(const struct pf_line *l)
{
	struct pf_span pref = pf_params_find(l->params, "PREF");

	return has_type(l, "PREF") || (pref.p && pf_span_is(pref, "1"));
}

/* ---- what has a property of its own ---- */

struct target {
	uint16_t id;
	const struct pf_guid *set; /* NULL: a tag */
};

/* The first line of a name fills the first property, the second the next; a third is lost. */
static void put_slot(struct card *k, const struct pf_line *l, struct pf_span value,
	const struct target *slots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct pf_mapi_props *in = &k->m.item->props;
		bool taken = slots[i].set ? pf_mapi_lid(in, slots[i].set, slots[i].id) != NULL
					  : pf_mapi_tag(in, slots[i].id) != NULL;

		if (taken || value.n == 0) {
			continue;
		}
		if (slots[i].set) {
			make_lid(&k->m, slots[i].set, slots[i].id, make_text(value));
		} else {
			make_tag(&k->m, slots[i].id, make_text(value));
		}
		return;
	}
	if (value.n > 0) {
		lost(k, l, ", one more than there is room for");
	}
}

static const struct {
	const char *name;
	struct target slot[4];
	size_t n;
} SIMPLE[] = {
	{"NICKNAME", {{0x3A4F, NULL}}, 1},
	{"TITLE", {{0x3A17, NULL}}, 1},
	{"ROLE", {{0x3A46, NULL}}, 1},
	{"X-MS-SPOUSE", {{0x3A48, NULL}}, 1},
	{"X-SPOUSE", {{0x3A48, NULL}}, 1},
	{"X-MS-MANAGER", {{0x3A4E, NULL}}, 1},
	{"X-MANAGER", {{0x3A4E, NULL}}, 1},
	{"X-MS-ASSISTANT", {{0x3A30, NULL}}, 1},
	{"X-ASSISTANT", {{0x3A30, NULL}}, 1},
	{"X-MS-INTERESTS", {{0x3A43, NULL}}, 1},
	{"X-MS-OFFICE", {{0x3A19, NULL}}, 1},
	{"X-MS-IMADDRESS", {{0x8062, &pf_set_address}}, 1},
	{"FBURL", {{0x80D8, &pf_set_address}}, 1},
	{"X-MS-FILEAS", {{0x8005, &pf_set_address}}, 1},
	{"X-MS-TEXT",
		{{0x804F, &pf_set_address}, {0x8050, &pf_set_address}, {0x8051, &pf_set_address},
			{0x8052, &pf_set_address}},
		4},
	{"X-PHONETIC-FIRST-NAME", {{0x802C, &pf_set_address}}, 1},
	{"X-PHONETIC-LAST-NAME", {{0x802D, &pf_set_address}}, 1},
	{"X-PHONETIC-ORG", {{0x802E, &pf_set_address}}, 1},
	{"FN", {{PF_TAG_DISPLAY_NAME, NULL}}, 1},
	{"NOTE", {{PF_TAG_BODY, NULL}}, 1},
};

static bool take_simple(struct card *k, const struct pf_line *l)
{
	for (size_t i = 0; i < PF_COUNT(SIMPLE); i++) {
		if (pf_span_is(l->name, SIMPLE[i].name)) {
			put_slot(k, l, text_of(k, l), SIMPLE[i].slot, SIMPLE[i].n);
			return true;
		}
	}
	return false;
}

/* ---- telephones ---- */

/* By the types that must be there; the first that fits counts. */
static const struct {
	const char *type[2];
	struct target slot[SLOTS];
} PHONES[] = {
	{{"WORK", "FAX"}, {{0x3A24, NULL}}},
	{{"HOME", "FAX"}, {{0x3A25, NULL}}},
	{{"FAX", NULL}, {{0x3A23, NULL}}},
	{{"CELL", NULL}, {{0x3A1C, NULL}}},
	{{"PAGER", NULL}, {{0x3A21, NULL}}},
	{{"CAR", NULL}, {{0x3A1E, NULL}}},
	{{"ISDN", NULL}, {{0x3A2D, NULL}}},
	{{"ASSISTANT", NULL}, {{0x3A2E, NULL}}},
	{{"CALLBACK", NULL}, {{0x3A02, NULL}}},
	{{"COMPANY", NULL}, {{0x3A57, NULL}}},
	{{"RADIO", NULL}, {{0x3A1D, NULL}}},
	{{"TTYTDD", NULL}, {{0x3A4B, NULL}}},
	{{"TELEX", NULL}, {{0x3A2C, NULL}}},
	{{"WORK", NULL}, {{0x3A08, NULL}, {0x3A1B, NULL}}},
	{{"HOME", NULL}, {{0x3A09, NULL}, {0x3A2F, NULL}}},
	{{"PREF", NULL}, {{0x3A1A, NULL}}},
	{{NULL, NULL}, {{0x3A1F, NULL}}},
};

static void take_phone(struct card *k, const struct pf_line *l)
{
	struct pf_span value = text_of(k, l);

	if (pf_span_starts(value, "tel:")) {
		value = pf_span_from(value, 4);
	}
	for (size_t i = 0; i < PF_COUNT(PHONES); i++) {
		const char *const *type = PHONES[i].type;

		if ((!type[0] || has_type(l, type[0]) ||
			    (!type[1] && strcmp(type[0], "PREF") == 0 && is_preferred(l))) &&
			(!type[1] || has_type(l, type[1]))) {
			put_slot(k, l, value, PHONES[i].slot, PHONES[i].slot[1].id ? 2 : 1);
			return;
		}
	}
}

/* ---- addresses ---- */

static void take_mail(struct card *k, const struct pf_line *l)
{
	size_t at = k->mail_n;

	if (at == MAILS) {
		lost(k, l, ", one more than there is room for");
		return;
	}
	/* the preferred one first, as the first is what Outlook writes to */
	for (; is_preferred(l) && at > 0 && !is_preferred(k->mail[at - 1]); at--) {
		k->mail[at] = k->mail[at - 1];
	}
	k->mail[at] = l;
	k->mail_n++;
}

static void put_mails(struct card *k)
{
	for (size_t i = 0; i < k->mail_n; i++) {
		uint32_t lid = 0x8080 + (uint32_t)i * 0x10;
		struct pf_span address = text_of(k, k->mail[i]);

		address = pf_span_starts(address, "mailto:") ? pf_span_from(address, 7) : address;
		make_lid(&k->m, &pf_set_address, lid, make_text(address));
		make_lid(&k->m, &pf_set_address, lid + 2, make_text(pf_span_str("SMTP")));
		make_lid(&k->m, &pf_set_address, lid + 3, make_text(address));
		make_lid(&k->m, &pf_set_address, lid + 4, make_text(address));
		if (has_type(k->mail[i], "HOME") || has_type(k->mail[i], "WORK")) {
			lost(k, k->mail[i], ";TYPE");
		}
	}
}

struct place {
	const char *type; /* NULL: any other */
	int index;        /* PidLidPostalAddressId */
	uint32_t label;
	bool named;
	uint16_t part[PARTS]; /* in the order of an ADR; 0: there is none */
};

static const struct place PLACE[PLACES] = {
	{"WORK", 2, 0x801B, true, {0x804A, 0, 0x8045, 0x8046, 0x8047, 0x8048, 0x8049}},
	{"HOME", 1, 0x801A, false, {0x3A5E, 0, 0x3A5D, 0x3A59, 0x3A5C, 0x3A5B, 0x3A5A}},
	{NULL, 3, 0x801C, false, {0x3A64, 0, 0x3A63, 0x3A5F, 0x3A62, 0x3A61, 0x3A60}},
};

static size_t place_of(const struct pf_line *l)
{
	return has_type(l, "WORK") ? 0 : has_type(l, "HOME") ? 1 : 2;
}

static void take_place(struct card *k, const struct pf_line *l)
{
	size_t i = place_of(l), at = 0;
	const struct place *p = &PLACE[i];
	struct pf_span rest = pf_vcard_value(k->v, l), part, label;

	if (k->place[i]) {
		lost(k, l, ", one more than there is room for");
		return;
	}
	k->place[i] = true;
	for (; pf_value_next(&rest, ';', &part) && at < PARTS; at++) {
		struct pf_span said = make_unescaped(&k->m, part);

		if (said.n > 0 && !p->part[at]) {
			lost(k, l, ", its second part");
		} else if (said.n > 0 && p->named) {
			make_lid(&k->m, &pf_set_address, p->part[at], make_text(said));
		} else if (said.n > 0) {
			make_tag(&k->m, p->part[at], make_text(said));
		}
	}
	label = make_param(&k->m, l, "LABEL");
	if (label.n > 0) {
		make_lid(&k->m, &pf_set_address, p->label, make_text(make_unescaped(&k->m, label)));
	}
	if (is_preferred(l) && !pf_mapi_lid(&k->m.item->props, &pf_set_address, 0x8022)) {
		make_lid(&k->m, &pf_set_address, 0x8022, make_number(p->index));
	}
}

static void take_label(struct card *k, const struct pf_line *l)
{
	const struct target slot = {(uint16_t)PLACE[place_of(l)].label, &pf_set_address};

	put_slot(k, l, text_of(k, l), &slot, 1);
}

static void take_url(struct card *k, const struct pf_line *l)
{
	static const struct target SITES[] = {{0x3A51, NULL}, {0x3A50, NULL}};
	bool home = has_type(l, "HOME");

	put_slot(k, l, text_of(k, l), &SITES[home ? 1 : 0], 1);
	if (!home && !has_type(l, "WORK")) {
		lost(k, l, ";TYPE"); /* it becomes one of work */
	}
}

static void take_chat(struct card *k, const struct pf_line *l)
{
	const struct target slot = {0x8062, &pf_set_address};

	put_slot(k, l, text_of(k, l), &slot, 1);
	lost(k, l, ";TYPE");
}

/* ---- names ---- */

static void take_names(struct card *k, const struct pf_line *l)
{
	static const uint16_t PARTS_OF_N[] = {0x3A11, 0x3A06, 0x3A44, 0x3A45, 0x3A05};
	struct pf_span rest = pf_vcard_value(k->v, l), part, sort = make_param(&k->m, l, "SORT-AS");

	for (size_t i = 0; i < PF_COUNT(PARTS_OF_N) && pf_value_next(&rest, ';', &part); i++) {
		struct pf_span said = make_unescaped(&k->m, part);

		if (said.n > 0) {
			make_tag(&k->m, PARTS_OF_N[i], make_text(said));
		}
	}
	if (sort.n > 0 && !pf_mapi_lid(&k->m.item->props, &pf_set_address, 0x8005)) {
		make_lid(&k->m, &pf_set_address, 0x8005, make_text(sort));
	}
}

static void take_org(struct card *k, const struct pf_line *l)
{
	static const struct target COMPANY = {0x3A16, NULL}, DEPARTMENT = {0x3A18, NULL};
	struct pf_span rest = pf_vcard_value(k->v, l), part;
	size_t at = 0;

	for (; pf_value_next(&rest, ';', &part); at++) {
		struct pf_span said = make_unescaped(&k->m, part);

		if (at < 2) {
			put_slot(k, l, said, at == 0 ? &COMPANY : &DEPARTMENT, 1);
		} else if (said.n > 0) {
			lost(k, l, ", its third part");
		}
	}
}

/* ---- the rest ---- */

static bool two_digits(struct pf_span s, size_t at, int *out)
{
	if (at + 2 > s.n || s.p[at] < '0' || s.p[at] > '9' || s.p[at + 1] < '0' ||
		s.p[at + 1] > '9') {
		return false;
	}
	*out = (s.p[at] - '0') * 10 + s.p[at + 1] - '0';
	return true;
}

/* "1985-04-12", "19850412", with a time behind it or not. */
static bool day_of(struct pf_span s, int64_t *utc_s)
{
	int hundreds, years, month, day;
	bool dashes = s.n > 4 && s.p[4] == '-';
	struct pf_civil c = {0};

	if (!two_digits(s, 0, &hundreds) || !two_digits(s, 2, &years) ||
		!two_digits(s, dashes ? 5 : 4, &month) || !two_digits(s, dashes ? 8 : 6, &day)) {
		return false;
	}
	c.year = hundreds * 100 + years;
	c.month = month;
	c.day = day;
	if (!pf_civil_valid(&c) || c.year <= 1601) {
		return false;
	}
	*utc_s = pf_civil_to_unix(&c);
	return true;
}

static void take_day(struct card *k, const struct pf_line *l)
{
	bool birth = pf_span_is(l->name, "BDAY");
	uint16_t tag = birth ? 0x3A42 : 0x3A41;
	int64_t utc_s;

	if (pf_mapi_tag(&k->m.item->props, tag) || !day_of(pf_vcard_value(k->v, l), &utc_s)) {
		lost(k, l, " that is no whole date");
		return;
	}
	make_tag(&k->m, tag, make_time(utc_s));
	make_lid(&k->m, &pf_set_address, birth ? 0x80DE : 0x80DF, make_time(utc_s));
}

static void take_gender(struct card *k, const struct pf_line *l)
{
	struct pf_span v = pf_vcard_value(k->v, l);

	if (v.n == 1 && (v.p[0] == 'F' || v.p[0] == 'M')) {
		make_tag(&k->m, 0x3A4D, make_number(v.p[0] == 'F' ? 1 : 2));
	} else {
		lost(k, l, " in words");
	}
}

static void take_class(struct card *k, const struct pf_line *l)
{
	make_class(&k->m, l->value);
}

static void take_categories(struct card *k, const struct pf_line *l)
{
	make_categories(&k->m, pf_vcard_value(k->v, l));
}

static void take_related(struct card *k, const struct pf_line *l)
{
	static const struct target SPOUSE = {0x3A48, NULL};
	struct pf_span value = text_of(k, l);
	struct pf_span kind = pf_params_find(l->params, "VALUE");
	struct pf_mapi_value many = {.type = PF_MAPI_STRING | PF_MAPI_MANY};

	if (!pf_span_is(l->name, "X-MS-CHILD") && !(kind.p && pf_span_is(kind, "text"))) {
		lost(k, l, " of a URI");
		return;
	}
	if (has_type(l, "spouse")) {
		put_slot(k, l, value, &SPOUSE, 1);
		return;
	}
	if (!has_type(l, "child") && !pf_span_is(l->name, "X-MS-CHILD")) {
		lost(k, l, ";TYPE");
		return;
	}
	for (size_t i = 0; i < k->m.item->props.n; i++) {
		if (k->m.item->props.v[i].id == 0x3A58) {
			lost(k, l, ", one more than there is room for");
			return;
		}
	}
	many.many.v = pf_arena_alloc(k->m.arena, sizeof(*many.many.v));
	if (!many.many.v) {
		make_no_memory(&k->m);
		return;
	}
	many.many.v[0] = make_text(value);
	many.many.n = 1;
	make_tag(&k->m, 0x3A58, many);
}

/* "data:image/png;base64,..." or a value that is base64; false: a reference. */
static bool image_of(struct card *k, const struct pf_line *l, struct pf_span *out)
{
	struct pf_span value = pf_vcard_value(k->v, l);
	struct pf_span encoding = pf_params_find(l->params, "ENCODING");
	bool data = pf_span_starts(value, "data:");
	const uint8_t *comma = data && value.n > 0 ? memchr(value.p, ',', value.n) : NULL;

	if (!comma && !(encoding.p && pf_span_starts(encoding, "B")) && !has_type(l, "BASE64")) {
		return false;
	}
	if (comma) {
		value = pf_span_from(value, (size_t)(comma + 1 - value.p));
	}
	return make_decoded(&k->m, value, out) && out->n > 0;
}

static void take_photo(struct card *k, const struct pf_line *l)
{
	struct pf_mapi_attachment *a;
	struct pf_span image;

	if (k->m.item->attachments_n > 0 || !image_of(k, l, &image)) {
		lost(k, l,
			k->m.item->attachments_n > 0 ? ", one more than there is room for"
						     : " of a URI");
		return;
	}
	a = make_file(&k->m, pf_span_str("ContactPicture.jpg"), pf_span(NULL, 0));
	if (a) {
		a->data = image;
		make_to(&k->m, &a->props, PF_TAG_ATTACHMENT_CONTACT_PHOTO, make_truth(true));
		make_lid(&k->m, &pf_set_address, 0x8015, make_truth(true));
	}
}

/* Dealt with elsewhere, or of no meaning in another place. */
static void take_nothing(struct card *k, const struct pf_line *l)
{
	(void)k;
	(void)l;
}

static void take_line(struct card *k, const struct pf_line *l)
{
	static const struct {
		const char *name;
		void (*take)(struct card *k, const struct pf_line *l);
	} LINES[] = {
		{"N", take_names},
		{"ORG", take_org},
		{"TEL", take_phone},
		{"X-MS-TEL", take_phone},
		{"EMAIL", take_mail},
		{"ADR", take_place},
		{"LABEL", take_label},
		{"URL", take_url},
		{"IMPP", take_chat},
		{"BDAY", take_day},
		{"ANNIVERSARY", take_day},
		{"X-ANNIVERSARY", take_day},
		{"X-MS-ANNIVERSARY", take_day},
		{"GENDER", take_gender},
		{"X-GENDER", take_gender},
		{"CLASS", take_class},
		{"X-CLASS", take_class},
		{"CATEGORIES", take_categories},
		{"RELATED", take_related},
		{"X-MS-CHILD", take_related},
		{"PHOTO", take_photo},
		{"UID", take_nothing},
		{"REV", take_nothing},
		{"PRODID", take_nothing},
		{"VERSION", take_nothing},
		{"BEGIN", take_nothing},
		{"END", take_nothing},
		{"KIND", take_nothing},
	};

	for (size_t i = 0; i < PF_COUNT(LINES); i++) {
		if (pf_span_is(l->name, LINES[i].name)) {
			LINES[i].take(k, l);
			return;
		}
	}
	if (!take_simple(k, l)) {
		lost(k, l, "");
	}
}

static void put_uid(struct make *m, struct pf_vcards *v)
{
	const struct pf_line *l = pf_vcard_find(v, 0, "UID");

	if (l && l->value.n > 0) {
		make_named(m, UID, make_text(make_unescaped(m, pf_vcard_value(v, l))));
	}
}

void make_card_item(struct make *m, struct pf_vcards *v)
{
	struct card k = {.m = *m, .v = v};

	make_tag(&k.m, PF_TAG_MESSAGE_CLASS, make_text(pf_span_str("IPM.Contact")));
	put_uid(&k.m, v);
	for (size_t i = v->card[0].begin; i < v->card[0].end && i < v->line_count; i++) {
		if (!v->line[i].bad) {
			take_line(&k, &v->line[i]);
		}
		if (v->line[i].group.n > 0 && pf_span_is(v->line[i].name, "X-ABLABEL")) {
			make_lost(&k.m, "X-ABLABEL");
		}
	}
	put_mails(&k);
	*m = k.m;
}
