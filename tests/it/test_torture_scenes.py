"""What happens to an account while it is read: single scenes on the server of the torture test, with all else calm."""

import unicodedata

import pytest
from field_notes import quick
from run import copy
from torture import SYSTEM, Server, complaints


def calm(side, *extensions):
    server = Server("scene", side, source=side == "source", calm=True)
    server.revision, server.utf8, server.delimiter, server.prefix = 1, False, "/", b""
    server.preauth = server.dawdles = server.login_disabled = False
    server.chunks, server.refuses, server.extensions = 0, set(), list(extensions)
    server.any_keyword, server.says_permanent, server.permanent = True, True, list(SYSTEM)
    return server


@pytest.fixture
def sides():
    source, target = calm("source"), calm("target", "UIDPLUS", "LITERAL+")
    for name in ("INBOX", "A", "B"):
        box = source.find(name.encode()) or source.make_box(name.encode(), [name])
        for n in range(5):
            box.add(f"Subject: {name} {n}\r\n\r\n{n}\r\n".encode(), [b"\\Seen"], (86400 * n, 0))
    with source, target:
        yield source, target
    assert not complaints(source, target)


def run(sides, ledger, *more):
    return copy(sides[0].url(), sides[1].url(), ledger, *more, env=quick(20), # pauses and deadlines are short
                complaints=lambda: complaints(*sides))


def reads_body(command):
    return command.name == b"UID FETCH" and any(item[0] == b"BODY.PEEK" for item in command["items"])


def unsticky(session, command):
    """Other UIDs with each look at the folder (RFC 4315: UIDNOTSTICKY)."""
    box = session.server.find(command["mailbox"]) if command.name in (b"SELECT", b"EXAMINE") else None
    if box:
        box.validity += 1
        box.next += 7
        for m in box.messages:
            m.uid += 7


def asks_for(session, command, uid):
    return any(m.uid == uid for m in session.chosen(command["set"]))


def test_a_message_at_which_the_server_hangs_up_before_a_word(sides, ledger):
    """It costs itself only, and a bounded number of connections."""
    def hang_up(session, command):
        if reads_body(command) and session.box.name == b"A" and asks_for(session, command, bad):
            raise ConnectionError
    source, target = sides
    bad = source.boxes[b"A"].messages[2].uid
    source.hook = hang_up
    done = run(sides, ledger)
    assert done.status == 1 and done.outcome["copied"] == 14, done
    assert len(target.boxes[b"A"].messages) == 4 and source.connections < 50


def test_expunged_between_listing_and_reading(sides, ledger):
    def expunge(session, command):
        if reads_body(command) and session.box.name == b"A" and len(session.view) == 5:
            session.box.messages.remove(session.view.pop(2))
            session.output += b"* 3 EXPUNGE\r\n"
    source, target = sides
    source.hook = expunge
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["copied"] == 14 and done.outcome["vanished"] == 1, done
    assert len(target.boxes[b"A"].messages) == 4


@pytest.mark.parametrize("extensions", [[], ["CONDSTORE"]])
@pytest.mark.parametrize("uid", [False, True])
def test_the_user_reads_the_messages_meanwhile(sides, ledger, uid, extensions):
    """RFC 3501 7.4.2: the server tells of changed flags at any time, also amidst the bodies. The next run carries them."""
    def mark(session, command):
        if not reads_body(command):
            return
        for m in session.view:
            session.box.modseq += 1
            m.flags, m.modseq = [b"\\Seen", b"\\Flagged"], session.box.modseq
            session.output += session.row(m, [(b"FLAGS", session.flags_of(m))] + ([(b"UID", b"%d" % m.uid)] if uid else []))
    source, target = sides
    source.extensions += extensions
    source.hook = mark
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["copied"] == 15 and source.connections < 5, done
    source.hook = None
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["copied_now"] == 0 and done.outcome["flags_carried"] == 15, done
    assert all(b"\\Flagged" in m.flags for box in target.boxes.values() for m in box.messages)
    assert run(sides, ledger).outcome["flags_carried"] == 0


@pytest.mark.parametrize("code", [b"READ-ONLY", b"NOPERM", b"UNKNOWN-CTE"])
def test_a_folder_that_takes_nothing(sides, ledger, code):
    source, target = sides
    target.hook = lambda _, c: (b"NO", code, b"no") if c.name == b"APPEND" and c["mailbox"] == b"A" else None
    done = run(sides, ledger)
    assert done.status == 1 and done.outcome["copied"] == 10 and done.outcome["quarantined"] == 5, done
    assert all(m["folder"] == "A" and code.decode() in m["reason"] for m in done.missed)
    assert len(source.boxes[b"A"].messages) == 5


