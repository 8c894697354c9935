# SPDX-License-Identifier: Apache-2.0
"""Who runs vsock_guest: a process of the HostOS over the loopback of AF_VSOCK, or one in a GuestOS.

`guest` is who asks from a GuestOS as long as the HostOS is not rebooted.

An emulated machine in an emulated machine takes minutes for what takes the other seconds. So the story
is told over loopback in each run, with a few words from a GuestOS; and all from there where there is the
time.
"""
import shlex

import cache
from guest import NOT_ENDED
from machine import wait_until

HSM_PRODUCT = "Test HSM"
DESTROY = "virsh destroy guestos >/dev/null 2>&1; "


class Loopback:
    """CID 1. There is a GuestOS too: it boots meanwhile, and has the HSM when it is attached. In the JSON
    dialects only that one can ask: beside it a process of the HostOS takes itself for CID 2."""
    cid = 1
    served = "1 3"

    @staticmethod
    def base():
        return cache.hostos()

    def __init__(self, host):
        self._host = host
        self.guest = GuestOS(host)

    def start(self):
        self._host.must("dpkg -i /srv/test/vsock-guest_*.deb")
        self.arrive()
        self.guest.boot()

    def arrive(self):
        """After each boot of the HostOS."""
        self._host.must("modprobe vsock_loopback")

    def run(self, arguments, seconds):
        return self._host.run("VSOCK_HOST_ADDRESS=vsock:1:19090 vsock_guest " + arguments, seconds)

    def begin(self, arguments, name):
        self._host.must("(VSOCK_HOST_ADDRESS=vsock:1:19090 vsock_guest {0} >/run/{1}.out 2>/run/{1}.err; "
                        "echo $? >/run/{1}.status) >/dev/null 2>&1 &".format(arguments, name))

    def wait(self, name):
        wait_until(lambda: self._host.run("cat /run/%s.status" % name).out, name + " ends")
        return self._host.run("cd /run; cat {0}.out; cat {0}.err >&2; exit $(cat {0}.status)".format(
            name))

    def has_hsm(self):
        return HSM_PRODUCT in self._host.must("virsh qemu-monitor-command guestos --hmp info usb")


class GuestOS:
    """CID 3, or another one that the test wants."""
    cid = 3
    served = "3"
    saved = "/var/lib/libvirt/images/guestos.save"
    ready = "/var/lib/test/guestos.save"  # the same with the program in it

    @staticmethod
    def base():
        return cache.guestos()

    def __init__(self, host):
        self._host = host
        self._prepared = False
        self.guest = self

    def start(self):
        pass

    def arrive(self):
        self.start_guest()

    def boot(self):
        """A guest that was not saved: wait_guest() waits for it."""
        self._host.must("modprobe vhost_vsock && cp /srv/test/guest.initrd /var/lib/libvirt/images && "
                        "virsh define /srv/test/guestos.xml && virsh start guestos")

    def start_guest(self, cid=3):
        """A guest with this CID, whose QEMU is started now; what ran before is gone."""
        saved = self.ready if self._prepared else self.saved
        self._host.must(
            DESTROY + "set -e; "
            "virsh save-image-dumpxml %s | sed \"/<cid /s/address='[0-9]*'/address='%d'/; "
            "s/guest-[0-9]*.sock/guest-%d.sock/\" >/run/guest.xml; "
            "virsh restore %s --xml /run/guest.xml" % (saved, cid, cid, saved))
        if not self._prepared:
            self._put_program(cid)
            self._host.must("virsh save guestos " + self.ready)
            self._prepared = True
            self.start_guest(cid)

    def _put_program(self, cid=3):
        done = self._ask("put", "/bin/vsock_guest", ["/srv/test/guest/usr/bin/vsock_guest"], cid)
        assert done.status == 0, done

    def reboot_guest(self):
        """The machine is reset under a running system; wait_guest() waits for it."""
        self._host.must("virsh reset guestos")

    def wait_guest(self):
        wait_until(lambda: self._ask("run", "boot", ["true"]).status == 0, "the guest has booted")
        self._put_program()

    def _ask(self, kind, name, arguments, cid=3, seconds=120):
        """What guest.py says of it: the agent of the guest has kinds of request (guest_agent.c)."""
        return self._host.run("python3 /usr/local/lib/test-guest.py %d %d %s %s %s" % (
            cid, seconds, kind, name, shlex.join(arguments)), seconds + 30)

    def run(self, arguments, seconds, cid=3):
        return self._ask("run", "run", ["vsock_guest"] + shlex.split(arguments), cid, seconds)

    def shell(self, script):
        return self._ask("run", "shell", ["sh", "-c", script])

    def begin(self, arguments, name):
        done = self._ask("begin", name, ["vsock_guest"] + shlex.split(arguments))
        assert done.status == 0, done

    def wait(self, name):
        """What the one in the background came to."""
        def ended():
            done = self._ask("result", name, [])
            return done if done.status != NOT_ENDED else None
        return wait_until(ended, "%s ends in the guest" % name)

    def has_hsm(self):
        script = ("for d in /sys/bus/usb/devices/*; do [ -f $d/product ] && read p <$d/product && "
                  "echo $p; done")
        return HSM_PRODUCT in self._ask("run", "usb", ["sh", "-c", script]).out
