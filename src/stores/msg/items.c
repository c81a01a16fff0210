#include "base/memo.h"
#include "convert/mapi_open.h"
#include "proto/msg/msg.h"
#include "stores/msg/msg_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than this in one file is not taken into memory. */
#define FILE_MAX ((size_t)1 << 30)

/* ---- files ---- */

static int fail_read(const char *what, struct pf_err *err)
{
	return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s the file", what);
}

static int read_bytes(int fd, struct ms_read *r, struct pf_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return fail_read("looking at", err);
	}
	if (!S_ISREG(st.st_mode)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "it is no file");
	}
	if ((uint64_t)st.st_size > FILE_MAX) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the item is larger than 1 GiB, more than can be converted");
	}
	if (pf_buf_reserve(&r->bytes, (size_t)st.st_size + 1, err) != PF_OK) {
		return PF_FAIL;
	}
	while (r->bytes.n < (size_t)st.st_size) {
		ssize_t n = read(fd, r->bytes.p + r->bytes.n, (size_t)st.st_size - r->bytes.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return fail_read("reading", err);
		}
		if (n == 0) {
			break; /* it was cut just now: that shows in what is read */
		}
		r->bytes.n += (size_t)n;
	}
	return PF_OK;
}

static int read_item(struct ms_read *r, struct pf_err *err)
{
	struct pf_mapi_notes *notes = pf_arena_alloc(&r->arena, sizeof(*notes));

	r->item = pf_mapi_new(&r->arena);
	if (!r->item || !notes) {
		return pf_fail_memory(err, "an item");
	}
	if (pf_msg_read(pf_buf_span(&r->bytes), r->item, notes, err) != PF_OK) {
		return PF_FAIL;
	}
	return notes->broken == 0 ? PF_OK
				  : pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
					    "the file is damaged: %s", pf_mapi_broken_text(notes));
}

int ms_read_file(const char *path, struct ms_read *r, struct pf_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	int rc;

	*r = (struct ms_read){.item = NULL};
	pf_buf_init(&r->bytes, FILE_MAX + 1);
	pf_arena_init(&r->arena);
	if (fd < 0 && errno == EPERM) { /* only its owner may leave the time as it is */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0) {
		return errno == ENOENT ? PF_END : fail_read("opening", err);
	}
	rc = read_bytes(fd, r, err);
	(void)close(fd);
	return rc == PF_OK ? read_item(r, err) : rc;
}

void ms_read_deinit(struct ms_read *r)
{
	pf_buf_deinit(&r->bytes);
	pf_arena_deinit(&r->arena);
}

/* ---- LIST ---- */

static void look(struct ms_store *s, const struct ms_read *r, struct ms_look *out)
{
	struct pf_flags flags = {0};
	struct pf_err ignored; /* no memory: GET tells it */

	out->kind = (uint32_t)pf_mapi_kind(pf_mapi_class(r->item));
	out->date_utc_s = pf_mapi_date(&r->item->props);
	if (out->kind == PF_KIND_MAIL &&
		pf_mapi_flags(&r->item->props, &s->words, &flags, &ignored) == PF_OK &&
		flags.kw.n <= sizeof(out->keywords)) {
		out->flags = flags.sys;
		out->keywords_n = (uint8_t)flags.kw.n;
		memcpy(out->keywords, flags.kw.n > 0 ? (const char *)flags.kw.p : "", flags.kw.n);
	}
}

