# SPDX-License-Identifier: Apache-2.0
"""usage: run.py 1 | 2 | 3 | all | shell | base: see scripts/test-vm. The last line of tests says: N passed,
N failed, N skipped."""
import os
import shlex
import sys
import time
import unittest

import asker
import base
import cache
from case import LOGS
import terminal
import test_guestos
import test_hostos
import test_loopback
from world import World

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from vsocktest.values import Noted  # noqa: E402

SKIPPED = 77


GUEST = """#!/bin/sh
ask="python3 /usr/local/lib/test-guest.py 3 600"
[ -e /run/guest-has-program ] || {
    $ask run boot true && $ask put /bin/vsock_guest /srv/test/guest/usr/bin/vsock_guest || exit
    touch /run/guest-has-program
}
exec $ask run shell sh -c "$*"
"""


def shell():
    """A terminal in the HostOS; there 'guest COMMAND' runs one in the GuestOS."""
    world = World(LOGS, asker.Loopback)
    try:
        world.start()
        world.host.must("dpkg -i /srv/test/vsock-host_*.deb; printf %s " + shlex.quote(GUEST) +
                        " >/usr/local/bin/guest; chmod 755 /usr/local/bin/guest")
        world.serve_images()
        print("In the HostOS. 'guest COMMAND' runs one in the GuestOS, which takes minutes to boot "
              "where there is no KVM. 'exit' ends both.", flush=True)
        terminal.shell(world.host)
        return 0
    finally:
        world.close()


class Result(Noted, unittest.TextTestResult):
    """Tells how long each test took."""

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln("    %.0f s" % (time.monotonic() - self._began))


def choose(what):
    modules = {"1": [test_loopback], "2": [test_hostos], "3": [test_guestos],
               "all": [test_loopback, test_hostos, test_guestos]}[what]
    load = unittest.defaultTestLoader.loadTestsFromModule
    return unittest.TestSuite(load(module) for module in modules)


def main(what):
    try:
        {"1": cache.kernel, "2": cache.hostos, "shell": cache.hostos, "base": cache.hostos}.get(what, cache.guestos)()
    except base.CannotRun as reason:
        print("no virtual machine: %s" % reason)
        return SKIPPED
    if what == "base":
        return 0
    if what == "shell":
        return shell()
    suite = choose(what)
    result = unittest.TextTestRunner(verbosity=2, failfast="VSOCK_VM_FAILFAST" in os.environ,
                                     stream=sys.stdout, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors)
    left_out = suite.countTestCases() - result.testsRun
    if left_out:
        print("%d more were not begun" % left_out)
    print("%d passed, %d failed, %d skipped" % (
        result.testsRun - failed - len(result.skipped), failed, len(result.skipped)))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
