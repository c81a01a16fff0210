"""What CalDAV and CardDAV servers do to a client, by a strict peer: refusals in each server's words, truncated listings,
throttling, broken answers, redirects, other origins, and a trap for invitations."""

import json
import re
from pathlib import Path

import pytest
from calendar_items import calendar, card, event, seen, texts, uids, write
from dav_peer import ROOT, XML, Answer, Hang, Peer, uid_of
from run import copy, postferry
from servers.base import free_port
from servers.certs import make as make_certs


@pytest.fixture
def peer():
    with Peer() as p:
        yield p
        assert p.breaches == []


@pytest.fixture
def source(tmp_path):
    return tmp_path / "source" / "Work"


def events(n, tag="e"):
    return [calendar(event(f"{tag}{i}", f"2024{i % 12 + 1:02}{i % 28 + 1:02}T100000Z", f"Event {i}")) for i in range(n)]


def fill(source, n):
    for i, text in enumerate(events(n)):
        write(source, f"{i}.ics", text)


def to_peer(source, peer, ledger, *more, **kw):
    return copy(f"ics:{source.parent}", peer.url(), ledger, *more, **kw)


def arrived(peer, source):
    return seen(peer.named("Work")) == seen(texts(source).values())


# ---- listings ----

@pytest.mark.parametrize("page,token", [(0, True), (7, True), (7, False)], ids=["whole", "cut", "cut for good"])
def test_truncated_listing(peer, tmp_path, ledger, page, token):
    peer.folder("Work", *events(40))
    peer.page, peer.page_token = page, token
    done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
    assert done.status == 0, done
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(40))
    assert peer.count("PUT") == 0


def test_listing_without_sync(peer, tmp_path, ledger):
    peer.sync = False
    peer.folder("Work", *events(5))
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).status == 0
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(5))


def test_sync_is_promised_and_refused(peer, tmp_path, ledger):
    peer.folder("Work", *events(5))

    def refuse(request):
        if request.method == "REPORT" and request.xml.tag.endswith("sync-collection"):
            raise Answer(500)

    peer.before.append(refuse)
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).status == 0
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(5))


def test_an_unchanged_source_is_not_listed_again(peer, tmp_path, ledger):
    peer.folder("Work", *events(5))
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).status == 0
    before = peer.count("REPORT")
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).status == 0
    assert peer.count("REPORT") == before
    peer.store(peer.home + "Work/new.ics", calendar(event("new", "20240505T100000Z", "New")))
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).outcome["copied_now"] == 1


@pytest.mark.parametrize("form", ["absolute", "encoded", "lower", "relative"])
def test_hrefs_in_every_form(peer, tmp_path, ledger, form):
    peer.home = "/dav/user@example.org/"
    write_as = {
        "absolute": lambda path: f"http://127.0.0.1:{peer.port}" + path.replace("@", "%40"),
        "encoded": lambda path: path.replace("@", "%40").replace("o", "%6F"),
        "lower": lambda path: path.replace("ö", "%c3%b6"),
        "relative": lambda path: path.replace("/dav/", "/dav/x/../"),
    }
    peer.href = write_as[form]
    path = peer.folder("Work")
    for i, text in enumerate(events(12)):
        peer.store(f"{path}ö @ {i}.ics", text)
    done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
    assert done.status == 0, done
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(12))
    assert peer.count("GET") == 0  # all came in the multigets


def test_an_object_of_many_items_is_read_once_to_compare_them(peer, tmp_path, ledger):
    peer.folder("Work", calendar(*(event(f"u{i}", f"202401{i + 1:02}T100000Z", f"Event {i}") for i in range(20))))
    args = "--from", peer.url(), "--to", f"ics:{tmp_path}/to", "--ledger", ledger
    assert copy(args[1], args[3], ledger).outcome["copied"] == 20
    asked, before = [], peer.count("GET")
    peer.multiget = lambda request, hrefs, answer: asked.extend(hrefs) or answer
    done = postferry("verify", "--deep", *args, "--allow-plaintext", "--json")
    assert done.status == 0 and done.outcome["compared"] == 20, done
    assert len(asked) + peer.count("GET") - before == 1
    target = sorted((tmp_path / "to" / "Work").glob("*.ics"))
    for path in target[3], target[7]:
        path.write_text(path.read_text().replace("SUMMARY:Event", "SUMMARY:Nothing"))
    done = postferry("verify", "--deep", *args, "--allow-plaintext", "--json")
    assert done.status == 1 and done.outcome["differing"] == 2, done