int ms_look_at(struct ms_store *s, const char *path, struct stat *st, struct ms_look *out)
{
	char state[MS_PATH_MAX + 80];
	struct pf_span key;
	struct ms_read r;
	struct pf_err ignored; /* GET tells it */
	int rc;

	if (stat(path, st) != 0) {
		*st = (struct stat){0};
		if (errno == ENOENT) {
			return PF_END;
		}
	}
	(void)snprintf(state, sizeof(state), "msg:%lld.%09ld-%lld:%s",
		(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (long long)st->st_size, path);
	key = pf_span_str(state);
	if (pf_memo_get(s->base.cfg->memo, key, out, sizeof(*out))) {
		return PF_OK;
	}
	memset(out, 0, sizeof(*out)); /* its gaps are kept as well */
	out->kind = PF_KIND_MAIL;
	out->date_utc_s = PF_DATE_NONE;
	rc = ms_read_file(path, &r, &ignored);
	if (rc == PF_OK) {
		look(s, &r, out);
	}
	ms_read_deinit(&r);
	if (rc == PF_END) {
		return rc;
	}
	pf_memo_put(s->base.cfg->memo, key, out, sizeof(*out));
	return PF_OK;
}

/* PF_AGAIN: it is of another kind, or gone. */
static int list_file(struct ms_store *s, const struct pf_op *op, const char *dir, enum pf_kind kind,
	struct pf_store_event *out, struct pf_err *err)
{
	const char *name = s->files.v[s->at++];
	struct ms_look *found = &s->look_out;
	char path[MS_PATH_MAX];
	struct stat st;
	int rc = ms_path_of(s, dir, pf_span_str(name), path, err);

	if (rc != PF_OK) {
		return rc;
	}
	if (ms_look_at(s, path, &st, found) != PF_OK || found->kind != (uint32_t)kind) {
		return PF_AGAIN;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
	(void)snprintf(s->id_out, sizeof(s->id_out), "%s", name);
	out->item.id = pf_span_str(s->id_out);
	out->item.size = (uint64_t)st.st_size;
	out->item.date_utc_s = found->date_utc_s;
	out->item.flags.sys = found->flags;
	out->item.flags.kw = pf_span(found->keywords, found->keywords_n);
	(void)snprintf(s->version_out, sizeof(s->version_out), "%lld.%09ld-%zu",
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (size_t)st.st_size);
	out->item.version = pf_span_str(s->version_out);
	return PF_OK;
}

int ms_step_list(
	struct ms_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	enum pf_kind kind = PF_KIND_MAIL;
	const char *dir = "";

	if (!ms_folder_of(op->folder, &kind, &dir)) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "there is no such folder");
	}
	if (!s->base.begun) {
		s->base.begun = true;
		s->at = 0;
		if (ms_list(s, dir, &s->files, err) != PF_OK) {
			return PF_FAIL;
		}
		s->folder_out = (struct pf_folder){.id = op->folder, .has_state = true};
		*out = (struct pf_store_event){
			.kind = PF_STORE_STATE, .op = op->id, .folder = &s->folder_out};
		return PF_OK;
	}
	while (s->at < s->files.n) {
		int rc = list_file(s, op, dir, kind, out, err);

		if (rc != PF_AGAIN) {
			return rc;
		}
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

/* ---- GET ---- */

static int convert(struct ms_store *s, const struct pf_op *op, struct pf_err *err)
{
	enum pf_kind kind = PF_KIND_MAIL;
	const char *dir = "";
	char path[MS_PATH_MAX], key[PF_MAPI_KEY_MAX];
	struct ms_read r;
	int rc;

	if (!ms_folder_of(op->folder, &kind, &dir)) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "there is no such folder");
	}
	if (ms_path_of(s, dir, op->item, path, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = ms_read_file(path, &r, err);
	if (rc == PF_OK && pf_mapi_kind(pf_mapi_class(r.item)) != kind) {
		rc = PF_END; /* it holds another item now */
	}
	rc = rc == PF_OK ? pf_mapi_form_key("msg", pf_buf_span(&r.bytes), key, err) : rc;
	rc = rc == PF_OK ? pf_mapi_form_make(&s->form, s->base.cfg, r.item, pf_span_str(key),
				   pf_span(NULL, 0), err)
			 : rc;
	rc = rc == PF_OK ? pf_mapi_form_keep(&s->form, s->base.cfg, r.item, pf_buf_span(&r.bytes),
				   ".msg", err)
			 : rc;
	ms_read_deinit(&r);
	return rc;
}

int ms_step_get(
	struct ms_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	if (!s->base.begun) {
		int rc = convert(s, op, err);

		if (rc == PF_END) {
			pf_serial_missing(&s->base, out);
			return PF_OK;
		}
		if (rc != PF_OK) {
			return rc;
		}
		s->base.begun = true;
	}
	return pf_mapi_form_give(&s->form, &s->base, op, out, err);
}
