"""Runs postferry as a user would."""

import json
import os
import re
import subprocess
import time
from collections import Counter

BINARY = os.environ.get("POSTFERRY", os.path.join(os.path.dirname(__file__), "../../build/postferry"))


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def __repr__(self):
        return f"status {self.status}\n{self.out[-3000:]}\n{self.err[-3000:]}"

    @property
    def outcome(self):
        """The last JSON line (with --json)."""
        return json.loads(self.out.strip().splitlines()[-1])

    def lines(self, kind):
        lines = [json.loads(l) for l in self.out.splitlines() if l.startswith("{")]
        return [l for l in lines if l["type"] == kind]

    @property
    def missed(self):
        return self.lines("missed")

    @property
    def events(self):
        return self.lines("event")

    @property
    def progress(self):
        return self.lines("progress")


def environment(extra=None):
    env = dict(os.environ, POSTFERRY_FROM_PASSWORD="pass", POSTFERRY_TO_PASSWORD="pass",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=86", UBSAN_OPTIONS="print_stacktrace=1:exitcode=86")
    env.update(extra or {})
    return {key: value for key, value in env.items() if value is not None}


def arguments(command, *args):
    return [BINARY, command, *map(str, args)]


class Complaint(AssertionError):
    """What a server of the tests holds against the program."""


def postferry(command, *args, env=None, timeout=120, stdin=subprocess.DEVNULL, complaints=None):
    """`complaints`: function that gives what is wrong; the program is ended as soon as anything is."""
    if complaints:
        return watched(command, *args, env=env, timeout=timeout, complaints=complaints)
    done = subprocess.run(arguments(command, *args), env=environment(env), timeout=timeout, stdin=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, check=False)
    return Result(done)


def watched(command, *args, env, timeout, complaints):
    process = start(command, *args, env=env)
    end = time.monotonic() + timeout
    try:
        while True:
            try:
                out, err = process.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                if complaints() or time.monotonic() > end:
                    raise
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        if not complaints():
            raise
    if complaints():
        raise Complaint("; ".join(complaints()[:3]))
    return Result(subprocess.CompletedProcess(process.args, process.returncode, out, err))


def start(command, *args, env=None):
    return subprocess.Popen(arguments(command, *args), env=environment(env), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def copy(source, target, ledger, *more, **kw):
    return postferry("copy", "--from", source, "--to", target, "--ledger", ledger, "--allow-plaintext",
                     "--json", *more, **kw)


def commands(trace):
    """How often each command of IMAP was sent, of what --trace wrote."""
    if not os.path.exists(trace):
        return Counter()  # no side had a session
    with open(trace, "rb") as f:
        return Counter(m.group(1).decode() for m in re.finditer(rb"^p\d+ ((?:UID )?(?!OK|NO|BAD)[A-Z]+)", f.read(), re.M))
