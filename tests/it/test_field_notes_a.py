"""Silent loss: cases 1 to 16 of the field notes that concern IMAP."""

import glob
import os

import pytest
from field_notes import MESSAGES, bodies, quick, run, source
from peer import Box, Peer
from peer.messages import numbers
from run import postferry
from servers.proxy import Proxy

LONG = "POSTFERRY_LONG" in os.environ


def report(ledger, form="json"):
    return postferry("report", "--ledger", ledger, "--format", form).out


def box(*messages):
    made = Box()
    for raw in messages:
        made.add(raw)
    return made


def test_fn00_plain(ledger):
    with source() as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert not a.commands("SELECT") and not a.commands("STORE") and a.commands("EXAMINE")


@pytest.mark.parametrize("caps", [Peer.caps, Peer.caps + " ID"])
@pytest.mark.parametrize("fault", ["hide_row", "no_body", "other_section", "nil_body", "empty_body"])
def test_fn01_fetch_ok_but_no_message(ledger, fault, caps):
    """The row is absent, has no body, another section, NIL or an empty string; sizes exact, or an estimate (Exchange)."""
    with source(MESSAGES[:3], caps=caps, server_id="Microsoft Exchange Server", **{fault: (2,)}) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["copied"] == 2 and done.outcome["quarantined"] == 1, done
        assert bodies(b) == sorted([MESSAGES[0], MESSAGES[2]])
        assert [(m["folder"], m["item"]) for m in done.missed] == [("INBOX", "2")]
        assert a.log.count("UID FETCH 2 (UID BODY.PEEK[])") == 1 # alone, and once only
        assert '"2"' in report(ledger)


def multipart(boundary, *parts, before=b"", behind=b"\r\n"):
    body = before + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts)
    return b"Content-Type: multipart/mixed;\r\n boundary=\"%s\"\r\n\r\n%s--%s--%s" % (boundary, body, boundary, behind)


def letter(subject, **kw):
    inner = multipart(b"in", b"Content-Type: text/plain\r\n\r\nplain", b"Content-Type: text/html\r\n\r\n<p>html</p>\r\n",
                      behind=b"")
    picture = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"aGVsbG8=\r\n" * 3000
    return b"Subject: %s\r\nFrom: a@x\r\nMIME-Version: 1.0\r\n" % subject + multipart(b"out", inner, picture, **kw)


EXCHANGE = {"caps": Peer.caps + " ID", "server_id": "Microsoft Exchange Server"}
FAULTS = [("hide_row", (2,)), ("no_body", (2,)), ("nil_body", (2,)), ("empty_body", (2,)), ("stub", (2,)), ("cut_at", (2,)),
          ("fetch_no", lambda uids, attempt: "NO can't convert" if 2 in uids else None)]


@pytest.mark.parametrize("sections,exchange", [(("", "TEXT"), {}), (("",), EXCHANGE)], ids=["text", "whole-exchange"])
@pytest.mark.parametrize("fault,value", FAULTS, ids=[name for name, _ in FAULTS])
def test_fn01_fn02_what_does_not_come_whole_comes_in_parts(ledger, fault, value, sections, exchange):
    """By header and text, or part by part: octet for octet the message, and an event says how it came."""
    many = [MESSAGES[0], letter(b"in parts"), MESSAGES[1]]
    faults = {fault: value, "faulty": lambda uid, section: section in sections, **exchange}
    with source(many, **faults) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(20))
        assert done.status == 0 and bodies(b) == sorted(many), done
        assert [e["item"] for e in done.events if e["number"] == 12018] == ["2"]
        done = run(a, b, ledger)
        assert done.outcome["copied_now"] == 0, done


def test_fn01_parts_where_sizes_are_estimates(ledger):
    """What the structure says of each part has come: that is the message, though its preamble is lost."""
    whole, without = letter(b"subject", before=b"This is for old programs.\r\n"), letter(b"subject")
    faulty = lambda uid, section: section in ("", "TEXT") # noqa: E731
    with source([whole], no_body=(1,), faulty=faulty, **EXCHANGE) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [without] and "12018" in done.out, done


