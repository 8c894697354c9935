# SPDX-License-Identifier: Apache-2.0
"""A decoder of TLV wire 0.9 for the checks alone; see golden_tlv1.py."""

import json
import struct

import golden_tlv1

HEADER = 10
REQUEST, OK, ERROR = 1, 2, 3
TYPES = {REQUEST: "request", OK: "ok", ERROR: "error"}
FIELDS = {REQUEST: {1: ("command", "u8"), 2: ("url", "str"), 3: ("sha256", "hash"),
                    4: ("message", "str"), 5: ("count", "u32")},
          OK: {1: ("version", "str")}, ERROR: {1: ("text", "str")}}


def command(value):
    (n,) = value
    return f"{n} {golden_tlv1.COMMANDS[n]}"


def digest(value):
    if len(value) != 32:
        raise ValueError("sha256 of another length")
    return value.hex()


TYPE = {"u8": command, "hash": digest, "u32": lambda v: str(struct.unpack(">I", v)[0]),
        "str": lambda v: json.dumps(v.decode("utf-8"), ensure_ascii=False)}


def decode(frame):
    """The content of one whole frame as text; ValueError, KeyError or struct.error if it is bad."""
    magic, major, minor, ftype, reserved, length = struct.unpack_from(">4sBBBBH", frame)
    if (magic, major, minor, reserved, length) != (b"VSCK", 0, 9, 0, len(frame) - HEADER):
        raise ValueError("bad header")
    parts, last, at = [f"{TYPES[ftype]} 0.9"], 0, HEADER
    while at < len(frame):
        tag, size = struct.unpack_from(">BH", frame, at)
        value = frame[at + 3:at + 3 + size]
        if tag <= last or len(value) != size:
            raise ValueError("bad field")
        name, kind = FIELDS[ftype][tag]
        parts.append(f"{name} {TYPE[kind](value)}")
        last, at = tag, at + 3 + size
    return "; ".join(parts)
