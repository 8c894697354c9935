# SPDX-License-Identifier: Apache-2.0
"""upgrade: everything that goes wrong, each with its code, and what it leaves behind."""
import os
import re
import socket
import subprocess
import time
import unittest

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest, content_of
from vsocktest.webserver import Cut, Redirect, Reset, Resource, Stall, Status, WebServer

MIB = 1 << 20
SHA256 = bytes(range(32))


class TroubleTest(SystemTest):
    def image(self, web, path="/image", size=MIB, **more):
        resource = Resource(content_of(size), **more)
        resource.url = web.put(path, resource)
        return resource

    def fails(self, daemon, url, sha256, code, *words):
        """The upgrade ends in that error, and so does the status; nothing ran."""
        guest = self.peer(daemon)
        answer = self.assertError(guest.upgrade(url, sha256), code, *words)
        status = guest.status(2)
        self.assertEqual((status.phase, status.result, status.sha256), ("failed", code, sha256))
        self.assertEqual(status.detail, answer.message)
        self.assertIsNone(self.read("rebooted"), "a reboot was asked for")
        self.assertServes(daemon)
        self.assertIn(answer.message.split(":")[0], daemon.log())
        return answer.message

    def nothing_ran(self):
        self.assertIsNone(self.read("installed"), "the installer was run")
        self.assertEqual([name for name in os.listdir(self.path("upgrade"))
                          if name.endswith(".img")], [])


class RequestTest(TroubleTest):
    def test_url_that_is_refused(self):
        daemon = self.daemon({"upgrade": {"allowed_prefixes": "http://127.0.0.1/ok/"}})
        for url in ("", "nonsense", "http://", "file:///etc/passwd", "ftp://127.0.0.1/x",
                    "FILE:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1/other",
                    "http://127.0.0.1/ok/../other", "http://127.0.0.1@example.invalid/ok/",
                    "http://127.0.0.1:81/ok/", "http://a b/", "http://127.0.0.1/ok/\n",
                    "//127.0.0.1/ok/", "javascript:alert(1)"):
            with self.subTest(url):
                guest = self.peer(daemon)
                self.assertError(guest.upgrade(url, SHA256), "invalid_argument")
                self.assertEqual(guest.status(2).phase, "idle", "there is a job")

    def test_scheme_is_named(self):
        answer = self.peer(self.daemon()).upgrade("ftp://127.0.0.1/x", SHA256)
        self.assertError(answer, "invalid_argument", "ftp", "http")

    def test_scheme_that_is_switched_off(self):
        daemon = self.daemon({"upgrade": {"schemes": "https"}})
        self.assertError(self.peer(daemon).upgrade("http://127.0.0.1/", SHA256),
                         "invalid_argument", "https")

    def test_guest_refuses_bad_arguments(self):
        daemon = self.daemon()
        for digest in ("", "12", "g" * 64, "a" * 63, "a" * 65):
            with self.subTest(digest):
                code, out, error = self.guest(daemon, "upgrade", "--url", "http://127.0.0.1/",
                                              "--hash", digest)
                self.assertEqual((code, out), (2, ""))
                self.assertRegex(error, r"\Aerror: usage: [^\n]*64[^\n]*\n\Z")
        code, out, error = self.guest(daemon, "upgrade", "--url", "file:///x", "--hash", "a" * 64)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(error, r"\Aerror: invalid_argument: [^\n]*file[^\n]*\n\Z")


