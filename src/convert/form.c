#include "convert/form_private.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "convert/mapi_within.h"
#include "model/mapi_tags.h"
#include "model/mime.h"

enum { VALUE_MAX = 256 << 20, HEAD_MAX = 4096, DAY_S = 86400 };

void form_begin(struct form *f, const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err)
{
	*f = (struct form){.item = item,
		.ways = ways,
		.losses = losses,
		.arena = losses->arena,
		.out = out,
		.was = out->n,
		.err = err};
	pf_buf_init(&f->value, VALUE_MAX);
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
	note_idle(f);
	if (f->rc == PF_OK) {
		f->rc = pf_mapi_losses_end(f->losses, &f->item->props, f->err);
	}
	if (f->rc != PF_OK) {
		f->out->n = f->was;
	}
	pf_buf_deinit(&f->value);
	return f->rc;
}

const struct pf_mapi_value *form_tag(struct form *f, uint16_t tag)
{
	return pf_mapi_use(f->losses, PF_MAPI_KEPT, pf_mapi_tag(&f->item->props, tag));
}

const struct pf_mapi_value *form_lid(struct form *f, const struct pf_guid *set, uint32_t lid)
{
	return pf_mapi_use(f->losses, PF_MAPI_KEPT, pf_mapi_lid(&f->item->props, set, lid));
}

struct pf_span form_tag_text(struct form *f, uint16_t tag)
{
	return pf_mapi_text(form_tag(f, tag));
}

struct pf_span form_lid_text(struct form *f, const struct pf_guid *set, uint32_t lid)
{
	return pf_mapi_text(form_lid(f, set, lid));
}

/* ---- lines ---- */

/* Write what `value` holds. */
static void put(struct form *f, const char *head)
{
	if (f->rc == PF_OK) {
		f->rc = pf_line_write(f->out, pf_span_str(head), pf_buf_span(&f->value), f->err);
	}
	pf_buf_clear(&f->value);
}

void form_raw(struct form *f, const char *head, const char *value)
{
	f->rc = f->rc == PF_OK ? pf_buf_add_str(&f->value, value, f->err) : f->rc;
	put(f, head);
}

/* Without the control characters that no TEXT may have. */
static void escape(struct form *f, struct pf_span text)
{
	size_t from = f->value.n, to = from;

	if (!pf_utf8_valid(text)) {
		f->rc = f->rc == PF_OK ? pf_mapi_decode(f->arena, 0, text, &text, f->err) : f->rc;
	}
	f->rc = f->rc == PF_OK ? pf_text_escape(text, &f->value, f->err) : f->rc;
	for (size_t i = from; f->rc == PF_OK && i < f->value.n; i++) {
		uint8_t c = f->value.p[i];

		if ((c >= ' ' && c != 0x7F) || c == '\t') {
			f->value.p[to++] = c;
		}
	}
	f->value.n = f->rc == PF_OK ? to : from;
}

static bool is_empty(struct pf_span s)
{
	size_t i = 0;

	while (i < s.n && (pf_ascii_space(s.p[i]) || s.p[i] == 0)) {
		i++;
	}
	return i == s.n;
}

void form_text(struct form *f, const char *head, struct pf_span text)
{
	if (!is_empty(text)) {
		escape(f, text);
		put(f, head);
	}
}

void form_each(struct form *f, const char *head, const struct pf_mapi_value *v)
{
	if (!v || !(v->type & PF_MAPI_MANY)) {
		form_text(f, head, pf_mapi_text(v));
		return;
	}
	for (size_t i = 0; i < v->many.n; i++) {
		form_text(f, head, pf_mapi_text(&v->many.v[i]));
	}
}

void form_list(
	struct form *f, const char *head, const struct pf_span *texts, size_t n, char between)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		any = any || !is_empty(texts[i]);
		if (i > 0) {
			f->rc = f->rc == PF_OK ? pf_buf_add(&f->value, pf_span(&between, 1), f->err)
					       : f->rc;
		}
		escape(f, texts[i]);
	}
	if (any) {
		put(f, head);
	}
	pf_buf_clear(&f->value);
}

