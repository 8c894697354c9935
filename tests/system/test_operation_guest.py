# SPDX-License-Identifier: Apache-2.0
"""start-upgrade-guest-vm: what becomes of the unit is what the guest is told."""
import signal

from vsocktest import peer
from vsocktest.operation import UnitCase

UNIT = "upgrade-guestos.service"


class GuestUpgradeTest(UnitCase):
    def start(self, daemon=None, **keys):
        if keys:
            self.bus.unit(UNIT, **keys)
        return self.ask(daemon or self.unit_daemon(), peer.START_UPGRADE_GUEST_VM)

    def fails(self, code, *words, **keys):
        self.assertError(self.start(**keys), code, UNIT, *words)

    def test_up(self):
        self.assertDoneAnswer(self.start(active="active", sub="running"))
        self.assertEqual(self.bus.calls(), ["RestartUnit %s replace" % UNIT])

    def test_by_exec_too(self):
        """The unit is systemd's in both methods."""
        daemon = self.daemon(environment={"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address})
        self.assertDoneAnswer(self.start(daemon, active="active", sub="running"))

    def test_another_unit(self):
        self.bus.unit("other@x.service", active="active")
        daemon = self.unit_daemon({"guest_upgrade": {"unit": "other@x.service"}})
        self.assertDoneAnswer(self.start(daemon))

    def test_work_that_is_done(self):
        self.assertDoneAnswer(self.start(run="exit 0", active="inactive", sub="dead"))

    def test_work_that_fails(self):
        self.fails("unavailable", "failed/failed", "result exit-code", run="exit 2",
                   active="failed", sub="failed", result="exit-code")

    def test_starts_and_fails_at_once(self):
        self.fails("unavailable", "failed/failed", "job done", "result exit-code",
                   active="active failed", sub="running failed", result="success exit-code")

    def test_starts_again_and_again(self):
        self.fails("unavailable", "activating/auto-restart", active="activating",
                   sub="auto-restart", result="exit-code")

    def test_not_installed(self):
        self.fails("unavailable", "is not installed")

    def test_masked(self):
        self.fails("unavailable", "is masked", error="org.freedesktop.systemd1.UnitMasked",
                   message="Unit is masked.")

    def test_not_permitted(self):
        self.fails("internal", "polkit", error="org.freedesktop.DBus.Error.AccessDenied",
                   message="no")

    def test_too_slow_for_systemd(self):
        self.fails("timeout", "not started in time", job="timeout", active="failed", sub="failed",
                   result="timeout")

    def test_canceled(self):
        self.fails("unavailable", "canceled", job="canceled")

    def test_dependency(self):
        self.fails("unavailable", "a unit that it needs failed", job="dependency")

    def test_bus_goes_away_and_comes_back(self):
        """What was not heard is not told as done."""
        self.bus.unit(UNIT, run="touch %s/began; sleep 600" % self.folder)
        daemon = self.unit_daemon()
        guest = self.asked(daemon, peer.START_UPGRADE_GUEST_VM)
        self.wait_file("began")
        self.bus.unit(UNIT, active="active", sub="running")
        self.bus.stop()
        self.bus.start()
        self.assertError(guest.last(1), "internal", "its result is unknown", "active/running")

    def test_stop(self):
        self.bus.unit(UNIT, run="touch %s/began; sleep 600" % self.folder)
        daemon = self.unit_daemon({"limits": {"send_seconds": 0.5}})
        guest = self.asked(daemon, peer.START_UPGRADE_GUEST_VM)
        self.wait_file("began")
        daemon.kick(signal.SIGTERM)
        self.assertError(guest.last(1), "shutting_down", "continues")
        self.assertEqual(daemon.wait(), 0)