def test_a_folder_that_can_not_be_opened(sides, ledger):
    source, target = sides
    source.hook = lambda _, c: (b"NO", None, b"locked") if c.name == b"EXAMINE" and c["mailbox"] == b"A" else None
    done = run(sides, ledger)
    assert done.status == 1 and done.outcome["folders_failed"] == 1 and done.outcome["copied"] == 10, done
    source.hook = None
    done = run(sides, ledger)
    assert done.status == 0 and len(target.boxes[b"A"].messages) == 5, done


def test_a_use_that_the_target_refuses_costs_the_use_only(sides, ledger):
    source, target = sides
    source.extensions, target.extensions = ["SPECIAL-USE"], ["CREATE-SPECIAL-USE", "SPECIAL-USE"]
    source.boxes[b"A"].use = b"\\Archive"
    target.hook = lambda _, c: (b"NO", b"USEATTR", b"no such use here") if c.name == b"CREATE" and c["use"] else None
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["renamed"] == 0, done
    assert sorted(target.boxes) == [b"A", b"B", b"INBOX"] and len(target.boxes[b"A"].messages) == 5


def test_mail_that_comes_meanwhile_is_for_the_next_run(sides, ledger):
    def arrive(session, command):
        if reads_body(command) and session.box.name == b"A" and len(session.view) == 5:
            session.box.add(b"Subject: new\r\n\r\n", [], (86400, 0))
            session.catch_up()
    source, target = sides
    source.hook = arrive
    assert run(sides, ledger).status == 0
    assert run(sides, ledger).status == 0
    assert [m.raw for m in target.boxes[b"A"].messages] == [m.raw for m in source.boxes[b"A"].messages]


@pytest.mark.parametrize("revision", [1, 2])
def test_a_folder_that_only_the_subscriptions_know(sides, ledger, revision):
    """IMAP4rev2 has no LSUB: LIST that selects what is subscribed says the same."""
    source, target = sides
    source.revision, source.utf8 = revision, revision == 2
    source.boxes[b"A"].unlisted = source.boxes[b"A"].subscribed = True
    ghost = source.make_box(b"Gone", ["Gone"])
    del source.boxes[b"Gone"]
    ghost.subscribed = True
    source.ghosts.append(ghost)
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["copied"] == 15, done
    assert sorted(target.boxes) == [b"A", b"B", b"INBOX"] and len(target.boxes[b"A"].messages) == 5
    assert "Gone" in {e["folder"] for e in done.events if e["number"] == 11004}, done


def test_subscriptions_that_can_not_be_listed_cost_nothing_else(sides, ledger):
    source, _ = sides
    source.revision, source.utf8 = 2, True
    source.hook = lambda _, c: (b"BAD", None, b"what?") if c.name == b"LIST" and c["select"] else None
    assert run(sides, ledger).status == 0


def garbled(uid, items=None, instead=None):
    """What the server says of one message in a listing of A can't be read, whenever any of `items` is in it."""
    def hook(session, command):
        asked = {name for name, _ in command["items"]} if command.name == b"UID FETCH" else set()
        if not asked or session.box.name != b"A" or b"BODY.PEEK" in asked or (items and not asked & items):
            return None
        rows = session.do_uid_fetch(command)
        return [(b"* 3 FETCH (UID %d FLAGS (\r\n" % uid if instead is None else instead) if b"UID %d " % uid in row + b" "
                or b"UID %d)" % uid in row else row for row in rows]
    return hook


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("items", [None, {b"INTERNALDATE"}, {b"FLAGS"}, {b"RFC822.SIZE"}])
@pytest.mark.parametrize("revision", [1, 2])
def test_a_row_that_can_not_be_read_costs_what_it_says(sides, ledger, revision, items, side):
    """Whatever can be told of the message otherwise is, and the message is copied, once."""
    source, target = sides
    faulty = source if side == "source" else target
    faulty.revision, faulty.utf8 = revision, revision == 2
    uid = source.boxes[b"A"].messages[2].uid if side == "source" else 3
    faulty.hook = garbled(uid, items)
    target.boxes[b"A"] = target.make_box(b"A", ["A"])
    target.boxes[b"A"].next = 1
    events = []
    for _ in range(2):
        done = run(sides, ledger)
        events += done.events
        assert done.status == 0 and done.outcome["copied"] == 15 and done.outcome["folders_failed"] == 0, done
        got, want = (sorted(s.boxes[b"A"].messages, key=lambda m: m.raw) for s in (target, source)) # it may come last
        assert [m.raw for m in got] == [m.raw for m in want]
        assert side == "target" or not items or b"FLAGS" in items or all(m.flags == [b"\\Seen"] for m in got)
        assert side == "target" or not items or b"INTERNALDATE" in items or [m.date for m in got] == [m.date for m in want]
    assert {e["folder"] for e in events if e["number"] == 14001} == {"A"}, events


