/* SPDX-License-Identifier: Apache-2.0 */
/* One try to connect to the host's address: the one file that makes AF_VSOCK sockets.
 *
 * Threads  one thread.
 */
#ifndef GUEST_CONNECT_H
#define GUEST_CONNECT_H

#include "wire/address.h"

/* 0 and a non-blocking, close-on-exec descriptor; -errno of socket() or connect(); -ETIME when the
 * deadline passed first; -ECANCELED when stop_fd became readable. */
MUST_CHECK int connect_to(const struct address *address, int stop_fd, int64_t deadline_ms,
                          int *ret_fd);

#endif
