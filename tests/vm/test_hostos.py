# SPDX-License-Identifier: Apache-2.0
"""Tier 2: the story is told over loopback, in a HostOS whose GuestOS boots meanwhile; once it has, it
asks too."""
import os
import re

import story
from asker import Loopback
from machine import wait_until
from world import ROOT


def asked_in_the_guest(text):
    return [re.sub("[0-9a-f]{64}", "SHA256", line) for line in re.findall(r"(?m)^\(CID 3\b.*", text)]


class HostOSTest(story.Story):
    asker = Loopback

    def test_15_from_the_guest(self):
        guest = self.world.asker.guest
        guest.wait_guest()
        self.assertGuest("get-hostos-version", "HostOSVersion(1.0.0)\n", by=guest)
        self.assertGuest("-v get-vsock-version", "HostOSVsockVersion(1.0.0)\n", by=guest)
        self.assertGuest("--get-hostos-version", "1.0.0\n", by=guest)
        self.assertGuest("notify 'from a GuestOS'", "NoPayload\n", by=guest)
        self.assertGuest("--notify 'in the older form' --count 1", "", by=guest)
        for words in ("from a GuestOS", "in the older form"):
            wait_until(lambda: words in self.host.consoles(), "it is on the console")
        self.host.must("sed -i s,/bin/false,/bin/true, /etc/systemd/system/upgrade-guestos.service; "
                       "systemctl daemon-reload")
        self.assertGuest("start-upgrade-guest-vm", "NoPayload\n", by=guest)

    def test_16_hsm_in_the_guest(self):
        guest = self.world.asker.guest
        self.assertGuest("attach-hsm", "NoPayload\n", by=guest)
        wait_until(guest.has_hsm, "the guest has the HSM")
        self.assertGuest("detach-hsm", "NoPayload\n", by=guest)
        wait_until(lambda: not guest.has_hsm(), "the HSM is gone from the guest")

    def test_17_the_guest_is_not_served(self):
        path = "/etc/vsock_host/vsock_host.conf.d/60-cids.conf"
        self.host.must("printf '[listen]\nallowed_cids =\nallowed_cids = 1\n' >%s; "
                       "systemctl restart vsock_host" % path)
        self.assertRefused("get-hostos-version", "forbidden", "CID 3", by=self.world.asker.guest)
        self.host.must("rm %s; systemctl restart vsock_host" % path)
        self.world.wait_active()

    def test_61_the_page_for_operators(self):
        with open(os.path.join(ROOT, "docs/hostos.md")) as file:
            page = file.read()
        self.assertEqual(asked_in_the_guest(page), asked_in_the_guest("".join(self.world.transcript)))
