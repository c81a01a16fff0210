"""Outlook files as sources: every item of the shared corpus, counted against another reader (readpst)."""

import collections
import json
import mailbox
import os
import re
import sqlite3
import struct
import subprocess

import pytest
from corpus import ROOT
from mail import snapshot
from run import copy, postferry
from servers import radicale
from servers.dovecot import Dovecot

PST = os.path.join(ROOT, "pst")
FILES = sorted(os.path.relpath(os.path.join(d, n), PST) for d, _, names in os.walk(PST) for n in names
               if n.lower().endswith((".pst", ".ost")))
BROKEN = {"aspose-examples/AddingBulkMessagesWithImprovedPerformance.pst"}  # readpst and pffinfo refuse it as well
GOOD = [f for f in FILES if f not in BROKEN]
needs_corpus = pytest.mark.skipif(not FILES, reason="the corpus is not here")


def counted_by_readpst(path, tmp_path):
    """Items of every folder, by its leaf; readpst writes a file for each (its processes in parallel lose some now and then)."""
    out = tmp_path / "readpst"
    out.mkdir()
    subprocess.run(["readpst", "-q", "-j", "0", "-D", "-e", "-o", out, path], check=True, capture_output=True, timeout=60)
    return collections.Counter(os.path.basename(d) for d, _, names in os.walk(out) for _ in names)


def counted_by_us(archive):
    """Items of every folder of an archive, by its leaf."""
    found = collections.Counter()
    mail = mailbox.Maildir(archive / "mail", create=False) if (archive / "mail").exists() else None
    if mail is not None:
        found["Inbox"] += len(mail)
        for name in mail.list_folders():
            found[name.split(".")[-1]] += len(mail.get_folder(name))
    for part, ending in (("contacts", ".vcf"), ("calendars", ".ics")):
        for d, _, names in os.walk(archive / part):
            here = sum(n.endswith(ending) for n in names)
            if here:
                name = os.path.join(d, "displayname")
                leaf = open(name, encoding="utf-8").read() if os.path.exists(name) else os.path.basename(d)
                found[leaf.split("/")[-1]] += here
    return +found


@needs_corpus
@pytest.mark.parametrize("name", GOOD)
def test_every_item_arrives(name, ledger, tmp_path):
    path = os.path.join(PST, name)
    done = copy(f"pst:{path}", f"archive:{tmp_path}/all", ledger)
    assert done.status == 0, done
    assert counted_by_us(tmp_path / "all") == counted_by_readpst(path, tmp_path)


