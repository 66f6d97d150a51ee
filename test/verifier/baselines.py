"""Rows L5 and P2: baselines, `log.baseline`."""

import base64

import tree
from primitives import Missing, Wrong, jcs, parse_json

REPEATED = ("federation", "member", "key", "role", "policy", "dataset", "plan")


def check_baselines(log):
    """Each is what the entries before it give; a site signs what the coordinator proposed before."""
    proposed = []
    for index, entry in log.of_kind("log.baseline"):
        body = entry["body"]
        row = misstated(log, index, body)
        if row:
            log.add(row, index, "a baseline that is not what the entries before it give")
        if entry["actor"]["type"] == "coordinator":
            proposed.append(body)
        elif body not in proposed:
            log.add("L5", index, "a baseline that the coordinator did not propose")


def misstated(log, index, body):
    size = body["size"]
    if size > index or size == 0 or size % tree.WIDTH:
        return "L5"
    if size <= log.minimum:
        return None if body["root"] == "sha256:" + tree.root(log.hashes[:size]).hex() else "L5"
    if None in log.entries[log.minimum : size]:
        return None
    if is_under_way(log, size):
        return "L5"
    try:
        data = log.attachment(body["state"])
    except Missing:
        return None
    if body["root"] != "sha256:" + tree.root(log.hashes[:size]).hex():
        return "L5"
    state = state_of(log, size)
    if data == jcs(state):
        return None
    try:
        stated = parse_json(data)
        same = jcs({**stated, "ledgers": state["ledgers"]}) == jcs(state) and all(is_total(t) for t in stated["ledgers"])
    except (Wrong, KeyError, TypeError):
        same = False
    return "P2" if same else "L5"


def is_total(value):
    return isinstance(value, dict) and set(value) == {"site", "dataset", "ledgerSeq", "after", "policy"}


def is_under_way(log, size):
    ended, live = set(log.start["ended"]), set()
    for entry in log.entries[log.minimum : size]:
        run = entry.get("run")
        if entry["kind"] == "run.finish":
            ended.add(run)
        elif run and run not in ended:
            live.add(run)
    return not live <= ended


def state_of(log, size):
    repeated, ended = list(log.start["repeated"]), set(log.start["ended"])
    heads = {f"{head['type']} {head['id']}": head for head in log.start["heads"]}
    ledgers = {f"{total['site']} {total['dataset']}": total for total in log.start["ledgers"]}
    for index, entry in enumerate(log.entries[log.minimum : size], log.minimum):
        actor = entry["actor"]
        who = f"{actor['type']} {actor['id']}"
        head = {"type": actor["type"], "id": actor["id"], "seq": entry["seq"], "index": index}
        heads[who] = head | {"configuration": stated(entry) or heads.get(who, {}).get("configuration")}
        if entry["kind"] == "run.finish":
            ended.add(entry["run"])
        if entry["kind"].split(".")[0] in REPEATED:
            repeated.append({"index": index, "entry": base64.b64encode(jcs(entry)).decode()})
        charge = entry["body"].get("charge") if entry["kind"] == "round.contribution" else None
        if charge:
            dataset = entry["body"]["dataset"]
            total = {"site": actor["id"], "dataset": dataset, "policy": entry["body"]["policy"]}
            ledgers[f"{actor['id']} {dataset}"] = total | {name: charge[name] for name in ("ledgerSeq", "after")}
    return {
        "schema": "regulon.baseline/1",
        "fed": log.entries[0]["fed"],
        "size": size,
        "chain": "sha256:" + tree.chain(log.hashes[:size])[size].hex(),
        "repeated": repeated,
        "heads": [heads[key] for key in sorted(heads)],
        "ledgers": [ledgers[key] for key in sorted(ledgers)],
        "ended": sorted(ended),
    }


def stated(entry):
    """The configuration that an entry states, if it does."""
    return {"config.start": entry["body"].get("configuration"), "config.change": entry["body"].get("after")}.get(entry["kind"])
