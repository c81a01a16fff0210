"""How each program is told to copy one account; `line` is what stands behind `prefix` on the command line."""

import os
import shutil
import subprocess

PASSWORD = "pass"


class Job:
    """One account: (port, user) on either side, and a folder for what the program keeps between runs."""

    def __init__(self, source, target, state):
        self.source, self.target, self.state = source, target, state

    def write(self, name, text):
        path = os.path.join(self.state, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path


class Tool:
    name = ""
    prefix = []
    package = None

    def installed(self):
        return shutil.which(self.prefix[0]) is not None

    def version(self):
        done = subprocess.run([self.prefix[0], "--version"], capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).strip().split("\n")[0]

    def line(self, job):
        raise NotImplementedError

    def command(self, job):
        return self.prefix + self.line(job)

    def batch(self, jobs, state):
        """Many accounts at once: four processes at a time."""
        path = os.path.join(state, "accounts")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(" ".join(self.line(job)) + "\n" for job in jobs)
        return ["xargs", "-P", "4", "-L", "1", "-a", path, *self.prefix]


class Postferry(Tool):
    name = "postferry"

    def __init__(self, build):
        self.prefix = [os.path.join(build, "postferry")]

    def line(self, job):
        return ["copy", "--from", url(job.source), "--to", url(job.target), "--ledger", os.path.join(job.state, "ledger"),
                "--allow-plaintext", "--quiet", "--no-progress"]

    def batch(self, jobs, state):
        """One process, where this version can."""
        if subprocess.run([*self.prefix, "run", "--help"], capture_output=True, check=False).returncode != 0:
            return super().batch(jobs, state)
        path = os.path.join(state, "accounts.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("from,to\n")
            f.writelines(f"{url(job.source)},{url(job.target)}\n" for job in jobs)
        return [*self.prefix, "run", path, "--ledger", os.path.join(state, "ledger"), "--allow-plaintext", "--quiet",
                "--no-progress"]


class Mbsync(Tool):
    name = "mbsync"
    prefix = ["mbsync"]
    package = "isync"

    def line(self, job):
        def store(name, side):
            return (f"IMAPStore {name}\nHost 127.0.0.1\nPort {side[0]}\nUser {side[1]}\nPass {PASSWORD}\nSSLType None\n"
                    "AuthMechs LOGIN\nTimeout 120\n\n")

        states = os.path.join(job.state, "mbsync")
        os.makedirs(states, exist_ok=True)
        return ["-q", "-q", "-c", job.write("mbsyncrc", store("source", job.source) + store("target", job.target) + (
            "Channel all\nFar :source:\nNear :target:\nPatterns *\nCreate Near\nSync Pull\nCopyArrivalDate yes\n"
            f"SyncState {states}/\n")), "all"]


class Interimap(Tool):
    name = "interimap"
    prefix = ["interimap"]
    package = "interimap"

    def line(self, job):
        def side(name, where):
            return (f"[{name}]\ntype = imap\nSTARTTLS = NO\nhost = 127.0.0.1\nport = {where[0]}\nusername = {where[1]}\n"
                    f"password = {PASSWORD}\ncompress = NO\n\n")

        return ["--quiet", "--config=" + job.write("interimap", f"database = {job.state}/interimap.db\n\n"
                                                   + side("local", job.target) + side("remote", job.source))]


class Imapsync(Tool):
    """Not in Debian: measured where somebody has installed it."""

    name = "imapsync"
    prefix = ["imapsync"]

    def line(self, job):
        line = ["--nolog", "--noreleasecheck"]
        for n, (port, user) in ((1, job.source), (2, job.target)):
            line += [f"--host{n}", "127.0.0.1", f"--port{n}", str(port), f"--user{n}", user, f"--password{n}", PASSWORD,
                     f"--nossl{n}", f"--notls{n}"]
        return line


class Both(Tool):
    """The limit: drain and blast at once, two connections each."""

    name = "limit"

    def __init__(self, build, stream):
        self.prefix = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "both")]
        self.programs, self.stream = os.path.join(build, "bench"), stream

    def line(self, job):
        return [self.programs, "2", f"127.0.0.1:{job.source[0]}", job.source[1], self.stream,
                f"127.0.0.1:{job.target[0]}", job.target[1]]


class Drain(Both):
    name = "drain"

    def command(self, job):
        return [os.path.join(self.programs, "drain"), "4", f"127.0.0.1:{job.source[0]}", job.source[1]]


class Blast(Both):
    name = "blast"

    def command(self, job):
        return [os.path.join(self.programs, "blast"), "4", f"127.0.0.1:{job.target[0]}", job.target[1], self.stream]


def url(side):
    return f"imap://{side[1]}@127.0.0.1:{side[0]}/"


def environment(state):
    return dict(os.environ, POSTFERRY_FROM_PASSWORD=PASSWORD, POSTFERRY_TO_PASSWORD=PASSWORD, IMAP_PASSWORD=PASSWORD,
                XDG_STATE_HOME=state, XDG_DATA_HOME=state, XDG_CONFIG_HOME=state, HOME=state)
