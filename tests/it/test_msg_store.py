"""A tree of .msg files as a source: every file of the shared corpus, counted and compared with olefile's reading of it."""

import collections
import ctypes
import email
import email.policy
import mailbox
import os
import re
import shutil
import struct

import corpus
import pytest
from run import copy, postferry

olefile = pytest.importorskip("olefile")

MSG = os.path.join(corpus.ROOT, "msg")
FILES = sorted(path for _, path in corpus.files("msg") if path.lower().endswith(".msg"))
KINDS = {"appointment": "calendars", "contact": "contacts", "distlist": "contacts", "task": "calendars", "stickynote": "calendars",
         "activity": "calendars"}
needs_corpus = pytest.mark.skipif(not FILES, reason="the corpus is not here")


class Item:
    """What olefile finds in a file."""

    def __init__(self, path):
        self.ole = olefile.OleFileIO(path)
        self.names = [p for p in self.ole.listdir(streams=True, storages=True)]
        self.kind = KINDS.get((self.text(0x1A) or "").lower().split(".")[1] if "." in (self.text(0x1A) or "") else "", "mail")
        self.attachments = sum(len(p) == 1 and p[0].startswith("__attach_version1.0_#") for p in self.names)

    def text(self, number):
        for kind, coding in (("001F", "utf-16le"), ("001E", "cp1252")):
            if [f"__substg1.0_{number:04X}{kind}"] in self.names:
                return self.ole.openstream(f"__substg1.0_{number:04X}{kind}").read().decode(coding, "replace").split("\0")[0]
        return None


def words(text):
    return re.sub(r"\s+", " ", text or "").strip()


def titles(archive):
    """What has arrived, by part and title."""
    found = collections.Counter()
    box = mailbox.Maildir(archive / "mail", create=False) if (archive / "mail").exists() else None
    for one in [box] + [box.get_folder(n) for n in box.list_folders()] if box is not None else []:
        for key in one.keys():
            mail = email.message_from_bytes(one.get_bytes(key), policy=email.policy.default)
            found["mail", words(str(mail["subject"] or ""))] += 1
    for part, ending, line in (("contacts", ".vcf", "FN"), ("calendars", ".ics", "SUMMARY")):
        for d, _, names in os.walk(archive / part):
            for name in names:
                if name.endswith(ending):
                    raw = re.sub(r"\r?\n[ \t]", "", open(os.path.join(d, name), encoding="utf-8", newline="").read())
                    said = re.search(rf"^{line}[^:]*:(.*?)\r?$", raw, re.M)
                    found[part, words(re.sub(r"\\(.)", r"\1", said.group(1)) if said else "")] += 1
    return found


