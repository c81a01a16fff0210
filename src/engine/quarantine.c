/*
 * An entry is ID.eml, when there are bytes, and then ID.json: the entry is whole once the latter is
 * there. Each is written under another name (ID.eml.part, ID.json.part), synced and renamed.
 *
 * Paths are walked by descriptor, a step at a time: a folder of thirty levels is longer than the
 * system takes in one path.
 */
#include "engine/quarantine.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/utf8.h"
#include "engine/safe_name.h"
#include "model/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD_KEPT = 32 << 10, /* of an item: enough to say what it is */
	JSON_MAX = 256 << 10,
	NAME_BYTES = PF_SAFE_NAME_MAX + 8, /* with .json */
	PART_BYTES = NAME_BYTES + 8,
};

struct pf_quarantine {
	char *dir;
	char *account;
	struct pf_path last; /* the folder that `last_fd` is the directory of; -1: none */
	int last_fd;
};

struct pf_quarantine_entry {
	struct pf_quarantine *q;
	struct pf_hash *hash;
	struct pf_buf head;
	uint64_t bytes;
	int dir_fd; /* its own */
	int fd;
	char id[PF_SAFE_NAME_MAX + 1];
};

static int fail(
	const struct pf_quarantine *q, const char *what, const char *name, struct pf_err *err)
{
	char shown[200];

	return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "quarantine %s: %s %s",
		pf_print_safe(shown, sizeof(shown), pf_span_str(q->dir)), what, name);
}

int pf_quarantine_open(
	const char *dir, const char *account, struct pf_quarantine **out, struct pf_err *err)
{
	struct pf_quarantine *q;

	*out = NULL;
	if (!dir || *dir == '\0') {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"no directory for the quarantine; name one with --quarantine");
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		return pf_fail_memory(err, "the quarantine");
	}
	q->last_fd = -1;
	q->dir = strdup(dir);
	q->account = strdup(account);
	if (!q->dir || !q->account) {
		pf_quarantine_free(&q);
		return pf_fail_memory(err, "the quarantine");
	}
	*out = q;
	return PF_OK;
}

static void forget_folder(struct pf_quarantine *q)
{
	if (q->last_fd >= 0) {
		(void)close(q->last_fd);
		q->last_fd = -1;
	}
	pf_path_deinit(&q->last);
}

void pf_quarantine_free(struct pf_quarantine **quarantine)
{
	struct pf_quarantine *q = *quarantine;

	if (!q) {
		return;
	}
	forget_folder(q);
	free(q->dir);
	free(q->account);
	free(q);
	*quarantine = NULL;
}

/* ---- directories ---- */

/* From the directory `*fd` into `name`, which is made when `make` says so. `*fd` is closed. */
static int enter(struct pf_quarantine *q, int *fd, const char *name, bool make, struct pf_err *err)
{
	int next;

	if (make && mkdirat(*fd, name, 0700) == 0) {
		if (fsync(*fd) != 0) {
			return fail(q, "can't sync the directory of", name, err);
		}
	} else if (make && errno != EEXIST) {
		return fail(q, "can't make the directory", name, err);
	}
	next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0) {
		return errno == ENOENT && !make ? PF_END
						: fail(q, "can't open the directory", name, err);
	}
	(void)close(*fd);
	*fd = next;
	return PF_OK;
}

/* Make DIR itself and what is missing above it. */
static int make_top(struct pf_quarantine *q, struct pf_err *err)
{
	char *p;
	int rc = PF_OK;

	for (p = strchr(q->dir + 1, '/'); rc == PF_OK; p = strchr(p + 1, '/')) {
		if (p) {
			*p = '\0';
		}
		if (mkdir(q->dir, 0700) != 0 && errno != EEXIST) {
			rc = fail(q, "can't make it", "", err);
		}
		if (!p) {
			break;
		}
		*p = '/';
	}
	return rc;
}

/*
 * The directory of the first `depth` segments of `folder`. PF_END, with `make` false: it is not
 * there.
 */
