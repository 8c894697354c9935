# SPDX-License-Identifier: Apache-2.0
"""vsock_host-install by itself: the good path, its command line, a second one, the reboot."""
import hashlib
import os
import re
import signal
import stat
import subprocess
import time
import unittest

from vsocktest import PATIENCE, program, wait_until
from vsocktest.install import InstallCase, gone

with open("/proc/sys/kernel/random/boot_id") as boot_id:
    BOOT_ID = boot_id.read().strip()


class InstallTest(InstallCase):
    def test_done(self):
        self.script("installer", """#!/bin/sh
cp %(f)s/install/record %(f)s/at-installer
stat -c '%%a %%u %%h' "$3" >%(f)s/image-stat
cp "$3" %(f)s/image-copy
for name in environ cmdline; do tr '\\0' '\\n' </proc/$$/$name >%(f)s/$name; done
readlink /proc/$$/cwd /proc/$$/fd/0 >%(f)s/links
ls /proc/$$/fd >%(f)s/fds
echo $$ $(cut -d' ' -f5,6 /proc/$$/stat) >%(f)s/session
grep -E '^Sig(Blk|Ign)' /proc/self/status >%(f)s/signals
stat -c '%%a' "${3%%/*}" >%(f)s/folder-mode
""" % {"f": self.folder})
        self.script("reboot", "#!/bin/sh\ncp %s/install/record %s/at-reboot\necho \"$@\" >%s/rebooted\n"
                    % ((self.folder,) * 3))
        before = int(time.time())
        self.run_it(sections={
            "install": {"installer": [self.path("installer"), "--fixed", "word"]},
            "reboot": {"command": [self.path("reboot"), "now", "please"]}})
        image = self.path("install", "image", self.sha256 + ".img")
        self.assertEqual(self.read("cmdline").splitlines(),
                         ["/bin/sh", self.path("installer"), "--fixed", "word", image])
        self.assertEqual(
            self.read("environ"),
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
        self.assertEqual(self.read("links"), "/\n/dev/null\n")
        self.assertEqual(self.read("image-stat"), "400 %d 1\n" % os.geteuid())
        self.assertEqual(self.read("folder-mode"), "700\n")
        with open(self.path("image-copy"), "rb") as copy:
            self.assertEqual(copy.read(), self.content)
        # 3 is the lock, 4 the output's other end; sh keeps the script itself at 10 or above.
        self.assertEqual({fd for fd in self.read("fds").split() if int(fd) < 10},
                         {"0", "1", "2", "3", "4"})
        pid, group, session = self.read("session").split()
        self.assertEqual((pid, pid), (group, session))
        masks = [int(line.split()[1], 16) & ~0x180000000
                 for line in self.read("signals").splitlines()]
        self.assertEqual(masks, [0, 0])
        self.assertEqual(self.read("rebooted"), "now please\n")

        started, installed = self.record("at-installer"), self.record("at-reboot")
        last = self.record()
        self.assertEqual([record["stage"] for record in (started, installed, last)],
                         ["started", "installed", "rebooting"])
        for record in (started, installed, last):
            self.assertEqual((record["sha256"], record["boot_id"]), (self.sha256, BOOT_ID))
            self.assertOrder(before, int(record["started"]), time.time())
            self.assertNotIn("code", record)
            self.assertEqual(record["text"], "")
        self.assertEqual((started["ended"], started["reboot_at"]), ("0", "0"))
        self.assertNotIn("exit_status", started)
        self.assertEqual((installed["exit_status"], installed["reboot_at"]), ("0", "0"))
        self.assertOrder(before, int(last["ended"]), int(last["reboot_at"]), time.time())

    def test_nothing_is_left_over(self):
        self.run_it()
        self.assertEqual(os.listdir(self.path("upgrade")), [])
        self.assertEqual(sorted(os.listdir(self.path("install"))), ["image", "lock", "record"])
        self.assertEqual(os.listdir(self.path("install", "image")), [])
        for name, mode in (("", 0o755), ("image", 0o700), ("lock", 0o644), ("record", 0o644)):
            self.assertEqual(stat.S_IMODE(os.stat(self.path("install", name)).st_mode), mode, name)

    def test_umask_does_not_count(self):
        self.run_it(umask=0o077)
        for name in ("lock", "record"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path("install", name)).st_mode), 0o644)

    def test_left_overs_of_a_killed_run_are_removed(self):
        os.makedirs(self.path("install", "image"))
        self.write("install/image/" + "0" * 64 + ".img", "old")
        self.write("install/record.new", "half")
        self.run_it()
        self.assertEqual(os.listdir(self.path("install", "image")), [])
        self.assertEqual(self.record()["stage"], "rebooting")

    def test_closed_standard_descriptors(self):
        self.script("installer", "#!/bin/sh\nreadlink /proc/$$/fd/3 >%s/third\n" % self.folder)
        self.run_it(preexec_fn=lambda: os.closerange(0, 3), status=0)
        self.assertEqual(self.record()["stage"], "rebooting")
        self.assertEqual(self.read("third"), self.path("install", "lock") + "\n")
        self.assertEqual(self.read("install/lock"), "")

    def test_upper_case_hash(self):
        self.run_it(self.sha256.upper())
        self.assertEqual(self.record()["sha256"], self.sha256)

    # --- the command line and the configuration ---

    def usage(self, *arguments):
        result = subprocess.run([program("vsock_host-install"), *arguments], capture_output=True,
                                timeout=PATIENCE, check=False)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def test_usage_errors(self):
        for arguments, word in (((), "SHA-256"), (("a",), "64 hex digits"),
                                (("g" * 64,), "64 hex digits"), (("0" * 63,), "64 hex digits"),
                                (("0" * 64, "1" * 64), "2 arguments"),
                                (("--conf\x1b",), "\\x1b"), (("--config",), "needs a value"),
                                (("-x", "0" * 64), "-x"), (("",), "64 hex digits")):
            with self.subTest(arguments):
                status, out, err = self.usage(*arguments)
                self.assertEqual((status, out), (2, ""), err)
                self.assertEqual(err.count("\n"), 1)
                self.assertIn(word, err)
        self.assertFalse(os.path.exists(self.path("install")))

    def test_help_and_version(self):
        for option in ("-h", "--help"):
            status, out, err = self.usage(option)
            self.assertEqual((status, err), (0, ""))
            self.assertIn("SHA256", out)
            self.assertLessEqual(out.count("\n"), 24)
        for option in ("-V", "--version"):
            status, out, err = self.usage(option)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"^vsock_host-install \d+\.\d+\.\d+\n$")

    def test_bad_configuration(self):
        err = self.run_it(status=4, sections={"install": {"installer_seconds": "many"}})
        self.assertIn("installer_seconds", err)
        self.assertTrue(self.image_stays())
        self.assertFalse(os.path.exists(self.path("install")))

    def test_directory_that_cannot_be(self):
        self.write("install", "a file")
        self.assertIn(self.path("install"), self.run_it(status=4))
        self.assertTrue(self.image_stays())

    # --- a second one ---

    WAITS = ("#!/bin/sh\necho $$ >%(f)s/pid.new\nmv %(f)s/pid.new %(f)s/pid\n"
             "while [ ! -e %(f)s/go ]; do sleep 0.05; done\n%(then)s\n")

    def waiting(self, then=""):
        """Started, its installer waiting for the file "go" before it does the rest."""
        self.script("installer", self.WAITS % {"f": self.folder, "then": then})
        started = self.start()
        self.wait_file("pid")
        return started

    def assertBusy(self):
        record = self.record()
        err = self.run_it("0" * 64, status=3)
        self.assertRegex(err, r"busy: .*\n$")
        self.assertEqual(self.record(), record)

    def test_second_is_busy(self):
        started = self.waiting()
        self.assertEqual(self.record()["stage"], "started")
        self.assertBusy()
        self.write("go", "")
        self.finish(started, 0)

    def test_killed_and_the_installer_lives_on(self):
        """It writes more than a pipe holds by default, to nobody, and still ends as it would."""
        started = self.waiting("head -c 500000 /dev/zero\necho $? >%s/survived" % self.folder)
        started.kill()
        started.wait()
        self.assertBusy()
        self.assertEqual(self.record()["stage"], "started")
        self.write("go", "")
        self.wait_file("survived")
        wait_until(lambda: self.read("survived") == "0\n", "the installer's own end")
        wait_until(lambda: gone(int(self.read("pid"))), "the installer's end")
        self.assertEqual(self.record()["stage"], "started")
        self.run_it("0" * 64, status=1)  # no longer busy: there is no such image
        self.assertEqual(self.record()["code"], "internal")

    def test_told_to_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.write("upgrade/%s.img" % self.sha256, self.content)
                started = self.waiting("echo done >%s/survived" % self.folder)
                started.send_signal(number)
                self.assertIn("left running", self.finish(started, 5))
                self.assertBusy()
                self.assertEqual(self.record()["stage"], "started")
                self.write("go", "")
                self.wait_file("survived")
                wait_until(lambda: gone(int(self.read("pid"))), "the installer's end")
                for name in ("go", "survived", "pid"):
                    os.unlink(self.path(name))

    def test_reader_of_its_output_goes_away(self):
        started = self.waiting("head -c 500000 /dev/zero | tr '\\0' '\\n'\nseq 1000")
        started.stderr.close()
        started.stdout.close()
        self.write("go", "")
        self.assertEqual(started.wait(timeout=PATIENCE), 0)
        self.assertEqual(self.record()["stage"], "rebooting")

    # --- the reboot ---

    def test_reboot_fails(self):
        self.script("reboot", "#!/bin/sh\necho 'no reboot today' >&2\nexit 4\n")
        self.fails("reboot_failed", "status 4: no reboot today", stage="installed")
        self.assertEqual(self.record()["exit_status"], "0")
        self.assertFalse(self.image_stays())

    def test_reboot_missing(self):
        os.unlink(self.path("reboot"))
        self.fails("reboot_failed", self.path("reboot"), "No such file", stage="installed")

    def test_only_the_reboot_is_asked_for_again(self):
        self.script("reboot", "#!/bin/sh\nexit 4\n")
        self.fails("reboot_failed", stage="installed")
        self.script("reboot", "#!/bin/sh\necho reboot >>%s/rebooted\n" % self.folder)
        self.write("upgrade/%s.img" % self.sha256, self.content)  # fetched again in between
        self.assertIn("only the reboot", self.run_it())
        record = self.record()
        self.assertEqual((record["stage"], record["text"]), ("rebooting", ""))
        self.assertNotIn("code", record)
        self.assertEqual(self.read("installed").count("\n"), 1)
        self.assertFalse(self.image_stays())
        self.run_it()
        self.assertEqual(self.read("installed").count("\n"), 1)
        self.assertEqual(self.read("rebooted"), "reboot\nreboot\n")

    def edit_record(self, key, value):
        text = re.sub("(?m)^%s=.*$" % key, "%s=%s" % (key, value), self.read("install/record"))
        self.write("install/record", text)

    def test_after_a_reboot_it_is_installed_again(self):
        self.run_it()
        self.edit_record("boot_id", "0" * 8 + BOOT_ID[8:])
        self.write("upgrade/%s.img" % self.sha256, self.content)
        self.run_it()
        self.assertEqual(self.read("installed").count("\n"), 2)
        self.assertEqual(self.record()["boot_id"], BOOT_ID)

    def test_other_hash_is_installed(self):
        self.run_it()
        other = hashlib.sha256(b"other").hexdigest()
        self.write("upgrade/%s.img" % other, "other")
        self.run_it(other)
        self.assertEqual(self.read("installed").count("\n"), 2)
        self.assertEqual(self.record()["sha256"], other)

    def test_damaged_record_is_no_obstacle(self):
        os.mkdir(self.path("install"))
        self.write("install/record", b"\xff\0nonsense")
        self.run_it()
        self.assertEqual(self.record()["stage"], "rebooting")

    def test_record_that_cannot_be_written(self):
        os.makedirs(self.path("install", "record", "x"))
        self.assertIn("record", self.run_it(status=4))
        self.assertTrue(self.image_stays())
        self.assertNotRun()

if __name__ == "__main__":
    unittest.main()
