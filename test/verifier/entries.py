"""Entries of the log, their keys and signatures."""

import re
from datetime import datetime, timezone

from fields import is_body
from notes import COSIGNER, LOG, STATEMENT, unbase64, vkey
from primitives import Wrong, check_key, hash_json, jcs, need, parse_json, verifies
from roles import Roles

TYPE = "application/vnd.regulon.audit+json;v=1"
MAX_ENTRY = 61_440
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
ACTORS = {
    "federation.genesis": ["coordinator"],
    "member.join": ["coordinator"],
    "member.revoke": ["coordinator"],
    "key.rotate": ["coordinator"],
    "role.grant": ["steward"],
    "role.revoke": ["steward"],
    "policy.set": ["steward"],
    "policy.override": ["steward"],
    "dataset.commit": ["site", "steward"],
    "dataset.withdraw": ["steward"],
    "plan.propose": ["researcher"],
    "plan.approve": ["steward"],
    "plan.reject": ["steward"],
    "plan.withdraw": ["steward"],
    "run.start": ["coordinator"],
    "round.open": ["coordinator"],
    "round.contribution": ["site"],
    "round.unmask": ["site"],
    "round.aggregate": ["coordinator"],
    "round.abort": ["coordinator", "site"],
    "round.reopen": ["coordinator"],
    "round.ack": ["site"],
    "egress.receipt": ["site"],
    "retention.delete": ["coordinator"],
    "run.finish": ["coordinator"],
    "model.release": ["researcher"],
    "model.export": ["researcher"],
    "config.start": ["site", "coordinator"],
    "config.change": ["site", "coordinator"],
    "access.request": ["coordinator"],
    "admin.act": ["coordinator"],
    "witness.refusal": ["site"],
    "fork.evidence": ["site", "coordinator", "steward", "administrator", "researcher", "auditor", "operator"],
    "report.issued": ["auditor", "coordinator"],
    "log.baseline": ["coordinator", "site"],
    "log.prune": ["coordinator"],
    "anchor": ["coordinator"],
}


def parse(data):
    """An entry whose frame is right; bodies are judged by the rows that use them."""
    need(len(data) <= MAX_ENTRY, "an entry is too long")
    entry = parse_json(data)
    need(isinstance(entry, dict), "an entry is not an object")
    try:
        check_frame(entry)
    except (KeyError, TypeError, AttributeError) as error:
        raise Wrong(f"frame of an entry: {error}") from error
    return entry


def check_frame(entry):
    known = {"v", "kind", "fed", "seq", "prev", "at", "actor", "body", "sigs"}
    area = entry["kind"].split(".")[0]
    if entry["kind"] in ("retention.delete", "egress.receipt"):
        area = "round"
    scope = {"run": {"run"}, "model": {"run"}, "round": {"run", "round", "attempt"}}.get(area, set())
    need(entry["v"] == 1 and entry["kind"] in ACTORS, "version or kind")
    need(set(entry) == known | scope, "members of an entry")
    need(DIGEST.fullmatch(entry["prev"]) and isinstance(entry["seq"], int), "place in the chain")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["at"]), "time of an entry")
    seconds(entry["at"])
    actor, keys = entry["actor"], [s["key"] for s in entry["sigs"]]
    need(set(actor) == {"type", "id", "key"} and isinstance(entry["body"], dict), "actor or body")
    need(is_body(entry["kind"], entry["body"]), "members of a body")
    need(1 <= len(keys) <= 256 and keys == sorted(set(keys)), "order of signatures")


def seconds(at):
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError as error:
        raise Wrong("not a time") from error


def attachments(value):
    """Every {digest, size, mediaType} inside."""
    if isinstance(value, dict):
        if set(value) == {"digest", "size", "mediaType"}:
            yield value
        else:
            for inner in value.values():
                yield from attachments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from attachments(inner)


def signed_bytes(entry):
    payload = jcs({name: value for name, value in entry.items() if name != "sigs"})
    return f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload


