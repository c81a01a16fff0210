"""The part of the schema of Exchange Web Services that a migration needs, as data: which children an element may have, in
which order, and which attributes. Written from the order tables of MS-OXWSCORE, -MSG, -FOLD, -SYNC, -BTRF and -CDATA."""

import re
import xml.etree.ElementTree as ET

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
T = "http://schemas.microsoft.com/exchange/services/2006/types"
M = "http://schemas.microsoft.com/exchange/services/2006/messages"
PREFIX = {SOAP: "s", T: "t", M: "m"}

VERSIONS = ["Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013",
            "Exchange2013_SP1"]

PATH = "(t:FieldURI|t:IndexedFieldURI|t:ExtendedFieldURI)"
TEST = "(t:And|t:Or|t:Not|t:Contains|t:IsEqualTo)"
ITEM = """t:MimeContent? t:ItemClass? t:Subject? t:Sensitivity? t:Body? t:Attachments? t:Categories? t:Importance?
 t:ReminderDueBy? t:ReminderIsSet? t:ReminderMinutesBeforeStart? t:ExtendedProperty* t:Culture?"""
MESSAGE = ITEM + """ t:Sender? t:ToRecipients?
 t:CcRecipients? t:BccRecipients? t:IsReadReceiptRequested? t:IsDeliveryReceiptRequested? t:From? t:InternetMessageId?
 t:IsRead? t:IsResponseRequested? t:References? t:ReplyTo?"""

CALENDAR_ITEM = ITEM + """ t:UID? t:RecurrenceId? t:DateTimeStamp? t:Start? t:End? t:OriginalStart? t:IsAllDayEvent?
 t:LegacyFreeBusyStatus? t:Location? t:IsResponseRequested? t:RequiredAttendees? t:OptionalAttendees? t:Resources? t:Recurrence?
 t:MeetingTimeZone? t:StartTimeZone? t:EndTimeZone?"""
CONTACT = ITEM + """ t:FileAs? t:FileAsMapping? t:DisplayName? t:GivenName? t:Initials? t:MiddleName? t:Nickname? t:CompanyName?
 t:EmailAddresses? t:PhysicalAddresses? t:PhoneNumbers? t:AssistantName? t:Birthday? t:BusinessHomePage? t:Children? t:Companies?
 t:ContactSource? t:Department? t:Generation? t:ImAddresses? t:JobTitle? t:Manager? t:Mileage? t:OfficeLocation?
 t:PostalAddressIndex? t:Profession? t:SpouseName? t:Surname? t:WeddingAnniversary?"""
TASK = ITEM + """ t:ActualWork? t:AssignedTime? t:BillingInformation? t:ChangeCount? t:Companies? t:CompleteDate? t:Contacts?
 t:DelegationState? t:Delegator? t:DueDate? t:IsAssignmentEditable? t:IsComplete? t:IsRecurring? t:IsTeamTask? t:Mileage? t:Owner?
 t:PercentComplete? t:Recurrence? t:StartDate? t:Status? t:StatusDescription? t:TotalWork?"""
KINDS = "(t:Item|t:Message|t:CalendarItem|t:Contact|t:DistributionList|t:Task)"
IDS = "(t:ItemId|t:OccurrenceItemId)"
ZONE = "t:Periods? t:TransitionsGroups? t:Transitions?"

