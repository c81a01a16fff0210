"""Xandikos, which has no sign-in at all."""

import os

from . import dav
from .base import Server


def available():
    return os.path.exists("/usr/bin/xandikos")


class Xandikos(dav.Dav, Server):
    name = "xandikos"

    def command(self):
        return ["/usr/bin/python3", "/usr/bin/xandikos", "-d", self.path("data"), "-l", self.listen, "-p",
                str(self.port), "--current-user-principal", "/user/", "--defaults", "--autocreate"]

    def home(self, contacts=False, user="user"):
        return f"/{user}/contacts/" if contacts else f"/{user}/calendars/"
