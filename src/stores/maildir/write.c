/*
 * Messages are stored: each is in tmp until it is whole and on disk, then in cur. Many are waited
 * for together, see stores/files.h.
 */
#include "stores/maildir/maildir_private.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static struct md_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct md_store, base);
}

int md_make(const char *folder, struct pf_err *err)
{
	static const char *const SUBS[] = {"", "/cur", "/new", "/tmp"};
	char path[MD_PATH_MAX];
	bool made = false;

	for (size_t i = 0; i < PF_COUNT(SUBS); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", folder, SUBS[i]);
		if (mkdir(path, 0700) == 0) {
			made = true;
		} else if (errno != EEXIST) {
			return pf_file_fail(path, err);
		}
	}
	return !made || (pf_dir_sync(folder, err) == PF_OK &&
				pf_dir_sync_above(folder, err) == PF_OK)
		       ? PF_OK
		       : PF_FAIL;
}

static int begin(struct md_store *s, const char *dir, struct pf_err *err)
{
	char tmp[MD_PATH_MAX], name[128];

	pf_file_name(++s->serial, name);
	(void)snprintf(tmp, sizeof(tmp), "%.3800s/tmp/%s", dir, name);
	return pf_file_begin(&s->writing, tmp, err);
}

/* It is whole: PF_END, as it is held. */
static int hold(struct md_store *s, const struct pf_op *op, const char *dir, struct pf_err *err)
{
	char info[64], to[MD_PATH_MAX];

	if (md_keywords_read(dir, &s->kw, err) != PF_OK ||
		md_info_for(s, dir, &op->put.flags, info, err) != PF_OK ||
		(op->put.date_utc_s != PF_DATE_NONE &&
			pf_file_date(&s->writing, op->put.date_utc_s, err) != PF_OK)) {
		return PF_FAIL;
	}
	(void)snprintf(to, sizeof(to), "%.3800s/cur%s%s", dir, strrchr(s->writing.tmp, '/'), info);
	return pf_files_take(&s->written, &s->writing, to, false, err) == PF_OK ? PF_END : PF_FAIL;
}

int md_step_put(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	char dir[MD_PATH_MAX];
	int rc;

	md_dir_of(s, op->folder, dir);
	if (!s->base.begun) {
		s->base.begun = true;
		if (begin(s, dir, err) != PF_OK) {
			return PF_FAIL;
		}
		if (op->put.body) {
			return pf_file_add(&s->writing, pf_blob_span(op->put.body), err) == PF_OK
				       ? hold(s, op, dir, err)
				       : PF_FAIL;
		}
	}
	rc = pf_serial_fed(&s->base, op, out, err);
	return rc == PF_END ? hold(s, op, dir, err) : rc;
}

void md_settle(struct pf_serial *base)
{
	pf_files_settle(&store_of(base)->written, NULL, NULL);
}

/* "cur/NAME" */
static const char *below_folder(const char *path)
{
	const char *file = strrchr(path, '/');

	while (file > path && file[-1] != '/') {
		file--;
	}
	return file;
}

/* It is in cur, and its id is told. */
static int stored(struct md_store *s, const struct pf_op *op, const char *to, struct pf_err *err)
{
	char dir[MD_PATH_MAX];
	const char *file = below_folder(to);

	md_dir_of(s, op->folder, dir);
	if (s->dir[0] && strcmp(dir, s->dir) == 0 && md_list_note(&s->list, file, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_buf_clear(&s->id_out);
	return pf_buf_add(&s->id_out, md_id_of(file), err);
}

void md_settled(
	struct pf_serial *base, size_t i, const struct pf_op *op, struct pf_store_event *out)
{
	struct md_store *s = store_of(base);
	struct pf_file *f = &s->written.v[i];

	if (f->rc == PF_OK && stored(s, op, f->to, &f->why) != PF_OK) {
		f->in_doubt = true;
	}
	if (f->in_doubt) {
		pf_serial_end_in_doubt(base, out, &f->why);
	} else if (f->rc != PF_OK) {
		pf_serial_end(base, out, &f->why);
	} else {
		pf_serial_end(base, out, NULL);
		out->id = pf_buf_span(&s->id_out);
	}
	if (i + 1 == s->written.n) {
		pf_files_clear(&s->written);
	}
}
