"""Exchange 5.5 to 2003 over IMAP: appointments, contacts, tasks and notes in mail's disguise, pasted ones (KB886948) among them."""

import collections
import datetime
import re

import corpus
import pytest
import tnef_items as tnef
from calendar_items import parts, seen, uids
from dateutil import rrule
from ews_peer import EwsPeer
from mail import Account, message, snapshot
from peer import Box, Peer
from run import commands, copy, postferry, start
from servers import cyrus, radicale
from servers.dovecot import Dovecot
from servers.proxy import Proxy

SERVERS = [pytest.param(where, id=where.__name__.rpartition(".")[2]) for where in (radicale, cyrus)]
KEY = b"the original's, and each copy's"


def calendar_items():
    """title -> streams: a lunch that was pasted twice, one exact copy, one without any id, two series, one of them pasted."""
    lunch = [tnef.appointment("Lunch", (2004, 3, day, 12, 0), 60, key=KEY) for day in (5, 12)]
    return [("Lunch", lunch[0]), ("Lunch", lunch[1]), ("Lunch", lunch[1]),
            ("Lunch with Ann", tnef.appointment("Lunch with Ann", (2004, 3, 19, 12, 0), 60, key=KEY)),
            ("Copy: Dentist", tnef.appointment("Copy: Dentist", (2004, 4, 1, 9, 30), 30)),
            ("Simple", tnef.series("Simple", (2007, 3, 26, 10, 0), 30, tnef.WEEKLY, b"weekly")),
            ("Daily", tnef.series("Daily", (2011, 4, 7, 8, 0), 30, tnef.EVERY_THIRD_DAY, b"daily")),
            ("Daily pasted", tnef.series("Daily pasted", (2011, 4, 7, 8, 0), 30, tnef.EVERY_THIRD_DAY, b"daily"))]


def fill(server, correlator=True):
    account = Account(server)
    for name in ("Calendar", "Contacts", "Tasks", "Projects"):
        account.create(name)
    n = 0
    for title, stream in calendar_items():
        n += 1
        account.append("Calendar", tnef.message(title, stream, n, correlator=correlator))
    account.append("Contacts", tnef.message("Ann Example", tnef.contact("Ann Example", "ann@example.org"), 20, correlator=correlator))
    account.append("Tasks", tnef.message("Write", tnef.task("Write"), 21, correlator=correlator, nested=True))
    account.append("Projects", tnef.message("Moved here", tnef.appointment("Moved here", (2004, 6, 7, 8, 0), 60), 22))
    for i in range(5):
        account.append("INBOX", message(i))
    account.append("INBOX", tnef.message("A letter", tnef.tnef("IPM.Note", tnef.subject("A letter")), 23))
    request = tnef.tnef("IPM.Schedule.Meeting.Request", tnef.subject("Come!"))
    account.append("INBOX", tnef.message("Come!", request, 24))
    account.close()


def arguments(source, targets, ledger, *more):
    line = ["--from", source.url(), "--ledger", ledger, "--allow-plaintext", "--json", *more]
    for target in targets:
        line += ["--to", target]
    return line


def instances(text):
    """Begin and title of each instance of a series, by dateutil."""
    all_of = parts(text)
    master = next(p for p in all_of if "RECURRENCE-ID" not in p)
    form = "%Y%m%dT%H%M%S"
    begin = datetime.datetime.strptime(master["DTSTART"].rstrip("Z"), form)
    rule = re.sub(r"(UNTIL=\d+T\d+)Z", r"\1", master["RRULE"])
    left = {datetime.datetime.strptime(d.rstrip("Z"), form) for line in re.findall(r"^EXDATE[^:]*:(.*?)\r?$", text, re.M)
            for d in line.split(",")}
    out = {d: (d, master["SUMMARY"]) for d in rrule.rrulestr(rule, dtstart=begin) if d not in left}
    for p in all_of:
        if "RECURRENCE-ID" in p:
            key = datetime.datetime.strptime(p["RECURRENCE-ID"].rstrip("Z"), form)
            assert key in out
            out[key] = (datetime.datetime.strptime(p["DTSTART"].rstrip("Z"), form), p["SUMMARY"])
    return sorted(out.values())


def weekly():
    days = [d for d in (datetime.datetime(2007, 3, 26, 10) + datetime.timedelta(n) for n in range(40)) if d.weekday() in (0, 3, 4)][:12]
    return [(d, "Simple") if d.day != 16 else (d.replace(hour=11), "Simple Recurrence with exceptions") for d in days]