@needs_corpus
def test_every_file_arrives(ledger, tmp_path):
    done = copy(f"msg:{MSG}", f"archive:{tmp_path}/all", ledger)
    assert done.status == 0, done
    assert done.outcome["copied"] == len(FILES)
    theirs = [Item(path) for path in FILES]
    ours = titles(tmp_path / "all")
    assert sum(ours.values()) == len(FILES)
    for part in ("mail", "contacts", "calendars"):
        assert sum(n for (p, _), n in ours.items() if p == part) == sum(i.kind == part for i in theirs), part
    want = collections.Counter(("mail", words(i.text(0x37))) for i in theirs if i.kind == "mail")
    assert collections.Counter({k: n for k, n in ours.items() if k[0] == "mail"}) == want
    for item in theirs:  # a title may be another property of a contact, or a note's first line
        if item.kind == "calendars" and item.text(0x37):
            assert ours["calendars", words(item.text(0x37))] > 0, item.text(0x37)
    again = copy(f"msg:{MSG}", f"archive:{tmp_path}/all", ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    lost = copy(f"msg:{MSG}", f"archive:{tmp_path}/all", ledger + "2")
    assert lost.status == 0 and lost.outcome["copied_now"] == 0, lost


@needs_corpus
def test_texts_and_files_of_messages(ledger, tmp_path):
    """One file at a time, so that each can be compared with what it was made of."""
    compared = 0
    for n, path in enumerate(FILES[::3]):
        item, out = Item(path), tmp_path / str(n)
        if item.kind != "mail":
            continue
        done = copy(f"msg:{path}", f"maildir:{out}", f"{ledger}{n}")
        assert done.status == 0, done
        box = mailbox.Maildir(out, create=False)
        [raw] = [one.get_bytes(key) for one in [box] + [box.get_folder(f) for f in box.list_folders()] for key in one.keys()]
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain",))
        if body is not None and item.text(0x1000) and "calendar" not in str(mail):
            first = words(item.text(0x1000)).split(" ")[0]
            assert first in words(body.get_content()), path
            compared += 1
        assert len([p for p in mail.walk() if p.get_filename()]) >= item.attachments - 1 or mail.get_content_type() == "multipart/signed"
    assert compared > 5


class Opened:
    """How often each file of a directory is opened meanwhile, by inotify(7)."""

    IN_OPEN, IN_NONBLOCK = 0x20, 0o4000

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(self.IN_NONBLOCK)
        assert self.fd >= 0 and libc.inotify_add_watch(self.fd, os.fsencode(path), self.IN_OPEN) >= 0, os.strerror(ctypes.get_errno())

    def counts(self):
        found, raw = collections.Counter(), b""
        while True:
            try:
                raw += os.read(self.fd, 1 << 16)
            except BlockingIOError:
                break
        os.close(self.fd)
        while raw:
            _, _, _, n = struct.unpack_from("iIII", raw)
            found[raw[16:16 + n].rstrip(b"\0").decode()] += 1
            raw = raw[16 + n:]
        return found


@needs_corpus
def test_how_often_a_file_is_read(ledger, tmp_path):
    """Once to see what it is, whatever the targets and kinds; and when it is copied, what is no mail once more to know it again."""
    tree = tmp_path / "Saved"
    tree.mkdir()
    for i, path in enumerate(FILES):
        shutil.copy(path, tree / f"{i}.msg")
    kinds = {f"{i}.msg": Item(path).kind for i, path in enumerate(FILES)}
    opened = Opened(tree)
    done = copy(f"msg:{tree}", f"archive:{tmp_path}/all", ledger)
    assert done.status == 0 and done.outcome["copied"] == len(FILES), done
    counts = opened.counts()
    assert {name for name in kinds if counts[name] > (2 if kinds[name] == "mail" else 3)} == set(), counts
    opened = Opened(tree)
    os.utime(tree / "0.msg")  # it may be another one now
    again = copy(f"msg:{tree}", f"archive:{tmp_path}/all", ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    counts = opened.counts()
    assert all(counts[name] == 1 for name in kinds if kinds[name] == "mail" and name != "0.msg"), counts


@needs_corpus
def test_a_damaged_file_fails_by_its_name(ledger, tmp_path):
    tree = tmp_path / "Saved"
    (tree / "Inbox").mkdir(parents=True)
    good = [p for p in FILES if Item(p).kind == "mail"][:3]
    for path in good:
        shutil.copy(path, tree / "Inbox")
    big = max(good, key=os.path.getsize)
    (tree / "cut.msg").write_bytes(corpus.read(big)[:-4096])
    (tree / "none.MSG").write_bytes(b"this is no item")
    (tree / "readme.txt").write_bytes(b"this is not looked at")
    done = copy(f"msg:{tree}", f"maildir:{tmp_path}/m", ledger)
    assert done.status == 1 and done.outcome["copied"] == 3 and done.outcome["quarantined"] == 2, done
    missed = {m["item"]: m for m in done.missed}
    assert set(missed) == {"cut.msg", "none.MSG"} and {m["folder"] for m in missed.values()} == {"Saved"}
    assert "the file is damaged" in missed["cut.msg"]["reason"], missed
    shutil.copy(big, tree / "cut.msg")
    os.remove(tree / "none.MSG")
    done = postferry("retry", "--from", f"msg:{tree}", "--to", f"maildir:{tmp_path}/m", "--ledger", ledger, "--json")
    assert done.status == 0 and done.outcome["copied"] == 4, done


def test_what_it_is_not(ledger, tmp_path):
    none = copy(f"msg:{tmp_path}/none", f"maildir:{tmp_path}/new", ledger)
    assert none.status == 3 and "no .msg file or directory" in repr(none)
    (tmp_path / "m").mkdir()
    target = copy(f"maildir:{tmp_path}/m", f"msg:{tmp_path}/x", ledger)
    assert target.status == 2 and "archive:" in repr(target)


@needs_corpus
def test_the_source_stays_as_it_is(ledger, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(os.path.dirname(FILES[0]), tree)
    before = [(e.name, e.stat().st_mtime_ns, e.stat().st_atime_ns, e.stat().st_size) for e in os.scandir(tree)]
    assert copy(f"msg:{tree}", f"archive:{tmp_path}/all", ledger).status == 0
    assert [(e.name, e.stat().st_mtime_ns, e.stat().st_atime_ns, e.stat().st_size) for e in os.scandir(tree)] == before
