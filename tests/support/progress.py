# SPDX-License-Identifier: Apache-2.0
"""Copies stdin to LOG, and prints of it the lines that show how far a long stage is.

usage: progress.py LOG [PREFIX]

ctest: every tenth test that passed, and each other one. The build: every hundredth step. The virtual
machines: each test, and what they wait for.
"""
import re
import sys

TEST = re.compile(rb"\s*(\d+)/(\d+) Test .*?( Passed )?( +[\d.]+ sec)?\s*$")
STEP = re.compile(rb"\[(\d+)/(\d+)\] ")
SHOWN = re.compile(rb"(waiting for |waited |made in |test_\w+ .* \.\.\. )")


def shown(line):
    """What is printed for a line, or None."""
    test, step = TEST.match(line), STEP.match(line)
    if test:
        number, count = int(test.group(1)), int(test.group(2))
        if not test.group(3):
            return line.decode("utf-8", "backslashreplace").strip()
        return "%d of %d tests have ended" % (number, count) if number % 10 == 0 or \
            number == count else None
    if step:
        return "%s of %s build steps" % (step.group(1).decode(), step.group(2).decode()) if \
            int(step.group(1)) % 100 == 0 else None
    return line.decode("utf-8", "backslashreplace").strip() if SHOWN.match(line) else None


def main(log, prefix=""):
    with open(log, "wb") as out:
        for line in sys.stdin.buffer:
            out.write(line)
            text = shown(line)
            if text:
                out.flush()
                print("%s  %s" % (prefix, text), flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
