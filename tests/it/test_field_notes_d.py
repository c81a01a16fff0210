"""Fidelity of mail: cases 42 to 49 of the field notes that concern IMAP."""

import base64
import email
import email.policy
import glob

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Box, Peer
from run import copy, postferry, start


@pytest.mark.parametrize("date,stored", [
    ("00-Jan-0000 00:00:00 +0000", None), ("30-Dec-1899 00:00:00 +0000", "30-Dec-1899 00:00:00 +0000"),
    (" 7-Aug-1996 12:00:00 +0530", " 7-Aug-1996 12:00:00 +0530"), ("7-Aug-1996 12:00:00 GMT", " 7-Aug-1996 12:00:00 +0000"),
    ("19-Jan-2040 03:14:08 +0000", "19-Jan-2040 03:14:08 +0000"), ("07-Aug-96 12:00:00 UT", " 7-Aug-1996 12:00:00 +0000"),
    ("07-Aug-1996 12:00:00 +05", " 7-Aug-1996 12:00:00 +0500"), ("07-Aug-1996 12:00:00 -0000", " 7-Aug-1996 12:00:00 +0000"),
    ("07-Aug-1996 12:00:00 UTC", " 7-Aug-1996 12:00:00 +0000"), ("01-Jan-1960 00:00:00 -0800", " 1-Jan-1960 00:00:00 -0800")])
def test_fn42_dates(ledger, date, stored):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], [], date)
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0, done
        got = [i[2] for i in b.boxes["INBOX"].items.values()]
        assert len(got) == 1 and (stored is None or got == [stored])


RECEIVED = b"Received: by y; Thu, 1 Jan 2015 00:00:02 +0000\r\nReceived: by x; Thu, 1 Jan 2015 00:00:01 +0000\r\n"
DATED = b"Date: Fri, 2 Jan 2015 10:00:00 +0100\r\n"


@pytest.mark.parametrize("header,stored,says", [
    (RECEIVED + DATED, " 1-Jan-2015 00:00:02 +0000", "2015-01-01T00:00:02"),
    (DATED, " 2-Jan-2015 10:00:00 +0100", "2015-01-02T09:00:00"),
    (b"Received: by x; yesterday\r\nDate: soon\r\n", None, "that of the copy")])
@pytest.mark.parametrize("date", ["00-Jan-0000 00:00:00 +0000", None])
@pytest.mark.parametrize("size", [0, 7_000_000])
def test_fn42_what_has_no_date_gets_that_of_its_header(ledger, header, stored, says, date, size):
    peer = source([])
    peer.boxes["INBOX"].add(header + b"Subject: x\r\n\r\n" + b"x" * size + b"\r\n", [], date)
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        (got,) = [i[2] for i in b.boxes["INBOX"].items.values()]
        assert done.status == 0 and b.commands("APPEND")[0].count('"') == 2 and (stored in (None, got)), done
        replaced = [e for e in done.events if e["number"] == 12006]
        assert len(replaced) == 1 and says in replaced[0]["text"], done
        again = run(a, b, ledger)
        assert again.status == 0 and again.outcome["copied_now"] == 0, again


def test_fn42_a_target_that_keeps_no_date_is_named(ledger):
    with source([MESSAGES[0]]) as a, Peer(store_date=lambda date: "26-Nov-2026 00:00:00 +0000") as b:
        done = run(a, b, ledger)
        told = [e["text"] for e in done.events if e["number"] == 12017]
        assert done.status == 0 and len(told) == 1, done
        assert "2026-11-26" in told[0] and "2020-01-01" in told[0], done
        assert run(a, b, ledger, command="verify").outcome["differing"] == 1


