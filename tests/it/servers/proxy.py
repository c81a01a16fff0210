"""A TCP proxy that cuts: after so many bytes of either direction the connection ends, once a connection.

Or one that bears only so many connections at a time, and says BYE to the next. Or one over a slow line."""

import socket
import socketserver
import threading
import time


class Proxy:
    """`cuts`: for each connection in turn (direction, bytes): "up" to the server, "down" from it; then none."""

    def __init__(self, port, cuts=(), most=None, bytes_a_second=None):
        self.cuts, self.bytes_a_second = list(cuts), bytes_a_second
        self.made = self.open = self.peak = self.refused = 0
        self.moved = {"up": 0, "down": 0} # bytes
        lock = threading.Lock()
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with lock:
                    cut = proxy.cuts.pop(0) if proxy.cuts else (None, 0)
                    proxy.made += 1
                    if most is not None and proxy.open >= most:
                        proxy.refused += 1
                        self.request.sendall(b"* BYE Too many simultaneous connections\r\n")
                        return
                    proxy.open += 1
                    proxy.peak = max(proxy.peak, proxy.open)
                try:
                    with socket.create_connection(("127.0.0.1", port)) as server:
                        down = threading.Thread(target=proxy.pump, args=(server, self.request, cut, "down"),
                                                daemon=True)
                        down.start()
                        proxy.pump(self.request, server, cut, "up")
                        down.join(60)
                finally:
                    with lock:
                        proxy.open -= 1

        class Threaded(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a connection that was cut

        self.server = Threaded(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def pump(self, a, b, cut, direction):
        left = cut[1] if cut[0] == direction else None
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    b.shutdown(socket.SHUT_WR)
                    return
                self.moved[direction] += len(data)
                if left is not None and len(data) >= left:
                    b.sendall(data[:left])
                    for s in (a, b):  # wakes the other thread as well, which closing alone would not
                        s.shutdown(socket.SHUT_RDWR)
                    return
                left = left - len(data) if left is not None else None
                if self.bytes_a_second:
                    time.sleep(len(data) / self.bytes_a_second)
                b.sendall(data)
        except OSError:
            pass

    def url(self, user="user"):
        return f"imap://{user}@127.0.0.1:{self.port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
