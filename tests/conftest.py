import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "it"))
from servers.dovecot import Dovecot  # noqa: E402

signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a background job ignores it, and so would all that is started here


@pytest.fixture(scope="session")
def fast_dir():
    """A directory in memory where there is one: servers' files lie there."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture
def pair(fast_dir):
    """Two empty Dovecots."""
    with Dovecot(fast_dir) as a, Dovecot(fast_dir) as b:
        yield a, b


@pytest.fixture
def ledger(tmp_path):
    return str(tmp_path / "ledger")
