"""Where a mailbox's Exchange Web Services are, when not at the URL's host: Autodiscover. The password goes to another origin only
when that one was named."""

import socket
from xml.etree import ElementTree

import pytest
import mail
from dns_server import Dns, srv
from ews_peer import PATH, EwsPeer
from http_peer import Answer
from run import postferry
from servers.certs import make as make_certs

DOMAIN = "example.test"
WHERE = "/autodiscover/autodiscover.xml"
ASK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006}"
TELL = "http://schemas.microsoft.com/exchange/autodiscover/"


def answer(inner):
    return Answer(200, f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{TELL}responseschema/2006"><Response '
                  f'xmlns="{TELL}outlook/responseschema/2006a">{inner}</Response></Autodiscover>', "text/xml; charset=utf-8")


def account(action, more):
    return answer(f"<User><DisplayName>Ann</DisplayName></User><Account><AccountType>email</AccountType><Action>{action}</Action>"
                  f"{more}</Account>")


def service(url):
    return account("settings", f"<Protocol><Type>EXCH</Type><EwsUrl>https://inside.{DOMAIN}{PATH}</EwsUrl></Protocol>"
                   f"<Protocol><Type>EXPR</Type><EwsUrl>{url}</EwsUrl></Protocol>")


class Found(EwsPeer):
    """`at`: where Exchange Web Services are; `told`: function (address) that gives what Autodiscover says; None: it is not here."""

    def __init__(self, tls, at=PATH, told=None):
        super().__init__(tls)
        self.login = None
        self.auth = "any"
        self.at, self.told, self.addresses = at, told, []

    @property
    def here(self):
        return f"https://localhost:{self.port}"

    def check(self, r):
        if not r.headers.get("Authorization"):
            raise Answer(401, "who are you?", "text/plain", WWW_Authenticate='Basic realm="strict"')
        if r.path == WHERE and self.told:
            wish = ElementTree.fromstring(r.body)
            self.addresses.append(wish.findtext(f"{ASK}Request/{ASK}EMailAddress"))
            assert wish.findtext(f"{ASK}Request/{ASK}AcceptableResponseSchema").endswith("/responseschema/2006a")
            raise self.told(self.addresses[-1])
        if r.path != self.at:
            raise Answer(404, "nothing is here", "text/html")
        r.path = PATH
        super().check(r)


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return make_certs(str(tmp_path_factory.mktemp("certs")))


@pytest.fixture
def found(certs):
    with Found((certs.cert, certs.key)) as p:
        for n in range(3):
            p.deliver(p.known["inbox"], mail.message(n))
        yield p
        assert p.breaches == []


@pytest.fixture
def fetch(tmp_path, ledger, certs):
    def run(url, *more, dns=None):
        return postferry("copy", "--from", url, "--to", f"mbox:{tmp_path}/to", "--ledger", ledger, "--ca-file", certs.ca,
                         *(("--dns-server", dns.address) if dns else ()), *more, env={"POSTFERRY_TEST_CLOCK": "200"})

    return run


def arrived(tmp_path):
    return (tmp_path / "to").exists() and sum(p.read_bytes().count(b"Message-ID:") for p in (tmp_path / "to").rglob("*") if p.is_file()) == 3


def test_another_path_of_the_same_host(found, fetch, tmp_path):
    found.at = "/mail/ews.asmx"
    found.told = lambda address: service(found.here + found.at)
    done = fetch(f"ews://ann%40{DOMAIN}@localhost:{found.port}/")
    assert done.status == 0 and arrived(tmp_path), done
    assert found.addresses == [f"ann@{DOMAIN}"]


def test_a_user_without_domain_is_of_the_host(found, fetch, tmp_path):
    found.at = "/mail/ews.asmx"
    found.told = lambda address: service(found.here + found.at)
    assert fetch(f"ews://ann@localhost:{found.port}/").status == 0 and arrived(tmp_path)
    assert found.addresses == ["ann@localhost"]


def test_a_path_that_is_given_is_not_looked_for(found, fetch):
    found.told = lambda address: service(found.here + PATH)
    done = fetch(f"ews://ann%40{DOMAIN}@localhost:{found.port}/wrong.asmx")
    assert done.status == 3 and "no Exchange Web Services are found" in done.err and found.addresses == [], done