# ---- reading ----

def lose(peer, request, hrefs, answer):
    return peer.multi("".join(peer.body_of(h) for h in hrefs[1:]))


def break_it(peer, request, hrefs, answer):
    return Answer(207, answer.body[:len(answer.body) // 2])


def control(peer, request, hrefs, answer):
    return Answer(207, answer.body.replace("Event 3", "Event \x013"))


def refuse(peer, request, hrefs, answer):
    return Answer(501)


def entities(peer, request, hrefs, answer):
    return Answer(207, answer.body.replace("?>", '?><!DOCTYPE x [<!ENTITY a "Event 3">]>', 1))


@pytest.mark.parametrize("how", [lose, break_it, control, refuse, entities])
def test_what_multiget_does_not_bring(peer, tmp_path, ledger, how):
    peer.folder("Work", *events(20))
    peer.multiget = lambda *a: how(peer, *a)
    done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
    assert done.status == 0, done
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(20))
    assert peer.count("GET") > 0


def test_an_item_that_can_not_be_read_is_named(peer, tmp_path, ledger):
    path = peer.folder("Work", *events(5))

    def fail(request):
        if request.method == "GET" and request.path == path + "3.ics":
            raise Answer(500, "no such luck", "text/plain")

    peer.before.append(fail)
    peer.multiget = lambda request, hrefs, answer: peer.multi("".join(peer.body_of(h) for h in hrefs if "3" not in h))
    done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1, done
    assert "no such luck" in str(done.missed) and len(texts(tmp_path / "to" / "Work")) == 4


# ---- refusals ----

CONFLICT = "<D:error {}>{}</D:error>".format
SABRE = '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>{}</s:message></d:error>'.format
UID_WORDS = {
    "radicale": (409, XML, CONFLICT(ROOT, "<C:no-uid-conflict/>")),
    "xandikos": (412, XML, CONFLICT(ROOT, "<C:no-uid-conflict/>")),
    "xandikos 0.2.8": (207, XML, f"<D:multistatus {ROOT}><D:response><D:href>http%3A//127.0.0.1/x</D:href><D:status>"
                       "HTTP/1.1 412 Precondition Failed</D:status><D:error><C:no-uid-conflict/></D:error>"
                       "</D:response></D:multistatus>"),
    "cyrus": (403, XML, CONFLICT(ROOT, "<C:unique-scheduling-object-resource><D:href>/dav/user/elsewhere/held.ics"
                                 "</D:href></C:unique-scheduling-object-resource>")),
    "sogo": (409, "text/plain", 'Event UID already in use. (taken.ics)'),
    "nextcloud": (400, XML, SABRE("Calendar object with uid already exists in this calendar collection.")),
    "nextcloud, in the trash": (400, XML, SABRE("Deleted calendar object with uid already exists in this calendar "
                                                "collection.")),
}


# All of them in each server's words: src/proto/dav/test_dav.c.
@pytest.mark.parametrize("whose", UID_WORDS)
def test_fn23_s8_13_a_uid_that_is_taken(peer, source, ledger, whose):
    """By something that nobody can see: the item gets a UID of its own, once."""
    status, kind, body = UID_WORDS[whose]
    fill(source, 3)

    def on_put(request, text):
        if uid_of(text) == "e1":
            raise Answer(status, body, kind)

    peer.on_put = on_put
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and arrived(peer, source), done
    assert peer.count("PUT") == 4 and len(set(uids(peer.named("Work"))) - {"e0", "e2"}) == 1
    assert to_peer(source, peer, ledger).outcome["copied_now"] == 0 and peer.count("PUT") == 4


@pytest.mark.parametrize("same", [True, False])
def test_fn23_a_uid_that_was_taken_meanwhile(peer, source, ledger, same):
    """The holder is looked for: what means the same is not written a second time."""
    fill(source, 1)

    def on_put(request, text):
        if uid_of(text) == "e0":
            theirs = text if same else text.replace("Event 0", "Theirs")
            peer.store(request.path.rpartition("/")[0] + "/theirs.ics", theirs)
            raise Answer(409, CONFLICT(ROOT, "<C:no-uid-conflict/>"))

    peer.on_put = on_put
    done = to_peer(source, peer, ledger)
    assert done.status == 0, done
    assert done.outcome["present" if same else "copied"] == 1
    assert len(peer.named("Work")) == (1 if same else 2)


NO_WORDS = {
    "cyrus": (403, XML, CONFLICT(ROOT, "<C:valid-calendar-data/><D:responsedescription>DTEND must occur after DTSTART"
                                 "</D:responsedescription>"), "DTEND must occur after DTSTART"),
    "cyrus, two masters": (403, XML, CONFLICT(ROOT, "<C:valid-calendar-object-resource/>"), "valid-calendar-object-resource"),
    "nextcloud, two masters": (415, XML, SABRE("More than one master object was found for uid: x"), "More than one master"),
    "sabre, two UIDs": (415, XML, SABRE("Every VEVENT in this object must have identical UIDs"), "identical UIDs"),
    "radicale, two masters": (400, "text/plain", "Bad Request", "400: Bad Request"),
    "sogo, booked": (409, "text/plain", "Maximum number of simultaneous bookings (1) reached for resource 'Room'",
                     "simultaneous bookings"),
    "gromox": (400, "text/plain", "E-2712: more than one main event", "more than one main event"),
    "davical": (500, "text/html", "<html><body><h1>DAViCal Fatal Error</h1></body></html>", "DAViCal Fatal Error"),
    "too large": (403, XML, CONFLICT(ROOT, "<C:max-resource-size/>"), "max-resource-size"),
    "xandikos 0.2.8": (207, XML, f"<D:multistatus {ROOT}><D:response><D:href>x</D:href><D:status>HTTP/1.1 403 Forbidden"
                       "</D:status><D:error><C:valid-calendar-data/></D:error></D:response></D:multistatus>",
                       "valid-calendar-data"),
}


@pytest.mark.parametrize("whose", NO_WORDS)
def test_an_item_that_is_refused(peer, source, ledger, whose):
    status, kind, body, words = NO_WORDS[whose]
    fill(source, 4)

    def on_put(request, text):
        if uid_of(text) == "e2":
            raise Answer(status, body, kind)

    peer.on_put = on_put
    done = to_peer(source, peer, ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and done.outcome["copied"] == 3, done
    assert words in str(done.missed) and len(peer.named("Work")) == 3
    assert peer.count("PUT") <= 7


@pytest.mark.parametrize("gone", [False, True])
def test_a_404_to_a_put(peer, source, ledger, gone):
    """SOGo says so of a card that it does not understand: the folder is there, and the others arrive. Or the folder is gone."""
    for n in range(8):
        write(source, f"{n}.ics", calendar(event(f"u{n}", f"2024010{n + 1}T120000Z", f"Event {n}")))

    def on_put(request, text):
        if gone:
            peer.folders.pop(request.path.rpartition("/")[0] + "/", None)
        if gone or "Event 3" in text:
            raise Answer(404, "An error occurred during object publishing")

    peer.on_put = on_put
    done = copy(f"ics:{source.parent}", peer.url(), ledger)
    assert done.status == 1 and "object publishing" in done.out, done
    if gone:
        assert done.outcome["folders_failed"] == 1 and done.outcome["quarantined"] == 0, done
    else:
        assert done.outcome["copied"] == 7 and done.outcome["quarantined"] == 1, done
        assert done.outcome["folders_failed"] == 0 and done.missed[0]["item"].startswith("3.ics"), done
    peer.on_put = None
    done = postferry("retry", "--from", f"ics:{source.parent}", "--to", peer.url(), "--ledger", ledger, "--allow-plaintext", "--json")
    assert done.status == 0 and done.outcome["copied"] == 8, done


def test_a_501_to_a_put(peer, source, ledger):
    """SOGo says so where it stumbles over one item: that one, in each run."""
    fill(source, 8)

    def on_put(request, text):
        if "Event 0" in text:
            raise Answer(501)

    peer.on_put = on_put
    for run in range(2):
        done = to_peer(source, peer, ledger if run == 0 else ledger + "-lost")
        assert done.status == 1 and "501" in done.out, done
        assert done.outcome["folders_failed"] == 0 and done.outcome["quarantined"] == 1, done
        assert done.outcome["copied_now"] == (7 if run == 0 else 0), done


def test_a_server_that_drops_its_links(peer, tmp_path, source, ledger):
    """SOGo closes without a word what it said it would keep: the request goes out on another link, and nothing is said of it."""
    fill(source, 12)
    peer.requests_a_link = 5
    done = to_peer(source, peer, ledger, "--connections", "1")
    assert done.status == 0 and done.outcome["copied"] == 12 and arrived(peer, source), done
    back = copy(peer.url(), f"ics:{tmp_path}/back", ledger + "-back", "--connections", "1")
    assert back.status == 0 and back.outcome["copied"] == 12, back
    lost = [e for e in done.events + back.events if e["number"] == 10003]
    assert not lost, lost


def test_a_full_target(peer, source, ledger):
    fill(source, 5)

    def on_put(request, text):
        if len(peer.named("Work")) == 2:
            raise Answer(507, CONFLICT(ROOT, "<D:quota-not-exceeded/>"))

    peer.on_put = on_put
    done = to_peer(source, peer, ledger)
    assert done.status == 4 and "quota-not-exceeded" in done.err, done
    peer.on_put = None
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)


def test_servers_that_take_a_uid_twice(peer, source, ledger):
    """DAViCal, sabre/dav (Baïkal), Exchange: nothing is overwritten, and ours has a UID of its own all the same."""
    theirs = calendar(event("e0", "20230101T100000Z", "Theirs"))
    peer.folder("Work", theirs)
    fill(source, 2)
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and done.outcome["copied"] == 2, done
    assert theirs in peer.named("Work") and len(set(uids(peer.named("Work")))) == 3


def test_a_name_that_is_taken(peer, source, ledger):
    """412 without a word: another item has the name that ours would get. It gets another name, and the other one stays."""
    fill(source, 1)
    theirs = calendar(event("other", "20230101T100000Z", "Theirs"))

    def on_put(request, text):
        if not peer.named("Work"):
            peer.store(request.path, theirs)
            raise Answer(412)

    peer.on_put = on_put
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and done.outcome["copied"] == 1, done
    assert peer.named("Work") == [theirs, *texts(source).values()]


def rewrite(peer, old, new):
    """A server that keeps what it is sent in words of its own, and gives no ETag for it."""
    put = peer.put

    def put_rewritten(request):
        request.body = request.body.replace(old, new)
        answer = put(request)
        answer.headers.pop("ETag", None)
        return answer

    peer.put = put_rewritten


def test_s8_16_a_rule_in_other_words(peer, source, ledger):
    write(source, "a.ics", calendar(event("s", "20240105T100000Z", "Weekly", "RRULE:FREQ=WEEKLY;COUNT=10")))
    rewrite(peer, b"RRULE:FREQ=WEEKLY;COUNT=10", b"RRULE:WKST=MO;COUNT=10;BYDAY=FR;INTERVAL=1;FREQ=WEEKLY")
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and done.outcome["copied"] == 1 and "BYDAY=FR" in peer.named("Work")[0], done
    for lost in (ledger, ledger + "-lost"):
        again = to_peer(source, peer, lost)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.count("PUT") == 1, again


# ---- patience and lost links ----

@pytest.mark.parametrize("dated", [False, True], ids=["seconds", "a date"])
@pytest.mark.parametrize("method,status", [("PROPFIND", 503), ("MKCALENDAR", 429), ("PUT", 429), ("PUT", 503)])
def test_patience(peer, source, ledger, method, status, dated):
    """Retry-After is never undercut: that would be a breach."""
    fill(source, 3)
    times = [1]

    def busy(request):
        if request.method == method and times and request.path != "/.well-known/caldav":
            times.pop()
            raise peer.patience(1, status, dated)

    peer.before.append(busy)
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and arrived(peer, source), done
    assert any(e["number"] == 10004 for e in done.events)


@pytest.mark.parametrize("more,plan", [((), ""), (("--connections", "5"), ""), ((), "connections: 3"), ((), "connections: 1")],
                         ids=["as many as pay", "named", "a server's", "a server's only one"])
def test_requests_at_once(peer, source, ledger, tmp_path, more, plan):
    peer.far = 0.05 if more or plan else 0.2  # so that waiting takes all the time, and more at once pay
    fill(source, 60 if more or plan else 150)
    if plan:
        write(tmp_path, "accounts.csv", f"from,to\nics:{source.parent},{peer.url().replace('127.0.0.1', 'peer')}\n")
        write(tmp_path, "plan.yaml", f"accounts: accounts.csv\nallow_plaintext: true\nservers:\n  peer: {{host: 127.0.0.1, {plan}}}\n")
        done = postferry("run", tmp_path / "plan.yaml", "--ledger", ledger, "--json")
    else:
        done = to_peer(source, peer, ledger, *more)
    assert done.status == 0 and arrived(peer, source), done
    if plan:  # which counts them over all accounts
        assert peer.at_once <= int(plan.split()[-1])
    elif more:
        assert peer.at_once == int(more[-1])
    else:
        assert 4 <= peer.at_once <= 16


def test_patience_narrows(peer, source, ledger):
    peer.far = 0.05
    fill(source, 30)
    before = []

    def busy(request):
        if request.method == "PUT" and peer.count("PUT") == 10:
            before.append(peer.at_once)
            raise peer.patience(1, 503)
        if request.method == "PUT" and peer.count("PUT") == 13:  # those that were under way are through
            peer.at_once = peer.under_way

    peer.before.append(busy)
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and arrived(peer, source), done
    assert before == [2] and peer.at_once == 1


def test_patience_while_reading(peer, tmp_path, ledger):
    peer.folder("Work", *events(5))
    times = [1, 1]

    def busy(request):
        if request.method == "REPORT" and times:
            times.pop()
            raise peer.patience(1)

    peer.before.append(busy)
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).status == 0
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(5))


