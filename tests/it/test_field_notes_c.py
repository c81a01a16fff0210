"""The run stops or crawls: cases 24 to 41 of the field notes that concern IMAP."""

import glob

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Box, Peer


def test_fn26_connection_cap(ledger):
    peer = source(max_connections=1)
    for n in range(5):
        peer.boxes[f"F{n}"] = Box()
        peer.boxes[f"F{n}"].add(MESSAGES[n])
    with peer as a, Peer(max_connections=1) as b:
        done = run(a, b, ledger, "--connections", "4")
        assert done.status == 0 and bodies(b, "F4") == [MESSAGES[4]], done
        assert a.logins < 10


def test_fn28_signed_in_but_not_connected(ledger):
    with source(after_login="BAD User is authenticated but not connected.") as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status in (3, 4) and "authenticated but not connected" in done.err, done


def test_fn30_bad_append_ends_the_session_but_not_the_folder(ledger):
    bad = MESSAGES[4]

    def answer(n, raw, flags):
        return ("* BYE Connection closed. 14", None) if raw == bad else "store"
    with source() as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger, timeout=110)
        assert done.status == 1 and len(bodies(b)) == 9, done


def test_fn31_too_large_is_known_before(ledger):
    big = b"Subject: big\r\n\r\n" + b"x" * 5000 + b"\r\n"
    with source([MESSAGES[0], big]) as a, Peer(caps=Peer.caps + " APPENDLIMIT=2000") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]] and b.appends == 1, done
        assert glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)


def test_fn32_a_full_target_pauses_the_account(ledger):
    with source() as a, Peer(append_reply=lambda n, raw, f: "NO [OVERQUOTA] full" if n > 3 else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 4 and "full" in done.out and b.appends < 12, done
        b.append_reply = None
        assert run(a, b, ledger).status == 0 and bodies(b) == sorted(MESSAGES)


def test_fn35_endless_bye(ledger):
    with source() as a, Peer(bye_at_login=b"* BYE go away\r\n" * 100) as b:
        done = run(a, b, ledger, timeout=60)
        assert done.status in (3, 4) and "go away" in done.err, done


@pytest.mark.parametrize("reply", ["NO Folder name is reserved", "NO [CANNOT] Folder contains excess whitespace",
                                   "NO Character not allowed in mailbox name: '!'"])
def test_fn37_a_refused_folder_name_gets_another(ledger, reply):
    peer = source([])
    peer.boxes["Files!"] = Box()
    peer.boxes["Files!"].add(MESSAGES[0])
    with peer as a, Peer(create_reply=lambda name: reply if name == "Files!" else None) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Files") == [MESSAGES[0]], done


def test_14001_costs_one_response(ledger):
    """KB902237: several folders, and answers that nobody can interpret in between."""
    peer = source(noise=b"* 5 FETCH (UID x FLAGS\r\n* LIST nonsense\r\nCAPABILITY completed.\r\n")
    for n in range(4):
        peer.boxes[f"Folder {n}"] = Box()
        peer.boxes[f"Folder {n}"].add(MESSAGES[n])
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Folder 3") == [MESSAGES[3]], done
        assert "14001" in done.out
