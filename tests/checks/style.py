#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clang-format does not hold: the order of includes (own header, project, system; a blank line
between, each sorted), and `sizeof x` without parentheses for all that is no type.

usage: style.py [ROOT]
"""
import re
import sys

import tree

INCLUDE = re.compile(r'#include ([<"])([^>"]+)[>"]')
TYPE = re.compile(r"(const |unsigned|struct |enum |union |_Atomic|(bool|char|int|long|short|double|type)\b|\w+_t\b)")
SIZEOF = re.compile(r"\bsizeof\(([^()]*)\)")


def own_header(name, included):
    stem = name[:-len(".c")] if name.endswith(".c") else None
    return stem is not None and stem.endswith(included[:-len(".h")])


def blocks(text):
    """The first run of includes: a list of lists, a list for each paragraph."""
    found = [[]]
    for line in text.split("\n"):
        match = INCLUDE.match(line)
        if match:
            found[-1].append(match.groups())
        elif found != [[]] and line:
            break
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def judge_includes(name, text):
    kinds = []
    for block in blocks(text):
        own = len(block) == 1 and own_header(name, block[0][1])
        if len({kind for kind, _ in block}) > 1 or block != sorted(block):
            return "%s: a paragraph of includes is mixed or not sorted" % name
        kinds.append(0 if own and not kinds else 1 if block[0][0] == '"' else 2)
    if kinds != sorted(set(kinds)):
        return "%s: includes stand in the order own header, project, system, a paragraph each" % name
    return None


def main(root):
    problems = []
    for name in tree.files(root):
        if not name.startswith(("src/", "tests/")) or not name.endswith((".c", ".h")):
            continue
        text = tree.read(root, name)
        wrong = judge_includes(name, text)
        if wrong:
            problems.append(wrong)
        macro = False  # in a macro the parameter has parentheses
        for number, line in enumerate(text.split("\n"), 1):
            macro = line.startswith("#define") or macro
            for inner in SIZEOF.findall(line):
                if not macro and not TYPE.match(inner):
                    problems.append("%s:%d: write sizeof %s" % (name, number, inner))
            macro = macro and line.endswith("\\")
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
