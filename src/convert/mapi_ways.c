#include "convert/mapi_ways.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { ADDRESS_MAX = 8192, PAGE = 32, UNKNOWN_MAX = 64 };

/* ---- losses ---- */

void pf_mapi_losses_init(struct pf_mapi_losses *l, struct pf_arena *arena)
{
	*l = (struct pf_mapi_losses){.arena = arena};
}

/* Room for one more of `size` bytes behind the `n` of *v. */
static bool room(struct pf_mapi_losses *l, void **v, size_t n, size_t *cap, size_t size)
{
	void *more;

	if (n < *cap) {
		return true;
	}
	more = pf_arena_alloc(l->arena, (*cap + PAGE) * 2 * size);
	if (!more) {
		l->no_memory = true;
		return false;
	}
	if (*v) {
		memcpy(more, *v, n * size);
	}
	*v = more;
	*cap = (*cap + PAGE) * 2;
	return true;
}

/* Where a property's place in `v`, from 1, is or belongs; there is room. */
static uint32_t *slot_of(const struct pf_mapi_losses *l, const struct pf_mapi_prop *p)
{
	size_t i = (size_t)(((uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 32);

	pf_assert(l->v && l->slots > 0);
	for (i %= l->slots; l->slot[i] && l->v[l->slot[i] - 1].prop != p;) {
		i = (i + 1) % l->slots;
	}
	return &l->slot[i];
}

static bool more_slots(struct pf_mapi_losses *l)
{
	size_t slots = (l->slots + PAGE) * 2;
	uint32_t *slot = pf_arena_alloc(l->arena, slots * sizeof(*slot));

	if (!slot) {
		l->no_memory = true;
		return false;
	}
	l->slot = slot;
	l->slots = slots;
	for (size_t i = 0; i < l->n; i++) {
		*slot_of(l, l->v[i].prop) = (uint32_t)i + 1;
	}
	return true;
}

static void note(struct pf_mapi_losses *l, const struct pf_mapi_prop *p, enum pf_mapi_fate fate)
{
	void *v = l->v;

	if (!room(l, &v, l->n, &l->cap, sizeof(*l->v))) {
		return;
	}
	l->v = v;
	pf_assert(l->v);
	if (2 * l->n >= l->slots && !more_slots(l)) {
		return;
	}
	l->v[l->n] = (struct pf_mapi_loss){p, fate};
	*slot_of(l, p) = (uint32_t)++l->n;
}

static struct pf_mapi_loss *noted(struct pf_mapi_losses *l, const struct pf_mapi_prop *p)
{
	uint32_t at = l->slots ? *slot_of(l, p) : 0;

	return at ? &l->v[at - 1] : NULL;
}

const struct pf_mapi_value *pf_mapi_use(
	struct pf_mapi_losses *l, enum pf_mapi_fate fate, const struct pf_mapi_value *v)
{
	const struct pf_mapi_prop *p = v ? pf_container_of(v, struct pf_mapi_prop, value) : NULL;
	struct pf_mapi_loss *was = p ? noted(l, p) : NULL;

	if (was && was->fate < fate) {
		was->fate = fate;
	} else if (p && !was) {
		note(l, p, fate);
	}
	return v;
}

void pf_mapi_odd(struct pf_mapi_losses *l, const char *fmt, ...)
{
	char text[512], safe[512];
	void *v = l->odd;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)pf_print_safe(safe, sizeof(safe), pf_span_str(text));
	if (room(l, &v, l->odd_n, &l->odd_cap, sizeof(*l->odd))) {
		struct pf_span s = pf_arena_span(l->arena, pf_span_str(safe));

		l->odd = v;
		l->no_memory = l->no_memory || !s.p;
		l->odd[l->odd_n++] = s;
	}
}

static bool is_empty(const struct pf_mapi_value *v)
{
	switch ((unsigned)v->type) {
	case PF_MAPI_STRING8:
	case PF_MAPI_STRING:
		return pf_mapi_text(v).n == 0;
	case PF_MAPI_BINARY:
	case PF_MAPI_GUID:
	case PF_MAPI_OBJECT:
		return v->bytes.n == 0;
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		return v->real == 0;
	case PF_MAPI_TIME:
		return v->filetime == 0;
	case PF_MAPI_ERROR:
		return true;
	default:
		return (v->type & PF_MAPI_MANY) ? v->many.n == 0 : v->number == 0;
	}
}

/*
 * Ids whose values the store makes from the rest, or that have a meaning in this store only
 * ([MS-OXCMSG] 2.2.1, [MS-OXPROPS] 2; ranges by 1.3.1): sizes, access, entry ids and keys, display
 * forms of the recipient table, and what is internal to providers.
 */
static const struct {
	uint16_t from, to;
} OF_STORE[] = {
	{0x000F, 0x0010}, /* deferred delivery */
	{0x003B, 0x003B}, /* search keys of people, made from their addresses */
	{0x003F, 0x0041}, {0x0043, 0x0045}, {0x0047, 0x0047}, {0x004F, 0x0053},
	{0x0070, 0x0071}, /* conversation */
	{0x007F, 0x007F}, {0x0C19, 0x0C19}, {0x0C1D, 0x0C1D}, {0x0E01, 0x0E05}, {0x0E07, 0x0E12},
	{0x0E17, 0x0E1B}, {0x0E20, 0x0E2F}, {0x0E62, 0x0E9A}, {0x0FF4, 0x0FFF},
	{0x1000, 0x1000}, /* bodies: one of their forms is converted for all */
	{0x1006, 0x1009}, {0x1010, 0x1016}, {0x1080, 0x1080}, /* icon */
	{0x300B, 0x300B}, {0x3013, 0x3019}, {0x340D, 0x340F},
	{0x3FDE, 0x3FDE},                   /* code pages and locales: texts are UTF-8 now */
	{0x3FEA, 0x3FFF}, {0x4000, 0x59FF}, /* of transports, and of senders' identities */
	{0x65E0, 0x67FF},                   /* of the store's provider */
};

static bool is_of_store(const struct pf_mapi_prop *p)
{
	for (size_t i = 0; !p->name && i < PF_COUNT(OF_STORE); i++) {
		if (p->id >= OF_STORE[i].from && p->id <= OF_STORE[i].to) {
			return true;
		}
	}
	return false;
}

int pf_mapi_losses_end(
	struct pf_mapi_losses *l, const struct pf_mapi_props *props, struct pf_err *err)
{
	for (size_t i = 0; i < props->n; i++) {
		const struct pf_mapi_prop *p = &props->v[i];

		if (!noted(l, p)) {
			note(l, p,
				is_empty(&p->value) || is_of_store(p) ? PF_MAPI_IDLE
								      : PF_MAPI_LOST);
		}
	}
	return l->no_memory ? pf_fail_memory(err, "what became of an item's properties") : PF_OK;
}

size_t pf_mapi_losses_count(const struct pf_mapi_losses *l, enum pf_mapi_fate fate)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		n += l->v[i].fate == fate;
	}
	return n;
}

