"""What goes wrong in real migrations: the cases of the field notes that concern IMAP, by their numbers."""

import glob

import pytest
from peer import Box, Peer
from run import copy

MESSAGES = [f"Subject: message {n}\r\nFrom: a@x\r\n\r\nbody {n} {'x' * n}\r\n".encode() for n in range(1, 11)]


def source(messages=None, **faults):
    peer = Peer(**faults)
    for raw in MESSAGES if messages is None else messages:
        peer.boxes["INBOX"].add(raw, ["\\Seen"])
    return peer


def bodies(peer, name="INBOX"):
    return sorted(i[0] for i in peer.boxes[name].items.values())


def run(a, b, ledger, *more, **kw):
    return copy(a.url(), b.url(), ledger, *more, **kw)


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


def test_fn17_a_target_that_rewrites_makes_no_duplicates(ledger, tmp_path):
    def rewrite(raw):
        return b"X-Added: yes\r\nMessage-ID: <new@x>\r\n" + raw
    with source() as a, Peer(rewrite=rewrite) as b:
        for _ in range(3):
            done = run(a, b, ledger)
            assert done.status == 0 and len(bodies(b)) == 10, done
        done = run(a, b, str(tmp_path / "lost"))
        assert done.status == 0 and len(bodies(b)) == 10 and done.outcome["present_now"] == 10, done


@pytest.mark.parametrize("how", ["store-cut", "cut"])
@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1"])
def test_fn18_fn19_the_link_dies_around_the_commit(ledger, how, caps):
    with source() as a, Peer(caps=caps, append_reply=lambda n, raw, f: how if n in (3, 7) else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_fn19_without_uidplus_ids_are_found(ledger):
    with source() as a, Peer(caps="IMAP4rev1") as b:
        assert run(a, b, ledger).status == 0
        assert run(a, b, ledger).outcome["copied_now"] == 0
        assert bodies(b) == sorted(MESSAGES)


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


def test_fn13_a_target_that_truncates_is_found(ledger):
    big = b"Subject: big\r\n\r\n" + b"line\r\n" * 20000
    with source([MESSAGES[0], big]) as a, Peer(rewrite=lambda raw: raw[:65536]) as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["quarantined"] == 1, done


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
