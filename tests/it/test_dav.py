"""CalDAV and CardDAV servers as source and target: files, server, files again."""

import os
import re
import signal
import time
from xml.sax.saxutils import escape

import pytest
from calendar_items import calendar, card, event, parts, seen, texts, unfold, uids, write
from dav_peer import Peer
from run import copy, postferry, start
from servers import cyrus, radicale, sogo, xandikos

SERVERS = [pytest.param(where, id=where.__name__.rpartition(".")[2]) for where in (radicale, xandikos, cyrus, sogo)]
MAKE = {radicale: lambda d: radicale.Radicale(d), sogo: lambda d: sogo.Sogo(d), xandikos: lambda d: xandikos.Xandikos(d),
        cyrus: lambda d: cyrus.CyrusDav(d)}


@pytest.fixture(params=SERVERS, scope="module")
def kind(request):
    where = request.param
    if not (where.has_dav() if where is cyrus else where.available()):
        pytest.skip(f"{where.__name__} is not installed")
    return where


@pytest.fixture(scope="module")
def shared(kind, fast_dir):
    """One server for all tests of a kind: each uses collections of its own."""
    with MAKE[kind](fast_dir) as server:
        yield server


@pytest.fixture
def name(request):
    """Of the test's collection."""
    return re.sub(r"[^a-z]+", "-", request.node.originalname)


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "trace"


def requests(trace, method):
    with open(trace, "rb") as f:
        return re.findall(rb"^" + method.encode() + rb" (\S+) HTTP/", f.read(), re.M)


def kb886948(folder, tag):
    """A calendar as people make them: appointments pasted, edited and copied, series in pieces. `tag` is in all UIDs."""
    def put(name, *parts):
        write(folder, name + ".ics", calendar(*(event(f"{uid}-{tag}", *rest) for uid, *rest in parts)))

    put("lunch", ("lunch", "20240105T120000Z", "Lunch"))
    put("lunch (pasted)", ("lunch", "20240112T120000Z", "Lunch"))
    put("lunch (pasted again)", ("lunch", "20240119T120000Z", "Lunch with Ann"))
    put("exact 1", ("exact", "20240106T080000Z", "Run"))
    put("exact 2", ("exact", "20240106T080000Z", "Run"))
    put("weekly", ("weekly", "20240108T090000Z", "Stand-up", "RRULE:FREQ=WEEKLY;COUNT=10"),
        ("weekly", "20240115T100000Z", "Stand-up, later", "RECURRENCE-ID:20240115T090000Z"))
    put("apart", ("apart", "20240109T090000Z", "Review", "RRULE:FREQ=WEEKLY;COUNT=5"))
    put("an instance of it", ("apart", "20240116T140000Z", "Review, moved", "RECURRENCE-ID:20240116T090000Z"))
    put("single", ("single", "20240110T090000Z", "Alone"))


def fill(tmp_path, name):
    source = tmp_path / "source" / name
    kb886948(source, name)
    return source


def test_kb886948(shared, tmp_path, ledger, name, trace):
    source = fill(tmp_path, name)
    everything = seen(texts(source).values())
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0, done
    path = shared.collections()[name]
    there = shared.items(path)
    assert seen(there.values()) == everything
    assert len(set(uids(there.values()))) == len(there) == 8  # the instance went to its series
    before = shared.etags(path)
    again = copy(f"ics:{source.parent}", shared.url(), ledger, "--trace", trace)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    assert requests(trace, "PUT") == [] and shared.etags(path) == before
    back = copy(shared.url(), f"ics:{tmp_path}/back", ledger + "-back", "--include", name)
    assert back.status == 0, back
    assert seen(texts(tmp_path / "back" / name).values()) == everything


