# SPDX-License-Identifier: Apache-2.0
"""The warnings in the journal of a HostOS that no test brings about."""
import json
import re

DAEMON, INSTALLER = r"vsock_host\.service", r"vsock_host-install@.*"
# What the tests bring about: whose it is, the words, and the test.
EXPECTED_WARNINGS = (
    (DAEMON, r"^cannot start: cannot listen|'exit-code'|Failed to start",
     "test_11: the port is taken"),
    (DAEMON, r"is late|Watchdog timeout|status=6/ABRT|'watchdog'", "test_13: a thread that is held"),
    (DAEMON, r"^reload: \S+/60-version\.conf:2: ", "test_12: a mistake"),
    (DAEMON, r"(attach-hsm|start-upgrade-guest-vm)\b.*: unavailable: ", "test_07, 09, 10"),
    (DAEMON, r"forbidden: CID ", "test_17, 30, 33"),
    (DAEMON, r"cid 1 json-1 .*: sender_cid is 2; expected 1",
     "test_14: a host that starts is slow to answer HELLO, so JSON is tried; over loopback as CID 2"),
    (DAEMON, r"^upgrade [0-9a-f]{12}: failed, .*install_failed", "test_21: the power goes"),
    (DAEMON, r"no connection to the server: .* Connection refused; try \d+ of ",
     "test_21: the power is back before the web server is"),
    (INSTALLER, r"status=9/KILL|'signal'", "test_32: it is killed"),
    (INSTALLER, r"^internal: the image \S+/0{64}\.img: |^busy: |'exit-code'|Failed to start",
     "test_31: no image of that name; test_32: two at once"),
    (r"vsock_host-hsm-.*", r"^[0-9]+ USB tokens 20a0:4230 are free", "test_08: two tokens"),
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
