#include "stores/mem/mem_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { OWN_CLOCK_UTC_S = 1000000000 }; /* dates of items where the given one is not kept */

static const char REWRITTEN[] = "X-Stored-By: memory\r\n";

bool mem_has(const struct pf_mem *m, uint32_t cap)
{
	return (m->traits.facts.caps & cap) != 0;
}

/* ---- life ---- */

int pf_mem_new(struct pf_mem **out, struct pf_err *err)
{
	struct pf_mem *m = calloc(1, sizeof(*m));
	struct pf_mem_folder *inbox;
	struct pf_path path = {0};
	int rc;

	if (!m) {
		return pf_fail_memory(err, "an account");
	}
	m->traits = (struct pf_mem_traits){
		.facts =
			{
				.caps = PF_CAP_COPY | PF_CAP_PUT_RETURNS_ID | PF_CAP_EXACT_SIZE |
					PF_CAP_EXACT_BYTES | PF_CAP_CURSOR | PF_CAP_CURSOR_FLAGS |
					PF_CAP_LIST_DELTA | PF_CAP_REMOVE_ONE | PF_CAP_SUBSCRIBE |
					PF_CAP_PUT_GROUPS | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED |
					PF_CAP_KEEPS_DATE,
				.kinds = PF_KIND_MAIL,
				.quota_free_bytes = UINT64_MAX,
				.forbidden = "",
				.server = "memory",
				.connections = 1,
			},
		.permitted_sys = PF_FLAGS_ALL,
		.permitted_any = true,
		.permitted_kw = "",
		.oldest_date_utc_s = PF_DATE_NONE,
	};
	rc = pf_path_add(&path, pf_span("INBOX", 5), err);
	rc = rc == PF_OK ? pf_mem_folder(m, &path, PF_ROLE_INBOX, &inbox, err) : rc;
	pf_path_deinit(&path);
	if (rc != PF_OK) {
		pf_mem_free(&m);
		return rc;
	}
	*out = m;
	return PF_OK;
}

static void free_item(struct pf_mem_item *item)
{
	pf_blob_unref(&item->body);
	pf_buf_deinit(&item->kw_buf);
	free(item);
}

static void free_folder(struct pf_mem_folder *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free_item(f->items[i]);
	}
	pf_path_deinit(&f->path);
	free(f->items);
	free(f->gone);
	free(f);
}

void pf_mem_free(struct pf_mem **account)
{
	struct pf_mem *m = *account;

	if (!m) {
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		free_folder(m->folders[i]);
	}
	free(m->folders);
	free(m);
	*account = NULL;
}

struct pf_mem_traits *pf_mem_traits(struct pf_mem *m)
{
	return &m->traits;
}

void pf_mem_set_whims(struct pf_mem *m, struct pf_mem_whims *whims)
{
	m->whims = whims;
}

void pf_mem_time_out(struct pf_mem *m)
{
	m->timeouts++;
}

/* ---- folders ---- */

/* `v` with room for one more of `size` bytes; NULL: no memory, and `v` is as it was. */
static void *roomy(void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *grown;

	if (n < *cap) {
		return v;
	}
	grown = realloc(v, more * size);
	*cap = grown ? more : *cap;
	return grown;
}

static bool same_path(const struct pf_mem *m, const struct pf_path *a, const struct pf_path *b)
{
	if (!mem_has(m, PF_CAP_FOLD_CASE)) {
		return pf_path_eq(a, b);
	}
	for (size_t i = 0; pf_path_segment(a, i) || pf_path_segment(b, i); i++) {
		const char *x = pf_path_segment(a, i), *y = pf_path_segment(b, i);

		if (!x || !y || strcasecmp(x, y) != 0) {
			return false;
		}
	}
	return true;
}

struct pf_mem_folder *mem_folder_by_path(const struct pf_mem *m, const struct pf_path *path)
{
	for (size_t i = 0; i < m->n; i++) {
		if (same_path(m, &m->folders[i]->path, path)) {
			return m->folders[i];
		}
	}
	return NULL;
}

struct pf_mem_folder *mem_folder_by_id(const struct pf_mem *m, struct pf_span id)
{
	for (size_t i = 0; i < m->n; i++) {
		if (pf_span_eq(pf_span_str(m->folders[i]->id), id)) {
			return m->folders[i];
		}
	}
	return NULL;
}

