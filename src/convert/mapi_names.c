/*
 * What [MS-OXPROPS] calls the properties that people meet in a report.
 */
#include "convert/mapi_names.h"

#include "base/defs.h"

#include <stdlib.h>

struct name {
	uint16_t number;
	const char *name;
};

/* Each in the order of its numbers. */

static const struct name TAGS[] = {
	{0x0002, "AlternateRecipientAllowed"},
	{0x000F, "DeferredDeliveryTime"},
	{0x0015, "ExpiryTime"},
	{0x0017, "Importance"},
	{0x001A, "MessageClass"},
	{0x0023, "OriginatorDeliveryReportRequested"},
	{0x0026, "Priority"},
	{0x0029, "ReadReceiptRequested"},
	{0x002B, "RecipientReassignmentProhibited"},
	{0x002E, "OriginalSensitivity"},
	{0x0030, "ReplyTime"},
	{0x0031, "ReportTag"},
	{0x0032, "ReportTime"},
	{0x0036, "Sensitivity"},
	{0x0037, "Subject"},
	{0x0039, "ClientSubmitTime"},
	{0x003B, "SentRepresentingSearchKey"},
	{0x003D, "SubjectPrefix"},
	{0x003F, "ReceivedByEntryId"},
	{0x0040, "ReceivedByName"},
	{0x0041, "SentRepresentingEntryId"},
	{0x0042, "SentRepresentingName"},
	{0x0043, "ReceivedRepresentingEntryId"},
	{0x0044, "ReceivedRepresentingName"},
	{0x0047, "MessageSubmissionId"},
	{0x004B, "OriginalMessageClass"},
	{0x004D, "OriginalAuthorName"},
	{0x004E, "OriginalSubmitTime"},
	{0x004F, "ReplyRecipientEntries"},
	{0x0050, "ReplyRecipientNames"},
	{0x0051, "ReceivedBySearchKey"},
	{0x0052, "ReceivedRepresentingSearchKey"},
	{0x0057, "MessageToMe"},
	{0x0058, "MessageCcMe"},
	{0x0059, "MessageRecipientMe"},
	{0x0060, "StartDate"},
	{0x0061, "EndDate"},
	{0x0062, "OwnerAppointmentId"},
	{0x0063, "ResponseRequested"},
	{0x0064, "SentRepresentingAddressType"},
	{0x0065, "SentRepresentingEmailAddress"},
	{0x0070, "ConversationTopic"},
	{0x0071, "ConversationIndex"},
	{0x0075, "ReceivedByAddressType"},
	{0x0076, "ReceivedByEmailAddress"},
	{0x0077, "ReceivedRepresentingAddressType"},
	{0x0078, "ReceivedRepresentingEmailAddress"},
	{0x007D, "TransportMessageHeaders"},
	{0x007F, "TnefCorrelationKey"},
	{0x0C15, "RecipientType"},
	{0x0C17, "ReplyRequested"},
	{0x0C19, "SenderEntryId"},
	{0x0C1A, "SenderName"},
	{0x0C1D, "SenderSearchKey"},
	{0x0C1E, "SenderAddressType"},
	{0x0C1F, "SenderEmailAddress"},
	{0x0E01, "DeleteAfterSubmit"},
	{0x0E02, "DisplayBcc"},
	{0x0E03, "DisplayCc"},
	{0x0E04, "DisplayTo"},
	{0x0E06, "MessageDeliveryTime"},
	{0x0E07, "MessageFlags"},
	{0x0E08, "MessageSize"},
	{0x0E0F, "Responsibility"},
	{0x0E17, "MessageStatus"},
	{0x0E1B, "HasAttachments"},
	{0x0E1D, "NormalizedSubject"},
	{0x0E1F, "RtfInSync"},
	{0x0E20, "AttachSize"},
	{0x0E21, "AttachNumber"},
	{0x0E28, "PrimarySendAccount"},
	{0x0E29, "NextSendAcct"},
	{0x0E2B, "ToDoItemFlags"},
	{0x0E79, "TrustSender"},
	{0x0FF4, "Access"},
	{0x0FF6, "InstanceKey"},
	{0x0FF7, "AccessLevel"},
	{0x0FF9, "RecordKey"},
	{0x0FFE, "ObjectType"},
	{0x0FFF, "EntryId"},
	{0x1000, "Body"},
	{0x1006, "RtfSyncBodyCrc"},
	{0x1007, "RtfSyncBodyCount"},
	{0x1008, "RtfSyncBodyTag"},
	{0x1009, "RtfCompressed"},
	{0x1010, "RtfSyncPrefixCount"},
	{0x1011, "RtfSyncTrailingCount"},
	{0x1013, "Html"},
	{0x1014, "BodyContentLocation"},
	{0x1015, "BodyContentId"},
	{0x1016, "NativeBody"},
	{0x1035, "InternetMessageId"},
	{0x1039, "InternetReferences"},
	{0x1042, "InReplyToId"},
	{0x1080, "IconIndex"},
	{0x1081, "LastVerbExecuted"},
	{0x1082, "LastVerbExecutionTime"},
	{0x1090, "FlagStatus"},
	{0x1091, "FlagCompleteTime"},
	{0x1095, "FollowupIcon"},
	{0x1096, "BlockStatus"},
	{0x10F4, "AttributeHidden"},
	{0x10F6, "AttributeReadOnly"},
	{0x3001, "DisplayName"},
	{0x3002, "AddressType"},
	{0x3003, "EmailAddress"},
	{0x3004, "Comment"},
	{0x3007, "CreationTime"},
	{0x3008, "LastModificationTime"},
	{0x300B, "SearchKey"},
	{0x3013, "ConversationId"},
	{0x3016, "ConversationIndexTracking"},
	{0x3701, "AttachDataBinary"},
	{0x3702, "AttachEncoding"},
	{0x3703, "AttachExtension"},
	{0x3704, "AttachFilename"},
	{0x3705, "AttachMethod"},
	{0x3707, "AttachLongFilename"},
	{0x3709, "AttachRendering"},
	{0x370B, "RenderingPosition"},
	{0x370E, "AttachMimeTag"},
	{0x3712, "AttachContentId"},
	{0x3713, "AttachContentLocation"},
	{0x3714, "AttachFlags"},
	{0x39FE, "SmtpAddress"},
	{0x3FDE, "InternetCodepage"},
	{0x3FF1, "MessageLocaleId"},
	{0x3FF8, "CreatorName"},
	{0x3FF9, "CreatorEntryId"},
	{0x3FFA, "LastModifierName"},
	{0x3FFB, "LastModifierEntryId"},
	{0x3FFD, "MessageCodepage"},
	{0x5902, "InternetMailOverrideFormat"},
	{0x5909, "MessageEditorFormat"},
	{0x5D01, "SenderSmtpAddress"},
	{0x5D02, "SentRepresentingSmtpAddress"},
	{0x65E0, "SourceKey"},
	{0x65E1, "ParentSourceKey"},
	{0x65E2, "ChangeKey"},
	{0x65E3, "PredecessorChangeList"},
	{0x7FFA, "ExceptionReplaceTime"},
	{0x7FFB, "ExceptionStartTime"},
	{0x7FFC, "ExceptionEndTime"},
	{0x7FFD, "AttachmentFlags"},
	{0x7FFE, "AttachmentHidden"},
	{0x7FFF, "AttachmentContactPhoto"},
};

