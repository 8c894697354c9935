#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each script parses: shell with sh -n (bash -n), and shellcheck where it is installed; Python too.

usage: scripts.py [ROOT]
"""
import ast
import os
import shutil
import stat
import subprocess
import sys

import tree


def shell(root, name, interpreter):
    path = os.path.join(root, name)
    problems = []
    commands = [[interpreter, "-n", path]]
    if shutil.which("shellcheck"):
        commands.append(["shellcheck", path])
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            problems.append("%s: %s says:\n%s" % (name, command[0], done.stdout.strip()))
    return problems


def python(root, name):
    try:
        ast.parse(tree.read(root, name), name)
    except SyntaxError as error:
        return ["%s: line %s: %s" % (name, error.lineno, error.msg)]
    return []


def main(root):
    problems = []
    for name in tree.files(root):
        if name.endswith(".py"):
            problems += python(root, name)
        if not tree.is_script(root, name):
            continue
        first = tree.read(root, name).split("\n", 1)[0]
        if not os.stat(os.path.join(root, name)).st_mode & stat.S_IXUSR:
            problems.append("%s begins with #! and is not executable" % name)
        if first in ("#!/bin/sh", "#!/bin/bash"):
            problems += shell(root, name, first.rpartition("/")[2])
        elif "python" in first:
            if not name.endswith(".py"):
                problems += python(root, name)
        elif first != "#!/usr/bin/make -f":
            problems.append("%s: unknown interpreter: %s" % (name, first))
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
