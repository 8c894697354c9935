# SPDX-License-Identifier: Apache-2.0
"""What the tests of vsock_guest against a fake host share."""
import os
import shutil
import tempfile

from fake_host import HOSTOS_VERSION, FakeHost, answering, field
from vsocktest import guest
from vsocktest.rows import RowTest

HASH = "00112233445566778899aabbccddeeff" * 2
URL = "http://mirror.example/img"
UPGRADE = ("upgrade", "--url", URL, "--hash", HASH)
VERSION = answering(HOSTOS_VERSION, field(6, b"1.2.3"))
MIB = 1 << 20
# Long enough for any answer here, under sanitizers too; tests that end by a limit set their own.
LIMIT = ("--timeout", "30")


class GuestTest(RowTest):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vg-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.socket_path = os.path.join(self.folder, "host.sock")

    def host(self, *scripts):
        host = FakeHost(self.socket_path, *scripts)
        self.addCleanup(host.close)
        return host

    def guest(self, *arguments, **more):
        return guest.run(self.socket_path, *arguments, **more)

    def started(self, *arguments, **more):
        started = guest.Guest(self.socket_path, *arguments, **more)
        self.addCleanup(started.kill)
        for stream in (started.process.stdout, started.process.stderr, started.process.stdin):
            if stream is not None:
                self.addCleanup(stream.close)
        return started

    def wait_for_trace(self, started, text):
        """Reads what --verbose shows until `text` was there."""
        seen = b""
        while text not in seen:
            piece = os.read(started.process.stderr.fileno(), 4096)
            self.assertTrue(piece, "the guest ended without %r: %r" % (text, seen))
            seen += piece

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, "wb") as out:
                out.write(content)
        return path

    def assert_error(self, result, code, pattern):
        """One error line of the given exit code, and nothing on stdout."""
        status, out, trouble = result
        self.assertEqual((status, out), (code, ""), trouble)
        self.assertRegex(trouble, r"\Aerror: [^\n]*\n\Z")
        self.assertRegex(trouble, pattern)
