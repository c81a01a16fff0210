/*
 * What to take and where it goes: the administrator's rules.
 */
#ifndef PF_ENGINE_RULES_H
#define PF_ENGINE_RULES_H

#include "model/item.h"

struct pf_map_rule {
	struct pf_path from, to; /* the folder `from` and all below it go to `to` */
};

/* Of a source whose folders are labels, so that an item may be in several. */
enum pf_labels_rule {
	PF_LABELS_EACH,  /* it is taken in each; the view of all gives only what is in no other */
	PF_LABELS_FIRST, /* it is taken once, in the first by the order of paths */
	PF_LABELS_VIEWS, /* all folders are taken as they are shown, views as well */
};

struct pf_rules {
	uint32_t kinds;             /* of enum pf_kind; 0 = all */
	const char *const *include; /* globs over shown paths; none = all. '*' also matches '/' */
	size_t includes;
	const char *const *exclude;
	size_t excludes;
	const struct pf_map_rule *map; /* the longest matching `from` wins */
	size_t maps;
	int64_t since_utc_s, before_utc_s; /* by the item's date; PF_DATE_NONE = open */
	uint64_t max_size;                 /* bytes; 0 = any */
	const char *const *skip_subjects; /* exact subjects, decoded; of DESIGN's --skip-subjects */
	size_t skip_subject_count;
	bool singles; /* series that the target does not say are given as single events */
	bool merge;   /* equal calendar items or contacts of one UID become one */
	bool shared;  /* other users' and public folders, too */
	enum pf_labels_rule labels;
};

/* Why the rules leave a folder out ("--exclude Junk*"), or NULL: it is taken. `size` is of `why`.
 */
const char *pf_rules_skip_folder(
	const struct pf_rules *r, const struct pf_path *path, char *why, size_t size);
/* The same for an item by what is listed of it. */
const char *pf_rules_skip_item(
	const struct pf_rules *r, const struct pf_item *item, char *why, size_t size);
/* Where a --map rule sends `path`; false: none does. `out` is set. */
PF_MUST_CHECK int pf_rules_map(const struct pf_rules *r, const struct pf_path *path,
	struct pf_path *out, bool *mapped, struct pf_err *err);

#endif
