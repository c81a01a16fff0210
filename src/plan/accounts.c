/*
 * The forms of account files, told by their header:
 *
 *   ours             from,to[,from_secret,to_secret,from_admin,to_admin]
 *   the wizard's IMAP_Mailbox,IMAP_Password,SMTP_Address,IMAP_Server,Ex_Mailbox,IMAP_Port,IMAP_SSL
 *   Exchange Online  EmailAddress,UserName,Password[,UserRoot]
 *   free             any columns, when the plan has templates for both sides
 *
 * Every form may also have from_password, to_password and the other columns of ours but from and
 * to.
 */
#include "plan/plan_private.h"

#include "base/nearest.h"

#include <stdio.h>
#include <stdlib.h>

enum form { FORM_FREE, FORM_OURS, FORM_WIZARD, FORM_ONLINE };

enum column {
	FROM,
	TO,
	FROM_SECRET,
	TO_SECRET,
	FROM_ADMIN,
	TO_ADMIN,
	FROM_PASSWORD,
	TO_PASSWORD,
	IMAP_MAILBOX,
	IMAP_PASSWORD,
	SMTP_ADDRESS,
	IMAP_SERVER,
	EX_MAILBOX,
	IMAP_PORT,
	IMAP_SSL,
	EMAIL_ADDRESS,
	USER_NAME,
	PASSWORD,
	USER_ROOT,
	COLUMNS,
};

static const struct {
	const char *name;
	enum form form; /* FREE: of every form */
	bool needed;    /* in that form */
} COLUMN[COLUMNS] = {
	[FROM] = {"from", FORM_OURS, true},
	[TO] = {"to", FORM_OURS, true},
	[FROM_SECRET] = {"from_secret", FORM_FREE, false},
	[TO_SECRET] = {"to_secret", FORM_FREE, false},
	[FROM_ADMIN] = {"from_admin", FORM_FREE, false},
	[TO_ADMIN] = {"to_admin", FORM_FREE, false},
	[FROM_PASSWORD] = {"from_password", FORM_FREE, false},
	[TO_PASSWORD] = {"to_password", FORM_FREE, false},
	[IMAP_MAILBOX] = {"IMAP_Mailbox", FORM_WIZARD, true},
	[IMAP_PASSWORD] = {"IMAP_Password", FORM_WIZARD, false},
	[SMTP_ADDRESS] = {"SMTP_Address", FORM_WIZARD, true},
	[IMAP_SERVER] = {"IMAP_Server", FORM_WIZARD, false},
	[EX_MAILBOX] = {"Ex_Mailbox", FORM_WIZARD, false},
	[IMAP_PORT] = {"IMAP_Port", FORM_WIZARD, false},
	[IMAP_SSL] = {"IMAP_SSL", FORM_WIZARD, false},
	[EMAIL_ADDRESS] = {"EmailAddress", FORM_ONLINE, true},
	[USER_NAME] = {"UserName", FORM_ONLINE, true},
	[PASSWORD] = {"Password", FORM_ONLINE, false},
	[USER_ROOT] = {"UserRoot", FORM_ONLINE, false},
};

static const char FORMS[] =
	"from,to; or IMAP_Mailbox,IMAP_Password,SMTP_Address,IMAP_Server,...; or "
	"EmailAddress,UserName,Password; or any columns with a plan that has "
	"templates for from and to";

/* Where to look for what fields {user} and {address} mean. */
static const enum column USERS[] = {IMAP_MAILBOX, USER_NAME},
			 ADDRESSES[] = {SMTP_ADDRESS, EMAIL_ADDRESS};

struct table {
	struct reader *r;
	struct pf_csv csv;
	struct pf_csv_row line;
	enum form form;
	size_t at[COLUMNS];   /* index of the cell; SIZE_MAX: there is none */
	size_t n;             /* columns of the header */
	const char **headers; /* copies: they outlive the row */
	size_t user, address; /* cells; SIZE_MAX: none */
	char local[320], domain[320];
};

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t')) {
		s[--n] = '\0';
	}
	return s;
}

