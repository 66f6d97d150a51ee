"""Row S2: what sites say that left them."""

import secagg
from primitives import Missing, Wrong


def place_of(entry):
    return entry["actor"]["id"], entry["run"], entry["round"], entry["attempt"]


def check_egress(log):
    """Each `egress.receipt` states the upload of the contribution before it, once, before the sum."""
    uploads, closed, policies, seen = {}, set(), {}, set()
    bits = ring_bits(log)
    for index, entry in enumerate(log.entries):
        kind = entry["kind"] if entry else None
        if kind == "round.contribution":
            uploads.setdefault(place_of(entry), entry["body"])
        elif kind == "round.aggregate":
            closed.add(entry["body"]["context"])
        elif kind == "policy.set":
            policies.setdefault((entry["actor"]["id"], entry["body"]["policy"]["digest"]), entry["body"]["egressKinds"])
        elif kind == "egress.receipt":
            place, body = place_of(entry), entry["body"]
            upload = uploads.get(place)
            allowed = policies.get((place[0], body["rule"]), [body["kind"]])
            good = upload and states(body, upload, bits.get(upload["context"])) and body["kind"] in allowed
            if not good or place in seen or body["context"] in closed:
                log.add("S2", index, f"the receipt of {place[0]} is not that of its upload")
            seen.add(place)


def states(body, upload, bits):
    """Whether a receipt states this upload."""
    masked, charge = upload["maskedInput"], upload["charge"]
    size = masked["length"] * bits // 8 if bits else body["bytes"]
    want = [upload["context"], upload["policy"], charge["ledgerSeq"] if charge else None, 1, size, masked["root"]]
    return [body[name] for name in ("context", "rule", "charge", "count", "bytes", "digest")] == want


def ring_bits(log):
    """Bits of an element of the vectors of each attempt whose manifest can be read."""
    bits = {}
    for _, entry in log.of_kind("round.open"):
        try:
            bits[entry["body"]["context"]] = secagg.parse_manifest(log.attachment(entry["body"]["manifest"]))["ringBits"]
        except (Missing, Wrong, IndexError, ValueError):
            continue
    return bits
