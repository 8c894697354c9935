# SPDX-License-Identifier: Apache-2.0
"""Runs shell scripts in the HostOS for the test outside. A line in: {"id", "script", "seconds"};
a line out: {"id", "status", "out", "err"}. Requests run side by side; status is null when one took
longer than its seconds. The first line out names the boot."""
import json
import os
import subprocess
import sys
import threading


def main(path):
    fd = os.open(path, os.O_RDWR)
    lock = threading.Lock()

    def tell(message):
        data = json.dumps(message).encode() + b"\n"
        with lock:
            while data:
                data = data[os.write(fd, data):]

    def serve(request):
        try:
            done = subprocess.run(["/bin/bash", "-c", request["script"]], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=request["seconds"])
            status, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            status, out, err = None, late.stdout or b"", late.stderr or b""
        tell({"id": request["id"], "status": status, "out": out.decode(errors="replace"),
              "err": err.decode(errors="replace")})

    with open("/proc/sys/kernel/random/boot_id") as file:
        tell({"boot": file.read().strip()})
    pending = b""
    while True:
        data = os.read(fd, 65536)
        if not data:
            threading.Event().wait(0.2)  # nobody is connected to the other end
            continue
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
