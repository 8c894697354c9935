# SPDX-License-Identifier: Apache-2.0
"""A virtual machine under QEMU: started, cut off, waited for; and scripts run inside of it."""
import collections
import json
import os
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import base
import initramfs

PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                        "build/release/bin")

Done = collections.namedtuple("Done", "status out err")
PATIENCE = 240  # seconds for anything one waits for; emulated machines in machines are slow
# Of the clocks only the TSC costs no exit out of an emulated machine; QEMU keeps it steady.
COMMAND_LINE = ("console=ttyS0 panic=-1 quiet mitigations=off nokaslr cryptomgr.notests "
                "random.trust_cpu=on tsc=reliable clocksource=tsc ")
PROBE = "echo KVM-WORKS\npoweroff -f\n"
PROBE_SECONDS = 10
AGAIN_SECONDS = 20


def qemu(accelerator, kernel, initrd, command_line, memory, *more):
    # It does not outlive the test.
    return ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", *accelerator, "-machine", "q35", "-m", str(memory),
            "-display", "none", "-vga", "none", "-monitor", "none", "-nic", "none",
            "-kernel", kernel, "-initrd", initrd, "-append", COMMAND_LINE + command_line, *more]


def find_accelerator(base_folder):
    """KVM if it boots this kernel: there are machines on which /dev/kvm opens and then hangs."""
    if shutil.which("qemu-system-x86_64") is None:
        raise base.CannotRun("there is no qemu-system-x86_64")
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        with tempfile.TemporaryDirectory(prefix="vsock-probe-") as folder:
            initrd = os.path.join(folder, "initrd")
            initramfs.make(initrd, base_folder, PROBE, [])
            command = qemu(["kvm", "-cpu", "max"], os.path.join(base_folder, "vmlinux"), initrd, "",
                           256, "-serial", "stdio", "-no-reboot")
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                      timeout=PROBE_SECONDS)
                if b"KVM-WORKS" in done.stdout:
                    return ["kvm", "-cpu", "max"]
            except subprocess.TimeoutExpired:
                pass
    return ["tcg,thread=multi"]


