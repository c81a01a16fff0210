"""A scripted IMAP server: an account in memory, and everything that real servers are known to get wrong, on request."""

import re
import socketserver
import threading

from peer.box import Box
from peer.session import Session

__all__ = ["Box", "Peer"]


class Peer:
    """Faults are attributes; each defaults to what a decent server does."""

    caps = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE"
    caps_before = None      # what CAPABILITY says before the sign-in, if that differs
    prefix = ""             # of the personal namespace; names of boxes are whole
    at_literal = None       # function (session, command, size) -> the same, before a literal is read
    sign_in = None          # function (mechanism, user, secret) -> reply line; or (challenge, reply line); None: OK
    tls = None              # ssl.SSLContext: for STARTTLS, or of the port when tls_at_once
    tls_at_once = False
    in_clear = b""          # behind the OK to STARTTLS, in the same packet
    append_limit = None     # what STATUS says of APPENDLIMIT
    hang_up_over = None     # connections over this number are closed without a word
    greeting = "* OK peer ready"
    server_id = "peer"      # its name in the answer to ID
    subscribed_only = ()    # folders that only LSUB knows
    unlisted = ()           # folders that neither knows, and that are there
    raw_list = ()           # lines that LIST answers instead of its own
    extended = "BAD"        # what LIST with RETURN gives: "BAD", "empty" or "yes"
    attributes = staticmethod(lambda name: "")
    delimiter = "/"
    before = None           # function (session, word, args) -> a reply in place of the usual one, lines of which a last
                            # None hangs up, "cut", or None
    hide_row = ()           # UIDs that FETCH never returns
    no_body = ()            # UIDs whose row has no body
    other_section = ()      # UIDs whose row has an empty header in place of the body
    nil_body = ()           # UIDs whose body is NIL
    empty_body = ()         # UIDs whose body is ""
    stub = ()               # UIDs for which a stand-in text comes
    cut_at = ()             # UIDs at whose body the connection is cut
    faulty = staticmethod(lambda uid, section: True) # whether these faults are at this section ("" the whole, "HEADER",
                            # "TEXT", "1.2", ...; None: BODYSTRUCTURE, ENVELOPE)
    size = None             # function (uid, raw) -> what RFC822.SIZE says; None: nothing
    fetch_no = None         # function (uids, attempt) -> reply line or None
    append_reply = None     # function (n, raw, flags) -> "store", "store-hang", "-late", "-cut", "-reset", "cut", or a reply
    late = 3                # seconds that "store-late" takes
    rewrite = None          # function (raw) -> what is stored
    store_flags = None      # function (flags) -> what is stored
    labels = None           # function (folder, raw) -> what X-GM-LABELS tells of the message there
    copy_reply = None       # function (n, name) -> "copy", "copy-untold", "copy-cut", "lose", or a reply
    copy_date = None        # function (date) -> what a copy has
    quota = ()              # what GETQUOTAROOT tells: (root, KiB used, KiB at most), ...
    store_date = None       # function (date) -> what is stored
    append_uid = None       # function (uidvalidity, uid) -> those that APPENDUID tells
    permanent = "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*"
    create_reply = None     # function (name) -> reply line or None
    list_rows = None        # rows of a listing that are given at most
    list_end = None         # what ends a listing: a reply, or "cut"
    exists_more = 0         # EXISTS says so many more than there are
    noise = b""             # before each tagged reply
    bye_at_login = None
    after_login = None      # reply to every command after LOGIN
    max_connections = 100
    mute = False            # accepts and never says a word

    def __init__(self, **faults):
        for key, value in faults.items():
            assert hasattr(type(self), key), key
            setattr(self, key, value)
        self.boxes = {"INBOX": Box()}
        self.subscribed = set()
        self.at_once = []  # whether each literal of an APPEND came unasked
        self.copies = 0
        self.log, self.appends, self.fetches, self.rows, self.connections, self.most, self.logins = [], 0, 0, 0, 0, 0, 0
        self.lock = threading.Lock()
        peer = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def setup(self):
                if peer.tls_at_once:
                    self.request = peer.tls.wrap_socket(self.request, server_side=True)
                super().setup()

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

    def url(self, user="user"):
        scheme = "imaps" if self.tls_at_once else "imap"
        return f"{scheme}://{user}@{'localhost' if self.tls else '127.0.0.1'}:{self.port}/"

    def commands(self, name):
        return [c for c in self.log if re.match(rf"(UID )?{name}\b", c, re.I)]
