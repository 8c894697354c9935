# SPDX-License-Identifier: Apache-2.0
"""upgrade: everything that goes wrong, each with its code, and what it leaves behind."""
import re
import socket
import time

from vsocktest import peer
from vsocktest.case import MIB
from vsocktest.trouble import UpgradeTroubleTest
from vsocktest.webserver import Cut, Redirect, Reset, Stall, Status, WebServer

SHA256 = bytes(range(32))


class RequestTest(UpgradeTroubleTest):
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


class ServerTest(UpgradeTroubleTest):
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
        """Also those with which a server asks for patience."""
        web, daemon = self.web(), self.daemon()
        for code in (400, 401, 403, 407, 408, 410, 416, 425, 429, 451, 499):
            with self.subTest(code):
                path = "/%d" % code
                late = Status(code, {"Retry-After": "0"})
                image = self.image(web, path, seed=code, faults=[late, None])
                self.fails(daemon, image.url, image.sha256, "download_failed", str(code))
                self.assertEqual(web.count(path), 1)
        self.nothing_ran()

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


class AddressTest(UpgradeTroubleTest):
    REFUSED = {"upgrade": {"refused_addresses": "loopback link-local multicast unspecified own",
                           "retries": 0, "connect_seconds": 2}}

    def test_loopback_is_refused_by_default(self):
        web, daemon = self.web(), self.daemon(self.REFUSED)
        image = self.image(web)
        for host in ("127.0.0.1", "127.1.2.3", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]",
                     "0x7f000001", "2130706433",
                     "0177.0.0.1", "017700000001", "127.1"):
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


class ContentTest(UpgradeTroubleTest):
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
        web, daemon = self.web(), self.daemon({"upgrade": {"keep_free": "16T"}})
        image = self.image(web)
        self.fails(daemon, image.url, image.sha256, "no_space")
        self.nothing_ran()

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


class AgainTest(UpgradeTroubleTest):
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
