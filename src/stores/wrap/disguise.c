#include "stores/wrap/disguise_private.h"

#include <stdio.h>
#include <stdlib.h>

/* Of a message that may have to be taken apart. */
enum { UNWRAP_MAX = 64 << 20 };

static struct dg_store *store_of(struct pf_wrapper *base)
{
	return pf_container_of(base, struct dg_store, base);
}

/* ---- mail ---- */

/* A LIST waits until it is known which of the folder's messages go another way. */
static int submit_list(struct dg_store *s, const struct pf_op *op, struct pf_err *err)
{
	size_t i = dg_find_folder(s, op->folder);
	struct dg_folder *f;

	if (i == SIZE_MAX && dg_add_folder(s, op->folder, &i, err) != PF_OK) {
		return PF_FAIL;
	}
	f = &s->folders[i];
	if (f->has_list) {
		return PF_AGAIN;
	}
	if (pf_op_keep(&f->list, op, err) != PF_OK) {
		return PF_FAIL;
	}
	f->has_list = true;
	f->list_op = op->id;
	f->selectable = true;
	dg_look_again(s, f);
	return PF_OK;
}

static int submit(struct pf_wrapper *base, const struct pf_op *op, struct pf_err *err)
{
	struct dg_store *s = store_of(base);
	bool reads = op->kind == PF_OP_LIST || op->kind == PF_OP_GET;
	struct pf_op whole = *op;
	enum pf_kind kind;
	size_t folder;

	if (op->kind == PF_OP_FOLDERS && dg_apart(s) != 0) {
		return dg_submit_folders(s, op, err);
	}
	if (reads && (!dg_gives_mail(s) || dg_folder_of(s, op->folder, &folder, &kind))) {
		return dg_submit_items(s, op, err);
	}
	if (op->kind == PF_OP_LIST && dg_apart(s) != 0) {
		return submit_list(s, op, err);
	}
	if (op->kind == PF_OP_GET && op->get.part == PF_PART_WHOLE && s->cfg->unwrap_tnef &&
		op->get.whole_max < UNWRAP_MAX) {
		whole.get.whole_max = UNWRAP_MAX;
	}
	return pf_store_submit(s->base.inner, &whole, err);
}

/* PF_AGAIN: none has. */
static int fail_lists(struct dg_store *s, struct pf_store_event *out)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		struct dg_folder *f = &s->folders[i];

		if (f->has_list && dg_is_put_off(f)) {
			*out = (struct pf_store_event){.kind = PF_STORE_FAILED, .op = f->list_op};
			out->failed.why = f->why;
			pf_op_let_go(&f->list);
			f->has_list = false;
			return PF_OK;
		}
	}
	return PF_AGAIN;
}

/* LISTs whose folders were looked at go on. */
static int hand_on_lists(struct dg_store *s, struct pf_err *err)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		struct dg_folder *f = &s->folders[i];
		int rc;

		if (!f->has_list || !dg_looked(f) || dg_is_put_off(f)) {
			continue;
		}
		rc = pf_store_submit(s->base.inner, &f->list.op, err);
		if (rc == PF_AGAIN) {
			return PF_OK;
		}
		if (rc != PF_OK) {
			return rc;
		}
		pf_op_let_go(&f->list);
		f->has_list = false;
	}
	return PF_OK;
}

static void mark_item(struct dg_store *s, struct pf_store_event *ev)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		const struct dg_folder *f = &s->folders[i];

		if (f->list_op == ev->op) {
			const struct dg_item *item = dg_find_item(f, ev->item.id);
			enum pf_kind kind = item ? item->kind : PF_KIND_MAIL;

			ev->item.apart = dg_apart(s) & (uint32_t)kind ? kind : 0;
			return;
		}
	}
}

int dg_replace(struct dg_store *s, struct pf_store_event *ev, uint32_t kinds, struct pf_err *err)
{
	int rc = dg_convert(s, pf_blob_span(ev->body), kinds, err);

	if (rc != PF_OK) {
		return rc;
	}
	if (pf_wrapper_replace(ev, pf_buf_span(&s->form.bytes), err) != PF_OK) {
		return PF_FAIL;
	}
	pf_mapi_form_tell(&s->form, ev);
	return PF_OK;
}

