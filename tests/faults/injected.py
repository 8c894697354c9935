# SPDX-License-Identifier: Apache-2.0
"""What the tests share in which one call of a program fails (tests/support/inject_fault.c).

A case is (program, start, n, "once" or "lasting"): the n-th call of its kind fails, and all that
follow too if it lasts. program: `daemon` or `install`. start: `fresh`, an upgrade from its beginning;
`resume`: one that a daemon before was killed in the middle of, so that reading what it left is under
the fault as well.

After each, in this order:
1. the daemon has ended with exit status 1 and one line that says why, or it goes on: it answers, does
   not hang, and no signal ends it;
2. what was told is true: no success unless the installer had all of the image and the reboot was asked
   for; no error that blames the request or the image, which are right; neither program crashed; and
   nothing was installed without a state file that says so;
3. if it goes on, and the fault came once (or is of a kind that it gets round), it mends: the guest asks again and the upgrade ends well;
4. started anew without the fault, the guest asks again and the upgrade ends well;
5. the installer saw verified bytes alone, never two at once, and nothing is left over. Where a file
   could not be removed, the next upgrade removes it.
"""
import mmap
import os
import re
import signal
import struct

from faultcase import FaultTest
from vsocktest import peer, program, wait_until
from vsocktest.case import content_of
from vsocktest.webserver import Cut, Resource, Stall

SIZE = 700000  # three batches of a download
CUT = 300000
PATIENCE = 25
INSTALLER = """#!/bin/sh
mkdir %(folder)s/runs 2>/dev/null || echo "two at once" >>%(folder)s/trouble
echo "$(sha256sum <"$1" | cut -d' ' -f1)" >>%(folder)s/installed
rmdir %(folder)s/runs
"""
PRELOADED = """#!/bin/sh
exec env LD_PRELOAD=%s FAULT="%s" %s "$@"
"""
# Errors that a fault on the host is none of.
NO_FAULT_OF = ("invalid_argument", "hash_mismatch", "too_large")
# The state file once an installation has begun.
RECORDED = r"(?m)^phase=(installing|rebooting|failed|upgraded)$"
# What the programs keep when all has ended: of [upgrade] directory and of [install] directory.
KEPT = {"upgrade": {"state"}, "install": {"record", "lock", "image"}, "install/image": set()}


