/*
 * Items that were deleted and that the file still holds: those that libpff finds in its free space,
 * and those whose folder is gone. Both are looked for once, as that reads all of the file.
 */
#include "base/digest.h"
#include "model/mapi_tags.h"
#include "stores/pst/pst_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FOUND_MAX = 1 << 24,
	NODE_TYPE = 0x1F,   /* the bits of a node that tell what it is, [MS-PST] 2.2.2.1 */
	NODE_MESSAGE = 0x4, /* NID_TYPE_NORMAL_MESSAGE */
	VALUE_MAX = 300,
};

/* What tells two states of one item apart. */
static const uint16_t STATE_TAGS[] = {PF_TAG_SEARCH_KEY, PF_TAG_LAST_MODIFICATION_TIME,
	PF_TAG_CREATION_TIME, PF_TAG_MESSAGE_SIZE};

typedef int (*count_fn)(libpff_file_t *file, int *n, libpff_error_t **why);
typedef int (*open_fn)(libpff_file_t *file, int i, libpff_item_t **out, libpff_error_t **why);

static const struct {
	const char *name; /* in ids */
	count_fn count;
	open_fn open;
} LISTS[] = {
	{"recovered", libpff_file_get_number_of_recovered_items,
		libpff_file_get_recovered_item_by_index},
	{"orphan", libpff_file_get_number_of_orphan_items, libpff_file_get_orphan_item_by_index},
};

static struct ps_found *add(struct ps_store *s)
{
	if (s->found_n == s->found_cap) {
		size_t cap = s->found_cap ? 2 * s->found_cap : 64;
		struct ps_found *grown =
			cap <= FOUND_MAX ? realloc(s->found, cap * sizeof(*grown)) : NULL;

		if (!grown) {
			return NULL;
		}
		s->found = grown;
		s->found_cap = cap;
	}
	return &s->found[s->found_n++];
}

