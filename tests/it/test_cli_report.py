"""The report in its four forms, with hostile folders, subjects and refusals; and sign-ins that must not happen."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from peer import Box, Peer
from run import postferry

EVIL = "</td><script>alert('x')</script>\" onload=x & <b>"


@pytest.fixture
def migrated(ledger):
    """Two folders; what is evil is refused."""
    with Peer() as a, Peer(append_reply=lambda n, raw, flags: f"NO [CANNOT] {EVIL}" if b"evil" in raw else "store") as b:
        a.boxes["Folder <i>&"] = Box()
        for box in a.boxes.values():
            for subject in ("good", f"evil {EVIL}", "=HYPERLINK evil"):
                box.add(f"Subject: {subject}\r\nMessage-ID: <{len(subject)}@x>\r\n\r\nbody\r\n".encode())
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        assert done.status == 1, done
        yield ledger


def report(ledger, form):
    done = postferry("report", "--ledger", ledger, "--format", form)
    assert done.status == 1, done
    return done.out


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_html_is_self_contained_and_escaped(migrated):
    page = Page(report(migrated, "html"))
    assert page.tags.isdisjoint({"script", "b", "i", "link", "img", "iframe"}), page.tags
    assert "svg" in page.tags and "rect" in page.tags
    assert not [a for a, value in page.attributes if a.startswith("on") or a in ("src", "href")]
    assert page.text.count(f"evil {EVIL}") == 2 and page.text.count(f"NO [CANNOT] {EVIL}") == 4
    assert "Folder <i>&" in page.text and "4 did not arrive" in page.text


def test_csv_is_read_back(migrated):
    rows = list(csv.DictReader(io.StringIO(report(migrated, "csv"))))
    assert len(rows) == 4 and {r["folder"] for r in rows} == {"INBOX", "Folder <i>&"}
    assert {r["subject"] for r in rows} == {f"evil {EVIL}", "'=HYPERLINK evil"} # no formula
    assert all(EVIL in r["reason"] for r in rows)


def test_json_adds_up(migrated):
    (line,) = report(migrated, "json").splitlines()
    told = json.loads(line)
    assert told["complete"] is False and len(told["missed"]) == told["quarantined"] == 4
    for verdict in ("copied", "present", "skipped", "quarantined", "vanished", "open"):
        assert told[verdict] == sum(f[verdict] for f in told["folders"])


def test_text_names_each(migrated):
    text = report(migrated, "text")
    assert text.startswith("NOT COMPLETE") and text.count("  INBOX UID ") == 2


def unopened(tmp_path, ledger):
    done = postferry("copy", "--from", f"maildir:{tmp_path}/none", "--to", f"maildir:{tmp_path}/to", "--ledger", ledger)
    assert done.status == 3, done


@pytest.mark.parametrize("before", [False, True], ids=["the first time", "after a complete pass"])
def test_an_account_that_was_not_opened_is_not_complete(tmp_path, ledger, before):
    if before:
        for sub in ("cur", "new", "tmp"):
            (tmp_path / "none" / sub).mkdir(parents=True)
        (tmp_path / "none" / "cur" / "1.a.host:2,S").write_bytes(b"Subject: one\r\n\r\nbody\r\n")
        done = postferry("copy", "--from", f"maildir:{tmp_path}/none", "--to", f"maildir:{tmp_path}/to", "--ledger", ledger)
        assert done.status == 0 and postferry("report", "--ledger", ledger).out.startswith("COMPLETE"), done
        (tmp_path / "none").rename(tmp_path / "moved")
    unopened(tmp_path, ledger)
    done = postferry("report", "--ledger", ledger)
    assert done.status == 1 and done.out.startswith("NOT COMPLETE: the account could not be opened: "), done
    assert f"{tmp_path}/none" in done.out.splitlines()[0]
    told = json.loads(report(ledger, "json").splitlines()[0])
    assert told["complete"] is False and "could not be opened" in told["not_ended"]
    assert "could not be opened" in report(ledger, "html")


@pytest.mark.parametrize("faults,says", [
    ({}, "no encryption"),                                             # STARTTLS stripped from the list
    ({"greeting": "* PREAUTH welcome"}, "not encrypted"),              # STARTTLS no longer possible
    ({"caps": "IMAP4rev1 STARTTLS"}, "encryption"),                    # announced, then refused
])
def test_nothing_is_sent_in_the_clear(ledger, faults, says):
    with Peer(**faults) as a, Peer() as b:
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger)
        assert done.status == 3 and "encrypt" in done.err, done
        assert says in done.err or "target" in done.err, done
        assert not a.commands("LOGIN") and not a.commands("AUTHENTICATE") and not b.commands("LOGIN")


def test_login_disabled_is_obeyed(ledger):
    with Peer(caps="IMAP4rev1 LOGINDISABLED") as a, Peer() as b:
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        assert done.status == 3 and "no way to sign in" in done.err and not a.commands("LOGIN"), done
