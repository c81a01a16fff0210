/*
 * Items property by property: all that are no mail, and mail that the server can't give as MIME.
 * What comes is one MAPI item, of which the converters make the open form of its kind, as they do
 * of Outlook's files.
 *
 * An item comes in steps, each a request of its own: itself; the changed occurrences of a series;
 * files and items within, which may name others.
 */
#include "stores/ews/ews_private.h"

#include "convert/mapi_goid.h"
#include "convert/mapi_open.h"
#include "model/mapi_tags.h"
#include "proto/ews/item.h"
#include "proto/tnef/tnef.h"
#include "stores/mapi_form.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WHOLE_MAX = 512 << 20, /* an item in memory, with all that is within */
	GOID_MAX = 1 << 17,
	CLEAN_GOID = 0x0023, /* PidLid... of the set Meeting */
	GOID = 0x0003,
	RECUR = 0x8216, /* of the set Appointment */
	STATE = 0x8217,
	STATE_MEETING = 1, /* [MS-OXOCAL] 2.2.1.10 */
	STATE_RECEIVED = 2,
};

struct ewhole {
	struct pf_arena arena;
	struct pf_ews_whole w;
	size_t at, asked; /* what is lacking: the next one, and how many are in flight */
};

void ews_whole_free(struct ewhole **whole)
{
	if (*whole) {
		pf_arena_deinit(&(*whole)->arena);
		free(*whole);
		*whole = NULL;
	}
}

static struct ewhole *whole_new(void)
{
	struct ewhole *h = calloc(1, sizeof(*h));

	if (h) {
		pf_arena_init(&h->arena);
		h->w.arena = &h->arena;
	}
	return h;
}

/* An item that can't be had fails by itself; anything else ends the store. */
static int not_had(struct estore *s, struct eop *o, const struct pf_err *why, struct pf_err *err)
{
	struct pf_err own = *why;

	ews_whole_free(&o->whole);
	if (why->scope > PF_SCOPE_ITEM) {
		*err = *why;
		return PF_FAIL;
	}
	(void)pf_wrap(&own, "read by its properties");
	eop_refused(s, o, &own);
	return PF_OK;
}

/* ---- asking ---- */

uint32_t ews_whole_forms(enum pf_kind kind)
{
	static const struct {
		enum pf_kind kind;
		uint32_t forms;
	} FORMS[] = {
		{PF_KIND_MAIL, PF_EWS_FORM_MAIL | PF_EWS_FORM_EVENT}, /* and what meetings say */
		{PF_KIND_CALENDAR, PF_EWS_FORM_EVENT},
		{PF_KIND_CONTACTS, PF_EWS_FORM_CONTACT},
		{PF_KIND_TASKS, PF_EWS_FORM_TASK},
		{PF_KIND_NOTES, PF_EWS_FORM_NOTE},
	};

	for (size_t i = 0; i < PF_COUNT(FORMS); i++) {
		if (FORMS[i].kind == kind) {
			return FORMS[i].forms;
		}
	}
	return PF_EWS_FORM_ANY;
}

/* The next ones of a sort, as long as they are small together. */
static size_t choose(const struct eop *o, struct pf_span ids[EWS_BATCH])
{
	const struct ewhole *h = o->whole;
	size_t n = 0, most = o->alone ? 1 : EWS_BATCH;
	uint64_t bytes = 0;

	for (size_t i = h->at; i < h->w.lack_n && n < most; i++) {
		const struct pf_ews_lack *lack = &h->w.lack[i];

		if (lack->occurrence != h->w.lack[h->at].occurrence ||
			(n > 0 && (bytes + lack->size > EWS_BATCH_BYTES ||
					  (lack->occurrence && n >= EWS_GETS)))) {
			break;
		}
		bytes += lack->size;
		ids[n++] = lack->id;
	}
	return n;
}

int ews_whole_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct pf_ews_ask ask = {
		.forms = ews_whole_forms(o->kind), .stored = o->road == EROAD_STORED};
	struct pf_span ids[EWS_BATCH];
	size_t n = choose(o, ids);
	bool occurrences = o->whole->w.lack[o->whole->at].occurrence;
	struct pf_buf text;
	int rc;

	pf_buf_init(&text, EWS_TEXT_MAX);
	rc = occurrences ? pf_ews_get_whole(&s->as, &ask, ids, n, &text, err)
			 : pf_ews_get_attachments(&s->as, ask.stored, ids, n, &text, err);
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	o->whole->asked = n;
	return ecall_send(s, ecall_new(s, occurrences ? ECALL_OCCURRENCES : ECALL_ATTACHMENTS, o),
		occurrences ? "GetItem" : "GetAttachment", &text, err);
}

