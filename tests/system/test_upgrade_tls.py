# SPDX-License-Identifier: Apache-2.0
"""upgrade over https: whose certificates are believed, with an authority of the test's own."""
from vsocktest import peer, wait_until
from vsocktest.authority import Authority
from vsocktest.trouble import UpgradeTroubleTest
from vsocktest.webserver import Cut, WebServer


class TlsTest(UpgradeTroubleTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.path())

    def server(self, tls, **more):
        web = WebServer(tls, **more)
        self.addCleanup(web.close)
        return web

    def believing(self, **more):
        return self.daemon({"upgrade": dict(more, ca_file=self.authority.certificate)})

    def refused(self, tls, daemon=None):
        """Nothing is asked of a server that is not believed. The guest is not told what listens
        there, the log says why."""
        web = self.server(tls)
        image = self.image(web)
        daemon = daemon or self.believing(retries=0)
        self.fails(daemon, image.url, image.sha256, "download_failed", "no connection")
        self.nothing_ran()
        self.assertEqual(web.requests, [])
        self.assertRegex(daemon.log(), "(?i)certificate")

    def test_success(self):
        image = self.image(self.server(self.authority.context("good")))
        self.assertDone(self.peer(self.believing()).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_resume(self):
        web = self.server(self.authority.context("good"))
        image = self.image(web, faults=[Cut(300000), None])
        self.assertDone(self.peer(self.believing()).upgrade(image.url, image.sha256))
        self.assertInstalled(image)
        self.assertIn("range", web.requests[1].headers)

    def test_wrong_name(self):
        self.refused(self.authority.context("other", address="127.0.0.2"))

    def test_expired(self):
        self.refused(self.authority.context("old", days=-1))

    def test_unknown_authority(self):
        self.refused(Authority(self.path(), "stranger").context("good"))

    def test_self_signed(self):
        self.refused(self.authority.self_signed("alone"))

    def test_authority_that_is_not_configured(self):
        self.refused(self.authority.context("good"),
                     daemon=self.daemon({"upgrade": {"retries": 0}}))

    def test_handshake_that_ends_late(self):
        web = self.server(self.authority.context("good"), handshakes=False)
        image, daemon = self.image(web), self.believing(retries=0)
        guest = self.upgrading(daemon, image)
        wait_until(web.clients, "a client that waits for the handshake")
        self.assertEqual(web.requests, [])
        web.release()
        self.assertDone(guest.last(1))
        self.assertInstalled(image)

    def test_handshake_that_never_ends(self):
        web = self.server(self.authority.context("good"), handshakes=False)
        image = self.image(web)
        daemon = self.believing(retries=0, connect_seconds=1)
        self.fails(daemon, image.url, image.sha256, "download_failed")
        self.nothing_ran()
