/*
 * The list of folders while it is being asked for (folders.c) and given out (folders_give.c).
 */
#ifndef PF_STORES_IMAP_LISTING_H
#define PF_STORES_IMAP_LISTING_H

#include "stores/imap/found.h"
#include "stores/imap/imap_private.h"

struct ilisting {
	struct founds found;
	size_t given;        /* handed out */
	size_t pending;      /* commands without answer */
	bool states, shared; /* as asked for */
	bool subscriptions_asked;
	bool extended_failed; /* LIST with RETURN gave nothing: plain LIST was asked for */
	bool status_asked;
	size_t status_next, status_end; /* folders whose states are to be asked for */
	bool root_asked;                /* for the delimiter */
	char root_delimiter;
	bool shared_asked; /* LIST of the namespaces of others */
	bool list_failed;
	bool again;   /* something of it was put off by the server */
	size_t named; /* folders before it were looked at for parents that are not listed */
	struct pf_err why;
};

#endif
