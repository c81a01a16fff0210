"""
Whole migrations between servers that are right and as odd as the standards permit (torture.py). The seed says all. Nothing may
be lost, doubled or changed, the source must stay as it is, and the servers must have nothing to complain of.
POSTFERRY_TORTURE_SEEDS: "5000" is the first so many, "1234-1240" these, "77" with a comma behind it only that one.
"""

import collections
import concurrent.futures
import hashlib
import os
import shutil
import signal
import tempfile
import time

import pytest
from figures import count
from run import copy, start
from torture import SYSTEM, Server, complaints
from torture_say import encode_name

NAMES = ("Reports", "2023", "NIL", "a b", "Tom & Jerry", "\"Zitate\"", "back\\slash", "100%", "star*", "(x)", "[y]", "{5}", "Größe",
         "日本語", "Отчёты", "😊", "é", "~tilde", "#hash", "&", "&-", "+plus", "x,y", "it's", "Dr. Jones", "a/b", "a.b", "p|q", "c^d", "nil",
         "INBOXES", "Ünal", "z" * 120, "ü&ö", "-", "a\"b\\c", "fetch", "Foo", "foo", "FOO")
KEYWORDS = ("$Forwarded", "NonJunk", "$MDNSent", "Work", "a:b", "x-[1", "#tag", "}brace", "k'", "$Label1", "~", "0", "inf.", "ÿ"[:0] + "K^2")
USES = (b"\\Sent", b"\\Drafts", b"\\Trash", b"\\Junk", b"\\Archive")
SUMS = ("copied", "present")


def chosen_seeds():
    text = os.environ.get("POSTFERRY_TORTURE_SEEDS", "100")
    if "," in text:
        return [int(n) for n in text.split(",") if n]
    first, _, last = text.rpartition("-")
    return list(range(int(first), int(last) + 1) if first else range(int(last)))


def message(rng, n):
    kind = rng.randrange(30)
    head = f"Subject: message {n}\r\nFrom: a{n}@example.org\r\nMessage-ID: <{n}@example.org>\r\n\r\n".encode()
    if kind == 0:
        return b""
    if kind == 1:
        return b"Subject: only a header, %d" % n
    if kind == 2:
        return head + bytes(rng.randrange(1, 256) for _ in range(rng.randrange(300)))
    if kind == 3:
        return head + b"x" * rng.choice((16383, 16384, 16385, 40000)) + b"\r\n"
    if kind == 4:
        return head + b"a bare LF\n and a bare CR\r, and \"quotes\" \\ {5}\r\n) * 1 FETCH (UID 3 FLAGS ())\r\np1 OK done\r\n"
    if kind == 5:
        return head.replace(b"Message-ID", b"X-No-ID") + "8-bit: Grüße\r\n".encode()
    if kind == 6:
        return head + rng.choice((b"", b"\r\n", b".", b"\"", b"\\", b")"))
    if kind == 7 and rng.random() < 0.1:
        return head + b"large " * 300000
    return head + b"line of text\r\n" * rng.randrange(40)


def date(rng):
    zone = rng.choice((0, 60, -300, 330, 345, 840, -720, -210, 1, -1, 719))
    return rng.choice((rng.randrange(0, 2**31), rng.randrange(-10**9, 4 * 10**9), 951782400, 2**31, 0, 86399)), zone


def flags(rng, words):
    return [f for f in SYSTEM if rng.random() < 0.2] + [k for k in words if rng.random() < 0.1]


def segment(rng, server):
    while True:
        name = rng.choice(NAMES)
        if not server.delimiter or server.delimiter not in name:
            return name