# element -> its children: "name", "name?", "name*", "name+", or a choice of names in brackets
CHILDREN = {
    "s:Envelope": "s:Header s:Body",
    "s:Header": "t:RequestServerVersion t:ExchangeImpersonation? t:TimeZoneContext?",
    "s:Body": "(m:GetUserConfiguration|m:GetFolder|m:FindFolder|m:CreateFolder|m:SyncFolderItems|m:FindItem|m:GetItem|m:GetAttachment|m:CreateItem|m:CreateAttachment|m:UpdateItem|m:DeleteItem|m:ExportItems|m:UploadItems)",
    "t:ExchangeImpersonation": "t:ConnectingSID",
    "t:ConnectingSID": "(t:PrincipalName|t:SID|t:PrimarySmtpAddress|t:SmtpAddress)",
    "t:TimeZoneContext": "t:TimeZoneDefinition",
    "m:GetUserConfiguration": "m:UserConfigurationName m:UserConfigurationProperties",
    "m:UserConfigurationName": "(t:FolderId|t:DistinguishedFolderId)",
    "m:GetFolder": "m:FolderShape m:FolderIds",
    "m:FolderShape": "t:BaseShape t:AdditionalProperties?",
    "m:ItemShape": "t:BaseShape t:IncludeMimeContent? t:BodyType? t:AdditionalProperties?",
    "t:AdditionalProperties": PATH + "+",
    "m:FolderIds": "(t:FolderId|t:DistinguishedFolderId)+",
    "m:FindFolder": "m:FolderShape m:IndexedPageFolderView? m:ParentFolderIds",
    "m:ParentFolderIds": "(t:FolderId|t:DistinguishedFolderId)+",
    "m:CreateFolder": "m:ParentFolderId m:Folders",
    "m:ParentFolderId": "(t:FolderId|t:DistinguishedFolderId)",
    "m:Folders": "(t:Folder|t:CalendarFolder|t:ContactsFolder|t:TasksFolder)+",
    "t:Folder": "t:FolderClass? t:DisplayName?",
    "m:SyncFolderItems": "m:ItemShape m:SyncFolderId m:SyncState? m:MaxChangesReturned m:SyncScope?",
    "m:SyncFolderId": "(t:FolderId|t:DistinguishedFolderId)",
    "m:GetItem": "m:ItemShape m:ItemIds",
    "m:ItemIds": IDS + "+",
    "m:GetAttachment": "m:AttachmentShape? m:AttachmentIds",
    "m:AttachmentShape": "t:IncludeMimeContent? t:BodyType? t:AdditionalProperties?",
    "m:AttachmentIds": "t:AttachmentId+",
    "m:FindItem": "m:ItemShape m:IndexedPageItemView? m:Restriction? m:ParentFolderIds",
    "m:Restriction": TEST,
    "t:Or": TEST + "+",
    "t:And": TEST + "+",
    "t:Not": TEST,
    "t:Contains": PATH + " t:Constant",
    "t:IsEqualTo": PATH + " t:FieldURIOrConstant",
    "t:FieldURIOrConstant": "(t:FieldURI|t:IndexedFieldURI|t:ExtendedFieldURI|t:Constant)",
    "m:CreateItem": "m:SavedItemFolderId? m:Items",
    "m:SavedItemFolderId": "(t:FolderId|t:DistinguishedFolderId)",
    "m:Items": KINDS + "+",
    "t:CalendarItem": CALENDAR_ITEM, "t:Contact": CONTACT, "t:Task": TASK, "t:Item": ITEM,
    "t:DistributionList": ITEM + " t:DisplayName? t:FileAs? t:ContactSource? t:Members?",
    "t:CalendarFolder": "t:FolderClass? t:DisplayName?", "t:ContactsFolder": "t:FolderClass? t:DisplayName?",
    "t:TasksFolder": "t:FolderClass? t:DisplayName?",
    "t:RequiredAttendees": "t:Attendee+", "t:OptionalAttendees": "t:Attendee+", "t:Resources": "t:Attendee+",
    "t:Attendee": "t:Mailbox t:ResponseType? t:LastResponseTime?",
    "t:Mailbox": "t:Name? t:EmailAddress? t:RoutingType? t:MailboxType? t:ItemId?",
    "t:EmailAddresses": "t:Entry+", "t:Members": "t:Member*", "t:Member": "t:Mailbox? t:Status?",
    "t:Recurrence": "(t:RelativeYearlyRecurrence|t:AbsoluteYearlyRecurrence|t:RelativeMonthlyRecurrence|t:AbsoluteMonthlyRecurrence|"
                    "t:WeeklyRecurrence|t:DailyRecurrence) (t:NoEndRecurrence|t:EndDateRecurrence|t:NumberedRecurrence)",
    "t:RelativeYearlyRecurrence": "t:DaysOfWeek t:DayOfWeekIndex t:Month", "t:AbsoluteYearlyRecurrence": "t:DayOfMonth t:Month",
    "t:RelativeMonthlyRecurrence": "t:Interval t:DaysOfWeek t:DayOfWeekIndex",
    "t:AbsoluteMonthlyRecurrence": "t:Interval t:DayOfMonth", "t:WeeklyRecurrence": "t:Interval t:DaysOfWeek t:FirstDayOfWeek?",
    "t:DailyRecurrence": "t:Interval", "t:NoEndRecurrence": "t:StartDate", "t:EndDateRecurrence": "t:StartDate t:EndDate",
    "t:NumberedRecurrence": "t:StartDate t:NumberOfOccurrences",
    "t:StartTimeZone": ZONE, "t:EndTimeZone": ZONE, "t:MeetingTimeZone": "t:BaseOffset? t:Standard? t:Daylight?",
    "t:Standard": "t:Offset (t:RelativeYearlyRecurrence|t:AbsoluteDate) t:Time",
    "t:Daylight": "t:Offset (t:RelativeYearlyRecurrence|t:AbsoluteDate) t:Time",
    "t:Periods": "t:Period*", "t:TransitionsGroups": "t:TransitionsGroup*", "t:Transitions": "(t:Transition|t:AbsoluteDateTransition)*",
    "t:TransitionsGroup": "(t:Transition|t:AbsoluteDateTransition|t:RecurringDayTransition|t:RecurringDateTransition)*",
    "t:Transition": "t:To", "t:RecurringDayTransition": "t:To t:TimeOffset t:Month t:DayOfWeek t:Occurrence",
    "m:CreateAttachment": "m:ParentItemId m:Attachments", "m:ParentItemId": "", "m:Attachments": "t:FileAttachment+",
    "t:FileAttachment": """t:AttachmentId? t:Name? t:ContentType? t:ContentId? t:ContentLocation? t:Size? t:LastModifiedTime?
 t:IsInline? t:IsContactPhoto? t:Content?""",
    "t:Values": "t:Value*",
    "t:Message": MESSAGE,
    "t:Categories": "t:String*",
    "t:ExtendedProperty": "t:ExtendedFieldURI (t:Value|t:Values)",
    "m:UpdateItem": "m:SavedItemFolderId? m:ItemChanges",
    "m:ItemChanges": "t:ItemChange+",
    "t:ItemChange": IDS + " t:Updates",
    "t:Updates": "(t:SetItemField|t:DeleteItemField)+",
    "t:SetItemField": PATH + " " + KINDS,
    "t:DeleteItemField": PATH,
    "m:DeleteItem": "m:ItemIds",
    "m:ExportItems": "m:ItemIds",
    "m:UploadItems": "m:Items",
    "m:UploadItems/m:Items": "t:Item+",
    "m:UploadItems/t:Item": "t:ParentFolderId t:ItemId? t:Data",
}
# element -> attributes; those with a "!" must be there
ATTRIBUTES = {
    "t:RequestServerVersion": "Version!", "t:TimeZoneDefinition": "Id!", "t:FieldURI": "FieldURI!",
    "t:IndexedFieldURI": "FieldURI! FieldIndex!",
    "t:ExtendedFieldURI": "PropertyTag PropertySetId DistinguishedPropertySetId PropertyId PropertyName PropertyType!",
    "t:FolderId": "Id! ChangeKey", "t:DistinguishedFolderId": "Id! ChangeKey", "t:ItemId": "Id! ChangeKey",
    "m:FindFolder": "Traversal!", "m:IndexedPageFolderView": "MaxEntriesReturned Offset! BasePoint!",
    "m:CreateItem": "MessageDisposition SendMeetingInvitations",
    "m:UpdateItem": "ConflictResolution! MessageDisposition SendMeetingInvitationsOrCancellations SuppressReadReceipts",
    "m:UploadItems/t:Item": "CreateAction! IsAssociated", "t:ParentFolderId": "Id! ChangeKey",
    "m:DeleteItem": "DeleteType! SendMeetingCancellations AffectedTaskOccurrences SuppressReadReceipts",
    "m:UserConfigurationName": "Name!", "t:Body": "BodyType!", "t:Entry": "Key!", "t:OccurrenceItemId": "RecurringMasterId! ChangeKey InstanceIndex!",
    "m:ParentItemId": "Id! ChangeKey", "t:StartTimeZone": "Id! Name", "t:EndTimeZone": "Id! Name", "t:MeetingTimeZone": "TimeZoneName",
    "t:Period": "Bias! Name! Id!", "t:TransitionsGroup": "Id!", "t:To": "Kind!",
    "t:MimeContent": "CharacterSet", "t:AttachmentId": "Id!", "m:FindItem": "Traversal!",
    "m:IndexedPageItemView": "MaxEntriesReturned Offset! BasePoint!", "t:Constant": "Value!",
    "t:Contains": "ContainmentMode ContainmentComparison",
}
# what older servers do not know
SINCE = {"t:TimeZoneContext": "Exchange2010", "t:SmtpAddress": "Exchange2010", "@SuppressReadReceipts": "Exchange2013",
         "m:GetUserConfiguration": "Exchange2010", "t:StartTimeZone": "Exchange2010", "t:EndTimeZone": "Exchange2010", "t:IsContactPhoto": "Exchange2010",
         "t:Members": "Exchange2010", "t:FirstDayOfWeek": "Exchange2010_SP1", "m:SyncScope": "Exchange2010", "distributionlist:Members": "Exchange2010",
         "m:ExportItems": "Exchange2010_SP1", "m:UploadItems": "Exchange2010_SP1"}
