"""Folders: their lists, their states, and making them."""

from peer.box import Box


def quoted(name):
    return "NIL" if name is None else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Folders:
    def do_list(self, args):
        p = self.peer
        extended = "RETURN" in args
        if extended and p.extended != "yes":
            return "OK" if p.extended == "empty" else "BAD no such thing"
        for line in p.raw_list:
            self.send(line)
        if not p.raw_list:
            for name in p.boxes:
                if name not in p.subscribed_only and name not in p.unlisted:
                    self.send(f"* LIST ({p.attributes(name)}) {quoted(p.delimiter)} {quoted(name)}")
        return "OK"

    def do_lsub(self, _):
        for name in sorted(self.peer.subscribed | set(self.peer.subscribed_only)):
            self.send(f"* LSUB () {quoted(self.peer.delimiter)} {quoted(name)}")
        return "OK"

    def do_status(self, args):
        name = self.name_of(args)
        box = self.peer.boxes.get(name)
        if not box:
            return "NO none"
        if "APPENDLIMIT" in args and self.peer.append_limit is not None:
            self.send(f"* STATUS {quoted(name)} (APPENDLIMIT {self.peer.append_limit})")
            return "OK"
        validity = "" if box.validity is None else f" UIDVALIDITY {box.validity}"
        self.send(f'* STATUS {quoted(name)} (MESSAGES {len(box.items)} UIDNEXT {box.next}{validity})')
        return "OK"

    def do_create(self, args):
        name = self.name_of(args)
        reply = self.peer.create_reply and self.peer.create_reply(name)
        if reply:
            return reply
        if name in self.peer.boxes:
            return "NO [ALREADYEXISTS] it exists"
        self.peer.boxes[name] = Box()
        return "OK"

    def do_subscribe(self, args):
        self.peer.subscribed.add(self.name_of(args))
        return "OK"

    def do_select(self, args):
        self.name = self.name_of(args)
        self.box = self.peer.boxes.get(self.name)
        if not self.box:
            return "NO [NONEXISTENT] none"
        self.send(f"* {len(self.box.items) + self.peer.exists_more} EXISTS")
        if self.box.validity is not None:
            self.send(f"* OK [UIDVALIDITY {self.box.validity}] v")
        self.send(f"* OK [UIDNEXT {self.box.next}] n")
        if self.peer.permanent is not None:
            self.send(f"* OK [PERMANENTFLAGS ({self.peer.permanent})] f")
        return "OK [READ-WRITE] selected"

    do_examine = do_select
