"""Exchange's calendars, contacts, tasks, notes and journal to servers of each kind, and mail that it can't give as it was sent."""

import datetime
import email
import functools
import os
import re
import signal
import struct
import time

import pytest
import mail
from calendar_items import parts, texts, unfold
from dateutil import rrule
from ews_items import (ADDRESS, APPOINTMENT, COMMON, LOG, MEETING, NOTE, TASK, Attachment, Whole, goid, put, single, utc, weekly,
                       zone)
from ews_peer import EwsPeer, Failure, Hang
from mail import snapshot
from run import copy, postferry, start
from servers import cyrus, radicale
from servers.dovecot import Dovecot

message = functools.lru_cache(maxsize=None)(mail.message)
DAV = [pytest.param(where, id=where.__name__.rpartition(".")[2]) for where in (radicale, cyrus)]
MAKE = {radicale: radicale.Radicale, cyrus: cyrus.CyrusDav}
day = functools.partial(datetime.datetime, 2024, 1)
PHOTO = b"\xff\xd8\xff\xe0 a face"


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


def series(peer):
    """Every Monday at nine in Berlin, ten times: the 15th later and with a text, a guest and a file of its own, the 22nd not
    at all, the 29th at half past nine."""
    item = Whole(peer, "IPM.Appointment", "Stand-up", text="Say what you do", sort="RecurringMaster")
    item.lid(APPOINTMENT, 0x820D, "SystemTime", utc("20240108T080000")).lid(APPOINTMENT, 0x820E, "SystemTime", utc("20240108T090000"))
    item.lid(APPOINTMENT, 0x8216, "Binary", weekly(day(8), 0b10, 10, 540, 60, [day(22)], [
        (day(15), day(15, 10), day(15, 11), "Stand-up, later"), (day(29), day(29, 9, 30), day(29, 10, 30), None)]))
    item.lid(APPOINTMENT, 0x8260, "Binary", zone()).lid(APPOINTMENT, 0x825E, "Binary", zone())
    item.lid(MEETING, 3, "Binary", goid("weekly")).lid(MEETING, 0x23, "Binary", goid("weekly"))
    item.lid(APPOINTMENT, 0x8217, "Integer", 1).lid(APPOINTMENT, 0x8205, "Integer", 2)
    item.people = {"Organizer": [("Ann", "ann@example.org", None)],
                   "RequiredAttendees": [("Ann", "ann@example.org", "Organizer"), ("Bob", "bob@example.org", "Accept")]}
    later = Whole(peer, "IPM.Appointment", "Stand-up, later", html="<p>Bring <b>cake</b></p>", text="Bring cake", sort="Exception")
    later.people = {"RequiredAttendees": [("Bob", "bob@example.org", "Accept")], "Resources": [("Room", "room@example.org", "Accept")],
                    "OptionalAttendees": [("Eve", "eve@example.org", "Decline")]}
    later.attachments = [Attachment(peer, "cake.txt", b"flour, eggs", "text/plain")]
    half = Whole(peer, "IPM.Appointment", "Stand-up", text="Say what you do", sort="Exception")
    item.occurrences = [("2024-01-15T08:00:00Z", "2024-01-15T09:00:00Z", "2024-01-15T10:00:00Z", later),
                        ("2024-01-29T08:00:00Z", "2024-01-29T08:30:00Z", "2024-01-29T09:30:00Z", half)]
    return item


def kb886948(peer, folder):
    """A calendar as people make them: appointments pasted and edited, all with the identifier of the first, and a series."""
    for begin, title in (("20240105", "Lunch"), ("20240112", "Lunch"), ("20240119", "Lunch with Ann")):
        put(peer, folder, single(peer, "lunch", begin + "T120000", begin + "T130000", title))
    for _ in range(2):
        put(peer, folder, single(peer, "exact", "20240106T080000", "20240106T090000", "Run"))
    put(peer, folder, single(peer, None, "20240107T080000", "20240107T090000", "Copy: Walk"))  # Outlook takes the identifier off
    holiday = single(peer, "holiday", "20240109T230000", "20240111T230000", "Holiday")
    put(peer, folder, holiday.lid(APPOINTMENT, 0x8215, "Boolean", True).lid(APPOINTMENT, 0x825E, "Binary", zone()))
    return put(peer, folder, series(peer))


