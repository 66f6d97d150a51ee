"""Judges the form of single entries: a line of standard input is the bytes of an entry in base64, each answer a row or nothing."""

import base64
import sys

from entries import parse
from primitives import NotCanonical, Wrong


def row_of(data):
    try:
        parse(data)
        return ""
    except Wrong as error:
        return "L1" if isinstance(error, NotCanonical) else "D1"


def main():
    for line in sys.stdin:
        print(row_of(base64.b64decode(line)))


if __name__ == "__main__":
    main()
