# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold after a power loss: a model of files and directories, fed with what was done.

A file is durable as it was at its last fsync or fdatasync, a name as it was at the last fsync of its
directory. What was done since then is pending, and any of it may have reached the disk, in any order;
of a write also a part. A rename is one step: its two names are not seen apart. This is harder than the
file systems in use, which keep an order among names.
"""
import collections
import os

Record = collections.namedtuple("Record", "call inode offset data path to")


def read_log(path):
    """The records of tests/support/call_log.h."""
    with open(path, "rb") as file:
        while True:
            line = file.readline()
            if not line:
                return
            call, inode, offset, length, name, to = line[:-1].decode().split("\t")
            yield Record(call, int(inode), int(offset), file.read(int(length)), name, to)


class File:
    def __init__(self):
        self.durable = b""
        self.pending = []  # (offset, bytes), or (length, None) for a truncation

    def sync(self):
        self.durable = self.content(self.pending)
        self.pending = []

    def content(self, changes):
        content = bytearray(self.durable)
        for offset, data in changes:
            if data is None:
                content[offset:] = b""
                content.extend(bytes(offset - len(content)))
            else:
                content.extend(bytes(max(0, offset - len(content))))
                content[offset:offset + len(data)] = data
        return bytes(content)


# Steps on names: ("link", path, File), ("unlink", path), ("rename", path, path).
def apply(names, step):
    if step[0] == "link":
        names[step[1]] = step[2]
    elif step[0] == "unlink":
        names.pop(step[1], None)
    elif step[1] in names:
        names[step[2]] = names.pop(step[1])


def folders_of(step):
    return {os.path.dirname(path) for path in step[1:] if isinstance(path, str)}


class Disk:
    """The files below `folders`, which are there from the start."""

    def __init__(self, folders):
        self.folders = set(folders)
        self.now = {}      # path: File, as the programs see it
        self.durable = {}  # the same, as the disk has it
        self.steps = []    # pending ones, in order
        self.inodes = {}

    def _step(self, *step):
        apply(self.now, step)
        self.steps.append(step)

    def _ours(self, path):
        return os.path.dirname(path) in self.folders

    def take(self, record):
        call, path = record.call, record.path
        if call == "openat" and self._ours(path):
            if path not in self.now:
                self.inodes[record.inode] = File()
                self._step("link", path, self.inodes[record.inode])
        elif call in ("write", "pwrite") and self._ours(path):
            self.inodes[record.inode].pending.append((record.offset, record.data))
        elif call == "ftruncate" and self._ours(path):
            self.inodes[record.inode].pending.append((record.offset, None))
        elif call in ("fsync", "fdatasync") and path in self.folders:
            self._sync_names(path)
        elif call in ("fsync", "fdatasync") and self._ours(path):
            self.inodes[record.inode].sync()
        elif call in ("renameat", "renameat2", "rename") and path in self.now:
            self._step("rename", path, record.to)
        elif call in ("unlinkat", "unlink") and path in self.now:
            self._step("unlink", path)
        elif call == "mkdirat":
            self.folders.add(path)

    def _sync_names(self, folder):
        """What is pending for that directory; a rename out of it or into it is whole then."""
        left = []
        for step in self.steps:
            if folder in folders_of(step):
                apply(self.durable, step)
            else:
                left.append(step)
        self.steps = left

    # --- a power loss ---

    def files(self):
        """Every file that may still have a name."""
        found = list(self.durable.values()) + list(self.now.values())
        return list({id(file): file for file in found}.values())

    def is_dirty(self):
        return bool(self.steps) or any(file.pending for file in self.files())

    def left(self, keep_names, keep_data):
        """{path: bytes}: keep_names(steps) and keep_data(changes) say what of it survives."""
        names = dict(self.durable)
        for step in keep_names(self.steps):
            apply(names, step)
        return {path: file.content(keep_data(file.pending)) for path, file in names.items()}


# --- ways in which power is lost -------------------------------------------------------------

def everything(changes):
    return changes


def nothing(_):
    return []


def torn(changes):
    """All but a part of the last one that has bytes."""
    if not changes or not changes[-1][1]:
        return changes
    offset, data = changes[-1]
    return changes[:-1] + [(offset, data[:len(data) // 2])]


def last_only(changes):
    """Later ones are there, the earlier are not."""
    return changes[-1:]


def some_of(chance):
    return lambda changes: [change for change in changes if chance.random() < 0.5]


WAYS = {
    "dropped": (nothing, nothing),
    "kept": (everything, everything),
    "names without bytes": (everything, nothing),
    "bytes without names": (nothing, everything),
    "torn": (everything, torn),
    "reordered": (last_only, last_only),
}


def way(name, chance):
    """`mixed 3` and the like: any of it, by chance."""
    return WAYS.get(name) or (some_of(chance), some_of(chance))


WAY_NAMES = tuple(WAYS) + ("mixed 1", "mixed 2")
