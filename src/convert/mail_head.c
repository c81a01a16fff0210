/*
 * The header of a message: what it came with, and what is made of the properties ([MS-OXCMAIL]
 * 2.1.3).
 */
#include "convert/mail_private.h"

#include "base/utf8.h"
#include "convert/mapi_entry.h"
#include "model/mapi_tags.h"

enum { TO = 1, CC = 2, BCC = 3, PREFIX_MARK = 1 };

/* ---- kept ---- */

/* One field with its continuation lines, line ends and all; false at the end of the header. */
static bool next_field(struct pf_span *rest, struct pf_span *field)
{
	size_t n = 0;

	if (rest->n == 0 || rest->p[0] == '\n' || pf_span_starts(*rest, "\r\n")) {
		return false;
	}
	do {
		const uint8_t *lf = memchr(rest->p + n, '\n', rest->n - n);

		n = lf ? (size_t)(lf - rest->p) + 1 : rest->n;
	} while (n < rest->n && (rest->p[n] == ' ' || rest->p[n] == '\t'));
	*field = pf_span(rest->p, n);
	*rest = pf_span_from(*rest, n);
	return true;
}

static size_t name_length(struct pf_span field)
{
	size_t n = 0;

	while (n < field.n && field.p[n] > ' ' && field.p[n] < 0x7F && field.p[n] != ':') {
		n++;
	}
	return n < field.n && n > 0 && field.p[n] == ':' ? n : 0;
}

