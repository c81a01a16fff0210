"""Field notes 53 to 64: calendars as people have them, to a server that reads and writes them anew, and back."""

import base64
import re

import pytest
from calendar_items import calendar, card, texts, unfold, write
from run import copy, postferry
from servers import radicale

pytestmark = pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
FILE = bytes(range(256)) * 8
ZONE = "\r\n".join([
    "BEGIN:VTIMEZONE", "TZID:Customized Time Zone 1", "BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:-0500",
    "TZOFFSETTO:-0600", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11", "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:16010101T020000",
    "TZOFFSETFROM:-0600", "TZOFFSETTO:-0500", "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3", "END:DAYLIGHT", "END:VTIMEZONE", ""])


def part(uid, *lines, kind="VEVENT", stamp=("DTSTAMP:20240101T000000Z",)):
    return "\r\n".join([f"BEGIN:{kind}", *([f"UID:{uid}"] if uid else []), *stamp, *lines, f"END:{kind}"]) + "\r\n"


def series(uid, title, *override, rule="FREQ=WEEKLY;COUNT=6"):
    return part(uid, f"SUMMARY:{title}", "DTSTART:20240305T090000Z", "DURATION:PT1H", f"RRULE:{rule}") + \
        part(uid, "RECURRENCE-ID:20240312T090000Z", *override)


def single(uid, title, *more):
    return part(uid, f"SUMMARY:{title}", "DTSTART:20240305T090000Z", "DURATION:PT1H", *more)


