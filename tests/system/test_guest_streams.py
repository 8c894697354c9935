# SPDX-License-Identifier: Apache-2.0
"""vsock_guest and its descriptors, its own consoles, and captures that it explains."""
import os
import signal
import subprocess
import threading
import unittest

import fake_host
from fake_host import (HOSTOS_VERSION, FakeHost, answering, error, failing, field, frame, holding,
                       response, status_fields, welcome)
from guest_case import UPGRADE, VERSION, GuestTest
from vsocktest import PATIENCE, program
from vsocktest.rows import each


def full_pipe():
    """(reading end, writing end) of a pipe that takes nothing more; writing blocks."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"\0" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    return reading, writing


class Descriptors(GuestTest):
    def run_shell(self, redirections, *arguments):
        """(exit status, stdout, stderr) of vsock_guest with the shell's redirections."""
        environ = dict(os.environ, VSOCK_HOST_ADDRESS="unix:" + self.socket_path)
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec "$@" ' + redirections, "sh", program("vsock_guest"),
             *arguments], env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def with_full_stdout(self, *arguments, **more):
        """(exit status, stderr) of vsock_guest when nobody reads its stdout."""
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        started = self.started(*arguments, stdout=writing, **more)
        os.close(writing)
        return started.process.wait(PATIENCE), started.process.stderr.read().decode()

    def test_full_device(self):
        self.host(VERSION)
        self.assert_error(self.run_shell(">/dev/full", "get-hostos-version"), 7,
                          "error: broken: done; .*No space left")

    def test_full_stderr_holds_nobody_up(self):
        self.host(failing(10, b"no stick"))
        reading, writing = full_pipe()
        try:
            done = subprocess.run(
                [program("vsock_guest"), "-v", "attach-hsm"], stdin=subprocess.DEVNULL,
                env=dict(os.environ, VSOCK_HOST_ADDRESS="unix:" + self.socket_path),
                stdout=subprocess.PIPE, stderr=writing, timeout=PATIENCE, check=False)
        finally:
            os.close(reading)
            os.close(writing)
        self.assertEqual((done.returncode, done.stdout), (1, b""))

    def test_nothing_to_write_is_no_failure(self):
        self.host(answering())
        self.assertEqual(self.run_shell(">/dev/full", "--attach-hsm"), (0, "", ""))

    def test_help_to_a_full_device(self):
        for words in (("--help",), ("--version",), ("help", "notify")):
            self.assertEqual(self.run_shell(">/dev/full", *words)[0], 7)

    def test_closed_pipe(self):
        self.host(VERSION)
        reading, writing = os.pipe()
        os.close(reading)
        started = self.started("get-hostos-version", stdout=writing)
        os.close(writing)
        self.assertEqual(started.process.wait(PATIENCE), 7)
        self.assertIn(b"Broken pipe", started.process.stderr.read())

    def test_a_reader_that_never_reads(self):
        self.host(VERSION)
        for words in (("get-hostos-version",), ("--help",), ("--version",)):
            with self.subTest(words):
                self.assertEqual(self.with_full_stdout("--timeout", "1", *words)[0], 7)

    def test_a_usage_error_and_a_reader_that_never_reads(self):
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        started = self.started("atach-hsm", stderr=writing)
        os.close(writing)
        self.assertEqual(started.process.wait(PATIENCE), 2)

    def test_progress_and_a_reader_that_never_reads(self):
        """More than the guest's and the kernel's buffers hold: the answer comes behind it."""
        def script(connection):
            connection.greet()
            request = connection.request()
            for done in range(0, 5000):
                connection.progress(request, "downloading", done, 5000)
            connection.answer(request)
        self.host(script)
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        started = self.started(*UPGRADE, "-v", "--progress", "always", stderr=writing)
        os.close(writing)
        self.assertEqual(started.process.wait(PATIENCE), 0)
        self.assertEqual(started.process.stdout.read(), b"NoPayload\n")

    def test_a_signal_while_nobody_reads_stderr(self):
        host = self.host(holding)
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        started = self.started("-v", "attach-hsm", "--timeout", "0", stderr=writing)
        os.close(writing)
        host.wait(lambda: host.requests, "the request")
        started.kick(signal.SIGTERM)
        self.assertEqual(started.process.wait(PATIENCE), -signal.SIGTERM)

    def test_closed_descriptors_never_become_the_connection(self):
        """Whatever would go to a descriptor that is closed must not reach the host."""
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
            without_stdin, without_stdout = "<&-" in closed, " >&-" in " " + closed
            for script, words, expected in (
                    (answering(), ["attach-hsm"], 7 if without_stdout else 0),
                    (VERSION, ["get-hostos-version"], 7 if without_stdout else 0),
                    (failing(10, b"no"), ["-v", "attach-hsm"], 1),
                    (answering(), ["--notify", "x"], 0),
                    (answering(), ["notify", "-", "-o", "value"], 2 if without_stdin else 0)):
                with self.subTest(closed=closed, words=words):
                    host = FakeHost(self.socket_path, script)
                    self.assertEqual(self.run_shell(closed, *words)[0], expected)
                    host.close()  # raises what a script found wrong with the guest's frames