static const struct name COMMON[] = {
	{0x8501, "ReminderDelta"},
	{0x8502, "ReminderTime"},
	{0x8503, "ReminderSet"},
	{0x8506, "Private"},
	{0x8510, "SideEffects"},
	{0x8514, "SmartNoAttach"},
	{0x8516, "CommonStart"},
	{0x8517, "CommonEnd"},
	{0x8518, "TaskMode"},
	{0x8520, "VerbStream"},
	{0x8524, "VerbResponse"},
	{0x8530, "FlagRequest"},
	{0x8534, "Mileage"},
	{0x8535, "Billing"},
	{0x8539, "Companies"},
	{0x853A, "Contacts"},
	{0x8552, "CurrentVersion"},
	{0x8554, "CurrentVersionName"},
	{0x8560, "ReminderSignalTime"},
	{0x8578, "HeaderItem"},
	{0x8580, "InternetAccountName"},
	{0x8581, "InternetAccountStamp"},
	{0x8582, "UseTnef"},
	{0x85A0, "ToDoOrdinalDate"},
	{0x85A1, "ToDoSubOrdinal"},
	{0x85A4, "ToDoTitle"},
	{0x85B5, "Classified"},
	{0x85B6, "Classification"},
	{0x85B7, "ClassificationDescription"},
	{0x85B8, "ClassificationGuid"},
	{0x85BA, "ClassificationKeep"},
	{0x85BF, "ValidFlagStringProof"},
	{0x85C0, "FlagString"},
};

