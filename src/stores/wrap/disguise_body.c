#include "stores/wrap/disguise_private.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "convert/mapi_body.h"
#include "convert/mapi_open.h"
#include "model/mapi_tags.h"
#include "model/mime.h"
#include "proto/tnef/tnef.h"

#include <stdio.h>

enum { START_MAX = 4096, TYPE_MAX = 200 };
/* More than this is not taken apart. */
#define TNEF_MAX ((size_t)1 << 30)

enum pf_kind dg_kind_of_start(struct pf_span base64)
{
	uint8_t text[START_MAX];
	struct pf_span class;
	struct pf_err ignored; /* then it is no TNEF */
	struct pf_buf bytes;
	enum pf_kind kind = 0;
	size_t n = 0;

	for (size_t i = 0; i < base64.n && n < sizeof(text); i++) {
		if (!pf_ascii_space(base64.p[i])) {
			text[n++] = base64.p[i];
		}
	}
	pf_buf_init(&bytes, START_MAX);
	if (pf_base64_decode(pf_span(text, n & ~(size_t)3), &bytes, &ignored) == PF_OK &&
		pf_tnef_is(pf_buf_span(&bytes))) {
		kind = pf_tnef_class(pf_buf_span(&bytes), &class) ? pf_mapi_kind(class)
								  : PF_KIND_MAIL;
	}
	pf_buf_deinit(&bytes);
	return kind;
}

/* ---- a message ---- */

static bool contains(struct pf_span s, const char *word)
{
	return s.p && memmem(s.p, s.n, word, strlen(word)) != NULL;
}

/* The part that is TNEF by its type. */
static bool find_part(struct pf_span message, struct pf_mime_part *part)
{
	struct pf_mime walk;
	char type[TYPE_MAX];

	if (!contains(message, "ms-tnef") && !contains(message, "MS-TNEF")) {
		return false; /* most messages: nothing is taken apart */
	}
	pf_mime_begin(&walk, message);
	while (pf_mime_next(&walk, part)) {
		if (pf_mime_field(part->header, "Content-Type", type, sizeof(type)) &&
			strcasestr(type, "ms-tnef") && !part->sealed) {
			return true;
		}
	}
	return false;
}

const char *dg_stays(struct dg_store *s, struct pf_span message)
{
	struct pf_mime_part part;
	enum pf_kind kind;

	if (!find_part(message, &part) || part.encoding != PF_MIME_BASE64) {
		return NULL;
	}
	kind = dg_kind_of_start(part.body);
	if (kind == 0 || kind == PF_KIND_MAIL) {
		return NULL;
	}
	(void)snprintf(s->left_out, sizeof(s->left_out),
		"an item of Exchange in mail's form, kept as the message that it is: its kind is "
		"%s, and %s",
		pf_kind_name(kind),
		dg_apart(s) & (uint32_t)kind ? "the server did not tell it from mail"
					     : "no target takes it");
	return s->left_out;
}

/* Where the TNEF says no text, the message itself does. */
static int lend_text(struct pf_mapi_item *item, struct pf_span message, struct pf_err *err)
{
	struct pf_mapi_bodies bodies = {0};
	struct pf_mapi_prop *p;
	struct pf_mime walk;
	struct pf_mime_part part;
	struct pf_span text;
	struct pf_buf said;
	int rc = pf_mapi_body(item, item->arena, &bodies, err);

	if (rc != PF_OK || bodies.text.n > 0 || bodies.html.n > 0) {
		return rc;
	}
	pf_mime_begin(&walk, message);
	while (pf_mime_next(&walk, &part)) {
		if (!part.text) {
			continue;
		}
		pf_buf_init(&said, TNEF_MAX);
		rc = pf_mime_decode(&part, &said, err);
		text = pf_arena_span(item->arena, pf_buf_span(&said));
		pf_buf_deinit(&said);
		if (rc == PF_OK && text.n > 0 && !pf_utf8_valid(text)) {
			rc = pf_mapi_decode(item->arena, 0, text, &text, err);
		}
		p = rc == PF_OK && text.n > 0 ? pf_mapi_add(item, &item->props) : NULL;
		if (p) {
			*p = (struct pf_mapi_prop){.id = PF_TAG_BODY,
				.value = {.type = PF_MAPI_STRING, .bytes = text}};
		}
		return rc;
	}
	return PF_OK;
}

/* Without the empty line behind it. */
static struct pf_span header_of(struct pf_span message)
{
	const uint8_t *end = message.p ? memmem(message.p, message.n, "\r\n\r\n", 4) : NULL;

	return pf_span(message.p, end ? (size_t)(end - message.p) + 2 : message.n);
}

static int convert(struct dg_store *s, struct pf_span message, struct pf_span tnef, uint32_t kinds,
	struct pf_arena *arena, struct pf_err *err)
{
	struct pf_mapi_item *item = pf_mapi_new(arena);
	struct pf_mapi_notes *notes = pf_arena_alloc(arena, sizeof(*notes));
	char key[PF_MAPI_KEY_MAX];
	enum pf_kind kind;

	if (!item || !notes) {
		return pf_fail_memory(err, "an item");
	}
	if (!pf_tnef_is(tnef)) {
		return PF_END;
	}
	if (pf_tnef_read(tnef, item, notes, err) != PF_OK) {
		return PF_FAIL;
	}
	kind = pf_mapi_kind(pf_mapi_class(item));
	/* What is about meetings has a part text/calendar beside its TNEF, and is mail. */
	if (!(kinds & (uint32_t)kind) ||
		(kind == PF_KIND_MAIL && !pf_mapi_is_a(pf_mapi_class(item), "IPM.Note"))) {
		return PF_END;
	}
	if (notes->broken > 0) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "its TNEF part is damaged: %s",
			pf_mapi_broken_text(notes));
	}
	if (lend_text(item, message, err) != PF_OK ||
		pf_mapi_form_key("tnef", tnef, key, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_mapi_form_make(&s->form, s->cfg, item, pf_span_str(key),
		    kind == PF_KIND_MAIL ? header_of(message) : pf_span(NULL, 0), err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_mapi_form_keep(&s->form, s->cfg, item, tnef, ".tnef", err);
}

int dg_convert(struct dg_store *s, struct pf_span message, uint32_t kinds, struct pf_err *err)
{
	struct pf_mime_part part;
	struct pf_arena arena;
	struct pf_buf tnef;
	int rc;

	if (!find_part(message, &part)) {
		return PF_END;
	}
	pf_arena_init(&arena);
	pf_buf_init(&tnef, TNEF_MAX);
	rc = pf_mime_decode(&part, &tnef, err);
	rc = rc == PF_OK ? convert(s, message, pf_buf_span(&tnef), kinds, &arena, err) : rc;
	pf_buf_deinit(&tnef);
	pf_arena_deinit(&arena);
	return rc;
}
