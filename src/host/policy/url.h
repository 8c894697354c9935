/* SPDX-License-Identifier: Apache-2.0 */
/* URLs taken apart by libcurl's own parser, so that what is judged and shown is what would be
 * fetched.
 *
 * Threads  pure functions.
 * Errors   0 or -errno. url_parse: -EINVAL with the parser's reason in `why`, -ENOMEM.
 * Owner    url_parse allocates, url_done frees.
 * Source   RFC 3986; curl_url_set(3).
 */
#ifndef HOST_URL_H
#define HOST_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/attributes.h"

/* What decides where a request goes. Never NULL: a part that is absent is "". */
struct url {
    char *scheme; /* lower case */
    char *host;   /* lower case, percent-decoded, without a last dot; IPv6 in brackets; IPv4 dotted
                     however it was spelled */
    char *port;   /* decimal; the scheme's own if the URL names none */
    char *zone;   /* of a link-local IPv6 address */
    char *path;   /* literal dot segments removed, as libcurl sends it; still percent-encoded */
};

/* `why` is a constant string. */
MUST_CHECK int url_parse(const char *url, struct url *ret, const char **why);
void url_done(struct url *url);

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

#endif