def daily(title):
    days = [datetime.datetime(2011, 4, 7, 8) + datetime.timedelta(3 * n) for n in range(10)]
    return [(d, title) for d in days if d.day not in (19, 22)]


def unfolded(texts):
    return [re.sub(r"\r?\n[ \t]", "", t) for t in texts]


def dav_items(dav, contacts=False):
    return unfolded(text for path in dav.collections(contacts).values() for text in dav.items(path).values())


@pytest.mark.parametrize("where", SERVERS)
def test_each_goes_to_its_kind(where, fast_dir, ledger, tmp_path):
    if not (where.has_dav() if where is cyrus else where.available()):
        pytest.skip("not installed")
    with Dovecot(fast_dir) as source, Dovecot(fast_dir) as mail, \
            (cyrus.CyrusDav(fast_dir) if where is cyrus else radicale.Radicale(fast_dir)) as dav:
        fill(source)
        before = snapshot(source)
        line = arguments(source, (mail.url(), dav.url(), dav.url(scheme="carddav")), ledger, "--trace", tmp_path / "trace")
        done = postferry("copy", *line)
        assert done.status == 0, done
        found = dav_items(dav)
        titles = collections.Counter(p.get("SUMMARY") for text in found for p in parts(text) if "RECURRENCE-ID" not in p)
        assert titles == collections.Counter([t for t, _ in calendar_items()] + ["Write", "Moved here"]), found
        assert len(set(uids(found))) == len(found) == 10
        lunches = sorted(p["DTSTART"] for text in found for p in parts(text) if p.get("SUMMARY", "").startswith("Lunch"))
        assert lunches == ["20040305T120000Z", "20040312T120000Z", "20040312T120000Z", "20040319T120000Z"]
        by_title = {parts(text)[0]["SUMMARY"]: text for text in found}
        assert instances(by_title["Simple"]) == weekly()
        assert instances(by_title["Daily"]) == daily("Daily") and instances(by_title["Daily pasted"]) == daily("Daily pasted")
        [card] = dav_items(dav, contacts=True)
        assert "FN:Ann Example" in card and "ann@example.org" in card
        assert "Projects" in dav.collections() and "Calendar" in dav.collections()
        state = {folder: len(items) for folder, items in snapshot(mail).items()}
        assert state == {"INBOX": 7}, state
        assert snapshot(source) == before
        bodies = open(tmp_path / "trace", "rb").read().count(b"BODY.PEEK[]")
        assert commands(tmp_path / "trace")["UID FETCH"] and bodies > 0
        again = postferry("copy", *line)
        assert again.status == 0 and again.outcome["copied_now"] == 0, again
        lost = postferry("copy", *arguments(source, (mail.url(), dav.url(), dav.url(scheme="carddav")), ledger + "2"))
        assert lost.status == 0 and lost.outcome["copied_now"] == 0, lost
        assert postferry("verify", *line).status == 0


def sent_by_connection(trace):
    """What went to the source on each of its connections, in order: those of one moment lie between each other in the file."""
    sent, at = collections.defaultdict(bytes), 0
    with open(trace, "rb") as f:
        text = f.read()
    while at < len(text):
        head, at = text[at:text.index(b"\n", at)], text.index(b"\n", at) + 1
        connection, direction, n = head.split(b" ")
        if connection.startswith(b"S") and direction == b">":
            sent[connection] += text[at:at + int(n)]
        at += int(n) + 1
    return sent.values()


def asked(trace):
    """UIDs that were asked for whole, of each folder."""
    found = collections.Counter()
    for connection in sent_by_connection(trace):
        folder = None
        for line in connection.split(b"\r\n"):
            select = re.search(rb'(?:EXAMINE|SELECT) "?([^" ]+)"?', line)
            folder = select.group(1) if select else folder
            fetch = re.search(rb"UID FETCH ([\d,:]+) \(UID BODY\.PEEK\[\]\)", line)
            for part in fetch.group(1).split(b",") if fetch else ():
                first, _, last = part.partition(b":")
                for uid in range(int(first), int(last or first) + 1):
                    found[folder, uid] += 1
    return found


@pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
def test_no_body_is_fetched_twice(fast_dir, ledger, tmp_path):
    with Dovecot(fast_dir) as source, Dovecot(fast_dir) as mail, radicale.Radicale(fast_dir) as dav:
        fill(source)
        line = arguments(source, (mail.url(), dav.url(), dav.url(scheme="carddav")), ledger, "--trace", tmp_path / "trace",
                         "--connections", "1")
        done = postferry("copy", *line)
        assert done.status == 0, done
        times = asked(tmp_path / "trace")
        assert len(times) == 11 + 7 and set(times.values()) == {1}, times


