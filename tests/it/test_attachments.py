"""Attachments that an item only refers to: their bytes come along, from the server that the item is from and from no other."""

import base64
import re
import urllib.parse

import pytest
from calendar_items import calendar, event, texts, unfold, write
from dav_peer import ROOT, Answer, Peer
from run import copy, postferry
from servers import cyrus

BYTES = bytes(range(256)) * 40


@pytest.fixture
def peer():
    with Peer() as p:
        p.files = {"/files/plan.pdf": BYTES, "/files/empty": b""}
        yield p
        assert p.breaches == []


def attachments(text):
    """(parameters, bytes or URI) of each."""
    found = []
    for line in unfold(text):
        if line.startswith("ATTACH"):
            head, _, value = line.partition(":")
            words = set(head.split(";")[1:])
            found.append((words, base64.b64decode(value, validate=True) if "ENCODING=BASE64" in words else value))
    return found


def with_links(peer, *links):
    lines = [f"ATTACH;FMTTYPE=application/pdf;MANAGED-ID=7;SIZE=1:{link}" for link in links]
    path = peer.folder("Work")
    peer.store(path + "0.ics", calendar(event("a", "20240105T100000Z", "Meeting", *lines)))


def fetch(peer, tmp_path, ledger, *more):
    done = copy(peer.url(), f"ics:{tmp_path}/to", ledger, *more)
    return done, arrived(tmp_path)


def arrived(tmp_path):
    return attachments(next(text for text in texts(tmp_path / "to" / "Work").values() if "SUMMARY:Meeting" in text))


