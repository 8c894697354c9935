#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The system calls of vsock_host, as strace sees them under the system tests, held against the
allow-list of its unit: what is called and not allowed would end the daemon on a HostOS.

usage: syscalls.py [--list] BIN_DIR UNIT [TEST...]

BIN_DIR holds programs without sanitizers, UNIT is vsock_host.service. --list prints what was seen.
Step programs are not the daemon's: a process counts until it executes another program.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tree

TESTS = ("version", "notify", "upgrade", "upgrade_tls", "upgrade_unit", "reload", "stop",
         "metrics", "sockets")
SKIPPED = 77
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?([a-z0-9_]+)(?:\(| resumed>)(.*)")


def seen_in(trace):
    """Names of the calls of one trace, without those of programs that the daemon executed."""
    names, executed, first = set(), set(), None
    for line in open(trace, errors="replace"):
        match = CALL.match(line)
        if not match:
            continue
        pid, name, rest = match.group(1), match.group(2), match.group(3)
        first = first or pid
        if pid in executed:
            continue
        names.add(name)
        if name == "execve" and pid != first and rest.endswith("= 0"):
            executed.add(pid)
    return names


def trace_tests(bin_dir, tests):
    """Runs the tests with a vsock_host that strace follows. The names of the calls."""
    with tempfile.TemporaryDirectory(prefix="vsock-syscalls-") as folder:
        os.mkdir(os.path.join(folder, "bin"))
        os.mkdir(os.path.join(folder, "traces"))
        for program in os.listdir(bin_dir):
            if program != "vsock_host":
                os.symlink(os.path.join(bin_dir, program), os.path.join(folder, "bin", program))
        wrapper = os.path.join(folder, "bin", "vsock_host")
        with open(wrapper, "w") as out:
            # -D: the daemon keeps the process id that the tests know.
            out.write("#!/bin/sh\nexec strace -D -f -qq -o %s/traces/$$ "
                      "%s/vsock_host \"$@\"\n" % (folder, bin_dir))
        os.chmod(wrapper, 0o755)
        system = os.path.join(tree.default_root(), "tests/system")
        environment = dict(os.environ, VSOCK_BIN_DIR=os.path.join(folder, "bin"), PYTHONPATH=system,
                           PYTHONDONTWRITEBYTECODE="1")

        def run(test):
            return subprocess.run([sys.executable, "-m", "vsocktest", "test_" + test], cwd=system,
                                  env=environment, capture_output=True, text=True, timeout=600)

        with concurrent.futures.ThreadPoolExecutor(3 * os.cpu_count()) as pool:
            ended = list(pool.map(run, tests))
        for test, done in zip(tests, ended):
            if done.returncode not in (0, SKIPPED):
                print("note: test_%s fails under strace, its calls count all the same:" % test)
                print("\n".join(re.findall(r"^(?:FAIL|ERROR): .*", done.stderr, re.M)))
        names = set()
        for trace in os.listdir(os.path.join(folder, "traces")):
            names |= seen_in(os.path.join(folder, "traces", trace))
        return names


def expand(name):
    """The calls of a filter set, as systemd knows it."""
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name],
                          capture_output=True, text=True, check=True)
    words = set(done.stdout.split("\n"))
    calls = set()
    for line in words:
        word = line.strip()
        if re.fullmatch(r"@[a-z0-9-]+", word) and word != name:
            calls |= expand(word)
        elif re.fullmatch(r"[a-z0-9_]+", word):
            calls.add(word)
    return calls


def allowed_by(unit):
    calls = expand("@default")
    for line in open(unit):
        found = re.match(r"SystemCallFilter=(.*)", line.strip())
        for word in found.group(1).split() if found else ():
            if word.startswith("~"):
                raise SystemExit("error: %s: the filter must be an allow-list" % unit)
            calls |= expand(word)
    return calls


def main(arguments):
    listing = "--list" in arguments
    arguments = [word for word in arguments if word != "--list"]
    if len(arguments) < 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if not shutil.which("strace"):
        print("skipped: there is no strace")
        return SKIPPED
    bin_dir, unit = os.path.abspath(arguments[0]), arguments[1]
    names = trace_tests(bin_dir, arguments[2:] or TESTS)
    if len(names) < 40:
        print("skipped: strace may not follow processes here: %d calls seen" % len(names))
        return SKIPPED
    if listing:
        print(" ".join(sorted(names)))
    missing = sorted(names - allowed_by(unit))
    print("%d system calls seen, %d of them not allowed" % (len(names), len(missing)))
    return tree.report(["%s: %s is called, and not in SystemCallFilter=" % (unit, name) for name in missing])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
