# SPDX-License-Identifier: Apache-2.0
"""Where the bases of machines are kept between runs, and when they are made anew."""
import contextlib
import fcntl
import os
import shutil
import time

import base
import guestos as guestos_state


_lock = None  # open while this process lives: nobody takes away what it uses


@contextlib.contextmanager
def _locked():
    global _lock  # pylint: disable=global-statement
    cache = os.environ.get("VSOCK_VM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vsock-vm")
    os.makedirs(cache, exist_ok=True)
    if _lock is None:
        _lock = open(os.path.join(cache, "lock"), "w")
    try:
        fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another run of virtual machines, which holds %s" % _lock.name, flush=True)
        began = time.monotonic()
        fcntl.flock(_lock, fcntl.LOCK_EX)
        print("waited %.0f s for it" % (time.monotonic() - began), flush=True)
    yield cache
    fcntl.flock(_lock, fcntl.LOCK_SH)


def _keep(cache, kind, key, make):
    """The folder of that kind and key. Others of the kind, and what a broken run left, go."""
    kept = os.path.join(cache, "%s-%s" % (kind, key))
    if not os.path.isdir(kept):
        for name in os.listdir(cache):
            if name.startswith(kind + "-"):
                shutil.rmtree(os.path.join(cache, name))
        began = time.monotonic()
        making = kept + ".new"
        os.mkdir(making)
        make(making)
        os.rename(making, kept)
        print("made in %.0f s: %s" % (time.monotonic() - began, kept), flush=True)
    return kept


def _copy(source, folder):
    """A base that can be changed."""
    base.run("cp", "-a", "--sparse=always", "--reflink=auto", source + "/.", folder)


def kernel():
    """A kernel and its modules. Raises base.CannotRun."""
    with _locked() as cache:
        return _keep(cache, "kernel", base.kernel_key(), base.unpack_kernel)


def hostos():
    """The same, and the disk of a HostOS. Raises base.CannotRun."""
    with _locked() as cache:
        return _keep(cache, "hostos", base.key(), base.build)


def guestos():
    """The same, with the state of a GuestOS that has booted on the disk. Raises base.CannotRun."""
    source = hostos()

    def make(folder):
        _copy(source, folder)
        guestos_state.keep(folder)

    with _locked() as cache:
        return _keep(cache, "guestos", base.guestos_key(), make)
