#include "convert/mapi_open.h"

#include "convert/mapi_contact.h"
#include "convert/mapi_event.h"
#include "convert/mapi_mail.h"
#include "convert/mapi_task.h"

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

const char *pf_mapi_class_of(enum pf_kind kind, size_t i)
{
	for (size_t k = 0; k < PF_COUNT(CLASSES); k++) {
		if (CLASSES[k].kind == kind && i-- == 0) {
			return CLASSES[k].name;
		}
	}
	return NULL;
}

enum pf_kind pf_mapi_kind(struct pf_span item_class)
{
	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (pf_mapi_is_a(item_class, CLASSES[i].name)) {
			return CLASSES[i].kind;
		}
	}
	return PF_KIND_MAIL;
}

static int open_card(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *bytes, struct pf_err *err)
{
	return pf_mapi_is_a(pf_mapi_class(item), "IPM.DistList")
		       ? pf_mapi_group(item, 40, ways, losses, bytes, err)
		       : pf_mapi_contact(item, 40, ways, losses, bytes, err);
}

int pf_mapi_open(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_mapi_opened *out, struct pf_buf *bytes,
	struct pf_err *err)
{
	out->kind = pf_mapi_kind(pf_mapi_class(item));
	out->type = "text/calendar; charset=utf-8";
	switch (out->kind) {
	case PF_KIND_CONTACTS:
		out->type = "text/vcard; charset=utf-8";
		return open_card(item, ways, losses, bytes, err);
	case PF_KIND_TASKS:
		return pf_mapi_task(item, ways, losses, bytes, err);
	case PF_KIND_NOTES:
		return pf_mapi_journal(item, ways, losses, bytes, err);
	case PF_KIND_CALENDAR:
		return pf_mapi_event_to_ical(item, ways, bytes, losses, err);
	default:
		out->type = "message/rfc822";
		return pf_mapi_mail(item, ways->header, ways, losses, bytes, err);
	}
}
