"""Accounts to measure with: the same messages at each run, written as a Dovecot Maildir and as a stream for blast.

Sizes follow what mailboxes show: half of the messages under about 8 KB, a long tail of attachments that makes most of
the octets. Text is lines of words, attachments are base64; headers, flags, keywords and dates are those of real mail.
"""

import base64
import math
import os
import random
import time

WORDS = ("the of and to a in is that for it as was with be by on not he his but at are this have from or had an they "
         "which one you were her all she there would their we him been has when who will more no if out so said what "
         "invoice meeting project deadline budget contract offer holiday lunch server migration report Grüße Anfrage "
         "Rechnung Besprechung Urlaub отчёт встреча résumé réunion").split()
FOLDERS = ["INBOX", "Sent", "Archive", "Archive/2019", "Archive/2020", "Archive/2020/Q1", "Archive/2020/Q2",
           "Archive/2021", "Drafts", "Trash", "Projects", "Projects/Alpha", "Projects/Alpha/Offers", "Projects/Beta",
           "Projects/Gamma &- Delta", "Lists", "Lists/announce", "Lists/devel", "Lists/users", "Customers",
           "Customers/M&APw-ller GmbH", "Customers/&ANw-nal", "Customers/Smith", "Customers/Jones", "Invoices",
           "Invoices/2019", "Invoices/2020", "Invoices/2021", "Travel", "Travel/Bookings", "Family", "Receipts", "News",
           "News/Weekly", "HR", "HR/Applications", "Support", "Support/Open", "Support/Closed", "Notes"]
KEYWORDS = ("$Forwarded", "$Label1")
GROUP_MESSAGES, GROUP_OCTETS = 100, 16 << 20  # a MULTIAPPEND command
PIECE = 1 << 20


class Corpus:
    """`mean`: octets of a message; `spread`: sigma of the lognormal distribution, 0: all of the same size."""

    def __init__(self, name, messages, mean, folders, spread=1.7, title=""):
        self.name, self.messages, self.mean, self.spread, self.title = name, messages, mean, spread, title
        self.folders = share(messages, FOLDERS[:folders])

    def sizes(self, count, rng):
        if not self.spread:
            return [self.mean] * count
        mu = math.log(self.mean) - self.spread ** 2 / 2
        return [max(600, min(8 << 20, int(rng.lognormvariate(mu, self.spread)))) for _ in range(count)]


def share(messages, folders):
    """A few large folders and many small ones; (name, messages)."""
    weights = [1 / (rank + 1) ** 0.8 for rank in range(len(folders))]
    counts = [max(1, int(messages * w / sum(weights))) for w in weights]
    counts[0] += messages - sum(counts)
    return list(zip(folders, counts))


CORPORA = {c.name: c for c in (
    Corpus("mixed", 10_000, 34_900, 40, title="10,000 messages, 350 MB, 40 folders"),
    Corpus("small", 20_000, 2_000, 10, spread=0, title="20,000 messages of 2 KB, 10 folders"),
    Corpus("large", 200, 5_000_000, 2, spread=0, title="200 messages of 5 MB, 2 folders"),
    Corpus("far", 2_000, 9_900, 12, title="2,000 messages, 20 MB, 12 folders"),
    Corpus("huge", 1, 1_000_000_000, 1, spread=0, title="one message of 1 GB"),
    Corpus("account", 100, 10_000, 4, title="100 messages, 4 folders"),
)}


