"""Rosters that follow one another: docs/protocol.md, Later membership."""

import base64
import hashlib

from entries import Keys
from notes import COSIGNER, STATEMENT, unbase64
from primitives import check_key, hash_json, hexes, need, parse_json, verifies

CHANGES = ("member.join", "member.revoke", "key.rotate")
FIELDS = {"site": "key", "cosigner": "cosignerKey", "steward": "stewardKey"}


class History:
    """The keys of each roster; `at(index)` are those for an entry of this index, or a checkpoint of this size."""

    def __init__(self, keys, roster, fed):
        self.fed = fed
        self.versions, self.rosters, self.indexes = [keys], [roster], []

    def at(self, index):
        return self.versions[sum(changed < index for changed in self.indexes)]

    def until(self, index):
        """Those that were in force up to an entry of this index."""
        return self.versions[: 1 + sum(changed < index for changed in self.indexes)]

    @property
    def last(self):
        return self.versions[-1]

    def names(self):
        return {i: name for keys in self.versions for i, name in keys.names.items()}

    def take(self, log, index, entry):
        """The roster of an entry is in force from there on. Raises what is wrong; then nothing changes."""
        body = entry["body"]
        signed = parse_json(log.attachment(body["roster"]))
        need(set(signed) == {"roster", "signatures"}, "members of the signed roster")
        roster = signed["roster"]
        change = check_successor(self.rosters, roster, signed["signatures"])
        keys = Keys(terms(self.versions[0].body, roster, body), self.last.roles)
        need(body["quorumPolicy"] == policy_of(keys.body), "quorum policy of the change")
        need((entry["kind"], body) == implied(change, self.last, keys, roster, body), "an entry other than its roster")
        self.versions.append(keys)
        self.rosters.append(roster)
        self.indexes.append(index)


def vkey_text(name, type_, key):
    data = type_ + bytes.fromhex(key)
    short = hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]
    return f"{name}+{short}+{base64.b64encode(data).decode()}"


def terms(founding, roster, body):
    """What a genesis of this roster would say."""
    origin = founding["origin"]
    members = []
    for m in roster["members"]:
        name = m["name"]
        own = [a for a in roster["admins"] if a["member"] == m["id"]]
        members.append(
            {
                "id": m["id"],
                "name": name,
                "statement": vkey_text(f"{origin}/site/{name}", STATEMENT, m["key"]),
                "cosigner": vkey_text(f"{origin}/site/{name}", COSIGNER, m["cosignerKey"]),
                "steward": vkey_text(f"{origin}/steward/{name}", STATEMENT, m["stewardKey"]),
                "administrators": [
                    vkey_text(f"{origin}/administrator/{name}-{a['id']}", STATEMENT, a["key"]) for a in own
                ],
            }
        )
    gamma = roster["policy"]["gamma"]
    colluders = gamma["num"] * len(members) // gamma["den"]
    return founding | {
        "coordinatorKey": vkey_text(f"{origin}/coordinator", STATEMENT, roster["coordinatorKey"]),
        "rosterHash": hexes(hash_json("roster", roster)),
        "roster": body["roster"],
        "members": members,
        "administratorThreshold": roster["k"],
        "quorumPolicy": body["quorumPolicy"],
        "colluders": colluders,
        "quorum": (len(members) + colluders) // 2 + 1,
    }


def policy_of(body):
    """The attachment that is the quorum policy of these terms."""
    members, names = body["members"], " ".join(m["name"] for m in body["members"])
    lines = [f"log {body['logKey']}", *(f"witness {m['name']} {m['cosigner']}" for m in members)]
    quorum = [f"group sites {body['quorum']} {names}", "quorum sites"]
    lines += ["quorum none"] if body["gateMode"] == "signed" else quorum
    data = "".join(line + "\n" for line in lines).encode()
    return {"digest": hexes(hashlib.sha256(data).digest()), "size": len(data), "mediaType": "text/plain"}


def implied(change, old, new, roster, body):
    """Kind and body of the entry of a change."""
    names = ("rosterHash", "roster", "quorumPolicy", "administratorThreshold", "colluders", "quorum")
    common = {name: new.body[name] for name in names}
    common |= {"previous": old.body["rosterHash"], "reason": roster["follows"]["reason"]}
    what, detail = change
    if what == "join":
        return "member.join", common | {"member": member_of(new, detail)}
    if what == "revoke":
        gone = member_of(old, detail)
        keys = [gone["statement"], gone["cosigner"], gone["steward"], *gone["administrators"]]
        return "member.revoke", common | {"member": gone["name"], "keys": keys}
    role, holder, before, key = detail
    handover = base64.b64encode(bytes.fromhex(roster["follows"]["handover"])).decode()
    texts = {"old": text_of(old, before), "key": text_of(new, key)}
    return "key.rotate", common | {"role": role, "id": holder, "handover": handover} | texts


def member_of(keys, id_):
    return next(m for m in keys.body["members"] if m["id"] == id_)


def text_of(keys, key):
    texts = [keys.body["coordinatorKey"]]
    for m in keys.body["members"]:
        texts += [m["statement"], m["cosigner"], m["steward"], *m["administrators"]]
    return next(text for text in texts if unbase64(text.split("+", 2)[2])[-32:].hex() == key)


