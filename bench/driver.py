#!/usr/bin/python3
"""Runs postferry, the limits and the peers over the rows, interleaved; bench/run builds first and then calls it."""

import argparse
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import accounts  # noqa: E402
from lab import HERE, Failed, Lab, count_messages  # noqa: E402
from report import markdown  # noqa: E402
from rows import ACCOUNTS, GROUPS, LIMITS, TITLES  # noqa: E402
from tools import Blast, Both, Drain, Imapsync, Interimap, Mbsync, Postferry  # noqa: E402


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, lab, build, only, wanted, rounds):
        self.lab, self.wanted, self.rounds = lab, wanted, rounds
        self.samples, self.failures = {}, []
        tools = [Postferry(build), Mbsync(), Interimap(), Imapsync()]
        tools = [t for t in tools if t.installed()]
        self.tools = {t.name: t for t in tools if not only or t.name in only}
        self.limits = {c.name: c for c in (Both, Drain, Blast) if not only or c.name in only}
        self.build = build

    def tool(self, name, stream):
        return self.limits[name](self.build, stream) if name in self.limits else self.tools.get(name)

    def keep(self, row, tool, sample):
        self.samples.setdefault(row, {}).setdefault(tool, []).append(sample)
        trips = f", {sample.chain} round trips" if sample.links else ""
        say(f"{row:12} {tool:10} {sample.wall:7.2f} s, client {sample.client:.2f} + source {sample.source:.2f} + target "
            f"{sample.target:.2f} s CPU, {sample.rss:.0f} MiB{trips}")

    def fail(self, row, tool, why):
        self.failures.append(f"{row}: {tool}: {why}")
        say(self.failures[-1])

    def run_group(self, group):
        rows = {kind: row for kind, row in group.rows.items() if row in self.wanted}
        if not rows:
            return
        say(f"{accounts.CORPORA[group.corpus].title}: being made")
        self.lab.account(group.corpus)
        for n in range(self.rounds):
            Round(self, group, rows, n).run()
        self.lab.forget_account(group.corpus)

    def run_accounts(self, count):
        row = f"accounts-{count}"
        if row not in self.wanted:
            return
        users = [f"account{n}" for n in range(count)]
        for user in users:
            if user not in self.lab.made:
                self.lab.account("account", user, seed=user)
        for _ in range(self.rounds):
            for tool in self.tools.values():
                self.copy_accounts(row, tool, users)

    def copy_accounts(self, row, tool, users):
        top, jobs = self.lab.state(row), []
        for user in users:
            state = os.path.join(top, user)
            os.mkdir(state)
            jobs.append(self.lab.job(user, "target", self.lab.new_target(), state))
        try:
            sample = self.lab.measure(tool.batch(jobs, top) if len(jobs) > 1 else tool.command(jobs[0]), "target", top)
            for job in jobs:
                expect(self.lab, "target", job, accounts.CORPORA["account"].messages)
            self.keep(row, tool.name, sample)
        except Failed as e:
            self.fail(row, tool.name, e)
        for job in jobs:
            self.lab.server("target").forget(job.target[1])
        subprocess.run(["rm", "-r", top], check=True)


def expect(lab, target, job, messages):
    there = count_messages(lab.server(target).maildir(job.target[1]))
    if there != messages:
        raise Failed(f"{there} of {messages} messages are at the target")


class Round:
    """One round of a group: each program copies to a target of its own, then runs again, then again with new mail."""

    def __init__(self, bench, group, rows, number):
        self.bench, self.lab, self.group, self.rows, self.number = bench, bench.lab, group, rows, number
        self.corpus = accounts.CORPORA[group.corpus]
        self.later = "again" in rows or "news" in rows
        self.user = f"{group.corpus}-round{number}" if "news" in rows else group.corpus

    def run(self):
        if self.user != self.group.corpus:
            self.lab.clone_account(self.group.corpus, self.user)
        jobs = []
        for name in self.group.tools:
            tool = self.bench.tool(name, self.lab.stream(self.group.corpus))
            if tool and ("cold" in self.rows or name not in LIMITS):
                jobs.append(self.first(tool))
        later = [(tool, job) for tool, job in jobs if job]
        if "again" in self.rows:
            for tool, job in later:
                self.measure("again", tool, job, 0)
        if "news" in self.rows and later:
            self.lab.deliver(self.user, accounts.one_percent(self.corpus, f"news{self.number}"))
            for tool, job in later:
                self.measure("news", tool, job, max(1, self.corpus.messages // 100))
        for _, job in later:
            self.done(job)
        if self.user != self.group.corpus:
            self.lab.server("source").forget(self.user)

    def first(self, tool):
        """The cold copy: (tool, job), the job None where nothing follows."""
        job = self.lab.job(self.user, self.group.target, self.lab.new_target(),
                           self.lab.state(tool.name, self.group.target == "disk"), self.group.one_way_ms is not None)
        done = self.measure("cold", tool, job, 0 if tool.name != "drain" else -self.corpus.messages)
        if done and self.later and tool.name not in LIMITS:
            return tool, job
        self.done(job)
        return tool, None

    def measure(self, kind, tool, job, more):
        """Keep the Sample, when so many more messages are at the target than the corpus has; False: they are not."""
        row, ms = self.rows.get(kind), self.group.one_way_ms
        if not row and ms is not None:
            ms = 0  # only what follows is wanted
        try:
            sample = self.lab.measure(tool.command(job), self.group.target, job.state, ms)
            expect(self.lab, self.group.target, job, self.corpus.messages + more)
        except Failed as e:
            self.bench.fail(row or kind, tool.name, e)
            return False
        if row:
            self.bench.keep(row, tool.name, sample)
        return True

    def done(self, job):
        self.lab.server(self.group.target).forget(job.target[1])
        subprocess.run(["rm", "-r", job.state], check=True)


def versions(bench):
    commit = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True, text=True,
                            check=False).stdout.strip()
    found = {name: tool.version() for name, tool in bench.tools.items()}
    if "postferry" in found:
        found["postferry"] += f" ({commit})"
    found["dovecot"] = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    found["limit"] = "drain and blast at the same time, two connections each; drain, blast: alone, four connections"
    return found


def arguments():
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--row", action="append", choices=list(TITLES), help="only this row; may be given several times")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", type=lambda s: s.split(","), help="programs: postferry,limit,drain,blast,mbsync,...")
    p.add_argument("--memory", default="/dev/shm", help="where servers keep mail (a file system in memory)")
    p.add_argument("--disk", default="/var/tmp", help="where the server that syncs keeps mail")
    p.add_argument("--out", help="write the tables here; default: RESULTS.md beside this, when all rows are measured")
    return p.parse_args()


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through the clean-up below
    load = os.getloadavg()
    lab = Lab(os.path.abspath(args.build), args.memory, args.disk)
    bench = Bench(lab, lab.build, args.only, set(args.row or TITLES), args.rounds)
    try:
        for group in GROUPS:
            bench.run_group(group)
        for count in ACCOUNTS:
            bench.run_accounts(count)
    finally:
        lab.close()
    text = markdown(bench, versions(bench), load)
    out = args.out or (None if args.row or args.only else os.path.join(HERE, "RESULTS.md"))
    if out:
        with open(out, "w", encoding="utf-8") as f:
            f.write(text)
    print(text)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
