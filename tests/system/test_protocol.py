# SPDX-License-Identifier: Apache-2.0
"""The TLV stream as a host must take it and refuse it: negotiation, framing, fields, order."""
from vsocktest import peer
from vsocktest.case import SystemTest
from vsocktest.peer import field, frame, hello, request, u16, u32, u8


class ProtocolTest(SystemTest):
    """One daemon for all tests of the class: none of them may harm it."""

    def setUp(self):
        super().setUp()
        self.host = self.daemon()

    def raw(self):
        return self.peer(self.host, welcome=False)

    def refused(self, data, code, *words, connection=None):
        """Sends data, expects that error and the end of the connection."""
        guest = connection or self.raw()
        guest.send(data)
        answer = self.assertError(guest.answer(), code, *words)
        self.assertTrue(guest.ended(), "the connection stayed open after %s" % code)
        return answer

    def answered(self, data, code, *words):
        """After WELCOME sends data, expects that error and an open connection."""
        guest = self.peer(self.host)
        guest.send(data)
        answer = self.assertError(guest.answer(), code, *words)
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, id=77))
        return answer

    # --- negotiation ---

    def test_agreement(self):
        for versions, agreed in (([(1, 0)], (1, 0)), ([(1, 7)], (1, 0)),
                                 ([(2, 0), (1, 3)], (1, 0)), ([(9, 9), (2, 0), (1, 0)], (1, 0)),
                                 ([(n, 127) for n in range(16, 0, -1)], (1, 0))):
            with self.subTest(versions):
                guest = self.raw()
                answer = guest.hello(versions)
                self.assertIsInstance(answer, peer.Welcome)
                self.assertEqual(answer.version, agreed)
                self.assertEqual(answer.agent, "vsock_host/1.0.0")
                self.assertEqual(answer.limit, 16384)
                self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION))

    def test_no_common_version(self):
        for versions in ([(2, 0)], [(127, 0)], [(3, 1), (2, 9)]):
            with self.subTest(versions):
                answer = self.refused(hello(versions), "unsupported_version")
                self.assertEqual(answer.versions[0], (1, 0))
                self.assertEqual(answer.id, 0)

    def test_error_before_welcome_has_the_highest_version(self):
        guest = self.raw()
        guest.send(hello([(2, 0)]))
        self.assertEqual(guest.frame().version, (1, 0))

    def test_hello_without_agent(self):
        self.assertIsInstance(self.raw().hello(agent=None), peer.Welcome)

    def test_hello_with_an_unknown_odd_field(self):
        guest = self.raw()
        guest.send(frame(peer.HELLO, field(2, b"\1\0") + field(3, b"a") + field(101, b"future")))
        self.assertIsInstance(guest.answer(), peer.Welcome)

    def test_hello_that_is_wrong(self):
        for name, payload in (("no versions", b""), ("empty list", field(2, b"")),
                              ("odd list", field(2, b"\1\0\1")),
                              ("rising", field(2, b"\1\0\2\0")), ("twice", field(2, b"\1\0\1\0")),
                              ("major 0", field(2, b"\1\0\0\x09")),
                              ("17 pairs", field(2, bytes(sum(([n, 0] for n in
                                                              range(17, 0, -1)), [])))),
                              ("left over", field(2, b"\1\0") + b"\0"),
                              ("past the end", b"\0\2\0\3\1\0"),
                              ("tag twice", field(2, b"\1\0") * 2),
                              ("falling tags", field(3, b"a") + field(2, b"\1\0"))):
            with self.subTest(name):
                self.refused(frame(peer.HELLO, payload), "malformed")

    def test_hello_with_an_unknown_even_field(self):
        self.refused(frame(peer.HELLO, field(2, b"\1\0") + field(4, b"")), "unsupported_field")

    def test_hello_with_a_request_id(self):
        self.refused(frame(peer.HELLO, field(2, b"\1\0"), id=1), "malformed")

    def test_first_frame_that_is_not_hello(self):
        self.refused(request(peer.GET_HOSTOS_VERSION), "malformed")
        self.refused(frame(peer.WELCOME, field(2, b"\1\0")), "malformed")

    def test_second_hello(self):
        self.refused(hello(), "malformed", connection=self.peer(self.host))

    # --- first bytes ---

    def test_first_byte_of_nobody(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\xef\xbb\xbf{}", b"[1]", b"\0" * 64, b"v",
                     b"\x7f"):
            with self.subTest(data):
                self.refused(data, "malformed")

    def test_magic_that_is_wrong(self):
        self.refused(b"VSCX" + hello()[4:], "malformed")

    def test_nothing_at_all(self):
        guest = self.raw()
        guest.finish()
        self.assertTrue(guest.ended(), "an answer to nothing")

    def test_one_byte_at_a_time(self):
        guest = self.raw()
        guest.send_bytewise(hello())
        self.assertIsInstance(guest.answer(), peer.Welcome)
        guest.send_bytewise(request(peer.GET_HOSTOS_VERSION, id=0xfffffffe))
        self.assertVersion(guest.last(0xfffffffe))

    def test_all_in_one_write(self):
        guest = self.raw()
        guest.send(hello() + b"".join(request(peer.GET_HOSTOS_VERSION, id=n) for n in range(1, 6)))
        self.assertIsInstance(guest.answer(), peer.Welcome)
        for n in range(1, 6):
            self.assertVersion(guest.last(n))

    def test_half_close_after_the_last_request(self):
        guest = self.raw()
        guest.send(hello() + request(peer.GET_HOSTOS_VERSION) +
                   request(peer.GET_VSOCK_VERSION, id=2))
        guest.finish()
        self.assertIsInstance(guest.answer(), peer.Welcome)
        self.assertVersion(guest.last(1))
        self.assertEqual(guest.last(2).value, (1, 0, 0))
        self.assertTrue(guest.ended())

    def test_end_inside_a_frame(self):
        for data in (hello()[:1], hello()[:15], hello()[:-1]):
            with self.subTest(len(data)):
                guest = self.raw()
                guest.send(data)
                guest.finish()
                self.assertError(guest.answer(), "malformed")
                self.assertTrue(guest.ended())

    def test_end_inside_a_request(self):
        guest = self.peer(self.host)
        guest.send(request(peer.GET_HOSTOS_VERSION, id=5)[:-1])
        guest.finish()
        self.assertEqual(self.assertError(guest.answer(), "malformed").id, 5)
        self.assertTrue(guest.ended())

    # --- frames after WELCOME ---

    def test_other_version_in_the_header(self):
        for version in ((1, 1), (2, 0), (0, 9)):
            with self.subTest(version):
                data = frame(peer.REQUEST, field(2, u16(3)), id=1, version=version)
                self.refused(data, "malformed", connection=self.peer(self.host))

    def test_request_id_zero(self):
        self.refused(request(peer.GET_HOSTOS_VERSION, id=0), "malformed",
                     connection=self.peer(self.host))

    def test_frame_type_that_is_not_a_guests(self):
        for kind in (peer.WELCOME, peer.ERROR, peer.PROGRESS, peer.RESPONSE, 0, 0x13, 0xffff):
            with self.subTest(kind):
                self.refused(frame(kind, field(2, u16(3)), id=1), "malformed",
                             connection=self.peer(self.host))

    def test_too_large_is_not_read(self):
        for size in (16385, 65536, 65537, 0x7fffffff, 0xffffffff):
            with self.subTest(size):
                answer = self.refused(frame(peer.REQUEST, id=9, length=size), "too_large", "16384",
                                      connection=self.peer(self.host))
                self.assertEqual(answer.id, 9)

    def test_first_frame_too_large(self):
        self.refused(frame(peer.HELLO, length=16385), "too_large")

    # --- fields ---

    def test_unknown_command(self):
        for command in (0, 9, 99, 65535):
            with self.subTest(command):
                self.answered(request(command), "unknown_command", str(command))

    def test_unknown_even_field(self):
        for tag in (4, 100, 65534):
            with self.subTest(tag):
                self.answered(request(peer.GET_HOSTOS_VERSION, field(tag, b"")),
                              "unsupported_field", str(tag))

    def test_unknown_odd_field_is_skipped(self):
        guest = self.peer(self.host)
        self.assertVersion(guest.ask(peer.GET_HOSTOS_VERSION, field(3, b"\xff") +
                                     field(65535, b"x" * 1000)))

    def test_fields_that_are_wrong(self):
        sha256 = field(6, bytes(32))
        url = field(4, b"http://127.0.0.1/")
        for name, data in (
                ("no command", frame(peer.REQUEST, b"", id=1)),
                ("command of 1 byte", frame(peer.REQUEST, field(2, b"\3"), id=1)),
                ("command of 4 bytes", frame(peer.REQUEST, field(2, u32(3)), id=1)),
                ("left over", request(3) [:12] + u32(7) + request(3)[16:] + b"\0"),
                ("length past the end", frame(peer.REQUEST, b"\0\2\0\3\0\3", id=1)),
                ("tag twice", frame(peer.REQUEST, field(2, u16(3)) * 2, id=1)),
                ("falling tags", request(3, field(5, b"") + field(3, b""))),
                ("upgrade without url", request(4, sha256)),
                ("upgrade without sha256", request(4, url)),
                ("sha256 of 31 bytes", request(4, url + field(6, bytes(31)))),
                ("sha256 of 33 bytes", request(4, url + field(6, bytes(33)))),
                ("progress of 2 bytes", request(4, url + sha256 + field(11, u16(1)))),
                ("url that is not UTF-8", request(4, field(4, b"http://\xff/") + sha256)),
                ("url with NUL", request(4, field(4, b"http://a\0b/") + sha256)),
                ("notify without message", request(5, field(10, u32(1)))),
                ("notify without count", request(5, field(8, b"a"))),
                ("count of 2 bytes", request(5, field(8, b"a") + field(10, u16(1)))),
                ("count of 8 bytes", request(5, field(8, b"a") + field(10, bytes(8))))):
            with self.subTest(name):
                self.refused(data, "malformed", connection=self.peer(self.host))

    def test_values_that_are_wrong(self):
        sha256 = field(6, bytes(32))
        for name, data in (
                ("url too long", request(4, field(4, b"http://a/" + b"u" * 2040) + sha256)),
                ("progress 2", request(4, field(4, b"http://a/") + sha256 + field(11, u8(2)))),
                ("message too long", request(5, field(8, b"m" * 4097) + field(10, u32(1))))):
            with self.subTest(name):
                self.answered(data, "invalid_argument")

    def test_error_names_the_request(self):
        guest = self.peer(self.host)
        guest.send(request(99, id=0x80000001))
        self.assertEqual(guest.answer().id, 0x80000001)

    def test_answers_come_in_order(self):
        guest = self.peer(self.host)
        guest.send(request(peer.GET_HOSTOS_VERSION, id=3) + request(99, id=2) +
                   request(peer.GET_VSOCK_VERSION, id=1))
        self.assertVersion(guest.last(3))
        self.assertError(guest.last(2), "unknown_command")
        self.assertEqual(guest.last(1).kind, 1)

    def test_last_answer_reaches_a_guest_that_still_writes(self):
        guest = self.peer(self.host)
        guest.send(frame(peer.REQUEST, id=9, length=60000) + b"x" * 60000)
        self.assertError(guest.answer(), "too_large")

    def test_a_thousand_requests_on_one_connection(self):
        guest = self.peer(self.host)
        for id in range(1, 1001):
            guest.send(request(peer.GET_VSOCK_VERSION, id=id))
            self.assertEqual(guest.last(id).value, (1, 0, 0))
