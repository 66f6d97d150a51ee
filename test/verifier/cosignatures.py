"""Rows L2 and L4 in gate mode cosigned."""

from datetime import datetime, timezone

import entries as log_entries
import tree
from log_rows import DAY
from notes import cosignature_times, parse_note, verify_log
from primitives import Wrong, need


def check_cosignatures(log, kept, as_of, max_age):
    """`kept`: checkpoints that sites kept, beside those of the bundle."""
    if log.genesis["gateMode"] != "cosigned":
        return
    newest, notes = None, {}
    names = sorted(n for n in log.files if n.startswith("site-checkpoints/"))
    for name in ["checkpoint", *names]:
        try:
            need(name in log.files, "the newest checkpoint is missing")
            note = parse_note(log.files[name])
            verify_log(note, log.policy.log)
            need(note.size <= len(log.hashes), "a checkpoint of a later log")
            need(tree.root(log.hashes[: note.size]) == note.root, "a checkpoint with another root")
            need(name in ("checkpoint", f"site-checkpoints/{note.size}.note"), "a checkpoint under another size")
            members = log.at(note.size)
            note.times = cosignature_times(note, members.cosigners)
            need(len(note.times) >= members.body["quorum"], f"{name} has {len(note.times)} cosignatures")
            # of the newest size, site-checkpoints/ has the first cosignatures, checkpoint the last ones
            newest = newest or (note if name == "checkpoint" else None)
            notes[note.size] = note
        except Wrong as error:
            log.add("L2", None, str(error))
    if newest:
        latest = span_of(log, newest.size, newest.times)[1]
        if latest < as_of - max_age:
            log.add("L2", None, "the newest cosignature is too old")
        if latest > as_of + log.genesis["skewSeconds"]:
            log.add("L4", None, "a cosignature is dated after the time of the judgement")
    check_changes(log, notes)
    check_gate_entries(log, notes)
    seen = by_size([*notes.values(), *([newest] if newest else []), *read_kept(log, kept)])
    check_times(log, seen)
    if newest:
        log.says["L2"] = witnessed(log, seen, newest)


def read_kept(log, kept):
    """Of what sites kept those with a quorum."""
    for note in kept:
        members = log.at(note.size)
        try:
            note.times = cosignature_times(note, members.cosigners)
        except Wrong as error:
            log.add("L2", None, f"a checkpoint that a site keeps is not acceptable: {error}")
            continue
        if len(note.times) >= members.body["quorum"]:
            yield note


def by_size(notes):
    """Times of each size, ascending: of several notes the first cosignature of each member."""
    merged = {}
    for note in notes:
        first = merged.setdefault(note.size, {})
        for name, time in note.times.items():
            first[name] = min(time, first.get(name, time))
    return sorted(merged.items())


def witnessed(log, seen, newest):
    """What the witnesses saw: a bundle with fewer checkpoints proves less."""
    sizes = [size for size, _ in seen]
    apart = max(b - a for a, b in zip([sizes[0], *sizes], sizes))
    since, until = span_of(log, *seen[0])[0], span_of(log, newest.size, newest.times)[1]
    span = " to ".join(datetime.fromtimestamp(t, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z") for t in (since, until))
    return f"cosigned sizes: {len(sizes)}, from {sizes[0]} to {newest.size}, at most {apart} entries apart, of {span}"


def check_changes(log, notes):
    """The first checkpoint over a change has a quorum of the members before it, too."""
    for index in log.history.indexes:
        over = [size for size in notes if size > index]
        before = log.at(index)
        if over and len(set(notes[min(over)].times) & set(before.cosigners)) < before.body["quorum"]:
            log.add("L2", index, "too few of the members before a change cosigned it")


def check_gate_entries(log, notes):
    for index, entry in log.of_kind("round.contribution"):
        gate = entry["body"]["gate"]
        note = notes.get(gate["size"])
        fits = note and gate["size"] <= index and gate["root"] == "sha256:" + note.root.hex()
        if not fits:
            log.add("L2", index, "the gate of a contribution is no checkpoint with a quorum")


def span_of(log, size, times):
    """The (f + 1)-th oldest and the (f + 1)-th newest time: one of each f + 1 is of an honest member."""
    times = sorted(times.values())
    skipped = min(log.at(size).body["colluders"], len(times) - 1)
    return times[skipped], times[-1 - skipped]


def check_times(log, ordered):
    skew = log.genesis["skewSeconds"]
    last = {}
    for size, times in ordered:
        for witness, time in times.items():
            if time < last.get(witness, 0):
                log.add("L4", size - 1, f"{witness} cosigned a larger size before a smaller one")
            last[witness] = max(time, last.get(witness, 0))
    seen = [(size, span_of(log, size, times)[0]) for size, times in ordered]
    for index, entry in enumerate(log.entries):
        covering = [time for size, time in seen if size > index]
        if entry is None or not covering:
            continue
        at, first = log_entries.seconds(entry["at"]), covering[0]
        if at > first + 2 * skew or (index >= seen[0][0] and at < first - DAY):
            log.add("L4", index, "the entry is dated after its first cosignature, or long before")
