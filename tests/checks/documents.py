#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All pages for people against the tree: links lead somewhere, a key that is named is a key, an option
that is named is one of its program. docs/hostos.md lists the MESSAGE_IDs, journal fields, error codes and
metrics that there are.

usage: documents.py [ROOT], with VSOCK_BIN_DIR naming the folder of the built programs
"""
import os
import re
import sys

import catalog
import man_pages
import tree

LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
KEY = re.compile(r"\[(\w+)\]\s+([a-z]\w+)(?=[\s`*,.;:)=]|$)", re.M)
CALL = re.compile(r"(?<!-u )\b(vsock_(?:host|guest)(?:-install|-hsm)?)((?: [^|&;#`\n]*)?)")
LONG = re.compile(r"(?:^| )(--[a-z][\w-]*)")
ERROR = re.compile(r'^    X\((?!NONE\b)[A-Z_]+, \d+, "(\w+)"\)', re.M)
METRIC = re.compile(r'"(vsock_host_\w+)')


def anchors(text):
    """What GitHub makes of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ +(.*)$", text, re.M)}


def judge_links(root, name, text):
    problems = []
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
        if not os.path.exists(os.path.join(root, file)):
            problems.append("%s: the link to %s leads nowhere" % (name, target))
        elif anchor and anchor not in anchors(tree.read(root, file)):
            problems.append("%s: %s has no heading for %s" % (name, file, target))
    return problems


def judge_keys(name, text, keys):
    sections = {section for section, _ in keys}
    return ["%s: there is no key [%s] %s" % (name, section, key)
            for section, key in KEY.findall(text)
            if section in sections and (section, key) not in keys]


def judge_options(name, text, options):
    """The options behind a program's name, up to the end of the command."""
    problems = []
    for program, rest in CALL.findall(text):
        for option in LONG.findall(rest):
            if option not in options[program]:
                problems.append("%s: %s has no option %s" % (name, program, option))
    return problems


def program_options(root):
    """What each program takes; a program that is not built takes nothing."""
    found = {}
    for program in filter(None, man_pages.PAGES.values()):
        screen = man_pages.run(root, program, "--help")[1]
        texts = [screen]
        if program == "vsock_guest":
            texts += [man_pages.run(root, program, "help", command)[1]
                      for command in man_pages.help_commands(screen)]
        found[program] = {option for text in texts for option in man_pages.OPTION.findall(text)}
    return found


def cells(text, title):
    """The names in the first column of a marked table."""
    body = re.search(r"<!-- table: %s -->\n\n((?:\|.*\n)+)" % title, text)
    rows = body.group(1).splitlines()[2:] if body else []
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


def judge_operator(root):
    name = "docs/hostos.md"
    text = tree.read(root, name)
    sources = "".join(tree.read(root, file) for file in tree.files(root)
                      if file.startswith("src/host/") and file.endswith(".c"))
    wanted = {
        "message ids": {identifier for _, identifier in
                        catalog.IDENTIFIER.findall(tree.read(root, "src/host/message_id.h"))},
        "journal fields": set(re.findall(r'"(VSOCK_[A-Z0-9_]+)"', sources)),
        "errors": set(ERROR.findall(tree.read(root, "src/wire/message.h").split("#define ERRORS(X)")[1])),
        "metrics": set(METRIC.findall("".join(tree.read(root, "src/host/metrics" + end)
                                              for end in (".h", ".c")))),
    }
    problems = []
    for title, names in wanted.items():
        shown = cells(text, title)
        problems += ["%s: %s: %s is missing" % (name, title, word) for word in sorted(names - shown)]
        problems += ["%s: %s: there is no %s" % (name, title, word) for word in sorted(shown - names)]
    fields = set(re.findall(r"VSOCK_[A-Z0-9_]+", tree.read(root, "docs/man/vsock_host.8.scd")))
    return problems + ["docs/man/vsock_host.8.scd: journal: %s is missing" % field
                       for field in sorted(wanted["journal fields"] - fields)]


def main(root):
    keys = {(section, key) for section, key, _, _ in man_pages.packaged_keys(root)}
    options = program_options(root)
    problems = judge_operator(root)
    problems += ["%s --help names no option: is it built?" % program
                 for program, names in options.items() if not names]
    for name in tree.files(root):
        pages = name.endswith((".md", ".scd", ".catalog")) and not name.startswith("tests/corpus/")
        if not pages:
            continue
        text = tree.read(root, name)
        problems += judge_links(root, name, text) if name.endswith(".md") else []
        problems += judge_keys(name, text, keys) + judge_options(name, text, options)
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
