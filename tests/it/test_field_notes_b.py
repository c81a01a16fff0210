"""Duplicates: cases 17 to 22 of the field notes."""

import random

import pytest
from field_notes import MESSAGES, bodies, quick, run, source
from peer import Box, Peer
from peer.folders import quoted
from run import start


def test_fn17_a_target_that_rewrites_makes_no_duplicates(ledger, tmp_path):
    def rewrite(raw):
        return b"X-Added: yes\r\nMessage-ID: <new@x>\r\n" + raw
    with source() as a, Peer(rewrite=rewrite) as b:
        for _ in range(3):
            done = run(a, b, ledger)
            assert done.status == 0 and len(bodies(b)) == 10, done
        done = run(a, b, str(tmp_path / "lost"))
        assert done.status == 0 and len(bodies(b)) == 10 and done.outcome["present_now"] == 10, done


@pytest.mark.parametrize("how", ["store-cut", "store-reset", "cut"])
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


def of_size(subject, size):
    raw = b"Subject: %s\r\n\r\n" % subject
    return raw + b"x" * (size - len(raw) - 2) + b"\r\n"


def delivers(boxes, at, what):
    """Somebody else's messages come right before the n-th of ours is stored, with the same date."""
    def answer(n, raw, flags):
        if n == at:
            for message in what:
                boxes["INBOX"].add(message, ["\\Flagged"], "01-Jan-2020 00:00:00 +0000")
        return "store"
    return answer


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("rewrite", [None, lambda raw: b"X-Added: yes\r\n" + raw])
def test_fn19_concurrent_delivery_is_not_taken_for_ours(ledger, count, rewrite):
    """No UIDPLUS, and others of one size and date with ours come in the middle: ours are known all the same."""
    theirs = [of_size(b"theirs %d" % n, len(MESSAGES[4]) + (14 if rewrite else 0)) for n in range(count)]
    with source() as a, Peer(caps="IMAP4rev1", rewrite=rewrite) as b:
        b.append_reply = delivers(b.boxes, 5, theirs)
        done = run(a, b, ledger)
        stored = [rewrite(raw) if rewrite else raw for raw in MESSAGES]
        assert done.status == 0 and done.outcome["copied"] == 10 and bodies(b) == sorted(stored + theirs), done
        assert run(a, b, ledger, "--deep", command="verify").status == 0
        a.boxes["INBOX"].items[5][1].append("\\Answered") # what the user does with it later reaches ours
        done = run(a, b, ledger)
        assert done.status == 0 and done.outcome["copied_now"] == 0, done
        flags = {item[0]: item[1] for item in b.boxes["INBOX"].items.values()}
        assert "\\Answered" in flags[stored[4]] and all(flags[raw] == ["\\Flagged"] for raw in theirs)


def test_fn19_concurrent_delivery_of_the_same_message(ledger):
    """Octet for octet: it is nobody's copy, and ours are as many as they were."""
    with source([*MESSAGES, MESSAGES[4]]) as a, Peer(caps="IMAP4rev1") as b:
        b.append_reply = delivers(b.boxes, 5, [MESSAGES[4]])
        for n in range(2):
            done = run(a, b, ledger)
            assert done.status == 0 and done.outcome["copied_now"] == (0 if n else 11), done
            assert bodies(b) == sorted([*MESSAGES, MESSAGES[4], MESSAGES[4]])
        assert run(a, b, ledger, "--deep", command="verify").status == 0


def test_fn19_a_delivery_does_not_stand_in_for_one_that_is_lost(ledger):
    """The target says OK and keeps nothing; what somebody else sent in the same moment has the size of it."""
    ours = [of_size(b"ours %d" % n, 200) for n in range(3)]
    with source(ours) as a, Peer(caps="IMAP4rev1") as b:
        def answer(n, raw, flags):
            if n == 2:
                b.boxes["INBOX"].add(of_size(b"theirs", 200))
            return "OK stored" if n == 2 else "store"
        b.append_reply = answer
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted([*ours, of_size(b"theirs", 200)]), done


