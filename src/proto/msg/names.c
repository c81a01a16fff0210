/*
 * What named properties are called ([MS-OXMSG] 2.2.3): three streams, of GUIDs, of texts, and of
 * entries of eight bytes that point into these.
 */
#include "proto/msg/msg_private.h"

enum {
	ENTRY = 8,
	GUID_MAPI = 1,
	GUID_STRINGS = 2,
	GUID_FIRST = 3,
	NAMES_MAX = 0x8000,
};

struct streams {
	struct pf_span guids, entries, texts;
};

static int read_stream(struct pf_cfb *c, const struct pf_cfb_entry *dir, const char *name,
	struct pf_span *out, struct pf_err *err)
{
	const struct pf_cfb_entry *stream = pf_cfb_find(dir, name);

	*out = pf_span("", 0);
	return stream ? pf_cfb_read(c, stream, out, err) : PF_OK;
}

static bool guid_of(const struct streams *s, unsigned index, struct pf_guid *out)
{
	if (index == GUID_MAPI) {
		*out = pf_set_mapi;
	} else if (index == GUID_STRINGS) {
		*out = pf_set_strings;
	} else if (index >= GUID_FIRST && index - GUID_FIRST < s->guids.n / sizeof(out->b)) {
		memcpy(out->b, s->guids.p + (index - GUID_FIRST) * sizeof(out->b), sizeof(out->b));
	} else {
		return false;
	}
	return true;
}

/* A text: its length in bytes, then UTF-16. False where there is none at `at`. */
static bool text_at(const struct streams *s, uint32_t at, struct pf_span *utf16)
{
	struct pf_span rest = pf_span_from(s->texts, at);
	uint32_t n;

	return pf_take_le32(&rest, &n) && pf_take(&rest, n, utf16);
}

/* NULL: no memory, or (PF_OK) an entry that leads nowhere. */
static int read_name(const struct streams *s, const uint8_t *entry, struct pf_arena *arena,
	struct pf_mapi_name **out, struct pf_err *err)
{
	struct pf_mapi_name *name = pf_arena_alloc(arena, sizeof(*name));
	unsigned guid_and_kind = pf_le16(entry + 4);
	struct pf_span utf16;

	*out = NULL;
	if (!name) {
		return pf_fail_memory(err, "names of properties");
	}
	if (!guid_of(s, guid_and_kind >> 1, &name->set)) {
		return PF_OK;
	}
	if (!(guid_and_kind & 1)) {
		name->number = pf_le32(entry);
	} else if (!text_at(s, pf_le32(entry), &utf16)) {
		return PF_OK;
	} else if (pf_mapi_utf16(arena, utf16, &name->text, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = name;
	return PF_OK;
}

static int read_names(const struct streams *s, struct pf_arena *arena, struct pf_mapi_notes *notes,
	struct msg_names *out, struct pf_err *err)
{
	size_t entries = s->entries.n / ENTRY, budget = 16 * s->texts.n, broken = 0;

	for (size_t i = 0; i < entries && i < NAMES_MAX; i++) {
		const uint8_t *entry = s->entries.p + i * ENTRY;
		size_t index = pf_le16(entry + 6);
		struct pf_mapi_name *name;

		if (read_name(s, entry, arena, &name, err) != PF_OK) {
			return PF_FAIL;
		}
		broken += !name || index >= out->n;
		if (name && name->text.p) {
			/* Some may share a text, but not all of them a long one. */
			if (name->text.n > budget) {
				pf_mapi_note(notes, 0, "names of properties overlap");
				return PF_OK;
			}
			budget -= name->text.n;
		}
		if (index < out->n && !out->v[index]) {
			out->v[index] = name;
		}
	}
	if (broken > 0) {
		pf_mapi_note(notes, 0, "%zu names of properties lead nowhere", broken);
	}
	return PF_OK;
}

int msg_names_read(struct pf_cfb *c, struct pf_arena *arena, struct pf_mapi_notes *notes,
	struct msg_names *out, struct pf_err *err)
{
	const struct pf_cfb_entry *dir = pf_cfb_find(pf_cfb_root(c), "__nameid_version1.0");
	struct streams s;

	*out = (struct msg_names){0};
	if (!dir) {
		return PF_OK;
	}
	if (read_stream(c, dir, "__substg1.0_00020102", &s.guids, err) != PF_OK ||
		read_stream(c, dir, "__substg1.0_00030102", &s.entries, err) != PF_OK ||
		read_stream(c, dir, "__substg1.0_00040102", &s.texts, err) != PF_OK) {
		return PF_FAIL;
	}
	out->n = s.entries.n / ENTRY < NAMES_MAX ? s.entries.n / ENTRY : NAMES_MAX;
	out->v = pf_arena_alloc(arena, (out->n + 1) * sizeof(struct pf_mapi_name *));
	if (!out->v) {
		return pf_fail_memory(err, "names of properties");
	}
	return read_names(&s, arena, notes, out, err);
}