class ServerTest(TroubleTest):
    def failed(self, web, image, words=(), sections=None, requests=None):
        daemon = self.daemon({"upgrade": sections or {}})
        message = self.fails(daemon, image.url, image.sha256, "download_failed", *words)
        self.nothing_ran()
        if requests is not None:
            self.assertEqual(web.count("/image"), requests)
        return message

    def test_server_down(self):
        web = self.web()
        image = self.image(web)
        web.close()
        self.failed(web, image)

    def test_404_is_final(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Status(404)]), ["404"], requests=1)

    def test_every_4xx_is_final(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Status(403)]), ["403"], requests=1)

    def test_500_is_tried_again(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Status(500)]), ["500"], {"retries": 2},
                    requests=3)

    def test_no_retries(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Status(503)]), ["503"], {"retries": 0},
                    requests=1)

    def test_reset(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Reset(-1)]), (), {"retries": 2}, requests=3)

    def test_stall(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Stall(0)]), (),
                    {"retries": 1, "stall_seconds": 1}, requests=2)

    def test_cut_before_the_first_byte(self):
        web = self.web()
        self.failed(web, self.image(web, faults=[Cut(0)]), (), {"retries": 1}, requests=2)

    def test_not_http(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)

        def answer():
            for _ in range(8):
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-x\r\n")
                connection.close()
        self.in_thread(answer)
        daemon = self.daemon({"upgrade": {"retries": 0}})
        url = "http://127.0.0.1:%d/" % listener.getsockname()[1]
        self.fails(daemon, url, SHA256, "download_failed")

    def test_redirect_loop(self):
        web, daemon = self.web(), self.daemon()
        web.put("/loop", Redirect("/loop"))
        self.fails(daemon, web.url("/loop"), SHA256, "download_failed", "redirect")
        self.assertEqual(web.count("/loop"), 6)

    def test_one_redirect_too_many(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"max_redirects": 1}})
        image = self.image(web)
        web.put("/a", Redirect("/b"))
        web.put("/b", Redirect("/image"))
        self.fails(daemon, web.url("/a"), image.sha256, "download_failed", "redirect")
        self.assertEqual(web.count("/image"), 0)

    def test_redirect_without_a_location(self):
        web, daemon = self.web(), self.daemon()
        web.put("/a", Status(302))
        self.fails(daemon, web.url("/a"), SHA256, "download_failed")

    def test_redirect_to_another_scheme(self):
        for target in ("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:1/"):
            with self.subTest(target):
                web, daemon = self.web(), self.daemon()
                web.put("/a", Redirect(target))
                self.fails(daemon, web.url("/a"), SHA256, "download_failed")
                self.assertEqual(daemon.stop(), 0)

    def test_redirect_out_of_the_allowed_prefixes(self):
        web, other = self.web(), self.web()
        image = self.image(other)
        web.put("/a", Redirect(image.url))
        daemon = self.daemon({"upgrade": {"allowed_prefixes": web.url("/")}})
        self.fails(daemon, web.url("/a"), image.sha256, "download_failed")
        self.assertEqual(other.requests, [])

    def test_redirect_to_a_refused_address(self):
        """0.0.0.0 leads to this machine, and is of the class `unspecified`."""
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        web.put("/a", Redirect(web.url("/image", host="0.0.0.0")))
        self.fails(daemon, web.url("/a"), image.sha256, "download_failed")
        self.assertEqual(web.count("/image"), 0)


class AddressTest(TroubleTest):
    REFUSED = {"upgrade": {"refused_addresses": "loopback link-local multicast unspecified own",
                           "retries": 0, "connect_seconds": 2}}

    def test_loopback_is_refused_by_default(self):
        web, daemon = self.web(), self.daemon(self.REFUSED)
        image = self.image(web)
        for host in ("127.0.0.1", "127.1.2.3", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]",
                     "0x7f000001", "2130706433"):
            with self.subTest(host):
                self.fails(daemon, web.url("/image", host=host), image.sha256, "download_failed")
        self.assertEqual(web.requests, [])

    def test_guest_cannot_scan_ports(self):
        """An open port, a closed one and another address are all the same to the guest."""
        web, daemon = self.web(), self.daemon(self.REFUSED)
        image = self.image(web)
        closed = WebServer()
        closed.close()
        told = {re.sub(r"127\.0\.0\.\d+|:\d+", "", self.fails(daemon, url, image.sha256,
                                                             "download_failed"))
                for url in (image.url, closed.url("/image"),
                            web.url("/image", host="127.0.0.2"))}
        self.assertEqual(len(told), 1, told)

    def test_closed_port_looks_like_a_refused_address(self):
        web = self.web()
        image = self.image(web)
        closed = WebServer()
        closed.close()
        first = self.daemon({"upgrade": {"retries": 0}})
        down = self.fails(first, closed.url("/image"), image.sha256, "download_failed")
        self.assertEqual(first.stop(), 0)
        refused = self.fails(self.daemon(self.REFUSED), closed.url("/image"), image.sha256,
                             "download_failed")
        self.assertEqual(down, refused)