ITEMS = {
    "zone of its own": ZONE + part("z1", "SUMMARY:Own zone", "DTSTART;TZID=Customized Time Zone 1:20240305T090000", "DURATION:PT1H",
                                   "RRULE:FREQ=WEEKLY;COUNT=6", "EXDATE:20240312T140000Z"),
    "zone without a definition": part("z2", "SUMMARY:Berlin", "DTSTART;TZID=Europe/Berlin:20240305T090000", "DURATION:PT1H"),
    "floating": part("z3", "SUMMARY:Floating", "DTSTART:20240305T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"),
    "all day": part("z4", "SUMMARY:All day", "DTSTART;VALUE=DATE:20240305", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20250305"),
    "this and future": series("r1", "Later", "RECURRENCE-ID;RANGE=THISANDFUTURE:20240319T090000Z", "SUMMARY:Later on",
                              "DTSTART:20240319T110000Z", "DURATION:PT1H").replace("RECURRENCE-ID:20240312T090000Z\r\n", ""),
    "an instance cancelled": series("r2", "Cancelled", "SUMMARY:Cancelled", "DTSTART:20240312T090000Z", "DURATION:PT1H",
                                    "STATUS:CANCELLED"),
    "an instance without title": series("r3", "Titled", "DTSTART:20240312T100000Z", "DURATION:PT1H"),
    "an instance without series": part("r4", "RECURRENCE-ID:20240312T090000Z", "SUMMARY:Alone", "DTSTART:20240312T100000Z",
                                       "DURATION:PT1H"),
    "last workday": part("r5", "SUMMARY:Workday", "DTSTART:20240131T090000Z", "DURATION:PT1H",
                         "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=5"),
    "more dates": part("r6", "SUMMARY:Dates", "DTSTART:20240305T090000Z", "DURATION:PT1H", "RDATE:20240310T090000Z,20240320T090000Z"),
    "method": "METHOD:REQUEST\r\n" + single("w1", "Method"),
    "no uid": single("", "Nameless"),
    "no stamp": part("w2", "SUMMARY:No stamp", "DTSTART:20240305T090000Z", "DURATION:PT1H", stamp=()),
    "two titles": single("w3", "First", "SUMMARY:Second", "DESCRIPTION:", "LOCATION:"),
    "end and duration": single("w4", "Both", "DTEND:20240305T100000Z"),
    "commas": single("w5", "Lunch, then; coffee"),
    "folded in a character": single("w6", "ä" * 20).replace("ä" * 20, "ä" * 15 + "\r\n " + "ä" * 5),
    "odd uid": single("a/b:c d{x}<y>%41@é", "Odd"),
    "file": single("a1", "File", "ATTACH;FMTTYPE=application/pdf;ENCODING=BASE64;VALUE=BINARY:" + base64.b64encode(FILE).decode()),
    "alarm": single("a2", "Alarm", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:x", "END:VALARM"),
    "private": single("a3", "Private", "CLASS:PRIVATE", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "COLOR:red"),
    "task": part("t1", "SUMMARY:Task", "DUE;VALUE=DATE:20240401", "PERCENT-COMPLETE:50", "STATUS:IN-PROCESS", kind="VTODO"),
    "note": part("t2", "SUMMARY:Note", "DTSTART;VALUE=DATE:20240305", "DESCRIPTION:text\\nmore", kind="VJOURNAL"),
}


def source_of(tmp_path, items):
    for name, parts in items.items():
        write(tmp_path / "source" / "mine", name + ".ics", calendar(parts))
    return f"ics:{tmp_path}/source"


@pytest.fixture
def server(fast_dir):
    with radicale.Radicale(fast_dir) as s:
        yield s


def test_fn53_to_fn62_all_that_people_have_arrives_and_means_the_same(server, tmp_path, ledger):
    source = source_of(tmp_path, ITEMS)
    done = copy(source, server.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == len(ITEMS), done
    again = copy(source, server.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    deep = postferry("verify", "--deep", "--from", source, "--to", server.url(), "--ledger", ledger, "--json", "--allow-plaintext")
    assert deep.status == 0 and deep.outcome["differing"] == 0, deep
    assert copy(server.url(), f"ics:{tmp_path}/back", ledger + "-back").status == 0
    back = texts(tmp_path / "back" / "mine").values()
    lines = [line for text in back for line in unfold(text)]
    titles = {line.partition(":")[2] for line in lines if line.startswith("SUMMARY")}
    assert {"Lunch\\, then\\; coffee", "ä" * 20, "First", "Alone", "Nameless", "Cancelled", "Later on"} <= titles, titles
    assert "X-POSTFERRY-OTHER-SUMMARY:Second" in lines
    for line in ("STATUS:CANCELLED", "CLASS:PRIVATE", "TRIGGER:-PT15M", "PERCENT-COMPLETE:50", "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
                 "EXDATE;VALUE=DATE:20250305", "DTSTART;VALUE=DATE:20240305"):
        assert line in lines, line
    files = [base64.b64decode(line.partition(":")[2].replace("BINARY:", "")) for line in lines if re.match("ATTACH;.*BASE64", line)]
    assert files == [FILE]


def test_fn57_what_the_server_cuts_is_put_again_so_that_it_stays_whole(server, tmp_path, ledger):
    """Radicale ends a text at a comma that is not escaped, and says nothing."""
    source = source_of(tmp_path, {"commas": ITEMS["commas"], "plain": single("p1", "Plain")})
    trace = tmp_path / "trace"
    done = copy(source, server.url(), ledger, "--trace", trace)
    assert done.status == 0 and "text escaped" in done.out, done
    assert len(re.findall(rb"^PUT ", trace.read_bytes(), re.M)) == 3
    assert [t for t in server.items(server.collections()["mine"]).values() if "SUMMARY:Lunch\\, then\\; coffee" in t]


def test_fn57_what_no_repair_helps_is_kept_with_the_servers_words(server, tmp_path, ledger):
    source = source_of(tmp_path, {
        "scale": single("p2", "Scale", "RRULE:RSCALE=GREGORIAN;FREQ=DAILY;COUNT=2"),
        "cut": single("p3", "Cut", "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:37.33,-122.03"), "plain": single("p1", "Plain")})
    done = copy(source, server.url(), ledger)
    assert done.status == 1 and done.outcome["copied"] == 1, done
    assert sorted(m["reason"][:20] for m in done.missed) == ["PUT: 400: Bad Reques", "the target altered i"], done.missed


@pytest.mark.parametrize("name", ["end and duration", "no stamp", "commas", "no uid"])
def test_fn57_what_was_repaired_is_known_again_without_the_ledger(server, tmp_path, ledger, name):
    source = source_of(tmp_path, {name: ITEMS[name]})
    assert copy(source, server.url(), ledger).status == 0
    done = copy(source, server.url(), ledger + "-2")
    assert done.status == 0 and len(server.items(server.collections()["mine"])) == 1, done


def version(number, *lines):
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{number}", *lines, "END:VCARD"]) + "\r\n"


PICTURE = base64.b64encode(FILE).decode()
CARDS = {
    "plain": card("c1", "Ann", "TEL;TYPE=CELL:+1 2"),
    "commas": card("c2", "Smith, John", "NOTE:a, b; c"),
    "quoted printable": version("2.1", "UID:c3", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg",
                                "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BCller", "TEL;HOME;VOICE:123"),
    "picture of 2.1": version("2.1", "UID:c4", "N:P;Q", "FN:Q P", "PHOTO;ENCODING=BASE64;TYPE=JPEG:\r\n " + PICTURE + "\r\n"),
    "picture of 3.0": card("c5", "Three", "PHOTO;ENCODING=b;TYPE=JPEG:" + PICTURE),
    "picture of 4.0": version("4.0", "UID:c6", "FN:Four", "PHOTO:data:image/jpeg;base64," + PICTURE),
    "group": version("4.0", "UID:c7", "KIND:group", "FN:Team", "MEMBER:urn:uuid:c1", "MEMBER:mailto:x@y.example"),
    "group of 3.0": card("c8", "Club", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:c1"),
    "label": card("c9", "Label", "item1.TEL:+49 1", "item1.X-ABLabel:_$!<Other>!$_"),
    "no name": version("3.0", "UID:c10", "EMAIL:only@mail.example"),
    "many": card("c11", "Many", *(f"EMAIL:m{n}@x.example" for n in range(9))),
}


def test_fn59_fn60_fn63_contacts_with_groups_pictures_and_old_encodings(server, tmp_path, ledger):
    for name, text in CARDS.items():
        write(tmp_path / "source" / "book", name + ".vcf", text)
    source, target = f"vcf:{tmp_path}/source", server.url(scheme="carddav")
    done = copy(source, target, ledger)
    assert done.status == 0 and done.outcome["copied"] == len(CARDS), done
    assert copy(source, target, ledger).outcome["copied_now"] == 0
    assert copy(target, f"vcf:{tmp_path}/back", ledger + "-back").status == 0
    back = [unfold(text) for text in texts(tmp_path / "back" / "book").values()]
    lines = [line for one in back for line in one]
    for line in ("FN:Smith\\, John", "NOTE:a\\, b\\; c", "FN:Jörg Müller", "N:Müller;Jörg;;;", "MEMBER:urn:uuid:c1",
                 "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:c1", "FN:only@mail.example"):
        assert line in lines, (line, lines)
    assert [line.lower() for line in lines if "x-ablabel" in line.lower()]
    assert len([line for line in lines if re.match(r"EMAIL:m\d@", line)]) == 9
    pictures = [base64.b64decode(re.split("[:,]", line)[-1]) for line in lines if line.startswith("PHOTO")]
    assert pictures == [FILE] * 3
