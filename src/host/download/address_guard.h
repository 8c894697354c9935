/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the address that a connection is about to be made to, this machine's own ones included.
 *
 * Threads  any; asks the kernel anew each time, since addresses come and go. Without netlink, which
 *          the daemon's unit does not allow.
 * Errors   what cannot be judged is refused.
 */
#ifndef HOST_ADDRESS_GUARD_H
#define HOST_ADDRESS_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The classes of the address (enum address_class) that are among the refused; 0: go on. */
uint32_t address_guard_judge(const struct sockaddr *address, uint32_t refused);

/* Such as "127.0.0.1 is a refused address (loopback)". */
void address_guard_explain(const struct sockaddr *address, socklen_t length, uint32_t classes,
                           char *out, size_t size);

#endif
