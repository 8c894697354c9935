#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/reliability.md against the tests: each test that it names exists, and each kind of fault of
tests/faults has its row.

A test is named `test_injected.DiskFull`, a class of tests/faults; `test_stop.StopTest.test_x`, a
method of tests/system; or `test_upgrade.c:test_x`, a function of tests/host.

usage: reliability.py [ROOT]
"""
import ast
import re
import sys

import tree

PAGE = "docs/reliability.md"
NAMED = re.compile(r"`(test_\w+\.[\w.:]+)`")
FUNCTION = re.compile(r"^UNIT_TEST\((test_\w+),", re.M)


def classes(root, name):
    """The names of the classes of a module, and those that are one kind of fault."""
    found, faults = {}, set()
    module = name.rpartition("/")[2][:-3]
    for node in ast.parse(tree.read(root, name)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        own = "%s.%s" % (module, node.name)
        found[own] = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
        for each in node.body:
            if isinstance(each, ast.Assign) and each.targets[0].id == "kind":
                faults.add(own)
    return found, faults


def tests(root):
    """All names that the page may name, and those that it must."""
    known, needed = set(), set()
    for name in tree.files(root):
        folder, _, file = name.rpartition("/")
        if not file.startswith("test_"):
            continue
        if folder in ("tests/faults", "tests/system") and file.endswith(".py"):
            found, faults = classes(root, name)
            needed |= faults
            known |= faults | {"%s.%s" % (own, method) for own, methods in found.items()
                               for method in methods if method.startswith("test_")}
        elif folder == "tests/host" and file.endswith(".c"):
            known |= {"%s:%s" % (file, each) for each in FUNCTION.findall(tree.read(root, name))}
    return known, needed


def main(root):
    known, needed = tests(root)
    named = set(NAMED.findall(tree.read(root, PAGE)))
    problems = ["%s names %s: there is no such test" % (PAGE, name)
                for name in sorted(named - known)]
    problems += ["%s does not name %s, a kind of fault that is tested" % (PAGE, name)
                 for name in sorted(needed - named)]
    if not needed:
        problems.append("tests/faults has no kind of fault")
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
