#include "convert/make_private.h"

#include "base/base64.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 256 << 20 };

/* 1601-01-01 in seconds since 1970, and a second in the units of FILETIME. */
static const int64_t FILETIME_EPOCH = -11644473600, FILETIME_S = 10000000;

/* ---- failing ---- */

void make_no_memory(struct make *m)
{
	m->rc = m->rc == PF_OK ? pf_fail_memory(m->err, "an item of Exchange") : m->rc;
}

void make_failed(struct make *m, const char *what)
{
	m->rc = m->rc == PF_OK ? pf_fail(m->err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", what) : m->rc;
}

void make_lost(struct make *m, const char *fmt, ...)
{
	struct pf_mapi_made *made = m->made;
	char text[100], shown[120];
	struct pf_span what;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	what = pf_span_str(pf_print_safe(shown, sizeof(shown), pf_span_str(text)));
	for (size_t i = 0; i < made->lost_n; i++) {
		if (pf_span_eq(made->lost[i], what)) {
			return;
		}
	}
	if (made->lost_n == made->lost_cap) {
		size_t cap = made->lost_cap ? made->lost_cap * 2 : 16;
		struct pf_span *grown = pf_arena_alloc(m->arena, cap * sizeof(*grown));

		if (!grown) {
			make_no_memory(m);
			return;
		}
		if (made->lost_n > 0) {
			memcpy(grown, made->lost, made->lost_n * sizeof(*grown));
		}
		made->lost = grown;
		made->lost_cap = cap;
	}
	made->lost[made->lost_n++] = make_keep(m, what);
}

/* ---- adding ---- */

static struct pf_mapi_prop *add(struct make *m, struct pf_mapi_props *to, struct pf_mapi_value v)
{
	struct pf_mapi_prop *p = m->rc == PF_OK ? pf_mapi_add(m->item, to) : NULL;

	if (!p) {
		make_no_memory(m);
		return NULL;
	}
	p->value = v;
	return p;
}

void make_to(struct make *m, struct pf_mapi_props *to, uint16_t id, struct pf_mapi_value v)
{
	struct pf_mapi_prop *p = add(m, to, v);

	if (p) {
		p->id = id;
	}
}

void make_tag(struct make *m, uint16_t id, struct pf_mapi_value v)
{
	make_to(m, &m->item->props, id, v);
}

static void name_it(struct make *m, struct pf_mapi_value v, const struct pf_mapi_name *name)
{
	struct pf_mapi_prop *p = add(m, &m->item->props, v);

	if (!p) {
		return;
	}
	p->name = pf_arena_alloc(m->arena, sizeof(*p->name));
	if (p->name) {
		*p->name = *name;
	} else {
		make_no_memory(m);
	}
}

void make_lid(struct make *m, const struct pf_guid *set, uint32_t lid, struct pf_mapi_value v)
{
	name_it(m, v, &(struct pf_mapi_name){.set = *set, .number = lid});
}

void make_named(struct make *m, const char *name, struct pf_mapi_value v)
{
	name_it(m, v, &(struct pf_mapi_name){.set = pf_set_strings, .text = pf_span_str(name)});
}

struct pf_mapi_value make_time(int64_t utc_s)
{
	int64_t since = utc_s < FILETIME_EPOCH ? 0 : utc_s - FILETIME_EPOCH;

	return (struct pf_mapi_value){
		.type = PF_MAPI_TIME, .filetime = (uint64_t)since * (uint64_t)FILETIME_S};
}

/* ---- texts ---- */

struct pf_span make_keep(struct make *m, struct pf_span s)
{
	struct pf_span out = pf_arena_span(m->arena, s.p ? s : pf_span("", 0));

	if (!out.p) {
		make_no_memory(m);
		return pf_span("", 0);
	}
	return out;
}

/* How long it is then. */
static size_t without_controls(uint8_t *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		bool line = p[i] == '\t' || p[i] == '\r' || p[i] == '\n';

		if (line || (p[i] >= ' ' && p[i] != 0x7F)) {
			p[to++] = p[i];
		}
	}
	return to;
}

struct pf_span make_unescaped(struct make *m, struct pf_span text)
{
	struct pf_span out = pf_span("", 0);
	struct pf_buf b;

	pf_buf_init(&b, TEXT_MAX);
	if (m->rc == PF_OK) {
		m->rc = pf_text_unescape(text, &b, m->err);
		b.n = without_controls(b.p, b.n);
		out = make_keep(m, pf_buf_span(&b));
	}
	pf_buf_deinit(&b);
	return out;
}

