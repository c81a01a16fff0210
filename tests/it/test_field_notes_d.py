"""Fidelity of mail: cases 42 to 49 of the field notes that concern IMAP."""

import glob

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Peer


@pytest.mark.parametrize("date,stored", [
    ("00-Jan-0000 00:00:00 +0000", None), ("30-Dec-1899 00:00:00 +0000", "30-Dec-1899 00:00:00 +0000"),
    (" 7-Aug-1996 12:00:00 +0530", " 7-Aug-1996 12:00:00 +0530"), ("7-Aug-1996 12:00:00 GMT", " 7-Aug-1996 12:00:00 +0000"),
    ("19-Jan-2040 03:14:08 +0000", "19-Jan-2040 03:14:08 +0000")])
def test_fn42_dates(ledger, date, stored):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], [], date)
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0, done
        got = [i[2] for i in b.boxes["INBOX"].items.values()]
        assert len(got) == 1 and (stored is None or got == [stored])


def test_fn43_a_flag_never_costs_a_message(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Recent", "\\X-ODD", "TEST:FLAG211", "$Ok"])

    def answer(n, raw, flags):
        return "NO APPEND failed" if "TEST:FLAG211" in flags else "store"
    with peer as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [MESSAGES[0]], done
        flags = list(b.boxes["INBOX"].items.values())[0][1]
        assert "\\Seen" in flags and "\\Recent" not in flags and "\\X-ODD" not in flags


def test_fn43_only_permitted_flags_are_sent(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Flagged", "Work"])
    with peer as a, Peer(permanent="\\Seen Work") as b:
        assert run(a, b, ledger).status == 0
        assert sorted(list(b.boxes["INBOX"].items.values())[0][1]) == ["Work", "\\Seen"]


def test_fn44_flags_lost_by_append_are_stored(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Flagged"])
    with peer as a, Peer(store_flags=lambda flags: [f for f in flags if f != "\\Flagged"]) as b:
        assert run(a, b, ledger).status == 0
        assert "\\Flagged" in list(b.boxes["INBOX"].items.values())[0][1]


def test_fn46_fn47_refused_bytes_are_repaired_and_the_original_kept(ledger):
    nul = b"Subject: nul\r\n\r\na\0b\r\n"

    def answer(n, raw, flags):
        return "NO Message contains NUL characters" if b"\0" in raw else "store"
    with source([nul, MESSAGES[0]]) as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted([nul.replace(b"\0", b" "), MESSAGES[0]]), done
        kept = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)
        with open(kept[0], "rb") as f:
            assert f.read() == nul


def test_fn46_refused_as_it_was_and_repaired(ledger):
    """What the quarantine keeps is the source's message, not what was made of it."""
    nul = b"Subject: nul\r\n\r\na\0b\r\n"
    with source([nul, MESSAGES[0]]) as a, Peer(append_reply=lambda n, raw, flags:
                                               "NO no such words" if b"nul" in raw else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]], done
        kept = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)
        with open(kept[0], "rb") as f:
            assert f.read() == nul
        assert "NO no such words" in done.missed[0]["reason"] and "repaired" in done.missed[0]["reason"]
