/*
 * What all answers have in common: sign-in that is refused, faults, and the end of each thing that
 * was asked for.
 */
#include "stores/ews/ews_private.h"

#include "base/utf8.h"

#include <stdio.h>

static const char *words_of(const struct ecall *c)
{
	static const char *const WORDS[] = {
		[ECALL_WHERE] = "Autodiscover",
		[ECALL_KNOWN] = "GetFolder",
		[ECALL_FOLDERS] = "FindFolder",
		[ECALL_MAKE] = "CreateFolder",
		[ECALL_SYNC] = "SyncFolderItems",
		[ECALL_ROWS] = "GetItem",
		[ECALL_KINDS] = "FindItem",
		[ECALL_EXPORT] = "ExportItems",
		[ECALL_MIME] = "GetItem",
		[ECALL_WHOLE] = "GetItem",
		[ECALL_OCCURRENCES] = "GetItem of an occurrence",
		[ECALL_ATTACHMENTS] = "GetAttachment",
		[ECALL_UPLOAD] = "UploadItems",
		[ECALL_CREATE] = "CreateItem",
		[ECALL_KEYED] = "a step of it",
		[ECALL_MARKS] = "GetItem",
		[ECALL_UPDATE] = "UpdateItem",
		[ECALL_DELETE] = "DeleteItem",
	};

	return WORDS[c->kind];
}

/* How much is lost when it is refused for good. */
static enum pf_scope scope_of(const struct ecall *c)
{
	switch (c->kind) {
	case ECALL_KNOWN:
	case ECALL_FOLDERS:
	case ECALL_KINDS:
		return PF_SCOPE_STORE;
	case ECALL_SYNC:
	case ECALL_ROWS:
		return PF_SCOPE_FOLDER;
	default:
		return PF_SCOPE_ITEM;
	}
}

/* ---- the end of one thing ---- */

static void fail_op(struct estore *s, const struct ecall *c, struct eop *o, enum pf_retry retry,
	const char *text)
{
	struct pf_err why;

	(void)pf_fail(&why, scope_of(c), retry, "%s: %s", words_of(c), text);
	o->h.end.refused = retry == PF_RETRY_NO && why.scope == PF_SCOPE_ITEM;
	eop_failed(s, o, &why);
}

static void full(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	struct pf_err why;

	(void)pf_fail(&why, scope_of(c), PF_RETRY_NO, "%s: %s", words_of(c), text);
	why.number = PF_EV_TARGET_FULL;
	o->h.end.refused = true;
	eop_failed(s, o, &why);
}

/* Something that was stored in spite of what was answered would be there twice: the engine looks.
 */
static void in_doubt(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	ews_keys_doubt(s, pf_buf_span(&o->place));
	o->h.end.in_doubt = true;
	fail_op(s, c, o, PF_RETRY_LATER, text);
}

/* It may pass. */
static void once_more(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	if (ecall_makes(c)) {
		in_doubt(s, c, o, text);
	} else if (++o->h.tries < EWS_PASSES) {
		o->h.state = PF_HS_WAITING;
		pf_hs_pause(&s->h, o->h.tries < 4 ? o->h.tries : 4);
	} else {
		fail_op(s, c, o, PF_RETRY_LATER, text);
	}
}

/*
 * It waits until the server is to be asked again. That it is busy does not tell that it did
 * nothing: who made the request is not the one that found it to be too long.
 */
static void put_off(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	if (ews_keyed_put_off(s, c, o, text)) {
		return;
	}
	if (ecall_makes(c)) {
		o->h.end.put_off = true;
		in_doubt(s, c, o, text);
	} else {
		o->h.state = PF_HS_WAITING;
	}
}

/* Its own mistake, with this one perhaps and not with the others: alone, then it is refused. A
 * message has no name to be found by: the engine looks, and puts it alone the next time. */
static void alone(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	bool message = c->kind == ECALL_CREATE && !o->made;

	if (message && !o->alone) {
		in_doubt(s, c, o, text);
	} else if (!message && (!o->alone || ++o->h.tries < EWS_TRIES)) {
		o->alone = true;
		o->h.state = PF_HS_WAITING;
		if (c->kind == ECALL_CREATE) {
			ews_keyed_look_again(s, o);
		}
	} else {
		fail_op(s, c, o, PF_RETRY_NO, text);
	}
}