def test_fn43_a_flag_never_costs_a_message(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Recent", "\\X-ODD", "TEST:FLAG211", "$Ok"])

    def answer(n, raw, flags):
        return "NO APPEND failed" if "TEST:FLAG211" in flags else "store"
    with peer as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [MESSAGES[0]], done
        flags = list(b.boxes["INBOX"].items.values())[0][1]
        assert "\\Seen" in flags and "\\Recent" not in flags and "\\X-ODD" not in flags


def test_fn43_only_permitted_flags_are_sent(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Flagged", "Work"])
    with peer as a, Peer(permanent="\\Seen Work") as b:
        assert run(a, b, ledger).status == 0
        assert sorted(list(b.boxes["INBOX"].items.values())[0][1]) == ["Work", "\\Seen"]


def flags_of(peer):
    return [sorted(i[1]) for i in peer.boxes["INBOX"].items.values()]


class MindsWords:
    """A server that refuses some flags, in APPEND and in STORE."""

    def __init__(self, *words):
        self.words = words

    def append(self, n, raw, flags):
        return "NO APPEND Invalid flag list" if set(self.words) & set(flags) else "store"

    def store(self, session, word, args):
        refuses = word == "UID_STORE" and any(w in args for w in self.words)
        return f"BAD Invalid system flag {self.words[0]}" if refuses else None


@pytest.mark.parametrize("refused", [["$NOTJUNK"], ["\\Flagged"], ["\\Flagged", "$NOTJUNK"]])
def test_fn43_what_can_be_kept_of_refused_flags_is_kept(ledger, refused):
    minds = MindsWords(*refused)
    flags = ["\\Seen", "\\Flagged", "\\Answered", "$NOTJUNK", "Work"]
    peer = source([])
    for raw in MESSAGES[:2]:
        peer.boxes["INBOX"].add(raw, flags)
    with peer as a, Peer(append_reply=minds.append, before=minds.store) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES[:2]), done
        assert flags_of(b) == [sorted(set(flags) - set(refused))] * 2, done
        told = [e["text"] for e in done.events if e["number"] == 12005]
        assert len(told) == 2 and all(w in t for t in told for w in refused), done
        b.before = None
        before = len(b.commands("STORE"))
        again = run(a, b, ledger)
        assert again.status == 0 and len(b.commands("STORE")) == before and again.outcome["copied_now"] == 0, again


def test_fn43_one_refused_change_of_flags_costs_the_others_nothing(ledger):
    minds = MindsWords("$Odd")
    with source(MESSAGES[:1]) as a, Peer(before=minds.store) as b:
        assert run(a, b, ledger).status == 0
        a.boxes["INBOX"].items[1][1][:] = ["\\Flagged", "$Odd", "New"]
        done = run(a, b, ledger)
        assert done.status == 0 and flags_of(b) == [["New", "\\Flagged"]], done
        assert "$Odd" in [e["text"] for e in done.events if e["number"] == 12005][0], done


def test_fn43_what_is_not_permitted_is_told_once_a_folder(ledger):
    """A limit on keywords shows as PERMANENTFLAGS without \\*; what is known there already is still kept."""
    peer = source([])
    for raw in MESSAGES[:3]:
        peer.boxes["INBOX"].add(raw, ["\\Seen", "\\Draft", "known", "New"])
    with peer as a, Peer(permanent="\\Seen Known") as b:
        done = run(a, b, ledger)
        assert done.status == 0 and flags_of(b) == [["\\Seen", "known"]] * 3, done
        told = [e["text"] for e in done.events if e["number"] == 12005]
        assert len(told) == 2 and "\\Draft" in told[0] and "New" in told[1], done


ODD_FLAGS = ["\\Seen", "\\INDEXED", "\\X-EON-HAS-ATTACHMENT", "\\FORWARDED", "\\\\$NOTJUNK", "\\Recent", "$Forwarded", "TEST:FLAG211"]


@pytest.mark.parametrize("permanent,kept", [
    (None, ["$Forwarded", "TEST:FLAG211", "\\Seen"]), ("\\*", ["$Forwarded", "TEST:FLAG211", "\\Seen"]), ("", []),
    ("\\Seen $forwarded", ["$Forwarded", "\\Seen"])])
def test_fn43_flags_of_a_server_are_its_own_affair(ledger, permanent, kept):
    """What no other server takes is not even tried; no PERMANENTFLAGS permits all, an empty one nothing."""
    minds = MindsWords(*ODD_FLAGS[1:6])
    permanent = "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*" if permanent == "\\*" else permanent
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ODD_FLAGS)
    with peer as a, Peer(permanent=permanent, append_reply=minds.append, before=minds.store) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and flags_of(b) == [kept] and b.appends == 1 and not b.commands("STORE"), (flags_of(b), done)
        assert run(a, b, ledger, command="verify").status == 0


