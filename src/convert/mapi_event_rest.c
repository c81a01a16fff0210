/*
 * What else an appointment has: files, and properties that iCalendar has no place for.
 */
#include "convert/mapi_event_private.h"

#include "base/utf8.h"
#include "convert/mapi_within.h"

#include <stdio.h>

/* ---- attachments ---- */

/* Octets of files that are said again for exceptions. */
#define FILES_AGAIN_MAX ((size_t)4 << 20)

static struct pf_span text_of(const struct pf_mapi_attachment *a, uint16_t id, uint16_t or_id)
{
	struct pf_span s = pf_mapi_text(pf_mapi_tag(&a->props, id));

	return s.n > 0 ? s : pf_mapi_text(pf_mapi_tag(&a->props, or_id));
}

static void put_bytes(struct ev *e, struct pf_span name, struct pf_span type, struct pf_span bytes)
{
	pf_mapi_line_begin(&e->o, "ATTACH");
	pf_mapi_line_param(&e->o, "ENCODING", pf_span("BASE64", 6));
	pf_mapi_line_param(&e->o, "VALUE", pf_span("BINARY", 6));
	if (!pf_span_is(type, "application/octet-stream")) { /* which says nothing */
		pf_mapi_line_param(&e->o, "FMTTYPE", type);
	}
	pf_mapi_line_param(&e->o, "X-FILENAME", name);
	pf_mapi_line_base64(&e->o, bytes);
	pf_mapi_line_end(&e->o);
}

static void put_file(struct ev *e, const struct pf_mapi_attachment *a)
{
	put_bytes(e, text_of(a, PF_TAG_ATTACH_LONG_FILENAME, PF_TAG_ATTACH_FILENAME),
		pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_MIME)), a->data);
}

/* An item within, as a file. */
static void put_item(struct ev *e, const struct pf_mapi_attachment *a, size_t i)
{
	struct pf_mapi_within within;
	int rc = e->o.rc == PF_OK ? pf_mapi_within(a, i, e->ways, e->l, &within, e->err) : PF_END;

	if (rc == PF_OK) {
		put_bytes(e, within.name, pf_span_str(within.type), within.bytes);
	} else if (rc == PF_FAIL) {
		e->o.rc = rc;
	}
}

/* A path of Windows becomes a URL; one that is a URL stays. */
static void put_reference(struct ev *e, const struct pf_mapi_attachment *a)
{
	struct pf_span path = text_of(a, PF_TAG_ATTACH_LONG_PATHNAME, PF_TAG_ATTACH_PATHNAME);
	bool is_url = false;

	for (size_t i = 0; i + 2 < path.n; i++) {
		is_url = is_url || memcmp(path.p + i, "://", 3) == 0;
	}
	if (path.n == 0) {
		return;
	}
	pf_mapi_line_begin(&e->o, "ATTACH");
	pf_mapi_line_value(&e->o,
		is_url                            ? ""
		: path.n > 1 && path.p[0] == '\\' ? "file:"
						  : "file:///",
		pf_span("", 0));
	for (size_t i = 0; i < path.n; i++) {
		char hex[4];

		if (!is_url && path.p[i] == '\\') {
			pf_mapi_line_value(&e->o, "/", pf_span("", 0));
		} else if (path.p[i] <= ' ' || path.p[i] >= 0x7F) {
			(void)snprintf(hex, sizeof(hex), "%%%02X", path.p[i]);
			pf_mapi_line_value(&e->o, hex, pf_span("", 0));
		} else {
			pf_mapi_line_value(&e->o, "", pf_span(path.p + i, 1));
		}
	}
	pf_mapi_line_end(&e->o);
}

static bool is_file(const struct pf_mapi_attachment *a)
{
	return !ev_is_exception(a) &&
	       !pf_mapi_true(pf_mapi_tag(&a->props, PF_TAG_ATTACHMENT_HIDDEN));
}

static bool has_files(const struct pf_mapi_item *item)
{
	for (size_t i = 0; item && i < item->attachments_n; i++) {
		if (is_file(&item->attachments[i])) {
			return true;
		}
	}
	return false;
}

