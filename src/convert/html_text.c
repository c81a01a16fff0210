#include "convert/html_text.h"

#include "base/buf.h"

#include <limits.h>

#include <libxml/HTMLparser.h>

enum { OUT_OF_ONE = 4 };

enum what {
	INLINE,
	BLOCK,     /* on lines of its own */
	PARAGRAPH, /* and with an empty one around it */
	BREAK,
	ITEM,
	CELL,
	HIDDEN,
};

static enum what what_of(const xmlNode *n)
{
	static const struct {
		const char *name;
		enum what what;
	} ELEMENTS[] = {{"p", PARAGRAPH}, {"div", BLOCK}, {"br", BREAK}, {"tr", BLOCK},
		{"td", CELL}, {"th", CELL}, {"table", BLOCK}, {"li", ITEM}, {"ul", BLOCK},
		{"ol", BLOCK}, {"dt", BLOCK}, {"dd", BLOCK}, {"h1", PARAGRAPH}, {"h2", PARAGRAPH},
		{"h3", PARAGRAPH}, {"h4", PARAGRAPH}, {"h5", PARAGRAPH}, {"h6", PARAGRAPH},
		{"blockquote", BLOCK}, {"pre", BLOCK}, {"hr", BLOCK}, {"address", BLOCK},
		{"head", HIDDEN}, {"style", HIDDEN}, {"script", HIDDEN}, {"title", HIDDEN}};

	if (n->type != XML_ELEMENT_NODE) {
		return n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE ||
				       n->type == XML_HTML_DOCUMENT_NODE
			       ? INLINE
			       : HIDDEN;
	}
	for (size_t i = 0; i < PF_COUNT(ELEMENTS); i++) {
		if (strcmp((const char *)n->name, ELEMENTS[i].name) == 0) {
			return ELEMENTS[i].what;
		}
	}
	return INLINE;
}

struct writer {
	struct pf_buf *out;
	size_t breaks; /* wanted before the next word */
	bool blank;    /* a blank is wanted before it */
	size_t pre;    /* how many <pre> are around */
	struct pf_err *err;
	int rc;
};

static void add(struct writer *w, const char *bytes, size_t n)
{
	if (w->rc == PF_OK) {
		w->rc = pf_buf_add(w->out, pf_span(bytes, n), w->err);
	}
}

static void want_breaks(struct writer *w, size_t n)
{
	w->breaks = w->breaks < n ? n : w->breaks;
	w->blank = false;
}

static void before_word(struct writer *w)
{
	for (; w->breaks > 0; w->breaks--) {
		if (w->out->n > 0) {
			add(w, "\r\n", 2);
		}
	}
	if (w->blank) {
		add(w, " ", 1);
	}
	w->blank = false;
}

static void put_text(struct writer *w, const char *s)
{
	for (size_t n; *s; s += n) {
		n = strcspn(s, " \t\r\n\f");
		if (n > 0) {
			before_word(w);
			add(w, s, n);
		} else if (w->pre > 0) {
			n = *s == '\r' && s[1] == '\n' ? 2 : 1;
			before_word(w);
			add(w, *s == '\n' || *s == '\r' ? "\r\n" : s,
				*s == '\n' || *s == '\r' ? 2 : 1);
		} else {
			n = 1;
			w->blank = w->breaks == 0 && w->out->n > 0;
		}
	}
}

static bool is_pre(const xmlNode *n)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, "pre") == 0;
}

static void enter(struct writer *w, const xmlNode *n, enum what what)
{
	switch (what) {
	case PARAGRAPH:
		want_breaks(w, w->out->n > 0 ? 2 : 0);
		break;
	case BLOCK:
		want_breaks(w, 1);
		break;
	case BREAK:
		w->breaks++;
		w->blank = false;
		break;
	case ITEM:
		want_breaks(w, 1);
		before_word(w);
		add(w, "* ", 2);
		break;
	case CELL:
		if (w->breaks == 0 && w->out->n > 0) {
			w->blank = false;
			add(w, "\t", 1);
		}
		break;
	case INLINE:
		if (n->content) {
			put_text(w, (const char *)n->content);
		}
		break;
	case HIDDEN:
		break;
	}
	w->pre += is_pre(n);
}

/* "words <address>", when the words don't say it. */
static void put_address(struct writer *w, xmlNode *n)
{
	xmlChar *href = xmlGetProp(n, (const xmlChar *)"href");
	xmlChar *words = href ? xmlNodeGetContent(n) : NULL;
	const char *at = (const char *)href;

	if (at && words && strncasecmp(at, "mailto:", 7) == 0) {
		at += 7;
	}
	if (at && words && *at && *at != '#' && !strstr((const char *)words, at)) {
		before_word(w);
		add(w, " <", 2);
		add(w, at, strcspn(at, " \t\r\n"));
		add(w, ">", 1);
	}
	xmlFree(words);
	xmlFree(href);
}

static void leave(struct writer *w, xmlNode *n)
{
	enum what what = what_of(n);

	w->pre -= is_pre(n);
	if (what == PARAGRAPH || what == BLOCK || what == ITEM) {
		want_breaks(w, what == PARAGRAPH ? 2 : 1);
	}
	if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, "a") == 0) {
		put_address(w, n);
	}
}

/* Without recursion: nobody knows how deep somebody's HTML is. */
static void walk(struct writer *w, xmlNode *top)
{
	xmlNode *n = top;

	while (n && w->rc == PF_OK) {
		enum what what = what_of(n);

		enter(w, n, what);
		if (n->children && what != HIDDEN) {
			n = n->children;
			continue;
		}
		leave(w, n);
		while (n != top && !n->next) {
			n = n->parent;
			leave(w, n);
		}
		n = n == top ? NULL : n->next;
	}
}

int pf_html_text(
	struct pf_span html, struct pf_arena *arena, struct pf_span *out, struct pf_err *err)
{
	struct pf_buf text;
	struct writer w = {.out = &text, .err = err};
	htmlDocPtr doc = NULL;

	*out = pf_span("", 0);
	if (html.n == 0 || html.n > INT_MAX / OUT_OF_ONE) {
		return PF_OK;
	}
	doc = htmlReadMemory((const char *)html.p, (int)html.n, NULL, "UTF-8",
		HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
	if (!doc) { /* nothing that is an element or a word */
		return PF_OK;
	}
	pf_buf_init(&text, (html.n + 16) * 2 * OUT_OF_ONE);
	walk(&w, (xmlNode *)doc);
	if (w.rc == PF_OK && text.n > 0) {
		add(&w, "\r\n", 2);
		*out = pf_arena_span(arena, pf_buf_span(&text));
		w.rc = out->p ? w.rc : pf_fail_memory(err, "the text of HTML");
	}
	pf_buf_deinit(&text);
	xmlFreeDoc(doc);
	return w.rc;
}
