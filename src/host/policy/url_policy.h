/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs and which addresses an upgrade may be fetched from: a pure judgement that sees every
 * hop of a redirect chain, and every address that is really connected to.
 *
 * Threads  pure functions over a constant policy.
 * Source   RFC 3986 (URL), RFC 4291 (IPv6 classes), RFC 2765 (IPv4-translated ::ffff:0:0:0/96),
 *          RFC 6052 (NAT64 64:ff9b::/96), RFC 6890.
 */
#ifndef HOST_POLICY_URL_POLICY_H
#define HOST_POLICY_URL_POLICY_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* URLs taken apart by libcurl's own parser, so that what is judged and shown is what would be
 * fetched.
 *
 * Threads  pure functions.
 * Errors   0 or -errno. url_parse: -EINVAL with the parser's reason in `why`, -ENOMEM.
 * Owner    url_parse allocates, url_done frees.
 * Source   RFC 3986; curl_url_set(3).
 */
/* What decides where a request goes. Never NULL: a part that is absent is "". */
struct url {
    char *scheme; /* lower case */
    char *host;   /* lower case, percent-decoded, without a last dot; IPv6 in brackets; IPv4 dotted
                     however it was spelled */
    char *port;   /* decimal; the scheme's own if the URL names none */
    char *zone;   /* of a link-local IPv6 address */
    char *path;   /* literal dot segments removed, as libcurl sends it; still percent-encoded */
};

/* The URL as people may see it, in a log or an answer: without user and password, without the
 * fragment, and with "?..." for a query, since signed URLs keep their secret there. Escaped, one
 * line. What cannot be parsed becomes "(a url that cannot be read)". */
void url_show(const char *url, char *out, size_t size);

/* The URL without user, password and fragment: two URLs are the same resource if this is equal.
 * -ENOBUFS when it does not fit. */
MUST_CHECK int url_identity(const char *url, char *out, size_t size);

/* Where a redirect leads: `location` against `base`. User and password of `asked` go along only to
 * the same scheme, host and port; those that a Location holds are dropped. */
MUST_CHECK int url_redirect(const char *asked, const char *base, const char *location, char *out,
                            size_t size);

/* Bits of [upgrade] refused_addresses. An address can be of several classes. */
enum address_class {
    ADDRESS_LOOPBACK = 1 << 0,
    ADDRESS_LINK_LOCAL = 1 << 1,
    ADDRESS_MULTICAST = 1 << 2,
    ADDRESS_UNSPECIFIED = 1 << 3,
    ADDRESS_OWN = 1 << 4, /* an address of this machine; not set by address_classes() */
    ADDRESS_PRIVATE = 1 << 5,
};

/* Such as "loopback", for one bit. */
const char *address_class_name(uint32_t bit);

/* The classes of an address; IPv4-mapped, -translated, -compatible and NAT64 forms count as what they hold.
 * ADDRESS_UNSPECIFIED for any family but AF_INET and AF_INET6, so that nothing unknown passes. */
uint32_t address_classes(const struct sockaddr *address);

struct url_policy {
    char *const *schemes;          /* NULL-terminated, lower case */
    char *const *allowed_prefixes; /* NULL-terminated; empty: any */
};

/* 0, -EPERM with one line in `why` that names the rule, or -ENOMEM with one that says so. Judges the
 * URL as it is parsed, not as it is spelled: scheme, host, port and path are compared after
 * normalisation.
 *
 * A prefix is whole path segments: /images allows /images and /images/x, not /images-old; /images/
 * only what is below it. User, password, query and fragment do not count. While there are prefixes,
 * a path that two servers could read differently (encoded slashes, percent signs or dot segments)
 * is refused, and a prefix that cannot be read allows nothing. */
MUST_CHECK int url_policy_judge(const struct url_policy *policy, const char *url, char *why,
                                size_t why_size);

#endif
