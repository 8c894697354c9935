/* SPDX-License-Identifier: Apache-2.0 */
/* Why bytes are not taken, as their sender is told: one line that names what was wrong and what was
 * expected.
 *
 * Threads  values.
 */
#ifndef WIRE_PROTOCOL_ERROR_H
#define WIRE_PROTOCOL_ERROR_H

#include "wire/attributes.h"
#include "wire/message.h"

enum { PROTOCOL_ERROR_TEXT_MAX = 256 };

struct protocol_error {
    enum error_code code;
    bool closes; /* the connection ends after this has been said */
    char text[PROTOCOL_ERROR_TEXT_MAX];
};

/* Fills the refusal and returns -EBADMSG. It closes when the stream cannot be trusted any more:
 * malformed, too_large and unsupported_version. */
PRINTF_LIKE(3, 4)
int protocol_error_set(struct protocol_error *protocol_error, enum error_code code,
                       const char *format, ...);

#endif
