# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 server on 127.0.0.1 with an ephemeral port, which misbehaves as told.

    web = WebServer()
    web.put("/image", Resource(content))                         # a good server, with Range
    web.put("/image", Resource(content, faults=[Cut(1000), None]))   # cut once, then good
    web.put("/image", Resource(old, faults=[Cut(9), Resource(new)]))  # another file from then on
    web.url("/image"), web.requests

A resource's faults are taken one per request, in order; the last one stays for those after it.
"""
import collections
import hashlib
import re
import socket
import struct
import threading

Request = collections.namedtuple("Request", "method path headers")


class Status:
    """Answers with a status and a short page."""

    def __init__(self, code, headers=()):
        self.code, self.headers = code, dict(headers)


class Redirect(Status):
    def __init__(self, location, code=302):
        super().__init__(code, {"Location": location})


class Cut:
    """Ends the connection in order after that many bytes of the body."""

    def __init__(self, after):
        self.after = after


class Reset(Cut):
    """The same with a reset; after=-1: before the answer begins."""


class Stall:
    """Sends that many bytes of the body, then nothing until web.release(), then the rest."""

    def __init__(self, after):
        self.after = after


class Drip:
    """Sends pieces of `size` bytes with `pause` seconds between them."""

    def __init__(self, size, pause):
        self.size, self.pause = size, pause


class Raw:
    """Answers with exactly these bytes, then ends the connection."""

    def __init__(self, *pieces):
        self.content = b"".join(pieces)


class Resource:
    def __init__(self, content, etag='"1"', modified=None, ranges=True, chunked=False,
                 faults=(None,), headers=()):
        self.content, self.etag, self.modified = content, etag, modified
        self.ranges, self.chunked, self.headers = ranges, chunked, dict(headers)
        self.faults = list(faults)

    @property
    def sha256(self):
        return hashlib.sha256(self.content).digest()

    def next_fault(self):
        return self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]


class WebServer:
    """With `tls`, an ssl.SSLContext, it speaks HTTPS; its handshakes wait for release() when
    `handshakes` is False."""

    def __init__(self, tls=None, handshakes=True):
        self._tls, self._handshakes = tls, handshakes
        self.requests = []
        self._resources = {}
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._sockets = set()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def url(self, path, host="127.0.0.1"):
        return "%s://%s:%d%s" % ("https" if self._tls else "http", host, self.port, path)

    def put(self, path, resource):
        with self._lock:
            self._resources[path] = resource
        return self.url(path)

    def count(self, path):
        with self._lock:
            return sum(1 for request in self.requests if request.path == path)

    def clients(self):
        """How many are connected."""
        with self._lock:
            return len(self._sockets)

    def release(self):
        """Lets every stalled or dripping answer go on at full speed."""
        self._released.set()

    def close(self):
        self.release()
        if self._listener.fileno() < 0:
            return
        # The thread ends before the descriptor, whose number the next socket may get.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with self._lock:
            for each in self._sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._sockets.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection = self._secured(connection)
            stream = connection.makefile("rb")
            while self._one(connection, stream):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._sockets.discard(connection)
                connection.close()

    def _secured(self, connection):
        """The connection after the handshake; a client that refuses us is an OSError."""
        if self._tls is None:
            return connection
        if not self._handshakes:
            self._released.wait(120)
        secured = self._tls.wrap_socket(connection, server_side=True,
                                        do_handshake_on_connect=False)
        with self._lock:
            self._sockets.discard(connection)
            self._sockets.add(secured)
        try:
            secured.do_handshake()
        except OSError:
            with self._lock:
                self._sockets.discard(secured)
                secured.close()
            raise
        return secured

    def _one(self, connection, stream):
        """Serves one request; True if the connection can take another."""
        line = stream.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = {}
        while True:
            text = stream.readline(65536).decode("latin-1")
            if text in ("", "\r\n", "\n"):
                break
            key, _, value = text.partition(":")
            headers[key.strip().lower()] = value.strip()
        path = line[1]
        with self._lock:
            self.requests.append(Request(line[0], path, headers))
            resource = self._resources.get(path)
            fault = resource.next_fault() if isinstance(resource, Resource) else resource
            if isinstance(fault, Resource):
                resource, fault = fault, fault.next_fault()
        if resource is None:
            fault = Status(404)
        if isinstance(fault, Status):
            return self._page(connection, fault)
        if isinstance(fault, Raw):
            connection.sendall(fault.content)
            return False
        return self._content(connection, line[0], headers, resource, fault)

    def _page(self, connection, status):
        body = b"status %d\n" % status.code
        self._head(connection, "%d Told" % status.code,
                   dict(status.headers, **{"Content-Length": str(len(body))}))
        connection.sendall(body)
        return True

    @staticmethod
    def _head(connection, status, headers):
        text = "HTTP/1.1 %s\r\n" % status
        text += "".join("%s: %s\r\n" % pair for pair in headers.items())
        connection.sendall((text + "\r\n").encode("latin-1"))

    @staticmethod
    def _start(headers, resource):
        """Where a Range request begins, or 0 for the whole."""
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        if not asked or not resource.ranges:
            return 0
        condition = headers.get("if-range")
        if condition and condition not in (resource.etag, resource.modified):
            return 0
        return int(asked.group(1))

    def _content(self, connection, method, headers, resource, fault):
        if isinstance(fault, Reset) and fault.after < 0:
            return self._reset(connection)
        total, start = len(resource.content), self._start(headers, resource)
        if start and start >= total:
            return self._page(connection, Status(416, {"Content-Range": "bytes */%d" % total}))
        body = memoryview(resource.content)[start:]
        answer = dict(resource.headers)
        for key, value in (("ETag", resource.etag), ("Last-Modified", resource.modified)):
            if value:
                answer[key] = value
        if start:
            answer["Content-Range"] = "bytes %d-%d/%d" % (start, total - 1, total)
        if resource.chunked:
            answer["Transfer-Encoding"] = "chunked"
        else:
            answer["Content-Length"] = str(len(body))
        self._head(connection, "206 Partial Content" if start else "200 OK", answer)
        if method == "HEAD":
            return True
        return self._body(connection, body, resource.chunked, fault)

    def _body(self, connection, body, chunked, fault):
        end = max(min(fault.after, len(body)), 0) if isinstance(fault, Cut) else len(body)
        size = fault.size if isinstance(fault, Drip) else 262144
        at = 0
        while at < end:
            step = min(size, end - at)
            if isinstance(fault, Stall) and at <= fault.after < at + step:
                step = fault.after - at
                if step == 0:
                    self._released.wait(120)
                    fault = None
                    continue
            piece = body[at:at + step]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            at += step
            if isinstance(fault, Drip) and not self._released.is_set():
                self._released.wait(fault.pause)
        if isinstance(fault, Reset):
            return self._reset(connection)
        if isinstance(fault, Cut) or end < len(body):
            return False
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        return True

    @staticmethod
    def _reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
