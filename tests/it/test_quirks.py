"""Servers that need to be treated otherwise: each row of the table in src/stores/imap/quirks.c is held by a test."""

import glob
import os
import re

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Box, Peer

HERE = os.path.dirname(os.path.abspath(__file__))
GREETINGS = {
    "Exchange": "* OK The Microsoft Exchange IMAP4 service is ready.",
    "Domino": "* OK Domino IMAP4 Server Release 9.0.1 ready",
    "hMailServer": "* OK hMailServer IMAP4rev1",
    "iCloud": "* OK [CAPABILITY IMAP4rev1] iCloud IMAP4 server",
    "Yandex": "* OK Yandex IMAP4rev1 at imap.mail.yandex.net ready",
    "Zimbra": "* OK IMAP4 ready: Zimbra",
    "Gimap": "* OK Gimap ready for requests",
    "other": "* OK ready",
}


def test_each_row_names_its_source_and_a_test_that_there_is():
    with open(os.path.join(HERE, "../../src/stores/imap/quirks.c"), encoding="utf-8") as f:
        text = f.read()
    there = set()
    for path in glob.glob(os.path.join(HERE, "test_*.py")):
        with open(path, encoding="utf-8") as f:
            there |= set(re.findall(r"^def (test_\w+)", f.read(), re.M))
    for table in re.findall(r"\} (?:QUIRKS|STAND_INS)\[\] = \{\n(.*?)^\};", text, re.M | re.S):
        rows = re.findall(r"^\t\{(.*?)\},$", table, re.M | re.S)
        assert rows
        for row in rows:
            named = re.findall(r"\btest_\w+", row)
            assert named and set(named) <= there, row


@pytest.mark.parametrize("name", ["Exchange", "Domino", "hMailServer", "other"])
def test_sizes_are_estimates(ledger, name):
    """Then that a body has another size than was listed says nothing."""
    with source(greeting=GREETINGS[name], size=lambda uid, raw: len(raw) + 7) as a, Peer() as b:
        done = run(a, b, ledger, "--verbose")
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert bool([e for e in done.events if e["number"] == 12008]) == (name == "other"), done


@pytest.mark.parametrize("name", ["Exchange", "Domino", "Gimap", "other"])
def test_case_is_no_difference(ledger, name):
    with source() as a, Peer(greeting=GREETINGS[name]) as b:
        for n, folder in enumerate(("Reports", "reports")):
            a.boxes[folder] = Box()
            a.boxes[folder].add(MESSAGES[n])
        done = run(a, b, ledger)
        made = {folder: bodies(b, folder) for folder in b.boxes if folder != "INBOX"}
        assert done.status == 0 and sorted(made.values()) == sorted([[MESSAGES[0]], [MESSAGES[1]]]), (made, done)
        assert len({folder.lower() for folder in made}) == (1 if name == "other" else 2), made


@pytest.mark.parametrize("name", ["Domino", "iCloud", "Yandex", "other"])
def test_nothing_goes_below_inbox(ledger, name):
    with source() as a, Peer(greeting=GREETINGS[name]) as b:
        a.boxes["INBOX/Sub"] = Box()
        a.boxes["INBOX/Sub"].add(MESSAGES[0])
        done = run(a, b, ledger)
        place = next(folder for folder in b.boxes if folder != "INBOX")
        assert done.status == 0 and bodies(b, place) == [MESSAGES[0]], done
        assert place.startswith("INBOX/") == (name == "other"), place


@pytest.mark.parametrize("reply", ["NO not today", "BAD what?", "OK done"])
def test_a_server_that_does_not_say_what_it_can(ledger, reply):
    """Then it can what all can."""
    def before(session, word, args):
        return reply if word == "CAPABILITY" else None

    with source(before=before) as a, Peer(before=before) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert [e for e in done.events if "CAPABILITY" in e["text"]], done


@pytest.mark.parametrize("reply", ["NO [EXPIRED] your password has", "NO [PRIVACYREQUIRED] no more",
                                   "NO User is authenticated but not connected."])
def test_an_account_that_is_shut_while_it_is_written_to(ledger, reply):
    """The answer to an APPEND ends the pass; what was under way beside it is found again by the next."""
    with source() as a, Peer(append_reply=lambda n, raw, flags: reply if n == 3 else "store") as b:
        done = run(a, b, ledger)
        assert done.status in (0, 4) and reply in done.err + done.out, done
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


@pytest.mark.parametrize("name", ["Exchange", "Domino", "Zimbra"])
def test_what_is_rewritten_is_not_quarantined(ledger, tmp_path, name):
    """Such a target shows each message otherwise than it was given: none is doubled, also when the ledger is lost."""
    def rewrite(raw):
        return b"X-Received: by a server\r\n" + raw
    with source() as a, Peer(greeting=GREETINGS[name], rewrite=rewrite) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and done.outcome["copied"] == 10 and done.outcome["quarantined"] == 0, done
        done = run(a, b, str(tmp_path / "another"))
        assert done.status == 0 and done.outcome["copied_now"] == 0 and len(bodies(b)) == 10, done