def test_fn19_flags_are_read_back_without_uidplus_too(ledger):
    with source() as a, Peer(caps="IMAP4rev1", store_flags=lambda flags: []) as b:
        done = run(a, b, ledger)
        assert done.status == 0, done
        assert all("\\Seen" in item[1] for item in b.boxes["INBOX"].items.values())


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


LARGE = of_size(b"large", 6500000) # goes from side to side as a stream


@pytest.mark.parametrize("how", ["store-cut", "store-reset", "cut"])
@pytest.mark.parametrize("caps", [Peer.caps, "IMAP4rev1"])
def test_fn18_the_link_dies_behind_a_large_one(ledger, how, caps):
    with source([*MESSAGES[:2], LARGE]) as a, Peer(caps=caps) as b:
        b.append_reply = lambda n, raw, flags: how if raw == LARGE and b.appends == 3 else "store"
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b) == sorted([*MESSAGES[:2], LARGE]), done


@pytest.mark.parametrize("message,patient", [(MESSAGES[0], False), (LARGE, True)], ids=["small", "large"])
def test_fn18_patience_grows_with_the_size(ledger, message, patient):
    """The answer takes longer than a server may be mute: for 6 MB that is nothing to worry about."""
    with source([message]) as a, Peer(append_reply=lambda n, raw, flags: "store-late", late=6) as b:
        done = run(a, b, ledger, env=quick(15)) # a minute is 4 s
        assert done.status == 0 and bodies(b) == [message] and b.appends == 1, done
        assert ("was mute" in done.out) != patient, done


ALL = "[Gmail]/All Mail"
SYSTEM = {"INBOX": "\\Inbox", "[Gmail]/Sent Mail": "\\Sent", "[Gmail]/Starred": "\\Starred", "[Gmail]/Important": "\\Important"}
KINDS = {"[Gmail]": "\\Noselect", ALL: "\\All", "[Gmail]/Sent Mail": "\\Sent", "[Gmail]/Starred": "\\Flagged",
         "[Gmail]/Important": "\\Important"}
LABELLED = [["INBOX", "Work"], ["Work", "[Gmail]/Starred"], [], ["[Gmail]/Starred"], ["[Gmail]/Sent Mail", "[Gmail]/Important"],
            ["Not in IMAP"], ["Gr&APYA3w-e", 'a "quoted" one'], ["Work", "Sub/of", "INBOX"]]


def gmail():
    """Folders are labels: what is in one of them is in All Mail as well, and each listing tells the other labels."""
    where = {MESSAGES[n]: list(labels) for n, labels in enumerate(LABELLED)}
    peer = Peer(caps=Peer.caps + " X-GM-EXT-1", attributes=lambda name: KINDS.get(name, ""), labels=lambda folder, raw: [
        quoted(SYSTEM.get(label, label)) for label in where[raw] if label != folder])
    for name in (*KINDS, "Work", "Gr&APYA3w-e", 'a "quoted" one', "Sub/of"):
        peer.boxes[name] = Box()
    for raw, labels in where.items():
        for name in [ALL, *labels]:
            if name in peer.boxes:
                peer.boxes[name].add(raw)
    return peer, where


def numbers_in(peer):
    return {name: sorted(MESSAGES.index(raw) for raw in bodies(peer, name)) for name, box in peer.boxes.items() if box.items}


EACH = {"INBOX": [0, 7], "Work": [0, 1, 7], "Gr&APYA3w-e": [6], 'a "quoted" one': [6], "Sub/of": [7], "[Gmail]/Sent Mail": [4],
        ALL: [2, 3, 5]}


@pytest.mark.parametrize("more,stored", [
    ([], EACH), (["--labels", "each", "--exclude", "Work"], {k: v for k, v in EACH.items() if k != "Work"} | {ALL: [1, 2, 3, 5]}),
    (["--labels", "first"], {"INBOX": [0, 7], "Work": [1], "Gr&APYA3w-e": [6], "[Gmail]/Sent Mail": [4], ALL: [2, 3, 5]}),
    (["--labels", "views"], EACH | {ALL: list(range(8)), "[Gmail]/Starred": [1, 3], "[Gmail]/Important": [4]})])
