#include "convert/mapi_open.h"
#include "model/mapi_tags.h"
#include "stores/pst/pst_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MATCH_ANY = LIBPFF_ENTRY_VALUE_FLAG_MATCH_ANY_VALUE_TYPE |
		    LIBPFF_ENTRY_VALUE_FLAG_IGNORE_NAME_TO_ID_MAP,
	FEW = 6,
};

struct ps_few {
	struct pf_mapi_prop v[FEW];
	struct pf_mapi_props props;
};

bool ps_value(libpff_item_t *item, uint32_t tag, uint8_t *out, size_t size, size_t *n, bool *text16)
{
	libpff_record_set_t *set = NULL;
	libpff_record_entry_t *e = NULL;
	uint32_t type = 0;
	bool got;

	if (libpff_item_get_record_set_by_index(item, 0, &set, NULL) != 1) {
		return false;
	}
	*n = 0;
	got = libpff_record_set_get_entry_by_type(set, tag, 0, &e, MATCH_ANY, NULL) == 1 &&
	      libpff_record_entry_get_data_size(e, n, NULL) == 1 && *n > 0 && *n <= size &&
	      libpff_record_entry_get_data(e, out, *n, NULL) == 1 &&
	      libpff_record_entry_get_value_type(e, &type, NULL) == 1;
	if (text16) {
		*text16 = type == PF_MAPI_STRING;
	}
	if (e) {
		(void)libpff_record_entry_free(&e, NULL);
	}
	(void)libpff_record_set_free(&set, NULL);
	return got;
}

void ps_class(libpff_item_t *item, uint32_t tag, char out[PS_CLASS_MAX])
{
	uint8_t raw[2 * PS_CLASS_MAX];
	size_t n = 0, used = 0;
	bool wide = false;

	if (!ps_value(item, tag, raw, sizeof(raw), &n, &wide)) {
		n = 0;
	}
	for (size_t i = 0; i < n && used < PS_CLASS_MAX - 1; i += wide ? 2 : 1) {
		out[used++] = (char)raw[i];
	}
	out[used] = '\0';
}

bool ps_number(libpff_item_t *item, uint32_t tag, uint64_t *out)
{
	uint8_t raw[8];
	size_t n = 0;

	if (!ps_value(item, tag, raw, sizeof(raw), &n, NULL)) {
		return false;
	}
	*out = 0;
	while (n > 0) {
		*out = *out << 8 | raw[--n];
	}
	return true;
}

enum pf_kind ps_kind_of(libpff_item_t *item)
{
	char class[PS_CLASS_MAX];

	ps_class(item, PF_TAG_MESSAGE_CLASS, class);
	return pf_mapi_kind(pf_span_str(class));
}

/* ---- LIST ---- */

/* The values that tell date and flags, without reading all of an item. */
static void few_of(libpff_item_t *item, struct ps_few *few)
{
	static const struct {
		uint16_t tag;
		enum pf_mapi_type type;
	} TAGS[] = {{PF_TAG_MESSAGE_DELIVERY_TIME, PF_MAPI_TIME},
		{PF_TAG_CLIENT_SUBMIT_TIME, PF_MAPI_TIME}, {PF_TAG_CREATION_TIME, PF_MAPI_TIME},
		{PF_TAG_MESSAGE_FLAGS, PF_MAPI_I32}, {PF_TAG_FLAG_STATUS, PF_MAPI_I32},
		{PF_TAG_LAST_VERB_EXECUTED, PF_MAPI_I32}};

	few->props = (struct pf_mapi_props){.v = few->v};
	for (size_t i = 0; i < PF_COUNT(TAGS); i++) {
		struct pf_mapi_prop *p = &few->v[few->props.n];
		uint64_t v = 0;

		if (!ps_number(item, TAGS[i].tag, &v)) {
			continue;
		}
		*p = (struct pf_mapi_prop){.id = TAGS[i].tag, .value = {.type = TAGS[i].type}};
		if (TAGS[i].type == PF_MAPI_TIME) {
			p->value.filetime = v;
		} else {
			p->value.number = (int32_t)v;
		}
		few->props.n++;
	}
}

