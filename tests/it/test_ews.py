"""Mail to Exchange and from it, by Exchange Web Services: a strict stand-in for the server, Dovecot on the other side."""

import calendar
import functools
import os
import re
import signal
import subprocess
import time

import pytest
import mail
from ews_peer import EwsPeer, Failure, Hang, fault
from http_peer import Answer
from mail import Account, date, flags, snapshot
from run import BINARY, copy, start
from servers.base import free_port
from servers.certs import make as make_certs
from servers.dovecot import Dovecot

FOLDERS = ["INBOX", "INBOX/Reports", "Archive", "Archive/2020", "Projekte/Größe & Gewicht", "日本語/台北", "a/b/c"]
message = functools.lru_cache(maxsize=None)(mail.message)  # boundaries are another one each time
SUITE = os.path.join(os.path.dirname(os.path.abspath(BINARY)), "tests/store_suite/store_suite")
SOURCES = os.path.join(os.path.dirname(__file__), "../../src")


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


@pytest.fixture
def dovecot(fast_dir):
    with Dovecot(fast_dir) as server:
        yield server


@pytest.fixture
def box(tmp_path):
    """A Maildir of twelve messages, quick to make and to read."""
    path = tmp_path / "box"
    for sub in ("cur", "new", "tmp"):
        (path / sub).mkdir(parents=True)
    for n in range(12):
        (path / "cur" / f"{1500000000 + n}.M{n}P1.host:2,S").write_bytes(message(n))
    return f"maildir:{path}"


