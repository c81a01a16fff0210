"""Messages that a target takes only repaired: known again by what was really sent, and never without their flags."""

import os
import signal

import pytest
from peer import Peer
from run import copy, postferry, start

PLAIN = b"Subject: plain\r\n\r\nab\r\n"
FORMS = {  # what the source has, and what is made of it
    "nul": (b"Subject: odd\r\n\r\na\0b\r\n",
            b"Subject: odd\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBiDQo=\r\n"),
    "long line": (b"Subject: odd\r\n\r\n" + b"x" * 1200 + b"\r\n",
                  b"Subject: odd\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                  + b"=\r\n".join([b"x" * 75] * 16) + b"\r\n"),
    "line ends": (b"Subject: odd\n\nab\n", b"Subject: odd\r\n\r\nab\r\n"),
    "8-bit": (b"Subject: odd \xff\r\n\r\nab\r\n", b"Subject: odd =?unknown-8bit?B?/w==?=\r\n\r\nab\r\n"),
    "part": (b"Subject: odd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nab\r\n--b\r\n\r\na\0b\r\n--b--\r\n",
             b"Subject: odd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nab\r\n--b\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\nYQBi\r\n--b--\r\n"),
}
forms = pytest.mark.parametrize("odd,repaired", FORMS.values(), ids=FORMS)


def source(odd):
    peer = Peer()
    peer.boxes["INBOX"].add(odd, ["\\Seen", "Work"])
    peer.boxes["INBOX"].add(PLAIN, ["\\Flagged"])
    return peer


def strict(repaired):
    return lambda n, raw, flags: "store" if raw in (repaired, PLAIN) else "NO not this one"


def once(b, repaired):
    return sorted((raw, sorted(flags)) for raw, flags, _ in b.boxes["INBOX"].items.values()) == [
        (repaired, ["Work", "\\Seen"]), (PLAIN, ["\\Flagged"])]


@forms
def test_the_link_breaks_behind_the_repaired_message(ledger, odd, repaired):
    cut = []

    def answer(n, raw, flags):
        if raw == repaired and not cut:
            cut.append(n)
            return "store-cut"
        return strict(repaired)(n, raw, flags)
    with source(odd) as a, Peer(append_reply=answer) as b:
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 2 and cut, done
        assert once(b, repaired), b.boxes["INBOX"].items


@forms
def test_killed_behind_the_repaired_message(ledger, odd, repaired):
    """It was put without flags, which were to follow."""
    alive = []

    def answer(n, raw, flags):
        if raw == repaired and alive:
            b.boxes["INBOX"].add(raw, flags)
            alive.pop().send_signal(signal.SIGKILL)
            return "cut"
        return strict(repaired)(n, raw, flags)
    with source(odd) as a, Peer(append_reply=answer) as b:
        process = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        alive.append(process)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert copy(a.url(), b.url(), ledger).status == 0
        assert once(b, repaired), b.boxes["INBOX"].items


@forms
def test_without_the_ledger_it_is_known_again(ledger, odd, repaired):
    with source(odd) as a, Peer(append_reply=strict(repaired)) as b:
        assert copy(a.url(), b.url(), ledger).status == 0
        os.unlink(ledger)
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and done.outcome["present"] == 2 and done.outcome["copied"] == 0, done
        assert once(b, repaired), b.boxes["INBOX"].items


@forms
def test_verify_takes_it_for_what_it_is(ledger, odd, repaired):
    with source(odd) as a, Peer(append_reply=strict(repaired)) as b:
        assert copy(a.url(), b.url(), ledger).status == 0
        verify = ("--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", "--json", "--deep")
        done = postferry("verify", *verify)
        assert done.status == 0 and done.outcome["differing"] == 0, done
        for item in b.boxes["INBOX"].items.values():
            item[0] = item[0].replace(b"\r\n\r\n", b"\r\n\r\nZZZZ", 1)
        assert postferry("verify", *verify).outcome["differing"] == 2


@pytest.mark.parametrize("date", ["00-Jan-0000 00:00:00 +0000", "30-Dec-1899 00:00:00 +0000"])
@forms
def test_the_link_breaks_behind_what_has_another_date_as_well(ledger, odd, repaired, date):
    """Neither its size nor its date are those that the source lists."""
    cut = []

    def answer(n, raw, flags):
        if raw == repaired and not cut:
            cut.append(n)
            return "store-cut"
        return strict(repaired)(n, raw, flags)

    def before(session, word, args):
        return "NO bad date" if word == "APPEND" and "1899" in args else None
    with source(odd) as a, Peer(append_reply=answer, before=before) as b:
        a.boxes["INBOX"].items[1][2] = date
        done = copy(a.url(), b.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 2 and cut, done
        assert once(b, repaired), b.boxes["INBOX"].items
