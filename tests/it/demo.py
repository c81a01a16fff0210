#!/usr/bin/python3
"""The demo: an account of 41 nested folders moves between two Dovecot servers and is killed once on the way."""

import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mail import FOLDERS, Account, difference, snapshot  # noqa: E402
from servers.dovecot import Dovecot  # noqa: E402

PER_FOLDER = 25


def say(text):
    print(f"\n--- {text}", flush=True)


def run(binary, command, source, target, ledger, *more):
    line = [binary, command, "--from", source.url(), "--to", target.url(), "--ledger", ledger,
            "--allow-plaintext", *more]
    print("$ postferry " + " ".join(line[1:]), flush=True)
    return line


def main():
    binary = os.path.abspath(sys.argv[1])
    os.environ.update(POSTFERRY_FROM_PASSWORD="pass", POSTFERRY_TO_PASSWORD="pass")
    with tempfile.TemporaryDirectory(prefix="postferry-demo-") as top, Dovecot() as source, Dovecot() as target:
        ledger = os.path.join(top, "ledger")
        say(f"two Dovecot servers, ports {source.port} and {target.port}; {len(FOLDERS)} folders are being filled")
        account = Account(source)
        account.fill(FOLDERS, PER_FOLDER)
        account.close()

        say("what would happen?")
        subprocess.run(run(binary, "check", source, target, ledger), check=False)

        say("copy, killed on the way (kill -9)")
        process = subprocess.Popen(run(binary, "copy", source, target, ledger, "--rate", "4M"))
        time.sleep(0.8)
        process.send_signal(signal.SIGKILL)
        process.wait()

        say("the same command again")
        subprocess.run(run(binary, "copy", source, target, ledger), check=False)

        say("is everything there? Every byte is read on both sides")
        verified = subprocess.run(run(binary, "verify", source, target, ledger, "--deep"), check=False)

        say("once more: nothing to do")
        subprocess.run(run(binary, "copy", source, target, ledger), check=False)

        say("the report")
        subprocess.run([binary, "report", "--ledger", ledger], check=False)

        say("an independent look at both accounts, by Python's imaplib")
        found = difference(snapshot(source), snapshot(target))
        print("no difference in folders, bytes, flags, dates and order" if not found else "\n".join(found))
        return 1 if found or verified.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
