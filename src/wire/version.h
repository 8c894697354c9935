/* SPDX-License-Identifier: Apache-2.0 */
/* The TLV wire versions that this release speaks, and how two peers agree on one.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_VERSION_H
#define WIRE_VERSION_H

#include "wire/attributes.h"
#include "wire/message.h"

/* What HELLO offers and what ERROR unsupported_version lists; the first pair is the highest. */
extern const struct wire_versions wire_versions_spoken;

/* The highest major in both lists with the lower of its two minors; -EPROTONOSUPPORT when there is
 * none. */
MUST_CHECK int version_agree(const struct wire_versions *ours, const struct wire_versions *theirs,
                             struct wire_version *ret);

/* True if a peer that was sent `ours` may answer with `version`. */
bool version_was_offered(const struct wire_versions *ours, struct wire_version version);

static inline bool version_equal(struct wire_version a, struct wire_version b)
{
    return a.major == b.major && a.minor == b.minor;
}

enum { VERSIONS_TEXT_MAX = WIRE_VERSIONS_MAX * sizeof("255.255, ") };

/* Such as "2.0, 1.3". */
void versions_format(const struct wire_versions *versions, char out[VERSIONS_TEXT_MAX]);

#endif
