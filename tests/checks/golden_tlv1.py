# SPDX-License-Identifier: Apache-2.0
"""A second decoder of TLV wire 1.x, for the checks alone: it shares no code with src/wire, so that
a mistake would have to be made twice. `decode` returns the content of a frame as text."""

import json
import struct

HEADER = 16
FRAME_MAX = 65536
REQUEST_MAX = 16384
HELLO_MAX = 127

HELLO, WELCOME, ERROR, REQUEST, PROGRESS, RESPONSE = 1, 2, 3, 0x10, 0x11, 0x12
TYPES = {HELLO: "HELLO", WELCOME: "WELCOME", ERROR: "ERROR",
         REQUEST: "REQUEST", PROGRESS: "PROGRESS", RESPONSE: "RESPONSE"}
FROM_GUEST = {HELLO, REQUEST}

CODES = dict(enumerate((
    "malformed unsupported_version unknown_command unsupported_field invalid_argument forbidden busy "
    "too_large timeout unavailable download_failed hash_mismatch install_failed reboot_failed "
    "no_space shutting_down internal not_ready").split(), 1))
COMMANDS = dict(enumerate((
    "attach-hsm detach-hsm get-hostos-version upgrade notify get-vsock-version get-upgrade-status "
    "start-upgrade-guest-vm").split(), 1))
KINDS = dict(enumerate("NoPayload HostOSVsockVersion HostOSVersion UpgradeStatus".split()))
PHASES = dict(enumerate(
    "idle queued downloading verifying installing rebooting failed upgraded".split()))

# Each field: tag -> (name, type, mandatory).
STATUS = {8: ("phase", "phase", True), 10: ("done", "u64", True), 12: ("total", "u64", True),
          14: ("sha256", "hash", False), 16: ("result", "result", True),
          17: ("detail", "str", False), 19: ("changed", "u64", False)}
COMMAND_FIELDS = {4: {4: ("url", "str", True), 6: ("sha256", "hash", True),
                      11: ("progress", "bool", False)},
                  5: {8: ("message", "str", True), 10: ("count", "u32", True)}}
KIND_FIELDS = {0: {}, 1: {4: ("release", "release", True)}, 2: {6: ("version", "str", True)},
               3: STATUS}
FIELDS = {HELLO: {2: ("versions", "hello-list", True), 3: ("agent", "agent", False)},
          WELCOME: {2: ("version", "version", True), 3: ("agent", "str", False),
                    5: ("limit", "u32", False)},
          ERROR: {2: ("code", "code", True), 4: ("message", "str", False),
                  5: ("versions", "list", False)},
          PROGRESS: STATUS}
LIMITS = {"url": 2048, "message": 4096}


class Refused(Exception):
    """The frame breaks a rule; the argument is the name of the error code."""


def need(condition, code="malformed"):
    if not condition:
        raise Refused(code)


def number(width, names=None):
    def decode(value):
        need(len(value) == width)
        n = int.from_bytes(value, "big")
        return str(n) if names is None else f"{n} {names[n]}" if n in names else str(n)
    return decode


def string(value):
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    need("\0" not in text)
    return json.dumps(text, ensure_ascii=False)


def agent(value):
    need(len(value) <= 64 and all(0x20 <= b <= 0x7E for b in value))
    return string(value)


def version(value):
    need(len(value) == 2 and value[0] > 0)
    return f"{value[0]}.{value[1]}"


def versions(value):
    need(2 <= len(value) <= 32 and len(value) % 2 == 0)
    majors = list(value[0::2])
    need(majors[-1] > 0 and all(a > b for a, b in zip(majors, majors[1:])))
    return " ".join(f"{a}.{b}" for a, b in zip(majors, value[1::2]))


def release(value):
    need(len(value) == 12)
    return "%d.%d.%d" % struct.unpack(">III", value)


def digest(value):
    need(len(value) == 32)
    return value.hex()


def flag(value):
    n = int(number(1)(value))
    need(n <= 1, "invalid_argument")
    return str(n)


