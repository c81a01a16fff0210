#include "base/utf8.h"
#include "model/mapi_tags.h"
#include "model/role.h"
#include "stores/pst/pst_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 100, NAME_MAX_BYTES = 2000, FOLDERS_MAX = 1 << 20, ENTRY_ID = 24 };
enum {
	TAG_SUBTREE = 0x35E0,     /* PidTagIpmSubTreeEntryId */
	TAG_WASTEBASKET = 0x35E3, /* PidTagIpmWastebasketEntryId */
	TAG_SENT = 0x35E4,        /* PidTagIpmSentMailEntryId */
};

#define FOUND_NAME "Recovered items"

static const enum pf_kind KINDS[] = {
	PF_KIND_MAIL, PF_KIND_CALENDAR, PF_KIND_CONTACTS, PF_KIND_TASKS, PF_KIND_NOTES};

/* ---- ids ---- */

void ps_folder_id(uint32_t node, enum pf_kind kind, char out[PS_ID_MAX])
{
	(void)snprintf(out, PS_ID_MAX, "%" PRIu32 ".%s", node, pf_kind_name(kind));
}

bool ps_folder_of(struct pf_span id, uint32_t *node, enum pf_kind *kind)
{
	char text[PS_ID_MAX], *end = text;

	if (id.n >= sizeof(text)) {
		return false;
	}
	(void)snprintf(text, sizeof(text), "%.*s", (int)id.n, (const char *)id.p);
	*node = (uint32_t)strtoul(text, &end, 10);
	if (end == text || *end != '.') {
		return false;
	}
	*kind = pf_kind_by_name(pf_span_str(end + 1));
	return *kind != 0;
}

/* ---- the tree ---- */

void ps_folders_free(struct ps_store *s)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		pf_path_deinit(&s->folders[i].path);
	}
	free(s->folders);
	s->folders = NULL;
	s->folder_n = 0;
	s->folder_cap = 0;
}

/* The node of a folder that the message store names; 0: it names none ([MS-PST] 2.4.3.2). */
static uint32_t named_by_store(struct ps_store *s, uint32_t tag)
{
	libpff_item_t *store = NULL;
	uint8_t p[ENTRY_ID];
	uint32_t node = 0;
	size_t n = 0;

	if (libpff_file_get_message_store(s->file, &store, NULL) != 1) {
		return 0;
	}
	if (ps_value(store, tag, p, sizeof(p), &n, NULL) && n == ENTRY_ID) {
		node = p[20] | (uint32_t)p[21] << 8 | (uint32_t)p[22] << 16 | (uint32_t)p[23] << 24;
	}
	(void)libpff_item_free(&store, NULL);
	return node;
}

/* By PidTagContainerClass ([MS-OXOSFLD] 2.2.3); what has another one, or none, holds mail. */
static enum pf_kind kind_of(libpff_item_t *folder)
{
	static const struct {
		const char *container;
		enum pf_kind kind;
	} CLASSES[] = {
		{"IPF.Appointment", PF_KIND_CALENDAR},
		{"IPF.Contact", PF_KIND_CONTACTS},
		{"IPF.Task", PF_KIND_TASKS},
		{"IPF.StickyNote", PF_KIND_NOTES},
		{"IPF.Journal", PF_KIND_NOTES},
	};
	char class[PS_CLASS_MAX];

	ps_class(folder, PF_TAG_CONTAINER_CLASS, class);
	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (pf_mapi_is_a(pf_span_str(class), CLASSES[i].container)) {
			return CLASSES[i].kind;
		}
	}
	return PF_KIND_MAIL;
}

static int add_name(
	struct pf_path *path, libpff_item_t *folder, uint32_t node, bool top, struct pf_err *err)
{
	uint8_t name[NAME_MAX_BYTES + 1] = {0};
	size_t n = 0;
	struct pf_span text;

	if (libpff_folder_get_utf8_name_size(folder, &n, NULL) != 1 || n > NAME_MAX_BYTES ||
		libpff_folder_get_utf8_name(folder, name, sizeof(name) - 1, NULL) != 1) {
		name[0] = '\0';
	}
	text = pf_span_str((const char *)name);
	if (text.n == 0 || !pf_utf8_valid(text)) { /* still a folder, with its items */
		(void)snprintf((char *)name, sizeof(name), "Folder %" PRIu32, node);
		text = pf_span_str((const char *)name);
	}
	return pf_path_add(
		path, top && pf_span_is(text, "Inbox") ? pf_span_str("INBOX") : text, err);
}

/* A folder of the tree, and all below it. */
static int walk(struct ps_store *s, libpff_item_t *folder, const struct pf_path *above,
	size_t depth, struct pf_err *err);

