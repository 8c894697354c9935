# SPDX-License-Identifier: Apache-2.0
"""vsock_guest before its request is sent: connecting, time limits, no common protocol."""
import re
import socket
import struct
import subprocess
import threading
import unittest

import fake_host
from fake_host import (BUSY, SHUTTING_DOWN, UNSUPPORTED_VERSION, FakeHost, answering, error, field,
                       frame, holding, introducing, leaving, saying, silent, status_fields,
                       welcome)
from guest_case import LIMIT, UPGRADE, GuestTest
from vsocktest import PATIENCE


class Connecting(GuestTest):
    def test_nobody_listens(self):
        for make in (lambda: None, self.dead_socket):
            make()
            for command in ("attach-hsm", "get-hostos-version"):
                result = self.guest(command, "--connect-timeout", "0.2")
                self.assert_error(result, 3, r"error: connect: unix:\S+host.sock "
                                             r"\(environment VSOCK_HOST_ADDRESS\)")
                self.assertIn("no command was sent", result[2])

    def dead_socket(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.socket_path)

    def test_the_address_of_the_option_is_named(self):
        other = self.path("other.sock")
        result = self.guest("attach-hsm", "-a", "unix:" + other, "--connect-timeout", "0")
        self.assert_error(result, 3, r"unix:%s \(option --address\)" % re.escape(other))

    def test_the_time_limit_may_end_connecting(self):
        self.assert_error(self.guest("attach-hsm", "--timeout", "0.3"), 3, "error: connect: ")

    def test_connecting_once(self):
        status, _, trouble = self.guest("-v", "attach-hsm", "--connect-timeout", "0")
        self.assertEqual((status, trouble.count("connecting failed")), (3, 1))

    def test_what_does_not_pass_is_tried_once(self):
        self.path("file", b"")
        status, _, trouble = self.guest("-v", "attach-hsm", "-a", "unix:%s/file/sock" % self.folder)
        self.assertEqual((status, trouble.count("connecting failed")), (3, 1), trouble)
        self.assertIn("Not a directory", trouble)

    def test_a_host_that_starts_later(self):
        started = self.started("-v", "attach-hsm", "--connect-timeout", "30")
        self.wait_for_trace(started, b"next try")
        host = self.host(answering())
        status, out, _ = started.wait()
        self.assertEqual((status, out, len(host.requests)), (0, "NoPayload\n", 1))

    def test_hello_is_answered_with_a_passing_error(self):
        for code in (BUSY, SHUTTING_DOWN):
            with self.subTest(code=code):
                host = FakeHost(self.socket_path, saying(error(code, b"later")), answering())
                self.assertEqual(self.guest("attach-hsm"), (0, "NoPayload\n", ""))
                self.assertEqual((host.connections, len(host.requests)), (2, 1))
                host.close()

    def test_a_host_that_stays_busy(self):
        host = self.host(saying(error(BUSY, b"64 connections are served")))
        self.assertEqual(self.guest("attach-hsm", "--connect-timeout", "0.5"),
                         (1, "", "error: busy: 64 connections are served\n"))
        self.assertGreater(host.connections, 1)
        self.assertEqual(host.requests, [])

    def test_a_host_that_closes_before_it_says_anything(self):
        host = self.host(leaving, leaving, answering())
        self.assertEqual(self.guest("attach-hsm"), (0, "NoPayload\n", ""))
        self.assertEqual(len(host.requests), 1)

    def test_a_host_that_always_closes(self):
        host = self.host(lambda connection: None)
        self.assert_error(self.guest("attach-hsm", "--connect-timeout", "0.5"), 3,
                          "error: connect: .*closed the connection.*no command was sent")
        self.assertGreater(host.connections, 1)


class TimeLimit(GuestTest):
    def test_silence_before_the_request(self):
        for protocol in ("auto", "tlv-1"):
            host = FakeHost(self.socket_path, silent)
            self.assert_error(
                self.guest("attach-hsm", "--timeout", "0.5", "--protocol", protocol), 4,
                r"error: timeout: unix:\S+ \(environment .*no command was sent")
            host.close()

    def test_silence_after_the_request(self):
        host = self.host(holding)
        aftermaths = {
            ("attach-hsm",): "asking again does no harm",
            ("detach-hsm",): "asking again does no harm",
            ("notify", "x"): "may have been shown",
            ("start-upgrade-guest-vm",): "may have been started",
            UPGRADE: "may be running at the host; check with 'vsock_guest get-upgrade-status'",
            ("get-hostos-version",): "changes nothing",
        }
        for command, text in aftermaths.items():
            before = len(host.requests)
            self.assert_error(self.guest(*command, "--timeout", "0.5"), 4,
                              "error: timeout: .*" + text)
            self.assertEqual(len(host.requests), before + 1)

    def test_endless_progress(self):
        """More of it than the guest can read: it never finds the connection empty."""
        def script(connection):
            connection.greet()
            request = connection.request()
            many = 10000 * frame(fake_host.PROGRESS, status_fields("downloading", 1, 2), request.id)
            while True:
                connection.send(many)
        self.host(script)
        status, out, trouble = self.guest(*UPGRADE, "--progress", "always", "--timeout", "1")
        self.assert_error((status, out, trouble[trouble.index("error: "):]), 4, "error: timeout: ")

    def test_a_silent_host_ends_the_search_without_a_limit_too(self):
        self.host(silent)
        self.assert_error(self.guest("attach-hsm", "--timeout", "0"), 4, "error: timeout: ")

    def test_a_trickle_does_not_extend_the_limit(self):
        def script(connection):
            connection.greet()
            request = connection.request()
            answer = frame(fake_host.RESPONSE, b"\0" * 60000, id=request.id)
            for byte in answer:
                connection.send(bytes([byte]))
                if connection.host.over.wait(0.05):
                    return
        host = self.host(script)
        host.over = threading.Event()
        self.addCleanup(host.over.set)
        self.assert_error(self.guest("attach-hsm", "--timeout", "1"), 4, "error: timeout: ")

    def test_stdin_that_does_not_end(self):
        host = self.host(answering())
        started = self.started("notify", "-", "--timeout", "0.5", stdin=subprocess.PIPE)
        self.assertEqual(started.process.wait(PATIENCE), 4)
        self.assertIn(b"stdin", started.process.stderr.read())
        self.assertEqual(host.connections, 0)


