# SPDX-License-Identifier: Apache-2.0
"""Tier 3: the same story, told from inside a GuestOS under libvirt; and what only a guest can show."""
import story
from asker import GuestOS


class GuestOSTest(story.Story):
    asker = GuestOS

    def test_09_hsm_by_cid(self):
        path = "/etc/vsock_host/vsock_host.conf.d/60-by-cid.conf"
        self.host.must("printf '[hsm]\\ndomain = by-cid\\n' >" + path)
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.attached()
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()
        self.host.must("rm " + path)

    def test_33_another_guest(self):
        self.world.asker.start_guest(4)
        self.assertRefused("get-hostos-version", "forbidden", "CID 4", cid=4)
        self.world.asker.start_guest()
        self.assertGuest("get-hostos-version", "HostOSVersion(3.0.0)\n")

    def test_34_a_guest_that_reboots(self):
        self.world.asker.reboot_guest()
        self.world.asker.wait_guest()
        self.assertGuest("get-hostos-version", "HostOSVersion(3.0.0)\n")
