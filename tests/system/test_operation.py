# SPDX-License-Identifier: Apache-2.0
"""attach-hsm and detach-hsm by the helper program vsock_host-hsm as a child: what it says, what is told,
and that nobody else waits for it."""
from vsocktest import peer, wait_until
from vsocktest.operation import OperationCase, severe


class LineTest(OperationCase):
    """What the program says, and what the guest is told."""

    def fails(self, body, code, *words):
        self.hsm(body)
        daemon = self.daemon()
        guest = self.peer(daemon)
        answer = self.assertError(guest.ask(peer.ATTACH_HSM, id=5), code, *words)
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, id=6))
        return daemon, answer.message

    def test_done(self):
        self.hsm('echo "$@" >%s/arguments\necho "done: it was there already"\n' % self.folder)
        daemon = self.daemon()
        for command, verb in ((peer.ATTACH_HSM, "attach"), (peer.DETACH_HSM, "detach")):
            self.assertDoneAnswer(self.ask(daemon, command))
            self.assertEqual(self.read("arguments"),
                             "--config %s/vsock_host.conf %s 3\n" % (self.folder, verb))
            daemon.wait_log("%s-hsm for cid 3: done: it was there already" % verb)

    def test_cid_of_the_guest(self):
        self.hsm('echo "$@" >%s/arguments\necho done: x\n' % self.folder)
        daemon = self.daemon({"listen": {"unix_cid": 77, "allowed_cids": 77}})
        self.assertDoneAnswer(self.ask(daemon))
        self.assertRegex(self.read("arguments"), r" attach 77\n\Z")

    def test_through_vsock_guest(self):
        self.hsm("echo 'unavailable: no USB token 20a0:4230'\nexit 1\n")
        daemon = self.daemon()
        self.assertEqual(self.guest(daemon, "attach-hsm"),
                         (1, "", "error: unavailable: no USB token 20a0:4230\n"))
        self.hsm("echo 'done: attached'\n")
        self.assertEqual(self.guest(daemon, "attach-hsm"), (0, "NoPayload\n", ""))

    def test_unavailable(self):
        self.fails("echo 'unavailable: no USB token is plugged in'; exit 1\n", "unavailable",
                   "no USB token is plugged in")

    def test_timeout_of_the_program(self):
        daemon, _ = self.fails("echo 'timeout: libvirt did not answer'; exit 1\n", "timeout")
        daemon.wait_log("attach-hsm for cid 3: timeout: libvirt did not answer")

    def test_log_lines_are_no_result(self):
        daemon, message = self.fails("echo 'done: not the result' >&2\n"
                                     "printf 'odd \\033[31m line\\n' >&2\n"
                                     "echo 'unavailable: the result'\n"
                                     "echo 'done: neither' >&2\n", "unavailable")
        self.assertEqual(message, "the result")
        daemon.wait_log("attach-hsm: done: not the result")
        daemon.wait_log(r"attach-hsm: odd \\x1b\[31m line")

    def test_no_line(self):
        self.fails("echo why >&2; exit 7\n", "internal", "wrote no result", "status 7", "why")

    def test_no_line_and_well(self):
        self.fails("exit 0\n", "internal", "wrote no result", "status 0")

    def test_no_line_of_the_form(self):
        self.fails("echo attached\n", "internal", "as one line",
                   "status 0: nothing on stderr")

    def test_killed(self):
        self.fails("kill -SEGV $$\n", "internal", "signal 11")

    def test_two_lines(self):
        self.fails("echo 'done: one'; echo 'done: two'\n", "internal", "as one line")

    def test_line_that_is_cut(self):
        self.fails("printf 'done: it'\n", "internal", "as one line")

    def test_another_word(self):
        self.fails("echo 'fine: it went well'\n", "internal", "as one line")

    def test_endless_line(self):
        self.fails("head -c 100000 /dev/zero | tr '\\0' x; echo\n", "internal", "more than the result line may hold")

    def test_program_missing(self):
        answer = self.ask(self.daemon({"steps": {"hsm_program": self.path("none")}}))
        self.assertError(answer, "unavailable", self.path("none"), "No such file")

    def test_it_hangs(self):
        """It is the last resort: the program keeps the limit itself, 10 s sooner."""
        self.hsm("echo $$ >%s/pid; exec sleep 600\n" % self.folder)
        daemon = self.daemon({"hsm": {"timeout_seconds": 1}})
        self.assertError(self.ask(daemon), "timeout", "timed out, killed by signal 15 (SIGTERM)")
        self.assertServes(daemon)


