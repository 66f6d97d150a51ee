"""Terms of the use of data, from docs/data-use.md: which term a declared use does not meet."""

import re
from datetime import date, timedelta

# code: (detail, rule)
CODES = {
    "DUO:0000004": ("none", "aim"),
    "DUO:0000006": ("none", "aim"),
    "DUO:0000007": ("term", "aim"),
    "DUO:0000011": ("none", "aim"),
    "DUO:0000012": ("term", "within"),
    "DUO:0000015": ("none", "methods"),
    "DUO:0000016": ("none", "declared"),
    "DUO:0000018": ("none", "commerce"),
    "DUO:0000019": ("none", "declared"),
    "DUO:0000020": ("none", "declared"),
    "DUO:0000021": ("none", "declared"),
    "DUO:0000022": ("word", "within"),
    "DUO:0000024": ("day", "after"),
    "DUO:0000025": ("day", "until"),
    "DUO:0000026": ("word", "within"),
    "DUO:0000027": ("word", "within"),
    "DUO:0000028": ("word", "within"),
    "DUO:0000029": ("none", "declared"),
    "DUO:0000042": ("none", "aim"),
    "DUO:0000043": ("none", "aim"),
    "DUO:0000044": ("none", "ancestry"),
    "DUO:0000045": ("none", "commerce"),
    "DUO:0000046": ("none", "commerce"),
}
FORMS = {"term": r"[A-Za-z]{2,12}:[A-Za-z0-9._-]{1,40}", "word": r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}"}
PERMITS = {
    "DUO:0000042": {"DUO:0000006", "DUO:0000007", "DUO:0000011"},
    "DUO:0000006": {"DUO:0000007"},
}


def is_term(text):
    code, sign, detail = text.partition("=")
    form = CODES.get(code, ("unknown",))[0]
    if form == "day":
        return bool(sign) and is_day(detail)
    return not sign if form == "none" else form in FORMS and bool(re.fullmatch(FORMS[form], detail))


def is_day(text):
    if not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
        return True
    except ValueError:
        return False


def details(code, texts):
    return [t.partition("=")[2] for t in texts if t.partition("=")[0] == code]


def rule_of(text):
    return CODES[text.partition("=")[0]][1]


def dataset_fault(body, purpose, declared):
    terms = body["dataUse"]
    if not terms and (body["public"] or body["simulated"]):
        return None
    if not any(t.partition("=")[0] in CODES and rule_of(t) == "aim" for t in terms):
        return "nothing permits research"
    return fault(terms, purpose, declared)


def fault(terms, purpose, declared):
    """The first term that is not met, or `None`."""
    for text in terms + declared:
        if not is_term(text):
            return f"{text} cannot be matched"
    permissions = [t for t in terms if rule_of(t) == "aim"]
    aims = [t for t in declared if rule_of(t) == "aim"]
    if permissions and "DUO:0000004" not in permissions:
        if not aims:
            return "no kind of research is declared"
        for aim in aims:
            if not any(aim == p or aim.partition("=")[0] in PERMITS.get(p, ()) for p in permissions):
                return f"{aim} is not permitted"
    for text in terms:
        if not is_met(text, terms, purpose, declared):
            return f"{text} is not met"
    return None


def is_met(text, terms, purpose, declared):
    code, _, detail = text.partition("=")
    used, own = {t.partition("=")[0] for t in declared}, details(code, declared)
    return {
        "aim": lambda: True,
        "until": lambda: True,
        "declared": lambda: code in used,
        "within": lambda: bool(own) and set(own) <= set(details(code, terms)),
        "after": lambda: bool(own) and min(own) >= detail,
        "methods": lambda: purpose != "method-development",
        "ancestry": lambda: "DUO:0000011" not in used,
        "commerce": lambda: bool({code, "DUO:0000018"} & used) or {"DUO:0000045", "DUO:0000046"} <= used,
    }[rule_of(text)]()


def end_of_use(terms):
    """Time right after the last day that the terms allow, or `None`."""
    days = [t[12:] for t in terms if t.startswith("DUO:0000025=") and is_term(t)]
    return f"{date.fromisoformat(min(days)) + timedelta(days=1)}T00:00:00.000Z" if days else None