def test_fn01_parts_that_do_not_prove_to_be_all_are_not_the_message(ledger):
    """Sizes are exact here, and something before the first part is missing: quarantine, with what there is."""
    whole = letter(b"with a preamble", before=b"This is for old programs.\r\n")
    with source([whole], no_body=(1,), faulty=lambda uid, section: section in ("", "TEXT")) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [] and done.outcome["quarantined"] == 1, done
        assert done.missed[0]["subject"] == "with a preamble"
        kept, = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)
        with open(kept, "rb") as f:
            assert b"aGVsbG8=\r\n" * 3000 in f.read()


@pytest.mark.parametrize("fault", ["stub", "no_body", "cut_at"])
def test_fn02_what_can_not_be_had_is_named_by_its_envelope(ledger, fault):
    with source([MESSAGES[0], letter(b"what it was about")], **{fault: (2,)}) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(20))
        assert done.status == 1 and bodies(b) == [MESSAGES[0]], done
        assert [(m["item"], m["subject"]) for m in done.missed] == [("2", "what it was about")], done


def test_fn02_stub_is_not_the_message(ledger):
    with source(stub=(5,)) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and len(bodies(b)) == 9, done
        assert not any(b"Retrieval using" in m for m in bodies(b))
        assert [m["item"] for m in done.missed] == ["5"] and "12007" in done.out


def test_fn02_a_message_about_the_stub_is_a_message(ledger):
    """What a user forwards of such a text has the size that is listed."""
    text = (b"From: \"Microsoft Exchange Server 2010\" <x@y>\r\nSubject: Retrieval using the IMAP4 protocol failed for the "
            b"following message: 7\r\n\r\nThe server couldn't retrieve the following message:\r\n")
    with source([text]) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [text], done


def test_fn03_no_two_messages_are_taken_for_one(ledger, tmp_path):
    same_id = [b"Message-ID: <1@x>\r\nSubject: one\r\n\r\nbody " + n + b"\r\n" for n in (b"A", b"B")]
    twins = [b"Subject: twin\r\nMessage-ID: <2@x>\r\n\r\nthe same\r\n"] * 2
    headers_only = [b"Subject: equal\r\nFrom: a@x\r\n\r\nbody " + n + b"\r\n" for n in (b"E", b"F")]
    seven = [*same_id, *twins, *headers_only, b""]
    with source(seven) as a, Peer() as b:
        for n in range(2):
            done = run(a, b, ledger)
            assert done.status == 0 and bodies(b) == sorted(seven), done
        assert done.outcome["copied_now"] == 0
        done = run(a, b, str(tmp_path / "lost"))
        assert done.status == 0 and bodies(b) == sorted(seven) and done.outcome["present_now"] == 7, done


@pytest.mark.parametrize("extended", ["none", "BAD", "empty", "yes"])
def test_fn04_lists_are_united(ledger, extended):
    """What LSUB knows, the parent of a listed folder, and INBOX: each is there though LIST leaves it out."""
    caps = Peer.caps + (" LIST-EXTENDED SPECIAL-USE" if extended != "none" else "")
    peer = source(caps=caps, extended=extended, subscribed_only=("Hidden", "Deleted"), unlisted=("INBOX", "Parent"))
    for n, name in enumerate(("Hidden", "Parent", "Parent/Child", "Mere/Child")):
        peer.boxes[name] = box(MESSAGES[n])
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        for n, name in enumerate(("Hidden", "Parent", "Parent/Child", "Mere/Child")):
            assert bodies(b, name) == [MESSAGES[n]]
        assert "Deleted" not in b.boxes
        named = {(e["number"], e["folder"]) for e in done.events if e["number"] in (11004, 11011)}
        assert {(11004, "Hidden"), (11004, "Deleted"), (11011, "INBOX"), (11011, "Parent")} <= named, named


def raw(text):
    """A name as its bytes, one a character."""
    return text if isinstance(text, str) else text.decode("latin-1")


