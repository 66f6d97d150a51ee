"""Roles that entries give and take: docs/protocol.md, Log, Entry."""

from datetime import datetime, timedelta

from notes import STATEMENT, vkey
from primitives import Wrong, need


FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


class Ended(Wrong):
    """The role of who signed was not in force."""


class Roles:
    """`granted`: (type, id, key, end) by the short form of the key; `grants`: (key, index, end) of every grant."""

    def __init__(self):
        self.granted, self.revoked, self.grants = {}, set(), []

    def key_of(self, type_, id_, short):
        granted = self.granted.get(short)
        return granted[2] if granted and granted[:2] == (type_, id_) else None

    def check_time(self, short, at):
        ended = short in self.revoked or (short in self.granted and at > self.granted[short][3])
        if ended:
            raise Ended("the role has ended")

    def check_passed(self, short, passed, skew):
        """A role that had ended before the log took an entry. `passed`: of the coordinator's last entry before."""
        since = datetime.strptime(passed, FORM) - timedelta(seconds=skew)
        self.check_time(short, since.strftime(FORM)[:23] + "Z")

    def was_in_force(self, short, at, index):
        """By some grant before an entry of this index; a key that was never granted needs none."""
        own = [(place, end) for key, place, end in self.grants if key == short]
        return not own or any(place < index and at <= end for place, end in own)

    def take(self, entry, keys, index):
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
        self.grants.append((key.short, index, body["validUntil"]))
