"""The commands of an IMAP client, read as strictly as the formal syntax has it (RFC 9051 section 9, RFC 3501, 5258, 7162, 7888)."""

import base64
import re

ATOM = bytes(c for c in range(0x21, 0x7F) if c not in b'(){%*"\\]')
ASTRING = ATOM + b"]"
SYSTEM_FLAGS = (b"\\answered", b"\\flagged", b"\\deleted", b"\\seen", b"\\draft")
MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
LINE_MAX = 8192 # RFC 2683 section 3.2.1.5: of a line, without its literals
UID_MAX = 0xFFFFFFFF


class Violation(Exception):
    """The client broke a rule."""


def mutf7_is_canonical(name):
    """Whether a mailbox name is modified UTF-7 as RFC 3501 section 5.1.3 wants it: one form for each name."""
    at = 0
    while at < len(name):
        if not 0x20 <= name[at] < 0x7F:
            return False
        if name[at] != 0x26:
            at += 1
            continue
        end = name.find(b"-", at)
        if end < 0:
            return False
        inside = name[at + 1:end]
        if inside:
            try:
                raw = base64.b64decode(inside.replace(b",", b"/") + b"=" * (-len(inside) % 4), validate=True)
                text = raw.decode("utf-16-be")
            except ValueError:
                return False
            back = base64.b64encode(raw).rstrip(b"=").replace(b"/", b",")
            if back != inside or any(" " <= c <= "~" for c in text) or name[end + 1:end + 2] == b"&" and name[end + 2:end + 3] != b"-":
                return False
        at = end + 1
    return True


class Reader:
    """One command, its literals in place as "{n}" CR LF and n octets; without the line end."""

    def __init__(self, raw, utf8=False, rev2=True):
        self.raw, self.at, self.utf8, self.rev2 = raw, 0, utf8, rev2

    def fail(self, what):
        raise Violation(f"{what} was expected at octet {self.at} of {self.raw[:300]!r}")

    def end(self):
        if self.at != len(self.raw):
            self.fail("the end of the command")

    def peek(self):
        return self.raw[self.at:self.at + 1]

    def take(self, text):
        """A word, in any case; whether it was there."""
        if self.raw[self.at:self.at + len(text)].upper() != text.upper():
            return False
        self.at += len(text)
        return True

    def expect(self, text):
        if not self.take(text):
            self.fail(repr(text))

    def sp(self):
        self.expect(b" ")

    def match(self, pattern, what):
        m = re.compile(pattern).match(self.raw, self.at)
        if not m or m.end() == self.at:
            self.fail(what)
        self.at = m.end()
        return m.group(0)

    def run(self, chars, what):
        return self.match(b"[" + re.escape(chars) + b"]+", what)

    def tag(self):
        return self.run(ASTRING.replace(b"+", b""), "a tag")

    def atom(self):
        return self.run(ATOM, "an atom")

    def number(self, least=0, most=(1 << 63) - 1):
        n = int(self.match(rb"\d+", "a number"))
        if not least <= n <= most:
            self.fail(f"a number from {least} to {most}")
        return n

    def quoted(self):
        text = self.match(rb'"(?:[^"\\\r\n\0]|\\["\\])*"', "a quoted string")
        if any(c > 126 for c in text):
            try:
                valid = self.utf8 and bool(text.decode("utf-8"))
            except UnicodeDecodeError:
                valid = False
            if not valid:
                self.fail("a quoted string of 7 bits")
        return re.sub(rb"\\(.)", rb"\1", text[1:-1])

    def literal(self, binary=False):
        head = self.match(rb"~?\{\d+\+?\}\r\n", "a literal")
        n = int(re.search(rb"\d+", head).group(0))
        data = self.raw[self.at:self.at + n]
        if head.startswith(b"~") and not binary:
            self.fail("a literal, not a literal8,")
        if b"\0" in data and not head.startswith(b"~"):
            self.fail("a literal without NUL")
        self.at += n
        return data

    def string(self):
        return self.quoted() if self.peek() == b'"' else self.literal()

    def astring(self):
        return self.string() if self.peek() in (b'"', b"{") else self.run(ASTRING, "an astring")

    def list_mailbox(self):
        return self.string() if self.peek() in (b'"', b"{") else self.run(ATOM + b"%*]", "a list-mailbox")

    def nstring(self):
        return None if self.take(b"NIL") else self.string()

    def listed(self, one):
        """( one SP one ... ), at least one."""
        self.expect(b"(")
        out = [one()]
        while not self.take(b")"):
            self.sp()
            out.append(one())
        return out

    def flag(self):
        if not self.take(b"\\"):
            return self.atom()
        word = b"\\" + self.atom()
        if word.lower() not in SYSTEM_FLAGS:
            self.fail("a flag that a client may set")
        return word

    def flags(self):
        if self.take(b"()"):
            return []
        words = self.listed(self.flag)
        if len({w.lower() for w in words}) != len(words):
            self.fail("each flag once")
        return words

    def date_time(self):
        """date-time: the day has two characters, " 5" or "05"; the zone four digits."""
        text = self.match(rb'"(?: \d|\d\d)-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"', "a date-time")[1:-1]
        if text[3:6] not in MONTHS or not 1 <= int(text[:2]) <= 31 or int(text[12:14]) > 23 or int(text[15:17]) > 59 or \
                int(text[18:20]) > 60 or int(text[-2:]) > 59:
            self.fail("a date-time that can be")
        return text

    def uid_set(self):
        """[(first, last)]; "*" is None."""
        def one():
            return None if self.take(b"*") else self.number(1, UID_MAX)
        out = []
        while True:
            first = one()
            last = one() if self.take(b":") else first
            out.append((first, last))
            if not self.take(b","):
                return out

    def section(self):
        self.expect(b"[")
        text = self.match(rb"(?:HEADER|TEXT|MIME|\d+(?:\.\d+)*(?:\.(?:HEADER|TEXT|MIME))?)?\]", "a section")
        if self.take(b"<"):
            self.number()
            self.expect(b".")
            self.number(1)
            self.expect(b">")
        return text[:-1].upper()

    def fetch_item(self):
        word = self.match(rb"[A-Za-z0-9.]+", "a data item").upper()
        if self.peek() == b"[":
            if word not in (b"BODY", b"BODY.PEEK", b"BINARY", b"BINARY.PEEK"):
                self.fail("no section")
            return word, self.section()
        if word not in (b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"MODSEQ", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY",
                        b"RFC822", b"RFC822.HEADER", b"EMAILID", b"THREADID"):
            self.fail("a data item that there is")
        return word, None

    def fetch_items(self):
        items = self.listed(self.fetch_item) if self.peek() == b"(" else [self.fetch_item()]
        if len(set(items)) != len(items):
            self.fail("each data item once")
        return items


