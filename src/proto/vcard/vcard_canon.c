/*
 * What a card means, as text: lines of which each says one thing in one way, in order, whatever the
 * card's version. A change of the rules is a new PF_VCARD_MEANING_VERSION.
 */
#include "base/utf8.h"
#include "proto/line/text.h"
#include "proto/vcard/vcard.h"

static const char *const DROPPED[] = {"BEGIN", "END", "VERSION", "UID", "REV", "PRODID", "X-ABUID",
	"X-IMAGEHASH", "X-IMAGETYPE", "X-RADICALE-NAME", "X-ABLABEL", "PROFILE", "SORT-AS"};
static const char *const DROPPED_PREFIXES[] = {"X-EVOLUTION-", "X-POSTFERRY-", "X-CARDDAV-"};
static const char *const STRUCTURED[] = {"N", "ADR", "ORG", "GENDER", "CLIENTPIDMAP"};
static const char *const BINARY[] = {"PHOTO", "LOGO", "SOUND", "KEY"};
static const char *const DAYS[] = {"BDAY", "ANNIVERSARY", "DEATHDATE", "X-ANNIVERSARY"};
static const struct {
	const char *also, *name;
} NAMES[] = {{"X-ADDRESSBOOKSERVER-KIND", "KIND"}, {"X-ADDRESSBOOKSERVER-MEMBER", "MEMBER"},
	{"X-ANNIVERSARY", "ANNIVERSARY"}, {"X-GENDER", "GENDER"}};
/* Words among the types that are taken for granted, or are no types. */
static const char *const NO_TYPES[] = {"VOICE", "INTERNET", "QUOTED-PRINTABLE", "BASE64", "B",
	"8BIT", "7BIT", "JPEG", "PNG", "GIF", "X-APPLE", "OTHER"};

static bool is_one_of(struct pf_span s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pf_span_is(s, names[i])) {
			return true;
		}
	}
	return false;
}

static bool is_dropped(const struct pf_line *l)
{
	if (l->bad || is_one_of(l->name, DROPPED, PF_COUNT(DROPPED)) ||
		(pf_span_is(l->name, "KIND") && pf_span_is(l->value, "individual"))) {
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(DROPPED_PREFIXES); i++) {
		if (pf_span_starts(l->name, DROPPED_PREFIXES[i])) {
			return true;
		}
	}
	return false;
}

/* ---- types ---- */

/* "HOME", "TYPE=HOME,PREF", "PREF=1": one word after the other. */
struct types {
	struct pf_span params, list;
};

static bool next_type(struct types *t, struct pf_span *word)
{
	struct pf_span name, value;

	for (;;) {
		if (t->list.p && pf_list_next(&t->list, word)) {
			if (word->n > 0 && !is_one_of(*word, NO_TYPES, PF_COUNT(NO_TYPES))) {
				return true;
			}
			continue;
		}
		if (!pf_params_next(&t->params, &name, &value)) {
			return false;
		}
		t->list = name.n == 0 || pf_span_is(name, "TYPE") ? value : pf_span(NULL, 0);
		if (pf_span_is(name, "PREF")) {
			*word = pf_span_str("PREF");
			return true;
		}
	}
}

static int cmp_upper(struct pf_span a, struct pf_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n > 0 ? strncasecmp((const char *)a.p, (const char *)b.p, n) : 0;

	return d != 0 ? d : a.n < b.n ? -1 : a.n > b.n;
}

/* In order, each once. */
static void put_types(struct said *k, const struct pf_line *l)
{
	struct pf_span last = pf_span("", 0);

	for (;;) {
		struct types t = {.params = l->params};
		struct pf_span word, best = pf_span(NULL, 0);

		while (next_type(&t, &word)) {
			if (cmp_upper(word, last) > 0 && (!best.p || cmp_upper(word, best) < 0)) {
				best = word;
			}
		}
		if (!best.p) {
			return;
		}
		said_text(k, ";");
		said_upper(k, best);
		last = best;
	}
}

/* The words that a program shows beside it: those of a line of the same group. */
static void put_label(struct said *k, struct pf_vcards *v, size_t card, const struct pf_line *l)
{
	for (size_t i = v->card[card].begin; l->group.n > 0 && i < v->card[card].end; i++) {
		const struct pf_line *o = &v->line[i];

		if (pf_span_is(o->name, "X-ABLABEL") && cmp_upper(o->group, l->group) == 0) {
			said_text(k, ";LABEL=");
			(void)said_plain(k, pf_vcard_value(v, o));
		}
	}
}

/* ---- values ---- */

static bool put_phone(struct said *k, struct pf_span value)
{
	bool any = false;

	for (size_t i = 0; i < value.n; i++) {
		if ((value.p[i] >= '0' && value.p[i] <= '9') || value.p[i] == '+') {
			said_put(k, pf_span(value.p + i, 1));
			any = true;
		}
	}
	return any || said_plain(k, value);
}

