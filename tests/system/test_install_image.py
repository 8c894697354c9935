# SPDX-License-Identifier: Apache-2.0
"""vsock_host-install by itself: images that are refused, and what becomes of them."""
import hashlib
import mmap
import os
import signal
import unittest

from vsocktest.install import InstallCase


class ImageTest(InstallCase):
    def put(self, name="x"):
        """Moves the image to another name, so that something else can take its place."""
        os.rename(self.path("upgrade", self.sha256 + ".img"), self.path(name))
        return self.path("upgrade", self.sha256 + ".img")

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

    def test_told_to_stop_while_it_verifies(self):
        """The signal is pending from the start, so that it is seen while the image is read."""
        def stop():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            os.kill(os.getpid(), signal.SIGTERM)

        os.truncate(self.path("upgrade", self.sha256 + ".img"), 64 << 20)
        self.fails("internal", "stopped by a signal", preexec_fn=stop)
        self.assertNotRun()
        self.assertTrue(self.image_stays())


if __name__ == "__main__":
    unittest.main()
