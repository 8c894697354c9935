# SPDX-License-Identifier: Apache-2.0
"""Every instant: SIGKILL at each system call that changes something, before it and right after it."""
import re

from instants import BOOT_ID, UpgradeFault
from vsocktest import bus, program, wait_until
from vsocktest.peer import Progress, Response, upgrade
from vsocktest.webserver import Stall


class Instant(UpgradeFault):
    whom = None
    moments = ("before", "after")

    def cases(self):
        """(number, moment), from a run in which nothing is ended."""
        daemon = self.traced(self.whom)
        self.go_through(daemon)
        self.assertTruth()
        self.assertEqual(daemon.stop(), 0, daemon.log())
        return [(number, moment) for number in range(1, len(self.report()) + 1)
                for moment in self.moments]

    def go_through(self, daemon):
        """What guests ask for, until they are answered or the daemon is ended."""
        self.ask_once(daemon)

    def ended(self, case):
        """The daemon that was ended at that instant, while a guest waited."""
        self.hold_installer(case[0])
        daemon = self.traced(self.whom, *case)
        self.go_through(daemon)
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
        if self.recorded():
            self.assertEqual(self.status(daemon).sha256, self.image_served.sha256,
                             "forgotten; ended at " + self.report()[-1])

    def recorded(self):
        """The request was on disk when it was ended."""
        return re.search(r"^\d+ renameat .*/queued\.%s\b(.*\n)*\d+ fsync .*/upgrade$" %
                         self.image_served.sha256.hex(), "\n".join(self.report()), re.M)

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


class AfterUpgraded(DaemonInstant):
    """An upgrade to another image was done before."""
    kind = "SIGKILL of vsock_host after an upgrade"
    sample = 8

    def setUp(self):
        super().setUp()
        with open(BOOT_ID, encoding="ascii") as boot_id:
            done = dict(format=1, phase="upgraded", sha256="33" * 32, result=0, done=9, total=9,
                        changed=1763800000, starts=0, reboot_at=0, record_inode=0,
                        record_modified_ns=0, unseen=0, request=1, boot_id=boot_id.read().strip(),
                        version="", detail="")
        self.write("upgrade/state", "".join("%s=%s\n" % each for each in done.items()))


class QueuedInstant(DaemonInstant):
    """It waits behind another, which fails. Once its request is on disk it goes on by itself."""
    kind = "SIGKILL of vsock_host, an upgrade waits"
    sample = 10

    def setUp(self):
        super().setUp()
        self.first = self.image(self.served, "/first", size=1000, seed=1, faults=[Stall(0)])

    def ask_for_first(self, peer):
        return peer.upgrade(self.first.url, b"\x44" * 32)  # another hash: it fails

    def ask_for_second(self, peer):
        peer.send(upgrade(self.image_served.url, self.image_served.sha256, 1))
        answer = peer.answer()
        self.served.release()
        if isinstance(answer, Progress):
            self.assertEqual(answer.status.phase, "queued")
            return peer.last(1, [])
        return answer

    def go_through(self, daemon):
        first = self.in_thread(self.ask_once, daemon, self.ask_for_first)
        wait_until(lambda: self.served.count("/first") or not daemon.alive() or self.was_ended(),
                   "the first to begin", pause=0.005)
        second = self.ask_once(daemon, self.ask_for_second)
        self.served.release()
        answer = first()
        if second is not None:
            self.assertIsInstance(second, Response)
            self.assertEqual(answer.code, "hash_mismatch", answer.message)

    def end_well(self, failures=0):
        daemon = self.daemon()
        self.write("go", "")
        if self.recorded():
            wait_until(lambda: self.is_done(daemon),
                       "the upgrade that waited; ended at " + self.report()[-1])
        self.finish(daemon, failures)
        self.assertUpgradedAfterReboot(daemon)

    def is_done(self, daemon):
        status = self.status(daemon)
        return (status.phase, status.sha256) == ("rebooting", self.image_served.sha256)


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
