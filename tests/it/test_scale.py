"""Large accounts: memory has a ceiling, and so has the number of round trips. No times: machines differ."""

import glob
import hashlib
import os
import re
import subprocess
import time

import pytest
from mail import FOLDERS, Account, message, snapshot
from peer import Box, Peer
from run import BINARY, arguments, commands, copy, environment
from servers.base import MAIL_GID, MAIL_UID
from servers.cyrus import Cyrus, available
from servers.dovecot import Dovecot

SOAK = "POSTFERRY_SOAK" in os.environ
SANITIZED = b"__asan_init" in open(BINARY, "rb").read() if os.path.exists(BINARY) else False
LARGE = 1 << 30 if SOAK else 96 << 20


def peak_kib(command, *args):
    """(exit status, most memory that was resident) of a run. What wait4 tells would count this process, too."""
    process = subprocess.Popen(arguments(command, *args), env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as f:
            found = re.search(r"^VmHWM:\s*(\d+) kB", f.read(), re.M)
        peak = max(peak, int(found.group(1)) if found else 0)
        time.sleep(0.01)
    return process.returncode, peak


def most(mib):
    """The sanitizers keep what was freed, and shadows of it: their builds only show that it is no multiple."""
    return (mib * 1024) * (6 if SANITIZED else 1)


def fill_boxes(peer, count):
    for n in range(count - 1):
        box = peer.boxes[f"f{n // 100}/g{n % 100 // 10}/h{n}"] = Box()
        box.add(b"Subject: %d\r\n\r\nx\r\n" % n)


def test_what_is_in_flight_has_a_limit_when_the_target_takes_its_time(ledger):
    """Sixty messages of a MiB: no more of them are read than the window holds, while the first waits for its answer."""
    read = []

    def waits(n, *_):
        last = -1
        while n == 1 and last != a.rows:  # until nothing more is read
            last = a.rows
            time.sleep(1)
        read.append(a.rows)
        return "store"
    with Peer() as a, Peer(append_reply=waits) as b:
        for n in range(60):
            a.boxes["INBOX"].add(b"Subject: %d\r\n\r\n" % n + b"x" * (1 << 20) + b"\r\n")
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and len(b.boxes["INBOX"].items) == 60, done
        assert read[0] <= 8, read


def test_many_folders(ledger):
    """Twelve commands a folder at the most, whatever their number; the second run reads no body."""
    count = 5000 if SOAK else 200
    with Peer() as a, Peer() as b:
        fill_boxes(a, count)
        done = copy(a.url(), b.url(), ledger, timeout=250)
        assert done.status == 0 and done.outcome["copied"] == count - 1, done
        assert len(a.log) + len(b.log) < 12 * count
        a.log.clear()
        b.log.clear()
        done = copy(a.url(), b.url(), ledger, timeout=250)
        assert done.status == 0 and done.outcome["copied_now"] == 0, done
        assert not [c for c in a.log + b.log if "BODY" in c or c.startswith(("APPEND", "CREATE"))]
        assert len(a.log) + len(b.log) < 7 * count


def test_thirty_levels(pair, ledger):
    source, target = pair
    deep = ["INBOX"] + ["/".join(f"level {n}" for n in range(depth)) for depth in range(1, 31)]
    account = Account(source)
    account.fill(deep, 1)
    account.close()
    done = copy(source.url(), target.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 31, done
    assert snapshot(source) == snapshot(target)


def large_maildir(top, size):
    for sub in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(top, sub))
    name = os.path.join(top, "cur", "1500000000.M1P1.host:2,S")
    block = (b"y" * 126 + b"\r\n") * 8192
    with open(name, "wb") as f:
        f.write(b"Subject: large\r\n\r\n")
        for _ in range(size // len(block)):
            f.write(block)
    os.utime(name, (1500000000, 1500000000))
    subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", os.path.dirname(top)], check=True)


def digest_of_only_file(top):
    (name,) = glob.glob(os.path.join(glob.escape(top), "cur", "*"))
    with open(name, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


@pytest.mark.parametrize("from_kind,to_kind", [("imap", "imap"), ("maildir", "imap"), ("imap", "maildir")])
@pytest.mark.parametrize("more", [(), ("--connections", "1")])
def test_a_large_message_streams(fast_dir, ledger, tmp_path, from_kind, to_kind, more):
    """FIELD-NOTES 33: a message of 1 GB goes by in less than 64 MB."""
    with Dovecot(fast_dir) as a, Dovecot(fast_dir, extra="mail_save_crlf = yes") as b:
        large_maildir(a.maildir(), LARGE)
        source = a.url() if from_kind == "imap" else f"maildir:{a.maildir()}"
        box = os.path.join(b.dir, "box") if to_kind == "maildir" else b.maildir()
        target = b.url() if to_kind == "imap" else f"maildir:{box}"
        status, kib = peak_kib("copy", "--from", source, "--to", target, "--ledger", ledger, "--allow-plaintext", *more)
        assert status == 0
        assert kib < most(64)
        assert digest_of_only_file(a.maildir()) == digest_of_only_file(box)


@pytest.mark.parametrize("kind", ["imap", "maildir"])
def test_a_large_folder_is_planned(fast_dir, ledger, kind):
    """200,000 messages are listed and planned in less than 100 MB."""
    count = 200_000 if SOAK else 20_000
    with Dovecot(fast_dir) as a, Dovecot(fast_dir) as b:
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(a.maildir(), sub))
        for n in range(count):
            with open(os.path.join(a.maildir(), "cur", f"{1500000000 + n}.M{n}P1.host,S=16,W=16:2,S"), "wb") as f:
                f.write(b"Subject: x\r\n\r\nx\r\n"[:16])
        subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", a.path("home")], check=True)
        source = a.url() if kind == "imap" else f"maildir:{a.maildir()}"
        status, kib = peak_kib("check", "--from", source, "--to", b.url(), "--allow-plaintext")
        assert status == 0
        assert kib < most(100 if SOAK else 40)


def test_very_long_rows_of_a_listing(ledger):
    """A thousand keywords on each message: 14 KiB a row."""
    words = [f"keyword{n:06d}" for n in range(1000)]
    with Peer() as a, Peer() as b:
        for n in range(50):
            a.boxes["INBOX"].add(message(n), words)
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 50, done
        assert all(set(item[1]) == set(words) for item in b.boxes["INBOX"].items.values())


def make_target(kind, fast_dir):
    if kind == "cyrus" and not available():
        pytest.skip("Cyrus is not unpacked: see script/lib.sh")
    return {"dovecot": lambda: Dovecot(fast_dir), "cyrus": lambda: Cyrus(fast_dir), "plain": lambda: Peer(caps="IMAP4rev1")}[kind]()


@pytest.mark.parametrize("from_kind,to_kind,limit", [
    ("dovecot", "dovecot", 16), ("cyrus", "cyrus", 60), ("plain", "dovecot", 90), ("plain", "plain", 110)])
def test_second_run_is_cheap_and_the_third_takes_what_is_new(fast_dir, ledger, tmp_path, from_kind, to_kind, limit):
    """Nothing new: no body is asked for, nothing is stored. `limit`: commands of both sides, for a dozen folders."""
    trace = str(tmp_path / "trace")
    with make_target(from_kind, fast_dir) as a, make_target(to_kind, fast_dir) as b:
        if from_kind == "plain":
            for n in range(96):
                a.boxes.setdefault(f"folder {n % 12}", Box()).add(message(n), ["\\Seen"])
        else:
            account = Account(a)
            account.fill(FOLDERS[:12], 8)
            account.close()
        assert copy(a.url(), b.url(), ledger).outcome["copied"] == 96
        again = copy(a.url(), b.url(), ledger, "--trace", trace)
        sent = commands(trace)
        assert again.status == 0 and again.outcome["copied_now"] == 0, again
        assert not sent["APPEND"] and sum(sent.values()) <= limit, sent
        with open(trace, "rb") as f:
            assert b"BODY" not in re.sub(rb"(?m)^\*.*$", b"", f.read())
        if from_kind == "plain":
            for n in range(1000, 1010):
                a.boxes["folder 3"].add(message(n))
        else:
            account = Account(a)
            for n in range(1000, 1010):
                account.append("INBOX", message(n))
            account.close()
        assert copy(a.url(), b.url(), ledger).outcome["copied_now"] == 10
        assert copy(a.url(), b.url(), ledger).outcome["copied_now"] == 0
