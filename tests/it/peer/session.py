"""One connection to the peer: lines in, commands to those who answer them."""

import io
import re
import time
import zlib

from peer.folders import Folders
from peer.messages import Messages
from peer.sign_in import SignIn


class Packed:
    def __init__(self, w, packer):
        self.w, self.packer = w, packer

    def write(self, data):
        self.pour(self.packer.compress(data))

    def flush(self):
        self.pour(self.packer.flush(zlib.Z_SYNC_FLUSH))

    def pour(self, packed):
        for octet in packed:
            self.w.write(bytes([octet]))
            self.w.flush()


class Unpacked(io.RawIOBase):
    def __init__(self, r, unpacker):
        self.r, self.unpacker = r, unpacker

    def readable(self):
        return True

    def readinto(self, room):
        out = b""
        while not out:
            came = self.unpacker.unconsumed_tail or self.r.read1(65536)
            if not came:
                return 0
            out = self.unpacker.decompress(came, len(room))
        room[:len(out)] = out
        return len(out)


class Session(SignIn, Folders, Messages):
    def __init__(self, peer, handler):
        self.peer, self.r, self.w = peer, handler.rfile, handler.wfile
        self.request, self.literals, self.tag = handler.request, [], None
        self.box, self.name, self.done, self.signed_in = None, None, False, False

    def send(self, data):
        self.w.write(data if isinstance(data, bytes) else data.encode("latin-1") + b"\r\n")
        self.w.flush()

    def compress(self, tag, early=b""):
        """COMPRESS: OK, and from there on each octet in a packet of its own; `early` goes with the OK."""
        packer, unpacker = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        packed = packer.compress(early) + packer.flush(zlib.Z_SYNC_FLUSH)
        self.send(f"{tag} OK from here on\r\n".encode() + (packed if early else b""))
        self.w, self.r = Packed(self.w, packer), io.BufferedReader(Unpacked(self.r, unpacker))

    def run(self):
        p = self.peer
        with p.lock:
            p.connections += 1
            p.most = max(p.most, p.connections)
        try:
            self.talk()
        finally:
            with p.lock:
                p.connections -= 1

    def talk(self):
        if self.peer.mute:
            time.sleep(120)
            return
        p = self.peer
        self.done = p.hang_up_over is not None and p.connections > p.hang_up_over
        if not self.done:
            self.send(p.greeting)
        while not self.done:
            line = self.line()
            if line is None:
                break
            tag, _, rest = line.partition(b" ")
            self.command(tag.decode(), rest)

    def line(self):
        """A command with its literals put in place."""
        out = b""
        while True:
            part = self.r.readline()
            if not part.endswith(b"\n"): # cut off: no command
                return None
            m = re.search(rb"(~?)\{(\d+)(\+?)\}\r\n$", part)
            if not m:
                return out + part.rstrip(b"\r\n")
            out += part[:m.start()]
            if self.refuses(out.decode("latin-1"), int(m.group(2)), bool(m.group(3))):
                out = b""
                if self.done:
                    return None
                continue
            if not m.group(3):
                self.send("+ go")
            if b" APPEND " in out:
                self.peer.at_once.append(bool(m.group(3)))
            literal = self.r.read(int(m.group(2)))
            out += b"\0" + m.group(1) + str(len(literal)).encode() + b"\0"
            self.literals.append(literal)

    def refuses(self, command, size, at_once):
        """Whether a literal is refused before it is read; what comes unasked is read all the same (RFC 7888)."""
        early = self.peer.at_literal and self.peer.at_literal(self, command, size)
        if not early:
            return False
        self.reply(command.split(" ")[0], early)
        if at_once and not self.done:
            self.r.read(size)
            self.r.readline()
        self.literals = []
        return True

    def reply(self, tag, reply):
        """One line or several, the last with the tag; None hangs up."""
        *lines, last = reply if isinstance(reply, tuple) else (reply,)
        for line in lines:
            self.send(line)
        self.done = self.done or last is None
        if last is not None:
            self.send(f"{tag} {last}")

    def split_name(self, text):
        """The folder's name at the beginning, as latin-1 text of its raw bytes, and what follows it."""
        text = text.lstrip()
        m = re.match(r'"((?:\\.|[^"\\])*)"', text)
        if m:
            return re.sub(r"\\(.)", r"\1", m.group(1)), text[m.end():]
        m = re.match("\0~?[0-9]+\0", text)
        if m:
            return self.literals[0].decode("latin-1"), text[m.end():]
        return text.partition(" ")[0], text[len(text.partition(" ")[0]):]

    def name_of(self, text):
        return self.split_name(text)[0]

    def command(self, tag, rest):
        p = self.peer
        text = rest.decode("latin-1")
        with p.lock:
            p.log.append(text)
        word = text.split(" ")[0].upper()
        if word == "UID":
            word = "UID_" + text.split(" ")[1].upper()
            text = text.split(" ", 1)[1]
        args = text.split(" ", 1)[1] if " " in text else ""
        if p.after_login and word not in ("LOGIN", "CAPABILITY", "LOGOUT"):
            return self.send(f"{tag} {p.after_login}")
        self.tag = tag
        reply = p.before and p.before(self, word, args)
        if reply == "cut":
            raise ConnectionError
        if reply:
            self.literals = []
            return self.reply(tag, reply)
        method = getattr(self, "do_" + word.lower(), None)
        if not method:
            return self.send(f"{tag} BAD unknown command")
        reply = method(args)
        self.literals = []
        if reply:
            if p.noise:
                self.send(p.noise)
            self.send(f"{tag} {reply}")
        return None
