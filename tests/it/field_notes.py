"""What the tests of the field notes (what goes wrong in real migrations) have in common."""

import re

from peer import Peer
from run import postferry

MESSAGES = [f"Subject: message {n}\r\nFrom: a@x\r\n\r\nbody {n} {'x' * n}\r\n".encode() for n in range(1, 11)]


def source(messages=None, **faults):
    peer = Peer(**faults)
    for raw in MESSAGES if messages is None else messages:
        peer.boxes["INBOX"].add(raw, ["\\Seen"])
    return peer


def bodies(peer, name="INBOX"):
    return sorted(i[0] for i in peer.boxes[name].items.values())


WRITES = re.compile(r"(?:UID )?(?:SELECT|STORE|COPY|MOVE|EXPUNGE|CLOSE|APPEND|CREATE|DELETE|RENAME|(?:UN)?SUBSCRIBE|SET\w+)\b"
                    r"|(?:UID )?FETCH .*\b(?:BODY\[|BINARY\[|RFC822(?:\.TEXT)?[ )])", re.I)


def run(a, b, ledger, *more, user="user", command="copy", **kw):
    """From a to b; a is left as it is, so that it must not even be asked for what would change it."""
    said = len(a.log) if isinstance(a, Peer) and a is not b else None
    try:
        return postferry(command, "--from", a.url(user), "--to", b.url(user), "--ledger", ledger, "--allow-plaintext",
                         "--json", *more, **kw)
    finally:
        if said is not None:
            wrong = [c for c in a.log[said:] if WRITES.match(c)]
            assert not wrong, f"the source would be changed by {wrong[:3]}"


def quick(times):
    """Environment in which the program's clock runs so many times as fast: deadlines and pauses are short."""
    return {"POSTFERRY_TEST_CLOCK": str(times)}
