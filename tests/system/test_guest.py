# SPDX-License-Identifier: Apache-2.0
"""vsock_guest answered: commands, three outputs, the flag form, errors of the host, words."""
import json
import re
import struct
import unittest

import fake_host
from fake_host import (BUSY, HOSTOS_VERSION, VSOCK_VERSION, answering, error, failing, field, frame,
                       replying, response, saying, welcome)
from guest_case import HASH, MIB, UPGRADE, URL, VERSION, GuestTest


class Answers(GuestTest):
    def test_commands_without_payload(self):
        host = self.host(answering())
        for command in ("attach-hsm", "detach-hsm", "start-upgrade-guest-vm"):
            self.assertEqual(self.guest(command), (0, "NoPayload\n", ""))
            self.assertEqual(host.requests[-1].command, command)
            self.assertEqual(host.requests[-1].fields, {})

    def test_hostos_version_in_three_outputs(self):
        self.host(VERSION)
        for output, expected in (("payload", "HostOSVersion(1.2.3)\n"), ("value", "1.2.3\n"),
                                 ("json", '{"HostOSVersion":"1.2.3"}\n')):
            self.assertEqual(self.guest("get-hostos-version", "-o", output), (0, expected, ""))
        self.assertEqual(self.guest("get-hostos-version"), (0, "HostOSVersion(1.2.3)\n", ""))

    def test_vsock_version_in_three_outputs(self):
        self.host(answering(VSOCK_VERSION, field(4, struct.pack(">III", 1, 0, 4294967295))))
        for output, expected in (
                ("payload", "HostOSVsockVersion(1.0.4294967295)\n"), ("value", "1.0.4294967295\n"),
                ("json", '{"HostOSVsockVersion":{"major":1,"minor":0,"patch":4294967295}}\n')):
            self.assertEqual(self.guest("get-vsock-version", "-o", output), (0, expected, ""))

    def test_no_payload_in_three_outputs(self):
        self.host(answering())
        for output, expected in (("payload", "NoPayload\n"), ("value", ""),
                                 ("json", '"NoPayload"\n')):
            self.assertEqual(self.guest("attach-hsm", "-o", output), (0, expected, ""))

    def test_upgrade_status_in_three_outputs(self):
        def script(connection):
            connection.greet()
            connection.status(connection.request(), "downloading", MIB, 256 * MIB,
                              sha256=bytes.fromhex(HASH), detail=b"half\nway", changed=1763800000)
        self.host(script)
        self.assertEqual(self.guest("get-upgrade-status"), (
            0, "UpgradeStatus(downloading, 1048576/268435456, %s, ok, half\\x0away)\n" % HASH, ""))
        self.assertEqual(self.guest("get-upgrade-status", "-o", "value"), (0, "downloading\n", ""))
        status, out, trouble = self.guest("get-upgrade-status", "-o", "json")
        self.assertEqual((status, trouble), (0, ""))
        self.assertEqual(json.loads(out), {"UpgradeStatus": {
            "phase": "downloading", "done": MIB, "total": 256 * MIB, "sha256": HASH,
            "result": "ok", "detail": "half\nway", "changed": 1763800000}})

    def test_json_of_a_status_that_this_release_does_not_know(self):
        def script(connection):
            connection.greet()
            connection.status(connection.request(), 99, 2 ** 64 - 1, 0, result=77,
                              detail="\x7f\u009b\u202e\"\\".encode())
        self.host(script)
        status, out, _ = self.guest("get-upgrade-status", "-o", "json")
        self.assertEqual(status, 0)
        self.assertTrue(all(0x20 <= ord(byte) < 0x7f for byte in out[:-1]), out)
        self.assertEqual(json.loads(out), {"UpgradeStatus": {
            "phase": "99", "done": 2 ** 63 - 1, "total": 0, "sha256": None, "result": "77",
            "detail": "\x7f\u009b\u202e\"\\", "changed": None}})

    def test_version_of_the_host_is_escaped(self):
        self.host(answering(HOSTOS_VERSION, field(6, "1\x1b[2J\n\u202e".encode())))
        self.assertEqual(self.guest("get-hostos-version", "-o", "value"),
                         (0, "1\\x1b[2J\\x0a\\xe2\\x80\\xae\n", ""))

    def test_notify_carries_its_message_and_count(self):
        host = self.host(answering())
        self.assertEqual(self.guest("notify", "two\nlines \u00e9", "--count", "3")[0], 0)
        self.assertEqual(host.requests[0].fields,
                         {8: "two\nlines \u00e9".encode(), 10: struct.pack(">I", 3)})
        self.assertEqual(self.guest("notify", "once")[0], 0)
        self.assertEqual(host.requests[1].fields[10], struct.pack(">I", 1))

    def test_notify_reads_stdin(self):
        host = self.host(answering())
        self.assertEqual(self.guest("notify", "-", stdin=b"from\nstdin\n")[0], 0)
        self.assertEqual(host.requests[0].fields[8], b"from\nstdin\n")
        self.assertEqual(self.guest("notify", "-", stdin=b"")[0], 0)
        self.assertEqual(host.requests[1].fields[8], b"")
        self.assertEqual(self.guest("notify", "-", stdin=b"a" * 4096)[0], 0)
        self.assertEqual(len(host.requests[2].fields[8]), 4096)

    def test_notify_refuses_stdin_before_connecting(self):
        host = self.host(answering())
        self.assert_error(self.guest("notify", "-", stdin=b"a" * 4097), 2,
                          "usage: stdin: .* 4096 bytes")
        self.assert_error(self.guest("notify", "-", stdin=b"a" * 100000), 2, "4096 bytes")
        self.assert_error(self.guest("notify", "-", stdin=b"\xff"), 2, "usage: stdin: .*UTF-8")
        self.assert_error(self.guest("notify", "-", stdin=b"a\0b"), 2, "NUL")
        self.assertEqual(host.connections, 0)

    def test_upgrade_carries_url_and_hash(self):
        host = self.host(answering())
        self.assertEqual(self.guest("upgrade", "--url", URL, "--hash", HASH.upper()),
                         (0, "NoPayload\n", ""))
        self.assertEqual(host.requests[0].fields, {4: URL.encode(), 6: bytes.fromhex(HASH)})

    def test_answer_in_single_bytes(self):
        def script(connection):
            connection.hello()
            for byte in welcome():
                connection.send(bytes([byte]))
            request = connection.request()
            for byte in response(request.id, HOSTOS_VERSION, field(6, b"1.2.3")):
                connection.send(bytes([byte]))
        self.host(script)
        self.assertEqual(self.guest("get-hostos-version", "-o", "value"), (0, "1.2.3\n", ""))

    def test_odd_fields_are_skipped(self):
        def script(connection):
            connection.hello()
            connection.send(frame(fake_host.WELCOME,
                                  field(1, b"?") + field(2, b"\1\0") + field(9, b"new")))
            connection.answer(connection.request(), fields=field(99, b"newer"))
        self.host(script)
        self.assertEqual(self.guest("attach-hsm"), (0, "NoPayload\n", ""))

    def test_largest_answer(self):
        text = b"a" * (65536 - 2 * 4 - 2)
        self.host(answering(HOSTOS_VERSION, field(6, text)))
        self.assertEqual(self.guest("get-hostos-version", "-o", "value"),
                         (0, text.decode() + "\n", ""))


