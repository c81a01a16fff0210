#include "convert/mapi_open.h"

#include "model/mapi.h"

enum pf_kind pf_mapi_kind(struct pf_span item_class)
{
	static const struct {
		const char *name;
		enum pf_kind kind;
	} CLASSES[] = {
		{"IPM.Appointment", PF_KIND_CALENDAR},
		{"IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}", PF_KIND_CALENDAR},
		{"IPM.Contact", PF_KIND_CONTACTS},
		{"IPM.DistList", PF_KIND_CONTACTS},
		{"IPM.Task", PF_KIND_TASKS},
		{"IPM.StickyNote", PF_KIND_NOTES},
		{"IPM.Activity", PF_KIND_NOTES},
	};

	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (pf_mapi_is_a(item_class, CLASSES[i].name)) {
			return CLASSES[i].kind;
		}
	}
	return PF_KIND_MAIL;
}
