"""What the checks share: the tree, and how a finding is said."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def files(*endings, under=("src", "fuzz", "bench", "packaging")):
    """Tracked files with these endings, as paths below the root."""
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", *under],
                         check=True, capture_output=True, text=True).stdout.split("\n")
    return sorted(f for f in out if f.endswith(endings) and os.path.exists(os.path.join(ROOT, f)))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def finish(name, findings, summary):
    for finding in findings:
        print(finding)
    print(f"{name}: {summary}" if not findings else f"{name}: {len(findings)} findings")
    sys.exit(1 if findings else 0)
