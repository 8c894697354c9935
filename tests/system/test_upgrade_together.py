# SPDX-License-Identifier: Apache-2.0
"""upgrade: several guests, one job: joined, queued, refused, watched."""
import re
import time

from vsocktest import peer, wait_until
from vsocktest.case import MIB, SystemTest
from vsocktest.webserver import Drip, Stall, Status


class TogetherTest(SystemTest):
    def running(self, sections=None, **image):
        """A daemon, a web server, an image whose download waits for web.release(), a guest."""
        web, daemon = self.web(), self.daemon(sections)
        image.setdefault("faults", [Stall(1000)])
        image = self.image(web, **image)
        guest = self.upgrading(daemon, image)
        daemon.wait_phase("downloading")
        return web, daemon, image, guest

    def test_same_hash_joins(self):
        web, daemon, image, guest = self.running()
        joiners = [self.peer(daemon) for _ in range(3)]
        for number, joiner in enumerate(joiners):
            joiner.send(peer.upgrade(web.url("/other%d" % number), image.sha256))
        self.assertServes(daemon)
        web.release()
        for each in [guest] + joiners:
            self.assertDone(each.last(1))
        self.assertInstalled(image)

    def test_url_of_a_joiner_becomes_a_mirror(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 50}})
        image = self.image(web, "/good")
        web.put("/bad", Status(503))
        first, second = self.peer(daemon), self.peer(daemon)
        first.send(peer.upgrade(web.url("/bad"), image.sha256))
        wait_until(lambda: web.count("/bad"), "the first try")
        second.send(peer.upgrade(image.url, image.sha256))
        self.assertDone(first.last(1))
        self.assertDone(second.last(1))
        self.assertInstalled(image)

    def test_url_of_a_joiner_is_judged_too(self):
        web, daemon, image, guest = self.running()
        self.assertError(self.peer(daemon).upgrade("file:///etc/passwd", image.sha256),
                         "invalid_argument")
        web.release()
        self.assertDone(guest.last(1))

    def test_other_hash_waits_then_is_busy(self):
        web, daemon, image, guest = self.running()
        queued = self.image(web, "/next", seed=1)
        second = self.upgrading(daemon, queued)
        wait_until(lambda: self.queue_is_full(daemon, web), "the queue to be full")
        third = self.image(web, "/third", seed=2)
        answer = self.peer(daemon).upgrade(third.url, third.sha256)
        self.assertError(answer, "busy", image.sha256.hex()[:8])
        web.release()
        self.assertDone(guest.last(1))
        self.assertError(second.last(1), "busy", "reboot")
        self.assertInstalled(image)

    def queue_is_full(self, daemon, web):
        image = self.image(web, "/probe", seed=9)
        probe = self.upgrading(daemon, image)
        probe.socket.settimeout(2)
        try:
            return isinstance(probe.last(1), peer.Error)
        except TimeoutError:
            raise AssertionError("the queue took a second one") from None
        finally:
            probe.close()

    def test_queued_one_runs_after_a_failure(self):
        web, daemon, image, guest = self.running()
        queued = self.image(web, "/next", seed=1)
        second = self.upgrading(daemon, queued, 1)
        first_told = second.answer()
        self.assertEqual(first_told.status.phase, "queued")
        self.script("installer", "#!/bin/sh\n[ -e %s/second ] || { touch %s/second; exit 3; }\n" %
                    (self.folder, self.folder))
        web.release()
        self.assertError(guest.last(1), "install_failed")
        told = []
        self.assertDone(second.last(1, told))
        self.assertIn("installing", [each.status.phase for each in told])

    def test_no_queue(self):
        web, daemon, image, guest = self.running({"upgrade": {"queue": 0}})
        other = self.image(web, "/other", seed=1)
        self.assertError(self.peer(daemon).upgrade(other.url, other.sha256), "busy")
        web.release()
        self.assertDone(guest.last(1))

    def test_watchers(self):
        web, daemon, image, guest = self.running({"upgrade": {"watchers": 2}})
        second = self.upgrading(daemon, image, 1)
        self.assertIsInstance(second.answer(), peer.Progress)
        self.assertError(self.peer(daemon).upgrade(image.url, image.sha256), "busy")
        web.release()
        self.assertDone(guest.last(1))
        self.assertDone(second.last(1, []))

    def test_while_the_reboot_is_pending(self):
        web, daemon = self.web(), self.daemon()
        image, other = self.image(web), self.image(web, "/other", seed=1)
        guest = self.peer(daemon)
        self.assertDone(guest.upgrade(image.url, image.sha256))
        self.assertDone(guest.upgrade(image.url, image.sha256, id=2))
        self.assertError(guest.upgrade(other.url, other.sha256, id=3), "busy", "reboot")
        self.assertInstalled(image)
        self.assertEqual(web.count("/image"), 1)

    def test_next_request_on_the_connection_waits(self):
        web, daemon, image, guest = self.running()
        guest.send(peer.request(peer.GET_HOSTOS_VERSION, id=2))
        guest.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            guest.frame()
        guest.socket.settimeout(40)
        web.release()
        self.assertDone(guest.last(1))
        self.assertVersion(guest.last(2))


