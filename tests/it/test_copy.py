"""An account moves whole: every folder, byte, flag and date; again and again; and the source stays as it was."""

import hashlib
import os
import re
import sqlite3

import pytest
from mail import FOLDERS, Account, difference, message, snapshot
from run import copy, postferry
from servers.dovecot import Dovecot


def files_of(maildir):
    """All of an account's mail files, with flags (in the names) and contents; the server's own indexes left out."""
    out = {}
    for top, _, names in os.walk(maildir):
        if os.path.basename(top) in ("cur", "new"):
            for name in names:
                with open(os.path.join(top, name), "rb") as f:
                    out[os.path.join(top, name)] = hashlib.sha256(f.read()).hexdigest()
    return out


def fill(server, folders=FOLDERS, per_folder=5, **how):
    account = Account(server, **how)
    account.fill(folders, per_folder)
    account.close()


def test_whole_account_arrives(pair, ledger):
    source, target = pair
    fill(source)
    before = files_of(source.maildir())
    done = copy(source.url(), target.url(), ledger)
    assert done.status == 0, done
    assert difference(snapshot(source), snapshot(target)) == []
    assert files_of(source.maildir()) == before
    assert done.outcome["copied"] == len(FOLDERS) * 5
    assert done.outcome["open"] == done.outcome["quarantined"] == 0


def test_second_run_copies_nothing_third_the_ten_new(pair, ledger, tmp_path):
    source, target = pair
    fill(source, FOLDERS[:8], 20)
    assert copy(source.url(), target.url(), ledger).status == 0
    trace = str(tmp_path / "trace")
    again = copy(source.url(), target.url(), ledger, "--trace", trace)
    assert again.status == 0 and again.outcome["copied_now"] == 0
    assert again.outcome["copied"] == 160 # what the ledger has, though nothing was written
    with open(trace, "rb") as f:
        text = f.read()
    for command in (rb"UID FETCH", rb"APPEND", rb"EXAMINE", rb"SELECT"):
        assert not re.search(rb"\np\d+ " + command, text)
    account = Account(source)
    for n in range(1000, 1010):
        account.append("Archive", message(n))
    account.close()
    third = copy(source.url(), target.url(), ledger)
    assert third.outcome["copied_now"] == 10 and third.outcome["copied"] == 170
    assert difference(snapshot(source), snapshot(target)) == []


def test_identity_is_content(pair, ledger):
    """FIELD-NOTES 3: one Message-ID with two bodies, identical copies, no Message-ID, equal headers, an empty message."""
    source, target = pair
    head = b"From: a@x\r\nMessage-ID: <same@x>\r\n\r\n"
    messages = [head + b"body A\r\n", head + b"body B\r\n", b"Subject: twin\r\n\r\nx\r\n",
                b"Subject: twin\r\n\r\nx\r\n", b"Subject: e\r\n\r\nEE\r\n", b"Subject: e\r\n\r\nFF\r\n"]
    account = Account(source)
    for m in messages:
        account.append("INBOX", m)
    account.close()
    for _ in range(2):
        assert copy(source.url(), target.url(), ledger).status == 0
        assert len(snapshot(target)["INBOX"]) == 6
    assert difference(snapshot(source), snapshot(target)) == []


def test_lost_ledger_makes_no_duplicates(pair, ledger, tmp_path):
    source, target = pair
    fill(source, FOLDERS[:6], 20)
    assert copy(source.url(), target.url(), ledger).status == 0
    again = copy(source.url(), target.url(), str(tmp_path / "another"))
    assert again.status == 0
    assert again.outcome["copied_now"] == 0 and again.outcome["present_now"] == 120
    assert difference(snapshot(source), snapshot(target)) == []


def test_changed_flags_are_carried_and_the_users_own_stay(pair, ledger):
    source, target = pair
    fill(source, ["INBOX"], 6)
    assert copy(source.url(), target.url(), ledger).status == 0
    account = Account(source)
    account.imap.select("INBOX")
    account.imap.uid("STORE", "2", "FLAGS.SILENT", "(\\Flagged New)")
    account.close()
    user = Account(target)
    user.imap.select("INBOX")
    user.imap.uid("STORE", "4", "+FLAGS.SILENT", "(Mine)")
    user.close()
    done = copy(source.url(), target.url(), ledger)
    assert done.outcome["flags_carried"] == 1
    items = snapshot(target)["INBOX"]
    assert items[1][1] == b"New \\Flagged"
    assert b"Mine" in items[3][1]


