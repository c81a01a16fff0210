"""What strict servers over HTTP have in common: many requests at once, late answers, cut links, a list of breaches."""

import email.utils
import http.server
import socket
import ssl
import struct
import threading
import time
import urllib.parse


class Answer(Exception):
    """Given in place of what would follow."""

    def __init__(self, status, body="", kind="application/xml; charset=utf-8", **headers):
        super().__init__(status)
        self.status, self.body, self.kind = status, body, kind
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Hang(Exception):
    """The link is cut without an answer."""


class Request:
    def __init__(self, h, body):
        self.method, self.headers, self.body, self.xml = h.command, h.headers, body, None
        self.raw = h.path
        self.path = urllib.parse.unquote(urllib.parse.urlsplit(h.path).path)
        self.connection = h


class HttpPeer:
    """Settings are attributes, to be changed by tests before or while it runs."""

    def __init__(self, methods, tls=None):
        self.log, self.breaches, self.sent = [], [], []
        self.before = []  # functions (request) called first; they may raise Answer or Hang
        self.quiet_from = self.quiet_until = 0
        self.requests_a_link = 1 << 30  # it resets the link when another one comes, as it forgets to say that it closes it
        self.far = 0  # seconds that each answer is under way
        self.under_way = self.at_once = 0
        self.lock = threading.RLock()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            served = 0

            def handle_one_request(self):
                try:
                    if self.served >= peer.requests_a_link:
                        self.connection.recv(1)  # the next one is on its way
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.close_connection = True
                        return
                    self.served += 1
                    super().handle_one_request()
                except (ConnectionError, ssl.SSLError):
                    self.close_connection = True

        for method in methods:
            setattr(Handler, "do_" + method, lambda h: peer.serve(h))
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_port
        self.tls = tls
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)

    def __enter__(self):
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def serve(self, h):
        length = int(h.headers.get("Content-Length") or 0)
        body = h.rfile.read(length)
        if len(body) < length:  # who asked was killed in the middle of it
            h.close_connection = True
            return
        request = Request(h, body)
        with self.lock:
            self.under_way += 1
            self.at_once = max(self.at_once, self.under_way)
        try:
            self.work(h, request)
        finally:
            with self.lock:
                self.under_way -= 1

    def work(self, h, request):
        time.sleep(self.far)
        try:
            with self.lock:
                self.log.append((h.command, request.path, dict(h.headers)))
                self.check(request)
                for step in list(self.before):
                    step(request)
                answer = self.perform(request)
        except Answer as given:
            answer = given
        except Hang:
            h.close_connection = True
            h.connection.close()
            return
        self.answer(h, answer)

    def answer(self, h, a):
        body = a.body if isinstance(a.body, bytes) else a.body.encode()
        h.send_response_only(a.status)
        headers = {"Content-Type": a.kind, "Content-Length": str(len(body)), **self.fields(a), **a.headers}
        for name, value in headers.items():
            h.send_header(name, value)
        h.end_headers()
        h.wfile.write(body)

    def fields(self, a):
        """More of an answer's head."""
        return {"WWW-Authenticate": 'Basic realm="strict"'} if a.status == 401 else {}

    def breach(self, what, request):
        self.breaches.append(f"{request.method} {request.path}: {what}")

    def check(self, r):
        if self.quiet_from < time.monotonic() < self.quiet_until - 0.05:
            self.breach("back before the time that was asked for", r)

    def patience(self, seconds, status=429, dated=False):
        at = int(time.time()) + 1 + seconds
        self.be_quiet(at - time.time() if dated else seconds)
        return Answer(status, "not now", "text/plain",
                      Retry_After=email.utils.formatdate(at, usegmt=True) if dated else str(seconds))

    def be_quiet(self, seconds):
        self.quiet_from = time.monotonic() + 0.3  # what was under way may come
        self.quiet_until = time.monotonic() + seconds