static int make(struct pf_mem *m, const struct pf_path *path, enum pf_role role,
	struct pf_mem_folder **out, struct pf_err *err)
{
	struct pf_mem_folder *f = calloc(1, sizeof(*f));
	struct pf_mem_folder **v = roomy(m->folders, m->n, &m->cap, sizeof(struct pf_mem_folder *));

	m->folders = v ? v : m->folders;
	if (!f || !v || pf_path_copy(&f->path, path, err) != PF_OK) {
		free(f);
		return pf_fail_memory(err, "a folder");
	}
	f->account = m;
	f->role = role;
	f->validity = ++m->last_validity;
	f->next = 1;
	(void)snprintf(f->id, sizeof(f->id), "f%llu", (unsigned long long)++m->last_id);
	m->folders[m->n++] = f;
	*out = f;
	return PF_OK;
}

int pf_mem_folder(struct pf_mem *m, const struct pf_path *path, enum pf_role role,
	struct pf_mem_folder **out, struct pf_err *err)
{
	struct pf_path part = {0};
	size_t depth = pf_path_depth(path);
	int rc = PF_OK;

	*out = NULL;
	for (size_t d = 1; d <= depth && rc == PF_OK; d++) {
		rc = pf_path_copy(&part, path, err);
		if (rc == PF_OK) {
			pf_path_cut(&part, d);
			*out = mem_folder_by_path(m, &part);
		}
		if (rc == PF_OK && !*out) {
			rc = make(m, &part, d == depth ? role : PF_ROLE_NONE, out, err);
		}
	}
	pf_path_deinit(&part);
	return rc;
}

size_t pf_mem_folders(const struct pf_mem *m)
{
	return m->n;
}

struct pf_mem_folder *pf_mem_folder_at(const struct pf_mem *m, size_t i)
{
	return m->folders[i];
}

const struct pf_path *pf_mem_folder_path(const struct pf_mem_folder *f)
{
	return &f->path;
}

bool pf_mem_folder_subscribed(const struct pf_mem_folder *f)
{
	return f->subscribed;
}

uint64_t pf_mem_folder_validity(const struct pf_mem_folder *f)
{
	return f->validity;
}

/* "VALIDITY NEXT COUNT CHANGE": the last one only moves with flags where CURSOR_FLAGS is claimed.
 */
int mem_cursor(const struct pf_mem_folder *f, struct pf_buf *out, struct pf_err *err)
{
	pf_buf_clear(out);
	if (!mem_has(f->account, PF_CAP_CURSOR)) {
		return PF_OK;
	}
	return pf_buf_addf(out, err, "%llu %llu %zu %llu", (unsigned long long)f->validity,
		(unsigned long long)f->next, f->n, (unsigned long long)f->change);
}

/* ---- items ---- */

/* Where the item of this uid is, or would be. */
static size_t place_of(const struct pf_mem_folder *f, uint64_t uid)
{
	size_t lo = 0, hi = f->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->items[mid]->uid < uid) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

static struct pf_mem_item *by_uid(const struct pf_mem_folder *f, uint64_t uid)
{
	size_t at = place_of(f, uid);

	return at < f->n && f->items[at]->uid == uid ? f->items[at] : NULL;
}

struct pf_mem_item *mem_item(const struct pf_mem_folder *f, struct pf_span id)
{
	uint64_t uid = 0;

	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] < '0' || id.p[i] > '9' || uid > UINT64_MAX / 10 - 1) {
			return NULL;
		}
		uid = uid * 10 + (uint64_t)(id.p[i] - '0');
	}
	return by_uid(f, uid);
}

uint64_t mem_listed_size(const struct pf_mem_folder *f, const struct pf_mem_item *item)
{
	uint64_t n = item->body->n;

	return mem_has(f->account, PF_CAP_EXACT_SIZE) ? n : n + n / 8 + 7;
}

/* What is stored of a body: itself, or what a server makes of it that keeps no exact bytes. */
static struct pf_blob *stored_form(const struct pf_mem_folder *f, struct pf_blob *body)
{
	size_t more = sizeof(REWRITTEN) - 1;
	struct pf_blob *b;

	if (mem_has(f->account, PF_CAP_EXACT_BYTES)) {
		return pf_blob_ref(body);
	}
	b = pf_blob_new(body->n + more);
	if (b) {
		memcpy(b->bytes, REWRITTEN, more);
		memcpy(b->bytes + more, body->bytes, body->n);
	}
	return b;
}

