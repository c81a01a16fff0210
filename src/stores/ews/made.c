/*
 * Open items as Exchange keeps them: the MAPI item of a text, without what no request can say, in
 * the words of the schema; and whether what is read back is what was written.
 *
 * An item whose text says more than the item can is stored with that text beside it. When it is
 * read, the text is made an item once more: where that means what the server shows, the server has
 * kept what it was given and nobody changed it since, and the text is given out, with nothing lost.
 * Else the item itself counts.
 */
#include "stores/ews/ews_private.h"

#include "base/civil.h"
#include "convert/ical_codec.h"
#include "convert/mapi_entry.h"
#include "convert/mapi_open.h"
#include "convert/mapi_recur.h"
#include "convert/mapi_zone.h"
#include "convert/vcard_codec.h"
#include "model/mapi_tags.h"
#include "proto/ews/item.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	FORM_MAX = 512 << 20,
	DAY = 1440,
	DAY_S = 86400,
	DONE = 2, /* PidLidTaskStatus */
	WALKED = 200000,
};

/* ---- what no request can say ---- */

static struct pf_mapi_value *find(struct pf_mapi_item *item, const struct pf_guid *set, uint32_t id)
{
	for (size_t i = 0; i < item->props.n; i++) {
		struct pf_mapi_prop *p = &item->props.v[i];

		if (set ? p->name && p->name->number == id && pf_guid_eq(&p->name->set, set)
			: !p->name && p->id == id) {
			return &p->value;
		}
	}
	return NULL;
}

static void drop(struct pf_mapi_props *props, uint16_t id)
{
	size_t kept = 0;

	for (size_t i = 0; i < props->n; i++) {
		if (props->v[i].name || props->v[i].id != id) {
			props->v[kept++] = props->v[i];
		}
	}
	props->n = kept;
}

static int add(struct pf_mapi_item *item, uint32_t lid, struct pf_mapi_value v, struct pf_err *err)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, &item->props);
	struct pf_mapi_name *name = pf_arena_alloc(item->arena, sizeof(*name));

	if (!p || !name) {
		return pf_fail_memory(err, "an item of Exchange");
	}
	*name = (struct pf_mapi_name){.set = pf_set_task, .number = lid};
	p->name = name;
	p->value = v;
	return PF_OK;
}

