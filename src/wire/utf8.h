/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 defines it, less NUL: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character that begins at bytes[0], of which `left` (at least 1) are there. Returns how
 * many bytes it takes, 1 to 4, or 0 when it is not UTF-8; then *code_point is left alone. */
size_t utf8_next(const char *bytes, size_t left, uint32_t *code_point);

bool utf8_valid(const char *bytes, size_t length);

/* How many of the `length` bytes of valid UTF-8 are kept so that they are at most `limit` and end
 * with a whole character. */
size_t utf8_cut(const char *bytes, size_t length, size_t limit);

#endif
