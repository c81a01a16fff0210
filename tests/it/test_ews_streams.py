"""Items as Exchange itself moves them (ExportItems, UploadItems): kept beside what is copied, and from one Exchange to another."""

import functools

import mail
import pytest
from ews_items import Whole, put, single
from ews_peer import EwsPeer, Failure
from ews_transfer import stream_of
from mapi_dump import built, dump
from run import copy
from test_ews_kinds import series
from test_keep_raw import kept

message = functools.lru_cache(maxsize=None)(mail.message)


@pytest.fixture
def peer():
    with EwsPeer() as p:
        yield p
        assert p.breaches == [] and p.sent == []


def fill(peer):
    """A message, a meeting, a series, a contact."""
    inbox, calendar = peer.known["inbox"], peer.known["calendar"]
    peer.deliver(inbox, message(1), read=True, categories=["Red"])
    put(peer, calendar, single(peer, "lunch", "20240105T120000", "20240105T130000", "Lunch"))
    put(peer, calendar, series(peer))
    put(peer, peer.known["contacts"], Whole(peer, "IPM.Contact", "Ann").tag(0x3001, "String", "Ann"))


# ---- --keep-raw ----

def test_each_is_kept_as_its_stream(peer, ledger, tmp_path):
    fill(peer)
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and done.outcome["copied"] == 4, done
    files = kept(tmp_path / "raw")
    assert all(p.suffix == ".fts" for p in files)
    assert sorted(p.read_bytes() for p in files) == sorted(stream_of(peer, i) for i in peer.all())
    before = {p: p.read_bytes() for p in files}
    for p in files:
        p.unlink()
    again = copy(peer.url(), f"archive:{tmp_path}/all", ledger + "2", "--keep-raw", tmp_path / "raw")
    assert again.status == 0 and again.outcome["copied_now"] == 0, again
    assert {p: p.read_bytes() for p in kept(tmp_path / "raw")} == before


def test_nothing_is_exported_that_nobody_asked_for(peer, ledger, tmp_path):
    fill(peer)
    assert copy(peer.url(), f"archive:{tmp_path}/all", ledger).status == 0
    assert peer.count("ExportItems") == 0


@pytest.mark.skipif(not built(), reason="dump-mapi is not built")
def test_what_is_kept_of_an_exchange_without_streams(peer, ledger, tmp_path):
    """All properties that were asked for; of mail nothing, as it is given just as the server has it for mail."""
    peer.newest, peer.build = "Exchange2010", (14, 0, 639)
    fill(peer)
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and done.outcome["copied"] == 4 and peer.count("ExportItems") == 0, done
    items = [dump("tnef", str(p)) for p in kept(tmp_path / "raw")]
    assert sorted(i["item"]["class"] for i in items) == ["IPM.Appointment", "IPM.Appointment", "IPM.Contact"]
    assert sorted(i["item"]["props"]["0x0037"] for i in items if "Appointment" in i["item"]["class"]) == ["Lunch", "Stand-up"]


@pytest.mark.parametrize("code", ["ErrorItemCorrupt", "ErrorInternalServerError", "ErrorAccessDenied"])
def test_what_can_t_be_exported_comes_all_the_same(peer, ledger, tmp_path, code):
    """One refusal among others costs nothing but its own stream, and the item says so."""
    fill(peer)
    peer.deliver(peer.known["inbox"], message(2), read=True)

    def refuse(operation, item):
        if operation == "ExportItems" and (item.mime == message(2) or getattr(item, "subject", "") == "Lunch"):
            raise Failure(code)

    peer.on_item = refuse
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and done.outcome["copied"] == 5, done
    assert sorted(p.suffix for p in kept(tmp_path / "raw")) == [".fts"] * 3 + [".tnef"]
    notes = [e for e in done.events if e.get("number") == 12022 and "without its stream" in e["text"] and code in e["text"]]
    assert len(notes) == 2, done


def test_exports_are_asked_for_again_when_the_server_is_busy(peer, ledger, tmp_path):
    fill(peer)
    turns = []

    def busy(operation, item):
        if operation == "ExportItems" and len(turns) < 3:
            turns.append(item)
            raise Failure("ErrorServerBusy", 10)

    peer.on_item = busy
    done = copy(peer.url(), f"archive:{tmp_path}/all", ledger, "--keep-raw", tmp_path / "raw")
    assert done.status == 0 and len(turns) == 3, done
    assert [p.suffix for p in kept(tmp_path / "raw")] == [".fts"] * 4
