"""Items as Exchange itself moves them (ExportItems, UploadItems): kept beside what is copied, and from one Exchange to another."""

import functools
import os
import signal

import mail
import pytest
from ews_items import APPOINTMENT, STRINGS, Whole, put, single
from ews_peer import EwsPeer, Failure, Hang
from ews_transfer import stream_of
from mapi_dump import built, dump
from run import copy, postferry, start
from test_ews_kinds import kb886948, series
from test_keep_raw import kept

ADDON = "0a0b0c0d-0000-0000-c000-000000000046"  # whose properties nobody else knows

message = functools.lru_cache(maxsize=None)(mail.message)


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


def fill(peer):
    """A message, a meeting, a series, a contact."""
    inbox, calendar = peer.known["inbox"], peer.known["calendar"]
    peer.deliver(inbox, message(1), read=True, categories=["Red"])
    put(peer, calendar, single(peer, "lunch", "20240105T120000", "20240105T130000", "Lunch"))
    put(peer, calendar, series(peer))
    put(peer, peer.known["contacts"], Whole(peer, "IPM.Contact", "Ann").tag(0x3001, "String", "Ann"))


# ---- --keep-raw ----

def test_each_is_kept_as_its_stream(peer, ledger, tmp_path):
    fill(peer)
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and done.outcome["copied"] == 4, done
    files = kept(tmp_path / "raw")
    assert all(p.suffix == ".fts" for p in files)
    assert sorted(p.read_bytes() for p in files) == sorted(stream_of(peer, i) for i in peer.all())
    before = {p: p.read_bytes() for p in files}
    for p in files:
        p.unlink()
    again = copy(peer.url(), f"archive:{tmp_path}/all", ledger + "2", "--keep-raw", tmp_path / "raw")
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    assert {p: p.read_bytes() for p in kept(tmp_path / "raw")} == before


def test_nothing_is_exported_that_nobody_asked_for(peer, ledger, tmp_path):
    fill(peer)
    assert copy(peer.url(), f"archive:{tmp_path}/all", ledger).status == 0
    assert peer.count("ExportItems") == 0


@pytest.mark.skipif(not built(), reason="dump-mapi is not built")
def test_what_is_kept_of_an_exchange_without_streams(peer, ledger, tmp_path):
    """All properties that were asked for; of mail nothing, as it is given just as the server has it for mail."""
    peer.newest, peer.build = "Exchange2010", (14, 0, 639)
    fill(peer)
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and done.outcome["copied"] == 4 and peer.count("ExportItems") == 0, done
    items = [dump("tnef", str(p)) for p in kept(tmp_path / "raw")]
    assert sorted(i["item"]["class"] for i in items) == ["IPM.Appointment", "IPM.Appointment", "IPM.Contact"]
    assert sorted(i["item"]["props"]["0x0037"] for i in items if "Appointment" in i["item"]["class"]) == ["Lunch", "Stand-up"]


@pytest.mark.parametrize("code", ["ErrorItemCorrupt", "ErrorInternalServerError", "ErrorAccessDenied"])
def test_what_can_t_be_exported_comes_all_the_same(peer, ledger, tmp_path, code):
    """One refusal among others costs nothing but its own stream, and the item says so."""
    fill(peer)
    peer.deliver(peer.known["inbox"], message(2), read=True)

    def refuse(operation, item):
        if operation == "ExportItems" and (item.mime == message(2) or getattr(item, "subject", "") == "Lunch"):
            raise Failure(code)

    peer.on_item = refuse
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and done.outcome["copied"] == 5, done
    assert sorted(p.suffix for p in kept(tmp_path / "raw")) == [".fts"] * 3 + [".tnef"]
    notes = [e for e in done.events if e.get("number") == 12022 and "without its stream" in e["text"] and code in e["text"]]
    assert len(notes) == 2, done


def test_exports_are_asked_for_again_when_the_server_is_busy(peer, ledger, tmp_path):
    fill(peer)
    turns = []

    def busy(operation, item):
        if operation == "ExportItems" and len(turns) < 3:
            turns.append(item)
            raise Failure("ErrorServerBusy", 10)

    peer.on_item = busy
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and len(turns) == 3, done
    assert [p.suffix for p in kept(tmp_path / "raw")] == [".fts"] * 4


