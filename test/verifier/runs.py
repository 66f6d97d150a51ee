"""What the log says of a run before its rounds: proposal, sites and whether all data are open."""

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
    starts = [(i, e["body"]) for i, e in log.of_kind("run.start") if e["run"] == name]
    if not starts:
        return None
    start, body = starts[0]
    proposal = log.entries[body["proposal"]] if body["proposal"] < start else None
    if not proposal or proposal["kind"] != "plan.propose":
        return None
    newest = {e["actor"]["id"]: e["body"] for i, e in log.of_kind("dataset.commit") if i < start}
    names = {name for name, data in newest.items() if data["public"] or data["simulated"]}
    open_sites = {i for i, name in log.names.items() if name in names}
    sites = proposal["body"]["sites"]
    return Run(start, body, proposal["body"], open_sites, body["public"] and set(sites) <= open_sites)
