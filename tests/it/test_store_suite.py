"""The conformance suite of the stores (tests/store_suite) against real servers. Stores that need no server run it as unit tests."""

import os
import subprocess

import pytest
from run import BINARY
from servers import radicale
from servers.cyrus import Cyrus, available
from servers.dovecot import Dovecot

SUITE = os.path.join(os.path.dirname(os.path.abspath(BINARY)), "tests/store_suite/store_suite")

pytestmark = pytest.mark.skipif(not os.path.exists(SUITE), reason="the suite is not built (-Dtests=true)")


def suite(url):
    done = subprocess.run([SUITE, url], env=dict(os.environ, STORE_SUITE_PASSWORD="pass"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=False)
    out = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, "\n".join(line for line in out.splitlines() if not line.startswith("ok "))[-6000:]


@pytest.mark.parametrize("layout,separator,prefix", [("maildir-fs", "/", ""), ("maildir", ".", "INBOX."), ("sdbox", "/", "")])
def test_dovecot(fast_dir, layout, separator, prefix):
    with Dovecot(fast_dir, layout=layout, separator=separator, prefix=prefix, max_connections=60) as server:
        suite(server.url())


@pytest.mark.skipif(not radicale.available(), reason="Radicale is not installed")
@pytest.mark.parametrize("scheme", ["caldav", "carddav"])
def test_radicale(fast_dir, scheme):
    with radicale.Radicale(fast_dir) as server:
        suite(server.url(scheme=scheme))


@pytest.mark.skipif(not available(), reason="Cyrus is not unpacked: see script/lib.sh")
@pytest.mark.parametrize("alt,unix", [("yes", "yes"), ("no", "no")])
def test_cyrus(fast_dir, alt, unix):
    with Cyrus(fast_dir, alt=alt, unix=unix) as server:
        suite(server.url())
