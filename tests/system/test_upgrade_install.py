# SPDX-License-Identifier: Apache-2.0
"""upgrade: an installer or a reboot that goes wrong, and images that may not be installed."""
import os

from vsocktest import peer, wait_until
from vsocktest.daemon import configuration
from vsocktest.trouble import UpgradeTroubleTest
from vsocktest.webserver import Stall

SHA256 = bytes(range(32))


class InstallTest(UpgradeTroubleTest):
    def upgrade_fails(self, code, *words, sections=None):
        web, daemon = self.web(), self.daemon(sections)
        image = self.image(web)
        message = self.fails(daemon, image.url, image.sha256, code, *words)
        self.assertEqual(web.count("/image"), 1, "the download was repeated")
        return daemon, image, message

    def test_installer_missing(self):
        os.unlink(self.path("installer"))
        self.upgrade_fails("install_failed", self.path("installer"))

    def test_installer_not_executable(self):
        os.chmod(self.path("installer"), 0o644)
        self.upgrade_fails("install_failed", self.path("installer"))

    def test_install_program_missing(self):
        self.upgrade_fails("install_failed", sections={
            "steps": {"install_program": self.path("none")}})

    def test_relative_path_of_the_configuration(self):
        """vsock_host-install runs in / and reads the same file, with the drop-ins of that name."""
        os.makedirs(self.path("real"))
        os.makedirs(self.path("named.conf.d"))
        self.script("other", "#!/bin/sh\ntouch %s/other-ran\n" % self.folder)
        self.write("real/file", configuration(self.folder, None))
        os.symlink("real/file", self.path("named.conf"))
        self.write("named.conf.d/1.conf", "[install]\ninstaller =\ninstaller = %s\n" %
                   self.path("other"))
        web, daemon = self.web(), self.daemon(config="named.conf", cwd=self.folder)
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertIsNotNone(self.read("other-ran"), "the drop-in was not read")
        self.assertIsNone(self.read("installed"))

    def test_installer_fails(self):
        self.script("installer", "#!/bin/sh\nfor i in 1 2 3 4 5 6 7; do echo line$i; done\n"
                    "exit 3\n")
        daemon, _, message = self.upgrade_fails("install_failed", "3",
                                                "line3 | line4 | line5 | line6 | line7")
        self.assertOneFailure(daemon.log())
        self.assertNotIn("line2", message)

    def test_installer_is_killed(self):
        self.script("installer", "#!/bin/sh\nkill -SEGV $$\n")
        self.upgrade_fails("install_failed")

    def test_output_is_escaped(self):
        self.script("installer", "#!/bin/sh\nprintf 'a\\033[31mb\\n' >&2\nexit 1\n")
        daemon, _, _ = self.upgrade_fails("install_failed", "a\\x1b[31mb")
        self.assertNotIn("\x1b", daemon.log())

    def test_output_reaches_the_log(self):
        self.script("installer", "#!/bin/sh\nprintf '10%%\\r20%%\\r100%%\\nwritten\\n' >&2\n")
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertIn("100%", daemon.log())
        self.assertIn("written", daemon.log())

    def test_installer_hangs(self):
        self.script("installer", "#!/bin/sh\necho $$ >%s/pid\nsleep 600 &\necho $! >>%s/pid\n"
                    "wait\n" % (self.folder, self.folder))
        self.upgrade_fails("install_failed", sections={"install": {"installer_seconds": 1}})
        for pid in self.read("pid").split():
            wait_until(lambda: self.gone(int(pid)), "process %s of the installer to end" % pid)

    def gone(self, pid):
        """Ended, or a zombie that nobody has asked for yet."""
        try:
            with open("/proc/%d/stat" % pid) as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def test_installer_prints_100_megabytes(self):
        self.script("installer", "#!/bin/sh\nhead -c 50000000 /dev/zero | tr '\\0' x\n"
                    "head -c 50000000 /dev/zero | tr '\\0' '\\r' >&2\necho; echo end >&2\nexit 1\n")
        daemon, _, message = self.upgrade_fails("install_failed", "end")
        self.assertLessEqual(len(message.encode()), 1536)

    def test_not_ready(self):
        self.script("installer", "#!/bin/sh\necho 'Cannot install an upgrade before present "
                    "system is committed as stable.' >&2\nexit 1\n")
        daemon, image, _ = self.upgrade_fails("not_ready", "committed as stable")
        self.script("installer", "#!/bin/sh\n")
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_second_installer_while_one_lives(self):
        """The lock of another vsock_host-install is held: by flock on the file it would lock."""
        self.script("installer", "#!/bin/sh\ntouch %s/started\n"
                    "while [ ! -e %s/go ]; do sleep 0.1; done\n" % ((self.folder,) * 2))
        web, first = self.web(), self.daemon()
        image = self.image(web)
        guest = self.upgrading(first, image)
        wait_until(lambda: self.read("started") is not None, "the installer")
        first.kill()
        wait_until(guest.ended, "the end of the first daemon's connection")
        second = self.daemon()
        other = self.upgrading(second, image)
        self.assertServes(second)
        self.write("go", "")
        self.assertIsInstance(other.last(1), (peer.Response, peer.Error))
        self.assertEqual(self.read("rebooted"), "reboot\n", "the reboot was asked for once")

    def test_image_that_somebody_holds_open_for_writing(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.upgrading(daemon, image)
        part = self.path("upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part), part)
        held = os.open(part, os.O_RDWR)
        web.release()
        self.assertError(guest.last(1), "install_failed", "writ")
        self.assertIsNone(self.read("installed"), "the installer was run")
        os.close(held)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_reboot_command_fails(self):
        self.script("reboot", "#!/bin/sh\necho 'no reboot today' >&2\nexit 4\n")
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        guest = self.peer(daemon)
        self.assertError(guest.upgrade(image.url, image.sha256), "reboot_failed", "4")
        self.assertEqual(guest.status(2).result, "reboot_failed")
        self.script("reboot", "#!/bin/sh\necho reboot >>%s/rebooted\n" % self.folder)
        self.assertDone(guest.upgrade(image.url, image.sha256, id=3))
        self.assertEqual(self.read("rebooted"), "reboot\n")

    def test_reboot_command_missing(self):
        os.unlink(self.path("reboot"))
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertError(self.peer(daemon).upgrade(image.url, image.sha256), "reboot_failed",
                         self.path("reboot"))

    def test_hash_that_is_not_allowed(self):
        self.write("allowed", "%s\n" % SHA256.hex())
        self.upgrade_fails("install_failed", sections={
            "install": {"allowed_hashes": self.path("allowed")}})

    def test_hash_that_is_allowed(self):
        web = self.web()
        image = self.image(web)
        self.write("allowed", "%s\n%s\n" % (SHA256.hex(), image.sha256.hex()))
        daemon = self.daemon({"install": {"allowed_hashes": self.path("allowed")}})
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
