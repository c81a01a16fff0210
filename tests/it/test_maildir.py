"""Maildirs on disk as source and target: byte for byte, with flags, keywords and dates."""

import hashlib
import json
import os
import subprocess

import pytest
from mail import Account, date, difference, flags, message, snapshot
from run import arguments, copy, environment

FOLDERS = ["INBOX", "Archive", "Archive/2020", "Größe", "日本語/台北"]


def fill(server):
    account = Account(server)
    account.fill(FOLDERS, 7)
    account.append("INBOX", message(3, 7_000_000), flags(5), date(5))
    account.close()


def times(box):
    return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_atime_ns) for p in box.rglob("*")
                  if p.parent.name in ("cur", "new"))


def test_dovecot_to_maildir_and_back(pair, ledger, tmp_path):
    source, target = pair
    fill(source)
    box = str(tmp_path / "box")
    first = copy(source.url(), f"maildir:{box}", ledger)
    assert first.status == 0, first
    assert os.path.isdir(os.path.join(box, ".Archive.2020", "cur"))
    assert copy(source.url(), f"maildir:{box}", ledger).outcome["copied_now"] == 0
    second = copy(f"maildir:{box}", target.url(), ledger + "2")
    assert second.status == 0, second
    assert difference(snapshot(source), snapshot(target), order=False) == []
    assert copy(f"maildir:{box}", target.url(), ledger + "2").outcome["copied_now"] == 0


def test_source_maildir_is_not_touched(pair, ledger, tmp_path):
    _, target = pair
    box = tmp_path / "box"
    for sub in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (box / sub).mkdir(parents=True)
    (box / "cur" / "1500000000.M1P1.host:2,FS").write_bytes(b"Subject: unix\n\nline\n")
    (box / "cur" / "1500000001.M1P1.host!2,R").write_bytes(b"Subject: crlf\r\n\r\nline\r\n")
    (box / "new" / "1500000002.M1P1.host").write_bytes(b"Subject: new\n\n\n")
    (box / ".Sent" / "cur" / "1500000003.M1P1.host:2,Sa").write_bytes(b"Subject: kw\n\n")
    (box / ".Sent" / "dovecot-keywords").write_text("0 $Forwarded\n")
    before = times(box)
    done = copy(f"maildir:{box}", target.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    assert before == times(box)
    got = snapshot(target)
    assert [i[1] for i in got["INBOX"]] == [b"\\Flagged \\Seen", b"\\Answered", b""]
    assert got["INBOX"][0][0] == hashlib.sha256(b"Subject: unix\r\n\r\nline\r\n").hexdigest()
    assert got["Sent"][0][1] == b"$Forwarded \\Seen"


def test_missing_maildir_is_said(ledger, tmp_path):
    done = copy(f"maildir:{tmp_path}/none", f"maildir:{tmp_path}/other", ledger)
    assert done.status == 3 and "none" in done.err, done


def test_long_paths_fit_the_name_of_a_directory(pair, ledger, tmp_path):
    """A folder's whole path is one name of at most 255 octets, in modified UTF-7."""
    source, _ = pair
    deep = "/".join(["Ein Ordner mit langem Namen"] * 7)
    wide = "日本語の長い名前" * 7
    account = Account(source)
    account.fill([deep, deep + "/tief darunter", wide, wide + "/" + wide, wide + "/" + wide[:-1] + "e"], 2)
    account.close()
    box = str(tmp_path / "box")
    done = copy(source.url(), f"maildir:{box}", ledger)
    assert done.status == 0 and done.outcome["copied"] == 10, done
    assert not [e for e in done.events if "refused its name" in e["text"]]  # it was known beforehand
    names = [n for n in os.listdir(box) if n.startswith(".")]
    assert len([n for n in names if os.listdir(os.path.join(box, n, "cur"))]) == 5
    assert max(len(n) for n in names) <= 255
    assert copy(source.url(), f"maildir:{box}", ledger).outcome["copied_now"] == 0


FULL = """set -e
mkdir -p "$AT" && mount -t tmpfs -o size=1m none "$AT"
"$@" > "$OUT.1" || echo $? > "$OUT.status"
mount -o remount,size=64m "$AT"
"$@" > "$OUT.2"
"$@" > "$OUT.3"
cp -a "$AT/box" "$OUT.box"
"""


@pytest.mark.skipif(subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                                   stderr=subprocess.DEVNULL).returncode != 0, reason="no file system can be mounted here")
def test_disk_that_fills_up(ledger, tmp_path):
    """What fits is there once; the rest comes when there is room."""
    source, out = tmp_path / "source", tmp_path / "out"
    for sub in ("cur", "new", "tmp"):
        (source / sub).mkdir(parents=True)
    for n in range(300):
        (source / "cur" / f"{1400000000 + n}.M{n}P1.host:2,S").write_bytes(message(n, 9000 + n))
    run = arguments("copy", "--from", f"maildir:{source}", "--to", f"maildir:{tmp_path}/disk/box", "--ledger", ledger, "--json")
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", FULL, "sh", *run], check=False, timeout=100, stderr=subprocess.PIPE,
                          env=environment({"AT": str(tmp_path / "disk"), "OUT": str(out)}))
    first, second, third = ([json.loads(line) for line in (tmp_path / f"out.{n}").read_text().splitlines()] for n in (1, 2, 3))
    assert done.returncode == 0, (done, first[-1], second[-1])
    assert (tmp_path / "out.status").read_text() == "4\n" and "target is full" in first[-1]["why"], first[-1]
    assert first[-1]["copied"] > 40 and first[-1]["copied"] + second[-1]["copied_now"] == 300, (first[-1], second[-1])
    assert third[-1]["copied_now"] == 0, third[-1]
    was, there = (sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in (box / "cur").iterdir())
                  for box in (source, tmp_path / "out.box"))
    assert was == there
    assert not list((tmp_path / "out.box" / "tmp").iterdir())
