# SPDX-License-Identifier: Apache-2.0
"""A failure also prints the local variables of each frame of a test: the values and the row."""
import os
import reprlib
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HELPERS = os.path.join(TESTS, "system", "vsocktest")
FRAME_MAX = 1500

SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 200
SHORT.maxlevel = 4


def values(frame):
    plain = (str, bytes, int, float, bool, type(None), list, tuple, dict, set)
    found = ["%s=%s" % (name, SHORT.repr(value)) for name, value in frame.f_locals.items()
             if isinstance(value, plain)]
    return ", ".join(found)[:FRAME_MAX]


def note_values(err):
    """Adds them to the exception; err as sys.exc_info() has it."""
    _, error, trace = err
    notes = []
    while trace is not None:
        name, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if name.startswith(TESTS) and not name.startswith(HELPERS) and values(trace.tb_frame):
            notes.append("%s:%d: %s" % (os.path.basename(name), line, values(trace.tb_frame)))
        trace = trace.tb_next
    for note in notes:
        error.add_note(note)


class Noted:
    """Before a class of results among the bases."""

    def addError(self, test, err):
        note_values(err)
        super().addError(test, err)

    def addFailure(self, test, err):
        note_values(err)
        super().addFailure(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            note_values(err)
        super().addSubTest(test, subtest, err)


class Result(Noted, unittest.TextTestResult):
    pass
