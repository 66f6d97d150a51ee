"""A second verifier of bundles, written from docs/protocol.md: standard library and `cryptography` only.

    python3 verify.py --bundle b.zip --policy quorum.policy [--site-checkpoints FILE...] [--as-of TIME] [--max-age SECONDS]
        [--kept FOLDER] [--masked-vectors FOLDER]

Prints JSON: {"status": "pass" | "fail" | "unusable", "rows": {row: [indexes of wrong entries, null without one]},
"asks": [rows that a person must judge], "says": {row: text of L2 or S3 that passes}, "notes": [...]}. Of "asks" it says P3 only. Exit codes are those of the document.
"""

import argparse
import json
import sys
import time
from datetime import datetime

import approvals
import archive
import baselines
import configurations
import cosignatures
import egress
import evidence
import lists
import log_rows
import model_chain
import models
import policies
import privacy
import pruning
import releases
import replay
import round_rows
import texts
import training
import withdrawals
from notes import parse_policy
from primitives import Wrong

ROWS = ["L1", "L2", "L3", "L4", "L5", "A1", "A2", "A3", "A4", "S1", "S2", "S3", "S4", "P1", "P2", "P4", "D1", "D2", "R1", "R2", "X1"]


def verify(bundle, policy, kept, as_of, max_age, blobs=None, masked=None):
    """The log with the findings of every row. Raises `Wrong` when bundle or policy cannot be used."""
    files, changed = archive.read(bundle)
    log = log_rows.Log(files, changed, parse_policy(policy))
    log_rows.read_checkpoint(log)
    log_rows.read_tiles(log)
    if log.minimum and not pruning.read_start(log):
        return log
    log_rows.read_attachments(log)
    log_rows.check_signers(log)
    log_rows.check_chains(log)
    notes = log_rows.check_site_checkpoints(log, kept)
    if log.history is None:
        return log
    log_rows.check_chain_values(log)
    log_rows.check_fixed_files(log)
    log_rows.check_policy(log)
    configurations.check_configurations(log)
    baselines.check_baselines(log)
    pruning.check_prunings(log)
    texts.check_texts(log)
    lists.read_lists(log)
    evidence.check_evidence(log)
    cosignatures.check_cosignatures(log, notes, as_of, max_age)
    pruning.drop_ended(log)
    log_rows.check_gates(log)
    log_rows.check_deletions(log)
    approvals.check_approvals(log)
    policies.check_policies(log)
    closed = round_rows.check_rounds(log)
    egress.check_egress(log)
    if blobs is not None:
        models.check_models(log, closed, blobs)
    model_chain.check_model_chain(log)
    training.check_training(log)
    privacy.check_privacy(log)
    releases.check_releases(log)
    withdrawals.check_withdrawals(log)
    if masked:
        replay.check_replay(log, closed, masked)
    level_2 = [f"{log.replayed} of {len(closed)} rounds replayed"] if masked else []
    level_2 += [models.said_of(log)] if blobs is not None else []
    if level_2:
        log.says["S3"] = ", ".join(level_2)
    if any(e["body"]["privacy"] is not None for _, e in log.of_kind("plan.propose")):
        log.asks.append("P3")
    return log


def report(log):
    findings = log.findings
    rows = {row: [index for found, index, _ in findings if found == row] for row in ROWS}
    notes = [f"{row} {'' if index is None else index}: {note}" for row, index, note in findings]
    says = {row: text for row, text in log.says.items() if not rows[row]}
    return {"status": "fail" if findings else "pass", "rows": rows, "asks": log.asks, "says": says, "notes": notes}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def answer_of(arguments):
    """What a list of arguments asks for, as `report` gives it."""
    parser = argparse.ArgumentParser(description="second verifier of audit bundles")
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--policy", required=True)
    parser.add_argument("--site-checkpoints", nargs="*", default=[])
    parser.add_argument("--kept", help="level 2: folder of the sums and models that the coordinator kept")
    parser.add_argument("--as-of")
    parser.add_argument("--max-age", type=int, default=7 * log_rows.DAY)
    parser.add_argument("--masked-vectors", help="RUN/ROUND-ATTEMPT/SITE")
    args = parser.parse_args(arguments)
    as_of = datetime.fromisoformat(args.as_of.replace("Z", "+00:00")).timestamp() if args.as_of else time.time()
    try:
        kept = [read(path) for path in args.site_checkpoints]
        bundle, policy = read(args.bundle), read(args.policy).decode()
        return report(verify(bundle, policy, kept, as_of, args.max_age, args.kept, args.masked_vectors))
    except Wrong as error:
        return {"status": "unusable", "rows": {}, "asks": [], "says": {}, "notes": [str(error)]}


def main():
    answer = answer_of(sys.argv[1:])
    print(json.dumps(answer))
    return {"pass": 0, "fail": 1, "unusable": 4}[answer["status"]]


if __name__ == "__main__":
    sys.exit(main())
