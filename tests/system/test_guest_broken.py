# SPDX-License-Identifier: Apache-2.0
"""vsock_guest after its request was sent: what breaks, what is asked at most once, signals."""
import os
import re
import signal
import socket
import subprocess
import threading
import unittest

import fake_host
from fake_host import (BUSY, HOSTOS_VERSION, SHUTTING_DOWN, FakeHost, answering, error, failing,
                       field, frame, hanging_up, holding, replying, response, silent, status_fields,
                       welcome)
from guest_case import LIMIT, UPGRADE, VERSION, GuestTest
from vsocktest import PATIENCE, program, wait_until


class Broken(GuestTest):
    """After the request was sent: exit 6, and for what changes something one connection only."""

    def broken(self, script, *command):
        host = FakeHost(self.socket_path, script)
        result = self.guest(*(command or ("attach-hsm",)), *LIMIT)
        self.assert_error(result, 6, "error: broken: ")
        self.assertEqual((host.connections, len(host.requests)), (1, 1))
        host.close()
        return result[2]

    def test_end_without_an_answer(self):
        for command, text in ((("attach-hsm",), "may have been attached"),
                              (("detach-hsm",), "may have been detached"),
                              (("notify", "x"), "may have been shown"),
                              (("start-upgrade-guest-vm",), "may have been started"),
                              (UPGRADE, "get-upgrade-status")):
            self.assertIn(text, self.broken(hanging_up, *command))

    def test_reset(self):
        def script(connection):
            connection.greet()
            # What was sent behind the request's header is left unread: the close is a reset.
            header = connection.read(16)
            connection.host.requests.append(header)
        self.assertIn("reset", self.broken(script))

    def test_cut_answer(self):
        for length in (1, 15, 16, 21):
            self.broken(replying(lambda request, length=length: response(request.id)[:length]))

    def test_nonsense(self):
        code = field(2, b"\0\7")
        builds = {
            "no frame": lambda r: b"HTTP/1.1 400 Bad Request\r\n",
            "another id": lambda r: response(r.id + 1),
            "id 0": lambda r: response(0),
            "another version": lambda r: frame(fake_host.RESPONSE, field(2, b"\0\0"), r.id, (1, 1)),
            "a second WELCOME": lambda r: welcome(),
            "a request": lambda r: frame(fake_host.REQUEST, field(2, b"\0\1"), r.id),
            "unknown type": lambda r: frame(0x0099, b"", r.id),
            "unknown kind": lambda r: response(r.id, 9),
            "another command's": lambda r: response(r.id, HOSTOS_VERSION, field(6, b"1")),
            "progress not asked for":
                lambda r: frame(fake_host.PROGRESS, status_fields("queued"), r.id),
            "no kind": lambda r: frame(fake_host.RESPONSE, b"", r.id),
            "an even field": lambda r: response(r.id, 0, field(90, b"")),
            "tags out of order":
                lambda r: frame(fake_host.RESPONSE, field(3, b"") + field(2, b"\0\0"), r.id),
            "a repeated field":
                lambda r: frame(fake_host.RESPONSE, field(2, b"\0\0") * 2, r.id),
            "left over": lambda r: response(r.id, 0, b"\0\0\0"),
            "a length past the end": lambda r: response(r.id, 0, b"\0\3\xff\xff"),
            "too long": lambda r: frame(fake_host.RESPONSE, b"", r.id, length=65537),
            "error code 0": lambda r: frame(fake_host.ERROR, field(2, b"\0\0"), r.id),
            "error without code": lambda r: frame(fake_host.ERROR, field(4, b"x"), r.id),
            "error text not UTF-8": lambda r: frame(fake_host.ERROR, code + field(4, b"\xff"), r.id),
            "error text with NUL": lambda r: frame(fake_host.ERROR, code + field(4, b"a\0"), r.id),
        }
        for name, build in builds.items():
            with self.subTest(name):
                self.broken(replying(build))

    def test_nonsense_is_shown_escaped(self):
        self.assertIn('"\\x1b[31mred"', self.broken(replying(lambda request: b"\x1b[31mred")))

    def test_nonsense_is_not_asked_again(self):
        self.broken(replying(lambda request: b"?"), "get-hostos-version")

    def test_a_query_is_asked_again(self):
        for first in (hanging_up, failing(BUSY, b"later"), failing(SHUTTING_DOWN, b"bye"),
                      replying(lambda request: response(request.id)[:20])):
            host = FakeHost(self.socket_path, first, VERSION)
            self.assertEqual(self.guest("get-hostos-version", "-o", "value"), (0, "1.2.3\n", ""))
            self.assertEqual((host.connections, len(host.requests)), (2, 2))
            host.close()

    def test_a_query_that_is_never_answered(self):
        host = self.host(hanging_up)
        for query in ("get-hostos-version", "get-vsock-version", "get-upgrade-status"):
            before = host.connections
            self.assert_error(self.guest(query, "--connect-timeout", "0.5"), 6,
                              "error: broken: .*changes nothing")
            self.assertGreater(host.connections, before + 1)
            before = host.connections
            self.assert_error(self.guest(query, "--connect-timeout", "0"), 6, "error: broken: ")
            self.assertEqual(host.connections, before + 1)

    def test_a_query_whose_host_is_gone_afterwards(self):
        def script(connection):
            connection.greet()
            connection.request()
            connection.host.stop_listening()
        self.host(script)
        self.assert_error(self.guest("get-hostos-version", "--connect-timeout", "0.3"), 6,
                          "error: broken: ")

    def test_what_the_host_left_is_shown_after_a_failed_write(self):
        def script(connection):
            connection.hello()
            connection.sock.shutdown(socket.SHUT_RD)  # the guest's next write fails
            connection.send(welcome() + error(SHUTTING_DOWN, b"the host stops"))
        host = self.host(script)
        self.assertEqual(self.guest("attach-hsm"),
                         (1, "", "error: shutting_down: the host stops\n"))
        self.assertEqual(host.connections, 1)

    def test_what_could_not_be_sent_at_all_may_be_sent_again(self):
        def script(connection):
            connection.hello()
            connection.sock.shutdown(socket.SHUT_RD)
            connection.send(welcome())
        host = self.host(script, answering())
        self.assertEqual(self.guest("attach-hsm"), (0, "NoPayload\n", ""))
        self.assertEqual((host.connections, len(host.requests)), (2, 1))


