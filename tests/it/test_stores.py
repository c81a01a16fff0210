"""One account with several stores: mail, calendars and contacts in one run, with one report; and archives of all of it."""

import glob
import json
import os
import signal
import time

import pytest
from calendar_items import calendar, card, event, seen, texts, write
from mail import Account, difference, snapshot
from run import copy, postferry, start
from servers import radicale
from servers.dovecot import Dovecot

pytestmark = pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")


class Site:
    """A mail server and a DAV server: all that a user has."""

    def __init__(self, fast_dir):
        self.mail, self.dav = Dovecot(fast_dir), radicale.Radicale(fast_dir)

    def __enter__(self):
        self.mail.start()
        self.dav.start()
        return self

    def __exit__(self, *_):
        self.mail.__exit__()
        self.dav.__exit__()

    def urls(self):
        return [self.mail.url(), self.dav.url(), self.dav.url(scheme="carddav")]

    def fill(self, per_folder=5):
        account = Account(self.mail)
        account.fill(["INBOX", "Sent", "Archive/2020"], per_folder)
        account.close()
        work = self.dav.make("work", displayname="Work")
        people = self.dav.make("people", contacts=True, displayname="People")
        for n in range(4):  # two of them with one UID would be refused: the other is in the next calendar
            assert self.dav.put(work + f"{n}.ics", calendar(event(f"u{n}", f"2024010{n + 1}T090000Z", f"event {n}")))[0] == 201
            assert self.dav.put(people + f"{n}.vcf", card(f"c{n}", f"Person {n}"))[0] == 201
        home = self.dav.make("home", displayname="Home")
        assert self.dav.put(home + "0.ics", calendar(event("u0", "20240301T090000Z", "event 0, elsewhere")))[0] == 201

    def items(self, contacts=False):
        return {name: seen(self.dav.items(path).values()) for name, path in self.dav.collections(contacts).items()}


@pytest.fixture
def sites(fast_dir):
    with Site(fast_dir) as a, Site(fast_dir) as b:
        yield a, b


def options(sources, targets, ledger):
    froms = [x for url in sources for x in ("--from", url)]
    return [*froms, *[x for url in targets for x in ("--to", url)], "--ledger", ledger, "--allow-plaintext"]


def run(sources, targets, ledger, *more, command="copy", **how):
    return postferry(command, *options(sources, targets, ledger), "--json", *more, **how)


def same(a, b):
    """Both sites have the same."""
    assert difference(snapshot(a.mail), snapshot(b.mail), order=False) == []
    for contacts in (False, True):
        want, got = a.items(contacts), b.items(contacts)
        assert {k: v for k, v in got.items() if v} == {k: v for k, v in want.items() if v}