static void gone(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	if (c->kind == ECALL_DELETE) {
		eop_give(s, o); /* gone is gone */
		return;
	}
	if (ecall_makes(c)) { /* it is the folder that is not there */
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_FOLDER, PF_RETRY_NO, "%s: %s", words_of(c), text);
		eop_failed(s, o, &why);
		return;
	}
	o->h.end.missing = c->kind == ECALL_MIME || c->kind == ECALL_WHOLE;
	fail_op(s, c, o, PF_RETRY_NO, text);
}

static void rights(struct estore *s, const struct ecall *c, struct eop *o, const char *text)
{
	struct pf_err why;

	if (o) {
		fail_op(s, c, o, PF_RETRY_NO, text);
		return;
	}
	(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO, "%s: %s", s->about, text);
	pf_hs_lost(&s->h, &why);
}

bool ews_said(struct estore *s, struct ecall *c, struct eop *o, const struct pf_ews_said *said)
{
	if (ews_stream_said(c, o, said) || ews_upload_said(s, c, o, said) ||
		ews_get_otherwise(c, o, said) || ews_keyed_said(s, c, o, said) ||
		(c->kind == ECALL_KINDS && ews_kinds_refused(s, o, said))) {
		return true;
	}
	switch (said->does) {
	case PF_EWS_DONE:
		return false;
	case PF_EWS_BUSY:
		pf_hs_be_patient(&s->h, said->back_off_ms, said->text);
		put_off(s, c, o, said->text);
		break;
	case PF_EWS_UNTRIED:
		o->h.state = PF_HS_WAITING;
		break;
	case PF_EWS_PASSING:
		once_more(s, c, o, said->text);
		break;
	case PF_EWS_RACE:
		if (++o->h.tries < EWS_TRIES) {
			o->h.state = PF_HS_WAITING;
		} else {
			fail_op(s, c, o, PF_RETRY_LATER, said->text);
		}
		break;
	case PF_EWS_UNCLEAR:
	case PF_EWS_OURS:
		alone(s, c, o, said->text);
		break;
	case PF_EWS_TOO_LARGE:
		if (c->n > 1) {
			o->alone = true;
			o->h.state = PF_HS_WAITING;
		} else {
			fail_op(s, c, o, PF_RETRY_NO, said->text);
		}
		break;
	case PF_EWS_GONE:
		gone(s, c, o, said->text);
		break;
	case PF_EWS_FULL:
		full(s, c, o, said->text);
		break;
	case PF_EWS_CONTENT:
		o->h.end.conflict =
			c->kind == ECALL_CREATE ? PF_CONFLICT_CONTENT : PF_CONFLICT_NONE;
		fail_op(s, c, o, PF_RETRY_NO, said->text);
		break;
	default:
		fail_op(s, c, o, PF_RETRY_NO, said->text);
		break;
	}
	return true;
}

/* ---- the whole ---- */

/* All that it was for ends alike. */
static void whole(struct estore *s, struct ecall *c, const struct pf_ews_said *said)
{
	if (c->n == 0) {
		struct pf_err why;
		bool later = said->does == PF_EWS_PASSING || said->does == PF_EWS_UNCLEAR;

		if (later && ++s->begin_tries < EWS_PASSES) {
			ecall_put_back(s, c);
			pf_hs_pause(&s->h, s->begin_tries < 4 ? s->begin_tries : 4);
			return;
		}
		(void)pf_fail(&why, later ? PF_SCOPE_SESSION : PF_SCOPE_STORE,
			later ? PF_RETRY_LATER : PF_RETRY_NO, "%s: %s", s->about, said->text);
		pf_hs_lost(&s->h, &why);
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		if (ecall_makes(c) && said->does == PF_EWS_UNCLEAR) {
			once_more(s, c, c->ops[i], said->text); /* some may be stored */
		} else {
			(void)ews_said(s, c, c->ops[i], said);
		}
	}
}

/* All of it is put off. */
static void be_patient(struct estore *s, struct ecall *c, int64_t ms, const char *text)
{
	pf_hs_be_patient(&s->h, ms, text);
	for (size_t i = 0; i < c->n; i++) {
		put_off(s, c, c->ops[i], text);
	}
	ecall_put_back(s, c);
}

