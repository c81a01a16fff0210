#include "stores/maildir/maildir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUB_LENGTH = 4 }; /* of "cur/" and "new/" */

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

/* Of the name in "cur/NAME:2,FS". */
static size_t id_length(const char *file)
{
	return (size_t)(info_of(file) - file) - SUB_LENGTH;
}

struct pf_span md_id(const struct md_message *m)
{
	return pf_span(m->file + SUB_LENGTH, m->id_n);
}

struct pf_span md_id_of(const char *file)
{
	return pf_span(file + SUB_LENGTH, id_length(file));
}

static int make_room(struct md_list *l, struct pf_err *err)
{
	size_t cap = l->cap ? l->cap * 2 : 64;
	struct md_message *grown;

	if (l->n < l->cap) {
		return PF_OK;
	}
	grown = realloc(l->v, cap * sizeof(*grown));
	if (!grown) {
		return pf_fail_memory(err, "a listing");
	}
	l->v = grown;
	l->cap = cap;
	return PF_OK;
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
	if (make_room(l, err) != PF_OK) {
		return PF_FAIL;
	}
	m = &l->v[l->n];
	m->file = strdup(file);
	if (!m->file) {
		return pf_fail_memory(err, "a listing");
	}
	m->id_n = id_length(file);
	m->size = (uint64_t)st.st_size;
	m->mtime_s = st.st_mtime;
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
	if (!d) { /* "new" may be missing; without "cur" there is no folder */
		return errno == ENOENT && strcmp(sub, "new") == 0
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
static int cmp_ids(struct pf_span a, struct pf_span b)
{
	char *end;
	/* What is behind a name is its info part or a NUL, so that the number ends before it. */
	long long p = strtoll((const char *)a.p, &end, 10),
		  q = strtoll((const char *)b.p, &end, 10);
	size_t n = a.n < b.n ? a.n : b.n;
	int d = p != q ? (p < q ? -1 : 1) : memcmp(a.p, b.p, n);

	return d != 0 ? d : (a.n < b.n ? -1 : a.n > b.n);
}

static int by_id(const void *a, const void *b)
{
	return cmp_ids(md_id(a), md_id(b));
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
	}
	free(l->v);
	*l = (struct md_list){0};
}

/* ---- one message ---- */

/* Where the message of this id is in the list, or would be. */
static size_t place_of(const struct md_list *l, struct pf_span id)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp_ids(md_id(&l->v[mid]), id) < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

int md_list_note(struct md_list *l, const char *file, struct pf_err *err)
{
	struct pf_span id = md_id_of(file);
	size_t at = place_of(l, id);
	char *copy = strdup(file);

	if (!copy || make_room(l, err) != PF_OK) {
		free(copy);
		return pf_fail_memory(err, "a listing");
	}
	if (at < l->n && pf_span_eq(md_id(&l->v[at]), id)) {
		free(l->v[at].file);
		l->v[at].file = copy;
		return PF_OK;
	}
	memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof(*l->v));
	l->v[at] = (struct md_message){.file = copy, .id_n = id.n};
	l->n++;
	return PF_OK;
}

/* "cur/NAME" of the file with this id; NULL: none. */
static bool look(const char *folder, const char *sub, struct pf_span id, char file[512])
{
	char path[MD_PATH_MAX];
	bool found = false;
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, sub);
	d = opendir(path);
	while (d && !found && (e = readdir(d)) != NULL) {
		size_t n = (size_t)(info_of(e->d_name) - e->d_name);

		found = pf_span_eq(pf_span(e->d_name, n), id);
		if (found) {
			(void)snprintf(file, 512, "%s/%s", sub, e->d_name);
		}
	}
	if (d) {
		(void)closedir(d);
	}
	return found;
}

int md_find(const char *folder, struct md_list *l, struct pf_span id, char path[MD_PATH_MAX],
	bool *found, struct pf_err *err)
{
	char file[512], name[256];
	size_t at;

	*found = false;
	if (id.n == 0 || id.n >= sizeof(name)) {
		return PF_OK;
	}
	memcpy(name, id.p, id.n);
	name[id.n] = '\0'; /* as cmp_ids wants it */
	id = pf_span(name, id.n);
	at = place_of(l, id);
	if (at < l->n && pf_span_eq(md_id(&l->v[at]), id)) {
		(void)snprintf(path, MD_PATH_MAX, "%.3500s/%s", folder, l->v[at].file);
		*found = access(path, F_OK) == 0;
	}
	if (*found) {
		return PF_OK;
	}
	/* Come since, or renamed by another program, as its flags changed. */
	*found = look(folder, "cur", id, file) || look(folder, "new", id, file) ||
		 look(folder, "cur", id, file);
	if (!*found) {
		return PF_OK;
	}
	(void)snprintf(path, MD_PATH_MAX, "%.3500s/%s", folder, file);
	return md_list_note(l, file, err);
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
