"""Cyrus IMAP. Its package and Dovecot's exclude each other, so it is unpacked into a private folder and run from there."""

import os
import subprocess
import time

from . import dav
from .base import MAIL_GID, MAIL_UID, Server, free_port

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../build-servers/cyrus")
BIN = os.path.join(ROOT, "usr/lib/cyrus/bin")

CONF = """
configdirectory: {dir}/lib
proc_path: {dir}/run/proc
lock_path: {dir}/run/lock
defaultpartition: default
partition-default: {dir}/spool
cyrus_user: nobody
admins: cyrus
allowplaintext: yes
altnamespace: {alt}
unixhierarchysep: {unix}
virtdomains: off
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/sasldb2
sasl_mech_list: PLAIN
syslog_prefix: pf
idlesocket: {dir}/run/idle
notifysocket: {dir}/run/notify
master_pid_file: {dir}/run/master.pid
sieveusehomedir: false
sievedir: {dir}/sieve
specialusealways: 1
munge8bit: {munge}
maxlogins_per_user: 20
"""

DAV_CONF = """
httpmodules: caldav carddav
httpallowcompress: off
sendmail: {dir}/sendmail
caldav_allowscheduling: on
calendar_user_address_set: example.org
"""

SERVICES = """
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {dir}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {dir}/imapd.conf" listen="127.0.0.1:{port}" prefork=2
{more}}}
EVENTS {{
}}
"""


def available():
    return os.path.exists(os.path.join(BIN, "imapd"))


class Cyrus(Server):
    name = "cyrus"

    def __init__(self, parent=None, alt="yes", unix="yes", munge8bit="no"):
        super().__init__(parent)
        self.inbox = "user/user" if unix == "yes" else "user.user"
        self.env = dict(os.environ, LD_LIBRARY_PATH=os.path.join(ROOT, "usr/lib/x86_64-linux-gnu"))
        for sub in ("lib", "lib/db", "lib/db.backup1", "lib/socket", "lib/log", "lib/msg", "lib/proc", "lib/user",
                    "lib/quota", "run", "run/proc", "run/lock", "spool", "sieve"):
            os.mkdir(self.path(sub))
        self.write("imapd.conf", CONF.format(dir=self.dir, alt=alt, unix=unix, munge=munge8bit))
        self.write("cyrus.conf", SERVICES.format(dir=self.dir, bin=BIN, port=self.port, more=self.more_services()))
        for user in ("user", "cyrus"):
            subprocess.run(["saslpasswd2", "-p", "-c", "-f", self.path("sasldb2"), "-u", os.uname().nodename, user],
                           input=b"pass", check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", self.dir], check=True)

    def more_services(self):
        return ""

    def start(self):
        with open(self.path("stdout.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "master"), "-C", self.path("imapd.conf"), "-M", self.path("cyrus.conf"), "-p",
                 self.path("run/master.pid"), "-D"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, start_new_session=True)
        self.wait()
        self.make_inbox()
        return self

    def make_inbox(self):
        """A fresh account needs its INBOX before any other folder."""
        import imaplib
        for _ in range(50):
            try:
                admin = imaplib.IMAP4("127.0.0.1", self.port)
                admin.login("cyrus", "pass")
                admin.create(self.inbox)
                admin.logout()
                return
            except (OSError, imaplib.IMAP4.error) as error:
                last = error
                time.sleep(0.1)
        raise RuntimeError(f"cyrus: {last}")


# Mail that would leave the server, calendar invitations among it, is talked into a file (sendmail -bs).
TRAP = """#!/bin/sh
say() { printf '%s\\r\\n' "$1"; }
say "220 trap"
while read -r line; do
  echo "$line" >>"$(dirname "$0")/sent"
  case $line in
    DATA*) say "354 go on"; while read -r line; do echo "$line" >>"$(dirname "$0")/sent"
             case $line in .?) break ;; esac; done; say "250 kept" ;;
    QUIT*) say "221 bye"; exit ;;
    *) say "250 trap" ;;
  esac
done
"""


def has_dav():
    return available() and os.path.exists(os.path.join(BIN, "httpd"))


class CyrusDav(dav.Dav, Cyrus):
    """With its CalDAV and CardDAV server, scheduling on."""

    name = "cyrus-dav"

    def __init__(self, parent=None):
        self._http_port = free_port()
        super().__init__(parent)
        with open(self.path("imapd.conf"), "a", encoding="utf-8") as f:
            f.write(DAV_CONF.format(dir=self.dir))
        self.write("sendmail", TRAP, 0o755)

    @property
    def http_port(self):
        return self._http_port

    def more_services(self):
        return f'  http cmd="{BIN}/httpd -C {self.dir}/imapd.conf" listen="127.0.0.1:{self._http_port}" prefork=2\n'

    def start(self):
        super().start()
        self.propfind("/dav/calendars/user/user/", 0, "D:resourcetype")  # makes the collections that it has anyway
        return self

    def home(self, contacts=False, user="user"):
        return f"/dav/addressbooks/user/{user}/" if contacts else f"/dav/calendars/user/{user}/"

    @property
    def sent(self):
        """What the server would have mailed."""
        try:
            with open(self.path("sent"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""
