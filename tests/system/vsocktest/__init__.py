# SPDX-License-Identifier: Apache-2.0
"""What the system tests share.

peer       an independent guest: TLV wire 1.0 as docs/protocol.md has it, byte by byte
daemon     a vsock_host of the build under test, with a configuration and a folder of its own
webserver  an HTTP server on 127.0.0.1 that misbehaves as told
guest      the vsock_guest of the build under test, always with a unix: address
case       the TestCase that puts them together and cleans up
"""
import os
import time

BIN = os.path.abspath(os.environ["VSOCK_BIN_DIR"]) if os.environ.get("VSOCK_BIN_DIR") else ""
# Sanitizers make everything several times slower; a bounded wait is generous and seldom used up.
PATIENCE = 40.0


def program(name):
    """The path of a built program."""
    if not BIN:
        raise RuntimeError("VSOCK_BIN_DIR is not set: it names the folder of the built programs")
    return os.path.join(BIN, name)


def wait_until(condition, what, patience=PATIENCE, pause=0.02):
    """The first true value of condition(); an AssertionError that says `what` after patience."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("waited %g s for: %s" % (patience, what))
        time.sleep(pause)