def fill(server):
    """A random account."""
    rng = server.rng
    server.keywords += [k.encode() for k in KEYWORDS if rng.random() < 0.5]
    server.keywords += [b"Key%d" % n for n in range(rng.choice((0, 0, 0, 300)))]
    paths = [["INBOX"]]
    for _ in range(rng.randrange(12)):
        parent = rng.choice(paths) if server.delimiter and rng.random() < 0.5 else []
        if parent == ["INBOX"] and server.prefix or len(parent) > 5:
            parent = []
        path = parent + [segment(rng, server)]
        if path not in paths and server.native(path) not in server.boxes:
            paths.append(path)
            server.make_box(server.native(path), path)
    if server.revision != 2 and rng.random() < 0.1: # 8 bits without leave
        server.make_box(server.prefix + "raw Ä".encode(rng.choice(("utf-8", "latin-1"))), ["raw Ä"])
    uses = list(USES)
    for box in list(server.boxes.values())[1:]:
        if rng.random() < 0.1 and uses and len(box.segments) == 1:
            box.use = uses.pop(rng.randrange(len(uses)))
        elif rng.random() < 0.1:
            box.selectable = False
    if rng.random() < 0.1 and not server.prefix and all(b.segments[0] != "INBOX" or len(b.segments) == 1
                                                        for b in server.boxes.values()):
        server.boxes[b"INBOX"].attrs.append(b"\\Noinferiors")
    if rng.random() < 0.2: # gone for long, and still among the subscriptions
        ghost = server.make_box(server.native(["Gone"]), ["Gone"])
        del server.boxes[ghost.name]
        ghost.subscribed = True
        server.ghosts.append(ghost)
    add_messages(server, rng)
    if server.delimiter and server.has("NAMESPACE") and rng.random() < 0.3: # what is of others
        other = server.make_box(b"~" + server.delimiter.encode() + b"bob", ["~", "bob"])
        other.foreign = True
        other.add(b"Subject: not yours\r\n\r\n", [], (0, 0))
    for box in server.boxes.values():
        if rng.random() < 0.1 and box.messages and not box.foreign: # the last UID that there can be
            box.messages[-1].uid = 0xFFFFFFFE
            box.next = 0xFFFFFFFF


def add_messages(server, rng):
    n = 0
    shared = message(rng, 10**6)
    for box in server.boxes.values():
        for _ in range(rng.choice((0, 1, 3, 8, rng.randrange(40))) if box.selectable else 0):
            n += 1
            raw = shared if rng.random() < 0.05 else message(rng, n)
            for _ in range(2 if rng.random() < 0.03 else 1):
                box.next = min(box.next + rng.choice((0, 0, 0, 1, 50)), 0xFFFFF000)
                box.add(raw, flags(rng, server.keywords), date(rng))


def prefill(source, target):
    """Folders that the target has before, and messages of the source that somebody has copied already."""
    rng = target.rng
    if rng.random() < 0.3:
        box = target.boxes[b"INBOX"]
        box.add(b"Subject: was here before\r\n\r\n", [], (86400, 0))
        for m in source.boxes[b"INBOX"].messages[:3]:
            box.add(m.raw, target.keep_flags(m.flags), m.date)
    if rng.random() < 0.3:
        box = target.make_box(target.native(["Papierkorb X"]), ["Papierkorb X"])
        box.use = b"\\Trash"
    if rng.random() < 0.3:
        box = target.make_box(target.native(["Reports"]), ["Reports"])


def contents(box, permitted=None):
    """Digest, flags, date of each message, counted. `permitted`: as a target can have them."""
    out = collections.Counter()
    for m in box.messages:
        words = {f.lower() for f in m.flags}
        if permitted is not None:
            words = {w for w in words if permitted(w)}
        out[hashlib.sha256(m.raw).hexdigest()[:16], len(m.raw), b" ".join(sorted(words)), m.date] += 1
    return out


def fits(target, path):
    """Whether the target can have the path as it is."""
    inbox = target.boxes[b"INBOX"]
    return all((target.delimiter or "/") not in s and len(encode_name(s, False)) < 120 for s in path) and \
        (target.delimiter or len(path) == 1) and not (path[0] == "INBOX" and len(path) > 1 and
                                                     (target.prefix or b"\\Noinferiors" in inbox.attrs))


