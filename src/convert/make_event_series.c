/*
 * A series: its rule, the days that are taken out, and an attached item for each exception
 * ([MS-OXOCAL] 2.2.1.44, 2.2.10). What Exchange has no words for is no series there, and is not
 * made one.
 */
#include "convert/make_private.h"

#include "base/utf8.h"

#include <stdlib.h>

enum {
	DAY = 1440,
	DAY_S = 86400,
	WALKED = 200000, /* days of a rule that are looked at */
	BLOB_MAX = 16 << 20,
	ATTACHED_ITEM = 5,
	HIDDEN_EXCEPTION = 2,
};

static const char EXCEPTION_CLASS[] = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}";

static int unsaid(struct make_event *e, const char *what)
{
	make_failed(&e->i.m, what);
	return PF_FAIL;
}

static int no_memory(struct make_event *e)
{
	make_no_memory(&e->i.m);
	return PF_FAIL;
}

/* ---- the rule ---- */

static const struct pf_line *only(struct make_event *e, const char *name, size_t *n)
{
	const struct pf_line *found = NULL, *l;
	size_t at = e->i.c->comp[e->i.comp].begin;

	*n = 0;
	while ((l = make_next_line(&e->i, &at)) != NULL) {
		if (pf_span_is(l->name, name)) {
			found = found ? found : l;
			*n += 1;
		}
	}
	return found;
}

/* UNTIL on the wall of the series; 0: there is none. A date is all of that day. */
static uint32_t until_of(struct make_event *e, const struct pf_line *rule)
{
	const struct pf_line plain = {.params = pf_span("", 0)};
	struct pf_span rest = rule->value, part;
	struct pf_ical_time t;

	while (pf_value_next(&rest, ';', &part)) {
		if (!pf_span_starts(part, "UNTIL=") ||
			!pf_ical_time_of(e->i.c, &plain, pf_span_from(part, 6), &t)) {
			continue;
		}
		if (t.form == PF_ICAL_DATE) {
			return pf_recur_from_unix(t.local_s + DAY_S - 60);
		}
		/* one that is neither a date nor UTC is on the wall of the series */
		return pf_recur_from_unix(
			t.form == PF_ICAL_UTC ? make_event_local(e, &t) : t.local_s);
	}
	return 0;
}

static int read_rule(struct make_event *e, struct pf_recur *r)
{
	size_t rules, others, more;
	const struct pf_line *rule = only(e, "RRULE", &rules);
	struct pf_recur_begin begin;

	(void)only(e, "RDATE", &others);
	(void)only(e, "EXRULE", &more);
	if (rules != 1 || others > 0 || more > 0) {
		return unsaid(e, others > 0 ? "Exchange has no words for RDATE in a series"
				 : more > 0
					 ? "Exchange has no words for EXRULE"
					 : "Exchange has no words for several rules in a series");
	}
	begin.start = pf_recur_from_unix(e->all_day ? e->start_utc_s : e->begin.local_s);
	begin.end = begin.start + (uint32_t)((e->end_utc_s - e->start_utc_s) / 60);
	begin.until = until_of(e, rule);
	e->i.m.rc = pf_recur_from_rule(rule->value, &begin, r, e->i.m.err);
	return e->i.m.rc;
}

/* ---- days ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Only those that are of the rule, each once. Both lists are in order. */
static size_t keep_days(const struct pf_recur *r, uint32_t *days, size_t n)
{
	uint32_t day = pf_recur_first(r), count = 1;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; day && day < days[i] && k < WALKED; k++) {
			bool over = r->end_type == PF_RECUR_COUNT && count >= r->count;

			day = over ? 0 : pf_recur_next(r, day);
			count++;
		}
		if (day == days[i] && (kept == 0 || days[kept - 1] != days[i])) {
			days[kept++] = days[i];
		}
	}
	return kept;
}

static size_t count_values(struct make_event *e, const char *name)
{
	size_t at = e->i.c->comp[e->i.comp].begin, n = 0;
	const struct pf_line *l;
	struct pf_span one;

	while ((l = make_next_line(&e->i, &at)) != NULL) {
		struct pf_span rest = l->value;

		while (pf_span_is(l->name, name) && pf_value_next(&rest, ',', &one)) {
			n++;
		}
	}
	return n;
}

