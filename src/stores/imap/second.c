/*
 * The second road to a message: when its body does not come, is a stand-in text, or breaks the link
 * each time, it is asked for part by part.
 *
 *   BODYSTRUCTURE -> HEADER -> TEXT -> n.MIME and n, one after the other -> put together
 *                       +----------------> ENVELOPE, to say at least which message it is
 *
 * One section is asked for at a time, alone on its connection, and only once: what breaks the link
 * counts as not to be had. It is the message only if that is proved: by the size that a listing
 * gave where sizes are exact, else by the sizes that the structure gives.
 */
#include "proto/imap/structure.h"
#include "stores/imap/imap_private.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	SECOND_BYTES = 16 << 20, /* of a message that is put together; larger ones are not */
	MISSES_MAX = 3,          /* parts that can't be had: then no more are asked for */
};

enum step { STEP_STRUCTURE, STEP_HEADER, STEP_TEXT, STEP_PARTS, STEP_ENVELOPE };

struct piece {
	struct pf_span bytes; /* in the arena */
	bool got;
};

struct isecond {
	enum step step;
	struct iend end; /* of the first road; this one's, if it leads nowhere either */
	struct pf_arena arena;
	struct pf_imap_structure tree;
	bool has_tree, row; /* the server knows the message */
	struct piece header, text, mime[PF_IMAP_PARTS_MAX], body[PF_IMAP_PARTS_MAX];
	size_t part; /* that is being asked for: its MIME header, or its body */
	bool at_body;
	unsigned int misses;
	uint64_t held; /* bytes in the arena */
	struct pf_buf envelope, whole, rest;
	bool is_whole, told;
};

bool second_begin(struct istore *s, struct iop *op, const struct iend *end)
{
	struct isecond *n;

	if (op->second || op->op.get.part != PF_PART_WHOLE || op->given > 0 ||
		op->op.get.size > SECOND_BYTES || s->closing || s->lost.text[0]) {
		return false;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return false; /* then it ends as it would have without */
	}
	n->end = *end;
	pf_arena_init(&n->arena);
	pf_buf_init(&n->envelope, 65536);
	pf_buf_init(&n->whole, SECOND_BYTES + 65536);
	pf_buf_init(&n->rest, SECOND_BYTES + 65536);
	op->second = n;
	op->alone = true;
	op->sole = true;
	op->tries = 0;
	op_behind(s, op);
	return true;
}

void second_free(struct isecond **second)
{
	struct isecond *n = *second;

	if (n) {
		pf_arena_deinit(&n->arena);
		pf_buf_deinit(&n->envelope);
		pf_buf_deinit(&n->whole);
		pf_buf_deinit(&n->rest);
		free(n);
		*second = NULL;
	}
}

/* ---- asking ---- */

bool second_section(const struct iop *op, char *out, size_t size)
{
	const struct isecond *n = op->second;

	switch (n->step) {
	case STEP_HEADER:
		(void)snprintf(out, size, "HEADER");
		return true;
	case STEP_TEXT:
		(void)snprintf(out, size, "TEXT");
		return true;
	case STEP_PARTS:
		(void)snprintf(
			out, size, "%s%s", n->tree.part[n->part].path, n->at_body ? "" : ".MIME");
		return true;
	default:
		return false;
	}
}

uint64_t second_room(const struct iop *op)
{
	return SECOND_BYTES > op->second->held ? SECOND_BYTES - op->second->held : 0;
}

int second_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_GET, f, err);
	char section[PF_IMAP_PART_PATH + 8];
	struct pf_imap_cmd *cmd;

	op->got = false;
	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_FETCH, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_text(cmd, " ");
	pf_imap_cmd_number(cmd, op->uid);
	if (second_section(op, section, sizeof(section))) {
		pf_imap_cmd_text(cmd, " (UID BODY.PEEK[");
		pf_imap_cmd_text(cmd, section);
		pf_imap_cmd_text(cmd, "])");
	} else {
		pf_imap_cmd_text(cmd, op->second->step == STEP_ENVELOPE ? " (UID ENVELOPE)"
									: " (UID BODYSTRUCTURE)");
	}
	return pf_imap_cmd_send(cmd, false, err);
}

/* ---- what comes ---- */

static struct piece *awaited(struct isecond *n)
{
	switch (n->step) {
	case STEP_HEADER:
		return &n->header;
	case STEP_TEXT:
		return &n->text;
	case STEP_PARTS:
		return n->at_body ? &n->body[n->part] : &n->mime[n->part];
	default:
		return NULL;
	}
}

