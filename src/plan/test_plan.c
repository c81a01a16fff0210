/* Plans and files of accounts: what they come to, and what is wrong with them, by place. */
#include "model/item.h"
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct pf_scheme_part PARTS[] = {
	{"maildir", "mail"}, {"ics", "cal"}, {.scheme = NULL}};
static const struct pf_scheme SCHEMES[] = {{"imap", PF_KIND_MAIL, 0, NULL},
	{"imaps", PF_KIND_MAIL, PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_CONTACTS, NULL},
	{"maildir", PF_KIND_MAIL, 0, NULL}, {"caldav", PF_KIND_CALENDAR | PF_KIND_TASKS, 0, NULL},
	{"ics", PF_KIND_CALENDAR, 0, NULL}, {"ews", PF_KIND_MAIL | PF_KIND_CALENDAR, 0, NULL},
	{"carddav", PF_KIND_CONTACTS, 0, NULL},
	{"archive", PF_KIND_MAIL | PF_KIND_CALENDAR, 0, PARTS}, {.name = NULL}};

struct world {
	char dir[48], plan[80], accounts[80];
	struct pf_plan *p;
	struct pf_err err;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w) {
		return -1;
	}
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/test_plan.XXXXXX");
	if (!mkdtemp(w->dir)) {
		free(w);
		return -1;
	}
	(void)snprintf(w->plan, sizeof(w->plan), "%s/plan.yaml", w->dir);
	(void)snprintf(w->accounts, sizeof(w->accounts), "%s/a.csv", w->dir);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pf_plan_free(&w->p);
	(void)unlink(w->plan);
	(void)unlink(w->accounts);
	(void)rmdir(w->dir);
	free(w);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
}

static void read_plan(struct world *w, const char *path, const char *from, const char *to)
{
	const struct pf_plan_cfg cfg = {.path = path,
		.template = {from, to},
		.schemes = SCHEMES,
		.source_has_secret = true,
		.target_has_secret = true};

	pf_plan_free(&w->p);
	if (pf_plan_read(&cfg, &w->p, &w->err) != PF_OK) {
		fail_msg("%s", w->err.text);
	}
}

static void read_csv(struct world *w, const char *csv)
{
	put(w->accounts, csv);
	read_plan(w, w->accounts, NULL, NULL);
}

static void read_yaml(struct world *w, const char *yaml, const char *csv)
{
	put(w->accounts, csv);
	put(w->plan, yaml);
	read_plan(w, w->plan, NULL, NULL);
}

static const char *problem(const struct world *w, size_t i)
{
	static char text[1024];

	return i < w->p->problem_n ? pf_plan_problem_show(&w->p->problems[i], text, sizeof(text))
				   : "(none)";
}

static void says(const struct world *w, const char *text)
{
	for (size_t i = 0; i < w->p->problem_n; i++) {
		if (strstr(problem(w, i), text)) {
			return;
		}
	}
	fail_msg("\"%s\" is not said; but: %s", text, problem(w, 0));
}

static void is_fine(const struct world *w)
{
	if (w->p->errors > 0) {
		fail_msg("%s", problem(w, 0));
	}
}

static void test_our_form(void **state)
{
	struct world *w = *state;

	read_csv(w, "to,from,to_secret\n"
		    "imaps://ann@new/,imap://ann@old/,env:A\n"
		    "maildir:/tmp/my mail,imap://bob%40x@old:1143/,\n");
	is_fine(w);
	assert_int_equal(w->p->row_n, 2);
	assert_int_equal(w->p->rows[0].row, 2);
	assert_string_equal(w->p->rows[0].side[0].url, "imap://ann@old/");
	assert_string_equal(w->p->rows[0].side[1].secret, "env:A");
	assert_null(w->p->rows[1].side[1].secret);
	assert_string_equal(w->p->rows[1].side[0].identity, "imap://bob%40x@old:1143/");
	assert_string_equal(w->p->rows[1].side[1].url, "maildir:/tmp/my mail");
}

