/*
 * Folders: the directories beside cur, new and tmp whose names begin with a dot.
 */
#include "model/role.h"
#include "proto/imap/mutf7.h"
#include "stores/maildir/maildir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char SUBSCRIPTIONS[] = "subscriptions";

void md_names_free(struct md_store *s)
{
	for (size_t i = 0; i < s->name_count; i++) {
		free(s->names[i]);
	}
	free(s->names);
	s->names = NULL;
	s->name_count = 0;
}

size_t md_segment_bytes(struct pf_span segment)
{
	struct pf_err ignored; /* no memory: the directory can't be made then either */
	struct pf_buf name;
	size_t n = segment.n;

	pf_buf_init(&name, MD_TEXT_MAX);
	if (pf_mutf7_encode(segment, &name, &ignored) == PF_OK) {
		n = name.n;
	}
	pf_buf_deinit(&name);
	return n;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ".A.B" and the account's own directory, as "". */
static int read_names(struct md_store *s, struct pf_err *err)
{
	DIR *d = opendir(s->base.cfg->url->path);
	struct dirent *e;
	size_t cap = 16;

	s->names = calloc(cap, sizeof(*s->names));
	if (!s->names || !(s->names[s->name_count++] = strdup(""))) {
		return pf_fail_memory(err, "a list of folders");
	}
	while (d && (e = readdir(d)) != NULL) {
		char cur[MD_PATH_MAX];
		struct stat st;

		(void)snprintf(
			cur, sizeof(cur), "%.2000s/%s/cur", s->base.cfg->url->path, e->d_name);
		if (e->d_name[0] != '.' || strcmp(e->d_name, ".") == 0 ||
			strcmp(e->d_name, "..") == 0 || stat(cur, &st) != 0) {
			continue;
		}
		if (s->name_count == cap) {
			char **grown = realloc(s->names, 2 * cap * sizeof(*grown));

			if (!grown) {
				(void)closedir(d);
				return pf_fail_memory(err, "a list of folders");
			}
			s->names = grown;
			cap *= 2;
		}
		s->names[s->name_count] = strdup(e->d_name);
		s->name_count += s->names[s->name_count] != NULL;
	}
	if (d) {
		(void)closedir(d);
	}
	qsort(s->names, s->name_count, sizeof(*s->names), compare_names);
	return PF_OK;
}

static int path_of(struct md_store *s, const char *name, bool *doubtful, struct pf_err *err)
{
	struct pf_span rest = pf_span_str(name[0] ? name + 1 : "");
	int rc = PF_OK;

	s->path_out.n = 0;
	*doubtful = false;
	if (!name[0]) {
		return pf_path_add(&s->path_out, pf_span("INBOX", 5), err);
	}
	while (rest.n > 0 && rc == PF_OK) {
		const uint8_t *dot = memchr(rest.p, '.', rest.n);
		size_t n = dot ? (size_t)(dot - rest.p) : rest.n;
		bool odd = false;

		pf_buf_clear(&s->words);
		rc = pf_mutf7_decode(pf_span(rest.p, n), &s->words, &odd, err);
		*doubtful = *doubtful || odd;
		if (rc == PF_OK && s->words.n > 0) {
			rc = pf_path_add(&s->path_out, pf_buf_span(&s->words), err);
		}
		rest = pf_span_from(rest, n + 1);
	}
	return rc;
}

/* ---- subscriptions: a line each, the name without its dot ---- */

static int read_subscriptions(struct md_store *s, struct pf_err *err)
{
	char path[MD_PATH_MAX], part[4096];
	size_t n;
	FILE *f;
	int rc = PF_OK;

	pf_buf_clear(&s->subscriptions);
	(void)snprintf(path, sizeof(path), "%.4000s/%s", s->base.cfg->url->path, SUBSCRIPTIONS);
	f = fopen(path, "re");
	if (!f) {
		return errno == ENOENT
			       ? PF_OK
			       : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "reading %s", path);
	}
	while (rc == PF_OK && (n = fread(part, 1, sizeof(part), f)) > 0) {
		rc = pf_buf_add(&s->subscriptions, pf_span(part, n), err);
	}
	if (rc == PF_OK && ferror(f)) {
		rc = pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "reading %s", path);
	}
	(void)fclose(f);
	return rc;
}

