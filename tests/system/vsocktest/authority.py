# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of the test's own, made by openssl(1) in a folder of the test."""
import os
import ssl
import subprocess


class Authority:
    def __init__(self, folder, name="authority"):
        self._folder, self._name = folder, name
        self.certificate = self._path(name + ".pem")
        self._openssl("req", "-x509", *self._new_key(name), "-subj", "/CN=" + name, "-days", "2",
                      "-out", self.certificate)

    def context(self, name, address="127.0.0.1", days=2):
        """What a server shows that calls itself `address`; days=-1: it ended yesterday."""
        request, certificate = self._path(name + ".csr"), self._path(name + ".pem")
        extensions = self._path(name + ".ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName=IP:%s\n" % address)
        self._openssl("req", *self._new_key(name), "-subj", "/CN=" + name, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate,
                      "-CAkey", self._path(self._name + ".key"), "-CAcreateserial",
                      "-days", str(days), "-extfile", extensions, "-out", certificate)
        return self._loaded(name)

    def self_signed(self, name, address="127.0.0.1"):
        self._openssl("req", "-x509", *self._new_key(name), "-subj", "/CN=" + name, "-days", "2",
                      "-addext", "subjectAltName=IP:" + address, "-out", self._path(name + ".pem"))
        return self._loaded(name)

    def _loaded(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._path(name + ".pem"), self._path(name + ".key"))
        return context

    def _new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self._path(name + ".key"))

    def _path(self, name):
        return os.path.join(self._folder, name)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(("openssl",) + arguments, check=True, capture_output=True, timeout=60)
