"""Fleet and operations: cases 65 to 70 of the field notes."""

import json
import os

import pytest
from field_notes import MESSAGES, bodies, quick, run, source
from peer import Box, Peer
from run import postferry

SECRET = "pä\"ss,w;ö rd"
FORMS = {
    "UTF-8": lambda text: text.encode(),
    "mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16 little": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "UTF-16 big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
}


def write(tmp_path, rows, separator=",", form="UTF-8"):
    """A private file of these cells, all in quotes."""
    path = tmp_path / "accounts.csv"
    quoted = [separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path.touch(mode=0o600)
    path.write_bytes(FORMS[form]("\n".join(quoted) + "\n"))
    return str(path)


def batch(file, ledger, *more, **kw):
    return postferry("run", file, "--ledger", ledger, "--allow-plaintext", "--json", *more, **kw)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("separator", [",", ";"])
def test_fn65_every_form_of_a_table_gives_the_same_accounts(ledger, tmp_path, form, separator):
    came = []

    def sign_in(_, user, secret):
        came.append((user, secret))
    with source(sign_in=sign_in, caps=Peer.caps + " AUTH=PLAIN") as a, Peer() as b:
        rows = [("from", "to", "from_password", "to_password"), (a.url(), b.url(), SECRET, "pass")]
        done = batch(write(tmp_path, rows, separator, form), ledger)
        assert done.status == 0 and bodies(b) == sorted(MESSAGES), done
        assert came and {secret for _, secret in came} == {SECRET}, came


@pytest.mark.parametrize("row,says", [(("imap:/x", None, "a", "b"), "row 3, column 1 (from)"), ((None, None, "a"), "row 3: 3 cells")])
def test_fn65_the_whole_table_is_read_before_the_first_sign_in(ledger, tmp_path, row, says):
    with source() as a, Peer() as b:
        good = (a.url(), b.url(), "pass", "pass")
        bad = tuple(g if cell is None else cell for cell, g in zip(row, good))
        done = batch(write(tmp_path, [("from", "to", "from_password", "to_password"), good, bad]), ledger)
        assert done.status == 2 and says in done.err, done
        assert a.logins == b.logins == 0


def test_fn66_a_password_is_found_nowhere(ledger, tmp_path):
    """Of a batch with all that can be logged, whose sign-in succeeds at one side and fails at the other."""
    def sign_in(_, __, secret):
        return None if secret == "canary-1-right" else "NO [AUTHENTICATIONFAILED] not canary"
    caps = Peer.caps + " AUTH=PLAIN"
    with source(sign_in=sign_in, caps=caps) as a, Peer(sign_in=sign_in, caps=caps) as b:
        file = write(tmp_path, [("from", "to", "from_password", "to_password"), (a.url("ann"), b.url("ann"), "canary-1-right", "canary-2-wrong"),
                                (a.url("bob"), b.url("bob"), "canary-1-right", "canary-1-right")])
        done = batch(file, ledger, "--trace", str(tmp_path / "trace"), "--verbose")
        assert done.status == 3 and bodies(b) == sorted(MESSAGES), done
    seen = done.out + done.err
    for command in ("report", "events", "status"):
        seen += repr(postferry(command, "--ledger", ledger))
    os.unlink(file)
    for top, _, names in os.walk(tmp_path):
        for name in names:
            with open(os.path.join(top, name), "rb") as f:
                seen += f.read().decode("latin-1")
    assert "canary-" not in seen and "Y2FuYXJ5" not in seen and "jYW5hcn" not in seen


def test_fn67_one_line_shifted_is_pointed_out_before_anything_is_done(ledger, tmp_path):
    users = ["ann", "bob", "cid"]
    with source() as a, Peer() as b:
        rows = [("from", "to")] + [(a.url(one), b.url(other)) for one, other in zip(users, users[1:] + users[:1])]
        done = batch(write(tmp_path, rows), ledger, "--dry-run")
        assert 'the mail of "ann" goes to "bob"' in done.err and "is a line shifted?" in done.err, done
        assert b.appends == 0
        shown = postferry("check", "--from", a.url("ann"), "--to", b.url("bob"), "--allow-plaintext", "--ledger", ledger)
        assert "ann@" in shown.out and "bob@" in shown.out, shown


def test_fn67_what_the_ledger_knows_of_one_pair_is_not_taken_for_another(ledger):
    """The same ledger with another source, and with another target."""
    with source() as a, source(MESSAGES[:3]) as a2, Peer() as b, Peer() as b2:
        assert run(a, b, ledger).outcome["copied_now"] == 10
        assert run(a, b2, ledger).outcome["copied_now"] == 10
        assert run(a2, b2, ledger).outcome["present_now"] == 3
        assert run(a, b, ledger).outcome["copied_now"] == 0
        assert bodies(b) == bodies(b2) == sorted(MESSAGES)


def test_fn68_what_comes_behind_the_last_pass_comes_with_the_next_until_it_is_quiet(ledger):
    with source() as a, Peer() as b:
        assert run(a, b, ledger).outcome["copied_now"] == 10
        for n in range(2): # the old server gets some more, until its name is no longer known
            a.boxes["INBOX"].add(b"Subject: late %d\r\n\r\nx\r\n" % n)
            assert run(a, b, ledger).outcome["copied_now"] == 1
        quiet = run(a, b, ledger)
        assert quiet.status == 0 and quiet.outcome["copied_now"] == 0 and quiet.outcome["copied"] == 12, quiet
        assert len(bodies(b)) == 12


def test_fn68_the_report_tells_how_new_the_newest_is_on_either_side(ledger):
    with source() as a, Peer() as b:
        inbox = a.boxes["INBOX"]
        inbox.add(b"Subject: new\r\n\r\nx\r\n", date="03-Mar-2024 10:00:00 +0000")
        inbox.add(b"Subject: newest\r\n\r\n" + b"x" * 3000, date="04-Apr-2024 11:00:00 +0000")
        assert run(a, b, ledger, "--max-size", "2000").status == 0
        account = json.loads(postferry("report", "--ledger", ledger, "--format", "json").out)
        assert account["newest"] == {"source": "2024-04-04T11:00:00Z", "target": "2024-03-03T10:00:00Z"}, account
        text = postferry("report", "--ledger", ledger).out
        assert "2024-04-04" in text and "2024-03-03" in text, text


def busy(folder, reply, times):
    """A server that hangs up at that folder so often."""
    left = [times]

    def before(session, word, args):
        if word not in ("EXAMINE", "SELECT") or folder not in args or left[0] == 0:
            return None
        left[0] -= 1
        return reply
    return before


@pytest.mark.parametrize("times", [1, 1000])
@pytest.mark.parametrize("reply", [("* BYE System error: mailbox busy", None), "cut"])
def test_fn69_a_shared_folder_that_is_busy_costs_itself(ledger, times, reply):
    """Zimbra hangs up at one; the others come, and it does when it is free again, without many sign-ins."""
    with source(before=busy("Shared", reply, times)) as a, Peer() as b:
        a.boxes = {"Shared": Box(), **a.boxes}
        a.boxes["Shared"].add(MESSAGES[0])
        done = run(a, b, ledger, env=quick(60))
        assert bodies(b) == sorted(MESSAGES) and a.logins < 30, (a.logins, done)
        assert done.status == (0 if times == 1 else 1), done
        assert times == 1 or any(e["number"] == 11007 and e["folder"] == "Shared" for e in done.events), done
        a.before = None
        done = run(a, b, ledger)
        assert done.status == 0 and bodies(b, "Shared") == [MESSAGES[0]], done


@pytest.mark.parametrize("side", ["source", "target"])
def test_fn69_no_account_is_locked_by_a_refused_password(ledger, tmp_path, side):
    """However many connections are wanted, and however many accounts follow: each is tried once."""
    no = {"sign_in": lambda *_: "NO [AUTHENTICATIONFAILED] no", "caps": Peer.caps + " AUTH=PLAIN"}
    with source(**(no if side == "source" else {})) as a, Peer(**(no if side == "target" else {})) as b:
        rows = [("from", "to")] + [(a.url(user), b.url(user)) for user in ("ann", "bob")]
        done = batch(write(tmp_path, rows), ledger, "--connections", "4", env=quick(60))
        assert done.status == 3 and (a if side == "source" else b).logins == 2, done


def test_fn70_what_both_sides_changed_is_told_item_by_item(ledger):
    """Flags go from the source to the target; what a user did there stays; both are named."""
    with source() as a, Peer() as b:
        assert run(a, b, ledger).status == 0
        old, new = a.boxes["INBOX"], b.boxes["INBOX"]
        uids = {item[0]: uid for uid, item in new.items.items()}
        old.items[1][1].append("\\Flagged")
        new.items[uids[MESSAGES[0]]][1].append("\\Answered")   # both changed the first: each keeps its own
        old.items[2][1].append("\\Flagged")
        del new.items[uids[MESSAGES[1]]]                       # the user removed what the source changed
        old.items[3][1].remove("\\Seen")
        new.items[uids[MESSAGES[2]]][1].remove("\\Seen")       # both did the same
        done = run(a, b, ledger, "--verbose")
        assert done.status == 0 and done.outcome["copied_now"] == 0, done
        assert sorted(new.items[uids[MESSAGES[0]]][1]) == ["\\Answered", "\\Flagged", "\\Seen"]
        assert MESSAGES[1] not in bodies(b)
        told = {e["item"]: e["text"] for e in done.events if e["number"] == 12014}
        assert told["1"] == "set: \\Flagged" and told["3"] == "taken away: \\Seen", done.events
        checked = run(a, b, ledger, command="verify")
        assert [e["item"] for e in checked.events if e["number"] == 12016] == ["2"], checked
