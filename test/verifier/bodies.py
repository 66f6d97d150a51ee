"""Row D1 of docs/protocol.md: the form of each body (Log, Entry)."""

import re

# white space of ECMAScript
SPACE = "\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def like(pattern, most=2000, flags=re.ASCII):
    compiled = re.compile(pattern, flags)
    return lambda value: isinstance(value, str) and len(value) <= most and bool(compiled.fullmatch(value))


def one_of(*values):
    return lambda value: type(value) in (str, int) and value in values


def number(least=0, most=2**53 - 1):
    return lambda value: type(value) is int and least <= value <= most


def maybe(form):
    return lambda value: value is None or form(value)


def either(first, second):
    return lambda value: first(value) or second(value)


def members(**forms):
    """An object with these members and no other; those in `forms["optional"]` may be absent."""
    optional = forms.pop("optional", {})
    every = forms | optional

    def holds(value):
        return (
            isinstance(value, dict)
            and set(forms) <= set(value) <= set(every)
            and all(every[name](inner) for name, inner in value.items())
        )

    return holds


def array(form, most=64, least=0, by=None):
    """A list; with `by` its members ascend by what that gives."""

    def holds(value):
        if not isinstance(value, list) or not least <= len(value) <= most or not all(form(v) for v in value):
            return False
        order = [by(v) for v in value] if by else []
        return all(a < b for a, b in zip(order, order[1:]))

    return holds


def itself(value):
    return value


def boolean(value):
    return isinstance(value, bool)


D = like(r"sha256:[0-9a-f]{64}")
DEC = like(r"-?(0|[1-9]\d*)(\.\d+)?", 40)
NAME = like(r"[a-z0-9][a-z0-9-]{0,62}")
CODE = like(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}")
TEXT = like(r"(?s:.*)")
SAID = like(r"(?s:.+)")
VKEY = like(rf"[^{SPACE}+]+\+[0-9a-f]{{8}}\+[A-Za-z0-9+/]+={{0,2}}", 400)
KEY = like(rf"[^{SPACE}+]+\+[0-9a-f]{{8}}", 220)
S = like(r"[A-Za-z0-9+/]{85}[AQgw]==")
DUO = like(r"DUO:\d{7}(=[A-Za-z0-9][A-Za-z0-9._:-]*)?", 80)
N, POSITIVE, ID, U16 = number(), number(1), number(0, 2**32 - 1), number(0, 2**16 - 1)
COHORT = number(3, 255)
BAND = one_of("<20", "20-49", "50-99", "100-199", "200-499", "500+")
UNIT = one_of("patient", "library", "cell-line", "series", "sequence", "gene")
PURPOSE = one_of("research", "quality", "method-development")
STAGE = one_of("r0", "r1", "r2", "r3", "r4")
ROLE = one_of("researcher", "auditor", "operator")
GAMMA = members(num=number(0, 255), den=number(1, 255))
HEAD = members(size=N, root=D)
A = members(digest=D, size=N, mediaType=like(r"[a-z]+/[a-z0-9.+-]+(;v=\d+)?", 100))
PROVENANCE = members(builder=like("[!-~]{1,500}"), subject=D, statement=D)


def is_time(value):
    if not like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")(value):
        return False
    year, month, day, hour, minute, second = (int(n) for n in re.split("[-T:.]", value)[:6])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return 1 <= year and 1 <= month <= 12 and 1 <= day <= days[month - 1] and hour < 24 and minute < 60 and second < 60


T = is_time


def listed(form, by=None):
    """A list of at most 64, or its attachment."""
    return either(array(form, by=by), A)


IDS, INDEXES = listed(ID, by=itself), listed(N, by=itself)
SITES = array(ID, 255, 3, by=itself)


def per_site(**forms):
    return array(members(site=NAME, **forms), by=lambda value: value["site"])


COVERAGE = members(sites=N, band=BAND)
FILE = members(digest=D, size=N)
FORMAT = one_of("safetensors")
MEMBER = members(id=ID, name=NAME, statement=VKEY, cosigner=VKEY, steward=VKEY, administrators=array(VKEY, 8))
CHANGE = {
    **{"previous": D, "rosterHash": D, "roster": A, "reason": CODE, "quorumPolicy": A},
    **{"administratorThreshold": POSITIVE, "colluders": N, "quorum": N},
}
PRIVACY = members(
    mechanism=one_of("discrete-gaussian", "skellam", "dp-sgd"),
    **{"clip": DEC, "sigma": DEC, "samplingRate": DEC, "steps": N, "adjacency": one_of("add-remove", "replace")},
    **{"unit": UNIT, "delta": DEC, "accountant": CODE, "accountantVersion": CODE},
)
RINGS = members(
    **{"gamma": GAMMA, "nMin": COHORT, "quantization": N, "weightCap": N, "fractionBits": number(0, 63)},
    optional={"subCohort": number(4, 127)},
)
THRESHOLDS = members(**{name: N for name in ("N", "M", "n", "c", "quorum", "t", "uMin", "h")})
DROPPED = members(site=ID, stage=STAGE, code=CODE)
ARM_MODEL = members(arm=N, model=D, featureSpecification=maybe(D))
GROUP = members(sites=SITES, h1=D, h2=D, h3=D, aggregateRoot=D)
DOER = members(
    role=one_of("researcher", "steward", "auditor", "operator", "token-file"), id=like(r"p-[a-p]{16}|token-file")
)
REFUSED = members(planHash=D, reason=CODE)
BUNDLES = lambda value: POSITIVE(value) and value % 256 == 0  # noqa: E731
DATASET = {"dataset": NAME, "datasetVersion": POSITIVE, "commitment": D}

