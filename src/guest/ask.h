/* SPDX-License-Identifier: Apache-2.0 */
/* One command from the search for the host to the answer, or to what came in its place.
 *
 * Threads  one thread.
 * Owner    the outcome's texts are in the asking; they live until ask_done.
 */
#ifndef GUEST_ASK_H
#define GUEST_ASK_H

#include "compat/client.h"
#include "guest/screen.h"
#include "wire/address.h"
#include "wire/attributes.h"

#include <stdint.h>

/* The CID of this machine, which requests in JSON tell.
 *
 * Threads  any.
 * Errors   0 or -errno.
 */
enum { LOCAL_CID_DEFAULT = 3 }; /* the first guest's */

/* Asks the vsock device (/dev/vsock; ioctl IOCTL_VM_SOCKETS_GET_LOCAL_CID, vsock(7)). No
 * device is -EAFNOSUPPORT; what the kernel says while it does not know yet is -EADDRNOTAVAIL. */
MUST_CHECK int local_cid_read(const char *device, uint32_t *ret);

/* The CID that a Unix socket stands for: `value` of VSOCK_LOCAL_CID, or NULL for the default.
 * -EINVAL: not a number below 2^32 - 1. */
MUST_CHECK int local_cid_parse(const char *value, uint32_t *ret);

/* One try to connect to the host's address: the one file that makes AF_VSOCK sockets.
 *
 * Threads  one thread.
 */
/* 0 and a non-blocking, close-on-exec descriptor; -errno of socket() or connect(); -ETIME when the
 * deadline passed first; -ECANCELED when stop_fd became readable. */
MUST_CHECK int connect_to(const struct address *address, int stop_fd, int64_t deadline_ms,
                          int *ret_fd);

/* get-upgrade-status --follow: asked once a second, through restarts of the host, until there is
 * nothing more to wait for.
 *
 * Threads  one thread.
 */

/* True when an upgrade in this phase has ended; an unknown phase has not. */
bool follow_has_ended(unsigned phase);

struct asking {
    const struct options *options;
    struct screen *screen;
    int stop_fd;
    int64_t deadline_ms;
    int64_t trying_since_ms; /* 0: every try so far was the first */
    bool noted;
    struct client client;
    struct client_outcome outcome;
};

void ask_run(struct asking *asking, const struct options *options, struct screen *screen,
             int stop_fd, int64_t deadline_ms);
void ask_done(struct asking *asking);

#endif
