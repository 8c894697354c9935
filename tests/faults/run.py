# SPDX-License-Identifier: Apache-2.0
"""usage: run.py sample|all [--seed N] [--only WORDS] [--case REPR] [--workers N]

Injects faults into the programs in VSOCK_BIN_DIR: scripts/test-faults calls it. Every FaultTest (see
faultcase.py) of every test_*.py beside this file is asked for its cases. `all` tries each of them,
`sample` as many as the class says, one of each stretch of them, which the seed decides; the same seed is
the same sample. --only: the classes whose "module.Class" holds those words; --case: that one case.

What failed is told with how to try it alone. Then a table: kind, cases there are, tried, failed. The
last line is: N passed, N failed, N skipped. Exit status 77: none could be tried, and the last line but
one says why.
"""
import argparse
import collections
import importlib
import multiprocessing
import os
import random
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]

from faultcase import FaultTest  # noqa: E402  the path comes first
from vsocktest.values import Noted  # noqa: E402

CANNOT_RUN_HERE = 77
SEED = 5
CASE_SECONDS = 240  # one case; all its waits are shorter
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

Outcome = collections.namedtuple("Outcome", "test case end text found seconds")


def classes(only):
    """The FaultTests of the test_*.py here that have a kind."""
    found = []
    for name in sorted(os.listdir(HERE)):
        if not (name.startswith("test_") and name.endswith(".py")):
            continue
        module = importlib.import_module(name[:-3])
        found += [value for _, value in sorted(vars(module).items())
                  if isinstance(value, type) and issubclass(value, FaultTest) and
                  value.kind and value.__module__ == module.__name__]
    return [test for test in found if only in name_of(test)]


class Result(Noted, unittest.TestResult):
    pass


def name_of(test):
    return "%s.%s" % (test.__module__, test.__name__)


def _late(*_):
    raise AssertionError("the case took more than %d s" % CASE_SECONDS)


def run_one(work):
    """In a worker: one case, or with case None the list of them."""
    test, case, method = work
    instance = test(method)
    instance.case = case
    result = Result()
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(CASE_SECONDS)
    began = time.monotonic()
    instance.run(result)
    signal.alarm(0)
    problems = result.errors + result.failures
    end, text = PASSED, ""
    if problems:
        end, text = FAILED, "\n".join(each[1] for each in problems)
    elif result.skipped:
        end, text = SKIPPED, result.skipped[0][1]
    return Outcome(test, case, end, text, getattr(instance, "found", []),
                   time.monotonic() - began)


def pick(cases, wanted, seed):
    """At most `wanted` of them, and the stride: of each stretch one, which the seed decides. (Always
    the same place in a stretch would meet the same kind of case again and again.)"""
    if len(cases) <= wanted:
        return cases, 1
    stride = -(-len(cases) // wanted)
    chance = random.Random("%d %d" % (seed, len(cases)))
    return [chance.choice(cases[at:at + stride]) for at in range(0, len(cases), stride)], stride


class Run:
    def __init__(self, options):
        self.options = options
        self.rows = collections.OrderedDict()  # kind: [there are, tried, failed, skipped]
        self.counts = collections.Counter()
        self.reasons = []

    def row(self, test):
        return self.rows.setdefault(test.kind, [0, 0, 0, 0])

    def choose(self, outcome):
        """What of a class is tried."""
        test, cases = outcome.test, outcome.found
        if outcome.end != PASSED:
            self.take(outcome)
            return []
        self.row(test)[0] += len(cases)
        if self.options.case is not None:
            return [case for case in cases if repr(case) == self.options.case]
        wanted = len(cases) if self.options.what == "all" else test.sample
        chosen, stride = pick(cases, wanted, self.options.seed)
        print("%s: %d of %d, one of each %d" %
              (name_of(test), len(chosen), len(cases), stride), flush=True)
        return chosen

    def take(self, outcome):
        row = self.row(outcome.test)
        row[1] += outcome.case is not None and outcome.end != SKIPPED
        row[2] += outcome.end == FAILED
        row[3] += outcome.end == SKIPPED
        self.counts[outcome.end] += 1
        if outcome.end == FAILED:
            print("FAILED %s %r, %.1f s; alone: scripts/test-faults --only %s --case %r\n%s" %
                  (name_of(outcome.test), outcome.case, outcome.seconds, name_of(outcome.test),
                   repr(outcome.case), outcome.text), flush=True)
        if outcome.end == SKIPPED:
            self.reasons.append("%s: %s" % (name_of(outcome.test), outcome.text))

    def table(self):
        print("\n%-44s %8s %8s %8s" % ("fault", "cases", "tried", "failed"))
        for kind, (there, tried, failed, skipped) in self.rows.items():
            print("%-44s %8d %8d %8d%s" % (kind, there, tried, failed,
                                           "  %d skipped" % skipped if skipped else ""))
        for reason in sorted(set(self.reasons)):
            print("skipped: " + reason)

    def status(self):
        print("%d passed, %d failed, %d skipped" %
              tuple(self.counts[end] for end in (PASSED, FAILED, SKIPPED)))
        if self.counts[FAILED] or not sum(self.counts.values()):
            return 1
        return 0 if self.counts[PASSED] else CANNOT_RUN_HERE


def parse(arguments):
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0].partition(": ")[2])
    parser.add_argument("what", choices=("sample", "all"))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="")
    parser.add_argument("--case")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    run = Run(options)
    began = time.monotonic()
    print("seed %d" % options.seed)
    tests = classes(options.only)
    # A process for each case: what a case started is a child of it, and ends with it.
    with multiprocessing.get_context("fork").Pool(options.workers, maxtasksperchild=1) as pool:
        work = []
        asked = [(test, None, "run_cases") for test in tests]
        for outcome in pool.imap(run_one, asked, 1):
            work += [(outcome.test, case, "run_attempt") for case in run.choose(outcome)]
        for outcome in pool.imap_unordered(run_one, work, 1):
            run.take(outcome)
        pool.close()
        pool.join()
    run.table()
    print("took %.0f s" % (time.monotonic() - began))
    return run.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
