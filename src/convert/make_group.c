/*
 * A group of vCard as IPM.DistList: its members are people with an address, each an entry id that
 * says by itself who is meant ([MS-OXOCNTC] 2.2.2.2, [MS-OXCDATA] 2.2.5.1).
 */
#include "convert/make_private.h"

#include "base/utf8.h"

enum { ENTRY_MAX = 1 << 16, NAME = 0x8053, ONE_OFFS = 0x8054, MEMBERS = 0x8055 };

/* Flags, the provider of one-off addresses, version, and that its texts are UTF-16. */
static const uint8_t HEAD[24] = {0, 0, 0, 0, 0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D,
	0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02, 0x00, 0x00, 0x01, 0x90};

static void put_unit(struct make *m, struct pf_buf *b, uint32_t unit)
{
	const uint8_t two[2] = {(uint8_t)unit, (uint8_t)(unit >> 8)};

	m->rc = m->rc == PF_OK ? pf_buf_add(b, pf_span(two, 2), m->err) : m->rc;
}

/* UTF-16LE and a NUL. */
static void put_wide(struct make *m, struct pf_buf *b, struct pf_span utf8)
{
	while (utf8.n > 0) {
		uint32_t c = pf_utf8_next(&utf8);

		if (c > 0x10FFFF || c == 0) {
			c = 0xFFFD;
		}
		if (c >= 0x10000) {
			put_unit(m, b, 0xD800 + ((c - 0x10000) >> 10));
			put_unit(m, b, 0xDC00 + ((c - 0x10000) & 0x3FF));
		} else {
			put_unit(m, b, c);
		}
	}
	put_unit(m, b, 0);
}

static struct pf_mapi_value entry_of(struct make *m, struct pf_span name, struct pf_span address)
{
	struct pf_mapi_value v;
	struct pf_buf b;

	pf_buf_init(&b, ENTRY_MAX);
	m->rc = m->rc == PF_OK ? pf_buf_add(&b, pf_span(HEAD, sizeof(HEAD)), m->err) : m->rc;
	put_wide(m, &b, name.n > 0 ? name : address);
	put_wide(m, &b, pf_span_str("SMTP"));
	put_wide(m, &b, address);
	v = make_bytes(make_keep(m, pf_buf_span(&b)));
	pf_buf_deinit(&b);
	return v;
}

static int hex(uint8_t c)
{
	c = pf_ascii_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The address of a mailto URI (RFC 6068), without the header fields that it may have. */
static struct pf_span address_of(struct make *m, struct pf_span uri)
{
	uint8_t *out = pf_arena_alloc(m->arena, uri.n + 1);
	size_t n = 0;

	if (!out) {
		make_no_memory(m);
		return pf_span("", 0);
	}
	for (size_t i = 7; i < uri.n && uri.p[i] != '?'; i++) {
		int high = uri.p[i] == '%' && i + 2 < uri.n ? hex(uri.p[i + 1]) : -1;
		int low = high >= 0 ? hex(uri.p[i + 2]) : -1;

		out[n++] = (uint8_t)(low >= 0 ? high << 4 | low : uri.p[i]);
		i += low >= 0 ? 2 : 0;
	}
	return pf_span(out, n);
}

static bool is_member(const struct pf_line *l)
{
	return pf_span_is(l->name, "MEMBER") || pf_span_is(l->name, "X-ADDRESSBOOKSERVER-MEMBER");
}

static void put_members(struct make *m, struct pf_vcards *v)
{
	struct pf_mapi_value all = {.type = PF_MAPI_BINARY | PF_MAPI_MANY};

	all.many.v = pf_arena_alloc(m->arena, (v->line_count + 1) * sizeof(*all.many.v));
	if (!all.many.v) {
		make_no_memory(m);
		return;
	}
	for (size_t i = v->card[0].begin; i < v->card[0].end && i < v->line_count; i++) {
		const struct pf_line *l = &v->line[i];
		struct pf_span name, address;

		if (!is_member(l)) {
			continue;
		}
		name = make_param(m, l, "X-CN");
		name = name.p ? name : make_param(m, l, "CN");
		address = pf_span_starts(l->value, "mailto:") ? address_of(m, l->value)
							      : pf_span("", 0);
		if (address.n == 0 || address.n + name.n > ENTRY_MAX / 8) {
			make_lost(m, "a MEMBER that is no mail address");
			continue;
		}
		all.many.v[all.many.n++] = entry_of(m, name, address);
	}
	if (all.many.n > 0) {
		make_lid(m, &pf_set_address, MEMBERS, all);
		make_lid(m, &pf_set_address, ONE_OFFS, all);
	}
}

void make_group_item(struct make *m, struct pf_vcards *v)
{
	static const char *const KNOWN[] = {"FN", "N", "NOTE", "CATEGORIES", "UID", "REV", "PRODID",
		"VERSION", "BEGIN", "END", "KIND", "X-ADDRESSBOOKSERVER-KIND"};
	const struct pf_line *name = pf_vcard_find(v, 0, "FN"), *note = pf_vcard_find(v, 0, "NOTE");
	const struct pf_line *uid = pf_vcard_find(v, 0, "UID");

	make_tag(m, PF_TAG_MESSAGE_CLASS, make_text(pf_span_str("IPM.DistList")));
	if (uid && uid->value.n > 0) {
		make_named(m, "vcarduid", make_text(make_unescaped(m, pf_vcard_value(v, uid))));
	}
	if (name) {
		struct pf_span said = make_unescaped(m, pf_vcard_value(v, name));

		if (!pf_span_is(said, "?")) { /* which stands for none, where there must be one */
			make_lid(m, &pf_set_address, NAME, make_text(said));
			make_tag(m, PF_TAG_DISPLAY_NAME, make_text(said));
		}
	}
	if (note) {
		make_tag(m, PF_TAG_BODY, make_text(make_unescaped(m, pf_vcard_value(v, note))));
	}
	for (size_t i = v->card[0].begin; i < v->card[0].end && i < v->line_count; i++) {
		const struct pf_line *l = &v->line[i];
		bool known = is_member(l) || l->bad;

		for (size_t k = 0; k < PF_COUNT(KNOWN); k++) {
			known = known || pf_span_is(l->name, KNOWN[k]);
		}
		if (pf_span_is(l->name, "CATEGORIES")) {
			make_categories(m, pf_vcard_value(v, l));
		} else if (!known) {
			make_lost(m, "%.40s", (const char *)make_keep(m, l->name).p);
		}
	}
	put_members(m, v);
}
