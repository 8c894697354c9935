#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/man against the programs and the tables: every option, command and exit status of --help is in
its page and no other; vsock_host.conf(5) has the keys, defaults and ranges of conf/vsock_host.conf,
which a unit test compares with the table in the code; vsock-protocol(7) has the numbers and fields of
docs/protocol.md, which protocol_doc.py compares with src/wire. Each page renders without a warning.

usage: man_pages.py [ROOT], with VSOCK_BIN_DIR naming the folder of the built programs
"""
import os
import re
import subprocess
import sys
import tempfile

import scd
import tree

PAGES = {  # page -> the program that it describes
    "vsock_host.8": "vsock_host", "vsock_guest.1": "vsock_guest",
    "vsock_host-install.8": "vsock_host-install", "vsock_host-hsm.8": "vsock_host-hsm",
    "vsock_host.conf.5": None, "vsock-protocol.7": None,
}
OTHERS = {"vsock(7)"}  # of the Linux man-pages, in spite of its name
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
STATUS = re.compile(r"(?:^ +|[:,] *)(\d)  ?(?=[a-z])(.*?)(?=, \d |\.\n|$)", re.M)
CHOICES = re.compile(r"^ +(?:-\w, )?--([\w-]+) [A-Z]+ +(\S+(?: \| \S+)+)", re.M)
DEFAULT = re.compile(r"^ +(?:-\w, )?--([\w-]+) [A-Z]+\s[^()]*\(([\w.-]+)[;:)]", re.M)
READ = re.compile(r'getenv\("(\w+)"\)')


def binaries(root):
    return os.environ.get("VSOCK_BIN_DIR", os.path.join(root, "build", "dev", "bin"))


def run(root, program, *arguments):
    """(exit status, stdout) of a built program; None when it is not built."""
    path = os.path.join(binaries(root), program)
    if not os.path.exists(path):
        return None, ""
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def both_ways(page, what, shown, wanted):
    return (["%s: %s %s is missing" % (page, what, name) for name in sorted(wanted - shown)] +
            ["%s: %s %s is not known to the program" % (page, what, name)
             for name in sorted(shown - wanted)])


def help_commands(text):
    """The commands of vsock_guest --help: the words of its first block that begin a column."""
    found = set()
    for line in text.split("options", 1)[0].splitlines()[1:]:
        for chunk in re.split(r"  +", line.strip()):
            found.add(chunk.split()[0])
            if " " in chunk:  # a command's arguments: what comes behind them explains it
                break
    return found


def statuses(text):
    return {number: meaning for number, meaning in STATUS.findall(text)}


def judge_statuses(name, page, text):
    """The same numbers, and no word of the program's meaning is missing from the page's."""
    wanted = statuses(text)
    shown = {term: body for term, body in page.definitions("EXIT STATUS")}
    problems = both_ways(name, "exit status", set(shown), set(wanted))
    for number in set(shown) & set(wanted):
        words = set(re.findall(r"[a-z]{4,}", wanted[number].lower()))
        missing = words - set(re.findall(r"[a-z]{4,}", shown[number].lower()))
        if missing:
            problems.append("%s: exit status %s says nothing of: %s" % (
                name, number, ", ".join(sorted(missing))))
    return problems


def judge_program(name, page, texts):
    """Options and exit statuses; examples of --help hold options of other programs."""
    options = {option for text in texts for option in OPTION.findall(text.split("\nexamples:")[0])}
    shown = {option for term, _ in page.definitions() if term.startswith("-")
             for option in OPTION.findall(term)}
    mentioned = {option for text in page.bold if text.startswith(("-", "vsock_"))
                 for option in OPTION.findall(text)}
    problems = both_ways(name, "option", shown, options)
    problems += ["%s: option %s is mentioned, and not described" % (name, option)
                 for option in sorted(mentioned - shown)]
    return problems + judge_statuses(name, page, texts[-1])


def judge_guest(root, name, page):
    """What only vsock_guest has: commands with their arguments, choices, defaults."""
    screen = run(root, "vsock_guest", "--help")[1]
    commands = help_commands(screen)
    pages = {command: run(root, "vsock_guest", "help", command)[1] for command in sorted(commands)}
    usages = {text.split("\n", 1)[0].replace("usage: vsock_guest [OPTIONS] ", "")
              for text in pages.values()}
    shown = {term for term, _ in page.definitions("COMMANDS") if term[0] != "-"}
    problems = both_ways(name, "command", shown, usages)
    problems += judge_program(name, page, [screen, *pages.values()])
    bodies = {option.lstrip("-"): body for term, body in page.definitions()
              for option in OPTION.findall(term)}
    for option, choices in CHOICES.findall(screen):
        for choice in choices.rstrip(",").split(" | "):
            if not re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(choice), bodies.get(option, "")):
                problems.append("%s: --%s: %s is missing" % (name, option, choice))
    for option, value in DEFAULT.findall(screen):
        if "(default %s" % value not in bodies.get(option, ""):
            problems.append("%s: --%s: expected (default %s" % (name, option, value))
    return problems


def judge_environment(root, name, page, folder):
    wanted = set()
    for file in tree.files(root):
        if file.startswith(folder) and file.endswith(".c"):
            wanted |= set(READ.findall(tree.read(root, file)))
    shown = {word for term, _ in page.definitions("ENVIRONMENT") for word in term.split(", ")}
    return ["%s: environment %s is missing" % (name, word) for word in sorted(wanted - shown)]


def packaged_keys(root):
    """conf/vsock_host.conf: (section, key, default, what is allowed and when a change is taken)."""
    found, section, comment = [], "", []
    for line in tree.read(root, "conf/vsock_host.conf").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif re.match(r"#[a-z]", line):
            key, _, value = line[1:].partition("=")
            at = [i for i, text in enumerate(comment) if text.startswith("Allowed: ")][0]
            found.append((section, key.strip(), value.strip(), " ".join(comment[at:])))
            comment = []
        else:
            comment.append(line[2:])
    return found


def judge_conf(root, name, page):
    shown = []
    for section, term, body in page.sections_of("KEYS"):
        key, _, value = term.partition(" =")
        shown.append((section.strip("[]"), key, value.strip(), "Allowed: " +
                      body.partition("Allowed: ")[2]))
    wanted = packaged_keys(root)
    problems = both_ways(name, "key", {repr(key) for key in shown}, {repr(key) for key in wanted})
    if not problems and shown != wanted:
        problems.append("%s: the keys are in another order than in conf/vsock_host.conf" % name)
    dump = run(root, "vsock_host", "--config", "/dev/null", "--dump-config")[1]
    dumped = {(section, key) for section, body in re.findall(r"^\[(\w+)\]\n((?:\w.*\n)+)", dump, re.M)
              for key in re.findall(r"^\w+", body, re.M)}
    problems += both_ways(name, "key (of --dump-config)", {"[%s] %s" % key[:2] for key in shown},
                          {"[%s] %s" % key for key in dumped})
    return problems + judge_conf_examples(root, name, page)


def judge_conf_examples(root, name, page):
    problems = []
    for block in page.blocks("EXAMPLES"):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(block)
            file.flush()
            status, said = run(root, "vsock_host", "--config", file.name, "--check-config")
        if status != 0:
            problems.append("%s: an example is not taken: %s" % (name, said.strip()))
    return problems


def judge_protocol(root, name, page):
    """Numbers, names, types and marks; the words of the last column are each page's own."""
    document = scd.markdown_tables(tree.read(root, "docs/protocol.md"))
    columns = {"frame types": (0, 1, 2, 3), "commands": (0, 1, 3), "payload kinds": (0, 1),
               "phases": (0, 1), "error codes": (0, 1), "limits": (0,)}
    problems = []
    tables = page.tables()
    for title, rows in document.items():
        at = columns.get(title.partition(": ")[2], (0, 1, 2))
        wanted = [[row[i] for i in at] for row in rows]
        shown = [row[:len(at)] for row in tables.get(title, [])]
        if shown != wanted:
            problems.append("%s: %s: %s; docs/protocol.md has %s" % (name, title, shown, wanted))
    ends = {"closes": "; closes", "closes, or stays open": "; may close", "stays open": ""}
    for code, shown in zip(document["table: error codes"], tables.get("table: error codes", [])):
        if re.search(r"(?:; (?:may )?closes?)?$", shown[2]).group() != ends[code[3]]:
            problems.append("%s: error %s: docs/protocol.md says: %s" % (name, code[1], code[3]))
    return problems + ["%s: %s is not in docs/protocol.md" % (name, title)
                       for title in tables if title not in document]


