/*
 * What the engine sees of calendars and address books in files.
 */
#include "base/dirs.h"
#include "stores/vdir/vdir_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20 };

extern const struct pf_store_ops pf_vdir_store_ops;

/* ---- paths ---- */

void vd_dir_of(const struct vd_store *s, struct pf_span id, char out[VD_PATH_MAX])
{
	const char *name = id.p && id.n > 0 ? (const char *)id.p : "";

	(void)snprintf(out, VD_PATH_MAX, "%.3500s%s%.*s", s->dir, *name ? "/" : "",
		(int)(id.n > 255 ? 255 : id.n), name);
}

void vd_file_of(
	const struct vd_store *s, struct pf_span folder, struct pf_span id, char out[VD_PATH_MAX])
{
	char dir[VD_PATH_MAX];

	vd_dir_of(s, folder, dir);
	(void)snprintf(out, VD_PATH_MAX, "%.3780s/%.*s", dir, (int)(id.n > 300 ? 300 : id.n),
		id.n > 0 ? (const char *)id.p : "");
}

/* ---- events ---- */

static struct vd_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct vd_store, base);
}

static void reset(struct pf_serial *base)
{
	struct vd_store *s = store_of(base);

	vd_free(&s->names);
	s->at = 0;
	s->body_given = false;
}

static int fill_folder(struct vd_store *s, const char *id, struct pf_err *err)
{
	struct pf_folder *f = &s->folder_out;
	const char *slash = strrchr(s->dir, '/');
	const char *plain = id[0]               ? id
			    : s->single         ? s->file
			    : slash && slash[1] ? slash + 1
						: s->dir;
	struct pf_span name = pf_span(NULL, 0), order;
	char dir[VD_PATH_MAX];
	size_t n = strlen(plain);

	vd_dir_of(s, pf_span_str(id), dir);
	*f = (struct pf_folder){
		.id = pf_span_str(s->id_out),
		.kind = s->contacts ? PF_KIND_CONTACTS : PF_KIND_CALENDAR,
		.kinds = s->base.facts.kinds,
		.selectable = true,
	};
	(void)snprintf(s->id_out, sizeof(s->id_out), "%.399s", id);
	f->id = pf_span_str(s->id_out);
	if (!s->single &&
		(vd_word(dir, "displayname", &s->word[0], &name, err) != PF_OK ||
			vd_word(dir, "color", &s->word[1], &f->looks.colour, err) != PF_OK ||
			vd_word(dir, "description", &s->word[2], &f->looks.description, err) !=
				PF_OK ||
			vd_word(dir, "order", &s->word[3], &order, err) != PF_OK)) {
		return PF_FAIL;
	}
	if (vd_is_item(plain, s->suffix)) {
		n -= strlen(s->suffix);
	}
	s->path_out.n = 0;
	if (name.p && pf_path_add(&s->path_out, name, err) == PF_OK) {
		f->path = s->path_out;
		return PF_OK;
	}
	if (pf_path_add(&s->path_out, pf_span(plain, n), err) != PF_OK) {
		return err->scope == PF_SCOPE_ITEM
			       ? pf_path_add(&s->path_out, pf_span_str("calendar"), err)
			       : PF_FAIL;
	}
	f->path = s->path_out;
	return PF_OK;
}

static int list_names(struct vd_store *s, struct pf_err *err)
{
	s->names = (struct vd_names){0};
	if (s->single) { /* the one collection that the file is */
		s->names.v = calloc(1, sizeof(*s->names.v));
		if (!s->names.v || !(s->names.v[0].name = strdup(""))) {
			return pf_fail_memory(err, "a list of files");
		}
		s->names.n = 1;
		return PF_OK;
	}
	return vd_collections(s->dir, s->suffix, &s->names, err);
}