# ---- from one Exchange to another ----

OURS = (STRINGS, "X-POSTFERRY-KEY")


@pytest.fixture
def other():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


def all_of(item):
    """All that Exchange has of an item, without what its mailbox calls it."""
    parts = [(was, begin, end, all_of(one)) for was, begin, end, one in getattr(item, "occurrences", [])]
    files = [(a.name, a.content if isinstance(a.content, bytes) else all_of(a.content)) for a in getattr(item, "attachments", [])]
    named = {k: v for k, v in getattr(item, "named", {}).items() if k != OURS}
    return repr((item.mime, item.item_class, sorted(item.categories), sorted(item.props.items(), key=str), sorted(named.items(), key=str),
                 getattr(item, "subject", None), getattr(item, "text", None), getattr(item, "people", None), parts, files))


def same(one, two):
    """Each folder has the same items, each as often."""
    def contents(peer):
        return {f.name: sorted(map(all_of, f.items.values())) for f in peer.folders.values() if f.items}
    return contents(one) == contents(two)


def enrich(peer):
    """What no MIME and no element of the schema carries."""
    fill(peer)
    for item in peer.all():
        if hasattr(item, "named"):
            item.lid(ADDON, 7, "Integer", 42)
            item.tag(0x3008, "SystemTime", "2019-05-06T07:08:09Z")
        else:
            item.props.update({0x0071: "conversation", 0x1081: 104, 0x0E06: "2018-03-04T05:06:07Z"})


@pytest.fixture
def both(peer, other):
    enrich(peer)
    return peer, other


