/* SPDX-License-Identifier: Apache-2.0 */
/* Judges an address before it is connected to, this machine's own addresses included. The kernel is
 * asked each time, since addresses change; without netlink, which the daemon's unit does not allow.
 *
 * Errors   a shortage (failure_is_shortage) is its -errno. What cannot be judged for another reason is
 *          refused.
 */
#ifndef HOST_ADDRESS_GUARD_H
#define HOST_ADDRESS_GUARD_H

#include "wire/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The refused classes (enum address_class) that the address has; 0: it is allowed. */
MUST_CHECK int address_guard_judge(const struct sockaddr *address, uint32_t refused, uint32_t *ret);

/* 0: allowed. -EACCES: refused. Another -errno: it cannot be judged now. Errors set `why`. */
MUST_CHECK int address_guard_check(const struct sockaddr *address, socklen_t length,
                                   uint32_t refused, char *why, size_t size);

/* Such as "127.0.0.1 is a refused address (loopback; [upgrade] refused_addresses)". */
void address_guard_explain(const struct sockaddr *address, socklen_t length, uint32_t classes,
                           char *out, size_t size);

#endif
