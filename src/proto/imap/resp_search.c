/*
 * SEARCH (RFC 3501 7.2.5), ESEARCH (RFC 4731), VANISHED (RFC 7162 3.2.10), QUOTA (RFC 9208 5.2).
 */
#include "proto/imap/resp_private.h"

/* A set that can't be read to its end must not pass for a shorter one. */
static bool take_set(struct pf_lex *l, struct pf_span set, struct pf_imap_resp *out)
{
	out->search.numbers = set;
	return pf_imap_set_valid(set) || pf_lex_fail(l, "numbers only");
}

/* "2 3 6 (MODSEQ 917162500)" */
bool pf_resp_search(struct pf_lex *l, struct pf_imap_resp *out)
{
	struct pf_span numbers = pf_lex_until(l, "()"), inside;
	struct pf_lex list;
	bool found;

	while (!pf_lex_end(l)) {
		list = *l;
		if (!pf_lex_list(l, &inside)) {
			return false;
		}
		(void)pf_lex_take(&list, '(');
		pf_lex_blanks(&list);
		if (pf_span_is(pf_lex_atom(&list), "MODSEQ")) {
			pf_lex_blanks(&list);
			if (!pf_lex_maybe_number(&list, &out->search.modseq, &found)) {
				return false;
			}
		}
		pf_lex_blanks(l);
	}
	return take_set(l, numbers, out);
}

static bool esearch_item(struct pf_lex *l, struct pf_span name, struct pf_imap_resp *out)
{
	if (pf_span_is(name, "MIN")) {
		return pf_lex_number(l, &out->search.min);
	}
	if (pf_span_is(name, "MAX")) {
		return pf_lex_number(l, &out->search.max);
	}
	if (pf_span_is(name, "COUNT")) {
		out->search.has_count = true;
		return pf_lex_number(l, &out->search.count);
	}
	if (pf_span_is(name, "MODSEQ")) {
		return pf_lex_number(l, &out->search.modseq);
	}
	if (pf_span_is(name, "ALL")) {
		struct pf_span set = pf_lex_atom(l);

		if (pf_span_is(set, "NIL")) {
			set.n = 0;
			return take_set(l, set, out);
		}
		return set.n > 0 ? take_set(l, set, out) : pf_lex_fail(l, "a sequence-set");
	}
	return pf_lex_end(l) || pf_lex_skip(l);
}

/* (TAG "A285"), and what else says what it answers (RFC 7377: MAILBOX, UIDVALIDITY). */
static bool correlator(struct pf_lex *l, struct pf_imap_resp *out)
{
	struct pf_lex_string value;
	struct pf_span name;

	for (;;) {
		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		name = pf_lex_atom(l);
		if (name.n == 0) {
			return pf_lex_fail(l, "TAG");
		}
		pf_lex_blanks(l);
		if (!pf_lex_optional(l, &value)) {
			return false;
		}
		if (pf_span_is(name, "TAG")) {
			out->search.tag = value.bytes;
		}
	}
}

bool pf_resp_esearch(struct pf_lex *l, struct pf_imap_resp *out)
{
	for (;;) {
		struct pf_span name;

		pf_lex_blanks(l);
		if (pf_lex_end(l)) {
			return true;
		}
		if (pf_lex_take(l, '(')) {
			if (!correlator(l, out)) {
				return false;
			}
			continue;
		}
		name = pf_lex_atom(l);
		if (name.n == 0) {
			return pf_lex_fail(l, "a search result");
		}
		if (pf_span_is(name, "UID")) {
			out->search.uid = true;
			continue;
		}
		pf_lex_blanks(l);
		if (!esearch_item(l, name, out)) {
			return false;
		}
	}
}

bool pf_resp_vanished(struct pf_lex *l, struct pf_imap_resp *out)
{
	if (pf_lex_take(l, '(')) {
		pf_lex_blanks(l);
		out->search.earlier = pf_span_is(pf_lex_atom(l), "EARLIER");
		pf_lex_blanks(l);
		if (!pf_lex_expect(l, ')')) {
			return false;
		}
		pf_lex_blanks(l);
	}
	return take_set(l, pf_lex_rest(l), out);
}

bool pf_resp_quota(struct pf_lex *l, struct pf_imap_resp *out)
{
	struct pf_lex_string root;

	out->quota.limit_kib = UINT64_MAX;
	out->quota.messages_limit = UINT64_MAX;
	if (pf_lex_peek(l) == '(') { /* no root is said: it is "" */
		root = (struct pf_lex_string){.bytes = pf_span("", 0)};
	} else if (!pf_lex_string(l, " \t()", &root)) {
		return false;
	}
	out->quota.root = root.bytes;
	pf_lex_blanks(l);
	if (pf_lex_end(l)) { /* Courier, where nothing is limited */
		return true;
	}
	if (!pf_lex_expect(l, '(')) {
		return false;
	}
	for (;;) {
		struct pf_span name;
		uint64_t usage = 0, limit = 0;
		bool has_usage = false, has_limit = false;

		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		name = pf_lex_atom(l);
		pf_lex_blanks(l);
		if (name.n == 0) {
			return pf_lex_fail(l, "a resource");
		}
		if (!pf_lex_maybe_number(l, &usage, &has_usage)) {
			return false;
		}
		pf_lex_blanks(l);
		if (!pf_lex_maybe_number(l, &limit, &has_limit)) {
			return false;
		}
		/* A limit that is none (-1, NIL) is as good as not said. */
		if (pf_span_is(name, "STORAGE")) {
			out->quota.usage_kib = usage;
			out->quota.limit_kib = has_limit ? limit : UINT64_MAX;
		} else if (pf_span_is(name, "MESSAGE")) {
			out->quota.messages = usage;
			out->quota.messages_limit = has_limit ? limit : UINT64_MAX;
		}
	}
}
