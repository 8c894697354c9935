#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include what, in src/: the arrows of docs/architecture.md, held to the letter.

usage: layers.py [ROOT]
"""
import re
import sys

import tree

# A folder of src/ and those it may include from.
FOLDERS = {
    "wire": ("wire",),
    "compat": ("compat", "wire"),
    "guest": ("guest", "compat", "wire"),
    "host": ("host", "compat", "wire"),
}
# The parts of src/host, lower first: a part includes itself and what is lower. main.c and what
# lies beside it is on top.
HOST_PARTS = ("lock.h ticket.h", "file policy systemd step watch", "digest", "conf", "log", "console metrics", "download program",
              "upgrade errand", "command", "net", "steps")
# Headers of outside libraries and the only files that may know them.
OUTSIDE = {
    r"curl/.*": r"src/host/(policy|download)/.*\.c",
    r"gcrypt\.h": r"src/host/digest/.*\.c",
    r"systemd/sd-(daemon|journal)\.h": r"src/host/systemd/systemd\.c",
    r"systemd/sd-bus\.h": r"src/host/systemd/(logind|unit_bus)\.c",
    r"jansson\.h": r"src/compat/json\.c",
    r"ini\.h": r"src/host/conf/.*\.c",
    r"libvirt/.*": r"src/host/steps/hsm_virt\.c",
    r"libxml/.*": r"src/host/steps/hsm_xml\.c",
}
# One file each, but for curl (its URL parser judges, its transfers fetch) and the system bus (the
# daemon asks systemd, vsock_host-install asks logind, and neither links the other's).
FILES = {r"curl/.*": 2, r"systemd/sd-bus\.h": 2}
C_LIBRARY = re.compile(
    r"(sys|linux|netinet|arpa|net)/[a-z0-9_]+\.h|"
    r"(assert|ctype|dirent|endian|errno|fcntl|getopt|ifaddrs|inttypes|limits|locale|math|netdb|"
    r"poll|pthread|sched|semaphore|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|"
    r"stdlib|string|strings|syslog|termios|threads|time|unistd|wchar)\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def host_rank(path):
    """The level of a file in src/host; files beside main.c are on top."""
    name = path.split("/")[1]
    for rank, parts in enumerate(HOST_PARTS):
        if name in parts.split():
            return rank
    return len(HOST_PARTS)


def judge_ours(path, included):
    """What is wrong with src/PATH including "INCLUDED", or None."""
    folder, other = path.split("/")[0], included.split("/")[0]
    if "/" not in included:
        return 'includes "%s": write the path from src/' % included
    if other not in FOLDERS.get(folder, ()):
        return "src/%s may not know %s" % (folder, included)
    if folder == other == "host":
        same = path.split("/")[1] == included.split("/")[1]
        top = host_rank(path) == host_rank(included) == len(HOST_PARTS)
        if not same and not top and host_rank(included) >= host_rank(path):
            return "%s is not below it" % included
    return None


def judge_outside(path, included):
    for pattern, allowed in OUTSIDE.items():
        if re.fullmatch(pattern, included):
            if not re.fullmatch(allowed, "src/" + path):
                return "<%s> belongs to %s alone" % (included, allowed)
            return None
    if not C_LIBRARY.fullmatch(included):
        return "<%s> is not of the C library, and no rule names it" % included
    return None


def main(root):
    problems, users = [], {}
    for name in tree.files(root):
        if not name.startswith("src/") or not name.endswith((".c", ".h")):
            continue
        path = name[len("src/"):]
        for kind, included in INCLUDE.findall(tree.read(root, name)):
            wrong = (judge_outside if kind == "<" else judge_ours)(path, included)
            if wrong:
                problems.append("%s: %s" % (name, wrong))
            for pattern in OUTSIDE:
                if kind == "<" and re.fullmatch(pattern, included):
                    users.setdefault(pattern, set()).add(name)
    for pattern, names in users.items():
        if len(names) > FILES.get(pattern, 1):
            problems.append("<%s> is known to more than %d file: %s" %
                            (pattern, FILES.get(pattern, 1), ", ".join(sorted(names))))
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