void form_moment(struct form *f, const char *head, const struct pf_mapi_value *v)
{
	struct pf_civil c;
	char text[64];
	int64_t unix_s;

	if (pf_mapi_unix(v, &unix_s)) {
		pf_civil_from_unix(unix_s, &c);
		(void)snprintf(text, sizeof(text), "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month,
			c.day, c.hour, c.minute, c.second);
		form_raw(f, head, text);
	}
}

void form_date(struct form *f, const char *head, const struct pf_mapi_value *v, bool dashes)
{
	struct pf_civil c;
	char text[64];
	int64_t unix_s;

	if (pf_mapi_unix(v, &unix_s)) {
		pf_civil_from_unix(unix_s + DAY_S / 2, &c);
		(void)snprintf(text, sizeof(text), dashes ? "%04d-%02d-%02d" : "%04d%02d%02d",
			c.year, c.month, c.day);
		form_raw(f, head, text);
	}
}

void form_binary(struct form *f, const char *head, const char *before, struct pf_span bytes)
{
	size_t to;

	f->rc = f->rc == PF_OK ? pf_buf_add_str(&f->value, before, f->err) : f->rc;
	f->rc = f->rc == PF_OK ? pf_mime_base64(bytes, &f->value, f->err) : f->rc;
	to = 0;
	for (size_t i = 0; f->rc == PF_OK && i < f->value.n; i++) { /* it comes in lines */
		if (f->value.p[i] != '\r' && f->value.p[i] != '\n') {
			f->value.p[to++] = f->value.p[i];
		}
	}
	f->value.n = to;
	put(f, head);
}

const char *form_param(struct form *f, const char *head, const char *name, struct pf_span value)
{
	struct pf_buf b;
	const char *text = NULL;
	int rc;

	pf_buf_init(&b, HEAD_MAX);
	if (value.n > HEAD_MAX / 4) {
		pf_mapi_odd(f->losses, "a parameter of %zu bytes was cut", value.n);
		value = pf_utf8_prefix(value, HEAD_MAX / 4);
	}
	rc = pf_buf_addf(&b, f->err, "%s;%s=\"", head, name);
	for (size_t i = 0; i < value.n && rc == PF_OK; i++) {
		uint8_t c = value.p[i];

		if (c == '\n') {
			rc = pf_buf_add_str(&b, "^n", f->err);
		} else if (c == '"' || c == '^') {
			rc = pf_buf_add_str(&b, c == '"' ? "^'" : "^^", f->err);
		} else if (c >= ' ' && c != 0x7F) {
			rc = pf_buf_add(&b, pf_span(&c, 1), f->err);
		}
	}
	rc = rc == PF_OK ? pf_buf_add_str(&b, "\"", f->err) : rc;
	if (rc == PF_OK) {
		text = (const char *)pf_arena_span(f->arena, pf_buf_span(&b)).p;
		rc = text ? PF_OK : pf_fail_memory(f->err, "a parameter");
	}
	pf_buf_deinit(&b);
	f->rc = f->rc == PF_OK ? rc : f->rc;
	return text ? text : head;
}

/* ---- iCalendar ---- */

void form_categories(struct form *f)
{
	const struct pf_mapi_value *v = pf_mapi_use(f->losses, PF_MAPI_KEPT,
		pf_mapi_named(&f->item->props, &pf_set_strings, "Keywords"));
	struct pf_span *texts;

	if (!v || !(v->type & PF_MAPI_MANY)) {
		form_text(f, "CATEGORIES", pf_mapi_text(v));
		return;
	}
	texts = pf_arena_alloc(f->arena, (v->many.n + 1) * sizeof(*texts));
	if (!texts) {
		f->rc = f->rc == PF_OK ? pf_fail_memory(f->err, "categories") : f->rc;
		return;
	}
	for (size_t i = 0; i < v->many.n; i++) {
		texts[i] = pf_mapi_text(&v->many.v[i]);
	}
	form_list(f, "CATEGORIES", texts, v->many.n, ',');
}

