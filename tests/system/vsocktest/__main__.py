# SPDX-License-Identifier: Apache-2.0
"""unittest -v with several tests at a time, each in a process of its own.

usage: python3 -m vsocktest [--at-once N] MODULE[.CLASS[.TEST]]...

Exit status 77 when every test was skipped: ctest then says so.
"""
import argparse
import io
import os
import pickle
import sys
import time
import unittest

from .values import Result

CANNOT_RUN_HERE = 77
AT_ONCE = 4  # a test waits more than it computes


class Lines(io.StringIO):
    def writeln(self, text=""):
        self.write(text + "\n")


def flat(suite):
    """The tests of a suite, one by one."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def run_in_child(test, end):
    """Writes (text, failures, errors, skipped) to `end`, pickled; does not return."""
    status = 1
    try:
        stream = Lines()
        result = Result(stream, True, 2)
        test(result)
        result.printErrors()
        with open(end, "wb") as out:
            pickle.dump((stream.getvalue(), len(result.failures), len(result.errors),
                         len(result.skipped)), out)
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Run:
    def __init__(self, tests):
        self.left, self.count = tests, len(tests)
        self.running = {}  # pid: (test, the descriptor of its result)
        self.numbers = [0, 0, 0]  # failures, errors, skipped
        self.began = time.monotonic()

    def start(self):
        test, end = self.left.pop(0), os.memfd_create("result")
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            run_in_child(test, end)
        self.running[pid] = test, end

    def end(self):
        pid, status = os.wait()
        if pid not in self.running:
            return
        test, end = self.running.pop(pid)
        os.lseek(end, 0, os.SEEK_SET)
        with open(end, "rb") as file:
            content = file.read()
        if content:
            text, *numbers = pickle.loads(content)
        else:
            text, numbers = "%s ... ERROR\nits process ended with the wait status %d\n" % (
                test, status), (0, 1, 0)
        self.numbers = [a + b for a, b in zip(self.numbers, numbers)]
        print(text, end="", file=sys.stderr, flush=True)

    def all(self, at_once):
        while self.left or self.running:
            while self.left and len(self.running) < at_once:
                self.start()
            self.end()

    def report(self):
        """As unittest does it; returns the exit status."""
        names = ("failures", "errors", "skipped")
        words = ", ".join("%s=%d" % each for each in zip(names, self.numbers) if each[1])
        failed = self.numbers[0] + self.numbers[1] > 0
        print("\nRan %d tests in %.3fs\n\n%s%s" % (
            self.count, time.monotonic() - self.began, "FAILED" if failed else "OK",
            " (%s)" % words if words else ""), file=sys.stderr)
        if failed:
            return 1
        if self.count == 0:
            print("error: no test was found", file=sys.stderr)
            return 1
        return CANNOT_RUN_HERE if self.numbers[2] >= self.count else 0


def main():
    parser = argparse.ArgumentParser(prog="vsocktest", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    run = Run(list(flat(unittest.defaultTestLoader.loadTestsFromNames(options.names))))
    run.all(options.at_once)
    return run.report()


if __name__ == "__main__":
    sys.exit(main())