static bool put_mail(struct said *k, struct pf_span v)
{
	const uint8_t *at;

	v = pf_span_starts(v, "mailto:") ? pf_span_from(v, 7) : v;
	at = v.n > 0 ? memchr(v.p, '@', v.n) : NULL;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = at && v.p + i > at ? pf_ascii_lower(v.p[i]) : v.p[i];

		if (!pf_ascii_space(c)) {
			said_put(k, pf_span(&c, 1));
		}
	}
	return v.n > 0;
}

/* Components by ';', empty ones at the end say nothing. */
static bool put_structured(struct said *k, struct pf_span value)
{
	struct pf_span rest = value, part;
	size_t semicolons = 0;
	bool any = false;

	while (pf_value_next(&rest, ';', &part)) {
		size_t before = k->text.n;

		for (size_t i = 0; i < semicolons; i++) {
			said_text(k, "\x1f");
		}
		if (said_plain(k, part)) {
			semicolons = 0;
			any = true;
		} else if (k->rc == PF_OK) {
			k->text.n = before;
		}
		semicolons++;
	}
	return any;
}

static bool is_base64(const struct pf_line *l)
{
	struct pf_span rest = l->params, name, word;

	while (pf_params_next(&rest, &name, &word)) {
		if ((name.n == 0 && (pf_span_is(word, "BASE64") || pf_span_is(word, "B"))) ||
			(pf_span_is(name, "ENCODING") && pf_span_starts(word, "B"))) {
			return true;
		}
	}
	return false;
}

static bool put_binary(struct said *k, const struct pf_line *l, struct pf_span value)
{
	bool inline_ = is_base64(l);

	if (pf_span_starts(value, "data:")) {
		const uint8_t *comma = memchr(value.p, ',', value.n);

		value = comma ? pf_span_from(value, (size_t)(comma + 1 - value.p)) : value;
		inline_ = true;
	}
	if (inline_ && value.n > 0) {
		said_base64(k, value);
		return true;
	}
	return said_plain(k, value);
}

/* 1985-04-12, 19850412, 1985-04-12T00:00:00Z */
static bool put_day(struct said *k, struct pf_span value)
{
	for (size_t i = 0; i < value.n && value.p[i] != 'T'; i++) {
		if (value.p[i] != '-' || i < 2) { /* --0412: no year */
			said_put(k, pf_span(value.p + i, 1));
		}
	}
	return value.n > 0;
}

static bool put_value(struct said *k, const struct pf_line *l, struct pf_span value)
{
	if (pf_span_is(l->name, "TEL")) {
		return put_phone(k, value);
	}
	if (pf_span_is(l->name, "EMAIL")) {
		return put_mail(k, value);
	}
	if (is_one_of(l->name, STRUCTURED, PF_COUNT(STRUCTURED))) {
		return put_structured(k, value);
	}
	if (is_one_of(l->name, BINARY, PF_COUNT(BINARY)) || is_base64(l) ||
		pf_span_starts(value, "data:")) {
		return put_binary(k, l, value);
	}
	if (is_one_of(l->name, DAYS, PF_COUNT(DAYS))) {
		return put_day(k, value);
	}
	return said_plain(k, value);
}

static void put_name(struct said *k, struct pf_span name)
{
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		name = pf_span_is(name, NAMES[i].also) ? pf_span_str(NAMES[i].name) : name;
	}
	said_upper(k, name);
	said_text(k, ":");
}

static void put_line(struct said *k, struct pf_vcards *v, size_t card, const struct pf_line *l)
{
	bool list = pf_span_is(l->name, "CATEGORIES") || pf_span_is(l->name, "NICKNAME");
	struct pf_span rest = pf_vcard_value(v, l), value;

	if (!rest.p) {
		k->rc = k->rc == PF_OK ? pf_fail_memory(k->err, "a contact") : k->rc;
		return;
	}
	do {
		if (list && !pf_value_next(&rest, ',', &value)) {
			return;
		}
		said_begin(k);
		put_name(k, l->name);
		if (put_value(k, l, list ? value : rest)) {
			put_types(k, l);
			put_label(k, v, card, l);
			said_end(k);
		} else {
			said_drop(k);
		}
	} while (list);
}

int pf_vcard_canonical(struct pf_vcards *v, size_t card, struct pf_buf *out, struct pf_err *err)
{
	struct said k;
	int rc;

	said_init(&k, err);
	for (size_t i = v->card[card].begin; i < v->card[card].end && i < v->line_count; i++) {
		if (!is_dropped(&v->line[i])) {
			put_line(&k, v, card, &v->line[i]);
		}
	}
	rc = said_write(&k, out);
	said_deinit(&k);
	return rc;
}
