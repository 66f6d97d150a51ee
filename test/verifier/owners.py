"""Row S1: a block that only some sites train is a sum over these alone, and covers uMin of them."""

from primitives import Wrong, parse_plan


def owners_of(log, run):
    """Roster ids of the owners of each such block of the attached plan."""
    try:
        blocks = parse_plan(log.attachment(run.proposal["plan"]))["model"]["blocks"]
        named = [set(block["owners"]) for block in blocks if "owners" in block]
    except (Wrong, KeyError, ValueError, TypeError):
        return []
    return [{i for i, name in log.names.items() if name in names} for names in named]


def cover_owners(log, run, m, u3, least):
    """Whether a training round over these counted survivors sums every block over enough of its owners."""
    if m["purpose"] != 0 or run is None:
        return True
    return all(len(owners & set(u3)) >= least for owners in owners_of(log, run))
