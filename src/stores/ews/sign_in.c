/*
 * Who we are, which version of the schema is spoken, and where the folders are that each mailbox
 * has: one request, which every account that can be used answers.
 */
#include "stores/ews/ews_private.h"

#include <stdio.h>

static int take_secret(struct estore *s, struct pf_err *err)
{
	struct pf_secret_source *src = s->cfg->secret;
	const char *user = s->cfg->admin ? s->cfg->admin : s->cfg->url->user;
	struct pf_secret secret = {0};
	int rc = src ? src->get(src, &secret, err) : PF_OK;

	if (rc == PF_OK) {
		rc = pf_http_sign_in(s->http, user ? user : "", &secret, src && src->oauth, err);
	}
	pf_secret_clear(&secret);
	return rc;
}

int ews_sign_in_again(struct estore *s, struct pf_err *err)
{
	if (!s->cfg->secret || !s->cfg->secret->oauth || s->token_renewed) {
		return PF_END;
	}
	s->token_renewed = true;
	return take_secret(s, err);
}

int ews_sign_in(struct estore *s, struct pf_err *err)
{
	struct pf_buf text;

	if (!s->begun && take_secret(s, err) != PF_OK) {
		return PF_FAIL;
	}
	s->begun = true;
	if (s->asking || !ecall_room(s)) {
		return PF_AGAIN;
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

/* A mailbox may lack some of them, but not its root. */
int ews_take_known(struct estore *s, struct pf_ews_answer *a, struct pf_err *err)
{
	struct pf_ews_message m;

	s->asking = false;
	for (size_t i = 0; i < PF_EWS_KNOWN && pf_ews_answer_next(a, &m); i++) {
		const struct pf_ews_node *at = NULL;
		struct pf_ews_folder f;

		if (m.said.does == PF_EWS_BUSY) {
			estore_be_patient(s, m.said.back_off_ms, m.said.text);
			return PF_OK;
		}
		if (i == PF_EWS_ROOT && m.said.does != PF_EWS_DONE) {
			struct pf_err why;

			(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO,
				"%s: the mailbox can't be opened: %s", s->about, m.said.text);
			estore_lost(s, &why);
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
		estore_lost(s, &why);
		return PF_OK;
	}
	(void)snprintf(s->server, sizeof(s->server), "Exchange Web Services, %s",
		pf_ews_version_name(s->as.version));
	s->ready = true;
	return PF_OK;
}
