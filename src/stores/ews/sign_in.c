/*
 * Who we are, which version of the schema is spoken, and where the folders are that each mailbox
 * has: one request, which every account that can be used answers.
 */
#include "stores/ews/ews_private.h"

#include <stdio.h>

static const char *user_of(const struct estore *s)
{
	const char *user = s->h.cfg->admin ? s->h.cfg->admin : s->h.cfg->url->user;

	return user ? user : "";
}

int ews_sign_in_again(struct estore *s, const struct pf_http_answer *a, struct pf_err *err)
{
	return pf_hs_sign_in_again(&s->h, user_of(s), a, err);
}

int ews_sign_in(struct pf_hs *h, struct pf_err *err)
{
	struct estore *s = estore_of(h);
	struct pf_buf text;
	int rc = ews_locate_step(s, err);

	if (rc != PF_OK || s->h.lost) {
		return rc;
	}
	if (!s->begun && pf_hs_sign_in(h, user_of(s), NULL, err) != PF_OK) {
		return PF_FAIL;
	}
	s->begun = true;
	if (s->asking || !ecall_room(h)) {
		return PF_AGAIN;
	}
	if (s->where.discovers) {
		return ews_locate_ask(s, err);
	}
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_get_known(&s->as, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	s->asking = true;
	return ecall_send(s, ecall_new(s, ECALL_KNOWN, NULL), "GetFolder", &text, err);
}

bool ews_older(struct estore *s, const struct pf_ews_head *head)
{
	enum pf_ews_version known =
		head->has_version ? pf_ews_version_of(head->major, head->minor, head->build)
				  : s->as.version;

	if (s->as.version == PF_EWS_2007_SP1) {
		return false;
	}
	s->as.version = known < s->as.version ? known : s->as.version - 1;
	return true;
}

/* Streams of a newer Exchange are not for an older one: so it must have told which it is. */
static void tell_native(struct estore *s, const struct pf_ews_head *head)
{
	if (head->has_version && s->as.version >= PF_EWS_2010_SP1 && head->major > 0 &&
		head->minor >= 0 && head->minor < 100) {
		s->h.facts.gives = (struct pf_native){
			"Exchange", (unsigned int)head->major * 100 + (unsigned int)head->minor};
		s->h.facts.takes = s->h.facts.gives;
	}
}

/* A mailbox may lack some of them, but not its root. */
int ews_take_known(struct estore *s, struct pf_ews_answer *a, struct pf_err *err)
{
	struct pf_ews_message m;

	s->asking = false;
	for (size_t i = 0; i < PF_EWS_KNOWN && pf_ews_answer_next(a, &m); i++) {
		const struct pf_ews_node *at = NULL;
		struct pf_ews_folder f;

		if (m.said.does == PF_EWS_BUSY) {
			pf_hs_be_patient(&s->h, m.said.back_off_ms, m.said.text);
			return PF_OK;
		}
		if (m.said.does == PF_EWS_PASSING && ++s->begin_tries < EWS_PASSES) {
			pf_hs_pause(&s->h, s->begin_tries < 4 ? s->begin_tries : 4);
			return PF_OK;
		}
		if (m.said.does == PF_EWS_VERSION && ews_older(s, pf_ews_answer_head(a))) {
			return PF_OK; /* of the mailbox's own server, an older one than we asked */
		}
		if (i == PF_EWS_ROOT && m.said.does != PF_EWS_DONE) {
			struct pf_err why;

			(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO,
				"%s: the mailbox can't be opened: %s", s->about, m.said.text);
			pf_hs_lost(&s->h, &why);
			return PF_OK;
		}
		pf_buf_clear(&s->known[i]);
		if (pf_ews_folder_next(a, &m, &at, &f) &&
			pf_buf_add(&s->known[i], f.id, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (s->known[PF_EWS_ROOT].n == 0) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_LATER,
			"%s: the server does not tell where the mailbox begins", s->about);
		pf_hs_lost(&s->h, &why);
		return PF_OK;
	}
	(void)snprintf(s->server, sizeof(s->server), "Exchange Web Services, %s",
		pf_ews_version_name(s->as.version));
	tell_native(s, pf_ews_answer_head(a));
	s->h.ready = true;
	return PF_OK;
}
