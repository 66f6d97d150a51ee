"""Rows S1 and S2 from the evidence of level 1."""

import math

import entries as log_entries
import secagg
from combination import enough_groups
from notes import unbase64
from owners import cover_owners
from primitives import H, Missing, Wrong, hexes, need, u32
from reopens import check_answers
from runs import run_of


def raw(digest):
    return bytes.fromhex(digest[7:])


def check_rounds(log):
    """Closed rounds: (index, manifest, groups) by (run, round, attempt)."""
    opened, closed, previous = {}, {}, {}
    for index, entry in enumerate(log.entries):
        handler = HANDLERS.get(entry["kind"]) if entry else None
        if handler is None:
            continue
        try:
            handler(log, index, entry, Place(opened, closed, previous))
        except Missing:
            continue
        except (Wrong, KeyError, ValueError, TypeError, IndexError) as error:
            log.add("S2", index, f"{type(error).__name__}: {error}")
    check_unmasks(log, closed)
    check_answers(log, opened)
    return closed


class Place:
    def __init__(self, opened, closed, previous):
        self.opened, self.closed, self.previous = opened, closed, previous


def key_of(entry):
    return entry["run"], entry["round"], entry["attempt"]


def on_open(log, index, entry, place):
    body = entry["body"]
    data = log.attachment(body["manifest"])
    m = secagg.parse_manifest(data)
    place.opened[key_of(entry)] = index, m
    signature = unbase64(body["manifestSignature"])
    need(secagg.signed_by(log.at(index).coordinator, signature, m["ctx"], "MANIFEST"), "signature of the manifest")
    same = [
        (body["context"], hexes(m["ctx"])),
        (entry["run"], "run_" + m["run"].hex()),
        ((entry["round"], entry["attempt"]), (m["round"], m["attempt"])),
        ((body["purpose"], body["stepId"], body["arm"]), (secagg.PURPOSES[m["purpose"]], m["stepId"], m["arm"])),
        (body["modelIn"], hexes(m["modelHash"])),
        (body["previousTranscript"], hexes(m["previous"])),
        (body["rosterHash"], hexes(m["rosterHash"])),
        (sorted(body["invited"]), sorted(i for i, _ in m["roles"])),
        ([log_entries.seconds(t) * 1000 for t in body["deadlines"]], [float(d) for d in m["deadlines"]]),
        (body["rosterHash"], log.at(index).body["rosterHash"]),
        (entry["fed"], m["federation"]),
    ]
    need(all(a == b for a, b in same), "round.open is not its manifest")
    need(m["previous"] == place.previous.get(entry["run"], bytes(32)), "the transcript does not continue")
    run = run_of(log, entry["run"])
    if run:
        check_manifest(log, index, m, run)
        check_plan(m, run.proposal)


def check_plan(m, plan):
    own = plan["secureAggregation"]
    need(plan["planHash"] == hexes(m["planHash"]), "another plan than the proposal")
    gamma = own["gamma"]["num"], own["gamma"]["den"]
    need((gamma, own["nMin"]) == ((m["num"], m["den"]), m["nMin"]), "other limits")
    need(m["purpose"] != 0 or own["weightCap"] == m["weightCap"], "another weight cap")
    need(m["N"] == len(plan["sites"]), "another N than the plan")


def check_manifest(log, index, m, run):
    """S1: the checks of any manifest."""
    N, cap = m["N"], 2 ** (m["ringBits"] - 1)
    roles = [i for i, _ in m["roles"]]
    sites = log.at(index).sites
    c = secagg.thresholds(m, len(sites), N)["c"]
    holds = (
        len(set(roles)) == len(roles) == N
        and set(roles) <= set(sites)
        and m["rule"] == ["strict", "majority"].index(log.genesis["quorumRule"])
        and m["nMin"] >= 3
        and m["prg"] == 0
        and m["fractionBits"] <= 40
        and m["Q"] > 0
        and m["Q"] & (m["Q"] - 1) == 0
        and math.isfinite(m["C"])
        and m["C"] > 0
        and m["z"] == m["mechanism"] == 0
        and all(low <= high and scale >= 1 for _, scale, low, high in m["extras"])
        and (N * m["Q"] < cap if m["ringBits"] == 32 else N * m["C"] * 2 ** m["fractionBits"] < cap)
        and N * 2**20 < cap
        and all(N * max(abs(low), abs(high)) * scale < cap for _, scale, low, high in m["extras"])
    )
    if m["subCohort"]:
        holds = holds and m["purpose"] == 0 and m["subCohort"] >= max(m["nMin"], c + 4) and N >= 2 * m["subCohort"]
    hidden = run.is_public or run.proposal["privacy"] is not None
    if not holds or not set(roles) <= set(run.proposal["sites"]) or (N < 5 and not hidden):
        log.add("S1", index, "checks of the manifest")


