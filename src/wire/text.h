/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629, without NUL), and the escaping of everything that a peer or a server sends before
 * it reaches a log, a terminal or a console. */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False for NUL, overlong forms, surrogates and what is above U+10FFFF. */
bool utf8_valid(const char *bytes, size_t length);

/* The length of the longest beginning of valid UTF-8 with at most `limit` bytes and no cut character. */
size_t utf8_cut(const char *bytes, size_t length, size_t limit);

enum escape_mode {
    ESCAPE_LINE,    /* logs, terminals: newline and tab are escaped too */
    ESCAPE_CONSOLE, /* a notify on a console: newline and tab survive */
};

/* Control characters, DEL, C1, the bidirectional controls (U+061C, U+200E, U+200F, U+202A to U+202E,
 * U+2066 to U+2069), the line and paragraph separators and every byte of invalid UTF-8 become \xNN,
 * byte by byte; a backslash stays. Writes the result and a NUL, cut at a whole character or escape to
 * fit `size` (at least 1), and returns the needed length without the NUL, as snprintf does. */
size_t escape_text(struct text text, enum escape_mode mode, char *out, size_t size);

#endif
