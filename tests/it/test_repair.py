"""Messages that a target takes only repaired: known again by what was really sent, and never without their flags."""

import os
import signal

from peer import Peer
from run import copy, postferry, start

NUL = b"Subject: nul\r\n\r\na\0b\r\n"
PLAIN = b"Subject: plain\r\n\r\nab\r\n"
REPAIRED = NUL.replace(b"\0", b" ")


def source():
    peer = Peer()
    peer.boxes["INBOX"].add(NUL, ["\\Seen", "Work"])
    peer.boxes["INBOX"].add(PLAIN, ["\\Flagged"])
    return peer


def strict(_, raw, __):
    return "NO no NULs here" if b"\0" in raw else "store"


def once(b):
    return sorted((raw, sorted(flags)) for raw, flags, _ in b.boxes["INBOX"].items.values()) == [
        (REPAIRED, ["Work", "\\Seen"]), (PLAIN, ["\\Flagged"])]


def test_the_link_breaks_behind_the_repaired_message(ledger):
    cut = []

    def answer(n, raw, flags):
        if raw == REPAIRED and not cut:
            cut.append(n)
            return "store-cut"
        return strict(n, raw, flags)
    with source() as a, Peer(append_reply=answer) as b:
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 2 and cut, done
        assert once(b), b.boxes["INBOX"].items


def test_killed_behind_the_repaired_message(ledger):
    """It was put without flags, which were to follow."""
    alive = []

    def answer(n, raw, flags):
        if raw == REPAIRED and alive:
            b.boxes["INBOX"].add(raw, flags)
            alive.pop().send_signal(signal.SIGKILL)
            return "cut"
        return strict(n, raw, flags)
    with source() as a, Peer(append_reply=answer) as b:
        process = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        alive.append(process)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert copy(a.url(), b.url(), ledger).status == 0
        assert once(b), b.boxes["INBOX"].items


def test_without_the_ledger_it_is_known_again(ledger):
    with source() as a, Peer(append_reply=strict) as b:
        assert copy(a.url(), b.url(), ledger).status == 0
        os.unlink(ledger)
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and done.outcome["present"] == 2 and done.outcome["copied"] == 0, done
        assert once(b), b.boxes["INBOX"].items


def test_verify_takes_it_for_what_it_is(ledger):
    with source() as a, Peer(append_reply=strict) as b:
        assert copy(a.url(), b.url(), ledger).status == 0
        verify = ("--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", "--json", "--deep")
        done = postferry("verify", *verify)
        assert done.status == 0 and done.outcome["differing"] == 0, done
        for item in b.boxes["INBOX"].items.values():
            item[0] = item[0].replace(b"b\r\n", b"c\r\n")
        assert postferry("verify", *verify).outcome["differing"] == 2
