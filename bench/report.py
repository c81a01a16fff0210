"""Medians, ratios and goals, as Markdown."""

import datetime
import os
import platform
import statistics

from accounts import CORPORA
from rows import ACCOUNTS, GOALS, GROUPS, LIMITS, TITLES


class Median:
    """The median of each field of some Samples."""

    FIELDS = ("wall", "client", "source", "target", "cpu", "rss", "chain", "waits", "connections")

    def __init__(self, samples):
        self.least, self.most = min(s.wall for s in samples), max(s.wall for s in samples)
        for field in self.FIELDS:
            values = [v for v in (getattr(s, field) for s in samples) if v is not None]
            setattr(self, field, statistics.median(values) if values else None)


def medians(samples):
    """row -> tool -> Samples becomes row -> tool -> Median."""
    return {row: {tool: Median(s) for tool, s in tools.items() if s} for row, tools in samples.items()}


def table(head, lines):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *lines]) + "\n"


def row_table(tools):
    far = any(m.chain is not None for m in tools.values())
    head = ["program", "wall s", "(least to most)", "client CPU s", "source", "target", "all", "peak MiB"]
    head += ["round trips", "waits", "connections"] if far else []
    lines = []
    for tool, m in tools.items():
        line = [tool, f"{m.wall:.2f}", f"{m.least:.2f} to {m.most:.2f}", f"{m.client:.2f}", f"{m.source:.2f}",
                f"{m.target:.2f}", f"{m.cpu:.2f}", "" if tool in LIMITS else f"{m.rss:.0f}"]
        lines.append(line + ([f"{m.chain:.0f}", f"{m.waits:.0f}", f"{m.connections:.0f}"] if far else []))
    return table(head, lines)


def goal_table(found):
    lines = []
    for goal in GOALS:
        judged = goal.judge(found)
        if goal.row in found:
            bound = f"at most {goal.most}" if goal.most is not None else f"at least {goal.least}"
            lines.append([TITLES[goal.row], goal.text, f"{bound} {goal.unit}".strip(),
                          f"{judged[0]:.2f}" if judged else "not measured",
                          ("yes" if judged[1] else "**no**") if judged else ""])
    return table(["row", "goal", "to reach", "measured", "reached"], lines)


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return f"{model}, {os.cpu_count()} cores, {memory} GiB, Linux {platform.release()}"


def corpus_of(row):
    name = "account" if row.startswith("accounts-") else next(g.corpus for g in GROUPS if row in g.rows.values())
    return CORPORA[name].title


def markdown(bench, versions, load):
    found = medians(bench.samples)
    parts = ["# Results\n",
             f"Medians of {bench.rounds} interleaved rounds by `bench/run`, {datetime.date.today().isoformat()}. How to read "
             "them: [README.md](README.md).\n",
             f"Machine: {machine()}. Load before: {load[0]:.1f}, after: {os.getloadavg()[0]:.1f}.\n",
             "\n".join(f"- {name}: {version}" for name, version in versions.items()) + "\n",
             "## Goals\n", goal_table(found)]
    if bench.failures:
        parts += ["## Failures\n", "\n".join(f"- {failure}" for failure in bench.failures) + "\n"]
    parts.append("## Rows\n")
    order = [r for g in GROUPS for r in g.rows.values()] + [f"accounts-{n}" for n in ACCOUNTS]
    for row in order:
        if found.get(row):
            parts += [f"### {TITLES[row]} (`{row}`)\n", f"{corpus_of(row)}.\n", row_table(found[row])]
    return "\n".join(parts)