def test_without_a_target_they_stay_mail(fast_dir, ledger):
    with Dovecot(fast_dir) as source, Dovecot(fast_dir) as mail:
        fill(source)
        done = copy(source.url(), mail.url(), ledger)
        assert done.status == 0, done
        assert {k: v for k, v in snapshot(mail).items() if v} == {k: v for k, v in snapshot(source).items() if v}  # octet for octet
        said = postferry("report", "--ledger", ledger).out
        assert said.count("kept as the message that it is: its kind is calendar, and no target takes it") == 9, said
        assert said.count("its kind is contacts") == 1 and said.count("its kind is tasks") == 1
        assert "A letter" not in said.split("arrived with a note")[1] and "Come!" not in said.split("arrived with a note")[1]


def test_kinds_leaves_them_out(fast_dir, ledger, tmp_path):
    with Dovecot(fast_dir) as source:
        fill(source)
        done = postferry("copy", *arguments(source, (f"ics:{tmp_path}/c", f"maildir:{tmp_path}/m"), ledger, "--kinds", "calendar"))
        assert done.status == 0, done
        assert done.outcome["copied"] == 9 and not (tmp_path / "m").exists()


def test_a_server_that_does_not_search(ledger, tmp_path):
    """Then all of it is mail, and no folder fails for it."""
    with Peer() as source:
        source.boxes["Calendar"] = Box()
        source.boxes["Calendar"].add(tnef.message("Lunch", calendar_items()[0][1]))
        source.boxes["INBOX"].add(message(1))
        line = arguments(source, (f"maildir:{tmp_path}/m", f"ics:{tmp_path}/c"), ledger)
        done = postferry("copy", *line)
        assert done.status == 0 and done.outcome["copied"] == 2, done
        assert "items of Exchange among its mail are not told apart" in done.out
        assert len([c for c in source.log if "TNEF" in c]) <= 3


def test_links_that_break_on_the_way_to_exchange(fast_dir, tmp_path):
    """The same where one store gives both, and with items that are read while links end."""
    with Dovecot(fast_dir) as server:
        fill(server)
        for n, cut in enumerate(range(400, 9000, 900)):
            with Proxy(server.port, [("down", cut)] * 4) as source, EwsPeer() as target:
                for _ in range(3):
                    done = postferry("copy", *arguments(source, (target.url(),), f"{tmp_path}/{n}"))
                    if done.status == 0:
                        break
                assert done.status == 0 and as_they_are(target) == ALL, (cut, done)


def test_links_that_break_while_it_is_looked(fast_dir, tmp_path):
    """Wherever the first links of both ways end: what is an appointment is one, once, and no mail."""
    with Dovecot(fast_dir) as server:
        account = Account(server)
        account.create("Calendar")
        for n, (title, stream) in enumerate(calendar_items()[:3]):
            account.append("Calendar", tnef.message(title, stream, n))
        account.append("INBOX", message(1))
        account.close()
        for n, cut in enumerate(range(300, 4000, 370)):
            out = tmp_path / str(n)
            with Proxy(server.port, [("down", cut)] * 4) as source:
                for _ in range(3):
                    done = postferry("copy", *arguments(source, (f"maildir:{out}/m", f"ics:{out}/c"), f"{out}.ledger"))
                    if done.status == 0:
                        break
            assert done.status == 0, (cut, done)
            assert len(list((out / "c").rglob("*.ics"))) == 3, (cut, done)
            assert len([p for p in (out / "m").rglob("*") if p.parent.name in ("cur", "new") and p.is_file()]) == 1, (cut, done)


