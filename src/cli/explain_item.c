#include "cli/explain_item.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>

/* Several folders may have an item of this id: each is told. */
struct looking {
	struct pf_ledger *led;
	const char *id;
	size_t found;
};

static void print_fates(const struct pf_fates *fates)
{
	static const struct {
		enum pf_fate fate;
		const char *title;
	} PARTS[] = {{PF_FATE_LOST, "lost"}, {PF_FATE_MAPPED, "said in other words"},
		{PF_FATE_UNRESOLVED, "addresses that nobody resolved"}, {PF_FATE_KEPT, "kept"}};

	if (fates->odd.p) {
		(void)printf("  %s\n", (const char *)fates->odd.p);
	}
	for (size_t k = 0; k < PF_COUNT(PARTS); k++) {
		const char *before = PARTS[k].title, *between = ": ";

		for (size_t i = 0; i < fates->n; i++) {
			if (fates->v[i].fate == PARTS[k].fate) {
				(void)printf("%s%s%s%s", *before ? "  " : "", before, between,
					(const char *)fates->v[i].what.p);
				before = "";
				between = ", ";
			}
		}
		(void)fputs(*before ? "" : "\n", stdout);
	}
}

static int print_item(struct looking *l, const char *account, const struct pf_ledger_folder *folder,
	const struct pf_ledger_item *row, struct pf_err *err)
{
	struct pf_path path = {0};
	struct pf_arena arena;
	struct pf_fates fates;
	char shown[512], note[800];
	int rc = pf_path_from_bytes(&path, folder->src_path, err);

	if (rc != PF_OK) {
		return rc;
	}
	pf_arena_init(&arena);
	l->found++;
	(void)printf("%s\n%s %s: %s%s%s\n", account, pf_path_show(&path, shown, sizeof(shown)),
		l->id, pf_verdict_name(row->verdict), row->note.n > 0 ? ", " : "",
		pf_print_safe(note, sizeof(note), row->note));
	rc = pf_ledger_fates(l->led, folder->id, pf_ledger_item_id(row), &arena, &fates, err);
	if (rc == PF_OK) {
		print_fates(&fates);
	} else if (rc == PF_END) {
		(void)printf("  the source gave it as it is\n");
		rc = PF_OK;
	}
	pf_arena_deinit(&arena);
	pf_path_deinit(&path);
	return rc;
}

static int look_in_folder(struct looking *l, const char *account, int64_t account_id,
	const struct pf_ledger_folder *folder, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int rc = pf_ledger_items(l->led, account_id, folder->id, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &row, err)) == PF_OK) {
		if (pf_span_is(pf_ledger_item_id(&row), l->id)) {
			rc = print_item(l, account, folder, &row, err);
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int look_in_account(
	struct looking *l, const struct pf_ledger_account *account, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_folder folder;
	char shown[1024];
	int64_t id = account->id;
	int rc;

	(void)pf_print_safe(shown, sizeof(shown), account->from);
	rc = pf_ledger_folders(l->led, id, &c, err);
	while (rc == PF_OK && (rc = pf_ledger_folders_next(c, &folder, err)) == PF_OK) {
		rc = look_in_folder(l, shown, id, &folder, err);
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int look(struct looking *l, const char *path, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_account account;
	int rc = pf_ledger_open(path, PF_LEDGER_READ, &l->led, err);

	rc = rc == PF_OK ? pf_ledger_accounts(l->led, &c, err) : rc;
	while (rc == PF_OK && (rc = pf_ledger_accounts_next(c, &account, err)) == PF_OK) {
		rc = look_in_account(l, &account, err);
	}
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&l->led);
	return rc == PF_END ? PF_OK : rc;
}

int pf_explain_item(const struct pf_args *args, const char *id, struct pf_err *err)
{
	struct looking l = {.id = id};
	struct pf_args options = *args;
	struct pf_settings set;
	char *path = NULL;
	int rc;

	options.word_count = 0; /* the word is no plan */
	rc = pf_settings_read(&options, &set, err);
	rc = rc == PF_OK ? pf_wire_find_ledger(&set, &path, err) : rc;
	rc = rc == PF_OK ? look(&l, path, err) : rc;
	if (rc == PF_OK && l.found == 0) {
		rc = pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"ledger %s: there is no item %s; postferry report shows the ids", path, id);
	}
	free(path);
	pf_settings_free(&set);
	return rc == PF_OK ? PF_EXIT_COMPLETE : -1;
}
