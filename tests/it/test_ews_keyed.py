"""Calendars, contacts, tasks and notes to Exchange by Exchange Web Services: the strict stand-in for the server, files on the other
side. It has a trap for whatever would make the server write to anybody."""

import glob
import os
import re
import signal
import time

import pytest
from calendar_items import calendar, card, event, parts
from ews_items import APPOINTMENT, COMMON, MEETING, NOTE, STRINGS, TASK
from ews_peer import EwsPeer, Failure, Hang
from run import copy, postferry, start
from test_calendar_files import Box

KEY, TEXT = (STRINGS, "X-POSTFERRY-KEY"), (STRINGS, "X-POSTFERRY-TEXT")
BERLIN = """BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r
DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"""
SERIES = ["BEGIN:VEVENT", "UID:series", "DTSTAMP:20240101T000000Z", "DTSTART;TZID=Europe/Berlin:20240304T090000",
          "DTEND;TZID=Europe/Berlin:20240304T100000", "SUMMARY:Round", "LOCATION:Here", "RRULE:FREQ=WEEKLY;COUNT=8",
          "EXDATE;TZID=Europe/Berlin:20240325T090000", "END:VEVENT",
          "BEGIN:VEVENT", "UID:series", "DTSTAMP:20240101T000000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20240401T090000",
          "DTSTART;TZID=Europe/Berlin:20240402T140000", "DTEND;TZID=Europe/Berlin:20240402T150000", "SUMMARY:Moved", "LOCATION:There",
          "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVsbG8=", "END:VEVENT"]


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path / "source")


@pytest.fixture
def cards(tmp_path):
    return Box(tmp_path / "cards", "vcf")


def lines(many):
    return "\r\n".join(many) + "\r\n"


def series(*more):
    return calendar(BERLIN, lines(SERIES), *more)


def task(uid, title, *more):
    return lines(["BEGIN:VTODO", f"UID:{uid}", "DTSTAMP:20240101T000000Z", f"SUMMARY:{title}", *more, "END:VTODO"])


def note(uid, title, *more):
    return lines(["BEGIN:VJOURNAL", f"UID:{uid}", "DTSTAMP:20240101T000000Z", f"SUMMARY:{title}", *more, "END:VJOURNAL"])


def items(peer, *path):
    return list(peer.folder(*path).items.values())


def value(item, where, number):
    return item.named.get((where, number), (None, None))[1]


def back(peer, tmp_path, name="back", keep_text=False):
    """What a reader that knows nothing of ours is given: the folder as files, from the items' own properties."""
    if not keep_text:
        for item in peer.all():
            if hasattr(item, "named"):
                item.named.pop(TEXT, None)
    out = tmp_path / name
    suffix = "vcf" if any(f.kind == "IPF.Contact" and f.items for f in peer.folders.values()) else "ics"
    done = copy(peer.url(), f"{suffix}:{out}", str(tmp_path / f"{name}.ledger"))
    assert done.status in (0, 1), done
    return [open(p, encoding="utf-8", newline="").read() for p in sorted(glob.glob(f"{out}/**/*.{suffix}", recursive=True))]


# ---- what each item becomes ----

