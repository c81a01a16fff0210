/*
 * What Exchange says instead of doing what it was asked ([MS-OXWSCDATA] 2.2.5.24, ResponseCode):
 * one table of codes and of what is to be done about each.
 */
#ifndef PF_PROTO_EWS_CODE_H
#define PF_PROTO_EWS_CODE_H

#include "base/span.h"

enum pf_ews_does {
	PF_EWS_DONE,      /* NoError */
	PF_EWS_BUSY,      /* leave it alone for a while, then ask again */
	PF_EWS_PASSING,   /* will pass; a write may have been done all the same */
	PF_EWS_UNCLEAR,   /* its own mistake: once more alone, then the item's failure */
	PF_EWS_UNTRIED,   /* this one was not tried, as another one in the batch failed */
	PF_EWS_GONE,      /* not there (any more) */
	PF_EWS_EXISTS,    /* a folder of this name is there */
	PF_EWS_RACE,      /* somebody else changed it meanwhile */
	PF_EWS_FULL,      /* no room in the mailbox or the folder */
	PF_EWS_TOO_LARGE, /* of an item, or of all that were sent at once */
	PF_EWS_CONTENT,   /* it does not take this content */
	PF_EWS_DAMAGED,   /* the item can't be given out as it is */
	PF_EWS_SYNC,      /* the state of a listing is not good any more */
	PF_EWS_VERSION,   /* it does not know so new a version */
	PF_EWS_RIGHTS,    /* we may not, or there is no such mailbox */
	PF_EWS_OURS,      /* the request is not as it must be */
	PF_EWS_REFUSED,   /* any other no */
};

/* By the ResponseCode's name; an unknown one is REFUSED, an absent one UNCLEAR. */
enum pf_ews_does pf_ews_does(struct pf_span code);

#endif
