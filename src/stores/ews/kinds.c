/*
 * Kinds. A folder's class says what it is for; what is in it may be something else: what was
 * deleted lies in one folder, whatever it was. So a folder of a source is given out once for each
 * kind that it holds: its own by the server's id, others by that and the kind's name.
 */
#include "stores/ews/ews_private.h"

#include "convert/mapi_open.h"

static const enum pf_kind KINDS[] = {
	PF_KIND_MAIL, PF_KIND_CALENDAR, PF_KIND_CONTACTS, PF_KIND_TASKS, PF_KIND_NOTES};

enum pf_kind ews_kind_of(struct pf_span folder_class)
{
	static const struct {
		const char *begin;
		enum pf_kind kind;
	} CLASSES[] = {{"IPF.Appointment", PF_KIND_CALENDAR}, {"IPF.Contact", PF_KIND_CONTACTS},
		{"IPF.Task", PF_KIND_TASKS}, {"IPF.StickyNote", PF_KIND_NOTES},
		{"IPF.Journal", PF_KIND_NOTES}};

	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (pf_span_starts(folder_class, CLASSES[i].begin)) {
			return CLASSES[i].kind;
		}
	}
	return PF_KIND_MAIL;
}

struct pf_span ews_folder_meant(const struct estore *s, struct pf_span id, enum pf_kind *kind)
{
	const uint8_t *blank = id.n > 0 ? memchr(id.p, ' ', id.n) : NULL;
	struct pf_span own = blank ? pf_span(id.p, (size_t)(blank - id.p)) : id;
	const struct efolder *f = blank ? NULL : ews_folder_find(s, own);

	*kind = blank ? pf_kind_by_name(pf_span_from(id, own.n + 1))
		: f   ? ews_kind_of(pf_buf_span(&f->folder_class))
		      : PF_KIND_MAIL;
	*kind = *kind ? *kind : PF_KIND_MAIL;
	return own;
}

bool ews_kinds_has(const struct estore *s, struct pf_span id, enum pf_kind kind)
{
	enum pf_kind meant;
	const struct efolder *f = ews_folder_find(s, ews_folder_meant(s, id, &meant));

	return f && (f->kinds & (uint32_t)kind) != 0;
}

/* ---- what else is in a folder ---- */

/* Its own kind is known, and what is hidden or empty holds no other. */
static bool is_to_ask(const struct efolder *f, enum pf_kind kind)
{
	return f->placed && !f->hidden && f->count > 0 && !(f->kinds & (uint32_t)kind);
}

/* The next folders of which it is asked whether they hold the kind that is being asked about. */
static size_t choose(struct estore *s, struct pf_span ids[EWS_BATCH])
{
	struct eprobe *p = &s->probe;

	p->n = 0;
	for (p->next = p->at; p->next < s->folder_n && p->n < EWS_BATCH; p->next++) {
		if (is_to_ask(&s->folder[p->next], KINDS[p->kind])) {
			ids[p->n] = pf_buf_span(&s->folder[p->next].id);
			p->which[p->n++] = p->next;
		}
	}
	return p->n;
}

bool ews_kinds_refused(struct estore *s, struct eop *o, const struct pf_ews_said *said)
{
	if (said->does == PF_EWS_DONE || said->does == PF_EWS_BUSY ||
		said->does == PF_EWS_PASSING || said->does == PF_EWS_UNTRIED) {
		return false;
	}
	pf_hs_note(&s->h, PF_EV_FEATURE_OFF,
		"what %zu folders hold beside what they are for can't be asked: %s", s->probe.n,
		said->text);
	s->probe.at = s->probe.next;
	o->h.state = PF_HS_WAITING;
	return true;
}

int ews_kinds_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	const char *names[EWS_CLASSES + 1] = {NULL};
	struct pf_ews_classes classes = {.names = names};
	struct pf_span ids[EWS_BATCH];
	struct eprobe *p = &s->probe;
	struct pf_buf text;

	while (choose(s, ids) == 0) {
		p->at = 0;
		if (++p->kind == PF_COUNT(KINDS)) {
			eop_give(s, o);
			return PF_OK;
		}
	}
	classes.others = p->kind == 0; /* mail is all that is nothing else */
	for (size_t i = 0, n = 0; i < PF_COUNT(KINDS); i++) {
		const char *one;

		for (size_t k = 0; (one = pf_mapi_class_of(KINDS[i], k)) != NULL; k++) {
			if (n < EWS_CLASSES && (classes.others || i == p->kind)) {
				names[n++] = one;
			}
		}
	}
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_find_classes(&s->as, &classes, ids, p->n, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_KINDS, o), "FindItem", &text, err);
}

int ews_kinds_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err)
{
	struct eprobe *p = &s->probe;
	size_t i = 0;

	(void)err;
	p->at = p->next;
	do {
		const struct pf_ews_node *at = NULL;
		struct pf_ews_item one;

		if (m->said.does == PF_EWS_BUSY || m->said.does == PF_EWS_PASSING ||
			m->said.does == PF_EWS_UNTRIED) {
			p->at = p->which[i]; /* from this one on */
			s->h.pauses = i > 0 ? 0 : s->h.pauses;
			pf_hs_be_patient(&s->h, m->said.back_off_ms, m->said.text);
			break;
		}
		/* In one that can't be searched, each such item fails by name. */
		if (m->said.does == PF_EWS_DONE && pf_ews_item_next(a, m, &at, &one)) {
			s->folder[p->which[i]].kinds |= (uint32_t)KINDS[p->kind];
		}
		if (++i < p->n && !pf_ews_answer_next(a, m)) {
			p->at = p->which[i]; /* nothing is said of it and those behind it */
			break;
		}
	} while (i < p->n);
	o->h.state = PF_HS_WAITING;
	return PF_OK;
}

/* ---- giving ---- */

bool ews_kinds_next(const struct estore *s, size_t *at, enum pf_kind *kind)
{
	for (; *at / PF_COUNT(KINDS) < s->folder_n; ++*at) {
		const struct efolder *f = &s->folder[*at / PF_COUNT(KINDS)];

		*kind = KINDS[*at % PF_COUNT(KINDS)];
		if (!f->hidden && f->placed && (f->kinds & (uint32_t)*kind)) {
			return true;
		}
	}
	return false;
}

size_t ews_kinds_folder(size_t at)
{
	return at / PF_COUNT(KINDS);
}
