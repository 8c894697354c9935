/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests as 64 hex digits.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_NUMBER_H
#define WIRE_NUMBER_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdint.h>

/* Numbers as people write them in options and configuration files: digits, no sign, no blanks.
 *
 * Threads  pure functions.
 * Errors   0, -EINVAL (not such a number), -ERANGE (outside min to max); *ret is set only on 0.
 */
MUST_CHECK int decimal_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* Seconds with at most one point, such as 30, 0.5 or 2.; into milliseconds, rounded up so that a
 * positive time never becomes 0. Limits are milliseconds too, from 0 on. */
MUST_CHECK int decimal_parse_seconds(const char *text, int64_t min_ms, int64_t max_ms,
                                     int64_t *ret_ms);

enum { SHA256_HEX = 2 * SHA256_SIZE };

/* Writes 64 lower-case digits and a NUL. */
void sha256_format(const uint8_t sha256[SHA256_SIZE], char out[SHA256_HEX + 1]);

/* Takes exactly 64 hex digits of either case; -EINVAL for anything else. */
MUST_CHECK int sha256_parse(struct text text, uint8_t ret[SHA256_SIZE]);

#endif