struct pf_span make_param(struct make *m, const struct pf_line *l, const char *name)
{
	static const char SIGNS[] = "n'^", MEANT[] = "\n\"^";
	struct pf_span v = pf_params_find(l->params, name);
	uint8_t *out = v.p ? pf_arena_alloc(m->arena, v.n + 1) : NULL;
	size_t n = 0;

	if (v.p && !out) {
		make_no_memory(m);
	}
	for (size_t i = 0; out && i < v.n; i++) {
		const char *sign = v.p[i] == '^' && i + 1 < v.n && v.p[i + 1] != '\0'
					   ? strchr(SIGNS, v.p[i + 1])
					   : NULL;

		out[n++] = sign ? (uint8_t)MEANT[sign - SIGNS] : v.p[i];
		i += sign != NULL;
	}
	return pf_span(out, out ? without_controls(out, n) : 0);
}

static struct pf_mapi_value *find_keywords(struct make *m)
{
	for (size_t i = 0; i < m->item->props.n; i++) {
		struct pf_mapi_prop *p = &m->item->props.v[i];

		if (p->name && pf_span_is(p->name->text, "Keywords")) {
			return &p->value;
		}
	}
	return NULL;
}

static bool has_word(const struct pf_mapi_value *many, struct pf_span word)
{
	for (size_t i = 0; i < many->many.n; i++) {
		if (pf_span_eq(many->many.v[i].bytes, word)) {
			return true;
		}
	}
	return false;
}

void make_categories(struct make *m, struct pf_span list)
{
	struct pf_mapi_value all = {.type = PF_MAPI_STRING | PF_MAPI_MANY}, *old = find_keywords(m);
	struct pf_span rest = list, part;
	size_t cap = old ? old->many.n : 0;

	while (pf_value_next(&rest, ',', &part)) {
		cap++;
	}
	all.many.v = pf_arena_alloc(m->arena, (cap + 1) * sizeof(*all.many.v));
	if (!all.many.v) {
		make_no_memory(m);
		return;
	}
	for (size_t i = 0; old && i < old->many.n; i++) {
		all.many.v[all.many.n++] = old->many.v[i];
	}
	rest = list;
	while (pf_value_next(&rest, ',', &part)) {
		struct pf_span word = make_unescaped(m, part);

		if (word.n > 0 && !has_word(&all, word)) {
			all.many.v[all.many.n++] = make_text(word);
		}
	}
	if (old) {
		*old = all;
	} else if (all.many.n > 0) {
		make_named(m, "Keywords", all);
	}
}

/* ---- files ---- */

bool make_decoded(struct make *m, struct pf_span base64, struct pf_span *out)
{
	struct pf_buf b;
	struct pf_err why;
	int rc;

	pf_buf_init(&b, base64.n + 3);
	rc = pf_base64_decode(base64, &b, &why);
	if (rc == PF_OK) {
		*out = make_keep(m, pf_buf_span(&b));
	} else if (why.scope > PF_SCOPE_ITEM && m->rc == PF_OK) {
		*m->err = why;
		m->rc = PF_FAIL;
	}
	pf_buf_deinit(&b);
	return rc == PF_OK;
}

struct pf_mapi_attachment *make_file(struct make *m, struct pf_span name, struct pf_span type)
{
	struct pf_mapi_attachment *a = m->rc == PF_OK ? pf_mapi_add_attachment(m->item) : NULL;

	if (!a) {
		make_no_memory(m);
		return NULL;
	}
	a->kind = PF_MAPI_ATTACH_DATA;
	make_to(m, &a->props, PF_TAG_ATTACH_METHOD, make_number(1));
	if (name.n > 0) {
		make_to(m, &a->props, PF_TAG_ATTACH_LONG_FILENAME, make_text(make_keep(m, name)));
	}
	if (type.n > 0) {
		make_to(m, &a->props, PF_TAG_ATTACH_MIME, make_text(make_keep(m, type)));
	}
	return a;
}

/* ---- all of it ---- */

static bool is_main(const struct pf_ical *c, int comp, const char *name)
{
	int up = c->comp[comp].parent;

	return up != PF_ICAL_NONE && pf_ical_comp_is(c, up, "VCALENDAR") &&
	       pf_ical_comp_is(c, comp, name);
}

