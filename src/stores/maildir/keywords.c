#include "stores/maildir/maildir_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char FILE_NAME[] = "dovecot-keywords";

int md_keywords_read(const char *folder, struct md_keywords *kw, struct pf_err *err)
{
	char path[MD_PATH_MAX], line[1024];
	FILE *f;

	*kw = (struct md_keywords){0};
	(void)snprintf(path, sizeof(path), "%s/%s", folder, FILE_NAME);
	f = fopen(path, "re");
	if (!f) {
		return errno == ENOENT
			       ? PF_OK
			       : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "reading %s", path);
	}
	while (fgets(line, sizeof(line), f)) { /* "0 $Forwarded" */
		char *end = NULL;
		long i = strtol(line, &end, 10);

		if (end == line || *end != ' ' || i < 0 || i >= MD_KEYWORDS || kw->name[i]) {
			continue; /* not of this form: then it names no letter */
		}
		end[1 + strcspn(end + 1, "\r\n")] = '\0';
		kw->name[i] = strdup(end + 1);
	}
	(void)fclose(f);
	return PF_OK;
}

bool md_keywords_know(const struct md_keywords *kw, struct pf_span word)
{
	for (size_t i = 0; i < MD_KEYWORDS; i++) {
		if (kw->name[i] && pf_span_is(word, kw->name[i])) {
			return true;
		}
	}
	return false;
}

int md_keywords_assign(
	struct md_keywords *kw, struct pf_span words, bool *added, struct pf_err *err)
{
	struct pf_span word;

	while (pf_keywords_next(&words, &word)) {
		size_t slot = 0;

		while (slot < MD_KEYWORDS && kw->name[slot]) {
			slot++;
		}
		if (slot == MD_KEYWORDS || md_keywords_know(kw, word)) {
			continue;
		}
		kw->name[slot] = strndup((const char *)word.p, word.n);
		if (!kw->name[slot]) {
			return pf_fail_memory(err, "a keyword");
		}
		*added = true;
	}
	return PF_OK;
}

int md_keywords_write(const char *folder, const struct md_keywords *kw, struct pf_err *err)
{
	char path[MD_PATH_MAX], tmp[MD_PATH_MAX];
	FILE *f;
	bool ok;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, FILE_NAME);
	(void)snprintf(tmp, sizeof(tmp), "%s/%s.postferry", folder, FILE_NAME);
	f = fopen(tmp, "we");
	ok = f != NULL;
	for (size_t i = 0; ok && i < MD_KEYWORDS; i++) {
		ok = !kw->name[i] || fprintf(f, "%zu %s\n", i, kw->name[i]) > 0;
	}
	ok = ok && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f) {
		ok = fclose(f) == 0 && ok;
	}
	return ok && rename(tmp, path) == 0
		       ? pf_dir_sync(folder, err)
		       : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "writing %s", path);
}

void md_keywords_free(struct md_keywords *kw)
{
	for (size_t i = 0; i < MD_KEYWORDS; i++) {
		free(kw->name[i]);
	}
	*kw = (struct md_keywords){0};
}
