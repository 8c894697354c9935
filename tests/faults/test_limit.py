# SPDX-License-Identifier: Apache-2.0
"""Really out of descriptors: the daemon may have so many, and not one more."""
import os
import resource

from injected import InjectedTest

LOADER = 127  # the dynamic loader's own end: it could not open a library


class DescriptorLimit(InjectedTest):
    kind = "out of descriptors, by RLIMIT_NOFILE"
    sample = 10

    def cases(self):
        """At its start: so many. While it runs: so many more than it has."""
        return [("start", most) for most in range(4, 60)] + \
            [("more", most) for most in range(16)]

    def attempt(self, case):
        when, most = case
        limit = ["prlimit", "--nofile=%d:%d" % (most, most), "--"] if when == "start" else []
        daemon = self.settled(self.daemon({"limits": {"connections": 8}}, wait=False,
                                          prefix=limit))
        if when == "more":
            most += 1 + max(int(fd) for fd in os.listdir("/proc/%d/fd" % daemon.pid))
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (most, 4096))
        if daemon.alive():
            try:
                self.true(self.asked(daemon, 3), daemon)
            except TimeoutError:  # it waits to be accepted
                daemon.wait_log("cannot accept a connection: Too many open files")
        if when == "more":
            self.assertTrue(daemon.alive(), daemon.log())
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (1024, 4096))
            self.assertDone(self.asked(daemon))
        if daemon.alive():
            self.assertEqual(daemon.stop(), 0, daemon.log())
        else:
            self.assertIn(daemon.wait(), (1, LOADER), daemon.log())
            self.assertRegex(daemon.log(), "[Oo]pen files|Too many")
        clean = self.started({})
        self.assertDone(self.asked(clean))
        self.judge(clean, case)
        self.assertEqual(clean.stop(), 0)
        self.nothing_left()
