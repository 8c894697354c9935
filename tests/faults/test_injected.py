# SPDX-License-Identifier: Apache-2.0
"""Disk full, a disk that fails, no processes, threads, descriptors: at each call that can meet it."""
import errno

from injected import InjectedTest


class DiskFull(InjectedTest):
    kind = "disk full, at each call that needs room"
    sample = 16
    call = "disk"
    errors = (errno.ENOSPC, errno.EDQUOT)
    durations = ("once", "lasting")


class DiskFails(InjectedTest):
    kind = "error of the disk, at each call"
    sample = 20
    call = "io"
    errors = (errno.EIO,)


class PartUnreadable(InjectedTest):
    kind = "what was stored of an image cannot be read"
    call = "part"
    errors = (errno.EIO,)
    programs = ("daemon",)
    starts = ("resume",)
    durations = mends = ("once", "lasting")


class NoChild(InjectedTest):
    kind = "a program cannot be started"
    call = "spawn"
    errors = (errno.EAGAIN, errno.ENOMEM, errno.ENOENT)
    durations = ("once", "lasting")


class NoThread(InjectedTest):
    kind = "a thread cannot be started"
    sample = 12
    call = "thread"
    errors = (errno.EAGAIN,)


class NoDescriptor(InjectedTest):
    kind = "out of descriptors, at each call"
    sample = 16
    call = "descriptor"
    errors = (errno.EMFILE, errno.ENFILE)
    ends = ("libgcrypt",)  # it must know whether the kernel is in FIPS mode
