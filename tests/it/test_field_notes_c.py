"""The run stops or crawls: cases 24 to 41 of the field notes that concern IMAP."""

import glob
import html
import os
import random
import re
import sqlite3
import ssl
import subprocess
import time

import pytest
from field_notes import MESSAGES, bodies, quick, run, source
from peer import Box, Peer
from run import arguments, copy, environment, postferry, start
from servers import certs
from servers.delay import Delay
from servers.delay import available as delay_is_there

LONG = "POSTFERRY_LONG" in os.environ  # all of the combinations
THROTTLED = "Request is throttled. Suggested Backoff Time: 299609 milliseconds"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certs.make(str(tmp_path_factory.mktemp("certs")))


def context(tls):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(tls.cert, tls.key)
    return made


def with_folders(count, **faults):
    peer = source([], **faults)
    for n in range(count):
        peer.boxes[f"F{n}"] = Box()
        peer.boxes[f"F{n}"].add(MESSAGES[n])
    return peer


class Times:
    """Answers the first `count` commands of a kind otherwise than they deserve."""

    def __init__(self, words, reply, count=1):
        self.words, self.reply, self.count = words.split(), reply, count

    def __call__(self, session, word, args):
        if word not in self.words or self.count <= 0:
            return None
        self.count -= 1
        return self.reply


def pauses(done):
    return [e for e in done.events if e["number"] == 10004]


def counted(done):
    """Events that say that something went wrong, connections apart: those of a quick clock may be slow to open."""
    return [e for e in done.events if e["severity"] != "info" and e["number"] != 10003]


@pytest.mark.parametrize("word,reply", [
    ("UID_FETCH", f"BAD {THROTTLED}"), ("EXAMINE", f"NO {THROTTLED.replace('299609', '178755')}"),
    ("LIST", "NO Server Unavailable. 15"), ("STATUS", "NO [THROTTLED] slow down"),
    ("NAMESPACE", ("* OK\r\n* OK slow", "NO [THROTTLED] slow down")), ("UID_FETCH", "NO Server Unavailable. 15"),
    ("UID_FETCH", "NO [LIMIT] UID FETCH Rate limit hit"),
    ("EXAMINE", "NO [OVERQUOTA] Account exceeded command or bandwidth limits.")])
def test_fn24_fn25_throttled_source(ledger, word, reply):
    with source(before=Times(word, reply)) as a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(100))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert len(pauses(done)) == 1 and not counted(done), done


@pytest.mark.parametrize("word", ["APPEND", "SELECT", "CREATE", "UID_STORE"])
@pytest.mark.parametrize("reply", ["BAD Request is throttled. Suggested Backoff Time: 20000 milliseconds",
                                   "NO Server Unavailable. 15"])
def test_fn24_throttled_target(ledger, word, reply):
    peer = source()
    peer.boxes["More"] = Box()
    peer.boxes["More"].add(MESSAGES[0], ["\\Flagged"])
    with peer as a, Peer(before=Times(word, reply), store_flags=lambda flags: []) as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(100))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES) and bodies(b, "More") == [MESSAGES[0]], done
        assert [i[1] for i in b.boxes["More"].items.values()] == [["\\Flagged"]]
        assert len(pauses(done)) == 1 and b.appends == 11 and not counted(done), done


@pytest.mark.parametrize("word", ["UID_FETCH", "APPEND"])
def test_fn24_bad_then_bye_is_one_event(ledger, word):
    """The reply in the field comes to every command in flight, and then the link is closed."""
    def answer(session, got, args):
        if got == word and session.peer.logins == 1:
            session.send(f"{session.tag} BAD {THROTTLED}")
            session.peer.logins += 1
            return ("* BYE Connection closed. 14", None)
        return None
    faults = {"before": answer}
    with source(**(faults if word == "UID_FETCH" else {})) as a, Peer(**(faults if word == "APPEND" else {})) as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(200))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert len(pauses(done)) == 1 and not counted(done), done


def test_fn24_the_wait_is_what_was_asked_for(ledger):
    """At 20 times the speed the 20 seconds that were asked for take one; progress says that it waits."""
    reply = "BAD Request is throttled. Suggested Backoff Time: 100000 milliseconds"
    with source(before=Times("UID_FETCH", reply)) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(20))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        waits = [p["paused_s"] for p in done.progress]
        assert waits and max(waits) > 80, done
        assert 99 <= int(pauses(done)[0]["text"].split("waiting ")[1].split()[0]) <= 113, done


def test_fn24_a_wish_without_end_is_capped(ledger):
    reply = "BAD Request is throttled. Suggested Backoff Time: 99999999999 milliseconds"
    with source(before=Times("UID_FETCH", reply)) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(1000))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert int(pauses(done)[0]["text"].split("waiting ")[1].split()[0]) <= 4050, done


def test_fn24_session_expired(ledger):
    def answer(session, word, args):
        again = word == "UID_FETCH" and "BODY" in args and session.peer.logins == 1
        return ("* BYE Session expired, please login again", None) if again else None
    with source(before=answer) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES) and a.logins == 2, done


def test_fn24_patience_ends(ledger):
    """A server that only ever asks for patience is left to the next run; nothing is lost or counted as wrong."""
    with source() as a, Peer(before=Times("APPEND", "NO Server Unavailable. 15", 10000)) as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(200))
        assert done.status == 4 and done.outcome["open"] == 10 and "patience" in done.out, done
        assert len(pauses(done)) == 11 and len(b.commands("APPEND")) < 60, done
        b.before = None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_fn25_slow_mode_lowers_the_number_of_connections(ledger):
    def answer(session, word, args):
        if word == "UID_FETCH" and "BODY" not in args:
            return None
        return session.do_uid_fetch(args).replace("OK", "OK [THROTTLED]") if word == "UID_FETCH" else None
    with with_folders(8, before=answer) as a, Peer() as b:
        done = run(a, b, ledger, "--connections", "4")
        assert done.status == 0 and bodies(b, "F7") == [MESSAGES[7]], done
        assert "no more than 2 connections" in pauses(done)[0]["text"], done