static int step_folders(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	if (!s->base.begun) {
		s->base.begun = true;
		if (list_names(s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!s->names.v || s->at == s->names.n || !s->names.v[s->at].name) {
		pf_serial_end(&s->base, out, NULL);
		return PF_OK;
	}
	if (fill_folder(s, s->names.v[s->at++].name, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = (struct pf_store_event){
		.kind = PF_STORE_FOLDER, .op = op->id, .folder = &s->folder_out};
	return PF_OK;
}

static int begin_list(struct vd_store *s, const char *dir, struct pf_err *err)
{
	s->base.begun = true;
	if (!s->single) {
		return vd_items(dir, s->suffix, &s->names, err);
	}
	s->names.v = calloc(1, sizeof(*s->names.v));
	if (!s->names.v || !(s->names.v[0].name = strdup(s->file))) {
		return pf_fail_memory(err, "a list of files");
	}
	s->names.n = 1;
	return PF_OK;
}

static int step_list(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_span folder = op->folder;
	char path[VD_PATH_MAX];

	if (!s->base.begun) {
		vd_dir_of(s, folder, path);
		if (begin_list(s, path, err) != PF_OK) {
			return PF_FAIL;
		}
		s->folder_out = (struct pf_folder){.id = folder};
		*out = (struct pf_store_event){
			.kind = PF_STORE_STATE, .op = op->id, .folder = &s->folder_out};
		return PF_OK;
	}
	while (s->names.v && s->at < s->names.n) {
		struct pf_span id = pf_span_str(s->names.v[s->at++].name);

		vd_file_of(s, folder, id, path);
		if (vd_version(path, s->version_out)) { /* else it went away just now */
			*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
			out->item.id = id;
			out->item.version = pf_span_str(s->version_out);
			out->item.date_utc_s = PF_DATE_NONE;
			return PF_OK;
		}
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

static int step_get(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_blob *body = NULL;
	char path[VD_PATH_MAX];

	if (s->body_given) {
		pf_serial_end(&s->base, out, NULL);
		return PF_OK;
	}
	vd_file_of(s, op->folder, op->item, path);
	if (vd_read(path, &body, err) != PF_OK) {
		pf_serial_end(&s->base, out, err);
		out->failed.missing = err->sys == ENOENT;
		return PF_OK;
	}
	s->body_given = true;
	*out = (struct pf_store_event){.kind = PF_STORE_BODY, .op = op->id, .body = body};
	return PF_OK;
}

static int write_word(struct vd_store *s, const char *dir, const char *name, struct pf_span text,
	struct pf_err *err)
{
	char tmp[VD_PATH_MAX], path[VD_PATH_MAX];

	if (!text.p || text.n == 0) {
		return PF_OK;
	}
	vd_tmp_of(s, dir, tmp);
	(void)snprintf(path, sizeof(path), "%.3700s/%s", dir, name);
	return pf_file_write(tmp, path, text, false, err);
}

static int write_looks(struct vd_store *s, const char *dir, const struct pf_folder_looks *looks,
	struct pf_err *err)
{
	char order[16];

	if (!looks) {
		return PF_OK;
	}
	(void)snprintf(order, sizeof(order), "%d", looks->order);
	if (write_word(s, dir, "color", looks->colour, err) != PF_OK ||
		write_word(s, dir, "description", looks->description, err) != PF_OK) {
		return PF_FAIL;
	}
	return looks->has_order ? write_word(s, dir, "order", pf_span_str(order), err) : PF_OK;
}

/* Whether a directory is the folder of this name, or may become it: two names can look the same
 * once what can't be in a file's name is replaced. */
static int is_free(
	struct vd_store *s, const char *dir, struct pf_span leaf, bool *is, struct pf_err *err)
{
	struct pf_span name;
	struct vd_names items = {0};
	struct stat st;
	int rc = PF_OK;

	*is = stat(dir, &st) != 0;
	if (*is) {
		return PF_OK;
	}
	if (vd_word(dir, "displayname", &s->word[0], &name, err) != PF_OK) {
		return PF_FAIL;
	}
	if (name.p) {
		*is = pf_span_eq(name, leaf);
		return PF_OK;
	}
	*is = pf_span_eq(pf_span_str(s->id_out), leaf);
	if (!*is) { /* or a run was killed before it was named */
		rc = vd_items(dir, s->suffix, &items, err);
		*is = items.n == 0;
		vd_free(&items);
	}
	return rc;
}

/* The directory of a folder: its name with what can't be in one replaced, and a number behind it
 * where that is another folder's. */
static int choose_dir(
	struct vd_store *s, const struct pf_path *path, char dir[VD_PATH_MAX], struct pf_err *err)
{
	struct pf_span leaf = pf_span_str(pf_path_leaf(path));
	char shown[300];
	bool is_ours = false;
	size_t n;

	pf_path_show(path, shown, sizeof(shown));
	(void)snprintf(s->id_out, sizeof(s->id_out), "%.240s", shown);
	for (char *c = s->id_out; *c; c++) {
		*c = *c == '/' || *c == '\\' || (c == s->id_out && *c == '.') ? '_' : *c;
	}
	n = strlen(s->id_out);
	for (unsigned int i = 2; !is_ours; i++) {
		vd_dir_of(s, pf_span_str(s->id_out), dir);
		if (is_free(s, dir, leaf, &is_ours, err) != PF_OK) {
			return PF_FAIL;
		}
		if (!is_ours) {
			(void)snprintf(s->id_out + n, sizeof(s->id_out) - n, "-%u", i);
		}
	}
	return PF_OK;
}

/* The whole name stands beside the items. */
static int step_mkfolder(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_span leaf = pf_span_str(pf_path_leaf(op->mkfolder.path));
	char dir[VD_PATH_MAX];

	if (choose_dir(s, op->mkfolder.path, dir, err) != PF_OK) {
		return PF_FAIL;
	}
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		return pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "making %s", dir);
	}
	if (pf_dir_sync_above(dir, err) != PF_OK ||
		write_word(s, dir, "displayname", leaf, err) != PF_OK ||
		write_looks(s, dir, op->mkfolder.looks, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_serial_end(&s->base, out, NULL);
	out->id = pf_span_str(s->id_out);
	return PF_OK;
}

static int step(struct pf_serial *base, const struct pf_op *op, struct pf_store_event *out,
	struct pf_err *err)
{
	struct vd_store *s = store_of(base);

	switch (op->kind) {
	case PF_OP_FOLDERS:
		return step_folders(s, op, out, err);
	case PF_OP_LIST:
		return step_list(s, op, out, err);
	case PF_OP_GET:
		return step_get(s, op, out, err);
	case PF_OP_PUT:
		return vd_step_put(s, op, out, err);
	case PF_OP_MKFOLDER:
		return step_mkfolder(s, op, out, err);
	case PF_OP_REMOVE:
		return vd_step_remove(s, op, out, err);
	default: /* files have no flags and no subscriptions */
		pf_serial_end(base, out, NULL);
		return PF_OK;
	}
}

/* A source must be there; a target's directory is made. */
static int check_account(struct pf_serial *base, struct pf_err *err)
{
	const struct vd_store *s = store_of(base);
	struct stat st;

	if (s->single || (stat(s->dir, &st) == 0 && S_ISDIR(st.st_mode))) {
		return PF_OK;
	}
	if (s->base.cfg->source || pf_make_parents(s->dir, err) != PF_OK ||
		mkdir(s->dir, 0700) != 0) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"%s: no file or directory with %s files", s->dir, s->suffix);
	}
	return PF_OK;
}

static const struct pf_serial_does DOES = {
	check_account, step, NULL, NULL, reset, vd_settle, vd_settled};

static void close_store(struct pf_store *base)
{
	struct vd_store *s;

	if (!base) {
		return;
	}
	s = store_of(pf_container_of(base, struct pf_serial, base));
	pf_serial_deinit(&s->base);
	pf_files_clear(&s->written);
	for (size_t i = 0; i < PF_COUNT(s->word); i++) {
		pf_buf_deinit(&s->word[i]);
	}
	pf_path_deinit(&s->path_out);
	free(s);
}

/* PATH is a file: its directory and its name; else it is the directory. */
static int take_path(struct vd_store *s, const char *path, struct pf_err *err)
{
	struct stat st;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/') {
		n--;
	}
	if (n == 0 || n > 3000) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "the form is %s:PATH",
			s->base.cfg->url->scheme);
	}
	(void)snprintf(s->dir, sizeof(s->dir), "%.*s", (int)n, path);
	s->single = (stat(s->dir, &st) == 0 && S_ISREG(st.st_mode));
	if (!s->single &&
		!vd_is_item(strrchr(s->dir, '/') ? strrchr(s->dir, '/') + 1 : s->dir, s->suffix)) {
		return PF_OK;
	}
	if (!s->base.cfg->source) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s is a file: a target is a directory, one file an item", s->dir);
	}
	if (s->single) {
		char *slash = strrchr(s->dir, '/');

		(void)snprintf(s->file, sizeof(s->file), "%.299s", slash ? slash + 1 : s->dir);
		if (slash && slash != s->dir) {
			*slash = '\0';
		} else {
			(void)snprintf(s->dir, sizeof(s->dir), "%s", slash ? "/" : ".");
		}
	}
	return PF_OK;
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct vd_store *s = calloc(1, sizeof(*s));

	(void)loop;
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	pf_serial_init(&s->base, &pf_vdir_store_ops, cfg, &DOES);
	s->contacts = strcmp(cfg->url->scheme, "vcf") == 0;
	s->suffix = s->contacts ? ".vcf" : ".ics";
	if (take_path(s, cfg->url->path, err) != PF_OK) {
		free(s);
		return PF_FAIL;
	}
	s->base.facts = (struct pf_store_facts){
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_PUT_GROUPS | PF_CAP_EXACT_SIZE |
			PF_CAP_EXACT_BYTES | PF_CAP_REMOVE_ONE | PF_CAP_VERSIONS | PF_CAP_GUARDS,
		.kinds = s->contacts ? (uint32_t)PF_KIND_CONTACTS
				     : PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES,
		.quota_free_bytes = UINT64_MAX,
		.max_depth = 1,
		.forbidden = "",
		.server = "files",
		.uid_scope = PF_UID_ANYWHERE,
		.connections = 1,
	};
	s->base.facts.caps |= s->single ? 0u : PF_CAP_LASTING_IDS;
	for (size_t i = 0; i < PF_COUNT(s->word); i++) {
		pf_buf_init(&s->word[i], TEXT_MAX);
	}
	*out = &s->base.base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {
	{"ics", PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES, 0, NULL},
	{"vcf", PF_KIND_CONTACTS, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_vdir_store_ops = {
	.schemes = SCHEMES,
	.summary = "calendars (ics:) and contacts (vcf:) in files",
	.open = open_store,
	.submit = pf_serial_submit,
	.feed = pf_serial_feed,
	.next = pf_serial_next,
	.facts = pf_serial_facts,
	.close = close_store,
};
