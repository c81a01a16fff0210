#include "model/role.h"
#include "proto/imap/mutf7.h"
#include "stores/maildir/maildir_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPS_MAX = 1024, TEXT_MAX = 1 << 20 };

struct mop {
	struct mop *next;
	struct pf_op op;
	struct pf_buf folder, item, kw[2];
	struct pf_path path;
};

struct mstore {
	struct pf_store base;
	const struct pf_store_cfg *cfg;
	struct pf_store_facts facts;
	struct mop *first, *last, *told;
	size_t ops;
	unsigned int serial;
	bool ready_told, closed;
	/* of the operation at the front, while it gives out events */
	bool begun;
	struct md_list list;
	char **names; /* FOLDERS: directory names */
	size_t name_count, at;
	struct md_keywords kw;
	struct md_reader reader;
	uint64_t offset;
	bool body_given, feeding, hungry_told, abandoned;
	struct md_writer writer;
	uint64_t fed;
	struct pf_buf words, id_out, cursor;
	struct pf_path path_out;
	struct pf_folder folder_out;
	uint8_t chunk[2 * MD_CHUNK];
};

extern const struct pf_store_ops pf_maildir_store_ops;

/* ---- operations ---- */

static void free_op(struct mop *o)
{
	if (o->op.kind == PF_OP_PUT) {
		pf_blob_unref(&o->op.put.body);
	}
	pf_buf_deinit(&o->folder);
	pf_buf_deinit(&o->item);
	pf_buf_deinit(&o->kw[0]);
	pf_buf_deinit(&o->kw[1]);
	pf_path_deinit(&o->path);
	free(o);
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct mstore *s = pf_container_of(base, struct mstore, base);
	struct mop *n;
	int rc;

	if (s->ops >= OPS_MAX && op->kind != PF_OP_CLOSE && op->kind != PF_OP_FLUSH) {
		return PF_AGAIN;
	}
	if (op->kind == PF_OP_FLUSH) {
		return PF_OK; /* each message is on disk when its PUT is done */
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return pf_fail_memory(err, "an operation");
	}
	n->op = *op;
	pf_buf_init(&n->folder, TEXT_MAX);
	pf_buf_init(&n->item, TEXT_MAX);
	pf_buf_init(&n->kw[0], TEXT_MAX);
	pf_buf_init(&n->kw[1], TEXT_MAX);
	rc = pf_buf_add(&n->folder, op->folder, err);
	rc = rc == PF_OK ? pf_buf_add(&n->item, op->item, err) : rc;
	if (rc == PF_OK && op->kind == PF_OP_PUT) {
		n->op.put.body = op->put.body ? pf_blob_ref(op->put.body) : NULL;
		rc = pf_buf_add(&n->kw[0], op->put.flags.kw, err);
	} else if (rc == PF_OK && op->kind == PF_OP_FLAGS) {
		rc = pf_buf_add(&n->kw[0], op->flags.add.kw, err);
		rc = rc == PF_OK ? pf_buf_add(&n->kw[1], op->flags.del.kw, err) : rc;
	} else if (rc == PF_OK && op->kind == PF_OP_MKFOLDER) {
		rc = pf_path_copy(&n->path, op->mkfolder.path, err);
	}
	if (rc != PF_OK) {
		free_op(n);
		return rc;
	}
	*(s->last ? &s->last->next : &s->first) = n;
	s->last = n;
	s->ops++;
	return PF_OK;
}

/* The directory of a folder's id: "" is INBOX. */
static void dir_of(const struct mstore *s, struct pf_span id, char path[MD_PATH_MAX])
{
	(void)snprintf(path, MD_PATH_MAX, "%s%s%.*s", s->cfg->url->path, id.n > 0 ? "/" : "",
		(int)id.n, id.n > 0 ? (const char *)id.p : "");
}

/* ---- events ---- */

static void reset(struct mstore *s)
{
	md_list_free(&s->list);
	for (size_t i = 0; i < s->name_count; i++) {
		free(s->names[i]);
	}
	free(s->names);
	s->names = NULL;
	s->name_count = 0;
	s->at = 0;
	md_keywords_free(&s->kw);
	md_close(&s->reader);
	md_abort(&s->writer);
	s->begun = false;
	s->body_given = false;
	s->feeding = false;
	s->hungry_told = false;
	s->abandoned = false;
	s->offset = 0;
	s->fed = 0;
}

