/*
 * Messages: listed, read, marked and removed.
 */
#include "stores/maildir/maildir_private.h"

#include <stdio.h>
#include <unistd.h>

/* The directory of a folder; what is known of another one is forgotten. */
static int enter(struct md_store *s, struct pf_span folder, bool anew, struct pf_err *err)
{
	char dir[MD_PATH_MAX];

	md_dir_of(s, folder, dir);
	if (!anew && s->dir[0] && strcmp(dir, s->dir) == 0) {
		return PF_OK;
	}
	md_list_free(&s->list);
	s->dir[0] = '\0';
	if (md_scan(dir, &s->list, err) != PF_OK) {
		return PF_FAIL;
	}
	(void)snprintf(s->dir, sizeof(s->dir), "%s", dir);
	return PF_OK;
}

/* ---- LIST ---- */

int md_step_list(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	const struct md_message *m;

	if (!s->base.begun) {
		s->base.begun = true;
		if (enter(s, op->folder, true, err) != PF_OK ||
			md_keywords_read(s->dir, &s->kw, err) != PF_OK) {
			return PF_FAIL;
		}
		s->folder_out = (struct pf_folder){.id = op->folder, .has_state = true};
		s->folder_out.state.count = s->list.n;
		*out = (struct pf_store_event){
			.kind = PF_STORE_STATE, .op = op->id, .folder = &s->folder_out};
		out->permitted_sys = PF_FLAGS_ALL;
		out->permitted_any = true;
		return PF_OK;
	}
	if (s->at == s->list.n) {
		pf_serial_end(&s->base, out, NULL);
		return PF_OK;
	}
	m = &s->list.v[s->at++];
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
	if (md_flags(m->file, &s->kw, &s->words, &out->item.flags.sys, err) != PF_OK) {
		return PF_FAIL;
	}
	out->item.id = md_id(m);
	out->item.size = m->size;
	out->item.date_utc_s = m->mtime_s;
	out->item.flags.kw = pf_buf_span(&s->words);
	return PF_OK;
}

/* ---- GET ---- */

/* Where the header ends, with its blank line: read once, then from the start again. */
static int find_header_end(struct md_store *s, const char *path, struct pf_err *err)
{
	uint64_t at = 0;
	uint8_t last = '\n';
	size_t n = 1;

	s->limit = UINT64_MAX;
	while (n > 0 && s->limit == UINT64_MAX) {
		if (md_read(&s->reader, s->chunk, &n, err) != PF_OK) {
			return PF_FAIL;
		}
		for (size_t i = 0; i < n && s->limit == UINT64_MAX; i++) {
			uint8_t c = s->chunk[i];

			at++;
			s->limit = c == '\n' && last == '\n' ? at : UINT64_MAX;
			last = c == '\r' ? last : c;
		}
	}
	md_close(&s->reader);
	return md_open(path, &s->reader, err);
}

