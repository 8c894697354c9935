# SPDX-License-Identifier: Apache-2.0
"""Every limit and deadline of [limits], on both sides of it."""
import os
import resource
import socket
import time

from vsocktest import peer, wait_until
from vsocktest.case import SystemTest
from vsocktest.peer import frame, hello, request
from vsocktest.webserver import Resource, Stall


class DeadlineTest(SystemTest):
    """Short deadlines show that they end a connection, long ones that nothing else does."""

    LONG = 120

    def limits(self, **limits):
        every = {"first_frame_seconds": self.LONG, "frame_seconds": self.LONG,
                 "idle_seconds": self.LONG, "send_seconds": self.LONG}
        every.update(limits)
        return self.daemon({"limits": every})

    def times_out(self, guest, id=0):
        answer = self.assertError(guest.answer(), "timeout")
        self.assertEqual(answer.id, id)
        self.assertTrue(guest.ended())

    def drip(self, guest, data):
        """One byte every 0.2 s: each arrives soon after the one before, the whole never does."""
        try:
            for i in range(len(data)):
                guest.send(data[i:i + 1])
                time.sleep(0.2)
        except OSError:
            pass

    def test_first_frame_nothing_sent(self):
        daemon = self.limits(first_frame_seconds="0.5")
        self.times_out(self.peer(daemon, welcome=False))
        self.assertServes(daemon)

    def test_first_frame_half(self):
        guest = self.peer(self.limits(first_frame_seconds="0.5"), welcome=False)
        guest.send(hello()[:-1])
        self.times_out(guest)

    def test_first_frame_counts_from_accept_not_per_read(self):
        guest = self.peer(self.limits(first_frame_seconds="1"), welcome=False)
        self.in_thread(self.drip, guest, hello() + b"x" * 100)
        self.times_out(guest)

    def test_first_frame_in_time(self):
        daemon = self.limits(first_frame_seconds=self.LONG, frame_seconds="0.2")
        guest = self.peer(daemon, welcome=False)
        guest.send(hello()[:-1])
        time.sleep(0.6)  # past every other deadline
        guest.send(hello()[-1:])
        self.assertIsInstance(guest.answer(), peer.Welcome)

    def test_frame_half(self):
        guest = self.peer(self.limits(frame_seconds="0.5"))
        guest.send(request(peer.GET_HOSTOS_VERSION, id=7)[:-1])
        self.times_out(guest, id=7)

    def test_frame_header_cut(self):
        guest = self.peer(self.limits(frame_seconds="0.5"))
        guest.send(request(peer.GET_HOSTOS_VERSION, id=7)[:10])
        self.times_out(guest, id=0)

    def test_frame_counts_from_its_first_byte(self):
        guest = self.peer(self.limits(frame_seconds="1"))
        data = request(peer.GET_HOSTOS_VERSION, id=7, fields=peer.field(3, b"x" * 100))
        guest.send(data[:16])
        self.in_thread(self.drip, guest, data[16:])
        self.times_out(guest, id=7)

    def test_frame_in_time(self):
        daemon = self.limits(first_frame_seconds="5")
        guest = self.peer(daemon)
        data = request(peer.GET_HOSTOS_VERSION)
        guest.send(data[:-1])
        time.sleep(0.6)
        guest.send(data[-1:])
        self.assertVersion(guest.last(1))

    def test_idle(self):
        guest = self.peer(self.limits(idle_seconds="0.5"))
        self.times_out(guest)

    def test_idle_after_an_answer(self):
        guest = self.peer(self.limits(idle_seconds="0.5"))
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION))
        self.times_out(guest)

    def test_idle_starts_anew_with_each_request(self):
        guest = self.peer(self.limits(idle_seconds="3"))
        for id in range(1, 6):
            time.sleep(1)
            self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, id=id))

    def test_busy_with_a_request_is_not_idle(self):
        daemon = self.daemon({"limits": {"idle_seconds": "0.5", "frame_seconds": "0.5",
                                         "first_frame_seconds": "5"}})
        web = self.web()
        image = Resource(b"x" * 100000, faults=[Stall(1000)])
        guest = self.peer(daemon)
        guest.send(peer.upgrade(web.put("/image", image), image.sha256))
        daemon.wait_phase("downloading")
        time.sleep(1.5)  # three idle times
        web.release()
        self.assertDone(guest.last(1))

    def test_guest_that_never_reads(self):
        daemon = self.limits(send_seconds="0.5")
        guest = self.peer(daemon)
        guest.socket.setblocking(False)
        data = b"".join(request(peer.GET_HOSTOS_VERSION, id=id) for id in range(1, 200))

        def dropped():
            try:
                guest.socket.send(data)
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                return True
            return False
        other = self.peer(daemon)
        wait_until(dropped, "a guest that never reads to be dropped")
        self.assertVersion(other.ask(peer.GET_HOSTOS_VERSION))

    def test_guest_that_reads_late_gets_every_answer(self):
        guest = self.peer(self.limits())
        count = 2000
        wait = self.in_thread(
            guest.send, b"".join(request(peer.GET_HOSTOS_VERSION, id=id)
                                 for id in range(1, count + 1)))
        time.sleep(1)
        for id in range(1, count + 1):
            self.assertVersion(guest.last(id))
        wait()