@needs_corpus
def test_the_second_run_writes_nothing(ledger, tmp_path):
    source = f"pst:{PST}/aspose-examples/Outlook.pst"
    assert copy(source, f"archive:{tmp_path}/all", ledger).status == 0
    again = copy(source, f"archive:{tmp_path}/all", ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    lost = copy(source, f"archive:{tmp_path}/all", ledger + "2")  # the same bytes are made each time
    assert lost.status == 0 and lost.outcome["copied_now"] == 0, lost


@needs_corpus
def test_what_became_of_each_property(ledger, tmp_path):
    """Told in the report for all, by explain for one; and not again by a run that writes nothing."""
    source, target = f"pst:{PST}/aspose-examples/Outlook.pst", f"archive:{tmp_path}/all"
    assert copy(source, target, ledger).status == 0
    assert copy(source, target, ledger).status == 0
    told = [json.loads(line) for line in postferry("report", "--ledger", ledger, "--format", "json").out.splitlines()]
    by_target = {one["to"].split(":")[0]: one for one in told}
    events = by_target["ics"]
    assert events["converted"] == 1
    fates = {p["property"]: (p["kept"], p["mapped"], p["lost"]) for p in events["properties"]}
    assert fates["PidTag 0x0037 Subject"] == (1, 0, 0)      # the subject
    assert fates["Appointment 0x8217 AppointmentStateFlags"] == (0, 1, 0)  # the state of a meeting
    assert fates["Common 0x85BF ValidFlagStringProof"] == (0, 0, 1)
    assert by_target["maildir"]["converted"] == 14
    assert sum(p["lost"] for p in by_target["maildir"]["properties"]) > 0
    text = postferry("report", "--ledger", ledger).out
    assert "converted: 14 items" in text and "  Common 0x85BF ValidFlagStringProof  0/0/1\n" in text
    assert "<td>Common 0x85BF" in postferry("report", "--ledger", ledger, "--format", "html").out
    item = sqlite3.connect(ledger).execute("SELECT item FROM fate JOIN folder ON folder = id WHERE CAST(src_id AS TEXT) LIKE '%calendar'").fetchone()[0]
    one = postferry("explain", item.decode(), "--ledger", ledger)
    assert one.status == 0 and f"Calendar {item.decode()}: copied" in one.out, one
    assert re.search(r"\n  lost: .*Common 0x85BF", one.out) and re.search(r"\n  kept: .*PidTag 0x0037", one.out), one
    none = postferry("explain", "4711.x", "--ledger", ledger)
    assert none.status == 2 and "postferry report shows the ids" in repr(none)


@needs_corpus
@pytest.mark.parametrize("name", sorted(BROKEN & set(FILES)))
def test_a_broken_file_says_so(name, ledger, tmp_path):
    done = copy(f"pst:{PST}/{name}", f"archive:{tmp_path}/all", ledger)
    assert done.status != 0
    assert "scanpst" in repr(done)


@needs_corpus
def test_a_damaged_file_gives_what_is_whole(tmp_path):
    """Pages of nothing in its middle: what is listed arrives whole or is named, and no part of it is left out in silence."""
    with open(f"{PST}/aspose-examples/Outlook.pst", "rb") as f:
        good = f.read()
    said = ""
    for n in range(40):
        at = 20_000 + n * (len(good) - 40_000) // 40
        bad = tmp_path / f"{n}.pst"
        bad.write_bytes(good[:at] + bytes(8192) + good[at + 8192:])
        more = ["--recovered"] if n % 2 else []
        done = copy(f"pst:{bad}", f"archive:{tmp_path}/all{n}", str(tmp_path / f"ledger{n}"), *more)
        assert done.status in (0, 1, 3) and "Sanitizer" not in done.err, done
        if done.status != 3:
            sums = done.outcome
            assert sums["open"] == 0 and len(done.missed) == sums["quarantined"], done
        said += done.out
    assert "the list of its properties can't be read: the file is damaged there" in said


def found_by_pffexport(path, tmp_path):
    """Nodes of the deleted messages that another program finds; of its folders and tables there is nothing in them to have."""
    log = tmp_path / "pffexport.log"
    subprocess.run(["pffexport", "-q", "-m", "recovered", "-l", log, "-t", tmp_path / "pffexport", path], check=True, capture_output=True, timeout=60)
    nodes = re.findall(r"Processing (?!folder)[a-z ]+: \d+ \(identifier: (\d+)\)", log.read_text(errors="replace"))
    return collections.Counter(int(n) for n in nodes if int(n) & 0x1F == 4)  # NID_TYPE_NORMAL_MESSAGE, [MS-PST] 2.2.2.1


@needs_corpus
@pytest.mark.parametrize("name", GOOD)
def test_deleted_items_are_found(name, ledger, tmp_path):
    """On request, in a folder of their own, each by itself; all else is as it is without."""
    path = os.path.join(PST, name)
    done = copy(f"pst:{path}", f"archive:{tmp_path}/all", ledger, "--recovered")
    assert done.status == (1 if done.missed else 0) and "Sanitizer" not in done.err, done
    theirs = found_by_pffexport(path, tmp_path)
    ours = counted_by_us(tmp_path / "all").get("Recovered items", 0)
    assert ours == sum(theirs.values()), (theirs, done)
    assert all(one["folder"] == "Recovered items" and "nothing of it can be read" in repr(one) for one in done.missed), done
    rest = counted_by_us(tmp_path / "all")
    rest.pop("Recovered items", None)
    assert rest == counted_by_readpst(path, tmp_path)
    again = copy(f"pst:{path}", f"archive:{tmp_path}/all", ledger, "--recovered")
    assert again.outcome["copied_now"] == 0 and len(again.missed) == len(done.missed), again
    if ours:
        report = postferry("report", "--ledger", ledger).out
        assert sum(int(n) for n in re.findall(r"Recovered items -> Recovered items +(\d+)/", report)) == ours, report


@needs_corpus
def test_a_deleted_item_that_is_damaged_comes_with_a_note(ledger, tmp_path):
    done = copy(f"pst:{PST}/aspose-examples/passwordprotectedPST.pst", f"archive:{tmp_path}/all", ledger, "--recovered")
    assert done.status == 0, done
    letters = list(mailbox.Maildir(tmp_path / "all" / "mail", create=False).get_folder("Recovered items"))
    assert [m["Subject"].replace("\n", "") for m in letters] == ["Undeliverable: Test mail with success and with right email  notifications"] * 2
    assert len({m["Message-ID"] for m in letters}) == 2
    assert "deleted, and in part overwritten since then" in postferry("report", "--ledger", ledger).out


@needs_corpus
def test_an_item_without_its_folder(ledger, tmp_path):
    """It belongs to a folder that is not in the file. The list of the folder that it was in names it still, and can't give it;
    it is among what was deleted, and whole."""
    with open(f"{PST}/aspose-examples/Outlook.pst", "rb") as f:
        data = bytearray(f.read())
    entry = struct.pack("<QQQI", 0x200044, 0xDE8, 0xDAA, 0x80C2)  # NBTENTRY, [MS-PST] 2.2.2.7.7.4: node, data, more, parent
    while (at := data.find(entry)) >= 0:
        data[at + 24:at + 28] = struct.pack("<I", 0x7FFFFFE2)
    (tmp_path / "orphan.pst").write_bytes(data)
    source = f"pst:{tmp_path}/orphan.pst"
    without = copy(source, f"archive:{tmp_path}/without", ledger)
    assert without.outcome["copied_now"] == 15 and [one["folder"] for one in without.missed] == ["Sent Items"], without
    done = copy(source, f"archive:{tmp_path}/all", ledger + "2", "--recovered")
    assert done.outcome["copied_now"] == 16 and sorted(one["folder"] for one in done.missed) == 3 * ["Recovered items"] + ["Sent Items"], done
    [letter] = mailbox.Maildir(tmp_path / "all" / "mail", create=False).get_folder("Recovered items")
    assert letter["Subject"] == "message 1"
    with_folder = copy(f"pst:{PST}/aspose-examples/Outlook.pst", f"archive:{tmp_path}/before", ledger + "3")
    assert with_folder.status == 0, with_folder
    [before] = [m for m in mailbox.Maildir(tmp_path / "before" / "mail", create=False).get_folder("Sent Items") if m["Subject"] == "message 1"]
    assert [part.get_payload(decode=True) for part in letter.walk()] == [part.get_payload(decode=True) for part in before.walk()]


def in_code(name):
    """As the text of files is that Outlook "compresses" ([MS-PST] 5.1): those letters that are needed here."""
    code = dict(zip("CFcdeilmorstuv 1\0", bytes.fromhex("515598faea70fd598606eb8278574c3841")))
    return bytes(code[chr(b)] for b in name.encode("utf-16le"))


@needs_corpus
def test_a_folder_of_the_same_name_stays_apart(ledger, tmp_path):
    with open(f"{PST}/aspose-examples/Outlook.pst", "rb") as f:
        data = f.read()
    assert in_code("Custom Folder 1") in data
    (tmp_path / "taken.pst").write_bytes(data.replace(in_code("Custom Folder 1"), in_code("recovered items")))
    done = copy(f"pst:{tmp_path}/taken.pst", f"archive:{tmp_path}/all", ledger, "--recovered")
    assert {one["folder"] for one in done.missed} == {"Recovered items 2"}, done
    assert (tmp_path / "all" / "mail" / ".recovered items").is_dir()


def test_what_is_no_outlook_file(ledger, tmp_path):
    no = tmp_path / "no.pst"
    no.write_bytes(b"From somebody\n" * 100)
    done = postferry("copy", "--from", f"pst:{no}", "--to", f"maildir:{tmp_path}/m", "--ledger", ledger)
    assert done.status == 3 and "no PST, OST or PAB file" in repr(done)


def test_it_is_no_target(ledger, tmp_path):
    (tmp_path / "m").mkdir()
    done = postferry("copy", "--from", f"maildir:{tmp_path}/m", "--to", f"pst:{tmp_path}/x.pst", "--ledger", ledger)
    assert done.status == 2 and "archive:" in repr(done)


@needs_corpus
@pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
def test_to_servers_of_mail_calendars_and_contacts(ledger, fast_dir):
    """Each kind goes to its server, and nothing is written twice."""
    with Dovecot(fast_dir) as mail, radicale.Radicale(fast_dir) as dav:
        line = ["copy", "--from", f"pst:{PST}/aspose-examples/Outlook.pst", "--ledger", ledger, "--allow-plaintext", "--json"]
        for url in (mail.url(), dav.url(), dav.url(scheme="carddav")):
            line += ["--to", url]
        env = {"POSTFERRY_TO_PASSWORD": "pass"}
        first = postferry(*line, env=env)
        assert first.status == 0, first
        account = snapshot(mail)
        assert {folder: len(items) for folder, items in account.items() if items} == {"INBOX": 8, "Sent Items": 6}
        [meeting] = [raw for path in dav.collections().values() for raw in dav.items(path).values()]
        assert "SUMMARY:Weekly meeting" in meeting and "20110622T1" in meeting, meeting
        [person] = [raw for path in dav.collections(contacts=True).values() for raw in dav.items(path).values()]
        assert "FN:Saqib Razzaq" in person, person
        again = postferry(*line, env=env)
        assert again.status == 0 and again.outcome["copied_now"] == 0, again
