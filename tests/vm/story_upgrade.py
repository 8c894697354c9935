# SPDX-License-Identifier: Apache-2.0
"""The upgrade, with real reboots, and with power that goes."""
import re

from case import Case
from machine import wait_until

PROGRESS = "e837490403254301aa87f209485a3562"


class Upgrade(Case):
    def test_20_upgrade(self):
        guest = self.world.asker.guest
        self.world.serve_images()
        url, digest = self.world.image("2.0.0")
        self.host.must("systemd-run -q --unit=somebody -p User=games -p PAMName=login sleep infinity")
        wait_until(lambda: "games" in self.host.must("loginctl list-sessions --no-legend"),
                   "somebody is logged in, which does not keep the machine from its reboot")
        self.host.must("echo 200000 >/srv/test/www/rate; touch /var/lib/test/hold")
        self.world.guest_in_background("upgrade --progress always --url %s --hash %s" % (url, digest), "up",
                                       by=guest)
        wait_until(lambda: re.search(r"downloading\b.*%",
                                     self.world.show("vsock_host.service", "StatusText")),
                   "STATUS shows the download")
        self.assertIn("downloading", self.world.guest("get-upgrade-status", by=guest).out)
        wait_until(lambda: "VSOCK_UPGRADE_DONE=" in self.host.must(
            "journalctl -q -o verbose MESSAGE_ID=%s VSOCK_UPGRADE_SHA256=%s" % (PROGRESS, digest)),
                   "the journal shows the download")
        self.host.must("rm /srv/test/www/rate")
        wait_until(lambda: "begin" in self.host.run("cat /var/lib/test/installer.log").out,
                   "the installer runs")
        unit = "vsock_host-install@%s.service" % digest
        self.assertEqual(self.world.show(unit, "ActiveState"), "activating")
        self.host.must("systemctl restart vsock_host")
        self.assertEqual(self.world.show(unit, "ActiveState"), "activating")
        self.world.wait_active()
        self.assertIn("installing", self.world.guest("get-upgrade-status", by=guest).out)
        done = self.world.wait_guest("up", by=guest)
        self.assertEqual(done.status, 6, done)
        self.assertIn("downloading", done.err)
        boots = self.host.boots()
        self.host.must("rm /var/lib/test/hold")
        wait_until(lambda: '"reboot"' in self.host.run(
            "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 "
            "org.freedesktop.login1.Manager ScheduledShutdown").out, "logind has the reboot scheduled")
        wait_until(lambda: self.host.run("vsock_host --status").out.startswith("UpgradeStatus(rebooting, "),
                   "the reboot is told")
        self.host.wait_boot(boots)
        self.world.wait_active()
        self.world.asker.arrive()
        done = self.world.guest("get-upgrade-status")
        self.assertTrue(done.out.startswith("UpgradeStatus(upgraded, "), done)
        self.assertGuest("get-hostos-version", "HostOSVersion(2.0.0)\n")
        self.assertEqual(self.host.must("cat /var/lib/test/installer.log").splitlines(),
                         ["begin " + digest, "end 2.0.0"])
        self.assertEqual(self.host.must("ls /var/lib/vsock_host | grep -v '^state$' || true"), "")

    def cut_power(self, ready):
        """The power goes when ready() says so, and comes back."""
        wait_until(ready, "the moment for the power cut")
        self.host.cut()
        self.host.start()
        self.world.wait_active()

    def test_21_power_cuts(self):
        """In the download, which goes on by itself, and in the installation, which does not."""
        self.host.must("echo 500000 >/srv/test/www/rate; touch /var/lib/test/hold; "
                       ": >/var/lib/test/installer.log; sync")
        self.world.serve_images()
        url, digest = self.world.image("3.0.0")
        self.world.guest_in_background("upgrade --url %s --hash %s" % (url, digest), "cut")
        self.cut_power(lambda: int(self.host.run(
            "stat -c %s /var/lib/vsock_host/*.part 2>/dev/null || echo 0").out.split()[0]) > 1000000)
        self.assertIn("downloading", self.host.must("vsock_host --status"))
        self.host.must("rm /srv/test/www/rate")
        self.world.serve_images()
        self.cut_power(lambda: "begin" in self.host.run("cat /var/lib/test/installer.log").out)
        self.assertRegex(self.host.must("vsock_host --status"),
                         r"^UpgradeStatus\(failed, .*install_failed")
        self.assertEqual(self.host.must("cat /opt/ic/share/version.txt"), "2.0.0")

        self.host.must("rm /var/lib/test/hold")
        self.world.serve_images()
        self.world.asker.arrive()
        boots = self.host.boots()
        self.assertGuest("upgrade --url %s --hash %s" % (url, digest), "NoPayload\n", seconds=200)
        self.host.wait_boot(boots)
        self.world.wait_active()
        self.assertRegex(self.host.must("vsock_host --status"), r"^UpgradeStatus\(upgraded, ")
        self.assertEqual(self.host.must("cat /opt/ic/share/version.txt"), "3.0.0")
