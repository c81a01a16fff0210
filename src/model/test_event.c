/* Every event number has a text that an administrator can act on. */
#include "model/event.h"

#include "base/defs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* All numbers of the header: the compiler names one that is missing in this switch. */
static int is_known(enum pf_event_number number)
{
	switch (number) {
	case PF_EV_PASS_BEGUN:
	case PF_EV_PASS_ENDED:
	case PF_EV_LEDGER_NEW:
	case PF_EV_LEDGER_UPGRADED:
	case PF_EV_INTERRUPTED:
	case PF_EV_SIGNED_IN:
	case PF_EV_NOT_OPENED:
	case PF_EV_CONNECTION_LOST:
	case PF_EV_THROTTLED:
	case PF_EV_ALERT:
	case PF_EV_CONNECTION_CAP:
	case PF_EV_FEATURE_OFF:
	case PF_EV_TARGET_FULL:
	case PF_EV_NOT_REACHABLE:
	case PF_EV_RIGHTS_LEFT:
	case PF_EV_ROOM_SHORT:
	case PF_EV_DAY_USED:
	case PF_EV_FOLDER_MAPPED:
	case PF_EV_FOLDER_NAME_ODD:
	case PF_EV_FOLDER_NOT_CREATED:
	case PF_EV_FOLDER_ONLY_SUBSCRIBED:
	case PF_EV_LISTING_INCOMPLETE:
	case PF_EV_VALIDITY_CHANGED:
	case PF_EV_FOLDER_FAILED:
	case PF_EV_FOLDER_SKIPPED:
	case PF_EV_FOLDER_GONE:
	case PF_EV_LISTING_ROUND:
	case PF_EV_FOLDER_NOT_LISTED:
	case PF_EV_FOLDER_LOST:
	case PF_EV_FOLDER_NOWHERE:
	case PF_EV_FOLDER_OF_OTHERS:
	case PF_EV_ITEM_NOT_RETURNED:
	case PF_EV_ITEM_REFUSED:
	case PF_EV_ITEM_QUARANTINED:
	case PF_EV_ITEM_REPAIRED:
	case PF_EV_FLAG_DROPPED:
	case PF_EV_DATE_REPLACED:
	case PF_EV_ITEM_STUB:
	case PF_EV_SIZE_DIFFERS:
	case PF_EV_ITEM_ALTERED:
	case PF_EV_ITEM_VANISHED:
	case PF_EV_DOUBT_SETTLED:
	case PF_EV_GONE_FROM_SOURCE:
	case PF_EV_REMOVED:
	case PF_EV_FLAGS_CARRIED:
	case PF_EV_ITEM_TRIED_AGAIN:
	case PF_EV_NOT_AT_TARGET:
	case PF_EV_DATE_NOT_KEPT:
	case PF_EV_ITEM_PIECED:
	case PF_EV_DOUBT_WAITS:
	case PF_EV_RECEIPT_STOPPED:
	case PF_EV_ATTACHMENT_LEFT:
	case PF_EV_ITEM_CONVERTED:
	case PF_EV_ITEM_DISGUISED:
	case PF_EV_SERIES_SINGLES:
	case PF_EV_UNREADABLE_RESPONSE:
	case PF_EV_PROTOCOL_ODDITY:
		return 1;
	}
	return 0;
}

static void every_number_is_documented(void **state)
{
	(void)state;
	for (int number = 0; number < 100000; number++) {
		const struct pf_event_doc *doc = pf_event_doc(number);

		if ((doc != NULL) != is_known((enum pf_event_number)number)) {
			fail_msg("%d is %s", number,
				doc ? "documented, but no event" : "not documented");
		}
		assert_true(!doc || doc->number == number);
	}
}

static void assert_sentences(int number, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n < 20 || text[n - 1] != '.' || text[0] < 'A' || text[0] > 'Z') {
		fail_msg("%d: not in sentences: %s", number, text ? text : "(nothing)");
	}
}

static void texts_are_sentences_in_order_of_number(void **state)
{
	size_t count;
	const struct pf_event_doc *docs = pf_event_docs(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || docs[i - 1].number < docs[i].number);
		assert_in_range(strlen(docs[i].name), 5, 50);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(docs[i].name, docs[k].name);
		}
		assert_sentences(docs[i].number, docs[i].cause);
		assert_sentences(docs[i].number, docs[i].effect);
		assert_sentences(docs[i].number, docs[i].remedy);
	}
}

static void number_14001_is_a_warning_with_its_history(void **state)
{
	const struct pf_event_doc *doc = pf_event_doc(14001);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc->severity, PF_SEV_WARNING);
	assert_non_null(strstr(doc->cause, "KB902237"));
}

static void message_id_ends_in_the_number(void **state)
{
	char id[33];

	(void)state;
	pf_event_message_id(14001, id);
	assert_int_equal(strlen(id), 32);
	assert_int_equal(strspn(id, "0123456789abcdef"), 32);
	assert_string_equal(id + 24, "00014001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_is_documented),
		cmocka_unit_test(texts_are_sentences_in_order_of_number),
		cmocka_unit_test(number_14001_is_a_warning_with_its_history),
		cmocka_unit_test(message_id_ends_in_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
