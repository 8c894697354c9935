# SPDX-License-Identifier: Apache-2.0
"""The clock is set by a day in the middle of an upgrade: only time that passed counts."""
from faultcase import FaultTest
from injected import PATIENCE, PRELOADED, Page
from vsocktest import peer, program, wait_until
from vsocktest.case import MIB
from vsocktest.webserver import Cut, Drip, Reset

DAY = 86400


class ClockIsSet(FaultTest):
    kind = "the clock set by a day"
    sample = 8

    def cases(self):
        return [(when, shift) for when in ("download", "retry", "installation", "reboot")
                for shift in (DAY, -DAY)]

    def setUp(self):
        super().setUp()
        self.page = Page(self.path("page"))
        library = program("inject_fault.so")
        self.environment = {"LD_PRELOAD": library, "FAULT": "clock 0 0 0 " + self.page.path}
        self.script("preloaded", PRELOADED % (library, self.environment["FAULT"],
                                              program("vsock_host-install")))
        self.script("installer", """#!/bin/sh
echo "$1 $(sha256sum <"$1" | cut -d' ' -f1)" >>%(folder)s/installed
touch %(folder)s/began
while [ ! -e %(folder)s/go ]; do echo looks | tee -a %(folder)s/looks; sleep 0.05; done
""" % {"folder": self.folder})

    def attempt(self, case):
        when, shift = case
        faults = {"download": [Drip(65536, 0.1)], "retry": [Reset(-1), Cut(300000), None]}
        web = self.web()
        image = self.image(web, faults=faults.get(when, [None]))
        daemon = self.daemon(
            {"upgrade": {"stall_seconds": 20, "retry_seconds": 1},
             "steps": {"install_program": self.path("preloaded")},
             "install": {"installer_seconds": 30}}, environment=self.environment)
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256, 1))
        if when == "download":
            daemon.wait_phase("downloading")
        elif when == "retry":
            daemon.wait_log("try 1 of ")
        else:
            wait_until(lambda: self.read("began") is not None, "the installer", PATIENCE)
        if when != "reboot":
            self.page.shift_clock(shift)
        if when in ("download", "installation"):
            self.look_at_the_clock(daemon)
        web.release()
        self.write("go", "")
        self.assertDone(guest.last(1, []))
        self.page.shift_clock(shift)
        self.assertInstalled(image)
        self.assertEqual(web.count("/image"), len(faults["retry"]) if when == "retry" else 1)
        self.still_waits_for_the_reboot(daemon, image)
        self.assertEqual(daemon.stop(), 0)
        again = self.daemon({}, environment=self.environment)
        for _ in range(50):  # in which its threads begin
            self.still_waits_for_the_reboot(again, image)
        self.assertDone(self.peer(again).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def look_at_the_clock(self, daemon):
        """Both programs are woken, by bytes or by lines that come, and find what it was set to."""
        guest = self.peer(daemon)

        def lines():
            return len((self.read("looks") or "").splitlines())
        before, lines_before = guest.status(), lines()

        def seen():
            status = guest.status()
            return (status.phase, status.done) != (before.phase, before.done) or \
                lines() > lines_before + 2
        wait_until(seen, "more bytes or lines, with the clock set", PATIENCE)

    def still_waits_for_the_reboot(self, daemon, image):
        status = self.peer(daemon).status()
        self.assertEqual((status.phase, status.result, status.done, status.total),
                         ("rebooting", "ok", MIB, MIB))
