#include "stores/mbox/mbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- files ---- */

static int read_at(struct pf_mbox_src *src, uint64_t at, uint8_t *into, size_t n, size_t *got,
	struct pf_err *err)
{
	const struct mb_file *f = pf_container_of(src, struct mb_file, src);

	*got = 0;
	while (*got < n) {
		ssize_t k = pread(f->fd, into + *got, n - *got, (off_t)(at + *got));

		if (k < 0 && errno == EINTR) {
			continue;
		}
		if (k < 0) {
			return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_LATER, "reading a mailbox");
		}
		if (k == 0) {
			break;
		}
		*got += (size_t)k;
	}
	return PF_OK;
}

void mb_file_init(struct mb_file *f)
{
	*f = (struct mb_file){.src = {read_at}, .fd = -1};
}

void mb_file_close(struct mb_file *f)
{
	if (f->fd >= 0) {
		(void)close(f->fd);
	}
	f->fd = -1;
}

void mb_beside(const char *path, const char *suffix, char out[MB_PATH_MAX])
{
	struct pf_span dir = mb_dir_of(path);

	(void)snprintf(out, MB_PATH_MAX, "%.*s.%.300s.postferry%s", (int)dir.n, (const char *)dir.p,
		path + dir.n, suffix);
}

int mb_sync_dir(const char *path, struct pf_err *err)
{
	struct pf_span dir = mb_dir_of(path);
	char name[MB_PATH_MAX];
	int fd, rc;

	(void)snprintf(name, sizeof(name), "%.*s", dir.n > 0 ? (int)dir.n : 1,
		dir.n > 0 ? (const char *)dir.p : ".");
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd >= 0 && fsync(fd) == 0 ? PF_OK : mb_fail_write(name, err);
	if (fd >= 0) {
		(void)close(fd);
	}
	return rc;
}

/* Other programs keep off while we read or write, and we while they do. */
int mb_lock(const struct mb_box *b, bool write, struct pf_err *err)
{
	struct flock l = {.l_type = (short)(write ? F_WRLCK : F_RDLCK), .l_whence = SEEK_SET};

	if (fcntl(b->file.fd, F_OFD_SETLK, &l) == 0 || errno == EINVAL || errno == ENOLCK ||
		errno == ENOTSUP) {
		return PF_OK; /* or the file system has no locks */
	}
	return pf_fail_sys(
		err, PF_SCOPE_FOLDER, PF_RETRY_LATER, "%s: another program has it locked", b->path);
}

void mb_unlock(const struct mb_box *b)
{
	struct flock l = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(b->file.fd, F_OFD_SETLK, &l); /* at the latest it goes with the descriptor */
}

/* ---- messages ---- */

void mb_box_close(struct mb_box *b)
{
	mb_file_close(&b->file);
	pf_mbox_free(&b->scan);
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].keywords);
	}
	free(b->v);
	free(b->by_id);
	*b = (struct mb_box){.used = b->used};
	mb_file_init(&b->file);
}

void mb_id(const struct mb_message *m, char out[MB_ID_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(m->digest); i++) {
		n += (size_t)snprintf(out + n, MB_ID_MAX - n, "%02x", m->digest[i]);
	}
	if (m->copy > 0) {
		(void)snprintf(out + n, MB_ID_MAX - n, ".%u", (unsigned int)m->copy);
	}
}

static int compare(const struct mb_message *a, const struct mb_message *b)
{
	int d = memcmp(a->digest, b->digest, sizeof(a->digest));

	return d != 0 ? d : (a->copy > b->copy) - (a->copy < b->copy);
}

/* Where among by_id it is, or would be. */
static size_t place_of(const struct mb_box *b, const struct mb_message *key)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(&b->v[b->by_id[mid]], key) < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

static bool hex_digit(uint8_t c, uint8_t *out)
{
	static const char DIGITS[] = "0123456789abcdef";
	const char *d = c ? strchr(DIGITS, c) : NULL;

	*out = d ? (uint8_t)(d - DIGITS) : 0;
	return d != NULL;
}

static bool read_id(struct pf_span id, struct mb_message *out)
{
	*out = (struct mb_message){.copy = 0};
	if (id.n < 32 || id.n >= MB_ID_MAX) {
		return false;
	}
	for (size_t i = 0; i < sizeof(out->digest); i++) {
		uint8_t high, low;

		if (!hex_digit(id.p[2 * i], &high) || !hex_digit(id.p[2 * i + 1], &low)) {
			return false;
		}
		out->digest[i] = (uint8_t)(high << 4 | low);
	}
	for (size_t i = 33; i < id.n; i++) {
		if (id.p[i] < '0' || id.p[i] > '9' || out->copy > 100000000) {
			return false;
		}
		out->copy = out->copy * 10 + (id.p[i] - '0');
	}
	return id.n == 32 || (id.n > 33 && id.p[32] == '.');
}

