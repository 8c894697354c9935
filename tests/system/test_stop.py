# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT at each phase: what is finished, what is left for the next start."""
import os
import signal
import subprocess
import time

from vsocktest import peer, wait_until
from vsocktest.case import MIB, SystemTest
from vsocktest.daemon import configuration
from vsocktest.rows import each
from vsocktest.webserver import Cut, Stall, Status

BOTH = (signal.SIGTERM, signal.SIGINT)


class StopTest(SystemTest):
    def stops(self, daemon, number):
        """It ends with status 0, has told systemd so, and leaves no socket."""
        self.assertEqual(daemon.stop(number), 0, daemon.log())
        wait_until(lambda: any("STOPPING" in message for message in daemon.notify.messages),
                   "STOPPING=1")
        self.assertFalse(os.path.exists(daemon.socket_path))

    @staticmethod
    def extensions(daemon, after):
        """The seconds that systemd was asked for since it was told `after`."""
        keys = [set(message) for message in daemon.notify.messages]
        first = next(i for i, told in enumerate(keys) if after in told)
        return [int(message["EXTEND_TIMEOUT_USEC"]) // 1000000
                for message in daemon.notify.messages[first:] if "EXTEND_TIMEOUT_USEC" in message]

    def closed_without_answer(self, guest):
        self.assertTrue(guest.ended(), "an answer to a job that goes on at the next start")


