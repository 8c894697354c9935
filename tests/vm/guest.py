# SPDX-License-Identifier: Apache-2.0
"""usage: guest.py CID SECONDS KIND NAME [ARGUMENT...]: asks the agent of a GuestOS (guest_agent.c has
the protocol); "put" takes one argument, the file to send. Its output and exit status are those of the
guest; 250: no answer, 251: what runs in the background has not ended."""
import fcntl
import os
import socket
import sys
import time

NO_ANSWER, NOT_ENDED = 250, 251


class Silent(Exception):
    pass


class Port:
    def __init__(self, path, seconds):
        self._deadline = time.monotonic() + seconds
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._pending = b""

    def send(self, data):
        self._socket.settimeout(max(0.1, self._deadline - time.monotonic()))
        self._socket.sendall(data)

    def _more(self):
        self._socket.settimeout(max(0.1, self._deadline - time.monotonic()))
        try:
            data = self._socket.recv(65536)
        except socket.timeout:
            data = b""
        if not data:
            raise Silent
        self._pending += data

    def line(self):
        while b"\n" not in self._pending:
            self._more()
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()

    def take(self, length):
        while len(self._pending) < length:
            self._more()
        data, self._pending = self._pending[:length], self._pending[length:]
        return data


def ask(port, kind, name, arguments):
    if kind == "put":
        with open(arguments[0], "rb") as file:
            body = file.read()
    else:
        body = b"".join(argument.encode() + b"\0" for argument in arguments)
    wanted = "%d-%d" % (os.getpid(), time.monotonic_ns())
    port.send(("%s %s %s %d\n" % (wanted, kind, name, len(body))).encode() + body)
    while True:
        answered, status, out, err = port.line().split(" ")
        out, err = port.take(int(out)), port.take(int(err))
        if answered == wanted:  # not the late answer to one who has given up
            sys.stdout.buffer.write(out)
            sys.stderr.buffer.write(err)
            return int(status) if int(status) >= 0 else NOT_ENDED


def main(cid, seconds, kind, name, *arguments):
    with open("/run/guest-%s.lock" % cid, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return ask(Port("/var/lib/libvirt/qemu/guest-%s.sock" % cid, float(seconds)),
                       kind, name, arguments)
        except Silent:
            print("the guest did not answer", file=sys.stderr)
            return NO_ANSWER


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
