#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Debian packages hold: every file with its mode, owner and link, the scripts of their
maintainer, the unit files, and how much the daemon's unit is exposed.

usage: package.py FOLDER      FOLDER: where scripts/package left its .deb files
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import hardening
import tree

# The highest overall exposure of each unit, in tenths (systemd-analyze security).
EXPOSURE_MAX = {
    "vsock_host.service": 16, "vsock_host-hsm-attach@.service": 12, "vsock_host-hsm-detach@.service": 12,
    "vsock_host-install@.service": 66,
}
CONFFILES = ["/etc/vsock_host/vsock_host.conf", "/etc/vsock_host/vsock_host.conf.d/10-units.conf"]
ETC, UNITS, SHARE = "etc/vsock_host/", "lib/systemd/system/", "usr/share/"
# Programs are 0755, all else is 0644; documentation is named by its folder alone.
EXPECTED = {
    "vsock-host": {
        "usr/sbin/vsock_host", "usr/libexec/vsock_host/vsock_host-install",
        "usr/libexec/vsock_host/vsock_host-hsm",
        ETC + "vsock_host.conf", ETC + "vsock_host.conf.d/10-units.conf",
        UNITS + "vsock_host.service", UNITS + "vsock_host.socket",
        UNITS + "vsock_host-install@.service", UNITS + "vsock_host-hsm-attach@.service",
        UNITS + "vsock_host-hsm-detach@.service",
        "usr/lib/systemd/catalog/vsock_host.catalog", "usr/lib/sysusers.d/vsock_host.conf",
        "usr/lib/tmpfiles.d/vsock_host.conf", SHARE + "polkit-1/rules.d/50-vsock_host.rules",
        SHARE + "man/man5/vsock_host.conf.5.gz", SHARE + "man/man8/vsock_host.8.gz",
        SHARE + "man/man8/vsock_host-install.8.gz", SHARE + "man/man8/vsock_host-hsm.8.gz",
        SHARE + "bash-completion/completions/vsock_host",
        SHARE + "zsh/vendor-completions/_vsock_host", SHARE + "lintian/overrides/vsock-host",
        SHARE + "doc/vsock-host/",
        "opt/ic/bin/vsock_host -> /usr/sbin/vsock_host",
    },
    "vsock-guest": {
        "usr/bin/vsock_guest", SHARE + "man/man1/vsock_guest.1.gz",
        SHARE + "man/man7/vsock-protocol.7.gz", SHARE + "bash-completion/completions/vsock_guest",
        SHARE + "zsh/vendor-completions/_vsock_guest", SHARE + "lintian/overrides/vsock-guest",
        SHARE + "doc/vsock-guest/",
        "opt/ic/bin/vsock_guest -> /usr/bin/vsock_guest",
    },
}
PROGRAM = re.compile(r"usr/(s?bin|libexec/vsock_host)/[^/]+")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def listed(deb):
    """(mode, owner, path or "path -> target") of each file and folder of the package."""
    for line in run("dpkg-deb", "-c", deb).stdout.splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        yield mode, owner, path[2:]


def judge_files(name, deb):
    found = set()
    for mode, owner, path in listed(deb):
        wanted = "lrwxrwxrwx" if " -> " in path else "drwxr-xr-x" if mode.startswith("d") else \
            "-rwxr-xr-x" if PROGRAM.fullmatch(path) else "-rw-r--r--"
        if mode != wanted or owner != "root/root":
            yield "%s: %s is %s %s; expected %s root/root" % (name, path, mode, owner, wanted)
        documentation = SHARE + "doc/%s/" % name
        if mode.startswith("d"):
            continue
        found.add(documentation if path.startswith(documentation) else path)
    for path in sorted(EXPECTED[name] - found):
        yield "%s: %s is missing" % (name, path)
    for path in sorted(found - EXPECTED[name]):
        yield "%s: %s is not expected" % (name, path)


def judge_control(name, deb, folder):
    """What dpkg goes by: the configuration files that it keeps, and the scripts that it runs as root,
    judged as what they are after debhelper has added to them."""
    run("dpkg-deb", "-e", deb, folder)
    listing = os.path.join(folder, "conffiles")
    kept = open(listing).read().splitlines() if os.path.exists(listing) else []
    if kept != (CONFFILES if name == "vsock-host" else []):
        yield "%s: the configuration files are %s" % (name, " ".join(kept) or "none")
    for script in ("preinst", "postinst", "prerm", "postrm"):
        path = os.path.join(folder, script)
        if os.path.exists(path):
            done = run("shellcheck", "--severity=warning", path)
            if done.returncode:
                yield "%s: %s: %s" % (name, script, done.stdout.strip())


def judge_units(root):
    """As systemd reads them in the installed tree; what other packages bring is not there."""
    units = sorted(glob.glob(os.path.join(root, UNITS, "*")))
    named = [re.sub(r"@\.service$", "@3.service", os.path.basename(unit)) for unit in units]
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--root=" + root, *named)
    for line in done.stderr.splitlines():
        if "vsock_host" in line and "/bin/sh" not in line:
            yield line
    for unit, most in EXPOSURE_MAX.items():
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=%d" % most,
                   "--root=" + root, unit)
        last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1]
        print(last)
        if done.returncode:
            yield "%s is exposed by more than %.1f: %s" % (unit, most / 10, last)


def judge(folder):
    for name in sorted(EXPECTED):
        debs = glob.glob(os.path.join(folder, name + "_*.deb"))
        if len(debs) != 1:
            yield "%s: %d packages in %s; expected 1" % (name, len(debs), folder)
            continue
        yield from judge_files(name, debs[0])
        with tempfile.TemporaryDirectory(prefix="vsock-package-") as root:
            run("dpkg-deb", "-x", debs[0], root)
            for path in sorted(EXPECTED[name]):
                if PROGRAM.fullmatch(path) and os.path.exists(os.path.join(root, path)):
                    yield from hardening.judge(os.path.join(root, path))
            if name == "vsock-host":
                yield from judge_units(root)
            yield from judge_control(name, debs[0], os.path.join(root, "control"))


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    return tree.report(list(judge(arguments[0])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