/* Whether a moment is one of an occurrence, on the wall: its midnight, else UINT32_MAX. */
static uint32_t day_of(struct make_event *e, const struct pf_recur *r, const struct pf_ical_time *t)
{
	int64_t local = make_event_local(e, t);
	uint32_t minutes = pf_recur_from_unix(local);

	if (e->all_day && t->form != PF_ICAL_DATE) {
		minutes = pf_recur_from_unix(t->local_s); /* midnight somewhere */
	}
	return minutes % DAY == r->start_offset % DAY && local % 60 == 0 ? minutes / DAY * DAY
									 : UINT32_MAX;
}

static int take_deleted(struct make_event *e, struct pf_recur *r)
{
	size_t at = e->i.c->comp[e->i.comp].begin;
	const struct pf_line *l;
	struct pf_span one;
	struct pf_ical_time t;

	r->deleted = pf_arena_alloc(e->i.m.arena,
		(count_values(e, "EXDATE") + e->override_n + 1) * sizeof(*r->deleted));
	if (!r->deleted) {
		return no_memory(e);
	}
	while ((l = make_next_line(&e->i, &at)) != NULL) {
		struct pf_span rest = l->value;

		while (pf_span_is(l->name, "EXDATE") && pf_value_next(&rest, ',', &one)) {
			if (pf_ical_time_of(e->i.c, l, one, &t) && day_of(e, r, &t) != UINT32_MAX) {
				r->deleted[r->deleted_n++] = day_of(e, r, &t);
			}
		}
	}
	qsort(r->deleted, r->deleted_n, sizeof(*r->deleted), by_number);
	r->deleted_n = keep_days(r, r->deleted, r->deleted_n);
	return PF_OK;
}

/* ---- exceptions ---- */

static bool has_deleted(const struct pf_recur *r, uint32_t day)
{
	for (size_t i = 0; i < r->deleted_n; i++) {
		if (r->deleted[i] == day) {
			return true;
		}
	}
	return false;
}

/* In the code page of a writer that has only ASCII; the other form has all of it. */
static struct pf_span ascii_of(struct make_event *e, struct pf_span utf8)
{
	uint8_t *out = pf_arena_alloc(e->i.m.arena, utf8.n + 1);
	size_t n = 0;

	while (out && utf8.n > 0) {
		uint32_t c = pf_utf8_next(&utf8);

		out[n++] = c < 0x80 ? (uint8_t)c : '?';
	}
	return pf_span(out, n);
}

/* What differs from the series is said in the blob as well. */
static void tell_override(struct make_event *e, const struct pf_mapi_item *base,
	const struct pf_mapi_item *item, struct pf_recur_exception *x)
{
	const struct pf_mapi_value *subject = pf_mapi_tag(&item->props, PF_TAG_SUBJECT);
	const struct pf_mapi_value *place = pf_mapi_lid(&item->props, &pf_set_appointment, 0x8208);
	int64_t mine = 0, series = 0;
	bool set = pf_mapi_true(pf_mapi_lid(&item->props, &pf_set_common, 0x8503));

	if (subject) {
		x->flags |= PF_RECUR_HAS_SUBJECT;
		x->subject = pf_mapi_text(subject);
		x->subject_ansi = ascii_of(e, x->subject);
	}
	if (place) {
		x->flags |= PF_RECUR_HAS_LOCATION;
		x->location = pf_mapi_text(place);
		x->location_ansi = ascii_of(e, x->location);
	}
	if (set != pf_mapi_true(pf_mapi_lid(&base->props, &pf_set_common, 0x8503))) {
		x->flags |= PF_RECUR_HAS_REMINDER;
		x->reminder = set;
	}
	if (pf_mapi_number(pf_mapi_lid(&item->props, &pf_set_common, 0x8501), &mine)) {
		x->flags |= PF_RECUR_HAS_REMINDER_DELTA;
		x->reminder_delta = (uint32_t)mine;
	}
	(void)pf_mapi_number(pf_mapi_lid(&item->props, &pf_set_appointment, 0x8205), &mine);
	(void)pf_mapi_number(pf_mapi_lid(&base->props, &pf_set_appointment, 0x8205), &series);
	if (mine != series) {
		x->flags |= PF_RECUR_HAS_BUSY;
		x->busy = (uint32_t)mine;
	}
}

static const struct pf_mapi_attachment *next_file(const struct pf_mapi_item *item, size_t *at)
{
	while (*at < item->attachments_n && item->attachments[*at].item) {
		++*at; /* an exception's item: there are no others in what is made */
	}
	return *at < item->attachments_n ? &item->attachments[(*at)++] : NULL;
}

