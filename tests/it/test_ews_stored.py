"""What Exchange stored and did not tell so: it said that it is busy, or broke down behind it, or the link broke. One copy of each."""

import time

import pytest
from calendar_items import calendar, card, event
from ews_items import ADDRESS, Whole, put, single
from ews_peer import EwsPeer, Failure, Hang, fault
from http_peer import Answer
from run import copy
from test_calendar_files import Box
from test_ews import message
from test_ews_keyed import KEY, series, value
from test_ews_streams import all_of, same

FILE = "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVsbG8="
CODES = ["ErrorServerBusy", "ErrorTimeoutExpired", "ErrorInternalServerTransientError", "ErrorInternalServerError"]
PAGE = "<html><body>Bad gateway</body></html>"


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


@pytest.fixture
def other():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


@pytest.fixture
def sources(tmp_path):
    """Mail, appointments, contacts: three of each."""
    mails, events, cards = tmp_path / "box", Box(tmp_path / "events"), Box(tmp_path / "cards", "vcf")
    for sub in ("cur", "new", "tmp"):
        (mails / sub).mkdir(parents=True)
    for n in range(3):
        (mails / "cur" / f"{1500000000 + n}.M{n}P1.host:2,S").write_bytes(message(n))
        events.put("work", f"{n}", calendar(event(f"a{n}", "20240105T100000Z", f"{n}")))
        cards.put("people", f"{n}", card(f"c{n}", f"Ann{n}"))
    return [f"maildir:{mails}", events.url(), cards.url()]


def run(sources, peer, ledger):
    first, *others = sources
    return copy(first, peer.url(), ledger, *(word for s in others for word in ("--from", s)))


def whole(how):
    """All of a request is answered so, when it was done."""
    if how == "cut":
        raise Hang
    raise how() if callable(how) else Answer(how, PAGE, "text/html") if isinstance(how, int) else fault(how)


def once_a_folder(peer, operation, code, most=1):
    """The first items that are stored are refused all the same, in each folder."""
    told = []

    def refuse(at, item):
        if at == operation and sum(f is item.folder for f in told) < most:
            told.append(item.folder)
            raise Failure(code, 10 if code == "ErrorServerBusy" else None)
    peer.on_done = refuse
    return told


def requests(peer, operation, how, most=3):
    told = []

    def step(request):
        if f"<m:{operation}".encode() in request.body[:1500] and len(told) < most:
            told.append(1)
            whole(how)
    peer.after.append(step)
    return told


def one_of_each(peer):
    mails = sorted(i.mime for i in peer.known["inbox"].items.values())
    return (mails == sorted(message(n) for n in range(3)) and
            sorted(i.uid for i in peer.folder("work").items.values()) == ["a0", "a1", "a2"] and
            sorted(value(i, None, 0x3001) for i in peer.folder("people").items.values()) == ["Ann0", "Ann1", "Ann2"])


def nothing_more(sources, peer, ledger):
    before = peer.writes(), peer.count("UploadItems")
    again = run(sources, peer, ledger)
    assert again.status == 0 and (peer.writes(), peer.count("UploadItems")) == before, again


@pytest.mark.parametrize("code", CODES)
def test_an_item_that_was_refused_and_is_there(peer, sources, ledger, code):
    told = once_a_folder(peer, "CreateItem", code)
    done = run(sources, peer, ledger)
    assert done.status == 0 and len(told) == 3 and done.outcome["copied"] == 9 and one_of_each(peer), done
    nothing_more(sources, peer, ledger)


@pytest.mark.parametrize("how", ["cut", 503, 429, 502, 500, 200, "ErrorServerBusy", "ErrorInternalServerTransientError",
                                 "ErrorInternalServerError"])
def test_a_request_that_was_refused_and_is_done(peer, sources, ledger, how):
    told = requests(peer, "CreateItem", how)
    done = run(sources, peer, ledger)
    assert done.status == 0 and len(told) == 3 and done.outcome["copied"] == 9 and one_of_each(peer), done
    nothing_more(sources, peer, ledger)