def test_the_domain_says_where_it_is(found, fetch, tmp_path):
    found.told = lambda address: service(found.here + PATH)
    with Dns({f"_autodiscover._tcp.{DOMAIN}": [srv("localhost", found.port)]}) as dns:
        done = fetch(f"ews://ann@{DOMAIN}/", "--trust-host", f"localhost:{found.port}", dns=dns)
    assert done.status == 0 and arrived(tmp_path), done
    assert found.addresses == [f"ann@{DOMAIN}"]


def test_nothing_goes_elsewhere_unasked(found, fetch):
    """Neither to whom the name service names, nor to whom Autodiscover names."""
    with Dns({f"_autodiscover._tcp.{DOMAIN}": [srv("localhost", found.port)]}) as dns:
        done = fetch(f"ews://ann@{DOMAIN}/", dns=dns)
        assert done.status == 3 and f"--trust-host localhost:{found.port}" in done.err and found.log == [], done
    with Dns() as dns:
        done = fetch(f"ews://ann@{DOMAIN}/", dns=dns)
        assert done.status == 3 and f"--trust-host autodiscover.{DOMAIN}" in done.err, done


@pytest.mark.parametrize("how", ["service", "place", "redirect"])
def test_nor_to_whom_autodiscover_names(found, certs, fetch, tmp_path, how):
    with Found((certs.cert, certs.key), at="/none") as other:
        there = {"service": lambda a: service(found.here + PATH),
                 "place": lambda a: account("redirectUrl", f"<RedirectUrl>{found.here}{WHERE}</RedirectUrl>"),
                 "redirect": lambda a: Answer(302, "", Location=found.here + WHERE)}
        other.told = there[how]
        found.told = lambda address: service(found.here + PATH)
        url = f"ews://ann%40{DOMAIN}@localhost:{other.port}/"
        done = fetch(url)
        assert done.status == 3 and f"--trust-host localhost:{found.port}" in done.err and found.log == [], done
        done = fetch(url, "--trust-host", f"localhost:{found.port}")
        assert done.status == 0 and arrived(tmp_path), done


def test_never_without_tls(found, fetch):
    found.at = "/none"
    found.told = lambda address: service(f"http://localhost:{found.port}{PATH}")
    done = fetch(f"ews://ann%40{DOMAIN}@localhost:{found.port}/", "--trust-host", f"localhost:{found.port}")
    assert done.status == 3 and len([r for r in found.log if r[1] == PATH]) <= 2, done


def test_another_address(found, fetch, tmp_path):
    found.at = "/mail/ews.asmx"
    found.told = lambda a: (service(found.here + found.at) if a == "ann@two.test"
                            else account("redirectAddr", "<RedirectAddr>ann@two.test</RedirectAddr>"))
    done = fetch(f"ews://ann%40{DOMAIN}@localhost:{found.port}/")
    assert done.status == 0 and arrived(tmp_path), done
    assert found.addresses == [f"ann@{DOMAIN}", "ann@two.test"]


@pytest.mark.parametrize("told", [
    lambda a: account("redirectAddr", f"<RedirectAddr>{a}</RedirectAddr>"),
    lambda a: Answer(302, "", Location=WHERE),
    lambda a: answer("<Error><ErrorCode>500</ErrorCode><Message>Who is that?</Message></Error>"),
    lambda a: Answer(200, "<html>Welcome</html>", "text/html"), lambda a: Answer(401, "no", WWW_Authenticate='Basic realm="x"')],
    ids=["round and round", "to itself", "error", "page", "401"])
def test_no_help_ends(found, fetch, told):
    found.at = "/none"
    found.told = told
    with Dns() as dns:
        done = fetch(f"ews://ann%40{DOMAIN}@localhost:{found.port}/", dns=dns)
    assert done.status == 3 and "no Exchange Web Services are found" in done.err and "Autodiscover" in done.err, done
    assert len(found.log) < 40


def test_nobody_is_there(fetch):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        with Dns() as dns:
            done = fetch(f"ews://ann%40{DOMAIN}@localhost:{s.getsockname()[1]}/", dns=dns)
    assert done.status == 3 and "localhost" in done.err and f"--trust-host {DOMAIN}" not in done.err, done
    assert f"--trust-host autodiscover.{DOMAIN}" in done.err, done
