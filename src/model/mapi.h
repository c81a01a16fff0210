/*
 * A MAPI item, wherever it came from (TNEF, PST, .msg, EWS): a class, a bag of properties, those of
 * its recipients, and attachments that may be items again ([MS-OXCMSG], [MS-OXPROPS]).
 *
 * A reader adds what it finds in the order it finds it, and decodes strings at the end, when the
 * code page is known. All memory of an item and of the items within it is in one arena.
 */
#ifndef PF_MODEL_MAPI_H
#define PF_MODEL_MAPI_H

#include "base/arena.h"
#include "base/err.h"

/* [MS-OXCDATA] 2.11.1; MANY is set for several values of one type. */
enum pf_mapi_type {
	PF_MAPI_I16 = 0x0002,
	PF_MAPI_I32 = 0x0003,
	PF_MAPI_FLOAT = 0x0004,
	PF_MAPI_DOUBLE = 0x0005,
	PF_MAPI_CURRENCY = 0x0006,
	PF_MAPI_APPTIME = 0x0007,
	PF_MAPI_ERROR = 0x000A,
	PF_MAPI_BOOL = 0x000B,
	PF_MAPI_OBJECT = 0x000D,
	PF_MAPI_I64 = 0x0014,
	PF_MAPI_STRING8 = 0x001E, /* in a code page, until the strings were decoded */
	PF_MAPI_STRING = 0x001F,  /* UTF-8 here, whatever it was */
	PF_MAPI_TIME = 0x0040,
	PF_MAPI_GUID = 0x0048,
	PF_MAPI_BINARY = 0x0102,
	PF_MAPI_MANY = 0x1000,
};

/* In the order of its bytes on the wire ([MS-DTYP] 2.3.4.2). */
struct pf_guid {
	uint8_t b[16];
};

/* The sets of named properties that have a meaning here ([MS-OXPROPS] 1.3.2). */
extern const struct pf_guid pf_set_appointment, pf_set_task, pf_set_note, pf_set_meeting,
	pf_set_address, pf_set_common, pf_set_log, pf_set_headers, pf_set_strings, pf_set_mapi;

bool pf_guid_eq(const struct pf_guid *a, const struct pf_guid *b);

struct pf_mapi_value {
	enum pf_mapi_type type; /* without MANY for one of several values */
	union {
		int64_t number;       /* I16, I32, I64, BOOL, ERROR, CURRENCY (1/10,000) */
		double real;          /* FLOAT, DOUBLE, APPTIME (days since 1899-12-30) */
		uint64_t filetime;    /* TIME: 100 ns since 1601-01-01 UTC */
		struct pf_span bytes; /* strings, BINARY, GUID, OBJECT */
		struct {
			struct pf_mapi_value *v;
			size_t n;
		} many;
	};
};

/* Named properties have ids that mean something in their own store only; so here they have none. */
struct pf_mapi_name {
	struct pf_guid set;
	uint32_t number;     /* PidLid..., when `text` is absent */
	struct pf_span text; /* UTF-8 */
};

struct pf_mapi_prop {
	uint16_t id;               /* PidTag...; 0 for a named one */
	struct pf_mapi_name *name; /* NULL for one with an id */
	struct pf_mapi_value value;
};

struct pf_mapi_props {
	struct pf_mapi_prop *v;
	size_t n, cap;
};

/* PidTagAttachMethod ([MS-OXCMSG] 2.2.2.9), as far as an item shows it. */
enum pf_mapi_attach {
	PF_MAPI_ATTACH_NONE,
	PF_MAPI_ATTACH_DATA,      /* `data` are the bytes of the file */
	PF_MAPI_ATTACH_ITEM,      /* `item` */
	PF_MAPI_ATTACH_REFERENCE, /* a path or URL; the file is elsewhere */
	PF_MAPI_ATTACH_OLE,       /* `data` is an object of some program, in its own storage */
};

struct pf_mapi_item;

struct pf_mapi_attachment {
	enum pf_mapi_attach kind;
	struct pf_mapi_props props;
	struct pf_span data;
	struct pf_mapi_item *item;
};

