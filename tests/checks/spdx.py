#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each source file and script says its licence in its first five lines.

usage: spdx.py [ROOT]
"""
import os
import sys

import tree

LINE = "SPDX-License-Identifier: Apache-2.0"
ENDINGS = (".c", ".h", ".py", ".cmake", ".sh", ".service", ".socket", ".catalog", ".conf",
           ".scd")


def main(root):
    problems = []
    for name in tree.files(root):
        base = os.path.basename(name)
        if name.endswith(ENDINGS) or base == "CMakeLists.txt" or tree.is_script(root, name):
            if LINE not in "\n".join(tree.read(root, name).split("\n")[:5]):
                problems.append("%s: no line `%s` at its top" % (name, LINE))
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
