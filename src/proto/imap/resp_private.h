/*
 * One function a response; each takes what follows its word. false: the error is filled.
 */
#ifndef PF_PROTO_IMAP_RESP_PRIVATE_H
#define PF_PROTO_IMAP_RESP_PRIVATE_H

#include "proto/imap/lex.h"
#include "proto/imap/resp.h"

/* resp_cond.c */
bool pf_resp_cond(struct pf_lex *l, struct pf_imap_resp *out);
/* resp_fetch.c */
bool pf_resp_fetch(struct pf_lex *l, struct pf_imap_fetch *out);
/* resp_mailbox.c */
bool pf_resp_list(struct pf_lex *l, struct pf_imap_list *out);
bool pf_resp_namespace(struct pf_lex *l, struct pf_imap_namespace *out);
bool pf_resp_status(struct pf_lex *l, struct pf_imap_status *out);
/* resp_search.c */
bool pf_resp_search(struct pf_lex *l, struct pf_imap_resp *out);
bool pf_resp_esearch(struct pf_lex *l, struct pf_imap_resp *out);
bool pf_resp_vanished(struct pf_lex *l, struct pf_imap_resp *out);
bool pf_resp_quota(struct pf_lex *l, struct pf_imap_resp *out);

#endif
