/* SPDX-License-Identifier: Apache-2.0 */
/* The one way by which bytes of a peer, or of the internet, reach a log, a terminal or a console.
 *
 * Control characters, DEL, C1, the bidirectional controls (U+061C, U+200E, U+200F, U+202A to
 * U+202E, U+2066 to U+2069), the line and paragraph separators and every byte of invalid UTF-8
 * become \xNN, byte by byte; a backslash stays as it is. Everything else is copied.
 *
 * Threads  pure functions.
 */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include "wire/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 as RFC 3629 defines it, less NUL: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Threads  pure functions.
 */

bool utf8_valid(const char *bytes, size_t length);

/* How many of the `length` bytes of valid UTF-8 are kept so that they are at most `limit` and end
 * with a whole character. */
size_t utf8_cut(const char *bytes, size_t length, size_t limit);

enum escape_mode {
    ESCAPE_LINE,    /* logs, terminals: newline and tab are escaped too */
    ESCAPE_CONSOLE, /* a notify on a console: newline and tab survive */
};

/* Writes the escaped text and a NUL, cut at a whole character or escape so that it fits `size`
 * (at least 1). Returns the length that is needed without the NUL, as snprintf does. */
size_t escape_text(struct text text, enum escape_mode mode, char *out, size_t size);

#endif