static bool is_text_equal(
	const struct pf_mapi_attachment *a, const struct pf_mapi_attachment *b, uint16_t tag)
{
	return pf_span_eq(pf_mapi_text(pf_mapi_tag(&a->props, tag)),
		pf_mapi_text(pf_mapi_tag(&b->props, tag)));
}

static bool has_same_files(const struct pf_mapi_item *a, const struct pf_mapi_item *b)
{
	const struct pf_mapi_attachment *x, *y;
	size_t i = 0, k = 0;

	do {
		x = next_file(a, &i);
		y = next_file(b, &k);
	} while (x && y && pf_span_eq(x->data, y->data) &&
		 is_text_equal(x, y, PF_TAG_ATTACH_LONG_FILENAME) &&
		 is_text_equal(x, y, PF_TAG_ATTACH_MIME));
	return !x && !y;
}

/* An exception without files of its own has those of its series, unless the blob says that it has
 * others, or none. */
static void tell_files(
	const struct pf_mapi_item *base, struct pf_mapi_item *item, struct pf_recur_exception *x)
{
	if (has_same_files(base, item)) {
		item->attachments_n = 0;
		return;
	}
	x->flags |= PF_RECUR_HAS_ATTACHMENT;
	x->attachment = item->attachments_n > 0;
}

static void put_marks(
	struct make_event *e, struct pf_mapi_attachment *a, const struct pf_recur_exception *x)
{
	struct make *m = &e->i.m;

	make_to(m, &a->props, PF_TAG_ATTACH_METHOD, make_number(ATTACHED_ITEM));
	make_to(m, &a->props, PF_TAG_ATTACHMENT_FLAGS, make_number(HIDDEN_EXCEPTION));
	make_to(m, &a->props, PF_TAG_ATTACHMENT_HIDDEN, make_truth(true));
	make_to(m, &a->props, PF_TAG_EXCEPTION_START, make_time(pf_recur_to_unix(x->start)));
	make_to(m, &a->props, PF_TAG_EXCEPTION_END, make_time(pf_recur_to_unix(x->end)));
}

/* The item of an exception; `original_utc_s` is when it was to be. */
static struct pf_mapi_item *make_exception(struct make_event *e, int64_t original_utc_s)
{
	struct make *m = &e->i.m;

	m->item = pf_mapi_new(m->arena);
	if (!m->item) {
		make_no_memory(m);
		return NULL;
	}
	make_tag(m, PF_TAG_MESSAGE_CLASS, make_text(pf_span_str(EXCEPTION_CLASS)));
	make_event_words(e);
	make_lid(m, &pf_set_appointment, 0x8228, make_time(original_utc_s));
	make_lid(m, &pf_set_appointment, 0x820D, make_time(make_event_utc(e, e->start_utc_s)));
	make_lid(m, &pf_set_appointment, 0x820E, make_time(make_event_utc(e, e->end_utc_s)));
	make_lid(m, &pf_set_appointment, 0x8215, make_truth(e->all_day));
	make_event_alarm(e);
	return m->item;
}

/* Where it is now, on the wall of the series; a whole day is that of the calendar. */
static uint32_t wall(const struct make_event *e, const struct pf_ical_time *series, int64_t utc_s)
{
	return pf_recur_from_unix(utc_s + (e->all_day ? 0 : pf_ical_offset_at(series, utc_s)));
}

static int take_override(
	struct make_event *e, int comp, struct pf_recur *r, struct pf_recur_exception *x)
{
	struct make_event o = *e;
	const struct pf_line *l = pf_ical_find(e->i.c, comp, "RECURRENCE-ID");
	struct pf_mapi_item *base = e->i.m.item, *item;
	struct pf_mapi_attachment *a;
	struct pf_ical_time rid;
	uint32_t day;