static bool is_password(enum column c)
{
	return c == FROM_PASSWORD || c == TO_PASSWORD || c == IMAP_PASSWORD || c == PASSWORD;
}

/* The cell of the line; NULL: no such column, or empty. */
static const char *cell(const struct table *t, enum column c)
{
	const char *s = t->at[c] == SIZE_MAX ? NULL : t->line.cell[t->at[c]];

	return s && *s ? s : NULL;
}

static void PF_PRINTF(3, 4) wrong(struct table *t, enum column c, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	plan_problem_at(t->r->plan, t->line.row, t->at[c] == SIZE_MAX ? 0 : t->at[c] + 1,
		COLUMN[c].name, "%s", text);
}

/* ---- the header ---- */

static enum form form_of(const struct table *t)
{
	for (enum column c = 0; c < COLUMNS; c++) {
		if (t->at[c] != SIZE_MAX && COLUMN[c].form != FORM_FREE) {
			return COLUMN[c].form;
		}
	}
	return FORM_FREE;
}

static void find_columns(struct table *t)
{
	for (enum column c = 0; c < COLUMNS; c++) {
		t->at[c] = SIZE_MAX;
		for (size_t i = 0; i < t->n; i++) {
			if (strcasecmp(t->headers[i], COLUMN[c].name) != 0) {
				continue;
			}
			if (t->at[c] != SIZE_MAX) {
				plan_problem_at(t->r->plan, t->line.row, i + 1, COLUMN[c].name,
					"this column comes twice");
			}
			t->at[c] = i;
		}
	}
	t->form = form_of(t);
}

static bool belongs(const struct table *t, const char *name)
{
	for (enum column c = 0; c < COLUMNS; c++) {
		if (strcasecmp(name, COLUMN[c].name) == 0) {
			return COLUMN[c].form == FORM_FREE || COLUMN[c].form == t->form;
		}
	}
	return t->form == FORM_FREE;
}

static void check_columns(struct table *t)
{
	const char *known[COLUMNS];
	size_t n = 0;

	for (enum column c = 0; c < COLUMNS; c++) {
		if (COLUMN[c].form == FORM_FREE || COLUMN[c].form == t->form) {
			known[n++] = COLUMN[c].name;
		}
		if (COLUMN[c].form == t->form && COLUMN[c].needed && t->at[c] == SIZE_MAX) {
			plan_problem_at(t->r->plan, t->line.row, 0, COLUMN[c].name,
				"this column is missing from the header");
		}
	}
	for (size_t i = 0; i < t->n; i++) {
		const char *near;

		if (belongs(t, t->headers[i])) {
			continue;
		}
		near = pf_nearest(t->headers[i], known, n);
		plan_problem_at(t->r->plan, t->line.row, i + 1, t->headers[i],
			"no such column belongs to this form of file%s%s%s",
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
}

static void add_field(struct fields *f, const char *name)
{
	f->name[f->n] = name;
	f->value[f->n++] = "";
}

static size_t find_cell(const struct table *t, const char *name, const enum column *c, size_t n)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcasecmp(t->headers[i], name) == 0) {
			return i;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (t->at[c[i]] != SIZE_MAX) {
			return t->at[c[i]];
		}
	}
	return SIZE_MAX;
}

static void name_fields(struct table *t)
{
	struct fields *f = &t->r->fields;

	f->n = 0;
	for (size_t i = 0; i < t->n; i++) {
		add_field(f, t->headers[i]);
	}
	t->user = find_cell(t, "user", USERS, PF_COUNT(USERS));
	t->address = find_cell(t, "address", ADDRESSES, PF_COUNT(ADDRESSES));
	t->address = t->address == SIZE_MAX ? t->user : t->address;
	if (t->user != SIZE_MAX) {
		add_field(f, "user");
	}
	if (t->address != SIZE_MAX) {
		add_field(f, "address");
		add_field(f, "local");
		add_field(f, "domain");
	}
}

