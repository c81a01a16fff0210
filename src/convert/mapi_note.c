#include "convert/form_private.h"
#include "convert/mapi_task.h"
#include "model/mapi_tags.h"

enum {
	COLOUR = 0x8B00,
	LOG_TYPE = 0x8700,
	LOG_START = 0x8706,
	LOG_MINUTES = 0x8707,
	LOG_END = 0x8708
};

static void put_colour(struct form *f)
{
	/* [MS-OXONOTE] 2.2.1.1, by the names of CSS (RFC 7986 5.9) */
	static const char *const NAMES[] = {"blue", "green", "pink", "yellow", "white"};
	int64_t n;

	if (pf_mapi_number(form_lid(f, &pf_set_note, COLOUR), &n) && n >= 0 &&
		n < (int64_t)PF_COUNT(NAMES)) {
		pf_mapi_linef(&f->o, "COLOR", "%s", NAMES[n]);
		pf_mapi_linef(&f->o, "X-MICROSOFT-NOTE-COLOR", "%d", (int)n);
	}
}

static void put_log(struct form *f)
{
	int64_t minutes;

	form_moment(f, "X-MICROSOFT-JOURNAL-END", form_lid(f, &pf_set_log, LOG_END));
	pf_mapi_line_text(
		&f->o, "X-MICROSOFT-JOURNAL-TYPE", form_lid_text(f, &pf_set_log, LOG_TYPE));
	if (pf_mapi_number(form_lid(f, &pf_set_log, LOG_MINUTES), &minutes) && minutes > 0) {
		pf_mapi_linef(&f->o, "X-MICROSOFT-JOURNAL-DURATION", "PT%lldM", (long long)minutes);
	}
}

/* The first line of what it says, for notes that were given no subject. */
static void put_summary(struct form *f)
{
	struct pf_mapi_bodies b;
	size_t n = 0;

	if (f->o.rc != PF_OK || pf_mapi_tag(&f->item->props, PF_TAG_SUBJECT) ||
		pf_mapi_tag(&f->item->props, PF_TAG_NORMALIZED_SUBJECT)) {
		return;
	}
	f->o.rc = pf_mapi_body(f->item, f->arena, &b, f->err);
	while (f->o.rc == PF_OK && n < b.text.n && b.text.p[n] != '\r' && b.text.p[n] != '\n') {
		n++;
	}
	if (f->o.rc == PF_OK) {
		pf_mapi_line_text(&f->o, "SUMMARY", pf_span(b.text.p, n));
	}
}

int pf_mapi_journal(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err)
{
	const struct pf_mapi_value *start;
	int64_t ignored;
	struct form f;

	form_begin(&f, item, ways, losses, out, err);
	form_begin_component(&f, "VJOURNAL");
	start = form_lid(&f, &pf_set_log, LOG_START);
	form_moment(&f, "DTSTART",
		pf_mapi_unix(start, &ignored) ? start : form_tag(&f, PF_TAG_CREATION_TIME));
	put_summary(&f);
	put_colour(&f);
	put_log(&f);
	form_say(&f);
	form_end_component(&f, "VJOURNAL");
	return form_end(&f);
}
