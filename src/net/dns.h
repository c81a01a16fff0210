/*
 * Where a service of a domain is: SRV records (RFC 2782), and the TXT record beside them (RFC 6763
 * section 6), asked of the name service once (c-ares, on a thread of the loop's pool). What is
 * found is a hint from a stranger: whoever asks decides whom to trust.
 */
#ifndef PF_NET_DNS_H
#define PF_NET_DNS_H

#include "net/loop.h"

enum { PF_DNS_SERVERS = 8, PF_DNS_PATH_MAX = 256 };

struct pf_dns_server {
	char host[256]; /* lower case, without a dot at its end */
	int port;
	int priority, weight;
};

struct pf_dns_answer {
	struct pf_dns_server at[PF_DNS_SERVERS]; /* in the order in which they are to be tried */
	size_t n;
	bool none;                  /* the domain says that it has no such service (target ".") */
	char path[PF_DNS_PATH_MAX]; /* of the TXT record's "path="; "": not said */
};

struct pf_dns;

/*
 * `name` is "_caldavs._tcp.example.org". `server`: the name server to ask, ADDRESS[:PORT]; NULL:
 * those of the system. PF_FAIL (scope RUN): no memory, or no thread.
 */
PF_MUST_CHECK int pf_dns_ask(struct pf_loop *loop, const char *name, const char *server,
	struct pf_dns **out, struct pf_err *err);
/*
 * true: it is over, some seconds after it was asked at the latest. Nothing found, and nobody who
 * answers, is an answer without servers. false: the loop wakes when it is.
 */
bool pf_dns_take(struct pf_dns *d, struct pf_dns_answer *out);
/* Also while it is under way. NULL is fine. */
void pf_dns_free(struct pf_dns **d);

#endif
