#include "proto/mapi/notes.h"

#include <stdarg.h>
#include <stdio.h>

static void add(struct pf_mapi_notes *notes, size_t at, const char *fmt, va_list args)
	PF_PRINTF(3, 0);

static void add(struct pf_mapi_notes *notes, size_t at, const char *fmt, va_list args)
{
	if (notes->n < PF_MAPI_NOTES_KEPT) {
		struct pf_mapi_note *note = &notes->v[notes->n];

		note->at = at;
		(void)vsnprintf(note->text, sizeof(note->text), fmt, args);
	}
	notes->n++;
}

void pf_mapi_note(struct pf_mapi_notes *notes, size_t at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(notes, at, fmt, args);
	va_end(args);
}

void pf_mapi_broken(struct pf_mapi_notes *notes, size_t at, const char *fmt, ...)
{
	va_list args;

	notes->first = notes->broken++ == 0 ? notes->n : notes->first;
	va_start(args, fmt);
	add(notes, at, fmt, args);
	va_end(args);
}

const char *pf_mapi_broken_text(const struct pf_mapi_notes *notes)
{
	return notes->broken == 0                  ? NULL
	       : notes->first < PF_MAPI_NOTES_KEPT ? notes->v[notes->first].text
						   : "much of it can't be read";
}
