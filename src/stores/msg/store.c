/*
 * What the engine sees of .msg files.
 */
#include "stores/msg/msg_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

extern const struct pf_store_ops pf_msg_store_ops;

enum { WORDS_MAX = 1 << 16 };

static struct ms_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct ms_store, base);
}

static void reset(struct pf_serial *base)
{
	struct ms_store *s = store_of(base);

	ms_names_free(&s->dirs);
	ms_names_free(&s->files);
	s->at = 0;
	s->kinds_left = 0;
	pf_mapi_form_reset(&s->form);
}

static int read_part(struct pf_serial *base, struct pf_span *part, struct pf_err *err)
{
	(void)err;
	pf_mapi_form_read(&store_of(base)->form, base, part);
	return PF_OK;
}

static int step(struct pf_serial *base, const struct pf_op *op, struct pf_store_event *out,
	struct pf_err *err)
{
	struct ms_store *s = store_of(base);

	switch (op->kind) {
	case PF_OP_FOLDERS:
		return ms_step_folders(s, op, out, err);
	case PF_OP_LIST:
		return ms_step_list(s, op, out, err);
	case PF_OP_GET:
		return ms_step_get(s, op, out, err);
	default: /* what writes does not come this far */
		pf_serial_end(base, out, NULL);
		return PF_OK;
	}
}

/* The directory that it is, or that it is in: by its whole path, as its name is a folder's. */
static int begin(struct pf_serial *base, struct pf_err *err)
{
	struct ms_store *s = store_of(base);
	char *whole = realpath(base->cfg->url->path, NULL);
	char *slash;
	struct stat st;

	if (!whole || stat(whole, &st) != 0) {
		free(whole);
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"no .msg file or directory: %s", base->cfg->url->path);
	}
	slash = strrchr(whole, '/');
	if (!S_ISDIR(st.st_mode) && slash) {
		(void)snprintf(s->single, sizeof(s->single), "%s", slash + 1);
		*slash = '\0';
	}
	if (strlen(whole) < sizeof(s->root)) {
		(void)snprintf(s->root, sizeof(s->root), "%s", *whole ? whole : "/");
	}
	free(whole);
	return PF_OK;
}

static const struct pf_serial_does DOES = {begin, step, NULL, read_part, reset};

static void close_store(struct pf_store *base)
{
	struct ms_store *s;

	if (!base) {
		return;
	}
	s = store_of(pf_container_of(base, struct pf_serial, base));
	pf_serial_deinit(&s->base);
	pf_buf_deinit(&s->words);
	pf_path_deinit(&s->path_out);
	pf_mapi_form_deinit(&s->form);
	free(s);
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct ms_store *s;

	(void)loop;
	if (!cfg->url->path[0]) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "the form is msg:PATH");
	}
	if (!cfg->source) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			".msg files are only read: archive:PATH is a target that holds all kinds");
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	pf_serial_init(&s->base, &pf_msg_store_ops, cfg, &DOES);
	pf_buf_init(&s->words, WORDS_MAX);
	pf_mapi_form_init(&s->form);
	s->base.facts = pf_mapi_form_facts(".msg files");
	*out = &s->base.base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"msg", PF_MAPI_KINDS, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_msg_store_ops = {
	.schemes = SCHEMES,
	.summary = "items that Outlook saved as .msg files, as a source (msg:PATH)",
	.open = open_store,
	.submit = pf_serial_submit,
	.feed = pf_serial_feed,
	.next = pf_serial_next,
	.facts = pf_serial_facts,
	.close = close_store,
};
