"""Connections cut at random bytes on either side, again and again: no loss, no second copy."""

import os
import random

from mail import FOLDERS, Account, difference, snapshot
from run import copy
from servers.proxy import Proxy

CUTS = 8 if int(os.environ.get("POSTFERRY_KILLS", "6")) <= 6 else 100


def test_cut_at_random_bytes(pair, ledger):
    source, target = pair
    account = Account(source)
    account.fill(FOLDERS[:8], 40)
    account.close()
    state = snapshot(source)
    rng = random.Random(7)
    for n in range(CUTS):
        target.forget()
        cuts = [[(rng.choice(["up", "down"]), int(rng.expovariate(1 / 200_000)) + 1) for _ in range(rng.randint(0, 3))]
                for _ in range(2)]
        with Proxy(source.port, cuts[0]) as a, Proxy(target.port, cuts[1]) as b:
            for _ in range(6):
                done = copy(a.url(), b.url(), f"{ledger}-{n}")
                if done.status == 0:
                    break
                assert done.status in (1, 3, 4), (cuts, done)
        assert done.status == 0, (cuts, done)
        assert difference(state, snapshot(target), order=False) == [], cuts
