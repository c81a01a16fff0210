"""
The odd calendar items and contacts of the shared corpus, from files to a server and back into files: each is there in the end
and means the same, repaired where that is told, or it is in quarantine with its bytes, and with the server's own words or the
names of what the server altered. A run whose ledger is lost changes nothing. The long form takes all files that are not too large.
"""

import collections
import json
import os
import re
import shutil
import threading
from pathlib import Path

import corpus
import pytest
from calendar_items import parts
from figures import count
from run import copy, postferry
from servers import cyrus, radicale, xandikos

LONG = int(os.environ.get("POSTFERRY_CORPUS", 0))  # all files of at most so many bytes
PART, SMALL = 20, 6000  # of the files of at most so many bytes every so many one
PATIENCE = 3 * 3600 if LONG else 250
SERVERS = {"radicale": (radicale.available, radicale.Radicale), "xandikos": (xandikos.available, xandikos.Xandikos),
           "cyrus": (cyrus.has_dav, cyrus.CyrusDav)}
REFUSED = r"PUT: \d{3}|the target took it, but does not show it"  # the server's no
ALTERED = r"the target altered it: it means something else there \(|what the target gives back can't be read"
FOLLOWS = "an instance of a series that is kept elsewhere"  # and ends as that does
NO_ITEM = "it is no (calendar|contact)|a calendar without any|.*nested more than|it can't be written anew"


class Keeper:
    """Starts a server anew when it dies, or does not answer for minutes: what it was given last is no reason to give up."""

    def __init__(self, server):
        self.server, self.ended, self.restarts = server, threading.Event(), 0
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def answers(self):
        for _ in range(20):
            try:
                if self.server.request("OPTIONS", "/")[0] < 600:
                    return True
            except OSError:
                pass
        return False

    def watch(self):
        while not self.ended.wait(2):
            if self.server.process.poll() is not None or not self.answers():
                self.server.stop()
                for lock in Path(self.server.dir).glob("**/index.lock"):  # Xandikos' own, of what it was at
                    lock.unlink()
                self.server.start()
                self.restarts += 1


def fill(top, kind):
    """A folder for each source of the corpus."""
    for n, (source, path) in enumerate(corpus.files(kind)):
        if os.path.getsize(path) <= (LONG or SMALL) and (LONG or n % PART == 0):
            os.makedirs(top / source, exist_ok=True)
            shutil.copy(path, top / source / f"{n:04d}.{kind}")


def said(top, kind):
    """What is in the files, as a person sees it: how many of each kind, title and day."""
    found = collections.Counter()
    for path in sorted(top.glob(f"*/*.{kind}")):
        for p in parts(path.read_text(encoding="utf-8", errors="replace")):
            title = re.sub(r"\\(.)", r"\1", p.get("SUMMARY") or p.get("FN") or "").strip()
            found[p[""], title, p.get("DTSTART", "")[:8]] += 1
    return found


def kept(ledger):
    """How many parts there are in quarantine, each with its bytes, unless nobody can tell what it is."""
    found = 0
    for reason in Path(ledger + ".quarantine").glob("**/*.json"):
        words = json.loads(reason.read_text(encoding="utf-8"))["reason"]
        body = Path(str(reason)[:-5] + ".eml")
        assert body.exists() or re.match(NO_ITEM, words), f"{reason}: no bytes, {words}"
        found += len(parts(body.read_text(encoding="utf-8", errors="replace"))) if body.exists() else 0
    return found


def account_for(name, kind, report, restarts):
    """Every item has an end that is known, and is counted under it."""
    ends = collections.Counter(
        next((end for end, words in (("refused by the server", REFUSED), ("altered by the server", ALTERED),
                                     ("parts of such", FOLLOWS), ("that are none", NO_ITEM)) if re.match(words, m["reason"])),
             m["reason"])
        for m in report["missed"])
    assert not ends.keys() - {"refused by the server", "altered by the server", "parts of such", "that are none"}, ends
    repaired = sum("repaired: " in n["note"] for n in report["noted"])
    ends["repaired"], ends["kept as they are"] = repaired, report["copied"] + report["present"] - repaired
    assert sum(ends.values()) == report["copied"] + report["present"] + report["quarantined"]
    for end, n in ends.items():
        count(f"{kind} items for {name} {end}", n)
    count(f"restarts of {name} with {kind} items", restarts)
    return repaired


def etags(server, contacts):
    return {path: server.etags(path) for path in server.collections(contacts=contacts).values()}


@pytest.mark.skipif(not os.path.isdir(corpus.ROOT), reason="no corpus beside the project")
@pytest.mark.parametrize("kind", ["ics", "vcf"])
@pytest.mark.parametrize("name", sorted(SERVERS))
@pytest.mark.timeout(4 * PATIENCE)
def test_the_corpus_goes_there_and_back(fast_dir, tmp_path, ledger, name, kind):
    available, make = SERVERS[name]
    if not available():
        pytest.skip(f"{name} is not installed")
    fill(tmp_path / "source", kind)
    source, contacts = f"{kind}:{tmp_path}/source", kind == "vcf"
    with make(fast_dir) as server, Keeper(server) as keeper:
        to = server.url(scheme="carddav" if contacts else "caldav")
        for _ in range(3):  # what is open is tried again in the next run, and in quarantine then
            done = copy(source, to, ledger, timeout=PATIENCE)
            if done.outcome["open"] == 0:
                break
        assert done.status in (0, 1) and done.outcome["open"] == 0, done
        before = etags(server, contacts)
        again = copy(source, to, ledger, timeout=PATIENCE)
        assert again.outcome["copied_now"] == 0 and again.status == done.status, again
        lost = copy(source, to, ledger + "-lost", timeout=PATIENCE)
        assert lost.outcome["copied_now"] == 0 and etags(server, contacts) == before, lost
        checked = postferry("verify", "--deep", "--from", source, "--to", to, "--ledger", ledger, "--allow-plaintext",
                            "--json", timeout=PATIENCE)
        assert checked.outcome["not_at_target"] == checked.outcome["differing"] == 0, checked
        back = copy(to, f"{kind}:{tmp_path}/back", ledger + "-back", timeout=PATIENCE)
        assert back.status == 0, back
    report = json.loads(postferry("report", "--ledger", ledger, "--format", "json").out)
    repaired = account_for(name, kind, report, keeper.restarts)
    missing = said(tmp_path / "source", kind) - said(tmp_path / "back", kind)
    assert missing.total() <= kept(ledger) + repaired, missing