def keys_of(roster):
    members = [m[field] for m in roster["members"] for field in FIELDS.values()]
    return members + [a["key"] for a in roster["admins"]] + [roster["coordinatorKey"]]


def check_successor(history, roster, signatures):
    """What a roster changes. Raises what keeps it from following the last of these."""
    old, hash_ = history[-1], hash_json("roster", roster)
    need(roster["federationId"] == old["federationId"] and roster["version"] == old["version"] + 1, "version")
    need(roster["follows"]["rosterHash"] == hash_json("roster", old).hex(), "a roster that follows another one")
    check_form(roster)
    change = difference(old, roster)
    check_fresh(history, roster, change)
    if change[0] == "rotate":
        role, holder, before, key = change[1]
        said = {"federationId": roster["federationId"], "role": role, "id": holder, "old": before, "key": key}
        signature = bytes.fromhex(roster["follows"].get("handover", ""))
        need(verifies(bytes.fromhex(before), signature, hash_json("handover", said)), "the old key did not hand over")
    admins = {a["id"]: a for a in old["admins"]}
    for s in signatures:
        need(s["admin"] in admins, "a signature of no administrator in force")
        key = bytes.fromhex(admins[s["admin"]]["key"])
        need(verifies(key, bytes.fromhex(s["signature"]), hash_), "an administrator's signature")
    signers = {s["admin"] for s in signatures}
    if change[0] == "rotate" and change[1][0] != "coordinator":
        owner = owner_of(old, change[1][2])
        own = {i for i, a in admins.items() if a["member"] == owner}
        need(not own or own & signers, "no administrator of the member whose key changes")
    leaves = change[0] == "revoke" and roster["k"] == old["k"]
    own = leaves and any(admins[i]["member"] == change[1] for i in signers)
    need(own or len(signers) >= old["k"], "fewer administrators than k signed")
    return change


def owner_of(roster, key):
    for m in roster["members"]:
        if key in [m[field] for field in FIELDS.values()]:
            return m["id"]
    return next(a["member"] for a in roster["admins"] if a["key"] == key)


def check_form(roster):
    members, admins = roster["members"], roster["admins"]
    ids = {m["id"] for m in members}
    need(3 <= len(members) == len(ids) == len({m["name"] for m in members}) <= 255, "ids and names of members")
    need(len({a["id"] for a in admins}) == len(admins) >= roster["k"] >= 1, "ids of administrators")
    need(all(a["member"] in ids for a in admins), "an administrator of no member")
    keys = keys_of(roster)
    need(len(set(keys)) == len(keys), "a key is repeated")
    for key in keys:
        check_key(bytes.fromhex(key))
    for m in members:
        own = {n: m[n] for n in ("name", "org", "key", "cosignerKey")}
        signature = bytes.fromhex(m["selfSignature"])
        need(verifies(bytes.fromhex(m["key"]), signature, hash_json("member", own)), "a member's own signature")


def difference(old, new):
    before, after = {m["id"] for m in old["members"]}, {m["id"] for m in new["members"]}
    came, left = after - before, before - after
    need(len(came) + len(left) <= 1, "more than one member changes")
    if came:
        need(rest(old) == rest(new, came), "more than the newcomer changes")
        return "join", came.pop()
    if left:
        need(rest(old, left) == rest(new), "more than the member who leaves changes")
        return "revoke", left.pop()
    need(old["k"] == new["k"], "how many sign changes beside a key")
    return "rotate", rotation(old, new)


def rest(roster, without=()):
    """A roster without some members and without what may change beside them."""
    kept = {n: v for n, v in roster.items() if n not in ("version", "follows", "k", "members", "admins")}
    members = [m for m in roster["members"] if m["id"] not in without]
    return kept, members, [a for a in roster["admins"] if a["member"] not in without]


def rotation(old, new):
    found = []

    def see(role, holder, before, key):
        if before != key:
            found.append((role, holder, before, key))

    see("coordinator", "coordinator", old["coordinatorKey"], new["coordinatorKey"])
    expected, names = [], {}
    for m in old["members"]:
        now = next(n for n in new["members"] if n["id"] == m["id"])
        names[m["id"]] = m["name"]
        for role, field in FIELDS.items():
            see(role, m["name"], m[field], now[field])
        expected.append(m | {n: now[n] for n in (*FIELDS.values(), "selfSignature")})
    admins = []
    for a in old["admins"]:
        now = next((n for n in new["admins"] if n["id"] == a["id"]), a)
        see("administrator", f"{names[a['member']]}-{a['id']}", a["key"], now["key"])
        admins.append(a | {"key": now["key"]})
    same = old | {"coordinatorKey": new["coordinatorKey"], "members": expected, "admins": admins}
    need(rest(same) == rest(new) and len(found) == 1, "not one key changes")
    return found[0]


def check_fresh(history, roster, change):
    known = set(keys_of(history[-1]))
    past = {key for before in history for key in keys_of(before)}
    need(not any(key in past and key not in known for key in keys_of(roster)), "a key of an earlier roster")
    if change[0] != "join":
        return
    came = next(m for m in roster["members"] if m["id"] == change[1])
    for before in history:
        need(all(m["id"] != came["id"] and m["name"] != came["name"] for m in before["members"]), "a former member")
        old = {a["id"] for a in before["admins"]}
        need(all(a["id"] not in old for a in roster["admins"] if a["member"] == came["id"]), "a former administrator")
