"""Rows A2 and A3: the stewards approved what ran, and what ran is what they approved."""

from primitives import Missing, Wrong, enc, hexes, parse_canonical, sha256
from runs import approval_of, dataset_of, proposal_of, run_of


def check_approvals(log):
    check_succession(log)
    for run in {e["run"]: None for e in log.entries if e and "run" in e}:
        own = [(i, e) for i, e in enumerate(log.entries) if e and e.get("run") == run]
        check_run(log, own)


def check_succession(log):
    """A policy names the one of its site that it takes the place of, or none."""
    in_force = {}
    for index, entry in log.of_kind("policy.set"):
        before, body = in_force.get(entry["actor"]["id"]), entry["body"]
        if body["supersedes"] is not None and body["supersedes"] != before:
            log.add("A2", index, "another policy is named as the one before it")
        in_force[entry["actor"]["id"]] = body["policy"]["digest"]


def check_run(log, own):
    start, entry = next(((i, e) for i, e in own if e["kind"] == "run.start"), (None, None))
    if entry is None:
        log.add("A2", own[0][0], "a run without start")
        return
    body = entry["body"]
    proposal = proposal_of(log, start, body)
    if not proposal:
        log.add("A2", start, "the start of a plan that was not proposed before")
        return
    check_plan(log, body["proposal"], proposal)
    check_provenance(log, body["proposal"], proposal)
    names = log.at(start).names
    if body["sites"] != proposal["sites"] or not set(body["sites"]) <= set(names):
        log.add("A2", start, "other sites than the plan names, or no members")
    agreed = [names[i] for i in body["sites"] if i in names and check_site(log, start, entry, own, names[i])]
    run = run_of(log, entry["run"])
    if body["public"] and not run.is_public:
        log.add("A2", start, "called public, but not every dataset is")
    check_contributors(log, start, body, own, proposal["code"])
    check_objections(log, own, agreed, body["planHash"])


def check_plan(log, index, body):
    try:
        data = log.attachment(body["plan"])
        parse_canonical(data)
        if hexes(sha256(enc("regulon/plan/v1", data))) != body["planHash"]:
            log.add("A3", index, "the plan hash is not that of the attached plan")
    except Missing:
        pass
    except Wrong:
        log.add("A3", index, "the attached plan is not canonical JSON")


def check_provenance(log, index, body):
    if body["provenance"] is not None and body["provenance"]["subject"] != body["code"]:
        log.add("A3", index, "a provenance of other code")


def check_site(log, start, entry, own, name):
    """Whether the steward of a site approved a dataset that it had committed to at last."""
    found = approval_of(log, start, entry["body"], name)
    if found is None:
        log.add("A2", start, f"no approval by the steward of {name}")
        return False
    index, approval = found
    check_use(log, own, approval, name)
    check_policy(log, start, entry, own, index, approval)
    if dataset_of(log, start, found) is not None:
        return True
    log.add("A2", index, "a dataset that was not the newest at the start")
    return False


def check_use(log, own, approval, name):
    said = approval["body"]
    for index, entry in own:
        if entry["kind"] != "round.contribution" or entry["actor"]["id"] != name:
            continue
        body = entry["body"]
        if entry["at"] > said["validUntil"]:
            log.add("A2", index, "the approval had expired")
        if (body["policy"], body["commitment"]) != (said["policy"], said["commitment"]):
            log.add("A2", index, "another policy or dataset than was approved")


def check_policy(log, start, entry, own, index, approval):
    name = approval["actor"]["id"]
    policies = [(i, e["body"]) for i, e in log.of_kind("policy.set") if i < start and e["actor"]["id"] == name]
    found = next(((i, p) for i, p in policies if p["policy"]["digest"] == approval["body"]["policy"]), None)
    if found is None or found[0] > index:
        log.add("A2", index, "approved under a policy that was not set")
        return
    policy = found[1]
    until, allowed = policy["validUntil"], policy["allowedCode"]
    if until is not None and until < entry["at"]:
        log.add("A2", start, "the policy had expired")
    if until is not None and approval["body"]["validUntil"] > until:
        log.add("A2", index, "approved for longer than the policy holds")
    for i, e in own:
        is_own = e["kind"] == "round.contribution" and e["actor"]["id"] == name
        if is_own and allowed and e["body"]["code"] not in allowed:
            log.add("A3", i, "code that the policy does not allow")


def check_contributors(log, start, body, own, code):
    ids = {name: i for i, name in log.names.items()}
    for index, entry in own:
        if entry["kind"] != "round.contribution":
            continue
        if ids.get(entry["actor"]["id"]) not in body["sites"]:
            log.add("A2", index, "a contributor whom the plan does not name")
        if index < start:
            log.add("A2", index, "a contribution before the start")
        if entry["body"]["code"] != code:
            log.add("A3", index, "other code than was approved")


def check_objections(log, own, names, plan):
    """No start and no round of a plan that a steward of one of its sites took back and has not approved since."""
    for index, entry in own:
        if entry["kind"] not in ("run.start", "round.open"):
            continue
        for name in names:
            words = [
                e["kind"]
                for i, e in log.of_kind("plan.approve", "plan.reject", "plan.withdraw")
                if i < index and e["actor"]["id"] == name and e["body"]["planHash"] == plan
            ]
            if words and words[-1] != "plan.approve":
                log.add("A2", index, f"the steward of {name} had taken the plan back")
