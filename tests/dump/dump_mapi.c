/*
 * dump-mapi FORM FILE [DIR]: the item in a file as one JSON object, for tests in other languages;
 * and the bytes of its attachments as DIR/0, DIR/1, ... Names of properties are "0x0037", or the
 * set and what is in it: "{...}/0x8208", "{...}/Keywords". Bytes are their number and SHA-256. Exit
 * status 1: no item.
 */
#include "base/digest.h"
#include "base/utf8.h"
#include "model/mapi.h"
#include "proto/msg/msg.h"
#include "proto/tnef/tnef.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

typedef int (*reader)(struct pf_span in, struct pf_mapi_item *item, struct pf_mapi_notes *notes,
	struct pf_err *err);

static const struct {
	const char *form;
	reader read;
} READERS[] = {
	{"msg", pf_msg_read},
	{"tnef", pf_tnef_read},
};

static json_t *of_item(const struct pf_mapi_item *item);

static json_t *of_text(struct pf_span s)
{
	json_t *text = json_stringn(s.p ? (const char *)s.p : "", s.n);

	return text ? text : json_string("not UTF-8");
}

static json_t *of_bytes(struct pf_span s)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest digest;
	char hex[2 * PF_DIGEST_BYTES + 1];

	pf_assert(h != NULL);
	pf_hash_add(h, s);
	pf_hash_take(h, &digest);
	pf_hash_free(&h);
	pf_digest_hex(&digest, hex);
	return json_pack("{s:I,s:s}", "bytes", (json_int_t)s.n, "sha256", hex);
}

static json_t *of_value(const struct pf_mapi_value *v)
{
	json_t *many;

	if (v->type & PF_MAPI_MANY) {
		many = json_array();
		for (size_t i = 0; i < v->many.n; i++) {
			json_array_append_new(many, of_value(&v->many.v[i]));
		}
		return many;
	}
	switch (v->type) {
	case PF_MAPI_STRING:
	case PF_MAPI_STRING8:
		return of_text(pf_mapi_text(v));
	case PF_MAPI_BINARY:
	case PF_MAPI_OBJECT:
	case PF_MAPI_GUID:
		return of_bytes(v->bytes);
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		return json_real(v->real);
	case PF_MAPI_TIME:
		return json_integer((json_int_t)v->filetime);
	case PF_MAPI_BOOL:
		return json_boolean(v->number);
	default:
		return json_integer(v->number);
	}
}

static void name_of(const struct pf_mapi_prop *p, char *out, size_t size)
{
	const uint8_t *b;
	int n;

	if (!p->name) {
		(void)snprintf(out, size, "0x%04X", (unsigned)p->id);
		return;
	}
	b = p->name->set.b;
	n = snprintf(out, size,
		"{%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X}/", b[3],
		b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
		b[14], b[15]);
	if (p->name->text.p) {
		(void)pf_print_safe(out + n, size - (size_t)n, p->name->text);
	} else {
		(void)snprintf(out + n, size - (size_t)n, "0x%04X", (unsigned)p->name->number);
	}
}

static json_t *of_props(const struct pf_mapi_props *props)
{
	json_t *out = json_object();
	char name[300];

	for (size_t i = 0; i < props->n; i++) {
		name_of(&props->v[i], name, sizeof(name));
		if (!json_object_get(out, name)) { /* the first counts */
			json_object_set_new(out, name, of_value(&props->v[i].value));
		}
	}
	return out;
}

static json_t *of_attachment(const struct pf_mapi_attachment *a)
{
	static const char *const KINDS[] = {"none", "data", "item", "reference", "ole"};
	json_t *out = json_pack("{s:s,s:o}", "kind", KINDS[a->kind], "props", of_props(&a->props));

	if (a->data.p) {
		json_object_set_new(out, "data", of_bytes(a->data));
	}
	if (a->item) {
		json_object_set_new(out, "item", of_item(a->item));
	}
	return out;
}

static json_t *of_item(const struct pf_mapi_item *item)
{
	json_t *recipients = json_array(), *attachments = json_array();

	for (size_t i = 0; i < item->recipients_n; i++) {
		json_array_append_new(recipients, of_props(&item->recipients[i]));
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		json_array_append_new(attachments, of_attachment(&item->attachments[i]));
	}
	return json_pack("{s:o,s:o,s:I,s:o,s:o,s:I}", "class", of_text(pf_mapi_class(item)),
		"props", of_props(&item->props), "props_n", (json_int_t)item->props.n, "recipients",
		recipients, "attachments", attachments, "code_page", (json_int_t)item->code_page);
}

static json_t *of_notes(const struct pf_mapi_notes *notes)
{
	json_t *out = json_array();

	for (size_t i = 0; i < notes->n && i < PF_MAPI_NOTES_KEPT; i++) {
		json_array_append_new(out, json_pack("{s:I,s:s}", "at", (json_int_t)notes->v[i].at,
						   "text", notes->v[i].text));
	}
	return out;
}

/* The whole file in a fresh block (free). */
static uint8_t *load(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long size;

	*n = 0;
	if (!f) {
		return NULL;
	}
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
		bytes = malloc((size_t)size + 1);
		*n = bytes ? fread(bytes, 1, (size_t)size, f) : 0;
	}
	(void)fclose(f);
	return bytes;
}

static bool save(const struct pf_mapi_item *item, const char *dir)
{
	char path[4096];
	bool good = true;

	for (size_t i = 0; i < item->attachments_n && good; i++) {
		struct pf_span data = item->attachments[i].data;
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/%zu", dir, i);
		f = data.n > 0 ? fopen(path, "wb") : NULL;
		good = data.n == 0 || (f && fwrite(data.p, 1, data.n, f) == data.n);
		good = (!f || fclose(f) == 0) && good;
	}
	return good;
}

static int dump(reader read, struct pf_span in, const char *dir)
{
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_notes notes = {0};
	struct pf_err err;
	json_t *out;
	int rc;

	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	rc = item ? read(in, item, &notes, &err) : pf_fail_memory(&err, "an item");
	out = rc == PF_OK ? json_pack("{s:o,s:o}", "item", of_item(item), "notes", of_notes(&notes))
			  : json_pack("{s:s}", "error", err.text);
	if (rc == PF_OK && dir && !save(item, dir)) {
		rc = PF_FAIL;
	}
	(void)json_dumpf(out, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(out);
	pf_arena_deinit(&arena);
	return rc == PF_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	uint8_t *bytes;
	size_t n;
	int status = EXIT_FAILURE;

	for (size_t i = 0; (argc == 3 || argc == 4) && i < PF_COUNT(READERS); i++) {
		if (strcmp(argv[1], READERS[i].form) == 0) {
			bytes = load(argv[2], &n);
			status = bytes ? dump(READERS[i].read, pf_span(bytes, n), argv[3])
				       : EXIT_FAILURE;
			free(bytes);
		}
	}
	return status;
}