def test_unwrap_tnef(fast_dir, ledger, tmp_path):
    """A letter whose files are in winmail.dat arrives with them; what is no TNEF is not touched."""
    streams = {path: corpus.read(path) for _, path in corpus.files("tnef")
               if path.endswith(("two-files.tnef", "one-file.tnef", "body.tnef"))}
    if len(streams) != 3:
        pytest.skip("the corpus is not here")
    with Dovecot(fast_dir) as source, Dovecot(fast_dir) as mail:
        account = Account(source)
        for n, stream in enumerate(streams.values()):
            account.append("INBOX", tnef.message(f"Letter {n}", stream, n, text="Dear all, caf\xe9".encode("latin-1").decode("latin-1")))
        plain = message(7)
        account.append("INBOX", plain)
        account.close()
        done = copy(source.url(), mail.url(), ledger, "--unwrap-tnef")
        assert done.status == 0, done
        account = Account(mail)
        account.imap.select("INBOX", readonly=True)
        raws = [p[1] for p in account.imap.uid("FETCH", "1:*", "(BODY.PEEK[])")[1] if isinstance(p, tuple)]
        account.close()
        assert len(raws) == 4
        letters = [r for r in raws if b"Subject: Letter" in r]
        assert not any(b"ms-tnef" in r.split(b"\r\n\r\n", 1)[1] for r in letters), letters
        assert all(b"Message-ID: <" in r and b"@exchange.example>" in r for r in letters)
        assert sum(r.count(b"filename=") for r in letters) >= 3
        assert [r for r in raws if r == plain]
        said = postferry("report", "--ledger", ledger).out
        assert said.count("unwrapped: the message that its TNEF part (winmail.dat) holds") == 3, said
        for deep in ((), ("--deep",)):
            same = postferry("verify", *arguments(source, (mail.url(),), ledger, "--unwrap-tnef", *deep))
            assert same.status == 0, same
        again = copy(source.url(), mail.url(), ledger, "--unwrap-tnef")
        assert again.status == 0 and again.outcome["copied_now"] == 0
        lost = copy(source.url(), mail.url(), ledger + "2", "--unwrap-tnef")
        assert lost.status == 0 and lost.outcome["copied_now"] == 0, lost


def test_in_two_steps_to_exchange(fast_dir, ledger, tmp_path):
    """An old Exchange over IMAP, a new one over EWS: by an archive each item comes to be what it was, pasted ones as well."""
    with Dovecot(fast_dir) as source, EwsPeer() as target:
        fill(source)
        first = copy(source.url(), f"archive:{tmp_path}/all", ledger)
        second = copy(f"archive:{tmp_path}/all", target.url(), ledger + "2")
        assert first.status == 0 and second.status == 0 and second.outcome["copied"] == 18, (first, second)
        assert len(target.known["calendar"].items) == len(calendar_items()) and len(target.known["inbox"].items) == 7
        assert len(target.known["contacts"].items) == 1 and target.folder("Projects").kind == "IPF.Appointment"
        again = copy(f"archive:{tmp_path}/all", target.url(), ledger + "2")
        assert again.status == 0 and again.outcome["copied_now"] == 0
        assert target.breaches == [] and target.sent == []


def as_they_are(target):
    """How many of each kind an Exchange has."""
    kinds = collections.Counter()
    for folder in target.folders.values():
        kinds[folder.kind.partition(".")[2]] += len(folder.items)
    return {kind: n for kind, n in kinds.items() if n}


def made(target):
    """Folders that were not there before."""
    return {f.name: f.kind for f in target.folders.values() if f.parent and f not in target.known.values()}


ALL = {"Note": 7, "Appointment": 9, "Contact": 1, "Task": 1}


def test_in_one_step_to_exchange(fast_dir, ledger):
    """One command, one report: each item is what it is, mail is mail, and nothing is there twice, with a ledger or without."""
    with Dovecot(fast_dir) as source, EwsPeer() as target:
        fill(source)
        account = Account(source)
        account.create("Empty")
        account.close()
        before = snapshot(source)
        line = arguments(source, (target.url(),), ledger)
        done = postferry("copy", *line)
        assert done.status == 0 and done.outcome["copied"] == 18, done
        assert as_they_are(target) == ALL
        assert len(target.known["calendar"].items) == len(calendar_items()) and len(target.known["inbox"].items) == 7
        assert len(target.known["contacts"].items) == len(target.known["tasks"].items) == 1
        assert made(target) == {"Projects": "IPF.Appointment", "Empty": "IPF.Note"}, made(target)
        assert snapshot(source) == before
        written = target.writes()
        again = postferry("copy", *line)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and target.writes() == written, again
        assert postferry("report", "--ledger", ledger).out.count("all that it holds are items of Exchange") == 4
        for deep in ((), ("--deep",)):
            same = postferry("verify", *line, *deep)
            assert same.status == 0, same
        lost = postferry("copy", *arguments(source, (target.url(),), ledger + "2"))
        assert lost.status == 0 and lost.outcome["copied_now"] == 0 and target.writes() == written, lost
        assert target.breaches == [] and target.sent == []


