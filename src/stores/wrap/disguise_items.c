#include "base/grow.h"
#include "stores/wrap/disguise_private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- requests ---- */

static int add_request(struct dg_store *s, const struct dg_request *new, struct pf_err *err)
{
	struct dg_request *grown =
		pf_grown(s->requests, s->request_n, &s->request_cap, sizeof(*grown));

	if (!grown) {
		return pf_fail_memory(err, "a request");
	}
	s->requests = grown;
	s->requests[s->request_n++] = *new;
	return PF_OK;
}

static size_t find_request(const struct dg_store *s, uint64_t op)
{
	size_t i = 0;

	while (i < s->request_n && s->requests[i].op != op) {
		i++;
	}
	return i;
}

static void drop_request(struct dg_store *s, size_t i)
{
	pf_blob_unref(&s->requests[i].form);
	s->request_n--;
	memmove(&s->requests[i], &s->requests[i + 1], (s->request_n - i) * sizeof(*s->requests));
}

void dg_items_free(struct dg_store *s)
{
	while (s->request_n > 0) {
		drop_request(s, s->request_n - 1);
	}
	free(s->requests);
}

bool dg_items_own(const struct dg_store *s, uint64_t op)
{
	return find_request(s, op) < s->request_n;
}

bool dg_is_listing(const struct dg_store *s, size_t folder)
{
	for (size_t i = 0; i < s->request_n; i++) {
		const struct dg_request *r = &s->requests[i];

		if (!r->get && r->begun && r->folder == folder) {
			return true;
		}
	}
	return false;
}

/* What an item's id is in the inner store: behind the validity of its folder. */
static struct pf_span inner_id(struct pf_span id)
{
	const uint8_t *dot = id.n > 0 ? memchr(id.p, '.', id.n) : NULL;

	return dot ? pf_span_from(id, (size_t)(dot - id.p) + 1) : id;
}

static int ask_body(
	struct dg_store *s, const struct pf_op *op, struct dg_request *r, struct pf_err *err)
{
	const struct dg_folder *f = &s->folders[r->folder];
	struct pf_span id = inner_id(op->item);
	const struct dg_item *item = dg_find_item(f, id);
	struct pf_op inner = *op;

	if (item && item->form) {
		r->form = pf_blob_ref(item->form);
		return PF_OK;
	}
	(void)snprintf(r->id, sizeof(r->id), "%.*s", (int)id.n, (const char *)id.p);
	inner.folder = pf_buf_span(&f->id);
	inner.item = id;
	inner.get.part = PF_PART_WHOLE; /* its header is no item's */
	return pf_store_submit(s->base.inner, &inner, err);
}

int dg_submit_items(struct dg_store *s, const struct pf_op *op, struct pf_err *err)
{
	struct dg_request r = {.op = op->id, .get = op->kind == PF_OP_GET};
	int rc = PF_OK;

	if (!dg_folder_of(s, op->folder, &r.folder, &r.kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "there is no such folder");
	}
	if (r.get) {
		rc = ask_body(s, op, &r, err);
	} else if (s->folders[r.folder].look == DG_UNKNOWN) {
		dg_look_again(s, &s->folders[r.folder]);
		s->folders[r.folder].wanted = true;
	}
	if (rc != PF_OK) {
		return rc;
	}
	if (add_request(s, &r, err) != PF_OK) {
		pf_blob_unref(&r.form);
		return PF_FAIL;
	}
	return PF_OK;
}

/* ---- events ---- */

static void give_state(struct dg_store *s, const struct dg_request *r, struct pf_store_event *out)
{
	s->folder_out = (struct pf_folder){.has_state = true};
	*out = (struct pf_store_event){
		.kind = PF_STORE_STATE, .op = r->op, .folder = &s->folder_out};
}

