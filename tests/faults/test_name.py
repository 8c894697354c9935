# SPDX-License-Identifier: Apache-2.0
"""A name server that changes its answer between two tries: the address connected to is judged."""
from injected import Page
from faultcase import FaultTest
from vsocktest import program
from vsocktest.case import MIB
from vsocktest.webserver import Cut


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
