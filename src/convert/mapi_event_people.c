/*
 * Organizer and attendees ([MS-OXOCAL] 2.2.4.10, [MS-OXCICAL] 2.1.3.1.1.20.2 and .16).
 */
#include "convert/mapi_event_private.h"

#include "base/utf8.h"

enum { TYPE_MASK = 0xF, IS_ORGANIZER = 2, IS_REMOVED = 0x20, RESOURCE = 3 };

static struct pf_span text_of(const struct pf_mapi_props *in, uint16_t id)
{
	return pf_mapi_text(pf_mapi_tag(in, id));
}

static struct pf_mapi_person person_of(const struct pf_mapi_props *r)
{
	struct pf_mapi_person who = {.smtp = text_of(r, PF_TAG_SMTP_ADDRESS),
		.type = text_of(r, PF_TAG_ADDRESS_TYPE),
		.address = text_of(r, PF_TAG_EMAIL_ADDRESS),
		.name = text_of(r, PF_TAG_DISPLAY_NAME)};

	return who;
}

static struct pf_mapi_person represented(struct ev *e)
{
	return (struct pf_mapi_person){
		.smtp = pf_mapi_text(ev_tag(e, PF_MAPI_KEPT, PF_TAG_SENT_REPRESENTING_SMTP)),
		.type = pf_mapi_text(
			ev_tag(e, PF_MAPI_MAPPED, PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE)),
		.address = pf_mapi_text(ev_tag(e, PF_MAPI_KEPT, PF_TAG_SENT_REPRESENTING_EMAIL)),
		.name = pf_mapi_text(ev_tag(e, PF_MAPI_KEPT, PF_TAG_SENT_REPRESENTING_NAME))};
}

static struct pf_span address_of(struct ev *e, const struct pf_mapi_person *who)
{
	struct pf_span found = pf_span(NULL, 0);

	if (e->o.rc == PF_OK) {
		e->o.rc = pf_mapi_address(e->ways, e->l, who, &found, e->err);
	}
	return found;
}

static bool same_address(struct pf_span a, struct pf_span b)
{
	bool same = a.n == b.n && a.n > 0;

	for (size_t i = 0; i < a.n && same; i++) {
		same = pf_ascii_lower(a.p[i]) == pf_ascii_lower(b.p[i]);
	}
	return same;
}

static int64_t flags_of(const struct pf_mapi_props *r)
{
	return ev_number(pf_mapi_tag(r, PF_TAG_RECIPIENT_FLAGS), 0);
}

/* An exception without recipients of its own has those of its series. */
static const struct pf_mapi_item *host(const struct ev *e)
{
	return e->item && (e->item->recipients_n > 0 || !e->base) ? e->item : e->base;
}

static const struct pf_mapi_props *organizer_row(const struct ev *e)
{
	const struct pf_mapi_item *from = host(e);

	for (size_t i = 0; i < from->recipients_n; i++) {
		if (flags_of(&from->recipients[i]) & IS_ORGANIZER) {
			return &from->recipients[i];
		}
	}
	return NULL;
}

static struct pf_mapi_person organizer_of(struct ev *e, int64_t state)
{
	const struct pf_mapi_person owner = {.smtp = e->ways->owner, .name = e->ways->owner_name};
	struct pf_mapi_person who = represented(e);
	const struct pf_mapi_props *row = organizer_row(e);

	if ((state & STATE_MEETING) && !(state & STATE_RECEIVED) && owner.smtp.n > 0) {
		who.name = owner.name.n > 0 ? owner.name : who.name;
		who.smtp = owner.smtp;
		return who;
	}
	if (who.smtp.n == 0 && who.address.n == 0) {
		return row ? person_of(row) : owner;
	}
	return who;
}

static void put_person(
	struct ev *e, const char *name, const struct pf_mapi_person *who, struct pf_span address)
{
	pf_mapi_line_begin(&e->o, name);
	if (!same_address(who->name, address)) {
		pf_mapi_line_param(&e->o, "CN", who->name);
	}
}

/* PidTagRecipientTrackStatus and PidLidResponseStatus ([MS-OXOCAL] 2.2.1.11). */
static const char *answer(int64_t status)
{
	static const char *const SAID[] = {
		"NEEDS-ACTION", "ACCEPTED", "TENTATIVE", "ACCEPTED", "DECLINED", "NEEDS-ACTION"};

	return status >= 0 && status < (int64_t)PF_COUNT(SAID) ? SAID[status] : SAID[0];
}

