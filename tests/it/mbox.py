"""Mailboxes in files, read and written by other means than ours."""

import calendar
import os
import re
import time

NOTES = (b"Status: ", b"X-Status: ", b"X-Keywords: ", b"X-Postferry-Octets: ")
LETTERS = {b"R": b"\\Seen", b"A": b"\\Answered", b"F": b"\\Flagged", b"D": b"\\Deleted", b"T": b"\\Draft"}
FROM = re.compile(rb"^From \S+ +\w{3} (\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) (\d{4})\r?$")


def path_of(name):
    """By path as a user sees it: "Inbox.sbd/Größe" is INBOX/Größe."""
    parts = [re.sub(r"\.(sbd|mbox)$", "", part) for part in name.split("/")]
    if parts[0].lower() == "inbox":
        parts[0] = "INBOX"
    return "/".join(p.replace("%2F", "/").replace("%2E", ".").replace("%25", "%") for p in parts)


def messages(path):
    """(bytes with CRLF, flags, date) of each message of a file that postferry wrote: a split at "From " lines, no more."""
    out, lines = [], []
    with open(path, "rb") as f:
        data = f.read()
    for line in data.splitlines(keepends=True) if b"\r" not in data.replace(b"\r\n", b"") else re.findall(
            rb"[^\n]*\n|[^\n]+$", data):
        if FROM.match(line):
            lines = [line]
            out.append(lines)
        else:
            lines.append(line)
    return [one(lines) for lines in out]


def one(lines):
    crlf = lines[0].endswith(b"\r\n")
    month, day, hour, minute, second, year = FROM.match(lines[0]).groups()
    values = []
    for line, name in zip(lines[1:], NOTES):
        assert line.startswith(name), line
        values.append(line[len(name):].strip())
    raw = b"".join(lines[5:])[:int(values[3])]
    assert b"".join(lines[5:])[int(values[3]):] in (b"\n", b"\n\n", b"\r\n", b"\r\n\r\n")
    raw = re.sub(rb"(?m)^>(>*From )", rb"\1", raw)
    flags = {LETTERS[bytes([c])] for c in values[0] + values[1] if bytes([c]) in LETTERS} | set(values[2].split())
    when = time.strptime(b" ".join((year, month, day, hour, minute, second)).decode(), "%Y %b %d %H %M %S")
    return raw if crlf else raw.replace(b"\n", b"\r\n"), b" ".join(sorted(flags)), calendar.timegm(when)


def tree(top):
    """Path to the list of messages, of all mailboxes of a tree."""
    out = {}
    for where, _, names in os.walk(top):
        for name in sorted(names):
            if not name.startswith("."):
                full = os.path.join(where, name)
                out[path_of(os.path.relpath(full, top))] = messages(full)
    return out


def write(path, raws, head="From ann@example.org Sat Nov 14 10:00:00 2026"):
    """As a delivery agent does it: mboxrd, with LF."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab") as f:
        for raw in raws:
            raw = re.sub(rb"(?m)^(>*From )", rb">\1", raw.replace(b"\r\n", b"\n"))
            f.write(head.encode() + b"\n" + raw + (b"" if raw.endswith(b"\n") else b"\n") + b"\n")
