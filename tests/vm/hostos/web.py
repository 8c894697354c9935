# SPDX-License-Identifier: Apache-2.0
"""usage: web.py FOLDER CERTIFICATE KEY PORT: serves a folder over HTTPS, with Range; FOLDER/rate,
when it is there, holds the bytes a second that an answer may have."""
import http.server
import os
import re
import ssl
import sys
import time

CHUNK = 64 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = None

    def do_GET(self):
        path = os.path.join(self.folder, os.path.basename(self.path))
        try:
            file = open(path, "rb")
        except OSError:
            self.send_error(404)
            return
        with file:
            total = os.fstat(file.fileno()).st_size
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            first = int(found.group(1)) if found else 0
            self.send_response(206 if found else 200)
            if found:
                self.send_header("Content-Range", "bytes %d-%d/%d" % (first, total - 1, total))
            self.send_header("ETag", '"%d-%d"' % (total, os.fstat(file.fileno()).st_mtime))
            self.send_header("Content-Length", str(total - first))
            self.end_headers()
            file.seek(first)
            self.send_slowly(file)

    def send_slowly(self, file):
        for chunk in iter(lambda: file.read(CHUNK), b""):
            self.wfile.write(chunk)
            try:
                with open(os.path.join(self.folder, "rate")) as rate:
                    time.sleep(CHUNK / float(rate.read()))
            except OSError:
                pass


def main(folder, certificate, key, port):
    Handler.folder = folder
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
