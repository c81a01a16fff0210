#include "engine/names.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	SEGMENT_MAX_DEFAULT = 255,
	SUFFIX_ROOM = 8,
	NUMBERS_MAX = 10000,
	JOINED_MAX = 1 << 20,
	LEAF_MIN = 32, /* octets of a path that its leaf gets at least: else parents give way */
};

struct plan {
	const struct pf_names_cfg *cfg;
	const struct pf_name_in *in;
	struct pf_name_out *out;
	size_t count;
	struct pf_names_taken taken; /* by key */
	char **target_keys;          /* key_of each of the target's folders */
};

/* As it is shown, folded where case and form of characters do not count. */
static char *show(const struct pf_path *path, bool fold)
{
	size_t room = 4 * path->n + 4;
	char *shown = malloc(room);
	char *folded;

	if (!shown) {
		return NULL;
	}
	pf_path_show(path, shown, room);
	if (!fold) {
		return shown;
	}
	folded = pf_utf8_fold(shown);
	free(shown);
	return folded;
}

/* The form in which the target tells names apart. */
static char *key_of(const struct plan *p, const struct pf_path *path)
{
	return show(path, (p->cfg->facts->caps & PF_CAP_FOLD_CASE) != 0);
}

/* Takes `key`, which may be NULL: no memory. */
static int take_key(struct pf_names_taken *t, char *key, bool *was_taken, struct pf_err *err)
{
	if (!key) {
		return pf_fail_memory(err, "folder names");
	}
	*was_taken = false;
	for (size_t i = 0; i < t->count && !*was_taken; i++) {
		*was_taken = strcmp(t->names[i], key) == 0;
	}
	if (*was_taken) {
		free(key);
		return PF_OK;
	}
	if (t->count == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		char **grown = realloc(t->names, cap * sizeof(*grown));

		if (!grown) {
			free(key);
			return pf_fail_memory(err, "folder names");
		}
		t->names = grown;
		t->cap = cap;
	}
	t->names[t->count++] = key;
	return PF_OK;
}

static int take_name(
	struct plan *p, const struct pf_path *path, bool *was_taken, struct pf_err *err)
{
	return take_key(&p->taken, key_of(p, path), was_taken, err);
}

int pf_names_take(
	struct pf_names_taken *t, const struct pf_path *path, bool *was_taken, struct pf_err *err)
{
	return take_key(t, show(path, true), was_taken, err);
}

void pf_names_taken_free(struct pf_names_taken *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->names[i]);
	}
	free(t->names);
	*t = (struct pf_names_taken){0};
}

bool pf_names_alike(const struct pf_path *a, const struct pf_path *b)
{
	char *x = show(a, true), *y = show(b, true);
	bool alike = x && y && strcmp(x, y) == 0;

	free(x);
	free(y);
	return alike;
}

static void add_note(struct pf_name_out *out, const char *note)
{
	size_t n = strlen(out->note);

	if (!strstr(out->note, note)) {
		(void)snprintf(
			out->note + n, sizeof(out->note) - n, "%s%s", n > 0 ? "; " : "", note);
	}
}

/* One segment as the target can have it. */
static int add_segment(
	const struct plan *p, struct pf_name_out *out, const char *segment, struct pf_err *err)
{
	const char *forbidden = p->cfg->facts->forbidden ? p->cfg->facts->forbidden : "";
	size_t max = p->cfg->facts->max_segment_bytes ? p->cfg->facts->max_segment_bytes
						      : SEGMENT_MAX_DEFAULT;
	size_t n = strlen(segment);
	struct pf_span cut;
	char *made;
	int rc;

	while (n > 0 && segment[n - 1] == ' ') {
		n--;
	}
	while (n > 0 && segment[0] == ' ') {
		segment++;
		n--;
	}
	made = malloc(n + 2);
	if (!made) {
		return pf_fail_memory(err, "a folder name");
	}
	if (n != strlen(segment) || n == 0) {
		add_note(out, "blanks at the ends of a name cut");
	}
	for (size_t i = 0; i < n; i++) {
		bool wrong = strchr(forbidden, segment[i]) || iscntrl((unsigned char)segment[i]);

		made[i] = wrong ? '_' : segment[i];
		if (wrong) {
			add_note(out, "a character that the target can't have replaced by \"_\"");
		}
	}
	if (n == 0) {
		made[n++] = '_';
	}
	cut = pf_utf8_prefix(pf_span(made, n), max);
	if (cut.n < n) {
		add_note(out, "shortened to what the target takes");
	}
	rc = pf_path_add(&out->to, cut, err);
	free(made);
	return rc;
}

