"""What is measured: groups of runs, the rows that come of them, and the goals of each row."""


class Goal:
    """`value` of the medians of all rows (row -> tool -> Sample) is to be at most `most` or at least `least`."""

    def __init__(self, row, text, value, most=None, least=None, unit=""):
        self.row, self.text, self.value, self.most, self.least, self.unit = row, text, value, most, least, unit

    def judge(self, medians):
        """(value, met), or None: not measured."""
        try:
            value = self.value(medians)
        except (KeyError, ZeroDivisionError):
            return None
        return value, value <= self.most if self.most is not None else value >= self.least


class Group:
    """Runs over one corpus: a cold copy, and what can follow it. `rows`: kind -> name of the row."""

    def __init__(self, corpus, rows, tools, target="target", one_way_ms=None):
        self.corpus, self.rows, self.tools, self.target, self.one_way_ms = corpus, rows, tools, target, one_way_ms


LIMITS = ["limit", "drain", "blast"]
PEERS = ["postferry", "mbsync", "interimap", "imapsync"]
GROUPS = [
    Group("mixed", {"cold": "cold", "again": "again", "news": "news"}, LIMITS + PEERS),
    Group("mixed", {"cold": "fsync"}, ["limit"] + PEERS, target="disk"),
    Group("small", {"cold": "small"}, LIMITS + PEERS),
    Group("large", {"cold": "large"}, LIMITS + PEERS),
    Group("far", {"cold": "far", "again": "far-again", "news": "far-news"}, LIMITS + PEERS,
          one_way_ms=25),
    Group("huge", {"cold": "huge"}, ["limit", "postferry"]),
]
ACCOUNTS = (1, 4, 16, 64)
TITLES = {
    "cold": "Cold copy, loopback",
    "again": "Second run, nothing changed, loopback",
    "news": "1 % new messages, loopback",
    "fsync": "Cold copy to a target on disk with fsync of every commit",
    "small": "Cold copy of many small messages",
    "large": "Cold copy of few large messages",
    "far": "Cold copy, 50 ms round trip on both links",
    "far-again": "Second run, nothing changed, 50 ms",
    "far-news": "1 % new messages, 50 ms",
    "huge": "One message of 1 GB",
    **{f"accounts-{n}": f"{n} account{'s' if n > 1 else ''} of 100 messages at once" for n in ACCOUNTS},
}


def wall(row, tool):
    return lambda r: r[row][tool].wall


def quotient(row, tool, other, factor=1.0):
    return lambda r: r[row][tool].wall / (r[row][other].wall * factor)


def of_postferry(row, field):
    return lambda r: getattr(r[row]["postferry"], field)


GOALS = [
    Goal("cold", "wall / limit", quotient("cold", "postferry", "limit"), most=1.25),
    Goal("cold", "times faster than mbsync", quotient("cold", "mbsync", "postferry"), least=3),
    Goal("cold", "times faster than interimap", quotient("cold", "interimap", "postferry"), least=3),
    Goal("cold", "times faster than imapsync", quotient("cold", "imapsync", "postferry"), least=15),
    Goal("cold", "CPU of client, source and target", of_postferry("cold", "cpu"), most=1.9, unit="s"),
    Goal("cold", "the client's own CPU", of_postferry("cold", "client"), most=0.4, unit="s"),
    Goal("fsync", "wall / limit", quotient("fsync", "postferry", "limit"), most=1.4),
    Goal("small", "wall / limit", quotient("small", "postferry", "limit"), most=1.4),
    Goal("large", "wall / limit", quotient("large", "postferry", "limit"), most=1.4),
    Goal("far", "wall", wall("far", "postferry"), most=1.6, unit="s"),
    Goal("far", "round trips", of_postferry("far", "chain"), most=25),
    Goal("again", "wall / mbsync's", quotient("again", "postferry", "mbsync"), most=1.0),
    Goal("far-again", "wall / mbsync's", quotient("far-again", "postferry", "mbsync"), most=1.0),
    Goal("far-again", "round trips", of_postferry("far-again", "chain"), most=8),
    Goal("news", "wall / mbsync's", quotient("news", "postferry", "mbsync"), most=0.5),
    Goal("far-news", "wall / mbsync's", quotient("far-news", "postferry", "mbsync"), most=0.5),
    Goal("cold", "peak memory", of_postferry("cold", "rss"), most=32, unit="MiB"),
    Goal("large", "peak memory", of_postferry("large", "rss"), most=48, unit="MiB"),
    Goal("huge", "peak memory", of_postferry("huge", "rss"), most=64, unit="MiB"),
    *[Goal(f"accounts-{n}", "wall / mbsync's", quotient(f"accounts-{n}", "postferry", "mbsync"), most=1.0)
      for n in ACCOUNTS],
]
