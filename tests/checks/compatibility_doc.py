#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/compatibility.md and the captures of JSON against the tree: the peers, the commands, the files."""

import json
import re
import unittest

import golden_file

ROOT = golden_file.ROOT
PEERS = ROOT / "tests" / "compat" / "peers"
NAME = re.compile(r'\.name = "([^"]+)"')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
CAPTURE = re.compile(r"^\| `(json-[01]/[a-z0-9-]+\.json)` \|", re.M)
COMMAND = re.compile(r'X\(\w+, \d+, "([a-z-]+)", (?:true|false)')


def names(source):
    """The peers of a table in C, in its order."""
    return NAME.findall((PEERS / source).read_text(encoding="utf-8"))


def rows(heading):
    """The cells of the table below the line that begins so, the head first."""
    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    lines = text.split("\n" + heading, 1)[1].split("\n\n")[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in lines[:1] + lines[2:]]


class Page(unittest.TestCase):
    def check_peers(self, source, *headings):
        peers = names(source)
        self.assertTrue(peers)
        for heading in headings:
            self.assertEqual([row[0] for row in rows(heading)[1:]], peers, heading)

    def test_guests(self):
        self.check_peers("peer_guest.c", "Guests:", "<!-- table: every guest at our host -->")

    def test_hosts(self):
        self.check_peers("peer_host.c", "Hosts:", "<!-- table: our guest at every host -->")

    def test_commands(self):
        source = (ROOT / "src" / "wire" / "message.h").read_text(encoding="utf-8")
        commands = set(COMMAND.findall(source))
        self.assertIn("notify", commands)
        self.assertEqual(set(rows("<!-- table: our guest at every host -->")[0][1:]), commands)
        columns = set(rows("<!-- table: every guest at our host -->")[0][1:])
        self.assertEqual(columns - {"upgrade, another hash"}, commands)

    def test_no_cell_is_empty(self):
        for heading in ("<!-- table: every guest at our host -->",
                        "<!-- table: our guest at every host -->"):
            head, *table = rows(heading)
            for row in table:
                self.assertEqual(len(row), len(head), row)
                self.assertNotIn("", row)
                self.assertNotIn("CHANGED", row)


class Peers(unittest.TestCase):
    def test_nothing_of_src_is_in_them(self):
        own = {path.name for path in PEERS.glob("*.h")}
        for path in sorted(PEERS.glob("*.[ch]")):
            allowed = own | ({"support/unit.h"} if path.name == "test_peers.c" else set())
            included = INCLUDE.findall(path.read_text(encoding="utf-8"))
            self.assertEqual([name for name in included if name not in allowed], [], path.name)


class Captures(unittest.TestCase):
    def captures(self):
        return {f"{folder}/{path.name}": path.read_bytes()
                for folder in ("json-1", "json-0")
                for path in (golden_file.GOLDEN / folder).iterdir()}

    def test_listed(self):
        readme = (golden_file.GOLDEN / "README.md").read_text(encoding="utf-8")
        self.assertEqual(sorted(CAPTURE.findall(readme)), sorted(self.captures()))

    def test_form(self):
        for name, data in self.captures().items():
            with self.subTest(name):
                self.assertTrue(data.startswith(b"{") and data.endswith(b"}"))
                value = json.loads(data)
                compact = name.startswith("json-1") or "/request-" in name
                separators = (",", ":") if compact else (", ", ": ")
                self.assertEqual(json.dumps(value, separators=separators).encode(), data)
                if "/request-" in name:
                    self.assertEqual(list(value), ["sender_cid", "message"])
                    self.assertEqual(value["sender_cid"], 3 if "json-1" in name else "3")


if __name__ == "__main__":
    unittest.main()
