/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/protocol_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int protocol_error_set(struct protocol_error *protocol_error, enum error_code code,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(protocol_error->text, sizeof protocol_error->text, format,
                    arguments); /* cut: it is a line */
    va_end(arguments);
    protocol_error->code = code;
    protocol_error->closes =
        code == ERROR_MALFORMED || code == ERROR_TOO_LARGE || code == ERROR_UNSUPPORTED_VERSION;
    return -EBADMSG;
}