/* An item that was asked for before. */
static void give_kept(struct dg_store *s, size_t i, struct pf_store_event *out)
{
	struct dg_request *r = &s->requests[i];

	*out = (struct pf_store_event){
		.kind = r->begun ? PF_STORE_DONE : PF_STORE_BODY, .op = r->op};
	if (r->begun) {
		drop_request(s, i);
		return;
	}
	out->body = pf_blob_ref(r->form);
	r->begun = true;
}

/* What is read once more soon: identity decides by all items, and then they are written. */
static void keep_form(struct dg_store *s, const struct dg_request *r, struct pf_blob *form)
{
	struct dg_item *item = dg_find_item(&s->folders[r->folder], pf_span_str(r->id));

	if (item && !item->form && form->n <= DG_KEPT_BYTES - s->kept_bytes) {
		item->form = pf_blob_ref(form);
		s->kept_bytes += form->n;
	}
}

static void give_item(struct dg_store *s, const struct dg_request *r, const struct dg_folder *f,
	struct pf_store_event *out)
{
	struct pf_span id = f->now.v[r->at].id;

	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = r->op};
	(void)snprintf(s->id_out, sizeof(s->id_out), "%llu.%.*s",
		(unsigned long long)f->now.validity, (int)id.n, (const char *)id.p);
	out->item.id = pf_span_str(s->id_out);
	out->item.version = pf_span_str("1"); /* no message ever changes */
	out->item.date_utc_s = PF_DATE_NONE;
	out->item.message = s->cfg->disguised.mail ? id : pf_span(NULL, 0);
}

int dg_give_items(struct dg_store *s, struct pf_store_event *out)
{
	const struct dg_folder *f;
	struct dg_request *r;
	size_t i = 0;

	while (i < s->request_n && s->requests[i].get && !s->requests[i].form) {
		i++;
	}
	if (i == s->request_n) {
		return PF_AGAIN;
	}
	r = &s->requests[i];
	f = &s->folders[r->folder];
	if (r->form) {
		give_kept(s, i, out);
		return PF_OK;
	}
	if (!dg_looked(f)) {
		return PF_AGAIN;
	}
	if (f->look == DG_UNKNOWN) {
		*out = (struct pf_store_event){.kind = PF_STORE_FAILED, .op = r->op};
		out->failed.why = f->why;
		drop_request(s, i);
		return PF_OK;
	}
	if (!r->begun) {
		r->begun = true;
		give_state(s, r, out);
		return PF_OK;
	}
	while (r->at < f->now.n && f->now.v[r->at].kind != r->kind) {
		r->at++;
	}
	if (r->at == f->now.n) {
		*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = r->op};
		drop_request(s, i);
		return PF_OK;
	}
	give_item(s, r, f, out);
	r->at++;
	return PF_OK;
}

/* An answer to a GET: the item in its form, or why there is none. */
static void got(struct dg_store *s, size_t i, struct pf_store_event *ev)
{
	struct pf_err why;
	int rc;

	if (ev->kind != PF_STORE_BODY) {
		return;
	}
	rc = dg_replace(s, ev, (uint32_t)s->requests[i].kind, &why);
	if (rc == PF_OK) {
		keep_form(s, &s->requests[i], ev->body);
		return;
	}
	if (rc == PF_END) {
		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the message has no TNEF part of that kind");
	}
	pf_blob_unref(&ev->body);
	*ev = (struct pf_store_event){.kind = PF_STORE_FAILED, .op = ev->op};
	ev->failed.why = why;
	ev->failed.refused = why.scope == PF_SCOPE_ITEM;
	s->requests[i].begun = true; /* the inner store's end of it is not told any more */
}

int dg_items_event(struct dg_store *s, struct pf_store_event *ev)
{
	size_t i = find_request(s, ev->op);
	bool ends = ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED;

	if (s->requests[i].begun) { /* it was told to have failed */
		if (ends) {
			drop_request(s, i);
		}
		return PF_AGAIN;
	}
	if (ends) {
		drop_request(s, i);
		return PF_OK;
	}
	got(s, i, ev);
	return PF_OK;
}
