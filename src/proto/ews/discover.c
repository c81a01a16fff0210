#include "proto/ews/discover.h"

#include "base/utf8.h"
#include "proto/xml/xml.h"

#include <stdio.h>

#include <libxml/parser.h>

#define SCHEMA "http://schemas.microsoft.com/exchange/autodiscover/outlook/"

enum { ANSWER_MAX = 4 << 20 };

int pf_ews_discover_request(struct pf_span address, struct pf_buf *out, struct pf_err *err)
{
	int rc = pf_buf_add_str(out,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<Autodiscover xmlns=\"" SCHEMA "requestschema/2006\"><Request>",
		err);

	rc = rc == PF_OK ? xml_add_element(out, "EMailAddress", address, err) : rc;
	return rc == PF_OK ? pf_buf_add_str(out,
				     "<AcceptableResponseSchema>" SCHEMA
				     "responseschema/2006a</AcceptableResponseSchema>"
				     "</Request></Autodiscover>",
				     err)
			   : rc;
}

/* How well a protocol serves a client that is anywhere ([MS-OXDSCLI] section 2.2.4.1.1.2.6.39). */
static int rank_of(const xmlNode *protocol, struct pf_arena *arena)
{
	struct pf_span type = xml_word(xml_child(protocol, "Type"), arena);

	return pf_span_is(type, "EXPR") ? 3 : pf_span_is(type, "EXCH") ? 2 : 1;
}

/* Exchange 2007 may name the service by what else it is used for only. */
static struct pf_span service_of(const xmlNode *protocol, struct pf_arena *arena)
{
	struct pf_span url = xml_word(xml_child(protocol, "EwsUrl"), arena);

	return url.n > 0 ? url : xml_word(xml_child(protocol, "ASUrl"), arena);
}

static void read_settings(const xmlNode *account, struct pf_arena *arena, struct pf_ews_place *out)
{
	int best = 0;

	for (const xmlNode *n = account->children; n; n = n->next) {
		struct pf_span url;
		int rank;

		if (!xml_is(n, "Protocol")) {
			continue;
		}
		url = service_of(n, arena);
		rank = rank_of(n, arena);
		if (url.n > 0 && rank > best) {
			best = rank;
			out->found = PF_EWS_FOUND_SERVICE;
			out->value = url;
		}
	}
	if (best == 0) {
		(void)snprintf(out->text, sizeof(out->text),
			"it names no Exchange Web Services for this address");
	}
}

static void read_account(const xmlNode *account, struct pf_arena *arena, struct pf_ews_place *out)
{
	struct pf_span action = xml_word(xml_child(account, "Action"), arena);
	struct pf_span address = xml_word(xml_child(account, "RedirectAddr"), arena);
	struct pf_span place = xml_word(xml_child(account, "RedirectUrl"), arena);

	if (pf_span_is(action, "redirectAddr") && address.n > 0) {
		out->found = PF_EWS_FOUND_ADDRESS;
		out->value = address;
	} else if (pf_span_is(action, "redirectUrl") && place.n > 0) {
		out->found = PF_EWS_FOUND_PLACE;
		out->value = place;
	} else {
		read_settings(account, arena, out);
	}
}

static void read_error(const xmlNode *error, struct pf_arena *arena, struct pf_ews_place *out)
{
	char code[20], words[200];

	pf_print_safe(code, sizeof(code), xml_word(xml_child(error, "ErrorCode"), arena));
	pf_print_safe(words, sizeof(words), xml_word(xml_child(error, "Message"), arena));
	(void)snprintf(out->text, sizeof(out->text), "error %s: %s", code, words);
}

int pf_ews_discover_read(
	struct pf_span answer, struct pf_arena *arena, struct pf_ews_place *out, struct pf_err *err)
{
	const xmlNode *root, *response, *account, *error;
	xmlDoc *doc;

	*out = (struct pf_ews_place){.found = PF_EWS_FOUND_NOTHING};
	doc = answer.n > 0 && answer.n <= ANSWER_MAX
		      ? xmlReadMemory((const char *)answer.p, (int)answer.n, NULL, NULL, XML_SAFE)
		      : NULL;
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	response = root && xml_is(root, "Autodiscover") ? xml_child(root, "Response") : NULL;
	account = response ? xml_child(response, "Account") : NULL;
	error = response ? xml_child(response, "Error") : NULL;
	if (account) {
		read_account(account, arena, out);
	} else if (error) {
		read_error(error, arena, out);
	} else {
		(void)snprintf(out->text, sizeof(out->text), "its answer is none of Autodiscover");
	}
	xmlFreeDoc(doc);
	if (out->found != PF_EWS_FOUND_NOTHING && !out->value.p) {
		return pf_fail_memory(err, "an answer");
	}
	return PF_OK;
}
