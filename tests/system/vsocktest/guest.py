# SPDX-License-Identifier: Apache-2.0
"""The vsock_guest of the build under test. It is never started without a unix: address."""
import os
import subprocess

from . import PATIENCE, program
from .daemon import sanitizer_report


class Guest:
    """A running vsock_guest."""

    def __init__(self, socket_path, *arguments, environment=None, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        environ = dict(os.environ, VSOCK_HOST_ADDRESS="unix:" + socket_path)
        environ.pop("NOTIFY_SOCKET", None)
        environ.update(environment or {})
        self.process = subprocess.Popen([program("vsock_guest")] + list(arguments), stdin=stdin,
                                        stdout=stdout, stderr=stderr, env=environ)
        self.pid = self.process.pid

    def wait(self, patience=PATIENCE, stdin=None):
        """(exit status, stdout, stderr); what the sanitizers found is an AssertionError."""
        try:
            out, error = self.process.communicate(stdin, timeout=patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("vsock_guest did not end within %g s" % patience) from None
        out, error = ((stream or b"").decode("utf-8", "backslashreplace")
                      for stream in (out, error))
        report = sanitizer_report(error)
        if report:
            raise AssertionError("a report of vsock_guest:\n" + report)
        return self.process.returncode, out, error

    def kick(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def run(socket_path, *arguments, patience=PATIENCE, environment=None, stdin=None):
    guest = Guest(socket_path, *arguments, environment=environment,
                  stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE)
    return guest.wait(patience, stdin)