static void test_wizards_form(void **state)
{
	struct world *w = *state;

	put(w->accounts, "IMAP_Mailbox,IMAP_Password,SMTP_Address,IMAP_Server,Ex_Mailbox,IMAP_Port,"
			 "IMAP_SSL\n"
			 "ann,\"a,\"\"b\",ann@corp.example,mail.old,,993,1\n"
			 "bob@x, pw ,bob@corp.example,mail.old,,143,0\n");
	read_plan(w, w->accounts, NULL, "imaps://{SMTP_Address}@new/");
	is_fine(w);
	assert_string_equal(w->p->rows[0].side[0].url, "imaps://ann@mail.old:993/");
	assert_string_equal(w->p->rows[0].side[1].url, "imaps://ann%40corp.example@new/");
	assert_true(pf_span_is(w->p->rows[0].side[0].password, "a,\"b"));
	assert_string_equal(w->p->rows[1].side[0].url, "imap://bob%40x@mail.old:143/");
	assert_true(pf_span_is(w->p->rows[1].side[0].password, " pw "));
	assert_null(w->p->rows[1].side[1].password.p);
}

static void test_exchange_onlines_form(void **state)
{
	struct world *w = *state;

	put(w->accounts, "EmailAddress;UserName;Password;UserRoot\n"
			 "ann@corp.example;contoso\\ann;pw;/\n");
	read_plan(w, w->accounts, "imaps://{user}@old/", "imap://{local}@{domain}/");
	is_fine(w);
	assert_string_equal(w->p->rows[0].side[0].url, "imaps://contoso%5Cann@old/");
	assert_string_equal(w->p->rows[0].side[1].url, "imap://ann@corp.example/");
	assert_int_equal(w->p->warnings, 0); /* the domain before a name is no other name */
}

static void test_free_form(void **state)
{
	struct world *w = *state;

	put(w->accounts, "login,old host,to_password\nann,mail1,x\n");
	read_plan(w, w->accounts, "imaps://{login}@{old host}/", "imaps://{LOGIN}%40corp@new/");
	is_fine(w);
	assert_string_equal(w->p->rows[0].side[0].url, "imaps://ann@mail1/");
	assert_string_equal(w->p->rows[0].side[1].url, "imaps://ann%40corp@new/");
	assert_true(pf_span_is(w->p->rows[0].side[1].password, "x"));
}

