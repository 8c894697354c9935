# SPDX-License-Identifier: Apache-2.0
"""A test of each row of a table: the tests run side by side, and a failure names its row."""
import unittest


def each(*rows):
    """Makes a test of each row, which the method takes as its argument."""
    def mark(method):
        method.rows = rows
        return method
    return mark


def with_row(method, row):
    def test(self):
        method(self, row)
    test.__doc__ = method.__doc__
    return test


class RowTest(unittest.TestCase):
    def __init_subclass__(cls):
        super().__init_subclass__()
        for name, method in list(vars(cls).items()):
            if hasattr(method, "rows"):
                delattr(cls, name)
                for number, row in enumerate(method.rows, 1):
                    setattr(cls, "%s_%d" % (name, number), with_row(method, row))
