"""COMPRESS=DEFLATE on slow links: what comes is what was there, whatever becomes of the command."""

import time

import pytest
from field_notes import bodies, run, source
from mail import Account, difference, snapshot
from peer import Peer
from run import copy
from servers.dovecot import Dovecot
from servers.proxy import Proxy

TEXT = b"All work and no play makes Jack a dull boy.\r\n"
LARGE = [f"Subject: message {n}\r\nFrom: a@x\r\n\r\n".encode() + TEXT * 11000 for n in range(24)]  # half a MiB each
ZLIB = "protocol imap {\n  mail_plugins = imap_zlib\n}\n"
CAPS = Peer.caps + " COMPRESS=DEFLATE"


def slow(then=lambda session, word, args: None):
    """A server that is waited for: what a slow link looks like."""
    def before(session, word, args):
        if word == "UID_FETCH" and "BODY" in args:
            time.sleep(0.7)
        return then(session, word, args)
    return before


def on_compress(answer):
    return slow(lambda session, word, args: answer(session) if word == "COMPRESS" else None)


def squeeze(early=b""):
    def answer(session):
        session.compress(session.tag, early)
        return ()
    return answer


@pytest.mark.parametrize("early", [b"", b"* 24 EXISTS\r\n* OK still here\r\n"], ids=["nothing", "something"])
def test_every_octet_in_a_packet_of_its_own(ledger, early):
    a = source(LARGE, caps=CAPS, before=on_compress(squeeze(early)))
    with a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1")
        assert done.status == 0, done
        assert bodies(b) == sorted(LARGE)
        assert a.commands("COMPRESS") == ["COMPRESS DEFLATE"]
        after = a.log[a.log.index("COMPRESS DEFLATE"):]
        assert any("BODY.PEEK[]" in c for c in after), after
        assert not b.commands("COMPRESS")  # it does not offer it


@pytest.mark.parametrize("answer, asked", [
    (lambda session: "NO not today", 1),
    (lambda session: "NO [COMPRESSIONACTIVE] TLS does it", 1),
    (lambda session: "BAD what?", 1),
    (lambda session: "cut", 2),
    (lambda session: (f"{session.tag} OK from here on", None), 1),
], ids=["no", "active", "bad", "dropped", "hangs-up"])
def test_server_does_not_do_it(ledger, answer, asked):
    a = source(LARGE, caps=CAPS, before=on_compress(answer))
    with a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1")
        assert done.status == 0, done
        assert bodies(b) == sorted(LARGE)
        assert len(a.commands("COMPRESS")) == asked, a.log


def test_server_says_ok_and_goes_on_in_plain_text(ledger):
    a = source(LARGE, caps=CAPS, before=on_compress(lambda session: "OK\r\n* OK Dear me, I forgot to compress"))
    with a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1")
        assert done.status == 0, done
        assert bodies(b) == sorted(LARGE)
        assert len(a.commands("COMPRESS")) == 1


def test_who_asks_for_a_rate_gets_it_uncompressed(ledger):
    with source(LARGE, caps=CAPS, before=slow()) as a, Peer(caps=CAPS) as b:
        done = run(a, b, ledger, "--connections", "1", "--rate", "100000000")
        assert done.status == 0, done
        assert bodies(b) == sorted(LARGE)
        assert not a.commands("COMPRESS") and not b.commands("COMPRESS")


def test_dovecot_over_a_slow_line_both_ways(fast_dir, ledger):
    with Dovecot(fast_dir, extra=ZLIB) as a, Dovecot(fast_dir, extra=ZLIB) as b:
        account = Account(a)
        for n, raw in enumerate(LARGE * 2):
            account.append("INBOX", raw + b"%d\r\n" % n)
        account.close()
        with Proxy(a.port, bytes_a_second=1500000) as slow_a, Proxy(b.port, bytes_a_second=1500000) as slow_b:
            done = copy(slow_a.url(), slow_b.url(), ledger)
            assert done.status == 0, done
            assert difference(snapshot(a), snapshot(b)) == []
            total = sum(map(len, LARGE)) * 2
            assert slow_a.moved["down"] < total * 3 // 4, slow_a.moved
            assert slow_b.moved["up"] < total * 3 // 4, slow_b.moved
