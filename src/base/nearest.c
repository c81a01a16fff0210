#include "base/nearest.h"

#include <string.h>

enum { NEAR = 3, WORD_MAX = 64 };

/* Levenshtein's distance; more than WORD_MAX characters are no slip of the finger. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(b), m = strlen(a);

	if (n > WORD_MAX || m > WORD_MAX) {
		return WORD_MAX;
	}
	for (size_t k = 0; k <= n; k++) {
		row[k] = k;
	}
	for (size_t i = 1; i <= m; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t k = 1; k <= n; k++) {
			size_t best = corner + (a[i - 1] != b[k - 1]);

			corner = row[k];
			best = row[k] + 1 < best ? row[k] + 1 : best;
			row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
		}
	}
	return row[n];
}

const char *pf_nearest(const char *word, const char *const *known, size_t count)
{
	const char *best = NULL;
	size_t best_distance = NEAR + 1;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, known[i]);

		if (d < best_distance) {
			best_distance = d;
			best = known[i];
		}
	}
	return best;
}
