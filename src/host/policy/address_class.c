/* SPDX-License-Identifier: Apache-2.0 */
#include "host/policy/address_class.h"

#include "host/policy/url_policy.h"

#include <netinet/in.h>
#include <string.h>

enum { IPV6_SIZE = 16 };

struct class_name {
    uint32_t bit;
    const char *name;
};

static const struct class_name names[] = {
    {ADDRESS_LOOPBACK, "loopback"},
    {ADDRESS_LINK_LOCAL, "link-local"},
    {ADDRESS_MULTICAST, "multicast"},
    {ADDRESS_UNSPECIFIED, "unspecified"},
    {ADDRESS_OWN, "own"},
    {ADDRESS_PRIVATE, "private"},
};

const char *address_class_name(uint32_t bit)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].bit == bit) {
            return names[i].name;
        }
    }
    return NULL;
}

/* --- IPv4 --- */

struct ipv4_block {
    uint32_t address;
    unsigned bits;
    uint32_t class;
};

static const struct ipv4_block ipv4_blocks[] = {
    {0x00000000, 8, ADDRESS_UNSPECIFIED}, /* 0.0.0.0 leads to this machine on Linux */
    {0x7f000000, 8, ADDRESS_LOOPBACK},
    {0xa9fe0000, 16, ADDRESS_LINK_LOCAL},
    {0xe0000000, 4, ADDRESS_MULTICAST},
    {0xf0000000, 4, ADDRESS_MULTICAST}, /* reserved, and 255.255.255.255: never one machine */
    {0x0a000000, 8, ADDRESS_PRIVATE},
    {0xac100000, 12, ADDRESS_PRIVATE},
    {0xc0a80000, 16, ADDRESS_PRIVATE},
    {0x64400000, 10, ADDRESS_PRIVATE}, /* shared by carriers, 100.64.0.0/10 */
};

static uint32_t ipv4_classes(uint32_t address)
{
    uint32_t classes = 0;
    for (size_t i = 0; i < sizeof ipv4_blocks / sizeof ipv4_blocks[0]; i++) {
        uint32_t mask = UINT32_MAX << (32 - ipv4_blocks[i].bits);
        if ((address & mask) == ipv4_blocks[i].address) {
            classes |= ipv4_blocks[i].class;
        }
    }
    return classes;
}

/* --- IPv6 --- */

struct ipv6_block {
    uint8_t address[IPV6_SIZE];
    unsigned bits;
    uint32_t class;
};

static const struct ipv6_block ipv6_blocks[] = {
    {{0}, 128, ADDRESS_UNSPECIFIED},
    {{[15] = 1}, 128, ADDRESS_LOOPBACK},
    {{0xfe, 0x80}, 10, ADDRESS_LINK_LOCAL},
    {{0xff}, 8, ADDRESS_MULTICAST},
    {{0xfc}, 7, ADDRESS_PRIVATE},
    {{0xfe, 0xc0}, 10, ADDRESS_PRIVATE}, /* site-local, deprecated but still routed by some */
};

/* Where a block keeps the four bytes of an IPv4 address. */
struct embedding {
    uint8_t address[IPV6_SIZE];
    unsigned bits;
    uint8_t at[4];
    uint8_t flip; /* exclusive or with each byte */
    bool sure;    /* false: a first byte 0 says that it is something else */
};

static const struct embedding embeddings[] = {
    {{[10] = 0xff, 0xff}, 96, {12, 13, 14, 15}, 0x00, true},          /* IPv4-mapped */
    {{[8] = 0xff, 0xff}, 96, {12, 13, 14, 15}, 0x00, true},           /* IPv4-translated */
    {{0}, 96, {12, 13, 14, 15}, 0x00, false},                         /* IPv4-compatible */
    {{0x00, 0x64, 0xff, 0x9b}, 96, {12, 13, 14, 15}, 0x00, true},     /* NAT64 */
    {{0x20, 0x02}, 16, {2, 3, 4, 5}, 0x00, true},                     /* 6to4 */
    {{0x20, 0x01}, 32, {12, 13, 14, 15}, 0xff, true},                 /* Teredo: the client */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, {6, 7, 9, 10}, 0x00, false},    /* RFC 8215, as /48 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, {7, 9, 10, 11}, 0x00, false},   /* as /56 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, {9, 10, 11, 12}, 0x00, false},  /* as /64 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, {12, 13, 14, 15}, 0x00, false}, /* as /96 */
};

static bool in_block(const uint8_t *address, const uint8_t *block, unsigned bits)
{
    size_t whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(address, block, whole) != 0) {
        return false;
    }
    return rest == 0 || ((address[whole] ^ block[whole]) >> (8 - rest)) == 0;
}

static uint32_t embedded(const uint8_t *address, const struct embedding *layout)
{
    uint32_t held = 0;
    for (size_t i = 0; i < sizeof layout->at; i++) {
        held = held << 8 | (uint8_t)(address[layout->at[i]] ^ layout->flip);
    }
    return held;
}

static size_t ipv6_held(const uint8_t *address, uint32_t held[ADDRESS_HELD_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof embeddings / sizeof embeddings[0]; i++) {
        const struct embedding *layout = &embeddings[i];
        if (count < ADDRESS_HELD_MAX && in_block(address, layout->address, layout->bits)) {
            uint32_t inner = embedded(address, layout);
            if (layout->sure || inner >> 24 != 0) {
                held[count++] = inner;
            }
        }
    }
    return count;
}

static uint32_t ipv6_classes(const uint8_t *address)
{
    uint32_t classes = 0;
    for (size_t i = 0; i < sizeof ipv6_blocks / sizeof ipv6_blocks[0]; i++) {
        if (in_block(address, ipv6_blocks[i].address, ipv6_blocks[i].bits)) {
            classes |= ipv6_blocks[i].class;
        }
    }
    return classes;
}

size_t address_held(const struct sockaddr *address, uint32_t held[ADDRESS_HELD_MAX])
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        held[0] = ntohl(in.sin_addr.s_addr);
        return 1;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return ipv6_held(in6.sin6_addr.s6_addr, held);
    }
    return 0;
}

uint32_t address_classes(const struct sockaddr *address)
{
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6) {
        return ADDRESS_UNSPECIFIED;
    }
    uint32_t classes = 0;
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        classes = ipv6_classes(in6.sin6_addr.s6_addr);
    }
    uint32_t held[ADDRESS_HELD_MAX];
    size_t count = address_held(address, held);
    for (size_t i = 0; i < count; i++) {
        classes |= ipv4_classes(held[i]);
    }
    return classes;
}
