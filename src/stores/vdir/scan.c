#include "stores/vdir/vdir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void vd_free(struct vd_names *n)
{
	for (size_t i = 0; i < n->n; i++) {
		free(n->v[i].name);
	}
	free(n->v);
	*n = (struct vd_names){0};
}

bool vd_is_item(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return name[0] != '.' && n > s && strcasecmp(name + n - s, suffix) == 0;
}

static int add(struct vd_names *out, const char *name, struct pf_err *err)
{
	if (out->n == out->cap) {
		size_t cap = out->cap ? out->cap * 2 : 32;
		struct vd_name *grown = realloc(out->v, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a list of files");
		}
		out->v = grown;
		out->cap = cap;
	}
	out->v[out->n].name = strdup(name);
	return out->v[out->n].name ? (out->n++, PF_OK) : pf_fail_memory(err, "a list of files");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vd_name *)a)->name, ((const struct vd_name *)b)->name);
}

/* What of the directory `take` wants, in order. */
static int scan(const char *dir,
	bool (*take)(const char *dir, const struct dirent *e, const char *suffix),
	const char *suffix, struct vd_names *out, struct pf_err *err)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int rc = PF_OK;

	if (!d) {
		return pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "opening %s", dir);
	}
	errno = 0;
	while (rc == PF_OK && (e = readdir(d)) != NULL) {
		if (take(dir, e, suffix)) {
			rc = add(out, e->d_name, err);
		}
		errno = 0;
	}
	if (rc == PF_OK && errno != 0) {
		rc = pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_LATER, "reading %s", dir);
	}
	(void)closedir(d);
	if (out->n > 1) {
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	}
	return rc;
}

static bool take_item(const char *dir, const struct dirent *e, const char *suffix)
{
	char path[VD_PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%.3700s/%.300s", dir, e->d_name);
	return vd_is_item(e->d_name, suffix) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool take_dir(const char *dir, const struct dirent *e, const char *suffix)
{
	char path[VD_PATH_MAX];
	struct stat st;

	(void)suffix;
	(void)snprintf(path, sizeof(path), "%.3700s/%.300s", dir, e->d_name);
	return e->d_name[0] != '.' && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int vd_items(const char *dir, const char *suffix, struct vd_names *out, struct pf_err *err)
{
	return scan(dir, take_item, suffix, out, err);
}

int vd_collections(const char *root, const char *suffix, struct vd_names *out, struct pf_err *err)
{
	struct vd_names here = {0};
	int rc = scan(root, take_dir, suffix, out, err);

	rc = rc == PF_OK ? vd_items(root, suffix, &here, err) : rc;
	if (rc == PF_OK && here.n > 0) {
		rc = add(out, "", err);
	}
	vd_free(&here);
	if (rc != PF_OK) {
		err->scope = err->scope < PF_SCOPE_STORE ? PF_SCOPE_STORE : err->scope;
	}
	return rc;
}
