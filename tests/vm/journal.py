# SPDX-License-Identifier: Apache-2.0
"""The warnings in the journal of a HostOS that no test brings about."""
import json
import re

DAEMON, INSTALLER = r"vsock_host\.service", r"vsock_host-install@.*"
# What the tests bring about: whose it is, the words, and the test.
EXPECTED_WARNINGS = (
    (DAEMON, r"^cannot (listen|start)|^systemd: |code=exited, status=1/FAILURE|'exit-code'|Failed to start",
     "test_11: the port is taken"),
    (DAEMON, r"is late|holds still|Watchdog timeout|status=6/ABRT|'watchdog'", "test_13"),
    (DAEMON, r"60-version\.conf:2: |keeps? the (old )?configuration|nothing has changed", "test_12: a mistake"),
    (DAEMON, r"(attach-hsm|start-upgrade-guest-vm).*unavailable: |unavailable: ", "test_07, 09, 10"),
    (DAEMON, r"forbidden: CID ", "test_30"),
    (DAEMON, r"^upgrade [0-9a-f]{12}: failed: install_failed", "test_21: the power goes"),
    (INSTALLER, r"code=killed, status=9/KILL|'signal'", "test_32: it is killed"),
    (INSTALLER, r"another|busy|code=exited, status=1/FAILURE|'exit-code'|Failed to start", "test_32: two at once"),
    (r"vsock_host-hsm-.*", r"^[0-9]+ sticks 20a0:4230 are free", "test_08: two sticks"),
)


def unexpected(host):
    """Lines of our units, or of others about them: unit, program and words."""
    found = []
    for line in host.must("journalctl --no-pager -o json -p warning").splitlines():
        entry = json.loads(line)
        unit = entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or ""
        words = str(entry["MESSAGE"])
        ours = "vsock_host" in unit or "vsock_host" in words or "vsock-host" in words
        if ours and not any(re.fullmatch(whose, unit) and re.search(expected, words)
                            for whose, expected, _ in EXPECTED_WARNINGS):
            found.append("%s %s: %s" % (unit, entry.get("SYSLOG_IDENTIFIER"), words))
    return found
