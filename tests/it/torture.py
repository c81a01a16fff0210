"""
A whole IMAP server in memory, independent of peer.py: correct in all it does, and in how it says it as odd as the standards
permit. Revision, extensions, names, forms, order, delays and the cuts between its writes come from a seed. It checks its client
as well, by the formal syntax: what the client does wrong is kept in `violations`.
"""

import base64
import re
import select
import socket
import threading
import time

from torture_say import Say, encode_name, generator, parse_date
from torture_syntax import (AUTH, COMMANDS, NOT_AUTH, SELECTED, UID_MAX, Command, Violation, announced_literal, check_line,
                            mutf7_is_canonical)

SYSTEM = (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")
EXTENSIONS = ("LITERAL+", "LITERAL-", "UIDPLUS", "MULTIAPPEND", "CONDSTORE", "QRESYNC", "ENABLE", "NAMESPACE", "LIST-EXTENDED",
              "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE", "XLIST", "ESEARCH", "ID", "SASL-IR", "BINARY", "UTF8=ACCEPT",
              "APPENDLIMIT=2000000000", "APPENDLIMIT", "STATUS=SIZE", "OBJECTID", "CHILDREN", "IDLE", "MOVE", "UNSELECT", "QUOTA",
              "SORT", "THREAD=REFERENCES", "I18NLEVEL=1", "X-UNKNOWN", "WITHIN", "SAVEDATE", "PREVIEW", "ACL")
BUILT_IN = ("ENABLE", "NAMESPACE", "LIST-EXTENDED", "LIST-STATUS", "UIDPLUS", "LITERAL-", "SASL-IR", "STATUS=SIZE", "UNSELECT",
            "ESEARCH", "IDLE", "MOVE") # in IMAP4rev2 (RFC 9051 appendix E)
NEEDS = {b"NAMESPACE": "NAMESPACE", b"ID": "ID", b"ENABLE": "ENABLE", b"XLIST": "XLIST", b"GETQUOTAROOT": "QUOTA",
         b"UNSELECT": "UNSELECT", b"UID EXPUNGE": "UIDPLUS"}
TOGETHER = (b"UID FETCH", b"STATUS", b"LIST", b"LSUB", b"XLIST", b"NAMESPACE", b"ID", b"GETQUOTAROOT") # order does not matter


class Message:
    def __init__(self, uid, raw, flags, date, modseq):
        self.uid, self.raw, self.flags, self.date, self.modseq = uid, raw, list(flags), date, modseq


class Box:
    def __init__(self, name, segments, rng):
        self.name, self.segments = name, segments
        self.validity = rng.choice((1, rng.randrange(1, UID_MAX), UID_MAX))
        self.next = rng.choice((1, 1, rng.randrange(1, 1 << 31)))
        self.messages, self.attrs, self.use, self.subscribed = [], [], None, rng.random() < 0.5
        self.modseq = rng.choice((1, rng.randrange(1, 1 << 40), rng.randrange(1, (1 << 63) - 5000)))
        self.nomodseq = rng.random() < 0.1
        self.selectable, self.foreign = True, False
        self.unlisted = False                   # only the subscriptions know of it
        self.container = rng.choice((b"\\NonExistent", b"\\Noselect")) # what it is called when it is not selectable

    def add(self, raw, flags, date, uid=None):
        self.modseq += 1
        uid = uid or self.next
        self.next = min(uid + 1, UID_MAX)
        self.messages.append(Message(uid, raw, flags, date, self.modseq))
        return uid


class Server:
    def __init__(self, *seed, source=False, calm=False):
        self.seed, self.source = seed, source
        self.rng = rng = generator(*seed)
        self.wild = 0 if calm else rng.choice((0.1, 0.5, 1))
        self.revision = rng.choice((1, 1, 1, 2, 3)) # 3: both
        self.utf8 = self.revision == 2
        some = rng.random()
        self.extensions = [e for e in EXTENSIONS if rng.random() < some]
        for one, other in (("QRESYNC", "ENABLE"), ("LIST-STATUS", "LIST-EXTENDED"), ("UTF8=ACCEPT", "ENABLE")):
            if one in self.extensions and other not in self.extensions:
                self.extensions.append(other)
        if "APPENDLIMIT" in self.extensions and "APPENDLIMIT=2000000000" in self.extensions:
            self.extensions.remove("APPENDLIMIT")
        rng.shuffle(self.extensions)
        self.plain = rng.random() < 0.5
        self.login_disabled = self.plain and rng.random() < 0.3
        self.caps_in_greeting, self.caps_in_ok = rng.random() < 0.5, rng.choice(("code", "untagged", "nowhere"))
        self.preauth = rng.random() < 0.1
        self.delimiter = rng.choice("///..\\^|") if rng.random() < 0.9 else None
        self.refuses = {c for c in (b"ID", b"LSUB", b"SUBSCRIBE", b"GETQUOTAROOT", b"XLIST") if rng.random() < 0.1 * self.wild}
        self.prefix = b""
        if self.delimiter and self.has("NAMESPACE") and rng.random() < 0.3:
            self.prefix = b"INBOX" + self.delimiter.encode()
        self.any_keyword = rng.random() < 0.7
        self.permanent = [f for f in SYSTEM if rng.random() < 0.9] if rng.random() < 0.3 else list(SYSTEM)
        self.says_permanent = rng.random() < 0.9 or not self.any_keyword or len(self.permanent) < len(SYSTEM)
        self.keywords = []
        self.chunks = rng.choice((0, 0, 1, 7, 100, 1460)) # octets in a write at the most; 0: all at once
        self.dawdles = rng.random() < 0.3
        self.boxes, self.violations, self.counts = {}, [], {}
        self.ghosts = []                        # boxes that are no more, and still subscribed to
        self.cut_after, self.sent = None, 0     # octets after which the connection is cut, once
        self.lock = threading.RLock()
        self.connections = 0
        self.hook = None                        # function (session, command) -> a tagged reply instead, or None
        self.make_box(b"INBOX", ["INBOX"])

    def has(self, extension):
        if extension == "LITERAL-" and "LITERAL+" in self.extensions:
            return True
        if extension == "CONDSTORE" and "QRESYNC" in self.extensions:
            return True
        if extension == "ENABLE" and "UTF8=ONLY" in self.extensions:
            return True
        return extension in self.extensions or (self.revision == 2 and extension in BUILT_IN)

    def capabilities(self, signed_in):
        words = {1: ["IMAP4rev1"], 2: ["IMAP4rev2"], 3: ["IMAP4rev1", "IMAP4rev2"]}[self.revision]
        if signed_in:
            return words + self.extensions
        words += [e for e in ("SASL-IR", "LITERAL+", "LITERAL-", "ID") if e in self.extensions]
        words += ["AUTH=PLAIN"] if self.plain else []
        return words + (["LOGINDISABLED"] if self.login_disabled else [])

    # ---- the account ----

    def make_box(self, name, segments):
        box = Box(name, segments, self.rng)
        self.boxes[name] = box
        return box

    def native(self, segments):
        if segments == ["INBOX"]:
            return b"INBOX"
        names = [encode_name(s, self.utf8) for s in segments]
        prefix = b"" if segments[0] == "INBOX" and self.delimiter and not self.prefix else self.prefix
        return prefix + (self.delimiter or "").encode().join(names)

    def find(self, name):
        return self.boxes.get(b"INBOX" if name.upper() == b"INBOX" else name)

    def create(self, name):
        """A folder that a client makes, and the containers above it."""
        delimiter = (self.delimiter or "\0").encode()
        name = name.rstrip(delimiter) if self.delimiter else name
        box = self.find(name)
        if box and (box.selectable or box.foreign):
            return None
        if box:
            box.selectable = True
            return box
        return self.make_box(name, name.split(delimiter))

    def keep_flags(self, flags):
        """What is kept of the flags that a client wants: permitted ones, new keywords where these are permitted."""
        kept = []
        for flag in flags:
            known = {k.lower(): k for k in self.keywords + list(SYSTEM)}
            if flag.startswith(b"\\"):
                if flag.lower() in [p.lower() for p in self.permanent]:
                    kept.append(known[flag.lower()])
            elif flag.lower() in known:
                kept.append(known[flag.lower()])
            elif self.any_keyword:
                self.keywords.append(flag)
                kept.append(flag)
        return kept

    # ---- its life ----

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.port = self.listener.getsockname()[1]
        self.threads, self.open = [], set()
        self.closing = False
        thread = threading.Thread(target=self.accept, daemon=True)
        thread.start()
        self.threads.append(thread)
        return self

    def __exit__(self, *_):
        self.closing = True
        with self.lock:
            for sock in self.open:
                shut(sock)
        shut(self.listener)
        self.listener.close()
        for thread in self.threads:
            thread.join(20)

    def url(self):
        return f"imap://user@127.0.0.1:{self.port}/"

    def accept(self):
        while not self.closing:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(sock)
                number = self.connections
            thread = threading.Thread(target=self.serve, args=(sock, number), daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, sock, number):
        session = Session(self, sock, number)
        try:
            session.run()
        except Violation as what:
            self.violations.append(f"{'source' if self.source else 'target'}: {what}")
        except OSError:
            pass # the client went away, or was sent away
        finally:
            with self.lock:
                self.open.discard(sock)
            shut(sock)
            sock.close()


def complaints(*servers):
    """What they hold against their client. It is cut off for it, and would come again for long: who runs it should end it."""
    return [v for server in servers for v in server.violations]


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Session:
    def __init__(self, server, sock, number):
        self.server, self.sock, self.number = server, sock, number
        self.rng = generator(*server.seed, "connection", number)
        self.say = Say(self.rng, server.wild, server.utf8, server.revision == 2)
        self.input, self.output = b"", bytearray()
        self.state, self.box, self.view, self.read_only = NOT_AUTH, None, [], True
        self.tags, self.enabled, self.condstore, self.closed = set(), set(), False, False
        self.select_failed, self.signed_in = False, False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # ---- octets ----

    def flush(self):
        server, data = self.server, bytes(self.output)
        self.output.clear()
        if server.dawdles and self.rng.random() < 0.2:
            time.sleep(self.rng.choice((0, 0.001, 0.004)))
        at = 0
        while at < len(data):
            n = len(data) if not server.chunks or at > 6000 else self.rng.randint(1, server.chunks)
            part = data[at:at + n]
            if server.cut_after is not None and server.sent + len(part) > server.cut_after:
                self.sock.sendall(part[:max(0, server.cut_after - server.sent)])
                server.cut_after = None
                raise ConnectionError("cut")
            self.sock.sendall(part)
            with server.lock:
                server.sent += len(part)
            at += n

    def more_input(self):
        self.flush()
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.input += data

    def waiting(self):
        """Whether another whole command lies in the input already: one without literals."""
        end = self.input.find(b"\r\n")
        if end < 0 and select.select([self.sock], [], [], 0)[0]:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self.input += data
            end = self.input.find(b"\r\n")
        return end >= 0 and not announced_literal(self.input[:end])

    def line(self):
        while b"\r\n" not in self.input:
            if b"\n" in self.input:
                raise Violation(f"a bare LF: {self.input[:300]!r}")
            self.more_input()
        line, _, self.input = self.input.partition(b"\r\n")
        check_line(line)
        return line

    def read_command(self):
        """Tag and all octets of a command; None when it was refused at a literal."""
        raw = b""
        while True:
            line = self.line()
            raw += line
            literal = announced_literal(line)
            if not literal:
                return raw
            size, at_once, binary = literal
            if binary and not self.server.has("BINARY") and not (self.utf8_only() and line.find(b" UTF8 (~{") > 0):
                raise Violation(f"a literal8 without BINARY: {line[:200]!r}")
            if at_once and not self.may_send_at_once(size):
                raise Violation(f"a literal of {size} octets that did not wait: {line[:200]!r}")
            if not at_once:
                if self.input:
                    raise Violation(f"more was sent before a literal was asked for: {line[:200]!r}")
                self.continuation()
            raw += b"\r\n"
            while len(self.input) < size:
                self.more_input()
            raw += self.input[:size]
            self.input = self.input[size:]

    def utf8_only(self):
        return "UTF8=ONLY" in self.server.extensions

    def may_send_at_once(self, size):
        caps = self.server.capabilities(self.signed_in)
        minus = "LITERAL-" in caps or "IMAP4rev2" in caps and self.server.revision == 2
        return "LITERAL+" in caps or (minus and size <= 4096)

    def continuation(self):
        if self.rng.random() < 0.3:
            self.unsolicited()
        text = self.rng.choice((b"go on", b"", b"OK", b"[X-GO 1] {5}", b"Ready for literal data"))
        self.output += b"+ " + text + b"\r\n"
        self.flush()

    # ---- the round ----

    def run(self):
        self.greet()
        while not self.closed:
            group = [self.command()]
            while group[-1].name in TOGETHER and len(group) < 12 and self.rng.random() < 0.8 and self.waiting():
                ahead = re.match(rb"\S+ ((?:UID )?[A-Za-z]+)", self.input.partition(b"\r\n")[0])
                if not ahead or ahead.group(1).upper() not in TOGETHER:
                    break
                group.append(self.command())
            self.answer(group)
            if self.rng.random() < 0.7 or not self.waiting():
                self.flush()
        self.flush()

    def greet(self):
        server = self.server
        code = None
        if server.preauth:
            self.state, self.signed_in = AUTH, True
        if server.caps_in_greeting:
            code = self.say.word(b"CAPABILITY") + b" " + self.caps_text()
        self.output += self.say.cond(b"*", b"PREAUTH" if server.preauth else b"OK", code)
        self.flush()

    def caps_text(self):
        words = self.server.capabilities(self.signed_in)
        return b" ".join(self.say.word(w.encode()) for w in words)

    def command(self):
        c = Command(self.read_command(), self.server.utf8, self.server.revision == 2)
        server = self.server
        if c.tag in self.tags:
            raise Violation(f"the tag of {c.raw[:200]!r} has been used before")
        self.tags.add(c.tag)
        with server.lock:
            server.counts[c.name] = server.counts.get(c.name, 0) + 1
        if server.source and c.writes:
            raise Violation(f"the source would be changed by {c.raw[:200]!r}")
        if NEEDS.get(c.name) and not server.has(NEEDS[c.name]):
            raise Violation(f"it was not announced: {c.raw[:200]!r}")
        if self.utf8_only() and self.state != NOT_AUTH and b"UTF8=ACCEPT" not in self.enabled and \
                c.name not in (b"ENABLE", b"CAPABILITY", b"LOGOUT", b"NOOP", b"ID", b"LOGIN", b"AUTHENTICATE"):
            raise Violation(f"UTF8=ACCEPT is not enabled: {c.raw[:200]!r}")
        if c.name == b"LSUB" and server.revision == 2:
            raise Violation("LSUB is not in IMAP4rev2")
        if c.name in (b"LOGIN", b"AUTHENTICATE", b"LOGOUT") and self.input:
            raise Violation(f"more was sent behind {c.name!r}")
        return c

    def answer(self, group):
        """Each command yields untagged responses and a tagged one; those of several go through one another."""
        left = []
        for c in group:
            with self.server.lock:
                if c.states and self.state not in c.states and not (self.select_failed and c.name.startswith(b"UID ")):
                    raise Violation(f"in state {self.state}: {c.raw[:200]!r}")
                if self.box and c.name != b"SELECT" and c.name != b"EXAMINE":
                    self.catch_up()
                reply = self.server.hook(self, c) if self.server.hook else None
                if reply is not None:
                    left.append([reply if isinstance(reply, list) else [self.say.cond(c.tag, *reply)]])
                elif self.state not in c.states:
                    left.append([[self.say.cond(c.tag, b"BAD", None, b"no mailbox is selected")]])
                else:
                    left.append([getattr(self, "do_" + c.name.decode().lower().replace(" ", "_"))(c)])
        while left:
            at = self.rng.randrange(len(left)) if self.rng.random() < 0.5 else 0
            lines = left[at][0]
            if self.say.odds(0.1):
                self.unsolicited()
            self.output += lines.pop(0)
            if not lines:
                left.pop(at)
            if len(self.output) > 65536:
                self.flush()

    def catch_up(self):
        """Tell of what came to the selected mailbox."""
        have = len(self.view)
        known = {m.uid for m in self.view}
        self.view += [m for m in self.box.messages if m.uid not in known]
        if len(self.view) != have:
            self.output += b"* %d %s\r\n" % (len(self.view), self.say.word(b"EXISTS"))

    def unsolicited(self):
        """What may come at any time."""
        say, rng = self.say, self.rng
        kind = rng.randrange(8)
        if kind == 0:
            self.output += say.cond(b"*", b"OK", say.code() if rng.random() < 0.5 else None, b"Still here")
        elif kind == 1:
            self.output += say.cond(b"*", rng.choice((b"NO", b"BAD")), None, b"just a warning")
        elif kind == 2 and self.signed_in:
            self.output += b"* %s %s\r\n" % (say.word(b"CAPABILITY"), self.caps_text())
        elif kind == 3 and self.box and self.server.revision != 2:
            self.output += b"* 0 %s\r\n" % say.word(b"RECENT")
        elif kind == 4 and self.box:
            self.output += b"* %s %s\r\n" % (say.number(len(self.view)), say.word(b"EXISTS"))
        elif kind == 5 and self.box:
            self.output += b"* %s %s\r\n" % (say.word(b"FLAGS"), say.flags(list(SYSTEM) + self.server.keywords))
        elif kind >= 6 and self.view:
            m = rng.choice(self.view)
            items = [(b"FLAGS", self.flags_of(m))]
            if rng.random() < 0.5 or self.enabled:
                items.append((b"UID", b"%d" % m.uid))
            if self.condstore and not self.box.nomodseq:
                items.append((b"MODSEQ", b"(%d)" % m.modseq))
            self.output += self.row(m, items)

    def flags_of(self, m):
        recent = [b"\\Recent"] if self.server.revision != 2 and self.say.odds(0.3) else []
        return self.say.flags(self.say.shuffled(m.flags + recent))

    # ---- commands of any state ----

    def ok(self, c, code=None):
        return self.say.cond(c.tag, b"OK", code)

    def no(self, c, code=None, text=b"not now"):
        return self.say.cond(c.tag, b"NO", code, text)

    def do_capability(self, c):
        return [b"* %s %s\r\n" % (self.say.word(b"CAPABILITY"), self.caps_text()), self.ok(c)]

    def do_noop(self, c):
        return [self.ok(c)]

    def do_logout(self, c):
        self.closed = True
        return [self.say.cond(b"*", b"BYE"), self.ok(c)]

    def do_login(self, c):
        if self.server.login_disabled:
            raise Violation("LOGIN, though LOGINDISABLED")
        return self.sign_in(c, c["user"] == b"user" and c["password"] == b"pass")

    def do_authenticate(self, c):
        if c["mechanism"] != b"PLAIN" or not self.server.plain:
            raise Violation(f"a mechanism that was not offered: {c.raw[:60]!r}")
        if c["initial"] is not None and not self.server.has("SASL-IR"):
            raise Violation("an initial response without SASL-IR")
        message = c["initial"]
        if message is None:
            self.output += b"+ \r\n"
            message = self.line()
        return self.sign_in(c, base64.b64decode(message) in (b"\0user\0pass", b"user\0user\0pass"))

    def sign_in(self, c, good):
        if not good:
            raise Violation(f"not the password: {c.raw!r}")
        self.state, self.signed_in = AUTH, True
        how = self.server.caps_in_ok
        if how == "code":
            return [self.ok(c, self.say.word(b"CAPABILITY") + b" " + self.caps_text())]
        return ([b"* %s %s\r\n" % (self.say.word(b"CAPABILITY"), self.caps_text())] if how == "untagged" else []) + [self.ok(c)]

    def do_enable(self, c):
        for name in c["names"]:
            if name.decode() not in ("CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4REV2") or \
                    name != b"IMAP4REV2" and not self.server.has(name.decode()) and not (name == b"UTF8=ACCEPT" and self.utf8_only()):
                raise Violation(f"ENABLE of what was not announced: {c.raw!r}")
        self.enabled.update(c["names"])
        self.condstore = self.condstore or b"CONDSTORE" in self.enabled or b"QRESYNC" in self.enabled
        return [b"* %s %s\r\n" % (self.say.word(b"ENABLED"), b" ".join(c["names"])), self.ok(c)]

    def do_id(self, c):
        if c.name in self.server.refuses:
            return [self.no(c)]
        fields = [b'("name" "Torture" "version" NIL "x" {3}\r\n"\\()', b"NIL", b'("vendor" "a \\"b\\"")', b"()"]
        return [b"* %s %s\r\n" % (self.say.word(b"ID"), self.rng.choice(fields[:3])), self.ok(c)]

    # ---- mailboxes ----

    def delimiter(self):
        d = self.server.delimiter
        return self.say.word(b"NIL") if d is None else self.say.quoted(d.encode())

    def do_namespace(self, c):
        more = b' "X-PARAM" ("FLAG1" "FLAG2")' if self.say.odds(0.3) else b""
        mine = b"((%s %s%s))" % (self.say.string(self.server.prefix), self.delimiter(), more)
        others = self.say.word(b"NIL")
        if any(b.foreign for b in self.server.boxes.values()):
            others = b"((%s %s))" % (self.say.string(b"~" + self.server.delimiter.encode()), self.delimiter())
        return [b"* %s %s %s %s\r\n" % (self.say.word(b"NAMESPACE"), mine, others, self.say.word(b"NIL")), self.ok(c)]

    def attributes(self, box, options, xlist):
        say, server, attrs = self.say, self.server, list(box.attrs)
        if not box.selectable:
            attrs.append(box.container if server.has("LIST-EXTENDED") else b"\\Noselect")
        below = box.name + (server.delimiter or "\0").encode()
        children = any(n.startswith(below) for n in server.boxes)
        if b"CHILDREN" in options or (server.has("CHILDREN") and self.rng.random() < 0.5):
            attrs.append(b"\\HasChildren" if children else b"\\HasNoChildren")
        if b"SUBSCRIBED" in options and box.subscribed:
            attrs.append(b"\\Subscribed")
        if box in server.ghosts and options:
            attrs.append(b"\\NonExistent")
        if box.use and (xlist or server.has("SPECIAL-USE") or server.revision == 2):
            attrs.append(box.use)
        if xlist and box.name == b"INBOX":
            attrs.append(b"\\Inbox")
        attrs += [b"\\X-Odd/1"] if say.odds(0.1) else []
        attrs += [b"\\Marked" if self.rng.random() < 0.5 else b"\\Unmarked"] if box.selectable and say.odds(0.3) else []
        return b"(" + b" ".join(say.word(a) for a in say.shuffled(attrs)) + b")"

    def list_row(self, word, box, options=(), xlist=False):
        tail = b""
        if self.server.has("LIST-EXTENDED") and word == b"LIST" and self.say.odds(0.05):
            tail = b' ("X-EXTRA" ("a" (b c)))'
        delimiter = self.delimiter()
        if box.name == b"INBOX" and len(self.server.boxes) == 1 and self.say.odds(0.2) and self.server.has("NAMESPACE"):
            delimiter = b"NIL"
        return b"* %s %s %s %s%s\r\n" % (self.say.word(word), self.attributes(box, options, xlist), delimiter,
                                         self.say.mailbox(box.name), tail)

    def matching(self, c):
        if c["pattern"] not in (b"*", b"%", b""):
            raise Violation(f"a pattern that postferry does not need: {c.raw!r}")
        boxes = list(self.server.boxes.values())
        if c.name == b"LSUB" or c.args.get("select"):
            boxes = [b for b in boxes + self.server.ghosts if b.subscribed]
        else:
            boxes = [b for b in boxes if not b.unlisted]
        return self.say.shuffled(boxes) if self.rng.random() < 0.5 else boxes

    def do_list(self, c):
        options = dict(c["return"] or {})
        if c["select"] and (c["select"] != [b"SUBSCRIBED"] or not self.server.has("LIST-EXTENDED")):
            raise Violation(f"a selection that was not announced: {c.raw!r}")
        if c["return"] is not None and not self.server.has("LIST-EXTENDED"):
            raise Violation(f"RETURN without LIST-EXTENDED: {c.raw!r}")
        for option in options:
            needs = {b"SUBSCRIBED": "LIST-EXTENDED", b"CHILDREN": "LIST-EXTENDED", b"SPECIAL-USE": "SPECIAL-USE",
                     b"STATUS": "LIST-STATUS"}.get(option)
            if not needs or not self.server.has(needs):
                raise Violation(f"a RETURN option that was not announced: {c.raw!r}")
        if c["pattern"] == b"":
            return [b"* %s (%s) %s %s\r\n" % (self.say.word(b"LIST"), self.say.word(b"\\Noselect"), self.delimiter(),
                                             self.say.string(b"")), self.ok(c)]
        rows, states = [], []
        if c["select"]:
            options[b"SUBSCRIBED"] = None # implied (RFC 5258 section 3.1)
        for box in self.matching(c):
            row = self.list_row(b"LIST", box, options)
            state = self.status_row(box, options[b"STATUS"]) if b"STATUS" in options and box.selectable else None
            if state and self.say.odds(0.05):
                state = None # what can't be had is left out
            rows.append(row)
            if state:
                (rows if self.rng.random() < 0.5 else states).append(state)
        return rows + states + [self.ok(c)]

    def do_lsub(self, c):
        if c.name in self.server.refuses:
            return [self.no(c)]
        return [self.list_row(b"LSUB", b) for b in self.matching(c)] + [self.ok(c)]

    def do_xlist(self, c):
        if c.name in self.server.refuses:
            return [self.no(c)]
        return [self.list_row(b"XLIST", b, xlist=True) for b in self.matching(c)] + [self.ok(c)]

    def status_row(self, box, items):
        values = {b"MESSAGES": len(box.messages), b"UIDNEXT": box.next, b"UIDVALIDITY": box.validity, b"UNSEEN": 0, b"RECENT": 0,
                  b"APPENDLIMIT": 2_000_000_000, b"HIGHESTMODSEQ": 0 if box.nomodseq else box.modseq, b"SIZE": sum(len(m.raw) for m in box.messages)}
        for item in items:
            if item not in values or (item == b"HIGHESTMODSEQ" and not self.server.has("CONDSTORE")) or \
                    (item == b"SIZE" and not self.server.has("STATUS=SIZE")) or \
                    (item == b"APPENDLIMIT" and not self.server.has("APPENDLIMIT")):
                raise Violation(f"a STATUS item that was not announced: {item!r}")
        self.condstore = self.condstore or b"HIGHESTMODSEQ" in items
        pairs = self.say.shuffled(b"%s %d" % (self.say.word(i), values[i]) for i in items)
        return b"* %s %s (%s)\r\n" % (self.say.word(b"STATUS"), self.say.mailbox(box.name), b" ".join(pairs))

    def do_status(self, c):
        box = self.server.find(c["mailbox"])
        if not box or not box.selectable or self.say.odds(0.02):
            return [self.no(c, self.say.rng.choice((None, b"NONEXISTENT", b"X-WHY")))]
        return [self.status_row(box, c["items"]), self.ok(c)]

    def do_getquotaroot(self, c):
        if c.name in self.server.refuses:
            return [self.no(c)]
        return [b"* %s %s \"\"\r\n" % (self.say.word(b"QUOTAROOT"), self.say.mailbox(b"INBOX")),
                b"* %s %s (%s 10 5000000000 MESSAGE 20 %d)\r\n" % (self.say.word(b"QUOTA"), self.rng.choice((b'""', b"{0}\r\n")),
                                                              self.say.word(b"STORAGE"), (1 << 63) - 1), self.ok(c)]

    def do_create(self, c):
        server, name = self.server, c["mailbox"]
        if not (server.utf8 or mutf7_is_canonical(name)):
            raise Violation(f"a name that is not modified UTF-7: {c.raw!r}")
        if server.utf8:
            try:
                name.decode("utf-8")
            except UnicodeDecodeError:
                raise Violation(f"a name that is not UTF-8: {c.raw!r}") from None
        if c["use"] and not server.has("CREATE-SPECIAL-USE"):
            raise Violation(f"USE without CREATE-SPECIAL-USE: {c.raw!r}")
        if not name or (server.prefix and not name.startswith(server.prefix)):
            return [self.no(c, b"CANNOT", b"not in your namespace")]
        if c["use"] and self.rng.random() < 0.3:
            return [self.no(c, b"USEATTR", b"no such use here")]
        box = server.create(name)
        if not box:
            return [self.no(c, self.rng.choice((b"ALREADYEXISTS", None)), b"Mailbox already exists")]
        box.use = c["use"][0] if c["use"] else None
        box.subscribed = False
        code = b"MAILBOXID (F%d)" % self.rng.randrange(10**9) if server.has("OBJECTID") else None
        return [self.ok(c, code)]

    def do_subscribe(self, c):
        box = self.server.find(c["mailbox"])
        if c.name in self.server.refuses or not box:
            return [self.no(c)]
        box.subscribed = True
        return [self.ok(c)]

    # ---- the selected mailbox ----

    def do_unselect(self, c):
        self.state, self.box, self.view = AUTH, None, []
        return [self.ok(c)]

    def do_select(self, c):
        server, say, box, out = self.server, self.say, self.server.find(c["mailbox"]), []
        if c["params"] not in ([], [b"CONDSTORE"]) or (c["params"] and not server.has("CONDSTORE")):
            raise Violation(f"a parameter that was not announced: {c.raw!r}")
        if self.box and (server.revision == 2 or b"QRESYNC" in self.enabled):
            out.append(say.cond(b"*", b"OK", say.word(b"CLOSED")))
        self.state, self.box, self.view = AUTH, None, []
        self.select_failed = not box or not box.selectable
        if self.select_failed:
            return out + [self.no(c, self.rng.choice((None, b"NONEXISTENT")), b"no such mailbox")]
        self.condstore = self.condstore or b"CONDSTORE" in c["params"]
        self.read_only = c.name == b"EXAMINE"
        self.state, self.box, self.view = SELECTED, box, list(box.messages)
        data = [b"* %s %s\r\n" % (say.number(len(self.view)), say.word(b"EXISTS")),
                b"* %s %s\r\n" % (say.word(b"FLAGS"), say.flags(list(SYSTEM) + server.keywords)),
                say.cond(b"*", b"OK", say.word(b"UIDVALIDITY") + b" %d" % box.validity)]
        if self.rng.random() < 0.9 or server.revision == 2:
            data.append(say.cond(b"*", b"OK", say.word(b"UIDNEXT") + b" %d" % box.next))
        if server.revision != 2:
            data.append(b"* 0 %s\r\n" % say.word(b"RECENT"))
        else:
            data.append(self.list_row(b"LIST", box))
        if server.says_permanent:
            words = [] if self.read_only else server.permanent + server.keywords + ([b"\\*"] if server.any_keyword else [])
            data.append(say.cond(b"*", b"OK", say.word(b"PERMANENTFLAGS") + b" " + say.flags(say.shuffled(words))))
        if server.has("CONDSTORE"):
            data.append(say.cond(b"*", b"OK", say.word(b"NOMODSEQ") if box.nomodseq else
                                 say.word(b"HIGHESTMODSEQ") + b" %d" % box.modseq))
        if server.has("OBJECTID"):
            data.append(say.cond(b"*", b"OK", b"MAILBOXID (M%x)" % box.validity))
        code = say.word(b"READ-ONLY" if self.read_only else b"READ-WRITE")
        return out + say.shuffled(data) + [self.ok(c, code if self.read_only or self.rng.random() < 0.8 else None)]

    do_examine = do_select

    def chosen(self, uid_set):
        top = self.view[-1].uid if self.view else 0
        pairs = []
        for first, last in uid_set:
            a, b = (top if first is None else first), (top if last is None else last)
            pairs.append((min(a, b), max(a, b)))
        return [m for m in self.view if any(a <= m.uid <= b for a, b in pairs)]

    def row(self, m, items):
        pairs = b" ".join(self.say.word(name) + b" " + value for name, value in self.say.shuffled(items))
        return b"* %d %s (%s)\r\n" % (self.view.index(m) + 1, self.say.word(b"FETCH"), pairs)

    def item(self, m, name, section):
        say = self.say
        if name == b"FLAGS":
            return name, self.flags_of(m)
        if name == b"INTERNALDATE":
            return name, say.date(*m.date)
        if name == b"RFC822.SIZE":
            return name, say.number(len(m.raw))
        if name == b"MODSEQ":
            return name, b"(%d)" % m.modseq
        if name == b"BODY.PEEK" and section in (b"", b"HEADER"):
            end = m.raw.find(b"\r\n\r\n")
            part = m.raw if not section else m.raw[:end + 4] if end >= 0 else m.raw
            return b"BODY[%s]" % section, say.body(part)
        raise Violation(f"a data item that postferry does not need: {name!r}")

    def do_uid_fetch(self, c):
        server, say, box = self.server, self.say, self.box
        items, rows, vanished = [i for i in c["items"] if i[0] != b"UID"], [], []
        if any(name in (b"BODY", b"RFC822", b"RFC822.TEXT", b"BINARY") for name, _ in items):
            raise Violation(f"it would set \\Seen: {c.raw[:200]!r}")
        if (b"MODSEQ", None) in items or c["changed_since"]:
            if not server.has("CONDSTORE") or box.nomodseq:
                return [say.cond(c.tag, b"BAD", None, b"no mod-sequences here")]
            self.condstore = True
        if c["vanished"]:
            if b"QRESYNC" not in self.enabled:
                raise Violation(f"VANISHED without QRESYNC: {c.raw[:200]!r}")
            gone = self.gone(c["set"])
            vanished = [b"* %s (%s) %s\r\n" % (say.word(b"VANISHED"), say.word(b"EARLIER"), gone)] if gone else []
        chosen = [m for m in self.chosen(c["set"]) if not c["changed_since"] or m.modseq > c["changed_since"]]
        with server.lock:
            server.counts["bodies"] = server.counts.get("bodies", 0) + sum(len(chosen) for i in items if i[0] == b"BODY.PEEK")
        for m in say.shuffled(chosen) if say.odds(0.1) else chosen:
            rows += self.rows_of(m, items, bool(c["changed_since"]))
        return vanished + rows + [self.ok(c)]

    def gone(self, uid_set):
        """UIDs of the set that no message has, as a set; a server may name ones that never were."""
        have, out = {m.uid for m in self.box.messages}, []
        for first, last in uid_set:
            at = first
            for uid in sorted(u for u in have if first <= u <= (last or self.box.next - 1)) + [(last or self.box.next - 1) + 1]:
                if uid > at:
                    out.append(b"%d:%d" % (at, uid - 1) if uid - 1 > at else b"%d" % at)
                at = uid + 1
        return b",".join(out)

    def rows_of(self, m, items, modseq):
        say = self.say
        have = [self.item(m, name, section) for name, section in items]
        names = [n for n, _ in have]
        if (modseq or (self.condstore and b"FLAGS" in names)) and b"MODSEQ" not in names and not self.box.nomodseq:
            have.append((b"MODSEQ", b"(%d)" % m.modseq))
        if say.odds(0.15) and b"FLAGS" not in names:
            have.append((b"FLAGS", self.flags_of(m)))
        if say.odds(0.05):
            have.append((b"X-SERIAL", say.extension()))
        if say.odds(0.05):
            have.append((b"ENVELOPE", b'(NIL "a (\\"b" NIL NIL NIL NIL NIL NIL {3}\r\n(") NIL)'))
        uid = [(b"UID", b"%d" % m.uid)]
        if len(have) > 1 and say.odds(0.1):
            cut = self.rng.randrange(1, len(have))
            have = say.shuffled(have)
            return [self.row(m, uid + have[:cut]), self.row(m, uid + have[cut:])]
        rows = [self.row(m, uid + have)]
        if say.odds(0.03) and not any(n.startswith(b"BODY[") for n, _ in have):
            rows.append(self.row(m, uid + have))
        return rows

    def do_uid_search(self, c):
        uids = [m.uid for m in self.chosen(c["set"])]
        if self.server.revision == 2: # always ESEARCH
            result = b" ALL " + b",".join(b"%d" % u for u in uids) if uids else b""
            return [b"* %s (%s %s) UID%s\r\n" % (self.say.word(b"ESEARCH"), self.say.word(b"TAG"), self.say.quoted(c.tag), result),
                    self.ok(c)]
        return [b"* %s%s\r\n" % (self.say.word(b"SEARCH"), b"".join(b" %d" % u for u in self.say.shuffled(uids))), self.ok(c)]

    def do_uid_store(self, c):
        if self.read_only:
            return [self.no(c, b"READ-ONLY")]
        kept = self.server.keep_flags(c["flags"])
        rows = []
        for m in self.chosen(c["set"]):
            low = [f.lower() for f in c["flags"]]
            rest = [f for f in m.flags if f.lower() not in low]
            m.flags = rest if c["how"].startswith(b"-") else rest + kept
            self.box.modseq += 1
            m.modseq = self.box.modseq
            items = [(b"UID", b"%d" % m.uid)]
            if self.condstore and not self.box.nomodseq:
                items.append((b"MODSEQ", b"(%d)" % m.modseq))
            if not c["how"].endswith(b".SILENT") or self.rng.random() < 0.2:
                items.append((b"FLAGS", self.flags_of(m)))
            rows += [self.row(m, items)] if len(items) > 1 else []
        return rows + [self.ok(c)]

    def do_uid_expunge(self, c):
        raise Violation(f"something would be removed: {c.raw[:200]!r}")

    def do_append(self, c):
        server, box = self.server, self.server.find(c["mailbox"])
        if len(c["items"]) > 1 and not server.has("MULTIAPPEND"):
            raise Violation(f"several messages without MULTIAPPEND: {c.raw[:200]!r}")
        if not box or not box.selectable:
            return [self.no(c, b"TRYCREATE", b"no such mailbox")]
        uids = []
        for flags, date, raw in c["items"]:
            when = parse_date(date) if date else (int(time.time()), 0)
            uids.append(box.add(raw, server.keep_flags(flags), when))
        out = []
        if self.box is box and self.rng.random() < 0.7:
            self.catch_up()
        code = None
        if server.has("UIDPLUS"):
            code = self.say.word(b"APPENDUID") + b" %d %s" % (box.validity, self.uid_text(uids))
        return out + [self.ok(c, code)]

    def uid_text(self, uids):
        """In the order of the messages; runs as ranges, or not."""
        if len(uids) > 1 and self.rng.random() < 0.7 and uids == list(range(uids[0], uids[0] + len(uids))):
            if self.say.odds(0.3):
                return b"%d:%d" % (uids[-1], uids[0]) # a range means the same either way
            return b"%d:%d" % (uids[0], uids[-1])
        return b",".join(b"%d" % u for u in uids)


assert all(hasattr(Session, "do_" + name.decode().lower().replace(" ", "_")) for name in COMMANDS)