static int walk_children(struct ps_store *s, libpff_item_t *folder, const struct pf_path *path,
	size_t depth, struct pf_err *err)
{
	int n = 0, rc = PF_OK;

	if (libpff_folder_get_number_of_sub_folders(folder, &n, NULL) != 1) {
		return PF_OK;
	}
	for (int i = 0; i < n && rc == PF_OK; i++) {
		libpff_error_t *why = NULL;
		libpff_item_t *one = NULL;

		if (libpff_folder_get_sub_folder(folder, i, &one, &why) != 1) {
			return ps_fail(err, PF_SCOPE_STORE, &why,
				"a folder of the file can't be opened, it is damaged; repair it "
				"with scanpst and try again");
		}
		rc = walk(s, one, path, depth + 1, err);
		(void)libpff_item_free(&one, NULL);
	}
	return rc;
}

static struct ps_folder *new_folder(struct ps_store *s)
{
	if (s->folder_n == s->folder_cap) {
		size_t cap = s->folder_cap ? 2 * s->folder_cap : 64;
		struct ps_folder *grown =
			cap <= FOLDERS_MAX ? realloc(s->folders, cap * sizeof(*grown)) : NULL;

		if (!grown) {
			return NULL;
		}
		s->folders = grown;
		s->folder_cap = cap;
	}
	s->folders[s->folder_n] = (struct ps_folder){0};
	return &s->folders[s->folder_n++];
}

static int walk(struct ps_store *s, libpff_item_t *folder, const struct pf_path *above,
	size_t depth, struct pf_err *err)
{
	struct ps_folder *f = depth < DEPTH_MAX ? new_folder(s) : NULL;
	size_t at = s->folder_n - 1;
	struct pf_path path = {0};
	int rc;

	if (!f) {
		return pf_fail_memory(err, "a list of folders");
	}
	(void)libpff_item_get_identifier(folder, &f->node, NULL); /* 0 then: it can't be listed */
	f->kind = kind_of(folder);
	if (pf_path_copy(&f->path, above, err) != PF_OK ||
		add_name(&f->path, folder, f->node, above->n == 0, err) != PF_OK ||
		pf_path_copy(&path, &f->path, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = walk_children(s, folder, &path, depth, err);
	pf_path_deinit(&path);
	s->folders[at].role =
		pf_path_depth(&s->folders[at].path) == 1 &&
				strcmp(pf_path_leaf(&s->folders[at].path), "INBOX") == 0
			? PF_ROLE_INBOX
			: PF_ROLE_NONE;
	return rc;
}

/* Whether it is the folder that an OST file has at the top of what people see; it has one for
 * public folders as well, which is mostly empty. */
static bool is_subtree(libpff_item_t *folder)
{
	static const char NAME[] = "IPM_SUBTREE";
	uint8_t name[sizeof(NAME) + 1] = {0};
	size_t n = 0;
	int within = 0;

	return libpff_folder_get_number_of_sub_folders(folder, &within, NULL) == 1 && within > 0 &&
	       libpff_folder_get_utf8_name_size(folder, &n, NULL) == 1 && n <= sizeof(name) &&
	       libpff_folder_get_utf8_name(folder, name, sizeof(name), NULL) == 1 &&
	       strcmp((const char *)name, NAME) == 0;
}

/* That folder within `depth` levels below `from`; false: there is none. */
static bool find_subtree(libpff_item_t *from, int depth, libpff_item_t **out)
{
	int n = 0;

	if (libpff_folder_get_number_of_sub_folders(from, &n, NULL) != 1) {
		return false;
	}
	for (int i = 0; i < n; i++) {
		libpff_item_t *one = NULL;

		if (libpff_folder_get_sub_folder(from, i, &one, NULL) != 1) {
			continue;
		}
		if (is_subtree(one)) {
			*out = one;
			return true;
		}
		if (depth > 1 && find_subtree(one, depth - 1, out)) {
			(void)libpff_item_free(&one, NULL);
			return true;
		}
		(void)libpff_item_free(&one, NULL);
	}
	return false;
}

/* The tree that people see is below a folder that the message store names, or that has a name of
 * its own; where there is none, below the root. */
static int open_top(struct ps_store *s, libpff_item_t **out, struct pf_err *err)
{
	uint32_t top = named_by_store(s, TAG_SUBTREE);
	libpff_error_t *why = NULL;
	libpff_item_t *found = NULL;

	if (top != 0 && libpff_file_get_item_by_identifier(s->file, top, out, NULL) == 1) {
		return PF_OK;
	}
	if (libpff_file_get_root_folder(s->file, out, &why) != 1) {
		return ps_fail(err, PF_SCOPE_STORE, &why, "the file has no folders");
	}
	if (find_subtree(*out, 2, &found)) {
		(void)libpff_item_free(out, NULL);
		*out = found;
	}
	return PF_OK;
}

static bool is_taken(const struct ps_store *s, const char *name)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (pf_path_depth(&s->folders[i].path) == 1 &&
			pf_span_is(pf_span_str(pf_path_leaf(&s->folders[i].path)), name)) {
			return true;
		}
	}
	return false;
}