class SizeTest(SystemTest):
    def test_request_bytes(self):
        daemon = self.daemon({"limits": {"request_bytes": 5000}})
        self.assertEqual(self.peer(daemon, welcome=False).hello().limit, 5000)
        self.around(daemon, 5000)

    def around(self, daemon, limit):
        """A payload of `limit` bytes is taken, one more is too large."""
        guest = self.peer(daemon)
        filler = limit - len(peer.field(2, peer.u16(3))) - len(peer.field(3, b""))
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, peer.field(3, b"x" * filler)))
        guest.send(request(peer.GET_HOSTOS_VERSION, peer.field(3, b"x" * (filler + 1)), id=2))
        self.assertError(guest.last(2), "too_large", str(limit))
        self.assertTrue(guest.ended())

    def test_request_bytes_default(self):
        self.around(self.daemon(), 16384)


class ConnectionsTest(SystemTest):
    def busy(self, daemon):
        guest = self.peer(daemon, welcome=False)
        self.assertError(guest.answer(), "busy")
        self.assertTrue(guest.ended())

    def limit(self, sections, count):
        daemon = self.daemon({"limits": sections})
        guests = [self.peer(daemon) for _ in range(count)]
        self.busy(daemon)
        self.busy(daemon)
        for guest in guests:
            self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION))
        guests.pop().close()
        self.wait_served(daemon)
        return daemon

    def test_in_all(self):
        self.limit({"connections": 3}, 3)

    def test_per_cid(self):
        self.limit({"connections": 10, "connections_per_cid": 2}, 2)

    def test_busy_guest_that_speaks_first_gets_the_word(self):
        daemon = self.daemon({"limits": {"connections": 1, "connections_per_cid": 1}})
        self.peer(daemon)
        guest = self.peer(daemon, welcome=False)
        try:
            guest.send(hello() + request(peer.GET_HOSTOS_VERSION))
        except BrokenPipeError:
            pass
        self.assertError(guest.answer(), "busy")

    def test_256_at_once(self):
        self.raise_descriptors()
        daemon = self.daemon({"limits": {"connections_per_cid": 256}})
        guests = [self.peer(daemon) for _ in range(256)]
        self.busy(daemon)
        for guest in guests:
            self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION))

    def raise_descriptors(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2048:
            self.skipTest("the limit of open files is %d" % hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))

    def test_one_worker_serves_many(self):
        daemon = self.daemon({"limits": {"workers": 1, "queue": 64}})
        guests = [self.peer(daemon) for _ in range(50)]
        for guest in guests:
            guest.send(request(peer.GET_HOSTOS_VERSION))
        for guest in guests:
            self.assertVersion(guest.last(1))

    def test_short_queue_is_busy_at_once_or_served(self):
        daemon = self.daemon({"limits": {"workers": 1, "queue": 1}})
        guests = [self.peer(daemon, welcome=False) for _ in range(50)]
        for guest in guests:
            guest.send(hello() + request(peer.GET_HOSTOS_VERSION))
        seen = {"served": 0, "busy": 0}
        for guest in guests:
            answer = guest.answer()
            if isinstance(answer, peer.Welcome):
                answer = guest.answer()
            if isinstance(answer, peer.Error):
                self.assertError(answer, "busy")
                seen["busy"] += 1
            else:
                self.assertVersion(answer)
                seen["served"] += 1
        self.assertGreater(seen["served"], 0, seen)
        self.wait_served(daemon)

    def test_number_of_workers(self):
        def workers(count):
            daemon = self.daemon({"limits": {"workers": count}})
            threads = daemon.threads()
            self.assertEqual(daemon.stop(), 0)
            return len(threads)
        self.assertEqual(workers(5) - workers(2), 3)


