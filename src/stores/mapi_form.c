#include "stores/mapi_form.h"

#include "base/digest.h"
#include "convert/mapi_open.h"
#include "model/mapi_tags.h"
#include "proto/tnef/tnef.h"

#include <stdio.h>

/* With attachments in base64. */
#define FORM_MAX ((size_t)3 << 30)
enum {
	CHUNK = 1 << 17,
	FLAG_READ = 0x1, /* of PidTagMessageFlags, [MS-OXCMSG] 2.2.1.6 */
	FLAG_UNSENT = 0x8,
	VERB_REPLY = 102, /* of PidTagLastVerbExecuted, [MS-OXOMSG] 2.2.1.28 */
	VERB_REPLY_ALL = 103,
	VERB_FORWARD = 104,
	FOLLOW_UP = 2, /* of PidTagFlagStatus, [MS-OXOFLAG] 2.2.1.1 */
};

void pf_mapi_form_init(struct pf_mapi_form *f)
{
	*f = (struct pf_mapi_form){.left = {NULL, 0}};
	pf_arena_init(&f->arena);
	pf_buf_init(&f->bytes, FORM_MAX);
	pf_buf_init(&f->raw, FORM_MAX);
}

void pf_mapi_form_deinit(struct pf_mapi_form *f)
{
	pf_arena_deinit(&f->arena);
	pf_buf_deinit(&f->bytes);
	pf_buf_deinit(&f->raw);
}

void pf_mapi_form_reset(struct pf_mapi_form *f)
{
	pf_mapi_form_deinit(f);
	pf_mapi_form_init(f);
}

int pf_mapi_form_key(
	const char *form, struct pf_span bytes, char out[PF_MAPI_KEY_MAX], struct pf_err *err)
{
	struct pf_hash *h = pf_hash_new();
	char hex[2 * PF_DIGEST_BYTES + 1];
	struct pf_digest digest;

	if (!h) {
		return pf_fail_memory(err, "a digest");
	}
	pf_hash_add(h, bytes);
	pf_hash_take(h, &digest);
	pf_hash_free(&h);
	pf_digest_hex(&digest, hex);
	(void)snprintf(out, PF_MAPI_KEY_MAX, "%.12s:%s", form, hex);
	return PF_OK;
}

static bool resolve(void *ctx, struct pf_span type, struct pf_span address, struct pf_span *smtp)
{
	const struct pf_addresses *known = ctx;

	return known->find(known, type, address, smtp);
}

void pf_mapi_form_ways(const struct pf_store_cfg *cfg, struct pf_mapi_ways *ways)
{
	ways->resolve = cfg->addresses ? resolve : NULL;
	ways->ctx = (void *)(uintptr_t)cfg->addresses;
}

int pf_mapi_form_make(struct pf_mapi_form *f, const struct pf_store_cfg *cfg,
	const struct pf_mapi_item *item, struct pf_span key, struct pf_span header,
	struct pf_err *err)
{
	struct pf_mapi_ways ways = {.key = key, .header = header};
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;

