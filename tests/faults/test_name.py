# SPDX-License-Identifier: Apache-2.0
"""A name server that has no answer for a try, or changes it between two: the address is judged."""
import socket

from injected import Page
from faultcase import FaultTest
from vsocktest import program
from vsocktest.case import MIB
from vsocktest.webserver import Cut


class NoName(FaultTest):
    kind = "a name that cannot be looked up"

    def cases(self):
        """The lookup, the error, and whether it stays."""
        return [(1, socket.EAI_AGAIN, False), (1, socket.EAI_NONAME, False),
                (2, socket.EAI_AGAIN, False), (1, socket.EAI_AGAIN, True)]

    def attempt(self, case):
        number, error, lasts = case
        page = Page(self.path("page"))
        web = self.web()
        image = self.image(web, faults=[Cut(1000), None])
        url = web.url("/image", host="silent.invalid")
        daemon = self.daemon({"upgrade": {"retries": 2}}, environment={
            "LD_PRELOAD": program("inject_fault.so"),
            "FAULT": "lookup %d %d %d %s" % (number, error, lasts, page.path)})
        answer = self.peer(daemon).upgrade(url, image.sha256)
        daemon.wait_log("no connection to the server: [^\n]*resolve host[^\n]*; try [12] of 2 in ")
        if lasts:
            self.assertError(answer, "download_failed", "no connection to the server")
            self.assertEqual((page.calls, web.requests), (3, []))
            self.assertEqual(daemon.stop(), 0)
            answer = self.peer(self.daemon()).upgrade(image.url, image.sha256)
        self.assertDone(answer)
        self.assertInstalled(image)


class OtherAddress(FaultTest):
    kind = "a name that leads elsewhere at the next try"

    def cases(self):
        return [1, 2, 3]  # the lookup from which on it does

    def attempt(self, case):
        page = Page(self.path("page"))
        web = self.web()
        image = self.image(web, faults=[Cut(1000), Cut(2000)] + [None])
        url = web.url("/image", host="changing.invalid")
        daemon = self.daemon({"upgrade": {"retries": 1, "connect_seconds": 5}}, environment={
            "LD_PRELOAD": program("inject_fault.so"), "FAULT": "name %d 0 1 %s" % (case, page.path)})
        answer = self.peer(daemon).upgrade(url, image.sha256)
        self.assertError(answer, "download_failed", "no connection to the server")
        self.assertGreaterEqual(page.calls, case)
        self.assertEqual(web.count("/image"), case - 1)
        daemon.wait_log("169.254.9.9[^\n]*link-local")
        self.assertEqual(daemon.stop(), 0)
        self.assertIsNone(self.read("installed"))
        again = self.daemon()
        self.assertDone(self.peer(again).upgrade(image.url, image.sha256))
        self.assertInstalled(image)
        self.assertEqual(self.peer(again).status().done, MIB)
