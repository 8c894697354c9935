# SPDX-License-Identifier: Apache-2.0
"""The HSM: a stick that is plugged in by dummy_hcd."""
from case import Case
from machine import wait_until


class Hsm(Case):
    def attached(self):
        wait_until(self.world.asker.has_hsm, "the guest has the HSM")

    def detached(self):
        wait_until(lambda: not self.world.asker.has_hsm(), "the HSM is gone from the guest")

    def test_07_hsm(self):
        self.assertRefused("attach-hsm", "unavailable")
        self.host.must("sh /srv/test/plug in")
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.attached()
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()
        self.assertGuest("detach-hsm", "NoPayload\n")

    def test_08_hsm_pulled_out_and_two(self):
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.host.must("sh /srv/test/plug out")
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.host.must("sh /srv/test/plug in 1; sh /srv/test/plug in")
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.attached()
        self.assertIn("2 USB tokens 20a0:4230 are free", self.world.journal("-u 'vsock_host-hsm-attach@*'"))
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()
        self.host.must("sh /srv/test/plug out 1")
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.host.must("sh /srv/test/plug out; sh /srv/test/plug in")
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.attached()
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()

    def test_09_hsm_without_libvirt(self):
        units = "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd"
        self.host.must("systemctl stop " + units)
        self.assertRefused("attach-hsm", "unavailable")
        self.host.must("systemctl start " + units)
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.attached()
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()
