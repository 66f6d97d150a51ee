"""Row S3, level 2: the models of training rounds once more from the sums and models that the coordinator kept."""

import math
import os
import statistics
import struct
from array import array

import tree
from primitives import Wrong, hexes, need, parse_plan
from runs import run_of

WORDS = 16384
LOST, DIVIDED = "without a kept sum or model", "with divisors of their own"


def check_models(log, closed, folder):
    """`closed` as the checks of rounds leave it: (index, manifest, groups) by (run, round, attempt)."""
    earlier = {}
    for key, (index, m, parts) in closed.items():
        run = run_of(log, key[0])
        plan = plan_of(log, run) if run else None
        if m["purpose"] != 0:
            continue
        if plan is None:
            log.derived["without a plan that can be read"] += 1
            continue
        arm = key[0], m["arm"]
        own = earlier.get(arm, [])
        try:
            files = files_of(folder, m, log.entries[index]["body"])
            log.derived[LOST if not files else DIVIDED if plan[3] else "derived"] += 1
            energies = files and judge(plan, m, parts, files, own or [], log.entries[index]["body"])
        except (Wrong, ValueError, OverflowError) as error:
            log.add("S3", index, f"round {key[1]}: {error}")
            energies = None
        earlier[arm] = None if own is None or not energies else [*own, energies]


def plan_of(log, run):
    """Rule, trim and factor of the attached plan, whose numbers are decimal strings; whether blocks have divisors."""
    try:
        plan = parse_plan(log.attachment(run.proposal["plan"]))
    except Wrong:
        return None
    own = plan.get("secureAggregation", {})
    owned = any("owners" in block for block in plan.get("model", {}).get("blocks", []))
    by_sites = plan.get("training", {}).get("strategy") != "fed-sgd" and "privacy" not in plan
    rule, factor = own.get("combine", "mean"), own.get("tileFactor")
    trim = int(own.get("trim", "1")) if rule == "trimmed-mean" else 0
    return rule, trim, factor and float(factor), owned or (plan.get("task") == "heads" and by_sites)


def files_of(folder, m, body):
    """Bytes of the model before, of the sum of all and of each group; `None` when one was not kept."""
    names = [hexes(m["modelHash"]), body["aggregateRoot"], *(g["aggregateRoot"] for g in body.get("groups", []))]
    paths = [os.path.join(folder, name[7:9], name[7:]) for name in names]
    if not all(os.path.exists(path) for path in paths):
        return None
    files = []
    for name, path in zip(names, paths):
        with open(path, "rb") as file:
            files.append(file.read())
        need(hexes(tree.root_of(files[-1])) == name, "a kept sum or model is not the logged one")
    need(len(files[0]) == 4 * m["d"] and all(len(f) == 4 * m["L"] for f in files[1:]), "another size")
    return files


def signed(data):
    words = array("i")
    words.frombytes(data)
    return words


def judge(plan, m, parts, files, earlier, body):
    """The energies of the tiles. Raises what differs from the log."""
    rule, trim, factor, owned = plan
    d = m["d"]
    before = struct.unpack(f"<{d}f", files[0])
    whole, *groups = [signed(data) for data in files[1:]]
    energies = tile_energies(whole[:d])
    if rule == "mean":
        check_ceiling(m, parts, whole[:d])
        if factor is not None:
            check_tiles(m, factor, energies, earlier)
        need(whole[d] > 0, "no weight")
        moved = (whole[i] / m["Q"] * m["C"] / (whole[d] / 2**20) for i in range(d))
    else:
        moved = combined(m, rule, trim, groups)
    data = struct.pack(f"<{d}f", *(a + b for a, b in zip(before, moved)))
    same = hexes(tree.root_of(data)) == body["modelOut"]
    need(owned or same, "the logged model does not follow from the sum")
    return energies


def combined(m, rule, trim, groups):
    """Of each coordinate the median, or the trimmed mean, of the means of the groups."""
    k, d = len(groups), m["d"]
    need(k >= (3 if rule == "median" else 2 * trim + 1), "too few groups")
    low, high = ((k - 1) // 2, k // 2) if rule == "median" else (trim, k - 1 - trim)
    weights = [words[d] / 2**20 for words in groups]
    for i in range(d):
        means = [g[i] / m["Q"] * m["C"] / w if 0 < w <= m["N"] else 0.0 for g, w in zip(groups, weights)]
        total = 0.0
        for value in sorted(means)[low : high + 1]:
            total += value
        yield total / (high - low + 1)


def check_ceiling(m, parts, words):
    """Of runs without noise in the ring; row S1 refuses the others."""
    survivors = sum(len(part.u3) for part in parts)
    norm = math.sqrt(squares(words)) / m["Q"] * m["C"]
    need(norm <= survivors * m["C"] * (1 + math.sqrt(m["d"]) / m["Q"]), "the sum lies above its ceiling")


def squares(words):
    total = 0.0
    for word in words:
        total += word * word
    return total


def tile_energies(words):
    pieces = [words[i : i + WORDS] for i in range(0, len(words), WORDS)]
    return [squares(piece) / len(piece) for piece in pieces]


def check_tiles(m, factor, energies, earlier):
    if len(earlier) < 3:
        return
    profile = [statistics.median(own[t] for own in earlier) for t in range(len(energies))]
    need(all(e <= factor * max(m["N"] ** 2, p) for e, p in zip(energies, profile)), "a tile stands out")


def said_of(log):
    """Of how many training rounds the model was derived, and why not of the others."""
    reasons = ("without a plan that can be read", LOST, DIVIDED)
    left = [f"{log.derived[why]} {why}" for why in reasons if log.derived[why]]
    missing = sum(log.derived[why] for why in reasons)
    rest = f" ({missing} at level 1 only: {', '.join(left)})" if missing else ""
    return f"{log.derived['derived']} of {log.derived['derived'] + missing} models derived{rest}"
