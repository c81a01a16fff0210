#include "convert/rtf_text.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "model/mapi.h"

enum {
	DEPTH = 256,  /* groups whose properties are kept; deeper ones share those above */
	FONTS = 1024, /* fonts whose code page is remembered */
	WORD = 32,
	HEAD_TOKENS = 64, /* \fromhtml stands at the front ([MS-OXRTFEX] 2.1.3.1) */
	OUT_OF_ONE = 16,  /* bytes that may come of one: "\~" becomes "&nbsp;", a byte 3 of UTF-8 */
	LATIN = 1252,
};

/* Where text goes. */
enum dest {
	TEXT,
	SKIP,
	FONTS_TABLE,
	HTML_TAG, /* what stands in it is HTML as it was */
};

/* What a group has of its own, and the one around it gets back at its end. */
struct state {
	enum dest dest;
	bool rtf_only; /* \htmlrtf: for those who read RTF */
	int font;
	int uc; /* how many characters stand behind \u for those who can't read it */
};

struct rtf {
	struct pf_span in;
	enum pf_rtf_kind kind;
	struct state now, stack[DEPTH];
	size_t depth, tokens;
	uint32_t page;         /* \ansicpg */
	int default_font;      /* \deff */
	uint16_t fonts[FONTS]; /* code page; 0: the document's */
	int defining;          /* the font whose properties are being told; -1: none */
	bool star;         /* "\*" was before: whoever does not know the word leaves the group */
	size_t skip;       /* of the characters behind \u */
	uint32_t high;     /* first half of a pair; 0: none */
	struct pf_buf run; /* bytes that are still in `run_page` */
	uint32_t run_page;
	struct pf_buf out;
	struct pf_err *err;
	int rc; /* the first failure is kept */
};

/* ---- out ---- */

static void fail_with(struct rtf *r, int rc)
{
	r->rc = r->rc == PF_OK ? rc : r->rc;
}

static void flush(struct rtf *r)
{
	struct pf_arena scratch;
	struct pf_span text;

	if (r->high) {
		r->high = 0;
		fail_with(r, pf_buf_add_str(&r->out, "\xEF\xBF\xBD", r->err));
	}
	if (r->run.n == 0) {
		return;
	}
	pf_arena_init(&scratch);
	if (pf_mapi_decode(&scratch, r->run_page, pf_buf_span(&r->run), &text, r->err) != PF_OK ||
		pf_buf_add(&r->out, text, r->err) != PF_OK) {
		fail_with(r, PF_FAIL);
	}
	pf_arena_deinit(&scratch);
	pf_buf_clear(&r->run);
}

static bool is_shown(const struct rtf *r)
{
	return r->now.dest == HTML_TAG || (r->now.dest == TEXT && !r->now.rtf_only);
}

static uint32_t page_now(const struct rtf *r)
{
	uint32_t page = r->now.font >= 0 && r->now.font < FONTS ? r->fonts[r->now.font] : 0;

	return page ? page : r->page;
}

static void put_byte(struct rtf *r, uint8_t c)
{
	uint32_t page = page_now(r);

	if (r->skip > 0) {
		r->skip--;
		return;
	}
	if (!is_shown(r)) {
		return;
	}
	if (page != r->run_page || r->high) {
		flush(r);
		r->run_page = page;
	}
	fail_with(r, c == 0 ? PF_OK : pf_buf_add(&r->run, pf_span(&c, 1), r->err));
}

static void put_text(struct rtf *r, const char *utf8)
{
	if (r->skip > 0) {
		r->skip--;
	} else if (is_shown(r)) {
		flush(r);
		fail_with(r, pf_buf_add_str(&r->out, utf8, r->err));
	}
}

