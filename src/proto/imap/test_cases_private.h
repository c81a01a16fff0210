/*
 * Tests of the grammar as tables: each case goes through framer and grammar, cut in all ways, and
 * is shown as one line of text.
 */
#ifndef PF_PROTO_IMAP_TEST_CASES_PRIVATE_H
#define PF_PROTO_IMAP_TEST_CASES_PRIVATE_H

#include "proto/imap/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a response as text ---- */

static void say(struct pf_buf *out, const char *fmt, ...) PF_PRINTF(2, 3);

static void say(struct pf_buf *out, const char *fmt, ...)
{
	char text[200];
	struct pf_err err;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(pf_buf_add_str(out, text, &err), PF_OK);
}

/* " label=bytes"; NIL when absent. */
static void say_span(struct pf_buf *out, const char *label, struct pf_span s)
{
	struct pf_err err;

	say(out, " %s=", label);
	assert_int_equal(pf_buf_add(out, s.p ? s : pf_span("NIL", 3), &err), PF_OK);
}

static void say_number(struct pf_buf *out, const char *label, uint64_t n)
{
	say(out, " %s=%llu", label, (unsigned long long)n);
}

static void say_words(struct pf_buf *out, struct pf_span words)
{
	struct pf_span word;

	say(out, " (");
	for (int i = 0; pf_imap_words_next(&words, &word); i++) {
		say(out, "%s%.*s", i > 0 ? "," : "", (int)word.n, (const char *)word.p);
	}
	say(out, ")");
}

static void say_cond(struct pf_buf *out, const struct pf_imap_resp *r)
{
	static const char *const CONDITIONS[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};

	say(out, "%s", CONDITIONS[r->cond]);
	if (r->tag.p) {
		say_span(out, "tag", r->tag);
	}
	if (r->code != PF_IMAP_CODE_NONE) {
		say_span(out, r->code == PF_IMAP_CODE_OTHER ? "other" : "code", r->code_name);
		say_number(out, "num", r->code_num[0]);
		say_span(out, "args", r->code_args);
	}
	say_span(out, "text", r->text);
}

static void say_list(struct pf_buf *out, const struct pf_imap_list *m)
{
	static const char *const WHICH[] = {"LIST", "LSUB", "XLIST"};
	static const char *const ATTRS[] = {"noselect", "noinferiors", "children", "nochildren",
		"subscribed", "remote", "all", "archive", "drafts", "flagged", "junk", "sent",
		"trash", "important", "inbox", "nonexistent"};

	say(out, "%s", WHICH[m->which]);
	for (size_t i = 0; i < PF_COUNT(ATTRS); i++) {
		if (m->attrs & 1u << i) {
			say(out, " %s", ATTRS[i]);
		}
	}
	say(out, m->delimiter ? " %c" : " flat", m->delimiter);
	say_span(out, "name", m->name);
	if (m->has_child_info) {
		say(out, " childinfo");
	}
	if (m->old_name.p) {
		say_span(out, "old", m->old_name);
	}
}

static void say_class(struct pf_buf *out, const char *label, const struct pf_imap_ns *ns, size_t n)
{
	say(out, " %s:%zu", label, n);
	for (size_t i = 0; i < n && i < 3; i++) {
		say_span(out, "prefix", ns[i].prefix);
		say(out, ns[i].delimiter ? " %c" : " flat", ns[i].delimiter);
	}
}

static void say_status(struct pf_buf *out, const struct pf_imap_status *s)
{
	const struct {
		const char *label;
		uint32_t bit;
		uint64_t n;
	} items[] = {
		{"messages", PF_IMAP_STATUS_MESSAGES, s->messages},
		{"uidnext", PF_IMAP_STATUS_UIDNEXT, s->uidnext},
		{"uidvalidity", PF_IMAP_STATUS_UIDVALIDITY, s->uidvalidity},
		{"modseq", PF_IMAP_STATUS_HIGHESTMODSEQ, s->highestmodseq},
		{"size", PF_IMAP_STATUS_SIZE, s->size},
		{"limit", PF_IMAP_STATUS_APPENDLIMIT, s->appendlimit},
	};

	say(out, "STATUS");
	say_span(out, "name", s->name);
	for (size_t i = 0; i < PF_COUNT(items); i++) {
		if (s->has & items[i].bit) {
			say_number(out, items[i].label, items[i].n);
		}
	}
}

