"""What the stand-in for Exchange does when items other than mail are made and changed: elements become properties, a recurrence
its blob and its occurrences, with the refusals that a server has."""

import base64
import calendar
import copy
import datetime
import struct
import zoneinfo

from ews_items import ADDRESS, APPOINTMENT, BASE, COMMON, MEETING, STRINGS, TASK, Attachment, Whole, goid, minutes
from ews_peer import FLAGS, Failure, t

DAY = datetime.timedelta(days=1)
NEVER = 0x5AE980DF
WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
MONTHS = list(calendar.month_name)
NTH = ["First", "Second", "Third", "Fourth", "Last"]
MASKS = {"Day": 0x7F, "Weekday": 0x3E, "WeekendDay": 0x41}
WINDOWS = {"UTC": "UTC", "W. Europe Standard Time": "Europe/Berlin", "Romance Standard Time": "Europe/Paris",
           "Central Europe Standard Time": "Europe/Budapest", "Central European Standard Time": "Europe/Warsaw",
           "GMT Standard Time": "Europe/London", "Eastern Standard Time": "America/New_York",
           "Central Standard Time": "America/Chicago", "Mountain Standard Time": "America/Denver",
           "US Mountain Standard Time": "America/Phoenix", "Pacific Standard Time": "America/Los_Angeles",
           "Hawaiian Standard Time": "Pacific/Honolulu", "Tokyo Standard Time": "Asia/Tokyo", "China Standard Time": "Asia/Shanghai",
           "India Standard Time": "Asia/Calcutta", "AUS Eastern Standard Time": "Australia/Sydney",
           "New Zealand Standard Time": "Pacific/Auckland", "FLE Standard Time": "Europe/Kiev", "GTB Standard Time": "Europe/Bucharest",
           "Israel Standard Time": "Asia/Jerusalem", "Russian Standard Time": "Europe/Moscow", "SA Pacific Standard Time": "America/Bogota",
           "E. South America Standard Time": "America/Sao_Paulo", "Singapore Standard Time": "Asia/Singapore",
           "Korea Standard Time": "Asia/Seoul", "Canada Central Standard Time": "America/Regina", "Turkey Standard Time": "Europe/Istanbul",
           "Arabian Standard Time": "Asia/Dubai", "Alaskan Standard Time": "America/Anchorage", "Atlantic Standard Time": "America/Halifax",
           "South Africa Standard Time": "Africa/Johannesburg", "Cen. Australia Standard Time": "Australia/Adelaide",
           "W. Australia Standard Time": "Australia/Perth", "Newfoundland Standard Time": "America/St_Johns",
           "Argentina Standard Time": "America/Buenos_Aires", "Egypt Standard Time": "Africa/Cairo", "Iran Standard Time": "Asia/Tehran",
           "SE Asia Standard Time": "Asia/Bangkok", "Taipei Standard Time": "Asia/Taipei", "E. Europe Standard Time": "Europe/Chisinau"}
FOLDERS = {"CalendarItem": ("IPF.Appointment", "ErrorCannotCreateCalendarItemInNonCalendarFolder"),
           "Contact": ("IPF.Contact", "ErrorCannotCreateContactInNonContactFolder"),
           "DistributionList": ("IPF.Contact", "ErrorCannotCreateContactInNonContactFolder"),
           "Task": ("IPF.Task", "ErrorCannotCreateTaskInNonTaskFolder")}
CLASSES = {"CalendarItem": "IPM.Appointment", "Contact": "IPM.Contact", "DistributionList": "IPM.DistList", "Task": "IPM.Task"}
BUSY = ["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere"]
STATUS = ["NotStarted", "InProgress", "Completed", "WaitingOnOthers", "Deferred"]
SENSITIVITY = ["Normal", "Personal", "Private", "Confidential"]
IMPORTANCE = ["Low", "Normal", "High"]


def local(name):
    return name.tag.rpartition("}")[2]