size_t mb_find(const struct mb_box *b, struct pf_span id)
{
	struct mb_message key;
	size_t at;

	if (!read_id(id, &key)) {
		return b->n;
	}
	at = place_of(b, &key);
	return at < b->n && compare(&b->v[b->by_id[at]], &key) == 0 ? b->by_id[at] : b->n;
}

static int make_room(struct mb_box *b, struct pf_err *err)
{
	size_t cap = b->cap ? 2 * b->cap : 64;
	struct mb_message *v;
	uint32_t *by_id;

	if (b->n < b->cap) {
		return PF_OK;
	}
	v = realloc(b->v, cap * sizeof(*v));
	b->v = v ? v : b->v;
	by_id = realloc(b->by_id, cap * sizeof(*by_id));
	b->by_id = by_id ? by_id : b->by_id;
	if (!v || !by_id) {
		return pf_fail_memory(err, "a listing");
	}
	b->cap = cap;
	return PF_OK;
}

/* Its octets as they are given out: how many, and what they are. */
static int measure(
	struct mb_box *b, const struct pf_mbox_msg *msg, struct mb_message *m, struct pf_err *err)
{
	struct pf_mbox_body *body = malloc(sizeof(*body));
	uint8_t *part = malloc(PF_MBOX_OUT);
	struct pf_hash *hash = pf_hash_new();
	struct pf_digest digest;
	int rc = PF_FAIL;
	size_t n = 1;

	if (!body || !part || !hash) {
		(void)pf_fail_memory(err, "a message");
		goto out;
	}
	for (pf_mbox_open(body, &b->file.src, msg, false); n > 0; m->size += n) {
		if (pf_mbox_read(body, part, &n, err) != PF_OK) {
			goto out;
		}
		pf_hash_add(hash, pf_span(part, n));
	}
	pf_hash_take(hash, &digest);
	memcpy(m->digest, digest.b, sizeof(m->digest));
	rc = PF_OK;
out:
	pf_hash_free(&hash);
	free(part);
	free(body);
	return rc;
}

/* One more at the end of the list; by_id is the caller's. */
static int add(struct mb_box *b, const struct pf_mbox_msg *msg, struct pf_err *err)
{
	struct mb_message m = {.from = msg->from,
		.date_utc_s = msg->has_date ? msg->date_utc_s : PF_DATE_NONE,
		.marks = msg->marks};

	if (b->n >= UINT32_MAX || make_room(b, err) != PF_OK || measure(b, msg, &m, err) != PF_OK) {
		return PF_FAIL;
	}
	m.keywords = msg->keywords[0] ? strdup(msg->keywords) : NULL;
	if (msg->keywords[0] && !m.keywords) {
		return pf_fail_memory(err, "a listing");
	}
	b->v[b->n++] = m;
	return PF_OK;
}

int mb_add_known(struct mb_box *b, uint64_t from, struct pf_err *err)
{
	struct pf_mbox_msg msg;
	struct mb_message key;
	uint32_t index = (uint32_t)b->n;
	size_t at;

	pf_mbox_seek(b->scan, from);
	if (pf_mbox_next(b->scan, &msg, err) != PF_OK || add(b, &msg, err) != PF_OK) {
		return PF_FAIL;
	}
	b->n--; /* until it has its place */
	key = b->v[index];
	key.copy = UINT32_MAX;
	at = place_of(b, &key); /* behind all of the same octets */
	if (at > 0 && memcmp(b->v[b->by_id[at - 1]].digest, key.digest, sizeof(key.digest)) == 0) {
		b->v[index].copy = b->v[b->by_id[at - 1]].copy + 1;
	}
	memmove(&b->by_id[at + 1], &b->by_id[at], (b->n - at) * sizeof(*b->by_id));
	b->by_id[at] = index;
	b->n++;
	return PF_OK;
}

void mb_forget(struct mb_box *b, size_t i)
{
	size_t to = 0;

	for (size_t k = 0; k < b->n; k++) {
		uint32_t index = b->by_id[k];

		if (index != i) {
			b->by_id[to++] = index > i ? index - 1 : index;
		}
	}
	free(b->v[i].keywords);
	memmove(&b->v[i], &b->v[i + 1], (b->n - i - 1) * sizeof(*b->v));
	b->n--;
}

/* ---- a whole file ---- */

static int by_digest(const void *x, const void *y, void *box)
{
	const struct mb_box *b = box;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	int d = memcmp(b->v[i].digest, b->v[k].digest, sizeof(b->v[i].digest));

	return d != 0 ? d : (i > k) - (i < k);
}

