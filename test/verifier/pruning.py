"""Row L5 of logs whose first entries are gone: `log.prune` and the baseline with which they begin."""

import base64

import entries as log_entries
import tree
from baselines import REPEATED
from primitives import Missing, Wrong, need, parse_json

AFTER_END = ("round.ack", "round.contribution", "round.unmask", "egress.receipt", "round.abort", "retention.delete")
RELEASES = ("model.release", "model.export")
MEMBERS = {"schema", "fed", "size", "chain", "repeated", "heads", "ledgers", "ended"}


def read_start(log):
    """Whether the log can be judged from a baseline, whose entries are then there."""
    prunes = [i for i, e in log.of_kind("log.prune") if e["body"]["size"] == log.minimum]
    if not prunes:
        log.add("L5", log.minimum, "the first entries are missing, and no log.prune says so")
        return False
    at = log.entries[prunes[-1]]["body"]["baseline"]
    baseline = log.entries[at] if at < prunes[-1] else None
    if not baseline or baseline["kind"] != "log.baseline" or baseline["body"]["size"] != log.minimum:
        log.add("L5", prunes[-1], "pruned without a baseline")
        return False
    try:
        need(baseline["body"]["root"] == "sha256:" + tree.root(log.hashes[: log.minimum]).hex(), "root")
        state = parse_json(log.attachment(baseline["body"]["state"]))
        check_state(log, state)
    except (Missing, Wrong, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        log.add("L5", at, f"the baseline of a pruned log: {error}")
        return False
    for said in state["repeated"]:
        log.entries[said["index"]] = log_entries.parse(base64.b64decode(said["entry"]))
    log.start, log.pruned = state, prunes[-1]
    return True


def check_state(log, state):
    need(set(state) == MEMBERS and state["schema"] == "regulon.baseline/1", "members of the state")
    need(state["size"] == log.minimum, "size")
    need(state["chain"] == "sha256:" + tree.chain(log.hashes[: log.minimum])[-1].hex(), "chain")
    for head in state["heads"]:
        need(set(head) == {"type", "id", "seq", "index", "configuration"} and head["index"] < log.minimum, "heads")
    for total in state["ledgers"]:
        need(set(total) == {"site", "dataset", "ledgerSeq", "after", "policy"}, "ledgers")
        float(total["after"])
    indexes = [said["index"] for said in state["repeated"]]
    need(indexes[:1] == [0] and indexes == sorted(set(indexes)) and indexes[-1] < log.minimum, "indexes that are repeated")
    for said in state["repeated"]:
        data = base64.b64decode(said["entry"], validate=True)
        need(set(said) == {"index", "entry"} and tree.leaf(data) == log.hashes[said["index"]], "an entry of the tree")
        need(log_entries.parse(data)["kind"].split(".")[0] in REPEATED, "a kind that is not repeated")


def check_prunings(log):
    """A quorum of sites had signed the baseline, and the longest class of entry 0 had passed."""
    for index, entry in log.of_kind("log.prune"):
        body = entry["body"]
        if body["size"] < log.minimum:
            continue
        said = [(i, e) for i, e in log.of_kind("log.baseline") if i < index]
        own = [e for i, e in said if i == body["baseline"] and e["actor"]["type"] == "coordinator"]
        if not own or own[0]["body"]["size"] != body["size"]:
            log.add("L5", index, "pruned without a baseline")
            continue
        keys = log.at(index)
        names = set(keys.names.values())
        signed = {e["actor"]["id"] for _, e in said if e["actor"]["type"] == "site" and e["body"] == own[0]["body"]}
        classes = sorted((-c["days"], c["class"]) for c in log.genesis["retention"])
        first = next((e for e in log.entries[body["size"] :] if e), None)
        good = len(signed & names) >= keys.body["quorum"] and classes and classes[0][1] == body["class"]
        if not good or first is None or seconds(first) - classes[0][0] * 86_400 > seconds(entry):
            log.add("L5", index, "pruned without a quorum, or before its class had ended")


def seconds(entry):
    return log_entries.seconds(entry["at"])


def drop_ended(log):
    """Runs that had ended before the entries that are left are not judged; nothing begins in them, and no model leaves."""
    ended = set(log.start["ended"])
    for index, entry in enumerate(log.entries):
        if entry is None or index < log.minimum or entry.get("run") not in ended:
            continue
        if entry["kind"] not in AFTER_END + RELEASES:
            log.add("L5", index, "a run that had ended goes on")
        if entry["kind"] in RELEASES and index > log.pruned:
            log.add("R1", index, "a model of a run whose entries were pruned")
        log.entries[index] = None