def test_what_comes_and_goes_in_later_passes(fast_dir, ledger):
    """Mail in a folder that held none, an appointment in one of mail, and all that a folder held of a kind gone."""
    with Dovecot(fast_dir) as source, EwsPeer() as target:
        fill(source)
        line = arguments(source, (target.url(),), ledger)
        assert postferry("copy", *line).status == 0
        account = Account(source)
        account.append("Projects", message(40))
        account.append("INBOX", tnef.message("Odd place", tnef.appointment("Odd place", (2004, 6, 8, 8, 0), 60), 41))
        account.imap.select("Tasks")
        account.imap.store("1", "+FLAGS", "\\Deleted")
        account.imap.expunge()
        account.close()
        done = postferry("copy", *line)
        assert done.status == 0 and done.outcome["copied_now"] == 2, done
        assert as_they_are(target) == dict(ALL, Note=8, Appointment=10)
        assert sorted(kind for name, kind in made(target).items() if name.startswith("Projects")) == ["IPF.Appointment", "IPF.Note"]
        written = target.writes()
        again = postferry("copy", *line)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and target.writes() == written, again
        account = Account(source)  # the last appointment of a folder that has mail as well
        account.imap.select("Projects")
        account.imap.store("1", "+FLAGS", "\\Deleted")
        account.imap.expunge()
        account.append("Projects", message(43))
        account.close()
        done = postferry("copy", *line)
        assert done.status == 0 and done.outcome["copied_now"] == 1, done
        assert as_they_are(target) == dict(ALL, Note=9, Appointment=10)
        assert sorted(kind for name, kind in made(target).items() if name.startswith("Projects")) == ["IPF.Appointment", "IPF.Note"]
        assert target.breaches == []


@pytest.mark.parametrize("at", range(1, 8))
def test_killed_on_the_way_to_exchange(fast_dir, ledger, at):
    """At each request that changes something, of mail and of what was in its disguise: one copy of each in the end."""
    with Dovecot(fast_dir) as source, EwsPeer() as target:
        fill(source)
        line = arguments(source, (target.url(),), ledger)
        target.kill_at(at, lambda: start("copy", *line))
        done = postferry("copy", *line)
        assert done.status == 0, done
        assert as_they_are(target) == ALL
        assert target.breaches == []


def test_what_was_copied_as_mail_before(fast_dir, ledger):
    """By a version that did not tell them apart: it stays mail, once, and is told; --mirror makes it what it is."""
    with Dovecot(fast_dir) as source, EwsPeer() as target:
        fill(source)
        line = arguments(source, (target.url(),), ledger)
        first = postferry("copy", *line, "--kinds", "mail")
        assert first.status == 0 and as_they_are(target) == {"Note": 18}, first
        for _ in range(2):
            done = postferry("copy", *line)
            assert done.status == 0 and done.outcome["copied_now"] == 0 and as_they_are(target) == {"Note": 18}, done
        said = postferry("report", "--ledger", ledger).out
        assert sum(map(int, re.findall(r"\((\d+) of its items stay the messages that an earlier run copied", said))) == 11, said
        assert postferry("verify", *line, "--deep").status == 0
        account = Account(source)
        account.append("Calendar", tnef.message("New", tnef.appointment("New", (2004, 6, 8, 8, 0), 60), 42))
        account.close()
        done = postferry("copy", *line)
        assert done.status == 0 and as_they_are(target) == {"Note": 18, "Appointment": 1}, done
        done = postferry("copy", *line, "--mirror-all")
        assert done.status == 0 and done.outcome["removed"] == 11, done
        assert as_they_are(target) == dict(ALL, Appointment=10)
        written = target.writes()
        for more in ((), ("--mirror",)):
            again = postferry("copy", *line, *more)
            assert again.status == 0 and again.outcome["copied_now"] == 0 and target.writes() == written, again
        assert target.breaches == [] and target.sent == []


def test_in_one_step_to_an_archive(fast_dir, ledger, tmp_path):
    """Files of each kind, and no folder of mail for what held none."""
    with Dovecot(fast_dir) as source:
        fill(source)
        done = copy(source.url(), f"archive:{tmp_path}/all", ledger)
        assert done.status == 0, done
        files = collections.Counter(p.suffix for p in (tmp_path / "all").rglob("*") if p.suffix in (".ics", ".vcf"))
        assert files == {".ics": 10, ".vcf": 1}
        assert [p.name for p in (tmp_path / "all" / "mail").iterdir() if p.name.startswith(".")] == []
