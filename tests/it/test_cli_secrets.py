"""Passwords: where they may come from, what is said when there is none, and where they must not be found."""

import base64
import os
import re
import signal
import time

import pytest
from mail import Account, message
from run import postferry, start
from servers.dovecot import Dovecot
from terminal import Terminal

NO_PASSWORDS = {"POSTFERRY_FROM_PASSWORD": None, "POSTFERRY_TO_PASSWORD": None}


@pytest.fixture(scope="module")
def servers(fast_dir):
    with Dovecot(fast_dir) as a, Dovecot(fast_dir) as b:
        yield a, b


@pytest.fixture
def between(servers, ledger):
    a, b = servers
    return "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext"


@pytest.fixture
def private(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"pass\r\nsecond line\n")
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize("spec", ["env:OTHER", "file:{private}", "command:echo pass; echo more", "command:cat {private}"])
def test_each_form(between, private, spec):
    done = postferry("copy", *between, "--from-secret", spec.format(private=private), "--to-secret",
                     spec.format(private=private), env={**NO_PASSWORDS, "OTHER": "pass"})
    assert done.status == 0, done


@pytest.mark.parametrize("spec,says", [
    ("env:NO_SUCH", "NO_SUCH"),
    ("file:/nowhere/at/all", "/nowhere/at/all"),
    ("file:/root", "/root"),
    ("command:exit 3", "status 3"),
    ("command:true", "password"),
    ("none", "sign in"),
    ("oauth:NO_SUCH", "NO_SUCH"),
])
def test_a_form_that_gives_none(between, spec, says):
    done = postferry("copy", *between, "--to-secret", spec, env=NO_PASSWORDS | {"POSTFERRY_FROM_PASSWORD": "pass"})
    assert done.status == 3 and says in done.err and done.err.count("\n") <= 2, done


@pytest.mark.parametrize("spec", ["hunter2", "env:", "password:hunter2", "file:", ""])
def test_what_is_no_form(between, ledger, spec):
    """A password on the command line is refused, and not repeated."""
    done = postferry("copy", *between, "--from-secret", spec)
    assert done.status == 2 and "env:NAME" in done.err and "hunter2" not in done.err + done.out, done
    assert not os.path.exists(ledger)


def test_nothing_given_and_nobody_there(between, ledger):
    """DESIGN: environment, else a prompt on a terminal, else an error that says so."""
    done = postferry("copy", *between, env=NO_PASSWORDS)
    assert done.status == 3, done
    for word in ("no password", "no terminal", "POSTFERRY_FROM_PASSWORD", "--from-secret"):
        assert word in done.err, done
    assert not os.path.exists(ledger)
    done = postferry("copy", *between, env={"POSTFERRY_TO_PASSWORD": None})
    assert done.status == 3 and "POSTFERRY_TO_PASSWORD" in done.err, done


def test_a_person_is_asked_once_a_side(between, servers):
    account = Account(servers[0])
    for n in range(40):
        account.create(f"Box{n}")
        account.append(f"Box{n}", message(n))
    account.close()
    with Terminal("copy", *between, "--connections", "4", env=NO_PASSWORDS) as t:
        t.expect("Password for imap://user@")
        t.send("pass\n")
        while t.text.count("Password for") < 2:
            assert t.read(1)
        t.send("pass\n")
        assert t.finish() == 0, t.text
        assert t.text.count("Password for") == 2 and "pass" not in t.text, t.text
        assert t.echoes()


def test_the_prompt_can_be_asked_for_and_left(between):
    with Terminal("copy", *between, "--from-secret", "prompt") as t:
        t.expect("Password for")
        assert not t.echoes()
        t.send("\x03")
        assert t.finish(15) in (3, 4, -signal.SIGINT), t.text
        assert t.echoes()


def test_an_empty_answer_is_no_password(between):
    with Terminal("copy", *between, "--from-secret", "prompt") as t:
        t.expect("Password for")
        t.send("\n")
        assert t.finish(15) == 3 and "no password" in t.text, t.text


def ranges(pid):
    """Address ranges of the process that a core dump would have."""
    with open(f"/proc/{pid}/smaps", encoding="ascii") as f:
        text = f.read()
    for block in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", text)[1:]:
        begin, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", block).groups()
        flags = re.search(r"VmFlags:(.*)", block).group(1).split()
        resident = int(re.search(r"Rss: +(\d+)", block).group(1))
        if "dd" not in flags and rights.startswith("rw") and resident:
            yield int(begin, 16), int(end, 16)


def in_memory(pid, words):
    found = set()
    with open(f"/proc/{pid}/mem", "rb", 0) as f:
        for begin, end in ranges(pid):
            for at in range(begin, end, 1 << 24):
                try:
                    f.seek(at)
                    part = f.read(min(1 << 24, end - at))
                except OSError:
                    continue # a shadow of the sanitizer
                found |= {w for w in words if w in part}
    return found


@pytest.mark.skipif(os.getuid() != 0, reason="looks into another process")
@pytest.mark.parametrize("mechanisms", ["plain", "plain cram-md5", "plain scram-sha-256"])
def test_no_core_would_have_it(fast_dir, ledger, tmp_path, mechanisms):
    """
    There is no core dump; and if there were, behind a sign-in it has nothing. A canary is looked for in all memory of a running
    copy, with one connection, as another one may be signing in.
    """
    canary = b"canary-6b1f-pass"
    secret = tmp_path / "secret"
    secret.write_bytes(canary)
    secret.chmod(0o600)
    words = {canary, base64.b64encode(canary)[:16], base64.b64encode(b"\0user\0" + canary)[8:28]}
    with Dovecot(fast_dir, mechanisms=mechanisms, password=canary.decode()) as a, Dovecot(fast_dir) as b:
        account = Account(a, password=canary.decode())
        for n in range(50):
            account.append("INBOX", message(n, 50000))
        account.close()
        command = ("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext", "--from-secret",
                   f"file:{secret}", "--trace", str(tmp_path / "trace"), "--rate", "200K", "--json", "--verbose", "--connections", "1")
        process = start(*command, env={"POSTFERRY_FROM_PASSWORD": None})
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end and process.poll() is None:
                time.sleep(0.1)
                if (tmp_path / "trace").exists() and b"EXAMINE" in (tmp_path / "trace").read_bytes():
                    break
            assert process.poll() is None, "too quick to look into"
            assert in_memory(process.pid, words) == set()
            with open(f"/proc/{process.pid}/cmdline", "rb") as f:
                assert canary not in f.read()
            with open(f"/proc/{process.pid}/limits", encoding="ascii") as f:
                assert re.search(r"Max core file size +0 +0 ", f.read())
            process.send_signal(signal.SIGTERM)
        finally:
            out, err = process.communicate(timeout=60)
        assert canary not in out + err
    for top, _, names in os.walk(tmp_path):
        for name in names:
            if name != "secret":
                with open(os.path.join(top, name), "rb") as f:
                    text = f.read()
                assert not [w for w in words if w in text], name
