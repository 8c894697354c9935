/* SPDX-License-Identifier: Apache-2.0 */
/* USB devices: the tokens of the host, from sysfs, and those that a domain holds.
 *
 * Not from libvirt's node devices: those follow udev's events, in some set-ups in a daemon of its
 * own, and lag behind a token that was just plugged in or pulled out. The kernel's own list does
 * not, and libvirt's QEMU driver looks a device up there when it attaches it.
 */
#ifndef HOST_HSM_USB_H
#define HOST_HSM_USB_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HSM_USB_MAX = 64,    /* USB devices that one domain may hold */
    HSM_TOKENS_MAX = 32, /* tokens of one vendor and product; more are ignored */
};

struct hsm_usb_id {
    uint32_t vendor;
    uint32_t product;
};

/* On the host. A token that is plugged in again gets another one. */
struct hsm_usb_address {
    uint32_t bus;
    uint32_t device;
};

/* A <hostdev> of type usb. A live domain's has an address, and an id if it was given one. */
struct hsm_hostdev {
    bool has_id;
    bool has_address;
    struct hsm_usb_id id;
    struct hsm_usb_address address;
};

struct hsm_domain {
    bool has_cid;
    uint32_t cid;
    size_t count;
    struct hsm_hostdev usb[HSM_USB_MAX];
};

/* By bus, then by device. */
struct hsm_usb_tokens {
    size_t count;
    struct hsm_usb_address token[HSM_TOKENS_MAX];
};

static inline bool hsm_same_id(struct hsm_usb_id a, struct hsm_usb_id b)
{
    return a.vendor == b.vendor && a.product == b.product;
}

static inline bool hsm_same_address(struct hsm_usb_address a, struct hsm_usb_address b)
{
    return a.bus == b.bus && a.device == b.device;
}

/* Digits of that base (10 or 16) alone. 0, -EINVAL or -ERANGE. */
MUST_CHECK int hsm_number_parse(const char *text, int base, uint32_t *ret);

/* Those that are plugged in. A host without USB has none, which is no error; a device that goes away
 * meanwhile is left out. */
#define HSM_USB_FOLDER "/sys/bus/usb/devices"

MUST_CHECK int hsm_usb_tokens_read(const char *folder, struct hsm_usb_id id,
                                   struct hsm_usb_tokens *ret);

#endif
