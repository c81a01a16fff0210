#include "plan/address_map.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "plan/csv.h"
#include "plan/ldif.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 256 << 20, ADDRESS_MAX = 2000 };

struct entry {
	struct pf_span key, smtp; /* key: lower case; of another type than EX "type:address" */
	size_t line;
};

struct pf_address_map {
	struct pf_addresses base;
	struct pf_arena arena;
	struct entry *v; /* in the order of keys */
	size_t n, cap;
};

/* What one record of the file tells: a person. */
struct person {
	struct pf_span dn, mail, primary; /* LDIF: the record's name; primary: of its list of all */
	struct pf_span *keys;             /* directory addresses, in the arena */
	size_t key_n, key_cap;
	size_t line;
};

struct reading {
	const char *path;
	struct pf_address_map *map;
	struct person now;
	size_t wrong;        /* lines */
	struct pf_err first; /* why the first of them is */
	struct pf_err *err;
};

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "a map of addresses");
}

static void wrong(struct reading *r, size_t line, const char *why)
{
	if (r->wrong++ == 0) {
		(void)pf_fail(&r->first, PF_SCOPE_RUN, PF_RETRY_NO, "%s line %zu: %s", r->path,
			line, why);
	}
}

/* ---- entries ---- */

static bool is_mail(struct pf_span s)
{
	const uint8_t *at = s.n > 0 ? memchr(s.p, '@', s.n) : NULL;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == 0x7F || strchr("<>\"(),:;\\", s.p[i])) {
			return false;
		}
	}
	return at && at > s.p && at + 1 < s.p + s.n && s.n < ADDRESS_MAX;
}

static int add_entry(struct reading *r, struct pf_span key, struct pf_span smtp, size_t line)
{
	struct pf_address_map *m = r->map;

	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 256;
		struct entry *grown = realloc(m->v, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(r->err);
		}
		m->v = grown;
		m->cap = cap;
	}
	m->v[m->n++] = (struct entry){key, smtp, line};
	return PF_OK;
}

/* In lower case, in the arena. */
static struct pf_span lower(struct pf_arena *arena, struct pf_span s)
{
	uint8_t *p = pf_arena_alloc(arena, s.n + 1);

	for (size_t i = 0; p && i < s.n; i++) {
		p[i] = pf_ascii_lower(s.p[i]);
	}
	return pf_span(p, p ? s.n : 0);
}

static int add_key(struct reading *r, struct pf_span address)
{
	struct person *p = &r->now;
	struct pf_span key = lower(&r->map->arena, address);

	if (p->key_n == p->key_cap) {
		size_t cap = p->key_cap ? 2 * p->key_cap : 8;
		struct pf_span *grown = realloc(p->keys, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(r->err);
		}
		p->keys = grown;
		p->key_cap = cap;
	}
	p->keys[p->key_n++] = key;
	return key.p ? PF_OK : no_memory(r->err);
}

/* "cn=ann,cn=Recipients,ou=Site,o=Org" as the address "/o=Org/ou=Site/cn=Recipients/cn=ann": in
 * Exchange 5.5 the one is the other. Nothing for a name of another directory. */
static int add_name(struct reading *r, struct pf_span dn)
{
	struct pf_buf b;
	size_t end = dn.n;
	int rc = PF_OK;

	pf_buf_init(&b, ADDRESS_MAX);
	for (size_t i = dn.n; i > 0 && rc == PF_OK; i--) {
		size_t from = i - 1;

		if (from > 0 && dn.p[from] != ',') {
			continue;
		}
		from += dn.p[from] == ',';
		while (from < end && dn.p[from] == ' ') {
			from++;
		}
		rc = b.n + (end - from) + 1 < ADDRESS_MAX ? pf_buf_add_str(&b, "/", r->err)
							  : PF_END;
		rc = rc == PF_OK ? pf_buf_add(&b, pf_span(dn.p + from, end - from), r->err) : rc;
		end = i - 1;
	}
	if (rc == PF_OK && b.n > 3 && b.p[1] == 'o' && b.p[2] == '=') {
		rc = add_key(r, pf_buf_span(&b));
	}
	pf_buf_deinit(&b);
	return rc == PF_END ? PF_OK : rc;
}

static void begin_person(struct reading *r, size_t line)
{
	r->now.dn = pf_span(NULL, 0);
	r->now.mail = pf_span(NULL, 0);
	r->now.primary = pf_span(NULL, 0);
	r->now.key_n = 0;
	r->now.line = line;
}

