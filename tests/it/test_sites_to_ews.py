"""All of an account, from servers of mail, calendars and contacts, to an Exchange by Web Services, and on from there."""

import collections

import pytest
from calendar_items import calendar, card, event, parts, seen
from mail import FOLDERS, Account, difference, snapshot
from run import postferry
from servers import cyrus, radicale
from servers.dovecot import Dovecot
from test_ews_keyed import peer  # noqa: F401 (a fixture)

BERLIN = ("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
          "DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n"
          "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n"
          "END:STANDARD\r\nEND:VTIMEZONE\r\n")


def lines(*many):
    return "".join(line + "\r\n" for line in many)


def part(kind, uid, title, *more):
    return lines(f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20240101T000000Z", f"SUMMARY:{title}", *more, f"END:{kind}")


def series(uid):
    """With an instance that is moved, and one that is left out, on the wall of Berlin over a change of the clock."""
    at = ";TZID=Europe/Berlin:"
    return calendar(BERLIN, part("VEVENT", uid, "Round", f"DTSTART{at}20240304T090000", f"DTEND{at}20240304T100000",
                                 "RRULE:FREQ=WEEKLY;COUNT=8", f"EXDATE{at}20240325T090000"),
                    part("VEVENT", uid, "Moved", f"RECURRENCE-ID{at}20240401T090000", f"DTSTART{at}20240402T140000",
                         f"DTEND{at}20240402T150000"))


WORK = {
    "plain": calendar(event("plain", "20240105T090000Z", "Größe, & <Gewicht>", "LOCATION:Zimmer 1", "DESCRIPTION:one\\ntwo")),
    "series": series("series"),
    "days": calendar(part("VEVENT", "days", "Holiday", "DTSTART;VALUE=DATE:20240701", "DTEND;VALUE=DATE:20240715")),
    "every-day": calendar(part("VEVENT", "every-day", "Medicine", "DTSTART:20240101T070000Z", "DURATION:PT10M", "RRULE:FREQ=DAILY")),
    "month": calendar(part("VEVENT", "month", "Rent", "DTSTART;VALUE=DATE:20240103", "RRULE:FREQ=MONTHLY;BYDAY=1WE;COUNT=30")),
    "file": calendar(event("file", "20240106T090000Z", "With a file",
                           "ATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=text/plain;X-FILENAME=a.txt:aGVsbG8=")),
    "bell": calendar(event("bell", "20240107T090000Z", "With a bell", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x",
                           "TRIGGER:-PT25M", "END:VALARM")),
    "meeting": calendar(event("meeting", "20290108T090000Z", "Meeting", "ORGANIZER;CN=Boss:mailto:boss@example.com",
                              "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.com",
                              "ATTENDEE;CN=Bob;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:bob@example.com")),
    "task": calendar(part("VTODO", "task", "Write", "DUE;VALUE=DATE:20240501", "PERCENT-COMPLETE:40", "STATUS:IN-PROCESS")),
    "note": calendar(part("VJOURNAL", "note", "Remember", "DESCRIPTION:the milk")),
}
PEOPLE = {
    "ann": card("ann", "Ann Example", "EMAIL;TYPE=INTERNET:ann@example.com", "TEL;TYPE=CELL:+49 171 1234567",
                "ADR;TYPE=HOME:;;Weg 1;Köln;;50667;Germany", "BDAY:1980-04-01", "ORG:Example;Research", "NOTE:likes tea"),
    "bob": card("bob", "Bob Müller", "EMAIL;TYPE=INTERNET:bob@example.com", "URL:http://example.com/bob"),
}


class Site:
    """A user's mail, calendars and contacts, of one server or of two."""

    def __init__(self, fast_dir, where):
        self.dav = cyrus.CyrusDav(fast_dir) if where is cyrus else radicale.Radicale(fast_dir)
        self.mail = self.dav if where is cyrus else Dovecot(fast_dir)

    def __enter__(self):
        self.dav.start()
        if self.mail is not self.dav:
            self.mail.start()
        return self

    def __exit__(self, *_):
        self.dav.__exit__()
        if self.mail is not self.dav:
            self.mail.__exit__()

    def urls(self):
        return [f"imap://user@127.0.0.1:{self.mail.port}/", self.dav.url(), self.dav.url(scheme="carddav")]

    def fill(self):
        account = Account(self.mail)
        account.fill(["INBOX", "Sent", "Projekte/Grün"], 6)
        account.close()
        for name, items, contacts in (("work", WORK, False), ("people", PEOPLE, True)):
            path = self.dav.make(name, contacts=contacts, displayname=name.title())
            for uid, text in items.items():
                status, said = self.dav.put(f"{path}{uid}.{'vcf' if contacts else 'ics'}", text)
                assert status == 201, (uid, said)

    def items(self, contacts=False):
        return {name: seen(self.dav.items(path).values()) for name, path in self.dav.collections(contacts).items()}


def has(where):
    return where.has_dav() if where is cyrus else where.available()


SITES = [pytest.param(where, id=where.__name__.rpartition(".")[2], marks=pytest.mark.skipif(not has(where), reason="not installed"))
         for where in (radicale, cyrus)]


@pytest.fixture
def site(request, fast_dir):
    with Site(fast_dir, request.param) as s:
        yield s


def run(command, sources, targets, ledger, *more):
    sides = [x for side, urls in (("--from", sources), ("--to", targets)) for url in urls for x in (side, url)]
    return postferry(command, *sides, "--ledger", ledger, "--allow-plaintext", "--json", *more)


def settled(sources, targets, ledger, copied):
    """All arrives, reads back deeply as it was, and neither a second run nor one without the ledger copies anything."""
    done = run("copy", sources, targets, ledger)
    assert done.status == 0 and done.outcome["copied"] == copied, done
    deep = run("verify", sources, targets, ledger, "--deep")
    assert deep.status == 0 and deep.outcome["compared"] >= copied, deep
    for led in (ledger, ledger + ".lost"):
        again = run("copy", sources, targets, led)
        assert again.status == 0 and again.outcome["copied_now"] == 0, again


@pytest.mark.parametrize("site", SITES, indirect=True)
def test_all_of_an_account(site, peer, ledger, fast_dir):
    """To Exchange in one run, and from there to servers of the kinds: the same is seen in the end, and mail is the same bytes."""
    site.fill()
    settled(site.urls(), [peer.url()], ledger, 18 + len(WORK) + len(PEOPLE))
    written = peer.writes()
    assert run("copy", site.urls(), [peer.url()], ledger).status == 0 and peer.writes() == written
    assert len(peer.folder("People").items) == len(PEOPLE)
    with Dovecot(fast_dir) as mail, radicale.Radicale(fast_dir) as dav:
        settled([peer.url()], [mail.url(), dav.url(), dav.url(scheme="carddav")], ledger + "2", 18 + len(WORK) + len(PEOPLE))
        there = {digest for folder in snapshot(mail).values() for digest, _, _ in folder}
        assert there == {digest for folder in snapshot(site.mail).values() for digest, _, _ in folder}
        for contacts in (False, True):
            want = sum(site.items(contacts).values(), collections.Counter())
            got = sum((seen(dav.items(path).values()) for path in dav.collections(contacts).values()), collections.Counter())
            assert titles(got) == titles(want)


def titles(seen_items):
    """Without the begin, which another zone may tell: verify has compared the moments."""
    return collections.Counter({(kind, title, instance is not None): n for (kind, title, _, instance), n in seen_items.items()})


@pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
def test_kb886948(fast_dir, peer, ledger):
    """Pasted copies share the identifier of their original: in other calendars, as a server has one of each, and all arrive."""
    with radicale.Radicale(fast_dir) as dav:
        days = {"home": "20240305", "work": "20240312", "club": "20240319", "copy": "20240305"}
        for name, day in days.items():
            path = dav.make(name, displayname=name.title())
            status, _ = dav.put(path + "lunch.ics", calendar(event("lunch", f"{day}T120000Z", "Lunch")))
            assert status == 201
            assert dav.put(path + "series.ics", series("round"))[0] == 201
        settled([dav.url()], [peer.url()], ledger, 8)
        for name, day in days.items():
            items = peer.folder(name.title()).items.values()
            assert sorted(i.subject for i in items) == ["Lunch", "Round"]
        moved = dav.request("DELETE", dav.home() + "club/lunch.ics")  # and one is edited, the other goes
        assert moved[0] in (200, 204)
        assert dav.put(dav.home() + "work/lunch.ics", calendar(event("lunch", "20240313T120000Z", "Lunch, later")))[0] in (201, 204)
        done = run("copy", [dav.url()], [peer.url()], ledger)
        assert done.status == 0 and done.outcome["gone_from_source"] == 1, done
        assert sorted(i.subject for i in peer.folder("Work").items.values()) == ["Lunch, later", "Round"]
        assert sorted(i.subject for i in peer.folder("Club").items.values()) == ["Lunch", "Round"]


def kept(folders):
    """With the flags that Exchange has a word for: none is deleted, and of answered and forwarded it knows the last."""
    def words(flags):
        found = set(flags.split()) - {b"\\Deleted"}
        return b" ".join(sorted(found - ({b"$Forwarded"} if b"\\Answered" in found else set())))
    return {name: [(digest, words(flags), when) for digest, flags, when in items] for name, items in folders.items() if items}


def test_the_demos_account_and_back(fast_dir, peer, ledger):
    """41 nested folders with odd names, to Exchange and back: the same bytes, flags and dates in the same folders."""
    for known, name in (("drafts", "Drafts"), ("sentitems", "Sent"), ("deleteditems", "Trash")):
        peer.known[known].name = name
    with Dovecot(fast_dir) as source, Dovecot(fast_dir) as target:
        account = Account(source)
        account.fill(FOLDERS, 4)
        account.close()
        settled([source.url()], [peer.url()], ledger, 4 * len(FOLDERS))
        settled([peer.url()], [target.url()], ledger + "2", 4 * len(FOLDERS))
        assert difference(kept(snapshot(source)), kept(snapshot(target)), order=False) == []
