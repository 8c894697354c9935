/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/version.h"

#include <errno.h>
#include <stdio.h>

const struct wire_versions wire_versions_spoken = {.count = 1, .pair = {{.major = 1, .minor = 0}}};

/* Both lists have falling majors: the higher head is the one that the other side lacks. */
int version_agree(const struct wire_versions *ours, const struct wire_versions *theirs,
                  struct wire_version *ret)
{
    size_t i = 0;
    size_t j = 0;
    while (i < ours->count && j < theirs->count) {
        struct wire_version a = ours->pair[i];
        struct wire_version b = theirs->pair[j];
        if (a.major == b.major) {
            *ret = a.minor < b.minor ? a : b;
            return 0;
        }
        if (a.major > b.major) {
            i++;
        } else {
            j++;
        }
    }
    return -EPROTONOSUPPORT;
}

bool version_was_offered(const struct wire_versions *ours, struct wire_version version)
{
    for (size_t i = 0; i < ours->count; i++) {
        if (ours->pair[i].major == version.major) {
            return version.minor <= ours->pair[i].minor;
        }
    }
    return false;
}

void versions_format(const struct wire_versions *versions, char out[VERSIONS_TEXT_MAX])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < versions->count && i < WIRE_VERSIONS_MAX; i++) {
        int added = snprintf(out + length, VERSIONS_TEXT_MAX - length, "%s%u.%u", i > 0 ? ", " : "",
                             versions->pair[i].major, versions->pair[i].minor);
        length += added > 0 ? (size_t)added : 0;
    }
}