struct pf_mapi_item {
	struct pf_arena *arena; /* borrowed: the caller's, for this item and all within */
	struct pf_mapi_props props;
	struct pf_mapi_props *recipients;
	size_t recipients_n, recipients_cap;
	struct pf_mapi_attachment *attachments;
	size_t attachments_n, attachments_cap;
	struct pf_span missing; /* what of it its reader could not read, in words; none: nothing */
	uint32_t code_page;     /* of its STRING8 values; 0: not known */
};

/* An empty item in `arena`; NULL when there is no memory. */
struct pf_mapi_item *pf_mapi_new(struct pf_arena *arena);

/*
 * One more of each, at the end and zeroed; NULL when there is no memory. What it points to must be
 * in the item's arena (or outlive the item) and may be filled in by the caller. A pointer is good
 * until the next one is added.
 */
struct pf_mapi_prop *pf_mapi_add(struct pf_mapi_item *item, struct pf_mapi_props *to);
struct pf_mapi_props *pf_mapi_add_recipient(struct pf_mapi_item *item);
struct pf_mapi_attachment *pf_mapi_add_attachment(struct pf_mapi_item *item);

/* ---- asking; the first of its id or name counts, NULL where there is none ---- */

const struct pf_mapi_value *pf_mapi_tag(const struct pf_mapi_props *in, uint16_t id);
const struct pf_mapi_value *pf_mapi_lid(
	const struct pf_mapi_props *in, const struct pf_guid *set, uint32_t number);
/* Names are compared without ASCII case ([MS-OXCPRPT] 3.1.4.2). */
const struct pf_mapi_value *pf_mapi_named(
	const struct pf_mapi_props *in, const struct pf_guid *set, const char *text);

/*
 * What a value says, whatever integer, real or string type its writer chose; `v` may be NULL. False
 * (and *out untouched), or absent, where it is no such thing.
 */
bool pf_mapi_number(const struct pf_mapi_value *v, int64_t *out);
bool pf_mapi_true(const struct pf_mapi_value *v);
/* Seconds since 1970 of a TIME, rounded down. 0 and 0x7FFF... are no moment, nor is what lies
 * beyond the year 9999. */
bool pf_mapi_unix(const struct pf_mapi_value *v, int64_t *out);
/* UTF-8 of a string, without the NULs at its end. */
struct pf_span pf_mapi_text(const struct pf_mapi_value *v);
struct pf_span pf_mapi_bytes(const struct pf_mapi_value *v);

/* "IPM.Note", as the item has it; empty where it has none. */
struct pf_span pf_mapi_class(const struct pf_mapi_item *item);
/* Whether the class is `name` or one below it ("IPM.Contact.Acme" is an "IPM.Contact"), ASCII case
 * aside ([MS-OXOMSG] 2.2.2.1). */
bool pf_mapi_is_a(struct pf_span item_class, const char *name);

/* ---- strings ---- */

/* UTF-8 of UTF-16LE up to a NUL or the end, in `arena`; a half of a pair becomes U+FFFD. */
PF_MUST_CHECK int pf_mapi_utf16(
	struct pf_arena *arena, struct pf_span utf16, struct pf_span *out, struct pf_err *err);
/* UTF-8 of text in a Windows code page, in `arena`. A page that is not known, and what is no text
 * in it, is read as windows-1252, which has a character for every byte. */
PF_MUST_CHECK int pf_mapi_decode(struct pf_arena *arena, uint32_t code_page, struct pf_span text,
	struct pf_span *out, struct pf_err *err);
/*
 * Every STRING8 of the item, its recipients, attachments and the items within becomes a STRING. The
 * page is told by PidTagMessageCodepage of the item, its `code_page`, PidTagInternetCodepage,
 * by that of the item around it, or else `fallback`. Nesting is as deep as the reader let it be.
 */
PF_MUST_CHECK int pf_mapi_decode_all(
	struct pf_mapi_item *item, uint32_t fallback, struct pf_err *err);

#endif