TYPE = {"u32": number(4), "u64": number(8), "str": string, "agent": agent, "bool": flag,
        "version": version, "hello-list": versions, "list": versions, "release": release,
        "hash": digest, "phase": number(2, PHASES), "code": number(2, CODES),
        "result": number(2, {0: "none", **CODES})}


def split(payload):
    """The payload's fields as (tag, value), in order."""
    fields, last, at = [], -1, 0
    while at < len(payload):
        need(len(payload) - at >= 4)
        tag, length = struct.unpack_from(">HH", payload, at)
        at += 4
        need(tag > last and length <= len(payload) - at)
        fields.append((tag, payload[at:at + length]))
        last, at = tag, at + length
    return fields


def take(fields, known):
    """The text of each known field; every even tag must be known, odd ones are skipped."""
    found = []
    for tag, value in fields:
        if tag not in known:
            need(tag % 2 == 1, "unsupported_field")
            continue
        name, kind, _ = known[tag]
        text = TYPE[kind](value)
        need(len(value) <= LIMITS.get(name, FRAME_MAX), "invalid_argument")
        found.append((name, text))
    names = {name for name, _ in found}
    need(all(name in names for name, _, mandatory in known.values() if mandatory))
    return found


def selected(fields, name, names, table, unknown):
    """REQUEST and RESPONSE: field 2 says which fields belong."""
    value = dict(fields).get(2)
    need(value is not None)
    text = number(2, names)(value)
    n = int.from_bytes(value, "big")
    need(n in names, unknown)
    return [(name, text)] + take([f for f in fields if f[0] != 2], table.get(n, {}))


def fields_of(ftype, payload):
    fields = split(payload)
    if ftype == REQUEST:
        return selected(fields, "command", COMMANDS, COMMAND_FIELDS, "unknown_command")
    if ftype == RESPONSE:
        return selected(fields, "kind", KINDS, KIND_FIELDS, "malformed")
    return take(fields, FIELDS[ftype])


def check_header(frame, host, first):
    need(frame[:4] == b"VSCK" and len(frame) >= HEADER)
    major, minor, ftype, ident, length = struct.unpack_from(">BBHII", frame, 4)
    need(major >= 1, "unsupported_version" if first else "malformed")
    need(length <= (REQUEST_MAX if host else FRAME_MAX), "too_large" if host else "malformed")
    need(length == len(frame) - HEADER)
    need(ftype in TYPES and (ftype in FROM_GUEST) == host)
    if first:
        need(ftype in ((HELLO,) if host else (WELCOME, ERROR)))
    else:
        need((major, minor) == (1, 0) and ftype not in (HELLO, WELCOME))
    if ftype in (REQUEST, PROGRESS, RESPONSE):
        need(ident != 0)
    elif ftype in (HELLO, WELCOME):
        need(ident == 0)
    return (major, minor), ftype, ident


def check_answer(ftype, header, ident, found, first):
    """What a guest that offered 1.0 and sent request 0x01020304 refuses in a whole answer."""
    if ftype == WELCOME:
        need(dict(found)["version"] == "1.0" and header == (1, 0))
    elif not first:
        need(ident in (0, 0x01020304) if ftype == ERROR else ident == 0x01020304)


def decode(frame, to="host", first=False):
    """Decode one whole frame as its receiver does: a host that speaks 1.0, or a guest that does."""
    host = to == "host"
    header, ftype, ident = check_header(frame, host, first)
    payload = frame[HEADER:]
    if ftype == HELLO:
        need(len(payload) <= HELLO_MAX and all(b < 0x80 for b in payload))
    found = fields_of(ftype, payload)
    if not host:
        check_answer(ftype, header, ident, found, first)
    name = f"{TYPES[ftype]} {header[0]}.{header[1]}"
    shown = f"id 0x{ident:08x}" if ident else "id 0"
    return name, [shown] + [f"{key} {text}" for key, text in found]