static void say_search(struct pf_buf *out, const struct pf_imap_resp *r)
{
	static const char *const WHAT[] = {"SEARCH", "ESEARCH", "VANISHED"};
	struct pf_span set = r->search.numbers;
	uint64_t first, last;

	say(out, "%s%s%s", WHAT[r->kind == PF_IMAP_VANISHED ? 2 : r->kind - PF_IMAP_SEARCH],
		r->search.earlier ? " earlier" : "", r->search.uid ? " uid" : "");
	while (pf_imap_set_next(&set, &first, &last)) {
		say(out, " %llu-%llu", (unsigned long long)first, (unsigned long long)last);
	}
	assert_int_equal(set.n, 0);
	if (r->search.tag.p) {
		say_span(out, "tag", r->search.tag);
	}
	if (r->search.min || r->search.max) {
		say_number(out, "min", r->search.min);
		say_number(out, "max", r->search.max);
	}
	if (r->search.has_count) {
		say_number(out, "count", r->search.count);
	}
	if (r->search.modseq) {
		say_number(out, "modseq", r->search.modseq);
	}
}

static void say_body(struct pf_buf *out, const struct pf_imap_body *b)
{
	say_span(out, b->binary ? "binary" : "body", b->section);
	if (b->origin) {
		say_number(out, "origin", b->origin);
	}
	if (b->streamed) {
		say_number(out, "streamed", b->size);
		assert_null(b->bytes.p);
		return;
	}
	say_span(out, "bytes", b->bytes);
	assert_int_equal(b->size, b->bytes.n);
	assert_int_equal(b->nil, !b->bytes.p);
}

static void say_fetch(struct pf_buf *out, const struct pf_imap_fetch *f)
{
	say(out, "FETCH %u", f->seq);
	if (f->has & PF_IMAP_HAS_UID) {
		say_number(out, "uid", f->uid);
	}
	if (f->has & PF_IMAP_HAS_FLAGS) {
		say(out, " flags");
		say_words(out, f->flags);
	}
	if (f->has & PF_IMAP_HAS_SIZE) {
		say_number(out, "size", f->size);
	}
	if (f->has & PF_IMAP_HAS_DATE) {
		say(out, " date=%lld%+d", (long long)f->date_utc_s, f->zone_min);
	} else {
		assert_true(f->date_utc_s == PF_DATE_NONE);
		if (f->date_raw.p) {
			say_span(out, "odd date", f->date_raw);
		}
	}
	if (f->has & PF_IMAP_HAS_MODSEQ) {
		say_number(out, "modseq", f->modseq);
	}
	if (f->has & PF_IMAP_HAS_GM) {
		say_number(out, "msgid", f->gm_msgid);
		say_number(out, "thrid", f->gm_thrid);
		say(out, " labels");
		say_words(out, f->gm_labels);
	}
	assert_int_equal((f->has & PF_IMAP_HAS_BODY) != 0, f->bodies > 0);
	for (size_t i = 0; i < f->bodies; i++) {
		say_body(out, &f->body[i]);
	}
}

static void say_quota(struct pf_buf *out, const struct pf_imap_resp *r)
{
	say(out, "QUOTA");
	say_span(out, "root", r->quota.root);
	if (r->quota.limit_kib != UINT64_MAX) {
		say_number(out, "used", r->quota.usage_kib);
		say_number(out, "limit", r->quota.limit_kib);
	}
	if (r->quota.messages_limit != UINT64_MAX) {
		say_number(out, "messages", r->quota.messages);
		say_number(out, "limit", r->quota.messages_limit);
	}
}

static void say_resp(struct pf_buf *out, const struct pf_imap_resp *r)
{
	switch (r->kind) {
	case PF_IMAP_COND:
		say_cond(out, r);
		break;
	case PF_IMAP_CONTINUE:
		say(out, "+");
		say_span(out, "text", r->text);
		break;
	case PF_IMAP_CAPABILITY:
	case PF_IMAP_ENABLED:
	case PF_IMAP_FLAGS:
		say(out, "%s", r->kind == PF_IMAP_FLAGS ? "FLAGS" : "CAPABILITY");
		say_words(out, r->words);
		break;
	case PF_IMAP_LIST:
		say_list(out, &r->list);
		break;
	case PF_IMAP_NAMESPACE:
		say(out, "NAMESPACE");
		say_class(out, "personal", r->ns.personal, r->ns.personals);
		say_class(out, "other", r->ns.other, r->ns.others);
		say_class(out, "shared", r->ns.shared, r->ns.shareds);
		break;
	case PF_IMAP_STATUS:
		say_status(out, &r->status);
		break;
	case PF_IMAP_SEARCH:
	case PF_IMAP_ESEARCH:
	case PF_IMAP_VANISHED:
		say_search(out, r);
		break;
	case PF_IMAP_EXISTS:
	case PF_IMAP_RECENT:
	case PF_IMAP_EXPUNGE:
		say(out, "%s",
			r->kind == PF_IMAP_EXISTS   ? "EXISTS"
			: r->kind == PF_IMAP_RECENT ? "RECENT"
						    : "EXPUNGE");
		say_number(out, "n", r->number);
		break;
	case PF_IMAP_FETCH:
		say_fetch(out, &r->fetch);
		break;
	case PF_IMAP_QUOTA:
		say_quota(out, r);
		break;
	case PF_IMAP_ID:
	case PF_IMAP_QUOTAROOT:
	case PF_IMAP_UNKNOWN:
		say(out, "%s", r->kind == PF_IMAP_UNKNOWN ? "unknown" : "raw");
		say_span(out, "text", r->raw);
		break;
	}
}

