# SPDX-License-Identifier: Apache-2.0
"""Guests that wait, read slowly, were not looked at in time, or are there when the daemon stops."""
import os
import pathlib
import signal
import socket
import time

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest
from vsocktest.peer import request, upgrade
from vsocktest.webserver import Stall


class WaitingTest(SystemTest):
    def cpu_seconds(self, daemon):
        fields = pathlib.Path("/proc/%d/stat" % daemon.pid).read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waits_quietly(self, after):
        """Waits for an upgrade, does `after`, and costs the host nothing while it goes on waiting."""
        web = self.web()
        daemon = self.daemon({"upgrade": {"stall_seconds": "60"}})
        image = self.image(web, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(upgrade(web.url("/image"), image.sha256))
        daemon.wait_phase("downloading")
        after(guest)
        before = self.cpu_seconds(daemon)
        time.sleep(1)
        # Watching the same event for ever takes a whole processor.
        self.assertLess(self.cpu_seconds(daemon) - before, 0.5)
        web.release()
        self.assertDone(guest.last(1))
        return guest

    def test_after_a_half_close(self):
        self.waits_quietly(lambda guest: guest.finish())

    def test_after_the_next_request(self):
        guest = self.waits_quietly(
            lambda guest: guest.send(request(peer.GET_HOSTOS_VERSION, id=2)))
        self.assertVersion(guest.last(2))


class SlowTest(SystemTest):
    def test_guest_that_takes_some_now_and_then_is_kept(self):
        daemon = self.daemon({"limits": {"send_seconds": "1"}})
        guest = self.peer(daemon)
        count = 6000
        self.write("version.txt", "v" * 256)
        wait = self.in_thread(
            guest.send, b"".join(request(peer.GET_HOSTOS_VERSION, id=id)
                                 for id in range(1, count + 1)))
        for id in range(1, count + 1):
            if id % 1000 == 0:
                time.sleep(0.8)  # several of these are more than the limit in all
            self.assertVersion(guest.last(id), "v" * 256)
        wait()

    def test_what_came_while_the_daemon_was_held_is_in_time(self):
        count = 200  # more than one look at the epoll set brings
        daemon = self.daemon({"limits": {"idle_seconds": "3", "connections_per_cid": str(count),
                                         "queue": str(count)}})
        guests = [self.peer(daemon) for _ in range(count)]
        daemon.hold()
        try:
            for guest in guests:
                guest.send(request(peer.GET_HOSTOS_VERSION))
            time.sleep(3.5)  # past the limit
        finally:
            daemon.go_on()
        for guest in guests:
            self.assertVersion(guest.last(1))


class StopTest(SystemTest):
    def test_no_request_is_answered_twice(self):
        for _ in range(5):
            daemon = self.daemon()
            self.write("version.txt", "v" * 256)
            guest = self.peer(daemon)
            guest.socket.setblocking(False)
            data = b"".join(request(peer.GET_HOSTOS_VERSION, id=id) for id in range(1, 5001))
            sent = 0

            def stuck():
                nonlocal sent
                try:
                    sent += guest.socket.send(data[sent:])
                except BlockingIOError:
                    return True
                return sent == len(data)
            wait_until(stuck, "the host to take no more")
            daemon.kick(signal.SIGTERM)
            guest.socket.settimeout(20)
            answered = []
            try:
                while (answer := guest.answer()) is not None:
                    answered.append(answer.id)
            except (ConnectionResetError, socket.timeout):
                pass
            answered = [id for id in answered if id != 0]
            self.assertEqual(sorted(set(answered)), answered)
            self.assertEqual(daemon.wait(), 0)

