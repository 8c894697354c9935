/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/address_guard.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/policy/address_class.h"
#include "host/policy/url_policy.h"

static bool same_ipv6(const struct sockaddr *a, const struct sockaddr *b)
{
    struct sockaddr_in6 left;
    struct sockaddr_in6 right;
    if (a->sa_family != AF_INET6 || b->sa_family != AF_INET6) {
        return false;
    }
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return memcmp(&left.sin6_addr, &right.sin6_addr, sizeof(left.sin6_addr)) == 0;
}

static bool same_ipv4(const struct sockaddr *address, const struct sockaddr *own)
{
    uint32_t held[ADDRESS_HELD_MAX];
    uint32_t owned[ADDRESS_HELD_MAX];
    if (own->sa_family != AF_INET || address_held(own, owned) != 1) {
        return false;
    }
    size_t count = address_held(address, held);
    for (size_t i = 0; i < count; i++) {
        if (held[i] == owned[0]) {
            return true;
        }
    }
    return false;
}

static bool is_own(const struct sockaddr *address)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0) {
        return true;
    }
    bool own = false;
    for (const struct ifaddrs *at = list; at != NULL && !own; at = at->ifa_next) {
        own = at->ifa_addr != NULL &&
              (same_ipv4(address, at->ifa_addr) || same_ipv6(address, at->ifa_addr));
    }
    freeifaddrs(list);
    return own;
}

/* True for an address that is one of this machine's only because every machine has it: it counts
 * as loopback, and whoever allows that means it. */
static bool is_loopback(uint32_t classes)
{
    return (classes & ADDRESS_LOOPBACK) != 0;
}

uint32_t address_guard_judge(const struct sockaddr *address, uint32_t refused)
{
    uint32_t classes = address_classes(address);
    if ((refused & ADDRESS_OWN) != 0 && !is_loopback(classes) && is_own(address)) {
        classes |= ADDRESS_OWN;
    }
    return classes & refused;
}

static void join_classes(uint32_t classes, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t bit = 1; bit != 0 && bit <= classes && used < size; bit <<= 1) {
        if ((classes & bit) != 0) {
            int written = snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                   address_class_name(bit));
            used += written > 0 ? (size_t)written : 0;
        }
    }
}

void address_guard_explain(const struct sockaddr *address, socklen_t length, uint32_t classes,
                           char *out, size_t size)
{
    char host[NI_MAXHOST];
    char names[128];
    if (getnameinfo(address, length, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0) {
        (void)snprintf(host, sizeof(host), "(no address)");
    }
    join_classes(classes, names, sizeof(names));
    (void)snprintf(out, size, "%s is a refused address (%s)", host, names);
}
