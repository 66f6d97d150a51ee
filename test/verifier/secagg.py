"""Manifest, evidence and transcript of one attempt: docs/protocol.md, Secure aggregation."""

import struct
from dataclasses import dataclass

from primitives import H, PREFIX, Reader, enc, need, sha256, u32, verifies

PURPOSES = ["train", "statistics", "evaluation"]


def parse_manifest(data):
    """Fields of the encoded manifest by name."""
    r, m = Reader(data), {}
    m["version"], m["federation"], m["rosterHash"] = r.int(2), r.text(128), r.bytes(32)
    m["run"], m["round"], m["attempt"] = r.bytes(16), r.int(), r.int(2)
    m["purpose"], m["stepId"], m["arm"] = r.int(1), r.text(256), r.int(2)
    m["roles"] = [(r.int(), r.int(1)) for _ in r.list()]
    m["planHash"], m["modelHash"], m["previous"] = r.bytes(32), r.bytes(32), r.bytes(32)
    m["N"], m["d"] = r.int(2), r.int()
    m["extras"] = [(r.text(128), r.int(), f64(r), f64(r)) for _ in r.list(256)]
    m["Q"], m["C"], m["weightCap"] = r.int(), f64(r), r.int()
    m["denominator"], m["mechanism"], m["z"] = f64(r), r.int(1), f64(r)
    m["nMin"], m["num"], m["den"] = r.int(2), r.int(2), r.int(2)
    m["rule"], m["prg"], m["ringBits"], m["fractionBits"] = r.int(1), r.int(1), r.int(1), r.int(1)
    m["graph"], m["subCohort"] = r.int(1), r.int(2)
    m["deadlines"] = [r.int(8) for _ in range(5)]
    r.end()
    need(m["version"] == 1 and m["purpose"] < 3 and m["mechanism"] < 3 and m["rule"] < 2, "a field of the manifest")
    need(m["ringBits"] in (32, 64) and m["graph"] == 0, "a field of the manifest")
    m["ctx"] = sha256(enc(PREFIX + "CTX") + data)
    m["L"] = m["d"] + 1 + len(m["extras"])
    return m


def f64(reader):
    return struct.unpack(">d", reader.bytes(8))[0]


def thresholds(m, members, n):
    """Integers of the table of thresholds, for n = |U1|."""
    c = m["num"] * members // m["den"]
    quorum = (m["N"] + c) // 2 + 1 if m["rule"] == 0 else m["N"] // 2 + 1
    t = (n + c) // 2 + 1
    u_min = max(t, c + 3)
    return {"N": m["N"], "M": members, "n": n, "c": c, "quorum": quorum, "t": t, "uMin": u_min, "h": u_min - c}


@dataclass
class Evidence:
    """Messages by site, as the attachment lists them."""

    advertise: dict
    dealers: dict
    commits: dict
    consistency: dict
    answers: dict
    used: list


def parse_evidence(data):
    r = Reader(data)
    need(r.text(100) == "regulon/round-evidence/v1", "label of the evidence")
    evidence = Evidence(
        messages(r, lambda s: (s.bytes(32), s.bytes(32), s.bytes(32), s.bytes(64))),
        messages(r, lambda s: (s.bytes(32), s.bytes(32), s.bytes(64))),
        messages(r, lambda s: (s.int(), s.bytes(32), s.bytes(64))),
        messages(r, lambda s: (s.bytes(64),)),
        messages(r, lambda s: ([(s.int(1), s.int(), s.bytes(32), s.bytes(16)) for _ in s.list()], s.bytes(64))),
        [r.int() for _ in r.list()],
    )
    r.end()
    need(evidence.used == sorted(set(evidence.used)), "order of the evidence")
    return evidence


def messages(reader, read):
    found = {}
    for _ in reader.list():
        inner = Reader(reader.bytes())
        id_ = inner.int()
        need(not found or id_ > max(found), "order of the evidence")
        found[id_] = read(inner)
        inner.end()
    return found


