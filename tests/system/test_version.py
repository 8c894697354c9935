# SPDX-License-Identifier: Apache-2.0
"""get-hostos-version, get-vsock-version and the commands whose program or bus is not there."""
import os

from vsocktest import peer
from vsocktest.case import SystemTest


class VersionTest(SystemTest):
    def ask(self, daemon):
        return self.peer(daemon).ask(peer.GET_HOSTOS_VERSION)

    def unavailable(self, daemon, *words):
        self.assertError(self.ask(daemon), "unavailable", self.path("version.txt"), *words)
        self.assertIn("version.txt", daemon.log())

    def test_is_trimmed(self):
        self.write("version.txt", " \t1.2.3-é \r\n\n")
        self.assertVersion(self.ask(self.daemon()), "1.2.3-é")

    def test_is_read_anew_each_time(self):
        daemon = self.daemon()
        guest = self.peer(daemon)
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION))
        self.write("version.new", "2.0.0")
        os.rename(self.path("version.new"), self.path("version.txt"))
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, id=2), "2.0.0")

    def test_longest(self):
        self.write("version.txt", "v" * 256 + "\n")
        self.assertVersion(self.ask(self.daemon()), "v" * 256)

    def test_too_long(self):
        self.write("version.txt", "v" * 257)
        self.unavailable(self.daemon(), "256")

    def test_far_too_long(self):
        self.write("version.txt", "v" * 2000000)
        self.unavailable(self.daemon(), "256")

    def test_missing_and_there_again(self):
        os.unlink(self.path("version.txt"))
        daemon = self.daemon()
        self.unavailable(daemon)
        self.write("version.txt", "1.2.3")
        self.assertServes(daemon)

    def test_empty(self):
        self.write("version.txt", "")
        self.unavailable(self.daemon(), "empty")

    def test_blank(self):
        self.write("version.txt", " \n\t\n")
        self.unavailable(self.daemon(), "empty")

    def test_not_utf8(self):
        self.write("version.txt", b"1.2\xff3")
        self.unavailable(self.daemon(), "UTF-8")

    def test_nul(self):
        self.write("version.txt", b"1.2\x003")
        self.unavailable(self.daemon())

    def test_directory(self):
        os.unlink(self.path("version.txt"))
        os.mkdir(self.path("version.txt"))
        self.unavailable(self.daemon())

    def test_fifo_holds_nobody_up(self):
        os.unlink(self.path("version.txt"))
        os.mkfifo(self.path("version.txt"))
        daemon = self.daemon({"limits": {"workers": 1}})
        self.unavailable(daemon)
        self.assertEqual(self.peer(daemon).ask(peer.GET_VSOCK_VERSION).kind, 1)

    def test_vsock_version_is_the_release(self):
        answer = self.peer(self.daemon()).ask(peer.GET_VSOCK_VERSION)
        self.assertEqual((answer.kind, answer.value), (1, (1, 0, 0)))

    def test_status_before_any_upgrade(self):
        status = self.peer(self.daemon()).status()
        self.assertEqual((status.phase, status.done, status.total, status.sha256, status.result),
                         ("idle", 0, 0, None, "ok"))

    def test_no_step_program(self):
        guest = self.peer(self.daemon())
        for id, command in enumerate(
                (peer.ATTACH_HSM, peer.DETACH_HSM, peer.START_UPGRADE_GUEST_VM), 1):
            self.assertError(guest.ask(command, id=id), "unavailable")
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, id=9))

    def test_through_vsock_guest(self):
        daemon = self.daemon()
        self.assertEqual(self.guest(daemon, "get-hostos-version"),
                         (0, "HostOSVersion(1.2.3)\n", ""))
        self.assertEqual(self.guest(daemon, "get-vsock-version"),
                         (0, "HostOSVsockVersion(1.0.0)\n", ""))
        self.assertEqual(self.guest(daemon, "--get-hostos-version"), (0, "1.2.3\n", ""))
        os.unlink(self.path("version.txt"))
        code, out, error = self.guest(daemon, "get-hostos-version")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(error, r"\Aerror: unavailable: [^\n]+\n\Z")
