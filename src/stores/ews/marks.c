/*
 * How messages are marked: IMAP's flags and keywords, and what Exchange has for them.
 *
 *   \Seen               IsRead
 *   \Flagged            PidTagFlagStatus: followupFlagged
 *   \Answered           PidTagLastVerbExecuted: 102 (reply), 103 (reply to all)
 *   $Forwarded          104, where it was not answered as well; else a category
 *   \Draft              mfUnsent, told when it is created and never again
 *   any other keyword   a category; one of a category that is no atom has '_' for what is wrong
 */
#include "stores/ews/ews_private.h"

#include "base/utf8.h"
#include "proto/imap/mutf7.h"

enum {
	FLAG_SET = 2,
	VERB_REPLY = 102,
	VERB_REPLY_ALL = 103,
	VERB_FORWARD = 104,
	UNSENT = 8,
};

static const char FORWARDED[] = "$Forwarded";

/* ---- words: categories and keywords ---- */

/* A category as keyword: an atom (RFC 9051 section 9), ASCII as modified UTF-7 has it. */
static int keyword_of(struct pf_span word, struct pf_buf *out, struct pf_err *err)
{
	struct pf_err why;

	pf_buf_clear(out);
	if (pf_mutf7_encode(word, out, &why) != PF_OK) {
		pf_buf_clear(out);
		if (why.scope > PF_SCOPE_ITEM) {
			*err = why;
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < out->n; i++) {
		if (out->p[i] <= ' ' || out->p[i] >= 0x7f || strchr("(){%*\"\\]", out->p[i])) {
			out->p[i] = '_';
		}
	}
	return PF_OK;
}

/* And back, where it is one that was made so. */
static int word_of(struct pf_span keyword, struct pf_buf *out, struct pf_err *err)
{
	struct pf_buf again;
	struct pf_err ignored;
	bool doubtful = false, same = false;
	size_t from = out->n;

	pf_buf_init(&again, EWS_TEXT_MAX);
	if (pf_mutf7_decode(keyword, out, &doubtful, &ignored) == PF_OK && !doubtful) {
		same = pf_mutf7_encode(pf_span(out->p + from, out->n - from), &again, &ignored) ==
			       PF_OK &&
		       pf_span_eq(pf_buf_span(&again), keyword);
	}
	pf_buf_deinit(&again);
	if (!same) {
		out->n = from;
		return pf_buf_add(out, keyword, err);
	}
	return PF_OK;
}

/* The next word of a list with a NUL behind each; false: that was all. */
static bool next_word(struct pf_span *list, struct pf_span *word)
{
	const uint8_t *nul = list->n > 0 ? memchr(list->p, '\0', list->n) : NULL;

	*word = pf_span(list->p, nul ? (size_t)(nul - list->p) : list->n);
	*list = pf_span_from(*list, word->n + 1);
	return word->n > 0;
}

static int add_word(struct pf_buf *words, struct pf_span keyword, struct pf_err *err)
{
	if (word_of(keyword, words, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add(words, pf_span("", 1), err);
}

int ews_marks_of(const struct pf_flags *flags, struct pf_buf *words, struct pf_ews_marks *out,
	struct pf_err *err)
{
	bool answered = (flags->sys & PF_FLAG_ANSWERED) != 0;
	struct pf_span rest = flags->kw, keyword;

	*out = (struct pf_ews_marks){
		.read = (flags->sys & PF_FLAG_SEEN) != 0,
		.draft = (flags->sys & PF_FLAG_DRAFT) != 0,
		.flagged = (flags->sys & PF_FLAG_FLAGGED) != 0,
		.verb = answered ? VERB_REPLY : 0,
	};
	while (pf_keywords_next(&rest, &keyword)) {
		if (!answered && pf_span_is(keyword, FORWARDED)) {
			out->verb = VERB_FORWARD;
		} else if (add_word(words, keyword, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	out->words = pf_buf_span(words);
	return PF_OK;
}

/* Keywords of categories, into the canonical list `kw`. */
static int keywords_of(struct pf_span words, int verb, struct pf_buf *kw, struct pf_err *err)
{
	struct pf_span word;
	struct pf_buf one;
	int rc = verb == VERB_FORWARD ? pf_keywords_add(kw, pf_span_str(FORWARDED), err) : PF_OK;

	pf_buf_init(&one, EWS_TEXT_MAX);
	while (rc == PF_OK && next_word(&words, &word)) {
		rc = keyword_of(word, &one, err);
		if (rc == PF_OK && one.n > 0) {
			rc = pf_keywords_add(kw, pf_buf_span(&one), err);
		}
	}
	pf_buf_deinit(&one);
	return rc;
}

int ews_flags_of(const struct pf_ews_item *i, struct pf_arena *arena, struct pf_flags *out,
	struct pf_err *err)
{
	bool answered = i->verb == VERB_REPLY || i->verb == VERB_REPLY_ALL;
	struct pf_buf kw;
	int rc;

	*out = (struct pf_flags){.sys = 0};
	out->sys |= i->read ? (uint32_t)PF_FLAG_SEEN : 0;
	out->sys |= answered ? (uint32_t)PF_FLAG_ANSWERED : 0;
	out->sys |= i->flag == FLAG_SET ? (uint32_t)PF_FLAG_FLAGGED : 0;
	out->sys |= i->flags & UNSENT ? (uint32_t)PF_FLAG_DRAFT : 0;
	if (i->words.n == 0 && i->verb != VERB_FORWARD) {
		return PF_OK;
	}
	pf_buf_init(&kw, EWS_TEXT_MAX);
	rc = keywords_of(i->words, i->verb, &kw, err);
	if (rc == PF_OK) {
		out->kw = pf_arena_span(arena, pf_buf_span(&kw));
		rc = kw.n > 0 && !out->kw.p ? pf_fail_memory(err, "keywords") : PF_OK;
	}
	pf_buf_deinit(&kw);
	return rc;
}

/* ---- changing ---- */

/* What is there now has a say in it: words are replaced as a whole, and of verbs there is one. */
static bool depends(const struct pf_op *op)
{
	return op->flags.add.kw.n > 0 || op->flags.del.kw.n > 0 ||
	       ((op->flags.add.sys | op->flags.del.sys) & PF_FLAG_ANSWERED);
}

static int ask_marks(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_buf text;

	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_get_items(&s->as, PF_EWS_WANT_ROW, &o->h.kept.op.item, 1, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_MARKS, o), "GetItem", &text, err);
}

int ews_marks_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;

	(void)s;
	pf_buf_clear(&o->words);
	if (pf_ews_item_next(a, m, &at, &i)) {
		o->verb = i.verb;
		if (pf_buf_add(&o->words, i.words, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	o->known = true;
	o->h.state = PF_HS_WAITING;
	return PF_OK;
}

/* The words that stay, those that come behind them. *changed: they are others than before. */
static int new_words(const struct eop *o, struct pf_span add, struct pf_buf *out, bool *changed,
	struct pf_err *err)
{
	struct pf_span rest = pf_buf_span(&o->words), del = eop_op(o)->flags.del.kw, word;
	struct pf_buf one, had;
	int rc = PF_OK;

	pf_buf_init(&one, EWS_TEXT_MAX);
	pf_buf_init(&had, EWS_TEXT_MAX);
	while (rc == PF_OK && next_word(&rest, &word)) {
		rc = keyword_of(word, &one, err);
		if (rc == PF_OK && pf_keywords_has(del, pf_buf_span(&one))) {
			*changed = true;
			continue;
		}
		rc = rc == PF_OK ? pf_keywords_add(&had, pf_buf_span(&one), err) : rc;
		rc = rc == PF_OK ? pf_buf_add(out, word, err) : rc;
		rc = rc == PF_OK ? pf_buf_add(out, pf_span("", 1), err) : rc;
	}
	while (rc == PF_OK && pf_keywords_next(&add, &word)) {
		if (!pf_keywords_has(pf_buf_span(&had), word)) {
			*changed = true;
			rc = add_word(out, word, err);
		}
	}
	pf_buf_deinit(&one);
	pf_buf_deinit(&had);
	return rc;
}

/* The one verb there is: a reply counts for more than having been forwarded. */
static int new_verb(const struct eop *o)
{
	const struct pf_op *op = eop_op(o);
	struct pf_span fwd = pf_span_str(FORWARDED);
	bool replied = o->verb == VERB_REPLY || o->verb == VERB_REPLY_ALL;

	if (op->flags.add.sys & PF_FLAG_ANSWERED) {
		return replied ? o->verb : VERB_REPLY;
	}
	if ((op->flags.del.sys & PF_FLAG_ANSWERED) && replied) {
		return pf_keywords_has(op->flags.add.kw, fwd) ? VERB_FORWARD : 0;
	}
	if (o->verb == VERB_FORWARD && pf_keywords_has(op->flags.del.kw, fwd)) {
		return 0;
	}
	return o->verb == 0 && pf_keywords_has(op->flags.add.kw, fwd) ? VERB_FORWARD : o->verb;
}

/* The keywords that become categories. */
static int new_keywords(const struct eop *o, int verb, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span rest = eop_op(o)->flags.add.kw, word;

	while (pf_keywords_next(&rest, &word)) {
		if (!(verb == VERB_FORWARD && pf_span_is(word, FORWARDED)) &&
			pf_keywords_add(out, word, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	/* It was said by the verb, which is another one now. */
	return o->verb == VERB_FORWARD && verb == VERB_REPLY &&
			       !pf_keywords_has(eop_op(o)->flags.del.kw, pf_span_str(FORWARDED))
		       ? pf_keywords_add(out, pf_span_str(FORWARDED), err)
		       : PF_OK;
}

static int work_out(struct estore *s, const struct eop *o, struct pf_buf *words,
	struct pf_ews_change_marks *c, struct pf_err *err)
{
	uint32_t add = eop_op(o)->flags.add.sys, del = eop_op(o)->flags.del.sys;
	struct pf_buf kw;
	int rc;

	if (!o->known && ((add | del) & PF_FLAG_DRAFT)) {
		pf_hs_note(&s->h, PF_EV_FLAG_DROPPED,
			"Exchange can't make a draft of a message, nor a message of a draft");
	}
	c->set_read = ((add | del) & PF_FLAG_SEEN) != 0;
	c->to.read = (add & PF_FLAG_SEEN) != 0;
	c->set_flagged = ((add | del) & PF_FLAG_FLAGGED) != 0;
	c->to.flagged = (add & PF_FLAG_FLAGGED) != 0;
	if (!o->known) {
		return PF_OK;
	}
	c->to.verb = new_verb(o);
	c->set_verb = c->to.verb != o->verb;
	pf_buf_init(&kw, EWS_TEXT_MAX);
	rc = new_keywords(o, c->to.verb, &kw, err);
	rc = rc == PF_OK ? new_words(o, pf_buf_span(&kw), words, &c->set_words, err) : rc;
	pf_buf_deinit(&kw);
	c->to.words = pf_buf_span(words);
	return rc;
}

int ews_flags_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_ews_change_marks change = {.set_read = false};
	struct pf_buf text, words;
	int rc;

	if (!o->known && depends(eop_op(o))) {
		return ask_marks(s, o, err);
	}
	pf_buf_init(&words, EWS_TEXT_MAX);
	rc = work_out(s, o, &words, &change, err);
	if (rc == PF_OK && !change.set_read && !change.set_flagged && !change.set_verb &&
		!change.set_words) {
		pf_buf_deinit(&words);
		eop_give(s, o); /* it is so already, or Exchange has nothing for it */
		return PF_OK;
	}
	pf_buf_init(&text, (size_t)2 * EWS_TEXT_MAX);
	rc = rc == PF_OK ? pf_ews_update(&s->as, eop_op(o)->item, &change, &text, err) : rc;
	pf_buf_deinit(&words);
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_UPDATE, o), "UpdateItem", &text, err);
}

int ews_remove_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	enum pf_kind kind = PF_KIND_MAIL;
	struct pf_buf text;

	if (eop_op(o)->version.n > 0) { /* only while it has it */
		return ews_keyed_remove(s, o, err);
	}

	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_delete(&s->as, ews_item_meant(eop_op(o)->item, &kind), &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_DELETE, o), "DeleteItem", &text, err);
}
