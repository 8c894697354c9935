/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people write them in options and configuration files: digits, no sign, no blanks.
 *
 * Threads  pure functions.
 * Errors   0, -EINVAL (not such a number), -ERANGE (outside min to max); *ret is set only on 0.
 */
#ifndef WIRE_DECIMAL_H
#define WIRE_DECIMAL_H

#include "wire/attributes.h"
#include <stdint.h>

MUST_CHECK int decimal_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* Seconds with at most one point, such as 30, 0.5 or 2.; into milliseconds, rounded up so that a
 * positive time never becomes 0. Limits are milliseconds too, from 0 on. */
MUST_CHECK int decimal_parse_seconds(const char *text, int64_t min_ms, int64_t max_ms,
                                     int64_t *ret_ms);

#endif