/* What this form says by itself of each side; the rest must come from templates. */
static void check_templates(struct table *t)
{
	static const char *const SIDE[SIDES] = {"from", "to"};
	const struct pf_plan *p = t->r->plan;

	for (size_t side = 0; side < SIDES; side++) {
		const char *template = p->template[side];
		bool alone = t->form == FORM_OURS || (side == 0 && t->form == FORM_WIZARD &&
							     t->at[IMAP_SERVER] != SIZE_MAX);

		if (template && t->form == FORM_OURS) {
			plan_problem_at(t->r->plan, t->line.row, 0, SIDE[side],
				"the file has the URLs itself: leave out \"%s\" of the plan or "
				"--%s",
				SIDE[side], SIDE[side]);
		} else if (template) {
			(void)plan_template_ok(t->r, template, SIDE[side]);
		} else if (!alone && t->form == FORM_FREE) {
			plan_problem_at(t->r->plan, t->line.row, 0, "",
				"this header is of no known form: it must be %s", FORMS);
			return;
		} else if (!alone) {
			plan_problem_at(t->r->plan, 0, 0, "",
				"the file does not say where the %s is: name it by \"%s:\" in a "
				"plan "
				"or by --%s, as imaps://{%s}@HOST/",
				side == 0 ? "source" : "target", SIDE[side], SIDE[side],
				side == 0 ? "user" : "address");
		}
		if (t->r->secret[side]) {
			(void)plan_template_ok(
				t->r, t->r->secret[side], side == 0 ? "from_secret" : "to_secret");
		}
	}
}

static int read_header(struct table *t, struct pf_err *err)
{
	struct pf_plan *p = t->r->plan;

	t->n = t->line.n;
	t->headers = pf_arena_alloc(&p->arena, t->n * sizeof(*t->headers));
	if (!t->headers) {
		return pf_fail_memory(err, "a plan");
	}
	for (size_t i = 0; i < t->n; i++) {
		t->headers[i] = plan_str(p, pf_span_str(trim(t->line.cell[i])), err);
		if (!t->headers[i]) {
			return PF_FAIL;
		}
	}
	find_columns(t);
	check_columns(t);
	if (p->errors == 0) {
		name_fields(t);
		check_templates(t);
	}
	return PF_OK;
}

static bool has_passwords(const struct table *t)
{
	for (enum column c = 0; c < COLUMNS; c++) {
		if (is_password(c) && t->at[c] != SIZE_MAX) {
			return true;
		}
	}
	return false;
}

/* ---- rows ---- */

static void fill_fields(struct table *t)
{
	struct fields *f = &t->r->fields;
	size_t n = t->n;

	for (size_t i = 0; i < t->n; i++) {
		f->value[i] = t->line.cell[i];
	}
	if (t->user != SIZE_MAX) {
		f->value[n++] = t->line.cell[t->user];
	}
	if (t->address != SIZE_MAX) {
		const char *a = t->line.cell[t->address];
		size_t local = strcspn(a, "@");

		(void)snprintf(t->local, sizeof(t->local), "%.*s", (int)local, a);
		(void)snprintf(t->domain, sizeof(t->domain), "%s", a[local] ? a + local + 1 : "");
		f->value[n++] = a;
		f->value[n++] = t->local;
		f->value[n++] = t->domain;
	}
}

