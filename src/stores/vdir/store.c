/*
 * Operations and events: what the engine sees of calendars in files. Operations are done in the
 * order they came; none waits for anything but the disk.
 */
#include "stores/vdir/vdir_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPS_MAX = 1024, TEXT_MAX = 1 << 20 };

extern const struct pf_store_ops pf_vdir_store_ops;

struct vd_op {
	struct vd_op *next;
	struct pf_op op;
	struct pf_buf folder, item, version, name;
	struct pf_path path;
	struct pf_buf words[3];
	struct pf_folder_looks looks;
};

struct vd_store {
	struct pf_store base;
	const struct pf_store_cfg *cfg;
	struct pf_store_facts facts;
	const char *suffix;    /* ".ics" */
	bool contacts, single; /* single: PATH is a file */
	char dir[VD_PATH_MAX]; /* that the collections are in */
	char file[300];        /* single: its name there */
	struct vd_op *first, *last, *told;
	size_t ops;
	bool ready_told, closed;
	struct vd_names names; /* being given out */
	size_t at;
	bool begun, body_given;
	struct pf_buf word[4];
	struct pf_path path_out;
	struct pf_folder folder_out;
	char version_out[VD_VERSION], id_out[400];
};

/* ---- operations ---- */

static void free_op(struct vd_op *o)
{
	if (o->op.kind == PF_OP_PUT) {
		pf_blob_unref(&o->op.put.body);
	}
	pf_buf_deinit(&o->folder);
	pf_buf_deinit(&o->item);
	pf_buf_deinit(&o->version);
	pf_buf_deinit(&o->name);
	for (size_t i = 0; i < PF_COUNT(o->words); i++) {
		pf_buf_deinit(&o->words[i]);
	}
	pf_path_deinit(&o->path);
	free(o);
}

static bool writes(enum pf_op_kind kind)
{
	return kind == PF_OP_PUT || kind == PF_OP_FLAGS || kind == PF_OP_MKFOLDER ||
	       kind == PF_OP_SUBSCRIBE || kind == PF_OP_REMOVE;
}

static int copy_looks(struct vd_op *n, const struct pf_folder_looks *looks, struct pf_err *err)
{
	const struct pf_span from[] = {looks->colour, looks->description, looks->timezone};
	struct pf_span *const to[] = {&n->looks.colour, &n->looks.description, &n->looks.timezone};

	n->looks = *looks;
	for (size_t i = 0; i < PF_COUNT(from); i++) {
		if (pf_buf_add(&n->words[i], from[i], err) != PF_OK) {
			return PF_FAIL;
		}
		*to[i] = from[i].p ? pf_buf_span(&n->words[i]) : from[i];
	}
	return PF_OK;
}