static uint32_t state_of(struct pf_hash *h, libpff_item_t *item)
{
	struct pf_digest digest;
	uint8_t value[VALUE_MAX];
	size_t n = 0;

	for (size_t i = 0; i < PF_COUNT(STATE_TAGS); i++) {
		if (ps_value(item, STATE_TAGS[i], value, sizeof(value), &n, NULL)) {
			pf_hash_add(h, pf_span(value, n));
		}
	}
	pf_hash_take(h, &digest);
	return digest.b[0] | (uint32_t)digest.b[1] << 8 | (uint32_t)digest.b[2] << 16 |
	       (uint32_t)digest.b[3] << 24;
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_state(const struct ps_found *a, const struct ps_found *b)
{
	int by = order(a->list, b->list);

	by = by != 0 ? by : order(a->node, b->node);
	return by != 0 ? by : order(a->state, b->state);
}

static int by_place(const void *a, const void *b)
{
	const struct ps_found *x = a, *y = b;
	int by = by_state(x, y);

	return by != 0 ? by : order((uint64_t)x->place, (uint64_t)y->place);
}

static int by_id(const void *a, const void *b)
{
	const struct ps_found *x = a, *y = b;
	int by = by_state(x, y);

	return by != 0 ? by : order(x->nth, y->nth);
}

/* In the order of their ids; those of one node and state are told apart by their number. */
static void sort(struct ps_store *s)
{
	if (s->found_n > 0) {
		qsort(s->found, s->found_n, sizeof(*s->found), by_place);
	}
	for (size_t i = 1; i < s->found_n; i++) {
		if (by_state(&s->found[i - 1], &s->found[i]) == 0) {
			s->found[i].nth = s->found[i - 1].nth + 1;
		}
	}
}

/* A message of a folder, not a folder, a table or a setting; and none of those that Outlook keeps
 * for itself, which are in no folder that people see. */
static bool is_wanted(libpff_item_t *item, uint32_t node)
{
	char class[PS_CLASS_MAX];

	if ((node & NODE_TYPE) != NODE_MESSAGE) {
		return false;
	}
	ps_class(item, PF_TAG_MESSAGE_CLASS, class);
	return !pf_mapi_is_a(pf_span_str(class), "IPM.Microsoft.ScheduleData.FreeBusy");
}

static int look_at(
	struct ps_store *s, struct pf_hash *h, size_t list, int place, struct pf_err *err)
{
	libpff_item_t *item = NULL;
	uint32_t node = 0;
	int rc = PF_OK;

	if (LISTS[list].open(s->file, place, &item, NULL) != 1) {
		return PF_OK; /* it is not known what it was: most of these are no items */
	}
	if (libpff_item_get_identifier(item, &node, NULL) == 1 && is_wanted(item, node)) {
		struct ps_found *f = add(s);

		if (f) {
			*f = (struct ps_found){.node = node, .list = (uint8_t)list, .place = place};
			f->state = state_of(h, item);
		} else {
			rc = pf_fail_memory(err, "a list of recovered items");
		}
	}
	(void)libpff_item_free(&item, NULL);
	return rc;
}

int ps_find(struct ps_store *s, struct pf_err *err)
{
	libpff_error_t *why = NULL;
	struct pf_hash *h;
	int rc = PF_OK;

	if (s->sought) {
		return PF_OK;
	}
	s->sought = true;
	if (libpff_file_recover_items(s->file, 0, &why) != 1) {
		s->found_broken = true;
		(void)ps_fail(&s->found_why, PF_SCOPE_FOLDER, &why,
			"deleted items can't be looked for in this file");
	}
	h = pf_hash_new();
	if (!h) {
		return pf_fail_memory(err, "a digest");
	}
	for (size_t list = 0; list < PF_COUNT(LISTS) && rc == PF_OK; list++) {
		int n = 0;

		if (LISTS[list].count(s->file, &n, NULL) != 1) {
			n = 0;
		}
		for (int i = 0; i < n && rc == PF_OK; i++) {
			rc = look_at(s, h, list, i, err);
		}
	}
	pf_hash_free(&h);
	sort(s);
	return rc;
}

int ps_found_open(
	struct ps_store *s, const struct ps_found *f, libpff_item_t **out, libpff_error_t **why)
{
	return LISTS[f->list].open(s->file, f->place, out, why);
}

void ps_found_id(const struct ps_found *f, char out[PS_ID_MAX])
{
	(void)snprintf(out, PS_ID_MAX, "%s.%" PRIu32 ".%08" PRIx32 ".%" PRIu32, LISTS[f->list].name,
		f->node, f->state, f->nth);
}

/* Of the list that an id is of; PF_COUNT(LISTS): of none. */
static size_t list_of(struct pf_span id)
{
	size_t list = 0;

	while (list < PF_COUNT(LISTS) && !pf_span_starts(id, LISTS[list].name)) {
		list++;
	}
	return list;
}

bool ps_is_found(struct pf_span id)
{
	return list_of(id) < PF_COUNT(LISTS);
}

const struct ps_found *ps_found_of(const struct ps_store *s, struct pf_span id)
{
	struct ps_found one = {.list = (uint8_t)list_of(id)};
	char text[PS_ID_MAX] = "", *end;

	if (id.n < sizeof(text)) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)id.n, (const char *)id.p);
	}
	end = strchr(text, '.');
	if (end) {
		one.node = (uint32_t)strtoul(end + 1, &end, 10);
		one.state = (uint32_t)strtoul(*end ? end + 1 : end, &end, 16);
		one.nth = (uint32_t)strtoul(*end ? end + 1 : end, &end, 10);
	}
	return s->found_n > 0 ? bsearch(&one, s->found, s->found_n, sizeof(one), by_id) : NULL;
}

void ps_found_free(struct ps_store *s)
{
	free(s->found);
	s->found = NULL;
	s->found_n = 0;
	s->found_cap = 0;
}