/* Blanks around a cell are dropped, but for passwords, which are what they are. */
static bool take_cells(struct table *t)
{
	size_t errors = t->r->plan->errors;

	if (t->line.n != t->n) {
		plan_problem_at(t->r->plan, t->line.row, 0, "",
			"%zu cells, where the header has %zu: a separator is missing or too many, "
			"or "
			"a cell with a separator in it needs quotes",
			t->line.n, t->n);
		return false;
	}
	for (size_t i = 0; i < t->n; i++) {
		bool is_secret = false;

		for (enum column c = 0; c < COLUMNS; c++) {
			is_secret = is_secret || (is_password(c) && t->at[c] == i);
		}
		if (!is_secret) {
			t->line.cell[i] = trim(t->line.cell[i]);
		}
		if (t->line.cell[i][strcspn(t->line.cell[i], "\r\n")] != '\0') {
			plan_problem_at(t->r->plan, t->line.row, i + 1, t->headers[i],
				"a line end within the cell: is a quote missing before it?");
		}
	}
	for (enum column c = 0; c < COLUMNS; c++) {
		if (t->at[c] != SIZE_MAX && COLUMN[c].needed && !cell(t, c)) {
			wrong(t, c, "this cell is empty");
		}
	}
	return t->r->plan->errors == errors;
}

static const char *yes_or_no(const char *s)
{
	static const char *const YES[] = {"1", "yes", "true", "on", "y"};
	static const char *const NO[] = {"0", "no", "false", "off", "n"};

	for (size_t i = 0; i < PF_COUNT(YES); i++) {
		if (strcasecmp(s, YES[i]) == 0) {
			return "yes";
		}
		if (strcasecmp(s, NO[i]) == 0) {
			return "no";
		}
	}
	return NULL;
}

/* The URL of the wizard's source: from server, port, TLS and mailbox. */
static int wizard_url(struct table *t, const char **out, struct pf_err *err)
{
	const char *ssl = cell(t, IMAP_SSL), *port = cell(t, IMAP_PORT);
	char template[400];

	*out = NULL;
	if (!cell(t, IMAP_SERVER)) {
		wrong(t, IMAP_SERVER, "this cell is empty");
		return PF_OK;
	}
	if (ssl && !yes_or_no(ssl)) {
		wrong(t, IMAP_SSL, "\"%.60s\" is neither 1 (TLS at once) nor 0 (STARTTLS)", ssl);
		return PF_OK;
	}
	if (port && (strlen(port) > 5 || port[strspn(port, "0123456789")] != '\0')) {
		wrong(t, IMAP_PORT, "\"%.60s\" is no port: it must be a number from 1 to 65535",
			port);
		return PF_OK;
	}
	(void)snprintf(template, sizeof(template), "imap%s://{IMAP_Mailbox}@%.255s%s%s/",
		ssl && strcmp(yes_or_no(ssl), "yes") == 0 ? "s" : "", cell(t, IMAP_SERVER),
		port ? ":" : "", port ? port : "");
	*out = plan_fill(t->r, template, true, err);
	return *out ? PF_OK : PF_FAIL;
}

static int side_url(struct table *t, size_t side, const char **out, struct pf_err *err)
{
	const char *template = t->r->plan->template[side];

	if (template) {
		*out = plan_fill(t->r, template, true, err);
		return *out ? PF_OK : PF_FAIL;
	}
	if (t->form == FORM_WIZARD) {
		return wizard_url(t, out, err);
	}
	*out = cell(t, side == 0 ? FROM : TO);
	return PF_OK;
}

static enum column password_column(const struct table *t, size_t side)
{
	if (side == 1) {
		return TO_PASSWORD;
	}
	return t->form == FORM_WIZARD   ? IMAP_PASSWORD
	       : t->form == FORM_ONLINE ? PASSWORD
					: FROM_PASSWORD;
}

/* The column that is to blame for the side, in messages. */
static enum column blamed(const struct table *t, size_t side)
{
	static const enum column BLAMED[][SIDES] = {
		[FORM_FREE] = {COLUMNS, COLUMNS},
		[FORM_OURS] = {FROM, TO},
		[FORM_WIZARD] = {IMAP_MAILBOX, SMTP_ADDRESS},
		[FORM_ONLINE] = {USER_NAME, EMAIL_ADDRESS},
	};

	return BLAMED[t->form][side];
}

