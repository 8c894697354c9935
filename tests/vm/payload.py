# SPDX-License-Identifier: Apache-2.0
"""What goes into the HostOS for one run, as a tar on a disk of its own: the packages, the GuestOS, images to
install, a CA and a web server."""
import glob
import os
import shutil

import base
import guestos

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES = ("2.0.0", "3.0.0")  # versions that can be installed
IMAGE_BYTES = 4 << 20


def make_certificates(folder):
    """A CA, and a certificate of it for images.test."""
    def openssl(*words):
        base.run("openssl", *words, cwd=folder)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "7", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=images.test", "-keyout", "web.key", "-out", "web.csr")
    with open(os.path.join(folder, "web.ext"), "w") as file:
        file.write("subjectAltName=DNS:images.test\n")
    openssl("x509", "-req", "-in", "web.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "7", "-extfile", "web.ext", "-out", "web.pem")


def make_image(folder, version):
    """A tar with the version file and as much noise as makes a download take a moment."""
    work = os.path.join(folder, "image.work")
    os.makedirs(work)
    with open(os.path.join(work, "version.txt"), "w") as file:
        file.write(version + "\n")
    with open(os.path.join(work, "noise"), "wb") as file:
        file.write(os.urandom(IMAGE_BYTES))
    base.run("tar", "-cf", os.path.join(folder, version + ".tar"), "version.txt", "noise", cwd=work)
    shutil.rmtree(work)


def make(folder, base_folder, packages, hold_thread, out):
    """Writes the tar `out`. packages: where scripts/package left its files."""
    tree = os.path.join(folder, "payload")
    shutil.copytree(os.path.join(HERE, "hostos"), tree)
    os.makedirs(os.path.join(tree, "www"))
    make_certificates(tree)
    guestos.make_files(tree, base_folder)
    for version in IMAGES:
        make_image(os.path.join(tree, "www"), version)
    for deb in glob.glob(os.path.join(packages, "vsock-*_*.deb")):
        if "dbgsym" not in deb:
            shutil.copy(deb, tree)
    shutil.copy(hold_thread, os.path.join(tree, "hold_thread"))
    base.run("tar", "-C", tree, "-cf", out, ".")
