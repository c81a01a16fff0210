/*
 * Open items as MAPI items: the first byte is the kind, the rest the text. What can be made can be
 * opened again, and made of that once more: then it means what the first one meant, if it is text
 * at all (RFC 5545 section 3.1, RFC 6350 section 3.3: no control characters).
 */
#include "base/defs.h"
#include "base/utf8.h"
#include "convert/ical_codec.h"
#include "convert/mapi_make.h"
#include "convert/mapi_open.h"
#include "convert/vcard_codec.h"
#include "sum.h"

#include <stdlib.h>

enum { ROOM = 1 << 26, PARTS = 64 };

static const struct pf_mapi_ways WAYS = {
	.owner = {(const uint8_t *)"me@example.com", 14}, .key = {(const uint8_t *)"key", 3}};

static bool open_again(enum pf_kind kind, struct pf_span text, struct pf_buf *out)
{
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;
	struct pf_mapi_made made;
	struct pf_arena arena;
	struct pf_err err;
	int rc;

	pf_arena_init(&arena);
	rc = pf_mapi_make(kind, text, &WAYS, &arena, &made, &err);
	pf_assert(rc == PF_OK || err.scope == PF_SCOPE_ITEM);
	if (rc == PF_OK) {
		pf_mapi_losses_init(&losses, &arena);
		rc = pf_mapi_open(made.item, &WAYS, &losses, &opened, out, &err);
		pf_assert(rc == PF_OK && opened.kind == kind);
	}
	pf_arena_deinit(&arena);
	return rc == PF_OK;
}

static void means(enum pf_kind kind, struct pf_span text, struct pf_digest *out)
{
	const struct pf_codec *codec = kind == PF_KIND_CONTACTS ? &pf_vcard_codec : &pf_ical_codec;
	struct pf_piece pieces[PARTS];
	struct pf_doc *doc = NULL;
	struct pf_err err;
	size_t n = 0;

	pf_assert(codec->read(text, &doc, &err) == PF_OK);
	for (size_t i = 0; i < codec->parts(doc) && n < PARTS; i++) {
		pieces[n++] = (struct pf_piece){doc, i};
	}
	pf_assert(codec->fingerprint(pieces, n, out, &err) == PF_OK);
	codec->free(&doc);
}

static bool is_text(struct pf_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < ' ' && !memchr("\t\r\n", s.p[i], 3)) || s.p[i] == 0x7F) {
			return false;
		}
	}
	return pf_utf8_valid(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum pf_kind KINDS[] = {
		PF_KIND_CALENDAR, PF_KIND_TASKS, PF_KIND_NOTES, PF_KIND_CONTACTS};
	enum pf_kind kind = size > 0 ? KINDS[data[0] % PF_COUNT(KINDS)] : KINDS[0];
	struct pf_digest a, b;
	struct pf_buf first, second;

	pf_buf_init(&first, ROOM);
	pf_buf_init(&second, ROOM);
	if (size > 0 && open_again(kind, pf_span(data + 1, size - 1), &first) &&
		open_again(kind, pf_buf_span(&first), &second)) {
		means(kind, pf_buf_span(&first), &a);
		means(kind, pf_buf_span(&second), &b);
		pf_assert(pf_digest_eq(&a, &b) || !is_text(pf_span(data + 1, size - 1)));
	}
	pf_buf_deinit(&first);
	pf_buf_deinit(&second);
	return 0;
}
