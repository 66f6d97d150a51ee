"""Rows S1 (what a proposal states), P1, P2 and P4 of runs that claim privacy, with an accountant of its own."""

import math

import secagg
from primitives import Missing, Wrong, parse_plan
from runs import run_of

UNITS = {"<20": 19, "20-49": 49, "50-99": 99, "100-199": 199, "200-499": 499, "500+": 500}
COUNT_NOISE = 10.0
TOLERANCE = 1e-6
ORDERS = [*range(2, 129), 256]


def check_privacy(log):
    for name in {e["run"]: None for _, e in log.of_kind("run.start")}:
        run = run_of(log, name)
        if run is None:
            continue
        check_claim(log, run)
        if run.proposal["privacy"]:
            check_run(log, name, run.proposal["privacy"])
    check_ledgers(log)


def check_claim(log, run):
    stated = run.proposal["privacy"]
    try:
        plan = parse_plan(log.attachment(run.proposal["plan"]))
    except Missing:
        return
    except Wrong:
        plan = None
    claims = isinstance(plan, dict) and "privacy" in plan
    if (claims or stated) and (not stated or not claims or not same(stated, run.proposal["rounds"], plan)):
        log.add("P1", run.body["proposal"], "the proposal states another privacy than its plan")


def same(stated, rounds, plan):
    try:
        own, of_plan = plan["privacy"], int(plan["training"]["rounds"])
        rate = max(1, math.floor(float(own["samplingRate"]) * 2**32 + 0.5)) / 2**32
        pairs = [
            (stated["mechanism"], "dp-sgd"),
            (float(stated["clip"]), float(own["clipNorm"])),
            (float(stated["sigma"]), float(own["noiseMultiplier"])),
            (float(stated["samplingRate"]), rate),
            (rounds, of_plan),
            (stated["steps"], int(own["localSteps"]) * of_plan),
            ((stated["adjacency"], own["adjacency"]), ("add-remove", "add-or-remove-one")),
            (stated["unit"], own["unit"]),
            (float(stated["delta"]), float(own["delta"])),
        ]
    except (KeyError, ValueError, TypeError):
        return False
    return all(a == b for a, b in pairs)


def check_run(log, name, claim):
    for index, entry in log.of_kind("round.open"):
        if entry["run"] == name and not is_noised(log, entry):
            log.add("P1", index, "a round without noise of the plan")
    for index, entry in log.of_kind("round.contribution"):
        if entry["run"] != name:
            continue
        body = entry["body"]
        if not float(claim["delta"]) < 1 / UNITS[body["band"]]:
            log.add("P1", index, "delta is not below 1 / units")
        if body["role"] == "contributor" and body["sampler"] is None:
            log.add("P4", index, "no source of its noise")


def is_noised(log, entry):
    try:
        m = secagg.parse_manifest(log.attachment(entry["body"]["manifest"]))
    except (Missing, Wrong):
        return True
    extras = {extra[0] for extra in m["extras"]}
    return m["purpose"] == 0 and m["mechanism"] == m["z"] == 0 and extras <= {"fault", "clipped"}


class Account:
    def __init__(self):
        self.events, self.counted, self.after, self.open = [], set(), {}, False


def check_ledgers(log):
    charges, accounts = {}, {}
    start_ledgers(log, charges, accounts)
    for index, entry in log.of_kind("round.contribution"):
        site, body = entry["actor"]["id"], entry["body"]
        account = accounts.setdefault((site, body["dataset"]), Account())
        note = check_contribution(log, charges.setdefault(site, {}), account, entry)
        if note:
            log.add("P2", index, f"{site}: {note}")


def start_ledgers(log, charges, accounts):
    """Where a baseline left them: later numbers are higher, and no less is spent at the delta of its policy."""
    for total in log.start["ledgers"]:
        site, number = total["site"], total["ledgerSeq"]
        charges.setdefault(site, {})[number] = None
        account = accounts.setdefault((site, total["dataset"]), Account())
        policy = policy_by(log, site, total["policy"])
        if policy and policy["delta"] is not None:
            account.after[policy["delta"]] = float(total["after"])


