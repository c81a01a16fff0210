/*
 * Writing an item's properties as content lines: for contacts, groups, tasks and notes.
 */
#ifndef PF_CONVERT_FORM_PRIVATE_H
#define PF_CONVERT_FORM_PRIVATE_H

#include "convert/mapi_body.h"
#include "convert/mapi_lines.h"
#include "convert/mapi_ways.h"

/* The first failure is kept in `o.rc`; nothing is written after it. */
struct form {
	const struct pf_mapi_item *item;
	const struct pf_mapi_ways *ways;
	struct pf_mapi_losses *losses;
	struct pf_arena *arena; /* that of the losses */
	struct pf_mapi_lines o;
	size_t was;  /* how long what they go into was */
	int version; /* of a vCard: 30 or 40 */
	struct pf_err *err;
};

void form_begin(struct form *f, const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err);
/* The losses are closed; `out` is as it was when anything failed. */
PF_MUST_CHECK int form_end(struct form *f);

/* Values of the item, noted with what becomes of them; NULL where there is none. */
const struct pf_mapi_value *form_tag(struct form *f, uint16_t tag);
const struct pf_mapi_value *form_lid(struct form *f, const struct pf_guid *set, uint32_t lid);
/* The same as text; empty where it says nothing. */
struct pf_span form_tag_text(struct form *f, uint16_t tag);
struct pf_span form_lid_text(struct form *f, const struct pf_guid *set, uint32_t lid);
/* The UID that somebody who writes open items into a store of Exchange left there (DavMail and
 * convert/make_*); empty: there is none. */
struct pf_span form_stored_uid(struct form *f);

/* Each text of a value with one or many. */
void form_each(struct form *f, const char *head, const struct pf_mapi_value *v);
/* A line of TEXTs with `between` them; none when none of them says anything. */
void form_list(
	struct form *f, const char *head, const struct pf_span *texts, size_t n, char between);
/* "20261124T100312Z", or a date alone: of the midnight next to it, "20261124" or "2026-11-24". */
void form_moment(struct form *f, const char *head, const struct pf_mapi_value *v);
void form_date(struct form *f, const char *head, const struct pf_mapi_value *v, bool dashes);
/* Base64 behind `before` (a data URI's beginning, or ""). */
void form_binary(struct form *f, const char *head, const char *before, struct pf_span bytes);
/* ---- of all iCalendar ones ---- */

/* From BEGIN:VCALENDAR to what all components have: UID, dates, SUMMARY, CLASS, CATEGORIES. */
void form_begin_component(struct form *f, const char *component);
/* DESCRIPTION and HTML, attachments. */
void form_say(struct form *f);
void form_end_component(struct form *f, const char *component);
/* CATEGORIES of "Keywords". */
void form_categories(struct form *f);

#endif