void second_row(struct iop *op, const struct pf_imap_fetch *f)
{
	struct isecond *n = op->second;

	n->row = true;
	if (n->step == STEP_STRUCTURE && f->structure.p) {
		n->has_tree = pf_imap_structure_parse(f->structure, &n->arena, &n->tree);
		op->got = true;
	} else if (n->step == STEP_ENVELOPE && f->envelope.p) {
		struct pf_err ignored; /* then it has no name */

		if (pf_imap_envelope_header(f->envelope, &n->envelope, &ignored) != PF_OK) {
			pf_buf_clear(&n->envelope);
		}
		op->got = true;
	}
}

int second_body(struct iop *op, struct pf_span bytes, struct pf_err *err)
{
	struct isecond *n = op->second;
	struct piece *p = awaited(n);

	n->row = true;
	if (!p || bytes.n > second_room(op)) {
		return PF_OK;
	}
	p->bytes = pf_arena_span(&n->arena, bytes.n > 0 ? bytes : pf_span("", 0));
	if (!p->bytes.p) {
		return pf_fail_memory(err, "the parts of a message");
	}
	n->held += bytes.n;
	p->got = true;
	op->got = true;
	return PF_OK;
}

/* ---- put together ---- */

static int add(struct pf_buf *out, const struct piece *p, struct pf_err *err)
{
	return p->got ? pf_buf_add(out, p->bytes, err) : PF_OK;
}

/* The part and all within it; *next is the one behind it. A multipart is its parts between
 * delimiters (RFC 2046 section 5.1.1). */