class Echo(GuestTest):
    def test_on_the_devices_that_are_named(self):
        host = self.host(answering())
        first, second = self.path("tty1", b"old"), self.path("ttyS0", b"")
        result = self.guest("notify", "a\tb\n\x1b[2J",
                            "--echo=%s,%s,%s" % (first, self.path("missing"), second))
        self.assertEqual(result, (0, "NoPayload\n", ""))
        for path, before in ((first, b"old"), (second, b"")):
            with open(path, "rb") as file:
                self.assertEqual(file.read(), before + b"\na\tb\n\\x1b[2J\n")
        self.assertFalse(os.path.exists(self.path("missing")))
        self.assertEqual(host.requests[0].fields[8], b"a\tb\n\x1b[2J")

    def test_a_device_that_takes_nothing(self):
        self.host(answering())
        os.mkfifo(self.path("fifo"))
        keep = os.open(self.path("fifo"), os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, keep)
        try:
            while True:
                os.write(keep, b"\0" * 4096)
        except BlockingIOError:
            pass
        self.assertEqual(self.guest("notify", "x", "--echo=" + self.path("fifo")),
                         (0, "NoPayload\n", ""))


class Decode(GuestTest):
    def decode(self, data):
        return self.guest("decode", stdin=data)

    def test_both_directions(self):
        capture = (frame(fake_host.HELLO, field(2, b"\2\0\1\3") + field(3, b"guest/2")) +
                   welcome() +
                   frame(fake_host.REQUEST, field(2, b"\0\5") + field(8, "h\u00e9\x1b".encode()) +
                         field(10, b"\0\0\0\3"), id=7) +
                   response(7) + error(10, b"no HSM", id=8) +
                   frame(fake_host.PROGRESS, status_fields("downloading", 1, 2, changed=9), id=9))
        status, out, trouble = self.decode(capture)
        self.assertEqual((status, trouble), (0, ""))
        for text in ("offset 0: HELLO (type 0x0001, guest to host), version 1.0", ": 2.0, 1.3\n",
                     '"guest/2"', "WELCOME", "request limit (u32; 4 bytes): 16384",
                     "command (u16; 2 bytes): 5 (notify)", '"h\u00e9\\x1b"',
                     "RESPONSE (type 0x0012, host to guest), version 1.0, request id 7",
                     "0 (NoPayload)", "code (u16; 2 bytes): 10 (unavailable)",
                     "phase (u16; 2 bytes): 2 (downloading)"):
            self.assertIn(text, out)
        path = self.path("capture", capture)
        self.assertEqual(self.guest("decode", path), (0, out, ""))

    def wrong(self, data, pattern):
        status, out, trouble = self.decode(data)
        self.assertEqual(status, 1)
        self.assertRegex(out, pattern)
        self.assertRegex(trouble, r"\Aerror: malformed: .*\n\Z")
        return out

    def test_what_is_wrong_is_said_and_the_next_frame_explained(self):
        out = self.wrong(response(1, 0, b"\0\3\xff\xff") + response(2), "wrong: .*field 3")
        self.assertIn("request id 2", out)
        self.wrong(response(1, 0, field(90, b"\1\2")), r"field 90, not known, so refused .* 01 02")
        self.wrong(response(0), "wrong: .*request id is 0")
        self.wrong(response(1, 9), "9 bytes|wrong: .*no such")
        self.wrong(frame(0x4242, field(2, b"xy")), "wrong: ")
        self.wrong(frame(fake_host.HELLO, field(2, b"\1")), "wrong: ")

    def test_where_it_is_lost(self):
        self.wrong(b"GET / HTTP/1.1\r\n", "offset 0: no frame.*GET / HTTP")
        self.wrong(response(1) + b"\x1b[2J", r"offset 22: no frame.*\\x1b\[2J")
        self.wrong(response(1)[:10], "end inside a header")
        self.wrong(response(1)[:-1], "end inside a payload")
        out = self.wrong(response(1, 2, field(6, b"1.2.3"))[:-1],
                         r"2 \(HostOSVersion\)\noffset \d+: the bytes end inside a payload")
        self.assertNotIn("not known", out)
        self.wrong(frame(fake_host.HELLO, length=2 ** 31), "over the limit")

    def test_stdin_that_does_not_end(self):
        """What has come is explained before the limit ends it."""
        started = self.started("decode", "--timeout", "0.5", stdin=subprocess.PIPE)
        started.process.stdin.write(response(7))
        started.process.stdin.flush()
        self.assertEqual(started.process.wait(PATIENCE), 4)
        self.assertRegex(started.process.stderr.read(), rb"\Aerror: timeout: stdin .*\n\Z")
        self.assertIn(b"request id 7", started.process.stdout.read())

    def test_each_frame_is_explained_when_it_comes(self):
        started = self.started("decode", stdin=subprocess.PIPE)
        for number in (7, 8, 9):
            started.process.stdin.write(response(number))
            started.process.stdin.flush()
            seen = b""
            while b"NoPayload" not in seen:
                seen += os.read(started.process.stdout.fileno(), 4096)
            self.assertIn(b"request id %d" % number, seen)
        self.assertEqual(started.wait(), (0, "", ""))

    def test_an_endless_capture(self):
        started = self.started("decode", "--timeout", "1", stdin=subprocess.PIPE)

        def feed():
            try:
                while True:
                    os.write(started.process.stdin.fileno(), response(7) * 100)
            except BrokenPipeError:
                pass
        feeding = threading.Thread(target=feed, daemon=True)
        feeding.start()
        seen = 0
        while True:
            piece = os.read(started.process.stdout.fileno(), 65536)
            if not piece:
                break
            seen += len(piece)
        # 7: the limit found it waiting for this reader, and not for the next piece.
        self.assertIn(started.process.wait(PATIENCE), (4, 7))
        self.assertGreater(seen, 0)
        feeding.join(PATIENCE)

    def test_a_reader_that_never_reads(self):
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        started = self.started("decode", "--timeout", "0.5", self.path("capture", response(7)),
                               stdout=writing)
        os.close(writing)
        self.assertEqual(started.process.wait(PATIENCE), 7)
        self.assertIn(b"stdout", started.process.stderr.read())

    def test_full_device(self):
        with open("/dev/full", "wb") as full:
            started = self.started("decode", self.path("capture", response(7)), stdout=full)
        self.assertEqual(started.process.wait(PATIENCE), 7)

    def test_nothing_is_nothing(self):
        self.assertEqual(self.decode(b""), (0, "", ""))

    def test_a_file_that_cannot_be_read(self):
        self.assert_error(self.guest("decode", self.path("missing")), 2, "usage: .*missing")
        self.assert_error(self.guest("decode", self.folder), 2, "usage: .*directory")

    def test_more_than_one_window(self):
        one = response(1, HOSTOS_VERSION, field(6, b"a" * 60000))
        status, out, _ = self.decode(one * 5)
        self.assertEqual((status, out.count("RESPONSE")), (0, 5))

    @each(*range(4))
    def test_every_truncation_and_bit_flip(self, quarter):
        whole = welcome() + response(1, fake_host.UPGRADE_STATUS, status_fields("queued"))
        for length in range(1 + quarter, len(whole), 4):
            self.assertIn(self.decode(whole[:length])[0], (0, 1))
        for bit in range(7 * quarter, 8 * len(whole), 4 * 7):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            self.assertIn(self.decode(bytes(flipped))[0], (0, 1))


if __name__ == "__main__":
    unittest.main()
