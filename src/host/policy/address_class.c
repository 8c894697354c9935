/* SPDX-License-Identifier: Apache-2.0 */
#include "host/policy/address_class.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

enum { IPV6_SIZE = 16 };

const char *address_class_name(unsigned bit)
{
    static const char *const names[] = {"loopback",    "link-local", "multicast",
                                        "unspecified", "own",        "private"};
    return bit < sizeof names / sizeof names[0] ? names[bit] : NULL;
}

/* Addresses in network byte order whose first `bits` bits are these. */
struct block {
    uint8_t address[IPV6_SIZE];
    unsigned bits;
};

struct class_block {
    struct block block;
    uint32_t class;
};

static const struct class_block ipv4_blocks[] = {
    {{{0}, 8}, ADDRESS_UNSPECIFIED}, /* Linux sends packets for 0.0.0.0 to this machine */
    {{{127}, 8}, ADDRESS_LOOPBACK},
    {{{169, 254}, 16}, ADDRESS_LINK_LOCAL},
    {{{224}, 4}, ADDRESS_MULTICAST},
    {{{240}, 4}, ADDRESS_MULTICAST}, /* reserved, and 255.255.255.255: never one machine */
    {{{10}, 8}, ADDRESS_PRIVATE},
    {{{172, 16}, 12}, ADDRESS_PRIVATE},
    {{{192, 168}, 16}, ADDRESS_PRIVATE},
    {{{100, 64}, 10}, ADDRESS_PRIVATE}, /* shared by carriers */
    {{{0}, 0}, 0},
};

static const struct class_block ipv6_blocks[] = {
    {{{0}, 128}, ADDRESS_UNSPECIFIED},
    {{{[15] = 1}, 128}, ADDRESS_LOOPBACK},
    {{{0xfe, 0x80}, 10}, ADDRESS_LINK_LOCAL},
    {{{0xff}, 8}, ADDRESS_MULTICAST},
    {{{0xfc}, 7}, ADDRESS_PRIVATE},
    {{{0xfe, 0xc0}, 10}, ADDRESS_PRIVATE}, /* site-local, deprecated but still routed by some */
    {{{0}, 0}, 0},
};

/* Where addresses of a block have an IPv4 address. */
struct embedding {
    struct block block;
    uint8_t at[4];
    uint8_t flip; /* exclusive or with each byte */
    bool sure;    /* false: not an IPv4 address if its first byte is 0 */
};

static const struct embedding embeddings[] = {
    {{{[10] = 0xff, 0xff}, 96}, {12, 13, 14, 15}, 0x00, true},          /* IPv4-mapped */
    {{{[8] = 0xff, 0xff}, 96}, {12, 13, 14, 15}, 0x00, true},           /* IPv4-translated */
    {{{0}, 96}, {12, 13, 14, 15}, 0x00, false},                         /* IPv4-compatible */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, {12, 13, 14, 15}, 0x00, true},     /* NAT64 */
    {{{0x20, 0x02}, 16}, {2, 3, 4, 5}, 0x00, true},                     /* 6to4 */
    {{{0x20, 0x01}, 32}, {12, 13, 14, 15}, 0xff, true},                 /* Teredo: the client */
    {{{0, 0x64, 0xff, 0x9b, 0, 1}, 48}, {6, 7, 9, 10}, 0x00, false},    /* RFC 8215, as /48 */
    {{{0, 0x64, 0xff, 0x9b, 0, 1}, 48}, {7, 9, 10, 11}, 0x00, false},   /* as /56 */
    {{{0, 0x64, 0xff, 0x9b, 0, 1}, 48}, {9, 10, 11, 12}, 0x00, false},  /* as /64 */
    {{{0, 0x64, 0xff, 0x9b, 0, 1}, 48}, {12, 13, 14, 15}, 0x00, false}, /* as /96 */
};

static bool in_block(const uint8_t *address, const struct block *block)
{
    size_t whole = block->bits / 8;
    unsigned rest = block->bits % 8;
    return memcmp(address, block->address, whole) == 0 &&
           (rest == 0 || ((address[whole] ^ block->address[whole]) >> (8 - rest)) == 0);
}

static uint32_t find_classes(const uint8_t *address, const struct class_block *blocks)
{
    uint32_t classes = 0;
    for (; blocks->class != 0; blocks++) {
        classes |= in_block(address, &blocks->block) ? blocks->class : 0;
    }
    return classes;
}

static uint32_t extract_ipv4(const uint8_t *address, const struct embedding *layout)
{
    uint32_t held = 0;
    for (size_t i = 0; i < sizeof layout->at; i++) {
        held = held << 8 | (uint8_t)(address[layout->at[i]] ^ layout->flip);
    }
    return held;
}

static struct in6_addr ipv6_of(const struct sockaddr *address)
{
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return in6.sin6_addr;
}

size_t address_held(const struct sockaddr *address, uint32_t held[ADDRESS_HELD_MAX])
{
    size_t count = 0;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        held[count++] = ntohl(in.sin_addr.s_addr);
    } else if (address->sa_family == AF_INET6) {
        struct in6_addr in6 = ipv6_of(address);
        for (size_t i = 0; i < sizeof embeddings / sizeof embeddings[0]; i++) {
            const struct embedding *layout = &embeddings[i];
            uint32_t inner = extract_ipv4(in6.s6_addr, layout);
            if (count < ADDRESS_HELD_MAX && in_block(in6.s6_addr, &layout->block) &&
                (layout->sure || inner >> 24 != 0)) {
                held[count++] = inner;
            }
        }
    }
    return count;
}

uint32_t address_classes(const struct sockaddr *address)
{
    uint32_t classes = 0;
    if (address->sa_family == AF_INET6) {
        struct in6_addr in6 = ipv6_of(address);
        classes = find_classes(in6.s6_addr, ipv6_blocks);
    } else if (address->sa_family != AF_INET) {
        return ADDRESS_UNSPECIFIED;
    }
    uint32_t held[ADDRESS_HELD_MAX];
    size_t count = address_held(address, held);
    for (size_t i = 0; i < count; i++) {
        uint32_t ipv4 = htonl(held[i]);
        classes |= find_classes((const uint8_t *)&ipv4, ipv4_blocks);
    }
    return classes;
}
