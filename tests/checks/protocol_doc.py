#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/protocol.md against the tree: its dumps are the golden files, and its tables of numbers,
names, fields and limits are those of src/wire."""

import re
import unittest

import golden
import golden_file
import golden_tlv1 as tlv1

DOCUMENT = golden_file.ROOT / "docs" / "protocol.md"
WIRE = golden_file.ROOT / "src" / "wire"

DUMP = re.compile(r"^`tests/golden/(\S+)\.hex`:\n\n```text\n(.*?)^```$", re.M | re.S)
BYTES = re.compile(r"^(?:[0-9a-f]{2} )+ +#", re.M)
TABLE = re.compile(r"^<!-- (table|fields): ([\w -]+) -->\n\n((?:\|.*\n)+)", re.M)
NUMBERED = re.compile(r"\b(FRAME)_(\w+) = (0x[0-9a-f]+|\d+)")
NAMED = re.compile(r'\bX\((\w+), (\d+), "([\w-]+)"(?:, \w+, (\w+), \w+)?')
ROWS = re.compile(r"struct field (\w+)_rows\[\] = \{(.*?)\};", re.S)
ROW = re.compile(r"ROW\((\d+), (\w+), (\w+),")
CONSTANT = re.compile(r"\b(\w+_MAX) = (\d+)")

WIDTH = {"FLAG": "u8", "COMMAND": "u16", "KIND": "u16", "PHASE": "u16", "CODE": "u16",
         "U32": "u32", "U64": "u64", "SHA256": "hash", "TEXT": "string", "PRINTABLE": "string",
         "VERSION": "version", "VERSIONS": "versions", "RELEASE": "release"}
LIMITS = {"FRAME_PAYLOAD_MAX", "HELLO_PAYLOAD_MAX", "HELLO_AGENT_MAX", "WIRE_VERSIONS_MAX",
          "URL_MAX", "NOTIFY_MAX", "HOSTOS_VERSION_MAX"}
REQUEST_LIMIT = 16384  # the default of a key of the configuration, not a constant of the wire


def read(name):
    return (WIRE / name).read_text(encoding="utf-8")


def document():
    return DOCUMENT.read_text(encoding="utf-8")


def tables(sort):
    """The tables that are marked as such: name -> rows -> cells."""
    found = {}
    for mark, name, text in TABLE.findall(document()):
        if mark == sort:
            rows = [[cell.strip() for cell in line.strip("|").split("|")]
                    for line in text.splitlines()]
            found[name] = rows[2:]
    return found


def numbers(prefix, header):
    """An enumeration of a header: suffix -> number."""
    return {suffix: int(value, 0)
            for kind, suffix, value in NUMBERED.findall(read(header)) if kind == prefix}


def rows_of(prefix):
    """The table of message.h with that name: (identifier, number, name, answer)."""
    body = read("message.h").split(f"#define {prefix}S(X)", 1)[1]
    return NAMED.findall(body.split("\n\n", 1)[0])


def named(prefix):
    """The numbers and names of message.h, less the zero of ERROR."""
    return sorted((int(number), name) for suffix, number, name, _ in rows_of(prefix)
                  if (prefix, suffix) != ("ERROR", "NONE"))


class Dumps(unittest.TestCase):
    def test_equal(self):
        for name, text in DUMP.findall(document()):
            with self.subTest(name):
                path = golden_file.GOLDEN / f"{name}.hex"
                self.assertEqual(text, path.read_text(encoding="utf-8"))

    def test_every_message_is_shown(self):
        shown = " ".join(golden.content(name) for name, _ in DUMP.findall(document()))
        wanted = [f"{name} 1.0" for name in tlv1.TYPES.values()]
        wanted += [f"command {n} {name}" for n, name in tlv1.COMMANDS.items()]
        wanted += [f"kind {n} {name}" for n, name in tlv1.KINDS.items()]
        wanted += [f"{name} 0.9" for name in golden.golden_tlv0.TYPES.values()]
        self.assertEqual([text for text in wanted if text not in shown], [])

    def test_no_dump_without_its_file(self):
        self.assertEqual(BYTES.findall(DUMP.sub("", document())), [])


class Numbers(unittest.TestCase):
    def check(self, table, expected):
        rows = [(int(row[0], 0), row[1]) for row in tables("table")[table]]
        self.assertEqual(rows, expected)
        self.assertTrue(expected)

    def test_frame_types(self):
        names = set(tlv1.TYPES.values())
        frames = numbers("FRAME", "frame.h")
        self.check("frame types", sorted((n, name) for name, n in frames.items() if name in names))

    def test_commands(self):
        self.check("commands", named("COMMAND"))

    def test_payload_kinds(self):
        self.check("payload kinds", named("PAYLOAD"))

    def test_phases(self):
        self.check("phases", named("PHASE"))

    def test_error_codes(self):
        self.check("error codes", named("ERROR"))

    def test_answers_of_commands(self):
        kinds = {suffix: name for suffix, _, name, _ in rows_of("PAYLOAD")}
        answers = {name: kinds[answer] for _, _, name, answer in rows_of("COMMAND")}
        self.assertEqual({row[1]: row[3] for row in tables("table")["commands"]}, answers)

    def test_second_decoder(self):
        """The decoder of the checks has the names of the program."""
        for prefix, table in (("COMMAND", tlv1.COMMANDS), ("PAYLOAD", tlv1.KINDS),
                              ("PHASE", tlv1.PHASES), ("ERROR", tlv1.CODES)):
            self.assertEqual(sorted(table.items()), named(prefix))


class Fields(unittest.TestCase):
    def test_fields(self):
        """The rows of layout.c; field 2 of a REQUEST and a RESPONSE is not among them."""
        layout = {name: [[tag, WIDTH[kind], "(m)" if presence == "MANDATORY" else "(o)"]
                         for tag, kind, presence in ROW.findall(body)]
                  for name, body in ROWS.findall(read("layout.c"))}
        layout = {name: rows for name, rows in layout.items() if rows}
        shown = {name: [row[:3] for row in rows] for name, rows in tables("fields").items()}
        self.assertEqual(shown, layout)

    def test_lists_of_tags(self):
        """The tags that the tables of commands and kinds name are those of the field tables."""
        fields = {name: [row[0] for row in rows] for name, rows in tables("fields").items()}
        keys = {"HostOSVsockVersion": "vsock_version", "HostOSVersion": "hostos_version",
                "UpgradeStatus": "status"}
        for table in ("commands", "payload kinds"):
            for row in tables("table")[table]:
                expected = fields.get(keys.get(row[1], row[1]), ["none"])
                self.assertEqual(row[2].split(", "), expected, row[1])

    def test_limits(self):
        constants = {}
        for header in ("message.h", "frame.h", "layout.h"):
            constants.update(CONSTANT.findall(read(header)))
        expected = sorted([REQUEST_LIMIT] + [int(constants[name]) for name in LIMITS])
        self.assertEqual(sorted(int(row[0]) for row in tables("table")["limits"]), expected)


if __name__ == "__main__":
    unittest.main()
