/*
 * Requests of Exchange Web Services, whole SOAP 1.1 envelopes. The order of elements is the
 * schema's
 * ([MS-OXWSFOLD], [MS-OXWSCORE], [MS-OXWSMSG], [MS-OXWSSYNC]): a server refuses any other.
 *
 * Nothing that is written here sends a message: every disposition is SaveOnly, every invitation and
 * cancellation SendToNone.
 */
#ifndef PF_PROTO_EWS_REQUEST_H
#define PF_PROTO_EWS_REQUEST_H

#include "base/buf.h"

/* In order of age. */
enum pf_ews_version {
	PF_EWS_2007_SP1,
	PF_EWS_2010,
	PF_EWS_2010_SP1,
	PF_EWS_2010_SP2,
	PF_EWS_2013,
	PF_EWS_2013_SP1,
	PF_EWS_VERSIONS,
};

/* "Exchange2010_SP1" */
const char *pf_ews_version_name(enum pf_ews_version v);
/* The newest that a server of this build knows. */
enum pf_ews_version pf_ews_version_of(int major, int minor, int build);

/* What stands in the head of each request. */
struct pf_ews_as {
	enum pf_ews_version version;
	const char
		*impersonate; /* the mailbox's owner, address or principal name; NULL: ourselves */
};

/* The folders that each mailbox has, whatever they are called. */
enum pf_ews_known {
	PF_EWS_ROOT, /* msgfolderroot: the top of what people see */
	PF_EWS_INBOX,
	PF_EWS_DRAFTS,
	PF_EWS_SENT,
	PF_EWS_TRASH,
	PF_EWS_OUTBOX,
	PF_EWS_JUNK,
	PF_EWS_CALENDAR,
	PF_EWS_CONTACTS,
	PF_EWS_TASKS,
	PF_EWS_NOTES,
	PF_EWS_JOURNAL,
	PF_EWS_KNOWN,
};

enum { PF_EWS_PAGE = 500, PF_EWS_SYNC_PAGE = 512 };

/* All functions write behind `out`. PF_FAIL: no memory, or past its ceiling. */

/* GetFolder of all known ones, in the order of their enum. */
PF_MUST_CHECK int pf_ews_get_known(
	const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err);
/* All folders below the root, a page from `offset` on. */
PF_MUST_CHECK int pf_ews_find_folders(
	const struct pf_ews_as *as, size_t offset, struct pf_buf *out, struct pf_err *err);
/* GetUserConfiguration: what its owner chose in Outlook on the web, from 2010 on. */
PF_MUST_CHECK int pf_ews_get_options(
	const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err);
/* A folder of a class: "IPF.Note", "IPF.Appointment". */
PF_MUST_CHECK int pf_ews_create_folder(const struct pf_ews_as *as, struct pf_span parent,
	const char *folder_class, struct pf_span name, struct pf_buf *out, struct pf_err *err);
enum pf_ews_want {
	PF_EWS_WANT_MIME,  /* what it says, and its class */
	PF_EWS_WANT_ROW,   /* what a listing of mail has of it */
	PF_EWS_WANT_CLASS, /* what any other listing has of it */
};
/* What changed in a folder since `state`; empty: all. */
PF_MUST_CHECK int pf_ews_sync(const struct pf_ews_as *as, enum pf_ews_want want,
	struct pf_span folder, struct pf_span state, struct pf_buf *out, struct pf_err *err);
struct pf_ews_classes {
	const char *const *names; /* and all below them; ended by NULL */
	bool others;              /* those that are none of them */
};
/* One item of each folder that is of these classes. */
PF_MUST_CHECK int pf_ews_find_classes(const struct pf_ews_as *as,
	const struct pf_ews_classes *classes, const struct pf_span *folders, size_t n,
	struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_get_items(const struct pf_ews_as *as, enum pf_ews_want want,
	const struct pf_span *ids, size_t n, struct pf_buf *out, struct pf_err *err);

/* Of a message: how it is marked. */
struct pf_ews_marks {
	bool read, draft, flagged;
	int verb; /* what was done about it last: 102 replied, 104 forwarded; 0 = nothing */
	struct pf_span words; /* categories, a NUL behind each; empty: none */
};

struct pf_ews_mail {
	struct pf_span mime;
	struct pf_ews_marks marks;
	const char *sent, *received; /* "2004-05-06T07:08:09Z"; NULL: the server's own idea */
};

/* CreateItem of messages: begin, one after the other, end. */
PF_MUST_CHECK int pf_ews_create_begin(
	const struct pf_ews_as *as, struct pf_span folder, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_create_mail(
	const struct pf_ews_mail *mail, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_create_end(struct pf_buf *out, struct pf_err *err);

/* What is to be changed about a message; what is not named stays. */
struct pf_ews_change_marks {
	bool set_read, set_flagged, set_verb, set_words;
	struct pf_ews_marks to;
};
/* UpdateItem, whatever state it is in. No receipt goes out: where the version can't be told so,
 * the request for one is taken off the message. */
PF_MUST_CHECK int pf_ews_update(const struct pf_ews_as *as, struct pf_span id,
	const struct pf_ews_change_marks *change, struct pf_buf *out, struct pf_err *err);
/* DeleteItem, such that it can be had back for a while (SoftDelete). */
PF_MUST_CHECK int pf_ews_delete(
	const struct pf_ews_as *as, struct pf_span id, struct pf_buf *out, struct pf_err *err);

#endif
