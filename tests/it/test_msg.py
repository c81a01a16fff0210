"""The .msg files of the corpus, read by us and, through olefile's reading of compound files, here."""

import hashlib
import os
import struct

import corpus
import pytest
from mapi_dump import built, dump

olefile = pytest.importorskip("olefile")

FILES = [path for _, path in corpus.files("msg")]
PROPERTIES = "__properties_version1.0"
VALUE = "__substg1.0_"
NAMES = "__nameid_version1.0"
SETS = {1: "{00020328-0000-0000-C000-000000000046}", 2: "{00020329-0000-0000-C000-000000000046}"}
SHORT = (0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0xA, 0xB, 0x14, 0x40)  # types whose values are in the table

pytestmark = [pytest.mark.skipif(not FILES, reason="the corpus is not here"),
              pytest.mark.skipif(not built(), reason="dump-mapi is not built (-Dtests=true)")]


class Message:
    """A storage of a compound file as a message, an attachment or a recipient."""

    def __init__(self, ole, path=()):
        self.ole, self.path = ole, list(path)
        here = len(self.path)
        below = [p for p in ole.listdir(streams=True, storages=True) if p[:here] == self.path and len(p) == here + 1]
        self.names = sorted(p[-1] for p in below)

    def stream(self, name):
        return self.ole.openstream(self.path + [name]).read()

    def parts(self, prefix):
        return [Message(self.ole, self.path + [n]) for n in self.names if n.startswith(prefix)]

    def text(self, number):
        for suffix, coding in (("001F", "utf-16le"), ("001E", None)):
            name = f"{VALUE}{number:04X}{suffix}"
            if name in self.names:
                raw = self.stream(name)
                if coding or raw.isascii():
                    return raw.decode(coding or "ascii", "replace").split("\0")[0]
        return None

    def tags(self, header):
        """(id, type) of all its properties."""
        out = []
        if PROPERTIES in self.names:
            table = self.stream(PROPERTIES)[header:]
            for at in range(0, len(table) - 15, 16):
                kind, number = struct.unpack_from("<HH", table, at)
                out += [(number, kind)] if kind in SHORT else []
        for name in self.names:
            is_value = name.startswith(VALUE) and len(name) == len(VALUE) + 8
            if is_value and self.ole.get_type(self.path + [name]) == olefile.STGTY_STREAM:
                tag = int(name[len(VALUE):], 16)
                out.append((tag >> 16, tag & 0xFFFF))
        return out


def name_of(ole, number):
    """What dump-mapi calls the named property `number`."""
    names = Message(ole, [NAMES])
    sets, entries, texts = (names.stream(VALUE + n) for n in ("00020102", "00030102", "00040102"))
    first, guid, index = struct.unpack_from("<IHH", entries, 8 * (number - 0x8000))
    assert index == number - 0x8000
    if guid >> 1 in SETS:
        own = SETS[guid >> 1]
    else:
        raw = sets[16 * ((guid >> 1) - 3):][:16]
        a, b, c = struct.unpack("<IHH", raw[:8])
        own = f"{{{a:08X}-{b:04X}-{c:04X}-{raw[8:10].hex().upper()}-{raw[10:].hex().upper()}}}"
    if guid & 1:
        length, = struct.unpack_from("<I", texts, first)
        return f"{own}/{texts[first + 4:first + 4 + length].decode('utf-16le')}"
    return f"{own}/0x{first:04X}"


def check(ole, message, item, header, depth=0):
    tags = message.tags(header)
    assert item["props_n"] == len(tags), (depth, item["props_n"], sorted(tags))
    for number, _ in tags:
        assert (f"0x{number:04X}" if number < 0x8000 else name_of(ole, number)) in item["props"]
    assert item["class"] == (message.text(0x1A) or "")
    for number in (0x37, 0x1000, 0x0C1A, 0x0E04):
        text = message.text(number)
        if text is not None:
            assert item["props"][f"0x{number:04X}"].split("\0")[0] == text
    recipients, attachments = message.parts("__recip_version1.0_#"), message.parts("__attach_version1.0_#")
    assert len(item["recipients"]) == len(recipients) and len(item["attachments"]) == len(attachments)
    for theirs, ours in zip(recipients, item["recipients"]):
        assert ours.get("0x3001", "") == (theirs.text(0x3001) or "") or theirs.text(0x3001) is None
        assert len(ours) == len(set(number for number, _ in theirs.tags(8)))
    for theirs, ours in zip(attachments, item["attachments"]):
        if f"{VALUE}37010102" in theirs.names:
            raw = theirs.stream(f"{VALUE}37010102")
            assert ours["data"] == {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        elif f"{VALUE}3701000D" in theirs.names:
            within = Message(ole, theirs.path + [f"{VALUE}3701000D"])
            assert ours["kind"] == ("item" if PROPERTIES in within.names else "ole")
            if "item" in ours:
                check(ole, within, ours["item"], 24, depth + 1)
        name = theirs.text(0x3707)
        assert name is None or ours["props"]["0x3707"] == name


def check_object(ole, path, packed):
    """An object in a storage is a compound file of its own, without a defect, that has all of it."""
    with olefile.OleFileIO(packed, raise_defects=olefile.DEFECT_POTENTIAL) as own:
        below = [p[len(path):] for p in ole.listdir(streams=True, storages=True) if p[:len(path)] == path and p != path]
        assert sorted(below) == sorted(own.listdir(streams=True, storages=True)) and below
        assert own.root.clsid == ole.getclsid(path)
        for name in own.listdir():
            assert own.openstream(name).read() == ole.openstream(path + name).read()


@pytest.mark.parametrize("path", FILES, ids=os.path.basename)
def test_all_of_it(tmp_path, path):
    got = dump("msg", path, tmp_path)
    with olefile.OleFileIO(path) as ole:
        check(ole, Message(ole), got["item"], 32)
        for i, part in enumerate(Message(ole).parts("__attach_version1.0_#")):
            if got["item"]["attachments"][i]["kind"] == "ole" and f"{VALUE}3701000D" in part.names:
                check_object(ole, part.path + [f"{VALUE}3701000D"], tmp_path / str(i))
    assert not got["notes"]


@pytest.mark.parametrize("path", FILES[::4], ids=os.path.basename)
def test_cut_off_and_altered(tmp_path, path):
    raw, odd = corpus.read(path), tmp_path / "odd"
    for n in range(0, len(raw), len(raw) // 9 + 1):
        odd.write_bytes(raw[:n])
        dump("msg", str(odd))
        odd.write_bytes(raw[:n] + bytes(255 - b for b in raw[n:n + 4]) + raw[n + 4:])
        dump("msg", str(odd))