@pytest.mark.parametrize("multiget", [True, False])
def test_they_come_along(peer, tmp_path, ledger, multiget):
    here = f"http://127.0.0.1:{peer.port}"
    if not multiget:
        peer.multiget = lambda *_: Answer(501)
    with_links(peer, here + "/files/plan.pdf?version=2", here + "/files/empty#part")
    peer.store(peer.home + "Work/1.ics", calendar(event("b", "20240106T100000Z", "Other")))
    done, found = fetch(peer, tmp_path, ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    assert [content for _, content in found] == [BYTES, b""]
    assert found[0][0] == {"FMTTYPE=application/pdf", "ENCODING=BASE64", "VALUE=BINARY"}
    again, _ = fetch(peer, tmp_path, ledger + "-2")
    assert again.outcome["copied_now"] == 0 and again.outcome["present"] == 2, again
    deep = postferry("verify", "--deep", "--from", peer.url(), "--to", f"ics:{tmp_path}/to", "--ledger", ledger,
                     "--allow-plaintext")
    assert deep.status == 0, deep


def test_nothing_is_asked_of_others(peer, tmp_path, ledger):
    with Peer() as other:
        other.files["/files/x"] = b"no"
        links = [f"http://127.0.0.1:{other.port}/files/x", f"https://127.0.0.1:{peer.port}/files/plan.pdf",
                 "http://example.org/x", "cid:part1", "ftp://127.0.0.1/x", "/files/plan.pdf"]
        with_links(peer, *links)
        done, found = fetch(peer, tmp_path, ledger)
        assert done.status == 0 and [uri for _, uri in found] == links and other.log == [], done
        assert "/files/plan.pdf" not in [path for _, path, _ in peer.log]


@pytest.mark.parametrize("why", ["404", "401", "elsewhere", "cut", "too large"])
def test_what_can_not_be_had_stays_and_is_told(peer, tmp_path, ledger, why):
    with Peer() as other:
        links = [f"http://127.0.0.1:{peer.port}/files/{name}" for name in ("bad", "plan.pdf")]

        def bad(request):
            if request.path == "/files/bad" and why == "elsewhere":
                raise Answer(302, Location=f"http://127.0.0.1:{other.port}/files/bad")
            if request.path == "/files/bad" and why != "too large":
                raise Answer(int(why) if why != "cut" else 200, b"x" * 10, Content_Length="20" if why == "cut" else "10")

        peer.before.append(bad)
        if why == "cut":
            peer.answer = lambda h, a, answer=peer.answer: (answer(h, a), setattr(h, "close_connection", True))
        peer.files["/files/bad"] = b"\0" * (50 << 20)
        with_links(peer, *links)
        done = copy(peer.url(), f"ics:{tmp_path}/to", ledger, env={"POSTFERRY_TEST_CLOCK": "50"})
        found = arrived(tmp_path)
        assert done.status == 0 and [content for _, content in found] == [links[0], BYTES], done
        assert any(e["number"] == 12021 for e in done.events) and other.log == []
        report = postferry("report", "--ledger", ledger)
        assert "stays a reference" in report.out, report


def too_large(request, text):
    if len(text) > 5000:
        raise Answer(403, f"<D:error {ROOT}><C:max-resource-size/></D:error>")


@pytest.fixture
def small(tmp_path):
    """A target that takes no large items, but attachments by themselves."""
    content = base64.b64encode(BYTES).decode()
    lines = [f"ATTACH;FMTTYPE=image/png;FILENAME={n}.png;ENCODING=BASE64;VALUE=BINARY:{content}" for n in range(2)]
    write(tmp_path / "source" / "Work", "a.ics", calendar(event("a", "20240105T100000Z", "Meeting", *lines)))
    write(tmp_path / "source" / "Work", "b.ics", calendar(event("b", "20240106T100000Z", "Other")))
    with Peer() as p:
        p.on_put = too_large
        p.features += ", calendar-managed-attachments"
        yield p
        assert p.breaches == []


def test_they_are_added_by_themselves(small, tmp_path, ledger):
    done = copy(f"ics:{tmp_path}/source", small.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    assert small.count("POST") == 2 and list(small.files.values()) == [BYTES, BYTES]
    writes = small.count("POST") + small.count("PUT")
    assert copy(f"ics:{tmp_path}/source", small.url(), ledger).outcome["copied_now"] == 0
    assert copy(f"ics:{tmp_path}/source", small.url(), ledger + "-2").outcome["present"] == 2
    assert small.count("POST") + small.count("PUT") == writes


GREENLAND = ("BEGIN:VTIMEZONE\r\nTZID:Greenland\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:-0300\r\n"
             "TZOFFSETTO:-0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")


def in_greenland(text):
    return text.replace("DTSTART:", "DTSTART;TZID=Greenland:").replace("RECURRENCE-ID:", "RECURRENCE-ID;TZID=Greenland:")


def inline(n, content=BYTES):
    return f"ATTACH;FILENAME={n}.png;ENCODING=BASE64;VALUE=BINARY:{base64.b64encode(content).decode()}"


def with_instances(source):
    """A series of which the master and two instances have attachments of their own; in one zone, and in UTC."""
    for uid, change in (("zone", in_greenland), ("utc", lambda text: text.replace("00\r\n", "00Z\r\n"))):
        write(source / "Work", uid + ".ics", calendar(GREENLAND, *(change(text) for text in (
            event(uid, "20240105T100000", "Weekly", "RRULE:FREQ=WEEKLY;COUNT=9", inline(0, BYTES + b"0")),
            event(uid, "20240112T110000", "Later", "RECURRENCE-ID:20240112T100000", inline(1, BYTES + b"1"),
                  inline(2, BYTES + b"2")),
            event(uid, "20240119T120000", "Later still", "RECURRENCE-ID:20240119T100000", inline(3, BYTES + b"3"))))))


@pytest.mark.parametrize("whose", ["strict/1", "Cyrus-HTTP/3.6.1"])
def test_each_part_gets_its_own(small, tmp_path, ledger, whose):
    """Instances are named in UTC (RFC 8607 section 3.3.2); Cyrus compares what is written."""
    small.server_name, small.local_rids = whose, "Cyrus" in whose
    with_instances(tmp_path / "source")
    done = copy(f"ics:{tmp_path}/source", small.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 4, done
    asked = {}
    for path, _, rid in (raw.partition("?action=attachment-add&rid=") for raw in small.posted if "rid=" in raw):
        asked.setdefault(path, []).append(rid)
    assert sorted(asked.values(), key=lambda many: "Z" not in many[1] or "T13" in many[1]) == [["M", "20240112T100000Z", "20240112T100000Z", "20240119T100000Z"],
                                      ["M"] + [day + ("T100000" if small.local_rids else "T130000Z")
                                               for day in ("20240112", "20240112", "20240119")]]
    back = copy(small.url(), f"ics:{tmp_path}/back", ledger + "-back")
    assert back.status == 0, back
    for text in texts(tmp_path / "back" / "Work").values():
        if "Weekly" in text:
            whole = ["".join(part.split("\r\n ")) for part in text.split("BEGIN:VEVENT")[1:]]
            assert [re.findall(r"^ATTACH.*:(\S*)", part, re.M) for part in whole] == [
                [base64.b64encode(BYTES + str(n).encode()).decode() for n in many] for many in ([0], [1, 2], [3])]
    assert copy(f"ics:{tmp_path}/source", small.url(), ledger).outcome["copied_now"] == 0


def test_of_several_parts_none_where_only_the_whole_gets_them(small, tmp_path, ledger):
    small.features += ", calendar-managed-attachments-no-recurrence"
    with_instances(tmp_path / "source")
    done = copy(f"ics:{tmp_path}/source", small.url(), ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 2 and "max-resource-size" in str(done.missed), done
    assert small.count("POST") == 2


def test_none_is_better_than_half(small, tmp_path, ledger):
    def refuse(request):
        if small.count("POST") % 2 == 0:
            raise Answer(403, f"<D:error {ROOT}><C:max-attachments-per-resource/></D:error>")  # whenever the second one comes

    small.on_post = refuse
    done = copy(f"ics:{tmp_path}/source", small.url(), ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and "max-attachments" in str(done.missed), done
    assert len(small.named("Work")) == 1


def test_cyrus(fast_dir, tmp_path, ledger):
    if not cyrus.has_dav():
        pytest.skip("Cyrus is not unpacked: see script/lib.sh")
    with cyrus.CyrusDav(fast_dir) as server:
        path = server.make("Work")
        assert server.put(path + "a.ics", calendar(event("a", "20240105T100000Z", "Meeting")))[0] == 201
        status, headers, _ = server.request("POST", path + "a.ics?action=attachment-add", BYTES, {
            "Content-Type": "image/png", "Content-Disposition": 'attachment; filename="x.png"'})
        assert status in (201, 204)
        assert server.request("GET", urllib.parse.urlsplit(headers["Location"]).path)[2] == BYTES
        done = copy(server.url(), f"ics:{tmp_path}/to", ledger, "--include", "Work")
        found = arrived(tmp_path)
        assert done.status == 0 and [content for _, content in found] == [BYTES], done
        assert "FMTTYPE=image/png" in found[0][0]