def on_abort(log, index, entry, place):
    body = entry["body"]
    _, m = place.opened[key_of(entry)]
    need(body["context"] == hexes(m["ctx"]), "an abort of another attempt")
    if entry["actor"]["type"] != "coordinator":
        return
    last = raw(body["lastHash"]) if body["lastHash"] else bytes(32)
    transcript = H("TABORT", m["ctx"], body["reason"], last)
    signature = unbase64(body["abortSignature"])
    place.previous[entry["run"]] = transcript
    need(body["transcript"] == hexes(transcript), "the abort does not recompute")
    need(secagg.signed_by(log.at(index).coordinator, signature, m["ctx"], "ABORT", transcript), "signature of the abort")


def on_aggregate(log, index, entry, place):
    body, key = entry["body"], key_of(entry)
    need(key in place.opened, "a sum without opening")
    place.previous[entry["run"]] = raw(body["transcript"])
    need(key[:2] not in {k[:2] for k in place.closed}, "a second sum of a round")
    start, m = place.opened[key]
    sites = log.at(start).sites
    evidence = secagg.parse_evidence(log.attachment(body["evidence"]))
    need(body["context"] == hexes(m["ctx"]), "a sum of another attempt")
    check_advertised(sites, m, evidence)
    h1 = secagg.h1_of(m["ctx"], evidence.advertise)
    u1 = list(evidence.advertise)
    members = len(sites)
    lists = secagg.groups_of(h1, u1, m["subCohort"]) if m["subCohort"] else [u1]
    parts = []
    for i, ids in enumerate(lists):
        own = H("SUB", m["ctx"], h1, u32(i), u32(len(ids)), *map(u32, ids)) if m["subCohort"] else h1
        parts.append(secagg.Attempt(m, members, evidence, own, ids))
    place.closed[key] = index, m, parts
    check_coverage(log, index, body, m, parts)
    check_sizes(log, index, entry, m, parts, u1, members)
    for part in parts:
        part.check(sites)
    check_derived(body, m, parts, h1, u1, evidence, secagg.thresholds(m, members, len(u1)))
    check_transcript(log, index, body, m, parts, h1)
    check_contributions(log, index, entry, evidence, parts, m)


def check_advertised(sites, m, evidence):
    roles = {i for i, _ in m["roles"]}
    public_keys = [k for c, s, _, _ in evidence.advertise.values() for k in (c, s)]
    need(len(set(public_keys)) == len(public_keys), "a key twice in L1")
    for i, (c, s, nonce, sigma) in evidence.advertise.items():
        good = i in roles and secagg.signed(sites, i, sigma, m["ctx"], "R0", u32(i), c, s, nonce)
        need(good, f"σ0 of site {i}")


def check_sizes(log, index, entry, m, parts, u1, members):
    """S1: how many sites each set has."""
    whole = secagg.thresholds(m, members, len(u1))
    floor = max(m["nMin"], whole["quorum"], 2 * m["subCohort"])
    run = run_of(log, entry["run"])
    less = run.open_sites if run and not run.is_public else set()
    contributors = {i for i, role in m["roles"] if role == 0} - less
    policies = {e["actor"]["id"]: e["body"] for i, e in log.of_kind("policy.set") if i < index}
    names = {log.names[i] for i, _ in m["roles"]}
    cohort = max([log.genesis["minCohort"], *(p["minCohort"] for n, p in policies.items() if n in names)])
    fits = floor <= len(u1) <= m["N"]
    for part in parts:
        counted = len([i for i in part.u3 if i in contributors])
        fits = fits and len(part.u2) >= (part.limits["uMin"] if m["subCohort"] else floor)
        fits = fits and min(len(part.u3), counted) >= max(part.limits["uMin"], cohort)
        fits = fits and cover_owners(log, run, m, [i for i in part.u3 if i in contributors], part.limits["uMin"])
    if not fits or not enough_groups(log, run, m, parts):
        log.add("S1", index, "a set is below its threshold")