static int end_person(struct reading *r)
{
	struct person *p = &r->now;
	struct pf_span smtp = p->mail.n > 0 ? p->mail : p->primary;
	int rc = PF_OK;

	if (p->key_n == 0 && p->dn.n > 0) {
		rc = add_name(r, p->dn);
	}
	for (size_t i = 0; i < p->key_n && smtp.n > 0 && rc == PF_OK; i++) {
		rc = add_entry(r, p->keys[i], smtp, p->line);
	}
	return rc;
}

/* ---- what a record says ---- */

static bool is_name(struct pf_span name, const char *const *of)
{
	for (; *of; of++) {
		if (pf_span_is(name, *of)) { /* ASCII case aside */
			return true;
		}
	}
	return false;
}

static const char *const DN_NAMES[] = {
	"legacyExchangeDN", "legacyDN", "exchangeDN", "ex", "x500", "obj-dist-name", NULL};
static const char *const MAIL_NAMES[] = {
	"mail", "primarySmtpAddress", "rfc822Mailbox", "smtp", "smtpAddress", "email", NULL};
static const char *const ALL_NAMES[] = {
	"proxyAddresses", "emailAddresses", "otherMailbox", "secondary-proxy-addresses", NULL};

static int take_mail(struct reading *r, size_t line, struct pf_span value, struct pf_span *to)
{
	if (value.n == 0 || to->n > 0) {
		return PF_OK;
	}
	if (!is_mail(value)) {
		wrong(r, line,
			"its address is none of the Internet's: it must be as ann@example.org");
		return PF_OK;
	}
	*to = pf_arena_span(&r->map->arena, value);
	return to->p ? PF_OK : no_memory(r->err);
}

static int take_dn(struct reading *r, size_t line, struct pf_span value)
{
	if (value.n == 0) {
		return PF_OK;
	}
	if (value.p[0] != '/' || value.n > ADDRESS_MAX) {
		wrong(r, line,
			"its directory address must be as "
			"/o=Org/ou=Site/cn=Recipients/cn=ann (legacyExchangeDN)");
		return PF_OK;
	}
	return add_key(r, value);
}

/* One of all addresses of a person: "SMTP:" is the first one's, "X500:" a former directory
 * address. */
static int take_one(struct reading *r, size_t line, struct pf_span value)
{
	if (pf_span_starts(value, "X500:") || pf_span_starts(value, "EX:")) {
		size_t n = value.p[0] == 'x' || value.p[0] == 'X' ? 5 : 3;

		return take_dn(r, line, pf_span_from(value, n));
	}
	if (value.n > 5 && memcmp(value.p, "SMTP:", 5) == 0) {
		return take_mail(r, line, pf_span_from(value, 5), &r->now.primary);
	}
	return PF_OK;
}

/* Several in one cell: csvde and Export-Csv put ";" between them, or a blank. */
static int take_all(struct reading *r, size_t line, struct pf_span cell)
{
	int rc = PF_OK;

	while (cell.n > 0 && rc == PF_OK) {
		size_t n = 0;

		while (n < cell.n && cell.p[n] != ';' &&
			!(cell.p[n] == ' ' &&
				(pf_span_starts(pf_span_from(cell, n + 1), "smtp:") ||
					pf_span_starts(pf_span_from(cell, n + 1), "x500:")))) {
			n++;
		}
		rc = take_one(r, line, pf_span(cell.p, n));
		cell = pf_span_from(cell, n + 1);
	}
	return rc;
}

static int take(struct reading *r, size_t line, struct pf_span name, struct pf_span value)
{
	if (is_name(name, DN_NAMES)) {
		return take_dn(r, line, value);
	}
	if (is_name(name, MAIL_NAMES)) {
		return take_mail(r, line, value, &r->now.mail);
	}
	return is_name(name, ALL_NAMES) ? take_all(r, line, value) : PF_OK;
}

/* ---- LDIF ---- */

