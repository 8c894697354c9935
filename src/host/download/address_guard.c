/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/address_guard.h"

#include "host/download/failure.h"
#include "host/policy/address_class.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANY_PORT = 9 }; /* for a socket that never sends */

/* What a failed call says of an address: `own`, or that it cannot be judged now. */
static int judge_error(bool own, bool *ret)
{
    int error = -errno;
    if (failure_is_shortage(error)) {
        return error;
    }
    *ret = own;
    return 0;
}

/* The kernel sends from the address that it sends to exactly if that is one of its own. Connecting a
 * datagram socket asks for that choice, and sends nothing (udp(7)). */
static int sends_to_itself(const struct sockaddr *address, socklen_t length, size_t at, size_t size,
                           bool *ret)
{
    struct sockaddr_storage source = {.ss_family = AF_UNSPEC};
    socklen_t source_length = sizeof source;
    int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        /* Without the family nothing is connected to either. */
        return judge_error(errno != EAFNOSUPPORT, ret);
    }
    int error = 0;
    if (connect(fd, address, length) != 0) {
        error = judge_error(false, ret); /* no route: not this machine */
    } else {
        *ret = getsockname(fd, (struct sockaddr *)&source, &source_length) != 0 ||
               memcmp((const char *)&source + at, (const char *)address + at, size) == 0;
    }
    (void)close(fd); /* nothing was written */
    return error;
}

static int is_own_ipv4(uint32_t held, bool *ret)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(ANY_PORT), .sin_addr.s_addr = htonl(held)};
    return sends_to_itself((const struct sockaddr *)&address, sizeof address,
                           offsetof(struct sockaddr_in, sin_addr), sizeof address.sin_addr, ret);
}

static int is_own_ipv6(const struct sockaddr *address, bool *ret)
{
    struct sockaddr_in6 probed;
    memcpy(&probed, address, sizeof probed);
    probed.sin6_port = htons(ANY_PORT);
    return sends_to_itself((const struct sockaddr *)&probed, sizeof probed,
                           offsetof(struct sockaddr_in6, sin6_addr), sizeof probed.sin6_addr, ret);
}

static int is_own(const struct sockaddr *address, bool *ret)
{
    uint32_t held[ADDRESS_HELD_MAX];
    size_t count = address_held(address, held);
    int error = 0;
    *ret = false;
    for (size_t i = 0; error == 0 && !*ret && i < count; i++) {
        error = is_own_ipv4(held[i], ret);
    }
    if (error == 0 && !*ret && address->sa_family == AF_INET6) {
        error = is_own_ipv6(address, ret);
    }
    return error;
}

/* True for an address that is one of this machine's only because every machine has it: it counts
 * as loopback, and whoever allows that means it. */
static bool is_loopback(uint32_t classes)
{
    return (classes & ADDRESS_LOOPBACK) != 0;
}

int address_guard_judge(const struct sockaddr *address, uint32_t refused, uint32_t *ret)
{
    bool own = false;
    uint32_t classes = address_classes(address);
    int error = 0;
    if ((refused & ADDRESS_OWN) != 0 && !is_loopback(classes)) {
        error = is_own(address, &own);
    }
    if (error != 0 && (classes & refused) == 0) {
        return error;
    }
    *ret = (classes | (own ? (uint32_t)ADDRESS_OWN : 0)) & refused;
    return 0;
}

static void join_classes(uint32_t classes, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned bit = 0; bit < 32 && used < size; bit++) {
        if ((classes >> bit & 1) != 0) {
            int written = snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                   address_class_name(bit));
            used += written > 0 ? (size_t)written : 0;
        }
    }
}

int address_guard_check(const struct sockaddr *address, socklen_t length, uint32_t refused,
                        char *why, size_t size)
{
    uint32_t classes = 0;
    int error = address_guard_judge(address, refused, &classes);
    if (error != 0) {
        (void)snprintf(why, size, "an address cannot be judged: %s", strerror(-error));
        return error;
    }
    if (classes != 0) {
        address_guard_explain(address, length, classes, why, size);
        return -EACCES;
    }
    return 0;
}

void address_guard_explain(const struct sockaddr *address, socklen_t length, uint32_t classes,
                           char *out, size_t size)
{
    char host[NI_MAXHOST];
    char names[128];
    if (getnameinfo(address, length, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0) {
        (void)snprintf(host, sizeof host, "(no address)");
    }
    join_classes(classes, names, sizeof names);
    (void)snprintf(out, size, "%s is a refused address (%s; [upgrade] refused_addresses)", host,
                   names);
}