class Signals(GuestTest):
    def test_after_the_request(self):
        for number, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")):
            host = FakeHost(self.socket_path, holding)
            started = self.started(*UPGRADE)
            host.wait(lambda: host.requests, "the request")
            started.kick(number)
            status, out, trouble = started.wait()
            self.assertEqual((status, out), (-number, ""))
            self.assertRegex(trouble, r"\Aerror: broken: ended by %s; .*'vsock_guest "
                                      r"get-upgrade-status', or send .*\n\Z" % name)
            host.close()

    def test_before_the_request(self):
        host = self.host(silent)
        started = self.started("attach-hsm")
        host.wait(lambda: host.connections, "a connection")
        started.kick(signal.SIGTERM)
        status, _, trouble = started.wait()
        self.assertEqual(status, -signal.SIGTERM)
        self.assertIn("no command was sent", trouble)

    def test_while_connecting_is_tried_again(self):
        started = self.started("-v", "attach-hsm", "--connect-timeout", "60", "--timeout", "0")
        self.wait_for_trace(started, b"next try")
        started.kick(signal.SIGINT)
        status, _, trouble = started.wait()
        self.assertEqual(status, -signal.SIGINT)
        self.assertIn("no command was sent", trouble)

    def test_while_stdin_is_read(self):
        started = self.started("notify", "-", stdin=subprocess.PIPE)
        wait_until(lambda: self.is_waiting(started.pid), "the guest waits for stdin")
        started.kick(signal.SIGTERM)
        self.assertEqual(started.process.wait(PATIENCE), -signal.SIGTERM)
        self.assertIn(b"no command was sent", started.process.stderr.read())

    @staticmethod
    def is_waiting(pid):
        """Sleeping, with a handler for SIGTERM."""
        with open("/proc/%d/status" % pid) as file:
            text = file.read()
        caught = int(re.search(r"SigCgt:\s*(\w+)", text).group(1), 16)
        return "State:\tS" in text and caught & (1 << (signal.SIGTERM - 1))

    def test_a_signal_that_is_ignored_stays_so(self):
        def script(connection):
            connection.greet()
            request = connection.request()
            connection.host.go.wait(PATIENCE)
            connection.answer(request)
        host = self.host(script)
        host.go = threading.Event()
        environ = dict(os.environ, VSOCK_HOST_ADDRESS="unix:" + self.socket_path)
        with subprocess.Popen(["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh",
                               program("vsock_guest"), "attach-hsm"], env=environ,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            host.wait(lambda: host.requests, "the request")
            process.send_signal(signal.SIGINT)
            host.go.set()
            out, trouble = process.communicate(timeout=PATIENCE)
            self.assertEqual((process.returncode, out, trouble), (0, b"NoPayload\n", b""))



if __name__ == "__main__":
    unittest.main()