/* The id of what is listed at `list_i` - 1: `node` where it could be opened, else 0. */
static struct pf_span listed_id(struct ps_store *s, uint32_t folder, uint32_t node)
{
	if (folder == PS_FOUND_NODE) {
		ps_found_id(&s->found[s->list_i - 1], s->id_out);
	} else if (node != 0) {
		(void)snprintf(s->id_out, sizeof(s->id_out), "%" PRIu32, node);
	} else {
		(void)snprintf(
			s->id_out, sizeof(s->id_out), "%" PRIu32 ".%d", folder, s->list_i - 1);
	}
	return pf_span_str(s->id_out);
}

static int give_item(struct ps_store *s, const struct pf_op *op, struct pf_span id,
	libpff_item_t *item, struct pf_store_event *out, struct pf_err *err)
{
	struct ps_few few;
	uint64_t size = 0, changed = 0;

	few_of(item, &few);
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
	out->item.id = id;
	(void)ps_number(item, PF_TAG_MESSAGE_SIZE, &size);
	out->item.size = size;
	out->item.date_utc_s = pf_mapi_date(&few.props);
	if (ps_kind_of(item) != PF_KIND_MAIL) {
		(void)ps_number(item, PF_TAG_LAST_MODIFICATION_TIME, &changed);
		(void)snprintf(s->version_out, sizeof(s->version_out), "%" PRIu64, changed);
		out->item.version = pf_span_str(s->version_out);
		return PF_OK;
	}
	return pf_mapi_flags(&few.props, &s->words, &out->item.flags, err);
}

/* One that can't be opened is counted with the kind of its folder. */
static void give_broken(const struct pf_op *op, struct pf_span id, struct pf_store_event *out)
{
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = op->id};
	out->item.id = id;
	out->item.date_utc_s = PF_DATE_NONE;
	out->item.version = pf_span_str("0");
}

static bool is_own_kind(struct ps_store *s, uint32_t node, enum pf_kind kind)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (s->folders[i].node == node) {
			return s->folders[i].kind == kind;
		}
	}
	return kind == PF_KIND_MAIL;
}

/* The folder of what was deleted; where it was not looked for wholly, the LIST fails at its end. */
static int count_found(struct ps_store *s, struct pf_err *err)
{
	if (ps_find(s, err) != PF_OK) {
		return PF_FAIL;
	}
	s->list_n = (int)s->found_n; /* libpff's count, at most */
	return PF_OK;
}

static int count_items(struct ps_store *s, uint32_t node, struct pf_err *err)
{
	libpff_error_t *why = NULL;

	if (libpff_file_get_item_by_identifier(s->file, node, &s->listed, &why) != 1) {
		return ps_fail(err, PF_SCOPE_FOLDER, &why, "the folder can't be opened");
	}
	if (libpff_folder_get_number_of_sub_messages(s->listed, &s->list_n, &why) != 1) {
		return ps_fail(err, PF_SCOPE_FOLDER, &why, "the items of the folder");
	}
	return PF_OK;
}

static int begin_list(struct ps_store *s, const struct pf_op *op, uint32_t node,
	struct pf_store_event *out, struct pf_err *err)
{
	int rc = node == PS_FOUND_NODE ? count_found(s, err) : count_items(s, node, err);

	if (rc != PF_OK) {
		return rc;
	}
	s->list_i = 0;
	s->folder_out = (struct pf_folder){.id = op->folder, .has_state = true};
	s->folder_out.state.count = (uint64_t)s->list_n;
	*out = (struct pf_store_event){
		.kind = PF_STORE_STATE, .op = op->id, .folder = &s->folder_out};
	return PF_OK;
}

/* What libpff says: 1 is good. */
static int open_next(struct ps_store *s, uint32_t folder, libpff_item_t **out)
{
	int i = s->list_i++;

	return folder == PS_FOUND_NODE ? ps_found_open(s, &s->found[i], out, NULL)
				       : libpff_folder_get_sub_message(s->listed, i, out, NULL);
}

static uint32_t node_of(libpff_item_t *item)
{
	uint32_t node = 0;

	(void)libpff_item_get_identifier(item, &node, NULL); /* was opened by it */
	return node;
}

