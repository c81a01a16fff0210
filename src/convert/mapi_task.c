#include "convert/mapi_task.h"

#include "base/civil.h"
#include "convert/form_private.h"
#include "convert/mapi_recur.h"
#include "model/mapi_tags.h"

enum {
	STATUS = 0x8101,
	PERCENT = 0x8102,
	START = 0x8104,
	DUE = 0x8105,
	COMPLETED = 0x810F,
	ACTUAL = 0x8110,
	ESTIMATED = 0x8111,
	RECURRENCE = 0x8116,
	IS_DONE = 0x811C,
	OWNER = 0x811F,
	RECURS = 0x8126,
	REMINDER_TIME = 0x8502,
	REMINDER_SET = 0x8503,
	MILEAGE = 0x8534,
	BILLING = 0x8535,
	COMPANIES = 0x8539,
};

static void put_number(struct form *f, const char *head, const struct pf_mapi_value *v)
{
	int64_t n;

	if (pf_mapi_number(v, &n) && n != 0) {
		pf_mapi_linef(&f->o, head, "%lld", (long long)n);
	}
}

static void put_status(struct form *f)
{
	static const char *const NAMES[] = {
		"NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "NEEDS-ACTION", "NEEDS-ACTION"};
	const struct pf_mapi_value *part = form_lid(f, &pf_set_task, PERCENT);
	int64_t status = 0;

	if (!pf_mapi_number(form_lid(f, &pf_set_task, STATUS), &status) &&
		pf_mapi_true(form_lid(f, &pf_set_task, IS_DONE))) {
		status = 2;
	}
	if (status >= 0 && status < (int64_t)PF_COUNT(NAMES)) {
		pf_mapi_linef(&f->o, "STATUS", "%s", NAMES[status]);
	}
	/* waiting and deferred are said only here */
	pf_mapi_linef(&f->o, "X-MICROSOFT-TASK-STATUS", "%lld", (long long)status);
	if (part && part->type == PF_MAPI_DOUBLE && part->real >= 0 && part->real <= 1) {
		pf_mapi_linef(&f->o, "PERCENT-COMPLETE", "%d", (int)(part->real * 100 + 0.5));
	}
}

static void put_day(struct form *f, const char *head, uint32_t midnight)
{
	struct pf_civil c;

	pf_civil_from_unix(pf_recur_to_unix(midnight), &c);
	pf_mapi_linef(&f->o, head, "%04d%02d%02d", c.year, c.month, c.day);
}

static void put_rule(struct form *f, const struct pf_recur *r)
{
	struct pf_civil c;
	struct pf_buf rule;
	char until[32];
	const char *text = "";

	pf_civil_from_unix(pf_recur_to_unix(r->end), &c);
	(void)snprintf(until, sizeof(until), "%04d%02d%02d", c.year, c.month, c.day);
	pf_buf_init(&rule, 4096);
	if (f->o.rc == PF_OK && (pf_recur_to_rule(r, until, &rule, f->err) != PF_OK ||
					pf_buf_cstr(&rule, &text, f->err) != PF_OK)) {
		f->o.rc = PF_FAIL;
	}
	pf_mapi_line_begin(&f->o, "RRULE");
	pf_mapi_line_value(&f->o, text, pf_span(NULL, 0));
	pf_mapi_line_end(&f->o);
	for (size_t i = 0; i < r->deleted_n; i++) {
		put_day(f, "EXDATE;VALUE=DATE", r->deleted[i]);
	}
	pf_buf_deinit(&rule);
}

/*
 * A series counts from its first day; where each task is made when the one before is done
 * ([MS-OXOTASK] 2.2.2.2.15), iCalendar has no words for it, nor for calendars of others.
 */
static bool put_recurrence(struct form *f)
{
	struct pf_span blob = pf_mapi_bytes(form_lid(f, &pf_set_task, RECURRENCE));
	struct pf_recur r;
	struct pf_err why;

	if (!pf_mapi_true(form_lid(f, &pf_set_task, RECURS)) || blob.n == 0) {
		return false;
	}
	if (pf_recur_read(f->arena, blob, f->item->code_page, &r, &why) == PF_OK && !r.sliding &&
		pf_recur_can_say(&r)) {
		put_day(f, "DTSTART;VALUE=DATE", pf_recur_first(&r));
		put_rule(f, &r);
		return true;
	}
	pf_mapi_odd(f->losses, "a task's recurrence is kept in its own form only");
	form_binary(f, "X-MICROSOFT-TASK-RECURRENCE", "", blob);
	return false;
}

static void put_dates(struct form *f)
{
	const struct pf_mapi_value *done = form_lid(f, &pf_set_task, COMPLETED);
	const struct pf_mapi_value *start = form_lid(f, &pf_set_task, START);
	int64_t unix_s;

	if (!put_recurrence(f)) {
		form_date(f, "DTSTART;VALUE=DATE", start, false);
	}
	form_date(f, "DUE;VALUE=DATE", form_lid(f, &pf_set_task, DUE), false);
	if (pf_mapi_unix(done, &unix_s)) {
		form_moment(f, "COMPLETED", done);
	}
}

static void put_effort(struct form *f)
{
	put_number(f, "X-MICROSOFT-TASK-ACTUAL-EFFORT", form_lid(f, &pf_set_task, ACTUAL));
	put_number(f, "X-MICROSOFT-TASK-ESTIMATED-EFFORT", form_lid(f, &pf_set_task, ESTIMATED));
	pf_mapi_line_text(&f->o, "X-MICROSOFT-TASK-OWNER", form_lid_text(f, &pf_set_task, OWNER));
	pf_mapi_line_text(
		&f->o, "X-MICROSOFT-TASK-MILEAGE", form_lid_text(f, &pf_set_common, MILEAGE));
	pf_mapi_line_text(
		&f->o, "X-MICROSOFT-TASK-BILLING", form_lid_text(f, &pf_set_common, BILLING));
	form_each(f, "X-MICROSOFT-TASK-COMPANY", form_lid(f, &pf_set_common, COMPANIES));
}

static void put_reminder(struct form *f)
{
	const struct pf_mapi_value *when = form_lid(f, &pf_set_common, REMINDER_TIME);
	int64_t unix_s;

	if (pf_mapi_true(form_lid(f, &pf_set_common, REMINDER_SET)) &&
		pf_mapi_unix(when, &unix_s)) {
		pf_mapi_linef(&f->o, "BEGIN", "VALARM");
		pf_mapi_linef(&f->o, "ACTION", "DISPLAY");
		pf_mapi_linef(&f->o, "DESCRIPTION", "Reminder");
		form_moment(f, "TRIGGER;VALUE=DATE-TIME", when);
		pf_mapi_linef(&f->o, "END", "VALARM");
	}
}

int pf_mapi_task(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err)
{
	struct form f;

	form_begin(&f, item, ways, losses, out, err);
	form_begin_component(&f, "VTODO");
	put_status(&f);
	put_dates(&f);
	put_effort(&f);
	form_say(&f);
	put_reminder(&f);
	form_end_component(&f, "VTODO");
	return form_end(&f);
}