char *pf_mapi_prop_name(const struct pf_mapi_prop *p, char *out, size_t size)
{
	static const struct {
		const struct pf_guid *set;
		const char *name;
	} SETS[] = {
		{&pf_set_appointment, "Appointment"},
		{&pf_set_task, "Task"},
		{&pf_set_note, "Note"},
		{&pf_set_meeting, "Meeting"},
		{&pf_set_address, "Address"},
		{&pf_set_common, "Common"},
		{&pf_set_log, "Log"},
		{&pf_set_headers, "InternetHeaders"},
		{&pf_set_strings, "PublicStrings"},
		{&pf_set_mapi, "MAPI"},
	};
	const char *set = "?";
	char text[256];

	if (!p->name) {
		(void)snprintf(out, size, "PidTag 0x%04X", p->id);
		return out;
	}
	for (size_t i = 0; i < PF_COUNT(SETS); i++) {
		set = pf_guid_eq(&p->name->set, SETS[i].set) ? SETS[i].name : set;
	}
	if (p->name->text.p) {
		(void)snprintf(
			out, size, "%s %s", set, pf_print_safe(text, sizeof(text), p->name->text));
	} else {
		(void)snprintf(out, size, "%s 0x%04X", set, (unsigned)p->name->number);
	}
	return out;
}

