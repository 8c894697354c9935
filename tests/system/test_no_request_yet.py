# SPDX-License-Identifier: Apache-2.0
"""What the host has to say before it has a request, in the dialect of what has arrived."""
import signal
import socket
import struct

from vsocktest import peer
from vsocktest.case import SystemTest

JSON_1 = b'{"sender_cid":3,"message":"attach-hsm"}'
JSON_0 = b'{"sender_cid":"3","message":"attach-hsm"}'
TLV_0 = b"VSCK\x00\x09\x01\x00" + struct.pack(">H", 4) + b"\x01\x00\x01\x01"
FIRST = (JSON_1, JSON_0, TLV_0, peer.hello(), b"")
JSON_0_ERROR = b'{"message": "invalid request", "status": "error"}'


class NoRequestYetTest(SystemTest):
    def connect(self, daemon, data=b""):
        guest = socket.socket(socket.AF_UNIX)
        self.addCleanup(guest.close)
        guest.settimeout(20)
        guest.connect(daemon.socket_path)
        guest.sendall(data)
        return guest

    def heard(self, guest):
        """All that the host says until it closes."""
        data = b""
        while True:
            more = guest.recv(65536)
            if not more:
                return data
            data += more

    def assert_json_1(self, data, code):
        self.assertTrue(data.startswith(b'{"Err":"' + code + b": "), data)
        self.assertTrue(data.endswith(b'"}'), data)

    def assert_tlv_0(self, data, code):
        """Header of 10 bytes, type 3, and one field 1: `code: message`."""
        magic, major, minor, kind, reserved, length = struct.unpack(">4sBBBBH", data[:10])
        self.assertEqual((magic, major, minor, kind, reserved), (b"VSCK", 0, 9, 3, 0))
        self.assertEqual(length, len(data) - 10)
        tag, size = struct.unpack(">BH", data[10:13])
        self.assertEqual((tag, size), (1, length - 3))
        self.assertTrue(data[13:].startswith(code + b": "), data)

    def assert_tlv_1(self, data, code):
        header = peer.HEADER.unpack(data[:16])
        self.assertEqual((header[0], header[1], header[3]), (b"VSCK", 1, peer.ERROR))
        self.assertEqual(peer.CODES[struct.unpack(">H", data[20:22])[0]], code.decode())

    def assert_answers(self, guests, code):
        """Each guest of FIRST gets the error in its dialect; one that sent nothing, in TLV 1.0."""
        for guest, data in zip(guests, FIRST):
            heard = self.heard(guest)
            if data == JSON_0:
                self.assertEqual(heard, JSON_0_ERROR)
            elif data == JSON_1:
                self.assert_json_1(heard, code)
            elif data == TLV_0:
                self.assert_tlv_0(heard, code)
            else:
                self.assert_tlv_1(heard, code)

    def test_forbidden(self):
        daemon = self.daemon({"listen": {"allowed_cids": "4"}})
        self.assert_answers([self.connect(daemon, data) for data in FIRST[:-1]], b"forbidden")

    def test_timeout(self):
        daemon = self.daemon({"limits": {"first_frame_seconds": "0.5"}})
        guests = [self.connect(daemon, data[:-1]) for data in FIRST]
        self.assert_answers(guests, b"timeout")

    def test_busy_at_the_connection_limit(self):
        daemon = self.daemon({"limits": {"connections_per_cid": "1"}})
        held = self.peer(daemon)
        daemon.hold()  # so that the bytes are there when it accepts
        try:
            guests = [self.connect(daemon, data) for data in FIRST]
        finally:
            daemon.go_on()
        self.assert_answers(guests, b"busy")
        self.assertVersion(held.ask(peer.GET_HOSTOS_VERSION))

    def test_shutting_down(self):
        daemon = self.daemon()
        guests = [self.connect(daemon, data[:-1]) for data in FIRST]
        self.assertServes(daemon)  # by now the others have been accepted and read
        daemon.kick(signal.SIGTERM)
        self.assert_answers(guests, b"shutting_down")
        self.assertEqual(daemon.wait(), 0)
