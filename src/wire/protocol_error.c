/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/protocol_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int refusal_set(struct refusal *refusal, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(refusal->text, sizeof(refusal->text), format,
                    arguments); /* cut: it is a line */
    va_end(arguments);
    refusal->code = code;
    refusal->closes =
        code == ERROR_MALFORMED || code == ERROR_TOO_LARGE || code == ERROR_UNSUPPORTED_VERSION;
    return -EBADMSG;
}
