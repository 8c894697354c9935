/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs an upgrade may be fetched from: judged for the first URL and for each redirect. URLs are
 * parsed by libcurl, so that the URL that is judged and shown is the one that is fetched.
 *
 * Errors   0 or -errno; -EINVAL for a URL that libcurl cannot parse.
 * Source   RFC 3986; curl_url_set(3).
 */
#ifndef HOST_POLICY_URL_POLICY_H
#define HOST_POLICY_URL_POLICY_H

#include "wire/attributes.h"

#include <stddef.h>

/* The URL for a log or an answer: without user, password and fragment, and with "?..." for a query,
 * since signed URLs have their secret there. Escaped, one line. What cannot be parsed becomes
 * "(a url that cannot be read)". */
void url_show(const char *url, char *out, size_t size);

/* The URL without user, password and fragment: two URLs are the same resource if this is equal.
 * -ENOBUFS when it does not fit. */
MUST_CHECK int url_identity(const char *url, char *out, size_t size);

/* Where a redirect leads: `location` against `base`. User and password of `asked` go along only to
 * the same scheme, host and port; those that a Location holds are dropped. */
MUST_CHECK int url_redirect(const char *asked, const char *base, const char *location, char *out,
                            size_t size);

struct url_policy {
    char *const *schemes;          /* NULL-terminated, lower case */
    char *const *allowed_prefixes; /* NULL-terminated; NULL or empty: any */
};

/* 0, or -EPERM or -ENOMEM with one line in `why`. Scheme, host, port and path are compared after
 * normalisation.
 *
 * A prefix is whole path segments: /images allows /images and /images/x, not /images-old; /images/
 * only what is below it. User, password, query and fragment do not count. While there are prefixes,
 * a path that two servers could read differently (encoded slashes, percent signs or dot segments)
 * is refused, and a prefix that cannot be read allows nothing. */
MUST_CHECK int url_policy_judge(const struct url_policy *policy, const char *url, char *why,
                                size_t why_size);

#endif
