/*
 * The body and the attachments of a message ([MS-OXCMAIL] 2.1.3.3, 2.1.3.4):
 *
 * mixed( related( alternative( text, HTML ), images ), attachments ), each only where it is needed.
 */
#include "convert/mail_private.h"

#include "base/utf8.h"
#include "convert/mapi_body.h"
#include "convert/mapi_event.h"
#include "convert/mapi_open.h"
#include "model/mapi_tags.h"
#include "model/mime.h"

enum { LONGEST_LINE = 990, INNER_MAX = 1 << 30, NAME_MAX_BYTES = 250 };

/* ---- parts ---- */

/* Bytes that stay where they are: the item's, or in the arena. */
static GMimeDataWrapper *borrowed(struct mail *m, struct pf_span bytes, GMimeContentEncoding as)
{
	GByteArray *array = pf_arena_alloc(m->arena, sizeof(*array));
	GMimeDataWrapper *content;
	GMimeStream *stream;

	if (!array || bytes.n > UINT32_MAX / 2) {
		(void)pf_fail_memory(m->err, "a part of a message");
		return NULL;
	}
	array->data = (guint8 *)(uintptr_t)bytes.p; /* it is only read */
	array->len = (guint)bytes.n;
	stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), array);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	content = g_mime_data_wrapper_new_with_stream(stream, as);
	g_object_unref(stream);
	return content;
}

/* `held` is how the bytes are encoded already, `as` how they are to be. */
static GMimeObject *part(struct mail *m, const char *type, struct pf_span bytes,
	GMimeContentEncoding held, GMimeContentEncoding as)
{
	GMimeContentType *t;
	GMimePart *p;
	GMimeDataWrapper *content = borrowed(m, bytes, held);

	if (!content) {
		return NULL;
	}
	t = g_mime_content_type_parse(NULL, type);
	p = g_mime_part_new();
	g_mime_object_set_content_type(GMIME_OBJECT(p), t);
	g_mime_part_set_content(p, content);
	g_mime_part_set_content_encoding(p, as);
	g_object_unref(content);
	g_object_unref(t);
	return GMIME_OBJECT(p);
}

/* In lines that end in CRLF, without NULs. */
static int canonical(struct mail *m, struct pf_span text, struct pf_span *out)
{
	uint8_t *p = text.n < SIZE_MAX / 4 ? pf_arena_alloc(m->arena, 2 * text.n + 2) : NULL;
	size_t n = 0;

	if (!p) {
		return pf_fail_memory(m->err, "the text of a message");
	}
	for (size_t i = 0; text.p && i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n') {
			continue;
		}
		if (c == '\n' || c == '\r') {
			p[n++] = '\r';
			p[n++] = '\n';
		} else if (c != 0) {
			p[n++] = c;
		}
	}
	if (n > 0 && p[n - 1] != '\n') {
		p[n++] = '\r';
		p[n++] = '\n';
	}
	*out = pf_span(p, n);
	return PF_OK;
}

static bool is_plain(struct pf_span text)
{
	size_t line = 0;

	for (size_t i = 0; i < text.n; i++) {
		line = text.p[i] == '\n' ? 0 : line + 1;
		if (text.p[i] >= 0x7F || line > LONGEST_LINE ||
			(text.p[i] < ' ' && !strchr("\t\r\n", text.p[i]))) {
			return false;
		}
	}
	return true;
}

