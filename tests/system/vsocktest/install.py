# SPDX-License-Identifier: Apache-2.0
"""The TestCase of vsock_host-install by itself: an image, a configuration, and what it wrote down."""
import hashlib
import os
import subprocess

from . import PATIENCE, program, wait_until
from .case import SystemTest, content_of
from .daemon import configuration, sanitizer_report


def gone(pid):
    """Ended, or a zombie that nobody has asked for yet."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class InstallCase(SystemTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("upgrade"), 0o700)
        self.content = content_of(100000)
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.write(os.path.join("upgrade", self.sha256 + ".img"), self.content, 0o600)

    # --- running it ---

    def start(self, *arguments, sections=None, **more):
        """Starts it on self.sha256, or with these arguments after --config."""
        config = self.write("vsock_host.conf", configuration(self.folder, sections))
        started = subprocess.Popen(
            [program("vsock_host-install"), "--config", config, *(arguments or [self.sha256])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.addCleanup(self.end, started)
        return started

    def end(self, started):
        if started.poll() is None:
            started.kill()
        started.wait()
        for stream in (started.stdout, started.stderr):
            if not stream.closed:
                stream.close()

    def finish(self, started, status):
        """Its stderr, once it has ended with this status."""
        out, err = started.communicate(timeout=2 * PATIENCE)
        err = err.decode()
        self.assertIsNone(sanitizer_report(err), err)
        self.assertEqual(started.returncode, status, err)
        self.assertEqual(out, b"")
        return err

    def run_it(self, *arguments, status=0, **more):
        return self.finish(self.start(*arguments, **more), status)

    def fails(self, code, *words, stage="failed", **more):
        """It fails with this code, in the record and in the last line of stderr; the text."""
        err = self.run_it(status=1, **more)
        record = self.record()
        self.assertEqual((record["stage"], record.get("code")), (stage, code), err)
        for word in words:
            self.assertIn(word, record["text"])
        self.assertLessEqual(len(record["text"].encode()), 1279)
        self.assertTrue(err.splitlines()[-1].endswith("%s: %s" % (code, record["text"])), err)
        self.assertEqual(os.listdir(self.path("install", "image"))
                         if os.path.exists(self.path("install", "image")) else [], [])
        return record["text"]

    def record(self, name="install/record"):
        text = self.read(name)
        return dict(line.split("=", 1) for line in text.splitlines()) if text is not None else None

    def wait_file(self, name):
        wait_until(lambda: self.read(name) is not None, name)

    def image_stays(self):
        return os.path.lexists(self.path("upgrade", self.sha256 + ".img"))

    def assertOrder(self, *times):
        self.assertEqual(list(times), sorted(times))

    def assertNotRun(self):
        self.assertIsNone(self.read("installed"), "the installer was run")
        self.assertIsNone(self.read("rebooted"), "the reboot was asked for")
