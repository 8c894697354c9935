# SPDX-License-Identifier: Apache-2.0
"""A host that does as it is told: TLV wire 1.0 over a Unix socket, byte by byte.

Its frames are those of vsocktest.peer; the rest is written from docs/protocol.md alone. What the guest
sends is checked on receipt.
A script is a function of one Connection; a FakeHost runs one script for each connection, the last
one again for every further connection. What went wrong in a script is raised by close().
"""
import collections
import os
import socket
import struct
import threading
import time

from vsocktest.peer import (ERROR, HELLO, PHASES, PROGRESS, REQUEST, RESPONSE, WELCOME, field,
                            frame)

COMMANDS = {1: "attach-hsm", 2: "detach-hsm", 3: "get-hostos-version", 4: "upgrade", 5: "notify",
            6: "get-vsock-version", 7: "get-upgrade-status", 8: "start-upgrade-guest-vm"}
NO_PAYLOAD, VSOCK_VERSION, HOSTOS_VERSION, UPGRADE_STATUS = 0, 1, 2, 3
PHASE_NUMBERS = {name: number for number, name in PHASES.items()}
BUSY, SHUTTING_DOWN, UNSUPPORTED_VERSION, HASH_MISMATCH = 7, 16, 2, 12

PATIENCE = 40.0

Request = collections.namedtuple("Request", "command id fields")


def welcome(version=(1, 0), agent=b"fake_host/1", limit=16384, header=None):
    payload = field(2, bytes(version))
    if agent is not None:
        payload += field(3, agent)
    if limit is not None:
        payload += field(5, struct.pack(">I", limit))
    return frame(WELCOME, payload, version=header or version)


def error(code, message=b"", id=0, versions=(), version=(1, 0)):
    payload = field(2, struct.pack(">H", code))
    if message:
        payload += field(4, message)
    if versions:
        payload += field(5, b"".join(bytes(pair) for pair in versions))
    return frame(ERROR, payload, id=id, version=version)


def response(id, kind=NO_PAYLOAD, fields=b""):
    return frame(RESPONSE, field(2, struct.pack(">H", kind)) + fields, id=id)


def status_fields(phase, done=0, total=0, sha256=None, result=0, detail=b"", changed=None):
    fields = field(8, struct.pack(">H", PHASE_NUMBERS.get(phase, phase)))
    fields += field(10, struct.pack(">Q", done)) + field(12, struct.pack(">Q", total))
    if sha256 is not None:
        fields += field(14, sha256)
    fields += field(16, struct.pack(">H", result))
    if detail:
        fields += field(17, detail)
    if changed is not None:
        fields += field(19, struct.pack(">Q", changed))
    return fields


def split_fields(payload):
    """The fields of a payload, by tag; an AssertionError for what the protocol does not allow."""
    fields, last = {}, 0
    while payload:
        tag, length = struct.unpack_from(">HH", payload)
        assert tag > last, "tags do not increase: %d after %d" % (tag, last)
        assert length <= len(payload) - 4, "field %d is cut" % tag
        fields[tag], last = payload[4:4 + length], tag
        payload = payload[4 + length:]
    return fields


class Gone(Exception):
    """The guest closed the connection."""