def test_fn43_a_maildir_holds_26_keywords(ledger, tmp_path):
    """The message arrives, with as many of them as there are letters, and the others are named."""
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen"] + [f"word{n:02d}" for n in range(30)])
    with peer as a:
        done = copy(a.url(), f"maildir:{tmp_path}/box", ledger)
        (name,) = glob.glob(f"{tmp_path}/box/**/cur/*", recursive=True)
        assert done.status == 0 and name.endswith(":2,S" + "".join(map(chr, range(ord("a"), ord("z") + 1)))), (name, done)
        told = " ".join(e["text"] for e in done.events if e["number"] == 12005)
        assert all(f"word{n}" in told for n in range(26, 30)) and "word25" not in told, done


def test_fn43_case_of_keywords_makes_no_difference(ledger):
    """$MDNSent against $mdnsent, set again and again for ever by tools that compare octets."""
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["$MDNSent", "Work"])
    with peer as a, Peer(store_flags=lambda flags: [f.lower() for f in flags]) as b:
        assert run(a, b, ledger).status == 0 and not b.commands("STORE")
        a.boxes["INBOX"].items[1][1][:] = ["$mdnsent", "WORK"]
        done = run(a, b, ledger)
        assert done.status == 0 and not b.commands("STORE") and done.outcome["flags_carried"] == 0, done
        assert run(a, b, ledger, command="verify").status == 0


def test_fn44_a_header_that_comes_with_a_flag_alters_nothing(ledger):
    """Exchange adds X-Message-Flag to what is flagged."""
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Flagged"])
    with peer as a, Peer(rewrite=lambda raw: b"X-Message-Flag: Follow up\r\n" + raw) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and not [e for e in done.events if e["number"] == 12009], done
        assert run(a, b, ledger, "--deep", command="verify").status == 0


def test_fn44_flags_lost_by_append_are_stored(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Flagged"])
    with peer as a, Peer(store_flags=lambda flags: [f for f in flags if f != "\\Flagged"]) as b:
        assert run(a, b, ledger).status == 0
        assert "\\Flagged" in list(b.boxes["INBOX"].items.values())[0][1]


EXCHANGE = {"greeting": "* OK The Microsoft Exchange IMAP4 service is ready."}


@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1"])
def test_fn44_exchange_is_told_of_a_flag_by_store(ledger, caps):
    """It shows to IMAP what APPEND flagged, and to nobody else: what is read back would be no proof."""
    peer = source([])
    for raw, flags in zip(MESSAGES, (["\\Seen", "\\Flagged", "Work"], ["\\Flagged"], ["\\Seen"])):
        peer.boxes["INBOX"].add(raw, flags)
    with peer as a, Peer(caps=caps, **EXCHANGE) as b:
        seen = []
        b.append_reply = lambda n, raw, flags: seen.append(sorted(flags)) or "store"
        done = run(a, b, ledger)
        assert done.status == 0 and sorted(seen) == [[], ["Work", "\\Seen"], ["\\Seen"]], (seen, done)
        assert flags_of(b) == [["Work", "\\Flagged", "\\Seen"], ["\\Flagged"], ["\\Seen"]], done
        stores = len(b.commands("STORE"))
        assert run(a, b, ledger).status == 0 and len(b.commands("STORE")) == stores and b.appends == 3
        assert run(a, b, ledger, command="verify").status == 0


def test_fn44_killed_before_the_flag_is_set(ledger):
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], ["\\Seen", "\\Flagged"])
    with peer as a, Peer(**EXCHANGE) as b:
        b.before = lambda session, word, args: session.peer.left.kill() or "cut" if word == "UID_STORE" else None
        b.left = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        b.left.communicate()
        assert flags_of(b) == [["\\Seen"]]
        b.before = None
        done = run(a, b, ledger)
        assert done.status == 0 and flags_of(b) == [["\\Flagged", "\\Seen"]] and b.appends == 1, done