static void test_places_of_problems(void **state)
{
	static const struct {
		const char *csv, *says;
	} CASES[] = {
		{"from,to\nimap://a@h/,imap://a@g/\nimap://b@h/,\n",
			"row 3, column 2 (to): this cell is empty"},
		{"from,to\nimap:/x,imap://a@g/\n", "row 2, column 1 (from): URL"},
		{"from,to\npop://a@h/,imap://a@g/\n",
			"knows no scheme \"pop\"; it knows imap, imaps, maildir"},
		{"from,to\nimap://a@h/ pop://a@h/,imap://a@g/\n",
			"row 2, column 1 (from): this version knows no scheme \"pop\""},
		{"from,to\nimap://a@h/ imap://b@h/,imap://a@g/\n",
			"row 2: two sources would go into the target imap://a@g/"},
		{"from,to\nimap://h/,imap://a@g/\n", "the URL names no user"},
		{"from,to,form_secret\nimap://a@h/,imap://a@g/,x\n",
			"row 1, column 3 (form_secret): no such column belongs to this form of "
			"file; did you mean \"from_secret\"?"},
		{"from,to,to\na,b,c\n", "this column comes twice"},
		{"from\nimap://a@h/\n", "row 1 (to): this column is missing"},
		{"from,to\nimap://a@h/\n", "row 2: 1 cells, where the header has 2"},
		{"from,to\nimap://a@h/,imap://a@g/,x\n", "row 2: 3 cells"},
		{"from,to\n", "a header and no accounts"},
		{"", "the file is empty"},
		{"x,y\n1,2\n", "this header is of no known form"},
		{"EmailAddress,UserName,Password\na@b,a,p\n", "does not say where the source is"},
		{"from,to\nimap://a@h/,imap://a@g/\nimap://a@h/,imap://a@g:143/\n",
			"row 3: the same accounts as in row 2"},
		{"from,to\nimap://a@h/,imap://a@g/\nimap://b@h/,imap://a@g/\n",
			"row 3: the target imap://a@g/ is that of row 2"},
		{"from,to\nimap://a@H/,imaps://a@h:993/\n", "row 2: the target is the source"},
		{"from,to,from_secret,from_password\nimap://a@h/,imap://a@g/,env:X,pw\n",
			"row 2, column 3 (from_secret): the row has a password, too"},
		{"from,to\n\"imap://a@h/,imap://a@g/\n", "row 2, column 1 begins with a quote"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		read_csv(w, CASES[i].csv);
		assert_true(w->p->errors > 0);
		says(w, CASES[i].says);
		says(w, w->accounts); /* the file is named */
	}
}

static void test_shifted_rows_are_noticed(void **state)
{
	struct world *w = *state;

	read_csv(w, "from,to\nimap://ann@h/,imap://ann%40x@g/\nimap://bob@h/,imap://cid@g/\n"
		    "imap://cid@h/,imap://bob@g/\nimap://dan@h/,imap://d.smith@g/\n");
	is_fine(w);
	assert_int_equal(w->p->warnings, 3);
	says(w, "row 3: the mail of \"bob\" goes to \"cid\", while \"bob\" is the target of row 4: "
		"is a line shifted?");
	says(w, "row 5: the mail of \"dan\" goes to \"d.smith\": is that meant?");
}

static void test_passwords_are_for_their_owner_alone(void **state)
{
	struct world *w = *state;

	put(w->accounts, "from,to,from_password\nimap://a@h/,imap://a@g/,geheim\n");
	assert_int_equal(chmod(w->accounts, 0640), 0);
	read_plan(w, w->accounts, NULL, NULL);
	assert_true(w->p->errors > 0);
	says(w, "chmod 600");
	assert_null(strstr(problem(w, 0), "geheim"));
}

static void test_plan(void **state)
{
	struct world *w = *state;

	read_yaml(w,
		"servers:\n"
		"  old: {host: mail.old.example, port: 1143, tls: starttls, admin: cyrus,\n"
		"        secret: \"env:OLD\", connections: 7, rate: 10M}\n"
		"  new:\n"
		"    host: mail.new.example\n"
		"    tls: implicit\n"
		"    connections_per_account: 2\n"
		"    allow_plaintext: false\n"
		"accounts: a.csv\n"
		"from: imap://{user}@old/\n"
		"to: imap://{address}@new/\n"
		"to_secret: \"file:secrets/{local}\"\n"
		"kinds: [mail, notes]\n"
		"include: [Projects/*, INBOX]\n"
		"exclude: Trash\n"
		"map: {Sent Items: Sent}\n"
		"since: 2020-01-31\n"
		"mirror: no\n"
		"ledger: run.ledger\n",
		"EmailAddress,UserName\nann@corp.example,ann\n");
	is_fine(w);
	assert_int_equal(w->p->server_n, 2);
	assert_int_equal(w->p->servers[0].connections, 7);
	assert_int_equal(w->p->servers[1].connections_per_account, 2);
	assert_int_equal(w->p->servers[0].plaintext, PF_PLAN_AS_ALL);
	assert_int_equal(w->p->servers[1].plaintext, PF_PLAN_FORBIDDEN);
	assert_string_equal(w->p->rows[0].side[0].url, "imap://ann@mail.old.example:1143/");
	assert_string_equal(w->p->rows[0].side[0].admin, "cyrus");
	assert_string_equal(w->p->rows[0].side[0].secret, "env:OLD");
	assert_string_equal(
		w->p->rows[0].side[1].url, "imaps://ann%40corp.example@mail.new.example/");
	assert_true(strncmp(w->p->rows[0].side[1].secret, "file:/tmp/test_plan.", 20) == 0);
	assert_non_null(strstr(w->p->rows[0].side[1].secret, "/secrets/ann"));
	assert_int_equal(w->p->option_n, 7);
	assert_string_equal(w->p->options[0].name, "kinds");
	assert_string_equal(w->p->options[0].value, "mail,notes");
	assert_string_equal(w->p->options[4].name, "map");
	assert_string_equal(w->p->options[4].value, "Sent Items=Sent");
	assert_int_equal(w->p->options[4].line, 16);
}

/* The server's name, its host, and its host with its port all mean it. */
static void test_servers_of_urls(void **state)
{
	struct world *w = *state;

	read_yaml(w, "accounts: a.csv\nservers:\n  s: {host: h.example, port: 1143}\n",
		"from,to\nimap://a@s/,imap://a@g/\nimap://b@h.example:1143/,imap://"
		"b@h.example:143/\n");
	is_fine(w);
	assert_int_equal(w->p->rows[0].side[0].server, 0);
	assert_string_equal(w->p->rows[0].side[0].url, "imap://a@h.example:1143/");
	assert_int_equal(w->p->rows[1].side[0].server, 0);
	assert_int_equal(w->p->rows[1].side[1].server, PF_PLAN_NO_SERVER);
}

static void test_places_of_plan_problems(void **state)
{
	static const struct {
		const char *yaml, *says;
	} CASES[] = {
		{"acounts: a.csv\n", "plan.yaml line 1 (acounts): there is no such key here; did "
				     "you mean \"accounts\"?"},
		{"accounts: a.csv\nservers:\n  old:\n    hots: x\n",
			"line 4 (hots): there is no such key here; did you mean \"host\"?"},
		{"accounts: a.csv\nservers:\n  old:\n    port: many\n",
			"line 4 (port): it must be a number"},
		{"accounts: a.csv\nservers:\n  old:\n    allow_plaintext: maybe\n",
			"line 4 (allow_plaintext): it must be true or false"},
		{"accounts: a.csv\nservers:\n  old: {tls: none}\n",
			"line 3 (tls): it must be implicit"},
		{"accounts: a.csv\nservers: [x]\n", "line 2 (servers): it must be a mapping"},
		{"accounts: a.csv\nservers: {a: {host: x}, A: {host: y}}\n",
			"this server comes twice"},
		{"accounts: a.csv\nkinds: [mail]\nkinds: [mail]\n",
			"line 3 (kinds): this key comes twice"},
		{"accounts:\n", "line 1 (accounts): it has no value"},
		{"accounts: [a]\n", "line 1 (accounts): it must be a single value"},
		{"kinds: mail\n", "(accounts): this key is missing"},
		{"accounts: \"a\n", "this is no YAML"},
		{"accounts: a.csv\n\tx: y\n", "line 2: this is no YAML"},
		{"- a\n", "a plan is a mapping"},
		{"", "a plan is a mapping"},
		{"accounts: a.csv\nfrom_secret: \"command:get {user}\"\n",
			"a command takes no {field}"},
		{"accounts: a.csv\nmap: Sent\n", "line 2 (map): it must be a mapping"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		read_yaml(w, CASES[i].yaml, "from,to\nimap://a@h/,imap://a@g/\n");
		assert_true(w->p->errors > 0);
		says(w, CASES[i].says);
	}
}

static void test_templates_are_held_against_the_columns(void **state)
{
	struct world *w = *state;

	read_yaml(w, "accounts: a.csv\nfrom: imap://{UserNam}@h/\nto: imap://{user}@g/\n",
		"EmailAddress,UserName,Password\na@b,a,p\n");
	says(w, "(from): the accounts have no field {UserNam}; did you mean {UserName}?");
	read_yaml(w, "accounts: a.csv\nfrom: imap://{user}@h/\n",
		"from,to\nimap://a@h/,imap://a@g/\n");
	says(w, "the file has the URLs itself");
}

static void test_a_password_must_come_from_somewhere(void **state)
{
	struct world *w = *state;
	struct pf_plan_cfg cfg = {
		.path = w->accounts, .schemes = SCHEMES, .source_has_secret = true};

	put(w->accounts, "from,to\nimap://a@h/,imap://a@g/\nimap://b@h/,maildir:/tmp/b\n");
	assert_int_equal(pf_plan_read(&cfg, &w->p, &w->err), PF_OK);
	assert_int_equal(w->p->errors, 1); /* files need none */
	says(w, "row 2, column 2 (to): no password for imap://a@g/");
}

static void test_all_problems_are_told_in_order(void **state)
{
	struct world *w = *state;
	char csv[8192] = "from,to\n";

	for (size_t i = 0; i < 200; i++) {
		size_t n = strlen(csv);

		(void)snprintf(csv + n, sizeof(csv) - n, "imap://u%zu@h/,bad\n", i);
	}
	read_csv(w, csv);
	assert_int_equal(w->p->errors, 200);
	assert_int_equal(w->p->problem_n, 50);
	assert_int_equal(w->p->problems[0].row, 2);
	assert_int_equal(w->p->problems[49].row, 51);
}

static void test_one_account(void **state)
{
	struct world *w = *state;
	const char *from[] = {"imap://a@h/", NULL}, *to[] = {"maildir:/tmp/x y", NULL};
	struct pf_plan_cfg cfg = {.urls = {from, to}, .schemes = SCHEMES};

	assert_int_equal(pf_plan_of_one(&cfg, &w->p, &w->err), PF_OK);
	assert_int_equal(w->p->errors, 0);
	assert_int_equal(w->p->row_n, 1);
	assert_int_equal(w->p->rows[0].kinds, 0);
	pf_plan_free(&w->p);
	from[0] = "imap:h";
	assert_int_equal(pf_plan_of_one(&cfg, &w->p, &w->err), PF_OK);
	assert_true(strncmp(problem(w, 0), "--from: URL", 11) == 0);
	pf_plan_free(&w->p);
	cfg.urls[1] = NULL;
	from[0] = "imap://a@h/";
	assert_int_equal(pf_plan_of_one(&cfg, &w->p, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "--to URL is missing"));
}

/* ---- several stores ---- */

static void of_one(struct world *w, const char *const *from, const char *const *to)
{
	const struct pf_plan_cfg cfg = {.urls = {from, to}, .schemes = SCHEMES};

	pf_plan_free(&w->p);
	assert_int_equal(pf_plan_of_one(&cfg, &w->p, &w->err), PF_OK);
}

static void goes(const struct world *w, size_t row, const char *from, const char *to,
	uint32_t kinds, bool nowhere)
{
	assert_true(row < w->p->row_n);
	assert_string_equal(w->p->rows[row].side[0].url, from);
	assert_string_equal(w->p->rows[row].side[1].url, to);
	assert_int_equal(w->p->rows[row].kinds, kinds);
	assert_int_equal(w->p->rows[row].nowhere, nowhere);
}

static void test_each_kind_goes_to_the_first_that_takes_it(void **state)
{
	struct world *w = *state;
	const char *from[] = {"caldav://a@o/", "imap://a@o/", NULL};
	const char *to[] = {"imap://b@n/", "maildir:/tmp/m", "ics:/tmp/c", "caldav://b@n/", NULL};

	of_one(w, from, to);
	is_fine(w);
	assert_int_equal(w->p->row_n, 3);
	goes(w, 0, from[0], to[2], PF_KIND_CALENDAR, false);
	goes(w, 1, from[0], to[3], PF_KIND_TASKS, false);
	goes(w, 2, from[1], to[0], PF_KIND_MAIL, false);
	assert_string_equal(w->p->rows[0].whole[0], "caldav://a@o/ imap://a@o/");
	assert_string_equal(w->p->rows[2].whole[0], w->p->rows[0].whole[0]);
}

static void test_what_no_target_takes(void **state)
{
	struct world *w = *state;
	const char *from[] = {"imap://a@o/", "carddav://a@o/", "caldav://a@o/", NULL};
	const char *to[] = {"imap://b@n/", "ics:/tmp/c", NULL};

	of_one(w, from, to);
	is_fine(w);
	assert_int_equal(w->p->row_n, 3);
	goes(w, 0, from[0], to[0], PF_KIND_MAIL, false);
	goes(w, 1, from[1], to[0], PF_KIND_CONTACTS, true);
	goes(w, 2, from[2], to[1], PF_KIND_CALENDAR | PF_KIND_TASKS, false);
}

static void test_items_in_mails_disguise(void **state)
{
	struct world *w = *state;
	const char *from[] = {"imaps://a@o/", NULL, NULL}, *one[] = {"imap://b@n/", NULL};
	const char *to[] = {"imap://b@n/", "ics:/tmp/c", "caldav://b@n/", NULL};
	const char *both[] = {"ews://b@n/", "caldav://b@n/", NULL};

	of_one(w, from, one);
	assert_int_equal(w->p->row_n, 1);
	assert_int_equal(w->p->rows[0].apart | w->p->rows[0].disguised, 0);

	of_one(w, from, to);
	is_fine(w);
	assert_int_equal(w->p->row_n, 3);
	goes(w, 0, from[0], to[1], PF_KIND_CALENDAR, false);
	assert_int_equal(w->p->rows[0].disguised, PF_KIND_CALENDAR);
	goes(w, 1, from[0], to[2], PF_KIND_TASKS, false);
	assert_int_equal(w->p->rows[1].disguised, PF_KIND_TASKS);
	goes(w, 2, from[0], to[0], PF_KIND_MAIL, false);
	assert_int_equal(w->p->rows[2].apart, PF_KIND_CALENDAR | PF_KIND_TASKS);
	assert_int_equal(w->p->rows[2].disguised, 0);

	of_one(w, from, both); /* one way where the target takes both */
	is_fine(w);
	assert_int_equal(w->p->row_n, 2);
	goes(w, 0, from[0], both[1], PF_KIND_TASKS, false);
	goes(w, 1, from[0], both[0], PF_KIND_MAIL | PF_KIND_CALENDAR, false);
	assert_int_equal(w->p->rows[1].disguised, PF_KIND_CALENDAR);
	assert_int_equal(w->p->rows[1].apart, PF_KIND_CALENDAR | PF_KIND_TASKS);

	from[1] = "caldav://a@o/"; /* has them as what they are: nothing is looked for in mail */
	of_one(w, from, to);
	assert_int_equal(w->p->row_n, 3);
	for (size_t i = 0; i < w->p->row_n; i++) {
		assert_int_equal(w->p->rows[i].apart | w->p->rows[i].disguised, 0);
	}
}

static void test_two_sources_for_one_target(void **state)
{
	struct world *w = *state;
	const char *from[] = {"imap://a@o/", "imap://b@o/", NULL}, *to[] = {"imap://b@n/", NULL};

	of_one(w, from, to);
	says(w, "two sources would go into the target imap://b@n/ at the same time");
}

static void test_a_store_of_several(void **state)
{
	struct world *w = *state;
	char archive[80], mail[80], cal[80];
	const char *from[] = {archive, NULL}, *to[] = {"imap://b@n/", "ics:/tmp/c", NULL};

	(void)snprintf(archive, sizeof(archive), "archive:%s", w->dir);
	(void)snprintf(mail, sizeof(mail), "maildir:%s/mail", w->dir);
	(void)snprintf(cal, sizeof(cal), "ics:%s/cal", w->dir);
	of_one(w, from, to);
	says(w, "there is no such archive");
	assert_int_equal(mkdir(cal + 4, 0700), 0);
	of_one(w, from, to); /* only the part that is there */
	is_fine(w);
	assert_int_equal(w->p->row_n, 1);
	goes(w, 0, cal, to[1], PF_KIND_CALENDAR, false);
	assert_string_equal(w->p->rows[0].whole[0], archive);
	of_one(w, (const char *const[]){"imap://a@o/", "caldav://a@o/", NULL}, from);
	is_fine(w);
	assert_int_equal(w->p->row_n, 2);
	goes(w, 0, "imap://a@o/", mail, PF_KIND_MAIL, false);
	goes(w, 1, "caldav://a@o/", cal, PF_KIND_CALENDAR | PF_KIND_TASKS, false);
	(void)rmdir(cal + 4);
}

static void test_secrets_of_several_stores(void **state)
{
	struct world *w = *state;
	const char *from[] = {"imap://a@o/", "caldav://a@o/", NULL};
	const char *to[] = {"imap://b@n/", "caldav://b@n/", NULL};
	const char *each[] = {"env:A", "env:B", NULL}, *one[] = {"env:C", NULL};
	const char *three[] = {"env:A", "env:B", "env:C", NULL};
	struct pf_plan_cfg cfg = {.urls = {from, to}, .secrets = {each, one}, .schemes = SCHEMES};

	assert_int_equal(pf_plan_of_one(&cfg, &w->p, &w->err), PF_OK);
	is_fine(w);
	assert_string_equal(w->p->rows[0].side[0].secret, "env:A");
	assert_string_equal(w->p->rows[1].side[0].secret, "env:B");
	assert_null(w->p->rows[0].side[1].secret); /* the one for all is the command's */
	pf_plan_free(&w->p);
	cfg.secrets[0] = three;
	assert_int_equal(pf_plan_of_one(&cfg, &w->p, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "--from-secret is given 3 times for 2 URLs"));
}

static void test_several_urls_in_a_cell(void **state)
{
	struct world *w = *state;

	read_csv(w, "from,to\n"
		    "imap://ann@old/  caldav://ann@old/,imap://ann@new/ ics:/tmp/my cal\n"
		    "imap://bob@old/,imap://bob@new/\n");
	is_fine(w);
	assert_int_equal(w->p->row_n, 3);
	goes(w, 0, "imap://ann@old/", "imap://ann@new/", PF_KIND_MAIL, false);
	goes(w, 1, "caldav://ann@old/", "ics:/tmp/my cal", PF_KIND_CALENDAR | PF_KIND_TASKS, false);
	assert_int_equal(w->p->rows[1].row, 2);
	assert_int_equal(w->p->rows[2].row, 3);
	read_yaml(w,
		"accounts: a.csv\nfrom: \"imap://{u}@old/ caldav://{u}@old/\"\n"
		"to: \"imap://{u}@new/ caldav://{u}@new/\"\nfrom_secret: env:A\n",
		"u\nann\n");
	is_fine(w);
	assert_int_equal(w->p->row_n, 2);
	assert_string_equal(w->p->rows[1].side[0].url, "caldav://ann@old/");
	assert_string_equal(w->p->rows[1].side[0].secret, "env:A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_our_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wizards_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exchange_onlines_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places_of_problems, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shifted_rows_are_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_passwords_are_for_their_owner_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_servers_of_urls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places_of_plan_problems, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_templates_are_held_against_the_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_password_must_come_from_somewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_all_problems_are_told_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_account, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_each_kind_goes_to_the_first_that_takes_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_no_target_takes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_items_in_mails_disguise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_sources_for_one_target, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_store_of_several, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets_of_several_stores, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several_urls_in_a_cell, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
