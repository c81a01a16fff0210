/* Whatever a message begins with: its description is printable text, and only its header counts. */
#include "base/defs.h"
#include "base/utf8.h"
#include "model/describe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
	pf_assert(memchr(text, '\0', room) && pf_utf8_valid(pf_span_str(text)));
	for (; *text; text++) {
		pf_assert((unsigned char)*text >= 0x20 && *text != 0x7f);
	}
}

/* The header with the line that ends it. */
static size_t header_size(const uint8_t *data, size_t size)
{
	size_t line = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n') {
			continue;
		}
		if (i == line || (i == line + 1 && data[line] == '\r')) {
			return i + 1;
		}
		line = i + 1;
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_description whole, header;

	pf_describe(pf_span(data, size), &whole);
	pf_describe(pf_span(data, header_size(data, size)), &header);
	pf_assert(memcmp(&whole, &header, sizeof(whole)) == 0);
	check_text(whole.message_id, sizeof(whole.message_id));
	check_text(whole.date, sizeof(whole.date));
	check_text(whole.from, sizeof(whole.from));
	check_text(whole.subject, sizeof(whole.subject));
	return 0;
}