def check_contribution(log, seen, account, entry):
    body, charge = entry["body"], entry["body"]["charge"]
    steps, policy = steps_of(log, entry), policy_of(log, entry)
    capped = policy is not None and policy["epsilonCap"] is not None
    if charge is None:
        account.open = account.open or steps is not None
        return "not charged" if steps and capped and body["role"] == "contributor" else None
    if steps is None or charge["event"] != "gaussian":
        account.open = True
        return None
    place, number = (entry["run"], entry["round"]), charge["ledgerSeq"]
    if number in seen:
        return None if seen[number] == (place, charge["before"], charge["after"]) else "a charge for two releases"
    back = max(seen, default=number) > number
    seen[number] = place, charge["before"], charge["after"]
    if not capped or policy["delta"] is None:
        return "a charge without a budget"
    return check_totals(account, entry["run"], charge, steps, policy) or ("numbers go back" if back else None)


def check_totals(account, run, charge, steps, policy):
    before, after, cap = float(charge["before"]), float(charge["after"]), float(policy["epsilonCap"])
    delta, notes = float(policy["delta"]), []
    below = lambda value, least: value < least * (1 - TOLERANCE)
    if below(before, account.after.get(policy["delta"], 0.0)):
        notes.append("spent privacy came back")
    account.after[policy["delta"]] = after
    least = 0.0 if account.open else epsilon(account.events, delta)
    account.events.append(steps)
    if run not in account.counted:
        account.events.append((1.0, COUNT_NOISE, 1))
    account.counted.add(run)
    if after > cap * (1 + TOLERANCE):
        notes.append("above the cap")
    most = 0.0 if account.open else epsilon(account.events, delta)
    judged = not account.open and not (most > cap and any(q < 1 for q, _, _ in account.events))
    if judged and (below(before, least) or below(after, most)):
        notes.append(f"less than was spent, {least:.7g} and {most:.7g}")
    return "; ".join(notes) or None


def steps_of(log, entry):
    run = run_of(log, entry["run"])
    claim = run and run.proposal["privacy"]
    if not claim:
        return None
    return float(claim["samplingRate"]), float(claim["sigma"]), claim["steps"] / run.proposal["rounds"]


def policy_of(log, entry):
    return policy_by(log, entry["actor"]["id"], entry["body"]["policy"])


def policy_by(log, site, digest):
    for _, other in log.of_kind("policy.set"):
        if other["actor"]["id"] == site and other["body"]["policy"]["digest"] == digest:
            return other["body"]
    return None


def epsilon(events, delta):
    """Steps on everybody by the exact formula, others by divergences of whole order."""
    if not events:
        return 0.0
    if all(q == 1 for q, _, _ in events):
        return exact(math.sqrt(sum(steps / z**2 for _, z, steps in events)), delta)
    return max(0.0, min(at_order(events, order, delta) for order in ORDERS))


def exact(mu, delta):
    phi = lambda x: math.erfc(-x / math.sqrt(2)) / 2
    spent = lambda e: phi(-e / mu + mu / 2) - math.exp(e) * phi(-e / mu - mu / 2)
    low, high = 0.0, 1.0
    if spent(0.0) <= delta:
        return 0.0
    while spent(high) > delta:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) > delta else (low, middle)
    return high


def at_order(events, order, delta):
    total = sum(steps * divergence(q, z, order) for q, z, steps in events)
    return total + math.log1p(-1 / order) - math.log(delta * order) / (order - 1)


def divergence(q, z, order):
    if q == 1:
        return order / (2 * z * z)
    choose = lambda i: math.lgamma(order + 1) - math.lgamma(i + 1) - math.lgamma(order - i + 1)
    terms = [
        choose(i) + i * math.log(q) + (order - i) * math.log1p(-q) + (i * i - i) / (2 * z * z) for i in range(order + 1)
    ]
    top = max(terms)
    return (top + math.log(sum(math.exp(t - top) for t in terms))) / (order - 1)
