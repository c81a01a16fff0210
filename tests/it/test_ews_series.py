"""Series that Exchange has no words for: --series expand makes single events of them, known again, edited and counted."""

import datetime
import re

import pytest
from calendar_items import calendar, event
from ews_items import APPOINTMENT
from run import copy, postferry, start
from test_ews_keyed import box, peer  # noqa: F401 (fixtures)

THIS_YEAR = datetime.datetime.now(datetime.timezone.utc).year


def series(uid, begin, *more, title="Round", overrides=""):
    return calendar(event(uid, begin, title, *more), overrides)


def override(uid, of, begin, title):
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20240101T000000Z", f"RECURRENCE-ID:{of}", f"DTSTART:{begin}",
                        "DURATION:PT2H", f"SUMMARY:{title}", "END:VEVENT", ""])


def seen(peer, folder="work"):
    """Title and begin of each item, and whether it is a series."""
    return sorted((i.subject, i.named[(APPOINTMENT, 0x820D)][1], (APPOINTMENT, 0x8216) in i.named)
                  for i in peer.folder(folder).items.values())


def days(title, *when, hour="09"):
    return [(title, f"{day}T{hour}:00:00Z", False) for day in when]


def expand(box, peer, ledger, *more):
    return copy(box.url(), peer.url(), ledger, "--series", "expand", *more)


def settled(box, peer, ledger):
    """Nothing is left to do, with the ledger or without, and all reads back as it should."""
    written = peer.writes()
    for led in (ledger, ledger + ".lost"):
        again = expand(box, peer, led)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.writes() == written, again
    line = ["--from", box.url(), "--to", peer.url(), "--ledger", ledger, "--allow-plaintext", "--json", "--series", "expand"]
    deep = postferry("verify", *line, "--deep")
    assert deep.status == 0 and deep.outcome["compared"] > 0, deep


def test_dates_rules_and_short_months(peer, box, ledger):
    box.put("work", "dates", series("dates", "20240101T090000Z", "RRULE:FREQ=WEEKLY;COUNT=3", "RDATE:20240604T090000Z",
                                    "EXDATE:20240108T090000Z", title="Dates",
                                    overrides=override("dates", "20240115T090000Z", "20240116T130000Z", "Dates, moved")))
    box.put("work", "rules", series("rules", "20240102T090000Z", "RRULE:FREQ=WEEKLY;COUNT=2", "RRULE:FREQ=DAILY;COUNT=2",
                                    title="Rules"))
    box.put("work", "months", series("months", "20240131T090000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", title="Months"))
    box.put("work", "plain", series("plain", "20240103T090000Z", "RRULE:FREQ=WEEKLY;COUNT=5", title="Plain"))
    box.put("work", "one", calendar(event("one", "20240104T090000Z", "One")))
    first = copy(box.url(), peer.url(), ledger)
    assert first.status == 1 and first.outcome["quarantined"] == 3, first  # as it is without the option
    done = expand(box, peer, ledger)  # and what was in quarantine comes out of it
    assert done.status == 0 and done.outcome["quarantined"] == 0, done
    assert seen(peer) == sorted(
        days("Dates", "2024-01-01", "2024-06-04") + days("Dates, moved", "2024-01-16", hour="13") +
        days("Rules", "2024-01-02", "2024-01-03", "2024-01-09") + days("Months", "2024-01-31", "2024-03-31", "2024-05-31") +
        [("Plain", "2024-01-03T09:00:00Z", True)] + days("One", "2024-01-04"))
    assert len({i.uid for i in peer.folder("work").items.values()}) == 11
    said = postferry("report", "--ledger", ledger).out
    assert said.count("single events in its place, from 2024-01-0") == 6 and "Exchange has no words for RDATE" in said, said
    assert [e["number"] for e in done.events].count(12024) == 3
    settled(box, peer, ledger)


def test_without_an_end(peer, box, ledger):
    """The end of the window is told, and that more would come."""
    box.put("work", "long", series("long", f"{THIS_YEAR}0101T090000Z", "RRULE:FREQ=YEARLY", f"RDATE:{THIS_YEAR}0301T090000Z"))
    box.put("work", "far", series("far", f"{THIS_YEAR}0102T090000Z", "RRULE:FREQ=YEARLY;COUNT=30",
                                  f"RDATE:{THIS_YEAR}0302T090000Z", title="Far"))
    done = expand(box, peer, ledger, "--series-years", "3")
    assert done.status == 0 and len(seen(peer)) == 2 * (4 + 1), done
    said = postferry("report", "--ledger", ledger).out
    last = f"to {THIS_YEAR + 3}-12-31; "
    assert said.count(last + "it has no end, and what comes later is not there") == 5, said
    assert said.count(last + "what of it comes later is not there") == 5, said


