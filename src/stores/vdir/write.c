/*
 * Items are stored, many together (stores/files.h), and removed.
 */
#include "stores/vdir/vdir_private.h"

#include <stdio.h>
#include <unistd.h>

static struct vd_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct vd_store, base);
}

void vd_tmp_of(struct vd_store *s, const char *dir, char out[VD_PATH_MAX])
{
	char name[128];

	pf_file_name(++s->serial, name);
	(void)snprintf(out, VD_PATH_MAX, "%.3700s/.%s.tmp", dir, name);
}

static void conflict(
	struct vd_store *s, struct pf_store_event *out, enum pf_conflict what, const char *path)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "%s: %s", path,
		what == PF_CONFLICT_NAME ? "there is an item of that name"
					 : "it was changed or removed meanwhile");
	pf_serial_end(&s->base, out, &why);
	out->failed.refused = true;
	out->failed.conflict = what;
	out->failed.holder = what == PF_CONFLICT_NAME ? pf_span_str(s->id_out) : pf_span(NULL, 0);
}

static bool is_same(const struct pf_op *op, const char *path)
{
	char version[VD_VERSION];

	return !op->version.n ||
	       (vd_version(path, version) && pf_span_eq(pf_span_str(version), op->version));
}

int vd_step_put(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	bool same = op->put.guard == PF_GUARD_SAME;
	struct pf_span id = same ? op->item : op->put.name;
	char dir[VD_PATH_MAX], path[VD_PATH_MAX], tmp[VD_PATH_MAX];
	struct pf_file f;

	(void)out;
	vd_dir_of(s, op->folder, dir);
	(void)snprintf(path, sizeof(path), "%.3690s/%.*s%s", dir, (int)(id.n > 300 ? 300 : id.n),
		id.n > 0 ? (const char *)id.p : "", same ? "" : s->suffix);
	vd_tmp_of(s, dir, tmp);
	if (pf_file_begin(&f, tmp, err) != PF_OK) {
		return PF_FAIL;
	}
	s->put[s->written.n] = op;
	if (pf_file_add(&f, pf_blob_span(op->put.body), err) != PF_OK ||
		pf_files_take(&s->written, &f, path, !same, err) != PF_OK) {
		pf_file_drop(&f);
		return PF_FAIL;
	}
	return PF_END;
}

/* Nobody has changed what is to be replaced. */
static bool may_be_placed(void *of, size_t i)
{
	const struct vd_store *s = of;

	return s->put[i]->put.guard != PF_GUARD_SAME || is_same(s->put[i], s->written.v[i].to);
}

void vd_settle(struct pf_serial *base)
{
	struct vd_store *s = store_of(base);

	pf_files_settle(&s->written, may_be_placed, s);
}

void vd_settled(
	struct pf_serial *base, size_t i, const struct pf_op *op, struct pf_store_event *out)
{
	struct vd_store *s = store_of(base);
	struct pf_file *f = &s->written.v[i];

	(void)snprintf(s->id_out, sizeof(s->id_out), "%.399s", strrchr(f->to, '/') + 1);
	if (f->rc == PF_END) {
		conflict(s, out,
			op->put.guard == PF_GUARD_SAME ? PF_CONFLICT_CHANGED : PF_CONFLICT_NAME,
			f->to);
	} else if (f->rc == PF_OK) {
		pf_serial_end(base, out, NULL);
		out->id = pf_span_str(s->id_out);
		out->version = vd_version(f->to, s->version_out) ? pf_span_str(s->version_out)
								 : pf_span(NULL, 0);
	} else if (f->in_doubt) {
		pf_serial_end_in_doubt(base, out, &f->why);
	} else {
		pf_serial_end(base, out, &f->why);
	}
	if (i + 1 == s->written.n) {
		pf_files_clear(&s->written);
	}
}

int vd_step_remove(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	char path[VD_PATH_MAX], dir[VD_PATH_MAX];
	bool there;

	vd_file_of(s, op->folder, op->item, path);
	vd_dir_of(s, op->folder, dir);
	there = access(path, F_OK) == 0; /* gone is gone */
	if (there && !is_same(op, path)) {
		conflict(s, out, PF_CONFLICT_CHANGED, path);
		return PF_OK;
	}
	if (there && unlink(path) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "removing %s", path);
	}
	if (there && pf_dir_sync(dir, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}
