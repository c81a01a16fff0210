/*
 * MAPI items in the open form of their kind, for stores that read them.
 */
#ifndef PF_CONVERT_MAPI_OPEN_H
#define PF_CONVERT_MAPI_OPEN_H

#include "base/span.h"
#include "model/item.h"

/*
 * What kind of item it is, by its class ([MS-OXOMSG] 2.2.2.1 and its neighbours). What is not known
 * is mail, as are meeting messages (IPM.Schedule...) and task requests: they are letters.
 */
enum pf_kind pf_mapi_kind(struct pf_span item_class);

#endif
