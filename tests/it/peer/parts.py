"""What a message is made of, for BODYSTRUCTURE, ENVELOPE and sections: of messages that are well made."""

import re
from email.utils import parseaddr

from peer.folders import quoted


def split(raw):
    head, gap, body = raw.partition(b"\r\n\r\n")
    return head + gap, body


def field(head, name):
    m = re.search(rb"^" + name + rb":[ \t]*(.*?)\r\n(?![ \t])", head, re.I | re.M | re.S)
    return m.group(1).decode("latin-1") if m else None


def children(raw):
    """The boundary of a multipart and its parts, or None."""
    head, body = split(raw)
    kind = field(head, rb"content-type") or ""
    m = re.search(r'boundary="?([^";\s]+)', kind, re.I)
    if not kind.lower().startswith("multipart/") or not m:
        return None, []
    boundary = m.group(1)
    inner = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]
    return boundary, [part[2:] for part in inner]


def structure(raw):
    boundary, inner = children(raw)
    if boundary:
        return f'({"".join(map(structure, inner))} "mixed" ("boundary" "{boundary}") NIL NIL)'
    head, body = split(raw)
    lines = body.count(b"\n")
    kind = (field(head, rb"content-type") or "text/plain").split(";")[0].strip()
    one, _, other = kind.partition("/")
    more = f" {lines}" if one == "text" else ""
    return f'("{one}" "{other}" NIL NIL NIL "7bit" {len(body)}{more})'


def envelope(raw):
    head = split(raw)[0]
    date, subject, ident = (quoted(field(head, name)) for name in (rb"date", rb"subject", rb"message-id"))
    name, address = parseaddr(field(head, rb"from") or "a@x")
    local, _, domain = address.partition("@")
    sender = " ".join(map(quoted, (name or None, None, local, domain)))
    return f'({date} {subject} (({sender})) NIL NIL NIL NIL NIL NIL {ident})'


def section(raw, name):
    """Its bytes, or None."""
    if name == "":
        return raw
    if name in ("HEADER", "TEXT"):
        return split(raw)[name == "TEXT"]
    numbers = name.removesuffix(".MIME").split(".")
    for number in map(int, numbers):
        boundary, inner = children(raw)
        raw = raw if not boundary and number == 1 else inner[number - 1]
    return split(raw)[0 if name.endswith(".MIME") else 1]
