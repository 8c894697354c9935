/* SPDX-License-Identifier: Apache-2.0 */
/* The Content-Range header of an answer, such as "bytes 500-999/1000".
 *
 * Threads  pure functions.
 * Errors   0 or -EINVAL; *ret is written only on 0.
 * Source   RFC 9110, section 14.4.
 */
#ifndef HOST_CONTENT_RANGE_H
#define HOST_CONTENT_RANGE_H

#include <stdint.h>

#include "wire/attributes.h"

#define CONTENT_RANGE_UNKNOWN UINT64_MAX /* the total of "bytes 500-999/ *" */

struct content_range {
    uint64_t first;
    uint64_t last; /* at least `first`, less than `total` */
    uint64_t total;
};

/* Takes only the form that comes with bytes; "bytes * /1000", which comes with 416, is -EINVAL. */
MUST_CHECK int content_range_parse(const char *value, struct content_range *ret);

#endif
