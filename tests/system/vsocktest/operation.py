# SPDX-License-Identifier: Apache-2.0
"""TestCase of the operations that a helper program runs: the HSM, the guest's
upgrade, and upgrades by units."""
import os

from . import bus, peer, wait_until
from .case import SystemTest

# Says that it was begun, waits for the file `go`, and says what the test wants.
HELD = """#!/bin/sh
echo $$ >>%(folder)s/began
while [ ! -e %(folder)s/go ]; do sleep 0.05; done
echo $$ >>%(folder)s/finished
echo 'done: it was held'
"""


def severe(daemon):
    """The lines of the daemon's log at warning or above."""
    return [line for line in daemon.log().splitlines()
            if line.startswith(("vsock_host: warning: ", "vsock_host: error: "))]


class OperationCase(SystemTest):
    def hsm(self, body):
        """The helper program: a shell script."""
        return self.script("hsm", "#!/bin/sh\n" + body)

    def held_hsm(self):
        return self.script("hsm", HELD % {"folder": self.folder})

    def began(self):
        return len((self.read("began") or "").splitlines())

    def wait_began(self, count=1):
        wait_until(lambda: self.began() >= count, "%d programs to begin" % count)

    def wait_file(self, name):
        wait_until(lambda: self.read(name) is not None, name)

    def go(self):
        self.write("go", "")

    def ask(self, daemon, command=peer.ATTACH_HSM):
        return self.peer(daemon).ask(command)

    def asked(self, daemon, command=peer.ATTACH_HSM):
        """A guest that waits for its answer."""
        guest = self.peer(daemon)
        guest.send(peer.request(command))
        return guest

    def assertDoneAnswer(self, answer):
        self.assertIsInstance(answer, peer.Response, answer)
        self.assertEqual((answer.kind, answer.value), (0, None))


class UnitCase(OperationCase):
    """A host with a bus of its own, and [steps] method = unit."""

    def setUp(self):
        super().setUp()
        self.bus = bus.start(self)
        os.mkdir(self.path("results"))

    def unit_daemon(self, sections=None, **more):
        sections = dict(sections or {})
        sections["steps"] = dict(sections.get("steps", {}), method="unit")
        return self.daemon(sections, arguments=["--hsm-results", self.path("results")], environment={
            "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}, **more)

    def hsm_unit(self, run, verb="attach", cid=3, **keys):
        """The unit of vsock_host-hsm, whose stdout is its file as systemd would have it."""
        line = self.script("unit-" + verb, "#!/bin/sh\n" + run)
        self.bus.unit("vsock_host-hsm-%s@%d.service" % (verb, cid),
                      run="%s >%s" % (line, self.path("results", "%s@%d" % (verb, cid))), **keys)