int ps_step_list(
	struct ps_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	enum pf_kind kind = PF_KIND_MAIL;
	uint32_t node = 0;

	if (!ps_folder_of(op->folder, &node, &kind)) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "there is no such folder");
	}
	if (!s->base.begun) {
		s->base.begun = true;
		return begin_list(s, op, node, out, err);
	}
	while (s->list_i < s->list_n) {
		libpff_item_t *item = NULL;
		int rc = PF_AGAIN;

		if (open_next(s, node, &item) != 1) {
			if (is_own_kind(s, node, kind)) {
				give_broken(op, listed_id(s, node, 0), out);
				return PF_OK;
			}
			continue;
		}
		if (ps_kind_of(item) == kind) {
			rc = give_item(s, op, listed_id(s, node, node_of(item)), item, out, err);
		}
		(void)libpff_item_free(&item, NULL);
		if (rc != PF_AGAIN) {
			return rc;
		}
	}
	if (node == PS_FOUND_NODE && kind == PF_KIND_MAIL && s->found_broken) {
		*err = s->found_why;
		return PF_FAIL;
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}

/* ---- GET ---- */

static int open_found(
	struct ps_store *s, struct pf_span id, libpff_item_t **out, struct pf_err *err)
{
	const struct ps_found *found;
	libpff_error_t *why = NULL;

	if (ps_find(s, err) != PF_OK) {
		return PF_FAIL;
	}
	found = ps_found_of(s, id);
	if (!found) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the deleted item is no longer in the file");
	}
	return ps_found_open(s, found, out, &why) == 1
		       ? PF_OK
		       : ps_fail(err, PF_SCOPE_ITEM, &why, "the deleted item can't be opened");
}

/* The item that an id means: a node, or a place in a folder, or one that was deleted. */
static int open_item(struct ps_store *s, struct pf_span id, libpff_item_t **out, struct pf_err *err)
{
	libpff_error_t *why = NULL;
	libpff_item_t *folder = NULL;
	char text[PS_ID_MAX] = "", *end = text;
	uint32_t node;
	int rc;

	if (ps_is_found(id)) {
		return open_found(s, id, out, err);
	}
	if (id.n < sizeof(text)) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)id.n, (const char *)id.p);
	}
	node = (uint32_t)strtoul(text, &end, 10);
	if (*end != '.') {
		return libpff_file_get_item_by_identifier(s->file, node, out, &why) == 1
			       ? PF_OK
			       : ps_fail(err, PF_SCOPE_ITEM, &why, "the item can't be opened");
	}
	if (libpff_file_get_item_by_identifier(s->file, node, &folder, &why) != 1) {
		return ps_fail(err, PF_SCOPE_ITEM, &why, "the item's folder can't be opened");
	}
	rc = libpff_folder_get_sub_message(folder, (int)strtol(end + 1, NULL, 10), out, &why) == 1
		     ? PF_OK
		     : ps_fail(err, PF_SCOPE_ITEM, &why,
			       "the item can't be opened: the file is damaged there");
	(void)libpff_item_free(&folder, NULL);
	return rc;
}

/* What stays the same from run to run, even when the file gets another name: its store's key, and
 * the item's id. */
static void key_of(const struct ps_store *s, struct pf_span id, char out[PS_KEY_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(s->record_key); i++) {
		n += (size_t)snprintf(out + n, PS_KEY_MAX - n, "%02x", s->record_key[i]);
	}
	(void)snprintf(out + n, PS_KEY_MAX - n, ":%.*s", (int)id.n, (const char *)id.p);
}

static int convert(
	struct ps_store *s, const struct pf_op *op, struct pf_arena *arena, struct pf_err *err)
{
	struct pf_mapi_item *item = NULL;
	libpff_item_t *from = NULL;
	char key[PS_KEY_MAX];
	int rc;

	if (open_item(s, op->item, &from, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = ps_read(s, from, ps_is_found(op->item), arena, &item, err);
	(void)libpff_item_free(&from, NULL);
	if (rc != PF_OK) {
		return rc;
	}
	key_of(s, op->item, key);
	rc = pf_mapi_form_make(
		&s->form, s->base.cfg, item, pf_span_str(key), pf_span(NULL, 0), err);
	return rc == PF_OK
		       ? pf_mapi_form_keep(&s->form, s->base.cfg, item, pf_span(NULL, 0), NULL, err)
		       : rc;
}

int ps_step_get(
	struct ps_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_arena arena;
	int rc;

	if (!s->base.begun) {
		s->base.begun = true;
		pf_arena_init(&arena);
		rc = convert(s, op, &arena, err);
		pf_arena_deinit(&arena);
		if (rc != PF_OK) {
			return rc;
		}
	}
	return pf_mapi_form_give(&s->form, &s->base, op, out, err);
}
