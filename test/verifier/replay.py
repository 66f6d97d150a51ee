"""Row S3: the sum of the survivors' masked vectors, unmasked once more, has the logged root."""

import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import tree
from primitives import H, Wrong, enc, hexes, need, u32

LOW_ORDER = "351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e"


def check_replay(log, closed, folder):
    """`closed`: manifest and groups of each sum, by run, round and attempt. Files: RUN/ROUND-ATTEMPT/SITE."""
    for (run, round_, attempt), (index, m, parts) in closed.items():
        place = os.path.join(folder, run, f"{round_}-{attempt}")
        # of a dropped site R4 reveals what opens its vector: it is never read
        kept = {i: read(os.path.join(place, str(i))) for part in parts for i in part.u3}
        if all(data is None for data in kept.values()):
            continue
        log.replayed += 1
        try:
            check_sums(log.entries[index]["body"], m, parts, kept)
        except Wrong as error:
            log.add("S3", index, str(error))


def read(path):
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def check_sums(body, m, parts, kept):
    width = m["ringBits"] // 8
    total = [0] * m["L"]
    groups = []
    for part in parts:
        for i, (_, root, _) in part.commits.items():
            need(kept[i] is not None and len(kept[i]) == width * m["L"], f"vector of site {i}: missing or cut")
            need(tree.root_of(kept[i]) == root, f"vector of site {i}: not the signed one")
        own = unmasked(m, part, [kept[i] for i in part.u3])
        groups.append(hexes(tree.root_of(packed(own, m))))
        total = [a + b for a, b in zip(total, own)]
    need(hexes(tree.root_of(packed(total, m))) == body["aggregateRoot"], "another sum than the logged one")
    stated = [group["aggregateRoot"] for group in body.get("groups") or []]
    need(not stated or stated == groups, "another sum of a group than the logged one")


def unmasked(m, part, vectors):
    total = [sum(words) for words in zip(*(words_of(data, m) for data in vectors))]
    size = len(vectors[0])
    for sign, key in masks(part):
        stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(size))
        total = [a + sign * b for a, b in zip(total, words_of(stream, m))]
    return total


def words_of(data, m):
    form = "<%d%s" % (m["L"], "I" if m["ringBits"] == 32 else "Q")
    return struct.unpack(form, data)


def packed(words, m):
    form = "<%d%s" % (m["L"], "I" if m["ringBits"] == 32 else "Q")
    return struct.pack(form, *(word % 2 ** m["ringBits"] for word in words))


def masks(part):
    """Sign and key of every stream to add to the sum."""
    ctx, h2 = part.ctx, part.h2
    ranks = {i: rank + 1 for rank, i in enumerate(part.u1)}
    answers = [(ranks[i], part.answers[i][0]) for i in part.used]
    for k, (kind, j, _, _) in enumerate(answers[0][1]):
        secret = combine([(x, shares[k][2]) for x, shares in answers])
        if kind == 0:
            need(H("B", ctx, u32(j), secret) == part.dealers[j][0], f"shares of site {j}: not what it committed to")
            yield -1, derive(secret, ctx, "self", h2, u32(j))
            continue
        private = X25519PrivateKey.from_private_bytes(secret)
        public = private.public_key().public_bytes_raw()
        need(public == part.e.advertise[j][1], f"shares of site {j}: not its mask key")
        for i in part.u3:
            shared = box_before(part.e.advertise[i][1], private)
            yield (-1 if i < j else 1), derive(shared, ctx, "pair", h2, u32(min(i, j)), u32(max(i, j)))


def derive(key, ctx, label, *fields):
    info = enc("regulon/secagg/v1/kdf/" + label, *fields)
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=ctx, info=info).derive(key)


def box_before(public, private):
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Wrong("a key of low order") from error
    key = hsalsa20(shared)
    need(key.hex() != LOW_ORDER, "a key of low order")
    return key


def hsalsa20(key):
    """Over 16 zero bytes: Salsa20's core without its last addition."""
    k, c = struct.unpack("<8I", key), struct.unpack("<4I", b"expand 32-byte k")
    x = [c[0], *k[:4], c[1], 0, 0, 0, 0, c[2], *k[4:], c[3]]
    columns = [(0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)]
    rows = [(0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)]
    for _ in range(10):
        for a, b, c, d in columns + rows:
            for to, one, two, turn in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
                value = (x[one] + x[two]) & 0xFFFFFFFF
                x[to] ^= ((value << turn) | (value >> (32 - turn))) & 0xFFFFFFFF
    return struct.pack("<8I", *(x[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


def times(a, b):
    """Product in GF(2⁸) mod 0x11b."""
    product = 0
    while b:
        product ^= a * (b & 1)
        a, b = (a << 1) ^ (0x11B if a & 0x80 else 0), b >> 1
    return product


def inverse(a):
    result = 1
    for _ in range(254):
        result = times(result, a)
    return result


def combine(points):
    """The secret at 0 of shares (x, bytes)."""
    secret = bytearray(32)
    for x, share in points:
        weight = 1
        for other, _ in points:
            if other != x:
                weight = times(weight, times(other, inverse(other ^ x)))
        for at, byte in enumerate(share):
            secret[at] ^= times(weight, byte)
    return bytes(secret)
