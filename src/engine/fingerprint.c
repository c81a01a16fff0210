#include "engine/fingerprint.h"

#include <ctype.h>
#include <stdlib.h>

/* Of a header field no more than this counts; real ones are shorter by far. */
enum { FIELD_MAX = 8192, NAME_MAX_BYTES = 32 };

static const char *const KEPT[] = {"from", "to", "cc", "date", "subject"};

struct field { /* of the header, as it is being read */
	char name[NAME_MAX_BYTES];
	size_t name_n;
	char value[FIELD_MAX];
	size_t value_n;
	bool in_name, kept, blank;
};

struct pf_fingerprinter {
	struct pf_hash *exact, *canonical;     /* canonical: NULL when not asked for */
	struct pf_digest kept[PF_COUNT(KEPT)]; /* one a field name: their order does not count */
	bool seen[PF_COUNT(KEPT)];
	struct pf_hash *one; /* of a single field */
	struct field field;
	bool in_body, cr, line_start;
	size_t newlines; /* held back at the body's end */
};

static void start(struct pf_fingerprinter *f)
{
	memset(f->kept, 0, sizeof(f->kept));
	memset(f->seen, 0, sizeof(f->seen));
	f->field.name_n = 0;
	f->field.value_n = 0;
	f->field.in_name = true;
	f->field.kept = false;
	f->field.blank = false;
	f->in_body = false;
	f->cr = false;
	f->line_start = true;
	f->newlines = 0;
}

struct pf_fingerprinter *pf_fingerprinter_new(bool canonical)
{
	struct pf_fingerprinter *f = calloc(1, sizeof(*f));

	if (!f) {
		return NULL;
	}
	f->exact = pf_hash_new();
	if (canonical) {
		f->canonical = pf_hash_new();
		f->one = pf_hash_new();
	}
	if (!f->exact || (canonical && (!f->canonical || !f->one))) {
		pf_fingerprinter_free(&f);
		return NULL;
	}
	start(f);
	return f;
}

void pf_fingerprinter_free(struct pf_fingerprinter **f)
{
	if (*f) {
		pf_hash_free(&(*f)->exact);
		pf_hash_free(&(*f)->canonical);
		pf_hash_free(&(*f)->one);
		free(*f);
		*f = NULL;
	}
}

/* The field is complete: its digest is added to those of the same name, so that order does not
 * count. */
static void end_field(struct pf_fingerprinter *f)
{
	struct field *d = &f->field;

	for (size_t i = 0; d->kept && i < PF_COUNT(KEPT); i++) {
		struct pf_digest one;

		if (!pf_span_is(pf_span(d->name, d->name_n), KEPT[i])) {
			continue;
		}
		pf_hash_add(f->one, pf_span(d->value, d->value_n));
		pf_hash_take(f->one, &one);
		for (size_t b = 0; b < sizeof(one.b); b++) {
			f->kept[i].b[b] ^= one.b[b];
		}
		f->seen[i] = true;
	}
	d->name_n = 0;
	d->value_n = 0;
	d->in_name = true;
	d->kept = false;
	d->blank = false;
}

static bool is_kept(struct pf_span name)
{
	for (size_t i = 0; i < PF_COUNT(KEPT); i++) {
		if (pf_span_is(name, KEPT[i])) {
			return true;
		}
	}
	return false;
}

static void name_byte(struct field *d, uint8_t c)
{
	if (c == ':') {
		d->in_name = false;
		d->kept = is_kept(pf_span(d->name, d->name_n));
	} else if (c != ' ' && c != '\t' && d->name_n < sizeof(d->name)) {
		d->name[d->name_n++] = (char)c;
	}
}

static void value_byte(struct field *d, uint8_t c)
{
	if (c == ' ' || c == '\t') {
		d->blank = d->value_n > 0;
		return;
	}
	if (d->blank && d->value_n < sizeof(d->value)) {
		d->value[d->value_n++] = ' ';
	}
	d->blank = false;
	if (d->value_n < sizeof(d->value)) {
		d->value[d->value_n++] = (char)c;
	}
}

static void head_byte(struct pf_fingerprinter *f, uint8_t c)
{
	if (c == '\r') {
		return; /* line ends are LF here, whatever they are on the wire */
	}
	if (c == '\n') {
		if (f->line_start) { /* an empty line: the header is over */
			end_field(f);
			f->in_body = true;
		}
		f->line_start = true;
		return;
	}
	if (f->line_start && c != ' ' && c != '\t') {
		end_field(f);
	} else if (f->line_start) {
		f->field.blank = f->field.value_n > 0; /* a fold is white space */
	}
	f->line_start = false;
	if (f->field.in_name) {
		name_byte(&f->field, c);
	} else if (f->field.kept) {
		value_byte(&f->field, c);
	}
}

static void flush_newlines(struct pf_fingerprinter *f)
{
	for (; f->newlines > 0; f->newlines--) {
		pf_hash_add(f->canonical, pf_span("\n", 1));
	}
}

/* Runs without line ends go in whole; CRLF and LF become LF, held back until something follows. */
static void body_bytes(struct pf_fingerprinter *f, struct pf_span bytes)
{
	while (bytes.n > 0) {
		size_t n = 0;

		while (n < bytes.n && bytes.p[n] != '\r' && bytes.p[n] != '\n') {
			n++;
		}
		if (n > 0) {
			flush_newlines(f);
			pf_hash_add(f->canonical, pf_span(bytes.p, n));
		}
		if (n < bytes.n) {
			f->newlines += bytes.p[n] == '\n';
			n++;
		}
		bytes = pf_span_from(bytes, n);
	}
}

void pf_fingerprinter_add(struct pf_fingerprinter *f, struct pf_span bytes)
{
	pf_hash_add(f->exact, bytes);
	if (!f->canonical) {
		return;
	}
	while (bytes.n > 0 && !f->in_body) {
		head_byte(f, bytes.p[0]);
		bytes = pf_span_from(bytes, 1);
	}
	body_bytes(f, bytes);
}

static void add_header(const struct pf_fingerprinter *f, struct pf_hash *to)
{
	for (size_t i = 0; i < PF_COUNT(KEPT); i++) {
		pf_hash_add(to, pf_span(f->seen[i] ? "+" : "-", 1));
		pf_hash_add(to, pf_span(f->kept[i].b, sizeof(f->kept[i].b)));
	}
}

void pf_fingerprinter_take(struct pf_fingerprinter *f, struct pf_fingerprint *out)
{
	memset(out, 0, sizeof(*out));
	pf_hash_take(f->exact, &out->exact);
	if (f->canonical) {
		struct pf_digest body;

		end_field(f);
		pf_hash_take(f->canonical, &body);
		add_header(f, f->canonical);
		add_header(f, f->one);
		pf_hash_take(f->one, &out->header);
		pf_hash_add(f->canonical, pf_span(body.b, sizeof(body.b)));
		pf_hash_take(f->canonical, &out->canonical);
	}
	start(f);
}
