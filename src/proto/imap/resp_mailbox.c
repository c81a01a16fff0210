/*
 * LIST, LSUB, XLIST (RFC 9051 7.3.1, 5258, 6154), NAMESPACE (RFC 2342), STATUS (RFC 9051 7.3.4,
 * 7162, 7889, 8438).
 */
#include "proto/imap/resp_private.h"

static const struct {
	const char *name;
	uint32_t bits;
} ATTRS[] = {
	{"\\Noselect", PF_IMAP_ATTR_NOSELECT},
	{"\\NonExistent", PF_IMAP_ATTR_NOSELECT | PF_IMAP_ATTR_NONEXISTENT},
	{"\\Noinferiors", PF_IMAP_ATTR_NOINFERIORS},
	{"\\HasChildren", PF_IMAP_ATTR_HASCHILDREN},
	{"\\HasNoChildren", PF_IMAP_ATTR_HASNOCHILDREN},
	{"\\Subscribed", PF_IMAP_ATTR_SUBSCRIBED},
	{"\\Remote", PF_IMAP_ATTR_REMOTE},
	{"\\All", PF_IMAP_ATTR_ALL},
	{"\\AllMail", PF_IMAP_ATTR_ALL},
	{"\\Archive", PF_IMAP_ATTR_ARCHIVE},
	{"\\Drafts", PF_IMAP_ATTR_DRAFTS},
	{"\\Flagged", PF_IMAP_ATTR_FLAGGED},
	{"\\Starred", PF_IMAP_ATTR_FLAGGED},
	{"\\Junk", PF_IMAP_ATTR_JUNK},
	{"\\Spam", PF_IMAP_ATTR_JUNK},
	{"\\Sent", PF_IMAP_ATTR_SENT},
	{"\\Trash", PF_IMAP_ATTR_TRASH},
	{"\\Important", PF_IMAP_ATTR_IMPORTANT},
	{"\\Inbox", PF_IMAP_ATTR_INBOX},
};

static bool delimiter(struct pf_lex *l, char *out)
{
	struct pf_lex_string s;
	struct pf_span rest = pf_lex_rest(l);

	/* A server that forgets to escape it: read as it should be, no string would end here. */
	if (rest.n > 3 && memcmp(rest.p, "\"\\\"", 3) == 0 && pf_lex_is(rest.p[3], " \t)")) {
		l->at += 3;
		*out = '\\';
		return true;
	}
	if (!pf_lex_string(l, " \t()", &s)) {
		return false;
	}
	*out = s.bytes.n == 1 ? (char)s.bytes.p[0] : 0; /* NIL and "" alike: flat names */
	return true;
}

/* What RFC 5258 puts behind the name: ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("x")). */
static bool extended(struct pf_lex *l, struct pf_imap_list *out)
{
	struct pf_lex_string tag, name;

	if (!pf_lex_expect(l, '(')) {
		return false;
	}
	for (;;) {
		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		if (!pf_lex_string(l, " \t()", &tag)) {
			return false;
		}
		pf_lex_blanks(l);
		out->has_child_info = out->has_child_info || pf_span_is(tag.bytes, "CHILDINFO");
		if (pf_span_is(tag.bytes, "OLDNAME") && pf_lex_take(l, '(')) {
			if (!pf_lex_string(l, " \t()", &name) || !pf_lex_expect(l, ')')) {
				return false;
			}
			out->old_name = name.bytes;
		} else if (!pf_lex_skip(l)) {
			return false;
		}
	}
}

