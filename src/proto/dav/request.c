#include "proto/dav/request.h"

#include "proto/xml/xml.h"

#define NAMESPACES                                                                                 \
	" xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\""                              \
	" xmlns:R=\"urn:ietf:params:xml:ns:carddav\" xmlns:S=\"http://calendarserver.org/ns/\""    \
	" xmlns:A=\"http://apple.com/ns/ical/\" xmlns:I=\"http://inf-it.com/ns/ab/\">"
#define HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"

static const char WHO[] =
	"<D:current-user-principal/><D:resourcetype/><D:displayname/><C:calendar-home-set/>"
	"<R:addressbook-home-set/>";
static const char FOLDERS[] =
	"<D:resourcetype/><D:displayname/><D:owner/><D:sync-token/><S:getctag/>"
	"<D:supported-report-set/><D:quota-available-bytes/><A:calendar-color/><A:calendar-order/>"
	"<C:calendar-description/><C:calendar-timezone/><C:supported-calendar-component-set/>"
	"<C:max-resource-size/><R:addressbook-description/><R:max-resource-size/>"
	"<I:addressbook-color/>";
static const char ITEMS[] = "<D:getetag/><D:resourcetype/><D:getcontenttype/>";

int pf_dav_propfind(enum pf_dav_ask what, struct pf_buf *out, struct pf_err *err)
{
	return pf_buf_addf(out, err,
		HEAD "<D:propfind" NAMESPACES "<D:prop>%s</D:prop></D:propfind>",
		what == PF_DAV_ASK_WHO       ? WHO
		: what == PF_DAV_ASK_FOLDERS ? FOLDERS
					     : ITEMS);
}

int pf_dav_sync(struct pf_span token, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span none = pf_span("", 0);

	if (pf_buf_add_str(out, HEAD "<D:sync-collection" NAMESPACES, err) != PF_OK ||
		xml_add_element(out, "D:sync-token", token.p ? token : none, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_addf(out, err,
		"<D:sync-level>1</D:sync-level><D:prop>%s</D:prop></D:sync-collection>", ITEMS);
}

int pf_dav_multiget(bool contacts, const struct pf_span *hrefs, size_t n, struct pf_buf *out,
	struct pf_err *err)
{
	const char *root = contacts ? "R:addressbook-multiget" : "C:calendar-multiget";

	if (pf_buf_addf(out, err, HEAD "<%s" NAMESPACES "<D:prop><D:getetag/><%s/></D:prop>", root,
		    contacts ? "R:address-data" : "C:calendar-data") != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < n; i++) {
		if (xml_add_element(out, "D:href", hrefs[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_buf_addf(out, err, "</%s>", root);
}

int pf_dav_query_uid(bool contacts, const char *component, struct pf_span uid, struct pf_buf *out,
	struct pf_err *err)
{
	int rc;

	if (contacts) {
		rc = pf_buf_add_str(out,
			HEAD "<R:addressbook-query" NAMESPACES
			     "<D:prop><D:getetag/><R:address-data/></D:prop><R:filter>"
			     "<R:prop-filter name=\"UID\"><R:text-match collation=\"i;octet\">",
			err);
	} else {
		rc = pf_buf_addf(out, err,
			HEAD "<C:calendar-query" NAMESPACES
			     "<D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
			     "<C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"%s\">"
			     "<C:prop-filter name=\"UID\"><C:text-match collation=\"i;octet\">",
			component);
	}
	if (rc != PF_OK || xml_add_text(out, uid, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out,
		contacts ? "</R:text-match></R:prop-filter></R:filter></R:addressbook-query>"
			 : "</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>"
			   "</C:filter></C:calendar-query>",
		err);
}

/* ---- making collections ---- */

static int add_components(struct pf_buf *out, const struct pf_dav_looks *l, struct pf_err *err)
{
	if (l->contacts || !l->components[0]) {
		return PF_OK;
	}
	if (pf_buf_add_str(out, "<C:supported-calendar-component-set>", err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < PF_COUNT(l->components) && l->components[i]; i++) {
		if (pf_buf_addf(out, err, "<C:comp name=\"%s\"/>", l->components[i]) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_buf_add_str(out, "</C:supported-calendar-component-set>", err);
}

static int add_looks(struct pf_buf *out, const struct pf_dav_looks *l, struct pf_err *err)
{
	if (xml_add_element(out, "D:displayname", l->name, err) != PF_OK ||
		xml_add_element(out, l->contacts ? "I:addressbook-color" : "A:calendar-color",
			l->colour, err) != PF_OK ||
		xml_add_element(out,
			l->contacts ? "R:addressbook-description" : "C:calendar-description",
			l->description, err) != PF_OK) {
		return PF_FAIL;
	}
	if (l->contacts) {
		return PF_OK;
	}
	if (l->has_order && pf_buf_addf(out, err, "<A:calendar-order>%d</A:calendar-order>",
				    l->order) != PF_OK) {
		return PF_FAIL;
	}
	return xml_add_element(out, "C:calendar-timezone", l->timezone, err);
}

int pf_dav_make(
	enum pf_dav_make how, const struct pf_dav_looks *l, struct pf_buf *out, struct pf_err *err)
{
	static const char *const ROOT[] = {"C:mkcalendar", "D:mkcol", "D:propertyupdate"};

	if (pf_buf_addf(out, err, HEAD "<%s" NAMESPACES "<D:set><D:prop>", ROOT[how]) != PF_OK) {
		return PF_FAIL;
	}
	if (how == PF_DAV_MKCOL &&
		pf_buf_addf(out, err, "<D:resourcetype><D:collection/>%s</D:resourcetype>",
			l->contacts ? "<R:addressbook/>" : "<C:calendar/>") != PF_OK) {
		return PF_FAIL;
	}
	if ((how != PF_DAV_PROPPATCH && add_components(out, l, err) != PF_OK) ||
		add_looks(out, l, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_addf(out, err, "</D:prop></D:set></%s>", ROOT[how]);
}