ASKS = b"Disposition-Notification-To: boss@x\r\nSubject: receipt\r\n\r\nread me\r\n"


@pytest.mark.parametrize("target,more,marked", [
    (EXCHANGE, [], True), (EXCHANGE | {"permanent": "\\Seen $MDNSent"}, [], True), ({}, ["--no-receipts"], True), ({}, [], False),
    (EXCHANGE | {"permanent": "\\Seen"}, [], False)])
@pytest.mark.parametrize("size", [0, 7_000_000])
def test_fn45_no_receipt_is_sent_because_of_a_migration(ledger, target, more, marked, size):
    with source([ASKS + b"x" * size + b"\r\n", MESSAGES[0]]) as a, Peer(**target) as b:
        done = run(a, b, ledger, *more)
        flags = {b"receipt" in i[0]: i[1] for i in b.boxes["INBOX"].items.values()}
        assert done.status == 0 and ("$MDNSent" in flags[True]) == marked and flags[False] == ["\\Seen"], done
        told = [e["text"] for e in done.events if e["number"] == 12020]
        assert len(told) == bool(target or more) and all("boss@x" in t for t in told), done
        stores = len(b.commands("STORE"))
        assert run(a, b, ledger, *more).outcome["flags_carried"] == 0 and len(b.commands("STORE")) == stores


def test_fn45_where_the_keyword_is_refused_a_receipt_may_leave(ledger):
    """It can't be helped by a keyword, and it is said, also in the report."""
    with source([ASKS]) as a, Peer(append_reply=lambda n, raw, flags: "NO no such flag" if "$MDNSent" in flags else "store", **EXCHANGE) as b:
        done = run(a, b, ledger)
        told = [e["text"] for e in done.events if e["number"] == 12020]
        assert done.status == 0 and bodies(b) == [ASKS] and flags_of(b) == [["\\Seen"]] and "refused $MDNSent" in told[-1], done
        assert "refused $MDNSent" in postferry("report", "--ledger", ledger).out


def contents(peer, subject):
    """What the parts of the message with that subject say, decoded."""
    (raw,) = [i[0] for i in peer.boxes["INBOX"].items.values() if b"Subject: " + subject.encode() in i[0]]
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    return [p.get_payload(decode=True) for p in message.walk() if not p.is_multipart()]


def refused_for(check):
    return lambda n, raw, flags: "NO Message contains invalid content" if check(raw) else "store"


def too_long(raw):
    return any(len(line) > 998 for line in raw.split(b"\r\n"))


MIXED = (b"Subject: mixed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/%s; boundary=b\r\n\r\npreamble\r\n--b\r\n"
         b"Content-Type: text/plain; charset=utf-8\r\n\r\nfirst = as it is \t\r\n--b\r\nContent-Type: text/html\r\n"
         b"Content-Transfer-Encoding: 8bit\r\n\r\n%s\r\n--b--\r\nepilogue\r\n")
LINES = b"<p>" + b"long and = 8-bit \xc3\xbc " * 500 + b"</p>"


def test_fn46_nul_goes_in_a_literal8_first(ledger):
    nul = b"Subject: nul\r\n\r\na\0b\r\n"
    with source([nul, MESSAGES[0]]) as a, Peer(caps=Peer.caps + " BINARY") as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted([nul, MESSAGES[0]]), done
        assert len([c for c in b.commands("APPEND") if "\0~" in c]) == 1, b.log