static GMimeObject *text_part(struct mail *m, const char *type, struct pf_span text)
{
	GMimeObject *made;
	struct pf_buf qp;

	if (canonical(m, text, &text) != PF_OK) {
		return NULL;
	}
	if (is_plain(text)) {
		return part(
			m, type, text, GMIME_CONTENT_ENCODING_7BIT, GMIME_CONTENT_ENCODING_7BIT);
	}
	pf_buf_init(&qp, 8 * text.n + 1024);
	made = NULL;
	if (pf_mime_qp(text, &qp, m->err) == PF_OK) {
		struct pf_span bytes = pf_arena_span(m->arena, pf_buf_span(&qp));

		if (bytes.p) {
			made = part(m, type, bytes, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
				GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
		} else {
			(void)pf_fail_memory(m->err, "the text of a message");
		}
	}
	pf_buf_deinit(&qp);
	return made;
}

/* A multipart with what it has so far; takes `first`, and gives NULL for NULL. */
static GMimeMultipart *multi(struct mail *m, const char *subtype, GMimeObject *first)
{
	GMimeMultipart *made;
	char mark[41], boundary[64];

	if (!first) {
		return NULL;
	}
	if (mail_mark(m, subtype, mark) != PF_OK) {
		g_object_unref(first);
		return NULL;
	}
	(void)snprintf(boundary, sizeof(boundary), "=_%s", mark);
	made = g_mime_multipart_new_with_subtype(subtype);
	g_mime_multipart_set_boundary(made, boundary);
	g_mime_multipart_add(made, first);
	g_object_unref(first);
	return made;
}

/* Take `one` into `made`; where one of them is NULL, let both go. */
static GMimeMultipart *take(GMimeMultipart *made, GMimeObject *one)
{
	if (made && one) {
		g_mime_multipart_add(made, one);
		g_object_unref(one);
		return made;
	}
	if (made) {
		g_object_unref(made);
	}
	if (one) {
		g_object_unref(one);
	}
	return NULL;
}

/* ---- attachments ---- */

static struct pf_span without_brackets(struct pf_span id)
{
	while (id.n > 0 && (id.p[0] == '<' || id.p[0] <= ' ')) {
		id = pf_span_from(id, 1);
	}
	while (id.n > 0 && (id.p[id.n - 1] == '>' || id.p[id.n - 1] <= ' ')) {
		id.n--;
	}
	return id;
}

static struct pf_span name_of(const struct pf_mapi_attachment *a)
{
	static const uint16_t TAGS[] = {
		PF_TAG_ATTACH_LONG_FILENAME, PF_TAG_ATTACH_FILENAME, PF_TAG_DISPLAY_NAME};

	for (size_t i = 0; i < PF_COUNT(TAGS); i++) {
		struct pf_span name = pf_mapi_text(pf_mapi_tag(&a->props, TAGS[i]));

		if (name.n > 0) {
			return pf_utf8_prefix(name, NAME_MAX_BYTES);
		}
	}
	return pf_span(NULL, 0);
}

static bool ends_in(struct pf_span name, const char *end)
{
	size_t n = strlen(end);

	return name.n > n && pf_span_is(pf_span_from(name, name.n - n), end);
}

/* What it says it is, if that is a type; or what its name says. */
static const char *type_of(struct mail *m, const struct pf_mapi_attachment *a)
{
	static const struct {
		const char *end, *type;
	} TYPES[] = {{".txt", "text/plain"}, {".htm", "text/html"}, {".html", "text/html"},
		{".ics", "text/calendar"}, {".vcf", "text/vcard"}, {".csv", "text/csv"},
		{".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".png", "image/png"},
		{".gif", "image/gif"}, {".bmp", "image/bmp"}, {".tif", "image/tiff"},
		{".pdf", "application/pdf"}, {".rtf", "application/rtf"},
		{".zip", "application/zip"}, {".doc", "application/msword"},
		{".xls", "application/vnd.ms-excel"}, {".ppt", "application/vnd.ms-powerpoint"},
		{".docx", "application/"
			  "vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{".pptx", "application/"
			  "vnd.openxmlformats-officedocument.presentationml.presentation"}};
	struct pf_span said = pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_MIME));
	struct pf_span name = name_of(a);
	const uint8_t *slash = said.n > 2 ? memchr(said.p, '/', said.n) : NULL;

	/* The bytes of a composite type can't be in base64, which is what becomes of them. */
	if (slash && slash > said.p && slash < said.p + said.n - 1 &&
		!pf_span_starts(said, "multipart/") && !pf_span_starts(said, "message/")) {
		return mail_line(m, said);
	}
	for (size_t i = 0; i < PF_COUNT(TYPES); i++) {
		if (ends_in(name, TYPES[i].end)) {
			return TYPES[i].type;
		}
	}
	return "application/octet-stream";
}

static GMimeObject *plain_attachment(struct mail *m, const struct pf_mapi_attachment *a)
{
	const char *type = type_of(m, a);

	if (a->kind == PF_MAPI_ATTACH_REFERENCE) {
		struct pf_span path =
			pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_LONG_PATHNAME));

		path = path.n > 0 ? path
				  : pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_PATHNAME));
		pf_mapi_odd(m->losses, "an attachment is only a path to a file elsewhere");
		return text_part(m, "text/plain; charset=utf-8", path);
	}
	if (a->kind == PF_MAPI_ATTACH_OLE) {
		pf_mapi_odd(m->losses, "an attachment is an object of some program");
	}
	return type ? part(m, type, a->data, GMIME_CONTENT_ENCODING_DEFAULT,
			      GMIME_CONTENT_ENCODING_BASE64)
		    : NULL;
}

/* The key of an item within: that of the one around it, and its number there. */
static int inner_key(struct mail *m, struct pf_span *key)
{
	char mark[41];

	if (mail_mark(m, "item", mark) != PF_OK) {
		return PF_FAIL;
	}
	*key = pf_arena_span(m->arena, pf_span_str(mark));
	return key->p ? PF_OK : pf_fail_memory(m->err, "an item within a message");
}

