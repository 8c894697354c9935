# SPDX-License-Identifier: Apache-2.0
"""notify: what reaches the consoles, how often, in what order, and what is skipped."""
import os
import pty
import subprocess
import sys
import time
import tty
import unittest

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest


class NotifyTest(SystemTest):
    def wait_console(self, content, name="console"):
        wait_until(lambda: len(self.read(name).encode()) >= len(content.encode()),
                   "%d bytes on %s" % (len(content), name))
        self.assertEqual(self.read(name), content)

    def test_form(self):
        self.assertDone(self.peer(self.daemon()).notify("Hello, wörld"))
        self.wait_console("\nHello, wörld\n")

    def test_every_device(self):
        self.write("second", "before\n")
        daemon = self.daemon({"console": {"devices": [self.path("console"), self.path("second")]}})
        self.assertDone(self.peer(daemon).notify("both"))
        self.wait_console("\nboth\n")
        self.wait_console("before\n\nboth\n", "second")

    def test_repeats(self):
        self.assertDone(self.peer(self.daemon()).notify("again", 3))
        self.wait_console("\nagain\n" * 3)

    def test_zero_times_is_done_at_once(self):
        daemon = self.daemon()
        guest = self.peer(daemon)
        self.assertDone(guest.notify("never", 0))
        self.assertDone(guest.notify("mark", 1, id=2))
        self.wait_console("\nmark\n")

    def test_more_than_max_repeats_is_cut(self):
        daemon = self.daemon({"console": {"max_repeats": 2}})
        guest = self.peer(daemon)
        self.assertDone(guest.notify("cut", 4294967295))
        self.assertDone(guest.notify("mark", 1, id=2))
        self.wait_console("\ncut\n\ncut\n\nmark\n")

    def test_answer_does_not_wait_for_the_repeats(self):
        daemon = self.daemon({"console": {"interval_seconds": 30}})
        self.assertDone(self.peer(daemon).notify("slow", 10))
        self.wait_console("\nslow\n")
        self.assertServes(daemon)

    def test_repeats_are_not_mixed(self):
        daemon = self.daemon()
        waits = [self.in_thread(self.peer(daemon).notify, name, 3) for name in ("one", "two")]
        for wait in waits:
            self.assertDone(wait())
        expected = ["\none\n" * 3 + "\ntwo\n" * 3, "\ntwo\n" * 3 + "\none\n" * 3]
        wait_until(lambda: len(self.read("console")) >= len(expected[0]), "all repeats")
        self.assertIn(self.read("console"), expected)

    def test_full_queue_is_busy(self):
        daemon = self.daemon({"console": {"interval_seconds": 30, "queue": 1}})
        guest = self.peer(daemon)
        self.assertDone(guest.notify("running", 2))
        self.wait_console("\nrunning\n")
        refusals = []
        for id in range(2, 5):  # one is queued, the others do not fit
            guest.send(peer.notify("next", 1, id))
        deadline = time.monotonic() + 20
        while not refusals and time.monotonic() < deadline:
            guest.socket.settimeout(5)
            try:
                answer = guest.last()
            except TimeoutError:
                break
            if isinstance(answer, peer.Error):
                refusals.append(answer)
        # A queued message may be answered only when its turn comes; then its follower is not
        # read, and a second guest is the one that is refused.
        if not refusals:
            other = self.peer(daemon)
            refusals.append(other.notify("next"))
        self.assertError(refusals[0], "busy")

    def test_escaped(self):
        daemon = self.daemon()
        message = ("a\x1b[2Jb\x07c\x7fd\x9be\u202ef\u2066g\\h\r\n"
                   "i\tj\u2028k")
        self.assertDone(self.peer(daemon).notify(message))
        expected = ("a\\x1b[2Jb\\x07c\\x7fd\\xc2\\x9be\\xe2\\x80\\xaef\\xe2\\x81\\xa6g\\h\\x0d\n"
                    "i\tj\\xe2\\x80\\xa8k")
        self.wait_console("\n" + expected + "\n")

    def test_longest(self):
        self.assertDone(self.peer(self.daemon()).notify("x" * 4096))
        self.wait_console("\n" + "x" * 4096 + "\n")

    def test_every_byte_escaped(self):
        self.assertDone(self.peer(self.daemon()).notify("\x1b" * 4096))
        self.wait_console("\n" + "\\x1b" * 4096 + "\n")

    def test_too_long(self):
        guest = self.peer(self.daemon())
        self.assertError(guest.notify("x" * 4097), "invalid_argument", "4096")
        self.assertDone(guest.notify("still open", id=2))
        self.wait_console("\nstill open\n")

    def test_not_utf8(self):
        for message in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\0b", b"\xf4\x90\x80\x80"):
            with self.subTest(message):
                daemon = self._daemons[0] if self._daemons else self.daemon()
                guest = self.peer(daemon)
                self.assertError(guest.notify(message), "malformed")
                self.assertTrue(guest.ended())
        self.assertEqual(self.read("console"), "")

    def test_missing_device_is_skipped(self):
        daemon = self.daemon({"console": {"devices": [self.path("none"), self.path("console")]}})
        self.assertDone(self.peer(daemon).notify("to the other"))
        self.wait_console("\nto the other\n")
        daemon.wait_log(self.path("none"))
        self.assertFalse(os.path.exists(self.path("none")), "a device was created")

    def test_no_device_at_all(self):
        os.unlink(self.path("console"))
        daemon = self.daemon()
        guest = self.peer(daemon)
        self.assertError(guest.notify("nobody"), "unavailable")
        self.write("console", "")
        self.assertDone(guest.notify("somebody", id=2))
        self.wait_console("\nsomebody\n")

    def test_fifo_that_nobody_reads(self):
        os.mkfifo(self.path("fifo"))
        daemon = self.daemon({"console": {"devices": [self.path("fifo"), self.path("console")]}})
        self.assertDone(self.peer(daemon).notify("past the fifo"))
        self.wait_console("\npast the fifo\n")
        daemon.wait_log(self.path("fifo"))

    def test_only_a_fifo_that_nobody_reads(self):
        os.mkfifo(self.path("fifo"))
        daemon = self.daemon({"console": {"devices": self.path("fifo")}})
        self.assertError(self.peer(daemon).notify("nobody"), "unavailable")

    def fill(self, descriptor):
        """Writes until nothing is taken any more; a terminal moves what it has for a while."""
        os.set_blocking(descriptor, False)
        quiet = 0
        while quiet < 5:
            quiet += 1
            try:
                while os.write(descriptor, b"x" * 512) or os.write(descriptor, b"x"):
                    quiet = 0
            except BlockingIOError:
                time.sleep(0.05)

    def test_device_that_takes_nothing(self):
        os.mkfifo(self.path("full"))
        reader = os.open(self.path("full"), os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.fill(reader)
        daemon = self.daemon({"console": {"devices": [self.path("full"), self.path("console")]}})
        guest = self.peer(daemon)
        guest.send(peer.notify("around it"))
        self.wait_console("\naround it\n")
        daemon.wait_log(self.path("full"))
        self.assertDone(guest.last(1))

    def test_full_terminal(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        tty.setraw(slave)
        self.fill(slave)
        daemon = self.daemon({"console": {"devices": [os.ttyname(slave), self.path("console")]}})
        self.assertDone(self.peer(daemon).notify("past the terminal"))
        self.wait_console("\npast the terminal\n")
        daemon.wait_log(os.ttyname(slave))

    def test_terminal(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        tty.setraw(slave)
        daemon = self.daemon({"console": {"devices": os.ttyname(slave)}})
        self.assertDone(self.peer(daemon).notify("on a tty"))
        seen = b""
        while len(seen) < len(b"\non a tty\n"):
            seen += os.read(master, 100)
        self.assertEqual(seen, b"\non a tty\n")

    def operator(self, *words):
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"] + list(words), stdin=subprocess.PIPE)
        line = "/proc/%d/cmdline" % process.pid  # it is empty for a moment after the exec
        wait_until(lambda: words[-1].encode() in open(line, "rb").read(), "the command line")

        def end():
            process.stdin.close()
            process.wait()
        self.addCleanup(end)
        return end

    @unittest.skipUnless(os.getuid() == 0, "needs root: only a process of root counts")
    def test_nothing_while_the_operators_tool_runs(self):
        tool = "tool-%d" % os.getpid()
        daemon = self.daemon({"console": {"skip_while_running": tool + " recovery"}})
        guest = self.peer(daemon)
        end = self.operator(tool, "recovery")
        self.assertDone(guest.notify("hidden"))
        daemon.wait_log("skip_while_running")
        end()
        self.assertDone(guest.notify("shown", id=2))
        self.wait_console("\nshown\n")

    @unittest.skipUnless(os.getuid() == 0, "needs root: only a process of root counts")
    def test_all_words_are_needed(self):
        tool = "tool-%d" % os.getpid()
        daemon = self.daemon({"console": {"skip_while_running": tool + " recovery"}})
        self.operator(tool)
        self.assertDone(self.peer(daemon).notify("shown"))
        self.wait_console("\nshown\n")

    def test_through_vsock_guest(self):
        daemon = self.daemon()
        self.assertEqual(self.guest(daemon, "notify", "two\nlines", "--count", "2"),
                         (0, "NoPayload\n", ""))
        self.wait_console("\ntwo\nlines\n" * 2)