FIELDS = {"item:Sensitivity", "item:Importance", "item:ReminderDueBy", "item:ReminderIsSet", "item:ReminderMinutesBeforeStart",
          "calendar:Start", "calendar:End", "calendar:IsAllDayEvent", "calendar:LegacyFreeBusyStatus", "calendar:Location",
          "calendar:Recurrence", "calendar:StartTimeZone", "calendar:EndTimeZone", "contacts:FileAs", "contacts:DisplayName",
          "contacts:GivenName", "contacts:MiddleName", "contacts:Nickname", "contacts:CompanyName", "contacts:Department",
          "contacts:Generation", "contacts:JobTitle", "contacts:Surname",
          "item:Subject", "item:Body", "item:Attachments", "message:From", "message:Sender", "message:ToRecipients",
          "message:CcRecipients", "message:BccRecipients", "calendar:UID", "calendar:CalendarItemType", "calendar:Organizer",
          "calendar:RequiredAttendees", "calendar:OptionalAttendees", "calendar:Resources", "calendar:ModifiedOccurrences",
          "distributionlist:Members", "task:CompleteDate", "task:DueDate", "task:PercentComplete", "task:StartDate", "task:Status",
          "folder:DisplayName", "folder:FolderClass", "folder:ParentFolderId", "folder:TotalCount", "item:ItemClass",
          "item:DateTimeReceived", "item:Size", "item:Categories", "item:LastModifiedTime", "message:IsRead",
          "message:IsReadReceiptRequested"}


