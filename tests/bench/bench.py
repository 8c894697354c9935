#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures vsock_host and vsock_guest beside the simplest thing that does the same.

    bench.py [--rounds N] [--seconds S] [--image-mib N] [--only requests,watch,memory,ready,guest,upgrade]

Everything is measured side by side in one run: rounds of ours and of the other take turns, and the
medians and the medians of the ratios round by round are printed. Nothing is judged here.
VSOCK_BIN_DIR is the folder of the built programs (default build/release/bin).
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("VSOCK_BIN_DIR", TOP / "build/release/bin")).resolve()
START_LIMIT = 20
WATCHDOG_USEC = 30 * 1000 * 1000  # WatchdogSec= of packaging/systemd/vsock_host.service.in
HELLO = bytes.fromhex("5653434b 0100 0001 00000000 00000006 0002 0002 0100")


def median(values):
    return statistics.median(values)


class Folder:
    """A temporary folder with a configuration for vsock_host."""

    def __init__(self, image_mib=0):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="vsock-bench-"))
        self.socket = self.path / "host.sock"
        (self.path / "version.txt").write_text("1.2.3\n")
        (self.path / "console").touch()
        self.started = self.path / "install-started"
        program = self.path / "install"
        program.write_text(f"#!/bin/sh\ndate +%s.%N > {self.started}.new\n"
                           f"mv {self.started}.new {self.started}\nexit 1\n")
        program.chmod(0o755)
        self.conf = self.path / "vsock_host.conf"
        self.conf.write_text(f"""
[listen]
address = unix:{self.socket}
[limits]
connections = 512
connections_per_cid = 512
queue = 512
[console]
devices = {self.path}/console
[version]
file = {self.path}/version.txt
[steps]
install_program = {program}
[upgrade]
directory = {self.path}/upgrade
refused_addresses = link-local multicast unspecified
keep_free = 0
[install]
directory = {self.path}/install-state
""")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Host:
    """vsock_host, ready. `ready_seconds` is the time from its start to READY=1. `watchdog_usec`: the
    interval of systemd's watchdog; without it no thread says what it does and until when."""

    def __init__(self, folder, watchdog_usec=None):
        watchdog = {} if watchdog_usec is None else {"WATCHDOG_USEC": str(watchdog_usec)}
        notify = folder.path / "notify.sock"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.bind(str(notify))
            bell.settimeout(START_LIMIT)
            start = time.monotonic()
            self.process = subprocess.Popen(
                [BIN / "vsock_host", "--config", folder.conf, "--log", "stderr"],
                env={"NOTIFY_SOCKET": str(notify), "PATH": os.environ["PATH"], **watchdog},
                stderr=open(folder.path / "log", "ab"))
            while b"READY=1" not in bell.recv(65536):
                pass
            self.ready_seconds = time.monotonic() - start

    @property
    def pid(self):
        return self.process.pid

    def memory(self):
        fields = {}
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("RssAnon", "VmRSS"):
                fields[name] = int(value.split()[0])
        return fields

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=START_LIMIT)


class Simplest:
    def __init__(self, folder):
        self.socket = folder.path / "simplest.sock"
        self.process = subprocess.Popen([BIN / "bench_simplest_server", self.socket])
        end = time.monotonic() + START_LIMIT
        while not self.socket.exists() and time.monotonic() < end:
            time.sleep(0.01)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=START_LIMIT)


def load(path, pid, clients, seconds, mode):
    done = subprocess.run([BIN / "bench_load", path, str(pid), str(clients), str(seconds), mode],
                          check=True, capture_output=True, text=True, timeout=120)
    figures = json.loads(done.stdout)
    if figures["failures"]:
        sys.exit(f"bench: {figures['failures']} failed requests at {path}")
    figures["rate"] = figures["requests"] / figures["seconds"]
    figures["cpu_us"] = figures["cpu"] / figures["requests"] * 1e6
    return figures


def requests(options):
    folder = Folder()
    host = Host(folder)
    simplest = Simplest(folder)
    kinds = {
        "simplest, once": (simplest.socket, simplest.pid, "once"),
        "vsock_host, once": (folder.socket, host.pid, "once"),
        "vsock_host, kept": (folder.socket, host.pid, "kept"),
    }
    print("\nget-hostos-version over a Unix socket "
          f"({options.rounds} rounds of {options.seconds} s, taking turns)")
    print(f"{'clients':>7}  {'server':18} {'req/s':>9} {'p99 us':>8} {'CPU us/req':>10} {'of simplest':>11}")
    for clients in (1, 8, 64):
        rounds = [{name: load(path, pid, clients, options.seconds, mode)
                   for name, (path, pid, mode) in kinds.items()} for _ in range(options.rounds)]
        for name in kinds:
            ratio = median([r[name]["rate"] / r["simplest, once"]["rate"] for r in rounds])
            print(f"{clients:7}  {name:18} {median([r[name]['rate'] for r in rounds]):9.0f} "
                  f"{median([r[name]['p99_us'] for r in rounds]):8.0f} "
                  f"{median([r[name]['cpu_us'] for r in rounds]):10.1f} {ratio:11.2f}")
    simplest.stop()
    host.stop()
    folder.remove()


