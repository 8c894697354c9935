# SPDX-License-Identifier: Apache-2.0
"""vsock_host-install by itself: installers that fail, hang, die, flood, or say: later."""
import os
import signal
import unittest

from vsocktest import wait_until
from vsocktest.install import InstallCase, gone

NOT_COMMITTED = "Cannot install an upgrade before present system is committed as stable."


class InstallerTest(InstallCase):
    def test_installer_missing(self):
        os.unlink(self.path("installer"))
        self.fails("install_failed", self.path("installer"), "No such file")
        self.assertTrue(self.image_stays())

    def test_installer_not_executable(self):
        os.chmod(self.path("installer"), 0o644)
        self.fails("install_failed", self.path("installer"), "Permission denied")

    def test_installer_fails(self):
        self.script("installer", "#!/bin/sh\nfor i in 1 2 3 4 5 6; do echo l$i; done\n"
                    "printf '1%%\\r2%%\\r' >&2\nprintf 'bad\\033[2J\\n' >&2\nexit 7\n")
        text = self.fails("install_failed", "status 7: l3 | l4 | l5 | l6 | bad\\x1b[2J")
        self.assertNotIn("l2", text)
        self.assertEqual(self.record()["exit_status"], "7")
        self.assertIsNone(self.read("rebooted"))

    def test_failure_gives_the_image_back(self):
        path = self.path("upgrade", self.sha256 + ".img")
        os.chmod(path, 0o640)
        if os.geteuid() == 0:
            os.chown(path, 1, 2)
        before = os.stat(path)
        self.script("installer", "#!/bin/sh\nexit 1\n")
        self.fails("install_failed", "status 1")
        after = os.stat(path)
        self.assertEqual((after.st_mode, after.st_uid, after.st_gid, after.st_ino),
                         (before.st_mode, before.st_uid, before.st_gid, before.st_ino))

    def test_long_lines(self):
        self.script("installer", "#!/bin/sh\nfor i in 1 2 3 4 5; do printf %0900d $i; echo; done\n"
                    "exit 3\n")
        text = self.fails("install_failed", "0005")
        self.assertNotIn("0004", text)

    def test_installer_killed(self):
        self.script("installer", "#!/bin/sh\nkill -SEGV $$\n")
        self.fails("install_failed", "signal 11 (SIGSEGV)")
        self.assertEqual(self.record()["exit_status"], "139")

    def test_installer_hangs(self):
        self.script("installer", "#!/bin/sh\nsleep 1000 &\necho $! >%s/pids\necho $$ >>%s/pids\n"
                    "echo waiting\nwait\n" % ((self.folder,) * 2))
        self.fails("install_failed", "timed out", "waiting",
                   sections={"install": {"installer_seconds": 1}})
        for pid in self.read("pids").split():
            wait_until(lambda: gone(int(pid)), "the end of process " + pid)

    def test_installer_leaves_a_process(self):
        """It keeps the output open, and the lock: busy, until it ends."""
        self.script("installer", "#!/bin/sh\nsleep 1000 &\necho $! >%s/pid\nexit 1\n" % self.folder)
        self.fails("install_failed", "status 1")
        self.run_it(status=3)
        os.kill(int(self.read("pid")), signal.SIGKILL)
        self.script("installer", "#!/bin/sh\n")
        wait_until(lambda: gone(int(self.read("pid"))), "its end")
        self.run_it()

    def test_100_megabytes(self):
        self.script("installer", "#!/bin/sh\nyes 0123456789012345678901234567890123456789 | "
                    "head -c 50000000\nhead -c 25000000 /dev/zero\n"
                    "head -c 25000000 /dev/zero | tr '\\0' '\\r' >&2\necho; echo end >&2\nexit 1\n")
        err = self.run_it(status=1)
        self.assertRegex(self.record()["text"], r"status 1: end\Z")
        self.assertLess(len(err), 1 << 20)
        self.assertRegex(err, r"\(\d+ lines left out\)")

    def test_not_ready(self):
        self.script("installer", "#!/bin/sh\necho 'E: %s' >&2\nfor i in 1 2 3 4 5 6 7; do echo $i; "
                    "done\nexit 1\n" % NOT_COMMITTED)
        self.fails("not_ready", "committed as stable")
        self.assertTrue(self.image_stays())
        self.script("installer", "#!/bin/sh\n")
        self.run_it()

    def test_not_ready_needs_both(self):
        self.script("installer", "#!/bin/sh\necho '%s'\nexit 2\n" % NOT_COMMITTED)
        self.fails("install_failed", "committed as stable")
        self.script("installer", "#!/bin/sh\necho 'Cannot install'\nexit 1\n")
        self.fails("install_failed", "Cannot install")

    def test_said_but_done(self):
        self.script("installer", "#!/bin/sh\necho '%s'\n" % NOT_COMMITTED)
        self.run_it()

if __name__ == "__main__":
    unittest.main()
