# SPDX-License-Identifier: Apache-2.0
"""The configuration: what is taken, what is refused and how it is said, and the command line."""
import os
import re
import stat

from vsocktest import daemon as vsock_host
from vsocktest import peer
from vsocktest.case import SystemTest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class ConfigTest(SystemTest):
    def check(self, text, drop_ins=None, arguments=("--check-config",)):
        path = self.write("test.conf", text)
        for name, content in (drop_ins or {}).items():
            os.makedirs(path + ".d", exist_ok=True)
            with open(os.path.join(path + ".d", name), "wb") as out:
                out.write(content if isinstance(content, bytes) else content.encode())
        return vsock_host.run(["--config", path, *arguments])

    def dump(self, text, drop_ins=None, arguments=()):
        """{"section.key": value} of the effective configuration."""
        code, out, error = self.check(text, drop_ins, ("--dump-config", *arguments))
        self.assertEqual(code, 0, error)
        found, section = {}, None
        for line in out.splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                found["%s.%s" % (section, key.strip())] = value.strip()
        return found

    def refused(self, text, *words, drop_ins=None):
        """Exit status 1 and one line on stderr that holds all words; the daemon does not start."""
        code, out, error = self.check(text, drop_ins)
        self.assertEqual((code, out), (1, ""), error)
        self.assertEqual(error.count("\n"), 1, error)
        for word in words:
            self.assertIn(word, error)
        code, out, error = self.check(text, drop_ins, ("--log", "stderr"))
        self.assertEqual((code, out), (1, ""), error)
        for word in words:
            self.assertIn(word, error)

    # --- taken ---

    def test_good(self):
        code, _, error = self.check("[limits]\nworkers = 8\n")
        self.assertEqual((code, error), (0, ""))

    def test_defaults(self):
        dump = self.dump("")
        for key, value in {
                "listen.address": "vsock:any:19090", "listen.allowed_cids": "3",
                "listen.unix_cid": "3", "listen.unix_mode": "0600", "limits.workers": "4",
                "limits.queue": "64", "limits.connections": "256",
                "limits.connections_per_cid": "64", "limits.first_frame_seconds": "5",
                "limits.frame_seconds": "5", "limits.idle_seconds": "30",
                "limits.send_seconds": "5", "limits.request_bytes": "16384",
                "console.devices": "/dev/tty1 /dev/ttyS0", "console.max_repeats": "10",
                "console.interval_seconds": "2", "console.queue": "16",
                "console.skip_while_running": "hostos_tool manual-recovery",
                "version.file": "/opt/ic/share/version.txt", "steps.method": "exec",
                "hsm.uri": "qemu:///system", "hsm.domain": "guestos", "hsm.vendor": "0x20a0",
                "hsm.product": "0x4230", "hsm.timeout_seconds": "20",
                "upgrade.directory": "/var/lib/vsock_host", "upgrade.schemes": "https http",
                "upgrade.allowed_prefixes": "",
                "upgrade.refused_addresses": "loopback link-local multicast unspecified own",
                "upgrade.max_bytes": "16G", "upgrade.keep_free": "1G",
                "upgrade.max_redirects": "5", "upgrade.retries": "5",
                "upgrade.retry_seconds": "2", "upgrade.connect_seconds": "30",
                "upgrade.stall_seconds": "30", "upgrade.stall_bytes_per_second": "1K",
                "upgrade.queue": "1", "upgrade.watchers": "32",
                "install.directory": "/var/lib/vsock_host-install",
                "install.installer": "/opt/ic/bin/install-upgrade.sh",
                "install.installer_seconds": "1800", "install.allowed_hashes": "",
                "reboot.method": "logind", "reboot.delay_seconds": "60", "reboot.command": "",
                "guest_upgrade.unit": "upgrade-guestos.service", "metrics.textfile": ""}.items():
            self.assertEqual(dump.get(key), value, key)

    def test_packaged_file_holds_the_defaults(self):
        with open(os.path.join(REPOSITORY, "conf", "vsock_host.conf")) as packaged:
            text = packaged.read()
        self.assertEqual(self.dump(text), self.dump(""))
        for key in self.dump(""):
            self.assertRegex(text, r"(?m)^#?%s ?=" % re.escape(key.partition(".")[2]))

    def test_dump_is_read_back_as_itself(self):
        changed = ("[limits]\nworkers = 7\nframe_seconds = 0.25\n[upgrade]\nkeep_free = 3M\n"
                   "schemes = https\n[listen]\naddress = unix:/run/a unix:/run/b\n"
                   "unix_mode = 0660\ncommands = notify upgrade\n")
        _, first, _ = self.check(changed, arguments=("--dump-config",))
        _, second, _ = self.check(first, arguments=("--dump-config",))
        self.assertEqual(first, second)
        self.assertIn("frame_seconds = 0.25", first)

    def test_comments_and_blank_lines(self):
        dump = self.dump("# a comment\n; another\n\n[limits]\nworkers = 3 ; why\n")
        self.assertEqual(dump["limits.workers"], "3")

    def test_repeated_list_key_appends(self):
        dump = self.dump("[listen]\nallowed_cids = 3 4\nallowed_cids = 5\n")
        self.assertEqual(dump["listen.allowed_cids"], "3 4 5")

    def test_drop_ins_in_the_order_of_their_names(self):
        dump = self.dump("[limits]\nworkers = 1\n[listen]\nallowed_cids = 3\n", {
            "20-b.conf": "[limits]\nworkers = 3\n",
            "10-a.conf": "[limits]\nworkers = 2\nqueue = 9\n[listen]\nallowed_cids = 4\n",
            "30-not-a-drop-in": "[limits]\nworkers = 99\n"})
        self.assertEqual((dump["limits.workers"], dump["limits.queue"]), ("3", "9"))
        self.assertEqual(dump["listen.allowed_cids"], "3 4")

    def test_drop_in_empties_a_list(self):
        dump = self.dump("[listen]\nallowed_cids = 3 4\n", {
            "10.conf": "[listen]\nallowed_cids =\nallowed_cids = 7\n"})
        self.assertEqual(dump["listen.allowed_cids"], "7")

    def test_sizes(self):
        for text, size in (("5K", "5K"), ("1048576", "1M"), ("2K", "2K"), ("3M", "3M"), ("1024M", "1G"), ("1T", "1T")):
            dump = self.dump("[upgrade]\nmax_bytes = %s\n" % text)
            self.assertEqual(dump["upgrade.max_bytes"], size)

    def test_listen_option_replaces_the_addresses(self):
        dump = self.dump("[listen]\naddress = unix:/run/a\n", arguments=(
            "--listen", "unix:/run/b", "--listen", "unix:/run/c"))
        self.assertEqual(dump["listen.address"], "unix:/run/b unix:/run/c")

    # --- refused ---

    def test_unknown_key(self):
        self.refused("[limits]\n\nworker = 3\n", "test.conf", "3", "worker", "workers")

    def test_unknown_section(self):
        self.refused("[limit]\nworkers = 3\n", "test.conf", "limit")

    def test_key_without_a_section(self):
        self.refused("workers = 3\n", "test.conf", "workers")

    def test_bad_values(self):
        for section, key, value in (
                ("limits", "workers", "many"), ("limits", "workers", "0"),
                ("limits", "workers", "-1"), ("limits", "workers", "1.5"),
                ("limits", "workers", "99999999999999999999"), ("limits", "queue", "0"),
                ("limits", "frame_seconds", "0"), ("limits", "frame_seconds", "1.2.3"),
                ("limits", "frame_seconds", "5s"), ("limits", "request_bytes", "65537"),
                ("upgrade", "max_bytes", "16X"), ("upgrade", "max_bytes", "99999999999T"),
                ("upgrade", "refused_addresses", "loopbak"), ("upgrade", "schemes", "gopher"),
                ("listen", "unix_mode", "0999"), ("listen", "allowed_cids", "guest"),
                ("listen", "commands", "reboot-now"), ("steps", "method", "fork"),
                ("reboot", "method", "power"), ("hsm", "vendor", "0x12345"),
                ("version", "file", "relative/path"), ("version", "file", "")):
            with self.subTest("%s = %s" % (key, value)):
                words = ["test.conf", key] + ([value] if value else [])
                self.refused("[%s]\n%s = %s\n" % (section, key, value), *words)

    def test_bad_addresses(self):
        for address in ("19090", "vsock:2", "vsock:any:0", "vsock:any:99999999999", "unix:",
                        "unix:" + "/x" * 60, "unix:relative", "tcp:127.0.0.1:80", "vsock:-1:19090"):
            with self.subTest(address):
                self.refused("[listen]\naddress = %s\n" % address, "test.conf", "address")

    def test_single_key_twice(self):
        self.refused("[limits]\nworkers = 3\nqueue = 9\nworkers = 4\n", "workers", "test.conf",
                     "4")

    def test_single_key_emptied_or_twice_in_a_drop_in(self):
        self.refused("", "workers", "10.conf",
                     drop_ins={"10.conf": "[limits]\nworkers = 3\nworkers = 4\n"})

    def test_long_line(self):
        self.refused("[version]\nfile = /v ;%s\n" % ("x" * 4086), "test.conf", "2", "long")
        self.assertEqual(self.dump("[version]\nfile = /v ;%s\n" % ("x" * 4085))["version.file"], "/v")
        self.refused("[version]\nfile = /%s\n" % ("x" * 255), "test.conf", "2", "255 bytes")
        self.assertEqual(self.dump("[version]\nfile = /%s\n" % ("x" * 254))["version.file"],
                         "/" + "x" * 254)

    def test_leading_blank(self):
        for blank in " \t":
            self.refused("[limits]\nworkers = 3\n%squeue = 9\n" % blank, "test.conf", "3", "blank")

    def test_nul(self):
        self.refused(b"[limits]\nworkers = 3\0\n", "test.conf", "2", "0x00")

    def test_more_for_one_cid_than_in_all(self):
        self.refused("[limits]\nconnections = 3\nconnections_per_cid = 4\n", "test.conf", "4", "3")

    def test_line_without_equals(self):
        self.refused("[limits]\nworkers\n", "test.conf", "2")

    def test_broken_section(self):
        self.refused("[limits\nworkers = 3\n", "test.conf", "1")

    def test_bytes_reach_the_terminal_escaped(self):
        _, _, error = self.check(b"[limits]\nwor\x1b[31mkers = 3\n")
        self.assertNotIn("\x1b", error)

    def test_directory(self):
        os.mkdir(self.path("dir.conf"))
        code, _, error = vsock_host.run(["--config", self.path("dir.conf"), "--check-config"])
        self.assertEqual(code, 1)
        self.assertIn("dir.conf", error)
        self.assertRegex(error, r"(?i)directory")

    def test_missing(self):
        code, _, error = vsock_host.run(["--config", self.path("none.conf"), "--check-config"])
        self.assertEqual(code, 1)
        self.assertIn("none.conf", error)

    def test_unreadable(self):
        path = self.write("secret.conf", "", 0)
        if os.access(path, os.R_OK):  # root reads everything: a loop of links nobody follows
            os.unlink(path)
            os.symlink("secret.conf", path)
        code, _, error = vsock_host.run(["--config", path, "--check-config"])
        self.assertEqual(code, 1)
        self.assertIn("secret.conf", error)

    def test_drop_in_that_is_wrong_is_named(self):
        self.refused("[limits]\nworkers = 3\n", "10-a.conf", "queue", "none",
                     drop_ins={"10-a.conf": "[limits]\nqueue = none\n"})

    def test_drop_in_that_is_a_directory(self):
        path = self.write("test.conf", "")
        os.makedirs(os.path.join(path + ".d", "10.conf"))
        code, _, error = vsock_host.run(["--config", path, "--check-config"])
        self.assertEqual(code, 1)
        self.assertIn("10.conf", error)

    # --- the command line ---

    def test_help(self):
        for option in ("-h", "--help"):
            code, out, error = vsock_host.run([option])
            self.assertEqual((code, error), (0, ""))
            for word in ("--config", "--check-config", "--dump-config", "--listen", "--log",
                         "--status"):
                self.assertIn(word, out)
            self.assertLess(max(map(len, out.splitlines())), 81)

    def test_version(self):
        for option in ("-V", "--version"):
            code, out, error = vsock_host.run([option])
            self.assertEqual((code, error), (0, ""))
            self.assertRegex(out, r"\Avsock_host 1\.0\.0")

    def test_usage(self):
        for arguments in (["--nonsense"], ["word"], ["--config"], ["--log", "paper"],
                          ["--listen", "nowhere"], ["--listen", "unix:relative"], ["--listen"]):
            with self.subTest(arguments):
                code, out, error = vsock_host.run(arguments)
                self.assertEqual((code, out), (2, ""), error)
                self.assertIn("error", error)

    def test_status_without_any_upgrade(self):
        path = self.write("test.conf", vsock_host.configuration(self.folder, {}))
        code, out, error = vsock_host.run(["--config", path, "--status"])
        self.assertEqual((code, error), (0, ""))
        self.assertRegex(out, r"\AUpgradeStatus\(idle, 0/0, ")

    # --- what a running daemon does with it ---

    def test_directory_is_made(self):
        self.daemon()
        mode = os.stat(self.path("upgrade")).st_mode
        self.assertTrue(stat.S_ISDIR(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o700)

    def test_directory_that_cannot_be_made(self):
        self.write("upgrade", "a file")
        daemon = self.daemon(wait=False)
        self.assertEqual(daemon.wait(), 1)
        self.assertIn(self.path("upgrade"), daemon.log())

    def test_commands_switched_off(self):
        daemon = self.daemon({"listen": {"commands": "get-hostos-version notify"}})
        self.assertServes(daemon)
        for command, fields in ((peer.GET_VSOCK_VERSION, b""), (peer.GET_UPGRADE_STATUS, b""),
                                (peer.ATTACH_HSM, b""),
                                (peer.UPGRADE, peer.field(4, b"http://127.0.0.1/") +
                                 peer.field(6, bytes(32)))):
            with self.subTest(command):
                guest = self.peer(daemon)
                self.assertError(guest.ask(command, fields), "forbidden")
                self.assertTrue(guest.ended(), "forbidden left the connection open")
        self.assertDone(self.peer(daemon).notify("on"))
