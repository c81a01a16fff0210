"""Many accounts in one process: between real servers, with some that fail, caps, kills, and files of all forms."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from mail import Account, difference, message, snapshot
from run import postferry, start
from servers.base import MAIL_GID, MAIL_UID, free_port
from servers.dovecot import Dovecot
from servers.proxy import Proxy

DOCS = os.path.join(os.path.dirname(__file__), "../../docs")


def fill(server, user, count, size=None, folders=("INBOX", "Sent", "Archive/2020")):
    """Messages on disk, as by a delivery: much quicker than by IMAP."""
    for folder in folders:
        top = server.maildir(user) if folder == "INBOX" else os.path.join(server.maildir(user), folder)
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(top, part), exist_ok=True)
        for n in range(count):
            name = os.path.join(top, "cur", f"{1500000000 + n}.M{n}P1.host:2,{'S' if n % 2 else ''}")
            with open(name, "wb") as f:
                f.write(message(n, size).replace(b"\r\n", b"\n"))
            os.utime(name, (1500000000 + n, 1500000000 + n))
    for top, _, names in os.walk(server.path("home", user)):
        for path in [top] + [os.path.join(top, n) for n in names]:
            os.chown(path, MAIL_UID, MAIL_GID)


def write_csv(tmp_path, rows, name="accounts.csv"):
    path = tmp_path / name
    path.write_text("\n".join(",".join(r) for r in rows) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def pairs(source, target, users):
    return [("from", "to")] + [(source.url(u), target.url(u)) for u in users]


def run(file, ledger, *more, **kw):
    return postferry("run", file, "--ledger", ledger, "--allow-plaintext", "--json", *more, **kw)


def lines(done, kind):
    return [l for l in map(json.loads, done.out.splitlines()) if l["type"] == kind]


def same(source, target, user):
    assert difference(snapshot(source, user=user), snapshot(target, user=user)) == []


def test_thirty_accounts_of_which_some_fail(pair, ledger, tmp_path):
    source, target = pair
    users = [f"user{n}" for n in range(28)]
    for n, user in enumerate(users):
        fill(source, user, 150 if n == 5 else 4)
    rows = [("from", "to", "from_secret")] + [(source.url(u), target.url(u), "") for u in users]
    rows += [(source.url("refused"), target.url("refused"), "env:WRONG"),
             ("imap://lost@no.such.host.invalid/", target.url("lost"), "")]
    file = write_csv(tmp_path, rows)
    done = run(file, ledger, env={"WRONG": "not the password"})
    assert done.status == 3, done
    ended = {l["account"]: l for l in lines(done, "account")}
    assert len(ended) == 30
    assert sorted(l["exit_status"] for l in ended.values()) == [0] * 28 + [3, 3]
    assert "AUTHENTICATIONFAILED" in ended[source.url("refused")]["why"]
    assert "no.such.host.invalid" in ended["imap://lost@no.such.host.invalid/"]["why"]
    assert ended[source.url("user5")]["copied"] == 450
    assert all("account" in l for l in lines(done, "event"))
    outcome = done.outcome
    assert outcome["accounts"] == {"all": 30, "waiting": 0, "at_work": 0, "complete": 28, "missed": 0, "usage": 0,
                                   "not_opened": 2, "interrupted": 0}
    assert outcome["copied"] == outcome["copied_now"] == 450 + 27 * 12
    for user in users:
        same(source, target, user)
    # A second run opens all again and copies nothing; what could not be opened is known to all who ask.
    again = run(file, ledger, env={"WRONG": "not the password"})
    assert again.status == 3 and again.outcome["copied_now"] == 0 and again.outcome["copied"] == outcome["copied"]
    text = postferry("run", file, "--ledger", ledger, "--allow-plaintext")
    assert "accounts: 30; complete 28, with something missing 0, not opened 2, not complete 0" in text.out, text
    assert re.search(r"^  imap://lost@.*could not be opened.*can't be found", text.out, re.M), text
    status = postferry("status", file, "--ledger", ledger)
    assert status.status == 0 and all(source.url(u) in status.out for u in users + ["refused"])
    report = postferry("report", "--ledger", ledger, "--format", "csv")
    assert report.status in (0, 1)
    # retry opens those alone that are not complete.
    retry = postferry("retry", file, "--ledger", ledger, "--allow-plaintext", "--json", env={"WRONG": "pass"})
    assert retry.status == 3 and len(lines(retry, "account")) == 2, retry
    verify = postferry("verify", file, "--ledger", ledger, "--allow-plaintext", "--json", env={"WRONG": "pass"})
    assert verify.outcome["compared"] == outcome["copied"] and verify.outcome["differing"] == 0


def test_refused_password_is_tried_once(pair, ledger, tmp_path):
    source, target = pair
    fill(source, "a", 1)
    trace = str(tmp_path / "trace")
    file = write_csv(tmp_path, [("from", "to", "from_secret"), (source.url("a"), target.url("a"), "env:WRONG")])
    done = run(file, ledger, "--trace", trace, env={"WRONG": "x"})
    with open(trace, "rb") as f:
        assert f.read().count(b"AUTHENTICATIONFAILED") == 1
    assert done.status == 3


@pytest.mark.parametrize("moment", [0.3, 1.0])
def test_kill_and_run_again(pair, ledger, tmp_path, moment):
    source, target = pair
    users = [f"user{n}" for n in range(8)]
    for user in users:
        fill(source, user, 60)
    file = write_csv(tmp_path, pairs(source, target, users))
    process = start("run", file, "--ledger", ledger, "--allow-plaintext", "--rate", "200K")
    time.sleep(moment)
    process.kill()
    process.communicate()
    done = run(file, ledger)
    assert done.status == 0 and done.outcome["copied"] + done.outcome["present"] == 8 * 180, done
    for user in users:
        same(source, target, user)


def test_stop_and_go_on(pair, ledger, tmp_path):
    source, target = pair
    users = [f"user{n}" for n in range(30)]
    for user in users:
        fill(source, user, 20)
    file = write_csv(tmp_path, pairs(source, target, users))
    process = start("run", file, "--ledger", ledger, "--allow-plaintext", "--rate", "10K", "--json")
    for line in process.stdout:
        if b'"pass begun"' in line or b'"signed in"' in line:
            break
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    last = json.loads(out.splitlines()[-1])
    assert last["accounts"]["interrupted"] > 0 and last["accounts"]["waiting"] == 0
    assert last["why"] == "stopped by request"
    status = postferry("status", "--ledger", ledger)
    assert status.out.count("imap://user") >= 60 and "no pass yet" in status.out # those that never began as well
    done = run(file, ledger)
    assert done.status == 0 and done.outcome["accounts"]["complete"] == 30
    for user in users[::7]:
        same(source, target, user)


def test_a_cap_of_the_server_lowers_the_number_and_loses_nothing(pair, ledger, tmp_path):
    source, target = pair
    users = [f"user{n}" for n in range(12)]
    for user in users:
        fill(source, user, 30)
    with Proxy(target.port, most=3) as capped:
        file = write_csv(tmp_path, pairs(source, capped, users))
        done = run(file, ledger)
        assert done.status == 0, done
        assert capped.peak == 3 and 0 < capped.refused < 40
    for user in users:
        same(source, target, user)


def test_a_cap_for_one_user(fast_dir, ledger, tmp_path):
    with Dovecot(fast_dir, max_connections=1) as source, Dovecot(fast_dir, max_connections=1) as target:
        users = [f"user{n}" for n in range(4)]
        for user in users:
            fill(source, user, 20)
        done = run(write_csv(tmp_path, pairs(source, target, users)), ledger, "--connections", "3")
        assert done.status == 0, done
        for user in users:
            same(source, target, user)


def test_one_that_is_cut_off_comes_again(pair, ledger, tmp_path):
    source, target = pair
    fill(source, "a", 20)
    fill(source, "b", 20)
    cuts = [("down", 20)] * 3 # the store gives up, the batch does not
    with Proxy(source.port, cuts=cuts) as cut:
        file = write_csv(tmp_path, [("from", "to"), (cut.url("a"), target.url("a")), (source.url("b"), target.url("b"))])
        done = run(file, ledger)
        assert done.status == 0, done
        once = run(file, str(tmp_path / "other"), "--tries", "1", "--dry-run")
        assert once.status == 0
    same(source, target, "a")
    assert "tried again in" in done.err


def test_ten_thousand_rows_and_one_bad_cell(tmp_path, ledger):
    port = free_port() # nobody listens: a sign-in would be status 3
    rows = [("from", "to")] + [(f"imap://u{n}@127.0.0.1:{port}/", f"imap://u{n}@localhost:{port}/") for n in range(10000)]
    rows[7777] = (rows[7777][0], "imap:/localhost")
    done = run(write_csv(tmp_path, rows), ledger)
    assert done.status == 2 and "row 7778, column 2 (to): " in done.err, done.err[:500]
    problem = lines(done, "problem")
    assert [(p["row"], p["column"]) for p in problem] == [(7778, 2)]
    assert not os.path.exists(ledger)


def test_ten_thousand_accounts_begin_at_once(pair, ledger, tmp_path):
    source, target = pair
    file = write_csv(tmp_path, pairs(source, target, [f"u{n}" for n in range(10000)]))
    process = start("run", file, "--ledger", ledger, "--allow-plaintext", "--json")
    for line in process.stdout:
        if b'"type":"account"' in line: # one is over when nearly all others have not begun
            break
    descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 4 and descriptors < 150
    assert json.loads(out.splitlines()[-1])["accounts"]["all"] == 10000
    status = postferry("status", file, "--ledger", ledger, "--json")
    assert len(status.out.splitlines()) == 10000


def test_memory_is_bounded(pair, ledger, tmp_path):
    """Two hundred accounts at work side by side, a gigabyte in all: what is in flight has a limit."""
    source, target = pair
    users = [f"user{n}" for n in range(200)]
    fill(source, users[0], 5, size=1_000_000, folders=("INBOX",))
    for user in users[1:]:
        subprocess.run(["cp", "-al", source.path("home", users[0]), source.path("home", user)], check=True)
    plan = tmp_path / "plan.yaml"
    write_csv(tmp_path, pairs(source, target, users))
    plan.write_text(f"accounts: accounts.csv\nmemory: 400M\nallow_plaintext: true\n"
                    f"servers:\n  a: {{host: 127.0.0.1, port: {source.port}, connections: 200}}\n"
                    f"  b: {{host: 127.0.0.1, port: {target.port}, connections: 200}}\n")
    process = start("run", str(plan), "--ledger", ledger, "--json", "--memory", "400M")
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.stdout.close()
    process.stderr.close()
    assert os.waitstatus_to_exitcode(status) == 0, out[-2000:]
    assert json.loads(out.splitlines()[-1])["copied"] == 1000
    assert used.ru_maxrss < 700_000, used.ru_maxrss # kB; sanitizers included


def test_the_wizards_file(pair, ledger, tmp_path):
    source, target = pair
    for user in ("ann", "bob"):
        fill(source, user, 3)
    file = tmp_path / "Imapusr.csv"
    text = ("IMAP_Mailbox,IMAP_Password,SMTP_Address,IMAP_Server,Ex_Mailbox,IMAP_Port,IMAP_SSL\r\n"
            f"ann,pass,ann@corp.example,127.0.0.1,,{source.port},0\r\n"
            f"bob,\"pass\",bob@corp.example,127.0.0.1,,{source.port},0\r\n")
    file.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    args = ("--to", f"imap://{{local}}@127.0.0.1:{target.port}/")
    env = {"POSTFERRY_FROM_PASSWORD": None}
    file.chmod(0o644)
    done = run(str(file), ledger, *args, env=env)
    assert done.status == 2 and f"chmod 600 {file}" in done.err, done
    file.chmod(0o600)
    done = run(str(file), ledger, *args, env=env)
    assert done.status == 0, done
    for user in ("ann", "bob"):
        same(source, target, user)


def test_the_plan_of_the_manual(pair, tmp_path):
    """The example in docs/plan.md, its servers replaced by those of the test."""
    source, target = pair
    for user in ("ann", "bob"):
        fill(source, user, 3, folders=("INBOX", "Sent Items", "Trash"))
    with open(os.path.join(DOCS, "plan.md"), encoding="utf-8") as f:
        text = f.read()
    plan, accounts = re.search(r"```yaml\n(.*?)```", text, re.S).group(1), re.search(r"```csv\n(.*?)```", text, re.S).group(1)
    for name, server in (("old", source), ("new", target)):
        plan, n = re.subn(rf"host: mail\.{name}\.example\n    port: \d+", f"host: 127.0.0.1\n    port: {server.port}", plan)
        assert n == 1
    plan = plan.replace("tls: implicit", "allow_plaintext: true").replace("tls: starttls", "allow_plaintext: true")
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    (tmp_path / "accounts.csv").write_text(accounts, encoding="utf-8")
    (tmp_path / "accounts.csv").chmod(0o600)
    env = {"OLD_PASSWORD": "pass", "NEW_PASSWORD": "pass", "POSTFERRY_FROM_PASSWORD": None, "POSTFERRY_TO_PASSWORD": None}
    plan = str(tmp_path / "plan.yaml")
    check = postferry("check", plan, "--json", env=env)
    assert check.status == 0 and len(lines(check, "account")) == 2, check
    done = postferry("run", plan, "--json", env=env)
    assert done.status == 0, done
    assert os.path.exists(tmp_path / "move.ledger")
    there = snapshot(target, user="ann")
    assert "Sent" in there and "Trash" not in there and len(there["Sent"]) == 3, there.keys()
    assert postferry("status", plan).status == 0
    assert postferry("verify", plan, env=env).status == 0


def test_every_key_is_in_the_manual():
    with open(os.path.join(DOCS, "../src/plan/yaml.c"), encoding="utf-8") as f:
        keys = set(re.findall(r'^\t\{"(\w+)", VALUE_', f.read(), re.M))
    assert len(keys) > 30
    for page in ("plan.md", "postferry-plan.5"):
        with open(os.path.join(DOCS, page), encoding="utf-8") as f:
            words = set(re.findall(r"\w+", f.read()))
        assert keys - words == set(), page


def test_problems_of_a_plan(tmp_path, ledger):
    plan = tmp_path / "plan.yaml"
    plan.write_text("accounts: a.csv\nsevers:\n  a: {host: x}\nsince: yesterday\n")
    done = run(str(plan), ledger)
    assert done.status == 2 and 'plan.yaml line 2 (severs): there is no such key here; did you mean "servers"?' in done.err
    plan.write_text("accounts: a.csv\nsince: yesterday\n")
    write_csv(tmp_path, [("from", "to"), ("imap://a@127.0.0.1:1/", "imap://a@127.0.0.1:2/")], "a.csv")
    done = run(str(plan), ledger)
    assert done.status == 2 and "plan.yaml line 2: --since yesterday: it must be a day" in done.err, done
    done = run(str(tmp_path / "none.yaml"), ledger)
    assert done.status == 2 and "none.yaml" in done.err and "No such file" in done.err
    assert postferry("run").status == 2
    write_csv(tmp_path, [("from", "to"), ("imap://ann@a/", "imap://bob@b/"), ("imap://bob@a/", "imap://cid@b/")], "a.csv")
    done = postferry("run", str(tmp_path / "a.csv"), "--dry-run", "--ledger", ledger, "--connections", "0")
    assert done.status == 2 # and before that:
    done = postferry("run", str(tmp_path / "a.csv"), "--to-secret", "prompt", "--ledger", ledger)
    assert done.status == 2 and "is a line shifted?" in done.err and "nobody is asked" in done.err, done