def test_fn25_bandwidth_is_not_the_mailbox(ledger):
    full = "NO [OVERQUOTA] Account exceeded command or bandwidth limits."
    with source(before=Times("UID_FETCH", full, 10000)) as a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(200))
        assert done.status == 4 and "target is full" not in done.out and not b.appends, done
    with source() as a, Peer(append_reply=lambda n, raw, f: "NO [OVERQUOTA] Quota exceeded" if n < 12 else "store") as b:
        done = run(a, b, ledger + "2")
        assert done.status == 4 and "target is full" in done.out and not pauses(done), done
    with source() as a, Peer(before=Times("APPEND", full)) as b:
        done = run(a, b, ledger + "3", env=quick(200))
        assert done.status == 0 and len(pauses(done)) == 1, done


DAY = 25 * 3600 # after which an hour's bytes have left the last 24 hours for sure


def ahead(seconds, clock=1):
    """Environment in which it is so many seconds later."""
    return {"POSTFERRY_TEST_AHEAD": str(seconds), **quick(clock)}


@pytest.mark.parametrize("option", ["--from-daily", "--to-daily"])
def test_fn25_a_days_bytes(ledger, option):
    """No more than those are moved; the ledger knows it in the next run; a day later it goes on."""
    many = sized(*[20000] * 40)
    with source(many) as a, Peer() as b:
        have = []
        for day in range(5):
            for again in (False, True):
                rows = a.rows
                done = run(a, b, ledger, option, "300K", "--no-wait", env=ahead(day * DAY))
                have.append(len(b.boxes["INBOX"].items))
                if done.status == 0:
                    break
                assert done.status == 4 and "it goes on at" in done.outcome["why"], done
                assert done.outcome["copied"] == have[-1] and (a.rows == rows) == again, (have, again, done)
            if done.status == 0:
                break
        assert have[0] == have[1] and all(0 < n - m <= 15 for m, n in zip([0, *have[1::2]], have[::2])), have
        assert done.status == 0 and bodies(b) == sorted(many) and b.appends == a.rows == 40, (have, done)


def test_fn25_one_larger_than_a_day_goes_all_the_same(ledger):
    with source(sized(10, 900000, 20)) as a, Peer() as b:
        done = run(a, b, ledger, "--from-daily", "100K", "--no-wait")
        assert done.status == 4 and len(b.boxes["INBOX"].items) == 2, done
        assert run(a, b, ledger, "--from-daily", "100K", "--no-wait", env=ahead(DAY)).status == 0


def test_fn25_it_waits_for_the_next_day(ledger):
    """Signed out; a stop is heard meanwhile. Where it is almost the next day it goes on by itself."""
    many = sized(*[20000] * 25)
    with source(many) as a, Peer() as b:
        assert run(a, b, ledger, "--from-daily", "300K", "--no-wait").status == 4
        first = len(b.boxes["INBOX"].items)
        waits = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", "--from-daily", "300K",
                      env=ahead(100))
        line = waits.stderr.readline()
        while b"tried again in" not in line:
            assert line, "it ended"
            line = waits.stderr.readline()
        assert b"it goes on at" in line and a.connections == b.connections == 0, line
        waits.terminate()
        assert waits.wait(10) == 4 and len(b.boxes["INBOX"].items) == first
        waits.communicate()
        done = run(a, b, ledger, "--from-daily", "300K", env=ahead(DAY - 2 * 3600, 1000))
        assert done.status == 0 and bodies(b) == sorted(many) and b.appends == 25, done


def test_fn25_what_is_known_of_a_server(ledger, tmp_path):
    """Gmail's own limits hold where nothing is said, a plan may say others, and "none" is none."""
    many = sized(10, 20)
    with source(many, greeting="* OK Gimap ready for requests from 192.0.2.1") as a, Peer() as b:
        assert run(a, b, ledger).status == 0
        a.boxes["INBOX"].add(b"Subject: one more\r\n\r\nx\r\n")
        with sqlite3.connect(ledger) as db:
            assert db.execute("SELECT count(*), min(bytes) > 0 FROM traffic").fetchone() == (2, 1)
            db.execute("UPDATE traffic SET bytes = 2400000000 WHERE up = 0")
        done = run(a, b, ledger, "--no-wait")
        assert done.status == 4 and "of the 2400000000 that" in done.outcome["why"] and len(b.boxes["INBOX"].items) == 2, done
        plan = tmp_path / "plan.yaml"
        plan.write_text(f"""servers:
  old: {{host: 127.0.0.1, port: {a.port}, daily_down: 2000M}}
  new: {{host: 127.0.0.1, port: {b.port}}}
accounts: a.csv
no_wait: yes
allow_plaintext: yes
""")
        (tmp_path / "a.csv").write_text(f"from,to\n{a.url()},{b.url()}\n")
        logins = a.logins
        done = postferry("run", str(plan), "--ledger", ledger, "--json")
        assert done.status == 4 and a.logins == logins and "of the 2097152000 that" in done.out, done
        assert run(a, b, ledger, "--from-daily", "none").status == 0 and len(b.boxes["INBOX"].items) == 3
        assert run(a, b, ledger, "--from-daily", "much").status == 2


def test_fn25_a_target_that_takes_nothing_is_asked_with_one_item(ledger):
    """Not with each of them again and again; and when it takes one, all of them go."""
    many = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(300)]
    tries = 3 + 24 + 4 # those in flight, and four times one
    with source(many) as a, Peer(append_reply=lambda n, raw, f: "NO [UNAVAILABLE] not now" if 3 < n < tries else "store") as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(200))
        assert done.status == 0 and bodies(b) == sorted(many), done
        assert b.appends < len(many) + tries and "takes nothing just now" in done.out, (b.appends, done)


def test_fn25_a_target_that_takes_nothing_for_long_ends_the_pass(ledger):
    many = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(300)]
    with source(many) as a, Peer(append_reply=lambda n, raw, f: "NO [UNAVAILABLE] not now" if n > 3 else "store") as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(200))
        assert done.status == 4 and "the target takes nothing" in done.err + done.out, done
        assert b.appends < 3 + 5 * (24 + 7), b.appends # in each try of the account
        b.append_reply = None
        assert run(a, b, ledger).status == 0 and bodies(b) == sorted(many)


