/*
 * What a NO, BAD or BYE means for us: RFC 5530's codes, and words that servers are known to use in
 * their place.
 */
#include "base/utf8.h"
#include "proto/imap/session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* Event numbers, as administrators know them (model/event.h has their story). */
enum {
	EV_NONE = 0,
	EV_THROTTLED = 10004,
	EV_CONNECTION_CAP = 10006,
	EV_TARGET_FULL = 10008,
	EV_NOT_REACHABLE = 10009,
};

struct meaning {
	enum pf_scope scope;
	enum pf_retry retry;
	int number;
};

static const struct {
	enum pf_imap_code code;
	struct meaning means;
} BY_CODE[] = {
	{PF_IMAP_CODE_UNAVAILABLE, {PF_SCOPE_ITEM, PF_RETRY_LATER, 0}},
	{PF_IMAP_CODE_INUSE, {PF_SCOPE_ITEM, PF_RETRY_LATER, 0}},
	{PF_IMAP_CODE_LIMIT, {PF_SCOPE_ITEM, PF_RETRY_LATER, 0}},
	{PF_IMAP_CODE_THROTTLED, {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_THROTTLED}},
	{PF_IMAP_CODE_SERVERBUG, {PF_SCOPE_ITEM, PF_RETRY_LATER, 0}},
	{PF_IMAP_CODE_OVERQUOTA, {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_TARGET_FULL}},
	{PF_IMAP_CODE_TOOBIG, {PF_SCOPE_ITEM, PF_RETRY_NO, 0}},
	{PF_IMAP_CODE_AUTHENTICATIONFAILED, {PF_SCOPE_STORE, PF_RETRY_NO, 0}},
	{PF_IMAP_CODE_AUTHORIZATIONFAILED, {PF_SCOPE_STORE, PF_RETRY_NO, 0}},
	{PF_IMAP_CODE_EXPIRED, {PF_SCOPE_STORE, PF_RETRY_NO, 0}},
	{PF_IMAP_CODE_PRIVACYREQUIRED, {PF_SCOPE_STORE, PF_RETRY_NO, 0}},
};

/* Found in the text without regard to case; the first that fits counts. */
static const struct {
	const char *words;
	struct meaning means;
} BY_WORDS[] = {
	{"is throttled", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_THROTTLED}}, /* Exchange Online */
	{"Server Unavailable",
		{PF_SCOPE_ITEM, PF_RETRY_LATER, EV_THROTTLED}},        /* Exchange: quota, too */
	{"rate limit", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_THROTTLED}}, /* Yahoo */
	{"Too many simultaneous connections",
		{PF_SCOPE_SESSION, PF_RETRY_LATER, EV_CONNECTION_CAP}},
	{"Maximum number of connections", {PF_SCOPE_SESSION, PF_RETRY_LATER, EV_CONNECTION_CAP}},
	{"too many connections", {PF_SCOPE_SESSION, PF_RETRY_LATER, EV_CONNECTION_CAP}},
	{"authenticated but not connected",
		{PF_SCOPE_STORE, PF_RETRY_NO, EV_NOT_REACHABLE}},           /* Exchange */
	{"bandwidth limit", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_THROTTLED}}, /* Gmail */
	{"Quota exceeded", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_TARGET_FULL}},
	{"Over quota", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_TARGET_FULL}},
	{"exceeded your mail quota", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_TARGET_FULL}}, /* Courier */
	{"quota has been exceeded", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_TARGET_FULL}},
	{"mailbox is full", {PF_SCOPE_ITEM, PF_RETRY_LATER, EV_TARGET_FULL}},
	{"AccessTokenExpired", {PF_SCOPE_SESSION, PF_RETRY_NOW, 0}},
	{"Session expired", {PF_SCOPE_SESSION, PF_RETRY_NOW, 0}},
	{"try again later", {PF_SCOPE_ITEM, PF_RETRY_LATER, 0}},
};