/* The folder of what was deleted, behind all others, where there is such. */
static int add_found(struct ps_store *s, struct pf_err *err)
{
	char name[40] = FOUND_NAME;
	struct ps_folder *f;

	if (ps_find(s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (s->found_n == 0 && !s->found_broken) {
		return PF_OK;
	}
	for (unsigned int n = 2; is_taken(s, name); n++) {
		(void)snprintf(name, sizeof(name), FOUND_NAME " %u", n);
	}
	f = new_folder(s);
	if (!f) {
		return pf_fail_memory(err, "a list of folders");
	}
	f->node = PS_FOUND_NODE;
	f->kind = PF_KIND_MAIL;
	return pf_path_add(&f->path, pf_span_str(name), err);
}

static int walk_all(struct ps_store *s, struct pf_err *err)
{
	const struct {
		uint32_t node;
		enum pf_role role;
	} named[] = {
		{named_by_store(s, TAG_WASTEBASKET), PF_ROLE_TRASH},
		{named_by_store(s, TAG_SENT), PF_ROLE_SENT},
	};
	const struct pf_path none = {0};
	libpff_item_t *folder = NULL;
	int rc;

	if (open_top(s, &folder, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = walk_children(s, folder, &none, 0, err);
	(void)libpff_item_free(&folder, NULL);
	if (rc == PF_OK && s->base.cfg->recovered) {
		rc = add_found(s, err);
	}
	for (size_t i = 0; i < s->folder_n; i++) {
		for (size_t j = 0; j < PF_COUNT(named); j++) {
			if (named[j].node != 0 && s->folders[i].node == named[j].node) {
				s->folders[i].role = named[j].role;
			}
		}
	}
	return rc;
}

/* ---- FOLDERS ---- */

static uint32_t kinds_found(struct ps_store *s)
{
	uint32_t kinds = s->found_broken ? PF_KIND_MAIL : 0;

	for (size_t i = 0; i < s->found_n; i++) {
		libpff_item_t *item = NULL;

		if (ps_found_open(s, &s->found[i], &item, NULL) != 1) {
			kinds |= PF_KIND_MAIL; /* it is told there that it can't be had */
			continue;
		}
		kinds |= (uint32_t)ps_kind_of(item);
		(void)libpff_item_free(&item, NULL);
	}
	return kinds;
}

/* What there is in a folder besides what its class says. */
static uint32_t kinds_within(struct ps_store *s, const struct ps_folder *f)
{
	uint32_t kinds = (uint32_t)f->kind;
	libpff_item_t *folder = NULL;
	int n = 0;

	if (f->node == PS_FOUND_NODE) {
		return kinds_found(s);
	}
	if (libpff_file_get_item_by_identifier(s->file, f->node, &folder, NULL) != 1) {
		return kinds;
	}
	if (libpff_folder_get_number_of_sub_messages(folder, &n, NULL) != 1) {
		n = 0;
	}
	for (int i = 0; i < n; i++) {
		libpff_item_t *item = NULL;

		if (libpff_folder_get_sub_message(folder, i, &item, NULL) == 1) {
			kinds |= (uint32_t)ps_kind_of(item);
			(void)libpff_item_free(&item, NULL);
		}
	}
	(void)libpff_item_free(&folder, NULL);
	return kinds;
}

static void give_folder(struct ps_store *s, const struct pf_op *op, const struct ps_folder *f,
	enum pf_kind kind, struct pf_store_event *out)
{
	bool mail = kind == PF_KIND_MAIL;
	enum pf_role guess = pf_role_by_name(pf_path_leaf(&f->path));

	ps_folder_id(f->node, kind, s->id_out);
	s->folder_out = (struct pf_folder){
		.id = pf_span_str(s->id_out),
		.path = f->path,
		.kind = kind,
		.role = !mail                     ? PF_ROLE_NONE
			: f->role != PF_ROLE_NONE ? f->role
						  : guess,
		.role_by_name = mail && f->role == PF_ROLE_NONE && guess != PF_ROLE_NONE,
		.selectable = true,
		.may_have_children = true,
	};
	*out = (struct pf_store_event){
		.kind = PF_STORE_FOLDER, .op = op->id, .folder = &s->folder_out};
}

int ps_step_folders(
	struct ps_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	const struct ps_folder *f;

	if (!s->base.begun) {
		s->base.begun = true;
		ps_folders_free(s);
		if (walk_all(s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (s->kinds_left == 0 && s->at < s->folder_n) {
		s->kinds_left = kinds_within(s, &s->folders[s->at++]);
	}
	f = s->at > 0 ? &s->folders[s->at - 1] : NULL;
	for (size_t i = 0; f && i < PF_COUNT(KINDS); i++) {
		if (s->kinds_left & KINDS[i]) {
			s->kinds_left &= ~(uint32_t)KINDS[i];
			give_folder(s, op, f, KINDS[i], out);
			return PF_OK;
		}
	}
	pf_serial_end(&s->base, out, NULL);
	return PF_OK;
}
