"""Rows L1 to L5 of docs/protocol.md, Offline verifier."""

import hashlib
import re
from collections import Counter

import entries as log_entries
import tree
from lists import members_of
from membership import CHANGES, History
from notes import parse_note, verify_log
from primitives import Missing, NotCanonical, Wrong, need
from roles import Ended
from runs import run_of

DAY = 86_400


class Log:
    """What a bundle holds, and what was found wrong with it: `findings` is [(row, index or None, note)]."""

    def __init__(self, files, changed, policy):
        self.files, self.policy, self.findings = files, policy, []
        self.entries, self.hashes, self.history, self.genesis = [], [], None, None
        self.checkpoint, self.is_signed, self.used, self.asks = None, False, {}, []
        # what rows say unless they fail, and of how many rounds level 2 was judged
        self.says, self.derived, self.replayed = {}, Counter(), 0
        # first entry whose bundle is there, and what a baseline says of those before it
        self.minimum, self.start = 0, {"repeated": [], "heads": [], "ledgers": [], "ended": []}
        for name in changed:
            if not name.startswith(("tile/", "attachments/")):
                self.add("L1", 0, f"checksum of {name}")

    def add(self, row, index, note):
        self.findings.append((row, index, note))

    def at(self, index):
        """Keys in force for an entry of this index, or a checkpoint of this size."""
        return self.history.at(index)

    @property
    def names(self):
        """Name of each member by its id, former members too."""
        return self.history.names()

    def of_kind(self, *kinds):
        return [(i, e) for i, e in enumerate(self.entries) if e and e["kind"] in kinds]

    def attachment(self, reference):
        data = self.files.get("attachments/sha256/" + reference["digest"][7:], b"")
        if hashlib.sha256(data).hexdigest() != reference["digest"][7:]:
            raise Missing("an attachment is missing or changed")
        return data


def read_checkpoint(log):
    """What it states, if it is a note of a checkpoint; who signed it is another question."""
    try:
        log.checkpoint = parse_note(log.files.get("checkpoint", b""))
        verify_log(log.checkpoint, log.policy.log)
        log.is_signed = True
    except Wrong as error:
        log.add("L1", None, f"checkpoint: {error}")


def read_size(log):
    """Size of the checkpoint that the log signed, at most what the files can hold; else what the entry bundles promise."""
    claimed = log.checkpoint.size if log.is_signed else max((tree.end_of(path) for path in log.files), default=0)
    most = tree.WIDTH * len(log.files)
    if claimed > most:
        log.add("L1", None, f"{claimed} entries are claimed, the files hold at most {most}")
    return min(claimed, most)


def read_tiles(log):
    """Entries and hash tiles of the log's size."""
    size, bundle, expected = read_size(log), log.files, {}
    raw = []
    log.minimum = next((first for path, level, first, _ in tree.tiles(size) if level == "entries" and path in bundle), 0)
    for path, level, first, width in tree.tiles(size):
        if level == "entries" and first < log.minimum:
            raw += [None] * width
            continue
        expected[path] = level, first, width
        if level == "entries":
            some, whole = tree.split_bundle(bundle.get(path, b""), width)
            if not whole:
                log.add("L1", first + (some.index(None) if None in some else width - 1), f"{path} is cut or missing")
            raw += some
    log.hashes = [tree.leaf(data) if data is not None else None for data in raw]
    bottom = b"".join(bundle.get(path, b"") for path, (level, _, _) in expected.items() if level == 0)
    stored = [bottom[i : i + 32] for i in range(0, len(bottom), 32)]
    for index in range(min(log.minimum, len(stored))):
        log.hashes[index] = stored[index]
    for index, value in enumerate(log.hashes):
        if index >= len(stored) or stored[index] != value:
            log.add("L1", index, "the entry is not the one of its hash tile")
    check_upper(log, expected, stored)
    if log.checkpoint and len(stored) == size and tree.root(stored) != log.checkpoint.root:
        log.add("L1", None, "the tiles do not have the checkpoint's root")
    for path in sorted(p for p in bundle if p.startswith("tile/") and p not in expected):
        log.add("L1", None, f"{path} is too many")
    for index, data in enumerate(raw):
        log.entries.append(parsed(log, index, data))


