"""Merkle tree, tiles and linear chain of docs/protocol.md, Log."""

import re

from primitives import sha256

WIDTH = 256


def leaf(data):
    return sha256(b"\0" + data)


def node(left, right):
    return sha256(b"\1" + left + right)


def root(hashes):
    """RFC 6962 root over leaf hashes."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root(hashes[:split]), root(hashes[split:]))


def root_of(data):
    """RootOf: leaves are pieces of 65,536 bytes."""
    return root([leaf(data[i : i + 65536]) for i in range(0, len(data), 65536)])


def chain(hashes):
    """Linear chain before each entry, and after the last."""
    values = [bytes(32)]
    for value in hashes:
        values.append(sha256(b"\2" + values[-1] + value))
    return values


def digits(number):
    text = str(number)
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[i : i + 3] for i in range(0, len(text), 3)]
    return "/".join(["x" + g for g in groups[:-1]] + groups[-1:])


def tiles(size):
    """(path, level or 'entries', first index, width) of every tile of a log of this size."""
    for level in ["entries", *range(8)]:
        count = size if level == "entries" else size >> (8 * level)
        for number in range(-(-count // WIDTH)):
            width = min(WIDTH, count - number * WIDTH)
            part = "" if width == WIDTH else f".p/{width}"
            yield f"tile/{level}/{digits(number)}{part}", level, number * WIDTH, width


ENTRY_BUNDLE = re.compile(r"tile/entries/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?")


def end_of(path):
    """Size of a log whose last entry bundle this is; 0 of any other file."""
    match = ENTRY_BUNDLE.fullmatch(path)
    if not match:
        return 0
    return int(match[1].replace("x", "").replace("/", "")) * WIDTH + int(match[2] or WIDTH)


def split_bundle(data, width):
    """Entries of an entry bundle; those before a defect, then `None`."""
    entries, at = [], 0
    while len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            return entries + [None] * (width - len(entries)), False
        entries.append(data[at + 2 : end])
        at = end
    return entries, at == len(data)


def upper(hashes, level):
    """Hashes of the complete subtrees of 256^level entries."""
    for _ in range(level):
        hashes = [root(hashes[i : i + WIDTH]) for i in range(0, len(hashes) - WIDTH + 1, WIDTH)]
    return hashes
