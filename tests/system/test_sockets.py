# SPDX-License-Identifier: Apache-2.0
"""Listening: Unix sockets in use and left behind, modes, uids, CIDs, activation, READY."""
import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import unittest

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest
from vsocktest.daemon import configuration

# Runs peer.py's Peer as another user: argv is uid, path.
AS_USER = """
import os, sys
sys.path.insert(0, %r)
from vsocktest import peer
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
print(repr(peer.Peer(sys.argv[2]).hello()))
""" % os.path.dirname(os.path.abspath(__file__))


class PathTest(SystemTest):
    def test_in_use_by_a_live_daemon(self):
        first = self.daemon()
        second = self.daemon(wait=False)
        self.assertEqual(second.wait(), 1)
        self.assertIn(first.socket_path, second.log())
        self.assertRegex(second.log(), r"(?i)in use|already")
        self.assertServes(first)

    def test_left_by_a_dead_one(self):
        first = self.daemon()
        first.kill()
        self.assertTrue(os.path.exists(first.socket_path))
        self.assertServes(self.daemon())

    def test_not_a_socket_is_left_alone(self):
        self.write("host.sock", "precious")
        daemon = self.daemon(wait=False)
        self.assertEqual(daemon.wait(), 1)
        self.assertIn("host.sock", daemon.log())
        self.assertEqual(self.read("host.sock"), "precious")

    def test_folder_that_is_missing(self):
        daemon = self.daemon({"listen": {"address": "unix:%s" % self.path("none", "host.sock")}},
                             wait=False)
        self.assertEqual(daemon.wait(), 1)
        self.assertIn(self.path("none"), daemon.log())

    def test_unlinked_at_exit(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon()
            self.assertTrue(stat.S_ISSOCK(os.stat(daemon.socket_path).st_mode))
            self.assertEqual(daemon.stop(number), 0)
            self.assertFalse(os.path.exists(daemon.socket_path))

    def test_several_listeners(self):
        paths = [self.path(name) for name in ("a.sock", "b.sock", "c.sock")]
        daemon = self.daemon({"listen": {"address": ["unix:" + path for path in paths]}})
        for path in paths:
            self.assertVersion(self.peer(daemon, path=path).ask(peer.GET_HOSTOS_VERSION))

    def test_second_listener_in_use(self):
        """Nothing is left behind by a start that fails half way."""
        first = self.daemon()
        second = self.daemon({"listen": {"address": [
            "unix:" + self.path("new.sock"), "unix:" + first.socket_path]}}, wait=False)
        self.assertEqual(second.wait(), 1)
        self.assertFalse(os.path.exists(self.path("new.sock")))
        self.assertServes(first)

    def test_listen_option(self):
        path = self.path("other.sock")
        daemon = self.daemon(arguments=["--listen", "unix:" + path])
        self.assertVersion(self.peer(daemon, path=path).ask(peer.GET_HOSTOS_VERSION))
        self.assertFalse(os.path.exists(daemon.socket_path))

    def test_ready_means_that_it_answers(self):
        for _ in range(5):
            daemon = self.daemon()
            self.assertServes(daemon)  # no second try
            self.assertEqual(daemon.stop(), 0)

    def test_order_of_what_systemd_is_told(self):
        daemon = self.daemon()
        self.assertServes(daemon)
        self.assertEqual(daemon.stop(), 0)
        told = [key for message in daemon.notify.messages for key in message
                if key in ("READY", "STATUS", "STOPPING")]
        self.assertEqual((told[0], told[-1] in ("STOPPING", "STATUS")), ("READY", True))
        self.assertIn("STATUS", told)
        self.assertEqual(told.count("READY"), 1)
        self.assertEqual(told.count("STOPPING"), 1)
        self.assertLess(told.index("STATUS"), told.index("STOPPING"))


class ClaimTest(SystemTest):
    """PATH.lock: two that start at one instant do not take a dead socket from each other."""

    def test_claim_of_another(self):
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(self.path("host.sock"))
        dead.close()
        before = os.stat(self.path("host.sock")).st_ino
        with open(self.path("host.sock.lock"), "w") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX)
            daemon = self.daemon(wait=False)
            self.assertEqual(daemon.wait(), 1)
            self.assertRegex(daemon.log(), "already in use")
            self.assertEqual(os.stat(self.path("host.sock")).st_ino, before)
        self.assertServes(self.daemon())  # a file that nobody holds is no claim

    def test_nothing_is_left(self):
        daemon = self.daemon()
        self.assertTrue(os.path.exists(self.path("host.sock.lock")))
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual([name for name in os.listdir(self.folder) if "host.sock" in name], [])

    def test_link_is_not_followed(self):
        self.write("precious", "kept")
        os.symlink(self.path("precious"), self.path("host.sock.lock"))
        self.assertEqual(self.daemon(wait=False).wait(), 1)
        self.assertEqual(self.read("precious"), "kept")

    def test_two_at_once(self):
        for turn in range(5):
            first = self.daemon()
            first.kill()
            configs = [self.write("%d.conf" % i, configuration(self.folder, {
                "upgrade": {"directory": self.path("upgrade%d" % i)}})) for i in range(2)]
            two = [self.daemon(wait=False, config=config) for config in configs]
            wait_until(lambda: any(not one.alive() for one in two), "one of them to give up")
            left = [one for one in two if one.alive()]
            self.assertEqual(len(left), 1, "turn %d" % turn)
            left[0].wait_ready()
            self.assertServes(left[0])
            self.assertEqual(left[0].stop(), 0)


