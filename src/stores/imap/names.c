/*
 * Between paths and the server's own names: namespaces, delimiters, and modified UTF-7 or UTF-8.
 */
#include "proto/imap/mutf7.h"

#include "base/utf8.h"
#include "stores/imap/imap_private.h"

enum { NAME_MAX_BYTES = 65536 };

/* IMAP4rev2 has names in UTF-8, where "&" is nothing special (RFC 9051 section 5.1); a server that
 * speaks IMAP4rev1 as well has them in modified UTF-7 until it is told otherwise (appendix A). */
static bool in_utf8(const struct istore *s)
{
	return ((s->caps & PF_IMAP_CAP_REV2) && !(s->caps & PF_IMAP_CAP_REV1)) ||
	       (s->caps & PF_IMAP_CAP_UTF8_ONLY);
}

static int decode(const struct istore *s, struct pf_span raw, struct pf_buf *out, bool *doubtful,
	struct pf_err *err)
{
	if (in_utf8(s) && pf_utf8_valid(raw) && (raw.n == 0 || !memchr(raw.p, 0, raw.n))) {
		*doubtful = false;
		return pf_buf_add(out, raw, err);
	}
	return pf_mutf7_decode(raw, out, doubtful, err);
}

static int encode(
	const struct istore *s, const char *segment, struct pf_buf *out, struct pf_err *err)
{
	return in_utf8(s) ? pf_buf_add_str(out, segment, err)
			  : pf_mutf7_encode(pf_span_str(segment), out, err);
}

static bool has_prefix(struct pf_span name, struct pf_span prefix)
{
	return prefix.n > 0 && name.n >= prefix.n && memcmp(name.p, prefix.p, prefix.n) == 0;
}

/*
 * Whether the folder lies in a namespace of others (or is such a namespace's root). Where one
 * namespace lies within another, the longer prefix counts.
 */
bool names_is_others(const struct istore *s, struct pf_span name)
{
	struct pf_span mine = pf_buf_span(&s->prefix);
	size_t at = 0;

	while (at < s->other_prefixes.n) {
		const char *p = (const char *)s->other_prefixes.p + at;
		struct pf_span prefix = pf_span_str(p);

		if ((has_prefix(name, prefix) && !(mine.n > prefix.n && has_prefix(name, mine))) ||
			(prefix.n == name.n + 1 && memcmp(prefix.p, name.p, name.n) == 0)) {
			return true;
		}
		at += prefix.n + 1;
	}
	return false;
}

/* Raw name to path: prefix off, split at the delimiter, decoded. */
int names_path(const struct istore *s, const struct pf_imap_list *f, struct pf_path *path,
	bool *doubtful, struct pf_err *err)
{
	struct pf_span name = f->name;
	struct pf_buf text;
	int rc = PF_OK;

	path->n = 0;
	*doubtful = false;
	if (pf_span_is(name, "INBOX") || (f->attrs & PF_IMAP_ATTR_INBOX)) {
		return pf_path_add(path, pf_span("INBOX", 5), err);
	}
	if (has_prefix(name, pf_buf_span(&s->prefix)) && name.n > s->prefix.n) {
		name = pf_span_from(name, s->prefix.n);
	}
	pf_buf_init(&text, NAME_MAX_BYTES);
	while (name.n > 0 && rc == PF_OK) {
		const uint8_t *end = f->delimiter ? memchr(name.p, f->delimiter, name.n) : NULL;
		size_t n = end ? (size_t)(end - name.p) : name.n;
		bool odd = false, first = path->n == 0;

		pf_buf_clear(&text);
		rc = decode(s, pf_span(name.p, n), &text, &odd, err);
		*doubtful = *doubtful || odd;
		if (rc == PF_OK && first && end && pf_span_is(pf_buf_span(&text), "INBOX")) {
			rc = pf_path_add(path, pf_span("INBOX", 5), err); /* whatever case it has */
		} else if (rc == PF_OK && text.n > 0) {
			rc = pf_path_add(path, pf_buf_span(&text), err);
		}
		name = pf_span_from(name, end ? n + 1 : n);
	}
	pf_buf_deinit(&text);
	return rc;
}

/* The segments from `first` on, with delimiters between them. */
static int add_segments(const struct istore *s, const struct pf_path *path, size_t first,
	struct pf_buf *out, struct pf_err *err)
{
	char delimiter = s->delimiter ? s->delimiter : FLAT_DELIMITER;

	for (size_t i = first; pf_path_segment(path, i); i++) {
		if ((i > first && pf_buf_add(out, pf_span(&delimiter, 1), err) != PF_OK) ||
			encode(s, pf_path_segment(path, i), out, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int names_native(
	const struct istore *s, const struct pf_path *path, struct pf_buf *out, struct pf_err *err)
{
	const char *first = pf_path_segment(path, 0);
	bool inbox = first && strcmp(first, "INBOX") == 0;
	/* "INBOX." as prefix: what is below INBOX lies beside the rest. */
	bool beside = inbox && pf_path_depth(path) > 1 &&
		      pf_span_starts(pf_buf_span(&s->prefix), "INBOX");

	if ((!inbox || beside) && pf_buf_add(out, pf_buf_span(&s->prefix), err) != PF_OK) {
		return PF_FAIL;
	}
	return add_segments(s, path, beside ? 1 : 0, out, err);
}
