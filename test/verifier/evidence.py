"""Rows L1 to L3 of what the log says about itself: reports, anchors, refusals of witnesses, evidence of a fork."""

import base64
import hashlib

import entries as log_entries
import tree
from notes import parse_note, verify_log
from primitives import Missing, Wrong, need


def check_evidence(log):
    for index, entry in enumerate(log.entries):
        check = CHECKS.get(entry["kind"]) if entry else None
        if check is None or None in log.hashes:
            continue
        try:
            check(log, index, entry["body"])
        except Missing:
            continue
        except Wrong as error:
            log.add("L1" if entry["kind"] in ("report.issued", "anchor") else "L3", index, str(error))


def is_state(log, index, size, root):
    """A state of this log from before the entry: what an entry quotes was signed earlier."""
    return size <= index and tree.root(log.hashes[:size]) == root


def check_quoted(log, index, body):
    head = body["checkpoint"]
    fits = is_state(log, index, head["size"], bytes.fromhex(head["root"][7:]))
    need(fits, "a checkpoint that is no state of this log")


def check_anchor(log, index, body):
    check_quoted(log, index, body)
    head = body["checkpoint"]
    root = base64.b64encode(bytes.fromhex(head["root"][7:])).decode()
    digest = hashlib.sha256(f"{log.genesis['origin']}\n{head['size']}\n{root}\n".encode()).digest()
    token = log.attachment(body["token"])
    forms = (digest, digest.hex().encode(), base64.b64encode(digest))
    need(any(form in token for form in forms), "a token about another checkpoint")


def check_refusal(log, index, body):
    judge_notes(log, index, [body[name] for name in ("held", "offered") if body[name] is not None])


def check_fork(log, index, body):
    if body["about"] == "notes":
        forked = judge_notes(log, index, [body["first"], body["second"]])
        need(forked, "two states of this log prove nothing")
        return
    need(body["about"] == "entries", "what the evidence is about")
    raw = [log.attachment(body[name]) for name in ("first", "second")]
    one, two = (signed_entry(log, index, data) for data in raw)
    need((one["actor"], one["seq"]) == (two["actor"], two["seq"]), "not two entries of one key with one number")
    need(log_entries.signed_bytes(one) != log_entries.signed_bytes(two), "one entry with other signatures")


def judge_notes(log, index, references):
    """Whether the notes, which the log key must have signed, are not all states of this log: L2 then fails."""
    notes = [parse_note(log.attachment(reference)) for reference in references]
    for note in notes:
        verify_log(note, log.history.last.log)
    if all(is_state(log, index, note.size, note.root) for note in notes):
        return False
    log.add("L2", index, "a signed checkpoint that is no state of this log")
    return True


def signed_entry(log, index, data):
    """An entry that its actor signed, under a key and a role that the log before `index` names."""
    entry, errors = log_entries.parse(data), []
    need(entry["fed"] == log.history.fed, "evidence about another federation")
    in_force = log.history.last.roles.was_in_force(entry["actor"]["key"], entry["at"], index)
    need(in_force, "evidence under a role that was not in force")
    for keys in log.history.until(index):
        try:
            keys.check_own(entry)
            return entry
        except (Wrong, KeyError) as error:
            errors.append(str(error))
    raise Wrong(errors[0])


CHECKS = {
    "report.issued": check_quoted,
    "anchor": check_anchor,
    "witness.refusal": check_refusal,
    "fork.evidence": check_fork,
}
