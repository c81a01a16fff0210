/*
 * Items as Exchange Web Services tell them, property by property, and the MAPI items (model/mapi.h)
 * that these are.
 *
 * One table (item_props.c) names the properties that the converters read. What the schema has
 * elements of its own for (bodies, people, categories, files) becomes the properties that it is
 * made of. What an item only names, its attachments and the changed occurrences of a series, is
 * asked for by itself and then put into its place.
 */
#ifndef PF_PROTO_EWS_ITEM_H
#define PF_PROTO_EWS_ITEM_H

#include "model/mapi.h"
#include "proto/ews/answer.h"
#include "proto/ews/request.h"

/* What an item may be; a bit each. */
enum pf_ews_form {
	PF_EWS_FORM_MAIL = 1u << 0,
	PF_EWS_FORM_EVENT = 1u << 1,
	PF_EWS_FORM_CONTACT = 1u << 2,
	PF_EWS_FORM_TASK = 1u << 3,
	PF_EWS_FORM_NOTE = 1u << 4,
	PF_EWS_FORM_ANY = (1u << 5) - 1,
};

struct pf_ews_ask {
	uint32_t forms; /* of enum pf_ews_form: what the items may be */
	bool stored;    /* bodies as they are stored, not as the server makes them */
};

/* GetItem, with all that is known to mean something; behind `out`, as in request.h. */
PF_MUST_CHECK int pf_ews_get_whole(const struct pf_ews_as *as, const struct pf_ews_ask *ask,
	const struct pf_span *ids, size_t n, struct pf_buf *out, struct pf_err *err);
/* GetAttachment, items within with all that is known. */
PF_MUST_CHECK int pf_ews_get_attachments(const struct pf_ews_as *as, bool stored,
	const struct pf_span *ids, size_t n, struct pf_buf *out, struct pf_err *err);

/* What an item only names: of->attachments[at] has its place. */
struct pf_ews_lack {
	struct pf_span id; /* of the attachment, or of the occurrence's own item */
	uint64_t size;     /* as the server says; 0: it does not */
	bool occurrence;
	struct pf_mapi_item *of;
	size_t at;
	int64_t original_utc_s; /* of an occurrence: when it would be by the rule */
	unsigned int depth;     /* items around it */
};

/* An item that is being read. Zeroed at first, but for the arena, which is the caller's. */
struct pf_ews_whole {
	struct pf_arena *arena;
	struct pf_mapi_item *item;
	struct pf_span uid; /* calendar:UID; absent: not told */
	bool series;        /* a RecurringMaster */
	struct pf_ews_lack *lack;
	size_t lack_n, lack_cap;
};

/*
 * The item of a GetItem's message, and what it lacks. PF_FAIL: item scope, where a value is none,
 * or it is not there, or items lie too deep in one another; or no memory. All is copied into the
 * arena.
 */
PF_MUST_CHECK int pf_ews_read_whole(
	const struct pf_ews_message *m, struct pf_ews_whole *w, struct pf_err *err);
/*
 * What was lacking, from the message of a GetAttachment or (an occurrence) of a GetItem, into its
 * place. More may be lacking then, behind the rest. PF_FAIL: as above.
 */
PF_MUST_CHECK int pf_ews_read_lack(
	const struct pf_ews_message *m, struct pf_ews_whole *w, size_t lack, struct pf_err *err);

/* Seconds since 1970 of "2004-05-06T07:08:09Z", with a fraction or an offset if it has one. False:
 * it is no moment. */
bool pf_ews_moment(struct pf_span text, int64_t *unix_s);

#endif
