# SPDX-License-Identifier: Apache-2.0
"""Reads tests/golden/**/*.hex; the form is described in tests/golden/README.md."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"

KEY = re.compile(r"# (expect|to|state|error-id|same-as): (.+)")
LINE = re.compile(r"((?:[0-9a-f]{2} ){0,15}[0-9a-f]{2})(?: +# \S.*| +#   \S.*)?")


def parse(text):
    """The bytes, the keys of the comment at the top, and the lines that are not in the form."""
    data, keys, bad = b"", {}, []
    for line in text.splitlines():
        key, hexes = KEY.fullmatch(line), LINE.fullmatch(line)
        if key and not data:
            keys[key[1]] = key[2]
        elif hexes:
            data += bytes.fromhex(hexes[1])
        elif data or not line.startswith("# "):
            bad.append(line)
    return data, keys, bad


def load(name):
    """NAME is the path below tests/golden without its suffix, such as tlv-1/hello-1.0."""
    return parse((GOLDEN / f"{name}.hex").read_text(encoding="utf-8"))


def names(folder):
    return sorted(f"{folder}/{path.name[:-4]}" for path in (GOLDEN / folder).glob("*.hex"))
