# SPDX-License-Identifier: Apache-2.0
"""attach-hsm and detach-hsm by units: a bus of the test's own, with a stand-in for systemd."""
from vsocktest import peer
from vsocktest.operation import UnitCase, severe

ATTACH = "vsock_host-hsm-attach@3.service"
DETACH = "vsock_host-hsm-detach@3.service"


class ResultTest(UnitCase):
    def fails(self, code, *words, daemon=None):
        daemon = daemon or self.unit_daemon()
        self.assertError(self.ask(daemon), code, *words)
        self.assertServes(daemon)

    def test_done(self):
        self.hsm_unit("echo 'done: attached'\n")
        self.hsm_unit("echo 'done: detached'\n", "detach")
        daemon = self.unit_daemon()
        self.assertDoneAnswer(self.ask(daemon))
        self.assertDoneAnswer(self.ask(daemon, peer.DETACH_HSM))
        self.assertEqual(self.bus.calls(), ["StartUnit %s replace" % ATTACH,
                                            "StartUnit %s replace" % DETACH])
        daemon.wait_log("attach-hsm for cid 3: done: attached")
        daemon.wait_log(r"\[steps\] method = unit in .*: the units of the helper programs read /etc/")

    def test_told_error(self):
        self.hsm_unit("echo 'unavailable: no USB token'; exit 1\n")
        self.fails("unavailable", "no USB token")

    def test_failure_is_one_line(self):
        """At warning or above: the daemon's. The unit logs nothing, and its status 1 is no failure of systemd's."""
        self.hsm_unit("echo 'unavailable: no USB token'; exit 1\n")
        daemon = self.unit_daemon()
        self.assertError(self.ask(daemon), "unavailable", "no USB token")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual([line for line in severe(daemon) if "[steps] method" not in line],
                         ["vsock_host: warning: attach-hsm for cid 3: unavailable: no USB token"])

    def test_line_of_a_unit_that_failed(self):
        self.hsm_unit("echo 'timeout: libvirt did not answer'; exit 9\n")
        self.fails("timeout", "libvirt did not answer")

    def test_old_line(self):
        self.write("results/attach@3", "done: long ago\n")
        self.bus.unit(ATTACH)
        self.fails("internal", "wrote no result", ATTACH)

    def test_no_file(self):
        self.bus.unit(ATTACH)
        self.fails("internal", "wrote no result")

    def test_empty_file(self):
        self.hsm_unit("")
        self.fails("internal", "wrote no result")

    def test_two_lines(self):
        self.hsm_unit("echo 'done: one'; echo 'done: two'\n")
        self.fails("internal", "as one line")

    def test_too_much(self):
        self.hsm_unit("head -c 5000 /dev/zero | tr '\\0' x; echo\n")
        self.fails("internal", "more than the result line may hold")

    def test_failed_without_a_word(self):
        self.hsm_unit("exit 9\n", active="failed", sub="failed", result="exit-code")
        self.fails("internal", ATTACH, "failed/failed", "job failed", "result exit-code")

    def test_timeout_of_systemd(self):
        self.hsm_unit("", job="timeout", active="failed", sub="failed", result="timeout")
        self.fails("timeout", ATTACH, "not started in time")

    def test_ends_of_jobs(self):
        daemon = self.unit_daemon()
        for job in ("canceled", "dependency", "skipped"):
            with self.subTest(job):
                self.bus.unit(ATTACH, job=job)
                self.fails("internal", ATTACH, "job " + job, daemon=daemon)


class RefusedTest(UnitCase):
    def refused(self, code, *words, **keys):
        if keys:
            self.bus.unit(ATTACH, **keys)
        self.write("results/attach@3", "done: long ago\n")
        self.assertError(self.ask(self.unit_daemon()), code, *words)

    def test_not_installed(self):
        self.refused("unavailable", ATTACH + " is not installed")

    def test_masked(self):
        self.refused("unavailable", "masked", error="org.freedesktop.systemd1.UnitMasked",
                     message="Unit is masked.")

    def test_not_permitted(self):
        self.refused("internal", "polkit", "Access denied, said polkit",
                     error="org.freedesktop.DBus.Error.AccessDenied",
                     message="Access denied, said polkit")

    def test_password_is_wanted(self):
        self.refused("internal", "polkit",
                     error="org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                     message="Interactive authentication required.")

    def test_another_error_is_escaped(self):
        self.refused("internal", "cannot be started", "odd \\x1b[31m text",
                     error="org.freedesktop.systemd1.Odd", message="odd \x1b[31m text")

    def test_no_bus(self):
        self.bus.stop()
        self.refused("unavailable", "the system bus cannot be reached")

    def test_no_systemd_on_the_bus(self):
        self.bus.stop_systemd()
        self.refused("unavailable", "systemd is not on the bus")


class LossTest(UnitCase):
    def setUp(self):
        super().setUp()
        self.held_hsm()
        self.hsm_unit("exec %s\n" % self.path("hsm"))

    def test_bus_goes_away_and_comes_back(self):
        daemon = self.unit_daemon()
        guest = self.asked(daemon)
        self.wait_began()
        self.bus.stop()
        self.go()
        self.wait_file("finished")
        self.assertServes(daemon)
        self.bus.start()
        self.assertDoneAnswer(guest.last(1))
        self.assertEqual(self.bus.calls(), ["StartUnit %s replace" % ATTACH], "started twice")

    def test_it_never_says_anything(self):
        """The program is left running; the answer does not wait for its end."""
        daemon = self.unit_daemon({"hsm": {"timeout_seconds": 1}})
        guest = self.asked(daemon)
        self.wait_began()
        self.bus.stop()
        self.assertError(guest.last(1), "timeout", "not answered since")

    def test_end_that_was_not_told(self):
        """It is looked for."""
        self.hsm_unit("exec %s\n" % self.path("hsm"), silent=1)
        self.go()
        self.assertDoneAnswer(self.ask(self.unit_daemon()))

    def test_deadline(self):
        """The unit goes on, and its late end is nobody's answer: the next guest gets one of its own."""
        daemon = self.unit_daemon({"hsm": {"timeout_seconds": 1}})
        answer = self.ask(daemon)
        self.assertError(answer, "timeout", ATTACH + " did not end in time, and continues",
                         "activating/start")
        self.assertNotIn("wrote no result", answer.message)
        self.assertIsNone(self.read("finished"))
        self.assertServes(daemon)
        self.go()
        self.wait_file("finished")
        self.hsm_unit("echo 'unavailable: the second look'; exit 1\n")
        self.assertError(self.ask(daemon), "unavailable", "the second look")
        self.assertEqual(self.bus.calls(), ["StartUnit %s replace" % ATTACH] * 2)
