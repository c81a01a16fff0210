#include "stores/mbox/mbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct {
	uint32_t mark, flag;
} MARKS[] = {
	{PF_MBOX_SEEN, PF_FLAG_SEEN},
	{PF_MBOX_ANSWERED, PF_FLAG_ANSWERED},
	{PF_MBOX_FLAGGED, PF_FLAG_FLAGGED},
	{PF_MBOX_DELETED, PF_FLAG_DELETED},
	{PF_MBOX_DRAFT, PF_FLAG_DRAFT},
};

uint32_t mb_marks(uint32_t sys)
{
	uint32_t marks = 0;

	for (size_t i = 0; i < PF_COUNT(MARKS); i++) {
		marks |= sys & MARKS[i].flag ? MARKS[i].mark : 0;
	}
	return marks;
}

static uint32_t flags_of(uint32_t marks)
{
	uint32_t sys = 0;

	for (size_t i = 0; i < PF_COUNT(MARKS); i++) {
		sys |= marks & MARKS[i].mark ? MARKS[i].flag : 0;
	}
	return sys;
}

/* ---- LIST ---- */

static int give_state(struct mb_store *s, const struct pf_op *op, const struct mb_box *b,
	struct pf_store_event *out)
{
	s->folder_out = (struct pf_folder){.id = op->folder, .has_state = true};
	s->folder_out.state.count = b->n;
	*out = (struct pf_store_event){
		.kind = PF_STORE_STATE, .op = op->id, .folder = &s->folder_out};
	out->permitted_sys = PF_FLAGS_ALL;
	out->permitted_any = true;
	return PF_OK;
}

/* Keywords as the file has them, in the canonical list. */
static int keywords_of(const struct mb_message *m, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span rest = pf_span_str(m->keywords), word;
	int rc = PF_OK;

	pf_buf_clear(out);
	while (rc == PF_OK && pf_keywords_next(&rest, &word)) {
		rc = word.n > 0 ? pf_keywords_add(out, word, err) : PF_OK;
	}
	return rc;
}

int mb_step_list(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	const struct mb_message *m;
	struct mb_box *b;

	if (mb_enter(s, op->folder, !s->base.begun, &b, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!s->base.begun) {
		s->base.begun = true;
		return give_state(s, op, b, out);
	}
	if (s->at >= b->n) {
		pf_serial_end(&s->base, out, NULL);
		return PF_OK;
	}
	m = &b->v[s->at++];
	if (keywords_of(m, &s->words, err) != PF_OK) {
		return PF_FAIL;
	}
	mb_id(m, s->id_out);
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
	out->item.id = pf_span_str(s->id_out);
	out->item.size = m->size;
	out->item.date_utc_s = m->date_utc_s;
	out->item.flags = (struct pf_flags){flags_of(m->marks), pf_buf_span(&s->words)};
	return PF_OK;
}

/* ---- GET ---- */

static int fail_changed(struct pf_err *err)
{
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER, "the file changed while it was read");
}

