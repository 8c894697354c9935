# SPDX-License-Identifier: Apache-2.0
"""What the machines are made of, kept between runs: a Debian kernel with its modules, and the root
file system of a HostOS. It is made anew when this file, or a version of what it holds, changes.

The packages come from where this machine's own apt gets them.
"""
import hashlib
import lzma
import os
import shutil
import struct
import subprocess

PACKAGES = (
    "systemd systemd-sysv libpam-systemd dbus kmod udev polkitd python3-minimal libpython3-stdlib openssl "
    "libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 "
    "ca-certificates libcurl4 libgcrypt20 libjansson4 libsystemd0 libxml2 libvirt0").split()
HOST_MODULES = (
    "autofs4 virtio_pci virtio_blk virtio_console ext4 vsock vhost_vsock vsock_loopback "
    "vmw_vsock_virtio_transport dummy_hcd configfs libcomposite usb_f_ss_lb xhci-pci").split()
# Nothing of these is asked for, and each costs time at every boot.
MASKED = (
    "serial-getty@ttyS0.service getty@tty1.service systemd-firstboot.service "
    "systemd-networkd.socket systemd-networkd.service systemd-resolved.service "
    "systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount "
    "systemd-timesyncd.service systemd-random-seed.service systemd-update-utmp.service "
    "systemd-update-utmp-runlevel.service systemd-pstore.service libvirt-guests.service "
    "apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer "
    "dpkg-db-backup.timer logrotate.timer").split()
AGENT_UNIT = """[Unit]
Description=Runs what the test asks for
After=basic.target dbus.service
[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/test-agent.py /dev/virtio-ports/test
Restart=always
KillMode=process
[Install]
WantedBy=multi-user.target
"""
DISK_BYTES = 3 << 30


class CannotRun(Exception):
    """This machine cannot make or start a virtual machine; the text says why."""


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode:
        raise CannotRun("%s: %s" % (" ".join(command[:3]), done.stdout.strip()[-800:]))
    return done.stdout


def kernel_package():
    for line in run("apt-cache", "depends", "linux-image-amd64").splitlines():
        if "Depends: linux-image-" in line:
            return line.split()[-1]
    raise CannotRun("apt knows no linux-image-amd64: run apt-get update")


def mirror():
    sites = run("apt-get", "indextargets", "--format", "$(SITE)", "Codename: bookworm",
                "Component: main").split()
    if not sites:
        raise CannotRun("apt has no source for bookworm")
    return sites[0]


def kernel_key():
    return hashlib.sha256(run("apt-cache", "policy", kernel_package()).encode()).hexdigest()[:16]


def _key(*files):
    """Changes whenever what is kept, made by these files, would."""
    here = os.path.dirname(os.path.abspath(__file__))
    parts = [run("apt-cache", "policy", kernel_package(), *PACKAGES)]
    for name in files:
        with open(os.path.join(here, name)) as file:
            parts.append(file.read())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def key():
    return _key("base.py", "agent.py", "guest.py", "initramfs.py")


def guestos_key():
    return _key("base.py", "agent.py", "guest.py", "guest_agent.c", "guestos.py", "initramfs.py")


def extract_kernel(image, out):
    """The ELF file inside a bzImage: it boots without real mode and without unpacking itself
    (Documentation/arch/x86/boot.rst: payload_offset, payload_length)."""
    with open(image, "rb") as file:
        data = file.read()
    sectors = data[0x1f1]
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = (sectors + 1) * 512 + offset
    payload = data[start:start + length]
    if payload[:6] != b"\xfd7zXZ\0":
        raise CannotRun("%s: the kernel inside is not compressed with xz" % image)
    with open(out, "wb") as file:
        file.write(lzma.LZMADecompressor().decompress(payload))


