# SPDX-License-Identifier: Apache-2.0
"""vsock_guest upgrade and get-upgrade-status: progress, --no-wait, --follow."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import unittest

from fake_host import HASH_MISMATCH, FakeHost, error, failing
from guest_case import MIB, UPGRADE, GuestTest
from vsocktest import PATIENCE


class Upgrade(GuestTest):
    @staticmethod
    def job(connection):
        connection.greet()
        request = connection.request()
        if 11 in request.fields:
            assert request.fields[11] == b"\1", request.fields
            connection.progress(request, "queued")
            for done in (0, 64, 128, 100, 256):
                connection.progress(request, "downloading", done * MIB, 256 * MIB)
            connection.progress(request, "verifying", 0, 256 * MIB)
            connection.progress(request, "installing", 256 * MIB, 256 * MIB)
            connection.progress(request, "rebooting", 256 * MIB, 256 * MIB)
        connection.answer(request)

    def test_quiet_where_nobody_looks(self):
        host = self.host(self.job)
        self.assertEqual(self.guest(*UPGRADE), (0, "NoPayload\n", ""))
        self.assertNotIn(11, host.requests[0].fields)
        self.assertEqual(self.guest(*UPGRADE, "--progress", "always", "-q"), (0, "NoPayload\n", ""))

    def test_lines_for_a_log(self):
        self.host(self.job)
        status, out, trouble = self.guest(*UPGRADE, "--progress", "always")
        self.assertEqual((status, out), (0, "NoPayload\n"))
        self.assertNotIn("\r", trouble)
        phases = [line.split()[0] for line in trouble.splitlines()]
        self.assertEqual(sorted(set(phases), key=phases.index),
                         ["queued", "downloading", "verifying", "installing", "rebooting"])
        percents = [int(n) for n in re.findall(r"downloading +(\d+)%", trouble)]
        self.assertEqual(percents, [0, 25, 50, 99])

    def on_a_terminal(self, *arguments, columns=80):
        """Its status, its stdout, and all that its terminal shows. The terminal is kept open until that
        is read: a terminal whose last user closes it may lose what nobody has read yet."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        started = self.started(*arguments, stderr=slave)
        end = b"(the end)"

        def write_end():
            started.process.wait(PATIENCE)
            os.write(slave, end)
        writer = threading.Thread(target=write_end, daemon=True)
        writer.start()
        shown = b""
        while not shown.endswith(end):
            self.assertTrue(select.select([master], [], [], PATIENCE)[0], shown)
            shown += os.read(master, 65536)
        writer.join()
        shown = shown[:-len(end)].decode()
        return started.process.returncode, started.process.stdout.read(), shown

    def test_bar_on_a_terminal(self):
        self.host(self.job)
        for columns in (200, 80, 40, 12):
            status, out, shown = self.on_a_terminal(*UPGRADE, columns=columns)
            self.assertEqual((status, out), (0, b"NoPayload\n"))
            lines = shown.replace("\r\n", "").split("\r")[1:]
            self.assertTrue(all(len(line) < columns for line in lines), lines)
            if columns > 20:
                percents = [int(n) for n in re.findall(r"downloading +(\d+)%", shown)]
                self.assertEqual(percents, [0, 25, 50, 50, 99])
            if columns >= 80:
                self.assertIn("=>", shown)
                self.assertIn("128.0 MiB of 256.0 MiB", shown)

    def test_never(self):
        host = self.host(self.job)
        self.assertEqual(self.on_a_terminal(*UPGRADE, "--progress", "never"),
                         (0, b"NoPayload\n", ""))
        self.assertNotIn(11, host.requests[0].fields)

    def test_an_error_begins_a_line_of_its_own(self):
        def script(connection):
            connection.greet()
            request = connection.request()
            connection.progress(request, "downloading", 1, 2)
            connection.send(error(HASH_MISMATCH, b"another file", id=request.id))
        self.host(script)
        status, _, shown = self.on_a_terminal(*UPGRADE)
        self.assertEqual(status, 1)
        self.assertIn("\nerror: hash_mismatch: another file\r\n", shown)

    def test_waiting_for_a_host_is_said_on_a_terminal(self):
        status, _, shown = self.on_a_terminal("attach-hsm", "--connect-timeout", "2.5")
        self.assertEqual((status, shown.count("still trying")), (3, 1), shown)
        status, _, shown = self.on_a_terminal("attach-hsm", "--connect-timeout", "2.5", "-q")
        self.assertEqual((status, shown.count("still trying")), (3, 0), shown)

    def test_no_wait(self):
        for phase in ("queued", "downloading", "rebooting"):
            def script(connection, phase=phase):
                connection.greet()
                request = connection.request()
                assert request.fields.get(11) == b"\1"
                connection.progress(request, phase)
                connection.hold()
            host = FakeHost(self.socket_path, script)
            self.assertEqual(self.guest(*UPGRADE, "--no-wait"), (0, "NoPayload\n", ""))
            host.close()

    def test_no_wait_and_an_answer_at_once(self):
        self.host(failing(5, b"ftp is not a scheme that is taken"))
        self.assert_error(self.guest(*UPGRADE, "--no-wait"), 1, "invalid_argument")

    def test_no_wait_and_a_failure(self):
        def script(connection):
            connection.greet()
            request = connection.request()
            connection.progress(request, "failed", result=HASH_MISMATCH)
            connection.send(error(HASH_MISMATCH, b"another file", id=request.id))
        self.host(script)
        self.assert_error(self.guest(*UPGRADE, "--no-wait"), 1, "hash_mismatch: another file")


