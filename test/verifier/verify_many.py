"""Judges many bundles in one process: a line of standard input is the arguments of verify.py, as JSON; so is each answer.

A fault of the verifier itself is answered with {"error": traceback}: the next line is judged all the same.
"""

import json
import sys
import traceback

from verify import answer_of


def main():
    for line in sys.stdin:
        try:
            answer = answer_of(json.loads(line))
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
