"""SOGo, with a PostgreSQL and a memcached of its own."""

import glob
import grp
import os
import signal
import subprocess
import time

from . import dav
from .base import MAIL_GID, MAIL_UID, Server, free_port

USERS = """({ type = sql; id = directory; viewURL = "%s/sogo_users"; canAuthenticate = YES; isAddressBook = YES; displayName = Directory;
              userPasswordAlgorithm = none; })"""
TABLES = """create table sogo_users (c_uid varchar(50) primary key, c_name varchar(50), c_password varchar(50), c_cn varchar(50), mail varchar(50));
insert into sogo_users values ('user', 'user', 'pass', 'A User', 'user@example.org');
insert into sogo_users values ('other', 'other', 'pass', 'Another', 'other@example.org');
"""
URLS = {"SOGoProfileURL": "sogo_user_profile", "OCSFolderInfoURL": "sogo_folder_info",
        "OCSSessionsFolderURL": "sogo_sessions_folder", "OCSEMailAlarmsFolderURL": "sogo_alarms_folder"}


def postgres(program):
    return next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{program}"), reverse=True)), None)


def available():
    return os.path.exists("/usr/sbin/sogod") and os.path.exists("/usr/bin/memcached") and postgres("postgres") is not None


class Sogo(dav.Dav, Server):
    name = "sogo"

    def __init__(self, parent=None):
        super().__init__(parent)
        os.chown(self.dir, MAIL_UID, MAIL_GID)
        self.others = []

    def identity(self):
        """Neither it nor PostgreSQL runs as root."""
        return {"user": MAIL_UID, "group": MAIL_GID, "extra_groups": []} if os.getuid() == 0 else {}

    def run(self, command, **more):
        with open(self.path("stdout.log"), "ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self.dir, **self.identity(), **more)

    def beside(self, command):
        with open(self.path("stdout.log"), "ab") as log:
            self.others.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir,
                                                **self.identity()))

    def ready(self, command, seconds=60):
        """Its tables are made when it starts, or never."""
        end = time.monotonic() + seconds
        while subprocess.run(command, check=False).returncode != 0:
            if time.monotonic() > end:
                raise RuntimeError(f"{command[0]} fails")
            time.sleep(0.05)

    def start(self):
        self.run([postgres("initdb"), "-D", self.path("db"), "-A", "trust", "-U", "sogo", "--no-sync"])
        self.run([postgres("postgres"), "--single", "-D", self.path("db"), "postgres"], input=TABLES.encode())
        self.db = free_port()
        self.beside([postgres("postgres"), "-D", self.path("db"), "-p", str(self.db), "-c", "listen_addresses=127.0.0.1",
                     "-c", "unix_socket_directories=", "-c", "fsync=off"])
        self.ready([postgres("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.db)])
        self.cache = free_port()
        self.beside(["/usr/bin/memcached", "-l", "127.0.0.1", "-p", str(self.cache), "-U", "0"])
        return super().start()

    def command(self):
        where = f"postgresql://sogo@127.0.0.1:{self.db}/postgres"
        settings = {**{key: f"{where}/{table}" for key, table in URLS.items()},
                    "SOGoUserSources": USERS % where, "SOGoMemcachedHost": f"127.0.0.1:{self.cache}",
                    "SOGoTimeZone": "Europe/Berlin", "SOGoMailDomain": "example.org",
                    "WOPort": f"127.0.0.1:{self.port}", "WOWorkersCount": "2", "WONoDetach": "YES",
                    "WOLogFile": self.path("sogo.log"), "WOPidFile": self.path("sogo.pid")}
        who = ["/usr/bin/setpriv", f"--reuid={MAIL_UID}", f"--regid={MAIL_GID}", f"--groups={grp.getgrnam('sogo').gr_gid}"]
        who = who if os.getuid() == 0 else []  # with the group it may read the package's own settings, which it insists on
        return [*who, "/usr/bin/env", f"HOME={self.dir}", "/usr/sbin/sogod",
                *(part for key, value in settings.items() for part in ("-" + key, value))]

    def wait(self, seconds=60):
        """It answers before it is ready."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.request("PROPFIND", self.home(), headers={"Depth": "0"})[0] == 207:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        super().wait(0)

    def stop(self):
        """Nothing of it is kept, and its workers take their time to end."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        for process in reversed(self.others):
            process.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate shutdown: it ends its own processes
            process.wait(10)
        self.process, self.others = None, []

    def url(self, user="user", scheme="caldav"):
        return f"{scheme}://{user}@127.0.0.1:{self.port}/SOGo/dav/{user}/"

    def home(self, contacts=False, user="user"):
        return f"/SOGo/dav/{user}/{'Contacts' if contacts else 'Calendar'}/"
