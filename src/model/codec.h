/*
 * Items that carry an identifier of their own (events, tasks and notes in iCalendar, contacts in
 * vCard), as the engine sees them: it decides by what a codec tells, and knows no format. Codecs
 * are pure: no I/O, no clock, no globals, any bytes; they live in convert/.
 *
 * A store's item is a document of one or more parts. Parts of one UID belong together: a master and
 * the overrides of single instances (RFC 5545 3.8.4.4). The rules of identity are in
 * docs/internals/calendars.md.
 */
#ifndef PF_MODEL_CODEC_H
#define PF_MODEL_CODEC_H

#include "base/blob.h"
#include "base/buf.h"
#include "base/digest.h"
#include "model/item.h"

/* A document that was read; owned, freed by the codec that made it. */
struct pf_doc;

/* One VEVENT, VTODO, VJOURNAL or VCARD. Spans borrow from the document. */
struct pf_component {
	enum pf_kind kind;
	struct pf_span uid; /* octets as meant (unescaped, unfolded); absent: none, or empty */
	bool is_override;   /* has a RECURRENCE-ID */
	bool and_future;    /* RANGE=THISANDFUTURE */
	bool rid_is_date;
	int64_t rid_utc_s;     /* the instance it is of: instant, or midnight UTC of a date */
	bool expanded;         /* an instance that its server made an object of, beside the series
				  (Exchange's instance type 2): rid_utc_s is when it begins. It is no
				  override; an item only when it says more than the series does */
	struct pf_digest says; /* of a series, or of one that is expanded: all but when it is */
	bool recurs;           /* RRULE or RDATE */
	bool has_organizer;
	bool rekeyed; /* got its UID from an earlier migration (X-POSTFERRY-ORIGINAL-UID) */
	uint32_t attendees, sequence;
	int64_t created_utc_s, modified_utc_s, stamp_utc_s; /* PF_DATE_NONE: not said */
	int64_t begin_utc_s;                                /* PF_DATE_NONE: none */
	int32_t day_s; /* seconds of the day on the wall at which it begins; -1: all day, or none */
	struct pf_span organizer; /* address, lower case, without "mailto:"; or absent */
	struct pf_span summary;   /* SUMMARY or FN, UTF-8, for reports; or absent */
	struct pf_span meant;     /* the mark that pf_compose.meant put; or absent */
	struct pf_digest meaning; /* of this part alone; see pf_codec.fingerprint */
};

/* A part of a document that is open. */
struct pf_piece {
	const struct pf_doc *doc;
	size_t part;
};

/* One occurrence, for the deep comparison. */
struct pf_instance {
	int64_t begin_utc_s, end_utc_s;
	struct pf_digest what; /* of title and status */
};

struct pf_window {
	int64_t from_utc_s, to_utc_s; /* the end is not in it */
	struct pf_instance *out;
	size_t max, n; /* n: how many there are; at most `max` are in `out` */
};

enum pf_schedule { PF_SCHEDULE_KEEP, PF_SCHEDULE_NONE, PF_SCHEDULE_CLIENT };

/* What is to be changed while an item is made of its pieces. All zero: nothing. */
struct pf_compose {
	struct pf_span uid;        /* the new one, for all parts; the old one is kept in
				      X-POSTFERRY-ORIGINAL-UID. Absent: as it is */
	enum pf_schedule schedule; /* SCHEDULE-AGENT on every ATTENDEE and on ORGANIZER (RFC 6638
				      section 7.1), so that no server invites anybody */
	bool alone;  /* the pieces are overrides without a master: one becomes an item of its own,
			 several get a master that takes place when they do */
	bool repair; /* what the standards demand and is missing or wrong; see changes */
	const int64_t *wanted; /* instants that are taken out of the master's EXDATEs, as an
				  override was found for them */
	size_t wanted_n;
	struct pf_span meant; /* X-POSTFERRY-MEANT: a mark on the first part, in the place of any
				 other; absent: none */
	int card_version;     /* vCards: 30, 40: that version is needed; 0 = as it is */
};

struct pf_composed {
	struct pf_blob *body; /* the caller's */
	char changes[200]; /* what was changed beyond what was asked for (repairs), in words; "" */
};

struct pf_codec {
	const char *name;  /* "iCalendar" */
	uint32_t kinds;    /* of enum pf_kind */
	const char *media; /* "text/calendar" */
	uint32_t version; /* of the fingerprint's algorithm: digests of another one don't compare */

	/*
	 * PF_FAIL (item scope): the bytes are not of this format; line and reason are in the text.
	 * What is merely odd is read as well as it can be, and kept as it is.
	 */
	int (*read)(struct pf_span bytes, struct pf_doc **out, struct pf_err *err);
	void (*free)(struct pf_doc **doc); /* NULL is fine */
	size_t (*parts)(const struct pf_doc *doc);
	const struct pf_component *(*part)(const struct pf_doc *doc, size_t i);
	/* The meaning of an item made of these pieces (calendar identity, section 4, F_sem). */
	int (*fingerprint)(
		const struct pf_piece *pieces, size_t n, struct pf_digest *out, struct pf_err *err);
	/*
	 * The same in words, appended: lines "NAME:..." or "NAME;...", each ended by LF, those that
	 * begin with a blank go on with the one before. For what differs between two items.
	 */
	int (*tell)(
		const struct pf_piece *pieces, size_t n, struct pf_buf *out, struct pf_err *err);
	/*
	 * Whether the master's recurrence set has this instance, EXDATEs not applied. For a part
	 * that does not recur: whether it begins then.
	 */
	bool (*recurs_at)(const struct pf_piece *master, int64_t rid_utc_s, bool rid_is_date);
	/* Whether a series takes place then, EXDATEs applied, and says just this. */
	bool (*yields)(
		const struct pf_piece *master, int64_t begin_utc_s, const struct pf_digest *says);
	/*
	 * The bytes of an item made of these pieces: master first, all of one UID. When nothing is
	 * to be changed and the pieces are all of one document, they are that document's own bytes;
	 * else only the lines concerned differ.
	 */
	int (*compose)(const struct pf_piece *pieces, size_t n, const struct pf_compose *how,
		struct pf_composed *out, struct pf_err *err);
	/* Whether a UID is one that was made for an instance of a series, as an item of its own.
	 * NULL: none is. */
	bool (*single)(struct pf_span uid);
	/* Occurrences that overlap the window, in order. Contacts have none. */
	int (*expand)(const struct pf_piece *pieces, size_t n, struct pf_window *window,
		struct pf_err *err);
};

#endif
