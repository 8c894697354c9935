# SPDX-License-Identifier: Apache-2.0
"""A shell of the HostOS in this terminal: its /dev/hvc0 is the other end of a socket."""
import os
import select
import shlex
import shutil
import socket
import sys
import termios
import threading
import tty

DAY = 24 * 3600
UNIT = ("systemd-run -q --wait --collect -p PAMName=login -p WorkingDirectory=/root "
        "-p StandardInput=tty -p StandardOutput=tty -p StandardError=tty -p TTYPath=/dev/hvc0 "
        "-p TTYReset=yes -E HOME=/root -E TERM=%s sh -c 'stty rows %d cols %d; exec bash -l'")


def _carry(channel, over):
    """Bytes both ways until the shell has ended."""
    sources = [sys.stdin.fileno(), channel.fileno()]
    while not over.is_set():
        ready, _, _ = select.select(sources, [], [], 0.2)
        if channel.fileno() in ready:
            data = channel.recv(65536)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if sys.stdin.fileno() in ready:
            data = os.read(sys.stdin.fileno(), 65536)
            if not data:  # as a terminal says it
                data = b"\x04"
                sources.remove(sys.stdin.fileno())
            channel.sendall(data)


def shell(host):
    """Returns when the shell has ended."""
    over = threading.Event()
    size = shutil.get_terminal_size()
    command = UNIT % (shlex.quote(os.environ.get("TERM", "dumb")), size.lines, size.columns)

    def run():
        try:
            host.run(command, DAY)
        finally:
            over.set()

    saved = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.connect(host.terminal)
        threading.Thread(target=run, daemon=True).start()
        try:
            if saved:
                tty.setraw(sys.stdin)
            _carry(channel, over)
        finally:
            if saved:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
