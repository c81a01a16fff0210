"""Accounts that the crash tests copy from and to. A place can be read by other means than ours, kept and put back."""

import copy
import hashlib
import imaplib
import os
import shutil
import subprocess
import time

import mbox
from calendar_items import seen, texts
from dav_peer import Peer as DavPeer
from mail import Account, mutf7, snapshot
from peer import Box, Peer
from servers.cyrus import BIN, Cyrus
from servers.dovecot import Dovecot


class Place:
    """`port` None: it is on disk, and nothing can be cut. state(): as mail.snapshot has it."""

    port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def raw(self):
        """All that there is, so that any change shows."""
        return self.state()

    def keep(self):
        """Remember what is there now, for back()."""

    def back(self):
        """As it was at keep(); without one, empty."""


class DovecotPlace(Place):
    def __init__(self, fast_dir, **how):
        self.server = Dovecot(fast_dir, **how)
        self.home = self.server.path("home", "user")

    def __enter__(self):
        self.server.start()
        self.port = self.server.port
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def url(self, port=None):
        return f"imap://user@127.0.0.1:{port or self.port}/"

    def account(self):
        return Account(self.server)

    def state(self):
        return snapshot(self.server)

    def raw(self):
        """Names have the flags; the server's own files are its own business."""
        return sorted((os.path.join(top, name), os.stat(os.path.join(top, name)).st_mtime_ns)
                      for top, _, names in os.walk(self.home) for name in names if not name.startswith("dovecot"))

    def keep(self):
        if os.path.exists(self.home):
            subprocess.run(["cp", "-a", self.home, self.server.path("kept")], check=True)

    def back(self):
        self.server.forget()
        if os.path.exists(self.server.path("kept")):
            subprocess.run(["cp", "-a", self.server.path("kept"), self.home], check=True)


class CyrusPlace(Place):
    """back() gives it another user: what a server knows of a name it may remember."""

    def __init__(self, fast_dir):
        self.server, self.user, self.n = Cyrus(fast_dir), "user", 0

    def __enter__(self):
        self.server.start()
        self.port = self.server.port
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def url(self, port=None):
        return f"imap://{self.user}@127.0.0.1:{port or self.port}/"

    def state(self):
        return {name: items for name, items in snapshot(self.server, user=self.user).items() if items}

    def back(self):
        self.n += 1
        self.user = f"user{self.n}"
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", self.server.path("sasldb2"), "-u", os.uname().nodename, self.user],
                       input=b"pass", check=True, stderr=subprocess.DEVNULL)
        admin = imaplib.IMAP4("127.0.0.1", self.port)
        admin.login("cyrus", "pass")
        assert admin.create(f"user/{self.user}")[0] == "OK"
        admin.logout()


def cyrus_is_there():
    return os.path.exists(os.path.join(BIN, "imapd"))


class ScriptedPlace(Place):
    """A scripted server, `peer`."""

    def __enter__(self):
        self.peer.__enter__()
        self.port = self.peer.port
        return self

    def __exit__(self, *_):
        self.peer.__exit__()


class PeerPlace(ScriptedPlace):
    """Also for what is in no decent server: fill its boxes by hand."""

    def __init__(self, **faults):
        self.peer, self.kept = Peer(**faults), None

    def url(self, port=None):
        return f"imap://user@127.0.0.1:{port or self.port}/"

    def fill(self, folders, per_folder, message):
        for number, name in enumerate(folders):
            box = self.peer.boxes.setdefault(name, Box())
            for n in range(number * per_folder, (number + 1) * per_folder):
                box.add(message(n), ["\\Seen"] * (n % 2) + ["Work"] * (n % 3 == 1), f"{1 + n % 28:02d}-May-2015 10:00:00 +0000")

    def state(self):
        return {name: [(hashlib.sha256(raw).hexdigest(), b" ".join(sorted(f.encode() for f in flags)),
                        tuple(imaplib.Internaldate2tuple(f'INTERNALDATE "{date}"'.encode())))
                       for _, (raw, flags, date) in sorted(box.items.items())] for name, box in self.peer.boxes.items()}

    def raw(self):
        return {name: (box.next, copy.deepcopy(box.items)) for name, box in self.peer.boxes.items()}

    def keep(self):
        self.kept = copy.deepcopy(self.peer.boxes)

    def back(self):
        self.peer.boxes = copy.deepcopy(self.kept) if self.kept else {"INBOX": Box()}


