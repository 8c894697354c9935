# SPDX-License-Identifier: Apache-2.0
"""Runs shell scripts in the HostOS for the test outside. A line in: {"boot", "id", "script",
"seconds"}; a line out: {"id", "status", "out", "err"}. Requests run side by side; status is null when
one took longer than its seconds. The first line out names the boot. A request that comes again is run
once, and answered again; one for another boot is not run."""
import json
import os
import subprocess
import sys
import threading


def main(path):
    fd = os.open(path, os.O_RDWR)
    lock = threading.Lock()
    answers = {}  # by id; None: it is being run

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
        answers[request["id"]] = {"id": request["id"], "status": status,
                                  "out": out.decode(errors="replace"),
                                  "err": err.decode(errors="replace")}
        tell(answers[request["id"]])

    def take(line):
        try:
            request = json.loads(line)
        except ValueError:
            return  # it will come again
        if request["boot"] != boot:
            return
        if request["id"] not in answers:
            answers[request["id"]] = None
            threading.Thread(target=serve, args=(request,), daemon=True).start()
        elif answers[request["id"]]:
            tell(answers[request["id"]])

    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    tell({"boot": boot})
    pending = b""
    while True:
        data = os.read(fd, 65536)
        if not data:
            threading.Event().wait(0.2)  # nobody is connected to the other end
            continue
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            take(line)


if __name__ == "__main__":
    main(sys.argv[1])
