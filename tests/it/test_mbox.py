"""Mailboxes in files as source and target: byte for byte, with flags, keywords and dates, whoever wrote them."""

import hashlib
import mailbox
import os

import mbox
from mail import Account, date, difference, flags, message, mutf7, snapshot
from run import copy, postferry

FOLDERS = ["INBOX", "Archive", "Archive/2020", "Archive/2020/Q1", "Größe", "日本語/台北", "Dr. Jones", ".hidden", "x.sbd", "50%", "100%25"]


def fill(server):
    account = Account(server)
    account.fill(FOLDERS, 7)
    account.append("INBOX", message(3, 7_000_000), flags(5), date(5))
    account.append("INBOX", b"Subject: from\r\n\r\nFrom here on\r\n>From there\r\n>>From\r\n", flags(1), date(6))
    for _ in range(3):
        account.append("Archive", message(2), flags(7), date(2))
    account.close()


def files(top):
    return sorted((os.path.relpath(os.path.join(d, n), top), os.stat(os.path.join(d, n)).st_mtime_ns,
                   open(os.path.join(d, n), "rb").read()) for d, _, names in os.walk(top) for n in names)


def shas(raws):
    return sorted(hashlib.sha256(raw).hexdigest() for raw in raws)


def test_dovecot_to_mbox_and_back(pair, ledger, tmp_path):
    source, target = pair
    fill(source)
    box = str(tmp_path / "box")
    first = copy(source.url(), f"mbox:{box}", ledger)
    assert first.status == 0, first
    want = snapshot(source)
    got = mbox.tree(box)
    assert sorted(k.replace("/", "") for k in got) == sorted(mail_path(k).replace("/", "") for k in want)
    for folder, items in want.items():
        assert shas(m[0] for m in got[mail_path(folder)]) == sorted(i[0] for i in items), folder
        assert sorted(m[1] for m in got[mail_path(folder)]) == sorted(i[1] for i in items), folder
    assert postferry("verify", "--deep", "--from", source.url(), "--to", f"mbox:{box}", "--ledger", ledger,
                     "--allow-plaintext").status == 0
    before = files(box)
    assert copy(source.url(), f"mbox:{box}", ledger).outcome["copied_now"] == 0
    assert [f[:2] for f in before] == [f[:2] for f in files(box)]
    second = copy(f"mbox:{box}", target.url(), ledger + "2")
    assert second.status == 0, second
    assert difference(want, snapshot(target), order=False) == []
    assert copy(f"mbox:{box}", target.url(), ledger + "2").outcome["copied_now"] == 0
    lost = copy(source.url(), f"mbox:{box}", ledger + "3")  # without the ledger no duplicate is made
    assert lost.status == 0 and lost.outcome["copied_now"] == 0, lost


def mail_path(native):
    """A name in modified UTF-7, as snapshot has it, as a user sees it."""
    return {mutf7(f): f for f in FOLDERS + ["日本語"]}.get(native, native)


def test_python_reads_what_we_wrote(pair, ledger, tmp_path):
    source, _ = pair
    account = Account(source)
    account.append("INBOX", message(1), "(\\Seen \\Flagged)", date(1))
    account.append("INBOX", message(2), "()", date(2))
    account.close()
    assert copy(source.url(), f"mbox:{tmp_path}/box", ledger).status == 0
    read = list(mailbox.mbox(tmp_path / "box" / "INBOX"))
    assert [m.get_flags().strip() for m in read] == ["ROF", "O"]
    assert read[0]["Subject"] and read[0].get_from().startswith("MAILER-DAEMON ")


def test_trees_of_others(pair, ledger, tmp_path):
    """Thunderbird's, Apple's, plain ones; the source is not touched."""
    _, target = pair
    top = tmp_path / "Mail"
    raws = [message(n) for n in range(12)]
    mbox.write(str(top / "Inbox"), raws[:3])
    mbox.write(str(top / "Inbox.sbd" / "Sub"), raws[3:5])
    mbox.write(str(top / "plain" / "deep" / "er"), raws[5:7])
    mbox.write(str(top / "Apple.mbox" / "mbox"), raws[7:8])
    mbox.write(str(top / "Export.mbox"), raws[8:10])
    (top / "Empty").write_bytes(b"")
    (top / "Inbox.msf").write_bytes(b"// <!-- <mdb:mork:z v='1.4'/> -->\n")
    (top / "msgFilterRules.dat").write_text('version="9"\n')
    mozilla = b"X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1   \n" + raws[10]
    mbox.write(str(top / "Sent"), [mozilla])
    before = files(top)
    done = copy(f"mbox:{top}", target.url(), ledger)
    assert done.status == 0, done
    assert files(top) == before
    assert any("msgFilterRules.dat" in e["text"] for e in done.events) and not any("msf" in e["text"] for e in done.events)
    got = snapshot(target)
    assert {k: len(v) for k, v in got.items() if v} == {"INBOX": 3, "INBOX/Sub": 2, "plain/deep/er": 2, "Apple": 1,
                                                        "Export": 2, "Sent": 1}
    assert "Empty" in got
    assert sorted(i[0] for i in got["INBOX"]) == shas(r.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for r in raws[:3])
    assert got["Sent"][0][1] == b"$label1 \\Flagged \\Seen"
    assert got["INBOX"][0][2][:5] == (2026, 11, 14, 11, 0) or got["INBOX"][0][2][:4] == (2026, 11, 14, 10)


