#include "base/buf.h"
#include "ledger/ledger.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

enum { PART_MAX = 60, HASH_SHOWN = 12 };

/* The part of an identity that tells a reader which one it is, of characters that any file system
 * takes. */
static int add_part(struct pf_buf *b, const char *identity, struct pf_err *err)
{
	static const char PLAIN[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@_";
	const char *p = strstr(identity, "://");
	size_t from = b->n;
	int rc = PF_OK;

	for (p = p ? p + 3 : identity; *p && b->n - from < PART_MAX && rc == PF_OK; p++) {
		bool plain = strchr(PLAIN, *p) != NULL;

		if (strncasecmp(p, "%40", 3) == 0) {
			rc = pf_buf_add(b, pf_span("@", 1), err);
			p += 2;
		} else if (plain && (b->n > from || *p != '.')) {
			rc = pf_buf_add(b, pf_span(p, 1), err);
		} else if (b->n > from && b->p[b->n - 1] != '-') {
			rc = pf_buf_add(b, pf_span("-", 1), err);
		}
	}
	while (b->n > from && (b->p[b->n - 1] == '-' || b->p[b->n - 1] == '.')) {
		b->n--;
	}
	return rc;
}

static int add_hash(struct pf_buf *b, const char *from, const char *to, struct pf_err *err)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest d;
	char hex[2 * PF_DIGEST_BYTES + 1];

	if (!h) {
		return pf_fail_memory(err, "a digest");
	}
	pf_hash_add(h, pf_span(from, strlen(from) + 1)); /* the NUL keeps the two apart */
	pf_hash_add(h, pf_span_str(to));
	pf_hash_take(h, &d);
	pf_hash_free(&h);
	pf_digest_hex(&d, hex);
	return pf_buf_addf(b, err, "-%.*s.ledger", HASH_SHOWN, hex);
}

/* XDG Base Directory Specification: a relative path in the variable counts as none. */
static int add_dir(struct pf_buf *b, struct pf_err *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (state && *state == '/') {
		return pf_buf_addf(b, err, "%s/postferry/", state);
	}
	if (!home || *home != '/') {
		pw = getpwuid(getuid());
		home = pw ? pw->pw_dir : NULL;
	}
	if (!home || *home != '/') {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"no home directory to keep the ledger in; name a file with --ledger");
	}
	return pf_buf_addf(b, err, "%s/.local/state/postferry/", home);
}

int pf_ledger_default_path(const char *from, const char *to, char **path, struct pf_err *err)
{
	const char *text;
	struct pf_buf b;
	int rc = PF_FAIL;

	*path = NULL;
	pf_buf_init(&b, 8192);
	if (add_dir(&b, err) == PF_OK && add_part(&b, from, err) == PF_OK &&
		pf_buf_add_str(&b, "-to-", err) == PF_OK && add_part(&b, to, err) == PF_OK &&
		add_hash(&b, from, to, err) == PF_OK && pf_buf_cstr(&b, &text, err) == PF_OK) {
		*path = strdup(text);
		rc = *path ? PF_OK : pf_fail_memory(err, "a path");
	}
	pf_buf_deinit(&b);
	return rc;
}
