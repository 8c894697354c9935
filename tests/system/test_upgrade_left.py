# SPDX-License-Identifier: Apache-2.0
"""upgrade: the installer leaves a process behind, which has inherited the lock."""
import os
import signal

from vsocktest import peer, program, wait_until
from vsocktest.operation import UnitCase
from vsocktest.install import gone

INSTALLER = """#!/bin/sh
[ -e %(folder)s/behind ] || { sleep 1000 & echo $! >%(folder)s/behind; }
echo "$1 $(sha256sum <"$1" | cut -d' ' -f1)" >>%(folder)s/installed
[ ! -e %(folder)s/refuse ] || { echo 'no room on the other slot' >&2; exit 3; }
"""


class LeftBehindTest(UnitCase):
    def setUp(self):
        super().setUp()
        self.web_server = self.web()
        self.wanted = self.image(self.web_server)
        self.script("installer", INSTALLER % {"folder": self.folder})

    def upgrade(self, daemon, id=1):
        return self.peer(daemon).upgrade(self.wanted.url, self.wanted.sha256, id=id)

    def by_unit(self):
        digest = self.wanted.sha256.hex()
        self.bus.unit("vsock_host-install@%s.service" % digest, run="exec %s --config %s %s 2>>%s" % (
            program("vsock_host-install"), self.path("vsock_host.conf"), digest,
            self.path("unit.log")))
        return self.unit_daemon()

    def is_installed(self, daemon):
        self.assertDone(self.upgrade(daemon))
        os.kill(int(self.read("behind")), 0)  # it still lives
        self.assertEqual(self.peer(daemon).status().phase, "rebooting")
        self.assertEqual(self.read("rebooted"), "reboot\n")
        self.assertInstalled(self.wanted)

    def is_refused(self, daemon):
        """The reason is told at once; the next one is told of the lock, and installs nothing."""
        self.write("refuse", "")
        self.assertError(self.upgrade(daemon), "install_failed", "no room on the other slot")
        os.unlink(self.path("refuse"))
        self.assertError(self.upgrade(daemon, 2), "busy", "another installation")
        self.assertInstalled(self.wanted)
        behind = int(self.read("behind"))
        os.kill(behind, signal.SIGKILL)
        wait_until(lambda: gone(behind), "the end of what was left behind")
        self.assertDone(self.upgrade(daemon, 3))
        self.assertInstalled(self.wanted, self.wanted)
        self.assertEqual(self.web_server.count("/image"), 1, "it was fetched again")

    def test_installed(self):
        self.is_installed(self.daemon())

    def test_installed_by_a_unit(self):
        self.is_installed(self.by_unit())

    def test_refused(self):
        self.is_refused(self.daemon())

    def test_refused_by_a_unit(self):
        self.is_refused(self.by_unit())