class DescriptorsTest(SystemTest):
    def prlimit(self, daemon, limit):
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limit)

    def test_out_of_descriptors(self):
        daemon = self.daemon()
        first = self.peer(daemon)
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        self.prlimit(daemon, (daemon.descriptors() + 2, before[1]))
        guests = []
        for _ in range(20):
            guest = socket.socket(socket.AF_UNIX)
            self.addCleanup(guest.close)
            guest.connect(daemon.socket_path)
            guests.append(guest)
        daemon.wait_log(r"(?i)descriptor|too many open files")
        time.sleep(2.5)  # long enough to see whether it tells it again and again
        # Who is connected is served as far as that needs no file, and says so where it does.
        self.assertEqual(first.ask(peer.GET_VSOCK_VERSION).value, (1, 0, 0))
        told = sum("too many open files" in line.lower() or "descriptor" in line.lower()
                   for line in daemon.log().splitlines())
        self.assertLess(told, 8, "told too often:\n" + daemon.log())
        for guest in guests:
            guest.close()
        self.prlimit(daemon, before)
        self.wait_served(daemon)

    def test_busy_loop(self):
        """Out of descriptors it does not burn the processor either."""
        daemon = self.daemon()
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        self.prlimit(daemon, (daemon.descriptors(), before[1]))
        guest = socket.socket(socket.AF_UNIX)
        self.addCleanup(guest.close)
        guest.connect(daemon.socket_path)
        daemon.wait_log(r"(?i)descriptor|too many open files")

        def ticks():
            with open("/proc/%d/stat" % daemon.pid) as stat:
                fields = stat.read().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])
        start = ticks()
        time.sleep(2)
        used = (ticks() - start) / os.sysconf("SC_CLK_TCK")
        self.assertLess(used, 0.8, "%.2f s of processor time in 2 s of waiting" % used)
        self.prlimit(daemon, before)

    def test_start_raises_the_soft_limit(self):
        daemon = self.daemon(prefix=["prlimit", "--nofile=64:4096"])
        soft, _ = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        self.assertGreater(soft, 256)
        self.assertServes(daemon)

    def test_start_with_too_low_a_hard_limit(self):
        # Root may raise its hard limit, unless it gave that right away.
        give_up = ["setpriv", "--bounding-set=-sys_resource"] if os.getuid() == 0 else []
        daemon = self.daemon(prefix=["prlimit", "--nofile=64:64"] + give_up, wait=False)
        self.assertEqual(daemon.wait(), 1)
        self.assertRegex(daemon.log(), r"(?i)nofile")
        self.assertIn("[limits] connections = 256", daemon.log())


class TroubleTest(SystemTest):
    def test_guest_that_vanishes(self):
        daemon = self.daemon()
        before = daemon.descriptors()
        for data in (b"", hello()[:5], hello(), hello() + request(3)[:9], hello() + request(3),
                     hello() + request(3) * 50, frame(peer.REQUEST, length=70000)):
            for _ in range(5):
                guest = self.peer(daemon, welcome=False)
                guest.send(data)
                guest.close()
        self.wait_served(daemon)
        wait_until(lambda: daemon.descriptors() == before, "no descriptor of a guest to be left")