class ProgressTest(SystemTest):
    def slow(self, **more):
        web = self.web()
        daemon = self.daemon({"upgrade": {"stall_bytes_per_second": 1}})
        return web, daemon, self.image(web, faults=[Drip(MIB // 30, 0.1)], **more)

    def test_rules(self):
        web, daemon, image = self.slow()
        told = []
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256, told))
        phases = [each.status.phase for each in told]
        order = ["queued", "downloading", "verifying", "installing", "rebooting"]
        self.assertEqual(phases, sorted(phases, key=order.index), "phases go forward")
        for needed in ("downloading", "installing"):
            self.assertIn(needed, phases)
        downloading = [each for each in told if each.status.phase == "downloading"]
        self.assertGreater(len(downloading), 2)
        took = downloading[-1].at - downloading[0].at
        self.assertLess(len(downloading), took + 3, "more than one a second")
        done = [each.status.done for each in told]
        self.assertEqual(done, sorted(done), "bytes go forward")
        for each in told:
            self.assertLessEqual(each.status.done, MIB)
            self.assertIn(each.status.total, (0, MIB))
            self.assertEqual((each.status.sha256, each.status.result), (image.sha256, "ok"))
        self.assertEqual(downloading[-1].status.total, MIB)

    def test_none_unless_asked_for(self):
        web, daemon, image = self.slow()
        for progress in (None, 0):
            guest = self.upgrading(daemon, image, progress)
            self.assertDone(guest.last(1))  # which takes no PROGRESS

    def test_same_numbers_everywhere(self):
        web, daemon, image = self.slow()
        guest, watcher = self.peer(daemon), self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        seen = []
        for id in range(1, 500):
            status = watcher.status(id)
            seen.append(status)
            if status.phase == "rebooting":
                break
            time.sleep(0.1)
        done = [status.done for status in seen]
        self.assertEqual(done, sorted(done))
        self.assertGreater(len(set(done)), 2)
        self.assertDone(guest.last(1))

    def test_what_systemd_is_told(self):
        web, daemon, image = self.slow()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        daemon.wait_phase("rebooting")
        statuses = daemon.notify.statuses()
        downloading = [text for text in statuses if ": downloading" in text]
        self.assertTrue(any(re.search(r"\d+ ?%", text) and "/s" in text and "left" in text
                            for text in downloading), statuses)
        percents = [int(number) for text in downloading
                    for number in re.findall(r"(\d+) ?%", text)]
        self.assertEqual(percents, sorted(percents))
        self.assertTrue(all(percent < 100 for percent in percents), percents)
        self.assertTrue(any(": installing" in text for text in statuses), statuses)

    def test_guest_that_does_not_read_progress(self):
        web, daemon, image = self.slow()
        guest = self.upgrading(daemon, image, 1)
        daemon.wait_phase("rebooting")
        self.assertDone(guest.last(1, []))

    def test_bar_of_vsock_guest(self):
        web, daemon, image = self.slow()
        code, out, error = self.guest(daemon, "--progress", "always", "upgrade", "--url",
                                      image.url, "--hash", image.sha256.hex())
        self.assertEqual((code, out), (0, "NoPayload\n"))
        self.assertIn("%", error)
        self.assertIn("downloading", error)
