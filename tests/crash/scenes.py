"""What is going on when it is killed or cut off: a source, a target, what was done before, and what must be there at the end."""

import base64
import functools
import os
import re
import shutil
from contextlib import ExitStack

from calendar_items import calendar, event, write
from dav_peer import ROOT, Answer, uid_of
from mail import date, difference, flags, message
from places import CalendarFilesPlace, CyrusPlace, DavPlace, DovecotPlace, MaildirPlace, MboxPlace, PeerPlace, cyrus_is_there
from peer import Box, Peer
from run import commands, postferry, start
from servers.proxy import Proxy

FOLDERS = ["INBOX", "Sent", "Archive", "Archive/2020", "Größe & Gewicht", "日本語"]
WRITES = {"APPEND", "UID COPY", "UID STORE", "UID EXPUNGE", "STORE", "EXPUNGE", "CREATE", "SUBSCRIBE", "DELETE", "RENAME"}


class Scene:
    """Everything is the same at each begin(): the accounts, and the ledger of what was done before."""

    command, more, status = "copy", (), 0
    per_folder, long_per_folder, folders = 7, 40, FOLDERS

    def __init__(self, fast_dir, tmp_path, long=False, proxied=False):
        self.fast_dir, self.tmp, self.proxied, self.stack = fast_dir, tmp_path, proxied, ExitStack()
        self.per_folder = self.long_per_folder if long else self.per_folder
        self.base, self.ledger, self.n = str(tmp_path / "base"), str(tmp_path / "ledger"), 0
        self.proxies = []

    def make(self):
        """(source, target)"""
        return DovecotPlace(self.fast_dir), DovecotPlace(self.fast_dir)

    def fill(self):
        account = self.source.account()
        account.fill(self.folders, self.per_folder)
        account.close()

    def before(self):
        """What was done before: with the ledger `base`."""

    def expected(self):
        return self.source.state()

    def __enter__(self):
        with ExitStack() as stack:
            self.source, self.target = [stack.enter_context(place) for place in self.make()]
            self.urls = [self.reach(stack, place) for place in (self.source, self.target)]
            self.fill()
            self.before()
            self.target.keep()
            self.source_raw, self.wanted = self.source.raw(), self.expected()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def reach(self, stack, place):
        """A function that gives the URL: a place may change it. Proxies stay, as the ledger knows an account by its URL."""
        if place.port is None or not self.proxied:
            return place.url
        proxy = stack.enter_context(Proxy(place.port))
        self.proxies.append(proxy)
        return lambda: place.url(proxy.port)

    def options(self, command, more):
        return [command, "--from", self.urls[0](), "--to", self.urls[1](), "--ledger", self.ledger, "--quarantine",
                self.ledger + ".quarantine", "--allow-plaintext", *more]

    def begin(self):
        """Once more from the start."""
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.ledger + suffix):
                os.unlink(self.ledger + suffix)
        shutil.rmtree(self.ledger + ".quarantine", ignore_errors=True)
        if os.path.exists(self.base):
            shutil.copy(self.base, self.ledger)
        self.target.back()

    def run(self, env=None, command=None, more=()):
        return postferry(*self.options(command or self.command, (*self.more, "--json", *more)), env=env)

    def first_pass(self, status=0):
        """The ledger `base` is that of a pass that went through."""
        self.ledger, ledger = self.base, self.ledger
        done = self.run(command="copy")
        self.ledger = ledger
        assert done.status == status, done

    def start(self):
        return start(*self.options(self.command, (*self.more, "--quiet")))

    def check(self, what):
        """It was killed or cut off: run it again, and all is there, once; then there is nothing left to do."""
        done = self.run()
        for _ in range(5):
            if done.status == self.status or not self.proxied:
                break
            assert done.status in (1, 3, 4), (what, done)
            done = self.run()
        assert done.status == self.status, (what, done)
        wrong = difference(self.wanted, self.target.state(), order=False)
        assert not wrong, (what, wrong, done)
        assert self.source.raw() == self.source_raw, (what, "the source was changed")
        trace, written = str(self.tmp / "trace"), self.target.raw()
        again = self.run(command="copy", more=("--trace", trace))
        assert again.status == self.status and again.outcome["copied_now"] == 0, (what, again)
        assert not WRITES & set(commands(trace)), (what, commands(trace))
        assert self.target.raw() == written, (what, "a further run wrote to the target")
        os.unlink(trace)


class First(Scene):
    """The first pass, of a whole account."""

    long_per_folder = 334  # 2,000 messages


