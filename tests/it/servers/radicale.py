"""Radicale, with a password file and its own directory."""

import os

from . import dav
from .base import Server

CONF = """
[server]
hosts = 127.0.0.1:{port}
max_content_length = 200000000
[auth]
type = htpasswd
htpasswd_filename = {dir}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = {dir}/data
[logging]
level = warning
[web]
type = none
"""


def available():
    return os.path.exists("/usr/bin/radicale")


class Radicale(dav.Dav, Server):
    name = "radicale"

    def __init__(self, parent=None):
        super().__init__(parent)
        self.write("users", "user:pass\nother:pass\n")
        self.write("conf", CONF.format(dir=self.dir, port=self.port))

    def command(self):
        return ["/usr/bin/python3", "/usr/bin/radicale", "--config", self.path("conf")]

    def home(self, contacts=False, user="user"):
        return f"/{user}/"