def compare(source, target, before):
    """What is not as it should be."""
    wrong, taken = [], set()
    known = {k.lower() for k in target.keywords}

    def permitted(word):
        if word.startswith(b"\\"):
            return word in [p.lower() for p in target.permanent]
        return target.any_keyword or word in known

    def plain(box):
        above = [b for b in source.boxes.values() if b.use and b.segments == box.segments[:len(b.segments)]]
        return bool(fits(target, box.segments)) and not above and box.segments[0] not in ("Reports",)

    for box in sorted(source.boxes.values(), key=plain, reverse=True): # what has one place only goes first
        if box.foreign or not box.selectable:
            continue
        want = contents(box, permitted)
        if box.name == b"INBOX":
            want = want + (before["INBOX"] - want)
        places = [t for t in target.boxes.values() if id(t) not in taken and contents(t) == want]
        exact = [t for t in places if t.name == target.native(box.segments)]
        if not places or (plain(box) and not exact and box.segments[-1] != "raw Ä"):
            near = max(target.boxes.values(), key=lambda t: sum((contents(t) & want).values()) + (t.segments == box.segments))
            have = contents(near)
            wrong.append(f"{box.segments} {box.name!r}: {sum(want.values())} messages, " + (
                f"not in {target.native(box.segments)!r}, but in {[t.name for t in places]}" if places else
                f"in {near.name!r} of {list(target.boxes)} lost {list((want - have).items())[:2]} "
                f"more {list((have - want).items())[:2]}"))
            continue
        taken.add(id((exact or places)[0]))
    return wrong


def snapshot(server):
    return {n: (b.validity, b.next, b.subscribed, [(m.uid, m.raw, list(m.flags), m.date) for m in b.messages])
            for n, b in server.boxes.items()}


def run(source, target, ledger, more=()):
    return copy(source.url(), target.url(), ledger, *more, complaints=lambda: complaints(source, target))


def disturb(rng, source, target, ledger):
    """Begin the copy, and end it somewhere on the way."""
    how = rng.choice(("kill", "source", "target", "target"))
    if how != "kill":
        (source if how == "source" else target).cut_after = int(10 ** rng.uniform(2, 5))
        return run(source, target, ledger)
    process = start("copy", "--from", source.url(), "--to", target.url(), "--ledger", ledger, "--allow-plaintext")
    time.sleep(rng.choice((0.02, 0.05, 0.1, 0.15, 0.2, 0.3)))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return None


def until_done(source, target, ledger, more):
    """Run again as long as it says that this helps."""
    done = run(source, target, ledger, more)
    for _ in range(3):
        if done.status != 4:
            break
        done = run(source, target, ledger, more)
    return done


def migrate(seed, directory):
    """One seed; what went wrong."""
    source, target = Server(seed, "source", source=True), Server(seed, "target")
    rng = target.rng
    fill(source)
    prefill(source, target)
    before = {"INBOX": contents(target.boxes[b"INBOX"])}
    kept, ledger = snapshot(source), os.path.join(directory, "ledger")
    more = rng.choice(((), (), ("--connections", "1"), ("--connections", "4")))
    with source, target:
        if rng.random() < 0.25:
            disturb(rng, source, target, ledger)
        done = until_done(source, target, ledger, more)
        wrong = complaints(source, target)
        if done.status != 0:
            wrong.append(f"exit status {done}")
        wrong += compare(source, target, before)
        wrong += ["the source is another one now"] if snapshot(source) != kept else []
        source.counts.clear()
        target.counts.clear()
        done = run(source, target, ledger, more)
        if done.status != 0 or target.counts.get(b"APPEND") or source.counts.get("bodies") or target.counts.get(b"CREATE"):
            wrong.append(f"the second run was not idle: {source.counts} {target.counts} {done}")
        wrong += [v for v in complaints(source, target) if v not in wrong]
        wrong += ["after the second run: " + w for w in compare(source, target, before) if w not in wrong]
    return wrong


def torment(seed):
    directory = tempfile.mkdtemp(prefix="torture-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        wrong = migrate(seed, directory)
    except Exception as what: # the seed must be told
        wrong = [f"{type(what).__name__}: {what}"]
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return seed, wrong


SEEDS = chosen_seeds()
ENOUGH = 10 # seeds that failed: then the others would tell the same


@pytest.mark.timeout(0)
def test_torture():
    failed, tried = [], 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        for seed, wrong in pool.map(torment, SEEDS):
            tried += 1
            failed += [(seed, wrong)] if wrong else []
            if len(failed) == ENOUGH:
                pool.shutdown(cancel_futures=True)
                break
    count("seeds of servers that say things in any permitted form", tried)
    text = "\n".join(f"seed {seed}:\n  " + "\n  ".join(w[:2500] for w in wrong[:4]) for seed, wrong in failed)
    assert not failed, f"{len(failed)} of {tried} seeds: {[s for s, _ in failed]}\n{text}"