static void put_unicode(struct rtf *r, uint32_t unit)
{
	uint8_t c[4];
	uint32_t high = r->high;

	if (!is_shown(r)) {
		return;
	}
	if (unit >= 0xD800 && unit < 0xDC00) {
		flush(r);
		r->high = unit;
		return;
	}
	if (unit >= 0xDC00 && unit < 0xE000) {
		r->high = 0;
		unit = high ? 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00) : 0xFFFD;
	}
	flush(r);
	if (unit != 0) {
		fail_with(r, pf_buf_add(&r->out, pf_span(c, pf_utf8_put(unit, c)), r->err));
	}
}

/* ---- words ---- */

struct word {
	char name[WORD + 1];
	bool has_number;
	int number;
};

/* \fcharset ([RTF] font table) to a code page; 0: the document's own. */
static uint16_t page_of_charset(int charset)
{
	static const struct {
		uint8_t charset;
		uint16_t page;
	} PAGES[] = {{0, LATIN}, {77, 10000}, {128, 932}, {129, 949}, {130, 1361}, {134, 936},
		{136, 950}, {161, 1253}, {162, 1254}, {163, 1258}, {177, 1255}, {178, 1256},
		{186, 1257}, {204, 1251}, {222, 874}, {238, 1250}, {254, 437}, {255, 850}};

	for (size_t i = 0; i < PF_COUNT(PAGES); i++) {
		if (PAGES[i].charset == charset) {
			return PAGES[i].page;
		}
	}
	return 0;
}

/* Words that stand for a character: in text, and in HTML ([MS-OXRTFEX] 2.1.3.1.6). */
static const struct {
	const char *word, *text, *html;
} CHARACTERS[] = {
	{"par", "\r\n", "\r\n"},
	{"line", "\r\n", "\r\n"},
	{"sect", "\r\n", NULL},
	{"page", "\r\n", NULL},
	{"row", "\r\n", NULL},
	{"cell", "\t", NULL},
	{"tab", "\t", "\t"},
	{"lquote", "\xE2\x80\x98", "&lsquo;"},
	{"rquote", "\xE2\x80\x99", "&rsquo;"},
	{"ldblquote", "\xE2\x80\x9C", "&ldquo;"},
	{"rdblquote", "\xE2\x80\x9D", "&rdquo;"},
	{"bullet", "\xE2\x80\xA2", "&bull;"},
	{"endash", "\xE2\x80\x93", "&ndash;"},
	{"emdash", "\xE2\x80\x94", "&mdash;"},
	{"enspace", "\xE2\x80\x82", "&ensp;"},
	{"emspace", "\xE2\x80\x83", "&emsp;"},
};

/* Groups that are not part of the text, beside all that begin with "\*". */
static const char *const NO_TEXT[] = {"colortbl", "stylesheet", "info", "pict", "object", "header",
	"headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "footnote",
	"themedata", "listtable", "filetbl", "revtbl", "xe", "tc", "nonshppict"};

static bool put_character(struct rtf *r, const char *word)
{
	for (size_t i = 0; i < PF_COUNT(CHARACTERS); i++) {
		if (strcmp(word, CHARACTERS[i].word) == 0) {
			const char *as = r->kind == PF_RTF_FROM_HTML ? CHARACTERS[i].html
								     : CHARACTERS[i].text;

			put_text(r, as ? as : "");
			return true;
		}
	}
	return false;
}

static bool begin_dest(struct rtf *r, const struct word *w)
{
	if (r->now.dest == SKIP) {
		return true; /* nothing within it is more than it is */
	}
	if (strcmp(w->name, "fonttbl") == 0) {
		r->now.dest = FONTS_TABLE;
		return true;
	}
	if (r->star) {
		bool tag = r->kind == PF_RTF_FROM_HTML && strcmp(w->name, "htmltag") == 0;

		r->now.dest = tag ? HTML_TAG : SKIP;
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(NO_TEXT); i++) {
		if (strcmp(w->name, NO_TEXT[i]) == 0) {
			r->now.dest = SKIP;
			return true;
		}
	}
	return false;
}

