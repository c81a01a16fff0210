"""Between Dovecot and Cyrus, both ways; and the corpus of odd messages, each of them accounted for."""

import glob
import hashlib
import json
import os

import pytest
from mail import Account, date, difference, flags, message, snapshot
from run import copy, postferry
from servers.cyrus import Cyrus, available
from servers.dovecot import Dovecot

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/corpus/messages")
FOLDERS = ["INBOX", "Sent", "Archive", "Archive/2020", "Größe & Gewicht", "日本語/台北", "a/b/c/d"]

needs_cyrus = pytest.mark.skipif(not available(), reason="Cyrus is not unpacked: see script/lib.sh")


def fill(server, per_folder=6):
    account = Account(server)
    account.fill(FOLDERS, per_folder)
    account.close()


def plain(state):
    """Without empty folders: an account has those of its server's own making."""
    return {k: v for k, v in state.items() if v}


@needs_cyrus
def test_dovecot_to_cyrus(fast_dir, ledger):
    with Dovecot(fast_dir) as source, Cyrus(fast_dir) as target:
        fill(source)
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 0, done
        assert difference(plain(snapshot(source)), plain(snapshot(target))) == []
        assert copy(source.url(), target.url(), ledger).outcome["copied_now"] == 0


@needs_cyrus
@pytest.mark.parametrize("alt,unix", [("yes", "yes"), ("no", "no")])
def test_cyrus_to_dovecot(fast_dir, ledger, alt, unix):
    how = {} if alt == "yes" else {"separator": ".", "prefix": "INBOX."}
    with Cyrus(fast_dir, alt=alt, unix=unix) as source, Dovecot(fast_dir) as target:
        account = Account(source, **how)
        account.fill(FOLDERS, 6)
        account.close()
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 0, done
        assert difference(plain(snapshot(source, **how)), plain(snapshot(target))) == []
        assert copy(source.url(), target.url(), ledger).outcome["copied_now"] == 0


@needs_cyrus
def test_what_the_target_alters_unasked_is_found(fast_dir, ledger):
    """FIELD-NOTES 13: Cyrus by default puts an X for each 8-bit octet of a header; sizes stay the same."""
    with Dovecot(fast_dir) as source, Cyrus(fast_dir, munge8bit="yes") as target:
        account = Account(source)
        account.append("INBOX", message(1))
        account.append("INBOX", b"Subject: caf\xe9 au lait\r\nFrom: a@x\r\n\r\nbody\r\n")
        account.close()
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 1 and done.outcome["quarantined"] == 1 and done.outcome["copied"] == 1, done
        assert "not what was sent" in done.missed[0]["reason"]


def corpus():
    out = []
    for path in sorted(glob.glob(os.path.join(CORPUS, "**", "*"), recursive=True)):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                out.append(f.read())
    return out


def crlf(raw):
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@needs_cyrus
@pytest.mark.skipif(not os.path.isdir(CORPUS), reason="no corpus beside the project")
def test_corpus_arrives_or_is_in_quarantine(fast_dir, ledger):
    """Each message is byte-identical at the target, or the quarantine has its bytes and the target's refusal."""
    with Dovecot(fast_dir) as source, Cyrus(fast_dir) as target:
        account = Account(source)
        account.imap.create("corpus")
        raw = corpus()
        for n, text in enumerate(raw):
            account.append("corpus", crlf(text), flags(n), date(n))
        account.close()
        done = copy(source.url(), target.url(), ledger)
        assert done.status in (0, 1), done
        kept = {}
        for path in glob.glob(ledger + ".quarantine/**/*.json", recursive=True):
            with open(path, encoding="utf-8") as f:
                reason = json.load(f)["reason"]
            with open(path[:-5] + ".eml", "rb") as f:
                kept[hashlib.sha256(f.read()).hexdigest()] = reason
        there = [i[0] for i in snapshot(target)["corpus"]]
        lost = [i for i in snapshot(source)["corpus"] if i[0] not in there]
        for digest, _, _ in lost:
            assert digest in kept and "APPEND" in kept[digest], (digest, kept.get(digest))
        assert len(there) + done.outcome["quarantined"] == len(raw)
        assert postferry("report", "--ledger", ledger).status == done.status


def test_retry_takes_only_what_is_in_quarantine(pair, ledger):
    source, target = pair
    account = Account(source)
    for n in range(4):
        account.append("INBOX", message(n))
    account.close()
    args = ("--from", source.url(), "--to", target.url(), "--ledger", ledger, "--allow-plaintext", "--json")
    assert postferry("copy", *args).status == 0
    again = postferry("retry", *args)
    assert again.status == 0 and again.outcome["copied_now"] == 0
