"""What IMAP of Exchange 5.5 to Online does otherwise than the standards say, as far as no case of the field notes is about it."""

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Box, Peer
from run import postferry

GREETING = "* OK The Microsoft Exchange IMAP4 service is ready."


def bare_ok(session, word, args):
    """Each answer ends in an OK without text."""
    method = getattr(session, "do_" + word.lower(), None)
    reply = method and word not in ("LOGOUT", "APPEND", "LOGIN") and method(args)
    return "OK" if reply and reply.startswith("OK") else reply or None


def test_2003_an_ok_without_text(ledger):
    with source(before=bare_ok) as a, Peer(before=bare_ok) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_2003_a_stray_line_without_a_tag(ledger):
    """libetpan 45: "CAPABILITY completed." behind the tagged one."""
    with source(noise=b"CAPABILITY completed.\r\n") as a, Peer(noise=b"CAPABILITY completed.\r\n") as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_2013_no_command_is_longer_than_8000_octets(ledger):
    """MaxCommandSize; of UIDs that make no ranges."""
    many = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(2500)]
    with source([]) as a, Peer() as b:
        inbox = a.boxes["INBOX"]
        inbox.next = 1_000_000
        for raw in many:
            inbox.add(raw)
            inbox.next += 1
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(many), done
        assert max(map(len, a.log + b.log)) < 8000


@pytest.mark.parametrize("side", ["source", "target"])
def test_online_imap4rev2_is_not_enabled_beside_rev1(ledger, side):
    faults = {"greeting": GREETING, "caps": "IMAP4rev1 IMAP4rev2 ENABLE UIDPLUS LITERAL+ NAMESPACE"}
    with source(**(faults if side == "source" else {})) as a, Peer(**(faults if side == "target" else {})) as b:
        a.boxes["Tom &- J"] = Box()
        a.boxes["Tom &- J"].add(MESSAGES[0])
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES) and bodies(b, "Tom &- J") == [MESSAGES[0]], done
        assert not [c for c in a.log + b.log if "REV2" in c.upper()]


def test_2007_a_name_that_ends_in_a_blank_loses_it_and_nothing_else(ledger):
    """FAQ.Exchange: SELECT of such a folder breaks the connection. It is not taken for the one without."""
    with source() as a, Peer(greeting=GREETING) as b:
        for n, name in enumerate(("Old", "Old ", "New  ")):
            a.boxes[name] = Box()
            a.boxes[name].add(MESSAGES[n])
        done = run(a, b, ledger)
        assert done.status == 0 and not [name for name in b.boxes if name != name.strip()], (b.boxes, done)
        assert bodies(b, "Old") == [MESSAGES[0]] and bodies(b, "New") == [MESSAGES[2]]
        assert [name for name in b.boxes if bodies(b, name) == [MESSAGES[1]]]


def test_2007_that_meeting_requests_are_texts_is_said_where_it_is_explained():
    assert "ImapForceICalForCalendarRetrievalOption" in postferry("explain", "11014").out