static int set_flags(struct pf_mem_item *item, struct pf_flags flags, struct pf_err *err)
{
	pf_buf_clear(&item->kw_buf);
	if (pf_buf_add(&item->kw_buf, flags.kw, err) != PF_OK) {
		return PF_FAIL;
	}
	item->flags = (struct pf_flags){flags.sys, pf_buf_span(&item->kw_buf)};
	return PF_OK;
}

int mem_add_blob(struct pf_mem_folder *f, struct pf_blob *body, const struct pf_item *like,
	uint64_t *uid, struct pf_err *err)
{
	struct pf_mem *m = f->account;
	struct pf_mem_item *item = calloc(1, sizeof(*item));
	struct pf_mem_item **v = roomy(f->items, f->n, &f->cap, sizeof(struct pf_mem_item *));

	f->items = v ? v : f->items;
	if (!item || !v) {
		free(item);
		return pf_fail_memory(err, "an item");
	}
	pf_buf_init(&item->kw_buf, MEM_TEXT_MAX);
	item->body = stored_form(f, body);
	if (!item->body || set_flags(item, like->flags, err) != PF_OK) {
		free_item(item);
		return pf_fail_memory(err, "an item");
	}
	item->uid = f->next++;
	item->date_utc_s = like->date_utc_s;
	item->zone_min = like->zone_min;
	if (!mem_has(m, PF_CAP_KEEPS_DATE) || like->date_utc_s == PF_DATE_NONE) {
		item->date_utc_s = OWN_CLOCK_UTC_S + (int64_t)m->change;
		item->zone_min = 0;
	}
	item->change = ++m->change;
	f->change = item->change;
	f->items[f->n++] = item;
	*uid = item->uid;
	return PF_OK;
}

int pf_mem_add(struct pf_mem_folder *f, struct pf_span body, const struct pf_item *like,
	uint64_t *uid, struct pf_err *err)
{
	struct pf_blob *blob = pf_blob_new(body.n);
	int rc;

	if (!blob) {
		return pf_fail_memory(err, "an item");
	}
	if (body.n > 0) {
		memcpy(blob->bytes, body.p, body.n);
	}
	rc = mem_add_blob(f, blob, like, uid, err);
	pf_blob_unref(&blob);
	return rc;
}

size_t pf_mem_items(const struct pf_mem_folder *f)
{
	return f->n;
}

const struct pf_mem_item *pf_mem_item_at(const struct pf_mem_folder *f, size_t i)
{
	return f->items[i];
}

int pf_mem_set_flags(
	struct pf_mem_folder *f, uint64_t uid, struct pf_flags flags, struct pf_err *err)
{
	struct pf_mem_item *item = by_uid(f, uid);

	if (!item) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "there is no item %llu",
			(unsigned long long)uid);
	}
	if (set_flags(item, flags, err) != PF_OK) {
		return PF_FAIL;
	}
	if (mem_has(f->account, PF_CAP_CURSOR_FLAGS)) {
		item->change = ++f->account->change;
		f->change = item->change;
	}
	return PF_OK;
}

int pf_mem_remove(struct pf_mem_folder *f, uint64_t uid, struct pf_err *err)
{
	size_t at = place_of(f, uid);
	struct mem_gone *v = roomy(f->gone, f->gone_n, &f->gone_cap, sizeof(*v));

	if (!v) {
		return pf_fail_memory(err, "an account");
	}
	f->gone = v;
	if (at == f->n || f->items[at]->uid != uid) {
		return PF_OK;
	}
	free_item(f->items[at]);
	memmove(&f->items[at], &f->items[at + 1], (f->n - at - 1) * sizeof(struct pf_mem_item *));
	f->n--;
	f->change = ++f->account->change;
	f->gone[f->gone_n++] = (struct mem_gone){uid, f->change};
	return PF_OK;
}

void pf_mem_renumber(struct pf_mem_folder *f)
{
	f->validity = ++f->account->last_validity;
	f->next = 1;
	f->gone_n = 0;
	for (size_t i = 0; i < f->n; i++) {
		f->items[i]->uid = f->next++;
		f->items[i]->change = ++f->account->change;
		f->change = f->items[i]->change;
	}
}
