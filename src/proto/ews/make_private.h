/*
 * What the files that write items share: one sequence of fields, which are the elements of an item
 * that is created, or each a change of one that is there.
 */
#ifndef PF_PROTO_EWS_MAKE_PRIVATE_H
#define PF_PROTO_EWS_MAKE_PRIVATE_H

#include "proto/ews/item_make.h"
#include "proto/ews/item_private.h"
#include "proto/ews/request_private.h"

/* A property that an element says. */
struct ews_said {
	const struct pf_guid *set; /* NULL: a tag */
	uint16_t id;
};

struct ews_put {
	struct ews_writer *w;
	const struct pf_ews_as *as;
	const struct pf_mapi_item *item;
	const char *element; /* "CalendarItem" */
	bool changes;
	const struct pf_mapi_item *old; /* that is changed as a whole: what it is not to say any
					   more is taken off; NULL: only what is said changes */
	const struct ews_said *said;
	size_t said_n;
};

/* Around an element of a field; nothing where the item is created. */
void ews_field(struct ews_put *p, const char *uri);
void ews_field_end(struct ews_put *p);
/* A field with a text; none for an empty one. */
void ews_put_text(struct ews_put *p, const char *uri, const char *name, struct pf_span text);
void ews_put_word(struct ews_put *p, const char *uri, const char *name, const char *word);
void ews_put_number(struct ews_put *p, const char *uri, const char *name, long long n);
void ews_put_moment(
	struct ews_put *p, const char *uri, const char *name, const struct pf_mapi_value *v);

const struct pf_mapi_value *ews_find(const struct pf_mapi_item *item, const struct ews_prop *p);
bool ews_is_said(const struct ews_put *p, const struct ews_prop *prop);
void ews_put_value(struct ews_put *p, const struct ews_prop *path, const struct pf_mapi_value *v);
/* All of the table that the item has and no element says. */
void ews_put_properties(struct ews_put *p, uint32_t form);
void ews_put_property(struct ews_put *p, const struct ews_prop *path);
/* Properties of ours. */
void ews_put_marks(struct ews_put *p, const struct pf_ews_make *make);

const struct pf_mapi_value *ews_lid(
	const struct ews_put *p, const struct pf_guid *set, uint32_t number);
/* In the order of the schema: Subject, Sensitivity; Body; Categories, Importance; Reminder... */
void ews_put_head(struct ews_put *p);
void ews_put_body(struct ews_put *p);
void ews_put_categories(struct ews_put *p);
void ews_put_reminder(struct ews_put *p);

void ews_put_note_fields(struct ews_put *p, const struct pf_ews_make *make);

/* ---- make_event.c ---- */
void ews_put_event(struct ews_put *p, const struct pf_ews_make *make);
/* Of an event that is there and stays, as changes. */
void ews_renew_event(struct ews_put *p, const struct pf_ews_make *make);
/* Of an occurrence, as changes. */
void ews_put_exception(struct ews_put *p);
/* <t:Recurrence> */
void ews_put_series(
	struct ews_writer *w, const struct pf_ews_as *as, const struct pf_ews_series *r);

/* ---- make_other.c ---- */
void ews_put_contact(struct ews_put *p, const struct pf_ews_make *make);
/* What is in it, as elements or as changes. */
void ews_put_contact_fields(struct ews_put *p, const struct pf_ews_make *make);
void ews_put_group(struct ews_put *p, const struct pf_ews_make *make);
void ews_put_task(struct ews_put *p, const struct pf_ews_make *make);
/* The same as of a contact; of one that recurs as elements only. */
void ews_put_task_fields(struct ews_put *p, const struct pf_ews_make *make);

#endif
