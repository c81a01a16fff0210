"""UpdateItem of the stand-in for Exchange, for items other than mail: one property each, the one that its path names; all of it is
done or nothing. What a server has a mind of its own about can't be taken off."""

import copy
import xml.etree.ElementTree as ET

import ews_made
from ews_items import ADDRESS, APPOINTMENT, TASK
from ews_peer import FLAGS, Failure, t

# what can be taken off, and the property that it is
GOES = {"calendar:Location": (APPOINTMENT, 0x8208), "task:DueDate": (TASK, 0x8105), "task:StartDate": (TASK, 0x8104),
        "contacts:FileAs": (ADDRESS, 0x8005), "contacts:DisplayName": (None, 0x3001),
        "contacts:GivenName": (None, 0x3A06), "contacts:MiddleName": (None, 0x3A44), "contacts:Nickname": (None, 0x3A4F),
        "contacts:CompanyName": (None, 0x3A16), "contacts:Department": (None, 0x3A18), "contacts:Generation": (None, 0x3A05),
        "contacts:JobTitle": (None, 0x3A17), "contacts:Surname": (None, 0x3A11)}
ZONES = {"StartTimeZone", "EndTimeZone", "Start", "End", "IsAllDayEvent"}


def local(element):
    return element.tag.rpartition("}")[2]


def property_of(path):
    where = path.get("DistinguishedPropertySetId") or path.get("PropertySetId")
    return where, int(path.get("PropertyTag"), 16) if where is None else path.get("PropertyName") or int(path.get("PropertyId"))


def update(item, updates, version):
    new = copy.copy(item)
    new.named, new.people, new.categories = dict(item.named), dict(item.people), list(item.categories)
    times = ET.Element("times")
    for u in updates:
        if u.tag == t("DeleteItemField"):
            take_off(new, u[0])
            continue
        if len(u[1]) != 1:
            raise Failure("ErrorIncorrectUpdatePropertyCount")
        if local(u[1]) not in (item.kind, "Item") or not agree(u[0], u[1][0]):
            raise Failure("ErrorUpdatePropertyMismatch")
        ews_made.SET[local(u[1][0])](new, u[1][0])
        if local(u[1][0]) in ZONES:
            times.append(u[1][0])
    if len(times):
        ews_made.finish(new, times, version)
    item.__dict__.update(new.__dict__)


def agree(path, element):
    if path.tag == t("FieldURI"):
        return path.get("FieldURI").rpartition(":")[2] == local(element)
    if path.tag == t("IndexedFieldURI"):
        return local(element) == "EmailAddresses" and [e.get("Key") for e in element] == [path.get("FieldIndex")]
    if property_of(path) == (None, FLAGS):
        raise Failure("ErrorInvalidPropertySet")
    return local(element) == "ExtendedProperty" and element[0].attrib == path.attrib


def take_off(item, path):
    if path.tag == t("IndexedFieldURI"):
        base = 0x8080 + 0x10 * (int(path.get("FieldIndex")[-1]) - 1)
        for number in (0, 2, 3, 4):
            item.named.pop((ADDRESS, base + number), None)
    elif path.tag == t("ExtendedFieldURI"):
        item.named.pop(property_of(path), None)
    elif path.get("FieldURI") == "item:Subject":
        item.subject = None
    elif path.get("FieldURI") == "item:Categories":
        item.categories = []
    elif path.get("FieldURI") in GOES:
        item.named.pop(GOES[path.get("FieldURI")], None)
    else:
        raise Failure("ErrorInvalidPropertyDelete")