/* How long the header is, as given out. */
static int measure_header(struct mb_store *s, struct mb_box *b, struct pf_err *err)
{
	size_t n = 1;

	s->total = 0;
	for (pf_mbox_open(&s->body, &b->file.src, &s->msg, true); n > 0; s->total += n) {
		if (pf_mbox_read(&s->body, s->chunk, &n, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int open_message(struct mb_store *s, const struct pf_op *op, bool *found, struct pf_err *err)
{
	bool header = op->get.part == PF_PART_HEADER;
	struct mb_box *b;
	size_t i;

	if (mb_enter(s, op->folder, false, &b, err) != PF_OK) {
		return PF_FAIL;
	}
	i = mb_find(b, op->item);
	*found = i < b->n;
	if (!*found) {
		return PF_OK;
	}
	s->want = b->v[i];
	s->want.keywords = NULL;
	s->total = s->want.size;
	s->hash = header ? NULL : pf_hash_new();
	if (!header && !s->hash) {
		return pf_fail_memory(err, "a message");
	}
	pf_mbox_seek(b->scan, b->v[i].from);
	if (pf_mbox_next(b->scan, &s->msg, err) != PF_OK ||
		(header && measure_header(s, b, err) != PF_OK)) {
		return fail_changed(err);
	}
	pf_mbox_open(&s->body, &b->file.src, &s->msg, header);
	return PF_OK;
}

int mb_give(struct mb_store *s, struct pf_span *part, struct pf_err *err)
{
	struct pf_digest d;
	size_t n = 0;

	if (pf_mbox_read(&s->body, s->chunk, &n, err) != PF_OK) {
		return PF_FAIL;
	}
	*part = pf_span(s->chunk, n);
	if (s->hash && n > 0) {
		pf_hash_add(s->hash, *part);
	} else if (s->hash) { /* at its end it must be what was listed */
		pf_hash_take(s->hash, &d);
		if (memcmp(d.b, s->want.digest, sizeof(s->want.digest)) != 0) {
			return fail_changed(err);
		}
	}
	return PF_OK;
}

int mb_step_get(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	bool found = true;

	if (!s->base.begun) {
		s->base.begun = true;
		if (open_message(s, op, &found, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!found) {
		pf_serial_missing(&s->base, out);
		return PF_OK;
	}
	return pf_serial_give(&s->base, op, s->total, out, err);
}

/* ---- writing ---- */

int mb_fail_write(const char *path, struct pf_err *err)
{
	int rc = pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);

	if (err->sys == ENOSPC || err->sys == EDQUOT) {
		err->number = PF_EV_TARGET_FULL;
		err->retry = PF_RETRY_LATER;
	}
	return rc;
}

int mb_write_at(int fd, uint64_t at, struct pf_span bytes, struct pf_err *err)
{
	while (bytes.n > 0) {
		ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return mb_fail_write("a mailbox", err);
		}
		bytes = pf_span_from(bytes, (size_t)n);
		at += (uint64_t)n;
	}
	return PF_OK;
}

int mb_spool(const char *path, struct mb_file *out, struct pf_err *err)
{
	char name[MB_PATH_MAX];

	mb_beside(path, ".XXXXXX", name);
	mb_file_init(out);
	out->fd = mkostemp(name, O_CLOEXEC);
	if (out->fd < 0 || unlink(name) != 0) {
		return mb_fail_write(name, err);
	}
	return PF_OK;
}

/* ---- PUT ---- */

/* Octets in memory, as a source. */
struct memory {
	struct pf_mbox_src src;
	struct pf_span bytes;
};

static int read_memory(struct pf_mbox_src *src, uint64_t at, uint8_t *into, size_t n, size_t *got,
	struct pf_err *err)
{
	const struct memory *m = pf_container_of(src, struct memory, src);
	struct pf_span rest = pf_span_from(m->bytes, at < m->bytes.n ? (size_t)at : m->bytes.n);

	(void)err;
	*got = rest.n < n ? rest.n : n;
	if (*got > 0) {
		memcpy(into, rest.p, *got);
	}
	return PF_OK;
}

struct appender {
	struct pf_mbox_sink sink;
	int fd;
	uint64_t at;
};

static int append(struct pf_mbox_sink *sink, struct pf_span bytes, struct pf_err *err)
{
	struct appender *a = pf_container_of(sink, struct appender, sink);
	int rc = mb_write_at(a->fd, a->at, bytes, err);

	a->at += rc == PF_OK ? bytes.n : 0;
	return rc;
}

/* How long the file is while octets are added to it, for a run after this one was killed. */
static int note_length(const char *path, uint64_t length, struct pf_err *err)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fprintf(f, "%llu\n", (unsigned long long)length) > 0;

	if (f) {
		ok = fclose(f) == 0 && ok;
	}
	return ok ? PF_OK : mb_fail_write(path, err);
}

/* A file of others may end without the blank line that goes before a "From " line. */
static int end_last(struct mb_box *b, uint64_t length, struct appender *a, struct pf_err *err)
{
	uint8_t tail[2] = {'\n', '\n'};
	size_t got = 0, n = length < 2 ? (size_t)length : 2;

	if (b->file.src.read_at(&b->file.src, length - n, tail + 2 - n, n, &got, err) != PF_OK) {
		return PF_FAIL;
	}
	n = length == 0 ? 0 : tail[1] != '\n' ? 2 : tail[0] != '\n' ? 1 : 0;
	return append(&a->sink, pf_span("\n\n", n), err);
}

static int append_message(struct mb_store *s, const struct pf_op *op, struct mb_box *b,
	uint64_t *from, struct pf_err *err)
{
	struct memory memory = {{read_memory}, pf_blob_span(op->put.body)};
	struct appender a = {{append}, b->file.fd, (uint64_t)b->as_of.st_size};
	const struct pf_mbox_note note = {
		.date_utc_s = op->put.date_utc_s == PF_DATE_NONE ? (int64_t)time(NULL)
								 : op->put.date_utc_s,
		.marks = mb_marks(op->put.flags.sys),
		.keywords = op->put.flags.kw,
	};

	if (end_last(b, a.at, &a, err) != PF_OK) {
		return PF_FAIL;
	}
	*from = a.at;
	if (pf_mbox_write(op->put.body ? &memory.src : &s->spool.src, &note, &a.sink, err) !=
		PF_OK) {
		return PF_FAIL;
	}
	return fdatasync(b->file.fd) == 0 ? PF_OK : mb_fail_write(b->path, err);
}

static int store_message(
	struct mb_store *s, const struct pf_op *op, struct mb_box *b, struct pf_err *err)
{
	uint64_t length = (uint64_t)b->as_of.st_size, from = 0;
	char journal[MB_PATH_MAX];
	int rc;

	mb_beside(b->path, "", journal);
	if (note_length(journal, length, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = append_message(s, op, b, &from, err);
	if (rc != PF_OK && ftruncate(b->file.fd, (off_t)length) != 0) {
		return rc; /* the next run takes it off */
	}
	(void)unlink(journal); /* one that is left is looked at, and then does nothing */
	return rc == PF_OK && mb_add_known(b, from, err) == PF_OK ? mb_seen(b, err) : PF_FAIL;
}

static int commit(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct mb_box *b;
	int rc;

	if (op->put.date_utc_s != PF_DATE_NONE &&
		(op->put.date_utc_s < -62167219200 || op->put.date_utc_s > 253402300799)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "no date of the years 0 to 9999");
	}
	if (mb_enter(s, op->folder, false, &b, err) != PF_OK || mb_lock(b, true, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = store_message(s, op, b, err);
	mb_unlock(b);
	if (rc != PF_OK) {
		mb_box_close(b);
		return PF_FAIL;
	}
	mb_id(&b->v[b->n - 1], s->id_out);
	pf_serial_end(&s->base, out, NULL);
	out->id = pf_span_str(s->id_out);
	return PF_OK;
}

int mb_step_put(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	char path[MB_PATH_MAX];
	int rc;

	if (op->put.body) {
		return commit(s, op, out, err);
	}
	if (!s->base.begun) {
		s->base.begun = true;
		mb_path_of(s, op->folder, path);
		if (mb_spool(path, &s->spool, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	rc = pf_serial_fed(&s->base, op, out, err);
	return rc == PF_END ? commit(s, op, out, err) : rc;
}

int mb_take(struct mb_store *s, struct pf_span part, struct pf_err *err)
{
	int rc = mb_write_at(s->spool.fd, s->spooled, part, err);

	s->spooled += part.n;
	return rc;
}