class NoProtocol(GuestTest):
    def refused(self, *pieces):
        host = FakeHost(self.socket_path, saying(*pieces))
        result = self.guest("attach-hsm", *LIMIT)
        self.assert_error(result, 5, r"error: \w+: unix:\S+ \(environment VSOCK_HOST_ADDRESS\): "
                                     r".*no command was sent")
        self.assertEqual((host.connections, host.requests), (1, []))
        host.close()
        return result[2]

    def refused_twice(self, words):
        """By a host that says the same to HELLO and to the question in JSON."""
        host = FakeHost(self.socket_path, introducing(words))
        result = self.guest("attach-hsm", *LIMIT)
        self.assert_error(result, 5, r"error: protocol: .*no command was sent")
        self.assertEqual((host.connections, host.requests), (2, []))
        host.close()
        return result[2]

    def test_another_program(self):
        self.assertIn("SSH-2.0", self.refused_twice(b"SSH-2.0-OpenSSH_9.2\r\n"))

    def test_json(self):
        for words in (b'{"Err":"expected value at line 1 column 1"}', b'{"Ok":"NoPayload"}',
                      b'{"Ok":{"HostOSVsockVersion":{"major":2,"minor":0,"patch":0}}}',
                      b'{"message": "accepted request", "status": "error"}', b"{}", b"{]"):
            with self.subTest(words=words):
                self.assertIn('received "%s' % words.decode()[:48], self.refused_twice(words))

    def test_what_was_said_before_the_end_is_shown(self):
        host = self.host(introducing(b"220 mail\r\n"), leaving)
        result = self.guest("attach-hsm", "--connect-timeout", "0")
        self.assert_error(result, 3, r'error: connect: .*received "220 mail\\x0d\\x0a"')
        self.assertEqual(host.connections, 2)

    def test_a_host_of_wire_0_9_is_found_and_asked(self):
        def other_version(connection):
            connection.hello()
            connection.send(b"VSCK\x00\x09\x03\x00\x00\x16\x01\x00\x13unsupported version")

        def ok(connection):
            self.assertEqual(connection.read(14), b"VSCK\x00\x09\x01\x00\x00\x04\x01\x00\x01\x01")
            connection.send(b"VSCK\x00\x09\x02\x00\x00\x00")

        host = self.host(other_version, ok)
        self.assertEqual(self.guest("attach-hsm", *LIMIT), (0, "NoPayload\n", ""))
        self.assertEqual(host.connections, 2)

    def test_terminal_escapes_are_shown_as_such(self):
        self.assertIn("\\x1b]0;x\\x07", self.refused_twice(b"\x1b]0;x\x07"))

    def test_malformed_welcome(self):
        good = bytes((1, 0))
        for wrong in (
                frame(fake_host.WELCOME),
                frame(fake_host.WELCOME, field(2, good) + b"\0"),
                frame(fake_host.WELCOME, field(2, b"\1")),
                frame(fake_host.WELCOME, field(2, good) + field(2, good)),
                frame(fake_host.WELCOME, field(2, good) + field(4, b"even")),
                frame(fake_host.WELCOME, field(2, good) + field(3, b"\xff")),
                frame(fake_host.WELCOME, struct.pack(">HH", 2, 9) + good),
                frame(fake_host.WELCOME, field(2, good), id=1),
                frame(fake_host.WELCOME, length=65537),
                frame(fake_host.WELCOME, length=2 ** 32 - 1),
                frame(fake_host.RESPONSE, field(2, b"\0\0"), id=1),
                frame(0x7777),
        ):
            with self.subTest(wrong=wrong):
                self.refused(wrong)

    def test_welcome_that_was_not_offered(self):
        for version in ((2, 0), (1, 1), (0, 9)):
            self.refused(welcome(version, header=(1, 0)))

    def test_cut_welcome(self):
        for length in (1, 4, 15, 16, 20):
            self.refused(welcome()[:length])

    def test_no_common_version(self):
        text = self.refused(error(UNSUPPORTED_VERSION, b"2.0 is spoken here", version=(2, 0),
                                  versions=((2, 0),)))
        self.assertIn("error: unsupported_version: ", text)
        self.assertIn("2.0 is spoken here", text)


if __name__ == "__main__":
    unittest.main()