/* A task that is done is done wholly, and on a day: the server sees to both. */
static int settle_task(struct pf_mapi_item *item, struct pf_err *err)
{
	struct pf_mapi_value *status = find(item, &pf_set_task, 0x8101);
	struct pf_mapi_value *part = find(item, &pf_set_task, 0x8102);
	struct pf_mapi_value *day = find(item, &pf_set_task, 0x810F);
	struct pf_mapi_value whole = {.type = PF_MAPI_DOUBLE, .real = 1}, *changed;
	int64_t utc_s;

	if (part && part->real >= 1 && status) {
		status->number = DONE;
	}
	if (!status || status->number != DONE) {
		return PF_OK;
	}
	if (part) {
		*part = whole;
	} else if (add(item, 0x8102, whole, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!day) {
		changed = find(item, NULL, PF_TAG_LAST_MODIFICATION_TIME);
		changed = changed ? changed : find(item, &pf_set_task, 0x8105);
		whole = (struct pf_mapi_value){
			.type = PF_MAPI_TIME, .filetime = UINT64_C(125911584000000000)};
		if (add(item, 0x810F, changed ? *changed : whole, err) != PF_OK) {
			return PF_FAIL;
		}
		day = find(item, &pf_set_task, 0x810F);
	}
	if (day && pf_mapi_unix(day, &utc_s)) {
		day->filetime -= day->filetime % ((uint64_t)DAY_S * 10000000);
	}
	return PF_OK;
}

static void settle_people(struct pf_mapi_item *item)
{
	static const uint16_t ORGANIZER[] = {PF_TAG_SENT_REPRESENTING_NAME,
		PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE, PF_TAG_SENT_REPRESENTING_EMAIL,
		PF_TAG_SENT_REPRESENTING_SMTP};

	for (size_t i = 0; i < item->recipients_n; i++) {
		drop(&item->recipients[i], PF_TAG_RECIPIENT_TRACK_STATUS); /* the server's to say */
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		struct pf_mapi_item *x = item->attachments[i].item;

		for (size_t k = 0; x && k < PF_COUNT(ORGANIZER); k++) {
			drop(&x->props, ORGANIZER[k]); /* an exception has that of its series */
		}
		if (x) {
			settle_people(x);
		}
	}
}

/* The item as it will be there. */
static int settle(struct pf_mapi_item *item, struct pf_err *err)
{
	settle_people(item);
	if (pf_mapi_is_a(pf_mapi_class(item), "IPM.Task") && settle_task(item, err) != PF_OK) {
		return PF_FAIL;
	}
	drop(&item->props, PF_TAG_CREATION_TIME);
	drop(&item->props, PF_TAG_LAST_MODIFICATION_TIME);
	return PF_OK;
}

/* ---- what an item means ---- */

static const struct pf_codec *codec_of(enum pf_kind kind)
{
	return kind == PF_KIND_CONTACTS ? &pf_vcard_codec : &pf_ical_codec;
}

/* false: it can't be read, or there is no memory. */
static bool meaning(enum pf_kind kind, struct pf_span text, struct pf_digest *out)
{
	const struct pf_codec *codec = codec_of(kind);
	struct pf_piece *pieces = NULL;
	struct pf_doc *doc = NULL;
	struct pf_err ignored;
	size_t n = 0;
	bool read = codec->read(text, &doc, &ignored) == PF_OK;

	if (read) {
		pieces = calloc(codec->parts(doc) + 1, sizeof(*pieces));
	}
	for (int overrides = 0; pieces && overrides < 2; overrides++) {
		for (size_t i = 0; i < codec->parts(doc); i++) {
			if (codec->part(doc, i)->is_override == (overrides == 1)) {
				pieces[n++] = (struct pf_piece){doc, i};
			}
		}
	}
	read = pieces && codec->fingerprint(pieces, n, out, &ignored) == PF_OK;
	free(pieces);
	codec->free(&doc);
	return read;
}

/* What an item that is made of the text means when it is opened. */
static bool meaning_there(enum pf_kind kind, struct pf_span text, const struct pf_mapi_ways *ways,
	struct pf_digest *out)
{
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;
	struct pf_mapi_made made;
	struct pf_arena arena;
	struct pf_err ignored;
	struct pf_buf form;
	bool same;

	pf_arena_init(&arena);
	pf_buf_init(&form, FORM_MAX);
	pf_mapi_losses_init(&losses, &arena);
	same = pf_mapi_make(kind, text, ways, &arena, &made, &ignored) == PF_OK &&
	       settle(made.item, &ignored) == PF_OK &&
	       pf_mapi_open(made.item, ways, &losses, &opened, &form, &ignored) == PF_OK &&
	       meaning(kind, pf_buf_span(&form), out);
	pf_buf_deinit(&form);
	pf_arena_deinit(&arena);
	return same;
}

bool ews_as_written(enum pf_kind kind, struct pf_span text, const struct pf_mapi_ways *ways,
	struct pf_span shown)
{
	struct pf_digest there, is;

	return text.n > 0 && meaning(kind, shown, &is) && meaning_there(kind, text, ways, &there) &&
	       pf_digest_eq(&there, &is);
}

/* ---- in the words of the schema ---- */

static void zone_of(const struct pf_zone *from, struct pf_ews_zone *to)
{
	const struct pf_zone_rule *r = pf_zone_effective(from);
	const struct pf_zone_change *s = &r->standard, *d = &r->daylight;

	*to = (struct pf_ews_zone){
		.name = from->name,
		.bias = r->bias,
		.standard = r->standard_bias,
		.daylight = r->daylight_bias,
		.to_standard = {s->month, s->weekday, s->day, s->hour, s->minute},
		.to_daylight = {d->month, d->weekday, d->day, d->hour, d->minute},
	};
}

/* One of the item's zones; false: it has none there, and its times are UTC. */
static bool read_zone(struct emade *m, uint32_t lid, struct pf_ews_zone *out)
{
	const struct pf_mapi_value *v = pf_mapi_lid(&m->made.item->props, &pf_set_appointment, lid);
	struct pf_zone zone;
	struct pf_err ignored; /* we wrote it */

	*out = (struct pf_ews_zone){.name = pf_span_str("UTC")};
	if (!v || pf_zone_read_definition(&m->arena, v->bytes, &zone, &ignored) != PF_OK) {
		return false;
	}
	zone_of(&zone, out);
	return true;
}

static void date_of(uint32_t minutes, char out[16])
{
	struct pf_civil c;

	pf_civil_from_unix(pf_recur_to_unix(minutes), &c);
	(void)snprintf(out, 16, "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
}

static unsigned int month_of(uint32_t minutes)
{
	struct pf_civil c;

	pf_civil_from_unix(pf_recur_to_unix(minutes), &c);
	return (unsigned int)c.month;
}

static int series_of(const struct pf_recur *r, struct pf_ews_series *s, struct pf_err *err)
{
	bool yearly = r->frequency == PF_RECUR_YEARLY, nth = r->pattern == PF_RECUR_MONTH_NTH;

	*s = (struct pf_ews_series){.interval = r->period,
		.weekdays = r->days,
		.first_weekday = r->first_weekday,
		.day = r->pattern == PF_RECUR_MONTH_END ? 31 : r->days,
		.nth = r->nth,
		.month = month_of(r->start)};
	if (r->pattern == PF_RECUR_DAY) {
		s->pattern = PF_EWS_DAILY;
		s->interval = r->period / DAY;
	} else if (r->pattern == PF_RECUR_WEEK) {
		s->pattern = PF_EWS_WEEKLY;
	} else {
		s->pattern = yearly ? (nth ? PF_EWS_YEARLY_NTH : PF_EWS_YEARLY)
				    : (nth ? PF_EWS_MONTHLY_NTH : PF_EWS_MONTHLY);
	}
	if (yearly && r->period != 12) { /* months say it as well, where they may be so many */
		s->pattern = nth ? PF_EWS_MONTHLY_NTH : PF_EWS_MONTHLY;
	}
	if (nth && (s->weekdays & (s->weekdays - 1)) && s->weekdays != 0x7F &&
		s->weekdays != 0x3E && s->weekdays != 0x41) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"Exchange Web Services have no words for these weekdays of a month");
	}
	if (s->interval > 999 || (s->pattern >= PF_EWS_MONTHLY && s->interval > 99)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"Exchange Web Services have no words for an interval of %u", s->interval);
	}
	date_of(pf_recur_first(r), s->start);
	if (r->end_type == PF_RECUR_COUNT) {
		s->count = r->count;
	} else if (r->end_type == PF_RECUR_UNTIL) {
		date_of(r->end, s->end);
	}
	return PF_OK;
}

