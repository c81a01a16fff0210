"""CalDAV servers, and what stands before them, that are odd but not wrong."""

import pytest
from calendar_items import seen, texts, write
from dav_peer import Answer, Peer
from run import copy
from test_dav_peer import events


@pytest.fixture
def peer():
    with Peer() as p:
        yield p
        assert p.breaches == []


def all_arrive(peer, tmp_path, ledger, wanted, name="Work"):
    for copied in (len(wanted), 0):
        done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
        assert done.status == 0 and done.outcome["copied_now"] == copied, done
        assert seen(texts(tmp_path / "to" / name).values()) == seen(wanted), done


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "PROPFIND"])
@pytest.mark.parametrize("name", ["http://inner.example:8080", "https://inner.example"])
def test_a_server_that_calls_itself_otherwise(peer, tmp_path, ledger, sync, name):
    """Behind a proxy it knows its inner name only."""
    peer.sync = sync
    peer.folder("Work", *events(7))
    peer.href = lambda path: name + path
    all_arrive(peer, tmp_path, ledger, events(7))


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "PROPFIND"])
def test_a_listing_of_other_places_is_no_empty_one(peer, tmp_path, ledger, sync):
    """A proxy that gives paths other names: nothing is found, and that is said."""
    peer.sync = sync
    peer.folder("Work", *events(7))
    peer.href = lambda path: path if path.endswith("/") else "/inner" + path
    done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
    assert done.status == 1 and "about other places only" in done.out, done


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_collection_that_has_moved(peer, tmp_path, ledger, status):
    """Its home still shows it where it was; all that is asked for there is sent on."""
    old, new = peer.folder("Work", *events(7)), "/dav/user/elsewhere/"
    listed = peer.folders

    def move(request):
        if request.path == peer.home:
            peer.folders = listed
        elif request.path.startswith(old):
            raise Answer(status, Location=new + request.path[len(old):])
        elif request.path.startswith(new):
            peer.folders = {old: {}, new: {new + href[len(old):]: text for href, text in listed[old].items()}}
            peer.names[new] = "Work"
            peer.etags.update({new + href[len(old):]: peer.etags[href] for href in listed[old]})

    peer.before.append(move)
    all_arrive(peer, tmp_path, ledger, events(7))


def test_calendars_within_plain_collections(peer, tmp_path, ledger):
    """RFC 4791 section 5.2: they may lie in collections that are no calendars themselves; one that can't be opened is told."""
    plain = {"/dav/user/group/": ["/dav/user/group/deeper/", "/dav/user/group/shut/"], "/dav/user/group/deeper/": []}
    peer.folder("Own", *events(2, "o"))
    path = peer.folder("group/deeper/Work", *events(5))
    peer.names[path] = "Work"

    def within(request):
        def collection(p):
            return peer.response(p, "<D:resourcetype><D:collection/></D:resourcetype>")

        if request.path == "/dav/user/group/shut/":
            raise Answer(403)
        if request.method == "PROPFIND" and request.path in plain:
            inside = "".join(collection(p) for p in [request.path, *plain[request.path]])
            if request.path == "/dav/user/group/deeper/":
                inside += peer.response(path, peer.folder_props(path))
            raise peer.multi(inside)
        if request.method == "PROPFIND" and request.path == peer.home:
            own = peer.home + "Own/"
            raise peer.multi(collection(peer.home) + collection("/dav/user/group/") + peer.response(own, peer.folder_props(own)))

    peer.before.append(within)
    for copied in (7, 0):
        done = copy(peer.url(), f"ics:{tmp_path}/to", ledger)
        assert done.status == 0 and done.outcome["copied_now"] == copied, done
    assert seen(texts(tmp_path / "to" / "Work").values()) == seen(events(5))
    assert [e for e in done.events if "shut" in e["text"]], done


def names_of_its_own(peer, told):
    def put(request):
        if request.method == "PUT":
            name = f"{request.path.rpartition('/')[0]}/{peer.changes}-theirs.ics"
            peer.store(name, request.body.decode())
            raise Answer(201, **({"Location": name} if told else {}))

    peer.before.append(put)


def some(tmp_path, n):
    source = tmp_path / "source" / "Work"
    for i, text in enumerate(events(n)):
        write(source, f"{i}.ics", text)
    return f"ics:{source.parent}"


@pytest.mark.parametrize("told", [True, False], ids=["Location", "nothing"])
def test_a_server_that_gives_items_other_names(peer, tmp_path, ledger, told):
    """What was put is found again by what it means, and not put once more."""
    source = some(tmp_path, 6)
    names_of_its_own(peer, told)
    for status in (0 if told else 1, 0, 0):
        done = copy(source, peer.url(), ledger)
        assert done.status == status and seen(peer.named("Work")) == seen(events(6)) and len(peer.named("Work")) == 6, done
    assert done.outcome["copied_now"] == 0 and done.outcome["quarantined"] == 0, done


def test_killed_at_each_write_where_names_change(peer, tmp_path, ledger):
    source = some(tmp_path, 6)
    names_of_its_own(peer, True)
    for at in range(2, 14):
        copy(source, peer.url(), ledger, env={"POSTFERRY_TEST_KILL_AT_WRITE": str(at)})
    done = copy(source, peer.url(), ledger)
    assert done.status == 0 and len(peer.named("Work")) == 6 and seen(peer.named("Work")) == seen(events(6)), done
