# SPDX-License-Identifier: Apache-2.0
"""The GuestOS: busybox and an agent (guest_agent.c) in an initramfs, under libvirt in the HostOS.

It takes minutes to boot, as an emulated machine in an emulated machine. So it is booted once, when
the base is made, and its state saved; a test restores that, with the CID that it wants, and puts the
program under test into it. For the HostOS that is a guest whose QEMU was just started.
"""
import os
import tempfile

import base
import initramfs
import machine

IMAGES = "/var/lib/libvirt/images"
# The libraries of vsock_guest, by a program that has them too.
LIBRARIES_OF = "/usr/lib/x86_64-linux-gnu/libjansson.so.4"
GUEST_MODULES = "virtio_pci virtio_console vmw_vsock_virtio_transport xhci-pci".split()
GUEST_INIT = """
mkdir -p /opt/ic/bin; ln -s /bin/vsock_guest /opt/ic/bin/vsock_guest
i=0; while [ ! -e /dev/vport0p1 ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
exec guest_agent /dev/vport0p1
"""
DOMAIN = """<domain type='qemu'>
  <name>guestos</name><uuid>6c8b5a8e-5d0e-4d53-9f0e-000000000003</uuid>
  <memory unit='MiB'>160</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/var/lib/libvirt/images/vmlinux</kernel><initrd>/var/lib/libvirt/images/guest.initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 mitigations=off nokaslr cryptomgr.notests random.trust_cpu=on</cmdline></os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='qemu-xhci'/>
    <channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/guest-3.sock'/>
      <target type='virtio' name='test'/></channel>
    <serial type='file'><source path='/var/log/libvirt/qemu/guestos-console.log'/></serial>
    <vsock model='virtio'><cid auto='no' address='3'/></vsock>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def make_files(folder, base_folder):
    """guest.initrd and guestos.xml."""
    files = [(path, path) for path in [LIBRARIES_OF] + initramfs.libraries(LIBRARIES_OF)]
    initramfs.make(os.path.join(folder, "guest.initrd"), base_folder, GUEST_INIT, GUEST_MODULES,
                   programs=[os.path.join(machine.PROGRAMS, "guest_agent")], files=files,
                   compress=False)
    with open(os.path.join(folder, "guestos.xml"), "w") as file:
        file.write(DOMAIN)


def keep(base_folder):
    """Boots the guest on the base's own disk, saves it there, and powers the HostOS off."""
    with tempfile.TemporaryDirectory(prefix="vsock-guest-") as folder:
        payload = os.path.join(folder, "payload.tar")
        tree = os.path.join(folder, "guest")
        os.makedirs(tree)
        make_files(tree, base_folder)
        base.run("tar", "-C", tree, "-cf", payload, ".")
        host = machine.HostOS(folder, base_folder, machine.find_accelerator(base_folder), payload,
                              os.path.join(base_folder, "host.ext4"))
        try:
            host.start()
            host.must("tar -C %s -xf /dev/vdb && modprobe vhost_vsock && cd %s && "
                      "virsh define guestos.xml && virsh start guestos" % (IMAGES, IMAGES))
            host.must("python3 /usr/local/lib/test-guest.py 3 600 run boot true", 620)
            host.must("virsh save guestos %s/guestos.save" % IMAGES)
            host.power_off()
        finally:
            host.cut()
