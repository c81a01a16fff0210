#include "proto/imap/resp_private.h"

static const struct {
	const char *word;
	enum pf_imap_cond cond;
} CONDITIONS[] = {
	{"OK", PF_IMAP_OK},
	{"NO", PF_IMAP_NO},
	{"BAD", PF_IMAP_BAD},
	{"BYE", PF_IMAP_BYE},
	{"PREAUTH", PF_IMAP_PREAUTH},
};

static bool is_condition(struct pf_span word, enum pf_imap_cond *cond)
{
	for (size_t i = 0; i < PF_COUNT(CONDITIONS); i++) {
		if (pf_span_is(word, CONDITIONS[i].word)) {
			*cond = CONDITIONS[i].cond;
			return true;
		}
	}
	return false;
}

/* "* 12 EXISTS" and its kind. */
static bool numbered(struct pf_lex *l, struct pf_imap_resp *out)
{
	uint64_t n = 0;
	struct pf_span word;

	if (!pf_lex_number(l, &n)) {
		return false;
	}
	pf_lex_blanks(l);
	word = pf_lex_atom(l);
	pf_lex_blanks(l);
	out->number = n;
	if (pf_span_is(word, "EXISTS")) {
		out->kind = PF_IMAP_EXISTS;
	} else if (pf_span_is(word, "RECENT")) {
		out->kind = PF_IMAP_RECENT;
	} else if (pf_span_is(word, "EXPUNGE")) {
		out->kind = PF_IMAP_EXPUNGE;
	} else if (pf_span_is(word, "FETCH")) {
		out->kind = PF_IMAP_FETCH;
		out->fetch = (struct pf_imap_fetch){.date_utc_s = PF_DATE_NONE};
		out->fetch.seq = n > UINT32_MAX ? 0 : (uint32_t)n;
		return pf_resp_fetch(l, &out->fetch);
	} else {
		out->kind = PF_IMAP_UNKNOWN;
		out->raw = pf_lex_rest(l);
	}
	return true;
}

static bool words(struct pf_lex *l, struct pf_imap_resp *out)
{
	out->words = pf_lex_rest(l);
	return true;
}

static bool flags(struct pf_lex *l, struct pf_imap_resp *out)
{
	if (pf_lex_peek(l) != '(') { /* NIL, or flags without parentheses */
		out->words = pf_span_is(pf_lex_rest(l), "NIL") ? pf_span("", 0) : pf_lex_rest(l);
		return true;
	}
	return pf_lex_list(l, &out->words);
}

static bool list(struct pf_lex *l, struct pf_imap_resp *out)
{
	return pf_resp_list(l, &out->list);
}

static bool lsub(struct pf_lex *l, struct pf_imap_resp *out)
{
	bool ok = pf_resp_list(l, &out->list);

	out->list.which = PF_IMAP_IS_LSUB;
	return ok;
}

static bool xlist(struct pf_lex *l, struct pf_imap_resp *out)
{
	bool ok = pf_resp_list(l, &out->list);

	out->list.which = PF_IMAP_IS_XLIST;
	return ok;
}

static bool namespaces(struct pf_lex *l, struct pf_imap_resp *out)
{
	return pf_resp_namespace(l, &out->ns);
}

static bool status(struct pf_lex *l, struct pf_imap_resp *out)
{
	return pf_resp_status(l, &out->status);
}

static bool raw(struct pf_lex *l, struct pf_imap_resp *out)
{
	out->raw = pf_lex_rest(l);
	return true;
}

static const struct {
	const char *word;
	enum pf_imap_resp_kind kind;
	bool (*parse)(struct pf_lex *l, struct pf_imap_resp *out);
} NAMED[] = {
	{"CAPABILITY", PF_IMAP_CAPABILITY, words},
	{"ENABLED", PF_IMAP_ENABLED, words},
	{"LIST", PF_IMAP_LIST, list},
	{"LSUB", PF_IMAP_LIST, lsub},
	{"XLIST", PF_IMAP_LIST, xlist},
	{"NAMESPACE", PF_IMAP_NAMESPACE, namespaces},
	{"STATUS", PF_IMAP_STATUS, status},
	{"SEARCH", PF_IMAP_SEARCH, pf_resp_search},
	{"ESEARCH", PF_IMAP_ESEARCH, pf_resp_esearch},
	{"FLAGS", PF_IMAP_FLAGS, flags},
	{"VANISHED", PF_IMAP_VANISHED, pf_resp_vanished},
	{"ID", PF_IMAP_ID, raw},
	{"QUOTA", PF_IMAP_QUOTA, pf_resp_quota},
	{"QUOTAROOT", PF_IMAP_QUOTAROOT, raw},
};

