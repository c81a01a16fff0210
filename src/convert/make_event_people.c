/*
 * Organizer and attendees as recipients and as what the item says of itself ([MS-OXOCAL] 2.2.1.10,
 * 2.2.1.11, 2.2.4.10).
 */
#include "convert/make_private.h"

#include "base/utf8.h"

enum {
	MEETING = 1,
	RECEIVED = 2,
	CANCELLED = 4,
	REQUIRED = 1,
	OPTIONAL = 2,
	RESOURCE = 3,
	ORGANIZED = 1, /* PidLidResponseStatus: we are the organizer */
};

static struct pf_span address_of(const struct pf_line *l)
{
	return pf_span_starts(l->value, "mailto:") ? pf_span_from(l->value, 7) : l->value;
}

static bool is_owner(const struct make_event *e, struct pf_span address)
{
	struct pf_span owner = e->i.m.ways->owner;
	bool same = owner.n > 0 && owner.n == address.n;

	for (size_t i = 0; i < owner.n && same; i++) {
		same = pf_ascii_lower(owner.p[i]) == pf_ascii_lower(address.p[i]);
	}
	return same;
}

static bool param_is(const struct pf_line *l, const char *name, const char *value)
{
	struct pf_span v = pf_params_find(l->params, name);

	return v.p && pf_span_is(v, value);
}

/* PidTagRecipientTrackStatus of a PARTSTAT; 0: nothing is known. */
static int answer_of(const struct pf_line *l)
{
	static const struct {
		const char *name;
		int status;
	} SAID[] = {{"TENTATIVE", 2}, {"ACCEPTED", 3}, {"DECLINED", 4}, {"NEEDS-ACTION", 5}};

	for (size_t i = 0; i < PF_COUNT(SAID); i++) {
		if (param_is(l, "PARTSTAT", SAID[i].name)) {
			return SAID[i].status;
		}
	}
	return 0;
}

static int type_of(const struct pf_line *l)
{
	if (param_is(l, "CUTYPE", "RESOURCE") || param_is(l, "CUTYPE", "ROOM")) {
		return RESOURCE;
	}
	return param_is(l, "ROLE", "OPT-PARTICIPANT") || param_is(l, "ROLE", "NON-PARTICIPANT")
		       ? OPTIONAL
		       : REQUIRED;
}

static void tell_lost(struct make_event *e, const struct pf_line *l)
{
	static const char *const NAMES[] = {
		"DELEGATED-TO", "DELEGATED-FROM", "MEMBER", "SENT-BY", "DIR"};
	bool is_resource = type_of(l) == RESOURCE; /* has that role, and no other */
	bool stays_out = param_is(l, "ROLE", "NON-PARTICIPANT");

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		if (pf_params_find(l->params, NAMES[i]).p) {
			make_lost(&e->i.m, "ATTENDEE;%s", NAMES[i]);
		}
	}
	if (param_is(l, "ROLE", "CHAIR") || is_resource != stays_out) {
		make_lost(&e->i.m, "ATTENDEE;ROLE");
	}
	if (param_is(l, "CUTYPE", "GROUP") || param_is(l, "CUTYPE", "ROOM")) {
		make_lost(&e->i.m, "ATTENDEE;CUTYPE");
	}
}

static void put_attendee(struct make_event *e, const struct pf_line *l)
{
	struct make *m = &e->i.m;
	struct pf_span address = make_unescaped(m, address_of(l)), name = make_param(m, l, "CN");
	struct pf_mapi_props *r = m->rc == PF_OK ? pf_mapi_add_recipient(m->item) : NULL;

	if (!r) {
		return;
	}
	make_to(m, r, PF_TAG_RECIPIENT_TYPE, make_number(type_of(l)));
	make_to(m, r, PF_TAG_DISPLAY_NAME, make_text(name.n > 0 ? name : address));
	make_to(m, r, PF_TAG_ADDRESS_TYPE, make_text(pf_span_str("SMTP")));
	make_to(m, r, PF_TAG_EMAIL_ADDRESS, make_text(address));
	make_to(m, r, PF_TAG_SMTP_ADDRESS, make_text(address));
	if (answer_of(l)) {
		make_to(m, r, PF_TAG_RECIPIENT_TRACK_STATUS, make_number(answer_of(l)));
	}
	tell_lost(e, l);
}

static void put_organizer(struct make_event *e, const struct pf_line *l)
{
	struct make *m = &e->i.m;
	struct pf_span address = make_unescaped(m, address_of(l)), name = make_param(m, l, "CN");

	make_tag(m, PF_TAG_SENT_REPRESENTING_NAME, make_text(name.n > 0 ? name : address));
	make_tag(m, PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE, make_text(pf_span_str("SMTP")));
	make_tag(m, PF_TAG_SENT_REPRESENTING_EMAIL, make_text(address));
	make_tag(m, PF_TAG_SENT_REPRESENTING_SMTP, make_text(address));
	if (pf_params_find(l->params, "SENT-BY").p) {
		make_lost(m, "ORGANIZER;SENT-BY");
	}
}

/* Of a meeting that somebody else calls, or nobody is said to. */
static bool is_received(const struct make_event *e, const struct pf_line *organizer)
{
	return organizer && !is_owner(e, address_of(organizer));
}

void make_event_people(struct make_event *e)
{
	const struct pf_line *organizer = pf_ical_find(e->i.c, e->i.comp, "ORGANIZER"), *l;
	const struct pf_line *status = pf_ical_find(e->i.c, e->i.comp, "STATUS");
	size_t at = e->i.c->comp[e->i.comp].begin;
	int state = 0, mine = 0;

	while ((l = make_next_line(&e->i, &at)) != NULL) {
		if (pf_span_is(l->name, "ATTENDEE") && address_of(l).n > 0) {
			put_attendee(e, l);
			state |= MEETING;
			mine = is_owner(e, address_of(l)) ? answer_of(l) : mine;
			if (param_is(l, "RSVP", "TRUE") &&
				!pf_mapi_tag(&e->i.m.item->props, PF_TAG_RESPONSE_REQUESTED)) {
				make_tag(&e->i.m, PF_TAG_RESPONSE_REQUESTED, make_truth(true));
			}
		}
	}
	if (organizer && address_of(organizer).n > 0) {
		put_organizer(e, organizer);
		state |= MEETING;
	}
	if (state && is_received(e, organizer)) {
		state |= RECEIVED;
	}
	if (status && pf_span_is(status->value, "CANCELLED")) {
		state |= CANCELLED;
	}
	if (state) {
		make_lid(&e->i.m, &pf_set_appointment, 0x8217, make_number(state));
	}
	if (state & MEETING) {
		make_lid(&e->i.m, &pf_set_appointment, 0x8218,
			make_number(state & RECEIVED ? mine : ORGANIZED));
	}
}
