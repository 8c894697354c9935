#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the line coverage of each folder and fails below what is asked for.

usage: coverage_gate.py SUMMARY.json    (gcovr --json-summary)
"""
import json
import sys

import tree

# (what it is called, the folders it sums, at least this many percent)
GATES = (("src/wire and src/compat", ("src/wire/", "src/compat/"), 95.0), ("all", ("src/",), 85.0))


def covered(summary, folders):
    """(lines covered, lines) of the files in those folders."""
    files = [file for file in summary["files"] if file["filename"].startswith(tuple(folders))]
    return sum(file["line_covered"] for file in files), sum(file["line_total"] for file in files)


def percent(part):
    return 100.0 * part[0] / part[1] if part[1] else 0.0


def judge(summary):
    """What is below its gate."""
    return ["line coverage of %s is %.1f %%, at least %.0f %% is asked for" %
            (name, percent(covered(summary, folders)), least)
            for name, folders, least in GATES if percent(covered(summary, folders)) < least]


def main(path):
    with open(path) as file:
        summary = json.load(file)
    for folder in sorted({file["filename"].rpartition("/")[0] for file in summary["files"]}):
        part = covered(summary, (folder + "/",))
        print("%6.1f %%  %5d of %5d lines  %s" % (percent(part), *part, folder))
    for name, folders, least in GATES:
        print("line coverage of %s: %.1f %% (at least %.0f %%)" %
              (name, percent(covered(summary, folders)), least))
    return tree.report(judge(summary))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