def test_nobody_listens(tmp_path, ledger):
    """A wrong address is told after one more try, and each try is told of."""
    done = copy(f"caldav://user@127.0.0.1:{free_port()}/", f"ics:{tmp_path}/to", ledger)
    assert done.status == 3 and "connect" in done.err, done
    assert [e["number"] for e in done.events if e["number"] == 10003] == [10003], done


@pytest.mark.parametrize("stored", [True, False])
def test_fn23_cut_after_a_put(peer, source, ledger, stored):
    """It is found out whether it arrived: never a second copy."""
    fill(source, 5)
    cut = []

    def on_put(request, text):
        if uid_of(text) == "e3" and not cut:
            cut.append(1)
            if stored:
                peer.store(request.path, text)
            raise Hang

    peer.on_put = on_put
    done = to_peer(source, peer, ledger)
    # On a connection that was used before, libcurl itself asks again, and hears that it is there.
    assert done.status == 0 and arrived(peer, source), done
    assert done.outcome["copied"] + done.outcome["present"] * stored == 5 and done.outcome["present"] <= 1, done


def test_s8_14_killed_between_put_and_ledger(peer, source, ledger):
    fill(source, 30)
    for at in range(3, 9):
        to_peer(source, peer, ledger, env={"POSTFERRY_TEST_KILL_AT_WRITE": str(at)})
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and arrived(peer, source) and len(peer.named("Work")) == 30, done