def test_without_its_ledger_nothing_is_doubled(shared, tmp_path, ledger, name, trace):
    source = fill(tmp_path, name)
    assert copy(f"ics:{source.parent}", shared.url(), ledger).status == 0
    path = shared.collections()[name]
    before = shared.etags(path)
    again = copy(f"ics:{source.parent}", shared.url(), ledger + "-2", "--trace", trace)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and again.outcome["present"] == 9, again
    assert shared.etags(path) == before
    # what an item of several resources means is known when it is made: it may be offered, under its guard
    assert len(requests(trace, "PUT")) <= 1


def odd_items(folder, tag):
    """Events that some server takes only when they are changed in what they say, or keeps otherwise; copies and others
    share their UIDs."""
    def put(name, *parts):
        write(folder, name + ".ics", calendar(*(event(f"{uid}-{tag}", *rest) for uid, *rest in parts)))

    for n, start in enumerate(("20240105T120000Z", "20240105T120000Z", "20240112T120000Z")):
        put(f"titles {n}", ("titles", start, "Lunch", "SUMMARY:Dinner"))
        text = calendar(event(f"empty-{tag}", start, "Gong", "LOCATION:", "X-EMPTY:")).replace("DURATION:PT1H\r\n", "")
        write(folder, f"no time {n}.ics", text)
        put(f"rule {n}", ("rule", start, "Run", "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20240201T000000Z"))
        put(f"instance {n}", (f"instance-{n}", start, "Alone", "RECURRENCE-ID:20240110T090000Z"))
    put("one title", ("titles", "20240105T120000Z", "Lunch"))  # what a repair makes of the others
    put("series", ("apart", "20240109T090000Z", "Review", "SUMMARY:Look", "RRULE:FREQ=WEEKLY;COUNT=5"))
    put("its instance", ("apart", "20240116T140000Z", "Review, moved", "RECURRENCE-ID:20240116T090000Z"))


def test_what_was_repaired_is_known_without_its_ledger(shared, tmp_path, ledger, name, trace):
    source = tmp_path / "source" / name
    odd_items(source, name)
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 15, done
    path = shared.collections()[name]
    before = shared.etags(path)
    assert len(before) == 14
    again = copy(f"ics:{source.parent}", shared.url(), ledger + "-2", "--trace", trace)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and again.outcome["present"] == 15, again
    assert shared.etags(path) == before
    third = copy(f"ics:{source.parent}", shared.url(), ledger + "-2", "--trace", f"{trace}-3")
    assert third.outcome["copied_now"] == 0 and requests(f"{trace}-3", "PUT") == [], third
    deep = postferry("verify", "--deep", "--from", f"ics:{source.parent}", "--to", shared.url(), "--ledger",
                     ledger + "-2", "--allow-plaintext")
    assert deep.status == 0, deep


def test_contacts_that_were_repaired_are_known_without_their_ledger(shared, tmp_path, ledger, name):
    source = tmp_path / "source" / name
    for n in range(3):
        write(source, f"{n}.vcf", card("ann", "Ann").replace("FN:Ann", f"TEL:{n // 2}"))
        write(source, f"old {n}.vcf", card(f"bob-{n // 2}", "Bob", "TEL;HOME;VOICE:1").replace("3.0", "2.1"))
    to = shared.url(scheme="carddav")
    done = copy(f"vcf:{source.parent}", to, ledger)
    assert done.status == 0 and done.outcome["copied"] == 6, done
    path = shared.collections(contacts=True)[name]
    before = shared.etags(path)
    again = copy(f"vcf:{source.parent}", to, ledger + "-2")
    assert again.status == 0 and again.outcome["copied_now"] == 0 and again.outcome["present"] == 6, again
    assert shared.etags(path) == before and len(before) == 6


def instances(many):
    """Of each instance that is told by itself: title, begin, instance."""
    return sorted((p["SUMMARY"], p["DTSTART"], p["RECURRENCE-ID"]) for text in many for p in parts(text)
                  if "RECURRENCE-ID" in p)


