/* Which kind of item a class is. */
#include "convert/mapi_open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_kind_for_every_class(void **state)
{
	static const struct {
		const char *name;
		enum pf_kind kind;
	} CASES[] = {
		{"IPM.Note", PF_KIND_MAIL},
		{"IPM.Note.SMIME.MultipartSigned", PF_KIND_MAIL},
		{"REPORT.IPM.Note.NDR", PF_KIND_MAIL},
		{"IPM.Schedule.Meeting.Request", PF_KIND_MAIL},
		{"IPM.Appointment", PF_KIND_CALENDAR},
		{"ipm.appointment.Acme", PF_KIND_CALENDAR},
		{"IPM.AppointmentSnapshot", PF_KIND_MAIL},
		{"IPM.Contact", PF_KIND_CONTACTS},
		{"IPM.DistList", PF_KIND_CONTACTS},
		{"IPM.Task", PF_KIND_TASKS},
		{"IPM.TaskRequest.Accept", PF_KIND_MAIL},
		{"IPM.StickyNote", PF_KIND_NOTES},
		{"IPM.Activity", PF_KIND_NOTES},
		{"", PF_KIND_MAIL},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(pf_mapi_kind(pf_span_str(CASES[i].name)), CASES[i].kind);
	}
	assert_int_equal(pf_mapi_kind(pf_span(NULL, 0)), PF_KIND_MAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_for_every_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
