/*
 * What the engine sees of a PST file.
 */
#include "stores/pst/pst_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

extern const struct pf_store_ops pf_pst_store_ops;

enum {
	WORDS_MAX = 1 << 16,
	TAG_CODE_PAGE = 0x66C3 /* PidTagCodePageId */,
	TAG_RECORD_KEY = 0x0FF9 /* PidTagRecordKey */
};

static struct ps_store *store_of(struct pf_serial *base)
{
	return pf_container_of(base, struct ps_store, base);
}

static void reset(struct pf_serial *base)
{
	struct ps_store *s = store_of(base);

	if (s->listed) {
		(void)libpff_item_free(&s->listed, NULL);
	}
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
	struct ps_store *s = store_of(base);

	switch (op->kind) {
	case PF_OP_FOLDERS:
		return ps_step_folders(s, op, out, err);
	case PF_OP_LIST:
		return ps_step_list(s, op, out, err);
	case PF_OP_GET:
		return ps_step_get(s, op, out, err);
	default: /* what writes does not come this far */
		pf_serial_end(base, out, NULL);
		return PF_OK;
	}
}

/* What can be told of a file that libpff does not open. */
static int check_file(struct ps_store *s, struct pf_err *err)
{
	struct stat st;

	if (stat(s->path, &st) != 0) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "no PST file: %s", s->path);
	}
	if (!S_ISREG(st.st_mode)) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"%s is no file: name each PST file in a --from of its own", s->path);
	}
	if (libpff_check_file_signature(s->path, NULL) != 1) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"%s is no PST, OST or PAB file: it does not begin as one", s->path);
	}
	return PF_OK;
}

/* Strings of old files are in the code page of the machine that wrote them; newer ones tell it. */
static void learn(struct ps_store *s)
{
	libpff_item_t *store = NULL;
	uint64_t page = 0;
	size_t n = 0;

	if (libpff_file_get_message_store(s->file, &store, NULL) != 1) {
		return;
	}
	if (ps_number(store, TAG_CODE_PAGE, &page) && page <= UINT16_MAX) {
		s->code_page = (uint32_t)page;
	}
	if (!ps_value(store, TAG_RECORD_KEY, s->record_key, sizeof(s->record_key), &n, NULL)) {
		memset(s->record_key, 0, sizeof(s->record_key));
	}
	(void)libpff_item_free(&store, NULL);
}

static int begin(struct pf_serial *base, struct pf_err *err)
{
	struct ps_store *s = store_of(base);
	libpff_error_t *why = NULL;
	uint8_t encryption = 0;

	if (check_file(s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (libpff_file_initialize(&s->file, &why) != 1) {
		return ps_fail(err, PF_SCOPE_STORE, &why, "libpff");
	}
	if (libpff_file_open(s->file, s->path, libpff_get_access_flags_read(), &why) != 1) {
		return ps_fail(err, PF_SCOPE_STORE, &why,
			"the file can't be opened: it is cut, damaged or open in Outlook; repair "
			"it "
			"with scanpst and try again");
	}
	if (libpff_file_get_encryption_type(s->file, &encryption, NULL) == 1 &&
		encryption > LIBPFF_ENCRYPTION_TYPE_HIGH) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"the file is encrypted with the keys of a Windows account (WIP): export it "
			"there without encryption");
	}
	learn(s);
	return PF_OK;
}

static const struct pf_serial_does DOES = {begin, step, NULL, read_part, reset};

static void close_store(struct pf_store *base)
{
	struct ps_store *s;

	if (!base) {
		return;
	}
	s = store_of(pf_container_of(base, struct pf_serial, base));
	pf_serial_deinit(&s->base);
	ps_folders_free(s);
	ps_found_free(s);
	if (s->file) {
		(void)libpff_file_close(s->file, NULL); /* it was only read */
		(void)libpff_file_free(&s->file, NULL);
	}
	pf_buf_deinit(&s->words);
	pf_mapi_form_deinit(&s->form);
	free(s);
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct ps_store *s;
	size_t n = strlen(cfg->url->path);

	(void)loop;
	if (n == 0 || n >= sizeof(s->path)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "the form is pst:PATH");
	}
	if (!cfg->source) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"a PST file is only read: archive:PATH is a target that holds all kinds");
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	pf_serial_init(&s->base, &pf_pst_store_ops, cfg, &DOES);
	memcpy(s->path, cfg->url->path, n + 1);
	pf_buf_init(&s->words, WORDS_MAX);
	pf_mapi_form_init(&s->form);
	s->base.facts = pf_mapi_form_facts("PST file");
	*out = &s->base.base;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"pst", PF_MAPI_KINDS, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_pst_store_ops = {
	.schemes = SCHEMES,
	.summary = "an Outlook file, PST or OST, as a source (pst:PATH)",
	.open = open_store,
	.submit = pf_serial_submit,
	.feed = pf_serial_feed,
	.next = pf_serial_next,
	.facts = pf_serial_facts,
	.close = close_store,
};
