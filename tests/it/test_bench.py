"""The programs of bench/: that the limit moves all mail, and that the proxy delays, keeps order and counts right."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest
from mail import snapshot
from run import BINARY
from servers import radicale
from servers.base import MAIL_GID, MAIL_UID
from servers.delay import PROGRAMS, Delay

sys.path.append(os.path.join(os.path.dirname(__file__), "../../bench"))
import accounts  # noqa: E402

pytestmark = pytest.mark.skipif(not os.path.exists(os.path.join(PROGRAMS, "drain")), reason="built without -Dbench=true")
ENVIRONMENT = dict(os.environ, IMAP_PASSWORD="pass")


def run(*command):
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_blast_writes_what_drain_reads(pair, tmp_path):
    source, target = pair
    one = accounts.Corpus("test", 300, 4_000, 6)
    stream = str(tmp_path / "stream")
    messages, octets = accounts.make(one, source.maildir(), stream)
    for where, _, names in os.walk(source.path("home", "user")):
        for path in [where] + [os.path.join(where, name) for name in names]:
            os.chown(path, MAIL_UID, MAIL_GID)
    done = run(os.path.join(os.path.dirname(accounts.__file__), "both"), PROGRAMS, "2", f"127.0.0.1:{source.port}", "user",
               stream, f"127.0.0.1:{target.port}", "user")
    assert sorted((d["program"], d["messages"]) for d in done) == [("blast", messages), ("drain", messages)]
    assert next(d["bytes"] for d in done if d["program"] == "drain") == octets

    def mail(server):
        return {name: sorted(map(str, items)) for name, items in snapshot(server).items() if items}

    assert mail(source) == mail(target)


class Echo(threading.Thread):
    """Sends back what it gets, on any number of connections."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    @staticmethod
    def serve(s):
        with s:
            while data := s.recv(65536):
                s.sendall(data)

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()


@pytest.fixture
def echo():
    server = Echo()
    server.start()
    yield server
    server.listener.close()


def test_delay_counts_the_round_trips_that_the_client_waits_for(echo):
    with Delay(5, echo.port) as delay, delay.connect() as s:
        began = time.monotonic()
        for _ in range(6):
            s.sendall(b"ping")
            assert s.recv(4) == b"ping"
        took = time.monotonic() - began
        found = delay.finish()
    assert took >= 6 * 0.010
    # it waits for no greeting: the first ping is under way with the handshake, both end with the second round trip
    assert found["links"][0] == {"connections": 1, "up": 24, "down": 24, "turns": 5, "waits": 5}
    assert found["chain"] == 7


def test_delay_counts_what_is_asked_at_once_as_one(echo):
    with Delay(100, echo.port) as delay:
        clients = [delay.connect() for _ in range(4)]
        for s in clients:
            s.sendall(b"ping")
        assert [s.recv(4) for s in clients] == [b"ping"] * 4
        found = delay.finish()
        for s in clients:
            s.close()
    assert found["links"][0]["connections"] == 4
    assert found["links"][0]["waits"] == 0
    assert found["chain"] == 2


def test_delay_keeps_order_and_passes_the_end_on(echo):
    octets = random.Random(1).randbytes(20_000_000)
    with Delay(5, echo.port) as delay, delay.connect() as s:
        def send():
            s.sendall(octets)
            s.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=send)
        writer.start()
        got = bytearray()
        while data := s.recv(1 << 20):
            got += data
        writer.join()
        found = delay.finish()
    assert got == octets
    assert (found["links"][0]["up"], found["links"][0]["down"]) == (len(octets), len(octets))


@pytest.mark.skipif(not (radicale.available() and shutil.which("vdirsyncer")), reason="Radicale or vdirsyncer is not installed")
def test_events_are_all_there_and_measured():
    """Of events with one identifier vdirsyncer and plain PUTs get only one; postferry brings all."""
    done = subprocess.run([sys.executable, os.path.join(os.path.dirname(accounts.__file__), "events"), "--server", "radicale",
                           "--events", "60", "--rounds", "1"], env=dict(os.environ, POSTFERRY=BINARY), stdout=subprocess.PIPE,
                          timeout=90, check=True)
    rows = [line.split("|")[1:3] for line in done.stdout.decode().splitlines()[4:]]
    arrived = {name.strip(): int(number) for name, number in rows}
    assert arrived["postferry"] == 60 and arrived["vdirsyncer"] == arrived["put 1"] == arrived["put 4"] < 60
