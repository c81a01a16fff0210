"""Items of the stand-in for Exchange that are no mail: as the store holds them, by their properties, and as it tells them."""

import base64
import datetime
import struct
from xml.sax.saxutils import escape, quoteattr

from ews_peer import FLAGS, Failure, Item, t

APPOINTMENT, MEETING, COMMON, TASK, ADDRESS, STRINGS = "Appointment", "Meeting", "Common", "Task", "Address", "PublicStrings"
NOTE, LOG = "0006200e-0000-0000-c000-000000000046", "0006200a-0000-0000-c000-000000000046"
ELEMENT = {"IPM.Appointment": "CalendarItem", "IPM.Contact": "Contact", "IPM.DistList": "DistributionList", "IPM.Task": "Task"}
GOID = bytes.fromhex("040000008200E00074C5B7101A82E008")
BASE = datetime.datetime(1601, 1, 1)


def minutes(moment):
    return int((moment - BASE).total_seconds()) // 60


def utc(text):
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%S").strftime("%Y-%m-%dT%H:%M:%SZ")


def goid(uid):
    """A GlobalObjectId that has the UID in it."""
    data = b"vCal-Uid\x01\0\0\0" + uid.encode() + b"\0"
    return GOID + bytes(20) + struct.pack("<I", len(data)) + data


