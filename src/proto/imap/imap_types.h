/*
 * What IMAP servers say, typed. All spans borrow from the response they were parsed from.
 */
#ifndef PF_PROTO_IMAP_IMAP_TYPES_H
#define PF_PROTO_IMAP_IMAP_TYPES_H

#include "base/civil.h"
#include "base/span.h"

enum pf_imap_resp_kind {
	PF_IMAP_COND,     /* OK NO BAD BYE PREAUTH, tagged or not */
	PF_IMAP_CONTINUE, /* + */
	PF_IMAP_CAPABILITY,
	PF_IMAP_ENABLED,
	PF_IMAP_LIST, /* LIST, LSUB, XLIST */
	PF_IMAP_NAMESPACE,
	PF_IMAP_STATUS,
	PF_IMAP_SEARCH,
	PF_IMAP_ESEARCH,
	PF_IMAP_FLAGS,
	PF_IMAP_EXISTS,
	PF_IMAP_RECENT,
	PF_IMAP_EXPUNGE,
	PF_IMAP_VANISHED,
	PF_IMAP_FETCH,
	PF_IMAP_ID,
	PF_IMAP_QUOTA,
	PF_IMAP_QUOTAROOT,
	PF_IMAP_UNKNOWN, /* legal, not for us: nothing is lost by skipping it */
};

enum pf_imap_cond { PF_IMAP_OK, PF_IMAP_NO, PF_IMAP_BAD, PF_IMAP_BYE, PF_IMAP_PREAUTH };

/* Response codes that we act on (RFC 9051 7.1, 5530, 7888, 7889, 4315, 7162, ...). */
enum pf_imap_code {
	PF_IMAP_CODE_NONE,
	PF_IMAP_CODE_OTHER, /* name in code_name, arguments in code_args */
	PF_IMAP_CODE_ALERT,
	PF_IMAP_CODE_ALREADYEXISTS,
	PF_IMAP_CODE_APPENDUID, /* code_num[0]: UIDVALIDITY; code_args: the uid-set */
	PF_IMAP_CODE_AUTHENTICATIONFAILED,
	PF_IMAP_CODE_AUTHORIZATIONFAILED,
	PF_IMAP_CODE_BADCHARSET,
	PF_IMAP_CODE_CANNOT,
	PF_IMAP_CODE_CAPABILITY, /* code_args: the names */
	PF_IMAP_CODE_CLOSED,
	PF_IMAP_CODE_CONTACTADMIN,
	PF_IMAP_CODE_COPYUID,
	PF_IMAP_CODE_EXPIRED,
	PF_IMAP_CODE_EXPUNGEISSUED,
	PF_IMAP_CODE_HIGHESTMODSEQ, /* code_num[0] */
	PF_IMAP_CODE_INUSE,
	PF_IMAP_CODE_LIMIT,
	PF_IMAP_CODE_MAILBOXID,
	PF_IMAP_CODE_MODIFIED,
	PF_IMAP_CODE_NOMODSEQ,
	PF_IMAP_CODE_NONEXISTENT,
	PF_IMAP_CODE_NOPERM,
	PF_IMAP_CODE_OVERQUOTA,
	PF_IMAP_CODE_PERMANENTFLAGS, /* code_args: the flags within the parentheses */
	PF_IMAP_CODE_PRIVACYREQUIRED,
	PF_IMAP_CODE_READ_ONLY,
	PF_IMAP_CODE_READ_WRITE,
	PF_IMAP_CODE_SERVERBUG,
	PF_IMAP_CODE_THROTTLED,
	PF_IMAP_CODE_TOOBIG,
	PF_IMAP_CODE_TRYCREATE,
	PF_IMAP_CODE_UIDNEXT, /* code_num[0] */
	PF_IMAP_CODE_UIDNOTSTICKY,
	PF_IMAP_CODE_UIDVALIDITY, /* code_num[0] */
	PF_IMAP_CODE_UNAVAILABLE,
	PF_IMAP_CODE_UNKNOWN_CTE,
};

enum pf_imap_mbox_attr {
	PF_IMAP_ATTR_NOSELECT = 1u << 0, /* also \NonExistent */
	PF_IMAP_ATTR_NOINFERIORS = 1u << 1,
	PF_IMAP_ATTR_HASCHILDREN = 1u << 2,
	PF_IMAP_ATTR_HASNOCHILDREN = 1u << 3,
	PF_IMAP_ATTR_SUBSCRIBED = 1u << 4,
	PF_IMAP_ATTR_REMOTE = 1u << 5,
	PF_IMAP_ATTR_ALL = 1u << 6, /* \All, XLIST \AllMail */
	PF_IMAP_ATTR_ARCHIVE = 1u << 7,
	PF_IMAP_ATTR_DRAFTS = 1u << 8,
	PF_IMAP_ATTR_FLAGGED = 1u << 9, /* XLIST \Starred */
	PF_IMAP_ATTR_JUNK = 1u << 10,   /* XLIST \Spam */
	PF_IMAP_ATTR_SENT = 1u << 11,
	PF_IMAP_ATTR_TRASH = 1u << 12,
	PF_IMAP_ATTR_IMPORTANT = 1u << 13,
	PF_IMAP_ATTR_INBOX = 1u << 14, /* XLIST only: whatever it is called */
	PF_IMAP_ATTR_NONEXISTENT = 1u << 15,
};