# ---- places ----

def test_other_origins_get_nothing(peer, source, ledger):
    fill(source, 1)
    with Peer() as other:
        for way in ("well-known", "home", "item"):
            if way == "well-known":
                peer.well_known = other.url().replace("caldav://user@", "http://") + "dav/"
                peer.before.append(nothing_here)
            elif way == "home":
                peer.well_known = "/dav/"
                peer.before.clear()
                peer.home = f"http://127.0.0.1:{other.port}/dav/user/"
            else:
                peer.home = "/dav/user/"
                peer.before.append(lambda r: move(r, other))
            done = to_peer(source, peer, ledger)
            assert done.status in (1, 3), (way, done)
            assert f"127.0.0.1:{other.port}" in done.out + done.err, (way, done)
        assert other.log == []


def nothing_here(request):
    if request.path == "/":
        raise Answer(404)


def move(request, other):
    if request.method == "PUT":
        raise Answer(302, Location=f"http://127.0.0.1:{other.port}{request.path}")


def test_redirects_within_the_place(peer, source, ledger):
    fill(source, 2)
    peer.well_known = f"http://127.0.0.1:{peer.port}/old"

    def moved(request):
        if request.path.startswith("/old"):
            raise Answer(308, Location="/dav/")

    peer.before.append(moved)
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)


