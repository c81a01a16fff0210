"""A target that is still storing what it had received when the link broke: a listing that comes sooner does not show it."""

import signal

import pytest
from field_notes import quick
from peer import Peer
from run import copy, start

MESSAGES = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(6)]


class Late:
    """Of a Peer: appends number 3 and 4 break the link and are stored between the first listing behind that and the second."""

    def __init__(self, looks=1):
        self.pending, self.listings, self.looks, self.broke = [], 0, looks, lambda: None

    def append(self, n, raw, flags):
        if n not in (3, 4):
            return "store"
        self.pending.append((raw, list(flags)))
        self.broke()
        return "cut"

    def before(self, session, word, args):
        if not self.pending or word not in ("SELECT", "UID_FETCH", "NOOP"):
            return
        if word == "UID_FETCH" and "INTERNALDATE" in args:
            self.listings += 1
        elif self.listings >= self.looks:
            while self.pending:
                session.peer.boxes["INBOX"].add(*self.pending.pop(0))


def source():
    peer = Peer()
    for n, raw in enumerate(MESSAGES):
        peer.boxes["INBOX"].add(raw, ["\\Seen"] * (n % 2))
    return peer


def once(peer):
    return sorted(raw for raw, _, _ in peer.boxes["INBOX"].items.values()) == MESSAGES


@pytest.mark.parametrize("caps", [Peer.caps, Peer.caps.replace(" UIDPLUS", "")])
def test_link_broken_while_it_stores(ledger, caps):
    late = Late()
    with source() as a, Peer(append_reply=late.append, before=late.before, caps=caps) as b:
        done = copy(a.url(), b.url(), ledger, env=quick(20))
        assert done.status == 0 and done.outcome["copied"] == 6 and "12019" in done.out, done
        assert not late.pending and once(b), b.boxes["INBOX"].items


def test_killed_while_it_stores(ledger):
    late = Late()
    with source() as a, Peer(append_reply=late.append, before=late.before) as b:
        process = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        late.broke = lambda: process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        late.broke = lambda: None
        late.listings = 0
        done = copy(a.url(), b.url(), ledger, env=quick(20))
        assert done.status == 0 and done.outcome["copied"] == 6, done
        assert not late.pending and once(b), b.boxes["INBOX"].items
        assert copy(a.url(), b.url(), ledger).outcome["copied_now"] == 0
