# SPDX-License-Identifier: Apache-2.0
"""vsock_host-install by itself: what it takes, what it runs, what it writes down, what it leaves."""
import hashlib
import mmap
import os
import re
import signal
import stat
import subprocess
import time
import unittest

from vsocktest import PATIENCE, program, wait_until
from vsocktest.case import SystemTest, content_of
from vsocktest.daemon import configuration, sanitizer_report

NOT_COMMITTED = "Cannot install an upgrade before present system is committed as stable."
BOOT_ID = open("/proc/sys/kernel/random/boot_id").read().strip()


def gone(pid):
    """Ended, or a zombie that nobody has asked for yet."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class InstallTest(SystemTest):
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

    # --- the good path ---

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
            self.assertTrue(before <= int(record["started"]) <= time.time())
            self.assertNotIn("code", record)
            self.assertEqual(record["text"], "")
        self.assertEqual((started["ended"], started["reboot_at"]), ("0", "0"))
        self.assertNotIn("exit_status", started)
        self.assertEqual((installed["exit_status"], installed["reboot_at"]), ("0", "0"))
        self.assertTrue(before <= int(last["ended"]) <= int(last["reboot_at"]) <= time.time())

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

    # --- images that are refused ---

    def put(self, name="x"):
        """Moves the image to another name, so that something else can take its place."""
        os.rename(self.path("upgrade", self.sha256 + ".img"), self.path(name))
        return self.path("upgrade", self.sha256 + ".img")

    def assertNotRun(self):
        self.assertIsNone(self.read("installed"), "the installer was run")
        self.assertIsNone(self.read("rebooted"), "the reboot was asked for")

    def test_wrong_hash(self):
        self.write("upgrade/%s.img" % self.sha256, self.content[:-1] + b"?")
        found = hashlib.sha256(self.content[:-1] + b"?").hexdigest()
        self.fails("hash_mismatch", found, self.sha256)
        self.assertNotRun()
        self.assertFalse(self.image_stays())

    def test_empty_image(self):
        self.write("upgrade/%s.img" % self.sha256, b"")
        self.fails("hash_mismatch")
        self.assertNotRun()

    def test_missing_image(self):
        self.put()
        self.fails("internal", self.sha256 + ".img")
        self.assertNotRun()

    def test_missing_directory(self):
        self.fails("internal", "[upgrade] directory",
                   sections={"upgrade": {"directory": self.path("none")}})

    def test_symbolic_link(self):
        os.symlink(self.path("x"), self.put())
        mode = os.stat(self.path("x")).st_mode
        self.fails("internal", "symbolic link")
        self.assertNotRun()
        self.assertTrue(self.image_stays())
        self.assertEqual(os.stat(self.path("x")).st_mode, mode)

    def test_second_name(self):
        os.link(self.path("x"), self.put())
        mode = os.stat(self.path("x")).st_mode
        self.fails("internal", "one name")
        self.assertNotRun()
        self.assertTrue(self.image_stays())
        self.assertEqual(os.stat(self.path("x")).st_mode, mode)

    def test_fifo(self):
        os.mkfifo(self.put())
        self.fails("internal", "regular file")

    def test_directory_in_its_place(self):
        os.makedirs(os.path.join(self.put(), "full"))
        self.fails("internal", "regular file")
        self.assertTrue(os.path.isdir(self.path("upgrade", self.sha256 + ".img", "full")))
        os.makedirs(self.path("install", "image", "empty"), exist_ok=True)
        self.fails("internal", "regular file")

    def test_open_for_writing(self):
        for flags in (os.O_WRONLY, os.O_RDWR):
            with self.subTest(flags):
                held = os.open(self.path("upgrade", self.sha256 + ".img"), flags)
                self.fails("install_failed", "open for writing")
                self.assertNotRun()
                self.assertTrue(self.image_stays())
                os.close(held)
        self.run_it()

    def test_writable_shared_mapping(self):
        fd = os.open(self.path("upgrade", self.sha256 + ".img"), os.O_RDWR)
        mapped = mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        os.close(fd)
        # mmap.mmap keeps a copy of the descriptor; a mapping alone is what is asked about here.
        for name in os.listdir("/proc/self/fd"):
            try:
                if self.sha256 in os.readlink("/proc/self/fd/" + name):
                    os.close(int(name))
            except OSError:
                pass
        self.fails("install_failed", "mapped writable")
        self.assertNotRun()
        try:
            mapped.close()
        except OSError:
            pass  # its copy of the descriptor is closed already
        self.run_it()

    def test_reader_is_no_reason(self):
        with open(self.path("upgrade", self.sha256 + ".img"), "rb"):
            self.run_it()

    def test_leased_while_it_is_installed(self):
        """A writer that root lets through is turned away while the installer reads."""
        self.script("installer", "#!/bin/sh\necho \"$1\" >%s/started\n"
                    "while [ ! -e %s/go ]; do sleep 0.05; done\n" % ((self.folder,) * 2))
        started = self.start()
        self.wait_file("started")
        path = self.path("install", "image", self.sha256 + ".img")
        os.chmod(path, 0o600)
        with self.assertRaises(BlockingIOError):
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        self.write("go", "")
        self.finish(started, 0)

    def test_other_file_system(self):
        other = "/dev/shm"
        if not os.path.isdir(other) or os.stat(other).st_dev == os.stat(self.folder).st_dev:
            self.skipTest("needs a second file system at /dev/shm")
        folder = os.path.join(other, os.path.basename(self.folder))
        os.mkdir(folder)
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(lambda: [os.unlink(os.path.join(folder, name))
                                 for name in os.listdir(folder)])
        path = os.path.join(folder, self.sha256 + ".img")
        with open(path, "wb") as out:
            out.write(self.content)
        self.fails("install_failed", "different file systems", folder,
                   sections={"upgrade": {"directory": folder}})
        self.assertTrue(os.path.exists(path))

    def test_allowed_hashes(self):
        allowed = {"install": {"allowed_hashes": self.path("allowed")}}
        self.write("allowed", "# none\n\n%s\n" % ("0" * 64))
        self.fails("install_failed", "allowed_hashes", sections=allowed)
        self.assertTrue(self.image_stays())
        self.write("allowed", "")
        self.fails("install_failed", "allowed_hashes", sections=allowed)
        self.write("allowed", "%s\nnot a hash\n" % self.sha256)
        self.fails("internal", "line 2", sections=allowed)
        os.unlink(self.path("allowed"))
        self.fails("internal", "No such file", sections=allowed)
        self.assertNotRun()
        self.write("allowed", "%s\n%s  image.tar.zst" % ("0" * 64, self.sha256.upper()))
        self.run_it(sections=allowed)

    # --- installers ---

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
        self.fails("install_failed", "too long", "waiting",
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
        self.assertTrue(self.record()["text"].endswith("status 1: end"))
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
