#include "convert/form_private.h"
#include "convert/mapi_contact.h"
#include "convert/mapi_entry.h"
#include "model/mapi_tags.h"

enum { NAME = 0x8053, ONE_OFFS = 0x8054, MEMBERS = 0x8055, STREAM = 0x8064, V3 = 30 };

/* "mailto:" and the address, as a URI (RFC 6068): what it may not have is in per cent. */
static const char *mail_uri(struct form *f, struct pf_span address)
{
	char *uri = pf_arena_alloc(f->arena, 3 * address.n + 16);
	size_t n;

	if (!uri) {
		f->o.rc = f->o.rc == PF_OK ? pf_fail_memory(f->err, "a group's member") : f->o.rc;
		return "";
	}
	n = (size_t)snprintf(uri, 16, "mailto:");
	for (size_t i = 0; i < address.n; i++) {
		uint8_t c = address.p[i];

		if (c <= ' ' || c >= 0x7F || strchr("%\"<>\\^`{|}?&,;", c)) {
			n += (size_t)snprintf(uri + n, 4, "%%%02X", c);
		} else {
			uri[n++] = (char)c;
		}
	}
	return uri;
}

static void put_member(struct form *f, const struct pf_mapi_entry *entry)
{
	const char *head = f->version == V3 ? "X-ADDRESSBOOKSERVER-MEMBER" : "MEMBER";
	struct pf_span address = pf_span(NULL, 0), name = entry->who.name;

	if (f->o.rc == PF_OK && entry->kind == PF_MAPI_ENTRY_PERSON) {
		f->o.rc = pf_mapi_address(f->ways, f->losses, &entry->who, &address, f->err);
	}
	if (address.n > 0) {
		pf_mapi_line_begin(&f->o, head);
		if (!pf_span_eq(name, address)) {
			pf_mapi_line_param(&f->o, "X-CN", name);
		}
		pf_mapi_line_value(&f->o, mail_uri(f, address), pf_span(NULL, 0));
		pf_mapi_line_end(&f->o);
		return;
	}
	pf_mapi_odd(f->losses, "a member of a list has no address");
	pf_mapi_line_text(&f->o, "X-POSTFERRY-MEMBER", name);
}

static size_t count(const struct pf_mapi_value *v)
{
	return v && (v->type & PF_MAPI_MANY) ? v->many.n : 0;
}

/* By its entry id, or by the one-off that is told beside it: what the one lacks may be in the
 * other.
 */
static void put_one(struct form *f, struct pf_span id, struct pf_span off_id)
{
	struct pf_mapi_entry entry = {0}, off = {0};

	if ((id.n > 0 && pf_mapi_entry(id, f->arena, &entry, f->err) != PF_OK) ||
		(off_id.n > 0 && pf_mapi_entry(off_id, f->arena, &off, f->err) != PF_OK)) {
		f->o.rc = PF_FAIL;
		return;
	}
	if (off.kind == PF_MAPI_ENTRY_PERSON &&
		(off.who.address.n > 0 || entry.kind != PF_MAPI_ENTRY_PERSON)) {
		entry = off;
	}
	put_member(f, &entry);
}

static struct pf_span nth(const struct pf_mapi_value *v, size_t i)
{
	return i < count(v) ? pf_mapi_bytes(&v->many.v[i]) : pf_span(NULL, 0);
}

static uint32_t u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Length and bytes, off the front; false: it is cut off. */
static bool take_counted(struct pf_span *in, struct pf_span *out)
{
	if (in->n < 4 || u32(in->p) > in->n - 4) {
		return false;
	}
	*out = pf_span(in->p + 4, u32(in->p));
	*in = pf_span_from(*in, 4 + out->n);
	return true;
}

/*
 * Of a large list ([MS-OXOCNTC] 2.2.2.2.4): version, build, flags, how many, three sums of bytes;
 * then of each member entry id, one-off, and more, which is nothing. Where it is set the others do
 * not count. false: it is none, or has nobody.
 */