static int copy_op(struct vd_op *n, const struct pf_op *op, struct pf_err *err)
{
	n->op = *op;
	pf_buf_init(&n->folder, TEXT_MAX);
	pf_buf_init(&n->item, TEXT_MAX);
	pf_buf_init(&n->version, TEXT_MAX);
	pf_buf_init(&n->name, TEXT_MAX);
	for (size_t i = 0; i < PF_COUNT(n->words); i++) {
		pf_buf_init(&n->words[i], TEXT_MAX);
	}
	if (op->kind == PF_OP_PUT) {
		n->op.put.body = op->put.body ? pf_blob_ref(op->put.body) : NULL;
	}
	if (pf_buf_add(&n->folder, op->folder, err) != PF_OK ||
		pf_buf_add(&n->item, op->item, err) != PF_OK ||
		pf_buf_add(&n->version, op->version, err) != PF_OK ||
		(op->kind == PF_OP_PUT && pf_buf_add(&n->name, op->put.name, err) != PF_OK)) {
		return PF_FAIL;
	}
	if (op->kind != PF_OP_MKFOLDER) {
		return PF_OK;
	}
	return pf_path_copy(&n->path, op->mkfolder.path, err) == PF_OK && op->mkfolder.looks
		       ? copy_looks(n, op->mkfolder.looks, err)
		       : PF_OK;
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct vd_store *s = pf_container_of(base, struct vd_store, base);
	struct vd_op *n;

	if (s->cfg->source && writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (s->ops >= OPS_MAX && op->kind != PF_OP_CLOSE && op->kind != PF_OP_FLUSH) {
		return PF_AGAIN;
	}
	if (op->kind == PF_OP_FLUSH) {
		return PF_OK; /* each item is on disk when its PUT is done */
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return pf_fail_memory(err, "an operation");
	}
	if (copy_op(n, op, err) != PF_OK) {
		free_op(n);
		return PF_FAIL;
	}
	*(s->last ? &s->last->next : &s->first) = n;
	s->last = n;
	s->ops++;
	return PF_OK;
}

/* ---- paths ---- */

/* The directory of a folder's id; "" is the account's own. */
static void dir_of(const struct vd_store *s, struct pf_span id, char out[VD_PATH_MAX])
{
	const char *name = id.p && id.n > 0 ? (const char *)id.p : "";

	(void)snprintf(out, VD_PATH_MAX, "%.3500s%s%.*s", s->dir, *name ? "/" : "",
		(int)(id.n > 255 ? 255 : id.n), name);
}

static void file_of(
	const struct vd_store *s, struct pf_span folder, struct pf_span id, char out[VD_PATH_MAX])
{
	char dir[VD_PATH_MAX];

	dir_of(s, folder, dir);
	(void)snprintf(out, VD_PATH_MAX, "%.3780s/%.*s", dir, (int)(id.n > 300 ? 300 : id.n),
		id.n > 0 ? (const char *)id.p : "");
}

/* ---- events ---- */

static void end(struct vd_store *s, struct pf_store_event *out, const struct pf_err *why)
{
	struct vd_op *o = s->first;

	s->first = o->next;
	s->last = s->first ? s->last : NULL;
	s->ops--;
	s->told = o;
	*out = (struct pf_store_event){
		.kind = why ? PF_STORE_FAILED : PF_STORE_DONE, .op = o->op.id};
	if (why) {
		out->failed.why = *why;
		out->failed.refused = why->retry == PF_RETRY_NO && why->scope == PF_SCOPE_ITEM;
	}
	vd_free(&s->names);
	s->at = 0;
	s->begun = false;
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

	dir_of(s, pf_span_str(id), dir);
	*f = (struct pf_folder){
		.id = pf_span_str(s->id_out),
		.kind = s->contacts ? PF_KIND_CONTACTS : PF_KIND_CALENDAR,
		.kinds = s->facts.kinds,
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

static int step_folders(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	if (!s->begun) {
		s->begun = true;
		if (list_names(s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!s->names.v || s->at == s->names.n || !s->names.v[s->at].name) {
		end(s, out, NULL);
		return PF_OK;
	}
	if (fill_folder(s, s->names.v[s->at++].name, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = (struct pf_store_event){
		.kind = PF_STORE_FOLDER, .op = s->first->op.id, .folder = &s->folder_out};
	return PF_OK;
}

static int begin_list(struct vd_store *s, const char *dir, struct pf_err *err)
{
	s->begun = true;
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

static int step_list(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_span folder = pf_buf_span(&s->first->folder);
	char path[VD_PATH_MAX];

	if (!s->begun) {
		dir_of(s, folder, path);
		if (begin_list(s, path, err) != PF_OK) {
			struct pf_err why = *err;

			end(s, out, &why);
			return PF_OK;
		}
		s->folder_out = (struct pf_folder){.id = folder};
		*out = (struct pf_store_event){
			.kind = PF_STORE_STATE, .op = s->first->op.id, .folder = &s->folder_out};
		return PF_OK;
	}
	while (s->names.v && s->at < s->names.n) {
		struct pf_span id = pf_span_str(s->names.v[s->at++].name);

		file_of(s, folder, id, path);
		if (vd_version(path, s->version_out)) { /* else it went away just now */
			*out = (struct pf_store_event){
				.kind = PF_STORE_ITEM, .op = s->first->op.id};
			out->item.id = id;
			out->item.version = pf_span_str(s->version_out);
			out->item.date_utc_s = PF_DATE_NONE;
			return PF_OK;
		}
	}
	end(s, out, NULL);
	return PF_OK;
}

static int step_get(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_err why;
	struct pf_blob *body = NULL;
	char path[VD_PATH_MAX];

	(void)err;
	if (s->body_given) {
		end(s, out, NULL);
		return PF_OK;
	}
	file_of(s, pf_buf_span(&s->first->folder), pf_buf_span(&s->first->item), path);
	if (vd_read(path, &body, &why) != PF_OK) {
		end(s, out, &why);
		out->failed.missing = why.sys == ENOENT;
		return PF_OK;
	}
	s->body_given = true;
	*out = (struct pf_store_event){.kind = PF_STORE_BODY, .op = s->first->op.id, .body = body};
	return PF_OK;
}

static void conflict(
	struct vd_store *s, struct pf_store_event *out, enum pf_conflict what, const char *path)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "%s: %s", path,
		what == PF_CONFLICT_NAME ? "there is an item of that name"
					 : "it was changed or removed meanwhile");
	end(s, out, &why);
	out->failed.refused = true;
	out->failed.conflict = what;
	out->failed.holder = what == PF_CONFLICT_NAME ? pf_span_str(s->id_out) : pf_span(NULL, 0);
}

static bool is_same(const struct vd_op *o, const char *path)
{
	char version[VD_VERSION];

	return !o->version.n || (vd_version(path, version) &&
					pf_span_eq(pf_span_str(version), pf_buf_span(&o->version)));
}

static int step_put(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	struct vd_op *o = s->first;
	bool same = o->op.put.guard == PF_GUARD_SAME;
	char dir[VD_PATH_MAX], path[VD_PATH_MAX];
	struct pf_err why;
	int rc;

	(void)err;
	dir_of(s, pf_buf_span(&o->folder), dir);
	if (same) {
		(void)snprintf(s->id_out, sizeof(s->id_out), "%.*s", (int)o->item.n,
			(const char *)o->item.p);
	} else {
		(void)snprintf(s->id_out, sizeof(s->id_out), "%.*s%s", (int)o->name.n,
			o->name.n > 0 ? (const char *)o->name.p : "", s->suffix);
	}
	(void)snprintf(path, sizeof(path), "%.3690s/%.390s", dir, s->id_out);
	if (same && !is_same(o, path)) {
		conflict(s, out, PF_CONFLICT_CHANGED, path);
		return PF_OK;
	}
	rc = vd_write(dir, s->id_out, pf_blob_span(o->op.put.body), !same, &why);
	if (rc == PF_END) {
		conflict(s, out, PF_CONFLICT_NAME, path);
		return PF_OK;
	}
	end(s, out, rc == PF_OK ? NULL : &why);
	if (rc == PF_OK) {
		out->id = pf_span_str(s->id_out);
		out->version = vd_version(path, s->version_out) ? pf_span_str(s->version_out)
								: pf_span(NULL, 0);
	}
	return PF_OK;
}

static int write_word(const char *dir, const char *name, struct pf_span text, struct pf_err *err)
{
	return text.p && text.n > 0 ? vd_write(dir, name, text, false, err) : PF_OK;
}

/* A directory named after the folder, with what can't be in a name replaced; the whole name beside
 * the items. */
static int step_mkfolder(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	struct vd_op *o = s->first;
	char shown[300], dir[VD_PATH_MAX], order[16];
	struct pf_err why;
	int rc = PF_OK;

	(void)err;
	pf_path_show(&o->path, shown, sizeof(shown));
	(void)snprintf(s->id_out, sizeof(s->id_out), "%.250s", shown);
	for (char *c = s->id_out; *c; c++) {
		*c = *c == '/' || *c == '\\' || (c == s->id_out && *c == '.') ? '_' : *c;
	}
	dir_of(s, pf_span_str(s->id_out), dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = pf_fail_sys(&why, PF_SCOPE_FOLDER, PF_RETRY_NO, "making %s", dir);
	}
	(void)snprintf(order, sizeof(order), "%d", o->looks.order);
	if (rc == PF_OK &&
		(write_word(dir, "displayname", pf_span_str(pf_path_leaf(&o->path)), &why) !=
				PF_OK ||
			write_word(dir, "color", o->looks.colour, &why) != PF_OK ||
			write_word(dir, "description", o->looks.description, &why) != PF_OK ||
			(o->looks.has_order &&
				write_word(dir, "order", pf_span_str(order), &why) != PF_OK))) {
		rc = PF_FAIL;
	}
	end(s, out, rc == PF_OK ? NULL : &why);
	out->id = rc == PF_OK ? pf_span_str(s->id_out) : out->id;
	return PF_OK;
}

static int step_remove(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	struct vd_op *o = s->first;
	char path[VD_PATH_MAX], dir[VD_PATH_MAX];
	struct pf_err why;

	(void)err;
	file_of(s, pf_buf_span(&o->folder), pf_buf_span(&o->item), path);
	dir_of(s, pf_buf_span(&o->folder), dir);
	if (access(path, F_OK) != 0) {
		end(s, out, NULL); /* gone is gone */
	} else if (!is_same(o, path)) {
		conflict(s, out, PF_CONFLICT_CHANGED, path);
	} else if (unlink(path) != 0) {
		(void)pf_fail_sys(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "removing %s", path);
		end(s, out, &why);
	} else {
		end(s, out, vd_sync_dir(dir, &why) == PF_OK ? NULL : &why);
	}
	return PF_OK;
}

static int step(struct vd_store *s, struct pf_store_event *out, struct pf_err *err)
{
	switch (s->first->op.kind) {
	case PF_OP_FOLDERS:
		return step_folders(s, out, err);
	case PF_OP_LIST:
		return step_list(s, out, err);
	case PF_OP_GET:
		return step_get(s, out, err);
	case PF_OP_PUT:
		return step_put(s, out, err);
	case PF_OP_MKFOLDER:
		return step_mkfolder(s, out, err);
	case PF_OP_REMOVE:
		return step_remove(s, out, err);
	case PF_OP_FLAGS:
	case PF_OP_SUBSCRIBE: /* files have neither */
		end(s, out, NULL);
		return PF_OK;
	case PF_OP_CLOSE:
	case PF_OP_FLUSH:
		s->closed = true;
		end(s, out, NULL);
		return PF_OK;
	}
	return PF_OK;
}

/* A source must be there; a target's directory is made. */
static int check_account(struct vd_store *s, struct pf_err *err)
{
	struct stat st;

	if (s->single || (stat(s->dir, &st) == 0 && S_ISDIR(st.st_mode))) {
		return PF_OK;
	}
	if (s->cfg->source || mkdir(s->dir, 0700) != 0) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"%s: no file or directory with %s files", s->dir, s->suffix);
	}
	return PF_OK;
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct vd_store *s = pf_container_of(base, struct vd_store, base);

	(void)wake_ms;
	if (s->told) {
		free_op(s->told);
		s->told = NULL;
	}
	if (!s->ready_told) {
		if (check_account(s, err) != PF_OK) {
			return PF_FAIL;
		}
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return PF_OK;
	}
	if (s->closed) {
		return PF_END;
	}
	return s->first ? step(s, out, err) : PF_AGAIN;
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	(void)base;
	(void)id;
	(void)part;
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "items of this store come whole");
}

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	return &((const struct vd_store *)(const void *)base)->facts;
}

static void close_store(struct pf_store *base)
{
	struct vd_store *s;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct vd_store, base);
	while (s->first) {
		struct vd_op *o = s->first;

		s->first = o->next;
		free_op(o);
	}
	if (s->told) {
		free_op(s->told);
	}
	vd_free(&s->names);
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
		return pf_fail(
			err, PF_SCOPE_RUN, PF_RETRY_NO, "the form is %s:PATH", s->cfg->url->scheme);
	}
	(void)snprintf(s->dir, sizeof(s->dir), "%.*s", (int)n, path);
	s->single = (stat(s->dir, &st) == 0 && S_ISREG(st.st_mode));
	if (!s->single &&
		!vd_is_item(strrchr(s->dir, '/') ? strrchr(s->dir, '/') + 1 : s->dir, s->suffix)) {
		return PF_OK;
	}
	if (!s->cfg->source) {
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
	s->base.ops = &pf_vdir_store_ops;
	s->cfg = cfg;
	s->contacts = strcmp(cfg->url->scheme, "vcf") == 0;
	s->suffix = s->contacts ? ".vcf" : ".ics";
	if (take_path(s, cfg->url->path, err) != PF_OK) {
		free(s);
		return PF_FAIL;
	}
	s->facts = (struct pf_store_facts){
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_EXACT_SIZE | PF_CAP_EXACT_BYTES |
			PF_CAP_REMOVE_ONE | PF_CAP_VERSIONS | PF_CAP_GUARDS,
		.kinds = s->contacts ? (uint32_t)PF_KIND_CONTACTS
				     : PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES,
		.quota_free_bytes = UINT64_MAX,
		.max_depth = 1,
		.forbidden = "",
		.server = "files",
		.uid_scope = PF_UID_ANYWHERE,
		.connections = 1,
	};
	s->facts.caps |= s->single ? 0u : PF_CAP_LASTING_IDS;
	for (size_t i = 0; i < PF_COUNT(s->word); i++) {
		pf_buf_init(&s->word[i], TEXT_MAX);
	}
	*out = &s->base;
	return PF_OK;
}

static const char *const SCHEMES[] = {"ics", "vcf", NULL};

const struct pf_store_ops pf_vdir_store_ops = {
	.schemes = SCHEMES,
	.summary = "calendars (ics:) and contacts (vcf:) in files",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
