"""Messages: FETCH, STORE, APPEND."""

import re
import socket
import struct
import time
import zlib

from peer.parts import envelope, section, structure

STUB = (b"From: \"Microsoft Exchange Server 2010\" <x@y>\r\nSubject: Retrieval using the IMAP4 protocol failed for the "
        b"following message: 7\r\n\r\nThe server couldn't retrieve the following message:\r\n")


def numbers(text, top):
    out = []
    for part in text.split(","):
        a, _, b = part.partition(":")
        a = top if a == "*" else int(a)
        b = a if not b else (top if b == "*" else int(b))
        out.extend(range(min(a, b), max(a, b) + 1))
    return out


class Messages:
    def do_uid_fetch(self, args):
        p = self.peer
        what, _, items = args.partition(" ")
        if not self.box:
            return "BAD no mailbox"
        uids = [u for u in numbers(what, max(self.box.items, default=0)) if u in self.box.items]
        order = {uid: n for n, uid in enumerate(sorted(self.box.items), 1)}
        part = re.search(r"BODY(?:\.PEEK)?\[([^\]]*)\]", items)
        if part:
            return self.fetch_bodies(uids, order, part.group(1))
        if "BODYSTRUCTURE" in items or "ENVELOPE" in items:
            for uid in uids:
                raw = self.box.items[uid][0]
                if uid in p.hide_row and p.faulty(uid, None):
                    continue
                said = f"BODYSTRUCTURE {structure(raw)}" if "BODYSTRUCTURE" in items else f"ENVELOPE {envelope(raw)}"
                self.send(f"* {order[uid]} FETCH (UID {uid} {said})")
            return "OK fetched"
        for uid in uids[:p.list_rows]:
            raw, flags, date = self.box.items[uid]
            size = p.size(uid, raw) if p.size else len(raw)
            size = "" if size is None else f" RFC822.SIZE {size}"
            date = "" if date is None else f' INTERNALDATE "{date}"'
            labels = ""
            if "X-GM-LABELS" in items:
                name = next(n for n, box in p.boxes.items() if box is self.box)
                labels = f" X-GM-MSGID {1278455344230334865 + zlib.crc32(raw)}" if "X-GM-MSGID" in items else ""
                labels += " X-GM-LABELS (" + " ".join(p.labels(name, raw)) + ")"
            self.send(f'* {order[uid]} FETCH (UID {uid} FLAGS ({" ".join(flags)}){date}{size}{labels})')
        if p.list_end == "cut":
            raise ConnectionError
        return p.list_end or "OK fetched"

    def fetch_bodies(self, uids, order, name):
        p = self.peer
        p.fetches += 1
        reply = p.fetch_no and any(p.faulty(uid, name) for uid in uids) and p.fetch_no(uids, p.fetches)
        if reply:
            return reply
        for uid in uids:
            p.rows += 1
            self.body_row(uid, order[uid], name, p.faulty(uid, name))
        return "OK fetched"

    def body_row(self, uid, seq, name, faulty):
        p = self.peer
        row = f"* {seq} FETCH (UID {uid}"
        raw = self.box.items[uid][0]
        if faulty:
            if uid in p.hide_row:
                return
            for uids, rest in ((p.no_body, " FLAGS (\\Seen))"), (p.other_section, " BODY[X] {0}\r\n)"),
                               (p.nil_body, f" BODY[{name}] NIL)"), (p.empty_body, f' BODY[{name}] "")')):
                if uid in uids:
                    self.send(row + rest)
                    return
            if uid in p.stub:
                raw = STUB
        raw = section(raw, name)
        if uid in p.cut_at and faulty:
            self.send(f"{row} BODY[{name}] {{{len(raw)}}}".encode() + b"\r\n" + raw[:len(raw) // 2])
            self.done = True
            self.w.flush()
            raise ConnectionError
        self.send(f"{row} BODY[{name}] {{{len(raw)}}}".encode() + b"\r\n" + raw + b")\r\n")

    def do_uid_store(self, args):
        what, how, rest = args.split(" ", 2)
        words = re.search(r"\((.*)\)", rest).group(1).split()
        for uid in numbers(what, self.box.next):
            if uid in self.box.items:
                flags = self.box.items[uid][1]
                for word in words:
                    if how.startswith("-"):
                        flags[:] = [f for f in flags if f.lower() != word.lower()]
                    elif word not in flags:
                        flags.append(word)
        return "OK"

    def do_append(self, args):
        p = self.peer
        name, args = self.split_name(args)
        box = p.boxes.get(name)
        if not box:
            return "NO [TRYCREATE] none"
        flags = re.search(r" \(([^)]*)\)", args).group(1).split()
        date = re.search(r'\) "([^"]*)"', args)
        date = date.group(1) if date else "01-Jan-2030 00:00:00 +0000"
        raw = self.literals[-1]
        with p.lock:
            p.appends += 1
            n = p.appends
        reply = p.append_reply(n, raw, flags) if p.append_reply else "store"
        stores = reply in ("store", "store-hang", "store-cut", "store-late", "store-reset")
        if stores:
            raw = p.rewrite(raw) if p.rewrite else raw
            flags = p.store_flags(flags) if p.store_flags else flags
            date = p.store_date(date) if p.store_date else date
            uid = box.add(raw, flags, date)
        if reply == "store-late":
            time.sleep(p.late)
        if reply in ("store", "store-late"):
            told = p.append_uid(box.validity, uid) if p.append_uid else (box.validity, uid)
            return f"OK [APPENDUID {told[0]} {told[1]}] stored" if "UIDPLUS" in p.caps else "OK stored"
        if reply == "store-reset": # closing throws away what is unread or unsent, and the other side gets a RST
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply in ("store-cut", "store-reset", "cut"):
            self.done = True
            raise ConnectionError
        if reply == "store-hang":
            time.sleep(100)
            raise ConnectionError
        self.reply(self.tag, reply)
        return None

    def do_uid_copy(self, args):
        p = self.peer
        uid, _, name = args.partition(" ")
        name = self.split_name(name)[0]
        box, item = p.boxes.get(name), self.box.items.get(int(uid))
        with p.lock:
            p.copies += 1
            n = p.copies
        if not box:
            return "NO [TRYCREATE] none"
        reply = p.copy_reply(n, name) if p.copy_reply else "copy"
        if reply == "lose" or not item:
            return "OK nothing to be copied"
        if not reply.startswith("copy"):
            return reply
        made = box.add(item[0], list(item[1]), p.copy_date(item[2]) if p.copy_date else item[2])
        if reply == "copy-cut":
            self.done = True
            raise ConnectionError
        return "OK copied" if reply == "copy-untold" else f"OK [COPYUID {box.validity} {uid} {made}] copied"

    def do_uid_expunge(self, args):
        for uid in numbers(args, self.box.next):
            if "\\Deleted" in self.box.items.get(uid, (0, ()))[1]:
                del self.box.items[uid]
        return "OK"
