#include "proto/line/said.h"

#include "base/utf8.h"
#include <stdlib.h>

void said_init(struct said *k, struct pf_err *err)
{
	*k = (struct said){.err = err};
	pf_buf_init(&k->text, SAID_MAX);
}

void said_deinit(struct said *k)
{
	pf_buf_deinit(&k->text);
	free(k->at);
}

void said_put(struct said *k, struct pf_span s)
{
	if (k->rc == PF_OK) {
		k->rc = pf_buf_add(&k->text, s, k->err);
	}
}

void said_text(struct said *k, const char *s)
{
	said_put(k, pf_span_str(s));
}

void said_number(struct said *k, int64_t n)
{
	if (k->rc == PF_OK) {
		k->rc = pf_buf_addf(&k->text, k->err, "%lld", (long long)n);
	}
}

void said_upper(struct said *k, struct pf_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = (char)pf_ascii_upper(s.p[i]);

		said_put(k, pf_span(&c, 1));
	}
}

void said_begin(struct said *k)
{
	if (k->n == k->cap && k->rc == PF_OK) {
		size_t cap = k->cap ? k->cap * 2 : 32;
		size_t *grown = realloc(k->at, (cap + 1) * sizeof(*grown));

		if (!grown) {
			k->rc = pf_fail_memory(k->err, "the meaning of an item");
			return;
		}
		k->at = grown;
		k->cap = cap;
	}
	if (k->rc == PF_OK) {
		k->at[k->n++] = k->text.n;
		k->at[k->n] = k->text.n;
	}
}

void said_end(struct said *k)
{
	if (k->rc == PF_OK) {
		k->at[k->n] = k->text.n;
	}
}

static struct pf_span line_at(const struct said *k, size_t i)
{
	return pf_span(k->text.p + k->at[i], k->at[i + 1] - k->at[i]);
}

int said_cmp(struct pf_span x, struct pf_span y)
{
	size_t n = x.n < y.n ? x.n : y.n;
	int d = n > 0 ? memcmp(x.p, y.p, n) : 0;

	return d != 0 ? d : x.n < y.n ? -1 : x.n > y.n;
}

static int cmp_lines(const void *a, const void *b)
{
	return said_cmp(*(const struct pf_span *)a, *(const struct pf_span *)b);
}

/* The lines in order, each once, each ended by LF and with a blank before a LF within. */
int said_write(struct said *k, struct pf_buf *out)
{
	struct pf_span *v = calloc(k->n + 1, sizeof(*v));
	int rc = k->rc;

	if (!v) {
		return pf_fail_memory(k->err, "the meaning of an item");
	}
	for (size_t i = 0; i < k->n && rc == PF_OK; i++) {
		v[i] = line_at(k, i);
	}
	if (rc == PF_OK && k->n > 1) {
		qsort(v, k->n, sizeof(*v), cmp_lines);
	}
	for (size_t i = 0; i < k->n && rc == PF_OK; i++) {
		if (i > 0 && pf_span_eq(v[i], v[i - 1])) {
			continue;
		}
		rc = pf_buf_add(out, v[i], k->err);
		rc = rc == PF_OK ? pf_buf_add(out, pf_span("\n", 1), k->err) : rc;
	}
	free(v);
	return rc;
}

void said_drop(struct said *k)
{
	if (k->rc == PF_OK) {
		k->n--;
		k->text.n = k->at[k->n];
	}
}