class Follow(GuestTest):
    @staticmethod
    def telling(*statuses, **last):
        """One status a request, on every connection together."""
        left = list(statuses)

        def script(connection):
            connection.greet()
            while True:
                request = connection.request()
                status = left.pop(0) if len(left) > 1 else left[0]
                connection.status(request, *status, **(last if len(left) == 1 else {}))
        return script

    def test_until_it_has_ended(self):
        for phase in ("rebooting", "idle", "upgraded"):
            host = FakeHost(self.socket_path,
                            self.telling(("downloading", 1, 4), (phase, 4, 4)))
            self.assertEqual(self.guest("get-upgrade-status", "--follow", "-o", "value"),
                             (0, phase + "\n", ""))
            host.close()
            self.assertEqual(len(host.requests), 2)

    def test_a_failure(self):
        self.host(self.telling(("failed", 1, 4), result=HASH_MISMATCH, detail=b"it is\nanother"))
        self.assertEqual(self.guest("get-upgrade-status", "--follow"),
                         (1, "", "error: hash_mismatch: it is\\x0aanother\n"))

    def test_a_failure_is_an_answer_without_follow(self):
        self.host(self.telling(("failed", 1, 4), result=HASH_MISMATCH))
        self.assertEqual(self.guest("get-upgrade-status", "-o", "value"), (0, "failed\n", ""))

    def test_one_connection_is_kept(self):
        host = self.host(self.telling(("queued",), ("downloading", 1, 2), ("rebooting",)))
        self.assertEqual(self.guest("get-upgrade-status", "--follow", "-o", "value")[0], 0)
        self.assertEqual((host.connections, len(host.requests)), (1, 3))

    def test_through_a_restart_of_the_host(self):
        def script(connection):
            connection.greet()
            connection.status(connection.request(), "downloading", 1, 2)
        first = FakeHost(self.socket_path, script)
        started = self.started("get-upgrade-status", "--follow", "--connect-timeout", "0", "-v",
                               "-o", "value")
        first.wait(lambda: first.requests, "a first question")
        first.close()
        # Without a limit of its own for connecting, a host that was there is waited for.
        self.wait_for_trace(started, b"connecting failed")
        self.host(self.telling(("rebooting",)))
        self.assertEqual(started.wait()[:2], (0, "rebooting\n"))

    def test_a_host_that_was_never_there(self):
        self.assert_error(
            self.guest("get-upgrade-status", "--follow", "--connect-timeout", "0.2"), 3, "connect")

    def test_the_time_limit(self):
        self.host(self.telling(("installing",)))
        self.assert_error(self.guest("get-upgrade-status", "--follow", "--timeout", "0.5"), 4,
                          "timeout: .*has not ended")

    def test_lines_for_a_log(self):
        self.host(self.telling(("queued",), ("downloading", 1, 2), ("rebooting",)))
        status, out, trouble = self.guest("get-upgrade-status", "--follow", "--progress", "always",
                                          "-o", "value")
        self.assertEqual((status, out), (0, "rebooting\n"))
        self.assertEqual([line.split()[0] for line in trouble.splitlines()],
                         ["queued", "downloading", "rebooting"])

    def test_a_signal(self):
        host = self.host(self.telling(("installing",)))
        started = self.started("get-upgrade-status", "--follow")
        host.wait(lambda: host.requests, "a question")
        started.kick(signal.SIGINT)
        self.assertEqual(started.wait()[0], -signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
