# SPDX-License-Identifier: Apache-2.0
"""vsock_guest and hosts of the JSON generations: its CID, its notes, its limits, its steps."""
import socket
import unittest

from fake_host import FakeHost
from guest_case import HASH, LIMIT, UPGRADE, GuestTest

ACCEPTED = b'{"message": "accepted request", "status": "ok"}'
INVALID = b'{"message": "invalid request", "status": "error"}'
NO_PAYLOAD = b'{"Ok":"NoPayload"}'
GENERATION = b'{"Ok":{"HostOSVsockVersion":{"major":1,"minor":2,"patch":3}}}'
NOT_JSON = b'{"Err":"expected value at line 1 column 1"}'
NOTE = "note: this host does not report the end of an upgrade: it has only accepted the request\n"


class Json(GuestTest):
    def json_host(self, *answers):
        """Each connection is answered once; a request in JSON with its end, HELLO without."""
        self.asked = []

        def script(answer):
            def run(connection):
                heard = connection.sock.recv(65536)
                if heard[:1] == b"{":
                    self.assertEqual(connection.sock.recv(65536), b"")  # half closed
                self.asked.append(heard)
                connection.send(answer)
            return run
        return self.host(*[script(answer) for answer in answers])

    def fixed(self, protocol, *arguments, **more):
        return self.guest("--protocol", protocol, *arguments, *LIMIT, **more)


class Cid(Json):
    def test_three_unless_the_environment_says_another(self):
        for environment, cid in (({}, b"3"), ({"VSOCK_LOCAL_CID": "42"}, b"42")):
            for protocol, quoted, answer in (("json-1", cid, NO_PAYLOAD),
                                             ("json-0", b'"' + cid + b'"', ACCEPTED)):
                host = self.json_host(answer)
                self.assertEqual(self.fixed(protocol, "attach-hsm", environment=environment),
                                 (0, "NoPayload\n", ""))
                self.assertEqual(self.asked, [b'{"sender_cid":%s,"message":"attach-hsm"}' % quoted])
                host.close()

    def test_one_that_is_none(self):
        for value in ("", "x", "4294967295"):
            result = self.guest("attach-hsm", environment={"VSOCK_LOCAL_CID": value})
            self.assert_error(result, 2, "error: usage: VSOCK_LOCAL_CID is '%s'; expected" % value)


class Older(Json):
    def test_the_end_of_an_upgrade_is_not_told(self):
        self.json_host(INVALID, INVALID, ACCEPTED)
        self.assertEqual(self.guest(*UPGRADE, *LIMIT), (0, "NoPayload\n", NOTE))
        self.assertIn(b'"upgrade[http://mirror.example/img %s]"' % HASH.encode(), self.asked[2])

    def test_the_note_is_not_for_the_quiet(self):
        self.json_host(ACCEPTED)
        self.assertEqual(self.fixed("json-0", "-q", *UPGRADE), (0, "NoPayload\n", ""))

    def test_a_refusal(self):
        self.json_host(INVALID)
        self.assertEqual(self.fixed("json-0", *UPGRADE),
                         (1, "", "error: invalid_argument: invalid request\n"))


class Newer(Json):
    def test_errors_are_told_with_their_code(self):
        for said, told in ((b"busy: later", "busy: later"), (b"No.", "internal: No.")):
            host = self.json_host(b'{"Err":"%s"}' % said)
            self.assertEqual(self.fixed("json-1", "attach-hsm"), (1, "", "error: %s\n" % told))
            host.close()

    def test_each_step_is_shown(self):
        self.json_host(NOT_JSON, GENERATION, NO_PAYLOAD)
        status, out, trouble = self.guest("-v", "attach-hsm", *LIMIT)
        self.assertEqual((status, out), (0, "NoPayload\n"), trouble)
        steps = (r"connected", r'answer to HELLO: received 43 bytes, "\{"Err":"expected value at '
                 r'line 1 column 1"\}"', r"asking GetVsockProtocol in JSON, on a second connection",
                 r"connected", r'answer to GetVsockProtocol: received 61 bytes, "\{"Ok":.*"\.\.\.',
                 r"connected", r"dialect json-1 \(JSON, newer generation\), host unnamed",
                 r"sent attach-hsm")
        lines = [line for line in trouble.splitlines()[1:] if "the end" not in line]
        self.assertEqual(len(lines), len(steps), trouble)
        for line, step in zip(lines, steps):
            self.assertRegex(line, r"\A\d+\.\d{3} s: %s\Z" % step)

    def test_a_request_of_4096_bytes_and_one_more(self):
        around = len(b'{"sender_cid":3,"message":{"notify":{"count":1,"message":""}}}')
        host = self.json_host(NO_PAYLOAD)
        self.assertEqual(self.fixed("json-1", "notify", "m" * (4096 - around)),
                         (0, "NoPayload\n", ""))
        self.assertEqual(len(self.asked[0]), 4096)
        host.close()
        silent = FakeHost(self.socket_path, lambda connection: connection.hold())
        self.assert_error(self.fixed("json-1", "notify", "m" * (4097 - around)), 2,
                          "error: usage: the request is too long for json-1")
        silent.close()
        self.assertEqual(silent.received, b"")

    def test_an_answer_in_pieces(self):
        def pieces(connection):
            connection.read(1)
            for byte in NO_PAYLOAD:
                connection.send(bytes((byte,)))
            connection.hold()  # the answer is whole without the end
        self.host(pieces)
        self.assertEqual(self.fixed("json-1", "attach-hsm"), (0, "NoPayload\n", ""))

    def test_an_answer_that_ends_early(self):
        self.json_host(NO_PAYLOAD[:-1])
        self.assert_error(self.fixed("json-1", "attach-hsm"), 6,
                          r'error: broken: the stream ended inside the answer, after 17 bytes; '
                          r'received "\{"Ok":"NoPayload""; the HSM may have been attached')

    def test_a_reset_after_the_request(self):
        def reset(connection):
            connection.sock.recv(1, socket.MSG_PEEK)
        self.host(reset)
        self.assert_error(self.fixed("json-1", "attach-hsm"), 6, "error: broken: ")


if __name__ == "__main__":
    unittest.main()
