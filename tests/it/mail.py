"""Accounts for the tests: messages as real ones are, the same at each run."""

import base64
import email.policy
import hashlib
import imaplib
import random
import re
import socket
from collections import Counter
from email.message import EmailMessage

imaplib._MAXLINE = 100_000_000

WORDS = ("meeting", "invoice", "Grüße", "project", "deadline", "Urlaub", "отчёт", "請求書", "lunch",
         "résumé", "server", "migration", "offer", "re:", "holiday", "budget", "contract")

FOLDERS = [
    "INBOX", "INBOX/Reports", "Sent", "Drafts", "Trash", "Archive", "Archive/2019", "Archive/2020",
    "Archive/2020/Q1", "Archive/2020/Q1/January", "Archive/2020/Q2", "Projekte", "Projekte/Grün",
    "Projekte/Größe & Gewicht", "Projekte/\"Zitate\"", "Projekte/back\\slash", "Projekte/Dr. Jones",
    "日本語", "日本語/台北", "Русский", "Русский/Отчёты", "a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e",
    "a/b/c/d/e/f", "Tom & Jerry", "percent %", "star *", "2023", "NIL", "Notes (old)", "x[1]",
    "Lists/postferry", "Lists/imap-protocol", "Kunden/Müller GmbH", "Kunden/Ünal", "trailing.dot.",
    "UPPER", "emoji 😊",
]


def message(n, size=None):
    """The n-th message: text, HTML, attachment, 8-bit header, no Message-ID, ... in turn."""
    rng = random.Random(n)
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"] = f"Sender {n % 17} <sender{n % 17}@example.org>"
    m["To"] = "Anna Müller <anna@example.net>"
    m["Subject"] = " ".join(rng.choices(WORDS, k=4)) + f" {n}"
    m["Date"] = f"Mon, {1 + n % 28:02d} Jan 2018 {n % 24:02d}:{n % 60:02d}:00 +0100"
    if n % 11 != 3:
        m["Message-ID"] = f"<{n}.{rng.randrange(10**9)}@example.org>"
    lines = [" ".join(rng.choices(WORDS, k=10)) for _ in range(3 + rng.randrange(60))]
    m.set_content("\n".join(lines) + "\n", cte="8bit" if n % 2 else "quoted-printable")
    if n % 5 == 0:
        m.add_alternative("<p>" + "</p><p>".join(lines) + "</p>", subtype="html")
    if n % 7 == 0:
        m.add_attachment(rng.randbytes(2000 + rng.randrange(30000)), maintype="application",
                         subtype="octet-stream", filename=f"file {n}.bin")
    raw = m.as_bytes()
    if size and len(raw) < size:
        raw += base64.encodebytes(rng.randbytes(size)).replace(b"\n", b"\r\n")[:size - len(raw)]
    if n % 13 == 5:
        raw = b"X-Raw: caf\xe9 \xff\r\n" + raw
    return raw


def flags(n):
    words = [f for i, f in enumerate(("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Forwarded",
                                      "Work", "\\Deleted")) if (n >> i) & 1 and n % 3]
    return "(" + " ".join(words) + ")"


def date(n):
    zone = ("+0000", "-0500", "+0530", "+0100")[n % 4]
    return f'"{1 + n % 28:2d}-Mar-{2001 + n % 20} {n % 24:02d}:{n % 60:02d}:{n * 7 % 60:02d} {zone}"'


def mutf7(name):
    out, shifted = [], []

    def flush():
        if shifted:
            b64 = base64.b64encode("".join(shifted).encode("utf-16-be")).rstrip(b"=").decode()
            out.append("&" + b64.replace("/", ",") + "-")
            shifted.clear()

    for c in name:
        if " " <= c <= "~":
            flush()
            out.append("&-" if c == "&" else c)
        else:
            shifted.append(c)
    flush()
    return "".join(out)


def quoted(raw):
    return '"' + raw.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Account:
    """An IMAP client that is not postferry's, to fill and to look."""

    def __init__(self, server, user="user", password="pass", separator="/", prefix="", host="127.0.0.1"):
        self.imap = imaplib.IMAP4(host, server.port)
        self.imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # imaplib writes a command in parts
        self.imap.login(user, password)
        self.separator, self.prefix = separator, prefix

    def native(self, path):
        if path == "INBOX":
            return path
        return self.prefix + mutf7(path.replace("/", self.separator))

    def create(self, path):
        return self.imap.create(quoted(self.native(path)))

    def append(self, path, raw, flag="()", when=None):
        typ, data = self.imap.append(quoted(self.native(path)), flag, when or date(1), raw)
        assert typ == "OK", data

    def fill(self, folders, per_folder, size=None):
        n = 0
        for path in folders:
            if path != "INBOX":
                self.create(path)
                self.imap.subscribe(quoted(self.native(path)))
            for _ in range(per_folder):
                self.append(path, message(n, size), flags(n), date(n))
                n += 1

    def folders(self):
        found = []
        for line in self.imap.list()[1]:
            if line is None:
                continue
            head = line[0] if isinstance(line, tuple) else line
            if b"\\Noselect" in head or b"\\NonExistent" in head:
                continue
            if isinstance(line, tuple):
                name = line[1]
            else:
                name = re.match(rb'\(.*?\) (?:"(?:\\.|.)"|NIL) (.*)$', line).group(1)
                if name.startswith(b'"'):
                    name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
            found.append(name.decode("latin-1"))
        return sorted(found)

    def items(self, native, body=True):
        typ, _ = self.imap.select(quoted(native), readonly=True)
        assert typ == "OK", native
        what = "(FLAGS INTERNALDATE BODY.PEEK[])" if body else "(FLAGS INTERNALDATE)"
        _, data = self.imap.uid("FETCH", "1:*", what)
        out = []
        for part in data:
            if isinstance(part, tuple):
                words = set(re.search(rb"FLAGS \((.*?)\)", part[0]).group(1).split()) - {b"\\Recent"}
                out.append((hashlib.sha256(part[1]).hexdigest(), b" ".join(sorted(words)),
                            tuple(imaplib.Internaldate2tuple(part[0]) or ())))
        return out

    def snapshot(self):
        """Folder (as path) to the list of (digest, flags, date), in order."""
        result = {}
        for native in self.folders():
            path = native
            if self.prefix and native.startswith(self.prefix):
                path = native[len(self.prefix):]
            result[path.replace(self.separator, "/")] = self.items(native)
        return result

    def close(self):
        try:
            self.imap.logout()
        except (OSError, imaplib.IMAP4.error):
            pass


def difference(a, b, order=True):
    """What differs between two snapshots, in words; [] when nothing does. Empty folders count as well."""
    out = []
    for folder in sorted(set(a) | set(b)):
        x, y = a.get(folder), b.get(folder)
        if x is None or y is None:
            out.append(f"{folder} is only at the {'target' if x is None else 'source'}")
        elif Counter(x) != Counter(y):
            lost, more = Counter(x) - Counter(y), Counter(y) - Counter(x)
            out.append(f"{folder}: {sum(lost.values())} lost, {sum(more.values())} more: {list(lost)[:2]} {list(more)[:2]}")
        elif order and [i[0] for i in x] != [i[0] for i in y]:
            out.append(f"{folder}: another order")
    return out


def snapshot(server, **how):
    account = Account(server, **how)
    try:
        return account.snapshot()
    finally:
        account.close()