def test_edits_follow(peer, box, ledger):
    """Of the hour, of a title, of dates: each event is what it is to be, those that go away go, and it may become a series."""
    def put(begin, dates, *more, title="Round", overrides=""):
        hour = begin[9:11]
        box.put("work", "s", series("s", begin, "RRULE:FREQ=WEEKLY;COUNT=2", *[f"RDATE:{d}T{hour}0000Z" for d in dates], *more,
                                    title=title, overrides=overrides))
    put("20240101T090000Z", ["20240603", "20240604"])
    box.put("work", "other", calendar(event("other", "20240104T090000Z", "Other")))
    assert expand(box, peer, ledger).status == 0
    ids = {i.uid for i in peer.folder("work").items.values()}
    put("20240101T110000Z", ["20240603", "20240604"], title="Later")  # the same days: the same events
    done = expand(box, peer, ledger)
    assert done.status == 0 and seen(peer) == sorted(days("Later", "2024-01-01", "2024-01-08", "2024-06-03", "2024-06-04", hour="11") +
                                                     days("Other", "2024-01-04"))
    assert {i.uid for i in peer.folder("work").items.values()} == ids
    put("20240101T110000Z", ["20240604", "20240605"], "EXDATE:20240108T110000Z", title="Later",
        overrides=override("s", "20240604T110000Z", "20240606T080000Z", "Once"))
    done = expand(box, peer, ledger)
    assert done.status == 0 and done.outcome["removed"] == 2, done
    assert seen(peer) == sorted(days("Later", "2024-01-01", "2024-06-05", hour="11") + days("Once", "2024-06-06", hour="08") +
                                days("Other", "2024-01-04"))
    settled(box, peer, ledger)
    box.put("work", "s", series("s", "20240101T110000Z", "RRULE:FREQ=WEEKLY;COUNT=4", title="Plain"))
    done = expand(box, peer, ledger)
    assert done.status == 0 and done.outcome["removed"] == 3, done
    assert seen(peer) == sorted([("Plain", "2024-01-01T11:00:00Z", True)] + days("Other", "2024-01-04"))
    settled(box, peer, ledger)


def test_what_somebody_changed_there_stays(peer, box, ledger):
    """An event of a series is not taken away when it is no longer as it was written."""
    box.put("work", "s", series("s", "20240101T090000Z", "RDATE:20240603T090000Z,20240604T090000Z"))
    assert expand(box, peer, ledger).status == 0
    mine = next(i for i in peer.folder("work").items.values() if i.named[(APPOINTMENT, 0x820D)][1].startswith("2024-06-04"))
    mine.subject = "Mine"
    peer.touch(mine)
    box.put("work", "s", series("s", "20240101T090000Z", "RDATE:20240603T090000Z"))
    assert expand(box, peer, ledger).outcome["removed"] == 0
    assert seen(peer) == sorted(days("Round", "2024-01-01", "2024-06-03") + days("Mine", "2024-06-04"))


def test_pasted_ones_and_files_of_many(peer, box, ledger):
    """Two series of one UID (KB886948) in two files, and a file that holds several items: all of each."""
    for name, day in (("a", "20240101"), ("b", "20240201")):
        box.put("work", name, series("same", f"{day}T090000Z", "RDATE:20240603T090000Z", title=name))
    box.put("work", "many", calendar(event("m1", "20240104T090000Z", "One"), event("m2", "20240105T090000Z", "Two", "RRULE:FREQ=DAILY;COUNT=3"),
                                     event("m3", "20240106T090000Z", "Three", "RDATE:20240107T090000Z")))
    box.put("work", "pasted", calendar(event("p", "20240901T090000Z", "p1", "RDATE:20240902T090000Z"),
                                       event("p", "20240901T100000Z", "p2", "RDATE:20240902T100000Z"), event("p", "20240901T110000Z", "p3")))
    done = expand(box, peer, ledger)
    assert done.status == 0, done
    assert seen(peer) == sorted(days("p1", "2024-09-01", "2024-09-02") + days("p2", "2024-09-01", "2024-09-02", hour="10") +
                                days("p3", "2024-09-01", hour="11") + days("a", "2024-01-01", "2024-06-03") + days("b", "2024-02-01", "2024-06-03") +
                                days("One", "2024-01-04") + days("Three", "2024-01-06", "2024-01-07") +
                                [("Two", "2024-01-05T09:00:00Z", True)])
    settled(box, peer, ledger)


def test_what_can_not_be_expanded_is_in_quarantine(peer, box, ledger):
    box.put("work", "odd", series("odd", "20240101T090000Z", "RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"))
    box.put("work", "one", calendar(event("one", "20240104T090000Z", "One")))
    done = expand(box, peer, ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and seen(peer) == days("One", "2024-01-04"), done
    assert "EXRULE" in done.missed[0]["reason"]
    box.put("work", "odd", calendar(event("p", "20240901T090000Z", "p1", "RDATE:20240902T090000Z"),
                                    event("p", "20240901T100000Z", "p2", "RDATE:20240902T100000Z"),
                                    override("p", "20240902T090000Z", "20240903T090000Z", "whose?")))
    done = expand(box, peer, ledger)
    assert done.status == 1 and "p1" not in str(seen(peer)) and "p2" not in str(seen(peer)), done


@pytest.mark.parametrize("at", range(1, 5))
def test_killed_and_run_again(peer, box, ledger, at):
    """While it is written, and while an edit is followed: one of each in the end."""
    line = ["--from", box.url(), "--to", peer.url(), "--ledger", ledger, "--allow-plaintext", "--json", "--series", "expand"]
    box.put("work", "s", series("s", "20240101T090000Z", "RDATE:" + ",".join(f"202406{d:02}T090000Z" for d in range(1, 26))))
    if at == 1:
        peer.kill_at(2, lambda: start("copy", *line))
    assert expand(box, peer, ledger).status == 0 and len(seen(peer)) == 26
    box.put("work", "s", series("s", "20240101T110000Z", "RDATE:" + ",".join(f"202406{d:02}T110000Z" for d in range(2, 20))))
    peer.kill_at(at, lambda: start("copy", *line))
    assert expand(box, peer, ledger).status == 0
    assert seen(peer) == sorted(days("Round", "2024-01-01", *[f"2024-06-{d:02}" for d in range(2, 20)], hour="11"))
    settled(box, peer, ledger)


def test_the_words_of_the_option(box, ledger):
    for more in (("--series", "bend"), ("--series-years", "0"), ("--series-years", "101")):
        wrong = copy(box.url(), "ews://user@127.0.0.1:1/", ledger, *more)
        assert wrong.status == 2 and re.search("--series", wrong.err), wrong