static bool has_words(struct pf_span text, const char *words)
{
	size_t n = strlen(words);

	for (size_t i = 0; i + n <= text.n; i++) {
		if (strncasecmp((const char *)text.p + i, words, n) == 0) {
			return true;
		}
	}
	return false;
}

/* "Suggested Backoff Time: 299609 milliseconds" (Exchange), in whole seconds; 0: nothing said. */
static int backoff_s(struct pf_span text)
{
	static const char WORDS[] = "Backoff Time:";
	size_t n = sizeof(WORDS) - 1;

	for (size_t i = 0; i + n < text.n; i++) {
		long long ms = 0;

		if (strncasecmp((const char *)text.p + i, WORDS, n) != 0) {
			continue;
		}
		for (i += n; i < text.n && text.p[i] == ' '; i++) {
		}
		for (; i < text.n && isdigit(text.p[i]) && ms < 1000000000; i++) {
			ms = ms * 10 + (text.p[i] - '0');
		}
		return (int)((ms + 999) / 1000);
	}
	return 0;
}

static bool stores(enum pf_imap_cmd_kind cmd)
{
	return cmd == PF_IMAP_CMD_APPEND || cmd == PF_IMAP_CMD_COPY || cmd == PF_IMAP_CMD_CREATE ||
	       cmd == PF_IMAP_CMD_STORE;
}

static const struct meaning *by_words(struct pf_span text)
{
	for (size_t i = 0; i < PF_COUNT(BY_WORDS); i++) {
		if (has_words(text, BY_WORDS[i].words)) {
			return &BY_WORDS[i].means;
		}
	}
	return NULL;
}

static const struct meaning *by_code(enum pf_imap_code code)
{
	for (size_t i = 0; i < PF_COUNT(BY_CODE); i++) {
		if (BY_CODE[i].code == code) {
			return &BY_CODE[i].means;
		}
	}
	return NULL;
}

static struct meaning meaning_of(
	const struct pf_imap_resp *r, enum pf_scope scope, enum pf_imap_cmd_kind cmd)
{
	const struct meaning *words = by_words(r->text), *code = by_code(r->code);
	struct meaning m = {scope, r->cond == PF_IMAP_BYE ? PF_RETRY_LATER : PF_RETRY_NO, EV_NONE};

	/* A code is plainer than words, but words name the throttle that hides behind [LIMIT],
	 * [OVERQUOTA] and [ALERT]. */
	if (code) {
		m = *code;
	}
	if (words && (!code || words->number == EV_THROTTLED ||
			     (words->number != EV_NONE && code->number == EV_NONE))) {
		m = *words;
	}
	if (m.number == EV_TARGET_FULL && !stores(cmd)) {
		m.number = EV_THROTTLED; /* nothing was to be stored: it is about traffic */
	}
	return m;
}

int pf_imap_refusal(struct pf_err *err, enum pf_scope scope, enum pf_imap_cmd_kind cmd,
	const struct pf_imap_resp *resp)
{
	static const char *const CONDITIONS[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
	struct meaning m = meaning_of(resp, scope, cmd);
	char said[300], code[100] = "";

	(void)pf_print_safe(said, sizeof(said), resp->text);
	if (resp->code != PF_IMAP_CODE_NONE) {
		(void)pf_print_safe(code, sizeof(code), resp->code_name);
	}
	(void)pf_fail(err, m.scope > scope ? m.scope : scope, m.retry, "%s: %s %s%s%s%s",
		pf_imap_cmd_name(cmd), CONDITIONS[resp->cond], code[0] ? "[" : "", code,
		code[0] ? "] " : "", said);
	if (m.number == EV_NOT_REACHABLE) {
		(void)pf_wrap(err, "signed in, but the mailbox can't be reached (check permission, "
				   "licence and the form of the name)");
	}
	err->number = m.number;
	err->retry_after_s = backoff_s(resp->text);
	return PF_FAIL;
}