static void put_files(struct ev *e, const struct pf_mapi_item *item)
{
	for (size_t i = 0; item && i < item->attachments_n; i++) {
		const struct pf_mapi_attachment *a = &item->attachments[i];

		if (!is_file(a)) {
			continue;
		}
		if (a->kind == PF_MAPI_ATTACH_DATA) {
			put_file(e, a);
		} else if (a->kind == PF_MAPI_ATTACH_REFERENCE) {
			put_reference(e, a);
		} else if (a->kind == PF_MAPI_ATTACH_ITEM && a->item) {
			put_item(e, a, i);
		} else if (a->kind != PF_MAPI_ATTACH_NONE && item != e->base) { /* said there */
			pf_mapi_odd(e->l, "an attached object of a program was left out");
		}
	}
}

/* Once more for an exception, as an override of iCalendar has nothing from its series; but not so
 * often that the item grows out of all bounds. */
static void repeat_files(struct ev *e)
{
	size_t was = e->o.out->n;

	if (e->files_once == 0) {
		return; /* the series has none */
	}
	if (e->files_again + e->files_once > FILES_AGAIN_MAX) {
		if (!e->files_left) {
			pf_mapi_odd(e->l,
				"the files of the series are too large to be with each of its "
				"exceptions as well");
		}
		e->files_left = true;
		return;
	}
	put_files(e, e->base);
	e->files_again += e->o.out->n - was;
}

void ev_put_attachments(struct ev *e)
{
	size_t was = e->o.out->n;
	bool differs = e->x && (e->x->flags & PF_RECUR_HAS_ATTACHMENT);

	if (!e->x) {
		put_files(e, e->item);
		e->files_once = e->o.out->n - was;
	} else if (has_files(e->item)) {
		put_files(e, e->item);
	} else if (!differs) {
		repeat_files(e);
	} else if (e->x->attachment != 0) {
		pf_mapi_odd(e->l, "an exception has files that are not with it");
	}
}

/* ---- the rest ---- */

/* Numbers whose values follow from the rest, or are of a client's display ([MS-OXOCAL] 2.2.1). */
static const struct {
	const struct pf_guid *set;
	uint32_t from, to;
} FOLLOWS[] = {
	{&pf_set_appointment, 0x8200, 0x8200}, /* how it is sent */
	{&pf_set_appointment, 0x8202, 0x8204}, /* of an icon, and times of a copy */
	/* times, where an exception has those of its series' recurrence */
	{&pf_set_appointment, LID_START, LID_END},
	{&pf_set_appointment, LID_DURATION, LID_DURATION},
	{&pf_set_appointment, LID_REPLACE_TIME, LID_REPLACE_TIME},
	{&pf_set_common, LID_COMMON_START, LID_COMMON_END},
	{&pf_set_appointment, 0x820F, 0x8212}, /* dates of clients before 2003 */
	{&pf_set_appointment, 0x8223, 0x8223}, /* whether it recurs */
	{&pf_set_appointment, 0x8229, 0x822A},
	{&pf_set_appointment, 0x8231, 0x8232}, /* the recurrence, and that in words */
	{&pf_set_appointment, 0x8235, 0x8236}, /* of the recurrence */
	{&pf_set_appointment, 0x8238, 0x8238}, /* names of the attendees */
	{&pf_set_appointment, 0x823A, 0x823C},
	{&pf_set_appointment, 0x8246, 0x8246},               /* where the organizer's is */
	{&pf_set_appointment, LID_ZONE_TEXT, LID_ZONE_TEXT}, /* of the zones that were taken */
	{&pf_set_appointment, LID_ZONE_STRUCT, LID_ZONE_STRUCT},
	{&pf_set_appointment, LID_ZONE_START, LID_ZONE_RECUR},
	{&pf_set_common, 0x8502, 0x8502}, /* when the reminder is due */
	{&pf_set_common, 0x8510, 0x8510}, /* of the inspector's window */
	{&pf_set_common, 0x8514, 0x8514},
	{&pf_set_common, 0x8552, 0x8554}, /* versions of the client */
	{&pf_set_common, 0x8560, 0x8560}, /* when the reminder was due */
	{&pf_set_common, 0x8580, 0x8582}, /* the account that took it in */
	{&pf_set_common, 0x8578, 0x8579},
	{&pf_set_meeting, 0x0001, 0x0003}, /* stamps and ids that others go before */
	{&pf_set_meeting, 0x0023, 0x0023},
	{&pf_set_meeting, 0x0005, 0x0006}, /* whether it recurs, whether it is an exception */
	{&pf_set_meeting, 0x000D, 0x0017}, /* the times once more, for readers of old */
	{&pf_set_meeting, 0x001C, 0x001C},
	{&pf_set_meeting, 0x0024, 0x0026},
};