def signed(keys, id_, signature, ctx, tag, *fields):
    return id_ in keys and verifies(keys[id_], signature, H(tag, ctx, *fields))


def signed_by(key, signature, ctx, tag, *fields):
    return verifies(key, signature, H(tag, ctx, *fields))


def h1_of(ctx, advertise):
    fields = [f for i, (c, s, v, _) in advertise.items() for f in (u32(i), c, s, v)]
    return H("L1", ctx, u32(len(advertise)), *fields)


def h2_of(ctx, h1, ids):
    return H("U2", ctx, h1, u32(len(ids)), *map(u32, ids))


def h3_of(ctx, h2, commits):
    fields = [f for i, (_, root, _) in commits.items() for f in (u32(i), root)]
    return H("U3", ctx, h2, u32(len(commits)), *fields)


def answer_hash(ctx, h3, shares):
    fields = [f for kind, j, share, r in shares for f in (bytes([kind]), u32(j), share, r)]
    return H("ANS", ctx, h3, u32(len(shares)), *fields)


def groups_of(h1, ids, size):
    """Sub-cohorts: sorted ids of each group."""
    ranked = sorted(ids, key=lambda i: sha256(h1 + u32(i)))
    count = len(ranked) // size
    groups = [ranked[i * size : (i + 1) * size] for i in range(count)]
    groups[-1] += ranked[count * size :]
    return [sorted(group) for group in groups]


def over_groups(ctx, hashes):
    return H("GROUPS", ctx, u32(len(hashes)), *hashes)


class Attempt:
    """An attempt or one of its groups, recomputed from evidence."""

    def __init__(self, manifest, members, evidence, h1, ids):
        pick = lambda source: {i: source[i] for i in ids if i in source}
        self.m, self.ctx, self.u1, self.h1, self.e = manifest, manifest["ctx"], ids, h1, evidence
        self.dealers, self.commits = pick(evidence.dealers), pick(evidence.commits)
        self.consistency, self.answers = pick(evidence.consistency), pick(evidence.answers)
        self.used = [i for i in evidence.used if i in ids]
        self.u2, self.u3 = list(self.dealers), list(self.commits)
        self.h2 = h2_of(self.ctx, h1, self.u2)
        self.h3 = h3_of(self.ctx, self.h2, self.commits)
        self.limits = thresholds(manifest, members, len(ids))

    def check(self, keys):
        """Signatures and answers. Raises what is wrong."""
        m, ctx, t = self.m, self.ctx, self.limits["t"]
        need(set(self.u3) <= set(self.u2) <= set(self.u1), "U3 ⊆ U2 ⊆ U1")
        for i, (cb, root, sigma) in self.dealers.items():
            need(signed(keys, i, sigma, ctx, "R1", self.h1, u32(i), cb, root), f"σ1 of site {i}")
        for i, (length, root, sigma) in self.commits.items():
            fits = length == m["L"] and signed(keys, i, sigma, ctx, "R2", self.h2, u32(i), u32(length), root)
            need(fits, f"σ2 of site {i}")
        for i, (sigma,) in self.consistency.items():
            need(i in self.u2 and signed(keys, i, sigma, ctx, "R3", self.h3, u32(i)), f"σ3 of site {i}")
        need(len(self.consistency) >= t, "fewer than t confirmations")
        want = [(0 if j in self.commits else 1, j) for j in self.u2]
        for i, (shares, sigma) in self.answers.items():
            a = answer_hash(ctx, self.h3, shares)
            need(i in self.u2 and signed(keys, i, sigma, ctx, "R4", self.h3, u32(i), a), f"σ4 of site {i}")
            need([(kind, j) for kind, j, _, _ in shares] == want, f"shares of site {i}")
        need(self.used == sorted(self.answers)[:t] and len(self.used) == t, "the answers used are not the first t")

    def answer_hashes(self):
        return [answer_hash(self.ctx, self.h3, self.answers[i][0]) for i in self.used]