@pytest.mark.parametrize("fault", [
    {"max_connections": 1}, {"hang_up_over": 1}, {"hang_up_over": 2},
    {"sign_in": "NO [ALERT] Too many simultaneous connections. (Failure)"}])
def test_fn26_connection_cap(ledger, fault):
    def cap(peer):
        if "sign_in" in fault:
            peer.sign_in = lambda mechanism, user, secret: fault["sign_in"] if peer.connections > 1 else None
        return peer
    def slow(session, word, args): # so slow that more connections are wanted
        time.sleep(0.02 if word in ("SELECT", "EXAMINE", "UID_FETCH") else 0)
    faults = {"before": slow} if "sign_in" in fault else {"before": slow, **fault}
    with cap(with_folders(8, **faults)) as a, cap(Peer(**faults)) as b:
        done = run(a, b, ledger, "--connections", "4")
        assert done.status == 0 and bodies(b, "F7") == [MESSAGES[7]], done
        assert a.logins < 6 and b.logins < 6, done
        over = max(a.most, b.most) > fault.get("hang_up_over", 1)
        assert ("10006" in done.out) == over, (a.most, b.most, done)


def test_fn26_refused_for_good_ends_after_few_tries(ledger):
    with source(max_connections=0) as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 3 and "Maximum number of connections" in done.err and a.logins <= 4, done


def oauth(caps="AUTH=XOAUTH2"):
    return f"{Peer.caps} SASL-IR {caps}"


@pytest.mark.parametrize("caps", ["AUTH=XOAUTH2", "AUTH=OAUTHBEARER"])
def test_fn27_token_ends_in_the_middle(ledger, tmp_path, caps):
    """Each token serves for three bodies; a new one is asked for at each sign-in, and nothing is fetched twice over."""
    count = tmp_path / "count"
    served = []

    def answer(session, word, args):
        if word == "UID_FETCH" and "BODY" in args:
            served.append(args)
            if len(served) % 2 == 0:
                return ("* BYE Session invalidated - AccessTokenExpired", None)
        return None

    def sign_in(mechanism, user, secret):
        return None if user == "user" and secret == f"token-{a.logins}" else "NO [AUTHENTICATIONFAILED] not this one"
    # Every message alone in its command: large ones are.
    messages = [m + b"x" * 3_000_000 + b"\r\n" for m in MESSAGES[:4]]
    with source(messages, caps=oauth(caps), before=answer, sign_in=sign_in) as a, Peer() as b:
        spec = f"oauth:command:echo x >> {count}; echo token-$(wc -l < {count})"
        done = run(a, b, ledger, "--from-secret", spec)
        assert done.status == 0 and bodies(b) == sorted(messages) and a.logins > 1, done
        assert not [e for e in done.events if e["severity"] == "error"], done


@pytest.mark.parametrize("caps,empty", [("AUTH=XOAUTH2", r"'\r\n'"), ("AUTH=OAUTHBEARER", r"'AQ==\r\n'")])
def test_fn27_error_challenge_is_answered(ledger, caps, empty):
    """Consent was revoked: what the server says is shown, the token is asked for once more, then it is enough."""
    def sign_in(mechanism, user, secret):
        return ('{"status":"401","schemes":"bearer"}', "NO [AUTHENTICATIONFAILED] Invalid credentials")
    with source(caps=oauth(caps), sign_in=sign_in) as a, Peer() as b:
        done = run(a, b, ledger, "--from-secret", "oauth:command:date +%N")
        assert done.status == 3 and '401' in done.err and "new token" in done.err, done
        assert a.commands("answer") == [f"answer {empty}"] * 2 and a.logins == 2, done


def test_fn27_one_token_that_is_refused_is_not_tried_twice(ledger):
    with source(caps=oauth(), sign_in=lambda *_: "NO [AUTHENTICATIONFAILED] no") as a, Peer() as b:
        done = run(a, b, ledger, "--from-secret", "oauth:command:echo same")
        assert done.status == 3 and a.logins == 1, done


@pytest.mark.parametrize("word,command", [
    ("NAMESPACE", "copy"), ("NAMESPACE", "check"), ("LIST", "copy"), ("LIST", "check"), ("STATUS", "check"),
    ("EXAMINE", "copy")])
def test_fn28_signed_in_but_not_connected(ledger, word, command):
    reply = "BAD User is authenticated but not connected."

    def answer(session, got, args):
        known = ("NAMESPACE", "LIST", "STATUS", "EXAMINE", "UID_FETCH")
        return reply if got in known and known.index(got) >= known.index(word) else None
    with source(before=answer) as a, Peer() as b:
        done = run(a, b, ledger, command=command)
        assert done.status == (4 if word == "EXAMINE" else 3) and "authenticated but not connected" in done.err, done
        assert "permission" in done.err and a.logins == 1, done


def test_fn28_imap_switched_off(ledger):
    with source(sign_in=lambda *_: "NO [ALERT] Your account is not enabled for IMAP use. (Failure)") as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 3 and "not enabled for IMAP" in done.err and a.logins == 1, done


@pytest.mark.parametrize("form,mechanism,user", [
    (None, "PLAIN", ("ann@d", "boss")),
    ("{user}*{admin}", "LOGIN", "ann@d*boss"),
    ("#{user}#{admin}#", "LOGIN", "#ann@d#boss#"),
    ("DOMAIN/{admin}/{user}", "LOGIN", "DOMAIN/boss/ann@d"),
    ("{admin}\\{user}", "LOGIN", "boss\\ann@d"),
    ("{user}*{admin}", "PLAIN", ("", "ann@d*boss")),
    ("proxyauth", "LOGIN", "boss"),
])
def test_fn29_forms_of_an_administrators_name(ledger, form, mechanism, user):
    caps = Peer.caps + (" AUTH=PLAIN" if mechanism == "PLAIN" else "")

    def sign_in(*got):
        return None if got == (mechanism, user, "pass") else f"NO [AUTHENTICATIONFAILED] {got}"
    with source(caps=caps, sign_in=sign_in) as a, Peer(caps=caps, sign_in=sign_in) as b:
        more = ["--from-admin-form", form, "--to-admin-form", form] if form else []
        done = run(a, b, ledger, "--from-admin", "boss", "--to-admin", "boss", *more, user="ann%40d")
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        if form == "proxyauth":
            assert a.proxied == b.proxied == "ann@d"


