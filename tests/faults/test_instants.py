# SPDX-License-Identifier: Apache-2.0
"""Every instant: SIGKILL at each system call that changes something, before it and right after it."""
import re

from instants import UpgradeFault
from vsocktest import bus, program, wait_until
from vsocktest.peer import Response


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
        self.hold_installer(case[0])
        daemon = self.traced(self.whom, *case)
        self.ask_once(daemon)
        if not self.was_ended():
            daemon.stop()  # it is one of its last
        daemon.process.wait(20)

    def end_well(self, failures=0):
        """Starts the daemon, which finds an installer that still runs, if one does, and brings the
        upgrade to its end."""
        daemon = self.daemon()
        self.assertRemembered(daemon)
        self.write("go", "")
        self.finish(daemon, failures)
        self.assertUpgradedAfterReboot(daemon)

    def assertRemembered(self, daemon):
        """What was written down goes on, whether or not the guest asks again."""
        text = "\n".join(self.report())
        if re.search(r"^\d+ renameat .*/queued\.(.*\n)*\d+ fsync .*/upgrade$", text, re.M):
            self.assertNotEqual(self.status(daemon).phase, "idle", "forgotten; " + text)

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
    first = ""  # what the unit does before it is vsock_host-install

    def setUp(self):
        super().setUp()
        self.bus = bus.start(self)
        sha256 = self.image_served.sha256.hex()
        run = "%s exec %s --config %s %s" % (
            self.first.replace("FOLDER", self.folder), program("vsock_host-install"),
            self.path("vsock_host.conf"), sha256)
        self.bus.unit("vsock_host-install@%s.service" % sha256, run=run)

    def daemon(self, sections=None, **more):
        return super().daemon({"steps": {"method": "unit"}},
                              environment={"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}, **more)


class LateUnit(UnitInstant):
    """The same from the record of `installing` to systemd's answer, and the unit is activating with
    neither lock nor record until the next daemon runs."""
    kind = "vsock_host ended, its unit late"
    sample = 8
    first = "echo >>FOLDER/began; while [ ! -e FOLDER/go ]; do sleep 0.05; done;"

    def cases(self):
        daemon = self.traced(self.whom)
        answer = self.in_thread(self.finish, daemon)
        self.bus.wait_calls(1)
        calls = self.report()
        self.write("go", "")
        answer()
        self.assertEqual(daemon.stop(), 0, daemon.log())
        recorded = max(at for at, line in enumerate(calls) if line.endswith("/state.new"))
        return [(number, moment) for number in range(recorded + 2, len(calls) + 1)
                for moment in self.moments]

    def attempt(self, case):
        self.addCleanup(self.write, "go", "")  # if it fails
        self.ended(case)
        daemon = self.daemon()
        answer = self.in_thread(self.finish, daemon)
        self.bus.wait_calls(1)
        with self.assertRaisesRegex(AssertionError, "no end", msg="it was told as done too early"):
            answer(0.3)
        self.write("go", "")
        self.assertEqual(answer(), [])
        self.assertUpgradedAfterReboot(daemon)
        self.assertOnce()
        self.assertEqual(len(self.bus.calls()), 1, "it was asked for again")
        self.assertEqual(self.read("began"), "\n", "vsock_host-install was begun again")
        self.assertEqual(self.served.count("/image"), 1, "it was fetched again")


class InstallInstant(Instant):
    """The daemon lives on and tells what came of it; the installer may live on."""
    kind = "SIGKILL of vsock_host-install"
    whom = "install"
    sample = 14

    def attempt(self, case):
        self.hold_installer(case[0])
        daemon = self.traced(self.whom, *case)
        answer = self.in_thread(self.ask_once, daemon)
        wait_until(self.was_ended, "vsock_host-install to be ended")
        if self.left_its_installer():
            wait_until(lambda: self.read("holding") is not None, "the installer")
            with self.assertRaisesRegex(AssertionError, "no end", msg="its installer still runs"):
                answer(0.3)
        self.write("go", "")
        first = answer()
        self.assertIsNotNone(first, daemon.log())
        if isinstance(first, Response):
            self.assertTruth()
        else:
            self.assertEqual(first.code, "install_failed", first.message)
            self.assertEqual(self.reboots(), 0, "failed, and a reboot into it: " + first.message)
            self.finish(daemon)
        self.assertUpgradedAfterReboot(daemon)

    def left_its_installer(self):
        """The first program that it starts."""
        starts = [line for line in self.report() if re.match(r"\d+ (v?fork|clone)", line)]
        return len(starts) == 1 and self.report()[-1].startswith(("killed after clone",
                                                                  "killed after vfork"))


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
