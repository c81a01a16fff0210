"""What other programs read of Outlook's files, against what arrives of them: attachments octet for octet, recipients, dates."""

import base64
import collections
import datetime
import email
import email.policy
import email.utils
import glob
import hashlib
import os
import re
import shutil
import struct
import subprocess

import corpus
import pytest
import tnef_items as tnef
from mail import Account
from run import copy
from servers.dovecot import Dovecot
from test_msg import PROPERTIES, Message
from test_tnef import INTERFACE, SIGNATURE

olefile = pytest.importorskip("olefile")

MSG = [path for _, path in corpus.files("msg") if path.lower().endswith(".msg")]
PST = [path for _, path in corpus.files("pst") if path.lower().endswith((".pst", ".ost"))]
TNEF = [path for _, path in corpus.files("tnef")]
BINARY = re.compile(r"^(?:ATTACH|PHOTO)[^\r\n]*?:(?:data:[^,]*,)?([A-Za-z0-9+/=]+)\r$", re.M)


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


class Arrived:
    """All that is below an archive: digests of parts and files, messages as the email package reads them."""

    def __init__(self, root):
        self.files, self.messages, self.texts = collections.Counter(), [], []
        for d, _, names in os.walk(root):
            for name in names:
                raw = corpus.read(os.path.join(d, name))
                if os.path.basename(d) in ("cur", "new"):
                    self.messages.append(email.message_from_bytes(raw))
                    self.files.update(digest(part.get_payload(decode=True) or b"") for part in self.messages[-1].walk()
                                      if not part.is_multipart())
                elif name.endswith((".ics", ".vcf")):
                    self.texts.append(re.sub(rb"\r\n[ \t]", b"", raw).decode())
                    self.files.update(digest(base64.b64decode(said)) for said in BINARY.findall(self.texts[-1]))


def people(message):
    """How many are written to; one whose address nobody knows is an empty group (RFC 5322 section 3.4)."""
    lines = [str(line) for name in ("To", "Cc", "Bcc") for line in message.get_all(name, [])]
    return len([one for one in email.utils.getaddresses(lines) if any(one)]) + sum(line.count(": ;") for line in lines)


def sent(message):
    date = email.utils.parsedate_to_datetime(message["Date"]) if message["Date"] else None
    return date.astimezone(datetime.timezone.utc).replace(tzinfo=None) if date is not None and date.tzinfo else date


def times(message):
    """The values of its table that are moments, by property."""
    table = message.stream(PROPERTIES)[32:]
    rows = (struct.unpack_from("<HHIQ", table, at) for at in range(0, len(table) - 15, 16))
    return {number: datetime.datetime(1601, 1, 1) + datetime.timedelta(seconds=value // 10_000_000)
            for kind, number, _, value in rows if kind == 0x40 and 0 < value < 1 << 62}


@pytest.mark.skipif(not MSG, reason="the corpus is not here")
def test_of_msg_files(ledger, tmp_path):
    files = 0
    for n, path in enumerate(MSG):
        with olefile.OleFileIO(path) as ole:
            theirs = Message(ole)
            attached = [digest(a.stream("__substg1.0_37010102")) for a in theirs.parts("__attach") if "__substg1.0_37010102" in a.names]
            recipients, moments = len(theirs.parts("__recip")), times(theirs)
        done = copy(f"msg:{path}", f"archive:{tmp_path}/{n}", f"{ledger}{n}")
        assert done.status == 0 and done.outcome["copied"] == 1, (path, done)
        ours = Arrived(tmp_path / str(n))
        assert not collections.Counter(attached) - ours.files, path
        files += len(attached)
        for message in ours.messages:
            assert people(message) == recipients, path
            assert 0x39 not in moments or sent(message) == moments[0x39], path  # PidTagClientSubmitTime
    assert files > 40


def exported(path, tmp_path):
    """By pffexport: digests of the files of items, and of each message its recipients, by the subject."""
    subprocess.run(["pffexport", "-q", "-m", "items", "-f", "all", "-t", tmp_path / "x", path], check=True,
                   capture_output=True, timeout=100)
    files, recipients = collections.Counter(), collections.Counter()
    for d, _, names in os.walk(tmp_path / "x.export"):
        if os.path.basename(d) == "Attachments":
            files.update(digest(corpus.read(os.path.join(d, name))) for name in names)
        if "Recipients.txt" in names and "/Attachments" not in d and re.match(r"(Message|Meeting)\d+$", os.path.basename(d)):
            head = corpus.read(os.path.join(d, "OutlookHeaders.txt")).decode("utf-8", "replace")
            subject = re.search(r"^Subject:\t*(.*)$", head, re.M)
            told = corpus.read(os.path.join(d, "Recipients.txt")).count(b"Recipient type:")
            recipients[" ".join(subject.group(1).split()) if subject else "", told] += 1
    return files, recipients


@pytest.mark.skipif(not PST or not shutil.which("pffexport"), reason="the corpus, or pffexport, is not here")
def test_of_pst_files(ledger, tmp_path):
    """What pffexport refuses is none of these."""
    seen = 0
    for n, path in enumerate(PST):
        done = copy(f"pst:{path}", f"archive:{tmp_path}/{n}", f"{ledger}{n}")
        if done.status == 3:
            continue
        (tmp_path / f"x{n}").mkdir()
        files, recipients = exported(path, tmp_path / f"x{n}")
        ours = Arrived(tmp_path / str(n))
        assert not files - ours.files, path
        titles = (email.message_from_bytes(m.as_bytes(), policy=email.policy.default)["Subject"] for m in ours.messages)
        assert not recipients - collections.Counter(
            (" ".join(str(title or "").split()), people(m)) for title, m in zip(titles, ours.messages)), path
        seen += sum(files.values())
    assert seen > 50


@pytest.mark.skipif(not TNEF or not shutil.which("tnef"), reason="the corpus, or the program tnef, is not here")
def test_of_tnef_streams(fast_dir, ledger, tmp_path):
    """As an old Exchange gives them over IMAP; one that is broken somewhere stays as it is. What `tnef` writes as files are items
    within and objects of programs as well."""
    theirs = {}
    with Dovecot(fast_dir) as source:
        account = Account(source)
        for n, path in enumerate(TNEF):
            account.append("INBOX", tnef.message(f"Item {n}", corpus.read(path), n))
            out = tmp_path / f"x{n}"
            out.mkdir()
            subprocess.run(["tnef", "--number-backups", "-C", out, "-f", path], capture_output=True, timeout=100, check=False)
            files = [corpus.read(name) for name in glob.glob(f"{out}/*")]
            theirs[path] = collections.Counter(digest(raw) for raw in files if not INTERFACE.match(raw) and not raw.startswith(SIGNATURE))
        account.close()
        done = copy(source.url(), f"archive:{tmp_path}/all", ledger, "--unwrap-tnef")
    assert done.status == 0 and done.outcome["copied"] == len(TNEF), done
    ours = Arrived(tmp_path / "all").files
    whole = [path for path in TNEF if digest(corpus.read(path)) not in ours]
    assert len(whole) > len(TNEF) * 2 // 3
    for path in whole:
        assert not theirs[path] - ours, path