class SeverityTest(OperationCase):
    """One failure is one line of the log at warning or above; a line of the program keeps its priority."""

    def test_failure_is_one_line(self):
        self.hsm("echo 'hsm: notice: two tokens' >&2; echo 'unavailable: no USB token'; exit 1\n")
        daemon = self.daemon()
        self.assertError(self.ask(daemon), "unavailable", "no USB token")
        daemon.wait_log("notice: attach-hsm: hsm: notice: two tokens")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(severe(daemon),
                         ["vsock_host: warning: attach-hsm for cid 3: unavailable: no USB token"])

    def test_priority_is_kept(self):
        self.hsm("for name in error warning notice info; do echo \"hsm: $name: it is $name\" >&2; done\n"
                 "echo 'a line: error: of another form' >&2; echo done: x\n")
        daemon = self.daemon()
        self.assertDoneAnswer(self.ask(daemon))
        for name in ("error", "warning", "notice", "info"):
            daemon.wait_log("vsock_host: %s: attach-hsm: hsm: %s: it is %s" % ((name,) * 3))
        daemon.wait_log("vsock_host: info: attach-hsm: a line: error: of another form")


class QueueTest(OperationCase):
    def test_hanging_program_delays_nobody_else(self):
        """One under way, four that wait, the next told what is in the way; and all workers are free."""
        self.held_hsm()
        daemon = self.daemon({"limits": {"workers": 1}})
        guests = [self.asked(daemon)]
        self.wait_began()
        for _ in range(4):
            guests.append(self.asked(daemon, peer.DETACH_HSM))
            self.assertServes(daemon)
        other = self.peer(daemon)
        self.assertError(other.ask(peer.START_UPGRADE_GUEST_VM, id=1), "busy", "attach-hsm for CID 3",
                         "4 operations behind attach-hsm")
        self.assertError(other.ask(peer.ATTACH_HSM, id=2), "busy")
        self.assertVersion(other.ask(peer.GET_HOSTOS_VERSION, id=3))
        self.assertEqual(self.began(), 1, "one after the other")
        self.go()
        for guest in guests:
            self.assertDoneAnswer(guest.last(1))
        self.assertEqual(self.began(), 5)
        self.assertDoneAnswer(other.ask(peer.ATTACH_HSM, id=4))

    def test_guest_that_leaves(self):
        self.held_hsm()
        daemon = self.daemon()
        guest = self.asked(daemon)
        self.wait_began()
        guest.close()
        wait_until(lambda: daemon.descriptors() and self.began() == 1, "the guest's end")
        self.go()
        daemon.wait_log("attach-hsm for cid 3: done: it was held")
        self.assertServes(daemon)

    def test_guest_that_half_closes(self):
        self.held_hsm()
        daemon = self.daemon()
        guest = self.asked(daemon)
        guest.finish()
        self.wait_began()
        self.go()
        self.assertDoneAnswer(guest.last(1))
        self.assertTrue(guest.ended())

    def test_metrics_count_the_result(self):
        self.hsm("echo 'unavailable: no USB token'\n")
        daemon = self.daemon({"metrics": {"textfile": self.path("vsock.prom")}})
        self.assertError(self.ask(daemon), "unavailable")
        self.hsm("echo 'done: attached'\n")
        self.assertDoneAnswer(self.ask(daemon))
        self.assertEqual(daemon.stop(), 0)
        for result in ("ok", "unavailable"):
            self.assertIn('vsock_host_requests_total{command="attach-hsm",result="%s"} 1\n' % result,
                          self.read("vsock.prom"))