/* The operation at the front is over. */
static void end(struct mstore *s, struct pf_store_event *out, const struct pf_err *why)
{
	struct mop *o = s->first;

	s->first = o->next;
	s->last = s->first ? s->last : NULL;
	s->ops--;
	s->told = o;
	*out = (struct pf_store_event){
		.kind = why ? PF_STORE_FAILED : PF_STORE_DONE, .op = o->op.id};
	if (why) {
		out->failed.why = *why;
		out->failed.refused = why->retry == PF_RETRY_NO && why->scope == PF_SCOPE_ITEM;
	}
	reset(s);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ".A.B" and the account's own directory, as "". */
static int read_names(struct mstore *s, struct pf_err *err)
{
	DIR *d = opendir(s->cfg->url->path);
	struct dirent *e;
	size_t cap = 16;

	s->names = calloc(cap, sizeof(*s->names));
	if (!s->names || !(s->names[s->name_count++] = strdup(""))) {
		return pf_fail_memory(err, "a list of folders");
	}
	while (d && (e = readdir(d)) != NULL) {
		char cur[MD_PATH_MAX];
		struct stat st;

		(void)snprintf(cur, sizeof(cur), "%.2000s/%s/cur", s->cfg->url->path, e->d_name);
		if (e->d_name[0] != '.' || strcmp(e->d_name, ".") == 0 ||
			strcmp(e->d_name, "..") == 0 || stat(cur, &st) != 0) {
			continue;
		}
		if (s->name_count == cap) {
			char **grown = realloc(s->names, 2 * cap * sizeof(*grown));

			if (!grown) {
				(void)closedir(d);
				return pf_fail_memory(err, "a list of folders");
			}
			s->names = grown;
			cap *= 2;
		}
		s->names[s->name_count] = strdup(e->d_name);
		s->name_count += s->names[s->name_count] != NULL;
	}
	if (d) {
		(void)closedir(d);
	}
	qsort(s->names, s->name_count, sizeof(*s->names), compare_names);
	return PF_OK;
}

static int path_of(struct mstore *s, const char *name, bool *doubtful, struct pf_err *err)
{
	struct pf_span rest = pf_span_str(name[0] ? name + 1 : "");
	int rc = PF_OK;

	s->path_out.n = 0;
	*doubtful = false;
	if (!name[0]) {
		return pf_path_add(&s->path_out, pf_span("INBOX", 5), err);
	}
	while (rest.n > 0 && rc == PF_OK) {
		const uint8_t *dot = memchr(rest.p, '.', rest.n);
		size_t n = dot ? (size_t)(dot - rest.p) : rest.n;
		bool odd = false;

		pf_buf_clear(&s->words);
		rc = pf_mutf7_decode(pf_span(rest.p, n), &s->words, &odd, err);
		*doubtful = *doubtful || odd;
		if (rc == PF_OK && s->words.n > 0) {
			rc = pf_path_add(&s->path_out, pf_buf_span(&s->words), err);
		}
		rest = pf_span_from(rest, n + 1);
	}
	return rc;
}

static bool is_subscribed(const struct mstore *s, const char *name)
{
	char path[MD_PATH_MAX], line[1024];
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%.4000s/subscriptions", s->cfg->url->path);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		found = name[0] && strcmp(line, name + 1) == 0;
	}
	if (f) {
		(void)fclose(f);
	}
	return found;
}

