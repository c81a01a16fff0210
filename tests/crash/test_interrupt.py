"""Interrupted in good order (SIGTERM): what is in flight is settled, and the next run goes on. Kills: test_matrix.py."""

import signal
import time

from mail import FOLDERS, Account, difference, snapshot
from run import copy, start


def test_interrupted_in_good_order(pair, ledger):
    source, target = pair
    account = Account(source)
    account.fill(FOLDERS[:4], 50)
    account.close()
    process = start("copy", "--from", source.url(), "--to", target.url(), "--ledger", ledger, "--allow-plaintext",
                    "--rate", "100K")
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 4 and time.monotonic() - begun < 10, out
    assert copy(source.url(), target.url(), ledger).status == 0
    assert difference(snapshot(source), snapshot(target), order=False) == []  # what was in doubt is behind the rest
    assert copy(source.url(), target.url(), ledger).outcome["copied_now"] == 0