static const struct name APPOINTMENT[] = {
	{0x8201, "AppointmentSequence"},
	{0x8202, "AppointmentSequenceTime"},
	{0x8203, "AppointmentLastSequence"},
	{0x8204, "ChangeHighlight"},
	{0x8205, "BusyStatus"},
	{0x8206, "FExceptionalBody"},
	{0x8207, "AppointmentAuxiliaryFlags"},
	{0x8208, "Location"},
	{0x8209, "MeetingWorkspaceUrl"},
	{0x820D, "AppointmentStartWhole"},
	{0x820E, "AppointmentEndWhole"},
	{0x8213, "AppointmentDuration"},
	{0x8214, "AppointmentColor"},
	{0x8215, "AppointmentSubType"},
	{0x8216, "AppointmentRecur"},
	{0x8217, "AppointmentStateFlags"},
	{0x8218, "ResponseStatus"},
	{0x8220, "AppointmentReplyTime"},
	{0x8223, "Recurring"},
	{0x8224, "IntendedBusyStatus"},
	{0x8228, "ExceptionReplaceTime"},
	{0x8229, "FInvited"},
	{0x8231, "RecurrenceType"},
	{0x8232, "RecurrencePattern"},
	{0x8233, "TimeZoneStruct"},
	{0x8234, "TimeZoneDescription"},
	{0x8235, "ClipStart"},
	{0x8236, "ClipEnd"},
	{0x8238, "AllAttendeesString"},
	{0x823B, "ToAttendeesString"},
	{0x823C, "CcAttendeesString"},
	{0x825A, "AppointmentNotAllowPropose"},
	{0x825E, "AppointmentTimeZoneDefinitionStartDisplay"},
	{0x825F, "AppointmentTimeZoneDefinitionEndDisplay"},
	{0x8260, "AppointmentTimeZoneDefinitionRecur"},
};

static const struct name TASK[] = {
	{0x8101, "TaskStatus"},
	{0x8102, "PercentComplete"},
	{0x8103, "TeamTask"},
	{0x8104, "TaskStartDate"},
	{0x8105, "TaskDueDate"},
	{0x810F, "TaskDateCompleted"},
	{0x8110, "TaskActualEffort"},
	{0x8111, "TaskEstimatedEffort"},
	{0x8112, "TaskVersion"},
	{0x8113, "TaskState"},
	{0x8116, "TaskRecurrence"},
	{0x811C, "TaskComplete"},
	{0x811F, "TaskOwner"},
	{0x8120, "TaskMultipleRecipients"},
	{0x8121, "TaskAssigner"},
	{0x8122, "TaskLastUser"},
	{0x8123, "TaskOrdinal"},
	{0x8126, "TaskFRecurring"},
	{0x8127, "TaskRole"},
	{0x8129, "TaskOwnership"},
	{0x812A, "TaskAcceptanceState"},
	{0x812C, "TaskFFixOffline"},
};

