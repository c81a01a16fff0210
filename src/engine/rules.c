#include "engine/rules.h"

#include <fnmatch.h>
#include <stdio.h>

/* Long enough for the deepest path that a server takes; a longer one is matched by its beginning.
 */
enum { SHOWN_MAX = 4096 };

static const char *matching(const char *const *globs, size_t count, const char *shown)
{
	for (size_t i = 0; i < count; i++) {
		if (fnmatch(globs[i], shown, FNM_NOESCAPE | FNM_CASEFOLD) == 0) {
			return globs[i];
		}
	}
	return NULL;
}

const char *pf_rules_skip_folder(
	const struct pf_rules *r, const struct pf_path *path, char *why, size_t size)
{
	char shown[SHOWN_MAX];
	const char *glob;

	pf_path_show(path, shown, sizeof(shown));
	if (r->includes > 0 && !matching(r->include, r->includes, shown)) {
		(void)snprintf(why, size, "no --include matches");
		return why;
	}
	glob = matching(r->exclude, r->excludes, shown);
	if (glob) {
		(void)snprintf(why, size, "--exclude %s", glob);
		return why;
	}
	return NULL;
}

const char *pf_rules_skip_item(
	const struct pf_rules *r, const struct pf_item *item, char *why, size_t size)
{
	bool early, late;
	char date[32];

	if (r->max_size > 0 && item->size > r->max_size) {
		(void)snprintf(why, size, "--max-size: %llu bytes", (unsigned long long)item->size);
		return why;
	}
	if (item->date_utc_s == PF_DATE_NONE) {
		return NULL; /* what has no date is never left out for its date */
	}
	early = r->since_utc_s != PF_DATE_NONE && item->date_utc_s < r->since_utc_s;
	late = r->before_utc_s != PF_DATE_NONE && item->date_utc_s >= r->before_utc_s;
	if (!early && !late) {
		return NULL;
	}
	pf_date_iso(item->date_utc_s, date);
	(void)snprintf(why, size, "%s: dated %s", early ? "--since" : "--before", date);
	return why;
}

int pf_rules_map(const struct pf_rules *r, const struct pf_path *path, struct pf_path *out,
	bool *mapped, struct pf_err *err)
{
	const struct pf_map_rule *best = NULL;

	for (size_t i = 0; i < r->maps; i++) {
		if (pf_path_is_under(path, &r->map[i].from) &&
			(!best || r->map[i].from.n > best->from.n)) {
			best = &r->map[i];
		}
	}
	*mapped = best != NULL;
	if (!best) {
		return PF_OK;
	}
	if (pf_path_copy(out, &best->to, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = pf_path_depth(&best->from); pf_path_segment(path, i); i++) {
		if (pf_path_add(out, pf_span_str(pf_path_segment(path, i)), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}