/* With CRLF, and without the NULs and lone CRs that no header has. */
static int put_field(struct pf_span field, struct pf_buf *out, struct pf_err *err)
{
	if (pf_buf_reserve(out, 2 * field.n + 2, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < field.n; i++) {
		if (field.p[i] == '\n') {
			out->p[out->n++] = '\r';
		}
		if (field.p[i] != '\r' && field.p[i] != 0) {
			out->p[out->n++] = field.p[i];
		}
	}
	return out->n > 0 && out->p[out->n - 1] == '\n' ? PF_OK : pf_buf_add_str(out, "\r\n", err);
}

static int put_name(struct pf_span name, struct pf_buf *names, struct pf_err *err)
{
	int rc = PF_OK;

	for (size_t i = 0; i < name.n && rc == PF_OK; i++) {
		uint8_t c = pf_ascii_lower(name.p[i]);

		rc = pf_buf_add(names, pf_span(&c, 1), err);
	}
	return rc == PF_OK ? pf_buf_add_str(names, "\n", err) : rc;
}

int mail_kept_fields(
	struct pf_span kept, struct pf_buf *out, struct pf_buf *names, struct pf_err *err)
{
	struct pf_span field;
	int rc = pf_buf_add_str(names, "\n", err);

	while (rc == PF_OK && next_field(&kept, &field)) {
		struct pf_span name = pf_span(field.p, name_length(field));

		/* Outlook writes a line about itself in front; it is no field. */
		if (name.n == 0 || pf_span_starts(name, "Content-") ||
			pf_span_is(name, "MIME-Version") ||
			pf_span_is(name, "X-MS-TNEF-Correlator")) {
			continue;
		}
		rc = put_field(field, out, err);
		rc = rc == PF_OK ? put_name(name, names, err) : rc;
	}
	return rc;
}

/* ---- made ---- */

struct head {
	struct mail *m;
	GMimeMessage *made;
	int rc;
};

static void set(struct head *h, const char *name, struct pf_span text)
{
	const char *line = text.n > 0 && h->rc == PF_OK ? mail_line(h->m, text) : "";

	if (!line) {
		h->rc = PF_FAIL;
	} else if (*line) {
		g_mime_object_append_header(GMIME_OBJECT(h->made), name, line, "utf-8");
	}
}

/* A person's address, or their name alone as a group without members (RFC 6854). */
static InternetAddress *address_of(struct head *h, const struct pf_mapi_person *who)
{
	struct pf_span address = pf_span(NULL, 0);
	const char *name = NULL, *mail = NULL;

	h->rc = h->rc == PF_OK ? pf_mapi_address(h->m->ways, h->m->losses, who, &address, h->m->err)
			       : h->rc;
	if (h->rc != PF_OK || (address.n == 0 && who->name.n == 0)) {
		return NULL;
	}
	name = mail_line(h->m, who->name);
	mail = mail_line(h->m, address);
	if (!name || !mail) {
		h->rc = PF_FAIL;
		return NULL;
	}
	if (address.n == 0) {
		return internet_address_group_new(name);
	}
	return internet_address_mailbox_new(*name && strcmp(name, mail) != 0 ? name : NULL, mail);
}

static void add_to(struct head *h, InternetAddressList *list, const struct pf_mapi_person *who)
{
	InternetAddress *a = address_of(h, who);

	if (a) {
		internet_address_set_charset(a, "utf-8");
		(void)internet_address_list_add(list, a);
		g_object_unref(a);
	}
}

static void set_list(struct head *h, const char *name, InternetAddressList *list)
{
	if (h->rc == PF_OK && internet_address_list_length(list) > 0) {
		char *text = internet_address_list_to_string(list, h->m->format, TRUE);

		/* It is encoded already; what is set raw is written as it is. */
		g_mime_object_append_header(GMIME_OBJECT(h->made), name, text, "us-ascii");
		g_free(text);
	}
	g_object_unref(list);
}

static struct pf_mapi_person person(struct mail *m, const uint16_t tags[4])
{
	return (struct pf_mapi_person){
		.smtp = pf_mapi_text(mail_use(m, tags[0])),
		.type = pf_mapi_text(mail_use(m, tags[1])),
		.address = pf_mapi_text(mail_use(m, tags[2])),
		.name = pf_mapi_text(mail_use(m, tags[3])),
	};
}

static void set_person(struct head *h, const char *name, const struct pf_mapi_person *who)
{
	InternetAddressList *list = internet_address_list_new();

	add_to(h, list, who);
	set_list(h, name, list);
}

static bool is_nobody(const struct pf_mapi_person *who)
{
	return who->smtp.n == 0 && who->address.n == 0 && who->name.n == 0;
}

static void set_senders(struct head *h)
{
	static const uint16_t FROM[] = {PF_TAG_SENT_REPRESENTING_SMTP,
		PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE, PF_TAG_SENT_REPRESENTING_EMAIL,
		PF_TAG_SENT_REPRESENTING_NAME};
	static const uint16_t SENDER[] = {PF_TAG_SENDER_SMTP, PF_TAG_SENDER_ADDRESS_TYPE,
		PF_TAG_SENDER_EMAIL, PF_TAG_SENDER_NAME};
	struct pf_mapi_person from = person(h->m, FROM), sender = person(h->m, SENDER);

	if (is_nobody(&from)) {
		set_person(h, "From", &sender);
		return;
	}
	set_person(h, "From", &from);
	if (!is_nobody(&sender) && (!pf_span_eq(sender.address, from.address) ||
					   !pf_span_eq(sender.smtp, from.smtp))) {
		set_person(h, "Sender", &sender);
	}
}

static int64_t recipient_type(const struct pf_mapi_props *r)
{
	int64_t type = TO;

	(void)pf_mapi_number(pf_mapi_tag(r, PF_TAG_RECIPIENT_TYPE), &type);
	type &= 0xF; /* above are marks of transports */
	return type == CC || type == BCC ? type : TO;
}

static void set_recipients(struct head *h)
{
	static const char *const NAMES[] = {"To", "Cc", "Bcc"};

	for (int64_t type = TO; type <= BCC; type++) {
		InternetAddressList *list = internet_address_list_new();

		for (size_t i = 0; i < h->m->item->recipients_n; i++) {
			const struct pf_mapi_props *r = &h->m->item->recipients[i];
			struct pf_mapi_person who = {
				.smtp = pf_mapi_text(pf_mapi_tag(r, PF_TAG_SMTP_ADDRESS)),
				.type = pf_mapi_text(pf_mapi_tag(r, PF_TAG_ADDRESS_TYPE)),
				.address = pf_mapi_text(pf_mapi_tag(r, PF_TAG_EMAIL_ADDRESS)),
				.name = pf_mapi_text(pf_mapi_tag(r, PF_TAG_DISPLAY_NAME)),
			};

			if (recipient_type(r) == type) {
				add_to(h, list, &who);
			}
		}
		set_list(h, NAMES[type - TO], list);
	}
}

static void set_reply_to(struct head *h)
{
	struct pf_span list = pf_mapi_bytes(mail_use(h->m, PF_TAG_REPLY_RECIPIENT_ENTRIES)), one;
	InternetAddressList *to = internet_address_list_new();
	struct pf_mapi_entry entry;

	(void)mail_use(h->m, PF_TAG_REPLY_RECIPIENT_NAMES);
	list = pf_span_from(list, 8); /* how many, and how long ([MS-OXCDATA] 2.3.3) */
	while (h->rc == PF_OK && pf_mapi_entry_next(&list, &one)) {
		h->rc = pf_mapi_entry(one, h->m->arena, &entry, h->m->err);
		if (h->rc == PF_OK && entry.kind != PF_MAPI_ENTRY_OTHER) {
			add_to(h, to, &entry.who);
		}
	}
	set_list(h, "Reply-To", to);
}

static void set_subject(struct head *h)
{
	struct pf_span subject = pf_mapi_text(mail_use(h->m, PF_TAG_SUBJECT));
	struct pf_span prefix = pf_mapi_text(mail_use(h->m, PF_TAG_SUBJECT_PREFIX));
	struct pf_span rest = pf_mapi_text(mail_use(h->m, PF_TAG_NORMALIZED_SUBJECT));

	if (subject.n >= 2 && subject.p[0] == PREFIX_MARK) {
		/* [MS-PST] 2.5.3.1.1.1: a mark and the length of the prefix */
		subject = pf_span_from(subject, 2);
	}
	if (subject.n == 0 && prefix.n + rest.n > 0) {
		uint8_t *both = pf_arena_alloc(h->m->arena, prefix.n + rest.n + 1);

		if (!both) {
			h->rc = pf_fail_memory(h->m->err, "a subject");
			return;
		}
		memcpy(both, prefix.p ? prefix.p : both, prefix.n);
		memcpy(both + prefix.n, rest.p ? rest.p : both, rest.n);
		subject = pf_span(both, prefix.n + rest.n);
	}
	set(h, "Subject", subject);
}

static void set_date(struct head *h)
{
	static const uint16_t TAGS[] = {PF_TAG_CLIENT_SUBMIT_TIME, PF_TAG_MESSAGE_DELIVERY_TIME,
		PF_TAG_CREATION_TIME, PF_TAG_LAST_MODIFICATION_TIME};
	int64_t unix_s;

	for (size_t i = 0; i < PF_COUNT(TAGS); i++) {
		if (pf_mapi_unix(pf_mapi_tag(&h->m->item->props, TAGS[i]), &unix_s)) {
			GDateTime *date = g_date_time_new_from_unix_utc(unix_s);

			(void)mail_use(h->m, TAGS[i]);
			if (date) {
				g_mime_message_set_date(h->made, date);
				g_date_time_unref(date);
			}
			return;
		}
	}
}

static void set_message_id(struct head *h)
{
	struct pf_span id = pf_mapi_text(mail_use(h->m, PF_TAG_INTERNET_MESSAGE_ID));
	char uid[PF_UUID_TEXT], made[PF_UUID_TEXT + 32];

	if (id.n == 0) {
		pf_mapi_made_uid(h->m->ways, uid);
		(void)snprintf(made, sizeof(made), "<%s@postferry.invalid>", uid);
		id = pf_span_str(made);
	}
	set(h, "Message-ID", id);
}

static void set_how_important(struct head *h)
{
	static const char *const IMPORTANCE[] = {"low", "", "high"};
	static const char *const SENSITIVITY[] = {
		"", "Personal", "Private", "Company-Confidential"};
	int64_t n;

	if (pf_mapi_number(mail_use(h->m, PF_TAG_IMPORTANCE), &n) && n >= 0 && n <= 2) {
		set(h, "Importance", pf_span_str(IMPORTANCE[n]));
	}
	if (pf_mapi_number(mail_use(h->m, PF_TAG_SENSITIVITY), &n) && n >= 0 && n <= 3) {
		set(h, "Sensitivity", pf_span_str(SENSITIVITY[n]));
	}
}

static void set_keywords(struct head *h)
{
	const struct pf_mapi_value *v = pf_mapi_use(h->m->losses, PF_MAPI_KEPT,
		pf_mapi_named(&h->m->item->props, &pf_set_strings, "Keywords"));

	if (!v || !(v->type & PF_MAPI_MANY)) {
		set(h, "Keywords", pf_mapi_text(v));
		return;
	}
	for (size_t i = 0; i < v->many.n; i++) {
		set(h, "Keywords", pf_mapi_text(&v->many.v[i]));
	}
}

static void set_thread(struct head *h)
{
	struct pf_span index = pf_mapi_bytes(mail_use(h->m, PF_TAG_CONVERSATION_INDEX));

	set(h, "In-Reply-To", pf_mapi_text(mail_use(h->m, PF_TAG_IN_REPLY_TO_ID)));
	set(h, "References", pf_mapi_text(mail_use(h->m, PF_TAG_INTERNET_REFERENCES)));
	set(h, "Thread-Topic", pf_mapi_text(mail_use(h->m, PF_TAG_CONVERSATION_TOPIC)));
	if (index.n > 0 && index.n < 4096) {
		char *text = g_base64_encode(index.p, index.n);

		set(h, "Thread-Index", pf_span_str(text));
		g_free(text);
	}
}

/* Fields that the item keeps under their own names ([MS-OXCMSG] 2.2.1.2). */
static void set_named(struct head *h)
{
	for (size_t i = 0; i < h->m->item->props.n; i++) {
		const struct pf_mapi_prop *p = &h->m->item->props.v[i];
		const char *name;

		if (!p->name || !pf_guid_eq(&p->name->set, &pf_set_headers) ||
			!pf_span_starts(p->name->text, "X-")) {
			continue;
		}
		name = mail_line(h->m, p->name->text);
		if (!name) {
			h->rc = PF_FAIL;
			return;
		}
		if (strspn(name, "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789") == strlen(name) &&
			!g_mime_object_get_header(GMIME_OBJECT(h->made), name)) {
			(void)pf_mapi_use(h->m->losses, PF_MAPI_KEPT, &p->value);
			set(h, name, pf_mapi_text(&p->value));
		}
	}
}

/* GMime has it folded, by LF, and ended. */
static int put_made(GMimeHeader *one, struct pf_buf *out, struct pf_err *err)
{
	int rc = pf_buf_addf(out, err, "%s:", g_mime_header_get_name(one));

	return rc == PF_OK ? put_field(pf_span_str(g_mime_header_get_raw_value(one)), out, err)
			   : rc;
}

static int add_made(struct head *h, const struct pf_buf *names, bool all, struct pf_buf *out)
{
	static const char *const NEEDED[] = {"From", "Subject", "Date", "Message-ID"};
	GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(h->made));
	const char *have = (const char *)names->p; /* it ends in a NUL */

	for (int i = 0; i < g_mime_header_list_get_count(list) && h->rc == PF_OK; i++) {
		GMimeHeader *one = g_mime_header_list_get_header_at(list, i);
		bool wanted = all;
		char key[64];

		for (size_t k = 0; k < PF_COUNT(NEEDED) && !all; k++) {
			(void)snprintf(key, sizeof(key), "\n%s\n", NEEDED[k]);
			wanted = wanted ||
				 (g_ascii_strcasecmp(g_mime_header_get_name(one), NEEDED[k]) == 0 &&
					 !strcasestr(have, key));
		}
		if (wanted) {
			h->rc = put_made(one, out, h->m->err);
		}
	}
	return h->rc;
}

static int make(struct mail *m, const struct pf_buf *names, bool all, struct pf_buf *out)
{
	struct head h = {.m = m, .made = g_mime_message_new(FALSE)};

	set_date(&h);
	set_senders(&h);
	set_recipients(&h);
	set_reply_to(&h);
	set_subject(&h);
	set_message_id(&h);
	set_thread(&h);
	set_how_important(&h);
	set_keywords(&h);
	set_named(&h);
	(void)add_made(&h, names, all, out);
	g_object_unref(h.made);
	return h.rc;
}

int mail_header(struct mail *m, struct pf_span kept, struct pf_buf *out)
{
	struct pf_buf names;
	size_t was = out->n;
	const char *ignored;
	int rc;

	pf_buf_init(&names, kept.n + 64);
	rc = mail_kept_fields(kept, out, &names, m->err);
	rc = rc == PF_OK ? pf_buf_cstr(&names, &ignored, m->err) : rc;
	rc = rc == PF_OK ? make(m, &names, out->n == was, out) : rc;
	pf_buf_deinit(&names);
	return rc;
}