static void fault(struct estore *s, struct ecall *c, const struct pf_ews_head *head)
{
	const struct pf_ews_said *said = &head->said;
	/* To an old server, the name of a newer version is a mistake in the request. */
	bool version = said->does == PF_EWS_VERSION ||
		       (said->does == PF_EWS_OURS && c->kind == ECALL_KNOWN);

	if (version && ews_older(s, head)) {
		ecall_put_back(s, c);
	} else if (said->does == PF_EWS_BUSY) {
		be_patient(s, c, said->back_off_ms, said->text);
	} else if (said->does == PF_EWS_RIGHTS) {
		rights(s, c, NULL, said->text);
	} else {
		s->h.pauses = 0;
		whole(s, c, said);
	}
}

static int dispatch(struct estore *s, struct ecall *c, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	switch (c->kind) {
	case ECALL_FOLDERS:
		return ews_folders_answer(s, o, a, m, err);
	case ECALL_MAKE:
		return ews_make_answer(s, o, a, m, err);
	case ECALL_SYNC:
		return ews_list_answer(s, o, a, m, err);
	case ECALL_EXPORT:
		return ews_stream_answer(o, a, m, err);
	case ECALL_MIME:
		return ews_get_answer(s, o, a, m, err);
	case ECALL_WHOLE:
		return ews_whole_answer(s, o, m, err);
	case ECALL_UPLOAD:
		return ews_upload_answer(s, o, a, m, err);
	case ECALL_CREATE:
		return o->made ? ews_keyed_created(s, o, a, m, err)
			       : ews_put_answer(s, o, a, m, err);
	case ECALL_MARKS:
		return ews_marks_answer(s, o, a, m, err);
	default: /* UPDATE, DELETE: it is done */
		eop_give(s, o);
		return PF_OK;
	}
}

/* What is dealt with before a refusal counts: a listing begins anew, a folder is there already. */
static bool is_welcome(const struct ecall *c, const struct pf_ews_said *said)
{
	return said->does == PF_EWS_DONE || (c->kind == ECALL_SYNC && said->does == PF_EWS_SYNC) ||
	       (c->kind == ECALL_MAKE && said->does == PF_EWS_EXISTS);
}

