# SPDX-License-Identifier: Apache-2.0
"""Eight guests at once beside an upgrade, and a stop in the middle: no answer is ever wrong."""
import os
import random
import signal
import threading
import time

from vsocktest import guest as vsock_guest
from vsocktest import peer, wait_until
from vsocktest.case import MIB, SystemTest, content_of
from vsocktest.webserver import Drip, Resource

GUESTS = 8


class StressTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.stopping = threading.Event()
        self.end = threading.Event()
        self.counted = threading.Lock()
        self.answers = {"right": 0, "refused": 0, "broken": 0}

    def count(self, what):
        with self.counted:
            self.answers[what] += 1

    def judge(self, command, answer, sha256):
        """Raises on a wrong answer; True when the host said that it stops."""
        if isinstance(answer, peer.Error):
            self.assertIn(answer.code, ("busy", "shutting_down"), answer)
            if answer.code == "shutting_down":
                self.assertTrue(self.stopping.is_set(), "shutting_down without a stop")
            self.count("refused")
            return answer.code == "shutting_down"
        if command == peer.GET_HOSTOS_VERSION:
            self.assertVersion(answer)
        elif command == peer.GET_VSOCK_VERSION:
            self.assertEqual((answer.kind, answer.value), (1, (1, 0, 0)))
        elif command == peer.GET_UPGRADE_STATUS:
            self.assertIn(answer.value.phase, ("idle", "queued", "downloading", "verifying",
                                               "installing", "rebooting"))
            self.assertIn(answer.value.sha256, (None, sha256))
        else:
            self.assertDone(answer)
        self.count("right")
        return False

    def session(self, daemon, chance, sha256):
        with peer.Peer(daemon.socket_path) as guest:
            answer = guest.hello()
            if not isinstance(answer, peer.Welcome):
                return answer is None or self.judge(None, answer, sha256)
            for id in range(1, chance.randrange(2, 30)):
                command = chance.choice((peer.GET_HOSTOS_VERSION, peer.GET_VSOCK_VERSION,
                                         peer.GET_UPGRADE_STATUS, peer.NOTIFY))
                data = (peer.notify("m%d" % id, 1, id) if command == peer.NOTIFY
                        else peer.request(command, id=id))
                if chance.random() < 0.1:
                    guest.send_bytewise(data)
                else:
                    guest.send(data)
                if chance.random() < 0.03:
                    return False  # goes away without waiting for its answer
                answer = guest.last(progress=[])
                if answer is None:
                    self.assertTrue(self.stopping.is_set(), "the end without a stop")
                    return True
                if isinstance(answer, peer.Error) and answer.id == 0:
                    return self.judge(command, answer, sha256)
                self.assertEqual(answer.id, id)
                if self.judge(command, answer, sha256):
                    return True
        return False

    def one_guest(self, daemon, number, sha256):
        chance = random.Random(number)
        while not self.end.is_set():
            try:
                self.session(daemon, chance, sha256)
            except (ConnectionError, FileNotFoundError):
                # Only a stop makes the host hang up; on a connect, a full backlog is EAGAIN.
                self.assertTrue(self.stopping.is_set(), "a connection broke without a stop")
                self.count("broken")
                time.sleep(0.02)
            except BlockingIOError:
                self.count("refused")

    def run_guests(self, daemon, image):
        return [self.in_thread(self.one_guest, daemon, number, image.sha256)
                for number in range(GUESTS)]

    def test_guests_upgrade_and_stop(self):
        web = self.web()
        image = Resource(content_of(4 * MIB), faults=[Drip(MIB // 16, 0.1)])
        url = web.put("/image", image)
        daemon = self.daemon({"console": {"queue": 64}})
        waits = self.run_guests(daemon, image)
        upgrader = self.peer(daemon)
        upgrader.send(peer.upgrade(url, image.sha256, 1))
        seen = []
        first = upgrader.answer()
        self.assertIsInstance(first, peer.Progress)
        wait_until(lambda: web.requests and self.answers["right"] > 500, "some hundred answers",
                   patience=120)
        self.stopping.set()
        self.assertEqual(daemon.stop(signal.SIGTERM), 0)
        answer = upgrader.last(1, seen)
        self.assertIsNone(answer, "an answer to a job that goes on at the next start")
        self.assertIsNone(self.read("installed"), "the installer was run on half an image")

        # The next daemon takes up the work; the guests never stopped asking.
        second = self.daemon({"console": {"queue": 64}})
        web.release()
        last = self.peer(second)
        self.assertDone(last.upgrade(url, image.sha256))
        before = self.answers["right"]
        wait_until(lambda: self.answers["right"] > before + 200, "answers of the second daemon",
                   patience=120)
        self.end.set()
        for wait in waits:
            wait()
        self.assertEqual(self.read("installed").split()[1], image.sha256.hex())
        self.assertEqual(self.read("rebooted"), "reboot\n")
        self.assertServes(second)
        self.assertEqual(second.stop(), 0)
        for line in self.read("console").splitlines():
            self.assertRegex(line, r"\A(m\d+)?\Z", "two messages were mixed")

    def test_programs_upgrade_and_stop(self):
        """The same with eight vsock_guest processes, which may not lose a command."""
        web = self.web()
        image = Resource(content_of(MIB), faults=[Drip(MIB // 32, 0.1)])
        url = web.put("/image", image)
        daemon = self.daemon()

        def ask():
            asked = 0
            while not self.end.is_set():
                code, out, error = vsock_guest.run(
                    daemon.socket_path, "--connect-timeout", "20", "get-hostos-version")
                # A query that broke off is asked again by the guest itself.
                self.assertEqual((code, out), (0, "HostOSVersion(1.2.3)\n"), error)
                asked += 1
            return asked
        waits = [self.in_thread(ask) for _ in range(GUESTS)]
        upgrade = self.guest_started(daemon, "upgrade", "--url", url, "--hash",
                                     image.sha256.hex())
        daemon.wait_phase("downloading")
        self.assertEqual(daemon.stop(signal.SIGINT), 0)
        code, out, error = upgrade.wait()
        self.assertEqual((code, out), (6, ""), error)
        second = self.daemon()
        web.release()
        code, out, error = self.guest(second, "upgrade", "--url", url, "--hash",
                                      image.sha256.hex())
        self.assertEqual((code, out), (0, "NoPayload\n"), error)
        self.end.set()
        for wait in waits:
            self.assertGreater(wait(), 0)
        self.assertEqual(os.path.exists(self.path("rebooted")), True)
