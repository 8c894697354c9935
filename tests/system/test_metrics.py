# SPDX-License-Identifier: Apache-2.0
"""[metrics] textfile: what node_exporter's textfile collector reads."""
import os
import re

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest

LINE = re.compile(r'(vsock_host_\w+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (\d+(?:\.\d+)?)')


class MetricsTest(SystemTest):
    def values(self, text):
        """{"name{labels}": number}; every line is a comment or a sample."""
        found = {}
        for line in text.splitlines():
            if not line.startswith("# "):
                match = LINE.fullmatch(line)
                self.assertTrue(match, line)
                found[match.group(1) + (match.group(2) or "")] = float(match.group(3))
        return found

    def test_counts(self):
        daemon = self.daemon({"metrics": {"textfile": self.path("vsock.prom")},
                              "limits": {"connections": 2}})
        wait_until(lambda: self.read("vsock.prom"), "the file, soon after the start")
        guest = self.peer(daemon)
        for id in (1, 2, 3):
            self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, id=id))
        self.assertError(guest.ask(peer.ATTACH_HSM, id=4), "unavailable")
        self.peer(daemon)
        self.assertError(self.peer(daemon, welcome=False).answer(), "busy")
        self.assertEqual(daemon.stop(), 0)
        values = self.values(self.read("vsock.prom"))
        requests = "vsock_host_requests_total{command=\"%s\",result=\"%s\"}"
        self.assertEqual(values[requests % ("get-hostos-version", "ok")], 3)
        self.assertEqual(values[requests % ("attach-hsm", "unavailable")], 1)
        self.assertEqual(values["vsock_host_connections_turned_away_total"], 1)
        self.assertGreaterEqual(values["vsock_host_connections_total"], 2)
        self.assertEqual([name for name in os.listdir(self.folder) if "prom" in name],
                         ["vsock.prom"], "a temporary file was left")

    def test_off_by_default(self):
        daemon = self.daemon()
        before = set(os.listdir(self.folder))
        self.assertServes(daemon)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(set(os.listdir(self.folder)) - before, set())

    def test_folder_that_is_missing_does_no_harm(self):
        daemon = self.daemon({"metrics": {"textfile": self.path("none", "vsock.prom")}})
        self.assertServes(daemon)