NAMES = [ # what LIST says, the name to SELECT, the name that a target gets (None: a readable form of it)
    (b'* LIST () "/" &U,BTFw-/&ZeVnLIqe-', "&U,BTFw-/&ZeVnLIqe-", "&U,BTFw-/&ZeVnLIqe-"),
    (b'* LIST () "/" Entw&APw-rfe', "Entw&APw-rfe", "Entw&APw-rfe"),
    (b'* LIST () "/" &-', "&-", "&-"),
    (b'* LIST () "/" "Tom &- Jerry"', "Tom &- Jerry", "Tom &- Jerry"),
    (b'* LIST () "/" "Stra\xc3\x9fe"', raw(b"Stra\xc3\x9fe"), "Stra&AN8-e"),
    (b'* LIST () "/" "Ger\xe4te"', raw(b"Ger\xe4te"), "Ger&AOQ-te"),
    (b'* LIST () "/" "x&2D0-y"', "x&2D0-y", None),
    (b'* LIST () "/" "broken &U,BT"', "broken &U,BT", None),
    (b'* LIST () "/" 2023', "2023", "2023"),
    (b'* LIST () "/" NIL', "NIL", "NIL"),
    (b'* LIST () "/" "a\\"b\\\\c"', 'a"b\\c', 'a"b\\c'),
    (b'* LIST () "/" {5}\r\nabcde', "abcde", "abcde"),
    (b'* LIST (\\HasNoChildren) "/" INBOX/Da\tOggetto', "INBOX/Da\tOggetto", None),
    (b'* LIST () "/" Two Words', "Two Words", "Two Words"),
    (b'* LIST (\\X-New "odd") "/" "q"', "q", "q"),
]


def test_fn05_names(ledger):
    lines = [b'* LIST () "/" INBOX\r\n', b'* LIST () "/" ""\r\n', *(line + b"\r\n" for line, _, _ in NAMES)]
    contents = {native: b"Subject: %d\r\n\r\nx\r\n" % n for n, (_, native, _) in enumerate(NAMES)}
    with source([], raw_list=lines) as a, Peer() as b:
        for native, message in contents.items():
            a.boxes[native] = box(message)
        done = run(a, b, ledger)
        assert done.status == 0, done
        for _, native, there in NAMES:
            made = [name for name in b.boxes if bodies(b, name) == [contents[native]]]
            assert len(made) == 1 and (there is None or made == [there]), (native, made)
        assert [e["folder"] for e in done.events if e["number"] == 11002], done
        # The other way: a target that lists the names in this form has these folders already.
        with Peer(raw_list=lines) as c:
            for native in contents:
                c.boxes[native] = Box()
            done = run(a, c, ledger + "-2")
            assert done.status == 0 and not c.commands("CREATE"), done
            for native, message in contents.items():
                assert bodies(c, native) == [message], native


@pytest.mark.parametrize("limit", ["", " APPENDLIMIT=100000"])
@pytest.mark.parametrize("size", [0, 1, 99999999, "-3", "9.3736e+06", None])
def test_fn06_wrong_sizes_throw_nothing_away(ledger, size, limit):
    with source(size=lambda uid, raw: size) as a, Peer(caps=Peer.caps + limit) as b:
        done = run(a, b, ledger, timeout=60)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert [e["number"] for e in done.events].count(12008) >= 3, done # as a piece of information


def test_fn06_a_literal_that_ends_early_is_an_error(ledger):
    with source(cut_at=(3,)) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(10))
        assert done.status == 1 and bodies(b) == sorted(MESSAGES[:2] + MESSAGES[3:]), done


@pytest.mark.parametrize("reply", ["NO [ALREADYEXISTS] message exists", "NO Message already exists"])
def test_fn07_already_exists_is_not_taken_for_copied(ledger, reply):
    """A server that has the message elsewhere: in this folder it is not, and that is what counts."""
    peer = source(MESSAGES[:2])
    peer.boxes["Y"] = box(MESSAGES[1], MESSAGES[2])
    seen = []

    def answer(n, raw, flags):
        again = raw in seen
        seen.append(raw)
        return reply if again else "store"
    with peer as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["copied"] == 3 and done.outcome["quarantined"] == 1, done
        assert sorted(bodies(b) + bodies(b, "Y")) == sorted(MESSAGES[:3])
        assert "exists" in done.missed[0]["reason"], done
        assert glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)


TRANSIENT = ["NO [UNAVAILABLE] busy", "NO [INUSE] locked", "NO Server Unavailable. 15", "NO [LIMIT] slower",
             "BAD Request is throttled. Suggested Backoff Time: 800 milliseconds", "NO [THROTTLED] slow down"]


