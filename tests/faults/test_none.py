# SPDX-License-Identifier: Apache-2.0
"""The upgrade that the faults are injected into, without any."""
from faultcase import FaultTest


class NoFault(FaultTest):
    kind = "none"

    def test_upgrade(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)
