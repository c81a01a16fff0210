"""A strict Exchange Web Services server in memory, for mail; ews_items.py has the items of other kinds. What it takes a real server would; it notes every breach."""

import base64
import datetime
import re
import signal
import struct
import urllib.parse
from xml.sax.saxutils import escape, quoteattr

import ews_schema as schema
from ews_schema import M, T
from http_peer import Answer, Hang, HttpPeer  # noqa: F401 (tests take Hang from here)

LOGIN = "Basic " + base64.b64encode(b"user:pass").decode()
PATH = "/EWS/Exchange.asmx"
KNOWN = {"inbox": ("Posteingang", "IPF.Note"), "drafts": ("Entwürfe", "IPF.Note"), "sentitems": ("Gesendete Elemente", "IPF.Note"),
         "deleteditems": ("Gelöschte Elemente", "IPF.Note"), "outbox": ("Postausgang", "IPF.Note"),
         "junkemail": ("Junk-E-Mail", "IPF.Note"), "calendar": ("Kalender", "IPF.Appointment"),
         "contacts": ("Kontakte", "IPF.Contact"), "tasks": ("Aufgaben", "IPF.Task"), "notes": ("Notizen", "IPF.StickyNote"),
         "journal": ("Journal", "IPF.Journal")}
ELEMENT = {"IPF.Appointment": "CalendarFolder", "IPF.Contact": "ContactsFolder", "IPF.Task": "TasksFolder"}
FLAGS, RECEIVED, SENT = 0x0E07, 0x0E06, 0x0039
READ, UNSENT = 1, 8


class Failure(Exception):
    """Of one item: told in its response message."""

    def __init__(self, code, back_off=None):
        super().__init__(code)
        self.code, self.back_off = code, back_off


def t(name):
    return f"{{{T}}}{name}"


def m(name):
    return f"{{{M}}}{name}"


def back_off_xml(ms, prefix="t"):
    return (f'<{prefix}:MessageXml xmlns:m="{M}" xmlns:t="{T}"><t:Value Name="BackOffMilliseconds">{ms}</t:Value>'
            f"</{prefix}:MessageXml>") if ms else ""


def fault(code, text="no", back_off=None, status=500, version=(15, 1, 2176)):
    head = (f'<h:ServerVersionInfo MajorVersion="{version[0]}" MinorVersion="{version[1]}" MajorBuildNumber="{version[2]}" '
            f'xmlns:h="{T}"/>')
    return Answer(status, '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
                  f'<s:Header>{head}</s:Header><s:Body><s:Fault><faultcode xmlns:a="{T}">a:{code}</faultcode>'
                  f'<faultstring xml:lang="en-US">{escape(text)}</faultstring><detail><e:ResponseCode '
                  'xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">'
                  f'{code}</e:ResponseCode>{back_off_xml(back_off)}</detail></s:Fault></s:Body></s:Envelope>',
                  "text/xml; charset=utf-8")


class Folder:
    def __init__(self, ident, parent, name, kind):
        self.id, self.parent, self.name, self.kind = ident, parent, name, kind
        self.hidden = False
        self.items = {}  # id -> Item
        self.gone = {}  # id -> (made, removed)


class Item:
    """A message as the store holds it."""

    def __init__(self, ident, mime, folder):
        self.id, self.mime, self.folder = ident, mime, folder
        self.item_class = "IPM.Note"
        self.categories, self.props = [], {FLAGS: READ | UNSENT}
        self.changes = 0
        self.made = self.changed = self.marked = 0  # moments of its folder's history

    @property
    def read(self):
        return bool(self.props[FLAGS] & READ)

    @property
    def draft(self):
        return bool(self.props[FLAGS] & UNSENT)

    @property
    def flagged(self):
        return self.props.get(0x1090) == 2

    @property
    def received(self):
        return self.props.get(RECEIVED, "2026-01-01T00:00:00Z")

    @property
    def wants_receipt(self):
        return b"disposition-notification-to:" in self.mime.lower() and not self.props.get("no receipt")