@pytest.mark.parametrize("times", [1, 3, 20])
@pytest.mark.parametrize("reply", TRANSIENT)
def test_fn08_fn24_what_may_pass_is_tried_again(ledger, reply, times):
    def answer(n, raw, flags):
        return reply if n <= times else "store"
    with source() as a, Peer(append_reply=answer) as b:
        for n in range(4): # what does not pass within a run is left to the next one, never dropped
            done = run(a, b, ledger, env=quick(50))
            if done.status == 0:
                break
            # 4 where the server asked for patience again and again, and did nothing in between
            assert done.status in (1, 4) and done.outcome["quarantined"] == 0, done
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert times > 3 or n == 0


@pytest.mark.parametrize("times", [1, 3, 20])
@pytest.mark.parametrize("command", ["UID_FETCH", "EXAMINE", "LIST", "STATUS", "CREATE", "UID_STORE"])
def test_fn08_commands_that_may_pass(ledger, command, times):
    left = {}

    def before(session, word, args):
        if word != command or (word == "UID_FETCH" and "BODY" not in args):
            return None
        left[word] = left.get(word, times) - 1
        return "NO [UNAVAILABLE] busy" if left[word] >= 0 else None
    peer = source(before=before)
    peer.boxes["F"] = box(MESSAGES[0])
    with peer as a, Peer(before=before, store_flags=lambda flags: []) as b:
        for n in range(6):
            done = run(a, b, ledger, env=quick(50))
            if done.status == 0 and not any(e["number"] == 12005 for e in done.events):
                break
            assert done.outcome["quarantined"] == 0, done
        assert done.status == 0 and bodies(b) == sorted(MESSAGES) and bodies(b, "F") == [MESSAGES[0]], done
        assert all("\\Seen" in i[1] for i in b.boxes["INBOX"].items.values())
        assert times > 3 or n == 0


def test_fn08_what_does_not_pass_is_left_to_the_next_run(ledger):
    bad = MESSAGES[2]
    with source(MESSAGES[:4]) as a, Peer(append_reply=lambda n, raw, f: "NO [INUSE] locked" if raw == bad else "store") as b:
        done = run(a, b, ledger, env=quick(50))
        assert done.status == 1 and done.outcome["open"] == 1 and done.outcome["copied"] == 3, done
        b.append_reply = None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES[:4]), done


def mirrored(ledger, n=30):
    """An account that was copied, to be mirrored."""
    many = [b"Subject: m%d\r\n\r\nbody %d\r\n" % (i, i) for i in range(n)]
    peer = source(many)
    peer.boxes["Other"] = box(*MESSAGES)
    target = Peer()
    return peer, target, many


def test_fn09_mirror_removes_only_what_it_wrote(ledger):
    a, b, many = mirrored(ledger)
    with a, b:
        theirs = b"Subject: the user's own\r\n\r\nx\r\n"
        assert run(a, b, ledger).status == 0
        b.boxes["INBOX"].add(theirs)
        del a.boxes["INBOX"].items[3]
        done = run(a, b, ledger, "--mirror")
        assert done.status == 0 and done.outcome["removed"] == 1, done
        assert bodies(b) == sorted([*many[:2], *many[3:], theirs])
        kept = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True) # what was removed can be put back
        assert len(kept) == 1
        with open(kept[0], "rb") as f:
            assert f.read() == many[2]


def test_fn09_mirror_stops_at_a_tenth(ledger):
    a, b, many = mirrored(ledger)
    with a, b:
        assert run(a, b, ledger).status == 0
        for uid in range(1, 7):
            del a.boxes["INBOX"].items[uid]
        done = run(a, b, ledger, "--mirror")
        assert done.status == 1 and bodies(b) == sorted(many) and not b.commands("EXPUNGE"), done
        done = run(a, b, ledger, "--mirror-all")
        assert done.status == 0 and bodies(b) == sorted(many[6:]) and done.outcome["removed"] == 6, done


