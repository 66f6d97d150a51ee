"""Rows R1 and R2: a model leaves under the terms that its stewards signed, with an attack report of that very model."""

import math
import re

from notes import unbase64
from primitives import Missing, Wrong, jcs, parse_json, parse_plan, verifies
from privacy import COUNT_NOISE, TOLERANCE, epsilon, policy_of
from runs import run_of

TYPE = "application/vnd.regulon.release+json;v=1"
NONE = "not-protected-by-differential-privacy"
TERMS = ["arm", "model", "format", "file", "privacy", "intendedUse", "tests"]
RATES = ["0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"]
DELTAS = [10 ** -(1 + j / 2) for j in range(15)]
LEAST = {"20-49": 20, "50-99": 50, "100-199": 100, "200-499": 200, "500+": 500}
REPORT = {"schema", "run", "arm", "model", "site", "commitment", "members", "others", "attacks", "signature"}
REPORT_TYPE = "application/vnd.regulon.attack-report+json;v=1"
ATTACKS = ["loss-threshold", "reference-calibrated"]
DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def check_releases(log):
    releases = {}
    for index, entry in enumerate(log.entries):
        if entry is None:
            continue
        if entry["kind"] == "model.release":
            releases[index] = entry
            check_release(log, index, entry)
        if entry["kind"] == "model.export":
            check_export(log, index, entry, releases)


def check_export(log, index, entry, releases):
    body, under = entry["body"], releases.get(entry["body"]["release"])
    names = ("model", "file")
    same = under and under["run"] == entry["run"] and all(under["body"][n] == body[n] for n in names)
    if not same:
        log.add("R1", index, "exported under no release of that file")


def check_release(log, index, entry):
    run = run_of(log, entry["run"])
    ends = [(i, e["body"]) for i, e in log.of_kind("run.finish") if e["run"] == entry["run"] and i < index]
    if run is None or not ends:
        log.add("R1", index, "released before the run has ended")
        return
    claim, sites = run.proposal["privacy"], contributors(log, entry["run"], run.proposal)
    notes = [
        model_note(entry["body"], ends[0][1]),
        privacy_note(entry["body"]["privacy"], claim, sites),
        approval_note(log, index, entry, sites),
    ]
    for note in filter(None, notes):
        log.add("R1", index, note)
    for note in test_notes(log, index, entry, run.proposal, sites):
        log.add("R2", index, note)


def models_of(finish):
    """Final models of a run that completed."""
    return finish["models"] if finish["status"] in ("COMPLETED", "COMPLETED_PARTIAL") else []


def model_note(body, finish):
    models = models_of(finish)
    final = {m["arm"]: m["model"] for m in models}
    return None if final.get(body["arm"]) == body["model"] else "not the final model of its arm"


def contributors(log, name, proposal):
    """Of each site whose data went in: (epsilon, delta) of its ledger after the run, `None` without a claim."""
    claim, found = proposal["privacy"], {}
    for _, entry in log.of_kind("round.contribution"):
        body, site = entry["body"], entry["actor"]["id"]
        if entry["run"] != name or body["role"] != "contributor":
            continue
        policy = policy_of(log, entry)
        if not claim:
            found[site] = None
        elif body["charge"] and policy and policy["delta"] is not None:
            found[site] = float(body["charge"]["after"]), float(policy["delta"])
        elif site not in found:
            delta = float(claim["delta"])
            found[site] = epsilon(events_of(claim, 1), delta), delta
    return found


def trained_with(log, name, site):
    """Commitments to the data of a site that went into a run."""
    own = [e["body"] for _, e in log.of_kind("round.contribution") if e["run"] == name and e["actor"]["id"] == site]
    return {body["commitment"] for body in own if body["role"] == "contributor"}


def events_of(claim, copies):
    steps = float(claim["samplingRate"]), float(claim["sigma"]), claim["steps"] * copies
    return [steps, (1.0, COUNT_NOISE, copies)]


def privacy_note(stated, claim, sites):
    if not claim or stated == NONE:
        return None if not claim and stated == NONE else "another protection than the plan claims"
    own = {s["site"]: s for s in stated["sites"]}
    if stated["unit"] != claim["unit"] or set(own) != set(sites):
        return "totals of another unit or of other sites"
    for site, (spent, delta) in sites.items():
        if float(own[site]["delta"]) != delta or float(own[site]["epsilon"]) < spent * (1 - TOLERANCE):
            return f"{site}: less than its ledger spent, or at another delta"
    return None


def dsse(type_, payload):
    return f"DSSEv1 {len(type_)} {type_} {len(payload)} ".encode() + payload