/* One URL, or several with blanks between them: the stores of one account. */
static int finish_urls(struct table *t, struct pf_plan_side *s, size_t side,
	const struct plan_place *at, struct plan_stores *stores, struct pf_err *err)
{
	const char *next = s->url;
	int rc = PF_OK;

	while (next && rc == PF_OK) {
		const char *url = next;
		size_t n;

		next = plan_next_url(url);
		n = next ? (size_t)(next - url) : strlen(url);
		while (next && n > 0 && (url[n - 1] == ' ' || url[n - 1] == '\t')) {
			n--;
		}
		s->url = plan_str(t->r->plan, pf_span(url, n), err);
		rc = s->url ? plan_finish_side(t->r, s, side, at, stores, err) : PF_FAIL;
	}
	return rc;
}

static int take_side(struct table *t, struct plan_stores *stores, size_t side, struct pf_err *err)
{
	const char *password = cell(t, password_column(t, side));
	enum column blame = blamed(t, side);
	struct plan_place at = {.row = t->line.row};
	struct pf_plan_side s = {
		.secret = cell(t, side == 0 ? FROM_SECRET : TO_SECRET),
		.password = pf_span_str(password),
		.admin = cell(t, side == 0 ? FROM_ADMIN : TO_ADMIN),
	};

	if (s.secret && password) {
		wrong(t, side == 0 ? FROM_SECRET : TO_SECRET,
			"the row has a password, too: it must have one of the two");
	}
	if (side_url(t, side, &s.url, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!s.url) {
		return PF_OK; /* the problem was told */
	}
	at.column = blame < COLUMNS && t->at[blame] != SIZE_MAX ? t->at[blame] + 1 : 0;
	at.name = blame < COLUMNS ? COLUMN[blame].name : side == 0 ? "from" : "to";
	return finish_urls(t, &s, side, &at, stores, err);
}

static int take_row(struct table *t, struct pf_err *err)
{
	struct plan_stores stores = {.row = t->line.row};
	size_t errors = t->r->plan->errors;

	if (!take_cells(t)) {
		return PF_OK;
	}
	fill_fields(t);
	if (cell(t, USER_ROOT) && strcmp(cell(t, USER_ROOT), "/") != 0) {
		wrong(t, USER_ROOT,
			"this version can't take an account from below a folder: leave the cell "
			"empty, and name the account itself as UserName");
	}
	for (size_t side = 0; side < SIDES; side++) {
		if (take_side(t, &stores, side, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return t->r->plan->errors == errors ? plan_add_account(t->r, &stores, err) : PF_OK;
}

static int read_rows(struct table *t, struct pf_err *err)
{
	struct pf_err why;
	int rc;

	while ((rc = pf_csv_next(&t->csv, &t->line, &why)) == PF_OK) {
		if (take_row(t, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (rc == PF_FAIL) {
		plan_problem_at(t->r->plan, 0, 0, "", "%s", why.text);
	} else if (t->r->plan->row_n == 0 && t->r->plan->errors == 0) {
		plan_problem_at(t->r->plan, 0, 0, "", "the file has a header and no accounts");
	}
	return PF_OK;
}

int plan_accounts(struct reader *r, bool is_private, struct pf_err *err)
{
	struct pf_plan *p = r->plan;
	struct table t = {.r = r};
	struct pf_err why;
	int rc;

	pf_csv_begin(&t.csv, p->text.p, p->text.n);
	rc = pf_csv_next(&t.csv, &t.line, &why);
	if (rc != PF_OK) {
		plan_problem_at(p, 0, 0, "", "%s", rc == PF_END ? "the file is empty" : why.text);
		return PF_OK;
	}
	if (read_header(&t, err) != PF_OK) {
		return PF_FAIL;
	}
	if (p->errors == 0 && has_passwords(&t) && !is_private) {
		plan_problem_at(p, 0, 0, "",
			"the file has passwords, and others may read it; make it yours alone: "
			"chmod "
			"600 %s",
			p->accounts);
	}
	return p->errors == 0 ? read_rows(&t, err) : PF_OK;
}
