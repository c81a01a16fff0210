"""Exchange Web Services from servers, and from what stands before them, that are odd but not wrong."""

import re

import pytest
from ews_peer import EwsPeer, Failure, fault
from http_peer import Answer
from run import copy, postferry
from test_ews import all_of, deliver, maildir, message

BASIC, NTLM, NEGOTIATE = 'Basic realm="mail"', "NTLM", "Negotiate"


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


def arrives(peer, tmp_path, ledger, *more, url=None):
    """Twelve messages, all of them once, and in a second run nothing again."""
    deliver(peer, 12)
    for n in (12, 0):
        done = copy(url or peer.url(), f"maildir:{tmp_path}/to", ledger, *more)
        assert done.status == 0 and done.outcome["copied_now"] == n and maildir(tmp_path / "to") == all_of(12), done
    return done


# ---- links ----

def test_without_tls_where_that_is_said(peer, tmp_path, ledger):
    """ews:// is TLS; a server that has none is spoken to without when --allow-plaintext permits it."""
    arrives(peer, tmp_path, ledger, url=f"ews://user@127.0.0.1:{peer.port}/")


@pytest.mark.parametrize("scheme,more", [("ewss", ["--allow-plaintext"]), ("ews", [])], ids=["ewss", "ews"])
def test_never_without_tls_else(peer, tmp_path, ledger, scheme, more):
    done = postferry("copy", "--from", f"{scheme}://user@127.0.0.1:{peer.port}/", "--to", f"maildir:{tmp_path}/to",
                     "--ledger", ledger, *more)
    assert done.status == 3 and peer.log == [], done


# ---- redirects ----

@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("whole", [False, True], ids=["path", "URL"])
def test_sent_on(peer, tmp_path, ledger, status, whole):
    told = []

    def step(request):
        if not told:
            told.append(1)
            raise Answer(status, "<html>moved</html>", "text/html",
                         Location=(f"http://127.0.0.1:{peer.port}" if whole else "") + "/EWS/Exchange.asmx")

    peer.before.append(step)
    arrives(peer, tmp_path, ledger, url=peer.url() + "EWS/Exchange.asmx")


def test_sent_on_to_another_host(peer, tmp_path, ledger):
    """The password goes there only when the administrator says so."""
    with EwsPeer() as other:
        def step(request):
            raise Answer(302, "", "text/html", Location=other.url().replace("ews+", "").replace("user@", "") + "EWS/Exchange.asmx")

        peer.before.append(step)
        url = peer.url() + "EWS/Exchange.asmx"
        done = copy(url, f"maildir:{tmp_path}/to", ledger)
        assert done.status == 3 and f"--trust-host 127.0.0.1:{other.port}" in done.err and other.log == [], done
        arrives(other, tmp_path, ledger, "--trust-host", f"127.0.0.1:{other.port}", url=url)


def test_a_balancer_knows_its_sessions_by_a_cookie(peer, tmp_path, ledger):
    """It is given back with each request from then on, and is no more in a trace than a password is."""
    strangers = []

    def step(request):
        if "session=5ecre7" not in request.headers.get("Cookie", ""):
            strangers.append(request)

    peer.fields = lambda answer: {"Set-Cookie": "session=5ecre7; path=/; HttpOnly"}
    peer.before.append(step)
    deliver(peer, 12)
    trace = tmp_path / "trace"
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger, "--trace", trace)
    assert done.status == 0 and maildir(tmp_path / "to") == all_of(12) and len(strangers) == 0, done
    assert b"SyncFolderItems" in trace.read_bytes() and b"5ecre7" not in trace.read_bytes()


# ---- sign-in ----

def test_a_sign_in_that_leads_nowhere(peer, tmp_path, ledger):
    """What stands before Exchange passes NTLM's offer on, and not its steps."""
    def step(request):
        if not request.headers.get("Authorization", "").startswith("Basic"):
            answer = Answer(401, "", "text/plain")
            answer.headers = {}
            answer.kind = f"text/plain\r\nWWW-Authenticate: {NEGOTIATE}\r\nWWW-Authenticate: {NTLM}\r\nWWW-Authenticate: {BASIC}"
            raise answer

    peer.auth = None
    peer.before.append(step)
    arrives(peer, tmp_path, ledger)


@pytest.mark.parametrize("how", ["basic", "bearer"])
def test_refused_in_passing(peer, tmp_path, ledger, how):
    """A password that was good is refused once; a token runs out under several requests at once."""
    deliver(peer, 40)
    peer.auth = how
    told = []

    def step(request):
        if request.body.count(b"IncludeMimeContent>true") and not told:
            told.append(1)
            peer.token = "token2"
            raise Answer(401, "who are you?", "text/plain", WWW_Authenticate=BASIC if how == "basic" else "Bearer")

    peer.before.append(step)
    tokens = tmp_path / "tokens"
    tokens.write_text("token\ntoken2\n")
    more = [] if how == "basic" else ["--from-secret", f"oauth:command:head -1 {tokens}; sed -i -e 1d -e '$p' {tokens}"]
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger, *more)
    assert done.status == 0 and maildir(tmp_path / "to") == all_of(40) and told, done


