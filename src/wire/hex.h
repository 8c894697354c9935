/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests as 64 hex digits.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_HEX_H
#define WIRE_HEX_H

#include "wire/attributes.h"
#include "wire/message.h"

enum { SHA256_HEX = 2 * SHA256_SIZE };

/* Writes 64 lower-case digits and a NUL. */
void sha256_format(const uint8_t sha256[SHA256_SIZE], char out[SHA256_HEX + 1]);

/* Takes exactly 64 hex digits of either case; -EINVAL for anything else. */
MUST_CHECK int sha256_parse(struct text text, uint8_t ret[SHA256_SIZE]);

#endif
