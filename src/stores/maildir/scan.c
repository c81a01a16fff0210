#include "stores/maildir/maildir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct {
	char letter;
	uint32_t bit;
} LETTERS[] = {
	/* in the order that names have them */
	{'D', PF_FLAG_DRAFT},
	{'F', PF_FLAG_FLAGGED},
	{'R', PF_FLAG_ANSWERED},
	{'S', PF_FLAG_SEEN},
	{'T', PF_FLAG_DELETED},
};

/* Where ":2," begins ("!2," and ";2," on systems that can't have colons); the end when there is
 * none. */
static const char *info_of(const char *name)
{
	for (const char *s = name; *s; s++) {
		if (strchr(":!;", *s) && s[1] == '2' && s[2] == ',') {
			return s;
		}
	}
	return name + strlen(name);
}

static int add(struct md_list *l, const char *folder, const char *sub, const char *name,
	struct pf_err *err)
{
	char path[MD_PATH_MAX], file[512];
	struct stat st;
	struct md_message *m;

	(void)snprintf(file, sizeof(file), "%s/%s", sub, name);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		return PF_OK; /* moved meanwhile, or no message */
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct md_message *grown = realloc(l->v, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a listing");
		}
		l->v = grown;
		l->cap = cap;
	}
	m = &l->v[l->n];
	m->file = strdup(file);
	m->id = strndup(name, (size_t)(info_of(name) - name));
	m->size = (uint64_t)st.st_size;
	m->mtime_s = st.st_mtime;
	if (!m->file || !m->id) {
		free(m->file);
		free(m->id);
		return pf_fail_memory(err, "a listing");
	}
	l->n++;
	return PF_OK;
}

static int scan_sub(const char *folder, const char *sub, struct md_list *l, struct pf_err *err)
{
	char path[MD_PATH_MAX];
	struct dirent *e;
	DIR *d;
	int rc = PF_OK;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, sub);
	d = opendir(path);
	if (!d) {
		return errno == ENOENT
			       ? PF_OK
			       : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "reading %s", path);
	}
	while (rc == PF_OK && (e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.') {
			rc = add(l, folder, sub, e->d_name, err);
		}
	}
	(void)closedir(d);
	return rc;
}

/* In the order of delivery: names begin with the time. */
static int by_id(const void *a, const void *b)
{
	const struct md_message *x = a, *y = b;
	long long p = strtoll(x->id, NULL, 10), q = strtoll(y->id, NULL, 10);

	return p != q ? (p < q ? -1 : 1) : strcmp(x->id, y->id);
}

int md_scan(const char *folder, struct md_list *out, struct pf_err *err)
{
	*out = (struct md_list){0};
	if (scan_sub(folder, "new", out, err) != PF_OK ||
		scan_sub(folder, "cur", out, err) != PF_OK) {
		md_list_free(out);
		return PF_FAIL;
	}
	if (out->n > 1) {
		qsort(out->v, out->n, sizeof(*out->v), by_id);
	}
	return PF_OK;
}

void md_list_free(struct md_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].file);
		free(l->v[i].id);
	}
	free(l->v);
	*l = (struct md_list){0};
}

bool md_find(const char *folder, struct pf_span id, char path[MD_PATH_MAX], struct pf_err *err)
{
	static const char *const SUBS[] = {"cur", "new"};
	bool found = false;

	(void)err;
	for (size_t i = 0; i < PF_COUNT(SUBS) && !found; i++) {
		struct dirent *e;
		DIR *d;

		(void)snprintf(path, MD_PATH_MAX, "%s/%s", folder, SUBS[i]);
		d = opendir(path);
		while (d && !found && (e = readdir(d)) != NULL) {
			size_t n = (size_t)(info_of(e->d_name) - e->d_name);

			found = pf_span_eq(pf_span(e->d_name, n), id);
			if (found) {
				(void)snprintf(
					path, MD_PATH_MAX, "%s/%s/%s", folder, SUBS[i], e->d_name);
			}
		}
		if (d) {
			(void)closedir(d);
		}
	}
	return found;
}

int md_flags(const char *file, const struct md_keywords *kw, struct pf_buf *words, uint32_t *sys,
	struct pf_err *err)
{
	const char *info = info_of(file);

	*sys = 0;
	pf_buf_clear(words);
	for (info += *info ? 3 : 0; *info; info++) {
		for (size_t i = 0; i < PF_COUNT(LETTERS); i++) {
			*sys |= *info == LETTERS[i].letter ? LETTERS[i].bit : 0;
		}
		if (*info >= 'a' && *info <= 'z' && kw->name[*info - 'a'] &&
			pf_keywords_add(words, pf_span_str(kw->name[*info - 'a']), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

void md_info(const struct pf_flags *flags, const struct md_keywords *kw, char out[64])
{
	size_t n = 3;

	memcpy(out, ":2,", 3);
	for (size_t i = 0; i < PF_COUNT(LETTERS); i++) {
		if (flags->sys & LETTERS[i].bit) {
			out[n++] = LETTERS[i].letter;
		}
	}
	for (size_t i = 0; i < MD_KEYWORDS; i++) {
		if (kw->name[i] && pf_keywords_has(flags->kw, pf_span_str(kw->name[i]))) {
			out[n++] = (char)('a' + i);
		}
	}
	out[n] = '\0';
}
