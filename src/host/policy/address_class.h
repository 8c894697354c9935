/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 addresses that hold an IPv4 address, taken apart; address_classes() itself is declared in
 * url_policy.h.
 *
 * Threads  pure functions.
 * Units    IPv4 addresses are numbers in host byte order.
 */
#ifndef HOST_ADDRESS_CLASS_H
#define HOST_ADDRESS_CLASS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_HELD_MAX = 4 };

/* The IPv4 addresses that packets to this address may end at: an AF_INET address itself; what an
 * IPv4-mapped, -translated, -compatible, NAT64, 6to4 or Teredo address holds. There can be several, since
 * the local-use NAT64 prefix does not say where in the address the IPv4 part is. */
size_t address_held(const struct sockaddr *address, uint32_t held[ADDRESS_HELD_MAX]);

#endif
