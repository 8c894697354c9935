# SPDX-License-Identifier: Apache-2.0
"""WATCHDOG=1: said while every thread is within its time, and not while one hangs."""
import os
import subprocess
import unittest

from vsocktest import PATIENCE, peer, program, wait_until
from vsocktest.case import SystemTest

INTERVAL_USEC = 1000000
SENDTO = 44
HELD_SECONDS = "120"  # longer than anything is waited for


class WatchdogTest(SystemTest):
    def watched(self):
        return self.daemon(environment={"WATCHDOG_USEC": str(INTERVAL_USEC)})

    @staticmethod
    def beats(daemon):
        return sum(message.get("WATCHDOG") == "1" for message in daemon.notify.messages)

    def hold(self, daemon, name, *call):
        """Holds the thread still. call: where it next enters the system call of that number."""
        wait_until(lambda: name in daemon.thread_names(), "the thread has begun")
        held = subprocess.Popen([program("hold_thread"), str(daemon.pid), name, HELD_SECONDS] +
                                [str(number) for number in call], stdout=subprocess.PIPE, text=True)
        self.addCleanup(held.stdout.close)
        self.addCleanup(held.wait)
        self.addCleanup(held.kill)
        self.assertEqual(held.stdout.readline(), "waiting\n" if call else "1 held\n")
        return held

    def test_said_again_and_again(self):
        daemon = self.watched()
        wait_until(lambda: self.beats(daemon) >= 4, "WATCHDOG=1, four times")

    def test_not_asked_for(self):
        daemon = self.daemon()
        self.assertServes(daemon)
        self.assertEqual(self.beats(daemon), 0)

    def test_asked_of_another_process(self):
        daemon = self.daemon(environment={"WATCHDOG_USEC": str(INTERVAL_USEC), "WATCHDOG_PID": "1"})
        self.assertServes(daemon)
        self.assertEqual(self.beats(daemon), 0)

    def test_a_thread_that_is_held(self):
        daemon = self.watched()
        wait_until(lambda: self.beats(daemon) >= 2, "WATCHDOG=1")
        held = self.hold(daemon, "acceptor")
        daemon.wait_log(r"thread acceptor is late by \d+ ms \(.*\): WATCHDOG=1 is not sent")
        before = self.beats(daemon)
        held.kill()
        held.wait()
        wait_until(lambda: self.beats(daemon) > before, "WATCHDOG=1 comes again", PATIENCE)
        self.assertServes(daemon)
        self.assertEqual(daemon.log().count("is late by"), 1)

    @unittest.skipUnless(os.uname().machine == "x86_64", "knows the number of sendto on x86_64 alone")
    def test_a_worker_in_the_middle_of_a_command(self):
        daemon = self.daemon({"limits": {"workers": 1}},
                             environment={"WATCHDOG_USEC": str(INTERVAL_USEC)})
        guest = self.peer(daemon)
        wait_until(lambda: self.beats(daemon) >= 2, "WATCHDOG=1")
        held = self.hold(daemon, "worker-1", SENDTO)
        guest.send(peer.request(peer.GET_VSOCK_VERSION))
        self.assertEqual(held.stdout.readline(), "1 held\n")
        daemon.wait_log(r"thread worker-1 is late by \d+ ms \(answering\): WATCHDOG=1 is not sent")
        before = self.beats(daemon)
        held.kill()
        held.wait()
        wait_until(lambda: self.beats(daemon) > before, "WATCHDOG=1 comes again", PATIENCE)
        self.assertIsInstance(guest.answer(), peer.Response)

    def test_an_idle_thread_is_not_late(self):
        daemon = self.watched()
        self.hold(daemon, "job")
        before = self.beats(daemon)
        wait_until(lambda: self.beats(daemon) > before + 4, "WATCHDOG=1 goes on")