def unchanged_without_ledger(shared, source, ledger, path, before):
    again = copy(f"ics:{source.parent}", shared.url(), ledger + "-2")
    assert again.status == 0 and again.outcome["copied_now"] == 0 and shared.etags(path) == before, again
    deep = postferry("verify", "--deep", "--from", f"ics:{source.parent}", "--to", shared.url(), "--ledger", ledger,
                     "--allow-plaintext")
    assert deep.status == 0, deep


def test_instances_without_their_series(shared, tmp_path, ledger, name):
    """Several in one resource or in several, also all-day ones: each is there at the end."""
    source = tmp_path / "source" / name
    for n in range(3):
        write(source, f"apart {n}.ics", calendar(event(
            f"apart-{name}", f"2024011{n}T120000Z", f"Apart {n}", f"RECURRENCE-ID:2024011{2 - n}T090000Z")))
    write(source, "together.ics", calendar(*(event(
        f"together-{name}", f"2024011{n}T120000Z", f"Together {n}", f"RECURRENCE-ID:2024011{n}T090000Z") for n in range(3))))
    days = calendar(*(event(f"days-{name}", f"2024011{n}", f"Day {n}", f"RECURRENCE-ID;VALUE=DATE:2024012{n}")
                      for n in range(2)))
    write(source, "days.ics", days.replace("DTSTART:", "DTSTART;VALUE=DATE:").replace("DURATION:PT1H", "DURATION:P1D"))
    wanted = instances(texts(source).values())
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0 and len(wanted) == 8, done
    path = shared.collections()[name]
    assert instances(shared.items(path).values()) == wanted
    assert len(set(uids(shared.items(path).values()))) == 3
    unchanged_without_ledger(shared, source, ledger, path, shared.etags(path))


def test_periods(shared, kind, tmp_path, ledger, name):
    """An RDATE of periods is kept where it is taken; else each instance is there and lasts as long as it did."""
    source = tmp_path / "source" / name
    more = ("20240113T120000Z/PT1H", "20240114T120000Z/20240114T140000Z", "20240115T120000Z/PT30M")
    write(source, "a.ics", calendar(event(f"same-{name}", "20240110T120000Z", "Same", "RDATE;VALUE=PERIOD:" + more[0])))
    write(source, "b.ics", calendar(
        event(f"other-{name}", "20240110T120000Z", "Other", "RDATE;VALUE=PERIOD:" + ",".join(more), "LOCATION:Here"),
        event(f"other-{name}", "20240115T150000Z", "Moved", "RECURRENCE-ID:20240115T120000Z")))
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    path = shared.collections()[name]
    there = shared.items(path)
    found = {p["SUMMARY"]: p for text in there.values() for p in parts(text) if "RECURRENCE-ID" not in p}
    if kind is radicale:
        assert found["Same"]["RDATE"] == "20240113T120000Z"
        assert found["Other"]["RDATE"] == "20240113T120000Z,20240114T120000Z,20240115T120000Z"
        longer = [p for text in there.values() for p in parts(text) if p.get("RECURRENCE-ID") == "20240114T120000Z"]
        assert [(p["DTSTART"], p["DURATION"], p["LOCATION"]) for p in longer] == [("20240114T120000Z", "PT2H", "Here")]
        assert instances(there.values()) == [("Moved", "20240115T150000Z", "20240115T120000Z"),
                                             ("Other", "20240114T120000Z", "20240114T120000Z")]
        assert "periods made instances" in postferry("report", "--ledger", ledger).out
    else:
        whole = "".join(line for text in there.values() for line in unfold(text))
        assert all(period in whole for period in more)
    unchanged_without_ledger(shared, source, ledger, path, shared.etags(path))