def test_fn20_a_message_comes_from_where_its_labels_are(ledger, more, stored):
    a, _ = gmail()
    with a, Peer() as b:
        done = run(a, b, ledger, *more)
        assert done.status == 0 and numbers_in(b) == stored, (numbers_in(b), done)
        once = len({n for numbers in stored.values() for n in numbers})
        assert a.rows == b.appends == once and b.copies == sum(map(len, stored.values())) - once, (a.rows, b.appends, b.copies)
        assert done.outcome["copied"] == sum(map(len, stored.values())) and done.outcome["open"] == 0, done
        again = run(a, b, ledger, *more)
        assert again.status == 0 and again.outcome["copied_now"] == 0 and numbers_in(b) == stored, again
        assert run(a, b, ledger, *more, command="verify").outcome["differing"] == 0


def labelled(count, **faults):
    """Every message has one, two or three of the labels, with the date and flags that are its own."""
    rng = random.Random(count)
    messages = [b"Subject: %d\r\n\r\n" % n + b"x" * rng.randrange(3000) + b"\r\n" for n in range(count)]
    where = {raw: rng.sample(["INBOX", "Work", "Home"], 1 + n % 3) for n, raw in enumerate(messages)}
    peer = Peer(caps=Peer.caps + " X-GM-EXT-1", attributes=lambda name: KINDS.get(name, ""), labels=lambda folder, raw: [
        quoted(SYSTEM.get(label, label)) for label in where[raw] if label != folder], **faults)
    for name in ("[Gmail]", ALL, "Work", "Home"):
        peer.boxes[name] = Box()
    for n, (raw, labels) in enumerate(where.items()):
        for name in [ALL, *labels]:
            peer.boxes[name].add(raw, ["\\Seen", "\\Flagged", "Odd"][:n % 4], f"{1 + n % 28:2d}-Mar-2019 12:00:00 +0000")
    return peer, where


def in_order(peer):
    """Bodies, flags and dates of each folder that is taken whole."""
    return {name: [(raw, sorted(flags), date) for raw, flags, date in peer.boxes[name].items.values()]
            for name in ("INBOX", "Work", "Home")}


def is_whole(a, b, ledger, ordered=True):
    done = run(a, b, ledger)
    have, want = in_order(b), in_order(a)
    assert done.status == 0 and done.outcome["copied_now"] == 0, done
    assert done.outcome["copied"] == sum(map(len, want.values())) and done.outcome["open"] == 0, done
    for name in want:
        assert sorted(have[name]) == sorted(want[name]) and (not ordered or have[name] == want[name]), name


@pytest.mark.parametrize("more", [[], ["--connections", "4"], ["--connections", "1"]])
@pytest.mark.parametrize("caps", ["", " X-GM-EXT-1"])
def test_fn20_what_has_several_labels_is_asked_for_once(ledger, more, caps):
    a, where = labelled(300)
    with a, Peer(caps=Peer.caps + caps) as b:
        done = run(a, b, ledger, *more)
        assert done.status == 0 and a.rows == len(where), (a.rows, done)
        assert b.copies == 300 and len(b.boxes[ALL].items if ALL in b.boxes else []) == 0, b.copies
        is_whole(a, b, ledger)


@pytest.mark.parametrize("caps", ["IMAP4rev1 LITERAL+ NAMESPACE"])
def test_fn20_where_no_copy_can_be_told_all_is_sent(ledger, caps):
    a, where = labelled(60)
    with a, Peer(caps=caps) as b:
        assert run(a, b, ledger).status == 0 and b.copies == 0 and b.appends == a.rows == 120
        is_whole(a, b, ledger)