def test_fn09_mirror_does_not_empty_a_folder(ledger):
    """All of one folder, though it is less than a tenth of the account: more likely the server's mistake than the user's."""
    a, b, many = mirrored(ledger, 300)
    with a, b:
        assert run(a, b, ledger).status == 0
        a.boxes["Other"].items.clear()
        done = run(a, b, ledger, "--mirror")
        assert done.status == 1 and bodies(b, "Other") == sorted(MESSAGES) and not b.commands("EXPUNGE"), done


@pytest.mark.parametrize("fault", [{"list_rows": 25}, {"list_end": "NO broken off"}, {"list_end": "cut"},
                                   {"list_end": "BAD what"}])
def test_fn09_fn10_a_listing_that_is_cut_short_removes_nothing(ledger, fault):
    a, b, many = mirrored(ledger)
    with a, b:
        assert run(a, b, ledger).status == 0
        for key, value in fault.items():
            setattr(a, key, value)
        done = run(a, b, ledger, "--mirror-all", env=quick(50))
        assert done.status in (1, 4) and bodies(b) == sorted(many) and not b.commands("EXPUNGE"), done


def test_fn09_a_folder_that_is_not_listed_removes_nothing(ledger):
    a, b, many = mirrored(ledger)
    with a, b:
        assert run(a, b, ledger).status == 0
        a.unlisted = ("Other",)
        done = run(a, b, ledger, "--mirror-all")
        assert done.status == 0 and bodies(b, "Other") == sorted(MESSAGES) and not b.commands("EXPUNGE"), done
        assert "11009" in done.out


def test_fn09_a_lost_ledger_removes_nothing(ledger):
    a, b, many = mirrored(ledger)
    with a, b:
        assert run(a, b, ledger).status == 0
        del a.boxes["INBOX"].items[3]
        done = run(a, b, ledger + "-new", "--mirror-all")
        assert done.status == 0 and bodies(b) == sorted(many) and not b.commands("EXPUNGE"), done


@pytest.mark.parametrize("fault", [{"list_rows": 6}, {"exists_more": 3}])
def test_fn10_a_listing_that_is_too_short_is_said_and_what_it_has_is_copied(ledger, fault):
    with source(**fault) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(50))
        assert done.status == 1 and "11005" in done.out, done
        assert len(bodies(b)) == fault.get("list_rows", 10), done
        a.list_rows, a.exists_more = None, 0
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


@pytest.mark.parametrize("end", ["NO broken off", "cut"])
def test_fn10_a_listing_without_its_end(ledger, end):
    with source(list_end=end, list_rows=6) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(50))
        assert done.status in (1, 4), done
        a.list_end, a.list_rows = None, None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


VALIDITIES = [(7, 8), (7, 0), (0, 7), (0, 0), (7, None), (None, None)]


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("before,after", VALIDITIES)
def test_fn11_uidvalidity_changes_between_runs(ledger, side, before, after):
    """All UIDs are others: each message is known by its content, none is copied twice, none removed."""
    peer = source()
    peer.boxes["F"] = box(MESSAGES[0])
    with peer as a, Peer() as b:
        server = a if side == "source" else b
        for one in server.boxes.values():
            one.validity = before
        if side == "target":
            b.boxes["F"] = Box(before)
        assert run(a, b, ledger).status == 0
        renumber(server.boxes["INBOX"], after)
        if side == "source":
            a.boxes["INBOX"].add(b"Subject: new\r\n\r\nx\r\n")
        done = run(a, b, ledger, "--mirror")
        want = MESSAGES + [b"Subject: new\r\n\r\nx\r\n"] * (side == "source")
        assert done.status == 0 and bodies(b) == sorted(want) and not b.commands("EXPUNGE"), done
        assert before in (0, None) or after in (0, None) or "11006" in done.out
        assert run(a, b, ledger).outcome["copied_now"] == 0 and bodies(b) == sorted(want)


def renumber(one, validity):
    """The server was rebuilt: the same messages in another order under new UIDs."""
    old = [one.items[uid] for uid in sorted(one.items, reverse=True)]
    one.items, one.next, one.validity = {}, 5, validity
    for item in old:
        one.add(*item)