class Keys:
    """Keys that entry 0 or a later roster fixes, by who signs."""

    def __init__(self, body, roles=None):
        self.body, origin = body, body["origin"]
        self.roles = roles or Roles()
        self.log = vkey(body["logKey"], LOG)
        need(self.log.name == origin, "name of the log key")
        self.by_actor, self.cosigners, every = {}, {}, [self.log.key]

        def statement(type_, id_, text):
            key = vkey(text, STATEMENT)
            name = f"{origin}/coordinator" if type_ == "coordinator" else f"{origin}/{type_}/{id_}"
            need(key.name == name and (type_, id_) not in self.by_actor, f"name of the key of {id_}")
            self.by_actor[type_, id_] = key
            every.append(key.key)

        statement("coordinator", "coordinator", body["coordinatorKey"])
        for member in body["members"]:
            name = member["name"]
            statement("site", name, member["statement"])
            statement("steward", name, member["steward"])
            cosigner = vkey(member["cosigner"], COSIGNER)
            need(cosigner.name == f"{origin}/site/{name}", "name of a cosigner")
            self.cosigners[name] = cosigner
            every.append(cosigner.key)
            for text in member["administrators"]:
                id_ = vkey(text, STATEMENT).name.rsplit("/", 1)[1]
                need(re.fullmatch(re.escape(name) + r"-\d+", id_), "name of an administrator")
                statement("administrator", id_, text)
        for person in body["people"]:
            statement(person["role"], person["id"], person["key"])
        need(len(set(every)) == len(every), "a key is repeated")
        self.every = set(every)
        self.by_short = {key.short: key for key in self.by_actor.values()}
        self.sites = {m["id"]: self.by_actor["site", m["name"]].key for m in body["members"]}
        self.names = {m["id"]: m["name"] for m in body["members"]}
        self.coordinator = self.by_actor["coordinator", "coordinator"].key

    def key_of(self, entry):
        """The key of who wrote an entry. Raises when it was never one of the actor's."""
        actor, type_ = entry["actor"], entry["actor"]["type"]
        key = self.by_actor.get((type_, actor["id"]))
        if key is None or key.short != actor["key"]:
            key = self.roles.key_of(type_, actor["id"], actor["key"])
        need(type_ in ACTORS[entry["kind"]], "an actor who does not sign this kind")
        need(key and key.short == actor["key"], "the actor's key is not in force")
        return key

    def check_own(self, entry):
        """The actor's own signature, whoever else signed. Raises when it is missing or wrong."""
        key = self.key_of(entry)
        own = [s for s in entry["sigs"] if s["key"] == key.short]
        need(own and verifies(key.key, unbase64(own[0]["sig"]), signed_bytes(entry)), "the actor's signature")

    def check(self, entry):
        """Signatures of an entry. Raises what is wrong."""
        key, actor = self.key_of(entry), entry["actor"]
        self.roles.check_time(key.short, entry["at"])
        required = {key.short}
        if entry["kind"] in ("role.grant", "role.revoke"):
            required.add(self.by_actor["coordinator", "coordinator"].short)
        if entry["kind"] == "federation.genesis":
            required |= {self.by_actor["site", m["name"]].short for m in self.body["members"]}
        if entry["kind"] == "dataset.commit" and (entry["body"].get("public") or entry["body"].get("simulated")):
            required.add(self.by_actor["steward", actor["id"]].short)
        need(required <= {s["key"] for s in entry["sigs"]}, "a required signature is missing")
        message = signed_bytes(entry)
        for signature in entry["sigs"]:
            signer = key if signature["key"] == key.short else self.by_short.get(signature["key"])
            need(signer and verifies(signer.key, unbase64(signature["sig"]), message), "a signature does not verify")


def check_roster(body, signed):
    """The signed roster is valid and entry 0 has its members."""
    roster = signed["roster"]
    hash_ = hash_json("roster", roster)
    need(body["rosterHash"] == "sha256:" + hash_.hex(), "hash of the roster")
    admins = {a["id"]: a for a in roster["admins"]}
    signers = {s["admin"] for s in signed["signatures"]}
    need(len(signers) == len(signed["signatures"]) >= roster["k"], "fewer administrators than k signed")
    for s in signed["signatures"]:
        key = check_key(bytes.fromhex(admins[s["admin"]]["key"]))
        need(verifies(key, bytes.fromhex(s["signature"]), hash_), "an administrator's signature")
    need(len(roster["members"]) == len(body["members"]), "members of the roster")
    for member, logged in zip(roster["members"], body["members"]):
        own = {n: member[n] for n in ("name", "org", "key", "cosignerKey")}
        valid = verifies(bytes.fromhex(member["key"]), bytes.fromhex(member["selfSignature"]), hash_json("member", own))
        need(valid, "a member's own signature")
        need((member["id"], member["name"]) == (logged["id"], logged["name"]), "members of the roster")
        pairs = [
            (member["key"], vkey(logged["statement"], STATEMENT)),
            (member["cosignerKey"], vkey(logged["cosigner"], COSIGNER)),
            (member["stewardKey"], vkey(logged["steward"], STATEMENT)),
        ]
        need(all(text == key.key.hex() for text, key in pairs), "keys of the roster")
    need(roster["policy"].get("retention", []) == body["retention"], "retention classes of the roster")
    need(roster["coordinatorKey"] == vkey(body["coordinatorKey"], STATEMENT).key.hex(), "key of the coordinator")
