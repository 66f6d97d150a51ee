"""Rows S2 and S4: each arm is trained and validated as the plan and its early stopping say, and gives the model they say."""

from model_chain import evaluated
from primitives import Wrong, enc, hexes, jcs, parse_plan, sha256
from runs import run_of

STEPS = ("train", "validate")


def check_training(log):
    for name in {e["run"]: None for _, e in log.of_kind("run.start")}:
        run = run_of(log, name)
        plan = plan_of(log, run) if run else None
        if plan is None:
            continue
        opens = {key_of(e): (i, e["body"]) for i, e in log.of_kind("round.open") if e["run"] == name}
        sums = [(i, e, *opens[key_of(e)]) for i, e in log.of_kind("round.aggregate") if key_of(e) in opens]
        rounds = [place for place in sums if place[3]["stepId"] in STEPS]
        chosen = {}
        for arm in {body["arm"]: None for _, _, _, body in rounds}:
            own = [place for place in rounds if place[3]["arm"] == arm]
            done, model = walk(log, plan, own)
            check_end(log, name, arm, own[-1][0], opens, done)
            chosen[arm] = model, done
        check_chosen(log, name, sums, chosen)


def key_of(entry):
    return entry["run"], entry["round"], entry["attempt"]


def plan_of(log, run):
    """Rounds, `every`, rule and gate of the attached plan, whose numbers are decimal strings."""
    try:
        plan = parse_plan(log.attachment(run.proposal["plan"]))
        rule, every = plan["evaluation"].get("earlyStopping"), plan["evaluation"].get("every")
        most = plan["evaluation"].get("maxWorsening")
        return int(plan["training"]["rounds"]), every and int(every), rule, None if most is None else float(most)
    except (Wrong, KeyError, ValueError, TypeError):
        return None


def steps_of(plan, figures):
    rounds, every, rule, _ = plan
    for iteration in range(1, rounds + 1):
        yield "train"
        if every is None or (iteration % every and iteration != rounds):
            continue
        yield "validate"
        if rule and stops(figures, rule)[1]:
            return


def stops(figures, rule):
    sign = 1.0 if rule["metric"] == "loss" else -1.0
    values = [sign * float(figure[rule["metric"]]) for figure in figures]
    best, least = 0, values[0]
    for i, value in enumerate(values):
        if value < least - float(rule["minDelta"]):
            best, least = i, value
    return best, len(values) - 1 - best >= int(rule["patience"])


def walk(log, plan, rounds):
    """Whether the plan asks for no more, `None` where the rounds are others than it has, and the model it makes of them."""
    figures, scored = [], []
    steps = steps_of(plan, figures)
    for index, entry, opened, body in rounds:
        if next(steps, None) != body["stepId"]:
            log.add("S2", opened, f"round {entry['round']} is {body['stepId']}, the plan has another")
            return None, None
        if body["stepId"] == "train":
            continue
        stated = entry["body"].get("figures")
        model = bytes.fromhex(body["modelIn"][7:])
        digest = stated and sha256(enc(b"regulon/validation/v1", model, jcs(stated)))
        if not stated or hexes(digest) != entry["body"]["modelOut"]:
            log.add("S2", index, "the result does not cover the figures")
            return None, None
        figures.append(stated)
        scored.append(body["modelIn"])
        losses = [float(figure["loss"]) for figure in figures]
        if plan[3] is not None and len(losses) > 1 and losses[-1] > min(losses[:-1]) + plan[3]:
            log.add("S2", index, "a model beyond the validation gate of the plan")
    done, rule = next(steps, None) is None, plan[2]
    trained = [entry["body"]["modelOut"] for _, entry, _, body in rounds if body["stepId"] == "train"]
    last = trained[-1] if trained else None
    return done, scored[stops(figures, rule)[0]] if rule and done and figures else last


def check_chosen(log, name, sums, chosen):
    """S4: the run ends with these models, and scores them."""
    finish = next(((i, e["body"]) for i, e in log.of_kind("run.finish") if e["run"] == name), None)
    for stated in finish[1]["models"] if finish else ():
        model, done = chosen.get(stated["arm"], (None, False))
        if done and model not in (None, stated["model"]):
            log.add("S4", finish[0], "the model of an arm is not the one that the plan chooses")
    scoring = next((place for place in sums if place[3]["stepId"] == "evaluate"), None)
    models = [model for model, _ in chosen.values()]
    if scoring and None not in models and scoring[3]["modelIn"] != evaluated(models):
        log.add("S4", scoring[2], "the evaluation scores other models than the plan chooses")


def check_end(log, name, arm, end, opens, is_done):
    if is_done is None:
        return
    after = sorted((place for place in opens.values() if place[0] > end), key=lambda place: place[0])
    own = [i for i, body in after if body["arm"] == arm and body["stepId"] in STEPS]
    if is_done:
        for index in own[:1]:
            log.add("S2", index, f"arm {arm} is trained after the plan has ended that")
        return
    others = [i for i, body in after if body["arm"] != arm or body["stepId"] not in STEPS]
    done = [i for i, e in log.of_kind("run.finish") if e["run"] == name and e["body"]["status"].startswith("COMPLETED")]
    for index in (others or done)[:1]:
        log.add("S2", index, f"the training of arm {arm} ends before the plan ends it")