/* ---- the item ---- */

static struct pf_mapi_prop *add_named(
	struct ewhole *h, const struct pf_guid *set, uint32_t number, enum pf_mapi_type type)
{
	struct pf_mapi_name *name = pf_arena_alloc(&h->arena, sizeof(*name));
	struct pf_mapi_prop *p = name ? pf_mapi_add(h->w.item, &h->w.item->props) : NULL;

	if (p) {
		*name = (struct pf_mapi_name){.set = *set, .number = number};
		p->name = name;
		p->value.type = type;
	}
	return p;
}

/* Where the server tells the UID and not what it is made of. */
static int add_goid(struct eop *o, struct pf_err *err)
{
	struct ewhole *h = o->whole;
	const struct pf_mapi_props *props = &h->w.item->props;
	struct pf_mapi_prop *p;
	struct pf_buf blob;
	int rc;

	if (h->w.uid.n == 0 || pf_mapi_lid(props, &pf_set_meeting, GOID) ||
		pf_mapi_lid(props, &pf_set_meeting, CLEAN_GOID)) {
		return PF_OK;
	}
	o->uid_made = true; /* by the server, then */
	pf_buf_init(&blob, GOID_MAX);
	rc = pf_goid_from_uid(h->w.uid, NULL, &blob, err);
	if (rc == PF_OK) {
		p = add_named(h, &pf_set_meeting, CLEAN_GOID, PF_MAPI_BINARY);
		rc = p ? PF_OK : pf_fail_memory(err, "an item of Exchange");
		if (p) {
			p->value.bytes = pf_arena_span(&h->arena, pf_buf_span(&blob));
		}
	}
	pf_buf_deinit(&blob);
	return rc;
}

/*
 * Whose account it is. Who organises a meeting is the one that the server names; else it is the one
 * that signs in, if that is an address.
 */
static struct pf_span owner_of(const struct estore *s, const struct pf_mapi_item *item)
{
	const char *user = s->h.cfg->url->user;
	int64_t state = 0;
	struct pf_span organizer =
		pf_mapi_text(pf_mapi_tag(&item->props, PF_TAG_SENT_REPRESENTING_SMTP));

	(void)pf_mapi_number(pf_mapi_lid(&item->props, &pf_set_appointment, STATE), &state);
	if ((state & STATE_MEETING) && !(state & STATE_RECEIVED) && organizer.n > 0) {
		return organizer;
	}
	return user && strchr(user, '@') ? pf_span_str(user) : pf_span(NULL, 0);
}

/* The text that it was made of, when it came by this program; neither that nor its name is one of
 * its own properties. */
static struct pf_span take_text(struct eop *o)
{
	struct pf_mapi_props *props = &o->whole->w.item->props;
	struct pf_span text = pf_span(NULL, 0);
	size_t kept = 0;

	for (size_t i = 0; i < props->n; i++) {
		const struct pf_mapi_prop *p = &props->v[i];

		if (p->name && pf_span_is(p->name->text, PF_EWS_TEXT)) {
			text = pf_mapi_text(&p->value);
		} else if (p->name && pf_span_is(p->name->text, PF_EWS_KEY)) {
			o->half = !ews_key_is(pf_mapi_text(&p->value), 'n');
		} else {
			props->v[kept++] = *p;
		}
	}
	props->n = kept;
	return text;
}

/* Where the item is wanted as it is, and came without its stream: all of its properties. */
static int keep(const struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_buf raw;
	int rc;

	if (!s->h.cfg->keep_raw || o->stream || eop_op(o)->get.part != PF_PART_WHOLE) {
		return PF_OK;
	}
	pf_buf_init(&raw, WHOLE_MAX);
	rc = pf_tnef_write(o->whole->w.item, &raw, err);
	if (rc == PF_OK) {
		o->stream = pf_blob_of(pf_buf_span(&raw));
		o->stream_ending = ".tnef";
		rc = o->stream ? PF_OK : pf_fail_memory(err, "an item");
	}
	pf_buf_deinit(&raw);
	return rc;
}

/* Whether the UID in a text is the one that is made of the item's place. */
static bool is_made(const struct pf_mapi_ways *ways, struct pf_span text)
{
	char made[PF_UUID_TEXT];

	pf_mapi_made_uid(ways, made);
	return text.n > 0 && memmem(text.p, text.n, made, strlen(made)) != NULL;
}

