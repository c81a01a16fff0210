"""
All odd messages there are, between all kinds of stores: each is byte-identical at the target, with its flags and its
date, or in the quarantine with its bytes and the target's own words; and the source stays as it was.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter

import corpus
import pytest
from mail import Account, flags, mutf7, quoted, snapshot
from run import copy, postferry
from servers.base import MAIL_GID, MAIL_UID
from servers.cyrus import Cyrus, available
from servers.dovecot import Dovecot

LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T", "$Forwarded": "a", "Work": "b"}
NAMES = {v: k for k, v in LETTERS.items()}
SERVERS_OWN = re.compile(r"dovecot|maildirfolder|subscriptions|cyrus\.")  # what servers keep beside the messages


def moment(n):
    return 978_307_200 + n * 100_003 % 600_000_000


def internaldate(n):
    return time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(moment(n)))


def fill_maildir(top, content):
    """A Maildir++ tree written directly: any octets, any flags, any date."""
    n = 0
    for path, messages in content.items():
        where = top if path == "INBOX" else os.path.join(top, "." + mutf7(path).replace("/", "."))
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(where, sub))
        with open(os.path.join(where, "dovecot-keywords"), "w", encoding="ascii") as f:
            f.write("0 $Forwarded\n1 Work\n")
        for raw in messages:
            info = "".join(sorted(LETTERS[word] for word in flags(n).strip("()").split()))
            name = os.path.join(where, "cur", f"{moment(n)}.M{n}P7.host:2,{info}")
            with open(name, "wb") as f:
                f.write(raw)
            os.utime(name, (moment(n), moment(n)))
            n += 1
    for where, _, names in os.walk(top):
        for name in ["."] + names:
            os.chown(os.path.join(where, name), MAIL_UID, MAIL_GID)


def append_all(server, content):
    """By IMAP: what the server does not take is not in the account."""
    account = Account(server)
    n = refused = 0
    for path, messages in content.items():
        if path != "INBOX":
            account.create(path)
        for raw in messages:
            typ, _ = account.imap.append(quoted(account.native(path)), flags(n), internaldate(n), raw)
            refused += typ != "OK"
            n += 1
    account.close()
    return refused


def read_maildir(top):
    """Folder to its (digest, flags, date), as mail.snapshot() gives them; read without any server."""
    out = {}
    for where in [top] + sorted(glob.glob(os.path.join(glob.escape(top), ".*"))):
        if not os.path.isdir(os.path.join(where, "cur")):
            continue
        keywords = {}
        if os.path.exists(os.path.join(where, "dovecot-keywords")):
            with open(os.path.join(where, "dovecot-keywords"), encoding="ascii") as f:
                keywords = {chr(ord("a") + int(number)): word for number, word in (line.split() for line in f)}
        items = []
        for file in sorted(glob.glob(os.path.join(glob.escape(where), "cur", "*"))):
            letters = file.partition(":2,")[2]
            words = sorted((NAMES[c] if c.isupper() else keywords[c]).encode() for c in letters)
            items.append((hashlib.sha256(corpus.read(file)).hexdigest(), b" ".join(words),
                          tuple(time.localtime(os.stat(file).st_mtime))))
        out["INBOX" if where == top else os.path.basename(where)[1:].replace(".", "/")] = items
    return out


def files_of(top):
    """Name, content and time of every file; times of the folders that hold messages as well."""
    out = {}
    for where, folders, names in os.walk(top):
        for name in names:
            path = os.path.join(where, name)
            if not SERVERS_OWN.match(name):
                out[path] = (os.stat(path).st_mtime_ns, hashlib.sha256(corpus.read(path)).hexdigest())
        for name in folders:
            if name in ("cur", "new", "tmp"):
                out[os.path.join(where, name)] = os.stat(os.path.join(where, name)).st_mtime_ns
    return out


def quarantined(ledger):
    """Digest of the bytes to the reason given; as many as there are."""
    out = []
    for path in glob.glob(ledger + ".quarantine/**/*.json", recursive=True):
        with open(path, encoding="utf-8") as f:
            out.append((hashlib.sha256(corpus.read(path[:-5] + ".eml")).hexdigest(), json.load(f)["reason"]))
    return out


def account_for(done, source, target, ledger):
    """Every message of the source is at the target, perhaps repaired, or in the quarantine with the reason."""
    kept = [(digest, reason) for digest, reason in quarantined(ledger) if not reason.startswith("repaired")]
    repaired = sum(e["number"] == 12004 for e in done.events)
    missing, changed = Counter(), 0
    for folder, items in source.items():
        there = Counter(target.get(folder, []))
        changed += (there - Counter(items)).total()
        missing += Counter(digest for digest, _, _ in (Counter(items) - there).elements())
    assert changed <= repaired + sum("is not what was sent" in reason for _, reason in kept), "the target has what the source has not"
    assert missing.total() <= len(kept) + repaired
    for _, reason in kept:
        assert re.search(r"APPEND.*(NO|BAD)|is not what was sent", reason), reason
    assert done.status == (1 if kept else 0), done
    assert done.outcome["quarantined"] == len(kept)
    assert done.outcome["copied"] == sum(map(len, source.values())) - len(kept)


def lines_of(top):
    """What is in the files, whatever ends their lines: Dovecot shows NULs as something else, here they are."""
    return Counter(corpus.read(path).replace(b"\r\n", b"\n") for path in files_of(top)
                   if os.path.isfile(path))


class DovecotSource:
    def __init__(self, server):
        self.server, self.url = server, server.url()
        fill_maildir(server.maildir(), dict({"INBOX": []}, **corpus.folders()))
        self.state = snapshot(server)

    def files(self):
        return files_of(self.server.maildir())


class MaildirSource(DovecotSource):
    """Looked at by Dovecot, which says what it must look like from outside; read by postferry."""

    def __init__(self, server):
        super().__init__(server)
        server.stop()
        self.url = f"maildir:{server.maildir()}"


class CyrusSource:
    def __init__(self, server):
        self.server, self.url = server, server.url()
        append_all(server, corpus.folders())
        self.state = snapshot(server)

    def files(self):
        return files_of(self.server.path("spool"))


SOURCES = {"dovecot": DovecotSource, "maildir": MaildirSource, "cyrus": CyrusSource}
EXACT = "mail_save_crlf = yes"  # else Dovecot drops a CR that is no line end


def server(kind, parent, **how):
    if kind == "cyrus" and not available():
        pytest.skip("Cyrus is not unpacked: see script/lib.sh")
    return Cyrus(parent) if kind == "cyrus" else Dovecot(parent, **how)


@pytest.fixture
def memory_dir(fast_dir):
    with tempfile.TemporaryDirectory(dir=fast_dir) as path:
        yield path


@pytest.mark.parametrize("from_kind,to_kind", [
    ("dovecot", "dovecot"), ("dovecot", "cyrus"), ("cyrus", "dovecot"), ("maildir", "dovecot"), ("dovecot", "maildir")])
def test_all_messages(fast_dir, ledger, memory_dir, from_kind, to_kind):
    with server(from_kind, fast_dir, layout="maildir") as a, server(to_kind, fast_dir, extra=EXACT) as b:
        source = SOURCES[from_kind](a)
        box = os.path.join(memory_dir, "box")
        to = f"maildir:{box}" if to_kind == "maildir" else b.url()
        before = source.files()
        done = copy(source.url, to, ledger)
        account_for(done, source.state, read_maildir(box) if to_kind == "maildir" else snapshot(b), ledger)
        again = copy(source.url, to, ledger)
        assert again.outcome["copied_now"] == 0 and again.status == done.status, again
        assert source.files() == before
        if from_kind == "maildir" and to_kind == "dovecot":
            repaired = sum(e["number"] == 12004 for e in done.events)
            assert (lines_of(a.maildir()) - lines_of(b.maildir())).total() <= repaired + 1
        assert postferry("report", "--ledger", ledger).status == done.status


def test_maildirs_as_they_are(fast_dir, ledger, memory_dir):
    """Trees that other programs made: odd names, no tmp, ";2," and "!2," for ":2,"; each file is a message of the target."""
    box = os.path.join(memory_dir, "box")
    fill_maildir(box, {"INBOX": [], "own": corpus.OWN[1:]})
    for name, top in corpus.maildirs().items():
        shutil.copytree(top, os.path.join(box, "." + mutf7(name).replace(".", "_").replace("/", ".")),
                        ignore=lambda where, names, top=top: [n for n in names if where == top and n not in ("cur", "new")])
    before = files_of(box)
    with Dovecot(fast_dir, extra=EXACT) as target:
        done = copy(f"maildir:{box}", target.url(), ledger)
        # Dovecot shows a NUL as another octet: such a message is told of, and is there as it was sent
        assert done.status in (0, 1) and done.outcome["quarantined"] <= 2, done
        assert not lines_of(box) - lines_of(target.maildir())
        assert files_of(box) == before
        got = snapshot(target)
        assert got.keys() >= {"own"} | {name.replace(".", "_") for name in corpus.maildirs()}
        testdir = got.get("mbox/mu/testdir", [])
        assert not testdir or sorted(Counter(i[1] for i in testdir).items()) == [
            (b"", 5), (b"\\Answered \\Seen", 1), (b"\\Seen", 7)]


def test_what_the_target_keeps_in_another_form_is_named(pair, ledger):
    """Dovecot as it comes drops a CR that is no line end: nothing of ours, and nothing that is passed over in silence."""
    source, target = pair
    fill_maildir(source.maildir(), {"INBOX": [b"Subject: a\r\n\r\none\r\r\ntwo\r\n", b"Subject: b\r\n\r\nplain\r\n"]})
    done = copy(source.url(), target.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    named = [line for line in map(json.loads, done.out.splitlines()) if "rewrote" in line.get("text", "")]
    assert len(named) == 1 and named[0]["folder"] == "INBOX" and named[0]["item"] == "1"
    listed = postferry("events", "--ledger", ledger).out
    assert "rewrote" in listed, listed


@pytest.mark.parametrize("name,raw,messages", [
    ("last line stays", b"From a@x Mon Jan  1 00:00:00 2001\nA: b\n\nx\n\nFrom b@x Tue Jan  2 00:00:00 2001\nC: d\n\ny\n\n",
     [b"A: b\n\nx\n", b"C: d\n\ny\n\n"]),
    ("CRLF", b"From a@x Mon Jan  1 00:00:00 2001\r\nA: b\r\n\r\nx\r\n\r\nFrom b@x Tue Jan  2 00:00:00 2001\r\nC: d\r\n\r\n",
     [b"A: b\r\n\r\nx\r\n", b"C: d\r\n\r\n"]),
    ("words of a body", b"From a@x Mon Jan  1 00:00:00 2001\nA: b\n\n\nFrom Russia with love\n", [b"A: b\n\n\nFrom Russia with love\n"]),
    ("unquoted, but counted", b"From - \nA: b\nContent-Length: 47\n\n\nFrom x@x Mon Jan  1 00:00:00 2001\nQ: r\n\nend\n\n\nFrom -\nC: d\n\n",
     [b"A: b\nContent-Length: 47\n\n\nFrom x@x Mon Jan  1 00:00:00 2001\nQ: r\n\nend\n\n", b"C: d\n\n"]),
    ("no mbox", b"From: a@x\n\nFrom the start\n", []),
])
def test_mbox_is_split(name, raw, messages):
    assert corpus.split_mbox(raw) == messages, name