def fill(server, folders=tuple(FOLDERS), per_folder=6):
    account = Account(server)
    account.fill(folders, 0)
    for n in range(len(folders) * per_folder):
        account.append(folders[n // per_folder], message(n), flags(n), date(n))
    account.close()


def deliver(peer, n, folder=None, begin=0):
    return [peer.deliver(folder or peer.known["inbox"], message(i), read=i % 2 == 0,
                         received=f"2019-03-{i % 28 + 1:02}T10:20:{i % 60:02}Z") for i in range(begin, begin + n)]


def mimes(items):
    return sorted(i.mime for i in items)


def all_of(n):
    return sorted(message(i) for i in range(n))


def maildir(path):
    """The messages of a Maildir, as they came."""
    found = []
    for where, _, names in os.walk(path):
        if os.path.basename(where) in ("cur", "new"):
            for name in names:
                with open(os.path.join(where, name), "rb") as f:
                    found.append(f.read())
    return sorted(found)


def writes(peer):
    return [peer.count(o) for o in ("CreateItem", "UpdateItem", "DeleteItem", "CreateFolder")]


# ---- the interface ----

@pytest.mark.skipif(not os.path.exists(SUITE), reason="the suite is not built (-Dtests=true)")
def test_store_suite(peer):
    done = subprocess.run([SUITE, peer.url()], env=dict(os.environ, STORE_SUITE_PASSWORD="pass"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280, check=False)
    out = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, "\n".join(line for line in out.splitlines() if not line.startswith("ok "))[-6000:]


def test_nothing_in_the_code_sends():
    for where, _, names in os.walk(SOURCES):
        for name in names:
            with open(os.path.join(where, name), encoding="utf-8", errors="replace") as f:
                assert not re.search("SendOnly|SendAndSave|SendToAll|SendOnlyTo", f.read()), name


# ---- IMAP to Exchange ----

def test_from_imap(peer, dovecot, ledger):
    fill(dovecot)
    done = copy(dovecot.url(), peer.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == len(FOLDERS) * 6, done
    for n, path in enumerate(FOLDERS):
        found = list(peer.folder(*path.split("/")).items.values())
        assert [i.mime for i in found] == [message(n * 6 + i) for i in range(6)], path
    look_at_marks(peer, dovecot)
    before = writes(peer)
    again = copy(dovecot.url(), peer.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and writes(peer) == before, again


def look_at_marks(peer, dovecot):
    """Flags, keywords and dates: of each message those of its source."""
    account = Account(dovecot)
    for path in FOLDERS:
        for item, (_, words, when) in zip(peer.folder(*path.split("/")).items.values(), account.items(account.native(path))):
            words = set(words.decode().split())
            verb = 102 if "\\Answered" in words else 104 if "$Forwarded" in words else None
            keywords = {w for w in words if not w.startswith("\\")} - ({"$Forwarded"} if verb == 104 else set())
            assert item.read == ("\\Seen" in words) and item.draft == ("\\Draft" in words), (path, words, item.props)
            assert item.flagged == ("\\Flagged" in words) and item.props.get(0x1081) == verb, (path, words, item.props)
            assert set(item.categories) == keywords
            assert time.mktime(when) == calendar.timegm(time.strptime(item.received, "%Y-%m-%dT%H:%M:%SZ"))
    account.close()


def test_without_ledger_all_is_known_again(peer, dovecot, ledger):
    fill(dovecot, ["INBOX", "a/b"], 10)
    assert copy(dovecot.url(), peer.url(), ledger).outcome["copied_now"] == 20
    done = copy(dovecot.url(), peer.url(), ledger + "2")
    assert done.status == 0 and done.outcome["present"] == 20 and mimes(peer.all()) == all_of(20), done


def test_changed_flags_follow(peer, dovecot, ledger):
    fill(dovecot, ["INBOX"], 3)
    assert copy(dovecot.url(), peer.url(), ledger).status == 0
    account = Account(dovecot)
    account.imap.select("INBOX")
    account.imap.store("1:3", "FLAGS", "(\\Seen \\Answered \\Flagged Later)")
    account.close()
    assert copy(dovecot.url(), peer.url(), ledger).status == 0
    for item in peer.all():
        assert item.read and item.flagged and item.props[0x1081] == 102 and item.categories == ["Later"]


@pytest.mark.parametrize("build,newest", [((8, 3, 83), "Exchange2007_SP1"), ((14, 1, 218), "Exchange2010_SP1"), (None, "Exchange2010")])
def test_older_servers(peer, dovecot, ledger, build, newest):
    """Each is spoken to as it can be; and no receipt goes out, though it was asked for."""
    peer.newest, peer.build = newest, build or (15, 1, 0)  # one that tells a version that it does not speak
    account = Account(dovecot)
    account.append("INBOX", b"Disposition-Notification-To: a@example.org\r\n" + message(1), "()", date(1))
    account.close()
    assert copy(dovecot.url(), peer.url(), ledger).status == 0
    account = Account(dovecot)
    account.imap.select("INBOX")
    account.imap.store("1", "FLAGS", "(\\Seen)")
    account.close()
    assert copy(dovecot.url(), peer.url(), ledger).status == 0
    assert [i.read for i in peer.all()] == [True] and peer.sent == []


# ---- Exchange to IMAP ----

def test_to_imap(peer, dovecot, ledger):
    peer.page = 5
    deliver(peer, 12)
    sub = peer.add_folder(peer.known["inbox"], "Größe/Gewicht")
    deliver(peer, 4, sub, 12)
    deliver(peer, 3, peer.known["sentitems"], 16)
    peer.deliver(peer.known["inbox"], message(19), categories=["Work", "Blaue Kategorie", "Größe"], p1090=2, p1081=103)
    peer.deliver(peer.known["inbox"], message(20), read=True, p1081=104)
    peer.add_folder(peer.root, "PersonMetadata", "IPF.Contact.MOC.ImContactList")
    done = copy(peer.url(), dovecot.url(), ledger)
    assert done.status == 0 and done.outcome["copied"] == 21, done
    got = snapshot(dovecot)
    assert len(got["INBOX"]) == 14 and writes(peer) == [0, 0, 0, 0]
    account = Account(dovecot)
    raw = [body for path in account.folders() for body in bodies(account, path)]
    assert sorted(raw) == all_of(21)
    account.close()
    assert got["INBOX"][-1][1] == b"$Forwarded \\Seen"
    assert {b"\\Answered", b"\\Flagged", b"Work", b"Blaue_Kategorie"} <= set(got["INBOX"][-2][1].split())
    assert [time.mktime(i[2]) for i in got["INBOX"]][:12] == [
        calendar.timegm((2019, 3, i % 28 + 1, 10, 20, i % 60)) for i in range(12)]
    before = peer.count("GetItem")
    again = copy(peer.url(), dovecot.url(), ledger)
    assert again.status == 0 and again.outcome["copied_now"] == 0 and peer.count("GetItem") == before, again


def bodies(account, native):
    account.imap.select(f'"{native}"', readonly=True)
    return [part[1] for part in account.imap.uid("FETCH", "1:*", "(BODY.PEEK[])")[1] if isinstance(part, tuple)]


def test_only_what_changed_is_asked_for(peer, tmp_path, ledger):
    items = deliver(peer, 30)
    target = f"maildir:{tmp_path}/to"
    assert copy(peer.url(), target, ledger).outcome["copied_now"] == 30
    deliver(peer, 2, begin=30)
    items[1].props[0x0E07] |= 1  # which changes nothing but that
    peer.touch(items[1], only_read=True)
    items[4].categories = ["Later"]
    peer.touch(items[4])
    peer.remove(items[7])
    peer.operations.clear()
    done = copy(peer.url(), target, ledger)
    assert done.status == 0 and done.outcome["copied_now"] == 2, done
    assert maildir(f"{tmp_path}/to") == all_of(32)
    read = sum(n for name, n in peer.operations if name == "GetItem")
    assert 3 <= read < 10  # the two bodies, and how the one is marked that was only read


def test_a_state_that_is_not_good_any_more(peer, tmp_path, ledger):
    deliver(peer, 10)
    target = f"maildir:{tmp_path}/to"
    assert copy(peer.url(), target, ledger).status == 0
    good, peer.state = peer.state, lambda folder, moment: "AAAA"
    deliver(peer, 1, begin=10)
    assert copy(peer.url(), target, ledger).status == 0
    peer.state = good
    deliver(peer, 1, begin=11)
    done = copy(peer.url(), target, ledger)
    assert done.status == 0 and maildir(f"{tmp_path}/to") == all_of(12), done


def test_large_ones(peer, box, tmp_path, ledger):
    peer.deliver(peer.known["inbox"], message(3, 14_000_000))
    deliver(peer, 3)
    assert copy(peer.url(), f"maildir:{tmp_path}/to", ledger).outcome["copied"] == 4
    assert maildir(f"{tmp_path}/to") == mimes(peer.all())
    with EwsPeer() as other:
        done = copy(f"maildir:{tmp_path}/to", other.url(), ledger + "2")
        assert done.status == 0 and mimes(other.all()) == mimes(peer.all()), done


# ---- refusals of single items ----

def test_an_item_that_can_not_be_given(peer, tmp_path, ledger):
    items = deliver(peer, 12)

    def refuse(operation, item):
        if item is items[5]:
            raise Failure("ErrorContentConversionFailed")

    peer.on_item = refuse
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger)
    assert done.status == 1 and done.outcome["copied"] == 11 and done.outcome["quarantined"] == 1, done
    assert "ErrorContentConversionFailed" in done.out


def test_an_item_that_is_not_taken(peer, box, ledger):
    def refuse(operation, mime):
        if mime == message(6):  # one that no repair would change
            raise Failure("ErrorMimeContentInvalid")

    peer.on_item = refuse
    done = copy(box, peer.url(), ledger)
    assert done.status == 1 and done.outcome["copied"] == 11 and done.outcome["quarantined"] == 1, done
    assert mimes(peer.all()) == sorted(message(i) for i in range(12) if i != 6)


@pytest.mark.parametrize("code", ["ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorBatchProcessingStopped"])
def test_what_passes(peer, box, ledger, code):
    seen = set()

    def refuse(operation, mime):
        if mime not in seen and len(seen) < 3:
            seen.add(mime)
            raise Failure(code)

    peer.on_item = refuse
    done = copy(box, peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(12), done


def test_a_full_mailbox(peer, box, ledger):
    def refuse(operation, mime):
        if len(peer.all()) >= 4:
            raise Failure("ErrorQuotaExceeded")

    peer.on_item = refuse
    done = copy(box, peer.url(), ledger)
    assert done.status != 0 and len(peer.all()) == 4 and "ErrorQuotaExceeded" in done.out + done.err, done
    peer.on_item = None
    assert copy(box, peer.url(), ledger).status == 0 and mimes(peer.all()) == all_of(12)


def test_requests_that_are_too_large(peer, box, ledger):
    """All together they are, each alone is not."""
    peer.max_request = max(len(message(n)) for n in range(12)) * 4 // 3 + 3000
    done = copy(box, peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(12), done


# ---- patience ----

def busy(peer):
    peer.be_quiet(1.5)
    return fault("ErrorServerBusy", "not now", back_off=1500)


@pytest.mark.parametrize("how", [busy, lambda peer: peer.patience(1, 503), lambda peer: peer.patience(1)], ids=["fault", "503", "429"])
@pytest.mark.parametrize("operation", ["GetFolder", "CreateItem", "SyncFolderItems"])
def test_throttled(peer, box, ledger, how, operation):
    """It is left alone for as long as it wants (the peer notes who is back sooner), and then all goes on."""
    told = []

    def step(request):
        if operation.encode() in request.body[:1500] and len(told) < 2 and time.monotonic() > peer.quiet_until:
            told.append(1)
            raise how(peer)

    peer.before.append(step)
    done = copy(box, peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(12) and len(told) == 2, done
    assert [e for e in done.events if e["number"] == 10004], done


def test_one_item_is_too_much(peer, box, ledger):
    told = []

    def refuse(operation, mime):
        if mime == message(7) and not told:
            told.append(1)
            peer.be_quiet(1)
            raise Failure("ErrorServerBusy", 1000)

    peer.on_item = refuse
    done = copy(box, peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(12), done


# ---- links that are lost, and ends ----

@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["CreateItem", "CreateFolder", "UpdateItem", "SyncFolderItems"])
def test_cut(peer, dovecot, ledger, when, operation):
    """An answer that never came: nothing is there twice, nothing is missing."""
    cut = []

    def step(request):
        if f"<m:{operation}".encode() in request.body[:1500] and len(cut) < 2:
            cut.append(1)
            raise Hang

    fill(dovecot, ["INBOX", "a/b"], 8)
    (peer.before if when == "before" else peer.after).append(step)
    done = copy(dovecot.url(), peer.url(), ledger)
    if operation == "UpdateItem":
        account = Account(dovecot)
        account.imap.select("INBOX")
        account.imap.store("1:8", "FLAGS", "(\\Seen Later)")
        account.close()
        done = copy(dovecot.url(), peer.url(), ledger)
        assert all(i.read and i.categories == ["Later"] for i in peer.known["inbox"].items.values())
    assert done.status == 0 and mimes(peer.all()) == all_of(16) and len(cut) == 2, done


def test_killed_at_each_write(peer, box, ledger):
    for at in range(2, 12):
        copy(box, peer.url(), ledger, env={"POSTFERRY_TEST_KILL_AT_WRITE": str(at)})
    done = copy(box, peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(12), done


def test_killed_in_the_middle(peer, dovecot, ledger):
    fill(dovecot, ["INBOX", "a", "b"], 30)
    peer.far = 0.05
    process = start("copy", "--from", dovecot.url(), "--to", peer.url(), "--ledger", ledger, "--allow-plaintext")
    while len(peer.all()) < 25 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(peer.all()) < 90
    done = copy(dovecot.url(), peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(90), done


# ---- signing in ----

@pytest.mark.parametrize("auth,more", [("basic", []), ("ntlm", []), ("bearer", ["--to-secret", "oauth:command:echo token"])],
                         ids=["basic", "ntlm", "bearer"])
def test_sign_in(box, ledger, auth, more):
    with EwsPeer(auth=auth) as peer:
        done = copy(box, peer.url(), ledger, *more)
        assert done.status == 0 and mimes(peer.all()) == all_of(12) and peer.breaches == [], done


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_refused_password_is_tried_once(box, ledger, auth):
    with EwsPeer(auth=auth) as peer:
        peer.login = "none"
        user = "user" if auth == "basic" else "another"
        done = copy(box, peer.url(user), ledger, env={"POSTFERRY_TO_PASSWORD": "wrong"})
        assert done.status == 3 and "sign-in is refused" in done.err, done
        shown = [h["Authorization"] for _, _, h in peer.log if len(h.get("Authorization", "")) > 60 or auth == "basic"
                 and "Authorization" in h]
        assert len(shown) == 1


def test_on_behalf_of_another(box, ledger):
    with EwsPeer() as peer:
        peer.login = "Basic YWRtaW46cGFzcw=="
        done = copy(box, peer.url("ann@example.org"), ledger, "--to-admin", "admin")
        assert done.status == 0 and set(peer.owners) == {"ann@example.org"} and peer.breaches == [], done
        assert {h.get("X-AnchorMailbox") for _, _, h in peer.log} == {"ann@example.org"}


def test_a_mailbox_that_is_not_there(peer, box, ledger):
    def step(request):
        raise fault("ErrorNonExistentMailbox", "No mailbox with such guid.")

    peer.before.append(step)
    done = copy(box, peer.url(), ledger)
    assert done.status == 3 and "No mailbox" in done.err and len(peer.log) == 2, done  # one of them to be asked who we are


def test_not_there(peer, box, ledger):
    done = copy(box, peer.url() + "owa", ledger)
    assert done.status == 3 and "no Exchange Web Services are found" in done.err, done


def test_over_tls_only_unless_it_is_said(box, ledger, tmp_path):
    certs = make_certs(str(tmp_path))
    with EwsPeer(tls=(certs.cert, certs.key)) as peer:
        url = peer.url().replace("127.0.0.1", "localhost")
        assert copy(box, url, ledger).status == 3 and peer.log == []
        done = copy(box, url, ledger, "--ca-file", certs.ca)
        assert done.status == 0 and mimes(peer.all()) == all_of(12), done


def test_answers_with_forbidden_characters(peer, tmp_path, ledger):
    deliver(peer, 3, peer.add_folder(peer.root, "Gl&ouml;ckner"))
    usual = peer.folder_xml
    peer.folder_xml = lambda f: usual(f).replace("&amp;ouml;", "&#x1;")
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger)
    assert done.status == 0 and maildir(f"{tmp_path}/to") == all_of(3), done


def test_an_answer_from_somebody_else(peer, box, ledger):
    """A proxy's page for people in place of what became of the items: whether they are there is looked at."""
    told = []

    def step(request):
        if b"<m:CreateItem" in request.body[:1500] and not told:
            told.append(1)
            raise Answer(200, "<html><body>Please sign in</body></html>", "text/html")

    peer.after.append(step)
    done = copy(box, peer.url(), ledger)
    assert done.status == 0 and mimes(peer.all()) == all_of(12) and told, done


def test_what_changes_while_it_is_listed(peer, box, ledger):
    """An item that a later page tells of again is one item, and one that is gone by then is none."""
    peer.page = 4
    assert copy(box, peer.url(), ledger).status == 0
    moved = []

    def step(request):
        if b"<m:SyncFolderItems" in request.body[:1500] and b"<m:SyncState>" in request.body and not moved:
            moved.append(1)
            inbox = list(peer.known["inbox"].items.values())
            peer.touch(inbox[1])
            peer.remove(inbox[2])

    peer.before.append(step)
    done = copy(box, peer.url(), ledger + "2")
    assert done.status == 0 and moved and mimes(peer.all()) == all_of(12), done
    assert (done.outcome["present"], done.outcome["copied_now"]) == (11, 1), done


def test_nobody_listens(ledger, tmp_path):
    """A wrong address is told after one more try, and each try is told of."""
    done = copy(f"ews+http://user@127.0.0.1:{free_port()}/", f"maildir:{tmp_path}/m", ledger)
    assert done.status == 3 and "connect" in done.err, done
    assert [e["number"] for e in done.events if e["number"] == 10003] == [10003], done
