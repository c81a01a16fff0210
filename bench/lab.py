"""The servers, accounts and clocks: one measured run of a program, from outside."""

import imaplib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "tests", "it"))
from servers.base import MAIL_GID, MAIL_UID, free_port  # noqa: E402
from servers.dovecot import Dovecot  # noqa: E402

import accounts  # noqa: E402
from tools import PASSWORD, Job, environment  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
LONGEST = 600  # seconds of one run


class Failed(Exception):
    """A program did not do what it was measured for."""


class Sample:
    """What one run took: seconds, MiB; round trips where the links had a delay."""

    def __init__(self, measured, source, target, links=None):
        self.wall, self.rss = measured["wall"], measured["rss_kib"] / 1024
        self.client, self.source, self.target = measured["user"] + measured["sys"], source, target
        self.links = links

    @property
    def cpu(self):
        return self.client + self.source + self.target

    @property
    def chain(self):
        return self.links["chain"] if self.links else None

    @property
    def waits(self):
        return sum(link["waits"] for link in self.links["links"]) if self.links else None

    @property
    def connections(self):
        return sum(link["connections"] for link in self.links["links"]) if self.links else None


def session_processes(session):
    """(name, CPU ticks with those of ended children) of every process of a session."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                head, _, tail = f.read().rpartition(")")
        except OSError:
            continue
        fields = tail.split()
        if int(fields[3]) == session:
            yield head.partition("(")[2], sum(map(int, fields[11:15]))


def cpu_seconds(server):
    return sum(ticks for _, ticks in session_processes(server.process.pid)) / TICKS


def wait_until_idle(server, seconds=5):
    """Until no process of an account is left: its last work counts as well."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(name == "imap" for name, _ in session_processes(server.process.pid)):
        time.sleep(0.01)


def clone(source, target):
    """A copy of an account that shares the files of its messages."""
    for where, _, names in os.walk(source):
        into = os.path.join(target, os.path.relpath(where, source))
        os.makedirs(into, exist_ok=True)
        os.chown(into, MAIL_UID, MAIL_GID)
        for name in names:
            path, copy = os.path.join(where, name), os.path.join(into, name)
            if os.path.basename(where) == "cur":
                os.link(path, copy)
            else:
                shutil.copy2(path, copy)
                os.chown(copy, MAIL_UID, MAIL_GID)


def give_away(top):
    for where, _, names in os.walk(top):
        os.chown(where, MAIL_UID, MAIL_GID)
        for name in names:
            os.chown(os.path.join(where, name), MAIL_UID, MAIL_GID)


def count_messages(maildir):
    return sum(len(names) for where, _, names in os.walk(maildir) if os.path.basename(where) in ("cur", "new"))


def end_of(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()[-1000:]


class Delay:
    """Both links of a client through the proxy, at ports that stay the same however often it is started."""

    def __init__(self, build, source, target):
        self.program, self.servers = os.path.join(build, "bench", "delay"), (source, target)
        self.ports = (free_port(), free_port())

    def start(self, one_way_ms):
        links = [f"{port}:{server.port}" for port, server in zip(self.ports, self.servers)]
        self.process = subprocess.Popen([self.program, str(one_way_ms), *links], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=20)[0])