class FlagForm(GuestTest):
    def test_commands(self):
        host = self.host(answering())
        for flag in ("--attach-hsm", "--detach-hsm"):
            self.assertEqual(self.guest(flag, "--port", "19090"), (0, "", ""))
            self.assertEqual("--" + host.requests[-1].command, flag)

    def test_version_is_a_bare_value(self):
        self.host(VERSION)
        self.assertEqual(self.guest("--get-hostos-version"), (0, "1.2.3\n", ""))
        self.assertEqual(self.guest("--get-hostos-version", "--output", "payload"),
                         (0, "HostOSVersion(1.2.3)\n", ""))

    def test_upgrade(self):
        host = self.host(answering())
        self.assertEqual(self.guest("--port", "1", "--hash", HASH, "--upgrade", URL), (0, "", ""))
        self.assertEqual(host.requests[0].fields, {4: URL.encode(), 6: bytes.fromhex(HASH)})

    def test_the_word_after_notify_is_the_message(self):
        host = self.host(answering())
        for message in ("--help", "-", "--", "-v", "", "--count", "a b"):
            self.assertEqual(self.guest("--notify", message, "--count", "2"), (0, "", ""))
            self.assertEqual(host.requests[-1].fields,
                             {8: message.encode(), 10: struct.pack(">I", 2)})


