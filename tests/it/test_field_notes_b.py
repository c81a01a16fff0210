"""Duplicates: cases 17 to 22 of the field notes."""

import pytest
from field_notes import MESSAGES, bodies, run, source
from peer import Peer


def test_fn17_a_target_that_rewrites_makes_no_duplicates(ledger, tmp_path):
    def rewrite(raw):
        return b"X-Added: yes\r\nMessage-ID: <new@x>\r\n" + raw
    with source() as a, Peer(rewrite=rewrite) as b:
        for _ in range(3):
            done = run(a, b, ledger)
            assert done.status == 0 and len(bodies(b)) == 10, done
        done = run(a, b, str(tmp_path / "lost"))
        assert done.status == 0 and len(bodies(b)) == 10 and done.outcome["present_now"] == 10, done


@pytest.mark.parametrize("how", ["store-cut", "cut"])
@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1"])
def test_fn18_fn19_the_link_dies_around_the_commit(ledger, how, caps):
    with source() as a, Peer(caps=caps, append_reply=lambda n, raw, f: how if n in (3, 7) else "store") as b:
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_fn19_without_uidplus_ids_are_found(ledger):
    with source() as a, Peer(caps="IMAP4rev1") as b:
        assert run(a, b, ledger).status == 0
        assert run(a, b, ledger).outcome["copied_now"] == 0
        assert bodies(b) == sorted(MESSAGES)
