/* SPDX-License-Identifier: Apache-2.0 */
/* The CID of this machine, which requests in JSON tell.
 *
 * Threads  any.
 * Errors   0 or -errno.
 */
#ifndef GUEST_LOCAL_CID_H
#define GUEST_LOCAL_CID_H

#include "wire/attributes.h"

#include <stdint.h>

enum { LOCAL_CID_DEFAULT = 3 }; /* the first guest's */

/* Asks the vsock device (/dev/vsock; ioctl IOCTL_VM_SOCKETS_GET_LOCAL_CID, vsock(7)). No
 * device is -EAFNOSUPPORT; what the kernel says while it does not know yet is -EADDRNOTAVAIL. */
MUST_CHECK int local_cid_read(const char *device, uint32_t *ret);

/* The CID that a Unix socket stands for: `value` of VSOCK_LOCAL_CID, or NULL for the default.
 * -EINVAL: not a number below 2^32 - 1. */
MUST_CHECK int local_cid_parse(const char *value, uint32_t *ret);

#endif
