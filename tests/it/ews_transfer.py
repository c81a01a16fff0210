"""ExportItems and UploadItems of the stand-in for Exchange (MS-OXWSBTRF): an item as one stream, which is whole or is refused. What
is in it nobody else may know: it is the item with all that it has, in the order of this file's own making."""

import hashlib
import pickle
import struct

from ews_peer import Failure, m, t

MAGIC = b"\x03\x00FTS\x00"


def version_of(peer):
    return struct.pack("<HH", *peer.build[:2])


def stream_of(peer, item):
    """The item's stream: version, digest, content."""
    folder, item.folder = item.folder, None
    try:
        content = pickle.dumps(item)
    finally:
        item.folder = folder
    return MAGIC + version_of(peer) + hashlib.sha256(content).digest() + content


def item_of(peer, stream):
    head = len(MAGIC) + 4
    content = stream[head + 32:]
    if stream[:len(MAGIC)] != MAGIC or hashlib.sha256(content).digest() != stream[head:head + 32]:
        raise Failure("ErrorCorruptData")
    if struct.unpack("<HH", stream[len(MAGIC):head]) > peer.build[:2]:
        raise Failure("ErrorInvalidServerVersionOfStream")  # whatever it is called: it is refused
    return pickle.loads(content)


def renew(peer, item):
    """All that has an id of its own gets one in this mailbox."""
    for a in getattr(item, "attachments", []):
        a.id = peer.fresh()
        peer.attachments[a.id] = a
        if not isinstance(a.content, bytes):
            renew(peer, a.content)
    for _, _, _, one in getattr(item, "occurrences", []):
        one.id = peer.fresh()
        peer.others[one.id] = one
        renew(peer, one)


def export_items(peer, r, op, version):
    def one(ref):
        if ref.tag != t("ItemId"):
            raise Failure("ErrorInvalidIdMalformed")
        item = peer.item_of_id(ref.get("Id"))
        peer.look_at("ExportItems", item)
        return (f'<m:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/><m:Data>'
                f"{peer.base64(stream_of(peer, item))}</m:Data>")
    return peer.each(op.find(m("ItemIds")), one)


def upload_items(peer, r, op, version):
    if len(op.find(m("Items"))) > 20 or len(r.body) > 25 << 20:
        peer.breach("UploadItems of too much", r)

    def one(wish):
        folder = peer.folder_of([wish.find(t("ParentFolderId"))])
        given, action = wish.find(t("ItemId")), wish.get("CreateAction")
        if (given is not None) != (action == "Update") or action not in ("CreateNew", "Update"):
            raise Failure("ErrorInvalidRequest")
        item = item_of(peer, peer.from_base64(wish.findtext(t("Data")) or ""))
        peer.look_at("UploadItems", item)
        if action == "Update":
            take_place(peer, folder, given, item)
        else:
            item.id = peer.fresh()
            peer.moment += 1
            item.made = item.changed = peer.moment
            item.changes = 0
        renew(peer, item)
        item.folder = folder
        folder.items[item.id] = item
        peer.done("UploadItems", item)
        return f'<m:ItemId Id="{item.id}" ChangeKey="CQ{item.changes}="/>'
    return peer.each(op.find(m("Items")), one)


def take_place(peer, folder, given, item):
    """Of an item of that folder: its id stays, all else is what the stream says (and what it had besides, if they are merged)."""
    old = folder.items.get(given.get("Id"))
    if old is None:
        raise Failure("ErrorItemNotFound")
    if given.get("ChangeKey") not in (None, f"CQ{old.changes}="):
        raise Failure("ErrorStaleObject")
    if peer.merges and hasattr(old, "named"):
        item.named = {**old.named, **item.named}
    item.id, item.made, item.changed, item.changes = old.id, old.made, old.changed, old.changes
    peer.touch(item)
