"""Row X1: no run starts, no round opens and no model leaves over a dataset that its steward has withdrawn."""


def check_withdrawals(log):
    gone, uses, newest, taken_back = {}, {}, {}, set()
    for index, entry in enumerate(log.entries):
        if entry is None:
            continue
        kind, body, site = entry["kind"], entry["body"], entry["actor"]["id"]
        if kind == "run.start":
            uses[entry["run"]] = used(log, index, body)
        if kind in ("run.start", "round.open", "model.release", "model.export"):
            if any(key in gone for key in uses.get(entry["run"], ())):
                log.add("X1", index, "a withdrawn dataset is used")
        if kind in ("dataset.withdraw", "dataset.commit"):
            key = site, body["dataset"]
            if kind == "dataset.commit":
                newest[key] = body["commitment"]
                if (key, newest[key]) in taken_back:
                    gone.setdefault(key, "commitment")
                elif gone.get(key) != "all":
                    gone.pop(key, None)
            if kind == "dataset.withdraw":
                taken_back.add((key, newest.get(key)))
                if gone.get(key) != "all":
                    gone[key] = body["scope"]


def used(log, start, body):
    """Site and dataset of each approval that a run names, if it is of the newest commitment before the start."""
    found = set()
    for index in body["approvals"]:
        approval = log.entries[index] if index < start else None
        if not approval or approval["kind"] != "plan.approve":
            continue
        said, site = approval["body"], approval["actor"]["id"]
        commits = [e["body"] for i, e in log.of_kind("dataset.commit") if i < start and e["actor"]["id"] == site]
        own = [c for c in commits if c["dataset"] == said["dataset"]]
        if own and (own[-1]["commitment"], own[-1]["version"]) == (said["commitment"], said["datasetVersion"]):
            found.add((site, said["dataset"]))
    return found
