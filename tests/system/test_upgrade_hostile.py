# SPDX-License-Identifier: Apache-2.0
"""upgrade from a server that breaks HTTP: a table of answers, and what comes of each.

FAILS: no image is taken from the answer, though every byte of the right one may be in it.
HEALS: the answer breaks the download, and the next request mends it.
"""
from vsocktest.case import content_of
from vsocktest.trouble import UpgradeTroubleTest
from vsocktest.webserver import Raw, Redirect

IMAGE = content_of(100000)
LENGTH = b"Content-Length: %d\r\n" % len(IMAGE)
OK = b"HTTP/1.1 200 OK\r\n"

FAILS = {
    "no head (HTTP/0.9)": Raw(IMAGE),
    "gzip": Raw(OK, LENGTH, b"Content-Encoding: gzip\r\n\r\n", IMAGE),
    "two encodings": Raw(OK, LENGTH, b"Content-Encoding: gzip\r\nContent-Encoding: br\r\n\r\n",
                         IMAGE),
    "one header of 1 MB": Raw(OK, LENGTH, b"X: ", b"x" * 1000000, b"\r\n\r\n", IMAGE),
    "1 MB of headers": Raw(OK, LENGTH, b"X: y\r\n" * 170000, b"\r\n", IMAGE),
    "a flood of 1xx": Raw(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 30000, OK, LENGTH, b"\r\n",
                          IMAGE),
    "trailers of 1 MB": Raw(OK, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(IMAGE), IMAGE,
                            b"\r\n0\r\n", b"X: y\r\n" * 170000, b"\r\n"),
    "206 that nobody asked for": Raw(b"HTTP/1.1 206 Partial Content\r\n", LENGTH,
                                     b"Content-Range: bytes 0-99999/100000\r\n\r\n", IMAGE),
}

HEALS = {
    "length too long": Raw(OK, b"Content-Length: 100001\r\n\r\n", IMAGE),
    "chunked, no last chunk": Raw(OK, b"Transfer-Encoding: chunked\r\n\r\n7\r\n", IMAGE[:7],
                                  b"\r\n"),
    "chunk of no number": Raw(OK, b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", IMAGE),
    "not one byte": Raw(b""),
    "head without an end": Raw(OK, LENGTH),
}

TAKEN = {
    "more than its length": Raw(OK, LENGTH, b"\r\n", IMAGE, b"more" * 1000,
                                OK, b"Content-Length: 4\r\n\r\nevil"),
    "no length, until the end of the connection": Raw(OK, b"\r\n", IMAGE),
    "some 1xx": Raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 8, OK, LENGTH, b"\r\n", IMAGE),
    "trailers": Raw(OK, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(IMAGE), IMAGE,
                    b"\r\n0\r\nETag: evil\r\nLocation: /evil\r\n\r\n"),
}

# What the guest is told, and for each try that healed the log: exactly this.
WORDS = {
    "no head (HTTP/0.9)": "no connection to the server",
    "gzip": "the server sends the content encoding gzip; expected none",
    "two encodings": "the server sends the content encoding (several); expected none",
    "one header of 1 MB": "no connection to the server",
    "1 MB of headers": "no connection to the server",
    "a flood of 1xx": "no connection to the server",
    "trailers of 1 MB": "the connection broke after 100000 bytes",
    "206 that nobody asked for": "the server answered 206 to a request for the whole file",
    "length too long": "the connection broke after 100000 of 100001 bytes",
    "chunked, no last chunk": "the connection broke after 7 bytes",
    "chunk of no number": "the connection broke after 0 bytes",
    "not one byte": "no connection to the server",
    "head without an end": "no connection to the server",
}


class HostileTest(UpgradeTroubleTest):
    def each(self, table, retries):
        for name, answer in table.items():
            with self.subTest(name):
                web = self.web()
                image = self.image(web, size=len(IMAGE), faults=[answer, None])
                daemon = self.daemon({"upgrade": {"retries": retries}})
                yield daemon, image, WORDS.get(name)
                self.assertEqual(daemon.stop(), 0)
                self.forget_upgrades()
                self.write("installed", "")

    def test_fails(self):
        for daemon, image, words in self.each(FAILS, 0):
            told = self.fails(daemon, image.url, image.sha256, "download_failed")
            self.assertEqual(told, words)
            self.assertIn(self.read("installed"), (None, ""))

    def test_heals(self):
        for daemon, image, words in self.each(HEALS, 2):
            told = []
            self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256, told))
            self.assertRegex(daemon.log(), r"/image: %s[^\n]*; try 1 of 2 in \d+ ms" % words)
            self.assertInstalled(image)

    def test_taken(self):
        for daemon, image, _ in self.each(TAKEN, 0):
            self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
            self.assertInstalled(image)

    def test_redirect_that_injects_a_header(self):
        """What a Location holds is never a line of the next request."""
        for target in ("/image%0d%0aX-Evil:%20yes", "/image\rX-Evil: yes", "/image\tX-Evil: yes"):
            with self.subTest(target):
                web, daemon = self.web(), self.daemon({"upgrade": {"retries": 0}})
                web.put("/a", Redirect(target))
                image = self.image(web, size=len(IMAGE))
                self.peer(daemon).upgrade(web.url("/a"), image.sha256)
                self.assertGreaterEqual(len(web.requests), 1)
                self.assertFalse([each for each in web.requests if "x-evil" in each.headers])
                self.assertEqual(daemon.stop(), 0)
                self.forget_upgrades()

    def test_redirect_with_a_bare_carriage_return(self):
        """For some that is the end of the line: nobody's guess is followed."""
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 0}})
        web.put("/a", Redirect("/image\rX-Evil: yes"))
        image = self.image(web, size=len(IMAGE))
        self.fails(daemon, web.url("/a"), image.sha256, "download_failed")
        self.assertEqual(len(web.requests), 1)
        self.assertIn(self.read("installed"), (None, ""))