def test_a_zone_with_commas_in_its_name(shared, tmp_path, ledger, name):
    """As Outlook names them. Servers escape the commas, or write the zone twice."""
    source = tmp_path / "source" / name
    zone = ZONE[ZONE.index("BEGIN:VTIMEZONE"):ZONE.index("END:VCALENDAR")].replace("Here", "Canberra, Melbourne, Sydney")
    write(source, "a.ics", calendar(zone, event("zone-" + name, "20240105T120000", "A", "RRULE:FREQ=DAILY").replace(
        "DTSTART:", 'DTSTART;TZID="Canberra, Melbourne, Sydney":')))
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    assert copy(f"ics:{source.parent}", shared.url(), ledger + "-2").outcome["present"] == 1


def test_edits_follow(shared, tmp_path, ledger, name, trace):
    source = fill(tmp_path, name)
    assert copy(f"ics:{source.parent}", shared.url(), ledger).status == 0
    path = shared.collections()[name]
    before = shared.etags(path)
    write(source, "single.ics", calendar(event("single-" + name, "20240110T090000Z", "No longer alone")))
    write(source, "lunch (pasted).ics", calendar(event("lunch-" + name, "20240112T130000Z", "Late lunch")))
    done = copy(f"ics:{source.parent}", shared.url(), ledger, "--trace", trace)
    assert done.status == 0, done
    assert seen(shared.items(path).values()) == seen(texts(source).values())
    after = shared.etags(path)
    assert before.keys() == after.keys() and len(requests(trace, "PUT")) == 2
    assert len([p for p in after if after[p] != before[p]]) == 2


def test_what_the_target_edited_is_left_alone(shared, tmp_path, ledger, name):
    source = fill(tmp_path, name)
    assert copy(f"ics:{source.parent}", shared.url(), ledger).status == 0
    path = shared.collections()[name]
    href = next(h for h, text in shared.items(path).items() if "SUMMARY:Alone" in text)
    status, _ = shared.put(href, calendar(event("single-" + name, "20240110T090000Z", "Edited there")))
    assert status < 300
    write(source, "single.ics", calendar(event("single-" + name, "20240110T090000Z", "Edited here")))
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 1 and len(done.missed) == 1, done
    assert "SUMMARY:Edited there" in shared.items(path)[href]


def test_s8_12_a_foreign_holder_keeps_its_place(shared, tmp_path, ledger, name):
    source = tmp_path / "source" / name
    write(source, "a.ics", calendar(event("taken-" + name, "20240105T120000Z", "Ours")))
    write(source, "b.ics", calendar(event("same-" + name, "20240106T120000Z", "Both have it")))
    path = shared.make(name)
    theirs = calendar(event("taken-" + name, "20230101T120000Z", "Theirs"))
    assert shared.put(path + "theirs.ics", theirs)[0] < 300
    assert shared.put(path + "same.ics", calendar(event("same-" + name, "20240106T120000Z", "Both have it")))[0] < 300
    before = shared.etags(path)
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 1 and done.outcome["present"] == 1, done
    there = shared.items(path)
    assert sorted(title for _, title, _, _ in seen(there.values())) == ["Both have it", "Ours", "Theirs"]
    assert before.items() <= shared.etags(path).items()
    assert copy(f"ics:{source.parent}", shared.url(), ledger).outcome["copied_now"] == 0


ODD_UIDS = ["a/b/../c", "u@example.org", "100%25 %2F%zz", "Größe 日本語", "x" * 1000, "{braces}\\, commas\\; \\\\ backslashes"]


def test_s8_17_odd_uids(shared, tmp_path, ledger, name):
    """They are what they were, each in an item of its own, and so known again."""
    source = tmp_path / "source" / name
    for n, uid in enumerate(ODD_UIDS):
        write(source, f"{n}.ics", calendar(event(f"{uid} {name}", "20240105T120000Z", f"Event {n}")))
    wanted = sorted(uids(texts(source).values()))
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == len(ODD_UIDS), done
    path = shared.collections()[name]
    before = shared.items(path)
    assert sorted(uids(before.values())) == wanted
    for lost in (ledger, ledger + "-lost"):
        again = copy(f"ics:{source.parent}", shared.url(), lost)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and shared.items(path) == before, again


