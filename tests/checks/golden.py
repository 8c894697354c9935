#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks tests/golden against a second decoder: each good frame holds what the README's table says,
each broken one breaks the rule that its own first line names, and nothing else is in the folders."""

import re
import unittest

import golden_file
import golden_tlv0
import golden_tlv1 as tlv1

ROW = re.compile(r"\| `([^`]+)\.hex` \| (.+) \|")
NAME = re.compile(r"[a-z0-9]+([-.][a-z0-9]+)*")
AFTER = {"open", "closes"}


def receiver(frame):
    """Who takes a good frame, and whether it can be a first one."""
    ftype = frame[7]
    first = ftype in (tlv1.HELLO, tlv1.WELCOME) or (ftype == tlv1.ERROR and frame[8:12] == bytes(4))
    return ("host" if ftype in tlv1.FROM_GUEST else "guest"), first


def content(name):
    """The content of a good frame as the README's table has it."""
    data = golden_file.load(name)[0]
    if name.startswith("tlv-0/"):
        return golden_tlv0.decode(data)
    title, fields = tlv1.decode(data, *receiver(data))
    return f"{title}; " + "; ".join(fields)


def listed():
    """The README's table: name -> content."""
    text = (golden_file.GOLDEN / "README.md").read_text(encoding="utf-8")
    return {row[1]: row[2].strip("`") for row in ROW.finditer(text)}


class Good(unittest.TestCase):
    def test_table(self):
        names = golden_file.names("tlv-1") + golden_file.names("tlv-0")
        table = listed()
        self.assertEqual(sorted(table), sorted(names))
        for name in names:
            with self.subTest(name):
                self.assertEqual(content(name), table[name])

    def test_every_message_is_there(self):
        titles = " ".join(content(name) for name in golden_file.names("tlv-1"))
        wanted = [f"{name} 1.0" for name in tlv1.TYPES.values()]
        wanted += [f"command {n} {name}" for n, name in tlv1.COMMANDS.items()]
        wanted += [f"kind {n} {name}" for n, name in tlv1.KINDS.items()]
        wanted += [f"code {n} {name};" for n, name in tlv1.CODES.items()]
        self.assertEqual([text for text in wanted if text not in titles], [])

    def test_truncations_are_refused(self):
        for name in golden_file.names("tlv-1"):
            data = golden_file.load(name)[0]
            for size in range(len(data)):
                with self.subTest(name, size=size), self.assertRaises(tlv1.Refused):
                    tlv1.decode(data[:size], *receiver(data))


class Broken(unittest.TestCase):
    def check(self, name):
        data, keys, _ = golden_file.load(name)
        code, _, after = keys["expect"].partition(", ")
        self.assertIn(after, AFTER)
        arguments = data, keys["to"], keys["state"] == "first"
        if code == "accepted":
            same = keys.get("same-as")
            fields = tlv1.decode(*arguments)[1]
            fields = [field for field in fields if field != "progress 0"]  # as if it were absent
            if same:
                other = golden_file.load(same)[0]
                self.assertEqual(fields, tlv1.decode(other, *receiver(other))[1])
            return
        with self.assertRaises(tlv1.Refused) as refused:
            tlv1.decode(*arguments)
        self.assertEqual(str(refused.exception), code)

    def test_each(self):
        for name in golden_file.names("broken"):
            with self.subTest(name):
                self.check(name)

    def test_keys(self):
        for name in golden_file.names("broken"):
            keys = golden_file.load(name)[1]
            with self.subTest(name):
                self.assertIn(keys["to"], ("host", "guest"))
                self.assertIn(keys["state"], ("first", "agreed 1.0"))
                answered = keys["to"] == "host" and not keys["expect"].startswith("accepted")
                self.assertEqual("error-id" in keys, answered)


class Form(unittest.TestCase):
    def test_lines_and_names(self):
        for folder in ("tlv-1", "tlv-0", "broken"):
            self.assertTrue(golden_file.names(folder))
            for name in golden_file.names(folder):
                with self.subTest(name):
                    self.assertEqual(golden_file.load(name)[2], [])
                    self.assertRegex(name.split("/")[1], f"^{NAME.pattern}$")

    def test_reader(self):
        """The reader refuses what is not in the form."""
        for line in ("5", "5G", "56  53", "56 #", "56 53 x", "0x56"):
            self.assertEqual(golden_file.parse("# title\n00\n" + line)[2], [line])


if __name__ == "__main__":
    unittest.main()