class EwsPeer(HttpPeer):
    def __init__(self, tls=None, auth="basic"):
        super().__init__(("POST", "GET"), tls)
        self.auth, self.token = auth, "token"
        self.login = LOGIN
        self.newest, self.build = "Exchange2013_SP1", (15, 1, 2176)
        self.page = 512  # changes given at once, however many are asked for
        self.max_request = 0  # bytes
        self.zone = None  # that the owner chose
        self.merges = False  # UploadItems in an item's place leaves what the stream does not name
        self.folders, self.known, self.number, self.moment = {}, {}, 0, 0
        self.others, self.attachments = {}, {}  # occurrences and attachments, by id
        self.on_item = None  # function (operation, item or mime) that may raise Failure
        self.on_done = None  # the same, called when it was done
        self.after = []  # functions (request) called when all was done; they may raise Answer or Hang
        self.operations = []  # (name, number of items)
        self.owners = []  # who was impersonated
        self.root = self.add_folder(None, "Oberste Ebene", "IPF")
        self.known["msgfolderroot"] = self.root
        for key, (name, kind) in KNOWN.items():
            self.known[key] = self.add_folder(self.root, name, kind)

    def url(self, user="user"):
        return f"ews{'' if self.tls else '+http'}://{urllib.parse.quote(user, safe='')}@127.0.0.1:{self.port}/"

    # ---- what tests look at and set up ----

    def fresh(self):
        """Ids that differ in nothing but case."""
        self.number += 1
        return "AQMk" + "".join("aA"[int(b)] for b in f"{self.number:024b}") + "+/A="

    def add_folder(self, parent, name, kind="IPF.Note"):
        f = Folder(self.fresh(), parent, name, kind)
        self.folders[f.id] = f
        return f

    def folder(self, *path):
        """By its path; INBOX is the one that is known as such."""
        at = self.root
        for i, name in enumerate(path):
            if i == 0 and name == "INBOX":
                at = self.known["inbox"]
                continue
            at = next((f for f in self.folders.values() if f.parent is at and f.name == name), None)
            if at is None:
                return None
        return at

    def deliver(self, folder, mime, read=False, received="2020-02-03T04:05:06Z", categories=(), **props):
        item = self.add_item(folder, mime)
        item.props.update({FLAGS: READ if read else 0, RECEIVED: received})
        item.props.update({int(k[1:], 16): v for k, v in props.items()})
        item.categories = list(categories)
        return item

    def add_item(self, folder, mime):
        item = Item(self.fresh(), mime, folder)
        self.moment += 1
        item.made = item.changed = self.moment
        folder.items[item.id] = item
        return item

    def touch(self, item, only_read=False):
        self.moment += 1
        item.changes += 1
        item.marked = self.moment
        if not only_read:
            item.changed = self.moment

    def remove(self, item):
        self.moment += 1
        item.folder.items.pop(item.id)
        item.folder.gone[item.id] = (item.made, self.moment)

    def all(self):
        return [i for f in self.folders.values() for i in f.items.values()]

    def count(self, operation):
        return sum(1 for name, _ in self.operations if name == operation)

    def writes(self):
        """How often each request that changes something was made."""
        return [self.count(o) for o in ("CreateItem", "UpdateItem", "DeleteItem", "CreateFolder", "CreateAttachment")]

    def kill_at(self, at, begin):
        """Kill the process that `begin` starts at its at-th request that changes something, and answer that with nothing."""
        process, count = [], []

        def kill(r):
            name = r.headers.get("SOAPAction", "").rpartition("/")[2].strip('"')
            if name in ("CreateItem", "UpdateItem", "DeleteItem", "CreateAttachment", "CreateFolder") and process:
                count.append(1)
                if len(count) == at:
                    process[0].send_signal(signal.SIGKILL)
                    raise Hang
        self.after.append(kill)
        process.append(begin())
        process[0].communicate(timeout=60)
        assert process[0].returncode == -signal.SIGKILL and len(count) >= at
        self.after.remove(kill)

    # ---- signing in ----

    def check(self, r):
        super().check(r)
        given = r.headers.get("Authorization", "")
        if self.auth == "basic" and given != self.login:
            raise Answer(401, "who are you?", "text/plain", WWW_Authenticate='Basic realm="strict"')
        if self.auth == "bearer" and given != "Bearer " + self.token:
            raise Answer(401, "no such token", "text/plain", WWW_Authenticate="Bearer")
        if self.auth == "ntlm":
            self.check_ntlm(r, given)
        if r.path != PATH:
            raise Answer(404, "nothing is here", "text/plain")

    def check_ntlm(self, r, given):
        """The dance of MS-NLMP on one connection; the proof itself is not worked out."""
        kind, _, words = given.partition(" ")
        said = base64.b64decode(words) if kind == "NTLM" else b""
        if getattr(r.connection, "signed_in", False) and not said:
            return
        if said[:8] == b"NTLMSSP\0" and said[8] == 1:
            r.connection.challenged = True
            target = "D".encode("utf-16-le")
            info = struct.pack("<HH", 2, 2) + target + struct.pack("<HH", 0, 0)
            challenge = (b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(target), len(target), 56) + struct.pack("<I", 0x00828205 | 0x00800000)
                         + b"12345678" + b"\0" * 8 + struct.pack("<HHI", len(info), len(info), 56 + len(target)) + b"\x0a\0\0\0\0\0\0\x0f"
                         + target + info)
            raise Answer(401, "", "text/plain", WWW_Authenticate="NTLM " + base64.b64encode(challenge).decode())
        if said[:8] == b"NTLMSSP\0" and said[8] == 3 and getattr(r.connection, "challenged", False):
            length, _, at = struct.unpack("<HHI", said[36:44])
            proof = struct.unpack("<H", said[20:22])[0]
            user = said[at:at + length]
            if proof >= 24 and user in (b"user", "user".encode("utf-16-le")):
                r.connection.signed_in = True
                return
        raise Answer(401, "who are you?", "text/plain", WWW_Authenticate="NTLM")

    def fields(self, a):
        return {}

    # ---- the envelope ----

    def perform(self, r):
        if r.method != "POST" or not r.headers.get("Content-Type", "").startswith("text/xml"):
            self.breach("no POST of text/xml", r)
            raise Answer(400)
        if self.max_request and len(r.body) > self.max_request:
            raise Answer(413, "too large", "text/plain")
        try:
            envelope, operation, version = schema.read(r.body)
        except schema.Invalid as e:
            self.breach(f"schema: {e}", r)
            raise fault("ErrorSchemaValidation", str(e)) from e
        if schema.VERSIONS.index(version) > schema.VERSIONS.index(self.newest):
            raise fault("ErrorInvalidServerVersion", "too new", version=self.build)
        owner = envelope.find(f".//{t('ConnectingSID')}")
        self.owners.append(owner[0].text if owner is not None else None)
        name = operation.tag.rpartition("}")[2]
        action = r.headers.get("SOAPAction", "")
        if action.strip('"') != f"{M}/{name}":
            self.breach(f"SOAPAction {action} for {name}", r)
        messages = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())(r, operation, version)
        self.operations.append((name, len(messages)))
        for step in list(self.after):
            step(r)
        return Answer(200, '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
                      f'<s:Header><h:ServerVersionInfo MajorVersion="{self.build[0]}" MinorVersion="{self.build[1]}" '
                      f'MajorBuildNumber="{self.build[2]}" xmlns:h="{T}"/></s:Header><s:Body><m:{name}Response xmlns:m="{M}" xmlns:t="{T}"><m:ResponseMessages>'
                      + "".join(self.message(name, x) for x in messages)
                      + f"</m:ResponseMessages></m:{name}Response></s:Body></s:Envelope>", "text/xml; charset=utf-8")

    def message(self, name, x):
        if isinstance(x, Failure):
            more = back_off_xml(x.back_off, "m")
            return (f'<m:{name}ResponseMessage ResponseClass="Error"><m:MessageText>that is not so</m:MessageText>'
                    f"<m:ResponseCode>{x.code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{more}"
                    f"</m:{name}ResponseMessage>")
        return (f'<m:{name}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{x}'
                f"</m:{name}ResponseMessage>")

    def each(self, things, do):
        """One message for each, whatever becomes of the others."""
        out = []
        for thing in things:
            try:
                out.append(do(thing))
            except Failure as f:
                out.append(f)
        return out

    def folder_of(self, holder):
        ref = holder[0]
        found = (self.known if ref.tag == t("DistinguishedFolderId") else self.folders).get(ref.get("Id"))
        if found is None:
            raise Failure("ErrorFolderNotFound")
        return found

    def item_of_id(self, ident):
        for f in self.folders.values():
            if ident in f.items:
                return f.items[ident]
        raise Failure("ErrorItemNotFound")

    def item_of(self, ref):
        for f in self.folders.values():
            if ref.get("Id") in f.items:
                return f.items[ref.get("Id")]
        if ref.get("Id") in self.others:
            return self.others[ref.get("Id")]
        raise Failure("ErrorItemNotFound")

    # ---- folders ----

    def folder_xml(self, f):
        parent = f'<t:ParentFolderId Id="{f.parent.id}" ChangeKey="AQ=="/>' if f.parent else ""
        kind = ELEMENT.get(f.kind, "Folder")
        return (f'<t:{kind}><t:FolderId Id="{f.id}" ChangeKey="AQ=="/>{parent}<t:FolderClass>{f.kind}</t:FolderClass>'
                f"<t:DisplayName>{escape(f.name)}</t:DisplayName><t:TotalCount>{len(f.items)}</t:TotalCount>"
                '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x10f4" PropertyType="Boolean"/>'
                f"<t:Value>{str(f.hidden).lower()}</t:Value></t:ExtendedProperty></t:{kind}>")

    def get_folder(self, r, op, version):
        def one(ref):
            return f"<m:Folders>{self.folder_xml(self.folder_of([ref]))}</m:Folders>"
        return self.each(op.find(m("FolderIds")), one)

    def find_folder(self, r, op, version):
        if op.get("Traversal") != "Deep":
            raise fault("ErrorInvalidOperation")
        view = op.find(m("IndexedPageFolderView"))
        top = self.folder_of(op.find(m("ParentFolderIds")))
        below = [f for f in self.folders.values() if self.is_below(f, top)]
        begin = int(view.get("Offset"))
        end = begin + min(int(view.get("MaxEntriesReturned")), self.page)
        last = end >= len(below)
        return [f'<m:RootFolder IndexedPagingOffset="{min(end, len(below))}" TotalItemsInView="{len(below)}" '
                f'IncludesLastItemInRange="{str(last).lower()}"><t:Folders>'
                + "".join(self.folder_xml(f) for f in below[begin:end]) + "</t:Folders></m:RootFolder>"]

    def is_below(self, f, top):
        while f.parent is not None:
            f = f.parent
            if f is top:
                return True
        return False

    def get_user_configuration(self, r, op, version):
        """Of Outlook on the web; one who never was there has none."""
        if op[0].get("Name") != "OWA.UserOptions" or self.zone is None:
            return [Failure("ErrorItemNotFound")]
        entry = "".join(f"<t:{n}><t:Type>String</t:Type><t:Value>{v}</t:Value></t:{n}>"
                        for n, v in (("DictionaryKey", "timezone"), ("DictionaryValue", self.zone)))
        return [f"<m:UserConfiguration><t:Dictionary><t:DictionaryEntry>{entry}</t:DictionaryEntry></t:Dictionary></m:UserConfiguration>"]

    def create_folder(self, r, op, version):
        def one(wish):
            parent = self.folder_of(op.find(m("ParentFolderId")))
            name, kind = wish.findtext(t("DisplayName")) or "", wish.findtext(t("FolderClass")) or "IPF.Note"
            if not name.strip() or len(name) > 255:
                raise Failure("ErrorFolderSavePropertyError")
            if any(f.parent is parent and f.name.lower() == name.lower() for f in self.folders.values()):
                raise Failure("ErrorFolderExists")
            made = self.add_folder(parent, name, kind)
            return f'<m:Folders><t:Folder><t:FolderId Id="{made.id}" ChangeKey="AQ=="/></t:Folder></m:Folders>'
        return self.each(op.find(m("Folders")), one)

    # ---- listing ----

    def item_xml(self, item, shape, version):
        if hasattr(item, "xml"):
            return item.xml(shape, version)

        def has(field):
            return shape.find(f".//{t('FieldURI')}[@FieldURI='{field}']") is not None
        out = f'<t:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/>'
        if shape.findtext(t("IncludeMimeContent")) == "true":
            out = f'<t:MimeContent CharacterSet="UTF-8">{base64.b64encode(item.mime).decode()}</t:MimeContent>' + out
        out += f"<t:ItemClass>{item.item_class}</t:ItemClass>" if has("item:ItemClass") else ""
        out += f"<t:DateTimeReceived>{item.received}</t:DateTimeReceived>" if has("item:DateTimeReceived") else ""
        out += f"<t:Size>{len(item.mime) + 1000}</t:Size>" if has("item:Size") else ""
        if has("item:Categories") and item.categories:
            out += "<t:Categories>" + "".join(f"<t:String>{escape(c)}</t:String>" for c in item.categories) + "</t:Categories>"
        for wanted in shape.iter(t("ExtendedFieldURI")):
            tag = int(wanted.get("PropertyTag") or "0", 16)
            if tag in item.props:
                out += (f'<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="{tag:#x}" PropertyType='
                        f"{quoteattr(wanted.get('PropertyType'))}/><t:Value>{item.props[tag]}</t:Value></t:ExtendedProperty>")
        out += f"<t:IsRead>{str(item.read).lower()}</t:IsRead>" if has("message:IsRead") else ""
        return f"<t:Message>{out}</t:Message>"

    def sync_folder_items(self, r, op, version):
        try:
            return [self.sync(op, version)]
        except Failure as f:
            return [f]

    def sync(self, op, version):
        folder = self.folder_of(op.find(m("SyncFolderId")))
        most = int(op.findtext(m("MaxChangesReturned")))
        if not 1 <= most <= 512:
            raise Failure("ErrorInvalidRequest")
        since = self.since(folder, op.findtext(m("SyncState")))
        found = sorted([(max(i.changed, i.marked), i) for i in folder.items.values() if max(i.changed, i.marked) > since]
                       + [(removed, i) for i, (made, removed) in folder.gone.items() if removed > since >= made],
                       key=lambda x: x[0])
        page = found[:min(most, self.page)]
        state = self.state(folder, page[-1][0] if page else since)
        inside = "".join(self.change_xml(x, since, op.find(m("ItemShape")), version) for _, x in page)
        return (f"<m:SyncState>{state}</m:SyncState><m:IncludesLastItemInRange>{str(len(page) == len(found)).lower()}"
                f"</m:IncludesLastItemInRange><m:Changes>{inside}</m:Changes>")

    def state(self, folder, moment):
        return base64.b64encode(f"{folder.id} {moment}".encode()).decode()

    def since(self, folder, state):
        if state is None:
            return 0
        try:
            ident, moment = base64.b64decode(state, validate=True).decode().split(" ")
        except ValueError as e:
            raise Failure("ErrorInvalidSyncStateData") from e
        if ident != folder.id or int(moment) > self.moment:
            raise Failure("ErrorInvalidSyncStateData")
        return int(moment)

    def change_xml(self, x, since, shape, version):
        if isinstance(x, str):
            return f'<t:Delete><t:ItemId Id="{x}" ChangeKey="AQ=="/></t:Delete>'
        if x.made <= since and x.changed <= since:
            return (f'<t:ReadFlagChange><t:ItemId Id="{x.id}" ChangeKey="AQ=="/><t:IsRead>{str(x.read).lower()}</t:IsRead>'
                    "</t:ReadFlagChange>")
        kind = "Create" if x.made > since else "Update"
        return f"<t:{kind}>{self.item_xml(x, shape, version)}</t:{kind}>"

    # ---- items ----

    def look_at(self, operation, thing):
        if self.on_item:
            self.on_item(operation, thing)

    def done(self, operation, thing):
        if self.on_done:
            self.on_done(operation, thing)

    def get_item(self, r, op, version):
        shape = op.find(m("ItemShape"))

        def one(ref):
            item = self.item_of(ref)
            if shape.findtext(t("IncludeMimeContent")) == "true" or shape.find(f".//{t('FieldURI')}[@FieldURI='item:Subject']") is not None:
                self.look_at("GetItem", item)
            return f"<m:Items>{self.item_xml(item, shape, version)}</m:Items>"
        return self.each(op.find(m("ItemIds")), one)

    def get_attachment(self, r, op, version):
        shape = op.find(m("AttachmentShape"))

        def one(ref):
            found = self.attachments.get(ref.get("Id"))
            if found is None:
                raise Failure("ErrorItemNotFound")
            self.look_at("GetAttachment", found)
            if isinstance(found.content, bytes):
                inside = f"<t:Content>{base64.b64encode(found.content).decode()}</t:Content>"
            else:
                inside = found.content.xml(shape, version)
            return f"<m:Attachments>{found.xml(version, inside)}</m:Attachments>"
        return self.each(op.find(m("AttachmentIds")), one)

    # ---- searching ----

    def find_item(self, r, op, version):
        if op.get("Traversal") != "Shallow":
            raise fault("ErrorInvalidOperation")
        view, shape = op.find(m("IndexedPageItemView")), op.find(m("ItemShape"))
        begin, most = int(view.get("Offset")), min(int(view.get("MaxEntriesReturned")), 1000)

        def one(ref):
            folder, test = self.folder_of([ref]), op.find(m("Restriction"))
            items = [i for i in folder.items.values() if test is None or self.matches(test[0], i)]
            self.look_at("FindItem", folder)
            last = begin + most >= len(items)
            return (f'<m:RootFolder IndexedPagingOffset="{min(begin + most, len(items))}" TotalItemsInView="{len(items)}" '
                    f'IncludesLastItemInRange="{str(last).lower()}"><t:Items>'
                    + "".join(self.item_xml(i, shape, version) for i in items[begin:begin + most]) + "</t:Items></m:RootFolder>")
        return self.each(op.find(m("ParentFolderIds")), one)

    def matches(self, test, item):
        """Restrictions on the class of an item."""
        name = test.tag.rpartition("}")[2]
        if name in ("And", "Or", "Not"):
            found = [self.matches(c, item) for c in test]
            return not found[0] if name == "Not" else all(found) if name == "And" else any(found)
        if test.find(t("FieldURI")).get("FieldURI") != "item:ItemClass":
            raise Failure("ErrorUnsupportedPathForQuery")
        value = test.find(f".//{t('Constant')}").get("Value").lower()
        return item.item_class.lower() == value if name == "IsEqualTo" else item.item_class.lower().startswith(value)

    def trap(self, r, op, attribute, wanted, must=True):
        """Whatever would make the server write to anybody."""
        given = op.get(attribute)
        if (given or must) and given != wanted:
            self.breach(f"{attribute} is {given}", r)
            self.sent.append(given)
            raise fault("ErrorInvalidRequest", f"{attribute} is {given}")

    def create_item(self, r, op, version):
        self.trap(r, op, "MessageDisposition", "SaveOnly")
        self.trap(r, op, "SendMeetingInvitations", "SendToNone", must=False)
        holder = op.find(m("SavedItemFolderId"))

        def one(message):
            folder = self.folder_of(holder)
            if message.find(t("MimeContent")) is None:
                return self.create_other(folder, op, message, version)
            try:
                mime = base64.b64decode(message.findtext(t("MimeContent")) or "", validate=True)
            except ValueError as e:
                raise Failure("ErrorMimeContentInvalidBase64String") from e
            if not mime:
                raise Failure("ErrorMimeContentInvalid")
            self.look_at("CreateItem", mime)
            item = self.add_item(folder, mime)
            self.set_all(item, message)
            self.done("CreateItem", item)
            return (f'<m:Items><t:Message><t:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/></t:Message></m:Items>')
        return self.each(op.find(m("Items")), one)

    def create_other(self, folder, op, element, version):
        import ews_made
        kind = element.tag.rpartition("}")[2]
        if kind == "CalendarItem" and op.get("SendMeetingInvitations") is None:
            raise Failure("ErrorSendMeetingInvitationsRequired")
        self.look_at("CreateItem", element)
        item = ews_made.create(self, folder, element, version)
        self.done("CreateItem", item)
        return f'<m:Items><t:{kind}><t:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/></t:{kind}></m:Items>'

    def create_attachment(self, r, op, version):
        import ews_made
        item = op.find(m("ParentItemId"))

        def one(element):
            self.look_at("CreateAttachment", element)
            a, root = ews_made.attach(self, self.item_of(item), element)
            self.done("CreateAttachment", root)
            return (f'<m:Attachments><t:FileAttachment><t:AttachmentId Id="{a.id}" RootItemId="{root.id}" '
                    f'RootItemChangeKey="CQ{root.changes}="/></t:FileAttachment></m:Attachments>')
        return self.each(op.find(m("Attachments")), one)

    def set_all(self, item, message):
        for c in message:
            if c.tag == t("Categories"):
                item.categories = [s.text for s in c]
            elif c.tag == t("ExtendedProperty"):
                tag = int(c[0].get("PropertyTag"), 16)
                item.props[tag] = self.value(c[0].get("PropertyType"), c.findtext(t("Value")))
            elif c.tag == t("IsRead"):
                item.props[FLAGS] = item.props[FLAGS] & ~READ | (READ if c.text == "true" else 0)
            elif c.tag == t("IsReadReceiptRequested"):
                item.props["no receipt"] = c.text == "false"

    def value(self, kind, text):
        if kind == "Integer":
            return int(text)
        if kind == "SystemTime":
            return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").strftime("%Y-%m-%dT%H:%M:%SZ")
        raise Failure("ErrorInvalidExtendedPropertyValue")

    def update_item(self, r, op, version):
        self.trap(r, op, "MessageDisposition", "SaveOnly")
        self.trap(r, op, "SendMeetingInvitationsOrCancellations", "SendToNone", must=False)
        quiet = op.get("SuppressReadReceipts") == "true"

        def one(change):
            ref = change[0]
            if ref.tag == t("OccurrenceItemId"):
                return self.update_occurrence(ref, change.find(t("Updates")))
            item = self.item_of(ref)
            if op.get("ConflictResolution") != "AlwaysOverwrite" and ref.get("ChangeKey") != f"CQ{item.changes}=":
                raise Failure("ErrorIrresolvableConflict")
            self.look_at("UpdateItem", item)
            if hasattr(item, "xml"):
                return self.update_other(item, change.find(t("Updates")), version)
            was_read, before = item.read, (dict(item.props), list(item.categories))
            self.apply(item, change.find(t("Updates")))
            if item.read and not was_read and item.wants_receipt and not quiet:
                self.sent.append(item.id)
            only_read = {k: v for k, v in before[0].items() if k != FLAGS} == {
                k: v for k, v in item.props.items() if k != FLAGS} and before[1] == item.categories
            self.touch(item, only_read)
            return f'<m:Items><t:Message><t:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/></t:Message></m:Items>'
        return self.each(op.find(m("ItemChanges")), one)

    def update_occurrence(self, ref, updates):
        import ews_made
        self.look_at("UpdateItem", ref)
        one = ews_made.change_occurrence(self, ref, updates)
        return f'<m:Items><t:CalendarItem><t:ItemId Id="{one.id}" ChangeKey="CQ{one.changes}="/></t:CalendarItem></m:Items>'

    def update_other(self, item, updates, version):
        import ews_update
        ews_update.update(item, updates, version)
        self.touch(item)
        self.done("UpdateItem", item)
        return f'<m:Items><t:{item.kind}><t:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/></t:{item.kind}></m:Items>'

    def apply(self, item, updates):
        for u in updates:
            field, tag = u[0].get("FieldURI"), u[0].get("PropertyTag")
            if u.tag == t("DeleteItemField"):
                if tag:
                    item.props.pop(int(tag, 16), None)
                elif field == "item:Categories":
                    item.categories = []
                else:
                    raise Failure("ErrorInvalidPropertyDelete")
                continue
            if len(u[1]) != 1:  # one property each, the one that is named
                raise Failure("ErrorIncorrectUpdatePropertyCount")
            if tag and int(u[1][0][0].get("PropertyTag"), 16) != int(tag, 16):
                raise Failure("ErrorUpdatePropertyMismatch")
            if field and u[1][0].tag != t(field.partition(":")[2]):
                raise Failure("ErrorUpdatePropertyMismatch")
            if tag and int(tag, 16) == FLAGS:
                raise Failure("ErrorInvalidPropertySet")
            self.set_all(item, u[1])

    def base64(self, plain):
        return base64.b64encode(plain).decode()

    def from_base64(self, text):
        try:
            return base64.b64decode(text, validate=True)
        except ValueError as e:
            raise Failure("ErrorCorruptData") from e

    def export_items(self, r, op, version):
        import ews_transfer
        return ews_transfer.export_items(self, r, op, version)

    def upload_items(self, r, op, version):
        import ews_transfer
        return ews_transfer.upload_items(self, r, op, version)

    def delete_item(self, r, op, version):
        self.trap(r, op, "SendMeetingCancellations", "SendToNone", must=False)
        quiet = op.get("SuppressReadReceipts") == "true"

        def one(ref):
            if ref.tag == t("OccurrenceItemId"):
                import ews_made
                self.look_at("DeleteItem", ref)
                ews_made.delete_occurrence(self, ref)
                return ""
            item = self.item_of(ref)
            self.look_at("DeleteItem", item)
            if item.wants_receipt and not item.read and not quiet:
                self.sent.append(item.id)
            self.remove(item)
            return ""
        return self.each(op.find(m("ItemIds")), one)
