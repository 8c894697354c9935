# SPDX-License-Identifier: Apache-2.0
"""Out of memory: at each allocation of a whole upgrade, of libraries and of the start too."""
import errno

from injected import InjectedTest


class NoMemory(InjectedTest):
    kind = "out of memory, at each allocation"
    sample = 40
    call = "memory"
    errors = (errno.ENOMEM,)
    ends = ("libgcrypt", "Fatal error: Cannot allocate memory")  # both are libgcrypt's