def is_signed(report, key):
    """Whether the site of a report has signed everything else in it."""
    own, findings = report["signature"], {n: v for n, v in report.items() if n != "signature"}
    message = dsse(REPORT_TYPE, jcs(findings))
    known = set(own) == {"key", "sig"} and key and key.short == own["key"]
    return known and verifies(key.key, unbase64(own["sig"]), message)


def approval_note(log, index, entry, sites):
    body, keys = entry["body"], log.at(index).by_actor
    terms = {"schema": "regulon.release/1", "fed": entry["fed"], "run": entry["run"], **{n: body[n] for n in TERMS}}
    message = dsse(TYPE, jcs(terms))
    given = {a["site"]: a for a in body["approvals"]}
    if set(given) != set(sites):
        return "approved by other sites than those that contributed"
    for site, approval in given.items():
        key = keys.get(("steward", site))
        if not key or key.short != approval["key"] or not verifies(key.key, unbase64(approval["sig"]), message):
            return f"no approval by the steward of {site}"
    return None


def test_notes(log, index, entry, proposal, sites):
    body = entry["body"]
    if not body["tests"]:
        return ["no attack report"]
    notes = []
    for test in body["tests"]:
        try:
            report = parse_json(log.attachment(test["report"]))
            key = log.at(index).by_actor.get(("site", test["site"]))
            notes += report_notes(log, entry, test["site"], report, proposal, sites)
            notes += [] if is_signed(report, key) else ["an attack report that its site did not sign"]
        except (Missing, Wrong, KeyError, TypeError, ValueError, AttributeError):
            notes.append("an attack report that is not there or cannot be read")
    return notes


def report_notes(log, entry, site, report, proposal, sites):
    if set(report) != REPORT or report["schema"] != "regulon.attack-report/1":
        return ["not an attack report"]
    place = (report["model"], report["arm"], report["run"], report["site"])
    if place != (entry["body"]["model"], entry["body"]["arm"], entry["run"], site) or site not in sites:
        return ["an attack report of another model or site"]
    if trained_with(log, entry["run"], site) != {report["commitment"]}:
        return ["an attack report about other data than those that the site trained with"]
    counts = LEAST[report["members"]], LEAST[report["others"]]
    names = [attack["attack"] for attack in report["attacks"]]
    if names != ATTACKS[: len(names)] or not names:
        return ["other attacks"]
    bound_at = bounds(log, proposal)
    return [note for a in report["attacks"] for note in attack_notes(a, proposal["privacy"], bound_at, counts)]


def attack_notes(attack, claim, bound_at, counts):
    share(attack["area"], 32)
    if set(attack) != {"attack", "area", "curve"} or [p["falsePositives"] for p in attack["curve"]] != RATES:
        return ["other rates"]
    return list(filter(None, (point_note(p, claim, bound_at, counts) for p in attack["curve"])))


def point_note(point, claim, bound_at, counts):
    if set(point) != {"falsePositives", "found", "error", "bound"}:
        return "members of a point"
    rate, found, error = float(point["falsePositives"]), share(point["found"], 32), share(point["error"], 1024)
    if not claim or point["bound"] is None:
        return None if not claim and point["bound"] is None else "a bound that the plan does not give, or none"
    bound, most = decimal(point["bound"]), bound_at(rate)
    if most is None or bound > most * (1 + TOLERANCE):
        return "a raised bound, or one that cannot be recomputed"
    if error > error_of(rate, bound, *counts) + 1 / 1024:
        return "a widened error"
    return "an attack above its bound" if found > bound + 3 * error else None


def error_of(rate, bound, members, others):
    slope = max(1.0, bound / rate)
    own = bound * (1 - bound) / members
    return math.hypot(math.sqrt(own), slope * math.sqrt(rate * (1 - rate) / others))


def bounds(log, proposal):
    """The share of members that no test exceeds, by rate; `None` where nothing is known."""
    try:
        plan = parse_plan(log.attachment(proposal["plan"]))
        text = plan["privacy"]["hospitalsPerPatient"]
        if not re.fullmatch(r"[1-9]\d{0,2}", text):
            return lambda rate: None
        copies = int(text)
    except (Missing, Wrong, KeyError, TypeError, ValueError):
        return lambda rate: None
    events = events_of(proposal["privacy"], copies)
    spent = [(epsilon(events, delta), delta) for delta in DELTAS]
    return lambda rate: min(1.0, *(math.exp(e) * rate + delta for e, delta in spent))


def decimal(text):
    if not DECIMAL.fullmatch(text):
        raise Wrong("not a decimal")
    return float(text)


def share(text, parts):
    value = decimal(text)
    if not 0 <= value <= 1 or value * parts != int(value * parts):
        raise Wrong(f"not a share in 1/{parts}")
    return value