static int step_folders(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_folder *f = &s->folder_out;
	bool doubtful = false;

	if (!s->begun) {
		s->begun = true;
		if (read_names(s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	while (s->at < s->name_count) {
		const char *name = s->names[s->at++];

		if (path_of(s, name, &doubtful, err) != PF_OK || s->path_out.n == 0) {
			continue; /* a directory whose name is no folder's */
		}
		*f = (struct pf_folder){
			.id = pf_span_str(name), .path = s->path_out, .kind = PF_KIND_MAIL};
		f->selectable = true;
		f->may_have_children = true;
		f->doubtful = doubtful;
		f->subscribed = is_subscribed(s, name);
		f->role = name[0] ? pf_role_by_name(pf_path_leaf(&s->path_out)) : PF_ROLE_INBOX;
		f->role_by_name = name[0] && f->role != PF_ROLE_NONE;
		*out = (struct pf_store_event){
			.kind = PF_STORE_FOLDER, .op = s->first->op.id, .folder = f};
		return PF_OK;
	}
	end(s, out, NULL);
	return PF_OK;
}

static int step_list(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	char dir[MD_PATH_MAX];
	const struct md_message *m;

	dir_of(s, pf_buf_span(&s->first->folder), dir);
	if (!s->begun) {
		s->begun = true;
		if (md_keywords_read(dir, &s->kw, err) != PF_OK ||
			md_scan(dir, &s->list, err) != PF_OK) {
			return PF_FAIL;
		}
		s->folder_out =
			(struct pf_folder){.id = pf_buf_span(&s->first->folder), .has_state = true};
		s->folder_out.state.count = s->list.n;
		*out = (struct pf_store_event){
			.kind = PF_STORE_STATE, .op = s->first->op.id, .folder = &s->folder_out};
		out->permitted_sys = PF_FLAGS_ALL;
		out->permitted_any = true;
		return PF_OK;
	}
	if (s->at == s->list.n) {
		end(s, out, NULL);
		return PF_OK;
	}
	m = &s->list.v[s->at++];
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = s->first->op.id};
	if (md_flags(m->file, &s->kw, &s->words, &out->item.flags.sys, err) != PF_OK) {
		return PF_FAIL;
	}
	out->item.id = pf_span_str(m->id);
	out->item.size = m->size;
	out->item.date_utc_s = m->mtime_s;
	out->item.flags.kw = pf_buf_span(&s->words);
	return PF_OK;
}

static int give_body(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_blob *blob = pf_blob_new((size_t)s->reader.total);
	size_t at = 0, n = 1;

	if (!blob) {
		return pf_fail_memory(err, "a message");
	}
	while (n > 0) {
		if (md_read(&s->reader, s->chunk, &n, err) != PF_OK || n > blob->n - at) {
			pf_blob_unref(&blob);
			return n > 0 ? pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER,
					       "the file changes while it is read")
				     : PF_FAIL;
		}
		memcpy(blob->bytes + at, s->chunk, n);
		at += n;
	}
	s->body_given = true;
	*out = (struct pf_store_event){.kind = PF_STORE_BODY, .op = s->first->op.id, .body = blob};
	return PF_OK;
}

static int step_get(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct mop *o = s->first;
	char dir[MD_PATH_MAX], path[MD_PATH_MAX];
	size_t n = 0;

	if (!s->begun) {
		s->begun = true;
		dir_of(s, pf_buf_span(&o->folder), dir);
		if (!md_find(dir, pf_buf_span(&o->item), path, err)) {
			struct pf_err why;

			(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
				"the message is not there any more");
			end(s, out, &why);
			out->failed.missing = true;
			return PF_OK;
		}
		if (md_open(path, &s->reader, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (s->body_given) {
		end(s, out, NULL);
		return PF_OK;
	}
	if (s->reader.total <= o->op.get.whole_max) {
		return give_body(s, out, err);
	}
	if (md_read(&s->reader, s->chunk, &n, err) != PF_OK) {
		return PF_FAIL;
	}
	if (n == 0) {
		end(s, out, NULL);
		return PF_OK;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_CHUNK, .op = o->op.id};
	out->chunk.bytes = pf_span(s->chunk, n);
	out->chunk.offset = s->offset;
	out->chunk.total = s->reader.total;
	s->offset += n;
	return PF_OK;
}

static int commit(struct mstore *s, struct mop *o, const char *dir, struct pf_store_event *out,
	struct pf_err *err)
{
	struct pf_flags flags = {o->op.put.flags.sys, pf_buf_span(&o->kw[0])};
	bool added = false;
	char info[64];

	if (md_keywords_read(dir, &s->kw, err) != PF_OK ||
		md_keywords_assign(&s->kw, flags.kw, &added, err) != PF_OK ||
		(added && md_keywords_write(dir, &s->kw, err) != PF_OK)) {
		return PF_FAIL;
	}
	md_info(&flags, &s->kw, info);
	if (md_commit(&s->writer, dir, info, o->op.put.date_utc_s, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_buf_clear(&s->id_out);
	if (pf_buf_add_str(&s->id_out, s->writer.name, err) != PF_OK) {
		return PF_FAIL;
	}
	end(s, out, NULL);
	out->id = pf_buf_span(&s->id_out);
	return PF_OK;
}

static int step_put(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct mop *o = s->first;
	char dir[MD_PATH_MAX];

	dir_of(s, pf_buf_span(&o->folder), dir);
	if (!s->begun) {
		s->begun = true;
		if (md_begin(dir, ++s->serial, &s->writer, err) != PF_OK) {
			return PF_FAIL;
		}
		if (o->op.put.body) {
			return md_add(&s->writer, pf_blob_span(o->op.put.body), err) == PF_OK
				       ? commit(s, o, dir, out, err)
				       : PF_FAIL;
		}
		s->feeding = true;
	}
	if (s->abandoned) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER, "the item broke off");
	}
	if (s->fed == o->op.put.size) {
		return commit(s, o, dir, out, err);
	}
	if (s->hungry_told) {
		return PF_AGAIN;
	}
	s->hungry_told = true;
	*out = (struct pf_store_event){.kind = PF_STORE_HUNGRY, .op = o->op.id};
	return PF_OK;
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct mstore *s = pf_container_of(base, struct mstore, base);

	if (!s->feeding || !s->first || s->first->op.id != id) {
		return PF_AGAIN;
	}
	if (!part.p) {
		s->abandoned = true;
		return PF_OK;
	}
	s->fed += part.n;
	return md_add(&s->writer, part, err);
}

static int step_flags(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct mop *o = s->first;
	char dir[MD_PATH_MAX], from[MD_PATH_MAX], to[MD_PATH_MAX], info[64];
	struct pf_flags flags = {.sys = 0};
	struct pf_span rest, word;
	struct pf_buf kept;
	bool added = false;
	int rc;

	dir_of(s, pf_buf_span(&o->folder), dir);
	if (!md_find(dir, pf_buf_span(&o->item), from, err)) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "the message is not there any more");
	}
	pf_buf_init(&kept, TEXT_MAX);
	rc = md_keywords_read(dir, &s->kw, err);
	rc = rc == PF_OK ? md_flags(strrchr(from, '/') + 1, &s->kw, &s->words, &flags.sys, err)
			 : rc;
	flags.sys = (flags.sys | o->op.flags.add.sys) & ~o->op.flags.del.sys;
	for (rest = pf_buf_span(&s->words); rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = pf_keywords_has(pf_buf_span(&o->kw[1]), word)
			     ? PF_OK
			     : pf_keywords_add(&kept, word, err);
	}
	for (rest = pf_buf_span(&o->kw[0]); rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = pf_keywords_add(&kept, word, err);
	}
	flags.kw = pf_buf_span(&kept);
	rc = rc == PF_OK ? md_keywords_assign(&s->kw, flags.kw, &added, err) : rc;
	rc = rc == PF_OK && added ? md_keywords_write(dir, &s->kw, err) : rc;
	if (rc == PF_OK) {
		md_info(&flags, &s->kw, info);
		(void)snprintf(to, sizeof(to), "%.3000s/cur/%.*s%s", dir, (int)o->item.n,
			(const char *)o->item.p, info);
		if (rename(from, to) != 0) {
			rc = pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "renaming %s", from);
		}
	}
	pf_buf_deinit(&kept);
	if (rc == PF_OK) {
		end(s, out, NULL);
	}
	return rc;
}

static int step_mkfolder(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct mop *o = s->first;
	char dir[MD_PATH_MAX];
	int rc = PF_OK;

	pf_buf_clear(&s->id_out);
	for (size_t i = 0; pf_path_segment(&o->path, i) && rc == PF_OK; i++) {
		rc = pf_buf_add(&s->id_out, pf_span(".", 1), err);
		rc = rc == PF_OK ? pf_mutf7_encode(pf_span_str(pf_path_segment(&o->path, i)),
					   &s->id_out, err)
				 : rc;
	}
	if (rc == PF_OK && pf_span_is(pf_buf_span(&s->id_out), ".INBOX")) {
		pf_buf_clear(&s->id_out);
	}
	dir_of(s, pf_buf_span(&s->id_out), dir);
	rc = rc == PF_OK ? md_make(dir, err) : rc;
	if (rc == PF_OK) {
		end(s, out, NULL);
		out->id = pf_span(s->id_out.p ? (const char *)s->id_out.p : "", s->id_out.n);
	}
	return rc;
}

static int step_subscribe(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	struct mop *o = s->first;
	char path[MD_PATH_MAX];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%.4000s/subscriptions", s->cfg->url->path);
	f = fopen(path, "ae");
	if (!f || (o->folder.n > 1 && fprintf(f, "%.*s\n", (int)o->folder.n - 1,
					      (const char *)o->folder.p + 1) < 0)) {
		if (f) {
			(void)fclose(f);
		}
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);
	}
	if (fclose(f) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);
	}
	end(s, out, NULL);
	return PF_OK;
}