	if (!l || !pf_ical_line_time(e->i.c, l, &rid) || (day = day_of(e, r, &rid)) == UINT32_MAX ||
		keep_days(r, &(uint32_t){day}, 1) == 0) {
		return unsaid(e, "an instance that the series does not have");
	}
	if (pf_params_find(l->params, "RANGE").p) {
		return unsaid(e, "Exchange has no words for RANGE=THISANDFUTURE");
	}
	o.i.comp = comp;
	o.is_exception = true;
	make_event_span(&o);
	*x = (struct pf_recur_exception){.original = day + r->start_offset,
		.start = wall(&o, &e->begin, o.start_utc_s),
		.end = wall(&o, &e->begin, o.end_utc_s),
		.flags = PF_RECUR_HAS_BODY};
	if (!e->all_day) {
		o.days = pf_span(NULL, 0); /* the wall of the series is another one */
	}
	item = make_exception(&o, make_event_utc(e, rid.utc_s));
	e->i.m.rc = o.i.m.rc;
	if (!item || e->i.m.rc != PF_OK) {
		return PF_FAIL;
	}
	tell_override(e, base, item, x);
	tell_files(base, item, x);
	if (o.all_day != e->all_day) {
		x->flags |= PF_RECUR_HAS_ALL_DAY;
		x->all_day = o.all_day;
	}
	a = pf_mapi_add_attachment(base);
	if (!a) {
		return no_memory(e);
	}
	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = item;
	put_marks(e, a, x);
	return e->i.m.rc;
}

/* The days of the occurrences before and behind that of exception `i`, as they are by the rule or
 * by exceptions; 0: there is none. */
static void find_neighbours(const struct pf_recur *r, size_t i, uint32_t *before, uint32_t *after)
{
	uint32_t was = r->exception[i].original / DAY * DAY, day = pf_recur_first(r);

	*before = 0;
	for (size_t k = 0; day && day < was && k < WALKED; k++) {
		*before = has_deleted(r, day) ? *before : day;
		day = pf_recur_next(r, day);
	}
	*after = pf_recur_next(r, was);
	while (*after && has_deleted(r, *after)) {
		*after = pf_recur_next(r, *after);
	}
	for (size_t k = 0; k < r->exception_n; k++) {
		uint32_t other = r->exception[k].start / DAY * DAY;

		*before = k < i && other > *before ? other : *before;
		*after = k > i && (!*after || other < *after) ? other : *after;
	}
}

/* No two occurrences on one day, none before or behind its neighbour: the server would say
 * ErrorOccurrenceCrossingBoundary. */
static int check_neighbours(struct make_event *e, const struct pf_recur *r)
{
	for (size_t i = 0; i < r->exception_n; i++) {
		uint32_t now = r->exception[i].start / DAY * DAY, before, after;

		find_neighbours(r, i, &before, &after);
		if ((before && now <= before) || (after && now >= after)) {
			return unsaid(e,
				"Exchange lets no instance of a series pass its neighbour, "
				"nor two be on one day");
		}
	}
	return PF_OK;
}

static int take_overrides(struct make_event *e, struct pf_recur *r)
{
	struct make *m = &e->i.m;

	r->exception = pf_arena_alloc(m->arena, (e->override_n + 1) * sizeof(*r->exception));
	r->modified = pf_arena_alloc(m->arena, (e->override_n + 1) * sizeof(*r->modified));
	if (!r->exception || !r->modified) {
		return no_memory(e);
	}
	for (size_t i = 0; i < e->override_n; i++) {
		struct pf_recur_exception *x = &r->exception[r->exception_n];
		size_t at = r->deleted_n;
		uint32_t day;

		if (take_override(e, e->override[i], r, x) != PF_OK) {
			return PF_FAIL;
		}
		day = x->original / DAY * DAY;
		if (i > 0 && day == r->exception[i - 1].original / DAY * DAY) {
			return unsaid(e, "two exceptions of one instance");
		}
		r->modified[r->modified_n++] = x->start / DAY * DAY;
		r->exception_n++;
		for (; !has_deleted(r, day) && at > 0 && r->deleted[at - 1] > day; at--) {
			r->deleted[at] = r->deleted[at - 1];
		}
		if (!has_deleted(r, day)) {
			r->deleted[at] = day;
			r->deleted_n++;
		}
	}
	qsort(r->modified, r->modified_n, sizeof(*r->modified), by_number);
	return check_neighbours(e, r);
}

void make_event_series(struct make_event *e)
{
	struct make *m = &e->i.m;
	struct pf_mapi_item *item = m->item;
	struct pf_recur r;
	struct pf_buf b;

	if (read_rule(e, &r) != PF_OK || take_deleted(e, &r) != PF_OK ||
		take_overrides(e, &r) != PF_OK) {
		return;
	}
	m->item = item;
	pf_buf_init(&b, BLOB_MAX);
	m->rc = pf_recur_write(&r, &b, m->err);
	if (m->rc == PF_OK) {
		make_lid(m, &pf_set_appointment, 0x8216, make_bytes(make_keep(m, pf_buf_span(&b))));
		make_lid(m, &pf_set_appointment, 0x8223, make_truth(true));
	}
	pf_buf_deinit(&b);
}
