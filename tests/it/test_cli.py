"""The command line as DESIGN promises it: each option and exit status, what is printed where, and how it ends."""

import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import time

import pytest
from mail import Account, difference, message, snapshot
from peer import Peer
from run import BINARY, environment, postferry, start
from servers.dovecot import Dovecot
from terminal import Terminal

USERS = itertools.count(1)
BUILD = os.path.dirname(os.path.abspath(BINARY))


class Pair:
    """One account on each of two servers."""

    def __init__(self, a, b):
        self.user = f"u{next(USERS)}"
        self.source, self.target = a, b
        self.urls = ("--from", a.url(self.user), "--to", b.url(self.user), "--allow-plaintext")

    def account(self, which=None):
        return Account(which or self.source, user=self.user)

    def at_target(self):
        return snapshot(self.target, user=self.user)

    def put(self, *messages, folder="INBOX", date='" 1-Mar-2020 00:00:00 +0000"'):
        account = self.account()
        if folder != "INBOX":
            account.create(folder)
        for raw in messages:
            account.append(folder, raw, "()", date)
        account.close()


@pytest.fixture(scope="module")
def two(fast_dir):
    with Dovecot(fast_dir) as a, Dovecot(fast_dir) as b:
        yield a, b


@pytest.fixture
def pair(two):
    return Pair(*two)


def copy(pair, ledger, *more, **how):
    return postferry("copy", *pair.urls, "--ledger", ledger, *more, **how)


def titled(subject, size=0):
    return f"Subject: {subject}\r\nMessage-ID: <{subject}@test>\r\n\r\n{'x' * size}\r\n".encode()


def names(pair):
    return {f: len(items) for f, items in pair.at_target().items() if items}


# ---- what to take, and where it goes ----

@pytest.mark.parametrize("options,expected", [
    (("--include", "Projects/*"), {"Projects/A": 1, "Projects/B": 1}),
    (("--include", "INBOX", "--include", "Sent"), {"INBOX": 3, "Sent": 1}),
    (("--exclude", "Projects*"), {"INBOX": 3, "Sent": 1}),
    (("--include", "Projects/*", "--exclude", "*/B"), {"Projects/A": 1}),
    (("--map", "Projects=Work/Old"), {"INBOX": 3, "Sent": 1, "Work/Old/A": 1, "Work/Old/B": 1}),
    (("--map", "Projects/A=One", "--map", "Projects/B=Two"), {"INBOX": 3, "Sent": 1, "One": 1, "Two": 1}),
    (("--kinds", "mail"), {"INBOX": 3, "Projects/A": 1, "Projects/B": 1, "Sent": 1}),
    (("--kinds", "calendar,contacts"), {}),
    (("--since", "2021-01-01"), {"INBOX": 1}),
    (("--before", "2021-01-01"), {"INBOX": 2, "Projects/A": 1, "Projects/B": 1, "Sent": 1}),
    (("--max-size", "10K"), {"INBOX": 2, "Projects/A": 1, "Projects/B": 1, "Sent": 1}),
    (("--skip-subjects", "{subjects}"), {"INBOX": 2, "Projects/B": 1, "Sent": 1}),
])
def test_rules(pair, ledger, tmp_path, options, expected):
    (tmp_path / "subjects").write_text("a\nold\n", encoding="utf-8")
    pair.put(titled("old"), titled("large", 20000))
    pair.put(titled("young"), date='" 2-Feb-2022 00:00:00 +0000"')
    for folder, subject in (("Projects/A", "a"), ("Projects/B", "b"), ("Sent", "s")):
        pair.put(titled(subject), folder=folder)
    done = copy(pair, ledger, "--json", *(o.format(subjects=tmp_path / "subjects") for o in options))
    assert done.status == 0, done
    assert names(pair) == expected
    o = done.outcome
    assert o["copied"] == sum(expected.values())
    assert o["quarantined"] == o["open"] == o["vanished"] == 0


