"""Dovecot, with one Maildir (or dbox) account per user name."""

import os
import shutil

from .base import MAIL_GID, MAIL_UID, Server, free_port

PASSWORD = "pass"

CONFIG = """
base_dir = {dir}/run
state_dir = {dir}/state
instance_name = {dir}
log_path = {dir}/dovecot.log
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 1
protocols = imap
listen = {listen}
ssl = {ssl}
{ssl_files}
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_location = {location}
mail_fsync = {fsync}
mail_max_userip_connections = {max_connections}
mailbox_list_index = yes
maildir_very_dirty_syncs = yes
{extra}
{master}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
  mailbox Drafts {{
    special_use = \\Drafts
    auto = {auto}
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = {auto}
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = {auto}
  }}
}}
service imap-login {{
  process_min_avail = 1
  service_count = 0
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""

MASTER = """
auth_master_user_separator = *
passdb {{
  driver = passwd-file
  master = yes
  args = {dir}/masters
}}
"""


class Dovecot(Server):
    name = "dovecot"

    def __init__(self, parent=None, layout="maildir-fs", separator="/", prefix="", tls=None,
                 auto="no", mechanisms="plain login", fsync="never", max_connections=20, extra="",
                 master=False, password=PASSWORD, listen="127.0.0.1"):
        super().__init__(parent, listen)
        location = {
            "maildir": f"maildir:{self.path('home')}/%u/Maildir",
            "maildir-fs": f"maildir:{self.path('home')}/%u/Maildir:LAYOUT=fs",
            "sdbox": f"sdbox:{self.path('home')}/%u/sdbox",
            "mdbox": f"mdbox:{self.path('home')}/%u/mdbox",
        }[layout]
        os.mkdir(self.path("home"))
        os.chown(self.path("home"), MAIL_UID, MAIL_GID)
        if master:
            self.write("masters", "admin:{PLAIN}master\n")
        self.tls_port = free_port() if tls else 0
        files = f"ssl_cert = <{tls.cert}\nssl_key = <{tls.key}\n" if tls else ""
        self.write("dovecot.conf", CONFIG.format(
            dir=self.dir, listen=listen, port=self.port, tls_port=self.tls_port, ssl="yes" if tls else "no", ssl_files=files,
            mechanisms=mechanisms, location=location, fsync=fsync,
            max_connections=max_connections, extra=extra, password=password, uid=MAIL_UID,
            gid=MAIL_GID, separator=separator, prefix=prefix, auto=auto,
            master=MASTER.format(dir=self.dir) if master else ""))

    def command(self):
        return ["/usr/sbin/dovecot", "-F", "-c", self.path("dovecot.conf")]

    def tls_url(self, user="user", host="localhost"):
        return f"imaps://{user}@{host}:{self.tls_port}/"

    def maildir(self, user="user"):
        return self.path("home", user, "Maildir")

    def forget(self, user="user"):
        """Remove an account with all its mail."""
        shutil.rmtree(self.path("home", user), ignore_errors=True)