static int step_remove(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	char dir[MD_PATH_MAX], path[MD_PATH_MAX];

	dir_of(s, pf_buf_span(&s->first->folder), dir);
	if (md_find(dir, pf_buf_span(&s->first->item), path, err) && unlink(path) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "removing %s", path);
	}
	end(s, out, NULL);
	return PF_OK;
}

static int step(struct mstore *s, struct pf_store_event *out, struct pf_err *err)
{
	switch (s->first->op.kind) {
	case PF_OP_FOLDERS:
		return step_folders(s, out, err);
	case PF_OP_LIST:
		return step_list(s, out, err);
	case PF_OP_GET:
		return step_get(s, out, err);
	case PF_OP_PUT:
		return step_put(s, out, err);
	case PF_OP_FLAGS:
		return step_flags(s, out, err);
	case PF_OP_MKFOLDER:
		return step_mkfolder(s, out, err);
	case PF_OP_SUBSCRIBE:
		return step_subscribe(s, out, err);
	case PF_OP_REMOVE:
		return step_remove(s, out, err);
	case PF_OP_CLOSE:
	case PF_OP_FLUSH:
		s->closed = true;
		end(s, out, NULL);
		return PF_OK;
	}
	return PF_OK;
}

static int check_account(const struct mstore *s, struct pf_err *err)
{
	char cur[MD_PATH_MAX];
	struct stat st;

	(void)snprintf(cur, sizeof(cur), "%.4000s/cur", s->cfg->url->path);
	if (stat(cur, &st) == 0) {
		return PF_OK;
	}
	if (s->cfg->source) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "no Maildir: %s", cur);
	}
	return md_make(s->cfg->url->path, err) == PF_OK ? PF_OK
							: (err->scope = PF_SCOPE_STORE, PF_FAIL);
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct mstore *s = pf_container_of(base, struct mstore, base);
	struct pf_err why;
	int rc;

	(void)wake_ms;
	if (s->told) {
		free_op(s->told);
		s->told = NULL;
	}
	if (!s->ready_told) {
		if (check_account(s, err) != PF_OK) {
			return PF_FAIL;
		}
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return PF_OK;
	}
	if (s->closed) {
		return PF_END;
	}
	if (!s->first) {
		return PF_AGAIN;
	}
	pf_err_clear(&why);
	rc = step(s, out, &why);
	if (rc == PF_FAIL) {
		end(s, out, &why);
		rc = PF_OK;
	}
	return rc;
}

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	return &((const struct mstore *)(const void *)base)->facts;
}

