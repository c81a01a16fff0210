"""Calendars and contacts for tests: written as files, and read back as what a person sees of them."""

import collections
import os
import re

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"


def event(uid, start, title, *more):
    """start: 20240105T100000Z"""
    lines = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20240101T000000Z", f"DTSTART:{start}", "DURATION:PT1H",
             "SUMMARY:" + title.replace(",", "\\,"), *more, "END:VEVENT"]
    return "\r\n".join(lines) + "\r\n"


def calendar(*parts):
    return HEAD + "".join(parts) + "END:VCALENDAR\r\n"


def card(uid, name, *more):
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;", *more,
                        "END:VCARD"]) + "\r\n"


def write(folder, name, text):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(text.encode() if isinstance(text, str) else text)


def texts(folder):
    """name -> text"""
    found = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith((".ics", ".vcf")):
            with open(os.path.join(folder, name), encoding="utf-8", newline="") as f:
                found[name] = f.read()
    return found


def unfold(text):
    return re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n").split("\n")


def parts(text):
    """Of each event, task, note or card: property -> value, parameters aside."""
    found, now, depth = [], None, 0
    for line in unfold(text):
        name, _, value = line.partition(":")
        name = name.split(";")[0].upper()
        if name == "BEGIN" and value in ("VEVENT", "VTODO", "VJOURNAL", "VCARD"):
            now, depth = {"": value}, 0
        elif name == "END" and now is not None and value == now[""]:
            found.append(now)
            now = None
        elif now is not None:
            depth += (name == "BEGIN") - (name == "END")
            if depth == 0 and name not in ("BEGIN", "END"):
                now.setdefault(name, value)
    return found


def seen(many):
    """What a person sees of items (texts): how many of each title, begin and instance."""
    return collections.Counter((p[""], p.get("SUMMARY") or p.get("FN"), p.get("DTSTART"), p.get("RECURRENCE-ID"))
                               for text in many for p in parts(text))


def uids(many):
    return [next((p.get("UID") for p in parts(text)), None) for text in many]
