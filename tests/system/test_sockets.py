# SPDX-License-Identifier: Apache-2.0
"""Listening: Unix sockets in use and left behind, modes, uids, CIDs, activation, READY."""
import os
import signal
import stat
import subprocess
import sys
import unittest

from vsocktest import peer
from vsocktest.case import SystemTest

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