@pytest.mark.parametrize("options,says", [
    (("--kinds", "mail,music"), "mail, calendar"),
    (("--since", "31.12.2020"), "2024-12-31"),
    (("--before", "2020-02-30"), "--before"),
    (("--max-size", "big"), "25M"),
    (("--rate", "-1"), "--rate"),
    (("--connections", "0"), "--connections"),
    (("--connections", "99"), "1 to 16"),
    (("--map", "Sent"), "OLD=NEW"),
    (("--skip-subjects", "/nowhere/list"), "/nowhere/list"),
    (("--trace", "/nowhere/trace"), "/nowhere/trace"),
    (("--ca-file", "/nowhere/ca"), "/nowhere/ca"),
    (("--from-cert", "/nowhere/cert"), "/nowhere/cert"),
    (("--tls-fingerprint", "12:34"), "SHA-256"),
    (("--ledger", "postgresql://u:hunter2@host/db"), "file"),
    (("--dry-run=yes",), "takes no value"),
    (("--quarantine",), "needs a value"),
    (("-v",), "two dashes"),
    (("surplus",), "surplus"),
    (("--verbos",), "did you mean --verbose"),
])
def test_wrong_values(tmp_path, options, says):
    """Status 2, one line that says what and the right form, and nothing is made."""
    done = postferry("copy", "--from", "imap://u@127.0.0.1:1/", "--to", "imap://v@127.0.0.1:1/", *options,
                     env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert done.status == 2 and says in done.err and done.err.count("\n") == 1, done
    assert "hunter2" not in done.err and done.out == "" and not (tmp_path / "state").exists()


def test_dry_run_does_nothing(pair, ledger):
    pair.put(titled("a"), titled("b"), folder="New")
    done = copy(pair, ledger, "--dry-run")
    assert done.status == 0 and "New -> New (new): 2 items" in done.out, done
    assert names(pair) == {} and not os.path.exists(ledger)


def test_check_changes_nothing(pair, ledger, tmp_path):
    pair.put(titled("a"), folder="New")
    done = postferry("check", *pair.urls, env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert done.status == 0 and "to be copied: 1 items" in done.out and "Dovecot" in done.out, done
    assert names(pair) == {} and not (tmp_path / "state").exists()
    plan = [json.loads(line) for line in postferry("check", *pair.urls, "--json").out.splitlines()]
    assert [p["items"] for p in plan if p["type"] == "plan" and p["to"] == "New"] == [1]


def test_mirror_removes_what_left_the_source(pair, ledger):
    pair.put(*(titled(f"m{n}") for n in range(20)))
    assert copy(pair, ledger).status == 0
    other = pair.account(pair.target)
    other.append("INBOX", titled("not ours"))
    other.close()

    def lose(what):
        account = pair.account()
        account.imap.select("INBOX")
        account.imap.store(what, "+FLAGS", "\\Deleted")
        account.imap.expunge()
        account.close()

    lose("1")
    done = copy(pair, ledger, "--json")
    assert done.status == 0 and done.outcome["gone_from_source"] == 1 and names(pair) == {"INBOX": 21}, done
    done = copy(pair, ledger, "--json", "--mirror")
    assert done.status == 0 and done.outcome["removed"] == 1 and names(pair) == {"INBOX": 20}, done
    lose("1:10")
    done = copy(pair, ledger, "--mirror")
    assert done.status == 1 and "--mirror-all" in done.out and names(pair) == {"INBOX": 20}, done
    done = copy(pair, ledger, "--mirror-all")
    assert done.status == 0 and names(pair) == {"INBOX": 10}, done


# ---- what is printed ----

def sums(text):
    line = next(l for l in text.splitlines() if l.startswith("in all:"))
    words = line.replace(",", "").replace(";", "").replace(":", "").split()
    return int(words[2]), {words[i]: int(words[i + 1]) for i in range(4, 16, 2)}


def test_last_lines(ledger, tmp_path):
    """The sums of P2, then each item that did not arrive, by name, then where things are."""
    with Peer() as a, Peer(append_reply=lambda n, raw, flags: "NO [CANNOT] no pigs" if b"pig" in raw else "store") as b:
        a.boxes["INBOX"].add(titled("guinea pig"), date="03-Apr-2019 10:00:00 +0000")
        a.boxes["INBOX"].add(titled("cow"))
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext",
                         "--quarantine", tmp_path / "q")
        assert done.status == 1, done
        listed, by_verdict = sums(done.out)
        assert listed == 2 == sum(by_verdict.values()) and by_verdict["quarantined"] == by_verdict["copied"] == 1
        lines = done.out.splitlines()
        at = next(i for i, l in enumerate(lines) if l.startswith("in all:"))
        assert lines[at + 1].startswith("did not arrive of imap://")
        for word in ("INBOX", "UID 1,", "2019-04-03", "<guinea pig@test>", '"guinea pig"', "[CANNOT] no pigs"):
            assert word in lines[at + 2], lines[at + 2]
        assert [l.split(":")[0] for l in lines[at + 3:]] == ["report", "ledger", "quarantine"]
        assert ledger in done.out and str(tmp_path / "q") in done.out
        assert "12003" in done.err

        report = postferry("report", "--ledger", ledger, "--quarantine", tmp_path / "q")
        assert report.status == 1 and "no pigs" in report.out and "guinea pig" in report.out, report
        b.append_reply = None
        done = postferry("retry", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext",
                         "--quarantine", tmp_path / "q")
        assert done.status == 0 and sums(done.out)[1]["quarantined"] == 0, done


def test_a_hundred_are_shown_and_the_rest_is_in_the_report(ledger):
    with Peer() as a, Peer(append_reply=lambda n, raw, flags: "NO never") as b:
        for n in range(105):
            a.boxes["INBOX"].add(titled(f"m{n}"))
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        assert done.status == 1 and done.out.count("  INBOX UID ") == 100, done
        assert "more are in the report" in done.out
        assert postferry("report", "--ledger", ledger).out.count("  INBOX UID ") == 105


def test_json_is_one_object_a_line(pair, ledger):
    pair.put(*(titled(f"m{n}") for n in range(5)))
    done = copy(pair, ledger, "--json", "--verbose")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines[-1]["type"] == "outcome" and lines[-1]["copied"] == 5 and lines[-1]["ledger"] == ledger
    assert {l["type"] for l in lines} <= {"event", "progress", "missed", "missed_folder", "outcome"}
    refused = copy(pair, ledger, "--json", env={"POSTFERRY_TO_PASSWORD": "wrong"})
    assert refused.status == 3 and refused.outcome["exit_status"] == 3 and "sign-in" in refused.outcome["why"]
    for command in ("status", "events"):
        for line in postferry(command, "--json", "--ledger", ledger).out.splitlines():
            assert json.loads(line)["type"] == command.rstrip("s") if command == "events" else "status"


def test_quiet_and_no_progress(pair, ledger):
    pair.put(titled("a"))
    done = copy(pair, ledger, "--quiet")
    assert done.status == 0 and done.out == done.err == "", done
    done = copy(pair, ledger, "--no-progress")
    assert done.status == 0 and done.err == "" and "in all: 1 listed" in done.out, done
    done = copy(pair, ledger, "--verbose")
    assert "10001" in done.err and "13002" in done.err, done


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--json",)])
def test_an_alert_is_always_shown(ledger, options):
    with Peer() as a, Peer(greeting="* OK [ALERT] shutdown at noon\x1b[2J") as b:
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", *options)
        assert done.status == 0 and "shutdown at noon" in done.err and "\x1b" not in done.err + done.out, done


def test_an_alert_is_told_once(ledger):
    """Courier 5 says one with each message in whose header are octets beyond ASCII."""
    with Peer() as a, Peer(noise=b"* OK [ALERT] read RFC 6855\r\n* OK [ALERT] and 6857\r\n") as b:
        for n in range(20):
            a.boxes["INBOX"].add(f"Subject: {n}\r\n\r\nx\r\n".encode())
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        assert done.status == 0 and done.err.count("read RFC 6855") == done.err.count("and 6857") == 1, done


def test_trace_has_both_sides_and_no_password(pair, ledger, tmp_path):
    pair.put(titled("a"))
    assert copy(pair, ledger, "--trace", tmp_path / "trace").status == 0
    text = (tmp_path / "trace").read_bytes()
    assert b"EXAMINE" in text and b"APPEND" in text and b"dXNlcgBwYXNz" not in text
    assert os.stat(tmp_path / "trace").st_mode & 0o077 == 0


def test_an_alert_with_a_refusal_is_shown(ledger):
    with Peer() as a, Peer(bye_at_login="* BYE [ALERT] no more today") as b:
        done = postferry("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", "--quiet")
        assert done.status in (3, 4) and "10005" in done.err and "no more today" in done.err, done


# ---- on a terminal ----

@pytest.mark.parametrize("columns", [200, 80, 40, 24])
def test_the_bar_fits_the_terminal(pair, ledger, columns):
    pair.put(*(titled(f"m{n}", 100000) for n in range(12)))
    with Terminal("copy", *pair.urls, "--ledger", ledger, "--rate", "400K", columns=columns) as t:
        assert t.finish() == 0, t.text
        bars = [part.split("\n")[0].rstrip("\r") for part in t.text.split("\r\x1b[K")[1:-1]]
        assert bars and max(map(len, bars)) < columns, bars
        assert any("%" in b for b in bars)
        if columns >= 40:
            assert any("B/s" in b and " left" in b for b in bars), bars
        assert "in all: 12 listed" in t.text


# ---- how it ends ----

@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_in_good_order(pair, ledger, sign):
    pair.put(*(titled(f"m{n}", 50000) for n in range(30)))
    process = start("copy", *pair.urls, "--ledger", ledger, "--rate", "100K")
    time.sleep(1)
    begun = time.monotonic()
    process.send_signal(sign)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 4 and time.monotonic() - begun < 10, (out, err)
    assert b"run the same command again" in out
    assert copy(pair, ledger).status == 0
    assert names(pair) == {"INBOX": 30}


def test_no_core_is_left(pair, ledger, tmp_path):
    pair.put(*(titled(f"m{n}", 50000) for n in range(30)))
    process = subprocess.Popen(
        [BINARY, "copy", *pair.urls, "--ledger", ledger, "--rate", "100K"], env=environment(), cwd=tmp_path,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2))
    time.sleep(0.7)
    assert process.poll() is None
    process.send_signal(signal.SIGQUIT) # its default action dumps core
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGQUIT and not [n for n in os.listdir(tmp_path) if "core" in n]


