"""Roles that entries give and take: docs/protocol.md, Log, Entry."""

from notes import STATEMENT, vkey
from primitives import Wrong, need


class Ended(Wrong):
    """The role of who signed was not in force."""


class Roles:
    """`granted`: (type, id, key, end) by the short form of the key."""

    def __init__(self):
        self.granted, self.revoked = {}, set()

    def key_of(self, type_, id_, short):
        granted = self.granted.get(short)
        return granted[2] if granted and granted[:2] == (type_, id_) else None

    def check_time(self, short, at):
        ended = short in self.revoked or (short in self.granted and at > self.granted[short][3])
        if ended:
            raise Ended("the role has ended")

    def take(self, entry, keys):
        """Raises what is wrong; then nothing changes."""
        body, at = entry["body"], entry["at"]
        person = body["role"], body["subject"]
        key = vkey(body["key"], STATEMENT)
        need(body["role"] in ("researcher", "auditor", "operator"), "role")
        need(key.name == f"{keys.body['origin']}/{person[0]}/{person[1]}", "name of a person's key")
        founding = keys.by_actor.get(person)
        if entry["kind"] == "role.revoke":
            known = (founding and founding.short == key.short) or self.granted.get(key.short, ())[:2] == person
            need(known and key.short not in self.revoked, "no role to take away")
            self.revoked.add(key.short)
            return
        need(body["validUntil"] > at and key.short not in self.revoked, "a role that has ended")
        if key.short not in self.granted:
            need(key.key not in keys.every and all(key.key != g[2].key for g in self.granted.values()), "a used key")
            others = [s for s, g in self.granted.items() if g[:2] == person] + ([founding.short] if founding else [])
            need(set(others) <= self.revoked, "another key of the person")
        self.granted[key.short] = (*person, key, body["validUntil"])