/* ---- running a table ---- */

struct one_case {
	const char *name, *wire,
		*shown; /* without the last line end; "14001 ..." for what can't be read */
};

/* Its text with nothing behind it, so that an octet too far is noticed; free text.p. */
static struct pf_imap_piece apart(const struct pf_imap_piece *piece)
{
	struct pf_imap_piece copy = *piece;
	uint8_t *text = malloc(piece->text.n);

	assert_true(text || piece->text.n == 0);
	if (piece->text.n > 0) {
		memcpy(text, piece->text.p, piece->text.n);
	}
	copy.text.p = text;
	return copy;
}

static void respond(const struct pf_imap_piece *piece, struct pf_buf *out)
{
	struct pf_imap_piece copy = apart(piece);
	struct pf_arena arena;
	struct pf_imap_resp r;
	struct pf_err err;

	pf_arena_init(&arena);
	if (pf_imap_resp_parse(&copy, &arena, &r, &err) == PF_OK) {
		say_resp(out, &r);
	} else {
		assert_int_equal(err.number, 14001);
		assert_int_equal(err.scope, PF_SCOPE_ITEM);
		say(out, "14001 %s", strstr(err.text, "at octet"));
		if (r.kind == PF_IMAP_FETCH) { /* what was read of it */
			say(out, "; FETCH %u %u", r.fetch.seq, r.fetch.uid);
		}
	}
	pf_arena_deinit(&arena);
	free((void *)copy.text.p);
}

static void peek(const struct pf_imap_piece *piece, struct pf_buf *out)
{
	struct pf_imap_piece copy = apart(piece);
	uint32_t seq, uid;
	struct pf_span section;

	if (pf_imap_fetch_peek(&copy, &seq, &uid, &section)) {
		say(out, "{%u %u", seq, uid);
		say_span(out, "part", section);
		say(out, "} ");
	} else {
		say(out, "{?} ");
	}
	free((void *)copy.text.p);
}

/* Literals of more than 10 octets go by. */
static void run(struct pf_span wire, size_t step, struct pf_buf *out)
{
	static const struct pf_imap_frame_cfg cfg = {.inline_max = 10, .text_max = 2000};
	struct pf_imap_frame *f = pf_imap_frame_new(&cfg);
	struct pf_imap_piece piece;
	struct pf_err err;

	while (wire.n > 0) {
		size_t n = wire.n < step ? wire.n : step;
		int rc;

		assert_int_equal(pf_imap_frame_push(f, pf_span(wire.p, n), &err), PF_OK);
		wire = pf_span_from(wire, n);
		while ((rc = pf_imap_frame_next(f, &piece, &err)) == PF_OK) {
			if (piece.kind == PF_IMAP_PIECE_HEAD) {
				peek(&piece, out);
			} else if (piece.kind == PF_IMAP_PIECE_RESPONSE) {
				respond(&piece, out);
			}
		}
		assert_int_equal(rc, PF_AGAIN);
	}
	assert_true(pf_imap_frame_at_rest(f));
	pf_imap_frame_free(&f);
}

/* Each at one octet a time, at two, up to all at once. */
static void check_one(const struct one_case *c, struct pf_buf *wire, struct pf_buf *out)
{
	struct pf_err err;
	const char *got;

	pf_buf_clear(wire);
	assert_int_equal(pf_buf_add_str(wire, c->wire, &err), PF_OK);
	assert_int_equal(pf_buf_add_str(wire, "\r\n", &err), PF_OK);
	for (size_t step = 1; step <= wire->n; step++) {
		pf_buf_clear(out);
		run(pf_buf_span(wire), step, out);
		assert_int_equal(pf_buf_cstr(out, &got, &err), PF_OK);
		if (strcmp(got, c->shown) != 0) {
			fail_msg("%s, %zu at a time:\n%s\ninstead of\n%s", c->name, step, got,
				c->shown);
		}
	}
}

static void check(const struct one_case *cases, size_t n)
{
	struct pf_buf wire, out;

	pf_buf_init(&wire, 100000);
	pf_buf_init(&out, 100000);
	for (size_t i = 0; i < n; i++) {
		check_one(&cases[i], &wire, &out);
	}
	pf_buf_deinit(&wire);
	pf_buf_deinit(&out);
}

#endif
