"""Lists of an entry that became attachments because they are long."""

import re

from entries import DIGEST
from primitives import Wrong, need, parse_json

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}")
STAGES = ("r0", "r1", "r2", "r3", "r4")
NUMBERS = {
    "plan.propose": ["sites"],
    "run.start": ["sites", "approvals"],
    "round.open": ["invited"],
    "round.aggregate": ["u1", "u2", "u3", "contributions", "unmasks"],
    "round.unmask": ["survivors", "dropped", "selfMask", "maskKey"],
}


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_dropped(value):
    if not isinstance(value, dict) or set(value) != {"site", "stage", "code"} or not is_count(value["site"]):
        return False
    return 1 <= value["site"] <= 65535 and value["stage"] in STAGES and fits(CODE, value["code"])


def is_model(value):
    if not isinstance(value, dict) or set(value) != {"arm", "model", "featureSpecification"}:
        return False
    specification = value["featureSpecification"]
    return is_count(value["arm"]) and fits(DIGEST, value["model"]) and (specification is None or fits(DIGEST, specification))


def fits(form, value):
    return isinstance(value, str) and bool(form.fullmatch(value))


ELEMENTS = {(kind, name): is_count for kind, names in NUMBERS.items() for name in names} | {
    ("round.aggregate", "dropped"): is_dropped,
    ("run.finish", "models"): is_model,
}


MEMBER = {"id", "name", "statement", "cosigner", "steward", "administrators"}


def is_member(value):
    if not isinstance(value, dict) or set(value) != MEMBER or not isinstance(value["administrators"], list):
        return False
    texts = [value[name] for name in MEMBER - {"id", "administrators"}] + value["administrators"]
    return is_count(value["id"]) and len(value["administrators"]) <= 8 and all(isinstance(text, str) for text in texts)


def members_of(log, body):
    """Members of entry 0, from its attachment when they are many. Raises `Wrong` when that is no list of members."""
    if not isinstance(body["members"], dict):
        return body["members"]
    members = parse_json(log.attachment(body["members"]))
    need(isinstance(members, list) and len(members) <= 255 and all(map(is_member, members)), "no list of members")
    return members


def read_lists(log):
    """Put the elements into the entries, once these are verified; none where the attachment does not hold such a list."""
    for entry in filter(None, log.entries):
        for (kind, name), is_element in ELEMENTS.items():
            if entry["kind"] == kind and isinstance(entry["body"][name], dict):
                entry["body"][name] = read(log, entry["body"][name], is_element)


def read(log, reference, is_element):
    try:
        elements = parse_json(log.attachment(reference))
    except Wrong:
        return []
    return elements if isinstance(elements, list) and all(map(is_element, elements)) else []