def test_full_disk(pair, tmp_path):
    """Status 4, what and where and the remedy; with room again the same command goes on."""
    pair.put(*(titled(f"message {n} " + "x" * 300) for n in range(400)))
    ledger = str(tmp_path / "ledger")
    done = subprocess.run([BINARY, "copy", *pair.urls, "--ledger", ledger], env=environment(), check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (96 << 10, 96 << 10)))
    assert done.returncode == 4 and ledger in done.stderr, done
    assert "Sanitizer" not in done.stderr
    assert copy(pair, ledger).status == 0
    assert names(pair) == {"INBOX": 400}


@pytest.mark.parametrize("command", [("--help",), ("explain",), ("copy", "--help")])
def test_output_that_cannot_be_written(command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, *command], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 70 and b"could not be written" in done.stderr


def test_the_same_account_by_another_name(pair, ledger):
    """What can't be told from the URLs does no harm: all is there already."""
    pair.put(titled("a"), titled("a"), titled("b"))
    before = snapshot(pair.source, user=pair.user)
    done = postferry("copy", "--from", f"imap://{pair.user}@127.0.0.1:{pair.source.port}/", "--to",
                     f"imap://{pair.user}@localhost:{pair.source.port}/", "--ledger", ledger, "--allow-plaintext", "--json")
    assert done.status == 0 and done.outcome["present"] == 3 and done.outcome["copied"] == 0, done
    assert difference(before, snapshot(pair.source, user=pair.user)) == []