def test_fn47_a_part_with_long_lines_is_encoded_anew_and_nothing_else(ledger):
    mixed = MIXED % (b"mixed", LINES)
    with source([mixed, MESSAGES[0]]) as a, Peer(append_reply=refused_for(too_long)) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and contents(b, "mixed") == [b"first = as it is \t", LINES], done
        (stored,) = [m for m in bodies(b) if b"mixed" in m]
        at = mixed.index(b"Content-Transfer-Encoding")
        assert stored.startswith(mixed[:at]) and stored.endswith(b"\r\n--b--\r\nepilogue\r\n"), stored
        (told,) = [e["text"] for e in done.events if e["number"] == 12004]
        assert "parts encoded anew (1)" in told and "signed" not in told, told
        with open(glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)[0], "rb") as f:
            assert f.read() == mixed
        again = run(a, b, ledger, "--deep", command="verify")
        assert again.status == 0 and again.outcome["differing"] == 0 and again.outcome["equivalent"] == 1, again
        assert run(a, b, ledger).outcome["copied_now"] == 0
        for form in ("text", "html", "json"):
            assert "parts encoded anew (1)" in postferry("report", "--ledger", ledger, "--format", form).out, form


@pytest.mark.parametrize("kind,head", [(b"signed", b""), (b"mixed", b"DKIM-Signature: v=1\r\n")])
def test_fn47_that_a_signed_message_was_changed_is_said(ledger, kind, head):
    mixed = head + MIXED % (kind, LINES)
    with source([mixed]) as a, Peer(append_reply=refused_for(too_long)) as b:
        done = run(a, b, ledger)
        (told,) = [e["text"] for e in done.events if e["number"] == 12004]
        assert done.status == 0 and "signed" in told and "changed" in told, done
        assert contents(b, "mixed")[1] == LINES


def test_fn47_bare_line_ends(ledger):
    bare = b"Subject: bare\n\none\ntwo\rthree"
    with source([bare]) as a, Peer(append_reply=refused_for(lambda raw: b"\n" in raw.replace(b"\r\n", b""))) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [b"Subject: bare\r\n\r\none\r\ntwo\r\nthree\r\n"], done
        assert run(a, b, ledger, "--deep", command="verify").status == 0


@pytest.mark.parametrize("raw,refused,stored", [
    ("Subject: grüße\r\nFrom: Jörg <j@x>\r\n\r\nhi\r\n".encode(), lambda raw: any(c > 127 for c in raw),
     b"Subject: =?utf-8?B?Z3LDvMOfZQ==?=\r\nFrom: =?utf-8?B?SsO2cmc=?= <j@x>\r\n\r\nhi\r\n"),
    (b"From a Thu Jan 1\r\nSubject: x\r\n\r\nhi\r\n", lambda raw: raw.startswith(b"From "), b"Subject: x\r\n\r\nhi\r\n"),
    (b"Subject: x\r\ngarbage\r\n\r\nhi\r\n", lambda raw: b"\r\ngarbage" in raw,
     b"Subject: x\r\nX-Unnamed-Header: garbage\r\n\r\nhi\r\n"),
    (b"Subject: x\r\n \t\r\nFrom: a@x\r\n\r\nhi\r\n", lambda raw: b"\r\n \t\r\n" in raw, b"Subject: x\r\nFrom: a@x\r\n\r\nhi\r\n"),
    (b"no header at all\r\n", lambda raw: b":" not in raw, b"Subject: (message without header)\r\n\r\nno header at all\r\n"),
    (b"\r\n\r\n", lambda raw: raw.startswith(b"\r\n"), b"Subject: (message without header)\r\n\r\n\r\n\r\n"),
])
def test_fn48_refused_headers_are_repaired(ledger, raw, refused, stored):
    with source([raw]) as a, Peer(append_reply=refused_for(refused)) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [stored] and len([e for e in done.events if e["number"] == 12004]) == 1, done
        with open(glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)[0], "rb") as f:
            assert f.read() == raw
        again = run(a, b, ledger, "--deep", command="verify")
        assert again.status == 0 and again.outcome["differing"] == 0, again


