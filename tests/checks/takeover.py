#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scripts that dpkg runs as root ask of systemd: when the older daemon is stopped and
switched off, and when it must be left alone. Their programs are stand-ins that write down how they
were called; nothing of this machine is touched.

usage: takeover.py [ROOT]
"""
import os
import subprocess
import sys
import tempfile

import tree

DISABLE = "systemctl --quiet disable vsock-agent.service"
PROGRAMS = ("systemctl", "deb-systemd-helper", "deb-systemd-invoke", "rm")
# Succeeds but for the questions that the case answers with no.
STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >>"$LOG"
case "$*" in
*was-enabled*) exit "$OURS" ;;
*is-enabled*) exit "$AGENTS" ;;
esac
"""
# script and its arguments, is ours switched on, is the agent switched on: what must be called, what not
CASES = (
    ("a new installation", "postinst configure", True, True, [DISABLE], []),
    ("an upgrade", "postinst configure 1.0.0", True, True, [DISABLE], []),
    ("no agent", "postinst configure", True, False, [], [DISABLE]),
    ("somebody went back to the agent", "postinst configure 1.0.0", False, True, [],
     [DISABLE, "systemctl --quiet stop vsock-agent.service"]),
    ("an installation that failed", "postinst abort-remove", True, True, [], [DISABLE]),
    ("removed", "postrm remove", True, True, [], ["rm"]),
    ("purged", "postrm purge", True, True,
     ["rm -rf /etc/vsock_host /var/lib/vsock_host /run/vsock_host-hsm", "rm -rf /var/lib/vsock_host-install"], []),
)


def called(script, arguments, ours, agents):
    """(exit status, lines) of one run, whose PATH holds the stand-ins and nothing else."""
    with tempfile.TemporaryDirectory(prefix="vsock-takeover-") as folder:
        log = os.path.join(folder, "log")
        for program in PROGRAMS:
            path = os.path.join(folder, program)
            with open(path, "w") as out:
                out.write(STAND_IN)
            os.chmod(path, 0o755)
        done = subprocess.run(["/bin/sh", script] + arguments, capture_output=True, text=True, timeout=60,
                              env={"PATH": folder, "LOG": log, "OURS": "0" if ours else "1",
                                   "AGENTS": "0" if agents else "1"})
        if not os.path.exists(log):
            return done.returncode, []
        with open(log) as listed:
            return done.returncode, listed.read().splitlines()


def judge(root):
    for title, command, ours, agents, wanted, unwanted in CASES:
        kind, *arguments = command.split()
        script = os.path.join(root, "packaging/debian/vsock-host." + kind)
        status, lines = called(script, arguments, ours, agents)
        where = "%s, %s:" % (os.path.relpath(script, root), title)
        if status:
            yield "%s ends with %d; expected 0" % (where, status)
        for call in wanted:
            if call not in lines:
                yield "%s does not call: %s" % (where, call)
        for call in unwanted:
            if any(line == call or line.split()[0] == call for line in lines):
                yield "%s must not call: %s" % (where, call)


def main(root):
    return tree.report(list(judge(root)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else tree.default_root()))