def test_a_row_that_never_comes_is_missed_by_name(sides, ledger):
    source, target = sides
    hidden = source.boxes[b"A"].messages[2]
    source.hook = garbled(hidden.uid, instead=b"")
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["copied"] == 15, done
    assert hidden.raw in [m.raw for m in target.boxes[b"A"].messages]


@pytest.mark.parametrize("reply", [(b"NO", None, b"no"), (b"BAD", None, b"what?")])
def test_a_limit_that_can_not_be_had_is_no_folder(sides, ledger, reply):
    """STATUS (APPENDLIMIT) is asked for before any folder is known: its NO is about none of them."""
    _, target = sides
    target.extensions = ["APPENDLIMIT"]
    target.hook = lambda _, c: reply if c.name == b"STATUS" and c["items"] == [b"APPENDLIMIT"] else None
    target.make_box(b"A", ["A"])
    for _ in range(2):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["copied"] == 15, done
    assert target.counts[b"STATUS"] == 1 + 2 + 1 + 3 # those of the folders all the same


@pytest.mark.parametrize("extensions", [["UIDPLUS", "LITERAL+"], ["LITERAL+"], ["UIDPLUS", "MULTIAPPEND", "CONDSTORE"]])
@pytest.mark.parametrize("connections", [1, 2])
def test_a_target_whose_ids_never_hold(sides, ledger, extensions, connections):
    """No message is doubled or lost in any run, what is new comes, and all of it is read back."""
    source, target = sides
    target.extensions = extensions
    for box in target.boxes.values():
        box.validity = box.next = 5
    target.hook = unsticky
    for n in range(4):
        if n in (1, 2): # a copy of an old one, and a new one
            again = source.boxes[b"A"].messages[0]
            source.boxes[b"A"].add(again.raw if n == 1 else b"Subject: new\r\n\r\n", again.flags, again.date)
        done = run(sides, ledger, "--connections", str(connections))
        assert done.status == 0 and done.outcome["copied"] == 15 + min(n, 2), done
        for name, box in source.boxes.items():
            assert sorted(m.raw for m in target.boxes[name].messages) == sorted(m.raw for m in box.messages), (n, name)


def test_a_target_whose_ids_never_hold_and_that_loses_what_it_took(sides, ledger):
    """It is put once more, and then told."""
    def lose(session, command):
        unsticky(session, command)
        box = target.boxes.get(b"A")
        if box:
            box.messages = [m for m in box.messages if b"A 3" not in m.raw]
    source, target = sides
    for box in target.boxes.values():
        box.validity = box.next = 5
    target.hook = lose
    done = run(sides, ledger)
    assert done.status == 1 and done.outcome["copied"] == 14 and done.outcome["quarantined"] == 1, done
    assert target.counts[b"APPEND"] == 16


def alike(server, fold):
    """The server takes names for one that are equal when folded."""
    plain = server.find
    server.find = lambda name: plain(name) or next((b for n, b in server.boxes.items() if fold(n) == fold(name)), None)


def nfc(name):
    return unicodedata.normalize("NFC", name.decode("utf-8")).encode()


@pytest.mark.parametrize("names, fold", [((b"Foo", b"foo", b"FOO"), bytes.lower), (("é".encode(), "e\u0301".encode()), nfc)])
def test_names_that_are_one_to_the_target(sides, ledger, names, fold):
    """No two folders become one, and it says so only when the second is made."""
    source, target = sides
    for server in sides:
        server.revision, server.utf8 = 2, True
    alike(target, fold)
    for n, name in enumerate(names):
        source.make_box(name, [name.decode()]).add(b"Subject: %d\r\n\r\n" % n, [], (86400, 0))
    for _ in range(3):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["renamed"] == len(names) - 1, done
        assert len(target.boxes) == 3 + len(names) and target.counts[b"APPEND"] == 15 + len(names)
        for n in range(len(names)):
            assert [b.name for b in target.boxes.values() if [m.raw for m in b.messages] == [b"Subject: %d\r\n\r\n" % n]]


