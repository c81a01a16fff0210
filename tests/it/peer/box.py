"""A folder of the peer."""


class Box:
    def __init__(self, validity=1):
        self.validity, self.next, self.items = validity, 1, {}

    def add(self, raw, flags=(), date="01-Jan-2020 00:00:00 +0000"):
        uid = self.next
        self.next += 1
        self.items[uid] = [raw, [f for f in flags if f], date]
        return uid