# Becomes the daemon with the descriptor argv[1] as the first one that systemd passed.
PASS = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.closerange(4, 100)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
os.execvp(sys.argv[3], sys.argv[3:])
"""


class ActivationTest(SystemTest):
    def activated(self, passed, count=1, **more):
        return self.daemon(prefix=[sys.executable, "-c", PASS, str(passed.fileno()), str(count)],
                           pass_fds=[passed.fileno()], **more)

    def listening(self, name="passed.sock", kind=socket.SOCK_STREAM, listens=True):
        made = socket.socket(socket.AF_UNIX, kind)
        self.addCleanup(made.close)
        made.bind(name if name.startswith("\0") else self.path(name))
        if listens:
            made.listen()
        return made

    def test_serves_on_what_was_passed(self):
        daemon = self.activated(self.listening())
        path = self.path("passed.sock")
        self.assertVersion(self.peer(daemon, path=path).ask(peer.GET_HOSTOS_VERSION))
        self.assertFalse(os.path.exists(daemon.socket_path), "[listen] address is used too")
        self.assertIn("systemd passed", daemon.log())
        daemon.notify.wait(lambda message: message.get("STATUS") == "Listening on unix:" + path,
                           "where it listens")
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(os.path.exists(path), "the file is systemd's")

    def test_guest_that_came_before_the_daemon(self):
        passed = self.listening()
        waiting = socket.socket(socket.AF_UNIX)
        self.addCleanup(waiting.close)
        waiting.connect(self.path("passed.sock"))
        waiting.sendall(peer.hello())
        self.activated(passed)
        waiting.settimeout(30)
        self.assertTrue(waiting.recv(1), "no answer")

    def test_abstract_name(self):
        name = "\0vsock-test-%d" % os.getpid()
        daemon = self.activated(self.listening(name))
        self.assertVersion(self.peer(daemon, path=name).ask(peer.GET_HOSTOS_VERSION))
        wait_until(lambda: "unix:@" + name[1:] in daemon.log(), "the name in the log")

    def test_children_are_not_told(self):
        self.script("installer", "#!/bin/sh\nenv >%s/environment\nls -l /proc/$$/fd >%s/open\n" %
                    (self.folder, self.folder))
        web, passed = self.web(), self.listening()
        daemon = self.activated(passed)
        image = self.image(web)
        guest = self.peer(daemon, path=self.path("passed.sock"))
        self.assertDone(guest.upgrade(image.url, image.sha256))
        self.assertNotIn("LISTEN_", self.read("environment"))
        self.assertNotIn("socket:", self.read("open"))

    def refused(self, passed, *words):
        daemon = self.activated(passed, wait=False)
        self.assertEqual(daemon.wait(), 1)
        for word in words:
            self.assertIn(word, daemon.log())
        self.assertEqual(len(daemon.log().splitlines()), 1, daemon.log())

    def test_refused(self):
        self.refused(self.listening("datagram", socket.SOCK_DGRAM, False), "stream", "descriptor 3")
        self.refused(self.listening("deaf", listens=False), "does not listen", "Accept=no")
        with socket.create_server(("127.0.0.1", 0)) as tcp:
            self.refused(tcp, "not a socket of AF_VSOCK or AF_UNIX")
        with open(self.path("version.txt")) as file:
            self.refused(file, "descriptor 3")

    def test_more_than_were_opened(self):
        daemon = self.activated(self.listening(), count=2, wait=False)
        self.assertEqual(daemon.wait(), 1)
        self.assertIn("descriptor 4", daemon.log())


class WhoTest(SystemTest):
    def test_mode(self):
        for mode in ("0600", "0660", "0666"):
            daemon = self.daemon({"listen": {"unix_mode": mode}})
            self.assertEqual(stat.S_IMODE(os.stat(daemon.socket_path).st_mode), int(mode, 8))
            self.assertEqual(daemon.stop(), 0)

    def test_mode_does_not_hang_on_the_umask(self):
        daemon = self.daemon({"listen": {"unix_mode": "0666"}},
                             prefix=["sh", "-c", 'umask 077; exec "$@"', "sh"])
        self.assertEqual(stat.S_IMODE(os.stat(daemon.socket_path).st_mode), 0o666)

    def test_cid_that_is_not_allowed(self):
        daemon = self.daemon({"listen": {"unix_cid": 4}})
        guest = self.peer(daemon, welcome=False)
        self.assertError(guest.hello(), "forbidden", "4")
        self.assertTrue(guest.ended())
        guest = self.peer(daemon, welcome=False)
        guest.send(peer.hello() + peer.request(peer.GET_HOSTOS_VERSION))
        self.assertError(guest.answer(), "forbidden")
        self.assertTrue(guest.ended())

    def test_cid_that_is_allowed(self):
        daemon = self.daemon({"listen": {"unix_cid": 4, "allowed_cids": "3 4"}})
        self.assertServes(daemon)

    def as_user(self, uid, daemon):
        os.chmod(self.folder, 0o755)
        done = subprocess.run([sys.executable, "-c", AS_USER, str(uid), daemon.socket_path],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @unittest.skipUnless(os.getuid() == 0, "needs root: another user's peer is started")
    def test_uid_that_is_not_served(self):
        daemon = self.daemon({"listen": {"unix_mode": "0666"}})
        self.assertIn("'forbidden'", self.as_user(12345, daemon))
        self.assertServes(daemon)

    @unittest.skipUnless(os.getuid() == 0, "needs root: another user's peer is started")
    def test_uid_that_is_served(self):
        daemon = self.daemon({"listen": {"unix_mode": "0666", "unix_uids": "12345"}})
        self.assertIn("Welcome", self.as_user(12345, daemon))
        self.assertIn("'forbidden'", self.as_user(12346, daemon))
