# SPDX-License-Identifier: Apache-2.0
"""vsock_host-hsm by itself: its command line, its one line, its limit; libvirt is its test driver, a
socket that nobody listens on, or one that never answers."""
import os
import re
import signal
import socket
import subprocess
import unittest

from vsocktest import PATIENCE, program
from vsocktest.case import SystemTest

NODE = """<node>
<domain type='test'><name>guestos</name><memory>1024</memory><os><type>hvm</type></os>
<devices><vsock model='virtio'><cid auto='no' address='3'/></vsock>
<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x20a0'/><product id='0xfffe'/>
<address bus='99' device='98'/></source></hostdev></devices></domain>
<domain type='test'><name>empty</name><memory>1024</memory><os><type>hvm</type></os></domain>
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>off</name>
<memory>1024</memory><os><type>hvm</type></os><test:runstate>5</test:runstate></domain>
</node>
"""


class HsmProgramTest(SystemTest):
    def configure(self, uri, domain="guestos", seconds="20"):
        """A token that no machine has: the host's own must not be found."""
        return self.write("hsm.conf", "[hsm]\nuri = %s\ndomain = %s\nproduct = 0xfffe\n"
                          "timeout_seconds = %s\n" % (uri, domain, seconds))

    def run_it(self, *arguments, **more):
        done = subprocess.run([program("vsock_host-hsm"), *arguments], capture_output=True,
                              timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL, **more)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def assertTold(self, line, *arguments, status=1):
        """One line on stdout that is matched by `line`, and nothing on stderr."""
        told, out, err = self.run_it(*arguments)
        self.assertEqual((told, err), (status, ""), out)
        self.assertEqual(out.count("\n"), 1, out)
        self.assertLessEqual(len(out.encode()), 1024)
        self.assertRegex(out, "^" + line + "\n$")

    def on_test_driver(self, domain, *arguments, line, status=1):
        node = self.write("node.xml", NODE)
        config = self.configure("test://" + node, domain)
        self.assertTold(line, "--config", config, *arguments, status=status)

    def test_usage(self):
        for arguments, word in (((), "0 arguments"), (("attach",), "1 arguments"),
                                (("attach", "3", "4"), "3 arguments"), (("eject", "3"), "eject"),
                                (("attach", "x"), "not a CID"), (("attach", "-1"), "-1"),
                                (("detach", "4294967295"), "to 4294967294"),
                                (("attach", ""), "not a CID"), (("--config",), "needs a value"),
                                (("-x", "attach", "3"), "-x"), (("at\x1btach", "3"), "\\x1b")):
            with self.subTest(arguments):
                status, out, err = self.run_it(*arguments)
                self.assertEqual((status, out), (2, ""), err)
                self.assertIn(word, err)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertTrue(err.startswith("vsock_host-hsm: "), err)

    def test_help_and_version(self):
        for option in ("-h", "--help"):
            status, out, err = self.run_it(option)
            self.assertEqual((status, err), (0, ""))
            self.assertIn("attach|detach CID", out)
        for option in ("-V", "--version"):
            status, out, err = self.run_it(option)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"^vsock_host-hsm \d+\.\d+\.\d+\n$")

    def test_configuration(self):
        self.assertTold("internal: .*cannot be opened: .*", "--config", self.path("none"),
                        "attach", "3")
        for value, good in (("0.999", False), ("1", True), ("600", True), ("600.001", False)):
            config = self.configure("test://" + self.write("node.xml", NODE), "empty", value)
            with self.subTest(value):
                status, out, err = self.run_it("--config", config, "detach", "3")
                self.assertEqual(err, "")
                # On a busy machine the shortest limit ends it: the value was taken nonetheless.
                self.assertRegex(out, r"\A(done: .*|timeout: .*within 1 s.*)\n\Z" if good else
                                 r"\Ainternal: .*timeout_seconds.*\n\Z")
                self.assertEqual(status, 0 if out.startswith("done") else 1)

    def test_highest_cid(self):
        self.on_test_driver("by-cid", "detach", "4294967294", line="unavailable: no running domain.*")
        self.on_test_driver("by-cid", "detach", "0", line="unavailable: no running domain.*")

    def test_domains(self):
        for verb in ("attach", "detach"):
            self.on_test_driver("none", verb, "3", line="unavailable: the domain none does not exist")
            self.on_test_driver("off", verb, "3", line="unavailable: the domain off is not running")
            self.on_test_driver("by-cid", verb, "4",
                                line="unavailable: no running domain has the CID 4")

    def test_no_token(self):
        for domain in ("guestos", "empty", "by-cid"):
            self.on_test_driver(domain, "attach", "3",
                                line="unavailable: no USB token 20a0:fffe is plugged in")

    def test_none_to_detach(self):
        self.on_test_driver("empty", "detach", "3", line="done: empty has no HSM", status=0)

    def test_detach_goes_by_the_domain(self):
        """The token is not there, and the domain holds it: libvirt is asked. Its test driver cannot."""
        for domain in ("guestos", "by-cid"):
            self.on_test_driver(domain, "detach", "3",
                                line="internal: detaching the HSM: .*virDomainDetachDeviceFlags")

    def test_unreachable(self):
        for verb in ("attach", "detach"):
            config = self.configure("qemu+unix:///system?socket=/nonexistent")
            self.assertTold("unavailable: libvirt cannot be reached: .*/nonexistent.*",
                            "--config", config, verb, "3")

    def silent(self):
        """A libvirt that takes connections and never answers."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path("silent"))
        listener.listen(8)
        return listener, "qemu+unix:///system?socket=" + self.path("silent")

    def test_limit(self):
        _, uri = self.silent()
        for verb in ("attach", "detach"):
            config = self.configure(uri, seconds="1.5")
            self.assertTold(r"timeout: libvirt did not accept the connection within 1\.5 s \(%s\)"
                            % re.escape(uri), "--config", config, verb, "3")

    def test_limit_of_a_program_with_its_signals_blocked(self):
        _, uri = self.silent()
        signals = {signal.SIGALRM, signal.SIGTERM}
        status, out, err = self.run_it(
            "--config", self.configure(uri, seconds="1"), "attach", "3",
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signals))
        self.assertEqual((status, err), (1, ""))
        self.assertRegex(out, "^timeout: [^\n]*\n$")

    def test_limit_that_cannot_be_told(self):
        """Its exit status is that of every result that is no success."""
        _, uri = self.silent()
        config = self.configure(uri, seconds="1")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([program("vsock_host-hsm"), "--config", config, "attach", "3"],
                                  stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                  timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, b""))

    def test_sigterm_ends_it(self):
        listener, uri = self.silent()
        child = subprocess.Popen(
            [program("vsock_host-hsm"), "--config", self.configure(uri, seconds="60"), "attach", "3"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            listener.settimeout(PATIENCE)
            connection, _ = listener.accept()
            self.addCleanup(connection.close)
            child.send_signal(signal.SIGTERM)
            out, err = child.communicate(timeout=PATIENCE)
        finally:
            if child.poll() is None:
                child.kill()
        self.assertEqual((child.returncode, out, err), (-signal.SIGTERM, b"", b""))

    def test_escaped(self):
        self.assertTold(r"internal: /tmp/(\\x1b)+: cannot be .*", "--config",
                        "/tmp/" + "\x1b" * 3000, "attach", "3")

    def test_closed_standard_descriptors(self):
        config = self.configure("qemu+unix:///system?socket=/nonexistent")
        status = subprocess.run([program("vsock_host-hsm"), "--config", config, "attach", "3"],
                                preexec_fn=lambda: os.closerange(0, 3), timeout=PATIENCE,
                                check=False).returncode
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
