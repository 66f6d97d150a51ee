"""Rows A1 (purpose and terms of use) and A4 (two persons) of docs/protocol.md, Offline verifier."""

import re

import data_use
from primitives import Wrong, parse_plan
from runs import approval_of, dataset_of, proposal_of


def check_policies(log):
    check_persons(log)
    for name in {e["run"]: None for e in log.entries if e and "run" in e}:
        check_run(log, name)


def of_site(log, kind, site, below):
    return [(i, e) for i, e in log.of_kind(kind) if i < below and e["actor"]["id"] == site]


def persons(log, index, entry):
    """Steward and administrators of the entry's site among its signers."""
    keys, site = log.at(index), re.escape(entry["actor"]["id"])
    own = re.compile(re.escape(keys.body["origin"]) + rf"/(steward/{site}|administrator/{site}-[0-9]+)")
    signers = [keys.by_short[s["key"]] for s in entry["sigs"] if s["key"] in keys.by_short]
    return sum(1 for key in signers if own.fullmatch(key.name))


def check_persons(log):
    for index, entry in log.of_kind("plan.approve"):
        policies = of_site(log, "policy.set", entry["actor"]["id"], index)
        under = [e["body"] for _, e in policies if e["body"]["policy"]["digest"] == entry["body"]["policy"]]
        needed = max([body["reviewersNeeded"] for body in under], default=1)
        if persons(log, index, entry) < max(1, needed):
            log.add("A4", index, "an approval by too few persons")
    for index, entry in log.of_kind("policy.set"):
        before = of_site(log, "policy.set", entry["actor"]["id"], index)
        needed = before[-1][1]["body"]["reviewersNeeded"] if before else 1
        if persons(log, index, entry) < max(1, needed):
            log.add("A4", index, "a change of a policy by too few persons")
    for index, entry in log.of_kind("policy.override"):
        if override_fault(log, index, entry):
            log.add("A4", index, override_fault(log, index, entry))


def override_fault(log, index, entry):
    body = entry["body"]
    policies = of_site(log, "policy.set", entry["actor"]["id"], index)
    if not policies or policies[-1][1]["body"]["policy"]["digest"] != body["policy"]:
        return "an exception from a policy that was not in force"
    if not any(e["body"]["planHash"] == body["planHash"] for i, e in log.of_kind("plan.propose") if i < index):
        return "an exception for a plan that was not proposed"
    if persons(log, index, entry) < 2:
        return "an exception without a second person"
    if not body["justification"].strip(" \t\r\n"):
        return "an exception without a justification"
    return "an exception that had expired" if body["expires"] <= entry["at"] else None


def check_run(log, name):
    """Of each site with an approval of the executed plan, as row A2 finds it."""
    starts = [(i, e) for i, e in log.of_kind("run.start") if e["run"] == name]
    if not starts:
        return
    index, start = starts[0]
    body = start["body"]
    proposal = proposal_of(log, index, body)
    if not proposal:
        return
    plan = plan_of(log, proposal)
    if plan and plan.get("purpose", proposal["purpose"]) != proposal["purpose"]:
        log.add("A1", body["proposal"], "another purpose than the plan's")
    names = log.at(index).names
    for site in body["sites"]:
        approval = approval_of(log, index, body, names.get(site))
        if approval:
            check_site(log, (index, start), proposal, plan, approval)


def plan_of(log, proposal):
    try:
        plan = parse_plan(log.attachment(proposal["plan"]))
        return plan if isinstance(plan, dict) else None
    except Wrong:
        return None


def check_site(log, placed, proposal, plan, approval):
    (index, start), (at, approved) = placed, approval
    body, site = approved["body"], approved["actor"]["id"]
    under = [
        (i, e) for i, e in of_site(log, "policy.set", site, index) if e["body"]["policy"]["digest"] == body["policy"]
    ]
    if not under or under[0][0] > at:
        return
    policy, purpose = under[0][1]["body"], proposal["purpose"]
    if purpose not in policy["purposes"]:
        judge(log, placed, approved, "purposes")
    dataset = dataset_of(log, index, approval)
    end = data_use.end_of_use(policy["dataUse"] + (dataset["dataUse"] if dataset else []))
    if end and body["validUntil"] > end:
        log.add("A1", at, "approved for longer than the terms last")
    if plan is None:
        return
    declared = plan.get("dataUse", [])
    if not isinstance(declared, list) or not all(isinstance(text, str) for text in declared):
        declared = [""]
    if data_use.fault(policy["dataUse"], purpose, declared):
        judge(log, placed, approved, "dataUse")
    if dataset and data_use.dataset_fault(dataset, purpose, declared):
        log.add("A1", index, "the declared use is outside the terms of a dataset")


def judge(log, placed, approved, rule):
    """A plan outside a policy needs an exception of two persons that holds at the start and at each contribution."""
    index, start = placed
    site, body = approved["actor"]["id"], approved["body"]
    said = [(i, e) for i, e in of_site(log, "policy.override", site, index) if e["body"]["rule"] == rule]

    def holds(i, entry):
        own = entry["body"]
        same = (own["planHash"], own["policy"]) == (body["planHash"], body["policy"])
        return same and own["expires"] >= start["at"] and not override_fault(log, i, entry)

    holding = [e["body"]["expires"] for i, e in said if holds(i, e)]
    if not holding:
        log.add("A1", index, f"the plan is outside the policy of {site}: {rule}")
        if said:
            log.add("A4", index, "an exception does not help")
        return
    late = [
        i for i, e in of_site(log, "round.contribution", site, len(log.entries))
        if e["run"] == start["run"] and e["at"] > max(holding)
    ]
    if late:
        log.add("A4", late[0], "an exception had expired")
