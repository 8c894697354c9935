# SPDX-License-Identifier: Apache-2.0
"""A guest of its own: TLV wire 1.0, written from the specification and from nothing else.

Frames are built and taken apart here without a look at the programs under test, so that a
mistake has to be made twice to stay unseen. What the host sends is checked on receipt: header,
agreed version, request id, order of tags, widths, UTF-8.
"""
import collections
import socket
import struct
import time

MAGIC = b"VSCK"
HELLO, WELCOME, ERROR = 0x0001, 0x0002, 0x0003
REQUEST, PROGRESS, RESPONSE = 0x0010, 0x0011, 0x0012

ATTACH_HSM, DETACH_HSM, GET_HOSTOS_VERSION, UPGRADE, NOTIFY = 1, 2, 3, 4, 5
GET_VSOCK_VERSION, GET_UPGRADE_STATUS, START_UPGRADE_GUEST_VM = 6, 7, 8

CODES = dict(enumerate(
    "malformed unsupported_version unknown_command unsupported_field invalid_argument forbidden "
    "busy too_large timeout unavailable download_failed hash_mismatch install_failed "
    "reboot_failed no_space shutting_down internal not_ready".split(), 1))
CODES[0] = "ok"
PHASES = dict(enumerate(
    "idle queued downloading verifying installing rebooting failed upgraded".split()))

PAYLOAD_MAX = 65536
ENDS_WITHIN = 15  # seconds; a host lingers 1 s for what a guest still writes
HEADER = struct.Struct(">4sBBHII")

Frame = collections.namedtuple("Frame", "version type id payload")
Welcome = collections.namedtuple("Welcome", "version agent limit")
Error = collections.namedtuple("Error", "code message versions id")
Response = collections.namedtuple("Response", "kind value id")
Status = collections.namedtuple("Status", "phase done total sha256 result detail changed")
Progress = collections.namedtuple("Progress", "status id at")


class Wrong(AssertionError):
    """The host sent what the protocol does not allow."""


class Cut(Exception):
    """The stream ended inside a frame."""


# --- building ---------------------------------------------------------------------------------