class HostErrors(GuestTest):
    def test_error_of_the_command(self):
        self.host(failing(10, b"no HSM is plugged in"))
        self.assertEqual(self.guest("attach-hsm"),
                         (1, "", "error: unavailable: no HSM is plugged in\n"))

    def test_unknown_code_is_a_number(self):
        self.host(failing(4711, b"news"))
        self.assertEqual(self.guest("attach-hsm"), (1, "", "error: 4711: news\n"))

    def test_message_is_escaped_into_one_line(self):
        self.host(failing(17, "a\nb\x1b]0;\u2028\u202e".encode()))
        self.assertEqual(self.guest("attach-hsm"), (
            1, "", "error: internal: a\\x0ab\\x1b]0;\\xe2\\x80\\xa8\\xe2\\x80\\xae\n"))

    def test_error_without_a_message(self):
        self.host(failing(17))
        self.assert_error(self.guest("attach-hsm"), 1, "error: internal: .")

    def test_error_about_the_connection(self):
        self.host(replying(lambda request: error(9, b"too slow")))
        self.assertEqual(self.guest("attach-hsm"), (1, "", "error: timeout: too slow\n"))

    def test_error_in_place_of_welcome(self):
        host = self.host(saying(error(6, b"CID 4 is not served")))
        self.assertEqual(self.guest("attach-hsm"),
                         (1, "", "error: forbidden: CID 4 is not served\n"))
        self.assertEqual((host.connections, host.requests), (1, []))

    def test_huge_message_is_cut(self):
        self.host(failing(17, b"\x01" * 60000))
        status, out, trouble = self.guest("attach-hsm")
        self.assertEqual((status, out), (1, ""))
        self.assertLess(len(trouble), 8192)

    def test_busy_is_no_reason_to_ask_again_for_a_change(self):
        host = self.host(failing(BUSY, b"another upgrade is downloading"))
        self.assertEqual(self.guest(*UPGRADE),
                         (1, "", "error: busy: another upgrade is downloading\n"))
        self.assertEqual((host.connections, len(host.requests)), (1, 1))


class TooLong(GuestTest):
    def test_for_this_host(self):
        def script(connection):
            connection.greet(limit=100)
            connection.hold()
        self.host(script)
        self.assert_error(self.guest("notify", "a" * 200), 2, "error: usage: .*at most 100 bytes")

    def test_before_connecting(self):
        host = self.host(answering())
        self.assert_error(self.guest("notify", "a" * 4097), 2, "usage: .*4096 bytes")
        self.assert_error(self.guest("notify", b"\xff"), 2, "usage: .*UTF-8")
        self.assert_error(self.guest("upgrade", "--hash", HASH, "--url", "a" * 2049), 2, "2048")
        self.assert_error(self.guest("upgrade", "--url", URL, "--hash", "ab"), 2, "64 hex digits")
        self.assertEqual(host.connections, 0)


class Words(GuestTest):
    def test_verbose_comes_before_the_error(self):
        self.host(failing(10, b"no HSM"))
        status, _, trouble = self.guest("-v", "attach-hsm")
        lines = trouble.splitlines()
        self.assertEqual((status, lines[-1]), (1, "error: unavailable: no HSM"))
        self.assertTrue(all(re.match(r"\d+\.\d{3} s: ", line) for line in lines[:-1]), lines)
        self.assertIn("tlv-1", trouble)
        self.assertIn("fake_host/1", trouble)

    def test_the_agent_of_the_host_is_escaped(self):
        def script(connection):
            connection.greet(agent=b"\x1b[2J")
            connection.answer(connection.request())
        self.host(script)
        self.assertIn("\\x1b[2J", self.guest("-v", "attach-hsm")[2])

    def test_help_is_one_screen(self):
        status, out, trouble = self.guest("--help")
        self.assertEqual((status, trouble), (0, ""))
        lines = out.splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(len(line) for line in lines), 80)
        self.assertEqual(self.guest("-h")[1], out)
        self.assertEqual(self.guest("help")[1], out)

    def test_help_of_every_command(self):
        for command in list(fake_host.COMMANDS.values()) + ["decode", "help"]:
            status, out, trouble = self.guest("help", command)
            self.assertEqual((status, trouble), (0, ""))
            self.assertIn("usage: vsock_guest [OPTIONS] " + command, out)
            self.assertIn("examples:", out)
            self.assertIn("7  done, but stdout could not be written", out)
            self.assertEqual(self.guest(command, "--help")[1], out)

    def test_version(self):
        self.assertEqual(self.guest("--version"), (0, "vsock_guest 1.0.0\n", ""))

    def test_usage_errors_are_one_escaped_line(self):
        self.assert_error(self.guest("at\ntach\x1b"), 2, r"at\\x0atach\\x1b")
        self.assert_error(self.guest("atach-hsm"), 2, "did you mean attach-hsm")
        self.assert_error(self.guest(), 2, "no command")

    def test_addresses(self):
        self.assert_error(self.guest("attach-hsm", environment={"VSOCK_HOST_ADDRESS": "tcp:1"}), 2,
                          "VSOCK_HOST_ADDRESS 'tcp:1'")
        self.assert_error(self.guest("attach-hsm", "-a", "unix:" + self.socket_path, "-p", "1"), 2,
                          "--port")


if __name__ == "__main__":
    unittest.main()
