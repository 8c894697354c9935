# SPDX-License-Identifier: Apache-2.0
"""A HostOS with systemd, libvirt and the packages, asked over real AF_VSOCK. The tests tell one story, in
the order of their names: each goes on where the one before left the machine. test_hostos.py and
test_guestos.py say who asks."""
import os
import re
import unittest

import journal
from machine import wait_until
from world import ROOT, World

LOGS = os.environ.get("VSOCK_VM_LOGS") or os.path.join(ROOT, "build/vm-logs")
AGENT = """[Service]
ExecStart=/bin/sleep infinity
KillSignal=SIGINT
[Install]
WantedBy=multi-user.target
"""


class Story(unittest.TestCase):
    asker = None  # a class of asker.py

    @classmethod
    def setUpClass(cls):
        cls.world = World(LOGS, cls.asker)
        cls.addClassCleanup(cls.world.close)
        cls.world.start()
        cls.host = cls.world.host

    def assertGuest(self, arguments, out, status=0, **more):
        done = self.world.guest(arguments, **more)
        self.assertEqual((done.status, done.out), (status, out), done.err)

    def assertRefused(self, arguments, code, *words, **more):
        done = self.world.guest(arguments, **more)
        self.assertEqual((done.status, done.out), (1, ""), done.err)
        self.assertTrue(done.err.startswith("error: %s: " % code), done.err)
        for word in words:
            self.assertIn(word, done.err)

    # --- the package ---

    def test_01_the_package_takes_over(self):
        self.host.must("cat >/etc/systemd/system/vsock-agent.service <<'END'\n%sEND\n"
                       "systemctl daemon-reload; systemctl enable --now vsock-agent" % AGENT)
        self.host.must("dpkg -i /srv/test/vsock-host_*.deb")
        self.assertEqual(self.world.show("vsock-agent.service", "ActiveState"), "inactive")
        self.assertEqual(self.host.run("systemctl is-enabled vsock-agent").out.strip(), "disabled")
        self.assertEqual(self.host.must("systemctl is-enabled vsock_host"), "enabled")
        self.world.wait_active()
        self.assertEqual(self.world.show("vsock_host.service", "StatusText"),
                         "Listening on vsock:any:19090")
        self.assertIn("Listening on vsock:any:19090", self.host.must("systemctl status vsock_host"))
        self.assertIn("1.0.0", self.host.must("/opt/ic/bin/vsock_host --version"))

    def test_02_the_daemon_is_not_root(self):
        status = self.host.must("cat /proc/%s/status" % self.world.pid())
        uid = self.host.must("id -u _vsock-host")
        self.assertRegex(status, r"Uid:\s+%s\s+%s\s+%s" % (uid, uid, uid))
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertRegex(status, name + r":\s+0{16}\n")
        self.assertRegex(status, r"NoNewPrivs:\s+1\n")
        self.assertRegex(status, r"Seccomp:\s+2\n")

    def test_03_a_guest_that_was_there_first(self):
        self.host.must("systemctl stop vsock_host")
        self.world.asker.arrive()
        self.world.guest_in_background("--connect-timeout 60 get-hostos-version", "early")
        self.host.must("systemctl start vsock_host")
        done = self.world.wait_guest("early")
        self.assertEqual((done.status, done.out), (0, "HostOSVersion(1.0.0)\n"), done.err)

    # --- the commands ---

    def test_04_version_and_forms(self):
        self.assertGuest("get-hostos-version", "HostOSVersion(1.0.0)\n")
        self.assertGuest("get-vsock-version", "HostOSVsockVersion(1.0.0)\n")
        self.assertGuest("--get-hostos-version", "1.0.0\n")
        self.assertGuest("--output json get-hostos-version", '{"HostOSVersion":"1.0.0"}\n')
        self.assertGuest("--get-hostos-version --port 19090", "1.0.0\n")

    def test_06_notify(self):
        self.assertGuest("notify 'from the guest \033[2J'", "NoPayload\n")
        wait_until(lambda: r"from the guest \x1b[2J" in self.host.consoles(), "it is on the console")
        self.assertGuest("--notify 'the older form' --count 1", "")
        wait_until(lambda: "the older form" in self.host.consoles(), "it is on the console")

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
        self.assertIn("2 sticks 20a0:4230 are free", self.world.journal("-u 'vsock_host-hsm-attach@*'"))
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()
        self.host.must("sh /srv/test/plug out 1")

    def test_09_hsm_without_libvirt(self):
        units = "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd"
        self.host.must("systemctl stop " + units)
        self.assertRefused("attach-hsm", "unavailable")
        self.host.must("systemctl start " + units)
        self.assertGuest("attach-hsm", "NoPayload\n")
        self.attached()
        self.assertGuest("detach-hsm", "NoPayload\n")
        self.detached()

    def test_10_guest_upgrade_unit(self):
        self.assertRefused("start-upgrade-guest-vm", "unavailable", "upgrade-guestos.service")
        unit = "[Service]\\nType=oneshot\\nExecStart=%s\\n"
        path = "/etc/systemd/system/upgrade-guestos.service"
        self.host.must("printf '%s' >%s; systemctl daemon-reload" % (unit % "/bin/true", path))
        self.assertGuest("start-upgrade-guest-vm", "NoPayload\n")
        self.host.must("printf '%s' >%s; systemctl daemon-reload" % (unit % "/bin/false", path))
        done = self.world.guest("start-upgrade-guest-vm")
        self.assertEqual(done.status, 1)
        self.assertIn("upgrade-guestos.service", done.err)

    # --- the service ---

    def test_11_ready_only_when_it_listens(self):
        self.host.must("systemctl stop vsock_host")
        self.host.must("systemd-run -q --collect --unit=holder python3 -c \"import socket, time\n"
                       "s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)\n"
                       "s.bind((socket.VMADDR_CID_ANY, 19090)); s.listen(); time.sleep(600)\"; sleep 2")
        self.assertNotEqual(self.host.run("systemctl start vsock_host").status, 0)
        self.assertNotEqual(self.world.show("vsock_host.service", "ActiveState"), "active")
        self.host.must("systemctl stop holder vsock_host; systemctl reset-failed vsock_host; "
                       "systemctl start vsock_host")
        self.world.wait_active()

    def test_12_reload(self):
        path = "/etc/vsock_host/vsock_host.conf.d/60-version.conf"
        pid = self.world.pid()
        self.host.must("echo 9.9.9 >/opt/ic/share/other.txt; "
                       "printf '[version]\\nfile = /opt/ic/share/other.txt\\n' >%s; "
                       "systemctl reload vsock_host" % path)
        wait_until(lambda: self.world.guest("get-hostos-version").out == "HostOSVersion(9.9.9)\n",
                   "the new configuration counts")
        self.host.must("printf '[version]\\nfile = relative\\n' >%s; systemctl reload vsock_host" % path)
        wait_until(lambda: "60-version.conf" in self.world.journal("-u vsock_host -p err"),
                   "the mistake is told")
        self.assertGuest("get-hostos-version", "HostOSVersion(9.9.9)\n")
        self.host.must("rm %s; systemctl reload vsock_host" % path)
        wait_until(lambda: self.world.guest("get-hostos-version").out == "HostOSVersion(1.0.0)\n",
                   "the old configuration counts again")
        self.assertEqual(self.world.pid(), pid)

    def test_13_a_thread_held_still(self):
        folder = "/run/systemd/system/vsock_host.service.d"
        self.host.must("mkdir {0}; printf '[Service]\nWatchdogSec=8\n' >{0}/fast.conf; "
                       "systemctl daemon-reload; systemctl restart vsock_host".format(folder))
        restarts = int(self.world.show("vsock_host.service", "NRestarts"))
        self.host.must("systemd-run -q --collect --unit=hold /srv/test/hold_thread %s acceptor 120" %
                       self.world.pid())
        wait_until(lambda: int(self.world.show("vsock_host.service", "NRestarts")) > restarts,
                   "systemd restarts the daemon")
        self.host.run("systemctl stop hold")
        self.world.wait_active()
        self.assertGuest("get-hostos-version", "HostOSVersion(1.0.0)\n")
        self.host.must("rm -r %s; systemctl daemon-reload; systemctl restart vsock_host" % folder)

    def test_14_socket_activation(self):
        self.host.must("systemctl stop vsock_host; systemctl start vsock_host.socket")
        self.assertEqual(self.world.show("vsock_host.service", "ActiveState"), "inactive")
        self.assertGuest("get-hostos-version", "HostOSVersion(1.0.0)\n")
        self.world.wait_active()
        self.host.must("systemctl stop vsock_host.socket vsock_host; systemctl start vsock_host")
        self.world.wait_active()

    # --- as an older guest ---

    def test_18_dialects(self):
        guest = self.world.asker.guest
        for dialect in ("tlv-1", "tlv-0", "json-1"):
            self.assertGuest("--protocol %s get-hostos-version" % dialect, "HostOSVersion(1.0.0)\n",
                             by=guest)
        self.assertGuest("--protocol json-0 notify 'in the oldest dialect'", "NoPayload\n", by=guest)
        wait_until(lambda: "in the oldest dialect" in self.host.consoles(), "it is on the console")

    # --- the upgrade ---

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

    # --- who is served ---

    def test_30_a_foreign_cid(self):
        self.world.asker.arrive()
        path = "/etc/vsock_host/vsock_host.conf.d/60-cids.conf"
        self.host.must("printf '[listen]\nallowed_cids =\nallowed_cids = 77\n' >%s; systemctl restart vsock_host" % path)
        self.assertRefused("get-hostos-version", "forbidden", "CID %d" % self.world.asker.cid)
        self.host.must("rm %s; systemctl restart vsock_host" % path)
        self.assertGuest("get-hostos-version", "HostOSVersion(3.0.0)\n")

    def test_31_what_the_daemon_may_not(self):
        def as_daemon(command):
            return self.host.run("runuser -u _vsock-host -- " + command, 60)

        def refused(command, *words):
            done = as_daemon(command)
            self.assertNotEqual(done.status, 0, done)
            for word in words:
                self.assertIn(word, done.out + done.err)

        start = ("busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
                 "org.freedesktop.systemd1.Manager StartUnit ss %s replace")
        for unit in ("vsock_host-hsm-attach@3.service", "vsock_host-hsm-detach@3.service",
                     "vsock_host-install@%s.service" % ("0" * 64), "upgrade-guestos.service"):
            done = as_daemon(start % unit)
            self.assertEqual(done.status, 0, done)
        self.host.run("systemctl reset-failed 'vsock_host-install@*' upgrade-guestos")
        denied = ("Access denied",)
        refused(start % "systemd-tmpfiles-clean.service", *denied)
        refused(start % "vsock_host-install@x.service", *denied)
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
        self.host.must(": >/var/lib/test/installer.log; systemctl start --no-block " + names[0])
        wait_until(lambda: "begin" in self.host.must("cat /var/lib/test/installer.log"),
                   "the first one runs")
        self.assertNotEqual(self.host.run("systemctl start " + names[1]).status, 0)
        image = self.host.must("ls -d /var/lib/vsock_host-install/image/*").split()
        self.assertEqual(len(image), 1)
        before = self.host.must("sha256sum " + image[0])
        done = self.host.run("runuser -u _vsock-host -- sh -c 'echo x >>%s'" % image[0])
        self.assertIn("Permission denied", done.err)
        self.assertEqual(self.host.must("sha256sum " + image[0]), before)
        self.assertEqual(self.host.must("cat /var/lib/test/installer.log | wc -l"), "1")
        self.host.must("systemctl kill --kill-whom=all --signal=KILL %s; rm /var/lib/test/hold; "
                       "rm -f /var/lib/vsock_host/*.img" % names[0])

    # --- what is left to read ---

    def test_40_journal(self):
        entries = self.host.must("journalctl --no-pager -o verbose VSOCK_CID=%d -n 20" % self.world.asker.cid)
        for field in ("MESSAGE_ID=", "VSOCK_DIALECT=", "VSOCK_COMMAND="):
            self.assertIn(field, entries)
        self.assertTrue(self.host.must(
            "journalctl --no-pager -o cat MESSAGE_ID=089fd126008b4fa8ab142e8d5330bcd0"))
        explained = self.host.must(
            "journalctl --no-pager -x MESSAGE_ID=089fd126008b4fa8ab142e8d5330bcd0 -n 1")
        self.assertRegex(explained, r"(?m)^\S+ Subject: The upgrade is done")
        self.assertNotRegex(explained, "@[A-Z]")

    def test_41_nothing_was_denied(self):
        for words in ("type=1326", "SECCOMP auid", "status=31/SYS", "avc:  denied"):
            self.assertEqual(self.host.run(
                "journalctl --no-pager -o cat | grep -F -e '%s' | grep -v grep" % words).out, "")
        self.assertEqual(journal.unexpected(self.host), [])

    # --- the package again ---

    def test_50_package_upgrade_keeps_the_configuration(self):
        self.host.must("echo '# mine' >>/etc/vsock_host/vsock_host.conf")
        before = self.world.pid()
        self.host.must("cd /tmp && rm -rf newer && dpkg-deb -R /srv/test/vsock-host_*.deb newer && "
                       "sed -i 's/^Version: .*/Version: 1.0.1/' newer/DEBIAN/control && "
                       "echo '# theirs' >>newer/etc/vsock_host/vsock_host.conf && "
                       "dpkg-deb -b newer newer.deb && dpkg --force-confold -i newer.deb")
        self.assertEqual(self.host.must("tail -n 1 /etc/vsock_host/vsock_host.conf"), "# mine")
        self.world.wait_active()
        self.assertNotEqual(self.world.pid(), before)
        self.assertGuest("get-hostos-version", "HostOSVersion(3.0.0)\n")

    def test_51_package_upgrade_after_going_back(self):
        self.host.must("systemctl disable --now vsock_host; systemctl enable --now vsock-agent; "
                       "dpkg --force-confold -i /tmp/newer.deb")
        self.assertEqual(self.host.run("systemctl is-active vsock-agent vsock_host").out.split(),
                         ["active", "inactive"])
        self.assertEqual(self.host.run("systemctl is-enabled vsock-agent vsock_host").out.split(),
                         ["enabled", "disabled"])
        self.host.must("systemctl disable --now vsock-agent; systemctl enable --now vsock_host")
        self.world.wait_active()

    def test_52_remove_and_purge(self):
        self.host.must("systemctl stop vsock_host; systemctl enable --now vsock_host.socket")
        self.assertGuest("get-hostos-version", "HostOSVersion(3.0.0)\n")
        self.host.must("dpkg -r vsock-host")
        for unit in ("vsock_host.service", "vsock_host.socket"):
            self.assertEqual(self.world.show(unit, "ActiveState"), "inactive", unit)
        self.assertEqual(self.host.must("ls /etc/vsock_host/vsock_host.conf"),
                         "/etc/vsock_host/vsock_host.conf")
        self.assertEqual(self.host.must("ls -d /var/lib/vsock_host"), "/var/lib/vsock_host")
        done = self.world.guest("--connect-timeout 0 get-hostos-version")
        self.assertEqual(done.status, 3, done)
        self.host.must("rm -rf /etc/vsock_host/vsock_host.conf.d/50-test.conf; dpkg -P vsock-host")
        self.assertEqual(self.host.run(
            "ls -d /etc/vsock_host /var/lib/vsock_host /var/lib/vsock_host-install "
            "/etc/systemd/system/*.wants/vsock_host.*").out, "")
