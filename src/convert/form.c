#include "convert/form_private.h"

#include "base/civil.h"
#include "convert/mapi_within.h"
#include "convert/mapi_zone.h"
#include "model/mapi_tags.h"

void form_begin(struct form *f, const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err)
{
	*f = (struct form){.item = item,
		.ways = ways,
		.losses = losses,
		.arena = losses->arena,
		.was = out->n,
		.err = err};
	pf_mapi_lines_init(&f->o, out, losses->arena, err);
	(void)form_tag(f, PF_TAG_MESSAGE_CLASS); /* the kind of object says it */
}

/* What repeats something else, or tells of the program and the store that wrote the item. */
static void note_idle(struct form *f)
{
	static const uint16_t TAGS[] = {0x0002, 0x0E1F, PF_TAG_CLIENT_SUBMIT_TIME,
		PF_TAG_MESSAGE_DELIVERY_TIME, PF_TAG_NORMALIZED_SUBJECT,
		PF_TAG_SENT_REPRESENTING_NAME, PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE,
		PF_TAG_SENT_REPRESENTING_EMAIL, PF_TAG_SENDER_NAME, PF_TAG_SENDER_ADDRESS_TYPE,
		PF_TAG_SENDER_EMAIL};
	static const uint16_t COMMON[] = {0x8510, 0x8552, 0x8554, 0x8580, 0x8581, 0x85BF};
	const struct pf_mapi_props *props = &f->item->props;

	for (size_t i = 0; i < PF_COUNT(TAGS); i++) {
		(void)pf_mapi_use(f->losses, PF_MAPI_IDLE, pf_mapi_tag(props, TAGS[i]));
	}
	for (size_t i = 0; i < PF_COUNT(COMMON); i++) {
		(void)pf_mapi_use(
			f->losses, PF_MAPI_IDLE, pf_mapi_lid(props, &pf_set_common, COMMON[i]));
	}
}

int form_end(struct form *f)
{
	int rc;

	note_idle(f);
	if (f->o.cut > 0) {
		pf_mapi_odd(f->losses, "%zu parameters were too long, and were cut", f->o.cut);
	}
	rc = pf_mapi_lines_deinit(&f->o);
	rc = rc == PF_OK ? pf_mapi_losses_end(f->losses, &f->item->props, f->err) : rc;
	if (rc != PF_OK) {
		f->o.out->n = f->was;
	}
	return rc;
}

const struct pf_mapi_value *form_tag(struct form *f, uint16_t tag)
{
	return pf_mapi_use(f->losses, PF_MAPI_KEPT, pf_mapi_tag(&f->item->props, tag));
}

const struct pf_mapi_value *form_lid(struct form *f, const struct pf_guid *set, uint32_t lid)
{
	return pf_mapi_use(f->losses, PF_MAPI_KEPT, pf_mapi_lid(&f->item->props, set, lid));
}

static struct pf_span said(const struct pf_mapi_value *v)
{
	struct pf_span text = pf_mapi_text(v);

	return pf_mapi_says(text) ? text : pf_span(NULL, 0);
}

struct pf_span form_tag_text(struct form *f, uint16_t tag)
{
	return said(form_tag(f, tag));
}

struct pf_span form_lid_text(struct form *f, const struct pf_guid *set, uint32_t lid)
{
	return said(form_lid(f, set, lid));
}

/* ---- lines ---- */

void form_each(struct form *f, const char *head, const struct pf_mapi_value *v)
{
	if (!v || !(v->type & PF_MAPI_MANY)) {
		pf_mapi_line_text(&f->o, head, pf_mapi_text(v));
		return;
	}
	for (size_t i = 0; i < v->many.n; i++) {
		pf_mapi_line_text(&f->o, head, pf_mapi_text(&v->many.v[i]));
	}
}

void form_list(
	struct form *f, const char *head, const struct pf_span *texts, size_t n, char between)
{
	pf_mapi_line_begin(&f->o, head);
	if (pf_mapi_line_parts(&f->o, texts, n, between)) {
		pf_mapi_line_end(&f->o);
	}
}

void form_moment(struct form *f, const char *head, const struct pf_mapi_value *v)
{
	struct pf_civil c;
	int64_t unix_s;

	if (pf_mapi_unix(v, &unix_s)) {
		pf_civil_from_unix(unix_s, &c);
		pf_mapi_linef(&f->o, head, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day,
			c.hour, c.minute, c.second);
	}
}

void form_date(struct form *f, const char *head, const struct pf_mapi_value *v, bool dashes)
{
	const char *dash = dashes ? "-" : "";
	struct pf_civil c;
	int64_t unix_s;

	if (pf_mapi_unix(v, &unix_s)) {
		pf_civil_from_unix(pf_zone_day(unix_s, false), &c);
		pf_mapi_linef(&f->o, head, "%04d%s%02d%s%02d", c.year, dash, c.month, dash, c.day);
	}
}

void form_binary(struct form *f, const char *head, const char *before, struct pf_span bytes)
{
	pf_mapi_line_begin(&f->o, head);
	pf_mapi_line_value(&f->o, before, pf_span(NULL, 0));
	pf_mapi_line_base64(&f->o, bytes);
	pf_mapi_line_end(&f->o);
}

/* ---- iCalendar ---- */

