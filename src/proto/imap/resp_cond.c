/*
 * OK, NO, BAD, BYE, PREAUTH: response code and text (RFC 9051 section 7.1). A code that is broken
 * hides neither the condition nor the text.
 */
#include "proto/imap/resp_private.h"

/* What follows the name of a code. */
enum args { ARGS_NONE, ARGS_NUMBER, ARGS_UID, ARGS_LIST };

static const struct {
	const char *name;
	enum pf_imap_code code;
	enum args args;
} CODES[] = {
	{"ALERT", PF_IMAP_CODE_ALERT, ARGS_NONE},
	{"ALREADYEXISTS", PF_IMAP_CODE_ALREADYEXISTS, ARGS_NONE},
	{"APPENDUID", PF_IMAP_CODE_APPENDUID, ARGS_UID},
	{"AUTHENTICATIONFAILED", PF_IMAP_CODE_AUTHENTICATIONFAILED, ARGS_NONE},
	{"AUTHORIZATIONFAILED", PF_IMAP_CODE_AUTHORIZATIONFAILED, ARGS_NONE},
	{"BADCHARSET", PF_IMAP_CODE_BADCHARSET, ARGS_NONE},
	{"CANNOT", PF_IMAP_CODE_CANNOT, ARGS_NONE},
	{"CAPABILITY", PF_IMAP_CODE_CAPABILITY, ARGS_NONE},
	{"CLOSED", PF_IMAP_CODE_CLOSED, ARGS_NONE},
	{"CONTACTADMIN", PF_IMAP_CODE_CONTACTADMIN, ARGS_NONE},
	{"COPYUID", PF_IMAP_CODE_COPYUID, ARGS_UID},
	{"EXPIRED", PF_IMAP_CODE_EXPIRED, ARGS_NONE},
	{"EXPUNGEISSUED", PF_IMAP_CODE_EXPUNGEISSUED, ARGS_NONE},
	{"HIGHESTMODSEQ", PF_IMAP_CODE_HIGHESTMODSEQ, ARGS_NUMBER},
	{"INUSE", PF_IMAP_CODE_INUSE, ARGS_NONE},
	{"LIMIT", PF_IMAP_CODE_LIMIT, ARGS_NONE},
	{"MAILBOXID", PF_IMAP_CODE_MAILBOXID, ARGS_LIST},
	{"MODIFIED", PF_IMAP_CODE_MODIFIED, ARGS_NONE},
	{"NOMODSEQ", PF_IMAP_CODE_NOMODSEQ, ARGS_NONE},
	{"NONEXISTENT", PF_IMAP_CODE_NONEXISTENT, ARGS_NONE},
	{"NOPERM", PF_IMAP_CODE_NOPERM, ARGS_NONE},
	{"OVERQUOTA", PF_IMAP_CODE_OVERQUOTA, ARGS_NONE},
	{"PERMANENTFLAGS", PF_IMAP_CODE_PERMANENTFLAGS, ARGS_LIST},
	{"PRIVACYREQUIRED", PF_IMAP_CODE_PRIVACYREQUIRED, ARGS_NONE},
	{"READ-ONLY", PF_IMAP_CODE_READ_ONLY, ARGS_NONE},
	{"READ-WRITE", PF_IMAP_CODE_READ_WRITE, ARGS_NONE},
	{"SERVERBUG", PF_IMAP_CODE_SERVERBUG, ARGS_NONE},
	{"THROTTLED", PF_IMAP_CODE_THROTTLED, ARGS_NONE},
	{"TOOBIG", PF_IMAP_CODE_TOOBIG, ARGS_NONE},
	{"TRYCREATE", PF_IMAP_CODE_TRYCREATE, ARGS_NONE},
	{"UIDNEXT", PF_IMAP_CODE_UIDNEXT, ARGS_NUMBER},
	{"UIDNOTSTICKY", PF_IMAP_CODE_UIDNOTSTICKY, ARGS_NONE},
	{"UIDVALIDITY", PF_IMAP_CODE_UIDVALIDITY, ARGS_NUMBER},
	{"UNAVAILABLE", PF_IMAP_CODE_UNAVAILABLE, ARGS_NONE},
	{"UNKNOWN-CTE", PF_IMAP_CODE_UNKNOWN_CTE, ARGS_NONE},
};

/* Without the blanks at both ends. */
static struct pf_span trimmed(struct pf_span s)
{
	while (s.n > 0 && pf_lex_is_blank(s.p[0])) {
		s = pf_span_from(s, 1);
	}
	while (s.n > 0 && pf_lex_is_blank(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

/* Take the first word off `*s`; what is left has no blanks at its ends. */
static struct pf_span first_word(struct pf_span *s)
{
	struct pf_span word = trimmed(*s);
	size_t n = 0;

	while (n < word.n && !pf_lex_is_blank(word.p[n])) {
		n++;
	}
	*s = trimmed(pf_span_from(word, n));
	return pf_span(word.p, n);
}

/* Within the parentheses, of which a server may have left out one or both; NIL is an empty list. */
static struct pf_span within(struct pf_span s)
{
	if (pf_span_is(s, "NIL")) {
		return pf_span(s.p, 0);
	}
	if (s.n > 0 && s.p[0] == '(') {
		s = pf_span_from(s, 1);
		s.n -= s.n > 0 && s.p[s.n - 1] == ')';
	}
	return s;
}

static bool take_args(struct pf_imap_resp *out, enum args args)
{
	struct pf_span rest = out->code_args, first;

	switch (args) {
	case ARGS_NUMBER:
		return pf_lex_parse_number(rest, &out->code_num[0]);
	case ARGS_UID:
		first = first_word(&rest);
		out->code_args = rest;
		return pf_lex_parse_number(first, &out->code_num[0]) && rest.n > 0 &&
		       pf_imap_set_valid(rest);
	case ARGS_LIST:
		out->code_args = within(rest);
		break;
	case ARGS_NONE:
		break;
	}
	return true;
}

/* The "]" that ends a code, not one within a quoted string or a list (a keyword may have one); but
 * where these have no end the first one must do. */
static bool find_end(struct pf_span s, size_t *end)
{
	const uint8_t *first = memchr(s.p, ']', s.n);
	bool quoted = false;
	int depth = 0;

	if (!first) {
		return false;
	}
	*end = (size_t)(first - s.p);
	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\') {
			i++;
		} else if (s.p[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && (s.p[i] == '(' || s.p[i] == ')')) {
			depth += s.p[i] == '(' ? 1 : -1;
		} else if (!quoted && s.p[i] == ']' && depth == 0) {
			*end = i;
			break;
		}
	}
	return true;
}

static void code(struct pf_span inside, struct pf_imap_resp *out)
{
	struct pf_span args = inside;

	out->code_name = first_word(&args);
	out->code_args = args;
	out->code = PF_IMAP_CODE_OTHER;
	for (size_t i = 0; i < PF_COUNT(CODES); i++) {
		if (pf_span_is(out->code_name, CODES[i].name)) {
			if (take_args(out, CODES[i].args)) {
				out->code = CODES[i].code;
			} else {
				out->code_args = args;
			}
			return;
		}
	}
}

bool pf_resp_cond(struct pf_lex *l, struct pf_imap_resp *out)
{
	size_t end = 0;

	pf_lex_blanks(l);
	out->text = pf_lex_rest(l);
	if (out->text.n > 0 && out->text.p[0] == '[' && find_end(out->text, &end)) {
		code(pf_span(out->text.p + 1, end - 1), out);
		l->at += end + 1;
		pf_lex_blanks(l);
		out->text = pf_lex_rest(l);
	}
	return true;
}
