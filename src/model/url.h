/*
 * The URL of a store (DESIGN, command line): SCHEME://[USER@]HOST[:PORT]/ or SCHEME:PATH.
 */
#ifndef PF_MODEL_URL_H
#define PF_MODEL_URL_H

#include "base/err.h"

struct pf_url {
	char scheme[16]; /* lower case: "imaps" */
	char *user;      /* percent-decoded; NULL when there is none */
	char *host;      /* without brackets; NULL for SCHEME:PATH */
	int port;        /* 0 = the scheme's */
	char *path;      /* behind the authority, or all of SCHEME:PATH; never NULL; percent-decoded
			    only behind an authority */
};

/*
 * PF_FAIL (scope RUN, wrong usage): the text says what is wrong and shows the right form. A
 * password in the URL is refused, with the remedy, and not repeated in the message.
 */
PF_MUST_CHECK int pf_url_parse(struct pf_url *url, const char *text, struct pf_err *err);
void pf_url_deinit(struct pf_url *url);

/*
 * The identity of an account: equal for two URLs that mean the same one, fit for the ledger and the
 * screen. "imap://ann%40x@mail.example:143/": a default port is left out, the host is lower case,
 * imaps and imap of one host are one. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_url_identity(const struct pf_url *url, char **out, struct pf_err *err);

#endif