def field(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


def u8(number):
    return struct.pack(">B", number)


def u16(number):
    return struct.pack(">H", number)


def u32(number):
    return struct.pack(">I", number)


def frame(kind, payload=b"", id=0, version=(1, 0), length=None, magic=MAGIC):
    size = len(payload) if length is None else length
    return HEADER.pack(magic, version[0], version[1], kind, id, size) + payload


def hello(versions=((1, 0),), agent=b"peer/1.0", header=None):
    pairs = b"".join(struct.pack(">BB", *pair) for pair in versions)
    payload = field(2, pairs)
    if agent is not None:
        payload += field(3, agent)
    return frame(HELLO, payload, version=header or versions[0])


def request(command, fields=b"", id=1):
    return frame(REQUEST, field(2, u16(command)) + fields, id=id)


def upgrade(url, sha256, progress=None, id=1):
    fields = field(4, url.encode()) + field(6, sha256)
    if progress is not None:
        fields += field(11, u8(progress))
    return request(UPGRADE, fields, id)


def notify(message, count=1, id=1):
    if isinstance(message, str):
        message = message.encode()
    return request(NOTIFY, field(8, message) + field(10, u32(count)), id)


# --- taking apart -----------------------------------------------------------------------------

def fields_of(payload):
    """{tag: value}, or Wrong when the payload is not a TLV stream with rising tags."""
    found, at, last = {}, 0, -1
    while at < len(payload):
        if len(payload) - at < 4:
            raise Wrong("%d bytes left over in a payload" % (len(payload) - at))
        tag, size = struct.unpack_from(">HH", payload, at)
        at += 4
        if tag <= last:
            raise Wrong("tag %d after tag %d" % (tag, last))
        if size > len(payload) - at:
            raise Wrong("field %d is said to have %d bytes, %d are left" %
                        (tag, size, len(payload) - at))
        found[tag], last, at = payload[at:at + size], tag, at + size
    return found


def _number(found, tag, width, default=None):
    value = found.pop(tag, None)
    if value is None:
        if default is None:
            raise Wrong("field %d is missing" % tag)
        return default
    if len(value) != width:
        raise Wrong("field %d has %d bytes, expected %d" % (tag, len(value), width))
    return int.from_bytes(value, "big")


def _string(found, tag, default=None):
    value = found.pop(tag, None)
    if value is None:
        if default is None:
            raise Wrong("field %d is missing" % tag)
        return default
    text = value.decode("utf-8")  # raises on overlong forms and surrogates
    if "\0" in text:
        raise Wrong("NUL in field %d" % tag)
    return text


def _no_more(found):
    for tag in found:
        if tag % 2 == 0:
            raise Wrong("field %d does not belong here" % tag)


def _pairs(value):
    if len(value) % 2 or not 2 <= len(value) <= 32:
        raise Wrong("versions of %d bytes" % len(value))
    pairs = [tuple(value[i:i + 2]) for i in range(0, len(value), 2)]
    if any(a[0] <= b[0] for a, b in zip(pairs, pairs[1:])):
        raise Wrong("majors do not fall: %r" % (pairs,))
    return pairs


def _status(found):
    phase = _number(found, 8, 2)
    done, total = _number(found, 10, 8), _number(found, 12, 8)
    sha256 = found.pop(14, None)
    if sha256 is not None and len(sha256) != 32:
        raise Wrong("sha256 of %d bytes" % len(sha256))
    result = _number(found, 16, 2)
    return Status(PHASES.get(phase, phase), done, total, sha256, CODES.get(result, result),
                  _string(found, 17, ""), _number(found, 19, 8, 0))


def _response(found, id):
    kind = _number(found, 2, 2)
    if kind == 0:
        value = None
    elif kind == 1:
        packed = found.pop(4, b"")
        if len(packed) != 12:
            raise Wrong("a version of %d bytes" % len(packed))
        value = struct.unpack(">III", packed)
    elif kind == 2:
        value = _string(found, 6)
    elif kind == 3:
        value = _status(found)
    else:
        raise Wrong("payload kind %d" % kind)
    _no_more(found)
    return Response(kind, value, id)


def decode(got):
    """A received frame as Welcome, Error, Response or Progress."""
    found = fields_of(got.payload)
    if got.type == WELCOME:
        pairs = _pairs(found.pop(2, b""))
        if len(pairs) != 1:
            raise Wrong("WELCOME agrees on %r" % (pairs,))
        answer = Welcome(pairs[0], _string(found, 3, ""), _number(found, 5, 4, 0))
        _no_more(found)
        return answer
    if got.type == ERROR:
        code = _number(found, 2, 2)
        answer = Error(CODES.get(code, code), _string(found, 4, ""),
                       _pairs(found.pop(5)) if 5 in found else None, got.id)
        if "\n" in answer.message:
            raise Wrong("an error of more than one line: %r" % answer.message)
        _no_more(found)
        return answer
    if got.type == RESPONSE:
        return _response(found, got.id)
    if got.type == PROGRESS:
        answer = Progress(_status(found), got.id, time.monotonic())
        _no_more(found)
        return answer
    raise Wrong("frame type %#06x" % got.type)


# --- a connection -----------------------------------------------------------------------------

class Peer:
    """One connection to a host's Unix socket. Every wait is bounded by `patience` seconds."""

    def __init__(self, path, patience=40):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(patience)
        self.agreed = None
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def finish(self):
        """Half-closes: no more requests come."""
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data, pause=0):
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])
            if pause:
                time.sleep(pause)

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                break
            data += piece
        return data

    def frame(self):
        """The next frame, or None at a clean end of the stream."""
        header = self._read(HEADER.size)
        if not header:
            return None
        if len(header) < HEADER.size:
            raise Cut(header)
        magic, major, minor, kind, id, size = HEADER.unpack(header)
        if magic != MAGIC:
            raise Wrong("magic %r" % magic)
        if size > PAYLOAD_MAX:
            raise Wrong("a payload of %d bytes" % size)
        if self.agreed and (major, minor) != self.agreed:
            raise Wrong("version %d.%d in a header, agreed is %d.%d" %
                        ((major, minor) + tuple(self.agreed)))
        payload = self._read(size)
        if len(payload) < size:
            raise Cut(header + payload)
        return Frame((major, minor), kind, id, payload)

    def answer(self):
        """The next frame decoded, or None at the end of the stream."""
        got = self.frame()
        if got is None:
            return None
        answer = decode(got)
        if isinstance(answer, Welcome):
            if got.version != answer.version or got.id != 0:
                raise Wrong("the header of WELCOME: version %r, id %d" % (got.version, got.id))
            self.agreed = answer.version
        return answer

    def hello(self, versions=((1, 0),), **more):
        self.send(hello(versions, **more))
        return self.answer()

    def welcome(self):
        """Says HELLO and expects WELCOME 1.0."""
        answer = self.hello()
        if not isinstance(answer, Welcome) or answer.version != (1, 0):
            raise Wrong("expected WELCOME 1.0, got %r" % (answer,))
        return self

    def last(self, id=None, progress=None):
        """The final answer, past PROGRESS frames, which are appended to `progress`."""
        while True:
            answer = self.answer()
            if isinstance(answer, Progress):
                if progress is None:
                    raise Wrong("PROGRESS that was not asked for: %r" % (answer,))
                if id is not None and answer.id != id:
                    raise Wrong("PROGRESS about request %d, expected %d" % (answer.id, id))
                progress.append(answer)
                continue
            if id is not None and answer is not None and answer.id != id:
                raise Wrong("an answer to request %d, expected %d: %r" % (answer.id, id, answer))
            return answer

    def ask(self, command, fields=b"", id=1):
        self.send(request(command, fields, id))
        return self.last(id)

    def upgrade(self, url, sha256, progress=None, id=1):
        """Asks for an upgrade and waits for its end; PROGRESS is asked for if a list is given."""
        self.send(upgrade(url, sha256, None if progress is None else 1, id))
        return self.last(id, progress)

    def notify(self, message, count=1, id=1):
        self.send(notify(message, count, id))
        return self.last(id)

    def status(self, id=1):
        answer = self.ask(GET_UPGRADE_STATUS, id=id)
        if not isinstance(answer, Response) or answer.kind != 3:
            raise Wrong("expected UpgradeStatus, got %r" % (answer,))
        return answer.value

    def ended(self):
        """True once the host has closed: EOF or a reset, and nothing before it. False if a byte
        comes, or nothing does for a while."""
        patience = self.socket.gettimeout()
        self.socket.settimeout(ENDS_WITHIN)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(patience)
