/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the address that a connection is about to be made to, this machine's own ones included.
 *
 * Threads  any; asks the kernel anew each time, since addresses come and go. Without netlink, which
 *          the daemon's unit does not allow.
 * Errors   a shortage of the moment (failure_is_shortage) is its -errno. What cannot be judged for
 *          another reason is refused.
 */
#ifndef HOST_ADDRESS_GUARD_H
#define HOST_ADDRESS_GUARD_H

#include "wire/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The classes of the address (enum address_class) that are among the refused; 0: go on. */
MUST_CHECK int address_guard_judge(const struct sockaddr *address, uint32_t refused, uint32_t *ret);

/* 0: go on. -EACCES: it is refused. Another -errno: it cannot be judged for now. `why` then says so. */
MUST_CHECK int address_guard_check(const struct sockaddr *address, socklen_t length,
                                   uint32_t refused, char *why, size_t size);

/* Such as "127.0.0.1 is a refused address (loopback)". */
void address_guard_explain(const struct sockaddr *address, socklen_t length, uint32_t classes,
                           char *out, size_t size);

#endif