/* The same of those with an id; those of the sender say who wrote the item, where it is no meeting.
 */
static const uint16_t TAGS[] = {PF_TAG_MESSAGE_CLASS, 0x0002, 0x0026, TAG_START_DATE, TAG_END_DATE,
	TAG_RESPONSE_REQUESTED, PF_TAG_CLIENT_SUBMIT_TIME, PF_TAG_SUBJECT_PREFIX,
	PF_TAG_SENT_REPRESENTING_NAME, PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE,
	PF_TAG_SENT_REPRESENTING_EMAIL, 0x0C17, PF_TAG_SENDER_NAME, PF_TAG_SENDER_ADDRESS_TYPE,
	PF_TAG_SENDER_EMAIL, PF_TAG_MESSAGE_DELIVERY_TIME, 0x0E14, PF_TAG_NORMALIZED_SUBJECT,
	0x0E1F, PF_TAG_LAST_VERB_EXECUTED, 0x1082, 0x3414};

static bool follows(const struct pf_mapi_prop *p)
{
	for (size_t i = 0; i < PF_COUNT(TAGS) && !p->name; i++) {
		if (p->id == TAGS[i]) {
			return true;
		}
	}
	if (!p->name) {
		return false;
	}
	for (size_t i = 0; i < PF_COUNT(FOLLOWS) && !p->name->text.p; i++) {
		if (p->name->number >= FOLLOWS[i].from && p->name->number <= FOLLOWS[i].to &&
			pf_guid_eq(&p->name->set, FOLLOWS[i].set)) {
			return true;
		}
	}
	return false;
}

/* False: a value that has no such line. */
static bool put_raw(struct ev *e, const struct pf_mapi_prop *p)
{
	char name[128], type[8];
	const struct pf_mapi_value *v = &p->value;
	bool bytes = v->type == PF_MAPI_BINARY || v->type == PF_MAPI_GUID ||
		     v->type == PF_MAPI_OBJECT || v->type == PF_MAPI_STRING ||
		     v->type == PF_MAPI_STRING8;
	bool number = v->type == PF_MAPI_I16 || v->type == PF_MAPI_I32 || v->type == PF_MAPI_I64 ||
		      v->type == PF_MAPI_BOOL || v->type == PF_MAPI_CURRENCY;
	char text[32];

	if (!bytes && !number && v->type != PF_MAPI_TIME) {
		return false;
	}
	(void)snprintf(type, sizeof(type), "%04X", (unsigned)v->type);
	pf_mapi_line_begin(&e->o, "X-POSTFERRY-MAPI");
	pf_mapi_line_param(&e->o, "X-NAME", pf_span_str(pf_mapi_prop_name(p, name, sizeof(name))));
	pf_mapi_line_param(&e->o, "X-TYPE", pf_span_str(type));
	if (bytes) {
		pf_mapi_line_base64(&e->o, v->bytes);
	} else {
		(void)snprintf(text, sizeof(text), "%lld",
			(long long)(number ? v->number : (int64_t)v->filetime));
		pf_mapi_line_value(&e->o, text, pf_span(NULL, 0));
	}
	pf_mapi_line_end(&e->o);
	return true;
}

void ev_put_rest(struct ev *e)
{
	size_t first;

	if (!e->item || e->o.rc != PF_OK) {
		return;
	}
	for (size_t i = 0; i < e->item->props.n; i++) {
		const struct pf_mapi_prop *p = &e->item->props.v[i];

		if (follows(p)) {
			(void)pf_mapi_use(e->l, PF_MAPI_IDLE, &p->value);
		}
	}
	first = e->l->n;
	e->o.rc = pf_mapi_losses_end(e->l, &e->item->props, e->err);
	for (size_t i = first; i < e->l->n && e->ways->keep_raw; i++) {
		if (e->l->v[i].fate == PF_MAPI_LOST && put_raw(e, e->l->v[i].prop)) {
			e->l->v[i].fate = PF_MAPI_MAPPED;
		}
	}
}