class ContentTest(TroubleTest):
    def test_wrong_hash(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.fails(daemon, image.url, SHA256, "hash_mismatch", SHA256.hex(), image.sha256.hex())
        self.nothing_ran()
        # The right one is taken afterwards.
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_wrong_hash_is_not_fetched_again_and_again(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.fails(daemon, image.url, SHA256, "hash_mismatch")
        self.assertEqual(web.count("/image"), 1)

    def test_too_large_by_its_length(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"max_bytes": "1M"}})
        image = self.image(web, size=MIB + 1, faults=[Stall(1000)])
        self.fails(daemon, image.url, image.sha256, "too_large", str(MIB))
        self.nothing_ran()

    def test_too_large_without_a_length(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"max_bytes": "1M"}})
        image = self.image(web, size=2 * MIB, chunked=True)
        self.fails(daemon, image.url, image.sha256, "too_large", str(MIB))
        self.nothing_ran()

    def test_exactly_max_bytes(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"max_bytes": "1M"}})
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_room_that_stays_free(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"keep_free": "1000T"}})
        image = self.image(web)
        self.fails(daemon, image.url, image.sha256, "no_space")
        self.nothing_ran()

    def tmpfs(self, size):
        if os.getuid() != 0:
            self.skipTest("needs root: a small tmpfs is mounted")
        path = self.path("small")
        os.mkdir(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=0700" % size, "none",
                               path], capture_output=True, text=True)
        if done.returncode:
            self.skipTest("a tmpfs cannot be mounted here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", path])
        return {"upgrade": {"directory": path + "/upgrade", "keep_free": "0"},
                "install": {"directory": path + "/install"}}

    def test_full_disk(self):
        sections = self.tmpfs(8 * MIB)
        for chunked in (False, True):
            with self.subTest(chunked=chunked):
                web, daemon = self.web(), self.daemon(sections)
                image = self.image(web, size=16 * MIB, chunked=chunked)
                self.fails(daemon, image.url, image.sha256, "no_space")
                small = self.image(web, "/small", size=MIB)
                if chunked:
                    self.assertDone(self.peer(daemon).upgrade(small.url, small.sha256))
                self.assertEqual(daemon.stop(), 0)

    def test_disk_that_just_fits(self):
        web, daemon = self.web(), self.daemon(self.tmpfs(8 * MIB))
        image = self.image(web, size=6 * MIB)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))