def check_coverage(log, index, body, m, parts):
    """D2: the stated sites are the contributing survivors, or all of them."""
    u3 = [i for part in parts for i in part.u3]
    contributing = [i for i, role in m["roles"] if role == 0 and i in u3]
    if body["coverage"]["sites"] not in (len(contributing), len(u3)):
        log.add("D2", index, "another number of sites than its evidence has")


def check_derived(body, m, parts, h1, u1, evidence, limits):
    union = lambda name: sorted(i for part in parts for i in getattr(part, name))
    need((body["u1"], body["u2"], body["u3"]) == (u1, union("u2"), union("u3")), "other sets than the evidence")
    need(set(evidence.dealers) | set(evidence.commits) | set(evidence.answers) <= set(u1), "evidence of strangers")
    h2, h3 = joined(m, parts, "h2"), joined(m, parts, "h3")
    need((body["h1"], body["h2"], body["h3"]) == tuple(map(hexes, (h1, h2, h3))), "other h1, h2, h3")
    need(body["thresholds"] == limits, "other thresholds than the evidence")
    gone = sorted(set(i for i, _ in m["roles"]) - set(body["u3"]))
    need(sorted(d["site"] for d in body["dropped"]) == gone, "other dropped sites than the evidence")
    if m["subCohort"]:
        stated = [(g["sites"], g["h1"], g["h2"], g["h3"]) for g in body["groups"]]
        need(stated == [(p.u1, *map(hexes, (p.h1, p.h2, p.h3))) for p in parts], "other groups")


def joined(m, parts, name):
    hashes = [getattr(part, name) for part in parts]
    return secagg.over_groups(m["ctx"], hashes) if m["subCohort"] else hashes[0]


def check_transcript(log, index, body, m, parts, h1):
    answers = [a for part in parts for a in part.answer_hashes()]
    root = raw(body["aggregateRoot"])
    if m["subCohort"]:
        root = secagg.over_groups(m["ctx"], [*(raw(g["aggregateRoot"]) for g in body["groups"]), root])
    fields = [h1, joined(m, parts, "h2"), joined(m, parts, "h3"), u32(len(answers)), *answers, root]
    transcript = H("T", m["ctx"], *fields, raw(body["modelOut"]))
    need(body["transcript"] == hexes(transcript), "the transcript does not recompute")
    signature = unbase64(body["closeSignature"])
    need(secagg.signed_by(log.at(index).coordinator, signature, m["ctx"], "CLOSE", transcript), "signature of the close")


def check_contributions(log, index, entry, evidence, parts, m):
    """Every upload has an earlier, listed, equal contribution."""
    listed, numbers = {}, {}
    for number in entry["body"]["contributions"]:
        need(number < index, "a contribution after the sum")
        other = log.entries[number]
        need(other["kind"] == "round.contribution" and key_of(other) == key_of(entry), "not a contribution of it")
        need(other["actor"]["id"] not in listed, "a contribution twice")
        listed[other["actor"]["id"]], numbers[other["actor"]["id"]] = other["body"], number
    for part in parts:
        for i, (length, root, _) in part.commits.items():
            body = listed[log.names[i]]
            same = body["maskedInput"] == {"length": length, "root": hexes(root)}
            if not same or body["context"] != hexes(m["ctx"]) or body["cohort"] != hexes(part.h2):
                log.add("S2", numbers[log.names[i]], f"another upload than that of site {i}")


def check_unmasks(log, closed):
    """`round.unmask` of each answering site says what it answered."""
    for key, (index, m, parts) in closed.items():
        entries = {}
        for number, entry in log.of_kind("round.unmask"):
            if key_of(entry) == key:
                entries[entry["actor"]["id"]] = number, entry["body"]
        stated = log.entries[index]["body"]["unmasks"]
        for part in parts:
            u3, gone = part.u3, [i for i in part.u2 if i not in part.commits]
            for i, (shares, _) in part.answers.items():
                number, body = entries.get(log.names[i], (None, None))
                if body is None or number not in stated or number > index:
                    log.add("S2", index, f"round.unmask of site {i} is missing")
                    continue
                a = secagg.answer_hash(m["ctx"], part.h3, shares)
                want = [hexes(m["ctx"]), hexes(part.h3), u3, gone, u3, gone, hexes(a)]
                names = ["context", "consistency", "survivors", "dropped", "selfMask", "maskKey", "answer"]
                if [body[name] for name in names] != want:
                    log.add("S2", number, "round.unmask is not the answer of the evidence")


HANDLERS = {"round.open": on_open, "round.abort": on_abort, "round.aggregate": on_aggregate}