def test_all_of_an_account_in_one_run(sites, ledger):
    a, b = sites
    a.fill()
    look = run(a.urls(), b.urls(), ledger, command="check")
    assert look.status == 0 and look.outcome["estimate_items"] == 15 + 5 + 4, look
    done = run(a.urls(), b.urls(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 15 + 5 + 4, done
    same(a, b)
    again = run(a.urls(), b.urls(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    deep = run(a.urls(), b.urls(), ledger, "--deep", command="verify")
    assert deep.status == 0 and deep.outcome["compared"] >= 24, deep
    report = postferry("report", *options(a.urls(), b.urls(), ledger)[:-1], "--format", "json")
    accounts = [json.loads(line) for line in report.out.splitlines() if line]
    assert report.status == 0 and len(accounts) == 3, report
    assert sum(f["copied"] for account in accounts for f in account["folders"]) == 24, report


def test_the_ledger_is_found_by_all_urls(sites, tmp_path):
    a, b = sites
    a.fill(1)
    env = {"XDG_STATE_HOME": str(tmp_path)}
    urls = [x for url in a.urls() for x in ("--from", url)] + [x for url in b.urls() for x in ("--to", url)]
    assert postferry("copy", *urls, "--allow-plaintext", "--quiet", env=env).status == 0
    assert len(glob.glob(str(tmp_path / "postferry" / "*.ledger"))) == 1
    assert "24" not in postferry("report", *urls, env=env).err
    assert postferry("report", *urls, env=env).status == 0
    assert postferry("report", *urls[:2], *urls[-2:], env=env).status != 0  # another migration


def test_kinds_leaves_stores_alone(sites, ledger):
    a, b = sites
    a.fill(2)
    a.dav.write("users", "user:changed\n")  # who asks it is told so
    done = run(a.urls(), b.urls(), ledger, "--kinds", "mail")
    assert done.status == 0 and done.outcome["copied"] == 6, done
    assert run(a.urls(), b.urls(), ledger + "2").status == 3


def test_what_no_target_takes_is_named(sites, ledger):
    a, b = sites
    a.fill()
    done = run(a.urls(), [b.mail.url(), b.dav.url()], ledger)
    assert done.status == 1 and done.outcome["copied"] == 20, done
    assert [m["reason"] for m in done.missed] == ["in no place: no target takes contacts"] * 4
    assert all(m["folder"] == "People" and m["item"] for m in done.missed)
    assert any(e["number"] == 11013 for e in done.events)
    again = run(a.urls(), [b.mail.url(), b.dav.url()], ledger)
    assert again.status == 1 and again.outcome["copied_now"] == 0 and len(again.missed) == 4
    assert not b.items(contacts=True)
    report = postferry("report", "--ledger", ledger)
    assert "no target takes contacts" in report.out
    alone = run([a.dav.url()], [b.mail.url()], ledger + "2")  # and with one store on each side
    assert alone.status == 1 and len(alone.missed) == 5, alone
    retried = run([a.dav.url()], [b.mail.url()], ledger + "2", command="retry")
    assert retried.status == 1 and len(retried.missed) == 5, retried


def test_secrets_are_each_stores_own(sites, ledger):
    a, b = sites
    a.fill(1)
    a.dav.write("users", "user:another\n")
    secrets = {"POSTFERRY_FROM_PASSWORD": None, "MAIL": "pass", "DAV": "another"}
    more = ["--from-secret", "env:MAIL", "--from-secret", "env:DAV", "--from-secret", "env:DAV"]
    done = run(a.urls(), b.urls(), ledger, *more, env=secrets)
    assert done.status == 0 and done.outcome["copied"] == 12, done
    wrong = run(a.urls(), b.urls(), ledger, *more[:4], env=secrets)
    assert wrong.status == 2 and "2 times for 3 URLs" in wrong.err, wrong


def test_one_store_that_is_down_stops_no_other(sites, ledger):
    a, b = sites
    a.fill(2)
    users = a.dav.path("users")
    kept = open(users, encoding="ascii").read()
    a.dav.write("users", "user:changed\n")
    done = run(a.urls(), b.urls(), ledger)
    assert done.status == 3 and done.outcome["copied"] == 6, done
    a.dav.write("users", kept)
    assert run(a.urls(), b.urls(), ledger).status == 0
    same(a, b)


def test_killed_and_run_again(sites, ledger):
    a, b = sites
    a.fill(20)
    killed = 0
    for n in (2, 9, 17):
        done = run(a.urls(), b.urls(), ledger, env={"POSTFERRY_TEST_KILL_AT_WRITE": str(n)})
        killed += done.status == -signal.SIGKILL
        if done.status == 0:
            break
    process = start("copy", *options(a.urls(), b.urls(), ledger), "--quiet")
    time.sleep(0.4)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = run(a.urls(), b.urls(), ledger)
    assert killed and done.status == 0 and done.outcome["copied"] == 60 + 9, done
    same(a, b)
    assert run(a.urls(), b.urls(), ledger).outcome["copied_now"] == 0


def test_extract_edit_import(sites, ledger, tmp_path):
    """The wizard's two steps, by way of an archive."""
    a, b = sites
    a.fill()
    box = f"archive:{tmp_path}/ann"
    first = run(a.urls(), [box], ledger)
    assert first.status == 0 and first.outcome["copied"] == 24, first
    assert sorted(os.listdir(tmp_path / "ann")) == ["calendars", "contacts", "mail"]
    assert seen(texts(tmp_path / "ann" / "calendars" / "Work").values()) == a.items()["Work"]
    assert run(a.urls(), [box], ledger).outcome["copied_now"] == 0
    work = tmp_path / "ann" / "calendars" / "Work"
    name = next(n for n, text in texts(work).items() if "event 2" in text)
    (work / name).write_bytes((work / name).read_bytes().replace(b"event 2", b"edited by hand"))
    os.unlink(work / next(n for n, text in texts(work).items() if "event 3" in text))
    second = run([box], b.urls(), ledger + "2")
    assert second.status == 0 and second.outcome["copied"] == 23, second
    assert difference(snapshot(a.mail), snapshot(b.mail), order=False) == []
    assert {title for _, title, _, _ in b.items()["Work"]} == {"event 0", "event 1", "edited by hand"}
    assert b.items(contacts=True) == a.items(contacts=True)
    assert run([box], b.urls(), ledger + "2").outcome["copied_now"] == 0
    other = run([box], [f"archive:{tmp_path}/deep/copy"], ledger + "3")
    assert other.status == 0 and other.outcome["copied"] == 23, other


def test_an_archive_killed_and_run_again(sites, ledger, tmp_path):
    a, b = sites
    a.fill(20)
    box = f"archive:{tmp_path}/ann"
    for sources, targets, led in ((a.urls(), [box], ledger), ([box], b.urls(), ledger + "2")):
        killed = 0
        for n in (1, 8, 16):
            done = run(sources, targets, led, env={"POSTFERRY_TEST_KILL_AT_WRITE": str(n)})
            killed += done.status == -signal.SIGKILL
        assert killed and run(sources, targets, led).status == 0
        assert run(sources, targets, led).outcome["copied_now"] == 0
    same(a, b)


def test_what_is_in_no_place_has_its_title_and_size(ledger, tmp_path):
    people, work = tmp_path / "a" / "contacts" / "People", tmp_path / "a" / "calendars" / "Work"
    texts = {people / "1.vcf": card("u", "Jo Doe"), people / "2.vcf": "no card at all",
             work / "1.ics": calendar(event("e", "20240105T100000Z", "Größe, Lunch"))}
    for path, text in texts.items():
        write(str(path.parent), path.name, text)
    done = run([f"archive:{tmp_path}/a"], [f"maildir:{tmp_path}/m"], ledger)
    wanted = {("Jo Doe", len(texts[people / "1.vcf"])), ("", len("no card at all")),
              ("Größe, Lunch", len(texts[work / "1.ics"].encode()))}
    assert done.status == 1 and {(m["subject"], m["size"]) for m in done.missed} == wanted, done
    assert [m["date"] for m in done.missed if m["folder"] == "Work"] == ["2024-01-05T10:00:00Z"]
    for form in ("text", "json", "html", "csv"):
        shown = postferry("report", "--ledger", ledger, "--format", form).out
        assert "Jo Doe" in shown and "Lunch" in shown, (form, shown)


def test_mail_in_no_place_has_its_subject(sites, ledger):
    a, b = sites
    a.fill(2)
    done = run(a.urls()[:1], [b.dav.url()], ledger)
    assert done.status == 1 and done.missed and all(m["subject"] and m["size"] for m in done.missed), done


def test_archives_that_are_not_there_or_not_whole(ledger, tmp_path):
    done = run([f"archive:{tmp_path}/none"], [f"archive:{tmp_path}/b"], ledger)
    assert done.status == 2 and "there is no such archive" in done.err, done
    os.makedirs(tmp_path / "a" / "contacts" / "p")
    (tmp_path / "a" / "contacts" / "p" / "1.vcf").write_text(card("u", "Jo"), newline="")
    done = run([f"archive:{tmp_path}/a"], [f"maildir:{tmp_path}/m"], ledger)
    assert done.status == 1 and done.missed[0]["reason"] == "in no place: no target takes contacts", done
    assert copy(f"archive:{tmp_path}/a", f"archive:{tmp_path}/b", ledger + "2").status == 0


def test_plans_with_several_stores(sites, tmp_path, ledger):
    a, b = sites
    a.fill(2)
    csv = tmp_path / "accounts.csv"
    csv.write_text("from,to,from_secret,to_secret\n" + " ".join(a.urls()) + "," + " ".join(b.urls()) + ",env:S,env:S\n")
    done = postferry("run", str(csv), "--ledger", ledger, "--allow-plaintext", "--json", env={"S": "pass"})
    assert done.status == 0 and done.outcome["copied"] == 15, done
    same(a, b)
    twice = postferry("run", str(csv), "--from", "x", "--from", "y")
    assert twice.status == 2 and "given twice" in twice.err, twice
