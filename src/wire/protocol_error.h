/* SPDX-License-Identifier: Apache-2.0 */
/* The error that is sent to the peer for bytes that were refused. */
#ifndef WIRE_PROTOCOL_ERROR_H
#define WIRE_PROTOCOL_ERROR_H

#include "wire/attributes.h"
#include "wire/message.h"

enum { PROTOCOL_ERROR_TEXT_MAX = 256 };

struct protocol_error {
    enum error_code code;
    bool closes;                        /* the connection is closed after the error was sent */
    char text[PROTOCOL_ERROR_TEXT_MAX]; /* one line: what was wrong, what was expected */
};

/* Sets the error and returns -EBADMSG. `closes` is set for malformed, too_large and
 * unsupported_version: the rest of the stream cannot be read. */
PRINTF_LIKE(3, 4)
int protocol_error_set(struct protocol_error *protocol_error, enum error_code code,
                       const char *format, ...);

#endif