def test_fn29_an_administrator_who_may_not(ledger):
    with source(before=Times("PROXYAUTH", "NO not yours", 9)) as a, Peer() as b:
        done = run(a, b, ledger, "--from-admin", "boss", "--from-admin-form", "proxyauth")
        assert done.status == 3 and "not yours" in done.err and a.logins == 1, done


def test_fn69_a_refused_password_is_tried_once(ledger):
    with with_folders(4, sign_in=lambda *_: "NO [AUTHENTICATIONFAILED] no") as a, Peer() as b:
        done = run(a, b, ledger, "--connections", "4")
        assert done.status == 3 and a.logins == 1, done


@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1 LITERAL- UIDPLUS", "IMAP4rev1"])
@pytest.mark.parametrize("reply", ["NO not this one", "BAD Command Argument Error. 11"])
@pytest.mark.parametrize("early", [True, False])
def test_fn30_a_refused_append_costs_itself(ledger, caps, reply, early):
    """Refused before the literal was read, or after it; each message arrives as it is, but for that one."""
    bad = MESSAGES[4]
    faults = {"at_literal": lambda s, command, size: reply if size == len(bad) else None} if early else \
             {"append_reply": lambda n, raw, flags: reply if raw == bad else "store"}
    with source() as a, Peer(caps=caps, **faults) as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == sorted(m for m in MESSAGES if m != bad), done
        assert done.missed[0]["item"] == "5" and reply[4:] in done.missed[0]["reason"], done


def test_fn30_literals_wait_unless_they_need_not(ledger):
    big = b"Subject: big\r\n\r\n" + b"x" * 80 * 60 + b"\r\n"
    for caps, at_once in ((Peer.caps, [True, True]), ("IMAP4rev1 LITERAL-", [True, False]), ("IMAP4rev1", [False, False])):
        with source([MESSAGES[0], big]) as a, Peer(caps=caps) as b:
            done = run(a, b, f"{ledger}{len(caps)}")
            assert done.status == 0 and bodies(b) == sorted([MESSAGES[0], big]), done
            assert b.at_once == at_once, caps


@pytest.mark.parametrize("flags", [(), ("\\Seen",)])
def test_fn30_always_a_list_of_flags_and_a_date(ledger, flags):
    """gromox takes larger literals for commands that are too long when the list is missing."""
    peer = source([])
    peer.boxes["INBOX"].add(MESSAGES[0], flags)
    with peer as a, Peer() as b:
        assert run(a, b, ledger).status == 0
        assert re.match(r'APPEND INBOX \([^)]*\) "[ 0-9][0-9]-[A-Z][a-z]{2}-[0-9]{4} ', b.commands("APPEND")[0]), b.log


@pytest.mark.parametrize("reply", [("* BYE Connection closed. 14", None), ("* BYE Invalid character in literal", None), "cut"])
def test_fn30_closed_at_an_append(ledger, reply):
    bad = MESSAGES[4]
    with source() as a, Peer(append_reply=lambda n, raw, f: reply if raw == bad else "store") as b:
        done = run(a, b, ledger, env=quick(20))
        assert done.status == 1 and bodies(b) == sorted(m for m in MESSAGES if m != bad), done
        assert done.missed[0]["item"] == "5", done


def test_fn30_the_tenth_error_is_never_made(ledger):
    """Exchange hangs up after ten BADs: the session is changed before that."""
    count = {}

    def answer(session, word, args):
        if word != "APPEND":
            return None
        count[session] = count.get(session, 0) + 1
        return "BAD Command Argument Error. 11"
    with source() as a, Peer(before=answer, caps="IMAP4rev1") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and done.outcome["quarantined"] == 10, done
        assert len(count) > 2 and all(n <= 8 for n in list(count.values())[1:]), count


def test_fn31_too_large_is_known_before(ledger):
    big = b"Subject: big\r\n\r\n" + b"x" * 5000 + b"\r\n"
    with source([MESSAGES[0], big]) as a, Peer(caps=Peer.caps + " APPENDLIMIT=2000") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]] and b.appends == 1, done
        assert glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)


@pytest.mark.parametrize("before,after,status", [
    ("APPENDLIMIT=2000", "APPENDLIMIT=2000", None), ("", "APPENDLIMIT=2000", None), ("APPENDLIMIT=2000", "", None),
    ("APPENDLIMIT=9999999", "APPENDLIMIT=2000", None), ("", "APPENDLIMIT", 2000)])
def test_fn31_where_the_limit_is_said(ledger, before, after, status):
    big = b"Subject: big\r\n\r\n" + b"x" * 5000 + b"\r\n"
    peer = Peer(caps=f"{Peer.caps} {after}", caps_before=f"{Peer.caps} {before}", append_limit=status)
    with source([MESSAGES[0], big]) as a, peer as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]] and b.appends == 1, done
        assert "2000" in done.missed[0]["reason"], done


@pytest.mark.parametrize("reply", ["NO [TOOBIG] too big", "NO Maximum size of appendable message has been exceeded"])
def test_fn31_the_limit_is_smaller_than_what_was_said(ledger, reply):
    big = b"Subject: big\r\n\r\n" + b"x" * 5000 + b"\r\n"
    with source([MESSAGES[0], big]) as a, Peer(caps=f"{Peer.caps} APPENDLIMIT=1000000",
                                               append_reply=lambda n, raw, f: reply if len(raw) > 2000 else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]] and reply[4:] in done.missed[0]["reason"], done
        kept = glob.glob(ledger + ".quarantine/**/*.eml", recursive=True)
        with open(kept[0], "rb") as f:
            assert f.read() == big


