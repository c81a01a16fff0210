/*
 * Pages for people in place of an answer: of a proxy, a balancer, a page to sign in at. Such a
 * thing may pass like any other failure, and when it does not, only a person can tell what it is.
 */
#include "stores/ews/ews_private.h"

#include "base/utf8.h"
#include "convert/html_text.h"

#include <stdio.h>

enum { LOOKED_AT = 1 << 16, WORDS = 90 };

static bool begins(struct pf_span body, const char *with)
{
	size_t n = strlen(with);

	for (size_t i = 0; i < n && i < body.n; i++) {
		if (pf_ascii_lower(body.p[i]) != (uint8_t)with[i]) {
			return false;
		}
	}
	return body.n >= n;
}

bool ews_is_page(const struct pf_http_answer *a)
{
	struct pf_span body = a->body;

	if (begins(body, "\xef\xbb\xbf")) {
		body = pf_span_from(body, 3);
	}
	while (body.n > 0 && strchr(" \t\r\n", body.p[0]) && body.p[0] != '\0') {
		body = pf_span_from(body, 1);
	}
	return begins(body, "<!doctype html") || begins(body, "<html") ||
	       (a->type.p && begins(a->type, "text/html"));
}

/* All blanks in a row are one. */
static void on_one_line(struct pf_span text, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n + 1 < size; i++) {
		bool blank = text.p[i] <= ' ';

		if (!blank || (n > 0 && out[n - 1] != ' ')) {
			out[n++] = blank ? ' ' : (char)text.p[i];
		}
	}
	n -= n > 0 && out[n - 1] == ' ';
	out[n] = '\0';
}

void ews_page_words(const struct estore *s, const struct pf_http_answer *a, char *out, size_t size)
{
	struct pf_span html = {a->body.p, a->body.n < LOOKED_AT ? a->body.n : LOOKED_AT}, text;
	const struct pf_origin *at = &s->where.origin;
	char line[WORDS + 200], words[WORDS];
	struct pf_arena arena;
	struct pf_err ignored; /* no memory: then it has no words */

	pf_arena_init(&arena);
	if (pf_html_text(html, &arena, &text, &ignored) != PF_OK) {
		text = pf_span("", 0);
	}
	on_one_line(text, line, sizeof(line));
	pf_arena_deinit(&arena);
	pf_print_safe(words, sizeof(words), pf_span_str(line));
	(void)snprintf(out, size,
		"%s://%.60s:%d%.50s answers with HTML (HTTP %d): \"%s\". A proxy or a page to sign "
		"in at is in Exchange's place: look at it with a browser, let these requests pass, "
		"or give another URL",
		at->https ? "https" : "http", at->host, at->port, s->target, a->status, words);
}
