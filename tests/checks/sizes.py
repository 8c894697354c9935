#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A function has at most 60 lines, a file at most 800. A file of src with fewer than 60 lines has more
than one user: X.c with X.h is one file here, and a file that includes X.h is a user. sizes.allow names
the others, with a reason.

usage: sizes.py [ROOT]
"""
import os
import re
import sys

import tree

FUNCTION_MAX, FILE_MAX, SMALL = 60, 800, 60
ALLOW = "tests/checks/sizes.allow"


def functions(text):
    """(name, lines) of each function, as clang-format lays it out: braces in the first column."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            first = start
            while first > 0 and re.match(r"[A-Za-z_ ]", lines[first - 1]):
                first -= 1
            head = " ".join(lines[first:start])
            name = re.search(r"UNIT_TEST\((\w+)|(\w+)\s*\(", head)
            yield (name.group(1) or name.group(2) if name else "?"), number - first + 1
            start = None


def allowed(root):
    """{name: reason} of the list; a line without a reason counts for nothing."""
    found = {}
    if os.path.exists(os.path.join(root, ALLOW)):
        for line in tree.read(root, ALLOW).splitlines():
            words = line.split(None, 1)
            if len(words) == 2 and not line.startswith("#"):
                found[words[0]] = words[1]
    return found


def small_files(root):
    """(name, lines, user) of each small file of src, its header counted in, with one user or none."""
    texts = {name: tree.read(root, name) for name in tree.files(root)
             if name.startswith("src/") and name.endswith((".c", ".h"))}
    files, users = {}, {}
    for name, text in texts.items():
        stem = name[:-2]
        files[stem] = files.get(stem, 0) + text.count("\n")
        for included in re.findall(r'^#include "([^"]+)\.h"', text, re.M):
            beside = os.path.join(os.path.dirname(name), included)
            used = "src/" + included if "src/" + included + ".h" in texts else beside
            if used != stem:
                users.setdefault(used, set()).add(stem)
    for stem, lines in sorted(files.items()):
        found = sorted(users.get(stem, ()))
        if lines < SMALL and len(found) <= 1 and stem + ".h" in texts:
            yield stem, lines, found[0] if found else "no file"


def main(root):
    reasons, problems, used = allowed(root), [], set()

    def judge(name, size, limit):
        if size <= limit:
            return
        if name in reasons:
            used.add(name)
        else:
            problems.append("%s has %d lines, at most %d; %s takes a reason" %
                            (name, size, limit, ALLOW))

    for name in tree.files(root):
        if not name.startswith(("src/", "tests/", "scripts/", "cmake/")):
            continue
        if not (name.endswith((".c", ".h", ".py")) or tree.is_script(root, name)):
            continue
        text = tree.read(root, name)
        judge(name, text.count("\n"), FILE_MAX)
        if name.endswith((".c", ".h")):
            for function, size in functions(text):
                judge("%s:%s" % (name, function), size, FUNCTION_MAX)
    for name, lines, user in small_files(root):
        if name in reasons:
            used.add(name)
        else:
            problems.append("%s has %d lines and one user, %s: it can move there; %s takes a reason" %
                            (name, lines, user, ALLOW))
    problems += ["%s names %s, which needs no reason" % (ALLOW, name)
                 for name in sorted(set(reasons) - used)]
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
