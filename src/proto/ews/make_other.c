/*
 * Contacts, groups and tasks ([MS-OXWSCONT], [MS-OXWSDLIST], [MS-OXWSTASK]).
 */
#include "model/mapi_tags.h"
#include "proto/ews/make_private.h"

#include <stdio.h>

enum { MAILS = 3 };

static struct pf_span text_of(const struct ews_put *p, uint16_t id)
{
	return pf_mapi_text(pf_mapi_tag(&p->item->props, id));
}

/* ---- contacts ---- */

static const struct ews_said OF_CONTACT[] = {
	{NULL, PF_TAG_IMPORTANCE},
	{NULL, PF_TAG_SENSITIVITY},
	{NULL, PF_TAG_CREATION_TIME},
	{NULL, PF_TAG_LAST_MODIFICATION_TIME},
	{NULL, PF_TAG_BODY},
	{NULL, PF_TAG_DISPLAY_NAME},
	{NULL, 0x3A06},
	{NULL, 0x3A44},
	{NULL, 0x3A4F},
	{NULL, 0x3A16},
	{NULL, 0x3A18},
	{NULL, 0x3A05},
	{NULL, 0x3A17},
	{NULL, 0x3A11},
	{&pf_set_address, 0x8005},
	{&pf_set_address, 0x8080},
	{&pf_set_address, 0x8082},
	{&pf_set_address, 0x8083},
	{&pf_set_address, 0x8084},
	{&pf_set_address, 0x8090},
	{&pf_set_address, 0x8092},
	{&pf_set_address, 0x8093},
	{&pf_set_address, 0x8094},
	{&pf_set_address, 0x80A0},
	{&pf_set_address, 0x80A2},
	{&pf_set_address, 0x80A3},
	{&pf_set_address, 0x80A4},
	{&pf_set_address, 0x8053},
	{&pf_set_address, 0x8054},
	{&pf_set_address, 0x8055},
};

static void put_mail(struct ews_put *p, unsigned int n, struct pf_span address)
{
	ews_sayf(p->w, "<t:Entry Key=\"EmailAddress%u\">", n);
	ews_text(p->w, address);
	ews_say(p->w, "</t:Entry>");
}

/* One by one. */
static void change_mail(struct ews_put *p, unsigned int n, struct pf_span address)
{
	const char *what = address.n > 0 ? "SetItemField" : "DeleteItemField";

	ews_sayf(p->w,
		"<t:%s><t:IndexedFieldURI FieldURI=\"contacts:EmailAddress\" "
		"FieldIndex=\"EmailAddress%u\"/>",
		what, n);
	if (address.n > 0) {
		ews_say(p->w, "<t:Contact><t:EmailAddresses>");
		put_mail(p, n, address);
		ews_say(p->w, "</t:EmailAddresses></t:Contact>");
	}
	ews_sayf(p->w, "</t:%s>", what);
}

static void put_mails(struct ews_put *p)
{
	bool any = false;

	for (unsigned int i = 0; i < MAILS; i++) {
		struct pf_span address =
			pf_mapi_text(ews_lid(p, &pf_set_address, 0x8083 + i * 0x10));

		if (p->changes) {
			change_mail(p, i + 1, address);
		} else if (address.n > 0) {
			ews_say(p->w, any ? "" : "<t:EmailAddresses>");
			any = true;
			put_mail(p, i + 1, address);
		}
	}
	ews_say(p->w, any ? "</t:EmailAddresses>" : "");
}

void ews_put_contact_fields(struct ews_put *p, const struct pf_ews_make *make)
{
	struct pf_span shown = text_of(p, PF_TAG_DISPLAY_NAME);
	struct pf_span file_as = pf_mapi_text(ews_lid(p, &pf_set_address, 0x8005));

	p->element = "Contact";
	p->said = OF_CONTACT;
	p->said_n = PF_COUNT(OF_CONTACT);
	ews_put_head(p);
	ews_put_body(p);
	ews_put_categories(p);
	ews_put_properties(p, PF_EWS_FORM_CONTACT);
	ews_put_marks(p, make);
	ews_put_text(p, "contacts:FileAs", "t:FileAs", file_as.n > 0 ? file_as : shown);
	ews_put_text(p, "contacts:DisplayName", "t:DisplayName", shown);
	ews_put_text(p, "contacts:GivenName", "t:GivenName", text_of(p, 0x3A06));
	ews_put_text(p, "contacts:MiddleName", "t:MiddleName", text_of(p, 0x3A44));
	ews_put_text(p, "contacts:Nickname", "t:Nickname", text_of(p, 0x3A4F));
	ews_put_text(p, "contacts:CompanyName", "t:CompanyName", text_of(p, 0x3A16));
	put_mails(p);
	ews_put_text(p, "contacts:Department", "t:Department", text_of(p, 0x3A18));
	ews_put_text(p, "contacts:Generation", "t:Generation", text_of(p, 0x3A05));
	ews_put_text(p, "contacts:JobTitle", "t:JobTitle", text_of(p, 0x3A17));
	ews_put_text(p, "contacts:Surname", "t:Surname", text_of(p, 0x3A11));
}