@pytest.mark.parametrize("other", ["imaps://a%40x@HOST.example:993/", "imap://a%40x@host.example:143", "IMAP://%61%40x@host.example"])
def test_the_target_is_the_source(other, tmp_path):
    done = postferry("copy", "--from", "imap://a%40x@host.example/", "--to", other, "--ledger", tmp_path / "ledger")
    assert done.status == 2 and "the target is the source" in done.err, done


# ---- URLs ----

def test_user_names_are_percent_encoded(two, ledger):
    pair = Pair(*two)
    pair.user = "ann@example.org"
    account = pair.account()
    account.append("INBOX", titled("a"))
    account.close()
    url = "imap://ann%40example.org@127.0.0.1:{}/"
    done = postferry("copy", "--from", url.format(two[0].port), "--to", url.format(two[1].port), "--ledger", ledger,
                     "--allow-plaintext")
    assert done.status == 0 and names(pair) == {"INBOX": 1}, done


@pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6") or "lo" not in open("/proc/net/if_inet6").read(),
                    reason="no IPv6 here")
def test_an_ipv6_address_in_brackets(two, ledger, fast_dir):
    with Dovecot(fast_dir, listen="::1") as a:
        account = Account(a, host="::1")
        account.append("INBOX", titled("a"))
        account.close()
        done = postferry("copy", "--from", f"imap://user@[::1]:{a.port}", "--to", two[1].url("six"), "--ledger", ledger,
                         "--allow-plaintext")
        assert done.status == 0, done