def test_redirects_without_end(peer, source, ledger):
    fill(source, 1)

    def round_and_round(request):
        raise Answer(302, Location=request.raw + "x")

    peer.before.append(round_and_round)
    assert to_peer(source, peer, ledger).status == 3
    assert len(peer.log) < 30


@pytest.mark.parametrize("path", ["/dav/user/", "/dav/user/Work/", "/dav/principals/user/", "/dav/"])
def test_any_url_of_the_account_will_do(peer, tmp_path, ledger, path):
    peer.folder("Work", *events(3))
    peer.folder("Home", *events(2, "h"))
    done = copy(peer.url(path), f"ics:{tmp_path}/to", ledger)
    assert done.status == 0, done
    assert len(texts(tmp_path / "to" / "Work")) == 3
    assert len(texts(tmp_path / "to" / "Home")) == (0 if path.endswith("Work/") else 2)


def test_two_calendars_of_one_name(peer, tmp_path, ledger):
    a, b = peer.folder("one", *events(2, "a")), peer.folder("two", *events(3, "b"))
    peer.names[a] = peer.names[b] = "Work"
    assert copy(peer.url(), f"ics:{tmp_path}/to", ledger).status == 0
    assert sorted(len(texts(tmp_path / "to" / d)) for d in ("Work", "Work (two)")) == [2, 3]