static void tell_font(struct rtf *r, const struct word *w)
{
	if (strcmp(w->name, "f") == 0) {
		r->defining = w->number >= 0 && w->number < FONTS ? w->number : -1;
	} else if (r->defining < 0) {
		return;
	} else if (strcmp(w->name, "fcharset") == 0) {
		r->fonts[r->defining] = page_of_charset(w->number);
	} else if (strcmp(w->name, "cpg") == 0 && w->number > 0 && w->number <= UINT16_MAX) {
		r->fonts[r->defining] = (uint16_t)w->number;
	}
}

/* Words of the head, which hold for all of the document; whether it was one. */
static bool head_word(struct rtf *r, const struct word *w)
{
	static const struct {
		const char *word;
		uint16_t page;
	} SETS[] = {{"mac", 10000}, {"pc", 437}, {"pca", 850}, {"ansi", LATIN}};
	bool early = r->tokens < HEAD_TOKENS && r->kind == PF_RTF_OTHER;

	if (early && strcmp(w->name, "fromhtml") == 0) {
		r->kind = PF_RTF_FROM_HTML;
	} else if (early && strcmp(w->name, "fromtext") == 0) {
		r->kind = PF_RTF_FROM_TEXT;
	} else if (strcmp(w->name, "ansicpg") == 0) {
		r->page = w->number > 0 && w->number <= UINT16_MAX ? (uint32_t)w->number : r->page;
	} else if (strcmp(w->name, "deff") == 0) {
		r->now.font = r->default_font = w->number;
	} else {
		for (size_t i = 0; i < PF_COUNT(SETS); i++) {
			if (strcmp(w->name, SETS[i].word) == 0) {
				r->page = SETS[i].page;
				return true;
			}
		}
		return false;
	}
	return true;
}

static void unicode_word(struct rtf *r, const struct word *w)
{
	if (r->skip > 0) {
		r->skip--;
		return;
	}
	/* Written as a signed 16-bit number; some write it without a sign. */
	put_unicode(r, (uint32_t)w->number & 0xFFFF);
	r->skip = (size_t)r->now.uc;
}

static void do_word(struct rtf *r, const struct word *w)
{
	if (strcmp(w->name, "bin") == 0) {
		size_t n = w->number > 0 ? (size_t)w->number : 0;

		r->in = pf_span_from(r->in, n);
	} else if (strcmp(w->name, "u") == 0 && w->has_number) {
		unicode_word(r, w);
	} else if (strcmp(w->name, "uc") == 0) {
		r->now.uc = w->number >= 0 && w->number <= 8 ? w->number : 1;
	} else if (strcmp(w->name, "htmlrtf") == 0) {
		r->now.rtf_only = r->kind == PF_RTF_FROM_HTML && !(w->has_number && w->number == 0);
	} else if (begin_dest(r, w)) {
		return;
	} else if (r->now.dest == FONTS_TABLE) {
		tell_font(r, w);
	} else if (strcmp(w->name, "f") == 0) {
		r->now.font = w->number;
	} else if (strcmp(w->name, "plain") == 0) {
		r->now.font = r->default_font;
	} else if (!put_character(r, w->name)) {
		(void)head_word(r, w);
	}
}

/* ---- tokens ---- */

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static uint8_t peek(const struct rtf *r)
{
	return r->in.n > 0 ? r->in.p[0] : 0;
}

static void read_number(struct rtf *r, struct word *w)
{
	bool minus = peek(r) == '-';
	int64_t n = 0;

	r->in = pf_span_from(r->in, minus ? 1 : 0);
	while (peek(r) >= '0' && peek(r) <= '9') {
		w->has_number = true;
		n = n > INT32_MAX / 10 ? INT32_MAX : n * 10 + (peek(r) - '0');
		r->in = pf_span_from(r->in, 1);
	}
	n = n > INT32_MAX ? INT32_MAX : n;
	w->number = (int)(minus ? -n : n);
}

