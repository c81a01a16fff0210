"""kill -9 anywhere, run again: the same end state, no loss, no second copy."""

import os
import random
import signal
import time

from mail import FOLDERS, Account, difference, snapshot
from run import copy, postferry, start

KILLS = int(os.environ.get("POSTFERRY_KILLS", "6"))


def fill(source, folders, per_folder):
    account = Account(source)
    account.fill(folders, per_folder)
    account.close()
    return snapshot(source)


def check(source_state, source, target, ledger):
    done = copy(source.url(), target.url(), ledger)
    assert done.status == 0, done
    # what was in doubt is put behind what came after it
    assert difference(source_state, snapshot(target), order=False) == []
    again = copy(source.url(), target.url(), ledger)
    assert again.outcome["copied_now"] == 0


def test_killed_at_every_ledger_write(pair, ledger):
    source, target = pair
    state = fill(source, FOLDERS[:6], 40)
    n = 1
    while True:
        killed = copy(source.url(), target.url(), f"{ledger}-{n}", env={"POSTFERRY_TEST_KILL_AT_WRITE": str(n)})
        if killed.status == 0:
            break
        assert killed.status == -signal.SIGKILL, killed
        check(state, source, target, f"{ledger}-{n}")
        target.forget()
        n += 1 if KILLS > 6 else 2
    assert n > 4


def test_killed_at_random_moments(pair, ledger):
    source, target = pair
    state = fill(source, FOLDERS[:10], 2000 // 10 if KILLS > 6 else 60)
    rng = random.Random(2026)
    begun = time.monotonic()
    assert copy(source.url(), target.url(), ledger).status == 0
    whole = time.monotonic() - begun
    for n in range(KILLS):
        target.forget()
        process = start("copy", "--from", source.url(), "--to", target.url(), "--ledger", f"{ledger}-{n}",
                        "--allow-plaintext", "--quiet")
        time.sleep(rng.uniform(0.05, whole))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check(state, source, target, f"{ledger}-{n}")


def test_interrupted_in_good_order(pair, ledger):
    source, target = pair
    state = fill(source, FOLDERS[:4], 50)
    process = start("copy", "--from", source.url(), "--to", target.url(), "--ledger", ledger, "--allow-plaintext",
                    "--rate", "100K")
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 4 and time.monotonic() - begun < 10, out
    assert postferry("copy", "--help").status == 0
    check(state, source, target, ledger)
