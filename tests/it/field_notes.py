"""What the tests of the field notes (what goes wrong in real migrations) have in common."""

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


def run(a, b, ledger, *more, user="user", command="copy", **kw):
    return postferry(command, "--from", a.url(user), "--to", b.url(user), "--ledger", ledger, "--allow-plaintext",
                     "--json", *more, **kw)


def quick(times):
    """Environment in which the program's clock runs so many times as fast: deadlines and pauses are short."""
    return {"POSTFERRY_TEST_CLOCK": str(times)}
