"""Addresses of a directory, resolved by the administrator's export of it: CSV and LDIF."""

import base64
import json
import os

import corpus
import pytest
from run import copy, postferry

PST = os.path.join(corpus.ROOT, "pst", "go-pst", "32-bit.pst")
needs_corpus = pytest.mark.skipif(not os.path.exists(PST), reason="the corpus is not here")


def unresolved(ledger):
    found = {}
    for line in postferry("report", "--ledger", ledger, "--format", "json").out.splitlines():
        found.update({p["address"]: p["unresolved"] for p in json.loads(line)["properties"] if "address" in p})
    return found


def texts(folder):
    return [p.read_bytes().replace(b"\r\n ", b"") for p in folder.rglob("*") if p.is_file()]


def csv(pairs):
    return "LegacyExchangeDN,PrimarySmtpAddress\r\n" + "".join(f'"{a}",{b}\r\n' for a, b in pairs)


def ldif(pairs):
    return "version: 1\n\n" + "".join(
        f"dn: CN=p{n},DC=x\nlegacyExchangeDN: {a[:30]}\n {a[30:]}\nmail:: {base64.b64encode(b.encode()).decode()}\n\n"
        for n, (a, b) in enumerate(pairs))


@needs_corpus
@pytest.mark.parametrize("form", [csv, ldif])
def test_each_is_resolved(form, ledger, tmp_path):
    assert copy(f"pst:{PST}", f"archive:{tmp_path}/before", ledger).status == 0
    known = unresolved(ledger)
    assert known and all(a.startswith("/") and n > 0 for a, n in known.items()), known
    text = postferry("report", "--ledger", ledger).out
    assert f"addresses of a directory that nobody resolved (--address-map): {len(known)}" in text
    assert any(b"IMCEAEX-" in t for t in texts(tmp_path / "before"))
    pairs = [(a.upper() if n % 2 else a, f"person{n}@new.example") for n, a in enumerate(sorted(known))]
    (tmp_path / "map").write_text(form(pairs))
    done = copy(f"pst:{PST}", f"archive:{tmp_path}/after", ledger + "2", "--address-map", tmp_path / "map")
    assert done.status == 0, done
    assert unresolved(ledger + "2") == {}
    after = texts(tmp_path / "after")
    assert not any(b"IMCEAEX-" in t for t in after)
    assert all(any(mail.encode() in t for t in after) for _, mail in pairs)


@needs_corpus
def test_what_is_not_in_it_is_kept_and_counted(ledger, tmp_path):
    (tmp_path / "map").write_text(csv([("/o=Nobody/cn=here", "a@x.example")]))
    done = copy(f"pst:{PST}", f"archive:{tmp_path}/a", ledger, "--address-map", tmp_path / "map")
    assert done.status == 0 and unresolved(ledger), done


@pytest.mark.parametrize("text,says", [
    ("/o=A/cn=b,b@x.example\n/o=A/cn=c,nobody\n", "line 2: its address is none of the Internet's"),
    ("dn: cn=a,o=A\nmail:: ?\n", "line 2: its value is no base64"),
    ("who,what\n", "line 1: it must be a directory address"),
    (None, "No such file"),
])
def test_a_bad_line_is_named(text, says, ledger, tmp_path):
    (tmp_path / "m").mkdir()
    if text is not None:
        (tmp_path / "map").write_text(text)
    done = copy(f"maildir:{tmp_path}/m", f"maildir:{tmp_path}/n", ledger, "--address-map", tmp_path / "map")
    assert done.status == 2 and says in repr(done) and "map" in repr(done), done
    assert not (tmp_path / "n").exists()