class FilesPlace(Place):
    """A directory on disk, kept and put back as a whole."""

    def __init__(self, top):
        self.top = str(top)

    def raw(self):
        return sorted((os.path.join(top, name), os.stat(os.path.join(top, name)).st_mtime_ns)
                      for top, _, names in os.walk(self.top) for name in names)

    def keep(self):
        if os.path.exists(self.top):
            shutil.copytree(self.top, self.top + ".kept")

    def back(self):
        shutil.rmtree(self.top, ignore_errors=True)
        if os.path.exists(self.top + ".kept"):
            shutil.copytree(self.top + ".kept", self.top)


class MboxPlace(FilesPlace):
    def url(self, port=None):
        return f"mbox:{self.top}"

    def state(self):
        """By path in modified UTF-7, as servers have it."""
        return {"/".join(map(mutf7, path.split("/"))): [(hashlib.sha256(raw).hexdigest(), flags, tuple(time.localtime(when)))
                                                        for raw, flags, when in items]
                for path, items in mbox.tree(self.top).items()}


class MaildirPlace(FilesPlace):
    LETTERS = {"D": b"\\Draft", "F": b"\\Flagged", "R": b"\\Answered", "S": b"\\Seen", "T": b"\\Deleted"}

    def url(self, port=None):
        return f"maildir:{self.top}"

    def folder(self, path):
        return self.top if path == "INBOX" else os.path.join(self.top, "." + ".".join(mutf7(s) for s in path.split("/")))

    def fill(self, folders, per_folder, message):
        for number, path in enumerate(folders):
            for sub in ("cur", "new", "tmp"):
                os.makedirs(os.path.join(self.folder(path), sub))
            with open(os.path.join(self.folder(path), "dovecot-keywords"), "w", encoding="ascii") as f:
                f.write("0 Work\n1 $Forwarded\n")
            for n in range(number * per_folder, (number + 1) * per_folder):
                letters = ("", "S", "FS", "RSa", "Sb", "DS")[n % 6]
                name = os.path.join(self.folder(path), "cur", f"{1400000000 + n}.M{n}P1.host:2,{letters}")
                with open(name, "wb") as f:
                    f.write(message(n))
                os.utime(name, (1400000000 + n * 999, 1400000000 + n * 999))

    def state(self):
        """By path in modified UTF-7, as servers have it."""
        out = {}
        for name in ["", *sorted(n for n in os.listdir(self.top) if n.startswith("."))]:
            box = os.path.join(self.top, name)
            words = {}
            if os.path.exists(os.path.join(box, "dovecot-keywords")):
                with open(os.path.join(box, "dovecot-keywords"), "rb") as f:
                    words = {chr(97 + int(line.split()[0])): line.split()[1] for line in f}
            out[name[1:].replace(".", "/") or "INBOX"] = [
                self.item(os.path.join(box, sub, file), file, words)
                for sub in ("cur", "new") for file in sorted(os.listdir(os.path.join(box, sub)))]
        return out

    def item(self, path, name, words):
        info = name.partition(":2,")[2]
        flags = [self.LETTERS.get(c) or words[c] for c in info]
        with open(path, "rb") as f:
            raw = f.read()
        return hashlib.sha256(raw).hexdigest(), b" ".join(sorted(flags)), tuple(time.localtime(os.stat(path).st_mtime))


class CalendarFilesPlace(FilesPlace):
    """Calendars as folders of files. state(): what a person sees of each."""

    def url(self, port=None):
        return f"ics:{self.top}"

    def state(self):
        return {name: sorted(seen(texts(os.path.join(self.top, name)).values()).elements())
                for name in os.listdir(self.top)}


class DavPlace(ScriptedPlace):
    """on_put(request, text) refuses what it does not like."""

    def __init__(self, on_put):
        self.peer = DavPeer()
        self.peer.on_put = on_put

    def __exit__(self, *_):
        super().__exit__()
        assert self.peer.breaches == []

    def url(self, port=None):
        return f"caldav://user@127.0.0.1:{port or self.port}/"

    def state(self):
        return {name: sorted(seen(self.peer.named(name)).elements()) for name in self.peer.names.values()}

    def raw(self):
        return {path: {href: self.peer.etags[href] for href in items} for path, items in self.peer.folders.items()}

    def back(self):
        with self.peer.lock:
            self.peer.folders, self.peer.names, self.peer.etags = {}, {}, {}
