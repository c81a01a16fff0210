"""What a connection says of itself: capabilities, sign-in, namespace, the end."""


class SignIn:
    def do_capability(self, _):
        self.send("* CAPABILITY " + self.peer.caps)
        return "OK done"

    def do_login(self, _):
        p = self.peer
        with p.lock:
            p.logins += 1
        if p.connections > p.max_connections:
            self.done = True
            return "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)"
        if p.bye_at_login:
            self.send(p.bye_at_login)
            self.done = True
            return None
        return "OK in"

    def do_id(self, _):
        self.send(f'* ID ("name" "{self.peer.server_id}")')
        return "OK"

    def do_noop(self, _):
        return "OK"

    def do_namespace(self, _):
        self.send('* NAMESPACE (("" "/")) NIL NIL')
        return "OK"

    def do_logout(self, _):
        self.send("* BYE bye")
        self.done = True
        return "OK"