/* The number of a day's occurrence, from 1; 0: there is none. */
static size_t number_of(const struct pf_recur *r, uint32_t day)
{
	uint32_t at = pf_recur_first(r);
	size_t n = 1;

	for (; at && at < day && n < WALKED; n++) {
		at = pf_recur_next(r, at);
	}
	return at == day ? n : 0;
}

/* What is to be done to the occurrences when the series is there. */
static int plan_occurrences(struct emade *m, const struct pf_recur *r, struct pf_err *err)
{
	const struct pf_mapi_item *item = m->made.item;
	size_t x = 0;

	m->change = pf_arena_alloc(&m->arena, (r->exception_n + 1) * sizeof(*m->change));
	m->gone = pf_arena_alloc(&m->arena, (r->deleted_n + 1) * sizeof(*m->gone));
	if (!m->change || !m->gone) {
		return pf_fail_memory(err, "the exceptions of a series");
	}
	for (size_t i = 0; i < item->attachments_n && x < r->exception_n; i++) {
		if (item->attachments[i].item) {
			m->change[m->change_n++] = (struct emoved){
				.item = item->attachments[i].item,
				.number = number_of(r, r->exception[x++].original / DAY * DAY)};
		}
	}
	for (size_t i = 0; i < r->deleted_n; i++) {
		if (!pf_recur_moved(r, r->deleted[i])) {
			m->gone[m->gone_n++] = number_of(r, r->deleted[i]);
		}
	}
	return PF_OK;
}

static int read_series(struct emade *m, struct pf_err *err)
{
	bool task = pf_mapi_is_a(pf_mapi_class(m->made.item), "IPM.Task");
	const struct pf_mapi_value *v = pf_mapi_lid(&m->made.item->props,
		task ? &pf_set_task : &pf_set_appointment, task ? 0x8116 : 0x8216);
	struct pf_recur r;

	if (!v) {
		return PF_OK;
	}
	if (pf_recur_read(&m->arena, v->bytes, 0, &r, err) != PF_OK ||
		series_of(&r, &m->series, err) != PF_OK) {
		return PF_FAIL;
	}
	m->make.series = &m->series;
	return task ? PF_OK : plan_occurrences(m, &r, err);
}