@pytest.mark.parametrize("replies", [
    ["NO not here"], ["lose"], ["copy-untold"], ["copy-cut"], ["NO [UNAVAILABLE] not now"], ["BAD what?"],
    ["copy", "NO not here"], ["copy", "lose", "copy"], ["copy", "copy-untold"], ["copy", "copy", "copy-cut"],
    ["copy", "NO [THROTTLED] slowly"]])
def test_fn20_copies_that_fail_are_no_loss_and_no_double(ledger, replies):
    """Whether such a copy was made is found out by what is there; then the message is sent like any other."""
    a, where = labelled(60)
    with a, Peer(copy_reply=lambda n, name: replies[n % len(replies)] if n < 20 else "copy") as b:
        for _ in range(3):
            done = run(a, b, ledger, env=quick(100))
            if done.status == 0:
                break
        assert done.status == 0, done
        is_whole(a, b, ledger, ordered=False)


def test_fn20_copies_that_lose_the_date_are_noticed_at_the_first(ledger):
    a, where = labelled(60)
    with a, Peer(copy_date=lambda date: "01-Jan-2026 00:00:00 +0000") as b:
        done = run(a, b, ledger)
        assert done.status == 0 and b.copies == 1 and b.appends == 119, (b.copies, b.appends)
        assert [e["number"] for e in done.events if e["number"] in (10007, 12017)] == [10007, 12017], done


def test_fn20_a_label_more(ledger):
    """It costs one body at the most: none where the folder that has the message was listed first."""
    a, where = labelled(30)
    with a, Peer() as b:
        assert run(a, b, ledger).status == 0
        rows, raw = a.rows, next(raw for raw, labels in where.items() if "Work" in labels and "Home" not in labels)
        where[raw].append("Home")
        item = next(i for i in a.boxes["Work"].items.values() if i[0] == raw)
        a.boxes["Home"].add(raw, list(item[1]), item[2])
        a.boxes["Work"].add(b"Subject: new\r\n\r\n", [], " 1-Jan-2020 00:00:00 +0000")
        where[b"Subject: new\r\n\r\n"] = ["Work"]
        done = run(a, b, ledger)
        assert done.status == 0 and done.outcome["copied_now"] == 2 and a.rows - rows in (1, 2), (a.rows - rows, done)
        is_whole(a, b, ledger)


@pytest.mark.parametrize("at", [1, 2, 7, 30])
@pytest.mark.parametrize("made", [True, False])
def test_fn20_killed_within_a_copy(ledger, at, made):
    a, where = labelled(60)
    running = []

    def answer(n, name):
        if n < at:
            return "copy"
        if running:
            running.pop().kill()
        return "copy" if made and n == at else "NO gone"
    with a, Peer(copy_reply=answer) as b:
        process = start("copy", "--from", a.url(), "--to", b.url(), "--ledger", ledger, "--allow-plaintext")
        running.append(process)
        process.communicate()
        assert process.returncode == -9
        b.copy_reply = None
        done = run(a, b, ledger, env=quick(20))
        assert done.status == 0, done
        is_whole(a, b, ledger, ordered=False)


def test_fn20_what_loses_its_last_label_comes_from_all_mail(ledger):
    a, where = gmail()
    with a, Peer() as b:
        assert run(a, b, ledger).status == 0
        where[MESSAGES[6]].clear()
        for name in ("Gr&APYA3w-e", 'a "quoted" one'):
            a.boxes[name].items.clear()
        where[MESSAGES[2]].append("Work")
        a.boxes["Work"].add(MESSAGES[2])
        done = run(a, b, ledger)
        assert done.status == 0 and done.outcome["copied_now"] == 2, done
        assert numbers_in(b)[ALL] == [2, 3, 5, 6] and numbers_in(b)["Work"] == [0, 1, 2, 7], numbers_in(b)


def test_fn20_a_wrong_policy_is_refused(ledger):
    with source() as a, Peer() as b:
        assert run(a, b, ledger, "--labels", "some").status == 2


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