void ews_put_contact(struct ews_put *p, const struct pf_ews_make *make)
{
	ews_say(p->w, "<t:Contact>");
	ews_put_contact_fields(p, make);
	ews_say(p->w, "</t:Contact>");
}

/* ---- groups ---- */

void ews_put_group(struct ews_put *p, const struct pf_ews_make *make)
{
	struct pf_span name = pf_mapi_text(ews_lid(p, &pf_set_address, 0x8053));

	p->element = "DistributionList";
	p->said = OF_CONTACT;
	p->said_n = PF_COUNT(OF_CONTACT);
	ews_say(p->w, "<t:DistributionList>");
	ews_put_body(p);
	ews_put_categories(p);
	ews_put_properties(p, PF_EWS_FORM_CONTACT);
	ews_put_marks(p, make);
	ews_put_text(p, "", "t:DisplayName", name);
	ews_put_text(p, "", "t:FileAs", name);
	if (make->member_n > 0) {
		ews_say(p->w, "<t:Members>");
	}
	for (size_t i = 0; i < make->member_n; i++) {
		const struct pf_ews_member *m = &make->members[i];

		ews_say(p->w, "<t:Member><t:Mailbox>");
		ews_element(p->w, "t:Name", m->name.n > 0 ? m->name : m->address);
		ews_element(p->w, "t:EmailAddress", m->address);
		ews_say(p->w, "<t:RoutingType>SMTP</t:RoutingType>"
			      "<t:MailboxType>OneOff</t:MailboxType></t:Mailbox></t:Member>");
	}
	if (make->member_n > 0) {
		ews_say(p->w, "</t:Members>");
	}
	ews_say(p->w, "</t:DistributionList>");
}

/* ---- tasks ---- */

static const struct ews_said OF_TASK[] = {
	{NULL, PF_TAG_IMPORTANCE},
	{NULL, PF_TAG_SENSITIVITY},
	{NULL, PF_TAG_CREATION_TIME},
	{NULL, PF_TAG_LAST_MODIFICATION_TIME},
	{NULL, PF_TAG_BODY},
	{&pf_set_common, 0x8502},
	{&pf_set_common, 0x8503},
	{&pf_set_task, 0x8101},
	{&pf_set_task, 0x8102},
	{&pf_set_task, 0x8104},
	{&pf_set_task, 0x8105},
	{&pf_set_task, 0x810F},
	{&pf_set_task, 0x8116},
	{&pf_set_task, 0x811C},
	{&pf_set_task, 0x8126},
};

static void put_day(struct ews_put *p, const char *uri, const char *name, uint32_t number)
{
	const struct pf_mapi_value *day = ews_lid(p, &pf_set_task, number);

	if (day) {
		ews_put_moment(p, uri, name, day);
	} else {
		ews_put_text(p, uri, name, pf_span("", 0));
	}
}

/*
 * CompleteDate, PercentComplete and Status change one another, and the last one counts. The schema
 * has them in one order where an item is created; of one that is changed, the day stays what it is
 * said to be, and goes with the status that it was of.
 */
void ews_put_task_fields(struct ews_put *p, const struct pf_ews_make *make)
{
	enum { COMPLETED = 2, STATUSES = 5 };
	static const char *const STATUS[STATUSES] = {
		"NotStarted", "InProgress", "Completed", "WaitingOnOthers", "Deferred"};
	const struct pf_mapi_value *done = ews_lid(p, &pf_set_task, 0x810F);
	const struct pf_mapi_value *part = ews_lid(p, &pf_set_task, 0x8102);
	int64_t status = 0;
	char percent[40];

	p->element = "Task";
	p->said = OF_TASK;
	p->said_n = PF_COUNT(OF_TASK);
	(void)pf_mapi_number(ews_lid(p, &pf_set_task, 0x8101), &status);
	status = status >= 0 && status < STATUSES ? status : 0;
	ews_put_head(p);
	ews_put_body(p);
	ews_put_categories(p);
	ews_put_reminder(p);
	ews_put_properties(p, PF_EWS_FORM_TASK);
	ews_put_marks(p, make);
	if (!p->changes) {
		ews_put_moment(p, "", "t:CompleteDate", done);
	}
	put_day(p, "task:DueDate", "t:DueDate", 0x8105);
	if (part && part->type == PF_MAPI_DOUBLE) {
		(void)snprintf(percent, sizeof(percent), "%.15g", part->real * 100);
		ews_put_word(p, "task:PercentComplete", "t:PercentComplete", percent);
	}
	if (make->series) {
		ews_put_series(p->w, p->as, make->series);
	}
	put_day(p, "task:StartDate", "t:StartDate", 0x8104);
	ews_put_word(p, "task:Status", "t:Status", STATUS[status]);
	if (p->changes && status == COMPLETED) {
		ews_put_moment(p, "task:CompleteDate", "t:CompleteDate", done);
	}
}

void ews_put_task(struct ews_put *p, const struct pf_ews_make *make)
{
	ews_say(p->w, "<t:Task>");
	ews_put_task_fields(p, make);
	ews_say(p->w, "</t:Task>");
}
