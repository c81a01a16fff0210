#include "model/item.h"

const char *pf_verdict_name(enum pf_verdict v)
{
	static const char *const NAMES[PF_VERDICT_COUNT] = {
		[PF_VERDICT_NONE] = "open",
		[PF_VERDICT_COPIED] = "copied",
		[PF_VERDICT_PRESENT] = "present",
		[PF_VERDICT_SKIPPED] = "skipped",
		[PF_VERDICT_QUARANTINED] = "quarantined",
		[PF_VERDICT_VANISHED] = "vanished",
	};

	return (unsigned int)v < PF_VERDICT_COUNT ? NAMES[v] : "unknown";
}

const char *pf_role_name(enum pf_role r)
{
	static const char *const NAMES[] = {
		[PF_ROLE_NONE] = "",
		[PF_ROLE_INBOX] = "inbox",
		[PF_ROLE_SENT] = "sent",
		[PF_ROLE_DRAFTS] = "drafts",
		[PF_ROLE_TRASH] = "trash",
		[PF_ROLE_JUNK] = "junk",
		[PF_ROLE_ARCHIVE] = "archive",
		[PF_ROLE_ALL] = "all",
		[PF_ROLE_FLAGGED] = "flagged",
		[PF_ROLE_CALENDAR] = "calendar",
		[PF_ROLE_CONTACTS] = "contacts",
		[PF_ROLE_TASKS] = "tasks",
		[PF_ROLE_NOTES] = "notes",
		[PF_ROLE_JOURNAL] = "journal",
	};

	return (size_t)r < PF_COUNT(NAMES) ? NAMES[r] : "";
}

const char *pf_kind_name(enum pf_kind k)
{
	switch (k) {
	case PF_KIND_MAIL:
		return "mail";
	case PF_KIND_CALENDAR:
		return "calendar";
	case PF_KIND_CONTACTS:
		return "contacts";
	case PF_KIND_TASKS:
		return "tasks";
	case PF_KIND_NOTES:
		return "notes";
	}
	return "";
}

enum pf_kind pf_kind_by_name(struct pf_span name)
{
	for (unsigned int k = PF_KIND_MAIL; k <= PF_KIND_NOTES; k <<= 1) {
		if (pf_span_is(name, pf_kind_name((enum pf_kind)k))) {
			return (enum pf_kind)k;
		}
	}
	return (enum pf_kind)0;
}
