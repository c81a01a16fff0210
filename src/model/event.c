#include "model/event.h"

#include "base/defs.h"

#include <stdio.h>

/* In order of number: pf_event_doc looks them up by halves, and a test holds it. */
static const struct pf_event_doc DOCS[] = {
	{PF_EV_SIGNED_IN, PF_SEV_INFO, "signed in",
		"The source or the target has accepted the sign-in.",
		"The migration of the account can begin. The text says what the server calls "
		"itself.",
		"Nothing is to be done."},
	{PF_EV_NOT_OPENED, PF_SEV_ERROR, "account not opened",
		"The source or the target could not be reached, its certificate was not accepted, "
		"or it "
		"refused the sign-in. The text has the server's own words.",
		"Nothing of this account was moved in this run, and nothing was changed. A refused "
		"password "
		"is not tried again, so that no account is locked by it.",
		"Check the address, the certificate (--ca-file, --tls-fingerprint) and the "
		"password of the "
		"side that the text names, then run again."},
	{PF_EV_CONNECTION_LOST, PF_SEV_WARNING, "connection lost",
		"A connection was cut, or the server did not answer within the deadline.",
		"What was in flight is looked up at the target before it is sent again, so nothing "
		"is lost "
		"and nothing is copied twice. A new connection is tried a few times with growing "
		"pauses.",
		"Nothing is to be done when the run goes on by itself. If it ends as cut off (exit "
		"status 4), "
		"see to the network and run again."},
	{PF_EV_THROTTLED, PF_SEV_INFO, "server asks for patience",
		"The server said that it is busy or that a limit on its use is reached, and how "
		"long to wait.",
		"The account waits as long as the server asked for and then goes on; the migration "
		"takes "
		"longer.",
		"Nothing is to be done. If it happens often, use fewer connections "
		"(--connections), a lower "
		"rate (--rate), or ask the server's administrator to lift the limit for the "
		"migration."},
	{PF_EV_ALERT, PF_SEV_WARNING, "server alert",
		"The server sent a text that it wants every user to see (ALERT, RFC 9051 section "
		"7.1).",
		"The migration goes on. What the alert announces, for example a shutdown or a "
		"mailbox that "
		"is nearly full, may stop it later.",
		"Read the text and act on it."},
	{PF_EV_CONNECTION_CAP, PF_SEV_INFO, "fewer connections than planned",
		"The server does not let the account have as many connections at once as were "
		"asked for.",
		"The migration goes on with those it has; it may take longer.",
		"Nothing is to be done. To avoid the attempts, set --connections to what the "
		"server permits, "
		"or raise its limit (Dovecot: mail_max_userip_connections)."},
	{PF_EV_FEATURE_OFF, PF_SEV_INFO, "feature not used",
		"The server announced a feature that did not work when it was used, or a side "
		"lacks one that "
		"was asked for.",
		"A slower way that gives the same result is taken instead. The text names the "
		"feature.",
		"Nothing is to be done."},
	{PF_EV_TARGET_FULL, PF_SEV_ERROR, "target full",
		"The target refused an item since the account's quota or its disk is used up.",
		"What has not been sent yet is held back. After a large item smaller ones are "
		"tried, one at a time and a few times at the most; then no more items are sent to "
		"this account in this run. What was sent is kept, the remaining items stay open "
		"and are named in the report.",
		"Raise the quota or free space at the target, then run again: it goes on where it "
		"stopped."},

	{PF_EV_NOT_REACHABLE, PF_SEV_ERROR, "signed in, mailbox not reachable",
		"The server accepted the sign-in and does not connect it to a mailbox: there is "
		"none, it has no licence or its IMAP access is switched off, the administrator has "
		"no permission on it, or the name is not in the form that this server wants.",
		"Nothing of this account was moved in this run, and nothing was changed.",
		"Check permission, licence and the user's principal name. For administrators "
		"some servers want another form of the name: see --from-admin-form."},
	{PF_EV_RIGHTS_LEFT, PF_SEV_INFO, "access rights not carried over",
		"At the source users can give others rights on their folders (ACL, RFC 4314).",
		"Items, flags and subscriptions are migrated; rights are not, as the two servers "
		"do "
		"not know the same users.",
		"Ask the users what they share, and share it again at the target."},
	{PF_EV_ROOM_SHORT, PF_SEV_WARNING, "target has less room than is needed",
		"What is to be copied is more than the quota of the target leaves free.",
		"It is copied as far as it goes; then the account pauses, and what is left stays "
		"open. Items that are at the target already take no more room, so it may suffice.",
		"Raise the quota before the migration, or leave out what need not be moved (see "
		"--exclude, --since, --max-size)."},
	{PF_EV_DAY_USED, PF_SEV_WARNING, "a day's bytes are used up",
		"So much was moved in the last 24 hours as --from-daily, --to-daily or what is "
		"known of the server permit an account in a day. Servers that have such a limit "
		"lock an account for hours that goes over it.",
		"What was in flight is finished, and the account signs out. It goes on by itself "
		"at the time that the text names; with --no-wait the command ends instead, and is "
		"to be run again then. The ledger keeps what was moved.",
		"Nothing is to be done. Where the server permits more, say so with --from-daily "
		"or --to-daily."},
	{PF_EV_FOLDER_MAPPED, PF_SEV_INFO, "folder has another name at the target",
		"The target can't have the folder's name as it is (its delimiter, a reserved or "
		"too long "
		"name, a name that differs from another one in case only), it has a folder of its "
		"own for "
		"the same purpose, or a --map rule says so.",
		"All items of the folder go to the folder that the text names. No two folders "
		"become one.",
		"Nothing is to be done. To choose another name use --map OLD=NEW before the first "
		"run."},
	{PF_EV_FOLDER_NAME_ODD, PF_SEV_WARNING, "folder name not decoded",
		"The source gave a folder name that is not valid in the encoding that the protocol "
		"prescribes.",
		"The folder is read by its raw name, so its items are migrated; the name at the "
		"target is a "
		"readable form of it.",
		"Look at the name at the target and rename the folder there if it should be "
		"another."},
	{PF_EV_FOLDER_NOT_CREATED, PF_SEV_ERROR, "folder not made at the target",
		"The target refused to make the folder. The text has its own words.",
		"The folder's items have no place yet; the other folders are migrated.",
		"Make the folder at the target by hand, or send it elsewhere with --map OLD=NEW, "
		"then run "
		"again."},
	{PF_EV_FOLDER_ONLY_SUBSCRIBED, PF_SEV_WARNING, "folder subscribed but not listed",
		"The source's list of subscriptions has a folder that its list of folders does not "
		"have: it "
		"was deleted, or the server hides it, for example for a '/' in its name.",
		"Where the folder can be opened it is migrated; otherwise it is left out.",
		"If the folder exists in the user's mail program, rename it there and run again."},
	{PF_EV_LISTING_INCOMPLETE, PF_SEV_WARNING, "listing not complete",
		"The list of items that the server gave ended early, or had fewer items than the "
		"server says "
		"the folder holds.",
		"What was listed is copied. Nothing is taken for gone, and nothing is removed, on "
		"the word "
		"of such a listing; the folder is listed again by the next run.",
		"Run again. If it happens each time, let the source's administrator check the "
		"folder (a "
		"damaged index, on Dovecot: doveadm force-resync)."},
	{PF_EV_VALIDITY_CHANGED, PF_SEV_WARNING, "ids of a folder have changed",
		"The folder was made anew or the server was rebuilt: its item ids (UIDVALIDITY) no "
		"longer "
		"mean what they meant in the last run.",
		"The items are recognised by their content instead, so nothing is copied twice; "
		"this run "
		"takes longer.",
		"Nothing is to be done."},
	{PF_EV_FOLDER_FAILED, PF_SEV_ERROR, "folder failed",
		"The folder could not be opened, listed or written. The text has the server's own "
		"words.",
		"Its remaining items stay open and are named in the report; the other folders are "
		"migrated.",
		"Remove the cause that the text names and run again."},
	{PF_EV_FOLDER_SKIPPED, PF_SEV_INFO, "folder left out",
		"A rule leaves the folder out: --exclude, --include, --kinds, another user's or a "
		"public "
		"folder, or a view of mail that is in other folders as well; or a file among "
		"mailboxes is none.",
		"Its items are not migrated. The report names the rule.",
		"Nothing is to be done if that is what you want; otherwise change the rule and run "
		"again."},
	{PF_EV_FOLDER_GONE, PF_SEV_INFO, "folder gone from the source",
		"A folder of an earlier run is no longer at the source: the user has deleted or "
		"renamed it.",
		"What was copied stays at the target. If it was renamed, it is migrated under its "
		"new name.",
		"Nothing is to be done; delete the old folder at the target if the user wants "
		"that."},
	{PF_EV_LISTING_ROUND, PF_SEV_WARNING, "listing ends at a round number",
		"The folder has exactly as many items as servers with a limit on what they show "
		"give at most "
		"(for example 1,000 or 10,000).",
		"There may be items that the server does not show; what it shows is copied.",
		"Compare with the user's mail program. Lift the limit at the source (Gmail: "
		"settings, "
		"folder size limits) and run again."},
	{PF_EV_FOLDER_NOT_LISTED, PF_SEV_WARNING, "folder there but not listed",
		"The source's list of folders leaves out a folder that it opens when asked by "
		"name: "
		"INBOX, or one that holds a folder that is listed.",
		"It is migrated as all others are. There may be more such folders, whose names "
		"nothing tells.",
		"Compare the folders with those in the user's mail program; what is missing can "
		"be subscribed to there, which makes it known."},

	{PF_EV_FOLDER_LOST, PF_SEV_WARNING, "folder removed or renamed meanwhile",
		"Somebody removed or renamed the folder, or took away the right to see it, while "
		"it was migrated.",
		"At the target it is made again, and filled again. At the source its items that "
		"were not copied yet count as vanished; all other folders go on.",
		"If it was renamed at the source, run again: it is taken under its new name."},

	{PF_EV_FOLDER_NOWHERE, PF_SEV_WARNING, "folder in no place",
		"The account has mail, calendars or contacts, and none of its targets takes items "
		"of that kind.",
		"The folder's items are listed and named in the report, and are not migrated.",
		"Name a target for them by another --to, or leave them out by --kinds."},
	{PF_EV_FOLDER_OF_OTHERS, PF_SEV_WARNING, "folder of items that are no mail",
		"Exchange shows its calendar, contacts, tasks, notes and journal to IMAP as "
		"folders "
		"of mail; what it gives of their items is a text about each. The folder is known "
		"by "
		"its name.",
		"The texts are copied as mail, so that nothing is left behind; they are no "
		"appointments or contacts at the target.",
		"Export calendars and contacts from the source in another way (.ics, .vcf, EWS), "
		"and "
		"leave the folder out with --exclude if the texts are not wanted. Meeting requests "
		"in the other folders come as texts with a link, too, unless the mailbox is told "
		"otherwise before the run: Set-CASMailbox USER -ImapUseProtocolDefaults $false "
		"-ImapForceICalForCalendarRetrievalOption $true."},

	{PF_EV_ITEM_NOT_RETURNED, PF_SEV_ERROR, "item listed but not returned",
		"The source lists the item, but answered the request for it with success and "
		"without the "
		"item, or without its content.",
		"It was asked for again, alone. If that did not help it is in quarantine without "
		"its content.",
		"Open the item in the user's mail program. If it can be read there, move it to "
		"another folder "
		"and run again; if not, the source has lost it."},
	{PF_EV_ITEM_REFUSED, PF_SEV_WARNING, "item refused",
		"A server said no to this very item. The text has its own words.",
		"It is tried in other ways that lose nothing: alone, without keywords, with a "
		"declared "
		"repair. What helps is noted; what does not help ends in quarantine or is left to "
		"the next "
		"run.",
		"Nothing is to be done yet; look for an event 12003 about the same item."},
	{PF_EV_ITEM_QUARANTINED, PF_SEV_ERROR, "item in quarantine",
		"The item could not be placed at the target, or could not be read at the source, "
		"in any way. "
		"The text has the reason and the server's own words.",
		"Its bytes, as far as the source gave them, and the reason are kept in the "
		"quarantine folder. "
		"It is not at the target. All other items are not affected.",
		"Remove the cause (a size limit, a content filter, a quota) and run postferry "
		"retry; or take "
		"the file from the quarantine folder and place it by hand."},
	{PF_EV_ITEM_REPAIRED, PF_SEV_WARNING, "item repaired",
		"The target refused the item as it is and took it after the repair that the text "
		"names, for "
		"example of a bare line feed, a NUL or an over-long line.",
		"The item is at the target with that change. Its original bytes are kept in the "
		"quarantine "
		"folder; a digital signature over it may no longer verify.",
		"Nothing is to be done; keep the original if the item is signed."},
	{PF_EV_FLAG_DROPPED, PF_SEV_INFO, "flag not kept",
		"The target does not permit a flag or keyword of the item, or did not store it.",
		"The item is at the target without that flag; its content is not affected.",
		"Nothing is to be done. Where the target has a limit on keywords, raise it and run "
		"again."},
	{PF_EV_DATE_REPLACED, PF_SEV_INFO, "date replaced",
		"The source gave no date of arrival for the item, or one that is none (for example "
		"00-Jan-0000); or the target refused it with a date before 1970 or after 2038, "
		"which "
		"not every server can hold.",
		"The item is stored with the date that the text names: that of its topmost "
		"Received "
		"field, or else of its Date field, or else that of the copy.",
		"Nothing is to be done."},
	{PF_EV_ITEM_STUB, PF_SEV_ERROR, "source gave a text in place of the item",
		"Exchange could not convert the item and answered with a text that says so "
		"(Retrieval using "
		"the IMAP4 protocol failed) in place of it.",
		"That text is not taken for the item. The item is asked for in another way; if "
		"that does not "
		"help either it is in quarantine.",
		"Open the item in Outlook and save it again, or move it with Outlook, then run "
		"again."},
	{PF_EV_SIZE_DIFFERS, PF_SEV_INFO, "size differs",
		"The number of bytes that came is not the size that the listing gave. Some servers "
		"only "
		"estimate it.",
		"What came is complete as far as the protocol tells and is copied.",
		"Nothing is to be done. To compare every byte run postferry verify --deep."},
	{PF_EV_ITEM_ALTERED, PF_SEV_WARNING, "item altered by the target",
		"What the target gives back differs from what was sent to it.",
		"The item is at the target, but not as it was at the source. Its original bytes "
		"are kept in "
		"the quarantine folder where they were at hand.",
		"Look at the item. Some servers rewrite what they store, for example a header; a "
		"cut "
		"attachment means that a filter or limit at the target must be changed."},
	{PF_EV_ITEM_VANISHED, PF_SEV_INFO, "item vanished",
		"The item was listed, and was gone from the source when it was to be read: the "
		"user has "
		"deleted or moved it meanwhile.",
		"It is counted as vanished. If it was moved, the next run finds it in its new "
		"folder.",
		"Nothing is to be done; run again for what the users changed during the "
		"migration."},
	{PF_EV_DOUBT_SETTLED, PF_SEV_INFO, "item in doubt settled",
		"An earlier run was cut off while the item was on its way. The target was asked "
		"what it has.",
		"The item was found there and is not sent again, or it was not there and is sent "
		"now. The "
		"text says which.",
		"Nothing is to be done."},
	{PF_EV_GONE_FROM_SOURCE, PF_SEV_INFO, "items gone from the source",
		"Items that were copied earlier are no longer at the source: the user has deleted "
		"or moved "
		"them.",
		"They stay at the target, unless --mirror is given.",
		"Nothing is to be done; use --mirror if the target is to follow deletions."},
	{PF_EV_REMOVED, PF_SEV_WARNING, "removal at the target",
		"With --mirror, items that left the source are removed from the target; only such "
		"as this "
		"ledger has written there.",
		"The text says what was removed, or why it was not.",
		"If more than a tenth would go nothing is removed: look at the source first, then "
		"confirm."},
	{PF_EV_FLAGS_CARRIED, PF_SEV_INFO, "flags carried over",
		"Flags of items that were copied earlier have changed at the source.",
		"They were changed at the target in the same way.", "Nothing is to be done."},
	{PF_EV_ITEM_TRIED_AGAIN, PF_SEV_INFO, "item tried again",
		"A step failed in a way that may pass: a busy server, a cut connection, a limit.",
		"The item is tried again after a pause, a bounded number of times.",
		"Nothing is to be done; look for an event 12002 or 12003 about the same item."},
	{PF_EV_NOT_AT_TARGET, PF_SEV_WARNING, "item no longer at the target",
		"The item was confirmed at the target earlier, and the target does not have it in "
		"its folder "
		"any more: somebody deleted or moved it there, or it was filtered.",
		"It is not copied again by itself, since that could bring back what the user has "
		"deleted.",
		"Ask the user, or look for it in the target's other folders. If many are missing "
		"look for a "
		"filter or a retention rule at the target."},
	{PF_EV_DATE_NOT_KEPT, PF_SEV_INFO, "date not kept by the target",
		"The target shows another date of arrival for the item than the one it was given.",
		"The item is at the target; lists sorted by arrival show it in another place.",
		"Nothing is to be done. Exchange 2010 keeps the date from Service Pack 2, Rollup 5 "
		"on."},
	{PF_EV_ITEM_PIECED, PF_SEV_WARNING, "item put together from its parts",
		"The source did not give the item whole: its body did not come, was a stand-in "
		"text, or broke "
		"the connection each time.",
		"It was asked for part by part and put together; the sizes prove that nothing is "
		"missing. It is "
		"at the target, and was read back from there.",
		"Look at the item at the target if it matters how its parts are laid out."},
	{PF_EV_DOUBT_WAITS, PF_SEV_INFO, "items in doubt are waited for",
		"The link to the target ended while items were on their way, and the target does "
		"not "
		"show them. It may still be busy storing what it had received.",
		"The target is listed once more after some seconds, before any of these items is "
		"sent again, so that none is there twice.",
		"Nothing is to be done."},
	{PF_EV_RECEIPT_STOPPED, PF_SEV_INFO, "read receipt stopped",
		"The message asks for a read receipt (Disposition-Notification-To), and the target "
		"is "
		"known to send such by itself, or --no-receipts was given.",
		"It is stored with the keyword $MDNSent, which says that the receipt was sent (RFC "
		"3503), so that none leaves because of the migration. Where the target does not "
		"permit the keyword the text says so.",
		"Where it could not be set: switch receipts off at the target until the migration "
		"is "
		"over."},
	{PF_EV_ATTACHMENT_LEFT, PF_SEV_WARNING, "attachment stays a reference",
		"A calendar item refers to an attachment on the server that it is from. The server "
		"did not give it, or the item would be too large with it.",
		"The item is copied; the attachment is still at the old server only.",
		"Open the item, save the attachment and attach it anew, before the old server is "
		"switched off."},
	{PF_EV_ITEM_CONVERTED, PF_SEV_WARNING, "something of an item has no place in its new form",
		"The source has the item in a form of its own (Outlook's, Exchange's), and the "
		"open form that it is copied in has no place for what the text names; or a part of "
		"it was not as it should be, and was read as well as it could be.",
		"The item is copied without that. What became of each of its properties is in the "
		"ledger: postferry explain ITEM tells it, postferry report sums it up.",
		"Look at the item at the source while it is there; --keep-raw DIR keeps the items "
		"as the source has them."},
	{PF_EV_ITEM_DISGUISED, PF_SEV_INFO, "message with an item of Exchange in it",
		"Exchange wrote all that an item is into one part of a message (TNEF, "
		"winmail.dat): an appointment, contact, task or note, which IMAP shows as mail, or "
		"the message itself.",
		"An item whose kind no target takes is copied as the message that it is, octet for "
		"octet. With --unwrap-tnef a message is given as what it was made of, and no "
		"longer octet for octet.",
		"To have appointments and the like in their place, name a target for their kind as "
		"well (--to caldavs://..., --to carddavs://...), and run again with another "
		"ledger; where one target takes mail and them, with --mirror."},
	{PF_EV_SERIES_SINGLES, PF_SEV_WARNING, "series made single events",
		"The target has no words for the series (dates of its own, several rules, days "
		"that some months lack), and --series expand was given.",
		"Each instance up to the end of the year that the text names is an event of its "
		"own there. They are known again in later passes; an edit of the series at the "
		"source is followed, and the event of an instance that it takes away is removed, "
		"its bytes kept in the quarantine.",
		"Where the series goes on behind that day, enter the rest at the target, or copy "
		"again with more --series-years when the series is edited."},
	{PF_EV_PASS_BEGUN, PF_SEV_INFO, "pass begun", "A run over the account has begun.",
		"Both sides are opened and their folders compared with the ledger.",
		"Nothing is to be done."},
	{PF_EV_PASS_ENDED, PF_SEV_INFO, "pass ended", "A run over the account has ended.",
		"The text has the sums; postferry report has what became of every item.",
		"Nothing is to be done if the exit status was 0; otherwise read the report."},
	{PF_EV_LEDGER_NEW, PF_SEV_INFO, "new ledger",
		"There was no ledger for this pair of accounts, so one was made.",
		"If items were copied before with another ledger, or with none, they are found at "
		"the target "
		"by their content and not copied twice.",
		"Nothing is to be done. Keep the ledger until the migration is over."},
	{PF_EV_LEDGER_UPGRADED, PF_SEV_INFO, "ledger upgraded",
		"The ledger was written by an older postferry and was brought to the present "
		"version.",
		"An older postferry can't read it any more.", "Nothing is to be done."},
	{PF_EV_INTERRUPTED, PF_SEV_WARNING, "interrupted",
		"The run was stopped by a signal or by request before it was complete.",
		"What was in flight is settled or noted as in doubt. Nothing is lost.",
		"Run again: it goes on where it stopped."},

	{PF_EV_UNREADABLE_RESPONSE, PF_SEV_WARNING, "response not understood",
		"A server sent a response that does not follow the protocol. The event has the "
		"bytes and "
		"where in the session they came. Of old this number ended a migration: the "
		"Exchange "
		"Migration Wizard stopped with event 14001, \"Error interpreting response from "
		"IMAP server\", "
		"at mailboxes with several folders (KB902237).",
		"Here it costs that one response and nothing else. If an item or folder depended "
		"on it, it is "
		"asked for again, and what can't be had is reported by an event of its own.",
		"Nothing is to be done if no item is reported missing. Otherwise send the bytes "
		"shown by "
		"postferry events to those who look after the server, or to this project."},
	{PF_EV_PROTOCOL_ODDITY, PF_SEV_INFO, "odd but understood",
		"A server did something that the protocol does not allow, in a way whose meaning "
		"is clear.",
		"It was taken as meant, and nothing is lost by it.", "Nothing is to be done."},
};

const char *pf_severity_name(enum pf_severity s)
{
	static const char *const NAMES[] = {
		[PF_SEV_INFO] = "info",
		[PF_SEV_WARNING] = "warning",
		[PF_SEV_ERROR] = "error",
	};

	return NAMES[s];
}

const struct pf_event_doc *pf_event_doc(int number)
{
	size_t low = 0, high = PF_COUNT(DOCS);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (DOCS[mid].number == number) {
			return &DOCS[mid];
		}
		if (DOCS[mid].number < number) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return NULL;
}

const struct pf_event_doc *pf_event_docs(size_t *count)
{
	*count = PF_COUNT(DOCS);
	return DOCS;
}

void pf_event_message_id(int number, char out[33])
{
	(void)snprintf(out, 33, "5f0c1c3e9a7d4b0e8d2f6b17%08d", number);
}
