#include "proto/mapi/notes.h"

#include <stdarg.h>
#include <stdio.h>

void pf_mapi_note(struct pf_mapi_notes *notes, size_t at, const char *fmt, ...)
{
	va_list args;

	if (notes->n < PF_MAPI_NOTES_KEPT) {
		struct pf_mapi_note *note = &notes->v[notes->n];

		note->at = at;
		va_start(args, fmt);
		(void)vsnprintf(note->text, sizeof(note->text), fmt, args);
		va_end(args);
	}
	notes->n++;
}
