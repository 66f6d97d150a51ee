"""Row S1: where the plan compares the groups, every training round has as many as its rule needs."""

from primitives import Wrong, parse_plan


def least_groups(log, run):
    """Fewest groups of a training round of the attached plan, whose numbers are decimal strings."""
    try:
        own = parse_plan(log.attachment(run.proposal["plan"]))["secureAggregation"]
        rule = own.get("combine", "mean")
        return {"mean": 1, "median": 3, "trimmed-mean": 2 * int(own.get("trim", "1")) + 1}[rule]
    except (Wrong, KeyError, ValueError, TypeError):
        return 1


def enough_groups(log, run, m, parts):
    """Whether a round has as many groups as its plan compares."""
    return m["purpose"] != 0 or run is None or len(parts) >= least_groups(log, run)
