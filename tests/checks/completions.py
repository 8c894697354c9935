#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packaging/completions against --help of the programs. The bash ones are asked, in a bash with nothing
else in it: every option, command and choice is offered where it fits and nowhere else. The zsh ones are
read: each option has a description, and zsh parses them.

usage: completions.py [ROOT], with VSOCK_BIN_DIR naming the folder of the built programs
"""
import os
import re
import subprocess
import sys
import tempfile

import man_pages
import tree

ASK = """
source "$FILE" || exit
read -r _ _ name _ < <(complete -p "$PROGRAM")
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE=$*
COMP_POINT=${#COMP_LINE}
"$name" "$PROGRAM" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || exit
printf '%s\\n' "${COMPREPLY[@]}"
"""
LISTEN = {"vsock:any:19090", "unix:"}


def split(line):
    """The words as bash hands them over: = and : are words of their own."""
    words = [part for word in line.split(" ")[:-1] for part in re.findall(r"[=:]+|[^=:]+", word)]
    last = re.findall(r"[=:]+|[^=:]+", line.split(" ")[-1])
    return words + (last or [""])


def ask(root, line, folder="/"):
    """What bash offers behind the line, and what it complains of."""
    program = line.split(" ", 1)[0]
    file = os.path.join(root, "packaging/completions/bash", program)
    done = subprocess.run(["/bin/bash", "--norc", "--noprofile", "-c", ASK, "bash", *split(line)],
                          env={"FILE": file, "PROGRAM": program, "PATH": "/nowhere"}, cwd=folder,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    offered = set(filter(None, done.stdout.splitlines()))
    return offered | ({"error: " + done.stderr.strip()} if done.stderr else set())


def expect(root, wanted):
    """Lines and what shall be offered behind them."""
    problems = []
    for line, words in wanted.items():
        offered = ask(root, line)
        if offered != set(words):
            problems.append("bash: %r: offered, and not expected: %s; expected, and not offered: %s" % (
                line, sorted(offered - set(words)), sorted(set(words) - offered)))
    return problems


def expect_files(root, lines):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("capture one", "capture-two", "other"):
            open(os.path.join(folder, name), "w").close()
        return ["bash: %r: offered %s" % (line, sorted(offered)) for line, offered in
                [(line, ask(root, line, folder)) for line in lines]
                if offered != {"capture one", "capture-two"}]


def options_of(text):
    return set(man_pages.OPTION.findall(text.split("\nexamples:")[0]))


def guest_lines(root):
    """line -> what is expected, from the help of vsock_guest."""
    screen = man_pages.run(root, "vsock_guest", "--help")[1]
    commands = man_pages.help_commands(screen)
    general, _, older = screen.partition("older form")
    older = options_of(older) & {"--" + name for name in commands}
    block = general[general.index("options, before"):]
    general = options_of(re.sub(r"\(.*?\)", "", block, flags=re.S))  # what a bracket mentions
    lines = {"vsock_guest ": commands, "vsock_guest help ": commands, "vsock_guest -": general | older,
             "vsock_guest -v ": commands, "vsock_guest --port 5 -t 1 ": commands,
             "vsock_guest --address=unix:/x ": commands, "vsock_guest -a vsock:2:19090 ": commands}
    for command in commands:
        page = man_pages.run(root, "vsock_guest", "help", command)[1].split("\n", 1)[0]
        own = options_of(page)
        lines["vsock_guest %s -" % command] = general | own
        lines["vsock_guest -q %s -" % command] = general | own
        lines["vsock_guest --protocol=tlv-1 %s --" % command] = {
            option for option in general | own if option.startswith("--")}
    for option, choices in man_pages.CHOICES.findall(screen):
        choices = set(choices.rstrip(",").split(" | "))
        lines["vsock_guest --%s " % option] = choices
        lines["vsock_guest --%s=" % option] = choices
        lines["vsock_guest upgrade --%s " % option] = choices
    lines["vsock_guest --protocol tlv"] = lines["vsock_guest --protocol=t"] = {"tlv-1", "tlv-0"}
    lines["vsock_guest upgrade --url "] = lines["vsock_guest notify "] = set()
    lines["vsock_guest help upgrade "] = set()
    return lines


def host_lines(root):
    screen = man_pages.run(root, "vsock_host", "--help")[1]
    block = re.sub(r"\(.*?\)", "", screen[screen.index("\n\n"):screen.index("Exit status")], flags=re.S)
    return {"vsock_host -": options_of(block), "vsock_host ": options_of(block),
            "vsock_host --log ": {"journal", "stderr", "auto"}, "vsock_host --log=s": {"stderr"},
            "vsock_host --listen ": LISTEN, "vsock_host --config=/nowhere/": set()}


def judge_zsh(root, program, options):
    name = "packaging/completions/zsh/_" + program
    text = tree.read(root, name)
    problems = [] if text.startswith("#compdef %s\n" % program) else ["%s: no #compdef" % name]
    described = set()
    for names in re.findall(r"((?:\{?(?<![\w-])--?[A-Za-z][\w-]*[=+,}-]*)+)'?\[", text):
        described |= set(man_pages.OPTION.findall(names.replace(",", " ").replace("=-", "=")))
    described = {option.rstrip("-") for option in described}
    problems += man_pages.both_ways(name, "option", described, options)
    done = subprocess.run(["zsh", "-f", "-n", os.path.join(root, name)], capture_output=True, text=True)
    return problems + ["%s: zsh: %s" % (name, line) for line in done.stderr.splitlines()]


def judge_bash(root, program):
    path = os.path.join(root, "packaging/completions/bash", program)
    done = subprocess.run(["shellcheck", "-s", "bash", path], capture_output=True, text=True)
    return [done.stdout] if done.returncode else []


def main(root):
    guest, host = guest_lines(root), host_lines(root)
    commands = guest["vsock_guest "]
    every = set().union(*(words for line, words in guest.items() if line.endswith(" -")))
    unnamed = {command for command in commands
                      if command not in tree.read(root, "packaging/completions/zsh/_vsock_guest")}
    problems = ["zsh: vsock_guest: command %s is missing" % command for command in unnamed]
    problems += expect(root, guest) + expect(root, host)
    problems += expect_files(root, ["vsock_guest decode capt", "vsock_guest -a unix:capt",
                                    "vsock_guest notify --echo=capt", "vsock_host --config capt",
                                    "vsock_host --config=capt", "vsock_host --listen unix:capt"])
    for program, options in (("vsock_guest", every), ("vsock_host", host["vsock_host -"])):
        problems += judge_bash(root, program) + judge_zsh(root, program, options)
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