static const struct name ADDRESS[] = {
	{0x8005, "FileUnder"},
	{0x8006, "FileUnderId"},
	{0x801A, "HomeAddress"},
	{0x801B, "WorkAddress"},
	{0x801C, "OtherAddress"},
	{0x8022, "PostalAddressId"},
	{0x802B, "Html"},
	{0x8045, "WorkAddressStreet"},
	{0x8046, "WorkAddressCity"},
	{0x8047, "WorkAddressState"},
	{0x8048, "WorkAddressPostalCode"},
	{0x8049, "WorkAddressCountry"},
	{0x804A, "WorkAddressPostOfficeBox"},
	{0x804C, "DistributionListChecksum"},
	{0x8054, "DistributionListOneOffMembers"},
	{0x8055, "DistributionListMembers"},
	{0x8062, "InstantMessagingAddress"},
	{0x8080, "Email1DisplayName"},
	{0x8082, "Email1AddressType"},
	{0x8083, "Email1EmailAddress"},
	{0x8084, "Email1OriginalDisplayName"},
	{0x8085, "Email1OriginalEntryId"},
	{0x8090, "Email2DisplayName"},
	{0x8092, "Email2AddressType"},
	{0x8093, "Email2EmailAddress"},
	{0x80A0, "Email3DisplayName"},
	{0x80A2, "Email3AddressType"},
	{0x80A3, "Email3EmailAddress"},
	{0x80D8, "FreeBusyLocation"},
};

static const struct name MEETING[] = {
	{0x0001, "AttendeeCriticalChange"},
	{0x0002, "Where"},
	{0x0003, "GlobalObjectId"},
	{0x0005, "IsRecurring"},
	{0x000A, "IsException"},
	{0x001A, "OwnerCriticalChange"},
	{0x0023, "CleanGlobalObjectId"},
	{0x0024, "AppointmentMessageClass"},
	{0x0026, "MeetingType"},
	{0x0028, "OldLocation"},
};

static const struct name NOTE[] = {
	{0x8B00, "NoteColor"},
	{0x8B02, "NoteWidth"},
	{0x8B03, "NoteHeight"},
	{0x8B04, "NoteX"},
	{0x8B05, "NoteY"},
};

static const struct name LOG[] = {
	{0x8700, "LogType"},
	{0x8706, "LogStart"},
	{0x8707, "LogDuration"},
	{0x8708, "LogEnd"},
	{0x870C, "LogFlags"},
	{0x8712, "LogTypeDesc"},
};

static const struct {
	const struct pf_guid *set;
	const struct name *names;
	size_t n;
} SETS[] = {
	{&pf_set_common, COMMON, PF_COUNT(COMMON)},
	{&pf_set_appointment, APPOINTMENT, PF_COUNT(APPOINTMENT)},
	{&pf_set_task, TASK, PF_COUNT(TASK)},
	{&pf_set_address, ADDRESS, PF_COUNT(ADDRESS)},
	{&pf_set_meeting, MEETING, PF_COUNT(MEETING)},
	{&pf_set_note, NOTE, PF_COUNT(NOTE)},
	{&pf_set_log, LOG, PF_COUNT(LOG)},
};

static int by_number(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static const char *find(uint32_t number, const struct name *names, size_t n)
{
	const struct name key = {.number = (uint16_t)number};
	const struct name *found =
		number <= UINT16_MAX ? bsearch(&key, names, n, sizeof(key), by_number) : NULL;

	return found ? found->name : NULL;
}

const char *pf_mapi_known_name(const struct pf_mapi_prop *p)
{
	if (!p->name) {
		return find(p->id, TAGS, PF_COUNT(TAGS));
	}
	for (size_t i = 0; i < PF_COUNT(SETS) && !p->name->text.p; i++) {
		if (pf_guid_eq(&p->name->set, SETS[i].set)) {
			return find(p->name->number, SETS[i].names, SETS[i].n);
		}
	}
	return NULL;
}