def test_s8_15_a_uid_in_two_calendars(shared, tmp_path, ledger, name):
    """Some servers demand that a UID be one of its kind in the whole account."""
    for where in ("a", "b"):
        write(tmp_path / "source" / f"{name}-{where}", "m.ics",
              calendar(event("meeting-" + name, "20240105T120000Z", "Meeting")))
    done = copy(f"ics:{tmp_path}/source", shared.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    for where in ("a", "b"):
        assert len(shared.items(shared.collections()[f"{name}-{where}"])) == 1
    assert copy(f"ics:{tmp_path}/source", shared.url(), ledger).outcome["copied_now"] == 0


def test_contacts(shared, tmp_path, ledger, name, trace):
    source = tmp_path / "source" / name
    write(source, "ann.vcf", card("ann", "Ann"))
    write(source, "ann 2.vcf", card("ann", "Ann Other"))
    write(source, "ann 3.vcf", card("ann", "Ann Other"))
    write(source, "bob.vcf", card("bob", "Bob", "EMAIL:bob@example.org", "TEL;TYPE=CELL:+1 555 1234"))
    to = shared.url(scheme="carddav")
    done = copy(f"vcf:{source.parent}", to, ledger)
    assert done.status == 0, done
    path = shared.collections(contacts=True)[name]
    assert seen(shared.items(path).values()) == seen(texts(source).values())
    again = copy(f"vcf:{source.parent}", to, ledger, "--trace", trace)
    assert again.status == 0 and requests(trace, "PUT") == [], again
    back = copy(to, f"vcf:{tmp_path}/back", ledger + "-back", "--include", name)
    assert back.status == 0, back
    assert seen(texts(tmp_path / "back" / name).values()) == seen(texts(source).values())


@pytest.mark.parametrize("title", ["Größe & <x>", "100%", "a/b 日本語"])
def test_names_and_looks(shared, kind, tmp_path, ledger, title):
    source = tmp_path / "source" / "x"
    uid = "names-" + title.encode().hex()
    write(source, "a.ics", calendar(event(uid, "20240105T120000Z", "A")))
    for word, text in (("displayname", title), ("color", "#FF8800"), ("description", "What & what not")):
        write(source, word, text)
    done = copy(f"ics:{tmp_path}/source", shared.url(), ledger)
    assert done.status == 0, done
    found = shared.collections()
    assert title in found or (kind is xandikos and "%" in title), found  # it answers 500 to that name
    assert [text.count("SUMMARY:A") for path in found.values() for text in shared.items(path).values()
            if f"UID:{uid}" in text] == [1]
    assert copy(f"ics:{tmp_path}/source", shared.url(), ledger).outcome["copied_now"] == 0


ZONE = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Here\r\nBEGIN:STANDARD\r\n"
        "DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        "END:VCALENDAR\r\n")
LOOKS = {"calendar-color": "#FF8800", "calendar-order": "7", "calendar-description": "What & what not", "calendar-timezone": ZONE}
WITHOUT = {radicale: (), cyrus: (),  # these it refuses or forgets
           **dict.fromkeys((xandikos, sogo), ("calendar-description", "calendar-order", "calendar-timezone"))}


def test_looks_of_a_calendar(shared, kind, tmp_path, ledger, name):
    """Colour, order, description and time zone come along, as far as the server takes them."""
    with Peer() as peer:
        peer.folder(name, calendar(event("looks-" + name, "20240105T120000Z", "A")))
        more = "".join(f"<{prefix}:{p}>{escape(text)}</{prefix}:{p}>" for (p, text), prefix in zip(LOOKS.items(), "AACC"))
        props = peer.folder_props
        peer.folder_props = lambda where: props(where) + more
        done = copy(peer.url(), shared.url(), ledger)
        assert done.status == 0, done
        found = shared.propfind(shared.collections()[name], 0, "A:calendar-color", "A:calendar-order", "C:calendar-description",
                                "C:calendar-timezone")[0]
        got = {p: next((e.text or "" for e in found.iter() if e.tag.endswith("}" + p)), "") for p in LOOKS}
        wanted = {p: text for p, text in LOOKS.items() if p not in WITHOUT[kind]}
        assert {p: got[p].replace("\r\n", "\n")[:len(text)].strip() for p, text in wanted.items()} == {
            p: text.replace("\r\n", "\n").strip() for p, text in wanted.items()}
        assert copy(peer.url(), shared.url(), ledger).outcome["copied_now"] == 0


def test_nobody_is_invited(fast_dir, tmp_path, ledger, name):
    """Cyrus schedules by itself: what it would mail ends in a trap."""
    if not cyrus.has_dav():
        pytest.skip("Cyrus is not unpacked: see script/lib.sh")
    people = ["ORGANIZER:mailto:user@example.org", "ATTENDEE:mailto:user@example.org",
              "ATTENDEE;RSVP=TRUE:mailto:bob@example.com"]
    for i, start in enumerate(("20200101T100000Z", "20990101T100000Z", "20990102T100000Z")):
        write(tmp_path / "source" / name, f"{i}.ics", calendar(event("meeting", start, f"Meeting {i}", *people)))
    with cyrus.CyrusDav(fast_dir) as server:
        assert copy(f"ics:{tmp_path}/source", server.url(), ledger).status == 0
        write(tmp_path / "source" / name, "1.ics", calendar(event("meeting", "20990101T120000Z", "Moved", *people)))
        done = copy(f"ics:{tmp_path}/source", server.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 3, done
        assert server.sent == ""
        status, _ = server.put(server.collections()[name] + "trap.ics",
                               calendar(event("trap", "20990103T100000Z", "Trap", *people)))
        assert status == 201 and "bob@example.com" in server.sent  # so the trap works


def test_killed_in_the_middle(shared, tmp_path, ledger, name):
    source = tmp_path / "source" / name
    for n in range(60):
        write(source, f"{n}.ics", calendar(event(f"{name}-{n % 20}", f"20240105T{n // 6:02}0000Z", f"Event {n}")))
    everything = seen(texts(source).values())
    for at in (3, 6):
        copy(f"ics:{source.parent}", shared.url(), ledger, env={"POSTFERRY_TEST_KILL_AT_WRITE": str(at)})
    killed = start("copy", "--from", f"ics:{source.parent}", "--to", shared.url(), "--ledger", ledger,
                   "--allow-plaintext")
    end = time.monotonic() + 20
    while time.monotonic() < end and killed.poll() is None:
        if name in shared.collections() and len(shared.etags(shared.collections()[name])) > 5:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert done.status == 0, done
    there = shared.items(shared.collections()[name])
    assert seen(there.values()) == everything and len(there) == 60
    again = copy(f"ics:{source.parent}", shared.url(), ledger)
    assert again.outcome["copied_now"] == 0 and len(shared.etags(shared.collections()[name])) == 60, again


def test_a_refused_password_is_tried_once(shared, tmp_path, ledger, kind, trace):
    if kind is xandikos:
        pytest.skip("it has no sign-in")
    kb886948(tmp_path / "source" / "x", "x")
    done = copy(f"ics:{tmp_path}/source", shared.url(), ledger, "--trace", trace,
                env={"POSTFERRY_TO_PASSWORD": "wrong"})
    assert done.status == 3 and "sign-in is refused" in done.err, done
    with open(trace, "rb") as f:
        text = f.read()
    assert b"wrong" not in text and text.count(b"Authorization: ***") <= 1


def test_no_password_without_tls(shared, tmp_path, ledger):
    os.makedirs(tmp_path / "source")
    done = postferry("copy", "--from", f"ics:{tmp_path}/source", "--to", shared.url(), "--ledger", ledger)
    assert done.status == 2 and "--allow-plaintext" in done.err, done