def read_status_items(r):
    return [w.upper() for w in r.listed(r.atom)]


def read_return(r):
    """RETURN (...) of LIST: option to its arguments."""
    def one():
        word = r.atom().upper()
        if word == b"STATUS":
            r.sp()
            return word, read_status_items(r)
        return word, None
    r.sp()
    r.expect(b"RETURN ")
    return {} if r.take(b"()") else dict(r.listed(one))


def read_list(r):
    r.sp()
    select = []
    if r.peek() == b"(":
        select = [o.upper() for o in r.listed(r.atom)]
        r.sp()
    reference = r.astring()
    r.sp()
    pattern = r.list_mailbox()
    options = read_return(r) if r.peek() == b" " else None
    return {"reference": reference, "pattern": pattern, "return": options, "select": select}


def read_select(r):
    r.sp()
    name, params = r.astring(), []
    if r.peek() == b" ":
        r.sp()
        params = [p.upper() for p in r.listed(r.atom)]
    return {"mailbox": name, "params": params}


def read_status(r):
    r.sp()
    name = r.astring()
    r.sp()
    return {"mailbox": name, "items": read_status_items(r)}


def read_create(r):
    r.sp()
    name, use = r.astring(), []
    if r.peek() == b" ":
        r.expect(b" (USE ")
        use = r.listed(lambda: r.take(b"\\") and b"\\" + r.atom())
        r.expect(b")")
    return {"mailbox": name, "use": use}


def read_append(r):
    r.sp()
    name, items = r.astring(), []
    while r.peek() == b" ":
        r.sp()
        flags, date = [], None
        if r.peek() == b"(":
            flags = r.flags()
            r.sp()
        if r.peek() == b'"':
            date = r.date_time()
            r.sp()
        utf8 = r.take(b"UTF8 (")
        if r.peek() not in (b"{", b"~"):
            r.fail("a literal")
        items.append((flags, date, r.literal(binary=True)))
        if utf8:
            r.expect(b")")
        elif r.utf8 and not r.rev2 and any(c > 126 for c in items[-1][2].partition(b"\r\n\r\n")[0]):
            r.fail("UTF8 (literal8) for 8 bits in a header")
    if not items:
        r.fail("a message")
    return {"mailbox": name, "items": items}


def read_fetch(r):
    r.sp()
    out = {"set": r.uid_set(), "changed_since": None, "vanished": False}
    r.sp()
    out["items"] = r.fetch_items()
    if r.peek() == b" ":
        r.expect(b" (CHANGEDSINCE ")
        out["changed_since"] = r.number(1)
        out["vanished"] = r.take(b" VANISHED")
        r.expect(b")")
    return out


