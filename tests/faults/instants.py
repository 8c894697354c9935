# SPDX-License-Identifier: Apache-2.0
"""What the tests of instants and of power loss share: one whole upgrade, traced, and how it has to end."""
import ctypes
import os
import subprocess
import uuid

from faultcase import FaultTest
from vsocktest import program, wait_until
from vsocktest.peer import Cut, Error, Peer, Response

IMAGE_SIZE = 600000  # several writes, one of them short
BOOT_ID = "/proc/sys/kernel/random/boot_id"

# Says when two run at once. What it reads is the image. One that is begun once the instant has come
# takes its time: until the file `go` is there.
INSTALLER = """#!/bin/sh
mkdir %(folder)s/busy || echo "$1" >>%(folder)s/overlaps
if [ "$(grep -c "^[0-9]" %(folder)s/report)" -ge %(instant)d ]; then
    touch %(folder)s/holding
    for _ in $(seq 1000); do [ -e %(folder)s/go ] && break; sleep 0.02; done
fi
echo "$1 $(sha256sum <"$1" | cut -d' ' -f1)" >>%(folder)s/installed
rmdir %(folder)s/busy
"""


def in_another_boot(folder):
    """A command prefix: what it runs reads another boot id. Needs root."""
    path = os.path.join(folder, "boot_id")
    with open(path, "w") as out:
        out.write("%s\n" % uuid.uuid4())
    return ("unshare", "-m", "sh", "-c", 'mount --bind "$0" %s && exec "$@"' % BOOT_ID, path)


class UpgradeFault(FaultTest):
    def setUp(self):
        super().setUp()
        if os.getuid() != 0:
            self.skipTest("needs root: another boot id is mounted")
        self.hold_installer(1 << 30)
        for name in ("upgrade", "install"):  # as the package has made them
            os.mkdir(self.path(name), 0o700 if name == "upgrade" else 0o755)
        self.served = self.web()
        self.image_served = self.image(self.served, size=IMAGE_SIZE)

    def traced(self, whom, number=0, moment="before", log="", **more):
        """A daemon that is ended at an instant; kill_at.c says which there are."""
        self.report_path = self.path("report")
        prefix = (program("kill_at"), whom, str(number), moment, self.report_path, log)
        return self.daemon(prefix=prefix, wait=False, **more)

    def hold_installer(self, instant):
        self.script("installer", INSTALLER % {"folder": self.folder, "instant": instant})

    def report(self):
        return (self.read("report") or "").splitlines()

    def was_ended(self):
        return any(line.startswith(("killed ", "held ")) for line in self.report())

    # --- asking ---

    def ask_for_image(self, peer):
        return peer.upgrade(self.image_served.url, self.image_served.sha256)

    def ask_once(self, daemon, ask=None):
        """The answer, or None when the daemon went away first."""
        def connect():
            try:
                return Peer(daemon.socket_path)
            except OSError:
                return None if daemon.alive() else daemon
        peer = wait_until(connect, "vsock_host to listen or to end", pause=0.005)
        if peer is daemon:
            return None
        with peer:
            try:
                peer.welcome()
                return (ask or self.ask_for_image)(peer)
            except (OSError, Cut):
                return None
            except AssertionError:  # the stream ended in order, before WELCOME
                if daemon.alive() and not self.was_ended():
                    raise
                return None

    def status(self, daemon):
        with self.peer(daemon) as peer:
            return peer.status()

    def finish(self, daemon, failures=0):
        """Asks again until it is done; at most so many times it may be told that it is not."""
        told = []
        while True:
            answer = self.ask_once(daemon)
            if isinstance(answer, Response):
                break
            self.assertIsInstance(answer, Error, "no answer; the log:\n" + daemon.log())
            self.assertEqual(answer.code, "install_failed", answer.message)
            told.append(answer.message)
            self.assertLessEqual(len(told), failures, told)
        self.assertTruth()
        return told

    # --- what has to hold ---

    def installations(self):
        return [line.split()[1] for line in (self.read("installed") or "").splitlines()]

    def reboots(self):
        return len((self.read("rebooted") or "").splitlines())

    def assertTruth(self):
        """Done was told."""
        self.assertTrue(self.installations(), "done was told, and nothing was installed")
        self.assertTrue(self.reboots(), "done was told, and no reboot was asked for")

    def assertNeverWrong(self):
        self.assertIsNone(self.read("overlaps"), "two installers ran at once")
        self.assertEqual(set(self.installations()) - {self.image_served.sha256.hex()}, set(),
                         "the installer read what was not verified")

    def assertNothingLeft(self):
        self.assertEqual(sorted(os.listdir(self.path("upgrade"))), ["state"])
        self.assertEqual(sorted(os.listdir(self.path("install"))), ["image", "lock", "record"])
        self.assertEqual(os.listdir(self.path("install", "image")), [])

    def assertUpgradedAfterReboot(self, daemon):
        """The daemon is stopped and the machine `rebooted`; then the upgrade is told as done."""
        self.assertEqual(daemon.stop(), 0)
        again = self.daemon(prefix=in_another_boot(self.folder))
        status = self.status(again)
        self.assertEqual((status.phase, status.result), ("upgraded", "ok"), status.detail)
        self.assertNeverWrong()
        self.assertNothingLeft()
        self.assertEqual(again.stop(), 0)

