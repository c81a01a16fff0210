/*
 * store_suite URL [--without CAPABILITY]... [--with fold-case] [--only GLOB]
 *
 * Runs all cases on the account, which must be one for tests: folders are made and left in it. The
 * password comes from STORE_SUITE_PASSWORD. A path that ends in XXXXXX becomes a fresh directory
 * that is removed afterwards. The options change what an account in memory can do.
 */
#include "suite.h"

#include "net/loop.h"
#include "stores/mem/mem.h"
#include "stores/registry.h"

#include <ftw.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 15000, CASES_MAX = 200 };

struct opener {
	struct account base;
	struct pf_url url;
	struct pf_secret_source secret;
	struct pf_store_cfg cfg[2];
	struct pf_loop *loop;
	bool stirred; /* a socket of the store has: else it is not looked at before its time */
	struct pf_mem *mem;
	bool temporary;
};

static const struct {
	const char *name;
	uint32_t bit;
} CAPABILITIES[] = {
	{"put-returns-id", PF_CAP_PUT_RETURNS_ID},
	{"copy", PF_CAP_COPY},
	{"exact-size", PF_CAP_EXACT_SIZE},
	{"exact-bytes", PF_CAP_EXACT_BYTES},
	{"cursor", PF_CAP_CURSOR | PF_CAP_CURSOR_FLAGS | PF_CAP_LIST_DELTA},
	{"cursor-flags", PF_CAP_CURSOR_FLAGS | PF_CAP_LIST_DELTA},
	{"list-delta", PF_CAP_LIST_DELTA},
	{"remove-one", PF_CAP_REMOVE_ONE},
	{"subscribe", PF_CAP_SUBSCRIBE},
	{"put-groups", PF_CAP_PUT_GROUPS},
	{"fold-case", PF_CAP_FOLD_CASE},
	{"inbox-children", PF_CAP_INBOX_CHILDREN},
	{"mixed", PF_CAP_MIXED},
	{"keeps-date", PF_CAP_KEEPS_DATE},
	{"all", UINT32_MAX},
};

static int password(struct pf_secret_source *src, struct pf_secret *out, struct pf_err *err)
{
	const char *given = getenv("STORE_SUITE_PASSWORD");

	(void)src;
	return pf_secret_set(out, pf_span_str(given ? given : ""))
		       ? PF_OK
		       : pf_fail_memory(err, "a password");
}

static int open_account(
	struct account *base, bool source, struct pf_store **out, struct pf_err *err)
{
	struct opener *o = pf_container_of(base, struct opener, base);

	o->cfg[source] = (struct pf_store_cfg){.url = &o->url,
		.secret = &o->secret,
		.allow_plaintext = true,
		.source = source,
		.stirred = &o->stirred};
	if (o->mem) {
		return pf_mem_open(o->mem, &o->cfg[source], out, err);
	}
	return pf_store_for(o->url.scheme)->open(o->loop, &o->cfg[source], out, err);
}

static bool wait_for(struct account *base, int64_t wake_ms)
{
	struct opener *o = pf_container_of(base, struct opener, base);
	int64_t until = pf_loop_now_ms(o->loop) + PATIENCE_MS;
	struct pf_err err;

	if (o->mem) {
		return false; /* what it does not know now it will never know */
	}
	if (wake_ms > until) {
		wake_ms = until;
	}
	while (!o->stirred && pf_loop_now_ms(o->loop) < wake_ms) {
		if (pf_loop_wait(o->loop, wake_ms, &err) != PF_OK) {
			return false;
		}
	}
	o->stirred = false;
	return pf_loop_now_ms(o->loop) < until;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static uint32_t capability(const char *name)
{
	for (size_t i = 0; i < PF_COUNT(CAPABILITIES); i++) {
		if (strcmp(CAPABILITIES[i].name, name) == 0) {
			return CAPABILITIES[i].bit;
		}
	}
	(void)fprintf(stderr, "store_suite: there is no capability \"%s\"\n", name);
	exit(2);
}

static void take_options(struct opener *o, int argc, char **argv)
{
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--only") == 0) {
			cmocka_set_test_filter(argv[i + 1]);
		} else if (o->mem && strcmp(argv[i], "--without") == 0) {
			pf_mem_traits(o->mem)->facts.caps &= ~capability(argv[i + 1]);
		} else if (o->mem && strcmp(argv[i], "--with") == 0) {
			pf_mem_traits(o->mem)->facts.caps |= capability(argv[i + 1]);
		} else {
			(void)fprintf(stderr, "store_suite: %s is not for this store\n", argv[i]);
			exit(2);
		}
	}
}

/* The first kind that a URL's store may hold. */
static enum pf_kind kind_of(const char *scheme)
{
	uint32_t kinds = PF_KIND_MAIL;

	for (const struct pf_scheme *f = pf_store_for(scheme)->schemes; f->name; f++) {
		kinds = strcmp(f->name, scheme) == 0 ? f->kinds : kinds;
	}
	return (enum pf_kind)(kinds & ~(kinds - 1));
}

static int open_url(struct opener *o, const char *text, struct pf_err *err)
{
	size_t n;

	if (pf_url_parse(&o->url, text, err) != PF_OK || pf_loop_new(&o->loop, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!pf_store_for(o->url.scheme)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "no store for %s", text);
	}
	suite_kind = kind_of(o->url.scheme);
	n = strlen(o->url.path);
	if (n > 6 && strcmp(o->url.path + n - 6, "XXXXXX") == 0) {
		o->temporary = mkdtemp(o->url.path) != NULL;
	}
	return strcmp(o->url.scheme, "mem") == 0 ? pf_mem_new(&o->mem, err) : PF_OK;
}

static size_t collect(struct CMUnitTest *all)
{
	size_t (*const groups[])(const struct CMUnitTest **) = {
		folder_cases, item_cases, list_cases, stream_cases, life_cases, keyed_cases};
	size_t n = 0;

	for (size_t i = 0; i < PF_COUNT(groups); i++) {
		const struct CMUnitTest *cases;
		size_t more = groups[i](&cases);

		pf_assert(n + more <= CASES_MAX);
		memcpy(all + n, cases, more * sizeof(*cases));
		n += more;
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest all[CASES_MAX];
	struct opener o = {.base = {open_account, wait_for}, .secret = {.get = password}};
	struct pf_err err;
	int failed;

	if (argc < 2 || open_url(&o, argv[1], &err) != PF_OK) {
		(void)fprintf(stderr, "store_suite: %s\n", argc < 2 ? "URL is missing" : err.text);
		return 2;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	take_options(&o, argc, argv);
	suite_account = &o.base;
	failed = _cmocka_run_group_tests("store suite", all, collect(all), NULL, NULL);
	if (o.temporary) {
		(void)nftw(o.url.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	pf_mem_free(&o.mem);
	pf_loop_free(&o.loop);
	pf_url_deinit(&o.url);
	return failed == 0 ? 0 : 1;
}