static void close_store(struct pf_store *base)
{
	struct mstore *s;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct mstore, base);
	reset(s);
	while (s->first) {
		struct mop *o = s->first;

		s->first = o->next;
		free_op(o);
	}
	if (s->told) {
		free_op(s->told);
	}
	pf_buf_deinit(&s->words);
	pf_buf_deinit(&s->id_out);
	pf_path_deinit(&s->path_out);
	free(s);
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct mstore *s = calloc(1, sizeof(*s));

	(void)loop;
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	s->base.ops = &pf_maildir_store_ops;
	s->cfg = cfg;
	s->reader.fd = -1;
	s->writer.fd = -1;
	s->facts = (struct pf_store_facts){
		.caps = PF_CAP_PUT_RETURNS_ID | PF_CAP_EXACT_BYTES | PF_CAP_REMOVE_ONE |
			PF_CAP_SUBSCRIBE | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED | PF_CAP_KEEPS_DATE,
		.kinds = PF_KIND_MAIL,
		.quota_free_bytes = UINT64_MAX,
		.max_segment_bytes = 80, /* modified UTF-7 may need thrice as much, of 255 */
		.max_depth = 30,
		.forbidden = "./",
		.server = "Maildir",
		.connections = 1,
	};
	pf_buf_init(&s->words, TEXT_MAX);
	pf_buf_init(&s->id_out, TEXT_MAX);
	*out = &s->base;
	return PF_OK;
}

static const char *const SCHEMES[] = {"maildir", NULL};

const struct pf_store_ops pf_maildir_store_ops = {
	.schemes = SCHEMES,
	.summary = "a Maildir++ on disk (maildir:PATH)",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
