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

	if (!pf_lex_string(l, " \t()", &s)) {
		return false;
	}
	*out = s.bytes.n == 1 ? (char)s.bytes.p[0] : 0; /* NIL and "" alike: flat names */
	return true;
}

/* What RFC 5258 puts behind the name: ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("x")). */
static bool extended(struct pf_lex *l, struct pf_imap_list *out)
{
	if (!pf_lex_take(l, '(')) {
		return true; /* anything else behind a name is passed over */
	}
	for (;;) {
		struct pf_lex_string tag, name;

		pf_lex_blanks(l);
		if (pf_lex_end(l) || pf_lex_take(l, ')')) {
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

bool pf_resp_list(struct pf_lex *l, struct pf_imap_list *out)
{
	struct pf_span attrs, word;
	struct pf_lex_string name;

	*out = (struct pf_imap_list){.which = PF_IMAP_IS_LIST};
	if (!pf_lex_list(l, &attrs)) {
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
	/* One blank, no more: a name may begin with one when the server forgets to quote. */
	if (!pf_lex_take(l, ' ') && !pf_lex_take(l, '\t')) {
		return pf_lex_end(l) ? pf_lex_fail(l, "a mailbox name") : pf_lex_expect(l, ' ');
	}
	if (pf_lex_peek(l) != '"' && pf_lex_peek(l) != '{') {
		/* An atom: all the rest is the name, whatever characters (blanks, tabs, brackets)
		 * it has. */
		out->name = pf_lex_rest(l);
		if (out->name.n > 0) {
			return true;
		}
		return pf_lex_fail(l, "a mailbox name");
	}
	if (!pf_lex_string(l, "", &name)) {
		return false;
	}
	if (name.streamed) {
		return pf_lex_fail(l, "a shorter mailbox name");
	}
	out->name = name.bytes;
	pf_lex_blanks(l);
	return extended(l, out);
}

/* NIL, or (("prefix" "/" extensions...) ...). */
static bool one_class(struct pf_lex *l, struct pf_imap_ns *out, size_t *count)
{
	pf_lex_blanks(l);
	*count = 0;
	if (pf_lex_peek(l) != '(') {
		return pf_lex_skip(l);
	}
	l->at++;
	for (;;) {
		struct pf_lex_string prefix;
		struct pf_imap_ns ns = {.delimiter = 0};

		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		if (!pf_lex_expect(l, '(') || !pf_lex_string(l, " \t()", &prefix)) {
			return false;
		}
		pf_lex_blanks(l);
		if (!delimiter(l, &ns.delimiter)) {
			return false;
		}
		ns.prefix = prefix.nil ? pf_span("", 0) : prefix.bytes;
		for (pf_lex_blanks(l); !pf_lex_take(l, ')'); pf_lex_blanks(l)) {
			if (!pf_lex_skip(l)) {
				return false;
			}
		}
		if (*count < PF_IMAP_NS_MAX) {
			out[(*count)++] = ns;
		}
	}
}

bool pf_resp_namespace(struct pf_lex *l, struct pf_imap_namespace *out)
{
	*out = (struct pf_imap_namespace){.personals = 0};
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

/* The name of a STATUS: when it is not quoted and has blanks, it ends where the list begins that
 * ends the line.
 */
static bool status_name(struct pf_lex *l, struct pf_span *out)
{
	struct pf_lex_string name;
	struct pf_span rest = pf_lex_rest(l);
	size_t n = rest.n;

	if (pf_lex_peek(l) == '"' || pf_lex_peek(l) == '{') {
		if (!pf_lex_string(l, "", &name)) {
			return false;
		}
		*out = name.bytes;
		return true;
	}
	for (int depth = 0; n > 0; n--) {
		depth += rest.p[n - 1] == ')';
		depth -= rest.p[n - 1] == '(';
		if (depth == 0 && rest.p[n - 1] == '(') {
			break;
		}
	}
	if (n < 2) {
		return pf_lex_fail(l, "a mailbox name and a list");
	}
	*out = pf_span(rest.p, n - 1);
	while (out->n > 0 && out->p[out->n - 1] == ' ') {
		out->n--;
	}
	l->at += n - 1;
	return true;
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
		struct pf_lex_string v = {.nil = true};

		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		name = pf_lex_atom(l);
		pf_lex_blanks(l);
		if (name.n == 0) {
			return pf_lex_fail(l, "the name of a status item");
		}
		if (pf_lex_peek(l) == '(') {
			if (!pf_lex_skip(l)) {
				return false;
			}
			continue;
		}
		if (!pf_lex_string(l, " \t()", &v)) {
			return false;
		}
		status_item(out, name, &v);
	}
}