void form_categories(struct form *f)
{
	pf_mapi_line_words(&f->o, "CATEGORIES",
		pf_mapi_use(f->losses, PF_MAPI_KEPT,
			pf_mapi_named(&f->item->props, &pf_set_strings, "Keywords")));
}

struct pf_span form_stored_uid(struct form *f)
{
	static const char *const NAMES[] = {"vcarduid", "urn:schemas:calendar:uid"};

	for (size_t i = 0; i < f->item->props.n; i++) {
		const struct pf_mapi_prop *p = &f->item->props.v[i];

		if (p->name && (pf_span_is(p->name->text, NAMES[0]) ||
				       pf_span_is(p->name->text, NAMES[1]))) {
			return said(pf_mapi_use(f->losses, PF_MAPI_KEPT, &p->value));
		}
	}
	return pf_span(NULL, 0);
}

static void put_uid(struct form *f)
{
	struct pf_span stored = form_stored_uid(f);
	char made[PF_UUID_TEXT];

	pf_mapi_made_uid(f->ways, made);
	pf_mapi_line_text(&f->o, "UID", stored.n > 0 ? stored : pf_span_str(made));
}

static void put_how_important(struct form *f)
{
	static const char *const PRIORITY[] = {"9", NULL, "1"};
	static const char *const CLASS[] = {NULL, "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"};
	int64_t n;

	if (pf_mapi_number(form_tag(f, PF_TAG_IMPORTANCE), &n) && n >= 0 && n <= 2 && PRIORITY[n]) {
		pf_mapi_linef(&f->o, "PRIORITY", "%s", PRIORITY[n]);
	}
	if (pf_mapi_number(form_tag(f, PF_TAG_SENSITIVITY), &n) && n >= 0 && n <= 3 && CLASS[n]) {
		pf_mapi_linef(&f->o, "CLASS", "%s", CLASS[n]);
	}
}

void form_begin_component(struct form *f, const char *component)
{
	const struct pf_mapi_value *changed = form_tag(f, PF_TAG_LAST_MODIFICATION_TIME);
	struct pf_span subject = form_tag_text(f, PF_TAG_SUBJECT);
	int64_t unix_s;

	pf_mapi_linef(&f->o, "BEGIN", "VCALENDAR");
	pf_mapi_linef(&f->o, "VERSION", "2.0");
	pf_mapi_linef(&f->o, "PRODID", "-//postferry//postferry//EN");
	pf_mapi_linef(&f->o, "BEGIN", "%s", component);
	put_uid(f);
	if (pf_mapi_unix(changed, &unix_s)) {
		form_moment(f, "DTSTAMP", changed);
		form_moment(f, "LAST-MODIFIED", changed);
	} else { /* it has to be there, and to be the same each time */
		pf_mapi_linef(&f->o, "DTSTAMP", "19700101T000000Z");
	}
	form_moment(f, "CREATED", form_tag(f, PF_TAG_CREATION_TIME));
	if (subject.n == 0) {
		subject = form_tag_text(f, PF_TAG_NORMALIZED_SUBJECT);
	}
	pf_mapi_line_text(&f->o, "SUMMARY", subject);
	put_how_important(f);
	form_categories(f);
}

static void put_file(struct form *f, struct pf_span name, struct pf_span bytes)
{
	pf_mapi_line_begin(&f->o, "ATTACH;ENCODING=BASE64;VALUE=BINARY");
	pf_mapi_line_param(&f->o, "X-FILENAME", name);
	pf_mapi_line_base64(&f->o, bytes);
	pf_mapi_line_end(&f->o);
}

/* An item within, as a file. */
static void put_item(struct form *f, const struct pf_mapi_attachment *a, size_t i)
{
	struct pf_mapi_within within;
	int rc = f->o.rc == PF_OK ? pf_mapi_within(a, i, f->ways, f->losses, &within, f->err)
				  : PF_END;

	if (rc == PF_OK) {
		put_file(f, within.name, within.bytes);
	} else if (rc == PF_FAIL) {
		f->o.rc = rc;
	}
}

static void put_attachments(struct form *f)
{
	for (size_t i = 0; i < f->item->attachments_n; i++) {
		const struct pf_mapi_attachment *a = &f->item->attachments[i];
		struct pf_span name =
			pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_LONG_FILENAME));

		if (name.n == 0) {
			name = pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_FILENAME));
		}
		if (a->kind == PF_MAPI_ATTACH_DATA) {
			put_file(f, name, a->data);
		} else if (a->kind == PF_MAPI_ATTACH_ITEM && a->item) {
			put_item(f, a, i);
		} else {
			pf_mapi_odd(f->losses, "an attachment that is no file was left out");
		}
	}
}

void form_say(struct form *f)
{
	struct pf_mapi_bodies b;

	if (f->o.rc == PF_OK) {
		f->o.rc = pf_mapi_body(f->item, f->arena, &b, f->err);
	}
	if (f->o.rc == PF_OK) {
		pf_mapi_line_text(&f->o, "DESCRIPTION", b.text);
		pf_mapi_line_text(&f->o, "X-ALT-DESC;FMTTYPE=text/html", b.html);
		put_attachments(f);
	}
}

void form_end_component(struct form *f, const char *component)
{
	pf_mapi_linef(&f->o, "END", "%s", component);
	pf_mapi_linef(&f->o, "END", "VCALENDAR");
}
