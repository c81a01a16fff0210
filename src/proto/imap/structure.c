#include "proto/imap/structure.h"

#include "proto/imap/lex.h"

#include <stdio.h>

enum { DEPTH_MAX = 8 };

static void begin(struct pf_lex *l, struct pf_span text, struct pf_arena *arena, struct pf_err *err)
{
	struct pf_imap_piece piece = {.text = text};

	pf_lex_init(l, &piece, arena, err);
	pf_lex_blanks(l);
}

static bool string(struct pf_lex *l, struct pf_lex_string *out)
{
	pf_lex_blanks(l);
	return pf_lex_peek(l) != '(' && pf_lex_string(l, " \t()", out);
}

static bool pass(struct pf_lex *l)
{
	pf_lex_blanks(l);
	return !pf_lex_end(l) && pf_lex_skip(l);
}

/* ---- BODYSTRUCTURE ---- */

/* The value of "boundary" among parameters; none of them is fine. */
static bool find_boundary(struct pf_lex *l, struct pf_arena *arena, struct pf_span *out)
{
	struct pf_span inside;
	struct pf_lex params;

	pf_lex_blanks(l);
	if (pf_lex_peek(l) != '(') {
		return true;
	}
	if (!pf_lex_list(l, &inside)) {
		return false;
	}
	begin(&params, inside, arena, NULL);
	while (!pf_lex_end(&params)) {
		struct pf_lex_string name, value;

		if (!string(&params, &name) || !string(&params, &value)) {
			return false;
		}
		if (!name.nil && !value.nil && pf_span_is(name.bytes, "BOUNDARY")) {
			*out = pf_arena_span(arena, value.bytes);
			return out->p != NULL;
		}
		pf_lex_blanks(&params);
	}
	return true;
}

static bool leaf(struct pf_lex *l, struct pf_imap_part *p)
{
	struct pf_lex_string s;

	for (int i = 0; i < 2; i++) { /* type, subtype */
		if (!string(l, &s)) {
			return false;
		}
	}
	for (int i = 0; i < 4; i++) { /* parameters, id, description, encoding */
		if (!pass(l)) {
			return false;
		}
	}
	pf_lex_blanks(l);
	return pf_lex_number(l, &p->octets);
}

static struct pf_imap_part *add(struct pf_imap_structure *t, const char *above, size_t number)
{
	struct pf_imap_part *p = t->n < PF_IMAP_PARTS_MAX ? &t->part[t->n] : NULL;
	int n = -1;

	if (p) {
		*p = (struct pf_imap_part){.multipart = false};
		n = number == 0 ? 0
				: snprintf(p->path, sizeof(p->path), "%s%s%zu", above,
					  above[0] ? "." : "", number);
	}
	if (n < 0 || (size_t)n >= sizeof(p->path)) {
		return NULL;
	}
	t->n++;
	return p;
}

static bool body(struct pf_span inside, struct pf_arena *arena, struct pf_imap_structure *t,
	struct pf_imap_part *p)
{
	struct pf_lex_string subtype;
	struct pf_lex l;

	begin(&l, inside, arena, NULL);
	if (pf_lex_peek(&l) != '(') {
		return leaf(&l, p);
	}
	p->multipart = true;
	for (size_t k = 1; pf_lex_peek(&l) == '('; k++) {
		struct pf_imap_part *child = p->depth < DEPTH_MAX ? add(t, p->path, k) : NULL;
		struct pf_span within;

		if (!child || !pf_lex_list(&l, &within)) {
			return false;
		}
		child->depth = p->depth + 1;
		if (!body(within, arena, t, child)) {
			return false;
		}
		pf_lex_blanks(&l);
	}
	return string(&l, &subtype) && find_boundary(&l, arena, &p->boundary);
}

bool pf_imap_structure_parse(
	struct pf_span inside, struct pf_arena *arena, struct pf_imap_structure *out)
{
	struct pf_imap_part *whole;

	out->n = 0;
	whole = add(out, "", 0);
	if (!body(inside, arena, out, whole)) {
		return false;
	}
	if (!whole->multipart) {
		(void)snprintf(whole->path, sizeof(whole->path), "1");
	}
	return true;
}

/* ---- ENVELOPE ---- */

static int line(struct pf_buf *out, const char *name, struct pf_span value, struct pf_err *err)
{
	if (!value.p) {
		return PF_OK;
	}
	for (size_t i = 0; i < value.n; i++) { /* it must stay one line */
		if (value.p[i] == '\r' || value.p[i] == '\n') {
			value.n = i;
		}
	}
	if (pf_buf_add_str(out, name, err) != PF_OK || pf_buf_add(out, value, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "\r\n", err);
}

/* The first of a list of addresses: ((name route mailbox host) ...) or NIL. */
static int from_line(struct pf_lex *l, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span all, one;
	struct pf_lex_string part[4];
	struct pf_lex sub;

	pf_lex_blanks(l);
	if (pf_lex_peek(l) != '(') {
		return pass(l) ? PF_OK : PF_FAIL;
	}
	if (!pf_lex_list(l, &all)) {
		return PF_FAIL;
	}
	begin(&sub, all, l->arena, err);
	if (pf_lex_peek(&sub) != '(' || !pf_lex_list(&sub, &one)) {
		return PF_OK;
	}
	begin(&sub, one, l->arena, err);
	for (size_t i = 0; i < PF_COUNT(part); i++) {
		if (!string(&sub, &part[i])) {
			return PF_OK;
		}
	}
	return pf_buf_addf(out, err, "From: %.*s <%.*s@%.*s>\r\n", (int)part[0].bytes.n,
		part[0].nil ? "" : (const char *)part[0].bytes.p, (int)part[2].bytes.n,
		part[2].nil ? "" : (const char *)part[2].bytes.p, (int)part[3].bytes.n,
		part[3].nil ? "" : (const char *)part[3].bytes.p);
}

static int header(struct pf_lex *l, struct pf_buf *out, struct pf_err *err)
{
	struct pf_lex_string s;

	if (!string(l, &s) || line(out, "Date: ", s.bytes, err) != PF_OK || !string(l, &s) ||
		line(out, "Subject: ", s.bytes, err) != PF_OK || from_line(l, out, err) != PF_OK) {
		return PF_FAIL;
	}
	for (int i = 0; i < 6; i++) { /* sender, reply-to, to, cc, bcc, in-reply-to */
		if (!pass(l)) {
			return PF_FAIL;
		}
	}
	if (!string(l, &s) || line(out, "Message-ID: ", s.bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "\r\n", err);
}

int pf_imap_envelope_header(struct pf_span inside, struct pf_buf *out, struct pf_err *err)
{
	struct pf_arena arena;
	struct pf_lex l;
	int rc;

	pf_arena_init(&arena);
	begin(&l, inside, &arena, err);
	rc = header(&l, out, err);
	if (rc != PF_OK && err->text[0] == '\0') {
		(void)pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "an envelope that makes no sense");
	}
	pf_arena_deinit(&arena);
	return rc;
}
