"""Lists of an entry that became attachments because they are long."""

import bodies
from primitives import Wrong, need, parse_json

NUMBERS = {
    "plan.propose": ["sites"],
    "run.start": ["sites", "approvals"],
    "round.open": ["invited"],
    "round.aggregate": ["u1", "u2", "u3", "contributions", "unmasks"],
    "round.unmask": ["survivors", "dropped", "selfMask", "maskKey"],
}


ELEMENTS = {(kind, name): bodies.N for kind, names in NUMBERS.items() for name in names} | {
    ("round.aggregate", "dropped"): bodies.DROPPED,
    ("run.finish", "models"): bodies.ARM_MODEL,
}


def members_of(log, body):
    """Members of entry 0, from its attachment when they are many. Raises `Wrong` when that is no list of members."""
    if not isinstance(body["members"], dict):
        return body["members"]
    members = parse_json(log.attachment(body["members"]))
    need(isinstance(members, list) and len(members) <= 255 and all(map(bodies.MEMBER, members)), "no list of members")
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
