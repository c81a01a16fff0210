"""What a connection says of itself: capabilities, sign-in, namespace, the end."""

import base64
import re

from peer.folders import quoted


class SignIn:
    def do_capability(self, _):
        p = self.peer
        self.send("* CAPABILITY " + (p.caps if self.signed_in or p.caps_before is None else p.caps_before))
        return "OK done"

    def do_starttls(self, _):
        p = self.peer
        if not p.tls:
            return "BAD no encryption today"
        self.send(f"{self.tag} OK begin\r\n".encode() + p.in_clear)
        self.request = p.tls.wrap_socket(self.request, server_side=True)
        self.r, self.w = self.request.makefile("rb"), self.request.makefile("wb")
        return None

    def do_authenticate(self, args):
        mechanism, _, first = args.partition(" ")
        if not first:
            self.send("+ ")
            first = self.r.readline().decode().strip()
        text = base64.b64decode("" if first == "=" else first).decode()
        if mechanism == "PLAIN":
            authzid, user, secret = text.split("\0")
            return self.signs_in(mechanism, (authzid, user), secret)
        user = re.search(r"(?:user|a)=([^\1,]*)", text).group(1)
        return self.signs_in(mechanism, user, re.search(r"auth=Bearer ([^\1]*)", text).group(1))

    def signs_in(self, mechanism, user, secret):
        p = self.peer
        with p.lock:
            p.logins += 1
        reply = (p.sign_in and p.sign_in(mechanism, user, secret)) or "OK in"
        if isinstance(reply, tuple):
            self.send("+ " + base64.b64encode(reply[0].encode()).decode())
            answer = self.r.readline().decode()
            with p.lock:
                p.log.append(f"answer {answer!r}")
            reply = reply[1]
        self.signed_in = reply.startswith("OK")
        return reply

    def do_proxyauth(self, args):
        self.peer.proxied = self.name_of(args)
        return "OK now you are"

    def do_login(self, args):
        p = self.peer
        if p.connections > p.max_connections:
            p.logins += 1
            self.done = True
            return "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)"
        if p.bye_at_login:
            self.send(p.bye_at_login)
            self.done = True
            return None
        user, secret = re.fullmatch(r'("(?:\\.|[^"\\])*"|\S+) (.*)', args).groups()
        return self.signs_in("LOGIN", self.name_of(user), self.name_of(secret))

    def do_id(self, _):
        self.send(f'* ID ("name" "{self.peer.server_id}")')
        return "OK"

    def do_noop(self, _):
        return "OK"

    def do_namespace(self, _):
        self.send(f"* NAMESPACE (({quoted(self.peer.prefix)} {quoted(self.peer.delimiter)})) NIL NIL")
        return "OK"

    def do_getquotaroot(self, args):
        self.send(" ".join(["* QUOTAROOT", args.strip(), *(quoted(root) for root, _, _ in self.peer.quota)]))
        for root, used, most in self.peer.quota:
            self.send(f"* QUOTA {quoted(root)} (STORAGE {used} {most} MESSAGE 5 100)")
        return "OK"

    def do_logout(self, _):
        self.send("* BYE bye")
        self.done = True
        return "OK"
