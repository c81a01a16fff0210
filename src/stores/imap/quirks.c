/*
 * Servers that need to be treated otherwise, by what they say of themselves. The only place with
 * names of servers.
 */
#include "stores/imap/imap_private.h"

enum {
	QUIRK_EXCHANGE = QUIRK_SIZE_ESTIMATED | QUIRK_REWRITES | QUIRK_FOLD_CASE | QUIRK_RECEIPTS |
			 QUIRK_FLAGGED | QUIRK_OTHERS,
};

static const struct {
	const char *says; /* in the greeting or the ID response, any case */
	uint32_t quirks;
	const char *source;
} QUIRKS[] = {
	{"Microsoft Exchange", QUIRK_EXCHANGE,
		"KB 191504, KB 320749; folder names compare without case; it sends read and "
		"not-read receipts when a message is marked or removed; what APPEND flags is "
		"flagged for IMAP only (imapsync, FAQ.Exchange); its calendars show as mail"},
	{"Exchange Server", QUIRK_EXCHANGE, "as before"},
	{"Domino", QUIRK_SIZE_ESTIMATED | QUIRK_REWRITES | QUIRK_FOLD_CASE | QUIRK_INBOX_FLAT,
		"sizes are estimates, Message-ID and dates are rewritten"},
	{"hMailServer", QUIRK_SIZE_ESTIMATED, "sizes differ from the literals"},
	{"iCloud", QUIRK_INBOX_FLAT, "INBOX is \\Noinferiors"},
	{"Yandex", QUIRK_INBOX_FLAT, "INBOX is \\Noinferiors"},
	{"Zimbra", QUIRK_REWRITES, "header and text do not add up to the body"},
	{"Gimap", QUIRK_FOLD_CASE, "labels differ by more than case"},
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
		bits |= has(text, QUIRKS[i].says) ? QUIRKS[i].quirks : 0;
	}
	return bits;
}

void quirks_apply(struct istore *s)
{
	struct pf_store_facts *f = &s->facts;

	if (s->quirks & QUIRK_SIZE_ESTIMATED) {
		f->caps &= ~(uint32_t)PF_CAP_EXACT_SIZE;
	}
	if (s->quirks & QUIRK_REWRITES) {
		f->caps &= ~(uint32_t)PF_CAP_EXACT_BYTES;
	}
	if (s->quirks & QUIRK_INBOX_FLAT) {
		f->caps &= ~(uint32_t)PF_CAP_INBOX_CHILDREN;
	}
	f->caps |= s->quirks & QUIRK_FOLD_CASE ? PF_CAP_FOLD_CASE : 0;
	f->caps |= s->quirks & QUIRK_RECEIPTS ? PF_CAP_SENDS_RECEIPTS : 0;
	f->caps |= s->quirks & QUIRK_FLAGGED ? PF_CAP_FLAGGED_APART : 0;
	f->caps |= s->quirks & QUIRK_OTHERS ? PF_CAP_SHOWS_OTHERS : 0;
}
