# SPDX-License-Identifier: Apache-2.0
"""Who is served, and what the daemon may not."""
from case import Case
from machine import wait_until


START = ("busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
         "org.freedesktop.systemd1.Manager StartUnit ss %s replace")


class Rights(Case):
    def as_daemon(self, command):
        return self.host.run("runuser -u _vsock-host -- " + command, 60)

    def test_30_a_foreign_cid(self):
        self.world.asker.arrive()
        path = "/etc/vsock_host/vsock_host.conf.d/60-cids.conf"
        self.host.must("printf '[listen]\nallowed_cids =\nallowed_cids = 77\n' >%s; systemctl restart vsock_host" % path)
        self.assertRefused("get-hostos-version", "forbidden", "CID %d" % self.world.asker.cid)
        self.host.must("rm %s; systemctl restart vsock_host" % path)
        self.assertGuest("get-hostos-version", "HostOSVersion(3.0.0)\n")

    def test_31_what_the_daemon_may_not(self):
        def refused(command, *words):
            done = self.as_daemon(command)
            self.assertNotEqual(done.status, 0, done)
            for word in words:
                self.assertIn(word, done.out + done.err)

        for unit in ("vsock_host-hsm-attach@3.service", "vsock_host-hsm-detach@3.service",
                     "vsock_host-install@%s.service" % ("0" * 64), "upgrade-guestos.service"):
            done = self.as_daemon(START % unit)
            self.assertEqual(done.status, 0, done)
        self.host.run("systemctl reset-failed 'vsock_host-install@*' upgrade-guestos")
        denied = ("Access denied",)
        for unit in ("systemd-tmpfiles-clean.service", "vsock_host-install@x.service",
                     "vsock_host-hsm-attach@3x.service"):
            refused(START % unit, *denied)
        refused("busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
                "org.freedesktop.systemd1.Manager StopUnit ss vsock_host-install@%s.service replace" %
                ("0" * 64), *denied)
        refused("systemd-run --no-ask-password /bin/true", *denied)
        refused("virsh -c qemu:///system list", "access denied")
        refused("cat /etc/shadow", "Permission denied")
        refused("ls /var/lib/vsock_host-install/image", "Permission denied")
        refused("sh -c 'echo x >/var/lib/vsock_host-install/record'", "Permission denied")
        refused("systemctl --no-ask-password reboot", *denied)

    def test_32_two_installations_at_once(self):
        self.host.must("touch /var/lib/test/hold")
        names = []
        for version in ("2.0.0", "3.0.0"):
            _, digest = self.world.image(version)
            names.append("vsock_host-install@%s.service" % digest)
            self.host.must("install -m 0600 -o _vsock-host /srv/test/www/%s.tar /var/lib/vsock_host/%s.img" %
                           (version, digest))
        self.host.must(": >/var/lib/test/installer.log")
        self.assertEqual(self.as_daemon(START % names[0]).status, 0)
        wait_until(lambda: "begin" in self.host.must("cat /var/lib/test/installer.log"),
                   "the first one runs")
        self.assertEqual(self.as_daemon(START % names[1]).status, 0)
        wait_until(lambda: "busy: " in self.world.journal("-u " + names[1]), "the second one is refused")
        image = self.host.must("ls -d /var/lib/vsock_host-install/image/*").split()
        self.assertEqual(len(image), 1)
        before = self.host.must("sha256sum " + image[0])
        done = self.as_daemon("sh -c 'echo x >>%s'" % image[0])
        self.assertIn("Permission denied", done.err)
        self.assertEqual(self.host.must("sha256sum " + image[0]), before)
        self.assertEqual(self.host.must("cat /var/lib/test/installer.log | wc -l"), "1")
        self.host.must("systemctl kill --kill-whom=all --signal=KILL %s; rm /var/lib/test/hold; "
                       "rm -f /var/lib/vsock_host/*.img" % names[0])
