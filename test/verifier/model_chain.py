"""Row S4: models and feature specifications follow from round to round, and every site derived the same."""

import secagg
from notes import unbase64
from primitives import Wrong, enc, hexes, sha256


def check_model_chain(log):
    for run in {e["run"]: None for e in log.entries if e and "run" in e}:
        own = [(i, e) for i, e in enumerate(log.entries) if e and e.get("run") == run]
        opens = {e["body"]["context"]: (i, e) for i, e in own if e["kind"] == "round.open" and is_readable(log, i, e)}
        closed = [(*opens[e["body"]["context"]], i, e) for i, e in own if is_close(log, opens, i, e)]
        check_sequence(log, closed)
        check_used(log, own, closed)
        check_acks(log, own, closed)
        check_finish(log, own, closed)


def is_readable(log, index, entry):
    """Whether the manifest of an attempt is there, and signed."""
    try:
        m = secagg.parse_manifest(log.attachment(entry["body"]["manifest"]))
        signature = unbase64(entry["body"]["manifestSignature"])
        return secagg.signed_by(log.at(index).coordinator, signature, m["ctx"], "MANIFEST")
    except (Wrong, ValueError, IndexError):
        return False


def is_close(log, opens, index, entry):
    """A sum whose attempt was opened before, with evidence that can be read."""
    if entry["kind"] != "round.aggregate" or opens.get(entry["body"]["context"], (index,))[0] >= index:
        return False
    try:
        secagg.parse_evidence(log.attachment(entry["body"]["evidence"]))
        return True
    except (Wrong, ValueError, IndexError):
        return False


def check_sequence(log, closed):
    newest = {}
    for start, opened, _, entry in closed:
        body = opened["body"]
        validates = body["stepId"] == "validate"
        if body["purpose"] == "evaluation" and not validates:
            continue
        key = "train" if validates else body["purpose"], body["arm"]
        if newest.get(key, body["modelIn"]) != body["modelIn"]:
            log.add("S4", start, "a round does not start from what the last one gave")
        if not validates:
            newest[key] = entry["body"]["modelOut"]


def check_used(log, own, closed):
    """Contributions start from the round's model and, in training, from the feature specification of their arm."""
    rounds = {opened["body"]["context"]: opened["body"] for _, opened, _, _ in closed}
    fitted = {o["body"]["arm"]: e["body"]["modelOut"] for _, o, _, e in closed if o["body"]["purpose"] == "statistics"}
    used = {}
    for index, entry in own:
        body = entry["body"]
        opened = rounds.get(body["context"]) if entry["kind"] == "round.contribution" else None
        if opened is None:
            continue
        if body["modelIn"] != opened["modelIn"]:
            log.add("S4", index, "another model than the round's")
        if opened["purpose"] != "train":
            continue
        specification, arm = body["featureSpecification"], opened["arm"]
        if fitted.get(arm, used.get(arm, specification)) != specification:
            log.add("S4", index, "another feature specification than the run's")
        used[arm] = specification


def check_acks(log, own, closed):
    out = {entry["body"]["context"]: entry["body"]["modelOut"] for _, _, _, entry in closed}
    for index, entry in own:
        if entry["kind"] != "round.ack":
            continue
        body = entry["body"]
        if out.get(body["context"], body["modelOut"]) != body["modelOut"] or body["audited"]["result"] == "differ":
            log.add("S4", index, "a site derived another result, or found a wrong tile")


def check_finish(log, own, closed):
    index, entry = next(((i, e) for i, e in own if e["kind"] == "run.finish"), (None, None))
    if entry is None:
        return
    body = entry["body"]
    models = [e["body"]["modelOut"] for _, opened, _, e in closed if opened["body"]["purpose"] == "train"]
    if body["finalModel"] is not None and body["finalModel"] not in models:
        log.add("S4", index, "the final model is that of no round")
    if body["rounds"] != sum(e["kind"] == "round.aggregate" for _, e in own):
        log.add("S4", index, "another number of rounds than closed")


def evaluated(models):
    """modelIn of the evaluation of these models, in the order of their arms."""
    return hexes(sha256(enc("regulon/evaluation/v1", *(bytes.fromhex(model[7:]) for model in models))))
