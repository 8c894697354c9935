# SPDX-License-Identifier: Apache-2.0
"""The HostOS of one run, and who asks it (asker.py), as the tests speak to them."""
import os
import re
import shlex
import shutil
import tempfile

import machine
import payload
from machine import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CONFIGURATION = """[listen]
allowed_cids = %s
[upgrade]
ca_file = /srv/test/ca.pem
refused_addresses = link-local multicast unspecified own
keep_free = 64M
retries = 10
[reboot]
delay_seconds = 10
"""
DROP_IN = "/etc/vsock_host/vsock_host.conf.d/50-test.conf"


class World:
    def __init__(self, log_folder, asker):
        """asker: a class of asker.py."""
        self.log_folder = log_folder
        base_folder = asker.base()
        self.folder = tempfile.mkdtemp(prefix="vsock-vm-")
        accelerator = machine.find_accelerator(base_folder)
        tar = os.path.join(self.folder, "payload.tar")
        payload.make(self.folder, base_folder, os.path.join(ROOT, "build/packages"),
                     os.path.join(ROOT, "build/release/bin/hold_thread"), tar)
        self.host = machine.HostOS(self.folder, base_folder, accelerator, tar)
        self.transcript = []
        self.asker = asker(self.host)

    def start(self):
        """Boots the HostOS and gives it what a HostOS has before our package comes."""
        self.host.start()
        self.host.must("mkdir -p /srv/test /opt/ic/share /opt/ic/bin /var/lib/test && "
                       "tar -C /srv/test -xf /dev/vdb && chmod 755 /srv/test && "
                       "echo 1.0.0 >/opt/ic/share/version.txt && "
                       "cp /srv/test/install-upgrade.sh /opt/ic/bin/ && "
                       "dpkg-deb -x /srv/test/vsock-guest_*.deb /srv/test/guest")
        self.host.must("mkdir -p $(dirname {0}) && printf %s {1} >{0}".format(
            DROP_IN, shlex.quote(CONFIGURATION % self.asker.served)))
        self.asker.start()

    def serve_images(self):
        self.host.must("systemd-run -q --collect --unit=images python3 /srv/test/web.py "
                       "/srv/test/www /srv/test/web.pem /srv/test/web.key 443")
        wait_until(lambda: self.host.run("exec 3<>/dev/tcp/127.0.0.1/443").status == 0,
                   "the web server listens")

    def image(self, version):
        """(url, hash) of an image that holds this version."""
        name = version + ".tar"
        digest = self.host.must("sha256sum /srv/test/www/" + name).split()[0]
        return "https://images.test/" + name, digest

    # --- who asks ---

    def guest(self, arguments, seconds=120, by=None, **more):
        """Runs vsock_guest and notes what a user would see. by: another asker than this world's."""
        done = (by or self.asker).run(arguments, seconds, **more)
        cid = more.get("cid", (by or self.asker).cid)
        self._note("(CID %d) # vsock_guest %s\n" % (cid, arguments), done)
        return done

    def guest_in_background(self, arguments, name, by=None):
        asker = by or self.asker
        asker.begin(arguments, name)
        self.transcript.append("(CID %d, %s) # vsock_guest %s &\n" % (asker.cid, name, arguments))

    def wait_guest(self, name, by=None):
        """What the one in the background came to."""
        asker = by or self.asker
        done = asker.wait(name)
        self._note("(CID %d, %s has ended)\n" % (asker.cid, name), done)
        return done

    def _note(self, heading, done):
        self.transcript.append(heading + done.err + done.out)
        if done.status:
            self.transcript.append("(exit status %s)\n" % done.status)

    # --- the daemon ---

    def show(self, unit, name):
        return self.host.must("systemctl show -P %s %s" % (name, unit))

    def pid(self):
        return self.show("vsock_host.service", "MainPID")

    def wait_active(self):
        wait_until(lambda: self.show("vsock_host.service", "ActiveState") == "active",
                   "vsock_host.service is active")

    def journal(self, options=""):
        return self.host.must("journalctl --no-pager -o cat %s" % options)

    def close(self):
        """Leaves the journal, the consoles and the guest's transcript with the other logs."""
        os.makedirs(self.log_folder, exist_ok=True)
        try:
            if self.host.process is not None:
                text = self.host.run("journalctl --no-pager -o short-monotonic", 60).out
                self._keep("vm-journal.log", text)
        except (AssertionError, OSError):
            pass
        self.host.cut()
        self._keep("vm-console.log", self.host.consoles())
        self._keep("vm-transcript.txt", "".join(self.transcript))
        shutil.rmtree(self.folder)

    def _keep(self, name, text):
        with open(os.path.join(self.log_folder, name), "w") as file:
            file.write(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))