@pytest.mark.parametrize("code", CODES)
def test_steps_that_were_refused_and_are_done(peer, tmp_path, ledger, code):
    """No file is there twice, and what is replaced is replaced once."""
    box = Box(tmp_path / "events")
    box.put("work", "s", series())
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "before", FILE)))
    told = []

    def refuse(at, item):
        if at not in told:
            told.append(at)
            raise Failure(code, 10 if code == "ErrorServerBusy" else None)
    for subject in ("before", "after"):
        told.clear()
        peer.on_done = refuse
        box.put("work", "a", calendar(event("a", "20240105T100000Z", subject, FILE)))
        done = copy(box.url(), peer.url(), ledger)
        assert done.status == 0 and {"CreateItem", "CreateAttachment", "UpdateItem"} <= set(told), (done, told)
        found = {i.uid: i for i in peer.folder("work").items.values()}
        assert len(peer.folder("work").items) == 2 and found["a"].subject == subject and len(found["a"].attachments) == 1
        assert len(found["series"].occurrences) == 1 and len(found["series"].occurrences[0][3].attachments) == 1
        assert all(value(i, *KEY).startswith("n:") for i in found.values())
        nothing_more([box.url()], peer, ledger)
        time.sleep(1.1)


def test_an_edit_that_was_refused_and_is_done(peer, tmp_path, ledger):
    box = Box(tmp_path / "events")
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "before")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    [item] = peer.folder("work").items.values()
    time.sleep(1.1)
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "after")))
    told = once_a_folder(peer, "UpdateItem", "ErrorServerBusy")
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and len(told) == 1, done
    assert [(i.id, i.subject) for i in peer.folder("work").items.values()] == [(item.id, "after")]
    nothing_more([box.url()], peer, ledger)


def test_who_asks_for_patience_again_and_again_is_asked_again(peer, tmp_path, ledger):
    """It says nothing of the items: none of them is left for that, and each goes with the others."""
    box = tmp_path / "box"
    for sub in ("cur", "new", "tmp"):
        (box / sub).mkdir(parents=True)
    for n in range(40):
        (box / "cur" / f"{1500000000 + n}.M{n}P1.host:2,S").write_bytes(message(n))
    told = {}

    def refuse(at, item):
        told[item.mime] = told.get(item.mime, 0) + 1
        if told[item.mime] < 4 and item.mime == message(7):
            peer.remove(item)
            raise Failure("ErrorServerBusy", 10)
    peer.on_done = refuse
    done = copy(f"maildir:{box}", peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 40, done
    assert sorted(i.mime for i in peer.all()) == sorted(message(n) for n in range(40)) and told[message(7)] == 4


@pytest.mark.parametrize("how", ["cut", 503, "ErrorServerBusy", "item"])
def test_from_exchange_to_exchange(peer, other, ledger, how):
    """As they are: what only a stream has of them is there as well, unless nothing came back at all."""
    for n in range(3):
        peer.deliver(peer.known["inbox"], message(n), read=True)
        put(peer, peer.known["calendar"], single(peer, f"a{n}", "20240105T120000", "20240105T130000", f"{n}"))
        put(peer, peer.known["contacts"], Whole(peer, "IPM.Contact", f"Ann{n}").tag(0x3001, "String", f"Ann{n}"))
    for item in peer.all():
        if hasattr(item, "named"):
            item.lid(ADDRESS, 0x9999, "Integer", 42)
    told = once_a_folder(other, "UploadItems", "ErrorServerBusy") if how == "item" else requests(other, "UploadItems", how)
    done = copy(peer.url(), other.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 9 and len(told) == 3, done
    assert sorted(map(all_of, other.all())) == sorted(map(all_of, peer.all())) and same(peer, other)
    nothing_more([peer.url()], other, ledger)