SETS = {"Meeting", "Appointment", "Common", "PublicStrings", "Address", "InternetHeaders", "CalendarAssistant",
        "UnifiedMessaging", "Task", "Sharing"}
TYPES = {k + many for k in ("ApplicationTime", "Binary", "CLSID", "Currency", "Double", "Float", "Integer", "Long", "Object",
                            "Short", "String", "SystemTime") for many in ("", "Array")} | {"Boolean", "Error", "Null"}


class Invalid(Exception):
    pass


def name_of(element):
    space, _, local = element.tag[1:].partition("}")
    if space not in PREFIX:
        raise Invalid(f"the namespace of {element.tag}")
    return f"{PREFIX[space]}:{local}"


def pattern(spec):
    """A regular expression over the names of the children, a blank behind each."""
    return re.compile("".join(f"(?:(?:{w.rstrip('?*+').strip('()')}) ){w[len(w.rstrip('?*+')):]}" for w in spec.split()))


PATTERNS = {name: pattern(spec) for name, spec in CHILDREN.items()}


def check_since(name, version):
    if name in SINCE and VERSIONS.index(version) < VERSIONS.index(SINCE[name]):
        raise Invalid(f"{name} is not known to {version}")


def check_attributes(name, element, version):
    allowed = ATTRIBUTES.get(name, "").split()
    for attribute in element.attrib:
        if attribute not in [a.rstrip("!") for a in allowed]:
            raise Invalid(f"{name} has no attribute {attribute}")
        check_since("@" + attribute, version)
    for attribute in allowed:
        if attribute.endswith("!") and attribute[:-1] not in element.attrib:
            raise Invalid(f"{name} needs {attribute[:-1]}")


