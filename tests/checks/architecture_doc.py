#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md against the tree: the phases, the ranks of the locks, and the paths."""

import re
import unittest

import golden_file

ROOT = golden_file.ROOT
ROW = re.compile(r"\[PHASE_(\w+)\] =\s*(.*?),\n", re.S)
BIT = re.compile(r"BIT\(PHASE_(\w+)\)")
RANK = re.compile(r"^ \* +(\d) +(\w+) \(", re.M)
PATH = re.compile(r"`((?:src|tests|scripts|conf)/[\w./-]+)`")


def document():
    return (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def rows(heading):
    """The cells of the table below the line that begins so."""
    table = document().split(heading, 1)[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in table.splitlines()[2:]]


class Architecture(unittest.TestCase):
    def test_phases(self):
        source = (ROOT / "src/host/upgrade/phase.c").read_text(encoding="utf-8")
        table = source.split("followers[", 1)[1].split("};", 1)[0]
        followers = {name.lower(): sorted(bit.lower() for bit in BIT.findall(body))
                     for name, body in ROW.findall(table)}
        shown = {row[0]: sorted(name for name in row[1].split(", ") if name)
                 for row in rows("<!-- table: phase followers -->")}
        self.assertEqual(shown, followers)
        self.assertTrue(shown)

    def test_ranks(self):
        source = (ROOT / "src/host/main.c").read_text(encoding="utf-8")
        shown = [(row[0], row[1]) for row in rows("Each has a rank.")]
        self.assertEqual(shown, RANK.findall(source))
        self.assertTrue(shown)

    def test_paths(self):
        missing = [path for path in PATH.findall(document()) if not (ROOT / path).exists()]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
