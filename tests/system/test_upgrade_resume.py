# SPDX-License-Identifier: Apache-2.0
"""upgrade: downloads that break off, servers that change their mind, what is left from before."""
import os

from vsocktest import peer
from vsocktest.case import MIB, SystemTest, content_of
from vsocktest.webserver import Cut, Drip, Reset, Resource, Stall, Status


class ResumeTest(SystemTest):
    def ranges(self, web):
        return [request.headers.get("range") for request in web.requests]

    def resumed(self, image, web, daemon):
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)
        return self.ranges(web)

    def test_cut(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Cut(300000), Cut(200000), None])
        self.assertEqual(self.resumed(image, web, daemon),
                         [None, "bytes=300000-", "bytes=500000-"])
        self.assertEqual(web.requests[1].headers.get("if-range"), '"1"')

    def test_reset(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Reset(300000), None])
        self.resumed(image, web, daemon)
        self.assertEqual(web.count("/image"), 2)

    def test_stall(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"stall_seconds": 1}})
        image = self.image(web, faults=[Stall(300000), None])
        self.assertEqual(self.resumed(image, web, daemon), [None, "bytes=300000-"])

    def test_drip(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 0}})
        image = self.image(web, faults=[Drip(MIB // 8, 0.1)])
        self.assertEqual(self.resumed(image, web, daemon), [None])

    def test_retries_are_counted_anew_after_any_byte(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 1}})
        image = self.image(web, faults=[Cut(1000)] * 6 + [None])
        self.resumed(image, web, daemon)
        self.assertEqual(web.count("/image"), 7)

    def test_server_errors_are_tried_again(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 3}})
        image = self.image(web, faults=[Status(500), Status(503), Status(502), None])
        self.resumed(image, web, daemon)

    def test_server_that_ignores_range(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, ranges=False, faults=[Cut(300000), None])
        self.resumed(image, web, daemon)

    def test_file_that_changed(self):
        web, daemon = self.web(), self.daemon()
        new = Resource(content_of(MIB, 2), etag='"2"')
        web.put("/image", Resource(content_of(MIB, 1), faults=[Cut(300000), new]))
        self.assertDone(self.peer(daemon).upgrade(web.url("/image"), new.sha256))
        self.assertInstalled(new)

    def test_file_that_shrank(self):
        web, daemon = self.web(), self.daemon()
        new = Resource(content_of(1000, 2), etag='"2"')
        web.put("/image", Resource(content_of(MIB, 1), faults=[Cut(300000), new]))
        self.assertDone(self.peer(daemon).upgrade(web.url("/image"), new.sha256))

    def test_416_starts_again(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Cut(300000), Status(416), None])
        self.resumed(image, web, daemon)

    def test_put_together_wrongly_is_fetched_once_more(self):
        """The first half comes from another file with the same ETag."""
        web, daemon = self.web(), self.daemon()
        good = Resource(content_of(MIB, 2))
        web.put("/image", Resource(content_of(MIB, 1), faults=[Cut(300000), good]))
        self.assertDone(self.peer(daemon).upgrade(web.url("/image"), good.sha256))
        self.assertInstalled(good)
        self.assertEqual(self.ranges(web), [None, "bytes=300000-", None])

    def test_without_a_validator(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, etag=None, faults=[Cut(300000), None])
        self.resumed(image, web, daemon)
        self.assertNotIn("if-range", web.requests[1].headers)

    def test_weak_validator_is_not_used(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, etag='W/"1"', faults=[Cut(300000), None])
        self.resumed(image, web, daemon)
        self.assertNotIn("if-range", web.requests[1].headers)

    def test_range_that_was_not_asked_for(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, headers={"Content-Range": "bytes 5-10/%d" % MIB})
        answer = self.peer(daemon).upgrade(image.url, image.sha256)
        self.assertIsInstance(answer, (peer.Response, peer.Error))

    def test_leftovers_of_other_hashes_are_removed(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        for suffix in ("part", "meta", "img"):
            self.write("upgrade/%s.%s" % ("ab" * 32, suffix), "old")
        daemon = self.daemon()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertEqual([name for name in os.listdir(self.path("upgrade")) if "abab" in name], [])