def read_store(r):
    r.sp()
    out = {"set": r.uid_set()}
    r.sp()
    out["how"] = r.match(rb"[+-]?FLAGS(?:\.SILENT)?", "FLAGS").upper()
    r.sp()
    out["flags"] = r.flags() if r.peek() == b"(" else [r.flag()]
    return out


def read_search(r):
    """ALL, or a set of UIDs: what postferry has a use for."""
    r.sp()
    if r.take(b"ALL"):
        return {"set": [(1, None)]}
    r.expect(b"UID ")
    return {"set": r.uid_set()}


def read_expunge(r):
    r.sp()
    return {"set": r.uid_set()}


def read_login(r):
    r.sp()
    user = r.astring()
    r.sp()
    return {"user": user, "password": r.astring()}


def read_authenticate(r):
    r.sp()
    out = {"mechanism": r.atom().upper(), "initial": None}
    if r.peek() == b" ":
        r.sp()
        out["initial"] = r.match(rb"=|[A-Za-z0-9+/]+={0,2}", "base64")
    return out


def read_enable(r):
    out = []
    while r.peek() == b" ":
        r.sp()
        out.append(r.atom().upper())
    if not out:
        r.fail("a capability")
    return {"names": out}


def read_id(r):
    r.sp()
    if r.take(b"NIL"):
        return {}
    r.expect(b"(")
    while True:
        r.string()
        r.sp()
        r.nstring()
        if r.take(b")"):
            return {}
        r.sp()


def read_mailbox(r):
    r.sp()
    return {"mailbox": r.astring()}


def read_nothing(_):
    return {}


ANY, NOT_AUTH, AUTH, SELECTED = "any", "not authenticated", "authenticated", "selected"

# Name: how its arguments are read, the states in which it is allowed, whether it changes anything.
COMMANDS = {
    b"CAPABILITY": (read_nothing, (NOT_AUTH, AUTH, SELECTED), False),
    b"NOOP": (read_nothing, (NOT_AUTH, AUTH, SELECTED), False),
    b"LOGOUT": (read_nothing, (NOT_AUTH, AUTH, SELECTED), False),
    b"LOGIN": (read_login, (NOT_AUTH,), False),
    b"AUTHENTICATE": (read_authenticate, (NOT_AUTH,), False),
    b"ENABLE": (read_enable, (AUTH,), False),
    b"ID": (read_id, (NOT_AUTH, AUTH, SELECTED), False),
    b"NAMESPACE": (read_nothing, (AUTH, SELECTED), False),
    b"LIST": (read_list, (AUTH, SELECTED), False),
    b"LSUB": (read_list, (AUTH, SELECTED), False),
    b"XLIST": (read_list, (AUTH, SELECTED), False),
    b"STATUS": (read_status, (AUTH, SELECTED), False),
    b"GETQUOTAROOT": (read_mailbox, (AUTH, SELECTED), False),
    b"EXAMINE": (read_select, (AUTH, SELECTED), False),
    b"SELECT": (read_select, (AUTH, SELECTED), True),
    b"CREATE": (read_create, (AUTH, SELECTED), True),
    b"SUBSCRIBE": (read_mailbox, (AUTH, SELECTED), True),
    b"APPEND": (read_append, (AUTH, SELECTED), True),
    b"UNSELECT": (read_nothing, (SELECTED,), False),
    b"UID FETCH": (read_fetch, (SELECTED,), False),
    b"UID STORE": (read_store, (SELECTED,), True),
    b"UID SEARCH": (read_search, (SELECTED,), False),
    b"UID EXPUNGE": (read_expunge, (SELECTED,), True),
}


class Command:
    def __init__(self, raw, utf8=False, rev2=True):
        r = Reader(raw, utf8, rev2)
        self.raw, self.tag = raw, r.tag()
        r.sp()
        self.name = r.match(rb"[A-Za-z]+", "a command").upper()
        if self.name == b"UID":
            r.sp()
            self.name += b" " + r.match(rb"[A-Za-z]+", "a command").upper()
        if self.name not in COMMANDS:
            r.fail("a command that postferry has a use for")
        read, self.states, self.writes = COMMANDS[self.name]
        self.args = read(r)
        r.end()

    def __getitem__(self, key):
        return self.args[key]


def check_line(line):
    """A line of a command, without its CR LF."""
    if len(line) > LINE_MAX:
        raise Violation(f"a line of {len(line)} octets: {line[:80]!r}")
    if b"\r" in line or b"\n" in line or b"\0" in line:
        raise Violation(f"a control character in {line[:300]!r}")


def announced_literal(line):
    """(size, at once, literal8) when the line ends in a literal, else None."""
    m = re.search(rb"(~?)\{(\d+)(\+?)\}$", line)
    return (int(m.group(2)), bool(m.group(3)), bool(m.group(1))) if m else None