/* What the target counts of a path's length. */
static size_t segment_bytes(const struct pf_store_facts *facts, struct pf_span segment)
{
	return 1 + (facts->segment_bytes ? facts->segment_bytes(segment) : segment.n);
}

static size_t path_bytes(const struct pf_store_facts *facts, const struct pf_path *path)
{
	const char *segment;
	size_t n = 0;

	for (size_t i = 0; (segment = pf_path_segment(path, i)) != NULL; i++) {
		n += segment_bytes(facts, pf_span_str(segment));
	}
	return n;
}

/* The leaf's beginning, `room` octets less than the path may have; parents that leave too little
 * for it are left out, the nearest first. */
static int shorten_path(
	const struct pf_store_facts *facts, struct pf_path *path, size_t room, struct pf_err *err)
{
	char *leaf = strdup(pf_path_leaf(path));
	struct pf_span cut = pf_span_str(leaf);
	size_t used, max = facts->max_path_bytes - room, all;
	int rc;

	if (!leaf) {
		return pf_fail_memory(err, "a folder name");
	}
	all = segment_bytes(facts, cut);
	do {
		pf_path_cut(path, pf_path_depth(path) - 1);
		used = path_bytes(facts, path);
	} while (used > 0 && used + (all < LEAF_MIN ? all : LEAF_MIN) > max);
	while (cut.n > 1 && used + segment_bytes(facts, cut) > max) {
		cut = pf_utf8_prefix(cut, cut.n - 1);
	}
	rc = pf_path_add(path, cut, err);
	free(leaf);
	return rc;
}

/* Where no folder can hold another, all of the path makes one name. */
static int add_joined(const struct plan *p, struct pf_name_out *out, const struct pf_path *path,
	struct pf_err *err)
{
	const char *forbidden = p->cfg->facts->forbidden ? p->cfg->facts->forbidden : "";
	const char *between = strchr(forbidden, '/') ? "_" : "/";
	const char *name;
	struct pf_buf b;
	int rc = PF_OK;

	pf_buf_init(&b, JOINED_MAX);
	for (size_t i = 0; i < pf_path_depth(path) && rc == PF_OK; i++) {
		rc = i > 0 ? pf_buf_add_str(&b, between, err) : PF_OK;
		rc = rc == PF_OK ? pf_buf_add_str(&b, pf_path_segment(path, i), err) : rc;
	}
	rc = rc == PF_OK ? pf_buf_cstr(&b, &name, err) : rc;
	rc = rc == PF_OK ? add_segment(p, out, name, err) : rc;
	pf_buf_deinit(&b);
	add_note(out, "the target has no folders within folders");
	return rc;
}

static bool target_has(const struct plan *p, const struct pf_path *path)
{
	for (size_t t = 0; t < p->cfg->target_count; t++) {
		if (pf_path_eq(p->cfg->targets[t].path, path)) {
			return true;
		}
	}
	return false;
}

/* The nearest path to `path` that the target can have. */
static int fit(const struct plan *p, const struct pf_path *path, struct pf_name_out *out,
	struct pf_err *err)
{
	const struct pf_store_facts *facts = p->cfg->facts;
	size_t depth = pf_path_depth(path);
	size_t from = 0;