static int convert(struct estore *s, struct eop *o, struct pf_buf *out, struct pf_err *err)
{
	struct ewhole *h = o->whole;
	struct pf_mapi_ways ways = {.owner = owner_of(s, h->w.item), .key = eop_op(o)->item};
	struct pf_span text = take_text(o);
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;

	if (h->w.series && !pf_mapi_lid(&h->w.item->props, &pf_set_appointment, RECUR)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"a series of which the server does not give the rule");
	}
	if (add_goid(o, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_mapi_form_ways(s->h.cfg, &ways);
	pf_mapi_losses_init(&losses, &h->arena);
	if (pf_mapi_open(h->w.item, &ways, &losses, &opened, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if (opened.kind != o->kind) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"it is of another kind by now than it was listed with");
	}
	o->uid_made = o->uid_made || is_made(&ways, pf_buf_span(out));
	if (ews_as_written(o->kind, text, &ways, pf_buf_span(out))) {
		o->uid_made = false;
		pf_buf_clear(out);
		pf_mapi_losses_init(&losses, &h->arena); /* it has all of it */
		if (pf_buf_add(out, text, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (o->said[0]) {
		pf_mapi_odd(&losses, "made of its properties%s, as %s",
			o->road == EROAD_STORED ? " and the body as it is stored" : "", o->said);
	}
	if (o->no_stream[0]) {
		pf_mapi_odd(&losses, "it comes without its stream, as %s", o->no_stream);
	}
	return pf_mapi_fates(&losses, &o->arena, &o->fates, err);
}

static int finish(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_err why;
	struct pf_buf form;
	int rc;

	pf_buf_init(&form, WHOLE_MAX);
	rc = keep(s, o, &why);
	rc = rc == PF_OK ? convert(s, o, &form, &why) : rc;
	if (rc == PF_OK) {
		rc = ews_get_give_bytes(s, o, pf_buf_span(&form), err);
		ews_whole_free(&o->whole);
	} else {
		rc = not_had(s, o, &why, err);
	}
	pf_buf_deinit(&form);
	return rc;
}

static int go_on(struct estore *s, struct eop *o, struct pf_err *err)
{
	if (o->whole->at == o->whole->w.lack_n) {
		return finish(s, o, err);
	}
	if (o->whole->arena.total > WHOLE_MAX) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"it is larger than %d MiB, more than can be converted", WHOLE_MAX >> 20);
		return not_had(s, o, &why, err);
	}
	o->h.state = PF_HS_WAITING;
	return PF_OK;
}

/* ---- answers ---- */

int ews_whole_answer(
	struct estore *s, struct eop *o, const struct pf_ews_message *m, struct pf_err *err)
{
	struct pf_err why;

	ews_whole_free(&o->whole);
	o->whole = whole_new();
	if (!o->whole) {
		return pf_fail_memory(err, "an item of Exchange");
	}
	if (pf_ews_read_whole(m, &o->whole->w, &why) != PF_OK) {
		return not_had(s, o, &why, err);
	}
	return go_on(s, o, err);
}

/* An occurrence that is no longer one: its series has what is to be said of it. */
static bool is_over(const struct pf_ews_lack *lack, const struct pf_ews_said *said)
{
	return lack->occurrence &&
	       (said->does == PF_EWS_GONE ||
		       pf_span_is(said->code, "ErrorCalendarOccurrenceIsDeletedFromRecurrence"));
}

/* It changed while it was read: from the beginning. */
static bool begin_anew(struct eop *o)
{
	if (++o->h.tries >= EWS_TRIES) {
		return false;
	}
	ews_whole_free(&o->whole);
	o->h.state = PF_HS_WAITING;
	return true;
}

int ews_lack_answer(struct estore *s, struct ecall *c, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err)
{
	struct eop *o = c->ops[0];
	struct ewhole *h = o->whole;
	size_t left = h->asked;

	do {
		struct pf_err why;

		if (!is_over(&h->w.lack[h->at], &m->said)) {
			if (m->said.does == PF_EWS_GONE && begin_anew(o)) {
				return PF_OK;
			}
			if (ews_said(s, c, o, &m->said)) {
				return PF_OK; /* again from here on, or it is over */
			}
			if (pf_ews_read_lack(m, &h->w, h->at, &why) != PF_OK) {
				return not_had(s, o, &why, err);
			}
		}
		h->at++;
		s->h.pauses = 0;
	} while (--left > 0 && pf_ews_answer_next(a, m));
	if (left > 0 && ++o->h.tries >= EWS_TRIES) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_LATER,
			"the server does not answer for all that it was asked for");
		return not_had(s, o, &why, err);
	}
	return go_on(s, o, err);
}