/* Which fields of a FETCH row were there. */
enum pf_imap_fetch_has {
	PF_IMAP_HAS_UID = 1u << 0,
	PF_IMAP_HAS_FLAGS = 1u << 1,
	PF_IMAP_HAS_SIZE = 1u << 2, /* a number that makes sense */
	PF_IMAP_HAS_DATE = 1u << 3, /* one that exists; else see date_raw */
	PF_IMAP_HAS_MODSEQ = 1u << 4,
	PF_IMAP_HAS_BODY = 1u << 5, /* at least one part, perhaps NIL */
	PF_IMAP_HAS_GM = 1u << 6,
	PF_IMAP_SAID_SIZE = 1u << 7, /* with or without sense */
	PF_IMAP_SAID_DATE = 1u << 8,
};

/* BODY[section]<origin>, BINARY[...], RFC822 (section absent), RFC822.HEADER, RFC822.TEXT. */
struct pf_imap_body {
	struct pf_span section; /* "" for the whole message, "HEADER", "1.MIME", ... */
	bool binary;
	uint64_t origin;
	bool nil;      /* the server has none */
	bool streamed; /* the bytes went by as pieces before; `bytes` is absent */
	uint64_t size; /* of the bytes, streamed or not */
	struct pf_span bytes;
};

enum { PF_IMAP_BODIES_MAX = 8 };

struct pf_imap_fetch {
	uint32_t seq, uid;
	uint32_t has;         /* of enum pf_imap_fetch_has */
	struct pf_span flags; /* within the parentheses, as sent; elements separated by blanks */
	uint64_t size;
	int64_t date_utc_s;
	int zone_min;
	struct pf_span date_raw; /* within the quotes; absent for NIL */
	uint64_t modseq;
	uint64_t gm_msgid, gm_thrid;
	struct pf_span gm_labels;           /* within the parentheses, as sent */
	struct pf_span envelope, structure; /* BODYSTRUCTURE; the same. Absent: not there */
	struct pf_imap_body body[PF_IMAP_BODIES_MAX];
	size_t bodies;
};

struct pf_imap_list {
	enum { PF_IMAP_IS_LIST, PF_IMAP_IS_LSUB, PF_IMAP_IS_XLIST } which;
	uint32_t attrs; /* of enum pf_imap_mbox_attr; unknown ones are skipped */
	char delimiter; /* 0 for NIL: a flat name */
	struct pf_span
		name; /* unquoted raw bytes; in the arena given to the parser when it had escapes */
	bool has_child_info;     /* CHILDINFO said that a subscribed folder lies below */
	struct pf_span old_name; /* OLDNAME, or absent */
};

enum pf_imap_status_has {
	PF_IMAP_STATUS_MESSAGES = 1u << 0,
	PF_IMAP_STATUS_UIDNEXT = 1u << 1,
	PF_IMAP_STATUS_UIDVALIDITY = 1u << 2,
	PF_IMAP_STATUS_HIGHESTMODSEQ = 1u << 3,
	PF_IMAP_STATUS_SIZE = 1u << 4,
	PF_IMAP_STATUS_APPENDLIMIT = 1u << 5, /* UINT64_MAX when NIL */
};

struct pf_imap_status {
	struct pf_span name;
	uint32_t has;
	uint64_t messages, uidnext, uidvalidity, highestmodseq, size, appendlimit;
};

struct pf_imap_ns {
	struct pf_span prefix;
	char delimiter;
};

enum { PF_IMAP_NS_MAX = 16 };

struct pf_imap_namespace {
	struct pf_imap_ns personal[PF_IMAP_NS_MAX], other[PF_IMAP_NS_MAX], shared[PF_IMAP_NS_MAX];
	size_t personals, others, shareds;
};

struct pf_imap_resp {
	enum pf_imap_resp_kind kind;
	struct pf_span tag;     /* COND: absent when untagged */
	enum pf_imap_cond cond; /* COND */
	enum pf_imap_code code; /* COND */
	struct pf_span code_name, code_args;
	uint64_t code_num[2];
	struct pf_span text; /* COND, CONTINUE: human words, or the challenge in base64 */
	union {
		struct pf_span words; /* CAPABILITY, ENABLED, FLAGS (within the parentheses) */
		struct pf_imap_list list;
		struct pf_imap_namespace ns;
		struct pf_imap_status status;
		struct {
			struct pf_span numbers; /* SEARCH: "1 2 3"; ESEARCH ALL and VANISHED: a
						   sequence-set */
			bool earlier;           /* VANISHED (EARLIER) */
			bool uid;               /* ESEARCH UID */
			struct pf_span tag;     /* ESEARCH (TAG "x") */
			uint64_t min, max, count, modseq; /* ESEARCH; 0 = not given */
			bool has_count;
		} search;
		uint64_t number; /* EXISTS, RECENT, EXPUNGE */
		struct pf_imap_fetch fetch;
		struct {
			struct pf_span root;
			uint64_t usage_kib, limit_kib; /* STORAGE; limit UINT64_MAX = none */
			uint64_t messages, messages_limit;
		} quota;
		struct pf_span raw; /* ID, QUOTAROOT, UNKNOWN: behind the word */
	};
};

#endif