def check_upper(log, expected, stored):
    for path, (level, first, width) in expected.items():
        if level in ("entries", 0):
            continue
        want = b"".join(tree.upper(stored, level)[first : first + width])
        if log.files.get(path) != want:
            log.add("L1", first * tree.WIDTH**level, f"{path} is not what the tiles below give")


def parsed(log, index, data):
    if data is None:
        return None
    try:
        return log_entries.parse(data)
    except Wrong as error:
        log.add("L1" if isinstance(error, NotCanonical) else "D1", index, str(error))
        return None


def read_attachments(log):
    for index, entry in enumerate(log.entries):
        for reference in log_entries.attachments(entry["body"]) if entry else ():
            path = "attachments/sha256/" + reference["digest"][7:]
            data = log.files.get(path)
            is_known = path in log.used
            log.used.setdefault(path, index)
            if data is None:
                log.add("L5", index, "an attachment is missing")
            elif len(data) != reference["size"] or not (is_known or hashlib.sha256(data).hexdigest() == path[19:]):
                log.add("L1", index, "an attachment was changed, or has another size")
    for path in log.files:
        if path.startswith("attachments/") and path not in log.used:
            log.add("L1", None, f"no readable entry refers to {path}")


def check_fixed_files(log):
    """Files that follow from entry 0 and the changes of the membership."""
    body = log.history.last.body
    keys = {"log": body["logKey"], "coordinator": body["coordinatorKey"]}
    for member in body["members"]:
        for role, name in (("site", "statement"), ("cosigner", "cosigner"), ("steward", "steward")):
            keys[f"{role}-{member['name']}"] = member[name]
    keys |= {f"{p['role']}-{p['id']}": p["key"] for p in body["people"]}
    fixed = {f"keys/{name}.vkey": text.encode() + b"\n" for name, text in keys.items()}
    try:
        fixed["quorum.policy"] = log.attachment(body["quorumPolicy"])
    except Missing:
        # row L5, or L1, says so of the attachment; the file cannot be what nobody has
        log.add("L1", 0, "quorum.policy is not what entry 0 says")
    for path, data in fixed.items():
        if log.files.get(path) != data:
            log.add("L1", 0, f"{path} is not what entry 0 says")
    others = ("checkpoint", "VERIFY.md")
    for path in log.files:
        if path in fixed or path in others or path.startswith(("tile/", "attachments/")):
            continue
        if body["gateMode"] == "cosigned" and re.fullmatch(r"site-checkpoints/\d+\.note", path):
            continue
        log.add("L1", 0, f"{path} is too many")
    if "VERIFY.md" not in log.files:
        log.add("L1", 0, "VERIFY.md is missing")


def check_chain_values(log):
    if None in log.hashes:
        return
    values = tree.chain(log.hashes)
    for index, entry in log.of_kind("round.open"):
        body = entry["body"]
        if (body["size"], body["chain"]) != (index, "sha256:" + values[index].hex()):
            log.add("L1", index, "round.open quotes another chain or size")


def check_signers(log):
    """L3: entry 0, then every entry under its keys."""
    first = log.entries[0] if log.entries else None
    if first is None:
        if not log.entries:
            log.add("L1", None, "the log is empty")
        return
    try:
        need(first["kind"] == "federation.genesis", "entry 0 is not a genesis")
        log.genesis = first["body"] | {"members": members_of(log, first["body"])}
        keys = log_entries.Keys(log.genesis)
        keys.check(first)
        # the keys of entry 0 are known; without its roster no other one follows, and no administrator is known
        log.history = History(keys, None, first["fed"])
        signed = log_entries.parse_json(log.attachment(log.genesis["roster"]))
        log_entries.check_roster(log.genesis, signed)
        need("follows" not in signed["roster"], "a founding roster that follows another")
        log.history.rosters[0] = signed["roster"]
    except (Wrong, KeyError, TypeError, ValueError) as error:
        log.add("L3", 0, f"entry 0: {error}")
    if log.history is None:
        return
    passed = first["at"]
    for index, entry in enumerate(log.entries):
        if entry is None or index == 0:
            continue
        before, passed = passed, entry["at"] if entry["actor"]["type"] == "coordinator" else passed
        try:
            need(entry["fed"] == first["fed"], "an entry of another federation")
            need(entry["kind"] != "federation.genesis", "a second genesis")
            check_former(log, index, entry)
            log.history.last.check(entry)
            skew = log.genesis["skewSeconds"]
            log.history.last.roles.check_passed(entry["actor"]["key"], before, skew)
            if entry["kind"] in CHANGES:
                log.history.take(log, index, entry)
            if entry["kind"] in ("role.grant", "role.revoke"):
                log.history.last.roles.take(entry, log.history.last, index)
        except Ended as error:
            log.add("A1" if entry["kind"] == "plan.propose" else "L3", index, str(error))
        except (Wrong, KeyError, ValueError, TypeError, StopIteration) as error:
            log.add("L3", index, str(error))


