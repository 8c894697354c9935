# SPDX-License-Identifier: Apache-2.0
"""The TestCase of the system tests: a folder, daemons, guests and servers that are cleaned up."""
import ctypes
import hashlib
import os
import shutil
import signal
import stat
import tempfile
import threading

from . import guest, wait_until
from .daemon import Daemon
from .peer import GET_HOSTOS_VERSION, Error, Peer, Response, upgrade
from .rows import RowTest
from .webserver import Resource, WebServer

PR_SET_CHILD_SUBREAPER = 36
MIB = 1 << 20

INSTALLER = """#!/bin/sh
# Notes what it was given; what it reads is the image.
echo "$1 $(sha256sum <"$1" | cut -d' ' -f1)" >>%(folder)s/installed
"""
REBOOT = """#!/bin/sh
echo reboot >>%(folder)s/rebooted
"""


def content_of(size, seed=0):
    """Bytes that do not repeat within a file, the same ones for each seed."""
    block = b"".join(hashlib.sha256(b"%d %d" % (seed, i)).digest() for i in range(2048))
    pieces, made = [], 0
    while made < size:
        pieces.append((b"%016d" % made) + block)
        made += len(pieces[-1])
    return b"".join(pieces)[:size]


def children():
    """The processes whose parent this process is, by pid."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as listed:
                found.update(int(pid) for pid in listed.read().split())
        except OSError:
            pass
    return found


class SystemTest(RowTest):
    maxDiff = None

    def setUp(self):
        # An installer that outlives its daemon becomes a child of this process, so that it can be
        # found and ended.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.folder = tempfile.mkdtemp(prefix="vt-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self._end_children)
        self._daemons = []
        self.write("version.txt", "1.2.3\n")
        self.write("console", "")
        self.script("installer", INSTALLER % {"folder": self.folder})
        self.script("reboot", REBOOT % {"folder": self.folder})

    def _end_children(self):
        for _ in range(100):
            left = children()
            if not left:
                return
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass

    # --- files ---

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content, mode=None):
        path = self.path(name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        if mode is not None:
            os.chmod(path, mode)
        return path

    def script(self, name, content):
        return self.write(name, content, stat.S_IRWXU)

    def read(self, name, default=None):
        try:
            with open(self.path(name), "rb") as file:
                return file.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return default

    # --- programs ---

    def daemon(self, sections=None, **more):
        """A running vsock_host; at the end of the test it is stopped and its log is judged."""
        daemon = Daemon(self.folder, sections, **more)
        self._daemons.append(daemon)
        self.addCleanup(self._end_daemon, daemon)
        return daemon

    def _end_daemon(self, daemon):
        try:
            if daemon.alive():
                code = daemon.stop()
                self.assertEqual(code, 0, "exit status of vsock_host; its log:\n" + daemon.log())
            else:
                daemon.check()
        finally:
            daemon.kill()
            daemon.notify.close()

    def peer(self, daemon, welcome=True, path=None):
        peer = Peer(path or daemon.socket_path)
        self.addCleanup(peer.close)
        return peer.welcome() if welcome else peer

    def upgrading(self, daemon, image, progress=None):
        """A guest that has sent the request for the upgrade to this image."""
        guest = self.peer(daemon)
        guest.send(upgrade(image.url, image.sha256, progress))
        return guest

    def guest(self, daemon, *arguments, **more):
        """Runs vsock_guest to its end: (exit status, stdout, stderr)."""
        return guest.run(daemon.socket_path, *arguments, **more)

    def guest_started(self, daemon, *arguments, **more):
        started = guest.Guest(daemon.socket_path, *arguments, **more)
        self.addCleanup(started.kill)
        return started

    def web(self):
        web = WebServer()
        self.addCleanup(web.close)
        return web

    def image(self, web, path="/image", size=MIB, seed=0, **more):
        """A resource of that size at path, with its `url`."""
        resource = Resource(content_of(size, seed), **more)
        resource.url = web.put(path, resource)
        return resource

    def forget_upgrades(self):
        """Removes all that a stopped daemon and vsock_host-install remember."""
        for name in ("upgrade", "install"):
            shutil.rmtree(self.path(name), ignore_errors=True)

    def in_thread(self, function, *arguments, **more):
        """Runs function in a thread; the returned call waits for its result or its exception."""
        box = {}

        def run():
            try:
                box["value"] = function(*arguments, **more)
            except BaseException as error:  # handed to whoever waits
                box["error"] = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def result(patience=60):
            thread.join(patience)
            if thread.is_alive():
                raise AssertionError("no end of %r within %g s" % (function, patience))
            if "error" in box:
                raise box["error"]
            return box["value"]

        return result

    # --- what is asserted again and again ---

    def assertError(self, answer, code, *words):
        """An ERROR of that code, whose one-line message holds all words."""
        self.assertIsInstance(answer, Error)
        self.assertEqual(answer.code, code, answer.message)
        for word in words:
            self.assertIn(word, answer.message)
        self.assertTrue(answer.message, "an error without a message")
        return answer

    def assertDone(self, answer):
        self.assertEqual(answer and answer[:2], (0, None), answer)

    def assertOneFailure(self, log):
        """One line at warning or above, and it is the end of the upgrade."""
        lines = [line for line in log.splitlines() if line.split(": ")[1] in ("warning", "error")
                 and "[steps] method = unit in " not in line]  # of the start, for the test's file
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"\Avsock_host: error: upgrade \w+: failed, .*, install_failed: ")

    def assertInstalled(self, *images):
        """The installer was run once for each image, in order, with the right bytes."""
        lines = (self.read("installed") or "").splitlines()
        self.assertEqual([line.split()[1] for line in lines],
                         [image.sha256.hex() for image in images])

    def assertVersion(self, answer, version="1.2.3"):
        self.assertIsInstance(answer, Response)
        self.assertEqual((answer.kind, answer.value), (2, version))

    def assertServes(self, daemon, version="1.2.3"):
        """The daemon is alive and answers a new guest."""
        with Peer(daemon.socket_path) as peer:
            self.assertVersion(peer.welcome().ask(GET_HOSTOS_VERSION), version)

    def wait_served(self, daemon):
        """Waits until a new guest is served again."""
        def served():
            try:
                self.assertServes(daemon)
                return True
            except (AssertionError, OSError, EOFError):
                return False
        wait_until(served, "vsock_host to serve again")
