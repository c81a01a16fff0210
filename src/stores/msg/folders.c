#include "base/utf8.h"
#include "model/role.h"
#include "stores/msg/msg_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 100 };

static const enum pf_kind KINDS[] = {
	PF_KIND_MAIL, PF_KIND_CALENDAR, PF_KIND_CONTACTS, PF_KIND_TASKS, PF_KIND_NOTES};

/* ---- names ---- */

int ms_names_add(struct ms_names *names, const char *name, struct pf_err *err)
{
	char *copy = strdup(name);

	if (copy && names->n == names->cap) {
		size_t cap = names->cap ? 2 * names->cap : 64;
		char **grown = realloc((void *)names->v, cap * sizeof(*grown));

		if (grown) {
			names->v = grown;
			names->cap = cap;
		}
	}
	if (!copy || names->n == names->cap) {
		free(copy);
		return pf_fail_memory(err, "a list of files");
	}
	names->v[names->n++] = copy;
	return PF_OK;
}

void ms_names_free(struct ms_names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		free(names->v[i]);
	}
	free((void *)names->v);
	*names = (struct ms_names){.n = 0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct ms_names *names)
{
	if (names->n > 1) {
		qsort((void *)names->v, names->n, sizeof(*names->v), by_name);
	}
}

/* ---- ids and paths ---- */

bool ms_folder_of(struct pf_span id, enum pf_kind *kind, const char **dir)
{
	const uint8_t *slash = id.n > 0 ? memchr(id.p, '/', id.n) : NULL;

	if (!slash) {
		return false;
	}
	*kind = pf_kind_by_name(pf_span(id.p, (size_t)(slash - id.p)));
	*dir = (const char *)slash + 1; /* an operation's id has a NUL behind */
	return *kind != 0;
}

int ms_path_of(const struct ms_store *s, const char *dir, struct pf_span file,
	char out[MS_PATH_MAX], struct pf_err *err)
{
	int n = snprintf(out, MS_PATH_MAX, "%s%s%s%s%.*s", s->root, *dir ? "/" : "", dir,
		file.n > 0 ? "/" : "", (int)file.n, file.n > 0 ? (const char *)file.p : "");

	return n > 0 && n < MS_PATH_MAX ? PF_OK
					: pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
						  "the path of the file is too long");
}

/* ---- directories ---- */

static bool is_msg(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcasecmp(name + n - 4, ".msg") == 0;
}

/* Files, or, with `dirs`, directories of one. Links to directories are not followed: by them the
 * same may come twice, or for ever. */
static int list(const struct ms_store *s, const char *dir, bool dirs, struct ms_names *out,
	struct pf_err *err)
{
	char path[MS_PATH_MAX];
	const struct dirent *e;
	int rc = ms_path_of(s, dir, pf_span(NULL, 0), path, err);
	DIR *d = rc == PF_OK ? opendir(path) : NULL;

	if (!d) {
		return rc != PF_OK ? rc
				   : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO,
					     "reading the directory");
	}
	errno = 0;
	while (rc == PF_OK && (e = readdir(d)) != NULL) {
		struct stat st;

		if (e->d_name[0] == '.' ||
			fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			continue;
		}
		if (dirs ? S_ISDIR(st.st_mode) : !S_ISDIR(st.st_mode) && is_msg(e->d_name)) {
			rc = ms_names_add(out, e->d_name, err);
		}
		errno = 0;
	}
	if (rc == PF_OK && errno != 0) {
		rc = pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "reading the directory");
	}
	(void)closedir(d);
	sort(out);
	return rc;
}

int ms_list(const struct ms_store *s, const char *dir, struct ms_names *out, struct pf_err *err)
{
	return s->single[0] ? ms_names_add(out, s->single, err) : list(s, dir, false, out, err);
}

static int walk(struct ms_store *s, const char *dir, size_t depth, struct pf_err *err)
{
	struct ms_names below = {.n = 0};
	char path[MS_PATH_MAX];
	int rc = ms_names_add(&s->dirs, dir, err);

	if (rc != PF_OK || s->single[0] || depth == DEPTH_MAX) {
		return rc;
	}
	rc = list(s, dir, true, &below, err);
	if (rc != PF_OK && depth > 0 && err->scope <= PF_SCOPE_FOLDER) {
		rc = PF_OK; /* its listing fails, and says so */
	}
	for (size_t i = 0; i < below.n && rc == PF_OK; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "",
			    below.v[i]) < sizeof(path)) {
			rc = walk(s, path, depth + 1, err);
		}
	}
	ms_names_free(&below);
	return rc;
}

