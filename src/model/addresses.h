/*
 * Addresses of a directory (Exchange's "/o=Org/ou=Site/cn=Recipients/cn=ann"), and whose they are.
 */
#ifndef PF_MODEL_ADDRESSES_H
#define PF_MODEL_ADDRESSES_H

#include "base/span.h"

struct pf_addresses {
	/*
	 * The SMTP address of one of type `type` ("EX", "X400"), ASCII case aside; *smtp lives as
	 * long as the map. False: it is not known.
	 */
	bool (*find)(const struct pf_addresses *a, struct pf_span type, struct pf_span address,
		struct pf_span *smtp);
};

#endif