def test_user_moved_or_deleted_at_the_target_stays_so(pair, ledger):
    """FIELD-NOTES 21."""
    source, target = pair
    fill(source, ["INBOX", "Archive"], 4)
    assert copy(source.url(), target.url(), ledger).status == 0
    user = Account(target)
    user.imap.select("INBOX")
    user.imap.uid("MOVE", "1", "Archive")
    user.imap.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
    user.imap.expunge()
    user.close()
    account = Account(source)
    account.append("INBOX", message(77))
    account.close()
    done = copy(source.url(), target.url(), ledger)
    assert done.outcome["copied_now"] == 1
    assert len(snapshot(target)["INBOX"]) == 3


def test_gone_from_the_source_is_removed_only_by_mirror(pair, ledger):
    source, target = pair
    fill(source, ["INBOX"], 30)
    assert copy(source.url(), target.url(), ledger).status == 0
    user = Account(target)
    user.append("INBOX", message(500))
    user.close()
    account = Account(source)
    account.imap.select("INBOX")
    account.imap.uid("STORE", "3,7", "+FLAGS", "(\\Deleted)")
    account.imap.expunge()
    account.close()
    done = copy(source.url(), target.url(), ledger)
    assert done.outcome["gone_from_source"] == 2 and len(snapshot(target)["INBOX"]) == 31
    done = copy(source.url(), target.url(), ledger, "--mirror")
    assert done.outcome["removed"] == 2 and len(snapshot(target)["INBOX"]) == 29


def test_mirror_stops_when_too_much_would_go(pair, ledger):
    """FIELD-NOTES 9."""
    source, target = pair
    fill(source, ["INBOX"], 10)
    assert copy(source.url(), target.url(), ledger).status == 0
    account = Account(source)
    account.imap.select("INBOX")
    account.imap.uid("STORE", "1:9", "+FLAGS", "(\\Deleted)")
    account.imap.expunge()
    account.close()
    done = copy(source.url(), target.url(), ledger, "--mirror")
    assert done.status == 1 and len(snapshot(target)["INBOX"]) == 10


@pytest.mark.parametrize("separator,prefix", [(".", "INBOX."), (".", ""), ("/", "")])
def test_prefix_and_separator(fast_dir, ledger, separator, prefix):
    """FIELD-NOTES 38: INBOX. is not doubled, and names with the target's delimiter stay apart."""
    folders = ["INBOX", "Archive", "Archive/2020", "Dr_ Jones", "Größe"]
    if separator == ".":
        folders.append("Dr. Jones")
    with Dovecot(fast_dir) as source, \
            Dovecot(fast_dir, layout="maildir", separator=separator, prefix=prefix) as target:
        fill(source, folders, 2)
        done = copy(source.url(), target.url(), ledger)
        assert done.status == 0, done
        got = snapshot(target, separator=separator, prefix=prefix)
        assert "INBOX/INBOX" not in got
        assert sum(len(v) for v in got.values()) == 2 * len(folders)
        assert len(got) >= len(folders)
        fewer = copy(source.url(), target.url(), ledger)
        assert fewer.outcome["copied_now"] == 0


def test_roles_map_to_the_targets_own_folders(fast_dir, ledger):
    with Dovecot(fast_dir) as source, Dovecot(fast_dir, auto="create") as target:
        fill(source, ["INBOX", "Gesendet", "Papierkorb"], 3)
        assert copy(source.url(), target.url(), ledger).status == 0
        got = snapshot(target)
        assert len(got["Sent"]) == 3 and len(got["Trash"]) == 3 and "Gesendet" not in got


def test_rules_choose_and_the_report_counts(pair, ledger):
    source, target = pair
    fill(source, ["INBOX", "Junk/old", "Work"], 4)
    done = copy(source.url(), target.url(), ledger, "--exclude", "Junk*", "--map", "Work=Projects/Work")
    assert done.status == 0
    got = snapshot(target)
    assert "Junk/old" not in got and len(got["Projects/Work"]) == 4
    done = copy(source.url(), target.url(), ledger + "2", "--since", "2100-01-01")
    assert done.outcome["skipped"] == 12 and done.outcome["copied_now"] == 0


def test_check_and_dry_run_change_nothing(pair, ledger):
    source, target = pair
    fill(source, ["INBOX", "a", "a/b"], 4)
    before = snapshot(target)
    for args in (("check",), ("copy", "--dry-run")):
        done = postferry(*args, "--from", source.url(), "--to", target.url(), "--ledger", ledger,
                         "--allow-plaintext")
        assert done.status == 0 and "12" not in before, done
        assert snapshot(target) == before and not os.path.exists(ledger)


