"""Verifier keys, signed notes, cosignatures and the quorum policy."""

import base64
import binascii
import re
from dataclasses import dataclass, field

from primitives import Wrong, check_key, need, sha256, verifies

LOG, COSIGNER, STATEMENT = b"\1", b"\4", b"\xffregulon-dsse-v1"


CONTROL = re.compile(r"(?!\n)[\x00-\x1f\x7f-\x9f]|\ufffd")


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong("not base64") from error
    need(base64.b64encode(data).decode() == text, "not canonical base64")
    return data


@dataclass(frozen=True)
class Key:
    name: str
    id: str
    type: bytes
    key: bytes

    @property
    def short(self):
        return f"{self.name}+{self.id}"


def vkey(text, type_):
    """A verifier key of this type."""
    parts = text.split("+", 2)
    need(len(parts) == 3, "not a verifier key")
    name, id_, encoded = parts
    data = unbase64(encoded)
    need(data[: len(type_)] == type_ and len(data) == len(type_) + 32, "a verifier key of another type")
    need(sha256(name.encode() + b"\n" + data)[:4].hex() == id_, "a verifier key with another id")
    return Key(name, id_, type_, check_key(data[len(type_) :]))


@dataclass
class Note:
    text: str
    origin: str
    size: int
    root: bytes
    lines: list
    times: dict = field(default_factory=dict)


def parse_note(data):
    need(len(data) <= 512 * 1024, "a note is too long")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Wrong("a note is not UTF-8") from error
    need(not CONTROL.search(note), "control characters in a note")
    head, separator, tail = note.rpartition("\n\n")
    need(separator and tail.endswith("\n"), "not a signed note")
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n", head + "\n")
    need(match and int(match[2]) < 2**53, "not a checkpoint")
    lines = []
    for line in tail[:-1].split("\n"):
        parts = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
        need(parts, "not a signature line")
        data = unbase64(parts[2])
        need(len(data) > 4, "a signature line is too short")
        lines.append((parts[1], data[:4].hex(), data[4:]))
    need(1 <= len(lines) <= 520, "number of signature lines")
    return Note(head + "\n", match[1], int(match[2]), unbase64(match[3]), lines)


def verify_log(note, key):
    """The log's line is there, and none of its lines is wrong."""
    own = [s for name, id_, s in note.lines if (name, id_) == (key.name, key.id)]
    need(note.origin == key.name, "a checkpoint of another origin")
    need(own, "the log did not sign the checkpoint")
    need(all(verifies(key.key, s, note.text.encode()) for s in own), "the log's signature does not verify")


def cosignature_times(note, witnesses):
    """Time of the cosignature of each witness. Raises if a line of a known key is wrong."""
    times = {}
    for name, id_, data in note.lines:
        for witness, key in witnesses.items():
            if (key.name, key.id) != (name, id_):
                continue
            need(len(data) == 72, f"the line of {witness} does not verify")
            time = int.from_bytes(data[:8], "big")
            message = f"cosignature/v1\ntime {time}\n{note.text}".encode()
            need(verifies(key.key, data[8:], message), f"the line of {witness} does not verify")
            times[witness] = max(time, times.get(witness, 0))
    return times


@dataclass
class Policy:
    log: Key
    witnesses: dict
    quorum: int


def parse_policy(text):
    log, witnesses, quorum, used = None, {}, None, None
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "log" and len(words) == 2 and log is None:
            log = vkey(words[1], LOG)
        elif words[0] == "witness" and len(words) == 3 and words[1] not in witnesses:
            witnesses[words[1]] = vkey(words[2], COSIGNER)
        elif words[:2] == ["group", "sites"] and len(words) > 3 and quorum is None:
            need(sorted(words[3:]) == sorted(witnesses), "the group is not of all witnesses")
            quorum = int(words[2])
        elif words == ["quorum", "sites"] and quorum is not None and used is None:
            used = quorum
        elif words == ["quorum", "none"] and used is None:
            used = 0
        else:
            raise Wrong(f"line of the policy: {line}")
    need(log and witnesses and used is not None, "the policy is not complete")
    return Policy(log, witnesses, used)
