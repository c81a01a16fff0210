/*
 * Where the messages of a folder are: file names by id, read from the directory once, as asking it
 * for each message would cost as many looks as there are messages. Other programs may rename or
 * remove files meanwhile: what is not where it was is looked for anew, unless the directory shows
 * that it has not changed.
 */
#include "stores/maildir/maildir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	RACY_S = 2, /* a change so soon after another may leave no trace in the directory's time */
	NAMES_MAX = INT32_MAX,
};

static const char *const SUBS[MD_SUBS] = {"cur", "new"};

void md_index_free(struct md_index *x)
{
	free(x->folder);
	free(x->v);
	pf_buf_deinit(&x->names);
	*x = (struct md_index){0};
}

/* "cur/NAME" at the end of the names; *at is where it begins. */
static int keep_name(
	struct md_index *x, const char *sub, const char *name, size_t *at, struct pf_err *err)
{
	*at = x->names.n;
	if (pf_buf_add_str(&x->names, sub, err) != PF_OK ||
		pf_buf_add_str(&x->names, "/", err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add(&x->names, pf_span(name, strlen(name) + 1), err);
}

static int add(struct md_index *x, const char *sub, const char *name, struct pf_err *err)
{
	struct md_place *place;

	if (x->n == x->cap) {
		size_t cap = x->cap ? x->cap + x->cap / 2 : 64;
		struct md_place *grown = realloc(x->v, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "the names of a folder");
		}
		x->v = grown;
		x->cap = cap;
	}
	place = &x->v[x->n];
	if (keep_name(x, sub, name, &place->at, err) != PF_OK) {
		return PF_FAIL;
	}
	place->id_n = md_id_length(name);
	x->n++;
	return PF_OK;
}

static const char *file_of(const struct md_index *x, const struct md_place *place)
{
	return (const char *)x->names.p + place->at;
}

static struct pf_span id_of(const struct md_index *x, const struct md_place *place)
{
	return pf_span(file_of(x, place) + sizeof("cur/") - 1, place->id_n);
}

static int by_id(const void *a, const void *b, void *index)
{
	return pf_span_cmp(id_of(index, a), id_of(index, b));
}

static int read_sub(struct md_index *x, size_t sub, struct pf_err *err)
{
	char path[MD_PATH_MAX];
	struct dirent *e;
	int rc = PF_OK;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", x->folder, SUBS[sub]);
	d = opendir(path);
	if (!d) {
		return errno == ENOENT
			       ? PF_OK
			       : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "reading %s", path);
	}
	while (rc == PF_OK && (e = readdir(d)) != NULL) {
		rc = e->d_name[0] == '.' ? PF_OK : add(x, SUBS[sub], e->d_name, err);
	}
	(void)closedir(d);
	return rc;
}

static struct timespec time_of(const char *folder, size_t sub)
{
	char path[MD_PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, SUBS[sub]);
	return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static int build(struct md_index *x, const char *folder, struct pf_err *err)
{
	char *copy = strdup(folder); /* may be x->folder */

	md_index_free(x);
	if (!copy) {
		return pf_fail_memory(err, "the names of a folder");
	}
	x->folder = copy;
	pf_buf_init(&x->names, NAMES_MAX);
	x->read_s = time(NULL);
	for (size_t i = 0; i < MD_SUBS; i++) {
		x->changed[i] = time_of(folder, i);
		if (read_sub(x, i, err) != PF_OK) {
			md_index_free(x);
			return PF_FAIL;
		}
	}
	if (x->n > 1) {
		qsort_r(x->v, x->n, sizeof(*x->v), by_id, x);
	}
	return PF_OK;
}

static bool may_have_changed(const struct md_index *x)
{
	for (size_t i = 0; i < MD_SUBS; i++) {
		struct timespec is = time_of(x->folder, i), was = x->changed[i];

		if (is.tv_sec != was.tv_sec || is.tv_nsec != was.tv_nsec ||
			was.tv_sec + RACY_S >= x->read_s) {
			return true;
		}
	}
	return false;
}

static struct md_place *search(struct md_index *x, struct pf_span id)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = pf_span_cmp(id, id_of(x, &x->v[mid]));

		if (d == 0) {
			return &x->v[mid];
		}
		if (d < 0) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	return NULL;
}

/* Whether it is where the index says. */
static bool is_there(struct md_index *x, struct pf_span id, char path[MD_PATH_MAX])
{
	const struct md_place *place = search(x, id);

	if (!place) {
		return false;
	}
	(void)snprintf(path, MD_PATH_MAX, "%s/%s", x->folder, file_of(x, place));
	return access(path, F_OK) == 0;
}

int md_index_find(struct md_index *x, const char *folder, struct pf_span id, char path[MD_PATH_MAX],
	struct pf_err *err)
{
	bool fresh = !x->folder || strcmp(x->folder, folder) != 0;

	if (fresh && build(x, folder, err) != PF_OK) {
		return PF_FAIL;
	}
	if (is_there(x, id, path)) {
		return PF_OK;
	}
	if (fresh || !may_have_changed(x)) {
		return PF_END;
	}
	return build(x, folder, err) != PF_OK ? PF_FAIL : is_there(x, id, path) ? PF_OK : PF_END;
}

int md_index_moved(struct md_index *x, struct pf_span id, const char *name, struct pf_err *err)
{
	struct md_place *place = search(x, id);

	return place ? keep_name(x, SUBS[0], name, &place->at, err) : PF_OK;
}
