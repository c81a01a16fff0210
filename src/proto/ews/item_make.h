/*
 * Requests that make and change items other than mail: appointments, contacts, groups, tasks and
 * notes, from the MAPI items that these are (model/mapi.h). The order of elements is the schema's
 * ([MS-OXWSMTGS], [MS-OXWSCONT], [MS-OXWSDLIST], [MS-OXWSTASK], [MS-OXWSATT]). What the schema has
 * no element for is an extended property; which ones there are says the table that items are read
 * by (item_props.c), so what is written can be read again.
 *
 * Nothing that is written here sends anything to anybody, as in request.h.
 */
#ifndef PF_PROTO_EWS_ITEM_MAKE_H
#define PF_PROTO_EWS_ITEM_MAKE_H

#include "model/mapi.h"
#include "proto/ews/item.h"
#include "proto/ews/request.h"

/* Properties of ours, in the set PublicStrings: the name that an item was put under, and the text
 * that it was made of. */
#define PF_EWS_KEY "X-POSTFERRY-KEY"
#define PF_EWS_TEXT "X-POSTFERRY-TEXT"

enum pf_ews_pattern {
	PF_EWS_DAILY,
	PF_EWS_WEEKLY,
	PF_EWS_MONTHLY,     /* on a day of the month */
	PF_EWS_MONTHLY_NTH, /* on the n-th of these weekdays */
	PF_EWS_YEARLY,
	PF_EWS_YEARLY_NTH,
};

struct pf_ews_series {
	enum pf_ews_pattern pattern;
	unsigned int interval; /* days, weeks or months; of years there is no choice */
	unsigned int weekdays; /* bit 0 is Sunday */
	unsigned int first_weekday;
	unsigned int day, month; /* from 1; day 31 is the last one */
	unsigned int nth;        /* 1 to 4, 5 is the last */
	char start[16], end[16]; /* "2024-03-04"; end "": none */
	unsigned int count;      /* 0: none */
};

/* SYSTEMTIME as a rule; month 0: never. */
struct pf_ews_turn {
	unsigned int month, weekday, nth, hour, minute; /* nth 5 is the last */
};

struct pf_ews_zone {
	struct pf_span name;          /* of Windows; absent: the rule counts */
	int bias, standard, daylight; /* minutes; UTC is the wall's time and all that apply */
	struct pf_ews_turn to_standard, to_daylight;
};

struct pf_ews_member {
	struct pf_span name, address;
};

struct pf_ews_make {
	const struct pf_mapi_item *item; /* its class says what it is */
	/* of an event */
	struct pf_span uid;
	const struct pf_ews_zone *start, *end;
	const struct pf_ews_series *series; /* of a task as well; NULL: it does not recur */
	/* of a group */
	const struct pf_ews_member *members;
	size_t member_n;
	/* properties of ours; absent: none */
	struct pf_span key, text;
};

/* All functions write behind `out`. PF_FAIL: no memory, or past its ceiling. */

/* One item between pf_ews_create_begin and pf_ews_create_end. */
PF_MUST_CHECK int pf_ews_create_item(const struct pf_ews_as *as, const struct pf_ews_make *make,
	struct pf_buf *out, struct pf_err *err);

/* UpdateItem of occurrences: begin, the items of exceptions with the number of each from 1, end. */
PF_MUST_CHECK int pf_ews_change_begin(
	const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_change_occurrence(const struct pf_ews_as *as, struct pf_span master,
	size_t index, const struct pf_mapi_item *item, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_change_end(struct pf_buf *out, struct pf_err *err);
/* DeleteItem of occurrences. */
PF_MUST_CHECK int pf_ews_delete_occurrences(const struct pf_ews_as *as, struct pf_span master,
	const size_t *index, size_t n, struct pf_buf *out, struct pf_err *err);
/* UpdateItem: another name for an item of that form (item.h). With a version only while the item
 * has it. */
struct pf_ews_named {
	struct pf_span id, version, key;
	uint32_t form;
};
PF_MUST_CHECK int pf_ews_set_key(const struct pf_ews_as *as, const struct pf_ews_named *named,
	struct pf_buf *out, struct pf_err *err);

/*
 * UpdateItem of all of an item, `old` as it was read (item.h), while it has that version. Only of
 * one that pf_ews_can_update.
 */
struct pf_ews_renewed {
	struct pf_span id, version;
	const struct pf_mapi_item *old;
};
bool pf_ews_can_update(
	const struct pf_ews_as *as, const struct pf_ews_whole *old, const struct pf_ews_make *make);
PF_MUST_CHECK int pf_ews_update_item(const struct pf_ews_as *as,
	const struct pf_ews_renewed *renewed, const struct pf_ews_make *make, struct pf_buf *out,
	struct pf_err *err);

/* CreateAttachment of files to one item: begin, the files, end. */
PF_MUST_CHECK int pf_ews_attach_begin(
	const struct pf_ews_as *as, struct pf_span item, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_attach_file(const struct pf_ews_as *as,
	const struct pf_mapi_attachment *file, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_attach_end(struct pf_buf *out, struct pf_err *err);

/* FindItem: the names of all items of a folder, a page from `offset` on. */
PF_MUST_CHECK int pf_ews_find_keys(const struct pf_ews_as *as, struct pf_span folder, size_t offset,
	struct pf_buf *out, struct pf_err *err);

#endif
