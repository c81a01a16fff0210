/*
 * What the caller of a conversion tells it, beside the MAPI item, and what the conversion tells the
 * caller of the item's properties: which are kept, mapped or lost. Shared by convert/mapi_*.
 */
#ifndef PF_CONVERT_MAPI_WAYS_H
#define PF_CONVERT_MAPI_WAYS_H

#include "base/uuid.h"
#include "model/fates.h"
#include "model/mapi.h"

struct pf_mapi_ways {
	struct pf_span owner;      /* SMTP address of the account; absent: not known */
	struct pf_span owner_name; /* absent: not known */
	/* Names store, folder and item and stays the same from run to run; what has no UID gets one
	 * made of it. */
	struct pf_span key;
	/* To make items: the zone of Windows in which the account's whole days are days; absent:
	 * UTC. */
	struct pf_span zone;
	struct pf_span domain; /* for addresses that can't be resolved; absent: the owner's */
	/*
	 * The SMTP address of a directory name ("/o=Org/ou=Site/cn=Recipients/cn=ann", of type
	 * "EX") or any other address that is none of the Internet. *smtp is good until the next
	 * call. False: not known. May be NULL.
	 */
	bool (*resolve)(
		void *ctx, struct pf_span type, struct pf_span address, struct pf_span *smtp);
	void *ctx;
	/* Of the message that a TNEF was in; absent: a message has the one that it came with. */
	struct pf_span header;
	bool keep_raw; /* what the form can't say goes into an X- property of its own */
};

/* ---- what becomes of the properties ---- */

enum pf_mapi_fate {
	PF_MAPI_LOST,   /* said nowhere */
	PF_MAPI_IDLE,   /* empty, or follows from the rest, or means something in its store only */
	PF_MAPI_MAPPED, /* said in other words, or less exactly, or in an X- property */
	PF_MAPI_KEPT,   /* the form has a place for just this */
	PF_MAPI_FATES,
};

struct pf_mapi_loss {
	const struct pf_mapi_prop *prop; /* borrowed from the item */
	enum pf_mapi_fate fate;
};

struct pf_mapi_losses {
	struct pf_arena *arena; /* borrowed */
	struct pf_mapi_loss *v;
	size_t n, cap;
	uint32_t *slot; /* finds a property in `v` */
	size_t slots;
	uint32_t unresolved;     /* addresses that nobody could resolve, ... */
	struct pf_span *unknown; /* ... and the first of them, as the directory has them */
	size_t unknown_n, unknown_cap;
	struct pf_span *odd; /* what was not as it should be, in words: UTF-8, fit to print */
	size_t odd_n, odd_cap;
	bool no_memory; /* told by pf_mapi_losses_end */
};

/* Empty; what it holds is in `arena`, mostly the item's. */
void pf_mapi_losses_init(struct pf_mapi_losses *l, struct pf_arena *arena);
/*
 * Note the fate of a property, by the value that pf_mapi_tag, _lid or _named found in the item;
 * NULL is noted nowhere. Said twice, the better fate holds. Returns `v`, so that it goes around the
 * lookup.
 */
const struct pf_mapi_value *pf_mapi_use(
	struct pf_mapi_losses *l, enum pf_mapi_fate fate, const struct pf_mapi_value *v);
/* Note an oddity ("recurrence: 12 bytes too many"), for the report. */
void pf_mapi_odd(struct pf_mapi_losses *l, const char *fmt, ...) PF_PRINTF(2, 3);
/*
 * The end of an item's conversion: each property of `props` that was not noted is lost, or idle.
 * PF_FAIL: no memory, here or in one of the notes.
 */
PF_MUST_CHECK int pf_mapi_losses_end(
	struct pf_mapi_losses *l, const struct pf_mapi_props *props, struct pf_err *err);
/*
 * The same for whoever reads reports: each property by its name, each address, each thing that was
 * odd, in `arena`. An item can't flood it: what is beyond the first PF_MAPI_FATES_MAX is one of
 * them. PF_FAIL: no memory.
 */
enum { PF_MAPI_FATES_MAX = 2000 };
PF_MUST_CHECK int pf_mapi_fates(const struct pf_mapi_losses *l, struct pf_arena *arena,
	struct pf_fates *out, struct pf_err *err);
size_t pf_mapi_losses_count(const struct pf_mapi_losses *l, enum pf_mapi_fate fate);
/* What a person would call the property: "PidTag 0x0037", "Appointment 0x8216", "PublicStrings
 * Keywords". Returns `out`. */
char *pf_mapi_prop_name(const struct pf_mapi_prop *p, char *out, size_t size);

/* ---- people ---- */

/* As the properties of a recipient, sender or organizer have it; what is not there is absent. */
struct pf_mapi_person {
	struct pf_span smtp;    /* PidTagSmtpAddress and its twins */
	struct pf_span type;    /* "SMTP", "EX" */
	struct pf_span address; /* in the form of `type` */
	struct pf_span name;
};

/*
 * The Internet address of a person, without control characters or blanks, in the arena of the
 * losses; absent where there is none at all. One that is none of the Internet is resolved, or else
 * encapsulated ([MS-OXCMAIL] 2.1.3.1.8: IMCEAEX-_O=ORG_OU=...@domain) and counted. One that is
 * encapsulated already is taken out and resolved. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_mapi_address(const struct pf_mapi_ways *ways, struct pf_mapi_losses *l,
	const struct pf_mapi_person *who, struct pf_span *out, struct pf_err *err);

/* The UID of an item that has none: the same in every run. */
void pf_mapi_made_uid(const struct pf_mapi_ways *ways, char out[PF_UUID_TEXT]);

#endif
