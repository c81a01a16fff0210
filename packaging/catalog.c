/*
 * Prints the systemd message catalogue of our events, so that "journalctl -x" shows cause, effect
 * and remedy beside each: https://systemd.io/CATALOG/
 */
#include "model/event.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78 };

/* A text in lines of at most WIDTH columns, broken at blanks. */
static bool print_wrapped(const char *text)
{
	while (strlen(text) > WIDTH) {
		int n = WIDTH;

		while (n > 0 && text[n] != ' ') {
			n--;
		}
		if (n == 0 || printf("%.*s\n", n, text) < 0) {
			return false;
		}
		text += n + 1;
	}
	return printf("%s\n\n", text) >= 0;
}

static bool print_event(const struct pf_event_doc *doc)
{
	char id[33];

	pf_event_message_id(doc->number, id);
	return printf("-- %s\n"
		      "Subject: postferry event %d: %s\n"
		      "Defined-By: postferry\n"
		      "Documentation: man:postferry-explain(1)\n\n",
		       id, doc->number, doc->name) >= 0 &&
	       print_wrapped(doc->cause) && print_wrapped(doc->effect) &&
	       print_wrapped(doc->remedy);
}

int main(void)
{
	size_t count;
	const struct pf_event_doc *docs = pf_event_docs(&count);

	for (size_t i = 0; i < count; i++) {
		if (!print_event(&docs[i])) {
			return EXIT_FAILURE;
		}
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