static int walk(struct pf_quarantine *q, const struct pf_path *folder, size_t depth, bool make,
	int *out, struct pf_err *err)
{
	char name[PF_SAFE_NAME_MAX + 1];
	int fd, rc;

	if (make && make_top(q, err) != PF_OK) {
		return PF_FAIL;
	}
	fd = open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT && !make ? PF_END : fail(q, "can't open it", "", err);
	}
	pf_safe_name(pf_span_str(q->account), name);
	rc = enter(q, &fd, name, make, err);
	for (size_t i = 0; i < depth && rc == PF_OK; i++) {
		pf_safe_name(pf_span_str(pf_path_segment(folder, i)), name);
		rc = enter(q, &fd, name, make, err);
	}
	if (rc != PF_OK) {
		(void)close(fd);
		return rc;
	}
	*out = fd;
	return PF_OK;
}

/* The directory of `folder`; borrowed, and kept for the next item of it. */
static int folder_fd(struct pf_quarantine *q, const struct pf_path *folder, bool make, int *out,
	struct pf_err *err)
{
	int rc = PF_OK;

	if (q->last_fd < 0 || !pf_path_eq(&q->last, folder)) {
		forget_folder(q);
		rc = walk(q, folder, pf_path_depth(folder), make, &q->last_fd, err);
		if (rc == PF_OK && pf_path_copy(&q->last, folder, err) != PF_OK) {
			forget_folder(q);
			rc = PF_FAIL;
		}
	}
	*out = q->last_fd;
	return rc;
}

/* ---- files ---- */

static int open_part(
	struct pf_quarantine *q, int dir_fd, const char *name, int *fd, struct pf_err *err)
{
	char part[PART_BYTES];

	(void)snprintf(part, sizeof(part), "%s.part", name);
	*fd = openat(dir_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *fd < 0 ? fail(q, "can't make", part, err) : PF_OK;
}

static int write_all(
	const struct pf_quarantine *q, int fd, struct pf_span bytes, struct pf_err *err)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno != EINTR) {
			return fail(q, "can't write", "an item", err);
		}
		bytes = pf_span_from(bytes, n > 0 ? (size_t)n : 0);
	}
	return PF_OK;
}

/* Sync and close `*fd` and give it its name; whatever happens `*fd` is closed. */
static int settle(
	struct pf_quarantine *q, int dir_fd, const char *name, int *fd, struct pf_err *err)
{
	char part[PART_BYTES];
	int rc = PF_OK;

	(void)snprintf(part, sizeof(part), "%s.part", name);
	if (fsync(*fd) != 0) {
		rc = fail(q, "can't sync", part, err);
	}
	if (close(*fd) != 0 && rc == PF_OK) {
		rc = fail(q, "can't close", part, err);
	}
	*fd = -1;
	if (rc == PF_OK && renameat(dir_fd, part, dir_fd, name) != 0) {
		rc = fail(q, "can't rename", part, err);
	}
	if (rc == PF_OK && fsync(dir_fd) != 0) {
		rc = fail(q, "can't sync the directory of", name, err);
	}
	if (rc != PF_OK) {
		(void)unlinkat(dir_fd, part, 0);
	}
	return rc;
}

/* ---- the reason ---- */

static int put_flags(struct pf_buf *b, const struct pf_flags *flags, struct pf_err *err)
{
	struct pf_span list = flags->kw, word;
	const char *comma = "";
	int rc = pf_json_key(b, "flags", err);

	rc = rc == PF_OK ? pf_buf_add_str(b, "[", err) : rc;
	for (uint32_t bit = 1; bit <= PF_FLAGS_ALL && rc == PF_OK; bit <<= 1) {
		if (flags->sys & bit) {
			rc = pf_buf_add_str(b, comma, err);
			rc = rc == PF_OK ? pf_json_string(b, pf_span_str(pf_flag_name(bit)), err)
					 : rc;
			comma = ",";
		}
	}
	while (rc == PF_OK && pf_keywords_next(&list, &word)) {
		rc = pf_buf_add_str(b, comma, err);
		rc = rc == PF_OK ? pf_json_string(b, word, err) : rc;
		comma = ",";
	}
	return rc == PF_OK ? pf_buf_add_str(b, "]", err) : rc;
}

