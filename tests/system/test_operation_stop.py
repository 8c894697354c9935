# SPDX-License-Identifier: Apache-2.0
"""The daemon stops while operations run."""
import signal

from vsocktest import peer, wait_until
from vsocktest.operation import OperationCase, UnitCase
from vsocktest.install import gone


class ChildTest(OperationCase):
    def stopping(self, daemon):
        daemon.notify.wait(lambda message: message.get("STOPPING") == "1", "STOPPING=1")

    def begun(self, **more):
        """A daemon with one operation that runs and one in the queue; both guests."""
        daemon = self.daemon(**more)
        first = self.asked(daemon)
        self.wait_began()
        second = self.asked(daemon, peer.DETACH_HSM)
        daemon.wait_log("detach-hsm: accepted")
        return daemon, first, second

    def test_what_is_under_way_is_finished(self):
        self.held_hsm()
        daemon, first, second = self.begun(sections={"limits": {"send_seconds": 60}})
        daemon.kick(signal.SIGTERM)
        self.assertError(second.last(1), "shutting_down", "not begun")
        self.go()
        self.assertDoneAnswer(first.last(1))
        self.assertEqual(daemon.wait(), 0)
        self.assertEqual(self.began(), 1)

    def test_what_hangs_is_ended(self):
        self.held_hsm()
        daemon, first, second = self.begun(sections={"limits": {"send_seconds": 0.5}})
        daemon.kick(signal.SIGINT)
        self.assertError(first.last(1), "shutting_down", "is not known", "signal 15")
        self.assertTrue(first.ended())
        self.assertError(second.last(1), "shutting_down")
        self.assertEqual(daemon.wait(), 0)
        pid = int(self.read("began"))
        wait_until(lambda: gone(pid), "the end of the program")
        self.assertIsNone(self.read("finished"))

    def test_its_last_word_counts(self):
        self.hsm("trap 'echo \"done: in time\"; exit 0' TERM\necho x >%s/began\n"
                 "while :; do sleep 0.05; done\n" % self.folder)
        daemon, first, _ = self.begun(sections={"limits": {"send_seconds": 0.5}})
        daemon.kick(signal.SIGTERM)
        self.assertDoneAnswer(first.last(1))
        self.assertEqual(daemon.wait(), 0)


class StoppedUnitTest(UnitCase):
    def test_unit_is_left_alone(self):
        self.held_hsm()
        self.hsm_unit("exec %s\n" % self.path("hsm"))
        daemon = self.unit_daemon({"limits": {"send_seconds": 0.5}})
        guest = self.asked(daemon)
        self.wait_began()
        daemon.kick(signal.SIGTERM)
        self.assertError(guest.last(1), "shutting_down", "not known", "continues")
        self.assertEqual(daemon.wait(), 0)
        self.go()
        wait_until(lambda: self.read("finished"), "the unit's end, without the daemon")
