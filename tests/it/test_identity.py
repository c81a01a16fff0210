"""
What tells items apart and what makes them one, where the identifier doesn't: the tests that the rules of identity demand,
by their numbers (docs/internals/calendars.md). Some are in test_dav.py and test_dav_peer.py.
"""

import collections
import random
import re

import pytest
from calendar_items import calendar, event, parts, seen, texts, unfold, uids, write
from dav_peer import Peer
from run import copy, postferry


@pytest.fixture
def source(tmp_path):
    return tmp_path / "source" / "Work"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target" / "Work"


@pytest.fixture
def move(source, target, ledger):
    def run(suffix="", *more):
        return copy(f"ics:{source.parent}", f"ics:{target.parent}", ledger + suffix, *more, timeout=250)
    return run


@pytest.fixture
def peer():
    """A server that wants each UID once in a calendar."""
    with Peer() as p:
        yield p
        assert p.breaches == []


def found(target, *names):
    """What is said of each part under these names, in order."""
    return sorted(tuple(p.get(name, "") for name in names) for text in texts(target).values() for p in parts(text))


def test_s8_01_pasted_copies(source, ledger, peer):
    """KB886948: they keep the UID of their original."""
    for n, start in enumerate(("20240105T120000Z", "20240112T120000Z")):
        write(source, f"{n}.ics", calendar(event("u", start, "Lunch")))
    done = copy(f"ics:{source.parent}", peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    there = peer.named("Work")
    assert seen(there) == seen(texts(source).values()) and "u" in uids(there) and len(set(uids(there))) == 2


def test_s8_02_pasted_copies_keep_their_uids(source, ledger, peer):
    for n in range(3):
        write(source, f"{n}.ics", calendar(event("u", f"2024010{n + 1}T120000Z", f"Lunch {n}")))
    assert copy(f"ics:{source.parent}", peer.url(), ledger).status == 0
    before = {p["DTSTART"]: p["UID"] for text in peer.named("Work") for p in parts(text)}
    for n, title in enumerate(("Lunch", "Lunch 1", "Dinner")):
        write(source, f"{n}.ics", calendar(event("u", f"2024010{n + 1}T120000Z", title, "SEQUENCE:1")))
    done = copy(f"ics:{source.parent}", peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied_now"] == 2, done
    there = peer.named("Work")
    assert seen(there) == seen(texts(source).values()) and len(set(before.values())) == 3
    assert {p["DTSTART"]: p["UID"] for text in there for p in parts(text)} == before


@pytest.mark.parametrize("merge", [False, True])
def test_s8_03_exact_duplicates(source, ledger, peer, merge):
    for n in range(2):
        write(source, f"{n}.ics", calendar(event("u", "20240105T120000Z", "Lunch")))
    done = copy(f"ics:{source.parent}", peer.url(), ledger, *(["--duplicates", "merge"] if merge else []))
    there = peer.named("Work")
    assert done.status == 0 and len(there) == len(set(uids(there))) == (1 if merge else 2), done
    assert done.outcome["present"] == merge and done.outcome["copied"] == 2 - merge, done
    words = "equal to another item with its UID" if merge else "another item has its UID: it got one of its own"
    assert words in postferry("report", "--ledger", ledger, "--format", "json").out


def zone(name, offset):
    return ("BEGIN:VTIMEZONE\r\n"
            f"TZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\n"
            "END:STANDARD\r\nEND:VTIMEZONE\r\n")


def in_zone(name):
    """A series at nine o'clock in the zone."""
    return event("u", "20240108T090000", "Stand-up", "RRULE:FREQ=WEEKLY").replace("DTSTART:", f"DTSTART;TZID={name}:")


def test_s8_04_the_same_in_other_words(source, target, move):
    """Other stamps, program, names of the zone, order: the target has it already."""
    write(source, "a.ics", calendar(zone("Here", "+0100"), in_zone("Here")))
    lines = unfold(in_zone("There").replace("20240101T000000Z", "20250505T050505Z"))
    turned = "\r\n".join([lines[0], *reversed(lines[1:-2]), *lines[-2:]])
    text = calendar(zone("There", "+0100"), turned).replace("-//test//EN", "-//other//EN")
    write(target, "theirs.ics", text)
    done = move()
    assert done.status == 0 and done.outcome["present"] == 1 and list(texts(target).values()) == [text], done


def test_s8_05_another_zone_is_another_item(source, ledger, peer):
    write(source, "a.ics", calendar(zone("Here", "+0100"), in_zone("Here")))
    text = calendar(zone("Here", "+0200"), in_zone("Here"))
    peer.folder("Work", text)
    done = copy(f"ics:{source.parent}", peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    there = peer.named("Work")
    assert len(there) == len(set(uids(there))) == 2 and text in there


def series(name, start, *more):
    return event("s", start, name, "RRULE:FREQ=WEEKLY;COUNT=4", *more)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")], ids=["behind it", "before it"])
def test_s8_06_an_override_in_its_own_resource(source, target, move, names):
    write(source, names[0] + ".ics", calendar(series("Weekly", "20240101T090000Z", "EXDATE:20240108T090000Z,20240115T090000Z")))
    write(source, names[1] + ".ics", calendar(event("s", "20240108T100000Z", "Moved", "RECURRENCE-ID:20240108T090000Z")))
    done = move()
    assert done.status == 0 and done.outcome["copied"] == 2, done
    assert len(texts(target)) == 1
    assert found(target, "SUMMARY", "EXDATE") == [("Moved", ""), ("Weekly", "20240115T090000Z")]
    assert move().outcome["copied_now"] == 0


def test_s8_07_an_override_that_fits_one_of_two_series(source, target, move):
    write(source, "a.ics", calendar(series("Mondays", "20240101T090000Z")))
    write(source, "b.ics", calendar(series("Tuesdays", "20240102T090000Z")))
    write(source, "c.ics", calendar(event("s", "20240109T110000Z", "Moved", "RECURRENCE-ID:20240109T090000Z")))
    done = move()
    assert done.status == 0 and done.outcome["copied"] == 3, done
    assert sorted([p["SUMMARY"] for p in parts(text)] for text in texts(target).values()) == [
        ["Mondays"], ["Tuesdays", "Moved"]]
    assert move().outcome["copied_now"] == 0


def test_s8_08_an_override_that_fits_none(source, target, move):
    write(source, "a.ics", calendar(series("Mondays", "20240101T090000Z")))
    write(source, "b.ics", calendar(event("s", "20240110T110000Z", "Elsewhere", "RECURRENCE-ID:20240110T090000Z")))
    done = move()
    assert done.status == 0 and done.outcome["copied"] == 2 and len(texts(target)) == 2, done
    assert found(target, "SUMMARY", "RECURRENCE-ID", "X-POSTFERRY-ORIGINAL-RECURRENCE-ID") == [
        ("Elsewhere", "", "20240110T090000Z"), ("Mondays", "", "")]
    assert len(set(uids(texts(target).values()))) == 2 and move().outcome["copied_now"] == 0


def test_s8_09_two_overrides_of_one_instance(source, target, move):
    """The later revision is the override, the other one stands alone."""
    write(source, "a.ics", calendar(series("Mondays", "20240101T090000Z")))
    for name, revision, title in (("b", 2, "Later"), ("c", 1, "Earlier")):
        write(source, name + ".ics", calendar(event("s", "20240108T110000Z", title, "RECURRENCE-ID:20240108T090000Z",
                                                    f"SEQUENCE:{revision}")))
    done = move()
    assert done.status == 0 and len(texts(target)) == 2, done
    assert found(target, "SUMMARY", "RECURRENCE-ID") == [
        ("Earlier", ""), ("Later", "20240108T090000Z"), ("Mondays", "")]
    assert move().outcome["copied_now"] == 0


def test_s8_10_overrides_without_a_series(source, target, move):
    for day in (8, 15):
        write(source, f"{day}.ics", calendar(event("s", f"202401{day:02}T110000Z", f"Guest {day}",
                                                   f"RECURRENCE-ID:202401{day:02}T090000Z")))
    done = move()
    assert done.status == 0 and len(texts(target)) == 1 and found(target, "UID", "SUMMARY", "RECURRENCE-ID") == [
        ("s", "Guest 15", "20240115T090000Z"), ("s", "Guest 8", "20240108T090000Z")], done
    assert move().outcome["copied_now"] == 0


def without_uid(start, title):
    return event("x", start, title).replace("UID:x\r\n", "")


def test_s8_11_without_uid(source, target, move):
    """One is made, the same in every run; also where several are in a file, and equal."""
    write(source, "a.ics", calendar(without_uid("20240108T090000Z", "One")))
    write(source, "b.ics", calendar(*(without_uid("20240108T090000Z", title) for title in ("Two", "Two", "Three"))))
    done = move()
    assert done.status == 0 and done.outcome["copied"] == 4, done
    before = texts(target)
    assert len(set(uids(before.values()))) == 4 and None not in uids(before.values())
    for ledger in ("", "-lost"):
        again = move(ledger)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and texts(target) == before, again


def test_s8_18_the_sums_add_up(source, ledger, peer):
    """10,000 parts whose identifiers collide at random: each is there at the end, once."""
    dice = random.Random(886948)
    files = collections.defaultdict(list)
    for n in range(10_000):
        uid, day = f"u{dice.randrange(1500)}", dice.randrange(1, 28)
        start, more = f"202401{day:02}T{n % 24:02}0000Z", []
        if n % 4 == 0:
            more.append(f"RECURRENCE-ID:202401{dice.randrange(1, 28):02}T090000Z")
        elif n % 7 == 0:
            start, more = f"202401{day:02}T090000Z", ["RRULE:FREQ=DAILY;COUNT=9"]
        title = f"Part {n}" if more else f"Part {n % 900}"  # overrides that say the same would be one
        made = event(uid, start, title, *more)
        files[dice.randrange(700)].append(made.replace(f"UID:{uid}\r\n", "") if n % 50 == 0 else made)
    for name, events in files.items():
        write(source, f"{name}.ics", calendar(*events))
    done = copy(f"ics:{source.parent}", peer.url(), ledger, timeout=250)
    assert done.status == 0 and done.outcome["open"] == done.outcome["quarantined"] == 0, done
    there = peer.named("Work")
    assert sorted((p["SUMMARY"], p["DTSTART"]) for text in there for p in parts(text)) == found(source, "SUMMARY", "DTSTART")
    assert len(set(uids(there))) == len(there)
    again = copy(f"ics:{source.parent}", peer.url(), ledger, timeout=250)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again


def test_s8_19_a_meeting_with_a_new_uid_invites_nobody(source, ledger, peer):
    """It would be a new one to the server. All of its parts are kept back, and all people in them."""
    people = ["ORGANIZER:mailto:user@example.org", "ATTENDEE:mailto:user@example.org",
              "ATTENDEE;CN=Bob:mailto:bob@example.com"]
    for n in (1, 2):
        write(source, f"{n}.ics", calendar(
            event("m", f"2099010{n}T100000Z", f"Meeting {n}", "RRULE:FREQ=WEEKLY;COUNT=9", *people),
            event("m", f"2099010{n + 7}T120000Z", f"Meeting {n}, later", f"RECURRENCE-ID:2099010{n + 7}T100000Z", *people)))
    peer.features += ", calendar-auto-schedule"
    done = copy(f"ics:{source.parent}", peer.url(), ledger)
    assert done.status == 0 and peer.sent == [], done
    there = peer.named("Work")
    assert seen(there) == seen(texts(source).values())
    agents = {"X-POSTFERRY-ORIGINAL-UID" in text: [
        (line.partition(":")[0].partition(";")[0], re.findall("SCHEDULE-AGENT=([A-Z]+)", line))
        for line in unfold(text) if line.startswith(("ATTENDEE", "ORGANIZER"))] for text in there}
    assert len(agents[True]) == 6 and {tuple(agent) for _, agent in agents[True]} == {("NONE",)}
    assert len(agents[False]) == 6 and {tuple(agent) for _, agent in agents[False]} == {("CLIENT",)}


def expanded(start, *more):
    return event("s", start, "Weekly", "X-MICROSOFT-CDO-INSTTYPE:2", *more)


def test_s8_20_instances_that_a_server_made_items_of(source, target, move):
    """What says no more than its series says of that day is no item of its own; all else is."""
    write(source, "series.ics", calendar(series("Weekly", "20240101T090000Z", "EXDATE:20240122T090000Z")))
    write(source, "a.ics", calendar(expanded("20240108T090000Z")))
    write(source, "b.ics", calendar(expanded("20240115T090000Z")))
    write(source, "edited.ics", calendar(expanded("20240115T090000Z", "LOCATION:Elsewhere")))
    write(source, "excepted.ics", calendar(expanded("20240122T090000Z")))
    write(source, "moved.ics", calendar(expanded("20240109T090000Z")))
    done = move()
    assert done.status == 0 and done.outcome["open"] == 0, done
    assert found(target, "DTSTART", "LOCATION") == [
        ("20240101T090000Z", ""), ("20240109T090000Z", ""), ("20240115T090000Z", "Elsewhere"),
        ("20240122T090000Z", "")]
    assert move().outcome["copied_now"] == 0 and len(texts(target)) == 4
