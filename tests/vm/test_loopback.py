# SPDX-License-Identifier: Apache-2.0
"""Tier 1: a machine with nothing but an initramfs and both programs, over real AF_VSOCK. With loopback
alone CID 1 and CID 2 both reach the listener, and it sees peer CID 1."""
import os
import tempfile
import unittest

import cache
import initramfs
import machine

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, "build/release/bin")
SECONDS = 300
CONFIGURATION = """[listen]
allowed_cids = %s
[limits]
connections = 1100
connections_per_cid = 1100
first_frame_seconds = 120
[version]
file = /version
[console]
devices = /tmp/console
[upgrade]
directory = /tmp/upgrade
"""
INIT = """
ulimit -n 4096
echo 1.2.3 >/version; : >/tmp/console
vsock_host --config /own.conf --log stderr >/tmp/log 2>&1 &
answer() { name=$1; shift; "$@" >/tmp/out 2>&1; echo "$name: $? $(cat /tmp/out)"; }
answer default vsock_guest get-hostos-version
answer loopback vsock_guest --address vsock:1:19090 get-vsock-version
answer notify vsock_guest notify hello
answer tlv-0 vsock_guest --protocol tlv-0 get-hostos-version
answer json-1 vsock_guest --protocol json-1 --address vsock:1:19090 get-hostos-version
answer nobody vsock_guest --connect-timeout 0 --address vsock:1:19091 get-hostos-version
answer many connect_many 1000
answer after vsock_guest get-hostos-version
kill $!; wait $!; echo "stopped: $?"
vsock_host --config /foreign.conf --log stderr >>/tmp/log 2>&1 &
answer foreign vsock_guest get-hostos-version
answer foreign-tlv-0 vsock_guest --protocol tlv-0 get-hostos-version
kill $!; wait $!
cat /tmp/log; echo END; poweroff -f
"""


class LoopbackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        base_folder = cache.kernel()
        with tempfile.TemporaryDirectory(prefix="vsock-loopback-") as folder:
            files = []
            for name, cids in (("own", "1"), ("foreign", "3")):
                path = os.path.join(folder, name + ".conf")
                with open(path, "w") as file:
                    file.write(CONFIGURATION % cids)
                files.append((path, "/%s.conf" % name))
            initrd = os.path.join(folder, "initrd")
            initramfs.make(initrd, base_folder, INIT, ["vsock", "vsock_loopback"],
                           [os.path.join(BIN, name)
                            for name in ("vsock_host", "vsock_guest", "connect_many")], files)
            cls.console = machine.boot_to_end(machine.find_accelerator(base_folder), base_folder,
                                              initrd, SECONDS)

    def answered(self, name, status, *words):
        for line in self.console.splitlines():
            if line.startswith(name + ": "):
                self.assertTrue(line.startswith("%s: %d " % (name, status)) or
                                line.strip() == "%s: %d" % (name, status), line)
                for word in words:
                    self.assertIn(word, line)
                return
        self.fail("%s is not told in:\n%s" % (name, self.console))

    def test_transport(self):
        self.answered("default", 0, "HostOSVersion(1.2.3)")
        self.answered("loopback", 0, "HostOSVsockVersion(1.0.0)")
        self.answered("notify", 0, "NoPayload")
        self.answered("tlv-0", 0, "HostOSVersion(1.2.3)")

    def test_json_needs_the_cid_of_the_kernel(self):
        # Over loopback the kernel's own CID and the peer's that the host sees are both 1.
        self.answered("json-1", 0, "HostOSVersion(1.2.3)")

    def test_nobody_listens(self):
        self.answered("nobody", 3, "error: connect: vsock:1:19091")

    def test_a_thousand_connections(self):
        self.answered("many", 0, "1000 connections, 1000 answers")
        self.answered("after", 0, "HostOSVersion(1.2.3)")
        self.answered("stopped", 0)

    def test_a_foreign_cid_is_refused(self):
        self.answered("foreign", 1, "forbidden", "CID 1")
        self.answered("foreign-tlv-0", 1, "forbidden")


if __name__ == "__main__":
    unittest.main()