@pytest.mark.parametrize("code", ["ErrorInternalServerTransientError", "ErrorInternalServerError", "ErrorMailboxStoreUnavailable"])
def test_what_passes_at_the_beginning(peer, tmp_path, ledger, code):
    left = [1, 1]

    def step(request):
        if b"GetFolder" in request.body and left:
            left.pop()
            raise fault(code)

    peer.before.append(step)
    arrives(peer, tmp_path, ledger)


@pytest.mark.parametrize("name", ["msgfolderroot", "inbox"])
def test_a_folder_that_is_not_told_in_passing(peer, tmp_path, ledger, name):
    left, folder_xml = [1, 1], peer.folder_xml

    def told(folder):
        if folder is peer.known[name] and left:
            left.pop()
            raise Failure("ErrorMailboxStoreUnavailable")
        return folder_xml(folder)

    peer.folder_xml = told
    arrives(peer, tmp_path, ledger)
    assert not left and (tmp_path / "to" / "cur").exists()


@pytest.mark.parametrize("code", ["ErrorADUnavailable", "ErrorMailboxFailover", "ErrorProxyRequestProcessingFailed"])
def test_what_passes_with_an_item(peer, tmp_path, ledger, code):
    told = []

    def refuse(operation, item):
        if operation == "GetItem" and item.mime == message(5) and len(told) < 3:
            told.append(item)
            raise Failure(code)

    peer.on_item = refuse
    arrives(peer, tmp_path, ledger)
    assert len(told) == 3


@pytest.mark.parametrize("how", ["schema", "incorrect", "mailbox"])
def test_an_old_server_has_other_words_for_it(peer, tmp_path, ledger, how):
    """2007 finds the name of a newer version to be no value; a new server in front of an old mailbox tells it by folder."""
    def older(request, *more):
        if b"Exchange2007_SP1" not in request.body:
            if how == "mailbox":
                raise Failure("ErrorInvalidSchemaVersionForMailboxVersion")
            raise fault("ErrorSchemaValidation" if how == "schema" else "ErrorIncorrectSchemaVersion", version=(8, 1, 240))

    if how == "mailbox":
        get_folder = peer.get_folder
        peer.get_folder = lambda r, op, version: peer.each(get_folder(r, op, version), lambda x: older(r) or x)
    else:
        peer.before.append(older)
    arrives(peer, tmp_path, ledger)


# ---- folders ----

def test_pages_that_do_not_tell_where_they_end(peer, tmp_path, ledger):
    """IndexedPagingOffset may be absent; how many folders came is known anyhow."""
    find_folder = peer.find_folder
    peer.find_folder = lambda r, op, version: [re.sub(r'IndexedPagingOffset="\d+" ', "", x) for x in find_folder(r, op, version)]
    peer.page = 5
    arrives(peer, tmp_path, ledger)


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


# ---- pages for people ----

HASTY = {"POSTFERRY_TEST_CLOCK": "50"}
PAGE = "<html><head><title>Gateway</title><style>b{}</style></head><body><h1>Out of order</h1>\n<p>Ask your  administrator</p></body></html>"


def page_in_place_of(peer, operation, status, times):
    told = []

    def step(request):
        if f"<m:{operation}".encode() in request.body[:1500] and len(told) < times:
            told.append(1)
            raise Answer(status, PAGE, "text/html")
    peer.before.append(step)
    return told


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("operation", ["GetFolder", "FindFolder", "FindItem", "SyncFolderItems", "GetItem"])
def test_a_page_that_passes(peer, tmp_path, ledger, operation, status):
    """A proxy answers in its place, once and once more."""
    told = page_in_place_of(peer, operation, status, 2)
    deliver(peer, 12)
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger, env=HASTY)
    assert done.status == 0 and maildir(tmp_path / "to") == all_of(12) and len(told) == 2, done


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("operation", ["GetFolder", "FindFolder"])
def test_a_page_that_stays(peer, tmp_path, ledger, operation, status):
    """It is asked a few times, with pauses; then a person is to look, and is told where, at what, and what may help."""
    told = page_in_place_of(peer, operation, status, 10000)
    deliver(peer, 2)
    done = copy(peer.url(), f"maildir:{tmp_path}/to", ledger, env=HASTY)
    assert done.status == (3 if operation == "GetFolder" else 4) and 6 <= len(told) <= 60, done
    assert f"http://127.0.0.1:{peer.port}/EWS/Exchange.asmx answers with HTML (HTTP {status})" in done.err, done
    assert "Out of order Ask your administrator" in done.err and "look at it with a browser" in done.err, done
    assert "asked for again" in done.out or status == 502, done