static int open_message(struct md_store *s, const struct pf_op *op, bool *found, struct pf_err *err)
{
	char path[MD_PATH_MAX];

	if (enter(s, op->folder, false, err) != PF_OK ||
		md_find(s->dir, &s->list, op->item, path, found, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!*found) {
		return PF_OK;
	}
	s->limit = UINT64_MAX;
	if (md_open(path, &s->reader, err) != PF_OK ||
		(op->get.part == PF_PART_HEADER && find_header_end(s, path, err) != PF_OK)) {
		return PF_FAIL;
	}
	s->limit = s->limit < s->reader.total ? s->limit : s->reader.total;
	return PF_OK;
}

int md_give(struct md_store *s, struct pf_span *part, struct pf_err *err)
{
	uint64_t rest = s->limit - s->base.given;
	size_t n = 0;

	if (rest > 0 && md_read(&s->reader, s->chunk, &n, err) != PF_OK) {
		return PF_FAIL;
	}
	/* Behind a header there is more, behind the whole there must be none. */
	n = n > rest && s->limit < s->reader.total ? (size_t)rest : n;
	*part = pf_span(s->chunk, n);
	return PF_OK;
}

int md_step_get(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	bool found = true;

	if (!s->base.begun) {
		s->base.begun = true;
		if (open_message(s, op, &found, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!found) {
		pf_serial_missing(&s->base, out);
		return PF_OK;
	}
	return pf_serial_give(&s->base, op, s->limit, out, err);
}

/* ---- FLAGS, REMOVE ---- */

int md_info_for(struct md_store *s, const char *dir, const struct pf_flags *flags, char info[64],
	struct pf_err *err)
{
	bool added = false;

	if (md_keywords_assign(&s->kw, flags->kw, &added, err) != PF_OK ||
		(added && md_keywords_write(dir, &s->kw, err) != PF_OK)) {
		return PF_FAIL;
	}
	md_info(flags, &s->kw, info);
	return PF_OK;
}

/* The flags of a file with an operation's changes made to them; `kept` gets the keywords. */
static int changed_flags(struct md_store *s, const struct pf_op *op, const char *file,
	struct pf_buf *kept, struct pf_flags *out, struct pf_err *err)
{
	struct pf_span rest, word;
	int rc = md_flags(file, &s->kw, &s->words, &out->sys, err);

	out->sys = (out->sys | op->flags.add.sys) & ~op->flags.del.sys;
	for (rest = pf_buf_span(&s->words); rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = pf_keywords_has(op->flags.del.kw, word) ? PF_OK
							     : pf_keywords_add(kept, word, err);
	}
	for (rest = op->flags.add.kw; rc == PF_OK && pf_keywords_next(&rest, &word);) {
		rc = pf_keywords_add(kept, word, err);
	}
	out->kw = pf_buf_span(kept);
	return rc;
}

static int rename_to(struct md_store *s, const struct pf_op *op, const char *from,
	const struct pf_flags *flags, struct pf_err *err)
{
	char to[MD_PATH_MAX], file[512], info[64];

	if (md_info_for(s, s->dir, flags, info, err) != PF_OK) {
		return PF_FAIL;
	}
	(void)snprintf(
		file, sizeof(file), "cur/%.*s%s", (int)op->item.n, (const char *)op->item.p, info);
	(void)snprintf(to, sizeof(to), "%.3500s/%s", s->dir, file);
	if (rename(from, to) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_LATER, "renaming %s", from);
	}
	return md_list_note(&s->list, file, err);
}

/* The others are set; what there is no letter for is refused. */
static int check_letters(const struct md_store *s, struct pf_span words, struct pf_err *err)
{
	struct pf_span word;

	while (pf_keywords_next(&words, &word)) {
		if (!md_keywords_know(&s->kw, word)) {
			return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
				"a Maildir has letters for %d keywords, and none is left for %.*s",
				MD_KEYWORDS, (int)word.n, (const char *)word.p);
		}
	}
	return PF_OK;
}

int md_step_flags(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_flags flags = {.sys = 0};
	char from[MD_PATH_MAX];
	struct pf_buf kept;
	bool found = false;
	int rc;

	if (enter(s, op->folder, false, err) != PF_OK ||
		md_keywords_read(s->dir, &s->kw, err) != PF_OK ||
		md_find(s->dir, &s->list, op->item, from, &found, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!found) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "the message is not there any more");
	}
	pf_buf_init(&kept, MD_TEXT_MAX);
	rc = changed_flags(s, op, strrchr(from, '/') + 1, &kept, &flags, err);
	rc = rc == PF_OK ? rename_to(s, op, from, &flags, err) : rc;
	rc = rc == PF_OK ? check_letters(s, op->flags.add.kw, err) : rc;
	pf_buf_deinit(&kept);
	if (rc == PF_OK) {
		pf_serial_end(&s->base, out, NULL);
	}
	return rc;
}

int md_step_remove(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	char path[MD_PATH_MAX];
	bool found = false;

	if (enter(s, op->folder, false, err) != PF_OK ||
		md_find(s->dir, &s->list, op->item, path, &found, err) != PF_OK) {
		return PF_FAIL;
	}
	if (found && unlink(path) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "removing %s", path);
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}
