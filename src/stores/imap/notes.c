/*
 * Notes: what the engine is told beside the events of operations. Several may come of one response.
 */
#include "base/utf8.h"
#include "stores/imap/imap_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { RAW_MAX = 4096, ALERT_MAX = 400, ALERTS_MAX = 8192 };

struct inote {
	struct inote *next;
	struct pf_store_event event;
	struct pf_buf raw;
	char text[600];
};

static void free_note(struct inote *n)
{
	if (n) {
		pf_buf_deinit(&n->raw);
	}
	free(n);
}

void notes_init(struct inotes *l)
{
	*l = (struct inotes){.last = &l->first};
	pf_buf_init(&l->alerts, ALERTS_MAX);
}

void notes_deinit(struct inotes *l)
{
	while (l->first) {
		struct inote *n = l->first;

		l->first = n->next;
		free_note(n);
	}
	free_note(l->told);
	l->told = NULL;
	pf_buf_deinit(&l->alerts);
}

struct pf_store_event *store_note(struct istore *s, int number, struct pf_span folder,
	struct pf_span raw, uint64_t offset, const char *fmt, ...)
{
	struct inotes *l = &s->notes;
	struct pf_err ignored; /* no memory: then without the bytes */
	struct inote *n = calloc(1, sizeof(*n));
	char text[sizeof(n->text)];
	va_list ap;

	if (!n) {
		return NULL;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)pf_print_safe(n->text, sizeof(n->text), pf_span_str(text));
	pf_buf_init(&n->raw, RAW_MAX);
	if (raw.p && pf_buf_add(&n->raw, pf_span(raw.p, raw.n > RAW_MAX ? RAW_MAX : raw.n),
			     &ignored) != PF_OK) {
		raw = pf_span(NULL, 0);
	}
	n->event = (struct pf_store_event){.kind = PF_STORE_NOTE};
	n->event.note.number = number;
	n->event.note.folder = folder;
	n->event.note.text = n->text;
	n->event.note.raw = raw.p ? pf_buf_span(&n->raw) : pf_span(NULL, 0);
	n->event.note.offset = offset;
	*l->last = n;
	l->last = &n->next;
	return &n->event;
}

bool notes_give(struct inotes *l, struct pf_store_event *out)
{
	free_note(l->told); /* what the last one borrowed from */
	l->told = l->first;
	if (!l->first) {
		return false;
	}
	l->first = l->first->next;
	l->last = l->first ? l->last : &l->first;
	*out = l->told->event;
	return true;
}

/* A server may say the same with each message that it stores: once is enough for a pass. */
static bool was_told(struct inotes *l, struct pf_span alert)
{
	struct pf_span told = pf_buf_span(&l->alerts);
	struct pf_err ignored; /* no room: it is told once more */

	for (size_t at = 0, n; at < told.n; at += n + 1) {
		n = strnlen((const char *)told.p + at, told.n - at);
		if (pf_span_eq(pf_span(told.p + at, n), alert)) {
			return true;
		}
	}
	if (pf_buf_add(&l->alerts, alert, &ignored) == PF_OK &&
		pf_buf_add(&l->alerts, pf_span("", 1), &ignored) != PF_OK) {
		pf_buf_clear(&l->alerts);
	}
	return false;
}

void store_alert(struct istore *s, struct pf_span text)
{
	struct pf_span said = pf_span(text.p, text.n > ALERT_MAX ? ALERT_MAX : text.n);

	if (!was_told(&s->notes, said)) {
		(void)store_note(s, PF_EV_ALERT, pf_span(NULL, 0), pf_span(NULL, 0), 0, "%.*s",
			(int)said.n, (const char *)said.p);
	}
}
