#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""To retire a dialect is to delete its file and its row: does that with json-0 in a copy of the tree,
builds both programs without warnings, and lets them speak the dialects that are left.

usage: retire.py [ROOT]
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import tree

RETIRED, LEFT = "json-0", ("tlv-1", "tlv-0", "json-1")
FILE, TABLE, ROW = "src/compat/json_0.c", "src/compat/dialects.c", r"^    ROW\(json_0\).*\n"
COPIED = ("CMakeLists.txt", "cmake/", "src/", "docs/man/", "packaging/", "conf/")
OPTIONS = ("-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0",
           "-DVSOCK_WERROR=ON", "-DVSOCK_TESTS=OFF")
LIMIT_S = 20


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


def copy_without(root, copy):
    """The tree without the dialect's file and row."""
    for name in tree.files(root):
        if name.startswith(COPIED) and name != FILE:
            path = os.path.join(copy, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(os.path.join(root, name), path)
    path = os.path.join(copy, TABLE)
    text, count = re.subn(ROW, "", tree.read(copy, TABLE), flags=re.M)
    expect(count == 1, f"{TABLE}: {count} rows match {ROW}; expected 1")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def find_mentions(copy):
    """Sources that still name the dialect, comments included."""
    return [name for name in tree.files(copy) if name.startswith("src/") and
            re.search(r"json[-_]0\b", tree.read(copy, name))]


def run(arguments, **options):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    expect(done.returncode == 0, f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}")


def build(copy):
    run(["cmake", "-S", copy, "-B", os.path.join(copy, "build"), *OPTIONS])
    run(["cmake", "--build", os.path.join(copy, "build"), "-j2", "--target", "vsock_host",
         "vsock_guest"])


def ask_raw(path, request):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(LIMIT_S)
        peer.connect(path)
        peer.sendall(json.dumps(request).encode())
        peer.shutdown(socket.SHUT_WR)
        answer = b""
        while part := peer.recv(4096):
            answer += part
    return answer.decode()


def ask(program, path, *arguments):
    return subprocess.run([program, "--address", "unix:" + path, "--timeout", str(LIMIT_S),
                           *arguments], capture_output=True, text=True, timeout=2 * LIMIT_S)


def check_programs(guest, path):
    for dialect in LEFT:
        done = ask(guest, path, "--protocol", dialect, "get-hostos-version")
        expect(done.returncode == 0, f"{dialect}: exit {done.returncode}: {done.stderr}")
    done = ask(guest, path, "--protocol", RETIRED, "attach-hsm")
    expect(done.returncode == 2 and RETIRED in done.stderr,
           f"--protocol {RETIRED}: exit {done.returncode}: {done.stderr}")
    done = ask(guest, path, "--help")
    expect(all(name in done.stdout for name in LEFT) and RETIRED not in done.stdout,
           f"--help does not name {LEFT} alone:\n{done.stdout}")
    answer = ask_raw(path, {"sender_cid": "3", "message": "attach-hsm"})
    expect("Err" in json.loads(answer), f"a {RETIRED} request was answered with {answer!r}")


def speak(copy):
    """A host and guests of the copy, over a Unix socket."""
    os.environ["VSOCK_BIN_DIR"] = os.path.join(copy, "build", "bin")
    sys.path.insert(0, os.path.join(tree.default_root(), "tests", "system"))
    from vsocktest.daemon import Daemon
    with open(os.path.join(copy, "version.txt"), "w", encoding="utf-8") as out:
        out.write("1.2.3\n")
    host = Daemon(copy)
    try:
        check_programs(os.path.join(copy, "build", "bin", "vsock_guest"), host.socket_path)
    finally:
        host.kill()
        host.notify.close()


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else tree.default_root()
    with tempfile.TemporaryDirectory(prefix="vr-", dir="/tmp") as copy:
        try:
            copy_without(root, copy)
            mentions = find_mentions(copy)
            expect(not mentions, f"these files name {RETIRED}, not only its own and the table: "
                                 f"{', '.join(mentions)}")
            build(copy)
            speak(copy)
        except (Failed, AssertionError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


sys.exit(main())
