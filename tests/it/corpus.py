"""Odd messages: those of the shared corpus where it lies beside the project, and always some of our own."""

import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/corpus")

OWN = [
    b"",
    b"\r\n",
    b"\n",
    b"no header at all",
    b"Subject: header only\r\n",
    b"Subject: header only, open",
    b"\r\nbody without header\r\n",
    b"Subject: bare LF\n\nline\nline\n",
    b"Subject: bare LF among CRLF\r\n\r\nline\nline\r\nlast\n",
    b"Subject: bare CR\r\n\r\none\rtwo\r\r\nthree\r",
    b"Subject: NUL\r\n\r\nbefore\0after\r\n",
    b"Subject: NUL at the end\r\n\r\n\0",
    b"Subject: caf\xe9 \xff\xfe\r\nFrom: J\xc3\xbcrgen <j@x>\r\n\r\n8-bit header\r\n",
    b"From someone@example.org Mon Jan  1 00:00:00 2001\r\nSubject: mbox line first\r\n\r\nx\r\n",
    b"From  : not@an.mbox\r\n__\r\nSubject: fields as they once were\r\n\r\nx\r\n",
    b"Subject: dots\r\n\r\n.\r\n..\r\n.\r\n",
    b"Subject: {5}\r\n\r\n{5}\r\nabcde)\r\n* BYE x\r\nA1 OK\r\n{4294967296}\r\n",
    b"Subject: long line\r\n\r\n" + b"x" * 70_000 + b"\r\n",
    b"Subject: " + b"long " * 20_000 + b"\r\n\r\nlong header\r\n",
    b"X: y\r\n" * 5_000 + b"\r\nmany headers\r\n",
    b"Subject: no end of line\r\n\r\nlast",
    b"garbage\r\nSubject: after garbage\r\n\r\nx\r\n",
    b"Subject: twin\r\n\r\nsame\r\n",
    b"Subject: twin\r\n\r\nsame\r\n",
]

DATED = re.compile(  # "From sender Mon Jan  1 00:00[:00] ...", as delivery agents write it
    rb"From (?:\S.*?)?\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+(?:[A-Z][a-z]{2}\s+\d{1,2}|\d{1,2}\s+[A-Z][a-z]{2})\b"
    rb".*\d\d:\d\d")
BARE = re.compile(rb"From \S+\s*?\n[!-9;-~]+:")  # "From -": with a header behind it


def is_separator(raw, at):
    return bool(DATED.match(raw, at, raw.find(b"\n", at) + 1) or BARE.match(raw, at))


def length_end(raw, begin):
    """Where a message's Content-Length says it ends, if that is where the next one begins; else 0."""
    head = re.compile(rb"\r?\n\r?\n").search(raw, begin)
    size = head and re.search(rb"^Content-Length:\s*(\d+)", raw[begin:head.start()], re.I | re.M)
    if not size:
        return 0
    end = head.end() + int(size.group(1))
    after = re.compile(rb"[\r\n]*").match(raw, end).end() if end <= len(raw) else -1
    return end if after == len(raw) or after > 0 and is_separator(raw, after) else 0


def split_mbox(raw):
    """
    The messages of an mbox, octet for octet, without "From " lines and the empty line before each; [] when it is none.

    A separator follows an empty line or is the first. Where a Content-Length ends exactly before one, or at the end, it
    is believed: a body may hold such lines unquoted.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    starts, trusted = [], 0
    for found in re.finditer(rb"(?:\A|(?<=\n)\r?\n)From ", raw):
        at = found.end() - len(b"From ")
        if at >= trusted and is_separator(raw, at):
            begin = raw.find(b"\n", at) + 1
            starts.append((found.start(), begin))
            trusted = length_end(raw, begin)
    ends = [gap for gap, _ in starts[1:]] + [len(raw)]
    return [raw[begin:end] for (_, begin), end in zip(starts, ends)]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def files(kind):
    """(source, path) of each file of a kind that the corpus has, in a fixed order."""
    top = os.path.join(ROOT, kind)
    for where, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(where, name)
            yield os.path.relpath(path, top).split(os.sep)[0], path


def in_maildir(path):
    return os.path.basename(os.path.dirname(path)) in ("cur", "new", "tmp")


def folders():
    """Folder to its messages. Mailboxes of formats that are no mail files (Outlook Express stores) are left out."""
    out = {"odd": list(OWN)}
    for source, path in files("messages"):
        out.setdefault(f"messages/{source}", []).append(read(path))
    for source, path in files("mbox"):
        if not in_maildir(path):
            raw = read(path)
            out.setdefault(f"mbox/{source}", []).extend(split_mbox(raw) or ([raw] if path.endswith(".eml") else []))
    return out


def maildirs():
    """The Maildirs of the corpus: name to path."""
    tops = sorted({os.path.dirname(os.path.dirname(path)) for _, path in files("mbox") if in_maildir(path)})
    return {os.path.relpath(top, ROOT): top for top in tops}
