# SPDX-License-Identifier: Apache-2.0
"""What a test of this folder is: one kind of fault, and every case of it.

    class DiskFull(FaultTest):
        kind = "disk full"      # its row in the table at the end
        sample = 12             # cases that are tried when a sample is asked for

        def cases(self):        # every case there is; with a folder of its own, as for a case
            return range(self.count_writes())

        def attempt(self, case):  # one case; any exception is a failure, skipTest() a skip
            ...

run.py asks for cases(), picks the sample all over them, and tries each in a process of its own with a
fresh folder, several at a time. A case is anything with a repr that tells it from the others. A class
that overrides neither has its test_* methods as cases. Everything of vsocktest.case.SystemTest is there:
self.daemon(), self.peer(), self.web(), self.path(). Nothing may be shared between two cases.
"""
from vsocktest.case import SystemTest


class FaultTest(SystemTest):
    kind = None
    sample = 8
    case = None  # set by the runner

    def cases(self):
        return sorted(name for name in dir(self) if name.startswith("test_"))

    def attempt(self, case):
        getattr(self, case)()

    # --- what the runner calls ---

    def run_cases(self):
        self.found = list(self.cases())

    def run_attempt(self):
        self.attempt(self.case)

    def __str__(self):
        return "%s.%s %r" % (type(self).__module__, type(self).__name__, self.case)
