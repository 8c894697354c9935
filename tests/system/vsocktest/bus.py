# SPDX-License-Identifier: Apache-2.0
"""A system bus of the test's own, with stand-ins for systemd and logind (tests/support/fake_systemd.c).

The machine's own bus is never reached: the daemon under test is told this one's address.
"""
import os
import socket
import subprocess
import unittest

from . import PATIENCE, program, wait_until

CONFIGURATION = """<busconfig>
<listen>unix:path=%(socket)s</listen>
<auth>EXTERNAL</auth>
<policy context="default">
<allow user="*"/>
<allow own="*"/>
<allow send_destination="*"/>
<allow send_type="signal"/>
<allow receive_sender="*"/>
</policy>
</busconfig>
"""
DBUS_DAEMON = "/usr/bin/dbus-daemon"


def start(test):
    """A bus for that test, which is skipped where there can be none."""
    if not os.path.exists(DBUS_DAEMON):
        raise unittest.SkipTest(DBUS_DAEMON + " is not there")
    bus = Bus(test.folder)
    test.addCleanup(bus.stop)
    return bus


class Bus:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "bus")
        os.makedirs(os.path.join(self.folder, "units"))
        self.socket = os.path.join(self.folder, "socket")
        self.address = "unix:path=" + self.socket
        with open(os.path.join(self.folder, "bus.conf"), "w") as out:
            out.write(CONFIGURATION % {"socket": self.socket})
        self.daemon = self.systemd = None
        self.start()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _accepts(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(self.socket) == 0

    def start(self):
        for name in ("socket", "ready"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        with open(self.path("log"), "ab") as log:
            self.daemon = subprocess.Popen(
                [DBUS_DAEMON, "--nofork", "--config-file=" + self.path("bus.conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            wait_until(self._accepts, "the bus")  # its path is there before it listens
            environ = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address)
            self.systemd = subprocess.Popen(
                [program("fake_systemd"), self.folder], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=environ)
        wait_until(lambda: os.path.exists(self.path("ready")), "the stand-in for systemd")

    def stop(self):
        """Both at once, as if the bus had died; what units run lives on."""
        for process in (self.daemon, self.systemd):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def stop_systemd(self):
        self.systemd.kill()
        self.systemd.wait()

    def unit(self, name, **keys):
        """Installs a unit, or changes it: fake_systemd.c has the keys."""
        path = self.path("units", name)
        with open(path + "~", "w") as out:
            out.write("".join("%s=%s\n" % item for item in keys.items()))
        os.rename(path + "~", path)

    def _lines(self, name):
        try:
            with open(self.path(name)) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def calls(self):
        return self._lines("calls")

    def asked(self, unit, prop, value):
        """How often that was the answer."""
        return self._lines("asked").count("%s %s %s" % (unit, prop, value))

    def wait_calls(self, count, patience=PATIENCE):
        wait_until(lambda: len(self.calls()) >= count, "%d calls of systemd" % count, patience)
        return self.calls()