class Connection:
    def __init__(self, host, sock):
        self.host = host
        self.sock = sock
        sock.settimeout(PATIENCE)

    def read(self, length):
        data = b""
        while len(data) < length:
            try:
                piece = self.sock.recv(length - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Gone("after %d of %d bytes" % (len(data), length))
            data += piece
        self.host.received += data
        return data

    def read_frame(self):
        """(type, id, version, payload)"""
        header = self.read(16)
        assert header[:4] == b"VSCK", header
        major, minor, kind, id, length = struct.unpack(">BBHII", header[4:])
        assert length <= 65536, length
        return kind, id, (major, minor), self.read(length)

    def hello(self):
        kind, id, version, payload = self.read_frame()
        assert kind == HELLO and id == 0, (kind, id)
        assert all(byte < 0x80 for byte in payload) and len(payload) <= 127, payload
        fields = split_fields(payload)
        assert set(fields) <= {2, 3}, fields
        assert bytes(version) == fields[2][:2], (version, fields[2])
        return fields

    def greet(self, **more):
        fields = self.hello()
        self.send(welcome(**more))
        return fields

    def request(self):
        """The next request; it is counted."""
        kind, id, version, payload = self.read_frame()
        assert kind == REQUEST and id != 0 and version == (1, 0), (kind, id, version)
        fields = split_fields(payload)
        command = COMMANDS[struct.unpack(">H", fields.pop(2))[0]]
        request = Request(command, id, fields)
        self.host.requests.append(request)
        self.host.changed()
        return request

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone("while sending") from None

    def answer(self, request, **more):
        self.send(response(request.id, **more))

    def progress(self, request, *status, **more):
        self.send(frame(PROGRESS, status_fields(*status, **more), id=request.id))

    def status(self, request, *status, **more):
        self.send(response(request.id, UPGRADE_STATUS, status_fields(*status, **more)))

    def hold(self):
        """Says nothing until the guest goes away."""
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass


class FakeHost:
    def __init__(self, path, *scripts):
        self.path = path
        self.scripts = scripts
        self.requests = []     # in the order in which they were read
        self.received = b""    # every byte that a script read
        self.connections = 0
        self._failures = []
        self._condition = threading.Condition()
        self._threads = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(16)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def changed(self):
        with self._condition:
            self._condition.notify_all()

    def wait(self, condition, what):
        """Waits until condition() is true."""
        deadline = time.monotonic() + PATIENCE
        with self._condition:
            while not condition():
                assert time.monotonic() < deadline, "waited too long for: " + what
                self._condition.wait(0.05)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._run, args=(script, sock), daemon=True)
            thread.start()
            self._threads.append(thread)  # one that close() finds can be joined
            self.changed()

    def _run(self, script, sock):
        try:
            script(Connection(self, sock))
        except Gone:
            pass
        except Exception as failure:  # pylint: disable=broad-except
            self._failures.append(failure)
        finally:
            sock.close()
            self.changed()

    def stop_listening(self):
        """As a daemon that ends: no new connection, and the path is gone."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        # shutdown() wakes the accept() that close() alone would leave waiting.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def close(self):
        self.stop_listening()
        for thread in self._threads:
            thread.join(PATIENCE)
        if self._failures:
            raise self._failures[0]


# --- scripts ----------------------------------------------------------------------------------

def answering(kind=NO_PAYLOAD, fields=b""):
    """Answers every request on a connection alike."""
    def script(connection):
        connection.greet()
        while True:
            request = connection.request()
            connection.answer(request, kind=kind, fields=fields)
    return script


def failing(code, message=b""):
    """Answers every request with an error."""
    def script(connection):
        connection.greet()
        while True:
            request = connection.request()
            connection.send(error(code, message, id=request.id))
    return script


def saying(*pieces):
    """Answers HELLO with these bytes and closes."""
    def script(connection):
        connection.hello()
        for piece in pieces:
            connection.send(piece)
    return script


def introducing(*pieces):
    """Says these bytes on each connection, and ignores what the guest says."""
    def script(connection):
        for piece in pieces:
            connection.send(piece)
        connection.hold()
    return script


def leaving(connection):
    """Reads something and closes."""
    connection.read(1)


def replying(build):
    """Greets, reads a request, sends build(request) and closes."""
    def script(connection):
        connection.greet()
        connection.send(build(connection.request()))
    return script


def holding(connection):
    """Greets, reads a request and says nothing more."""
    connection.greet()
    connection.request()
    connection.hold()


def hanging_up(connection):
    """Greets, reads a request and closes without an answer."""
    connection.greet()
    connection.request()


def silent(connection):
    """Takes the connection and says nothing."""
    connection.hold()
