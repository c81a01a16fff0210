/*
 * What a target altered, by the names of what says something else: of what it gave back the lines
 * of the meaning stay as a name and a short digest each, to be compared with what was sent when
 * that has been composed again.
 */
#include "engine/keyed_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 31, TEXT_MAX = 64 << 20 };

struct told {
	char name[NAME_MAX_BYTES + 1];
	uint8_t digest[8];
};

/* The next line with those that continue it, which begin with a blank. */
static struct pf_span next_line(struct pf_span *rest)
{
	struct pf_span line = *rest;
	size_t n = 0;

	while (n < line.n && (line.p[n] != '\n' || (n + 1 < line.n && line.p[n + 1] == ' '))) {
		n++;
	}
	*rest = pf_span_from(line, n < line.n ? n + 1 : n);
	return pf_span(line.p, n);
}

static int tell_line(struct pf_span line, struct told *out, struct pf_err *err)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest d;
	size_t n = 0;

	if (!h) {
		return pf_fail_memory(err, "the meaning of an item");
	}
	pf_hash_add(h, line);
	pf_hash_take(h, &d);
	pf_hash_free(&h);
	memcpy(out->digest, d.b, sizeof(out->digest));
	while (n < line.n && n < NAME_MAX_BYTES && line.p[n] != ':' && line.p[n] != ';') {
		out->name[n] = (char)line.p[n];
		n++;
	}
	out->name[n] = '\0';
	return PF_OK;
}

int keyed_tell(
	struct pf_fold *f, const struct pf_doc *doc, struct keyed_said *out, struct pf_err *err)
{
	const struct pf_codec *codec = f->keyed->codec;
	struct pf_piece *pieces = calloc(codec->parts(doc), sizeof(*pieces));
	struct pf_buf text, all;
	struct pf_span rest;
	int rc;

	if (!pieces) {
		return pf_fail_memory(err, "an item");
	}
	pf_buf_init(&text, TEXT_MAX);
	pf_buf_init(&all, TEXT_MAX);
	rc = codec->tell(pieces, keyed_pieces_of(codec, doc, pf_span(NULL, 0), pieces), &text, err);
	rest = pf_buf_span(&text);
	while (rc == PF_OK && rest.n > 0) {
		struct told t = {.name = ""};

		rc = tell_line(next_line(&rest), &t, err);
		rc = rc == PF_OK ? pf_buf_add(&all, pf_span(&t, sizeof(t)), err) : rc;
	}
	rc = rc == PF_OK ? keyed_keep(f->keyed, pf_buf_span(&all), &out->lines, err) : rc;
	rc = rc == PF_OK ? keyed_meaning(codec, doc, &out->whole, err) : rc;
	pf_buf_deinit(&text);
	pf_buf_deinit(&all);
	free(pieces);
	return rc;
}

static struct told told_at(struct pf_span all, size_t i)
{
	struct told t;

	memcpy(&t, all.p + i * sizeof(t), sizeof(t));
	return t;
}

static bool has(struct pf_span all, const struct told *t)
{
	for (size_t i = 0; i < all.n / sizeof(*t); i++) {
		struct told u = told_at(all, i);

		if (memcmp(u.digest, t->digest, sizeof(u.digest)) == 0) {
			return true;
		}
	}
	return false;
}

static bool names(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at += n) {
		if ((at == list || at[-1] == ' ') && (!at[n] || at[n] == ',')) {
			return true;
		}
	}
	return false;
}

/* Names of lines of `a` that `b` has not, each once. */
static void add_names(struct pf_span a, struct pf_span b, char *out, size_t max)
{
	for (size_t i = 0; i < a.n / sizeof(struct told); i++) {
		struct told t = told_at(a, i);
		size_t n = strlen(out), len = strlen(t.name);

		if (len > 0 && !names(out, t.name) && !has(b, &t) && n + len + 3 < max) {
			(void)snprintf(out + n, max - n, "%s%s", n > 0 ? ", " : "", t.name);
		}
	}
}

/* Whether all lines of `a` that `b` has not are of properties that no standard has. */
static bool is_own(struct pf_span a, struct pf_span b)
{
	for (size_t i = 0; i < a.n / sizeof(struct told); i++) {
		struct told t = told_at(a, i);

		if (!has(b, &t) && strncmp(t.name, "X-", 2) != 0) {
			return false;
		}
	}
	return true;
}

static bool has_all(struct pf_span a, struct pf_span b)
{
	for (size_t i = 0; i < b.n / sizeof(struct told); i++) {
		struct told t = told_at(b, i);

		if (!has(a, &t)) {
			return false;
		}
	}
	return true;
}

int keyed_differ(struct pf_fold *f, const struct keyed_task *t, char *out, size_t max, bool *grown,
	struct pf_err *err)
{
	struct pf_span said = t->said.lines;
	struct pf_doc *doc = NULL;
	struct keyed_said sent = {0};
	int rc = said.p ? f->keyed->codec->read(pf_blob_span(t->body), &doc, err) : PF_END;

	out[0] = '\0';
	*grown = false;
	rc = rc == PF_OK ? keyed_tell(f, doc, &sent, err) : rc;
	f->keyed->codec->free(&doc);
	if (rc == PF_OK) {
		add_names(sent.lines, said, out, max);
		add_names(said, sent.lines, out, max);
		*grown = out[0] && has_all(said, sent.lines) && is_own(said, sent.lines);
	}
	return rc == PF_END ? PF_OK : rc;
}