	pf_mapi_form_ways(cfg, &ways);
	pf_mapi_form_reset(f);
	pf_mapi_losses_init(&losses, item->arena);
	if (item->missing.n > 0) {
		pf_mapi_odd(&losses, "%.*s", (int)item->missing.n, (const char *)item->missing.p);
	}
	if (pf_mapi_open(item, &ways, &losses, &opened, &f->bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	f->kind = opened.kind;
	return pf_mapi_fates(&losses, &f->arena, &f->fates, err);
}

int pf_mapi_form_keep(struct pf_mapi_form *f, const struct pf_store_cfg *cfg,
	const struct pf_mapi_item *item, struct pf_span file, const char *ending,
	struct pf_err *err)
{
	if (!cfg->keep_raw) {
		return PF_OK;
	}
	f->raw_ending = file.p ? ending : ".tnef";
	return file.p ? pf_buf_add(&f->raw, file, err) : pf_tnef_write(item, &f->raw, err);
}

void pf_mapi_form_tell(const struct pf_mapi_form *f, struct pf_store_event *out)
{
	out->fates = &f->fates;
	out->raw = pf_buf_span(&f->raw);
	out->raw_ending = f->raw_ending;
}

/* A message's header section; all of anything else. */
static size_t header_length(struct pf_span bytes)
{
	const uint8_t *end = bytes.n > 0 ? memmem(bytes.p, bytes.n, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - bytes.p) + 4 : bytes.n;
}

int pf_mapi_form_give(struct pf_mapi_form *f, struct pf_serial *s, const struct pf_op *op,
	struct pf_store_event *out, struct pf_err *err)
{
	size_t total =
		op->get.part == PF_PART_HEADER ? header_length(pf_buf_span(&f->bytes)) : f->bytes.n;
	bool first = s->given == 0;
	int rc;

	f->left = pf_span(f->bytes.p, total);
	rc = pf_serial_give(s, op, total, out, err);
	if (rc == PF_OK && first && op->get.part == PF_PART_WHOLE &&
		(out->kind == PF_STORE_BODY || out->kind == PF_STORE_CHUNK)) {
		pf_mapi_form_tell(f, out);
	}
	return rc;
}

void pf_mapi_form_read(
	const struct pf_mapi_form *f, const struct pf_serial *s, struct pf_span *part)
{
	struct pf_span rest = pf_span_from(f->left, (size_t)s->given);

	*part = pf_span(rest.p, rest.n < CHUNK ? rest.n : CHUNK);
}

struct pf_store_facts pf_mapi_form_facts(const char *server)
{
	return (struct pf_store_facts){
		.caps = PF_CAP_VERSIONS | PF_CAP_LASTING_IDS | PF_CAP_MIXED | PF_CAP_INBOX_CHILDREN,
		.kinds = PF_MAPI_KINDS,
		.quota_free_bytes = UINT64_MAX,
		.forbidden = "",
		.server = server,
		.uid_scope = PF_UID_ANYWHERE,
		.connections = 1,
	};
}

/* ---- listing ---- */

int64_t pf_mapi_date(const struct pf_mapi_props *props)
{
	static const uint16_t TAGS[] = {
		PF_TAG_MESSAGE_DELIVERY_TIME, PF_TAG_CLIENT_SUBMIT_TIME, PF_TAG_CREATION_TIME};
	int64_t unix_s;

	for (size_t i = 0; i < PF_COUNT(TAGS); i++) {
		if (pf_mapi_unix(pf_mapi_tag(props, TAGS[i]), &unix_s)) {
			return unix_s;
		}
	}
	return PF_DATE_NONE;
}

int pf_mapi_flags(const struct pf_mapi_props *props, struct pf_buf *words, struct pf_flags *out,
	struct pf_err *err)
{
	int64_t v = 0;

	*out = (struct pf_flags){0};
	pf_buf_clear(words);
	if (pf_mapi_number(pf_mapi_tag(props, PF_TAG_MESSAGE_FLAGS), &v)) {
		out->sys |= v & FLAG_READ ? PF_FLAG_SEEN : 0;
		out->sys |= v & FLAG_UNSENT ? PF_FLAG_DRAFT : 0;
	}
	if (pf_mapi_number(pf_mapi_tag(props, PF_TAG_FLAG_STATUS), &v) && v == FOLLOW_UP) {
		out->sys |= PF_FLAG_FLAGGED;
	}
	if (pf_mapi_number(pf_mapi_tag(props, PF_TAG_LAST_VERB_EXECUTED), &v)) {
		out->sys |= v == VERB_REPLY || v == VERB_REPLY_ALL ? PF_FLAG_ANSWERED : 0;
		if (v == VERB_FORWARD &&
			pf_keywords_add(words, pf_span_str("$Forwarded"), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	out->kw = pf_buf_span(words);
	return PF_OK;
}
