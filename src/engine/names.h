/*
 * Where each folder of the source goes, decided before the first write: a pure function of two
 * folder lists, the target's facts, the rules and what an earlier pass decided.
 *
 * - INBOX goes to INBOX; a folder with a role to the target's folder of that role, when there is
 * one and no other folder of the source has a better claim to it; a --map rule goes before both.
 * - What the target can't have in a name is replaced: forbidden characters by '_', blanks at either
 * end cut, over-long segments and paths shortened; too deep ones, and those whose parents leave no
 * room, are put under their nearest possible parent.
 * - A folder that the target has is another one where it holds none of the kinds.
 * - No two folders become one: the later one gets " (2)", " (3)", ... behind its name.
 */
#ifndef PF_ENGINE_NAMES_H
#define PF_ENGINE_NAMES_H

#include "engine/rules.h"
#include "stores/store.h"

struct pf_name_in { /* a folder of the source */
	const struct pf_path *path;
	enum pf_role role;
	bool role_by_name;
	const struct pf_path *before; /* where an earlier pass put it; NULL = nowhere */
	uint32_t kinds;               /* of enum pf_kind: what it may hold; 0 = not told */
};

struct pf_name_out {
	struct pf_path to; /* owned */
	size_t existing;   /* index of the target's folder; SIZE_MAX: to be made */
	char note[160];    /* why it is not the name at the source; "" = it is */
};

struct pf_name_target { /* a folder that the target has */
	const struct pf_path *path;
	enum pf_role role;
	bool role_by_name;
	bool selectable;
	uint32_t kinds; /* as above */
};

struct pf_names_cfg {
	const struct pf_rules *rules;
	const struct pf_store_facts *facts;
	const struct pf_name_target *targets;
	size_t target_count;
};

/*
 * Fill out[i] for in[i]. The order of `in` decides who keeps a name when two want it. PF_FAIL: no
 * memory; `out` is to be freed all the same.
 */
PF_MUST_CHECK int pf_names_plan(const struct pf_names_cfg *cfg, const struct pf_name_in *in,
	size_t count, struct pf_name_out *out, struct pf_err *err);
void pf_names_free(struct pf_name_out *out, size_t count);

/*
 * Another name for a folder whose name the target refused, by its first name's leaf: made plainer
 * with the first try (ASCII letters, digits, blanks only), then with a word and a number behind it.
 * false: no more ideas.
 */
bool pf_names_next(struct pf_path *path, const char *leaf, unsigned int attempt);
/* The leaf with a number behind it: "Sent (2)" for attempt 2. */
bool pf_names_number(struct pf_path *path, const char *leaf, unsigned int attempt);

/* Whether some server takes the two for one name: they differ only in case, or in the form of
 * their characters. */
bool pf_names_alike(const struct pf_path *a, const struct pf_path *b);

/* Names that are in use. Alike ones count as one. */
struct pf_names_taken {
	char **names;
	size_t count, cap;
};

/* *was_taken: by this or one that is alike; else it is from now on. */
PF_MUST_CHECK int pf_names_take(
	struct pf_names_taken *t, const struct pf_path *path, bool *was_taken, struct pf_err *err);
void pf_names_taken_free(struct pf_names_taken *t);

#endif