class Maker:
    """Messages of a corpus, from a seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        rng = random.Random("text")
        lines = [" ".join(rng.choices(WORDS, k=rng.randint(6, 14))) for _ in range(20_000)]
        self.text = "\n".join(lines).encode() + b"\n"
        self.base64 = base64.encodebytes(rng.randbytes(4 << 20))
        self.number = 0

    def piece(self, pool, size):
        """About `size` octets of whole lines."""
        at = self.rng.randrange(max(1, len(pool) - size))
        begin = pool.find(b"\n", at) + 1
        end = pool.find(b"\n", min(begin + size, len(pool) - 1)) + 1
        return pool[begin:end or len(pool)]

    def pieces(self, pool, size):
        while size > 0:
            part = self.piece(pool, min(size, PIECE))
            yield part
            size -= max(1, len(part))

    def header(self, date):
        rng, n = self.rng, self.number
        when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(date))
        subject = " ".join(rng.choices(WORDS[:60], k=rng.randint(2, 7)))
        return (f"Return-Path: <sender{n % 97}@example.org>\n"
                f"Received: from mx{n % 3}.example.org (mx{n % 3}.example.org [192.0.2.{n % 250}])\n"
                f"\tby mail.example.net with ESMTPS id {rng.getrandbits(48):012x}; {when}\n"
                f"From: Sender {n % 97} <sender{n % 97}@example.org>\nTo: Anna <anna@example.net>\n"
                f"Subject: {subject}\nDate: {when}\nMessage-ID: <{n}.{rng.getrandbits(64):x}@example.org>\n"
                "MIME-Version: 1.0\n").encode()

    def parts(self, size, date):
        """One message with LF line ends, in pieces."""
        self.number += 1
        plain = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        head = self.header(date)
        if size < 12_000:
            yield head + plain
            yield from self.pieces(self.text, size - len(head) - len(plain))
            return
        boundary = b"=_%d_boundary" % self.number
        yield head + b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\n\n--' + boundary + b"\n" + plain
        yield from self.pieces(self.text, 3_000)
        yield (b"--" + boundary + b"\nContent-Type: application/octet-stream; name=file.bin\n"
               b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=file.bin\n\n")
        yield from self.pieces(self.base64, size - len(head) - 3_400)
        yield b"--" + boundary + b"--\n"

    def flags(self, folder):
        rng = self.rng
        chances = (("\\Seen", 0.85), ("\\Answered", 0.2), ("\\Flagged", 0.04), ("$Forwarded", 0.03), ("$Label1", 0.01),
                   ("\\Draft", 1.0 if folder == "Drafts" else 0.0))
        return [flag for flag, chance in chances if rng.random() < chance]


LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "$Forwarded": "a", "$Label1": "b"}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def internaldate(date):
    t = time.gmtime(date)
    return f'"{t.tm_mday:2d}-{MONTHS[t.tm_mon - 1]}-{t.tm_year} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"'


def write_message(path, parts):
    """Write it, and return (octets, octets with CRLF)."""
    size = lines = 0
    with open(path, "wb") as f:
        for part in parts:
            f.write(part)
            size += len(part)
            lines += part.count(b"\n")
    return size, size + lines


class Stream:
    """What blast sends for one folder: counted first, then written behind the line that says how much it is."""

    def __init__(self, out, folder, items):
        self.out, self.items, self.quoted = out, items, f'"{folder}"'
        self.create = folder != "INBOX"

    def groups(self):
        group, octets = [], 0
        for item in self.items:
            if group and (len(group) == GROUP_MESSAGES or octets + item[1] > GROUP_OCTETS):
                yield group
                group, octets = [], 0
            group.append(item)
            octets += item[1]
        yield group

    def commands(self):
        """Each a list of (text, path of what follows it or None)."""
        if self.create:
            yield [(f"b0 CREATE {self.quoted}\r\n".encode(), None)]
        for tag, group in enumerate(self.groups(), 1):
            begin, parts = f"b{tag} APPEND {self.quoted}", []
            for path, size, flags, date in group:
                parts.append((f"{begin} ({' '.join(flags)}) {internaldate(date)} {{{size}+}}\r\n".encode(), path))
                begin = ""
            yield parts + [(b"\r\n", None)]

    def write(self):
        commands = list(self.commands())
        octets = sum(len(text) for command in commands for text, _ in command) + sum(i[1] for i in self.items)
        self.out.write(f"FOLDER {octets} {len(commands)} {len(self.items)}\n".encode())
        for text, path in (part for command in commands for part in command):
            self.out.write(text)
            if path:
                with open(path, "rb") as f:
                    while piece := f.read(PIECE):
                        self.out.write(piece.replace(b"\n", b"\r\n"))


def make_folder(maker, sizes, maildir, folder):
    """The files of one folder; a list of (path, octets with CRLF, flags, date)."""
    where = maildir if folder == "INBOX" else os.path.join(maildir, folder)
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(where, name), exist_ok=True)
    with open(os.path.join(where, "dovecot-keywords"), "w", encoding="ascii") as f:
        f.writelines(f"{i} {keyword}\n" for i, keyword in enumerate(KEYWORDS))
    items, date = [], 1_420_000_000 + maker.rng.randrange(10 ** 7)
    for size in sizes:
        date += maker.rng.randrange(60, 20_000)
        flags = maker.flags(folder)
        tmp = os.path.join(where, "tmp", "message")
        stored, sent = write_message(tmp, maker.parts(size, date))
        letters = "".join(sorted(LETTERS[f] for f in flags))
        path = os.path.join(where, "cur", f"{date}.M{maker.number}P1.bench,S={stored},W={sent}:2,{letters}")
        os.rename(tmp, path)
        os.utime(path, (date, date))
        items.append((path, sent, flags, date))
    return items


def make(corpus, maildir, stream=None, seed=None):
    """Write the account under `maildir`, and the stream if it is wanted. Returns (messages, octets on the wire)."""
    maker = Maker(seed or corpus.name)
    sizes = corpus.sizes(corpus.messages, maker.rng)
    octets = 0
    out = open(stream, "wb") if stream else None
    for folder, count in corpus.folders:
        items = make_folder(maker, [sizes.pop() for _ in range(count)], maildir, folder)
        octets += sum(i[1] for i in items)
        if out:
            Stream(out, folder, items).write()
    if out:
        out.close()
    with open(os.path.join(maildir, "subscriptions"), "w", encoding="ascii") as f:
        f.writelines(f"{folder}\n" for folder, _ in corpus.folders)
    return corpus.messages, octets


def one_percent(corpus, seed):
    """What came meanwhile: (folder, flags, internal date, octets) of so many messages, over all folders."""
    maker = Maker(seed)
    count = max(1, corpus.messages // 100)
    for i, size in enumerate(corpus.sizes(count, maker.rng)):
        folder = corpus.folders[i % len(corpus.folders)][0]
        date = 1_700_000_000 + i
        yield folder, maker.flags(folder), internaldate(date), b"".join(maker.parts(size, date)).replace(b"\n", b"\r\n")