/* ---- FOLDERS ---- */

/* What kinds of items a directory has; one that can't be read has mail, so that it is told. */
static int kinds_within(struct ms_store *s, const char *dir, uint32_t *kinds, struct pf_err *err)
{
	struct ms_names files = {.n = 0};
	char path[MS_PATH_MAX];
	struct pf_err why;

	*kinds = 0;
	if (ms_list(s, dir, &files, &why) != PF_OK) {
		ms_names_free(&files);
		*kinds = PF_KIND_MAIL;
		*err = why;
		return why.scope <= PF_SCOPE_FOLDER ? PF_OK : PF_FAIL;
	}
	for (size_t i = 0; i < files.n && *kinds != PF_MAPI_KINDS; i++) {
		struct ms_look found = {.kind = PF_KIND_MAIL};
		struct stat st;

		if (ms_path_of(s, dir, pf_span_str(files.v[i]), path, &why) != PF_OK ||
			ms_look_at(s, path, &st, &found) == PF_OK) {
			*kinds |= found.kind;
		}
	}
	ms_names_free(&files);
	return PF_OK;
}

/* A directory's name as a segment; octets that are no UTF-8 are shown as %E9, and *doubtful set. */
static int add_segment(
	struct ms_store *s, struct pf_span name, bool first, bool *doubtful, struct pf_err *err)
{
	bool valid = pf_utf8_valid(name);
	int rc = PF_OK;

	*doubtful = *doubtful || !valid;
	pf_buf_clear(&s->words);
	for (size_t i = 0; i < name.n && rc == PF_OK; i++) {
		rc = valid || name.p[i] < 0x80 ? pf_buf_add(&s->words, pf_span(name.p + i, 1), err)
					       : pf_buf_addf(&s->words, err, "%%%02X", name.p[i]);
	}
	if (rc != PF_OK) {
		return rc;
	}
	return pf_path_add(&s->path_out,
		first && pf_span_is(name, "Inbox") ? pf_span_str("INBOX") : pf_buf_span(&s->words),
		err);
}

/* What is in the root itself is in a folder of its name. */
static int path_of(struct ms_store *s, const char *dir, bool *doubtful, struct pf_err *err)
{
	const char *slash = strrchr(s->root, '/');
	const char *leaf = slash ? slash + 1 : s->root;
	struct pf_span rest = pf_span_str(*dir ? dir : *leaf ? leaf : "Items");
	bool first = true;
	int rc = PF_OK;

	s->path_out.n = 0;
	while (rc == PF_OK && rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '/', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		rc = add_segment(s, pf_span(rest.p, n), first, doubtful, err);
		first = false;
		rest = pf_span_from(rest, n + 1);
	}
	return rc;
}

static int give_folder(struct ms_store *s, const struct pf_op *op, const char *dir,
	enum pf_kind kind, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_folder *f = &s->folder_out;
	bool doubtful = false, mail = kind == PF_KIND_MAIL;
	enum pf_role guess;

	if (path_of(s, dir, &doubtful, err) != PF_OK) {
		return PF_FAIL;
	}
	guess = mail ? pf_role_by_name(pf_path_leaf(&s->path_out)) : PF_ROLE_NONE;
	if (mail && pf_path_depth(&s->path_out) == 1 &&
		strcmp(pf_path_leaf(&s->path_out), "INBOX") == 0) {
		guess = PF_ROLE_INBOX;
	}
	(void)snprintf(s->id_out, sizeof(s->id_out), "%s/%.4000s", pf_kind_name(kind), dir);
	*f = (struct pf_folder){
		.id = pf_span_str(s->id_out),
		.path = s->path_out,
		.kind = kind,
		.role = guess,
		.role_by_name = guess != PF_ROLE_NONE && guess != PF_ROLE_INBOX,
		.selectable = true,
		.may_have_children = true,
		.doubtful = doubtful,
	};
	*out = (struct pf_store_event){.kind = PF_STORE_FOLDER, .op = op->id, .folder = f};
	return PF_OK;
}

int ms_step_folders(
	struct ms_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	if (!s->base.begun) {
		s->base.begun = true;
		if (walk(s, "", 0, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	while (s->kinds_left == 0 && s->at < s->dirs.n) {
		if (kinds_within(s, s->dirs.v[s->at++], &s->kinds_left, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < PF_COUNT(KINDS); i++) {
		if (s->kinds_left & (uint32_t)KINDS[i]) {
			s->kinds_left &= ~(uint32_t)KINDS[i];
			return give_folder(s, op, s->dirs.v[s->at - 1], KINDS[i], out, err);
		}
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}
