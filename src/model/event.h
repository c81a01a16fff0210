/*
 * Event numbers: stable for ever, each documented with cause and remedy (postferry explain N).
 */
#ifndef PF_MODEL_EVENT_H
#define PF_MODEL_EVENT_H

#include <stddef.h>

enum pf_severity { PF_SEV_INFO, PF_SEV_WARNING, PF_SEV_ERROR };

/* 10xxx servers, 11xxx folders, 12xxx items, 13xxx ledger and run, 14xxx protocol. */
enum pf_event_number {
	PF_EV_PASS_BEGUN = 13001,
	PF_EV_PASS_ENDED = 13002,
	PF_EV_LEDGER_NEW = 13003,
	PF_EV_LEDGER_UPGRADED = 13004,
	PF_EV_INTERRUPTED = 13005,
	PF_EV_SIGNED_IN = 10001,
	PF_EV_NOT_OPENED = 10002,
	PF_EV_CONNECTION_LOST = 10003,
	PF_EV_THROTTLED = 10004,
	PF_EV_ALERT = 10005,
	PF_EV_CONNECTION_CAP = 10006,
	PF_EV_FEATURE_OFF = 10007,
	PF_EV_TARGET_FULL = 10008,
	PF_EV_NOT_REACHABLE = 10009,
	PF_EV_RIGHTS_LEFT = 10010,
	PF_EV_ROOM_SHORT = 10011,
	PF_EV_DAY_USED = 10012,
	PF_EV_FOLDER_MAPPED = 11001,
	PF_EV_FOLDER_NAME_ODD = 11002,
	PF_EV_FOLDER_NOT_CREATED = 11003,
	PF_EV_FOLDER_ONLY_SUBSCRIBED = 11004,
	PF_EV_LISTING_INCOMPLETE = 11005,
	PF_EV_VALIDITY_CHANGED = 11006,
	PF_EV_FOLDER_FAILED = 11007,
	PF_EV_FOLDER_SKIPPED = 11008,
	PF_EV_FOLDER_GONE = 11009,
	PF_EV_LISTING_ROUND = 11010,
	PF_EV_FOLDER_NOT_LISTED = 11011,
	PF_EV_FOLDER_LOST = 11012,
	PF_EV_FOLDER_NOWHERE = 11013,
	PF_EV_FOLDER_OF_OTHERS = 11014,
	PF_EV_ITEM_NOT_RETURNED = 12001,
	PF_EV_ITEM_REFUSED = 12002,
	PF_EV_ITEM_QUARANTINED = 12003,
	PF_EV_ITEM_REPAIRED = 12004,
	PF_EV_FLAG_DROPPED = 12005,
	PF_EV_DATE_REPLACED = 12006,
	PF_EV_ITEM_STUB = 12007,
	PF_EV_SIZE_DIFFERS = 12008,
	PF_EV_ITEM_ALTERED = 12009,
	PF_EV_ITEM_VANISHED = 12010,
	PF_EV_DOUBT_SETTLED = 12011,
	PF_EV_GONE_FROM_SOURCE = 12012,
	PF_EV_REMOVED = 12013,
	PF_EV_FLAGS_CARRIED = 12014,
	PF_EV_ITEM_TRIED_AGAIN = 12015,
	PF_EV_NOT_AT_TARGET = 12016,
	PF_EV_DATE_NOT_KEPT = 12017,
	PF_EV_ITEM_PIECED = 12018,
	PF_EV_DOUBT_WAITS = 12019,
	PF_EV_RECEIPT_STOPPED = 12020,
	PF_EV_ATTACHMENT_LEFT = 12021,
	PF_EV_ITEM_CONVERTED = 12022,
	PF_EV_ITEM_DISGUISED = 12023,
	PF_EV_SERIES_SINGLES = 12024,
	PF_EV_UNREADABLE_RESPONSE = 14001,
	PF_EV_PROTOCOL_ODDITY = 14002,
};

struct pf_event_doc {
	int number;
	enum pf_severity severity;
	const char *name;   /* a short fixed phrase: "response not understood" */
	const char *cause;  /* what leads to it */
	const char *effect; /* what it means for the migration */
	const char *remedy; /* what the administrator can do */
};

/* "info", "warning", "error". */
const char *pf_severity_name(enum pf_severity s);
/* NULL for a number that is none of ours. */
const struct pf_event_doc *pf_event_doc(int number);
/* All of them, in order of number. */
const struct pf_event_doc *pf_event_docs(size_t *count);

/*
 * The number's MESSAGE_ID in the systemd journal, by which the message catalogue finds its text: 32
 * hexadecimal digits, the last eight of which are the number in decimal.
 */
void pf_event_message_id(int number, char out[33]);

#endif
