# SPDX-License-Identifier: Apache-2.0
"""What the tests of upgrades that fail share."""
import os
import subprocess

from .case import SystemTest


class UpgradeTroubleTest(SystemTest):
    def fails(self, daemon, url, sha256, code, *words):
        """The upgrade ends in that error, and so does the status; nothing ran."""
        guest = self.peer(daemon)
        answer = self.assertError(guest.upgrade(url, sha256), code, *words)
        status = guest.status(2)
        self.assertEqual((status.phase, status.result, status.sha256), ("failed", code, sha256))
        self.assertEqual(status.detail, answer.message)
        self.assertIsNone(self.read("rebooted"), "a reboot was asked for")
        self.assertServes(daemon)
        self.assertIn(answer.message.split(":")[0], daemon.log())
        return answer.message

    def nothing_ran(self):
        self.assertIsNone(self.read("installed"), "the installer was run")
        self.assertEqual([name for name in os.listdir(self.path("upgrade"))
                          if name.endswith(".img")], [])

    def tmpfs(self, size):
        """The sections of a configuration whose directories are on a disk of that size."""
        if os.getuid() != 0:
            self.skipTest("needs root: a small tmpfs is mounted")
        path = self.path("small")
        os.mkdir(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=0700" % size, "none",
                               path], capture_output=True, text=True)
        if done.returncode:
            self.skipTest("a tmpfs cannot be mounted here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", path])
        return {"upgrade": {"directory": path + "/upgrade", "keep_free": "0"},
                "install": {"directory": path + "/install"}}