/* The beginning of what is told of a message that was taken apart. */
static void mail_body(struct dg_store *s, struct pf_store_event *ev)
{
	struct pf_err why;
	int rc = s->cfg->unwrap_tnef ? dg_replace(s, ev, PF_KIND_MAIL, &why) : PF_END;

	if (rc == PF_OK) {
		ev->left =
			"unwrapped: the message that its TNEF part (winmail.dat) holds, not octet "
			"for octet the one that was stored";
	} else if (rc == PF_FAIL) {
		(void)snprintf(s->left_out, sizeof(s->left_out), "not unwrapped: %.250s", why.text);
		ev->left = s->left_out;
	} else {
		ev->left = dg_stays(s, pf_blob_span(ev->body));
	}
}

/* ---- the table ---- */

static int give(struct pf_wrapper *base, struct pf_store_event *out, struct pf_err *err)
{
	struct dg_store *s = store_of(base);
	int rc = dg_give_folders(s, out, err);

	rc = rc == PF_AGAIN ? dg_give_items(s, out) : rc;
	rc = rc == PF_AGAIN ? fail_lists(s, out) : rc;
	if (rc != PF_AGAIN) {
		return rc;
	}
	return dg_look_step(s, err) == PF_OK && hand_on_lists(s, err) == PF_OK ? PF_AGAIN : PF_FAIL;
}

static int take(struct pf_wrapper *base, struct pf_store_event *ev, struct pf_err *err)
{
	struct dg_store *s = store_of(base);

	if (dg_look_owns(ev->op)) {
		return dg_look_event(s, ev, err) == PF_OK ? PF_AGAIN : PF_FAIL;
	}
	if (ev->kind == PF_STORE_READY || ev->kind == PF_STORE_NOTE) {
		return PF_OK;
	}
	if (s->folders_op != 0 && ev->op == s->folders_op) {
		return dg_folders_event(s, ev, err);
	}
	if (dg_items_own(s, ev->op)) {
		return dg_items_event(s, ev);
	}
	if (ev->kind == PF_STORE_ITEM && dg_apart(s) != 0) {
		mark_item(s, ev);
	} else if (ev->kind == PF_STORE_BODY) {
		mail_body(s, ev);
	}
	return PF_OK;
}

/* Those of another kind than mail are items that never change under their ids. */
static const struct pf_store_facts *facts(struct pf_wrapper *base)
{
	struct dg_store *s = store_of(base);
	const struct pf_store_facts *inner = pf_store_facts(s->base.inner);

	if (s->cfg->disguised.here == 0) {
		return inner;
	}
	s->facts = pf_mapi_form_facts(inner->server);
	s->facts.kinds = s->cfg->disguised.here;
	if (s->cfg->disguised.mail) {
		uint32_t caps = s->facts.caps & (PF_CAP_VERSIONS | PF_CAP_LASTING_IDS);

		s->facts = *inner;
		s->facts.caps |= caps;
		s->facts.kinds |= s->cfg->disguised.here;
	}
	s->facts.connections = inner->connections;
	memcpy(s->facts.moved, inner->moved, sizeof(s->facts.moved));
	memcpy(s->facts.daily_bytes, inner->daily_bytes, sizeof(s->facts.daily_bytes));
	return &s->facts;
}

static void deinit(struct pf_wrapper *base)
{
	struct dg_store *s = store_of(base);

	for (size_t i = 0; i < s->folder_n; i++) {
		dg_folder_free(s, &s->folders[i]);
	}
	free(s->folders);
	dg_items_free(s);
	pf_mapi_form_deinit(&s->form);
	pf_buf_deinit(&s->folder_id);
}

static const struct pf_wrapper_does DOES = {submit, give, take, facts, deinit};

int pf_disguise_open(struct pf_store *inner, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct dg_store *s = pf_wrapper_new(sizeof(*s), inner, &DOES, err);

	if (!s) {
		return PF_FAIL;
	}
	s->cfg = cfg;
	pf_mapi_form_init(&s->form);
	pf_buf_init(&s->folder_id, 1 << 20);
	*out = &s->base.base;
	return PF_OK;
}
