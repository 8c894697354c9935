/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of IP addresses that [upgrade] refused_addresses names.
 *
 * Source   RFC 4291 (IPv6 classes), RFC 2765 (IPv4-translated ::ffff:0:0:0/96), RFC 6052 and RFC 8215
 *          (NAT64), RFC 6890.
 */
#ifndef HOST_POLICY_ADDRESS_CLASS_H
#define HOST_POLICY_ADDRESS_CLASS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address can be of several classes. */
enum address_class {
    ADDRESS_LOOPBACK = 1 << 0,
    ADDRESS_LINK_LOCAL = 1 << 1,
    ADDRESS_MULTICAST = 1 << 2,
    ADDRESS_UNSPECIFIED = 1 << 3,
    ADDRESS_OWN = 1 << 4, /* an address of this machine; not set by address_classes() */
    ADDRESS_PRIVATE = 1 << 5,
};

/* The name of a bit by its number: "loopback" for 0. NULL: there is no such bit. */
const char *address_class_name(unsigned bit);

/* IPv4-mapped, -translated, -compatible, NAT64, 6to4 and Teredo addresses have also the classes of the
 * IPv4 address in them. ADDRESS_UNSPECIFIED for any family but AF_INET and AF_INET6, so that nothing
 * unknown passes. */
uint32_t address_classes(const struct sockaddr *address);

enum { ADDRESS_HELD_MAX = 4 };

/* The IPv4 addresses, in host byte order, that packets to this address may be sent to: an AF_INET
 * address itself; the one in an IPv6 address of the forms above. There can be several, since the
 * local-use NAT64 prefix does not say where in the address the IPv4 part is. */
size_t address_held(const struct sockaddr *address, uint32_t held[ADDRESS_HELD_MAX]);

#endif
