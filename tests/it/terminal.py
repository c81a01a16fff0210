"""Runs postferry on a terminal of its own, as a person would."""

import fcntl
import os
import select
import struct
import subprocess
import termios
import time

from run import arguments, environment


class Terminal:
    def __init__(self, command, *args, env=None, columns=80):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.text = ""
        self.process = subprocess.Popen(
            arguments(command, *args), env=environment(env), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave # kept: its modes can be looked at when the process is gone

    def read(self, seconds):
        """What comes within this time; False when the process is gone and there is nothing more."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.text += os.read(self.master, 65536).decode("utf-8", "replace")
        return bool(ready) or self.process.poll() is None

    def expect(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < end and self.read(0.2), f"no {text!r} in {self.text!r}"

    def send(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def finish(self, seconds=60):
        """The exit status, all having been read."""
        end = time.monotonic() + seconds
        while self.read(0.1):
            assert time.monotonic() < end, f"it does not end: {self.text!r}"
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