def test_fn31_the_limit_is_larger_than_what_was_said(ledger):
    """What the server announces is believed by a copy; who knows better asks with retry."""
    big = b"Subject: big\r\n\r\n" + b"x" * 5000 + b"\r\n"
    with source([MESSAGES[0], big]) as a, Peer(caps=f"{Peer.caps} APPENDLIMIT=2000") as b:
        assert run(a, b, ledger).status == 1 and len(bodies(b)) == 1
        done = run(a, b, ledger, command="retry")
        assert done.status == 0 and bodies(b) == sorted([MESSAGES[0], big]), done


@pytest.mark.parametrize("reply", ["NO [OVERQUOTA] full", "NO Quota exceeded (mailbox for user is full)",
                                   "NO Server Unavailable. 15"])
def test_fn32_a_full_target_pauses_the_account(ledger, reply):
    with source() as a, Peer(append_reply=lambda n, raw, f: reply if n > 3 else "store") as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(100))
        assert done.status == 4 and reply[4:] in done.out and b.appends < 40, done
        b.append_reply = None
        assert run(a, b, ledger).status == 0 and bodies(b) == sorted(MESSAGES)


def quota_of(most):
    """A target with so many bytes of room, which are taken as messages come."""
    left = [most]

    def answer(n, raw, flags):
        if len(raw) > left[0]:
            return "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)"
        left[0] -= len(raw)
        return "store"
    return answer


def sized(*sizes):
    return [b"Subject: %d\r\n\r\n" % n + b"x" * size + b"\r\n" for n, size in enumerate(sizes)]


def refused(peer, box="INBOX"):
    return peer.appends - len(peer.boxes[box].items)


