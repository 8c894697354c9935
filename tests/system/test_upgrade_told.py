# SPDX-License-Identifier: Apache-2.0
"""upgrade: who is told what: each try, no secret, many watchers."""
import os

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest
from vsocktest.daemon import run
from vsocktest.webserver import Cut, Stall, Status

SECRET, TOKEN = "geheim", "unterschrift"


class TriesTest(SystemTest):
    def test_each_try_is_told(self):
        """In PROGRESS, get-upgrade-status, STATUS= and the log, in the same words."""
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 2, "retry_seconds": 2}})
        image = self.image(web, faults=[Status(503), Status(500), None])
        guest, watcher, told = self.peer(daemon), self.peer(daemon), []
        guest.send(peer.upgrade(image.url, image.sha256, 1))
        details = []

        def followed():
            status = watcher.status(len(details) + 1)
            details.append(status.detail)
            return status.phase == "rebooting"
        wait_until(followed, "the end of the upgrade", pause=0.1)
        self.assertDone(guest.last(1, told))
        for words in ("the server answered 503; expected 200; try 1 of 2 in ",
                      "the server answered 500; expected 200; try 2 of 2 in "):
            for where, texts in (("PROGRESS", [each.status.detail or "" for each in told]),
                                 ("get-upgrade-status", [each or "" for each in details]),
                                 ("STATUS=", daemon.notify.statuses()),
                                 ("the log", daemon.log().splitlines())):
                self.assertTrue([text for text in texts if words in text],
                                "%s: no %r in %r" % (where, words, texts))


class SizeTest(SystemTest):
    def test_size_is_told_before_the_first_byte(self):
        """The head of the answer tells it, and then nothing comes."""
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(0)])
        guest = self.upgrading(daemon, image, 1)
        wait_until(lambda: self.peer(daemon).status().total == len(image.content), "the size")
        wait_until(lambda: guest.answer().status.total == len(image.content), "PROGRESS")
        status = self.peer(daemon).status()
        self.assertEqual((status.phase, status.done), ("downloading", 0))
        code, out, _ = run(["--config", daemon.config, "--status"])
        self.assertEqual(code, 0)
        self.assertIn(" 0/%d," % len(image.content), out)
        web.release()
        self.assertDone(guest.last(1, []))


class StallTest(SystemTest):
    """What has come is told though nothing more comes: else it would seem that nothing had."""

    def setUp(self):
        super().setUp()
        self.told = []

    def told_all(self, daemon, image, done, faults):
        """The guest, once so many bytes are told everywhere."""
        image.faults = faults
        guest, watcher = self.peer(daemon), self.peer(daemon)
        guest.send(peer.upgrade(image.url, image.sha256))
        size = len(image.content)
        wait_until(lambda: watcher.status()[1:3] == (done, size), "the bytes in the status")
        code, out, error = run(["--config", daemon.config, "--status"])
        self.assertEqual((code, error), (0, ""))
        self.assertIn("(downloading, %d/%d, " % (done, size), out)
        wait_until(lambda: [text for text in daemon.notify.statuses()
                            if "%d of %d bytes" % (done, size) in text], "the bytes in STATUS=")
        return guest

    def test_server_is_silent(self):
        web, daemon = self.web(), self.daemon({"upgrade": {"retries": 0}})
        image = self.image(web)
        guest = self.told_all(daemon, image, 1000000, [Stall(1000000)])

        def rates():
            """At which the bytes arrive, as STATUS= said."""
            return {text.split(" bytes, ")[1].split("/s")[0]
                    for text in daemon.notify.statuses() if "/s" in text}
        wait_until(lambda: len(rates()) > 1, "a rate that falls")
        note = "upgrade/%s.meta" % image.sha256.hex()
        wait_until(lambda: "durable=1000000\n" in (self.read(note) or ""), "the bytes on the disk")
        web.release()
        self.assertDone(guest.last(1, self.told))

    def test_next_try_is_waited_for(self):
        web = self.web()
        daemon = self.daemon({"upgrade": {"retries": 1, "retry_seconds": 60}})
        self.told_all(daemon, self.image(web), 1000, [Cut(1000), None])