static bool untagged(struct pf_lex *l, struct pf_imap_resp *out)
{
	struct pf_span word;

	pf_lex_blanks(l);
	if (pf_lex_peek(l) >= '0' && pf_lex_peek(l) <= '9') {
		return numbered(l, out);
	}
	word = pf_lex_until(l, " \t()[");
	if (is_condition(word, &out->cond)) {
		out->kind = PF_IMAP_COND;
		return pf_resp_cond(l, out);
	}
	pf_lex_blanks(l);
	for (size_t i = 0; i < PF_COUNT(NAMED); i++) {
		if (pf_span_is(word, NAMED[i].word)) {
			out->kind = NAMED[i].kind;
			return NAMED[i].parse(l, out);
		}
	}
	out->raw = pf_lex_rest(l);
	return true;
}

/* A tagged response; a stray line that is none is passed over (Exchange 2003 sends "CAPABILITY
 * completed."). */
static bool tagged(struct pf_lex *l, struct pf_imap_resp *out)
{
	struct pf_span tag = pf_lex_atom(l);
	struct pf_span word;

	pf_lex_blanks(l);
	word = pf_lex_until(l, " \t()[");
	if (tag.n == 0 || !is_condition(word, &out->cond) || out->cond > PF_IMAP_BAD) {
		out->kind = PF_IMAP_UNKNOWN;
		out->raw = l->text;
		return true;
	}
	out->kind = PF_IMAP_COND;
	out->tag = tag;
	return pf_resp_cond(l, out);
}

int pf_imap_resp_parse(const struct pf_imap_piece *piece, struct pf_arena *arena,
	struct pf_imap_resp *out, struct pf_err *err)
{
	struct pf_lex l;
	bool ok;

	*out = (struct pf_imap_resp){.kind = PF_IMAP_UNKNOWN};
	pf_lex_init(&l, piece, arena, err);
	pf_lex_blanks(&l);
	if (pf_lex_take(&l, '*')) {
		ok = untagged(&l, out);
	} else if (pf_lex_take(&l, '+')) {
		pf_lex_blanks(&l);
		out->kind = PF_IMAP_CONTINUE;
		out->text = pf_lex_rest(&l);
		ok = true;
	} else {
		ok = tagged(&l, out);
	}
	return ok ? PF_OK : PF_FAIL;
}

bool pf_imap_set_next(struct pf_span *set, uint64_t *first, uint64_t *last)
{
	size_t n = 0;
	struct pf_span one;
	const uint8_t *colon;
	uint64_t swap;

	while (set->n > 0 && pf_lex_is(set->p[0], ", \t")) {
		*set = pf_span_from(*set, 1);
	}
	while (n < set->n && !pf_lex_is(set->p[n], ", \t")) {
		n++;
	}
	one = pf_span(set->p, n);
	colon = n > 0 ? memchr(one.p, ':', n) : NULL;
	if (colon) {
		size_t at = (size_t)(colon - one.p);

		if (!pf_lex_parse_number(pf_span(one.p, at), first) ||
			!pf_lex_parse_number(pf_span_from(one, at + 1), last)) {
			return false;
		}
		if (*first > *last) {
			swap = *first;
			*first = *last;
			*last = swap;
		}
	} else {
		if (!pf_lex_parse_number(one, first)) {
			return false;
		}
		*last = *first;
	}
	*set = pf_span_from(*set, n);
	return true;
}

bool pf_imap_set_valid(struct pf_span set)
{
	uint64_t first, last;

	while (pf_imap_set_next(&set, &first, &last)) {
	}
	return set.n == 0;
}

/* "\\Seen" for "\Seen": escaped, within quotes or without them. */
static struct pf_span one_backslash(struct pf_span word)
{
	return pf_span_starts(word, "\\\\") ? pf_span_from(word, 1) : word;
}

bool pf_imap_words_next(struct pf_span *list, struct pf_span *word)
{
	size_t n = 0;

	while (list->n > 0 && pf_lex_is_blank(list->p[0])) {
		*list = pf_span_from(*list, 1);
	}
	if (list->n == 0) {
		return false;
	}
	if (list->p[0] == '"') { /* quoted: without its quotes, escapes as they are */
		for (n = 1; n < list->n && list->p[n] != '"'; n++) {
			n += list->p[n] == '\\' && n + 1 < list->n;
		}
		*word = one_backslash(pf_span(list->p + 1, n - 1));
		*list = pf_span_from(*list, n + 1);
		return true;
	}
	while (n < list->n && !pf_lex_is_blank(list->p[n])) {
		n++;
	}
	*word = one_backslash(pf_span(list->p, n));
	*list = pf_span_from(*list, n);
	return true;
}
