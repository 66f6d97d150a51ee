"""Row X1: no run starts, no round opens and no model leaves over a dataset that its steward has withdrawn."""

from runs import approval_of, dataset_of


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
    names = log.at(start).names
    found = [approval_of(log, start, body, names.get(i)) for i in body["sites"]]
    return {(e["actor"]["id"], e["body"]["dataset"]) for i, e in filter(None, found) if dataset_of(log, start, (i, e))}
