"""What the readers of MAPI items make of a file (tests/dump/dump-mapi), as Python has it."""

import json
import os
import subprocess

from run import BINARY

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(BINARY)), "tests/dump/dump-mapi")


def built():
    return os.path.exists(PROGRAM)


def dump(form, path, *into):
    """
    {"item": ..., "notes": [...]} or {"error": "..."}; a crash or a finding of a sanitizer fails. The bytes of attachments
    are left in the directory `into` as 0, 1, ...
    """
    done = subprocess.run([PROGRAM, form, path, *map(str, into)], stdin=subprocess.DEVNULL, capture_output=True, timeout=100,
                          check=False)
    assert done.returncode in (0, 1) and not done.stderr, (path, done.stderr.decode("utf-8", "replace")[-4000:])
    out = json.loads(done.stdout)
    assert ("error" in out) == (done.returncode == 1)
    return out
