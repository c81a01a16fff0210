/*
 * A whole account on disk, open to anybody: PATH/mail is a Maildir++, PATH/calendars and
 * PATH/contacts are directories with a folder each and one .ics or .vcf file an item. It makes a
 * migration in two steps: extract, look and edit, import.
 *
 * There is no more to it than its parts: who opens an archive opens them (model/scheme.h).
 */
#include "stores/store.h"

extern const struct pf_store_ops pf_archive_store_ops;

static const struct pf_scheme_part PARTS[] = {
	{"maildir", "mail"}, {"ics", "calendars"}, {"vcf", "contacts"}, {.scheme = NULL}};

static const struct pf_scheme SCHEMES[] = {
	{"archive",
		PF_KIND_MAIL | PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES | PF_KIND_CONTACTS,
		0, PARTS},
	{.name = NULL}};

const struct pf_store_ops pf_archive_store_ops = {
	.schemes = SCHEMES,
	.summary = "a whole account on disk: mail, calendars, contacts (archive:PATH)",
};