static struct pf_span trimmed(struct pf_span s)
{
	while (s.n > 0 && pf_lex_is_blank(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

/* Whether all of `s`, but for blanks behind it, is between quotes, if not one string. */
static bool between_quotes(struct pf_span s)
{
	s = trimmed(s);
	return s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"';
}

/*
 * All of `whole` is a name that its server did not quote, or whose quotes it did not escape: "a"b".
 * Blanks behind it belong to it only if there are others within it: a server that quotes names with
 * blanks has put them there by mistake.
 */
static bool loose_name(struct pf_lex *l, struct pf_span whole, struct pf_span *out)
{
	struct pf_span name = trimmed(whole);

	if (between_quotes(name)) {
		return pf_lex_unescape(l, pf_span(name.p + 1, name.n - 2), out);
	}
	for (size_t i = 0; i < name.n; i++) {
		if (pf_lex_is_blank(name.p[i])) {
			name = whole;
		}
	}
	*out = name;
	return name.n > 0 || pf_lex_fail(l, "a mailbox name");
}

/* A quoted or literal name. */
static bool strict_name(struct pf_lex *l, struct pf_span *out)
{
	struct pf_lex_string name;

	if (!pf_lex_string(l, "", &name)) {
		return false;
	}
	*out = name.bytes;
	return !name.streamed || pf_lex_fail(l, "a shorter mailbox name");
}

/* The same, or nothing is taken. */
static bool try_strict_name(struct pf_lex *l, struct pf_span *out)
{
	struct pf_lex ahead = *l;

	ahead.err = NULL;
	if (!pf_lex_at_string(l) || !strict_name(&ahead, out)) {
		return false;
	}
	l->at = ahead.at;
	return true;
}

/* Where extended data begin behind a name that is an atom; the end when there are none, and all is
 * the name. Few places are tried: more are no name but an attempt to keep us busy. */
static size_t find_extended(const struct pf_lex *l, struct pf_imap_list *out)
{
	int tries = 8;

	for (size_t i = l->at; i + 2 < l->text.n && tries > 0; i++) {
		struct pf_lex ahead = *l;
		struct pf_imap_list found = *out;
		struct pf_span tag = pf_span(l->text.p + i + 2, l->text.n - i - 2);

		if (!pf_lex_is_blank(l->text.p[i]) || l->text.p[i + 1] != '(' ||
			(tag.p[0] != '"' && !pf_span_starts(tag, "CHILDINFO ") &&
				!pf_span_starts(tag, "OLDNAME "))) {
			continue;
		}
		tries--;
		ahead.at = i + 1;
		ahead.err = NULL;
		if (extended(&ahead, &found) && trimmed(pf_lex_rest(&ahead)).n == 0) {
			*out = found;
			return i;
		}
	}
	return l->text.n;
}

/* The name, and what comes behind it. */
static bool list_name(struct pf_lex *l, struct pf_imap_list *out)
{
	struct pf_span whole = pf_lex_rest(l), behind;
	bool strict = try_strict_name(l, &out->name);

	if (!strict && !pf_lex_at_string(l)) {
		whole.n = find_extended(l, out) - l->at;
		return loose_name(l, whole, &out->name);
	}
	behind = trimmed(pf_lex_rest(l));
	if (strict && (behind.n == 0 || (pf_lex_is_blank(behind.p[0]) && !between_quotes(whole)))) {
		pf_lex_blanks(l);
		return pf_lex_peek(l) != '(' || extended(l, out);
	}
	if (between_quotes(whole)) {
		return loose_name(l, whole, &out->name);
	}
	return strict ? pf_lex_fail(l, "the end of a mailbox name") : strict_name(l, &out->name);
}

bool pf_resp_list(struct pf_lex *l, struct pf_imap_list *out)
{
	struct pf_span attrs = {NULL, 0}, word;

	*out = (struct pf_imap_list){.which = PF_IMAP_IS_LIST};
	if (pf_span_starts(pf_lex_rest(l), "NIL ")) {
		l->at += 3;
	} else if (!pf_lex_list(l, &attrs)) {
		return false;
	}
	while (pf_imap_words_next(&attrs, &word)) {
		for (size_t i = 0; i < PF_COUNT(ATTRS); i++) {
			out->attrs |= pf_span_is(word, ATTRS[i].name) ? ATTRS[i].bits : 0;
		}
	}
	pf_lex_blanks(l);
	if (!delimiter(l, &out->delimiter)) {
		return false;
	}
	pf_lex_blanks(l);
	return list_name(l, out);
}

/* ("prefix" "/" extensions...) */
static bool one_namespace(struct pf_lex *l, struct pf_imap_ns *out)
{
	struct pf_lex_string prefix;

	if (!pf_lex_expect(l, '(') || !pf_lex_string(l, " \t()", &prefix)) {
		return false;
	}
	out->prefix = prefix.nil ? pf_span("", 0) : prefix.bytes;
	pf_lex_blanks(l);
	if (!delimiter(l, &out->delimiter)) {
		return false;
	}
	for (pf_lex_blanks(l); !pf_lex_take(l, ')'); pf_lex_blanks(l)) {
		if (!pf_lex_skip(l)) {
			return false;
		}
	}
	return true;
}

/* NIL, or namespaces in parentheses; or nothing any more. */
static bool one_class(struct pf_lex *l, struct pf_imap_ns *out, size_t *count)
{
	struct pf_lex_string nil;

	pf_lex_blanks(l);
	*count = 0;
	if (!pf_lex_take(l, '(')) {
		return pf_lex_optional(l, &nil);
	}
	for (;;) {
		struct pf_imap_ns ns = {.delimiter = 0};

		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		if (!one_namespace(l, &ns)) {
			return false;
		}
		if (*count < PF_IMAP_NS_MAX) {
			out[(*count)++] = ns;
		}
	}
}

bool pf_resp_namespace(struct pf_lex *l, struct pf_imap_namespace *out)
{
	*out = (struct pf_imap_namespace){.personals = 0};
	if (pf_lex_end(l)) {
		return pf_lex_fail(l, "a namespace");
	}
	return one_class(l, out->personal, &out->personals) &&
	       one_class(l, out->other, &out->others) && one_class(l, out->shared, &out->shareds);
}

static void status_item(struct pf_imap_status *out, struct pf_span name, struct pf_lex_string *v)
{
	const struct {
		const char *name;
		uint32_t bit;
		uint64_t *to;
	} items[] = {
		{"MESSAGES", PF_IMAP_STATUS_MESSAGES, &out->messages},
		{"UIDNEXT", PF_IMAP_STATUS_UIDNEXT, &out->uidnext},
		{"UIDVALIDITY", PF_IMAP_STATUS_UIDVALIDITY, &out->uidvalidity},
		{"HIGHESTMODSEQ", PF_IMAP_STATUS_HIGHESTMODSEQ, &out->highestmodseq},
		{"SIZE", PF_IMAP_STATUS_SIZE, &out->size},
		{"APPENDLIMIT", PF_IMAP_STATUS_APPENDLIMIT, &out->appendlimit},
	};

	for (size_t i = 0; i < PF_COUNT(items); i++) {
		if (!pf_span_is(name, items[i].name)) {
			continue;
		}
		if (v->nil && items[i].bit == PF_IMAP_STATUS_APPENDLIMIT) {
			out->appendlimit = UINT64_MAX;
			out->has |= items[i].bit;
		} else if (!v->nil && pf_lex_parse_number(v->bytes, items[i].to)) {
			out->has |= items[i].bit;
		}
	}
}

/* Where the list begins that ends the response; what lies before it is the name. */
static size_t find_items(const struct pf_lex *l)
{
	size_t i = l->text.n;

	for (int depth = 0; i > l->at; i--) {
		depth += l->text.p[i - 1] == ')';
		depth -= l->text.p[i - 1] == '(';
		if (depth == 0 && l->text.p[i - 1] == '(') {
			break;
		}
	}
	return i;
}

/* The name of a STATUS, perhaps with blanks and quotes that should not be there. */
static bool status_name(struct pf_lex *l, struct pf_span *out)
{
	size_t begin = l->at, end = find_items(l);

	if (pf_lex_at_string(l) && pf_lex_peek(l) != '"') {
		return strict_name(l, out);
	}
	if (try_strict_name(l, out)) {
		pf_lex_blanks(l);
		if (pf_lex_peek(l) == '(') {
			return true;
		}
	}
	if (end < begin + 2) {
		return pf_lex_fail(l, "a mailbox name and a list");
	}
	l->at = end - 1;
	return loose_name(l, trimmed(pf_span(l->text.p + begin, l->at - begin)), out);
}

/* The value of an item that may have any, or none. */
static bool status_value(struct pf_lex *l, struct pf_lex_string *v)
{
	*v = (struct pf_lex_string){.bytes = {NULL, 0}};
	return pf_lex_peek(l) == '(' ? pf_lex_skip(l) : pf_lex_optional(l, v);
}

bool pf_resp_status(struct pf_lex *l, struct pf_imap_status *out)
{
	*out = (struct pf_imap_status){.has = 0};
	if (!status_name(l, &out->name)) {
		return false;
	}
	pf_lex_blanks(l);
	if (!pf_lex_expect(l, '(')) {
		return false;
	}
	for (;;) {
		struct pf_span name;
		struct pf_lex_string v;

		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		name = pf_lex_atom(l);
		pf_lex_blanks(l);
		if (name.n == 0) {
			return pf_lex_fail(l, "the name of a status item");
		}
		if (!status_value(l, &v)) {
			return false;
		}
		status_item(out, name, &v);
	}
}
