/* SPDX-License-Identifier: Apache-2.0 */
/* The sticks that are plugged in, from sysfs.
 *
 * Not from libvirt's node devices: those follow udev's events, in some set-ups in a daemon of its
 * own, and lag behind a stick that was just plugged in or pulled out. The kernel's own list does
 * not, and it is where libvirt's QEMU driver looks a device up when it attaches it.
 *
 * Threads  one.
 * Errors   0 or -errno. A host without USB has no sticks, which is no error; a device that goes
 *          away meanwhile is left out.
 */
#ifndef HOST_HSM_STICKS_H
#define HOST_HSM_STICKS_H

#include "host/steps/hsm_device.h"

#define HSM_STICKS_FOLDER "/sys/bus/usb/devices"

MUST_CHECK int hsm_sticks_read(const char *folder, struct hsm_usb_id id, struct hsm_sticks *ret);

#endif