	pf_path_deinit(&out->to);
	if (facts->max_depth == 1 && depth > 1) {
		return add_joined(p, out, path, err);
	}
	if (depth > 1 && !(facts->caps & PF_CAP_INBOX_CHILDREN) &&
		strcmp(pf_path_segment(path, 0), "INBOX") == 0) {
		from = 1;
		add_note(out, "the target's INBOX can't hold folders");
	}
	for (size_t i = from; i < depth; i++) {
		bool deep =
			facts->max_depth > 0 && i - from + 1 >= facts->max_depth && i + 1 < depth;

		if (deep) {
			add_note(out, "nested deeper than the target can");
			i = depth - 1;
		}
		if (add_segment(p, out, pf_path_segment(path, i), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (facts->max_path_bytes > 0 && path_bytes(facts, &out->to) > facts->max_path_bytes) {
		add_note(out, "shortened to what the target takes");
		if (shorten_path(facts, &out->to, 0, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!pf_path_eq(&out->to, path) && target_has(p, path)) { /* then it can have it */
		out->note[0] = '\0';
		return pf_path_copy(&out->to, path, err);
	}
	return PF_OK;
}

/* Give the leaf a number: "Sent", "Sent (2)". */
static int number_leaf(const struct pf_store_facts *facts, struct pf_path *path, const char *leaf,
	unsigned int number, struct pf_err *err)
{
	size_t max = facts->max_segment_bytes ? facts->max_segment_bytes : SEGMENT_MAX_DEFAULT;
	struct pf_span stem = pf_utf8_prefix(pf_span_str(leaf), max - SUFFIX_ROOM);
	char suffix[16];
	struct pf_buf b;
	size_t room;
	int rc;

	(void)snprintf(suffix, sizeof(suffix), " (%u)", number);
	room = segment_bytes(facts, pf_span_str(suffix)) - 1;
	pf_path_cut(path, pf_path_depth(path) - 1);
	rc = pf_path_add(path, stem, err);
	if (rc == PF_OK && facts->max_path_bytes > 0 &&
		path_bytes(facts, path) + room > facts->max_path_bytes) {
		rc = shorten_path(facts, path, room, err);
	}
	pf_buf_init(&b, 65536);
	rc = rc == PF_OK ? pf_buf_add_str(&b, pf_path_leaf(path), err) : rc;
	rc = rc == PF_OK ? pf_buf_add_str(&b, suffix, err) : rc;
	if (rc == PF_OK) {
		pf_path_cut(path, pf_path_depth(path) - 1);
		rc = pf_path_add(path, pf_buf_span(&b), err);
	}
	pf_buf_deinit(&b);
	return rc;
}

/* Whether the target has a folder of this name that can't hold what this one does. */
static int is_of_others(
	const struct plan *p, size_t i, const struct pf_path *to, bool *yes, struct pf_err *err)
{
	char *key = key_of(p, to);

	*yes = false;
	if (!key) {
		return pf_fail_memory(err, "folder names");
	}
	for (size_t t = 0; t < p->cfg->target_count; t++) {
		uint32_t kinds = p->cfg->targets[t].kinds;

		*yes = *yes || (kinds && p->in[i].kinds && !(kinds & p->in[i].kinds) &&
				       strcmp(p->target_keys[t], key) == 0);
	}
	free(key);
	return PF_OK;
}

/* *taken: it is another one's, of the source or of the target. */
static int take_free_name(struct plan *p, size_t i, bool *taken, struct pf_err *err)
{
	struct pf_path *to = &p->out[i].to;
	bool others;

	if (is_of_others(p, i, to, &others, err) != PF_OK ||
		take_name(p, to, taken, err) != PF_OK) {
		return PF_FAIL;
	}
	*taken = *taken || others;
	return PF_OK;
}

static int make_unique(struct plan *p, size_t at, struct pf_err *err)
{
	struct pf_name_out *out = &p->out[at];
	bool was_taken = false, others = false;
	char *leaf;
	int rc;

	if (is_of_others(p, at, &out->to, &others, err) != PF_OK ||
		take_free_name(p, at, &was_taken, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!was_taken) {
		return PF_OK;
	}
	leaf = strdup(pf_path_leaf(&out->to));
	if (!leaf) {
		return pf_fail_memory(err, "a folder name");
	}
	rc = PF_OK;
	for (unsigned int i = 2; was_taken && rc == PF_OK && i < NUMBERS_MAX; i++) {
		rc = number_leaf(p->cfg->facts, &out->to, leaf, i, err);
		if (rc == PF_OK) {
			rc = take_free_name(p, at, &was_taken, err);
		}
	}
	free(leaf);
	add_note(out, others ? "the target's folder of that name holds something else"
			     : "another folder of the source has that name at the target");
	return rc;
}

/* Whether another folder of the source has a better claim to the role: the server's word goes
 * before a guess, the earlier before the later. */
static bool outdone(const struct plan *p, size_t i)
{
	for (size_t k = 0; k < p->count; k++) {
		if (k == i || p->in[k].role != p->in[i].role) {
			continue;
		}
		if (p->in[k].role_by_name != p->in[i].role_by_name) {
			if (p->in[i].role_by_name) {
				return true;
			}
			continue;
		}
		if (k < i) {
			return true;
		}
	}
	return false;
}

static const struct pf_path *role_target(const struct plan *p, size_t i)
{
	const struct pf_name_target *best = NULL;

	if (p->in[i].role == PF_ROLE_NONE || p->in[i].role == PF_ROLE_ALL ||
		p->in[i].role == PF_ROLE_FLAGGED || outdone(p, i)) {
		return NULL;
	}
	for (size_t t = 0; t < p->cfg->target_count; t++) {
		const struct pf_name_target *c = &p->cfg->targets[t];

		if (c->role == p->in[i].role && c->selectable &&
			(!best || (best->role_by_name && !c->role_by_name))) {
			best = c;
		}
	}
	return best ? best->path : NULL;
}

/* Names that were settled before are kept, so that a second pass finds its folders again. */
static int plan_fixed(struct plan *p, size_t i, bool *done, struct pf_err *err)
{
	const struct pf_path *to = p->in[i].before;
	struct pf_path ruled = {0};
	bool was_taken = false, mapped = false;
	int rc = PF_OK;

	*done = false;
	if (!to) {
		rc = pf_rules_map(p->cfg->rules, p->in[i].path, &ruled, &mapped, err);
		if (rc == PF_OK && mapped) {
			add_note(&p->out[i], "--map");
			rc = fit(p, &ruled, &p->out[i], err);
			*done = rc ==
				PF_OK; /* two folders may be mapped into one: that is the wish */
		}
		pf_path_deinit(&ruled);
		if (rc == PF_OK && *done) {
			rc = take_name(p, &p->out[i].to, &was_taken, err);
		}
		return rc;
	}
	*done = true;
	if (pf_path_copy(&p->out[i].to, to, err) != PF_OK) {
		return PF_FAIL;
	}
	return take_name(p, to, &was_taken, err);
}

static int plan_role(struct plan *p, size_t i, bool *done, struct pf_err *err)
{
	const struct pf_path *to = role_target(p, i);
	bool was_taken = false;

	*done = false;
	if (!to) {
		return PF_OK;
	}
	if (take_name(p, to, &was_taken, err) != PF_OK) {
		return PF_FAIL;
	}
	if (was_taken) {
		return PF_OK;
	}
	*done = true;
	if (!pf_path_eq(to, p->in[i].path)) {
		char note[64];

		(void)snprintf(note, sizeof(note), "the target's folder for \"%s\"",
			pf_role_name(p->in[i].role));
		add_note(&p->out[i], note);
	}
	return pf_path_copy(&p->out[i].to, to, err);
}

/* A folder below one that was renamed moves with it. */
static int under_parent(const struct plan *p, size_t i, struct pf_path *out, struct pf_err *err)
{
	const struct pf_path *path = p->in[i].path;
	size_t best = SIZE_MAX;

	for (size_t k = 0; k < p->count; k++) {
		const struct pf_path *above = p->in[k].path;

		if (k != i && p->out[k].to.n > 0 && above->n < path->n &&
			pf_path_is_under(path, above) &&
			(best == SIZE_MAX || above->n > p->in[best].path->n)) {
			best = k;
		}
	}
	if (best == SIZE_MAX) {
		return pf_path_copy(out, path, err);
	}
	if (pf_path_copy(out, &p->out[best].to, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t s = pf_path_depth(p->in[best].path); pf_path_segment(path, s); s++) {
		if (pf_path_add(out, pf_span_str(pf_path_segment(path, s)), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* `only_same`: not done when it can't have its own name. */
static int plan_plain(struct plan *p, size_t i, bool only_same, bool *done, struct pf_err *err)
{
	struct pf_path wanted = {0};
	int rc = under_parent(p, i, &wanted, err);

	if (rc == PF_OK) {
		rc = fit(p, &wanted, &p->out[i], err);
	}
	*done = !only_same || pf_path_eq(&p->out[i].to, p->in[i].path);
	if (!*done) {
		pf_path_deinit(&p->out[i].to);
		p->out[i].note[0] = '\0';
	} else if (rc == PF_OK) {
		rc = make_unique(p, i, err);
	}
	pf_path_deinit(&wanted);
	return rc;
}

static int find_existing(const struct plan *p, struct pf_name_out *out, struct pf_err *err)
{
	char *key = key_of(p, &out->to);
	int rc = key ? PF_OK : pf_fail_memory(err, "folder names");

	out->existing = SIZE_MAX;
	for (size_t t = 0; rc == PF_OK && t < p->cfg->target_count; t++) {
		if (strcmp(p->target_keys[t], key) == 0) {
			out->existing = t;
			break;
		}
	}
	free(key);
	return rc;
}

static int make_target_keys(struct plan *p, struct pf_err *err)
{
	p->target_keys = calloc(p->cfg->target_count + 1, sizeof(*p->target_keys));
	if (!p->target_keys) {
		return pf_fail_memory(err, "folder names");
	}
	for (size_t t = 0; t < p->cfg->target_count; t++) {
		p->target_keys[t] = key_of(p, p->cfg->targets[t].path);
		if (!p->target_keys[t]) {
			return pf_fail_memory(err, "folder names");
		}
	}
	return PF_OK;
}

static int plan_all(struct plan *p, struct pf_err *err)
{
	bool *done = calloc(p->count ? p->count : 1, sizeof(*done));
	int rc = done ? PF_OK : pf_fail_memory(err, "folder names");

	for (size_t i = 0; rc == PF_OK && i < p->count; i++) {
		rc = plan_fixed(p, i, &done[i], err);
	}
	for (size_t i = 0; rc == PF_OK && i < p->count; i++) {
		if (!done[i]) {
			rc = plan_role(p, i, &done[i], err);
		}
	}
	for (size_t i = 0; rc == PF_OK && i < p->count; i++) {
		if (!done[i]) {
			rc = plan_plain(p, i, true, &done[i], err);
		}
	}
	for (size_t i = 0; rc == PF_OK && i < p->count; i++) {
		if (!done[i]) {
			rc = plan_plain(p, i, false, &done[i], err);
		}
	}
	for (size_t i = 0; rc == PF_OK && i < p->count; i++) {
		rc = find_existing(p, &p->out[i], err);
	}
	free(done);
	return rc;
}

int pf_names_plan(const struct pf_names_cfg *cfg, const struct pf_name_in *in, size_t count,
	struct pf_name_out *out, struct pf_err *err)
{
	struct plan p = {.cfg = cfg, .in = in, .out = out, .count = count};
	int rc;

	memset(out, 0, count * sizeof(*out));
	rc = make_target_keys(&p, err);
	if (rc == PF_OK) {
		rc = plan_all(&p, err);
	}
	for (size_t t = 0; p.target_keys && t < cfg->target_count; t++) {
		free(p.target_keys[t]);
	}
	free(p.target_keys);
	pf_names_taken_free(&p.taken);
	return rc;
}

void pf_names_free(struct pf_name_out *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pf_path_deinit(&out[i].to);
	}
}

bool pf_names_number(struct pf_path *path, const char *leaf, unsigned int attempt)
{
	static const struct pf_store_facts NO_LIMITS = {.caps = 0};
	struct pf_err ignored; /* only lack of memory: then there is no other name to offer */

	return attempt < NUMBERS_MAX &&
	       number_leaf(&NO_LIMITS, path, leaf, attempt, &ignored) == PF_OK;
}

bool pf_names_next(struct pf_path *path, const char *leaf, unsigned int attempt)
{
	struct pf_err ignored; /* only lack of memory: then there is no other name to offer */
	char name[64];
	size_t n = 0;
	bool blank = true;

	if (!leaf || attempt >= NUMBERS_MAX) {
		return false;
	}
	for (const char *c = leaf; *c && n + 16 < sizeof(name); c++) {
		bool plain = isalnum((unsigned char)*c) || *c == '-' || *c == '_';

		if (plain) {
			name[n++] = *c;
		} else if (!blank && !((unsigned char)*c & 0x80)) {
			name[n++] = ' ';
		}
		blank = !plain;
	}
	while (n > 0 && name[n - 1] == ' ') {
		n--;
	}
	name[n] = '\0';
	if (attempt > 2) {
		(void)snprintf(
			name + n, sizeof(name) - n, "%sfolder %u", n > 0 ? " " : "", attempt - 1);
	} else if (n == 0 || attempt == 2) {
		(void)snprintf(name + n, sizeof(name) - n, "%sfolder", n > 0 ? " " : "");
	}
	pf_path_cut(path, pf_path_depth(path) - 1);
	return pf_path_add(path, pf_span_str(name), &ignored) == PF_OK;
}
