/*
 * The directories of an account, and which of them are subscribed to: a file with one name a line.
 */
#include "stores/maildir/maildir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char FILE_NAME[] = "subscriptions";

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct md_names *names, const char *name, struct pf_err *err)
{
	char *copy = strdup(name);

	if (copy && names->n == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 64;
		char **grown = realloc(names->v, cap * sizeof(*grown));

		if (!grown) {
			free(copy);
			copy = NULL;
		} else {
			names->v = grown;
			names->cap = cap;
		}
	}
	if (!copy) {
		return pf_fail_memory(err, "a list of folders");
	}
	names->v[names->n++] = copy;
	return PF_OK;
}

static void sort(struct md_names *names)
{
	if (names->n > 1) {
		qsort(names->v, names->n, sizeof(*names->v), compare);
	}
}

void md_names_free(struct md_names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		free(names->v[i]);
	}
	free(names->v);
	*names = (struct md_names){0};
}

bool md_names_have(const struct md_names *names, const char *name)
{
	return names->n > 0 &&
	       bsearch(&name, names->v, names->n, sizeof(*names->v), compare) != NULL;
}

static bool is_folder(const char *account, const char *name)
{
	char cur[MD_PATH_MAX];
	struct stat st;

	(void)snprintf(cur, sizeof(cur), "%.2000s/%s/cur", account, name);
	return name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       stat(cur, &st) == 0;
}

int md_folders_read(const char *account, struct md_names *out, struct pf_err *err)
{
	DIR *d = opendir(account);
	int rc = add(out, "", err);
	struct dirent *e;

	while (d && rc == PF_OK && (e = readdir(d)) != NULL) {
		if (is_folder(account, e->d_name)) {
			rc = add(out, e->d_name, err);
		}
	}
	if (d) {
		(void)closedir(d);
	}
	sort(out);
	return rc;
}

int md_subscriptions_read(const char *account, struct md_names *out, struct pf_err *err)
{
	char path[MD_PATH_MAX], line[1024];
	int rc = PF_OK;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%.4000s/%s", account, FILE_NAME);
	f = fopen(path, "re");
	while (f && rc == PF_OK && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		rc = line[0] ? add(out, line, err) : PF_OK;
	}
	if (f) {
		(void)fclose(f);
	}
	sort(out);
	return rc;
}

int md_subscribe(const char *account, struct pf_span name, struct pf_err *err)
{
	char path[MD_PATH_MAX];
	bool ok;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%.4000s/%s", account, FILE_NAME);
	f = fopen(path, "ae");
	ok = f && (name.n == 0 || fprintf(f, "%.*s\n", (int)name.n, (const char *)name.p) > 0);
	if (f) {
		ok = fclose(f) == 0 && ok;
	}
	return ok ? PF_OK : pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);
}