def test_all_of_an_item_arrives(both, ledger):
    """Dates, marks and what only Outlook knows of; the second run reads and writes nothing."""
    peer, other = both
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    assert same(peer, other) and other.count("CreateItem") == 0 and other.count("UpdateItem") == 0
    moved, read = other.count("UploadItems"), peer.count("GetItem")
    again = copy(peer.url(), other.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    assert other.count("UploadItems") == moved and peer.count("GetItem") == read
    verify = postferry("verify", "--deep", "--from", peer.url(), "--to", other.url(), "--ledger", ledger, "--json", "--allow-plaintext")
    assert verify.status == 0, verify


def test_a_lost_ledger_doubles_nothing(both, ledger):
    """Of contacts and of what was pasted no identifier says who they are: they have none, and are known by what they mean."""
    peer, other = both
    kb886948(peer, peer.known["calendar"])
    put(peer, peer.known["contacts"], Whole(peer, "IPM.Contact", "Ann").tag(0x3001, "String", "Ann"))
    put(peer, peer.known["tasks"], Whole(peer, "IPM.Task", "Do"))
    put(peer, peer.known["notes"], Whole(peer, "IPM.StickyNote", "Note", text="Note"))
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == len(peer.all()) == 15, done
    assert same(peer, other) and other.count("CreateItem") == 0
    lost = copy(peer.url(), other.url(), ledger + "2")
    assert lost.status == 0 and lost.outcome["present"] == 15 and lost.outcome["copied"] == 0, lost
    assert same(peer, other)


@pytest.mark.parametrize("who", ["older target", "older source", "neither", "source", "target"])
def test_who_can_take_it(both, ledger, who):
    """Streams of a newer Exchange are not for an older one, and 2010 without a service pack has none."""
    peer, other = both
    builds = {"older target": ((15, 1, 1), (15, 0, 847)), "older source": ((15, 0, 847), (15, 1, 1)), "neither": ((14, 0, 1), (14, 0, 1)),
              "source": ((14, 1, 1), (14, 0, 1)), "target": ((14, 0, 1), (14, 1, 1))}
    newest = {(15, 1, 1): "Exchange2013_SP1", (15, 0, 847): "Exchange2013_SP1", (14, 0, 1): "Exchange2010", (14, 1, 1): "Exchange2010_SP1"}
    peer.build, other.build = builds[who]
    peer.newest, other.newest = newest[peer.build], newest[other.build]
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    moves = who == "older source"
    assert (peer.count("ExportItems") > 0) == (other.count("UploadItems") > 0) == moves
    assert (other.count("CreateItem") == 0) == moves


@pytest.mark.parametrize("code", ["ErrorCorruptData", "ErrorInternalServerError", "ErrorAccessDenied", "ErrorMessageSizeExceeded"])
def test_what_is_refused_goes_the_ordinary_road(both, ledger, code):
    """One among others: it is there all the same, with a word about it."""
    peer, other = both
    peer.deliver(peer.known["inbox"], message(2), read=True)

    def refuse(operation, item):
        if operation == "UploadItems" and (item.mime == message(2) or getattr(item, "subject", "") == "Lunch"):
            raise Failure(code)

    other.on_item = refuse
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 5, done
    assert sum(n for name, n in other.operations if name == "CreateItem") == 2
    assert sorted(i.mime for i in other.known["inbox"].items.values()) == sorted([message(1), message(2)])
    assert sorted(i.subject for i in other.known["calendar"].items.values()) == ["Lunch", "Stand-up"]
    notes = [e for e in done.events if e.get("number") == 12022 and code in e["text"]]
    assert len(notes) == 2, done
    again = copy(peer.url(), other.url(), ledger + "2")
    assert again.status == 0 and again.outcome["copied"] == 0 and again.outcome["present"] == 5, again


def test_many_go_together_and_the_server_says_when(both, ledger):
    """As many as are small together; busy servers are left alone, and what was not tried goes again."""
    peer, other = both
    for n in range(3, 60):
        peer.deliver(peer.known["inbox"], message(n), read=n % 2 == 0)
    for n in range(3):
        peer.deliver(peer.known["inbox"], message(100 + n) + b"x" * 76 + (b"\r\n" + b"y" * 76) * 40000)
    turns = []

    def busy(operation, item):
        turns.append(operation)
        if operation == "UploadItems" and len(turns) % 9 == 0 and len(turns) < 60:
            raise Failure(*(("ErrorServerBusy", 10) if len(turns) % 2 else ("ErrorBatchProcessingStopped",)))

    other.on_item = busy
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and same(peer, other), done
    assert other.count("UploadItems") < 25 and max(n for name, n in other.operations if name == "UploadItems") > 10


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_leaves_one_of_each(both, ledger, when):
    """The link breaks before the target has it, or when it has it all."""
    peer, other = both
    put(peer, peer.known["calendar"], single(peer, "lunch", "20240105T120000", "20240105T130000", "Lunch"))  # an equal one
    cut = []

    def hang_up(request):
        name = request.headers.get("SOAPAction", "").rpartition("/")[2].strip('"')
        if name == "UploadItems" and request.body.count(b"<t:Item ") and len(cut) < 3:
            cut.append(name)
            raise Hang

    (other.before if when == "before" else other.after).append(hang_up)
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 5 and len(cut) == 3, done
    assert len(other.all()) == 5 and sorted(i.item_class for i in other.all()) == sorted(i.item_class for i in peer.all())


@pytest.mark.parametrize("upload", [1, 2, 3])
def test_killed_between_the_upload_and_the_ledger(both, ledger, upload):
    peer, other = both
    run = start("copy", "--from", peer.url(), "--to", other.url(), "--ledger", ledger, "--allow-plaintext", "--json")
    seen = []

    def kill(request):
        if b"<m:UploadItems>" in request.body:
            seen.append(request)
            if len(seen) == upload:
                os.kill(run.pid, signal.SIGKILL)
                run.wait()
                raise Hang

    other.after.append(kill)
    run.communicate()
    assert len(seen) == upload
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4 and same(peer, other), done


@pytest.mark.parametrize("merges", [False, True])
def test_an_edit_goes_into_the_item_that_is_there(both, ledger, merges):
    """It stays the same item, and is all that the source has, whether a server takes off what a stream does not name or not."""
    peer, other = both
    other.merges = merges
    assert copy(peer.url(), other.url(), ledger).status == 0
    ids = {i.subject: i.id for i in other.known["calendar"].items.values()}
    for item in peer.known["calendar"].items.values():
        item.lid(APPOINTMENT, 0x8208, "String", "Elsewhere").lid(ADDON, 8, "Integer", 9)
        peer.touch(item)
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0, done
    assert {i.subject: i.id for i in other.known["calendar"].items.values()} == ids and same(peer, other)
    assert other.count("CreateItem") == other.count("DeleteItem") == 0
    assert all(i.named[OURS][1].startswith("n:") for i in other.known["calendar"].items.values())
    before = dict(other.operations)
    again = copy(peer.url(), other.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    assert before.keys() == dict(other.operations).keys()


@pytest.mark.parametrize("step", range(1, 4))
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_within_an_edit(both, ledger, step, when):
    """Before or after each of its steps: the item is there once, and in the end as the source has it."""
    peer, other = both
    assert copy(peer.url(), other.url(), ledger).status == 0
    [item] = [i for i in peer.known["calendar"].items.values() if i.subject == "Lunch"]
    item.lid(APPOINTMENT, 0x8208, "String", "Elsewhere")
    peer.touch(item)
    run = start("copy", "--from", peer.url(), "--to", other.url(), "--ledger", ledger, "--allow-plaintext", "--json")
    seen = []

    def kill(request):
        if any(f"<m:{name}".encode() in request.body for name in ("UpdateItem", "UploadItems")):
            seen.append(request)
            if len(seen) == step:
                os.kill(run.pid, signal.SIGKILL)
                run.wait()
                raise Hang

    (other.before if when == "before" else other.after).append(kill)
    run.communicate()
    assert len(seen) == step
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and same(peer, other), done
    assert copy(peer.url(), other.url(), ledger).outcome["copied_now"] == 0


def test_an_edit_that_is_refused_as_a_stream(both, ledger):
    peer, other = both
    assert copy(peer.url(), other.url(), ledger).status == 0
    [item] = [i for i in peer.known["calendar"].items.values() if i.subject == "Lunch"]
    item.lid(APPOINTMENT, 0x8208, "String", "Elsewhere")
    peer.touch(item)

    def refuse(operation, thing):
        if operation == "UploadItems":
            raise Failure("ErrorCorruptData")

    other.on_item = refuse
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0, done
    assert sorted((i.subject, i.named.get((APPOINTMENT, 0x8208), (0, ""))[1]) for i in other.known["calendar"].items.values()) == [
        ("Lunch", "Elsewhere"), ("Stand-up", "")]
    assert all(i.named[OURS][1].startswith("n:") for i in other.known["calendar"].items.values() if OURS in i.named)


def test_an_edit_of_both_sides_is_nobodys_to_overwrite(both, ledger):
    peer, other = both
    assert copy(peer.url(), other.url(), ledger).status == 0
    for side, where in ((peer, "Here"), (other, "There")):
        [item] = [i for i in side.known["calendar"].items.values() if i.subject == "Lunch"]
        item.lid(APPOINTMENT, 0x8208, "String", where)
        side.touch(item)
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 1 and "left as it is" in done.out, done
    [item] = [i for i in other.known["calendar"].items.values() if i.subject == "Lunch"]
    assert item.named[APPOINTMENT, 0x8208] == ("String", "There")


def test_a_message_that_comes_in_parts(both, ledger):
    peer, other = both
    large = message(1000) + (b"z" * 76 + b"\r\n") * 150000
    peer.deliver(peer.known["inbox"], large, read=True, x0071="conversation")
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and same(peer, other) and other.count("CreateItem") == 0, done


def test_what_is_not_whole_is_not_moved_as_it_is(both, ledger):
    """An item of the source that an interrupted run marked there: the mark is none of its own."""
    peer, other = both
    [item] = [i for i in peer.known["calendar"].items.values() if i.subject == "Lunch"]
    item.named[OURS] = ("String", "r:name CQ7=")
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    [there] = [i for i in other.known["calendar"].items.values() if i.subject == "Lunch"]
    assert there.named[OURS][1].startswith("n:") and other.count("CreateItem") == 1
