"""Exchange Web Services from servers, and from what stands before them, that are odd but not wrong."""

import pytest
from ews_peer import EwsPeer
from run import copy
from test_ews import all_of, deliver, maildir

@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


def test_folders_that_are_called_alike(peer, tmp_path, ledger):
    """Each stays itself in the next run, in whatever order they are listed."""
    twins = [peer.add_folder(peer.root, "Twin") for _ in range(3)]
    for n, twin in enumerate(twins):
        deliver(peer, 2, twin, begin=2 * n)
    for copied in (6, 0, 0):
        done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger, "--kinds", "mail")
        assert done.status == 0 and done.outcome["copied_now"] == copied and maildir(tmp_path / "to") == all_of(6), done
        peer.folders = dict(reversed(peer.folders.items()))
    deliver(peer, 1, twins[1], begin=6)
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger, "--kinds", "mail")
    assert done.status == 0 and done.outcome["copied_now"] == 1 and maildir(tmp_path / "to") == all_of(7), done