class SecretTest(SystemTest):
    """A password is kept nowhere. A url's query is, to go on with it, where nobody else reads it."""

    def with_password(self, resource):
        return resource.url.replace("http://", "http://user:%s@" % SECRET)

    def test_secrets_reach_no_file_that_others_read(self):
        sections = {"metrics": {"textfile": self.path("metrics.prom")}}
        web, daemon, told = self.web(), self.daemon(sections), []
        path = "/image?token=" + TOKEN
        image = self.image(web, path, faults=[Cut(1000), Status(416), Stall(1000), Status(403)])
        waits = self.image(web, "/waits?token=" + TOKEN, seed=1, faults=[Status(404)])
        guest, second = self.peer(daemon), self.peer(daemon)
        for each, resource in ((guest, image), (second, waits)):
            each.send(peer.upgrade(self.with_password(resource), resource.sha256, 1))
            told.append(each.answer())
            self.assertIsInstance(told[-1], peer.Progress)
        wait_until(lambda: web.count(path) == 3, "the download")
        for words in ("; try 1 of ", "; starting over"):  # lines that name the url
            daemon.wait_log(r"/image\?\.\.\.: [^\n]*" + words)
        self.assertEqual(os.stat(self.path("upgrade")).st_mode & 0o077, 0)
        code, out, error = run(["--config", daemon.config, "--status"])
        self.assertEqual((code, error), (0, ""))
        told += [out, self.peer(daemon).status()]
        self.assertEqual(self.files_with_the_token(), {"state", "queued." + waits.sha256.hex()})
        daemon.kill()
        again = self.daemon(sections)
        told += [self.peer(again).upgrade(each.url, each.sha256) for each in (image, waits)]
        # The new daemon resumes by itself; a guest that comes after that failure has its own request.
        self.assertIn(web.count(path), (4, 5))
        self.assertEqual(again.stop(), 0)
        self.assertEqual(self.files_with_the_token(), {"state"})
        told += daemon.notify.statuses() + again.notify.statuses()
        for text in map(repr, told):
            self.assertNotIn(SECRET, text)
            self.assertNotIn(TOKEN, text)

    def files_with_the_token(self):
        """Of all files in the test's folder, logs and states; no other user may read these."""
        found = set()
        for folder, _, names in os.walk(self.folder):
            for path in [os.path.join(folder, name) for name in names]:
                text = self.read(path) if os.path.isfile(path) else None
                if text is None or path.endswith(".part"):
                    continue
                self.assertNotIn(SECRET, text, path)
                if TOKEN in text:
                    self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)
                    found.add(os.path.basename(path))
        return found

    def test_password_is_not_kept_to_go_on(self):
        """The daemon that was killed knew it; the next one has to be told again."""
        web, daemon = self.web(), self.daemon()
        image = self.image(web, faults=[Stall(300000), Status(401), None])
        url = self.with_password(image)
        self.peer(daemon).send(peer.upgrade(url, image.sha256))
        watcher = self.peer(daemon)
        wait_until(lambda: watcher.status().done == 300000, "the first bytes")
        daemon.kill()
        again = self.daemon()
        watcher = self.peer(again)
        wait_until(lambda: watcher.status().phase == "failed", "the end without a password")
        self.assertDone(self.peer(again).upgrade(url, image.sha256))
        self.assertInstalled(image)
        told = [("authorization" in each.headers, each.headers.get("range"))
                for each in web.requests]
        self.assertEqual(told, [(True, None), (False, "bytes=300000-"), (True, "bytes=300000-")])


class WatchersTest(SystemTest):
    WATCHERS = 32  # the default of [upgrade] watchers

    def test_32_watchers_and_one_more(self):
        """Every second one reads nothing until the end: neither the job nor the others wait for it."""
        web, daemon = self.web(), self.daemon({"upgrade": {"watchers": None},
                                               "limits": {"workers": 2}})
        image = self.image(web, faults=[Stall(1000)])
        watchers = [self.peer(daemon) for _ in range(self.WATCHERS)]
        for each in watchers:
            each.send(peer.upgrade(image.url, image.sha256, 1))
        for number, each in list(enumerate(watchers))[::2]:
            with self.subTest(number):
                self.assertIsInstance(each.answer(), peer.Progress)

        def full():
            with self.subTest("one watcher more"):
                answer = self.peer(daemon).upgrade(image.url, image.sha256)
                self.assertError(answer, "busy", str(self.WATCHERS))
        full()
        self.assertServes(daemon)
        watchers[0].close()  # its place is free then
        last = self.peer(daemon)

        def taken():
            last.send(peer.upgrade(image.url, image.sha256, 1))
            return isinstance(last.answer(), peer.Progress)
        wait_until(taken, "the place of the one that went away")
        web.release()
        daemon.wait_phase("rebooting")
        for number, each in enumerate(watchers[2::2] + [last] + watchers[1::2]):
            with self.subTest("the answer to one of them", number=number):
                self.assertDone(each.last(1, []))
        self.assertInstalled(image)
