#include "base/grow.h"
#include "stores/wrap/disguise_private.h"

#include <stdlib.h>

/* The top byte of the ids of our own operations; the engine's are lower. */
enum { OWN_FIND = 0xFD, OWN_PEEK = 0xFE };
enum { CURSOR_MAX = 65536 };

static uint64_t own_id(unsigned use, size_t folder, size_t item)
{
	return (uint64_t)use << 56 | (uint64_t)(folder & 0xffffff) << 32 |
	       (uint64_t)(item & 0xffffffff);
}

bool dg_look_owns(uint64_t op)
{
	return op >> 56 == OWN_FIND || op >> 56 == OWN_PEEK;
}

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

/* ---- folders ---- */

size_t dg_find_folder(const struct dg_store *s, struct pf_span id)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (pf_span_eq(pf_buf_span(&s->folders[i].id), id)) {
			return i;
		}
	}
	return SIZE_MAX;
}

int dg_add_folder(struct dg_store *s, struct pf_span id, size_t *out, struct pf_err *err)
{
	struct dg_folder *grown = pf_grown(s->folders, s->folder_n, &s->folder_cap, sizeof(*grown));

	if (!grown) {
		return no_memory(err);
	}
	s->folders = grown;
	*out = s->folder_n++;
	s->folders[*out] = (struct dg_folder){.look = DG_NOT_LOOKED};
	pf_arena_init(&s->folders[*out].now.arena);
	pf_arena_init(&s->folders[*out].before.arena);
	pf_buf_init(&s->folders[*out].id, id.n + 1);
	pf_buf_init(&s->folders[*out].cursor, CURSOR_MAX);
	return pf_buf_add(&s->folders[*out].id, id, err);
}

static void drop_found(struct dg_store *s, struct dg_found *found)
{
	for (size_t i = 0; i < found->n; i++) {
		s->kept_bytes -= found->v[i].form ? found->v[i].form->n : 0;
		pf_blob_unref(&found->v[i].form);
	}
	free(found->v);
	pf_arena_deinit(&found->arena);
	*found = (struct dg_found){.v = NULL};
	pf_arena_init(&found->arena);
}

void dg_look_again(struct dg_store *s, struct dg_folder *f)
{
	if (f->look == DG_LOOKED) {
		drop_found(s, &f->before);
		f->before = f->now;
		f->now = (struct dg_found){.v = NULL};
		pf_arena_init(&f->now.arena);
	} else {
		drop_found(s, &f->now);
	}
	f->next = 0;
	f->first_parts = false;
	f->look = DG_NOT_LOOKED;
}

void dg_folder_free(struct dg_store *s, struct dg_folder *f)
{
	drop_found(s, &f->now);
	drop_found(s, &f->before);
	pf_arena_deinit(&f->now.arena);
	pf_arena_deinit(&f->before.arena);
	pf_buf_deinit(&f->id);
	pf_buf_deinit(&f->cursor);
	pf_path_deinit(&f->path);
	if (f->has_list) {
		pf_op_let_go(&f->list);
	}
}

bool dg_looked(const struct dg_folder *f)
{
	return f->look == DG_LOOKED || f->look == DG_UNKNOWN;
}

/* ---- asking ---- */

static int ask_find(struct dg_store *s, size_t i, struct pf_err *err)
{
	struct dg_folder *f = &s->folders[i];
	const struct pf_op op = {.kind = PF_OP_LIST,
		.id = own_id(OWN_FIND, i, 0),
		.folder = pf_buf_span(&f->id),
		.list = {.find = true}};
	int rc = pf_store_submit(s->base.inner, &op, err);

	if (rc == PF_OK) {
		f->look = DG_FINDING;
		s->finding++;
	}
	return rc;
}

static int ask_peek(struct dg_store *s, size_t i, size_t at, struct pf_err *err)
{
	struct dg_folder *f = &s->folders[i];
	const struct dg_item *item = &f->now.v[at];
	const struct pf_op op = {.kind = PF_OP_GET,
		.id = own_id(OWN_PEEK, i, at),
		.folder = pf_buf_span(&f->id),
		.item = item->id,
		.get = {.part = f->first_parts ? PF_PART_FIRST : PF_PART_SECOND,
			.whole_max = SIZE_MAX}};
	int rc = pf_store_submit(s->base.inner, &op, err);

	f->open += rc == PF_OK;
	return rc;
}

static int by_id(const void *a, const void *b)
{
	return pf_span_cmp(((const struct dg_item *)a)->id, ((const struct dg_item *)b)->id);
}

static void end_look(struct dg_store *s, struct dg_folder *f)
{
	struct dg_found *now = &f->now;

	for (size_t i = 0; i < now->n; i++) {
		now->v[i].kind = now->v[i].kind == 0 ? PF_KIND_MAIL : now->v[i].kind;
	}
	if (now->n > 1) {
		qsort(now->v, now->n, sizeof(*now->v), by_id);
	}
	drop_found(s, &f->before);
	f->look = DG_LOOKED;
}

