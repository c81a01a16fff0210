"""Silent loss: cases 1 to 16 of the field notes that concern IMAP."""

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Box, Peer


def test_fn00_plain(ledger):
    with source() as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert not a.commands("SELECT") and not a.commands("STORE") and a.commands("EXAMINE")


@pytest.mark.parametrize("fault", ["hide_row", "nil_body", "empty_body"])
def test_fn01_fetch_ok_but_no_message(ledger, fault):
    with source(**{fault: (4,)}) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["copied"] == 9 and done.outcome["quarantined"] == 1, done
        assert done.missed[0]["item"] == "4"


def test_fn02_stub_is_not_the_message(ledger):
    with source(stub=(5,)) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and len(bodies(b)) == 9, done
        assert not any(b"Retrieval using" in m for m in bodies(b))


def test_fn04_folders_that_only_lsub_knows(ledger):
    peer = source(subscribed_only=("Hidden",))
    peer.boxes["Hidden"] = Box()
    peer.boxes["Hidden"].add(b"Subject: hidden\r\n\r\nx\r\n")
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Hidden") == [b"Subject: hidden\r\n\r\nx\r\n"], done
        assert "11004" in done.out


@pytest.mark.parametrize("line,name,path", [
    ('* LIST () "/" 2023', "2023", "2023"),
    ('* LIST () "/" NIL', "NIL", "NIL"),
    ('* LIST () "/" &U,BTFw-', "&U,BTFw-", "&U,BTFw-"),
    ('* LIST () "/" "Tom &- Jerry"', "Tom &- Jerry", "Tom &- Jerry"),
    ('* LIST () "/" Two Words', "Two Words", "Two Words"),
    ('* LIST (\\X-New "odd") "/" "q"', "q", "q"),
])
def test_fn05_names(ledger, line, name, path):
    peer = source([], raw_list=('* LIST () "/" INBOX', line))
    peer.boxes[name] = Box()
    peer.boxes[name].add(MESSAGES[0])
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, path) == [MESSAGES[0]], done


@pytest.mark.parametrize("size", [0, 1, 99999999, "-3", "9.3736e+06"])
def test_fn06_wrong_sizes_throw_nothing_away(ledger, size):
    with source(size=lambda uid, raw: size) as a, Peer() as b:
        done = run(a, b, ledger, timeout=60)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


@pytest.mark.parametrize("reply", [
    "NO [UNAVAILABLE] busy", "NO [INUSE] locked", "NO Server Unavailable. 15",
    "BAD Request is throttled. Suggested Backoff Time: 800 milliseconds", "NO [THROTTLED] slow down"])
def test_fn08_fn24_what_may_pass_is_tried_again(ledger, reply):
    def answer(n, raw, flags):
        return reply if n <= 3 else "store"
    with source() as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_fn08_what_does_not_pass_is_left_to_the_next_run(ledger):
    bad = MESSAGES[2]
    with source(MESSAGES[:4]) as a, Peer(append_reply=lambda n, raw, f: "NO [INUSE] locked" if raw == bad else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["open"] == 1 and done.outcome["copied"] == 3, done
        b.append_reply = None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES[:4]), done


def test_fn10_interrupted_listing_is_not_taken_for_truth(ledger):
    with source(list_rows=6) as a, Peer() as b:
        done = run(a, b, ledger, "--mirror")
        assert done.status == 1 and done.outcome["folders_failed"] == 1, done
        assert not b.commands("EXPUNGE")


def test_fn14_one_unreadable_item_costs_itself(ledger):
    with source(cut_at=(5,)) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and len(bodies(b)) == 9, done
        assert MESSAGES[4] not in bodies(b)


def test_fn13_a_target_that_truncates_is_found(ledger):
    big = b"Subject: big\r\n\r\n" + b"line\r\n" * 20000
    with source([MESSAGES[0], big]) as a, Peer(rewrite=lambda raw: raw[:65536]) as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["quarantined"] == 1, done
