# SPDX-License-Identifier: Apache-2.0
"""Every instant: SIGKILL at each system call that changes something, before it and right after it."""
from instants import UpgradeFault
from vsocktest import bus, program, wait_until


class Instant(UpgradeFault):
    whom = None
    moments = ("before", "after")

    def cases(self):
        """(number, moment), from a run in which nothing is ended."""
        daemon = self.traced(self.whom)
        self.finish(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.log())
        return [(number, moment) for number in range(1, len(self.report()) + 1)
                for moment in self.moments]

    def ended(self, case):
        """The daemon that was ended at that instant, while a guest waited."""
        daemon = self.traced(self.whom, *case)
        self.ask_once(daemon)
        if not self.was_ended():
            daemon.stop()  # it is one of its last
        daemon.process.wait(20)

    def assertOnce(self):
        self.assertEqual((len(self.installations()), self.reboots()), (1, 1),
                         "installed, rebooted; ended at " + self.report()[-1])


class DaemonInstant(Instant):
    """vsock_host-install lives on, and the next daemon finds it."""
    kind = "SIGKILL of vsock_host"
    whom = "daemon"
    sample = 24

    def attempt(self, case):
        self.ended(case)
        self.end_well()
        self.assertOnce()


class UnitInstant(DaemonInstant):
    """With [steps] method = unit: systemd's stand-in runs vsock_host-install meanwhile."""
    kind = "SIGKILL of vsock_host, steps as units"
    sample = 14

    def setUp(self):
        super().setUp()
        self.bus = bus.start(self)
        sha256 = self.image_served.sha256.hex()
        self.bus.unit("vsock_host-install@%s.service" % sha256, run="exec %s --config %s %s" % (
            program("vsock_host-install"), self.path("vsock_host.conf"), sha256))

    def daemon(self, sections=None, **more):
        return super().daemon({"steps": {"method": "unit"}},
                              environment={"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}, **more)


class InstallInstant(Instant):
    """The daemon lives on and tells what came of it; the installer may live on."""
    kind = "SIGKILL of vsock_host-install"
    whom = "install"
    sample = 14

    def attempt(self, case):
        daemon = self.traced(self.whom, *case)
        first = self.ask_once(daemon)
        self.assertIsNotNone(first, daemon.log())
        self.assertTrue(self.was_ended(), "it was not ended")
        if first.__class__.__name__ == "Response":
            self.assertTruth()
        else:
            self.assertEqual(first.code, "install_failed", first.message)
            self.finish(daemon)
        self.assertUpgradedAfterReboot(daemon)


class BothInstant(Instant):
    kind = "SIGKILL of both at once"
    whom = "both"
    sample = 24

    def attempt(self, case):
        self.ended(case)
        self.end_well(failures=1)


class LateInstall(Instant):
    """The daemon is ended, and vsock_host-install is held at each of its calls meanwhile: the next
    daemon must not take an installation that is only late for one that was never begun."""
    kind = "vsock_host ended, its installation late"
    whom = "install"
    moments = ("held",)
    sample = 8

    def attempt(self, case):
        held = self.traced(self.whom, *case)
        self.addCleanup(self.write, "report.go", "")  # if it fails
        self.in_thread(self.ask_once, held)
        wait_until(self.was_ended, "the daemon to be ended")
        daemon = self.daemon()
        answer = self.in_thread(self.finish, daemon)
        with self.assertRaisesRegex(AssertionError, "no end", msg="it was told as done too early"):
            answer(0.3)
        self.write("report.go", "")
        self.assertEqual(answer(), [])
        held.process.wait(20)
        self.assertUpgradedAfterReboot(daemon)
        self.assertOnce()
        self.assertEqual(self.served.count("/image"), 1, "it was fetched again")