@pytest.mark.parametrize("refusal", [405, 501, 403, 500])
def test_a_server_without_mkcalendar(peer, source, ledger, refusal):
    fill(source, 2)

    def no_mkcalendar(request):
        if request.method == "MKCALENDAR":
            raise Answer(refusal)

    peer.before.append(no_mkcalendar)
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)
    assert peer.count("MKCALENDAR") <= 3


def test_no_storm_where_nothing_can_be_made(peer, source, ledger):
    fill(source, 2)

    def no(request):
        if request.method in ("MKCALENDAR", "MKCOL"):
            raise Answer(403, CONFLICT(ROOT, "<D:need-privileges/>"))

    peer.before.append(no)
    done = to_peer(source, peer, ledger)
    assert done.status == 1 and "need-privileges" in done.out + done.err, done
    assert len(peer.log) < 60


# ---- versions ----

@pytest.mark.parametrize("how", ["weak", "no_etag"])
def test_weak_versions(peer, source, ledger, how):
    setattr(peer, how, True)
    fill(source, 4)
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)
    assert to_peer(source, peer, ledger).outcome["copied_now"] == 0 and peer.count("PUT") == 4
    write(source, "1.ics", calendar(event("e1", "20240202T100000Z", "Another title")))
    done = to_peer(source, peer, ledger)
    assert done.status == 0 and arrived(peer, source) and peer.count("PUT") == 5, done