static void take_word(struct rtf *r)
{
	struct word w = {.number = 0};
	size_t n = 0;

	while (n < WORD && is_letter(peek(r))) {
		w.name[n++] = (char)peek(r);
		r->in = pf_span_from(r->in, 1);
	}
	read_number(r, &w);
	if (peek(r) == ' ') {
		r->in = pf_span_from(r->in, 1);
	}
	do_word(r, &w);
	r->star = false;
}

static int hex(uint8_t c)
{
	return c >= '0' && c <= '9'                 ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
						    : -1;
}

static void take_symbol(struct rtf *r)
{
	uint8_t c = peek(r);
	bool html = r->kind == PF_RTF_FROM_HTML;

	r->in = pf_span_from(r->in, 1);
	switch (c) {
	case '\'':
		if (r->in.n >= 2 && hex(r->in.p[0]) >= 0 && hex(r->in.p[1]) >= 0) {
			put_byte(r, (uint8_t)(hex(r->in.p[0]) * 16 + hex(r->in.p[1])));
			r->in = pf_span_from(r->in, 2);
		}
		break;
	case '\\':
	case '{':
	case '}':
		put_byte(r, c);
		break;
	case '~':
		put_text(r, html ? "&nbsp;" : "\xC2\xA0");
		break;
	case '_':
		put_text(r, html ? "&shy;" : "\xE2\x80\x91");
		break;
	case '\r':
	case '\n':
		put_text(r, "\r\n");
		break;
	case '*':
		r->star = true;
		break;
	default:
		break;
	}
}

static void open_group(struct rtf *r)
{
	if (r->depth < DEPTH) {
		r->stack[r->depth] = r->now;
	}
	r->depth++;
	r->star = false;
	r->skip = 0;
}

static void close_group(struct rtf *r)
{
	r->star = false;
	r->skip = 0;
	if (r->depth == 0) {
		return;
	}
	r->depth--;
	if (r->depth < DEPTH) {
		r->now = r->stack[r->depth];
	}
	if (r->depth == 0) { /* what is behind the document is not of it */
		r->in.n = 0;
	}
}

static void take_token(struct rtf *r)
{
	uint8_t c = r->in.p[0];

	r->in = pf_span_from(r->in, 1);
	r->tokens++;
	if (c == '{') {
		open_group(r);
	} else if (c == '}') {
		close_group(r);
	} else if (c == '\\' && is_letter(peek(r))) {
		take_word(r);
	} else if (c == '\\') {
		take_symbol(r);
	} else if (c != '\r' && c != '\n') {
		put_byte(r, c);
	}
}

int pf_rtf_text(struct pf_span rtf, struct pf_arena *arena, enum pf_rtf_kind *kind,
	struct pf_span *out, struct pf_err *err)
{
	struct rtf *r;
	int rc;

	if (!pf_span_starts(rtf, "{\\rtf")) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "not RTF: it begins otherwise");
	}
	r = rtf.n < SIZE_MAX / 2 / OUT_OF_ONE ? calloc(1, sizeof(*r)) : NULL;
	if (!r) {
		return pf_fail_memory(err, "the text of RTF");
	}
	*r = (struct rtf){.in = rtf, .page = LATIN, .now = {.uc = 1}, .defining = -1, .err = err};
	pf_buf_init(&r->run, rtf.n + 1);
	pf_buf_init(&r->out, rtf.n * OUT_OF_ONE + 1);
	while (r->in.n > 0 && r->rc == PF_OK) {
		take_token(r);
	}
	flush(r);
	if (r->rc == PF_OK) {
		*kind = r->kind;
		*out = r->out.n > 0 ? pf_arena_span(arena, pf_buf_span(&r->out)) : pf_span("", 0);
		fail_with(r, out->p ? PF_OK : pf_fail_memory(err, "the text of RTF"));
	}
	rc = r->rc;
	pf_buf_deinit(&r->run);
	pf_buf_deinit(&r->out);
	free(r);
	return rc;
}