class InstallTest(TroubleTest):
    def upgrade_fails(self, code, *words, sections=None):
        web, daemon = self.web(), self.daemon(sections)
        image = self.image(web)
        message = self.fails(daemon, image.url, image.sha256, code, *words)
        self.assertEqual(web.count("/image"), 1, "the download was repeated")
        return daemon, image, message

    def test_installer_missing(self):
        os.unlink(self.path("installer"))
        self.upgrade_fails("install_failed", self.path("installer"))

    def test_installer_not_executable(self):
        os.chmod(self.path("installer"), 0o644)
        self.upgrade_fails("install_failed", self.path("installer"))

    def test_install_program_missing(self):
        self.upgrade_fails("install_failed", sections={
            "steps": {"install_program": self.path("none")}})

    def test_installer_fails(self):
        self.script("installer", "#!/bin/sh\nfor i in 1 2 3 4 5 6 7; do echo line$i; done\nexit 3\n")
        _, _, message = self.upgrade_fails("install_failed", "3",
                                           "line3 | line4 | line5 | line6 | line7")
        self.assertNotIn("line2", message)

    def test_installer_is_killed(self):
        self.script("installer", "#!/bin/sh\nkill -SEGV $$\n")
        self.upgrade_fails("install_failed")

    def test_output_is_escaped(self):
        self.script("installer", "#!/bin/sh\nprintf 'a\\033[31mb\\n' >&2\nexit 1\n")
        daemon, _, _ = self.upgrade_fails("install_failed", "a\\x1b[31mb")
        self.assertNotIn("\x1b", daemon.log())

    def test_output_reaches_the_log(self):
        self.script("installer", "#!/bin/sh\nprintf '10%%\\r20%%\\r100%%\\nwritten\\n' >&2\n")
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertIn("100%", daemon.log())
        self.assertIn("written", daemon.log())

    def test_installer_hangs(self):
        self.script("installer", "#!/bin/sh\necho $$ >%s/pid\nsleep 600 &\necho $! >>%s/pid\n"
                    "wait\n" % (self.folder, self.folder))
        self.upgrade_fails("install_failed", sections={"install": {"installer_seconds": 1}})
        for pid in self.read("pid").split():
            wait_until(lambda: self.gone(int(pid)), "process %s of the installer to end" % pid)

    def gone(self, pid):
        """Ended, or a zombie that nobody has asked for yet."""
        try:
            with open("/proc/%d/stat" % pid) as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def test_installer_prints_100_megabytes(self):
        self.script("installer", "#!/bin/sh\nhead -c 50000000 /dev/zero | tr '\\0' x\n"
                    "head -c 50000000 /dev/zero | tr '\\0' '\\r' >&2\necho; echo end >&2\nexit 1\n")
        daemon, _, message = self.upgrade_fails("install_failed", "end")
        self.assertLessEqual(len(message.encode()), 1536)

    def test_not_ready(self):
        self.script("installer", "#!/bin/sh\necho 'Cannot install an upgrade before present "
                    "system is committed as stable.' >&2\nexit 1\n")
        daemon, image, _ = self.upgrade_fails("not_ready", "committed as stable")
        self.script("installer", "#!/bin/sh\n")
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_second_installer_while_one_lives(self):
        """The lock of another vsock_host-install is held: by flock on the file it would lock."""
        self.script("installer", "#!/bin/sh\ntouch %s/started\n"
                    "while [ ! -e %s/go ]; do sleep 0.1; done\n" % ((self.folder,) * 2))
        web, first = self.web(), self.daemon()
        image = self.image(web)
        guest = self.peer(first)
        guest.send(peer.upgrade(image.url, image.sha256))
        wait_until(lambda: self.read("started") is not None, "the installer")
        first.kill()
        wait_until(guest.ended, "the end of the first daemon's connection")
        second = self.daemon()
        other = self.peer(second)
        other.send(peer.upgrade(image.url, image.sha256))
        self.assertServes(second)
        self.write("go", "")
        self.assertIsInstance(other.last(1), (peer.Response, peer.Error))
        self.assertEqual(self.read("rebooted"), "reboot\n", "the reboot was asked for once")

    def test_image_that_somebody_holds_open_for_writing(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        part = self.path("upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part), part)
        held = os.open(part, os.O_RDWR)
        web.release()
        self.assertError(guest.last(1), "install_failed", "writ")
        self.assertIsNone(self.read("installed"), "the installer was run")
        os.close(held)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_reboot_command_fails(self):
        self.script("reboot", "#!/bin/sh\necho 'no reboot today' >&2\nexit 4\n")
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        guest = self.peer(daemon)
        self.assertError(guest.upgrade(image.url, image.sha256), "reboot_failed", "4")
        self.assertEqual(guest.status(2).result, "reboot_failed")
        self.script("reboot", "#!/bin/sh\necho reboot >>%s/rebooted\n" % self.folder)
        self.assertDone(guest.upgrade(image.url, image.sha256, id=3))
        self.assertEqual(self.read("rebooted"), "reboot\n")

    def test_reboot_command_missing(self):
        os.unlink(self.path("reboot"))
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertError(self.peer(daemon).upgrade(image.url, image.sha256), "reboot_failed",
                         self.path("reboot"))

    def test_hash_that_is_not_allowed(self):
        self.write("allowed", "%s\n" % SHA256.hex())
        self.upgrade_fails("install_failed", sections={
            "install": {"allowed_hashes": self.path("allowed")}})

    def test_hash_that_is_allowed(self):
        web = self.web()
        image = self.image(web)
        self.write("allowed", "%s\n%s\n" % (SHA256.hex(), image.sha256.hex()))
        daemon = self.daemon({"install": {"allowed_hashes": self.path("allowed")}})
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))


class AgainTest(TroubleTest):
    def test_failure_then_success(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 0}})
        image = self.image(web, faults=[Status(404), None])
        guest = self.peer(daemon)
        self.assertError(guest.upgrade(image.url, image.sha256), "download_failed")
        self.assertDone(guest.upgrade(image.url, image.sha256, id=2))
        self.assertEqual(guest.status(3).result, "ok")

    def test_guest_is_told_and_the_journal_too(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 1}})
        image = self.image(web, faults=[Status(503)])
        code, out, error = self.guest(daemon, "upgrade", "--url", image.url, "--hash",
                                      image.sha256.hex())
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(error, r"\Aerror: download_failed: [^\n]*503[^\n]*\n\Z")
        code, out, error = self.guest(daemon, "get-upgrade-status", "--follow")
        self.assertEqual(code, 1)
        self.assertIn("download_failed", out + error)

    def test_password_in_a_url_reaches_no_log(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 1}})
        image = self.image(web, faults=[Status(503)])
        url = image.url.replace("http://", "http://user:geheim@")
        answer = self.peer(daemon).upgrade(url, image.sha256)
        self.assertIsInstance(answer, peer.Error)
        time.sleep(0.1)
        for text in (answer.message, daemon.log(), "\n".join(daemon.notify.statuses())):
            self.assertNotIn("geheim", text)


if __name__ == "__main__":
    unittest.main()
