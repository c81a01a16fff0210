"""Encryption and sign-in: verified by default, pinned on request, never silently in the clear."""

import subprocess

import pytest
from mail import Account, difference, message, snapshot
from run import postferry
from servers import certs
from servers.dovecot import Dovecot

MECHANISMS = "plain login cram-md5 scram-sha-1 scram-sha-256"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certs.make(str(tmp_path_factory.mktemp("certs")))


@pytest.fixture
def servers(fast_dir, tls):
    with Dovecot(fast_dir, tls=tls) as a, Dovecot(fast_dir, tls=tls, mechanisms=MECHANISMS) as b:
        account = Account(a)
        for n in range(5):
            account.append("INBOX", message(n))
        account.append("INBOX", message(9, 8_000_000))
        account.close()
        yield a, b


def run(source, target, ledger, *more, env=None):
    return postferry("copy", "--from", source, "--to", target, "--ledger", ledger, "--json", *more, env=env)


def starttls(server, host="localhost"):
    return f"imap://user@{host}:{server.port}/"


def test_starttls_and_imaps(servers, tls, ledger):
    a, b = servers
    done = run(starttls(a), b.tls_url(), ledger, "--ca-file", tls.ca)
    assert done.status == 0, done
    assert difference(snapshot(a), snapshot(b), order=False) == []


def test_authorities_of_the_system_are_trusted(servers, tls, ledger):
    a, b = servers
    assert run(starttls(a), b.tls_url(), ledger, env={"SSL_CERT_FILE": tls.ca}).status == 0


def test_unknown_authority_is_refused_with_the_fingerprint(servers, tls, ledger):
    a, b = servers
    for url in (starttls(a), a.tls_url()):
        done = run(url, b.tls_url(), ledger)
        assert done.status == 3 and "--tls-fingerprint" in done.err, done
        assert tls.fingerprint.replace(":", "").lower() in done.err


def test_pinned_fingerprint(servers, tls, ledger):
    a, b = servers
    assert run(starttls(a), b.tls_url(), ledger, "--tls-fingerprint", tls.fingerprint).status == 0
    wrong = "00" + tls.fingerprint[2:] if not tls.fingerprint.startswith("00") else "11" + tls.fingerprint[2:]
    done = run(starttls(a), b.tls_url(), ledger, "--tls-fingerprint", wrong)
    assert done.status == 3 and "not the one" in done.err, done


def test_wrong_host_name_is_refused(servers, tls, ledger):
    a, b = servers
    done = run(starttls(a, "127.0.0.1"), b.tls_url(), ledger, "--ca-file", tls.ca)
    assert done.status == 3 and "certificate" in done.err, done


def test_tls_on_a_plain_port_says_so(servers, tls, ledger, tmp_path):
    """To a folder, which can't fail: so the error that is told is the one of the port."""
    a, _ = servers
    done = run(f"imaps://user@localhost:{a.port}/", f"maildir:{tmp_path}/to", ledger, "--ca-file", tls.ca)
    assert done.status == 3 and "TLS" in done.err, done


def test_bad_options(servers, ledger, tmp_path):
    a, b = servers
    done = run(starttls(a), b.tls_url(), ledger, "--ca-file", str(tmp_path / "none"))
    assert done.status == 2 and "--ca-file" in done.err, done
    done = run(starttls(a), b.tls_url(), ledger, "--tls-fingerprint", "abc")
    assert done.status == 2 and "--tls-fingerprint" in done.err, done


@pytest.mark.parametrize("mechanism", ["plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"])
def test_mechanisms(fast_dir, tls, ledger, mechanism):
    with Dovecot(fast_dir, tls=tls, mechanisms=mechanism) as a, Dovecot(fast_dir, tls=tls) as b:
        done = run(a.tls_url(), b.tls_url(), ledger, "--ca-file", tls.ca)
        assert done.status == 0, done


def test_administrator_signs_in_for_the_account(fast_dir, tls, ledger):
    with Dovecot(fast_dir, tls=tls, master=True) as a, Dovecot(fast_dir, tls=tls) as b:
        done = postferry("copy", "--from", a.tls_url(), "--to", b.tls_url(), "--ledger", ledger, "--ca-file", tls.ca,
                         "--from-admin", "admin", env={"POSTFERRY_FROM_PASSWORD": "master"})
        assert done.status == 0, done


def test_a_client_certificate_signs_in(fast_dir, tls, ledger, tmp_path):
    """EXTERNAL (RFC 4422): the certificate says who it is, and no password is asked for."""
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=tmp_path)

    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=user", "-keyout", "user.key", "-out", "user.csr")
    openssl("x509", "-req", "-in", "user.csr", "-CA", tls.ca, "-CAkey", tls.ca.replace("ca.pem", "ca.key"), "-CAcreateserial",
            "-days", "30", "-out", "user.crt")
    (tmp_path / "user.pem").write_text((tmp_path / "user.crt").read_text() + (tmp_path / "user.key").read_text())
    extra = (f"ssl_ca = <{tls.ca}\nssl_require_crl = no\nssl_verify_client_cert = yes\nauth_ssl_username_from_cert = yes\n"
             "ssl_cert_username_field = commonName\n")
    with Dovecot(fast_dir, tls=tls, mechanisms="external", password=" nopassword=y", extra=extra) as a, \
            Dovecot(fast_dir, tls=tls) as b:
        none = {"POSTFERRY_FROM_PASSWORD": None}
        done = postferry("copy", "--from", a.tls_url(), "--to", b.tls_url(), "--ledger", ledger, "--ca-file", tls.ca,
                         "--from-secret", "none", "--from-cert", tmp_path / "user.pem", env=none)
        assert done.status == 0, done
        done = postferry("copy", "--from", a.tls_url(), "--to", b.tls_url(), "--ledger", ledger, "--ca-file", tls.ca,
                         "--from-secret", "none", env=none)
        assert done.status == 3, done
