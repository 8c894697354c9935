# SPDX-License-Identifier: Apache-2.0
"""A vsock_host of the build under test: configuration, start, what it told systemd, its log, stop.

The daemon listens on a Unix socket in the folder it is given and touches nothing outside of it.
"""
import os
import re
import signal
import socket
import subprocess
import threading
import time

from . import PATIENCE, program, wait_until

SANITIZER = re.compile(
    r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|WARNING: ThreadSanitizer|runtime error:|"
    r"Assertion .* failed")


def sanitizer_report(text):
    """The first line of a sanitizer's report or a failed assertion, with what follows; or None."""
    found = SANITIZER.search(text)
    return text[found.start():found.start() + 6000] if found else None


class NotifySocket:
    """Stands in for systemd: keeps every sd_notify message, in order, as a dict, with its time."""

    def __init__(self, path):
        self.path = path
        self.messages = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self):
        while True:
            data = self._socket.recv(65536)
            if not data:
                return
            lines = [line.partition("=") for line in data.decode().split("\n") if line]
            message = {key: value for key, _, value in lines}
            message["at"] = time.monotonic()
            with self._changed:
                self.messages.append(message)
                self._changed.notify_all()

    def wait(self, wanted, what, alive=lambda: True, patience=PATIENCE):
        """The first message for which wanted(message) is true, from the beginning."""
        deadline = time.monotonic() + patience
        with self._changed:
            seen = 0
            while True:
                for message in self.messages[seen:]:
                    if wanted(message):
                        return message
                seen = len(self.messages)
                if time.monotonic() > deadline or not alive():
                    raise AssertionError("systemd was not told: %s; it was told %r" %
                                         (what, self.messages))
                self._changed.wait(0.1)

    def statuses(self):
        return [message["STATUS"] for message in self.messages if "STATUS" in message]

    def close(self):
        """Ends the thread before the descriptor, whose number the next socket may get."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def configuration(folder, sections):
    """The text of a configuration: what every test needs, changed by `sections`.

    sections: {"limits": {"workers": 2}}; a list becomes words; None leaves a key out.
    """
    base = {
        "listen": {"address": "unix:%s/host.sock" % folder},
        "limits": {},
        "console": {"devices": "%s/console" % folder, "interval_seconds": "0.1",
                    "skip_while_running": ""},
        "version": {"file": "%s/version.txt" % folder},
        "steps": {"install_program": program("vsock_host-install"),
                  "hsm_program": "%s/hsm" % folder},
        "upgrade": {"directory": "%s/upgrade" % folder, "keep_free": "1M",
                    "refused_addresses": "link-local multicast unspecified",
                    "retries": 2, "retry_seconds": "0.1"},
        "install": {"directory": "%s/install" % folder, "installer": "%s/installer" % folder,
                    "installer_seconds": 60},
        "reboot": {"method": "command", "command": "%s/reboot" % folder},
    }
    for name, keys in (sections or {}).items():
        base.setdefault(name, {}).update(keys)
    lines = []
    for name, keys in base.items():
        lines.append("[%s]" % name)
        for key, value in keys.items():
            if isinstance(value, (list, tuple)):
                value = " ".join(str(word) for word in value)
            if value is not None:
                lines.append(("%s = %s" % (key, value)).rstrip())
    return "\n".join(lines) + "\n"


class Daemon:
    def __init__(self, folder, sections=None, arguments=(), environment=None, wait=True,
                 config=None, prefix=(), name="daemon", pass_fds=(), cwd=None):
        """Starts it. config: the path of a file to use as it is, instead of `sections`."""
        self.folder = folder
        self.socket_path = os.path.join(folder, "host.sock")
        if config is None:
            config = os.path.join(folder, "vsock_host.conf")
            with open(config, "w") as out:
                out.write(configuration(folder, sections))
        self.config = config
        self.returncode = None
        number = sum(1 for entry in os.listdir(folder) if entry.startswith(name + "."))
        self.log_path = os.path.join(folder, "%s.%d.log" % (name, number))
        self.notify = NotifySocket(os.path.join(folder, "n%d" % number))
        environ = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                   "NOTIFY_SOCKET": self.notify.path,
                   "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=%s/no-bus" % folder}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if key in os.environ:
                environ[key] = os.environ[key]
        environ.update(environment or {})
        command = list(prefix) + [program("vsock_host"), "--config", config, "--log", "stderr"]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command + list(arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environ, pass_fds=pass_fds, cwd=cwd)
        self.pid = self.process.pid
        if wait:
            self.wait_ready()

    def wait_ready(self):
        try:
            self.notify.wait(lambda message: message.get("READY") == "1", "READY=1", self.alive)
        except AssertionError as error:
            raise AssertionError("vsock_host did not become ready (%s); its log:\n%s" %
                                 (error, self.log())) from None
        return self

    def alive(self):
        return self.process.poll() is None

    def log(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode("utf-8", "backslashreplace")

    def wait_log(self, pattern, patience=PATIENCE):
        """The first match of a regular expression in the log."""
        return wait_until(lambda: re.search(pattern, self.log()),
                          "%r in the log of vsock_host" % pattern, patience)

    def wait_phase(self, phase, patience=PATIENCE):
        """Waits until STATUS= names a phase, as `upgrade 0123456789ab: downloading, ...` does."""
        return self.notify.wait(lambda message: ": " + phase in message.get("STATUS", ""),
                                "a STATUS of %s" % phase, self.alive, patience)

    def kick(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        """Its exit status; what the sanitizers found is an AssertionError."""
        self.returncode = self.process.wait(patience)
        self.check()
        return self.returncode

    def stop(self, number=signal.SIGTERM, patience=PATIENCE):
        if self.alive():
            self.kick(number)
        return self.wait(patience)

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()

    def check(self):
        report = sanitizer_report(self.log())
        if report:
            raise AssertionError("a report in the log of vsock_host:\n" + report)

    def hold(self):
        """Stops every thread where it is, until go_on()."""
        os.kill(self.pid, signal.SIGSTOP)

        def held():
            tasks = "/proc/%d/task" % self.pid
            return all(open("%s/%s/stat" % (tasks, task)).read().rpartition(") ")[2][0] == "T"
                       for task in os.listdir(tasks))
        wait_until(held, "vsock_host to be held")

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def threads(self):
        """The names of its threads."""
        names = []
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/comm" % (self.pid, task)) as comm:
                names.append(comm.read().strip())
        return sorted(names)

    def thread_names(self):
        names = []
        for thread in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/comm" % (self.pid, thread)) as file:
                names.append(file.read().strip())
        return names

    def descriptors(self):
        """How many are open, once it has settled: a thread that begins opens files for a moment."""
        counts = []
        while len(set(counts[-5:])) != 1 or len(counts) < 5:
            counts.append(len(os.listdir("/proc/%d/fd" % self.pid)))
            if len(counts) > 100:
                break
            time.sleep(0.02)
        return counts[-1]


def run(arguments, patience=60, environment=None):
    """Runs vsock_host to its end, such as --check-config: (exit status, stdout, stderr)."""
    environ = dict(os.environ)
    environ.pop("NOTIFY_SOCKET", None)
    environ.update(environment or {})
    done = subprocess.run([program("vsock_host")] + list(arguments), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=patience,
                          env=environ)
    stderr = done.stderr.decode("utf-8", "backslashreplace")
    report = sanitizer_report(stderr)
    if report:
        raise AssertionError("a report of vsock_host %s:\n%s" % (" ".join(arguments), report))
    return done.returncode, done.stdout.decode("utf-8", "backslashreplace"), stderr
