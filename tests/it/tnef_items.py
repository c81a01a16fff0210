"""Items of Exchange in mail's disguise, as 5.5 to 2003 give them over IMAP: a text, and all of the item in winmail.dat."""

import base64
import calendar
import struct
import uuid

APPOINTMENT, MEETING, TASK, COMMON, ADDRESS = (
    uuid.UUID(f"{n}-0000-0000-C000-000000000046").bytes_le for n in ("00062002", "00000000", "00062003", "00062008", "00062004"))
MEETING = uuid.UUID("6ED8DA90-450B-101B-98DA-00AA003F1305").bytes_le
I32, BOOL, TEXT, TIME, BYTES = 3, 0xB, 0x1F, 0x40, 0x102

# MS-OXOCAL 4.1.1.2: Monday, Thursday, Friday, twelve times from 2007-03-26, 10:00; that of 04-16 is at 11:00, with words of its own
WEEKLY = bytes.fromhex(
    "043004300B2001000000C0210000010000000000000032000000222000000C0000000000000001000000A096BC0C01000000A096BC0C8020BC0C20ADBC0C"
    "0630000009300000580200007602000001003499BC0C5299BC0CF898BC0C11002200210053696D706C6520526563757272656E6365207769746820657863"
    "657074696F6E730800070033342F34313431000000000400000000000000000000003499BC0C5299BC0CF898BC0C2100530069006D0070006C0065002000"
    "52006500630075007200720065006E006300650020007700690074006800200065007800630065007000740069006F006E0073000700330034002F003400"
    "3100340031000000000000000000")
# MS-OXOCAL 4.1.1.3: every third day from 2011-04-07 to 05-04, 08:00, without 04-19 and 04-22
EVERY_THIRD_DAY = bytes.fromhex(
    "043004300A2000000000A0050000E010000000000000212000000A0000000000000002000000A0C1DC0C80D2DC0C00000000207EDC0C0016DD0C06300000"
    "09300000E0010000FE01000000000000000000000000")


def filetime(year, month, day, hour=0, minute=0):
    return (calendar.timegm((year, month, day, hour, minute, 0)) + 11644473600) * 10000000


def goid(data):
    """A GlobalObjectId: pasted copies share it."""
    return bytes.fromhex("040000008200E00074C5B7101A82E008") + bytes(20) + struct.pack("<I", len(data)) + data


def pad(raw):
    return raw + bytes(-len(raw) % 4)


def prop(kind, value, number, named=None):
    head = struct.pack("<HH", kind, 0x8000 if named else number) + (named + struct.pack("<II", 0, number) if named else b"")
    if kind == I32:
        return head + struct.pack("<i", value)
    if kind == BOOL:
        return head + struct.pack("<I", value)
    if kind == TIME:
        return head + struct.pack("<Q", value)
    raw = value.encode("utf-16le") + b"\0\0" if kind == TEXT else value
    return head + struct.pack("<II", 1, len(raw)) + pad(raw)


def attribute(number, data, level=1):
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def tnef(item_class, *props):
    return (struct.pack("<IH", 0x223E9F78, 1) + attribute(0x00089006, struct.pack("<I", 0x10000)) +
            attribute(0x00069007, struct.pack("<II", 1252, 0)) + attribute(0x00078008, item_class.encode() + b"\0") +
            attribute(0x00069003, struct.pack("<I", len(props)) + b"".join(props)))


def subject(text):
    return prop(TEXT, text, 0x37)


def appointment(title, start, minutes, *more, key=None):
    """start: (year, month, day, hour, minute), UTC"""
    begin = filetime(*start)
    ids = (prop(BYTES, goid(key), 0x03, MEETING), prop(BYTES, goid(key), 0x23, MEETING)) if key else ()
    return tnef("IPM.Appointment", subject(title), prop(TIME, begin, 0x820D, APPOINTMENT),
                prop(TIME, begin + minutes * 600000000, 0x820E, APPOINTMENT), prop(TEXT, "Where, was & ist", 0x8208, APPOINTMENT),
                *ids, *more)


def series(title, start, minutes, blob, key):
    return appointment(title, start, minutes, prop(BOOL, 1, 0x8223, APPOINTMENT), prop(BYTES, blob, 0x8216, APPOINTMENT), key=key)


def contact(name, mail):
    return tnef("IPM.Contact", subject(name), prop(TEXT, name, 0x3001), prop(TEXT, name.split()[0], 0x3A06),
                prop(TEXT, name.split()[-1], 0x3A11), prop(TEXT, "SMTP", 0x8082, ADDRESS), prop(TEXT, mail, 0x8083, ADDRESS))


def task(title):
    return tnef("IPM.Task", subject(title), prop(I32, 0, 0x8101, TASK), prop(TIME, filetime(2004, 5, 6), 0x8105, TASK))


def message(title, stream, number=1, text="This is a text about it.", correlator=True, nested=False):
    """What IMAP gives of it."""
    mark = f"X-MS-TNEF-Correlator: <{number}@exchange.example>\r\n" if correlator else ""
    body = f"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n{text}\r\n"
    if nested:
        body = ("--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\n"
                f"{text}\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>{text}</p>\r\n--c--\r\n")
    coded = base64.encodebytes(stream).decode().replace("\n", "\r\n")
    return (f"From: ann@old.example\r\nTo: ann@old.example\r\nSubject: {title}\r\nDate: Mon, 1 Mar 2004 10:0{number % 10}:00 +0000\r\n"
            f"Message-ID: <{number}@exchange.example>\r\nMIME-Version: 1.0\r\n{mark}Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            f"{body}--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=winmail.dat\r\n\r\n{coded}--b--\r\n").encode()