static int put_path(struct pf_buf *b, const struct pf_path *path, struct pf_err *err)
{
	size_t depth = pf_path_depth(path);
	int rc = pf_json_key(b, "folder_path", err);

	rc = rc == PF_OK ? pf_buf_add_str(b, "[", err) : rc;
	for (size_t i = 0; i < depth && rc == PF_OK; i++) {
		rc = pf_buf_add_str(b, i ? "," : "", err);
		rc = rc == PF_OK ? pf_json_string(b, pf_span_str(pf_path_segment(path, i)), err)
				 : rc;
	}
	return rc == PF_OK ? pf_buf_add_str(b, "]", err) : rc;
}

/* What the bytes are and what they say of themselves. */
static int put_content(struct pf_buf *b, struct pf_quarantine_entry *e, struct pf_err *err)
{
	char hex[2 * PF_DIGEST_BYTES + 1], file[NAME_BYTES];
	struct pf_description d;
	struct pf_digest digest;

	pf_hash_take(e->hash, &digest);
	pf_digest_hex(&digest, hex);
	pf_describe(pf_buf_span(&e->head), &d);
	(void)snprintf(file, sizeof(file), "%s.eml", e->id);
	if (pf_json_put(b, "file", pf_span_str(file), err) != PF_OK ||
		pf_json_put_int(b, "bytes", (int64_t)e->bytes, err) != PF_OK ||
		pf_json_put(b, "sha256", pf_span_str(hex), err) != PF_OK ||
		pf_json_put(b, "message_id", pf_span_str(d.message_id), err) != PF_OK ||
		pf_json_put(b, "from", pf_span_str(d.from), err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_json_put(b, "subject", pf_span_str(d.subject), err);
}

static int put_about(struct pf_buf *b, const struct pf_quarantine *q,
	const struct pf_quarantine_about *about, struct pf_err *err)
{
	char shown[2048], date[32], at[32];

	pf_date_iso(about->date_utc_s, date);
	pf_date_iso(about->at_utc_s, at);
	if (pf_buf_add_str(b, "{", err) != PF_OK ||
		pf_json_put(b, "account", pf_span_str(q->account), err) != PF_OK ||
		pf_json_put(b, "folder",
			pf_span_str(pf_path_show(about->folder, shown, sizeof(shown))),
			err) != PF_OK ||
		put_path(b, about->folder, err) != PF_OK ||
		pf_json_put(b, "id", about->item, err) != PF_OK ||
		pf_json_put_int(b, "size", (int64_t)about->size, err) != PF_OK ||
		pf_json_put(b, "date", pf_span_str(date), err) != PF_OK ||
		put_flags(b, &about->flags, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_json_put(b, "reason", pf_span_str(about->reason), err) != PF_OK ||
		pf_json_put_int(b, "attempts", about->attempts, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_json_put(b, "at", pf_span_str(at), err);
}

/* Write ID.json; `with_content`: ID.eml is there and `e` has gone over it. */
static int write_reason(struct pf_quarantine_entry *e, const struct pf_quarantine_about *about,
	bool with_content, struct pf_err *err)
{
	char name[NAME_BYTES];
	struct pf_buf b;
	int fd = -1;
	int rc = PF_FAIL;

	pf_buf_init(&b, JSON_MAX);
	(void)snprintf(name, sizeof(name), "%s.json", e->id);
	if (put_about(&b, e->q, about, err) == PF_OK &&
		(!with_content || put_content(&b, e, err) == PF_OK) &&
		pf_buf_add_str(&b, "}\n", err) == PF_OK &&
		open_part(e->q, e->dir_fd, name, &fd, err) == PF_OK) {
		rc = write_all(e->q, fd, pf_buf_span(&b), err);
		if (rc == PF_OK) {
			rc = settle(e->q, e->dir_fd, name, &fd, err);
		} else {
			(void)close(fd);
		}
	}
	pf_buf_deinit(&b);
	return rc;
}

/* ---- entries ---- */

static void entry_free(struct pf_quarantine_entry **entry)
{
	struct pf_quarantine_entry *e = *entry;

	if (e->fd >= 0) {
		(void)close(e->fd);
	}
	if (e->dir_fd >= 0) {
		(void)close(e->dir_fd);
	}
	pf_buf_deinit(&e->head);
	pf_hash_free(&e->hash);
	free(e);
	*entry = NULL;
}

/* NULL: `err` says why. */
static struct pf_quarantine_entry *entry_new(
	struct pf_quarantine *q, const struct pf_quarantine_about *about, struct pf_err *err)
{
	struct pf_quarantine_entry *e = calloc(1, sizeof(*e));
	int fd = -1;

	if (!e) {
		(void)pf_fail_memory(err, "an item for the quarantine");
		return NULL;
	}
	e->q = q;
	e->dir_fd = -1;
	e->fd = -1;
	e->hash = pf_hash_new();
	pf_buf_init(&e->head, HEAD_KEPT);
	pf_safe_name(about->item, e->id);
	if (!e->hash) {
		(void)pf_fail_memory(err, "an item for the quarantine");
	} else if (folder_fd(q, about->folder, true, &fd, err) == PF_OK) {
		e->dir_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (e->dir_fd >= 0) {
			return e;
		}
		(void)fail(q, "can't open", "a directory", err);
	}
	entry_free(&e);
	return NULL;
}

static int take_in(struct pf_quarantine_entry *e, struct pf_span bytes, struct pf_err *err)
{
	size_t room = HEAD_KEPT - e->head.n;

	pf_hash_add(e->hash, bytes);
	e->bytes += bytes.n;
	return pf_buf_add(&e->head, pf_span(bytes.p, bytes.n < room ? bytes.n : room), err);
}

int pf_quarantine_begin(struct pf_quarantine *q, const struct pf_quarantine_about *about,
	struct pf_quarantine_entry **out, struct pf_err *err)
{
	struct pf_quarantine_entry *e = entry_new(q, about, err);
	char name[NAME_BYTES];

	*out = NULL;
	if (!e) {
		return PF_FAIL;
	}
	(void)snprintf(name, sizeof(name), "%s.eml", e->id);
	if (open_part(q, e->dir_fd, name, &e->fd, err) != PF_OK) {
		entry_free(&e);
		return PF_FAIL;
	}
	*out = e;
	return PF_OK;
}

int pf_quarantine_add(struct pf_quarantine_entry *e, struct pf_span bytes, struct pf_err *err)
{
	int rc = write_all(e->q, e->fd, bytes, err);

	return rc == PF_OK ? take_in(e, bytes, err) : rc;
}

int pf_quarantine_commit(struct pf_quarantine_entry **entry,
	const struct pf_quarantine_about *about, struct pf_err *err)
{
	struct pf_quarantine_entry *e = *entry;
	char name[NAME_BYTES];
	int rc;

	(void)snprintf(name, sizeof(name), "%s.eml", e->id);
	rc = settle(e->q, e->dir_fd, name, &e->fd, err);
	if (rc == PF_OK) {
		rc = write_reason(e, about, true, err);
	}
	entry_free(entry);
	return rc;
}

void pf_quarantine_abort(struct pf_quarantine_entry **entry)
{
	char part[PART_BYTES];

	if (*entry) {
		(void)snprintf(part, sizeof(part), "%s.eml.part", (*entry)->id);
		(void)unlinkat((*entry)->dir_fd, part, 0);
		entry_free(entry);
	}
}

/* Go over the bytes that an earlier run kept; PF_END: there are none. */
static int read_kept(struct pf_quarantine_entry *e, struct pf_err *err)
{
	char name[NAME_BYTES];
	uint8_t part[16384];
	ssize_t n;
	int rc = PF_OK;

	(void)snprintf(name, sizeof(name), "%s.eml", e->id);
	e->fd = openat(e->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (e->fd < 0) {
		return errno == ENOENT ? PF_END : fail(e->q, "can't read", name, err);
	}
	while (rc == PF_OK && (n = read(e->fd, part, sizeof(part))) != 0) {
		rc = n < 0 ? fail(e->q, "can't read", name, err)
			   : take_in(e, pf_span(part, (size_t)n), err);
	}
	return rc;
}

static int put_reason_only(
	struct pf_quarantine *q, const struct pf_quarantine_about *about, struct pf_err *err)
{
	struct pf_quarantine_entry *e = entry_new(q, about, err);
	int rc;

	if (!e) {
		return PF_FAIL;
	}
	rc = read_kept(e, err);
	rc = rc == PF_FAIL ? rc : write_reason(e, about, rc == PF_OK, err);
	entry_free(&e);
	return rc;
}

int pf_quarantine_put(struct pf_quarantine *q, const struct pf_quarantine_about *about,
	struct pf_span bytes, struct pf_err *err)
{
	struct pf_quarantine_entry *e = NULL;

	if (!bytes.p) {
		return put_reason_only(q, about, err);
	}
	if (pf_quarantine_begin(q, about, &e, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_quarantine_add(e, bytes, err) != PF_OK) {
		pf_quarantine_abort(&e);
		return PF_FAIL;
	}
	return pf_quarantine_commit(&e, about, err);
}

int pf_quarantine_file(struct pf_quarantine *q, const struct pf_path *folder, struct pf_span item,
	const char *ending, struct pf_span bytes, struct pf_err *err)
{
	char id[PF_SAFE_NAME_MAX + 1], name[NAME_BYTES];
	struct stat st;
	int dir_fd = -1, fd = -1;

	if (folder_fd(q, folder, true, &dir_fd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_safe_name(item, id);
	(void)snprintf(name, sizeof(name), "%s%.7s", id, ending);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(uint64_t)st.st_size == bytes.n) {
		return PF_OK;
	}
	if (open_part(q, dir_fd, name, &fd, err) != PF_OK) {
		return PF_FAIL;
	}
	if (write_all(q, fd, bytes, err) != PF_OK) {
		(void)close(fd);
		return PF_FAIL;
	}
	return settle(q, dir_fd, name, &fd, err);
}

/* ---- reading and removing ---- */

int pf_quarantine_read(struct pf_quarantine *q, const struct pf_path *folder, struct pf_span item,
	int *out, struct pf_err *err)
{
	char id[PF_SAFE_NAME_MAX + 1], name[NAME_BYTES];
	int fd = -1;
	int rc = folder_fd(q, folder, false, &fd, err);

	if (rc != PF_OK) {
		return rc;
	}
	pf_safe_name(item, id);
	(void)snprintf(name, sizeof(name), "%s.eml", id);
	*out = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*out < 0) {
		return errno == ENOENT ? PF_END : fail(q, "can't read", name, err);
	}
	return PF_OK;
}

/* The directories that are empty now, from the folder's own upwards. */
static void remove_empty(struct pf_quarantine *q, const struct pf_path *folder)
{
	char name[PF_SAFE_NAME_MAX + 1];
	bool gone = true;

	forget_folder(q);
	for (size_t depth = pf_path_depth(folder); depth > 0 && gone; depth--) {
		int fd = -1;

		/* What stays for whatever reason is an empty directory and no harm. */
		if (walk(q, folder, depth - 1, false, &fd, NULL) != PF_OK) {
			return;
		}
		pf_safe_name(pf_span_str(pf_path_segment(folder, depth - 1)), name);
		gone = unlinkat(fd, name, AT_REMOVEDIR) == 0;
		(void)close(fd);
	}
}

int pf_quarantine_remove(struct pf_quarantine *q, const struct pf_path *folder, struct pf_span item,
	struct pf_err *err)
{
	static const char *const ENDS[] = {
		".json", ".eml"}; /* in this order: no reason, no entry */
	char id[PF_SAFE_NAME_MAX + 1], name[NAME_BYTES];
	int fd = -1;
	int rc = folder_fd(q, folder, false, &fd, err);

	if (rc != PF_OK) {
		return rc == PF_END ? PF_OK : rc;
	}
	pf_safe_name(item, id);
	for (size_t i = 0; i < PF_COUNT(ENDS); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", id, ENDS[i]);
		if (unlinkat(fd, name, 0) != 0 && errno != ENOENT) {
			return fail(q, "can't remove", name, err);
		}
	}
	remove_empty(q, folder);
	return PF_OK;
}
