"""Where a domain's calendars and contacts are (RFC 6764): SRV and TXT records, and servers that send us on. The password goes
to another origin only when that one was named."""

import socket

import pytest
from calendar_items import calendar, card, event, seen, texts
from dav_peer import Answer, Peer
from dns_server import Dns, srv, txt
from run import postferry
from servers.certs import make as make_certs

DOMAIN = "example.test"
EVENTS = [calendar(event(f"e{i}", f"2024010{i + 1}T100000Z", f"Event {i}")) for i in range(3)]


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return make_certs(str(tmp_path_factory.mktemp("certs")))


@pytest.fixture
def peer(certs):
    """Its place is found by the TXT record's path only."""
    with Peer(tls=(certs.cert, certs.key)) as p:
        p.before.append(lambda r: only_at(r, "/hidden/", p))
        p.folder("Work", *EVENTS)
        yield p
        assert p.breaches == []


def only_at(request, place, p):
    if request.path == place:
        raise p.multi(p.response(place, "<D:current-user-principal><D:href>" + p.principal + "</D:href>"
                                 "</D:current-user-principal>"))
    if request.path in ("/", "/dav/") or request.path.startswith("/.well-known/"):
        raise Answer(404)


@pytest.fixture
def fetch(tmp_path, ledger, certs):
    def run(dns, *more, url=f"caldavs://user@{DOMAIN}/", to="ics"):
        return postferry("copy", "--from", url, "--to", f"{to}:{tmp_path}/to", "--ledger", ledger, "--ca-file", certs.ca,
                         "--dns-server", dns.address, *more, env={"POSTFERRY_TEST_CLOCK": "200"})

    return run


def arrived(tmp_path, wanted=EVENTS):
    return seen(texts(tmp_path / "to" / "Work").values()) == seen(wanted)


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def records(peer, **more):
    return {f"_caldavs._tcp.{DOMAIN}": [srv("localhost", peer.port, **more), txt("other=x", "path=/hidden/")]}


def test_the_domain_says_where_it_is(peer, fetch, tmp_path):
    with Dns(records(peer)) as dns:
        done = fetch(dns, "--trust-host", f"LocalHost:{peer.port}")
        assert done.status == 0 and arrived(tmp_path), done
        assert {name for name, _ in dns.asked} == {f"_caldavs._tcp.{DOMAIN}"}


def test_contacts(peer, fetch, tmp_path):
    peer.contacts = True
    peer.folder("Work", card("a", "Ann"))
    with Dns({f"_carddavs._tcp.{DOMAIN}": [srv("localhost", peer.port), txt("path=/hidden/")]}) as dns:
        done = fetch(dns, "--trust-host", f"localhost:{peer.port}", url=f"carddavs://user@{DOMAIN}/", to="vcf")
        assert done.status == 0 and arrived(tmp_path, [card("a", "Ann")]), done


@pytest.mark.parametrize("trusted", [(), ("--trust-host", "localhost"), ("--trust-host", "other.test:{}"),
                                     ("--trust-host", f"{DOMAIN}:{{}}")])
def test_nothing_goes_elsewhere_unasked(peer, fetch, trusted):
    with Dns(records(peer)) as dns:
        done = fetch(dns, *(word.format(peer.port) for word in trusted))
        assert done.status == 3 and f"--trust-host localhost:{peer.port}" in done.err, done
        assert peer.log == []


def test_the_next_server_takes_its_place(peer, fetch, tmp_path):
    gone = closed_port()
    found = records(peer, priority=2, weight=7)
    found[f"_caldavs._tcp.{DOMAIN}"] += [srv("localhost", gone, 1), srv("unknown.test", 443, 0),
                                         srv("localhost", gone, 2, 6)]
    with Dns(found) as dns:
        done = fetch(dns, "--trust-host", f"localhost:{gone}", "--trust-host", f"localhost:{peer.port}")
        assert done.status == 0 and arrived(tmp_path), done


def test_a_service_that_is_not_there(fetch):
    with Dns({f"_caldavs._tcp.{DOMAIN}": [srv(".", 0)]}) as dns:
        done = fetch(dns)
        assert done.status == 3 and f"{DOMAIN} has no such service" in done.err, done


@pytest.mark.parametrize("how", [{"silent": True}, {"garble": lambda a: a[:20]},
                                 {"garble": lambda a: a[:2] + bytes([255]) * (len(a) - 2)},
                                 {"garble": lambda a: a[:-3] + b"\xc0\x0c\xff"}], ids=["silent", "cut", "wild", "loop"])
def test_a_name_server_that_is_no_help(peer, fetch, how):
    with Dns(records(peer), **how) as dns:
        done = fetch(dns)
        assert done.status == 3 and DOMAIN in done.err and dns.asked, done


def test_plaintext_only_where_it_is_allowed(fetch, tmp_path):
    with Peer() as peer:
        peer.folder("Work", *EVENTS)
        found = {f"_caldav._tcp.{DOMAIN}": [srv("localhost", peer.port)]}
        trust = ("--trust-host", f"localhost:{peer.port}")
        with Dns(found) as dns:
            done = fetch(dns, *trust, "--allow-plaintext")
            assert done.status == 3 and f"_caldav._tcp.{DOMAIN}" not in dict(dns.asked), done
        with Dns(records(peer)) as dns:  # what is said to have TLS is not talked to without
            assert fetch(dns, *trust, "--allow-plaintext", url=f"caldav://user@{DOMAIN}/").status == 3
        assert peer.log == []
        with Dns(found) as dns:
            done = fetch(dns, *trust, "--allow-plaintext", url=f"caldav://user@{DOMAIN}/")
            assert done.status == 0 and arrived(tmp_path), done


@pytest.mark.parametrize("where", ["localhost:{}/", "localhost:{}/hidden/"])
def test_who_says_where_it_is_is_not_asked_again(peer, fetch, where):
    with Dns(records(peer)) as dns:
        fetch(dns, url="caldavs://user@" + where.format(peer.port))
        assert dns.asked == [] and peer.log


@pytest.mark.parametrize("way", ["well-known", "home"])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_server_that_sends_us_on(peer, fetch, certs, tmp_path, way, trusted):
    """Only while we look for the account; later a reference to another place is an error."""
    with Peer(tls=(certs.cert, certs.key)) as first, Dns() as dns:
        there = f"https://localhost:{peer.port}"
        if way == "well-known":
            first.well_known = there + "/hidden/"
            first.before.append(lambda r: only_at(r, "", first) if r.path == "/" else None)
        else:
            first.home = there + peer.home
        done = fetch(dns, *(["--trust-host", f"localhost:{peer.port}"] if trusted else []),
                     url=f"caldavs://user@localhost:{first.port}/")
        if trusted:
            assert done.status == 0 and arrived(tmp_path), done
        else:
            assert done.status == 3 and f"--trust-host localhost:{peer.port}" in done.err and peer.log == [], done


def test_nobody_is_sent_from_tls_to_plaintext(fetch, certs):
    with Peer(tls=(certs.cert, certs.key)) as first, Peer() as second, Dns() as dns:
        first.well_known = f"http://localhost:{second.port}/dav/"
        first.before.append(lambda r: only_at(r, "", first) if r.path == "/" else None)
        done = fetch(dns, "--trust-host", f"localhost:{second.port}", "--allow-plaintext",
                     url=f"caldavs://user@localhost:{first.port}/")
        assert done.status == 3 and second.log == [], done
