"""--keep-raw: items that are converted are kept beside it as the source has them."""

import collections
import os
import shutil
import struct

import corpus
import pytest
import tnef_items as tnef
from mail import Account, message
from mapi_dump import built, dump
from run import copy, postferry
from servers.dovecot import Dovecot

PST = os.path.join(corpus.ROOT, "pst", "aspose-examples", "Outlook.pst")
MSG = [path for _, path in corpus.files("msg") if path.endswith(".msg")][::6]
needs_corpus = pytest.mark.skipif(not MSG or not built(), reason="the corpus is not here, or dump-mapi is not built")


def kept(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


@needs_corpus
def test_of_pst(ledger, tmp_path):
    """Each is a TNEF stream with its class and subject; the same after a run that has no ledger."""
    done = copy(f"pst:{PST}", f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0, done
    files = kept(tmp_path / "raw")
    assert len(files) == 16 and all(p.suffix == ".tnef" for p in files)
    items = [dump("tnef", str(p)) for p in files]
    assert all(not i["notes"] for i in items)
    assert collections.Counter(i["item"]["class"].split(".")[1] for i in items) == {"Note": 14, "Appointment": 1, "Contact": 1}
    assert any("Saqib Razzaq" in i["item"]["props"].get("0x3001", "") for i in items)
    before = {p: p.read_bytes() for p in files}
    shutil.rmtree(tmp_path / "raw")
    again = copy(f"pst:{PST}", f"archive:{tmp_path}/all", ledger + "2", "--keep-raw", tmp_path / "raw")
    assert again.status == 0 and again.outcome["copied_now"] == 0
    assert {p: p.read_bytes() for p in kept(tmp_path / "raw")} == before


@needs_corpus
def test_of_msg_files(ledger, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for path in MSG:
        shutil.copy(path, tree)
    assert copy(f"msg:{tree}", f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw").status == 0
    assert sorted(p.read_bytes() for p in kept(tmp_path / "raw")) == sorted(corpus.read(p) for p in MSG)


def test_of_messages(fast_dir, ledger, tmp_path):
    """Of a message that is converted its TNEF; of one that is not, nothing."""
    lunch, letter = tnef.appointment("Lunch", (2004, 3, 5, 12, 0), 60), tnef.tnef("IPM.Note", tnef.subject("Hi"))
    with Dovecot(fast_dir) as source:
        account = Account(source)
        account.create("Calendar")
        account.append("Calendar", tnef.message("Lunch", lunch))
        account.append("INBOX", tnef.message("Hi", letter, 2))
        account.append("INBOX", message(3))
        account.close()
        line = ["--from", source.url(), "--to", f"ics:{tmp_path}/c", "--to", f"maildir:{tmp_path}/m", "--allow-plaintext", "--json",
                "--keep-raw", tmp_path / "raw", "--ledger"]
        done = postferry("copy", *line, ledger)
        assert done.status == 0, done
        assert [p.read_bytes() for p in kept(tmp_path / "raw")] == [lunch]
        shutil.rmtree(tmp_path / "raw")
        shutil.rmtree(tmp_path / "m")
        assert postferry("copy", *line, ledger + "2", "--unwrap-tnef").status == 0
        assert sorted(p.read_bytes() for p in kept(tmp_path / "raw")) == sorted([lunch, letter])


@needs_corpus
def test_where_it_can_t_be_kept_nothing_is_copied_without(ledger, tmp_path):
    (tmp_path / "raw").write_text("a file, and no directory")
    done = copy(f"pst:{PST}", f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status not in (0, 1) and "raw" in repr(done), done
    assert struct.calcsize("B") and not list((tmp_path / "all").rglob("*.ics"))
