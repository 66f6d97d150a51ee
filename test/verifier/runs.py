"""What the log says of a run before its rounds: proposal, sites, approvals and whether all data are open."""

from dataclasses import dataclass


@dataclass
class Run:
    start: int
    body: dict
    proposal: dict
    open_sites: set
    is_public: bool


def run_of(log, name):
    """The run, or `None` when it has no start or proposal: row A2 says so, and other rows are silent."""
    start, body = next(((i, e["body"]) for i, e in log.of_kind("run.start") if e["run"] == name), (None, None))
    proposal = body and proposal_of(log, start, body)
    if not proposal:
        return None
    names = log.at(start).names
    datasets = {i: dataset_of(log, start, approval_of(log, start, body, names.get(i))) for i in body["sites"]}
    open_sites = {i for i, data in datasets.items() if data and (data["public"] or data["simulated"])}
    is_public = body["public"] and bool(open_sites) and open_sites == set(body["sites"])
    return Run(start, body, proposal, open_sites, is_public)


def proposal_of(log, start, body):
    number = body["proposal"]
    entry = log.entries[number] if number < start else None
    fits = entry and entry["kind"] == "plan.propose" and entry["body"]["planHash"] == body["planHash"]
    return entry["body"] if fits else None


def approval_of(log, start, body, name):
    """Index and entry of the first listed approval by a site's steward, if it is of this plan; else `None`."""
    listed = [i for i in sorted(set(body["approvals"])) if i < start and log.entries[i]]
    own = [i for i in listed if log.entries[i]["kind"] == "plan.approve" and log.entries[i]["actor"]["id"] == name]
    fits = own and log.entries[own[0]]["body"]["planHash"] == body["planHash"]
    return (own[0], log.entries[own[0]]) if fits else None


def dataset_of(log, start, approval):
    """The dataset that was approved, if it is the newest commitment to it before the start."""
    if approval is None:
        return None
    said, name = approval[1]["body"], approval[1]["actor"]["id"]
    commits = [e["body"] for i, e in log.of_kind("dataset.commit") if i < start and e["actor"]["id"] == name]
    newest = [c for c in commits if c["dataset"] == said["dataset"]][-1:]
    fits = newest and (newest[0]["commitment"], newest[0]["version"]) == (said["commitment"], said["datasetVersion"])
    return newest[0] if fits else None