def test_one_file(pair, ledger, tmp_path):
    _, target = pair
    mbox.write(str(tmp_path / "All mail.mbox"), [message(n) for n in range(5)])
    url = f"mbox:{tmp_path}/All mail.mbox"
    assert copy(url, target.url(), ledger).status == 0
    assert len(snapshot(target)["All mail"]) == 5
    assert copy(f"mbox:{tmp_path}/none", url, ledger + "2").status == 2  # a target is a directory
    assert copy(f"mbox:{tmp_path}/none", target.url(), ledger + "3").status == 3


def test_what_is_no_mailbox_is_said(pair, ledger, tmp_path):
    _, target = pair
    (tmp_path / "letter").write_text("Dear Sir,\n")
    done = copy(f"mbox:{tmp_path}/letter", target.url(), ledger)
    assert done.status == 1 and "it does not begin with a line" in done.out, done


def test_later_passes_follow_what_other_programs_do(pair, ledger, tmp_path):
    """A mail program rewrites the file: marks a message, removes another, a third one comes."""
    _, target = pair
    path = str(tmp_path / "m" / "INBOX")
    mbox.write(path, [message(n) for n in range(4)])
    assert copy(f"mbox:{tmp_path}/m", target.url(), ledger).outcome["copied_now"] == 4
    os.unlink(path)
    mbox.write(path, [message(9), b"Status: RO\nX-Status: F\n" + message(1), message(2), message(3)])
    done = copy(f"mbox:{tmp_path}/m", target.url(), ledger)
    assert done.status == 0 and done.outcome["copied_now"] == 1 and done.outcome["flags_carried"] == 1, done
    assert done.outcome["gone_from_source"] == 1, done
    assert [i[1] for i in snapshot(target)["INBOX"]].count(b"\\Flagged \\Seen") == 1
    assert copy(f"mbox:{tmp_path}/m", target.url(), ledger).outcome["copied_now"] == 0


def test_flags_and_removals_at_the_target(pair, ledger, tmp_path):
    source, _ = pair
    account = Account(source)
    account.fill(["INBOX", "Sent"], 12)
    box = str(tmp_path / "box")
    mbox.write(box + "/Sent", [message(100), message(101)])  # somebody else's
    assert copy(source.url(), f"mbox:{box}", ledger).status == 0
    account.imap.select("INBOX")
    account.imap.store("1", "+FLAGS", "(\\Seen \\Answered)")
    account.imap.store("2", "+FLAGS", "(" + " ".join(f"keyword{n}" for n in range(9)) + ")")
    account.imap.store("3", "+FLAGS", "\\Deleted")
    account.imap.expunge()
    account.close()
    done = copy(source.url(), f"mbox:{box}", ledger, "--mirror")
    assert done.status == 0 and done.outcome["removed"] == 1 and done.outcome["flags_carried"] == 2, done
    want = snapshot(source)["INBOX"]
    assert [(hashlib.sha256(m[0]).hexdigest(), m[1]) for m in mbox.messages(box + "/INBOX")] == [i[:2] for i in want]
    with open(box + "/Sent", "rb") as f:
        assert f.read().startswith(b"From ann@example.org")
    assert postferry("verify", "--deep", "--from", source.url(), "--to", f"mbox:{box}", "--ledger", ledger,
                     "--allow-plaintext").status == 0


def test_a_torn_message_is_taken_off_and_nothing_else(pair, ledger, tmp_path):
    source, _ = pair
    account = Account(source)
    account.fill(["INBOX"], 5)
    box = str(tmp_path / "box")
    assert copy(source.url(), f"mbox:{box}", ledger).status == 0
    whole = open(box + "/INBOX", "rb").read()
    for n, rest in enumerate((b"F", b"From MAILER-DAEMON Sat Nov", whole[:300])):
        account.append("INBOX", message(50 + n), "()", date(n))
        with open(box + "/INBOX", "wb") as f:
            f.write(whole + rest)
        with open(box + "/.INBOX.postferry", "w", encoding="ascii") as f:
            f.write(f"{len(whole)}\n")
        done = copy(source.url(), f"mbox:{box}", ledger)
        assert done.status == 0, (rest, done)
        assert len(mbox.messages(box + "/INBOX")) == 6 + n, (rest, done)
        assert os.listdir(box) == ["INBOX"]
        whole = open(box + "/INBOX", "rb").read()
    account.append("INBOX", message(60), "()", date(1))
    account.close()
    with open(box + "/INBOX", "ab") as f:
        f.write(whole[:300])
    done = copy(source.url(), f"mbox:{box}", ledger)  # nobody noted that it was ours
    assert done.status == 1 and "is not whole" in done.out, done
    assert open(box + "/INBOX", "rb").read() == whole + whole[:300]
