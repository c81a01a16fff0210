/*
 * Servers that need to be treated otherwise, by what they say of themselves: the one place for it.
 * Each row names its source, and the test in tests/it that fails without it (test_quirks.py looks
 * that there is one).
 */
#include "model/describe.h"
#include "stores/imap/imap_private.h"

enum {
	QUIRK_EXCHANGE = QUIRK_SIZE_ESTIMATED | QUIRK_REWRITES | QUIRK_FOLD_CASE | QUIRK_RECEIPTS |
			 QUIRK_FLAGGED | QUIRK_OTHERS,
	STAND_IN_MAX = 8192, /* octets of a text in place of a message */
};

/* Of the 2,500 MB a day down and 500 MB up that Gmail permits over IMAP (support.google.com, "Gmail
 * bandwidth limits"), a little less: it counts what it likes. */
static const uint64_t GMAIL_DAILY[2] = {2400000000, 480000000};

static const struct {
	const char *says; /* in the greeting or the ID response, any case; NULL: not by that */
	uint32_t cap;     /* or a capability */
	uint32_t quirks;
	const char *source, *test;
} QUIRKS[] = {
	{"Microsoft Exchange", 0, QUIRK_EXCHANGE,
		"KB 191504, KB 320749; folder names compare without case; it sends read and "
		"not-read receipts when a message is marked or removed; what APPEND flags is "
		"flagged for IMAP only (imapsync, FAQ.Exchange); its calendars show as mail",
		"test_fn22_names_that_are_one_at_the_target_are_kept_apart, "
		"test_fn44_exchange_is_told_of_a_flag_by_store, "
		"test_fn45_no_receipt_is_sent_because_of_a_migration, "
		"test_fn15_what_exchange_shows_as_mail_is_named, test_sizes_are_estimates"},
	{"Exchange Server", 0, QUIRK_EXCHANGE, "as before, by its ID",
		"test_fn22_names_that_are_one_at_the_target_are_kept_apart"},
	{"Domino", 0, QUIRK_SIZE_ESTIMATED | QUIRK_REWRITES | QUIRK_FOLD_CASE | QUIRK_INBOX_FLAT,
		"sizes are estimates, Message-ID and dates are rewritten (imapsync, "
		"FAQ.Duplicates; FIELD-NOTES 17, 38)",
		"test_sizes_are_estimates, test_case_is_no_difference, "
		"test_nothing_goes_below_inbox"},
	{"hMailServer", 0, QUIRK_SIZE_ESTIMATED, "sizes differ from the literals (FIELD-NOTES 6)",
		"test_sizes_are_estimates"},
	{"iCloud", 0, QUIRK_INBOX_FLAT, "INBOX is \\Noinferiors (FIELD-NOTES 38)",
		"test_nothing_goes_below_inbox"},
	{"Yandex", 0, QUIRK_INBOX_FLAT, "INBOX is \\Noinferiors (FIELD-NOTES 38)",
		"test_nothing_goes_below_inbox"},
	{"Zimbra", 0, QUIRK_REWRITES,
		"header and text do not add up to the body (Dovecot, zimbra-workarounds)",
		"test_what_is_rewritten_is_not_quarantined"},
	{"Gimap", 0, QUIRK_FOLD_CASE | QUIRK_GMAIL_DAILY,
		"labels differ by more than case; an account is locked for hours that moved more "
		"than so much in a day (FIELD-NOTES 25)",
		"test_case_is_no_difference, test_fn25_what_is_known_of_a_server"},
	/* A list of changes tells of flags, and perhaps not of labels. */
	{NULL, PF_IMAP_CAP_GMAIL, QUIRK_LABELS | QUIRK_NO_DELTA,
		"X-GM-EXT-1: folders are labels of messages",
		"test_fn20_a_message_comes_from_where_its_labels_are, "
		"test_fn20_what_loses_its_last_label_comes_from_all_mail"},
};

/* Texts that a server gives in place of a message which it could not convert. */
static const struct {
	const char *from, *subject; /* is in it, begins it */
	const char *source, *test;
} STAND_INS[] = {
	{"Microsoft Exchange", "Retrieval using the IMAP4 protocol failed",
		"Exchange 2007 and later (FIELD-NOTES 2)",
		"test_fn02_stub_is_not_the_message, "
		"test_fn02_a_message_about_the_stub_is_a_message"},
};

static bool has(struct pf_span text, const char *words)
{
	size_t n = strlen(words);

	for (size_t i = 0; i + n <= text.n; i++) {
		if (strncasecmp((const char *)text.p + i, words, n) == 0) {
			return true;
		}
	}
	return false;
}

uint32_t quirks_of(struct pf_span text)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < PF_COUNT(QUIRKS); i++) {
		bits |= QUIRKS[i].says && has(text, QUIRKS[i].says) ? QUIRKS[i].quirks : 0;
	}
	return bits;
}

bool quirks_is_stand_in(struct pf_span message, uint64_t listed_size)
{
	struct pf_description d;

	if (message.n > STAND_IN_MAX || message.n == listed_size) {
		return false;
	}
	pf_describe(message, &d);
	for (size_t i = 0; i < PF_COUNT(STAND_INS); i++) {
		const char *subject = STAND_INS[i].subject;

		if (strstr(d.from, STAND_INS[i].from) &&
			strncmp(d.subject, subject, strlen(subject)) == 0) {
			return true;
		}
	}
	return false;
}

void quirks_apply(struct istore *s)
{
	struct pf_store_facts *f = &s->facts;
	uint32_t quirks = s->quirks;

	for (size_t i = 0; i < PF_COUNT(QUIRKS); i++) {
		quirks |= s->caps & QUIRKS[i].cap ? QUIRKS[i].quirks : 0;
	}
	if (quirks & QUIRK_SIZE_ESTIMATED) {
		f->caps &= ~(uint32_t)PF_CAP_EXACT_SIZE;
	}
	if (quirks & QUIRK_REWRITES) {
		f->caps &= ~(uint32_t)(PF_CAP_EXACT_BYTES | PF_CAP_COPY);
	}
	if (quirks & QUIRK_INBOX_FLAT) {
		f->caps &= ~(uint32_t)PF_CAP_INBOX_CHILDREN;
	}
	if (quirks & QUIRK_NO_DELTA) {
		f->caps &= ~(uint32_t)PF_CAP_LIST_DELTA;
	}
	for (size_t way = 0; way < 2 && (quirks & QUIRK_GMAIL_DAILY); way++) {
		f->daily_bytes[way] = GMAIL_DAILY[way];
	}
	f->caps |= quirks & QUIRK_FOLD_CASE ? PF_CAP_FOLD_CASE : 0;
	f->caps |= quirks & QUIRK_RECEIPTS ? PF_CAP_SENDS_RECEIPTS : 0;
	f->caps |= quirks & QUIRK_FLAGGED ? PF_CAP_FLAGGED_APART : 0;
	f->caps |= quirks & QUIRK_OTHERS ? PF_CAP_SHOWS_OTHERS : 0;
	f->caps |= quirks & QUIRK_LABELS ? PF_CAP_LABELS : 0;
}