def test_a_folder_that_the_target_has_in_another_case(sides, ledger):
    _, target = sides
    target.make_box(b"a", ["a"])
    alike(target, bytes.lower)
    for n in range(3):
        done = run(sides, ledger)
        assert done.status == 0 and len(target.boxes[b"a"].messages) == 5 and b"A" not in target.boxes, done
    assert target.counts[b"CREATE"] == 2 # B, and A once


def test_another_name_for_a_refused_one_is_nobody_elses(sides, ledger):
    """"x!" is refused: "x" and "x folder" are other folders' names, of the source and of the target."""
    source, target = sides
    for name in (b"x!", b"x", b"x!/below"):
        source.make_box(name, name.decode().split("/")).add(b"Subject: " + name + b"\r\n\r\n", [], (86400, 0))
    target.make_box(b"x folder", ["x folder"]).add(b"Subject: not ours\r\n\r\n", [], (0, 0))
    target.hook = lambda _, c: (b"NO", b"CANNOT", b"bad name") if c.name == b"CREATE" and b"!" in c["mailbox"] else None
    for _ in range(2):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["copied"] == 18, done
        have = {name: [m.raw for m in target.boxes[name].messages] for name in (b"x", b"x folder", b"x folder 2", b"x folder 2/below")}
        assert have == {b"x": [b"Subject: x\r\n\r\n"], b"x folder": [b"Subject: not ours\r\n\r\n"],
                        b"x folder 2": [b"Subject: x!\r\n\r\n"], b"x folder 2/below": [b"Subject: x!/below\r\n\r\n"]}


@pytest.mark.parametrize("moment", ["APPEND", "SELECT again"])
@pytest.mark.parametrize("extensions", [["UIDPLUS", "LITERAL+"], [], ["MULTIAPPEND", "UIDPLUS", "LITERAL-"]])
def test_the_target_s_folder_is_removed_meanwhile(sides, ledger, extensions, moment):
    """It is made again within the run, and all of it is there in the end."""
    def remove(session, command):
        if command.args.get("mailbox") == b"A" and b"A" in target.boxes and not gone:
            if moment == "APPEND" and command.name == b"APPEND" or moment != "APPEND" and target.boxes[b"A"].messages:
                gone.append(target.boxes.pop(b"A"))
    source, target = sides
    gone, target.extensions = [], extensions
    target.hook = remove
    for _ in range(2):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["copied"] == 15 and done.outcome["folders_failed"] == 0, done
        assert sorted(m.raw for m in target.boxes[b"A"].messages) == sorted(m.raw for m in source.boxes[b"A"].messages)
    assert gone and len(target.boxes[b"B"].messages) == 5


@pytest.mark.parametrize("moment", [b"EXAMINE", b"UID FETCH"])
def test_the_source_s_folder_is_renamed_meanwhile(sides, ledger, moment):
    """What was not copied of it has vanished, and the others go on; the next run takes it under its new name."""
    def rename(session, command):
        if command.name == moment and b"A" in source.boxes and (command.args.get("mailbox") == b"A" or session.box and
                                                              session.box.name == b"A" and reads_body(command)):
            box = source.boxes.pop(b"A")
            box.name, box.segments = b"Z", ["Z"]
            source.boxes[b"Z"] = box
            session.state, session.box, session.view = "authenticated", None, []
            if moment == b"UID FETCH":
                raise ConnectionError
    source, target = sides
    source.hook = rename
    done = run(sides, ledger)
    assert done.status == 0 and done.outcome["copied"] == 10, done
    assert done.outcome["vanished"] == (5 if moment == b"UID FETCH" else 0)
    assert any(e["number"] == 11012 and e["folder"] == "A" for e in done.events), done
    done = run(sides, ledger)
    assert done.status == 0 and len(target.boxes[b"Z"].messages) == 5, done


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("more", [[], ["ENABLE", "QRESYNC", "CONDSTORE"], ["MULTIAPPEND", "LITERAL+"]])
def test_a_server_that_speaks_utf_8_only(sides, ledger, side, more):
    """UTF8=ONLY (RFC 6855): nothing before ENABLE, names as they are, and headers of 8 bits announced."""
    source, target = sides
    server = source if side == "source" else target
    server.utf8, server.extensions = True, ["UTF8=ONLY", "UIDPLUS", *more]
    name = "Größe & 日本語"
    box = source.make_box(source.native([name]), [name])
    for raw in ("Subject: Grüße\r\n\r\nx\r\n", "Subject: plain\r\n\r\nGrüße\r\n", "Subject: no body: é"):
        box.add(raw.encode(), [], (86400, 0))
    for _ in range(2):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["copied"] == 18, done
        assert [m.raw for m in target.boxes[target.native([name])].messages] == [m.raw for m in box.messages]