def check_property(element):
    tag, given = element.get("PropertyTag"), set(element.attrib) - {"PropertyType"}
    if element.get("PropertyType") not in TYPES:
        raise Invalid(f"property type {element.get('PropertyType')}")
    if not tag:
        check_named(element, given)
    elif given != {"PropertyTag"} or not re.fullmatch(r"0x[0-9A-Fa-f]{1,4}", tag) or int(tag, 16) >= 0x8000:
        raise Invalid(f"property tag {tag}")


def check_named(element, given):
    """A set, by its name or its GUID, and a number or a name in it."""
    if len(given) != 2 or len(given & {"DistinguishedPropertySetId", "PropertySetId"}) != 1:
        raise Invalid(f"property of {sorted(given)}")
    if element.get("DistinguishedPropertySetId") not in [None, *SETS]:
        raise Invalid(f"property set {element.get('DistinguishedPropertySetId')}")
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", element.get("PropertySetId") or "0" * 8 + "-0000" * 3 + "-" + "0" * 12):
        raise Invalid(f"property set {element.get('PropertySetId')}")
    if "PropertyId" in given and not (element.get("PropertyId").isdigit() and int(element.get("PropertyId")) > 0):
        raise Invalid(f"property number {element.get('PropertyId')}")


def check(element, version, within=""):
    """`within`: an operation whose elements are others than those of the same name elsewhere."""
    name = name_of(element)
    name = f"{within}/{name}" if f"{within}/{name}" in PATTERNS else name
    check_since(name, version)
    check_attributes(name, element, version)
    if name == "t:FieldURI":
        if element.get("FieldURI") not in FIELDS:
            raise Invalid(f"field {element.get('FieldURI')}")
        check_since(element.get("FieldURI"), version)
    if name == "t:BodyType" and element.text not in ("Best", "HTML", "Text"):
        raise Invalid(f"body type {element.text}")
    if name == "t:ExtendedFieldURI":
        check_property(element)
    children = "".join(name_of(c) + " " for c in element)
    if name in PATTERNS:
        if not PATTERNS[name].fullmatch(children):
            raise Invalid(f"{name} may not hold {children}")
        if (element.text or "").strip():
            raise Invalid(f"text in {name}")
    elif children:
        raise Invalid(f"{name} holds {children}")
    for child in element:
        check(child, version, name if name == "m:UploadItems" else within)


def read(body):
    """The envelope, and the operation in it. Raises Invalid."""
    try:
        envelope = ET.fromstring(body)
    except ET.ParseError as e:
        raise Invalid(f"not well-formed: {e}") from e
    stated = envelope.find(f"{{{SOAP}}}Header/{{{T}}}RequestServerVersion")
    version = stated.get("Version") if stated is not None else None
    if version not in VERSIONS:
        raise Invalid(f"version {version}")
    check(envelope, version)
    return envelope, envelope.find(f"{{{SOAP}}}Body")[0], version
