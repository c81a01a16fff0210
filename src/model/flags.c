#include "model/flags.h"

#include <ctype.h>

static const struct {
	uint32_t bit;
	const char *name;
} SYSTEM_FLAGS[] = {
	{PF_FLAG_SEEN, "\\Seen"},
	{PF_FLAG_ANSWERED, "\\Answered"},
	{PF_FLAG_FLAGGED, "\\Flagged"},
	{PF_FLAG_DELETED, "\\Deleted"},
	{PF_FLAG_DRAFT, "\\Draft"},
};

uint32_t pf_flag_bit(struct pf_span word)
{
	for (size_t i = 0; i < PF_COUNT(SYSTEM_FLAGS); i++) {
		if (pf_span_is(word, SYSTEM_FLAGS[i].name)) {
			return SYSTEM_FLAGS[i].bit;
		}
	}
	return 0;
}

const char *pf_flag_name(uint32_t bit)
{
	for (size_t i = 0; i < PF_COUNT(SYSTEM_FLAGS); i++) {
		if (SYSTEM_FLAGS[i].bit == bit) {
			return SYSTEM_FLAGS[i].name;
		}
	}
	return "";
}

/* ASCII order without regard to case. */
static int word_cmp(struct pf_span a, struct pf_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n == 0 ? 0 : strncasecmp((const char *)a.p, (const char *)b.p, n);

	if (d != 0) {
		return d;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

bool pf_flags_eq(const struct pf_flags *a, const struct pf_flags *b)
{
	return a->sys == b->sys && word_cmp(a->kw, b->kw) == 0;
}

bool pf_keywords_next(struct pf_span *list, struct pf_span *word)
{
	const uint8_t *blank;

	if (list->n == 0) {
		return false;
	}
	blank = memchr(list->p, ' ', list->n);
	*word = pf_span(list->p, blank ? (size_t)(blank - list->p) : list->n);
	*list = pf_span_from(*list, word->n + 1);
	return true;
}

bool pf_keywords_has(struct pf_span list, struct pf_span word)
{
	struct pf_span w;

	while (pf_keywords_next(&list, &w)) {
		if (word_cmp(w, word) == 0) {
			return true;
		}
	}
	return false;
}

int pf_keywords_add(struct pf_buf *kw, struct pf_span word, struct pf_err *err)
{
	struct pf_span rest = pf_buf_span(kw), w;
	size_t at = kw->n;
	size_t tail;

	while (pf_keywords_next(&rest, &w)) {
		int d = word_cmp(word, w);

		if (d == 0) {
			return PF_OK;
		}
		if (d < 0) {
			at = (size_t)(w.p - kw->p);
			break;
		}
	}
	if (pf_buf_reserve(kw, word.n + 1, err) != PF_OK) {
		return PF_FAIL;
	}
	tail = kw->n - at;
	if (tail > 0) { /* before another: word, blank */
		memmove(kw->p + at + word.n + 1, kw->p + at, tail);
		memcpy(kw->p + at, word.p, word.n);
		kw->p[at + word.n] = ' ';
		kw->n += word.n + 1;
		return PF_OK;
	}
	if (kw->n > 0) {
		kw->p[kw->n++] = ' ';
	}
	return pf_buf_add(kw, word, err);
}

static uint8_t lower(uint8_t c)
{
	return (uint8_t)tolower(c);
}

uint64_t pf_flags_key(const struct pf_flags *flags)
{
	const uint64_t prime = ((uint64_t)1 << 40) + 435; /* of FNV-1a */
	uint64_t key = 14695981039346656037u ^ flags->sys;

	for (size_t i = 0; i < flags->kw.n; i++) {
		key = (key * prime) ^ lower(flags->kw.p[i]);
	}
	return key;
}
