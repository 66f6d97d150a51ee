"""Row S2: one survivor set a round and site, and one more after a valid Reopen."""

from notes import STATEMENT, unbase64, vkey
from primitives import H, Wrong, need, sha256, u16, u32, verifies


def check_answers(log, opened):
    reopened, answered, named = {}, {}, {}
    for index, entry in log.of_kind("round.reopen"):
        try:
            check_reopen(log, index, entry, opened)
            reopened[entry["run"], entry["round"], entry["attempt"]] = index
            named[entry["run"], entry["round"], entry["attempt"]] = entry["body"]["contributors"]
        except (Wrong, KeyError, ValueError, TypeError) as error:
            log.add("S2", index, f"Reopen: {error}")
    for index, entry in log.of_kind("round.unmask"):
        who = entry["run"], entry["round"], entry["actor"]["id"]
        place = entry["run"], entry["round"], entry["attempt"]
        before = answered.get(who)
        if before and before[1] != entry["body"]["consistency"]:
            if reopened.get(place, index) >= index or before[0] in reopened:
                log.add("S2", index, "a round answered twice, for two survivor sets")
        answered[who] = place, entry["body"]["consistency"]
    for index, entry in log.of_kind("round.aggregate"):
        place = entry["run"], entry["round"], entry["attempt"]
        roles = dict(opened[place][1]["roles"]) if place in opened else {}
        if place in named and roles and [i for i in entry["body"]["u3"] if roles.get(i) == 0] != named[place]:
            log.add("S2", index, "a reopened round has other contributors than its Reopen")


def check_reopen(log, index, entry, opened):
    body, run, round_ = entry["body"], entry["run"], entry["round"]
    start, m = opened.get((run, round_, body["burnt"]), (index, None))
    need(log.history.rosters[0], "the administrators are not known")
    need(start < index, "an attempt that was not opened")
    answers = [e["body"] for _, e in log.of_kind("round.unmask")
               if (e["run"], e["round"], e["attempt"]) == (run, round_, body["burnt"])
               and e["body"]["consistency"] == body["consistency"]]
    need(answers, "nobody answered these survivors")
    contributors = {i for i, role in m["roles"] if role == 0}
    wanted = [i for i in answers[0]["survivors"] if i in contributors]
    need(body["proof"] or body["contributors"] == wanted, "other contributors than those of the burnt attempt")
    models = body["modelHash"], body["planHash"]
    need(models == ("sha256:" + m["modelHash"].hex(), "sha256:" + m["planHash"].hex()), "another model or plan")
    check_signatures(log.at(index).body, entry)


def check_signatures(terms, entry):
    body, admins = entry["body"], {}
    for member in terms["members"]:
        for text in member["administrators"]:
            key = vkey(text, STATEMENT)
            admins[int(key.name.rsplit("-", 1)[1])] = key.key
    proof = unbase64(body["proof"]) if body["proof"] else b""
    ids = body["contributors"]
    message = H(
        "REOPEN",
        bytes.fromhex(entry["run"][4:]),
        u32(entry["round"]),
        u16(entry["attempt"]),
        bytes.fromhex(body["modelHash"][7:]),
        bytes.fromhex(body["planHash"][7:]),
        u32(len(ids)),
        *map(u32, ids),
        sha256(bytes.fromhex(body["consistency"][7:]) + proof),
    )
    signers = [s["admin"] for s in body["signatures"]]
    need(signers == sorted(set(signers)), "order of the signatures")
    need(len(signers) >= terms["administratorThreshold"], "fewer administrators than k signed")
    for s in body["signatures"]:
        need(verifies(admins[s["admin"]], unbase64(s["signature"]), message), "an administrator's signature")
