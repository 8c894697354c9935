# SPDX-License-Identifier: Apache-2.0
"""A HostOS with systemd, libvirt and the packages, asked over real AF_VSOCK. The tests tell one story, in
the order of their names: each goes on where the one before left the machine. test_hostos.py and
test_guestos.py say who asks."""
import journal
from machine import wait_until
from story_hsm import Hsm
from story_rights import Rights
from story_upgrade import Upgrade

AGENT = """[Service]
ExecStart=/bin/sleep infinity
KillSignal=SIGINT
[Install]
WantedBy=multi-user.target
"""


class Story(Hsm, Upgrade, Rights):
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
        self.host.must("ls /etc/vsock_host/vsock_host.conf.d/50-test.conf; dpkg -P vsock-host")
        self.assertEqual(self.host.run(
            "ls -d /etc/vsock_host /var/lib/vsock_host /var/lib/vsock_host-install "
            "/etc/systemd/system/*.wants/vsock_host.*").out, "")

    # --- of all of it ---

    def test_60_nothing_was_denied(self):
        for words in ("type=1326", "SECCOMP auid", "status=31/SYS", "avc:  denied"):
            self.assertEqual(self.host.run(
                "journalctl --no-pager -o cat | grep -F -e '%s' | grep -v grep" % words).out, "")
        self.assertEqual(journal.unexpected(self.host), [])
