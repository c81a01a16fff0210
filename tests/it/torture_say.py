"""All legal forms of what an IMAP server says, one of them at random."""

import base64
import calendar
import random
import time

from torture_syntax import ASTRING, MONTHS

WORDS = ("done", "as you wish", "completed {5}", "(a \"list\" of) things", "* 5 EXISTS", "[not a code", "OK", "100% \\ fine",
         "{12}", "+ go on", "NIL", "a)", "\"", "")
CODES = ("X-NOTE", "X-LOAD 12 (a \"b c\" {) d", "ALERT", "PARSE", "CONTACTADMIN", "X.1/2 <>", "UNSEEN 1", "EXPUNGEISSUED",
         "SERVERBUG", "REFERRAL imap://x;AUTH=*@y/", "BADCHARSET (UTF-8)", "COPYUID 7 1 1", "NOTIFICATIONOVERFLOW")
ASTRING_SET = frozenset(ASTRING)


def day_and_time(utc, zone):
    local = time.gmtime(utc + zone * 60) if utc + zone * 60 >= 0 else None
    if local is None:
        local = time.gmtime((utc + zone * 60) % 86400) # only for the time of the day
        days = (utc + zone * 60) // 86400
        year, month, day = civil(days)
        return year, month, day, local.tm_hour, local.tm_min, local.tm_sec
    return local.tm_year, local.tm_mon, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec


def civil(days):
    """Year, month, day of a day counted from 1970-01-01, also before it."""
    year = 1970
    while days < 0:
        year -= 1
        days += 366 if calendar.isleap(year) else 365
    month = 1
    while days >= calendar.monthrange(year, month)[1]:
        days -= calendar.monthrange(year, month)[1]
        month += 1
    return year, month, days + 1


def parse_date(text):
    """date-time to (seconds, minutes of the zone)."""
    day, month, year = int(text[:2]), MONTHS.index(text[3:6]) + 1, int(text[7:11])
    hour, minute, second = int(text[12:14]), int(text[15:17]), int(text[18:20])
    zone = (int(text[22:24]) * 60 + int(text[24:26])) * (-1 if text[21:22] == b"-" else 1)
    return calendar.timegm((year, month, day, hour, minute, second)) - zone * 60, zone


class Say:
    """Chooses forms. `wild` from 0 to 1: how often the rare ones."""

    def __init__(self, rng, wild, utf8, rev2):
        self.rng, self.wild, self.utf8, self.rev2 = rng, wild, utf8, rev2

    def odds(self, p):
        return self.rng.random() < p * self.wild

    def word(self, text):
        """A keyword of the protocol, in any case."""
        if not self.odds(0.5):
            return text
        how = self.rng.randrange(3)
        if how == 0:
            return text.lower()
        if how == 1:
            return text.upper()
        return bytes(c ^ 0x20 if chr(c).isalpha() and self.rng.random() < 0.5 else c for c in text)

    def number(self, n):
        """`number` may have zeros before it; nz-number may not."""
        return b"0" * self.rng.randrange(1, 4) + b"%d" % n if self.odds(0.05) else b"%d" % n

    def literal(self, raw, binary=False):
        return b"%s{%d}\r\n%s" % (b"~" if binary else b"", len(raw), raw)

    def quotable(self, raw):
        if len(raw) > 4000 or b"\0" in raw or b"\r" in raw or b"\n" in raw:
            return False
        if any(c > 126 for c in raw):
            try:
                return self.utf8 and bool(raw.decode("utf-8"))
            except UnicodeDecodeError:
                return False
        return True

    def quoted(self, raw):
        return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def string(self, raw):
        if self.quotable(raw) and not self.odds(0.3):
            return self.quoted(raw)
        return self.literal(raw)

    def body(self, raw):
        if self.quotable(raw) and self.rng.random() < 0.5:
            return self.quoted(raw)
        return self.literal(raw)

    def astring(self, raw):
        atom = raw and all(c in ASTRING_SET for c in raw) and raw.upper() != b"NIL"
        return raw if atom and self.rng.random() < 0.6 else self.string(raw)

    def mailbox(self, raw):
        if raw.upper() == b"INBOX":
            raw = self.word(b"INBOX")
        return self.astring(raw)

    def text(self):
        return self.rng.choice(WORDS).encode()

    def code(self):
        return self.rng.choice(CODES).encode()

    def cond(self, tag, condition, code=None, text=None):
        """A status response, tagged or ("*") not."""
        text = self.text() if text is None else text
        if code is None and self.odds(0.15) and tag != b"*":
            code = b"X-TOOK 12.5"
        if code is None:
            text = text.lstrip(b"[") or b"ok"
        return b"%s %s %s%s\r\n" % (tag, self.word(condition), b"[%s] " % code if code is not None else b"", text or b"ok")

    def flags(self, words):
        return b"(" + b" ".join(self.word(w) if w.startswith(b"\\") else w for w in words) + b")"

    def date(self, utc, zone):
        year, month, day, hour, minute, second = day_and_time(utc, zone)
        days = b"%2d" % day if self.rng.random() < 0.5 else b"%02d" % day
        zones = b"%s%02d%02d" % (b"-" if zone < 0 or (zone == 0 and self.odds(0.3)) else b"+", abs(zone) // 60, abs(zone) % 60)
        return b'"%s-%s-%04d %02d:%02d:%02d %s"' % (days, self.word(MONTHS[month - 1]), year, hour, minute, second, zones)

    def shuffled(self, items):
        items = list(items)
        self.rng.shuffle(items)
        return items

    def extension(self):
        """Some value of an item that nobody knows."""
        return self.rng.choice((b"5", b"NIL", b"atom", b'"a \\" b"', b"{4}\r\n) (\r", b"()", b'(a (b "c)") {3}\r\n))))', b"(1:3,5)"))


def encode_name(text, utf8):
    """A segment of a mailbox name as the server has it: UTF-8 (rev2) or modified UTF-7."""
    if utf8:
        return text.encode()
    out, run = b"", ""
    for c in text + "\0":
        if c != "\0" and not " " <= c <= "~":
            run += c
            continue
        if run:
            out += b"&" + base64.b64encode(run.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",") + b"-"
            run = ""
        out += b"" if c == "\0" else b"&-" if c == "&" else c.encode()
    return out


def generator(*seed):
    return random.Random(repr(seed))
