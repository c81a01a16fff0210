#include "base/dirs.h"
#include "base/utf8.h"
#include "model/role.h"
#include "stores/mbox/mbox_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEPTH_MAX = 100, START = 512 };

static const char CHILDREN[] = ".sbd";
/* Endings that say what a file is: no folder's name has one of them as it is. */
static const char *const ENDINGS[] = {".sbd", ".mbox", ".msf", ".lock"};

/* ---- names ---- */

static bool ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);

	return n > e && strcasecmp(name + n - e, ending) == 0;
}

static bool is_escape(const char *s)
{
	static const char *const ESCAPES[] = {"%25", "%2E", "%2F"};

	for (size_t i = 0; i < PF_COUNT(ESCAPES); i++) {
		if (strncmp(s, ESCAPES[i], 3) == 0) {
			return true;
		}
	}
	return false;
}

/* A segment as the name of a file. */
static int encode(const char *segment, struct pf_buf *out, struct pf_err *err)
{
	size_t n = strlen(segment), dot = n; /* the dot of an ending */
	int rc = PF_OK;

	for (size_t i = 0; i < PF_COUNT(ENDINGS); i++) {
		dot = ends_in(segment, ENDINGS[i]) ? n - strlen(ENDINGS[i]) : dot;
	}
	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		char c = segment[i];
		bool plain =
			c != '/' && !is_escape(segment + i) && !(c == '.' && (i == 0 || i == dot));

		rc = plain ? pf_buf_add(out, pf_span(&c, 1), err)
			   : pf_buf_addf(out, err, "%%%02X", (unsigned char)c);
	}
	return rc;
}

/* And back. Octets that are no UTF-8 are shown as %E9, and *doubtful set. */
static int decode(struct pf_span name, bool *doubtful, struct pf_buf *out, struct pf_err *err)
{
	bool valid = pf_utf8_valid(name);
	int rc = PF_OK;

	*doubtful = *doubtful || !valid;
	pf_buf_clear(out);
	for (size_t i = 0; i < name.n && rc == PF_OK; i++) {
		uint8_t c = name.p[i];

		if (c == '%' && name.n - i >= 3 && is_escape((const char *)name.p + i)) {
			c = (uint8_t)(name.p[i + 2] == '5'   ? '%'
				      : name.p[i + 2] == 'E' ? '.'
							     : '/');
			i += 2;
		}
		rc = valid || c < 0x80 ? pf_buf_add(out, pf_span(&c, 1), err)
				       : pf_buf_addf(out, err, "%%%02X", c);
	}
	return rc;
}

size_t mb_segment_bytes(struct pf_span segment)
{
	struct pf_err ignored; /* no memory: the file can't be made then either */
	struct pf_buf text, name;
	const char *s;
	size_t n = segment.n;

	pf_buf_init(&text, MB_TEXT_MAX);
	pf_buf_init(&name, (size_t)3 * MB_TEXT_MAX);
	if (pf_buf_add(&text, segment, &ignored) == PF_OK &&
		pf_buf_cstr(&text, &s, &ignored) == PF_OK && encode(s, &name, &ignored) == PF_OK) {
		n = name.n;
	}
	pf_buf_deinit(&text);
	pf_buf_deinit(&name);
	return n + sizeof(CHILDREN) - 1;
}

void mb_path_of(const struct mb_store *s, struct pf_span id, char out[MB_PATH_MAX])
{
	(void)snprintf(out, MB_PATH_MAX, "%.1000s%s%.*s", s->root, id.n > 0 ? "/" : "",
		id.n > 3000 ? 3000 : (int)id.n, id.n > 0 ? (const char *)id.p : "");
}

struct pf_span mb_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return pf_span(path, slash ? (size_t)(slash - path) + 1 : 0);
}

static bool exists(const struct mb_store *s, const char *name)
{
	char path[MB_PATH_MAX];

	mb_path_of(s, pf_span_str(name), path);
	return access(path, F_OK) == 0;
}

/* ---- listing ---- */

void mb_names_free(struct mb_store *s)
{
	for (size_t i = 0; i < s->name_n; i++) {
		free(s->names[i].name);
	}
	free(s->names);
	s->names = NULL;
	s->name_n = 0;
	s->name_cap = 0;
}

