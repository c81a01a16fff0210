#include "proto/imap/session_private.h"

#include "proto/imap/lex.h"

#include <stdio.h>

static const struct {
	const char *name;
	uint32_t bits;
} CAPS[] = {
	{"STARTTLS", PF_IMAP_CAP_STARTTLS},
	{"LOGINDISABLED", PF_IMAP_CAP_LOGINDISABLED},
	{"SASL-IR", PF_IMAP_CAP_SASL_IR},
	{"LITERAL+", PF_IMAP_CAP_LITERAL_PLUS},
	{"LITERAL-", PF_IMAP_CAP_LITERAL_MINUS},
	{"ID", PF_IMAP_CAP_ID},
	{"ENABLE", PF_IMAP_CAP_ENABLE},
	{"NAMESPACE", PF_IMAP_CAP_NAMESPACE},
	{"LIST-EXTENDED", PF_IMAP_CAP_LIST_EXTENDED},
	{"LIST-STATUS", PF_IMAP_CAP_LIST_STATUS},
	{"SPECIAL-USE", PF_IMAP_CAP_SPECIAL_USE},
	{"CREATE-SPECIAL-USE", PF_IMAP_CAP_CREATE_SPECIAL_USE},
	{"XLIST", PF_IMAP_CAP_XLIST},
	{"CHILDREN", PF_IMAP_CAP_CHILDREN},
	{"UIDPLUS", PF_IMAP_CAP_UIDPLUS},
	{"MULTIAPPEND", PF_IMAP_CAP_MULTIAPPEND},
	{"BINARY", PF_IMAP_CAP_BINARY},
	{"CONDSTORE", PF_IMAP_CAP_CONDSTORE},
	{"QRESYNC", PF_IMAP_CAP_QRESYNC |
			    PF_IMAP_CAP_CONDSTORE}, /* RFC 7162: the one implies the other */
	{"QUOTA", PF_IMAP_CAP_QUOTA},
	{"IMAP4rev1", PF_IMAP_CAP_REV1},
	{"IMAP4rev2", PF_IMAP_CAP_REV2},
	/* RFC 6855 section 6: it is to be enabled, and can be */
	{"UTF8=ONLY", PF_IMAP_CAP_UTF8_ONLY | PF_IMAP_CAP_ENABLE},
	{"COMPRESS=DEFLATE", PF_IMAP_CAP_COMPRESS},
	{"X-GM-EXT-1", PF_IMAP_CAP_GMAIL},
	{"ACL", PF_IMAP_CAP_ACL},
};

/*
 * What RFC 9051 has built in (appendix E): of SPECIAL-USE the attributes, not the option of LIST. A
 * server that announces IMAP4rev1 as well speaks that until it is told otherwise (appendix A), and
 * then has no more than it announces.
 */
static const uint32_t BUILT_IN = PF_IMAP_CAP_NAMESPACE | PF_IMAP_CAP_ENABLE | PF_IMAP_CAP_SASL_IR |
				 PF_IMAP_CAP_LIST_EXTENDED | PF_IMAP_CAP_LIST_STATUS |
				 PF_IMAP_CAP_UIDPLUS | PF_IMAP_CAP_LITERAL_MINUS;

static void add_auth(struct pf_imap_caps *caps, struct pf_span name)
{
	size_t n = strlen(caps->auth);

	(void)snprintf(caps->auth + n, sizeof(caps->auth) - n, "%s%.*s", n > 0 ? " " : "",
		(int)(name.n > 64 ? 64 : name.n), (const char *)name.p);
}

void pf_imap_caps_parse(struct pf_imap_caps *caps, struct pf_span words)
{
	struct pf_span word;

	*caps = (struct pf_imap_caps){0};
	while (pf_imap_words_next(&words, &word)) {
		uint64_t limit = 0;

		if (pf_span_starts(word, "AUTH=")) {
			add_auth(caps, pf_span_from(word, 5));
		} else if (pf_span_starts(word, "APPENDLIMIT")) {
			caps->bits |= PF_IMAP_CAP_APPENDLIMIT;
			if (word.n > 12 && pf_lex_parse_number(pf_span_from(word, 12), &limit)) {
				caps->append_limit = limit;
			}
		} else if (pf_span_starts(word, "QUOTA=")) {
			caps->bits |= PF_IMAP_CAP_QUOTA;
		}
		for (size_t i = 0; i < PF_COUNT(CAPS); i++) {
			caps->bits |= pf_span_is(word, CAPS[i].name) ? CAPS[i].bits : 0;
		}
	}
	if ((caps->bits & PF_IMAP_CAP_REV2) && !(caps->bits & PF_IMAP_CAP_REV1)) {
		caps->bits |= BUILT_IN;
	}
}

void session_take_caps(struct pf_imap_session *s, struct pf_span words)
{
	pf_imap_caps_parse(&s->caps, words);
	s->caps.bits &= ~s->mask;
	s->caps_known = true;
}

const struct pf_imap_caps *pf_imap_session_caps(const struct pf_imap_session *s)
{
	return &s->caps;
}

bool pf_imap_session_caps_known(const struct pf_imap_session *s)
{
	return s->caps_known;
}

void pf_imap_session_assume_caps(struct pf_imap_session *s)
{
	session_take_caps(s, pf_span_str("IMAP4rev1"));
}

void pf_imap_session_forget_caps(struct pf_imap_session *s)
{
	s->caps_known = false;
}

void pf_imap_session_mask_caps(struct pf_imap_session *s, uint32_t bits)
{
	s->mask |= bits;
	s->caps.bits &= ~bits;
}