static int read_ldif(struct reading *r, struct pf_span text)
{
	static const char *const DN[] = {"dn", NULL};
	struct pf_ldif_line line;
	struct pf_ldif l;
	int rc;

	pf_ldif_init(&l, text);
	begin_person(r, 1);
	while ((rc = pf_ldif_next(&l, &line, r->err)) != PF_END) {
		if (rc == PF_FAIL && r->err->scope > PF_SCOPE_ITEM) {
			break;
		}
		if (rc == PF_FAIL) {
			wrong(r, line.line, r->err->text);
		} else if (line.ends_record) {
			rc = end_person(r);
			begin_person(r, line.line + 1);
		} else if (is_name(line.name, DN)) {
			r->now.line = line.line;
			r->now.dn = pf_arena_span(&r->map->arena, line.value);
		} else {
			rc = take(r, line.line, line.name, line.value);
		}
		if (rc == PF_FAIL && r->err->scope > PF_SCOPE_ITEM) {
			break;
		}
	}
	pf_ldif_deinit(&l);
	return rc == PF_END ? PF_OK : PF_FAIL;
}

/* ---- CSV ---- */

static struct pf_span cell_of(const struct pf_csv_row *row, size_t i)
{
	return i < row->n ? pf_span_str(row->cell[i]) : pf_span_str("");
}

/* Its columns by their names; false: it has none of ours, and may be the first person. */
static bool read_header(const struct pf_csv_row *row)
{
	bool any = false;

	for (size_t i = 0; i < row->n; i++) {
		struct pf_span name = cell_of(row, i);

		any = any || is_name(name, DN_NAMES) || is_name(name, MAIL_NAMES) ||
		      is_name(name, ALL_NAMES);
	}
	return any;
}

static int read_row(
	struct reading *r, const struct pf_csv_row *header, const struct pf_csv_row *row)
{
	int rc = PF_OK;

	begin_person(r, row->row);
	if (header->n == 0 && (row->n < 2 || row->cell[0][0] != '/')) {
		wrong(r, row->row,
			"it must be a directory address, then an Internet address; or the first "
			"line must name the columns (legacyExchangeDN, mail)");
		return PF_OK;
	}
	for (size_t i = 0; i < row->n && rc == PF_OK; i++) {
		struct pf_span name = header->n > 0 ? cell_of(header, i)
						    : pf_span_str(i == 0   ? "ex"
								  : i == 1 ? "mail"
									   : "");

		rc = take(r, row->row, name, cell_of(row, i));
	}
	return rc == PF_OK ? end_person(r) : rc;
}

/* `text` is written to; it has a NUL behind it. */
static int read_csv(struct reading *r, char *text, size_t n)
{
	struct pf_csv_row header = {.n = 0}, row;
	bool first = true;
	struct pf_csv c;
	int rc;

	pf_csv_begin(&c, text, n);
	while ((rc = pf_csv_next(&c, &row, r->err)) == PF_OK) {
		if (row.n > 0 && row.cell[0][0] == '#') {
			continue; /* "#TYPE ...", as Export-Csv begins */
		}
		if (first && read_header(&row)) {
			header = row;
		} else if (read_row(r, &header, &row) != PF_OK) {
			return PF_FAIL;
		}
		first = false;
	}
	return rc == PF_END ? PF_OK : pf_wrap(r->err, "%s", r->path);
}

/* ---- all of it ---- */

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = pf_span_cmp(x->key, y->key);

	return d != 0 ? d : x->line < y->line ? -1 : x->line > y->line;
}

