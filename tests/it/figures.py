"""Figures of a long run: each is a line in the file that POSTFERRY_FIGURES names; script/soak adds them up."""

import os


def count(what, n=1):
    where = os.environ.get("POSTFERRY_FIGURES")
    if where:
        with open(where, "a", encoding="ascii") as f:
            f.write(f"{int(n)} {what}\n")