def moment(text):
    """UTC, without saying so."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def told(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when.year >= 1000 else f"{when.year:04}" + when.strftime("-%m-%dT%H:%M:%SZ")


# ---- zones ----

class Zone:
    """One that Windows has a name for."""

    def __init__(self, name):
        if name not in WINDOWS:
            raise Failure("ErrorTimeZone")
        self.name, self.zone = name, zoneinfo.ZoneInfo(WINDOWS[name])

    def offset(self, utc):
        return utc.replace(tzinfo=datetime.timezone.utc).astimezone(self.zone).utcoffset()

    def rule(self, year):
        """Bias, daylight's bias, when standard and daylight begin: SYSTEMTIMEs as they were in that year."""
        turns = []
        at = datetime.datetime(year, 1, 1)
        while at.year == year:
            before, after = self.offset(at), self.offset(at + DAY)
            if before != after:
                low, high = at, at + DAY
                while high - low > datetime.timedelta(seconds=1):
                    middle = low + (high - low) / 2
                    middle = middle.replace(microsecond=0)
                    low, high = (low, middle) if self.offset(middle) == after else (middle, high)
                turns.append((high + before, before, after))
            at += DAY
        if len(turns) != 2 or (turns[0][2] > turns[0][1]) == (turns[1][2] > turns[1][1]):
            return -int(self.offset(datetime.datetime(year, 1, 1)).total_seconds()) // 60, 0, NO_TURN, NO_TURN
        up = next(x for x in turns if x[2] > x[1])
        down = next(x for x in turns if x[2] < x[1])
        bias = -int(up[1].total_seconds()) // 60
        return bias, -int((up[2] - up[1]).total_seconds()) // 60, self.turn(down, year), self.turn(up, year)

    def turn(self, x, year):
        wall = x[0]
        nth = (wall.day - 1) // 7 + 1
        if wall.day + 7 > calendar.monthrange(wall.year, wall.month)[1] and self.is_last(x, year):
            nth = 5
        return (0, wall.month, (wall.weekday() + 1) % 7, nth, wall.hour, wall.minute, 0, 0)

    def is_last(self, x, year):
        """So in the next years as well."""
        for later in range(year + 1, year + 5):
            found = [y for y in self.turns_of(later) if y.month == x[0].month]
            if found and found[0].day + 7 <= calendar.monthrange(later, found[0].month)[1]:
                return False
        return True

    def turns_of(self, year):
        days = [datetime.datetime(year, 1, 1) + i * DAY for i in range(366)]
        return [d + self.offset(d) for d in days if self.offset(d) != self.offset(d + DAY)]


NO_TURN = (0,) * 8


class CustomZone:
    """One that came with its rule."""

    def __init__(self, bias, daylight, to_standard, to_daylight):
        self.name, self.all = "Custom", (bias, daylight, to_standard, to_daylight)

    def rule(self, year):
        return self.all

    def offset(self, utc):
        bias, daylight, to_standard, to_daylight = self.all
        base = -datetime.timedelta(minutes=bias)
        if to_standard == NO_TURN:
            return base
        summer = self.begin(utc.year, to_daylight) - base
        winter = self.begin(utc.year, to_standard) - base + datetime.timedelta(minutes=daylight)
        inside = summer <= utc < winter if summer < winter else not winter <= utc < summer
        return base - datetime.timedelta(minutes=daylight if inside else 0)

    def begin(self, year, turn):
        _, month, weekday, nth, hour, minute, _, _ = turn
        days = [datetime.datetime(year, month, d, hour, minute) for d in range(1, calendar.monthrange(year, month)[1] + 1)]
        days = [d for d in days if (d.weekday() + 1) % 7 == weekday]
        return days[-1] if nth == 5 else days[nth - 1]


def duration(text):
    """Minutes of PT90M."""
    return (-1 if text.startswith("-") else 1) * int(text.strip("-")[2:-1])