class Delta(Scene):
    """A later pass: messages are new, have other flags, or have gone; so has a folder come."""

    gone = {"Sent": (1, 4), "Archive": (2,)}  # places in the folder

    def before(self):
        self.first_pass()
        was = self.source.state()
        self.left = {name: [was[name][i] for i in places] for name, places in self.gone.items()}
        account = self.source.account()
        for name, places in self.gone.items():
            self.each(account, name, places, lambda imap, uid: imap.uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)"))
            self.each(account, name, places, lambda imap, uid: imap.uid("EXPUNGE", uid))
        account.imap.unselect()
        for name in ("INBOX", "Archive/2020"):
            self.each(account, name, (0, 3, 5), lambda imap, uid: imap.uid("STORE", uid, "FLAGS.SILENT", "(\\Flagged Changed)"))
        account.imap.unselect()
        account.create("New")
        for n, name in enumerate(["New"] * 8 + ["INBOX"] * 8 + ["Sent"] * 3, 5000):
            account.append(name, message(n), flags(n), date(n))
        account.close()

    @staticmethod
    def each(account, name, places, act):
        account.imap.select('"' + account.native(name) + '"')
        uids = account.imap.uid("SEARCH", None, "ALL")[1][0].split()
        for place in places:
            assert act(account.imap, uids[place].decode())[0] == "OK"

    def expected(self):
        """What left the source stays."""
        return {name: items + self.left.get(name, []) for name, items in self.source.state().items()}


class Mirror(Delta):
    """The same, and what left the source is to leave the target."""

    more = ("--mirror",)

    def expected(self):
        return self.source.state()


class Plain(Scene):
    """The target tells no UIDs (no UIDPLUS): what is in doubt is found by its content alone."""

    def make(self):
        return DovecotPlace(self.fast_dir), PeerPlace(caps="IMAP4rev1")

    def fill(self):
        super().fill()
        account = self.source.account()
        for n in (3, 3, 7):  # equal ones
            account.append("Sent", message(n), flags(n), date(n))
        account.close()

    def expected(self):
        """The peer knows names as they are on the wire."""
        return self.source.state()


class ToCyrus(Scene):
    def make(self):
        return DovecotPlace(self.fast_dir), CyrusPlace(self.fast_dir)


class ToMaildir(Scene):
    def make(self):
        return DovecotPlace(self.fast_dir), MaildirPlace(self.tmp / "box")


class ToFiles(Scene):
    """Calendars, an item a file."""

    folders = ["Work", "Größe & Gewicht"]

    def make(self):
        return CalendarFilesPlace(self.tmp / "calendars"), CalendarFilesPlace(self.tmp / "box")

    def fill(self):
        for name in self.folders:
            for n in range(3 * self.per_folder):
                write(os.path.join(self.source.top, name), f"{n}.ics",
                      calendar(event(f"{name} {n // 2}", f"2024010{1 + n % 3}T100000Z", f"Event {n}")))


class FromMaildir(Scene):
    def make(self):
        return MaildirPlace(self.tmp / "box"), DovecotPlace(self.fast_dir)

    def fill(self):
        self.source.fill(self.folders, self.per_folder, message)


class ToMbox(Scene):
    def make(self):
        return DovecotPlace(self.fast_dir), MboxPlace(self.tmp / "box")


class DeltaToMbox(Delta):
    """Flags are changed in files, messages leave them."""

    more = ("--mirror",)

    def make(self):
        return DovecotPlace(self.fast_dir), MboxPlace(self.tmp / "box")

    def expected(self):
        return self.source.state()


class Large(Scene):
    """Some of the items are streamed."""

    folders = FOLDERS[:2]

    def fill(self):
        super().fill()
        account = self.source.account()
        for n in (100, 101, 102):
            account.append("Sent", message(n, 6_500_000 + n), flags(n), date(n))
            account.append("Sent", message(n + 10), flags(n), date(n))
        account.close()


@functools.cache
def bare(n):
    """Every fourth message has bare line ends, every eighth a NUL as well."""
    raw = message(n)
    if n % 4 == 1:
        raw = raw.replace(b"\r\n", b"\n")
    if n % 8 == 1:
        raw += b"NUL \0 within\n"
    return raw


def strict(_, raw, __):
    return "NO [CANNOT] bare line ends and NULs are not permitted" if re.search(rb"(?<!\r)\n|\0", raw) else "store"


def repaired(raw):
    """Line ends are CRLF; 8-bit words of the header are encoded, and a body with a NUL; behind the last part it is a blank."""
    if not strict(0, raw, ()).startswith("NO"):
        return raw
    raw = re.sub(rb"\r*\n", b"\r\n", raw).replace(b"caf\xe9 \xff", b"=?unknown-8bit?B?Y2Fm6SD/?=")
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"\0" not in body or b"\r\nContent-Type: multipart/" in head:
        return raw.replace(b"\0", b" ")
    coded = base64.b64encode(body)
    lines = [coded[at:at + 76] + b"\r\n" for at in range(0, len(coded), 76)]
    version = b"" if b"\r\nMIME-Version" in head else b"\r\nMIME-Version: 1.0"
    head = re.sub(rb"\r\nContent-Transfer-Encoding: [^\r]*", b"", head)
    return head + version + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"".join(lines)


