/*
 * Mailboxes: whatever the octets, messages lie one behind the other within them, and give no more
 * than line ends can add. Any octets can be written as a message, in front of which the flags can
 * be changed, and come back.
 */
#include "proto/mbox/mbox.h"

#include <stdlib.h>

enum { ROOM = 1 << 26 };

struct memory {
	struct pf_mbox_src src;
	struct pf_mbox_sink sink;
	struct pf_buf bytes;
};

static int read_at(struct pf_mbox_src *src, uint64_t at, uint8_t *into, size_t n, size_t *got,
	struct pf_err *err)
{
	const struct memory *m = pf_container_of(src, struct memory, src);
	size_t left = at < m->bytes.n ? m->bytes.n - (size_t)at : 0;

	(void)err;
	*got = left < n ? left : n;
	if (*got > 0) {
		memcpy(into, m->bytes.p + at, *got);
	}
	return PF_OK;
}

static int write_bytes(struct pf_mbox_sink *sink, struct pf_span bytes, struct pf_err *err)
{
	return pf_buf_add(&pf_container_of(sink, struct memory, sink)->bytes, bytes, err);
}

static void init(struct memory *m, struct pf_span bytes)
{
	struct pf_err err;

	*m = (struct memory){.src = {read_at}, .sink = {write_bytes}};
	pf_buf_init(&m->bytes, ROOM);
	pf_assert(pf_buf_add(&m->bytes, bytes, &err) == PF_OK);
}

static void body_of(struct memory *m, const struct pf_mbox_msg *msg, struct pf_buf *out)
{
	static struct pf_mbox_body b;
	static uint8_t part[PF_MBOX_OUT];
	struct pf_err err;
	size_t n = 1;

	pf_buf_init(out, ROOM);
	for (pf_mbox_open(&b, &m->src, msg, false); n > 0;) {
		pf_assert(pf_mbox_read(&b, part, &n, &err) == PF_OK && n <= sizeof(part));
		pf_assert(pf_buf_add(out, pf_span(part, n), &err) == PF_OK);
	}
}

static void any_mailbox(struct pf_span in)
{
	struct memory m;
	struct pf_mbox *box;
	struct pf_mbox_msg msg;
	struct pf_buf body;
	struct pf_err err;
	uint64_t last = 0;
	int rc;

	init(&m, in);
	box = pf_mbox_new(&m.src);
	pf_assert(box != NULL);
	while ((rc = pf_mbox_next(box, &msg, &err)) == PF_OK) {
		pf_assert(msg.from >= last && msg.from < msg.notes && msg.notes <= msg.begin);
		pf_assert(msg.begin <= msg.end && msg.end <= in.n);
		last = msg.end;
		body_of(&m, &msg, &body);
		pf_assert(body.n <= 2 * (msg.end - msg.begin));
		pf_buf_deinit(&body);
	}
	pf_assert(rc != PF_END || pf_mbox_whole(box) <= in.n);
	pf_mbox_free(&box);
	pf_buf_deinit(&m.bytes);
}

static void any_message(struct pf_span in)
{
	const struct pf_mbox_note note = {
		.date_utc_s = 1794650400, .keywords = pf_span_str("Work")};
	struct memory m, file;
	struct pf_mbox *box;
	struct pf_mbox_msg msg;
	struct pf_buf body, notes;
	struct pf_err err;

	init(&m, in);
	init(&file, pf_span(NULL, 0));
	pf_assert(pf_mbox_write(&m.src, &note, &file.sink, &err) == PF_OK);
	pf_assert(pf_mbox_write(&m.src, &note, &file.sink, &err) == PF_OK);
	box = pf_mbox_new(&file.src);
	pf_assert(box != NULL);
	for (int i = 0; i < 2; i++) {
		pf_assert(pf_mbox_next(box, &msg, &err) == PF_OK && msg.ours);
		body_of(&file, &msg, &body);
		pf_assert(pf_span_eq(pf_buf_span(&body), in));
		pf_buf_deinit(&body);
	}
	pf_buf_init(&notes, ROOM);
	pf_assert(pf_mbox_notes(&msg, PF_MBOX_SEEN, pf_span_str("Work b"), &notes, &err) == PF_OK);
	pf_assert(notes.n == msg.begin - msg.notes);
	pf_assert(pf_mbox_next(box, &msg, &err) == PF_END);
	pf_assert(pf_mbox_whole(box) == file.bytes.n);
	pf_buf_deinit(&notes);
	pf_mbox_free(&box);
	pf_buf_deinit(&file.bytes);
	pf_buf_deinit(&m.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	any_mailbox(pf_span(data, size));
	any_message(pf_span(data, size));
	return 0;
}
