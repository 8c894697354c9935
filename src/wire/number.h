/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and SHA-256 digests as text. */
#ifndef WIRE_NUMBER_H
#define WIRE_NUMBER_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdint.h>

/* Digits without sign and blanks. 0, -EINVAL (not a number) or -ERANGE (outside min to max). */
MUST_CHECK int decimal_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* Seconds with at most one point, such as 30, 0.5 or 2., as milliseconds, rounded up so that a
 * positive time never becomes 0. */
MUST_CHECK int decimal_parse_seconds(const char *text, int64_t min_ms, int64_t max_ms,
                                     int64_t *ret_ms);

enum { SHA256_HEX = 2 * SHA256_SIZE };

void sha256_format(const uint8_t sha256[SHA256_SIZE], char out[SHA256_HEX + 1]);

/* -EINVAL: not exactly 64 hex digits of either case. */
MUST_CHECK int sha256_parse(struct text text, uint8_t ret[SHA256_SIZE]);

#endif
