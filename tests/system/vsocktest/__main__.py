# SPDX-License-Identifier: Apache-2.0
"""unittest -v, with exit status 77 when every test was skipped: ctest then says so."""
import sys
import unittest

from .values import Runner

CANNOT_RUN_HERE = 77


def main():
    run = unittest.main(module=None, verbosity=2, exit=False, testRunner=Runner)
    result = run.result
    if not result.wasSuccessful():
        return 1
    if result.testsRun == 0:
        print("error: no test was found", file=sys.stderr)
        return 1
    return CANNOT_RUN_HERE if len(result.skipped) >= result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
