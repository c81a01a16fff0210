/*
 * Servers that differ in what no header or property tells. One table, by what they call themselves.
 */
#include "stores/dav/dav_private.h"

static const struct {
	const char *server; /* begins the Server field */
	const char *dav;    /* or is a word of the DAV field */
	enum pf_uid_scope scope;
	bool local_rids;
} QUIRKS[] = {
	/* 403 unique-scheduling-object-resource for any other resource of the account; to rid= in
	 * UTC it makes another instance beside one whose RECURRENCE-ID has a zone (3.6.1) */
	{"Cyrus", NULL, PF_UID_STORE, true},
};

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; at && (at = strcasestr(at, word)) != NULL; at += n) {
		if ((at == list || strchr(", \t", at[-1])) && (!at[n] || strchr(", \t", at[n]))) {
			return true;
		}
	}
	return false;
}

void dav_quirks_learn(struct dstore *s)
{
	struct pf_store_facts *f = &s->h.facts;

	for (size_t i = 0; i < PF_COUNT(QUIRKS); i++) {
		if ((QUIRKS[i].server &&
			    pf_span_starts(pf_span_str(s->server), QUIRKS[i].server)) ||
			(QUIRKS[i].dav && has_word(s->dav, QUIRKS[i].dav))) {
			f->uid_scope = s->contacts ? f->uid_scope : QUIRKS[i].scope;
			s->local_rids = QUIRKS[i].local_rids;
		}
	}
	if (!s->contacts && has_word(s->dav, "calendar-auto-schedule")) {
		f->caps |= PF_CAP_SCHEDULES;
	}
	f->server = s->server;
}
