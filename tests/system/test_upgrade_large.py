# SPDX-License-Identifier: Apache-2.0
"""upgrade: sizes beyond 4 GiB, where 32 bits end. Files are sparse on both sides, so it is quick."""
import hashlib
import mmap
import os
import shutil

from vsocktest import peer, wait_until
from vsocktest.case import MIB, content_of
from vsocktest.trouble import UpgradeTroubleTest
from vsocktest.webserver import Raw, Resource, Stall

BEYOND = 4 << 30
TAIL = content_of(70000)
SIZE = BEYOND + len(TAIL)


class Sparse(Resource):
    """4 GiB of zeros, then TAIL; a file that is mapped."""

    def __init__(self, path, **more):
        with open(path, "wb") as out:
            out.truncate(BEYOND)
            out.seek(BEYOND)
            out.write(TAIL)
        with open(path, "rb") as file:
            super().__init__(mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ), **more)
        digest, zeros = hashlib.sha256(), bytes(16 * MIB)
        for _ in range(BEYOND // len(zeros)):
            digest.update(zeros)
        digest.update(TAIL)
        self._sha256 = digest.digest()

    @property
    def sha256(self):
        return self._sha256


class LargeTest(UpgradeTroubleTest):
    def test_image_beyond_4_gib(self):
        """All but its end is there from before, so that offsets, ranges and sums need 64 bits."""
        if shutil.disk_usage(self.folder).free < 2 * SIZE:
            self.skipTest("%s has no room for an image of 4 GiB, which is reserved" % self.folder)
        self.script("installer", "#!/bin/sh\nstat -c %%s \"$1\" >>%s/sizes\n" % self.folder)
        web = self.web()
        image = Sparse(self.path("sparse"), faults=[Stall(1000), None])
        url = web.put("/image", image)
        first = self.daemon()
        guest = self.peer(first)
        guest.send(peer.upgrade(url, image.sha256))
        part = self.path("upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part) and os.path.getsize(part), part)
        wait_until(lambda: "total=%d\n" % SIZE in (self.read(part[:-4] + "meta") or ""), "its note")
        first.kill()
        os.truncate(part, BEYOND)
        second = self.daemon()
        told = []
        other = peer.Peer(second.socket_path, patience=200)
        self.addCleanup(other.close)
        self.assertDone(other.welcome().upgrade(url, image.sha256, told))
        self.assertEqual([each.headers.get("range") for each in web.requests],
                         [None, "bytes=%d-" % BEYOND])
        self.assertEqual(self.read("sizes"), "%d\n" % SIZE)
        status = self.peer(second).status()
        self.assertEqual((status.phase, status.done, status.total), ("rebooting", SIZE, SIZE))
        self.assertLessEqual({each.status.total for each in told}, {0, SIZE})

    def test_length_beyond_max_bytes(self):
        """Cut to 32 bits it would be 1."""
        web, daemon = self.web(), self.daemon({"upgrade": {"max_bytes": "4G"}})
        web.put("/image", Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4294967297\r\n\r\nx"))
        self.fails(daemon, web.url("/image"), hashlib.sha256(b"x").digest(), "too_large",
                   "4294967297 bytes; at most 4294967296 are allowed")
        self.nothing_ran()