static int messages(struct estore *s, struct ecall *c, struct pf_ews_answer *a, struct pf_err *err)
{
	struct pf_ews_message m;
	size_t i = 0;

	if (c->kind == ECALL_ROWS && pf_ews_answer_next(a, &m)) {
		return ews_rows_answer(s, c->ops[0], a, &m, err);
	}
	if (c->kind == ECALL_KEYED && pf_ews_answer_next(a, &m)) {
		return ews_keyed_answer(s, c, a, &m, err);
	}
	if (c->kind == ECALL_KINDS && pf_ews_answer_next(a, &m)) {
		return ews_kinds_answer(s, c->ops[0], a, &m, err);
	}
	if ((c->kind == ECALL_OCCURRENCES || c->kind == ECALL_ATTACHMENTS) &&
		pf_ews_answer_next(a, &m)) {
		return ews_lack_answer(s, c, a, &m, err);
	}
	while (i < c->n && pf_ews_answer_next(a, &m)) {
		struct eop *o = c->ops[i++];

		s->h.pauses = m.said.does == PF_EWS_BUSY ? s->h.pauses : 0;
		if (is_welcome(c, &m.said) || !ews_said(s, c, o, &m.said)) {
			if (dispatch(s, c, o, a, &m, err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	for (; i < c->n; i++) { /* nothing was said of them */
		once_more(s, c, c->ops[i], "the answer does not tell what became of it");
	}
	return PF_OK;
}

/* Another service, or a server that has none. */
static void not_here(struct estore *s, int status, const char *words)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO,
		"%s: no Exchange Web Services are found at %.100s (HTTP %d: %.100s)%s", s->about,
		s->target, status, words, s->where.begun ? "" : s->where.says);
	if (!ews_locate(s, &why, true)) {
		pf_hs_lost(&s->h, &why);
	}
}

/* It may pass; at the beginning there may be no Exchange behind it. */
static void page(struct estore *s, struct ecall *c, const struct pf_ews_said *said)
{
	unsigned int tries = c->n > 0 ? c->ops[0]->h.tries : s->begin_tries;
	struct pf_err why;

	if (tries == 0) {
		pf_hs_note(&s->h, PF_EV_UNREADABLE_RESPONSE, "%s is asked for again: %s",
			words_of(c), said->text);
	}
	if (c->n > 0 || tries + 1 < EWS_PASSES) {
		whole(s, c, said);
		return;
	}
	(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO, "no Exchange Web Services are found: %s%s",
		said->text, s->where.begun ? "" : s->where.says);
	if (!ews_locate(s, &why, true)) {
		pf_hs_lost(&s->h, &why);
	}
}

/* Something between us and Exchange, or its web server, answered. */
static void plain(struct estore *s, struct ecall *c, const struct pf_http_answer *a)
{
	struct pf_ews_said said = {.does = PF_EWS_REFUSED};
	char words[160];

	pf_print_safe(
		words, sizeof(words), a->status >= 300 && a->status < 400 ? a->location : a->body);
	if (ews_is_page(a)) {
		ews_page_words(s, a, said.text, sizeof(said.text));
	} else {
		(void)snprintf(said.text, sizeof(said.text), "HTTP %d: %.200s", a->status, words);
	}
	if (a->status >= 300 && a->status < 400 && ews_sent_on(s, a->location)) {
		ecall_put_back(s, c);
		return;
	}
	if (a->status == 429 || a->status == 503) {
		be_patient(s, c, (int64_t)a->retry_after_s * 1000, said.text);
		return;
	}
	if (a->status == 413) {
		said.does = PF_EWS_TOO_LARGE;
	} else if (a->status == 403) {
		rights(s, c, NULL, said.text);
		return;
	} else if (a->status == 408 || a->status == 502 || a->status == 504) {
		said.does = PF_EWS_PASSING;
	} else if (a->status == 200 && ews_is_page(a)) {
		said.does = PF_EWS_PASSING;
		page(s, c, &said);
		return;
	} else if (c->n == 0 && a->status < 500) {
		not_here(s, a->status, words);
		return;
	} else if (a->status >= 500 || a->status == 200) {
		said.does = ecall_makes(c) ? PF_EWS_PASSING : PF_EWS_UNCLEAR;
	} else {
		said.does = PF_EWS_UNCLEAR;
	}
	whole(s, c, &said);
}

static int refused(
	struct estore *s, struct ecall *c, const struct pf_http_answer *a, struct pf_err *err)
{
	struct pf_err why;
	int rc = ews_sign_in_again(s, a, err);

	ecall_put_back(s, c);
	if (rc != PF_END) {
		return rc;
	}
	(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO, "%s: sign-in is refused", s->about);
	pf_hs_lost(&s->h, &why);
	return PF_OK;
}

int ews_answer(
	struct estore *s, struct ecall *c, const struct pf_http_answer *a, struct pf_err *err)
{
	struct pf_ews_answer *read = NULL;
	struct pf_err why;
	int rc;

	if (c->kind == ECALL_WHERE) {
		return ews_locate_answer(s, a, err);
	}
	if (a->status == 401) {
		return refused(s, c, a, err);
	}
	s->h.signed_again = false;
	if ((a->status != 200 && a->status != 500) ||
		pf_ews_answer_new(a->body, &read, &why) != PF_OK) {
		if (a->status == 200 && why.scope > PF_SCOPE_ITEM) {
			*err = why;
			return PF_FAIL;
		}
		plain(s, c, a);
		return PF_OK;
	}
	if (pf_ews_answer_head(read)->mended > 0) {
		pf_hs_note(&s->h, PF_EV_PROTOCOL_ODDITY,
			"an answer to %s has %zu characters that XML forbids", words_of(c),
			pf_ews_answer_head(read)->mended);
	}
	if (pf_ews_answer_head(read)->fault) {
		fault(s, c, pf_ews_answer_head(read));
		rc = PF_OK;
	} else {
		rc = c->kind == ECALL_KNOWN ? ews_take_known(s, read, err)
					    : messages(s, c, read, err);
	}
	pf_ews_answer_free(&read);
	return rc;
}