def test_fn48_what_a_target_takes_is_sent_as_it_is(ledger):
    odd = ["Subject: grüße\r\n\r\nhi\r\n".encode(), b"From a Thu Jan 1\r\nSubject: x\r\n\r\nhi\r\n", b"Subject: x\r\ngarbage\r\n\r\nhi\r\n",
           b"Subject: x\r\n \t\r\nFrom: a@x\r\n\r\nhi\r\n", b"no header at all\r\n", b"\r\n", b"Subject: \r\n\r\nhi\r\n", b"Subject: x\r\n",
           b"Subject: x\r\n\r\n" + b"x" * 10_500 + b"\r\n", b"Subject: x\n\r\r\nlf cr cr lf", b"a\0b: x\r\n\r\n"]
    with source(odd) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(odd), done
        assert run(a, b, ledger).outcome["copied_now"] == 0 and run(a, b, ledger, "--deep", command="verify").status == 0


def test_fn49_a_target_that_encodes_anew_holds_an_equivalent_message(ledger):
    """Other boundaries, other encodings, other header fields: what it says is the same, unless it is not."""
    def rewrite(cut):
        def made(raw):
            message = email.message_from_bytes(raw, policy=email.policy.SMTP)
            text = message.get_payload(1)
            text.set_payload(base64.encodebytes(text.get_payload(decode=True)[cut:]).replace(b"\n", b"\r\n").decode())
            text.replace_header("Content-Transfer-Encoding", "base64")
            message["X-Gateway"] = "was here"
            return message.as_bytes()
        return made
    for cut, status in ((0, 0), (5, 1)):
        with source([MIXED % (b"mixed", LINES)]) as a, Peer(rewrite=rewrite(cut)) as b:
            done = run(a, b, f"{ledger}{cut}")
            assert done.status == status and (b"X-Gateway" in bodies(b)[0]), done
            again = run(a, b, f"{ledger}{cut}", "--deep", command="verify")
            assert again.status == status and again.outcome["equivalent"] == (cut == 0), again


def test_fn46_fn47_refused_bytes_are_repaired_and_the_original_kept(ledger):
    nul = b"Subject: nul\r\n\r\na\0b\r\n"

    def answer(n, raw, flags):
        return "NO Message contains NUL characters" if b"\0" in raw else "store"
    with source([nul, MESSAGES[0]]) as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and len(bodies(b)) == 2 and contents(b, "nul") == [b"a\0b\r\n"], done
        kept = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)
        with open(kept[0], "rb") as f:
            assert f.read() == nul


def test_fn46_refused_as_it_was_and_repaired(ledger):
    """What the quarantine keeps is the source's message, not what was made of it."""
    nul = b"Subject: nul\r\n\r\na\0b\r\n"
    with source([nul, MESSAGES[0]]) as a, Peer(append_reply=lambda n, raw, flags:
                                               "NO no such words" if b"nul" in raw else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]], done
        kept = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)
        with open(kept[0], "rb") as f:
            assert f.read() == nul
        assert "NO no such words" in done.missed[0]["reason"] and "repaired" in done.missed[0]["reason"]


@pytest.mark.parametrize("caps", [Peer.caps, Peer.caps + " IMAP4rev2"])
def test_fn52_subscriptions_are_carried_and_none_is_added(ledger, caps):
    def account():
        peer = source([], caps=caps)
        for n, name in enumerate(["Liked", "Other"]):
            peer.boxes[name] = Box()
            peer.boxes[name].add(MESSAGES[n])
        peer.subscribed = {"Liked"}
        return peer
    with account() as a, Peer(caps=caps) as b, Peer(caps=caps) as c:
        assert run(a, b, ledger).status == 0 and b.subscribed & {"Liked", "Other"} == {"Liked"}
        assert run(b, c, ledger + "-back").status == 0 and c.subscribed & {"Liked", "Other"} == {"Liked"}


@pytest.mark.parametrize("caps", ["", " ACL RIGHTS=kxten"])
def test_fn52_rights_of_others_are_named_as_not_carried(ledger, caps):
    with source([MESSAGES[0]], caps=Peer.caps + caps) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and len([e for e in done.events if e["number"] == 10010]) == bool(caps), done
        for form in ("text", "html", "json"):
            told = postferry("report", "--ledger", ledger, "--format", form).out
            assert ("ights that others have" in told or '"rights_left":true' in told) == bool(caps), told
