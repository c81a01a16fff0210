"""What carries the requests: HTTP/2 where a server offers it, and sign-in by Kerberos tickets (Negotiate)."""

import os
import shutil
import socket
import subprocess
import time

import pytest
from calendar_items import calendar, event, seen, texts, write
from dav_peer import Answer, Peer
from run import copy
from servers.base import free_port
from servers.certs import make as make_certs


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return make_certs(str(tmp_path_factory.mktemp("certs")))


@pytest.fixture
def source(tmp_path):
    for n in range(60):
        write(tmp_path / "source" / "Work", f"{n}.ics", calendar(event(f"e{n}", f"20240105T10{n:02}00Z", f"Event {n}")))
    return tmp_path / "source" / "Work"


@pytest.fixture
def front(certs, tmp_path):
    """(a server, its URL with TLS and HTTP/2 in front of it)"""
    if not shutil.which("nghttpx"):
        pytest.skip("nghttp2-proxy is not installed")
    with Peer() as peer:
        port = free_port()
        with open(tmp_path / "nghttpx.log", "wb") as log:
            process = subprocess.Popen(
                ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{port}", f"--backend=127.0.0.1,{peer.port}",
                 "--no-ocsp", "--workers=1", certs.key, certs.cert], stdout=log, stderr=log, env=dict(os.environ))
        try:
            end = time.monotonic() + 30
            while time.monotonic() < end and process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            assert process.poll() is None, (tmp_path / "nghttpx.log").read_text()
            yield peer, f"caldavs://user@localhost:{port}/"
        finally:
            process.kill()
            process.wait()


def test_http_2(front, certs, source, tmp_path, ledger):
    """Many requests on one connection, both ways; what is in front says that each came by HTTP/2."""
    peer, url = front
    done = copy(f"ics:{source.parent}", url, ledger, "--ca-file", certs.ca, "--connections", "1")
    assert done.status == 0 and seen(peer.named("Work")) == seen(texts(source).values()), done
    back = copy(url, f"ics:{tmp_path}/back", ledger + "-back", "--ca-file", certs.ca)
    assert back.status == 0 and seen(texts(tmp_path / "back" / "Work").values()) == seen(texts(source).values()), back
    assert peer.count("PUT") == 60 and peer.breaches == []
    assert {headers.get("Via") for _, _, headers in peer.log} == {"2 nghttpx"}


def test_negotiate_without_a_ticket(source, ledger, tmp_path):
    with Peer() as peer:
        peer.sign_in = False
        peer.before.append(ask_for_a_ticket)
        done = copy(f"ics:{source.parent}", peer.url(), ledger, "--to-secret", "none",
                    env={"KRB5CCNAME": f"FILE:{tmp_path}/none", "KRB5_CONFIG": "/dev/null"})
        assert done.status == 3 and "kinit" in done.err and "Negotiate" in done.err, done
        assert peer.count("PUT") == 0


def test_a_password_where_a_ticket_is_wanted(source, ledger):
    with Peer() as peer:
        peer.sign_in = False
        peer.before.append(ask_for_a_ticket)
        done = copy(f"ics:{source.parent}", peer.url(), ledger)
        assert done.status == 3 and "Negotiate" in done.err and "none" in done.err, done
        assert not any("Authorization" in headers for _, _, headers in peer.log)  # the password is shown to nobody


def test_a_password_is_wanted_and_there_is_none(source, ledger):
    with Peer() as peer:
        done = copy(f"ics:{source.parent}", peer.url(), ledger, "--to-secret", "none")
        assert done.status == 3 and "password" in done.err, done


def ask_for_a_ticket(request):
    raise Answer(401, "no ticket", "text/plain", WWW_Authenticate="Negotiate")