STANDUPS = [day(8, 9), day(15, 10), day(29, 9, 30)] + [datetime.datetime(2024, 2, d, 9) for d in (5, 12, 19, 26)] + [
    datetime.datetime(2024, 3, d, 9) for d in (4, 11)]
INSTANCES = sorted([("Lunch", day(5, 12)), ("Lunch", day(12, 12)), ("Lunch with Ann", day(19, 12)), ("Run", day(6, 8)),
                    ("Run", day(6, 8)), ("Copy: Walk", day(7, 8)), ("Holiday", day(10))]
                   + [("Stand-up, later" if d == day(15, 10) else "Stand-up", d) for d in STANDUPS])


def moment(value):
    return datetime.datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S" if "T" in value else "%Y%m%d")


def instances(many):
    """What a person sees: title and begin, on the wall, of each instance of all events."""
    found = []
    for text in many:
        events = [p for p in parts(text) if p[""] == "VEVENT"]
        for p in events:
            gone = {moment(o["RECURRENCE-ID"]) for o in events if "RECURRENCE-ID" in o and o["UID"] == p["UID"]}
            begin = moment(p["DTSTART"])
            days = [begin]
            if "RRULE" in p:
                gone |= {moment(v) for line in unfold(text) if line.startswith("EXDATE") for v in line.partition(":")[2].split(",")}
                days = [d for d in rrule.rrulestr(p["RRULE"], dtstart=begin) if d not in gone]
            found += [(p["SUMMARY"].replace("\\,", ","), d) for d in days]
    return sorted(found)


def texts_below(path):
    return [text for where, _, _ in os.walk(path) for text in texts(where).values()]


def components(many, name):
    return [p for text in many for p in parts(text) if p[""] == name]


# ---- calendars ----