static int read_members(struct emade *m, struct pf_err *err)
{
	const struct pf_mapi_value *v = pf_mapi_lid(&m->made.item->props, &pf_set_address, 0x8054);
	struct pf_ews_member *members;

	if (!v) {
		return PF_OK;
	}
	members = pf_arena_alloc(&m->arena, v->many.n * sizeof(*members));
	if (!members) {
		return pf_fail_memory(err, "the members of a group");
	}
	for (size_t i = 0; i < v->many.n; i++) {
		struct pf_mapi_entry entry;

		if (pf_mapi_entry(v->many.v[i].bytes, &m->arena, &entry, err) != PF_OK) {
			return PF_FAIL;
		}
		members[m->make.member_n++] =
			(struct pf_ews_member){entry.who.name, entry.who.address};
	}
	m->make.members = members;
	return PF_OK;
}

static void read_zones(struct emade *m)
{
	if (!read_zone(m, 0x8260, &m->start)) {
		(void)read_zone(m, 0x825E, &m->start);
	}
	m->make.start = &m->start;
	if (read_zone(m, 0x825F, &m->end)) {
		m->make.end = &m->end;
	}
}

static size_t count_files(const struct pf_mapi_item *item)
{
	size_t n = 0;

	for (size_t i = 0; i < item->attachments_n; i++) {
		n += item->attachments[i].kind == PF_MAPI_ATTACH_DATA;
	}
	return n;
}

/* The UID of an event, as the text has it: the server makes its own ids of it. */
static int read_uid(struct emade *m, struct pf_span text, struct pf_err *err)
{
	struct pf_doc *doc = NULL;
	int rc = pf_ical_codec.read(text, &doc, err);

	if (rc == PF_OK) {
		m->make.uid = pf_arena_span(&m->arena, pf_ical_codec.part(doc, 0)->uid);
	}
	pf_ical_codec.free(&doc);
	return rc;
}

/* ---- all of it ---- */

void ews_made_free(struct emade **made)
{
	if (*made) {
		pf_arena_deinit(&(*made)->arena);
		free(*made);
		*made = NULL;
	}
}

/* The server says that its owner called it, and which address that is. */
static bool is_own_meeting(struct pf_mapi_item *item)
{
	const struct pf_mapi_value *state = find(item, &pf_set_appointment, 0x8217);

	return state && (state->number & 3) == 1;
}

static int make(struct emade *m, enum pf_kind kind, struct pf_span text,
	const struct pf_mapi_ways *ways, struct pf_err *err)
{
	struct pf_digest said, there;

	if (pf_mapi_make(kind, text, ways, &m->arena, &m->made, err) != PF_OK ||
		settle(m->made.item, err) != PF_OK || read_series(m, err) != PF_OK) {
		return PF_FAIL;
	}
	m->make.item = m->made.item;
	m->files = count_files(m->made.item);
	if (kind == PF_KIND_CALENDAR) {
		read_zones(m);
		if (read_uid(m, text, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (kind == PF_KIND_CONTACTS && read_members(m, err) != PF_OK) {
		return PF_FAIL;
	}
	if (text.n <= EWS_KEPT_TEXT && meaning(kind, text, &said) &&
		(is_own_meeting(m->made.item) || !meaning_there(kind, text, ways, &there) ||
			!pf_digest_eq(&said, &there))) {
		m->make.text = text;
	}
	return PF_OK;
}

int ews_make(enum pf_kind kind, struct pf_span text, const struct pf_mapi_ways *ways,
	struct emade **out, struct pf_err *err)
{
	struct emade *m = calloc(1, sizeof(*m));

	if (!m) {
		return pf_fail_memory(err, "an item of Exchange");
	}
	pf_arena_init(&m->arena);
	if (make(m, kind, text, ways, err) != PF_OK) {
		ews_made_free(&m);
		return PF_FAIL;
	}
	*out = m;
	return PF_OK;
}

int ews_says(enum pf_kind kind, struct pf_span text, struct pf_err *why)
{
	const struct pf_mapi_ways ways = {.key = pf_span("", 0)};
	struct emade *made = NULL;
	int rc = ews_make(kind, text, &ways, &made, why);

	ews_made_free(&made);
	return rc;
}