@pytest.mark.parametrize("caps,most", [("", 24), (" QUOTA", 8)])
@pytest.mark.parametrize("plus", [" LITERAL+", ""])
def test_fn32_what_has_not_left_is_held_back(ledger, caps, plus, most):
    """Of a thousand small messages those are refused that were in flight; few, where the quota was told before."""
    many = sized(*[10] * 1000)
    room = sum(len(m) for m in many[:100])
    caps = Peer.caps.replace(" LITERAL+", plus) + caps
    with source(many) as a, Peer(caps=caps, append_reply=quota_of(room), quota=[("", 0, room // 1024)]) as b:
        done = run(a, b, ledger, "--connections", "1")
        assert done.status == 4 and "target is full" in done.outcome["why"] and "raise its quota" in done.outcome["why"], done
        assert ("left 2048 bytes" in done.outcome["why"]) == (caps.endswith("QUOTA")), done
        assert bodies(b) == sorted(many[:100]) and 1 <= refused(b) <= most, refused(b)
        assert done.outcome["copied"] == 100 and done.outcome["open"] == 900, done
        before, b.quota = refused(b), [("", room // 1024, room // 1024)]
        again = run(a, b, ledger, "--connections", "1")
        assert again.status == 4 and again.outcome["copied"] == 100, again
        assert refused(b) - before <= (1 if caps.endswith("QUOTA") else most), (before, refused(b))
        b.append_reply = None
        assert run(a, b, ledger).status == 0 and [i[0] for i in b.boxes["INBOX"].items.values()] == many


def test_fn32_smaller_ones_may_fit(ledger):
    """A large message that does not fit keeps none of the small ones behind it from arriving, whatever folder they are in."""
    many = sized(10, 900000, *[300] * 200, 800000, *[500] * 200)
    with source(many) as a, Peer(append_reply=quota_of(790000)) as b:
        a.boxes["F"] = Box()
        for raw in sized(20, 600000, 30):
            a.boxes["F"].add(raw)
        b.boxes["F"] = Box()
        done = run(a, b, ledger, "--connections", "1", env=quick(100))
        assert done.status == 4 and "target is full" in done.outcome["why"], done
        small = [m for m in many if len(m) < 1000]
        assert bodies(b) == sorted(small) and refused(b) <= 4, (refused(b), done)
        assert len(b.boxes["F"].items) >= 2 and 2 <= done.outcome["open"] <= 3, done
        b.append_reply = None
        assert run(a, b, ledger).status == 0 and bodies(b) == sorted(many) and len(b.boxes["F"].items) == 3


def test_fn32_large_ones_that_do_not_fit_end_the_pass(ledger):
    many = sized(*[1500000 >> n // 4 for n in range(16)], *[10] * 200)
    with source(many) as a, Peer(append_reply=lambda n, raw, f: "NO [OVERQUOTA] full") as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(100))
        assert done.status == 4 and not b.boxes["INBOX"].items and b.appends <= 24 + 3, (b.appends, done)


def test_fn32_one_that_is_too_large_is_no_full_target(ledger):
    many = sized(10, 100000, 20, 30)
    with source(many) as a, Peer(append_reply=lambda n, raw, f: "NO [TOOBIG] no" if len(raw) > 50000 else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == sorted(m for m in many if len(m) < 50000), done


def test_fn32_the_quota_told_is_not_believed_for_ever(ledger):
    """It is said to leave nothing, and all is taken."""
    many = sized(*[10] * 300)
    with source(many) as a, Peer(caps=Peer.caps + " QUOTA", quota=[("", 100, 100)]) as b:
        done = run(a, b, ledger, "--connections", "1")
        assert done.status == 0 and bodies(b) == sorted(many), done


@pytest.mark.parametrize("quota,room", [
    ([("", 10, 11)], 1024), ([("", 10, 1000)], None), ([("a", 0, 90000), ("b", 9, 10), ("c", 0, 80000)], 1024), ([("", 20, 10)], 0),
    ([], None)])
def test_fn32_the_room_is_known_before_the_first_write(ledger, quota, room):
    messages = [b"Subject: %d\r\n\r\n" % n + b"x" * 1000 + b"\r\n" for n in range(4)]

    def answer(n, raw, flags):
        return "NO [OVERQUOTA] full" if room is not None else "store"
    with source(messages) as a, Peer(caps=Peer.caps + " QUOTA", quota=quota, append_reply=answer) as b:
        for command in ("check", "copy"):
            done = run(a, b, ledger, command=command)
            told = [e for e in done.events if e["number"] in (10011, 10008)]
            assert [e["number"] for e in told] == [10011, 10008][:(room is not None) * (1 + (command == "copy"))], done
            assert room is None or f"leaves {room} bytes" in told[0]["text"], done


@pytest.mark.parametrize("line", [
    b"* 3 FETCH (UID 3 BODY[] {4294967296}\r\nSubject: x\r\n\r\n", b"* LIST () \"/\" {4294967296}\r\nabc",
    b"* OK {4294967296}\r\n" + b"* OK " + b"x" * 3_000_000, b"* SEARCH " + b"1 " * 1_500_000],
                         ids=["body", "name", "text", "line"])
def test_fn33_hostile_sizes(ledger, line):
    """Nothing is allocated for what is only announced; the account is not lost by it."""
    def answer(session, word, args):
        if word == "UID_FETCH" and "BODY" in args and session.peer.logins < 3:
            session.send(line)
            return "cut"
        return None
    with source(before=answer) as a, Peer() as b:
        done = run(a, b, ledger, env=quick(10))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def round_trips(tmp_path, count):
    """The longest chain of round trips of a copy of that many small messages, both links behind delays."""
    with source([b"Subject: %d\r\n\r\nx\r\n" % n for n in range(count)]) as a, Peer() as b:
        with Delay(2, a.port, b.port) as delay:
            there = [f"imap://user@127.0.0.1:{port}/" for port in delay.ports]
            done = copy(*there, str(tmp_path / f"ledger{count}"))
            assert done.status == 0 and done.outcome["copied"] == count, done
            return delay.finish()["chain"]


@pytest.mark.skipif(not delay_is_there(), reason="built without -Dbench=true")
def test_fn34_many_small_messages_take_no_round_trip_each(tmp_path):
    few, many = round_trips(tmp_path, 200), round_trips(tmp_path, 2000)
    assert few < 40 and many - few < 1800 / 20, (few, many)


def test_fn35_endless_bye(ledger):
    with source() as a, Peer(bye_at_login=b"* BYE go away\r\n" * 100) as b:
        done = run(a, b, ledger, timeout=60)
        assert done.status in (3, 4) and "go away" in done.err, done


def test_fn35_keep_alives_for_ever(ledger):
    """A server that says that it is still there, and nothing else, is given up after ten minutes."""
    def answer(session, word, args):
        if word == "UID_FETCH" and "BODY" in args and session.peer.logins <= 2:
            try:
                while True:
                    session.send("* OK Still here")
                    time.sleep(0.05)
            except OSError:
                return "cut"
        return None
    with source(before=answer) as a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(200))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert "did not finish any command for ten minutes" in done.out, done


@pytest.mark.parametrize("how", ["store-hang", "hang"])
def test_fn35_mute_after_a_large_append(ledger, how):
    """The deadline grows with the size; what became of the message is looked up, and it is there once."""
    big = b"Subject: big\r\n\r\n" + b"line of text\r\n" * 100_000

    seen = []

    def answer(n, raw, flags):
        if raw != big or seen:
            return "store"
        seen.append(n)
        if how == "hang":
            time.sleep(8)
            return "cut"
        return "store-hang"
    with source([MESSAGES[0], big]) as a, Peer(append_reply=answer) as b:
        done = run(a, b, ledger, env=quick(100))
        assert done.status == 0 and bodies(b) == sorted([MESSAGES[0], big]), done
        mute = [e for e in done.events if "mute for" in e["text"]]
        assert mute and int(mute[0]["text"].split("mute for ")[1].split()[0]) >= 60 + len(big) // 20000, done


def test_fn35_both_sides_write(ledger):
    """The target talks before it reads: whoever does not read while writing waits for ever."""
    big = b"Subject: big\r\n\r\n" + b"line of text\r\n" * 300_000

    def chatter(session, command, size):
        if size == len(big):
            session.send(b"* OK noise noise noise noise noise noise\r\n" * 200_000)
    with source([big]) as a, Peer(at_literal=chatter) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [big], done


@pytest.mark.parametrize("word", ["ID", "ENABLE", "NAMESPACE"])
@pytest.mark.parametrize("reply", ["BAD what", "NO", "cut"])
def test_fn35_optional_commands_that_fail(ledger, word, reply):
    caps = Peer.caps + " ID ENABLE CONDSTORE QRESYNC"
    with source(caps=caps, before=lambda s, w, a: reply if w == word else None) as a, Peer() as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(10))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert len(a.commands(word)) <= 3 and "10007" in done.out, done


def test_fn36_starttls_injection(ledger, tls):
    """What came in the clear behind the answer to STARTTLS is thrown away."""
    lie = b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\np3 OK [ALERT] injected\r\n* BYE injected\r\n"
    with source(tls=context(tls), caps_before="IMAP4rev1 STARTTLS", in_clear=lie) as a, Peer() as b:
        done = run(a, b, ledger, "--ca-file", tls.ca)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES) and "injected" not in done.out, done


def test_fn36_end_without_close_notify(ledger, tls):
    """Within a literal it is an error, and the item is asked for again; after BYE it is none."""
    def answer(session, word, args):
        if word == "UID_FETCH" and "BODY" in args and session.peer.logins == 1:
            session.send(b"* 1 FETCH (UID 1 BODY[] {" + str(len(MESSAGES[0])).encode() + b"}\r\n" + MESSAGES[0][:20])
            return "cut"
        return None
    with source(tls=context(tls), tls_at_once=True, before=answer) as a, Peer(tls=context(tls), tls_at_once=True) as b:
        done = run(a, b, ledger, "--ca-file", tls.ca, "--connections", "1")
        assert done.status == 0 and bodies(b) == sorted(MESSAGES) and a.logins == 2 and b.logins == 1, done
        assert len([e for e in done.events if e["number"] == 10003]) == 1, done


@pytest.mark.parametrize("reply", ["NO Folder name is reserved", "NO [CANNOT] Folder contains excess whitespace",
                                   "NO Character not allowed in mailbox name: '!'"])
def test_fn37_a_refused_folder_name_gets_another(ledger, reply):
    peer = source([])
    peer.boxes["Files!"] = Box()
    peer.boxes["Files!"].add(MESSAGES[0])
    with peer as a, Peer(create_reply=lambda name: reply if name == "Files!" else None) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Files") == [MESSAGES[0]], done


def test_14001_costs_one_response(ledger):
    """KB902237: several folders, and answers that nobody can interpret in between."""
    peer = source(noise=b"* 5 FETCH (UID x FLAGS\r\n* LIST nonsense\r\nCAPABILITY completed.\r\n")
    for n in range(4):
        peer.boxes[f"Folder {n}"] = Box()
        peer.boxes[f"Folder {n}"].add(MESSAGES[n])
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Folder 3") == [MESSAGES[3]], done
        assert "14001" in done.out


@pytest.mark.parametrize("reply", [
    "NO Folder name is reserved", "NO [CANNOT] Folder contains excess whitespace", "NO Invalid mailbox name: ^",
    "NO Character not allowed in mailbox name: '.'", "NO Mailbox doesn't allow inferior mailboxes",
    "NO Mailbox name should probably be prefixed with: INBOX.", "NO [CANNOT] longer than 40 characters"])
def test_fn37_each_refusal_leads_to_another_name(ledger, reply):
    """Whatever the words: the next name is tried, it is recorded, and the folder's mail arrives with its children's."""
    peer = source([])
    for n, name in enumerate(["A", "A/B^c. d", "A/B^c. d/E"]):
        peer.boxes[name] = Box()
        peer.boxes[name].add(MESSAGES[n])
    refused = []

    def answer(name):
        if "^" in name.rpartition("/")[2]:
            refused.append(name)
            return reply
        return None
    with peer as a, Peer(create_reply=answer) as b:
        done = run(a, b, ledger)
        assert done.status == 0 and sorted(sum((bodies(b, n) for n in b.boxes), [])) == MESSAGES[:3], done
        assert refused and [e for e in done.events if e["number"] == 11001], done
        assert run(a, b, ledger).outcome["copied_now"] == 0


@pytest.mark.parametrize("reply", ["NO [ALREADYEXISTS] there", "NO Mailbox already exists"])
def test_fn37_what_exists_already_is_fine(ledger, reply):
    """The listing did not show it (others' case, or a server that hides it); it is there."""
    peer = source([])
    peer.boxes["Files"] = Box()
    peer.boxes["Files"].add(MESSAGES[0])
    with peer as a, Peer(unlisted=("Files",), create_reply=lambda name: reply) as b:
        b.boxes["Files"] = Box()
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Files") == [MESSAGES[0]], done


def test_fn37_said_to_exist_and_not_there(ledger):
    peer = source([MESSAGES[1]])
    peer.boxes["Files"] = Box()
    peer.boxes["Files"].add(MESSAGES[0])
    with peer as a, Peer(create_reply=lambda name: "NO [ALREADYEXISTS] there") as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[1]] and done.outcome["open"] + done.outcome["folders_failed"], done


DELIMITERS = ["/", ".", "\\", "|", "^"]
PREFIXES = ["", "INBOX", "Mail", "~user"]
TREE = [["INBOX"], ["INBOX", "sub"], ["Archive"], ["Archive", "Dr. Jones"], ["Archive", "a|b"], ["Archive", "a^b"],
        ["Archive", "a\\b"], ["Archive", "Dr. Jones", "2019/2020"], ["Sent"]]


def native(path, delimiter, prefix):
    """The server's own name: what is below INBOX lies beside the rest when INBOX is the prefix."""
    path = [p.replace(delimiter, "_") for p in path]
    if path[0] == "INBOX" and (len(path) == 1 or prefix != "INBOX"):
        return delimiter.join(path)
    path = path[1:] if path[0] == "INBOX" else path
    return delimiter.join(([prefix] if prefix else []) + path)


MATRIX = [(d, p) for d in DELIMITERS for p in PREFIXES]


@pytest.mark.parametrize("delimiter,prefix", MATRIX if LONG else MATRIX[::5] + [(".", "INBOX"), ("/", "Mail")])
def test_fn38_delimiters_and_prefixes(ledger, delimiter, prefix):
    """From this server to a plain one, and to this one from a plain one: the same tree."""
    start = prefix + delimiter if prefix else ""
    kind = {"delimiter": delimiter, "prefix": start}
    for here, there in ((kind, {}), ({}, kind)):
        with Peer(**here) as a, Peer(**there) as b:
            for n, path in enumerate(TREE):
                name = native(path, a.delimiter, a.prefix.rstrip(a.delimiter))
                a.boxes.setdefault(name, Box()).add(MESSAGES[n])
            done = run(a, b, f"{ledger}{len(here)}")
            assert done.status == 0, done
            shown = {name: bodies(b, name) for name in b.boxes if b.boxes[name].items}
            assert len(shown) == len(TREE) and sorted(sum(shown.values(), [])) == sorted(MESSAGES[:len(TREE)]), done
            assert not [n for n in b.boxes if "INBOX" in n[1:] and "INBOX" in n[:5]], list(b.boxes)
            again = run(a, b, f"{ledger}{len(here)}")
            assert again.status == 0 and again.outcome["copied_now"] == 0, again


def test_fn38_inbox_by_other_names(ledger):
    with Peer(raw_list=('* LIST () "/" "Inbox"', '* LIST () "/" "inbox/sub"')) as a, Peer() as b:
        a.boxes = {"Inbox": Box(), "inbox/sub": Box()}
        a.boxes["Inbox"].add(MESSAGES[0])
        a.boxes["inbox/sub"].add(MESSAGES[1])
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == [MESSAGES[0]] and bodies(b, "INBOX/sub") == [MESSAGES[1]], done


def test_fn38_a_flat_server_and_an_inbox_that_holds_nothing(ledger):
    with source([MESSAGES[0]]) as a:
        a.boxes["INBOX/sub"] = Box()
        a.boxes["INBOX/sub"].add(MESSAGES[1])
        for n, faults in enumerate(({"delimiter": None, "caps": "IMAP4rev1"},
                                    {"attributes": lambda n: "\\Noinferiors" if n == "INBOX" else "",
                                     "create_reply": lambda n: "NO no inferiors" if n.startswith("INBOX/") else None})):
            with Peer(**faults) as b:
                done = run(a, b, f"{ledger}{n}")
                assert done.status == 0 and sorted(sum((bodies(b, x) for x in b.boxes), [])) == MESSAGES[:2], done


TOLD = b"Message-ID: <%d@x>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?= %d\r\nFrom: Ann <ann@x>\r\n\r\nbody\r\n"


def reports(ledger):
    return {form: postferry("report", "--ledger", ledger, "--format", form).out for form in ("text", "json", "csv", "html")}


def test_fn41_every_failure_says_what_failed_and_what_to_do(ledger):
    """Refused; listed and not returned; left open by a server that is busy: all are named in every form of the report."""
    messages = [TOLD % (n, n) for n in range(1, 4)]
    replies = {messages[0]: "NO no such words", messages[2]: "NO [UNAVAILABLE] busy"}
    with source(messages, no_body=(2,)) as a, Peer(append_reply=lambda n, raw, f: replies.get(raw, "store")) as b:
        done = run(a, b, ledger, "--connections", "1", env=quick(300))
        assert done.outcome["quarantined"] == 2 and done.outcome["open"] == 1 and len(done.missed) == 3, done
        for n, m in enumerate(sorted(done.missed, key=lambda m: m["item"]), 1):
            assert m["account"] == a.url() and m["folder"] == "INBOX" and m["item"] == str(n) and m["hint"], m
            assert (m["message_id"], m["subject"]) == (f"<{n}@x>", f"grüße {n}") and "ann@x" in m["sender"], m
            assert m["date"].startswith("2020-01-01") and m["size"] == len(messages[n - 1]), m
            assert replies.get(messages[n - 1], "does not return the message") in m["reason"], m
            for form, text in reports(ledger).items():
                assert f"{n}@x" in text and f"grüße {n}" in text and "ann@x" in text, (form, text)
                assert html.unescape(m["hint"]) in html.unescape(text), (form, text)


def test_fn41_a_full_target_names_what_it_refused(ledger):
    with source([TOLD % (1, 1)]) as a, Peer(append_reply=lambda n, raw, f: "NO [OVERQUOTA] full") as b:
        done = run(a, b, ledger)
        assert done.status == 4 and done.missed[0]["message_id"] == "<1@x>" and "again" in done.missed[0]["hint"], done


def test_fn41_what_the_source_can_not_even_name(ledger):
    """Neither the message nor anything of it comes: that costs the name, and nothing else."""
    peer = source([TOLD % (1, 1), MESSAGES[0]], before=lambda s, w, args:
                  "NO can't convert it" if w == "UID_FETCH" and args.startswith("1") and "FLAGS" not in args else None)
    with peer as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 1 and bodies(b) == [MESSAGES[0]] and done.missed[0]["item"] == "1", done
        assert done.missed[0]["subject"] == "" and "can't convert it" in done.missed[0]["reason"], done


def test_fn39_what_was_killed_holds_nothing(ledger):
    """SIGKILL under way: its lock is no obstacle, what was in flight is looked up, nothing is there twice."""
    with source() as a, Peer(append_reply=lambda n, raw, f: "store-hang" if n == 5 else "store") as b:
        left = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        while b.appends < 5:
            time.sleep(0.05)
        held = run(a, b, ledger)
        assert held.status != 0 and str(left.pid) in held.err and not held.missed, held
        left.kill()
        left.communicate()
        assert os.path.exists(ledger + ".lock")
        b.append_reply = None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


@pytest.mark.parametrize("number", [1, 99999999])
def test_fn39_a_lock_file_of_another_process_is_no_obstacle(ledger, number):
    """A number that belongs to somebody else by now, or to nobody: what counts is who holds the lock, not what it says."""
    with open(ledger + ".lock", "w", encoding="ascii") as f:
        f.write(f"pid {number} on {os.uname().nodename} since 2020-01-01T00:00:00Z\n")
    with source() as a, Peer() as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


@pytest.mark.parametrize("blocks", [1, 40, 60, 100] + ([45, 50, 55, 70, 80, 90] if LONG else []))
def test_fn40_a_full_disk_stops_cleanly(ledger, blocks):
    """No file may grow past so many KiB: said with the file's name, and with room again it goes on, nothing twice."""
    messages = [m.replace(b"body", b"body" + b"x" * 2000) for m in MESSAGES * 30]
    with source(messages) as a, Peer() as b:
        limited = subprocess.run(["bash", "-c", f"trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"", "-",
                                  *arguments("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger,
                                             "--allow-plaintext")],
                                 env=environment(), capture_output=True, timeout=120, check=False)
        told = limited.stderr.decode()
        assert limited.returncode not in (0, 1) and limited.returncode > 0, told
        assert ledger in told and "Sanitizer" not in told, told
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(messages), done


@pytest.mark.parametrize("seed", range(40 if LONG else 6))
def test_fn40_a_flipped_bit_is_found_or_harmless(ledger, seed):
    """Either the ledger is refused with what to do, or it still says what is true; without it all is found again."""
    with source() as a, Peer() as b:
        assert run(a, b, ledger).status == 0
        with open(ledger, "rb+") as f:
            raw = bytearray(f.read())
            at = random.Random(seed).randrange(len(raw))
            raw[at] ^= 1 << seed % 8
            f.seek(0)
            f.write(raw)
        done = run(a, b, ledger)
        assert b.appends == 10 and bodies(b) == sorted(MESSAGES), (at, done)
        if done.status != 0:
            assert ledger in done.err and ("move it away" in done.err or "newer postferry" in done.err), (at, done)
            for end in ("", "-wal", "-shm"):
                if os.path.exists(ledger + end):
                    os.unlink(ledger + end)
            again = run(a, b, ledger)
            assert again.status == 0 and again.outcome["present"] == 10 and b.appends == 10, (at, again)