static int add_name(struct mb_store *s, const char *name, bool skipped, struct pf_err *err)
{
	struct mb_name new = {strdup(name), skipped};

	if (new.name && s->name_n == s->name_cap) {
		size_t cap = s->name_cap ? 2 * s->name_cap : 64;
		struct mb_name *grown = realloc(s->names, cap * sizeof(*grown));

		if (grown) {
			s->names = grown;
			s->name_cap = cap;
		}
	}
	if (!new.name || s->name_n == s->name_cap) {
		free(new.name);
		return pf_fail_memory(err, "a list of folders");
	}
	s->names[s->name_n++] = new;
	return PF_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mb_name *)a)->name, ((const struct mb_name *)b)->name);
}

static bool is_mailbox(const char *path)
{
	uint8_t start[START];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
	ssize_t n;

	if (fd < 0 && errno == EPERM) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	n = fd >= 0 ? read(fd, start, sizeof(start)) : 0;
	if (fd >= 0) {
		(void)close(fd);
	}
	return n >= 0 && pf_mbox_is(pf_span(start, (size_t)n)); /* unreadable: listing it says so */
}

/* What of `dir`, a name below the root, is a folder or may hold some. */
static int walk(struct mb_store *s, const char *dir, int depth, struct pf_err *err);

static int visit(struct mb_store *s, const char *name, int depth, struct pf_err *err)
{
	char path[MB_PATH_MAX];
	struct stat st, link;

	mb_path_of(s, pf_span_str(name), path);
	if (stat(path, &st) != 0 || lstat(path, &link) != 0) {
		return PF_OK; /* gone just now */
	}
	if (S_ISDIR(st.st_mode)) { /* by a link the same may come twice, or for ever */
		return S_ISLNK(link.st_mode) ? PF_OK : walk(s, name, depth + 1, err);
	}
	if (!S_ISREG(st.st_mode) || ends_in(name, ".msf") || ends_in(name, ".lock")) {
		return PF_OK;
	}
	return add_name(s, name, st.st_size > 0 && !is_mailbox(path), err);
}

static int walk(struct mb_store *s, const char *dir, int depth, struct pf_err *err)
{
	char path[MB_PATH_MAX], name[MB_PATH_MAX];
	const struct dirent *e;
	int rc = PF_OK;
	DIR *d;

	mb_path_of(s, pf_span_str(dir), path);
	d = depth < DEPTH_MAX ? opendir(path) : NULL;
	if (!d) {
		return depth > 0
			       ? add_name(s, dir, true, err)
			       : pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "reading %s", path);
	}
	while (rc == PF_OK && (e = readdir(d)) != NULL) {
		int n = snprintf(name, sizeof(name), "%s%s%s", dir, *dir ? "/" : "", e->d_name);

		if (e->d_name[0] != '.' && n < 3000) {
			rc = visit(s, name, depth, err);
		}
	}
	(void)closedir(d);
	return rc;
}

/* The part of a file's name that is one segment. `last`: it is the file itself. */
static struct pf_span plain_part(
	const struct mb_store *s, const char *name, struct pf_span part, bool last)
{
	const char *const ending = last ? ".mbox" : CHILDREN;
	size_t n = strlen(ending);
	char other[MB_PATH_MAX];

	if (part.n <= n || strncasecmp((const char *)part.p + part.n - n, ending, n) != 0) {
		if (last || part.n <= 5 ||
			strncasecmp((const char *)part.p + part.n - 5, ".mbox", 5) != 0) {
			return part;
		}
		n = 5;
	}
	part.n -= n;
	(void)snprintf(
		other, sizeof(other), "%.*s", (int)(part.p + part.n - (const uint8_t *)name), name);
	return last && exists(s, other) ? pf_span(part.p, part.n + n) : part;
}

/* Apple Mail has the mailbox NAME in the file NAME.mbox/mbox. */
static size_t length_of(const char *name)
{
	size_t n = strlen(name);

	return ends_in(name, ".mbox/mbox") ? n - 5 : n;
}

static int path_of(struct mb_store *s, const char *name, bool *doubtful, struct pf_err *err)
{
	struct pf_span rest = pf_span(name, length_of(name));
	bool first = true;
	int rc = PF_OK;

	s->path_out.n = 0;
	while (rc == PF_OK && rest.n > 0) {
		const uint8_t *slash = memchr(rest.p, '/', rest.n);
		size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
		struct pf_span part = plain_part(s, name, pf_span(rest.p, n), !slash);

		rc = decode(part, doubtful, &s->words, err);
		if (rc == PF_OK && first && pf_span_is(part, "INBOX") &&
			(memcmp(part.p, "INBOX", 5) == 0 || !exists(s, "INBOX"))) {
			rc = pf_path_add(&s->path_out, pf_span("INBOX", 5), err);
		} else if (rc == PF_OK) {
			rc = pf_path_add(&s->path_out, pf_buf_span(&s->words), err);
		}
		first = false;
		rest = pf_span_from(rest, n + 1);
	}
	return rc;
}

