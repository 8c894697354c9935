#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packaging/vsock_host.catalog against src/host/message_id.h: an entry for each MESSAGE_ID and for
nothing else; each has its header, says something, and names only fields that the daemon writes and keys
that the configuration has. journalctl takes the file, and gives it back.

usage: catalog.py [ROOT]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tree

CATALOG = "packaging/vsock_host.catalog"
HEADER = ("Subject", "Defined-By", "Support", "Documentation")
IDENTIFIER = re.compile(r'^#define MESSAGE_ID_(\w+) +"([0-9a-f]{32})"$', re.M)
FIELD = re.compile(r"@(\w+)@")
KEY = re.compile(r"\[(\w+)\] (\w+)")


def entries(text):
    """Identifier -> (header, body)."""
    found = {}
    for part in re.split(r"^-- ", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n\n")
        lines = head.splitlines()
        found[lines[0]] = (dict(line.split(": ", 1) for line in lines[1:]), body.strip())
    return found


def judge_entry(name, header, body, fields, pages):
    problems = []
    if tuple(header) != HEADER:
        problems.append("%s: its header is %s; expected %s" % (name, ", ".join(header), ", ".join(HEADER)))
    if len(body) < 80:
        problems.append("%s: its text says too little" % name)
    for field in FIELD.findall(" ".join(header.values()) + body):
        if field not in fields:
            problems.append("%s: @%s@ is written nowhere in src/host" % (name, field))
        if re.search(r"\d", field):
            problems.append("%s: journalctl puts in no field with a digit: @%s@" % (name, field))
    for page in re.findall(r"man:([\w.-]+)\((\d)\)", " ".join(header.values())):
        if "docs/man/%s.%s.scd" % page not in pages:
            problems.append("%s: there is no page %s(%s)" % (name, *page))
    long = [line for line in body.splitlines() if len(FIELD.sub("", line)) > 80]
    return problems + ["%s: longer than 80: %s" % (name, line) for line in long]


def judge_keys(name, body, conf):
    """What is written as [section] key is a key of the packaged configuration."""
    known, section = set(), ""
    for line in conf.splitlines():
        section = line.strip("[]") if line.startswith("[") else section
        if re.match(r"#\w+ =", line):
            known.add((section, line[1:].split(" =")[0]))
    return ["%s: there is no key [%s] %s" % (name, *key)
            for key in KEY.findall(" ".join(body.split())) if key not in known]


def compile_catalog(text, count):
    """journalctl compiles it below a root of its own, and lists what it found."""
    root = tempfile.mkdtemp(prefix="vc-", dir="/tmp")
    try:
        folder = os.path.join(root, "usr/lib/systemd/catalog")
        os.makedirs(folder)
        with open(os.path.join(folder, "vsock_host.catalog"), "w") as file:
            file.write(text)
        journalctl = ["journalctl", "--root=" + root]
        made = subprocess.run([*journalctl, "--update-catalog"], capture_output=True, text=True)
        if made.returncode or made.stderr:
            return ["%s: journalctl --update-catalog: %s" % (CATALOG, made.stderr.strip())]
        listed = subprocess.run([*journalctl, "--list-catalog"], capture_output=True, text=True)
        if len(listed.stdout.splitlines()) != count:
            return ["%s: journalctl lists:\n%s" % (CATALOG, listed.stdout + listed.stderr)]
        return []
    finally:
        shutil.rmtree(root)


def main(root):
    text = tree.read(root, CATALOG)
    wanted = {identifier: name for name, identifier in
              IDENTIFIER.findall(tree.read(root, "src/host/message_id.h"))}
    found = entries(text)
    sources = [name for name in tree.files(root) if name.startswith("src/host/")]
    fields = {field for name in sources for field in re.findall(r'"(VSOCK_\w+)"', tree.read(root, name))}
    pages, conf = tree.files(root), tree.read(root, "conf/vsock_host.conf")
    problems = ["%s: no entry for MESSAGE_ID_%s, %s" % (CATALOG, wanted[identifier], identifier)
                for identifier in wanted if identifier not in found]
    problems += ["%s: %s is no MESSAGE_ID of message_id.h" % (CATALOG, identifier)
                 for identifier in found if identifier not in wanted]
    for identifier in wanted.keys() & found.keys():
        header, body = found[identifier]
        name = "%s: %s" % (CATALOG, wanted[identifier])
        problems += judge_entry(name, header, body, fields, pages) + judge_keys(name, body, conf)
    return tree.report(problems + compile_catalog(text, len(wanted)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