def test_an_event(peer, box, ledger):
    box.put("work", "a", calendar(event(
        "uid-1", "20240105T100000Z", "Größe & <Gewicht>", "LOCATION:Room 1", "DESCRIPTION:line\\nline", "CATEGORIES:Red,Blue",
        "CLASS:PRIVATE", "PRIORITY:1", "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
        "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVsbG8=",
        "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT25M", "DESCRIPTION:x", "END:VALARM")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    assert peer.folder("work").kind == "IPF.Appointment"
    [i] = items(peer, "work")
    assert (i.subject, i.text, i.categories, i.uid) == ("Größe & <Gewicht>", "line\nline", ["Red", "Blue"], "uid-1")
    assert value(i, APPOINTMENT, 0x820D) == "2024-01-05T10:00:00Z" and value(i, APPOINTMENT, 0x820E) == "2024-01-05T11:00:00Z"
    assert value(i, APPOINTMENT, 0x8205) == 3 and value(i, None, 0x36) == 2 and value(i, None, 0x17) == 2
    assert value(i, COMMON, 0x8503) is True and value(i, COMMON, 0x8501) == 25
    assert [(a.name, a.content) for a in i.attachments] == [("a.txt", b"hello")]
    assert value(i, *KEY).startswith("n:") and TEXT not in i.named


def test_a_whole_day_and_no_reminder(peer, box, ledger):
    box.put("work", "a", calendar(lines(["BEGIN:VEVENT", "UID:d", "DTSTAMP:20240101T000000Z", "DTSTART;VALUE=DATE:20240304",
                                         "DTEND;VALUE=DATE:20240306", "SUMMARY:Days", "END:VEVENT"])))
    assert copy(box.url(), peer.url(), ledger).status == 0
    [i] = items(peer, "work")
    assert value(i, APPOINTMENT, 0x8215) is True and value(i, COMMON, 0x8503) is False
    assert value(i, APPOINTMENT, 0x820D) == "2024-03-04T00:00:00Z" and value(i, APPOINTMENT, 0x820E) == "2024-03-06T00:00:00Z"


def test_a_whole_day_is_one_where_its_owner_lives(peer, box, ledger):
    peer.zone = "W. Europe Standard Time"
    days = ["DTSTART;VALUE=DATE:20240330", "DTEND;VALUE=DATE:20240401", "SUMMARY:x"]  # the clock changes between
    box.put("work", "a", calendar(lines(["BEGIN:VEVENT", "UID:d", "DTSTAMP:20240101T000000Z", *days, "END:VEVENT"])))
    box.put("work", "s", calendar(lines(["BEGIN:VEVENT", "UID:e", "DTSTAMP:20240101T000000Z", *days, "RRULE:FREQ=WEEKLY;COUNT=4",
                                         "EXDATE;VALUE=DATE:20240406", "END:VEVENT"]),
                                  lines(["BEGIN:VEVENT", "UID:e", "DTSTAMP:20240101T000000Z", "RECURRENCE-ID;VALUE=DATE:20240413",
                                         "DTSTART;VALUE=DATE:20240414", "DTEND;VALUE=DATE:20240415", "SUMMARY:y", "END:VEVENT"])))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    found = {i.uid: i for i in items(peer, "work")}
    for i in found.values():
        assert value(i, APPOINTMENT, 0x820D) == "2024-03-29T23:00:00Z" and value(i, APPOINTMENT, 0x820E) == "2024-03-31T22:00:00Z"
        assert i.zone.name == "W. Europe Standard Time"
    assert [o[1] for o in found["e"].occurrences] == ["2024-04-13T22:00:00Z"]
    before = peer.writes()
    lost = copy(box.url(), peer.url(), ledger + "2")
    assert lost.status == 0 and lost.outcome["present"] == 2 and peer.writes() == before, lost


@pytest.mark.parametrize("newest", ["Exchange2013_SP1", "Exchange2010", "Exchange2007_SP1"])
def test_a_series_with_exceptions(peer, box, ledger, tmp_path, newest):
    """Each occurrence as it was: one moved, one taken out; its file is its own."""
    peer.newest, peer.build = newest, {"Exchange2010": (14, 0, 639), "Exchange2007_SP1": (8, 3, 83)}.get(newest, peer.build)
    box.put("work", "s", series())
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    [i] = items(peer, "work")
    assert i.sort == "RecurringMaster" and i.series.sort == "WeeklyRecurrence" and i.series.count == 8
    assert [d.strftime("%m%d") for d in i.series.deleted] == ["0325"]
    [(was, begin, _, one)] = i.occurrences
    assert (was, begin, one.subject) == ("2024-04-01T07:00:00Z", "2024-04-02T12:00:00Z", "Moved")
    assert [a.content for a in one.attachments] == [b"hello"] and i.attachments == []
    assert value(i, *KEY).startswith("n:")
    [text] = back(peer, tmp_path)
    assert "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=8" in text and "EXDATE;TZID=Europe/Berlin:20240325T090000" in text
    assert [p["SUMMARY"] for p in parts(text)] == ["Round", "Moved"]


def test_a_zone_that_the_server_has_no_name_for(peer, box, ledger):
    """The name is one of Windows, but younger than the server: its rule goes there instead."""
    text = lines(["BEGIN:VEVENT", "UID:z", "DTSTAMP:20240101T000000Z", "DTSTART;TZID=Asia/Karachi:20240304T090000",
                  "DTEND;TZID=Asia/Karachi:20240304T100000", "SUMMARY:far", "RRULE:FREQ=DAILY;COUNT=3", "END:VEVENT"])
    box.put("work", "z", calendar(text))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    [i] = items(peer, "work")
    assert i.zone.name == "Custom" and value(i, APPOINTMENT, 0x820D) == "2024-03-04T04:00:00Z"


RULES = [
    ("FREQ=DAILY;INTERVAL=3;COUNT=10", "DailyRecurrence"), ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7", "WeeklyRecurrence"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU;UNTIL=20240601T070000Z", "WeeklyRecurrence"),
    ("FREQ=MONTHLY;BYMONTHDAY=4;COUNT=5", "AbsoluteMonthlyRecurrence"), ("FREQ=MONTHLY;BYDAY=1MO", "RelativeMonthlyRecurrence"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2;COUNT=4", "RelativeMonthlyRecurrence"), ("FREQ=YEARLY", "AbsoluteYearlyRecurrence"),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=1MO;COUNT=3", "RelativeYearlyRecurrence"), ("FREQ=YEARLY;INTERVAL=2;COUNT=3", "AbsoluteMonthlyRecurrence"),
]


def test_every_rule_that_exchange_has(peer, box, ledger):
    for n, (rule, _) in enumerate(RULES):
        day = "20240402" if "BYSETPOS" in rule else "20240304"  # the second weekday of a month
        text = lines(["BEGIN:VEVENT", f"UID:r{n}", "DTSTAMP:20240101T000000Z", f"DTSTART;TZID=Europe/Berlin:{day}T090000",
                      f"DTEND;TZID=Europe/Berlin:{day}T100000", f"SUMMARY:{n}", f"RRULE:{rule}", "END:VEVENT"])
        box.put("work", f"{n}", calendar(BERLIN, text))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == len(RULES), done
    assert {i.subject: i.series.sort for i in items(peer, "work")} == {str(n): sort for n, (_, sort) in enumerate(RULES)}


def test_what_exchange_has_no_words_for_is_kept_and_named(peer, box, ledger):
    """Nothing that is nearly the same; and no half of it stays."""
    bad = ["RRULE:FREQ=HOURLY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15", "RDATE:20240106T100000Z"]
    for n, line in enumerate(bad):
        box.put("work", f"{n}", calendar(event(f"b{n}", "20240105T100000Z", "odd", line)))
    box.put("work", "good", calendar(event("g", "20240105T100000Z", "good")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 1 and done.outcome["copied"] == 1 and done.outcome["quarantined"] == 3, done
    assert all("Exchange has no words" in m["reason"] for m in done.missed), done
    assert [i.subject for i in items(peer, "work")] == ["good"]


def test_meetings_are_nobodys_business(peer, box, ledger, tmp_path):
    people = ["ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org", "ATTENDEE;ROLE=OPT-PARTICIPANT:mailto:c@example.org",
              "ATTENDEE;CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT:mailto:room@example.org"]
    box.put("work", "theirs", calendar(event("m1", "20240105T100000Z", "Theirs", "ORGANIZER;CN=Ann:mailto:ann@example.org", *people,
                                             "ATTENDEE;PARTSTAT=TENTATIVE:mailto:me@example.org")))
    box.put("work", "mine", calendar(event("m2", "20240106T100000Z", "Mine", "ORGANIZER:mailto:me@example.org", *people)))
    peer.login = "Basic " + __import__("base64").b64encode(b"me@example.org:pass").decode()
    done = copy(box.url(), peer.url("me@example.org"), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    found = {i.subject: i for i in items(peer, "work")}
    assert value(found["Theirs"], APPOINTMENT, 0x8217) == 3 and value(found["Theirs"], APPOINTMENT, 0x8218) == 2
    assert value(found["Mine"], APPOINTMENT, 0x8217) == 1 and value(found["Mine"], APPOINTMENT, 0x8218) == 1
    assert found["Theirs"].people["Organizer"][0][1] == "ann@example.org"
    for i in found.values():
        assert i.people["OptionalAttendees"][0][1] == "c@example.org" and i.people["Resources"][0][1] == "room@example.org"
    again = copy(box.url(), peer.url("me@example.org"), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again


def test_contacts_and_groups(peer, cards, ledger, tmp_path):
    cards.put("people", "a", card("c1", "Ann B. Cee", "EMAIL;TYPE=INTERNET,PREF:ann@example.org", "EMAIL;TYPE=INTERNET:b@example.org",
                                  "TEL;TYPE=CELL:+1234", "ADR;TYPE=WORK:;;Street 1;City;;99;Land", "ORG:Acme;Sales", "BDAY:1985-04-12",
                                  "NOTE:what", "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo="))
    cards.put("people", "g", card("c2", "Team", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:mailto:ann@example.org"))
    done = copy(cards.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    found = {i.item_class: i for i in items(peer, "people")}
    ann, team = found["IPM.Contact"], found["IPM.DistList"]
    assert peer.folder("people").kind == "IPF.Contact"
    assert value(ann, None, 0x3001) == "Ann B. Cee" and value(ann, "Address", 0x8083) == "ann@example.org"
    assert value(ann, "Address", 0x8093) == "b@example.org" and value(ann, None, 0x3A1C) == "+1234" and value(ann, None, 0x3A16) == "Acme"
    assert value(ann, "Address", 0x8045) == "Street 1" and value(ann, None, 0x3A42) == "1985-04-12T00:00:00Z" and ann.text == "what"
    [photo] = ann.attachments
    assert photo.photo and photo.name == "ContactPicture.jpg" and photo.content == b"\x89PNG\r\n\x1a\n"
    assert team.members == [("ann@example.org", "ann@example.org")] and value(team, None, 0x3001) == "Team"
    text = "".join(back(peer, tmp_path))
    assert "UID:c1\r\n" in text and "UID:c2\r\n" in text and "EMAIL;PREF=1:ann@example.org" in text


def test_tasks_and_notes(peer, box, ledger, tmp_path):
    box.put("todo", "t", calendar(task("t1", "Done", "STATUS:COMPLETED", "DUE;VALUE=DATE:20240310", "COMPLETED:20240309T120000Z")))
    box.put("todo", "u", calendar(task("t2", "Half", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50", "DTSTART;VALUE=DATE:20240304")))
    box.put("notes", "n", calendar(note("n1", "Title", "DESCRIPTION:Title\\nmore", "COLOR:pink")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 3, done
    # files do not tell what their folders are for: calendars, and what is none beside them
    assert peer.folder("todo (tasks)").kind == "IPF.Task" and peer.folder("notes (notes)").kind == "IPF.StickyNote"
    tasks = {i.subject: i for i in items(peer, "todo (tasks)")}
    assert value(tasks["Done"], TASK, 0x8101) == 2 and value(tasks["Done"], TASK, 0x8105) == "2024-03-10T00:00:00Z"
    assert value(tasks["Half"], TASK, 0x8102) == 0.5 and value(tasks["Half"], TASK, 0x8104) == "2024-03-04T00:00:00Z"
    [n] = items(peer, "notes (notes)")
    assert n.item_class == "IPM.StickyNote" and value(n, NOTE, 0x8B00) == 2 and n.text == "Title\nmore" and not n.draft
    before = peer.writes()
    again = copy(box.url(), peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.writes() == before, again
    assert sorted(p["UID"] for text in back(peer, tmp_path) for p in parts(text)) == ["n1", "t1", "t2"]


def test_a_folder_of_several_kinds(peer, box, ledger):
    """One of the source, several there; and all is found again."""
    box.put("all", "e", calendar(event("e", "20240105T100000Z", "event")))
    box.put("all", "t", calendar(task("t", "task", "STATUS:NEEDS-ACTION")))
    box.put("all", "n", calendar(note("n", "note", "DESCRIPTION:x")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    assert [[i.subject for i in items(peer, f)] for f in ("all", "all (tasks)", "all (notes)")] == [["event"], ["task"], ["note"]]
    before = peer.writes()
    lost = copy(box.url(), peer.url(), ledger + "2")
    assert lost.status == 0 and lost.outcome["present"] == 3 and peer.writes() == before, lost
    time.sleep(1.1)
    box.put("all", "t", calendar(task("t", "task, edited", "STATUS:NEEDS-ACTION")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and [i.subject for i in items(peer, "all (tasks)")] == ["task, edited"], done


# ---- nothing is lost, nothing is there twice ----

def test_what_an_item_can_not_say_stays_beside_it(peer, box, ledger, tmp_path):
    """The text is given back while the item is as it was put, and no longer when somebody changed it."""
    box.put("work", "a", calendar(event("x", "20240105T100000Z", "odd", "GEO:1.5;2.5", "X-FOO;A=b:c", "PRIORITY:3")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    [i] = items(peer, "work")
    assert "GEO:1.5" in value(i, *TEXT)
    [text] = back(peer, tmp_path, "kept", keep_text=True)
    assert "GEO:1.5;2.5" in text and "X-FOO;A=b:c" in text
    i.subject = "changed"
    peer.touch(i)
    [text] = back(peer, tmp_path, "changed", keep_text=True)
    assert "SUMMARY:changed" in text and "GEO" not in text


def test_kb886948_pasted_copies_all_arrive(peer, box, ledger):
    """Exchange lets two items share a UID: none gets another one."""
    for n, day in enumerate(["01", "02", "03", "03"]):
        box.put("work", f"{n}", calendar(event("same", f"202401{day}T090000Z", "dentist")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    assert sorted((i.uid, value(i, APPOINTMENT, 0x820D)[8:10]) for i in items(peer, "work")) == [
        ("same", "01"), ("same", "02"), ("same", "03"), ("same", "03")]
    before = peer.writes()
    again = copy(box.url(), peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.writes() == before, again
    lost = copy(box.url(), peer.url(), ledger + "2")
    assert lost.status == 0 and lost.outcome["present"] == 4 and len(items(peer, "work")) == 4, lost


def test_an_edit_follows_in_its_place(peer, box, ledger):
    box.put("work", "s", series())
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "before")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    ids, made = {i.uid: i.id for i in items(peer, "work")}, peer.count("CreateItem")
    time.sleep(1.1)
    box.put("work", "a", calendar(event("a", "20240105T110000Z", "after")))
    box.put("work", "s", series().replace("SUMMARY:Round", "SUMMARY:Rounder"))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and len(items(peer, "work")) == 2, done
    found = {i.uid: i for i in items(peer, "work")}
    assert found["a"].subject == "after" and found["series"].subject == "Rounder" and len(found["series"].occurrences) == 1
    assert found["a"].id == ids["a"] and found["series"].id != ids["series"] and peer.count("CreateItem") == made + 1
    before = peer.writes()
    assert copy(box.url(), peer.url(), ledger).status == 0 and peer.writes() == before


def test_mirror_removes_what_it_wrote(peer, box, ledger):
    for n in range(24):
        box.put("work", f"{n}", calendar(event(f"a{n}", "20240105T100000Z", f"{n}")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    changed = next(i for i in items(peer, "work") if i.uid == "a1")
    changed.subject = "theirs"
    peer.touch(changed)
    for n in (0, 1):
        os.remove(box.path / "work" / f"{n}.ics")
    done = copy(box.url(), peer.url(), ledger, "--mirror")
    left = {i.uid for i in items(peer, "work")}
    assert "a0" not in left and "a1" in left and len(left) == 23, done


RICH = ["LOCATION:Room 1", "DESCRIPTION:line\\nline", "CATEGORIES:Red,Blue", "CLASS:PRIVATE", "PRIORITY:1",
        "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "X-OTHER:kept as text", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT25M", "DESCRIPTION:x",
        "END:VALARM"]
CARD = ["N:Cee;Ann;B.;Dr.;Jr.", "NICKNAME:A", "EMAIL;TYPE=INTERNET,PREF:ann@example.org", "EMAIL;TYPE=INTERNET:b@example.org",
        "EMAIL;TYPE=INTERNET:c@example.org", "TEL;TYPE=CELL:+1234", "ADR;TYPE=WORK:;;Street 1;City;;99;Land", "ORG:Acme;Sales", "TITLE:Head",
        "BDAY:1985-04-12", "NOTE:what", "CATEGORIES:Red"]


DOING = ["STATUS:IN-PROCESS", "PERCENT-COMPLETE:50", "DTSTART;VALUE=DATE:20240304", "DUE;VALUE=DATE:20240310", "CATEGORIES:Red",
         "PRIORITY:1", "DESCRIPTION:line", "X-MICROSOFT-TASK-ACTUAL-EFFORT:90", "X-MICROSOFT-TASK-MILEAGE:3 miles", "BEGIN:VALARM",
         "ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20240309T080000Z", "DESCRIPTION:x", "END:VALARM"]


def as_it_is(item):
    """All that the server has of it; what is empty or 0 says nothing, nor does when there would be a reminder where there is none."""
    idle = () if value(item, COMMON, 0x8503) else ((COMMON, 0x8501), (COMMON, 0x8502))
    return (item.subject, item.text or "", item.html, item.categories, {k: v for k, v in item.named.items() if k not in (KEY, *idle) and v[1] not in ("", 0)})


@pytest.mark.parametrize("zone", [None, "W. Europe Standard Time"])
def test_an_edited_item_is_what_a_new_one_would_be(peer, box, cards, ledger, zone):
    """What it says no more is gone from it, and what it says anew is there; it is the same item."""
    peer.zone = zone
    days = ["BEGIN:VEVENT", "UID:d", "DTSTAMP:20240101T000000Z", "DTSTART;VALUE=DATE:20240304", "SUMMARY:Days", "END:VEVENT"]
    forms = [("work", calendar(event("a", "20240105T100000Z", "Rich", *RICH)), calendar(event("a", "20240106T110000Z", "Poor")), box),
             ("work", calendar(event("d", "20240105T100000Z", "Hour")), calendar(lines(days)), box),
             ("notes", calendar(note("n", "Title", "DESCRIPTION:Title\\nmore", "COLOR:pink", "CATEGORIES:x")),
              calendar(note("n", "Other", "DESCRIPTION:Other")), box),
             ("todo", calendar(task("t", "Half", *DOING)), calendar(task("t", "Whole", "STATUS:COMPLETED", "COMPLETED:20240309T120000Z")), box),
             ("todo", calendar(task("z", "Later", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:25")), calendar(task("z", "Never")), box),
             ("people", card("c", "Ann B. Cee", *CARD), card("c", "Bob", "EMAIL;TYPE=INTERNET:d@example.org"), cards)]

    def put(which):
        for n, (folder, *texts, where) in enumerate(forms):
            where.put(folder, f"{n}", texts[which])

    def go(to, name):
        line = ["--from", box.url(), "--from", cards.url(), "--to", to.url(), "--ledger", ledger + name, "--allow-plaintext", "--json"]
        done = postferry("copy", *line)
        assert done.status == 0, done
        return done

    def found(of):
        return {value(i, None, 0x3001) or i.subject: i for i in of.all()}
    for first, then in ((0, 1), (1, 0)):
        with EwsPeer() as fresh:
            fresh.zone = zone
            put(first)
            go(peer, f"{first}")
            ids, made = sorted(i.id for i in peer.all()), peer.count("CreateItem")
            time.sleep(1.1)
            put(then)
            done = go(peer, f"{first}")
            assert done.outcome["copied_now"] == 6 and sorted(i.id for i in peer.all()) == ids and peer.count("CreateItem") == made, done
            go(fresh, f"fresh {first}")
            assert {k: as_it_is(i) for k, i in found(peer).items()} == {k: as_it_is(i) for k, i in found(fresh).items()}
            assert fresh.breaches == [] and fresh.sent == []
            for item in peer.all():
                peer.remove(item)


@pytest.mark.parametrize("code", ["ErrorInvalidPropertyDelete", "ErrorItemSave", "ErrorCalendarOutOfRange"])
def test_what_no_update_can_say_is_made_anew(peer, box, ledger, code):
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "before")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    [i] = items(peer, "work")
    time.sleep(1.1)
    box.put("work", "a", calendar(event("a", "20240105T110000Z", "after")))

    def refuse(operation, thing):
        if operation == "UpdateItem" and not peer.count("CreateItem") > 1:
            raise Failure(code)
    peer.on_item = refuse
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and [(x.subject, x.id != i.id) for x in items(peer, "work")] == [("after", True)], done


@pytest.mark.parametrize("hung", ["before", "after"])
@pytest.mark.parametrize("kill", [False, True])
def test_an_update_whose_answer_does_not_come(peer, box, ledger, hung, kill):
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "before", "LOCATION:x")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    [i] = items(peer, "work")
    time.sleep(1.1)
    box.put("work", "a", calendar(event("a", "20240105T110000Z", "after")))
    run = start("copy", "--from", box.url(), "--to", peer.url(), "--ledger", ledger, "--allow-plaintext", "--json")
    seen = []

    def cut(request):
        if b"<m:UpdateItem" in request.body and not seen:
            seen.append(request)
            if kill:
                os.kill(run.pid, signal.SIGKILL)
                run.wait()
            raise Hang
    (peer.before if hung == "before" else peer.after).append(cut)
    run.communicate()
    assert seen and (kill or run.returncode == 0)
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    assert [(x.id, x.subject, value(x, APPOINTMENT, 0x8208)) for x in items(peer, "work")] == [(i.id, "after", None)]
    writes = peer.writes()
    assert copy(box.url(), peer.url(), ledger).status == 0 and peer.writes() == writes


def test_a_task_that_no_update_can_say_is_made_anew(peer, box, ledger):
    """One that recurs, as what is done of it becomes a task of its own; and one that is to tell no more how much of it is done."""
    daily = ["DTSTART;VALUE=DATE:20240304", "RRULE:FREQ=DAILY;COUNT=5"]
    box.put("todo", "r", calendar(task("r", "Daily", *daily)))
    box.put("todo", "p", calendar(task("p", "Half", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    before = {i.id for i in peer.all()}
    time.sleep(1.1)
    box.put("todo", "r", calendar(task("r", "Every day", *daily)))
    box.put("todo", "p", calendar(task("p", "Some", "STATUS:IN-PROCESS")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and sorted(i.subject for i in peer.all()) == ["Every day", "Some"], done
    assert not before & {i.id for i in peer.all()} and len(before) == 2


@pytest.mark.parametrize("operation", ["GetItem", "CreateItem"])
def test_what_was_changed_there_meanwhile_is_left_alone(peer, box, ledger, operation):
    """Whether the item is to be changed or, as it has a file, to be replaced."""
    more = ["ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8="] if operation == "CreateItem" else []
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "before", *more)))
    assert copy(box.url(), peer.url(), ledger).status == 0
    [i] = items(peer, "work")

    def meddle(at, thing):
        """Somebody else is quicker, just before it is replaced."""
        if at == operation:
            i.subject = "theirs"
            peer.touch(i)
    time.sleep(1.1)
    box.put("work", "a", calendar(event("a", "20240105T110000Z", "ours", *more)))
    peer.on_item = meddle
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 1 and [x.subject for x in items(peer, "work")] == ["theirs"], done


@pytest.mark.parametrize("operation", ["CreateItem", "CreateAttachment", "UpdateItem", "DeleteItem"])
def test_an_answer_that_never_comes(peer, box, ledger, operation):
    """It was done, and the link broke: one copy of each, whole."""
    box.put("work", "s", series())
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "x", "ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=")))
    hung = []

    def hang(r):
        if r.headers.get("SOAPAction", "").strip('"').endswith("/" + operation) and len(hung) < 2:
            hung.append(1)
            raise Hang
    peer.after.append(hang)
    done = copy(box.url(), peer.url(), ledger)
    assert hung and done.status == 0, done
    found = {i.uid: i for i in items(peer, "work")}
    assert len(items(peer, "work")) == 2 and len(found["a"].attachments) == 1
    assert len(found["series"].occurrences) == 1 and len(found["series"].occurrences[0][3].attachments) == 1
    assert all(value(i, *KEY).startswith("n:") for i in found.values())


@pytest.mark.parametrize("at", range(1, 12))
def test_killed_and_run_again(peer, box, ledger, at):
    """At each request that changes something: one copy of each in the end, and none that is half."""
    box.put("work", "s", series())
    for n in range(3):
        box.put("work", f"{n}", calendar(event(f"a{n}", "20240105T100000Z", f"{n}", "ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=")))
    peer.kill_at(at, lambda: start("copy", "--from", box.url(), "--to", peer.url(), "--ledger", ledger, "--allow-plaintext", "--json"))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0, done
    assert sorted(i.uid for i in items(peer, "work")) == ["a0", "a1", "a2", "series"]
    for i in items(peer, "work"):
        assert value(i, *KEY).startswith("n:")
        assert len(i.attachments) == 1 or (len(i.occurrences) == 1 and len(i.occurrences[0][3].attachments) == 1), i.uid
    again = copy(box.url(), peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0


def test_one_that_is_refused_takes_nothing_with_it(peer, box, ledger):
    for n in range(5):
        box.put("work", f"{n}", calendar(event(f"a{n}", "20240105T100000Z", f"{n}", "ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=")))

    def refuse(operation, thing):
        if operation == "CreateItem" and any(c.text == "2" for c in thing):
            raise Failure("ErrorCalendarInvalidRecurrence")
        if operation == "CreateAttachment" and len(refused) == 0:
            refused.append(1)
            raise Failure("ErrorAttachmentSizeLimitExceeded")
    refused = []
    peer.on_item = refuse
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and done.outcome["copied"] == 4, done
    assert "ErrorCalendarInvalidRecurrence" in done.missed[0]["reason"]
    assert len(items(peer, "work")) == 4


def test_a_folder_of_that_name_is_of_another_kind(peer, box, ledger):
    """A mail folder has the name: the calendar gets another one, and keeps it."""
    peer.add_folder(peer.root, "work")
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "x")))
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and [i.subject for i in items(peer, "work (2)")] == ["x"], done
    again = copy(box.url(), peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.folder("work (3)") is None


def test_an_account_of_three_stores(peer, box, cards, ledger, tmp_path):
    """Mail, calendar and contacts of one person into one mailbox, though two folders have one name; and back."""
    mail = tmp_path / "mail"
    for sub in ("cur", "new", "tmp", ".work/cur", ".work/new", ".work/tmp"):
        (mail / sub).mkdir(parents=True)
    (mail / ".work/cur/1.M1P1.host:2,S").write_bytes(b"From: a@example.org\r\nSubject: letter\r\n\r\nHi.\r\n")
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "event")))
    box.put("work", "s", series())
    cards.put("people", "c", card("c", "Ann"))
    every = ["--from", f"maildir:{mail}", "--from", box.url(), "--from", cards.url(), "--to", peer.url(), "--ledger", ledger,
             "--allow-plaintext", "--json"]
    done = postferry("copy", *every)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    by_class = {f.kind: sorted(getattr(i, "subject", None) or "" for i in f.items.values()) for f in peer.folders.values() if f.items}
    assert by_class["IPF.Appointment"] == ["Round", "event"] and len(by_class["IPF.Note"]) == len(by_class["IPF.Contact"]) == 1
    before = peer.writes()
    again = postferry("copy", *every)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.writes() == before, again
    out = tmp_path / "out"
    back_again = postferry("copy", "--from", peer.url(), "--to", f"archive:{out}", "--ledger", ledger + "3", "--allow-plaintext", "--json")
    assert back_again.status == 0 and back_again.outcome["copied"] == 4, back_again
    texts = [open(p, encoding="utf-8", newline="").read() for p in glob.glob(f"{out}/**/*.[iv]c[sf]", recursive=True)]
    assert sorted(p.get("SUMMARY") or p.get("FN") for t in texts for p in parts(t)) == ["Ann", "Moved", "Round", "event"]


def test_verify_looks_at_the_items_themselves(peer, box, ledger):
    box.put("work", "s", series())
    box.put("work", "a", calendar(event("a", "20240105T100000Z", "x")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    verify = ["verify", "--deep", "--from", box.url(), "--to", peer.url(), "--ledger", ledger, "--json", "--allow-plaintext"]
    assert postferry(*verify).status == 0
    changed = next(i for i in items(peer, "work") if i.uid == "series")
    changed.occurrences[0][3].named[APPOINTMENT, 0x820D] = ("SystemTime", "2024-04-02T13:00:00Z")
    changed.series.deleted.clear()
    __import__("ews_made").write_blob(changed)
    peer.touch(changed)
    assert postferry(*verify).status == 1


def test_the_calendar_that_people_see_first(peer, ledger, tmp_path):
    """Whatever it is called at either side: "Calendar" is not made beside the mailbox's own; others are made as they are called."""
    source = tmp_path / "source"
    for n, name in enumerate(("Calendar", "Team")):
        (source / name).mkdir(parents=True)
        (source / name / "one.ics").write_bytes(calendar(event(f"u{n}", "20240304T090000Z", f"In {name}")).encode())
    done = copy(f"ics:{source}", peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    assert len(peer.known["calendar"].items) == 1 and len(peer.folder("Team").items) == 1
    assert peer.folder("Calendar") is None and peer.known["calendar"].name == "Kalender"
    again = copy(f"ics:{source}", peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    with EwsPeer() as other:
        other.known["calendar"].name = "Calendar"
        done = copy(peer.url(), other.url(), ledger + "2")
        assert done.status == 0 and len(other.known["calendar"].items) == 1 and other.folder("Kalender") is None, done
        assert other.breaches == [] and other.sent == []


def test_folders_of_other_kinds_are_no_part_of_a_report(peer, box, ledger, tmp_path):
    """A store of several kinds goes to several targets: each has its own folders in the report, and none of the others'."""
    box.put("work", "a", calendar(event("u", "20240304T090000Z", "One")))
    assert copy(box.url(), peer.url(), ledger).status == 0
    peer.deliver(peer.known["inbox"], b"Subject: one\r\n\r\nbody\r\n")
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger + "2")
    assert done.status == 0 and done.outcome["copied"] == 2 and done.outcome["folders_skipped"] == 0, done
    text = postferry("report", "--ledger", ledger + "2").out
    assert "INBOX -> INBOX" in text and "work -> work" in text and "(nowhere)" not in text and "--kinds" not in text, text


def test_a_folder_that_somebody_else_makes_meanwhile(peer, box, ledger):
    """The folders are read anew then, and what is put into the others all the while is not refused."""
    box.put("alpha", "a", calendar(event("a", "20240105T100000Z", "In alpha")))
    box.put("beta", "b", calendar(event("b", "20240105T100000Z", "In beta")))
    made, usual = [], peer.work

    def step(request):
        if b"CreateFolder" in request.body and b">beta<" in request.body and not made:
            made.append(peer.add_folder(peer.root, "beta", "IPF.Appointment"))

    def late(h, request):
        time.sleep(0.7 if made and b"FindFolder" in request.body else 0)
        usual(h, request)

    peer.before.append(step)
    peer.work = late
    done = copy(box.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    assert made and len(made[0].items) == len(peer.folder("alpha").items) == 1