static bool put_stream(struct form *f, struct pf_span stream)
{
	enum { HEADER = 28, VERSION = 1, COUNT_AT = 12 };
	struct pf_span rest = pf_span_from(stream, HEADER), id, off, more;
	uint32_t n, i;

	if (stream.n < HEADER || stream.p[0] != VERSION || stream.p[1] != 0) {
		return false;
	}
	n = u32(stream.p + COUNT_AT);
	for (i = 0; i < n && f->o.rc == PF_OK; i++) {
		if (!take_counted(&rest, &id) || !take_counted(&rest, &off) ||
			!take_counted(&rest, &more)) {
			pf_mapi_odd(f->losses, "of %u members of a list %u are cut off",
				(unsigned)n, (unsigned)(n - i));
			break;
		}
		put_one(f, id, off);
	}
	return i > 0;
}

/* Members and their one-offs are told in step. */
static void put_members(struct form *f)
{
	const struct pf_mapi_value *ids = form_lid(f, &pf_set_address, MEMBERS);
	const struct pf_mapi_value *offs = form_lid(f, &pf_set_address, ONE_OFFS);
	struct pf_span stream = pf_mapi_bytes(form_lid(f, &pf_set_address, STREAM));
	size_t n = count(ids) > count(offs) ? count(ids) : count(offs);

	if (stream.n > 0 && put_stream(f, stream)) {
		return;
	}
	for (size_t i = 0; i < n && f->o.rc == PF_OK; i++) {
		put_one(f, nth(ids, i), nth(offs, i));
	}
}

int pf_mapi_group(const struct pf_mapi_item *item, int version, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err)
{
	struct form f;
	struct pf_span name, stored;
	struct pf_mapi_bodies b;
	char uid[PF_UUID_TEXT], urn[PF_UUID_TEXT + 16];

	form_begin(&f, item, ways, losses, out, err);
	f.version = version;
	name = form_lid_text(&f, &pf_set_address, NAME);
	name = name.n > 0 ? name : form_tag_text(&f, PF_TAG_DISPLAY_NAME);
	name = name.n > 0 ? name : form_tag_text(&f, PF_TAG_SUBJECT);
	pf_mapi_made_uid(ways, uid);
	stored = form_stored_uid(&f);
	(void)snprintf(urn, sizeof(urn), "%s%s", version == V3 ? "" : "urn:uuid:", uid);
	pf_mapi_linef(&f.o, "BEGIN", "VCARD");
	pf_mapi_linef(&f.o, "VERSION", "%s", version == V3 ? "3.0" : "4.0");
	pf_mapi_linef(&f.o, "PRODID", "-//postferry//postferry//EN");
	pf_mapi_line_text(&f.o, "UID", stored.n > 0 ? stored : pf_span_str(urn));
	pf_mapi_linef(&f.o, version == V3 ? "X-ADDRESSBOOKSERVER-KIND" : "KIND", "group");
	pf_mapi_line_text(&f.o, "FN", name.n > 0 ? name : pf_span_str("?"));
	pf_mapi_line_begin(&f.o, "N");
	(void)pf_mapi_line_parts(&f.o, (const struct pf_span[]){name, {0}, {0}, {0}, {0}}, 5, ';');
	pf_mapi_line_end(&f.o);
	form_moment(&f, "REV", form_tag(&f, PF_TAG_LAST_MODIFICATION_TIME));
	put_members(&f);
	form_categories(&f);
	f.o.rc = f.o.rc == PF_OK ? pf_mapi_body(item, f.arena, &b, err) : f.o.rc;
	if (f.o.rc == PF_OK) {
		pf_mapi_line_text(&f.o, "NOTE", b.text);
	}
	pf_mapi_linef(&f.o, "END", "VCARD");
	return form_end(&f);
}
