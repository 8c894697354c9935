# SPDX-License-Identifier: Apache-2.0
"""upgrade: others use the disk while an image is written to it."""
import os

from vsocktest import peer, wait_until
from vsocktest.case import MIB
from vsocktest.trouble import UpgradeTroubleTest
from vsocktest.webserver import Stall


class RoomTest(UpgradeTroubleTest):
    def begun(self, size, room, keep_free, **more):
        """A download on a disk of `room` bytes that has begun and waits for web.release()."""
        sections = self.tmpfs(room)
        sections["upgrade"]["keep_free"] = keep_free
        web, daemon = self.web(), self.daemon(sections)
        image = self.image(web, size=size, faults=[Stall(2 * MIB), None], **more)
        guest = self.upgrading(daemon, image)
        part = self.path("small", "upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part) and os.path.getsize(part) >= MIB, part)
        return web, daemon, image, guest

    def take(self, size):
        """Others write so much, or all that there is; how much it was."""
        taken = 0
        with open(self.path("small", "others"), "wb", buffering=0) as out:
            try:
                while taken < size:
                    taken += out.write(bytes(min(MIB, size - taken)))
            except OSError:
                pass
        return taken

    def test_room_that_must_stay_free_is_taken(self):
        web, daemon, image, guest = self.begun(40 * MIB, 64 * MIB, "16M", chunked=True)
        self.take(30 * MIB)
        web.release()
        self.assertError(guest.last(1), "no_space", "%d must stay free" % (16 * MIB))
        self.assertIsNone(self.read("installed"), "the installer was run")
        self.assertEqual([name for name in os.listdir(self.path("small/upgrade"))
                          if name != "state"], [])
        os.unlink(self.path("small", "others"))
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_all_room_is_taken(self):
        web, daemon, image, guest = self.begun(40 * MIB, 48 * MIB, "0", chunked=True)
        self.take(48 * MIB)
        web.release()
        self.assertError(guest.last(1), "no_space")
        self.assertIsNone(self.read("installed"), "the installer was run")
        os.unlink(self.path("small", "others"))
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_room_that_was_reserved_stays(self):
        """The size was announced: what others find is the rest."""
        web, daemon, image, guest = self.begun(24 * MIB, 40 * MIB, "0")
        taken = self.take(40 * MIB)
        self.assertLess(taken, 40 * MIB - image_size(image))
        os.truncate(self.path("small", "others"), taken - MIB)  # for the small files
        web.release()
        self.assertDone(guest.last(1))
        self.assertInstalled(image)


def image_size(image):
    return len(image.content) - MIB