@pytest.mark.parametrize("where", DAV)
def test_kb886948(peer, where, fast_dir, tmp_path, ledger):
    """Of all that shares an identifier nothing is lost, and all series expand to the same instances."""
    if not (where.has_dav() if where is cyrus else where.available()):
        pytest.skip(f"{where.__name__} is not installed")
    kb886948(peer, peer.known["calendar"])
    with MAKE[where](fast_dir) as dav:
        done = copy(peer.url(), dav.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 8, done
        path = dav.collections()["Kalender"]
        there = list(dav.items(path).values())
        assert instances(there) == INSTANCES
        before, read = dav.etags(path), peer.count("GetItem")
        again = copy(peer.url(), dav.url(), ledger)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and dav.etags(path) == before, again
        assert peer.count("GetItem") == read  # nothing had changed, so nothing was read
        lost = copy(peer.url(), dav.url(), ledger + "2")  # the same bytes are made each time
        assert lost.status == 0 and lost.outcome["copied_now"] == 0 and dav.etags(path) == before, lost


def test_a_series_with_all_that_is_in_it(peer, tmp_path, ledger):
    put(peer, peer.known["calendar"], series(peer))
    assert copy(peer.url(), f"archive:{tmp_path}/a", ledger).status == 0
    [text] = texts_below(tmp_path / "a")
    master, later, half = components([text], "VEVENT")
    assert master["RRULE"] == "FREQ=WEEKLY;BYDAY=MO;COUNT=10;WKST=SU" or "COUNT=10" in master["RRULE"], master
    assert master["ORGANIZER"] == "mailto:ann@example.org" and master["ATTENDEE"] == "mailto:bob@example.org", master
    flat = "\n".join(unfold(text))
    assert "EXDATE;TZID=Europe/Berlin:20240122T090000" in flat and "BEGIN:VTIMEZONE" in flat
    assert later["RECURRENCE-ID"] == "20240115T090000" and later["DTSTART"] == "20240115T100000", later
    assert later["DESCRIPTION"] == "Bring cake" and later["X-ALT-DESC"] == "<p>Bring <b>cake</b></p>", later
    assert later["ATTACH"] == "ZmxvdXIsIGVnZ3M=" and "X-FILENAME=cake.txt" in flat, later
    assert re.search(r"ATTENDEE;.*ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED:mailto:eve@example.org", flat)
    assert re.search(r"ATTENDEE;.*CUTYPE=RESOURCE;.*:mailto:room@example.org", flat)
    assert half["DTSTART"] == "20240129T093000" and half["SUMMARY"] == "Stand-up", half


def test_changes_follow(peer, tmp_path, ledger):
    """Only what changed is read again."""
    kb886948(peer, peer.known["calendar"])
    assert copy(peer.url(), f"ics:{tmp_path}/a", ledger).status == 0
    item = list(peer.known["calendar"].items.values())[2]
    item.subject = "Lunch with Eve"
    peer.touch(item)
    peer.operations.clear()
    done = copy(peer.url(), f"ics:{tmp_path}/a", ledger)
    assert done.status == 0, done
    assert ("Lunch with Eve", day(19, 12)) in instances(texts_below(tmp_path / "a"))
    assert len(instances(texts_below(tmp_path / "a"))) == len(INSTANCES)
    assert sum(n for name, n in peer.operations if name == "GetItem") == 4  # it, to see and to write it; two with its identifier


def test_an_occurrence_that_went_meanwhile(peer, tmp_path, ledger):
    """What the series says of it is enough."""
    item = put(peer, peer.known["calendar"], series(peer))

    def refuse(operation, thing):
        if thing is item.occurrences[1][3]:
            raise Failure("ErrorCalendarOccurrenceIsDeletedFromRecurrence")

    peer.on_item = refuse
    done = copy(peer.url(), f"ics:{tmp_path}/a", ledger)
    assert done.status == 0, done
    assert instances(texts_below(tmp_path / "a")) == [i for i in INSTANCES if i[0].startswith("Stand-up")]


@pytest.mark.parametrize("code", ["ErrorItemNotFound", "ErrorAttachmentSizeLimitExceeded", "ErrorAccessDenied"])
def test_an_item_does_not_come_without_its_files(peer, tmp_path, ledger, code):
    put(peer, peer.known["calendar"], series(peer))
    put(peer, peer.known["calendar"], single(peer, "one", "20240105T120000", "20240105T130000", "Lunch"))

    def refuse(operation, thing):
        if operation == "GetAttachment":
            raise Failure(code)

    peer.on_item = refuse
    done = copy(peer.url(), f"ics:{tmp_path}/a", ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and code in done.out, done
    assert instances(texts_below(tmp_path / "a")) == [("Lunch", day(5, 12))]


def test_a_series_without_its_rule_is_no_single_event(peer, tmp_path, ledger):
    item = series(peer)
    del item.named[APPOINTMENT, 0x8216]
    put(peer, peer.known["calendar"], item)
    done = copy(peer.url(), f"ics:{tmp_path}/a", ledger)
    assert done.status == 1 and "does not give the rule" in done.out and texts_below(tmp_path / "a") == [], done


def test_only_a_uid(peer, tmp_path, ledger):
    item = single(peer, "told", "20240105T120000", "20240105T130000", "Lunch")
    del item.named[MEETING, 3], item.named[MEETING, 0x23]
    put(peer, peer.known["calendar"], item)
    assert copy(peer.url(), f"ics:{tmp_path}/a", ledger).status == 0
    assert components(texts_below(tmp_path / "a"), "VEVENT")[0]["UID"] == "told"


# ---- what is listed and does not come ----

def ghost(peer, code="ErrorItemNotFound"):
    """Listed, each time, and never there when it is asked for."""
    item = put(peer, peer.known["calendar"], single(peer, "ghost", "20240105T120000", "20240105T130000", "Ghost"))

    def refuse(operation, thing):
        if thing is item:
            raise Failure(code)

    peer.on_item = refuse
    return item


def test_what_is_listed_and_never_comes_is_told(peer, tmp_path, ledger):
    """Exchange lists it and says that it is not there, whenever it is asked: nobody may think that all has arrived."""
    ghost(peer)
    put(peer, peer.known["calendar"], single(peer, "real", "20240106T120000", "20240106T130000", "Real"))
    for n in (1, 0):
        done = copy(peer.url(), f"ics:{tmp_path}/a", ledger, "--kinds", "calendar")
        assert done.status == 1 and (done.outcome["copied_now"], done.outcome["quarantined"]) == (n, 1), done
        assert "the source lists it, but did not return it" in done.out
    peer.on_item = None
    done = postferry("retry", "--ledger", ledger, "--from", peer.url(), "--to", f"ics:{tmp_path}/a", "--allow-plaintext", "--json")
    assert done.status == 0 and len(texts_below(tmp_path / "a")) == 2, done


def test_what_went_between_listing_and_reading_has_vanished(peer, tmp_path, ledger):
    item = ghost(peer)
    put(peer, peer.known["calendar"], single(peer, "real", "20240106T120000", "20240106T130000", "Real"))

    def go(operation, thing):
        if thing is item and item.id in item.folder.items:
            peer.remove(item)
            raise Failure("ErrorItemNotFound")

    peer.on_item = go
    for n in (1, 0):
        done = copy(peer.url(), f"ics:{tmp_path}/a", ledger, "--kinds", "calendar")
        assert done.status == 0 and (done.outcome["copied_now"], done.outcome["vanished"]) == (n, 1), done
    assert instances(texts_below(tmp_path / "a")) == [("Real", day(6, 12))]


def test_an_edited_one_that_went_before_it_was_read_is_mirrored(peer, tmp_path, ledger):
    """What was copied in an earlier run has left the source, whatever was to be done with it."""
    items = [put(peer, peer.known["calendar"], single(peer, f"u{n}", "20240105T120000", "20240105T130000", f"Lunch {n}"))
             for n in range(12)]
    assert copy(peer.url(), f"ics:{tmp_path}/a", ledger, "--kinds", "calendar").status == 0
    items[3].subject = "Dinner"
    peer.touch(items[3])

    def go(operation, thing):
        if thing is items[3] and items[3].id in items[3].folder.items:
            peer.remove(items[3])
            raise Failure("ErrorItemNotFound")

    peer.on_item = go
    done = copy(peer.url(), f"ics:{tmp_path}/a", ledger, "--kinds", "calendar", "--mirror")
    assert done.status == 0 and done.outcome["gone_from_source"] == 1 and done.outcome["removed"] == 1, done
    assert len(texts_below(tmp_path / "a")) == 11


# ---- contacts, tasks, notes ----

def person(peer):
    item = Whole(peer, "IPM.Contact", "Ann Example", text="Met at the fair", categories=["Friends", "Größe"])
    for tag, value in ((0x3A06, "Ann"), (0x3A11, "Example"), (0x3001, "Ann Example"), (0x3A16, "ACME"), (0x3A08, "+49 30 1"),
                       (0x3A1C, "+49 170 2"), (0x3A5D, "Street 1\nBackyard"), (0x3A59, "Berlin")):
        item.tag(tag, "String", value)
    item.tag(0x3A58, "StringArray", ["Tim", "Tom"]).tag(0x3A42, "SystemTime", "1980-05-06T00:00:00Z")
    item.lid(ADDRESS, 0x8082, "String", "SMTP").lid(ADDRESS, 0x8083, "String", "ann@example.org")
    item.lid(ADDRESS, 0x8092, "String", "SMTP").lid(ADDRESS, 0x8093, "String", "second@example.org")
    item.attachments = [Attachment(peer, "ContactPicture.jpg", PHOTO, "image/jpeg", photo=True)]
    return item


def test_contacts(peer, tmp_path, ledger):
    put(peer, peer.known["contacts"], person(peer))
    group = Whole(peer, "IPM.DistList", "Team", members=[("Ann", "ann@example.org"), ("Größe 🙂", "g@example.org")])
    put(peer, peer.known["contacts"], group.lid(ADDRESS, 0x8053, "String", "Team"))
    done = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert done.status == 0, done
    cards = sorted(texts_below(tmp_path / "a"), key=lambda text: "KIND:group" in text)
    flat = "\n".join(unfold(cards[0]))
    for line in ("FN:Ann Example", "N:Example;Ann;;;", "ORG:ACME", "EMAIL;PREF=1:ann@example.org", "EMAIL:second@example.org",
                 "TEL;TYPE=cell:+49 170 2", "RELATED;TYPE=child;VALUE=text:Tom", "BDAY:19800506", "NOTE:Met at the fair",
                 "CATEGORIES:Friends,Größe", "PHOTO:data:image/jpeg;base64,/9j/4CBhIGZhY2U="):
        assert line in flat, (line, flat)
    assert "Street 1\\nBackyard;Berlin" in flat
    flat = "\n".join(unfold(cards[1]))
    assert "FN:Team" in flat and "MEMBER;X-CN=Ann:mailto:ann@example.org" in flat and "MEMBER;X-CN=Größe 🙂:mailto:g@example.org" in flat, flat


def test_addresses_of_the_directory(peer, tmp_path, ledger):
    """What the server did not resolve the administrator's map does."""
    known = "/o=Org/ou=Site/cn=Recipients/cn=bob"
    item = Whole(peer, "IPM.Contact", "Bob").tag(0x3001, "String", "Bob")
    put(peer, peer.known["contacts"], item.lid(ADDRESS, 0x8082, "String", "EX").lid(ADDRESS, 0x8083, "String", known))
    (tmp_path / "map").write_text(f"legacyExchangeDN,mail\n{known},bob@example.org\n", encoding="utf-8")
    done = copy(peer.url(), f"vcf:{tmp_path}/a", ledger, "--address-map", tmp_path / "map", "--kinds", "contacts")
    assert done.status == 0 and "EMAIL;PREF=1:bob@example.org" in "".join(texts_below(tmp_path / "a")), done


def entry(*who):
    """A one-off entry id: name, type, address."""
    return (bytes(4) + bytes.fromhex("812b1fa4bea310199d6e00dd010f5402") + bytes.fromhex("00000180")
            + "".join(s + "\0" for s in who).encode("utf-16-le"))


def test_a_large_group_is_whom_the_server_names(peer, tmp_path, ledger):
    """Outlook keeps a large list once more, with the directory's own addresses: the server says who that is outside of it."""
    one = entry("Ann", "EX", "/o=Org/ou=Site/cn=Recipients/cn=ann")
    stream = struct.pack("<HH6I", 1, 0, 0, 0, 1, len(one), len(one), 0)
    stream += b"".join(struct.pack("<I", len(b)) + b for b in (one, one, b""))
    group = Whole(peer, "IPM.DistList", "Team", members=[("Ann", "ann@example.org")]).lid(ADDRESS, 0x8064, "Binary", stream)
    put(peer, peer.known["contacts"], group)
    done = copy(peer.url(), f"vcf:{tmp_path}/a", ledger, "--kinds", "contacts")
    [card] = texts_below(tmp_path / "a")
    assert done.status == 0 and [l for l in unfold(card) if l.startswith("MEMBER")] == ["MEMBER;X-CN=Ann:mailto:ann@example.org"], card


def test_groups_of_older_servers(peer, tmp_path, ledger):
    """Exchange 2007 has no element for members: they are in their entry ids."""
    peer.newest, peer.build = "Exchange2007_SP1", (8, 3, 83)
    one = entry("Ann", "SMTP", "ann@example.org")
    group = Whole(peer, "IPM.DistList", "Team").lid(ADDRESS, 0x8054, "BinaryArray", [one]).lid(ADDRESS, 0x8055, "BinaryArray", [one])
    put(peer, peer.known["contacts"], group)
    put(peer, peer.known["contacts"], person(peer))
    done = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert done.status == 0 and "MEMBER;X-CN=Ann:mailto:ann@example.org" in "".join(texts_below(tmp_path / "a")), done


def test_tasks_notes_journal(peer, tmp_path, ledger):
    task = Whole(peer, "IPM.Task", "Buy cake", text="A large one", categories=["Errands"])
    task.lid(TASK, 0x8101, "Integer", 1).lid(TASK, 0x8102, "Double", 0.5).lid(TASK, 0x8105, "SystemTime", "2024-02-03T00:00:00Z")
    task.lid(COMMON, 0x8503, "Boolean", True).lid(COMMON, 0x8502, "SystemTime", "2024-02-02T08:00:00Z").tag(0x0017, "Integer", 2)
    put(peer, peer.known["tasks"], task)
    note = Whole(peer, "IPM.StickyNote", "Milk", text="Milk\r\nand honey").lid(NOTE, 0x8B00, "Integer", 2)
    put(peer, peer.known["notes"], note)
    call = Whole(peer, "IPM.Activity", "Call", text="Said no").lid(LOG, 0x8700, "String", "Phone call")
    put(peer, peer.known["journal"], call.lid(LOG, 0x8706, "SystemTime", "2024-01-05T10:00:00Z").lid(LOG, 0x8707, "Integer", 25))
    done = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert done.status == 0, done
    found = texts_below(tmp_path / "a")
    [todo] = components(found, "VTODO")
    assert (todo["SUMMARY"], todo["STATUS"], todo["PERCENT-COMPLETE"], todo["DUE"], todo["PRIORITY"], todo["CATEGORIES"]) == (
        "Buy cake", "IN-PROCESS", "50", "20240203", "1", "Errands"), todo
    assert "TRIGGER;VALUE=DATE-TIME:20240202T080000Z" in "".join(found)
    journal = {p["SUMMARY"]: p for p in components(found, "VJOURNAL")}
    assert journal["Milk"]["COLOR"] == "pink" and journal["Milk"]["DESCRIPTION"] == "Milk\\nand honey", journal
    assert journal["Call"]["DTSTART"] == "20240105T100000Z" and journal["Call"]["X-MICROSOFT-JOURNAL-DURATION"] == "PT25M"


# ---- folders ----

def test_what_lies_in_odd_places_arrives(peer, tmp_path, ledger):
    """What was deleted lies in one folder, whatever it was: each kind goes to its own."""
    trash = peer.known["deleteditems"]
    peer.deliver(trash, message(1))
    put(peer, trash, person(peer))
    put(peer, trash, single(peer, "gone", "20240105T120000", "20240105T130000", "Lunch"))
    put(peer, trash, Whole(peer, "IPM.TaskRequest", "Do it", mime=message(2)))  # a letter about a task
    peer.deliver(peer.known["calendar"], message(3))
    hidden = peer.add_folder(peer.root, "PersonMetadata", "IPF.Contact.MOC.ImContactList")
    put(peer, hidden, person(peer))
    done = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert done.status == 0 and done.outcome["copied"] == 5, done
    found = texts_below(tmp_path / "a")
    assert len(components(found, "VCARD")) == 1 and instances(found) == [("Lunch", day(5, 12))]
    assert peer.count("FindItem") == 15  # one for each kind, in each of three jobs
    again = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again


def test_folders_that_can_not_be_searched(peer, tmp_path, ledger):
    """What is in its place arrives; what is not fails by its name, and is not dropped."""
    def refuse(operation, thing):
        if operation == "FindItem":
            raise Failure("ErrorInternalServerError")

    peer.on_item = refuse
    peer.deliver(peer.known["inbox"], message(1))
    put(peer, peer.known["inbox"], Whole(peer, "IPM.Contact", "Ann Example", mime=b"BEGIN:VCARD\r\nEND:VCARD\r\n"))
    put(peer, peer.known["contacts"], person(peer))
    peer.deliver(peer.known["contacts"], message(2))
    done = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert done.status == 1 and done.outcome["copied"] == 2 and done.outcome["quarantined"] == 2, done
    assert "it is no mail (IPM.Contact)" in done.out and "it is of another kind" in done.out


def test_searching_goes_on_where_it_was_cut(peer, tmp_path, ledger):
    """Whatever becomes of a search, no folder is passed over."""
    for n in range(130):
        folder = peer.add_folder(peer.root, f"F{n}")
        if n % 10 == 0:
            put(peer, folder, single(peer, f"u{n}", "20240105T120000", "20240105T130000", f"Lunch {n}"))
        else:
            peer.deliver(folder, message(1))
    seen, cuts = [], []

    def busy(operation, thing):
        if operation == "FindItem":
            seen.append(thing)
            if len(seen) in (30, 31, 90):
                raise Failure("ErrorServerBusy", 10)

    def cut(request):
        if b"FindItem" in request.body and len(seen) > 110 and len(cuts) < 3:
            cuts.append(request)
            raise Hang

    peer.on_item, peer.after = busy, [cut]
    done = copy(peer.url(), f"ics:{tmp_path}/a", ledger, "--kinds", "calendar")
    assert done.status == 0 and cuts, done
    assert len(instances(texts_below(tmp_path / "a"))) == 13


# ---- mail that can't be given as it was sent ----

def letter(peer, **more):
    item = Whole(peer, "IPM.Note", "Größe", text="Hello", html="<p>Hello</p>", categories=["Work"], **more)
    item.people = {"From": [("Ann", "ann@example.org", None)], "ToRecipients": [("Bob", "bob@example.org", None)],
                   "CcRecipients": [("Eve", "eve@example.org", None)]}
    item.tag(0x0039, "SystemTime", "2020-02-03T04:05:06Z").tag(0x1035, "String", "<1@example.org>")
    inner = Whole(peer, "IPM.Note", "Within", text="Inner words")
    inner.attachments = [Attachment(peer, "deep.txt", b"deep", "text/plain")]
    item.attachments = [Attachment(peer, "a.bin", bytes(range(256))), Attachment(peer, "Within", inner)]
    return item


@pytest.mark.parametrize("code", ["ErrorMimeContentConversionFailed", "ErrorContentConversionFailed", "ErrorItemCorrupt", "ErrorCorruptData",
                                  "ErrorUnsupportedMimeConversion"])
@pytest.mark.parametrize("body", [True, False])
def test_a_message_is_made_of_its_properties(peer, tmp_path, ledger, code, body):
    for n in range(3):
        peer.deliver(peer.known["inbox"], message(n))
    put(peer, peer.known["inbox"], letter(peer, fails={"MimeContent": code, **({} if body else {"Body": code})}))
    done = copy(peer.url(), f"maildir:{tmp_path}/m", ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    [told] = [e for e in done.events if e["number"] == 12022]
    assert code in told["text"] and ("as it is stored" in told["text"]) != body, told
    raw = [b for b in (open(os.path.join(d, n), "rb").read() for d, _, names in os.walk(tmp_path / "m") for n in names)
           if b"<1@example.org>" in b]
    made = email.message_from_bytes(raw[0], policy=email.policy.default)
    assert (made["Subject"], made["From"], made["To"], made["Cc"]) == (
        "Größe", "Ann <ann@example.org>", "Bob <bob@example.org>", "Eve <eve@example.org>")
    assert made.get_body(("html",)).get_content().strip() == "<p>Hello</p>"
    files = {p.get_filename(): p for p in made.walk() if p.get_filename()}
    assert files["a.bin"].get_content() == bytes(range(256)) and files["deep.txt"].get_content().strip() == "deep"
    again = copy(peer.url(), f"maildir:{tmp_path}/m", ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again


def test_a_document_that_lies_in_a_mail_folder(peer, tmp_path, ledger):
    """Exchange gives it no MIME form, as it is no message: the file arrives in one all the same."""
    item = Whole(peer, "IPM.Document.txt", "notes.txt", fails={"MimeContent": "ErrorUnsupportedMimeConversion"})
    item.attachments = [Attachment(peer, "notes.txt", b"what was said", "text/plain")]
    put(peer, peer.known["inbox"], item)
    done = copy(peer.url(), f"maildir:{tmp_path}/m", ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    [name] = os.listdir(tmp_path / "m" / "cur")
    made = email.message_from_bytes((tmp_path / "m" / "cur" / name).read_bytes(), policy=email.policy.default)
    [file] = [p for p in made.walk() if p.get_filename() == "notes.txt"]
    assert made["Subject"] == "notes.txt" and file.get_content().strip() == "what was said"


def test_a_message_that_can_not_be_had_at_all(peer, tmp_path, ledger):
    item = put(peer, peer.known["inbox"], letter(peer))

    def refuse(operation, thing):
        if thing is item:
            raise Failure("ErrorItemCorrupt")

    peer.on_item = refuse
    done = copy(peer.url(), f"maildir:{tmp_path}/m", ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and "ErrorItemCorrupt" in done.out, done


# ---- all of an account in one run ----

def fill(peer):
    for n in range(6):
        peer.deliver(peer.known["inbox"], message(n), read=n % 2 == 0)
    kb886948(peer, peer.known["calendar"])
    put(peer, peer.known["contacts"], person(peer))
    put(peer, peer.known["tasks"], Whole(peer, "IPM.Task", "Buy cake").lid(TASK, 0x8101, "Integer", 0))
    put(peer, peer.known["notes"], Whole(peer, "IPM.StickyNote", "Milk", text="Milk"))


def three(peer, mails, dav, ledger):
    line = ["--from", peer.url(), "--ledger", ledger, "--allow-plaintext", "--json", "--no-wait"]
    for url in (mails.url(), dav.url(), dav.url(scheme="carddav")):
        line += ["--to", url]
    return line


def look_at_all(mails, dav):
    assert {folder: len(items) for folder, items in snapshot(mails).items() if items} == {"INBOX": 6}
    there = [raw for path in dav.collections().values() for raw in dav.items(path).values()]
    assert instances(there) == INSTANCES
    assert len(components(there, "VTODO")) == 1 and len(components(there, "VJOURNAL")) == 1
    [card] = [raw for path in dav.collections(contacts=True).values() for raw in dav.items(path).values()]
    assert "FN:Ann Example" in card


@pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
def test_to_servers_of_mail_calendars_and_contacts(peer, fast_dir, ledger):
    fill(peer)
    with Dovecot(fast_dir) as mails, radicale.Radicale(fast_dir) as dav:
        line = three(peer, mails, dav, ledger)
        done = postferry("copy", *line)
        assert done.status == 0, done
        look_at_all(mails, dav)
        again = postferry("copy", *line)
        assert again.status == 0 and again.outcome["copied_now"] == 0, again
        look_at_all(mails, dav)


@pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
def test_patience_cuts_and_kills(peer, fast_dir, ledger):
    """The server asks for patience, loses links, and we are killed: at the end all is there once."""
    fill(peer)
    asked, links = set(), []

    def busy(operation, thing):
        if (operation, thing) not in asked and len(asked) % 3 == 0:
            asked.add((operation, thing))
            raise Failure("ErrorServerBusy", 10)
        asked.add((operation, thing))

    def cut(request):
        links.append(request)
        if len(links) in (4, 9):
            raise Hang

    peer.on_item, peer.after = busy, [cut]
    with Dovecot(fast_dir) as mails, radicale.Radicale(fast_dir) as dav:
        line, killed = three(peer, mails, dav, ledger), 0
        for n in (7, 10, 14):
            process = start("copy", *line)
            end = time.monotonic() + 60
            begun = len(links)
            while process.poll() is None and len(links) < begun + n and time.monotonic() < end:
                time.sleep(0.01)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        assert killed > 0
        done = postferry("copy", *line)
        assert done.status == 0, done
        look_at_all(mails, dav)


@pytest.mark.parametrize("build,newest", [((8, 3, 83), "Exchange2007_SP1"), ((14, 1, 218), "Exchange2010_SP1")])
def test_older_servers(peer, tmp_path, ledger, build, newest):
    peer.newest, peer.build = newest, build
    fill(peer)
    done = copy(peer.url(), f"archive:{tmp_path}/a", ledger)
    assert done.status == 0 and instances(texts_below(tmp_path / "a")) == INSTANCES, done
