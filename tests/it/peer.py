"""A scripted IMAP server: an account in memory, and everything that real servers are known to get wrong, on request."""

import re
import socketserver
import threading
import time


class Box:
    def __init__(self, validity=1):
        self.validity, self.next, self.items = validity, 1, {}

    def add(self, raw, flags=(), date="01-Jan-2020 00:00:00 +0000"):
        uid = self.next
        self.next += 1
        self.items[uid] = [raw, [f for f in flags if f], date]
        return uid


class Peer:
    """Faults are attributes; each defaults to what a decent server does."""

    caps = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE"
    greeting = "* OK peer ready"
    subscribed_only = ()    # folders that only LSUB knows
    raw_list = ()           # lines that LIST answers instead of its own
    hide_row = ()           # UIDs that FETCH never returns
    nil_body = ()           # UIDs whose body is NIL
    empty_body = ()         # UIDs whose body is ""
    stub = ()               # UIDs for which a stand-in text comes
    cut_at = ()             # UIDs at whose body the connection is cut
    size = None             # function (uid, raw) -> what RFC822.SIZE says
    fetch_no = None         # function (uids, attempt) -> reply line or None
    append_reply = None     # function (n, raw) -> "store", or a reply line; ("hang"|"cut", store first?)
    rewrite = None          # function (raw) -> what is stored
    store_flags = None      # function (flags) -> what is stored
    store_date = None       # function (date) -> what is stored
    permanent = "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*"
    create_reply = None     # function (name) -> reply line or None
    list_rows = None        # rows of a listing that are given at most
    exists_more = 0         # EXISTS says so many more than there are
    noise = b""             # before each tagged reply
    bye_at_login = None
    after_login = None      # reply to every command after LOGIN
    max_connections = 100
    mute = False            # accepts and never says a word
    tls_junk = None

    def __init__(self, **faults):
        for key, value in faults.items():
            assert hasattr(type(self), key), key
            setattr(self, key, value)
        self.boxes = {"INBOX": Box()}
        self.log, self.appends, self.fetches, self.connections, self.logins = [], 0, 0, 0, 0
        self.lock = threading.Lock()
        peer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                Session(peer, self).run()

        class Threaded(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass # a client that hung up

        self.server = Threaded(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def url(self):
        return f"imap://user@127.0.0.1:{self.port}/"

    def commands(self, name):
        return [c for c in self.log if re.match(rf"(UID )?{name}\b", c, re.I)]


def numbers(text, top):
    out = []
    for part in text.split(","):
        a, _, b = part.partition(":")
        a = top if a == "*" else int(a)
        b = a if not b else (top if b == "*" else int(b))
        out.extend(range(min(a, b), max(a, b) + 1))
    return out


class Session:
    def __init__(self, peer, handler):
        self.peer, self.r, self.w = peer, handler.rfile, handler.wfile
        self.box, self.name, self.done = None, None, False

    def send(self, data):
        self.w.write(data if isinstance(data, bytes) else data.encode() + b"\r\n")
        self.w.flush()

    def run(self):
        p = self.peer
        with p.lock:
            p.connections += 1
        if p.mute:
            time.sleep(120)
            return
        self.send(p.greeting)
        while not self.done:
            line = self.line()
            if line is None:
                break
            tag, _, rest = line.partition(b" ")
            self.command(tag.decode(), rest)
        with p.lock:
            p.connections -= 1

    def line(self):
        """A command with its literals put in place."""
        out = b""
        while True:
            part = self.r.readline()
            if not part:
                return None
            m = re.search(rb"\{(\d+)(\+?)\}\r\n$", part)
            if not m:
                return out + part.rstrip(b"\r\n")
            if not m.group(2):
                self.send("+ go")
            self.literal = self.r.read(int(m.group(1)))
            out += part[:m.start()] + b"\0" + str(len(self.literal)).encode() + b"\0"
            self.literals = getattr(self, "literals", []) + [self.literal]

    def name_of(self, text):
        text = text.strip()
        if text.startswith('"'):
            return re.sub(r"\\(.)", r"\1", re.match(r'"((?:\\.|[^"\\])*)"', text).group(1))
        return text.split(" ")[0]

    def command(self, tag, rest):
        p = self.peer
        text = rest.decode("latin-1")
        with p.lock:
            p.log.append(text)
        word = text.split(" ")[0].upper()
        if word == "UID":
            word = "UID_" + text.split(" ")[1].upper()
            text = text.split(" ", 1)[1]
        args = text.split(" ", 1)[1] if " " in text else ""
        if p.after_login and word not in ("LOGIN", "CAPABILITY", "LOGOUT"):
            return self.send(f"{tag} {p.after_login}")
        method = getattr(self, "do_" + word.lower(), None)
        if not method:
            return self.send(f"{tag} BAD unknown command")
        self.tag = tag
        reply = method(args)
        self.literals = []
        if reply:
            if p.noise:
                self.send(p.noise)
            self.send(f"{tag} {reply}")
        return None

    def do_capability(self, _):
        self.send("* CAPABILITY " + self.peer.caps)
        return "OK done"

    def do_login(self, _):
        p = self.peer
        with p.lock:
            p.logins += 1
        if p.connections > p.max_connections:
            self.done = True
            return "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)"
        if p.bye_at_login:
            self.send(p.bye_at_login)
            self.done = True
            return None
        return "OK in"

    def do_noop(self, _):
        return "OK"

    def do_namespace(self, _):
        self.send('* NAMESPACE (("" "/")) NIL NIL')
        return "OK"

    def do_list(self, args):
        if "RETURN" in args:
            return "BAD no such thing"
        for line in self.peer.raw_list:
            self.send(line)
        if not self.peer.raw_list:
            for name in self.peer.boxes:
                if name not in self.peer.subscribed_only:
                    self.send(f'* LIST () "/" "{name}"')
        return "OK"

    def do_lsub(self, _):
        for name in self.peer.subscribed_only:
            self.send(f'* LSUB () "/" "{name}"')
        return "OK"

    def do_status(self, args):
        name = self.name_of(args)
        box = self.peer.boxes.get(name)
        if not box:
            return "NO none"
        self.send(f'* STATUS "{name}" (MESSAGES {len(box.items)} UIDNEXT {box.next} UIDVALIDITY {box.validity})')
        return "OK"

    def do_create(self, args):
        name = self.name_of(args)
        reply = self.peer.create_reply and self.peer.create_reply(name)
        if reply:
            return reply
        if name in self.peer.boxes:
            return "NO [ALREADYEXISTS] it exists"
        self.peer.boxes[name] = Box()
        return "OK"

    def do_subscribe(self, _):
        return "OK"

    def do_select(self, args):
        self.name = self.name_of(args)
        self.box = self.peer.boxes.get(self.name)
        if not self.box:
            return "NO [NONEXISTENT] none"
        self.send(f"* {len(self.box.items) + self.peer.exists_more} EXISTS")
        self.send(f"* OK [UIDVALIDITY {self.box.validity}] v")
        self.send(f"* OK [UIDNEXT {self.box.next}] n")
        if self.peer.permanent is not None:
            self.send(f"* OK [PERMANENTFLAGS ({self.peer.permanent})] f")
        return "OK [READ-WRITE] selected"

    do_examine = do_select

    def do_uid_fetch(self, args):
        p = self.peer
        what, _, items = args.partition(" ")
        if not self.box:
            return "BAD no mailbox"
        uids = [u for u in numbers(what, max(self.box.items, default=0)) if u in self.box.items]
        body = "BODY" in items
        p.fetches += body
        if body and p.fetch_no:
            reply = p.fetch_no(uids, p.fetches)
            if reply:
                return reply
        order = sorted(self.box.items)
        for n, uid in enumerate(uids):
            raw, flags, date = self.box.items[uid]
            seq = order.index(uid) + 1
            if not body:
                if p.list_rows is not None and n >= p.list_rows:
                    break
                size = p.size(uid, raw) if p.size else len(raw)
                self.send(f'* {seq} FETCH (UID {uid} FLAGS ({" ".join(flags)}) INTERNALDATE "{date}" RFC822.SIZE {size})')
                continue
            if uid in p.hide_row:
                continue
            if uid in p.nil_body:
                self.send(f"* {seq} FETCH (UID {uid} BODY[] NIL)")
                continue
            if uid in p.empty_body:
                self.send(f'* {seq} FETCH (UID {uid} BODY[] "")')
                continue
            if uid in p.stub:
                raw = (b"From: \"Microsoft Exchange Server 2010\" <x@y>\r\nSubject: Retrieval using the IMAP4 protocol failed "
                       b"for the following message: 7\r\n\r\nThe server couldn't retrieve the following message:\r\n")
            if uid in p.cut_at:
                self.send(f"* {seq} FETCH (UID {uid} BODY[] {{{len(raw)}}}".encode() + b"\r\n" + raw[:len(raw) // 2])
                self.done = True
                self.w.flush()
                raise ConnectionError
            self.send(f"* {seq} FETCH (UID {uid} BODY[] {{{len(raw)}}}".encode() + b"\r\n" + raw + b")\r\n")
        return "OK fetched"

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
        box = p.boxes.get(self.name_of(args))
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
        stores = reply in ("store", "store-hang", "store-cut")
        if stores:
            raw = p.rewrite(raw) if p.rewrite else raw
            flags = p.store_flags(flags) if p.store_flags else flags
            date = p.store_date(date) if p.store_date else date
            uid = box.add(raw, flags, date)
        if reply == "store":
            return f"OK [APPENDUID {box.validity} {uid}] stored" if "UIDPLUS" in p.caps else "OK stored"
        if reply in ("store-cut", "cut"):
            self.done = True
            raise ConnectionError
        if reply == "store-hang":
            time.sleep(100)
            raise ConnectionError
        if isinstance(reply, tuple):
            for line in reply[:-1]:
                self.send(line)
            reply = reply[-1]
            if reply is None:
                self.done = True
                return None
        return reply

    def do_logout(self, _):
        self.send("* BYE bye")
        self.done = True
        return "OK"
