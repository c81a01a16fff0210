/*
 * SEARCH (RFC 3501 7.2.5), ESEARCH (RFC 4731), VANISHED (RFC 7162 3.2.10), QUOTA (RFC 9208 5.2).
 */
#include "proto/imap/resp_private.h"

bool pf_resp_search(struct pf_lex *l, struct pf_imap_resp *out)
{
	out->search.numbers = pf_lex_until(l, "(\r\n");
	while (out->search.numbers.n > 0 &&
		out->search.numbers.p[out->search.numbers.n - 1] == ' ') {
		out->search.numbers.n--;
	}
	if (pf_lex_take(l, '(')) { /* (MODSEQ 917162500) */
		pf_lex_blanks(l);
		if (!pf_span_is(pf_lex_atom(l), "MODSEQ")) {
			return pf_lex_fail(l, "MODSEQ");
		}
		pf_lex_blanks(l);
		return pf_lex_number(l, &out->search.modseq);
	}
	return true;
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
		out->search.numbers = pf_lex_atom(l);
		return out->search.numbers.n > 0 || pf_lex_fail(l, "a sequence-set");
	}
	return pf_lex_skip(l);
}

bool pf_resp_esearch(struct pf_lex *l, struct pf_imap_resp *out)
{
	while (!pf_lex_end(l)) {
		struct pf_lex_string tag;
		struct pf_span name;

		pf_lex_blanks(l);
		if (pf_lex_end(l)) {
			break;
		}
		if (pf_lex_take(l, '(')) {
			if (!pf_span_is(pf_lex_atom(l), "TAG")) {
				return pf_lex_fail(l, "TAG");
			}
			pf_lex_blanks(l);
			if (!pf_lex_string(l, " \t()", &tag) || !pf_lex_expect(l, ')')) {
				return false;
			}
			out->search.tag = tag.bytes;
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
	return true;
}

bool pf_resp_vanished(struct pf_lex *l, struct pf_imap_resp *out)
{
	if (pf_lex_take(l, '(')) {
		out->search.earlier = pf_span_is(pf_lex_atom(l), "EARLIER");
		if (!pf_lex_expect(l, ')')) {
			return false;
		}
		pf_lex_blanks(l);
	}
	out->search.numbers = pf_lex_atom(l);
	return out->search.numbers.n > 0 || pf_lex_fail(l, "a set of UIDs");
}

bool pf_resp_quota(struct pf_lex *l, struct pf_imap_resp *out)
{
	struct pf_lex_string root;

	out->quota.limit_kib = UINT64_MAX;
	out->quota.messages_limit = UINT64_MAX;
	if (!pf_lex_string(l, " \t()", &root)) {
		return false;
	}
	out->quota.root = root.bytes;
	pf_lex_blanks(l);
	if (!pf_lex_expect(l, '(')) {
		return false;
	}
	for (;;) {
		struct pf_span name;
		uint64_t usage = 0, limit = 0;

		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		name = pf_lex_atom(l);
		pf_lex_blanks(l);
		if (name.n == 0 || !pf_lex_number(l, &usage)) {
			return pf_lex_fail(l, "a resource and its usage");
		}
		pf_lex_blanks(l);
		if (!pf_lex_number(l, &limit)) {
			return false;
		}
		if (pf_span_is(name, "STORAGE")) {
			out->quota.usage_kib = usage;
			out->quota.limit_kib = limit;
		} else if (pf_span_is(name, "MESSAGE")) {
			out->quota.messages = usage;
			out->quota.messages_limit = limit;
		}
	}
}
