#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may use what in src/, by includes and by calls: docs/architecture.md, held to the letter.

A room is a .c file with its .h. No room uses one of a higher floor, and no two rooms use each other,
directly or through others.

usage: layers.py [--floors] [ROOT]
  --floors   prints the rooms of each floor, and what each uses
"""
import re
import sys

import tree

# The floors of src/, the lowest first; a room uses rooms of its own floor and of lower ones. src/guest
# stands beside src/host: neither may know the other.
FLOORS = (
    "wire/",
    "compat/",
    "host/lock host/message_id host/pending host/metrics host/watchdog host/keyfile host/systemd/",
    "host/log host/digest host/policy/ host/conf/",
    "host/install_record host/process/",
    "host/console host/operation host/download/",
    "host/upgrade/",
    "host/command host/net/",
    "host/options host/daemon host/main host/install/ host/hsm/ guest/",
)
# Folders on the highest floor that are programs of their own.
PROGRAMS = ("guest/", "host/install/", "host/hsm/")
# Headers of outside libraries and the only files that may know them.
OUTSIDE = {
    r"curl/.*": ("host/policy/url_policy.c", "host/download/fetch.c"),
    r"gcrypt\.h": ("host/digest.c",),
    r"systemd/sd-(daemon|journal)\.h": ("host/systemd/notify.c",),
    r"systemd/sd-bus\.h": ("host/systemd/bus.c", "host/systemd/logind.c"),
    r"jansson\.h": ("compat/json.c",),
    r"libvirt/.*": ("host/hsm/libvirt.c",),
    r"libxml/.*": ("host/hsm/domain_xml.c",),
}
C_LIBRARY = re.compile(
    r"(sys|linux|netinet|arpa|net)/[a-z0-9_]+\.h|"
    r"(assert|ctype|dirent|endian|errno|fcntl|getopt|ifaddrs|inttypes|limits|locale|math|netdb|"
    r"poll|pthread|sched|semaphore|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|"
    r"stdlib|string|strings|syslog|termios|threads|time|unistd|wchar)\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
# What a room gives others: functions and tables with a name outside their file, as clang-format lays
# them out (in the first column).
FUNCTION = re.compile(r"^(?!static|typedef|struct \w+ \{)[A-Za-z_][\w \*]*?\b(\w+)\([^;{}]*\)[^;{}()]*"
                      r"(?:REQUIRES_LOCK\([^)]*\)\s*)?\{", re.M)
TABLE = re.compile(r"^(?!static|extern|typedef)[a-z][\w \*]*?\b(\w+)(?:\[[^\]]*\])* =", re.M)
WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def room_of(path):
    return re.sub(r"\.[ch]$", "", path)


def floor_of(room):
    for floor, rooms in enumerate(FLOORS):
        for name in rooms.split():
            if room == name or (name.endswith("/") and room.startswith(name)):
                return floor
    return None


def program_of(room):
    """The program that alone has this room, or None."""
    return next((name for name in PROGRAMS if room.startswith(name)), None)


def judge_use(room, other, how):
    """What is wrong with a room using another, or None."""
    mine, its = floor_of(room), floor_of(other)
    if its is None:
        return "src/%s: no floor of tests/checks/layers.py has a room of this name" % other
    foreign = program_of(other) and program_of(other) != program_of(room)
    if its > mine or foreign or (room.startswith("guest/") and other.startswith("host/")):
        return "src/%s %s src/%s, which is not below it" % (room, how, other)
    return None


def judge_outside(path, included):
    for pattern, allowed in OUTSIDE.items():
        if re.fullmatch(pattern, included):
            if path not in allowed:
                return "src/%s: <%s> belongs to src/%s alone" % (path, included, ", src/".join(allowed))
            return None
    if not C_LIBRARY.fullmatch(included):
        return "src/%s: <%s> is not of the C library, and no rule names it" % (path, included)
    return None


def circles(uses):
    """Sets of rooms each of which uses every other, directly or through others (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(room):
        index[room] = low[room] = len(index)
        stack.append(room)
        for other in sorted(uses.get(room, ())):
            if other not in index:
                visit(other)
                low[room] = min(low[room], low[other])
            elif other in stack:
                low[room] = min(low[room], index[other])
        if low[room] == index[room]:
            circle = stack[stack.index(room):]
            del stack[stack.index(room):]
            if len(circle) > 1:
                found.append(sorted(circle))

    for room in sorted(uses):
        if room not in index:
            visit(room)
    return found


def read_rooms(root):
    """({path: text}, {path: code without comments and strings}) of src/, paths from there."""
    texts = {name[len("src/"):]: tree.read(root, name) for name in tree.files(root)
             if name.startswith("src/") and name.endswith((".c", ".h"))}
    return texts, {path: NOT_CODE.sub("", text) for path, text in texts.items()}


def called(codes):
    """{(room, other): name}: a function or table of the other room that the room names."""
    declared = {name for path, code in codes.items() if path.endswith(".h") for name in WORD.findall(code)}
    owners, found = {}, {}
    for path, code in codes.items():
        if path.endswith(".c"):
            for name in declared.intersection(FUNCTION.findall(code) + TABLE.findall(code)):
                owners.setdefault(name, set()).add(room_of(path))
    for path, code in codes.items():
        if path.endswith(".c"):
            for name in set(WORD.findall(code)):
                for other in owners.get(name, set()) - {room_of(path)}:
                    if len(owners[name]) == 1 or program_of(other) == program_of(room_of(path)) is not None:
                        found[(room_of(path), other)] = name
    return found


def main(root, show=False):
    problems, uses = [], {}
    texts, codes = read_rooms(root)
    for path, text in texts.items():
        room = room_of(path)
        uses.setdefault(room, set())
        if floor_of(room) is None:
            problems.append("src/%s: no floor of tests/checks/layers.py has a room of this name" % path)
            continue
        for kind, included in INCLUDE.findall(text):
            if kind == "<":
                wrong = judge_outside(path, included)
            elif "/" not in included:
                wrong = 'src/%s includes "%s": write the path from src/' % (path, included)
            else:
                wrong = None
                if room_of(included) != room:
                    wrong = judge_use(room, room_of(included), "includes")
                    uses[room].add(room_of(included))
            if wrong:
                problems.append(wrong)
    for (room, other), name in sorted(called(codes).items()):
        if floor_of(room) is not None:
            wrong = judge_use(room, other, "calls %s of" % name)
            if wrong:
                problems.append(wrong)
            uses[room].add(other)
    problems += ["these rooms use each other: %s" % ", ".join("src/" + room for room in circle)
                 for circle in circles(uses)]
    if show:
        for floor, rooms in enumerate(FLOORS):
            print("floor %d: %s" % (floor + 1, rooms))
            for room in sorted(room for room in uses if floor_of(room) == floor):
                print("    %s: %s" % (room, " ".join(sorted(uses[room]))))
    return tree.report(problems)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--floors"]
    sys.exit(main(words[0] if words else tree.default_root(), "--floors" in sys.argv[1:]))