def test_fn11_ids_of_another_uidvalidity_are_not_taken(ledger):
    """APPENDUID tells where the server keeps the message in another folder: its ids mean nothing in this one."""
    last = len(MESSAGES) + 1
    with source() as a, Peer(append_uid=lambda validity, uid: (validity + 1, last - uid)) as b:
        assert run(a, b, ledger).status == 0 and bodies(b) == sorted(MESSAGES)
        a.boxes["INBOX"].items[1][1].append("\\Flagged")
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        marked = [item[0] for item in b.boxes["INBOX"].items.values() if "\\Flagged" in item[1]]
        assert marked == [a.boxes["INBOX"].items[1][0]]


WRONG_IDS = {"shifted": lambda uid: uid + 1, "far": lambda uid: uid + 1000, "before": lambda uid: uid - 1, "one": lambda uid: 1,
             "backwards": lambda uid: len(MESSAGES) + 1 - uid}


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("how", WRONG_IDS)
def test_fn11_appenduid_with_other_ids(ledger, how, others):
    """A server, or a proxy before it, tells ids under which something else is, or nothing: all is there once, and is known."""
    old = b"Subject: of before\r\n\r\nThis was here.\r\n"
    with source() as a, Peer(append_uid=lambda validity, uid: (validity, WRONG_IDS[how](uid))) as b:
        if others:
            b.boxes["INBOX"].add(old)
        first = next(iter(a.boxes["INBOX"].items.values()))
        want = sorted(MESSAGES + [old] * others)
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == want and done.outcome["copied"] == len(MESSAGES), done
        first[1].append("\\Flagged")
        a.boxes["INBOX"].add(b"Subject: new\r\n\r\nx\r\n")
        again = run(a, b, ledger)
        want = sorted(want + [b"Subject: new\r\n\r\nx\r\n"])
        assert again.status == 0 and again.outcome["copied_now"] == 1 and bodies(b) == want, again
        assert [item[0] for item in b.boxes["INBOX"].items.values() if "\\Flagged" in item[1]] == [first[0]]
        assert run(a, b, ledger, command="verify").status == 0
        assert run(a, b, ledger).outcome["copied_now"] == 0 and bodies(b) == want


@pytest.mark.parametrize("side,command", [("source", "UID_FETCH"), ("source", "EXAMINE"), ("target", "APPEND"),
                                          ("target", "UID_FETCH"), ("target", "UID_STORE")])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_fn11_fn12_uidvalidity_changes_inside_a_run(ledger, side, command, at):
    """The link breaks, and behind it is another world: noticed before anything goes on."""
    count = []

    def before(session, word, args):
        if word == command and session.peer.boxes["INBOX"].validity == 1:
            count.append(word)
            if len(count) == at:
                renumber(session.peer.boxes["INBOX"], 99)
                return "cut"
        return None
    fault = {"before": before}
    with source(**(fault if side == "source" else {})) as a, Peer(**(fault if side == "target" else {})) as b:
        if side == "target":
            b.store_flags = lambda flags: []
        done = run(a, b, ledger, env=quick(10))
        assert done.status in (0, 1), done
        if done.status:
            done = run(a, b, ledger, env=quick(10))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        if len(count) >= at and side == "source" and command == "UID_FETCH" and at > 1:
            assert "11006" in done.out, done
        assert run(a, b, ledger).outcome["copied_now"] == 0 and bodies(b) == sorted(MESSAGES)


def state(peer):
    """All that can be seen of an account, but for UIDs and the order that they give."""
    return {name: sorted((raw, sorted(flags), date) for raw, flags, date in one.items.values())
            for name, one in peer.boxes.items()}, sorted(peer.subscribed)


def swept(ledger, make, cut_side, direction, at):
    """A pass whose first connection to that side ends after so many bytes (0: never), and those after it."""
    a, b = make()
    with a, b, Proxy(a.port, [(direction, at)] if cut_side == "source" and at else ()) as to_a, \
            Proxy(b.port, [(direction, at)] if cut_side == "target" and at else ()) as to_b:
        before = state(a)
        for n in range(4):
            done = run(to_a, to_b, ledger, "--connections", "1", env=quick(20), user="user")
            if done.status == 0:
                break
            assert done.status in (1, 3, 4), done
        assert done.status == 0 and state(a) == before and (n == 0 or at), done
        return state(b), (to_a if cut_side == "source" else to_b).moved[direction]


