/* Where messages are, while other programs rename, add and remove them; and how many looks that
 * takes. */
#include "stores/maildir/maildir_private.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 3000 };

struct world {
	char dir[64];
	struct md_index index;
	struct pf_err err;
};

static void path_of(const struct world *w, const char *file, char path[160])
{
	(void)snprintf(path, 160, "%s/%s", w->dir, file);
}

static void put(const struct world *w, const char *file)
{
	char path[160];
	int fd;

	path_of(w, file, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

static void moved(const struct world *w, const char *from, const char *to)
{
	char a[160], b[160];

	path_of(w, from, a);
	path_of(w, to, b);
	assert_int_equal(rename(a, b), 0);
}

/* The file of `id` is `file`; NULL: it is not there. */
static void finds(struct world *w, const char *id, const char *file)
{
	char path[MD_PATH_MAX] = "", want[160];
	int rc = md_index_find(&w->index, w->dir, pf_span_str(id), path, &w->err);

	assert_int_equal(rc, file ? PF_OK : PF_END);
	if (file) {
		path_of(w, file, want);
		assert_string_equal(path, want);
	}
}

static int make_world(void **state)
{
	static const char *const SUBS[] = {"cur", "new", "tmp"};
	struct world *w = calloc(1, sizeof(*w));
	char path[160];

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/pf-md-index-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	for (size_t i = 0; i < PF_COUNT(SUBS); i++) {
		path_of(w, SUBS[i], path);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	*state = w;
	return 0;
}

static int end_world(void **state)
{
	struct world *w = *state;
	char command[100];

	md_index_free(&w->index);
	(void)snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void ids_leave_the_flags_out(void **state)
{
	struct world *w = *state;

	put(w, "cur/1.a.host:2,S");
	put(w, "cur/2.b.host!2,");
	put(w, "cur/3.c.host,S=10:2,FS");
	put(w, "new/4.d.host");
	finds(w, "1.a.host", "cur/1.a.host:2,S");
	finds(w, "2.b.host", "cur/2.b.host!2,");
	finds(w, "3.c.host,S=10", "cur/3.c.host,S=10:2,FS");
	finds(w, "4.d.host", "new/4.d.host");
	finds(w, "5.e.host", NULL);
	finds(w, "", NULL);
}

static void others_may_change_it_meanwhile(void **state)
{
	struct world *w = *state;
	char path[160];

	put(w, "cur/1.a:2,");
	put(w, "new/2.b");
	finds(w, "1.a", "cur/1.a:2,");
	moved(w, "cur/1.a:2,", "cur/1.a:2,S");
	finds(w, "1.a", "cur/1.a:2,S");
	moved(w, "new/2.b", "cur/2.b:2,");
	finds(w, "2.b", "cur/2.b:2,");
	put(w, "cur/3.c:2,");
	finds(w, "3.c", "cur/3.c:2,");
	path_of(w, "cur/3.c:2,", path);
	assert_int_equal(unlink(path), 0);
	finds(w, "3.c", NULL);
	finds(w, "1.a", "cur/1.a:2,S");
}

static void own_renames_are_followed(void **state)
{
	struct world *w = *state;

	put(w, "cur/1.a:2,");
	finds(w, "1.a", "cur/1.a:2,");
	moved(w, "cur/1.a:2,", "cur/1.a:2,FRST");
	assert_int_equal(
		md_index_moved(&w->index, pf_span_str("1.a"), "1.a:2,FRST", &w->err), PF_OK);
	finds(w, "1.a", "cur/1.a:2,FRST");
}

/* Each look at the directory builds the names anew: they stay where they are as long as it does. */
static void one_look_serves_all(void **state)
{
	struct world *w = *state;
	struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	char name[40], path[160];
	const uint8_t *names;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "cur/%d.m:2,", i);
		put(w, name);
	}
	path_of(w, "cur", path);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0); /* nothing happened for long */
	path_of(w, "new", path);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	finds(w, "0.m", "cur/0.m:2,");
	names = w->index.names.p;
	w->index.names.p[0] = 'x'; /* only a new look would mend it */
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%d.gone", i);
		finds(w, name, NULL);
	}
	assert_ptr_equal(w->index.names.p, names);
	assert_int_equal(w->index.names.p[0], 'x');
	assert_int_equal(w->index.n, MANY);
}

static void another_folder_takes_its_place(void **state)
{
	struct world *w = *state, other = {.err = w->err};
	char path[MD_PATH_MAX];

	(void)snprintf(other.dir, sizeof(other.dir), "%.50s/none", w->dir);
	put(w, "cur/1.a:2,");
	finds(w, "1.a", "cur/1.a:2,");
	assert_int_equal(
		md_index_find(&w->index, other.dir, pf_span_str("1.a"), path, &w->err), PF_END);
	finds(w, "1.a", "cur/1.a:2,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ids_leave_the_flags_out, make_world, end_world),
		cmocka_unit_test_setup_teardown(
			others_may_change_it_meanwhile, make_world, end_world),
		cmocka_unit_test_setup_teardown(own_renames_are_followed, make_world, end_world),
		cmocka_unit_test_setup_teardown(one_look_serves_all, make_world, end_world),
		cmocka_unit_test_setup_teardown(
			another_folder_takes_its_place, make_world, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
