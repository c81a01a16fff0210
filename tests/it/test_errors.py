"""What bad input gets: one clear message with what, where and the remedy; the right status; nothing lost."""

import os
import subprocess
import time

import pytest
from mail import Account, message, snapshot
from run import copy, postferry, start
from servers.base import free_port


def both(source, target, ledger):
    return ("--from", source, "--to", target, "--ledger", ledger)


@pytest.mark.parametrize("url,says", [
    ("mail.example.org", "scheme"),
    ("imap:host", "//"),
    ("imap://user:geheim@host/", "password"),
    ("gopher://user@host/", "no scheme"),
    ("imap://user@host:99999/", "port"),
    ("imap://host/", "user"),
])
def test_wrong_urls(ledger, url, says):
    done = postferry("copy", *both(url, "imap://user@127.0.0.1:1/", ledger))
    assert done.status == 2 and says in done.err, done
    assert "geheim" not in done.err + done.out


def test_target_is_source(ledger):
    done = postferry("copy", *both("imap://user@HOST/", "imaps://user@host:993/", ledger))
    assert done.status == 2 and "target is the source" in done.err


def test_unknown_option_and_command():
    done = postferry("copy", "--form", "x")
    assert done.status == 2 and "--from" in done.err
    done = postferry("cpoy")
    assert done.status == 2 and "copy" in done.err
    assert postferry("copy", "--from").status == 2


def test_refused_connection(ledger):
    url = f"imap://user@127.0.0.1:{free_port()}/"
    done = postferry("copy", *both(url, "imap://user@127.0.0.1:1/", ledger), "--allow-plaintext")
    assert done.status == 3 and "refused" in done.err, done


def test_unknown_host(ledger):
    done = postferry("copy", *both("imap://user@no.such.host.invalid/", "imap://user@127.0.0.1:1/", ledger))
    assert done.status == 3 and "no.such.host.invalid" in done.err, done


def test_no_plaintext_without_leave(pair, ledger):
    source, target = pair
    done = postferry("copy", *both(source.url(), target.url(), ledger))
    assert done.status == 3 and "--allow-plaintext" in done.err


def test_wrong_password_is_tried_once(pair, ledger, tmp_path):
    source, target = pair
    trace = str(tmp_path / "trace")
    done = copy(source.url(), target.url(), ledger, "--trace", trace, env={"POSTFERRY_TO_PASSWORD": "wrong-pw"})
    assert done.status == 3 and "AUTHENTICATIONFAILED" in done.err, done
    with open(trace, "rb") as f:
        text = f.read()
    assert text.count(b"AUTHENTICATIONFAILED") == 1 and b"wrong-pw" not in text


def test_missing_secret(pair, ledger):
    source, target = pair
    env = dict(os.environ)
    env.pop("POSTFERRY_FROM_PASSWORD", None)
    done = postferry("copy", *both(source.url(), target.url(), ledger), "--allow-plaintext",
                     "--from-secret", "env:NO_SUCH_VARIABLE")
    assert done.status in (2, 3) and "NO_SUCH_VARIABLE" in done.err, done


def test_secret_file_must_be_private(pair, ledger, tmp_path):
    source, target = pair
    secret = tmp_path / "secret"
    secret.write_text("pass\nsecond line\n")
    secret.chmod(0o644)
    args = (*both(source.url(), target.url(), ledger), "--allow-plaintext", "--from-secret", f"file:{secret}")
    done = postferry("copy", *args)
    assert done.status in (2, 3) and "chmod 600" in done.err
    secret.chmod(0o600)
    assert postferry("copy", *args).status == 0
    assert postferry("copy", *args[:-1], "command:echo pass").status == 0


def test_second_process_is_told_who_holds_the_ledger(pair, ledger):
    source, target = pair
    account = Account(source)
    for n in range(200):
        account.append("INBOX", message(n))
    account.close()
    first = start("copy", *both(source.url(), target.url(), ledger), "--allow-plaintext", "--rate", "20K")
    try:
        for _ in range(100):
            time.sleep(0.05)
            if os.path.exists(ledger):
                break
        time.sleep(0.3)
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 2 and str(first.pid) in done.err, done
    finally:
        first.terminate()
        first.communicate(timeout=30)
    assert first.returncode == 4
    assert copy(source.url(), target.url(), ledger).status == 0
    assert len(snapshot(target)["INBOX"]) == 200


def test_damaged_ledger(pair, ledger):
    source, target = pair
    for text in (b"this is no ledger\n" * 100, b""):
        with open(ledger, "wb") as f:
            f.write(text)
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 2 and ledger in done.err, done


def test_unwritable_ledger_directory(pair):
    source, target = pair
    done = copy(source.url(), target.url(), "/proc/none/ledger")
    assert done.status == 2 and "/proc/none" in done.err, done


def test_secret_is_found_nowhere(pair, ledger, tmp_path):
    """FIELD-NOTES 66: a canary password."""
    source, target = pair
    trace = str(tmp_path / "trace")
    done = copy(source.url(), target.url(), ledger, "--trace", trace, "--verbose",
                env={"POSTFERRY_FROM_PASSWORD": "canary-1-pass"})
    assert done.status == 3
    seen = done.out + done.err
    for top, _, names in os.walk(tmp_path):
        for name in names:
            with open(os.path.join(top, name), "rb") as f:
                seen += f.read().decode("latin-1")
    assert "canary-1" not in seen and "Y2FuYXJ5" not in seen


def test_help_names_every_command():
    done = postferry("--help")
    assert done.status == 0
    for command in ("copy", "check", "verify", "retry"):
        assert command in done.out
        assert "--from" in postferry(command, "--help").out


def test_output_that_cannot_be_written(pair, ledger):
    source, target = pair
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*map(str, [os.environ.get("POSTFERRY", "build/postferry")]), "--help"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode in (0, 70)
