#include "model/path.h"

#include "base/utf8.h"

#include <stdlib.h>

void pf_path_deinit(struct pf_path *p)
{
	free(p->p);
	*p = (struct pf_path){0};
}

int pf_path_add(struct pf_path *p, struct pf_span segment, struct pf_err *err)
{
	char *grown;

	if (segment.n == 0 || memchr(segment.p, '\0', segment.n) || !pf_utf8_valid(segment)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"a folder name is empty, holds a NUL or is not UTF-8");
	}
	grown = realloc(p->p, p->n + segment.n + 1);
	if (!grown) {
		return pf_fail_memory(err, "a folder's path");
	}
	memcpy(grown + p->n, segment.p, segment.n);
	grown[p->n + segment.n] = '\0';
	p->p = grown;
	p->n += segment.n + 1;
	return PF_OK;
}

static int set_bytes(struct pf_path *p, struct pf_span bytes, struct pf_err *err)
{
	char *copy = NULL;

	if (bytes.n > 0) {
		copy = malloc(bytes.n);
		if (!copy) {
			return pf_fail_memory(err, "a folder's path");
		}
		memcpy(copy, bytes.p, bytes.n);
	}
	pf_path_deinit(p);
	p->p = copy;
	p->n = bytes.n;
	return PF_OK;
}

int pf_path_copy(struct pf_path *p, const struct pf_path *from, struct pf_err *err)
{
	return set_bytes(p, pf_path_bytes(from), err);
}

int pf_path_from_bytes(struct pf_path *p, struct pf_span bytes, struct pf_err *err)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] == '\0' && (i == 0 || bytes.p[i - 1] == '\0')) {
			return pf_fail(
				err, PF_SCOPE_RUN, PF_RETRY_NO, "a path with an empty segment");
		}
	}
	if (!pf_utf8_valid(bytes) || (bytes.n > 0 && bytes.p[bytes.n - 1] != '\0')) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "bytes that are no path");
	}
	return set_bytes(p, bytes, err);
}

size_t pf_path_depth(const struct pf_path *p)
{
	size_t depth = 0;

	for (size_t i = 0; i < p->n; i++) {
		depth += p->p[i] == '\0';
	}
	return depth;
}

const char *pf_path_segment(const struct pf_path *p, size_t i)
{
	size_t at = 0;

	while (at < p->n && i > 0) {
		at += strlen(p->p + at) + 1;
		i--;
	}
	return at < p->n ? p->p + at : NULL;
}

const char *pf_path_leaf(const struct pf_path *p)
{
	size_t depth = pf_path_depth(p);

	return depth == 0 ? NULL : pf_path_segment(p, depth - 1);
}

bool pf_path_eq(const struct pf_path *a, const struct pf_path *b)
{
	return pf_span_eq(pf_path_bytes(a), pf_path_bytes(b));
}

int pf_path_cmp(const struct pf_path *a, const struct pf_path *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int d = n == 0 ? 0 : memcmp(a->p, b->p, n);

	if (d != 0) {
		return d;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

bool pf_path_is_under(const struct pf_path *p, const struct pf_path *top)
{
	return p->n >= top->n && (top->n == 0 || memcmp(p->p, top->p, top->n) == 0);
}

void pf_path_cut(struct pf_path *p, size_t depth)
{
	size_t at = 0;

	while (at < p->n && depth > 0) {
		at += strlen(p->p + at) + 1;
		depth--;
	}
	p->n = at;
}

/* One segment behind what `text` holds, its '/' and '\' escaped. */
static void show_segment(char *text, size_t size, size_t *n, const char *segment)
{
	for (const char *s = segment; *s && *n + 2 < size; s++) {
		if (*s == '/' || *s == '\\') {
			text[(*n)++] = '\\';
		}
		text[(*n)++] = *s;
	}
}

char *pf_path_show(const struct pf_path *p, char *out, size_t size)
{
	size_t room = 2 * p->n + 4;
	char *text = malloc(room);
	size_t n = 0;

	if (!text) {
		return pf_print_safe(out, size, pf_path_bytes(p));
	}
	for (size_t at = 0; at < p->n; at += strlen(p->p + at) + 1) {
		if (at > 0) {
			text[n++] = '/';
		}
		show_segment(text, room, &n, p->p + at);
	}
	pf_print_safe(out, size, pf_span(text, n));
	free(text);
	return out;
}

int pf_path_parse(struct pf_path *p, const char *text, struct pf_err *err)
{
	struct pf_path made = {0};
	struct pf_buf segment;
	int rc = PF_OK;

	pf_buf_init(&segment, SIZE_MAX / 4);
	for (const char *s = text; rc == PF_OK; s++) {
		if (*s == '/' || *s == '\0') {
			rc = pf_path_add(&made, pf_buf_span(&segment), err);
			pf_buf_clear(&segment);
			if (*s == '\0') {
				break;
			}
			continue;
		}
		if (*s == '\\' && s[1] != '\0') {
			s++;
		}
		rc = pf_buf_add(&segment, pf_span(s, 1), err);
	}
	pf_buf_deinit(&segment);
	if (rc != PF_OK) {
		pf_path_deinit(&made);
		return pf_wrap(err, "path \"%s\"", text);
	}
	pf_path_deinit(p);
	*p = made;
	return PF_OK;
}
