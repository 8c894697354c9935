#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the hardening back out of release binaries: what the flags asked for is what was built.

usage: hardening.py BINARY...
"""
import platform
import re
import subprocess
import sys

import tree


def readelf(option, path):
    done = subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("error: readelf %s %s: %s" % (option, path, done.stderr.strip()))
    return done.stdout


def judge(path):
    header, segments = readelf("-h", path), readelf("-l", path)
    dynamic, symbols = readelf("-d", path), readelf("--dyn-syms", path)
    stack = re.search(r"GNU_STACK.*", segments)
    rules = [
        ("is no position-independent executable",
         re.search(r"Type:\s+DYN", header) and re.search(r"FLAGS_1.*\bPIE\b", dynamic)),
        ("has no RELRO segment", "GNU_RELRO" in segments),
        ("does not bind all symbols at the start", re.search(r"FLAGS.*\b(BIND_NOW|NOW)\b", dynamic)),
        ("has an executable stack", stack and not re.search(r"\bRWE\b", stack.group())),
        ("has a segment that is writable and executable",
         not re.search(r"^\s+LOAD.*\bRWE\b", segments, re.M)),
        ("has no stack protector", "__stack_chk_fail" in symbols),
        ("has no fortified calls", re.search(r"__\w+_chk\b(?<!__stack_chk)", symbols)),
        ("has a run path", not re.search(r"\((RPATH|RUNPATH)\)", dynamic)),
    ]
    if platform.machine() == "x86_64":
        rules.append(("has no landing pads for indirect branches (endbr64)", landing_pads(path)))
    return ["%s %s" % (path, wrong) for wrong, right in rules if not right]


def landing_pads(path):
    """Debian's own start files carry no CET note, so that the linker drops ours: the pads count."""
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True,
                          text=True)
    return done.stdout.count("endbr64") > 10


def main(paths):
    if not paths:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    return tree.report([problem for path in paths for problem in judge(path)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
