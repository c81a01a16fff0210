#include "stores/mbox/mbox_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file in the making, in the place of another one. */
struct copy {
	struct pf_mbox_sink sink;
	int fd;
	uint64_t at;
	int64_t moved; /* what is behind the changed message, by so much */
	char path[MB_PATH_MAX];
};

static int add(struct pf_mbox_sink *sink, struct pf_span bytes, struct pf_err *err)
{
	struct copy *c = pf_container_of(sink, struct copy, sink);
	int rc = mb_write_at(c->fd, c->at, bytes, err);

	c->at += rc == PF_OK ? bytes.n : 0;
	return rc;
}

static int add_range(
	struct copy *c, struct mb_box *b, uint64_t from, uint64_t to, struct pf_err *err)
{
	uint8_t part[PF_MBOX_CHUNK];
	size_t got = 1;

	for (; from < to && got > 0; from += got) {
		size_t n = to - from < sizeof(part) ? (size_t)(to - from) : sizeof(part);

		if (b->file.src.read_at(&b->file.src, from, part, n, &got, err) != PF_OK ||
			add(&c->sink, pf_span(part, got), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return from == to ? PF_OK
			  : pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_LATER,
				    "%s: it changed meanwhile", b->path);
}

/* A message with other notes in front. Its octets go by way of a file, as it may be large. */
static int add_message(struct copy *c, struct mb_store *s, struct mb_box *b,
	const struct pf_mbox_note *note, struct pf_err *err)
{
	struct mb_file spool;
	uint64_t at = 0;
	size_t n = 1;
	int rc = mb_spool(b->path, &spool, err);

	pf_mbox_open(&s->body, &b->file.src, &s->msg, false);
	while (rc == PF_OK && n > 0) {
		rc = pf_mbox_read(&s->body, s->chunk, &n, err);
		rc = rc == PF_OK ? mb_write_at(spool.fd, at, pf_span(s->chunk, n), err) : rc;
		at += n;
	}
	rc = rc == PF_OK ? pf_mbox_write(&spool.src, note, &c->sink, err) : rc;
	mb_file_close(&spool);
	return rc;
}

/* All messages, but the one at `i`: it is left out, or has `note`. */
static int copy_file(struct mb_store *s, struct mb_box *b, size_t i,
	const struct pf_mbox_note *note, struct copy *c, struct pf_err *err)
{
	uint64_t size = (uint64_t)b->as_of.st_size;
	uint64_t from = b->v[i].from, next = i + 1 < b->n ? b->v[i + 1].from : size;

	if (add_range(c, b, 0, from, err) != PF_OK ||
		(note && add_message(c, s, b, note, err) != PF_OK)) {
		return PF_FAIL;
	}
	c->moved = (int64_t)c->at - (int64_t)next;
	if (add_range(c, b, next, size, err) != PF_OK) {
		return PF_FAIL;
	}
	return fchmod(c->fd, b->as_of.st_mode & 07777) == 0 && fsync(c->fd) == 0
		       ? PF_OK
		       : mb_fail_write(c->path, err);
}

/* The new file in the old one's place, and what is known of it. */
static int put_in_place(struct mb_box *b, size_t i, struct copy *c, struct pf_err *err)
{
	if (rename(c->path, b->path) != 0) {
		return mb_fail_write(b->path, err);
	}
	mb_file_close(&b->file);
	b->file.fd = c->fd;
	c->fd = -1;
	for (size_t k = i + 1; k < b->n; k++) {
		b->v[k].from = (uint64_t)((int64_t)b->v[k].from + c->moved);
	}
	return mb_seen(b, err) == PF_OK ? mb_sync_dir(b->path, err) : PF_FAIL;
}

static int rewrite(struct mb_store *s, struct mb_box *b, size_t i, const struct pf_mbox_note *note,
	struct pf_err *err)
{
	struct copy c = {.sink = {add}};
	int rc;

	mb_beside(b->path, ".new", c.path);
	c.fd = open(c.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (c.fd < 0) {
		return mb_fail_write(c.path, err);
	}
	rc = copy_file(s, b, i, note, &c, err);
	rc = rc == PF_OK ? put_in_place(b, i, &c, err) : rc;
	if (c.fd >= 0) {
		(void)close(c.fd);
		(void)unlink(c.path); /* a rest of it is nobody's mailbox */
	}
	return rc;
}

/* Where the change can be made in place: the file keeps its length, and it is one write. */
static int change_notes(struct mb_store *s, struct mb_box *b, size_t i, uint32_t marks,
	struct pf_span keywords, struct pf_err *err)
{
	const struct pf_mbox_note note = {.date_utc_s = s->msg.has_date ? s->msg.date_utc_s : 0,
		.marks = marks,
		.keywords = keywords};
	struct pf_buf notes;
	int rc;

	pf_buf_init(&notes, MB_TEXT_MAX);
	rc = s->msg.ours ? pf_mbox_notes(&s->msg, marks, keywords, &notes, err) : PF_OK;
	if (rc == PF_OK && s->msg.ours && notes.n == s->msg.begin - s->msg.notes) {
		rc = mb_write_at(b->file.fd, s->msg.notes, pf_buf_span(&notes), err);
		rc = rc == PF_OK && fdatasync(b->file.fd) != 0 ? mb_fail_write(b->path, err) : rc;
		rc = rc == PF_OK ? mb_seen(b, err) : rc;
	} else if (rc == PF_OK) {
		rc = rewrite(s, b, i, &note, err);
	}
	pf_buf_deinit(&notes);
	return rc;
}

/* ---- FLAGS ---- */

static int changed_keywords(
	const struct mb_message *m, const struct pf_op *op, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span rest, word;
	int rc = PF_OK;

	for (rest = pf_span_str(m->keywords); rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = word.n == 0 || pf_keywords_has(op->flags.del.kw, word)
			     ? PF_OK
			     : pf_keywords_add(out, word, err);
	}
	for (rest = op->flags.add.kw; rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = pf_keywords_add(out, word, err);
	}
	return rc;
}

static int change_flags(
	struct mb_store *s, const struct pf_op *op, struct mb_box *b, size_t i, struct pf_err *err)
{
	struct mb_message *m = &b->v[i];
	uint32_t marks = (m->marks | mb_marks(op->flags.add.sys)) & ~mb_marks(op->flags.del.sys);
	char *copy;

	pf_buf_clear(&s->words);
	pf_mbox_seek(b->scan, m->from);
	if (changed_keywords(m, op, &s->words, err) != PF_OK ||
		pf_mbox_next(b->scan, &s->msg, err) != PF_OK ||
		change_notes(s, b, i, marks, pf_buf_span(&s->words), err) != PF_OK) {
		return PF_FAIL;
	}
	copy = strndup(s->words.n > 0 ? (const char *)s->words.p : "", s->words.n);
	if (!copy) {
		return pf_fail_memory(err, "a listing");
	}
	free(m->keywords);
	m->keywords = copy;
	m->marks = marks;
	return PF_OK;
}

int mb_step_flags(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct mb_box *b;
	size_t i;
	int rc;

	if (mb_enter(s, op->folder, false, &b, err) != PF_OK) {
		return PF_FAIL;
	}
	i = mb_find(b, op->item);
	if (i == b->n) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "the message is not there any more");
	}
	if (mb_lock(b, true, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = change_flags(s, op, b, i, err);
	mb_unlock(b);
	if (rc != PF_OK) {
		mb_box_close(b);
		return PF_FAIL;
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

/* ---- REMOVE ---- */

int mb_step_remove(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct mb_box *b;
	size_t i;
	int rc;

	if (mb_enter(s, op->folder, false, &b, err) != PF_OK) {
		return PF_FAIL;
	}
	i = mb_find(b, op->item);
	if (i < b->n) { /* gone is gone */
		rc = mb_lock(b, true, err);
		rc = rc == PF_OK ? rewrite(s, b, i, NULL, err) : rc;
		if (rc != PF_OK) {
			mb_box_close(b);
			return PF_FAIL;
		}
		mb_unlock(b);
		mb_forget(b, i);
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}
