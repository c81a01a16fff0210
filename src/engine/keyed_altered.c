/*
 * What a target alters, and goes on to alter when it is repaired: it is in quarantine, with the
 * names of what says something else. At the target it is marked with what it meant, so that a run
 * whose ledger is lost knows it again and does not put it a second time.
 */
#include "base/utf8.h"
#include "engine/keyed_private.h"

#include <stdio.h>
#include <stdlib.h>

void keyed_mark_of(const struct pf_codec *codec, const struct pf_digest *first, char *out)
{
	char hex[2 * PF_DIGEST_BYTES + 1];

	pf_digest_hex(first, hex);
	(void)snprintf(out, KEYED_MARK_MAX, "%u-%s", (unsigned int)codec->version, hex);
}

/* One of another version of the meaning is none. */
static bool read_mark(const struct pf_codec *codec, struct pf_span mark, struct pf_digest *out)
{
	char head[16];
	size_t n = (size_t)snprintf(head, sizeof(head), "%u-", (unsigned int)codec->version);

	if (mark.n != n + 2 * sizeof(out->b) || memcmp(mark.p, head, n) != 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(out->b); i++) {
		int high = pf_ascii_hex(mark.p[n + 2 * i]),
		    low = pf_ascii_hex(mark.p[n + 2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		out->b[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

bool keyed_mark_read(const struct pf_codec *codec, const struct pf_doc *doc, struct pf_digest *out)
{
	for (size_t i = 0; i < codec->parts(doc); i++) {
		struct pf_span mark = codec->part(doc, i)->meant;

		if (mark.p && read_mark(codec, mark, out)) {
			return true;
		}
	}
	return false;
}

/* It is at the target as this run wrote it, and can be had there once more. */
static bool can_be_marked(const struct pf_fold *f, const struct keyed_task *t)
{
	const struct keyed_row *r = &f->keyed->row[t->row];

	return t->over && t->has_first && r->dst_id.p && r->dst_version.p && t->body;
}

static int put_mark(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	int rc;

	t->mark = true;
	rc = keyed_compose(f, t, err);
	if (rc != PF_OK) {
		if (err->scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
		keyed_task_end(f, t);
		return PF_OK;
	}
	t->state = TASK_READY;
	f->job->wants_commit = true;
	t->need_commit = pf_ledger_commits(f->job->cfg->ledger) + 1;
	return PF_OK;
}

/*
 * All of it is there, and something of the target's own besides: it has arrived. It is marked as
 * well, as it would not be known without its ledger.
 */
static int grown(struct pf_fold *f, struct keyed_task *t, const char *names, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[t->row];
	bool ours = t->over || t->sent_before;
	char note[sizeof(t->note)];

	(void)snprintf(note, sizeof(note), "the target added %s", names);
	r->state = PF_ROW_DONE;
	r->verdict = ours ? PF_VERDICT_COPIED : PF_VERDICT_PRESENT;
	r->whole = t->said.whole;
	r->has_whole = true;
	f->job->outcome.copied_now += ours;
	f->job->outcome.present_now += !ours;
	f->job->progress.items_done++;
	if (keyed_save(f, t->row, note, err) != PF_OK) {
		return PF_FAIL;
	}
	if (can_be_marked(f, t)) {
		return put_mark(f, t, err);
	}
	keyed_task_end(f, t);
	return PF_OK;
}

int keyed_altered(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	char names[200], why[sizeof(t->why)];
	bool more;

	if (keyed_differ(f, t, names, sizeof(names), &more, err) != PF_OK) {
		return PF_FAIL;
	}
	if (more) {
		return grown(f, t, names, err);
	}
	(void)snprintf(why, sizeof(why), names[0] ? "%.180s (%s)" : "%.180s", t->why, names);
	keyed_event_log(f, PF_EV_ITEM_ALTERED, &f->keyed->row[t->row], "%s", why);
	if (!can_be_marked(f, t)) {
		return keyed_give_up(f, t, why, err);
	}
	/* The row is in quarantine whatever becomes of the mark. */
	return keyed_quarantine(f, t->row, pf_blob_ref(t->body), why, err) == PF_OK
		       ? put_mark(f, t, err)
		       : PF_FAIL;
}

int keyed_marked(
	struct pf_fold *f, struct keyed_task *t, struct pf_span version, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[t->row];

	keyed_task_end(f, t);
	return keyed_keep(k, version, &r->dst_version, err) == PF_OK
		       ? keyed_save_versions(f, t->row, err)
		       : PF_FAIL;
}

int keyed_met_altered(struct pf_fold *f, struct keyed_task *t, const struct pf_doc *doc,
	const char *why, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[t->row];
	size_t at = keyed_find_target(k, t->meets);

	if (keyed_tell(f, doc, &t->said, err) != PF_OK) {
		return PF_FAIL;
	}
	r->dst_id = t->meets;
	r->dst_version = at != SIZE_MAX ? k->target[at].version : pf_span(NULL, 0);
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
	return keyed_altered(f, t, err);
}
