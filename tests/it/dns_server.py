"""A name server on 127.0.0.1 that knows what a test tells it, and notes what it was asked for."""

import socket
import struct
import threading

SRV, TXT = 33, 16


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def srv(host, port, priority=0, weight=0):
    return SRV, struct.pack(">HHH", priority, weight, port) + name_bytes(host)


def txt(*strings):
    return TXT, b"".join(bytes([len(s)]) + s.encode() for s in strings)


class Dns:
    """`records`: name -> [srv(...), txt(...)]. `silent`: no answers; `garble`: what is done to each."""

    def __init__(self, records=None, silent=False, garble=lambda answer: answer):
        self.records, self.silent, self.garble, self.asked = records or {}, silent, garble, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.sendto(b"", self.socket.getsockname())  # an empty one ends it
        self.thread.join()
        self.socket.close()

    def serve(self):
        while True:
            question, who = self.socket.recvfrom(4096)
            if not question:
                return
            answer = self.answer(question)
            if not self.silent:
                self.socket.sendto(self.garble(answer), who)

    def answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += question[at] + 1
        kind = struct.unpack(">H", question[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        found = [data for k, data in self.records.get(name, []) if k == kind]
        head = struct.pack(">2sHHHHH", question[:2], 0x8180 if name in self.records else 0x8183, 1, len(found), 0, 0)
        return head + question[12:at + 5] + b"".join(
            struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(data)) + data for data in found)
