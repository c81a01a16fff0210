"""Between Dovecot and Cyrus, both ways."""

import hashlib

import pytest
from mail import Account, difference, message, snapshot
from run import copy, postferry
from servers.cyrus import Cyrus, available
from servers.dovecot import Dovecot

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


@needs_cyrus
def test_a_date_that_cyrus_refuses_costs_the_date_only(fast_dir, ledger):
    """FIELD-NOTES 42: Cyrus refuses an APPEND with a date before 1970; the header tells a better one than none."""
    with Dovecot(fast_dir) as source, Cyrus(fast_dir) as target:
        account = Account(source)
        account.append("INBOX", message(1), "(\\Seen)", '" 1-Jan-1960 12:00:00 +0000"')
        account.append("INBOX", message(2))
        account.close()
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 0 and done.outcome["copied"] == 2, done
        stored = {digest: (words, when) for digest, words, when in snapshot(target)["INBOX"]}
        words, when = stored[hashlib.sha256(message(1)).hexdigest()]
        assert words == b"\\Seen" and when[:3] == (2018, 1, 2), stored
        assert copy(source.url(), target.url(), ledger).outcome["copied_now"] == 0


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
