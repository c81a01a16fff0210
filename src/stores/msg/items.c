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
	r->mtime_s = st.st_mtim.tv_sec;
	r->mtime_ns = st.st_mtim.tv_nsec;
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

uint32_t ms_kind_of(const char *path)
{
	struct ms_read r;
	struct pf_err ignored; /* GET tells it */
	int rc = ms_read_file(path, &r, &ignored);
	uint32_t kind = rc == PF_OK    ? (uint32_t)pf_mapi_kind(pf_mapi_class(r.item))
			: rc == PF_END ? 0
				       : (uint32_t)PF_KIND_MAIL;

	ms_read_deinit(&r);
	return kind;
}

/* ---- LIST ---- */

/* What was read of a file that is listed. */
static int give_item(struct ms_store *s, const struct ms_read *r, bool whole, enum pf_kind kind,
	struct pf_store_event *out, struct pf_err *err)
{
	out->item.size = r->bytes.n;
	out->item.date_utc_s = PF_DATE_NONE;
	(void)snprintf(s->version_out, sizeof(s->version_out), "%lld.%09ld-%zu",
		(long long)r->mtime_s, r->mtime_ns, r->bytes.n);
	out->item.version = pf_span_str(s->version_out);
	if (!whole) {
		return PF_OK;
	}
	out->item.date_utc_s = pf_mapi_date(&r->item->props);
	return kind == PF_KIND_MAIL
		       ? pf_mapi_flags(&r->item->props, &s->words, &out->item.flags, err)
		       : PF_OK;
}

/* PF_AGAIN: it is of another kind, or gone. */
static int list_file(struct ms_store *s, const struct pf_op *op, const char *dir, enum pf_kind kind,
	struct pf_store_event *out, struct pf_err *err)
{
	const char *name = s->files.v[s->at++];
	char path[MS_PATH_MAX];
	struct ms_read r;
	struct pf_err ignored; /* GET tells it */
	int rc = ms_path_of(s, dir, pf_span_str(name), path, err);
	bool whole;

	if (rc != PF_OK) {
		return rc;
	}
	rc = ms_read_file(path, &r, &ignored);
	whole = rc == PF_OK;
	if (rc == PF_END || (whole ? pf_mapi_kind(pf_mapi_class(r.item)) : PF_KIND_MAIL) != kind) {
		ms_read_deinit(&r);
		return PF_AGAIN;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
	(void)snprintf(s->id_out, sizeof(s->id_out), "%s", name);
	out->item.id = pf_span_str(s->id_out);
	rc = give_item(s, &r, whole, kind, out, err);
	ms_read_deinit(&r);
	return rc;
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