def test_what_a_server_alters_is_noticed(peer, source, ledger):
    fill(source, 3)
    put = peer.put

    def alter(request):
        request.body = request.body.replace(b"Event 1", b"Evnt 1")
        answer = put(request)
        answer.headers.pop("ETag")
        return answer

    peer.put = alter
    done = to_peer(source, peer, ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and done.outcome["copied"] == 2, done


def cut_off(peer):
    """A server that dies of an item, and is started anew each time."""
    def on_put(request, text):
        if uid_of(text) == "e2":
            raise Hang

    peer.on_put = on_put


def hide(peer):
    """It takes an item, and does not show it."""
    put = peer.put

    def forget(request):
        answer = put(request)
        if uid_of(request.body.decode()) == "e2":
            peer.folders[request.path.rpartition("/")[0] + "/"].pop(request.path)
        return answer

    peer.put = forget


@pytest.mark.parametrize("how", [cut_off, hide])
def test_what_never_arrives_holds_up_nothing(peer, source, ledger, how):
    """All else does; it is named, tried again in the next run, and in quarantine then."""
    fill(source, 5)
    how(peer)
    hasty = {"POSTFERRY_TEST_CLOCK": "100"}
    done = to_peer(source, peer, ledger, env=hasty)
    assert done.status == 1 and done.outcome["copied"] == 4 and done.outcome["open"] == 1, done
    assert [m["item"] for m in done.missed] == ["2.ics"]
    done = to_peer(source, peer, ledger, env=hasty)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and done.outcome["open"] == 0, done
    assert [m["item"] for m in done.missed] == ["2.ics"]
    assert "Event 2" in next(Path(ledger + ".quarantine").glob("**/*.eml")).read_text()
    again = to_peer(source, peer, ledger, env=hasty)
    assert again.outcome["copied_now"] == 0 and len(peer.named("Work")) == 4, again


@pytest.mark.parametrize("contacts", [False, True], ids=["events", "contacts"])
@pytest.mark.parametrize("more", [[], ["COMMENT:one, two"]], ids=["as it is", "repaired in vain"])
def test_what_was_altered_is_known_without_its_ledger(peer, source, ledger, contacts, more):
    """It is named again, and put no second time, whoever shares its UID."""
    peer.contacts = contacts
    for n, (uid, title) in enumerate((("u", "Lunch"), ("u", "Lunch"), ("u", "Dinner"), ("v", "Lunch"))):
        text = card(uid, title) if contacts else calendar(event(uid, f"2024010{n % 2 + 1}T120000Z", title, *more))
        write(source, f"{n}.{'vcf' if contacts else 'ics'}", text)
    rewrite(peer, b"Lunch", b"Launch")
    url = f"{'vcf' if contacts else 'ics'}:{source.parent}"
    done = copy(url, peer.url(), ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 3 and done.outcome["copied"] == 1, done
    before = dict(peer.folders)
    path = next(iter(before))
    there, etags = dict(peer.folders[path]), dict(peer.etags)
    assert len(there) == 4 and sum("X-POSTFERRY-MEANT:" in text for text in there.values()) == 3
    again = copy(url, peer.url(), ledger)
    assert again.status == 1 and again.outcome["copied_now"] == 0 and peer.etags == etags, again
    for lost in ("-2", "-3"):
        again = copy(url, peer.url(), ledger + lost)
        assert again.status == 1 and again.outcome["quarantined"] == 3 and again.outcome["present"] == 1, again
        assert {m["reason"] for m in again.missed} == {m["reason"] for m in done.missed}, again
        assert peer.folders[path] == there and peer.etags == etags
    kept = [p.read_text() for p in Path(ledger + "-3.quarantine").glob("**/*.eml")]
    assert len(kept) == 3 and all("Lunch" in text and "X-POSTFERRY-MEANT" not in text for text in kept)


@pytest.mark.parametrize("contacts", [False, True], ids=["events", "contacts"])
def test_what_a_target_adds_of_its_own_harms_nothing(peer, source, ledger, contacts):
    """It has arrived, with a note; so it is in the next run, to verify, and without its ledger."""
    peer.contacts = contacts
    kind = "vcf" if contacts else "ics"
    for n, (uid, title) in enumerate((("u", "Lunch"), ("u", "Dinner"), ("v", "Lunch"))):
        text = card(uid, title) if contacts else calendar(event(uid, f"2024010{n + 1}T120000Z", title))
        write(source, f"{n}.{kind}", text)
    rewrite(peer, b"Lunch", b"Lunch\r\nX-KEEPER-ID;X-BY=her:4711")
    url = f"{kind}:{source.parent}"
    done = copy(url, peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 3, done
    report = json.loads(postferry("report", "--ledger", ledger, "--format", "json").out)
    assert [n["note"] for n in report["noted"]].count("the target added X-KEEPER-ID") == 2, report
    there, etags = dict(peer.folders), dict(peer.etags)
    again = copy(url, peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.etags == etags, again
    checked = postferry("verify", "--deep", "--from", url, "--to", peer.url(), "--ledger", ledger, "--allow-plaintext")
    assert checked.status == 0, checked
    lost = copy(url, peer.url(), ledger + "-2")
    assert lost.status == 0 and lost.outcome["copied_now"] == 0 and lost.outcome["present"] == 3, lost
    assert peer.folders == there and peer.etags == etags


@pytest.mark.parametrize("old,new,named", [
    (b"LOCATION:here\r\n", b"X-KEEPER-ID:4711\r\n", "LOCATION, X-KEEPER-ID"),
    (b"LOCATION:here\r\n", b"LOCATION:here\r\nCATEGORIES:theirs\r\n", "CATEGORIES"),
], ids=["takes away", "adds a standard one"])
def test_what_a_target_takes_away_or_says_besides_is_told(peer, source, ledger, old, new, named):
    """Only what is all there, with nothing but the target's own besides, has arrived."""
    write(source, "1.ics", calendar(event("u", "20240101T120000Z", "Lunch", "LOCATION:here")))
    rewrite(peer, old, new)
    done = to_peer(source, peer, ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 1 and done.outcome["copied"] == 0, done
    assert done.missed[0]["reason"].endswith(f"({named})"), done


@pytest.mark.parametrize("how", ["altered", "altered though repaired", "refused"])
def test_what_does_not_arrive_is_kept_item_by_item(peer, source, ledger, how):
    """Several items of one file: the bytes of each, and what the server made of it."""
    more = ["COMMENT:one, two"] if "repaired" in how else []
    write(source, "all.ics", calendar(*(event(f"u{i}", f"2024010{i}T120000Z", f"Event {i}", *more) for i in range(1, 5))))
    original = peer.put

    def put(request):
        if how == "refused" and b"Event 4" not in request.body:
            raise Answer(403, f"<D:error {ROOT}><C:valid-calendar-data/></D:error>")
        answer = original(request)
        if b"Event 4" not in request.body:
            peer.folders[request.path.rpartition("/")[0] + "/"][request.path] = request.body.decode().replace("Event", "Evening")
        return answer

    peer.put = put
    done = to_peer(source, peer, ledger)
    assert done.status == 1 and done.outcome["quarantined"] == 3 and done.outcome["copied"] == 1, done
    assert done.outcome["copied_now"] == 1
    kept = [path.read_text() for path in Path(ledger + ".quarantine").glob("**/*.eml")]
    assert sorted(re.findall("SUMMARY:(.*)", "".join(kept))) == ["Event 1", "Event 2", "Event 3"] and len(kept) == 3
    reasons = {m["reason"] for m in done.missed}
    assert reasons == {"PUT: 403 valid-calendar-data" if how == "refused"
                       else "the target altered it: it means something else there (SUMMARY)"}


# ---- nobody is invited ----

def test_nobody_is_invited(peer, source, ledger):
    peer.features += ", calendar-auto-schedule"
    people = ["ORGANIZER;CN=Ann:mailto:user@example.org", "ATTENDEE;CN=Bob:mailto:bob@example.com",
              "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.com"]
    for i, start in enumerate(("20200101T100000Z", "20990101T100000Z", "20990102T100000Z")):
        write(source, f"{i}.ics", calendar(event("meeting", start, f"Meeting {i}", *people)))
    write(source, "series.ics", calendar(
        event("series", "20200101T100000Z", "Series", "RRULE:FREQ=WEEKLY", *people),
        event("series", "20200108T110000Z", "Series, later", "RECURRENCE-ID:20200108T100000Z", *people)))
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)
    write(source, "1.ics", calendar(event("meeting", "20990101T120000Z", "Meeting 1, later", *people)))
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)
    assert peer.sent == []
    for method, _, headers in peer.log:
        if method == "PUT":
            assert headers["Schedule-Reply"] == "F" and headers["Scheduling-Enabled"] == "F"


# ---- contacts, sign-in ----

def test_contacts(peer, tmp_path, ledger):
    peer.contacts = True
    for i in range(3):
        write(tmp_path / "source" / "Friends", f"{i}.vcf", card("same", f"Friend {i}"))
    done = copy(f"vcf:{tmp_path}/source", peer.url(), ledger)
    assert done.status == 0, done
    assert seen(peer.named("Friends")) == seen(texts(tmp_path / "source" / "Friends").values())
    assert peer.count("MKCALENDAR") == 0


def test_a_server_that_asks_nobody(peer, source, ledger):
    """The password is shown unasked where strangers see nothing."""
    fill(source, 1)
    peer.sign_in = False

    def stranger(request):
        if request.headers.get("Authorization") != peer.login and request.method == "PROPFIND":
            raise Answer(207, f"<D:multistatus {ROOT}><D:response><D:href>{request.path}</D:href><D:propstat><D:prop>"
                         "<D:current-user-principal><D:unauthenticated/></D:current-user-principal></D:prop><D:status>"
                         "HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>")

    peer.before.append(stranger)
    assert to_peer(source, peer, ledger).status == 0 and arrived(peer, source)


def test_token(peer, source, ledger):
    """One that has run out is asked for anew, once."""
    fill(source, 3)
    peer.login = "Bearer second"
    tokens = source.parent.parent / "tokens"
    tokens.write_text("first\nsecond\n")
    script = source.parent.parent / "take"
    script.write_text(f"#!/bin/sh\nhead -n 1 {tokens}\nsed -i 1d {tokens}\n")
    script.chmod(0o755)
    done = to_peer(source, peer, ledger, "--to-secret", f"oauth:command:{script}")
    assert done.status == 0 and arrived(peer, source), done


# ---- TLS ----

@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return make_certs(str(tmp_path_factory.mktemp("certs")))


@pytest.mark.parametrize("option,right", [("--ca-file", True), ("--tls-fingerprint", True), ("--tls-fingerprint", False),
                                          (None, False)], ids=["authority", "pinned", "another one", "unknown"])
def test_certificates(source, ledger, certs, option, right):
    fill(source, 3)
    with Peer(tls=(certs.cert, certs.key)) as peer:
        pin = certs.fingerprint if right else "00" * 32
        more = [option, certs.ca if option == "--ca-file" else pin] if option else []
        done = copy(f"ics:{source.parent}", peer.url().replace("127.0.0.1", "localhost"), ledger, *more)
        assert done.status == (0 if right else 3), done
        if right:
            assert arrived(peer, source)
        else:
            assert certs.fingerprint.replace(":", "").lower() in done.err and peer.log == []


def test_a_certificate_of_another_host(source, ledger, certs):
    fill(source, 1)
    with Peer(tls=(certs.cert, certs.key)) as peer:
        done = copy(f"ics:{source.parent}", peer.url(), ledger, "--ca-file", certs.ca)
        assert done.status == 3 and peer.log == [] and "certificate" in done.err, done
