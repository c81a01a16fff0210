"""bench/delay: a proxy that holds what passes, and counts the round trips that its client waits for."""

import json
import os
import signal
import socket
import subprocess

from run import BINARY
from servers.base import free_port

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(BINARY)), "bench")


def available():
    """Whether it was built (-Dbench=true)."""
    return os.path.exists(os.path.join(PROGRAMS, "delay"))


class Delay:
    """One link for each port of `to`; `ports` are those to connect to in their place."""

    def __init__(self, ms, *to):
        self.ports = [free_port() for _ in to]
        self.process = subprocess.Popen([os.path.join(PROGRAMS, "delay"), str(ms),
                                         *(f"{port}:{there}" for port, there in zip(self.ports, to))],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.ports[0]), 20)

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=20)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