/* An item that its form can't hold, by its words: it costs itself, not the message. */
static GMimeObject *item_in_words(
	struct mail *m, const struct pf_mapi_attachment *a, const struct pf_err *why)
{
	struct pf_mapi_bodies b;

	pf_mapi_odd(m->losses, "an item within is kept as its text alone: %s", why->text);
	return pf_mapi_body(a->item, m->arena, &b, m->err) == PF_OK
		       ? text_part(m, "text/plain; charset=utf-8", b.text)
		       : NULL;
}

static GMimeObject *item_part(
	struct mail *m, const struct pf_mapi_opened *opened, struct pf_span bytes)
{
	struct pf_span copy = pf_arena_span(m->arena, bytes);
	/* A message within may be in no encoding but its own (RFC 2046 5.2.1). */
	bool mail = opened->kind == PF_KIND_MAIL;

	if (!copy.p) {
		(void)pf_fail_memory(m->err, "an item within a message");
		return NULL;
	}
	return part(m, opened->type, copy,
		mail ? GMIME_CONTENT_ENCODING_8BIT : GMIME_CONTENT_ENCODING_DEFAULT,
		mail ? GMIME_CONTENT_ENCODING_8BIT : GMIME_CONTENT_ENCODING_BASE64);
}

static GMimeObject *item_attachment(struct mail *m, const struct pf_mapi_attachment *a)
{
	struct pf_mapi_ways ways = *m->ways;
	struct pf_mapi_opened opened;
	GMimeObject *made = NULL;
	struct pf_buf bytes;
	struct pf_err why;

	if (inner_key(m, &ways.key) != PF_OK) {
		return NULL;
	}
	pf_buf_init(&bytes, INNER_MAX);
	ways.header = pf_span(NULL, 0);
	if (pf_mapi_open(a->item, &ways, m->losses, &opened, &bytes, &why) == PF_OK) {
		made = item_part(m, &opened, pf_buf_span(&bytes));
	} else if (why.scope == PF_SCOPE_ITEM) {
		made = item_in_words(m, a, &why);
	} else if (m->err) {
		*m->err = why;
	}
	pf_buf_deinit(&bytes);
	return made;
}

static bool set_name(struct mail *m, GMimeObject *made, const struct pf_mapi_attachment *a)
{
	struct pf_span name = name_of(a);
	const char *line;

	if (name.n == 0 && a->item) {
		name = pf_mapi_text(pf_mapi_tag(&a->item->props, PF_TAG_SUBJECT));
	}
	line = name.n > 0 ? mail_line(m, name) : "";
	if (line && *line) {
		g_mime_part_set_filename(GMIME_PART(made), line);
	}
	return line != NULL;
}

static bool set_id(struct mail *m, GMimeObject *made, const struct pf_mapi_attachment *a)
{
	struct pf_span id =
		without_brackets(pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_CONTENT_ID)));
	struct pf_span at = pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_CONTENT_LOCATION));
	const char *line = mail_line(m, id), *place = mail_line(m, at);

	if (!line || !place) {
		return false;
	}
	if (*line) {
		g_mime_object_set_content_id(made, line);
	}
	if (*place) {
		g_mime_part_set_content_location(GMIME_PART(made), place);
	}
	return true;
}

GMimeObject *mail_attachment(struct mail *m, const struct pf_mapi_attachment *a, bool is_inline)
{
	GMimeObject *made = a->item ? item_attachment(m, a) : plain_attachment(m, a);

	if (!made) {
		return NULL;
	}
	g_mime_object_set_disposition(made, is_inline ? "inline" : "attachment");
	if (!set_name(m, made, a) || !set_id(m, made, a)) {
		g_object_unref(made);
		return NULL;
	}
	return made;
}

/* ---- all of it ---- */

/* Whether the HTML shows it: "cid:" and its id somewhere in it. */
static bool is_shown(const struct pf_mapi_attachment *a, struct pf_span html)
{
	struct pf_span id =
		without_brackets(pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_CONTENT_ID)));

	if (id.n == 0 || a->item) {
		return false;
	}
	for (size_t i = 0; i + 4 + id.n <= html.n; i++) {
		const uint8_t *colon = memchr(html.p + i, ':', html.n - i);

		if (!colon || (size_t)(html.p + html.n - colon) <= id.n) {
			return false;
		}
		i = (size_t)(colon - html.p);
		if (i >= 3 && strncasecmp((const char *)colon - 3, "cid", 3) == 0 &&
			memcmp(colon + 1, id.p, id.n) == 0) {
			return true;
		}
	}
	return false;
}

