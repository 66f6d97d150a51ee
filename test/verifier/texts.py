"""Row D1 of docs/protocol.md: texts that look like a person, a sample or a secret."""

import math
import re
from collections import Counter

from bodies import DEC, SPACE, D, like

# texts that people write
FREE = {"reference", "justification", "conditions", "reason", "intendedUse"}
DECIMALS = {"epsilonCap", "delta", "clip", "sigma", "samplingRate", "before", "after", "epsilon", "loss", "accuracy"}
# texts whose form says that no person wrote them
STRUCTURAL = [
    like(r"run_[0-9a-f]{32}|[0-9a-f]{64}|[A-Za-z0-9+/]{86}=="),
    like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|DUO:\d{7}(=[A-Za-z0-9][A-Za-z0-9._:-]*)?"),
    like(rf"[^{SPACE}+]+\+[0-9a-f]{{8}}(\+[A-Za-z0-9+/]+={{0,2}})?"),
]
IDENTIFIERS = [
    (re.compile(rf"[^{SPACE}@]+@[^{SPACE}@]+\.[a-z]{{2,}}", re.ASCII | re.IGNORECASE), "an e-mail address"),
    (re.compile(r"\bTCGA-[A-Z0-9]{2}-(?=[A-Z]{0,3}\d)[A-Z0-9]{4}", re.ASCII | re.IGNORECASE), "a sample barcode"),
    (
        re.compile(r"(?<!\d)(\d{1,2}[./]\d{1,2}[./](19|20)\d\d|(19|20)\d\d-\d\d-\d\d)(?!\d)", re.ASCII),
        "a date",
    ),
    (re.compile(r"\d{7,}", re.ASCII), "a long number"),
    (re.compile(r"(\+|\b00)\d[\d ()/-]{7,}\d", re.ASCII), "a telephone number"),
]
# numbers of studies and boards
REGISTERED = re.compile(r"\b(NCT|DRKS|ISRCTN|IRB|FWA|UMIN|ChiCTR|ACTRN) ?\d{7,14}\b", re.ASCII | re.IGNORECASE)
BETWEEN_WORDS = re.compile(rf"[{SPACE}/:+.-]+")


def is_form(text, member):
    if D(text):
        return True
    if member in FREE:
        return False
    return any(form(text) for form in STRUCTURAL) or member in DECIMALS and DEC(text)


def texts_of(value, member=""):
    """Texts that are no fixed form; a list is about what its member is."""
    if isinstance(value, str):
        if not is_form(value, member):
            yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_of(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner, member)


def is_dense(word):
    """32 ASCII characters or more with a digit and over four bits each: a key, in no language a word."""
    if not re.fullmatch(r"(?=.*[0-9])[!-~]{32,}", word):
        return False
    parts = [n / len(word) for n in Counter(word).values()]
    return -sum(p * math.log2(p) for p in parts) > 4


def check_texts(log):
    """D1: no text of an entry looks like an identifier or a secret."""
    for index, entry in enumerate(log.entries):
        if entry is None:
            continue
        # row S2 reads the proof to its last byte
        body = entry["body"] | {"proof": None} if entry["kind"] == "round.reopen" else entry["body"]
        for text in texts_of(body):
            found = [what for pattern, what in IDENTIFIERS if pattern.search(REGISTERED.sub("", text))]
            if any(is_dense(word) for word in BETWEEN_WORDS.split(text)):
                found.append("a random-looking word")
            if found:
                log.add("D1", index, f"a text of the entry holds {found[0]}")
