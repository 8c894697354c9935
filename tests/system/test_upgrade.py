# SPDX-License-Identifier: Apache-2.0
"""upgrade: from the request to the reboot, resumed, joined, queued, watched."""
import os
import re
import stat
import time

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest, content_of
from vsocktest.webserver import Cut, Drip, Redirect, Reset, Resource, Stall, Status

MIB = 1 << 20


class UpgradeTest(SystemTest):
    def image(self, web, path="/image", size=MIB, seed=0, **more):
        resource = Resource(content_of(size, seed), **more)
        resource.url = web.put(path, resource)
        return resource

    def assertInstalled(self, *images):
        """The installer was run once for each image, in order, with the right bytes."""
        lines = (self.read("installed") or "").splitlines()
        self.assertEqual([line.split()[1] for line in lines],
                         [image.sha256.hex() for image in images])

    def ranges(self, web):
        return [request.headers.get("range") for request in web.requests]


class DoneTest(UpgradeTest):
    def test_from_request_to_reboot(self):
        web, daemon = self.web(), self.daemon()
        image, guest = self.image(web), None
        guest = self.peer(daemon)
        self.assertDone(guest.upgrade(image.url, image.sha256))
        self.assertInstalled(image)
        self.assertEqual(self.read("rebooted"), "reboot\n")
        status = guest.status(2)
        self.assertEqual((status.phase, status.result, status.sha256, status.done, status.total),
                         ("rebooting", "ok", image.sha256, MIB, MIB))
        self.assertLess(abs(status.changed - time.time()), 300)
        self.assertIn(image.sha256.hex(), self.read("install/record"))
        self.assertEqual(web.count("/image"), 1)

    def test_image_is_kept_from_others(self):
        self.script("installer", "#!/bin/sh\nstat -c '%%a %%u' \"$1\" >%s/stat\n"
                    "pwd >>%s/stat\nenv | sort >>%s/stat\n" % ((self.folder,) * 3))
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        told = self.read("stat").splitlines()
        self.assertEqual(told[0], "400 %d" % os.getuid())
        self.assertEqual(told[1], "/")
        self.assertEqual([line for line in told[2:]
                          if not re.match(r"(PATH|PWD|_|SHLVL|OLDPWD)=", line)], [])

    def test_large_image(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, size=64 * MIB + 12345)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_one_byte_and_none(self):
        web = self.web()
        for size in (1, 0):
            daemon = self.daemon()
            image = self.image(web, size=size)
            answer = self.peer(daemon).upgrade(image.url, image.sha256)
            if size:
                self.assertDone(answer)
                self.assertInstalled(image)
            else:  # an empty image is installed or refused, but it ends
                self.assertIsInstance(answer, (peer.Response, peer.Error))
            daemon.stop()
            for name in ("upgrade", "install"):
                for entry in os.listdir(self.path(name)):
                    os.unlink(self.path(name, entry))

    def test_chunked_without_a_length(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, chunked=True)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_content_encoding_is_not_asked_for(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertIn(web.requests[0].headers.get("accept-encoding"), (None, "identity"))

    def test_no_proxy_from_the_environment(self):
        daemon = self.daemon(environment={"http_proxy": "http://127.0.0.1:1",
                                          "ALL_PROXY": "http://127.0.0.1:1"})
        web = self.web()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))

    def test_redirects(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"max_redirects": 3}})
        image = self.image(web)
        web.put("/a", Redirect(web.url("/b"), 301))
        web.put("/b", Redirect("/c", 307))
        web.put("/c", Redirect("image", 303))
        self.assertDone(self.peer(daemon).upgrade(web.url("/a"), image.sha256))
        self.assertInstalled(image)

    def test_image_that_is_there_is_not_fetched_again(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        self.write("upgrade/%s.img" % image.sha256.hex(), image.content, 0o600)
        daemon = self.daemon()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertEqual(web.requests, [])
        self.assertInstalled(image)

    def test_image_that_is_there_and_wrong_is_fetched(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        self.write("upgrade/%s.img" % image.sha256.hex(), image.content[:-1] + b"!", 0o600)
        daemon = self.daemon()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        self.assertInstalled(image)

    def test_guest_that_goes_away_does_not_stop_it(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        wait_until(lambda: web.requests, "the download")
        guest.close()
        web.release()
        daemon.wait_phase("rebooting")
        self.assertInstalled(image)

    def test_half_closing_is_not_going_away(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        guest.finish()
        wait_until(lambda: web.requests, "the download")
        web.release()
        self.assertDone(guest.last(1))
        self.assertTrue(guest.ended())

    def test_others_are_served_while_it_runs(self):
        web, daemon = self.web(), self.daemon({"limits": {"workers": 1}})
        image = self.image(web, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        daemon.wait_phase("downloading")
        for _ in range(20):
            self.assertServes(daemon)
        web.release()
        self.assertDone(guest.last(1))

    def test_through_vsock_guest(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertEqual(
            self.guest(daemon, "upgrade", "--url", image.url, "--hash",
                       image.sha256.hex().upper()), (0, "NoPayload\n", ""))
        code, out, error = self.guest(daemon, "get-upgrade-status")
        self.assertEqual((code, error), (0, ""))
        self.assertEqual(out, "UpgradeStatus(rebooting, %d/%d, %s, ok, %s" % (
            MIB, MIB, image.sha256.hex(), out.partition(", ok, ")[2]))
        self.assertEqual(self.guest(daemon, "-o", "value", "get-upgrade-status"),
                         (0, "rebooting\n", ""))

    def test_status_option_reads_the_same(self):
        from vsocktest.daemon import run
        web, daemon = self.web(), self.daemon()
        image = self.image(web)
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        daemon.stop()
        code, out, _ = run(["--config", daemon.config, "--status"])
        self.assertEqual(code, 0)
        self.assertIn("rebooting, %d/%d, %s, ok" % (MIB, MIB, image.sha256.hex()), out)


class ResumeTest(UpgradeTest):
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


class TogetherTest(UpgradeTest):
    def running(self, sections=None, **image):
        """A daemon, a web server, an image whose download waits for web.release(), a guest."""
        web, daemon = self.web(), self.daemon(sections)
        image.setdefault("faults", [Stall(1000)])
        image = self.image(web, **image)
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
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
        second = self.peer(daemon)
        second.send(peer.upgrade(queued.url, queued.sha256))
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
        probe = self.peer(daemon)
        probe.send(peer.upgrade(image.url, image.sha256))
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
        second = self.peer(daemon)
        second.send(peer.upgrade(queued.url, queued.sha256, 1))
        first_told = second.answer()
        self.assertEqual(first_told.status.phase, "queued")
        self.script("installer", "#!/bin/sh\n[ -e %s/second ] || { touch %s/second; exit 3; }\n" %
                    (self.folder, self.folder))
        web.release()
        self.assertError(guest.last(1), "install_failed")
        told = []
        self.assertDone(second.last(1, told))
        self.assertEqual(told[-1].status.phase, "rebooting")

    def test_no_queue(self):
        web, daemon, image, guest = self.running({"upgrade": {"queue": 0}})
        other = self.image(web, "/other", seed=1)
        self.assertError(self.peer(daemon).upgrade(other.url, other.sha256), "busy")
        web.release()
        self.assertDone(guest.last(1))

    def test_watchers(self):
        web, daemon, image, guest = self.running({"upgrade": {"watchers": 2}})
        second = self.peer(daemon)
        second.send(peer.upgrade(image.url, image.sha256, 1))
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


class ProgressTest(UpgradeTest):
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
            guest = self.peer(daemon)
            guest.send(peer.upgrade(image.url, image.sha256, progress))
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
        self.assertGreater(len(set(done)), 5)
        self.assertDone(guest.last(1))

    def test_what_systemd_is_told(self):
        web, daemon, image = self.slow()
        self.assertDone(self.peer(daemon).upgrade(image.url, image.sha256))
        daemon.wait_phase("rebooting")
        statuses = daemon.notify.statuses()
        downloading = [text for text in statuses if text.startswith("downloading")]
        self.assertTrue(any(re.search(r"\d+ ?%", text) and "/s" in text and "left" in text
                            for text in downloading), statuses)
        percents = [int(number) for text in downloading
                    for number in re.findall(r"(\d+) ?%", text)]
        self.assertEqual(percents, sorted(percents))
        self.assertTrue(all(percent < 100 for percent in percents), percents)
        self.assertTrue(any(text.startswith("installing") for text in statuses), statuses)

    def test_guest_that_does_not_read_progress(self):
        web, daemon, image = self.slow()
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256, 1))
        daemon.wait_phase("rebooting")
        self.assertDone(guest.last(1, []))

    def test_bar_of_vsock_guest(self):
        web, daemon, image = self.slow()
        code, out, error = self.guest(daemon, "--progress", "always", "upgrade", "--url",
                                      image.url, "--hash", image.sha256.hex())
        self.assertEqual((code, out), (0, "NoPayload\n"))
        self.assertIn("%", error)
        self.assertIn("downloading", error)


class PlaceTest(UpgradeTest):
    def test_modes(self):
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        part = self.path("upgrade", image.sha256.hex() + ".part")
        wait_until(lambda: os.path.exists(part), part)
        self.assertEqual(stat.S_IMODE(os.stat(part).st_mode) & 0o077, 0)
        web.release()
        self.assertDone(guest.last(1))
        self.assertFalse(os.path.exists(part))

    def test_links_are_not_followed(self):
        web = self.web()
        image = self.image(web)
        os.mkdir(self.path("upgrade"), 0o700)
        self.write("victim", "precious")
        os.symlink(self.path("victim"), self.path("upgrade", image.sha256.hex() + ".part"))
        daemon = self.daemon()
        answer = self.peer(daemon).upgrade(image.url, image.sha256)
        self.assertIsInstance(answer, (peer.Response, peer.Error))
        self.assertEqual(self.read("victim"), "precious")