def zone(name="W. Europe Standard Time", bias=-60):
    """The definition of a time zone with the rules of central Europe: PidLidAppointmentTimeZoneDefinition..."""
    text = name.encode("utf-16-le")
    winter = struct.pack("<8H", 0, 10, 0, 5, 3, 0, 0, 0)
    summer = struct.pack("<8H", 0, 3, 0, 5, 2, 0, 0, 0)
    rule = struct.pack("<BBHHH14xiii", 2, 1, 0x3E, 2, 1601, bias, 0, -60) + winter + summer
    return struct.pack("<BBHHH", 2, 1, 6 + len(text), 2, len(text) // 2) + text + struct.pack("<H", 1) + rule


def weekly(first, days, count, begin, length, deleted=(), changed=()):
    """A weekly recurrence (PidLidAppointmentRecur). `days`: bits from Sunday on; `begin`, `length`: minutes; `deleted`: days;
    `changed`: (day, new begin, new end, new subject or None)."""
    midnight = [minutes(d) for d in sorted([*deleted, *(c[0] for c in changed)])]
    moved = sorted(minutes(c[1].replace(hour=0, minute=0)) for c in changed)
    last = first + datetime.timedelta(days=7 * count)
    week = first - datetime.timedelta(days=(first.weekday() + 1) % 7)
    out = struct.pack("<5H", 0x3004, 0x3004, 0x200B, 1, 0) + struct.pack("<3I", minutes(week) % (7 * 1440), 1, 0)
    out += struct.pack("<4I", days, 0x2022, count, 0)
    for many in (midnight, moved):
        out += struct.pack("<I", len(many)) + b"".join(struct.pack("<I", m) for m in many)
    out += struct.pack("<4I", minutes(first), minutes(last), 0x3006, 0x3009) + struct.pack("<2I", begin, begin + length)
    out += struct.pack("<H", len(changed))
    extended = b""
    for day, start, end, subject in changed:
        when = struct.pack("<3I", minutes(start), minutes(end), minutes(day) + begin)
        out += when + struct.pack("<H", 1 if subject else 0)
        if subject:
            raw = subject.encode("cp1252", "replace")
            out += struct.pack("<HH", len(raw) + 1, len(raw)) + raw
        extended += struct.pack("<II", 4, 0) + struct.pack("<I", 0)
        if subject:
            extended += when + struct.pack("<H", len(subject)) + subject.encode("utf-16-le") + struct.pack("<I", 0)
    return out + struct.pack("<I", 0) + extended + struct.pack("<I", 0)


class Attachment:
    """A file (bytes), or an item within."""

    def __init__(self, peer, name, content, kind="application/octet-stream", photo=False, inline=False):
        self.id, self.name, self.content, self.kind = peer.fresh(), name, content, kind
        self.photo, self.inline = photo, inline

    @property
    def element(self):
        return "FileAttachment" if isinstance(self.content, bytes) else "ItemAttachment"

    def xml(self, version, content=""):
        size = len(self.content) if isinstance(self.content, bytes) else self.content.size
        out = f'<t:AttachmentId Id="{self.id}"/><t:Name>{escape(self.name)}</t:Name><t:ContentType>{self.kind}</t:ContentType>'
        if version != "Exchange2007_SP1":
            out += f"<t:Size>{size}</t:Size><t:IsInline>{str(self.inline).lower()}</t:IsInline>"
            out += f"<t:IsContactPhoto>{str(self.photo).lower()}</t:IsContactPhoto>" if self.element == "FileAttachment" else ""
        return f"<t:{self.element}>{out}{content}</t:{self.element}>"


class Whole(Item):
    """An item of any class. `named`: (set or None, number or name) -> (type, value)."""

    def __init__(self, peer, item_class, subject=None, text=None, html=None, categories=(), **more):
        super().__init__(peer.fresh(), b"", None)
        self.item_class, self.subject, self.text, self.html = item_class, subject, text, html
        self.categories = list(categories)
        self.props = {FLAGS: 1}
        self.named = {}
        self.attachments, self.occurrences = [], []  # occurrences: (original begin, begin, end, Whole)
        self.people = {}  # element -> [(name, address, response)], for Mailbox elements of one the response is None
        self.members = None  # [(name, address)]
        self.uid = self.sort = None
        self.fails = {}  # "MimeContent", "Body" -> code
        self.size = 2000
        for name, value in more.items():
            setattr(self, name, value)
        self.tag(0x3007, "SystemTime", "2019-12-01T08:00:00Z").tag(0x3008, "SystemTime", "2020-01-02T09:00:00Z")

    def tag(self, number, kind, value):
        self.named[None, number] = (kind, value)
        return self

    def lid(self, where, number, kind, value):
        self.named[where, number] = (kind, value)
        return self

    @property
    def kind(self):
        return next((e for c, e in ELEMENT.items() if self.item_class == c or self.item_class.startswith(c + ".")), "Message")

    # ---- as it is told ----

    def xml(self, shape, version):
        fields = {f.get("FieldURI") for f in shape.iter(t("FieldURI"))}
        head = f'<t:ItemId Id="{self.id}" ChangeKey="CQ{self.changes}="/>'
        if shape.findtext(t("IncludeMimeContent")) == "true":
            if "MimeContent" in self.fails or not self.mime:
                raise Failure(self.fails.get("MimeContent", "ErrorUnsupportedMimeConversion"))
            head = f'<t:MimeContent CharacterSet="UTF-8">{base64.b64encode(self.mime).decode()}</t:MimeContent>' + head
        if "Body" in self.fails and "item:Body" in fields:
            raise Failure(self.fails["Body"])
        out = [head]
        for field, give in ITEM_FIELDS:
            out.append(give(self, version) if field in fields else "")
        out += [self.property_xml(p) for p in shape.iter(t("ExtendedFieldURI"))]
        for field, kind, give in FIELDS_OF_KINDS:
            out.append(give(self, version) if field in fields and kind == self.kind else "")
        return f"<t:{self.kind}>{''.join(out)}</t:{self.kind}>"

    def property_xml(self, path):
        where = path.get("DistinguishedPropertySetId") or path.get("PropertySetId")
        key = int(path.get("PropertyTag"), 16) if where is None else path.get("PropertyName") or int(path.get("PropertyId"))
        kind, value = self.named.get((where, key), self.text_property(where, key))
        if kind != path.get("PropertyType"):
            return ""  # a property of another type is another property
        attributes = "".join(f" {k}={quoteattr(told(k, v))}" for k, v in path.attrib.items())
        if kind.endswith("Array"):
            inside = "<t:Values>" + "".join(f"<t:Value>{value_xml(v)}</t:Value>" for v in value) + "</t:Values>"
        else:
            inside = f"<t:Value>{value_xml(value)}</t:Value>"
        return f"<t:ExtendedProperty><t:ExtendedFieldURI{attributes}/>{inside}</t:ExtendedProperty>"

    def text_property(self, where, key):
        if where is None and key == 0x1000 and self.text is not None:
            return "String", self.text
        if where is None and key == 0x1013 and self.html is not None:
            return "Binary", self.html.encode()
        return None, None


def told(name, value):
    """As servers write it."""
    return f"{int(value, 16):#x}" if name == "PropertyTag" else value


def value_xml(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


def body_xml(i, version):
    if i.html is not None:
        return f'<t:Body BodyType="HTML">{escape(i.html)}</t:Body>'
    return f'<t:Body BodyType="Text">{escape(i.text or "")}</t:Body>'


def mailbox_xml(name, address):
    return (f"<t:Mailbox><t:Name>{escape(name)}</t:Name><t:EmailAddress>{escape(address)}</t:EmailAddress>"
            "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox>")


def people_xml(name):
    def give(i, version):
        inside = ""
        for who, address, answer in i.people.get(name, []):
            box = mailbox_xml(who, address)
            inside += box if answer is None else f"<t:Attendee>{box}<t:ResponseType>{answer}</t:ResponseType></t:Attendee>"
        return f"<t:{name}>{inside}</t:{name}>" if inside else ""
    return give


def occurrences_xml(i, version):
    inside = "".join(f'<t:Occurrence><t:ItemId Id="{one.id}" ChangeKey="AQ=="/><t:Start>{begin}</t:Start><t:End>{end}</t:End>'
                     f"<t:OriginalStart>{was}</t:OriginalStart></t:Occurrence>" for was, begin, end, one in i.occurrences)
    return f"<t:ModifiedOccurrences>{inside}</t:ModifiedOccurrences>" if inside else ""


def members_xml(i, version):
    if i.members is None:
        return ""
    return "<t:Members>" + "".join(f'<t:Member Key="AAA">{mailbox_xml(*one)}<t:Status>Normal</t:Status></t:Member>'
                                   for one in i.members) + "</t:Members>"


def text_xml(name, of):
    return lambda i, version: f"<t:{name}>{escape(of(i))}</t:{name}>" if of(i) else ""


def attachments_xml(i, version):
    inside = "".join(a.xml(version) for a in i.attachments)
    return f"<t:Attachments>{inside}</t:Attachments>" if inside else ""


# in the order in which the schema has them
ITEM_FIELDS = [
    ("item:ItemClass", text_xml("ItemClass", lambda i: i.item_class)),
    ("item:Subject", text_xml("Subject", lambda i: i.subject)),
    ("item:Body", body_xml),
    ("item:Attachments", attachments_xml),
    ("item:DateTimeReceived", text_xml("DateTimeReceived", lambda i: i.received)),
    ("item:Size", text_xml("Size", lambda i: str(i.size))),
    ("item:Categories", lambda i, v: "<t:Categories>" + "".join(f"<t:String>{escape(c)}</t:String>" for c in i.categories)
     + "</t:Categories>" if i.categories else ""),
]
FIELDS_OF_KINDS = [
    ("calendar:UID", "CalendarItem", text_xml("UID", lambda i: i.uid)),
    ("calendar:CalendarItemType", "CalendarItem", text_xml("CalendarItemType", lambda i: i.sort)),
    ("calendar:Organizer", "CalendarItem", people_xml("Organizer")),
    ("calendar:RequiredAttendees", "CalendarItem", people_xml("RequiredAttendees")),
    ("calendar:OptionalAttendees", "CalendarItem", people_xml("OptionalAttendees")),
    ("calendar:Resources", "CalendarItem", people_xml("Resources")),
    ("calendar:ModifiedOccurrences", "CalendarItem", occurrences_xml),
    ("message:Sender", "Message", people_xml("Sender")),
    ("message:ToRecipients", "Message", people_xml("ToRecipients")),
    ("message:CcRecipients", "Message", people_xml("CcRecipients")),
    ("message:From", "Message", people_xml("From")),
    ("message:IsRead", "Message", text_xml("IsRead", lambda i: "true")),
    ("distributionlist:Members", "DistributionList", members_xml),
]


def put(peer, folder, item):
    """Into a folder, as if its owner had made it. Occurrences and what is attached can be asked for as well."""
    item.folder = folder
    peer.moment += 1
    item.made = item.changed = peer.moment
    folder.items[item.id] = item
    for _, _, _, one in item.occurrences:
        peer.others[one.id] = one
    for whole in [item, *(o[3] for o in item.occurrences)]:
        know(peer, whole)
    return item


def know(peer, whole):
    for a in whole.attachments:
        peer.attachments[a.id] = a
        if not isinstance(a.content, bytes):
            know(peer, a.content)


def single(peer, uid, begin, end, subject, **more):
    """An appointment; begin and end as 20240105T120000 (UTC)."""
    item = Whole(peer, "IPM.Appointment", subject, sort="Single", uid=uid, **more)
    item.lid(APPOINTMENT, 0x820D, "SystemTime", utc(begin)).lid(APPOINTMENT, 0x820E, "SystemTime", utc(end))
    item.lid(APPOINTMENT, 0x8205, "Integer", 2)
    if uid:
        item.lid(MEETING, 3, "Binary", goid(uid)).lid(MEETING, 0x23, "Binary", goid(uid))
    return item