def test_what_follows_the_host(tmp_path):
    done = postferry("copy", "--from", "imap://u@127.0.0.1:1/INBOX", "--to", "imap://v@127.0.0.1:1/", "--ledger",
                     tmp_path / "ledger")
    assert done.status == 2 and "--include" in done.err, done


# ---- help, manual, completions ----

def commands():
    text = postferry("--help").out
    lines = text[text.index("Commands:\n") + 10:text.index("\nURLs:")].splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def test_every_command_has_help_a_manual_and_completions():
    for command in commands():
        done = postferry(command, "--help")
        assert done.status == 0 and done.out.startswith(f"postferry {command}: "), done
        options = [w.split()[0] for w in done.out.split("Options:")[1].splitlines() if w.startswith("  --")]
        with open(os.path.join(BUILD, f"postferry-{command}.1"), encoding="utf-8") as f:
            manual = f.read().replace("\\-", "-")
        for option in options:
            assert option in manual, (command, option)
        for shell in ("postferry.bash", "_postferry", "postferry.fish"):
            with open(os.path.join(BUILD, shell), encoding="utf-8") as f:
                text = f.read()
            assert command in text and all(o.lstrip("-") in text for o in options), (shell, command)


def test_lines_of_help_fit_a_terminal():
    for words in [()] + [(c,) for c in commands()]:
        for line in postferry(*words, "--help").out.splitlines():
            assert len(line) <= 100, line


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff")
def test_manual_pages_are_clean():
    for name in ["postferry.1", *(f"postferry-{c}.1" for c in commands())]:
        done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", os.path.join(BUILD, name)], capture_output=True, check=False)
        assert done.returncode == 0 and done.stderr == b"", (name, done.stderr)


@pytest.mark.parametrize("shell,name", [("bash", "postferry.bash"), ("zsh", "_postferry"), ("fish", "postferry.fish")])
def test_completions_are_read_by_their_shell(shell, name):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    done = subprocess.run([shell, "-n", os.path.join(BUILD, name)], capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == b"", done


def test_bash_completes():
    script = f"""source {BUILD}/postferry.bash
        COMP_WORDS=(postferry co); COMP_CWORD=1; _postferry; echo "${{COMPREPLY[*]}}"
        COMP_WORDS=(postferry copy --fr); COMP_CWORD=2; _postferry; echo "${{COMPREPLY[*]}}" """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "copy" and "--from" in second.split() and "--from-secret" in second.split()


def test_explain_has_cause_effect_and_remedy_for_every_number():
    numbers = [line.split()[0] for line in postferry("explain").out.splitlines()]
    assert "14001" in numbers and len(numbers) > 30
    for number in numbers:
        done = postferry("explain", number)
        assert done.status == 0 and all(w in done.out for w in ("Cause:", "Effect:", "Remedy:")), done
    for wrong in ("1", "14001x", "", "-5"):
        assert postferry("explain", wrong).status == 2