def judge_render(name, text):
    """scdoc, then groff with every warning on."""
    made = subprocess.run(["scdoc"], input=text, capture_output=True, text=True)
    if made.returncode or made.stderr:
        return ["%s: scdoc: %s" % (name, made.stderr.strip())]
    shown = subprocess.run(["groff", "-t", "-man", "-ww", "-Tutf8"], input=made.stdout,
                           capture_output=True, text=True)
    return ["%s: groff: %s" % (name, line) for line in shown.stderr.splitlines()]


def judge_frame(root, name, page):
    """The preamble, the pages it refers to, and that nothing of the page is left unfinished."""
    version = re.search(r"project\(vsock VERSION (\S+)", tree.read(root, "CMakeLists.txt")).group(1)
    stem, _, section = name.rpartition(".")
    first = '%s(%s) "vsock %s" "vsock"' % (stem, section, version)
    problems = [] if page.first == first else ["%s: its first line is not %s" % (name, first)]
    for other in set(re.findall(r"\*(vsock[\w.-]*)\*\((\d)\)", page.text)):
        known = "%s.%s" % other in PAGES or "%s(%s)" % other in OTHERS
        problems += [] if known else ["%s: there is no page %s(%s)" % (name, *other)]
    return problems


def judge(root, name):
    text = tree.read(root, "docs/man/%s.scd" % name)
    page = scd.Page(text)
    problems = judge_frame(root, name, page) + judge_render(name, text)
    program = PAGES[name]
    status, screen = run(root, program, "--help") if program else (0, "")
    if status != 0:
        problems.append("%s: %s --help: %s" % (name, program, screen or "it is not built"))
    elif program == "vsock_guest":
        problems += judge_guest(root, name, page)
        problems += judge_environment(root, name, page, "src/guest/")
    elif program:
        problems += judge_program(name, page, [screen])
    if program == "vsock_host":
        problems += judge_environment(root, name, page, "src/host/")
    if name == "vsock_host.conf.5":
        problems += judge_conf(root, name, page)
    if name == "vsock-protocol.7":
        problems += judge_protocol(root, name, page)
    return problems


def main(root):
    found = {os.path.basename(file)[:-len(".scd")] for file in tree.files(root)
             if file.startswith("docs/man/") and file.endswith(".scd")}
    problems = ["docs/man: no page %s" % name for name in sorted(set(PAGES) - found)]
    problems += ["docs/man: %s: tests/checks/man_pages.py does not know it" % name
                 for name in sorted(found - set(PAGES))]
    for name in sorted(set(PAGES) & found):
        problems += judge(root, name)
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