class Repaired(Scene):
    """The target refuses some messages as they are, and takes them repaired."""

    folders = ["INBOX", "Sent"]

    def make(self):
        return PeerPlace(), PeerPlace(append_reply=strict)

    def fill(self):
        self.source.fill(self.folders, self.per_folder, bare)

    def expected(self):
        fixed = PeerPlace()
        fixed.fill(self.folders, self.per_folder, lambda n: repaired(bare(n)))
        return fixed.state()


class Retry(Scene):
    """What the target had refused for good is tried again once it takes it."""

    command = "retry"
    folders = ["INBOX", "Sent"]

    def make(self):
        return PeerPlace(), PeerPlace()

    def fill(self):
        self.source.fill(self.folders, self.per_folder, message)

    def before(self):
        self.target.peer.append_reply = lambda n, raw, flags: "NO [CANNOT] not this one" if len(raw) % 2 else "store"
        self.first_pass(status=1)
        self.target.peer.append_reply = None


def one_title(request, text):
    if text.count("\r\nSUMMARY") > text.count("BEGIN:VEVENT"):
        raise Answer(403, "one title will do", "text/plain")
    holder = [href for href, held in request.items.items() if uid_of(held) == uid_of(text) and href != request.path]
    if holder:
        raise Answer(409, f"<D:error {ROOT}><C:no-uid-conflict/></D:error>")


class RepairedEvents(Scene):
    """Events that share their UIDs; the target refuses some, and takes them changed in what they say."""

    folders = ["Work", "Größe & Gewicht"]

    def make(self):
        return CalendarFilesPlace(self.tmp / "calendars"), DavPlace(one_title)

    def fill(self):
        for name in self.folders:
            for n in range(3 * self.per_folder):
                more = ["SUMMARY:Another title"] if n % 3 else []
                write(os.path.join(self.source.top, name), f"{n}.ics",
                      calendar(event(f"{name} {n // 4}", f"2024010{1 + n % 3}T100000Z", f"Event {n // 2}", *more)))

    def check(self, what):
        """And when the ledger is lost, all is known again."""
        super().check(what)
        os.unlink(self.ledger)
        written = self.target.raw()
        done = self.run()
        assert done.status == 0 and done.outcome["copied_now"] == 0, (what, done)
        assert self.target.raw() == written, (what, "something was put again")


def sloppy(request, text):
    """Stores it with another title."""
    one_title(request, text)
    request.body = request.body.replace(b"Event 1", b"Evening 1")


class AlteredEvents(RepairedEvents):
    """The target alters some: they are in quarantine, whatever happened in between, and there once."""

    status = 1

    def make(self):
        return CalendarFilesPlace(self.tmp / "calendars"), DavPlace(sloppy)

    def expected(self):
        return {name: sorted((kind, title.replace("Event 1", "Evening 1"), *rest) for kind, title, *rest in items)
                for name, items in self.source.state().items()}

    def check(self, what):
        Scene.check(self, what)
        done = self.run()
        altered = [title for items in self.wanted.values() for _, title, *_ in items if title.startswith("Evening")]
        assert done.outcome["quarantined"] == len(altered) > 0, (what, done)


class Labels(Scene):
    """Folders are labels: what is in several of them is read once, and the target makes the others of it."""

    folders = ["INBOX", "Work", "Home"]

    def make(self):
        return PeerPlace(caps=Peer.caps + " X-GM-EXT-1", labels=self.labels), DovecotPlace(self.fast_dir)

    def labels(self, folder, raw):
        return [("\\Inbox" if name == "INBOX" else name) for name in self.where[raw] if name != folder]

    def fill(self):
        self.where = {}
        self.source.peer.boxes.update({name: Box() for name in self.folders})
        for n in range(self.per_folder * 3):
            raw = message(n)
            self.where[raw] = self.folders[n % 3:] if n % 2 else self.folders[:1 + n % 3]
            for name in self.where[raw]:
                self.source.peer.boxes[name].add(raw, ["\\Seen"] * (n % 2), f"{1 + n % 28:2d}-May-2015 10:00:00 +0000")


SCENES = [First, Delta, Mirror, Plain, ToMaildir, ToFiles, FromMaildir, ToMbox, DeltaToMbox, Large, Repaired, Retry,
          RepairedEvents, AlteredEvents, Labels] + [ToCyrus] * cyrus_is_there()