class IdleTest(StopTest):
    @each(*BOTH)
    def test_nobody_there(self, number):
        self.stops(self.daemon(), number)

    def test_each_step_asks_for_its_own_time(self):
        """systemd is not asked once for the time of all; the limits are those of the last reload."""
        for send, steps in ((1, [15, 26, 18, 15, 15]), (90, [15, 115, 107, 15, 15])):
            daemon = self.daemon({"limits": {"send_seconds": send}})
            self.stops(daemon, signal.SIGTERM)
            wait_until(lambda: self.extensions(daemon, "STOPPING") == steps, steps)

    def test_limits_of_a_reload(self):
        daemon = self.daemon()
        with open(daemon.config, "w") as out:
            out.write(configuration(self.folder, {"limits": {"send_seconds": 90}}))
        daemon.kick(signal.SIGHUP)
        daemon.wait_log("the configuration was reloaded")
        self.stops(daemon, signal.SIGTERM)
        wait_until(lambda: 115 in self.extensions(daemon, "STOPPING"), "the time of the new limit")

    def test_a_start_may_wait_for_the_disk(self):
        daemon = self.daemon()
        told = [key for message in daemon.notify.messages for key in message]
        self.assertLess(told.index("EXTEND_TIMEOUT_USEC"), told.index("READY"))
        self.assertEqual(told.count("EXTEND_TIMEOUT_USEC"), 1)

    @each(*BOTH)
    def test_at_once_after_the_start(self, number):
        daemon = self.daemon(wait=False)
        wait_until(lambda: os.path.exists(daemon.socket_path) or not daemon.alive(),
                   "its socket")
        self.stops(daemon, number)

    @each(*BOTH)
    def test_guests_connected(self, number):
        daemon = self.daemon()
        idle, half, silent = self.peer(daemon), self.peer(daemon), self.peer(daemon, False)
        half.send(peer.request(peer.GET_HOSTOS_VERSION)[:9])
        self.stops(daemon, number)
        for guest in (idle, half, silent):
            answer = guest.answer()
            if answer is not None:
                self.assertError(answer, "shutting_down")
                self.assertTrue(guest.ended())

    @each(*BOTH)
    def test_guest_that_never_reads(self, number):
        daemon = self.daemon({"limits": {"send_seconds": 1}})
        guest = self.peer(daemon)
        guest.socket.setblocking(False)
        data = b"".join(peer.request(peer.GET_HOSTOS_VERSION, id=id) for id in range(1, 400))
        for _ in range(100):
            try:
                guest.socket.send(data)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                break
        self.stops(daemon, number)

    def test_twice(self):
        daemon = self.daemon()
        for number in BOTH:
            try:
                daemon.kick(number)
            except ProcessLookupError:
                pass
        self.assertEqual(daemon.wait(), 0)

    @each(*BOTH)
    def test_repeats_of_a_notify(self, number):
        daemon = self.daemon({"console": {"interval_seconds": 60}})
        self.assertDone(self.peer(daemon).notify("again", 10))
        self.stops(daemon, number)

    def test_console_that_takes_nothing(self):
        os.mkfifo(self.path("full"))
        reader = os.open(self.path("full"), os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        try:
            while True:
                os.write(reader, b"x" * 4096)
        except BlockingIOError:
            pass
        daemon = self.daemon({"console": {"devices": self.path("full")}})
        guest = self.peer(daemon)
        guest.send(peer.notify("x" * 4000, 10))
        self.stops(daemon, signal.SIGTERM)

    def test_other_signals(self):
        """SIGPIPE (a library that writes to a closed socket) and SIGHUP (reload) do not end it."""
        daemon = self.daemon()
        for number in (signal.SIGPIPE, signal.SIGHUP):
            daemon.kick(number)
        time.sleep(0.2)
        self.assertServes(daemon)


class DownloadTest(StopTest):
    def downloading(self, number, sections=None):
        web, daemon = self.web(), self.daemon(sections)
        image = self.image(web, faults=[Stall(MIB // 2)])
        guest = self.upgrading(daemon, image)
        part = self.path("upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part) and os.path.getsize(part) >= MIB // 2, part)
        self.stops(daemon, number)
        self.closed_without_answer(guest)
        return web, image, part

    @each(*BOTH)
    def test_is_left_resumable(self, number):
        web, image, part = self.downloading(number)
        self.assertEqual(os.path.getsize(part), MIB // 2)
        self.assertIsNone(self.read("installed"))
        image.faults[:] = [None]
        daemon = self.daemon()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertEqual(web.requests[-1].headers.get("range"), "bytes=%d-" % (MIB // 2))
        self.assertEqual(self.read("installed").split()[1], image.sha256.hex())
        self.assertEqual(daemon.stop(), 0)

    @each(*BOTH)
    def test_vsock_guest_says_what_may_still_go_on(self, number):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.guest_started(daemon, "upgrade", "--url", image.url, "--hash",
                                   image.sha256.hex())
        daemon.wait_phase("downloading")
        wait_until(lambda: web.requests, "the download")
        self.stops(daemon, number)
        code, out, error = guest.wait()
        self.assertEqual((code, out), (6, ""), error)
        self.assertRegex(error, r"\Aerror: broken: [^\n]+\n\Z")

    @each(*BOTH)
    def test_while_connecting_is_tried_again(self, number):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 50,
                                                          "retry_seconds": "30"}})
        image = self.image(web, faults=[Status(503)])
        guest = self.upgrading(daemon, image)
        wait_until(lambda: web.requests, "the first try")
        self.stops(daemon, number)
        self.closed_without_answer(guest)

    @each(*BOTH)
    def test_queued(self, number):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        other = self.image(web, "/other", seed=1)
        first, second = self.peer(daemon), self.peer(daemon)
        first.send(peer.upgrade(image.url, image.sha256, 1))
        self.assertIsInstance(first.answer(), peer.Progress)
        second.send(peer.upgrade(other.url, other.sha256, 1))
        self.assertEqual(second.answer().status.phase, "queued")
        self.stops(daemon, number)
        for guest in (first, second):
            # A queued job is not remembered: its guest is told so or sees the end.
            answer = guest.last(progress=[])
            if answer is not None:
                self.assertError(answer, "shutting_down")

    @each(*range(12))
    def test_stops_at_any_instant(self, moment):
        """The unlucky moments between the phases, some of them at least."""
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Cut(MIB // 2), None])
        guest = self.upgrading(daemon, image)
        time.sleep(0.03 * moment)
        self.assertEqual(daemon.stop(BOTH[moment % 2]), 0)
        answer = guest.last()
        if isinstance(answer, peer.Error):
            self.assertError(answer, "shutting_down")
        elif answer is not None:
            self.assertDone(answer)
            self.assertEqual(self.read("rebooted"), "reboot\n",
                             "success was told without a reboot")


class InstallTest(StopTest):
    SLOW = ("#!/bin/sh\necho $$ >>%(folder)s/started\n"
            "while [ ! -e %(folder)s/go ]; do sleep 0.05; done\n"
            "echo $$ >>%(folder)s/ended\n")

    def installing(self, number):
        self.script("installer", self.SLOW % {"folder": self.folder})
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        guest = self.upgrading(daemon, image)
        wait_until(lambda: self.read("started"), "the installer")
        self.stops(daemon, number)
        self.closed_without_answer(guest)
        pid = int(self.read("started"))
        os.kill(pid, 0)  # it lives on
        return image

    def test_installer_lives_on_and_is_found_again(self):
        image = self.installing(signal.SIGTERM)
        daemon = self.daemon()
        guest = self.peer(daemon)
        self.assertNotIn(guest.status().phase, ("idle", "failed", "upgraded", "rebooting"))
        guest.send(peer.upgrade(image.url, image.sha256, id=2))
        self.assertServes(daemon)
        self.write("go", "")
        self.assertDone(guest.last(2))
        self.assertEqual(len(self.read("ended").split()), 1, "the installer ran twice")
        self.assertEqual(self.read("rebooted"), "reboot\n")

    def test_installer_ends_while_no_daemon_runs(self):
        image = self.installing(signal.SIGINT)
        self.write("go", "")
        wait_until(lambda: self.read("rebooted"), "the reboot")
        daemon = self.daemon()
        guest = self.peer(daemon)
        self.assertDone(guest.upgrade(image.url, image.sha256))
        self.assertEqual(guest.status(2).phase, "rebooting")
        self.assertEqual(len(self.read("ended").split()), 1, "the installer ran twice")


class RebootTest(StopTest):
    @each(*BOTH)
    def test_reboot_is_pending(self, number):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        guest = self.peer(daemon)
        self.assertDone(guest.upgrade(image.url, image.sha256))
        self.stops(daemon, number)
        daemon = self.daemon()
        status = self.peer(daemon).status()
        self.assertEqual((status.phase, status.sha256), ("rebooting", image.sha256))
        self.assertEqual(self.read("rebooted"), "reboot\n", "the reboot was asked twice")
        self.stops(daemon, number)

    def test_reboot_command_runs(self):
        self.script("reboot", "#!/bin/sh\necho x >>%s/asked\nsleep 2\necho reboot >>%s/rebooted\n" %
                    (self.folder, self.folder))
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        guest = self.upgrading(daemon, image)
        wait_until(lambda: self.read("asked"), "the reboot command")
        self.stops(daemon, signal.SIGTERM)
        answer = guest.last()
        if answer is not None:
            self.assertDone(answer)
        wait_until(lambda: self.read("rebooted"), "the reboot command to end by itself")

    @each(*BOTH)
    def test_failed(self, number):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Status(404)])
        self.assertError(self.peer(daemon).upgrade(image.url, image.sha256),
                         "download_failed")
        self.stops(daemon, number)
        daemon = self.daemon()
        status = self.peer(daemon).status()
        self.assertEqual((status.phase, status.result), ("failed", "download_failed"))
        self.assertEqual(daemon.stop(), 0)


class ThreadsTest(StopTest):
    def test_no_child_is_left(self):
        daemon = self.daemon()
        web = self.web()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        listed = subprocess.run(["ps", "--ppid", str(daemon.pid), "-o", "pid="],
                                capture_output=True, text=True).stdout.split()
        self.assertEqual(listed, [], "children of an idle vsock_host")
