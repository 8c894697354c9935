#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cmake --install, with the prefix of this build: the configuration is in /etc, where the programs read
it; the programs that the units and the configuration name are there.

usage: install.py, with VSOCK_BIN_DIR naming the folder of the built programs
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import tree

CONFIGURATION = ("/etc/vsock_host/vsock_host.conf", "/etc/vsock_host/vsock_host.conf.d/10-units.conf")
PROGRAM = re.compile(r"(?m)^(?:ExecStart|#?install_program|#?hsm_program) ?= ?(/\S+)")


def judge(root):
    texts = [path for path in (root + name for name in CONFIGURATION) if os.path.exists(path)]
    for name in CONFIGURATION:
        if root + name not in texts:
            yield "%s is not installed" % name
    units = glob.glob(root + "/**/systemd/system/vsock_host*.service", recursive=True)
    if len(units) != 4:
        yield "%d services are installed; expected 4" % len(units)
    named = {program for path in texts + units for program in PROGRAM.findall(tree.read("/", path))}
    if len(named) != 3:
        yield "%s: expected vsock_host, vsock_host-install and vsock_host-hsm" % sorted(named)
    for program in sorted(named):
        if not os.access(root + program, os.X_OK):
            yield "%s is named, and not installed" % program


def main():
    build = os.path.dirname(os.environ["VSOCK_BIN_DIR"])
    with tempfile.TemporaryDirectory(prefix="vsock-install-") as root:
        done = subprocess.run(["cmake", "--install", build], env=dict(os.environ, DESTDIR=root),
                              capture_output=True, text=True)
        if done.returncode:
            return tree.report(["cmake --install: " + done.stderr.strip()])
        return tree.report(list(judge(root)))


if __name__ == "__main__":
    sys.exit(main())
