"""Duplicates: cases 17 to 22 of the field notes."""

import pytest
from field_notes import MESSAGES, bodies, quick, run, source
from peer import Box, Peer


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


def test_fn17_a_target_that_folds_strips_and_adds(ledger, tmp_path):
    def rewrite(raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith((b"Received:", b"Message-ID:"))]
        lines = [line.replace(b"Subject: message ", b"Subject: message\r\n ") for line in lines]
        return b"\r\n".join([b"Message-ID: <new@x>", *lines, b"X-Scanned: yes"]) + b"\r\n\r\n" + body
    before = [b"Received: from a by b; 1 Jan 2020\r\nMessage-ID: <%d@x>\r\n" % n + m for n, m in enumerate(MESSAGES)]
    with source(before) as a, Peer(rewrite=rewrite) as b:
        for n in range(3):
            done = run(a, b, ledger)
            assert done.status == 0 and len(bodies(b)) == 10 and done.outcome["copied_now"] == (0 if n else 10), done
        done = run(a, b, str(tmp_path / "lost"))
        assert done.status == 0 and len(bodies(b)) == 10 and done.outcome["present_now"] == 10, done


@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1"])
@pytest.mark.parametrize("how", ["store-hang", "store-late"])
def test_fn18_a_target_that_stores_and_does_not_answer_in_time(ledger, how, caps):
    """It commits, and is mute for ever, or answers when nobody waits any more: one copy all the same."""
    def answer(n, raw, flags):
        return how if n == 2 else "store"
    with source() as a, Peer(caps=caps, append_reply=answer) as b:
        done = run(a, b, ledger, env=quick(60))
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done


def test_fn21_what_the_user_does_at_the_target_stays(ledger):
    with source() as a, Peer() as b:
        assert run(a, b, ledger).status == 0
        inbox = b.boxes["INBOX"]
        by_body = {item[0]: uid for uid, item in inbox.items.items()}
        b.boxes["Kept"] = Box()
        b.boxes["Kept"].add(*inbox.items.pop(by_body[MESSAGES[0]])) # A is moved
        del inbox.items[by_body[MESSAGES[1]]] # B is deleted
        inbox.items[by_body[MESSAGES[2]]][1][:] = ["\\Flagged"] # C is marked, and unread again
        done = run(a, b, ledger)
        assert done.status == 0 and done.outcome["copied_now"] == 0, done
        assert bodies(b) == sorted(MESSAGES[2:]) and bodies(b, "Kept") == [MESSAGES[0]]
        assert inbox.items[by_body[MESSAGES[2]]][1] == ["\\Flagged"]


def two_folders(one, other):
    peer = source([])
    for n, name in enumerate((one, other)):
        peer.boxes[name] = Box()
        for raw in MESSAGES[3 * n:3 * n + 3]:
            peer.boxes[name].add(raw)
    return peer


@pytest.mark.parametrize("exchange", [{"greeting": "* OK The Microsoft Exchange IMAP4 service is ready."},
                                      {"caps": Peer.caps + " ID", "server_id": "Microsoft Exchange Server"}])
def test_fn22_names_that_are_one_at_the_target_are_kept_apart(ledger, exchange):
    with two_folders("Foo", "foo") as a, Peer(**exchange) as b:
        for n in range(2):
            done = run(a, b, ledger)
            assert done.status == 0 and done.outcome["copied_now"] == (0 if n else 6), done
        found = sorted(tuple(bodies(b, name)) for name in b.boxes if name != "INBOX")
        assert found == sorted([tuple(sorted(MESSAGES[:3])), tuple(sorted(MESSAGES[3:6]))])
        assert len({name.lower() for name in b.boxes}) == len(b.boxes)
        assert not [c for c in b.commands("CREATE") if c not in (f"CREATE {n}" for n in b.boxes)
                    and c.split(" ", 1)[1].strip('"') not in b.boxes] # found before the first CREATE, not by a refusal


def test_fn22_folders_that_are_merged_on_request_add_up(ledger):
    both = ("--map", "Sent=Sent", "--map", "Sent Items=Sent")
    with two_folders("Sent", "Sent Items") as a, Peer() as b:
        for n in range(2):
            done = run(a, b, ledger, *both)
            assert done.status == 0 and done.outcome["copied"] == 6, done
            assert done.outcome["copied_now"] == (0 if n else 6)
        assert bodies(b, "Sent") == sorted(MESSAGES[:6]) and "Sent Items" not in b.boxes
        # What one folder loses is not looked for in the other's share.
        del a.boxes["Sent"].items[1]
        done = run(a, b, ledger, *both, "--mirror-all")
        assert done.status == 0 and bodies(b, "Sent") == sorted(MESSAGES[1:6]), done