class Lab:
    """Two servers with their mail in memory, a third one on disk when it is wanted, and the accounts."""

    def __init__(self, build, memory, disk):
        self.build = build
        self.top, self.disk = (tempfile.mkdtemp(prefix="pf-bench-", dir=where) for where in (memory, disk))
        for top in (self.top, self.disk):
            os.chmod(top, 0o755)
        self.servers, self.delays, self.made, self.runs = {}, {}, set(), 0

    def close(self):
        for server in self.servers.values():
            server.__exit__()
        for top in (self.top, self.disk):
            shutil.rmtree(top, ignore_errors=True)

    def server(self, name):
        if name not in self.servers:
            on_disk = name == "disk"
            server = Dovecot(self.disk if on_disk else self.top, fsync="always" if on_disk else "never",
                             max_connections=64)
            self.servers[name] = server.__enter__()
        return self.servers[name]

    def stream(self, name):
        return os.path.join(self.top, name + ".stream")

    def account(self, name, user=None, seed=None):
        """Make the account of a corpus, with its stream; let the server index it, and warm the machine up."""
        user = user or name
        source, one = self.server("source"), accounts.CORPORA[name]
        stream = self.stream(name) if user == name else None
        accounts.make(one, source.maildir(user), stream, seed)
        give_away(source.path("home", user))
        self.limit("drain", "2", f"127.0.0.1:{source.port}", user)
        wait_until_idle(source)
        if stream:
            self.warm_up(stream)
        self.made.add(user)

    def limit(self, program, *arguments):
        subprocess.run([os.path.join(self.build, "bench", program), *arguments], check=True, stdout=subprocess.DEVNULL,
                       env=environment(self.top))

    def warm_up(self, stream):
        """Store it once, unmeasured: the first use of memory costs a virtual machine more than any later one."""
        target, user = self.server("target"), self.new_target()
        self.limit("blast", "2", f"127.0.0.1:{target.port}", user, stream)
        wait_until_idle(target)
        target.forget(user)

    def forget_account(self, name):
        self.server("source").forget(name)
        if os.path.exists(self.stream(name)):
            os.remove(self.stream(name))

    def clone_account(self, name, user):
        source = self.server("source")
        os.mkdir(source.path("home", user))
        os.chown(source.path("home", user), MAIL_UID, MAIL_GID)
        clone(source.maildir(name), source.maildir(user))

    def deliver(self, user, messages):
        imap = imaplib.IMAP4("127.0.0.1", self.server("source").port)
        imap.login(user, PASSWORD)
        for folder, flags, date, octets in messages:
            if imap.append(f'"{folder}"', f"({' '.join(flags)})", date, octets)[0] != "OK":
                raise RuntimeError(f"{user}: APPEND to {folder} is refused")
        imap.logout()
        wait_until_idle(self.server("source"))

    def state(self, name, on_disk=False):
        return tempfile.mkdtemp(prefix=f"{name}-", dir=self.disk if on_disk else self.top)

    def new_target(self):
        self.runs += 1
        return f"target{self.runs}"

    def delay(self, target):
        if target not in self.delays:
            self.delays[target] = Delay(self.build, self.server("source"), self.server(target))
        return self.delays[target]

    def job(self, user, target, target_user, state, delayed=False):
        ports = self.delay(target).ports if delayed else (self.server("source").port, self.server(target).port)
        return Job((ports[0], user), (ports[1], target_user), state)

    def measure(self, command, target, state, one_way_ms=None):
        """Run it: a Sample. Failed: it did not end well."""
        source, target, delay = self.server("source"), self.server(target), self.delay(target)
        out, log = os.path.join(state, "measured.json"), os.path.join(state, "output")
        if one_way_ms is not None:
            delay.start(one_way_ms)
        before = cpu_seconds(source), cpu_seconds(target)
        with open(log, "wb") as f:
            try:
                subprocess.run([os.path.join(self.build, "bench", "measure"), out, *command], stdin=subprocess.DEVNULL,
                               stdout=f, stderr=f, env=environment(state), check=False, timeout=LONGEST)
            except subprocess.TimeoutExpired as e:
                raise Failed(f"{command[0]}: not done after {LONGEST} s") from e
            finally:
                links = delay.stop() if one_way_ms is not None else None
        wait_until_idle(source)
        wait_until_idle(target)
        after = cpu_seconds(source), cpu_seconds(target)
        with open(out, encoding="ascii") as f:
            measured = json.load(f)
        if measured["status"] != 0:
            said = [end_of(path) for path in (log, source.path("dovecot.log"), target.path("dovecot.log"))]
            raise Failed(f"{command[0]}: status {measured['status']}: " + "\n".join(said))
        return Sample(measured, after[0] - before[0], after[1] - before[1], links)
