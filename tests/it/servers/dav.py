"""What tests need of CalDAV and CardDAV servers: requests of their own, and answers looked at."""

import base64
import http.client
import time
import urllib.parse
import xml.etree.ElementTree as ET

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
CARD = "{urn:ietf:params:xml:ns:carddav}"
HEAD = ('<?xml version="1.0" encoding="utf-8"?>'
        '<D:{root} xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:R="urn:ietf:params:xml:ns:carddav"'
        ' xmlns:A="http://apple.com/ns/ical/">')


class Dav:
    """Mixed into a server."""

    user, password = "user", "pass"

    @property
    def http_port(self):
        return self.port

    def wait(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.request("OPTIONS", "/")[0] < 600:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(self.path("stdout.log"), encoding="utf-8", errors="replace") as f:
            raise RuntimeError(f"{self.name} does not answer: {f.read()[-2000:]}")

    def request(self, method, path, body=None, headers=None):
        """status, headers, body"""
        link = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        who = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        # SOGo shows clients that don't say who they are one address book only
        sent = {"Authorization": "Basic " + who, "User-Agent": "tests", **(headers or {})}
        try:
            link.request(method, path, body, sent)
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def url(self, user="user", scheme="caldav"):
        return f"{scheme}://{user}@127.0.0.1:{self.http_port}/"

    def make(self, name, contacts=False, displayname=None, components=("VEVENT", "VTODO", "VJOURNAL")):
        path = self.home(contacts) + name + "/"
        kind = "<R:addressbook/>" if contacts else "<C:calendar/>"
        comps = "".join(f'<C:comp name="{c}"/>' for c in components)
        body = (HEAD.format(root="mkcol") + f"<D:set><D:prop><D:resourcetype><D:collection/>{kind}</D:resourcetype>"
                f"<D:displayname>{displayname or name}</D:displayname>")
        if not contacts:
            body += f"<C:supported-calendar-component-set>{comps}</C:supported-calendar-component-set>"
        status, _, said = self.request("MKCOL", path, body + "</D:prop></D:set></D:mkcol>",
                                       {"Content-Type": "application/xml"})
        assert status in (200, 201), (status, said)
        return path

    def put(self, path, text, **headers):
        kind = "text/vcard" if path.endswith(".vcf") else "text/calendar"
        status, _, body = self.request("PUT", path, text.encode() if isinstance(text, str) else text,
                                       {"Content-Type": kind, **headers})
        return status, body

    def propfind(self, path, depth, *props):
        body = HEAD.format(root="propfind") + "<D:prop>" + "".join(f"<{p}/>" for p in props)
        status, _, said = self.request("PROPFIND", path, body + "</D:prop></D:propfind>",
                                       {"Depth": str(depth), "Content-Type": "application/xml"})
        assert status == 207, (status, said)
        return ET.fromstring(said).findall(DAV + "response")

    def collections(self, contacts=False):
        """displayname -> path"""
        found = {}
        for r in self.propfind(self.home(contacts), 1, "D:resourcetype", "D:displayname"):
            kind = r.find(f".//{DAV}resourcetype/" + (CARD + "addressbook" if contacts else CAL + "calendar"))
            if kind is not None:
                name = r.findtext(f".//{DAV}displayname")
                found[name] = urllib.parse.urlsplit(r.findtext(DAV + "href").strip()).path
        return found

    def etags(self, path):
        """path -> ETag, of all items"""
        found = {}
        for r in self.propfind(path, 1, "D:getetag", "D:resourcetype"):
            href = urllib.parse.urlsplit(r.findtext(DAV + "href").strip()).path
            if href.rstrip("/") != path.rstrip("/") and r.find(f".//{DAV}collection") is None:
                found[href] = r.findtext(f".//{DAV}getetag")
        return found

    def items(self, path):
        """path -> text, of all items"""
        return {href: self.request("GET", href)[2].decode() for href in self.etags(path)}