static void put_attendee(
	struct ev *e, const struct pf_mapi_person *who, int64_t type, int64_t status)
{
	static const char *const ROLES[] = {
		"REQ-PARTICIPANT", "REQ-PARTICIPANT", "OPT-PARTICIPANT", "NON-PARTICIPANT"};
	struct pf_span address = address_of(e, who);
	const struct pf_mapi_value *asked = ev_tag(e, PF_MAPI_KEPT, TAG_RESPONSE_REQUESTED);

	if (address.n == 0) {
		pf_mapi_odd(e->l, "an attendee without an address: %.*s", (int)who->name.n,
			who->name.n > 0 ? (const char *)who->name.p : "");
		return;
	}
	if (same_address(address, e->ways->owner)) {
		status = ev_number(
			ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_RESPONSE), status);
	}
	put_person(e, "ATTENDEE", who, address);
	if (type == RESOURCE) {
		pf_mapi_line_param(&e->o, "CUTYPE", pf_span("RESOURCE", 8));
	}
	pf_mapi_line_param(
		&e->o, "ROLE", pf_span_str(ROLES[type > 0 && type <= RESOURCE ? (size_t)type : 0]));
	pf_mapi_line_param(&e->o, "PARTSTAT", pf_span_str(answer(status)));
	if (pf_mapi_true(asked)) {
		pf_mapi_line_param(&e->o, "RSVP", pf_span("TRUE", 4));
	}
	pf_mapi_line_value(&e->o, "mailto:", address);
	pf_mapi_line_end(&e->o);
}

/* False: the organizer's row, or of one who is no longer invited, or of the sender. */
static bool is_attendee(const struct pf_mapi_props *r)
{
	return (ev_number(pf_mapi_tag(r, PF_TAG_RECIPIENT_TYPE), 1) & TYPE_MASK) != 0 &&
	       !(flags_of(r) & (IS_ORGANIZER | IS_REMOVED));
}

static bool has_attendees(const struct ev *e)
{
	const struct pf_mapi_item *from = host(e);

	for (size_t i = 0; i < from->recipients_n; i++) {
		if (is_attendee(&from->recipients[i])) {
			return true;
		}
	}
	return false;
}

static void put_attendees(struct ev *e, bool *has_owner)
{
	const struct pf_mapi_item *from = host(e);

	for (size_t i = 0; i < from->recipients_n; i++) {
		const struct pf_mapi_props *r = &from->recipients[i];
		struct pf_mapi_person who = person_of(r);
		int64_t type = ev_number(pf_mapi_tag(r, PF_TAG_RECIPIENT_TYPE), 1) & TYPE_MASK;
		int64_t status = ev_number(pf_mapi_tag(r, PF_TAG_RECIPIENT_TRACK_STATUS), 0);

		if (!is_attendee(r)) {
			continue;
		}
		*has_owner = *has_owner || same_address(who.smtp, e->ways->owner) ||
			     same_address(who.address, e->ways->owner);
		put_attendee(e, &who, type, status);
	}
}

void ev_put_people(struct ev *e)
{
	int64_t state = ev_number(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, LID_STATE), 0);
	const struct pf_mapi_person owner = {.smtp = e->ways->owner, .name = e->ways->owner_name};
	int64_t mine = ev_number(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_RESPONSE), 0);
	struct pf_mapi_person who;
	struct pf_span address;
	bool has_owner = false;

	if (!(state & STATE_MEETING) && !has_attendees(e)) {
		return; /* an appointment of one's own */
	}
	who = organizer_of(e, state);
	address = address_of(e, &who);
	if (address.n > 0) {
		put_person(e, "ORGANIZER", &who, address);
		pf_mapi_line_value(&e->o, "mailto:", address);
		pf_mapi_line_end(&e->o);
	}
	put_attendees(e, &has_owner);
	/* One's own answer is nowhere else, where the organizer did not send the list of all. */
	if ((state & STATE_RECEIVED) && !has_owner && owner.smtp.n > 0 && mine > 1) {
		put_attendee(e, &owner, 1, mine);
	}
}