@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1"])
@pytest.mark.parametrize("cut_side,direction", [("source", "up"), ("source", "down"), ("target", "up"), ("target", "down")])
def test_fn12_cut_at_every_kth_byte(tmp_path, cut_side, direction, caps):
    """Wherever the stream breaks, on either side and in either direction: what comes of it in the end is the same."""
    def make():
        peer = source([*MESSAGES[::3], MESSAGES[0], b""])
        peer.boxes["INBOX"].items[2][1].append("\\Flagged")
        peer.boxes["F & \u00e4"] = box(MESSAGES[1], b"Subject: lines\r\n\r\n" + b"a line\r\n" * 40)
        peer.subscribed.add("F & \u00e4")
        return peer, Peer(caps=caps)
    want, length = swept(str(tmp_path / "0"), make, cut_side, direction, 0)
    assert length > 300
    places = range(1, length, 3) if LONG else range(1 + len(caps) % 7, length, length // 4)
    for at in places:
        assert swept(str(tmp_path / str(at)), make, cut_side, direction, at)[0] == want, at


def alter(raw):
    return {"cut": raw[:65536], "lines": raw.replace(b"\r\n", b"\n"), "header": raw.replace(b"X-Keep: this\r\n", b""),
            "subject": raw.replace(b"Subject: big\r\n", b"")}


@pytest.mark.parametrize("how", ["cut", "lines", "header", "subject", "flag"])
def test_fn13_verification_finds_what_the_target_altered(ledger, how):
    big = b"Subject: big\r\nX-Keep: this\r\n\r\n" + b"line\r\n" * 20000
    peer = source([MESSAGES[0], big])
    peer.boxes["INBOX"].items[2][1].append("\\Flagged")
    with peer as a, Peer() as b:
        if how == "flag":
            b.store_flags = lambda flags: [f for f in flags if f != "\\Flagged"]
            b.before = lambda s, word, args: "OK" if word == "UID_STORE" else None
        else:
            b.rewrite = lambda raw: alter(raw)[how]
        done = run(a, b, ledger)
        found = [e for e in done.events if e["item"] == "2" and e["number"] in (12005, 12008, 12009)]
        if how in ("cut", "subject"):
            assert done.status == 1 and done.outcome["quarantined"] == 1 and done.missed[0]["item"] == "2", done
        assert found or how == "flag", done
        again = postferry("verify", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", "--json",
                          "--deep")
        if how == "flag":
            assert again.status == 1 and again.outcome["differing"] >= 1, again
        assert how in ("cut", "subject") or [e for e in again.events if e["item"] == "2"], again


def test_fn14_one_unreadable_item_costs_itself(ledger):
    with source(cut_at=(5,)) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and len(bodies(b)) == 9, done
        assert MESSAGES[4] not in bodies(b)


def test_fn14_many_unreadable_items_cost_themselves(ledger):
    """At each the connection breaks short of its end: the others are copied, the folder is listed and read once."""
    count = 10000 if LONG else 1000
    poisoned = range(100, count + 1, 100)
    many = [b"Subject: %d\r\n\r\n%s\r\n" % (n, b"x" * (n % 50)) for n in range(1, count + 1)]
    with source(many, cut_at=poisoned) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(30), timeout=600)
        good = [raw for uid, raw in enumerate(many, 1) if uid not in poisoned]
        assert done.status == 1 and bodies(b) == sorted(good), done
        assert done.outcome["copied"] == len(good) and done.outcome["quarantined"] == len(poisoned)
        assert len([c for c in a.commands("UID FETCH") if "RFC822.SIZE" in c]) == 1
        assert a.logins <= 4 * len(poisoned) + 8 and a.rows < 5 * count
        named = report(ledger, "csv") # on screen are the first hundred
        assert all(f'"{uid}"' in named for uid in poisoned)


def hang_up(folder, wanted):
    """A server that hangs up, without a word, when it is asked for a body of that folder that is wanted so."""
    def before(session, word, args):
        if word != "UID_FETCH" or "BODY" not in args or session.name != folder:
            return None
        asked = numbers(args.split(" ")[0], max(session.box.items))
        return "cut" if any(uid in session.box.items and wanted(uid) for uid in asked) else None
    return before