def zone_of(element):
    """Of StartTimeZone or MeetingTimeZone."""
    name = element.get("Id") or element.get("TimeZoneName")
    if not len(element):
        return Zone(name)
    if local(element) == "MeetingTimeZone":
        halves = [element.find(t(h)) for h in ("Standard", "Daylight")]
        turns = [NO_TURN, NO_TURN]
        for i, h in enumerate(halves):
            if h is not None:
                hour, minute, _ = h.findtext(t("Time")).split(":")
                turns[i] = (0, MONTHS.index(h.findtext(f".//{t('Month')}")), WEEKDAYS.index(h.findtext(f".//{t('DaysOfWeek')}")),
                            NTH.index(h.findtext(f".//{t('DayOfWeekIndex')}")) + 1, int(hour), int(minute), 0, 0)
        daylight = duration(halves[1].findtext(t("Offset"))) if halves[1] is not None else 0
        return CustomZone(duration(element.findtext(t("BaseOffset"))), daylight, *turns)
    bias = {p.get("Id"): duration(p.get("Bias")) for p in element.find(t("Periods"))}
    turns = {"Standard": NO_TURN, "Daylight": NO_TURN}
    for x in element.iter(t("RecurringDayTransition")):
        offset, nth = duration(x.findtext(t("TimeOffset"))), int(x.findtext(t("Occurrence")))
        turns[x.findtext(t("To"))] = (0, int(x.findtext(t("Month"))), WEEKDAYS.index(x.findtext(t("DayOfWeek"))),
                                      5 if nth == -1 else nth, offset // 60, offset % 60, 0, 0)
    return CustomZone(bias["Standard"], bias.get("Daylight", bias["Standard"]) - bias["Standard"], turns["Standard"], turns["Daylight"])


def struct_blob(zone, year):
    bias, daylight, to_standard, to_daylight = zone.rule(year)
    return struct.pack("<iii", bias, 0, daylight) + struct.pack("<H8H", 0, *to_standard) + struct.pack("<H8H", 0, *to_daylight)


def definition_blob(zone, year):
    bias, daylight, to_standard, to_daylight = zone.rule(year)
    text = zone.name.encode("utf-16-le")
    rule = struct.pack("<BBHHH14xiii", 2, 1, 0x3E, 3, year, bias, 0, daylight) + struct.pack("<8H8H", *to_standard, *to_daylight)
    return struct.pack("<BBHHH", 2, 1, 6 + len(text), 2, len(text) // 2) + text + struct.pack("<H", 1) + rule


# ---- recurrences ----

class Series:
    """Days on the wall, and what became of single ones."""

    def __init__(self, element, version):
        pattern, span = list(element)
        self.sort = local(pattern)
        self.interval = int(pattern.findtext(t("Interval")) or 1)
        self.mask = 0
        for word in (pattern.findtext(t("DaysOfWeek")) or "").split():
            self.mask |= MASKS[word] if word in MASKS else 1 << WEEKDAYS.index(word)
        self.day = int(pattern.findtext(t("DayOfMonth")) or 0)
        self.nth = NTH.index(pattern.findtext(t("DayOfWeekIndex")) or "First") + 1
        self.month = MONTHS.index(pattern.findtext(t("Month"))) if pattern.findtext(t("Month")) else 0
        self.first_weekday = WEEKDAYS.index(pattern.findtext(t("FirstDayOfWeek")) or "Sunday")
        self.start = datetime.datetime.strptime(span.findtext(t("StartDate"))[:10], "%Y-%m-%d")
        self.count = int(span.findtext(t("NumberOfOccurrences")) or 0)
        end = span.findtext(t("EndDate"))
        self.end = datetime.datetime.strptime(end[:10], "%Y-%m-%d") if end else None
        self.deleted, self.changed = set(), {}  # days; day -> Whole
        limits = {"DailyRecurrence": 999, "WeeklyRecurrence": 99, "AbsoluteMonthlyRecurrence": 99, "RelativeMonthlyRecurrence": 99}
        if not 1 <= self.interval <= limits.get(self.sort, 1) or self.count > 999:
            raise Failure("ErrorRecurrenceHasNoOccurrence" if self.count > 999 else "ErrorInvalidRecurrence")

    @property
    def yearly(self):
        return "Yearly" in self.sort

    def month_day(self, year, month):
        last = calendar.monthrange(year, month)[1]
        if "Absolute" in self.sort:
            return datetime.datetime(year, month, min(self.day, last))
        days = [datetime.datetime(year, month, d) for d in range(1, last + 1)]
        days = [d for d in days if self.mask & 1 << (d.weekday() + 1) % 7]
        return days[-1] if self.nth == 5 else days[self.nth - 1]

    def candidates(self):
        if self.sort == "DailyRecurrence":
            at = self.start
            while True:
                yield at
                at += self.interval * DAY
        if self.sort == "WeeklyRecurrence":
            week = self.start - ((self.start.weekday() + 1) % 7 - self.first_weekday) % 7 * DAY
            while True:
                yield from (d for d in (week + i * DAY for i in range(7)) if self.mask & 1 << (d.weekday() + 1) % 7)
                week += 7 * self.interval * DAY
        month = self.start.year * 12 + (self.month or self.start.month) - 1
        while True:
            yield self.month_day(month // 12, month % 12 + 1)
            month += 12 if self.yearly else self.interval

    def days(self):
        n = 0
        for d in self.candidates():
            if d < self.start:
                continue
            n += 1
            if (self.count and n > self.count) or (self.end and d > self.end) or d.year > 4000 or n > 20000:
                return
            yield d

    def number(self, index):
        for i, d in enumerate(self.days(), 1):
            if i == index:
                if d in self.deleted:
                    raise Failure("ErrorCalendarOccurrenceIsDeletedFromRecurrence")
                return d
        raise Failure("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")

    def blob(self, times=None):
        """`times`: minutes after midnight of begin and end; and of each exception its day, begin and end, on the wall."""
        period = self.interval * (1440 if self.sort == "DailyRecurrence" else 1) * (12 if self.yearly else 1)
        freq = {"D": 0x200A, "W": 0x200B}.get(self.sort[0], 0x200D if self.yearly or period % 12 == 0 else 0x200C)
        kind = 0 if self.sort[0] == "D" else 1 if self.sort[0] == "W" else 2 if "Absolute" in self.sort else 3
        days = list(self.days()) if self.count or self.end else []
        out = struct.pack("<5H", 0x3004, 0x3004, freq, kind, 0) + struct.pack("<3I", self.phase(period, kind), period, 0)
        out += b"" if kind == 0 else struct.pack("<I", self.day if kind == 2 else self.mask)
        out += struct.pack("<I", self.nth) if kind == 3 else b""
        out += struct.pack("<3I", 0x2022 if self.count else 0x2021 if self.end else 0x2023, len(days) or 10, self.first_weekday)
        changed = sorted(times[2], key=lambda c: c[1]) if times else []
        gone = sorted(self.deleted | {c[0] for c in changed})
        for many in (gone, [c[1].replace(hour=0, minute=0, second=0) for c in changed]):
            out += struct.pack("<I", len(many)) + b"".join(struct.pack("<I", minutes(m)) for m in many)
        out += struct.pack("<2I", minutes(next(self.days())), minutes(days[-1]) if days else NEVER)
        if not times:
            return out
        out += struct.pack("<4IH", 0x3006, 0x3009, times[0], times[1], len(changed))
        for day, begin, end in changed:
            out += struct.pack("<3IH", minutes(begin), minutes(end), minutes(day) + times[0], 0)
        return out + struct.pack("<I", 0) + struct.pack("<3I", 4, 0, 0) * len(changed) + struct.pack("<I", 0)

    def phase(self, period, kind):
        if kind == 0:
            return minutes(self.start) % period
        if kind == 1:
            week = self.start - ((self.start.weekday() + 1) % 7 - self.first_weekday) % 7 * DAY
            return minutes(week) % (period * 10080)
        first = next(self.days())
        month = ((first.year - 1601) * 12 + first.month - 1) % period
        return minutes(datetime.datetime(1601 + month // 12, month % 12 + 1, 1))


# ---- elements as properties ----

def as_number(where, number, words):
    return lambda i, e: i.lid(where, number, "Integer", words.index(e.text)) if where else i.tag(number, "Integer", words.index(e.text))


def as_text(where, number):
    return lambda i, e: i.lid(where, number, "String", e.text or "") if where else i.tag(number, "String", e.text or "")


def as_time(where, number):
    return lambda i, e: i.lid(where, number, "SystemTime", told(moment(e.text)))


def set_body(i, e):
    i.text, i.html = (e.text or "", None) if e.get("BodyType") == "Text" else (None, e.text or "")


def set_subject(i, e):
    i.subject = e.text


def set_categories(i, e):
    i.categories = [s.text or "" for s in e]


def set_sensitivity(i, e):
    i.tag(0x36, "Integer", SENSITIVITY.index(e.text)).lid(COMMON, 0x8506, "Boolean", e.text in ("Private", "Confidential"))


def set_truth(where, number):
    return lambda i, e: i.lid(where, number, "Boolean", e.text == "true")


def set_uid(i, e):
    i.uid = e.text
    i.lid(MEETING, 3, "Binary", goid_of(e.text)).lid(MEETING, 0x23, "Binary", goid_of(e.text))


def goid_of(uid):
    try:
        blob = bytes.fromhex(uid)
        if blob.startswith(bytes.fromhex("040000008200E00074C5B7101A82E008")):
            return blob
    except ValueError:
        pass
    return goid(uid)


def set_people(name):
    def put(i, e):
        i.people[name] = [(a.findtext(f".//{t('Name')}") or "", a.findtext(f".//{t('EmailAddress')}"), "Unknown") for a in e]
    return put


def set_mails(i, e):
    for entry in e:
        base = 0x8080 + 0x10 * (int(entry.get("Key")[-1]) - 1)
        i.lid(ADDRESS, base, "String", entry.text).lid(ADDRESS, base + 2, "String", "SMTP")
        i.lid(ADDRESS, base + 3, "String", entry.text).lid(ADDRESS, base + 4, "String", entry.text)


def set_members(i, e):
    i.members = [(m.findtext(f".//{t('Name')}") or "", m.findtext(f".//{t('EmailAddress')}")) for m in e]


def set_status(i, e):
    i.lid(TASK, 0x8101, "Integer", STATUS.index(e.text)).lid(TASK, 0x811C, "Boolean", e.text == "Completed")
    if e.text == "Completed":  # the server's own mind
        i.lid(TASK, 0x8102, "Double", 1.0)
        if (TASK, 0x810F) not in i.named:
            i.lid(TASK, 0x810F, "SystemTime", told(datetime.datetime.utcnow().replace(hour=0, minute=0, second=0)))
    else:
        i.named.pop((TASK, 0x810F), None)
        if e.text == "NotStarted":
            i.named.pop((TASK, 0x8102), None)


def set_completed(i, e):
    as_time(TASK, 0x810F)(i, e)
    i.lid(TASK, 0x8101, "Integer", STATUS.index("Completed")).lid(TASK, 0x811C, "Boolean", True).lid(TASK, 0x8102, "Double", 1.0)


def set_percent(i, e):
    i.lid(TASK, 0x8102, "Double", float(e.text) / 100)


def set_display_name(i, e):
    i.tag(0x3001, "String", e.text)
    if i.item_class == "IPM.DistList":
        i.lid(ADDRESS, 0x8053, "String", e.text)


def set_property(i, e):
    path = e[0]
    where = path.get("DistinguishedPropertySetId") or path.get("PropertySetId")
    key = int(path.get("PropertyTag"), 16) if where is None else path.get("PropertyName") or int(path.get("PropertyId"))
    kind = path.get("PropertyType")
    if where is None and key == FLAGS:
        i.props[FLAGS] = int(e.findtext(t("Value")))
        return
    if kind.endswith("Array"):
        value = [read_value(kind[:-5], v.text) for v in e.find(t("Values"))]
    else:
        value = read_value(kind, e.findtext(t("Value")))
    i.named[where, key] = (kind, value)
    if where is None and key in (0x42, 0x65):  # of who called it
        i.people["Organizer"] = [(i.named.get((None, 0x42), (0, ""))[1], i.named.get((None, 0x65), (0, ""))[1], None)]


def read_value(kind, text):
    text = text or ""
    if kind == "Binary":
        return base64.b64decode(text, validate=True)
    if kind == "Boolean":
        return text == "true"
    if kind == "SystemTime":
        return told(moment(text))
    return int(text) if kind in ("Integer", "Short", "Long") else float(text) if kind == "Double" else text


def ignore(i, e):
    pass


SET = {
    "ItemClass": ignore, "Subject": set_subject, "Sensitivity": set_sensitivity, "Body": set_body, "Categories": set_categories,
    "Importance": as_number(None, 0x17, IMPORTANCE), "ReminderDueBy": as_time(COMMON, 0x8502), "ReminderIsSet": set_truth(COMMON, 0x8503),
    "ReminderMinutesBeforeStart": lambda i, e: i.lid(COMMON, 0x8501, "Integer", int(e.text)), "ExtendedProperty": set_property,
    "UID": set_uid, "Start": as_time(APPOINTMENT, 0x820D), "End": as_time(APPOINTMENT, 0x820E),
    "IsAllDayEvent": set_truth(APPOINTMENT, 0x8215), "LegacyFreeBusyStatus": as_number(APPOINTMENT, 0x8205, BUSY),
    "Location": as_text(APPOINTMENT, 0x8208), "RequiredAttendees": set_people("RequiredAttendees"),
    "OptionalAttendees": set_people("OptionalAttendees"), "Resources": set_people("Resources"), "Recurrence": ignore,
    "StartTimeZone": ignore, "EndTimeZone": ignore, "MeetingTimeZone": ignore,
    "FileAs": as_text(ADDRESS, 0x8005), "DisplayName": set_display_name, "GivenName": as_text(None, 0x3A06),
    "MiddleName": as_text(None, 0x3A44), "Nickname": as_text(None, 0x3A4F), "CompanyName": as_text(None, 0x3A16),
    "EmailAddresses": set_mails, "Department": as_text(None, 0x3A18), "Generation": as_text(None, 0x3A05),
    "JobTitle": as_text(None, 0x3A17), "Surname": as_text(None, 0x3A11), "Members": set_members,
    "CompleteDate": set_completed, "DueDate": as_time(TASK, 0x8105), "PercentComplete": set_percent,
    "StartDate": as_time(TASK, 0x8104), "Status": set_status,
}


# ---- making ----

def create(peer, folder, element, version):
    name = local(element)
    if name in FOLDERS and folder.kind != FOLDERS[name][0]:
        raise Failure(FOLDERS[name][1])
    item = Whole(peer, CLASSES.get(name) or element.findtext(t("ItemClass")))
    item.props[FLAGS] = 9 if name == "Message" else 1  # a draft, unless it is told otherwise
    item.tag(0x17, "Integer", 1)
    item.zone = item.series = None
    if name == "CalendarItem":
        item.sort = "Single"
        item.lid(APPOINTMENT, 0x8205, "Integer", 2).lid(COMMON, 0x8503, "Boolean", True).lid(COMMON, 0x8501, "Integer", 15)
        item.people["Organizer"] = [("user", "user@example.com", None)]
    for child in element:
        SET[local(child)](item, child)
    finish(item, element, version)
    item.folder = folder
    peer.moment += 1
    item.made = item.changed = peer.moment
    folder.items[item.id] = item
    return item


def finish(item, element, version):
    """Zones and recurrence, when all the rest is there."""
    rule = element.find(t("Recurrence"))
    if item.item_class == "IPM.Task":
        if rule is not None:
            item.lid(TASK, 0x8116, "Binary", Series(rule, version).blob()).lid(TASK, 0x8126, "Boolean", True)
        return
    if item.item_class != "IPM.Appointment":
        return
    begin, end = (moment(item.named[APPOINTMENT, k][1]) for k in (0x820D, 0x820E))
    if end < begin:
        raise Failure("ErrorCalendarEndDateIsEarlierThanStartDate")
    zones = [element.find(t(z)) for z in ("StartTimeZone", "EndTimeZone", "MeetingTimeZone")]
    start_zone = zones[0] if zones[0] is not None else zones[2]
    item.zone = zone_of(start_zone) if start_zone is not None else Zone("UTC")
    end_zone = zone_of(zones[1]) if zones[1] is not None else item.zone
    if item.named.get((APPOINTMENT, 0x8215), (0, False))[1] and (begin + item.zone.offset(begin)).hour + (begin + item.zone.offset(begin)).minute:
        raise Failure("ErrorCalendarDurationIsTooLong")
    item.lid(APPOINTMENT, 0x825E, "Binary", definition_blob(item.zone, begin.year))
    item.lid(APPOINTMENT, 0x825F, "Binary", definition_blob(end_zone, end.year))
    if rule is not None:
        item.sort, item.series = "RecurringMaster", Series(rule, version)
        item.lid(APPOINTMENT, 0x8233, "Binary", struct_blob(item.zone, begin.year)).lid(APPOINTMENT, 0x8234, "String", item.zone.name)
        item.lid(APPOINTMENT, 0x8260, "Binary", definition_blob(item.zone, begin.year))
        if next(item.series.days()) != wall(item, begin).replace(hour=0, minute=0, second=0):
            raise Failure("ErrorRecurrenceHasNoOccurrence")
        write_blob(item)


def wall(item, utc):
    return utc + item.zone.offset(utc)


def offsets(item):
    begin, end = (moment(item.named[APPOINTMENT, k][1]) for k in (0x820D, 0x820E))
    first = wall(item, begin)
    after = first.hour * 60 + first.minute
    return after, after + int((end - begin).total_seconds()) // 60


def utc_of(item, day):
    """When the occurrence of that day begins."""
    at = day + datetime.timedelta(minutes=offsets(item)[0])
    guess = at - item.zone.offset(at)
    return at - item.zone.offset(guess)


def write_blob(item):
    changed, item.occurrences = [], []
    for day, one in sorted(item.series.changed.items()):
        begin, end = (moment(one.named[APPOINTMENT, k][1]) for k in (0x820D, 0x820E))
        changed.append((day, wall(item, begin), wall(item, end)))
        item.occurrences.append((told(utc_of(item, day)), told(begin), told(end), one))
    item.lid(APPOINTMENT, 0x8216, "Binary", item.series.blob((*offsets(item), changed)))


# ---- occurrences ----

def occurrence(peer, ref):
    """The series and the day that an OccurrenceItemId is of."""
    item = peer.item_of_id(ref.get("RecurringMasterId"))
    if getattr(item, "series", None) is None:
        raise Failure("ErrorCalendarIsNotRecurringMaster" if False else "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")
    return item, item.series.number(int(ref.get("InstanceIndex")))


NOT_ITS_OWN = {(APPOINTMENT, 0x8216), (APPOINTMENT, 0x8233), (APPOINTMENT, 0x8234), (STRINGS, "X-POSTFERRY-KEY"), (STRINGS, "X-POSTFERRY-TEXT")}


def change_occurrence(peer, ref, updates):
    item, day = occurrence(peer, ref)
    one = item.series.changed.get(day) or exception(peer, item, day)
    for u in updates:
        if len(u[1]) != 1:
            raise Failure("ErrorIncorrectUpdatePropertyCount")
        if local(u[1]) != "CalendarItem":
            raise Failure("ErrorUpdatePropertyMismatch")
        SET[local(u[1][0])](one, u[1][0])
    begin, end = (moment(one.named[APPOINTMENT, k][1]) for k in (0x820D, 0x820E))
    if end < begin:
        raise Failure("ErrorCalendarEndDateIsEarlierThanStartDate")
    check_neighbours(item, day, wall(item, begin))
    item.series.changed[day] = one
    peer.others[one.id] = one
    write_blob(item)
    peer.touch(item)
    return one


def exception(peer, item, day):
    one = Whole(peer, "IPM.Appointment", item.subject, item.text, item.html, item.categories)
    one.named = {k: v for k, v in item.named.items() if k not in NOT_ITS_OWN}
    one.people = copy.deepcopy(item.people)
    one.sort, one.uid, one.series, one.zone, one.master = "Exception", item.uid, None, item.zone, item
    begin = utc_of(item, day)
    length = moment(item.named[APPOINTMENT, 0x820E][1]) - moment(item.named[APPOINTMENT, 0x820D][1])
    return one.lid(APPOINTMENT, 0x820D, "SystemTime", told(begin)).lid(APPOINTMENT, 0x820E, "SystemTime", told(begin + length))


def check_neighbours(item, day, now):
    place = {d: d for d in item.series.days() if d not in item.series.deleted} if item.series.count or item.series.end else {}
    for d, one in item.series.changed.items():
        place[d] = wall(item, moment(one.named[APPOINTMENT, 0x820D][1])).replace(hour=0, minute=0, second=0)
    today = now.replace(hour=0, minute=0, second=0)
    before = [p for d, p in place.items() if d < day]
    after = [p for d, p in place.items() if d > day]
    if (before and today <= max(before)) or (after and today >= min(after)):
        raise Failure("ErrorOccurrenceCrossingBoundary")


def delete_occurrence(peer, ref):
    item, day = occurrence(peer, ref)
    item.series.changed.pop(day, None)
    item.series.deleted.add(day)
    write_blob(item)
    peer.touch(item)


# ---- the rest ----

def attach(peer, item, element):
    a = Attachment(peer, element.findtext(t("Name")), base64.b64decode(element.findtext(t("Content")) or "", validate=True),
                   element.findtext(t("ContentType")) or "application/octet-stream", element.findtext(t("IsContactPhoto")) == "true")
    item.attachments.append(a)
    peer.attachments[a.id] = a
    whole = getattr(item, "master", item)
    peer.touch(whole)
    return a, whole
