"""Row L3: configurations that parties state."""


def check_configurations(log):
    """Each one stated is the one that its party stated last, or a change from it."""
    stated = {(h["type"], h["id"]): h["configuration"] for h in log.start["heads"]}
    for index, entry in log.of_kind("config.start", "config.change"):
        body, who = entry["body"], (entry["actor"]["type"], entry["actor"]["id"])
        last = stated.get(who)
        if entry["kind"] == "config.change":
            good, stated[who] = body["before"] == last, body["after"]
        else:
            said = body["configuration"]
            good = said is None or last is None or said == last
            stated[who] = said or last
        if not good:
            log.add("L3", index, f"{who} states another configuration than its last one, and no change")
