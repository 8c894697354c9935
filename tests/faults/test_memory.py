# SPDX-License-Identifier: Apache-2.0
"""Out of memory: at each allocation of a whole upgrade, of libraries and of the start too.

In two kinds, since nine of ten are libcrypto's, made when it is loaded: a sample of all would hardly
touch ours. What parts them is where a daemon with nothing to do is ready.
"""
import errno

from injected import InjectedTest


class NoMemory(InjectedTest):
    kind = "out of memory, in an upgrade"
    sample = 32
    call = "memory"
    errors = (errno.ENOMEM,)
    ends = ("libgcrypt", "Fatal error: Cannot allocate memory")  # both are libgcrypt's

    def cases(self):
        return [case for case in super().cases() if self.is_one(*case)]

    def is_one(self, which, _, number, *__):
        return which == "install" or number > self.until_ready

    def count(self, which, start):
        count = super().count(which, start)
        if (which, start) == ("daemon", "fresh"):  # the first
            self.until_ready = self.calls_when_ready
        return count

    def started(self, environment, sections=None):
        daemon = super().started(environment, sections)
        self.calls_when_ready = self.page.calls
        return daemon


class NoMemoryAtStart(NoMemory):
    kind = "out of memory, until the daemon is ready"
    sample = 12

    def is_one(self, *case):
        return not super().is_one(*case)