def test_verify_finds_what_differs(pair, ledger):
    """FIELD-NOTES 13."""
    source, target = pair
    fill(source, ["INBOX"], 12)
    args = ("--from", source.url(), "--to", target.url(), "--ledger", ledger, "--allow-plaintext", "--json")
    assert postferry("copy", *args).status == 0
    assert postferry("verify", "--deep", *args).status == 0
    user = Account(target)
    user.imap.select("INBOX")
    user.imap.uid("STORE", "5", "+FLAGS", "(\\Deleted)")
    user.imap.expunge()
    user.imap.uid("STORE", "8", "FLAGS", "()")
    user.close()
    done = postferry("verify", *args)
    assert done.status == 1 and done.outcome["not_at_target"] == 1, done


def test_large_messages_stream(pair, ledger):
    source, target = pair
    account = Account(source)
    for n in range(3):
        account.append("INBOX", message(n, 9_000_000 + n))
        account.append("INBOX", message(100 + n))
    account.close()
    done = copy(source.url(), target.url(), ledger)
    assert done.status == 0, done
    assert sorted(snapshot(source)["INBOX"]) == sorted(snapshot(target)["INBOX"])


def test_single_connection_suffices(pair, ledger):
    source, target = pair
    fill(source, FOLDERS[:12], 10)
    assert copy(source.url(), target.url(), ledger, "--connections", "1").status == 0
    assert difference(snapshot(source), snapshot(target)) == []


def test_ledger_is_sound_after_a_run(pair, ledger):
    source, target = pair
    fill(source, ["INBOX"], 5)
    assert copy(source.url(), target.url(), ledger).status == 0
    db = sqlite3.connect(ledger)
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


def test_uidvalidity_of_the_source_changes(pair, ledger):
    """FIELD-NOTES 11: paired again by content; nothing is doubled, nothing is lost."""
    source, target = pair
    fill(source, ["INBOX", "A"], 8)
    assert copy(source.url(), target.url(), ledger).status == 0
    account = Account(source)
    account.imap.create("B")
    account.imap.select("A")
    account.imap.uid("COPY", "1:*", "B")
    account.imap.close()
    account.imap.delete("A")
    account.imap.rename("B", "A")
    account.close()
    done = copy(source.url(), target.url(), ledger)
    assert done.status == 0 and done.outcome["copied_now"] == 0, done
    assert len(snapshot(target)["A"]) == 8


def test_shared_folders_only_when_asked_for(fast_dir, ledger, tmp_path):
    public = """namespace public {{
  type = public
  separator = /
  prefix = Public/
  location = maildir:{dir}/public:LAYOUT=fs
  list = {list}
  subscriptions = no
}}"""
    for listed in ("yes", "children", "no"):
        source = Dovecot(fast_dir)
        with open(source.path("dovecot.conf"), "a", encoding="utf-8") as f:
            f.write(public.format(dir=source.dir, list=listed))
        os.mkdir(source.path("public"))
        os.chmod(source.path("public"), 0o777)
        with source, Dovecot(fast_dir) as target:
            fill(source, ["INBOX", "Mine", "Public/Team"], 2)
            done = copy(source.url(), target.url(), f"{ledger}-{listed}")
            assert done.status == 0 and "Public/Team" not in snapshot(target), done
            done = copy(source.url(), target.url(), f"{ledger}-{listed}", "--shared")
            assert done.status == 0 and len(snapshot(target)["Public/Team"]) == 2, done


QUOTA = """
mail_plugins = $mail_plugins quota
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
plugin {{
  quota = count:User quota
  quota_rule = *:storage={kib}K
  quota_grace = 0
  quota_vsizes = yes
}}
"""


def refusals(trace):
    with open(trace, "rb") as f:
        return f.read().count(b"OVERQUOTA")


def test_target_with_a_quota(fast_dir, ledger, tmp_path):
    """It fills up, is left alone, and when there is more room the rest comes: none twice, none lost."""
    trace = str(tmp_path / "trace")
    with Dovecot(fast_dir) as a, Dovecot(fast_dir, extra=QUOTA.format(kib=1000)) as b:
        fill(a, FOLDERS[:4], 100)
        full = copy(a.url(), b.url(), ledger, "--trace", trace)
        assert full.status == 4 and "target is full" in full.outcome["why"], full
        assert full.outcome["copied"] > 50 and full.outcome["open"] == 400 - full.outcome["copied"] > 50, full
        assert 1 <= refusals(trace) <= 10, refusals(trace)
        os.unlink(trace)
        again = copy(a.url(), b.url(), ledger, "--trace", trace)
        assert again.status == 4 and refusals(trace) <= 4, (refusals(trace), again)
        b.stop()
        with open(b.path("dovecot.conf"), encoding="utf-8") as f:
            roomy = f.read().replace("=1000K", "=100000K")
        b.write("dovecot.conf", roomy)
        b.start()
        done = copy(a.url(), b.url(), ledger)
        told = difference(snapshot(a), snapshot(b))
        assert done.status == 0 and [d for d in told if "another order" not in d] == [], done
