"""TNEF streams of the corpus, read by us, by the program `tnef`, and, as far as their outer form goes, here."""

import glob
import hashlib
import os
import re
import shutil
import struct
import subprocess

import corpus
import pytest
from mapi_dump import built, dump

FILES = [path for _, path in corpus.files("tnef")]
INTERFACE = re.compile(rb"[\x07\x0b]...\0\0\0\0\xc0\0{6}\x46", re.S)  # IMessage, IStorage
SIGNATURE = b"\x78\x9f\x3e\x22"
CLASSES = {"IPM.Microsoft Mail.Note": "IPM.Note", "IPM.Microsoft Schedule.MtgReq": "IPM.Schedule.Meeting.Request",
           "IPM.Microsoft Mail.Read Receipt": "REPORT.IPM.Note.IPNRN"}

pytestmark = [pytest.mark.skipif(not FILES, reason="the corpus is not here"),
              pytest.mark.skipif(not built(), reason="dump-mapi is not built (-Dtests=true)")]


def attributes(raw):
    """(level, id, data) of each attribute, up to the first thing that is none."""
    at = 6
    while at + 9 <= len(raw) and raw[at] in (1, 2):
        level, number, length = struct.unpack_from("<BII", raw, at)
        data = raw[at + 9:at + 9 + length]
        assert sum(data) & 0xFFFF == struct.unpack_from("<H", raw, at + 9 + length)[0]
        yield level, number, data
        at += 11 + length


def names(attachment):
    return [attachment["props"].get(key, "").split("\0")[0] for key in ("0x3707", "0x3704", "0x370C", "0x3001")]


@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_its_outer_form(path):
    got = dump("tnef", path)
    item, raw = got["item"], corpus.read(path)
    seen = list(attributes(raw))
    end = 6 + sum(11 + len(data) for _, _, data in seen)
    assert [note["at"] for note in got["notes"]] == ([end] if end < len(raw) else [])
    assert len(item["attachments"]) == sum(number == 0x69002 for _, number, _ in seen)
    told = [data.split(b"\0")[0].decode() for _, number, data in seen if number == 0x78008]
    assert not told or item["class"] == CLASSES.get(told[0], told[0])
    props = sum(struct.unpack_from("<I", data)[0] for _, number, data in seen if number == 0x69003)
    rows = sum(struct.unpack_from("<I", data)[0] for _, number, data in seen if number == 0x69004)
    assert item["props_n"] >= props and len(item["recipients"]) == rows
    subject = [data.split(b"\0")[0] for _, number, data in seen if number == 0x18004]
    if subject and subject[0].isascii():
        assert item["props"]["0x0037"] == subject[0].decode()


@pytest.mark.skipif(not shutil.which("tnef"), reason="the program tnef is not installed")
@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_its_attachments(tmp_path, path):
    whole = subprocess.run(["tnef", "--number-backups", "-C", str(tmp_path), "-f", path], capture_output=True,
                           timeout=100, check=False).returncode == 0  # it gives up at what is no attribute
    ours = dump("tnef", path)["item"]["attachments"]
    for theirs in sorted(glob.glob(str(tmp_path / "*"))):
        raw = corpus.read(theirs)
        if INTERFACE.match(raw):
            raw = raw[16:]
        name = os.path.basename(theirs)
        if raw.startswith(SIGNATURE):
            (tmp_path / "inner").write_bytes(raw)
            inner = dump("tnef", str(tmp_path / "inner"))["item"]
            found = [a for a in ours if a.get("item") == inner]
        else:
            found = [a for a in ours if a.get("data", {}).get("sha256") == hashlib.sha256(raw).hexdigest()]
        assert found, (name, len(raw))
        named = re.sub(r"\.\d+$", "", name)
        assert any(name in names(a) or named in names(a) for a in found) or name.startswith("Untitled"), (name, found)
        ours.remove(found[0])
    assert not whole or all(a["kind"] == "none" or not a.get("data", {}).get("bytes", 1) for a in ours), ours


def test_items_within():
    christmas = [path for path in FILES if path.endswith("christmas.tnef")]
    if not christmas:
        pytest.skip("not in this corpus")
    task, event = [a["item"] for a in dump("tnef", christmas[0])["item"]["attachments"] if a["kind"] == "item"]
    assert (task["class"], task["props"]["0x0037"]) == ("IPM.Task", "Build a train table")
    assert (event["class"], event["props"]["0x0037"]) == ("IPM.Appointment", "Christmas Celebration!")
    assert [a["data"]["bytes"] for a in event["attachments"]] == [375081]
    assert event["props"]["{00062002-0000-0000-C000-000000000046}/0x820D"] > 0


@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_cut_off_and_altered(tmp_path, path):
    raw, odd = corpus.read(path), tmp_path / "odd"
    for n in range(6, len(raw), len(raw) // 7 + 1):
        odd.write_bytes(raw[:n])
        assert "item" in dump("tnef", str(odd))
        odd.write_bytes(raw[:n] + bytes(255 - b for b in raw[n:n + 4]) + raw[n + 4:])
        assert "item" in dump("tnef", str(odd))