/* The second part, where Exchange has it, then the first: of a message that is nothing else. */
static int step_peeks(struct dg_store *s, size_t i, struct pf_err *err)
{
	struct dg_folder *f = &s->folders[i];

	for (; f->next < f->now.n && f->open < DG_PEEKS_MAX; f->next++) {
		int rc = f->now.v[f->next].kind == 0 ? ask_peek(s, i, f->next, err) : PF_OK;

		if (rc != PF_OK) {
			return rc;
		}
	}
	if (f->open > 0 || f->next < f->now.n) {
		return PF_OK;
	}
	if (f->first_parts) {
		end_look(s, f);
		return PF_OK;
	}
	f->first_parts = true;
	f->next = 0;
	return step_peeks(s, i, err);
}

/* Its messages can't be told apart: not now, or, where the server does not know how to search, not
 * at all. */
static void unknown(struct dg_folder *f, const struct pf_err *why)
{
	f->look = DG_UNKNOWN;
	f->why = *why;
	f->why.scope = PF_SCOPE_FOLDER;
}

/* A folder is looked at for its LIST of mail, or all are, to know what they hold. */
static bool is_wanted(const struct dg_store *s, const struct dg_folder *f)
{
	return f->selectable &&
	       (f->has_list || f->wanted || (s->folders_op != 0 && s->folders_listed));
}

int dg_look_step(struct dg_store *s, struct pf_err *err)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		struct dg_folder *f = &s->folders[i];
		int rc = PF_OK;

		bool wanted = f->look == DG_NOT_LOOKED && is_wanted(s, f) && !dg_is_listing(s, i);

		if (wanted && s->cant_find.text[0]) {
			unknown(f, &s->cant_find);
		} else if (wanted) {
			rc = s->finds || s->finding == 0 ? ask_find(s, i, err) : PF_AGAIN;
		} else if (f->look == DG_PEEKING) {
			rc = step_peeks(s, i, err);
		}
		if (rc != PF_OK) {
			return rc == PF_AGAIN ? PF_OK : rc;
		}
	}
	return PF_OK;
}

/* ---- answers ---- */

static struct dg_item *find_in(const struct dg_found *found, struct pf_span id)
{
	const struct dg_item key = {.id = id};

	return found->n > 0 ? bsearch(&key, found->v, found->n, sizeof(*found->v), by_id) : NULL;
}

/* Of a message that was there when the folder was looked at before it is known what it is. */
static int add_item(struct dg_folder *f, struct pf_span id, struct pf_err *err)
{
	struct dg_found *now = &f->now;
	struct dg_item *known =
		f->before.validity == now->validity ? find_in(&f->before, id) : NULL;
	struct dg_item *grown = pf_grown(now->v, now->n, &now->cap, sizeof(*grown));

	if (!grown) {
		return no_memory(err);
	}
	now->v = grown;
	now->v[now->n] = (struct dg_item){.id = pf_arena_span(&now->arena, id)};
	if (known) {
		now->v[now->n].kind = known->kind;
		now->v[now->n].form = known->form;
		known->form = NULL; /* handed over */
	}
	return now->v[now->n++].id.p ? PF_OK : no_memory(err);
}

static int find_event(struct dg_store *s, struct dg_folder *f, const struct pf_store_event *ev,
	struct pf_err *err)
{
	const struct pf_err *why = &ev->failed.why;

	s->finding -= ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED;
	s->finds = s->finds || ev->kind == PF_STORE_DONE;
	switch (ev->kind) {
	case PF_STORE_STATE:
		f->now.validity = ev->folder->state.validity;
		f->count = ev->folder->state.count;
		return PF_OK;
	case PF_STORE_ITEM:
		return add_item(f, ev->item.id, err);
	case PF_STORE_DONE:
		f->look = DG_PEEKING;
		return PF_OK;
	case PF_STORE_FAILED:
		unknown(f, why);
		if (why->retry == PF_RETRY_NO && !why->number) {
			s->cant_find = *why; /* it is not asked again */
		}
		return PF_OK;
	default:
		return PF_OK;
	}
}

int dg_look_event(struct dg_store *s, const struct pf_store_event *ev, struct pf_err *err)
{
	size_t i = (size_t)(ev->op >> 32 & 0xffffff), at = (size_t)(ev->op & 0xffffffff);
	struct dg_folder *f = i < s->folder_n ? &s->folders[i] : NULL;
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

	if (f && ev->op >> 56 == OWN_FIND) {
		return find_event(s, f, ev, err);
	}
	if (f && body && f->look == DG_PEEKING && at < f->now.n) {
		f->now.v[at].kind = dg_kind_of_start(pf_blob_span(body));
	} else if (f && (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED)) {
		f->open--;
		if (ev->kind == PF_STORE_FAILED && ev->failed.why.retry != PF_RETRY_NO) {
			unknown(f, &ev->failed.why);
		}
	}
	pf_blob_unref(&body);
	return PF_OK;
}

struct dg_item *dg_find_item(const struct dg_folder *f, struct pf_span id)
{
	return f->look == DG_LOOKED ? find_in(&f->now, id) : NULL;
}