@pytest.mark.parametrize("count", [30, 300])
def test_fn14_a_folder_that_always_breaks_off_costs_itself_and_few_connections(ledger, count):
    """However many messages it has; when the server is well again, they come."""
    many = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(count)]
    with source(before=hang_up("F", lambda uid: True)) as a, Peer() as b:
        a.boxes = {"F": box(*many), **a.boxes}
        done = run(a, b, ledger, env=quick(60))
        assert done.status == 1 and bodies(b) == sorted(MESSAGES) and not bodies(b, "F"), done
        assert done.outcome["open"] == count and a.logins < 100, (a.logins, done)
        assert "gives nothing of this folder" in done.out
        a.before = None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "F") == sorted(many), done


def test_fn14_where_many_break_off_the_others_of_the_folder_come(ledger):
    many = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(1, 301)]
    with source(many, before=hang_up("INBOX", lambda uid: uid <= 60)) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(60))
        assert done.status == 1 and bodies(b) == sorted(many[60:]), done
        assert done.outcome["open"] == 60 and a.logins < 200, (a.logins, done)


CLASSES = {
    "deleted": (b"Subject: deleted\r\n\r\nx\r\n", ["\\Deleted"]),
    "draft": (b"Subject: draft\r\n\r\nx\r\n", ["\\Draft"]),
    "meeting": (b"Subject: meeting\r\nContent-Type: text/calendar; method=REQUEST\r\nContent-Class: "
                b"urn:content-classes:calendarmessage\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", []),
    "receipt": (b"Subject: Read\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n"
                b"--b\r\n\r\nread\r\n--b--\r\n", []),
    "contact": (b"Subject: card\r\nContent-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nEND:VCARD\r\n", []),
    "note": (b"Subject: note\r\nX-Uniform-Type-Identifier: com.apple.mail-note\r\n\r\nx\r\n", []),
    "bare": (b"\r\nno header at all\r\n", []),
    "empty": (b"", []),
}


def test_fn15_items_of_every_class_are_copied_or_skipped_by_name(ledger):
    peer = source([])
    for raw_message, flags in CLASSES.values():
        peer.boxes["INBOX"].add(raw_message, flags)
    peer.boxes["INBOX"].add(b"Subject: large\r\n\r\n" + b"x" * 3000 + b"\r\n")
    with peer as a, Peer() as b:
        done = run(a, b, ledger, "--max-size", "2000")
        assert done.status == 0 and bodies(b) == sorted(m for m, _ in CLASSES.values()), done
        assert "\\Deleted" in next(i[1] for i in b.boxes["INBOX"].items.values() if b"deleted" in i[0])
        assert done.outcome["copied"] == len(CLASSES) and done.outcome["skipped"] == 1


@pytest.mark.parametrize("greeting,named", [("* OK The Microsoft Exchange IMAP4 service is ready.", {"Kalender", "Contacts"}), ("* OK x", set())])
def test_fn15_what_exchange_shows_as_mail_is_named(ledger, greeting, named):
    """Texts about appointments and contacts: they come, and never in silence."""
    with source(MESSAGES[:1], greeting=greeting) as a, Peer() as b:
        for n, name in enumerate(("Kalender", "Contacts", "Projects", "Projects/Tasks")):
            a.boxes[name] = box(MESSAGES[n])
        done = run(a, b, ledger)
        assert done.status == 0 and {e["folder"] for e in done.events if e["number"] == 11014} == named, done
        assert all(bodies(b, name) for name in ("Kalender", "Contacts", "Projects", "Projects/Tasks"))
        assert not [e for e in run(a, b, ledger).events if e["number"] == 11014]


@pytest.mark.parametrize("count", [999, 1000, 1001, 10000])
def test_fn16_round_totals_are_pointed_out(count):
    peer = source([])
    for n in range(count):
        peer.boxes["INBOX"].add(b"Subject: %d\r\n\r\n" % n)
    with peer as a, Peer() as b:
        done = postferry("check", "--from", a.url(), "--to", b.url(), "--allow-plaintext", "--json")
        assert done.status == 0 and ("11010" in done.out) == (count in (1000, 10000)), done
