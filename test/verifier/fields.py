"""Names of the members of each body, from docs/protocol.md, Log, Entry."""

import re

OPAQUE = re.compile("p-[a-p]{16}|token-file")
OPTIONAL = {"round.aggregate": {"groups", "figures"}}
FIELDS = {
    kind: set(names.split())
    for kind, names in {
        "federation.genesis": "origin logKey coordinatorKey rosterHash roster members administratorThreshold people"
        " quorumPolicy gateMode colluders quorum gateLag minCohort gamma quorumRule skewSeconds gateMaxAgeSeconds"
        " mergeDelaySeconds retention evidenceLevel software",
        "member.join": "member previous rosterHash roster reason quorumPolicy administratorThreshold colluders quorum",
        "member.revoke": "member keys previous rosterHash roster reason quorumPolicy administratorThreshold colluders"
        " quorum",
        "key.rotate": "role id old key handover previous rosterHash roster reason quorumPolicy administratorThreshold"
        " colluders quorum",
        "role.grant": "role subject key issuer validUntil",
        "role.revoke": "role subject key reason",
        "policy.set": "policy supersedes dataUse purposes legalBasis references epsilonCap delta unit minCohort gamma"
        " allowedPlans allowedCode reviewersNeeded egressKinds leaveSiteOut stableCohort allowDifference"
        " retentionClass validUntil",
        "dataset.commit": "dataset version commitment schema panel band unit qualityReport dataUse public simulated",
        "policy.override": "policy rule planHash justification expires",
        "dataset.withdraw": "dataset scope reason",
        "plan.reject": "planHash reason",
        "plan.withdraw": "planHash reason",
        "plan.propose": "name plan planHash purpose code provenance architecture initialModel privacy"
        " secureAggregation sites rounds requireAll",
        "plan.approve": "planHash policy dataset datasetVersion commitment conditions validUntil",
        "run.start": "planHash proposal approvals sites initialModel featureSpecification public",
        "round.open": "purpose stepId arm manifest manifestSignature context modelIn invited rosterHash"
        " previousTranscript deadlines chain size",
        "round.contribution": "context role modelIn code daemon policy dataset datasetVersion commitment"
        " featureSpecification cohort maskedInput charge cached sampler band window gate attestation",
        "round.unmask": "context consistency survivors dropped selfMask maskKey answer signatures",
        "round.aggregate": "context u1 u2 u3 h1 h2 h3 dropped contributions unmasks thresholds aggregateRoot groups"
        " transcript closeSignature strategy serverNoise modelOut figures coverage worker fence evidence",
        "round.abort": "context stage code reason lastHash transcript abortSignature complaint answersSent",
        "round.reopen": "burnt consistency modelHash planHash contributors proof signatures",
        "round.ack": "context modelOut receipt audited",
        "egress.receipt": "context kind rule charge count bytes digest",
        "retention.delete": "context transcript class vectors bytes rule",
        "run.finish": "status reason finalModel models rounds coverage",
        "model.release": "arm model format file privacy intendedUse tests approvals",
        "model.export": "release model format file",
        "config.start": "nonce version software configuration",
        "config.change": "before after",
        "access.request": "actor action object outcome",
        "admin.act": "actor action object outcome",
        "witness.refusal": "code held offered shown",
        "fork.evidence": "about first second",
        "report.issued": "report checkpoint verifier",
        "log.baseline": "size root state",
        "log.prune": "size baseline class",
        "anchor": "checkpoint form token",
    }.items()
}


def is_body(kind, body):
    names = set(body)
    if kind in ("access.request", "admin.act") and not OPAQUE.fullmatch(body["actor"]["id"]):
        return False
    return names <= FIELDS[kind] and FIELDS[kind] - names <= OPTIONAL.get(kind, set())