def check_former(log, index, entry):
    """X1: a former member contributes nothing."""
    name = entry["actor"]["id"]
    is_former = name in log.names.values() and name not in log.history.last.names.values()
    if entry["kind"] == "round.contribution" and is_former:
        log.add("X1", index, f"{name} contributed after it was removed")


def check_chains(log):
    """L3 place in the actor's chain, L4 its times."""
    heads = {(h["type"], h["id"]): (h["seq"], log.hashes[h["index"]], "") for h in log.start["heads"]}
    for index, entry in enumerate(log.entries):
        if entry is None or index < log.minimum:
            continue
        actor = entry["actor"]["type"], entry["actor"]["id"]
        seq, prev, at = heads.get(actor, (-1, bytes(32), ""))
        if entry["seq"] != seq + 1 or entry["prev"] != "sha256:" + prev.hex():
            log.add("L3", index, f"entry {entry['seq']} of {actor} does not follow its entry {seq}")
        elif entry["at"] < at:
            log.add("L4", index, "the time goes back in the chain")
        heads[actor] = entry["seq"], log.hashes[index], entry["at"]


def check_policy(log):
    body, policy, last = log.genesis, log.policy, log.history.last
    members = len(body["members"])
    most = body["gamma"]["num"] * members // body["gamma"]["den"]
    if last.log != policy.log:
        log.add("L2", 0, "entry 0 names another log key than the policy")
    needed = 0 if body["gateMode"] == "signed" else last.body["quorum"]
    if last.cosigners != policy.witnesses or needed != policy.quorum:
        log.add("L2", (log.history.indexes or [0])[-1], "the log names other witnesses or another quorum than the policy")
    if body["colluders"] < most or body["quorum"] < (members + most) // 2 + 1:
        log.add("L2", 0, "the quorum is below the formula")


def check_site_checkpoints(log, kept):
    """Those that a site may have kept; L2 for each that no site would have."""
    notes = []
    for data in kept:
        try:
            note = parse_note(data)
            verify_log(note, log.policy.log)
        except Wrong as error:
            log.add("L2", None, f"a checkpoint that a site keeps is not acceptable: {error}")
            continue
        if note.size > len(log.hashes):
            log.add("L1", len(log.hashes), f"a site keeps a checkpoint of size {note.size}")
        elif None not in log.hashes and tree.root(log.hashes[: note.size]) != note.root:
            log.add("L2", None, "a site keeps a checkpoint with another root")
        else:
            notes.append(note)
    return notes


def check_gates(log):
    """L2 in gate mode signed: nothing but public or simulated data."""
    if log.genesis["gateMode"] != "signed":
        return
    for index, entry in log.of_kind("run.start"):
        run = run_of(log, entry["run"])
        if run and not run.is_public:
            log.add("L2", index, "gate mode signed over data that are not public or simulated")


def check_deletions(log):
    """L5: uploads are deleted once, after the close that they belong to."""
    done = set()
    for index, entry in log.of_kind("retention.delete"):
        body, place = entry["body"], (entry["round"], entry["attempt"])
        earlier = [e for e in log.entries[:index] if e and e.get("run") == entry["run"]]
        closes = [e for e in earlier if e["kind"] == "round.aggregate"]
        own = next((e for e in closes if e["body"]["context"] == body["context"]), None)
        fits = (
            own
            and (own["round"], own["attempt"]) == place
            and (own["body"]["transcript"], len(own["body"]["u3"])) == (body["transcript"], body["vectors"])
        )
        is_over = any(e["kind"] == "run.finish" for e in earlier)
        if body["rule"] == "later-close":
            is_over = any(e["round"] > entry["round"] for e in closes)
        if not fits or not is_over or body["context"] in done:
            log.add("L5", index, "uploads deleted before their time, twice, or of no close")
        done.add(body["context"])