struct pf_span form_stored_uid(struct form *f)
{
	static const char *const NAMES[] = {"vcarduid", "urn:schemas:calendar:uid"};

	for (size_t i = 0; i < f->item->props.n; i++) {
		const struct pf_mapi_prop *p = &f->item->props.v[i];

		if (p->name && (pf_span_is(p->name->text, NAMES[0]) ||
				       pf_span_is(p->name->text, NAMES[1]))) {
			return pf_mapi_text(pf_mapi_use(f->losses, PF_MAPI_KEPT, &p->value));
		}
	}
	return pf_span(NULL, 0);
}

static void put_uid(struct form *f)
{
	struct pf_span stored = form_stored_uid(f);
	char made[PF_UUID_TEXT];

	pf_mapi_made_uid(f->ways, made);
	form_text(f, "UID", stored.n > 0 ? stored : pf_span_str(made));
}

static void put_how_important(struct form *f)
{
	static const char *const PRIORITY[] = {"9", NULL, "1"};
	static const char *const CLASS[] = {NULL, "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"};
	int64_t n;

	if (pf_mapi_number(form_tag(f, PF_TAG_IMPORTANCE), &n) && n >= 0 && n <= 2 && PRIORITY[n]) {
		form_raw(f, "PRIORITY", PRIORITY[n]);
	}
	if (pf_mapi_number(form_tag(f, PF_TAG_SENSITIVITY), &n) && n >= 0 && n <= 3 && CLASS[n]) {
		form_raw(f, "CLASS", CLASS[n]);
	}
}

void form_begin_component(struct form *f, const char *component)
{
	const struct pf_mapi_value *changed = form_tag(f, PF_TAG_LAST_MODIFICATION_TIME);
	struct pf_span subject = form_tag_text(f, PF_TAG_SUBJECT);
	int64_t unix_s;

	form_raw(f, "BEGIN", "VCALENDAR");
	form_raw(f, "VERSION", "2.0");
	form_raw(f, "PRODID", "-//postferry//postferry//EN");
	form_raw(f, "BEGIN", component);
	put_uid(f);
	if (pf_mapi_unix(changed, &unix_s)) {
		form_moment(f, "DTSTAMP", changed);
		form_moment(f, "LAST-MODIFIED", changed);
	} else { /* it has to be there, and to be the same each time */
		form_raw(f, "DTSTAMP", "19700101T000000Z");
	}
	form_moment(f, "CREATED", form_tag(f, PF_TAG_CREATION_TIME));
	if (subject.n == 0) {
		subject = form_tag_text(f, PF_TAG_NORMALIZED_SUBJECT);
	}
	form_text(f, "SUMMARY", subject);
	put_how_important(f);
	form_categories(f);
}

static void put_file(struct form *f, struct pf_span name, struct pf_span bytes)
{
	const char *head = "ATTACH;ENCODING=BASE64;VALUE=BINARY";

	form_binary(f, name.n > 0 ? form_param(f, head, "X-FILENAME", name) : head, "", bytes);
}

/* An item within, as a file. */
static void put_item(struct form *f, const struct pf_mapi_attachment *a, size_t i)
{
	struct pf_mapi_within within;
	int rc =
		f->rc == PF_OK ? pf_mapi_within(a, i, f->ways, f->losses, &within, f->err) : PF_END;

	if (rc == PF_OK) {
		put_file(f, within.name, within.bytes);
	} else if (rc == PF_FAIL) {
		f->rc = rc;
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

	if (f->rc == PF_OK) {
		f->rc = pf_mapi_body(f->item, f->arena, &b, f->err);
	}
	if (f->rc == PF_OK) {
		form_text(f, "DESCRIPTION", b.text);
		form_text(f, "X-ALT-DESC;FMTTYPE=text/html", b.html);
		put_attachments(f);
	}
}

void form_end_component(struct form *f, const char *component)
{
	form_raw(f, "END", component);
	form_raw(f, "END", "VCALENDAR");
}
