#include "stores/wrap/wrapper.h"

#include <stdlib.h>

static struct pf_wrapper *wrapper_of(struct pf_store *base)
{
	return pf_container_of(base, struct pf_wrapper, base);
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct pf_wrapper *w = wrapper_of(base);

	return w->does->submit(w, op, err);
}

static int feed(struct pf_store *base, uint64_t op, struct pf_span part, struct pf_err *err)
{
	return pf_store_feed(wrapper_of(base)->inner, op, part, err);
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct pf_wrapper *w = wrapper_of(base);
	int rc;

	do {
		rc = w->does->give ? w->does->give(w, out, err) : PF_AGAIN;
		if (rc != PF_AGAIN) {
			return rc;
		}
		rc = pf_store_next(w->inner, out, wake_ms, err);
		if (rc != PF_OK) {
			return rc;
		}
		rc = w->does->take(w, out, err);
	} while (rc == PF_AGAIN);
	return rc;
}

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	struct pf_wrapper *w = wrapper_of((struct pf_store *)(uintptr_t)base);

	return w->does->facts ? w->does->facts(w) : pf_store_facts(w->inner);
}

static void close_store(struct pf_store *base)
{
	struct pf_wrapper *w = base ? wrapper_of(base) : NULL;

	if (w) {
		pf_store_close(&w->inner);
		w->does->deinit(w);
		free(w);
	}
}

static const struct pf_store_ops OPS = {
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};

void *pf_wrapper_new(
	size_t size, struct pf_store *inner, const struct pf_wrapper_does *does, struct pf_err *err)
{
	struct pf_wrapper *w = calloc(1, size);

	if (!w) {
		pf_store_close(&inner);
		(void)pf_fail_memory(err, "a store");
		return NULL;
	}
	*w = (struct pf_wrapper){.base = {&OPS}, .inner = inner, .does = does};
	return w;
}

int pf_wrapper_replace(struct pf_store_event *ev, struct pf_span body, struct pf_err *err)
{
	struct pf_blob *blob = pf_blob_new(body.n);

	if (!blob) {
		return pf_fail_memory(err, "an item");
	}
	if (body.n > 0) {
		memcpy(blob->bytes, body.p, body.n);
	}
	pf_blob_unref(&ev->body);
	ev->body = blob;
	return PF_OK;
}
