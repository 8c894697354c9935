# SPDX-License-Identifier: Apache-2.0
"""usage: guest.py CID SECONDS SCRIPT [FILE]: runs a script in a GuestOS, as its init does it: a line
with an id and the script in base64 goes in; id, status, stdout and stderr come back. One after the
other. FILE follows the line, for a script that reads descriptor 3."""
import base64
import fcntl
import os
import socket
import sys
import time


def main(cid, seconds, script, follows=None):
    deadline = time.monotonic() + float(seconds)
    with open("/run/guest-%s.lock" % cid, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.connect("/var/lib/libvirt/qemu/guest-%s.sock" % cid)
        wanted = "%d-%d" % (os.getpid(), time.monotonic_ns())
        line = "%s %s\n" % (wanted, base64.b64encode(script.encode()).decode())
        channel.sendall(line.encode())
        if follows:
            with open(follows, "rb") as file:
                channel.sendall(file.read())
        pending = b""
        while True:
            channel.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                data = channel.recv(65536)
            except socket.timeout:
                data = b""
            if not data:
                print("the guest did not answer", file=sys.stderr)
                return 250
            *lines, pending = (pending + data).split(b"\n")
            for answer in lines:
                words = answer.decode().split(" ")
                if words[0] == wanted:
                    sys.stdout.buffer.write(base64.b64decode(words[2]))
                    sys.stderr.buffer.write(base64.b64decode(words[3]))
                    return int(words[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
