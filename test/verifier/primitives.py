"""Encodings, hashes and signatures of docs/protocol.md, Primitives."""

import hashlib
import json
import math
import unicodedata
from decimal import Decimal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PREFIX = "regulon/secagg/v1/"
P = 2**255 - 19
SMALL_ORDER = {0, 1, P - 1} | {
    int.from_bytes(bytes.fromhex(y), "little")
    for y in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


class Wrong(Exception):
    """What was read breaks a rule of the protocol."""


class NotCanonical(Wrong):
    """Bytes that are not the canonical JSON of what they hold."""


class Missing(Wrong):
    """An attachment is not there as it should be: rows L1 and L5 say so, no other."""


def need(holds, message):
    """Raise `Wrong` unless the condition holds."""
    if not holds:
        raise Wrong(message)


def sha256(data):
    return hashlib.sha256(data).digest()


def field(value):
    """One field of enc: text and bytes as they are."""
    return value.encode() if isinstance(value, str) else value


def u32(value):
    return value.to_bytes(4, "big")


def u16(value):
    return value.to_bytes(2, "big")


def enc(*fields):
    data = [field(f) for f in fields]
    return b"".join(u32(len(f)) + f for f in data)


def H(tag, *fields):
    return sha256(enc(PREFIX + tag, *fields))


def jcs(value, depth=0):
    """RFC 8785, of at most 200 levels."""
    if depth > 200:
        raise ValueError("too deep")
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        members = (json.dumps(n, ensure_ascii=False).encode() + b":" + jcs(value[n], depth + 1) for n in names)
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(jcs(v, depth + 1) for v in value) + b"]"
    if isinstance(value, float):
        return number_text(value).encode()
    return json.dumps(value, ensure_ascii=False).encode()


def hash_json(label, value):
    """H_x(json)."""
    return sha256(enc(f"regulon/{label}/v1", jcs(value)))


def parse_canonical(data):
    """JSON whose bytes are the JCS of their value."""
    try:
        value = json.loads(data.decode("utf-8"), parse_int=number_of)
        canonical = jcs(value)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"not JSON: {error}") from error
    if canonical != data:
        raise NotCanonical("not canonical JSON")
    return value


def parse_plan(data):
    """An attached plan: its numbers are decimal strings, and what is a number in JSON is none."""
    return without_numbers(parse_canonical(data))


def without_numbers(value):
    if isinstance(value, dict):
        return {name: without_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_numbers(inner) for inner in value]
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def parse_json(data):
    """Canonical JSON with integers in [0, 2^53) only, and texts in NFC."""
    value = parse_canonical(data)
    need(unicodedata.is_normalized("NFC", data.decode()), "text is not in NFC")
    for number in numbers(value):
        need(isinstance(number, int) and 0 <= number < 2**53, "a number is not an integer in range")
    return value


def number_of(text):
    """A whole number that a double holds exactly, else the double."""
    return int(text) if abs(int(text)) < 2**53 else float(text)


def number_text(value):
    """ECMAScript's text of a double."""
    if not math.isfinite(value):
        raise ValueError("a number that JSON has not")
    if value == 0:
        return "0"
    shortest = Decimal(repr(value)).normalize()
    if -7 < shortest.adjusted() < 21:
        return f"{shortest:f}"
    digits = "".join(map(str, shortest.as_tuple().digits))
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{'-' * (value < 0)}{digits[0]}{fraction}e{shortest.adjusted():+}"


def numbers(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from numbers(inner)


def check_key(key):
    """Refuse Ed25519 keys that are not canonical or of small order."""
    need(len(key) == 32, "a key has not 32 bytes")
    y = int.from_bytes(key, "little") & (2**255 - 1)
    need(y < P and y not in SMALL_ORDER, "a key is not canonical or of small order")
    return key


def verifies(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def hexes(digest):
    """Digest text."""
    return "sha256:" + digest.hex()


class Reader:
    """Reads fields of enc one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, size=None):
        need(self.at + 4 <= len(self.data), "a field is missing")
        length = int.from_bytes(self.data[self.at : self.at + 4], "big")
        start, self.at = self.at + 4, self.at + 4 + length
        need(self.at <= len(self.data), "a field is cut short")
        need(size is None or length == size, f"a field has {length} bytes")
        return self.data[start : self.at]

    def int(self, size=4):
        return int.from_bytes(self.bytes(size), "big")

    def text(self, most):
        data = self.bytes()
        need(len(data) <= most, "a text is too long")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Wrong("a text is not UTF-8") from error
        need(unicodedata.is_normalized("NFC", text), "a text is not in NFC")
        return text

    def list(self, most=255):
        count = self.int()
        need(count <= most, "a list is too long")
        return range(count)

    def end(self):
        need(self.at == len(self.data), "bytes are left over")
