/*
 * Open formats as MAPI items, the other way round of convert/mapi_open: what a store of Exchange
 * keeps of an iCalendar object or a vCard ([MS-OXCICAL], [MS-OXVCARD], [MS-OXOTASK], [MS-OXONOTE]).
 * The tables are those of the way back: what was made here and is opened again means the same, but
 * for what is told as lost.
 */
#ifndef PF_CONVERT_MAPI_MAKE_H
#define PF_CONVERT_MAPI_MAKE_H

#include "convert/mapi_ways.h"
#include "model/item.h"

struct pf_mapi_made {
	struct pf_mapi_item *item; /* in the arena */
	struct pf_span *lost; /* "GEO", "ATTENDEE;DELEGATED-TO": what it can't say, each once */
	size_t lost_n, lost_cap;
};

/*
 * Make an item of the text of one (a master with its overrides, a task, a note, a card or a group).
 * Of `ways` the owner counts: a meeting that somebody else organises was received. All that `out`
 * points to is in `arena`.
 *
 * A UID is kept: of an event in its global object id, of what else there is in a named property.
 * PF_FAIL (item scope): the text is none of `kind`, or says what would become another item in
 * Exchange (a rule or a series without words there); why is in the error. No memory.
 */
PF_MUST_CHECK int pf_mapi_make(enum pf_kind kind, struct pf_span text,
	const struct pf_mapi_ways *ways, struct pf_arena *arena, struct pf_mapi_made *out,
	struct pf_err *err);

#endif
