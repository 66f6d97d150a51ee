"""Entries of the log, their keys and signatures."""

import re
from datetime import datetime, timezone

import bodies
from notes import COSIGNER, LOG, STATEMENT, unbase64, vkey
from primitives import Wrong, check_key, hash_json, jcs, need, parse_json, verifies
from roles import Roles

TYPE = "application/vnd.regulon.audit+json;v=1"
MAX_ENTRY = 61_440
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


ACTOR = {"id": bodies.NAME, "key": bodies.KEY}
SIGNATURES = bodies.array(bodies.members(key=bodies.KEY, sig=bodies.S), 256, 1, by=lambda value: value["key"])
RUN = {"run": bodies.like("run_[0-9a-f]{32}")}
SCOPES = {"run": RUN, "model": RUN, "round": {**RUN, "round": bodies.ID, "attempt": bodies.U16}}


def parse(data):
    """An entry of the form of its kind. Raises `NotCanonical` when its bytes are none."""
    need(len(data) <= MAX_ENTRY, "an entry is too long")
    entry = parse_json(data)
    need(isinstance(entry, dict) and isinstance(entry.get("kind"), str), "an entry is not an object with a kind")
    need(entry["kind"] in ACTORS, "kind of an entry")
    need(form_of(entry["kind"])(entry), f"form of {entry['kind']}")
    return entry


def form_of(kind):
    area = "round" if kind in ("retention.delete", "egress.receipt") else kind.split(".")[0]
    return bodies.members(
        v=bodies.number(1, 1),
        kind=bodies.one_of(kind),
        fed=bodies.like("fed_[a-z0-9]{2,40}"),
        **SCOPES.get(area, {}),
        **{"seq": bodies.N, "prev": bodies.D, "at": bodies.T},
        actor=bodies.members(type=bodies.one_of(*ACTORS[kind]), **ACTOR),
        **{"body": bodies.BODIES[kind], "sigs": SIGNATURES},
    )


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
