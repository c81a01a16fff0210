/* Which kind of item a class is, and the open form of each. */
#include "base/base64.h"
#include "convert/mapi_open.h"
#include "convert/test_item_private.h"
#include "proto/tnef/tnef.h"

#include <ftw.h>
#include <stdlib.h>

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

static void each_in_its_form(void **state)
{
	static const struct {
		struct given given[2];
		enum pf_kind kind;
		const char *type, *begins, *holds;
	} CASES[] = {
		{{{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Note")}}, PF_KIND_MAIL, "message/rfc822",
			"Message-ID: ", "\r\n\r\n"},
		{{{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Contact")}}, PF_KIND_CONTACTS,
			"text/vcard; charset=utf-8", "BEGIN:VCARD\r\nVERSION:4.0", "\r\nN:"},
		{{{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.DistList")}}, PF_KIND_CONTACTS,
			"text/vcard; charset=utf-8", "BEGIN:VCARD", "\r\nKIND:group\r\n"},
		{{{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Task.X")}}, PF_KIND_TASKS,
			"text/calendar; charset=utf-8", "BEGIN:VCALENDAR", "BEGIN:VTODO"},
		{{{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.StickyNote")}}, PF_KIND_NOTES,
			"text/calendar; charset=utf-8", "BEGIN:VCALENDAR", "BEGIN:VJOURNAL"},
		{{{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Appointment")},
			 {0x820D, &pf_set_appointment, WHEN(1700000000)}},
			PF_KIND_CALENDAR, "text/calendar; charset=utf-8", "BEGIN:VCALENDAR",
			"BEGIN:VEVENT"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_mapi_losses losses;
		struct pf_mapi_opened opened;
		struct pf_arena arena;
		struct pf_buf out;
		struct pf_err err;

		pf_arena_init(&arena);
		pf_buf_init(&out, 1 << 20);
		pf_mapi_losses_init(&losses, &arena);
		assert_int_equal(pf_mapi_open(make_item(&arena, CASES[i].given, 2), &TEST_WAYS,
					 &losses, &opened, &out, &err),
			PF_OK);
		assert_int_equal(opened.kind, CASES[i].kind);
		assert_string_equal(opened.type, CASES[i].type);
		assert_true(pf_span_starts(pf_buf_span(&out), CASES[i].begins));
		assert_non_null(memmem(out.p, out.n, CASES[i].holds, strlen(CASES[i].holds)));
		pf_buf_deinit(&out);
		pf_arena_deinit(&arena);
	}
}

static void an_appointment_needs_a_begin(void **state)
{
	static const struct given GIVEN[] = {{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Appointment")},
		{0x820D, &pf_set_appointment, WHEN(1720000800)}};
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;
	struct pf_arena arena;
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	pf_buf_init(&out, 1 << 20);
	pf_mapi_losses_init(&losses, &arena);
	assert_int_equal(
		pf_mapi_open(make_item(&arena, GIVEN, 1), &TEST_WAYS, &losses, &opened, &out, &err),
		PF_FAIL);
	assert_int_equal(err.scope, PF_SCOPE_ITEM);
	pf_mapi_losses_init(&losses, &arena);
	assert_int_equal(
		pf_mapi_open(make_item(&arena, GIVEN, 2), &TEST_WAYS, &losses, &opened, &out, &err),
		PF_OK);
	assert_int_equal(opened.kind, PF_KIND_CALENDAR);
	assert_non_null(memmem(out.p, out.n, "DTSTART:20240703T100000Z", 24));
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

/* What the first ATTACH line of `out` holds, its head before it; unfolded, in the arena. */
static struct pf_span attached(struct pf_arena *arena, const struct pf_buf *out, const char *head)
{
	char *text = pf_arena_alloc(arena, out->n + 1);
	const char *at;
	struct pf_buf bytes;
	struct pf_err err;
	struct pf_span got;
	size_t n = 0;

	assert_non_null(text);
	for (size_t i = 0; i < out->n; i++) {
		if (i + 2 < out->n && memcmp(out->p + i, "\r\n ", 3) == 0) {
			i += 2;
		} else {
			text[n++] = (char)out->p[i];
		}
	}
	at = strstr(text, head);
	assert_non_null(at);
	at = strchr(at, ':') + 1;
	pf_buf_init(&bytes, 1 << 20);
	assert_int_equal(pf_base64_decode(pf_span(at, strcspn(at, "\r")), &bytes, &err), PF_OK);
	got = pf_arena_span(arena, pf_buf_span(&bytes));
	pf_buf_deinit(&bytes);
	return got;
}

/* A message that is attached to an appointment, a task or a note is a file of it. */
static void an_item_within_is_a_file(void **state)
{
	static const struct given EVENT[] = {{0x001A, NULL, TEXT("IPM.Appointment")},
		{0x820D, &pf_set_appointment, WHEN(1720000800)}};
	static const struct given TASK[] = {{0x001A, NULL, TEXT("IPM.Task")}};
	static const struct given NOTE[] = {{0x001A, NULL, TEXT("IPM.StickyNote")}};
	static const struct given MAIL[] = {{0x001A, NULL, TEXT("IPM.Note")},
		{0x0037, NULL, TEXT("Agenda")}, {0x1000, NULL, TEXT("first of all")}};
	static const struct {
		const struct given *given;
		size_t n;
		const char *head;
	} CASES[] = {{EVENT, 2, "FMTTYPE=message/rfc822;X-FILENAME=Agenda.eml"},
		{TASK, 1, "X-FILENAME=Agenda.eml"}, {NOTE, 1, "X-FILENAME=Agenda.eml"}};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_mapi_attachment *a;
		struct pf_mapi_losses losses;
		struct pf_mapi_opened opened;
		struct pf_mapi_item *item;
		struct pf_arena arena;
		struct pf_buf out;
		struct pf_span got;
		struct pf_err err;

		pf_arena_init(&arena);
		pf_buf_init(&out, 1 << 20);
		pf_mapi_losses_init(&losses, &arena);
		item = make_item(&arena, CASES[i].given, CASES[i].n);
		a = pf_mapi_add_attachment(item);
		a->kind = PF_MAPI_ATTACH_ITEM;
		a->item = make_item(&arena, MAIL, PF_COUNT(MAIL));
		assert_int_equal(
			pf_mapi_open(item, &TEST_WAYS, &losses, &opened, &out, &err), PF_OK);
		got = attached(&arena, &out, CASES[i].head);
		assert_non_null(memmem(got.p, got.n, "Subject: Agenda\r\n", 17));
		assert_non_null(memmem(got.p, got.n, "first of all", 12));
		assert_int_equal(losses.odd_n, 0);
		pf_buf_deinit(&out);
		pf_arena_deinit(&arena);
	}
}

static size_t seen, opened_n;

/* One that is read is opened, or costs only itself. */
static void open_stream(struct pf_span stream, const char *path)
{
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;
	struct pf_mapi_notes notes = {0};
	struct pf_mapi_item *item;
	struct pf_arena arena;
	struct pf_buf out;
	struct pf_err err;
	int rc;

	pf_arena_init(&arena);
	pf_buf_init(&out, 64 << 20);
	pf_mapi_losses_init(&losses, &arena);
	item = pf_mapi_new(&arena);
	assert_non_null(item);
	if (pf_tnef_read(stream, item, &notes, &err) == PF_OK) {
		seen++;
		rc = pf_mapi_open(item, &TEST_WAYS, &losses, &opened, &out, &err);
		opened_n += rc == PF_OK;
		if (rc != PF_OK) {
			print_message("# %s: %s\n", path, err.text);
			assert_int_equal(err.scope, PF_SCOPE_ITEM);
		}
		assert_true((rc == PF_OK) == (out.n > 0));
	}
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

static int each_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	size_t n = kind == FTW_F ? (size_t)st->st_size : 0;
	uint8_t *bytes = malloc(n + 1);
	FILE *f = kind == FTW_F ? fopen(path, "rb") : NULL;

	(void)at;
	assert_non_null(bytes);
	if (f) {
		assert_int_equal(fread(bytes, 1, n, f), n);
		(void)fclose(f);
		open_stream(pf_span(bytes, n), path);
	}
	free(bytes);
	return 0;
}

static void the_corpus_is_opened(void **state)
{
	const char *corpus = getenv("PF_CORPUS");
	char path[4096];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tnef", corpus ? corpus : "");
	if (!corpus || nftw(path, each_file, 16, FTW_PHYS) != 0) {
		skip();
	}
	print_message("# %zu of %zu streams have an open form\n", opened_n, seen);
	assert_true(seen > 0 && opened_n * 10 >= seen * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_for_every_class),
		cmocka_unit_test(each_in_its_form),
		cmocka_unit_test(an_appointment_needs_a_begin),
		cmocka_unit_test(an_item_within_is_a_file),
		cmocka_unit_test(the_corpus_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