/* How that file calls a folder, by its id. */
static struct pf_span name_in_file(struct pf_span id)
{
	return id.n > 0 ? pf_span_from(id, 1) : pf_span("INBOX", 5);
}

static bool is_subscribed(const struct md_store *s, struct pf_span id)
{
	struct pf_span rest = pf_buf_span(&s->subscriptions), name = name_in_file(id);

	while (rest.n > 0) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t n = lf ? (size_t)(lf - rest.p) : rest.n;
		size_t cr = n > 0 && rest.p[n - 1] == '\r';

		if (pf_span_eq(pf_span(rest.p, n - cr), name)) {
			return true;
		}
		rest = pf_span_from(rest, n + 1);
	}
	return false;
}

int md_step_subscribe(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_span id = op->folder, name = name_in_file(id);
	char path[MD_PATH_MAX];
	bool ok;
	FILE *f;

	if (read_subscriptions(s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (is_subscribed(s, id)) {
		pf_serial_end(&s->base, out, NULL);
		return PF_OK;
	}
	(void)snprintf(path, sizeof(path), "%.4000s/%s", s->base.cfg->url->path, SUBSCRIPTIONS);
	f = fopen(path, "ae");
	ok = f && fprintf(f, "%.*s\n", (int)name.n, (const char *)name.p) > 0;
	if (f) {
		ok = fclose(f) == 0 && ok;
	}
	if (!ok) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

/* ---- listing and making ---- */

int md_step_folders(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_folder *f = &s->folder_out;
	bool doubtful = false;

	if (!s->base.begun) {
		s->base.begun = true;
		if (read_names(s, err) != PF_OK || read_subscriptions(s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	while (s->at < s->name_count) {
		const char *name = s->names[s->at++];

		if (path_of(s, name, &doubtful, err) != PF_OK || s->path_out.n == 0) {
			continue; /* a directory whose name is no folder's */
		}
		*f = (struct pf_folder){
			.id = pf_span_str(name), .path = s->path_out, .kind = PF_KIND_MAIL};
		f->selectable = true;
		f->may_have_children = true;
		f->doubtful = doubtful;
		f->subscribed = is_subscribed(s, f->id);
		f->role = name[0] ? pf_role_by_name(pf_path_leaf(&s->path_out)) : PF_ROLE_INBOX;
		f->role_by_name = name[0] && f->role != PF_ROLE_NONE;
		*out = (struct pf_store_event){.kind = PF_STORE_FOLDER, .op = op->id, .folder = f};
		return PF_OK;
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

/* A dot would part the name in two, and the system knows no slash in one. */
static bool has_forbidden(const struct md_store *s, const struct pf_path *path)
{
	const char *segment;

	for (size_t i = 0; (segment = pf_path_segment(path, i)) != NULL; i++) {
		if (strpbrk(segment, s->base.facts.forbidden)) {
			return true;
		}
	}
	return false;
}

int md_step_mkfolder(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	char dir[MD_PATH_MAX];
	const char *segment;
	int rc = PF_OK;

	if (has_forbidden(s, op->mkfolder.path)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the name has a character that a Maildir++ can't have in one (%s)",
			s->base.facts.forbidden);
	}
	pf_buf_clear(&s->id_out);
	for (size_t i = 0; rc == PF_OK && (segment = pf_path_segment(op->mkfolder.path, i)) != NULL;
		i++) {
		rc = pf_buf_add(&s->id_out, pf_span(".", 1), err);
		rc = rc == PF_OK ? pf_mutf7_encode(pf_span_str(segment), &s->id_out, err) : rc;
	}
	if (rc == PF_OK && pf_span_is(pf_buf_span(&s->id_out), ".INBOX")) {
		pf_buf_clear(&s->id_out);
	}
	md_dir_of(s, pf_buf_span(&s->id_out), dir);
	rc = rc == PF_OK ? md_make(dir, err) : rc;
	if (rc == PF_OK) {
		pf_serial_end(&s->base, out, NULL);
		out->id = pf_span(s->id_out.p ? (const char *)s->id_out.p : "", s->id_out.n);
	}
	return rc;
}
