# SPDX-License-Identifier: Apache-2.0
"""What the package does to the folders of an installation, at a boot and when it is purged."""
import fcntl
import os
import shutil
import struct
import subprocess
import unittest

from vsocktest.case import SystemTest

PACKAGING = os.path.join(os.path.dirname(__file__), "../../packaging/")


class FoldersTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.state = self.path("lib/vsock_host-install")
        os.makedirs(os.path.join(self.state, "image"))
        for name in ("image/0.img", "record", "lock"):
            self.write(os.path.join(self.state, name), "")

    def packaged(self, name):
        """A copy whose folders are those of the test."""
        with open(PACKAGING + name) as file:
            text = file.read()
        for folder in ("/etc/vsock_host", "/var/lib/", "/run/"):
            text = text.replace(folder, self.path(folder.replace("/var/", "/")[1:]))
        return self.script(os.path.basename(name), text)

    def run_it(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60,
                              check=True).stderr

    def left(self, name=""):
        folder = os.path.join(self.state, name)
        return sorted(os.listdir(folder)) if os.path.exists(folder) else None

    @unittest.skipUnless(shutil.which("systemd-tmpfiles"), "systemd-tmpfiles is not installed")
    def test_boot_removes_the_image(self):
        lines = self.packaged("vsock_host.tmpfiles")
        self.run_it("systemd-tmpfiles", "--remove", "--clean", lines)
        self.assertEqual(self.left("image"), ["0.img"])
        self.run_it("systemd-tmpfiles", "--remove", "--boot", lines)
        self.assertEqual(self.left("image"), [])
        self.assertEqual(self.left(), ["image", "lock", "record"])

    def lock(self):
        """As vsock_host-install holds it."""
        held = open(os.path.join(self.state, "lock"), "r+")
        self.addCleanup(held.close)
        fcntl.fcntl(held, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        return held

    def purge(self):
        with open(self.packaged("debian/vsock-host.postrm")) as script:
            text = script.read()
        self.assertIn(self.state, text)
        self.assertNotIn(" /etc/", text)
        return self.run_it("sh", self.path("vsock-host.postrm"), "purge")

    def test_purge_leaves_an_installation_its_folder(self):
        os.makedirs(self.path("lib/vsock_host"))
        held = self.lock()
        self.assertRegex(self.purge(), r"\A[^\n]*vsock_host-install[^\n]*\n\Z")
        self.assertEqual(self.left(), ["image", "lock", "record"])
        self.assertFalse(os.path.exists(self.path("lib/vsock_host")))
        held.close()
        self.assertEqual(self.purge(), "")
        self.assertIsNone(self.left())
        self.assertEqual(self.purge(), "")  # once more, with nothing there

    def test_purge_removes_the_configuration(self):
        drop_ins = self.path("etc/vsock_host/vsock_host.conf.d")
        os.makedirs(drop_ins)
        self.write(os.path.join(drop_ins, "50-site.conf"), "")
        self.assertEqual(self.purge(), "")
        self.assertFalse(os.path.exists(self.path("etc/vsock_host")))