static bool same_mail(struct pf_span a, struct pf_span b)
{
	return a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

/* In order, each once; two persons can't have one address. */
static void sort(struct reading *r)
{
	struct pf_address_map *m = r->map;
	size_t kept = 0;
	char why[100];

	if (m->n > 1) {
		qsort(m->v, m->n, sizeof(*m->v), by_key);
	}
	for (size_t i = 0; i < m->n; i++) {
		if (kept > 0 && pf_span_eq(m->v[kept - 1].key, m->v[i].key)) {
			if (!same_mail(m->v[kept - 1].smtp, m->v[i].smtp)) {
				(void)snprintf(why, sizeof(why),
					"line %zu has the same directory address for somebody "
					"else: "
					"take out one of them",
					m->v[kept - 1].line);
				wrong(r, m->v[i].line, why);
			}
			continue;
		}
		m->v[kept++] = m->v[i];
	}
	m->n = kept;
}

/* A record begins with its name; before it there may be comments and the version. */
static bool is_ldif(struct pf_span text)
{
	while (text.n > 0 && (text.p[0] == '#' || text.p[0] == '\n' || text.p[0] == '\r')) {
		size_t n = 0;

		while (n < text.n && text.p[n] != '\n') {
			n++;
		}
		text = pf_span_from(text, n + 1);
	}
	return pf_span_starts(text, "dn:") || pf_span_starts(text, "version:");
}

static bool find(const struct pf_addresses *a, struct pf_span type, struct pf_span address,
	struct pf_span *smtp)
{
	const struct pf_address_map *m =
		(const struct pf_address_map *)(const void *)((const char *)a -
							      offsetof(
								      struct pf_address_map, base));
	uint8_t key[ADDRESS_MAX];
	struct entry want = {.key = pf_span(key, address.n)};
	const struct entry *found;

	if (!pf_span_is(type, "EX") || address.n > sizeof(key) || m->n == 0) {
		return false;
	}
	for (size_t i = 0; i < address.n; i++) {
		key[i] = pf_ascii_lower(address.p[i]);
	}
	for (size_t lo = 0, hi = m->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int d = pf_span_cmp(m->v[mid].key, want.key);

		found = &m->v[mid];
		if (d == 0) {
			*smtp = found->smtp;
			return true;
		}
		*(d < 0 ? &lo : &hi) = d < 0 ? mid + 1 : mid;
	}
	return false;
}

static int read_text(struct reading *r, struct pf_span text)
{
	struct pf_buf plain;
	const char *c;
	int rc;

	pf_buf_init(&plain, (size_t)2 * FILE_MAX_BYTES);
	rc = pf_csv_decode(text, &plain, r->err);
	if (rc != PF_OK) {
		(void)pf_wrap(r->err, "%s", r->path);
	} else if (is_ldif(pf_buf_span(&plain))) {
		rc = read_ldif(r, pf_buf_span(&plain));
	} else {
		rc = pf_buf_cstr(&plain, &c, r->err);
		rc = rc == PF_OK ? read_csv(r, (char *)plain.p, plain.n) : rc;
	}
	pf_buf_deinit(&plain);
	free(r->now.keys);
	return rc;
}

int pf_address_map_of_text(
	const char *path, struct pf_span text, struct pf_address_map **out, struct pf_err *err)
{
	struct reading r = {.path = path, .err = err};

	*out = NULL;
	r.map = calloc(1, sizeof(*r.map));
	if (!r.map) {
		return no_memory(err);
	}
	r.map->base.find = find;
	pf_arena_init(&r.map->arena);
	if (read_text(&r, text) != PF_OK) {
		pf_address_map_free(&r.map);
		return PF_FAIL;
	}
	sort(&r);
	if (r.wrong == 0 && r.map->n == 0) {
		(void)pf_fail(&r.first, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s: it has nobody with a directory address and one of the Internet: "
			"export "
			"legacyExchangeDN and mail",
			path);
		r.wrong = 1;
	}
	if (r.wrong > 0) {
		*err = r.first;
		if (r.wrong > 1) {
			char text_of_first[400];

			(void)snprintf(
				text_of_first, sizeof(text_of_first), "%.380s", r.first.text);
			(void)pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "%s (and %zu more lines)",
				text_of_first, r.wrong - 1);
		}
		pf_address_map_free(&r.map);
		return PF_FAIL;
	}
	*out = r.map;
	return PF_OK;
}

static int read_file(const char *path, struct pf_buf *out, struct pf_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;
	int rc = PF_OK;

	if (fd < 0) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "--address-map %s", path);
	}
	while (rc == PF_OK && n > 0) {
		rc = pf_buf_reserve(out, 65536, err);
		n = rc == PF_OK ? read(fd, out->p + out->n, 65536) : 0;
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0) {
			rc = pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "--address-map %s", path);
		}
		out->n += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	return rc == PF_OK ? PF_OK : pf_wrap(err, "--address-map");
}

int pf_address_map_read(const char *path, struct pf_address_map **out, struct pf_err *err)
{
	struct pf_buf text;
	int rc;

	*out = NULL;
	pf_buf_init(&text, FILE_MAX_BYTES);
	rc = read_file(path, &text, err);
	rc = rc == PF_OK ? pf_address_map_of_text(path, pf_buf_span(&text), out, err) : rc;
	pf_buf_deinit(&text);
	return rc;
}

void pf_address_map_free(struct pf_address_map **map)
{
	if (*map) {
		pf_arena_deinit(&(*map)->arena);
		free((*map)->v);
		free(*map);
		*map = NULL;
	}
}

const struct pf_addresses *pf_address_map_addresses(const struct pf_address_map *map)
{
	return map ? &map->base : NULL;
}

size_t pf_address_map_count(const struct pf_address_map *map)
{
	return map->n;
}