/* The one component of this name; of overrides the first, when they are all that there is. */
static int find_main(struct make *m, const struct pf_ical *c, const char *name)
{
	int master = PF_ICAL_NONE, other = PF_ICAL_NONE;

	for (int i = 0; i < (int)c->comp_count; i++) {
		bool is_override = pf_ical_find(c, i, "RECURRENCE-ID") != NULL;

		if (!is_main(c, i, name)) {
			continue;
		}
		if (!is_override && master != PF_ICAL_NONE) {
			make_failed(m, "several items in one");
			return PF_ICAL_NONE;
		}
		master = is_override ? master : i;
		other = is_override && other == PF_ICAL_NONE ? i : other;
	}
	return master != PF_ICAL_NONE ? master : other;
}

static int64_t instance_of(struct pf_ical *c, int comp)
{
	const struct pf_line *l = pf_ical_find(c, comp, "RECURRENCE-ID");
	struct pf_ical_time t;

	return l && pf_ical_line_time(c, l, &t) ? t.utc_s : PF_DATE_NONE;
}

/* Those that are not the main one, by their instances; no more than a handful. */
static void find_overrides(struct make_event *e)
{
	struct make *m = &e->i.m;
	struct pf_ical *c = e->i.c;

	e->override = pf_arena_alloc(m->arena, (c->comp_count + 1) * sizeof(*e->override));
	for (int i = 0; e->override && i < (int)c->comp_count; i++) {
		size_t at = e->override_n;

		if (i == e->i.comp || !is_main(c, i, "VEVENT")) {
			continue;
		}
		for (; at > 0 && instance_of(c, e->override[at - 1]) > instance_of(c, i); at--) {
			e->override[at] = e->override[at - 1];
		}
		e->override[at] = i;
		e->override_n++;
	}
	if (!e->override) {
		make_no_memory(m);
	}
}

static void make_of_calendar(struct make *m, enum pf_kind kind, struct pf_ical *c)
{
	const char *name = kind == PF_KIND_CALENDAR ? "VEVENT"
			   : kind == PF_KIND_TASKS  ? "VTODO"
						    : "VJOURNAL";
	struct make_event e = {.i = {.c = c, .comp = find_main(m, c, name)}};

	if (m->rc == PF_OK && e.i.comp == PF_ICAL_NONE) {
		make_failed(m, "Exchange has no item for what is neither event nor task nor note");
	}
	e.i.m = *m;
	if (m->rc == PF_OK && kind == PF_KIND_CALENDAR) {
		find_overrides(&e);
		make_event_item(&e);
	} else if (m->rc == PF_OK && kind == PF_KIND_TASKS) {
		make_task_item(&e.i);
	} else if (m->rc == PF_OK) {
		make_note_item(&e.i);
	}
	*m = e.i.m;
}

static bool is_group(struct pf_vcards *v)
{
	const struct pf_line *l = pf_vcard_find(v, 0, "KIND");

	l = l ? l : pf_vcard_find(v, 0, "X-ADDRESSBOOKSERVER-KIND");
	return l && pf_span_is(l->value, "group");
}

static void make_of_card(struct make *m, struct pf_vcards *v)
{
	if (v->card_count != 1) {
		make_failed(m, "several items in one");
	} else if (is_group(v)) {
		make_group_item(m, v);
	} else {
		make_card_item(m, v);
	}
}

int pf_mapi_make(enum pf_kind kind, struct pf_span text, const struct pf_mapi_ways *ways,
	struct pf_arena *arena, struct pf_mapi_made *out, struct pf_err *err)
{
	struct make m = {.ways = ways, .made = out, .arena = arena, .err = err, .rc = PF_OK};
	struct pf_vcards *v = NULL;
	struct pf_ical *c = NULL;

	*out = (struct pf_mapi_made){.item = pf_mapi_new(arena)};
	if (!out->item) {
		return pf_fail_memory(err, "an item of Exchange");
	}
	m.item = out->item;
	if (kind == PF_KIND_CONTACTS) {
		m.rc = pf_vcards_read(text, &v, err);
		if (m.rc == PF_OK) {
			make_of_card(&m, v);
		}
		pf_vcards_free(&v);
		return m.rc;
	}
	m.rc = pf_ical_read(text, &c, err);
	if (m.rc == PF_OK) {
		make_of_calendar(&m, kind, c);
	}
	pf_ical_free(&c);
	return m.rc;
}
