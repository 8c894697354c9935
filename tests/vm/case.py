# SPDX-License-Identifier: Apache-2.0
"""One HostOS for all tests of a class, and how they ask and judge."""
import os
import unittest

from world import ROOT, World

LOGS = os.environ.get("VSOCK_VM_LOGS") or os.path.join(ROOT, "build/vm-logs")


class Case(unittest.TestCase):
    asker = None  # a class of asker.py

    @classmethod
    def setUpClass(cls):
        cls.world = World(LOGS, cls.asker)
        cls.addClassCleanup(cls.world.close)
        cls.world.start()
        cls.host = cls.world.host

    def assertGuest(self, arguments, out, status=0, **more):
        done = self.world.guest(arguments, **more)
        self.assertEqual((done.status, done.out), (status, out), done.err)

    def assertRefused(self, arguments, code, *words, **more):
        done = self.world.guest(arguments, **more)
        self.assertEqual((done.status, done.out), (1, ""), done.err)
        self.assertTrue(done.err.startswith("error: %s: " % code), done.err)
        for word in words:
            self.assertIn(word, done.err)
