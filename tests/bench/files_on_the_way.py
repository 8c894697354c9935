#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the source files that one request runs through, from accept to answer.

    files_on_the_way.py [--build BUILD]    a build of the coverage preset (default build/coverage)

A daemon serves REQUESTS times get-hostos-version of vsock_guest (tlv-1) over a unix: socket in a folder of
its own, another one serves none; both end by SIGTERM. gcov counts the calls of each function. A file counts for
the host if one of its functions was entered more often by the first daemon, REQUESTS times at least. It counts for
the guest if one of its functions was entered by `vsock_guest get-hostos-version`, from main to exit. Inline
functions count for their header.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
REQUESTS = 20
LIMIT = 20  # seconds, for each thing that is waited for


class Build:
    """The programs of a coverage build, and the counts of one run at a time."""

    def __init__(self, path, folder):
        self.path, self.folder, self.runs = path, folder, 0

    def command(self, name, *arguments):
        return [str(self.path / "bin" / name), *arguments]

    def environment(self):
        self.runs += 1
        counts = self.folder / f"counts{self.runs}"
        return counts, dict(os.environ, GCOV_PREFIX=str(counts))

    def calls(self, counts):
        """{(file, function): calls} of one run. gcov wants the notes beside the counts."""
        calls = collections.Counter()
        files = sorted(counts.rglob("*.gcda"))
        for file in files:
            notes = pathlib.Path("/") / file.relative_to(counts).with_suffix(".gcno")
            file.with_suffix(".gcno").symlink_to(notes)
        if not files:
            sys.exit(f"no counts of {self.path}: is it a build of the coverage preset?")
        text = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, files)], check=True,
                              stdout=subprocess.PIPE, timeout=6 * LIMIT, cwd=self.folder).stdout
        for line in text.splitlines():
            for file in json.loads(line)["files"]:
                name = file["file"].partition("/src/")[2]
                for function in file["functions"] if name else ():
                    calls[name, function["name"]] += function["execution_count"]
        return calls


def guest(build, *arguments):
    """One run of vsock_guest. Its only address is a unix: socket."""
    counts, environment = build.environment()
    subprocess.run(build.command("vsock_guest", *arguments), check=True, timeout=LIMIT,
                   env=environment, stdout=subprocess.DEVNULL)
    return counts


def daemon(build, requests):
    """The counts of a daemon that served so many requests, and those of the last guest."""
    socket = build.folder / "host.sock"
    configuration = build.folder / "vsock_host.conf"
    (build.folder / "version.txt").write_text("1.2.3\n")
    (build.folder / "upgrade").mkdir(mode=0o700, exist_ok=True)
    configuration.write_text(f"[listen]\naddress = unix:{socket}\n[version]\n"
                             f"file = {build.folder}/version.txt\n"
                             f"[upgrade]\ndirectory = {build.folder}/upgrade\n"
                             f"[console]\ndevices = {build.folder}/console\n")
    counts, environment = build.environment()
    process = subprocess.Popen(build.command("vsock_host", "--config", str(configuration), "--log",
                                             "stderr"), env=environment)
    last = None
    try:
        deadline = time.monotonic() + LIMIT
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("vsock_host did not start")
            time.sleep(0.05)
        for _ in range(requests):
            last = guest(build, "--address", f"unix:{socket}", "--protocol", "tlv-1",
                         "get-hostos-version")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT)
    return counts, last


def files(with_it, without, least):
    """The files with a function that was entered at least so many times more."""
    return sorted({file for (file, function), calls in with_it.items()
                   if calls - without[file, function] >= least})


def show(program, names):
    print(f"{program}: {len(names)} files")
    for name in names:
        print("    src/" + name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/coverage")
    build_path = parser.parse_args().build.resolve()
    with tempfile.TemporaryDirectory(prefix="vsock-files-") as folder:
        build = Build(build_path, pathlib.Path(folder))
        idle, _ = daemon(build, 0)
        busy, asked = daemon(build, REQUESTS)
        show("vsock_host", files(build.calls(busy), build.calls(idle), REQUESTS))
        show("vsock_guest", files(build.calls(asked), collections.Counter(), 1))


if __name__ == "__main__":
    main()