/* The forms of the body, the simplest first (RFC 2046 5.1.4). */
static GMimeObject *body(struct mail *m, const struct pf_mapi_bodies *b)
{
	bool text = b->text.p && !(b->html.p && b->from_html), html = b->html.p != NULL;
	GMimeObject *made = NULL;

	if (text || !html) {
		made = text_part(m, "text/plain; charset=utf-8", b->text);
		if (!html || !made) {
			return made;
		}
		made = GMIME_OBJECT(take(multi(m, "alternative", made),
			text_part(m, "text/html; charset=utf-8", b->html)));
		return made;
	}
	return text_part(m, "text/html; charset=utf-8", b->html);
}

/* What a meeting message asks for (RFC 5546 1.4); NULL: it is none, or an answer, which says too
 * little to be made one of iCalendar's. */
static const char *method_of(struct mail *m)
{
	struct pf_span name = pf_mapi_class(m->item);

	if (pf_mapi_is_a(name, "IPM.Schedule.Meeting.Resp")) {
		pf_mapi_odd(m->losses, "the answer to an invitation is kept as its text alone");
	}
	return pf_mapi_is_a(name, "IPM.Schedule.Meeting.Request")    ? "REQUEST"
	       : pf_mapi_is_a(name, "IPM.Schedule.Meeting.Canceled") ? "CANCEL"
								     : NULL;
}

/* The event with its METHOD, as a part; NULL: the error is filled. */
static GMimeObject *calendar_part(struct mail *m, const char *method, struct pf_span event)
{
	static const char BEGIN[] = "BEGIN:VCALENDAR\r\n";
	GMimeObject *made = NULL;
	struct pf_buf text;
	char type[80];

	(void)snprintf(type, sizeof(type), "text/calendar; charset=utf-8; method=%s", method);
	pf_buf_init(&text, event.n + 64);
	if (pf_buf_addf(&text, m->err, "%sMETHOD:%s\r\n", BEGIN, method) == PF_OK &&
		pf_buf_add(&text, pf_span_from(event, sizeof(BEGIN) - 1), m->err) == PF_OK) {
		made = text_part(m, type, pf_buf_span(&text));
	}
	pf_buf_deinit(&text);
	return made;
}

/* A meeting message: what it says for people, and for calendars. */
static GMimeObject *with_calendar(struct mail *m, GMimeObject *made)
{
	const char *method = method_of(m);
	struct pf_mapi_item bare = *m->item; /* its files are parts of their own */
	struct pf_buf event;
	struct pf_err why;

	if (!made || !method) {
		return made;
	}
	bare.attachments_n = 0;
	pf_buf_init(&event, INNER_MAX);
	if (pf_mapi_event_to_ical(&bare, m->ways, &event, m->losses, &why) == PF_OK) {
		GMimeMultipart *all = GMIME_IS_MULTIPART(made) ? GMIME_MULTIPART(made)
							       : multi(m, "alternative", made);

		made = GMIME_OBJECT(
			take(all, all ? calendar_part(m, method, pf_buf_span(&event)) : NULL));
	} else if (why.scope == PF_SCOPE_ITEM) {
		pf_mapi_odd(m->losses, "a meeting message without a calendar part: %s", why.text);
	} else {
		if (m->err) {
			*m->err = why;
		}
		g_object_unref(made);
		made = NULL;
	}
	pf_buf_deinit(&event);
	return made;
}

/* `made` with those attachments that the HTML shows, or those that it does not. */
static GMimeObject *with_attachments(
	struct mail *m, GMimeObject *made, struct pf_span html, bool shown)
{
	GMimeMultipart *around = NULL;

	for (size_t i = 0; i < m->item->attachments_n && made; i++) {
		const struct pf_mapi_attachment *a = &m->item->attachments[i];

		if (is_shown(a, html) != shown) {
			continue;
		}
		around = around ? around : multi(m, shown ? "related" : "mixed", made);
		around = take(around, around ? mail_attachment(m, a, shown) : NULL);
		made = GMIME_OBJECT(around);
	}
	return made;
}

GMimeObject *mail_entity(struct mail *m)
{
	struct pf_mapi_bodies b;
	GMimeObject *made;

	if (pf_mapi_body(m->item, m->arena, &b, m->err) != PF_OK) {
		return NULL;
	}
	if (b.damaged) {
		pf_mapi_odd(m->losses, "the RTF of its body is damaged");
	}
	made = with_calendar(m, body(m, &b));
	made = with_attachments(m, made, b.html, true);
	return with_attachments(m, made, b.html, false);
}