class Page:
    """struct page of inject_fault.c."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(bytes(56))
        with open(path, "r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 56)

    @property
    def calls(self):
        return struct.unpack_from("Q", self._mapped)[0]

    @property
    def failed(self):
        return self._mapped[16:48].rstrip(b"\0").decode()

    @property
    def crashed(self):
        return struct.unpack_from("q", self._mapped, 48)[0]

    def shift_clock(self, seconds):
        struct.pack_into("q", self._mapped, 8, seconds)


class InjectedTest(FaultTest):
    call = None  # the KIND of inject_fault.c
    errors = ()  # tried in turn
    starts = ("fresh", "resume")
    programs = ("daemon", "install")
    durations = ("once",)
    mends = ("once",)  # of these, those after which the daemon itself brings the upgrade to its end
    ends = ()  # words of the log that make an abort a library's own, as docs/reliability.md says

    def setUp(self):
        super().setUp()
        self.script("installer", INSTALLER % {"folder": self.folder})
        self.page = Page(self.path("page"))
        self.server = self.web()
        self.image = Resource(content_of(SIZE))
        self.url = self.server.put("/image", self.image)

    # --- cases: as many as a run without a fault makes calls ---

    def cases(self):
        found = []
        for which in self.programs:
            for start in self.starts if which == "daemon" else ("fresh",):
                count = self.count(which, start)
                found += [(which, start, n, lasts) for n in range(1, count + 1)
                          for lasts in self.durations]
                self.forget()
        return found

    def count(self, which, start):
        self.page = Page(self.path("page"))
        self.under_fault((which, start, 0, "once"))
        self.assertGreater(self.page.calls, 0, "no call of this kind was counted")
        return self.page.calls

    def forget(self):
        """The next upgrade is another one; left-overs stay."""
        for name in ("upgrade/state", "install/record", "installed", "rebooted"):
            if self.read(name) is not None:
                os.unlink(self.path(name))

    # --- a case ---

    def attempt(self, case):
        try:
            self.tried(case)
        except Exception as error:
            error.add_note("the call that failed: " + (self.page.failed or "none"))
            raise

    def tried(self, case):
        daemon = self.under_fault(case)
        if self.read("installed"):
            self.assertRegex(self.read("upgrade/state") or "", RECORDED, "installed without a record")
        # One of the last calls of the count may not have come yet, since threads take turns.
        if daemon.alive() and case[3] in self.mends and case[0] == "daemon" and self.page.failed:
            self.assertDone(self.asked(daemon))
            self.judge(daemon, case)
        self.ended(daemon, case)
        clean = self.started({})
        self.assertDone(self.asked(clean))
        self.assertEqual(clean.stop(), 0, clean.log())
        self.assertTrue(self.read("installed"), "it was never installed")
        self.assertTrue(self.read("rebooted"), "no reboot was asked for")
        self.judge(clean, case)
        self.nothing_left()

    def fault(self, case):
        which, _, n, lasts = case
        error = self.errors[n % len(self.errors)] if self.errors else 0
        return "%s %d %d %d %s" % (self.call, n, error, lasts == "lasting", self.page.path)

    def under_fault(self, case):
        """A daemon that was asked for the upgrade with the fault in it, or in vsock_host-install;
        what it answered was judged. It may have ended."""
        which, start, n, _ = case
        self.image.faults = [Cut(CUT), None]
        if start == "resume":
            self.left_in_the_middle()
        library, fault = program("inject_fault.so"), self.fault(case)
        if which == "install":
            self.script("preloaded", PRELOADED % (library, fault, program("vsock_host-install")))
            daemon = self.started({}, {"steps": {"install_program": self.path("preloaded")}})
        else:
            daemon = self.started({"LD_PRELOAD": library, "FAULT": fault})
        if daemon.alive():
            answer = self.asked(daemon)
            self.true(answer, daemon)
        if n == 0:
            self.assertEqual(daemon.stop(), 0)
        return daemon

    def started(self, environment, sections=None):
        """A daemon that is ready, or has ended."""
        return self.settled(self.daemon(sections, environment=environment, wait=False))

    @staticmethod
    def settled(daemon):
        wait_until(lambda: not daemon.alive() or
                   any(each.get("READY") == "1" for each in daemon.notify.messages),
                   "vsock_host to be ready or to end", PATIENCE)
        return daemon

    def _end_daemon(self, daemon):
        """attempt() has judged how it ended; this is what a failed case leaves."""
        daemon.kill()
        daemon.notify.close()

    def left_in_the_middle(self):
        self.image.faults = [Stall(CUT), None]
        daemon = self.started({})
        guest = self.peer(daemon)
        guest.send(peer.upgrade(self.url, self.image.sha256))
        part = self.path("upgrade", self.image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part) and os.path.getsize(part), part)
        daemon.kill()
        guest.close()

    def asked(self, daemon, patience=PATIENCE):
        """The answer to the upgrade; None: the connection ended without one."""
        try:
            with peer.Peer(daemon.socket_path, patience) as guest:
                guest.welcome()
                guest.send(peer.upgrade(self.url, self.image.sha256))
                return guest.last(1)
        except (ConnectionError, FileNotFoundError, peer.Wrong, peer.Cut) as error:
            if isinstance(error, peer.Wrong) and "got None" not in str(error):
                raise
            return None

    # --- what is judged ---

    def true(self, answer, daemon):
        """A success is one; a failure has one line of words."""
        if isinstance(answer, peer.Error):
            self.assertRegex(answer.message, r"\A[^\n]+\Z")
            self.assertNotIn(answer.code, NO_FAULT_OF, answer.message)
            return
        if answer is None:
            return
        self.assertDone(answer)
        self.assertTrue(self.read("installed"), "a success was told, and nothing installed")
        self.assertTrue(self.read("rebooted"), "a success was told, and no reboot asked for")

    def judge(self, daemon, case):
        self.assertEqual(self.page.crashed, 0, "a program crashed by that signal")
        for line in (self.read("installed") or "").splitlines():
            self.assertEqual(line, self.image.sha256.hex(), "bytes that were not verified")
        self.assertIsNone(self.read("trouble"), "two installers at once")

    def ended(self, daemon, case):
        """Told to stop, it ends well; or it had ended before, and has said why."""
        asked = daemon.alive()
        code = daemon.stop()
        where = "%r: %s failed; exit status %d; the log:\n%s" % (
            case, self.page.failed, code, daemon.log())
        if code == -signal.SIGABRT and any(words in daemon.log() for words in self.ends):
            return
        if asked:
            self.assertEqual(code, 0, where)
        else:
            self.assertEqual(code, 1, where)
            lines = [line for line in daemon.log().splitlines() if re.search(
                r"(error|cannot|fail|memory|<3>)", line)]
            self.assertTrue(lines, where)
        self.judge(daemon, case)

    def nothing_left(self):
        """What could not be removed is removed when vsock_host-install takes the next image."""
        if self.page.failed == "unlinkat":
            self.forget()
            daemon = self.started({})
            self.assertDone(self.asked(daemon))
            self.assertEqual(daemon.stop(), 0)
        for folder, kept in KEPT.items():
            there = set(os.listdir(self.path(*folder.split("/"))))
            self.assertLessEqual(there, kept, "left over in " + folder)