static void number_copies(struct mb_box *b)
{
	for (size_t i = 0; i < b->n; i++) {
		b->by_id[i] = (uint32_t)i;
	}
	if (b->n > 1) {
		qsort_r(b->by_id, b->n, sizeof(*b->by_id), by_digest, b);
	}
	for (size_t i = 1; i < b->n; i++) {
		struct mb_message *m = &b->v[b->by_id[i]];
		const struct mb_message *before = &b->v[b->by_id[i - 1]];

		if (memcmp(m->digest, before->digest, sizeof(m->digest)) == 0) {
			m->copy = before->copy + 1;
		}
	}
}

int mb_seen(struct mb_box *b, struct pf_err *err)
{
	return fstat(b->file.fd, &b->as_of) == 0
		       ? PF_OK
		       : pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "%s", b->path);
}

/* What a run that was killed left of a message: it is taken off again. */
static int mend(struct mb_box *b, struct pf_err *err)
{
	char path[MB_PATH_MAX], text[32] = "";
	unsigned long long length = 0;
	struct pf_mbox_msg msg;
	struct pf_err ignored; /* what is there was not written by us: it stays */
	FILE *f;

	mb_beside(b->path, "", path);
	f = fopen(path, "re");
	if (!f) {
		return PF_OK; /* the rule: all was well */
	}
	length = fgets(text, sizeof(text), f) ? strtoull(text, NULL, 10) : UINT64_MAX;
	(void)fclose(f);
	if (strchr(text, '\n') && length < (unsigned long long)b->as_of.st_size) {
		pf_mbox_seek(b->scan, length);
		if (pf_mbox_next(b->scan, &msg, &ignored) == PF_END &&
			pf_mbox_whole(b->scan) == length &&
			ftruncate(b->file.fd, (off_t)length) != 0) {
			return mb_fail_write(b->path, err);
		}
		pf_mbox_seek(b->scan, 0);
	}
	(void)unlink(path); /* else it is looked at once more */
	return mb_seen(b, err);
}

static int scan(struct mb_box *b, bool source, struct pf_err *err)
{
	struct pf_mbox_msg msg;
	int rc = PF_OK;

	b->scan = pf_mbox_new(&b->file.src);
	if (!b->scan) {
		return pf_fail_memory(err, "a mailbox");
	}
	if (mb_seen(b, err) != PF_OK || (!source && mend(b, err) != PF_OK)) {
		return PF_FAIL;
	}
	while (rc == PF_OK && (rc = pf_mbox_next(b->scan, &msg, err)) == PF_OK) {
		rc = add(b, &msg, err);
	}
	if (rc == PF_FAIL) {
		err->scope = err->scope < PF_SCOPE_FOLDER ? PF_SCOPE_FOLDER : err->scope;
		return pf_wrap(err, "%s", b->path);
	}
	if (!source && pf_mbox_whole(b->scan) < (uint64_t)b->as_of.st_size) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO,
			"%s: the message at its end is not whole: cut the file to %llu octets",
			b->path, (unsigned long long)pf_mbox_whole(b->scan));
	}
	number_copies(b);
	return PF_OK;
}

static int open_box(struct mb_store *s, struct mb_box *b, const char *path, struct pf_err *err)
{
	bool source = s->base.cfg->source;
	int rc;

	b->file.fd = open(path, (source ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOATIME);
	if (b->file.fd < 0 && errno == EPERM) { /* only its owner may leave its times alone */
		b->file.fd = open(path, (source ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	}
	if (b->file.fd < 0) {
		return pf_fail_sys(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "opening %s", path);
	}
	(void)snprintf(b->path, sizeof(b->path), "%s", path);
	rc = mb_lock(b, !source, err);
	if (rc == PF_OK) {
		rc = scan(b, source, err);
		mb_unlock(b);
	}
	if (rc != PF_OK) {
		mb_box_close(b);
	}
	return rc;
}

static bool is_as_known(const struct mb_box *b)
{
	struct stat st;

	return stat(b->path, &st) == 0 && st.st_ino == b->as_of.st_ino &&
	       st.st_dev == b->as_of.st_dev && st.st_size == b->as_of.st_size &&
	       st.st_mtim.tv_sec == b->as_of.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == b->as_of.st_mtim.tv_nsec;
}

int mb_enter(struct mb_store *s, struct pf_span folder, bool anew, struct mb_box **out,
	struct pf_err *err)
{
	struct mb_box *b = &s->box[0];
	char path[MB_PATH_MAX];

	mb_path_of(s, folder, path);
	for (size_t i = 0; i < MB_BOXES; i++) { /* the one of this path, else the oldest */
		if (strcmp(s->box[i].path, path) == 0) {
			b = &s->box[i];
			break;
		}
		b = s->box[i].used < b->used ? &s->box[i] : b;
	}
	if (anew || strcmp(b->path, path) != 0 || !is_as_known(b)) {
		mb_box_close(b);
		if (open_box(s, b, path, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	b->used = ++s->count;
	*out = b;
	return PF_OK;
}
