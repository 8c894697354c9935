# SPDX-License-Identifier: Apache-2.0
"""usage: run.py 1 | 2 | 3 | 4 | all | shell: see scripts/test-vm. The last line says: N passed, N failed, N skipped."""
import os
import sys
import unittest

import asker
import base
import cache
import test_guestos
import test_hostos
import test_loopback

SKIPPED = 77


def shell():
    """A prompt: each line is run in the HostOS, one that begins with 'guest ' in the GuestOS."""
    world = test_hostos.World(test_hostos.LOGS, asker.GuestOS)
    try:
        world.start()
        world.host.must("dpkg -i /srv/test/vsock-host_*.deb")
        world.serve_images()
        world.asker.arrive()
        print("In the HostOS; 'guest COMMAND' runs in the GuestOS; end with ctrl-d.")
        while True:
            try:
                line = input("hostos# ")
            except EOFError:
                print()
                return 0
            inside = line.startswith("guest ")
            done = world.asker.shell(line[len("guest "):]) if inside else world.host.run(line)
            print(done.out + done.err, end="")
    finally:
        world.close()


def choose(what):
    if what == "2":
        names = unittest.defaultTestLoader.getTestCaseNames(test_hostos.HostOSTest)
        return unittest.TestSuite(test_hostos.HostOSTest(name) for name in names
                                  if name.split("_")[1] in test_hostos.IN_EVERY_RUN)
    modules = {"1": [test_loopback], "3": [test_hostos], "4": [test_guestos],
               "all": [test_loopback, test_hostos, test_guestos]}[what]
    load = unittest.defaultTestLoader.loadTestsFromModule
    return unittest.TestSuite(load(module) for module in modules)


def main(what):
    try:
        {"1": cache.kernel, "2": cache.hostos, "3": cache.hostos}.get(what, cache.guestos)()
    except base.CannotRun as reason:
        print("no virtual machine: %s" % reason)
        return SKIPPED
    if what == "shell":
        return shell()
    suite = choose(what)
    result = unittest.TextTestRunner(verbosity=2, failfast="VSOCK_VM_FAILFAST" in os.environ,
                                     stream=sys.stdout).run(suite)
    failed = len(result.failures) + len(result.errors)
    left_out = suite.countTestCases() - result.testsRun
    if left_out:
        print("%d more were not begun" % left_out)
    print("%d passed, %d failed, %d skipped" % (
        result.testsRun - failed - len(result.skipped), failed, len(result.skipped)))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
