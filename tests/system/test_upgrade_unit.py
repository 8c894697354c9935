# SPDX-License-Identifier: Apache-2.0
"""upgrade with [steps] method = unit: vsock_host-install runs as a unit, and its record alone counts."""
import signal

from vsocktest import peer, program, wait_until
from vsocktest.operation import UnitCase

HELD_INSTALLER = """#!/bin/sh
echo "$1 $(sha256sum <"$1" | cut -d' ' -f1)" >>%(folder)s/installed
touch %(folder)s/began
while [ ! -e %(folder)s/go ]; do sleep 0.05; done
"""


class UpgradeUnitTest(UnitCase):
    def setUp(self):
        super().setUp()
        self.web_server = self.web()
        self.wanted = self.image(self.web_server)
        self.unit = "vsock_host-install@%s.service" % self.wanted.sha256.hex()

    def install_unit(self, **keys):
        """As the package's: the step program, with the configuration of the test."""
        self.bus.unit(self.unit, **dict(
            {"run": "exec %s --config %s %s 2>>%s" % (
                program("vsock_host-install"), self.path("vsock_host.conf"),
                self.wanted.sha256.hex(), self.path("unit.log"))}, **keys))

    def hold_installer(self):
        self.script("installer", HELD_INSTALLER % {"folder": self.folder})

    def started(self, daemon):
        guest = self.peer(daemon)
        guest.send(peer.upgrade(self.wanted.url, self.wanted.sha256))
        return guest

    def upgrade(self, daemon):
        return self.started(daemon).last(1)

    def fails(self, code, *words):
        daemon = self.unit_daemon()
        self.assertError(self.upgrade(daemon), code, *words)
        self.assertEqual(self.peer(daemon).status().result, code)
        self.assertIsNone(self.read("rebooted"))
        return daemon

    def test_success(self):
        self.install_unit()
        daemon = self.unit_daemon()
        self.assertDone(self.upgrade(daemon))
        self.assertInstalled(self.wanted)
        self.assertEqual(self.bus.calls(), ["StartUnit %s replace" % self.unit])
        self.assertEqual(self.read("rebooted"), "reboot\n")
        self.assertEqual(self.peer(daemon).status().phase, "rebooting")

    def test_reboot_by_logind(self):
        self.install_unit()
        daemon = self.unit_daemon({"reboot": {"method": "logind", "delay_seconds": 3600}})
        self.assertDone(self.upgrade(daemon))
        self.assertRegex(self.bus.calls()[1], r"\AScheduleShutdown reboot \d{16}\Z")
        self.assertEqual(self.peer(daemon).status().phase, "rebooting")
        self.assertIsNone(self.read("rebooted"))

    def test_logind_refuses(self):
        self.write("bus/logind", "org.freedesktop.DBus.Error.AccessDenied\n")
        self.install_unit()
        daemon = self.unit_daemon({"reboot": {"method": "logind"}})
        self.assertError(self.upgrade(daemon), "reboot_failed", "logind: said the test")

    def test_record_says_why(self):
        self.script("installer", "#!/bin/sh\necho 'no room on the other slot' >&2\nexit 3\n")
        self.install_unit()
        daemon = self.fails("install_failed", "no room on the other slot")
        self.assertIn("no room on the other slot", self.read("unit.log"))
        self.assertOneFailure(daemon.log() + self.read("unit.log"))

    def test_success_of_the_unit_is_no_success(self):
        self.install_unit(run="exit 0")
        self.fails("install_failed", "left no record", self.unit)

    def test_failed_without_a_record(self):
        self.install_unit(run="exit 3", active="failed", sub="failed", result="exit-code")
        self.fails("install_failed", "left no record", self.unit, "failed/failed",
                   "result exit-code")

    def test_failure_of_the_unit_is_no_failure(self):
        self.install_unit(job="failed", active="failed", sub="failed", result="timeout")
        self.assertDone(self.upgrade(self.unit_daemon()))
        self.assertInstalled(self.wanted)

    def test_canceled_while_the_installer_lives(self):
        """JobRemoved comes first; the lock and the record tell the truth."""
        self.hold_installer()
        self.install_unit(run="setsid %s --config %s %s 2>>%s & while [ ! -e %s/began ]; "
                          "do sleep 0.05; done" % (
                              program("vsock_host-install"), self.path("vsock_host.conf"),
                              self.wanted.sha256.hex(), self.path("unit.log"), self.folder),
                          job="canceled")
        daemon = self.unit_daemon()
        guest = self.started(daemon)
        self.wait_file("began")
        self.assertEqual(self.peer(daemon).status().phase, "installing")
        self.go()
        self.assertDone(guest.last(1))

    def test_not_installed(self):
        self.fails("install_failed", self.unit + " is not installed")

    def test_not_permitted(self):
        self.bus.unit(self.unit, error="org.freedesktop.DBus.Error.AccessDenied", message="no")
        daemon = self.fails("install_failed", "polkit")
        self.install_unit()
        self.assertDone(self.upgrade(daemon))
        self.assertEqual(self.web_server.count("/image"), 1, "it was fetched again")

    def test_no_bus(self):
        self.bus.stop()
        self.fails("install_failed", "the system bus cannot be reached")

    def test_bus_goes_away_in_the_middle(self):
        self.hold_installer()
        self.install_unit()
        daemon = self.unit_daemon()
        guest = self.started(daemon)
        self.wait_file("began")
        self.bus.stop()
        self.bus.start()
        self.assertServes(daemon)
        self.assertEqual(self.peer(daemon).status().phase, "installing")
        self.go()
        self.assertDone(guest.last(1))
        self.assertInstalled(self.wanted)
        self.assertEqual(self.read("rebooted"), "reboot\n")

    def goes_on_once(self, daemon):
        """The next daemon waits for the installation that another one began."""
        self.assertEqual(self.peer(daemon).status().phase, "installing")
        other = self.started(daemon)
        self.go()
        self.assertDone(other.last(1))
        self.assertInstalled(self.wanted)
        self.assertEqual(self.bus.calls(), ["StartUnit %s replace" % self.unit])
        self.assertEqual(self.web_server.count("/image"), 1, "it was fetched again")
        self.assertEqual(self.read("rebooted"), "reboot\n")

    def restarted(self, stop):
        self.hold_installer()
        self.install_unit()
        first = self.unit_daemon()
        guest = self.started(first)
        self.wait_file("began")
        stop(first)
        wait_until(guest.ended, "the end of the first daemon's connection")
        self.goes_on_once(self.unit_daemon())

    def test_daemon_is_restarted_in_the_middle(self):
        self.restarted(lambda daemon: self.assertEqual(daemon.stop(signal.SIGTERM), 0))

    def killed_before_the_lock(self):
        """The next daemon: systemd has begun the unit, which has neither its lock nor a record."""
        self.install_unit(run="touch %s/began; while [ ! -e %s/go ]; do sleep 0.05; done; "
                          "exec %s --config %s %s 2>>%s" % (
                              self.folder, self.folder, program("vsock_host-install"),
                              self.path("vsock_host.conf"), self.wanted.sha256.hex(),
                              self.path("unit.log")))
        self.addCleanup(self.go)  # if it fails
        first = self.unit_daemon()
        self.started(first)
        self.wait_file("began")
        first.kill()

    def test_daemon_is_killed_before_the_unit_has_its_lock(self):
        self.killed_before_the_lock()
        self.goes_on_once(self.unit_daemon())

    def test_systemd_cannot_be_asked_at_the_start(self):
        """Lock and record are left to go by, and there is neither."""
        self.killed_before_the_lock()
        self.bus.stop_systemd()
        second = self.unit_daemon()
        self.assertError(self.upgrade(second), "install_failed", "systemd is not on the bus")
        self.assertEqual(self.web_server.count("/image"), 1, "it was fetched again")

    def test_unit_that_is_not_done(self):
        """Its job has ended, and systemd says that it is at something."""
        words = ("activating", "active", "reloading", "deactivating")
        self.install_unit(run="exit 0", active=words[0])
        daemon = self.unit_daemon()
        guest = self.started(daemon)
        for word in words:
            self.install_unit(run="exit 0", active=word)
            before = self.bus.asked(self.unit, "ActiveState", word)
            wait_until(lambda: self.bus.asked(self.unit, "ActiveState", word) > before + 2, word)
            self.assertEqual(self.peer(daemon).status().phase, "installing")
        self.install_unit(run="exit 0", active="inactive")
        self.assertError(guest.last(1), "install_failed", "left no record")

    def test_daemon_is_killed_in_the_middle(self):
        self.restarted(lambda daemon: daemon.kill())
