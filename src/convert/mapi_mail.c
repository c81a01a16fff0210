#include "convert/mapi_mail.h"

#include "base/digest.h"
#include "base/utf8.h"
#include "convert/mail_private.h"
#include "model/mapi_tags.h"

#include <pthread.h>

enum { MOST_OF_A_LINE = 16384 };

/* ---- for all files ---- */

const struct pf_mapi_value *mail_use(struct mail *m, uint16_t tag)
{
	return pf_mapi_use(m->losses, PF_MAPI_KEPT, pf_mapi_tag(&m->item->props, tag));
}

const char *mail_line(struct mail *m, struct pf_span text)
{
	uint8_t *line;

	if (!pf_utf8_valid(text) && pf_mapi_decode(m->arena, 0, text, &text, m->err) != PF_OK) {
		return NULL;
	}
	if (text.n > MOST_OF_A_LINE) {
		pf_mapi_odd(m->losses, "a field of %zu bytes was cut", text.n);
		text = pf_utf8_prefix(text, MOST_OF_A_LINE);
	}
	line = pf_arena_alloc(m->arena, text.n + 1);
	if (!line) {
		(void)pf_fail_memory(m->err, "a header");
		return NULL;
	}
	for (size_t i = 0; i < text.n; i++) {
		line[i] = text.p[i] < ' ' || text.p[i] == 0x7F ? ' ' : text.p[i];
	}
	while (text.n > 0 && line[text.n - 1] == ' ') {
		line[--text.n] = '\0';
	}
	return (const char *)line;
}

int mail_mark(struct mail *m, const char *what, char out[41])
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest digest;
	char hex[2 * PF_DIGEST_BYTES + 1], number[32];

	if (!h) {
		return pf_fail_memory(m->err, "a digest");
	}
	(void)snprintf(number, sizeof(number), "%zu", m->parts++);
	pf_hash_add(h, pf_span(what, strlen(what) + 1));
	pf_hash_add(h, pf_span(number, strlen(number) + 1));
	pf_hash_add(h, m->ways->key);
	pf_hash_take(h, &digest);
	pf_hash_free(&h);
	pf_digest_hex(&digest, hex);
	(void)snprintf(out, 41, "%.40s", hex);
	return PF_OK;
}

/* ---- the message ---- */

/*
 * A clear-signed message is kept as one attachment that is the entity that was signed, header and
 * all ([MS-OXOSMIME] 2.1.1.2); any change of it breaks the signature. Absent: it is none.
 */
static struct pf_span signed_entity(struct mail *m)
{
	const struct pf_mapi_attachment *a = m->item->attachments;
	struct pf_span type;

	if (!pf_mapi_is_a(pf_mapi_class(m->item), "IPM.Note.SMIME.MultipartSigned") ||
		m->item->attachments_n != 1 || a->kind != PF_MAPI_ATTACH_DATA) {
		return pf_span(NULL, 0);
	}
	type = pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_MIME));
	return pf_span_is(type, "multipart/signed") && pf_span_starts(a->data, "Content-Type:")
		       ? a->data
		       : pf_span(NULL, 0);
}

static int write_entity(struct mail *m, struct pf_buf *out)
{
	GMimeObject *entity = mail_entity(m);
	GMimeStream *stream;
	GByteArray *bytes;
	int rc;

	if (!entity) {
		return PF_FAIL;
	}
	stream = g_mime_stream_mem_new();
	/* It can fail for lack of memory only, and then GLib ends the process. */
	(void)g_mime_object_write_to_stream(entity, m->format, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	rc = pf_buf_add(out, pf_span(bytes->data, bytes->len), m->err);
	g_object_unref(stream);
	g_object_unref(entity);
	return rc;
}

static int write_mail(struct mail *m, struct pf_span header, struct pf_buf *out)
{
	struct pf_span whole = signed_entity(m);

	(void)mail_use(m, PF_TAG_MESSAGE_CLASS);
	if (!header.p) {
		header = pf_mapi_text(mail_use(m, PF_TAG_TRANSPORT_HEADERS));
	}
	if (mail_header(m, header, out) != PF_OK ||
		pf_buf_add_str(out, "MIME-Version: 1.0\r\n", m->err) != PF_OK) {
		return PF_FAIL;
	}
	return whole.p ? pf_buf_add(out, whole, m->err) : write_entity(m, out);
}

/* What a transport or a store wrote about its own work; the message does not say it. */
static void note_idle(struct mail *m)
{
	static const uint16_t TAGS[] = {0x0002, 0x0057, 0x0058, 0x0059, 0x0063, 0x0075, 0x0076,
		0x0077, 0x0078, 0x0E14, 0x0E1F, 0x10F2, 0x3414, 0x3A40, PF_TAG_CREATION_TIME,
		PF_TAG_LAST_MODIFICATION_TIME, PF_TAG_MESSAGE_DELIVERY_TIME};
	static const uint16_t COMMON[] = {0x8552, 0x8554, 0x8582};
	const struct pf_mapi_props *props = &m->item->props;
	/* The last three are the date of a message that was never sent. */
	size_t n = PF_COUNT(TAGS) - (pf_mapi_tag(props, PF_TAG_CLIENT_SUBMIT_TIME) ? 0 : 3);

	for (size_t i = 0; i < n; i++) {
		(void)pf_mapi_use(m->losses, PF_MAPI_IDLE, pf_mapi_tag(props, TAGS[i]));
	}
	for (size_t i = 0; i < PF_COUNT(COMMON); i++) {
		(void)pf_mapi_use(
			m->losses, PF_MAPI_IDLE, pf_mapi_lid(props, &pf_set_common, COMMON[i]));
	}
}

static void begin_gmime(void)
{
	g_mime_init();
}

int pf_mapi_mail(const struct pf_mapi_item *item, struct pf_span header,
	const struct pf_mapi_ways *ways, struct pf_mapi_losses *losses, struct pf_buf *out,
	struct pf_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mail m = {
		.item = item, .ways = ways, .losses = losses, .arena = losses->arena, .err = err};
	size_t was = out->n;
	int rc;

	(void)pthread_once(&once, begin_gmime);
	m.format = g_mime_format_options_new();
	g_mime_format_options_set_newline_format(m.format, GMIME_NEWLINE_FORMAT_DOS);
	rc = write_mail(&m, header, out);
	g_mime_format_options_free(m.format);
	note_idle(&m);
	if (rc == PF_OK) {
		rc = pf_mapi_losses_end(losses, &item->props, err);
	}
	if (rc != PF_OK) {
		out->n = was;
	}
	return rc;
}
