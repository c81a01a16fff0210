"""A strict CalDAV and CardDAV server that plays what real ones seldom do. It notes every breach of the rules."""

import base64
import hashlib
import re
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from calendar_items import unfold
from http_peer import Answer, Hang, HttpPeer  # noqa: F401 (tests take Hang from here)

DAV, CAL, CARD = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{urn:ietf:params:xml:ns:carddav}"
ROOT = ('xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:R="urn:ietf:params:xml:ns:carddav"'
        ' xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"')
XML = "application/xml; charset=utf-8"
LOGIN = "Basic " + base64.b64encode(b"user:pass").decode()


def uid_of(text):
    return next((line[4:] for line in unfold(text) if line.startswith("UID:")), None)


def rid_of(part, local=False):
    """M for the master; times are in UTC, those of Greenland three hours later, or what they say of themselves."""
    found = re.search("^RECURRENCE-ID(.*?):(.*?)\r?$", part, re.M)
    if not found:
        return "M"
    hour = int(found[2][9:11] or 0) + 3
    return found[2] if local or "TZID" not in found[1] else f"{found[2][:9]}{hour:02}{found[2][11:]}Z"


class Peer(HttpPeer):
    """Settings are attributes, to be changed by tests before or while it runs."""

    def __init__(self, tls=None, home="/dav/user/"):
        super().__init__(("OPTIONS", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR", "PUT", "GET", "DELETE",
                          "POST"), tls)
        self.home, self.principal = home, "/dav/principals/user/"
        self.folders = {}  # path -> {href: text}
        self.names, self.tokens, self.changes = {}, {}, 0
        self.etags, self.files = {}, {}  # files: what attachments refer to, path -> bytes
        self.on_post = None
        self.posted, self.local_rids = [], False
        self.on_put = None
        self.features = "1, 3, calendar-access, addressbook, extended-mkcol"
        self.server_name = "strict/1"
        self.contacts = False
        self.sync = True
        self.page = 0  # a listing is cut at so many
        self.page_token = True
        self.weak = self.no_etag = False
        self.well_known = "/dav/"
        self.href = lambda path: path  # as it is written into answers
        self.multiget = lambda request, hrefs, answer: answer
        self.sign_in = True
        self.login = LOGIN

    def url(self, path="/"):
        scheme = "carddav" if self.contacts else "caldav"
        return f"{scheme}{'s' if self.tls else ''}://user@127.0.0.1:{self.port}{path}"

    # ---- what tests look at ----

    def folder(self, name, *texts):
        path = self.home + name + "/"
        self.names[path] = name
        self.folders[path] = {}
        for i, text in enumerate(texts):
            self.store(f"{path}{i}.{'vcf' if self.contacts else 'ics'}", text)
        return path

    def store(self, href, text):
        self.changes += 1
        self.folders[href.rpartition("/")[0] + "/"][href] = text
        self.etags[href] = f'"{hashlib.sha1(text.encode()).hexdigest()[:12]}-{self.changes}"'

    def named(self, name):
        """The items of a collection by its displayname."""
        return [i for path, found in self.names.items() if found == name for i in self.folders[path].values()]

    def count(self, method):
        return sum(1 for m, _, _ in self.log if m == method)

    # ---- serving ----

    def perform(self, r):
        return getattr(self, r.method.lower())(r)

    def fields(self, a):
        return {"DAV": self.features, **super().fields(a)}

    def check(self, r):
        super().check(r)
        if self.sign_in and r.headers.get("Authorization") != self.login:
            raise Answer(401, "who are you?", "text/plain")
        if r.method in ("PROPFIND", "REPORT", "MKCALENDAR", "MKCOL", "PROPPATCH") and r.body:
            if "xml" not in r.headers.get("Content-Type", ""):
                self.breach("no XML type", r)
            r.xml = ET.fromstring(r.body)
        if r.method == "PROPFIND" and r.headers.get("Depth") not in ("0", "1"):
            self.breach("no Depth", r)
        if r.method in ("PUT", "DELETE") and not (r.headers.get("If-Match") or r.headers.get("If-None-Match")):
            self.breach("no guard", r)
        if r.headers.get("If-Match", "").startswith("W/"):
            self.breach("a weak If-Match matches nothing", r)

    def etag(self, href):
        return ("W/" if self.weak else "") + self.etags[href]

    # ---- methods ----

    def options(self, r):
        return Answer(200, Server=self.server_name)

    def response(self, href, props, status="200 OK"):
        return (f"<D:response><D:href>{escape(self.href(href))}</D:href><D:propstat><D:prop>{props}</D:prop>"
                f"<D:status>HTTP/1.1 {status}</D:status></D:propstat></D:response>")

    def folder_props(self, path):
        kind = "<R:addressbook/>" if self.contacts else "<C:calendar/>"
        reports = "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>"
        token = f"<D:sync-token>urn:t:{self.changes}</D:sync-token>" if self.sync else ""
        return (f"<D:resourcetype><D:collection/>{kind}</D:resourcetype>"
                f"<D:displayname>{escape(self.names[path])}</D:displayname>{token}"
                f"<S:getctag>{self.changes}</S:getctag>"
                f"<D:supported-report-set>{reports if self.sync else ''}</D:supported-report-set>")

    def propfind(self, r):
        if r.path.startswith("/.well-known/"):
            raise Answer(301, Location=self.well_known)
        if r.path in ("/dav/", "/"):
            return self.multi(self.response(r.path, "<D:current-user-principal><D:href>" + self.principal +
                                            "</D:href></D:current-user-principal>"))
        if r.path == self.principal:
            sets = "".join(f"<{n}><D:href>{self.home}</D:href></{n}>" for n in ("C:calendar-home-set",
                                                                              "R:addressbook-home-set"))
            return self.multi(self.response(r.path, sets))
        if r.path == self.home:
            answers = [self.response(self.home, "<D:resourcetype><D:collection/></D:resourcetype>")]
            answers += [self.response(p, self.folder_props(p)) for p in self.folders]
            return self.multi("".join(answers))
        if r.path in self.folders:
            answers = [self.response(r.path, self.folder_props(r.path))]
            if r.headers["Depth"] == "1":
                answers += [self.item(h) for h in self.folders[r.path]]
            return self.multi("".join(answers))
        raise Answer(404)

    def item(self, href):
        return self.response(href, f"<D:getetag>{escape(self.etag(href))}</D:getetag><D:resourcetype/>")

    def multi(self, inside):
        return Answer(207, f'<?xml version="1.0" encoding="utf-8"?><D:multistatus {ROOT}>{inside}</D:multistatus>')

    def report(self, r):
        if r.path not in self.folders:
            raise Answer(404)
        name = r.xml.tag.rpartition("}")[2]
        if name == "sync-collection":
            return self.sync_report(r)
        if name.endswith("-multiget"):
            hrefs = [urllib.parse.unquote(h.text) for h in r.xml.findall(DAV + "href")]
            return self.multiget(r, hrefs, self.multi("".join(self.body_of(h) for h in hrefs)))
        if name.endswith("-query"):
            wanted = next(r.xml.iter((CARD if self.contacts else CAL) + "text-match")).text
            return self.multi("".join(self.body_of(h) for h, text in self.folders[r.path].items() if wanted in text))
        raise Answer(403, f"<D:error {ROOT}><D:supported-report/></D:error>")

    def body_of(self, href):
        text = self.folders[href.rpartition("/")[0] + "/"].get(href)
        if text is None:
            return f"<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
        name = "R:address-data" if self.contacts else "C:calendar-data"
        return self.response(href, f"<D:getetag>{escape(self.etag(href))}</D:getetag><{name}>{escape(text)}</{name}>")

    def sync_report(self, r):
        if not self.sync:
            raise Answer(403, f"<D:error {ROOT}><D:supported-report/></D:error>")
        token = (r.xml.findtext(DAV + "sync-token") or "").strip()
        begin = int(token.rpartition(":")[2]) if token else 0
        hrefs = sorted(self.folders[r.path])
        end = begin + self.page if self.page else len(hrefs)
        inside = "".join(self.item(h) for h in hrefs[begin:end])
        if end < len(hrefs):
            inside += (f"<D:response><D:href>{self.href(r.path)}</D:href><D:status>HTTP/1.1 507 Insufficient Storage"
                       "</D:status><D:error><D:number-of-matches-within-limits/></D:error></D:response>")
            token = f"urn:p:{end if self.page_token else begin}"
        else:
            token = f"urn:p:{len(hrefs)}"
        return self.multi(inside + f"<D:sync-token>{token}</D:sync-token>")

    def mkcalendar(self, r):
        if r.path in self.folders:
            raise Answer(405)
        self.folders[r.path] = {}
        self.names[r.path] = next((e.text for e in r.xml.iter(DAV + "displayname")), None) or ""
        return Answer(201)

    mkcol = mkcalendar

    def proppatch(self, r):
        return self.multi(self.response(r.path, ""))

    def get(self, r):
        if r.path in self.files:
            return Answer(200, self.files[r.path], "application/octet-stream")
        text = self.folders.get(r.path.rpartition("/")[0] + "/", {}).get(r.path)
        if text is None:
            raise Answer(404)
        return Answer(200, text, "text/calendar", ETag=self.etag(r.path))

    def put(self, r):
        path, text = r.path.rpartition("/")[0] + "/", r.body.decode()
        if path not in self.folders:
            raise Answer(409)
        there = r.path in self.folders[path]
        if r.headers.get("If-None-Match") and there:
            raise Answer(412)
        if r.headers.get("If-Match") and r.headers["If-Match"] != self.etags.get(r.path):
            raise Answer(412)
        if self.on_put:
            r.items = self.folders[path]
            self.on_put(r, text)
            text = r.body.decode()  # it may alter it
        self.schedule(text)
        self.store(r.path, text)
        return Answer(204 if there else 201, **({} if self.no_etag else {"ETag": self.etag(r.path)}))

    def post(self, r):
        """RFC 8607, attachment-add: to the whole resource, or to the part with the RECURRENCE-ID that rid= names."""
        folder = self.folders[r.path.rpartition("/")[0] + "/"]
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(r.raw).query))
        if query.pop("action", None) != "attachment-add" or query.keys() - {"rid"} or r.path not in folder:
            raise Answer(404)
        parts = re.split("(?=BEGIN:VEVENT)", folder[r.path])
        at = [i for i, part in enumerate(parts) if i > 0 and query.get("rid") in (None, rid_of(part, self.local_rids))]
        if not at:
            raise Answer(403, f"<D:error {ROOT}><C:valid-rid-parameter/></D:error>")
        self.posted.append(r.raw)
        if self.on_post:
            self.on_post(r)
        where = f"/files/{len(self.files)}"
        self.files[where] = r.body
        name = re.search('filename="(.*)"', r.headers.get("Content-Disposition", 'filename="x"')).group(1)
        line = (f"ATTACH;MANAGED-ID={len(self.files)};SIZE={len(r.body)};FILENAME={name};FMTTYPE="
                f"{r.headers['Content-Type']}:http://127.0.0.1:{self.port}{where}?x=1\r\nEND:VEVENT")
        self.store(r.path, "".join(p.replace("END:VEVENT", line) if i in at else p for i, p in enumerate(parts)))
        return Answer(201, ETag=self.etag(r.path), Cal_Managed_ID=str(len(self.files)))

    def delete(self, r):
        self.folders[r.path.rpartition("/")[0] + "/"].pop(r.path)
        return Answer(204)

    def schedule(self, text):
        """As an organiser's server does: everybody who is not held back is invited."""
        lines = unfold(text)
        if "auto-schedule" in self.features and any(line.startswith("ORGANIZER") for line in lines):
            self.sent += [line for line in lines if line.startswith("ATTENDEE") and
                          not re.search(r";SCHEDULE-AGENT=(NONE|CLIENT)", line.upper())]
