"""A certificate authority of the tests' own, and a certificate for localhost."""

import os
import subprocess
from collections import namedtuple

Certs = namedtuple("Certs", "ca cert key fingerprint")


def make(folder):
    def path(name):
        return os.path.join(folder, name)

    def openssl(*args):
        return subprocess.run(["openssl", *args], check=True, capture_output=True, text=True).stdout

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=test authority",
            "-keyout", path("ca.key"), "-out", path("ca.pem"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", path("key.pem"),
            "-out", path("csr.pem"))
    with open(path("ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", path("csr.pem"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial",
            "-days", "30", "-extfile", path("ext"), "-out", path("cert.pem"))
    fingerprint = openssl("x509", "-in", path("cert.pem"), "-noout", "-fingerprint", "-sha256").split("=")[1].strip()
    return Certs(path("ca.pem"), path("cert.pem"), path("key.pem"), fingerprint)
