#include "convert/vcard_codec.h"

#include "proto/vcard/vcard.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUT_MAX = 256 << 20 };

struct pf_doc {
	struct pf_vcards *v;
	struct pf_span bytes;      /* a copy, for those that are not changed */
	struct pf_component *part; /* one a card */
};

static struct pf_span text_line(struct pf_doc *d, size_t card, const char *name, struct pf_err *err)
{
	const struct pf_line *l = pf_vcard_find(d->v, card, name);
	struct pf_span raw = l ? pf_vcard_value(d->v, l) : pf_span(NULL, 0), out = pf_span(NULL, 0);
	struct pf_buf b;

	if (!raw.p || raw.n == 0) {
		return out;
	}
	pf_buf_init(&b, OUT_MAX);
	if (pf_text_unescape(raw, &b, err) == PF_OK) {
		out = pf_arena_span(&d->v->arena, pf_buf_span(&b));
	}
	pf_buf_deinit(&b);
	return out;
}

static int digest_of(struct pf_vcards *v, size_t card, struct pf_digest *out, struct pf_err *err)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_buf text;
	int rc;

	if (!h) {
		return pf_fail_memory(err, "the meaning of a contact");
	}
	pf_buf_init(&text, OUT_MAX);
	rc = pf_vcard_canonical(v, card, &text, err);
	if (rc == PF_OK) {
		pf_hash_add(h, pf_buf_span(&text));
		pf_hash_take(h, out);
	}
	pf_buf_deinit(&text);
	pf_hash_free(&h);
	return rc;
}

static int read_card(struct pf_doc *d, size_t i, struct pf_err *err)
{
	struct pf_component *p = &d->part[i];

	*p = (struct pf_component){.kind = PF_KIND_CONTACTS,
		.begin_utc_s = PF_DATE_NONE,
		.created_utc_s = PF_DATE_NONE,
		.modified_utc_s = PF_DATE_NONE,
		.stamp_utc_s = PF_DATE_NONE,
		.day_s = -1};
	pf_err_clear(err);
	p->uid = text_line(d, i, "UID", err);
	p->summary = text_line(d, i, "FN", err);
	p->meant = text_line(d, i, "X-POSTFERRY-MEANT", err);
	p->rekeyed = pf_vcard_find(d->v, i, "X-POSTFERRY-ORIGINAL-UID") != NULL;
	return err->text[0] ? PF_FAIL : digest_of(d->v, i, &p->meaning, err);
}

static void free_doc(struct pf_doc **doc)
{
	struct pf_doc *d = *doc;

	if (!d) {
		return;
	}
	pf_vcards_free(&d->v);
	free(d->part);
	free(d);
	*doc = NULL;
}

static int read_all(struct pf_doc *d, struct pf_span bytes, struct pf_err *err)
{
	if (pf_vcards_read(bytes, &d->v, err) != PF_OK) {
		return PF_FAIL;
	}
	d->bytes = pf_arena_span(&d->v->arena, bytes);
	d->part = calloc(d->v->card_count, sizeof(*d->part));
	if (!d->bytes.p || !d->part) {
		return pf_fail_memory(err, "a contact");
	}
	for (size_t i = 0; i < d->v->card_count; i++) {
		if (read_card(d, i, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int read(struct pf_span bytes, struct pf_doc **out, struct pf_err *err)
{
	struct pf_doc *d = calloc(1, sizeof(*d));

	if (!d) {
		return pf_fail_memory(err, "a contact");
	}
	if (read_all(d, bytes, err) != PF_OK) {
		free_doc(&d);
		return PF_FAIL;
	}
	*out = d;
	return PF_OK;
}

static size_t parts(const struct pf_doc *doc)
{
	return doc->v->card_count;
}

static const struct pf_component *part(const struct pf_doc *doc, size_t i)
{
	return &doc->part[i];
}

static int fingerprint(
	const struct pf_piece *pieces, size_t n, struct pf_digest *out, struct pf_err *err)
{
	(void)n; /* a contact is one card */
	(void)err;
	*out = pieces[0].doc->part[pieces[0].part].meaning;
	return PF_OK;
}

static int tell(const struct pf_piece *pieces, size_t n, struct pf_buf *out, struct pf_err *err)
{
	int rc = PF_OK;

	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		rc = pf_vcard_canonical(pieces[i].doc->v, pieces[i].part, out, err);
	}
	return rc;
}

static bool recurs_at(const struct pf_piece *master, int64_t rid_utc_s, bool rid_is_date)
{
	(void)master;
	(void)rid_utc_s;
	(void)rid_is_date;
	return false;
}

static bool yields(const struct pf_piece *master, int64_t begin_utc_s, const struct pf_digest *says)
{
	(void)master;
	(void)begin_utc_s;
	(void)says;
	return false;
}

static int compose(const struct pf_piece *pieces, size_t n, const struct pf_compose *how,
	struct pf_composed *out, struct pf_err *err)
{
	const struct pf_doc *d = pieces[0].doc;
	const struct pf_vcard_edit edit = {.uid = how->uid,
		.repair = how->repair,
		.meant = how->meant,
		.version = how->card_version};
	bool as_it_is = !how->uid.p && !how->repair && !how->meant.p && how->card_version == 0 &&
			d->v->card_count == 1;
	struct pf_span bytes = d->bytes;
	struct pf_buf b, what;
	int rc = PF_OK;

	(void)n;
	pf_buf_init(&b, OUT_MAX);
	pf_buf_init(&what, OUT_MAX); /* cut below: it is for people */
	if (!as_it_is) {
		rc = pf_vcard_write(d->v, pieces[0].part, &edit, &b, &what, err);
		bytes = pf_buf_span(&b);
	}
	out->body = rc == PF_OK ? pf_blob_new(bytes.n) : NULL;
	if (rc == PF_OK && !out->body) {
		rc = pf_fail_memory(err, "a contact");
	}
	if (rc == PF_OK) {
		memcpy(out->body->bytes, bytes.p, bytes.n);
	}
	(void)snprintf(out->changes, sizeof(out->changes), "%.*s", (int)what.n,
		what.n > 0 ? (const char *)what.p : "");
	pf_buf_deinit(&b);
	pf_buf_deinit(&what);
	return rc;
}

static int expand(
	const struct pf_piece *pieces, size_t n, struct pf_window *window, struct pf_err *err)
{
	(void)pieces;
	(void)n;
	(void)err;
	window->n = 0;
	return PF_OK;
}

const struct pf_codec pf_vcard_codec = {
	.name = "vCard",
	.kinds = PF_KIND_CONTACTS,
	.media = "text/vcard",
	.version = PF_VCARD_MEANING_VERSION,
	.read = read,
	.free = free_doc,
	.parts = parts,
	.part = part,
	.fingerprint = fingerprint,
	.tell = tell,
	.recurs_at = recurs_at,
	.yields = yields,
	.compose = compose,
	.expand = expand,
};