static int add_part(
	const struct isecond *n, size_t at, struct pf_buf *out, size_t *next, struct pf_err *err)
{
	const struct pf_imap_part *p = &n->tree.part[at];
	int len = (int)p->boundary.n;

	*next = at + 1;
	if (!p->multipart) {
		return add(out, &n->body[at], err);
	}
	while (*next < n->tree.n && n->tree.part[*next].depth == p->depth + 1) {
		size_t child = *next;

		if (pf_buf_addf(out, err, "--%.*s\r\n", len, (const char *)p->boundary.p) !=
				PF_OK ||
			add(out, &n->mime[child], err) != PF_OK ||
			add_part(n, child, out, next, err) != PF_OK ||
			pf_buf_add_str(out, "\r\n", err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_buf_addf(out, err, "--%.*s--", len, (const char *)p->boundary.p);
}

static bool parts_match(const struct isecond *n)
{
	for (size_t i = 0; i < n->tree.n; i++) {
		const struct pf_imap_part *p = &n->tree.part[i];

		if ((i > 0 && !n->mime[i].got) || (p->multipart && !p->boundary.p) ||
			(!p->multipart && (!n->body[i].got || n->body[i].bytes.n != p->octets))) {
			return false;
		}
	}
	return n->tree.n > 0;
}

/* Whether a line of the text begins so. */
static bool has_line(struct pf_span text, struct pf_span line)
{
	const uint8_t *at = text.p, *end = text.p + text.n;

	while (at && (size_t)(end - at) >= line.n) {
		if (memcmp(at, line.p, line.n) == 0) {
			return true;
		}
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* Where sizes are estimates: the text holds as much as its structure says, and its end. */
static bool text_matches(const struct isecond *n)
{
	const struct pf_imap_part *root = &n->tree.part[0];
	uint64_t least = 0;
	char close[100];

	if (!n->has_tree) {
		return false;
	}
	if (!root->multipart) {
		return n->text.bytes.n == root->octets;
	}
	for (size_t i = 0; i < n->tree.n; i++) {
		least += n->tree.part[i].octets;
	}
	if (!root->boundary.p || root->boundary.n > 70 || n->text.bytes.n < least) {
		return false;
	}
	(void)snprintf(close, sizeof(close), "--%.*s--", (int)root->boundary.n,
		(const char *)root->boundary.p);
	return has_line(n->text.bytes, pf_span_str(close));
}

/* PF_OK: `whole` is the message, and that is proved; PF_AGAIN: it is not. */
static int judge(const struct istore *s, const struct iop *op, bool by_parts, struct pf_err *err)
{
	struct isecond *n = op->second;
	bool exact = (s->facts.caps & PF_CAP_EXACT_SIZE) && op->op.get.size > 0, good;
	size_t next = 0;

	pf_buf_clear(&n->whole);
	if (add(&n->whole, &n->header, err) != PF_OK ||
		(by_parts ? add_part(n, 0, &n->whole, &next, err)
			  : add(&n->whole, &n->text, err)) != PF_OK) {
		return PF_FAIL;
	}
	if (by_parts && (!exact || op->op.get.size == n->whole.n + 2) &&
		pf_buf_add_str(&n->whole, "\r\n", err) != PF_OK) {
		return PF_FAIL;
	}
	good = by_parts ? parts_match(n) : n->text.got && (exact || text_matches(n));
	good = good && n->header.got && (!exact || n->whole.n == op->op.get.size);
	return good ? PF_OK : PF_AGAIN;
}

/* ---- from step to step ---- */

static void succeed(struct istore *s, struct iop *op)
{
	op->second->is_whole = true;
	op_done(s, op, pf_span(NULL, 0));
}

/* It is not to be had: what there is of it is kept, so that a person knows which one it is. */
static void give_up(struct istore *s, struct iop *op)
{
	struct isecond *n = op->second;
	struct pf_err ignored; /* no memory: then without */
	size_t next = 0;
	int rc = PF_OK;

	if (n->envelope.n > 0) {
		rc = pf_buf_add(&n->rest, pf_buf_span(&n->envelope), &ignored);
	} else if (n->header.got) {
		rc = add(&n->rest, &n->header, &ignored);
		if (rc == PF_OK && n->text.got) {
			rc = add(&n->rest, &n->text, &ignored);
		} else if (rc == PF_OK && n->has_tree) {
			rc = add_part(n, 0, &n->rest, &next, &ignored);
		}
	}
	if (rc != PF_OK) {
		pf_buf_clear(&n->rest);
	}
	if (n->row) { /* it is there, so it is not one that was removed meanwhile */
		n->end.missing = false;
		n->end.refused = true;
	}
	op_failed(s, op, &n->end);
}

static bool is_usable(const struct isecond *n, const struct iop *op)
{
	return n->header.got && n->header.bytes.n > 0 &&
	       !quirks_is_stand_in(n->header.bytes, op->op.get.size);
}

/* The next part behind this one that is to be asked for; false: none. */
static bool next_part(struct isecond *n)
{
	if (n->misses >= MISSES_MAX) {
		return false;
	}
	if (!n->at_body && !n->tree.part[n->part].multipart) {
		n->at_body = true;
		return true;
	}
	n->at_body = false;
	return ++n->part < n->tree.n;
}

/* PF_OK: one more is to be asked for; PF_END: the message is whole; PF_AGAIN: that was all. */
static int advance(const struct istore *s, struct iop *op, struct pf_err *err)
{
	struct isecond *n = op->second;
	int rc;

	switch (n->step) {
	case STEP_STRUCTURE:
		n->step = STEP_HEADER;
		return PF_OK;
	case STEP_HEADER:
		n->step = is_usable(n, op) ? STEP_TEXT : STEP_ENVELOPE;
		return PF_OK;
	case STEP_TEXT:
		rc = judge(s, op, false, err);
		if (rc != PF_AGAIN) {
			return rc == PF_OK ? PF_END : PF_FAIL;
		}
		if (!n->has_tree || !n->tree.part[0].multipart || n->tree.n < 2) {
			return PF_AGAIN;
		}
		n->step = STEP_PARTS;
		n->part = 1; /* the first is the whole, and has no header of its own */
		return PF_OK;
	case STEP_PARTS:
		n->misses += !awaited(n)->got;
		if (next_part(n)) {
			return PF_OK;
		}
		rc = judge(s, op, true, err);
		return rc == PF_OK ? PF_END : rc;
	default:
		return PF_AGAIN;
	}
}

static void go_on(struct istore *s, struct iop *op)
{
	struct pf_err err;
	int rc = advance(s, op, &err);

	if (rc == PF_OK) {
		op_behind(s, op);
	} else if (rc == PF_END) {
		succeed(s, op);
	} else {
		give_up(s, op);
	}
}

void second_done(struct istore *s, struct iop *op, const struct pf_imap_resp *r)
{
	/* The server does not know it any more, and says so twice. */
	if (op->second->step == STEP_STRUCTURE && r->cond == PF_IMAP_OK && !op->second->row) {
		op_failed(s, op, &op->second->end);
		return;
	}
	go_on(s, op);
}

void second_lost(struct istore *s, struct iop *op)
{
	if (s->closing || s->lost.text[0]) {
		op_failed(s, op, &op->second->end);
	} else {
		go_on(s, op);
	}
}

/* ---- told ---- */

bool second_give(struct iop *op, struct pf_store_event *out)
{
	struct isecond *n = op->second;
	struct pf_blob *blob;

	if (!n || !n->is_whole || n->told) {
		return false;
	}
	n->told = true;
	*out = (struct pf_store_event){.op = op->op.id, .pieced = true};
	if (n->whole.n > op->op.get.whole_max) {
		out->kind = PF_STORE_CHUNK;
		out->chunk.bytes = pf_buf_span(&n->whole);
		out->chunk.total = n->whole.n;
		return true;
	}
	blob = pf_blob_new(n->whole.n);
	if (!blob) {
		op->end = n->end; /* as if it had not been tried */
		op->end.failed = true;
		return false;
	}
	memcpy(blob->bytes, n->whole.p, n->whole.n);
	out->kind = PF_STORE_BODY;
	out->body = blob;
	return true;
}

struct pf_span second_rest(const struct iop *op)
{
	return op->second && op->second->rest.n > 0 ? pf_buf_span(&op->second->rest)
						    : pf_span(NULL, 0);
}