BODIES = {
    "federation.genesis": members(
        **{"origin": like(r"(?s:.+)", 200), "logKey": VKEY, "coordinatorKey": VKEY, "rosterHash": D, "roster": A},
        **{"members": listed(MEMBER), "administratorThreshold": POSITIVE},
        **{"people": array(members(id=NAME, role=ROLE, key=VKEY)), "quorumPolicy": A},
        **{"gateMode": one_of("signed", "cosigned"), "colluders": N, "quorum": N, "gateLag": number(0, 1)},
        **{"minCohort": COHORT, "gamma": GAMMA, "quorumRule": one_of("strict", "majority"), "skewSeconds": N},
        **{"gateMaxAgeSeconds": N, "mergeDelaySeconds": N, "evidenceLevel": number(1, 2), "software": D},
        retention=array(members(**{"class": CODE, "days": N}), 16),
    ),
    "member.join": members(member=MEMBER, **CHANGE),
    "member.revoke": members(member=NAME, keys=array(VKEY, 11), **CHANGE),
    "key.rotate": members(
        role=one_of("coordinator", "site", "cosigner", "steward", "administrator"),
        **{"id": NAME, "old": VKEY, "key": VKEY, "handover": S},
        **CHANGE,
    ),
    "role.grant": members(role=ROLE, subject=NAME, key=VKEY, issuer=CODE, validUntil=T),
    "role.revoke": members(role=ROLE, subject=NAME, key=VKEY, reason=CODE),
    "policy.set": members(
        **{"policy": A, "supersedes": maybe(D), "dataUse": array(DUO, 32), "purposes": array(PURPOSE, 8)},
        references=array(members(kind=one_of("dpia", "ethics", "contract"), reference=TEXT), 16),
        **{"legalBasis": CODE, "epsilonCap": maybe(DEC), "delta": maybe(DEC), "unit": UNIT, "minCohort": COHORT},
        **{"gamma": GAMMA, "allowedPlans": array(D), "allowedCode": array(D), "reviewersNeeded": N},
        **{"egressKinds": array(CODE, 32), "leaveSiteOut": one_of("off", "safe", "exact"), "stableCohort": boolean},
        **{"allowDifference": boolean, "retentionClass": CODE, "validUntil": maybe(T)},
    ),
    "policy.override": members(
        **{"policy": D, "rule": one_of("purposes", "dataUse", "plans", "maxRounds"), "planHash": D},
        **{"justification": SAID, "expires": T},
    ),
    "dataset.commit": members(
        **{"dataset": NAME, "version": POSITIVE, "commitment": D, "schema": D, "panel": members(digest=D, size=N)},
        **{"band": BAND, "unit": UNIT, "qualityReport": maybe(D), "dataUse": array(DUO, 32)},
        **{"public": boolean, "simulated": boolean},
    ),
    "dataset.withdraw": members(dataset=NAME, scope=one_of("all", "commitment"), reason=CODE),
    "plan.propose": members(
        **{"name": NAME, "plan": A, "planHash": D, "purpose": PURPOSE, "code": D, "provenance": maybe(PROVENANCE)},
        **{"architecture": D, "initialModel": maybe(D), "privacy": maybe(PRIVACY), "secureAggregation": RINGS},
        **{"sites": IDS, "rounds": N, "requireAll": boolean},
    ),
    "plan.approve": members(planHash=D, policy=D, **DATASET, conditions=array(TEXT, 16), validUntil=T),
    "plan.reject": REFUSED,
    "plan.withdraw": REFUSED,
    "run.start": members(
        **{"planHash": D, "proposal": N, "approvals": INDEXES, "sites": IDS, "initialModel": maybe(D)},
        **{"featureSpecification": maybe(D), "public": boolean},
    ),
    "round.open": members(
        **{"purpose": one_of("train", "statistics", "evaluation"), "stepId": CODE, "arm": U16, "manifest": A},
        **{"manifestSignature": S, "context": D, "modelIn": D, "invited": IDS, "rosterHash": D},
        **{"previousTranscript": D, "deadlines": array(T, 5, 5), "chain": D, "size": N},
    ),
    "round.contribution": members(
        **{"context": D, "role": one_of("contributor", "silent"), "modelIn": D, "code": D, "daemon": CODE},
        **{"policy": D, **DATASET, "featureSpecification": D, "cohort": D},
        maskedInput=members(length=N, root=D),
        charge=maybe(members(ledgerSeq=N, before=DEC, after=DEC, event=CODE)),
        **{"cached": maybe(D), "sampler": maybe(CODE), "band": BAND, "window": members(start=T, end=T)},
        **{"gate": HEAD, "attestation": maybe(A)},
    ),
    "round.unmask": members(
        **{"context": D, "consistency": D, "survivors": IDS, "dropped": IDS, "selfMask": IDS, "maskKey": IDS},
        **{"answer": D, "signatures": A},
    ),
    "round.aggregate": members(
        **{"context": D, "u1": IDS, "u2": IDS, "u3": IDS, "h1": D, "h2": D, "h3": D},
        dropped=listed(DROPPED),
        **{"contributions": INDEXES, "unmasks": INDEXES, "thresholds": THRESHOLDS, "aggregateRoot": D},
        **{"transcript": D, "closeSignature": S, "strategy": maybe(CODE)},
        serverNoise=maybe(members(mechanism=CODE, sigma=DEC, event=CODE)),
        **{"modelOut": D, "coverage": COVERAGE, "worker": CODE, "fence": N, "evidence": A},
        optional={"groups": array(GROUP, 64, 2), "figures": members(loss=DEC, optional={"accuracy": DEC})},
    ),
    "round.abort": members(
        **{"context": D, "stage": STAGE, "code": CODE, "reason": TEXT, "lastHash": maybe(D), "transcript": maybe(D)},
        **{"abortSignature": maybe(S), "complaint": maybe(A), "answersSent": boolean},
    ),
    "round.reopen": members(
        **{"burnt": U16, "consistency": D, "modelHash": D, "planHash": D, "contributors": SITES},
        proof=maybe(like(r"([0-9a-zA-Z+/]{4})*([0-9a-zA-Z+/]{2}==|[0-9a-zA-Z+/]{3}=)?", 52_000)),
        signatures=array(members(admin=POSITIVE, signature=S), by=lambda value: value["admin"]),
    ),
    "round.ack": members(
        **{"context": D, "modelOut": D, "receipt": maybe(S)},
        audited=members(tiles=array(N), count=N, result=one_of("agree", "differ", "none")),
    ),
    "egress.receipt": members(context=D, kind=CODE, rule=D, charge=maybe(N), count=N, bytes=N, digest=D),
    "retention.delete": members(
        **{"context": D, "transcript": D, "class": one_of("masked-vectors"), "vectors": N, "bytes": N},
        rule=one_of("later-close", "next-run"),
    ),
    "run.finish": members(
        status=one_of("COMPLETED", "COMPLETED_PARTIAL", "ABORTED", "FAILED"),
        **{"reason": maybe(CODE), "finalModel": maybe(D), "rounds": N, "coverage": COVERAGE},
        models=listed(ARM_MODEL),
    ),
    "model.release": members(
        **{"arm": N, "model": D, "format": FORMAT, "file": FILE, "intendedUse": SAID, "tests": per_site(report=A)},
        privacy=either(
            one_of("not-protected-by-differential-privacy"),
            members(unit=UNIT, adjacency=one_of("add-remove"), sites=per_site(epsilon=DEC, delta=DEC)),
        ),
        approvals=per_site(key=KEY, sig=S),
    ),
    "model.export": members(release=N, model=D, format=FORMAT, file=FILE),
    "config.start": members(
        nonce=like("[0-9a-f]{64}"), version=CODE, software=maybe(D), configuration=maybe(D)
    ),
    "config.change": members(before=maybe(D), after=D),
    "access.request": members(actor=DOER, action=CODE, object=CODE, outcome=one_of("done", "refused")),
    "admin.act": members(
        **{"actor": DOER, "object": CODE, "outcome": one_of("done")},
        action=one_of(
            *(f"account.{act}" for act in ("add", "reset", "remove", "activate")),
            *("session.open", "session.end", "run.stop", "run.reopen"),
        ),
    ),
    "witness.refusal": members(code=CODE, held=maybe(A), offered=A, shown=maybe(HEAD)),
    "fork.evidence": members(about=one_of("notes", "entries"), first=A, second=A),
    "report.issued": members(report=D, checkpoint=HEAD, verifier=CODE),
    "log.baseline": members(size=BUNDLES, root=D, state=A),
    "log.prune": members(**{"size": BUNDLES, "baseline": N, "class": CODE}),
    "anchor": members(checkpoint=HEAD, form=one_of("rfc3161", "public-log"), token=A),
}