def modules(folder, names):
    """Paths of modules, relative to `folder`, each after those it depends on."""
    dependencies, by_name = {}, {}
    with open(os.path.join(folder, "modules.dep")) as file:
        for line in file:
            path, _, needs = line.partition(":")
            dependencies[path] = needs.split()
            by_name[os.path.basename(path).split(".ko")[0].replace("-", "_")] = path
    ordered = []
    for name in names:
        wanted = (["crc32c_generic"] if name == "ext4" else []) + [name]
        for path in (by_name.get(one.replace("-", "_")) for one in wanted):
            for one in (list(reversed(dependencies[path])) + [path]) if path else ():
                if one not in ordered:
                    ordered.append(one)
    return ordered


def unpack_kernel(folder):
    package = kernel_package()
    run("apt-get", "download", "-qq", package, cwd=folder)
    deb = [name for name in os.listdir(folder) if name.endswith(".deb")][0]
    run("dpkg", "-x", os.path.join(folder, deb), os.path.join(folder, "kernel"))
    os.unlink(os.path.join(folder, deb))
    version = package[len("linux-image-"):]
    extract_kernel(os.path.join(folder, "kernel/boot/vmlinuz-" + version),
                   os.path.join(folder, "vmlinux"))
    tree = os.path.join(folder, "kernel/lib/modules", version)
    run("depmod", "-b", os.path.join(folder, "kernel"), version)
    os.symlink(os.path.relpath(tree, folder), os.path.join(folder, "modules"))
    return version


def copy_modules(folder, root, version):
    source = os.path.join(folder, "modules")
    target = os.path.join(root, "lib/modules", version)
    for path in modules(source, HOST_MODULES):
        os.makedirs(os.path.join(target, os.path.dirname(path)), exist_ok=True)
        shutil.copy(os.path.join(source, path), os.path.join(target, path))
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(os.path.join(source, name), target)
    run("depmod", "-b", root, version)


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def furnish(root):
    here = os.path.dirname(os.path.abspath(__file__))
    write(root, "etc/hostname", "hostos\n")
    write(root, "etc/hosts", "127.0.0.1 localhost hostos images.test\n")
    write(root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    write(root, "etc/fstab", "")
    write(root, "etc/systemd/system/test-agent.service", AGENT_UNIT)
    # Audit=no: with it every system call takes the long way; a seccomp kill is told without it too.
    write(root, "etc/systemd/journald.conf.d/test.conf",
          "[Journal]\nStorage=persistent\nRateLimitBurst=0\nAudit=no\n")
    # An emulated machine pays for each look at its filter; what is under test here is not libvirt.
    with open(os.path.join(root, "etc/libvirt/qemu.conf"), "a") as file:
        file.write("seccomp_sandbox = 0\n")
    shutil.copy(os.path.join(here, "agent.py"), os.path.join(root, "usr/local/lib/test-agent.py"))
    shutil.copy(os.path.join(here, "guest.py"), os.path.join(root, "usr/local/lib/test-guest.py"))
    os.makedirs(os.path.join(root, "var/log/journal"), exist_ok=True)
    shutil.rmtree(os.path.join(root, "var/lib/apt/lists"), ignore_errors=True)
    shutil.rmtree(os.path.join(root, "var/cache/apt"), ignore_errors=True)
    run("systemctl", "--root=" + root, "-q", "enable", "test-agent.service")
    run("systemctl", "--root=" + root, "-q", "mask", *MASKED)


def build(folder):
    version = unpack_kernel(folder)
    root = os.path.join(folder, "root")
    run("mmdebstrap", "-q", "--mode=root", "--variant=essential", "--components=main",
        "--aptopt=Apt::Install-Recommends \"false\"", "--include=" + ",".join(PACKAGES),
        "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io",
        "bookworm", root, mirror())
    copy_modules(folder, root, version)
    furnish(root)
    images = os.path.join(root, "var/lib/libvirt/images")
    os.makedirs(images, exist_ok=True)
    shutil.copy(os.path.join(folder, "vmlinux"), images)
    disk = os.path.join(folder, "host.ext4")
    with open(disk, "wb") as file:
        file.truncate(DISK_BYTES)
    run("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1", "-J", "size=16", "-m", "0",
        "-d", root, disk)
    shutil.rmtree(root)
