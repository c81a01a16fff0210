"""
kill -9 at every ledger write and at random moments, and connections cut at random bytes, whatever is going on: run
again, and nothing is lost, nothing is there twice, flags and dates are right, the source is what it was, and a further
run writes nothing. POSTFERRY_KILLS: how many random moments of the first pass; over 6 is the long form.
"""

import itertools
import os
import random
import signal
import time

import pytest
from figures import count
from scenes import SCENES, First, ToFiles, ToMaildir

KILLS = int(os.environ.get("POSTFERRY_KILLS", "6"))
LONG = KILLS > 6


def times(scene):
    """How often a scene is disturbed at random."""
    if not LONG:
        return 2
    return KILLS if scene is First else KILLS // 5


def kill_at(s, variable, numbers, what):
    """It is killed at the n-th of what this variable counts, until there are no more. How often it was."""
    for kills, n in enumerate(numbers):
        s.begin()
        done = s.run({variable: str(n)})
        killed = done.status == -signal.SIGKILL
        assert killed or done.status == s.status, (n, done)
        s.check(f"killed at {what} {n}")
        count(f"killed at {what}", killed)
        if not killed:
            return kills
    return len(numbers)


@pytest.mark.timeout(0 if LONG else 120)
@pytest.mark.parametrize("scene", SCENES)
def test_killed(scene, fast_dir, tmp_path):
    """In CI a few of the writes, in the soak all of them."""
    rng = random.Random(2026)
    with scene(fast_dir, tmp_path, LONG) as s:
        s.begin()
        begun = time.monotonic()
        assert s.run().status == s.status
        whole = time.monotonic() - begun
        numbers = range(1, 10_000) if LONG else list(itertools.accumulate([1] + rng.choices(range(4, 9), k=2)))
        assert kill_at(s, "POSTFERRY_TEST_KILL_AT_WRITE", numbers, "a ledger write") > 0
        for _ in range(times(scene)):
            s.begin()
            moment = rng.uniform(0.02, whole)
            process = s.start()
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            s.check(f"killed after {moment:.3f} of {whole:.3f} s")
            count("killed at a random moment")


@pytest.mark.timeout(0 if LONG else 120)
@pytest.mark.parametrize("scene", [ToMaildir, ToFiles])
def test_killed_while_files_get_their_names(scene, fast_dir, tmp_path):
    """Files are written together: before they are on disk, between two names, before the directory is on disk, before it is told."""
    rng = random.Random(11)
    with scene(fast_dir, tmp_path) as s:
        numbers = range(1, 10_000) if LONG else list(itertools.accumulate([1] + rng.choices(range(5, 16), k=1000)))
        assert kill_at(s, "POSTFERRY_TEST_KILL_AT_FILE", numbers, "a file's step") > 3


@pytest.mark.timeout(0 if LONG else 120)
@pytest.mark.parametrize("scene", SCENES)
def test_cut(scene, fast_dir, tmp_path):
    """Either side's connections; the target's twice at the most, as an item that breaks three of them is left in quarantine."""
    rng = random.Random(7)
    with scene(fast_dir, tmp_path, proxied=True) as s:
        for _ in range(times(scene)):
            s.begin()
            for proxy, most in zip(s.proxies[::-1], (2, 4)):
                proxy.cuts = [(rng.choice(["up", "down"]), int(rng.expovariate(1 / 60_000)) + 1)
                              for _ in range(rng.randint(most // 2, most))]
            cuts = [list(proxy.cuts) for proxy in s.proxies]
            s.check(f"cut at {cuts}")
            count("connections cut", sum(len(before) - len(p.cuts) for before, p in zip(cuts, s.proxies)))