def wait_until(condition, what, patience=PATIENCE, pause=0.2):
    """The first true value of condition()."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("in vain: %s" % what)
        time.sleep(pause)


def boot_to_end(accelerator, base_folder, initrd, seconds):
    """Runs a machine that has nothing but an initramfs until it powers off. Its console."""
    command = qemu(accelerator, os.path.join(base_folder, "vmlinux"), initrd, "", 512,
                   "-serial", "stdio", "-no-reboot", "-smp", "2")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=seconds)
    except subprocess.TimeoutExpired as late:
        raise AssertionError("the machine did not end: %r" % (late.stdout or b"")[-2000:]) from late
    return done.stdout.decode(errors="replace")


class Channel:
    """One line out for each line in, matched by their ids: the agent's protocol (agent.py)."""

    def __init__(self, path):
        self.boots = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._waiting = {}
        self._lock = threading.Lock()
        self._next = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        pending = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                self._take(line)
        with self._lock:
            for answer in self._waiting.values():
                answer.put(None)

    def _take(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            return  # the end of a line that was begun before a reset
        if not isinstance(message, dict):
            return
        if "boot" in message:
            self.boots.append(message["boot"])
            return
        with self._lock:
            answer = self._waiting.pop(message["id"], None)
        if answer:
            answer.put(message)

    def ask(self, script, seconds):
        """Sent again now and then: the agent runs it once, and a line may be lost."""
        answer = queue.Queue()
        boot = self.boots[-1]
        with self._lock:
            self._next += 1
            number = self._next
            self._waiting[number] = answer
        line = json.dumps({"boot": boot, "id": number, "script": script, "seconds": seconds}) + "\n"
        deadline = time.monotonic() + seconds + 30
        message = None
        while message is None and time.monotonic() < deadline and boot == self.boots[-1]:
            self._socket.sendall(line.encode())
            try:
                message = answer.get(timeout=AGAIN_SECONDS)
            except queue.Empty:
                continue
            if message is None:
                break  # the other end is gone
        if message is None:
            raise AssertionError("no answer from the machine to: %s" % script)
        return Done(message["status"], message["out"], message["err"])

    def close(self):
        self._socket.close()


class HostOS:
    """A HostOS with a disk of its own, over a base that is never written to."""

    def __init__(self, folder, base_folder, accelerator, payload, disk=None, memory=2048):
        """disk: the base's own, to be changed; None: one of its own."""
        self.folder = folder
        self.base_folder = base_folder
        self.accelerator = accelerator
        self.payload = payload
        self.memory = memory
        self.disk = disk or os.path.join(folder, "disk.qcow2")
        self.initrd = os.path.join(folder, "initrd")
        self.console = os.path.join(folder, "console.log")
        self.terminal = os.path.join(folder, "terminal.sock")  # the other end of /dev/hvc0
        self.process = self.channel = None
        if not disk:
            base.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                     os.path.join(base_folder, "host.ext4"), self.disk)
        initramfs.make(self.initrd, base_folder, HOST_INIT, ["virtio_pci", "virtio_blk", "ext4"])

    def start(self):
        path = os.path.join(self.folder, "agent.sock")
        for old in filter(os.path.exists, (path, self.terminal)):
            os.unlink(old)
        command = qemu(
            self.accelerator, os.path.join(self.base_folder, "vmlinux"), self.initrd,
            "root=/dev/vda rw systemd.show_status=0", self.memory, "-smp", "2",
            "-serial", "file:" + self.console + ".%d" % time.monotonic_ns(),
            "-drive", "file=%s,format=%s,if=virtio" % (
                self.disk, "qcow2" if self.disk.endswith(".qcow2") else "raw"),
            "-drive", "file=%s,format=raw,if=virtio,readonly=on" % self.payload,
            "-device", "virtio-serial-pci",
            "-chardev", "socket,id=agent,path=%s,server=on,wait=off" % path,
            "-device", "virtserialport,chardev=agent,name=test",
            "-chardev", "socket,id=terminal,path=%s,server=on,wait=off" % self.terminal,
            "-device", "virtconsole,chardev=terminal")
        with open(os.path.join(self.folder, "qemu.log"), "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_until(lambda: os.path.exists(path), "QEMU listens", 20)
        self.channel = Channel(path)
        self.wait_boot(0)

    def wait_boot(self, earlier):
        """Until it has booted once more than `earlier` times since QEMU was started."""
        wait_until(lambda: len(self.channel.boots) > earlier or self.process.poll() is not None,
                   "the HostOS boots")
        if self.process.poll() is not None:
            raise AssertionError("QEMU ended: %s" % open(os.path.join(self.folder, "qemu.log")).read())

    def boots(self):
        return len(self.channel.boots)

    def run(self, script, seconds=PATIENCE):
        return self.channel.ask(script, seconds)

    def must(self, script, seconds=PATIENCE):
        """stdout of a script that has to succeed."""
        done = self.run(script, seconds)
        if done.status != 0:
            raise AssertionError("status %s of: %s\n%s%s" % (done.status, script, done.out, done.err))
        return done.out.rstrip("\n")

    def power_off(self):
        self.must("systemd-run --no-block systemctl poweroff")
        self.process.wait(PATIENCE)

    def cut(self):
        """The power goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.channel.close()
            self.process = None

    def consoles(self):
        """What was written to the serial console in all boots."""
        names = sorted(name for name in os.listdir(self.folder) if name.startswith("console.log"))
        return "".join(open(os.path.join(self.folder, name), errors="replace").read()
                       for name in names)


HOST_INIT = """
i=0; while [ ! -b /dev/vda ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
mkdir -p /newroot
mount -t ext4 -o rw /dev/vda /newroot || { echo NO-ROOT; poweroff -f; }
exec switch_root /newroot /sbin/init
"""
