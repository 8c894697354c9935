# SPDX-License-Identifier: Apache-2.0
"""An initramfs: busybox, kernel modules in the order they are loaded in, programs with the libraries
they need, and an init script."""
import gzip
import os
import re
import shutil
import subprocess
import tempfile

import base

PROLOGUE = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /run
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
for module in /modules/*; do insmod $module; done
"""


def libraries(program):
    """What the dynamic linker loads for a program, itself included."""
    found = base.run("ldd", program)
    return re.findall(r"(/\S+) \(0x", found)


def put(root, source, target):
    path = os.path.join(root, target.lstrip("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(source, path)


def make(out, base_folder, init, modules, programs=(), files=(), compress=True):
    """programs: paths, put into /bin; files: (source, target). A machine inside a machine starts
    sooner without compression."""
    with tempfile.TemporaryDirectory(prefix="vsock-initramfs-") as root:
        put(root, "/bin/busybox", "/bin/busybox")
        with open(os.path.join(root, "init"), "w") as file:
            file.write(PROLOGUE + init)
        os.chmod(os.path.join(root, "init"), 0o755)
        tree = os.path.join(base_folder, "modules")
        for number, path in enumerate(base.modules(tree, modules)):
            put(root, os.path.join(tree, path),
                "/modules/%03d-%s" % (number, os.path.basename(path)))
        for program in programs:
            put(root, program, "/bin/" + os.path.basename(program))
            for library in libraries(program):
                put(root, library, library)
        for source, target in files:
            put(root, source, target)
        names = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True)
        archive = subprocess.run(["cpio", "--null", "-o", "-H", "newc", "--quiet"], cwd=root,
                                 input=names.stdout, capture_output=True, check=True)
        with open(out, "wb") as file:
            file.write(gzip.compress(archive.stdout, 1) if compress else archive.stdout)
