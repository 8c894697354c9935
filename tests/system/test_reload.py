# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: a new configuration, without a restart and without a guest that loses its connection."""
import os
import signal

from vsocktest import peer, wait_until
from vsocktest.case import MIB, SystemTest
from vsocktest.daemon import configuration
from vsocktest.webserver import Status


class ReloadTest(SystemTest):
    def reload(self, daemon, sections, wanted="the configuration was reloaded"):
        """Writes the configuration anew and waits until systemd was told that the reload is over."""
        before = len(daemon.notify.messages)
        with open(daemon.config, "w") as out:
            out.write(sections if isinstance(sections, str) else configuration(self.folder, sections))
        os.kill(daemon.pid, signal.SIGHUP)
        wait_until(lambda: any("READY" in message for message in daemon.notify.messages[before:]),
                   "READY=1 after the reload")
        told = [message for message in daemon.notify.messages[before:]
                if not set(message) <= {"STATUS", "at"}]  # an upgrade reports its progress meanwhile
        self.assertEqual(told[0].get("RELOADING"), "1", told)
        self.assertTrue(int(told[0]["MONOTONIC_USEC"]) > 0, told)
        self.assertFalse([message for message in told if "EXTEND_TIMEOUT_USEC" in message],
                         "a reload asks for no time: the watchdog counts in it")
        daemon.wait_log(wanted)

    def test_version_file_commands_and_consoles(self):
        self.write("other.txt", "9.9.9\n")
        daemon = self.daemon()
        guest = self.peer(daemon)
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION))
        self.reload(daemon, {"version": {"file": self.path("other.txt")},
                             "listen": {"commands": "get-hostos-version notify"},
                             "console": {"devices": self.path("console2"), "max_repeats": 1}})
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION), "9.9.9")  # the same connection
        self.assertError(guest.ask(peer.GET_VSOCK_VERSION), "forbidden", "switched off")
        self.write("console2", "")
        done = self.guest(daemon, "notify", "after the reload", "--count", "5")
        self.assertEqual(done[0], 0, done)
        wait_until(lambda: "after the reload" in self.read("console2"), "the message on the new console")
        self.assertNotIn("after the reload", self.read("console", "") or "")

    def test_who_is_served(self):
        daemon = self.daemon()
        self.assertServes(daemon)
        self.reload(daemon, {"listen": {"allowed_cids": 7}})
        done = self.guest(daemon, "get-hostos-version")
        self.assertEqual(done[0], 1, done)
        self.assertIn("forbidden", done[2])
        self.reload(daemon, {"listen": {"allowed_cids": "3 7"}})
        self.assertServes(daemon)

    def test_upgrade_under_way_keeps_its_configuration(self):
        """Its tries and its schemes; who asks anew is judged by the new ones."""
        web = self.web()
        daemon = self.daemon({"upgrade": {"retries": 3, "retry_seconds": 2}})
        image = self.image(web, size=MIB + 1, faults=[Status(503), Status(503), None])
        guest = self.upgrading(daemon, image)
        daemon.wait_log("try 1 of 3 in ")
        self.reload(daemon, {"upgrade": {"retries": 0, "schemes": "https", "max_bytes": "1M"}})
        self.assertError(self.peer(daemon).upgrade(image.url, image.sha256), "invalid_argument",
                         "https")
        self.assertDone(guest.last(1))
        daemon.wait_log("try 2 of 3 in ")
        self.assertInstalled(image)

    def test_keys_that_take_a_restart(self):
        daemon = self.daemon()
        self.reload(daemon, {"limits": {"workers": 9, "connections": 300, "idle_seconds": 20},
                             "listen": {"address": "unix:%s" % self.path("elsewhere.sock")}})
        for name in (r"\[limits\] workers", r"\[limits\] connections", r"\[listen\] address"):
            daemon.wait_log("reload: %s differs; a change takes a restart" % name)
        self.assertNotIn("idle_seconds", daemon.log())
        self.assertFalse(os.path.exists(self.path("elsewhere.sock")))
        self.assertServes(daemon)
        threads = os.listdir("/proc/%d/task" % daemon.pid)
        names = []
        for tid in threads:
            with open("/proc/%d/task/%s/comm" % (daemon.pid, tid)) as comm:
                names.append(comm.read())
        self.assertEqual(sum(name.startswith("worker-") for name in names), 4, names)

    def test_a_mistake_keeps_what_was(self):
        daemon = self.daemon()
        self.reload(daemon, "[limits]\nworkers = many\n", r"reload: .*:2: \[limits\] workers = many")
        daemon.wait_log("the configuration stays as it was")
        status = [message["STATUS"] for message in daemon.notify.messages if "READY" in message][-1]
        self.assertRegex(status, r"\AReload failed, .*Listening on unix:")
        self.assertServes(daemon)
        self.reload(daemon, {}, "the configuration was reloaded; nothing changed")
        status = [message["STATUS"] for message in daemon.notify.messages if "READY" in message][-1]
        self.assertRegex(status, r"\AListening on unix:")
        self.assertServes(daemon)

    def test_a_file_that_is_gone(self):
        daemon = self.daemon()
        os.rename(daemon.config, daemon.config + ".old")
        os.kill(daemon.pid, signal.SIGHUP)
        daemon.wait_log("reload: .*vsock_host.conf.*the configuration stays as it was")
        self.assertServes(daemon)

    def test_upgrade_policy(self):
        web = self.web()
        image = self.image(web, size=MIB)
        daemon = self.daemon()
        self.reload(daemon, {"upgrade": {"allowed_prefixes": "https://elsewhere.test/"}})
        done = self.guest(daemon, "upgrade", "--url", image.url, "--hash", image.sha256.hex())
        self.assertIn("error: invalid_argument: ", done[2])
        self.reload(daemon, {})
        done = self.guest(daemon, "upgrade", "--url", image.url, "--hash", image.sha256.hex())
        self.assertEqual(done[0], 0, done)

    def test_again_and_again_under_load(self):
        daemon = self.daemon()
        guest = self.peer(daemon)
        for number in range(20):
            self.write("version%d.txt" % (number % 2), "%d.0.0\n" % number)
            self.reload(daemon, {"version": {"file": self.path("version%d.txt" % (number % 2))}})
            self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION), "%d.0.0" % number)
