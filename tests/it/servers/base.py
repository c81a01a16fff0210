"""What the servers have in common: a port, a directory, a life."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

MAIL_UID = 65534  # nobody: mail servers refuse to keep mail as root
MAIL_GID = 65534
PORTS, RANGES = range(10000, 32768), 8


def free_port():
    """
    A port that nobody listens on, of those that the kernel gives to no client. Test processes that run beside one another
    have a range each, as between this and the server's start another one could get the same.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % RANGES
    first = PORTS.start + len(PORTS) // RANGES * worker
    while True:
        port = random.randrange(first, first + len(PORTS) // RANGES)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """Start with `with`; ends only the process that it started."""

    name = "server"

    def __init__(self, parent=None, listen="127.0.0.1"):
        self.dir = tempfile.mkdtemp(prefix=f"pf-{self.name}-", dir=parent)
        os.chmod(self.dir, 0o755)
        self.listen = listen
        self.port = free_port()
        self.process = None

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def command(self):
        raise NotImplementedError

    def start(self):
        log = open(self.path("stdout.log"), "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log, start_new_session=True)
        log.close()
        self.wait()
        return self

    def wait(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with socket.create_connection((self.listen, self.port), 1) as s:
                    s.settimeout(5)
                    if s.recv(1):
                        return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(self.path("stdout.log"), encoding="utf-8", errors="replace") as f:
            raise RuntimeError(f"{self.name} does not answer: {f.read()[-2000:]}")

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def url(self, user="user"):
        return f"imap://{user}@127.0.0.1:{self.port}/"
