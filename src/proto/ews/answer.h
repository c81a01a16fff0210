/*
 * Answers of Exchange Web Services: a SOAP fault, or a message for each thing that was asked for,
 * in the order in which it was asked. Any bytes; no network, no entities; what is not known is
 * passed over. Servers write characters into their XML that XML 1.0 forbids (from subjects of
 * messages); these become U+FFFD or '?', and the answer says so.
 */
#ifndef PF_PROTO_EWS_ANSWER_H
#define PF_PROTO_EWS_ANSWER_H

#include "base/buf.h"
#include "proto/ews/code.h"

struct pf_ews_answer;
struct pf_ews_node; /* an element of the answer, and as long as that lives */

/* What came of one thing. */
struct pf_ews_said {
	enum pf_ews_does does;
	struct pf_span code; /* "ErrorItemNotFound"; absent: none was given */
	int back_off_ms;     /* how long it wants to be left alone; 0 = not said */
	char text[320];      /* code and words, safe to print */
};

struct pf_ews_head {
	bool fault;
	struct pf_ews_said said; /* of a fault */
	bool has_version;        /* the server told which it is: */
	int major, minor, build;
	size_t mended; /* characters that XML forbids */
};

/*
 * `body` is copied. PF_FAIL (item scope): it is no SOAP envelope with a fault or an answer in it.
 */
PF_MUST_CHECK int pf_ews_answer_new(
	struct pf_span body, struct pf_ews_answer **out, struct pf_err *err);
void pf_ews_answer_free(struct pf_ews_answer **a); /* NULL is fine */
const struct pf_ews_head *pf_ews_answer_head(const struct pf_ews_answer *a);

/* A ...ResponseMessage. All spans are good as long as the answer lives. */
struct pf_ews_message {
	struct pf_ews_said said;
	bool last;            /* of FindFolder and SyncFolderItems: this was the last page */
	size_t next_offset;   /* of FindFolder */
	struct pf_span state; /* of SyncFolderItems; absent: none */
	const struct pf_ews_node *within; /* folders, items or changes; NULL: none */
};
/* false: there is no other. */
bool pf_ews_answer_next(struct pf_ews_answer *a, struct pf_ews_message *out);

enum pf_ews_folder_kind { PF_EWS_IS_FOLDER, PF_EWS_IS_SEARCH };

struct pf_ews_folder {
	enum pf_ews_folder_kind kind;
	struct pf_span id, parent, name, folder_class;
	size_t count;
	bool hidden;
};
/* The next folder of a message; `*at` is NULL to begin with. */
bool pf_ews_folder_next(struct pf_ews_answer *a, const struct pf_ews_message *m,
	const struct pf_ews_node **at, struct pf_ews_folder *out);

enum pf_ews_change { PF_EWS_IS_THERE, PF_EWS_WAS_READ, PF_EWS_IS_GONE };

struct pf_ews_item {
	enum pf_ews_change change; /* of SyncFolderItems; WAS_READ and IS_GONE have only the id */
	struct pf_span id, change_key, item_class;
	struct pf_span received; /* "2004-05-06T07:08:09Z" */
	struct pf_span mime;     /* base64; absent: not given */
	struct pf_span key;      /* PF_EWS_KEY; absent: none */
	uint64_t size;
	bool read;
	int64_t flags;        /* PidTagMessageFlags; 0 = not given */
	int flag, verb;       /* PidTagFlagStatus, PidTagLastVerbExecuted; 0 = none */
	struct pf_span words; /* categories, a NUL behind each; empty: none */
};
/* The next item or change of a message; `*at` is NULL to begin with. */
bool pf_ews_item_next(struct pf_ews_answer *a, const struct pf_ews_message *m,
	const struct pf_ews_node **at, struct pf_ews_item *out);

/* One of the owner's options, of GetUserConfiguration; absent: it was not chosen. */
struct pf_span pf_ews_option(
	struct pf_ews_answer *a, const struct pf_ews_message *m, const char *key);

#endif
