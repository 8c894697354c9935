# SPDX-License-Identifier: Apache-2.0
"""upgrade: from the request to the reboot, and what it leaves on the disk."""
import os
import re
import stat
import time

from vsocktest import peer, wait_until
from vsocktest.case import MIB, SystemTest
from vsocktest.daemon import run
from vsocktest.webserver import Redirect, Stall


class DoneTest(SystemTest):
    def test_from_request_to_reboot(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        guest = self.peer(daemon)
        self.assertDone(guest.upgrade(image.url, image.sha256))
        self.assertInstalled(image)
        self.assertEqual(self.read("rebooted"), "reboot\n")
        status = guest.status(2)
        self.assertEqual((status.phase, status.result, status.sha256, status.done, status.total),
                         ("rebooting", "ok", image.sha256, MIB, MIB))
        self.assertLess(abs(status.changed - time.time()), 300)
        self.assertIn(image.sha256.hex(), self.read("install/record"))
        self.assertEqual(web.count("/image"), 1)

    def test_configuration_by_a_relative_path(self):
        web, daemon = self.web(), self.daemon()
        image, config = self.image(web), daemon.config
        daemon.stop()
        daemon = self.daemon(config=os.path.relpath(config))
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_two_daemons_do_not_share_a_directory(self):
        self.daemon()
        code, out, error = run(["--config", self.path("vsock_host.conf"), "--log",
                                "stderr", "--listen", "unix:" + self.path("other.sock")])
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(error, "vsock_host: error: cannot start: [upgrade] directory = %s: another "
                                "vsock_host uses it: give each its own\n" % self.path("upgrade"))

    def test_image_is_kept_from_others(self):
        self.script("installer", "#!/bin/sh\nstat -c '%%a %%u' \"$1\" >%s/stat\n"
                    "pwd >>%s/stat\nenv | sort >>%s/stat\n" % ((self.folder,) * 3))
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        told = self.read("stat").splitlines()
        self.assertEqual(told[0], "400 %d" % os.getuid())
        self.assertEqual(told[1], "/")
        self.assertEqual([line for line in told[2:]
                          if not re.match(r"(PATH|PWD|_|SHLVL|OLDPWD)=", line)], [])

    def test_large_image(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, size=64 * MIB + 12345)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_one_byte_and_none(self):
        web = self.web()
        for size in (1, 0):
            daemon = self.daemon()
            image = self.image(web, size=size)
            answer = self.peer(daemon).upgrade(image.url, image.sha256)
            if size:
                self.assertDone(answer)
                self.assertInstalled(image)
            else:  # an empty image is installed or refused, but it ends
                self.assertIsInstance(answer, (peer.Response, peer.Error))
            daemon.stop()
            self.forget_upgrades()

    def test_chunked_without_a_length(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, chunked=True)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_content_encoding_is_not_asked_for(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertIn(web.requests[0].headers.get("accept-encoding"), (None, "identity"))

    def test_no_proxy_from_the_environment(self):
        daemon = self.daemon(environment={"http_proxy": "http://127.0.0.1:1",
                                          "ALL_PROXY": "http://127.0.0.1:1"})
        web = self.web()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_redirects(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"max_redirects": 3}})
        image = self.image(web)
        web.put("/a", Redirect(web.url("/b"), 301))
        web.put("/b", Redirect("/c", 307))
        web.put("/c", Redirect("image", 303))
        self.assertDone(self.peer(daemon).upgrade(web.url("/a"), image.sha256))
        self.assertInstalled(image)

    def test_image_that_is_there_is_not_fetched_again(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        self.write("upgrade/%s.img" % image.sha256.hex(), image.content, 0o600)
        daemon = self.daemon()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertEqual(web.requests, [])
        self.assertInstalled(image)

    def test_image_that_is_there_and_wrong_is_fetched(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        self.write("upgrade/%s.img" % image.sha256.hex(), image.content[:-1] + b"!", 0o600)
        daemon = self.daemon()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_guest_that_goes_away_does_not_stop_it(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.upgrading(daemon, image)
        wait_until(lambda: web.requests, "the download")
        guest.close()
        web.release()
        daemon.wait_phase("rebooting")
        self.assertInstalled(image)

    def test_half_closing_is_not_going_away(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.upgrading(daemon, image)
        guest.finish()
        wait_until(lambda: web.requests, "the download")
        web.release()
        self.assertDone(guest.last(1))
        self.assertTrue(guest.ended())

    def test_others_are_served_while_it_runs(self):
        web, daemon = self.web(), self.daemon({"limits": {"workers": 1}})
        image = self.image(web, faults=[Stall(1000)])
        guest = self.upgrading(daemon, image)
        daemon.wait_phase("downloading")
        for _ in range(20):
            self.assertServes(daemon)
        web.release()
        self.assertDone(guest.last(1))

    def test_through_vsock_guest(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertEqual(
            self.guest(daemon, "upgrade", "--url", image.url, "--hash",
                       image.sha256.hex().upper()), (0, "NoPayload\n", ""))
        code, out, error = self.guest(daemon, "get-upgrade-status")
        self.assertEqual((code, error), (0, ""))
        self.assertEqual(out, "UpgradeStatus(rebooting, %d/%d, %s, ok, %s" % (
            MIB, MIB, image.sha256.hex(), out.partition(", ok, ")[2]))
        self.assertEqual(self.guest(daemon, "-o", "value", "get-upgrade-status"),
                         (0, "rebooting\n", ""))

    def test_status_option_reads_the_same(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        daemon.stop()
        code, out, _ = run(["--config", daemon.config, "--status"])
        self.assertEqual(code, 0)
        self.assertIn("rebooting, %d/%d, %s, ok" % (MIB, MIB, image.sha256.hex()), out)


class PlaceTest(SystemTest):
    def test_modes(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.upgrading(daemon, image)
        part = self.path("upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part), part)
        self.assertEqual(stat.S_IMODE(os.stat(part).st_mode) & 0o077, 0)
        web.release()
        self.assertDone(guest.last(1))
        self.assertFalse(os.path.exists(part))

    def test_links_are_not_followed(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        self.write("victim", "precious")
        os.symlink(self.path("victim"), self.path("upgrade", image.sha256.hex() + ".part"))
        daemon = self.daemon()
        answer = self.peer(daemon).upgrade(image.url, image.sha256)
        self.assertIsInstance(answer, (peer.Response, peer.Error))
        self.assertEqual(self.read("victim"), "precious")