def all_there(sides):
    source, target = sides
    return all(sorted(m.raw for m in target.boxes[n].messages) == sorted(m.raw for m in b.messages)
               for n, b in source.boxes.items())


def test_one_connection_is_all_that_either_side_allows(sides, ledger):
    """The second one is refused by BYE, beside the first."""
    for server in sides:
        def cap(session, _, server=server):
            with server.lock:
                if len(server.open) > 1 and session.number > 1:
                    session.output += b"* BYE Too many simultaneous connections\r\n"
                    session.flush()
                    raise ConnectionError
        server.hook = cap
    done = run(sides, ledger)
    assert done.status == 0 and all_there(sides), done


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_server_that_closes_between_commands(sides, ledger, side):
    """After every tenth answer, with nothing open, as a server that finds a client idle."""
    def close(session, _):
        session.said = getattr(session, "said", 0) + 1
        if session.said == 10:
            raise ConnectionError
    source, target = sides
    (source if side == "source" else target).hook = close
    for _ in range(4):
        done = run(sides, ledger)
        if done.status == 0:
            break
        assert done.status in (1, 4), done
    assert done.status == 0 and all_there(sides), done


def test_a_target_with_no_room_for_more_keywords(sides, ledger):
    """It permits new ones, and then refuses all of an APPEND with one: that costs the keyword only."""
    source, target = sides
    for n, m in enumerate(source.boxes[b"A"].messages):
        m.flags = [b"\\Seen", b"Key%d" % n]

    def limit(session, c):
        wanted = [f for flags, _, _ in c["items"] for f in flags] if c.name == b"APPEND" else c.args.get("flags", [])
        words = {f for f in wanted if not f.startswith(b"\\")}
        if len(words | set(target.keywords)) > 2 and words - set(target.keywords):
            return b"NO", b"LIMIT" if c.name == b"UID STORE" else None, b"too many keywords"
        return None
    target.hook = limit
    done = run(sides, ledger)
    assert done.status in (0, 1) and done.outcome["copied"] == 15 and all_there(sides), done
    assert sorted(len(m.flags) for m in target.boxes[b"A"].messages) == [1, 1, 1, 2, 2]


def test_capabilities_that_go_when_the_user_has_signed_in(sides, ledger):
    """What counts is what is said then."""
    source, target = sides
    target.extensions = ["UIDPLUS"]
    plain = target.capabilities
    target.capabilities = lambda signed_in: plain(signed_in) + ([] if signed_in else ["LITERAL+", "MULTIAPPEND", "ENABLE", "ID"])
    target.caps_in_greeting, target.caps_in_ok = True, "nowhere"
    done = run(sides, ledger)
    assert done.status == 0 and all_there(sides), done


@pytest.mark.parametrize("side", ["source", "target"])
def test_no_delimiter_on_one_side(sides, ledger, side):
    source, target = sides
    (source if side == "source" else target).delimiter = None
    source.make_box(b"x/y", ["x/y"] if side == "source" else ["x", "y"]).add(b"Subject: xy\r\n\r\n", [], (0, 0))
    for _ in range(2):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["copied"] == 16, done
    assert sum(m.raw == b"Subject: xy\r\n\r\n" for b in target.boxes.values() for m in b.messages) == 1


def test_inbox_that_is_not_listed_and_names_of_a_thousand_octets(sides, ledger):
    source, target = sides
    source.boxes[b"INBOX"].unlisted = True
    name = "/".join(["n" * 120] * 8)
    source.make_box(name.encode(), name.split("/")).add(b"Subject: deep\r\n\r\n", [], (0, 0))
    for _ in range(2):
        done = run(sides, ledger)
        assert done.status == 0 and done.outcome["copied"] == 16 and all_there(sides), done