static void give_note(
	struct mb_store *s, const struct pf_op *op, const char *name, struct pf_store_event *out)
{
	char shown[300];

	(void)snprintf(s->note_out, sizeof(s->note_out),
		"the file %s is no mailbox: it does not begin with a line \"From \"",
		pf_print_safe(shown, sizeof(shown), pf_span_str(name)));
	*out = (struct pf_store_event){.kind = PF_STORE_NOTE, .op = op->id};
	out->note.number = PF_EV_FOLDER_SKIPPED;
	out->note.text = s->note_out;
}

static int give_folder(struct mb_store *s, const struct pf_op *op, const char *name,
	struct pf_store_event *out, struct pf_err *err)
{
	const char *shown = s->single ? s->root + mb_dir_of(s->root).n : name;
	struct pf_folder *f = &s->folder_out;
	bool doubtful = false;

	if (path_of(s, shown, &doubtful, err) != PF_OK) {
		return PF_FAIL;
	}
	*f = (struct pf_folder){.id = pf_span_str(name), .path = s->path_out, .kind = PF_KIND_MAIL};
	f->selectable = true;
	f->may_have_children = true;
	f->doubtful = doubtful;
	f->role =
		pf_path_depth(&s->path_out) == 1 && strcmp(pf_path_leaf(&s->path_out), "INBOX") == 0
			? PF_ROLE_INBOX
			: pf_role_by_name(pf_path_leaf(&s->path_out));
	f->role_by_name = f->role != PF_ROLE_NONE && f->role != PF_ROLE_INBOX;
	*out = (struct pf_store_event){.kind = PF_STORE_FOLDER, .op = op->id, .folder = f};
	return PF_OK;
}

int mb_step_folders(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	if (!s->base.begun) {
		s->base.begun = true;
		if ((s->single ? add_name(s, "", false, err) : walk(s, "", 0, err)) != PF_OK) {
			return PF_FAIL;
		}
		if (s->name_n > 1) {
			qsort(s->names, s->name_n, sizeof(*s->names), by_name);
		}
	}
	if (s->at < s->name_n) {
		const struct mb_name *n = &s->names[s->at++];

		if (n->skipped) {
			give_note(s, op, n->name, out);
			return PF_OK;
		}
		return give_folder(s, op, n->name, out, err);
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

/* ---- making ---- */

int mb_make(const char *path, struct pf_err *err)
{
	int fd;

	if (pf_make_parents(path, err) != PF_OK) {
		return PF_FAIL;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		return mb_fail_write(path, err);
	}
	(void)close(fd);
	return mb_sync_dir(path, err);
}

/* The first segment as a file: INBOX is the file that is it already, whatever the case. */
static int encode_first(
	struct mb_store *s, const char *segment, struct pf_buf *out, struct pf_err *err)
{
	static const char *const INBOXES[] = {"INBOX", "Inbox", "inbox"};

	for (size_t i = 0; strcmp(segment, "INBOX") == 0 && i < PF_COUNT(INBOXES); i++) {
		if (exists(s, INBOXES[i])) {
			return pf_buf_add_str(out, INBOXES[i], err);
		}
	}
	return encode(segment, out, err);
}

int mb_step_mkfolder(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	const char *segment, *name;
	char path[MB_PATH_MAX];

	pf_buf_clear(&s->words);
	for (size_t i = 0; (segment = pf_path_segment(op->mkfolder.path, i)) != NULL; i++) {
		if ((i > 0 && pf_buf_addf(&s->words, err, "%s/", CHILDREN) != PF_OK) ||
			(i == 0 ? encode_first(s, segment, &s->words, err)
				: encode(segment, &s->words, err)) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (s->words.n >= 3000) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "the name is too long for a file");
	}
	if (pf_buf_cstr(&s->words, &name, err) != PF_OK) {
		return PF_FAIL;
	}
	(void)snprintf(s->id_out, sizeof(s->id_out), "%s", name);
	mb_path_of(s, pf_span_str(s->id_out), path);
	if (mb_make(path, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_serial_end(&s->base, out, NULL);
	out->id = pf_span_str(s->id_out);
	return PF_OK;
}