/* ---- people ---- */

static bool is_mail(struct pf_span a)
{
	bool at = false;

	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] <= ' ' || a.p[i] == 0x7F || strchr("<>\"(),:;\\", a.p[i])) {
			return false;
		}
		at = at || (a.p[i] == '@' && i > 0 && i + 1 < a.n);
	}
	return at;
}

static struct pf_span trimmed(struct pf_span s)
{
	while (s.n > 0 && (s.p[0] <= ' ' || s.p[0] == '<')) {
		s = pf_span_from(s, 1);
	}
	while (s.n > 0 && (s.p[s.n - 1] <= ' ' || s.p[s.n - 1] == '>')) {
		s.n--;
	}
	return s;
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (pf_ascii_lower(c) >= 'a' && pf_ascii_lower(c) <= 'z');
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'                                   ? c - '0'
	       : pf_ascii_lower(c) >= 'a' && pf_ascii_lower(c) <= 'f' ? pf_ascii_lower(c) - 'a' + 10
								      : -1;
}

/* "IMCEAEX-_O=ORG_CN=ANN+20LEE@x" is "/O=ORG/CN=ANN LEE" of type "EX"; false for any other. */
static bool uncover(struct pf_span mail, struct pf_span *type, struct pf_buf *out)
{
	const uint8_t *dash;
	size_t end = 0;
	struct pf_err ignored; /* past the ceiling: then it stays as it is */

	if (!pf_span_starts(mail, "IMCEA") || !(dash = memchr(mail.p, '-', mail.n))) {
		return false;
	}
	*type = pf_span(mail.p + 5, (size_t)(dash - mail.p) - 5);
	for (size_t i = 0; i < mail.n; i++) {
		end = mail.p[i] == '@' ? i : end;
	}
	pf_buf_clear(out);
	for (size_t i = (size_t)(dash - mail.p) + 1; i < end; i++) {
		uint8_t c = mail.p[i] == '_' ? '/' : mail.p[i];
		int high = c == '+' && i + 2 < end ? hex_digit(mail.p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(mail.p[i + 2]) : -1;

		if (low >= 0) {
			c = (uint8_t)(high * 16 + low);
			i += 2;
		}
		if (pf_buf_add(out, pf_span(&c, 1), &ignored) != PF_OK) {
			return false;
		}
	}
	return out->n > 0;
}

static struct pf_span domain_of(const struct pf_mapi_ways *ways)
{
	const uint8_t *at = ways->owner.n > 0 ? memchr(ways->owner.p, '@', ways->owner.n) : NULL;

	if (ways->domain.n > 0) {
		return ways->domain;
	}
	return at ? pf_span_from(ways->owner, (size_t)(at - ways->owner.p) + 1)
		  : pf_span_str("unresolved.invalid");
}

static int cover(const struct pf_mapi_ways *ways, struct pf_span type, struct pf_span address,
	struct pf_buf *out, struct pf_err *err)
{
	struct pf_span domain = domain_of(ways);
	int rc = pf_buf_add_str(out, "IMCEA", err);

	for (size_t i = 0; i < type.n && rc == PF_OK; i++) {
		if (is_alnum(type.p[i])) {
			rc = pf_buf_addf(out, err, "%c", pf_ascii_upper(type.p[i]));
		}
	}
	rc = rc == PF_OK ? pf_buf_add_str(out, "-", err) : rc;
	for (size_t i = 0; i < address.n && rc == PF_OK; i++) {
		uint8_t c = address.p[i];

		if (is_alnum(c) || c == '-' || c == '=') {
			rc = pf_buf_addf(out, err, "%c", c);
		} else {
			rc = c == '/' ? pf_buf_add_str(out, "_", err)
				      : pf_buf_addf(out, err, "+%02X", c);
		}
	}
	return rc == PF_OK ? pf_buf_addf(out, err, "@%.*s", (int)domain.n, (const char *)domain.p)
			   : rc;
}

static bool resolved(const struct pf_mapi_ways *ways, struct pf_span type, struct pf_span address,
	struct pf_span *smtp)
{
	struct pf_span got = pf_span(NULL, 0);

	if (!ways->resolve || !ways->resolve(ways->ctx, type, address, &got)) {
		return false;
	}
	got = trimmed(got);
	if (!is_mail(got)) {
		return false;
	}
	*smtp = got;
	return true;
}

static void note_unknown(struct pf_mapi_losses *l, struct pf_span address)
{
	char safe[512];
	void *v = l->unknown;

	l->unresolved++;
	if (l->unknown_n < UNKNOWN_MAX &&
		room(l, &v, l->unknown_n, &l->unknown_cap, sizeof(*l->unknown))) {
		struct pf_span s;

		(void)pf_print_safe(safe, sizeof(safe), address);
		s = pf_arena_span(l->arena, pf_span_str(safe));
		l->unknown = v;
		l->no_memory = l->no_memory || !s.p;
		l->unknown[l->unknown_n++] = s;
	}
}

/* What is none of the Internet, and is not resolved: encapsulated, if its length allows. */
static struct pf_span wrapped(const struct pf_mapi_ways *ways, struct pf_mapi_losses *l,
	struct pf_span type, struct pf_span address, struct pf_buf *b)
{
	struct pf_err ignored;

	note_unknown(l, address);
	pf_buf_clear(b);
	if (address.n < ADDRESS_MAX / 4 && cover(ways, type, address, b, &ignored) == PF_OK) {
		return pf_buf_span(b);
	}
	pf_mapi_odd(l, "an address of %zu bytes was left out", address.n);
	return pf_span(NULL, 0);
}

static struct pf_span find_address(const struct pf_mapi_ways *ways, struct pf_mapi_losses *l,
	const struct pf_mapi_person *who, struct pf_buf *b)
{
	struct pf_span smtp = trimmed(who->smtp), address = trimmed(who->address);
	struct pf_span type = who->type, found;

	if (!is_mail(smtp) && (type.n == 0 || pf_span_is(type, "SMTP"))) {
		smtp = address;
	}
	if (is_mail(smtp)) {
		if (!uncover(smtp, &type, b)) {
			return smtp;
		}
		if (resolved(ways, type, pf_buf_span(b), &found)) {
			return found;
		}
		note_unknown(l, pf_buf_span(b));
		return smtp;
	}
	if (address.n == 0) {
		return pf_span(NULL, 0);
	}
	type = type.n > 0 ? type : pf_span_str(address.p[0] == '/' ? "EX" : "SMTP");
	return resolved(ways, type, address, &found) ? found : wrapped(ways, l, type, address, b);
}

int pf_mapi_address(const struct pf_mapi_ways *ways, struct pf_mapi_losses *l,
	const struct pf_mapi_person *who, struct pf_span *out, struct pf_err *err)
{
	struct pf_span found;
	struct pf_buf b;

	pf_buf_init(&b, ADDRESS_MAX);
	found = find_address(ways, l, who, &b);
	*out = pf_arena_span(l->arena, found);
	pf_buf_deinit(&b);
	return found.p && !out->p ? pf_fail_memory(err, "an address") : PF_OK;
}

void pf_mapi_made_uid(const struct pf_mapi_ways *ways, char out[PF_UUID_TEXT])
{
	const struct pf_span names[] = {pf_span("nouid", 6), ways->key};

	pf_uuid5(names, PF_COUNT(names), out);
}