def watch(options):
    """Two daemons, one with the packaged unit's WatchdogSec=, asked in turns."""
    folders = {"off": Folder(), "on": Folder()}
    hosts = {"off": Host(folders["off"]), "on": Host(folders["on"], WATCHDOG_USEC)}
    print("\nget-hostos-version on kept connections, with the watchdog off and on "
          f"({options.rounds} rounds of {options.seconds} s, taking turns)")
    print(f"{'clients':>7} {'off req/s':>10} {'on req/s':>9} {'on/off':>6} {'CPU on/off':>10}")
    for clients in (1, 8, 64):
        rounds = [{name: load(folders[name].socket, hosts[name].pid, clients, options.seconds, "kept")
                   for name in (("off", "on") if number % 2 == 0 else ("on", "off"))}
                  for number in range(options.rounds)]
        off, on = ([r[name] for r in rounds] for name in ("off", "on"))
        rate = median([b["rate"] / a["rate"] for a, b in zip(off, on)])
        cpu = median([b["cpu_us"] / a["cpu_us"] for a, b in zip(off, on)])
        print(f"{clients:7} {median([r['rate'] for r in off]):10.0f} "
              f"{median([r['rate'] for r in on]):9.0f} {rate:6.2f} {cpu:10.2f}")
    for name, host in hosts.items():
        host.stop()
        folders[name].remove()


def greeted(path):
    guest = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    guest.settimeout(START_LIMIT)
    guest.connect(str(path))
    guest.sendall(HELLO)
    header = guest.recv(16, socket.MSG_WAITALL)
    guest.recv(struct.unpack(">I", header[12:])[0], socket.MSG_WAITALL)
    return guest


def memory(_options):
    folder = Folder()
    host = Host(folder)
    idle = host.memory()
    guests = [greeted(folder.socket) for _ in range(256)]
    loaded = host.memory()
    for guest in guests:
        guest.close()
    host.stop()
    folder.remove()
    print("\nmemory of vsock_host, KiB")
    for name, figures in (("idle", idle), ("256 connections", loaded)):
        print(f"  {name:16} RssAnon {figures['RssAnon']:6}  RSS {figures['VmRSS']:6}")


def ready(options):
    folder = Folder()
    times = []
    for _ in range(options.rounds * 4):
        host = Host(folder)
        times.append(host.ready_seconds)
        host.stop()
    folder.remove()
    print(f"\ntime from start to READY=1: {median(times) * 1000:.1f} ms "
          f"(median of {len(times)}, {min(times) * 1000:.1f} to {max(times) * 1000:.1f})")


def wall(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def guest(options):
    folder = Folder()
    host = Host(folder)
    ours = [BIN / "vsock_guest", "--address", f"unix:{folder.socket}", "get-hostos-version"]
    pairs = [(wall(ours), wall(["/bin/true"])) for _ in range(options.rounds * 20)]
    host.stop()
    folder.remove()
    print(f"\none vsock_guest get-hostos-version: {median([p[0] for p in pairs]) * 1000:.2f} ms; "
          f"/bin/true: {median([p[1] for p in pairs]) * 1000:.2f} ms "
          f"(medians of {len(pairs)}, taking turns)")


def upgrade_seconds(folder, url, digest):
    """From the start of the guest's call to the start of vsock_host-install."""
    folder.started.unlink(missing_ok=True)
    shutil.rmtree(folder.path / "upgrade", ignore_errors=True)
    host = Host(folder)
    idle = host.memory()["RssAnon"]
    start = time.time()
    guest_call = subprocess.Popen(
        [BIN / "vsock_guest", "--address", f"unix:{folder.socket}", "upgrade", "--url", url, "--hash",
         digest], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while guest_call.poll() is None and time.time() < start + 300:
        peak = max(peak, host.memory()["RssAnon"])
        time.sleep(0.02)
    seconds = float(folder.started.read_text()) - start
    host.stop()
    return seconds, peak - idle


def curl_seconds(folder, url):
    output = folder.path / "curl-output"
    output.unlink(missing_ok=True)
    start = time.time()
    subprocess.run(["curl", "-sS", "-o", output, url], check=True)
    subprocess.run(["sync"], check=True)
    seconds = time.time() - start
    output.unlink()
    return seconds


def make_image(path, mib):
    digest = hashlib.sha256()
    block = os.urandom(1 << 20)
    with open(path, "wb") as image:
        for number in range(mib):
            piece = struct.pack(">Q", number) + block[8:]
            image.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def upgrade(options):
    folder = Folder()
    site = folder.path / "site"
    site.mkdir()
    digest = make_image(site / "image", options.image_mib)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(["busybox", "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", site])
    url = f"http://127.0.0.1:{port}/image"
    try:
        time.sleep(0.5)
        curl_seconds(folder, url)  # warms the page cache for both
        subprocess.run(["sync"], check=True)
        rounds = []
        for _ in range(options.rounds):
            ours, growth = upgrade_seconds(folder, url, digest)
            rounds.append((ours, curl_seconds(folder, url), growth))
    finally:
        server.terminate()
        server.wait()
        folder.remove()
    print(f"\nupgrade of {options.image_mib} MiB from loopback to the start of vsock_host-install: "
          f"{median([r[0] for r in rounds]):.2f} s; curl -o then sync: "
          f"{median([r[1] for r in rounds]):.2f} s; ratio {median([r[0] / r[1] for r in rounds]):.2f} "
          f"(medians of {len(rounds)}, taking turns); memory above idle at most "
          f"{max(r[2] for r in rounds)} KiB")


PARTS = {"requests": requests, "watch": watch, "memory": memory, "ready": ready, "guest": guest,
         "upgrade": upgrade}


def main():
    parser = argparse.ArgumentParser(description="vsock_host beside the simplest thing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--image-mib", type=int, default=1024)
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    for name in options.only.split(","):
        if name not in PARTS:
            parser.error(f"no part {name}: expected some of {','.join(PARTS)}")
        PARTS[name](options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
